#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/translate-video: a real video becomes Spanish, by a worker, and is watched meanwhile."""
import json
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main  # noqa: E402
from command import VTSTATUS, environment, expect, trust, vtstatus  # noqa: E402
from vts_server import ROOT, WAIT_S, Server, scratch_folder  # noqa: E402

EXAMPLE = ROOT / "examples/translate-video"
PHASES = ["extract", "translate", "speak", "assemble", "done"]


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=WAIT_S, check=False)
    equal(done.returncode, 0, f"{command}: {done.stderr}")
    return done


def ffmpeg(*arguments):
    return run("ffmpeg", "-nostdin", "-hide_banner", *arguments)


def make_video(name):
    video = scratch_folder() / name
    run(EXAMPLE / "make-video.sh", video)
    return video


def watch(server, job_id):
    """A command that tells each change on a line; it runs."""
    return subprocess.Popen([VTSTATUS, *trust(server), "watch", "-o", "json", job_id],
                            env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            text=True)


def translate(server, source, *flags):
    """Has a worker work until nothing is left to do; returns what a watcher was told."""
    expect(vtstatus(server, "submit", source, "--to", "es", "--job-id", "film", *flags), 0)
    with watch(server, "film") as watcher:
        try:
            first = watcher.stdout.readline()
            expect(vtstatus(server, "work", "--until-idle", "--", EXAMPLE / "translate.py",
                            "{source}", "{from}", "{to}"), 0)
            out, _ = watcher.communicate(timeout=WAIT_S)
        finally:
            watcher.kill()
    return [json.loads(line) for line in (first + out).splitlines()]


def attempt_error(server):
    job = json.loads(vtstatus(server, "show", "film", "-o", "json").stdout)
    return job["attempts"][-1]["error"]["message"]


def streams(video, kind):
    """What ffprobe says of the streams of a kind, in their order."""
    found = json.loads(run("ffprobe", "-loglevel", "error", "-show_streams", "-of", "json",
                           video).stdout)["streams"]
    return [stream for stream in found if stream["codec_type"] == kind]


def languages(video, kind):
    return [stream["tags"]["language"] for stream in streams(video, kind)]


def subtitles(video, number):
    return ffmpeg("-loglevel", "error", "-i", video, "-map", f"0:s:{number}", "-f", "srt",
                  "-").stdout


def duration_s(video):
    return float(run("ffprobe", "-loglevel", "error", "-show_entries", "format=duration", "-of",
                     "csv=p=0", video).stdout)


def loudness_db(video, number):
    told = ffmpeg("-i", video, "-map", f"0:a:{number}", "-af", "volumedetect", "-f", "null",
                  "-").stderr
    return float(re.search(r"max_volume: (-?[0-9.]+) dB", told).group(1))


@case
def a_video_becomes_spanish_and_is_watched_meanwhile():
    video = make_video("sea.mkv")
    result = video.with_name("sea.es.mkv")
    with Server() as server:
        told = translate(server, video.as_uri(), "--from", "en")
    states = [status["state"] for status in told]
    equal(states[0], "pending", states)
    equal(states[-1], "succeeded", states)
    check("running" in states, states)
    progress = [status.get("progress", {}) for status in told]
    phases = [part["phase"] for part in progress if "phase" in part]
    equal(phases, sorted(phases, key=PHASES.index), "phases in their order")
    check(phases, "a phase was seen")
    percents = [part.get("percent", 0) for part in progress]
    equal(percents, sorted(percents), "progress never falls")
    equal(told[-1]["outputUri"], result.as_uri())

    equal(len(streams(result, "video")), 1)
    equal(languages(result, "audio"), ["spa", "eng"])
    equal(languages(result, "subtitle"), ["spa", "eng"])
    spanish, english = subtitles(result, 0).lower(), subtitles(result, 1).lower()
    for word in ("buenos días", "película", "mar", "agua", "sol", "bote", "capitán", "libro",
                 "tarde"):
        check(re.search(rf"\b{word}\b", spanish), f"no {word} in {spanish}")
    check("*" not in spanish, f"a word was not translated: {spanish}")
    check("the water is blue" in english, english)
    equal(len(re.findall("-->", spanish)), len(re.findall("-->", english)), "lines")
    for number in range(2):
        check(loudness_db(result, number) > -30, f"voice {number} is silent")
    equal(ffmpeg("-loglevel", "error", "-i", result, "-f", "null", "-").stderr, "", "playing it")
    check(abs(duration_s(result) - duration_s(video)) < 2, "it is as long as it was")


@case
def subtitles_beside_the_video_are_taken():
    video = make_video("bare.mkv")
    bare = video.with_name("silent.mkv")
    ffmpeg("-loglevel", "error", "-i", video, "-map", "0:v", "-c", "copy", bare)
    bare.with_suffix(".srt").write_text("1\r\n00:00:01,000 --> 00:00:03,000\r\nThe house is red.\r\n")
    with Server() as server:
        equal(translate(server, bare.as_uri(), "--from", "en")[-1]["state"], "succeeded")
    result = bare.with_name("silent.es.mkv")
    equal(languages(result, "audio"), ["spa"])
    check("casa" in subtitles(result, 0).lower(), subtitles(result, 0))


@case
def what_cannot_be_translated_says_why():
    video = make_video("plain.mkv")
    silent = video.with_name("silent.mkv")
    ffmpeg("-loglevel", "error", "-i", video, "-map", "0:v", "-c", "copy", silent)
    for source, flags, words in (
            ("file:///nowhere/film.mkv", ("--from", "en"), "there is no file"),
            ("https://localhost/film.mkv", ("--from", "en"), "only files can be translated"),
            (silent.as_uri(), ("--from", "en"), "has no subtitles"),
            (video.as_uri(), ("--from", "fr"), "from fr to es is not among")):
        with Server() as server:
            told = translate(server, source, *flags, "--max-attempts", "1")
            equal(told[-1]["state"], "failed", source)
            check(words in attempt_error(server), attempt_error(server))


if __name__ == "__main__":
    main(__file__)
