#!/usr/bin/env bash
# daemon.sh [--no-network] DATA COMMAND...: runs COMMAND with a Docker daemon of its own, which keeps its images in
# the directory DATA and everything else in a temporary one.
#
# Daemon and containers live in namespaces of their own and end when COMMAND does, however that ends; neither the
# daemon nor the firewall of the host is touched.  Containers have the host's network, for builds; with
# --no-network COMMAND, daemon and containers have a network that only they see: no port is taken, and nothing
# from outside can be reached.
. "$(dirname "${BASH_SOURCE[0]}")/../tools/common.sh"

if [ "$1" != --inside ]; then
    network=
    if [ "$1" = --no-network ]; then
        network=--net
        shift
    fi
    scratch=$(mktemp -d)
    cgroups=/cdc-check-${scratch##*.}
    child=
    # shellcheck disable=SC2317
    clean()
    {
        # With the first process of the namespaces go all the others.
        [ -z "$child" ] || kill -KILL "$child" 2>/dev/null || true
        for _ in $(seq 100); do
            rm -rf --one-file-system "$scratch" 2>/dev/null && break
            sleep 0.1
        done
        find /sys/fs/cgroup -depth -type d -path "*$cgroups*" -exec rmdir {} + 2>/dev/null || true
    }
    trap clean EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    TMPDIR=$scratch/tmp unshare --mount --pid --fork --kill-child --mount-proc --propagation private \
        ${network:+"$network"} "$0" --inside "$scratch" "$cgroups" "$network" "$@" &
    child=$!
    wait "$child"
    exit
fi

scratch=$2 cgroups=$3 network=$4 data=$5
shift 5
options=(--bridge none --iptables=false)
if [ -n "$network" ]; then
    ip link set lo up
    options=()
fi
# A containerd of the host would be used.
[ ! -d /run/containerd ] || mount -t tmpfs tmpfs /run/containerd
install -d -m 755 "$TMPDIR"
chmod 711 "$scratch"
export DOCKER_HOST=unix://$scratch/socket DOCKER_CONFIG=$scratch/config
dockerd --host "$DOCKER_HOST" --data-root "$data" --exec-root "$scratch/exec" --pidfile "$scratch/pid" \
    --group "$(id -g)" --cgroup-parent "$cgroups" "${options[@]}" >"$scratch/log" 2>&1 &
daemon=$!
for _ in $(seq 300); do
    docker version >/dev/null 2>&1 && break
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.1
done
docker version >/dev/null 2>&1 || { tail -5 "$scratch/log" >&2; die "the Docker daemon does not start"; }
status=0
"$@" || status=$?
kill "$daemon" 2>/dev/null || true
wait "$daemon" || true
exit "$status"
