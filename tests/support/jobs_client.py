# SPDX-License-Identifier: Apache-2.0
"""The job services of a vtstatusd by python3-grpcio, without generated code.

    jobs = Jobs(server)
    job = jobs.create(job_id="a").job
    failure = expect("JOB_NOT_FOUND", lambda: jobs.get(job_id="b"))

Importing it raises ImportError where there is no grpcio.
"""
import subprocess
import sys
from pathlib import Path

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, message_factory

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cases import equal  # noqa: E402
from vts_server import WAIT_S, default_binary  # noqa: E402

SPEC = {"source_uri": "https://example.org/v.mp4", "target_language": "de"}


def load_classes():
    """The messages' classes by full name, from what the server itself prints."""
    printed = subprocess.run([default_binary(), "--descriptor-set"], capture_output=True, check=True)
    files = descriptor_pb2.FileDescriptorSet.FromString(printed.stdout).file
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.Add(file)
    return message_factory.MessageFactory(pool).GetMessages([file.name for file in files])


CLASSES = load_classes()
STATE = CLASSES["vtstatus.v1.JobStatus"].DESCRIPTOR.fields_by_name["state"].enum_type
PENDING, RUNNING, CANCELLING, SUCCEEDED, FAILED, CANCELLED = range(1, 7)
Code = grpc.StatusCode


def message(name, **fields):
    return CLASSES[name](**fields)


def seconds(value):
    """A google.protobuf.Duration; None stays None."""
    if value is None:
        return None
    whole = int(value)
    return CLASSES["google.protobuf.Duration"](seconds=whole, nanos=round((value - whole) * 1e9))


# ---- failures -----------------------------------------------------------------------------------

class Failure:
    """code, text, and what the details say: reason, metadata, fields (those that are wrong) and
    retry_s, None without a RetryInfo."""

    def __init__(self, code, text, details):
        self.code, self.text = code, text
        self.fields, self.retry_s, self.reason, self.metadata = [], None, None, {}
        types = [name for name, _ in details]
        equal(len(set(types)), len(types), f"details come twice: {types}")
        for name, raw in details:
            detail = CLASSES[name].FromString(raw)
            if name == "google.rpc.ErrorInfo":
                equal(detail.domain, "vtstatus")
                self.reason, self.metadata = detail.reason, dict(detail.metadata)
            elif name == "google.rpc.BadRequest":
                self.fields = [one.field for one in detail.field_violations]
            elif name == "google.rpc.RetryInfo":
                self.retry_s = detail.retry_delay.seconds
            else:
                raise AssertionError(f"a detail of type {name}")


def failure_of(status):
    """The same of a google.rpc.Status."""
    return Failure(status.code, status.message,
                   [(one.type_url.removeprefix("type.googleapis.com/"), one.value)
                    for one in status.details])


def read_failure(error):
    """What a grpc.RpcError says."""
    packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    if packed is None:
        return Failure(error.code(), error.details(), [])
    status = CLASSES["google.rpc.Status"].FromString(packed)
    equal((status.code, status.message), (error.code().value[0], error.details()), "the packed status")
    failure = failure_of(status)
    failure.code = error.code()
    return failure


def expect(reason, call):
    """The Failure that the call ends in, which is of that reason."""
    try:
        answer = call()
    except grpc.RpcError as error:
        failure = read_failure(error)
        equal(failure.reason, reason, f"{failure.code} {failure.text}")
        return failure
    raise AssertionError(f"no failure, but {reason} is due; the answer is {answer}")


# ---- calls --------------------------------------------------------------------------------------

class Jobs:
    """A connection of its own, without TLS if is_insecure. Every method takes the fields of its request and answers with the
    response; what ends in _later returns a future at once."""

    METHODS = {
        "create": ("JobService", "CreateJob"), "create_many": ("JobService", "CreateJobs"),
        "get": ("JobService", "GetJob"), "list": ("JobService", "ListJobs"),
        "cancel": ("JobService", "CancelJob"), "retry": ("JobService", "RetryJob"),
        "delete": ("JobService", "DeleteJob"), "lease": ("WorkerService", "LeaseJob"),
        "heartbeat": ("WorkerService", "HeartbeatJob"),
        "complete": ("WorkerService", "CompleteJob"), "fail": ("WorkerService", "FailJob"),
        "release": ("WorkerService", "ReleaseJob"), "status": ("StatusService", "GetStatus"),
    }

    def __init__(self, server, is_insecure=False):
        options = [("grpc.use_local_subchannel_pool", 1)]
        if is_insecure:
            self.channel = grpc.insecure_channel(f"127.0.0.1:{server.insecure_port}", options)
            return
        root = (server.certs / "ca.pem").read_bytes()
        self.channel = grpc.secure_channel(f"localhost:{server.port}",
                                           grpc.ssl_channel_credentials(root), options)

    def close(self):
        self.channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def stub(self, name):
        service, method = self.METHODS[name]
        return self.channel.unary_unary(
            f"/vtstatus.v1.{service}/{method}",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=CLASSES[f"vtstatus.v1.{method}Response"].FromString)

    def request(self, name, fields):
        for field, value in fields.items():
            if isinstance(value, (int, float)) and field in (
                    "wait_timeout", "lease_duration", "retry_delay", "timeout", "ttl"):
                fields[field] = seconds(value)
        if name == "create":
            fields.setdefault("spec", SPEC)
        return CLASSES[f"vtstatus.v1.{self.METHODS[name][1]}Request"](**fields)

    def __getattr__(self, name):
        base, _, later = name.partition("_later")
        if base not in self.METHODS:
            raise AttributeError(name)

        def call(deadline=WAIT_S, **fields):
            request = self.request(base, fields)
            if name.endswith("_later"):
                return self.stub(base).future(request, timeout=deadline)
            return self.stub(base)(request, timeout=deadline)
        return call


__all__ = ["CANCELLED", "CANCELLING", "CLASSES", "Code", "FAILED", "Failure", "Jobs", "PENDING",
           "RUNNING", "SPEC", "SUCCEEDED", "duration_pb2", "expect", "failure_of", "grpc", "message",
           "read_failure", "seconds"]
