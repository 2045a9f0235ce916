#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/CONFIG.md, ERRORS.md and METRICS.md are what scripts/generate-docs.py makes of the tables."""
import importlib.util
import tempfile
from pathlib import Path

import lint


def load_generator():
    path = lint.ROOT / "scripts/generate-docs.py"
    spec = importlib.util.spec_from_file_location("generate_docs", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = load_generator()


def judge(root, name, text):
    path = root / "docs" / name
    if not path.is_file():
        return f"docs/{name}: missing; run scripts/generate-docs.py"
    if path.read_text() != text:
        return f"docs/{name}: not what scripts/generate-docs.py makes"
    return None


def check(root):
    try:
        wanted = GENERATOR.generate(root)
    except ValueError as error:
        return [str(error)]
    complaints = [judge(root, name, text) for name, text in wanted.items()]
    return [complaint for complaint in complaints if complaint]


TABLES = {
    "server/app/options.def": '/* X(NAME) */\nX(KEY, "key", "FILE|-", NULL, "the \\"key\\", (PEM)")\n',
    "server/jobs/simulation.def": 'X(seed, "1", "a number", "what is drawn from")\n',
    "server/guard/limits.def": 'X(IDLE_MS, "idle_ms", 5, "ms", "a, b")\n',
    "common/wire/rpc_code.def": 'X(5, NOT_FOUND, "not_found", 404)\n',
    "server/service/job_errors.def": 'X(JOB_GONE, NOT_FOUND, 410, 1, "it is gone")\n',
    "server/obs/metrics.def": 'X(REQUESTS, "vts_requests_total", "Requests")\n',
}


def documents():
    """The documents that belong to TABLES, by path."""
    with tempfile.TemporaryDirectory() as scratch:
        lint.write_tree(Path(scratch), TABLES)
        made = GENERATOR.generate(Path(scratch))
    return {f"docs/{name}": text for name, text in made.items()}


GOOD = {**TABLES, **documents()}
SAMPLES = {
    "same": (GOOD, None),
    "missing": ({name: text for name, text in GOOD.items() if name != "docs/METRICS.md"},
                "docs/METRICS.md: missing"),
    "edited": ({**GOOD, "docs/CONFIG.md": GOOD["docs/CONFIG.md"] + "x\n"}, "docs/CONFIG.md: not"),
    "new option": ({**GOOD, "server/app/options.def": TABLES["server/app/options.def"] +
                    'X(CERT, "cert", "FILE", NULL, "c")\n'}, "docs/CONFIG.md: not"),
    "other metric": ({**GOOD, "server/obs/metrics.def": 'X(A, "vts_a_total", "A")\n'},
                     "docs/METRICS.md: not"),
    "short row": ({**GOOD, "server/obs/metrics.def": 'X(A, "vts_a_total")\n'}, "2 columns, not 3"),
    "row that is none": ({**GOOD, "server/obs/metrics.def": GOOD["server/obs/metrics.def"] +
                          'X(A, "vts_a_total\n'}, "a row is not X(...)"),
    "no rows": ({**GOOD, "server/obs/metrics.def": "\n"}, "a row is not X(...)"),
}

if __name__ == "__main__":
    # The tables' columns reach the documents, whatever they hold.
    for expected in ('| `--key FILE\\|-` | `VTSTATUSD_KEY` |  | the "key", (PEM) |',
                     "| `seed` | `1` | a number | what is drawn from |", "| `idle_ms` | 5 | ms | a, b |"):
        if expected not in GOOD["docs/CONFIG.md"]:
            raise SystemExit(f"check_docs: docs/CONFIG.md lacks {expected}")
    lint.main(check, SAMPLES)
