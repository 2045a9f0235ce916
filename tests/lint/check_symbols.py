#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libvtstatus.so exports the functions of tests/lint/symbols.txt, and nothing else.

Usage: check_symbols.py LIBRARY. A line that appears here is a promise for years; one that goes
breaks programs.
"""
import subprocess
import sys

import lint


def exported(library):
    run = subprocess.run(["nm", "-D", "--defined-only", "--format=posix", library],
                         capture_output=True, text=True, check=True)
    fields = [line.split() for line in run.stdout.splitlines()]
    return {f[0].split("@")[0] for f in fields if len(f) > 1 and f[1] != "A"}


def promised(root):
    file = root / "tests/lint/symbols.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def check(root):
    """A sample brings its library as C."""
    library = sys.argv[1]
    if root != lint.ROOT:
        library = str(root / "lib.so")
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, root / "lib.c"], check=True)
    have, want = exported(library), promised(root)
    found = [] if want else ["tests/lint/symbols.txt names nothing"]
    found += [f"{name}: exported, but not in tests/lint/symbols.txt" for name in have - want]
    found += [f"{name}: in tests/lint/symbols.txt, but not exported" for name in want - have]
    found += [f"{name}: a public name starts with vts_" for name in want
              if not name.startswith("vts_")]
    return sorted(found)


LIST = "tests/lint/symbols.txt"
SAMPLES = {
    "same": ({"lib.c": "int vts_a(void) { return 1; }\n", LIST: "# functions\nvts_a\n"}, None),
    "one more": ({"lib.c": "int vts_a(void) { return 1; } int vts_b;\n", LIST: "vts_a\n"},
                 "vts_b: exported"),
    "one less": ({"lib.c": "int vts_a(void) { return 1; }\n", LIST: "vts_a\nvts_b\n"},
                 "not exported"),
    "without prefix": ({"lib.c": "int a(void) { return 1; }\n", LIST: "a\n"}, "starts with vts_"),
}

if __name__ == "__main__":
    lint.main(check, SAMPLES)
