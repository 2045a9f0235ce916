#!/usr/bin/env bash
# Compares vtstatusd with stock servers over TLS; prints a table and whether the targets are met.
# Usage: bench/run.sh [--rounds N] [--requests N] [--peers-only]   (see bench/README.md)
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin

die() {
    echo "bench: $1" >&2
    exit 1
}

for tool in h2load nghttpd h2o nginx taskset curl python3 strip; do
    command -v "$tool" >/dev/null || die "$tool is missing; run scripts/setup.sh --bench"
done
[ -r /proc/self/schedstat ] || die "this kernel has no /proc/PID/schedstat"
[ "$(nproc)" -ge 2 ] || die "needs two processors, one for the server and one for the load"
ulimit -n 4096 || die "needs 4096 file descriptors (ulimit -n)"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [[ " $* " != *" --peers-only "* ]]; then
    echo "bench: building a release"
    if ! { cmake --preset release && cmake --build --preset release; } >"$scratch/log" 2>&1; then
        tail -n 20 "$scratch/log" >&2
        die "the build failed"
    fi
fi
certs/make-dev-certs.sh "$scratch" >/dev/null
python3 -B bench/compare.py --build build/release --scratch "$scratch" "$@"
