# SPDX-License-Identifier: Apache-2.0
"""Real jobs: how fast they are written, how soon watchers know, and what a million costs."""
import json
import re
import select
import statistics
import subprocess
import time

import h2_holder
import h2load
import messages
import part_rest
import servers
from plan import print_target

WRITERS = 256
WRITE_S = 5
PACED_WRITES = 5000  # a second, while reads are measured
READS = 200_000
ROUNDS = 300  # of jobs that are completed
FANOUT_CONNECTIONS = 100
FANOUT_ROUNDS = 5
WATCH_CONNECTIONS = 1000
STREAMS = 100  # on each; vtstatusd allows that many watches on one
MILLION = 1_000_000
BATCH = 1000
TIMEOUT_S = 60
HEARTBEATS = re.compile(
    r'^grpc_server_handled_total{[^}]*"HeartbeatJob",grpc_code="OK"} (\d+)$', re.MULTILINE)


def fresh(plan):
    """A server without jobs."""
    for name in ("jobs.db", "jobs.db-wal", "jobs.db-shm"):
        (plan.scratch / name).unlink(missing_ok=True)
    return servers.JobServer(plan.scratch)


class Caller:
    """Unary gRPC calls on one connection, by hand."""

    def __init__(self, connection):
        self.connection = connection

    def request(self, service, method, fields):
        """(headers, body) of a call."""
        message = messages.CLASSES[f"{method}Request"](**fields)
        return (h2_holder.grpc_headers(self.connection.port, service + method),
                messages.envelope(message.SerializeToString()))

    def call(self, service, method, **fields):
        answer = self.connection.finish_request(*self.request(service, method, fields))
        if not answer:
            raise SystemExit(f"{method} was refused")
        return messages.CLASSES[f"{method}Response"].FromString(answer[5:])

    def lease_new_job(self):
        """(job's id, token) of a job that is made for it."""
        spec = {"source_uri": "file:///bench.mp4", "target_language": "de"}
        job = self.call(messages.JOB_SERVICE, "CreateJob", spec=spec).job
        lease = self.call(messages.WORKER_SERVICE, "LeaseJob", worker_id="bench").lease
        if lease.job.id != job.id:
            raise SystemExit("the job that was made is not the one that was leased")
        return job.id, lease.token


def watch_request(caller, job_id):
    return caller.request(messages.SERVICE, "WatchStatus", {"job_id": job_id})


# ---- writes -------------------------------------------------------------------------------------

def start_writers(plan, server, seconds, rate):
    return subprocess.Popen(
        [plan.peer_build / "grpcpp_heartbeats", str(server.port), plan.ca_file, str(WRITERS),
         str(seconds), str(rate)], stdout=subprocess.PIPE, text=True)


def finish_writers(process):
    out, _ = process.communicate(timeout=TIMEOUT_S)
    if process.returncode != 0:
        raise SystemExit("the writers failed")
    return json.loads(out)


def print_writes(plan):
    best = None
    for _ in range(plan.rounds):
        with fresh(plan) as server:
            before = server.cpu_ns()
            got = finish_writers(start_writers(plan, server, WRITE_S, 0))
            got["cpu_us"] = (server.cpu_ns() - before) / 1000 / got["calls"]
            got["rate"] = got["calls"] / got["seconds"]
            best = got if best is None or got["rate"] > best["rate"] else best
    print(f"{WRITERS} workers that report progress, durably: {best['rate']:.0f} a second, "
          f"p50 {best['p50_ms']:.1f} ms, p99 {best['p99_ms']:.1f} ms, "
          f"{best['cpu_us']:.1f} us of the server each")
    return best


class Work:
    """What the server has done between the start of a with block and its end."""

    def __init__(self, server):
        self.server = server

    def look(self):
        """(CPU time, reports of progress) until now."""
        text = self.server.fetch_status("text/plain", "/metrics").decode()
        return self.server.cpu_ns(), sum(int(count) for count in HEARTBEATS.findall(text))

    def __enter__(self):
        self.start = self.look()
        return self

    def __exit__(self, *_):
        self.cpu_ns, self.writes = (now - then for now, then in zip(self.look(), self.start))


def read_cost(server, request):
    """CPU time of a GET of a status in µs, when there is nothing else to do."""
    with Work(server) as work:
        h2load.run_load(server, request, *h2load.SHAPES[0], READS)
    return work.cpu_ns / 1000 / READS


def read_cost_beside_writes(plan, server, request):
    """The same beyond what the reports cost that come meanwhile."""
    writers = start_writers(plan, server, WRITE_S, PACED_WRITES)
    time.sleep(1)  # for their jobs to be there, and the pace to be steady
    with Work(server) as writing:
        time.sleep(1)
    with Work(server) as both:
        h2load.run_load(server, request, *h2load.SHAPES[0], READS)
    finish_writers(writers)
    if writing.writes == 0 or both.writes == 0:
        raise SystemExit("there were no reports beside the reads")
    return (both.cpu_ns - both.writes * writing.cpu_ns / writing.writes) / 1000 / READS


def print_reads(plan):
    with fresh(plan) as server:
        caller = Caller(*h2_holder.open_many(plan.ca_file, server.port, 1))
        path = f"/status/{caller.lease_new_job()[0]}"
        status = server.fetch_status(part_rest.ACCEPT, path)
        request = part_rest.request(plan)._replace(path=path, answer_bytes=len(status))
        alone = min(read_cost(server, request) for _ in range(plan.rounds))
        beside = min(read_cost_beside_writes(plan, server, request) for _ in range(plan.rounds))
        caller.connection.close()
    print(f"a GET of a status: {alone:.2f} us of the server alone, {beside:.2f} us beside "
          f"{PACED_WRITES} durable writes a second")
    return beside / alone


# ---- watchers -----------------------------------------------------------------------------------

def first_bytes(connections):
    """{connection: when it next had something to read}, of all of them."""
    found = {}
    waiting = {connection.tls: connection for connection in connections}
    while waiting:
        for tls in select.select(list(waiting), [], [], TIMEOUT_S)[0]:
            found[waiting.pop(tls)] = time.perf_counter()
    return found


def completion_delay_ms(caller, watcher):
    """From the acknowledgement of CompleteJob to the bytes that tell a watcher; the call's time."""
    job_id, token = caller.lease_new_job()
    watcher.connection.open_stream(*watch_request(watcher, job_id))
    request = caller.request(messages.WORKER_SERVICE, "CompleteJob",
                             {"job_id": job_id, "token": token})
    start = time.perf_counter()
    caller.connection.send_request(*request)
    at = first_bytes([caller.connection, watcher.connection])
    for connection in (caller.connection, watcher.connection):
        while not connection.read_frame()[1] & h2_holder.END_STREAM:
            pass
    acknowledged = at[caller.connection]
    return 1000 * (at[watcher.connection] - acknowledged), 1000 * (acknowledged - start)


def print_completions(plan):
    with fresh(plan) as server:
        caller, watcher = map(Caller, h2_holder.open_many(plan.ca_file, server.port, 2))
        rows = [completion_delay_ms(caller, watcher) for _ in range(ROUNDS)]
        caller.connection.close()
        watcher.connection.close()
    delays = sorted(max(0.0, delay) for delay, _ in rows)
    p50, p99 = delays[len(delays) // 2], delays[len(delays) * 99 // 100]
    print(f"from CompleteJob's answer to a watcher's bytes: p50 {p50:.3f} ms, p99 {p99:.3f} ms; "
          f"the call itself takes {statistics.median(call for _, call in rows):.2f} ms")
    return p50, p99


class FrameCounter:
    """Counts the DATA frames of one connection, however they come in pieces."""

    def __init__(self, connection):
        self.connection = connection
        self.rest = b""
        self.count = 0

    def read(self):
        data = self.rest + self.connection.read_some()
        at = 0
        while len(data) - at >= 9:
            length = int.from_bytes(data[at:at + 3], "big")
            if len(data) - at < 9 + length:
                break
            self.count += data[at + 3] == h2_holder.DATA
            at += 9 + length
        self.rest = data[at:]


def await_frames(counters, wanted):
    """Until each has so many."""
    waiting = {counter.connection.tls: counter for counter in counters}
    while waiting:
        ready = select.select(list(waiting), [], [], TIMEOUT_S)[0]
        if not ready:
            raise SystemExit("watchers were not told")
        for tls in ready:
            waiting[tls].read()
            while tls.pending():
                waiting[tls].read()
            if waiting[tls].count >= wanted:
                del waiting[tls]


def print_fanout(plan):
    """A change of one job, and when the last of very many watchers has it."""
    delays_ms = []
    with fresh(plan) as server:
        reporter = Caller(*h2_holder.open_many(plan.ca_file, server.port, 1))
        job_id, token = reporter.lease_new_job()
        connections = h2_holder.open_many(plan.ca_file, server.port, FANOUT_CONNECTIONS)
        for connection in connections:
            for _ in range(STREAMS):
                connection.open_stream(*watch_request(Caller(connection), job_id))
            connection.tls.setblocking(False)
        counters = [FrameCounter(connection) for connection in connections]
        for i in range(FANOUT_ROUNDS):
            time.sleep(0.5)  # changes of progress closer together become one
            start = time.perf_counter()
            reporter.call(messages.WORKER_SERVICE, "HeartbeatJob", job_id=job_id, token=token,
                          progress={"percent": 10 * (i + 1), "phase": "encode"})
            await_frames(counters, STREAMS * (i + 1))
            delays_ms.append(1000 * (time.perf_counter() - start))
        for connection in (reporter.connection, *connections):
            connection.close()
    print(f"{FANOUT_CONNECTIONS * STREAMS} watchers on {FANOUT_CONNECTIONS} connections: from a "
          f"worker's report to the last one's bytes {', '.join(f'{d:.0f}' for d in delays_ms)} ms")
    return statistics.median(delays_ms)


def print_watches(plan):
    with fresh(plan) as server:
        connections = h2_holder.open_many(plan.ca_file, server.port, WATCH_CONNECTIONS)
        caller = Caller(connections[0])
        job_id, _ = caller.lease_new_job()
        for connection in connections:
            connection.finish_request(*caller.request(messages.SERVICE, "GetStatus",
                                                      {"job_id": job_id}))
        before = server.rss_kib()
        for connection in connections:
            for _ in range(STREAMS):
                connection.open_stream(*watch_request(caller, job_id))
        each = (server.rss_kib() - before) / (WATCH_CONNECTIONS * STREAMS)
        for connection in connections:
            connection.close()
    print(f"{WATCH_CONNECTIONS * STREAMS} open watches: {each:.2f} KiB each")
    return each


# ---- a million ----------------------------------------------------------------------------------

def print_million(plan):
    """Makes a million jobs, ends the server, and lets it read them again."""
    create = messages.CLASSES["CreateJobsRequest"]()
    for _ in range(BATCH):
        request = create.requests.add(queue="bench")
        request.spec.source_uri = "s3://videos/2030/01/holiday.mp4"
        request.spec.target_language = "de"
    body = create.SerializeToString()
    with fresh(plan) as server:
        empty_kib = server.rss_kib()
        start = time.monotonic()
        with messages.open_channel(server, plan.ca_file) as channel:
            call = channel.unary_unary(messages.JOB_SERVICE + "CreateJobs")
            for _ in range(MILLION // BATCH):
                call(body, timeout=TIMEOUT_S)
        made_s = time.monotonic() - start
    start = time.monotonic()
    with servers.JobServer(plan.scratch) as server:
        loaded_s = time.monotonic() - start
        each = 1024 * (server.rss_kib() - empty_kib) / MILLION
        caller = Caller(*h2_holder.open_many(plan.ca_file, server.port, 1))
        lease = caller.call(messages.WORKER_SERVICE, "LeaseJob", worker_id="bench",
                            queues=["bench"]).lease
        caller.connection.close()
        if not lease.job.id:
            raise SystemExit("a million jobs, and none to lease")
    print(f"{MILLION} jobs: made in {made_s:.0f} s, read in {loaded_s:.2f} s, {each:.0f} bytes each")
    return loaded_s, each


def run(plan):
    if not plan.has_ours:
        return
    print("\nreal jobs, in a file; the server and the load share both processors")
    writes = print_writes(plan)
    reads = print_reads(plan)
    p50, p99 = print_completions(plan)
    fanout_ms = print_fanout(plan)
    watch_kib = print_watches(plan)
    loaded_s, job_bytes = print_million(plan)
    print("\ntargets")
    print_target("15000 durable writes a second, by what there were", 15000 / writes["rate"], 1)
    print_target("p99 of a durable write", writes["p99_ms"], 50, "ms")
    print_target("CPU of a read beside writes, by alone", reads, 1.1)
    print_target("p50 from completion to a watcher", p50, 0.3, "ms")
    print_target("p99 from completion to a watcher", p99, 2, "ms")
    print_target("the last of 10000 watchers", fanout_ms, 100, "ms")
    print_target("an open watch", watch_kib, 2, "KiB")
    print_target("a job in memory", job_bytes, 1024, "bytes")
    print_target("reading a million jobs", loaded_s, 3, "s")
