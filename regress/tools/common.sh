# shellcheck shell=bash
# common.sh: sourced by the scripts beside it.  Sets top (the repository, which becomes the working
# directory), build and cache (downloads, shared by all clones of one user).
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top"
# shellcheck disable=SC2034
build=${BUILD:-build}
# shellcheck disable=SC2034
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/cdc-decoder

die()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

say()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# run_quietly LOG COMMAND...: silent when it succeeds, the end of its output when it fails
run_quietly()
{
    local log=$1
    shift
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 && return 0
    tail -25 "$log" >&2
    return 1
}
