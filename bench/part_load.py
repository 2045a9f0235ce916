# SPDX-License-Identifier: Apache-2.0
"""Very many gRPC calls at once, again and again: no error, and the memory comes back."""
import time

import h2load
import part_grpc
from plan import print_target

CONNECTIONS = 1000
STREAMS = 100
REQUESTS = 2 * CONNECTIONS * STREAMS
ROUNDS = 3
CLOSE_TIMEOUT_S = 15


def await_closed(server, sockets):
    """Waits until the server has no more sockets than before the load."""
    end = time.monotonic() + CLOSE_TIMEOUT_S
    while server.sockets_count() > sockets:
        if time.monotonic() > end:
            raise SystemExit(f"{server.name} still has {server.sockets_count()} sockets, "
                             f"{sockets} before the load")
        time.sleep(0.05)


def measure_rss_kib(plan, kind):
    """The resident memory after each round, when all is closed, and the most there ever was."""
    request = part_grpc.request(plan)
    with kind(plan.scratch) as server:
        h2load.run_load(server, request, 1, 1, 100)
        sockets = server.sockets_count()
        left = []
        for _ in range(ROUNDS):
            h2load.run_load(server, request, CONNECTIONS, STREAMS, REQUESTS)
            await_closed(server, sockets)
            left.append(server.rss_kib())
        return left, server.peak_rss_kib()


def run(plan):
    kinds = part_grpc.checked_kinds(plan)
    print(f"\n{ROUNDS} rounds of {REQUESTS} gRPC calls, {CONNECTIONS} x {STREAMS} at once; "
          "resident memory when all is closed")
    for kind in kinds:
        left, peak = measure_rss_kib(plan, kind)
        after = ", ".join(f"{kib / 1024:.1f}" for kib in left)
        print(f"{kind.name:10} no error; after each {after} MiB; the most {peak / 1024:.1f} MiB")
        if kind.name == "vtstatusd":
            ratio = left[-1] / left[0]
            print_target("resident memory after the last round, by the first's", ratio, 1.1)
