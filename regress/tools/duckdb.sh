#!/usr/bin/env bash
# duckdb.sh: which DuckDB the worker is linked with.
#
#   duckdb.sh cflags | libs     for the compiler
#   duckdb.sh ready             exit 0 if nothing has to be downloaded
#   duckdb.sh fetch             download the pinned one if it is the one to use and is not there
#
# In this order: DUCKDB_DIR (duckdb.h and libduckdb, static or shared, in it or in include/ and lib/),
# the system's libduckdb-dev when it is 1.5.x, the static archives that DuckDB's Go binding carries,
# pinned by version and by the Go module's own checksum.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

module=github.com/duckdb/duckdb-go-bindings/lib
version=v0.10506.0
release=1.5.6

case $(uname -m) in
    x86_64) arch=linux-amd64 sum='h1:yy2TUU+YWxiBiOQryYseUl0AcUzoFFYRmmrCGijUxiU=' ;;
    aarch64) arch=linux-arm64 sum='h1:HWUiLpeaZwUFg08Rs2eSpPbbaw3yEB2t96r+5NEbAgs=' ;;
    *) arch=unsupported sum= ;;
esac

pinned=$cache/duckdb-$release-$arch

from_system()
{
    [ -e /usr/include/duckdb.h ] || return 1
    case $(dpkg-query -W -f '${Version}' libduckdb-dev 2>/dev/null) in
        1.5.*) return 0 ;;
        *) return 1 ;;
    esac
}

# link_dir DIR: the flags to link with what DIR holds
link_dir()
{
    local lib=$1
    [ -d "$1/lib" ] && lib=$1/lib
    if compgen -G "$lib/libduckdb*.a" >/dev/null; then
        echo -Wl,--start-group "$lib"/*.a -Wl,--end-group
    else
        echo "-L$lib -Wl,-rpath,$lib -lduckdb"
    fi
}

include_dir()
{
    if [ -d "$1/include" ]; then echo "-isystem $1/include"; else echo "-isystem $1"; fi
}

ready()
{
    [ -n "${DUCKDB_DIR:-}" ] || from_system || [ -e "$pinned/.complete" ]
}

fetch()
{
    ! ready || return 0
    [ -n "$sum" ] || die "no static DuckDB for $(uname -m); set DUCKDB_DIR"
    command -v go >/dev/null || die "go is needed to download DuckDB; run make deps"

    say "downloading DuckDB $release"
    local json dir
    mkdir -p "$cache"
    scratch=$(mktemp -d "$cache/duckdb.XXXXXX")
    trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
    json=$(cd "$scratch" && GOMODCACHE=$scratch/mod GOPATH=$scratch/go \
        go mod download -json "$module/$arch@$version") || die "could not download DuckDB: $json"
    grep -qF "\"Sum\": \"$sum\"" <<<"$json" || die "the checksum of $module/$arch@$version differs: $json"
    dir=$(sed -n 's/.*"Dir": "\(.*\)".*/\1/p' <<<"$json")
    chmod -R u+w "$dir"
    : >"$dir/.complete"
    rm -rf "$pinned"
    mv "$dir" "$pinned"
}

case ${1:-} in
    ready) ready ;;
    fetch) fetch ;;
    cflags)
        if [ -n "${DUCKDB_DIR:-}" ]; then include_dir "$DUCKDB_DIR"
        elif from_system; then :
        else include_dir "$pinned"; fi
        ;;
    libs)
        if [ -n "${DUCKDB_DIR:-}" ]; then link_dir "$DUCKDB_DIR"
        elif from_system; then echo -lduckdb
        else link_dir "$pinned"; fi
        ;;
    *) sed -n '2,7p' "$0" >&2; exit 2 ;;
esac
