# SPDX-License-Identifier: Apache-2.0
"""Connections that made one HTTP/2 request over TLS 1.3 and then idle, by hand.

Every server gets the same bytes, so that what a connection costs it can be compared.
"""
import socket
import ssl
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, GOAWAY = 0x0, 0x1, 0x4, 0x7
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1
TIMEOUT_S = 10


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(
        ">I", stream) + payload


def literal(name_index, value):
    """A header field without indexing, its name from the static table (RFC 7541, 6.2.2)."""
    index = bytes([name_index]) if name_index < 15 else bytes([15, name_index - 15])
    return index + bytes([len(value)]) + value.encode()


def request_headers(authority, path, accept):
    get, https = b"\x82", b"\x87"
    return get + https + literal(4, path) + literal(1, authority) + literal(19, accept)


def read_exactly(tls, count):
    got = b""
    while len(got) < count:
        more = tls.recv(count - len(got))
        if not more:
            raise ConnectionError("the server closed the connection")
        got += more
    return got


def await_answer(tls):
    """Reads frames until stream 1 ends; acknowledges SETTINGS."""
    while True:
        head = read_exactly(tls, 9)
        kind, flags = head[3], head[4]
        read_exactly(tls, int.from_bytes(head[:3], "big"))
        stream = int.from_bytes(head[5:], "big")
        if kind == GOAWAY:
            raise ConnectionError("the server said goodbye")
        if kind == SETTINGS and not flags & ACK:
            tls.sendall(frame(SETTINGS, ACK, 0))
        if stream == 1 and kind in (DATA, HEADERS) and flags & END_STREAM:
            return


def open_one(context, port, path, accept):
    plain = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
    tls = context.wrap_socket(plain, server_hostname="localhost")
    if tls.selected_alpn_protocol() != "h2" or tls.version() != "TLSv1.3":
        raise ConnectionError(f"{tls.version()} with {tls.selected_alpn_protocol()}")
    headers = request_headers(f"localhost:{port}", path, accept)
    tls.sendall(PREFACE + frame(SETTINGS, 0, 0) +
                frame(HEADERS, END_STREAM | END_HEADERS, 1, headers))
    await_answer(tls)
    return tls


def open_many(ca_file, port, count, path, accept):
    """The open connections; the caller closes them."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["h2"])
    return [open_one(context, port, path, accept) for _ in range(count)]


def count_alive(connections):
    """How many are still open, which is those with nothing to read."""
    alive = 0
    for connection in connections:
        connection.setblocking(False)
        try:
            connection.recv(1)
        except ssl.SSLWantReadError:
            alive += 1
    return alive
