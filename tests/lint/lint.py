# SPDX-License-Identifier: Apache-2.0
"""What the checks of this folder share.

A check is a function from a project's root to a list of complaints, "file:line: what". Each brings
samples, small trees of files with a word its complaint must hold, or None for a tree without
fault; they run first, so that a check that can no longer fail is noticed.
"""
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE_FOLDERS = ("common", "server", "client", "examples", "tests", "bench")


def sources(root, suffixes=(".c", ".h", ".def")):
    """The source files of ours below root, as (path, path relative to root)."""
    found = []
    for folder in SOURCE_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file() and "node_modules" not in path.parts:
                found.append((path, path.relative_to(root).as_posix()))
    return found


def strip(text, keep_strings=False):
    """The C source with comments, and the insides of strings, as blanks; lines stay lines."""

    def blank(match):
        token = match.group(0)
        if token[0] in "\"'":
            return token if keep_strings else token[0] + " " * (len(token) - 2) + token[-1]
        return re.sub(r"[^\n]", " ", token)

    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, blank, text, flags=re.DOTALL)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def write_tree(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def run_sample(check, name, files, expected):
    """None when the check judges the sample rightly, otherwise what it did instead."""
    with tempfile.TemporaryDirectory() as scratch:
        write_tree(Path(scratch), files)
        complaints = check(Path(scratch))
    if expected is None:
        return f"sample {name}: complains of {complaints}" if complaints else None
    if len(complaints) == 1 and expected in complaints[0]:
        return None
    return f"sample {name}: wanted one complaint with '{expected}', got {complaints}"


def main(check, samples):
    """Runs the samples and then the check on the project; ends the process."""
    failures = []
    passed = 0
    for name, (files, expected) in samples.items():
        failure = run_sample(check, name, files, expected)
        failures += [failure] if failure else []
        passed += 0 if failure else 1
    complaints = check(ROOT)
    passed += 0 if complaints else 1
    failed = len(failures) + (1 if complaints else 0)
    for line in failures + complaints:
        print(line)
    print(f"{Path(sys.argv[0]).stem}: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
