#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vts-conformance-server, as the runner of the Connect conformance suite drives its servers under
test (https://github.com/connectrpc/conformance).

A server of its own serves each combination of protocol, HTTP version, TLS and message limit; all
cases run in it, most of them in every codec and compression. What is expected follows from each
request's own response definition.

Usage: interop_conformance.py [WORD...] runs the cases whose names have one of the words, such as
"connect/HTTP:1" or "timeouts/"; -v prints those that pass, too.
"""
import concurrent.futures
import dataclasses
import itertools
import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path

import peers  # finds the modules of tests/support
from cases import check, equal
import conformance_cases  # noqa: F401
import conformance_wrong  # noqa: F401
from conformance_messages import MESSAGES
from conformance_talk import CASES, Scene
from http_client import Http1, Http2
from rpc_client import PROTOCOLS
from vts_server import WAIT_S, scratch_folder

SERVER = os.environ.get("VTS_CONFORMANCE_SERVER") or str(
    peers.ROOT / "build/dev/tests/vts-conformance-server")
LIMIT = 200 * 1024
AT_ONCE = 8  # servers, which mostly wait

# gRPC over HTTP/1.1 is there to be refused.
PROTOCOL_NAMES, VERSIONS, IDENTITIES, LIMITS = tuple(PROTOCOLS), (1, 2), ("TLS", "mTLS"), (0, LIMIT)
CODECS, COMPRESSIONS = ("proto", "json"), ("identity", "gzip")


# ---- servers ------------------------------------------------------------------------------------

class Credentials:
    """Certificates that sign themselves, as the suite makes them: a server's, and two clients'."""

    def __init__(self):
        self.folder = scratch_folder()
        for name in ("server", "client", "stranger"):
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", f"/CN={name}",
                 "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                 "-keyout", self.key(name), "-out", self.cert(name)],
                check=True, stderr=subprocess.DEVNULL)

    def cert(self, name):
        return self.folder / f"{name}.pem"

    def key(self, name):
        return self.folder / f"{name}-key.pem"

    def identity(self, name):
        return self.cert(name), self.key(name)


class Server:
    """A server under test, told what to serve. closes_stdin: at once, as the suite does."""

    def __init__(self, credentials, protocol="connect", version=2, is_mutual=False, limit=0,
                 closes_stdin=True):
        request = MESSAGES["ServerCompatRequest"](
            protocol=PROTOCOL_NAMES.index(protocol) + 1, http_version=version, use_tls=True,
            message_receive_limit=limit)
        request.server_creds.cert = credentials.cert("server").read_bytes()
        request.server_creds.key = credentials.key("server").read_bytes()
        if is_mutual:
            request.client_tls_cert = credentials.cert("client").read_bytes()
        self.process = subprocess.Popen([SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        try:
            self.process.stdin.write(delimit(request.SerializeToString()))
            self.process.stdin.flush()
            if closes_stdin:
                self.process.stdin.close()
            length = int.from_bytes(self.process.stdout.read(4), "big")
            raw = self.process.stdout.read(length)
            equal(len(raw), length, "the length of the response")
            response = MESSAGES["ServerCompatResponse"].FromString(raw)
            equal(response.host, "127.0.0.1", "host")
            equal(response.pem_cert, request.server_creds.cert, "pem_cert")
            self.port = response.port
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def stop(self, by_stdin=False):
        """Ends it; it must end well, and its stderr must be nothing but its log."""
        if by_stdin:
            self.process.stdin.close()
        else:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"the server did not end within {WAIT_S} s") from None
        said = self.process.stderr.read().decode()
        for line in said.splitlines():
            check(line.startswith("{"), f"the server said: {said}")
            json.loads(line)
        equal(code, 0, f"the exit code; the server said: {said}")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


def delimit(message):
    return len(message).to_bytes(4, "big") + message


# ---- running ------------------------------------------------------------------------------------

@dataclasses.dataclass
class Combination:
    protocol: str
    version: int
    identity: str
    limit: int

    def __str__(self):
        return (f"{self.protocol}/HTTP:{self.version}/{self.identity}/"
                f"limit:{self.limit or 'none'}")


COMBINATIONS = [Combination(*row) for row in itertools.product(PROTOCOL_NAMES, VERSIONS, IDENTITIES,
                                                               LIMITS)]


def cut(text, most=400):
    return text if len(text) <= most else text[:most] + "..."


class Tally:
    def __init__(self):
        self.words = [word for word in sys.argv[1:] if word != "-v"]
        self.is_loud, self.counts = "-v" in sys.argv[1:], {}

    def wants(self, name):
        return not self.words or any(word in name for word in self.words)

    def run(self, group, name, function):
        """Counts for the group what comes of it."""
        passed, failed = self.counts.get(group, (0, 0))
        try:
            function()
        except Exception as error:  # whatever it is, the other cases shall run
            frames = traceback.extract_tb(error.__traceback__)
            where = [frame for frame in frames if not frame.filename.endswith("/cases.py")][-1]
            print(f"FAIL {name}: {cut(repr(error))} ({Path(where.filename).name}:{where.lineno})",
                  flush=True)
            self.counts[group] = passed, failed + 1
            return
        if self.is_loud:
            print(f"ok   {name}", flush=True)
        self.counts[group] = passed + 1, failed

    def add(self, other):
        for group, (passed, failed) in other.counts.items():
            before = self.counts.get(group, (0, 0))
            self.counts[group] = before[0] + passed, before[1] + failed


def scenes_of(combination):
    """Every codec and compression in which the combination's cases run."""
    return [Scene(PROTOCOLS[combination.protocol], combination.version, combination.limit, *row)
            for row in itertools.product(CODECS, COMPRESSIONS)]


def cases_of(combination, tally):
    for scene, one in itertools.product(scenes_of(combination), CASES):
        name = f"{combination}/{scene.codec}/{scene.compression}/{one.name}"
        if one.applies(scene) and tally.wants(name):
            yield scene, one, name


def run_combination(combination, credentials):
    tally = Tally()
    chosen = list(cases_of(combination, tally))
    if not chosen:
        return tally
    is_mutual = combination.identity == "mTLS"
    try:
        server = Server(credentials, combination.protocol, combination.version, is_mutual,
                        combination.limit)
    except (AssertionError, OSError) as error:
        print(f"FAIL {combination}: the server did not start: {error}", flush=True)
        tally.counts[combination.protocol] = 0, len(chosen)
        return tally
    connect = {1: Http1, 2: Http2}[combination.version]
    identity = credentials.identity("client") if is_mutual else None

    def open_connection():
        return connect(server.port, credentials.cert("server"), identity)

    http = open_connection()
    for scene, one, name in chosen:
        scene.http = http
        before = tally.counts.get(combination.protocol, (0, 0))[1]
        tally.run(combination.protocol, name, lambda: one.run(scene))
        if tally.counts[combination.protocol][1] > before:  # what it is good for now, nobody knows
            http.close()
            http = open_connection()
    http.close()
    tally.run(combination.protocol, f"{combination}/server-ends-well", server.stop)
    server.close()
    return tally


# ---- what is no call ----------------------------------------------------------------------------

def get_is_answered(port, credentials, identity=None):
    with Http2(port, credentials.cert("server"), identity) as http:
        equal(http.ask("GET", "/nowhere", []).status, 404, "the status of a page that is nowhere")


def server_runs_after_stdin_has_closed(credentials):
    server = Server(credentials)
    get_is_answered(server.port, credentials)
    server.stop()
    server.close()


def server_ends_when_stdin_closes(credentials):
    server = Server(credentials, closes_stdin=False)
    get_is_answered(server.port, credentials)
    server.stop(by_stdin=True)
    server.close()


def client_certificate_is_needed(credentials):
    server = Server(credentials, is_mutual=True)
    get_is_answered(server.port, credentials, credentials.identity("client"))
    for identity in (None, credentials.identity("stranger")):
        try:
            get_is_answered(server.port, credentials, identity)
        except AssertionError as error:
            check("CERTIFICATE" in str(error) or "ALERT" in str(error) or "CA" in str(error),
                  f"refused, but not by TLS: {error}")
        else:
            raise AssertionError("a client was let in that should not be")
    server.stop()
    server.close()


def request_that_cannot_be_served_is_refused(credentials):
    plain = MESSAGES["ServerCompatRequest"](http_version=2)
    broken = MESSAGES["ServerCompatRequest"](http_version=2, use_tls=True)
    broken.server_creds.cert = credentials.cert("server").read_bytes()
    broken.server_creds.key = credentials.key("client").read_bytes()
    for raw in (b"", b"\0\0\0\5abc", b"\xff\xff\xff\xff", delimit(b"\xff"),
                delimit(plain.SerializeToString()), delimit(broken.SerializeToString())):
        done = subprocess.run([SERVER], input=raw, capture_output=True, timeout=WAIT_S, check=False)
        equal(done.returncode, 1, f"the exit code for {raw[:20]}")
        equal(done.stdout, b"", "stdout")
        equal(len(done.stderr.splitlines()), 1, f"lines of {done.stderr}")


def arguments_are_refused(_credentials):
    done = subprocess.run([SERVER, "--port=1"], capture_output=True, timeout=WAIT_S, check=False)
    equal((done.returncode, len(done.stderr.splitlines())), (2, 1), "exit code and lines")


PROGRAM_CASES = (server_runs_after_stdin_has_closed, server_ends_when_stdin_closes,
                 client_certificate_is_needed, request_that_cannot_be_served_is_refused,
                 arguments_are_refused)


def main():
    credentials, tally = Credentials(), Tally()
    for one in PROGRAM_CASES:
        name = f"program/{one.__name__}"
        if tally.wants(name):
            tally.run("program", name, lambda: one(credentials))
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for done in pool.map(lambda one: run_combination(one, credentials), COMBINATIONS):
            tally.add(done)
    for group, (passed, failed) in tally.counts.items():
        print(f"{group}: {passed} passed, {failed} failed")
    passed, failed = (sum(counts) for counts in zip((0, 0), *tally.counts.values()))
    print(f"interop_conformance: {passed} passed, {failed} failed", flush=True)
    sys.exit(0 if passed and not failed else os.EX_SOFTWARE)


main()
