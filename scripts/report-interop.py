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
}
VARIANT = re.compile(r"^(?:(?:grpc_web|connect_web|grpcweb|connect|grpc|proto|json|get|post|http1\.1|"
                     r"http2|http1|1|2|text|binary|identity|gzip|tls|mtls)_)+")


def read(file):
    """{test: [(case, has passed)]}"""
    found = {}
    for test in xml.parse(file).iter("testcase"):
        name = test.get("name", "")
        if not name.startswith("interop_"):
            continue
        output = test.findtext("system-out") or ""
        cases = re.findall(r"^(ok  |FAIL) (\S+)", output, re.MULTILINE)
        found[name.removeprefix("interop_")] = [(case.rstrip(":"), word == "ok  ")
                                                for word, case in cases]
    return found


def kinds(cases):
    """The cases without their variants, with how many there are of each."""
    counts = {}
    for case, _ in cases:
        kind = VARIANT.sub("", case).replace("_", " ")
        counts[kind] = counts.get(kind, 0) + 1
    return ", ".join(f"{kind} ({count})" if count > 1 else kind for kind, count in counts.items())


def write(found):
    lines = ["| client | passed | of |", "|---|---|---|"]
    for test, cases in sorted(found.items()):
        passed = sum(has_passed for _, has_passed in cases)
        lines.append(f"| {PEERS.get(test, test)} | {passed} | {len(cases)} |")
    lines.append("")
    for test, cases in sorted(found.items()):
        lines += [f"**{PEERS.get(test, test)}**: {kinds(cases)}.", ""]
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
