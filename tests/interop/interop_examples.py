#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples do what they say, by the very commands of examples/README.md."""
import json
import os
import re
import shutil
import subprocess

import peers
from cases import case, check, equal, main
from driven_job import DrivenJob, is_watched_by
from vts_server import ROOT, WAIT_S, Server, scratch_folder, shared_certs

README = (ROOT / "examples/README.md").read_text()
STATUS_LINE = re.compile(r"(STATE_\w+|[A-Z]+) \d+ %( \w*)?")  # a browser shows no space at an end
FAILED = "delay=0s,error_rate=1,seed=3"
COMPILE_S = 120
tree = scratch_folder()


def commands_of(language):
    """The lines of the section's block, continued ones joined; what needs the network left out."""
    block = re.search(rf"^## {re.escape(language)}\n.*?^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    lines = block[1].replace("\\\n", " ").splitlines()
    return [line for line in lines if line != "npm install"]


def run(line, folder):
    """What the line prints, and its exit code. Debian's own programs come first."""
    environment = {**os.environ, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-c", line], cwd=folder, env=environment, timeout=COMPILE_S,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout, done.returncode


def build(language):
    """Runs all but the section's last command, in a copy; returns its folder and that command."""
    first, *steps, last = commands_of(language)
    folder = tree / "examples" / first.removeprefix("cd ")
    if (folder / "package.json").exists():
        (folder / "node_modules").symlink_to(peers.NODE / "node_modules")
    for line in steps:
        text, code = run(line, folder)
        equal(code, 0, f"{line}: {text}")
    return folder, last


def check_output(text):
    *statuses, last = text.strip().splitlines()
    check(len(statuses) > 1 and all(STATUS_LINE.fullmatch(line) for line in statuses), text)
    check(re.fullmatch(r"the result is at \S+", last), text)


def check_example(language):
    folder, line = build(language)
    with Server() as server:
        DrivenJob(server).go_on_once(is_watched_by(1))
        text, code = run(line.replace("localhost:5000", f"localhost:{server.port}"), folder)
    equal(code, 0, text)
    check_output(text)
    with Server("--simulate", FAILED) as server:
        here = line.replace("localhost:5000", f"localhost:{server.port}")
        text, code = run(here, folder)
        equal(code, 1, text)
        check("the job failed: " in text, text)
        text, code = run(here.replace(" default", " unknown"), folder)
        check(code == 1 and STATUS_LINE.search(text) is None, text)


@case
def python():
    check_example("Python")


@case
def cpp():
    check_example("C++")


@case
def node():
    check_example("Node")


@case
def browser():
    folder, serve = build("Browser")
    check(serve.startswith("python3 -m http.server"), serve)
    with peers.Pages(folder) as pages, \
            Server(*peers.allow_origin(pages.origin)) as server:
        DrivenJob(server).go_on_once(is_watched_by(1))
        shown = subprocess.run(
            ["/usr/bin/node", peers.NODE / "page_text.mjs", f"{pages.origin}/?server={server.url}",
             "the result is at"], capture_output=True, text=True, timeout=3 * WAIT_S, check=False)
    equal(shown.returncode, 0, shown.stderr)
    check_output(re.sub(r"\n+", "\n", shown.stdout))


@case
def packages_are_those_of_the_tests():
    ours = json.loads((peers.NODE / "package.json").read_text())["dependencies"]
    for folder in ("node", "browser"):
        theirs = json.loads((ROOT / f"examples/{folder}/package.json").read_text())["dependencies"]
        equal({name: ours.get(name) for name in theirs}, theirs, folder)


# The commands are for a project that lies around them: this is one, with nothing built in it yet.
for name in ("examples", "proto"):
    shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("gen", "node_modules"))
(tree / "certs").mkdir()
(tree / "certs/dev").symlink_to(shared_certs())
main(__file__)
