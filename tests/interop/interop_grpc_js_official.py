#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The official gRPC interop cases, by @grpc/grpc-js: node/grpc_js_official.mjs."""
import peers
from vts_server import InteropServer

with InteropServer() as server:
    peers.run_node("grpc_js_official.mjs", peers.TEST_PROTOS, server.port, server.certs / "ca.pem")
