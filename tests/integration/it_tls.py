#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS as openssl s_client sees it: versions, suites, ALPN, renegotiation, tickets, mTLS, reload."""
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main  # noqa: E402
from vts_server import (ROOT, WAIT_S, Server, make_certs, scratch_folder,  # noqa: E402
                        shared_certs)

# Without this, OpenSSL itself offers neither old versions nor weak suites.
ANYTHING = ("-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0")
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
server = None
odd = None


class Client:
    """A running s_client. What it says is read as it comes."""

    def __init__(self, *arguments, to=None, ca=None):
        to = to or server
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{to.port}", "-servername", "localhost",
             "-CAfile", str(ca or to.certs / "ca.pem"), "-verify_return_error", *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.out = b""

    def send(self, data):
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended; its output says why

    def read_until(self, mark):
        """AssertionError when it ends, or the time does, without mark in its output."""
        deadline = time.monotonic() + WAIT_S
        fd = self.process.stdout.fileno()
        while mark not in self.out:
            left = deadline - time.monotonic()
            more = os.read(fd, 65536) if left > 0 and select.select([fd], [], [], left)[0] else b""
            if not more:
                raise AssertionError(f"no {mark!r} in: {self.out.decode(errors='replace')}")
            self.out += more

    def finish(self):
        """All it says until the connection ends; its input is closed."""
        try:
            rest, _ = self.process.communicate(timeout=WAIT_S)
        finally:
            self.kill()
        return (self.out + rest).decode(errors="replace")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for file in (self.process.stdin, self.process.stdout):
            file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def ask(*arguments, to=None, ca=None):
    """Everything s_client says while it gets /healthz."""
    with Client("-ign_eof", *arguments, to=to, ca=ca) as client:
        client.send(REQUEST)
        return client.finish()


def expect_ok(text, *wanted):
    check("HTTP/1.1 200 OK" in text, f"no answer: {text}")
    for part in wanted:
        check(re.search(part, text), f"{part} is not in {text}")


def expect_refused(text, what):
    check("HTTP/1.1" not in text, f"{what}: it got an answer")
    check(re.search(r"Cipher is \(NONE\)|alert|verify failed", text), f"{what}: {text}")


# ---- versions and suites ----------------------------------------------------------------------

@case
def old_versions_are_refused():
    for version in ("-tls1", "-tls1_1"):
        text = ask(version, *ANYTHING)
        expect_refused(text, version)
        check("alert protocol version" in text, f"{version}: which alert? {text}")


@case
def tls13_is_spoken():
    expect_ok(ask("-tls1_3"), r"TLSv1\.3, Cipher is TLS_", r"Verification: OK",
              r"Server Temp Key: X25519")


@case
def tls12_is_spoken_with_forward_secrecy():
    expect_ok(ask("-tls1_2"), r"TLSv1\.2, Cipher is ECDHE-ECDSA-(AES\d+-GCM|CHACHA20)",
              r"Compression: NONE", r"Extended master secret: yes")


def suites_of_tls12():
    out = subprocess.run(["openssl", "ciphers", "-s", "-tls1_2", ANYTHING[1]],
                         capture_output=True, check=True, text=True).stdout
    return [name for name in out.strip().split(":") if "PSK" not in name and "SRP" not in name]


@case
def tls12_has_ecdhe_with_aead_only():
    """Each suite that this OpenSSL knows, one by one, against both kinds of key."""
    wanted = re.compile(r"ECDHE-(ECDSA|RSA)-(AES(128|256)-GCM-SHA\d+|CHACHA20-POLY1305)")
    names = suites_of_tls12()
    check(len(names) > 40, f"OpenSSL offers only {names}")
    certs = scratch_folder()
    for name in ("ca.pem", "rsa.pem", "rsa-key.pem"):
        shutil.copy(odd / name, certs / name.replace("rsa", "server"))
    spoken = set()
    with Server(certs=certs) as rsa:
        for to in (server, rsa):
            for name in names:
                text = ask("-tls1_2", "-cipher", name + ":@SECLEVEL=0", to=to)
                if "HTTP/1.1 200" in text:
                    spoken.add(name)
                    check(wanted.fullmatch(name), f"{name} is spoken")
    equal(len(spoken), 6, f"suites spoken: {spoken}")


@case
def renegotiation_is_refused():
    with Client("-tls1_2") as client:
        client.read_until(b"Verify return code: 0")
        client.send(b"R\n")
        text = client.finish()
    check("no renegotiation" in text or "handshake failure" in text, text)


@case
def a_key_update_is_fine():
    with Client("-tls1_3", "-crlf") as client:
        client.read_until(b"Verify return code: 0")
        client.send(b"K\n")
        client.read_until(b"KEYUPDATE")
        client.send(b"GET /healthz HTTP/1.1\nHost: localhost\nConnection: close\n\n")
        client.read_until(b"200 OK")


# ---- ALPN -------------------------------------------------------------------------------------

@case
def alpn_chooses_h2_first():
    for offer, wanted in (("h2", "h2"), ("http/1.1", "http/1.1"), ("h2,http/1.1", "h2"),
                          ("http/1.1,h2", "h2"), ("spdy/3,http/1.1", "http/1.1")):
        for version in ("-tls1_2", "-tls1_3"):
            with Client(version, "-alpn", offer) as client:
                client.process.stdin.close()
                text = client.process.stdout.read().decode()
            check(f"ALPN protocol: {wanted}" in text, f"{offer}: {text}")


@case
def no_alpn_means_http11():
    expect_ok(ask(), "No ALPN negotiated")


@case
def foreign_alpn_ends_the_handshake():
    for offer in ("ftp", "h2c", "H2", "http/1.0"):
        for version in ("-tls1_2", "-tls1_3"):
            text = ask(version, "-alpn", offer)
            expect_refused(text, offer)
            check("alert no application protocol" in text, f"{offer}: {text}")


# ---- tickets and early data -------------------------------------------------------------------

class Session:
    """A ticket on file, got from a server."""

    def __init__(self, to, *arguments, ca=None):
        self.file = scratch_folder() / "session"
        expect_ok(ask("-sess_out", self.file, *arguments, to=to, ca=ca))
        check(self.file.stat().st_size > 0, "no ticket came")

    def resumes(self, to, *arguments, ca=None):
        """Whether the ticket was taken; the request has to be answered either way."""
        text = ask("-sess_in", self.file, *arguments, to=to, ca=ca)
        expect_ok(text)
        return "Reused, TLSv1" in text


VERSIONS = ("-tls1_2", "-tls1_3")


def reload(to):
    start = len(to.raw_log())
    to.send_signal(signal.SIGHUP)
    return to.wait_log(lambda line: "reload" in line.get("msg", ""), start=start)


@case
def tickets_resume():
    for version in VERSIONS:
        session = Session(server, version)
        # Two loops share the port: a ticket is good for both.
        for _ in range(6):
            check(session.resumes(server, version), f"{version}: not resumed")


@case
def tickets_resume_across_a_reload():
    for version in VERSIONS:
        session = Session(server, version)
        equal(reload(server)["msg"], "certificates reloaded")
        check(session.resumes(server, version), f"{version}: not resumed after a reload")


@case
def tickets_of_another_server_are_no_use():
    for version in VERSIONS:
        with Server() as other:
            session = Session(other, version)
        check(not session.resumes(server, version), "keys of tickets are not secret")


@case
def broken_tickets_cost_only_the_resumption():
    session = Session(server, "-tls1_2")
    body = subprocess.run(["openssl", "sess_id", "-in", session.file, "-outform", "DER"],
                          capture_output=True, check=True).stdout
    check(session.resumes(server, "-tls1_2"), "not even whole")
    for at in (40, 80, 120):  # from the end, where the ticket lies
        broken = bytearray(body)
        broken[-at] ^= 1
        subprocess.run(["openssl", "sess_id", "-inform", "DER", "-out", session.file],
                       input=bytes(broken), capture_output=True, check=True)
        check(not session.resumes(server, "-tls1_2"), f"resumed with byte {at} from the end wrong")


@case
def tickets_allow_no_early_data():
    session = Session(server, "-tls1_3")
    text = subprocess.run(["openssl", "sess_id", "-in", session.file, "-noout", "-text"],
                          capture_output=True, check=True, text=True).stdout
    check("Ticket" in text.title() and "Max Early Data: 0" in text, text)
    data = scratch_folder() / "early"
    data.write_bytes(REQUEST)
    text = ask("-tls1_3", "-sess_in", session.file, "-early_data", data)
    check("Early data was not sent" in text, text)


# ---- client certificates ----------------------------------------------------------------------

def identity(folder, name="client"):
    return ("-cert", folder / f"{name}.pem", "-key", folder / f"{name}-key.pem")


@case
def client_certificates_are_checked():
    certs = shared_certs()
    with Server("--client-ca", certs / "ca.pem") as mtls:
        for version in VERSIONS:
            expect_ok(ask(version, *identity(certs), to=mtls), "Acceptable client certificate CA")
            expect_refused(ask(version, to=mtls), "none")
            for name in ("client", "client-expired", "client-as-server"):
                expect_refused(ask(version, *identity(odd, name), to=mtls), name)
    with Server("--client-ca", odd / "ca.pem") as mtls:
        for version in VERSIONS:
            expect_ok(ask(version, *identity(odd), to=mtls))
            for name in ("client-expired", "client-as-server"):
                expect_refused(ask(version, *identity(odd, name), to=mtls), name)


@case
def tickets_do_not_outlive_the_client_ca():
    """A session that was let in by one CA must not come back once another is asked for."""
    ca = scratch_folder() / "client-ca.pem"
    for version in VERSIONS:
        shutil.copy(shared_certs() / "ca.pem", ca)
        with Server("--client-ca", ca) as mtls:
            mine = identity(shared_certs())
            session = Session(mtls, version, *mine)
            check(session.resumes(mtls, version, *mine), f"{version}: not resumed at all")
            equal(reload(mtls)["msg"], "certificates reloaded")
            check(session.resumes(mtls, version, *mine), f"{version}: not resumed after a reload")
            shutil.copy(odd / "ca.pem", ca)
            equal(reload(mtls)["msg"], "certificates reloaded")
            for more in ((), mine):
                expect_refused(ask(version, "-sess_in", session.file, *more, to=mtls),
                               f"{version}: a session of the old CA")
            text = ask(version, "-sess_in", session.file, *identity(odd), to=mtls)
            expect_ok(text)
            check("Reused" not in text, f"{version}: resumed under another CA")


@case
def tickets_without_a_client_ca_do_not_open_mtls():
    ca = scratch_folder() / "client-ca.pem"
    shutil.copy(shared_certs() / "ca.pem", ca)
    for version in VERSIONS:
        with Server("--client-ca", ca) as mtls:
            expect_refused(ask(version, to=mtls), "no certificate")
            session = Session(server, version)
            expect_refused(ask(version, "-sess_in", session.file, to=mtls), "a foreign ticket")


# ---- reload -----------------------------------------------------------------------------------

def fingerprint(text):
    match = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.DOTALL)
    check(match, f"no certificate was shown: {text}")
    return match[0]


def copy_identity(source, target, name="server"):
    for end in (".pem", "-key.pem"):
        shutil.copy(source / (name + end), target / ("server" + end))


@case
def a_reload_shows_the_new_certificate_and_keeps_connections():
    certs = make_certs()
    old_ca = scratch_folder() / "ca.pem"
    shutil.copy(certs / "ca.pem", old_ca)
    with Server(certs=certs) as reloaded:
        with Client("-crlf", "-tls1_3", to=reloaded) as old:
            old.read_until(b"Verify return code: 0")
            before = fingerprint(ask(to=reloaded))
            copy_identity(odd, certs)
            equal(reload(reloaded)["msg"], "certificates reloaded")
            after = ask(to=reloaded, ca=odd / "ca.pem")
            expect_ok(after, "Verification: OK")
            check(fingerprint(after) != before, "the old certificate is still shown")
            expect_refused(ask(to=reloaded, ca=old_ca), "trust in the old CA")
            # The old connection goes on, with two requests.
            old.send(b"GET /healthz HTTP/1.1\nHost: localhost\n\n")
            old.read_until(b"200 OK")
            old.send(b"GET /readyz HTTP/1.1\nHost: localhost\nConnection: close\n\n")
            old.read_until(b"ready")
        shutil.copy(odd / "ca.pem", certs / "ca.pem")
        equal(reloaded.metrics()["vts_tls_reloads_total"], 1)


@case
def a_bad_reload_keeps_the_old_certificate_and_says_so_once():
    def write(name, data):
        return lambda folder: (folder / name).write_bytes(data)

    bad = {
        "a missing file": lambda folder: (folder / "server.pem").unlink(),
        "a missing key": lambda folder: (folder / "server-key.pem").unlink(),
        "half a file": lambda folder: os.truncate(folder / "server.pem", 200),
        "an empty file": write("server.pem", b""),
        "garbage": write("server.pem", os.urandom(500)),
        "another's key": lambda folder: shutil.copy(odd / "server2-key.pem",
                                                    folder / "server-key.pem"),
        "an expired one": lambda folder: copy_identity(odd, folder, "expired"),
        "one not valid yet": lambda folder: copy_identity(odd, folder, "future"),
    }
    certs = make_certs()
    good = scratch_folder()
    copy_identity(certs, good)
    with Server(certs=certs) as reloaded:
        before = fingerprint(ask(to=reloaded))
        for count, (what, spoil) in enumerate(bad.items(), 1):
            start = len(reloaded.raw_log())
            spoil(certs)
            line = reload(reloaded)
            equal(line["level"], "error", what)
            check(line.get("reason"), f"{what}: no reason is given")
            equal(fingerprint(ask(to=reloaded)), before, what)
            errors = [one for one in reloaded.log_lines()[start:] if one["level"] == "error"]
            equal(len(errors), 1, what)
            equal(reloaded.metrics()["vts_tls_reloads_failed_total"], count, what)
            copy_identity(good, certs)
        equal(reload(reloaded)["msg"], "certificates reloaded")


# ---- what openssl cannot break -----------------------------------------------------------------

@case
def plain_text_on_the_port_is_ended():
    for hello in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x80\x2e\x01\x03\x01", b"\x16\x03\x01\x00",
                  b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", os.urandom(200)):
        with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as raw:
            raw.sendall(hello)
            raw.shutdown(socket.SHUT_WR)
            try:
                while raw.recv(4096):
                    pass
            except ConnectionResetError:
                pass
    equal(server.get("/healthz")[0], 200)


def run():
    global server, odd
    odd = scratch_folder()
    subprocess.run([ROOT / "tests/support/make_odd_certs.sh", odd], check=True)
    with Server("--simulate", "delay=24h") as server:
        main(__file__)


run()
