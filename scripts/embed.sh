#!/usr/bin/env bash
# Writes a C file that holds the bytes of FILE as NAME[] and their number as NAME_len.
# Usage: scripts/embed.sh FILE NAME HEADER OUTPUT   (HEADER: what declares both, as an include writes it)
set -euo pipefail

if [ $# != 4 ]; then
    echo "usage: $0 FILE NAME HEADER OUTPUT" >&2
    exit 2
fi
{
    echo "/* Generated; do not edit. */"
    echo "#include \"$3\""
    echo
    echo "const unsigned char $2[] = {"
    od -An -v -tx1 "$1" | sed 's/ \(..\)/0x\1,/g; s/^/    /'
    echo "};"
    echo "const size_t $2_len = sizeof($2);"
} >"$4"
