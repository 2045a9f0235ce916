#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every header compiles alone, and twice: as C11, the public ones as C99 and C++17 too."""
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import lint

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
PUBLIC = "client/include/"


def commands(root, path):
    """What to compile a header with: (its name in an include, the compiler's command)."""
    if path.startswith(PUBLIC):
        name = path[len(PUBLIC):]
        where = ["-I", str(root / PUBLIC)]
        return [(name, ["gcc", "-x", "c", "-std=c99", *WARNINGS, *where]),
                (name, ["gcc", "-x", "c", "-std=c11", *WARNINGS, *where]),
                (name, ["g++", "-x", "c++", "-std=c++17", *WARNINGS, *where])]
    where = ["-I", str(root), "-I", str(root / PUBLIC), "-isystem", str(root / "generated")]
    return [(path, ["gcc", "-x", "c", "-std=c11", "-D_GNU_SOURCE", *WARNINGS, *where])]


def compile_one(job):
    path, name, command = job
    text = f"#include <{name}>\n" * 2 + "extern int vts_not_empty;\n"
    run = subprocess.run([*command, "-"], input=text, capture_output=True, text=True)
    if run.returncode == 0:
        return []
    lines = [line for line in run.stderr.splitlines() if "error" in line] or [run.stderr.strip()]
    return [f"{path}: {command[3]}: {lines[0]}"]


def check(root):
    jobs = [(path, name, command) for _, path in lint.sources(root, (".h",))
            for name, command in commands(root, path)]
    if not jobs:
        return ["no headers"]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [complaint for found in pool.map(compile_one, jobs) for complaint in found]


GUARD = "#ifndef A_H\n#define A_H\n{}\n#endif\n"
SAMPLES = {
    "clean": ({"server/a.h": GUARD.format("#include <stddef.h>\nsize_t f(void);")}, None),
    "needs another": ({"server/a.h": GUARD.format("size_t f(void);")}, "size_t"),
    "no guard": ({"server/a.h": "struct a {\n    int b;\n};\n"}, "redefinition"),
    "public, C++ keyword": ({PUBLIC + "a.h": GUARD.format("int f(int class);")}, "-std=c++17"),
    "public, C11 only": (
        {PUBLIC + "a.h": GUARD.format("#ifndef __cplusplus\n_Static_assert(1, \"\");\n#endif")},
        "-std=c99"),
    "public, ours inside": (
        {PUBLIC + "a.h": GUARD.format("#ifndef __cplusplus\n#if __STDC_VERSION__ < 201112L\n"
                                      "#include <common/base/buf.h>\n#endif\n#endif"),
         "common/base/buf.h": GUARD.format("").replace("A_H", "B_H")}, "buf.h"),
    "nothing to check": ({"other/a.h": ""}, "no headers"),
}

if __name__ == "__main__":
    lint.main(check, SAMPLES)
