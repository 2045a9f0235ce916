#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/CONFIG.md, docs/ERRORS.md and docs/METRICS.md from the tables in server/.

generate-docs.py [ROOT [FOLDER]]: reads ROOT/server (default: this project) and writes into FOLDER
(default: ROOT/docs). tests/lint/check_docs.py compares what is there with what this makes.
"""
import re
import sys
from pathlib import Path

STRING = r'"(?:\\.|[^"\\])*"'
TOKEN = re.compile(STRING + r"|[^\s,()][^,()]*")

CONFIG_HEAD = """\
# Configuration of vtstatusd

Every option is a flag and an environment variable; a flag wins over the variable, and an empty
variable counts as unset. The variable of a flag without a value is 1 for on and 0 for off. A
mistake in either, such as a file that is not there, stops the server before it listens, with exit
code 2 and a line that names it. Whatever else keeps it from starting, such as what is in a file or
an address that is taken, is exit code 1 and a line. `--help` prints the same options; it,
`--version` and `--descriptor-set` only print, and have no variable.

Generated from `server/app/options.def`, `server/jobs/simulation.def` and `server/guard/limits.def`
by `scripts/generate-docs.py`; do not edit.
"""

SIMULATION_HEAD = """\
## Simulation

`--simulate NAME=VALUE[,NAME=VALUE...]` has workers inside the server lease jobs, as others do, report on them through the
phases of a translation, and end them. The server submits a job named `default` for them, unless there is one in the store.
Other jobs are submitted as ever. `--simulate workers=2000,delay=lognormal:2s:0.8,crash_rate=0.01,lease=5s` plays a
busy day in little time.
"""

LIMITS_HEAD = """\
## Limits

`--limit NAME=N[,NAME=N...]` changes limits; N is a whole number from 1 to 10^9, or 0, which means
never, where 0 is the default. How often each was met is in the metric `vts_limit_hits_total`
([METRICS.md](METRICS.md)).
"""

ERRORS_HEAD = """\
# Errors of calls on jobs

Every failure of `StatusService`, `JobService` and `WorkerService`, and of `GET /status`, carries a
`google.rpc.ErrorInfo` with one of the reasons below and the domain `vtstatus`: what programs should look at. Its metadata has `jobId` when
the request named a job, and `field` when one of its fields is wrong. Reasons are stable; texts are
for people and may change. Whoever reads a status is told `JOB_NOT_FOUND` also where `GetJob` knows
that the job is gone, and the parts of a `BatchGetStatus` have the code and the text only.

Besides, `INVALID_REQUEST` carries a `google.rpc.BadRequest`, and whatever is worth another try a
`google.rpc.RetryInfo` with the wait, which REST also tells by `Retry-After`. gRPC has the details in
`grpc-status-details-bin`; Connect and REST in the error's JSON, `{"code","message","details"}`,
where each detail is its type and, in base64, its bytes.

HTTP's code is that of REST, and of unary Connect unless another one stands in brackets. What the
server itself refuses, before a method has the request, has the code and a text only.

Generated from `server/service/job_errors.def` by `scripts/generate-docs.py`; do not edit.
"""

METRICS_HEAD = """\
# Metrics of vtstatusd

`GET /metrics` answers with these counters in the Prometheus text format 0.0.4. They start at zero
with the process and only rise; a rate is the reader's to compute.

Generated from `server/obs/metrics.def` and `server/guard/limits.def` by `scripts/generate-docs.py`;
do not edit.
"""

CALLS = """\
## Calls

Of every method, with the labels `grpc_type`, `grpc_service` and `grpc_method`, whichever dialect
carried the call: `grpc_server_started_total`, `grpc_server_handled_total` (with `grpc_code`, such as
`OK` or `NotFound`), `grpc_server_msg_received_total` and `grpc_server_msg_sent_total`. Dashboards
made for other gRPC servers know them.
"""

LIMIT_HITS = """\
## Limits

`vts_limit_hits_total` counts the times a limit was met, with one label, `limit`. What each limit
bounds, and why, is in [CONFIG.md](CONFIG.md).
"""


def unquote(token):
    if token == "NULL":
        return None
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token.strip()


def read_table(path, columns):
    """The rows X(...) of a .def file, as lists of texts; NULL is None."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    rows = []
    for match in re.finditer(r"^X\(((?:" + STRING + r"|[^()\"])*)\)", text, re.MULTILINE):
        row = [unquote(token.group(0)) for token in TOKEN.finditer(match.group(1))]
        if len(row) != columns:
            raise ValueError(f"{path}: {len(row)} columns, not {columns}: {match.group(0)}")
        rows.append(row)
    if not rows or len(rows) != len(re.findall(r"^X\(", text, re.MULTILINE)):
        raise ValueError(f"{path}: a row is not X(...) of strings, names and numbers")
    return rows


def cell(text):
    return text.replace("|", "\\|")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell(text) for text in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def code(text):
    return f"`{text}`"


def write_config(root):
    options = read_table(root / "server/app/options.def", 5)
    parts = read_table(root / "server/jobs/simulation.def", 4)
    limits = read_table(root / "server/guard/limits.def", 5)
    option_rows = [(code(f"--{flag} {argument}" if argument else f"--{flag}"), code(f"VTSTATUSD_{name}"),
                    "" if value is None else code(value), text)
                   for name, flag, argument, value, text in options]
    part_rows = [(code(name), code(value), form, text) for name, value, form, text in parts]
    limit_rows = [(code(name), value, unit, why) for _, name, value, unit, why in limits]
    return "\n".join([CONFIG_HEAD, "## Options\n",
                      table(("Flag", "Variable", "Default", "What it sets"), option_rows),
                      SIMULATION_HEAD, table(("Name", "Default", "Form", "What it sets"), part_rows),
                      LIMITS_HEAD, table(("Name", "Default", "Unit", "Why"), limit_rows)])


def write_metrics(root):
    metrics = read_table(root / "server/obs/metrics.def", 3)
    limits = read_table(root / "server/guard/limits.def", 5)
    rows = [(code(name), text) for _, name, text in metrics]
    series = [(code('vts_limit_hits_total{limit="%s"}' % name), why) for _, name, _, _, why in limits]
    return "\n".join([METRICS_HEAD, "## Counters\n", table(("Name", "Counts"), rows),
                      CALLS, LIMIT_HITS, table(("Series", "The limit is on"), series)])


def write_errors(root):
    http_codes = {name: http for _, name, _, http in read_table(root / "common/wire/rpc_code.def", 4)}
    rows = []
    for reason, name, http, retry_s, text in read_table(root / "server/service/job_errors.def", 5):
        own = http_codes[name]
        rows.append((code(reason), code(name), own if http == "0" else f"{http} ({own})",
                     "" if retry_s == "0" else f"after {retry_s} s", text))
    return "\n".join([ERRORS_HEAD, table(("Reason", "Code", "HTTP", "Try again", "Text"), rows)])


def generate(root):
    """The documents by name."""
    return {"CONFIG.md": write_config(root), "ERRORS.md": write_errors(root),
            "METRICS.md": write_metrics(root)}


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else root / "docs"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in generate(root).items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main()
