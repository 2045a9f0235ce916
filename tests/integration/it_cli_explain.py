#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--explain: what it prints is pasted into a shell, and does what the command does."""
import json
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main  # noqa: E402
from command import environment, expect, vtstatus  # noqa: E402
from vts_server import WAIT_S, Server, scratch_folder  # noqa: E402

AT_REST = ("--simulate", "delay=24h,error_rate=0")
NASTY = "it's \"$(exit 1)\" `x` \\ %s \n\t! ü *"
LABEL = NASTY.replace("\n\t", "")  # which the server takes
SOURCE = "file:///it's-$(x)-!*.mp4"
STREAM_HINT = "vtstatus: a method that answers with a stream is explained with --stream\n"
SHELLS = [shell for shell in ("sh", "bash", "zsh") if shutil.which(shell)]


def explain(server, *arguments):
    """The commands; nothing may have been sent for them."""
    before = server.metrics()["vts_http_requests_total"]
    result = vtstatus(server, *arguments, "--explain")
    expect(result, 0)
    is_open = "call" in arguments and "--stream" not in arguments
    equal(result.stderr, STREAM_HINT if is_open else "")
    # Asking for the metrics is a request, too.
    equal(server.metrics()["vts_http_requests_total"], before + 1, "requests sent")
    return result.stdout


def paste(script, code=0, shell="sh"):
    # The envelopes of a stream are no text.
    result = subprocess.run([shell], input=script, capture_output=True, encoding="utf-8",
                            errors="replace", check=False, timeout=WAIT_S, env=environment())
    equal(result.returncode, code, f"{script}: {result.stderr}")
    return result.stdout


@case
def questions_have_the_same_answers():
    with Server(*AT_REST) as server:
        wanted = json.loads(vtstatus(server, "get", "-o", "json").stdout)
        for command in (("get",), ("get", "default"), ("poll", "--interval", "5s")):
            equal(json.loads(paste(explain(server, *command))), wanted, str(command))
        equal(paste(explain(server, "health")), "ok\n")
        paste(explain(server, "get", ".."), code=22)
        paste(explain(server, "get", "no-such-job"), code=22)


@case
def jobs_are_submitted_and_decided_over():
    with Server(*AT_REST) as server:
        for number, shell in enumerate(SHELLS):
            job_id = f"job-{number}"
            answer = json.loads(paste(explain(
                server, "submit", SOURCE, "--to", "de", "--job-id", job_id, "--label",
                "a=" + LABEL, "--option", "o=p", "--priority", "-5", "--timeout", "2m"),
                shell=shell))
            equal(answer["job"]["id"], job_id)
            job = json.loads(vtstatus(server, "show", job_id, "-o", "json").stdout)
            equal(job["spec"]["sourceUri"], SOURCE)
            equal((job["labels"], job["priority"]), ({"a": LABEL}, -5))
            equal((job["timeout"], job["spec"]["options"]), ("120s", {"o": "p"}))
        found = json.loads(paste(explain(server, "list", "--label", "a=" + LABEL, "--state",
                                         "pending", "--oldest-first")))
        equal(len(found["jobs"]), len(SHELLS))
        equal(json.loads(paste(explain(server, "show", "job-0")))["job"]["id"], "job-0")
        paste(explain(server, "cancel", "job-0", "--reason", NASTY))
        status = json.loads(vtstatus(server, "get", "job-0", "-o", "json").stdout)
        equal((status["state"], NASTY in status["error"]["message"]), ("cancelled", True))
        paste(explain(server, "retry", "job-0"))
        paste(explain(server, "delete", "job-0"), code=22)
        paste(explain(server, "cancel", "job-0"))
        paste(explain(server, "delete", "job-0"))
        expect(vtstatus(server, "get", "job-0"), 5, "job-0")


@case
def each_word_has_a_command():
    with Server(*AT_REST) as server:
        equal(len(explain(server, "show", "a", "b", "c").splitlines()), 3)
        found = json.loads(paste(explain(server, "submit", "file:///x", "--to", "de", "--to", "fr",
                                         "--wait")))
        equal(len(found["results"]), 2)
        result = vtstatus(server, "show", "a", "no id", "--explain")
        expect(result, 2, "no id")
        equal(len(result.stdout.splitlines()), 1)


@case
def calls_are_sent_as_they_are():
    method = "vtstatus.v1.StatusService/"
    with Server(*AT_REST) as server:
        answer = json.loads(paste(explain(server, "call", method + "GetStatus", "-H", "x-a: b c",
                                          "-d", '{\n"jobId":"default"\n}')))
        equal(answer["status"]["jobId"], "default")
        big = json.dumps({"jobIds": ["ü'%\\" + str(number) for number in range(900)],
                          }) + " " * 200000
        file = scratch_folder() / "request.json"
        file.write_text(big)
        answer = json.loads(paste(explain(server, "call", method + "BatchGetStatus", "-d",
                                          f"@{file}")))
        equal(len(answer["results"]), 900)
    with Server("--simulate", "delay=0s,error_rate=0") as server:
        vtstatus(server, "poll", "--interval", "20ms")
        for shell in SHELLS:
            answer = paste(explain(server, "call", method + "WatchStatus", "--stream", "-d",
                                   '{"jobId":"default"}'), shell=shell)
            check('"STATUS_COMPLETED"' in answer, answer)


@case
def waits_are_told_by_their_first_request():
    with Server("--simulate", "delay=0s,error_rate=0") as server:
        for job_id in ("a", "b"):
            vtstatus(server, "submit", SOURCE, "--to", "de", "--job-id", job_id, "--wait")
        for shell in SHELLS:
            answer = paste(explain(server, "watch", "a"), shell=shell)
            check('"STATUS_COMPLETED"' in answer, answer)
        answer = paste(explain(server, "watch", "a", "b"))
        equal(answer.count('"STATUS_COMPLETED"'), 2, answer)
        answer = json.loads(paste(explain(server, "watch", "a", "b", "--mode", "poll")))
        equal([result["jobId"] for result in answer["results"]], ["a", "b"])
        for mode in ("poll", "long-poll"):
            answer = json.loads(paste(explain(server, "watch", "a", "--mode", mode)))
            equal(answer["status"], "completed", mode)


@case
def services_are_told_by_their_first_request():
    with Server(*AT_REST) as server:
        check("vtstatus.v1.StatusService" in paste(explain(server, "services")), "no service")
        answer = paste(explain(server, "services", "vtstatus.v1.StatusService"))
        check("fileDescriptorProto" in answer, answer)


@case
def what_is_more_than_requests_is_not_explained():
    expect(vtstatus(None, "work", "true", "--explain"), 2, "--explain")


@case
def the_way_to_the_server_is_told():
    result = vtstatus(None, "--url", "https://vt.example.com", "get", "--timeout", "1500ms",
                      "--explain")
    equal(result.stdout, "curl -sS --fail-with-body --connect-timeout 10 --max-time 1.5 "
          "-H 'Accept: application/json' https://vt.example.com:443/status\n")


main(__file__)
