# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 and HTTP/2 of one kind: requests that may be wrong, and all there is of their answers.

    with Http2(port, ca) as http:
        answer = http.ask("POST", "/a.B/C", [("content-type", "application/proto")], body)
        answer.status, answer.headers, answer.body, answer.trailers, answer.reset

Exchange by exchange, or piece by piece:

    stream = http.begin("POST", path, fields)
    stream.write(piece); stream.wait(lambda: len(stream.body) >= 5); stream.finish()
"""
import ctypes
import ctypes.util
import http.client
import socket
import ssl
import struct

import h2_raw
from h2_raw import (CANCEL, DATA, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE, RST_STREAM,
                    SETTINGS, WINDOW_UPDATE)

WAIT_S = 30
FRAME_BYTES = 16384
OUR_WINDOW = 1 << 22


class Answer:
    """headers and trailers: lists of pairs in their order; trailers None: there were none. reset:
    the code of RST_STREAM, None when the answer came whole."""

    def __init__(self):
        self.status, self.headers, self.body, self.trailers, self.reset = 0, [], b"", None, None

    def values(self, name):
        return [value for key, value in self.headers if key == name]

    def value(self, name):
        """The only value of a field; None when there is none."""
        values = self.values(name)
        if len(values) > 1:
            raise AssertionError(f"{name} stands there {len(values)} times: {values}")
        return values[0] if values else None


# ---- HTTP/1.1 -----------------------------------------------------------------------------------

class Http1:
    version = 1

    def __init__(self, port, ca, identity=None, hostname="127.0.0.1"):
        self.context = ssl.create_default_context(cafile=str(ca))
        self.context.set_alpn_protocols(["http/1.1"])
        if identity:
            self.context.load_cert_chain(*identity)
        self.port, self.hostname, self.connection = port, hostname, None

    def connect(self):
        self.connection = http.client.HTTPSConnection(self.hostname, self.port,
                                                      context=self.context, timeout=WAIT_S)
        self.connection.connect()

    def ask(self, method, path, fields, body=b"", is_chunked=False):
        self.ask_only(method, path, fields, body, is_chunked)
        return self.read()

    def ask_only(self, method, path, fields, body, is_chunked):
        if self.connection is None:
            self.connect()
        self.connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in fields:
            self.connection.putheader(name, value)
        if is_chunked:
            self.connection.putheader("transfer-encoding", "chunked")
        elif body or method not in ("GET", "HEAD"):
            self.connection.putheader("content-length", str(len(body)))
        self.connection.endheaders()
        try:
            self.send(body, is_chunked)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may have said enough already

    def send(self, body, is_chunked):
        if is_chunked:
            for at in range(0, len(body), FRAME_BYTES):
                piece = body[at:at + FRAME_BYTES]
                self.connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            body = b"0\r\n\r\n"
        if body:
            self.connection.send(body)

    def peek(self, method, path, fields, body, count):
        """The first bytes of an answer, at least so many, and then goes away."""
        self.ask_only(method, path, fields, body, True)
        response, begun = self.connection.getresponse(), b""
        while len(begun) < count:
            piece = response.read1(FRAME_BYTES)
            if not piece:
                raise AssertionError(f"no more than {begun!r}")
            begun += piece
        self.close()
        return begun

    def read(self):
        answer = Answer()
        response = self.connection.getresponse()
        answer.status, answer.body = response.status, response.read()
        answer.headers = [(name.lower(), value) for name, value in response.getheaders()]
        if response.will_close:
            self.close()
        return answer

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# ---- HPACK, as libnghttp2 reads it --------------------------------------------------------------

class _Field(ctypes.Structure):
    _fields_ = [("name", ctypes.POINTER(ctypes.c_ubyte)), ("value", ctypes.POINTER(ctypes.c_ubyte)),
                ("name_len", ctypes.c_size_t), ("value_len", ctypes.c_size_t),
                ("flags", ctypes.c_uint8)]


class Inflater:
    FINAL, EMIT = 1, 2

    def __init__(self):
        name = ctypes.util.find_library("nghttp2") or "libnghttp2.so.14"
        self.library = ctypes.CDLL(name)
        self.library.nghttp2_hd_inflate_hd2.restype = ctypes.c_ssize_t
        self.handle = ctypes.c_void_p()
        if self.library.nghttp2_hd_inflate_new(ctypes.byref(self.handle)) != 0:
            raise MemoryError

    def read(self, block):
        """The pairs of a whole header block."""
        pairs, field, flags = [], _Field(), ctypes.c_int(0)
        while not flags.value & self.FINAL:
            flags.value = 0
            used = self.library.nghttp2_hd_inflate_hd2(
                self.handle, ctypes.byref(field), ctypes.byref(flags), block,
                ctypes.c_size_t(len(block)), 1)
            if used < 0:
                raise AssertionError(f"not HPACK: {used}")
            block = block[used:]
            if flags.value & self.EMIT:
                pairs.append((ctypes.string_at(field.name, field.name_len).decode("latin-1"),
                              ctypes.string_at(field.value, field.value_len).decode("latin-1")))
        self.library.nghttp2_hd_inflate_end_headers(self.handle)
        return pairs

    def close(self):
        """Once or more often."""
        handle, self.handle = self.handle, ctypes.c_void_p()
        if handle:
            self.library.nghttp2_hd_inflate_del(handle)


# ---- HTTP/2 -------------------------------------------------------------------------------------

class Stream(Answer):
    """One exchange in the making."""

    def __init__(self, connection, number):
        super().__init__()
        self.connection, self.number = connection, number
        self.window, self.is_done, self.body = connection.initial_window, False, bytearray()

    def take_headers(self, pairs, is_end):
        if self.status == 0:
            self.headers = [pair for pair in pairs if not pair[0].startswith(":")]
            self.status = int(dict(pairs)[":status"])
        elif is_end:
            self.trailers = pairs
        else:
            raise AssertionError("a second header section that ends nothing")
        self.is_done = is_end

    def write(self, body, end=False):
        """Sends as the peer's windows allow; stops when the peer has answered already."""
        connection = self.connection
        while body and not self.is_over():
            room = min(FRAME_BYTES, self.window, connection.window)
            if room <= 0:
                if not self.wait(lambda: self.is_over() or min(self.window, connection.window) > 0):
                    raise AssertionError("the peer gives no window")
                continue
            piece, body = body[:room], body[room:]
            self.window -= len(piece)
            connection.window -= len(piece)
            connection.send(h2_raw.data(self.number, piece, end and not body))
            if end and not body:
                return
        if end and not self.is_over():
            connection.send(h2_raw.data(self.number, b"", True))

    def is_over(self):
        return self.is_done or self.reset is not None

    def wait(self, predicate, timeout=WAIT_S):
        return self.connection.wait(predicate, timeout)

    def finish(self, timeout=WAIT_S):
        if not self.wait(self.is_over, timeout):
            raise AssertionError(f"no answer within {timeout} s; the connection: "
                                 f"{self.connection.end}, GOAWAY {self.connection.goaway}")
        self.body = bytes(self.body)
        return self

    def cancel(self):
        self.reset = CANCEL
        self.connection.send(h2_raw.rst_stream(self.number, CANCEL))


class Http2(h2_raw.H2):
    version = 2

    def __init__(self, port, ca, identity=None, hostname="127.0.0.1"):
        self.inflater, self.streams, self.next_number = Inflater(), {}, 1
        self.window = self.initial_window = 65535
        self.owed = 0
        super().__init__(port, ca, values={INITIAL_WINDOW_SIZE: OUR_WINDOW}, identity=identity,
                         hostname=hostname)
        self.send(h2_raw.window_update(0, OUR_WINDOW))

    def take(self, kind, flags, stream, payload):
        ours = self.streams.get(stream)
        if kind == HEADERS:
            if not flags & END_HEADERS:
                raise AssertionError("a header section in pieces")
            pairs = self.inflater.read(payload)
            if ours:
                ours.take_headers(pairs, bool(flags & END_STREAM))
            return
        if kind == DATA:
            self.give_back(len(payload))
            if ours:
                ours.body += payload
                ours.is_done = bool(flags & END_STREAM)
            return
        super().take(kind, flags, stream, payload)
        if kind == RST_STREAM and ours and not ours.is_done:
            ours.reset = struct.unpack("!I", payload)[0]
        elif kind == WINDOW_UPDATE and (ours or stream == 0):
            (ours or self).window += struct.unpack("!I", payload)[0]
        elif kind == SETTINGS and INITIAL_WINDOW_SIZE in self.peer_settings:
            self.change_windows(self.peer_settings[INITIAL_WINDOW_SIZE] - self.initial_window)

    def change_windows(self, by):
        self.initial_window += by
        for one in self.streams.values():
            one.window += by

    def give_back(self, count):
        """The connection's window is filled up again; that of a stream is enough, or its user's."""
        self.owed += count
        if self.owed >= OUR_WINDOW // 4:
            self.send(h2_raw.window_update(0, self.owed))
            self.owed = 0

    def begin(self, method, path, fields, end=False):
        stream = Stream(self, self.next_number)
        self.streams[stream.number] = stream
        self.next_number += 2
        block = h2_raw.request(path, method, fields, authority=f"127.0.0.1:{self.port()}")
        pieces = [block[at:at + FRAME_BYTES] for at in range(0, len(block), FRAME_BYTES)]
        frames = [h2_raw.headers(stream.number, pieces[0], end, len(pieces) == 1)]
        frames += [h2_raw.continuation(stream.number, piece, piece is pieces[-1])
                   for piece in pieces[1:]]
        self.send(b"".join(frames))
        return stream

    def port(self):
        return self.socket.getpeername()[1]

    def ask(self, method, path, fields, body=b"", is_chunked=False):
        del is_chunked  # HTTP/2 knows no difference
        stream = self.begin(method, path, fields, end=not body)
        if body:
            stream.write(body, end=True)
        return stream.finish()

    def peek(self, method, path, fields, body, count):
        """The first bytes of an answer, at least so many, and then cancels it."""
        stream = self.begin(method, path, fields)
        stream.write(body, end=True)
        stream.wait(lambda: len(stream.body) >= count or stream.is_over())
        if stream.is_over():
            raise AssertionError(f"it is over already, with {stream.body!r}")
        stream.cancel()
        return bytes(stream.body)

    def close(self):
        self.inflater.close()
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the peer was faster
        super().close()
