#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What buf curl gets from vtstatusd: three protocols, by the server's reflection and by the protos.

Its exit code is eight times the code of the RPC.
"""
import base64
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import peers
from cases import case, check, equal, main
from driven_job import DrivenJob, is_watched_by
from vts_server import WAIT_S, Server, scratch_folder

peers.import_python_code()
from google.rpc.error_details_pb2 import ErrorInfo  # noqa: E402

BUF = peers.NODE / "node_modules/.bin/buf"
PROTOCOLS = ("connect", "grpc", "grpcweb")
SOURCES = (("--reflect", "--reflect-protocol", "grpc-v1"),
           ("--reflect", "--reflect-protocol", "grpc-v1alpha"),
           ("--schema", str(peers.OUR_PROTOS)))
STATUS_SERVICE = "vtstatus.v1.StatusService"
NOT_FOUND, INVALID_ARGUMENT, UNIMPLEMENTED = 5, 3, 12
environment = {**os.environ, "BUF_CACHE_DIR": str(scratch_folder())}
still = None


def buf_curl(path, *arguments, server=None, code=0):
    """What it printed; code: the RPC's, or None when there shall be no RPC to speak of."""
    where = server or still
    trust = ("--cacert", where.certs / "ca.pem") if where.url.startswith("https:") else ()
    result = subprocess.run([BUF, "curl", *trust, *arguments, where.url + path], env=environment, stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=WAIT_S, check=False)
    if code is None:
        check(result.returncode != 0, f"{path} {arguments}: {result.stdout}")
    else:
        equal(result.returncode, 8 * code, f"{path} {arguments}: {result.stderr}")
    return result.stdout if code == 0 else result.stderr


def call(method, message, *arguments, service=STATUS_SERVICE, **options):
    return buf_curl(f"/{service}/{method}", "-d", json.dumps(message), *arguments, **options)


def ways():
    return [("--protocol", protocol, *source) for protocol in PROTOCOLS for source in SOURCES]


def messages(text):
    """The JSON messages of a stream, which stand one after the other."""
    decoder, found = json.JSONDecoder(), []
    while text.strip():
        message, end = decoder.raw_decode(text.lstrip())
        text = text.lstrip()[end:]
        found.append(message)
    return found


@case
def a_status():
    for way in ways():
        status = json.loads(call("GetStatus", {}, *way))["status"]
        equal((status["jobId"], status["status"]), ("default", "STATUS_PENDING"), str(way))


@case
def an_unknown_job_is_not_found():
    for way in ways():
        error = json.loads(call("GetStatus", {"jobId": "unknown"}, *way, code=NOT_FOUND))
        equal(error["code"], "not_found", str(way))
        detail = error["details"][0]
        equal(detail["type"], "google.rpc.ErrorInfo", str(way))
        info = ErrorInfo.FromString(base64.b64decode(detail["value"] + "=="))
        equal((info.reason, info.domain), ("JOB_NOT_FOUND", "vtstatus"), str(way))


@case
def a_bad_id_is_an_invalid_argument():
    for protocol in PROTOCOLS:
        for method in ("GetStatus", "WatchStatus"):
            call(method, {"jobId": "bad id"}, "--protocol", protocol, code=INVALID_ARGUMENT)


def check_watch(protocol, text):
    seen = [message["status"] for message in messages(text)]
    check(len(seen) > 1, f"{protocol}: {text}")
    revisions = [int(one["revision"]) for one in seen]
    equal(revisions, sorted(set(revisions)), protocol)
    equal([one.get("done", False) for one in seen], [False] * (len(seen) - 1) + [True], protocol)
    equal(seen[-1]["status"], "STATUS_COMPLETED", protocol)


@case
def a_watch_ends_with_the_done_status():
    with Server() as server, ThreadPoolExecutor(len(PROTOCOLS)) as pool:
        DrivenJob(server).go_on_once(is_watched_by(len(PROTOCOLS)))
        texts = pool.map(lambda protocol: call("WatchStatus", {}, "--protocol", protocol,
                                               *SOURCES[2], server=server), PROTOCOLS)
        for protocol, text in zip(PROTOCOLS, texts):
            check_watch(protocol, text)


@case
def a_batch_keeps_its_order():
    for protocol in PROTOCOLS:
        text = call("BatchGetStatus", {"jobIds": ["unknown", "default"]}, "--protocol", protocol)
        first, second = json.loads(text)["results"]
        equal((first["jobId"], first["error"]["code"]), ("unknown", NOT_FOUND), protocol)
        equal(second["status"]["jobId"], "default", protocol)


@case
def health():
    for protocol in PROTOCOLS:
        options = {"service": "grpc.health.v1.Health"}
        equal(json.loads(call("Check", {}, "--protocol", protocol, **options)),
              {"status": "SERVING"}, protocol)
        call("Check", {"service": "unknown.Service"}, "--protocol", protocol, code=NOT_FOUND,
             **options)


@case
def a_method_that_is_not_there_is_unimplemented():
    """The client must believe that it exists: its schema says so."""
    folder = scratch_folder()
    (folder / "more.proto").write_text(
        'syntax = "proto3";\npackage vtstatus.v1;\nmessage Nothing {}\n'
        "service StatusService { rpc Nonsense(Nothing) returns (Nothing); }\n")
    for protocol in PROTOCOLS:
        call("Nonsense", {}, "--protocol", protocol, "--schema", str(folder), code=UNIMPLEMENTED)


@case
def reflection_lists_what_is_served():
    for version in ("grpc-v1", "grpc-v1alpha"):
        listed = buf_curl("", "--list-services", "--reflect-protocol", version).split()
        equal(listed, sorted(listed), version)
        check({STATUS_SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
               "grpc.reflection.v1alpha.ServerReflection"} <= set(listed), listed)
        methods = buf_curl("", "--list-methods", "--reflect-protocol", version).split()
        check(f"{STATUS_SERVICE}/WatchStatus" in methods, methods)


@case
def reflection_knows_only_what_there_is():
    error = call("Method", {}, service="unknown.Service", code=None)
    check("unknown.Service" in error, error)


@case
def reflection_can_be_turned_off():
    with Server("--simulate", "delay=24h", "--no-reflection") as server:
        call("GetStatus", {}, server=server, code=None)
        call("GetStatus", {}, *SOURCES[2], server=server)


@case
def the_port_without_tls_speaks_all_three():
    with Server("--simulate", "delay=2s,error_rate=0",
                "--insecure-listen", "127.0.0.1:0") as server:
        server.url = f"http://127.0.0.1:{server.insecure_port}"
        for protocol in PROTOCOLS:
            text = call("GetStatus", {}, "--protocol", protocol, "--http2-prior-knowledge",
                        server=server)
            equal(json.loads(text)["status"]["jobId"], "default", protocol)
        text = call("WatchStatus", {}, "--protocol", "grpc", "--http2-prior-knowledge",
                    server=server)
        equal(messages(text)[-1]["status"]["status"], "STATUS_COMPLETED")


with Server("--simulate", "delay=24h") as still:
    main(__file__)
