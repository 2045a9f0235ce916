#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""call and services: any method of a real server, and of one that misbehaves."""
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main  # noqa: E402
from command import VTSTATUS, environment, expect, trust, vtstatus  # noqa: E402
from vts_server import WAIT_S, Server, scratch_folder  # noqa: E402

try:
    from job_stub import Refusal, StubServer
except ImportError:
    print("skipped: there is no python3-protobuf")
    sys.exit(77)

GET = "vtstatus.v1.StatusService/GetStatus"
WATCH = "vtstatus.v1.StatusService/WatchStatus"
AT_REST = ("--simulate", "delay=24h,error_rate=0")


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


@case
def a_unary_method_is_called():
    with Server(*AT_REST) as server:
        for arguments in ((GET,), ("/" + GET,), (GET, "-d", '{"jobId":"default"}')):
            result = vtstatus(server, "call", *arguments)
            expect(result, 0)
            equal([one["status"]["jobId"] for one in lines(result)], ["default"])
            equal(result.stderr, "")
        result = vtstatus(server, "call", "vtstatus.v1.JobService/CreateJob", "-d", json.dumps(
            {"jobId": "7f3c", "spec": {"sourceUri": "file:///ü.mp4", "targetLanguage": "de"}}))
        expect(result, 0)
        equal(lines(result)[0]["job"]["spec"]["sourceUri"], "file:///ü.mp4")
        expect(vtstatus(server, "show", "7f3c"), 0)


@case
def the_message_comes_from_where_it_is_told():
    file = scratch_folder() / "request.json"
    file.write_text('{"jobId":\n"from-a-file"}\n')
    with Server(*AT_REST) as server:
        expect(vtstatus(server, "call", GET, "-v", "-d", f"@{file}"), 5)
        for name in ("-", "@-"):
            run = subprocess.run([VTSTATUS, *trust(server), "call", GET, "--data", name],
                                 input='{"jobId":"default"}', capture_output=True, text=True,
                                 timeout=WAIT_S, check=False, env=environment())
            equal(run.returncode, 0, run.stderr)
            equal(lines(run)[0]["status"]["jobId"], "default")
        requests = server.metrics()["vts_http_requests_total"]
        expect(vtstatus(server, "call", GET, "-d", "@/no/such/file"), 2, "/no/such/file")
        file.write_bytes(b'{"jobId":"\0"}')
        expect(vtstatus(server, "call", GET, "-d", f"@{file}"), 2, "no text")
        file.write_bytes(b" " * (1 << 20) + b"{}")
        expect(vtstatus(server, "call", GET, "-d", f"@{file}"), 2, "larger than 1048576")
        expect(vtstatus(server, "call", GET, "-d", f"@{file.parent}"), 2, str(file.parent))
        equal(server.metrics()["vts_http_requests_total"], requests + 1, "requests of wrong usage")


@case
def a_stream_has_a_line_a_message():
    with Server("--simulate", "delay=1s,error_rate=0,seed=3") as server:
        for flags in ((), ("--stream",)):
            result = vtstatus(server, "call", WATCH, *flags, "-d", '{"jobId":"default"}')
            expect(result, 0)
            messages = lines(result)
            check(messages[-1]["status"]["done"], messages)
            revisions = [int(one["status"]["revision"]) for one in messages]
            equal(revisions, sorted(set(revisions)), "revisions")


@case
def a_stream_is_printed_as_it_comes():
    with Server(*AT_REST) as server:
        process = subprocess.Popen([VTSTATUS, *trust(server), "call", WATCH], text=True,
                                   env=environment(), stdout=subprocess.PIPE)
        try:
            equal(json.loads(process.stdout.readline())["status"]["jobId"], "default")
            equal(process.poll(), None, "it ended")
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


@case
def errors_have_their_exit_status():
    with Server(*AT_REST) as server:
        expect(vtstatus(server, "call", GET, "-d", '{"jobId":"nobody"}'), 5, "no job")
        expect(vtstatus(server, "call", WATCH, "-d", '{"jobId":"nobody"}'), 5, "no job")
        expect(vtstatus(server, "call", GET, "-d", '{"job":"x"}'), 2, "no such field")
        expect(vtstatus(server, "call", GET, "-d", "nonsense"), 2)
        expect(vtstatus(server, "call", "vtstatus.v1.JobService/DeleteJob", "-d",
                        '{"jobId":"default"}'), 7, "refuses")
        expect(vtstatus(server, "call", "vtstatus.v1.StatusService/No"), 5, "no method",
               "vtstatus.v1.StatusService/No")
        expect(vtstatus(server, "call", "a.B/c", "--stream"), 5, "no method")
        requests = server.metrics()["vts_http_requests_total"]
        for method in ("GetStatus", "a/b/c", "/", "a/", "/a", "a b/c", "a/b?c", "a" * 300 + "/b"):
            expect(vtstatus(server, "call", method), 2)
        equal(server.metrics()["vts_http_requests_total"], requests + 1, "requests of wrong usage")
        expect(vtstatus(server, "call"), 2, "SERVICE/METHOD")
    expect(vtstatus(server, "call", GET), 3, "refused")


@case
def other_codes_have_theirs():
    with StubServer() as stub:
        for number, code in ((7, 6), (14, 3), (13, 3), (10, 7), (3, 2)):
            stub.faults["GetStatus"] = [Refusal(number, "because")]
            expect(vtstatus(stub, "call", GET), code, "because")
        equal(len(stub.calls), 5, "a call that may not be repeated was")


@case
def verbose_tells_the_details():
    with Server(*AT_REST) as server:
        for arguments in ((GET, "-d", '{"jobId":"nobody"}'), (WATCH, "-d", '{"jobId":"nobody"}')):
            result = vtstatus(server, "call", "-v", *arguments)
            check('* detail: google.rpc.ErrorInfo {"reason":"JOB_NOT_FOUND","domain":"vtstatus",'
                  '"metadata":{"jobId":"nobody"}}' in result.stderr, result.stderr)
            check("detail" not in vtstatus(server, "call", *arguments).stderr, "without -v")


@case
def fields_are_sent():
    with StubServer() as stub:
        stub.faults["GetStatus"] = [Refusal(5, "no")]
        vtstatus(stub, "call", GET, "-H", "X-Request-Id: 7", "--header", "x-empty:",
                 "-H", "x-long: " + "y" * 8000)
        fields = stub.calls[0][1]
        equal((fields["x-request-id"], fields["x-empty"], fields["x-long"]), ("7", "", "y" * 8000))
        equal(fields["content-type"], "application/json")
        for field in ("Content-Type: text/plain", "content-length: 1", "connect-timeout-ms: 1",
                      "transfer-encoding: chunked", "host: x", "a b: c", "a: b\r\nc: d", ": x",
                      "no separator", "x: " + "y" * 9000):
            expect(vtstatus(stub, "call", GET, "-H", field), 2)
        equal(len(stub.calls), 1, "requests of wrong usage")
        expect(vtstatus(stub, "get", "-H", "a: b"), 2, "call takes the flag --header, not get")


@case
def services_lists_methods():
    with Server(*AT_REST) as server:
        found = {}
        for one in lines(vtstatus(server, "services", "-o", "json")):
            found[one["service"] + "/" + one["method"]] = one
        check(len(found) > 15, found)
        equal((found[GET]["kind"], found[WATCH]["kind"]), ("unary", "server_stream"))
        equal(found["grpc.reflection.v1.ServerReflection/ServerReflectionInfo"]["kind"],
              "both_stream")
        equal((found[GET]["request"], found[GET]["response"]),
              ("vtstatus.v1.GetStatusRequest", "vtstatus.v1.GetStatusResponse"))
        result = vtstatus(server, "services", "grpc.health.v1.Health")
        expect(result, 0)
        equal([line.split()[:2] for line in result.stdout.splitlines()],
              [["grpc.health.v1.Health/Check", "unary"],
               ["grpc.health.v1.Health/Watch", "server_stream"],
               ["grpc.health.v1.Health/List", "unary"]])
        for method, one in found.items():
            if one["kind"] == "unary":
                check("no method" not in vtstatus(server, "call", method).stderr, method)


@case
def services_that_are_not_there_are_told():
    with Server(*AT_REST) as server:
        expect(vtstatus(server, "services", "a.B"), 5, "a.B")
        expect(vtstatus(server, "services", "vtstatus.v1.GetStatusRequest"), 3, "described")
        expect(vtstatus(server, "services", "a/b"), 2, "package.Service")
    with Server(*AT_REST, "--no-reflection") as server:
        expect(vtstatus(server, "services"), 3, "no server reflection")
        expect(vtstatus(server, "call", GET), 0)


@case
def both_versions_of_reflection_are_tried():
    with StubServer(tls=False) as stub:  # over TLS a stream would be HTTP/2
        stub.faults["ServerReflectionInfo"] = [Refusal(12, "no"), Refusal(12, "no")]
        expect(vtstatus(stub, "services"), 3, "no server reflection")
        equal(len(stub.calls), 2)
        stub.faults["ServerReflectionInfo"] = [Refusal(7, "secret")]
        expect(vtstatus(stub, "services"), 6, "secret")
        equal(len(stub.calls), 3)


main(__file__)
