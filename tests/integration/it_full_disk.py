#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that is full under a real vtstatusd: what is refused, what goes on, and what is kept.

The disk is a small tmpfs in a mount namespace of the test's own, so that nothing of it is left
whatever becomes of the test. Exit code 77: that takes root, or there is no python3-grpcio.
"""
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main  # noqa: E402
from vts_server import Server, scratch_folder  # noqa: E402

try:
    from jobs_client import SUCCEEDED, Code, Jobs, expect, grpc
except ImportError:
    print("skipped: there is no python3-grpcio or no python3-protobuf")
    sys.exit(77)

ISOLATED = "VTS_TEST_HAS_MOUNTS"  # in the environment: the namespace is ours
DISK_BYTES = 8 << 20
LEFT_BYTES = 256 << 10
SPEC = {"source_uri": "https://example.org/" + "v" * 2000, "target_language": "de"}
MOST_JOBS = 2000  # far more than fit
names = iter(f"job-{number}" for number in range(10**6))


def isolate():
    """Runs the script anew where mounts are its own; returns there, and nowhere else."""
    if os.environ.get(ISOLATED):
        return
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        print("skipped: only root can mount a small disk")
        sys.exit(77)
    probe = subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],
                           stderr=subprocess.DEVNULL, check=False)
    if probe.returncode != 0:
        print("skipped: no mounts are allowed here")
        sys.exit(77)
    os.environ[ISOLATED] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, "-B",
                          *sys.argv])


class Disk:
    def __init__(self):
        self.folder = scratch_folder() / "disk"
        self.folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", self.folder],
                       check=True)
        self.ballast = self.folder / "ballast"
        self.flags = ("--store", f"sqlite:{self.folder / 'jobs.db'}")

    def fill(self, left):
        """With bytes of no use, to so many that are left."""
        room = os.statvfs(self.folder)
        self.ballast.write_bytes(bytes(room.f_bavail * room.f_frsize - left))

    def clear(self):
        self.ballast.unlink()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.folder], check=True)


def create_until_full(jobs):
    """The ids of those that were acknowledged, and of one that was not."""
    made = []
    for name in names:
        check(len(made) < MOST_JOBS, "the disk does not get full")
        try:
            made.append(jobs.create(job_id=name, spec=SPEC).job.id)
        except grpc.RpcError as error:  # the first that does not fit
            equal(error.code(), Code.UNAVAILABLE, error)
            return made, name


def ids(jobs):
    answer = jobs.list(page_size=1000)
    equal(answer.next_page_token, "")
    return {job.id for job in answer.jobs}


@case
def a_full_disk_refuses_writes_and_serves_reads():
    with Disk() as disk, Server(*disk.flags) as server, Jobs(server) as jobs:
        disk.fill(LEFT_BYTES)
        made, refused = create_until_full(jobs)
        check(len(made) >= 3, f"{len(made)} jobs were made")
        for call in (lambda: jobs.create(job_id=refused, spec=SPEC),
                     lambda: jobs.create(spec=SPEC)):
            failure = expect("STORE_UNAVAILABLE", call)
            equal(failure.code, Code.UNAVAILABLE)
            check(failure.retry_s, "it does not say when to come again")
        equal(ids(jobs), set(made))
        equal(jobs.status(job_id=made[-1]).status.job_id, made[-1])
        expect("JOB_NOT_FOUND", lambda: jobs.get(job_id=refused))
        code, _, _ = server.get(f"/status/{made[0]}")
        equal(code, 200)
        line = server.wait_log(lambda one: one.get("msg") == "jobs cannot be stored; trying again")
        check("the store's disk is full: make room" in line["reason"], line)


@case
def room_that_is_made_is_used_without_a_restart():
    with Disk() as disk:
        with Server(*disk.flags) as server, Jobs(server) as jobs:
            disk.fill(LEFT_BYTES)
            made, refused = create_until_full(jobs)
            disk.clear()
            made.append(jobs.create(job_id=refused, spec=SPEC).job.id)
            server.wait_log(lambda line: line.get("msg") == "jobs are stored again")
            lease = jobs.lease().lease
            equal(jobs.complete(job_id=lease.job.id, token=lease.token).status.state, SUCCEEDED)
            equal(ids(jobs), set(made))
        with Server(*disk.flags) as server, Jobs(server) as jobs:
            equal(ids(jobs), set(made))
            equal(jobs.status(job_id=lease.job.id).status.state, SUCCEEDED)


@case
def what_was_acknowledged_outlives_a_server_that_is_killed_on_a_full_disk():
    with Disk() as disk:
        server = Server(*disk.flags)
        with Jobs(server) as jobs:
            disk.fill(LEFT_BYTES)
            made, _ = create_until_full(jobs)
            server.send_signal(signal.SIGKILL)
            server.wait()
        disk.clear()
        with Server(*disk.flags) as again, Jobs(again) as jobs:
            equal(ids(jobs), set(made))


@case
def a_disk_that_gets_full_again_and_again_loses_nothing():
    with Disk() as disk:
        made = set()
        with Server(*disk.flags) as server, Jobs(server) as jobs:
            for _ in range(5):
                disk.fill(LEFT_BYTES // 2)
                made.update(create_until_full(jobs)[0])
                equal(ids(jobs), made)
                disk.clear()
                made.add(jobs.create(job_id=next(names), spec=SPEC).job.id)
        with Server(*disk.flags) as server, Jobs(server) as jobs:
            equal(ids(jobs), made)


isolate()
main(__file__)
