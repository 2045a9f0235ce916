#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The vtstatus command against a real vtstatusd: exit codes, pipes, terminals, signals."""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main, with_more_time  # noqa: E402
from command import (VTSTATUS, Terminal, environment, expect, last_line, trust,  # noqa: E402
                     vtstatus)
from driven_job import DrivenJob  # noqa: E402
from vts_server import WAIT_S, Server, make_certs, scratch_folder, shared_certs  # noqa: E402

AT_REST = ("--simulate", "delay=24h,error_rate=0")
DONE = ("--simulate", "delay=0s,error_rate=0")
FAILED = ("--simulate", "delay=0s,error_rate=1")
FAST = ("--interval", "20ms", "--max-interval", "50ms", "--backoff-factor", "1")


# ---- exit codes -------------------------------------------------------------------------------

@case
def a_completed_job_is_0():
    with Server(*DONE) as server:
        for command in ("get", "poll"):
            result = vtstatus(server, command)
            expect(result, 0)
            equal(result.stderr, "", command)
            check("completed" in result.stdout, result.stdout)
        result = vtstatus(server, "health")
        expect(result, 0)
        equal(result.stdout, "healthy\n")
        equal(vtstatus(server, "health", "-o", "json").stdout, '{"healthy":true}\n')


@case
def a_failed_job_is_1():
    with Server(*FAILED) as server:
        for command in ("get", "poll"):
            for output in ("text", "json"):
                result = vtstatus(server, command, "--output", output)
                expect(result, 1)
                check("error" in result.stdout, result.stdout)
        message = json.loads(result.stdout)["error"]["message"]
        check(message and message in vtstatus(server, "get").stdout, "the error is not shown")


@case
def a_pending_job_is_0_for_get():
    with Server(*AT_REST) as server:
        result = vtstatus(server, "get")
        expect(result, 0)
        for word in ("pending", "default", "ask again"):
            check(word in result.stdout, result.stdout)


@case
def wrong_usage_is_2():
    with Server(*AT_REST) as server:
        for arguments in ((), ("--nonsense",), ("fetch",), ("get", "a", "b"), ("get", "--interval",
                          "1s"), ("poll", "--interval"), ("poll", "--interval", "soon"),
                          ("poll", "--backoff-factor", "0.5"), ("get", "bad id"), ("get", "../x"),
                          ("get", "a" * 129), ("--url", "ftp://x", "get"), ("health", "x"),
                          ("--url", "http://example.com", "get"), ("-o", "xml", "get")):
            expect(vtstatus(server, *arguments), 2, "vtstatus: ")
        equal(server.metrics()["vts_http_requests_total"], 0, "requests of wrong usage")


@case
def no_answer_is_3():
    with Server(*AT_REST) as server:
        expect(vtstatus(None, "--url", server.url, "get"), 3, "not trusted", "--cacert")
        other = make_certs()
        expect(vtstatus(None, "--url", server.url, "--cacert", str(other / "ca.pem"), "get"), 3,
               "not trusted")
        gone = server.url
    result = vtstatus(None, "--url", gone, "--cacert", str(shared_certs() / "ca.pem"), "get")
    expect(result, 3, "refused", gone)
    result = vtstatus(None, "--url", gone, "--cacert", str(shared_certs() / "ca.pem"), "health")
    expect(result, 3, "refused")
    result = vtstatus(None, "--url", gone, "--cacert", str(shared_certs() / "ca.pem"), "poll",
                      "--max-failures", "3", *FAST)
    equal(result.returncode, 3)
    check("3 of 3 tries" in result.stderr, result.stderr)
    check("trying again" in result.stderr, "the retries are silent")
    expect(vtstatus(None, "--url", "https://no-such-host.invalid", "get"), 3, "no-such-host.invalid")


@case
def cleartext_to_tls_is_explained():
    with Server(*AT_REST) as server:
        result = vtstatus(None, "--url", server.url.replace("https", "http"), "get")
        expect(result, 3, "if it speaks TLS, its URL begins with https://")


@case
def files_that_cannot_be_read_or_written_are_2():
    with Server(*AT_REST) as server:
        expect(vtstatus(None, "--url", server.url, "--cacert", "/nonexistent", "get"), 2,
               "'/nonexistent': there is no such file")
        expect(vtstatus(server, "--cert", "/nonexistent", "--key", "/nonexistent", "get"), 2,
               "'/nonexistent': there is no such file")


def unwritten(server, *arguments, stdout="/dev/full"):
    """Without a stdout at all, as >&- has it, when that is None."""
    with open(stdout or os.devnull, "w", encoding="utf-8") as full:
        return subprocess.run([VTSTATUS, *trust(server), *arguments], stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=WAIT_S, check=False,
                              preexec_fn=None if stdout else lambda: os.close(1), env=environment())


WATCH = ("call", "vtstatus.v1.StatusService/WatchStatus", "--data", '{"jobId":"default"}')


@case
def output_that_cannot_be_written_is_2():
    with Server(*DONE) as server:
        for command in (("get",), ("poll",), ("poll", "-o", "json"), ("watch",), WATCH, ("list",),
                        ("show", "default"), ("services",), ("health",), ("help",), ("--version",),
                        ("get", "--explain"), ("completion", "bash"),
                        ("submit", "file:///a.mp4", "--to", "de"),
                        ("submit", "file:///a.mp4", "--to", "de", "--wait")):
            result = unwritten(server, *command)
            equal((result.returncode, result.stderr),
                  (2, "vtstatus: cannot write the output: the disk is full\n"), command)
            result = unwritten(server, *command, stdout=None)
            equal((result.returncode, result.stderr),
                  (2, "vtstatus: cannot write the output: it is closed\n"), command)


@case
def lost_output_counts_more_than_a_failed_job():
    with Server(*FAILED) as server:
        for command in ("get", "poll", "watch"):
            equal(unwritten(server, command).returncode, 2, command)


@case
@with_more_time
def giving_up_is_4(scale):
    with Server(*AT_REST) as server:
        result = vtstatus(server, "poll", "--max-retries", "2", "--ignore-hints", *FAST)
        expect(result, 4, "3 tries", "the job goes on, continue with the same command")
        result = vtstatus(server, "poll", "default", f"--deadline={200 * scale}ms")
        expect(result, 4, "deadline", "continue with the same command")


@case
def an_unknown_job_is_5():
    with Server(*AT_REST) as server:
        for command in ("get", "poll"):
            result = vtstatus(server, command, "no-such-job")
            expect(result, 5, "no-such-job")
            equal(result.stdout, "")


@case
def client_certificates_are_shown():
    certs = shared_certs()
    with Server(*DONE, "--client-ca", certs / "ca.pem") as server:
        expect(vtstatus(server, "get"), 3, "certificate", "--cert FILE --key FILE")
        expect(vtstatus(server, "get", "--cert", certs / "client.pem", "--key",
                        certs / "client-key.pem"), 0)
        other = make_certs()
        expect(vtstatus(server, "get", "--cert", other / "client.pem", "--key",
                        other / "client-key.pem"), 3, "certificate")


@case
def the_environment_stands_for_flags():
    certs = shared_certs()
    with Server(*DONE, "--client-ca", certs / "ca.pem") as server:
        env = environment(VTSTATUS_URL=server.url, VTSTATUS_CACERT=str(certs / "ca.pem"),
                          VTSTATUS_CERT=str(certs / "client.pem"),
                          VTSTATUS_KEY=str(certs / "client-key.pem"))
        expect(vtstatus(None, "get", env=env), 0)
        expect(vtstatus(None, "--cacert", make_certs() / "ca.pem", "get", env=env), 3, "trusted")


@case
def a_file_stands_for_flags():
    folder = scratch_folder()
    (folder / "vtstatus").mkdir()
    file = folder / "vtstatus" / "config"
    with Server(*DONE) as server:
        file.write_text(f"# ours\nurl = {server.url}\ncacert = {server.certs / 'ca.pem'}\n"
                        "output = json\ninterval = 2s\n")
        result = vtstatus(None, "get", env=environment(XDG_CONFIG_HOME=str(folder)))
        expect(result, 0)
        equal(json.loads(result.stdout)["status"], "completed")
        result = vtstatus(None, "get", "--config", file, "-o", "text")
        expect(result, 0)
        check("completed" in result.stdout and "{" not in result.stdout, result.stdout)
        expect(vtstatus(None, "get", env=environment(
            XDG_CONFIG_HOME=str(folder), VTSTATUS_URL="https://no-such-host.invalid")), 3,
               "no-such-host")
        file.write_text("\nurl=\n")
        expect(vtstatus(None, "get", "--config", file), 2, f"{file}:2: url: it needs a value")


# ---- into a pipe ------------------------------------------------------------------------------

@contextlib.contextmanager
def polling(server, *flags):
    """The command that polls, into pipes."""
    process = subprocess.Popen(
        [VTSTATUS, *trust(server), "poll", "--ignore-hints", *FAST, *flags], env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(process, words):
    """The lines of its stdout to the first one with the words."""
    lines = []
    while not lines or words not in lines[-1]:
        lines.append(process.stdout.readline())
        check(lines[-1], f"no {words!r} in {lines}")
    return lines


@case
def piped_text_has_a_line_a_change():
    with Server() as server:
        job = DrivenJob(server)
        with polling(server) as process:
            lines = read_until(process, "pending, not started yet")
            for percent, phase in ((10, "download"), (40, "translate")):
                job.report(percent, phase)
                lines += read_until(process, f"{percent} %, {phase}")
            job.complete()
            out, err = process.communicate(timeout=WAIT_S)
            equal((process.returncode, err), (0, ""))
    lines += out.splitlines(keepends=True)
    equal(len(set(lines)), len(lines), "a line came twice")
    for line in lines[:-1]:
        check(line.startswith("default: pending, "), line)
    check(lines[-1].startswith("default: completed: "), lines[-1])
    check("\x1b" not in "".join(lines) and "\r" not in "".join(lines), "colours in a pipe")


@case
def piped_json_ends_with_the_final_status():
    with Server() as server:
        job = DrivenJob(server)
        with polling(server, "--output", "json") as process:
            lines = [process.stdout.readline()]
            job.report(10, "download")
            lines += read_until(process, '"download"')
            job.fail("no sound")
            out, err = process.communicate(timeout=WAIT_S)
            equal((process.returncode, err), (1, ""))
        statuses = [json.loads(line) for line in lines + out.splitlines()]
        revisions = [int(one["revision"]) for one in statuses]
        equal(revisions, sorted(set(revisions)), "revisions")
        equal({one["status"] for one in statuses[:-1]}, {"pending"})
        last = statuses[-1]
        equal((last["status"], last["done"], last["jobId"]), ("error", True, "default"))
        equal(last, json.loads(server.get("/status")[2]), "as the server itself writes it")


@case
def json_of_get_is_what_the_server_writes():
    with Server(*DONE) as server:
        result = vtstatus(server, "get", "-o", "json")
        equal(result.stdout, server.get("/status")[2].decode() + "\n")


@case
def a_reader_that_leaves_ends_the_polling():
    with Server() as server:
        job = DrivenJob(server)
        with polling(server) as process:
            process.stdout.readline()
            process.stdout.close()
            job.report(10, "download")  # it notices with the next change
            process.stderr.read()
            process.wait(WAIT_S)
        check(process.returncode in (-signal.SIGPIPE, 4), process.returncode)


# ---- on a terminal ----------------------------------------------------------------------------

def play(*flags, **more):
    """A terminal, at its end, that polls a job which completes; each step has been shown there
    before the next is done."""
    with Server() as server:
        job = DrivenJob(server)
        terminal = Terminal(server, "poll", *flags, "--ignore-hints", *FAST, **more)
        terminal.read_until("pend")
        for percent, phase in ((10, "download"), (40, "translate")):
            job.report(percent, phase)
            terminal.read_until(f"{percent} %")
        job.complete()
        equal(terminal.finish(), 0)
    return terminal


@case
def a_terminal_gets_one_line_that_is_redrawn():
    terminal = play()
    drawn = [part for part in terminal.screen.split("\r") if part.strip()]
    check(len(drawn) >= 5, f"redrawn {len(drawn)} times")
    check(re.search(r"\[\S*#\S*\.\S*\]", terminal.screen), "no bar")
    check(re.search(r"40 % translate \(3 of 6\)", terminal.screen), "no phase")
    check("next look in 1 s" in terminal.screen, "not when it looks again")
    equal(terminal.screen.count("\n"), 1, "the line is not redrawn but repeated")
    check("completed" in last_line(terminal.screen), repr(terminal.screen[-200:]))
    check("\x1b[32m" in terminal.screen, "no colour")


@case
def no_color_is_respected():
    terminal = play(NO_COLOR="1")
    check(not re.search(r"\x1b\[[0-9;]*m", terminal.screen), "coloured in spite of NO_COLOR")
    check("\r" in terminal.screen and "\x1b[K" in terminal.screen, "not redrawn")
    with Server(*DONE) as server:
        terminal = Terminal(server, "get", NO_COLOR="1")
        equal(terminal.finish(), 0)
        check("\x1b" not in terminal.screen, repr(terminal.screen))
        terminal = Terminal(server, "get")
        equal(terminal.finish(), 0)
        check("\x1b[32mcompleted\x1b[0m" in terminal.screen, repr(terminal.screen))
        result = vtstatus(server, "get", env=environment(CLICOLOR_FORCE="1"))
        check("\x1b[32mcompleted" in result.stdout, "CLICOLOR_FORCE does nothing")


@case
def a_narrow_terminal_is_not_wrapped():
    for columns in (20, 40, 80):
        terminal = play(columns=columns, pipes_stdout=True)
        for part in terminal.screen.split("\r"):
            shown = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", part)
            check(len(shown) < columns, f"{len(shown)} columns of {columns}: {shown!r}")


@case
def a_dumb_terminal_gets_lines():
    terminal = play(TERM="dumb")
    check("\x1b" not in terminal.screen, repr(terminal.screen))
    check(terminal.screen.count("\r\n") >= 4, repr(terminal.screen))


@case
def stdout_stays_clean_beside_the_terminal():
    terminal = play("-o", "json", pipes_stdout=True)
    lines = terminal.out.decode().splitlines()
    equal(json.loads(lines[-1])["status"], "completed")
    check(all(json.loads(line)["jobId"] == "default" for line in lines), lines)
    equal(terminal.screen.count("\n"), 0, "the line stays on the terminal")


# ---- signals ----------------------------------------------------------------------------------

@case
def an_interrupt_ends_the_waiting():
    with Server(*AT_REST) as server:
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process = subprocess.Popen([VTSTATUS, *trust(server), "poll"], text=True,
                                       env=environment(), stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
            try:
                check("pending" in process.stdout.readline(), "no first line")
                process.send_signal(number)
                _, err = process.communicate(timeout=WAIT_S)
            finally:
                process.kill()
                process.wait()
            equal(process.returncode, code)
            equal(err, "vtstatus: interrupted; the job goes on, continue with the same command\n")


@case
def the_interrupt_key_leaves_the_terminal_in_order():
    with Server(*AT_REST) as server:
        terminal = Terminal(server, "poll", "default")
        terminal.read_until(r"next look in \d+ s")
        os.write(terminal.master, b"\x03")
        equal(terminal.finish(), 130)
    check("continue with the same command" in last_line(terminal.screen),
          repr(terminal.screen[-300:]))
    check(terminal.screen.endswith("\n"), "the prompt would follow on the same line")


@case
def the_countdown_counts():
    """Between two questions the line is drawn anew each second."""
    with Server(*AT_REST) as server:
        terminal = Terminal(server, "poll", "--interval", "60s", "--max-interval", "60s",
                            "--jitter", "0")
        # Three numbers; which, is the machine's affair.
        terminal.read_until(r"look in (\d+) s(.|\n)*look in (?!\1 )(\d+) s(.|\n)*"
                            r"look in (?!\1 |\3 )\d+ s")
        shown = [int(one) for one in re.findall(r"next look in (\d+) s", terminal.screen)]
        equal(shown, sorted(shown, reverse=True), "it counts down")
        terminal.process.send_signal(signal.SIGINT)
        equal(terminal.finish(), 130)
        equal(server.metrics()["vts_http_requests_total"], 1, "it asked in the meantime")


@case
def an_interrupt_while_nobody_answers_ends_at_once():
    """A server that is stopped in its tracks: the connection is there, the answer is not."""
    with Server(*AT_REST) as server:
        server.send_signal(signal.SIGSTOP)
        try:
            terminal = Terminal(server, "poll", "--connect-timeout", "1h", "--request-timeout", "1h")
            terminal.read_until(r"asking")
            terminal.process.send_signal(signal.SIGINT)
            equal(terminal.finish(), 130)
        finally:
            server.send_signal(signal.SIGCONT)


main(__file__)
