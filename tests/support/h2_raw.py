# SPDX-License-Identifier: Apache-2.0
"""An HTTP/2 client that does what it is told: frames and HPACK by hand, right or wrong.

    peer = H2(port, certs)                       # TLS unless certs is None, preface, SETTINGS
    peer.send(headers(1, request("/status")))
    peer.wait(lambda: 1 in peer.status)

TLS runs over memory (MemoryBIO), so plain bytes and broken records can share one segment. Nothing
here asserts; tests look at what came: status, resets, goaway, end. Of a response's header only
:status is read, which needs no HPACK state as the client allows no dynamic table (SETTINGS).
"""
import select
import socket
import ssl
import struct
import time

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, \
    CONTINUATION = range(10)
ACK = END_STREAM = 0x1
END_HEADERS, PADDED, HAS_PRIORITY = 0x4, 0x8, 0x20
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, \
    FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, \
    ENHANCE_YOUR_CALM = range(12)
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, \
    MAX_HEADER_LIST_SIZE = range(1, 7)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
STATIC_STATUS = {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}


# ---- frames -------------------------------------------------------------------------------------

def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """One frame; length, when given, is a lie about the payload's."""
    length = len(payload) if length is None else length
    return struct.pack("!I", length)[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def settings(values=(), ack=False):
    pairs = dict(values).items()
    return frame(SETTINGS, ACK if ack else 0, 0, b"".join(struct.pack("!HI", *p) for p in pairs))


def headers(stream, block, end_stream=True, end_headers=True):
    return frame(HEADERS, (END_STREAM if end_stream else 0) | (END_HEADERS if end_headers else 0),
                 stream, block)


def continuation(stream, block, end_headers=False):
    return frame(CONTINUATION, END_HEADERS if end_headers else 0, stream, block)


def data(stream, body=b"", end_stream=False):
    return frame(DATA, END_STREAM if end_stream else 0, stream, body)


def rst_stream(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack("!I", code))


def window_update(stream, by):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack("!I", by))


def ping(text=b"12345678", ack=False):
    return frame(PING, ACK if ack else 0, 0, text)


def priority(stream, parent=0, weight=15):
    return frame(PRIORITY, 0, stream, struct.pack("!IB", parent, weight))


def goaway(code=NO_ERROR, last=0, text=b""):
    return frame(GOAWAY, 0, 0, struct.pack("!II", last, code) + text)


# ---- HPACK (RFC 7541), without Huffman ----------------------------------------------------------

def integer(number, bits, first=0):
    top = (1 << bits) - 1
    if number < top:
        return bytes([first | number])
    out, number = bytes([first | top]), number - top
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def string(text):
    text = text.encode() if isinstance(text, str) else text
    return integer(len(text), 7) + text


def indexed(index):
    return integer(index, 7, 0x80)


def literal(name, value):
    """Never enters the table."""
    return b"\x00" + string(name) + string(value)


def remembered(name, value):
    """Enters the dynamic table, as index 62."""
    return b"\x40" + string(name) + string(value)


def request(path="/healthz", method="GET", fields=(), authority="localhost", scheme="https"):
    """A header block; fields are pairs, or bytes that are HPACK already."""
    block = b"".join(literal(name, value) for name, value in (
        (":method", method), (":scheme", scheme), (":authority", authority), (":path", path))
        if value is not None)
    return block + b"".join(f if isinstance(f, bytes) else literal(*f) for f in fields)


# A GET of /healthz in a few octets: three fields of the static table and a literal path.
SHORT_REQUEST = indexed(2) + indexed(7) + b"\x01" + string("localhost") + b"\x04" + \
    string("/healthz")
DIGIT_CODES = {0b00000: 0, 0b00001: 1, 0b00010: 2, 0b011001: 3, 0b011010: 4, 0b011011: 5,
               0b011100: 6, 0b011101: 7, 0b011110: 8, 0b011111: 9}


def huffman_digits(text, count=3):
    bits = "".join(f"{byte:08b}" for byte in text)
    number = at = 0
    for _ in range(count):
        width = 5 if bits[at:at + 5] in ("00000", "00001", "00010") else 6
        number = number * 10 + DIGIT_CODES[int(bits[at:at + width], 2)]
        at += width
    return number


def status_of(block):
    """The code at the front of a response's header block; 0 when it cannot be read."""
    while block and block[0] & 0xe0 == 0x20:  # a change of the table's size
        at = 1
        if block[0] & 0x1f == 0x1f:
            while block[at] & 0x80:
                at += 1
            at += 1
        block = block[at:]
    if len(block) > 0 and block[0] & 0x80:
        return STATIC_STATUS.get(block[0] & 0x7f, 0)
    if len(block) < 3 or block[0] & 0x0f not in (8, 9, 10, 11, 12, 13, 14):
        return 0
    text = block[2:2 + (block[1] & 0x7f)]
    return huffman_digits(text) if block[1] & 0x80 else int(text)


# ---- TLS over memory ----------------------------------------------------------------------------

class Bare:
    """In place of an SSLObject where there is no TLS: bytes pass as they are."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink

    def do_handshake(self):
        pass

    def write(self, plain):
        self.sink.write(plain)

    def read(self, most):
        part = self.source.read(most)
        if not part:
            raise ssl.SSLWantReadError
        return part


class Tls:
    """A TLS client whose every byte on the wire is at hand. end: None, or how the peer ended:
    "close" (in good order), "reset", or the name of a TLS alert. certs: a folder with a ca.pem, or
    the file itself, or None: there is no TLS; identity: the files of a certificate and its key to show."""

    def __init__(self, port, certs, alpn=("h2",), shake=True, timeout=10, rcvbuf=None,
                 identity=None, hostname="localhost", **changes):
        self.socket = socket.socket()
        if rcvbuf:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.input, self.output = ssl.MemoryBIO(), ssl.MemoryBIO()
        if certs is None:
            self.tls = Bare(self.input, self.output)
        else:
            self.set_up(certs, alpn, identity, changes)
            self.tls = self.context.wrap_bio(self.input, self.output, server_hostname=hostname)
        self.end, self.waiting = None, b""
        if shake:
            self.shake_hands(timeout)

    def set_up(self, certs, alpn, identity, changes):
        ca = str(certs) if str(certs).endswith(".pem") else str(certs) + "/ca.pem"
        self.context = ssl.create_default_context(cafile=ca)
        if identity:
            self.context.load_cert_chain(*identity)
        if alpn:
            self.context.set_alpn_protocols(list(alpn))
        for name, value in changes.items():
            setattr(self.context, name, value)

    def shake_hands(self, timeout=10):
        deadline = time.monotonic() + timeout
        while self.end is None:
            try:
                self.tls.do_handshake()
                self.waiting += self.output.read()
                return self.flush(deadline)
            except ssl.SSLWantReadError:
                self.waiting += self.output.read()
                if not self.flush(deadline) or not self.fill(deadline):
                    return False
            except ssl.SSLError as error:
                self.end = error.reason or "TLS"
        return False

    def encrypt(self, plain):
        """The records for plain, not yet sent."""
        self.tls.write(plain)
        return self.output.read()

    def first_flight(self):
        """The ClientHello, not yet sent."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.output.read()

    def flush(self, deadline):
        """Sends what waits; False when the peer does not take it in time or has ended."""
        while self.waiting and self.end is None:
            try:
                sent = self.socket.send(self.waiting)
                self.waiting = self.waiting[sent:]
            except BlockingIOError:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([], [self.socket], [], left)[1]:
                    return False
            except OSError:
                # What the peer said before is still to be read.
                self.waiting = b""
                return False
        return self.end is None

    def send_raw(self, raw, timeout=10):
        self.waiting += raw
        return self.flush(time.monotonic() + timeout)

    def send(self, plain, timeout=10):
        return self.send_raw(self.encrypt(plain), timeout)

    def fill(self, deadline):
        """Reads once from the socket; False at the deadline or at the end."""
        if self.end is not None:
            return False
        left = max(0, deadline - time.monotonic())
        if not select.select([self.socket], [], [], left)[0]:
            return False
        try:
            raw = self.socket.recv(65536)
        except BlockingIOError:
            return False
        except OSError:
            self.end = "reset"
            return False
        if raw:
            self.input.write(raw)
        else:
            self.end = "close"
        return bool(raw)

    def read_plain(self):
        """What has come, decrypted."""
        out = b""
        while True:
            try:
                part = self.tls.read(65536)
            except ssl.SSLWantReadError:
                return out
            except ssl.SSLZeroReturnError:
                part = b""
            except ssl.SSLError as error:
                self.end = error.reason or "TLS"
                return out
            if not part:
                self.end = self.end or "close"
                return out
            out += part

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# ---- HTTP/2 -------------------------------------------------------------------------------------

class H2(Tls):
    """What the server said: status {stream: code}, body {stream: bytes}, done {streams}, resets
    {stream: code}, goaway (last stream, code, text) of the last GOAWAY, counts {frame type: n}.
    acks: the types of frames that are acknowledged."""

    def __init__(self, port, certs, values=(), start=True, acks=(SETTINGS, PING), **more):
        super().__init__(port, certs, **more)
        self.buffer, self.acks = b"", acks
        self.status, self.body, self.done, self.resets = {}, {}, set(), {}
        self.goaway, self.counts, self.peer_settings, self.has_ack = None, {}, {}, False
        if start and self.end is None:
            self.send(PREFACE + settings({HEADER_TABLE_SIZE: 0, **dict(values)}))

    def take(self, kind, flags, stream, payload):
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if kind == HEADERS:
            self.status[stream] = status_of(payload)
        elif kind == DATA:
            self.body[stream] = self.body.get(stream, b"") + payload
        elif kind == RST_STREAM:
            self.resets[stream] = struct.unpack("!I", payload)[0]
        elif kind == GOAWAY:
            self.goaway = (*struct.unpack("!II", payload[:8]), payload[8:].decode())
        elif kind == SETTINGS and flags & ACK:
            self.has_ack = True
        elif kind == SETTINGS:
            self.peer_settings = dict(struct.iter_unpack("!HI", payload))
            if SETTINGS in self.acks:
                self.send(settings(ack=True))
        elif kind == PING and not flags & ACK and PING in self.acks:
            self.send(ping(payload, ack=True))
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            self.done.add(stream)

    def poll(self, timeout=0.0):
        """Reads what is there, waiting at most so long for the first of it."""
        deadline = time.monotonic() + timeout
        while self.fill(deadline):
            deadline = 0
            self.parse()
        self.parse()

    def parse(self):
        self.buffer += self.read_plain()
        while len(self.buffer) >= 9:
            length = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < 9 + length:
                break
            kind, flags, stream = struct.unpack("!BBI", self.buffer[3:9])
            payload, self.buffer = self.buffer[9:9 + length], self.buffer[9 + length:]
            self.take(kind, flags, stream & 0x7fffffff, payload)

    def wait(self, predicate, timeout=10):
        """Reads until predicate() holds; False at the timeout or when the peer ended without."""
        deadline = time.monotonic() + timeout
        self.parse()
        while not predicate():
            if not self.fill(deadline) and (self.end is not None or time.monotonic() >= deadline):
                self.parse()
                return predicate()
            self.parse()
        return True

    def wait_end(self, timeout=10):
        return self.wait(lambda: self.end is not None, timeout)

    def get(self, stream, path="/healthz", timeout=10, **more):
        """The code of a request's answer; None when there is none."""
        self.send(headers(stream, request(path, **more)))
        self.wait(lambda: stream in self.done or stream in self.resets, timeout)
        return self.status.get(stream)
