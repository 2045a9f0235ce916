#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the client into a scratch prefix, moves the tree, and uses it as an outsider would.
# Usage: check_package.sh CHECK SOURCE_DIR BUILD_DIR
# CC, VERSION and VTS_SANITIZE come from the environment. The last line is "CHECK: N passed, N failed".
set -euo pipefail

check=$1 source=$2 build=$3
here=$source/tests/package
example=$source/examples/c/poll.c
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0
sanitize=()
if [ -n "$VTS_SANITIZE" ]; then
    sanitize=("-fsanitize=$VTS_SANITIZE")
fi

die() {
    echo "FAIL $check: $1"
    echo "$check: $passed passed, 1 failed"
    exit 1
}

ok() {
    passed=$((passed + 1))
    echo "ok   $1"
}

# Only what the client owns: the server's parts may not be built.
install_package() {
    local component
    for component in lib dev cli; do
        cmake --install "$build" --prefix "$scratch/first" --component "$component" >/dev/null ||
            die "cannot install the component $component"
    done
    mv "$scratch/first" "$scratch/moved"
    prefix=$scratch/moved
    libdir=$(dirname "$(find "$prefix" -name libvtstatus.so)")
    export PKG_CONFIG_PATH=$libdir/pkgconfig
}

# runs NAME PROGRAM: it finds its library and knows the library's version
runs() {
    local said
    said=$(LD_LIBRARY_PATH=$libdir "$2" 2>&1) && die "$1 takes no arguments without a word"
    grep -q "with libvtstatus $VERSION" <<<"$said" || die "$1 says '$said'"
    ok "$1 runs"
}

is_self_contained() {
    if ldd "$1" | grep -q libvtstatus; then
        die "$1 needs libvtstatus.so"
    fi
}

consumer_cmake() {
    cmake -G Ninja -S "$here/consumer_cmake" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$prefix" \
        -DVTS_EXAMPLE="$example" -DVTS_WANTED="${VERSION%.*}" -DCMAKE_C_COMPILER="$CC" \
        -DCMAKE_C_FLAGS="${sanitize[*]}" >"$scratch/log" 2>&1 ||
        die "$(grep -m1 -A3 Error "$scratch/log")"
    cmake --build "$scratch/build" >"$scratch/log" 2>&1 || die "$(tail -n 5 "$scratch/log")"
    runs "a program with the shared library" "$scratch/build/with_shared"
    runs "a program with the static library" "$scratch/build/with_static"
    is_self_contained "$scratch/build/with_static"
    if cmake -G Ninja -S "$here/consumer_cmake" -B "$scratch/newer" -DCMAKE_PREFIX_PATH="$prefix" \
        -DVTS_EXAMPLE="$example" -DVTS_WANTED=99.0 >/dev/null 2>&1; then
        die "a version that does not exist is found"
    fi
    ok "a version that does not exist is not found"
}

# Splits what pkg-config says into words, as a makefile would.
flags() {
    pkg-config "$@" vtstatus
}

consumer_pkgconfig() {
    local library
    [ "$(flags --modversion)" = "$VERSION" ] || die "pkg-config says $(flags --modversion)"
    ok "pkg-config knows the version"
    if grep -q curl <<<"$(flags --libs)"; then
        die "programs with the shared library are told to link libcurl"
    fi
    # shellcheck disable=SC2046
    "$CC" "${sanitize[@]}" "$example" $(flags --cflags --libs) -o "$scratch/with_shared" ||
        die "cannot link the shared library"
    runs "a program with the shared library" "$scratch/with_shared"
    for library in curl protobuf-c jansson z; do
        grep -q -- "-l$library\b" <<<"$(flags --static --libs)" ||
            die "programs with the static library are not told to link $library"
    done
    ok "--static names what the static library stands on"
    # Those themselves stay shared: not every library below libcurl has a static one in Debian.
    find "$libdir" -name 'libvtstatus.so*' -delete
    # shellcheck disable=SC2046
    "$CC" "${sanitize[@]}" "$example" $(flags --cflags --libs) \
        $(pkg-config --libs libcurl libprotobuf-c jansson zlib) -lm -o "$scratch/with_static" ||
        die "cannot link the static library"
    is_self_contained "$scratch/with_static"
    runs "a program with the static library" "$scratch/with_static"
}

header_cxx() {
    local standard
    command -v c++ >/dev/null || exit 77
    for standard in c++11 c++17 c++20; do
        # shellcheck disable=SC2046
        c++ "-std=$standard" -Wall -Wextra -Wpedantic -Werror "${sanitize[@]}" "$here/header.cc" \
            $(flags --cflags --libs) -o "$scratch/$standard" || die "not in $standard"
        LD_LIBRARY_PATH=$libdir "$scratch/$standard" || die "a program in $standard fails"
        ok "in $standard"
    done
    for standard in c99 c11 c17; do
        # shellcheck disable=SC2046
        "$CC" "-std=$standard" -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c \
            $(flags --cflags) - <<<'#include <vtstatus/client.h>' || die "not in $standard"
        ok "in $standard"
    done
}

installed_tree() {
    local file
    for file in bin/vtstatus include/vtstatus/client.h include/vtstatus/wait.h share/man/man1/vtstatus.1 \
        share/man/man3/libvtstatus.3 share/bash-completion/completions/vtstatus \
        share/zsh/site-functions/_vtstatus share/fish/vendor_completions.d/vtstatus.fish; do
        [ -f "$prefix/$file" ] || die "there is no $file"
    done
    ok "every file is there"
    [ "$("$prefix/bin/vtstatus" --version)" = "vtstatus $VERSION" ] || die "the command does not run"
    ok "the command runs"
    if readelf -d "$prefix/bin/vtstatus" "$libdir/libvtstatus.so" | grep -E 'R(UN)?PATH'; then
        die "a path of the build is left in a binary"
    fi
    ok "no RPATH"
    readelf -d "$libdir/libvtstatus.so" | grep -q 'SONAME.*\[libvtstatus.so.0\]' || die "no SONAME"
    ok "the SONAME"
    # Where a path begins: the source may lie in a folder named like the package.
    if grep -rlE "(^|[\"' ;=])($build|$source)(/|[\"' ;]|\$)" "$prefix" \
        --include='*.cmake' --include='*.pc'; then
        die "a path of the build is left in a file"
    fi
    ok "no path of the build in the package's files"
}

# The EXAMPLE of each page of section 3 must compile as it stands.
man_examples() {
    local page name count=0
    for page in "$prefix"/share/man/man3/*.3; do
        name=$(basename "$page" .3)
        sed -n '/^\.SH EXAMPLE/,/^\.SH SEE/p' "$page" | sed -n '/^\.EX/,/^\.EE/p' |
            sed '/^\.E[XE]/d; s/\\e/\\/g; s/\\-/-/g' >"$scratch/$name.c"
        grep -q 'int main' "$scratch/$name.c" || continue
        # shellcheck disable=SC2046
        "$CC" -std=c11 -Wall -Wextra -Werror "${sanitize[@]}" "$scratch/$name.c" \
            $(flags --cflags --libs) -o "$scratch/$name" || die "the example of $name(3)"
        ok "the example of $name(3)"
        count=$((count + 1))
    done
    [ "$count" -ge 3 ] || die "only $count pages have an example"
    command -v man >/dev/null || return 0
    for page in "$source"/docs/man/*.[1-8]; do
        [ -z "$(MANWIDTH=80 man --warnings -l "$page" 2>&1 >/dev/null)" ] || die "$page has mistakes"
    done
    ok "the pages have no mistakes"
}

install_package
"$check"
echo "$check: $passed passed, 0 failed"
