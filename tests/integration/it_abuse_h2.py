#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vtstatusd against peers that flood, bomb, stall and lie over HTTP/2 and TLS.

A case is one peer against a server of its own, while a bystander, a process of its own, asks for
/healthz on a connection it already has. Each abuse must end within MAX_FRAMES frames or at its
deadline, by the limit that is there for it; the server may grow by less than MAX_GROWTH_KIB, the
bystander may wait less than MAX_WAIT_MS, and the server must serve afterwards. Sizes and waits are
not asserted under a sanitizer. The machine may be busy with something else: what the bystander's
own naps were too long is forgiven its waits, and a case that fails is tried again, twice.

Usage: it_abuse_h2.py [WORD...] runs the cases whose names have one of the words; -v prints what was
measured. --cleartext has the peers come to the port without TLS.
"""
import concurrent.futures
import ctypes
import gzip
import os
import queue
import select
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from h2_raw import *  # noqa: E402,F403
from vts_server import IS_SANITIZED, Server, client_context, shared_certs  # noqa: E402

MAX_FRAMES, MAX_GROWTH_KIB, MAX_WAIT_MS, TRIES = 2000, 4096, 50, 3
NAP_S = 0.002
# Deadlines are short by --limit; the rest is for a busy machine.
PATIENCE_S = 40 if IS_SANITIZED else 8
IS_CLEARTEXT = "--cleartext" in sys.argv
# A request that is reset costs a token of either: as malformed, and as reset.
BUCKETS = ("glitches", "resets")


class Failed(Exception):
    pass


def check(holds, what):
    if not holds:
        raise Failed(what)


# ---- the bystander ------------------------------------------------------------------------------

def bystand(certs):
    """The bystander's process: PORT on stdin begins, the next line ends; answers "COUNT MAX_MS
    LATE_MS", the last being how much longer than it wanted it slept at most."""
    for line in sys.stdin:
        with socket.create_connection(("127.0.0.1", int(line)), timeout=60) as raw, \
                client_context(certs).wrap_socket(raw, server_hostname="localhost") as tls:
            count, worst, late = -1, 0.0, 0.0
            while True:
                start = time.perf_counter()
                tls.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answer = b""
                while not answer.endswith(b"ok\n"):
                    part = tls.recv(4096)
                    if not part:
                        sys.exit("the bystander was cut off")
                    answer += part
                count += 1
                if count > 0:  # the first answer only shows that the connection is open
                    worst = max(worst, time.perf_counter() - start)
                else:
                    print("ready", flush=True)
                start = time.perf_counter()
                is_over = select.select([sys.stdin], [], [], NAP_S)[0] and count > 0
                late = max(late, time.perf_counter() - start - NAP_S)
                if is_over:
                    sys.stdin.readline()
                    break
            print(count, worst * 1000, late * 1000, flush=True)


class Bystander:
    def __init__(self, certs):
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.abspath(__file__), "--bystander", str(certs)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def begin(self, port):
        self.process.stdin.write(f"{port}\n")
        check(self.process.stdout.readline() == "ready\n", "the bystander cannot begin")

    def end(self):
        """How many answers it got, the longest wait for one, and how late the machine was, in ms."""
        self.process.stdin.write("end\n")
        words = self.process.stdout.readline().split()
        check(words, "the bystander was cut off")
        return int(words[0]), float(words[1]), float(words[2])

    def stop(self):
        self.process.stdin.close()
        if self.process.wait(10) != 0:
            self.process.kill()


# ---- cases --------------------------------------------------------------------------------------

class Case:
    """hit: the limits whose counters must rise; either: one of these must. code: the error code of
    the last GOAWAY; None: it need not say. text: what it must say if that is ENHANCE_YOUR_CALM;
    None: one of those limits. ends: the peer must be told to go. is_slow: waits more than it works,
    so it runs beside others. is_tls: there is no such abuse without TLS."""

    def __init__(self, run, name, hit=(), either=(), limits="", code=None, text=None, ends=True,
                 is_slow=False, is_tls=False):
        self.run, self.name, self.limits, self.code, self.either = run, name, limits, code, either
        self.hit = (hit,) if isinstance(hit, str) else hit
        self.text, self.ends, self.is_slow, self.is_tls = text, ends, is_slow, is_tls
        self.frames, self.growth, self.wait_ms, self.end = 0, 0, 0.0, ""


cases = []


def case(name, hit=(), **more):
    def register(run):
        cases.append(Case(run, name, hit, **more))
        return run
    return register


class Scene:
    """What a case has at hand."""

    def __init__(self, server):
        self.server, self.port, self.certs = server, server.port, server.certs
        if IS_CLEARTEXT:
            self.port, self.certs = server.insecure_port, None
        self.frames, self.peers = 0, []

    def peer(self, *values, **more):
        peer = H2(self.port, self.certs, *values, **more)
        self.peers.append(peer)
        return peer

    def ready(self, *values, acks=(SETTINGS,), **more):
        """A peer whose SETTINGS are agreed, and that is in no hurry to leave when asked to."""
        peer = self.peer(*values, acks=acks, **more)
        check(peer.wait(lambda: peer.has_ack and peer.peer_settings), "no SETTINGS")
        return peer

    def flood(self, peer, make, most=MAX_FRAMES, batch=20, per=1, reads=True):
        """Sends make(0), make(1), ... of `per` frames each until the peer is told to go."""
        i = 0
        while self.frames < most and peer.end is None:
            self.frames += batch * per
            if not peer.send(b"".join(make(i + j) for j in range(batch)), timeout=1):
                break
            i += batch
            if reads:
                peer.poll(0.001)
                if peer.goaway and peer.goaway[1] != NO_ERROR:
                    break
        return peer


def odd(i):
    return 2 * i + 1


# Streams reset by either side.

@case("rapid reset", "resets", code=ENHANCE_YOUR_CALM)
def _(scene):
    scene.flood(scene.ready(), lambda i: headers(odd(i), SHORT_REQUEST) + rst_stream(odd(i)), per=2)


@case("rapid reset of requests with a body to come", "resets", code=ENHANCE_YOUR_CALM)
def _(scene):
    scene.flood(scene.ready(), lambda i: headers(odd(i), SHORT_REQUEST, False) +
                rst_stream(odd(i)), per=2)


@case("made you reset: window update of 0")
def _(scene):
    scene.flood(scene.ready(), lambda i: headers(odd(i), SHORT_REQUEST) + window_update(odd(i), 0),
                per=2)


@case("made you reset: window overflow", either=BUCKETS, code=ENHANCE_YOUR_CALM)
def _(scene):
    scene.flood(scene.ready(), lambda i: headers(odd(i), SHORT_REQUEST) +
                window_update(odd(i), 0x7fffffff), per=2)


@case("made you reset: DATA after the end")
def _(scene):
    scene.flood(scene.ready(), lambda i: headers(odd(i), SHORT_REQUEST) + data(odd(i), b"x"), per=2)


@case("made you reset: HEADERS after the end")
def _(scene):
    scene.flood(scene.ready(), lambda i: 2 * headers(odd(i), SHORT_REQUEST), per=2)


@case("made you reset: PRIORITY of 4 octets")
def _(scene):
    scene.flood(scene.ready(), lambda i: headers(odd(i), SHORT_REQUEST) +
                frame(PRIORITY, 0, odd(i), b"\0\0\0\0"), per=2)


@case("made you reset: PRIORITY on itself")
def _(scene):
    scene.flood(scene.ready(), lambda i: headers(odd(i), SHORT_REQUEST) +
                priority(odd(i), odd(i)), per=2)


@case("RST_STREAM on one closed stream", "resets", code=ENHANCE_YOUR_CALM)
def _(scene):
    peer = scene.ready()
    check(peer.get(1) == 200, "no answer")
    scene.flood(peer, lambda i: rst_stream(1))


# Header blocks.

@case("CONTINUATION never ended, many", "continuations", code=ENHANCE_YOUR_CALM)
def _(scene):
    peer = scene.ready()
    peer.send(headers(1, SHORT_REQUEST, end_headers=False))
    scene.flood(peer, lambda i: continuation(1, literal("a", "b")))


@case("CONTINUATION never ended, large", "header_bytes_hard", code=ENHANCE_YOUR_CALM)
def _(scene):
    peer = scene.ready()
    peer.send(headers(1, SHORT_REQUEST, end_headers=False))
    scene.flood(peer, lambda i: continuation(1, literal("a", "b" * 16000)), batch=1)


@case("CONTINUATION never ended, empty", "continuations", code=ENHANCE_YOUR_CALM)
def _(scene):
    peer = scene.ready()
    peer.send(headers(1, SHORT_REQUEST, end_headers=False))
    scene.flood(peer, lambda i: continuation(1, b""))


@case("CONTINUATION never ended, each on a new stream")
def _(scene):
    scene.flood(scene.ready(), lambda i: headers(odd(i), SHORT_REQUEST, end_headers=False))


@case("slow header block", "header_ms", limits="header_ms=400", code=ENHANCE_YOUR_CALM,
      is_slow=True)
def _(scene):
    peer = scene.ready()
    block = request()
    peer.send(headers(1, block[:5], end_headers=False))
    for octet in block[5:12]:
        peer.send(continuation(1, bytes([octet])))
        peer.poll(0.1)
        scene.frames += 1


@case("slow header frame", "header_ms", limits="header_ms=400", code=ENHANCE_YOUR_CALM,
      is_slow=True)
def _(scene):
    peer = scene.ready()
    for octet in headers(1, request())[:20]:
        peer.send(bytes([octet]))
        peer.poll(0.05)
    scene.frames = 1


@case("slow header block on a closed stream, as the glitch that asks to leave", "header_ms",
      limits="header_ms=400", code=ENHANCE_YOUR_CALM, is_slow=True)
def _(scene):
    peer = scene.ready()
    check(peer.get(1) == 200, "no answer")
    peer.send(headers(3, SHORT_REQUEST, end_stream=False))  # keeps the connection open
    peer.send(b"".join(priority(1) for _ in range(150)))
    peer.send(headers(1, SHORT_REQUEST, end_headers=False))
    scene.frames = 153


# HPACK.

@case("HPACK bomb: references to a large entry", "header_bytes_hard", code=ENHANCE_YOUR_CALM)
def _(scene):
    big = remembered("x", "y" * 3900)
    scene.flood(scene.ready(), lambda i: headers(
        odd(i), SHORT_REQUEST + (big if i == 0 else b"") + 60 * indexed(62)), batch=1)


@case("HPACK bomb: giant literal", code=COMPRESSION_ERROR)
def _(scene):
    block = SHORT_REQUEST + literal("x", "y" * 70000)
    parts = [block[i:i + 16000] for i in range(0, len(block), 16000)]
    peer = scene.ready()
    peer.send(headers(1, parts[0], end_headers=False))
    for part in parts[1:]:
        peer.send(continuation(1, part))
    scene.frames = len(parts)


@case("HPACK bomb: endless integer")
def _(scene):
    peer = scene.ready()
    peer.send(headers(1, SHORT_REQUEST + b"\x00\x7f" + 100 * b"\xff", end_headers=False))
    scene.flood(peer, lambda i: continuation(1, 100 * b"\xff"), batch=1)


@case("HPACK bomb: table size changes without end", ends=False)
def _(scene):
    scene.flood(scene.ready(), lambda i: headers(odd(i), 4000 * b"\x20\x3f\xe1\x1f" +
                                                 SHORT_REQUEST), batch=1, most=500)


@case("HTTP/2 bomb: references to an empty entry", "header_fields_hard", code=ENHANCE_YOUR_CALM)
def _(scene):
    block = SHORT_REQUEST + remembered("a", "") + 4000 * indexed(62)
    scene.flood(scene.ready(), lambda i: headers(odd(i), block), batch=1)


@case("HTTP/2 bomb: cookie crumbs", "header_fields_hard", code=ENHANCE_YOUR_CALM)
def _(scene):
    block = SHORT_REQUEST + 1000 * (b"\x0f\x11" + string("a"))
    scene.flood(scene.ready(), lambda i: headers(odd(i), block), batch=1)


@case("HTTP/2 bomb: below the hard limit, held by window 0",
      ("header_fields", "write_stall_ms", "resets"), limits="write_stall_ms=400",
      code=ENHANCE_YOUR_CALM, is_slow=True)
def _(scene):
    peer = scene.ready({INITIAL_WINDOW_SIZE: 0})
    block = SHORT_REQUEST + remembered("a", "") + 390 * indexed(62)
    peer.send(b"".join(headers(odd(i), block if i == 0 else SHORT_REQUEST + 391 * indexed(62))
                       for i in range(255)))
    scene.frames = 255


@case("HTTP/2 bomb: known fields, held by window 0", ("write_stall_ms", "resets"),
      limits="write_stall_ms=400", code=ENHANCE_YOUR_CALM, is_slow=True)
def _(scene):
    peer = scene.ready({INITIAL_WINDOW_SIZE: 0})
    first = remembered("accept", "a/b;q=0.1," * 20)
    for i in range(250):
        peer.send(headers(odd(i), SHORT_REQUEST + (first if i == 0 else indexed(62)) +
                          60 * indexed(62)))
    scene.frames = 250


@case("trailer bomb", "trailer_fields", code=ENHANCE_YOUR_CALM)
def _(scene):
    scene.flood(scene.ready(), lambda i: headers(odd(i), SHORT_REQUEST, False) +
                headers(odd(i), remembered("a", "") + 1000 * indexed(62)), per=2)


@case("fields with empty names", either=BUCKETS, code=ENHANCE_YOUR_CALM)
def _(scene):
    block = SHORT_REQUEST + remembered("", "") + 200 * indexed(62)
    scene.flood(scene.ready(), lambda i: headers(odd(i), block))


@case("fields with names that are no tokens", either=BUCKETS, code=ENHANCE_YOUR_CALM)
def _(scene):
    block = SHORT_REQUEST + remembered("a b", "c") + 200 * indexed(62)
    scene.flood(scene.ready(), lambda i: headers(odd(i), block))


@case("fields with control bytes in their values", either=BUCKETS, code=ENHANCE_YOUR_CALM)
def _(scene):
    block = SHORT_REQUEST + remembered("a", b"b\0c") + 200 * indexed(62)
    scene.flood(scene.ready(), lambda i: headers(odd(i), block))


@case("lists to join: many references to one Accept", limits="streams=2000", ends=False)
def _(scene):
    peer = scene.ready()
    first = SHORT_REQUEST + remembered("accept", "a" * 120) + 90 * indexed(62)
    scene.flood(peer, lambda i: headers(odd(i), first if i == 0 else SHORT_REQUEST +
                                        91 * indexed(62)), most=1000, batch=250)
    check(peer.wait(lambda: len(peer.done) >= 1000), f"only {len(peer.done)} answers")


# Frames that ask for an answer, and frames of no use.

PING_FLOOD = {"hit": "ping_strikes", "code": ENHANCE_YOUR_CALM, "text": "too_many_pings"}


@case("PING flood, replies read", **PING_FLOOD)
def _(scene):
    peer = scene.flood(scene.ready(), lambda i: ping())
    check(peer.wait_end() and peer.counts[PING] == 3, f"{peer.counts[PING]} PINGs were answered")


@case("PING flood, replies unread", **PING_FLOOD)
def _(scene):
    scene.flood(scene.ready(rcvbuf=2048), lambda i: ping(), reads=False)


@case("PING flood while a request is open", **PING_FLOOD)
def _(scene):
    peer = scene.ready()
    peer.send(headers(1, SHORT_REQUEST, end_stream=False))
    scene.flood(peer, lambda i: ping())
    check(peer.wait_end() and peer.counts[PING] == 3, f"{peer.counts[PING]} PINGs were answered")


@case("PINGs slower than the refill of a bucket", **PING_FLOOD, is_slow=True)
def _(scene):
    peer = scene.ready()
    while peer.end is None and scene.frames < 10:
        peer.send(ping())
        peer.wait_end(0.1)
        scene.frames += 1


@case("PING ACK flood", "glitches", code=ENHANCE_YOUR_CALM)
def _(scene):
    peer = scene.ready()
    peer.send(headers(1, SHORT_REQUEST, end_stream=False))  # without it, an ACK lets us leave
    scene.flood(peer, lambda i: ping(ack=True))


# Which of the two is met depends on how much of the flood comes in one turn.
SETTINGS_FLOOD = {"either": ("glitches", "outbound_acks"), "code": ENHANCE_YOUR_CALM}


@case("SETTINGS flood", **SETTINGS_FLOOD)
def _(scene):
    scene.flood(scene.ready(), lambda i: settings())


@case("SETTINGS flood that moves 200 windows", **SETTINGS_FLOOD)
def _(scene):
    peer = scene.ready({INITIAL_WINDOW_SIZE: 0})
    peer.send(b"".join(headers(odd(i), SHORT_REQUEST) for i in range(200)))
    scene.flood(peer, lambda i: settings({INITIAL_WINDOW_SIZE: 0}))


@case("SETTINGS ACK flood")
def _(scene):
    scene.flood(scene.ready(), lambda i: settings(ack=True))


@case("giant SETTINGS")
def _(scene):
    scene.flood(scene.ready(), lambda i: frame(SETTINGS, 0, 0, 2000 * b"\x00\x03\x00\x00\x00\x64"),
                batch=1)


@case("empty DATA on one stream", ("empty_frames", "glitches"), code=ENHANCE_YOUR_CALM)
def _(scene):
    peer = scene.ready()
    peer.send(headers(1, SHORT_REQUEST, end_stream=False))
    scene.flood(peer, lambda i: data(1))


@case("empty DATA on many streams", "glitches", code=ENHANCE_YOUR_CALM)
def _(scene):
    peer = scene.ready()
    peer.send(b"".join(headers(odd(i), SHORT_REQUEST, end_stream=False) for i in range(30)))
    scene.flood(peer, lambda i: data(odd(i % 30)))


@case("DATA of padding only", ("empty_frames", "glitches"), code=ENHANCE_YOUR_CALM)
def _(scene):
    peer = scene.ready()
    peer.send(headers(1, SHORT_REQUEST, end_stream=False))
    scene.flood(peer, lambda i: frame(DATA, PADDED, 1, b"\xc8" + 200 * b"\0"))


@case("empty HEADERS", code=ENHANCE_YOUR_CALM, hit=("glitches",))
def _(scene):
    scene.flood(scene.ready(), lambda i: headers(odd(i), b""))


@case("PRIORITY churn", "glitches", code=ENHANCE_YOUR_CALM)
def _(scene):
    scene.flood(scene.ready(), lambda i: priority(odd(i % 100), odd((i + 7) % 100), i % 256))


@case("PRIORITY_UPDATE flood", "glitches", code=ENHANCE_YOUR_CALM)
def _(scene):
    scene.flood(scene.ready(), lambda i: frame(0x10, 0, 0, b"\0\0\0\1u=1"))


@case("WINDOW_UPDATE flood on the connection", "glitches", code=ENHANCE_YOUR_CALM)
def _(scene):
    scene.flood(scene.ready(), lambda i: window_update(0, 1))


@case("WINDOW_UPDATE flood on a stream", "glitches", code=ENHANCE_YOUR_CALM)
def _(scene):
    peer = scene.ready()
    peer.send(headers(1, SHORT_REQUEST, end_stream=False))
    scene.flood(peer, lambda i: window_update(1, 1))


@case("unknown frames", "glitches", code=ENHANCE_YOUR_CALM)
def _(scene):
    scene.flood(scene.ready(), lambda i: frame(0xba + i % 40, 0xff, i % 5, b"?" * (i % 50)))


@case("unknown frames of full size", "glitches", code=ENHANCE_YOUR_CALM)
def _(scene):
    scene.flood(scene.ready(), lambda i: frame(0xba, 0, 0, b"?" * 16384), batch=4)


@case("DATA on a closed stream")
def _(scene):
    peer = scene.ready()
    check(peer.get(1) == 200, "no answer")
    scene.flood(peer, lambda i: data(1, b"x" * 10))


@case("HEADERS on a closed stream")
def _(scene):
    peer = scene.ready()
    check(peer.get(1) == 200, "no answer")
    scene.flood(peer, lambda i: headers(1, SHORT_REQUEST))


@case("WINDOW_UPDATE on a closed stream", "glitches", code=ENHANCE_YOUR_CALM)
def _(scene):
    peer = scene.ready()
    check(peer.get(1) == 200, "no answer")
    scene.flood(peer, lambda i: window_update(1, 1))


@case("GOAWAY flood", "glitches")
def _(scene):
    peer = scene.ready()
    peer.send(headers(1, SHORT_REQUEST, end_stream=False))
    scene.flood(peer, lambda i: goaway())


@case("PUSH_PROMISE from a client", code=PROTOCOL_ERROR)
def _(scene):
    peer = scene.ready()
    peer.send(headers(1, SHORT_REQUEST, end_stream=False))
    scene.flood(peer, lambda i: frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + SHORT_REQUEST))


@case("requests after we left", "glitches", limits="goaway_postpone_ms=50",
      code=ENHANCE_YOUR_CALM)
def _(scene):
    peer = scene.ready(acks=(SETTINGS, PING))
    peer.send(headers(1, SHORT_REQUEST, end_stream=False))  # keeps the connection open
    peer.send(b"".join(priority(1) for _ in range(160)))
    check(peer.wait(lambda: peer.counts.get(GOAWAY) == 2), "not asked to leave")
    scene.flood(peer, lambda i: headers(odd(i + 1), SHORT_REQUEST))


@case("glitches, but leaves when asked to", code=NO_ERROR)
def _(scene):
    scene.flood(scene.ready(acks=(SETTINGS, PING)), lambda i: priority(1))


# Malformed requests; each is reset, and the resets are bounded.

for _name, _block in {
        "upper-case field name": request(fields=[("Accept", "*/*")]),
        "no :path": request(None),
        "no :method": request(method=None),
        "no :scheme": request(scheme=None),
        "no :authority and no host": request(authority=None),
        "empty :path": request(""),
        "relative :path": request("status"),
        "two :paths": request(fields=[]) + literal(":path", "/healthz"),
        "pseudo-header after a field": request(fields=[("a", "b"), (":authority", "c")]),
        "unknown pseudo-header": literal(":protocol", "websocket") + request(),
        "response pseudo-header": literal(":status", "200") + request(),
        "connection field": request(fields=[("connection", "keep-alive")]),
        "transfer-encoding field": request(fields=[("transfer-encoding", "chunked")]),
        "upgrade field": request(fields=[("upgrade", "h2c")]),
        "te other than trailers": request(fields=[("te", "gzip")]),
        "content-length without a body": request(method="POST", fields=[("content-length", "5")]),
        "content-length that is no number": request(fields=[("content-length", "+5")]),
        "two content-lengths": request(fields=[("content-length", "5"), ("content-length", "5")]),
}.items():
    @case("malformed: " + _name, either=BUCKETS, code=ENHANCE_YOUR_CALM)
    def _(scene, block=_block):
        scene.flood(scene.ready(), lambda i: headers(odd(i), block))


@case("malformed: body longer than content-length", either=BUCKETS, code=ENHANCE_YOUR_CALM)
def _(scene):
    block = request(method="POST", fields=[("content-length", "1")])
    scene.flood(scene.ready(), lambda i: headers(odd(i), block, False) + data(odd(i), b"xx"), per=2)


@case("malformed: second HEADERS without an end")
def _(scene):
    scene.flood(scene.ready(), lambda i: headers(odd(i), SHORT_REQUEST, False) +
                headers(odd(i), literal("a", "b"), False), per=2)


# Stream ids.

@case("a skipped stream id used later", code=PROTOCOL_ERROR)
def _(scene):
    peer = scene.ready()
    check(peer.get(1) == 200 and peer.get(7) == 200, "no answer")
    peer.send(headers(3, SHORT_REQUEST))


@case("a skipped stream id used later, after many gaps")
def _(scene):
    scene.flood(scene.ready(), lambda i: headers(4 * i + 1, SHORT_REQUEST))


@case("even stream id", code=PROTOCOL_ERROR)
def _(scene):
    scene.ready().send(headers(2, SHORT_REQUEST))


@case("HEADERS on stream 0", code=PROTOCOL_ERROR)
def _(scene):
    scene.ready().send(headers(0, SHORT_REQUEST))


@case("DATA on an idle stream", code=PROTOCOL_ERROR)
def _(scene):
    scene.ready().send(data(5, b"x"))


@case("RST_STREAM on an idle stream", code=PROTOCOL_ERROR)
def _(scene):
    scene.ready().send(rst_stream(5))


@case("the last stream id, and then?")
def _(scene):
    peer = scene.ready()
    check(peer.get(0x7fffffff) == 200, "no answer")
    scene.flood(peer, lambda i: headers(odd(i), SHORT_REQUEST))


# Frame sizes.

@case("frame above SETTINGS_MAX_FRAME_SIZE", code=FRAME_SIZE_ERROR)
def _(scene):
    scene.ready().send(frame(0xba, 0, 0, b"?" * 16385))


@case("header block that says 16 MiB", "header_bytes_hard", code=ENHANCE_YOUR_CALM)
def _(scene):
    scene.ready().send(frame(HEADERS, END_HEADERS, 1, b"?", length=0xffffff))


for _kind, _size in ((PING, 7), (RST_STREAM, 3), (WINDOW_UPDATE, 5), (SETTINGS, 5), (GOAWAY, 7)):
    @case(f"frame of type {_kind} with {_size} octets", code=FRAME_SIZE_ERROR)
    def _(scene, kind=_kind, size=_size):
        peer = scene.ready()
        peer.send(headers(1, SHORT_REQUEST, end_stream=False))
        peer.send(frame(kind, 0, 1 if kind in (RST_STREAM, WINDOW_UPDATE) else 0, b"\0" * size))


@case("more padding than frame", code=PROTOCOL_ERROR)
def _(scene):
    peer = scene.ready()
    peer.send(headers(1, SHORT_REQUEST, end_stream=False))
    peer.send(frame(DATA, PADDED, 1, b"\xff"))


@case("truncated frames, then gone", ends=False)
def _(scene):
    whole = (headers(1, SHORT_REQUEST) + data(1, b"x" * 50) + settings({4: 5}) + ping() +
             window_update(0, 1) + headers(3, SHORT_REQUEST, end_headers=False))
    for cut in range(1, len(whole), 3):
        with H2(scene.port, scene.certs) as peer:
            peer.send(whole[:cut])
    scene.frames = len(whole) // 3


# Windows and readers.

def stalls(scene, peer, credit):
    peer.send(headers(1, request("/metrics")))
    deadline = time.monotonic() + PATIENCE_S
    while 1 not in peer.resets and time.monotonic() < deadline:
        if credit:
            peer.send(window_update(1, 1))
        peer.wait(lambda: 1 in peer.resets, 0.05)
        scene.frames += 1
    check(peer.resets.get(1) == CANCEL, "the held stream is not reset")
    check(len(peer.body.get(1, b"")) < 100, "the body came")
    check(peer.get(3, "/healthz", method="HEAD") == 200, "the connection does not go on")


@case("zero window holds a response", "write_stall_ms", limits="write_stall_ms=400", ends=False,
      is_slow=True)
def _(scene):
    stalls(scene, scene.ready({INITIAL_WINDOW_SIZE: 0}), False)


@case("credits of one octet", "write_stall_ms", limits="write_stall_ms=800", ends=False,
      is_slow=True)
def _(scene):
    stalls(scene, scene.ready({INITIAL_WINDOW_SIZE: 0}), True)


@case("zero window of the connection", ("write_stall_ms",), limits="write_stall_ms=400",
      ends=False, is_slow=True)
def _(scene):
    peer = scene.ready({INITIAL_WINDOW_SIZE: 0x7fffffff})
    for i in range(100):
        peer.send(headers(odd(i), request("/metrics")))
    peer.wait(lambda: len(peer.resets) > 10, PATIENCE_S)
    check(len(peer.resets) > 10, "held streams are not reset")
    scene.frames = 100


@case("small calls with large answers, held by window 0", "answer_memory", ends=False,
      limits="answer_memory=500000")
def _(scene):
    peer = scene.ready({INITIAL_WINDOW_SIZE: 0})
    batch = gzip.compress(b'{"jobIds":[' + b",".join([b'""'] * 1000) + b"]}")
    block = request("/vtstatus.v1.StatusService/BatchGetStatus", "POST",
                    [("content-type", "application/json"), ("content-encoding", "gzip")])
    peer.send(b"".join(headers(odd(i), block, False) + data(odd(i), batch, True)
                       for i in range(250)))
    # An answer has some 80 000 octets.
    peer.wait(lambda: len(peer.status) >= 7, PATIENCE_S)
    check(peer.get(odd(250), "/healthz", method="HEAD") == 200, "the connection does not go on")
    check(7 < len(peer.status) < 20, f"{len(peer.status)} are answered")
    scene.frames = 500


def wait_reason(scene, reason):
    try:
        scene.server.wait_log(lambda line: line.get("reason") == reason, PATIENCE_S)
    except AssertionError:
        raise Failed(f"no connection ended by {reason}")


@case("never reads the socket, requests", "write_stall_ms", limits="write_stall_ms=500", ends=False,
      is_slow=True)
def _(scene):
    peer = scene.ready({INITIAL_WINDOW_SIZE: 0x7fffffff}, rcvbuf=2048)
    peer.send(window_update(0, 0x7fff0000 - 65535))
    # Large enough that one read of the server's takes fewer than it allows at once.
    block = request("/metrics", fields=[("x", "y" * 400)])
    scene.flood(peer, lambda i: headers(odd(i), block), reads=False, batch=50)
    wait_reason(scene, "write_stall_ms")


@case("never reads the socket, PINGs after a quiet while", (), ends=False, is_slow=True,
      limits="write_stall_ms=500,ping_strikes=1000000000,outbound_acks=1000000")
def _(scene):
    peer = scene.ready(rcvbuf=2048)
    peer.poll(1.5)  # nothing is due any more but the idle deadline
    scene.flood(peer, lambda i: ping(), reads=False, batch=2000, most=2000000)
    wait_reason(scene, "write_stall_ms")
    scene.frames = MAX_FRAMES


# Requests that never end.

@case("requests that never end", ("bodies", "resets"), code=ENHANCE_YOUR_CALM)
def _(scene):
    scene.flood(scene.ready(), lambda i: headers(odd(i), SHORT_REQUEST, end_stream=False))


@case("more requests at once than allowed", code=PROTOCOL_ERROR)
def _(scene):
    scene.flood(scene.ready({INITIAL_WINDOW_SIZE: 0}), lambda i: headers(odd(i), SHORT_REQUEST))


@case("refused requests that go on", "bodies", either=BUCKETS, code=ENHANCE_YOUR_CALM)
def _(scene):
    scene.flood(scene.ready(), lambda i: headers(odd(i), SHORT_REQUEST, False) +
                data(odd(i), b"x") + headers(odd(i), literal("a", "b")) if i >= 32 else
                headers(odd(i), SHORT_REQUEST, False), per=2)


@case("slow body", "body_rate", limits="body_rate_ms=500", ends=False, is_slow=True)
def _(scene):
    peer = scene.ready()
    peer.send(headers(1, request("/status", method="POST"), end_stream=False))
    deadline = time.monotonic() + PATIENCE_S
    while 1 not in peer.status and time.monotonic() < deadline:
        peer.send(data(1, b"x"))
        peer.poll(0.1)
        scene.frames += 1
    check(peer.status.get(1) == 408, f"answer {peer.status.get(1)}, not 408")
    check(peer.get(3) == 200, "the connection does not go on")


@case("endless body", "body_bytes", limits="body_bytes=100000", ends=False)
def _(scene):
    peer = scene.ready()
    peer.send(headers(1, request("/status", method="POST"), end_stream=False))
    for _ in range(20):
        peer.send(data(1, b"x" * 8000))
        peer.poll(0.001)
        scene.frames += 1
        if 1 in peer.status:
            break
    peer.wait(lambda: 1 in peer.done)
    check(peer.status.get(1) == 413, f"answer {peer.status.get(1)}, not 413")
    check(peer.get(3) == 200, "the connection does not go on")


@case("idle", "idle_ms", limits="idle_ms=300", code=NO_ERROR, is_slow=True)
def _(scene):
    check(scene.ready().get(1) == 200, "no answer")


@case("idle but for PINGs", "idle_ms", limits="idle_ms=600,ping_strikes=1000", code=NO_ERROR,
      is_slow=True)
def _(scene):
    peer = scene.ready()
    while peer.end is None and scene.frames < 60:
        peer.send(ping())
        peer.poll(0.1)
        scene.frames += 1


# Bad first flights.

def ends_raw(scene, limit, octets=b"", shake=False, pause=0.02):
    """Sends octets one by one over TCP or TLS; the server must end it."""
    peer = Tls(scene.port, scene.certs, shake=shake)
    scene.peers.append(peer)
    flight = octets(peer) if callable(octets) else octets
    deadline = time.monotonic() + PATIENCE_S
    while peer.end is None and time.monotonic() < deadline:
        if flight and not (peer.send(flight[:1]) if shake else peer.send_raw(flight[:1])):
            break
        flight = flight[1:]
        if not peer.fill(time.monotonic() + pause) and not flight:
            peer.fill(deadline)
        peer.read_plain() if shake else None
    check(peer.end is not None, f"it does not end by {limit}")


@case("no ClientHello", "handshake_ms", limits="handshake_ms=300", is_slow=True, is_tls=True)
def _(scene):
    ends_raw(scene, "handshake_ms")


@case("slow ClientHello", "handshake_ms", limits="handshake_ms=300", is_slow=True, is_tls=True)
def _(scene):
    ends_raw(scene, "handshake_ms", lambda peer: peer.first_flight()[:-1])


@case("ClientHello and no more", "handshake_ms", limits="handshake_ms=300", is_slow=True,
      is_tls=True)
def _(scene):
    ends_raw(scene, "handshake_ms", lambda peer: peer.first_flight(), pause=0)


@case("no preface", "preface_ms", limits="preface_ms=300", is_slow=True)
def _(scene):
    ends_raw(scene, "preface_ms", shake=True)


@case("slow preface", "preface_ms", limits="preface_ms=300", is_slow=True)
def _(scene):
    ends_raw(scene, "preface_ms", PREFACE, shake=True, pause=0.05)


@case("preface without SETTINGS", "preface_ms", limits="preface_ms=300", code=ENHANCE_YOUR_CALM,
      is_slow=True)
def _(scene):
    scene.peer(start=False, acks=()).send(PREFACE)


@case("no SETTINGS ACK", "settings_ack_ms", limits="settings_ack_ms=300", is_slow=True)
def _(scene):
    scene.peer(acks=())


@case("no SETTINGS ACK, but requests", "settings_ack_ms", limits="settings_ack_ms=500",
      is_slow=True)
def _(scene):
    peer = scene.peer(acks=())
    while peer.end is None and scene.frames < 200:
        peer.get(odd(scene.frames), timeout=1)
        peer.poll(0.01)
        scene.frames += 1


@case("bad preface")
def _(scene):
    scene.peer(start=False).send(b"PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n" + settings())


@case("HTTP/1.1 after ALPN h2", is_tls=True)
def _(scene):
    scene.peer(start=False).send(b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")


@case("first frame is no SETTINGS", code=PROTOCOL_ERROR)
def _(scene):
    scene.peer(start=False).send(PREFACE + headers(1, SHORT_REQUEST))


# TLS.

@case("garbage after the handshake", is_tls=True)
def _(scene):
    scene.ready().send_raw(b"\x17\x03\x03\x00\x40" + os.urandom(64))


@case("plain text after the handshake", is_tls=True)
def _(scene):
    scene.ready().send_raw(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")


@case("plain HTTP instead of TLS", is_tls=True)
def _(scene):
    peer = Tls(scene.port, scene.certs, shake=False)
    scene.peers.append(peer)
    peer.send_raw(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    while peer.fill(time.monotonic() + PATIENCE_S):
        pass


@case("renegotiation", ends=False, is_tls=True)
def _(scene):
    run = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{scene.port}", "-tls1_2",
                          "-CAfile", f"{scene.certs}/ca.pem"], input=b"R\n", capture_output=True,
                         timeout=PATIENCE_S, check=False)
    said = run.stdout + run.stderr
    check(b"RENEGOTIATING" in said, "openssl did not try")
    check(b"no renegotiation" in said or b"handshake failure" in said,
          f"renegotiation is not refused: {said[-200:]}")


class OpenSsl:
    """OpenSSL itself, for what Python's ssl does not offer. Blocking, over TLS 1.3."""

    def __init__(self, port):
        self.lib = ctypes.CDLL("libssl.so.3")
        for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
            getattr(self.lib, name).restype = ctypes.c_void_p
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.context = self.call("SSL_CTX_new", self.call("TLS_client_method"))
        self.ssl = self.call("SSL_new", self.context)
        self.call("SSL_set_fd", self.ssl, self.socket.fileno())
        check(self.call("SSL_connect", self.ssl) == 1, "no handshake")

    def call(self, name, *values):
        """Pointers are kept as numbers, which ctypes would cut to 32 bits."""
        return getattr(self.lib, name)(*(ctypes.c_void_p(v) if isinstance(v, int) and v >> 16 else v
                                         for v in values))

    def update_key(self, wants_answer):
        return self.call("SSL_key_update", self.ssl, int(wants_answer)) == 1 and \
            self.call("SSL_do_handshake", self.ssl) == 1

    def close(self):
        self.call("SSL_free", self.ssl)
        self.call("SSL_CTX_free", self.context)
        self.socket.close()


@case("TLS key updates without end", "key_updates", ends=False, is_tls=True)
def _(scene):
    peer = OpenSsl(scene.port)
    count = 0
    while count < 1000000 and peer.update_key(False):
        count += 1
    peer.close()
    check(count < 1000000, "it goes on")


@case("TLS key updates without end, answers unread", "key_updates", ends=False, is_tls=True)
def _(scene):
    peer = OpenSsl(scene.port)
    count = 0
    while count < 1000000 and peer.update_key(True):
        count += 1
    peer.close()
    check(count < 1000000, "it goes on")


@case("2000 connections dropped in the handshake", ends=False, limits="handshake_ms=2000",
      is_tls=True)
def _(scene):
    hello = Tls(scene.port, scene.certs, shake=False).first_flight()
    held = []
    for i in range(MAX_FRAMES):
        raw = socket.create_connection(("127.0.0.1", scene.port), timeout=PATIENCE_S)
        raw.sendall(hello if i % 2 else hello[:100])
        held.append(raw)
        if len(held) > 100:
            held.pop(0).close()
    for raw in held:
        raw.close()
    scene.frames = MAX_FRAMES


@case("connections with deadlines one behind the other", "handshake_ms", ends=False,
      limits="handshake_ms=30", is_slow=True, is_tls=True)
def _(scene):
    # A timer that was found due by one clock and not yet due by another once ran for ever.
    held, until = [], time.monotonic() + 3
    while time.monotonic() < until:
        held.append(socket.create_connection(("127.0.0.1", scene.port), timeout=PATIENCE_S))
        if len(held) > 100:
            held.pop(0).close()
    for raw in held:
        raw.close()


# ---- honest peers, which no limit may meet ------------------------------------------------------

def honest(name, **more):
    return case("honest: " + name, ends=False, **more)


@honest("20 cancels a second", is_slow=True)
def _(scene):
    peer = scene.ready()
    start = time.monotonic()
    for i in range(100):
        peer.send(headers(odd(i), SHORT_REQUEST) + rst_stream(odd(i)))
        while time.monotonic() < start + i / 20:
            peer.poll(max(0, start + i / 20 - time.monotonic()))
    check(peer.get(odd(200)) == 200 and peer.goaway is None, f"told to go: {peer.goaway}")


@honest("windows updated often")
def _(scene):
    peer = scene.ready()
    for i in range(300):
        check(peer.get(odd(i), "/metrics" if i % 3 == 0 else "/healthz") == 200, "no answer")
        peer.send(window_update(0, len(peer.body[odd(i)])) + window_update(odd(i), 100))
    check(peer.goaway is None, f"told to go: {peer.goaway}")


@honest("PRIORITY frames as nghttp sends them")
def _(scene):
    peer = scene.ready()
    peer.send(b"".join(priority(stream, parent, weight) for stream, parent, weight in
                       ((3, 0, 200), (5, 0, 100), (7, 0, 0), (9, 7, 0), (11, 3, 0))))
    block = b"\0\0\0\x0b\x0f" + SHORT_REQUEST
    peer.send(frame(HEADERS, END_STREAM | END_HEADERS | HAS_PRIORITY, 13, block))
    check(peer.wait(lambda: 13 in peer.done) and peer.status[13] == 200, "no answer")
    check(peer.goaway is None, f"told to go: {peer.goaway}")


@honest("PINGs after data, as gRPC measures")
def _(scene):
    peer = scene.ready()
    for i in range(300):
        check(peer.get(odd(i)) == 200, "no answer")
        peer.send(ping())
    check(peer.wait(lambda: peer.counts.get(PING, 0) >= 300), "PINGs without answer")
    check(peer.goaway is None, f"told to go: {peer.goaway}")


@honest("a few PINGs before the first request")
def _(scene):
    peer = scene.ready()
    for _ in range(3):
        peer.send(ping())
    check(peer.get(1) == 200, "no answer")
    for i in range(1, 300):
        peer.send(3 * ping() + headers(odd(i), SHORT_REQUEST))
        check(peer.wait(lambda: odd(i) in peer.done), "no answer")
    check(peer.counts.get(PING) == 3 * 300, f"{peer.counts.get(PING)} PINGs were answered")
    check(peer.goaway is None, f"told to go: {peer.goaway}")


@honest("PINGs that keep a connection alive", limits="ping_interval_ms=50,ping_interval_idle_ms=100",
        is_slow=True)
def _(scene):
    peer = scene.ready()
    for stream, gap in ((0, 0.1), (1, 0.05)):
        if stream:
            peer.send(headers(stream, request("/status", method="POST"), end_stream=False))
        for _ in range(6):
            peer.send(ping())
            peer.wait_end(gap)  # reads for so long
    check(peer.counts.get(PING) == 12 and peer.goaway is None, f"told to go: {peer.goaway}")


@honest("bodies with trailers")
def _(scene):
    peer = scene.ready()
    for i in range(300):
        peer.send(headers(odd(i), request("/status", method="POST"), end_stream=False) +
                  data(odd(i), b"hello") + headers(odd(i), literal("x-checksum", "1")))
        check(peer.wait(lambda: odd(i) in peer.done), "no answer")
        check(peer.status[odd(i)] == 405, f"answer {peer.status[odd(i)]}, not 405")
    check(peer.goaway is None, f"told to go: {peer.goaway}")


@honest("1000 requests one after the other")
def _(scene):
    peer = scene.ready()
    for i in range(1000):
        check(peer.get(odd(i)) == 200, f"no answer to request {i}")
    check(peer.goaway is None, f"told to go: {peer.goaway}")


@honest("2000 requests, 250 at once")
def _(scene):
    peer = scene.ready()
    for start in range(0, 2000, 250):
        peer.send(b"".join(headers(odd(i), SHORT_REQUEST) for i in range(start, start + 250)))
        check(peer.wait(lambda: len(peer.done) == start + 250), "answers are missing")
    check(set(peer.status.values()) == {200} and peer.goaway is None, "not all answered well")


@honest("a TLS key update now and then", is_tls=True)
def _(scene):
    peer = OpenSsl(scene.port)
    ask = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = ctypes.create_string_buffer(4096)
    for _ in range(50):
        check(peer.update_key(True), "no key update")
        check(peer.call("SSL_write", peer.ssl, ask, len(ask)) == len(ask), "the request fails")
        length = peer.call("SSL_read", peer.ssl, answer, len(answer))
        check(answer.raw[:max(0, length)].startswith(b"HTTP/1.1 200 "), "no answer")
    peer.close()


@honest("odd shapes of frames")
def _(scene):
    peer = scene.ready()
    block = request("/status", fields=[("te", "trailers"), ("host", "localhost")])
    padded = b"\x05" + SHORT_REQUEST + 5 * b"\0"
    peer.send(frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, padded))
    peer.send(headers(3, block[:7], end_headers=False) + continuation(3, block[7:30]) +
              continuation(3, block[30:], end_headers=True))
    peer.send(headers(5, request(method="OPTIONS", path="*")))
    peer.send(headers(7, literal(":method", "CONNECT") + literal(":authority", "localhost:1")))
    peer.send(headers(9, request(method="BREW")))
    peer.send(headers(11, request(fields=[("host", "elsewhere")])))
    check(peer.wait(lambda: len(peer.done) == 6), f"answers only to {peer.done}")
    check(peer.status[1] == 200 and peer.status[3] in (200, 404), f"answers {peer.status}")
    check(peer.status[5] == 404 and peer.status[11] == 400, f"answers {peer.status}")
    check(peer.status[7] == peer.status[9] == 501, f"answers {peer.status}")
    check(peer.goaway is None, f"told to go: {peer.goaway}")


def sized_request(fields_count, list_bytes):
    """A header block with so many fields and so many octets as RFC 9113 6.5.2 counts them."""
    used = sum(len(a) + len(b) + 32 for a, b in (
        (":method", "GET"), (":scheme", "https"), (":authority", "localhost"),
        (":path", "/healthz")))
    fields = [(f"x{i:03}", "") for i in range(fields_count - 5)]
    used += 36 * len(fields)
    return request(fields=[*fields, ("y", "z" * (list_bytes - used - 33))])


@honest("header lists up to the limits, and past them", limits="continuations=8")
def _(scene):
    def ask(stream, block):
        parts = [block[i:i + 16000] for i in range(0, len(block), 16000)]
        out = headers(stream, parts[0], end_headers=len(parts) == 1)
        for i, part in enumerate(parts[1:], 2):
            out += continuation(stream, part, end_headers=i == len(parts))
        peer.send(out)
        check(peer.wait(lambda: stream in peer.done or stream in peer.resets), "no answer")
        return peer.status.get(stream)

    peer = scene.ready()
    for stream, fields, octets, code in ((1, 100, 16384, 200), (3, 101, 16000, 431),
                                         (5, 90, 16385, 431), (7, 300, 60000, 431)):
        got = ask(stream, sized_request(fields, octets))
        check(got == code, f"{fields} fields, {octets} octets: {got}, not {code}")
    # What a refused request put into the table is there for the next.
    head = indexed(2) + indexed(7) + b"\x01" + string("localhost")
    got = ask(9, head + b"\x44" + string("/nowhere") + 200 * literal("a", "b"))
    check(got == 431, f"{got}, not 431")
    check(ask(11, head + indexed(62)) == 404, "the table was lost with a refused request")
    got = ask(13, request("/" + "a" * 8191))
    check(got == 404, f"path of 8192 octets: {got}, not 404")
    got = ask(15, request("/" + "a" * 8192))
    check(got == 414, f"path of 8193 octets: {got}, not 414")
    check(peer.goaway is None, f"told to go: {peer.goaway}")


# ---- running ------------------------------------------------------------------------------------

def warm_up(server):
    """Makes the server touch what any use touches, so that only growth by abuse is seen."""
    with H2(server.port, server.certs, {INITIAL_WINDOW_SIZE: 0}) as peer:
        peer.send(b"".join(headers(odd(i), SHORT_REQUEST) for i in range(200)))
        peer.wait(lambda: len(peer.status) == 200)
        peer.send(headers(odd(200), request(fields=[("A", "b")])) + window_update(0, 0))
        peer.wait_end()
    with H2(server.port, server.certs) as peer:
        peer.send(b"".join(headers(odd(i), SHORT_REQUEST) for i in range(200)))
        peer.wait(lambda: len(peer.done) == 200)
    server.metrics()


def reset_peak(server):
    with open(f"/proc/{server.pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def peak_kib(server):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


def hits(server):
    return {name.split('"')[1]: value for name, value in server.metrics().items()
            if name.startswith("vts_limit_hits_total")}


def check_end(test, scene):
    for peer in scene.peers if test.ends else ():
        is_h2 = isinstance(peer, H2)
        check(peer.wait_end(PATIENCE_S) if is_h2 else peer.end,
              f"it goes on after {scene.frames} frames")
        goodbye = peer.goaway if is_h2 else None
        test.end = f"{goodbye}" if goodbye else peer.end
        if test.code is None:
            continue
        check(goodbye is not None, f"no GOAWAY; the end was {peer.end}")
        check(goodbye[1] == test.code, f"GOAWAY says {goodbye[1:]}, not code {test.code}")
        if test.code == ENHANCE_YOUR_CALM:
            texts = (test.text,) if test.text else (*test.hit, *test.either)
            check(goodbye[2] in texts, f"GOAWAY says {goodbye[2]!r}, not {texts}")


def play(test, server, bystander):
    warm_up(server)
    before = hits(server)
    base = server.rss_kib()
    reset_peak(server)
    bystander.begin(server.port)
    scene = Scene(server)
    try:
        test.run(scene)
        check_end(test, scene)
    finally:
        for peer in scene.peers:
            peer.close()
        count, test.wait_ms, late_ms = bystander.end()
    test.growth, test.frames = peak_kib(server) - base, scene.frames
    after = hits(server)
    for limit in test.hit:
        check(after[limit] > before[limit], f"{limit} was not counted")
    check(not test.either or any(after[limit] > before[limit] for limit in test.either),
          f"none of {test.either} was counted")
    if test.name.startswith("honest"):
        risen = [name for name in after if after[name] > before[name] and name != "linger_ms"]
        check(not set(risen) - {"header_fields", "header_bytes", "path_bytes"}, f"hit {risen}")
    # Abuse shows in no access log; the line at a connection's end is its only trace.
    vague = [line for line in server.log_lines()
             if line.get("protocol") == "h2" and line.get("reason") == "finished"]
    check(not vague, f"the log does not say why: {vague}")
    check(scene.frames <= MAX_FRAMES + 100, f"it took {scene.frames} frames")
    check(count > 0, "the bystander got no answer")
    with H2(server.port, server.certs) as peer:
        check(peer.get(1) == 200, "the server does not serve afterwards")
    if not IS_SANITIZED:
        check(test.growth < MAX_GROWTH_KIB, f"grew by {test.growth} KiB")
        check(test.wait_ms < MAX_WAIT_MS + late_ms,
              f"a bystander waited for {test.wait_ms:.0f} ms, of them {late_ms:.0f} for the machine")


def try_case(test, bystanders):
    """The reason why it failed, or None."""
    bystander = bystanders.get()
    try:
        flags = ["--limit", test.limits] if test.limits else []
        if IS_CLEARTEXT:
            flags += ["--insecure-listen", "127.0.0.1:0"]
        # One loop, so that the bystander shares it with the abuser.
        with Server("--threads", "1", *flags) as server:
            play(test, server, bystander)
        return None
    except (Failed, AssertionError, OSError, ValueError, subprocess.SubprocessError) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        if bystander.process.poll() is not None:
            bystander = Bystander(shared_certs())
        bystanders.put(bystander)


def run_case(test, bystanders, is_verbose):
    for _ in range(TRIES):
        reason = try_case(test, bystanders)
        if is_verbose:
            print(f"{test.name:60} {test.frames:6} {test.growth:6} KiB {test.wait_ms:6.1f} ms  "
                  f"{test.end}{'  FAILED ' + reason if reason else ''}", flush=True)
        if reason is None:
            return True
    print(f"FAILED {test.name}: {reason}", flush=True)
    return False


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    chosen = [c for c in cases if not words or any(word in c.name for word in words)]
    chosen = [c for c in chosen if not (IS_CLEARTEXT and c.is_tls)]
    bystanders = queue.Queue()
    pool = [Bystander(shared_certs()) for _ in range(6)]
    for bystander in pool:
        bystanders.put(bystander)
    with concurrent.futures.ThreadPoolExecutor(len(pool)) as workers:
        def run(test):
            return run_case(test, bystanders, "-v" in sys.argv)
        results = list(workers.map(run, [c for c in chosen if c.is_slow]))
        results += [run(test) for test in chosen if not test.is_slow]
    while not bystanders.empty():
        bystanders.get().stop()
    print(f"abuse_h2: {results.count(True)} passed, {results.count(False)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bystander"]:
        bystand(sys.argv[2])
    else:
        sys.exit(main())
