#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every way to wait for a status, on one server: WaitStatus, WatchStatus and WatchStatuses by gRPC
and Connect, Prefer: wait and Server-Sent Events over HTTP/1.1 and HTTP/2.

Exit code 77: there is no python3-grpcio.
"""
import http.client
import json
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import h2_raw  # noqa: E402
from cases import case, check, equal, main, wait_until, with_more_time  # noqa: E402
from driven_job import DrivenJob  # noqa: E402
from vts_server import (  # noqa: E402
    WAIT_S, Server, client_context, default_binary, scratch_folder)

try:
    import grpc
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
except ImportError:
    print("skipped: there is no python3-grpcio or no python3-protobuf")
    sys.exit(77)

EVENTS = {"Accept": "text/event-stream"}
SERVICE = "/vtstatus.v1.StatusService/"
UNTIL_CHANGE, UNTIL_DONE = 1, 2
Code = grpc.StatusCode
# Far more than what takes no time takes on a busy machine; less than drain_ms and all waits here.
SOON_S = 15
still = None  # a server whose job never changes again, once it runs


def load_classes():
    """The messages' classes by full name, from what the server prints of itself."""
    printed = subprocess.run([default_binary(), "--descriptor-set"], capture_output=True, check=True)
    files = descriptor_pb2.FileDescriptorSet.FromString(printed.stdout)
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return message_factory.MessageFactory(pool).GetMessages([file.name for file in files.file])


CLASSES = load_classes()


def message(name, **fields):
    return CLASSES[f"vtstatus.v1.{name}"](**fields)


# ---- by gRPC ----------------------------------------------------------------------------------

class Stub:
    """The status service, on a connection of its own. identity: a client certificate in PEM, with
    its key."""

    def __init__(self, server, identity=None):
        root = (server.certs / "ca.pem").read_bytes()
        key = cert = identity and Path(identity).read_bytes()
        self.channel = grpc.secure_channel(f"localhost:{server.port}",
                                           grpc.ssl_channel_credentials(root, key, cert),
                                           [("grpc.use_local_subchannel_pool", 1)])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def call(self, kind, name, request, deadline):
        method = getattr(self.channel, kind)(
            SERVICE + name, request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=CLASSES[f"vtstatus.v1.{name}Response"].FromString)
        return method(request, timeout=deadline)

    def wait(self, deadline=10 * WAIT_S, **fields):
        return self.call("unary_unary", "WaitStatus", message("WaitStatusRequest", **fields),
                         deadline).status

    def watch(self, deadline=10 * WAIT_S, **fields):
        return self.call("unary_stream", "WatchStatus", message("WatchStatusRequest", **fields),
                         deadline)

    def watch_many(self, *jobs, deadline=10 * WAIT_S, **fields):
        cursors = [message("JobCursor", job_id=name, after_revision=after) for name, after in jobs]
        request = message("WatchStatusesRequest", jobs=cursors, **fields)
        return self.call("unary_stream", "WatchStatuses", request, deadline)


def expect_code(code, call):
    try:
        call()
    except grpc.RpcError as error:
        equal(error.code(), code, error.details())
        return error.details()
    raise AssertionError(f"no error, but {code} is due")


# ---- by HTTP/1.1 ------------------------------------------------------------------------------

class H1:
    """Requests one after the other on one connection."""

    def __init__(self, server):
        self.connection = http.client.HTTPSConnection(
            "localhost", server.port, context=client_context(server.certs), timeout=WAIT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def begin(self, path, fields=(), method="GET", body=None):
        """The response, of which the head is there."""
        self.connection.request(method, path, body, dict(fields))
        return self.connection.getresponse()

    def get(self, path, fields=(), method="GET", body=None):
        """(code, fields, body)."""
        response = self.begin(path, fields, method, body)
        return response.status, response.headers, response.read()


def get(server, path, fields=(), **more):
    with H1(server) as peer:
        return peer.get(path, fields, **more)


def etag(revision):
    return f'W/"r{revision}"'


def prefer(wait, tag=None):
    return {"Prefer": f"wait={wait}", **({"If-None-Match": tag} if tag else {})}


def post_json(server, name, fields, body):
    """A call by Connect: (code, the answer)."""
    code, _, answer = get(server, SERVICE + name,
                          {"Content-Type": "application/json", **fields}, method="POST", body=body)
    return code, json.loads(answer)


# ---- events -----------------------------------------------------------------------------------

def parse_events(lines):
    """Yields (id, type, data), as an EventSource reads them; comments as (None, "comment", text) and
    the time to come back as (None, "retry", ms). lines have no end."""
    event = {}
    for line in lines:
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if line == "":
            if "data" in event:
                yield int(event["id"]), event["event"], json.loads(event["data"])
            event = {}
        elif name == "":
            yield None, "comment", value
        elif name == "retry":
            yield None, "retry", int(value)
        else:
            check(name in ("id", "event", "data") and name not in event, f"odd line {line!r}")
            event[name] = value
    equal(event, {}, "an unfinished event")


def events_of(response):
    """The events of a stream, as they come."""
    equal(response.status, 200)
    return parse_events(raw.decode().rstrip("\n") for raw in response)


def statuses_of(text):
    """(id, type, data) of the statuses in a whole stream."""
    return [one for one in parse_events(text.decode().split("\n")[:-1]) if one[0] is not None]


def request(path="/status", fields=()):
    """A GET by HTTP/2."""
    pairs = [(name.lower(), value) for name, value in dict(fields).items()]
    return h2_raw.request(path, fields=pairs)


def connect(server, **more):
    return h2_raw.H2(server.port, server.certs, timeout=WAIT_S, **more)


def stream_h2(peer, stream, fields=()):
    """Begins a stream of events, and waits for its head; returns the code."""
    peer.send(h2_raw.headers(stream, request(fields={**EVENTS, **dict(fields)})))
    check(peer.wait(lambda: stream in peer.status, WAIT_S), "no head")
    return peer.status[stream]


# ---- all ways at once -------------------------------------------------------------------------

def by_events_h1(server):
    with H1(server) as peer:
        for revision, kind, data in events_of(peer.begin("/status", EVENTS)):
            if revision is not None:
                equal(data["revision"], str(revision))
                equal(kind, "done" if data.get("done") else "status")
                yield revision, data.get("progress", {}).get("percent", 0)


def by_events_h2(server):
    peer = connect(server)
    equal(stream_h2(peer, 1), 200)
    count, kind = 0, "status"
    while kind != "done":
        check(peer.wait(lambda: len(whole_statuses(peer)) > count, WAIT_S), "the stream stands still")
        revision, kind, data = whole_statuses(peer)[count]
        yield revision, data.get("progress", {}).get("percent", 0)
        count += 1
    check(peer.wait(lambda: 1 in peer.done, WAIT_S), "the stream does not end")
    peer.close()


def whole_statuses(peer):
    """Of a stream that goes on; in the middle of an event, without that."""
    body = peer.body.get(1, b"")
    return statuses_of(body[:body.rfind(b"\n\n") + 2])


def by_watch(server):
    with Stub(server) as stub:
        for one in stub.watch():
            yield one.status.revision, one.status.progress.percent


def by_watch_of_many(server):
    with Stub(server) as stub:
        for one in stub.watch_many(("default", 0)):
            yield one.status.revision, one.status.progress.percent


def by_wait(server):
    with Stub(server) as stub:
        status = stub.wait(after_revision=0)
        yield status.revision, status.progress.percent
        while not status.done:
            status = stub.wait(after_revision=status.revision)
            yield status.revision, status.progress.percent


def by_connect_wait(server):
    revision, is_done = "0", False
    while not is_done:
        code, answer = post_json(server, "WaitStatus", {}, json.dumps({"afterRevision": revision}))
        equal(code, 200, answer)
        status = answer["status"]
        revision, is_done = status["revision"], status.get("done", False)
        yield int(revision), status.get("progress", {}).get("percent", 0)


def by_long_poll(server):
    tag, is_done = etag(0), False
    with H1(server) as peer:
        while not is_done:
            code, fields, body = peer.get("/status", prefer(60, tag))
            equal((code, fields["preference-applied"]), (200, "wait=60"))
            tag, status = fields["etag"], json.loads(body)
            is_done = status.get("done", False)
            yield int(status["revision"]), status.get("progress", {}).get("percent", 0)


def by_long_poll_to_the_end(server):
    code, fields, body = get(server, "/status", {"Accept": "application/x-protobuf", **prefer(60)})
    equal((code, fields["content-type"]), (200, "application/x-protobuf"))
    status = CLASSES["vtstatus.v1.JobStatus"].FromString(body)
    equal(status.done, True)
    yield status.revision, status.progress.percent


WAYS = [by_events_h1, by_events_h2, by_watch, by_watch_of_many, by_wait, by_connect_wait,
        by_long_poll, by_long_poll_to_the_end]


@case
def every_way_tells_the_same():
    seen, failures = {way: [] for way in WAYS}, []

    def follow(way):
        try:
            for pair in way(server):
                seen[way].append(pair)
        except Exception as error:
            failures.append((way.__name__, error))

    def all_have(percent):
        return failures or all(pairs and pairs[-1][1] == percent for way, pairs in seen.items()
                               if way is not by_long_poll_to_the_end)

    with Server() as server:
        job = DrivenJob(server)
        threads = [threading.Thread(target=follow, args=(way,)) for way in WAYS]
        for thread in threads:
            thread.start()
        for percent in (0, 20, 40, 60):
            if percent:
                job.report(percent, "transcribe")
            wait_until(lambda: all_have(percent), f"all are told of {percent} %")
        job.complete()
        for thread in threads:
            thread.join()
    equal(failures, [])
    known = {}
    for way, pairs in seen.items():
        revisions = [revision for revision, _ in pairs]
        equal(revisions, sorted(set(revisions)), way.__name__)
        equal(revisions[-1], seen[by_watch][-1][0], f"the end for {way.__name__}")
        if way is not by_long_poll_to_the_end:
            check(len(revisions) > 3, f"{way.__name__} saw {revisions}")
        for revision, percent in pairs:
            check(abs(known.setdefault(revision, percent) - percent) < 0.01,
                  f"{way.__name__} has another status at {revision}")


@case
def whoever_comes_back_misses_nothing():
    seen = []
    with Server() as server:
        job = DrivenJob(server)
        steps = [job.complete, lambda: job.report(40, "translate"),
                 lambda: job.report(10, "download")]
        code = 200
        while code == 200:
            # By turns, as a field and in the URL, on a connection of its own that is then cut off.
            fields = {**EVENTS, **({"Last-Event-ID": seen[-1]} if seen and len(seen) % 2 else {})}
            query = f"?last_event_id={seen[-1]}" if seen and len(seen) % 2 == 0 else ""
            with H1(server) as peer:
                response = peer.begin("/status" + query, fields)
                code = response.status
                if code == 200:
                    seen.append(str(next(e for e in events_of(response) if e[0] is not None)[0]))
                    if steps:
                        steps.pop()()
        equal(code, 204, "of one who has all")
        with Stub(server) as stub:
            last = stub.wait(until=UNTIL_DONE)
        equal(seen[-1], str(last.revision))
    equal(seen, sorted(set(seen), key=int))


# ---- Prefer: wait -----------------------------------------------------------------------------

def settled_revision(server):
    """Of a job that takes a day: once it is under way, it stays for long as it is."""
    code, _, body = get(server, "/status", prefer(60, etag(1)))
    equal(code, 200)
    return int(json.loads(body)["revision"])


@case
def the_end_of_the_time_is_304_or_the_present_status():
    with Server("--simulate", "delay=24h", "--limit", "wait_ms=1300") as server:
        tag = etag(settled_revision(server))
        for fields, code, applied, least_s in (
                (prefer(1, tag), 304, "wait=1", 1), (prefer(1), 200, "wait=1", 1),
                (prefer(600, tag), 304, "wait=2", 1.3), (prefer(600), 200, "wait=2", 1.3)):
            start = time.monotonic()
            got, head, body = get(server, "/status", fields)
            equal((got, head["etag"], head["preference-applied"]), (code, tag, applied))
            equal(len(body) > 0, code == 200)
            check(time.monotonic() - start >= least_s, f"{fields} was answered too early")
        peer = connect(server)
        equal(peer.get(1, "/status", WAIT_S, fields=[("prefer", "wait=1"),
                                                     ("if-none-match", tag)]), 304)
        peer.close()


@case
def wishes_that_are_none_do_not_wait():
    for wish in ("", "wait", "wait=", "wait=soon", "wait=-1", "wait=1.5", "wait=\"", "await=9",
                 "respond-async", "handling=lenient;wait=9", "wait=x, wait=9", "wait=0"):
        code, fields, _ = get(still, "/status", {"Prefer": wish})
        equal((code, fields["preference-applied"]), (200, "wait=0" if wish == "wait=0" else None),
              wish)
    code, fields, body = get(still, "/status", prefer(9), method="HEAD")
    equal((code, fields["preference-applied"], body), (200, None, b""))


@case
def refusals_do_not_wait():
    for path, fields, code in (("/status/absent", {}, 404), ("/status/a%20b", {}, 400),
                               ("/status", {"Accept": "text/html"}, 406)):
        equal(get(still, path, {**prefer(60), **fields})[0], code, path)
        equal(get(still, path, {**EVENTS, **fields})[0], code, path)


# ---- WaitStatus -------------------------------------------------------------------------------

def duration(seconds):
    whole = int(seconds // 1)
    return CLASSES["google.protobuf.Duration"](seconds=whole, nanos=int((seconds - whole) * 1e9))


@case
@with_more_time
def wait_status_ends_before_its_callers_deadline(scale):
    revision = settled_revision(still)
    with Stub(still) as stub:
        for until in (UNTIL_CHANGE, UNTIL_DONE):
            start = time.monotonic()
            status = stub.wait(deadline=scale, after_revision=revision, until=until)
            equal((status.revision, status.done), (revision, False))
            check(time.monotonic() - start > scale / 2, "it did not wait")
    code, answer = post_json(still, "WaitStatus", {"Connect-Timeout-Ms": f"{750 * scale}"},
                             json.dumps({"afterRevision": str(revision)}))
    equal((code, answer["status"]["revision"]), (200, str(revision)))


@case
def wait_status_obeys_its_timeout():
    revision = settled_revision(still)
    with Stub(still) as stub:
        start = time.monotonic()
        equal(stub.wait(after_revision=revision, timeout=duration(0.7)).revision, revision)
        check(time.monotonic() - start >= 0.7, "it did not wait")
        for bad in (duration(-1), CLASSES["google.protobuf.Duration"](seconds=1, nanos=-1)):
            expect_code(Code.INVALID_ARGUMENT, lambda: stub.wait(timeout=bad))
        expect_code(Code.INVALID_ARGUMENT, lambda: stub.wait(until=3))
        expect_code(Code.INVALID_ARGUMENT, lambda: stub.wait(job_id="a/b"))
        expect_code(Code.NOT_FOUND, lambda: stub.wait(job_id="absent"))


@case
def wait_status_by_get_knows_entity_tags():
    revision = settled_revision(still)
    query = urllib.parse.urlencode({"connect": "v1", "encoding": "json", "message": json.dumps(
        {"afterRevision": str(revision), "timeout": "0.3s"})})
    path = f"{SERVICE}WaitStatus?{query}"
    code, fields, body = get(still, path)
    equal((code, fields["etag"]), (200, etag(revision)))
    equal(json.loads(body)["status"]["revision"], str(revision))
    equal(get(still, path, {"If-None-Match": etag(revision)})[0], 304)


# ---- WatchStatuses ----------------------------------------------------------------------------

@case
def watches_of_many_check_what_they_are_asked():
    with Stub(still) as stub:
        for jobs, code in (((), Code.INVALID_ARGUMENT),
                           ((("default", 0),) * 1001, Code.INVALID_ARGUMENT),
                           ((("default", 0), ("", 0)), Code.INVALID_ARGUMENT),
                           ((("default", 0), ("a b", 0)), Code.INVALID_ARGUMENT),
                           ((("default", 0), ("absent", 0)), Code.NOT_FOUND)):
            expect_code(code, lambda: list(stub.watch_many(*jobs)))
        expect_code(Code.INVALID_ARGUMENT, lambda: list(stub.watch_many(label_filter="customer")))


@case
def watch_of_many_goes_on_from_its_cursor():
    with Server() as server, Stub(server) as stub:
        job = DrivenJob(server)
        first = next(stub.watch_many(("default", 0))).status.revision
        job.report(10, "download")
        call = stub.watch_many(("default", first))
        rest = [next(call).status]
        job.complete()
        rest += [one.status for one in call]
        check(all(one.revision > first for one in rest), f"{first}, then {rest}")
        equal([one.done for one in rest], [False] * (len(rest) - 1) + [True])
        equal(list(stub.watch_many(("default", rest[-1].revision))), [])


# ---- events -----------------------------------------------------------------------------------

@case
def a_stream_has_the_head_that_browsers_and_proxies_need():
    with H1(still) as peer:
        response = peer.begin("/status", {**EVENTS, "Origin": "https://a.example"})
        equal(response.headers["content-type"], "text/event-stream")
        equal(response.headers["cache-control"], "no-store")
        equal(response.headers["x-accel-buffering"], "no")
        equal(response.headers["transfer-encoding"], "chunked")
        equal(response.headers["access-control-allow-origin"], "https://a.example")
        events = events_of(response)
        _, kind, ms = next(events)
        check(kind == "retry" and 1000 <= ms < 3000, f"{kind} {ms}")
        equal(next(events)[1], "status")
    code, fields, body = get(still, "/status", EVENTS, method="HEAD")
    equal((code, fields["content-type"], fields["content-length"], body),
          (200, "text/event-stream", None, b""))
    with Server("--simulate", "delay=24h", "--allow-origin", "none") as closed:
        _, fields, _ = get(closed, "/status", {"Origin": "https://a.example"})
        equal(fields["access-control-allow-origin"], None)


@case
def a_connection_is_used_again_after_a_stream():
    with Server("--simulate", "delay=0s,error_rate=0") as server, H1(server) as peer:
        for _ in range(2):
            events = list(events_of(peer.begin("/status", EVENTS)))
            equal([kind for _, kind, _ in events], ["retry", "done"])
        last = events[-1][0]
        equal(peer.get("/status", {**EVENTS, "Last-Event-ID": str(last)})[0], 204)
        equal(peer.get("/status")[1]["etag"], etag(last))


@case
def silence_is_broken_by_comments():
    with Server("--simulate", "delay=24h", "--limit", "sse_keepalive_ms=100") as server, \
            H1(server) as peer:
        comments = (one for one in events_of(peer.begin("/status", EVENTS)) if one[1] == "comment")
        for _ in range(3):
            next(comments)


def open_bit_by_bit(server, begin):
    """What a reader gets who takes a few bytes while a job goes on, and the rest at its end."""
    job = DrivenJob(server)
    peer = connect(server, values={h2_raw.INITIAL_WINDOW_SIZE: 0})
    begin(peer)
    with Stub(server) as stub:
        revision = stub.wait().revision
        for percent in (20, 40, 60):
            job.report(percent, "transcribe")
            revision = stub.wait(after_revision=revision).revision
        peer.send(h2_raw.window_update(1, 40))
        check(peer.wait(lambda: len(peer.body.get(1, b"")) == 40, WAIT_S), "not what it may have")
        job.complete()
        last = stub.wait(until=UNTIL_DONE)
        check(1 not in peer.done, "it ended before it was read")
        peer.send(h2_raw.window_update(1, 60000))
        check(peer.wait(lambda: 1 in peer.done, WAIT_S), "it does not end")
    peer.close()
    return peer.body[1], last.revision


@case
def a_reader_without_room_gets_the_newest_and_the_last():
    def begin_events(peer):
        equal(stream_h2(peer, 1), 200)

    with Server() as server:
        body, last = open_bit_by_bit(server, begin_events)
    revisions = [revision for revision, _, _ in statuses_of(body)]
    check(len(revisions) == 2 and revisions[1] == last, f"{revisions}, and {last} is the last")


@case
def a_watch_of_many_without_room_gets_the_newest_and_the_last():
    def begin_watch(peer):
        asked = message("WatchStatusesRequest", jobs=[message("JobCursor")]).SerializeToString()
        fields = [("content-type", "application/grpc"), ("te", "trailers")]
        peer.send(h2_raw.headers(1, h2_raw.request(SERVICE + "WatchStatuses", "POST", fields),
                                 False) +
                  h2_raw.data(1, b"\0" + len(asked).to_bytes(4, "big") + asked, end_stream=True))
        check(peer.wait(lambda: 1 in peer.status, WAIT_S), "no head")

    with Server() as server:
        body, last = open_bit_by_bit(server, begin_watch)
    revisions = []
    while body:
        end = 5 + int.from_bytes(body[1:5], "big")
        answer = CLASSES["vtstatus.v1.WatchStatusesResponse"].FromString(body[5:end])
        revisions.append(answer.status.revision)
        body = body[end:]
    check(len(revisions) == 2 and revisions[1] == last, f"{revisions}, and {last} is the last")


# ---- limits -----------------------------------------------------------------------------------

def make_identity(folder, name, *names):
    """A client certificate that is its own authority, with its key in the same file."""
    file = folder / f"{name}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    *(["-addext", f"subjectAltName={','.join(names)}"] if names else []),
                    "-addext", "extendedKeyUsage=clientAuth", "-keyout", folder / "key",
                    "-out", folder / "cert"], check=True, capture_output=True)
    file.write_bytes((folder / "key").read_bytes() + (folder / "cert").read_bytes())
    return file


@case
def one_client_certificate_waits_only_so_often_on_all_its_connections():
    folder = scratch_folder()
    mine = make_identity(folder, "mine", "DNS:ignored", "URI:spiffe://videos/mine")
    named = make_identity(folder, "named", "DNS:named")
    bare = make_identity(folder, "bare")
    authorities = folder / "ca.pem"
    authorities.write_bytes(b"".join(file.read_bytes() for file in (mine, named, bare)))
    with Server("--simulate", "delay=24h", "--client-ca", authorities,
                "--limit", "identity_streams=3") as server:
        with Stub(server, mine) as first, Stub(server, mine) as second:
            calls = [first.watch(), first.watch(), second.watch()]
            for call in calls:
                next(call)
            for stub in (first, second):
                expect_code(Code.RESOURCE_EXHAUSTED, lambda stub=stub: next(stub.watch()))
            for identity in (named, bare):
                with Stub(server, identity) as other:
                    next(other.watch())
            calls[0].cancel()
            # The server hears of a cancellation some time later.
            wait_until(lambda: not refuses_watch(second), "there is room again")
        for name in ("uri:spiffe://videos/mine", "dns:named", "sha256:"):
            server.wait_log(lambda line, name=name: line.get("identity", "").startswith(name))


def refuses_watch(stub):
    call = stub.watch()
    try:
        next(call)
    except grpc.RpcError as error:
        equal(error.code(), Code.RESOURCE_EXHAUSTED)
        return True
    call.cancel()
    return False



@case
def a_connection_keeps_only_so_many_who_wait():
    with Server("--simulate", "delay=24h", "--limit", "kept_streams=3") as server:
        tag = etag(settled_revision(server))
        peer = connect(server)
        for stream in (1, 3):
            equal(stream_h2(peer, stream), 200)
        peer.send(h2_raw.headers(5, request(fields=prefer(60, tag))))
        for stream, fields in ((7, prefer(60, tag)), (9, EVENTS)):
            peer.send(h2_raw.headers(stream, request(fields=fields)))
            check(peer.wait(lambda: stream in peer.done, WAIT_S), "no answer")
            equal(peer.status[stream], 429)
            check(b"resource_exhausted" in peer.body[stream], peer.body[stream])
            check(b"google.rpc.RetryInfo" in peer.body[stream], peer.body[stream])
        check(5 not in peer.status, "the third was not kept")
        peer.send(h2_raw.rst_stream(1))
        equal(stream_h2(peer, 11), 200)  # there is room again
        peer.close()
        with Stub(server) as stub:
            calls = [stub.watch() for _ in range(3)]
            for call in calls:
                next(call)
            expect_code(Code.RESOURCE_EXHAUSTED, lambda: next(stub.watch()))
            expect_code(Code.RESOURCE_EXHAUSTED, lambda: stub.wait(until=UNTIL_DONE))
            for call in calls:
                call.cancel()


@case
def headers_of_those_who_wait_are_bounded():
    with Server("--simulate", "delay=24h", "--limit", "header_memory=5000") as server:
        peer = connect(server)
        large = {"x-large": "x" * 2000, **prefer(60)}
        for stream in (1, 3):
            peer.send(h2_raw.headers(stream, request(fields=large)))
        peer.send(h2_raw.headers(5, request(fields=large)))
        check(peer.wait(lambda: 5 in peer.done, WAIT_S), "no answer")
        equal(peer.status, {5: 429})
        equal(stream_h2(peer, 7, large), 429)
        peer.send(h2_raw.rst_stream(1))
        peer.send(h2_raw.rst_stream(3))
        for stream in (9, 11, 13):
            equal(stream_h2(peer, stream, large), 200)  # their headers are gone with their heads
        peer.close()


@case
def the_server_keeps_only_so_many_who_wait():
    with Server("--simulate", "delay=24h", "--limit", "watches=2") as server:
        with H1(server) as one, H1(server) as two:
            for peer in (one, two):
                next(events_of(peer.begin("/status", EVENTS)))
            for fields in (EVENTS, prefer(60)):
                code, head, _ = get(server, "/status", fields)
                equal((code, head["retry-after"]), (429, "5"))
            with Stub(server) as stub:
                expect_code(Code.RESOURCE_EXHAUSTED, lambda: stub.wait(until=UNTIL_DONE))
                expect_code(Code.RESOURCE_EXHAUSTED, lambda: next(stub.watch()))
        wait_until(lambda: begins(server), "room for another, as both have gone")


def begins(server):
    with H1(server) as peer:
        return peer.begin("/status", EVENTS).status == 200


# ---- the end ----------------------------------------------------------------------------------

def count_waits(server):
    return server.metrics()['grpc_server_started_total{grpc_type="unary",'
                            'grpc_service="vtstatus.v1.StatusService",grpc_method="WaitStatus"}']


@case
def all_who_wait_are_answered_when_the_server_stops():
    answers = {}

    def keep(name, function):
        def run():
            answers[name] = function()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    with Server("--simulate", "delay=24h") as server, Stub(server) as stub, H1(server) as h1:
        revision = settled_revision(server)
        events = events_of(h1.begin("/status", EVENTS))
        equal([next(events)[1], next(events)[0]], ["retry", revision])
        peer = connect(server)
        equal(stream_h2(peer, 1, {"Last-Event-ID": str(revision)}), 200)
        peer.send(h2_raw.headers(3, request(fields=prefer(60, etag(revision)))))
        watches = [stub.watch(), stub.watch_many(("default", 0))]
        for call in watches:
            next(call)
        threads = [keep("wait", lambda: stub.wait(until=UNTIL_DONE)),
                   keep("watches", lambda: [expect_code(Code.UNAVAILABLE, lambda: list(call))
                                            for call in watches]),
                   keep("events", lambda: list(events))]
        wait_until(lambda: count_waits(server) == 1, "WaitStatus has come")
        equal(peer.get(5, "/readyz", WAIT_S), 200)  # so what was sent before has come, too
        equal(peer.done, {5})
        start = time.monotonic()
        server.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(WAIT_S)
        check(peer.wait(lambda: {1, 3} <= peer.done, WAIT_S), "not all ends")
        took = time.monotonic() - start
        equal(server.wait(), 0)
    check(took < SOON_S, f"they were answered after {took:.1f} s")
    equal((answers["wait"].revision, answers["wait"].done), (revision, False))
    equal((peer.status[3], len(answers["watches"])), (304, 2))
    equal([kind for _, kind, _ in answers["events"]], ["retry"])
    check(answers["events"][0][2] < 2000, answers["events"])
    equal([kind for _, kind, _ in parse_events(peer.body[1].decode().split("\n")[:-1])],
          ["retry", "retry"])


with Server("--simulate", "delay=24h") as still:
    main(__file__)
