#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The official gRPC interop cases, by grpc++: grpcpp/interop_grpcpp_official.cc."""
import os

import peers
from vts_server import InteropServer

with InteropServer() as server:
    peers.run_client(os.environ["VTS_INTEROP_CLIENT"], server.port, server.certs / "ca.pem")
