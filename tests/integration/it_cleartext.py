#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vtstatusd --insecure-listen: both HTTPs and every dialect without TLS, beside the port with TLS,
and on loopback only.

Exit code 77: there is no python3-grpcio.
"""
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import h2_raw  # noqa: E402
from cases import case, check, equal, main  # noqa: E402
from command import expect, vtstatus  # noqa: E402
from vts_server import (  # noqa: E402
    WAIT_S, Server, default_binary, read_to_end, shared_certs)

try:
    from jobs_client import CLASSES, Jobs, message
except ImportError:
    print("skipped: there is no python3-grpcio or no python3-protobuf")
    sys.exit(77)

INSECURE = ("--insecure-listen", "127.0.0.1:0")
CERTS = ("--cert", shared_certs() / "server.pem", "--key", shared_certs() / "server-key.pem")
VERSIONS = (("--http2-prior-knowledge", "2"), ("--http1.1", "1.1"))
STATUS_SERVICE = "/vtstatus.v1.StatusService/"
ASK = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def url(server):
    return f"http://127.0.0.1:{server.insecure_port}"


def curl(server, path, *arguments, body=None):
    """(code, version, body)."""
    result = subprocess.run(
        ["curl", "-sS", "--max-time", str(WAIT_S), "--noproxy", "*",
         "-w", "\n%{http_code} %{http_version}", *arguments, url(server) + path],
        input=body or b"", capture_output=True, check=False)
    equal(result.returncode, 0, f"curl {path} {arguments}: {result.stderr.decode()}")
    body, _, marks = result.stdout.rpartition(b"\n")
    code, version = marks.decode().split()
    return int(code), version, body


def command(server, *arguments):
    """The command, which is told nothing but the URL."""
    return vtstatus(None, "--url", url(server), *arguments)


def connect(server, **more):
    """A socket to the port without TLS."""
    raw = socket.create_connection(("127.0.0.1", server.insecure_port), timeout=WAIT_S, **more)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return raw


def h2(server, is_insecure=True):
    peer = h2_raw.H2(server.insecure_port if is_insecure else server.port,
                     None if is_insecure else server.certs, timeout=WAIT_S)
    check(peer.wait(lambda: peer.has_ack and peer.peer_settings, WAIT_S), "no SETTINGS came")
    return peer


def watch(jobs, job_id):
    """The news of WatchStatuses."""
    call = jobs.channel.unary_stream(
        STATUS_SERVICE + "WatchStatuses",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=CLASSES["vtstatus.v1.WatchStatusesResponse"].FromString)
    cursor = message("vtstatus.v1.JobCursor", job_id=job_id)
    return call(message("vtstatus.v1.WatchStatusesRequest", jobs=[cursor]), timeout=WAIT_S)


def read_until(raw, words):
    got = b""
    while words not in got:
        part = raw.recv(4096)
        check(part, f"it ended without {words}: {got}")
        got += part


def hits(server, limit):
    return server.metrics()[f'vts_limit_hits_total{{limit="{limit}"}}']


# ---- what is spoken ---------------------------------------------------------------------------

@case
def both_versions_are_told_apart():
    with Server(*INSECURE, "--simulate", "delay=24h") as server:
        for flag, number in VERSIONS:
            for path in ("/status", "/status/default", "/healthz", "/readyz", "/metrics"):
                equal(curl(server, path, flag)[:2], (200, number), f"{flag} {path}")
            equal(json.loads(curl(server, "/status", flag)[2])["jobId"], "default", flag)
            equal(curl(server, "/status/unknown", flag)[:2], (404, number), flag)
        # What asks to be upgraded is answered by the version it came with (RFC 9113 3.1).
        equal(curl(server, "/healthz", "--http2")[:2], (200, "1.1"), "an upgrade")


@case
def events_come_to_the_end_of_a_job():
    for flag, number in VERSIONS:
        with Server(*INSECURE, "--simulate", "delay=1s,error_rate=0") as server:
            code, version, body = curl(server, "/status", flag, "-H", "Accept: text/event-stream")
            equal((code, version), (200, number), flag)
            check(b"event: done\n" in body and b'"status":"completed"' in body, body[-500:])


@case
def a_request_is_held_until_there_is_news():
    for flag, number in VERSIONS:
        with Server(*INSECURE, "--simulate", "delay=1s,error_rate=0") as server:
            code, version, body = curl(server, "/status", flag, "-H", "Prefer: wait=60")
            equal((code, version), (200, number), flag)
            equal(json.loads(body)["status"], "completed", flag)


@case
def every_dialect_reads_a_status():
    grpc_web = ("-H", "Content-Type: application/grpc-web+proto", "--data-binary", "@-")
    connect_json = ("-H", "Content-Type: application/json", "--data-binary", "@-")
    with Server(*INSECURE, "--simulate", "delay=24h") as server:
        for flag, number in VERSIONS:
            code, version, body = curl(server, STATUS_SERVICE + "GetStatus", flag, *connect_json,
                                       body=b"{}")
            equal((code, version), (200, number), flag)
            equal(json.loads(body)["status"]["jobId"], "default", flag)
            code, version, body = curl(server, STATUS_SERVICE + "GetStatus", flag, *grpc_web,
                                       body=bytes(5))
            equal((code, version), (200, number), flag)
            check(b"default" in body and b"grpc-status: 0" in body.lower().replace(b":0", b": 0"),
                  body)


@case
def stock_grpc_works_with_insecure_credentials():
    with Server(*INSECURE) as server, Jobs(server, is_insecure=True) as jobs:
        jobs.create(job_id="a")
        equal(jobs.status(job_id="a").status.job_id, "a")
        news = watch(jobs, "a")
        check(not next(news).status.done, "it is done before anybody worked on it")
        leased = jobs.lease(worker_id="w").lease
        jobs.complete(job_id="a", token=leased.token)
        equal([one.status.done for one in news][-1], True)


@case
def a_large_answer_is_whole_for_a_slow_reader():
    count = 300
    with Server(*INSECURE) as server, socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(WAIT_S)
        raw.connect(("127.0.0.1", server.insecure_port))
        ask = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
        raw.sendall((count - 1) * ask + ask.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        answers = read_to_end(raw)
        equal(answers.count(b"HTTP/1.1 200 OK\r\n"), count)
        equal(answers.count(b"# HELP vts_connections_total "), count)
        equal(answers.count(b"# TYPE vts_connections_total "), count)


# ---- the command ------------------------------------------------------------------------------

@case
def the_command_reads_and_waits_in_every_mode():
    with Server(*INSECURE, "--simulate", "delay=24h") as server:
        expect(command(server, "health"), 0)
        check("default" in command(server, "get").stdout, "no status")
    for words in (("poll",), ("watch", "--mode", "watch"), ("watch", "--mode", "long-poll"),
                  ("watch", "--mode", "poll"), ("watch", "--mode", "auto")):
        with Server(*INSECURE, "--simulate", "delay=1s,error_rate=0") as server:
            result = command(server, *words, "-o", "json", "default")
            expect(result, 0)
            equal(json.loads(result.stdout.splitlines()[-1])["status"], "completed", str(words))


@case
def the_command_submits_works_and_calls():
    with Server(*INSECURE) as server:
        expect(command(server, "submit", "--to", "de", "--job-id", "a", "file:///in.mp4"), 0)
        expect(command(server, "work", "--until-idle", "--", "sh", "-c", "exit 0"), 0)
        result = command(server, "call", "vtstatus.v1.StatusService/GetStatus",
                         "--data", '{"jobId":"a"}')
        expect(result, 0)
        equal(json.loads(result.stdout)["status"]["status"], "STATUS_COMPLETED")
        check("a" in command(server, "list").stdout, "no list")
        expect(command(server, "delete", "a"), 0)
        equal(command(server, "get", "a").returncode, 5, "not found")


# ---- two ports, one server --------------------------------------------------------------------

@case
def both_ports_have_the_same_jobs():
    with Server(*INSECURE) as server, Jobs(server) as secure, \
            Jobs(server, is_insecure=True) as insecure:
        insecure.create(job_id="a")
        equal(secure.status(job_id="a").status.job_id, "a")
        news = watch(insecure, "a")
        check(not next(news).status.done, "it is done before anybody worked on it")
        leased = secure.lease(worker_id="w").lease
        secure.complete(job_id="a", token=leased.token)
        equal([one.status.done for one in news][-1], True)
        before = server.metrics()
        equal(curl(server, "/healthz", "--http1.1")[0], 200)
        after = server.metrics()
        equal(after["vts_tls_handshakes_total"] - before["vts_tls_handshakes_total"], 1,
              "handshakes: that of reading the metrics")
        equal(after["vts_connections_total"] - before["vts_connections_total"], 2, "connections")
        line = server.wait_log(lambda line: line.get("tls") == "none")
        equal(line["peer"], "127.0.0.1")


@case
def the_line_that_says_where_it_listens_says_both():
    with Server(*INSECURE) as server:
        line = server.wait_log(lambda line: line.get("msg") == "listening")
        equal((line["address"], line["insecure_address"]), ("127.0.0.1", "127.0.0.1"))
        check(line["port"] != line["insecure_port"] > 0, str(line))
    with Server() as server:
        line = server.wait_log(lambda line: line.get("msg") == "listening")
        check("insecure_port" not in line, "it listens unasked")


@case
def term_ends_both_ports():
    server = Server(*INSECURE, "--simulate", "delay=24h")
    peers = [h2(server), h2(server, is_insecure=False)]
    for peer in peers:
        equal(peer.get(1, "/healthz", WAIT_S), 200)
    silent = connect(server)
    plain = connect(server)
    plain.sendall(ASK)
    check(b"200 OK" in plain.recv(4096), "no answer")
    events = connect(server)
    events.sendall(ASK.replace(b"/healthz", b"/status").replace(
        b"\r\n\r\n", b"\r\nAccept: text/event-stream\r\n\r\n"))
    read_until(events, b"data:")
    server.send_signal(signal.SIGTERM)
    for peer in peers:
        check(peer.wait_end(WAIT_S), "a connection stays")
        equal(peer.goaway, (1, h2_raw.NO_ERROR, ""), "GOAWAY")
    for raw in (silent, plain):
        equal(raw.recv(4096), b"", "an idle connection's end")
        raw.close()
    check(read_to_end(events).endswith(b"0\r\n\r\n"), "the events were cut off")
    events.close()
    server.stop()
    for port in (server.port, server.insecure_port):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            continue
        raise AssertionError(f"somebody still listens on {port}")


# ---- refusals at the start --------------------------------------------------------------------

def refused(code, *words, flags=(), env=None):
    result = subprocess.run([default_binary(), *map(str, CERTS), "--listen", "127.0.0.1:0",
                             *map(str, flags)], capture_output=True, text=True, timeout=WAIT_S,
                            check=False, env=env)
    equal(result.returncode, code, f"{flags}: {result.stderr}")
    lines = result.stderr.splitlines()
    equal(len(lines), 1, f"{flags}: {result.stderr}")
    for word in words:
        check(word in lines[0], f"{flags}: no {word!r} in {lines[0]}")


@case
def what_is_not_loopback_is_refused():
    for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[2001:db8::1]:0", "[::ffff:192.0.2.1]:0",
                    "10.0.0.1:5001", "128.0.0.1:0", "126.255.255.255:0"):
        refused(2, f'--insecure-listen: "{address}"', "outside this machine", "127.0.0.1:PORT",
                flags=("--insecure-listen", address))
    refused(2, 'VTSTATUSD_INSECURE_LISTEN: "0.0.0.0:0"', "outside this machine",
            env={**os.environ, "VTSTATUSD_INSECURE_LISTEN": "0.0.0.0:0"})
    for address in ("5001", "127.0.0.1", "localhost:", "none"):
        refused(2, "is no ADDRESS:PORT", flags=("--insecure-listen", address))


@case
def each_form_of_loopback_is_taken():
    for address in ("localhost:0", "127.0.0.1:0", "127.1.2.3:0", "[::1]:0"):
        with Server("--insecure-listen", address) as server:
            line = server.wait_log(lambda line: line.get("msg") == "listening")
            host = line["insecure_address"]
            with socket.create_connection((host, server.insecure_port), timeout=WAIT_S) as raw:
                raw.sendall(ASK)
                check(raw.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n"), address)


@case
def client_certificates_and_no_tls_do_not_go_together():
    refused(2, "--insecure-listen", "--client-ca", "anybody on this machine",
            flags=(*INSECURE, "--client-ca", shared_certs() / "ca.pem"))


@case
def a_port_in_use_is_refused():
    with Server(*INSECURE) as server:
        for port in (server.port, server.insecure_port):
            refused(1, f"port {port} of 127.0.0.1 is already in use", "with --insecure-listen",
                    flags=("--insecure-listen", f"127.0.0.1:{port}"))
            refused(1, f"port {port} of 127.0.0.1 is already in use", "with --listen",
                    flags=("--listen", f"127.0.0.1:{port}"))
        equal(curl(server, "/healthz")[0], 200)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    both = f"127.0.0.1:{port}"
    refused(1, "already in use", "with --insecure-listen",
            flags=("--listen", both, "--insecure-listen", both))


# ---- peers that say something else, or nothing ------------------------------------------------

@case
def who_says_nothing_has_the_preface_time():
    with Server(*INSECURE, "--limit", "preface_ms=300") as server:
        for begun in (b"", b"P", h2_raw.PREFACE[:-1]):
            before = hits(server, "preface_ms")
            start = len(server.raw_log())
            with connect(server) as raw:
                raw.sendall(begun)
                equal(raw.recv(4096), b"", "the end")
            line = server.wait_log(lambda line: line.get("reason") == "preface_ms", start=start)
            equal((line["protocol"], line["tls"]), ("none", "none"))
            equal(hits(server, "preface_ms") - before, 1, str(begun))
        equal(hits(server, "handshake_ms"), 0)


@case
def who_wants_tls_is_told_at_once():
    with Server(*INSECURE) as server:
        context = ssl.create_default_context(cafile=str(server.certs / "ca.pem"))
        with connect(server) as raw:
            try:
                context.wrap_socket(raw, server_hostname="localhost")
            except (ssl.SSLError, ConnectionResetError):
                pass
            else:
                raise AssertionError("a handshake where there is no TLS")
        server.wait_log(lambda line: line.get("reason") == "TLS where there is none")
        equal(curl(server, "/healthz")[0], 200)


@case
def garbage_ends_the_connection():
    with Server(*INSECURE) as server:
        for garbage in (b"\0", b"\xff" * 100, b"\x80\x0d\x0a", bytes(range(32)) * 100):
            with connect(server) as raw:
                raw.sendall(garbage)
                try:
                    equal(raw.recv(4096), b"", str(garbage[:10]))
                except ConnectionResetError:
                    pass  # there was more of it than was read
        for words in (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r?", b"hello\r\n\r\n", b"GET\r\n\r\n"):
            with connect(server) as raw:
                raw.sendall(words)
                answer = read_to_end(raw)
                check(answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5")), f"{words}: {answer}")
        equal(curl(server, "/healthz")[0], 200)


@case
def the_other_port_still_wants_tls():
    with Server(*INSECURE) as server:
        for ask in (ASK, h2_raw.PREFACE + h2_raw.settings()):
            with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as raw:
                raw.sendall(ask)
                try:
                    answer = read_to_end(raw)
                except ConnectionResetError:
                    answer = b""
                check(not answer.startswith(b"HTTP") and len(answer) < 10, answer)
        equal(server.get("/healthz")[0], 200)


@case
def silent_handshakes_do_not_keep_those_without_tls_waiting():
    with Server(*INSECURE, "--threads", "1", "--limit", "handshakes=1,handshake_ms=60000") as server:
        held = []
        try:
            for _ in range(3):
                raw = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S)
                raw.sendall(b"\x16")  # it has said something, so it is given three seconds
                held.append(raw)
            for _ in range(20):
                equal(curl(server, "/healthz")[0], 200)
        finally:
            for raw in held:
                raw.close()


@case
def connections_of_both_ports_have_one_cap():
    with Server(*INSECURE, "--threads", "1", "--limit", "connections=3") as server:
        held = [connect(server), connect(server)]
        for raw in held:
            raw.sendall(ASK)
            check(b"200 OK" in raw.recv(4096), "no answer")
        # The third makes it full; a fourth waits until there is room.
        full = server.connect()
        waiting = connect(server)
        waiting.sendall(ASK)
        full.sendall(ASK)
        check(b"200 OK" in full.recv(4096), "no answer")
        held.pop().close()
        check(b"200 OK" in waiting.recv(4096), "it was forgotten")
        for raw in (*held, full, waiting):
            raw.close()
        equal(hits(server, "connections") > 0, True)


main(__file__)
