#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""WatchStatuses by a label, of a real vtstatusd: python3-grpcio, and Connect with JSON.

Exit code 77: there is no python3-grpcio.
"""
import http.client
import json
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import h2_raw  # noqa: E402
from cases import case, check, equal, main, wait_until  # noqa: E402
from vts_server import WAIT_S, Server, client_context  # noqa: E402

try:
    from jobs_client import (CANCELLED, CLASSES, PENDING, RUNNING, SPEC, SUCCEEDED, Code, Jobs,
                             expect, grpc, message)
except ImportError:
    print("skipped: there is no python3-grpcio or no python3-protobuf")
    sys.exit(77)

METHOD = "/vtstatus.v1.StatusService/WatchStatuses"
UNTIL_DONE = 2
server = None
jobs = None
numbers = iter(range(10**6))


# ---- following ----------------------------------------------------------------------------------

class Follower:
    """A stream on a connection of its own. Whoever follows has come to the end of what is there
    when it has heard of a job that is made for that purpose."""

    def __init__(self, label, known=(), peer=None, until=0):
        self.peer = peer or jobs
        self.label = label
        cursors = [message("vtstatus.v1.JobCursor", job_id=name, after_revision=revision)
                   for name, revision in known]
        request = message("vtstatus.v1.WatchStatusesRequest", label_filter=label, jobs=cursors,
                          until=until)
        self.stream = self.peer.channel.unary_stream(
            METHOD, request_serializer=lambda one: one.SerializeToString(),
            response_deserializer=CLASSES["vtstatus.v1.WatchStatusesResponse"].FromString)(
                request, timeout=WAIT_S)
        self.stream.initial_metadata()  # it follows from here on

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.cancel()

    def next(self):
        """(job, state, revision), or (job, "removed", 0)."""
        one = next(self.stream)
        if one.removed_job_id:
            check(not one.HasField("status"), one)
            return one.removed_job_id, "removed", 0
        return one.status.job_id, one.status.state, one.status.revision

    def until_mark(self):
        """All that is told before a job that is made now."""
        key, _, value = self.label.partition("=")
        name = f"mark-{next(numbers)}"
        self.peer.create(job_id=name, labels={key: value}, queue="marks")
        told = list(iter(lambda: self.next()[0:2], (name, PENDING)))
        self.peer.cancel(job_id=name)
        equal(self.next()[0:2], (name, CANCELLED))
        return told


def make(label, peer=None, **fields):
    key, _, value = label.partition("=")
    name = f"job-{next(numbers)}"
    (peer or jobs).create(job_id=name, queue=name, labels={key: value, "other": "x"}, **fields)
    return name


def lease(name, **fields):
    return jobs.lease(worker_id="w", queues=[name], **fields).lease


def finish(name):
    jobs.complete(job_id=name, token=lease(name).token)


# ---- what is told -------------------------------------------------------------------------------

@case
def the_life_of_a_job_that_comes_later_is_told_to_its_end():
    with Follower("life=1") as follower:
        name = make("life=1")
        equal(follower.next(), (name, PENDING, 1))
        token = lease(name).token
        equal(follower.next(), (name, RUNNING, 2))
        jobs.heartbeat(job_id=name, token=token, progress={"percent": 50, "phase": "dub"})
        equal(follower.next(), (name, RUNNING, 3))
        jobs.complete(job_id=name, token=token)
        equal(follower.next(), (name, SUCCEEDED, 4))
        jobs.delete(job_id=name)
        equal(follower.next(), (name, "removed", 0))
        equal(follower.until_mark(), [])


@case
def what_is_there_is_told_first_and_done_jobs_as_well():
    pending, done, gone = make("first=1"), make("first=1"), make("first=1")
    finish(done)
    finish(gone)
    jobs.delete(job_id=gone)
    with Follower("first=1") as follower:
        equal({follower.next(), follower.next()}, {(pending, PENDING, 1), (done, SUCCEEDED, 3)})
        equal(follower.until_mark(), [])


@case
def of_the_ends_alone_nothing_else_is_told():
    at_work, done, known, gone = (make("ends=1") for _ in range(4))
    finish(done)
    finish(gone)
    jobs.delete(job_id=gone)
    with Follower("ends=1", [(known, 7), (gone, 1)], until=UNTIL_DONE) as follower:
        equal({follower.next(), follower.next()}, {(done, SUCCEEDED, 3), (gone, "removed", 0)})
        token = lease(at_work).token
        jobs.heartbeat(job_id=at_work, token=token, progress={"percent": 50, "phase": "dub"})
        finish(known)
        equal(follower.next(), (known, SUCCEEDED, 3))
        jobs.complete(job_id=at_work, token=token)
        equal(follower.next(), (at_work, SUCCEEDED, 4))
        name = make("ends=1")
        jobs.cancel(job_id=name)
        equal(follower.next()[0:2], (name, CANCELLED))


@case
def other_labels_are_not_told():
    with Follower("mine=1") as follower:
        for label in ("mine=2", "mine=11", "mine=", "min=1", "mine.x=1"):
            finish(make(label))
        equal(follower.until_mark(), [])


@case
def a_value_may_be_anything_that_a_label_has():
    for value in ("a=b,c", "", "\u00e4 \"'", "x" * 63):
        with Follower(f"odd={value}") as follower:
            name = make(f"odd={value}")
            equal(follower.next(), (name, PENDING, 1), repr(value))


@case
def a_job_that_is_tried_again_is_told_again():
    name = make("again=1")
    jobs.cancel(job_id=name)
    with Follower("again=1") as follower:
        equal(follower.next(), (name, CANCELLED, 2))
        jobs.retry(job_id=name)
        equal(follower.next(), (name, PENDING, 3))


@case
def a_job_that_has_been_kept_long_enough_is_removed():
    with Follower("ttl=1") as follower:
        name = make("ttl=1", ttl=0.2)
        finish(name)
        states = [follower.next()[1] for _ in range(1)]
        while states[-1] != "removed":
            states.append(follower.next()[1])
        equal(states[-2:], [SUCCEEDED, "removed"])


@case
def followers_of_one_label_hear_the_same():
    with Jobs(server) as peer, Follower("both=1") as one, Follower("both=1", peer=peer) as other:
        first = make("both=1")
        equal((one.next(), other.next()), ((first, PENDING, 1),) * 2)
        one.stream.cancel()
        finish(first)
        jobs.delete(job_id=first)
        told = [other.next()]
        while told[-1][1] != "removed":
            told.append(other.next())
        equal(other.until_mark(), [])
        with Follower("both=1") as late:
            check(first not in [name for name, _ in late.until_mark()], "what was removed is told")


# ---- going on -----------------------------------------------------------------------------------

@case
def who_goes_on_hears_what_it_does_not_know():
    same, changed, removed, new, foreign = (make("on=1"), make("on=1"), make("on=1"), make("on=1"),
                                            make("on=2"))
    finish(changed)
    finish(removed)
    jobs.delete(job_id=removed)
    with Follower("on=1", known=((same, 1), (changed, 1), (removed, 1), (foreign, 1))) as follower:
        equal({follower.next() for _ in range(4)},
              {(changed, SUCCEEDED, 3), (new, PENDING, 1), (removed, "removed", 0),
               (foreign, "removed", 0)})
        equal(follower.until_mark(), [])
        finish(same)
        check(same in [name for name, _ in follower.until_mark()], "what was known is forgotten")


@case
def a_server_full_of_other_jobs_is_looked_through():
    with Server() as full, Jobs(full) as peer:
        for number in range(9):
            peer.create_many(requests=[message(
                "vtstatus.v1.CreateJobRequest", spec=SPEC, queue="others",
                labels={"large": "1" if one == 500 else "2"}, job_id=f"many-{number}-{one}")
                for one in range(1000)])
        with Follower("large=1", peer=peer) as follower:
            equal({follower.next() for _ in range(9)},
                  {(f"many-{number}-500", PENDING, 1) for number in range(9)})
            equal(follower.until_mark(), [])
        with Follower("large=3", peer=peer) as follower:
            equal(follower.until_mark(), [])


# ---- refusals and limits ------------------------------------------------------------------------

@case
def wrong_filters_are_refused():
    for label in ("x", "=x", "X=1", "1=1", "a b=1", "x" * 64 + "=1", "x=" + "y" * 64):
        failure = expect("INVALID_REQUEST", lambda: list(Follower(label).stream))
        equal((failure.code, failure.fields), (Code.INVALID_ARGUMENT, ["label_filter"]), label)
    for known in ((("a b", 1),), (("a", 1), ("a", 2)), tuple((f"j{i}", 1) for i in range(1001))):
        try:
            list(Follower("x=1", known=known).stream)
            raise AssertionError(f"not refused: {known[:2]}")
        except grpc.RpcError as error:
            equal(error.code(), Code.INVALID_ARGUMENT, known[:2])


def expect_exhausted(follower):
    try:
        for _ in follower.stream:
            pass
    except grpc.RpcError as error:
        equal(error.code(), Code.RESOURCE_EXHAUSTED)
        return
    raise AssertionError("the stream ended well")


@case
def too_many_jobs_end_the_stream_but_done_ones_make_room():
    with Server("--limit", "label_jobs=3") as small, Jobs(small) as peer:
        with Follower("cap=1", peer=peer) as follower:
            for _ in range(5):
                name = make("cap=1", peer=peer)
                equal(follower.next(), (name, PENDING, 1))
                peer.cancel(job_id=name)
                equal(follower.next(), (name, CANCELLED, 2))
            for _ in range(3):
                name = make("cap=1", peer=peer)
                equal(follower.next(), (name, PENDING, 1))
            make("cap=1", peer=peer)
            expect_exhausted(follower)
        expect_exhausted(Follower("cap=1", peer=peer))
        wait_until(lambda: small.metrics()['vts_limit_hits_total{limit="label_jobs"}'] == 2,
                   "the limit is counted")
        with Follower("cap=2", peer=peer) as follower:
            equal(follower.until_mark(), [])


def messages_of(body):
    """The whole messages so far."""
    told = []
    while len(body) >= 5 and len(body) >= 5 + int.from_bytes(body[1:5], "big"):
        end = 5 + int.from_bytes(body[1:5], "big")
        told.append(CLASSES["vtstatus.v1.WatchStatusesResponse"].FromString(bytes(body[5:end])))
        body = body[end:]
    return told


@case
def a_reader_without_room_gets_the_newest_and_the_last():
    name = make("slow=1")
    token = lease(name, lease_duration=60).token
    asked = message("vtstatus.v1.WatchStatusesRequest", label_filter="slow=1").SerializeToString()
    fields = [("content-type", "application/grpc"), ("te", "trailers")]
    with h2_raw.H2(server.port, server.certs, timeout=WAIT_S,
                   values={h2_raw.INITIAL_WINDOW_SIZE: 0}) as peer:
        peer.send(h2_raw.headers(1, h2_raw.request(METHOD, "POST", fields), False) +
                  h2_raw.data(1, struct.pack(">BI", 0, len(asked)) + asked, end_stream=True))
        check(peer.wait(lambda: 1 in peer.status, WAIT_S), "no head")
        for number in range(20):
            jobs.heartbeat(job_id=name, token=token, progress={"phase": f"phase {number}"})
            jobs.release(job_id=name, token=token)
            token = lease(name, lease_duration=60).token
        jobs.complete(job_id=name, token=token)
        revision = jobs.get(job_id=name).job.status.revision
        peer.send(h2_raw.window_update(1, 60000))
        check(peer.wait(lambda: any(one.status.done for one in messages_of(peer.body.get(1, b""))), WAIT_S),
              "the last does not come")
        told = [one.status.revision for one in messages_of(peer.body.get(1, b""))]
    check(revision > 40 and len(told) == 2 and told[1] == revision,
          f"{told}, and {revision} is the last")


# ---- by Connect ---------------------------------------------------------------------------------

def read_envelopes(response):
    while True:
        head = response.read(5)
        if len(head) < 5:
            return
        flags, size = struct.unpack(">BI", head)
        yield flags, json.loads(response.read(size))


@case
def connect_tells_it_in_json():
    name = make("connect=1")
    request = json.dumps({"labelFilter": "connect=1"}).encode()
    connection = http.client.HTTPSConnection("localhost", server.port, timeout=WAIT_S,
                                             context=client_context(server.certs))
    connection.request("POST", METHOD, struct.pack(">BI", 0, len(request)) + request,
                       {"Content-Type": "application/connect+json"})
    told = read_envelopes(connection.getresponse())
    equal(next(told)[1]["status"]["jobId"], name)
    finish(name)
    while not (status := next(told)[1]["status"]).get("done"):
        pass
    equal(status["state"], "STATE_SUCCEEDED")
    jobs.delete(job_id=name)
    equal(next(told), (0, {"removedJobId": name}))
    connection.close()


@case
def followers_are_told_of_the_servers_end():
    with Server() as other, Jobs(other) as peer:
        follower = Follower("end=1", peer=peer)
        equal(follower.until_mark(), [])
        other.stop()
        try:
            next(follower.stream)
            raise AssertionError("the stream goes on")
        except grpc.RpcError as error:
            equal(error.code(), Code.UNAVAILABLE)


with Server() as server, Jobs(server) as jobs:
    main(__file__)
