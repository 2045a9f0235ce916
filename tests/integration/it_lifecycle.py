#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How vtstatusd starts, refuses to start, reloads under load, drains and stops."""
import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import h2_raw  # noqa: E402
from cases import case, check, equal, main, wait_until, with_more_time  # noqa: E402
from vts_server import (IS_SANITIZED, ROOT, WAIT_S, Server, client_context,  # noqa: E402
                        default_binary, make_certs, scratch_folder, shared_certs)

CERT_FLAGS = None  # of the shared certificates
odd = None


def run(*flags, certs=True, env=None):
    """vtstatusd to its own end; for calls that do not come to listen."""
    command = [default_binary(), *(CERT_FLAGS if certs else ()), *map(str, flags)]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", env=env,
                          timeout=WAIT_S, check=False)


def expect_refusal(result, code, *words, what=""):
    """Exit code, one line on stderr that has the words, nothing on stdout."""
    equal(result.returncode, code, f"{what}: {result.stderr}")
    lines = result.stderr.splitlines()
    equal(len(lines), 1, f"{what}: lines: {result.stderr}")
    check(lines[0].startswith("vtstatusd: "), f"{what}: {lines[0]}")
    for word in words:
        check(word in lines[0], f"{what}: no {word!r} in {lines[0]}")
    equal(result.stdout, "", what)


# ---- stopping ---------------------------------------------------------------------------------

def h2(server, **more):
    peer = h2_raw.H2(server.port, server.certs, timeout=WAIT_S, **more)
    check(peer.wait(lambda: peer.has_ack and peer.peer_settings, WAIT_S), "no SETTINGS came")
    return peer


@case
def term_and_int_exit_with_0():
    for number in (signal.SIGTERM, signal.SIGINT):
        server = Server("--simulate", "delay=24h")
        server.get("/status")
        server.stop(number)
        equal(server.log_lines()[-1]["msg"], "stopped")


@case
def term_ends_idle_connections():
    with Server() as server:
        peers = [h2(server) for _ in range(5)]
        for peer in peers:
            equal(peer.get(1, "/healthz", WAIT_S), 200)
        plain = server.connect()
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        check(b"200 OK" in plain.recv(4096), "no answer")
        server.send_signal(signal.SIGTERM)
        for peer in peers:
            check(peer.wait_end(WAIT_S), "an idle connection stays")
            equal(peer.goaway, (1, h2_raw.NO_ERROR, ""), "GOAWAY")
            equal(peer.end, "close", "the end of TLS")
        check(not plain.recv(4096), "an idle HTTP/1.1 connection stays")
        plain.close()
        equal(server.wait(), 0)


class Reluctant(h2_raw.H2):
    """Answers a PING only when told to, and remembers every GOAWAY."""

    def __init__(self, *arguments, **more):
        self.goaways, self.pings = [], []
        super().__init__(*arguments, **more)

    def take(self, kind, flags, stream, payload):
        if kind == h2_raw.PING and not flags & h2_raw.ACK:
            self.pings.append(payload)
            self.counts[kind] = self.counts.get(kind, 0) + 1
            return
        super().take(kind, flags, stream, payload)
        if kind == h2_raw.GOAWAY:
            self.goaways.append(self.goaway)


@case
def draining_says_goaway_twice_and_answers_in_between():
    with Server("--simulate", "delay=24h", "--limit", "goaway_postpone_ms=100") as server:
        peer = Reluctant(server.port, server.certs, timeout=WAIT_S)
        equal(peer.get(1, "/status", WAIT_S), 200)
        # An open request: its header is complete, its body is not.
        peer.send(h2_raw.headers(3, h2_raw.request("/status", "POST"), end_stream=False))
        server.send_signal(signal.SIGTERM)
        check(peer.wait(lambda: peer.goaways and peer.pings, WAIT_S), "no GOAWAY and PING")
        equal(peer.goaways, [(2**31 - 1, h2_raw.NO_ERROR, "graceful shutdown")], "the notice")
        # What was on its way when the notice came is still served.
        equal(peer.get(5, "/status", WAIT_S), 200, "between the GOAWAYs")
        equal(peer.get(7, "/readyz", WAIT_S), 503, "readiness while stopping")
        equal(peer.get(9, "/healthz", WAIT_S), 200, "liveness while stopping")
        equal(len(peer.goaways), 1, "GOAWAYs before the PING is answered")
        peer.send(h2_raw.ping(peer.pings[0], ack=True))
        check(peer.wait(lambda: len(peer.goaways) == 2, WAIT_S), "no second GOAWAY")
        equal(peer.goaways[1], (9, h2_raw.NO_ERROR, ""), "the last word")
        check(peer.end is None, "closed with a request open")
        peer.send(h2_raw.headers(11, h2_raw.request("/status")))
        peer.send(h2_raw.data(3, b"", end_stream=True))
        check(peer.wait(lambda: 3 in peer.done, WAIT_S), "the open request is not answered")
        equal(peer.status[3], 405)
        check(peer.wait_end(WAIT_S), "the connection stays")
        check(11 not in peer.status, "a request after the last word was served")
        equal(server.wait(), 0)
    ends = [line for line in server.log_lines() if line["msg"] == "connection ended"]
    equal([line["reason"] for line in ends], ["drained"])


@case
def draining_does_not_wait_for_the_ping_for_ever():
    with Server() as server:
        peer = Reluctant(server.port, server.certs, timeout=WAIT_S)
        equal(peer.get(1, "/healthz", WAIT_S), 200)
        server.send_signal(signal.SIGTERM)
        check(peer.wait(lambda: len(peer.goaways) == 2, WAIT_S), "no second GOAWAY")
        equal([last for last, _, _ in peer.goaways], [2**31 - 1, 1])
        check(peer.wait_end(WAIT_S), "the connection stays")
        equal(server.wait(), 0)


@case
def draining_has_a_deadline():
    with Server("--limit", "drain_ms=200") as server:
        peer = h2(server)
        peer.send(h2_raw.headers(1, h2_raw.request("/status", "POST"), end_stream=False))
        equal(peer.get(3, "/healthz", WAIT_S), 200)
        server.send_signal(signal.SIGTERM)
        equal(server.wait(), 0)
        check(peer.wait_end(WAIT_S), "the connection stays")
    ends = [line["reason"] for line in server.log_lines() if line["msg"] == "connection ended"]
    equal(ends, ["drain_ms"])


@case
def http11_ends_after_the_request_in_hand():
    with Server() as server:
        plain = server.connect()
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        check(b"200 OK" in plain.recv(4096), "no answer")
        plain.sendall(b"GET /readyz HTTP/1.1\r\nHost: loc")
        bytes_in = b""
        # Another loop turn is over once this is answered, so the half request has been read.
        equal(server.get("/healthz")[0], 200)
        server.send_signal(signal.SIGTERM)
        wait_until(lambda: not can_connect(server.port), "the listener is closed")
        try:
            plain.sendall(b"alhost\r\n\r\n")
            while more := plain.recv(4096):
                bytes_in += more
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
            pass
        plain.close()
        check(not bytes_in or b"503" in bytes_in and b"connection: close" in bytes_in.lower(),
              f"half an answer: {bytes_in}")
        equal(server.wait(), 0)


def can_connect(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=WAIT_S).close()
        return True
    except OSError:
        return False


@case
def a_second_signal_stops_at_once():
    for first, second in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM),
                          (signal.SIGTERM, signal.SIGINT)):
        with Server("--limit", "drain_ms=3600000,goaway_postpone_ms=50") as server:
            peer = h2(server)
            peer.send(h2_raw.headers(1, h2_raw.request("/status", "POST"), end_stream=False))
            equal(peer.get(3, "/healthz", WAIT_S), 200)
            server.send_signal(first)
            check(peer.wait(lambda: peer.goaway, WAIT_S), "no GOAWAY")
            check(server.process.poll() is None, "it did not wait for the open request")
            server.send_signal(second)
            equal(server.wait(), 0)
            check(peer.wait_end(WAIT_S), "the connection stays")


@case
def a_reload_while_draining_does_no_harm():
    with Server("--limit", "goaway_postpone_ms=50") as server:
        peer = h2(server)
        peer.send(h2_raw.headers(1, h2_raw.request("/status", "POST"), end_stream=False))
        equal(peer.get(3, "/healthz", WAIT_S), 200)
        server.send_signal(signal.SIGTERM)
        check(peer.wait(lambda: peer.goaway, WAIT_S), "no GOAWAY")
        server.send_signal(signal.SIGHUP)
        peer.send(h2_raw.data(1, b"", end_stream=True))
        check(peer.wait(lambda: 1 in peer.done, WAIT_S), "the open request is not answered")
        check(peer.wait_end(WAIT_S), "the connection stays")
        equal(server.wait(), 0)


@case
def signals_while_starting_are_not_lost():
    """TERM right after the start, again and again: it ends, and says nothing odd."""
    for _ in range(20):
        process = subprocess.Popen([default_binary(), *CERT_FLAGS, "--listen", "127.0.0.1:0",
                                    "--log-format", "json"], stderr=subprocess.PIPE)
        try:
            first = process.stderr.readline()
            process.send_signal(signal.SIGTERM)
            rest = process.stderr.read()
            equal(process.wait(WAIT_S), 0)
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
        equal([json.loads(line)["msg"] for line in (first + rest).splitlines()],
              ["listening", "stopped"])


# ---- reloading --------------------------------------------------------------------------------

class Asker(threading.Thread):
    """Asks on one connection for as long as it is let; h2 or new connections of HTTP/1.1."""

    def __init__(self, server, keeps):
        super().__init__()
        self.server, self.keeps, self.halt = server, keeps, threading.Event()
        self.answers, self.failure = 0, None

    def run(self):
        try:
            if self.keeps:
                self.ask_on_one()
            else:
                self.ask_anew()
        except Exception as error:
            self.failure = error

    def ask_on_one(self):
        peer, stream = h2(self.server), 1
        while not self.halt.is_set():
            equal(peer.get(stream, "/status", WAIT_S), 200)
            peer.send(h2_raw.window_update(0, len(peer.body[stream])))
            self.answers, stream = self.answers + 1, stream + 2
        peer.close()

    def ask_anew(self):
        while not self.halt.is_set():
            equal(self.server.get("/status")[0], 200)
            self.answers += 1


@case
def fifty_reloads_under_load_fail_no_request():
    count = 10 if IS_SANITIZED else 50
    with Server("--simulate", "delay=24h") as server:
        askers = [Asker(server, keeps) for keeps in (True, False, True, False)]
        for asker in askers:
            asker.start()
        try:
            for number in range(1, count + 1):
                before = [asker.answers for asker in askers]
                server.send_signal(signal.SIGHUP)
                # Not by the log, which takes ten lines of a kind a second.
                wait_until(lambda: server.metrics()["vts_tls_reloads_total"] == number,
                           "the reload", timeout=WAIT_S)
                # Everybody gets an answer between two reloads.
                wait_until(lambda: all(asker.failure or asker.answers > old for asker, old
                                       in zip(askers, before)), "answers", timeout=WAIT_S)
        finally:
            for asker in askers:
                asker.halt.set()
            for asker in askers:
                asker.join()
        equal([asker.failure for asker in askers], [None] * 4)
        equal(server.metrics()["vts_tls_reloads_failed_total"], 0)


# ---- refusing to start ------------------------------------------------------------------------

@case
def a_port_in_use_is_refused():
    with Server() as server:
        for threads in (1, 4):
            result = run("--listen", f"127.0.0.1:{server.port}", "--threads", threads)
            expect_refusal(result, 1, "already in use", str(server.port), "--listen")
        expect_refusal(run("--listen", f"0.0.0.0:{server.port}"), 1, "already in use")
        equal(server.get("/healthz")[0], 200)
    for share in (False, True):
        with socket.socket() as other:
            if share:
                other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            other.bind(("127.0.0.1", 0))
            other.listen()
            result = run("--listen", f"127.0.0.1:{other.getsockname()[1]}")
            expect_refusal(result, 1, "already in use", what=f"SO_REUSEPORT {share}")


@case
def a_port_is_free_again_at_once():
    with Server() as server:
        connections = [server.connect() for _ in range(5)]
        port = server.port
        server.send_signal(signal.SIGTERM)
        server.send_signal(signal.SIGTERM)
        equal(server.wait(), 0)
    with Server(listen=f"127.0.0.1:{port}") as again:
        equal(again.port, port)
    for connection in connections:
        connection.close()


@case
def addresses_that_cannot_be_listened_on():
    expect_refusal(run("--listen", "192.0.2.1:0"), 1, "192.0.2.1", "cannot listen")
    for bad in ("", ":", "localhost", "localhost:", ":5000", "127.0.0.1:65536", "127.0.0.1:-1",
                "127.0.0.1:5000x", "127.0.0.1: 0", "[::1]", "[::1:0", "::1:0",
                "127.0.0.1:http"):
        result = run("--listen", bad)
        expect_refusal(result, 2, "ADDRESS:PORT", what=repr(bad))
    for bad in ("no-such-host.invalid", "1.2.3.4.5"):
        expect_refusal(run("--listen", bad + ":0"), 2, "cannot resolve", bad)


def files(cert, key):
    return ("--cert", cert, "--key", key, "--listen", "127.0.0.1:0")


@case
def certificates_that_cannot_be_used():
    certs, scratch = shared_certs(), scratch_folder()
    cert, key = certs / "server.pem", certs / "server-key.pem"
    half, empty, locked = scratch / "half.pem", scratch / "empty.pem", scratch / "locked.pem"
    half.write_bytes(cert.read_bytes()[:200])
    empty.write_bytes(b"")
    subprocess.run(["openssl", "ec", "-in", key, "-aes128", "-passout", "pass:secret", "-out",
                    locked], check=True, capture_output=True)
    for what, (one, other), words in (
            ("a missing certificate", (scratch / "none.pem", key), ["none.pem"]),
            ("a missing key", (cert, scratch / "none.pem"), ["none.pem"]),
            ("a folder", (scratch, key), [str(scratch)]),
            ("half a certificate", (half, key), ["half.pem"]),
            ("an empty key", (cert, empty), ["empty.pem"]),
            ("a key for a certificate", (key, key), ["server-key.pem"]),
            ("another's key", (cert, odd / "other-key.pem"), ["other-key.pem"]),
            ("a locked key", (cert, locked), ["locked.pem"]),
            ("an expired certificate", (odd / "expired.pem", odd / "expired-key.pem"), ["expired"]),
            ("one not valid yet", (odd / "future.pem", odd / "future-key.pem"), ["not valid yet"])):
        result = run(*files(one, other), certs=False)
        is_path = what.startswith(("a missing", "a folder"))  # then it is a mistake in a flag
        expect_refusal(result, 2 if is_path else 1, *words, what=what)
        check("secret" not in result.stderr, "a passphrase is told")
    for ca in (scratch / "none.pem", empty, key):
        expect_refusal(run("--listen", "127.0.0.1:0", "--client-ca", ca), 1 if ca.exists() else 2,
                       str(ca), what="a client CA")


@case
def an_unreadable_key_is_refused():
    folder = make_certs()
    (folder / "server-key.pem").chmod(0)
    # Root reads everything, unless the right to is taken away.
    without_rights = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    command = [*(without_rights if os.getuid() == 0 else []), default_binary(),
               *map(str, files(folder / "server.pem", folder / "server-key.pem"))]
    result = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    expect_refusal(result, 2, "server-key.pem", "ermission denied")


@case
def no_certificate_says_how_to_make_one():
    for flags in ((), ("--cert", shared_certs() / "server.pem"),
                  ("--key", shared_certs() / "server-key.pem")):
        expect_refusal(run("--listen", "127.0.0.1:0", *flags, certs=False), 2, "make-dev-certs.sh")


@case
def wrong_flags_exit_with_2():
    for flags, word in (
            (("--nonsense",), "--nonsense"), (("--listen",), "--listen"), (("-x",), "-x"),
            (("serve",), "serve"), (("--threads", "0"), "--threads"), (("--threads", "x"), "x"),
            (("--threads", "99999"), "--threads"), (("--threads", "-1"), "--threads"),
            (("--log-level", "loud"), "loud"), (("--log-format", "xml"), "xml"),
            (("--store", "paper"), "paper"), (("--store", "sqlite:"), "lacks a file"),
            (("--store", "sqlite:/nonexistent/x.db"), "/nonexistent: No such file"),
            (("--store", "sqlite:/dev/null/x.db"), "/dev/null is no folder"),
            (("--key", ""), '--key "" names no file'), (("--simulate", "delay=8"), "delay=8"),
            (("--simulate", "delay=25h"), "25h"), (("--simulate", "error_rate=2"), "error_rate"),
            (("--simulate", "seed=x"), "seed"), (("--simulate", "speed=3"), "speed"),
            (("--limit", "no_such=3"), "no_such"), (("--limit", "streams"), "streams"),
            (("--limit", "streams=x"), "streams"), (("--limit", "streams=-1"), "streams")):
        expect_refusal(run("--listen", "127.0.0.1:0", *flags), 2, word, what=flags)


@case
def help_and_version():
    for flag in ("--help", "-h"):
        result = run(flag, certs=False)
        equal((result.returncode, result.stderr), (0, ""))
        for name in flag_names():
            check(re.search(rf"--{name}\s", result.stdout), f"--{name} is not in the help")
        check("VTSTATUSD_LOG_LEVEL" in result.stdout, "the environment is not explained")
    result = run("--version", certs=False)
    equal(result.returncode, 0)
    check(re.fullmatch(r"vtstatusd \d+\.\d+\.\d+\n", result.stdout), repr(result.stdout))


def flag_names():
    table = (ROOT / "server/app/options.def").read_text()
    names = re.findall(r'^X\(\w+, "([a-z-]+)"', table, re.MULTILINE)
    check(len(names) >= 10, f"the table was not read: {names}")
    return names


# ---- options ----------------------------------------------------------------------------------

@case
def every_flag_has_an_environment_variable():
    """Each variable alone does what its flag does; one that is empty does nothing."""
    certs = shared_certs()
    base = {"PATH": os.environ["PATH"], "VTSTATUSD_CERT": str(certs / "server.pem"),
            "VTSTATUSD_KEY": str(certs / "server-key.pem"), "VTSTATUSD_LISTEN": "127.0.0.1:0",
            **{name: value for name, value in os.environ.items() if name.endswith("_OPTIONS")}}
    wrong = {"CERT": "/none", "KEY": "/none", "LISTEN": "nowhere", "INSECURE_LISTEN": "nowhere",
             "CLIENT_CA": "/none", "THREADS": "none", "STORE": "none", "SIMULATE": "none",
             "LIMIT": "none", "LOG_LEVEL": "none", "LOG_FORMAT": "none",
             "ALLOW_ORIGIN": "nowhere", "NO_REFLECTION": "none"}
    equal({name.upper().replace("-", "_") for name in flag_names()}, set(wrong), "flags")
    for name, value in wrong.items():
        result = run(certs=False, env={**base, f"VTSTATUSD_{name}": value})
        equal(result.returncode, 2, f"{name}: {result.stderr}")
        check(value in result.stderr, f"{name}: {result.stderr}")
        check("--" not in result.stderr, f"{name} is not a flag: {result.stderr}")
    process = subprocess.Popen(
        [default_binary()], stderr=subprocess.PIPE, text=True,
        env={**base, "VTSTATUSD_LOG_FORMAT": "json", "VTSTATUSD_THREADS": "3",
             "VTSTATUSD_CLIENT_CA": "", "VTSTATUSD_LIMIT": "connections=77"})
    try:
        line = json.loads(process.stderr.readline())
        equal((line["threads"], line["connections_max"]), (3, 77))
    finally:
        process.terminate()
        process.communicate(timeout=WAIT_S)
    equal(process.returncode, 0)


@case
def a_flag_overrides_the_environment():
    env = {**os.environ, "VTSTATUSD_THREADS": "nonsense", "VTSTATUSD_SIMULATE": "delay=24h"}
    with Server("--threads", 1, env=env) as server:
        equal(server.log_lines()[0]["threads"], 1)
        equal(server.get("/status")[0], 200)


@case
def listening_on_names_and_ipv6():
    with Server(listen="[::1]:0") as server:
        equal(server.log_lines()[0]["address"], "::1")
        raw = socket.create_connection(("::1", server.port), timeout=WAIT_S)
        raw.close()
        check(not can_connect(server.port), "::1 listens on 127.0.0.1 too")
    with Server(listen="localhost:0") as server:
        check(server.log_lines()[0]["address"] in ("127.0.0.1", "::1"), server.raw_log()[0])
    with Server(listen="0.0.0.0:0") as server:
        equal(server.get("/healthz")[0], 200)


@case
def without_simulation_there_is_no_job():
    with Server() as server:
        equal(server.get("/status")[0], 404)
        equal(server.get("/readyz")[0], 200)


# ---- the log ----------------------------------------------------------------------------------

@case
def each_request_leaves_a_line_at_debug():
    with Server("--log-level", "debug", "--simulate", "delay=24h") as server:
        server.get("/status?secret=1")
        peer = h2(server)
        equal(peer.get(1, "/nothing", WAIT_S), 404)
        equal(peer.get(3, "/status/default", WAIT_S, method="HEAD"), 200)
        peer.close()
        line = server.wait_log(lambda line: line["msg"] == "request" and line["code"] == 200)
        equal((line["method"], line["path"], line["protocol"], line["level"]),
              ("GET", "/status", "http/1.1", "debug"))
        line = server.wait_log(lambda line: line["msg"] == "request" and line["code"] == 404)
        equal((line["method"], line["path"], line["protocol"]), ("GET", "/nothing", "h2"))
        line = server.wait_log(lambda line: line.get("method") == "HEAD")
        equal(line["path"], "/status/default")
        end = server.wait_log(lambda line: line["msg"] == "connection ended"
                              and line["protocol"] == "h2")
        equal((end["requests"], end["resets_received"], end["resets_sent"], end["glitches"],
               end["tls"], end["peer"]), (2, 0, 0, 0, "TLSv1.3", "127.0.0.1"))
        check(end["bytes_in"] > 0 and end["bytes_out"] > 0 and end["ms"] >= 0, end)
    check("secret" not in "".join(server.raw_log()), "a query is in the log")


@case
def no_request_leaves_a_line_at_info():
    with Server() as server:
        server.get("/healthz")
    equal({line["msg"] for line in server.log_lines()},
          {"listening", "connection ended", "stopped"})


@case
def the_text_format_is_for_people():
    process = subprocess.Popen([default_binary(), *CERT_FLAGS, "--listen", "127.0.0.1:0"],
                               stderr=subprocess.PIPE, text=True)
    line = process.stderr.readline()
    process.terminate()
    process.communicate(timeout=WAIT_S)
    check(re.match(r"\d{4}-\d\d-\d\dT\S+Z info +listening address=", line), line)


@case
def nothing_from_a_peer_breaks_a_log_line():
    """Raw bytes in a path: escaped, on one line, and cut at their limit."""
    paths = [b"/\x1b[31mred", b"/\r\nmsg", b'/","msg":"forged', b"/\xff\xfe\xc3\x28", b"/\x00\x01\x7f",
             "/☃/😀".encode(), b"/\xed\xa0\x80", b"/" + b"a" * 3000, b"/" + "ä".encode() * 1000,
             b"/back\\slash\\u0041", b"/\xf4\x90\x80\x80", b"/\xc0\x80"]
    with Server("--log-level", "debug") as server:
        for path in paths:
            send_odd_path(server, path)
        equal(server.get("/last")[0], 404)
        server.wait_log(lambda line: line.get("path") == "/last")
    requests = [line for line in server.log_lines() if line["msg"] == "request"]
    check(len(requests) >= 6, f"too few of the odd paths came to a line: {requests}")
    for raw in server.raw_log():
        check(all(ord(c) >= 0x20 and ord(c) != 0x7f for c in raw), f"control bytes: {raw!r}")
        line = json.loads(raw)
        check(line["msg"] in ("listening", "request", "connection ended", "stopped"), raw)
        check(len(line.get("path", "").encode("utf-8", "surrogatepass")) < 1600, "not cut")


def send_odd_path(server, path):
    peer = h2(server)
    peer.send(h2_raw.headers(1, h2_raw.request(path)))
    peer.wait(lambda: 1 in peer.done or 1 in peer.resets, WAIT_S)
    peer.close()
    with server.connect() as plain:
        plain.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        try:
            while plain.recv(4096):
                pass
        except ssl.SSLError:
            pass


@case
def a_flood_of_lines_is_bounded_and_counted():
    """Ten lines of a kind a second; the next one tells how many were left out."""
    with Server() as server:
        for _ in range(60):
            server.connect().close()
        wait_until(lambda: server.metrics()["vts_connections_closed_total"] >= 60, "they left",
                   timeout=WAIT_S)
    ends = [line for line in server.log_lines() if line["msg"] == "connection ended"]
    told = len(ends) + sum(line.get("left_out", 0) for line in ends)
    seconds = len({line["time"][:19] for line in ends})
    check(len(ends) <= 10 * (seconds + 1), f"{len(ends)} lines in {seconds} s")
    check(told <= 200, f"more told than happened: {told}")
    check(len(ends) >= 10, "too few")


# ---- the simulated job ------------------------------------------------------------------------

def watch(server):
    """(revision, phase, percent, word) of every revision from now on until the job is done, and the
    last status."""
    connection = http.client.HTTPSConnection("localhost", server.port, timeout=WAIT_S,
                                             context=client_context(server.certs))
    try:
        connection.request("GET", "/status", headers={"Accept": "text/event-stream"})
        events = connection.getresponse().read().decode()
    finally:
        connection.close()
    bodies = [json.loads(text) for text in re.findall("^data: (.*)$", events, re.MULTILINE)]
    seen = []
    for body in bodies:
        progress = body.get("progress", {})
        seen.append((int(body["revision"]), progress.get("phase"), progress.get("percent", 0),
                     body["status"]))
    check(bodies and bodies[-1].get("done"), f"the job does not end: {seen[-3:]}")
    return seen, bodies[-1]


def watch_together(servers):
    """What watch() gives of each, all at the same time."""
    results = [None] * len(servers)

    def follow(index):
        results[index] = watch(servers[index])

    threads = [threading.Thread(target=follow, args=(i,)) for i in range(len(servers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@case
@with_more_time
def the_same_seed_gives_the_same_run(scale):
    flags = f"delay={scale}s,error_rate=1,seed="
    with Server("--simulate", flags + "5") as one, Server("--simulate", flags + "5") as two, \
            Server("--simulate", flags + "6") as another:
        results = watch_together([one, two, another])
    first, second, other = ({mark[0]: mark[1:] for mark in seen} for seen, _ in results)
    # A revision may be missed; those that were seen of both are the same.
    both = set(first) & set(second)
    check(len(both) >= 5, f"too little in common: {sorted(first)} and {sorted(second)}")
    equal({revision: first[revision] for revision in both},
          {revision: second[revision] for revision in both}, "two runs of one seed")
    last1, last2 = results[0][1], results[1][1]
    equal((last1["revision"], last1["error"]), (last2["revision"], last2["error"]), "the end")
    both = set(first) & set(other)
    check(any(first[revision] != other[revision] for revision in both), "the seed changes nothing")


@case
@with_more_time
def progress_never_falls_and_revisions_count(scale):
    with Server("--simulate", f"delay={scale}s,error_rate=0,seed=11") as server:
        seen, last = watch(server)
    revisions = [mark[0] for mark in seen]
    equal(revisions, sorted(set(revisions)), "revisions")
    percents = [mark[2] for mark in seen]
    equal(percents, sorted(percents), "percents")
    order = ["download", "transcribe", "translate", "synthesize", "encode", "upload"]
    phases = [order.index(mark[1]) for mark in seen if mark[1]]
    equal(phases, sorted(phases), "phases")
    equal(len(set(phases)) >= 4, True, f"phases seen: {phases}")
    equal((last["status"], last["done"], last["state"]), ("completed", True, "succeeded"))
    equal(last["progress"]["percent"], 100)
    check("pollAfter" not in last, "a hint on what is done")
    check(last["outputUri"], "no result")


@case
def error_rate_decides():
    with Server("--simulate", "delay=300ms,error_rate=1") as server:
        _, last = watch(server)
    equal((last["status"], last["state"]), ("error", "failed"))
    check(last["error"]["message"] and last["error"]["code"], last)
    check("outputUri" not in last and "pollAfter" not in last, last)
    outcomes = set()
    for seed in range(1, 12):
        with Server("--simulate", f"delay=0s,error_rate=0.5,seed={seed}") as server:
            outcomes.add(json.loads(server.get("/status")[2])["status"])
    equal(outcomes, {"completed", "error"})


# ---- descriptors and caps ---------------------------------------------------------------------

def few_files(count):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


def flood(port, count):
    """count TCP connections, without a word on them."""
    return [socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) for _ in range(count)]


def answers(sockets, certs, limit):
    """How many of the first `limit` sockets get through a TLS handshake and a request."""
    context = ssl.create_default_context(cafile=str(certs / "ca.pem"))
    good = 0
    for raw in sockets[:limit]:
        with context.wrap_socket(raw, server_hostname="localhost") as one:
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            good += b"200 OK" in one.recv(4096)
    return good


@case
def running_out_of_descriptors_harms_nobody_for_long():
    # One loop: each has a queue of its own, and which is served first is not ours to say.
    with Server("--threads", 1, "--limit", "handshakes=100000,handshake_ms=60000",
                preexec_fn=few_files(256)) as server:
        cap = server.log_lines()[0]["connections_max"]
        check(100 <= cap < 256, f"the cap is {cap} with 256 descriptors")
        sockets = flood(server.port, 600)
        wait_until(lambda: open_files(server) >= cap, "the cap is reached", timeout=WAIT_S)
        check(open_files(server) < 256, "no descriptor is left")
        # Waiting must not cost: a second of the server's life, measured by its own clock.
        start_cpu, start = server.cpu_seconds(), time.monotonic()
        wait_until(lambda: time.monotonic() - start > 1, "a second", poll_s=0.1)
        spent = server.cpu_seconds() - start_cpu
        check(spent < 0.3, f"{spent:.2f} s of CPU in a second of waiting")
        equal(answers(sockets, server.certs, 150), 150, "of the first 150 are served")
        for one in sockets:
            one.close()
        for _ in range(20):
            equal(server.get("/healthz")[0], 200)
        metrics = server.metrics()
        check(metrics['vts_limit_hits_total{limit="connections"}'] >= 1, "the cap is not counted")
        equal(metrics["vts_accept_errors_total"], 0, "the cap is meant to come first")


@case
def running_out_of_descriptors_unawares_recovers():
    """The limit falls while it runs, so that accept() itself fails."""
    with Server("--threads", 1) as server:
        limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (60, limits[1]))
        sockets = flood(server.port, 100)
        wait_until(lambda: open_files(server) >= 60, "all are in use", timeout=WAIT_S)
        start_cpu, start = server.cpu_seconds(), time.monotonic()
        wait_until(lambda: time.monotonic() - start > 1, "a second", poll_s=0.1)
        spent = server.cpu_seconds() - start_cpu
        check(spent < 0.3, f"{spent:.2f} s of CPU in a second of waiting")
        equal(answers(sockets, server.certs, 20), 20, "of the first 20 are served")
        for one in sockets:
            one.close()
        for _ in range(20):
            equal(server.get("/healthz")[0], 200)
        check(server.metrics()["vts_accept_errors_total"] >= 1, "the failure is not counted")


def open_files(server):
    return len(os.listdir(f"/proc/{server.pid}/fd"))


@case
def the_connection_cap_pauses_and_resumes():
    with Server("--limit", "connections=20", "--threads", 2) as server:
        held = [server.connect() for _ in range(18)]
        waiting = flood(server.port, 10)
        for one in held:
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            check(b"200 OK" in one.recv(4096), "a connection below the cap is not served")
        files_now = open_files(server)
        for one in held:
            one.close()
        # Those that waited in the kernel's queue are served now.
        equal(answers(waiting, server.certs, 10), 10)
        equal(server.get("/healthz")[0], 200)
        check(files_now < 20 + 40, f"{files_now} descriptors with a cap of 20")
        check(server.metrics()['vts_limit_hits_total{limit="connections"}'] >= 1, "not counted")


@case
def starting_is_quick():
    """Printed, not judged: a machine under load is slow."""
    start = time.monotonic()
    with Server():
        print(f"     listening after {(time.monotonic() - start) * 1000:.0f} ms")


def run_all():
    global CERT_FLAGS, odd
    certs = shared_certs()
    CERT_FLAGS = ("--cert", str(certs / "server.pem"), "--key", str(certs / "server-key.pem"))
    odd = scratch_folder()
    subprocess.run([ROOT / "tests/support/make_odd_certs.sh", odd], check=True)
    main(__file__)


run_all()
