# SPDX-License-Identifier: Apache-2.0
"""What an open gRPC server stream costs: WatchStatus of a job that does not end soon."""
import h2_holder
import messages
import part_grpc
from plan import print_target

CONNECTIONS = 10  # the first is there to warm the server up
STREAMS = 100  # on each; vtstatusd allows that many watches on one


def open_streams(server, connection):
    headers = h2_holder.grpc_headers(server.port, messages.SERVICE + "WatchStatus")
    body = messages.envelope(messages.request_bytes("WatchStatus"))
    for _ in range(STREAMS):
        connection.open_stream(headers, body)


def measure_stream_kib(plan, kind):
    """Growth of the resident memory by a stream, when its connection is there already."""
    with kind(plan.scratch) as server:
        get_headers = h2_holder.grpc_headers(server.port, part_grpc.PATH)
        get_body = messages.envelope(messages.request_bytes("GetStatus"))
        warm, *measured = connections = h2_holder.open_many(plan.ca_file, server.port, CONNECTIONS)
        for connection in connections:
            connection.finish_request(get_headers, get_body)
        open_streams(server, warm)
        before = server.rss_kib()
        for connection in measured:
            open_streams(server, connection)
        after = server.rss_kib()
        for connection in connections:
            connection.check_open()
            connection.close()
    return (after - before) / (len(measured) * STREAMS)


def run(plan):
    kinds = part_grpc.checked_kinds(plan)
    memory = {kind.name: measure_stream_kib(plan, kind) for kind in kinds}
    streams = (CONNECTIONS - 1) * STREAMS
    print(f"\nresident memory of an open WatchStatus stream, the mean of {streams}")
    for name, kib in memory.items():
        print(f"{name:10}{kib:>10.2f} KiB")
    if plan.has_ours:
        print("\ntargets")
        print_target("resident memory of an open gRPC stream", memory["vtstatusd"], 2, "KiB")
