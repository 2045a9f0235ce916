# SPDX-License-Identifier: Apache-2.0
"""The vtstatus command, run as people and scripts run it: VTSTATUS of the environment, against
anything with a url and certs.
"""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from pathlib import Path

from cases import check, equal
from vts_server import WAIT_S, scratch_folder

VTSTATUS = os.environ.get("VTSTATUS") or str(
    Path(__file__).resolve().parents[2] / "build/dev/bin/vtstatus")


# Empty, and a folder: what a job's command runs may write there.
_config_home = scratch_folder()


def environment(**more):
    """Ours, without what would change the command's behaviour."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith("VTSTATUS") and name not in ("NO_COLOR", "CLICOLOR_FORCE")}
    return {**env, "TERM": "xterm", "XDG_CONFIG_HOME": str(_config_home), **more}


def trust(server):
    return ("--url", server.url, "--cacert", str(server.certs / "ca.pem"))


def vtstatus(server, *arguments, env=None):
    return subprocess.run([VTSTATUS, *(trust(server) if server else ()), *arguments],
                          capture_output=True, text=True, timeout=WAIT_S, check=False,
                          stdin=subprocess.DEVNULL, env=env or environment())


def expect(result, code, *words):
    """Exit code; words that stderr has; no data on stdout where there is no answer."""
    equal(result.returncode, code, f"{result.args[1:]}: {result.stderr}")
    for word in words:
        check(word in result.stderr, f"no {word!r} in {result.stderr!r}")
    if words:
        check(result.stderr.startswith("vtstatus: "), repr(result.stderr))
        equal(len(result.stderr.splitlines()), 1, f"lines: {result.stderr!r}")


class Terminal:
    """The command on a terminal of its own: stderr always, stdout unless it is piped."""

    def __init__(self, server, *arguments, columns=100, pipes_stdout=False, **more):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        # A session of its own, so that its interrupt key reaches it alone.
        self.process = subprocess.Popen(
            [VTSTATUS, *trust(server), *arguments], stdin=slave, stderr=slave,
            stdout=subprocess.PIPE if pipes_stdout else slave, env=environment(**more),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.screen = ""

    def read_until(self, pattern):
        """None as pattern: until the end."""
        deadline = time.monotonic() + WAIT_S
        while pattern is None or not re.search(pattern, self.screen):
            left = deadline - time.monotonic()
            more = b""
            if left > 0 and select.select([self.master], [], [], left)[0]:
                try:
                    more = os.read(self.master, 65536)
                except OSError:  # the other side is closed
                    more = b""
            if not more:
                if pattern is None and left > 0:
                    break
                self.kill()
                raise AssertionError(f"no {pattern} on the terminal: {self.screen!r}")
            self.screen += more.decode(errors="replace")

    def finish(self):
        """Exit code; what it wrote is in screen, and in out what went into the pipe."""
        self.read_until(None)
        try:
            self.out, _ = self.process.communicate(timeout=WAIT_S)
        finally:
            self.kill()
        return self.process.returncode

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.master is not None:
            os.close(self.master)
            self.master = None


def last_line(screen):
    return screen.rstrip("\r\n").rsplit("\n", 1)[-1].rsplit("\r", 1)[-1].removeprefix("\x1b[K")
