#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ways of waiting side by side: the same simulated jobs, waited for in every way at once.

bench/polling/run.sh prepares and calls it; what is measured is told in bench/README.md.
"""
import argparse
import html
import math
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import servers  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
WAYS = ("watch", "long-poll", "hint", "default", "heygen-cli", "gax-go", "api-core-python", "smithy",
        "azure", "openai-python", "plain")
OURS = WAYS[:4]
SIGMA = 0.5  # of the logarithm of durations
TIMEOUT_S = 1200


class Scene(NamedTuple):
    """Jobs of one kind. Everything is played `scale` times as fast as it is told of."""

    name: str
    median_s: float
    scale: float


SCENES = (Scene("30 s", 30, 2), Scene("105 s", 105, 4), Scene("10 min", 600, 15),
          Scene("1 h", 3600, 60))


class Outcome(NamedTuple):
    """What one way took for the jobs of a scene: the means, and the delay of the slowest 5 %."""

    requests: float
    delay_s: float
    delay_p95_s: float


class Simulation(servers.Vtstatusd):
    """Plays jobs on as many workers as there are jobs; shares both processors with the clients."""

    cpus = "0,1"
    scene = None
    jobs_count = 0

    def command(self):
        scale = self.scene.scale
        median = self.scene.median_s / scale
        return [self.binary, "--listen", "127.0.0.1:0", "--cert", self.scratch / "server.pem",
                "--key", self.scratch / "server-key.pem", "--log-format", "json", "--simulate",
                f"workers={self.jobs_count + 1},delay=lognormal:{median * 1000:.0f}ms:{SIGMA},"
                "error_rate=0,seed=7", "--limit",
                f"poll_after_min_ms={200 / scale:.0f},poll_after_max_ms={30_000 / scale:.0f}"]

    def has_started(self):
        self.port = self.find_port()
        return self.port is not None


def submit(server, command, count):
    """The ids of new jobs."""
    ids = [f"job-{i}" for i in range(count)]
    for job_id in ids:
        subprocess.run([command, "--url", f"https://localhost:{server.port}", "--cacert",
                        server.scratch / "ca.pem", "submit", "simulated:///v.mp4", "--to", "de",
                        "--job-id", job_id], check=True, stdout=subprocess.DEVNULL)
    return ids


def measure(args, scene):
    """{way: Outcome} of the scene's jobs, in its own time."""
    Simulation.scene, Simulation.jobs_count = scene, args.jobs
    with Simulation(args.scratch) as server:
        jobs = submit(server, args.build / "bin/vtstatus", args.jobs)
        lines = "".join(f"{way} {job}\n" for way in WAYS for job in jobs)
        run = subprocess.run(
            [args.build / "bin/poll_jobs", f"https://localhost:{server.port}",
             args.scratch / "ca.pem", str(scene.scale)],
            input=lines, capture_output=True, text=True, timeout=TIMEOUT_S)
        if run.returncode != 0:
            raise SystemExit(f"poll_jobs: {run.stderr[-500:]}")
    rows = [line.split() for line in run.stdout.splitlines()]
    outcomes = {}
    for way in WAYS:
        mine = [row for row in rows if row[0] == way]
        delays = sorted(float(row[3]) * scene.scale for row in mine)
        outcomes[way] = Outcome(statistics.mean(int(row[2]) for row in mine),
                                statistics.mean(delays), delays[len(delays) * 95 // 100])
    return outcomes


# ---- the table ----------------------------------------------------------------------------------

def seconds(value):
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def table(results):
    head = "| way |" + "".join(f" {scene.name}: requests | mean delay, s | 95 % below, s |"
                               for scene in results)
    lines = [head, "|---|" + "---|" * 3 * len(results)]
    for way in WAYS:
        cells = "".join(f" {one.requests:.1f} | {seconds(one.delay_s)} | {seconds(one.delay_p95_s)} |"
                        for one in (outcomes[way] for outcomes in results.values()))
        lines.append(f"| {'**' + way + '**' if way in OURS else way} |{cells}")
    return "\n".join(lines)


# ---- the picture --------------------------------------------------------------------------------

WIDTH, HEIGHT, MARGIN = 430, 330, 58
LETTER, LINE = 6.5, 12  # of a name, in pixels
COLOURS = {True: "#0b6e4f", False: "#8a5a44"}


class Axis:
    """A logarithmic axis from value to pixel."""

    def __init__(self, values, start, end):
        self.low = math.floor(math.log10(max(min(values), 1e-3)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)
        self.start, self.end = start, end

    def __call__(self, value):
        share = (math.log10(max(value, 10 ** self.low)) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self):
        return [10 ** power for power in range(self.low, self.high + 1)]


def text(x, y, words, anchor="middle", size=11, colour="#333", turn=""):
    return (f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" fill="{colour}" '
            f'text-anchor="{anchor}"{turn}>{html.escape(words)}</text>')


class Labels:
    """Names beside their points, towards the middle; one that has no room there goes lower."""

    def __init__(self, middle):
        self.middle = middle
        self.taken = []  # (left, right, y)

    def put(self, x, y, name, colour):
        width = LETTER * len(name)
        is_left = x > self.middle
        left = x - 7 - width if is_left else x + 7
        while any(abs(y - other_y) < LINE and left < other_right and other_left < left + width
                  for other_left, other_right, other_y in self.taken):
            y += 2
        self.taken.append((left, left + width, y))
        return text(x - 7 if is_left else x + 7, y + 4, name, "end" if is_left else "start",
                    colour=colour)


def panel(scene, outcomes, left, top):
    """One scene: requests to the right, delay upwards; down and to the left is better."""
    right, bottom = left + WIDTH - 20, top + HEIGHT - 50
    inner = left + MARGIN, top + 30
    across = Axis([one.requests for one in outcomes.values()], inner[0], right)
    upwards = Axis([one.delay_s for one in outcomes.values()], bottom, inner[1])
    parts = [text((inner[0] + right) / 2, top + 18, f"jobs of {scene.name}", size=13)]
    for value in across.ticks():
        x = across(value)
        parts.append(f'<path d="M{x:.0f} {inner[1]}V{bottom}" stroke="#ddd"/>')
        parts.append(text(x, bottom + 16, f"{value:g}"))
    for value in upwards.ticks():
        y = upwards(value)
        parts.append(f'<path d="M{inner[0]} {y:.0f}H{right}" stroke="#ddd"/>')
        parts.append(text(inner[0] - 6, y + 4, f"{value:g}", "end"))
    parts.append(text((inner[0] + right) / 2, bottom + 34, "requests a job"))
    middle = (inner[1] + bottom) / 2
    parts.append(text(left + 14, middle, "mean delay, s",
                      turn=f' transform="rotate(-90 {left + 14} {middle:.0f})"'))
    labels = Labels((inner[0] + right) / 2)
    for way, one in sorted(outcomes.items(), key=lambda item: -item[1].delay_s):
        x, y, colour = across(one.requests), upwards(one.delay_s), COLOURS[way in OURS]
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
        parts.append(labels.put(x, y, way, colour))
    return "".join(parts)


def picture(results):
    columns = 2
    rows = math.ceil(len(results) / columns)
    size = f"{columns * WIDTH} {rows * HEIGHT}"
    panels = "\n".join(panel(scene, outcomes, i % columns * WIDTH, i // columns * HEIGHT)
                       for i, (scene, outcomes) in enumerate(results.items()))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" '
            'font-family="sans-serif" role="img" aria-label="requests and delays of ways to wait">'
            f'\n<rect width="100%" height="100%" fill="#fff"/>\n{panels}\n</svg>\n')


# ---- the whole ----------------------------------------------------------------------------------

def print_targets(results):
    outcomes = next(found for scene, found in results.items() if scene.name == "105 s")
    ours, theirs = outcomes["hint"], outcomes["heygen-cli"]
    print("\ntargets, jobs of 105 s")
    for what, value, most in (
            ("requests by watch", outcomes["watch"].requests, 1),
            ("requests by long-poll", outcomes["long-poll"].requests, 2.5),
            ("requests by hint, by heygen-cli's", ours.requests / theirs.requests, 1),
            ("delay by hint, by heygen-cli's", ours.delay_s / theirs.delay_s, 0.1)):
        print(f"  {what:40}{value:>9.2f}   at most {most:g}: "
              f"{'met' if value <= most else 'MISSED'}")


def write(results, jobs_count):
    """Puts both into docs/; the table stands between two marks."""
    page = ROOT / "docs/POLLING.md"
    start, end = "<!-- table -->\n", "<!-- end of the table -->"
    head, _, rest = page.read_text().partition(start)
    _, _, tail = rest.partition(end)
    note = f"\n\n{jobs_count} jobs of each kind, each waited for in every way.\n"
    page.write_text(f"{head}{start}{table(results)}{note}{end}{tail}")
    (ROOT / "docs/polling.svg").write_text(picture(results))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, required=True, help="folder of the release build")
    parser.add_argument("--scratch", type=Path, required=True, help="folder with the certificates")
    parser.add_argument("--jobs", type=int, default=40, help="of each kind")
    parser.add_argument("--only", help="the jobs of this median alone, such as '105 s'")
    parser.add_argument("--write", action="store_true", help="puts the outcome into docs/")
    args = parser.parse_args()
    Simulation.binary = args.build / "bin/vtstatusd"
    results = {scene: measure(args, scene) for scene in SCENES
               if args.only in (None, scene.name)}
    print(table(results))
    if args.only in (None, "105 s"):
        print_targets(results)
    if args.write:
        write(results, args.jobs)


if __name__ == "__main__":
    main()
