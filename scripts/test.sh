#!/usr/bin/env bash
# Builds and runs every test; the last line says "N passed, N failed".
# Usage: scripts/test.sh [ARGUMENTS FOR CMAKE…]   (such as -DVTS_BUILD_SERVER=OFF)
#
# The whole suite runs three times, plain, with AddressSanitizer and UndefinedBehaviorSanitizer,
# and with ThreadSanitizer; the style is checked once. clang builds everything too and runs the
# unit tests, clang-tidy reads all code, and the release build must succeed. All that is compiled or
# read is so beside the tests of what there is already: those wait more than they work.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake_arguments=("$@")
logs=build/logs
passed=0
failed=0

# count PASSED FAILED NAME SECONDS
count() {
    passed=$((passed + $1))
    failed=$((failed + $2))
    echo "$3: $1 passed, $2 failed ($4 s)"
}

# run_step NAME COMMAND…: one step that succeeds or fails; prints "NAME CODE SECONDS".
run_step() {
    local name=$1 start=$SECONDS code=0
    shift
    "$@" >"$logs/$name.log" 2>&1 || code=$?
    echo "$name $code $((SECONDS - start))"
}

build() {
    cmake --preset "$1" "${cmake_arguments[@]}" && cmake --build --preset "$1"
}

# Each step as it ends. They give way to the tests, some of which are about time.
run_steps() {
    renice -n 10 "$BASHPID" >/dev/null
    for preset in dev asan tsan clang; do
        run_step "build-$preset" build "$preset"
    done
    run_step clang-tidy tidy
    run_step build-release build release
}

# Waits for the next of these steps; its output is shown when it failed.
take_step() {
    local name code seconds
    read -r name code seconds <&3
    if [ "$code" = 0 ]; then
        count 1 0 "$name" "$seconds"
    else
        tail -n 60 "$logs/$name.log"
        count 0 1 "$name" "$seconds"
        return 1
    fi
}

# run_tests PRESET ARGUMENTS FOR CTEST…: each CUnit test and each case of a script counts, not the
# programs they are in.
run_tests() {
    local preset=$1 start=$SECONDS counts run=()
    shift
    [ "$preset" != tsan ] || run=("${without_aslr[@]}")
    # More than there are processors: tests wait more than they work.
    "${run[@]}" ctest --preset "$preset" -j4 --timeout 120 \
        --test-output-size-passed 1000000 --test-output-size-failed 1000000 \
        --output-junit "$PWD/$logs/$preset.xml" "$@" >"$logs/$preset.log" 2>&1 3<&- || true
    counts=$(python3 scripts/count_tests.py "$logs/$preset.xml") || true
    # shellcheck disable=SC2086 # two numbers
    count ${counts:-0 1} "$preset" $((SECONDS - start))
    [ "${counts#* }" = 0 ] || grep -v -e ' Passed ' -e '^ *Start ' "$logs/$preset.log" | tail -n 150 || true
}

# Names each finding once; build/logs/findings has what led to it. One file a process: with more, the
# analyser of clang 14 takes each va_list for one that was ended in the file before.
tidy() {
    python3 scripts/count_tests.py --sources build/clang |
        xargs -d '\n' -n 1 -P "$(nproc)" clang-tidy -p build/clang --quiet >"$logs/findings" 2>&1 &&
        return
    grep ' error: ' "$logs/findings" | sort -u || tail -n 20 "$logs/findings"
    return 1
}

scripts/setup.sh
mkdir -p "$logs"
# ThreadSanitizer of gcc 12 and clang 14 cannot place its memory where the kernel shuffles much.
without_aslr=(setarch "$(uname -m)" -R)
"${without_aslr[@]}" true 2>/dev/null || without_aslr=()

exec 3< <(run_steps)
if take_step; then
    run_tests dev
fi
if take_step; then
    run_tests asan -LE lint
fi
if take_step; then
    # Faults are met in one thread, and stock clients bring no thread that the others do not.
    run_tests tsan -LE 'lint|fault|interop'
fi
if take_step; then
    run_tests clang -L unit
fi
take_step || true # clang-tidy
take_step || true # the release

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
