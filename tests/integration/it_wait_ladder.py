#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Waiting where something stands between: streams that are refused, held back or cut, requests that
are not held or cut, answers that are lost. Whatever it is, each change is told once, and the end."""
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main, wait_until  # noqa: E402
from command import VTSTATUS, environment, expect, trust, vtstatus  # noqa: E402
from job_stub import (ALWAYS, CUT, HELD_BACK, LOST, RUNNING, STOP, SUCCEEDED,  # noqa: E402
                      Refusal, StubServer, make)
from vts_server import WAIT_S  # noqa: E402

GATEWAY_405 = (b"HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/html\r\n"
               b"Content-Length: 3\r\n\r\nno\n")
GATEWAY_503 = (b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Type: text/html\r\n"
               b"Content-Length: 3\r\n\r\nno\n")


class Waiting:
    """A `vtstatus watch` that is under way."""

    def __init__(self, stub, *words):
        self.stub = stub
        self.process = subprocess.Popen(
            [VTSTATUS, *trust(stub), "--verbose", "watch", *words], env=environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def first_line(self):
        return self.process.stdout.readline()

    def finish(self):
        try:
            self.out, self.log = self.process.communicate(timeout=WAIT_S)
        finally:
            self.process.kill()
            self.process.wait()
        return self.process.returncode


def submit(stub, *job_ids):
    for job_id in job_ids:
        with stub.jobs.changed:
            stub.jobs.CreateJob(make("CreateJobRequest", job_id=job_id, request_id=job_id))


def change(stub, job_id, state):
    with stub.jobs.changed:
        stub.jobs.change(stub.jobs.jobs[job_id], state)


def calls(stub, method):
    return [fields for name, fields in stub.calls if name == method]


def held(stub):
    return [fields for fields in calls(stub, "status") if "prefer" in fields]


def play(stub, *words, job="a"):
    """A wait from beginning to end, in which the job runs and succeeds; nothing may be missed that
    was there for long, and nothing told twice."""
    submit(stub, job)
    waiting = Waiting(stub, *words, job)
    check("not started yet" in waiting.first_line(), "no first line")
    change(stub, job, RUNNING)
    check("0 %" in waiting.first_line(), "no second line")
    change(stub, job, SUCCEEDED)
    equal(waiting.finish(), 0, waiting.log)
    equal(waiting.out, f"{job}: completed\n", "told twice?")
    return waiting


# ---- streams that do not pass ---------------------------------------------------------------

@case
def a_stream_that_passes_is_all_there_is():
    with StubServer(tls=False) as stub:
        play(stub, "--mode", "auto")
        equal([name for name, _ in stub.calls], ["WatchStatus"])


@case
def streams_that_are_refused_give_way_to_long_polls():
    for refusal in (GATEWAY_405, Refusal(12, "no such method")):
        with StubServer(tls=False) as stub:
            stub.faults["WatchStatus"] = [refusal, ALWAYS]
            waiting = play(stub, "--mode", "auto")
            equal(len(calls(stub, "WatchStatus")), 1)
            check("going down to long-poll" in waiting.log, waiting.log)
            check(len(held(stub)) >= 2, stub.calls)
            check("trying again" not in waiting.log, waiting.log)


@case
def streams_that_are_held_back_give_way():
    with StubServer(tls=False) as stub:
        stub.faults["WatchStatus"] = [HELD_BACK, ALWAYS]
        waiting = play(stub, "--mode", "auto", "--request-timeout", "1s")
        check("said nothing" in waiting.log, waiting.log)


@case
def a_young_stream_is_not_relied_upon():
    with StubServer(tls=False) as stub:
        stub.faults["WatchStatus"] = [HELD_BACK, ALWAYS]
        submit(stub, "a")
        change(stub, "a", SUCCEEDED)
        started = time.monotonic()
        waiting = Waiting(stub, "--mode", "auto", "a")
        equal(waiting.finish(), 0, waiting.log)
        check(time.monotonic() - started < 9, "it waited for the stream to fail")  # after 10 s


@case
def streams_that_are_cut_again_and_again_give_way():
    with StubServer(tls=False) as stub:
        stub.faults["WatchStatus"] = [CUT, ALWAYS]
        waiting = play(stub, "--mode", "auto")
        check(len(calls(stub, "WatchStatus")) <= 3, stub.calls)
        check("trying again" not in waiting.log, waiting.log)


@case
def a_stream_that_is_cut_once_is_opened_again():
    with StubServer(tls=False) as stub:
        stub.faults["WatchStatus"] = [CUT]
        play(stub, "--mode", "auto")
        equal([name for name, _ in stub.calls], ["WatchStatus"] * 2)


@case
def a_server_that_stops_is_come_back_to():
    with StubServer(tls=False) as stub:
        stub.faults["WatchStatus"] = [STOP] * 4
        waiting = play(stub, "--mode", "auto")
        check("going down" not in waiting.log and "trying again" not in waiting.log, waiting.log)


@case
def a_server_without_room_for_watches_is_polled():
    with StubServer(tls=False) as stub:
        stub.faults["WatchStatus"] = [Refusal(8, "too many"), ALWAYS]
        waiting = play(stub, "--mode", "auto")
        equal(held(stub), [])
        check("going down to poll" in waiting.log, waiting.log)


@case
def streams_by_an_older_http_are_not_taken_for_streams():
    with StubServer() as stub:
        waiting = play(stub, "--mode", "auto")
        check("does not speak HTTP/2" in waiting.log, waiting.log)
        check(len(held(stub)) >= 2, stub.calls)
        expect(vtstatus(stub, "watch", "--max-failures", "1", "a"), 3, "does not speak HTTP/2",
               "--mode auto does without")


@case
def many_jobs_are_polled_together():
    with StubServer(tls=False) as stub:
        jobs = [f"job-{i}" for i in range(40)]
        stub.faults["WatchStatuses"] = [GATEWAY_405, ALWAYS]
        submit(stub, *jobs)
        waiting = Waiting(stub, "--mode", "auto", *jobs, "nobody")
        wait_until(lambda: len(calls(stub, "BatchGetStatus")) == 1, "a batch")
        for job in jobs:
            change(stub, job, SUCCEEDED)
        equal(waiting.finish(), 5, waiting.log)
        equal(sorted(line for line in waiting.out.splitlines() if "completed" in line),
              sorted(f"{job}: completed" for job in jobs))
        check("knows no job 'nobody'" in waiting.log, waiting.log)
        equal(held(stub) + calls(stub, "status"), [])


# ---- requests that are not held -------------------------------------------------------------

@case
def requests_that_are_not_held_give_way_to_polls():
    with StubServer(tls=False) as stub:
        stub.faults["WatchStatus"] = [GATEWAY_405, ALWAYS]
        stub.ignores_prefer = True
        submit(stub, "a")
        waiting = Waiting(stub, "--mode", "auto", "a")
        waiting.first_line()
        wait_until(lambda: len(calls(stub, "status")) >= 4, "a poll")
        change(stub, "a", SUCCEEDED)
        equal(waiting.finish(), 0, waiting.log)
        equal(len(held(stub)), 1)
        check("does not hold" in waiting.log and "going down to poll" in waiting.log, waiting.log)


@case
def requests_that_are_cut_give_way_to_polls():
    with StubServer(tls=False) as stub:
        stub.faults["WatchStatus"] = [GATEWAY_405, ALWAYS]
        stub.longest_hold_s = 4
        submit(stub, "a")
        waiting = Waiting(stub, "--mode", "auto", "a")
        waiting.first_line()
        wait_until(lambda: len(calls(stub, "status")) >= 3, "a poll")
        change(stub, "a", SUCCEEDED)
        equal(waiting.finish(), 0, waiting.log)
        equal(len(held(stub)), 1)
        check("trying again" not in waiting.log, waiting.log)


@case
def requests_that_are_cut_become_shorter():
    with StubServer(tls=False) as stub:
        stub.longest_hold_s = 7
        submit(stub, "a")
        waiting = Waiting(stub, "--mode", "long-poll", "a")
        waiting.first_line()
        wait_until(lambda: len(held(stub)) == 2, "a second one", timeout=30)
        change(stub, "a", SUCCEEDED)
        equal(waiting.finish(), 0, waiting.log)
        equal([fields["prefer"] for fields in held(stub)], ["wait=120", "wait=5"])


# ---- answers that do not come ---------------------------------------------------------------

@case
def lost_answers_are_asked_for_again():
    for mode in ("long-poll", "poll"):
        with StubServer(tls=False) as stub:
            stub.faults["status"] = [LOST, b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", LOST]
            waiting = play(stub, "--mode", mode)
            # What a kept connection loses, libcurl sends again.
            check(2 <= len(re.findall("trying again in", waiting.log)) <= 3, waiting.log)


@case
def too_many_failures_are_the_end():
    for mode, method in (("poll", "status"), ("long-poll", "status"), ("watch", "WatchStatus"),
                         ("auto", "status")):
        with StubServer(tls=False) as stub:
            stub.faults["WatchStatus"] = [GATEWAY_503, ALWAYS]
            stub.faults["status"] = [GATEWAY_503, ALWAYS]
            submit(stub, "a")
            waiting = Waiting(stub, "--mode", mode, "--max-failures", "3", "a")
            equal(waiting.finish(), 3, waiting.log)
            check("3 tries in a row failed" in waiting.log, waiting.log)
            if mode != "auto":
                equal(len(calls(stub, method)), 3)


@case
def retry_after_is_obeyed():
    with StubServer(tls=False) as stub:
        stub.faults["status"] = [GATEWAY_503]
        submit(stub, "a")
        change(stub, "a", SUCCEEDED)
        started = time.monotonic()
        waiting = Waiting(stub, "--mode", "poll", "a")
        equal(waiting.finish(), 0, waiting.log)
        check(time.monotonic() - started >= 1, "it came back too soon")


@case
def the_deadline_holds_whatever_happens():
    for mode in ("auto", "watch", "long-poll", "poll"):
        with StubServer(tls=False) as stub:
            stub.faults["WatchStatus"] = [HELD_BACK, ALWAYS]
            submit(stub, "a")
            started = time.monotonic()
            waiting = Waiting(stub, "--mode", mode, "--deadline", "1s", "a")
            equal(waiting.finish(), 4, waiting.log)
            check(0.9 < time.monotonic() - started < 20, "not at its deadline")
            check("at the deadline" in waiting.log, waiting.log)


@case
def an_older_status_is_not_told():
    with StubServer(tls=False) as stub:
        submit(stub, "a")
        change(stub, "a", RUNNING)
        waiting = Waiting(stub, "--mode", "poll", "a")
        check("0 %" in waiting.first_line(), "no first line")
        with stub.jobs.changed:
            stub.jobs.jobs["a"].status.revision = 1
        seen = len(calls(stub, "status"))
        wait_until(lambda: len(calls(stub, "status")) >= seen + 2, "two more polls")
        change(stub, "a", SUCCEEDED)  # with a number that was there before
        equal(waiting.finish(), 0, waiting.log)
        equal(waiting.out, "a: completed\n")


if __name__ == "__main__":
    main(__file__, at_once=6)
