# SPDX-License-Identifier: Apache-2.0
"""The messages of connectrpc.conformance.v1, and how calls write them."""
from google.protobuf import json_format

from proto_messages import Messages

MESSAGES = Messages("connectrpc.conformance.v1", "connectrpc/conformance/v1/service.proto",
                    "connectrpc/conformance/v1/server_compat.proto",
                    "google/protobuf/duration.proto", "google/rpc/status.proto")


def encode(message, codec):
    if codec == "proto":
        return message.SerializeToString(deterministic=True)
    return json_format.MessageToJson(message, descriptor_pool=MESSAGES.pool, indent=None).encode()


def decode(kind, raw, codec):
    """A message of that name."""
    if codec == "proto":
        return MESSAGES[kind].FromString(raw)
    return json_format.Parse(raw, MESSAGES[kind](), descriptor_pool=MESSAGES.pool)
