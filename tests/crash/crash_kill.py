# SPDX-License-Identifier: Apache-2.0
"""Kills a vtstatusd at random points, restarts it on its file, and looks whether it kept its word.

    crash_kill.py [--rounds N] [--seed S] [--folder F]

Clients submit jobs, lease them, report on them, decide over them and watch them, all the time. A round
ends in SIGKILL; the next begins with a restart, and with a look at every job: what was acknowledged,
or only seen, must be there. After some rounds all jobs are worked to their end, everything is compared
once more after a last kill, SQLite checks the file, and the next rounds have a new one, since each
deleted job stays in a file for a day and makes starting slower. history.py has the promises.

The same seed gives the same clients; where exactly the server dies is up to the machine. Files are in
F, which is made, and stay there; without it they are in a folder that goes away.
"""
import argparse
import asyncio
import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from clients import NEWS, WRITES, World, hire  # noqa: E402
from history import Broken, History  # noqa: E402
from vts_server import (IS_SANITIZED, SANITIZER_MARKS, WAIT_S, Server, ServerFailed,  # noqa: E402
                        client_context, default_binary, scratch_folder, shared_certs)
from wire import LOST, Wire  # noqa: E402

ROUNDS_OF_A_FILE = 40
ROUND_S = 0.6 if IS_SANITIZED else 0.15  # the longest one
START_S = 0.1 if IS_SANITIZED else 0.02  # about as long as a start takes
TELL_S = 0.1  # how long to wait for the answer to kill it at
COPY_S = 0.01  # about as long as it takes to copy the log into the file
COPIED_BYTES = 5 << 20  # a log that is surely long enough to be copied in a quiet moment
PAGE = 1000  # jobs in one call


class Trial:
    """Rounds on one file."""

    def __init__(self, path, seed):
        self.path, self.random = path, random.Random(seed)
        self.flags = ("--store", f"sqlite:{path}", "--threads", "2")
        self.history, self.server = History(), None
        self.starts_killed = self.copies_killed = 0
        self.start()
        self.first_size = path.stat().st_size
        self.context = client_context(shared_certs())
        self.world = World(self.history, self.context, self.server.port, seed, self.kill)

    # ---- the server ----

    def start(self):
        port = self.server.port if self.server else 0
        self.server = Server(*self.flags, listen=f"127.0.0.1:{port}")

    def kill(self):
        """Once a round, whoever comes first."""
        if not self.world.up.is_set():
            return
        self.world.go_down()
        self.server.kill()
        log = self.server.raw_log()
        if any(mark in line for line in log for mark in SANITIZER_MARKS):
            raise Broken("\n".join(log))

    async def restart(self):
        if self.random.random() < 0.1:
            self.kill_a_start()
        self.start()
        await self.look_at_all()
        self.world.go_up()

    def kill_a_start(self):
        """A start may be where it dies, too."""
        certs = shared_certs()
        process = subprocess.Popen(
            [default_binary(), "--listen", f"127.0.0.1:{self.server.port}", "--cert",
             certs / "server.pem", "--key", certs / "server-key.pem", *self.flags],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(self.random.uniform(0, START_S))
            raise Broken(f"a start ended by itself, with {process.returncode}")
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self.starts_killed += 1

    # ---- looking ----

    async def ask(self, wire, method, request):
        answer = await wire.call(method, request)
        if answer is LOST or answer.reason:
            raise Broken(f"{method} after a restart: {answer and answer.reason}")
        return answer.body

    async def look_at_all(self):
        """Every status, while no other client asks."""
        wire, names = Wire(self.context, self.server.port), list(self.history.jobs)
        for at in range(0, len(names), PAGE):
            body = await self.ask(wire, "StatusService/BatchGetStatus",
                                  {"jobIds": names[at:at + PAGE]})
            for result in body["results"]:
                self.look_at(self.history.jobs[result["jobId"]], result)
        wire.close()

    def look_at(self, job, result):
        if "error" in result:
            self.history.miss(job, result["error"]["message"])
            return
        self.history.see(job, result["status"], job.floor())
        self.history.check_lease_kept(job, result["status"])
        job.is_delete_sent = False  # that one was lost

    async def look_at_the_end(self):
        """Nothing happens any more: every job is as it was seen last, and there is no other."""
        wire, listed, token = Wire(self.context, self.server.port), {}, ""
        while token is not None:
            body = await self.ask(wire, "JobService/ListJobs",
                                  {"pageSize": PAGE // 2, "pageToken": token})
            listed.update((told["id"], told) for told in body.get("jobs", ()))
            token = body.get("nextPageToken")
        wire.close()
        if missing := set(self.history.present) - set(listed):
            raise Broken(f"they are not in the list: {missing}")
        if strange := set(listed) - set(self.history.present):
            raise Broken(f"they are in the list, and should not be: {strange}")
        for name, told in listed.items():
            job = self.history.jobs[name]
            top = job.top
            self.history.meet(told, job.floor())
            self.history.check_attempts(job, told)
            if not told["status"].get("done") or job.top != top:
                job.fail(f"it was over, and is {told['status']}")

    def check_file(self):
        with sqlite3.connect(self.path) as file:
            result = file.execute("PRAGMA integrity_check").fetchall()
        file.close()
        if result != [("ok",)]:
            raise Broken(f"the file {self.path}: {result}")

    # ---- rounds ----

    async def run(self, rounds):
        self.world.go_up()
        tasks = [asyncio.create_task(client.run()) for client in hire(self.world)]
        try:
            for _ in range(rounds):
                await self.watch_over(tasks, self.random.uniform(0, ROUND_S))
                await self.choose_a_point(tasks)
                self.kill()
                await self.restart()
            await self.drain(tasks)
            self.kill()
            await self.restart()
            await self.look_at_the_end()
        finally:
            for task in tasks:
                task.cancel()
        self.server.stop()
        self.check_file()

    async def watch_over(self, tasks, seconds):
        """Lets the clients work; raises what one of them does."""
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    async def choose_a_point(self, tasks):
        """Now, or when one of the next answers comes, perhaps before what it tells is durable. A
        request for many jobs makes that take longest."""
        mood, world = self.random.random(), self.world
        if mood < 0.2:
            return
        methods, most = (WRITES, 20) if mood < 0.6 else (NEWS, 3)
        world.arm("JobService/CreateJobs" if self.random.random() < 0.75 else "", methods,
                  self.random.randint(1, most))
        down = asyncio.create_task(world.down.wait())
        done, _ = await asyncio.wait([*tasks, down], timeout=TELL_S,
                                     return_when=asyncio.FIRST_COMPLETED)
        down.cancel()
        for task in done:
            task.result()

    async def drain(self, tasks):
        """Works all jobs to their end. In the quiet that follows, the server copies its log into the
        file, and dies of it."""
        self.world.is_draining, deadline = True, time.monotonic() + WAIT_S
        while (live := self.world.live()) or self.is_log_to_copy():
            await self.watch_over(tasks, 0.001)
            if self.is_log_copied() and not self.copies_killed:
                await self.watch_over(tasks, self.random.uniform(0, COPY_S))
                self.copies_killed += 1
                self.kill()
                await self.restart()
            if time.monotonic() > deadline and live:
                live[0].fail(f"it does not end, like {len(live) - 1} more")
            if time.monotonic() > deadline:
                raise Broken("the log is never copied into the file")
        self.world.is_over = True
        await asyncio.gather(*tasks)

    def is_log_copied(self):
        return self.path.stat().st_size > self.first_size

    def is_log_to_copy(self):
        log = self.path.with_name(self.path.name + "-wal")
        return not self.is_log_copied() and log.stat().st_size > COPIED_BYTES


def play(rounds, seed, folder):
    figures, start = {}, time.monotonic()
    for number, at in enumerate(range(0, rounds, ROUNDS_OF_A_FILE)):
        count = min(ROUNDS_OF_A_FILE, rounds - at)
        trial = Trial(folder / f"jobs-{number}.db", f"{seed}-{number}")
        asyncio.run(trial.run(count))
        print(f"{at + count} rounds in {time.monotonic() - start:.0f} s", flush=True)
        jobs = trial.history.jobs.values()
        for name, number_of in (
                ("kills", trial.world.kills + trial.starts_killed),
                ("of them in a start", trial.starts_killed),
                ("while the log was copied", trial.copies_killed), ("calls", trial.world.calls),
                ("calls cut off", trial.world.lost), ("jobs", len(jobs)),
                ("revisions", sum(len(job.revisions) for job in jobs)),
                ("leases", sum(len(job.leases) for job in jobs)),
                ("ends", sum(len(job.ends) for job in jobs)),
                ("deletions", sum(job.is_gone for job in jobs))):
            figures[name] = figures.get(name, 0) + number_of
    told = ", ".join(f"{count} {name}" for name, count in figures.items())
    print(told)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    if options.folder:
        options.folder.mkdir(parents=True)
    try:
        play(options.rounds, options.seed, options.folder or scratch_folder())
    except (Broken, ServerFailed) as broken:
        print(f"FAIL {broken}")
        print("crash_kill: 0 passed, 1 failed")
        sys.exit(os.EX_SOFTWARE)
    print("crash_kill: 1 passed, 0 failed")


main()
