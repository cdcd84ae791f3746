#!/usr/bin/env bash
# collect.sh BINARY ROOT: makes ROOT a root file system with nothing but the worker, the shared libraries that
# it needs, authorities to trust, and a user to run as.
set -euo pipefail
binary=$1
root=$2

# add FILE...: each to where it is, links followed
add()
{
    local file
    for file; do
        [ -e "$root$file" ] || install -D -m "$(stat -L -c %a "$file")" "$file" "$root$file"
    done
}

# needs FILE...: the libraries these are linked with, the dynamic linker among them
needs()
{
    ldd "$@" | sed -nE 's/^[[:space:]]*([^[:space:]]+ => )?(\/[^[:space:]:]+) \(0x[0-9a-f]+\)$/\2/p' | sort -u
}

if ldd "$binary" | grep -F 'not found'; then
    echo "collect.sh: a library of $binary is missing" >&2
    exit 1
fi
install -D -m 755 "$binary" "$root/usr/bin/cdc-sink"
install -d -m 755 "$root/etc" "$root/usr/lib"
# As Debian has it: /lib and /lib64 are in /usr.
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"
install -d -m 755 "$root/usr/lib64"
readarray -t libraries < <(needs "$binary")
add "${libraries[@]}"
# What libsasl2 opens by itself: the mechanisms of Kafka's SASL that librdkafka does not bring.
readarray -t mechanisms < <(find /usr/lib -path '*/sasl2/*.so' 2>/dev/null | sort)
if [ "${#mechanisms[@]}" != 0 ]; then
    add "${mechanisms[@]}"
    readarray -t libraries < <(needs "${mechanisms[@]}")
    add "${libraries[@]}"
fi
add /etc/ssl/certs/ca-certificates.crt
if [ -e /etc/ssl/openssl.cnf ]; then add /etc/ssl/openssl.cnf; fi
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
echo 'cdc:x:10001:10001::/var/lib/cdc-sink:/nonexistent' >"$root/etc/passwd"
echo 'cdc:x:10001:' >"$root/etc/group"
install -d -m 1777 "$root/tmp"
# A new volume takes over owner and content of the directory that it is mounted on.
install -d -o 10001 -g 10001 -m 755 "$root/var/lib/cdc-sink" "$root/var/lib/cdc-sink/lake"
