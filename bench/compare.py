#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares vtstatusd with stock servers; bench/run.sh prepares and calls it.

What is measured and how is told in bench/README.md.
"""
import argparse
from pathlib import Path

import h2load
import messages
import part_grpc
import part_jobs
import part_load
import part_memory
import part_rest
import part_wait
import servers
from plan import Plan

REQUESTS = 200_000
PARTS = {"rest": part_rest, "grpc": part_grpc, "memory": part_memory, "load": part_load,
         "jobs": part_jobs, "wait": part_wait}


def fetch_status(scratch):
    """The JobStatus that vtstatusd serves; the others are to answer as many bytes."""
    with servers.Vtstatusd(scratch) as server:
        return server.fetch_status(part_rest.ACCEPT)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, required=True, help="folder of the release build")
    parser.add_argument("--peer-build", type=Path, required=True, help="folder of grpc++'s build")
    parser.add_argument("--scratch", type=Path, required=True, help="folder with the certificates")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--peers-only", action="store_true", help="leave vtstatusd out")
    parser.add_argument("--only", choices=PARTS, help="measure this part alone")
    return parser.parse_args()


def make_plan(args):
    has_ours = not args.peers_only
    status = fetch_status(args.scratch) if has_ours else messages.sample_status()
    status_file = args.scratch / servers.STATUS_FILE
    status_file.parent.mkdir()
    status_file.write_bytes(status)
    return Plan(args.scratch, args.build, args.peer_build, status, args.rounds, args.requests, has_ours)


def main():
    args = parse_arguments()
    servers.Vtstatusd.binary = args.build / "bin/vtstatusd"
    servers.Grpcpp.binary = args.peer_build / "grpcpp_status_server"
    plan = make_plan(args)
    print(f"a status of {len(plan.status)} bytes, {h2load.CIPHER}; "
          f"tables are of {plan.rounds} rounds of {plan.requests} requests")
    for name, part in PARTS.items():
        if args.only in (None, name):
            part.run(plan)


if __name__ == "__main__":
    main()
