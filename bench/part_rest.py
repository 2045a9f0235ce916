# SPDX-License-Identifier: Apache-2.0
"""GET /status beside stock web servers; an idle connection; start-up; an idle server."""
import statistics
import subprocess
import time

import h2_holder
import h2load
import servers
from plan import print_target

PATH = "/status"
ACCEPT = "application/x-protobuf"
HELD_CONNECTIONS = 500
WARM_CONNECTIONS = 50
STARTS = 10
IDLE_S = 10


def request(plan):
    return h2load.Request(PATH, (f"accept: {ACCEPT}",), len(plan.status))


def hold_connections(plan, server, count):
    """Connections that made one request and stay open."""
    held = h2_holder.open_many(plan.ca_file, server.port, count)
    for connection in held:
        connection.finish_request(h2_holder.get_headers(server.port, PATH, ACCEPT))
    return held


def measure_connection_kib(plan, kind):
    """What an idle connection adds to the resident memory of a server just started."""
    with kind(plan.scratch) as server:
        warm = hold_connections(plan, server, WARM_CONNECTIONS)
        before = server.rss_kib()
        held = hold_connections(plan, server, HELD_CONNECTIONS)
        after = server.rss_kib()
        for connection in held + warm:
            connection.check_open()
            connection.close()
    return (after - before) / HELD_CONNECTIONS


def measure_start_ms(scratch):
    """From the start of the process to its line that says it listens; the median."""
    command = [str(part) for part in servers.Vtstatusd(scratch).command()]
    times = []
    for _ in range(STARTS):
        start = time.perf_counter()
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if '"msg":"listening"' in line:
                break
        times.append((time.perf_counter() - start) * 1000)
        process.terminate()
        process.communicate(timeout=10)
        if process.returncode != 0:
            raise SystemExit(f"vtstatusd ended with {process.returncode}")
    return statistics.median(times)


class DefaultVtstatusd(servers.Vtstatusd):
    flags = ()


def measure_idle_wakeups(scratch):
    """Wake-ups a second of each thread of an idle server with its default threads, most first."""
    with DefaultVtstatusd(scratch) as server:
        before = server.wakeups()
        time.sleep(IDLE_S)
        after = server.wakeups()
    return sorted(((after[task] - before.get(task, 0)) / IDLE_S for task in after), reverse=True)


def stripped_sizes(plan):
    files = [plan.build / "bin/vtstatusd", plan.build / "bin/vtstatus"]
    files += [path for path in sorted(plan.build.rglob("libvtstatus.so*"))
              if not path.is_symlink()]
    sizes = {}
    for file in files:
        stripped = plan.scratch / "stripped"
        subprocess.run(["strip", "-o", stripped, file], check=True)
        sizes[file.name] = stripped.stat().st_size
    return sizes


def print_targets(loads, memory, start_ms, wakeups):
    def ratio(shape, peer):
        return loads["vtstatusd", shape][0] / loads[peer, shape][0]

    print("\ntargets")
    print_target("CPU a request at 16 x 32, by nghttpd's", ratio(h2load.SHAPES[0], "nghttpd"), 0.8)
    print_target("CPU a request at 64 x 1, by nginx's", ratio(h2load.SHAPES[1], "nginx"), 1.0)
    print_target("resident memory of an idle TLS connection", memory["vtstatusd"], 24, "KiB")
    print_target("start-up, median", start_ms, 50, "ms")
    print_target("wake-ups of an idle thread, the busiest", wakeups, 1, "a second")


def run(plan):
    kinds = [servers.Vtstatusd] * plan.has_ours + list(servers.PEERS)
    subjects = [h2load.Subject(kind, request(plan)) for kind in kinds]
    loads = h2load.measure(subjects, plan.scratch, plan.rounds, plan.requests)
    memory = {kind.name: measure_connection_kib(plan, kind) for kind in kinds}
    h2load.print_table("REST", subjects, loads, "idle KiB/conn", memory)
    if not plan.has_ours:
        return
    start_ms = measure_start_ms(plan.scratch)
    wakeups = measure_idle_wakeups(plan.scratch)
    print_targets(loads, memory, start_ms, wakeups[0])
    print("\nwake-ups a second of each thread:", *wakeups)
    for name, size in stripped_sizes(plan).items():
        print(f"{name}, stripped: {size} bytes")
