#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""submit, list, show, cancel, retry, delete and watch: what they print, and what they end with."""
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main, wait_until, with_more_time  # noqa: E402
from command import VTSTATUS, Terminal, environment, expect, trust, vtstatus  # noqa: E402
from driven_job import DrivenJob  # noqa: E402
from vts_server import WAIT_S, Server  # noqa: E402

try:
    from job_stub import CUT, LOST, Refusal, StubServer, make
except ImportError:
    print("skipped: there is no python3-protobuf")
    sys.exit(77)

SOURCE = "file:///in.mp4"


def submit(server, *flags):
    """The ids."""
    if "--to" not in flags:
        flags += ("--to", "de")
    result = vtstatus(server, "submit", SOURCE, *flags)
    expect(result, 0)
    equal(result.stderr, "")
    return result.stdout.split()


def show(server, job_id, code=0):
    result = vtstatus(server, "show", job_id, "-o", "json")
    expect(result, code)
    return json.loads(result.stdout)


def ids(server, *flags):
    result = vtstatus(server, "list", "-o", "json", *flags)
    expect(result, 0)
    return [json.loads(line)["id"] for line in result.stdout.splitlines()]


# ---- submit -----------------------------------------------------------------------------------

@case
def submit_prints_the_id():
    with Server() as server:
        one, = submit(server)
        equal(vtstatus(server, "get", one).returncode, 0)
        equal(submit(server, "--job-id", "mine"), ["mine"])
        languages = ("de", "fr", "pt-BR")
        made = submit(server, *(word for one in languages for word in ("--to", one)))
        equal([show(server, job)["spec"]["targetLanguage"] for job in made], list(languages))
        result = vtstatus(server, "submit", SOURCE, "--to", "de", "-o", "json")
        job = json.loads(result.stdout)
        equal((job["spec"]["sourceUri"], job["status"]["state"]), (SOURCE, "pending"))


@case
def many_languages_are_one_request():
    with StubServer() as stub:
        stub.faults["CreateJobs"] = [LOST, Refusal(14, "busy")]
        equal(len(submit(stub, "--to", "de", "--to", "fr", "--label", "k=v")), 2)
        equal([method for method, _ in stub.calls], ["CreateJobs"] * 3)
        equal([(job.spec.target_language, dict(job.labels)) for job in stub.jobs.jobs.values()],
              [("de", {"k": "v"}), ("fr", {"k": "v"})])
        stub.faults["CreateJobs"] = [Refusal(7, "not yours")]
        expect(vtstatus(stub, "submit", SOURCE, "--to", "de", "--to", "fr"), 6, "not yours")


@case
def of_many_languages_each_has_its_outcome():
    with Server() as server:
        result = vtstatus(server, "submit", SOURCE, "--to", "de", "--to", "not a language", "--to",
                          "fr", "--to", "-")
        equal(result.returncode, 2, result.stderr)
        made = result.stdout.split()
        equal([show(server, job)["spec"]["targetLanguage"] for job in made], ["de", "fr"])
        lines = result.stderr.splitlines()
        equal(len(lines), 4, lines)
        equal(lines[::2], [f"vtstatus: to {to}: submitted as {job}"
                           for to, job in zip(("de", "fr"), made)])
        for line, to in zip(lines[1::2], ("not a language", "-")):
            check(line.startswith(f"vtstatus: to {to}: ") and "spec.target_language" in line, line)


@case
def outcomes_that_do_not_fit_the_request_are_no_answer():
    with StubServer() as stub:
        good = make("CreateJobResult", job=make("Job", id="a", status=make("JobStatus", job_id="a")))
        for results in ([], [good], [good] * 3, [make("CreateJobResult")] * 2,
                        [good, make("CreateJobResult", job=make("Job"))]):
            stub.jobs.CreateJobs = lambda _, r=tuple(results): make("CreateJobsResponse", results=r)
            result = vtstatus(stub, "submit", SOURCE, "--to", "de", "--to", "fr")
            expect(result, 3, "not what was asked for")
            equal(result.stdout, "", "a job of half an answer")


@case
def submit_hands_everything_on():
    with Server() as server:
        job_id, = submit(server, "--from", "en", "--to", "de", "--label", "team=a", "--label",
                         "note=x=y", "--option", "voice=low", "--queue", "slow", "--priority",
                         "-7", "--max-attempts", "5", "--timeout", "90s")
        job = show(server, job_id)
        equal(job["spec"], {"sourceUri": SOURCE, "sourceLanguage": "en", "targetLanguage": "de",
                            "options": {"voice": "low"}})
        equal(job["labels"], {"team": "a", "note": "x=y"})
        equal((job["queue"], job["priority"], job["maxAttempts"], job["timeout"]),
              ("slow", -7, 5, "90s"))


@case
def submit_again_gives_the_same_job():
    with Server() as server:
        equal(submit(server, "--request-id", "r-1"), submit(server, "--request-id", "r-1"))
        submit(server, "--job-id", "taken")
        expect(vtstatus(server, "submit", SOURCE, "--to", "fr", "--job-id", "taken"), 7,
               "there is or was a job with this id")
        equal(len(ids(server)), 2)


@case
def wrong_usage_of_job_commands_is_2():
    with Server() as server:
        for arguments in (("submit",), ("submit", SOURCE), ("submit", SOURCE, "--to", ""),
                          ("submit", SOURCE, "--to", "de", "--to", "fr", "--job-id", "x"),
                          ("submit", SOURCE, "--to", "de", "--label", "novalue"),
                          ("submit", SOURCE, "--to", "de", "--label", "a=1", "--label", "a=2"),
                          ("submit", SOURCE, "--to", "de", "--option", "a=1", "--option", "a=1"),
                          ("submit", "", "--to", "de"),
                          ("submit", SOURCE, "--to", "de", "--priority", "1001"),
                          ("submit", SOURCE, "--to", "de", "--job-id", "bad id"),
                          ("submit", SOURCE, "x", "--to", "de"), ("list", "x"),
                          ("list", "--state", "dead"), ("list", "--to", "de"), ("show",),
                          ("cancel",), ("show", "bad id"), ("cancel", ""), ("watch", "bad id"),
                          ("get", "x", "--wait"), ("watch", "x", "--interval", "1s")):
            expect(vtstatus(server, *arguments), 2, "vtstatus: ")
        equal(ids(server), [], "jobs of wrong usage")


# ---- list and show ----------------------------------------------------------------------------

@case
def list_filters():
    with Server() as server:
        submit(server, "--job-id", "a", "--queue", "q", "--label", "k=v")
        submit(server, "--job-id", "b", "--label", "k=v")
        submit(server, "--job-id", "c")
        vtstatus(server, "cancel", "c")
        equal(ids(server), ["c", "b", "a"])
        equal(ids(server, "--oldest-first"), ["a", "b", "c"])
        equal(ids(server, "--queue", "q"), ["a"])
        equal(ids(server, "--label", "k=v"), ["b", "a"])
        equal(ids(server, "--label", "k=other"), [])
        equal(ids(server, "--state", "cancelled"), ["c"])
        equal(ids(server, "--state", "cancelled", "--state", "pending"), ["c", "b", "a"])
        equal(ids(server, "--limit", "2"), ["c", "b"])
        equal(ids(server, "--since", "1h"), ["c", "b", "a"])


@case
def list_is_a_table():
    with Server() as server:
        submit(server, "--job-id", "a")
        lines = vtstatus(server, "list").stdout.splitlines()
        equal(len(lines), 2)
        check(re.match(r"JOB +STATE +DONE +TO +QUEUE +CREATED +SOURCE$", lines[0]), lines[0])
        check(re.match(rf"a +pending +0 % +de +default +20\S+ \S+ +{SOURCE}$", lines[1]), lines[1])


@case
def list_turns_pages():
    with Server() as server:
        for i in range(3):
            submit(server, *(["--to", "de"] * 40))
        every = ids(server)
        equal(len(every), 120)
        equal(len(set(every)), 120, "a job came twice")
        equal(ids(server, "--limit", "70"), every[:70])


@case
def show_tells_all():
    with Server() as server:
        submit(server, "--job-id", "a", "--label", "team=x", "--max-attempts", "1")
        expect(vtstatus(server, "work", "--until-idle", "--", "sh", "-c", "echo no disk >&2; exit 9"),
               0)
        result = vtstatus(server, "show", "a")
        expect(result, 1)
        for row in (r"job +a", r"status +error \(failed\)", rf"source +{SOURCE}", "labels +team=x",
                    "attempt 1", r"  worker +\S+", "  error +exit status 9: no disk"):
            check(re.search(f"^{row}$", result.stdout, re.M), f"{row} in {result.stdout}")
        attempt, = show(server, "a", 1)["attempts"]
        equal(attempt["error"]["message"], "exit status 9: no disk")


@case
def attempts_are_told_apart_over_retries():
    with Server() as server:
        submit(server, "--job-id", "a", "--max-attempts", "1")
        for i in range(3):
            expect(vtstatus(server, "work", "--until-idle", "--", "false"), 0)
            equal([attempt["number"] for attempt in show(server, "a", 1)["attempts"]],
                  list(range(1, i + 2)))
            equal(show(server, "a", 1)["status"]["attempt"], 1)
            expect(vtstatus(server, "retry", "a"), 0)


# ---- cancel, retry, delete --------------------------------------------------------------------

@case
def jobs_are_cancelled_retried_and_deleted():
    with Server() as server:
        submit(server, "--job-id", "a")
        result = vtstatus(server, "cancel", "a", "--reason", "wrong file")
        expect(result, 0)
        equal(result.stdout, "a: error (cancelled): wrong file\n")
        expect(vtstatus(server, "get", "a"), 1)
        result = vtstatus(server, "retry", "a", "-o", "json")
        expect(result, 0)
        equal(json.loads(result.stdout)["status"]["state"], "pending")
        expect(vtstatus(server, "retry", "a"), 7)
        expect(vtstatus(server, "delete", "a"), 7)
        vtstatus(server, "cancel", "a")
        result = vtstatus(server, "delete", "a")
        expect(result, 0)
        equal(result.stdout, "a: deleted\n")
        for command in ("show", "cancel", "retry", "delete", "watch"):
            expect(vtstatus(server, command, "a"), 5, "no job 'a'")


@case
def an_etag_lets_only_what_is_known_be_decided():
    with Server() as server:
        submit(server, "--job-id", "a")
        seen = re.search(r'^etag +("r1")$', vtstatus(server, "show", "a").stdout, re.M)[1]
        expect(vtstatus(server, "cancel", "a", "--etag", "r2"), 7, "the job has changed")
        equal(show(server, "a")["status"]["state"], "pending")
        expect(vtstatus(server, "cancel", "a", "--etag", seen), 0)
        for command in ("cancel", "retry", "delete"):
            expect(vtstatus(server, command, "a", "--etag", "r1"), 7, "the job has changed")
        expect(vtstatus(server, "retry", "a", "--etag", 'W/"r2"'), 0)
        expect(vtstatus(server, "cancel", "a", "--etag", "r3"), 0)
        expect(vtstatus(server, "delete", "a", "--etag", "r4"), 0)
        expect(vtstatus(server, "show", "a", "--etag", "r4"), 2, "cancel takes the flag --etag")


@case
def a_decision_with_an_etag_is_sent_once():
    with StubServer() as stub:
        submit(stub, "--job-id", "a")
        stub.faults["CancelJob"] = [LOST]
        expect(vtstatus(stub, "cancel", "a"), 0)
        stub.faults["CancelJob"] = [LOST]
        expect(vtstatus(stub, "cancel", "a", "--etag", "r2"), 3, "broke off")
        equal([method for method, _ in stub.calls].count("CancelJob"), 3)


@case
def one_failure_does_not_stop_the_others():
    with Server() as server:
        submit(server, "--job-id", "a")
        submit(server, "--job-id", "b")
        result = vtstatus(server, "cancel", "a", "nope", "b")
        expect(result, 5, "no job 'nope'")
        equal(result.stdout, "".join(f"{job_id}: error (cancelled): the job was cancelled\n"
                                     for job_id in "ab"))


@case
def of_several_jobs_a_failure_says_whose_it_is():
    with Server() as server:
        submit(server, "--job-id", "a")
        submit(server, "--job-id", "b")
        vtstatus(server, "cancel", "b")
        result = vtstatus(server, "delete", "a", "b")
        expect(result, 7, "vtstatus: a: ", "only a job that is done")
        equal(result.stdout, "b: deleted\n")
        check("vtstatus: a: " not in vtstatus(server, "delete", "a").stderr, "it is the only one")
        submit(server, "--job-id", "c")
        vtstatus(server, "cancel", "c")
        expect(vtstatus(server, "watch", "c", "nope"), 5, "knows no job 'nope'")
        with start(server, "watch", "a", "nope") as watcher:
            check("knows no job 'nope'" in watcher.stderr.readline(), "it is told while a goes on")
            watcher.send_signal(signal.SIGINT)
            equal(finish(watcher)[0], 130)


# ---- watch ------------------------------------------------------------------------------------

def start(server, *arguments):
    return subprocess.Popen([VTSTATUS, *trust(server), *arguments], env=environment(), text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process):
    """Exit code, stdout, stderr."""
    try:
        out, err = process.communicate(timeout=WAIT_S)
    finally:
        process.kill()
        process.wait()
    return process.returncode, out, err


@case
def a_job_that_waits_says_what_for():
    with Server() as server:
        submit(server, "--job-id", "later", "--start-in", "1h")
        check("later: pending, scheduled for later\n" == next_line(server, "later"), "not scheduled")
        for command in ("get", "show"):
            check(re.search("^waits +scheduled for later$",
                            vtstatus(server, command, "later").stdout, re.M), command)
        again = DrivenJob(server, "again")
        again.report(50, "encode")
        wait_until(lambda: "encode" in vtstatus(server, "get", "again").stdout, "its phase")
        again.fail("no disk", is_retryable=True)
        check("again: pending, pausing after attempt 1\n" == next_line(server, "again"), "no pause")
        check("encode" not in vtstatus(server, "get", "again").stdout, "a phase of the last attempt")


def next_line(server, job_id):
    watch = start(server, "watch", job_id)
    line = watch.stdout.readline()
    watch.terminate()
    finish(watch)
    return line


@case
def watch_has_a_line_a_change():
    with Server() as server:
        job = DrivenJob(server, "a")
        watch = start(server, "watch", "a")
        check(watch.stdout.readline().startswith("a: pending, not started"), "no first line")
        job.report(50, "encode")
        while "50 %, encode" not in (line := watch.stdout.readline()):
            check(line.startswith("a: pending"), line)
        equal(line, "a: pending, 50 %, encode (5 of 6)\n")
        job.complete("file:///a.mp4")
        code, out, err = finish(watch)
        equal((code, out, err), (0, "a: completed: file:///a.mp4\n", ""))


@case
def watch_follows_many():
    with Server() as server:
        for job in "abc":
            submit(server, "--job-id", job)
        watch = start(server, "watch", "a", "b", "c", "-o", "json")
        first = {json.loads(watch.stdout.readline())["jobId"] for _ in "abc"}
        equal(first, {"a", "b", "c"})
        vtstatus(server, "cancel", "b")
        vtstatus(server, "work", "--until-idle", "--", "true")
        code, out, err = finish(watch)
        equal((code, err), (1, ""), "one was cancelled")
        last = {}
        for line in out.splitlines():
            status = json.loads(line)
            last[status["jobId"]] = status["state"]
        equal(last, {"a": "succeeded", "b": "cancelled", "c": "succeeded"})


@case
def watch_of_jobs_that_are_done_ends_at_once():
    with Server() as server:
        submit(server, "--job-id", "a")
        vtstatus(server, "cancel", "a")
        result = vtstatus(server, "watch", "a")
        expect(result, 1)
        equal(result.stdout, "a: error (cancelled): the job was cancelled\n")


@case
@with_more_time
def watch_gives_up_at_the_deadline(scale):
    with Server() as server:
        submit(server, "--job-id", "a")
        expect(vtstatus(server, "watch", "a", f"--deadline={300 * scale}ms"), 4, "at the deadline",
               "the job goes on")


@case
def watch_is_interrupted():
    with Server() as server:
        submit(server, "--job-id", "a")
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            watch = start(server, "watch", "a")
            check("pending" in watch.stdout.readline(), "no first line")
            watch.send_signal(number)
            got, _, err = finish(watch)
            equal(got, code)
            check(re.fullmatch(r"vtstatus: interrupted; the job goes on, continue with "
                               r"watch --resume [\w-]+\n", err), err)


@case
@with_more_time
def watch_goes_on_by_a_token(scale):
    with Server() as server:
        job, = submit(server)
        result = vtstatus(server, "watch", f"--deadline={300 * scale}ms", job)
        expect(result, 4, "continue with watch --resume ")
        token = result.stderr.split()[-1]
        watch = start(server, "watch", "--resume", token)
        vtstatus(server, "cancel", job)
        code, out, _ = finish(watch)
        equal(code, 1)
        check(re.fullmatch(f"{job}: error \\(cancelled\\).*\n", out), f"told again? {out}")
        expect(vtstatus(server, "watch", "--resume", token, "another"), 2, f"for job '{job}'")
        expect(vtstatus(server, "watch", "--resume", token[:-1], job), 2, "no token")
        expect(vtstatus(server, "watch", "--resume", token, job, "b"), 2, "one job")
        with Server() as other:
            expect(vtstatus(other, "watch", "--resume", token), 2, "another server")


@case
def submit_can_wait():
    with Server() as server:
        waiting = start(server, "submit", SOURCE, "--to", "de", "--to", "fr", "--wait")
        lines = [waiting.stdout.readline() for _ in range(2)]
        check(all("not started yet" in line for line in lines), lines)
        vtstatus(server, "work", "--until-idle", "--", "true")
        code, out, err = finish(waiting)
        equal((code, err), (0, ""))
        equal(len(re.findall("completed", out)), 2, out)


@case
def a_terminal_gets_a_live_line_for_each():
    with Server() as server:
        one, two = DrivenJob(server, "one"), DrivenJob(server, "two")
        terminal = Terminal(server, "watch", "one", "two")
        terminal.read_until(r"one.*pending(.|\n)*two.*pending")
        one.report(50, "encode")
        terminal.read_until("50 %")
        two.complete("")
        terminal.read_until("100 %")
        one.complete("")
        equal(terminal.finish(), 0)
    check(re.search(r"one \[\S*#\S*\.\S*\]", re.sub(r"\x1b\[\d*m", "", terminal.screen)), "no bar")
    check("\x1b[2A" in terminal.screen, "the lines are not redrawn")
    # What stands on the screen in the end: whatever was live is cleared.
    rest = terminal.screen.rsplit("\x1b[2A\x1b[J", 1)[1]
    equal(re.sub(r"\x1b\[\d*m", "", rest), "one: completed\r\ntwo: completed\r\n")


@case
def a_server_cannot_command_the_terminal():
    evil = "\x1b[31m\x9b2J\r\u202e"
    with StubServer(tls=False) as stub:  # over TLS a stream would be HTTP/2
        submit(stub, "--job-id", "a")
        job = stub.jobs.jobs["a"]
        job.spec.source_uri = job.queue = job.spec.options["o"] = job.labels["l"] = evil
        job.spec.target_language = job.status.progress.phase = job.status.output_uri = evil
        job.status.progress.message = job.status.error.message = evil + "\n" + evil
        job.status.state, job.status.status, job.status.done = 5, 3, True
        job.attempts.add(number=1, worker_id=evil).error.message = evil
        for output in ("text", "json"):
            for command in (("show", "a"), ("list",), ("watch", "a")):
                result = vtstatus(stub, *command, "-o", output)
                raw = [c for c in result.stdout + result.stderr if c != "\n" and
                       (ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0)]
                equal(raw, [], f"{command} {output}")
                check("31m" in result.stdout, "it was not told at all")
        stub.faults["GetJob"] = [Refusal(7, evil)]
        result = vtstatus(stub, "show", "a")
        check("\x1b" not in result.stderr and "\x9b" not in result.stderr, repr(result.stderr))


# ---- what may go wrong ------------------------------------------------------------------------

@case
def a_lost_answer_makes_no_second_job():
    with StubServer() as stub:
        stub.faults["CreateJob"] = [LOST, Refusal(14, "busy")]
        equal(len(submit(stub)), 1)
        equal([method for method, _ in stub.calls], ["CreateJob"] * 3)
        equal(len(stub.jobs.jobs), 1)


@case
def a_call_waits_as_long_as_the_server_says():
    with StubServer() as stub:
        stub.faults["CreateJob"] = [Refusal(14, "busy", retry_after=3)]
        start_s = time.monotonic()
        equal(len(submit(stub)), 1)
        check(3 <= time.monotonic() - start_s < 10, "not when it was told to")
        equal(len(stub.calls), 2)


@case
def a_call_that_cannot_wait_so_long_says_for_when():
    with StubServer() as stub:
        submit(stub, "--job-id", "a")
        vtstatus(stub, "cancel", "a")
        for method, command in (("GetJob", "show"), ("RetryJob", "retry")):
            stub.faults[method] = [Refusal(14, "busy", retry_after=60)]
            expect(vtstatus(stub, command, "a"), 3, "busy; it may be tried again in 60 s")
            equal([one for one, _ in stub.calls].count(method), 1)
        expect(vtstatus(stub, "show", "a"), 1)


@case
def what_is_not_repeatable_is_sent_once():
    with StubServer() as stub:
        submit(stub, "--job-id", "a")
        vtstatus(stub, "cancel", "a")
        stub.faults["RetryJob"] = [LOST]
        expect(vtstatus(stub, "retry", "a"), 3, "broke off")
        equal([method for method, _ in stub.calls].count("RetryJob"), 1)


@case
def a_stream_that_breaks_off_is_opened_again():
    with StubServer(tls=False) as stub:  # over TLS a stream needs HTTP/2
        submit(stub, "--job-id", "a")
        stub.faults["WatchStatus"] = [CUT, CUT, Refusal(14, "starting")]
        watch = start(stub, "watch", "a")
        check("not started yet" in watch.stdout.readline(), "no first line")
        wait_until(lambda: len([1 for method, _ in stub.calls if method == "WatchStatus"]) == 4,
                   "the fourth stream")
        vtstatus(stub, "cancel", "a")
        code, out, err = finish(watch)
        equal((code, out), (1, "a: error (cancelled)\n"), "told twice?")
        equal(len(re.findall("trying again in", err)), 3, err)


@case
def a_server_without_jobs_is_told_apart():
    with StubServer() as stub:
        stub.faults["ListJobs"] = [Refusal(12, "no such method")]
        expect(vtstatus(stub, "list"), 3, "does not offer this call")
        stub.faults["ListJobs"] = [Refusal(7, "not yours")]
        expect(vtstatus(stub, "list"), 6, "not yours")
        stub.faults["CreateJob"] = [Refusal(3, "no such language")]
        expect(vtstatus(stub, "submit", SOURCE, "--to", "xx"), 2, "no such language")


@case
def calls_speak_connect():
    with StubServer() as stub:
        submit(stub)
        _, fields = stub.calls[0]
        equal(fields["content-type"], "application/proto")
        equal(fields["connect-protocol-version"], "1")
        check(9000 <= int(fields["connect-timeout-ms"]) <= 10000, fields)
        check("expect" not in fields, fields)
        check(os.path.basename(VTSTATUS) in fields["user-agent"], fields)


main(__file__)
