# SPDX-License-Identifier: Apache-2.0
"""Classes for messages, made from .proto files without a generator's output.

    messages = Messages("grpc.testing", "grpc/testing/messages.proto")
    messages["SimpleRequest"](response_size=3)
"""
import subprocess
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "tests/interop/proto", ROOT / "proto", "/usr/include")


class Messages(dict):
    """The classes of the files and all that they import: those of the package by their names inside
    of it, others by their full names."""

    def __init__(self, package, *files):
        super().__init__()
        self.package, self.pool = package, descriptor_pool.DescriptorPool()
        self.factory = message_factory.MessageFactory(self.pool)
        run = subprocess.run(
            ["protoc", *(word for folder in FOLDERS for word in ("-I", folder)),
             "--include_imports", "--descriptor_set_out=/dev/stdout", *files],
            capture_output=True, check=True)
        for file in descriptor_pb2.FileDescriptorSet.FromString(run.stdout).file:
            self.pool.Add(file)
            self.add(file.package, file.message_type)

    def add(self, scope, messages):
        for message in messages:
            name = f"{scope}.{message.name}"
            self[name.removeprefix(self.package + ".")] = self.factory.GetPrototype(
                self.pool.FindMessageTypeByName(name))
            self.add(name, message.nested_type)
