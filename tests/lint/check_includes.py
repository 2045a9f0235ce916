#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include whom.

A layer is a folder. It may include itself, the C library, and what LAYERS gives it; a library of
others only where THIRD_PARTY says. Includes of ours start at the project's root.
"""
import re
from fnmatch import fnmatch

import lint

BASE = "common/base/"
WIRE = "common/wire/"
GENERATED = "generated/"
PUBLIC = "client/include/"

LAYERS = {
    "common/base/": [],
    "common/wire/": [BASE, GENERATED],
    "server/obs/": [BASE],
    "server/io/": [BASE, "server/obs/"],
    "server/guard/": [BASE, "server/obs/", "common/wire/metadata.h"],
    "server/http/": [BASE, "server/obs/", "server/io/", "server/guard/"],
    "server/jobs/": [BASE, WIRE, GENERATED, "server/obs/"],
    "server/store/": [BASE, GENERATED, "server/obs/", "server/jobs/job.h", "server/jobs/store.h"],
    "server/rpc/": [BASE, WIRE, GENERATED, "server/obs/", "server/http/", "server/guard/",
                    "server/io/timer.h"],
    "server/service/": [BASE, WIRE, GENERATED, "server/obs/", "server/rpc/", "server/jobs/"],
    "server/app/": ["server/", "common/", GENERATED],
    "server/main.c": ["server/", "common/", GENERATED],
    "client/include/": [],
    "client/src/": [BASE, WIRE, GENERATED, PUBLIC],
    "client/cli/": [PUBLIC],
    "examples/": [PUBLIC],
    "tests/": [""],
    "bench/": [""],
}

# Headers of others: where each may be included.
THIRD_PARTY = {
    "nghttp2/*": ["server/http/h2*"],
    "http_parser.h": ["server/http/h1*"],
    "uv.h": ["server/io/*", "examples/c/wait_libuv.c"],
    "ev.h": ["examples/c/wait_libev.c"],
    "openssl/*": ["server/io/tls*", "server/io/transport*.c"],
    "curl/*": ["client/src/transport_curl*.c"],
    "uthash.h": ["server/jobs/watch_hub.c", "server/store/store_memory.c"],
    "sqlite3.h": ["server/store/store_sqlite*.c"],
    "jansson.h": ["common/wire/error_json.c"],
    "zlib.h": ["common/wire/gzip.c"],
    "protobuf-c/*": ["common/wire/*", "server/jobs/*", "server/store/*", "server/rpc/*",
                     "server/service/*", "client/src/*"],
}

# Libraries that a header may show to the files that start so, and to no others.
HIDDEN = {"uv.h": "server/io/", "openssl/*": "server/io/", "nghttp2/*": "server/http/h2",
          "http_parser.h": "server/http/h1"}

C_LIBRARY = set(
    # C11
    "assert ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg "
    "stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar "
    "wchar wctype complex "
    # POSIX and Linux
    "dirent dlfcn endian fcntl fnmatch getopt glob grp ifaddrs langinfo libgen malloc netdb poll "
    "pthread pwd regex sched semaphore spawn strings syslog termios unistd".split())
C_LIBRARY_FOLDERS = ("arpa/", "linux/", "net/", "netinet/", "sys/")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)


def is_c_library(name):
    return name[:-2] in C_LIBRARY or name.startswith(C_LIBRARY_FOLDERS)


def resolve(root, name):
    """The file of ours that an include names, relative to the root; None when it is none."""
    for prefix in ("", GENERATED, PUBLIC):
        if (root / prefix / name).is_file():
            return prefix + name
    return None


def layer_of(path):
    matches = [layer for layer in LAYERS if path.startswith(layer)]
    return max(matches, key=len) if matches else None


def judge_own(path, layer, target):
    if target.startswith((layer, *LAYERS[layer])):
        return None
    return f"{layer} may not include {target}"


def judge_foreign(root, path, name):
    if is_c_library(name):
        return None
    if (root / path).parent.joinpath(name).is_file():
        return f"{name}: includes start at the project's root"
    for pattern, places in THIRD_PARTY.items():
        if fnmatch(name, pattern):
            allowed = any(fnmatch(path, place) for place in places)
            return None if allowed else f"{name} may be included only in {', '.join(places)}"
    return f"{name} is no header of the C library, nor in the table of third-party headers"


def includes_of(text):
    stripped = lint.strip(text, keep_strings=True)
    return [(lint.line_of(stripped, m.start()), m.group(2)) for m in INCLUDE.finditer(stripped)]


def shown_by(path, graph):
    """Every include a file brings, its own and those of the headers it includes."""
    names, todo, seen = set(), [path], set()
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        for _, name, target in graph.get(at, []):
            names.add(name)
            todo += [target] if target else []
    return names


def leaks(path, graph):
    """Complaints of libraries that reach a file they must stay hidden from."""
    found = []
    for pattern, prefix in HIDDEN.items():
        if path.startswith((prefix, "tests/", "bench/", "examples/")):
            continue
        for line, _, target in graph[path]:
            if target and any(fnmatch(name, pattern) for name in shown_by(target, graph)):
                found.append(f"{path}:{line}: {target} shows {pattern} outside {prefix}*")
    return found


def judge_file(root, path, graph):
    layer = layer_of(path)
    if layer is None:
        return [f"{path}:1: this folder is in no layer"]
    found = []
    for line, name, target in graph[path]:
        if target:
            complaint = judge_own(path, layer, target)
        elif LAYERS[layer] == [""]:
            complaint = None
        else:
            complaint = judge_foreign(root, path, name)
        found += [f"{path}:{line}: {complaint}"] if complaint else []
    return found + leaks(path, graph)


def check(root):
    graph = {}
    for file, path in lint.sources(root):
        graph[path] = [(line, name, resolve(root, name)) for line, name in
                       includes_of(file.read_text())]
    return [complaint for path in graph for complaint in judge_file(root, path, graph)]


SAMPLES = {
    "downward": ({"server/http/conn.c": '#include "common/base/buf.h"\n#include <stdio.h>\n',
                  "common/base/buf.h": ""}, None),
    "upward": ({"common/base/buf.c": '#include "server/obs/log.h"\n', "server/obs/log.h": ""},
               "common/base/ may not include server/obs/log.h"),
    "sideways": ({"server/jobs/keeper.c": '#include "server/http/conn.h"\n',
                  "server/http/conn.h": ""}, "server/jobs/ may not include"),
    "one header of a layer": ({"server/rpc/call.c": '#include "server/io/timer.h"\n',
                               "server/io/timer.h": ""}, None),
    "another header of it": ({"server/rpc/call.c": '#include "server/io/loop.h"\n',
                              "server/io/loop.h": ""}, "server/rpc/ may not include"),
    "angle brackets": ({"common/base/buf.c": "#include <server/obs/log.h>\n",
                        "server/obs/log.h": ""}, "may not include"),
    "generated": ({"server/obs/log.c": '#include "vtstatus/v1/job.pb-c.h"\n',
                   "generated/vtstatus/v1/job.pb-c.h": ""}, "may not include generated/"),
    "the command's own door": ({"client/cli/main.c": '#include "client/src/client.h"\n',
                                "client/src/client.h": ""}, "client/cli/ may not include"),
    "the public header": ({"client/cli/main.c": "#include <vtstatus/client.h>\n",
                           "client/include/vtstatus/client.h": ""}, None),
    "beside the file": ({"server/obs/log.c": '#include "log.h"\n', "server/obs/log.h": ""},
                        "start at the project's root"),
    "third party at home": ({"server/http/h2_send.c": "#include <nghttp2/nghttp2.h>\n"}, None),
    "third party abroad": ({"server/http/conn.c": "#include <nghttp2/nghttp2.h>\n"},
                           "only in server/http/h2*"),
    "third party unknown": ({"server/obs/log.c": "#include <zstd.h>\n"}, "third-party"),
    "uv shown": ({"server/io/loop_uv.h": "#include <uv.h>\n",
                  "server/io/loop.h": '#include "server/io/loop_uv.h"\n',
                  "server/http/conn.c": '#include "server/io/loop.h"\n'}, "shows uv.h"),
    "in a comment": ({"common/base/buf.c": '/*\n#include "server/obs/log.h"\n*/\n',
                      "server/obs/log.h": ""}, None),
    "new folder": ({"server/magic/wand.c": ""}, "in no layer"),
    "tests": ({"tests/unit/test_x.c": '#include "server/io/loop.h"\n#include <CUnit/CUnit.h>\n',
               "server/io/loop.h": "#include <uv.h>\n"}, None),
}

if __name__ == "__main__":
    lint.main(check, SAMPLES)
