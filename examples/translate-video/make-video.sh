#!/usr/bin/env bash
# Makes a small video to translate: ffmpeg's test picture, an English voice, English subtitles.
# Usage: make-video.sh VIDEO.mkv
set -euo pipefail
[ $# = 1 ] || { echo "usage: $0 VIDEO.mkv" >&2; exit 2; }
video=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

lines=(
    "Good morning. This is a small film about the sea."
    "The water is blue and the sun is warm."
    "A small boat leaves the harbour in the morning."
    "The captain reads a book and drinks coffee."
    "In the evening the boat comes home."
)
seconds=4 # for each line

stamp() { printf '00:00:%02d,%03d' "$1" "$2"; }

inputs=()
filter=
for i in "${!lines[@]}"; do
    start=$((i * seconds))
    printf '%d\n%s --> %s\n%s\n\n' $((i + 1)) "$(stamp $start 200)" \
        "$(stamp $((start + seconds - 1)) 800)" "${lines[i]}" >>"$scratch/en.srt"
    espeak-ng -v en-us -s 150 -w "$scratch/$i.wav" "${lines[i]}"
    inputs+=(-i "$scratch/$i.wav")
    filter+="[$((i + 1)):a]adelay=$((start * 1000 + 200))[a$i];"
done
for i in "${!lines[@]}"; do filter+="[a$i]"; done
filter+="amix=inputs=${#lines[@]}:normalize=0,apad[voice]"

ffmpeg -nostdin -loglevel error -y \
    -f lavfi -i "testsrc=size=320x180:rate=15:duration=$((${#lines[@]} * seconds))" \
    "${inputs[@]}" -i "$scratch/en.srt" \
    -filter_complex "$filter" -map 0:v -map '[voice]' -map "$((${#lines[@]} + 1)):s" \
    -c:v mpeg4 -q:v 6 -c:a libvorbis -c:s srt -shortest \
    -metadata:s:a:0 language=eng -metadata:s:s:0 language=eng "$video"
