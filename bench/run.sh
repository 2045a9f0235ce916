#!/usr/bin/env bash
# Compares vtstatusd with stock servers over TLS; prints tables and whether the targets are met.
# Usage: bench/run.sh [--only rest|grpc|memory|load|jobs|wait] [--rounds N] [--requests N] [--peers-only]
# bench/README.md explains.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin
python=/usr/bin/python3 # Debian's own: it is the one that has python3-grpcio

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

for tool in h2load nghttpd h2o nginx taskset curl strip protoc grpc_cpp_plugin; do
    command -v "$tool" >/dev/null || die "$tool is missing; run scripts/setup.sh --bench"
done
"$python" -c 'import grpc, google.protobuf' 2>/dev/null ||
    die "python3-grpcio is missing; run scripts/setup.sh --bench"
[ -r /proc/self/schedstat ] || die "this kernel has no /proc/PID/schedstat"
[ "$(nproc)" -ge 2 ] || die "needs two processors, one for the server and one for the load"
ulimit -n 4096 || die "needs 4096 file descriptors (ulimit -n)"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [[ " $* " != *" --peers-only "* ]]; then
    build "a release" build/release cmake --preset release
    cmake --build build/release --target wait_many >"$scratch/log" 2>&1 || die "wait_many cannot be built"
fi
build "the gRPC peers" build/bench \
    cmake -G Ninja -S bench -B build/bench -DCMAKE_BUILD_TYPE=RelWithDebInfo
certs/make-dev-certs.sh "$scratch" >/dev/null
"$python" -B bench/compare.py --build build/release --peer-build build/bench \
    --scratch "$scratch" "$@"
