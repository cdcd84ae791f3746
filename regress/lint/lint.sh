#!/usr/bin/env bash
# lint.sh [CHECK]...: all checks below, or those named; each prints what it finds, the last line counts.
#
# format      clang-format leaves every C file as it is
# tidy        clang-tidy: function size, bug patterns
# deps        which room includes which, where a library's header lives
# length      no C file above 1,000 lines
# calls       no call that cannot be used safely
# words       no notes to self, no commented-out code, no line comments
# versions    the server's version is asked in decoder/compat.h only
# shell       shellcheck
# symbols     the plugin exports its two symbols
# isolation   no expected isolation output holds a syntax error (it would pass for ever)
# docs        README's generated tables are up to date
# behaviours  every test that differential/behaviours.txt names is there
. "$(dirname "${BASH_SOURCE[0]}")/../tools/common.sh"

checks=$(sed -n 's/^# \([a-z]*\)  .*/\1/p' "${BASH_SOURCE[0]}")
[ $# = 0 ] || checks=$*

c_files()
{
    git ls-files --cached --others --exclude-standard -- "${@:-*.[ch]}" | while read -r file; do
        [ ! -e "$file" ] || echo "$file"
    done
}

# nothing PATTERN FILES...: fails, printing them, if lines match
nothing()
{
    local pattern=$1
    shift
    ! grep -nHE "$pattern" "$@"
}

check_behaviours()
{
    local found
    found=$(python3 regress/differential/check_behaviours.py) || { echo "$found"; return 1; }
}

check_format()
{
    regress/tools/fmt.sh --check
}

check_tidy()
{
    local status=0
    make --no-print-directory -s decoder
    make --no-print-directory -f sink/Makefile -s -k -j"$(nproc)" tidy || status=$?
    return "$status"
}

check_deps()
{
    regress/lint/check-deps.sh
}

check_length()
{
    c_files | xargs wc -l | awk '$1 > 1000 && $2 != "total" { print $2 ": " $1 " lines"; bad = 1 } END { exit bad }'
}

check_calls()
{
    local files
    mapfile -t files < <(c_files 'decoder/*.[ch]' 'sink/*.[ch]')
    nothing '(^|[^a-zA-Z0-9_])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|system|alloca)[[:space:]]*\(' "${files[@]}"
}

check_words()
{
    local files
    mapfile -t files < <(c_files)
    nothing '(^|[^A-Za-z])(TODO|FIXME|XXX|HACK)([^A-Za-z]|$)' "${files[@]}" &&
        nothing '^[[:space:]]*//' "${files[@]}" &&
        nothing '^[[:space:]]*#[[:space:]]*if 0' "${files[@]}"
}

check_versions()
{
    local files
    mapfile -t files < <(c_files 'decoder/*.[ch]' | grep -v '^decoder/compat\.h$')
    nothing 'PG_VERSION_NUM' "${files[@]}"
}

check_shell()
{
    local files
    mapfile -t files < <(git grep -lIE --untracked '^#!.*[ /](ba)?sh( |$)|^# shellcheck shell=')
    shellcheck -x -P SCRIPTDIR "${files[@]}"
}

check_symbols()
{
    local plugin=$build/decoder/cdc_decoder.so exported
    [ -e "$plugin" ] || make --no-print-directory -s decoder
    exported=$(nm -D --defined-only "$plugin" | awk '{ print $3 }' | sort | tr '\n' ' ')
    [ "$exported" = "Pg_magic_func _PG_output_plugin_init " ] || {
        echo "the plugin exports: $exported"
        return 1
    }
}

check_isolation()
{
    local spec file
    for spec in regress/specs/*.spec; do
        file=regress/expected/$(basename "$spec" .spec).out
        [ ! -e "$file" ] || nothing 'syntax error|unused step name' "$file" || return 1
    done
}

check_docs()
{
    regress/tools/docs.sh --check
}

passed=0 failed=0
for check in $checks; do
    began=$SECONDS
    declare -F "check_$check" >/dev/null || die "unrecognized check \"$check\""
    if "check_$check"; then
        echo "ok - $check ($((SECONDS - began)) s)"
        passed=$((passed + 1))
    else
        echo "not ok - $check"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
