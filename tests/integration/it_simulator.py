#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The simulated workers of a real vtstatusd, which lease the same jobs as others do.

Exit code 77: there is no python3-grpcio.
"""
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main  # noqa: E402
from vts_server import IS_SANITIZED, Server, scratch_folder  # noqa: E402

try:
    from jobs_client import (CANCELLED, FAILED, PENDING, RUNNING, SPEC, SUCCEEDED, CLASSES, Code,
                             Jobs, expect, message)
except ImportError:
    print("skipped: there is no python3-grpcio or no python3-protobuf")
    sys.exit(77)

LONG_S = 200 if IS_SANITIZED else 60
JOBS = 300
ATTEMPTS = 3  # of a job that asks for no other number
FLEET = "workers=40,delay=lognormal:100ms:0.8,error_rate=0.2,crash_rate=0.3,lease=1s,seed="
# A lease that a busy machine lets run out is an attempt of which the seed knows nothing.
SURE_FLEET = FLEET.replace("crash_rate=0.3,lease=1s", "lease=1h")


def watch(jobs, *names):
    """Every status of the jobs from now on, until all are done."""
    call = jobs.channel.unary_stream(
        "/vtstatus.v1.StatusService/WatchStatuses",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=CLASSES["vtstatus.v1.WatchStatusesResponse"].FromString)
    cursors = [message("vtstatus.v1.JobCursor", job_id=name) for name in names]
    request = message("vtstatus.v1.WatchStatusesRequest", jobs=cursors)
    for answer in call(request, timeout=LONG_S):
        yield answer.status


def wait_for(jobs, name, is_right):
    """The first status of the job that is as it should be."""
    return next(status for status in watch(jobs, name) if is_right(status))


def run_many(jobs):
    """The last statuses of many jobs, by their names."""
    make_request = CLASSES["vtstatus.v1.CreateJobRequest"]
    names = [f"film-{i}" for i in range(JOBS)]
    jobs.create_many(requests=[make_request(job_id=name, spec=SPEC) for name in names])
    return {status.job_id: status for status in watch(jobs, *names) if status.done}


def outcome(status):
    """What of its end does not depend on time."""
    return (status.state, status.attempt, status.error.code, status.error.message,
            round(status.progress.percent, 1), status.progress.phase)


# ---- many jobs --------------------------------------------------------------------------------

def check_attempts(jobs, status):
    """Every attempt but the last was a crash, seen by its lease's end."""
    job = jobs.get(job_id=status.job_id).job
    equal([one.number for one in job.attempts], list(range(1, status.attempt + 1)), status.job_id)
    for one in job.attempts[:-1]:
        equal(one.error.code, Code.UNAVAILABLE.value[0])
        check("the worker was lost" in one.error.message, one.error.message)
        lasted_s = one.end_time.ToNanoseconds() / 1e9 - one.start_time.ToNanoseconds() / 1e9
        check(lasted_s >= 1, f"a lease of 1 s was over after {lasted_s} s")
    check(job.attempts[-1].worker_id.startswith("simulator-"), job.attempts[-1].worker_id)


@case
def many_jobs_end_by_success_error_and_crash():
    with Server("--simulate", FLEET + "5") as server, Jobs(server) as jobs:
        last = run_many(jobs)
        equal(len(last), JOBS)
        states = Counter(status.state for status in last.values())
        equal(set(states), {SUCCEEDED, FAILED})
        attempts = Counter(status.attempt for status in last.values())
        equal(set(attempts), {1, 2, ATTEMPTS}, "attempts")
        lost = [one for one in last.values() if "the worker was lost" in one.error.message]
        check(0 < len(lost) < states[FAILED], f"{len(lost)} of {states[FAILED]} failures are losses")
        for status in list(last.values())[:50] + lost:
            check_attempts(jobs, status)
        for status in last.values():
            if status.state == SUCCEEDED:
                equal((status.progress.percent, status.progress.phase), (100, "upload"))
                check(status.output_uri, "no result")


@case
def the_seed_decides_whatever_the_store_and_the_workers():
    path = scratch_folder() / "jobs.db"
    results = []
    fewer = SURE_FLEET.replace("workers=40", "workers=13")
    for flags in ((SURE_FLEET + "7",), (fewer + "7", "--store", f"sqlite:{path}"),
                  (SURE_FLEET + "8",)):
        with Server("--simulate", *flags) as server, Jobs(server) as jobs:
            results.append({name: outcome(status) for name, status in run_many(jobs).items()})
    equal(len(results[0]), JOBS)
    equal([(name, one, results[1].get(name)) for name, one in results[0].items()
           if results[1].get(name) != one], [], "two runs of one seed differ")
    check(results[0] != results[2], "the seed changes nothing")


# ---- one job ----------------------------------------------------------------------------------

@case
def the_default_job_is_a_job_like_any_other():
    with Server("--simulate", "delay=24h,error_rate=0") as server, Jobs(server) as jobs:
        expect("JOB_ALREADY_EXISTS", lambda: jobs.create(job_id="default"))
        job = jobs.get(job_id="default").job
        equal((job.status.state, job.attempts[0].worker_id), (RUNNING, "simulator-1"))
        equal([one.id for one in jobs.list().jobs], ["default"])
        equal(jobs.status().status.job_id, "default")
        # Its worker hears of a cancellation at once, and is free for the next job then.
        jobs.create(job_id="next")
        equal(jobs.get(job_id="next").job.status.state, PENDING)
        jobs.cancel(job_id="default", reason="enough")
        equal(wait_for(jobs, "default", lambda status: status.done).state, CANCELLED)
        wait_for(jobs, "next", lambda status: status.state == RUNNING)
        jobs.delete(job_id="default")
        expect("JOB_GONE", lambda: jobs.get(job_id="default"))


@case
def queues_of_others_are_left_to_them():
    with Server("--simulate", "queues=slow:fast,delay=0s,error_rate=0") as server, \
            Jobs(server) as jobs:
        equal(jobs.get(job_id="default").job.queue, "slow")
        jobs.create(job_id="ours")
        jobs.create(job_id="theirs", queue="fast")
        wait_for(jobs, "theirs", lambda status: status.state == SUCCEEDED)
        lease = jobs.lease(worker_id="w").lease
        equal((lease.job.id, lease.job.status.attempt), ("ours", 1))


# ---- a file and a restart -----------------------------------------------------------------------

@case
def a_default_job_that_is_done_stays_done():
    store = ("--store", f"sqlite:{scratch_folder() / 'jobs.db'}")
    with Server("--simulate", "delay=0s,error_rate=1", *store) as server, Jobs(server) as jobs:
        before = jobs.status().status
        equal(before.state, FAILED)
    with Server("--simulate", "delay=0s,error_rate=0", *store) as server, Jobs(server) as jobs:
        equal(jobs.status().status, before)


@case
def a_default_job_that_was_deleted_is_missed_aloud():
    store = ("--store", f"sqlite:{scratch_folder() / 'jobs.db'}")
    simulation = ("--simulate", "delay=0s,error_rate=0")
    with Server(*simulation, *store) as server, Jobs(server) as jobs:
        wait_for(jobs, "default", lambda status: status.done)
        jobs.delete(job_id="default")
    with Server(*simulation, *store) as server, Jobs(server) as jobs:
        line = server.wait_log(lambda line: "the simulation has no job default" in line["msg"])
        equal(line["level"], "warn")
        expect("JOB_GONE", lambda: jobs.get(job_id="default"))
        jobs.create(job_id="other")
        wait_for(jobs, "other", lambda status: status.state == SUCCEEDED)


@case
def a_default_job_that_was_under_way_goes_on():
    store = ("--store", f"sqlite:{scratch_folder() / 'jobs.db'}")
    with Server("--simulate", "delay=24h,lease=2s", *store) as server, Jobs(server) as jobs:
        first = jobs.status().status.attempt
    with Server("--simulate", "delay=1s,error_rate=0,lease=1h", *store) as server, \
            Jobs(server) as jobs:
        last = wait_for(jobs, "default", lambda status: status.done)
        equal(last.state, SUCCEEDED)
        check(last.attempt > first, f"attempt {first}, then {last.attempt}")


main(__file__)
