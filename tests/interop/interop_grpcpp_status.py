#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What grpc++ gets from vtstatusd: grpcpp/interop_grpcpp_status.cc."""
import os

import peers

with peers.Jobs() as servers:
    peers.run_client(os.environ["VTS_INTEROP_CLIENT"], servers.ca,
                     *(server.port for server in servers))
