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
from command import vtstatus  # noqa: E402
from vts_server import WAIT_S, Server  # noqa: E402

PROGRAMS, sys.argv[1:] = sys.argv[1:], []


def run(program, server, *job_ids):
    return subprocess.run([program, server.url, server.certs / "ca.pem", *job_ids], text=True,
                          capture_output=True, timeout=WAIT_S, check=False)


def waits_for_two_jobs(program):
    with Server("--simulate", "delay=500ms,error_rate=0") as server:
        equal(vtstatus(server, "submit", "file:///a", "--to", "de", "--job-id", "b").returncode, 0)
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
