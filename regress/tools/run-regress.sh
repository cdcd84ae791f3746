#!/usr/bin/env bash
# run-regress.sh [NAME]...: pg_regress over regress/sql and pg_isolation_regress over regress/specs, all files
# or those named, each with a temporary server that loads the plugin from the build tree.
#
# A server refuses to run as root: the inputs go to a scratch directory of an unprivileged user, and what
# came out is copied to build/regress/{sql,isolation}/ (results/, regression.diffs).  setup.sql, if there
# is one, runs before the others.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

pg_config=${PG_CONFIG:-pg_config}
# REGRESS_BINDIR: other programs to start the server with
bindir=${REGRESS_BINDIR:-$("$pg_config" --bindir)}
harness=$(dirname "$(dirname "$("$pg_config" --pgxs)")")/test
plugin=$build/decoder/cdc_decoder.so
[ -e "$plugin" ] || die "there is no $plugin; run make"

as_user=()
owner=
if [ "$(id -u)" = 0 ]; then
    owner=postgres
    id -u "$owner" >/dev/null 2>&1 || owner=nobody
    as_user=(setpriv "--reuid=$(id -u "$owner")" "--regid=$(id -g "$owner")" --clear-groups)
fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/cdc-regress.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/plugin"
for part in sql expected specs; do
    mkdir "$scratch/$part"
    [ ! -d "regress/$part" ] || cp -R "regress/$part/." "$scratch/$part"
done
cp "$plugin" "$scratch/plugin"

{
    cat <<CONF
wal_level = logical
max_wal_senders = 10
max_replication_slots = 10
max_prepared_transactions = 4
fsync = off
autovacuum = off
timezone = 'UTC'
dynamic_library_path = '$scratch/plugin:\$libdir'
CONF
    # minors that do not know the setting refuse to start with it
    if (cd / && "${as_user[@]}" "$bindir/postgres" --describe-config) | cut -f1 | grep -x output_plugin_libraries >/dev/null; then
        echo "output_plugin_libraries = 'pgoutput, test_decoding, cdc_decoder'"
    fi
} >"$scratch/temp.conf"
# names FOLDER SUFFIX WANTED...: the tests to run, setup first
names()
{
    local folder=$1 suffix=$2 file name
    shift 2
    [ ! -e "$scratch/$folder/setup$suffix" ] || echo setup
    for file in "$scratch/$folder"/*"$suffix"; do
        name=$(basename "$file" "$suffix")
        if [ ! -e "$file" ] || [ "$name" = setup ]; then continue; fi
        [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
        echo "$name"
        # a test without an expected file fails with its output as the difference
        [ -e "$scratch/expected/$name.out" ] || : >"$scratch/expected/$name.out"
    done
}

mapfile -t sql < <(names sql .sql "$@")
mapfile -t specs < <(names specs .spec "$@")
[ -z "$owner" ] || chown -R "$owner" "$scratch"
passed=0 failed=0

# run KIND PROGRAM NAME...
run()
{
    local kind=$1 program=$2 out=$scratch/$1 status=0 good bad
    shift 2
    [ $# != 0 ] || return 0
    "${as_user[@]}" mkdir -p "$out/expected"
    (
        cd "$scratch"
        "${as_user[@]}" "$program" --inputdir="$scratch" --outputdir="$out" --bindir="$bindir" \
            --temp-instance="$out/instance" --temp-config="$scratch/temp.conf" --encoding=UTF8 --no-locale \
            --dlpath="$scratch/plugin" --dbname="regress_$kind" "$@"
    ) >"$scratch/$kind.log" 2>&1 || status=$?
    # before 16: "test NAME ... ok", since: "ok 1 - NAME"
    good=$(grep -cE '^(test .*\.\.\. ok|ok [0-9])' "$scratch/$kind.log" || true)
    bad=$(grep -cE '^(test .*\.\.\. FAILED|not ok [0-9])' "$scratch/$kind.log" || true)
    if [ "$status" != 0 ] && [ "$bad" = 0 ]; then
        bad=1
        cat "$scratch/$kind.log"
        tail -30 "$out/log/postmaster.log" 2>/dev/null || true
    fi
    grep -E '^(test|ok|not ok) ' "$scratch/$kind.log" || true
    passed=$((passed + good))
    failed=$((failed + bad))
    rm -rf "${top:?}/$build/regress/$kind"
    mkdir -p "$top/$build/regress/$kind"
    cp -R "$out/results" "$out/log" "$top/$build/regress/$kind/" 2>/dev/null || true
    if [ -s "$out/regression.diffs" ]; then
        cp "$out/regression.diffs" "$top/$build/regress/$kind/"
        head -150 "$out/regression.diffs"
        echo "# all of it: $build/regress/$kind/regression.diffs"
    fi
}

run sql "$harness/regress/pg_regress" "${sql[@]}"
run isolation "$harness/isolation/pg_isolation_regress" "${specs[@]}"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
