#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what the stock clients found into docs/PROTOCOLS.md.

report-interop.py RESULTS.xml: the JUnit file of a ctest run with the label interop, such as
build/logs/dev.xml, which scripts/test.sh leaves. Cases are the lines "ok   NAME" and "FAIL NAME" of
each test; those that differ only in a peer's variant, as "connect_json_http2_watch", stand together.
"""
import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs/PROTOCOLS.md"
BEGIN, END = "<!-- interop: begin -->\n", "<!-- interop: end -->\n"
PEERS = {
    "browser_status": "grpc-web 1.5 and 2.1, connect-web, in headless Chromium",
    "buf_curl_status": "buf curl, three protocols, schema by reflection",
    "conformance": "the cases of the Connect conformance suite, as raw requests",
    "connect_node_status": "@connectrpc/connect-node",
    "curl_status": "curl",
    "examples": "the programs of examples/",
    "grpc_js_official": "@grpc/grpc-js, the official gRPC interop cases",
    "grpc_js_status": "@grpc/grpc-js",
    "grpcio_official": "python3-grpcio, the official gRPC interop cases",
    "grpcio_status": "python3-grpcio",
    "grpcpp_official": "grpc++, the official gRPC interop cases",
    "grpcpp_status": "grpc++",
    "raw_official": "raw requests, what the official cases leave out",
}
VARIANT = re.compile(r"^(?:(?:grpc_web|connect_web|grpcweb|connect|grpc|proto|json|get|post|http1\.1|"
                     r"http2|http1|1|2|text|binary|identity|gzip|tls|mtls)_)+")


def count(output, test):
    """{kind of case: [passed, failed]}. Tests of thousands of cases print sums instead of lines."""
    counts = {}
    for word, case in re.findall(r"^(ok  |FAIL) (\S+)", output, re.MULTILINE):
        kind = VARIANT.sub("", case.rstrip(":")).replace("_", " ")
        counts.setdefault(kind, [0, 0])[word != "ok  "] += 1
    if not counts:
        for kind, passed, failed in re.findall(r"^(\S+): (\d+) passed, (\d+) failed$", output,
                                               re.MULTILINE):
            if kind != test:
                counts[kind] = [int(passed), int(failed)]
    return counts


def read(file):
    """{test: {kind of case: [passed, failed]}}"""
    found = {}
    for test in xml.parse(file).iter("testcase"):
        name = test.get("name", "")
        if name.startswith("interop_"):
            found[name.removeprefix("interop_")] = count(test.findtext("system-out") or "", name)
    return found


def write(found):
    lines = ["| client | passed | of |", "|---|---|---|"]
    for test, counts in sorted(found.items()):
        passed = sum(pair[0] for pair in counts.values())
        failed = sum(pair[1] for pair in counts.values())
        lines.append(f"| {PEERS.get(test, test)} | {passed} | {passed + failed} |")
    lines.append("")
    for test, counts in sorted(found.items()):
        kinds = ", ".join(f"{kind} ({sum(pair)})" if sum(pair) > 1 else kind
                          for kind, pair in counts.items())
        lines += [f"**{PEERS.get(test, test)}**: {kinds}.", ""]
    return "\n".join(lines)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = read(sys.argv[1])
    if not found:
        sys.exit(f"{sys.argv[1]}: no test of stock clients ran")
    head, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(head + BEGIN + "\n" + write(found) + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
