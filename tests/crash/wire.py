# SPDX-License-Identifier: Apache-2.0
"""Connect calls with JSON over HTTP/1.1 and TLS, for many clients in one thread.

    wire = Wire(context, port)
    answer = await wire.call("JobService/GetJob", {"jobId": "a"})

A wire is one connection at a time, made when it is needed. A call ends in an Answer, or in LOST when
the connection broke before there was one: whether the server did it is then unknown. The sockets are
TLS sockets that never block, without asyncio's streams on top, which would cost more than the rest.
"""
import asyncio
import base64
import json
import socket
import ssl
import struct

PACKAGE = "vtstatus.v1."
READ_BYTES = 1 << 16
END_STREAM = 2  # a flag of Connect's envelope
LOST = None


class Answer:
    """body: the message, as a dict. reason: why it was refused, "" for success."""
    __slots__ = ("code", "body", "reason")

    def __init__(self, code, body):
        self.code, self.body = code, body
        self.reason = "" if code == 200 else reason_of(body)


def reason_of(error):
    """The reason of an error's google.rpc.ErrorInfo, or else its code and text."""
    for detail in error.get("details", ()):
        if detail["type"] == "google.rpc.ErrorInfo":
            value = detail["value"]
            raw = base64.b64decode(value + "=" * (-len(value) % 4))
            return raw[2:2 + raw[1]].decode()  # field 1, shorter than 128 bytes
    return f"{error.get('code')}: {error.get('message')}"


class Wire:
    def __init__(self, context, port, on_bytes=lambda method: None):
        """on_bytes: called with the method as soon as anything of an answer is there."""
        self.context, self.port, self.socket = context, port, None
        self.received, self.method, self.on_bytes = b"", "", on_bytes

    # ---- a connection ----

    async def connect(self):
        """False when the server is not there or breaks it off."""
        raw = socket.socket()
        raw.setblocking(False)
        self.received, self.method = b"", ""
        try:
            await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self.port))
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket = self.context.wrap_socket(raw, server_hostname="localhost",
                                                   do_handshake_on_connect=False)
            while not self.shake_hands():
                await self.wait()
        except OSError:
            raw.close()  # not yet wrapped, or nothing any more
            self.close()
            return False
        return True

    def shake_hands(self):
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None

    # ---- bytes ----

    async def wait(self):
        """Until there is something to read. Nobody looks at the socket at other times: one whose peer
        has gone is always readable."""
        loop, descriptor = asyncio.get_running_loop(), self.socket.fileno()
        news = loop.create_future()
        loop.add_reader(descriptor, self.tell, news)
        try:
            await news
        finally:
            loop.remove_reader(descriptor)

    def tell(self, news):
        self.on_bytes(self.method)
        if not news.done():
            news.set_result(None)

    async def read_more(self):
        """False when the connection has ended."""
        while True:
            try:
                piece = self.socket.recv(READ_BYTES)
            except ssl.SSLWantReadError:
                await self.wait()
                continue
            except OSError:
                return False
            self.received += piece
            return bool(piece)

    async def read_until(self, mark):
        """What comes before the mark; None when the connection ends."""
        while (at := self.received.find(mark)) < 0:
            if not await self.read_more():
                return None
        found, self.received = self.received[:at], self.received[at + len(mark):]
        return found

    async def read_exactly(self, count):
        while len(self.received) < count:
            if not await self.read_more():
                return None
        found, self.received = self.received[:count], self.received[count:]
        return found

    # ---- calls ----

    async def send(self, method, content_type, body):
        if self.socket is None and not await self.connect():
            return False
        self.method = method
        head = (f"POST /{PACKAGE}{method} HTTP/1.1\r\nHost: localhost\r\n"
                f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n").encode()
        try:
            # One request at a time is in the socket's buffer, so there is room for all of it.
            return self.socket.send(head + body) == len(head) + len(body)
        except OSError:
            return False

    async def read_head(self):
        """(code, fields) or None."""
        head = await self.read_until(b"\r\n\r\n")
        if head is None:
            return None
        status, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.split(":", 1) for line in lines)
        return int(status.split()[1]), {name.lower(): value.strip() for name, value in pairs}

    async def call(self, method, request):
        if await self.send(method, "application/json", json.dumps(request).encode()):
            head = await self.read_head()
            body = None
            if head is not None:
                body = await self.read_exactly(int(head[1]["content-length"]))
            if body is not None:
                return Answer(head[0], json.loads(body))
        self.close()
        return LOST

    async def stream(self, method, request):
        """The messages of a stream. It ends without a word, whether well or broken off."""
        body = json.dumps(request).encode()
        sent = await self.send(method, "application/connect+json",
                               struct.pack("!BI", 0, len(body)) + body)
        head = await self.read_head() if sent else None
        if head is not None:
            async for message in self.envelopes():
                yield message
        self.close()

    async def envelopes(self):
        rest = b""
        while (size := await self.read_until(b"\r\n")) not in (None, b"0"):
            chunk = await self.read_exactly(int(size, 16) + 2)
            if chunk is None:
                return
            rest += chunk[:-2]
            while len(rest) >= 5:
                flags, length = struct.unpack_from("!BI", rest)
                if len(rest) < 5 + length:
                    break
                message, rest = rest[5:5 + length], rest[5 + length:]
                if flags & END_STREAM:
                    return
                yield json.loads(message)
