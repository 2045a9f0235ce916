#!/usr/bin/env bash
# Compares ways of waiting for a job: requests, and how late each learns of the end.
# Usage: bench/polling/run.sh [--jobs N] [--write]
# --write puts the table and the picture into docs/. bench/README.md explains.
set -euo pipefail
cd "$(dirname "$0")/../.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo "bench: building a release"
if ! { cmake --preset release && cmake --build --preset release --target vtstatusd vts_vtstatus poll_jobs; } \
    >"$scratch/log" 2>&1; then
    tail -n 20 "$scratch/log" >&2
    echo "bench: the build failed" >&2
    exit 1
fi
ulimit -n 4096 || { echo "bench: needs 4096 file descriptors (ulimit -n)" >&2; exit 1; }
certs/make-dev-certs.sh "$scratch" >/dev/null
python3 -B bench/polling/polling.py --build build/release --scratch "$scratch" "$@"
