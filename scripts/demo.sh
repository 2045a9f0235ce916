#!/usr/bin/env bash
# Shows the whole system at work: builds it, starts a server on port 5000 with a job that takes
# eight seconds, and polls that job to its end. Needs nothing but a Debian machine.
# Usage: scripts/demo.sh
set -euo pipefail
cd "$(dirname "$0")/.."

port=5000
bin=build/release/bin
server_pid=
scratch=$(mktemp -d)

die() {
    echo "demo: $1" >&2
    exit 1
}

clean_up() {
    [ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null || true
    rm -rf "$scratch"
}
trap clean_up EXIT

is_port_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

build() {
    if cmake --preset release && cmake --build --preset release; then
        return
    fi >"$scratch/build.log" 2>&1
    tail -n 20 "$scratch/build.log" >&2
    die "the build failed"
}

# Starts the server; returns once it says that it listens. Its log is $scratch/server.log.
start_server() {
    local line
    mkfifo "$scratch/pipe"
    "$bin/vtstatusd" --listen "127.0.0.1:$port" --log-format json \
        --cert "$scratch/server.pem" --key "$scratch/server-key.pem" \
        --simulate delay=8s,error_rate=0,seed=1 2>"$scratch/pipe" &
    server_pid=$!
    exec 3<"$scratch/pipe"
    while read -r -t 10 line <&3; do
        echo "$line" >>"$scratch/server.log"
        [[ $line == *'"msg":"listening"'* ]] || continue
        cat <&3 >>"$scratch/server.log" &
        return
    done
    server_pid=
    cat "$scratch/server.log" >&2 || true
    die "the server did not start"
}

stop_server() {
    local code=0
    kill -TERM "$server_pid"
    wait "$server_pid" || code=$?
    server_pid=
    [ "$code" = 0 ] || die "the server ended with exit code $code"
}

scripts/setup.sh --build
! is_port_taken || die "port $port is in use; stop what listens there and try again"
echo "demo: building"
build
certs/make-dev-certs.sh "$scratch"
echo "demo: starting vtstatusd on port $port with a job that takes 8 seconds"
start_server
echo "demo: polling it: vtstatus --url https://localhost:$port --cacert ca.pem poll"
code=0
"$bin/vtstatus" --url "https://localhost:$port" --cacert "$scratch/ca.pem" poll || code=$?
stop_server
[ "$code" = 0 ] || die "the job was not completed (exit code $code)"
echo "demo: the job is completed, the server has stopped"
