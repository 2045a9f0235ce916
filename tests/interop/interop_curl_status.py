#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What curl gets from vtstatusd's services: Connect and gRPC-Web byte for byte, and CORS.

/status, the REST side, is in tests/integration/it_curl.py.
"""
import base64
import gzip
import json
import struct
import subprocess
import urllib.parse

import peers
from cases import case, check, equal, main
from driven_job import DrivenJob, is_watched_by
from vts_server import WAIT_S, Server

peers.import_python_code()
from google.rpc.error_details_pb2 import ErrorInfo  # noqa: E402
from vtstatus.v1 import status_service_pb2 as api  # noqa: E402

VERSIONS = ("--http2", "--http1.1")
SERVICE = "/vtstatus.v1.StatusService/"
ORIGIN = "https://app.example"
JSON, PROTO = "application/json", "application/proto"
END_STREAM, TRAILERS = 0x02, 0x80
still = None


class Answer:
    """What curl printed: code, header (several fields joined), body."""

    def __init__(self, out):
        head, _, self.body = out.partition(b"\r\n\r\n")
        first, *fields = head.decode("latin-1").split("\r\n")
        self.code, self.header = int(first.split()[1]), {}
        for name, value in (field.split(":", 1) for field in fields):
            self.header.setdefault(name.lower(), []).append(value.strip())
        self.header = {name: ", ".join(values) for name, values in self.header.items()}

    def json(self):
        return json.loads(self.body)

    def envelopes(self):
        """[(flags, bytes)]; the body must hold nothing else."""
        found, rest = [], self.body
        while rest:
            flags, length = struct.unpack(">BI", rest[:5])
            check(len(rest) >= 5 + length, f"cut off: {self.body}")
            found.append((flags, rest[5:5 + length]))
            rest = rest[5 + length:]
        return found


def curl(path, *arguments, version="--http2", server=None, body=None, headers=()):
    where = server or still
    fields = [part for header in headers for part in ("-H", header)]
    given = ["--data-binary", "@-"] if body is not None else []
    result = subprocess.run(
        ["curl", "-sS", "-i", "--max-time", str(WAIT_S), "--cacert", where.certs / "ca.pem",
         version, *fields, *given, *arguments, where.url + path],
        input=body or b"", capture_output=True, check=False)
    equal(result.returncode, 0, f"curl {path} {arguments}: {result.stderr.decode()}")
    return Answer(result.stdout)


def post(method, body, content_type, *headers, **options):
    return curl(SERVICE + method, body=body, headers=(f"Content-Type: {content_type}", *headers),
                **options)


def post_json(method, message, *headers, **options):
    return post(method, json.dumps(message).encode(), JSON, *headers, **options)


def connect_get(method, version="--http2", **parameters):
    return curl(f"{SERVICE}{method}?{urllib.parse.urlencode(parameters)}", version=version)


def envelope(message, flags=0):
    return struct.pack(">BI", flags, len(message)) + message


def expect_error(answer, http_code, word, what=""):
    equal((answer.code, answer.header.get("content-type")), (http_code, JSON), what)
    equal(answer.json()["code"], word, what)
    check(set(answer.json()) <= {"code", "message", "details"}, answer.body)
    check(answer.json().get("message"), f"{what}: no message")


def error_info(details):
    """The ErrorInfo of an error's JSON, in which base64 has no padding."""
    equal(details[0]["type"], "google.rpc.ErrorInfo")
    value = details[0]["value"]
    check("=" not in value, value)
    info = ErrorInfo.FromString(base64.b64decode(value + "=" * (-len(value) % 4)))
    return info.reason, info.domain


# ---- Connect, one message ---------------------------------------------------------------------

@case
def connect_post():
    for version in VERSIONS:
        answer = post_json("GetStatus", {"jobId": "default"}, "Connect-Protocol-Version: 1",
                           version=version)
        equal((answer.code, answer.header["content-type"]), (200, JSON))
        equal(answer.json()["status"]["jobId"], "default")
        answer = post("GetStatus", b"", PROTO, version=version)
        equal((answer.code, answer.header["content-type"]), (200, PROTO))
        equal(api.GetStatusResponse.FromString(answer.body).status.job_id, "default")


@case
def connect_json_may_name_its_charset():
    for name in (f"{JSON};charset=utf-8", f"{JSON}; Charset=UTF-8"):
        equal(post("GetStatus", b"{}", name).code, 200, name)


@case
def connect_get_of_json_and_protobuf():
    later = b"\x78\x01"  # a field of some later version; its length makes base64 pad
    message = api.GetStatusRequest(job_id="default").SerializeToString() + later
    encoded = base64.urlsafe_b64encode(message).decode()
    check(encoded.endswith("="), "the padding would make no difference")
    for version in VERSIONS:
        for parameters in ({"encoding": "json", "message": '{"jobId": "default"}', "connect": "v1"},
                           {"encoding": "json", "message": "{}"},
                           {"encoding": "proto", "message": "", "connect": "v1"},
                           {"encoding": "proto", "base64": "1", "message": encoded},
                           {"encoding": "proto", "base64": "1", "message": encoded.rstrip("=")},
                           {"encoding": "json", "message": "{}", "unheard": "of"}):
            answer = connect_get("GetStatus", version, **parameters)
            equal(answer.code, 200, f"{parameters}: {answer.body}")
            equal(answer.header["content-type"], f"application/{parameters['encoding']}")


@case
def connect_get_that_is_malformed():
    expect_error(connect_get("GetStatus", encoding="json", connect="v1"), 400, "invalid_argument",
                 "no message")
    expect_error(connect_get("GetStatus", encoding="json", message="{}", connect="v2"), 400,
                 "invalid_argument", "another version")
    equal(connect_get("GetStatus", message="{}", connect="v1").code, 415, "no encoding")
    equal(connect_get("GetStatus", encoding="xml", message="{}").code, 415, "unknown encoding")


@case
def connect_get_needs_a_method_without_side_effects():
    answer = connect_get("WatchStatus", encoding="json", message="{}", connect="v1")
    equal((answer.code, answer.header.get("allow")), (405, "POST"))


@case
def connect_errors():
    for version in VERSIONS:
        for answer in (post_json("GetStatus", {"jobId": "unknown"}, version=version),
                       connect_get("GetStatus", version, encoding="json",
                                   message='{"jobId":"unknown"}')):
            expect_error(answer, 404, "not_found")
            equal(error_info(answer.json()["details"]), ("JOB_NOT_FOUND", "vtstatus"))
        expect_error(post_json("GetStatus", {"jobId": "bad id"}, version=version), 400,
                     "invalid_argument")
        proto = api.GetStatusRequest(job_id="unknown").SerializeToString()
        expect_error(post("GetStatus", proto, PROTO, version=version), 404, "not_found")


@case
def connect_refusals():
    expect_error(post("GetStatus", b"{", JSON), 400, "invalid_argument", "half a message")
    expect_error(post("GetStatus", b"\x0a\xff", PROTO), 400, "invalid_argument", "no protobuf")
    expect_error(post_json("GetStatus", {}, "Connect-Protocol-Version: 2"), 400,
                 "invalid_argument", "another version")
    expect_error(post_json("GetStatus", {}, "Connect-Timeout-Ms: soon"), 400, "invalid_argument",
                 "no timeout")
    expect_error(post_json("BatchGetStatus", {"jobIds": ["default"] * 1001}), 400,
                 "invalid_argument", "too many")
    equal(post("GetStatus", b"{}", "application/foo").code, 415)
    equal(post("WatchStatus", b"{}", JSON).code, 415, "a stream without its content type")
    equal(post_json("Nonsense", {}).code, 404)
    answer = curl(SERVICE + "GetStatus", "-X", "DELETE")
    equal(answer.code, 405)
    equal({name.strip() for name in answer.header["allow"].split(",")}, {"GET", "POST"})


@case
def connect_gzip():
    ids = [f"{i:0128}" for i in range(100)]
    body = gzip.compress(json.dumps({"jobIds": ids}).encode())
    for version in VERSIONS:
        answer = post("BatchGetStatus", body, JSON, "Content-Encoding: gzip",
                      "Accept-Encoding: gzip", version=version)
        equal((answer.code, answer.header.get("content-encoding")), (200, "gzip"))
        results = json.loads(gzip.decompress(answer.body))["results"]
        equal([one["jobId"] for one in results], ids)
    expect_error(post("BatchGetStatus", body, JSON, "Content-Encoding: br"), 501, "unimplemented")
    expect_error(post("BatchGetStatus", b"{}", JSON, "Content-Encoding: gzip"), 400,
                 "invalid_argument", "what is no gzip")


# ---- streams ----------------------------------------------------------------------------------

def check_statuses(statuses):
    revisions = [int(one["revision"]) for one in statuses]
    check(len(revisions) > 1 and revisions == sorted(set(revisions)), f"revisions {revisions}")
    equal(statuses[-1].get("done"), True)


@case
def connect_stream():
    for version in VERSIONS:
        with Server() as server:
            DrivenJob(server).go_on_once(is_watched_by(1))
            answer = post("WatchStatus", envelope(b"{}"), "application/connect+json",
                          version=version, server=server)
        equal((answer.code, answer.header["content-type"]), (200, "application/connect+json"))
        *statuses, (flags, end) = answer.envelopes()
        equal({flag for flag, _ in statuses}, {0})
        check_statuses([json.loads(text)["status"] for _, text in statuses])
        equal((flags, json.loads(end)), (END_STREAM, {}))


@case
def connect_stream_that_fails():
    body = envelope(json.dumps({"jobId": "unknown"}).encode())
    answer = post("WatchStatus", body, "application/connect+json")
    equal(answer.code, 200)
    (flags, end), = answer.envelopes()
    equal(flags, END_STREAM)
    error = json.loads(end)["error"]
    equal((error["code"], *error_info(error["details"])),
          ("not_found", "JOB_NOT_FOUND", "vtstatus"))


@case
def connect_stream_that_is_malformed():
    for body, word in ((b"", "unimplemented"), (envelope(b"{}") * 2, "unimplemented"),
                       (envelope(b"{}")[:-1], "invalid_argument"),
                       (envelope(b"{}", flags=1), "internal")):
        (flags, end), = post("WatchStatus", body, "application/connect+json").envelopes()
        equal((flags, json.loads(end)["error"]["code"]), (END_STREAM, word), repr(body))


def trailers_of(block):
    """The fields of a gRPC-Web trailer frame: lower-case lines, each with its end."""
    check(block.endswith(b"\r\n") and b"\r\n\r\n" not in block, block)
    pairs = [line.split(":", 1) for line in block.decode().split("\r\n")[:-1]]
    check(all(name == name.lower() for name, _ in pairs), block)
    return {name: value.strip() for name, value in pairs}


@case
def grpc_web():
    for version in VERSIONS:
        answer = post("GetStatus", envelope(b""), "application/grpc-web+proto", "X-Grpc-Web: 1",
                      version=version)
        equal((answer.code, answer.header["content-type"]), (200, "application/grpc-web+proto"))
        (flags, message), (last, block) = answer.envelopes()
        equal((flags, last), (0, TRAILERS))
        equal(api.GetStatusResponse.FromString(message).status.job_id, "default")
        equal(trailers_of(block)["grpc-status"], "0")


@case
def grpc_web_text():
    body = base64.b64encode(envelope(b""))
    for version in VERSIONS:
        answer = post("GetStatus", body, "application/grpc-web-text", "X-Grpc-Web: 1",
                      version=version)
        equal((answer.code, answer.header["content-type"]), (200, "application/grpc-web-text"))
        # Each part is padded on its own, so four characters at a time.
        parts = [answer.body[i:i + 4] for i in range(0, len(answer.body), 4)]
        answer.body = b"".join(base64.b64decode(part, validate=True) for part in parts)
        (flags, message), (last, block) = answer.envelopes()
        equal((flags, last), (0, TRAILERS))
        equal(api.GetStatusResponse.FromString(message).status.job_id, "default")
        equal(trailers_of(block)["grpc-status"], "0")


@case
def grpc_web_errors():
    message = api.GetStatusRequest(job_id="unknown").SerializeToString()
    for version in VERSIONS:
        answer = post("GetStatus", envelope(message), "application/grpc-web", version=version)
        equal(answer.code, 200)
        fields = answer.header if not answer.body else trailers_of(answer.envelopes()[-1][1])
        equal(fields["grpc-status"], "5")
        check(fields["grpc-message"] and fields["grpc-status-details-bin"], fields)


# ---- CORS -------------------------------------------------------------------------------------

# What the stock clients send.
BROWSER_FIELDS = {"content-type", "x-grpc-web", "x-user-agent", "grpc-timeout",
                  "connect-protocol-version", "connect-timeout-ms"}


def preflight(origin, **options):
    return curl(SERVICE + "GetStatus", "-X", "OPTIONS", **options, headers=(
        f"Origin: {origin}", "Access-Control-Request-Method: POST",
        f"Access-Control-Request-Headers: {','.join(sorted(BROWSER_FIELDS))}"))


def words(field):
    return {word.strip().lower() for word in field.split(",")}


@case
def cors_preflight():
    for version in VERSIONS:
        answer = preflight(ORIGIN, version=version)
        equal((answer.code, answer.body), (204, b""))
        equal(answer.header["access-control-allow-origin"], ORIGIN)
        check({"get", "post"} <= words(answer.header["access-control-allow-methods"]), "methods")
        check(BROWSER_FIELDS <= words(answer.header["access-control-allow-headers"]),
              answer.header)
        check("origin" in words(answer.header["vary"]), answer.header)


@case
def cors_answers():
    for version in VERSIONS:
        for code, job_id in ((200, ""), (404, "unknown")):
            answer = post_json("GetStatus", {"jobId": job_id}, f"Origin: {ORIGIN}",
                               version=version)
            equal((answer.code, answer.header["access-control-allow-origin"]), (code, ORIGIN))
            check("origin" in words(answer.header["vary"]), answer.header)
            check({"grpc-status", "grpc-message", "grpc-status-details-bin"} <=
                  words(answer.header["access-control-expose-headers"]), answer.header)


@case
def cors_of_other_origins():
    for origin in ("https://evil.example", f"{ORIGIN}.evil.example", "null", ORIGIN + ":8443"):
        for answer in (preflight(origin), post_json("GetStatus", {}, f"Origin: {origin}")):
            check("access-control-allow-origin" not in answer.header, f"{origin} is let in")


with Server("--simulate", "delay=24h", *peers.allow_origin(ORIGIN)) as still:
    main(__file__)
