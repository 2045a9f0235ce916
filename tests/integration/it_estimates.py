#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""When a real vtstatusd says that a job will be done, and when who is to ask again.

Exit code 77: there is no python3-grpcio.
"""
import http.client
import json
import math
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main  # noqa: E402
from vts_server import IS_SANITIZED, WAIT_S, Server, client_context, scratch_folder  # noqa: E402

try:
    from jobs_client import SPEC, Jobs
except ImportError:
    print("skipped: there is no python3-grpcio or no python3-protobuf")
    sys.exit(77)

# What a busy machine may add to what takes no time.
SLACK_S = 3 if IS_SANITIZED else 0.5
ENGLISH_TO_THAI = {**SPEC, "source_language": "en", "target_language": "th"}
ENGLISH_TO_WELSH = {**SPEC, "source_language": "en", "target_language": "cy"}
server = None
jobs = None
numbers = iter(range(10**6))


def make(peer=None, **fields):
    name = f"job-{next(numbers)}"
    (peer or jobs).create(job_id=name, **fields)
    return name


def lease(name, peer=None):
    one = (peer or jobs).lease(worker_id="w").lease
    equal(one.job.id, name)
    return one.token


def report(name, token, phase, **fields):
    jobs.heartbeat(job_id=name, token=token, progress={"phase": phase}, **fields)


def work(spec, hear_s, speak_s):
    """A job that is in each of two phases for so long: nobody cancels it meanwhile."""
    name = make(spec=spec)
    begin = time.monotonic()
    token = lease(name)
    report(name, token, "hear", wait_timeout=hear_s)
    report(name, token, "speak", wait_timeout=speak_s)
    jobs.complete(job_id=name, token=token)
    return time.monotonic() - begin


def left_s(status):
    """From its last change to its end."""
    check(status.HasField("estimated_completion_time"), f"no estimate: {status}")
    return (status.estimated_completion_time.ToNanoseconds() -
            status.update_time.ToNanoseconds()) / 1e9


def expect_left(status, least_s, most_s):
    got_s = left_s(status)
    check(least_s - 0.05 <= got_s <= most_s + SLACK_S, f"{got_s} s, not {least_s} to {most_s}")


@case
def a_new_job_is_expected_to_take_as_long_as_others_of_its_pair():
    name = make(spec=ENGLISH_TO_THAI)
    token = lease(name)
    check(not jobs.status(job_id=name).status.HasField("estimated_completion_time"),
          "an estimate from nowhere")
    jobs.complete(job_id=name, token=token)
    took_s = [work(ENGLISH_TO_THAI, 0.4, 0.3) for _ in range(4)]
    others_took_s = [work(ENGLISH_TO_WELSH, 1.2, 0.8) for _ in range(3)]
    name = make(spec=ENGLISH_TO_THAI)
    expect_left(jobs.status(job_id=name).status, 0.7, max(took_s))
    token = lease(name)
    status = jobs.status(job_id=name).status
    expect_left(status, 0.7, max(took_s))
    job = jobs.get(job_id=name).job
    equal(job.status.estimated_completion_time, status.estimated_completion_time)
    hint_s = status.poll_after.ToNanoseconds() / 1e9
    check(0.2 <= hint_s <= (max(took_s) + SLACK_S) / 2, f"poll_after is {hint_s} s")
    report(name, token, "speak")
    expect_left(jobs.status(job_id=name).status, 0.3, max(took_s) - 0.4)
    jobs.complete(job_id=name, token=token)
    check(not jobs.status(job_id=name).status.HasField("estimated_completion_time"),
          "an estimate of what is done")
    name = make(spec=ENGLISH_TO_WELSH)
    lease(name)
    expect_left(jobs.status(job_id=name).status, 2.0, max(others_took_s))


@case
def what_was_learned_is_learned_again_after_a_restart():
    global server, jobs
    path = scratch_folder() / "jobs.db"
    before = server, jobs
    try:
        with Server("--store", f"sqlite:{path}") as server, Jobs(server) as jobs:
            took_s = [work(ENGLISH_TO_THAI, 0.3, 0.3) for _ in range(3)]
        with Server("--store", f"sqlite:{path}") as server, Jobs(server) as jobs:
            name = make(spec=ENGLISH_TO_THAI)
            lease(name)
            expect_left(jobs.status(job_id=name).status, 0.6, max(took_s))
    finally:
        server, jobs = before


# ---- who is to ask again when -------------------------------------------------------------------

def get(path, caller, fields=()):
    """(code, fields, body) for a caller of that address, on a connection of its own."""
    connection = http.client.HTTPSConnection("localhost", server.port, timeout=WAIT_S,
                                             context=client_context(server.certs),
                                             source_address=(caller, 0))
    try:
        connection.request("GET", path, headers=dict(fields))
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def hint_of(name, caller):
    code, fields, body = get(f"/status/{name}", caller)
    equal(code, 200)
    hint_s = float(json.loads(body)["pollAfter"].removesuffix("s"))
    equal(fields["retry-after"], str(math.ceil(hint_s)))
    return hint_s, fields["etag"]


@case
def callers_of_one_job_are_told_different_times_and_each_the_same_again():
    name = make(queue="nobody")  # of a queue of which nothing is known: the hint stands still
    callers = [f"127.0.0.{number}" for number in range(2, 18)]
    first = [hint_of(name, caller) for caller in callers]
    equal([hint_of(name, caller) for caller in callers], first, "the same callers again")
    check(all(0.8 <= hint_s <= 1 for hint_s, _ in first), first)
    check(len({hint_s for hint_s, _ in first}) > len(callers) // 2, f"hardly spread: {first}")
    equal({tag for _, tag in first}, {'W/"r1"'})
    for caller in callers:
        code, fields, _ = get(f"/status/{name}", caller, {"If-None-Match": 'W/"r1"'})
        equal((code, fields["retry-after"]), (304, "1"))
    other = make(queue="nobody")
    check([hint_of(other, caller) for caller in callers] != first, "the job does not matter")


@case
def every_dialect_tells_a_caller_the_same():
    name = make(queue="nobody")
    hint_s, _ = hint_of(name, "127.0.0.1")
    for _ in range(2):
        with Jobs(server) as peer:
            told = [peer.status(job_id=name).status, peer.get(job_id=name).job.status,
                    peer.list(queue="nobody").jobs[0].status]
    equal([round(one.poll_after.ToNanoseconds() / 1e9, 3) for one in told], [hint_s] * 3)


with Server() as server, Jobs(server) as jobs:
    main(__file__)
