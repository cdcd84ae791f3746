#!/usr/bin/env bash
# check.sh: every test layer, one after the other, whatever fails; the last line sums them.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# target           what it is called in the summary
layers='
check-unit         unit
check-asan         unit under ASan and UBSan
check-regress      pg_regress and isolation
check-goldens      goldens
check-integration  integration
'

log=$build/log/check
mkdir -p "$log"
passed=0 failed=0 summary=

# layer TARGET NAME: runs it and adds what its last line says
layer()
{
    local target=$1 name=$2 status=0 line good=0 bad=0
    echo "== $name"
    make --no-print-directory -j"$(nproc)" "$target" 2>&1 | tee "$log/$target.log" || status=$?
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log/$target.log" | tail -1) || true
    if [ -n "$line" ]; then
        good=${line%% passed*}
        bad=${line#*, }
        bad=${bad%% failed*}
    fi
    # what ended badly has failed, even if it did not come to counting
    [ "$status" = 0 ] || [ "$bad" != 0 ] || bad=1
    [ $((good + bad)) != 0 ] || bad=1
    passed=$((passed + good))
    failed=$((failed + bad))
    summary+=$(printf '%-28s %5d passed, %d failed, %d s' "$name" "$good" "$bad" "$((SECONDS - began))")$'\n'
}

regress/tools/deps.sh build test
make --no-print-directory -j"$(nproc)" all
while read -r target name; do
    [ -n "$target" ] || continue
    began=$SECONDS
    layer "$target" "$name"
done <<<"$layers"
printf '\n%s' "$summary"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
