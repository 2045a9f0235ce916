#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""generated/ is what scripts/generate.sh makes of proto/, byte for byte.

The compiler writes its version into its output, so another version than the one in use when the
files were committed proves nothing: the check is then skipped (exit code 77).
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import lint


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*") if path.is_file()}


def compare(root, fresh):
    """Complaints of how root's generated/ differs from the fresh folder."""
    have, want = files_of(root / "generated"), files_of(fresh)
    found = [] if want else ["scripts/generate.sh made nothing"]
    found += [f"generated/{name}: missing" for name in want.keys() - have.keys()]
    found += [f"generated/{name}: made by no proto" for name in have.keys() - want.keys()]
    found += [f"generated/{name}: not what scripts/generate.sh makes"
              for name in want.keys() & have.keys() if want[name] != have[name]]
    return sorted(found)


def check(root):
    """For a sample, its folder fresh/ stands for what the script makes."""
    if root != lint.ROOT:
        return compare(root, root / "fresh")
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "generated"
        subprocess.run([root / "scripts/generate.sh", fresh], check=True)
        return compare(root, fresh)


def is_other_compiler():
    run = subprocess.run(["protoc-c", "--version"], capture_output=True, text=True, check=True)
    version = re.search(r"(\d+)\.(\d+)\.(\d+)", run.stdout)
    number = "%d%03d%03d" % tuple(int(part) for part in version.groups())
    header = (lint.ROOT / "generated/vtstatus/v1/status.pb-c.h").read_text()
    return f"#elif {number} < PROTOBUF_C_MIN_COMPILER_VERSION" not in header


SAMPLES = {
    "same": ({"generated/a.c": "x", "fresh/a.c": "x"}, None),
    "edited": ({"generated/a.c": "x", "fresh/a.c": "y"}, "generated/a.c: not what"),
    "missing": ({"generated/a.c": "x", "fresh/a.c": "x", "fresh/v1/b.c": "x"}, "v1/b.c: missing"),
    "left over": ({"generated/a.c": "x", "generated/b.c": "x", "fresh/a.c": "x"}, "by no proto"),
    "made nothing": ({"other/a.c": ""}, "made nothing"),
}

if __name__ == "__main__":
    if is_other_compiler():
        print("skipped: generated/ was made by another version of protoc-c than this machine has")
        sys.exit(77)
    lint.main(check, SAMPLES)
