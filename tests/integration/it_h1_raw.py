#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vtstatusd against raw HTTP/1.1: what it must refuse, what it must answer, and when it must close.

A row is bytes to send on a connection of its own, the codes of the answers that must come, in
order, and whether the server must close after them; if not, one more request must be answered.
Nothing behind a refused or announced body may ever be answered: smuggling lives on that.

Usage: it_h1_raw.py [WORD...] runs the rows and cases whose names have one of the words.
"""
import os
import re
import ssl
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from h2_raw import Tls  # noqa: E402
from vts_server import IS_SANITIZED, Server  # noqa: E402

PATIENCE_S = 40 if IS_SANITIZED else 8
MAX_GROWTH_KIB = 4096
OPEN, CLOSED = False, True
HOST = "Host: localhost\r\n"
PROBE = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"
SMUGGLED = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


def get(fields="", path="/healthz", version="HTTP/1.1", method="GET", host=HOST):
    return f"{method} {path} {version}\r\n{host}{fields}\r\n"


def post(fields, body=""):
    return get(fields, method="POST") + body


def fields_of(count):
    """A request of so many fields, Host among them."""
    return get("".join(f"X-{i}: y\r\n" for i in range(count - 1)))


# name, bytes, codes, whether the connection closes
ROWS = [
    ("plain", get(), [200], OPEN),
    ("query", get(path="/healthz?a=b&c"), [200], OPEN),
    ("unknown path", get(path="/nowhere"), [404], OPEN),
    ("Connection: close", get("Connection: close\r\n"), [200], CLOSED),
    ("three pipelined", get() + get(path="/nowhere") + get(path="/readyz"), [200, 404, 200], OPEN),
    ("pipelined behind a close", get("Connection: close\r\n") + SMUGGLED, [200], CLOSED),
    ("pipelined behind a malformed one", "GET\r\n\r\n" + SMUGGLED, [400], CLOSED),
    ("HEAD", get(method="HEAD"), [200], OPEN),
    ("HEAD of what is not there", get(method="HEAD", path="/nowhere"), [404], OPEN),
    ("HTTP/1.0", get(version="HTTP/1.0"), [200], CLOSED),
    ("HTTP/1.0 without Host", get(version="HTTP/1.0", host=""), [200], CLOSED),
    ("HTTP/1.0 that stays", get("Connection: keep-alive\r\n", version="HTTP/1.0"), [200], OPEN),
    ("HTTP/2.0", get(version="HTTP/2.0"), [505], CLOSED),
    ("HTTP/1.2", get(version="HTTP/1.2"), [505], CLOSED),
    ("HTTP/0.9", "GET /healthz\r\n\r\n", [400], CLOSED),
    ("version in lower case", get(version="http/1.1"), [400], CLOSED),
    ("version with a long minor", get(version="HTTP/1.10"), [400], CLOSED),
    ("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505], CLOSED),
    ("leading empty line", "\r\n" + get(), [200], OPEN),
    ("empty line between requests", get() + "\r\n" + get(), [200, 200], OPEN),
    ("leading LF", "\n" + get(), [400], CLOSED),
    ("four leading empty lines", 4 * "\r\n" + get(), [400], CLOSED),
    ("garbage", "\x01\x02\x03\x04\r\n\r\n", [400], CLOSED),
    ("TLS in TLS", "\x16\x03\x01\x00\x05hello\r\n\r\n", [400], CLOSED),
    # Lines.
    ("bare LF everywhere", get().replace("\r\n", "\n"), [400], CLOSED),
    ("bare LF behind a field", get("A: b\nC: d\r\n"), [400], CLOSED),
    ("bare LF at the end", get()[:-2] + "\n", [400], CLOSED),
    ("bare CR in a value", get("A: b\rC: d\r\n"), [400], CLOSED),
    ("bare CR in the request line", get(path="/healthz\r"), [400], CLOSED),
    ("folded line", get("A: b\r\n c\r\n"), [400], CLOSED),
    ("folded by a tab", get("A: b\r\n\tc\r\n"), [400], CLOSED),
    ("folded first line", "GET /healthz HTTP/1.1\r\n " + HOST + "\r\n", [400], CLOSED),
    ("blank before the colon", get("A : b\r\n"), [400], CLOSED),
    ("no colon", get("A\r\n"), [400], CLOSED),
    ("empty name", get(": b\r\n"), [400], CLOSED),
    ("name that is no token", get("A(b): c\r\n"), [400], CLOSED),
    ("NUL in a value", get("A: b\0c\r\n"), [400], CLOSED),
    ("NUL in a name", get("A\0b: c\r\n"), [400], CLOSED),
    ("NUL in the path", get(path="/health\0z"), [400], CLOSED),
    ("DEL in a value", get("A: \x7f\r\n"), [400], CLOSED),
    ("8-bit value", get("A: \xe9\r\n"), [200], OPEN),
    ("empty value", get("A:\r\nB: c\r\n"), [200], OPEN),
    ("8-bit path", get(path="/health\xe9"), [400], CLOSED),
    ("two blanks in the request line", get(path=" /healthz"), [400], CLOSED),
    ("blank behind the request line", get(version="HTTP/1.1 "), [400], CLOSED),
    ("tab in the request line", get().replace(" ", "\t", 1), [400], CLOSED),
    ("blank before the method", " " + get(), [400], CLOSED),
    # Host and target.
    ("no Host", get(host=""), [400], CLOSED),
    ("two Hosts", get(HOST), [400], CLOSED),
    ("empty Host", get(host="Host:\r\n"), [400], CLOSED),
    ("Host with a path", get(host="Host: localhost/healthz\r\n"), [400], CLOSED),
    ("Host with user information", get(host="Host: me@localhost\r\n"), [400], CLOSED),
    ("Host that is a list", get(host="Host: localhost, localhost\r\n"), [400], CLOSED),
    ("Host with a port", get(host="Host: localhost:5000\r\n"), [200], OPEN),
    ("Host of IPv6", get(host="Host: [::1]:5000\r\n"), [200], OPEN),
    ("absolute form", get(path="https://localhost/healthz"), [200], OPEN),
    ("absolute form of another host", get(path="https://elsewhere/healthz"), [400], CLOSED),
    ("absolute form of another port", get(path="https://localhost:1/healthz"), [400], CLOSED),
    ("absolute form with user information", get(path="https://me@localhost/healthz"), [400],
     CLOSED),
    ("target without its slash", get(path="healthz"), [400], CLOSED),
    ("CONNECT", get(method="CONNECT", path="localhost:443"), [400], CLOSED),
    ("OPTIONS *", get(method="OPTIONS", path="*"), [404], OPEN),
    ("GET *", get(path="*"), [404], OPEN),
    ("TRACE", get(method="TRACE"), [501], OPEN),
    ("PATCH", get(method="PATCH"), [405], OPEN),
    ("unknown method", get(method="BREW"), [501], CLOSED),
    ("method in lower case", get(method="get"), [501], CLOSED),
    ("dots in the path", get(path="/status/../healthz"), [400], OPEN),
    ("escaped path", get(path="/%68ealthz"), [404], OPEN),
    ("double slash", get(path="//healthz"), [404], OPEN),
    # Sizes.
    ("path of 8192 octets", get(path="/" + "a" * 8191), [404], OPEN),
    ("path of 8193 octets", get(path="/" + "a" * 8192), [414], CLOSED),
    ("path of 20000 octets", get(path="/" + "a" * 20000), [414], CLOSED),
    ("path of 60000 octets without an end", "GET /" + "a" * 60000, [414], CLOSED),
    ("header of 17000 octets", get("A: " + "b" * 17000 + "\r\n"), [431], CLOSED),
    ("header of 60000 octets without an end", get("A: ")[:-2] + "b" * 60000, [431], CLOSED),
    ("100 fields", fields_of(100), [200], OPEN),
    ("101 fields", fields_of(101), [431], CLOSED),
    ("name of 5000 octets", get("A" * 5000 + ": b\r\n"), [200], OPEN),
    # Bodies: none is read, so the connection closes behind the answer.
    ("Content-Length: 0", get("Content-Length: 0\r\n"), [200], OPEN),
    ("body", get("Content-Length: 5\r\n") + "hello", [200], CLOSED),
    ("body to POST", post("Content-Length: 5\r\n", "hello"), [405], CLOSED),
    ("body that smuggles", get(f"Content-Length: {len(SMUGGLED)}\r\n") + SMUGGLED, [200], CLOSED),
    ("body that is shorter", get("Content-Length: 5\r\n") + "he", [200], CLOSED),
    ("chunked body", post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), [405],
     CLOSED),
    ("chunked body that smuggles", post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n" + SMUGGLED),
     [405], CLOSED),
    ("chunked in capitals", post("transfer-encoding: CHUNKED\r\n", "0\r\n\r\n"), [405], CLOSED),
    ("Expect: 100-continue", post("Expect: 100-continue\r\nContent-Length: 5\r\n"), [405], CLOSED),
    ("Expect: 100-continue without a body", get("Expect: 100-continue\r\n"), [200], OPEN),
    ("Expect of something else", get("Expect: the-unexpected\r\n"), [417], CLOSED),
    ("length and chunked", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                                "0\r\n\r\n" + SMUGGLED), [400], CLOSED),
    ("chunked and length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                                "0\r\n\r\n" + SMUGGLED), [400], CLOSED),
    ("chunked in HTTP/1.0", get("Transfer-Encoding: chunked\r\n", version="HTTP/1.0"), [400],
     CLOSED),
]
for _value in ("gzip", "identity", "chunked, chunked", "gzip, chunked", "chunked, gzip", "xchunked",
               "chunked;q=1", "", "\"chunked\"", "chunked\x0b"):
    ROWS.append((f"Transfer-Encoding: {_value!r}", post(f"Transfer-Encoding: {_value}\r\n",
                                                        "0\r\n\r\n" + SMUGGLED), [400], CLOSED))
ROWS.append(("two Transfer-Encodings", post(2 * "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
             [400], CLOSED))
for _value in ("+5", "-5", "5 5", "5,5", "5, 5", "0x5", "5a", "", " ", "\x0b5", "5.0", "1e1",
               "99999999999999999999", "18446744073709551616", "18446744073709551621"):
    ROWS.append((f"Content-Length: {_value!r}", post(f"Content-Length: {_value}\r\n", SMUGGLED),
                 [400], CLOSED))
for _name, _two in (("equal", ("5", "5")), ("different", ("5", "6")), ("and empty", ("", "5"))):
    ROWS.append((f"two Content-Lengths, {_name}",
                 post("".join(f"Content-Length: {v}\r\n" for v in _two), "hello" + SMUGGLED), [400],
                 CLOSED))
for _name, _fields in (
        ("h2c", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"),
        ("websocket", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"),
        ("h2c without Connection", "Upgrade: h2c")):
    ROWS.append((f"Upgrade: {_name}", get(_fields + "\r\n"), [200], OPEN))


class Failed(Exception):
    pass


def check(holds, what):
    if not holds:
        raise Failed(what)


class Reader:
    """Splits answers from what comes."""

    def __init__(self, peer):
        self.peer, self.buffer = peer, b""

    def fill(self, deadline):
        """False when nothing more comes by the deadline."""
        before = len(self.buffer)
        self.buffer += self.peer.read_plain()
        if len(self.buffer) == before and self.peer.end is None:
            self.peer.fill(deadline)
            self.buffer += self.peer.read_plain()
        return len(self.buffer) > before

    def answer(self, is_head, timeout=PATIENCE_S):
        """(code, body) of the next answer; None at the end."""
        deadline = time.monotonic() + timeout
        while b"\r\n\r\n" not in self.buffer:
            if not self.fill(deadline) and (self.peer.end or time.monotonic() >= deadline):
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        length = re.search(rb"\r\ncontent-length: (\d+)", head)
        length = int(length[1]) if length and not is_head else 0
        while len(self.buffer) < length:
            if not self.fill(deadline) and (self.peer.end or time.monotonic() >= deadline):
                return None
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        check(re.match(rb"HTTP/1\.1 \d{3} [A-Z]", head), f"no status line: {head[:40]}")
        return int(head[9:12]), body

    def wait_end(self):
        deadline = time.monotonic() + PATIENCE_S
        while self.peer.end is None and time.monotonic() < deadline:
            self.fill(deadline)
        return self.peer.end


def run_row(server, row, alpn):
    _, raw, codes, closes = row
    is_head = raw.startswith("HEAD")
    with Tls(server.port, server.certs, alpn=alpn) as peer:
        reader = Reader(peer)
        peer.send(raw.encode("latin-1"))
        for code in codes:
            answer = reader.answer(is_head)
            check(answer is not None, f"no answer; the end was {peer.end}, not {code}")
            check(answer[0] == code, f"answer {answer[0]}, not {code}")
        if closes:
            check(reader.wait_end() == "close", f"it does not close: {peer.end}")
            check(not reader.buffer, f"it goes on: {reader.buffer[:60]}")
            return
        peer.send(PROBE)
        answer = reader.answer(False)
        check(answer == (200, b"ready\n"), f"the next request got {answer}; end: {peer.end}")


# ---- cases that need more than a row ------------------------------------------------------------

cases = []


def case(name, limits="", hit=None):
    def register(run):
        cases.append((name, run, limits, hit))
        return run
    return register


def is_silent_end(server, peer):
    """The server closes and has answered nothing but, perhaps, 408."""
    reader = Reader(peer)
    check(reader.wait_end() is not None, "it does not end")
    check(not reader.buffer or b" 408 " in reader.buffer, f"it answers {reader.buffer[:60]}")


@case("one octet at a time")
def _(server):
    for raw in (get(), "\r\n" + get("A: b\r\n")):
        with Tls(server.port, server.certs, alpn=("http/1.1",)) as peer:
            for octet in raw.encode():
                peer.send(bytes([octet]))
            answer = Reader(peer).answer(False)
            check(answer == (200, b"ok\n"), f"answer {answer}")


@case("all cuts of two requests")
def _(server):
    raw = (get("A: b\r\n") + get(path="/readyz")).encode()
    for cut in range(1, len(raw)):
        with Tls(server.port, server.certs, alpn=("http/1.1",)) as peer:
            reader = Reader(peer)
            peer.send(raw[:cut])
            peer.send(raw[cut:])
            answers = [reader.answer(False), reader.answer(False)]
            check(answers == [(200, b"ok\n"), (200, b"ready\n")], f"cut at {cut}: {answers}")


@case("a request with the client's end right behind it")
def _(server):
    for raw in (get(), get("Connection: close\r\n")):
        with Tls(server.port, server.certs, alpn=("http/1.1",)) as peer:
            out = peer.encrypt(raw.encode())
            try:
                peer.tls.unwrap()
            except ssl.SSLWantReadError:
                pass
            peer.send_raw(out + peer.output.read())
            # Its TLS side is closed, so Python does not decrypt any more: octets must do.
            before = len(out)
            deadline = time.monotonic() + PATIENCE_S
            raw_in = b""
            while time.monotonic() < deadline:
                peer.socket.settimeout(PATIENCE_S)
                part = peer.socket.recv(65536)
                if not part:
                    break
                raw_in += part
            records = []
            while len(raw_in) >= 5:
                length = int.from_bytes(raw_in[3:5], "big")
                records.append(length)
                raw_in = raw_in[5 + length:]
            check(max(records, default=0) > 100, f"no answer to {before} octets: {records}")


@case("slow header", "header_ms=400", "header_ms")
def _(server):
    with Tls(server.port, server.certs, alpn=("http/1.1",)) as peer:
        for octet in (get("A: b\r\n") * 3)[:30].encode():
            if not peer.send(bytes([octet])) or peer.fill(time.monotonic() + 0.05):
                break
        is_silent_end(server, peer)


@case("slow second header", "header_ms=400", "header_ms")
def _(server):
    with Tls(server.port, server.certs, alpn=("http/1.1",)) as peer:
        reader = Reader(peer)
        peer.send(get().encode() + b"GET /healthz HT")
        check(reader.answer(False) == (200, b"ok\n"), "no answer")
        check(reader.wait_end() is not None and not reader.buffer, "it does not end")


@case("nothing at all", "preface_ms=300", "preface_ms")
def _(server):
    with Tls(server.port, server.certs, alpn=("http/1.1",)) as peer:
        is_silent_end(server, peer)


@case("only empty lines", "preface_ms=500", "preface_ms")
def _(server):
    with Tls(server.port, server.certs, alpn=("http/1.1",)) as peer:
        deadline = time.monotonic() + PATIENCE_S
        while peer.end is None and time.monotonic() < deadline:
            if not peer.send(b"\r\n"):
                break
            peer.fill(time.monotonic() + 0.05)
            peer.read_plain()
        is_silent_end(server, peer)


@case("idle after an answer", "idle_ms=300", "idle_ms")
def _(server):
    with Tls(server.port, server.certs, alpn=("http/1.1",)) as peer:
        reader = Reader(peer)
        peer.send(get().encode())
        check(reader.answer(False) == (200, b"ok\n"), "no answer")
        check(reader.wait_end() is not None and not reader.buffer, "it does not end")


def peak_growth(server, run):
    """By how many KiB the server's memory rose at its highest."""
    base = server.rss_kib()
    with open(f"/proc/{server.pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")
    run()
    with open(f"/proc/{server.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) - base


def flood_unread(server, raw, reason):
    """Sends raw again and again without ever reading; the server must end it and stay small."""
    server.metrics()

    def run():
        with Tls(server.port, server.certs, alpn=("http/1.1",), rcvbuf=2048) as peer:
            for _ in range(1000):
                if not peer.send(raw, timeout=1):
                    break
            try:
                server.wait_log(lambda line: line.get("reason") == reason, PATIENCE_S)
            except AssertionError:
                ends = [line.get("reason") for line in server.log_lines()]
                raise Failed(f"no connection ended by {reason}: {ends}")

    growth = peak_growth(server, run)
    check(IS_SANITIZED or growth < MAX_GROWTH_KIB, f"grew by {growth} KiB")


@case("pipelines large answers, reads none", "write_stall_ms=500", "write_stall_ms")
def _(server):
    flood_unread(server, 2000 * get(path="/metrics", host="Host:a\r\n").encode(), "write_stall_ms")


@case("pipelines small requests, reads none", "write_stall_ms=500", "write_stall_ms")
def _(server):
    flood_unread(server, 1000 * get().encode(), "write_stall_ms")


@case("2000 requests in one go")
def _(server):
    with Tls(server.port, server.certs, alpn=("http/1.1",)) as peer:
        reader = Reader(peer)
        peer.waiting += peer.encrypt(2000 * get(path="/readyz").encode())
        for i in range(2000):
            peer.flush(0)
            answer = reader.answer(False)
            check(answer == (200, b"ready\n"), f"answer {i} is {answer}; end: {peer.end}")


@case("large answers, pipelined, read slowly")
def _(server):
    with Tls(server.port, server.certs, alpn=("http/1.1",), rcvbuf=4096) as peer:
        reader = Reader(peer)
        peer.waiting += peer.encrypt(3000 * get(path="/metrics", host="Host:a\r\n").encode())
        for i in range(3000):
            peer.flush(0)
            answer = reader.answer(False)
            check(answer is not None and answer[0] == 200 and answer[1].startswith(b"# HELP"),
                  f"answer {i} is {answer and answer[0]}; end: {peer.end}")


# ---- TLS ----------------------------------------------------------------------------------------

def check_alert(peer, hello, alert):
    """The server's answer to hello must be that alert (RFC 8446 6), in the clear, and its end."""
    peer.send_raw(hello)
    while peer.fill(time.monotonic() + PATIENCE_S):
        pass
    said = peer.input.read()
    check(said[:1] == b"\x15" and said[6:7] == bytes([alert]), f"no alert {alert}: {said[:20]!r}")
    check(peer.end is not None, "it does not end")


@case("ALPN without overlap")
def _(server):
    with Tls(server.port, server.certs, alpn=("spdy/3",), shake=False) as peer:
        check_alert(peer, peer.first_flight(), 120)


@case("TLS 1.1")
def _(server):
    peer = Tls(server.port, server.certs, alpn=None, shake=False)
    hello = bytearray(peer.first_flight())
    peer.close()
    # The same ClientHello without its supported_versions, as of TLS 1.1.
    at = hello.find(b"\x00\x2b\x00")
    hello[at:at + 2] = b"\xfa\xfa"
    hello[9:11] = b"\x03\x02"
    with Tls(server.port, server.certs, shake=False) as peer:
        check_alert(peer, bytes(hello), 70)


@case("no cipher in common")
def _(server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("AES128-SHA")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    peer = Tls(server.port, server.certs, shake=False)
    peer.tls = context.wrap_bio(peer.input, peer.output, server_hostname="localhost")
    check_alert(peer, peer.first_flight(), 40)
    peer.close()


@case("the client's alert instead of its Finished")
def _(server):
    with Tls(server.port, server.certs, shake=False) as peer:
        peer.send_raw(peer.first_flight())
        peer.fill(time.monotonic() + PATIENCE_S)
        peer.input.read()
        peer.send_raw(b"\x15\x03\x03\x00\x02\x02\x2a")
        while peer.fill(time.monotonic() + PATIENCE_S):
            pass
        check(peer.end is not None, "it does not end")


@case("a warning alert, a thousand times")
def _(server):
    with Tls(server.port, server.certs, shake=False) as peer:
        peer.send_raw(peer.first_flight())
        peer.send_raw(1000 * b"\x15\x03\x03\x00\x02\x01\x5a")
        while peer.fill(time.monotonic() + PATIENCE_S):
            pass
        check(peer.end is not None, "it does not end")


@case("a record that says 65535 octets")
def _(server):
    with Tls(server.port, server.certs) as peer:
        peer.send_raw(b"\x17\x03\x03\xff\xff" + 1000 * b"x")
        while peer.fill(time.monotonic() + PATIENCE_S):
            pass
        check(peer.end is not None, "it does not end")


# ---- running ------------------------------------------------------------------------------------

def hits(server, limit):
    return server.metrics()[f'vts_limit_hits_total{{limit="{limit}"}}']


def attempt(results, name, run):
    try:
        run()
        results.append(True)
    except (Failed, AssertionError, OSError) as error:
        print(f"FAILED {name}: {type(error).__name__}: {error}", flush=True)
        results.append(False)


def run_case(run, limits, hit):
    with Server("--threads", "1", *(["--limit", limits] if limits else [])) as server:
        before = hits(server, hit) if hit else 0
        run(server)
        check(hit is None or hits(server, hit) > before, f"{hit} was not counted")


def main():
    words, results = sys.argv[1:], []

    def is_chosen(name):
        return not words or any(word in name for word in words)

    with Server("--threads", "1") as server:
        for i, row in enumerate(row for row in ROWS if is_chosen(row[0])):
            attempt(results, row[0], lambda: run_row(server, row, ("http/1.1",)))
            if i % 5 == 0:
                attempt(results, row[0] + ", without ALPN", lambda: run_row(server, row, None))
    for name, run, limits, hit in cases:
        if is_chosen(name):
            attempt(results, name, lambda: run_case(run, limits, hit))
    print(f"h1_raw: {results.count(True)} passed, {results.count(False)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
