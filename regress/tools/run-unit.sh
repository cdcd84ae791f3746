#!/usr/bin/env bash
# run-unit.sh DIRECTORY [REPLAYS]: runs the unit tests built there, and the fuzzers built in the other over their
# committed inputs; one line a program, the output of those that fail.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

directory=$1
passed=0 failed=0 number=0
export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

# run NAME COMMAND...: counts the lines "ok" and "not ok" that it prints
run()
{
    local name=$1 log=$directory/$1.log status=0 began=${EPOCHREALTIME/./} took good bad
    shift
    number=$((number + 1))
    timeout 300 "$@" >"$log" 2>&1 || status=$?
    took=$(((${EPOCHREALTIME/./} - began) / 100000))
    good=$(grep -c '^ok ' "$log" || true)
    bad=$(grep -c '^not ok ' "$log" || true)
    # a program that ends badly without a failed test has crashed
    [ "$status" = 0 ] || [ "$bad" != 0 ] || bad=1
    # and one that runs nothing tests nothing
    [ $((good + bad)) != 0 ] || bad=1
    passed=$((passed + good))
    failed=$((failed + bad))
    if [ "$bad" = 0 ]; then
        echo "ok $number - $name: $good tests ($((took / 10)).$((took % 10)) s)"
    else
        echo "not ok $number - $name: $bad failed, exit status $status"
        tail -40 "$log" | sed 's/^/#   /'
    fi
}

for source in regress/unit/test_*.c; do
    [ -e "$source" ] || continue
    name=$(basename "$source" .c)
    run "$name" "$directory/$name"
done
if [ $# -gt 1 ]; then
    for source in regress/fuzz/fuzz_*.c; do
        name=$(basename "$source" .c)
        name=${name#fuzz_}
        run "fuzz_$name" "$2/replay_$name" "regress/fuzz/corpus/$name"
    done
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
