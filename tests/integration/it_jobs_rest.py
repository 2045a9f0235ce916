#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The jobs of a real vtstatusd as resources of HTTP, asked by curl; and failures in every dialect.

Exit code 77: there is no python3-grpcio.
"""
import base64
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "interop"))
from cases import case, check, equal, main  # noqa: E402
from vts_server import Server  # noqa: E402

try:
    from jobs_client import CLASSES, Failure, Jobs, message
    from rpc_client import UNARY, Call, Connect, Grpc, GrpcWeb
except ImportError:
    print("skipped: there is no python3-grpcio or no python3-protobuf")
    sys.exit(77)

from http_client import Http1, Http2  # noqa: E402

JSON = "Content-Type: application/json"
PROTOBUF = "Content-Type: application/x-protobuf"
SPEC = {"sourceUri": "https://example.org/v.mp4", "targetLanguage": "de"}
VERSIONS = ("--http2", "--http1.1")
server = None
jobs = None
names = iter(f"rest-{number}" for number in range(10**6))


class Answer:
    """What curl printed: code, header (last value wins), body."""

    def __init__(self, out):
        *_, head, self.body = split_heads(out)
        lines = head.decode("latin-1").split("\r\n")
        self.code = int(lines[0].split()[1])
        fields = [line.split(":", 1) for line in lines[1:]]
        self.header = {name.lower(): value.strip() for name, value in fields}

    def json(self):
        return json.loads(self.body)


def split_heads(out):
    """The heads, of which those of 100 Continue come first, and the body."""
    head, _, rest = out.partition(b"\r\n\r\n")
    while head.split()[1].startswith(b"1"):
        head, _, rest = rest.partition(b"\r\n\r\n")
    return head, rest


def curl(method, path, *fields, body=None, version="--http2", to=None):
    """body: bytes, or what json.dumps makes them of, with its content type."""
    where = to or server
    arguments = ["-I"] if method == "HEAD" else ["-X", method]
    for field in fields:
        arguments += ["-H", field]
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        arguments += ["-H", JSON]
    if body is not None:
        arguments += ["--data-binary", "@-"]
    result = subprocess.run(
        ["curl", "-sS", "-i", "--max-time", "30", "--cacert", where.certs / "ca.pem", version,
         "--path-as-is", "--globoff", *arguments, f"https://localhost:{where.port}{path}"],
        input=body or b"", capture_output=True, check=False)
    equal(result.returncode, 0, f"curl {method} {path} {fields}: {result.stderr.decode()}")
    return Answer(result.stdout)


def failure_of(answer):
    """What the error JSON of the contract says."""
    equal(answer.header.get("content-type"), "application/json")
    equal(answer.header.get("cache-control"), "no-store")
    body = answer.json()
    check(set(body) <= {"code", "message", "details"}, f"keys of an error: {sorted(body)}")
    check(body["message"], "no message")
    details = [(one["type"], base64.b64decode(one["value"] + "=" * (-len(one["value"]) % 4)))
               for one in body.get("details", [])]
    return Failure(body["code"], body["message"], details)


def expect(answer, code, word, reason=None):
    failure = failure_of(answer)
    equal((answer.code, failure.code, failure.reason), (code, word, reason), failure.text)
    return failure


def make(**fields):
    """A job in a queue of its own, as REST tells of it."""
    name = next(names)
    answer = curl("POST", "/v1/jobs", body={"jobId": name, "queue": name, "spec": SPEC, **fields})
    equal(answer.code, 201, answer.body)
    return answer.json()


# ---- creating -----------------------------------------------------------------------------------

@case
def a_job_is_created_where_it_is_said():
    for version in VERSIONS:
        name = next(names)
        answer = curl("POST", "/v1/jobs", version=version,
                      body={"job_id": name, "spec": SPEC, "labels": {"team": "red"}, "ttl": "3600s"})
        equal((answer.code, answer.header["location"]), (201, f"/v1/jobs/{name}"))
        equal((answer.header["etag"], answer.header["content-type"]), ('W/"r1"', "application/json"))
        check(int(answer.header["retry-after"]) >= 1, "no hint when to ask again")
        job = answer.json()
        equal((job["id"], job["labels"], job["spec"]), (name, {"team": "red"}, SPEC))
        status = job["status"]
        equal((status["status"], status["state"], status["pendingReason"]),
              ("pending", "pending", "queued"))
        equal(curl("GET", answer.header["location"]).json(), job)


@case
def what_is_to_be_translated_may_stand_without_its_name():
    job = curl("POST", "/v1/jobs", body={**SPEC, "labels": {"team": "red"}}).json()
    equal((job["spec"], job["labels"]), (SPEC, {"team": "red"}))
    for body in ({**SPEC, "spec": SPEC}, {**SPEC, "nothing": 1}):
        expect(curl("POST", "/v1/jobs", body=body), 400, "invalid_argument")


@case
def a_repetition_is_no_creation():
    name = next(names)
    body = {"jobId": name, "spec": SPEC, "requestId": name}
    first, again = (curl("POST", "/v1/jobs", body=body) for _ in range(2))
    equal((first.code, again.code), (201, 200))
    equal(again.json(), first.json())
    equal(again.header["location"], f"/v1/jobs/{name}")
    expect(curl("POST", "/v1/jobs", body={**body, "priority": 1}), 409, "already_exists",
           "REQUEST_ID_REUSED")
    expect(curl("POST", "/v1/jobs", body={"jobId": name, "spec": SPEC}), 409, "already_exists",
           "JOB_ALREADY_EXISTS")


@case
def protobuf_goes_both_ways():
    name = next(names)
    request = message("vtstatus.v1.CreateJobRequest", job_id=name,
                      spec={"source_uri": "x", "target_language": "de"})
    answer = curl("POST", "/v1/jobs", PROTOBUF, "Accept: application/x-protobuf",
                  body=request.SerializeToString())
    equal((answer.code, answer.header["content-type"]), (201, "application/x-protobuf"))
    job = CLASSES["vtstatus.v1.Job"].FromString(answer.body)
    equal(job, jobs.get(job_id=name).job)
    answer = curl("GET", f"/v1/jobs/{name}", "Accept: application/x-protobuf")
    equal(CLASSES["vtstatus.v1.Job"].FromString(answer.body), job)
    # Each may be what the other is not.
    answer = curl("POST", "/v1/jobs", PROTOBUF, body=message(
        "vtstatus.v1.CreateJobRequest", job_id=next(names), spec=request.spec).SerializeToString())
    equal(answer.json()["status"]["state"], "pending")


@case
def a_request_that_is_wrong_is_told_what_is():
    failure = expect(curl("POST", "/v1/jobs", body={"spec": {**SPEC, "targetLanguage": "?"}}), 400,
                     "invalid_argument", "INVALID_REQUEST")
    equal((failure.fields, failure.metadata), (["spec.target_language"],
                                               {"field": "spec.target_language"}))
    for body in (b"", b"{", b"[]", b'{"spec":5}', b'{"nothing":1}', b'{"priority":"x"}',
                 b'{"jobId":"a","job_id":"b"}', b"\xff"):
        answer = curl("POST", "/v1/jobs", JSON, body=body)
        equal(answer.code, 400, body)
        equal(failure_of(answer).code, "invalid_argument", body)
    answer = curl("POST", "/v1/jobs", PROTOBUF, body=b"\x0a\x05x")
    equal((answer.code, failure_of(answer).code), (400, "invalid_argument"))


@case
def a_body_of_another_kind_is_refused():
    for field in ("Content-Type: text/plain", "Content-Type: application/x-www-form-urlencoded",
                  "Content-Type: application/grpc+x", "Content-Type:"):
        answer = curl("POST", "/v1/jobs", field, body=json.dumps({"spec": SPEC}).encode())
        expect(answer, 415, "invalid_argument")
        equal(answer.header["accept"], "application/json, application/x-protobuf", field)
    expect(curl("POST", "/v1/jobs", JSON, "Content-Encoding: br", body=b"{}"), 415,
           "invalid_argument")
    expect(curl("POST", "/v1/jobs", "Accept: text/html", body={"spec": SPEC}), 406,
           "invalid_argument")
    answer = curl("POST", "/v1/jobs", "Content-Type: Application/JSON; charset=utf-8",
                  body=json.dumps({"spec": SPEC}).encode())
    equal(answer.code, 201)


@case
def a_body_that_is_too_large_is_refused():
    for version in VERSIONS:
        body = json.dumps({"spec": {**SPEC, "options": {"x": "y" * 300_000}}}).encode()
        expect(curl("POST", "/v1/jobs", JSON, body=body, version=version), 413, "resource_exhausted")
        body = json.dumps({"spec": {**SPEC, "options": {"x": "y" * 100_000}}}).encode()
        expect(curl("POST", "/v1/jobs", JSON, body=body, version=version), 400, "invalid_argument",
               "INVALID_REQUEST")  # it came whole, and says too much


# ---- looking ------------------------------------------------------------------------------------

@case
def a_job_is_read_once_a_revision():
    name = make()["id"]
    path = f"/v1/jobs/{name}"
    for version in VERSIONS:
        answer = curl("GET", path, version=version)
        equal((answer.code, answer.header["etag"]), (200, 'W/"r1"'))
        equal(answer.header["cache-control"], "no-cache")
        head = curl("HEAD", path, version=version)
        equal((head.code, head.body, head.header["etag"]), (200, b"", 'W/"r1"'))
        equal(head.header["content-length"], answer.header["content-length"])
        for known in ('"r1"', 'W/"r1"', '"r0", W/"r1"', "*"):
            same = curl("GET", path, f"If-None-Match: {known}", version=version)
            equal((same.code, same.body, same.header["etag"]), (304, b"", 'W/"r1"'), known)
        equal(curl("GET", path, 'If-None-Match: "r2"', version=version).code, 200)


@case
def a_job_that_is_not_there_is_not_found():
    failure = expect(curl("GET", "/v1/jobs/nobody"), 404, "not_found", "JOB_NOT_FOUND")
    equal(failure.metadata, {"jobId": "nobody"})
    expect(curl("GET", "/v1/jobs/a%2Fb"), 400, "invalid_argument", "INVALID_REQUEST")
    expect(curl("GET", "/v1/jobs/%zz"), 400, "invalid_argument")
    for path in ("/v1/jobs/", "/v1/jobs/a/b", "/v1/job", "/v1/jobs/a:", "/v1/jobs/a:explode"):
        answer = curl("GET", path)
        equal((answer.code, failure_of(answer).code), (404, "not_found"), path)
    name = make()["id"]
    curl("POST", f"/v1/jobs/{name}:cancel")
    equal(curl("DELETE", f"/v1/jobs/{name}").code, 204)
    failure = expect(curl("GET", f"/v1/jobs/{name}"), 410, "not_found", "JOB_GONE")
    equal(failure.metadata, {"jobId": name})


@case
def a_status_that_is_not_to_be_had_says_why():
    for fields in ((), ("Prefer: wait=9",), ("Accept: text/event-stream",)):
        failure = expect(curl("GET", "/status/nobody", *fields), 404, "not_found", "JOB_NOT_FOUND")
        equal(failure.metadata, {"jobId": "nobody"})
        failure = expect(curl("GET", "/status/a:b", *fields), 400, "invalid_argument",
                         "INVALID_REQUEST")
        equal(failure.metadata, {"field": "job_id"})


@case
def a_list_is_asked_for_by_query():
    queue = next(names)
    made = [make(queue=queue, labels={"n": str(n % 2)})["id"] for n in range(5)]
    curl("POST", f"/v1/jobs/{made[0]}:cancel")

    def ids(query):
        answer = curl("GET", f"/v1/jobs?queue={queue}{query}")
        equal(answer.code, 200, answer.body)
        return [job["id"] for job in answer.json().get("jobs", [])]
    equal(ids(""), made[::-1])
    equal(ids("&order=oldest_first"), made)
    equal(ids("&order=JOB_ORDER_OLDEST_FIRST"), made)
    equal(ids("&state=cancelled"), made[:1])
    equal(ids("&state=STATE_CANCELLED&states=running"), made[:1])
    equal(ids("&state=6&state=1&order=2"), made)
    equal(ids("&label=n%3D0"), made[::-2])
    equal(ids("&label=n=0&label=n=1"), [])
    created = curl("GET", f"/v1/jobs/{made[2]}").json()["createTime"]
    equal(ids(f"&createdAfter={created}"), made[:2:-1])
    equal(ids(f"&created_before={created.replace('Z', '%2B00:00')}"), made[1::-1])
    answer = curl("GET", f"/v1/jobs?queue={queue}&page_size=2").json()
    equal([job["id"] for job in answer["jobs"]], made[:2:-1])
    token = answer["nextPageToken"]
    equal(ids(f"&pageSize=2&pageToken={token}"), made[2:0:-1])
    equal(ids("&label=n=7"), [])


@case
def a_query_that_is_wrong_is_told_what_is():
    for query, text in (("nothing=1", "nothing"), ("page_size=x", "page_size"),
                        ("state=asleep", "state, in the query: one of pending, running, "), ("order=1&order=2", "order"),
                        ("createdAfter=yesterday", "created_after"), ("queue=%zz", "queue")):
        answer = curl("GET", f"/v1/jobs?{query}")
        equal(answer.code, 400, query)
        failure = failure_of(answer)
        check(text in failure.text, f"{query}: {failure.text}")
    for query, field in (("pageSize=-1", "page_size"), ("label=x", "labels"),
                         ("pageToken=x", "page_token"), ("state=unspecified", "states")):
        failure = expect(curl("GET", f"/v1/jobs?{query}"), 400, "invalid_argument", "INVALID_REQUEST")
        equal(failure.fields, [field], query)


# ---- deciding -----------------------------------------------------------------------------------

@case
def a_cancellation_is_done_or_on_its_way():
    waiting, running = make()["id"], make()["id"]
    answer = curl("POST", f"/v1/jobs/{waiting}:cancel", body={"reason": "not needed"})
    equal((answer.code, answer.header["etag"]), (200, 'W/"r2"'))
    status = answer.json()["status"]
    equal((status["state"], status["done"], status["error"]["message"]),
          ("cancelled", True, "not needed"))
    check("retry-after" not in answer.header, "nothing more will change")
    check(jobs.lease(queues=[running]).HasField("lease"), "no work")
    answer = curl("POST", f"/v1/jobs/{running}%3Acancel")  # as some clients encode it
    equal((answer.code, answer.json()["status"]["state"]), (202, "cancelling"))
    check("retry-after" in answer.header, "no hint when to ask again")


@case
def a_retry_begins_anew():
    name = make()["id"]
    expect(curl("POST", f"/v1/jobs/{name}:retry"), 400, "failed_precondition", "JOB_NOT_RETRYABLE")
    curl("POST", f"/v1/jobs/{name}:cancel")
    answer = curl("POST", f"/v1/jobs/{name}:retry", body={})
    equal((answer.code, answer.json()["status"]["state"]), (200, "pending"))


@case
def a_job_is_deleted_once_it_is_done():
    name = make()["id"]
    expect(curl("DELETE", f"/v1/jobs/{name}"), 400, "failed_precondition", "JOB_NOT_DONE")
    curl("POST", f"/v1/jobs/{name}:cancel")
    for version, code in zip(VERSIONS, (204, 410)):
        answer = curl("DELETE", f"/v1/jobs/{name}", version=version)
        equal(answer.code, code)
    expect(curl("DELETE", "/v1/jobs/nobody", body=b"x"), 400, "invalid_argument")


@case
def a_change_may_depend_on_the_revision():
    name = make()["id"]
    for method, path in (("POST", f"/v1/jobs/{name}:cancel"), ("POST", f"/v1/jobs/{name}:retry"),
                         ("DELETE", f"/v1/jobs/{name}")):
        failure = expect(curl(method, path, 'If-Match: "r2"'), 412, "aborted", "ETAG_MISMATCH")
        equal(failure.metadata, {"jobId": name})
    equal(curl("POST", f"/v1/jobs/{name}:cancel", 'If-Match: W/"r1"').code, 200)
    equal(curl("POST", f"/v1/jobs/{name}:retry", 'If-Match: "r9", "r2"').code, 200)
    equal(curl("POST", f"/v1/jobs/{name}:cancel", "If-Match: *").code, 200)
    expect(curl("DELETE", "/v1/jobs/nobody", "If-Match: *"), 404, "not_found", "JOB_NOT_FOUND")


@case
def a_verb_that_is_not_the_paths_is_refused():
    for method, path, allow in (("PUT", "/v1/jobs", "GET, HEAD, POST"),
                                ("POST", "/v1/jobs/x", "GET, HEAD, DELETE"),
                                ("GET", "/v1/jobs/x:cancel", "POST"),
                                ("OPTIONS", "/v1/jobs/x:retry", "POST")):
        answer = curl(method, path)
        equal((answer.code, answer.header["allow"]), (405, allow), path)
        equal(failure_of(answer).code, "unimplemented")


PAGE = "https://example.org"


def ask_as_page(method, path, *fields, to=None):
    """As a browser: (code, whether the page may read the answer)."""
    answer = curl(method, path, f"Origin: {PAGE}", *fields, to=to)
    return answer.code, answer.header.get("access-control-allow-origin") == PAGE


@case
def pages_of_other_origins_read_statuses_and_no_more():
    job = make()["id"]
    wants = "Access-Control-Request-Method: "
    for method, path, code in (("GET", "/v1/jobs", 403), ("GET", f"/v1/jobs/{job}", 403),
                               ("POST", f"/v1/jobs/{job}:cancel", 403),
                               ("DELETE", f"/v1/jobs/{job}", 403)):
        equal(ask_as_page(method, path), (code, False), f"{method} {path}")
        equal(ask_as_page("OPTIONS", path, wants + method), (204, False), path)
    # A POST without a body is sent by browsers without asking first.
    equal(failure_of(curl("POST", f"/v1/jobs/{job}:cancel", f"Origin: {PAGE}")).code,
          "permission_denied")
    equal(curl("GET", f"/status/{job}").json()["state"], "pending")
    for method in ("JobService/CreateJob", "JobService/GetJob", "WorkerService/LeaseJob"):
        path = f"/vtstatus.v1.{method}"
        equal(ask_as_page("OPTIONS", path, wants + "POST"), (204, False), path)
        equal(ask_as_page("POST", path, "Content-Type: application/json"), (403, False), path)
    for path in ("/vtstatus.v1.StatusService/GetStatus", "/grpc.health.v1.Health/Check",
                 "/vtstatus.v1.StatusService/WatchStatus"):
        equal(ask_as_page("OPTIONS", path, wants + "POST"), (204, True), path)
    equal(ask_as_page("GET", f"/status/{job}"), (200, True))
    equal(ask_as_page("GET", "/status/nobody"), (404, True))


@case
def pages_of_origins_that_are_named_may_do_all():
    for flag in (PAGE, "*", f"reads,{PAGE}", f"https://other.example, {PAGE}"):
        with Server("--allow-origin", flag) as named:
            answer = curl("OPTIONS", "/v1/jobs/x", f"Origin: {PAGE}",
                          "Access-Control-Request-Method: DELETE", to=named)
            equal((answer.code, answer.header["access-control-allow-origin"]), (204, PAGE))
            equal(answer.header["access-control-allow-methods"], "GET, HEAD, DELETE")
            answer = curl("GET", "/v1/jobs/nobody", f"Origin: {PAGE}", to=named)
            equal((answer.code, answer.header["access-control-allow-origin"]), (404, PAGE))
            check("location" in answer.header["access-control-expose-headers"], "location is hidden")
            equal(ask_as_page("POST", "/v1/jobs/nobody:cancel", to=named), (404, True))
    for flag in ("none", "https://other.example"):
        with Server("--allow-origin", flag) as closed:
            equal(ask_as_page("GET", "/status/nobody", to=closed), (404, False))
            equal(ask_as_page("POST", "/v1/jobs/nobody:cancel", to=closed), (403, False))
            equal(curl("POST", "/v1/jobs/nobody:cancel", to=closed).code, 404, "of no page")


@case
def a_list_is_compressed_for_who_takes_it():
    queue = next(names)
    for _ in range(20):
        make(queue=queue)
    plain = curl("GET", f"/v1/jobs?queue={queue}")
    packed = curl("GET", f"/v1/jobs?queue={queue}", "Accept-Encoding: gzip")
    equal(packed.header["content-encoding"], "gzip")
    check(len(packed.body) < len(plain.body) / 3, "it is not much smaller")


@case
def details_of_a_failed_job_are_told_as_far_as_they_are_known():
    name = make()["id"]
    token = jobs.lease(queues=[name]).lease.token
    any_of = CLASSES["google.protobuf.Any"]
    info = message("google.rpc.ErrorInfo", reason="NO_SOUND", domain="example.org")
    jobs.fail(job_id=name, token=token, error={"code": 3, "message": "no sound", "details": [
        any_of(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=info.SerializeToString()),
        any_of(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff"),
        any_of(type_url="example.org/a.B", value=b"\1")]})
    equal(curl("GET", f"/v1/jobs/{name}").json()["status"]["error"]["details"], [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "NO_SOUND",
         "domain": "example.org"},
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "value": "/w=="},
        {"@type": "example.org/a.B", "value": "AQ=="}])


# ---- every dialect ------------------------------------------------------------------------------

def call(method, codec, **fields):
    request = message(f"vtstatus.v1.{method}Request", **fields)
    service = "WorkerService" if method.endswith("LeaseJob") else "JobService"
    body = request.SerializeToString()
    if codec == "json":
        body = json.dumps({name: value for name, value in fields.items()}).encode()
    return Call(f"/vtstatus.v1.{service}/{method}", UNARY, [body], codec=codec)


@case
def a_failure_is_the_same_in_every_dialect():
    Grpc.Status = CLASSES["google.rpc.Status"]
    ca = server.certs / "ca.pem"
    name = make()["id"]
    wrong = (("GetJob", {"job_id": "nobody"}, 404, "JOB_NOT_FOUND", {"jobId": "nobody"}),
             ("GetJob", {"job_id": "a/b"}, 400, "INVALID_REQUEST", {"field": "job_id"}),
             ("DeleteJob", {"job_id": name}, 400, "JOB_NOT_DONE", {"jobId": name}),
             ("CancelJob", {"job_id": name, "etag": '"r7"'}, 409, "ETAG_MISMATCH", {"jobId": name}))
    for kind in (Http1, Http2):
        with kind(server.port, ca) as http:
            protocols = [Connect(), GrpcWeb()] + ([Grpc()] if kind is Http2 else [])
            for protocol in protocols:
                for codec in ("proto", "json"):
                    for method, fields, http_code, reason, metadata in wrong:
                        outcome = protocol.run(http, call(method, codec, **fields))
                        failure = Failure(outcome.code, outcome.message, outcome.details)
                        what = f"{protocol.name} {codec} {method}"
                        equal((failure.reason, failure.metadata), (reason, metadata), what)
                        check(failure.text, what)
                        if protocol.name == "connect":
                            equal(outcome.http, http_code, what)


@case
def a_job_is_the_same_in_every_dialect():
    Grpc.Status = CLASSES["google.rpc.Status"]
    ca = server.certs / "ca.pem"
    name = make(labels={"team": "red"})["id"]
    wanted = jobs.get(job_id=name)
    with Http2(server.port, ca) as http:
        for protocol in (Connect(), GrpcWeb(), Grpc()):
            outcome = protocol.run(http, call("GetJob", "proto", job_id=name))
            equal(CLASSES["vtstatus.v1.GetJobResponse"].FromString(outcome.payloads[0]), wanted)
            outcome = protocol.run(http, call("GetJob", "json", job_id=name))
            told = json.loads(outcome.payloads[0])["job"]
            equal(told["status"]["state"], "STATE_PENDING")
        get = call("GetJob", "json", job_id=name)
        get.is_get = True
        outcome = Connect().run(http, get)
        equal((outcome.http, outcome.headers["etag"]), (200, ['W/"r1"']))


with Server() as server, Jobs(server) as jobs:
    main(__file__)
