#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A wait whose way fails at one place after the other: at every frame of what the server says, and
every few bytes, until it ends before it gets there. Wherever it is, the end is told once.

Exit code 77: there is no python3-grpcio.
"""
import itertools
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import h2_raw  # noqa: E402
from cases import case, check, main  # noqa: E402
from vts_server import Server  # noqa: E402

try:
    from jobs_client import Jobs
except ImportError:
    print("skipped: there is no python3-grpcio or no python3-protobuf")
    sys.exit(77)
from fault_proxy import Fault, Proxy, goaway, reset_stream  # noqa: E402
from waits import Waits  # noqa: E402

MODES = ("watch", "long-poll", "poll")  # auto is watch where all is well at last
AT_A_TIME = 12
MAX_PLACES = 400

server = jobs = waits = None


def play(fault, mode, name):
    """Whether the wait met the fault."""
    jobs.create(job_id=name)
    with Proxy(server, fault) as proxy:
        # What is too slow to get as far as its place meets nothing; only silence needs to be short.
        wait = waits.begin(proxy, mode, [name],
                           request_timeout=1.0 if fault.then == "stall" else 10.0)
        wait.until(lambda: wait.revisions(name))
        end = jobs.cancel(job_id=name).job.status
        wait.expect_truth(**{name: (end.revision, "error")})
        return proxy.met > 0


def play_places(title, fault, step=1):
    """fault at its first place, a step further, and so on."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for mode in MODES:
            for first in itertools.count(0, AT_A_TIME):
                places = range(first * step, (first + AT_A_TIME) * step, step)
                met = list(pool.map(
                    lambda place, mode=mode: play(fault.moved(place), mode,
                                                  f"{title}-{mode}-{place}"), places))
                if not all(met):
                    check(first + sum(met) > (0 if fault.then == "stall" else 3),
                          f"{title}, {mode}: hardly a place was met: {met}")
                    break
                check(first < MAX_PLACES, f"{title}, {mode}: it never ends")


def frames(then, say=b""):
    return Fault(then, unit="frames", say=say)


@case
def goaway_at_any_frame():
    play_places("goaway-none", frames("pass", goaway(h2_raw.NO_ERROR, "none")))
    play_places("goaway-this", frames("pass", goaway(h2_raw.NO_ERROR, "this")))
    play_places("goaway-all", frames("pass", goaway(h2_raw.NO_ERROR, "all")))


@case
def goaway_and_the_end_at_any_frame():
    play_places("calm", frames("cut", goaway(h2_raw.ENHANCE_YOUR_CALM, "before")))


@case
def goaway_and_silence_at_any_frame():
    play_places("goaway-silence", frames("stall", goaway(h2_raw.NO_ERROR, "none")))


@case
def reset_of_the_stream_at_any_frame():
    play_places("stream", frames("pass", reset_stream(h2_raw.CANCEL)))
    play_places("refused", frames("pass", reset_stream(h2_raw.REFUSED_STREAM)))


@case
def noise_at_any_frame():
    play_places("noise", frames("pass", b"\xff" * 9))
    play_places("unknown", frames("pass", h2_raw.frame(0x77, 0, 0, b"?")))


@case
def the_end_at_any_byte_of_tls():
    play_places("tls-cut", Fault("cut"), 233)
    play_places("tls-reset", Fault("reset"), 251)


@case
def the_end_at_any_byte_of_http():
    play_places("cut", Fault("cut", unit="plain"), 29)
    play_places("reset", Fault("reset", unit="plain"), 31)


@case
def the_end_at_any_byte_of_requests():
    play_places("sent-cut", Fault("cut", unit="plain", way="up"), 31)
    play_places("sent-reset", Fault("reset", unit="plain", way="up"), 37)


if __name__ == "__main__":
    with Server() as server, Jobs(server) as jobs, Waits() as waits:
        main(__file__)
