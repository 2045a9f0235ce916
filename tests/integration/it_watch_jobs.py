#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Those who watch jobs: they get the end of one that is removed at once, in every way to wait, are
told of what is gone, and no connection takes all the room.

Exit code 77: there is no python3-grpcio.
"""
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import h2_raw  # noqa: E402
from cases import case, check, equal, main, wait_until  # noqa: E402
from command import VTSTATUS, environment, trust  # noqa: E402
from vts_server import WAIT_S, Server, scratch_folder  # noqa: E402

try:
    from jobs_client import CANCELLED, CLASSES, SPEC, Code, Jobs, expect, grpc, message
except ImportError:
    print("skipped: there is no python3-grpcio or no python3-protobuf")
    sys.exit(77)

SERVICE = "/vtstatus.v1.StatusService/"
AT_ONCE = CLASSES["google.protobuf.Duration"](nanos=1)
UNTIL_DONE = 2
ROUNDS = 10
server = None
jobs = None


def stream(method, request, peer=None):
    """An open stream, from whose beginning on everything is heard of."""
    call = (peer or jobs).channel.unary_stream(
        f"{SERVICE}{method}", request_serializer=lambda one: one.SerializeToString(),
        response_deserializer=CLASSES[f"vtstatus.v1.{method}Response"].FromString)(
            request, timeout=WAIT_S)
    call.initial_metadata()
    return call


def watch(name, after=0, until=0):
    return stream("WatchStatus", message("vtstatus.v1.WatchStatusRequest", job_id=name,
                                         after_revision=after, until=until))


def watch_many(*cursors, peer=None, until=0):
    return stream("WatchStatuses", message("vtstatus.v1.WatchStatusesRequest", jobs=[
        message("vtstatus.v1.JobCursor", job_id=name, after_revision=after)
        for name, after in cursors], until=until), peer)


def statuses(call):
    """(job, revision, whether it is done), to the end of the stream."""
    return [(one.status.job_id, one.status.revision, one.status.done) for one in call]


# ---- the last of a job --------------------------------------------------------------------------

def make_all(prefix, **fields):
    names = [f"{prefix}-{number}" for number in range(ROUNDS)]
    for name in names:
        jobs.create(job_id=name, **fields)
    return names


def end_at_once(names):
    for name in names:
        jobs.cancel(job_id=name)


def end_and_delete(names):
    """Both in one batch, as often as not."""
    later = [call for name in names for call in (jobs.cancel_later(job_id=name),
                                                 jobs.delete_later(job_id=name))]
    for call in later:
        call.exception()


@case
def a_watch_gets_the_end_of_a_job_that_is_kept_for_no_time():
    names = make_all("watch", ttl=AT_ONCE)
    calls = [watch(name, 1) for name in names]
    many = watch_many(*((name, 1) for name in names))
    end_at_once(names)
    for name, call in zip(names, calls):
        equal(statuses(call), [(name, 2, True)])
    equal(sorted(statuses(many)), sorted((name, 2, True) for name in names))


@case
def a_watch_gets_the_end_of_a_job_that_is_deleted_right_after():
    names = make_all("delete")
    calls = [watch(name, 1) for name in names]
    end_and_delete(names)
    for name, call in zip(names, calls):
        equal(statuses(call), [(name, 2, True)])


def count_waits():
    return server.metrics()['grpc_server_started_total{grpc_type="unary",'
                            'grpc_service="vtstatus.v1.StatusService",grpc_method="WaitStatus"}']


@case
def a_wait_gets_the_end_of_a_job_that_is_kept_for_no_time():
    names = make_all("wait", ttl=AT_ONCE)
    method = jobs.channel.unary_unary(
        f"{SERVICE}WaitStatus", request_serializer=lambda one: one.SerializeToString(),
        response_deserializer=CLASSES["vtstatus.v1.WaitStatusResponse"].FromString)
    calls = [method.future(message("vtstatus.v1.WaitStatusRequest", job_id=name, until=UNTIL_DONE),
                           timeout=WAIT_S) for name in names]
    wait_until(lambda: count_waits() == ROUNDS, "all wait")
    end_at_once(names)
    for name, call in zip(names, calls):
        status = call.result().status
        equal((status.job_id, status.state), (name, CANCELLED))


@case
def polls_and_events_get_the_end_of_a_job_that_is_kept_for_no_time():
    names = make_all("poll", ttl=AT_ONCE)
    peer = h2_raw.H2(server.port, server.certs, timeout=WAIT_S)
    for number, name in enumerate(names):
        for stream_id, fields in ((4 * number + 1, [("prefer", "wait=60")]),
                                  (4 * number + 3, [("accept", "text/event-stream"),
                                                    ("last-event-id", "1")])):
            peer.send(h2_raw.headers(stream_id, h2_raw.request(f"/status/{name}", fields=fields)))
    equal(peer.get(4 * ROUNDS + 1, "/readyz", WAIT_S), 200)  # so the others have come, too
    end_at_once(names)
    for number in range(ROUNDS):
        poll, events = 4 * number + 1, 4 * number + 3
        check(peer.wait(lambda: {poll, events} <= peer.done, WAIT_S), "no answer")
        equal((peer.status[poll], json.loads(peer.body[poll]).get("done")), (200, True))
        check(b"event: done\n" in peer.body[events], peer.body[events])
    peer.close()


# ---- the ends alone -----------------------------------------------------------------------------

def lease_and_report(name):
    """Two changes that are no end; returns the lease's token."""
    token = jobs.lease(worker_id="w", queues=[name]).lease.token
    jobs.heartbeat(job_id=name, token=token, progress={"percent": 50, "phase": "dub"})
    return token


@case
def between_the_present_status_and_the_end_nothing_is_told():
    for name in ("end-a", "end-b"):
        jobs.create(job_id=name, queue=name)
    calls = [watch("end-a", until=UNTIL_DONE), watch_many(("end-a", 0), until=UNTIL_DONE)]
    for call in calls:
        equal((next(call).status.revision), 1)
    calls.append(watch("end-a", 1, until=UNTIL_DONE))
    both = watch_many(("end-a", 1), ("end-b", 0), until=UNTIL_DONE)
    equal(next(both).status.job_id, "end-b")
    for name in ("end-a", "end-b"):
        jobs.complete(job_id=name, token=lease_and_report(name))
    for call in calls:
        equal(statuses(call), [("end-a", 4, True)])
    equal(statuses(both), [("end-a", 4, True), ("end-b", 4, True)])
    equal(statuses(watch("end-a", 4, until=UNTIL_DONE)), [])
    equal(statuses(watch("end-a", until=UNTIL_DONE)), [("end-a", 4, True)])


@case
def what_nobody_knows_cannot_be_waited_for():
    jobs.create(job_id="odd")
    for call in (watch("odd", until=3), watch_many(("odd", 0), until=-1)):
        try:
            next(call)
            raise AssertionError("it is taken")
        except grpc.RpcError as error:
            equal(error.code(), Code.INVALID_ARGUMENT)


# ---- one of several -----------------------------------------------------------------------------

@case
def a_job_that_is_removed_ends_no_watch_of_others():
    for name in ("first", "second", "third"):
        jobs.create(job_id=name)
    call = watch_many(("first", 0), ("second", 0), ("third", 1))
    equal({next(call).status.job_id for _ in range(2)}, {"first", "second"})
    jobs.cancel(job_id="first")
    equal(next(call).status.done, True)
    jobs.delete(job_id="first")
    jobs.cancel(job_id="second")
    equal(next(call).status.job_id, "second")
    jobs.delete(job_id="second")
    jobs.cancel(job_id="third")
    equal(statuses(call), [("third", 2, True)])


@case
def who_goes_on_is_told_of_a_job_that_is_removed():
    for name in ("gone", "stays"):
        jobs.create(job_id=name)
    jobs.cancel(job_id="gone")
    jobs.delete(job_id="gone")
    call = watch_many(("gone", 1), ("stays", 1), ("never-heard-of", 7))
    told = [next(call), next(call)]
    equal([(one.removed_job_id, one.HasField("status")) for one in told],
          [("gone", False), ("never-heard-of", False)])
    jobs.cancel(job_id="stays")
    equal(statuses(call), [("stays", 2, True)])
    call = watch_many(("gone", 2))
    equal([one.removed_job_id for one in call], ["gone"])
    # Who names no revision has never seen it, and a watch of one says so in its outcome.
    expect("JOB_NOT_FOUND", lambda: list(watch_many(("gone", 0), ("stays", 0))))
    expect("JOB_NOT_FOUND", lambda: list(watch("gone", 1)))


@case
def the_command_goes_on_without_a_job_that_was_removed_while_it_was_away():
    folder = scratch_folder()
    store = ("--store", f"sqlite:{folder / 'jobs.db'}")
    with Server(*store) as first, Jobs(first) as mine:
        for name in ("a", "b", "c"):
            mine.create(job_id=name)
        command = subprocess.Popen([VTSTATUS, *trust(first), "watch", "a", "b", "c", "-o", "json",
                                    "--max-failures", "1000"], env=environment(), text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        equal({json.loads(command.stdout.readline())["jobId"] for _ in "abc"}, {"a", "b", "c"})
    with Server(*store) as elsewhere, Jobs(elsewhere) as mine:
        mine.cancel(job_id="b")
        mine.delete(job_id="b")
    with Server(*store, listen=f"127.0.0.1:{first.port}") as again, Jobs(again) as mine:
        watches = ('grpc_server_started_total{grpc_type="server_stream",'
                   'grpc_service="vtstatus.v1.StatusService",grpc_method="WatchStatuses"}')
        wait_until(lambda: again.metrics()[watches] > 0, "the command is back")
        for name in ("a", "c"):
            mine.cancel(job_id=name)
        out, err = command.communicate(timeout=WAIT_S)
        equal(again.metrics()[watches], 1, "streams")
    ends = {one["jobId"]: one.get("done", False) for one in map(json.loads, out.splitlines())}
    equal(ends, {"a": True, "c": True}, err)
    check("'b'" in err, err)
    equal(command.returncode, 5, err)


# ---- what is not there --------------------------------------------------------------------------

@case
def the_empty_name_is_the_default_job_in_refusals_too():
    for call in (lambda: jobs.status(), lambda: list(watch("")), lambda: jobs.status(job_id="default")):
        equal(expect("JOB_NOT_FOUND", call).metadata, {"jobId": "default"})
    equal(expect("INVALID_REQUEST", lambda: jobs.status(job_id="a b")).fields, ["job_id"])
    answer = jobs.channel.unary_unary(
        f"{SERVICE}BatchGetStatus", request_serializer=lambda one: one.SerializeToString(),
        response_deserializer=CLASSES["vtstatus.v1.BatchGetStatusResponse"].FromString)(
            message("vtstatus.v1.BatchGetStatusRequest", job_ids=["nobody", "a b"]), timeout=WAIT_S)
    equal([(one.error.code, len(one.error.details)) for one in answer.results], [(5, 0), (3, 0)])
    check(all(one.error.message for one in answer.results), answer)


# ---- limits -------------------------------------------------------------------------------------

def watches(cursor, peer):
    try:
        return next(watch_many(cursor, peer=peer)).status.job_id == cursor[0]
    except grpc.RpcError as error:
        equal(error.code(), Code.RESOURCE_EXHAUSTED)
        return False


@case
def a_connection_watches_ten_thousand_jobs_and_no_more():
    with Server() as roomy, Jobs(roomy) as one, Jobs(roomy) as other:
        names = [f"job-{number}" for number in range(10000)]
        parts = [names[start:start + 1000] for start in range(0, len(names), 1000)]
        for part in parts:
            one.create_many(requests=[message("vtstatus.v1.CreateJobRequest", spec=SPEC, job_id=name)
                                      for name in part])
        calls = [watch_many(*((name, 1) for name in part), peer=one) for part in parts]
        failure = expect("TOO_MANY_WAIT", lambda: list(watch_many(("job-0", 1), peer=one)))
        equal((failure.code, failure.retry_s), (Code.RESOURCE_EXHAUSTED, 5))
        equal(roomy.metrics()['vts_limit_hits_total{limit="connection_watches"}'], 1)
        hears = watch_many(("job-9999", 1), peer=other)
        one.cancel(job_id="job-9999")
        equal(next(calls[-1]).status.job_id, "job-9999")
        equal(statuses(hears), [("job-9999", 2, True)])
        calls[0].cancel()
        # The server hears of that some time later.
        wait_until(lambda: watches(("job-0", 0), one), "there is room again")
        for call in calls:
            call.cancel()


@case
def workers_that_wait_keep_nobody_else_out():
    with Server("--limit", "job_waits=2") as small, Jobs(small) as mine:
        held = [mine.lease_later(wait_timeout=WAIT_S) for _ in range(2)]
        mine.status_later(job_id="x").exception()  # behind both on the same connection
        failure = expect("TOO_MANY_WAIT", lambda: mine.lease(wait_timeout=WAIT_S))
        equal((failure.code, failure.retry_s), (Code.RESOURCE_EXHAUSTED, 5))
        equal(small.metrics()['vts_limit_hits_total{limit="job_waits"}'], 1)
        mine.lease()  # which does not wait
        for name in "ab":
            mine.create(job_id=name)
        equal(sorted(one.result(WAIT_S).lease.job.id for one in held), ["a", "b"])
        held = mine.lease_later(wait_timeout=WAIT_S)
        mine.create(job_id="c")
        equal(held.result(WAIT_S).lease.job.id, "c")


with Server() as server, Jobs(server) as jobs:
    main(__file__)
