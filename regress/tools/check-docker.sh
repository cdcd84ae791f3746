#!/usr/bin/env bash
# check-docker.sh: builds the images of docker/ from a clean copy of the tree and puts them through what a user
# would, and worse (regress/docker/check.py).
#
# It needs root, Docker Engine and Compose, but no registry and no running daemon: it starts one of its own
# (regress/docker/daemon.sh) and leaves nothing behind.  DOCKER_DATA=dir keeps the daemon's images there for the
# next run; PULL=1 takes the published base images instead of stand-ins.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

for command in docker dockerd runc debootstrap ip unshare; do
    command -v "$command" >/dev/null ||
        die "there is no $command; on Debian: apt-get install docker.io docker-compose debootstrap iproute2"
done
docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null ||
    die "there is no Docker Compose; on Debian: apt-get install docker-compose"
[ "$(id -u)" = 0 ] || die "a Docker daemon of its own needs root; run: sudo make check-docker"
regress/tools/deps.sh test

scratch=$(mktemp -d)
child=
# shellcheck disable=SC2317
clean()
{
    if [ -n "$child" ] && kill "$child" 2>/dev/null; then wait "$child" || true; fi
    rm -rf --one-file-system "$scratch"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# with_daemon ARGUMENT...: daemon.sh, ended with this script
with_daemon()
{
    regress/docker/daemon.sh "$@" &
    child=$!
    wait "$child"
    child=
}

data=${DOCKER_DATA:-$scratch/data}
mkdir -p "$data" "$scratch/tree"
data=$(cd "$data" && pwd)
# The files git knows of, and those it would.
# shellcheck disable=SC2016
git ls-files -z --cached --others --exclude-standard |
    xargs -0 sh -c 'for file; do [ ! -e "$file" ] || printf "%s\0" "$file"; done' sh |
    tar --null --files-from=- -cf - | tar -C "$scratch/tree" --no-same-owner -xf -

with_daemon "$data" regress/docker/images.sh "$scratch/tree"
with_daemon --no-network "$data" regress/tools/python.sh regress/docker/check.py "$scratch/tree" "$@"
