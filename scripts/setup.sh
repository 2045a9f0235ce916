#!/usr/bin/env bash
# Installs the Debian packages that are missing to build and test; does nothing when all are there.
# Usage: scripts/setup.sh [--bench]   (--bench: the servers that bench/run.sh compares with, too)
set -euo pipefail

# Package and what it is for.
packages=(
    cmake               "the build"
    ninja-build         "the build"
    gcc                 "C compiler"
    g++                 "public headers in C++; the C library's own headers"
    clang               "second C compiler"
    clang-format        "layout"
    clang-tidy          "static analysis"
    libclang-rt-dev     "clang's sanitizers"
    git                 "which files are ours"
    pkg-config          "finds the libraries"
    libnghttp2-dev      "HTTP/2"
    libssl-dev          "TLS"
    libuv1-dev          "event loop"
    libhttp-parser-dev  "HTTP/1.1"
    libjansson-dev      "JSON"
    zlib1g-dev          "gzip"
    uthash-dev          "hash tables"
    libcurl4-openssl-dev "the client's HTTP"
    libprotobuf-c-dev   "protobuf"
    protobuf-c-compiler "protobuf code in C"
    protobuf-compiler   "protoc"
    libprotobuf-dev     "the well-known .proto files"
    libcunit1-dev       "unit tests"
    curl                "a stock client for tests"
    nghttp2-client      "a stock client for tests, and load"
    openssl             "development certificates"
    python3             "tests and lint"
    python3-protobuf    "a stock ProtoJSON to compare with"
)
bench_packages=(
    nghttp2-server      "peer: nghttpd"
    h2o                 "peer: h2o"
    nginx               "peer: nginx"
)

die() {
    echo "setup: $1" >&2
    exit 1
}

case ${1-} in
    "") ;;
    --bench) packages+=("${bench_packages[@]}") ;;
    *) echo "usage: $0 [--bench]" >&2; exit 2 ;;
esac
command -v dpkg-query >/dev/null || die "this machine has no dpkg; vtstatus builds on Debian 12 and newer"

# Names of the packages in the list above that are not installed, one a line.
list_missing() {
    local i names=()
    for ((i = 0; i < ${#packages[@]}; i += 2)); do names+=("${packages[i]}"); done
    # dpkg-query fails when a name is unknown to it, and still prints the others.
    comm -23 <(printf '%s\n' "${names[@]}" | sort) \
        <({ dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${names[@]}" 2>/dev/null || true; } |
            sed -n 's/^installed //p' | sort)
}

run_apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -q "$@"
}

# Debian starts what it installs, and the benchmark's peers are for the benchmark alone to start.
forbid_services() {
    local policy=/usr/sbin/policy-rc.d
    [ ! -e "$policy" ] || return 0
    # shellcheck disable=SC2064 # the names as they are now
    trap "${as_root[*]} rm -f $policy" EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
}

mapfile -t missing < <(list_missing)
if [ ${#missing[@]} = 0 ]; then
    echo "setup: everything is there"
    exit 0
fi
wanted="${missing[*]}"
echo "setup: installing $wanted"
as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "run as root: apt-get install --no-install-recommends $wanted"
    as_root=(sudo)
fi
[ "${1-}" != --bench ] || forbid_services
run_apt update || die "apt-get update failed; is the network there?"
run_apt install -y --no-install-recommends "${missing[@]}" || die "apt-get could not install: $wanted"
