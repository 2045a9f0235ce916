#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What curl, over HTTP/2 and HTTP/1.1, gets from vtstatusd: the HTTP contract, row by row."""
import email.utils
import json
import math
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main, wait_until  # noqa: E402
from vts_server import ROOT, Server, shared_certs  # noqa: E402

VERSIONS = ("--http2", "--http1.1")
PROTOBUF = "Accept: application/x-protobuf"
server = None


class Answer:
    """What curl printed: code, version, header (last value wins), fields (all), body."""

    def __init__(self, out):
        marks = out.rsplit(b"\n", 1)[1].decode().split()
        self.code, self.version = int(marks[0]), marks[1]
        head, _, self.body = out.rsplit(b"\n", 1)[0].partition(b"\r\n\r\n")
        self.fields = [tuple(part.strip() for part in line.split(":", 1))
                       for line in head.decode("latin-1").split("\r\n")[1:] if ":" in line]
        self.header = {name.lower(): value for name, value in self.fields}

    def json(self):
        return json.loads(self.body)


def curl(path, *arguments, version="--http2", to=None, body=None):
    """body: bytes for --data-binary @-."""
    where = to or server
    result = subprocess.run(
        ["curl", "-sS", "-i", "--max-time", "30", "--cacert", where.certs / "ca.pem", version,
         "--path-as-is", "-w", "\n%{http_code} %{http_version}", *arguments,
         f"https://localhost:{where.port}{path}"],
        input=body or b"", capture_output=True, check=False)
    equal(result.returncode, 0, f"curl {path} {arguments}: {result.stderr.decode()}")
    return Answer(result.stdout)


def expect_error(answer, code, word, what):
    """The error JSON of the contract, and nothing about the status that was not read."""
    equal(answer.code, code, what)
    equal(answer.header.get("content-type"), "application/json", what)
    body = answer.json()
    equal(body.get("code"), word, what)
    check(isinstance(body.get("message"), str) and body["message"], f"{what}: no message")
    check(set(body) <= {"code", "message", "details"}, f"{what}: {sorted(body)}")
    check("etag" not in answer.header, f"{what}: a refusal has no ETag")


def decode(body):
    """Text of a JobStatus, by stock protoc with the published contract alone."""
    protos = sorted((ROOT / "proto/vtstatus").rglob("*.proto"))
    result = subprocess.run(
        ["protoc", "-I", ROOT / "proto", "-I", ROOT / "generated", "-I", "/usr/include",
         "--decode=vtstatus.v1.JobStatus", *protos], input=body, capture_output=True, check=False)
    equal(result.returncode, 0, f"protoc: {result.stderr.decode()}")
    return result.stdout.decode()


# ---- a status ---------------------------------------------------------------------------------

@case
def json_on_both_versions():
    for version, number in zip(VERSIONS, ("2", "1.1")):
        for path in ("/status", "/status/default", "/status?a=b"):
            answer = curl(path, version=version)
            equal((answer.code, answer.version), (200, number), path)
            equal(answer.header["content-type"], "application/json", path)
            equal(answer.header["cache-control"], "no-cache", path)
            equal(answer.header["vary"].lower(), "accept", path)
            equal(int(answer.header["content-length"]), len(answer.body), path)
            body = answer.json()
            equal(body["jobId"], "default", path)
            equal(body["status"], "pending", path)
            equal(answer.header["etag"], f'W/"r{body["revision"]}"', path)
            check(not body.get("done", False), "done while pending")


@case
def retry_after_is_the_hint_rounded_up():
    for version in VERSIONS:
        answer = curl("/status", version=version)
        hint = float(re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)s", answer.json()["pollAfter"])[1])
        equal(int(answer.header["retry-after"]), math.ceil(hint), f"of {hint} s")


@case
def protobuf_decodes_with_stock_protoc():
    for version in VERSIONS:
        for name in ("application/x-protobuf", "application/protobuf",
                     "application/vnd.google.protobuf"):
            answer = curl("/status", "-H", f"Accept: {name}", version=version)
            equal(answer.code, 200, name)
            equal(answer.header["content-type"], "application/x-protobuf", name)
            text = decode(answer.body)
            for wanted in ('job_id: "default"', "status: STATUS_PENDING", "poll_after {",
                           f'revision: {answer.header["etag"][4:-1]}'):
                check(wanted in text, f"{wanted} is not in {text}")


@case
def json_and_protobuf_say_the_same():
    with Server("--simulate", "delay=0s,error_rate=1,seed=3") as other:
        body = curl("/status", to=other).json()
        text = decode(curl("/status", "-H", PROTOBUF, to=other).body)
    equal(body["status"], "error")
    equal(body["done"], True)
    check("status: STATUS_ERROR" in text and "done: true" in text, text)
    check(f'revision: {body["revision"]}\n' in text, text)
    check(f'code: {body["error"]["code"]}\n' in text, text)
    check(json.dumps(body["error"]["message"]) in text, text)


@case
def done_has_neither_hint_nor_retry_after():
    with Server("--simulate", "delay=0s,error_rate=0") as other:
        for version in VERSIONS:
            answer = curl("/status", version=version, to=other)
            equal(answer.json()["status"], "completed")
            equal(answer.json()["done"], True)
            check("pollAfter" not in answer.json(), "a hint on what is done")
            check("retry-after" not in answer.header, "Retry-After on what is done")
            check("poll_after" not in decode(curl("/status", "-H", PROTOBUF, to=other).body),
                  "a hint in protobuf")


@case
def q_values_decide():
    pb, js = "application/x-protobuf", "application/json"
    for accept, wanted in (
            ("*/*", js), ("application/*", js), (f"{pb};q=0.1, {js}", js), (f"{js};q=0.1, {pb}", pb),
            (f"{js};q=0, */*;q=0.5", pb), (f"{pb};q=0, */*", js), (f"{pb}, {js}", js),
            (f"text/html, {pb};q=0.9, */*;q=0.8", pb), (f"{js};q=0.5, {pb};q=0.501", pb),
            (pb.upper(), pb), (f"{js};charset=utf-8", js), (f" ,, {pb} ;q=1.000 ,", pb)):
        for version in VERSIONS:
            answer = curl("/status", "-H", f"Accept: {accept}", version=version)
            equal((answer.code, answer.header["content-type"]), (200, wanted), accept)


@case
def several_accept_fields_are_one_list():
    """On HTTP/2; on HTTP/1.1 the first counts, and the server says so in h1.c."""
    answer = curl("/status", "-H", "Accept: text/html", "-H", PROTOBUF)
    equal(answer.header["content-type"], "application/x-protobuf")
    answer = curl("/status", "-H", PROTOBUF, "-H", "Accept: text/html", version="--http1.1")
    equal(answer.header["content-type"], "application/x-protobuf")


@case
def what_cannot_be_had_is_406():
    for accept in ("image/png", "application/json;q=0", "*/*;q=0", "text/*"):
        for version in VERSIONS:
            answer = curl("/status", "-H", f"Accept: {accept}", version=version)
            expect_error(answer, 406, "invalid_argument", accept)
            equal(answer.header["vary"].lower(), "accept", accept)


# ---- conditional and HEAD ---------------------------------------------------------------------

@case
def if_none_match_gives_304():
    for version in VERSIONS:
        etag = curl("/status", version=version).header["etag"]
        strong = etag[2:]
        for value in (etag, strong, "*", f'"other", {etag}', f'W/"r99",{strong} , "x"'):
            answer = curl("/status", "-H", f"If-None-Match: {value}", version=version)
            equal(answer.code, 304, value)
            equal(answer.body, b"", value)
            equal(answer.header["etag"], etag, value)
            equal(answer.header["vary"].lower(), "accept", value)
            equal(answer.header["cache-control"], "no-cache", value)
            check("content-type" not in answer.header, "304 with a Content-Type")
            check(int(answer.header["retry-after"]) >= 1, "304 tells when to ask again")
            check(200 <= int(answer.header["poll-after-ms"]) <= 30000, "and so it does finely")


@case
def other_etags_give_200():
    for version in VERSIONS:
        for value in ('"r99"', "r1", 'W/"', "", 'w/"r1"', '"R1"', '""'):
            answer = curl("/status", "-H", f"If-None-Match: {value}", version=version)
            equal(answer.code, 200, value)
            check(answer.body, value)


@case
def head_is_get_without_body():
    for version in VERSIONS:
        for path in ("/status", "/healthz", "/status/unknown", "/metrics"):
            got = curl(path, version=version)
            head = curl(path, "-I", version=version)
            equal(head.code, got.code, path)
            equal(head.body, b"", path)
            names = set(got.header) - {"date"}
            equal(set(head.header) - {"date"}, names, path)
            check("content-length" in head.header, f"HEAD {path} tells no length")


@case
def head_keeps_the_connection_usable():
    for version in VERSIONS:
        result = subprocess.run(
            ["curl", "-sS", "--max-time", "30", "--cacert", server.certs / "ca.pem", version,
             "-I", f"{server.url}/status", "--next", "--cacert", server.certs / "ca.pem", version,
             "-sS", "-w", "\n%{num_connects}", f"{server.url}/status"],
            capture_output=True, check=True)
        body, connects = result.stdout.rsplit(b"\n", 1)
        equal(connects, b"0", "new connections for the second request")
        equal(json.loads(body.rsplit(b"\r\n\r\n", 1)[1])["jobId"], "default")


# ---- refusals ---------------------------------------------------------------------------------

@case
def unknown_paths_are_404():
    for path in ("/", "/nothing", "/Status", "/statusx", "/status//", "//status", "/status/../status",
                 "/healthz/", "/v1/job", "/status/no-such-job", "/favicon.ico"):
        for version in VERSIONS:
            answer = curl(path, version=version)
            if path in ("/status//", "/status/../status"):
                expect_error(answer, 400, "invalid_argument", path)  # no job id looks like this
            else:
                expect_error(answer, 404, "not_found", path)


@case
def bad_job_ids_are_400():
    for bad in ("bad%20id", "a%2Fb", "%00", "a/b", "", "ä".encode().decode("latin-1"), "a" * 129,
                "a+b", "a%61"):
        for version in VERSIONS:
            expect_error(curl(f"/status/{bad}", version=version), 400, "invalid_argument",
                         repr(bad))
    expect_error(curl("/status/" + "a" * 128), 404, "not_found", "128 characters")
    expect_error(curl("/status/A-z0.9_~"), 404, "not_found", "every kind of character")


@case
def other_methods_are_405_with_allow():
    for version in VERSIONS:
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            for path in ("/status", "/status/default", "/healthz", "/readyz", "/metrics"):
                answer = curl(path, "-X", method, version=version)
                expect_error(answer, 405, "unimplemented", f"{method} {path}")
                equal(answer.header["allow"], "GET, HEAD", f"{method} {path}")


@case
def methods_unheard_of_are_refused():
    expect_error(curl("/status", "-X", "BREW"), 501, "unimplemented", "BREW")
    expect_error(curl("/status", "-X", "BREW", version="--http1.1"), 501, "unimplemented", "BREW")


@case
def a_request_with_a_body_is_answered():
    for version in VERSIONS:
        for size in (1, 1000, 300000):
            body = ("--data-binary", "@-", "-H", "Expect:")
            answer = curl("/status", "-X", "GET", *body, body=b"x" * size, version=version)
            equal(answer.code, 200, f"GET with {size} bytes")
            answer = curl("/status", *body, body=b"x" * size, version=version)
            equal(answer.code, 405, f"POST with {size} bytes")


@case
def a_body_too_large_is_413_although_it_is_still_coming():
    answer = curl("/nothing/here", "--data-binary", "@-", body=b"x" * (2 << 20))
    expect_error(answer, 413, "resource_exhausted", "2 MiB")
    answer = curl("/status", "--data-binary", "@-", version="--http1.1", body=b"x" * (2 << 20))
    check(answer.code in (405, 413), f"code {answer.code}")


@case
def expect_continue_is_obeyed():
    answer = curl("/status", "-X", "GET", "--data-binary", "@-", "-H", "Expect: 100-continue",
                  "--expect100-timeout", "30", body=b"x" * 2000, version="--http1.1")
    equal(answer.code, 200)
    expect_error(curl("/status", "-H", "Expect: miracles", version="--http1.1"), 417,
                 "invalid_argument", "another expectation")


@case
def long_targets_are_414():
    for version in VERSIONS:
        expect_error(curl("/status/" + "a" * 9000, version=version), 414, "resource_exhausted",
                     version)
        expect_error(curl("/status?" + "a" * 9000, version=version), 414, "resource_exhausted",
                     version)


@case
def large_headers_are_431():
    for version in VERSIONS:
        many = [part for i in range(101) for part in ("-H", f"X-{i}: 1")]
        expect_error(curl("/status", *many, version=version), 431, "resource_exhausted", "fields")
        expect_error(curl("/status", "-H", "X-Large: " + "a" * 17000, version=version), 431,
                     "resource_exhausted", "bytes")


@case
def methods_that_are_not_there_say_so():
    path = "/vtstatus.v1.StatusService/Nonsense"
    for version in VERSIONS:
        expect_error(curl(path, "-H", "Content-Type: application/json", "-d", "{}",
                          version=version), 404, "unimplemented", "Connect")
        expect_error(curl(path, "-d", "{}", version=version), 404, "not_found", "no call")
    answer = curl(path, "-H", "Content-Type: application/grpc", "--data-binary", "")
    equal((answer.code, answer.header["grpc-status"]), (200, "12"), "gRPC")


@case
def methods_of_http_fit_those_of_services():
    service = "/vtstatus.v1.StatusService/"
    for version in VERSIONS:
        expect_error(curl(service + "GetStatus", version=version), 415, "invalid_argument",
                     "GET without a query")
        for verb, method, allow in (("GET", "WatchStatus", "POST"), ("PUT", "WatchStatus", "POST"),
                                    ("DELETE", "GetStatus", "GET, POST")):
            answer = curl(service + method, "-X", verb, version=version)
            equal((answer.code, answer.header.get("allow")), (405, allow), f"{verb} {method}")


@case
def errors_carry_no_reflection():
    """A refusal repeats nothing of the request: neither markup nor terminal codes."""
    for version in VERSIONS:
        answer = curl("/<script>alert(1)</script>", "-H", "Accept: <b>", version=version)
        check(b"<" not in answer.body, answer.body)


# ---- health and metrics -----------------------------------------------------------------------

@case
def health_and_readiness_are_plain():
    for version in VERSIONS:
        for path, word in (("/healthz", b"ok\n"), ("/readyz", b"ready\n")):
            answer = curl(path, version=version)
            equal((answer.code, answer.body), (200, word), path)
            equal(answer.header["content-type"], "text/plain; charset=utf-8", path)
            equal(answer.header["cache-control"], "no-store", path)
            # Supervisors ask for all sorts of things.
            equal(curl(path, "-H", "Accept: image/png", version=version).code, 200, path)


METRIC_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf'({METRIC_NAME})(\{{{METRIC_NAME}="(?:[^"\\\n]|\\["\\n])*"'
                    rf'(?:,{METRIC_NAME}="(?:[^"\\\n]|\\["\\n])*")*\}})? (\S+)')


@case
def metrics_are_prometheus_text():
    answer = curl("/metrics")
    equal(answer.header["content-type"], "text/plain; version=0.0.4; charset=utf-8")
    check(answer.body.endswith(b"\n"), "the last line has no end")
    types, helps, samples, family = {}, {}, set(), None
    for line in answer.body.decode().split("\n")[:-1]:
        if line.startswith("# HELP "):
            _, _, name, text = line.split(" ", 3)
            check(name not in helps and text, f"HELP of {name}")
            helps[name] = text
        elif line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            check(family not in types, f"{family} comes twice")
            check(kind in ("counter", "gauge", "histogram"), line)
            types[family] = kind
        else:
            match = SAMPLE.fullmatch(line)
            check(match, f"not a sample: {line}")
            equal(match[1], family, "a sample away from its family")
            check((match[1], match[2]) not in samples, f"{line} comes twice")
            samples.add((match[1], match[2]))
            check(float(match[3]) >= 0, line)
            check(types[family] != "counter" or family.endswith("_total"), f"{family}: its name")
    equal(set(types), set(helps), "families with TYPE and HELP")
    equal({name for name, _ in samples}, set(types), "families with samples")


@case
def metrics_have_a_series_for_each_limit():
    table = (ROOT / "server/guard/limits.def").read_text()
    names = set(re.findall(r'^X\(\w+,\s*"(\w+)"', table, re.MULTILINE))
    series = {name for name in server.metrics() if name.startswith("vts_limit_hits_total")}
    check(names, "the table was not read")
    equal(series, {f'vts_limit_hits_total{{limit="{name}"}}' for name in names}, "series")


@case
def metrics_count():
    with Server("--simulate", "delay=24h") as other:
        before = other.metrics()
        curl("/status", to=other)
        curl("/nothing", to=other)
        after = other.metrics()
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    equal(grown["vts_connections_total"], 3)
    equal(grown["vts_tls_handshakes_total"], 3)
    equal(grown["vts_http_requests_total"], 3)
    equal(grown["vts_http_responses_4xx_total"], 1)
    check("vts_http_responses_5xx_total" not in grown, "5xx")
    check(not [name for name in grown if "limit" in name], f"limits were hit: {grown}")


# ---- HTTP -------------------------------------------------------------------------------------

@case
def dates_are_now():
    for version in VERSIONS:
        date = email.utils.parsedate_to_datetime(curl("/status", version=version).header["date"])
        check(abs(date.timestamp() - time.time()) < 60, date)


@case
def no_server_field_tells_the_version():
    for version in VERSIONS:
        value = curl("/status", version=version).header.get("server", "")
        check(not re.search(r"\d", value), f"Server: {value}")


@case
def http10_is_answered_and_closed():
    answer = curl("/status", "--no-alpn", version="--http1.0")  # curl would offer http/1.0
    equal(answer.code, 200)
    equal(answer.json()["jobId"], "default")


@case
def one_connection_serves_many_requests():
    for version in VERSIONS:
        urls = [f"{server.url}/status" for _ in range(20)]
        outs = [part for _ in urls for part in ("-o", "/dev/null")]
        result = subprocess.run(
            ["curl", "-sS", "--max-time", "30", "--cacert", server.certs / "ca.pem", version,
             "-w", "%{http_code} %{num_connects}\n", *outs, *urls], capture_output=True, check=True)
        lines = result.stdout.decode().split("\n")[:-1]
        equal(lines, ["200 1"] + ["200 0"] * 19, version)


@case
def parallel_requests_share_one_connection():
    urls = [f"{server.url}/status" for _ in range(50)]
    outs = [part for _ in urls for part in ("-o", "/dev/null")]
    result = subprocess.run(
        ["curl", "-sS", "--max-time", "30", "--cacert", server.certs / "ca.pem", "--parallel",
         "--parallel-max", "50", "-w", "%{http_code} %{num_connects}\n", *outs, *urls],
        capture_output=True, check=True)
    lines = result.stdout.decode().split("\n")[:-1]
    equal(len(lines), 50)
    equal({line.split()[0] for line in lines}, {"200"})
    equal(sum(int(line.split()[1]) for line in lines), 1, "connections")


def run():
    global server
    with Server("--simulate", "delay=24h,error_rate=0") as server:
        # A job of a day rests for minutes, once it has been picked up.
        wait_until(lambda: b'"state":"running"' in server.get("/status")[2], "the job runs")
        main(__file__)


shared_certs()
run()
