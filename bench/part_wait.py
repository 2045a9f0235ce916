# SPDX-License-Identifier: Apache-2.0
"""One process that waits for very many jobs: ours, and grpc++'s by the same streams."""
import json
import subprocess

import messages
import servers
from plan import print_target

JOBS = 10_000
BATCH = 1000
TIMEOUT_S = 120


class Simulation(servers.Vtstatusd):
    """Plays all jobs at once; they end between 15 and 30 seconds after they were made."""

    cpus = "0,1"

    def command(self):
        return [self.binary, "--listen", "127.0.0.1:0", "--cert", self.scratch / "server.pem",
                "--key", self.scratch / "server-key.pem", "--log-format", "json", "--simulate",
                f"workers={JOBS + 1},delay=uniform:15s:30s,error_rate=0.1,seed=7"]

    def has_started(self):
        self.port = self.find_port()
        return self.port is not None


def make_jobs(plan, server):
    with messages.open_channel(server, plan.ca_file) as channel:
        call = channel.unary_unary(messages.JOB_SERVICE + "CreateJobs")
        for start in range(0, JOBS, BATCH):
            create = messages.CLASSES["CreateJobsRequest"]()
            for i in range(start, start + BATCH):
                request = create.requests.add(job_id=f"job-{i}")
                request.spec.source_uri = "simulated:///v.mp4"
                request.spec.target_language = "de"
            call(create.SerializeToString(), timeout=TIMEOUT_S)


def measure(plan, command, address, *more):
    """What the waiting process says of itself."""
    with Simulation(plan.scratch) as server:
        make_jobs(plan, server)
        run = subprocess.run([command, address.format(server.port), plan.ca_file, str(JOBS), *more],
                             capture_output=True, text=True, timeout=TIMEOUT_S)
    if run.returncode != 0:
        raise SystemExit(f"{command.name} failed: {run.stderr[-300:]}")
    return json.loads(run.stdout)


def run(plan):
    if not plan.has_ours:
        return
    ours = measure(plan, plan.build / "bin/wait_many", "https://localhost:{}")
    peer = plan.peer_build / "grpcpp_wait_many"
    theirs = measure(plan, peer, "localhost:{}")
    ends = measure(plan, peer, "localhost:{}", "ends")
    print(f"\none process, one connection, {JOBS} jobs that end within 15 s")
    for name, got in (("vtstatus", ours), ("grpc++", theirs), ("grpc++, the ends alone", ends)):
        print(f"{name:24}CPU {got['cpu_s']:.2f} s, at most {got['rss_kib'] / 1024:.1f} MiB; ends "
              f"known after {got['mean_ms']:.1f} ms, at most {got['max_ms']:.1f} ms")
    print("\ntargets")
    print_target("resident memory, jobs waited for", ours["rss_kib"] / 1024, 64, "MiB")
    print_target("the latest an end became known", ours["max_ms"], 100, "ms")
    print_target("CPU time, by grpc++'s", ours["cpu_s"] / theirs["cpu_s"], 1 / 3)
