#!/usr/bin/env bash
# check-sanitizers.sh [WORD]...: the integration tests and those of faults, all or those whose names contain a word, with
# the worker built with ASan and UBSan, then again with TSan.
#
#   SANITIZERS="asan tsan"    which of the two
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

passed=0 failed=0
mkdir -p "$build/log"

# one NAME SANITIZERS WORD...
one()
{
    local name=$1 what=$2 log=$build/log/check-$1.log status=0 line
    shift 2
    echo "== worker with -fsanitize=$what"
    make --no-print-directory -f sink/Makefile -j"$(nproc)" worker BUILD="$build/$name" SANITIZE="$what"
    WORKER_BUILD=$build/$name SANITIZE=$what regress/tools/python.sh regress/tools/run-tests --sanitizers "$@" |
        tee "$log" || status=$?
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -1 || true)
    line=${line:-0 passed, 1 failed}
    passed=$((passed + ${line%% passed*}))
    line=${line#*, }
    failed=$((failed + ${line%% failed*}))
    [ "$status" = 0 ] || [ "$failed" != 0 ] || failed=1
}

for name in ${SANITIZERS:-asan tsan}; do
    case $name in
        asan) one "$name" address,undefined "$@" ;;
        tsan) one "$name" thread "$@" ;;
        *) die "unrecognized sanitizer \"$name\"" ;;
    esac
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
