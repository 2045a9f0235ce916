#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How an HTTP/2 connection is kept alive, grows old, and is told to go without loss."""
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main  # noqa: E402
from h2_raw import (ACK, GOAWAY, H2, NO_ERROR, PING, data, headers, ping, priority,  # noqa: E402
                    request)
from vts_server import WAIT_S, Server  # noqa: E402

EVERY_ID = 2**31 - 1


class Peer(H2):
    """Answers PINGs if told to; remembers them, each GOAWAY, and when the first one came."""

    def __init__(self, server, answers=True, **more):
        self.answers, self.goaways, self.pings, self.told_s = answers, [], [], None
        super().__init__(server.port, server.certs, timeout=WAIT_S, **more)
        check(self.wait(lambda: self.has_ack and self.peer_settings, WAIT_S), "no SETTINGS came")

    def take(self, kind, flags, stream, payload):
        if kind == PING and not flags & ACK:
            self.pings.append(payload)
            if self.answers:
                self.send(ping(payload, ack=True))
            return
        super().take(kind, flags, stream, payload)
        if kind == GOAWAY:
            self.told_s = self.told_s or time.monotonic()
            self.goaways.append(self.goaway)

    def begin(self, stream):
        """A request that stays open: its body is still to come."""
        self.send(headers(stream, request("/status", "POST"), end_stream=False))

    def finish(self, stream):
        self.send(data(stream, b"", end_stream=True))
        check(self.wait(lambda: stream in self.done, WAIT_S), f"no answer on stream {stream}")

    def read_for(self, seconds):
        self.wait(lambda: False, seconds)


def limits(**values):
    return "--limit", ",".join(f"{name}={value}" for name, value in values.items())


def hits(server, name):
    return server.metrics()[f'vts_limit_hits_total{{limit="{name}"}}']


def expect_farewell(peer, text, last):
    """Both GOAWAYs and the end of the connection."""
    check(peer.wait_end(WAIT_S), "the connection stays")
    equal(peer.goaways, [(EVERY_ID, NO_ERROR, text), (last, NO_ERROR, "")], "GOAWAYs")
    equal(peer.end, "close", "the end of TLS")
    peer.close()


def ends(server):
    return [line["reason"] for line in server.log_lines() if line["msg"] == "connection ended"]


# ---- leaving at a quiet moment ------------------------------------------------------------------

@case
def draining_waits_for_the_open_request():
    with Server(*limits(goaway_quiet_ms=200, goaway_postpone_ms=3600000)) as server:
        peer = Peer(server)
        peer.begin(1)
        equal(peer.get(3, "/readyz", WAIT_S), 200)
        server.send_signal(signal.SIGTERM)
        stream = 5
        while peer.get(stream, "/readyz", WAIT_S) != 503:
            stream += 2
        for stream in range(stream + 2, stream + 22, 2):
            equal(peer.get(stream, "/healthz", WAIT_S), 200, "while the GOAWAY waits")
        equal((peer.goaways, peer.pings), ([], []), "told to go with a request open")
        peer.finish(1)
        finished_s = time.monotonic()
        expect_farewell(peer, "graceful shutdown", stream)
        check(peer.told_s - finished_s > 0.19, f"told {peer.told_s - finished_s:.3f} s after")
        equal(server.wait(), 0)
    equal(ends(server), ["drained"])


@case
def a_new_request_begins_the_quiet_anew():
    with Server(*limits(goaway_quiet_ms=300, goaway_postpone_ms=3600000)) as server:
        peer = Peer(server)
        equal(peer.get(1, "/healthz", WAIT_S), 200)
        server.send_signal(signal.SIGTERM)
        for stream in (3, 5, 7, 9):
            peer.read_for(0.1)
            equal(peer.get(stream, "/healthz", WAIT_S), 200)
        answered_s = time.monotonic()
        expect_farewell(peer, "graceful shutdown", 9)
        check(peer.told_s - answered_s > 0.29, f"told {peer.told_s - answered_s:.3f} s after")


@case
def a_goaway_is_not_postponed_for_ever():
    with Server(*limits(goaway_quiet_ms=3600000, goaway_postpone_ms=150)) as server:
        peer = Peer(server)
        peer.begin(1)
        equal(peer.get(3, "/healthz", WAIT_S), 200)
        start_s = time.monotonic()
        server.send_signal(signal.SIGTERM)
        check(peer.wait(lambda: len(peer.goaways) == 2, WAIT_S), "not told to go")
        check(peer.told_s - start_s > 0.14, "told at once")
        peer.finish(1)
        expect_farewell(peer, "graceful shutdown", 3)
        equal(peer.status[1], 405)


@case
def idle_connections_are_told_at_once():
    with Server(*limits(goaway_quiet_ms=800, goaway_postpone_ms=3600000)) as server:
        quiet = Peer(server)
        equal(quiet.get(1, "/healthz", WAIT_S), 200)
        quiet.read_for(0.85)
        unused = Peer(server)
        start_s = time.monotonic()
        server.send_signal(signal.SIGTERM)
        for peer in (unused, quiet):
            check(peer.wait(lambda: len(peer.goaways) == 2, WAIT_S), "not told to go")
            peer.close()
        equal(server.wait(), 0)
        took_s = time.monotonic() - start_s
        check(took_s < 0.7, f"the drain took {took_s:.3f} s")


@case
def asking_an_odd_client_to_leave_waits_too():
    with Server(*limits(goaway_quiet_ms=100, goaway_postpone_ms=3600000)) as server:
        peer = Peer(server)
        peer.begin(1)
        peer.send(b"".join(priority(1) for _ in range(160)))
        equal(peer.get(3, "/healthz", WAIT_S), 200)
        peer.read_for(0.2)
        equal(peer.goaways, [], "told to go with a request open")
        peer.finish(1)
        expect_farewell(peer, "glitches", 3)
    equal(ends(server), ["asked to leave"])


main(__file__)
