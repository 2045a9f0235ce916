#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints each status of a job until it is done.

    python3 watch.py localhost:5000 ca.pem default
"""
import sys

import grpc
from vtstatus.v1 import status_pb2, status_service_pb2, status_service_pb2_grpc


def watch(channel, job_id):
    """The last status."""
    stub = status_service_pb2_grpc.StatusServiceStub(channel)
    request = status_service_pb2.WatchStatusRequest(job_id=job_id)
    for response in stub.WatchStatus(request):
        status = response.status
        state = status_pb2.State.Name(status.state)
        print(f"{state} {status.progress.percent:.0f} % {status.progress.phase}", flush=True)
    return status


def main():
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} HOST:PORT CA_FILE JOB")
    _, server, ca_file, job_id = sys.argv
    with open(ca_file, "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    try:
        with grpc.secure_channel(server, credentials) as channel:
            status = watch(channel, job_id)
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
    if status.status != status_pb2.STATUS_COMPLETED:
        sys.exit(f"the job failed: {status.error.message}")
    print(f"the result is at {status.output_uri}")


main()
