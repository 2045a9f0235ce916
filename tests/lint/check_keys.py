#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No private key is committed. Files that git ignores, such as development certificates, may be."""
import subprocess

import lint

MARK = b"PRIVATE KEY" + b"-----"


def committed(root):
    """What git tracks or would add; without git, as in an archive, every file."""
    run = subprocess.run(["git", "-C", root, "ls-files", "-z", "-co", "--exclude-standard"],
                         capture_output=True, text=True)
    if run.returncode == 0:
        return [root / name for name in run.stdout.split("\0") if name]
    return [path for path in root.rglob("*") if "build" not in path.relative_to(root).parts]


def judge(path):
    if path.name.endswith((".key", "-key.pem")):
        return "named like a private key"
    return "holds a private key" if MARK in path.read_bytes() else None


def check(root):
    found = []
    for path in committed(root):
        complaint = judge(path) if path.is_file() else None
        found += [f"{path.relative_to(root)}: {complaint}"] if complaint else []
    return found


PEM = "-----BEGIN {} PRIVATE KEY" + "-----\n"
SAMPLES = {
    "clean": ({"a.pem": "-----BEGIN CERTIFICATE-----\n"}, None),
    "a key": ({"tests/a.txt": "x\n" + PEM.format("EC")}, "a.txt: holds"),
    "a plain key": ({"a.pem": PEM.replace("{} ", "")}, "holds"),
    "by its name": ({"certs/server-key.pem": "x"}, "named like"),
}

if __name__ == "__main__":
    lint.main(check, SAMPLES)
