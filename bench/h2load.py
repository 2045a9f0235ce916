# SPDX-License-Identifier: Apache-2.0
"""Load by h2load, what it costs a server, and the table that tells it."""
import re
import subprocess
from pathlib import Path
from typing import NamedTuple, Optional

import servers

LOAD_CPU = "1"
CIPHER = "TLS_AES_128_GCM_SHA256"
SHAPES = ((16, 32), (64, 1))  # connections, streams on each
TIMEOUT_S = 120


class Request(NamedTuple):
    """What is asked for again and again, and how long its answer is."""

    path: str
    headers: tuple
    answer_bytes: int
    body_file: Optional[Path] = None  # with one it is a POST


class Subject(NamedTuple):
    """A kind of server and what it is asked for: a line of a table."""

    kind: type
    request: Request


def run_load(server, request, connections, streams, requests):
    """One run of h2load: (server's CPU time a request in µs, requests a second)."""
    arguments = [f"-H{header}" for header in request.headers]
    if request.body_file:
        arguments.append(f"-d{request.body_file}")
    before = server.cpu_ns()
    run = subprocess.run(
        ["taskset", "-c", LOAD_CPU, "h2load", "-t1", f"-n{requests}", f"-c{connections}",
         f"-m{streams}", f"--tls13-ciphers={CIPHER}", *arguments,
         f"https://127.0.0.1:{server.port}{request.path}"],
        capture_output=True, text=True, timeout=TIMEOUT_S)
    spent_ns = server.cpu_ns() - before
    check_load(server, run.stdout, requests, request.answer_bytes)
    rate = re.search(r"finished in .*?, ([0-9.]+) req/s", run.stdout)
    return spent_ns / 1000 / requests, float(rate.group(1))


def check_load(server, output, requests, answer_bytes):
    """Every answer is a success; their length may differ a little, as numbers grow."""
    wanted = (f"{requests} succeeded, 0 failed, 0 errored, 0 timeout", "TLS Protocol: TLSv1.3",
              f"Cipher: {CIPHER}", f"{requests} 2xx")
    for part in wanted:
        if part not in output:
            raise SystemExit(f"{server.name}: h2load does not say '{part}':\n{output[-600:]}")
    data_bytes = int(re.search(r"\((\d+)\) data", output).group(1))
    if not 0.8 < data_bytes / requests / answer_bytes < 1.25:
        raise SystemExit(f"{server.name}: answers of {data_bytes / requests:.1f} bytes, "
                         f"not {answer_bytes}")


def measure(subjects, scratch, rounds, requests):
    """The least CPU time and the most requests a second: {(kind's name, shape): (µs, rate)}."""
    best = {}
    for _ in range(rounds):
        for kind, request in subjects:
            with kind(scratch) as server:
                # For pages, caches and branch predictors.
                run_load(server, request, 4, 4, max(requests // 50, 16))
                for shape in SHAPES:
                    cpu_us, rate = run_load(server, request, *shape, requests)
                    old_cpu_us, old_rate = best.get((kind.name, shape), (cpu_us, rate))
                    best[kind.name, shape] = min(cpu_us, old_cpu_us), max(rate, old_rate)
    return best


def print_table(title, subjects, loads, extra_title="", extra=None):
    """One line a server; "ratio" is vtstatusd's CPU time by that server's."""
    print(f"\n{title:10}" + "".join(f"{f'{c} x {m}':>28}" for c, m in SHAPES))
    columns = f"{'us/req':>10}{'ratio':>8}{'req/s':>10}" * len(SHAPES) + f"{extra_title:>15}"
    print(f"{'':10}{columns}".rstrip())
    for kind, _ in subjects:
        cells = ""
        for shape in SHAPES:
            cpu_us, rate = loads[kind.name, shape]
            ours = loads.get((servers.Vtstatusd.name, shape))
            ratio = f"{ours[0] / cpu_us:.2f}" if ours else "-"
            cells += f"{cpu_us:>10.2f}{ratio:>8}{rate:>10.0f}"
        print(f"{kind.name:10}{cells}" + (f"{extra[kind.name]:>15.1f}" if extra else ""))
