#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every fault of a way, for every mode, and whether it heals or not: the end is told once, and no
revision after a newer one; or there is a clear error, in time. For each fault, half of the modes
wait for one job and half for several.

Exit code 77: there is no python3-grpcio.
"""
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import h2_raw  # noqa: E402
from cases import case, check, equal, main  # noqa: E402
from vts_server import IS_SANITIZED, Server  # noqa: E402

try:
    from jobs_client import Jobs
except ImportError:
    print("skipped: there is no python3-grpcio or no python3-protobuf")
    sys.exit(77)
from fault_proxy import Fault, Proxy, goaway, reset_stream  # noqa: E402
from waits import Waits  # noqa: E402

MODES = ("auto", "watch", "long-poll", "poll")
MANY = 3
DEADLINE_S = 1.5
# What a busy machine may add to a deadline.
LATE_S = 6 if IS_SANITIZED else 2
HELD_S = 45  # less than the deadline of a wait, by which the server is asked to hold answers
AT_A_TIME = 16
IN_HANDSHAKE = 700  # bytes: in the middle of the server's first flight
HEADERS, DATA = (h2_raw.HEADERS,), (h2_raw.DATA,)
HTML = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\nno\n"

server = jobs = waits = None


@dataclass(frozen=True)
class Row:
    """code and text: of a wait whose every connection meets the fault; no code: it ends well all
    the same. A TLS error does not pass, so that such a wait ends at once."""
    name: str
    fault: Fault
    code: str = ""
    text: str = ""
    request_timeout: float = 10.0
    is_unnoticed: bool = False  # not a failure at all

    def does_not_pass(self):
        return self.code == "tls"


def plain(then, after, **more):
    return Fault(then, after, "plain", **more)


def frames(then, after=0, kinds=(), **more):
    return Fault(then, after, "frames", kinds, **more)


BROKEN = "connect", "broke off before its answer ended"
LATE = "timeout", "within 1 s", 1.0

ROWS = [
    # Before a word of HTTP.
    Row("ends at once", Fault("cut"), *BROKEN),
    Row("reset at once", Fault("reset"), *BROKEN),
    Row("ends in the handshake", Fault("cut", IN_HANDSHAKE), *BROKEN),
    Row("reset in the handshake", Fault("reset", IN_HANDSHAKE), *BROKEN),
    Row("silent", Fault("stall"), *LATE),
    Row("silent in the handshake", Fault("stall", IN_HANDSHAKE), *LATE),
    Row("no TLS", Fault("cut", say=HTML), "tls", "it does not speak TLS"),
    Row("slow to begin", Fault(delay_s=0.2)),
    Row("drips, TLS and all", Fault("drip")),
    # Before an answer.
    Row("silent after the handshake", plain("stall", 0), *LATE),
    Row("takes no request", plain("stall", 0, way="up"), *LATE),
    Row("takes half a request", plain("stall", 100, way="up"), *LATE),
    Row("ends before the answer", frames("cut", 0, HEADERS), *BROKEN),
    Row("reset before the answer", frames("reset", 0, HEADERS), *BROKEN),
    Row("ends in a header", frames("cut", 0, HEADERS, inside=True), *BROKEN),
    Row("silent in a header", frames("stall", 0, HEADERS, inside=True), *LATE),
    Row("reset after the header", frames("reset", 1, HEADERS), *BROKEN),
    Row("HTTP/1.1 where HTTP/2 was agreed", plain("cut", 0, say=HTML), *BROKEN),
    Row("noise for frames", frames("pass", 0, HEADERS, say=b"\xff" * 64), *BROKEN),
    Row("a broken header", frames("pass", 0, HEADERS, say=h2_raw.headers(1, b"\xff\xff\xff")),
        *BROKEN),
    Row("a header's rest that nothing began", frames("pass", 0, HEADERS,
        say=h2_raw.continuation(1, b"")), *BROKEN),
    Row("a frame of no known type", frames("pass", 0, HEADERS, say=h2_raw.frame(0x77, 0, 0, b"?")),
        is_unnoticed=True),
    Row("the stream reset before the answer",
        frames("pass", 0, HEADERS, say=reset_stream(h2_raw.INTERNAL_ERROR)), *BROKEN),
    Row("the stream refused",
        frames("pass", 0, HEADERS, say=reset_stream(h2_raw.REFUSED_STREAM))),
    # In an answer, or between two.
    Row("ends in a message", frames("cut", 0, DATA, inside=True), *BROKEN),
    Row("reset in a message", frames("reset", 0, DATA, inside=True), *BROKEN),
    Row("silent in a message", frames("stall", 0, DATA, inside=True), *LATE),
    Row("ends after a message", frames("cut", 1, DATA)),
    Row("reset after a message", frames("reset", 1, DATA)),
    Row("the stream reset after a message",
        frames("pass", 1, DATA, say=reset_stream(h2_raw.CANCEL))),
    Row("drips", plain("drip", 0, delay_s=0.0005)),
    # GOAWAY.
    Row("is asked to go, nothing was served",
        frames("pass", 0, HEADERS, say=goaway(h2_raw.NO_ERROR, "none")), *BROKEN),
    Row("is asked to go, nothing was served, and is cut",
        frames("cut", 0, HEADERS, say=goaway(h2_raw.NO_ERROR, "none")), *BROKEN),
    Row("is asked to be calm", frames("cut", 0, HEADERS,
        say=goaway(h2_raw.ENHANCE_YOUR_CALM, "none")), *BROKEN),
    Row("is asked to go after this one",
        frames("pass", 1, HEADERS, say=goaway(h2_raw.NO_ERROR, "this"))),
    Row("is asked to go after the one before",
        frames("pass", 1, HEADERS, say=goaway(h2_raw.NO_ERROR, "before")), *BROKEN),
    Row("is told that it will have to go",
        frames("pass", 1, HEADERS, say=goaway(h2_raw.NO_ERROR, "all"))),
    Row("is asked to be calm after a message", frames("cut", 1, DATA,
        say=goaway(h2_raw.ENHANCE_YOUR_CALM, "this"))),
]


# ---- jobs whose end is the test's ---------------------------------------------------------------

class Work:
    """Jobs in a queue of their own."""

    def __init__(self, name, count):
        self.queue = name
        self.names = [f"{name}-{i}" for i in range(count)]
        for job in self.names:
            jobs.create(job_id=job, queue=name)

    def run(self):
        self.leases = [jobs.lease(worker_id="w", queues=[self.queue]).lease for _ in self.names]

    def complete(self):
        """The ends that are to be told."""
        ends = [jobs.complete(job_id=lease.job.id, token=lease.token).status
                for lease in self.leases]
        return {end.job_id: (end.revision, "completed") for end in ends}


def finish_well(wait, work):
    work.run()
    wait.expect_truth(**work.complete())


# ---- plays --------------------------------------------------------------------------------------

def play_healed(row, mode, count, work):
    """The first connections meet the fault; two of them, where it keeps answers from coming."""
    times = 2 if row.code else 1
    with Proxy(server, *[row.fault] * times) as proxy:
        wait = waits.begin(proxy, mode, work.names, request_timeout=row.request_timeout,
                           how="call" if count == 1 else "thread")
        proxy.wait_past()
        finish_well(wait, work)
        # A question that was held on a dead connection would come back just before the deadline.
        check(wait.outcome.seconds < HELD_S, wait.story())
        if row.is_unnoticed:
            equal(wait.of_kind("failure"), [], wait.story())


def play_for_ever(row, mode, count, work):
    by_count = count > 1
    with Proxy(server, always=row.fault) as proxy:
        wait = waits.begin(proxy, mode, work.names, request_timeout=row.request_timeout,
                           deadline=60 if by_count or not row.code else DEADLINE_S,
                           max_failures=3 if by_count and row.code else 1000)
        if not row.code:
            proxy.wait_met()
            return finish_well(wait, work)
        expect_error(row, wait, by_count)
        check(proxy.connections <= 1 or not row.does_not_pass(), wait.story())


def expect_error(row, wait, by_count):
    code, text, seconds = wait.finish()
    if not by_count and not row.does_not_pass() and not wait.of_kind("failure"):
        equal(code, "gave_up", wait.story())  # it had no time to fail
        check("has not answered" in text, wait.story())
    else:
        equal(code, row.code, wait.story())
        check(row.text in text, wait.story())
    equal(wait.of_kind("status"), [], wait.story())
    if row.does_not_pass():
        check(seconds < LATE_S, wait.story())
    elif by_count:
        check("(3 tries in a row failed)" in text, wait.story())
    else:
        check(DEADLINE_S - 0.1 < seconds < DEADLINE_S + LATE_S, wait.story())


def play_all(name, plays):
    """plays: functions and their arguments; many at a time, since they wait more than they work.
    Names of those that failed."""
    def play(numbered):
        number, (function, row, mode, count) = numbered
        try:
            function(row, mode, count, Work(f"{name}-{number}", count))
        except Exception as error:  # whatever it is, the others shall run
            return f"{row.name}, {mode}, {count}: {type(error).__name__}: {error}"
        return None

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        failures = [text for text in pool.map(play, enumerate(plays)) if text]
    if failures:
        print("\n".join(failures))
        raise AssertionError(f"{len(failures)} of {len(plays)} failed")


def pairs(shift):
    """(row, mode, how many jobs); another shift takes the others."""
    return [(row, mode, (1, MANY)[(i + j + shift) % 2]) for i, row in enumerate(ROWS)
            for j, mode in enumerate(MODES)]


@case
def faults_that_heal_cost_nothing_but_time():
    play_all("heals", [(play_healed, *pair) for pair in pairs(0) if not pair[0].does_not_pass()])


@case
def faults_that_never_heal_are_a_clear_error_in_time():
    # Where nothing is lost, one connection is for ever.
    play_all("lasts", [(play_for_ever, *pair) for pair in pairs(1)
                       if pair[0].code or pair[0].fault.then in ("cut", "reset")])


@case
def ports_where_nobody_listens_are_waited_for():
    for mode in MODES:
        work = Work(f"listens-{mode}", MANY)
        with Proxy(server, is_refusing=True) as proxy:
            wait = waits.begin(proxy, mode, work.names)
            wait.until(lambda: len(wait.of_kind("failure")) >= 2)
            proxy.listen()
            finish_well(wait, work)


@case
def ports_where_nobody_ever_listens_are_a_clear_error():
    work = Work("nobody", 1)
    with Proxy(server, is_refusing=True) as proxy:
        by_time = [waits.begin(proxy, mode, work.names, deadline=DEADLINE_S) for mode in MODES]
        by_count = [waits.begin(proxy, mode, work.names, max_failures=3) for mode in MODES]
        for wait in (*by_time, *by_count):
            outcome = wait.finish()
            equal(outcome.code, "connect", wait.story())
            check("connection refused" in outcome.text, wait.story())
        for wait in by_time:
            check(wait.outcome.seconds < DEADLINE_S + LATE_S, wait.story())


if __name__ == "__main__":
    with Server() as server, Jobs(server) as jobs, Waits() as waits:
        main(__file__)
