#!/usr/bin/env bash
# run-unit.sh DIRECTORY: runs the unit tests built there; one line a program, the output of those that fail.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

directory=$1
passed=0 failed=0 number=0
export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

for source in regress/unit/test_*.c; do
    [ -e "$source" ] || continue
    name=$(basename "$source" .c)
    log=$directory/$name.log
    number=$((number + 1))
    began=${EPOCHREALTIME/./}
    status=0
    timeout 300 "$directory/$name" >"$log" 2>&1 || status=$?
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
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
