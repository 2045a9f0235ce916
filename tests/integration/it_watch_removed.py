#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Those who watch jobs that end and are removed at once: they get the end, in every way to wait.

Exit code 77: there is no python3-grpcio.
"""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import h2_raw  # noqa: E402
from cases import case, check, equal, main, wait_until  # noqa: E402
from vts_server import WAIT_S, Server  # noqa: E402

try:
    from jobs_client import CANCELLED, CLASSES, Jobs, message
except ImportError:
    print("skipped: there is no python3-grpcio or no python3-protobuf")
    sys.exit(77)

SERVICE = "/vtstatus.v1.StatusService/"
AT_ONCE = CLASSES["google.protobuf.Duration"](nanos=1)
UNTIL_DONE = 2
ROUNDS = 10
server = None
jobs = None


def stream(method, request):
    """An open stream, from whose beginning on everything is heard of."""
    call = jobs.channel.unary_stream(
        f"{SERVICE}{method}", request_serializer=lambda one: one.SerializeToString(),
        response_deserializer=CLASSES[f"vtstatus.v1.{method}Response"].FromString)(
            request, timeout=WAIT_S)
    call.initial_metadata()
    return call


def watch(name, after=0):
    return stream("WatchStatus", message("vtstatus.v1.WatchStatusRequest", job_id=name,
                                         after_revision=after))


def watch_many(*cursors):
    return stream("WatchStatuses", message("vtstatus.v1.WatchStatusesRequest", jobs=[
        message("vtstatus.v1.JobCursor", job_id=name, after_revision=after)
        for name, after in cursors]))


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


with Server() as server, Jobs(server) as jobs:
    main(__file__)
