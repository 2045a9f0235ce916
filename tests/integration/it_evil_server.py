#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The vtstatus command against servers that lie, break off, flood and stall.

Usage: it_evil_server.py VTSTATUS MAKE_DEV_CERTS

Each case is a server of one answer on a loopback port, and what the command must make of it: exit
status, words on stderr, time, memory, and no control byte from the server on either stream.
"""
import concurrent.futures
import os
import re
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import warnings

VTSTATUS, MAKE_CERTS = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
MAX_MEMORY_KIB = (400 if os.environ.get("VTS_SANITIZED") else 48) * 1024
# No deadline here is later than 3 s, but a machine may be busy. What waits on is far beyond.
MAX_SECONDS = 25
PENDING, COMPLETED = 1, 2
RUNNING, SUCCEEDED = 2, 4

failures, passes = [], []  # their names
certs = None


# ---- bytes ------------------------------------------------------------------------------------

def varint(number):
    out = b""
    while number > 0x7f:
        out += bytes([number & 0x7f | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def status(value=PENDING, revision=1, state=RUNNING, job=b"default", poll_after=None, phase=b"",
           error=b""):
    body = field(1, job) + field(2, value) + field(4, revision) + field(6, state)
    if value != PENDING:
        body += field(3, 1)
    if poll_after is not None:
        body += field(5, field(1, poll_after))
    if phase:
        body += field(7, field(2, phase))
    if error:
        body += field(8, field(1, 13) + field(2, error))
    return body


DONE = status(COMPLETED, 9, SUCCEEDED)


def answer(body=b"", code="200 OK", kind="application/x-protobuf", headers=(), length=None):
    head = [f"HTTP/1.1 {code}", f"Content-Length: {len(body) if length is None else length}"]
    if kind:
        head.append(f"Content-Type: {kind}")
    return "\r\n".join([*head, *headers, "", ""]).encode() + body


# ---- servers ----------------------------------------------------------------------------------

def tls_context(cert="server", **changes):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{certs}/{cert}.pem", f"{certs}/{cert}-key.pem")
    for name, value in changes.items():
        setattr(context, name, value)
    return context


def linger(connection):
    """Reads on until the client closes: closing with bytes unread would take our last ones back."""
    try:
        connection.settimeout(1)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
    except OSError:
        pass


class Server:
    """Accepts until closed; serve(connection, server) runs in a thread for each connection."""

    def __init__(self, serve, context):
        self.serve, self.context = serve, context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.requests, self.connections, self.closing = [], 0, threading.Event()
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def accept(self):
        while not self.closing.is_set():
            if not select.select([self.listener], [], [], 0.05)[0]:
                continue
            connection, _ = self.listener.accept()
            self.connections += 1
            thread = threading.Thread(target=self.run, args=(connection,))
            self.threads.append(thread)
            thread.start()

    def run(self, connection):
        connection.settimeout(10)
        raw = connection.dup()
        try:
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            self.serve(connection, self)
        except ssl.SSLError:
            linger(raw)
        except (OSError, ValueError):
            pass  # the client left: often that is what is wanted
        finally:
            connection.close()
            raw.close()

    def read_request(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(4096)
            if not more:
                return None
            head += more
        self.requests.append((time.monotonic(), head))
        return head

    def close(self):
        self.closing.set()
        for thread in self.threads:
            thread.join()
        self.listener.close()


def once(data):
    """One answer a connection, which then closes without a word."""
    def serve(connection, server):
        if server.read_request(connection):
            connection.sendall(data)
    return serve


def script(*answers):
    """Kept connection: the answers in their order, the last one again and again."""
    def serve(connection, server):
        while server.read_request(connection):
            index = min(len(server.requests), len(answers)) - 1
            connection.sendall(answers[index])
    return serve


def flood(head, piece):
    def serve(connection, server):
        server.read_request(connection)
        connection.sendall(head)
        while True:
            connection.sendall(piece)
    return serve


def stall(head=b"", trickle=b""):
    def serve(connection, server):
        server.read_request(connection)
        connection.sendall(head)
        while not server.closing.wait(0.05):
            connection.sendall(trickle)
    return serve


def silent(connection, server):
    server.closing.wait()


# ---- HTTP/2, by hand --------------------------------------------------------------------------

def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(
        ">I", stream) + payload


def literal(name, value):
    return b"\x00" + varint(len(name)) + name + varint(len(value)) + value


DATA, HEADERS, RST_STREAM, SETTINGS, PUSH_PROMISE, GOAWAY, CONTINUATION = 0, 1, 3, 4, 5, 7, 9
END_STREAM, END_HEADERS = 1, 4
STATUS_200 = b"\x88"
PROTOBUF = literal(b"content-type", b"application/x-protobuf")


def h2(make_frames):
    """Answers the first request, on stream 1, with the frames."""
    def serve(connection, server):
        received = b""
        connection.sendall(frame(SETTINGS, 0, 0))
        while True:
            more = connection.recv(4096)
            if not more:
                return
            received += more
            at = 24  # the preface
            while at + 9 <= len(received):
                length = int.from_bytes(received[at:at + 3], "big")
                if received[at + 3] == HEADERS and len(received) >= at + 9 + length:
                    server.requests.append((time.monotonic(), b"h2"))
                    for piece in make_frames:
                        connection.sendall(piece)
                    server.closing.wait()
                    return
                at += 9 + length
    return serve


def h2_context():
    context = tls_context()
    context.set_alpn_protocols(["h2"])
    return context


# ---- running the command ----------------------------------------------------------------------

def wait_for(condition):
    """Or not for ever: the verdict will tell."""
    deadline = time.monotonic() + MAX_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)


class Run:
    def __init__(self, server, words, scheme="https", host="localhost", ca="ca", kill=None):
        """kill: a signal, and whether it is to come once there is output, not once it has asked."""
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("VTSTATUS_") and "proxy" not in k.lower()}
        env["XDG_CONFIG_HOME"] = "/nonexistent"
        command = [VTSTATUS, *words, "--url", f"{scheme}://{host}:{server.port}"]
        if ca:
            command += ["--cacert", f"{certs}/{ca}.pem"]
        started = time.monotonic()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       env=env)
            if kill:
                number, is_after_output = kill
                wait_for((lambda: os.fstat(out.fileno()).st_size) if is_after_output else
                         lambda: server.requests)
                process.send_signal(number)
            _, wait_status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(wait_status)
            self.code, self.memory_kib = process.returncode, usage.ru_maxrss
            self.seconds = time.monotonic() - started
            out.seek(0)
            err.seek(0)
            self.out, self.err = out.read(), err.read()


def judge(name, run, code, words="", out="", max_seconds=MAX_SECONDS):
    found = []
    if run.code != code:
        found.append(f"exit {run.code}, not {code}")
    if not re.search(words, run.err.decode(errors="replace")):
        found.append(f"stderr is not like '{words}'")
    if not re.search(out, run.out.decode(errors="replace")):
        found.append(f"stdout is not like '{out}'")
    if re.search(rb"[^\n\x20-\x7e\x80-\xff]", run.out + run.err):
        found.append("control bytes reached the output")
    if run.code not in (0, 1) and len(run.err.strip().splitlines()) < 1:
        found.append("no line on stderr")
    if run.seconds > max_seconds:
        found.append(f"took {run.seconds:.1f} s")
    if run.memory_kib > MAX_MEMORY_KIB:
        found.append(f"took {run.memory_kib} KiB")
    if found:
        failures.append(name)
        print(f"FAIL {name}: {'; '.join(found)}\n     {run.out!r}\n     {run.err!r}")
    else:
        passes.append(name)
        print(f"ok   {name} ({run.seconds:.2f} s, {run.memory_kib // 1024} MiB)")


def case(name, serve, code, words="", command=("get",), out="", context=None, check=None,
         max_seconds=MAX_SECONDS, **run_options):
    server = Server(serve, tls_context() if context is None else context or None)
    try:
        run = Run(server, command, **run_options)
    finally:
        server.close()
    judge(name, run, code, words, out, max_seconds)
    if check and not check(server, run):
        failures.append(name)
        print(f"FAIL {name}: {len(server.requests)} requests, {server.connections} connections")


def clear_case(*words, **options):
    """Without TLS: over TLS, streams are HTTP/2, which the server here does not speak."""
    case(*words, context=False, scheme="http", host="127.0.0.1", **options)


# ---- the cases --------------------------------------------------------------------------------

def broken_answers():
    body = status()
    case("a good answer", once(answer(body)), 0, out="pending")
    case("a body cut off", once(answer(body, length=500)), 3, "broke off")
    case("a header cut off", once(answer(body)[:30]), 3, "broke off")
    case("closed without an answer", once(b""), 3, "broke off")
    case("a length of 2^63", once(answer(body, length=2**63)), 3)
    case("a negative length", once(answer(body, length=-1)), 3)
    case("no HTTP", once(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), 3)
    case("a status line of nonsense", once(b"HTTP/1.1 abc\r\n\r\n"), 3)
    case("chunks that are none", once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                                      b"Content-Type: application/x-protobuf\r\n\r\nzz\r\nx"), 3)
    case("gzip that nobody asked for", once(answer(b"\x1f\x8b\x08\0\0\0\0\0\0\3" + body,
                                                   headers=["Content-Encoding: gzip"])), 3)


def floods():
    many = "\r\n".join(f"x-{i}: y" for i in range(10000)).encode()
    case("10 000 header fields", once(b"HTTP/1.1 200 OK\r\n" + many + b"\r\n\r\n"), 3, "too large")
    case("a field of 90 KiB", once(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 90000 + b"\r\n\r\n"), 3,
         "too large")
    case("fields without end", flood(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1000), 3, "too large")
    case("interim answers without end", flood(b"", b"HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n" * 9),
         3, "too large")
    case("a body of 100 MB", flood(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\n"
                                   b"Content-Length: 100000000\r\n\r\n", b"\0" * 65536), 3,
         "too large")
    case("a body without end", flood(b"HTTP/1.1 200 OK\r\n\r\n", b"\0" * 65536), 3, "too large")
    case("an error body without end", flood(b"HTTP/1.1 500 Oops\r\n\r\n", b"{" * 65536), 3,
         "too large")
    case("a body that would decode to 60 MB", once(answer(status() + b"\x78\x01" * 500000)), 3,
         "no status")


def stalls():
    quick = ("get", "--timeout", "1s")
    case("no handshake", silent, 3, "no connection within 1 s", quick, context=False)
    case("no answer", stall(), 3, "did not answer within 1 s", quick)
    case("a header that trickles", stall(b"HTTP/1.1 200 OK\r\nx: ", b"y"), 3, "within 1 s", quick)
    case("a body that trickles", stall(answer(status(), length=1000), b"y"), 3, "within 1 s", quick)
    case("a poll bounded by its deadline", stall(), 3, "within",
         ("poll", "--deadline", "1s", "--max-failures", "99"), max_seconds=9)


def lies():
    case("another media type", once(answer(b"<html>", kind="text/html")), 3, "text/html")
    case("no media type", once(answer(status(), kind=None)), 3, "no status")
    case("JSON that says protobuf", once(answer(b'{"jobId":"default"}')), 3, "no status")
    case("an empty body", once(answer(b"")), 3, "empty")
    case("another job", once(answer(status(job=b"other"))), 3, "another job")
    case("a string that is no UTF-8", once(answer(status(phase=b"\xff\xfe"))), 3, "no status")
    case("a string with a NUL", once(answer(status(phase=b"a\0b"))), 3, "no status")
    case("a group", once(answer(status() + b"\x7b\x7c")), 3, "no status")
    case("304 out of the blue", once(answer(code="304 Not Modified")), 3, "nothing was known")
    case("204", once(answer(code="204 No Content")), 3, "no status")
    case("a job in error", once(answer(status(3, 2, 5, error=b"no disk"))), 1, out="no disk")
    case("terminal commands in a status",
         once(answer(status(phase=b"\x1b[2J\x1b]0;owned\x07\xc2\x9b1m\xe2\x80\xae"))), 0,
         out=r"\\x1b\[2J\\x1b\]0;owned\\x07\\x9b1m\\u202e")
    case("terminal commands in an error",
         once(answer(b'{"code":"internal","message":"\\u001b[2J\\u0007"}', "500 Oops",
                     "application/json")), 3, r"HTTP 500: \?\[2J\?")
    case("terminal commands in a job's error",
         once(answer(status(3, 2, 5, error=b"\x1b[31m\r\nfine"))), 1,
         command=("poll",), out=r"\\x1b\[31m\\x0d \.\.\.\n")


def refusals():
    def error(word, text):
        return f'{{"code":"{word}","message":"{text}"}}'.encode()

    case("unknown job", once(answer(error("not_found", "x"), "404 Not Found")), 5,
         "no job 'default'")
    case("not known", once(answer(code="401 Unauthorized")), 6, "HTTP 401")
    case("not allowed", once(answer(error("permission_denied", "not yours"), "403 Forbidden")), 6,
         "not yours")
    case("too often", once(answer(code="429 Too Many Requests")), 3, "HTTP 429")
    case("poll ends at once when not allowed", script(answer(code="403 Forbidden")), 6, "HTTP 403",
         ("poll", "--interval", "0.1"), check=lambda server, run: len(server.requests) == 1)
    other = Server(once(answer(status())), None)
    case("a redirect", once(answer(code="302 Found",
                                   headers=[f"Location: http://127.0.0.1:{other.port}/status"])),
         3, "redirects are not followed")
    other.close()
    if other.connections:
        failures.append("a redirect was followed")


def hints():
    quick = ("poll", "--interval", "0.1", "--max-interval", "0.2")
    ten_years = 10 * 365 * 86400
    case("Retry-After of ten years", script(
        answer(code="503 Busy", headers=[f"Retry-After: {ten_years}"]), answer(DONE)), 0,
        command=quick, out="completed")
    case("Retry-After beyond any number", script(
        answer(code="503 Busy", headers=["Retry-After: " + "9" * 300]), answer(DONE)), 0,
        command=quick, out="completed")
    case("poll_after of ten thousand years", script(
        answer(status(poll_after=315576000000)), answer(DONE)), 0, command=quick, out="completed")
    case("poll_after of zero", script(answer(status(poll_after=0))), 4, "gave up after 4 tries",
         ("poll", "--interval", "0.3", "--max-retries", "3", "--jitter", "0"),
         check=lambda server, run: run.seconds > 0.85)
    case("Retry-After of zero", script(answer(code="503 Busy", headers=["Retry-After: 0"])), 3,
         "3 of 3 tries failed",
         ("poll", "--interval", "0.3", "--max-failures", "3", "--jitter", "0"),
         check=lambda server, run: run.seconds > 0.55)


def conversations():
    quick = ("poll", "--interval", "0.1")
    tagged = answer(status(revision=3), headers=['ETag: W/"r3"'])
    case("304 without an ETag", script(tagged, answer(code="304 Not Modified"), answer(DONE)), 0,
         command=quick, out="pending.*\n.*completed",
         check=lambda server, run: b'If-None-Match: W/"r3"' in server.requests[1][1]
         and b"If-None-Match" in server.requests[2][1] and server.connections == 1)
    case("a revision that goes back", script(answer(status(revision=9)),
                                             answer(status(revision=2)), answer(DONE)), 0,
         command=quick, out="pending(.|\n)*pending(.|\n)*completed")

    def drop_each(connection, server):
        server.read_request(connection)
        connection.sendall(answer(DONE if len(server.requests) > 3 else status()))
    case("a connection that dies after each answer", drop_each, 0, command=quick, out="completed",
         check=lambda server, run: server.connections == 4)

    def fail_twice(connection, server):
        server.read_request(connection)
        if len(server.requests) > 2:
            connection.sendall(answer(DONE))
    case("two answers lost", fail_twice, 0, command=quick, out="completed")
    case("a job whose id looks like a path", once(answer(status(job=b".."))), 0,
         command=("get", ".."),
         check=lambda server, run: server.requests[0][1].startswith(b"GET /status/.. HTTP/1.1"))
    case("JSON, the last line the final one", script(tagged, answer(DONE)), 0,
         command=(*quick, "--output", "json"), out=r'"completed"[^\n]*\n$')


def trust():
    case("an authority nobody knows", once(answer(status())), 3, "certificate.*--cacert", ca=None)
    case("an expired certificate", once(answer(status())), 3, "certificate has expired",
         context=tls_context("expired"), ca="expired")
    case("a certificate for another name", once(answer(status())), 3, "for another name",
         context=tls_context("other"), ca="other")
    wants_ours = tls_context(verify_mode=ssl.CERT_REQUIRED)
    wants_ours.load_verify_locations(f"{certs}/ca.pem")
    case("a client certificate that is missing", once(answer(status())), 3,
         "wants a client certificate.*--cert", context=wants_ours)
    case("a client certificate that is shown", once(answer(status())), 0, context=wants_ours,
         command=("get", "--cert", f"{certs}/client.pem", "--key", f"{certs}/client-key.pem"))
    case("no TLS behind the port",
         lambda connection, server: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), 3,
         "does not speak TLS", context=False)
    warnings.simplefilter("ignore", DeprecationWarning)  # of old versions, which are the point
    old = tls_context()
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    case("TLS 1.1", once(answer(status())), 3, "1.2 or newer", context=old)
    case("cleartext to this machine", once(answer(status())), 0, context=False, scheme="http",
         host="127.0.0.1", out="pending")


def over_h2():
    body = status()
    good = frame(HEADERS, END_HEADERS, 1, STATUS_200 + PROTOBUF)
    case("HTTP/2: a good answer", h2([good, frame(DATA, END_STREAM, 1, body)]), 0, out="pending",
         context=h2_context())
    case("HTTP/2: shorter than promised", h2([
        frame(HEADERS, END_HEADERS, 1, STATUS_200 + PROTOBUF + literal(b"content-length", b"500")),
        frame(DATA, END_STREAM, 1, body)]), 3, context=h2_context())
    case("HTTP/2: a reset inside the body", h2([
        good, frame(DATA, 0, 1, body[:5]), frame(RST_STREAM, 0, 1, struct.pack(">I", 2))]), 3,
        "broke off", context=h2_context())
    case("HTTP/2: a push", h2([
        frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 2) + STATUS_200), good]), 3,
        "broke off|did not answer", context=h2_context(), command=("get", "--timeout", "2s"))
    case("HTTP/2: GOAWAY instead of an answer", h2([
        frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0))]), 3, context=h2_context(), command=(
            "get", "--timeout", "2s"))
    pieces = [frame(HEADERS, 0, 1, STATUS_200)]
    pieces += [frame(CONTINUATION, 0, 1, literal(b"x", b"y" * 8000) * 2) for _ in range(500)]
    case("HTTP/2: CONTINUATION without end", h2(pieces), 3, context=h2_context(),
         command=("get", "--timeout", "3s"))
    fields = b"".join(literal(b"x-%d" % i, b"y") for i in range(400))
    case("HTTP/2: 400 header fields", h2([
        frame(HEADERS, END_HEADERS, 1, STATUS_200 + fields)]), 3, "too large",
        context=h2_context())
    case("HTTP/2: a body of 100 MB", h2([good] + [frame(DATA, 0, 1, b"\0" * 16384)] * 6000), 3,
         "too large", context=h2_context())
    case("HTTP/2: frames of nonsense", h2([b"\xff" * 4096]), 3, context=h2_context(),
         command=("get", "--timeout", "2s"))


def calls():
    show = ("show", "j")

    def proto(body, **more):
        return answer(body, kind="application/proto", **more)

    def job(status_bytes, job_id=b"j"):
        return field(1, field(1, job_id) + field(3, status_bytes))

    good = status(job=b"j")
    case("a good job", once(proto(job(good))), 0, out="pending", command=show)
    case("a job of another media type", once(answer(job(good))), 3, "x-protobuf", show)
    case("a job that is no protobuf", once(proto(b"\xff\xff")), 3, "not what was asked for", show)
    case("no job in the answer", once(proto(b"")), 3, "no job in it", show)
    case("a job without an id", once(proto(field(1, field(3, good)))), 3, "no id", show)
    case("a job without a status", once(proto(field(1, field(1, b"j")))), 3, "no status", show)
    case("another job than asked for", once(proto(job(good, b"k"))), 3, "another job", show)
    case("a call that is cut off", once(proto(job(good), length=500)), 3, "broke off", show)
    case("a call without an answer", stall(), 3, "within 1 s", (*show, "--timeout", "1s"))
    case("an answer of 100 MB", flood(b"HTTP/1.1 200 OK\r\nContent-Type: application/proto\r\n\r\n",
                                      b"\0" * 65536), 3, "too large", show)
    case("two million jobs in a page", once(proto(field(1, b"") * 2000000)), 3,
         "not what was asked for", ("list",))
    case("pages without end", script(proto(field(2, b"more"))), 3, "pages without end", ("list",),
         check=lambda server, run: len(server.requests) < 200)
    case("a 404 of something else", once(answer(b"<html>", "404 Not Found", "text/html")), 3,
         "is that the right server", show)
    case("a code that is none", once(answer(b'{"code":"weird"}', "500 Oops", "application/json")),
         3, "failed: weird", show)
    case("terminal commands in a refusal", once(answer(
        b'{"code":"aborted","message":"\\u001b[2J\\u0007"}', "409 Conflict", "application/json")), 7,
        r"refuses: \?\[2J\?", ("cancel", "j"))
    case("a delete is sent once", once(b""), 3, "broke off", ("delete", "j"),
         check=lambda server, run: len(server.requests) == 1)
    case("a look is tried again", once(b""), 3, "broke off", show,
         check=lambda server, run: len(server.requests) == 3)


def streams():
    watch = ("watch", "j", "--max-failures", "1")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/connect+proto\r\n\r\n"

    def envelope(payload, flags=0):
        return struct.pack(">BI", flags, len(payload)) + payload

    def message(*words, **fields):
        return envelope(field(1, status(*words, job=b"j", **fields)))

    end = envelope(b"{}", 2)
    done = message(COMPLETED, 9, SUCCEEDED)
    clear_case("a good stream", once(head + message() + done + end), 0, out="pending(.|\n)*completed",
         command=watch)
    clear_case("a stream that ends too early", once(head + message() + end), 3,
         "before the job was done", watch, out="pending")
    clear_case("a stream that breaks off", once(head + message()[:9]), 3, "broke off", watch)
    clear_case("a stream without its end, behind the last status", once(head + done), 0, command=watch)
    clear_case("flags that nobody asked for", once(head + envelope(b"", 1)), 3, "flags", watch)
    clear_case("a message of 4 GiB", once(head + b"\0\xff\xff\xff\xff"), 3, "too large", watch)
    clear_case("a last envelope of nonsense", once(head + envelope(b"{", 2)), 3, "last envelope", watch)
    clear_case("a stream of another media type", once(answer(message() + end)), 3, "no stream", watch)
    clear_case("another job on the stream", once(head + envelope(field(1, status()))), 3, "another job",
         watch)
    clear_case("a refusal at the end", once(head + envelope(
        b'{"error":{"code":"not_found","message":"no"}}', 2)), 5, "knows no job 'j'", watch)
    case("a stream by HTTP/1.1 over TLS", once(head + done + end), 3,
               "does not speak HTTP/2", watch)
    clear_case("a stream that does not begin", stall(), 3, "within 1 s", (*watch, "--timeout", "1s"))
    clear_case("a stream that says nothing", stall(head), 4, "at the deadline",
         (*watch, "--deadline", "1s"))
    clear_case("the same status without end", flood(head, message() * 100), 4, "at the deadline",
         (*watch, "--deadline", "1s"), out=r"^[^\n]*pending[^\n]*\n$")
    clear_case("terminal commands on a stream", once(head + message(
        phase=b"\x1b[2J\xc2\x9b1m") + done + end), 0, command=watch, out=r"\\x1b\[2J\\x9b1m")
    clear_case("SIGTERM while it watches", stall(head + message()), 143, "interrupted", watch,
         out="pending", kill=(signal.SIGTERM, True))


def json_calls():
    call, stream = ("call", "a.B/c"), ("call", "a.B/c", "--stream")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/connect+json\r\n\r\n"

    def json(body, **more):
        return answer(body, kind="application/json", **more)

    def envelope(payload, flags=0):
        return struct.pack(">BI", flags, len(payload)) + payload

    end = envelope(b"{}", 2)
    case("good JSON", once(json(b'{"a":1}')), 0, command=call, out=r'^\{"a":1\}\n$')
    case("JSON of another media type", once(answer(b"{}", kind="text/html")), 3, "text/html", call)
    case("JSON of no bytes", once(json(b"")), 3, "no JSON", call)
    case("JSON with terminal commands", once(json(b'{"a":"\x1b[2J"}')), 3, "no JSON", call)
    case("JSON with a NUL", once(json(b'{"a":"\0"}')), 3, "no JSON", call)
    case("JSON that is no UTF-8", once(json(b'{"a":"\xff"}')), 3, "no JSON", call)
    case("JSON that is cut off", once(json(b"{", length=50)), 3, "broke off", call)
    case("JSON of 100 MB", flood(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
                                 b" " * 65536), 3, "too large", call)
    case("no JSON in time", stall(), 3, "within 1 s", (*call, "--timeout", "1s"))
    case("a call is sent once", once(b""), 3, "broke off", call,
         check=lambda server, run: len(server.requests) == 1)
    clear_case("neither unary nor a stream", once(answer(b"{}", "415 No", "text/html")), 3, "HTTP 415", call,
         check=lambda server, run: len(server.requests) == 2)
    clear_case("a stream of JSON", once(head + envelope(b'{"a":\n1}') + end), 0, command=stream,
         out=r'^\{"a":\n1\}\n$')
    clear_case("a stream of JSON that breaks off", once(head + envelope(b"{}") + b"\0\0"), 3, "broke off",
         stream, out="{}")
    clear_case("a stream of JSON with terminal commands", once(head + envelope(b'"\x07"') + end), 3,
         "no JSON", stream)
    clear_case("a stream of JSON that says nothing", stall(), 3, "within 1 s",
         (*stream, "--timeout", "1s"))
    clear_case("a refusal behind a message", once(head + envelope(b"{}") + envelope(
        b'{"error":{"code":"permission_denied","message":"\\u001b"}}', 2)), 6, "not allow", stream,
         out="{}")
    case("details of every kind", once(answer(
        b'{"code":"internal","details":[7,{},{"type":"a\\u001b[2J","value":""},{"type":"a.B",'
        b'"value":"/w"},{"type":"google.rpc.ErrorInfo","value":"/w"},{"type":"a","value":"?"}]}',
        "500 Oops", "application/json")), 3,
         r"(?s)detail: a\.B /w\n.*detail: google\.rpc\.ErrorInfo /w\n.*failed: internal",
         (*call, "-v"))


def reflections():
    services = ("services",)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/connect+proto\r\n\r\n"

    def envelope(payload, flags=0):
        return struct.pack(">BI", flags, len(payload)) + payload

    end = envelope(b"{}", 2)

    def names(*these):
        return head + envelope(field(6, b"".join(
            field(1, field(1, name)) for name in these))) + end

    def files(*these):
        return head + b"".join(envelope(field(4, field(1, file))) for file in these) + end

    def file(name=b"S", method=b"M", kind=b".a.T"):
        return field(2, b"a") + field(6, field(1, name) + field(
            2, field(1, method) + field(2, kind) + field(3, kind)))

    def both(first, second):
        """Each exchange has a connection of its own."""
        def serve(connection, server):
            if server.read_request(connection):
                connection.sendall(first if len(server.requests) == 1 else second)
        return serve

    clear_case("a good reflection", both(names(b"a.S"), files(file())), 0, command=services,
         out=r"^a\.S/M  unary +a\.T -> a\.T\n$")
    clear_case("a server without services", once(names()), 0, command=services, out="^$")
    clear_case("names that are none", once(names(b"a\x1b[2J")), 3, "a name that is none", services)
    clear_case("a name of no bytes", once(names(b"")), 3, "a name that is none", services)
    clear_case("too many services", once(names(*[b"a.S"] * 1001)), 3, "more than 1000", services)
    clear_case("no list of services", once(head + end), 3, "does not list", services)
    clear_case("two lists of services", once(names(b"a.S")[:-7] + names(b"a.S")[len(head):]), 3, "twice",
         services)
    clear_case("a list of nonsense", once(head + envelope(b"\xff") + end), 3, "not what was asked",
         services)
    clear_case("a file that nobody asked for", once(files(file())), 3, "not asked", services)
    clear_case("no files", both(names(b"a.S"), head + end), 3, "does not describe", services)
    clear_case("more files than names", both(names(b"a.S"), files(file(), file())), 3, "not asked",
         services)
    clear_case("a file of nonsense", both(names(b"a.S"), files(b"\xff")), 3, "not what was asked",
         services)
    clear_case("a file about something else", both(names(b"a.S"), files(file(b"T"))), 3,
         "not as it should", services)
    clear_case("methods with terminal commands", both(names(b"a.S"), files(file(method=b"\x1b[2J"))), 3,
         "not as it should", services)
    clear_case("types with terminal commands", both(names(b"a.S"), files(file(kind=b"\x07"))), 3,
         "not as it should", services)
    clear_case("a service that is not known", once(head + envelope(field(7, field(1, 5))) + end), 5,
         "no service 'a.S'", (*services, "a.S"))
    clear_case("an error that is another", once(head + envelope(field(7, field(1, 13) + field(
        2, b"\x1b[2J"))) + end), 3, r"\?\[2J", (*services, "a.S"))
    clear_case("a reflection that stalls", stall(head), 3, "within 1 s", (*services, "--timeout", "1s"))


def interruptions():
    waiting = ("poll", "--interval", "60s")
    for number in (signal.SIGINT, signal.SIGTERM):
        case(f"{number.name} between two questions", script(answer(status())), 128 + number,
             "interrupted; the job goes on", waiting, kill=(number, True))
    case("SIGTERM while the server is silent", stall(), 143, "interrupted", waiting,
         kill=(signal.SIGTERM, False))


CA_CONFIG = """[ca]
default_ca = here
[here]
database = {0}/index
new_certs_dir = {0}
serial = {0}/serial
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = DNS:{1}
"""


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def make_self_signed(folder, name, host, start, end):
    base = f"{folder}/{name}"
    os.mkdir(base)
    for file, text in (("index", ""), ("serial", "01\n"), ("config", CA_CONFIG.format(base, host))):
        with open(f"{base}/{file}", "w", encoding="ascii") as out:
            out.write(text)
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-keyout", f"{base}-key.pem", "-out", f"{base}/csr")
    openssl("ca", "-batch", "-notext", "-config", f"{base}/config", "-selfsign", "-keyfile",
            f"{base}-key.pem", "-in", f"{base}/csr", "-startdate", start, "-enddate", end, "-out",
            f"{base}.pem")


def make_certificates(folder):
    subprocess.run([MAKE_CERTS, folder], check=True, stdout=subprocess.DEVNULL)
    make_self_signed(folder, "other", "other.example", "20200101000000Z", "20500101000000Z")
    make_self_signed(folder, "expired", "localhost", "20200101000000Z", "20200201000000Z")


def main():
    global certs
    with tempfile.TemporaryDirectory() as folder:
        certs = folder
        make_certificates(folder)
        groups = (broken_answers, floods, stalls, lies, refusals, hints, conversations, trust,
                  over_h2, calls, streams, json_calls, reflections, interruptions)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:  # they wait more than they work
            for result in [pool.submit(group) for group in groups]:
                result.result()
    print(f"evil_server: {len(passes)} passed, {len(failures)} failed")
    return 1 if failures or not passes else 0


if __name__ == "__main__":
    sys.exit(main())
