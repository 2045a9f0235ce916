#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Functions, marks and sizes that the code does without.

Each rule of RULES is a pattern that must not match code (comments and strings do not count) in
some folders, and the files where it may.
"""
import re
from fnmatch import fnmatch

import lint

EVERYWHERE = ("common/", "server/", "client/", "examples/", "tests/", "bench/")
PRODUCT = ("common/", "server/", "client/")
MAX_LINES = 700
SPDX = "SPDX-License-Identifier: Apache-2.0"


def call(*names):
    """A call of one of these functions; members of a struct by that name are something else."""
    return r"(?<![\w.>])(?:" + "|".join(names) + r")\s*\("


# (pattern, folders, files where it is allowed, what to do instead)
RULES = [
    (call("v?sprintf", "strcpy", "stpcpy", "strcat", "strncat", "strncpy", "strtok", "gets"),
     EVERYWHERE, [], "writes without knowing the room"),
    (call("atoi", "atol", "atoll", "atof"), EVERYWHERE, [], "cannot tell an error"),
    (call("alloca"), EVERYWHERE, [], "has no limit"),
    (call("malloc", "calloc", "realloc", "reallocarray", "free", "strdup", "strndup"), PRODUCT,
     ["common/base/mem.c", "client/cli/*"], "goes through common/base/mem.h"),
    (call("v?printf", "puts", "putchar") + r"|\bstdout\b", PRODUCT, ["client/cli/*"],
     "belongs to the command line"),
    (call("time", "clock", "clock_gettime", "gettimeofday", "timespec_get"), PRODUCT,
     ["common/base/clock.c", "client/cli/clock.c"], "goes through common/base/clock.h"),
    (call("exit", "_exit", "_Exit", "quick_exit", "signal", "sigaction", "setlocale", "setenv"),
     ("common/", "client/src/"), [], "is the program's to decide, not a library's"),
    (r"#\s*include\s*<ctype.h>", PRODUCT, [], "follows the locale; compare ASCII yourself"),
]
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def judge_rules(path, stripped):
    found = []
    for pattern, folders, allowed, reason in RULES:
        if not path.startswith(folders) or any(fnmatch(path, place) for place in allowed):
            continue
        for match in re.finditer(pattern, stripped):
            what = match.group(0).rstrip("( ")
            found.append(f"{path}:{lint.line_of(stripped, match.start())}: {what} {reason}")
    return found


def judge_text(path, text):
    found = []
    for match in MARKS.finditer(text):
        found.append(f"{path}:{lint.line_of(text, match.start())}: {match.group(0)}: do it or drop it")
    lines = text.count("\n")
    if lines > MAX_LINES:
        found.append(f"{path}:{lines}: more than {MAX_LINES} lines; split it")
    if SPDX not in text.split("\n", 1)[0]:
        found.append(f"{path}:1: the first line is not /* {SPDX} */")
    return found


def check(root):
    found = []
    for file, path in lint.sources(root):
        text = file.read_text()
        found += judge_rules(path, lint.strip(text)) + judge_text(path, text)
    return found


HEAD = f"/* {SPDX} */\n"
SAMPLES = {
    "clean": ({"server/a.c": HEAD + "int f(void);\n"}, None),
    "sprintf": ({"tests/a.c": HEAD + "void f(void)\n{\n    sprintf(a, b);\n}\n"}, "a.c:4: sprintf"),
    "snprintf": ({"server/a.c": HEAD + "snprintf(a, 1, b);\n"}, None),
    "vsprintf": ({"server/a.c": HEAD + "vsprintf(a, b, c);\n"}, "vsprintf"),
    "strtok_r": ({"server/a.c": HEAD + "strtok_r(a, b, &c);\n"}, None),
    "strcpy": ({"server/a.c": HEAD + "strcpy (a, b);\n"}, "strcpy"),
    "atoi": ({"server/a.c": HEAD + "atoi(a);\n"}, "atoi"),
    "alloca": ({"server/a.c": HEAD + "alloca(9);\n"}, "alloca"),
    "malloc": ({"client/src/a.c": HEAD + "p = malloc(9);\n"}, "malloc"),
    "malloc in mem.c": ({"common/base/mem.c": HEAD + "p = malloc(9);\n"}, None),
    "member free": ({"server/a.c": HEAD + "ops->free(p); ops.free(p); vts_mem_free(p);\n"}, None),
    "printf": ({"server/a.c": HEAD + 'printf("x");\n'}, "printf"),
    "fprintf stdout": ({"server/a.c": HEAD + 'fprintf(stdout, "x");\n'}, "stdout"),
    "printf in the command": ({"client/cli/a.c": HEAD + 'printf("x");\n'}, None),
    "time": ({"server/a.c": HEAD + "now = time(NULL);\n"}, "time"),
    "uptime": ({"server/a.c": HEAD + "now = uptime(NULL);\n"}, None),
    "clock_gettime": ({"client/src/a.c": HEAD + "clock_gettime(a, b);\n"}, "clock_gettime"),
    "exit in the library": ({"client/src/a.c": HEAD + "exit(1);\n"}, "exit"),
    "exit in the server": ({"server/a.c": HEAD + "exit(1);\n"}, None),
    "ctype": ({"common/wire/a.c": HEAD + "#include <ctype.h>\n"}, "locale"),
    "in a comment": ({"server/a.c": HEAD + "/* malloc(9) and\n strcpy() */\n"}, None),
    "in a string": ({"server/a.c": HEAD + 'f("\\"malloc(9)");\n'}, None),
    "mark": ({"server/a.c": HEAD + "/* TO" + "DO: x */\n"}, "a.c:2: TO" + "DO"),
    "longest": ({"server/a.c": HEAD + "\n" * (MAX_LINES - 1)}, None),
    "too long": ({"server/a.c": HEAD + "\n" * MAX_LINES}, "more than"),
    "no licence": ({"server/a.h": "int f(void);\n"}, "first line"),
}

if __name__ == "__main__":
    lint.main(check, SAMPLES)
