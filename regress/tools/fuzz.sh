#!/usr/bin/env bash
# fuzz.sh [NAME]...: runs each fuzzer of regress/fuzz, or those named, for FUZZ_SECONDS (60) under ASan and UBSan,
# starting from its committed inputs; as many at a time as there are processors.
#
#   FUZZ_MINIMIZE=1    instead write the fewest inputs that reach what all known ones do into regress/fuzz/corpus
#
# New inputs stay in build/fuzzing/corpus; what was found in build/fuzzing/found.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

seconds=${FUZZ_SECONDS:-60}
fuzzing=$build/fuzzing
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

# one NAME: prints "ok" or what was found
one()
{
    local name=$1 log=$fuzzing/$1.log own=$fuzzing/corpus/$1 status=0 began=$SECONDS runs
    mkdir -p "$own" "$fuzzing/found"
    "$fuzzing/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=3000 -max_len=8192 \
        -artifact_prefix="$fuzzing/found/$name-" -print_final_stats=1 \
        "$own" "regress/fuzz/corpus/$name" >"$log" 2>&1 || status=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if [ "$status" = 0 ]; then
        echo "ok - $name: $runs inputs, $((SECONDS - began)) s"
    else
        echo "not ok - $name"
        grep -vE '^#[0-9]+[[:space:]]' "$log" | tail -50 | sed 's/^/#   /'
    fi
}

# minimize NAME: an input is kept for what it reaches, the smallest first
minimize()
{
    local name=$1 kept=$fuzzing/kept/$1
    rm -rf "$kept"
    mkdir -p "$kept" "regress/fuzz/corpus/$name"
    "$fuzzing/fuzz/fuzz_$name" -merge=1 -use_counters=0 -max_len=8192 "$kept" "regress/fuzz/corpus/$name" "$fuzzing/corpus/$name" \
        >"$fuzzing/$name.log" 2>&1 || die "could not minimize $name: see $fuzzing/$name.log"
    rm -rf "regress/fuzz/corpus/$name"
    mv "$kept" "regress/fuzz/corpus/$name"
    say "$name: $(find "regress/fuzz/corpus/$name" -type f | wc -l) inputs"
}

if [ "${1:-}" = --one ]; then
    one "$2"
    exit
fi

regress/tools/deps.sh build fuzz
# warnings are the build's affair
WERROR='' make --no-print-directory -f sink/Makefile -j"$(nproc)" fuzzers BUILD="$fuzzing" CC=clang CXX=clang++ \
    SANITIZE=fuzzer-no-link,address,undefined
names=("$@")
[ $# != 0 ] || mapfile -t names < <(find regress/fuzz -name 'fuzz_*.c' -printf '%f\n' | sed 's/^fuzz_//; s/\.c$//' | sort)
if [ -n "${FUZZ_MINIMIZE:-}" ]; then
    for name in "${names[@]}"; do minimize "$name"; done
    exit
fi
printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I{} "$0" --one {} | tee "$fuzzing/summary"
passed=$(grep -c '^ok ' "$fuzzing/summary" || true)
failed=$(grep -c '^not ok ' "$fuzzing/summary" || true)
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" = "${#names[@]}" ]
