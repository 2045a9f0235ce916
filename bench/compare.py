#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares vtstatusd with stock servers; bench/run.sh prepares and calls it.

What is measured and how is told in bench/README.md.
"""
import argparse
import re
import statistics
import subprocess
import time
from pathlib import Path

import h2_holder
import servers

LOAD_CPU = "1"
PATH = "/status"
ACCEPT = "application/x-protobuf"
CIPHER = "TLS_AES_128_GCM_SHA256"
SHAPES = ((16, 32), (64, 1))  # connections, streams on each
REQUESTS = 200_000
LOAD_TIMEOUT_S = 60
HELD_CONNECTIONS = 500
WARM_CONNECTIONS = 50
STARTS = 10
IDLE_S = 10


def run_load(server, connections, streams, requests):
    """One run of h2load: (server's CPU time a request in µs, requests a second)."""
    before = server.cpu_ns()
    run = subprocess.run(
        ["taskset", "-c", LOAD_CPU, "h2load", "-t1", f"-n{requests}", f"-c{connections}",
         f"-m{streams}", f"--tls13-ciphers={CIPHER}", "-H", f"accept: {ACCEPT}",
         f"https://127.0.0.1:{server.port}{PATH}"],
        capture_output=True, text=True, timeout=LOAD_TIMEOUT_S)
    spent_ns = server.cpu_ns() - before
    check_load(server, run.stdout, requests)
    rate = re.search(r"finished in .*?, ([0-9.]+) req/s", run.stdout)
    return spent_ns / 1000 / requests, float(rate.group(1))


def check_load(server, output, requests):
    wanted = (f"{requests} succeeded, 0 failed", "TLS Protocol: TLSv1.3", f"Cipher: {CIPHER}",
              f"{requests} 2xx")
    for part in wanted:
        if part not in output:
            raise SystemExit(f"{server.name}: h2load does not say '{part}':\n{output[-600:]}")


def measure_loads(kinds, scratch, body_bytes, rounds, requests):
    """The least CPU time and the most requests a second: {(name, shape): (µs, rate)}."""
    best = {}
    for _ in range(rounds):
        for kind in kinds:
            with kind(scratch, body_bytes) as server:
                run_load(server, 4, 4, requests // 50)  # pages, caches, branch predictors
                for shape in SHAPES:
                    cpu_us, rate = run_load(server, *shape, requests)
                    old_cpu_us, old_rate = best.get((kind.name, shape), (cpu_us, rate))
                    best[kind.name, shape] = min(cpu_us, old_cpu_us), max(rate, old_rate)
    return best


def measure_connection_kib(kind, scratch, body_bytes):
    """What an idle connection adds to the resident memory of a server just started."""
    ca_file = str(Path(scratch) / "ca.pem")
    with kind(scratch, body_bytes) as server:
        warm = h2_holder.open_many(ca_file, server.port, WARM_CONNECTIONS, PATH, ACCEPT)
        before = server.rss_kib()
        held = h2_holder.open_many(ca_file, server.port, HELD_CONNECTIONS, PATH, ACCEPT)
        after = server.rss_kib()
        if h2_holder.count_alive(held) != HELD_CONNECTIONS:
            raise SystemExit(f"{kind.name}: idle connections ended before they were counted")
        for connection in held + warm:
            connection.close()
    return (after - before) / HELD_CONNECTIONS


def measure_body_bytes(scratch):
    with servers.Vtstatusd(scratch, 0) as server:
        run = subprocess.run(
            ["curl", "-sS", "--fail", "--max-time", "10", "--cacert", Path(scratch) / "ca.pem",
             "-H", f"accept: {ACCEPT}", f"https://localhost:{server.port}{PATH}"],
            capture_output=True, check=True)
        return len(run.stdout)


def measure_start_ms(scratch):
    """From the start of the process to its line that says it listens; the median."""
    command = [str(part) for part in servers.Vtstatusd(scratch, 0).command()]
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
    with DefaultVtstatusd(scratch, 0) as server:
        time.sleep(1)  # what start-up left to do
        before = server.wakeups()
        time.sleep(IDLE_S)
        after = server.wakeups()
    return sorted(((after[task] - before.get(task, 0)) / IDLE_S for task in after), reverse=True)


def stripped_sizes(build, scratch):
    files = [build / "bin/vtstatusd", build / "bin/vtstatus"]
    files += [path for path in sorted(build.rglob("libvtstatus.so*")) if not path.is_symlink()]
    sizes = {}
    for file in files:
        stripped = Path(scratch) / "stripped"
        subprocess.run(["strip", "-o", stripped, file], check=True)
        sizes[file.name] = stripped.stat().st_size
    return sizes


def print_table(kinds, loads, memory):
    """One line a server; "ratio" is vtstatusd's CPU time by that server's."""
    shapes = "".join(f"{f'{c} x {m}':>28}" for c, m in SHAPES)
    print(f"\n{'':10}{shapes}{'idle':>11}")
    print(f"{'':10}" + f"{'us/req':>10}{'ratio':>8}{'req/s':>10}" * 2 + f"{'KiB/conn':>11}")
    for kind in kinds:
        cells = ""
        for shape in SHAPES:
            cpu_us, rate = loads[kind.name, shape]
            ours = loads.get((servers.Vtstatusd.name, shape))
            ratio = f"{ours[0] / cpu_us:.2f}" if ours else "-"
            cells += f"{cpu_us:>10.2f}{ratio:>8}{rate:>10.0f}"
        print(f"{kind.name:10}{cells}{memory[kind.name]:>11.1f}")


def print_target(what, value, most, unit):
    verdict = "met" if value <= most else "MISSED"
    print(f"  {what:48}{value:>9.2f} {unit:9} at most {most:g}: {verdict}")


def print_targets(loads, memory, start_ms, wakeups):
    def ratio(shape, peer):
        return loads["vtstatusd", shape][0] / loads[peer, shape][0]

    print("\ntargets")
    print_target("CPU a request at 16 x 32, by nghttpd's", ratio(SHAPES[0], "nghttpd"), 0.8, "")
    print_target("CPU a request at 64 x 1, by nginx's", ratio(SHAPES[1], "nginx"), 1.0, "")
    print_target("resident memory of an idle TLS connection", memory["vtstatusd"], 24, "KiB")
    print_target("start-up, median", start_ms, 50, "ms")
    print_target("wake-ups of an idle thread, the busiest", wakeups, 1, "a second")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, required=True, help="folder of the release build")
    parser.add_argument("--scratch", required=True, help="folder with the certificates")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--peers-only", action="store_true", help="leave vtstatusd out")
    return parser.parse_args()


def main():
    args = parse_arguments()
    servers.Vtstatusd.binary = args.build / "bin/vtstatusd"
    kinds = list(servers.PEERS) if args.peers_only else [servers.Vtstatusd, *servers.PEERS]
    body_bytes = 40 if args.peers_only else measure_body_bytes(args.scratch)
    www = Path(args.scratch) / "www"
    www.mkdir()
    (www / PATH[1:]).write_bytes(b"x" * body_bytes)

    print(f"{args.rounds} rounds of {args.requests} requests for {body_bytes} bytes, {CIPHER}")
    loads = measure_loads(kinds, args.scratch, body_bytes, args.rounds, args.requests)
    memory = {kind.name: measure_connection_kib(kind, args.scratch, body_bytes) for kind in kinds}
    print_table(kinds, loads, memory)
    if args.peers_only:
        return
    start_ms = measure_start_ms(args.scratch)
    wakeups = measure_idle_wakeups(args.scratch)
    print_targets(loads, memory, start_ms, wakeups[0])
    print("\nwake-ups a second of each thread:", *wakeups)
    for name, size in stripped_sizes(args.build, args.scratch).items():
        print(f"{name}, stripped: {size} bytes")


if __name__ == "__main__":
    main()
