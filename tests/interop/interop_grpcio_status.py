#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What python3-grpcio gets from vtstatusd: status, watches, health, and how calls fail."""
import grpc

import peers
from cases import case, check, equal, main
from driven_job import DrivenJob, is_watched_by
from vts_server import WAIT_S, Server

peers.import_python_code()
from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from grpc.health.v1 import health_pb2, health_pb2_grpc  # noqa: E402
from vtstatus.v1 import status_pb2 as status  # noqa: E402
from vtstatus.v1 import status_service_pb2 as api  # noqa: E402
from vtstatus.v1.status_service_pb2_grpc import StatusServiceStub  # noqa: E402

Code = grpc.StatusCode
Health = health_pb2.HealthCheckResponse
SERVICES = ("", "vtstatus.v1.StatusService")
# A thousand of the longest ids there are: a message of 130 kB.
MANY_IDS = [f"{i:0128}" for i in range(1000)]
still = stub = health = None


def open_channel(server):
    root = (server.certs / "ca.pem").read_bytes()
    return grpc.secure_channel(f"localhost:{server.port}", grpc.ssl_channel_credentials(root))


def get(job_id="", **options):
    return stub.GetStatus(api.GetStatusRequest(job_id=job_id), timeout=WAIT_S, **options).status


def batch(job_ids, **options):
    return stub.BatchGetStatus(api.BatchGetStatusRequest(job_ids=job_ids), timeout=WAIT_S,
                               **options).results


def watch(job_id="", after=0, timeout=WAIT_S, by=None):
    request = api.WatchStatusRequest(job_id=job_id, after_revision=after)
    return (by or stub).WatchStatus(request, timeout=timeout)


def expect(code, call):
    """The error that call() must end with; it says something for people."""
    try:
        call()
    except grpc.RpcError as error:
        equal(error.code(), code, error.details())
        check(error.details(), "an error without a message")
        return error
    raise AssertionError(f"OK instead of {code}")


def details_of(error):
    """The google.rpc.Status that the trailers carry, which must repeat the call's own."""
    for name, value in error.trailing_metadata():
        if name == "grpc-status-details-bin":
            details = status_pb2.Status.FromString(value)
            equal((details.code, details.message), (error.code().value[0], error.details()))
            return details
    raise AssertionError("no details")


# ---- a status ---------------------------------------------------------------------------------

@case
def the_empty_id_is_default():
    for job_id in ("", "default"):
        got = get(job_id)
        equal(got.job_id, "default")
        equal((got.status, got.done), (status.STATUS_PENDING, False))
        check(got.revision >= 1, got.revision)
        check(got.HasField("poll_after") and got.HasField("update_time"), got)


@case
def a_failed_job_is_data():
    with Server("--simulate", "delay=0s,error_rate=1,seed=3") as server, \
            open_channel(server) as channel:
        request = api.GetStatusRequest()
        got = StatusServiceStub(channel).GetStatus(request, timeout=WAIT_S).status
    equal((got.status, got.done), (status.STATUS_ERROR, True))
    check(got.error.code and got.error.message, got)
    check(not got.HasField("poll_after"), "a hint on what is done")


@case
def an_unknown_job_is_not_found():
    for call in (lambda: get("unknown"), lambda: next(watch("unknown"))):
        details = details_of(expect(Code.NOT_FOUND, call))
        info = error_details_pb2.ErrorInfo()
        check(details.details and details.details[0].Unpack(info), "no ErrorInfo")
        equal((info.reason, info.domain), ("JOB_NOT_FOUND", "vtstatus"))


@case
def a_bad_id_is_an_invalid_argument():
    for bad in ("bad id", "a/b", "ä", "a" * 129):
        expect(Code.INVALID_ARGUMENT, lambda: get(bad))
        expect(Code.INVALID_ARGUMENT, lambda: next(watch(bad)))


@case
def a_batch_keeps_its_order():
    results = batch(["unknown", "default", "unknown2", "default"])
    equal([one.job_id for one in results], ["unknown", "default", "unknown2", "default"])
    equal([one.WhichOneof("result") for one in results], ["error", "status", "error", "status"])
    equal(results[0].error.code, Code.NOT_FOUND.value[0])
    equal(results[1].status.job_id, "default")


@case
def a_batch_of_none_is_empty():
    equal(list(batch([])), [])


@case
def a_batch_of_a_thousand_is_answered():
    equal([one.job_id for one in batch(MANY_IDS)], MANY_IDS)


@case
def a_batch_of_more_is_refused():
    expect(Code.INVALID_ARGUMENT, lambda: batch(["default"] * 1001))


@case
def gzip_is_understood_and_spoken():
    results = batch(MANY_IDS, compression=grpc.Compression.Gzip)
    equal([one.job_id for one in results], MANY_IDS)


@case
def metadata_is_accepted():
    pairs = (("x-extra", "value"), ("x-extra", "another"), ("x-extra-bin", bytes(range(256))))
    equal(get(metadata=pairs).job_id, "default")


# ---- watches ----------------------------------------------------------------------------------

@case
def a_watch_ends_with_the_done_status():
    with Server() as server, open_channel(server) as channel:
        DrivenJob(server).go_on_once(is_watched_by(1))
        seen = [message.status for message in watch(by=StatusServiceStub(channel))]
    revisions = [one.revision for one in seen]
    check(len(seen) > 1 and revisions == sorted(set(revisions)), f"revisions {revisions}")
    equal([one.done for one in seen], [False] * (len(seen) - 1) + [True])
    equal(seen[-1].status, status.STATUS_COMPLETED)


@case
def a_watch_of_what_is_done_ends_at_once():
    with Server("--simulate", "delay=0s,error_rate=0") as server, \
            open_channel(server) as channel:
        other = StatusServiceStub(channel)
        last, = [message.status for message in watch(by=other)]
        equal(last.done, True)
        equal(list(watch(after=last.revision, by=other)), [])


@case
def a_cancelled_watch_ends_alone():
    calls = [watch() for _ in range(5)]
    for call in calls:
        equal(next(call).status.job_id, "default")
    calls[0].cancel()
    expect(Code.CANCELLED, lambda: next(calls[0]))
    check(all(call.is_active() for call in calls[1:]), "others ended with it")
    equal(get().job_id, "default")
    for call in calls[1:]:
        call.cancel()


@case
def a_watch_ends_at_its_deadline():
    call = watch(timeout=0.3)
    equal(next(call).status.job_id, "default")
    expect(Code.DEADLINE_EXCEEDED, lambda: list(call))


@case
def a_deadline_in_the_past_is_exceeded():
    expect(Code.DEADLINE_EXCEEDED, lambda: stub.GetStatus(api.GetStatusRequest(), timeout=-1))


# ---- health and what is not there -------------------------------------------------------------

@case
def health_of_what_serves():
    for service in SERVICES:
        request = health_pb2.HealthCheckRequest(service=service)
        equal(health.Check(request, timeout=WAIT_S).status, Health.SERVING)
        call = health.Watch(request, timeout=WAIT_S)
        equal(next(call).status, Health.SERVING)
        check(call.is_active(), "the watch has ended")
        call.cancel()


@case
def health_of_what_is_unknown():
    request = health_pb2.HealthCheckRequest(service="unknown.Service")
    expect(Code.NOT_FOUND, lambda: health.Check(request, timeout=WAIT_S))
    call = health.Watch(request, timeout=WAIT_S)
    equal(next(call).status, Health.SERVICE_UNKNOWN)
    check(call.is_active(), "the watch has ended")
    call.cancel()


@case
def health_of_everything():
    listed = health.List(health_pb2.HealthListRequest(), timeout=WAIT_S).statuses
    check(set(SERVICES) <= set(listed), sorted(listed))
    equal({one.status for one in listed.values()}, {Health.SERVING})


@case
def what_is_not_there_is_unimplemented():
    for path in ("/vtstatus.v1.StatusService/Nonsense", "/unknown.Service/Method"):
        expect(Code.UNIMPLEMENTED,
               lambda: channel.unary_unary(path)(b"", timeout=WAIT_S))


@case
def a_message_that_is_none_is_refused():
    call = channel.unary_unary("/vtstatus.v1.StatusService/GetStatus")
    error = expect(Code.INTERNAL, lambda: call(b"\x0a\xff", timeout=WAIT_S))
    check("\x0a" not in error.details(), "the message is repeated")
    equal(get().job_id, "default")


with Server("--simulate", "delay=24h") as still, open_channel(still) as channel:
    stub, health = StatusServiceStub(channel), health_pb2_grpc.HealthStub(channel)
    main(__file__)
