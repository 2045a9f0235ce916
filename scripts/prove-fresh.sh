#!/usr/bin/env bash
# Runs a command of the project on a machine that has nothing: a new, minimal Debian 12 in a
# scratch folder, with HEAD cloned into it.
# Usage: scripts/prove-fresh.sh COMMAND [ARGUMENTS…]   such as: scripts/prove-fresh.sh scripts/demo.sh
#
# Needs root and debootstrap. Packages come from where this machine has its own; MIRROR=URL in the
# environment names another archive. Exits as the command did; nothing stays behind.
set -euo pipefail

suite=bookworm
repository=$(cd "$(dirname "$0")/.." && pwd)

die() {
    echo "prove-fresh: $1" >&2
    exit 1
}

# The first archive of Debian itself among this machine's package sources.
find_mirror() {
    local files
    files=$(find /etc/apt/sources.list /etc/apt/sources.list.d \
        \( -name '*.list' -o -name '*.sources' \) -type f 2>/dev/null) || true
    # shellcheck disable=SC2086 # names without blanks
    grep -hv '^ *#' /dev/null $files | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 |
        tr -d ' ' || true
}

# What the new system needs to know to fetch packages as this one does.
copy_network_setup() {
    local file
    cp /etc/resolv.conf /etc/hosts "$root/etc/"
    rm -f "$root/etc/apt/sources.list"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
        if [[ $file == *.list || $file == *.sources ]] && grep -q "${mirror%/}" "$file" 2>/dev/null; then
            cp "$file" "$root$file"
        fi
    done
    [ -n "$(find "$root"/etc/apt/sources.list* -type f)" ] ||
        echo "deb $mirror $suite main" >"$root/etc/apt/sources.list"
    for file in $(grep -lis proxy /etc/apt/apt.conf /etc/apt/apt.conf.d/* || true); do
        cp "$file" "$root$file"
    done
    for file in /etc/apt/trusted.gpg.d /etc/apt/keyrings /usr/local/share/ca-certificates; do
        if [ -d "$file" ]; then cp -r "$file" "$root${file%/*}/"; fi
    done
}

# Mounts and processes live in namespaces of their own, so both end with the command.
run_inside() {
    # shellcheck disable=SC2016 # the inner shell expands these
    unshare --mount --pid --fork --kill-child bash -c '
        set -e
        root=$1
        shift
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        exec chroot "$root" /usr/bin/env -i HOME=/root TERM="${TERM-dumb}" LANG=C.UTF-8 \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            ${http_proxy+http_proxy="$http_proxy"} ${https_proxy+https_proxy="$https_proxy"} \
            bash -c "cd /vtstatus && exec \"\$@\"" - "$@"
    ' - "$root" "$@"
}

[ $# -gt 0 ] || { echo "usage: $0 COMMAND [ARGUMENTS…]" >&2; exit 2; }
[ "$(id -u)" = 0 ] || die "needs root, to make a system and change into it"
command -v debootstrap >/dev/null || die "debootstrap is missing; install it: apt-get install debootstrap"
mirror=${MIRROR:-$(find_mirror)}
[ -n "$mirror" ] || die "found no Debian archive in /etc/apt; name one: MIRROR=URL $0 $*"

scratch=$(mktemp -d)
trap 'rm -rf --one-file-system "$scratch"' EXIT
root=$scratch/root
echo "prove-fresh: making a minimal $suite"
debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$scratch/log" 2>&1 ||
    { tail -n 5 "$scratch/log" >&2; die "debootstrap failed"; }
copy_network_setup
git clone --quiet --no-hardlinks "$repository" "$root/vtstatus"
echo "prove-fresh: running $*"
code=0
run_inside "$@" || code=$?
echo "prove-fresh: exit code $code"
exit "$code"
