# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 connections and streams over TLS 1.3 that are opened and then held, by hand.

Every server gets the same bytes, so that what a connection or a stream costs it can be compared.
The windows are never updated: a connection may receive what CONNECTION_WINDOW says, a stream 65535
bytes.
"""
import socket
import ssl
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1
ENVELOPE_BYTES = 5  # gRPC: a byte of flags, four of length
TIMEOUT_S = 10
CONNECTION_WINDOW = 1 << 24


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(
        ">I", stream) + payload


def field(name, value):
    """A header field without indexing (RFC 7541, 6.2.2); a static name is given by its index."""
    if isinstance(name, str):
        start = bytes([0, len(name)]) + name.encode()
    else:
        start = bytes([name]) if name < 15 else bytes([15, name - 15])
    return start + bytes([len(value)]) + value.encode()


def get_headers(port, path, accept):
    get, https = b"\x82", b"\x87"
    return get + https + field(4, path) + field(1, f"localhost:{port}") + field(19, accept)


def grpc_headers(port, path):
    post, https = b"\x83", b"\x87"
    return (post + https + field(4, path) + field(1, f"localhost:{port}") +
            field("te", "trailers") + field(31, "application/grpc+proto"))


class Connection:
    """One connection; whatever ends it, or a stream that shall go on, is a ConnectionError."""

    def __init__(self, context, port):
        plain = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self.tls = context.wrap_socket(plain, server_hostname="localhost")
        if self.tls.selected_alpn_protocol() != "h2" or self.tls.version() != "TLSv1.3":
            raise ConnectionError(f"{self.tls.version()} with {self.tls.selected_alpn_protocol()}")
        self.port = port
        self.next_stream = 1
        self.tls.sendall(PREFACE + frame(SETTINGS, 0, 0) +
                         frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", CONNECTION_WINDOW - 65535)))

    def close(self):
        self.tls.close()

    def read_exactly(self, count):
        got = b""
        while len(got) < count:
            more = self.tls.recv(count - len(got))
            if not more:
                raise ConnectionError("the server closed the connection")
            got += more
        return got

    def read_frame(self):
        """(kind, flags, stream, payload) of the next frame that asks for no answer."""
        while True:
            head = self.read_exactly(9)
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
            payload = self.read_exactly(int.from_bytes(head[:3], "big"))
            if kind in (GOAWAY, RST_STREAM):
                raise ConnectionError(f"the server sent {('GOAWAY', 'RST_STREAM')[stream > 0]}")
            if kind in (SETTINGS, PING) and not flags & ACK:
                self.tls.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
            else:
                return kind, flags, stream, payload

    def send_request(self, headers, body=None):
        """The number of the new stream; our side of it is closed."""
        stream = self.next_stream
        self.next_stream += 2
        end = END_STREAM if body is None else 0
        request = frame(HEADERS, END_HEADERS | end, stream, headers)
        if body is not None:
            request += frame(DATA, END_STREAM, stream, body)
        self.tls.sendall(request)
        return stream

    def finish_request(self, headers, body=None):
        """Sends a request and reads its answer to the end; returns the answer's body."""
        wanted = self.send_request(headers, body)
        answer = b""
        while True:
            kind, flags, stream, payload = self.read_frame()
            if stream == wanted and kind == DATA:
                answer += payload
            if stream == wanted and kind in (DATA, HEADERS) and flags & END_STREAM:
                return answer

    def open_stream(self, headers, body):
        """Starts a gRPC server stream and reads its first message; the stream stays open."""
        wanted = self.send_request(headers, body)
        message = b""
        while (len(message) < ENVELOPE_BYTES or
               len(message) < ENVELOPE_BYTES + int.from_bytes(message[1:ENVELOPE_BYTES], "big")):
            kind, flags, stream, payload = self.read_frame()
            if kind in (DATA, HEADERS) and flags & END_STREAM:
                raise ConnectionError(f"the server ended stream {stream}")
            if stream == wanted and kind == DATA:
                message += payload
        return message

    def read_some(self):
        """What has come, as it came; b"" when there is nothing. For sockets that do not block."""
        try:
            return self.tls.recv(65536)
        except ssl.SSLWantReadError:
            return b""

    def check_open(self):
        """Neither the connection nor a stream has ended: a PING comes back, and nothing of that."""
        self.tls.sendall(frame(PING, 0, 0, b"are you?"))
        while True:
            kind, flags, stream, payload = self.read_frame()
            if kind == PING and payload == b"are you?":
                return
            if kind in (DATA, HEADERS) and flags & END_STREAM:
                raise ConnectionError(f"the server ended stream {stream}")


def make_context(ca_file):
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["h2"])
    return context


def open_many(ca_file, port, count):
    """New connections; the caller closes them."""
    context = make_context(ca_file)
    return [Connection(context, port) for _ in range(count)]
