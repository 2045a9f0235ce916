#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Layout, by clang-format and the project's .clang-format."""
import shutil
import subprocess

import lint


def check(root):
    files = [str(file) for file, _ in lint.sources(root, (".c", ".h"))]
    if not files:
        return ["no source files"]
    if not (root / ".clang-format").exists():
        shutil.copy(lint.ROOT / ".clang-format", root)
    run = subprocess.run(["clang-format", "--dry-run", "-Werror", "--style=file", *files],
                         capture_output=True, text=True)
    lines = [line.split(": error:")[0] for line in run.stderr.splitlines() if "error:" in line]
    if run.returncode != 0 and not lines:
        lines = [run.stderr.strip()]
    first = {line.split(":")[0]: line for line in reversed(lines)}
    return [f"{first[file].replace(f'{root}/', '')}: run clang-format -i" for file in sorted(first)]


SAMPLES = {
    "clean": ({"server/a.c": "int f(void)\n{\n    return 1;\n}\n"}, None),
    "indented by two": ({"server/a.c": "int f(void)\n{\n  return 1;\n}\n"}, "a.c:2"),
    "twice in a file": ({"server/a.c": "int f(void)\n{\n  g();\n  return 1;\n}\n"}, "a.c:2"),
    "includes unsorted": ({"server/a.c": '#include <b.h>\n#include <a.h>\n'}, "a.c:1"),
    "nothing to check": ({"other/a.c": ""}, "no source files"),
}

if __name__ == "__main__":
    lint.main(check, SAMPLES)
