# SPDX-License-Identifier: Apache-2.0
"""A server of jobs that breaks off, refuses and forgets on command: what a real one does not.

    with StubServer() as stub:
        stub.faults["CreateJob"] = [LOST]        # does it, and closes the connection
        stub.faults["WatchStatus"] = [CUT, ...]  # one message, and then nothing
        stub.faults["status"] = [b"HTTP/1.1 ..."]  # what a gateway says in its place
        ... stub.url, stub.certs, stub.calls ...

It speaks the Connect protocol with binary messages over HTTP/1.1 and TLS, or without TLS, each
connection in a thread, and has the calls of JobService and WorkerService, the watches and batches of
StatusService, and GET /status with its waits ("status" in faults and calls), in memory and no
further than clients need. A method's faults are used up one a call; with ALWAYS as the last one, the
one before it never is.
"""
import base64
import json
import re
import socket
import ssl
import struct
import subprocess
import threading
import time

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from vts_server import WAIT_S, default_binary, shared_certs

PENDING, RUNNING, CANCELLING, SUCCEEDED, FAILED, CANCELLED = range(1, 7)
WORDS = {8: "resource_exhausted", 3: "invalid_argument", 5: "not_found", 6: "already_exists", 9: "failed_precondition",
         10: "aborted", 12: "unimplemented", 13: "internal", 14: "unavailable",
         7: "permission_denied"}
HTTP = {3: 400, 5: 404, 6: 409, 7: 403, 9: 400, 10: 409, 12: 501, 13: 500, 14: 503}

LOST = "lost"  # the call is done, its answer is not sent
CUT = "cut"    # a stream breaks off behind its first message
STOP = "stop"  # the same, but the server says that it stops
HELD_BACK = "held back"  # a stream begins, and then says nothing
ALWAYS = "always"


def _classes():
    files = descriptor_pb2.FileDescriptorSet.FromString(subprocess.run(
        [default_binary(), "--descriptor-set"], capture_output=True, check=True).stdout)
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return message_factory.MessageFactory(pool).GetMessages([file.name for file in files.file])


CLASSES = _classes()


def make(name, **fields):
    return CLASSES["vtstatus.v1." + name](**fields)


class Refusal(Exception):
    """An error of a call; usable as a fault too. retry_after is in whole seconds."""

    def __init__(self, code, message, reason="", retry_after=None):
        super().__init__(message)
        self.code, self.message, self.reason = code, message, reason
        self.field = f"Retry-After: {retry_after}\r\n" if retry_after is not None else ""

    def status(self):
        status = CLASSES["google.rpc.Status"](code=self.code, message=self.message)
        if self.reason:
            status.details.add().Pack(
                CLASSES["google.rpc.ErrorInfo"](reason=self.reason, domain="vtstatus"))
        return status

    def json(self):
        body = {"code": WORDS[self.code], "message": self.message}
        if self.reason:
            info = CLASSES["google.rpc.ErrorInfo"](reason=self.reason, domain="vtstatus")
            value = base64.b64encode(info.SerializeToString()).decode().rstrip("=")
            body["details"] = [{"type": "google.rpc.ErrorInfo", "value": value}]
        return body


def not_found(job_id):
    return Refusal(5, f"there is no job {job_id}", "JOB_NOT_FOUND")


class Jobs:
    """The calls; each is a method by its name, under one lock."""

    def __init__(self):
        self.jobs, self.requests, self.tokens = {}, {}, {}
        self.ends = {}  # the request that ended the last attempt, by job
        self.changed = threading.Condition()
        self.closing = False

    def change(self, job, state, **fields):
        status = job.status
        status.state, status.revision = state, status.revision + 1
        status.status = {SUCCEEDED: 2, FAILED: 3, CANCELLED: 3}.get(state, 1)
        status.done = state >= SUCCEEDED
        status.update_time.GetCurrentTime()
        for name, value in fields.items():
            setattr(status, name, value)
        if status.done:
            job.end_time.GetCurrentTime()
        self.changed.notify_all()

    def find(self, job_id):
        if job_id not in self.jobs:
            raise not_found(job_id)
        return self.jobs[job_id]

    def wait_for(self, condition, seconds):
        return self.changed.wait_for(lambda: self.closing or condition(), seconds)

    # ---- JobService ----

    def CreateJob(self, request):
        if request.request_id and request.request_id in self.requests:
            return make("CreateJobResponse", job=self.requests[request.request_id])
        job_id = request.job_id or f"job-{len(self.requests) + 1}"
        if job_id in self.jobs:
            raise Refusal(6, f"there is a job {job_id}", "JOB_EXISTS")
        job = make("Job", id=job_id, spec=request.spec, labels=request.labels,
                   queue=request.queue or "default", priority=request.priority,
                   max_attempts=request.max_attempts or 3)
        if request.HasField("timeout"):
            job.timeout.CopyFrom(request.timeout)
        job.create_time.GetCurrentTime()
        job.status.job_id = job_id
        self.jobs[job_id] = job
        self.requests[request.request_id] = job
        self.change(job, PENDING)
        return make("CreateJobResponse", job=job)

    def CreateJobs(self, request):
        results = []
        for one in request.requests:
            try:
                results.append(make("CreateJobResult", job=self.CreateJob(one).job))
            except Refusal as refusal:
                results.append(make("CreateJobResult", error=refusal.status()))
        return make("CreateJobsResponse", results=results)

    def GetJob(self, request):
        return make("GetJobResponse", job=self.find(request.job_id))

    def ListJobs(self, request):
        def matches(job):
            return ((not request.states or job.status.state in request.states) and
                    (not request.queue or job.queue == request.queue) and
                    all(job.labels.get(label.split("=", 1)[0]) == label.split("=", 1)[1]
                        for label in request.labels))
        found = [job for job in self.jobs.values() if matches(job)]
        if request.order != 2:
            found.reverse()
        start, size = int(request.page_token or 0), request.page_size or 50
        token = str(start + size) if start + size < len(found) else ""
        return make("ListJobsResponse", jobs=found[start:start + size], next_page_token=token)

    def CancelJob(self, request):
        job = self.find(request.job_id)
        if job.status.state in (SUCCEEDED, FAILED):
            raise Refusal(9, "the job is done", "JOB_DONE")
        if job.status.state == PENDING:
            job.status.error.code, job.status.error.message = 1, request.reason
            self.change(job, CANCELLED)
        elif job.status.state == RUNNING:
            self.change(job, CANCELLING)
        return make("CancelJobResponse", job=job)

    def RetryJob(self, request):
        job = self.find(request.job_id)
        if job.status.state not in (FAILED, CANCELLED):
            raise Refusal(9, "the job has not failed", "JOB_NOT_RETRYABLE")
        job.status.ClearField("error")
        job.ClearField("end_time")
        self.change(job, PENDING)
        return make("RetryJobResponse", job=job)

    def DeleteJob(self, request):
        if not self.find(request.job_id).status.done:
            raise Refusal(9, "the job is not done", "JOB_NOT_DONE")
        del self.jobs[request.job_id]
        return make("DeleteJobResponse")

    # ---- WorkerService ----

    def LeaseJob(self, request):
        def waiting():
            queues = request.queues or ["default"]
            return [job for job in self.jobs.values()
                    if job.status.state == PENDING and job.queue in queues]
        self.wait_for(waiting, request.wait_timeout.ToNanoseconds() / 1e9)
        if not waiting() or self.closing:
            return make("LeaseJobResponse")
        job = max(waiting(), key=lambda one: one.priority)
        attempt = job.attempts.add(number=len(job.attempts) + 1, worker_id=request.worker_id)
        attempt.start_time.GetCurrentTime()
        token = f"token-{job.id}-{attempt.number}"
        self.tokens[job.id] = token
        self.ends.pop(job.id, None)
        self.change(job, RUNNING, attempt=attempt.number)
        answer = make("LeaseJobResponse")
        answer.lease.token = token
        answer.lease.job.CopyFrom(job)
        answer.lease.expire_time.FromNanoseconds(
            time.time_ns() + request.lease_duration.ToNanoseconds())
        return answer

    def leased(self, request):
        if self.tokens.get(request.job_id) != request.token:
            raise Refusal(10, "the lease is another's", "LEASE_LOST")
        return self.find(request.job_id)

    def HeartbeatJob(self, request):
        job = self.leased(request)
        if request.HasField("progress"):
            job.status.progress.CopyFrom(request.progress)
            self.change(job, job.status.state)
        self.wait_for(lambda: job.status.state != RUNNING,
                      request.wait_timeout.ToNanoseconds() / 1e9)
        self.leased(request)
        return make("HeartbeatJobResponse", cancel_requested=job.status.state == CANCELLING)

    def end_attempt(self, request):
        """None: the request has ended it already."""
        if self.ends.get(request.job_id) == request:
            return None
        job = self.leased(request)
        del self.tokens[request.job_id]
        self.ends[request.job_id] = request
        job.attempts[-1].end_time.GetCurrentTime()
        return job

    def CompleteJob(self, request):
        job = self.end_attempt(request)
        if job is None:
            return make("CompleteJobResponse", status=self.find(request.job_id).status)
        self.change(job, SUCCEEDED, output_uri=request.output_uri)
        return make("CompleteJobResponse", status=job.status)

    def FailJob(self, request):
        job = self.end_attempt(request)
        if job is None:
            return make("FailJobResponse", status=self.find(request.job_id).status)
        job.attempts[-1].error.CopyFrom(request.error)
        is_cancelled = job.status.state == CANCELLING
        if not is_cancelled and request.retryable and len(job.attempts) < job.max_attempts:
            self.change(job, PENDING)
        else:
            job.status.error.CopyFrom(request.error)
            self.change(job, CANCELLED if is_cancelled else FAILED)
        return make("FailJobResponse", status=job.status)

    def ReleaseJob(self, request):
        job = self.end_attempt(request)
        if job is None:
            return make("ReleaseJobResponse", status=self.find(request.job_id).status)
        del job.attempts[-1]
        self.change(job, CANCELLED if job.status.state == CANCELLING else PENDING)
        return make("ReleaseJobResponse", status=job.status)

    # ---- StatusService ----

    def BatchGetStatus(self, request):
        answer = make("BatchGetStatusResponse")
        for job_id in request.job_ids:
            result = answer.results.add(job_id=job_id)
            if job_id in self.jobs:
                result.status.CopyFrom(self.jobs[job_id].status)
            else:
                result.error.code = 5
        return answer

    def WatchStatus(self, request, send):
        self.watch([request.job_id], "WatchStatusResponse", send)

    def WatchStatuses(self, request, send):
        self.watch([cursor.job_id for cursor in request.jobs], "WatchStatusesResponse", send)

    def watch(self, job_ids, response, send):
        seen = dict.fromkeys(job_ids, 0)
        while True:
            news = []
            with self.changed:
                for job_id in job_ids:
                    self.find(job_id)
                self.changed.wait_for(lambda: self.closing or any(
                    self.jobs[one].status.revision > seen[one] for one in job_ids), WAIT_S)
                for job_id in job_ids:
                    status = self.jobs[job_id].status
                    if status.revision > seen[job_id]:
                        seen[job_id] = status.revision
                        news.append(make(response, status=status).SerializeToString())
                is_over = all(self.jobs[one].status.done for one in job_ids) or self.closing
            for message in news:
                send(message)
            if is_over:
                return


class Cut(Exception):
    """The connection is to end here."""


class StubServer:
    def __init__(self, tls=True):
        self.ignores_prefer, self.longest_hold_s = False, WAIT_S
        self.certs = shared_certs()
        self.jobs, self.faults, self.calls = Jobs(), {}, []
        self._context = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(self.certs / "server.pem", self.certs / "server-key.pem")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"https://localhost:{self.port}" if tls else f"http://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self.jobs.changed:
            self.jobs.closing = True
            self.jobs.changed.notify_all()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw):
        try:
            raw.settimeout(WAIT_S)
            tls = self._context
            with tls.wrap_socket(raw, server_side=True) if tls else raw as connection:
                file = connection.makefile("rwb")
                while self._serve_one(file):
                    file.flush()
        except (OSError, ValueError, Cut):
            pass  # the client left, or was to be left

    def _serve_one(self, file):
        line = file.readline().decode()
        if not line:
            return False
        fields = {}
        while (field := file.readline().strip()):
            name, _, value = field.decode().partition(":")
            fields[name.lower()] = value.strip()
        body = file.read(int(fields.get("content-length", 0)))
        method = line.split()[1].rsplit("/", 1)[1]
        is_status = line.startswith("GET /status")
        fault = self._next_fault("status" if is_status else method, fields)
        if isinstance(fault, bytes):
            file.write(fault)
        elif is_status:
            self._status(file, method, fields, fault)
        elif fields.get("content-type") == "application/connect+proto":
            self._stream(file, method, body[5:], fault)
        else:
            self._unary(file, method, body, fault)
        return True

    def _next_fault(self, method, fields):
        self.calls.append((method, fields))
        faults = self.faults.get(method, [])
        if faults[1:] == [ALWAYS]:
            return faults[0]
        return faults.pop(0) if faults else None

    def _hold(self, job, fields):
        """Until there is news, or for as long as was wished; longer than may be, it is cut."""
        wish = re.search(r"wait=(\d+)", fields.get("prefer", ""))
        known = re.search(r'"r(\d+)"', fields.get("if-none-match", ""))
        if not wish or self.ignores_prefer:
            return ""
        wait_s = min(int(wish[1]), self.longest_hold_s)
        is_over = self.jobs.wait_for(lambda: job.status.done or (
            known and job.status.revision > int(known[1])), wait_s)
        if not is_over and int(wish[1]) > self.longest_hold_s:
            raise Cut
        return f"Preference-Applied: wait={wish[1]}\r\n"

    def _status(self, file, job_id, fields, fault):
        """GET /status/{job_id}, as protobuf."""
        if fault == LOST:
            raise Cut
        try:
            with self.jobs.changed:
                job = self.jobs.find(job_id)
                more = self._hold(job, fields)
                answer, code = job.status.SerializeToString(), 200
                etag = f'W/"r{job.status.revision}"'
                more += f"ETag: {etag}\r\n"
            if fields.get("if-none-match") == etag:
                answer, code = b"", 304
        except Refusal as refusal:
            answer, code, more = json.dumps(refusal.json()).encode(), 404, ""
        file.write(f"HTTP/1.1 {code} -\r\nContent-Type: application/x-protobuf\r\n{more}"
                   f"Content-Length: {len(answer)}\r\n\r\n".encode() + answer)

    def _unary(self, file, method, body, fault):
        code, kind, more = 200, "application/proto", ""
        try:
            if isinstance(fault, Refusal):
                raise fault
            call = getattr(self.jobs, method, None)
            if call is None:
                raise Refusal(12, "there is no such method")
            with self.jobs.changed:
                answer = call(make(method + "Request").FromString(body)).SerializeToString()
            if fault == LOST:
                raise Cut
        except Refusal as refusal:
            code, kind, more = HTTP[refusal.code], "application/json", refusal.field
            answer = json.dumps(refusal.json()).encode()
        file.write(f"HTTP/1.1 {code} -\r\nContent-Type: {kind}\r\n{more}"
                   f"Content-Length: {len(answer)}\r\n\r\n".encode() + answer)

    def _stream(self, file, method, body, fault):
        def write(flags, payload):
            envelope = struct.pack(">BI", flags, len(payload)) + payload
            file.write(b"%x\r\n%b\r\n" % (len(envelope), envelope))
            file.flush()

        def send(payload):
            write(0, payload)
            if fault == CUT:
                raise Cut
            if fault == STOP:
                raise Refusal(14, "the server is stopping")

        file.write(b"HTTP/1.1 200 -\r\nContent-Type: application/connect+proto\r\n"
                   b"Transfer-Encoding: chunked\r\n\r\n")
        end = {}
        file.flush()
        if fault == HELD_BACK:
            with self.jobs.changed:
                self.jobs.wait_for(lambda: False, WAIT_S)
            raise Cut
        try:
            if isinstance(fault, Refusal):
                raise fault
            getattr(self.jobs, method)(make(method + "Request").FromString(body), send)
        except Refusal as refusal:
            end = {"error": refusal.json()}
        write(2, json.dumps(end).encode())
        file.write(b"0\r\n\r\n")
