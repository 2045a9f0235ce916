#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `vtstatus completion` prints lets real shells complete, and covers every flag of the help."""
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main, skip  # noqa: E402
from command import environment, expect, vtstatus  # noqa: E402
from vts_server import WAIT_S, scratch_folder  # noqa: E402

SHELLS = ("bash", "zsh", "fish")
FLAG = re.compile(r"--[a-z][a-z-]*")


def needs(shell):
    if not shutil.which(shell):
        skip(f"there is no {shell}")


def script(shell):
    result = vtstatus(None, "completion", shell)
    expect(result, 0)
    return result.stdout


def script_file(shell):
    file = scratch_folder() / f"vtstatus.{shell}"
    file.write_text(script(shell))
    return file


class Shell:
    """An interactive one, in which vtstatus is a function that shows its arguments."""

    START = {
        "bash": (["bash", "--norc", "--noprofile", "-i"],
                 "bind 'set enable-bracketed-paste off'; bind 'set bell-style none'"),
        "zsh": (["zsh", "-f", "-i"], "unset zle_bracketed_paste; autoload -Uz compinit; compinit -D"),
    }

    def __init__(self, shell, folder):
        command, prepare = self.START[shell]
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave,
            env=environment(PS1="$ ", TERM="dumb", HISTFILE="/dev/null", INPUTRC="/dev/null", LC_ALL="C"),
            cwd=folder, start_new_session=True)
        os.close(slave)
        self.screen = ""
        self.send(prepare + "\n")
        self.send(f". {script_file(shell)}\n")
        self.send("vtstatus() { printf 'shown'; printf '<%s>' \"$@\"; echo; }; echo rea''dy\n")
        self.read_until("ready")

    def send(self, text):
        os.write(self.master, text.encode())

    def read_until(self, pattern):
        deadline = time.monotonic() + WAIT_S
        while not (found := re.search(pattern, self.screen)):
            left = deadline - time.monotonic()
            check(left > 0 and select.select([self.master], [], [], left)[0],
                  f"no {pattern} in {self.screen!r}")
            self.screen += os.read(self.master, 65536).decode(errors="replace")
        self.screen = self.screen[found.end():]
        return found

    def complete(self, line):
        """The words of a line whose tabs are typed."""
        self.send(line + "\n")
        return re.findall("<([^>]*)>", self.read_until(r"shown((<[^>]*>)+)\r?\n").group(1))

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@case
def bash_completes():
    folder = scratch_folder()
    (folder / "authority file.pem").write_text("x")
    bash = Shell("bash", folder)
    try:
        for line, words in (
                ("vtstatus pol\t", ["poll"]),
                ("vtstatus --out\tj\t serv\t", ["--output", "json", "services"]),
                ("vtstatus --output=j\t get", ["--output=json", "get"]),
                ("vtstatus -o t\tget", ["-o", "text", "get"]),
                ("vtstatus --url https://a:1 poll --inter\t5s", ["--url", "https://a:1", "poll",
                                                                 "--interval", "5s"]),
                ("vtstatus --url=https://a:1 watch --dead\t5s", ["--url=https://a:1", "watch",
                                                                 "--deadline", "5s"]),
                ("vtstatus list --state succ\t--old\t", ["list", "--state", "succeeded",
                                                         "--oldest-first"]),
                ("vtstatus --cacert auth\tget", ["--cacert", "authority file.pem", "get"]),
                ("vtstatus help canc\t", ["help", "cancel"]),
                ("vtstatus poll --policy heyg\t", ["poll", "--policy", "heygen-cli"]),
                ("vtstatus completion zs\t", ["completion", "zsh"]),
                ("vtstatus work -- auth\t", ["work", "--", "authority file.pem"]),
                # What another command takes, and what may not be guessed, stays as it is typed.
                ("vtstatus get --inter\t", ["get", "--inter"]),
                ("vtstatus get pol\t", ["get", "pol"]),
                ("vtstatus --url pol\t", ["--url", "pol"])):
            equal(bash.complete(line), words, line)
    finally:
        bash.close()


@case
def every_flag_of_the_help_is_completed():
    commands = re.findall(r"^  ([a-z]+) ", vtstatus(None, "--help").stdout, re.MULTILINE)
    commands = [name for name in commands if name not in ("vtstatus", "help")]
    check(len(commands) > 12, commands)
    bash, zsh, fish = (script(shell) for shell in SHELLS)
    for name in commands:
        text = vtstatus(None, "help", name).stdout
        entries = re.findall(r"^  (-.*?)(?:  |$)", text, re.MULTILINE)
        wanted = {flag for entry in entries for flag in FLAG.findall(entry)}
        part = re.search(rf"^    {name}\)\n.*?flags='(.*?)'", bash, re.MULTILINE | re.DOTALL)
        had = set(FLAG.findall(part.group(1)))
        equal(wanted - had - {"--explain"}, set(), f"flags of {name} that are not completed")
        part = re.search(rf"^    {name}\)\n(.*?);;", zsh, re.MULTILINE | re.DOTALL).group(1)
        equal(set(re.findall(r"(--[a-z-]+)=?\[", part)), had, f"flags of {name} in zsh")
        part = re.findall(rf"^complete -c vtstatus(?: -n '__fish_seen_subcommand_from {name}')?"
                          r"(?: -s \w)? -l ([a-z-]+)", fish, re.MULTILINE)
        equal({"--" + flag for flag in part} | {"--timeout"}, had | {"--timeout"},
              f"flags of {name} in fish")
    for line in fish.splitlines():
        check("-d ''" not in line, f"not explained: {line}")
    check("[]" not in zsh, "a flag is not explained")


def at_home():
    """An environment for shells, which write to where their configuration would be."""
    home = str(scratch_folder())
    return environment(HOME=home, XDG_CONFIG_HOME=home)


def takes_its_script(shell, check_only):
    needs(shell)
    result = subprocess.run([shell, check_only, script_file(shell)], capture_output=True, text=True,
                            check=False, timeout=WAIT_S, env=at_home())
    equal((result.returncode, result.stderr), (0, ""), shell)


@case
def bash_takes_its_script():
    takes_its_script("bash", "-n")


@case
def zsh_takes_its_script():
    takes_its_script("zsh", "-n")


@case
def fish_takes_its_script():
    takes_its_script("fish", "--no-execute")


@case
def what_is_explained_reads_as_a_whole():
    zsh, fish = script("zsh"), script("fish")
    for flag, words in (("mode", "how to be told"), ("state", "only jobs in this state"),
                        ("output", "how to show it"), ("job-id", "the job's id"),
                        ("policy", "the schedule of others, to compare")):
        told = re.search(rf"--{flag}=\[(.*?)\]", zsh).group(1).replace("'\\''", "'")
        equal(told, words, f"--{flag} in zsh")
        told = re.search(rf" -l {flag} .*-d '(.*)'$", fish, re.MULTILINE).group(1)
        equal(told.replace("\\'", "'"), words, f"--{flag} in fish")


@case
def fish_completes():
    needs("fish")
    file = script_file("fish")
    for line, words in (("vtstatus pol", ["poll"]), ("vtstatus poll --inter", ["--interval"]),
                        ("vtstatus get --inter", []), ("vtstatus -o j", ["json"]),
                        ("vtstatus list --state succ", ["succeeded"]),
                        ("vtstatus poll --policy heyg", ["heygen-cli"]),
                        ("vtstatus help canc", ["cancel"])):
        result = subprocess.run(["fish", "--no-config", "-c", f"source {file}; complete -C '{line}'"],
                                capture_output=True, text=True, check=False, timeout=WAIT_S,
                                env=at_home())
        equal([one.split("\t")[0] for one in result.stdout.splitlines()], words, line)


@case
def zsh_completes():
    needs("zsh")
    folder = scratch_folder()
    (folder / "video.mp4").write_text("x")
    zsh = Shell("zsh", folder)
    try:
        for line, words in (
                ("vtstatus pol\t", ["poll"]),
                ("vtstatus --out\tj\tserv\t", ["--output=json", "services"]),
                ("vtstatus --url https://a:1 poll --inter\t5s", ["--url", "https://a:1", "poll",
                                                                 "--interval=5s"]),
                ("vtstatus list --state succ\t--old\t", ["list", "--state", "succeeded",
                                                         "--oldest-first"]),
                ("vtstatus help canc\t", ["help", "cancel"]),
                ("vtstatus completion zs\t", ["completion", "zsh"]),
                ("vtstatus poll --policy heyg\t", ["poll", "--policy", "heygen-cli"]),
                ("vtstatus work -- mkfif\t", ["work", "--", "mkfifo"]),
                ("vtstatus work mkfif\t", ["work", "mkfifo"]),
                ("vtstatus work --until\t-- cat vid\t", ["work", "--until-idle", "--", "cat",
                                                        "video.mp4"]),
                ("vtstatus get --inter\t", ["get", "--inter"])):
            equal(zsh.complete(line), words, line)
    finally:
        zsh.close()


@case
def other_shells_are_refused():
    expect(vtstatus(None, "completion", "csh"), 2, "bash, zsh and fish")
    expect(vtstatus(None, "completion"), 2, "a shell")


main(__file__)
