# SPDX-License-Identifier: Apache-2.0
"""A way to a real server on which things go wrong: as data, and at the very byte or frame.

    with Proxy(server, Fault("reset", after=700), Fault("cut", unit="frames", after=2)) as proxy:
        ... proxy.url, proxy.certs; proxy.wait_past()

Connection k meets the k-th fault; those after the last fault meet `always`, which is nothing unless
it is given. Such a connection carries bytes both ways and knows nothing of them. A fault is where,
what is said there, and what becomes of the connection then:

    where   way="down": of what the server answers; "up": of what the client sends
            after=N, unit="bytes": once N bytes got through, of TLS as it is on the wire; 0: with
            the first that come
            unit="plain": the same of what is inside; the proxy ends TLS and begins it anew
            unit="frames": once N HTTP/2 frames got through, of those whose type is in `kinds`
            inside=True: the header of the next such frame and one byte more get through, too
    said    say=bytes, or a function of the last stream's number that makes them (goaway below)
    then    "pass"   it goes on, after delay_s
            "cut"    it ends that way (FIN); the other way goes on
            "reset"  RST to both
            "stall"  nothing more gets through, that way, for ever; nothing is closed
            "drip"   it goes on a byte at a time, delay_s apart

    identity=(certificate, key) are shown in place of the server's own, from the beginning.
    Proxy(is_refusing=True): nobody listens at its port, until listen().

All proxies run in one thread of their own. A client's connection that ends ends the server's.
"""
import asyncio
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, replace

import h2_raw
from vts_server import WAIT_S, client_context

ALL_STREAMS = 0x7fffffff


@dataclass(frozen=True)
class Fault:
    then: str = "pass"
    after: int = 0
    unit: str = "bytes"
    kinds: tuple = ()
    inside: bool = False
    say: object = b""
    way: str = "down"
    delay_s: float = 0.0
    identity: tuple = None

    def is_inside_tls(self):
        return self.unit != "bytes" or self.identity is not None

    def moved(self, after):
        return replace(self, after=after)


def goaway(code, last):
    """What to say: last is "none", "before", "this" or "all" of the streams so far."""
    def say(stream):
        number = {"none": 0, "before": max(stream - 2, 0), "this": stream, "all": ALL_STREAMS}[last]
        return h2_raw.goaway(code, number)
    return say


def reset_stream(code):
    return lambda stream: h2_raw.rst_stream(stream or 1, code)


# ---- where --------------------------------------------------------------------------------------

class Bytes:
    def __init__(self, fault):
        self.left = fault.after

    def split(self, chunk):
        """(what gets through, the rest once the place is reached, else None, the last stream)."""
        if len(chunk) < self.left:
            self.left -= len(chunk)
            return chunk, None, 0
        return chunk[:self.left], chunk[self.left:], 0


class Frames:
    """Passes whole frames on, until the place is reached."""

    def __init__(self, fault):
        self.fault, self.left, self.buffer, self.stream = fault, fault.after, b"", 0

    def split(self, chunk):
        self.buffer += chunk
        through = b""
        while len(self.buffer) >= 9:
            size = 9 + int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < size:
                break
            kind, _, stream = struct.unpack("!BBI", self.buffer[3:9])
            self.stream = max(self.stream, stream)
            counts = not self.fault.kinds or kind in self.fault.kinds
            if counts and self.left == 0:
                part = min(size, 10) if self.fault.inside else 0
                return through + self.buffer[:part], self.buffer[part:], self.stream
            self.left -= counts
            through, self.buffer = through + self.buffer[:size], self.buffer[size:]
            if counts and self.left == 0 and not self.fault.inside:
                return through, self.buffer, self.stream
        return through, None, 0


# ---- one connection -----------------------------------------------------------------------------

class Connection:
    def __init__(self, proxy, fault, client, server):
        self.proxy, self.fault = proxy, fault
        self.client, self.server = client, server  # (reader, writer) each

    async def run(self):
        ways = {"up": (self.client, self.server), "down": (self.server, self.client)}
        carriers = [asyncio.ensure_future(self._carry(way, source[0], sink[1]))
                    for way, (source, sink) in ways.items()]
        try:
            await asyncio.wait(carriers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for carrier in carriers:
                carrier.cancel()
            await asyncio.gather(*carriers, return_exceptions=True)
            for _, writer in (self.client, self.server):
                writer.close()

    async def _carry(self, way, source, sink):
        place = None
        if way == self.fault.way and (self.fault.then != "pass" or self.fault.say
                                      or self.fault.delay_s):
            place = Frames(self.fault) if self.fault.unit == "frames" else Bytes(self.fault)
        while chunk := await source.read(65536):
            if place is None:
                sink.write(chunk)
            else:
                through, rest, stream = place.split(chunk)
                sink.write(through)
                if rest is not None:
                    place = None
                    await self._meet(rest, stream, source, sink)
            await sink.drain()

    async def _meet(self, rest, stream, source, sink):
        fault = self.fault
        sink.write(fault.say(stream) if callable(fault.say) else fault.say)
        await sink.drain()
        self.proxy.note_met()
        if fault.then == "pass":
            await asyncio.sleep(fault.delay_s)
            sink.write(rest)
        elif fault.then == "cut":
            sink.transport.get_extra_info("socket").shutdown(socket.SHUT_WR)
            await forever()
        elif fault.then == "reset":
            for _, writer in (self.client, self.server):
                reset(writer)
        elif fault.then == "stall":
            await forever()
        elif fault.then == "drip":
            await self._drip(rest, source, sink)

    async def _drip(self, rest, source, sink):
        while rest:
            for at in range(len(rest)):
                sink.write(rest[at:at + 1])
                await sink.drain()
                await asyncio.sleep(self.fault.delay_s)
            rest = await source.read(65536)


async def forever():
    """Until the other way ends, and with it the connection."""
    await asyncio.Event().wait()


def reset(writer):
    connection = writer.transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


# ---- the proxy ----------------------------------------------------------------------------------

class Proxy:
    """url and certs are for its clients, as those of a server. connections: how many came; met: how
    many of them met their fault."""

    def __init__(self, server, *faults, always=None, is_refusing=False, host="localhost",
                 certs=None):
        self.server, self.faults, self.always = server, list(faults), always
        self.certs = certs or server.certs
        self.connections = self.met = 0
        self._changed, self._tasks = threading.Condition(), set()
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port = self._socket.getsockname()[1]
        self.url = f"https://{host}:{self.port}"
        if not is_refusing:
            self.listen()

    def listen(self):
        self._socket.listen(128)
        asyncio.run_coroutine_threadsafe(self._start(), _loop).result(WAIT_S)

    def note_met(self):
        with self._changed:
            self.met += 1
            self._changed.notify_all()

    def wait_met(self, count=1, timeout=WAIT_S):
        self._wait(lambda: self.met >= count, timeout)

    def wait_past(self, timeout=WAIT_S):
        """Until each fault was met, or a connection came after them: one that was given up early
        met none."""
        self._wait(lambda: self.met == len(self.faults) or self.connections > len(self.faults),
                   timeout)

    def _wait(self, condition, timeout):
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise AssertionError(f"{self.met} faults were met, by {self.connections} "
                                     "connections")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._stop(), _loop).result(WAIT_S)

    # ---- in the thread of all proxies ----

    async def _start(self):
        self._begin(self._accept())

    async def _stop(self):
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._socket.close()

    def _begin(self, coroutine):
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self):
        while True:
            connection, _ = await asyncio.get_running_loop().sock_accept(self._socket)
            fault = self.always
            if self.connections < len(self.faults):
                fault = self.faults[self.connections]
            with self._changed:
                self.connections += 1
                self._changed.notify_all()
            self._begin(self._serve(connection, fault or Fault()))

    async def _serve(self, raw, fault):
        inner = outer = None
        if fault.is_inside_tls():
            outer = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            outer.load_cert_chain(*(fault.identity or (self.server.certs / "server.pem",
                                                       self.server.certs / "server-key.pem")))
            outer.set_alpn_protocols(["h2"])
            inner = client_context(self.server.certs, ("h2",))
        try:
            client = await take(raw, outer)
            server = await asyncio.open_connection(
                "127.0.0.1", self.server.port, ssl=inner,
                server_hostname="localhost" if inner else None)
            await Connection(self, fault, client, server).run()
        except OSError:  # of TLS, too: one of the two left
            raw.close()


async def take(raw, context):
    """(reader, writer) of a socket that was accepted."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, raw, ssl=context)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


_loop = asyncio.new_event_loop()
_loop.set_exception_handler(lambda loop, context: None)  # peers leave as they like
threading.Thread(target=_loop.run_forever, daemon=True).start()
