#!/usr/bin/env bash
# docs.sh [--check]: write what the worker prints about itself into README.md, between
#
#     <!-- begin: cdc-sink config --reference -->
#     <!-- end -->
#
# whichever command the first line names.  With --check nothing is written: differences are printed and
# the status is 1.  So a table in README is always the table in the code.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

page=README.md
worker=$build/cdc-sink

# What README should be; a begin without its end, or a command that fails, is an error.
render()
{
    local line open=0
    while IFS= read -r line || [ -n "$line" ]; do
        [ "$line" != '<!-- end -->' ] || open=0
        [ "$open" = 1 ] || printf '%s\n' "$line"
        [[ $line =~ ^'<!-- begin: cdc-sink '([a-z][a-z\ -]*)' -->'$ ]] || continue
        [ "$open" = 0 ] || die "a block before \"$line\" has no end"
        open=1
        # Words of the command, none of which can be anything but letters and hyphens.
        # shellcheck disable=SC2086
        "$worker" ${BASH_REMATCH[1]} </dev/null || die "could not run cdc-sink ${BASH_REMATCH[1]}"
    done <"$page"
    [ "$open" = 0 ] || die "the last block of $page has no end"
}

[ -e "$page" ] || exit 0
[ -x "$worker" ] || die "$worker is not built"
new=$(mktemp)
trap 'rm -f "$new"' EXIT
render >"$new"
if [ "${1:-}" = --check ]; then
    diff -u "$page" "$new" || die "$page is out of date: run make docs"
elif ! cmp -s "$page" "$new"; then
    cat "$new" >"$page"
    say "$page is new"
fi
