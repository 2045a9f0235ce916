#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""JobService and WorkerService of a real vtstatusd, called by python3-grpcio.

Exit code 77: there is no python3-grpcio.
"""
import contextlib
import json
import os
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main, wait_until, with_more_time  # noqa: E402
from http_client import Http1  # noqa: E402
from vts_server import IS_SANITIZED, WAIT_S, Server, ServerFailed, scratch_folder  # noqa: E402

try:
    from google.protobuf import json_format
    from jobs_client import (CANCELLED, CANCELLING, FAILED, PENDING, RUNNING, SPEC, SUCCEEDED,
                             CLASSES, Code, Jobs, expect, failure_of, grpc, message, read_failure)
except ImportError:
    print("skipped: there is no python3-grpcio or no python3-protobuf")
    sys.exit(77)

# Far more than what takes no time takes on a busy machine; less than drain_ms and all waits here.
SOON_S = 15
LONG_S = 60
server = None
jobs = None
names = iter(f"job-{number}" for number in range(10**6))


def take(queue, **fields):
    """A lease on the only job of a queue."""
    answer = jobs.lease(worker_id="w", queues=[queue], **fields)
    check(answer.HasField("lease"), f"there is no work in {queue}")
    return answer.lease


def make(queue=None, **fields):
    """A job in a queue of its own."""
    name = next(names)
    return jobs.create(job_id=name, queue=queue or name, **fields).job


def state(name):
    return jobs.get(job_id=name).job.status.state


# ---- creating -----------------------------------------------------------------------------------

@case
def a_job_is_made_as_it_was_asked_for():
    job = jobs.create(job_id="asked", labels={"team": "red"}, queue="asked", priority=5,
                      max_attempts=7, timeout=90, spec={**SPEC, "options": {"voice": "low"}}).job
    equal((job.id, job.queue, job.priority, job.max_attempts), ("asked", "asked", 5, 7))
    equal((dict(job.labels), dict(job.spec.options)), ({"team": "red"}, {"voice": "low"}))
    equal((job.timeout.seconds, job.spec.target_language), (90, "de"))
    status = job.status
    equal((status.job_id, status.state, status.revision, status.done), ("asked", PENDING, 1, False))
    check(status.HasField("poll_after"), "no hint when to ask again")
    check(job.HasField("create_time") and not job.HasField("start_time"), job)
    equal(jobs.get(job_id="asked").job, job)
    equal(jobs.status(job_id="asked").status, status)


@case
def a_job_without_an_id_gets_one():
    ids = {jobs.create(queue="nameless").job.id for _ in range(20)}
    equal(len(ids), 20)
    check(all(len(one) >= 22 for one in ids), f"ids that could be guessed: {ids}")


@case
def the_same_request_id_gives_the_same_job():
    first = jobs.create(request_id="r-1", queue="repeated").job
    again = jobs.create(request_id="r-1", queue="repeated").job
    equal(again, first)
    failure = expect("REQUEST_ID_REUSED", lambda: jobs.create(request_id="r-1", queue="other"))
    equal(failure.code, Code.ALREADY_EXISTS)
    check(jobs.create(request_id="r-2", queue="repeated").job.id != first.id, "another request")


@case
def an_id_in_use_is_refused():
    job = make()
    failure = expect("JOB_ALREADY_EXISTS", lambda: jobs.create(job_id=job.id))
    equal((failure.code, failure.metadata), (Code.ALREADY_EXISTS, {"jobId": job.id}))


@case
def what_a_request_may_not_say_is_named():
    for field, fields in (
            ("job_id", {"job_id": "a/b"}), ("job_id", {"job_id": "a" * 129}),
            ("spec.source_uri", {"spec": {}}), ("queue", {"queue": "Upper"}),
            ("spec.target_language", {"spec": {"source_uri": "x"}}),
            ("priority", {"priority": 1001}), ("max_attempts", {"max_attempts": 101}),
            ("labels", {"labels": {"UPPER": "x"}}), ("request_id", {"request_id": "r" * 37}),
            ("timeout", {"timeout": -1}), ("ttl", {"ttl": -1})):
        failure = expect("INVALID_REQUEST", lambda: jobs.create(**fields))
        equal((failure.code, failure.fields), (Code.INVALID_ARGUMENT, [field]))
        equal(failure.metadata.get("field"), field)
        check(failure.text.startswith(field + " "), failure.text)
    failure = expect("INVALID_REQUEST", lambda: jobs.stub("create")(
        message("vtstatus.v1.CreateJobRequest"), timeout=WAIT_S))
    equal(failure.fields, ["spec"])


@case
def several_jobs_have_an_outcome_each_in_their_order():
    make_request = CLASSES["vtstatus.v1.CreateJobRequest"]
    requests = [make_request(job_id="many-0", spec=SPEC, queue="many"), make_request(job_id="many-1"),
                make_request(job_id="many-0", spec=SPEC), make_request(spec=SPEC, queue="many"),
                make_request(job_id="a/b", spec=SPEC)]
    results = jobs.create_many(requests=requests).results
    equal([one.WhichOneof("result") for one in results], ["job", "error", "error", "job", "error"])
    equal(results[0].job.id, "many-0")
    check(results[0].job.status.HasField("poll_after"), "no hint when to ask again")
    failures = [failure_of(one.error) for one in results if one.HasField("error")]
    equal([one.reason for one in failures],
          ["INVALID_REQUEST", "JOB_ALREADY_EXISTS", "INVALID_REQUEST"])
    equal([one.fields for one in failures], [["spec"], [], ["job_id"]])
    equal([one.metadata.get("jobId") for one in failures], ["many-1", "many-0", None])
    equal(list(jobs.create_many().results), [])


@case
def a_thousand_jobs_are_made_at_once_and_no_more():
    make_request = CLASSES["vtstatus.v1.CreateJobRequest"]
    requests = [make_request(job_id=f"thousand-{i}", spec=SPEC, queue="thousand",
                             labels={"n": str(i)}, request_id=f"t-{i}") for i in range(1000)]
    results = jobs.create_many(requests=requests, deadline=LONG_S).results
    equal([one.job.id for one in results], [one.job_id for one in requests])
    failure = expect("INVALID_REQUEST", lambda: jobs.create_many(
        requests=[make_request() for _ in range(1001)]))
    equal(failure.fields, ["requests"])


def full_request(i, entry):
    """With all that it may say; entry(n) is the n-th key of its options and labels, and the value."""
    pairs = dict(entry(n) for n in range(20))
    return CLASSES["vtstatus.v1.CreateJobRequest"](
        job_id=f"full-{i}", queue="full", priority=7, start_time={"seconds": 4102444800},
        max_attempts=3, timeout={"seconds": 3600, "nanos": 1}, ttl={"seconds": 86400, "nanos": 1},
        request_id=f"full-{i}", labels=pairs,
        spec={"source_uri": "https://example.org/v.mp4", "source_language": "en",
              "target_language": "de", "options": pairs})


@case
def a_thousand_jobs_may_say_all_there_is_to_say():
    many = message("vtstatus.v1.CreateJobsRequest", requests=[
        full_request(i, lambda n: (f"key-{n:02}", f"value-{n:02}")) for i in range(1000)])
    check(1 << 20 >= many.ByteSize() > 9 << 16, many.ByteSize())
    results = jobs.create_many(requests=many.requests, deadline=LONG_S).results
    equal([one.job.id for one in results], [one.job_id for one in many.requests])
    equal(dict(results[999].job.labels), dict(many.requests[999].labels))
    equal(dict(results[999].job.spec.options), dict(many.requests[999].spec.options))


@case
def a_thousand_jobs_may_do_so_in_json():
    letters = "abcdefghijklmnopqrst"
    many = message("vtstatus.v1.CreateJobsRequest", requests=[
        full_request(f"json-{i}" if i else "json", lambda n: (letters[n], "v")) for i in range(1000)])
    body = json_format.MessageToJson(many, indent=None).encode()
    check(len(body) <= 1 << 20, len(body))
    with Http1(server.port, server.certs / "ca.pem", hostname="localhost") as http:
        answer = http.ask("POST", "/vtstatus.v1.JobService/CreateJobs",
                          [("content-type", "application/json")], body)
    equal(answer.status, 200, answer.body[:200])
    equal(len(json.loads(answer.body)["results"]), 1000)


@case
def a_message_that_is_too_full_is_counted():
    # As many priorities of as many requests, and states of a list, as there may be, and one more.
    priorities, states = b"\x0a\x18" + b"\x28\x01" * 12, b"\x1a\x91\x4e"
    for method, body in (("CreateJobs", priorities * 15385), ("ListJobs", states + b"\x01" * 10001)):
        before = server.metrics()['vts_limit_hits_total{limit="message_elements"}']
        with Http1(server.port, server.certs / "ca.pem", hostname="localhost") as http:
            answer = http.ask("POST", f"/vtstatus.v1.JobService/{method}",
                              [("content-type", "application/proto")], body)
        hits = server.metrics()['vts_limit_hits_total{limit="message_elements"}'] - before
        equal((answer.status, hits), (429, 1.0), answer.body)


# ---- queues -------------------------------------------------------------------------------------

def places(*wanted):
    """What each of the jobs is told of its place in the queue, by every way."""
    told = []
    for name in wanted:
        place = jobs.status(job_id=name).status.queue_position
        equal(jobs.get(job_id=name).job.status.queue_position, place, name)
        _, _, body = server.get(f"/status/{name}")
        equal(json.loads(body).get("queuePosition", 0), place, name)
        _, _, body = server.get(f"/status/{name}", {"Accept": "application/x-protobuf"})
        equal(CLASSES["vtstatus.v1.JobStatus"].FromString(body).queue_position, place, name)
        told.append(place)
    return told


@case
def a_job_that_waits_knows_its_place_in_the_queue():
    queue = next(names)
    first, second, third = (make(queue).id for _ in range(3))
    make()  # of another queue
    equal(places(first, second, third), [1, 2, 3])
    revisions = [jobs.status(job_id=name).status.revision for name in (second, third)]
    urgent = make(queue, priority=10).id
    equal(places(urgent, first, second, third), [1, 2, 3, 4])
    equal([one.status.queue_position for one in jobs.list(queue=queue).jobs], [1, 4, 3, 2])
    lease = take(queue)
    equal(lease.job.id, urgent)
    equal(places(urgent, first, second, third), [0, 1, 2, 3])
    jobs.cancel(job_id=first)
    equal(places(first, second, third), [0, 1, 2])
    equal([jobs.status(job_id=name).status.revision for name in (second, third)], revisions,
          "a place is no change of the job")
    jobs.release(job_id=urgent, token=lease.token)
    equal(places(urgent, second, third), [1, 2, 3])
    jobs.retry(job_id=first)
    equal(places(urgent, first, second, third), [1, 2, 3, 4])


@case
def only_a_job_that_may_be_leased_has_a_place():
    queue = next(names)
    later = message("google.protobuf.Timestamp", seconds=int(time.time()) + LONG_S)
    waiting = make(queue, start_time=later).id
    ready = make(queue).id
    failed = make(queue).id
    equal(places(waiting, ready, failed), [0, 1, 2])
    jobs.cancel(job_id=ready)
    jobs.fail(job_id=failed, token=take(queue).token, retryable=True, retry_delay=LONG_S)
    equal(places(waiting, ready, failed), [0, 0, 0])


# ---- looking ------------------------------------------------------------------------------------

@case
def a_job_that_is_not_there_is_not_found():
    for call in (jobs.get, jobs.cancel, jobs.retry, jobs.delete):
        failure = expect("JOB_NOT_FOUND", lambda: call(job_id="nobody"))
        equal((failure.code, failure.metadata), (Code.NOT_FOUND, {"jobId": "nobody"}))
        failure = expect("INVALID_REQUEST", lambda: call(job_id=""))
        equal((failure.fields, failure.metadata), (["job_id"], {"field": "job_id"}))


def pages(**fields):
    """The ids of all pages, page by page."""
    token, found = "", []
    while True:
        answer = jobs.list(page_token=token, **fields)
        found.append([job.id for job in answer.jobs])
        token = answer.next_page_token
        if not token:
            return found


@case
def lists_come_in_pages_by_age():
    made = [make(queue="aged").id for _ in range(7)]
    newest = pages(queue="aged", page_size=3)
    equal([len(page) for page in newest if page], [3, 3, 1])
    equal(sum(newest, []), made[::-1])
    equal(sum(pages(queue="aged", page_size=2, order="JOB_ORDER_OLDEST_FIRST"), []), made)
    equal(sum(pages(queue="aged", page_size=10**6), []), made[::-1])


@case
def pages_have_each_job_once_whatever_happens_meanwhile():
    made = [make(queue="moving").id for _ in range(20)]
    found, token = [], ""
    while True:
        answer = jobs.list(queue="moving", page_size=3, page_token=token)
        found += [job.id for job in answer.jobs]
        token = answer.next_page_token
        if not token:
            break
        make(queue="moving")  # newer than all that follow
        jobs.cancel(job_id=found[-1])  # it stays in its place
    equal(found, made[::-1])


@case
def lists_are_filtered():
    red = jobs.create(job_id="f-red", queue="filter", labels={"team": "red", "n": "1"}).job
    jobs.create(job_id="f-blue", queue="filter", labels={"team": "blue", "n": "1"})
    jobs.cancel(job_id="f-blue")

    def ids(**fields):
        return sorted(sum(pages(queue="filter", **fields), []))
    equal(ids(), ["f-blue", "f-red"])
    equal(ids(labels=["team=red"]), ["f-red"])
    equal(ids(labels=["n=1", "team=blue"]), ["f-blue"])
    equal(ids(labels=["team=green"]), [])
    equal(ids(states=[PENDING]), ["f-red"])
    equal(ids(states=[PENDING, CANCELLED]), ["f-blue", "f-red"])
    equal(ids(created_after=red.create_time), ["f-blue"])
    check("f-red" in ids(created_before=CLASSES["google.protobuf.Timestamp"](seconds=2**32)), "all")


@case
def a_page_token_is_good_for_its_own_list_only():
    for _ in range(3):
        make(queue="token")
    token = jobs.list(queue="token", page_size=1).next_page_token
    check(token, "no second page")
    for fields in ({"queue": "other", "page_token": token}, {"page_token": "nonsense"}):
        failure = expect("INVALID_REQUEST", lambda: jobs.list(page_size=1, **fields))
        equal(failure.fields, ["page_token"], fields)
    equal(expect("INVALID_REQUEST", lambda: jobs.list(page_size=-1)).fields, ["page_size"])


# ---- deciding -----------------------------------------------------------------------------------

@case
def a_job_that_waits_is_cancelled_at_once():
    job = make()
    done = jobs.cancel(job_id=job.id, reason="not needed").job
    equal((done.status.state, done.status.done, done.status.revision), (CANCELLED, True, 2))
    equal((done.status.error.code, done.status.error.message), (1, "not needed"))
    equal(jobs.cancel(job_id=job.id).job, done)
    check(not jobs.lease(queues=[job.queue]).HasField("lease"), "a cancelled job is work")


@case
def an_entity_tag_that_holds_no_more_stops_the_change():
    job = make()
    for call in (jobs.cancel, jobs.retry, jobs.delete):
        failure = expect("ETAG_MISMATCH", lambda: call(job_id=job.id, etag='"r2"'))
        equal((failure.code, failure.metadata), (Code.ABORTED, {"jobId": job.id}))
    equal(jobs.get(job_id=job.id).job.status.revision, 1)
    jobs.cancel(job_id=job.id, etag='W/"r1"')
    jobs.retry(job_id=job.id, etag='"r2"')
    equal(state(job.id), PENDING)


def poll_after_s(name):
    return jobs.status(job_id=name).status.poll_after.ToTimedelta().total_seconds()


@case
def who_polls_is_told_to_come_back_when_something_can_have_happened():
    later = CLASSES["google.protobuf.Timestamp"]()
    later.FromSeconds(int(time.time()) + 300)
    job = make(start_time=later)
    check(24 <= poll_after_s(job.id) <= 30, f"{poll_after_s(job.id)} s, and it starts in 300 s")
    job = make()
    lease = take(job.queue)
    jobs.fail(job_id=job.id, token=lease.token, retryable=True, retry_delay=20)
    check(7.5 <= poll_after_s(job.id) <= 10, f"{poll_after_s(job.id)} s, and it waits for 20 s")


@case
def what_is_done_can_be_retried_unless_it_succeeded():
    job = make()
    failure = expect("JOB_NOT_RETRYABLE", lambda: jobs.retry(job_id=job.id))
    equal(failure.code, Code.FAILED_PRECONDITION)
    jobs.cancel(job_id=job.id)
    equal(jobs.retry(job_id=job.id).job.status.state, PENDING)
    lease = take(job.queue)
    jobs.complete(job_id=job.id, token=lease.token)
    expect("JOB_NOT_RETRYABLE", lambda: jobs.retry(job_id=job.id))
    failure = expect("JOB_DONE", lambda: jobs.cancel(job_id=job.id))
    equal(failure.code, Code.FAILED_PRECONDITION)


@case
def only_what_is_done_is_deleted_and_stays_known():
    job = make()
    failure = expect("JOB_NOT_DONE", lambda: jobs.delete(job_id=job.id))
    equal(failure.code, Code.FAILED_PRECONDITION)
    jobs.cancel(job_id=job.id)
    jobs.delete(job_id=job.id)
    for call in (jobs.get, jobs.cancel, jobs.retry, jobs.delete):
        failure = expect("JOB_GONE", lambda: call(job_id=job.id))
        equal((failure.code, failure.metadata), (Code.NOT_FOUND, {"jobId": job.id}))
    expect("JOB_ALREADY_EXISTS", lambda: jobs.create(job_id=job.id))
    equal(sum(pages(queue=job.queue), []), [])


def reason_of(call):
    error = call.exception(WAIT_S)
    return error and read_failure(error).reason


@case
def what_was_kept_for_its_time_stays_known():
    job = make(ttl=CLASSES["google.protobuf.Duration"](nanos=1))
    jobs.cancel(job_id=job.id)
    wait_until(lambda: reason_of(jobs.get_later(job_id=job.id)) is not None, "it is removed")
    expect("JOB_GONE", lambda: jobs.get(job_id=job.id))
    expect("JOB_ALREADY_EXISTS", lambda: jobs.create(job_id=job.id))


@case
def a_request_whose_job_is_gone_makes_no_other_one():
    path = scratch_folder() / "jobs.db"
    with Server("--store", f"sqlite:{path}") as first, Jobs(first) as mine:
        job = mine.create(request_id="r").job
        mine.cancel(job_id=job.id)
        mine.delete(job_id=job.id)
        failure = expect("JOB_GONE", lambda: mine.create(request_id="r"))
        equal((failure.code, failure.metadata), (Code.NOT_FOUND, {"jobId": job.id}))
        result = mine.create_many(requests=[message("vtstatus.v1.CreateJobRequest", spec=SPEC,
                                                    request_id="r")]).results[0]
        equal(failure_of(result.error).reason, "JOB_GONE")
    with Server("--store", f"sqlite:{path}") as second, Jobs(second) as mine:
        expect("JOB_GONE", lambda: mine.create(request_id="r"))
        expect("REQUEST_ID_REUSED", lambda: mine.create(request_id="r", queue="other"))


# ---- working ------------------------------------------------------------------------------------

@case
def work_is_given_by_priority_and_age():
    first, second = make(queue="order").id, make(queue="order").id
    urgent = make(queue="order", priority=1).id
    leases = [take("order") for _ in range(3)]
    equal([one.job.id for one in leases], [urgent, first, second])
    equal(len({one.token for one in leases}), 3)
    job = leases[0].job
    equal((job.status.state, job.status.attempt), (RUNNING, 1))
    equal([(one.number, one.worker_id) for one in job.attempts], [(1, "w")])
    check(leases[0].HasField("expire_time"), "a lease without an end")
    check(not jobs.lease(queues=["order"]).HasField("lease"), "more work than there is")


@case
def work_is_chosen_by_labels():
    make(queue="labels", labels={"gpu": "no"})
    wanted = make(queue="labels", labels={"gpu": "yes"})
    equal(take("labels", labels=["gpu=yes"]).job.id, wanted.id)
    check(not jobs.lease(queues=["labels"], labels=["gpu=yes"]).HasField("lease"), "no such work")


@case
def a_worker_may_not_ask_for_anything():
    for field, fields in (("worker_id", {"worker_id": "w" * 129}), ("queues", {"queues": ["A"]}),
                          ("labels", {"labels": ["x"]}), ("lease_duration", {"lease_duration": 0.5}),
                          ("lease_duration", {"lease_duration": 3601}),
                          ("wait_timeout", {"wait_timeout": -1})):
        equal(expect("INVALID_REQUEST", lambda: jobs.lease(**fields)).fields, [field])
    for field, fields in (("token", {"token": ""}), ("job_id", {"job_id": ""}),
                          ("progress.percent", {"progress": {"percent": 101}}),
                          ("wait_timeout", {"wait_timeout": 5, "lease_duration": 5})):
        fields = {"job_id": "x", "token": "x", **fields}
        equal(expect("INVALID_REQUEST", lambda: jobs.heartbeat(**fields)).fields, [field])


@case
def a_worker_that_waits_gets_the_job_as_it_comes():
    waiting = jobs.lease_later(queues=["awaited"], wait_timeout=LONG_S, deadline=LONG_S)
    jobs.status(job_id="asked")  # whoever asks after it is answered after it was heard
    check(not waiting.done(), "it did not wait")
    job = make(queue="awaited")
    start = time.monotonic()
    equal(waiting.result().lease.job.id, job.id)
    check(time.monotonic() - start < SOON_S, "it came late")


@case
def a_worker_that_waits_in_vain_is_told_so_in_time():
    start = time.monotonic()
    answer = jobs.lease(queues=["empty"], wait_timeout=0.3)
    check(not answer.HasField("lease"), "work from nowhere")
    check(time.monotonic() - start > 0.25, "it did not wait")


@case
@with_more_time
def a_worker_with_less_time_than_it_would_wait_is_told_before_it_is_over(scale):
    answer = jobs.lease(queues=["empty"], wait_timeout=LONG_S, deadline=scale)
    check(not answer.HasField("lease"), "work from nowhere")


@case
def work_for_a_worker_that_went_away_is_given_to_the_next():
    gone = jobs.lease_later(queues=["left"], wait_timeout=LONG_S)
    stays = jobs.lease_later(queues=["left"], wait_timeout=LONG_S)
    jobs.status(job_id="asked")
    gone.cancel()
    jobs.status(job_id="asked")
    job = make(queue="left")
    equal(stays.result().lease.job.id, job.id)
    equal(stays.result().lease.job.status.attempt, 1)


@case
def progress_is_seen_by_all():
    job = make()
    lease = take(job.queue)
    answer = jobs.heartbeat(job_id=job.id, token=lease.token,
                            progress={"percent": 42, "phase": "transcribe", "phase_index": 1})
    check(not answer.cancel_requested, "nobody has cancelled it")
    check(answer.expire_time.seconds >= lease.expire_time.seconds, "the lease got shorter")
    wait_until(lambda: jobs.status(job_id=job.id).status.progress.percent == 42, "no progress")
    equal(jobs.get(job_id=job.id).job.status.progress.phase, "transcribe")


@case
def a_cancellation_reaches_the_worker_that_waits_for_it():
    job = make()
    lease = take(job.queue)
    waiting = jobs.heartbeat_later(job_id=job.id, token=lease.token, wait_timeout=LONG_S)
    jobs.status(job_id="asked")
    check(not waiting.done(), "it did not wait")
    start = time.monotonic()
    equal(jobs.cancel(job_id=job.id, reason="stop").job.status.state, CANCELLING)
    check(waiting.result().cancel_requested, "it was not told")
    check(time.monotonic() - start < SOON_S, "it was told late")
    check(jobs.heartbeat(job_id=job.id, token=lease.token).cancel_requested, "nor the second time")
    equal(jobs.release(job_id=job.id, token=lease.token).status.state, CANCELLED)


@case
def a_heartbeat_that_waits_in_vain_keeps_the_lease():
    job = make()
    lease = take(job.queue)
    answer = jobs.heartbeat(job_id=job.id, token=lease.token, wait_timeout=0.2)
    check(not answer.cancel_requested, "nobody has cancelled it")
    check(answer.HasField("expire_time"), "no end of the lease")
    equal(state(job.id), RUNNING)


@case
@with_more_time
def a_heartbeat_waits_no_longer_than_its_lease_holds(scale):
    job = make()
    lease = take(job.queue, lease_duration=1.5 * scale)
    for _ in range(2):
        answer = jobs.heartbeat(job_id=job.id, token=lease.token, wait_timeout=LONG_S)
        check(not answer.cancel_requested, "nobody has cancelled it")
    jobs.complete(job_id=job.id, token=lease.token)


@case
def a_lease_that_was_lost_is_good_for_nothing():
    job = make()
    lease = take(job.queue, lease_duration=1)
    again = jobs.lease(queues=[job.queue], wait_timeout=LONG_S).lease  # once it has run out
    equal((again.job.id, again.job.status.attempt), (job.id, 2))
    for call in (jobs.heartbeat, jobs.complete, jobs.fail, jobs.release):
        failure = expect("LEASE_LOST", lambda: call(job_id=job.id, token=lease.token))
        equal((failure.code, failure.metadata), (Code.ABORTED, {"jobId": job.id}))
    jobs.complete(job_id=job.id, token=again.token)
    expect("LEASE_LOST", lambda: jobs.heartbeat(job_id=job.id, token=again.token))


@case
def an_end_whose_answer_was_lost_may_be_told_again():
    for call, other, fields in ((jobs.complete, jobs.fail, {"output_uri": "s3://x/y"}),
                                (jobs.fail, jobs.release, {"error": {"code": 14}, "retryable": True}),
                                (jobs.release, jobs.complete, {})):
        job = make()
        token = take(job.queue).token
        first = call(job_id=job.id, token=token, **fields).status
        again = call(job_id=job.id, token=token, **fields).status
        equal((again.state, again.revision), (first.state, first.revision))
        expect("LEASE_LOST", lambda: other(job_id=job.id, token=token))
        if not first.done:
            check(jobs.lease(queues=[job.queue], wait_timeout=LONG_S).HasField("lease"), "no job")
            expect("LEASE_LOST", lambda: call(job_id=job.id, token=token, **fields))


@case
def a_job_that_is_completed_has_its_result():
    job = make()
    status = jobs.complete(job_id=job.id, token=take(job.queue).token, output_uri="s3://x/y").status
    equal((status.state, status.done, status.output_uri), (SUCCEEDED, True, "s3://x/y"))
    equal(jobs.status(job_id=job.id).status, status)
    check(jobs.get(job_id=job.id).job.HasField("expire_time"), "it stays for ever")


@case
def a_job_that_fails_is_tried_again_or_not():
    job = make(max_attempts=2)
    error = {"code": 14, "message": "disk full"}
    status = jobs.fail(job_id=job.id, token=take(job.queue).token, error=error, retryable=True,
                       retry_delay=0).status
    equal(status.state, PENDING)
    again = jobs.lease(queues=[job.queue], wait_timeout=LONG_S).lease
    equal(again.job.status.attempt, 2)
    status = jobs.fail(job_id=job.id, token=again.token, error=error, retryable=True).status
    equal((status.state, status.error.code, status.error.message), (FAILED, 14, "disk full"))
    attempts = jobs.get(job_id=job.id).job.attempts
    equal([one.error.message for one in attempts], ["disk full", "disk full"])


@case
def the_details_of_a_failure_are_kept():
    job = make()
    detail = CLASSES["google.protobuf.Any"](type_url="example.org/a.B", value=b"\1\2")
    error = {"code": 3, "message": "no sound", "details": [detail]}
    jobs.fail(job_id=job.id, token=take(job.queue).token, error=error)
    equal(list(jobs.get(job_id=job.id).job.status.error.details), [detail])


@case
def a_job_that_is_given_back_has_lost_nothing():
    job = make(max_attempts=1)
    equal(jobs.release(job_id=job.id, token=take(job.queue).token).status.state, PENDING)
    equal(take(job.queue).job.status.attempt, 1)


# ---- many at once -------------------------------------------------------------------------------

@case
def workers_share_the_work_without_doing_it_twice():
    count = 60 if IS_SANITIZED else 200
    done, failures = [], []

    def work():
        try:
            with Jobs(server) as mine:
                while True:
                    answer = mine.lease(queues=["shared"], wait_timeout=1, deadline=LONG_S)
                    if not answer.HasField("lease"):
                        return
                    mine.complete(job_id=answer.lease.job.id, token=answer.lease.token)
                    done.append(answer.lease.job.id)
        except Exception as error:  # told by the case below
            failures.append(error)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    make_request = CLASSES["vtstatus.v1.CreateJobRequest"]
    jobs.create_many(requests=[make_request(job_id=f"shared-{i}", queue="shared", spec=SPEC)
                               for i in range(count)])
    for thread in threads:
        thread.join(LONG_S)
    equal(failures, [])
    equal(sorted(done), sorted(f"shared-{i}" for i in range(count)))


# ---- limits and ends ----------------------------------------------------------------------------

@case
def a_server_that_is_full_says_so():
    with Server("--limit", "jobs=2") as full, Jobs(full) as mine:
        mine.create(job_id="one")
        mine.create(job_id="two")
        failure = expect("QUEUE_FULL", mine.create)
        equal((failure.code, failure.retry_s), (Code.RESOURCE_EXHAUSTED, 30))
        equal(full.metrics()['vts_limit_hits_total{limit="jobs"}'], 1)
        mine.cancel(job_id="one")


@case
def a_connection_holds_so_many_calls_and_no_more():
    with Server("--limit", "kept_streams=2") as small, Jobs(small) as mine:
        held = [mine.lease_later(wait_timeout=LONG_S) for _ in range(2)]
        mine.status_later(job_id="x").exception()
        failure = expect("TOO_MANY_WAIT", lambda: mine.lease(wait_timeout=LONG_S))
        equal((failure.code, failure.retry_s), (Code.RESOURCE_EXHAUSTED, 5))
        mine.lease()  # which does not wait
        check(not any(one.done() for one in held), "a call was let go")


@case
def too_many_requests_are_refused():
    with Server("--limit", "job_requests=2") as small, Jobs(small) as mine:
        held = [mine.lease_later(wait_timeout=LONG_S) for _ in range(2)]
        mine.status_later(job_id="x").exception()
        failure = expect("SERVER_BUSY", lambda: mine.get(job_id="x"))
        equal((failure.code, failure.retry_s), (Code.RESOURCE_EXHAUSTED, 1))
        held[0].cancel()
        wait_until(lambda: mine.get_later(job_id="x").exception().code() == Code.NOT_FOUND,
                   "room for one more")
        equal(small.metrics()['vts_limit_hits_total{limit="job_requests"}'] >= 1, True)


@case
def a_stop_ends_what_waits():
    stopping = Server()
    with Jobs(stopping) as mine:
        mine.create(job_id="running", queue="running")
        lease = mine.lease(queues=["running"]).lease
        worker = mine.lease_later(wait_timeout=LONG_S, deadline=LONG_S)
        beat = mine.heartbeat_later(job_id="running", token=lease.token, wait_timeout=LONG_S,
                                    lease_duration=2 * LONG_S, deadline=LONG_S)
        mine.status(job_id="running")
        start = time.monotonic()
        stopping.send_signal(signal.SIGTERM)
        failure = expect("SERVER_STOPPING", worker.result)
        equal((failure.code, failure.retry_s), (Code.UNAVAILABLE, 1))
        check(not beat.result().cancel_requested, "nobody has cancelled it")
        equal(stopping.wait(), 0)
        took = time.monotonic() - start
        check(took < SOON_S, f"stopping took {took:.1f} s with waiting calls only")
    stopping.check_log()


@case
def a_second_signal_stops_whatever_waits():
    stopping = Server()
    with Jobs(stopping) as mine:
        held = mine.lease_later(wait_timeout=LONG_S, deadline=LONG_S)
        mine.status_later(job_id="x").exception()
        stopping.send_signal(signal.SIGTERM)
        stopping.send_signal(signal.SIGTERM)
        equal(stopping.wait(), 0)
        check(held.exception() is not None, "an answer from nowhere")
    stopping.check_log()


def why_it_does_not_start(path):
    try:
        Server("--store", f"sqlite:{path}").kill()
    except ServerFailed as failure:
        return str(failure)
    raise AssertionError(f"it starts with {path}")


@case
def a_store_that_will_not_do_is_named_with_what_to_do():
    folder = scratch_folder()
    said = why_it_does_not_start(folder)
    check(f"the store is a folder: name a file in it ({folder})" in said, said)
    os.mkfifo(folder / "pipe")
    said = why_it_does_not_start(folder / "pipe")
    check(f"the store is no regular file: name a file ({folder}/pipe)" in said, said)
    path = folder / "jobs.db"
    with Server("--store", f"sqlite:{path}") as first, Jobs(first) as mine:
        mine.create(job_id="spoilt")
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE job SET record = x'ffff'")
        database.commit()
    said = why_it_does_not_start(path)
    for part in ("put back a sound copy of the store", str(path), "spoilt"):
        check(part in said, said)


@case
def jobs_in_a_file_outlive_the_server():
    path = scratch_folder() / "jobs.db"
    with Server("--store", f"sqlite:{path}") as first, Jobs(first) as mine:
        made = mine.create(job_id="lasting", request_id="r").job
        lease = mine.lease().lease
    with Server("--store", f"sqlite:{path}") as second, Jobs(second) as mine:
        equal(mine.create(job_id="lasting", request_id="r").job.create_time, made.create_time)
        equal(mine.status(job_id="lasting").status.state, RUNNING)
        mine.complete(job_id="lasting", token=lease.token, output_uri="x")
        equal(mine.status(job_id="lasting").status.state, SUCCEEDED)


with Server() as server, Jobs(server) as jobs:
    main(__file__)
