#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of waiting in a loop of one's own, each against a real server with two jobs.

Usage: it_wait_examples.py PROGRAM..."""
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main  # noqa: E402
from driven_job import DrivenJob  # noqa: E402
from vts_server import WAIT_S, Server  # noqa: E402

PROGRAMS, sys.argv[1:] = sys.argv[1:], []


def run(program, server, *job_ids):
    return subprocess.run([program, server.url, server.certs / "ca.pem", *job_ids], text=True,
                          capture_output=True, timeout=WAIT_S, check=False)


def watches_two(metrics):
    """Whether it has had the first status of both, by one stream or by two."""
    return sum(value for name, value in metrics.items()
               if name.startswith("grpc_server_msg_sent_total") and "Watch" in name) >= 2


def waits_for_two_jobs(program):
    with Server() as server:
        for job in ("default", "b"):
            DrivenJob(server, job).go_on_once(watches_two)
        result = run(program, server, "default", "b")
        equal((result.returncode, result.stderr), (0, ""))
        lines = result.stdout.splitlines()
        for job in ("default", "b"):
            equal(lines.count(f"{job} completed"), 1, result.stdout)
        check("default pending" in lines, result.stdout)


def tells_of_a_job_that_is_not_there(program):
    with Server() as server:
        result = run(program, server, "nobody")
        equal(result.returncode, 0)
        check("knows no job 'nobody'" in result.stderr, result.stderr)


for one in PROGRAMS:
    for what in (waits_for_two_jobs, tells_of_a_job_that_is_not_there):
        def test(what=what, program=one):
            what(program)
        test.__name__ = f"{os.path.basename(one)}_{what.__name__}"
        case(test)

if __name__ == "__main__":
    main(__file__)
