#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Translates a video: its subtitles and its voice. A command for `vtstatus work`:

    vtstatus work -- examples/translate-video/translate.py {source} {from} {to}

ffmpeg takes the subtitle track out (or there is an .srt file beside the video), apertium translates
it, espeak-ng speaks it, and ffmpeg puts the translated subtitles and the new voice back in, beside
the old ones. Tells on stdout how far it is, and at the end where the result lies; what goes wrong is
told on stderr. Languages: English and Spanish.
"""
import os
import re
import subprocess
import sys
import tempfile
import wave
from pathlib import Path
from urllib.parse import unquote, urlparse

PHASES = ("extract", "translate", "speak", "assemble")
PAIRS = {("en", "es"): "eng-spa", ("es", "en"): "spa-eng"}
VOICES = {"en": "en-us", "es": "es"}
NAMES = {"en": "eng", "es": "spa"}  # ISO 639-2, as containers have them
WORDS_A_MINUTE = 150
CUE = re.compile(r"(\d+):(\d+):(\d+)[,.](\d+) --> (\d+):(\d+):(\d+)[,.](\d+)")


class Failed(Exception):
    """A text for people."""


def tell(phase, share):
    """share: of the phase, 0 to 1."""
    percent = 100 * (PHASES.index(phase) + share) / len(PHASES)
    print(f"progress {percent:.1f} {phase}", flush=True)


def run(*command, text=None):
    """What the command printed."""
    try:
        done = subprocess.run([str(part) for part in command], input=text, capture_output=True,
                              text=True)
    except FileNotFoundError:
        raise Failed(f"{command[0]} is missing: apt-get install ffmpeg apertium apertium-eng-spa "
                     "espeak-ng") from None
    if done.returncode != 0:
        raise Failed(f"{command[0]}: {done.stderr.strip()[-500:] or done.returncode}")
    return done.stdout


def ffmpeg(*arguments):
    return run("ffmpeg", "-nostdin", "-loglevel", "error", "-y", *arguments)


def path_of(uri):
    parts = urlparse(uri)
    if parts.scheme not in ("", "file"):
        raise Failed(f"only files can be translated here, and {uri} is none")
    path = Path(unquote(parts.path))
    if not path.is_file():
        raise Failed(f"there is no file {path}")
    return path.resolve()


# ---- subtitles ----------------------------------------------------------------------------------

def seconds(hours, minutes, whole, milli):
    return int(hours) * 3600 + int(minutes) * 60 + int(whole) + int(milli) / 1000


def read_cues(text):
    """[(start, end, words)] of SubRip."""
    cues = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip()):
        lines = block.split("\n")
        at = next((i for i, line in enumerate(lines) if CUE.search(line)), None)
        if at is None:
            continue
        numbers = CUE.search(lines[at]).groups()
        words = re.sub(r"<[^>]*>", "", " ".join(lines[at + 1:])).strip()
        if words:
            cues.append((seconds(*numbers[:4]), seconds(*numbers[4:]), words))
    return cues


def stamp(at):
    milli = round(at * 1000)
    return (f"{milli // 3600000:02d}:{milli // 60000 % 60:02d}:{milli // 1000 % 60:02d},"
            f"{milli % 1000:03d}")


def write_cues(cues):
    return "\n".join(f"{i}\n{stamp(start)} --> {stamp(end)}\n{words}\n"
                     for i, (start, end, words) in enumerate(cues, 1))


def extract(video, scratch):
    beside = video.with_suffix(".srt")
    if beside.is_file():
        return beside.read_text(encoding="utf-8", errors="replace")
    if "subtitle" not in run("ffprobe", "-loglevel", "error", "-show_entries",
                             "stream=codec_type", "-of", "csv=p=0", video):
        raise Failed(f"{video.name} has no subtitles, and there is no {beside.name} beside it")
    ffmpeg("-i", video, "-map", "0:s:0", "-c:s", "srt", scratch / "source.srt")
    return (scratch / "source.srt").read_text(encoding="utf-8", errors="replace")


def translate(cues, pair):
    """apertium keeps lines apart, so one run is enough; * marks words that it does not know."""
    lines = run("apertium", "-u", pair, text="\n".join(words for _, _, words in cues) + "\n")
    lines = lines.strip("\n").split("\n")
    if len(lines) != len(cues):
        raise Failed("apertium gave another number of lines than it got")
    return [(start, end, words.strip()) for (start, end, _), words in zip(cues, lines)]


# ---- the voice ----------------------------------------------------------------------------------

def duration_of(wav):
    with wave.open(str(wav)) as file:
        return file.getnframes() / file.getframerate()


def speak(cues, language, scratch):
    """A file a cue, spoken faster where it would run into the next."""
    files = []
    for i, (start, _, words) in enumerate(cues):
        wav = scratch / f"{i}.wav"
        room = cues[i + 1][0] - start if i + 1 < len(cues) else 3600
        run("espeak-ng", "-v", VOICES[language], "-s", WORDS_A_MINUTE, "-w", wav, "--", words)
        if duration_of(wav) > room:
            faster = min(400, round(WORDS_A_MINUTE * duration_of(wav) / room) + 10)
            run("espeak-ng", "-v", VOICES[language], "-s", faster, "-w", wav, "--", words)
        files.append(wav)
        tell("speak", (i + 1) / len(cues))
    return files


def assemble(video, cues, voices, language, scratch, target):
    subtitles = scratch / "target.srt"
    subtitles.write_text(write_cues(cues), encoding="utf-8")
    delays = "".join(f"[{i}:a]adelay={round(cues[i][0] * 1000)}[v{i}];" for i in range(len(voices)))
    mix = "".join(f"[v{i}]" for i in range(len(voices)))
    inputs = [part for wav in voices for part in ("-i", wav)]
    ffmpeg(*inputs, "-filter_complex",
           f"{delays}{mix}amix=inputs={len(voices)}:normalize=0[voice]", "-map", "[voice]",
           scratch / "voice.wav")
    tell("assemble", 0.5)
    half_done = target.with_name(f".{target.name}.part")
    ffmpeg("-i", video, "-i", scratch / "voice.wav", "-i", subtitles,
           "-map", "0:v", "-map", "1:a", "-map", "0:a?", "-map", "2:s", "-map", "0:s?",
           "-c", "copy", "-c:a:0", "libvorbis", "-c:s", "srt",
           "-metadata:s:a:0", f"language={NAMES[language]}",
           "-metadata:s:s:0", f"language={NAMES[language]}",
           "-disposition:a:0", "default", "-disposition:s:0", "default", "-f", "matroska",
           half_done)
    os.replace(half_done, target)


# ---- the whole ----------------------------------------------------------------------------------

def main():
    if len(sys.argv) != 4:
        print(f"usage: {sys.argv[0]} SOURCE FROM TO", file=sys.stderr)
        return 2
    source, given, language = sys.argv[1:]
    given, language = given.split("-")[0] or ("es" if language == "en" else "en"), \
        language.split("-")[0]
    try:
        if (given, language) not in PAIRS:
            raise Failed(f"from {given} to {language} is not among {sorted(PAIRS)}")
        video = path_of(source)
        target = video.with_name(f"{video.stem}.{language}.mkv")
        with tempfile.TemporaryDirectory(prefix="translate-") as folder:
            scratch = Path(folder)
            tell("extract", 0)
            cues = read_cues(extract(video, scratch))
            if not cues:
                raise Failed(f"the subtitles of {video.name} are empty")
            tell("translate", 0)
            cues = translate(cues, PAIRS[given, language])
            tell("speak", 0)
            voices = speak(cues, language, scratch)
            tell("assemble", 0)
            assemble(video, cues, voices, language, scratch, target)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    print("progress 100 done", flush=True)
    print(f"output {target.as_uri()}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
