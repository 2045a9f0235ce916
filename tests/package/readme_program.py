#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The C program that the README prints: compiled with the README's command against an installed
tree, and run against a real server.

Usage: readme_program.py BUILD_DIR
"""
import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main  # noqa: E402
from vts_server import ROOT, WAIT_S, Server, scratch_folder  # noqa: E402

BUILD, sys.argv[1:] = sys.argv[1], []
README = (ROOT / "README.md").read_text()


def install():
    """The environment of a person who has installed the package into a folder."""
    prefix = scratch_folder() / "usr"
    for component in ("lib", "dev"):
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix, "--component", component],
                       check=True, stdout=subprocess.DEVNULL)
    library = next(prefix.rglob("libvtstatus.so")).parent
    return {**os.environ, "PKG_CONFIG_PATH": str(library / "pkgconfig"),
            "LD_LIBRARY_PATH": str(library)}


def compiled(program, env):
    folder = scratch_folder()
    (folder / "app.c").write_text(program)
    command = re.search(r"`(cc app\.c [^`]*)`", README).group(1)
    if os.environ.get("VTS_SANITIZE"):
        command += " -fsanitize=" + os.environ["VTS_SANITIZE"]
    result = subprocess.run(["sh", "-c", command + " -Wall -Wextra -Werror"], cwd=folder, env=env,
                            capture_output=True, text=True, check=False)
    equal((result.returncode, result.stderr), (0, ""))
    return folder / "a.out"


def replaced(program, old, new):
    equal(program.count(old), 1, old)
    return program.replace(old, new)


@case
def the_program_waits_for_a_job():
    printed = re.search(r"```c\n(.*?)```", README, re.DOTALL).group(1)
    check(len(printed.splitlines()) <= 25, "it is no short program any more")
    env = install()
    with Server("--simulate", "delay=300ms,error_rate=0") as server:
        program = replaced(printed, "https://localhost:5000", server.url)
        program = compiled(replaced(program, "certs/dev/ca.pem", str(server.certs / "ca.pem")), env)
        result = subprocess.run([program], env=env, capture_output=True, text=True, timeout=WAIT_S,
                                check=False)
        equal((result.returncode, result.stdout, result.stderr), (0, "completed\n", ""))
    result = subprocess.run([program], env=env, capture_output=True, text=True, timeout=WAIT_S,
                            check=False)
    equal(result.returncode, 5, "the server is gone")
    check("connection refused" in result.stdout, result.stdout)


if __name__ == "__main__":
    main(__file__)
