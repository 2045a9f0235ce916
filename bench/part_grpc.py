# SPDX-License-Identifier: Apache-2.0
"""The unary gRPC call GetStatus beside grpc++, and beside nghttpd's static file."""
import h2load
import messages
import part_rest
import servers
from plan import print_target

PATH = messages.SERVICE + "GetStatus"
HEADERS = ("content-type: application/grpc+proto", "te: trailers")


def request(plan):
    body_file = plan.scratch / "get_status.grpc"
    body_file.write_bytes(messages.envelope(messages.request_bytes("GetStatus")))
    return h2load.Request(PATH, HEADERS, messages.answer_bytes(plan.status), body_file)


def checked_kinds(plan):
    """The gRPC servers, each asked once by a stock client: h2load does not read grpc-status."""
    kinds = [servers.Vtstatusd] * plan.has_ours + [servers.Grpcpp]
    for kind in kinds:
        with kind(plan.scratch) as server:
            messages.check_server(server, plan.ca_file, plan.status)
    return kinds


def print_targets(loads):
    shape = h2load.SHAPES[0]
    ours = loads["vtstatusd", shape][0]
    print("\ntargets")
    print_target("CPU a gRPC call at 16 x 32, by nghttpd's GET", ours / loads["nghttpd", shape][0],
                 1.1)
    print_target("CPU a gRPC call at 16 x 32, by grpc++'s", ours / loads["grpc++", shape][0], 0.2)


def run(plan):
    subjects = [h2load.Subject(kind, request(plan)) for kind in checked_kinds(plan)]
    subjects.append(h2load.Subject(servers.Nghttpd, part_rest.request(plan)))
    loads = h2load.measure(subjects, plan.scratch, plan.rounds, plan.requests)
    h2load.print_table("gRPC", subjects, loads)
    if plan.has_ours:
        print_targets(loads)
