# SPDX-License-Identifier: Apache-2.0
"""Waits of the library's, as many at a time as one likes, by tests/integration/wait_orders.c.

    with Waits() as waits:
        wait = waits.begin(proxy, "auto", ["a"], deadline=30)
        wait.until(lambda: wait.revisions("a"))
        outcome = wait.finish()         # code, text, seconds

The program comes from the environment: VTS_WAIT_ORDERS. runner: words of a command that runs it.
"""
import os
import subprocess
import threading
from collections import namedtuple

from cases import check, equal
from vts_server import WAIT_S

Outcome = namedtuple("Outcome", "code text seconds")


class Wait:
    """events are what was told, as lists of words, in order."""

    def __init__(self, name, jobs, changed):
        self.name, self.jobs, self._changed = name, jobs, changed
        self.events, self.outcome = [], None

    def take(self, words):
        if words[0] == "outcome":
            self.outcome = Outcome(words[1], words[3], float(words[2]))
        else:
            self.events.append(words)

    def of_kind(self, kind):
        return [words for words in self.events if words[0] == kind]

    def revisions(self, job):
        return [int(words[2]) for words in self.of_kind("status") if words[1] == job]

    def finals(self, job):
        return [words for words in self.of_kind("status")
                if words[1] == job and words[5] == "final"]

    def until(self, condition, timeout=WAIT_S):
        with self._changed:
            if not self._changed.wait_for(lambda: condition() or self.outcome, timeout) \
                    or not condition():
                raise AssertionError(f"it never came; {self.story()}")

    def finish(self, timeout=2 * WAIT_S):
        with self._changed:
            if not self._changed.wait_for(lambda: self.outcome, timeout):
                raise AssertionError(f"it hangs; {self.story()}")
        return self.outcome

    def story(self):
        return f"{self.name}: {self.outcome} {self.events}"

    def expect_truth(self, **ends):
        """It ended well: of each job the end was told once, as {job: (revision, word)} has it, and
        no revision after a newer one."""
        equal(self.finish().code, "ok", self.story())
        for job, (revision, word) in ends.items():
            told = self.revisions(job)
            check(all(a < b for a, b in zip(told, told[1:])), f"out of order; {self.story()}")
            equal([(int(words[2]), words[3]) for words in self.finals(job)], [(revision, word)],
                  self.story())
            for words in self.of_kind("last"):
                if words[1] == job:
                    equal((int(words[2]), words[3]), (revision, word), self.story())


class Waits:
    def __init__(self, runner=()):
        self._changed, self._waits = threading.Condition(), {}
        self.process = subprocess.Popen(
            [*runner, os.environ["VTS_WAIT_ORDERS"]], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._readers = [threading.Thread(target=read, daemon=True)
                         for read in (self._read, self._read_errors)]
        self.errors = ""
        for reader in self._readers:
            reader.start()

    def _read(self):
        for line in self.process.stdout:
            name, *words = line.rstrip("\n").split("\t")
            with self._changed:
                self._waits[name].take(words)
                self._changed.notify_all()

    def _read_errors(self):
        self.errors = self.process.stderr.read()

    def order(self, *words):
        with self._changed:
            self.process.stdin.write("\t".join(map(str, words)) + "\n")
            self.process.stdin.flush()

    def begin(self, server, mode, jobs, how="call", deadline=60.0, max_failures=1000,
              request_timeout=5.0, after=0):
        with self._changed:
            wait = Wait(f"wait-{len(self._waits)}", jobs, self._changed)
            self._waits[wait.name] = wait
        self.order("wait", wait.name, how, server.url, server.certs / "ca.pem", mode, deadline,
                   max_failures, request_timeout, after, *jobs)
        return wait

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        """The program ends well, without a word of a sanitizer's."""
        is_well = kind is None or kind is SystemExit and error.code in (0, None)
        if not is_well:
            self.process.kill()
        self.process.stdin.close()
        try:
            code = self.process.wait(2 * WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("it hangs at its end")
        for reader in self._readers:
            reader.join(WAIT_S)
        if is_well:
            equal((code, self.errors), (0, ""))
