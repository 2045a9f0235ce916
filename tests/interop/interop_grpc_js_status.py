#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What @grpc/grpc-js gets from vtstatusd: node/grpc_js_status.mjs."""
import peers

with peers.Jobs() as servers:
    peers.run_node("grpc_js_status.mjs", peers.OUR_PROTOS, servers.ca,
                   *(server.port for server in servers))
