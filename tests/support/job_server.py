# SPDX-License-Identifier: Apache-2.0
"""JobServer: a server with jobs, and none when it starts. It is a vtstatusd where that has the
calls, and otherwise the stub; StubServer is always the stub, for what only that can do.
"""
import json

from job_stub import CUT, LOST, Refusal, StubServer  # noqa: F401
from vts_server import Server, read_to_end


def _has_jobs():
    """Whether vtstatusd knows JobService; asked once."""
    body = json.dumps({})
    with Server() as server, server.connect() as connection:
        connection.sendall("POST /vtstatus.v1.JobService/ListJobs HTTP/1.1\r\nHost: localhost\r\n"
                           "Content-Type: application/json\r\nConnection: close\r\n"
                           f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        return read_to_end(connection).startswith(b"HTTP/1.1 200")


JobServer = Server if _has_jobs() else StubServer
