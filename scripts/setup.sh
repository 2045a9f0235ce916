#!/usr/bin/env bash
# Installs what is missing to build and test: Debian packages, and the npm packages of tests/interop.
# Does nothing, and needs no network, when all is there.
# Usage: scripts/setup.sh [--build | --bench]
#   --build   no more than building takes
#   --bench   what bench/run.sh compares with, too
set -euo pipefail
cd "$(dirname "$0")/.."
mode=${1-}

# Package and what it is for.
build_packages=(
    cmake               "the build"
    ninja-build         "the build"
    gcc                 "C compiler"
    libc6-dev           "the C library's own headers"
    pkg-config          "finds the libraries"
    libnghttp2-dev      "HTTP/2"
    libssl-dev          "TLS"
    libuv1-dev          "event loop"
    libhttp-parser-dev  "HTTP/1.1"
    libjansson-dev      "JSON"
    zlib1g-dev          "gzip"
    uthash-dev          "hash tables"
    libsqlite3-dev      "the store of jobs"
    libcurl4-openssl-dev "the client's HTTP"
    libprotobuf-c-dev   "protobuf"
    openssl             "development certificates"
)
test_packages=(
    g++                 "public headers in C++, and clients"
    clang               "second C compiler"
    clang-format        "layout"
    clang-tidy          "static analysis"
    libclang-rt-dev     "clang's sanitizers"
    git                 "which files are ours"
    protobuf-c-compiler "protobuf code in C"
    protobuf-compiler   "protoc"
    libprotobuf-dev     "the well-known .proto files"
    libcunit1-dev       "unit tests"
    libev-dev           "the loop of an example"
    curl                "a stock client"
    nghttp2-client      "a stock client, and load"
    python3             "tests and lint"
    python3-protobuf    "a stock ProtoJSON to compare with"
    python3-grpcio      "a stock client"
    libgrpc++-dev       "a stock client"
    protobuf-compiler-grpc "code for these two"
    nodejs              "stock clients"
    npm                 "fetches them"
    chromium-headless-shell "a stock browser"
    ffmpeg              "examples/translate-video: video"
    apertium            "translation"
    apertium-eng-spa    "English and Spanish"
    espeak-ng           "voices"
    valgrind            "memory that nobody set"
    zsh                 "a shell whose completions are ours"
    fish                "another one"
)
bench_packages=(
    nghttp2-server      "peer: nghttpd"
    h2o                 "peer: h2o"
    nginx               "peer: nginx"
    libgrpc++-dev       "peer: grpc++"
    protobuf-compiler-grpc "peer: grpc++, its code from the .proto files"
    python3-grpcio      "asks each gRPC server once before it is measured"
)

die() {
    echo "setup: $1" >&2
    exit 1
}

packages=("${build_packages[@]}" "${test_packages[@]}")
npm_folder=tests/interop/node
case $mode in
    "") ;;
    --build)
        packages=("${build_packages[@]}")
        npm_folder=
        ;;
    --bench) packages+=("${bench_packages[@]}") ;;
    *) echo "usage: $0 [--build | --bench]" >&2; exit 2 ;;
esac
command -v dpkg-query >/dev/null || die "this machine has no dpkg; vtstatus builds on Debian 12 and newer"

# Names of the packages in the list above that are not installed, one a line.
list_missing() {
    local i names=()
    for ((i = 0; i < ${#packages[@]}; i += 2)); do
        # Node from elsewhere than Debian brings an npm of its own, which clashes with Debian's.
        [ "${packages[i]}" = npm ] && command -v npm >/dev/null || names+=("${packages[i]}")
    done
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

install_debian() {
    local wanted="$*"
    echo "setup: installing $wanted"
    as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "run as root: apt-get install --no-install-recommends $wanted"
        as_root=(sudo)
    fi
    [ "$mode" != --bench ] || forbid_services
    run_apt update || die "apt-get update failed; is the network there?"
    run_apt install -y --no-install-recommends "$@" || die "apt-get could not install: $wanted"
}

# What node_modules holds is noted inside it, as the lock that it was made from.
has_npm_packages() {
    [ -z "$npm_folder" ] ||
        cmp -s "$npm_folder/package-lock.json" "$npm_folder/node_modules/.vtstatus-lock.json"
}

# Fetches exactly what the lock names, and runs none of the packages' own scripts.
install_npm_packages() {
    echo "setup: installing the npm packages of $npm_folder"
    (cd "$npm_folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >/dev/null ||
        die "npm could not install the packages of $npm_folder; is the network there?"
    cp "$npm_folder/package-lock.json" "$npm_folder/node_modules/.vtstatus-lock.json"
}

mapfile -t missing < <(list_missing)
if [ ${#missing[@]} = 0 ] && has_npm_packages; then
    echo "setup: everything is there"
    exit 0
fi
[ ${#missing[@]} = 0 ] || install_debian "${missing[@]}"
has_npm_packages || install_npm_packages
