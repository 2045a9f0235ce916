# SPDX-License-Identifier: Apache-2.0
"""The messages of vtstatus.v1.StatusService, and a stock gRPC client that asks for them."""
import subprocess
from pathlib import Path

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PROTO = Path(__file__).resolve().parents[1] / "proto"
PACKAGE = "vtstatus.v1"
SERVICE = f"/{PACKAGE}.StatusService/"
JOB_SERVICE = f"/{PACKAGE}.JobService/"
WORKER_SERVICE = f"/{PACKAGE}.WorkerService/"
JOB_ID = "default"
TIMEOUT_S = 10


def load_classes():
    """{message's name: class} of the package, from the .proto files."""
    run = subprocess.run(
        ["protoc", "-I", PROTO, "--include_imports", "--descriptor_set_out=/dev/stdout",
         "vtstatus/v1/status_service.proto", "vtstatus/v1/job_service.proto",
         "vtstatus/v1/worker_service.proto"], capture_output=True, check=True)
    pool = descriptor_pool.DescriptorPool()
    names = []
    for file in descriptor_pb2.FileDescriptorSet.FromString(run.stdout).file:
        pool.Add(file)
        names += [message.name for message in file.message_type if file.package == PACKAGE]
    factory = message_factory.MessageFactory(pool)
    return {name: factory.GetPrototype(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
            for name in names}


CLASSES = load_classes()


def sample_status():
    """A JobStatus as vtstatusd serves it of a job that runs."""
    status = CLASSES["JobStatus"](job_id=JOB_ID, status=1, revision=2, state=2, attempt=1)
    status.progress.phase = "download"
    status.progress.phase_index = 1
    status.progress.phase_count = 6
    status.progress.message = "fetching the source video"
    status.poll_after.seconds = 30
    for time in (status.update_time, status.estimated_completion_time):
        time.FromJsonString("2030-01-01T12:00:00.123456789Z")
    return status.SerializeToString()


def request_bytes(method):
    return CLASSES[f"{method}Request"](job_id=JOB_ID).SerializeToString()


def envelope(message):
    """A message as gRPC frames it: not compressed, its length, itself."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def answer_bytes(status):
    """How long the answer to GetStatus is that carries this JobStatus."""
    response = CLASSES["GetStatusResponse"]()
    response.status.ParseFromString(status)
    return len(envelope(response.SerializeToString()))


def check_status(what, got, status):
    """It tells of the same job; numbers that move between two calls may differ."""
    wanted = CLASSES["JobStatus"].FromString(status)
    for name in ("job_id", "status", "done"):
        if getattr(got, name) != getattr(wanted, name):
            raise SystemExit(f"{what} says:\n{got}\ninstead of:\n{wanted}")


def open_channel(server, ca_file):
    credentials = grpc.ssl_channel_credentials(Path(ca_file).read_bytes())
    return grpc.secure_channel(f"localhost:{server.port}", credentials)


def check_server(server, ca_file, status):
    """GetStatus answers OK and WatchStatus sends a message at once, both with this JobStatus."""
    with open_channel(server, ca_file) as channel:
        get = channel.unary_unary(
            SERVICE + "GetStatus",
            response_deserializer=CLASSES["GetStatusResponse"].FromString)
        watch = channel.unary_stream(
            SERVICE + "WatchStatus",
            response_deserializer=CLASSES["WatchStatusResponse"].FromString)
        try:
            got = get(request_bytes("GetStatus"), timeout=TIMEOUT_S)
            watching = watch(request_bytes("WatchStatus"), timeout=TIMEOUT_S)
            seen = next(watching)
        except grpc.RpcError as error:
            raise SystemExit(f"{server.name}: a gRPC client gets {error.code()}: "
                             f"{error.details()}") from None
        watching.cancel()
    check_status(f"{server.name}'s GetStatus", got.status, status)
    check_status(f"{server.name}'s WatchStatus", seen.status, status)
