# SPDX-License-Identifier: Apache-2.0
"""A job whose worker is the test: nothing happens to it but what the test says, one step after
another, however slow the machine is.

    with Server() as server:
        job = DrivenJob(server)        # it waits; its name is that of the simulator's job
        job.report(40, "translate")    # the first report takes it
        ... see that whatever watches it shows that ...
        job.complete()
"""
import http.client
import json
import threading

from cases import wait_until
from vts_server import WAIT_S, client_context

PHASES = ("download", "transcribe", "translate", "synthesize", "encode", "upload")


class DrivenJob:
    def __init__(self, server, job_id="default"):
        """A queue of its own, so that nobody else works on it."""
        self.server, self.job_id, self.token = server, job_id, None
        self._call("JobService/CreateJob", jobId=job_id, queue=job_id, spec={
            "sourceUri": "https://example.org/v.mp4", "targetLanguage": "de"})

    def _call(self, method, **fields):
        connection = http.client.HTTPSConnection(
            "localhost", self.server.port, timeout=WAIT_S,
            context=client_context(self.server.certs))
        try:
            connection.request("POST", f"/vtstatus.v1.{method}", json.dumps(fields),
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            code, body = answer.status, answer.read().decode()
        finally:
            connection.close()
        if code != 200:
            raise AssertionError(f"{method} of {self.job_id}: {code} {body}")
        return json.loads(body)

    def _report(self, method, **fields):
        self.take()
        self._call(f"WorkerService/{method}", jobId=self.job_id, token=self.token, **fields)

    def take(self):
        """Running from here on; once is enough."""
        if self.token is None:
            self.token = self._call("WorkerService/LeaseJob", queues=[self.job_id],
                                    leaseDuration="3600s")["lease"]["token"]

    def report(self, percent, phase):
        """Progress is visible some 250 ms after the last at the latest."""
        self._report("HeartbeatJob", progress={
            "percent": percent, "phase": phase, "phaseIndex": PHASES.index(phase) + 1,
            "phaseCount": len(PHASES)})

    def go_on_once(self, is_watched):
        """Runs and completes it by a thread, once is_watched(metrics of the server) says that whoever
        is to see that is there."""
        def run():
            try:
                wait_until(lambda: is_watched(self.server.metrics()), "a watch", timeout=10 * WAIT_S)
                for percent, phase in ((10, "download"), (40, "translate")):
                    self.report(percent, phase)
                self.complete()
            except OSError:
                pass  # the server has ended, and so has the test
        threading.Thread(target=run, daemon=True).start()

    def complete(self, output_uri="https://example.org/de.mp4"):
        self._report("CompleteJob", outputUri=output_uri)

    def fail(self, message, is_retryable=False):
        self._report("FailJob", error={"code": 14, "message": message}, retryable=is_retryable)


def is_watched_by(count):
    """Whether so many calls of WatchStatus have had their first status, for go_on_once()."""
    series = ('grpc_server_msg_sent_total{grpc_type="server_stream",'
              'grpc_service="vtstatus.v1.StatusService",grpc_method="WatchStatus"}')
    return lambda metrics: metrics[series] >= count
