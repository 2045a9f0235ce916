#!/usr/bin/env bash
# Compares vtstatusd with stock servers over TLS; prints tables and whether the targets are met.
# Usage: bench/run.sh [--only rest] [--rounds N] [--requests N] [--peers-only]
# bench/README.md explains.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin

die() {
    echo "bench: $1" >&2
    exit 1
}

# build WHAT FOLDER CONFIGURE…: configures with the command, then builds the folder.
build() {
    local what=$1 folder=$2
    shift 2
    echo "bench: building $what"
    if ! { "$@" && cmake --build "$folder"; } >"$scratch/log" 2>&1; then
        tail -n 20 "$scratch/log" >&2
        die "the build failed"
    fi
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
    build "a release" build/release cmake --preset release
fi
certs/make-dev-certs.sh "$scratch" >/dev/null
python3 -B bench/compare.py --build build/release \
    --scratch "$scratch" "$@"
