#!/usr/bin/env bash
# check-valgrind.sh [NAME]...: the regress and isolation tests, all or those named, with a server that runs under valgrind's
# memcheck.  Each error in whose stack the plugin is counts as a failed test; leaks are not looked for, as the server
# frees what it palloc'ed at its own time.
#
# A server built with -DUSE_VALGRIND (PG_CONFIG) tells memcheck of each palloc, so that more is seen.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

regress/tools/deps.sh valgrind
pg_config=${PG_CONFIG:-pg_config}
bindir=$("$pg_config" --bindir)

scratch=$(mktemp -d "${TMPDIR:-/tmp}/cdc-valgrind.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir -m 777 "$scratch/errors"
mkdir "$scratch/bin"
ln -s "$bindir"/* "$scratch/bin/"
rm "$scratch/bin/postgres"
cat >"$scratch/bin/postgres" <<SCRIPT
#!/bin/sh
exec valgrind --quiet --leak-check=no --trace-children=yes --num-callers=50 --error-limit=no \\
    --xml=yes --xml-file="$scratch/errors/%p.xml" "$bindir/postgres" "\$@"
SCRIPT
chmod -R go+rX "$scratch"
chmod +x "$scratch/bin/postgres"

log=$build/log/check-valgrind.log status=0
mkdir -p "$build/log"
# a server is up after minutes, and a step that waits is waited for
export REGRESS_BINDIR=$scratch/bin PGCTLTIMEOUT=600 PGISOLATIONTIMEOUT=3600
regress/tools/run-regress.sh "$@" | tee "$log" || status=$?
line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -1 || true)
line=${line:-0 passed, 1 failed}
passed=${line%% passed*}
failed=${line#*, }
failed=${failed%% failed*}
rm -rf "$build/valgrind"
mkdir -p "$build/valgrind"
cp -R "$scratch/errors/." "$build/valgrind"
errors=0
regress/tools/valgrind-errors.py cdc_decoder.so "$build"/valgrind/*.xml || errors=$?
[ "$errors" = 0 ] || failed=$((failed + 1))
[ "$status" = 0 ] || [ "$failed" != 0 ] || failed=1
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
