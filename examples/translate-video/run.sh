#!/usr/bin/env bash
# From nothing to a translated video: installs what is needed, builds, starts a server and a worker,
# makes a small English video, submits it and watches it become Spanish.
# Usage: examples/translate-video/run.sh [FOLDER]   (default: a new one; the videos stay in it)
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
cd "$here/../.."

missing=()
for package in ffmpeg apertium apertium-eng-spa espeak-ng python3; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
scripts/setup.sh --build
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"
fi
cmake --preset release >/dev/null
cmake --build --preset release
bin=$PWD/build/release/bin

folder=$(readlink -f "${1:-$(mktemp -d --suffix=-vtstatus-video)}")
mkdir -p "$folder"
certs/make-dev-certs.sh "$folder/certs" >/dev/null
pids=()
stop() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait
}
trap stop EXIT

"$bin/vtstatusd" --listen 127.0.0.1:0 --store "sqlite:$folder/jobs.db" --log-format json \
    --cert "$folder/certs/server.pem" --key "$folder/certs/server-key.pem" 2>"$folder/server.log" &
pids+=($!)
for _ in $(seq 100); do
    port=$(sed -n 's/.*"msg":"listening".*"port":\([0-9]*\).*/\1/p' "$folder/server.log")
    [ -z "$port" ] || break
    kill -0 "${pids[0]}" 2>/dev/null || { cat "$folder/server.log" >&2; exit 1; }
    sleep 0.05
done
export VTSTATUS_URL=https://localhost:$port VTSTATUS_CACERT=$folder/certs/ca.pem

"$bin/vtstatus" work -- "$here/translate.py" '{source}' '{from}' '{to}' 2>"$folder/worker.log" &
pids+=($!)

"$here/make-video.sh" "$folder/sea.mkv"
"$bin/vtstatus" submit "file://$folder/sea.mkv" --from en --to es --job-id sea
"$bin/vtstatus" watch sea
"$bin/vtstatus" show sea
echo "the translated video: $folder/sea.es.mkv"
