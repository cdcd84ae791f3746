#!/usr/bin/env bash
# images.sh CONTEXT: builds the images of CONTEXT/docker/compose.yaml as a user would.
#
# What they are made from is stood in for by images of the same names, made of Debian's packages and Kafka's
# jars, so that no registry is needed; PULL=1 takes the published ones.
. "$(dirname "${BASH_SOURCE[0]}")/../tools/common.sh"
. regress/tools/debian.sh

context=$1
log=$top/$build/log/docker
here=$top/regress/docker
mkdir -p "$log"

# stand_in NAME DIRECTORY
stand_in()
{
    say "standing in for $1"
    run_quietly "$log/$(basename "$2").log" docker build --network host -t "$1" "$2" || die "could not build $1"
}

stand_in_for_debian()
{
    local tar=$cache/docker/trixie.tar root made
    if [ ! -e "$tar" ]; then
        mkdir -p "$cache/docker"
        root=$(mktemp -d "$cache/docker/trixie.XXXXXX")
        make_debian trixie "$root" "$log/debootstrap.log"
        share_network "$root"
        rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
        tar -C "$root" --exclude='./proc/*' --exclude='./sys/*' --exclude='./dev/*' -cf "$tar.new" .
        rm -rf --one-file-system "$root"
        mv "$tar.new" "$tar"
    fi
    # The same image for the same file: what was built from it is found again.
    made=$(stat -c '%s %Y' "$tar")
    if [ "$(docker image inspect -f '{{.Comment}}' debian:trixie-slim 2>/dev/null)" != "$made" ]; then
        say "standing in for debian:trixie-slim"
        docker import -m "$made" "$tar" debian:trixie-slim >/dev/null
    fi
}

stand_in_for_kafka()
{
    local jars scratch
    [ "$1" = "apache/kafka:$(sed -n 's/.*<kafka.version>\(.*\)<.*/\1/p' regress/kafka/pom.xml)" ] ||
        die "docker/compose.yaml names $1, regress/kafka/pom.xml another version"
    jars=$cache/kafka-$(cat regress/kafka/pom.xml regress/kafka/jars.sha256 | sha256sum | cut -c1-12)
    scratch=$(mktemp -d)
    cp -r "$here/kafka" "$scratch/kafka"
    cp -rp "$jars" "$scratch/kafka/jars"
    stand_in "$1" "$scratch/kafka"
    rm -rf "$scratch"
}

kafka=$(sed -n 's/^ *image: \(apache\/kafka:.*\)/\1/p' "$context/docker/compose.yaml")
if [ -n "${PULL:-}" ]; then
    for name in debian:trixie-slim postgres:17 "$kafka"; do
        docker pull -q "$name"
    done
else
    stand_in_for_debian
    stand_in postgres:17 "$here/postgres"
    stand_in_for_kafka "$kafka"
fi

# The daemon that builds has no network but the host's.
cat >"$context/docker/host-network.yaml" <<'EOF'
services:
  postgres: {build: {network: host}}
  cdc-sink: {build: {network: host}}
EOF
for service in postgres cdc-sink; do
    say "building the image of $service"
    run_quietly "$log/build-$service.log" "$here/compose.sh" -f "$context/docker/compose.yaml" \
        -f "$context/docker/host-network.yaml" build "$service" || die "could not build the image of $service"
done
rm "$context/docker/host-network.yaml"
