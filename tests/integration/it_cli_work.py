#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vtstatus work: what it runs, what it reports, and how it ends."""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main, wait_until  # noqa: E402
from command import VTSTATUS, environment, expect, trust, vtstatus  # noqa: E402
from vts_server import WAIT_S, Server, scratch_folder  # noqa: E402

try:
    from job_stub import LOST, Refusal, StubServer
except ImportError:
    print("skipped: there is no python3-protobuf")
    sys.exit(77)

SOURCE = "file:///in.mp4"


def submit(server, job_id, *flags, source=SOURCE):
    expect(vtstatus(server, "submit", "--to", "de", "--job-id", job_id, *flags, "--", source), 0)


def job(server, job_id):
    return json.loads(vtstatus(server, "show", job_id, "-o", "json").stdout)


def state(server, job_id):
    return job(server, job_id)["status"]["state"]


def work(server, script, *flags, arguments=(), **more):
    """A worker that ends when there is nothing to do; script is for sh."""
    return vtstatus(server, "work", "--until-idle", *flags, "--", "sh", "-c", script, *arguments,
                    **more)


class Worker:
    """One that goes on; lines of its stderr are events."""

    def __init__(self, server, script, *flags, arguments=()):
        self.process = subprocess.Popen(
            [VTSTATUS, *trust(server), "work", *flags, "--", "sh", "-c", script, *arguments],
            env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)

    def read_until(self, words):
        while True:
            line = self.process.stderr.readline()
            check(line, f"it ended without {words!r}")
            if words in line:
                return line

    def send(self, number):
        self.process.send_signal(number)

    def finish(self):
        """Exit code, stdout, stderr from here on."""
        try:
            out, err = self.process.communicate(timeout=WAIT_S)
        finally:
            self.process.kill()
            self.process.wait()
        return self.process.returncode, out, err

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Stops it, if it runs, with its command. Signals that wait for it may become one."""
        deadline = time.monotonic() + WAIT_S
        while self.process.poll() is None and time.monotonic() < deadline:
            self.send(signal.SIGTERM)
            try:
                self.process.wait(0.2)
            except subprocess.TimeoutExpired:
                pass
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


# ---- what is run ------------------------------------------------------------------------------

@case
def the_command_gets_the_job_in_its_arguments():
    with Server() as server:
        submit(server, "a", "--from", "en", source="file:///it's{to}\"x\".mp4")
        result = work(server, 'for word; do echo "<$word>" >&2; done', "--result", "s3://{job}.{to}",
                      arguments=("-", "{source}", "{from}-{to}", "{job}", "{output}", "{no}"))
        expect(result, 0)
        equal(result.stderr.splitlines(),
              [f"[a] <{word}>" for word in ("file:///it's{to}\"x\".mp4", "en-de", "a", "s3://a.de",
                                            "{no}")])


@case
def a_result_of_what_a_job_has_not_is_wrong_usage():
    with Server() as server:
        submit(server, "a")
        for result, named in (("x {nope}", "{nope}"), ("{job}{output}", "{output}")):
            expect(vtstatus(server, "work", "--result", result, "--", "true"), 2,
                   f"--result has {named}, which is none of {{source}}")
        expect(work(server, "true", "--result", "{}{ }{JOB}{{job}}"), 0)
        equal(job(server, "a")["status"]["outputUri"], "{}{ }{JOB}{a}")


@case
def a_worker_says_that_it_goes_on_without_a_server():
    with Server() as server:
        pass
    with Worker(server, "true") as worker:
        worker.read_until("refused; trying again until it answers")
    result = work(server, "true")
    equal(result.returncode, 3, result.stderr)
    lines = result.stderr.splitlines()
    equal(len(lines), 2, lines)
    check(lines[1].endswith("no answer to 5 requests in a row"), lines)


@case
def the_command_gets_the_job_in_its_environment():
    with Server() as server:
        submit(server, "a", "--option", "voice=low", "--option", "no-name=x", "--queue", "q")
        result = work(server, "env >&2", "--queue", "q",
                      env=environment(VTSTATUS_OPTION_left="from another job"))
        expect(result, 0)
        found = {line.removeprefix("[a] ") for line in result.stderr.splitlines()
                 if "VTSTATUS_" in line}
        equal(found, {"VTSTATUS_JOB_ID=a", f"VTSTATUS_SOURCE={SOURCE}", "VTSTATUS_FROM=",
                      "VTSTATUS_TO=de", "VTSTATUS_OUTPUT=", "VTSTATUS_ATTEMPT=1",
                      "VTSTATUS_QUEUE=q", "VTSTATUS_OPTION_voice=low"})


@case
def the_command_inherits_nothing_else():
    with Server() as server:
        submit(server, "a")
        result = work(server, "ls /proc/self/fd | tr '\\n' ' ' >&2; readlink /proc/self/fd/0 >&2; "
                              "grep SigBlk /proc/self/status >&2; kill -PIPE $$; echo alive >&2")
        expect(result, 0)
        # The fourth descriptor is that of ls itself.
        check("[a] 0 1 2 3 /dev/null\n" in result.stderr, result.stderr)
        check("SigBlk:\t0000000000000000" in result.stderr.replace("\\x09", "\t"), result.stderr)
        check("alive" not in result.stderr, "SIGPIPE is ignored")


@case
def a_job_cannot_smuggle_a_flag():
    with Server() as server:
        submit(server, "a", source="-rf")
        submit(server, "b", source="x")
        result = vtstatus(server, "work", "--until-idle", "--", "echo", "progress", "{source}")
        expect(result, 0)
        equal(state(server, "a"), "failed")
        check("begins with '-'" in job(server, "a")["status"]["error"]["message"], job(server, "a"))
        equal(state(server, "b"), "succeeded")
        submit(server, "c", source="-rf")
        expect(vtstatus(server, "work", "--until-idle", "--", "echo", "--from={source}"), 0)
        equal(state(server, "c"), "succeeded", "inside an argument it is no flag")


@case
def a_command_that_is_not_there_is_said_at_once():
    with Server() as server:
        submit(server, "a")
        expect(vtstatus(server, "work", "--", "no-such-program"), 2, "no-such-program")
        expect(vtstatus(server, "work", "--", "/no/such"), 2, "/no/such")
        expect(vtstatus(server, "work", "--", "{job}"), 2, "cannot run 'a'")
        equal(state(server, "a"), "pending")


# ---- what it reports --------------------------------------------------------------------------

@case
def progress_is_told():
    for line, wanted in (
            ("progress 42.5 transcribe two speakers",
             {"percent": 42.5, "phase": "transcribe", "message": "two speakers"}),
            ('{"percent":50,"phase":"mux","phaseIndex":2,"phaseCount":6}',
             {"percent": 50, "phase": "mux", "phaseIndex": 2, "phaseCount": 6}),
            ("progress 10 first\nprogress 5", {"percent": 10, "phase": "first"}),
            ("progress 400 \x1b[2J", {"percent": 100, "phase": "?[2J"})):
        with Server() as server:
            submit(server, "a")
            with Worker(server, 'echo "$0"; read -r line <$1', arguments=(line, fifo())):
                wait_until(lambda: job(server, "a")["status"].get("progress"), "progress")
                equal(job(server, "a")["status"]["progress"], wanted, line)


def fifo():
    path = str(scratch_folder() / "fifo")
    os.mkfifo(path)
    return path


@case
def output_is_told():
    with Server() as server:
        submit(server, "a")
        result = work(server, "echo output file:///one.mp4; echo output file:///two words.mp4")
        equal(result.stdout, "a: completed: file:///two words.mp4\n")
        submit(server, "b")
        work(server, "true", "--result", "s3://{job}.mp4")
        equal(job(server, "b")["status"]["outputUri"], "s3://b.mp4")
        submit(server, "c")
        work(server, "echo output x", "--result", "s3://{job}.mp4")
        equal(job(server, "c")["status"]["outputUri"], "x")
        submit(server, "d")
        result = work(server, "true", "-o", "json")
        equal(json.loads(result.stdout)["state"], "succeeded")


@case
def other_lines_are_passed_on():
    with Server() as server:
        submit(server, "a")
        result = work(server, "echo hello; printf 'a\\033[2Jb\\n' >&2; printf 'no end' >&2")
        equal(sorted(result.stderr.splitlines()), ["[a] a\\x1b[2Jb", "[a] hello", "[a] no end"])


@case
def lines_without_end_are_bounded():
    with Server() as server:
        submit(server, "a")
        result = work(server, "head -c 30000000 /dev/zero | tr '\\0' x >&2; echo >&2; exit 1",
                      "--no-retry")
        expect(result, 0)
        check(len(result.stderr) < 20000, len(result.stderr))
        check(len(job(server, "a")["status"]["error"]["message"]) <= 4096, "the error")


# ---- how a job ends ---------------------------------------------------------------------------

def ended(server, script, *flags):
    """The status after the first attempt of two, and the error of that attempt."""
    submit(server, "a", "--max-attempts", "2")
    result = work(server, script, *flags, "-o", "json")
    expect(result, 0)
    first = json.loads(result.stdout.splitlines()[0])
    return first["state"], job(server, "a")["attempts"][0]["error"]


@case
def exit_codes_say_whether_to_try_again():
    for script, flags, wanted in (("exit 75", (), "pending"), ("exit 1", (), "pending"),
                                  ("kill -9 $$", (), "pending"),
                                  ("exit 75", ("--no-retry",), "pending"),
                                  ("exit 1", ("--no-retry",), "failed"),
                                  ("kill -9 $$", ("--no-retry",), "failed")):
        with Server() as server:
            got, error = ended(server, script, *flags)
            equal(got, wanted, f"{script} {flags}")
            equal(error["code"], 14 if "75" in script else 2, script)
            words = "signal 9 (Killed)" if "kill" in script else "exit status " + script.split()[1]
            equal(error["message"], words)


@case
def the_error_has_the_last_lines():
    with Server() as server:
        submit(server, "a", "--max-attempts", "1")
        work(server, "echo first >&2; echo >&2; echo 'no disk' >&2; exit 3")
        equal(job(server, "a")["status"]["error"]["message"],
              "exit status 3: no disk\nfirst\nno disk")
        submit(server, "b", "--max-attempts", "1")
        work(server, "seq 10000 >&2; exit 3")
        message = job(server, "b")["status"]["error"]["message"]
        check(message.startswith("exit status 3: 10000\n"), message[:80])
        check(3000 < len(message) <= 4096, len(message))


# ---- cancellation -----------------------------------------------------------------------------

@case
def a_cancellation_stops_the_command_at_once():
    with Server() as server:
        submit(server, "a")
        with Worker(server, "trap 'echo bye >&2; exit 0' TERM; echo ready >&2; "
                            "while :; do sleep 0.05; done") as worker:
            worker.read_until("ready")
            start = time.monotonic()
            expect(vtstatus(server, "cancel", "a"), 0)
            worker.read_until("bye")
            check(time.monotonic() - start < 15, "it waited for the next heartbeat")
            wait_until(lambda: state(server, "a") == "cancelled", "cancelled")
            # And the next job is taken.
            submit(server, "b")
            worker.read_until("ready")


@case
def a_group_that_does_not_stop_is_killed():
    with Server() as server:
        submit(server, "a")
        with Worker(server, "trap '' TERM; sleep 1000 & echo $! >&2; echo ready >&2; wait; wait"
                    ) as worker:
            child = int(worker.read_until("] ").split()[1])
            worker.read_until("ready")
            start = time.monotonic()
            vtstatus(server, "cancel", "a")
            wait_until(lambda: state(server, "a") == "cancelled", "cancelled", timeout=40)
            check(9 < time.monotonic() - start, "killed too early")
            wait_until(lambda: not is_running(child), "the end of its child")


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@case
def a_child_that_stays_holds_nothing_up():
    with Server() as server:
        submit(server, "a")
        path = fifo()
        expect(work(server, "read -r line <$0 & echo done >&2", arguments=(path,)), 0)
        equal(state(server, "a"), "succeeded")
        Path(path).write_text("end\n")  # its reader is still there, or this would never end


# ---- the worker's own end ---------------------------------------------------------------------

@case
def the_first_signal_drains():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Server() as server:
            submit(server, "a")
            submit(server, "b")
            path = fifo()
            with Worker(server, "echo ready >&2; read -r line <$0", arguments=(path,)) as worker:
                worker.read_until("ready")
                worker.send(number)
                worker.read_until("no more jobs")
                Path(path).write_text("go on\n")
                code, out, _ = worker.finish()
            equal((code, out), (0, "a: completed\n"))
            equal(state(server, "b"), "pending")


@case
def the_second_signal_gives_the_job_back():
    with Server() as server:
        submit(server, "a")
        with Worker(server, "echo ready >&2; exec sleep 1000") as worker:
            worker.read_until("ready")
            worker.send(signal.SIGTERM)
            worker.read_until("no more jobs")
            worker.send(signal.SIGTERM)
            code, out, _ = worker.finish()
        equal(code, 0)
        check(out.startswith("a: pending"), out)
        equal(state(server, "a"), "pending")


@case
def an_idle_worker_ends_at_once():
    with Server() as server:
        with Worker(server, "true", "--jobs", "3") as worker:
            submit(server, "a")
            wait_until(lambda: state(server, "a") == "succeeded", "the job")
            start = time.monotonic()
            worker.send(signal.SIGTERM)
            code, _, _ = worker.finish()
            equal(code, 0)
            check(time.monotonic() - start < 15, "it waited for the lease")


def fill_pipe(path):
    fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(fd, b"\n")
    except BlockingIOError:
        os.close(fd)


WRITE, FUTEX = ("1", "64"), ("202", "98")  # numbers on x86 and on arm


def count_threads(pid, call):
    """Of its threads, those that are in the system call."""
    return sum((task / "syscall").read_text().split()[0] in call
               for task in Path(f"/proc/{pid}/task").iterdir())


@case
def a_job_that_comes_while_it_drains_is_given_back():
    with Server() as server:
        with Worker(server, "echo ran >&2", "--verbose") as worker:
            pid = worker.process.pid
            # Held up where it says that the lease has come; who says that it drains waits behind.
            fill_pipe(f"/proc/{pid}/fd/2")
            submit(server, "a")
            wait_until(lambda: count_threads(pid, WRITE) == 1, "the lease")
            waiters = count_threads(pid, FUTEX)
            worker.send(signal.SIGTERM)
            wait_until(lambda: count_threads(pid, FUTEX) == waiters + 1, "the signal")
            equal(state(server, "a"), "running")
            code, out, err = worker.finish()
        check(out.startswith("a: pending"), out)
        check(code == 0 and "ran" not in err, err)
        check("attempts" not in job(server, "a"), "it counts as an attempt")


@case
def a_worker_that_is_killed_takes_its_command_along():
    with Server() as server:
        submit(server, "a")
        with Worker(server, "trap '' TERM HUP INT; echo $$ >&2; while :; do read -r line <$0; done",
                    arguments=(fifo(),)) as worker:
            command = int(worker.read_until("] ").split()[1])
            check(is_running(command), "it has ended by itself")
            worker.send(signal.SIGKILL)
            try:
                wait_until(lambda: not is_running(command), "the end of the command")
            except AssertionError:
                os.kill(command, signal.SIGKILL)
                raise


@case
def jobs_run_beside_each_other():
    with Server() as server:
        for name in "abc":
            submit(server, name)
        path = fifo()
        # Each waits until all three have begun.
        with Worker(server, "echo ready >&2; read -r line <$0", "--jobs", "3",
                    arguments=(path,)) as worker:
            for _ in "abc":
                worker.read_until("ready")
            with open(path, "w", encoding="ascii") as file:
                file.write("go\n" * 3)
                file.flush()
                wait_until(lambda: all(state(server, name) == "succeeded" for name in "abc"), "all")
        names = {job(server, name)["attempts"][0]["workerId"] for name in "abc"}
        equal(len(names), 3, names)


@case
def a_worker_without_a_server_goes_on_trying():
    with StubServer() as stub:
        stub.faults["LeaseJob"] = [Refusal(14, "starting"), Refusal(14, "starting")]
        submit(stub, "a")
        expect(work(stub, "true"), 0, "starting")
        equal(state(stub, "a"), "succeeded")
        stub.faults["LeaseJob"] = [Refusal(7, "not yours")]
        expect(work(stub, "true"), 6, "not yours")


@case
def an_end_is_told_until_it_is_heard():
    with StubServer() as stub:
        submit(stub, "a")
        stub.faults["CompleteJob"] = [Refusal(14, "starting")] * 4  # three are one call's tries
        result = work(stub, "true")
        equal((result.returncode, result.stdout), (0, "a: completed\n"))
        check("[a]" in result.stderr and "starting" in result.stderr, result.stderr)


@case
def an_end_whose_answer_is_lost_is_told_again():
    with StubServer() as stub:
        submit(stub, "a")
        stub.faults["CompleteJob"] = [LOST]
        result = work(stub, "true")
        expect(result, 0)
        equal(result.stdout, "a: completed\n")
        equal([method for method, _ in stub.calls].count("CompleteJob"), 2)
        submit(stub, "b", "--max-attempts", "1")
        stub.faults["FailJob"] = [LOST]
        equal(work(stub, "exit 1").stdout[:8], "b: error")


@case
def a_lost_lease_stops_the_command():
    with StubServer() as stub:
        submit(stub, "a")
        with Worker(stub, "echo ready >&2; exec sleep 1000", "--lease", "3s") as worker:
            worker.read_until("ready")
            with stub.jobs.changed:
                stub.jobs.tokens["a"] = "another's"
            worker.read_until("another worker's by now")
        check("FailJob" not in [method for method, _ in stub.calls], "it reported")


@case
def the_lease_is_renewed_at_each_third():
    with StubServer() as stub:
        submit(stub, "a")
        with Worker(stub, "exec sleep 1000", "--lease", "3s"):
            start = time.monotonic()
            wait_until(lambda: [m for m, _ in stub.calls].count("HeartbeatJob") >= 3, "heartbeats")
            check(1.5 < time.monotonic() - start < 25, "not each second")


main(__file__, at_once=4)
