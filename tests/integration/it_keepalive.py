#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How an HTTP/2 connection is kept alive, grows old, and is told to go without loss."""
import resource
import select
import signal
import socket
import ssl
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main, wait_until, with_more_time  # noqa: E402
from h2_raw import (ACK, GOAWAY, H2, NO_ERROR, PING, data, headers, ping, priority,  # noqa: E402
                    request)
from vts_server import WAIT_S, Server, client_context, read_to_end  # noqa: E402

EVERY_ID = 2**31 - 1


class Peer(H2):
    """Answers PINGs if told to; remembers them, each GOAWAY, and when the first one came."""

    def __init__(self, server, answers=True, **more):
        self.answers, self.told_s, self.goaways, self.pings, self.order = answers, None, [], [], []
        super().__init__(server.port, server.certs, timeout=WAIT_S, **more)
        check(self.wait(lambda: self.has_ack and self.peer_settings, WAIT_S), "no SETTINGS came")

    def take(self, kind, flags, stream, payload):
        self.order += [kind] if kind in (PING, GOAWAY) and not flags & ACK else []
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
    equal(peer.order, [GOAWAY, PING, GOAWAY], "order")
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
@with_more_time
def a_new_request_begins_the_quiet_anew(scale):
    with Server(*limits(goaway_quiet_ms=300 * scale, goaway_postpone_ms=3600000)) as server:
        peer = Peer(server)
        equal(peer.get(1, "/healthz", WAIT_S), 200)
        server.send_signal(signal.SIGTERM)
        for stream in (3, 5, 7, 9):
            peer.read_for(0.1 * scale)
            equal(peer.get(stream, "/healthz", WAIT_S), 200)
        answered_s = time.monotonic()
        expect_farewell(peer, "graceful shutdown", 9)
        told_s = peer.told_s - answered_s
        check(told_s > 0.29 * scale, f"told {told_s:.3f} s after")


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
@with_more_time
def idle_connections_are_told_at_once(scale):
    with Server(*limits(goaway_quiet_ms=800 * scale, goaway_postpone_ms=3600000)) as server:
        quiet = Peer(server)
        equal(quiet.get(1, "/healthz", WAIT_S), 200)
        quiet.read_for(0.85 * scale)
        unused = Peer(server)
        start_s = time.monotonic()
        server.send_signal(signal.SIGTERM)
        for peer in (unused, quiet):
            check(peer.wait(lambda: len(peer.goaways) == 2, WAIT_S), "not told to go")
            peer.close()
        equal(server.wait(), 0)
        took_s = time.monotonic() - start_s
        check(took_s < 0.7 * scale, f"the drain took {took_s:.3f} s")


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


def connect_many(server, count):
    """Idle connections; by TLS 1.2, for nothing comes on them after the handshake."""
    context = client_context(server.certs, maximum_version=ssl.TLSVersion.TLSv1_2)
    sockets = []
    for _ in range(count):
        raw = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S)
        sockets.append(context.wrap_socket(raw, server_hostname="localhost"))
    return sockets


def end_times(sockets):
    """When the server ended each, in order."""
    waiting, times = select.poll(), []
    for one in sockets:
        waiting.register(one, select.POLLIN)
    deadline_s = time.monotonic() + WAIT_S
    while len(times) < len(sockets) and time.monotonic() < deadline_s:
        for fd, _ in waiting.poll(1000):
            waiting.unregister(fd)
            times.append(time.monotonic())
    equal(len(times), len(sockets), "ended")
    return times


def spread_s(count):
    """From the first to the last end of so many connections when the server stops."""
    with Server("--threads", 1, *limits(preface_ms=3600000, handshake_ms=3600000)) as server:
        sockets = connect_many(server, count)
        server.send_signal(signal.SIGTERM)
        times = end_times(sockets)
        for one in sockets:
            one.close()
        equal(server.wait(), 0)
    return times[-1] - times[0]


@case
@with_more_time
def few_connections_are_told_all_at_once(scale):
    took_s = spread_s(200 // scale)
    check(took_s < 0.7, f"within {took_s:.3f} s")


@case
def many_connections_are_not_told_all_at_once():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    took_s = spread_s(1100)
    check(took_s > 0.7, f"within {took_s:.3f} s")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ---- silence ------------------------------------------------------------------------------------

@case
def a_silent_peer_is_asked_and_then_given_up():
    with Server(*limits(ping_after_ms=150, ping_timeout_ms=100)) as server:
        peer, start_s = Peer(server, answers=False), time.monotonic()
        peer.begin(1)
        check(peer.wait(lambda: peer.pings, WAIT_S), "no PING")
        check(time.monotonic() - start_s > 0.14, "asked at once")
        asked_s = time.monotonic()
        check(peer.wait_end(WAIT_S), "the connection stays")
        check(time.monotonic() - asked_s > 0.09, "given up at once")
        equal(peer.goaways, [(1, NO_ERROR, "ping_timeout_ms")], "GOAWAY")
        equal(len(peer.pings), 1, "PINGs")
        equal(hits(server, "ping_timeout_ms"), 1)
        peer.close()
    check("ping_timeout_ms" in ends(server), "the log does not say why")


@case
def a_peer_that_answers_is_asked_again_and_stays():
    # Twenty answers would spend the bucket, if they cost anything.
    with Server(*limits(ping_after_ms=20, ping_timeout_ms=3600000, glitches=10)) as server:
        peer = Peer(server)
        peer.begin(1)
        check(peer.wait(lambda: len(peer.pings) == 20, WAIT_S), f"{len(peer.pings)} PINGs")
        peer.finish(1)
        equal(peer.goaways, [])
        peer.close()
        line = server.wait_log(lambda line: line.get("protocol") == "h2")
        equal(line["glitches"], 0, "glitches")


@case
@with_more_time
def any_bytes_are_a_sign_of_life(scale):
    with Server(*limits(ping_after_ms=100 * scale, ping_timeout_ms=150 * scale)) as server:
        peer = Peer(server, answers=False)
        peer.begin(1)
        while len(peer.pings) < 3:
            seen = len(peer.pings)
            check(peer.wait(lambda: len(peer.pings) > seen, WAIT_S), "not asked")
            peer.send(data(1, b"x"))
        peer.finish(1)
        equal((peer.goaways, peer.end), ([], None))
        equal(hits(server, "ping_timeout_ms"), 0)
        peer.close()


@case
def nobody_is_asked_without_an_open_request():
    with Server(*limits(ping_after_ms=30, ping_timeout_ms=30)) as server:
        peer = Peer(server, answers=False)
        peer.read_for(0.2)
        equal(peer.get(1, "/healthz", WAIT_S), 200)
        peer.read_for(0.2)
        equal((peer.pings, peer.end), ([], None))
        peer.close()


# ---- age ----------------------------------------------------------------------------------------

@case
@with_more_time
def an_old_connection_is_told_to_go(scale):
    with Server(*limits(max_age_ms=300 * scale, goaway_quiet_ms=50)) as server:
        unused, used = Peer(server), Peer(server)
        start_s = time.monotonic()
        equal(used.get(1, "/healthz", WAIT_S), 200)
        for peer, last in ((unused, 0), (used, 1)):
            expect_farewell(peer, "max_age", last)
            check(peer.told_s - start_s > 0.2 * scale, f"told after {peer.told_s - start_s:.3f} s")
        equal(hits(server, "max_age_ms"), 2)
        equal(hits(server, "max_age_grace_ms"), 0)
    equal(ends(server).count("max_age"), 2, "ends")


@case
@with_more_time
def an_old_connection_waits_for_its_requests_but_not_for_ever(scale):
    with Server(*limits(max_age_ms=100 * scale, max_age_grace_ms=500 * scale,
                        goaway_postpone_ms=50)) as server:
        kept, cut = Peer(server), Peer(server)
        kept.begin(1)
        cut.begin(1)
        check(kept.wait(lambda: len(kept.goaways) == 2, WAIT_S), "not told to go")
        kept.finish(1)
        equal(kept.status[1], 405)
        expect_farewell(kept, "max_age", 1)
        check(cut.wait_end(WAIT_S), "the connection stays")
        equal(cut.goaways, [(EVERY_ID, NO_ERROR, "max_age"), (1, NO_ERROR, ""),
                            (1, NO_ERROR, "max_age_grace_ms")], "GOAWAYs")
        check(time.monotonic() - cut.told_s > 0.3 * scale, "cut at once")
        equal(hits(server, "max_age_grace_ms"), 1)
        cut.close()


@case
def ages_differ_by_a_tenth():
    with Server("--threads", 1, *limits(max_age_ms=600)) as server:
        peers, born_s, deadline_s = [], [], time.monotonic() + WAIT_S
        for _ in range(16):
            peers.append(Peer(server))
            born_s.append(time.monotonic())
        while any(peer.told_s is None for peer in peers) and time.monotonic() < deadline_s:
            for peer in peers:
                peer.poll(0.001)
        check(all(peer.told_s for peer in peers), "not all were told to go")
        ages_s = [peer.told_s - birth for peer, birth in zip(peers, born_s)]
        # Born a little before we knew; how late we hear of the end is the machine's affair.
        check(min(ages_s) > 0.5, f"the youngest was {min(ages_s):.3f} s old")
        check(max(ages_s) - min(ages_s) > 0.03, f"all within {max(ages_s) - min(ages_s):.3f} s")
        for peer in peers:
            peer.close()


@case
def connections_do_not_age_by_default():
    for flags in ((), limits(max_age_ms=0)):
        with Server(*flags) as server:
            peer = Peer(server)
            peer.read_for(0.1)
            equal(peer.get(1, "/healthz", WAIT_S), 200)
            equal((peer.goaways, hits(server, "max_age_ms")), ([], 0))
            peer.close()


# ---- the last bytes -----------------------------------------------------------------------------

ASK = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"


def ask_unread(server, count):
    """A connection with so many requests, the last one that it takes, and no answer read."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(WAIT_S)
    raw.connect(("127.0.0.1", server.port))
    plain = client_context(server.certs).wrap_socket(raw, server_hostname="localhost")
    plain.sendall((count - 1) * (ASK + b"\r\n") + ASK + b"Connection: close\r\n\r\n")
    return plain


def bytes_out(server):
    return server.metrics()["vts_network_sent_bytes_total"]


def kernel_takes(server, answer_bytes):
    """About how many bytes the kernel takes for a peer that does not read."""
    before = bytes_out(server)
    with ask_unread(server, 8 * 1024 * 1024 // answer_bytes):
        seen, taken = before, bytes_out(server)
        while taken - seen > 2 * answer_bytes:  # more than our own asking costs
            seen, taken = taken, bytes_out(server)
    return taken - before


@case
def output_that_waits_is_no_lingering():
    """What the kernel does not take at once reaches a slow reader, however short the linger is."""
    with Server("--threads", 1, *limits(linger_ms=30)) as server:
        with ask_unread(server, 1) as plain:
            answer_bytes = len(read_to_end(plain))
        taken = kernel_takes(server, answer_bytes)
        for extra in range(0, 80000, 16000):
            with ask_unread(server, int(taken + extra) // answer_bytes) as plain:
                start_s = time.monotonic()
                wait_until(lambda: time.monotonic() - start_s > 0.1, "the linger is over")
                answers = read_to_end(plain)
            check(b"connection: close" in answers[-answer_bytes - 500:], "the end is missing")
            check(answers.endswith(b"\n"), f"cut off at {answers[-20:]}")


main(__file__)
