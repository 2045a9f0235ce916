#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads what a build leaves for scripts/test.sh.

count_tests.py RESULTS.xml    prints "PASSED FAILED" of a ctest run. A program that ends its output
                              with "NAME: N passed, N failed" counts so, any other as one.
count_tests.py --sources DIR  prints the C files of ours that the build in DIR compiles.
"""
import json
import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOREIGN = (ROOT / "generated", ROOT / "build")


def count_case(case):
    """(passed, failed) of one CTest test. One that failed has a failure, whatever it printed."""
    output = case.findtext("system-out") or ""
    lines = re.findall(r"^\S+: (\d+) passed, (\d+) failed$", output, re.MULTILINE)
    skipped = case.find("skipped")
    if skipped is not None and skipped.get("message", "").startswith("SKIP_"):
        return 0, 0
    has_failed = case.get("status") != "run"
    if not lines:
        return (0, 1) if has_failed else (1, 0)
    passed, failed = (int(number) for number in lines[-1])
    return passed, max(failed, 1) if has_failed else failed


def count(file):
    cases = [count_case(case) for case in xml.parse(file).iter("testcase")]
    print(sum(passed for passed, _ in cases), sum(failed for _, failed in cases))


def list_sources(folder):
    commands = json.loads((Path(folder) / "compile_commands.json").read_text())
    files = {Path(command["directory"], command["file"]).resolve() for command in commands}
    for file in sorted(files):
        if not file.is_relative_to(FOREIGN[0]) and not file.is_relative_to(FOREIGN[1]):
            print(file)


if __name__ == "__main__":
    if sys.argv[1] == "--sources":
        list_sources(sys.argv[2])
    else:
        count(sys.argv[1])
