#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many jobs waited for over HTTP/1.1, where each request that is held has a connection to itself.

Exit code 77: there is no python3-grpcio.
"""
import json
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, equal, main  # noqa: E402
from command import VTSTATUS, environment  # noqa: E402
from vts_server import WAIT_S, Server  # noqa: E402

try:
    from jobs_client import Jobs
except ImportError:
    print("skipped: there is no python3-grpcio or no python3-protobuf")
    sys.exit(77)

SLOW = [f"slow-{number}" for number in range(20)]  # more than a client has connections


@case
def slow_jobs_hold_up_no_other():
    with Server("--insecure-listen", "127.0.0.1:0") as server, Jobs(server) as jobs:
        for name in (*SLOW, "quick"):
            jobs.create(job_id=name, queue=name)
        with subprocess.Popen(
                [VTSTATUS, "--url", f"http://127.0.0.1:{server.insecure_port}", "watch", "--mode",
                 "long-poll", "-o", "json", *SLOW, "quick"], env=environment(), text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
            told = map(json.loads, command.stdout)
            equal({next(told)["jobId"] for _ in range(len(SLOW) + 1)}, {*SLOW, "quick"})
            jobs.complete(job_id="quick", token=jobs.lease(worker_id="w", queues=["quick"]).lease.token)
            ends = (status["jobId"] for status in told if status.get("done"))
            try:
                equal(next(ends), "quick")  # the others hold what they have for two minutes
            finally:
                command.send_signal(signal.SIGINT)
            _, err = command.communicate(timeout=WAIT_S)
            equal(command.returncode, 128 + signal.SIGINT, err)


main(__file__)
