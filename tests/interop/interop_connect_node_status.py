#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What @connectrpc/connect-node gets from vtstatusd: node/connect_node_status.mjs."""
import peers
from driven_job import is_watched_by

code = peers.generate_node_code()
with peers.Jobs(is_watched=is_watched_by(14)) as servers:  # in each of its WAYS
    peers.run_node("connect_node_status.mjs", code, servers.ca,
                   *(server.port for server in servers))
