#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Waits under valgrind's memcheck, on ways that are well and ways that are not: nothing is read
that nobody set, nothing is left behind. Usage: valgrind_waits.py VALGRIND ARGUMENTS...

Exit code 77: there is no python3-grpcio.
"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import h2_raw  # noqa: E402
from cases import case, check, equal, main  # noqa: E402
from vts_server import Server  # noqa: E402

try:
    from jobs_client import Jobs
except ImportError:
    print("skipped: there is no python3-grpcio or no python3-protobuf")
    sys.exit(77)
from fault_proxy import Fault, Proxy, goaway  # noqa: E402
from waits import Waits  # noqa: E402

MODES = ("auto", "long-poll", "poll")
DATA, HEADERS = (h2_raw.DATA,), (h2_raw.HEADERS,)
FAULTS = (
    Fault(),
    Fault("reset", 700),
    Fault("cut", 0, "frames", DATA, inside=True),
    Fault("reset", 1, "frames", DATA),
    Fault("pass", 0, "frames", HEADERS, say=goaway(h2_raw.NO_ERROR, "none")),
    Fault("pass", 0, "frames", HEADERS, say=b"\xff" * 64),
)
memcheck = sys.argv[1:]
server = jobs = None


@case
def waits_on_ways_that_fail_leave_nothing():
    with Waits(memcheck) as waits:
        for mode in MODES:
            for number, fault in enumerate(FAULTS):
                names = [f"{mode}-{number}-{i}" for i in range(1 + number % 2)]
                for name in names:
                    jobs.create(job_id=name)
                with Proxy(server, fault) as proxy:
                    wait = waits.begin(proxy, mode, names, how=("call", "thread")[number % 2])
                    wait.until(lambda w=wait: all(map(w.revisions, w.jobs)))
                    ends = {name: jobs.cancel(job_id=name).job.status.revision for name in names}
                    wait.expect_truth(**{name: (ends[name], "error") for name in names})


@case
def waits_that_are_given_up_leave_nothing():
    with Waits(memcheck) as waits:
        with Proxy(server, always=Fault("stall", 700)) as silent, \
                Proxy(server, is_refusing=True) as closed:
            late = [waits.begin(silent, mode, ["never"], deadline=1.5) for mode in MODES]
            refused = [waits.begin(closed, mode, ["a", "b"], max_failures=2) for mode in MODES]
            for wait in late:  # a slow machine may see its own time-out first
                check(wait.finish().code in ("gave_up", "timeout"), wait.story())
            equal([wait.finish().code for wait in refused], ["connect"] * len(MODES))


if __name__ == "__main__":
    del sys.argv[1:]  # not names of cases
    with Server() as server, Jobs(server) as jobs:
        main(__file__)
