#!/usr/bin/env bash
# build-decoder.sh: builds the plugin out of tree into build/decoder for the server of PG_CONFIG.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

pg_config=${PG_CONFIG:-pg_config}
for file in "$("$pg_config" --pgxs 2>/dev/null)" "$("$pg_config" --includedir-server 2>/dev/null)/postgres.h"; do
    [ -e "$file" ] || die "no PostgreSQL server headers by \"$pg_config\"; run make deps or set PG_CONFIG"
done

mkdir -p "$build/decoder/envelope"
cd "$build/decoder"
# the file "server" changes when the server does, and with it every object
server="$("$pg_config" --version) $("$pg_config" --includedir-server) ${WERROR:+werror}"
[ -e server ] && [ "$(<server)" = "$server" ] || printf '%s\n' "$server" >server
quiet=-s
[ -z "${V:-}" ] || quiet=
# shellcheck disable=SC2086
exec make --no-print-directory $quiet -f "$top/decoder/Makefile" with_llvm=no \
    PG_CONFIG="$pg_config" "$@"
