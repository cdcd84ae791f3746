#!/usr/bin/env bash
# check-servers.sh [SUITE]...: pg_regress and the isolation tests against the PostgreSQL of each Debian suite
# (bookworm: 15, trixie: 17, sid: 18), each in a chroot of its own; the last line sums them.
#
# Needs root and debootstrap (installed when missing).  The system of a suite is made once and kept in the
# cache, updated at each run; the tree is copied into it anew, as it stands, uncommitted files included.  The
# mirror, certificates, name resolution and settings of apt are the host's.  Everything runs in a mount and
# process namespace of its own: what was mounted or started there goes when it ends, however it ends.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. regress/tools/debian.sh

[ "$(id -u)" = 0 ] || die "making a chroot needs root"
suites=("$@")
[ $# != 0 ] || suites=(bookworm trixie sid)
systems=$cache/servers
log=$top/$build/log/servers
mkdir -p "$systems" "$log"

# make_system SUITE ROOT
make_system()
{
    local suite=$1 root=$2
    [ ! -e "$root.complete" ] || return 0
    make_debian "$suite" "$root" "$log/$suite.debootstrap.log" make
    chroot "$root" useradd --create-home tester
    : >"$root.complete"
}

# copy_tree ROOT: the files git knows of, and those it would
copy_tree()
{
    local root=$1
    rm -rf --one-file-system "$root/src"
    mkdir "$root/src"
    # shellcheck disable=SC2016
    git ls-files -z --cached --others --exclude-standard -- decoder regress/sql regress/expected \
        regress/specs regress/tools Makefile sink/Makefile |
        xargs -0 sh -c 'for file; do [ ! -e "$file" ] || printf "%s\0" "$file"; done' sh |
        tar --null --files-from=- -cf - | tar -C "$root/src" --no-same-owner -xf -
    chroot "$root" chown -R tester /src
}

# What runs inside: root installs, the user builds and tests.
inside='
set -e
cd /src
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get upgrade -qq -y --no-install-recommends >/dev/null
regress/tools/deps.sh plugin
chown -R tester build
exec setpriv --reuid=tester --regid=tester --init-groups env HOME=/home/tester \
    make --no-print-directory WERROR=1 check-regress
'

# run_suite SUITE: the log is of the whole run, the terminal sees the tests
run_suite()
{
    local root=$systems/$1
    make_system "$1" "$root" && share_network "$root" && copy_tree "$root" || return 1
    # shellcheck disable=SC2016
    unshare --mount --pid --fork --kill-child --propagation private sh -c '
        mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount -t tmpfs tmpfs "$1/dev/shm" &&
        exec env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$1" sh -c "$2"
    ' sh "$root" "$inside" 2>&1 | tee "$log/$1.log"
}

passed=0 failed=0 summary=
for suite in "${suites[@]}"; do
    echo "== $suite"
    status=0 good=0 bad=0
    run_suite "$suite" || status=$?
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log/$suite.log" | tail -1)
    if [ -n "$line" ]; then
        good=${line%% passed*}
        bad=${line#*, }
        bad=${bad%% failed*}
    fi
    # what ended badly has failed, even if it did not come to counting
    if [ "$bad" = 0 ] && { [ "$status" != 0 ] || [ "$good" = 0 ]; }; then bad=1; fi
    version=$(chroot "$systems/$suite" pg_config --version 2>/dev/null || echo none)
    summary+=$(printf '%-10s %-50s %4d passed, %d failed' "$suite" "$version" "$good" "$bad")$'\n'
    passed=$((passed + good))
    failed=$((failed + bad))
done
printf '\n%s' "$summary"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
