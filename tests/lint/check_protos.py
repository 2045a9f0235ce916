#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The style of the protos, by buf. Those of other packages are as their owners wrote them."""
import os
import subprocess
import sys
import tempfile

import lint

BUF = lint.ROOT / "tests/interop/node/node_modules/.bin/buf"
CONFIG = '{"version": "v2", "lint": {"use": ["STANDARD"], "ignore": ["google", "grpc"]}}'


def check(root):
    with tempfile.TemporaryDirectory() as cache:
        run = subprocess.run([BUF, "lint", ".", "--config", CONFIG], cwd=root / "proto",
                             env={**os.environ, "BUF_CACHE_DIR": cache},
                             capture_output=True, text=True)
    lines = [f"proto/{line}" for line in run.stdout.splitlines()]
    return lines or ([run.stderr.strip()] if run.returncode != 0 else [])


def proto(package, message):
    name = f"proto/{package.replace('.', '/')}/a.proto"
    return {name: f'syntax = "proto3";\n\npackage {package};\n\nmessage {message} {{}}\n'}


SAMPLES = {
    "clean": (proto("vtstatus.v1", "Job"), None),
    "a message in lower case": (proto("vtstatus.v1", "job"), "vtstatus/v1/a.proto:5"),
    "another's": ({**proto("grpc.other", "job"), **proto("vtstatus.v1", "Job")}, None),
}

if __name__ == "__main__":
    if not BUF.exists():
        print("skipped: buf is missing; run scripts/setup.sh")
        sys.exit(77)
    lint.main(check, SAMPLES)
