#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What @connectrpc/connect-node gets from vtstatusd: node/connect_node_status.mjs."""
import peers

code = peers.generate_node_code()
with peers.Jobs() as servers:
    peers.run_node("connect_node_status.mjs", code, servers.ca,
                   *(server.port for server in servers))
