# shellcheck shell=bash
# debian.sh: sourced by what makes a minimal Debian in a directory, after common.sh.  The mirror, certificates,
# name resolution and settings of apt are the host's.

# The first mirror of the distribution that the host's apt knows.
mirror()
{
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null | grep -m1 '/debian/*$' ||
        die "the apt of this host knows no Debian mirror"
}

# make_debian SUITE ROOT LOG [PACKAGES]: with certificates, and more packages, separated by commas
make_debian()
{
    local suite=$1 root=$2 log=$3 packages=ca-certificates${4:+,$4}
    command -v debootstrap >/dev/null ||
        DEBIAN_FRONTEND=noninteractive run_quietly "$log.install" \
            apt-get install -q -y --no-install-recommends debootstrap ||
        die "could not install debootstrap"
    say "making a Debian $suite"
    rm -rf --one-file-system "$root"
    run_quietly "$log" debootstrap --variant=minbase --include="$packages" "$suite" "$root" "$(mirror)" ||
        die "could not make a Debian $suite"
    chmod 755 "$root"
}

# share_network ROOT: what the host needs to reach its mirror, the system needs too.
share_network()
{
    local root=$1
    # not through links that the system has there
    cp -L --remove-destination /etc/resolv.conf /etc/hosts "$root/etc/" &&
        cp -aL --remove-destination /etc/ssl/certs/. "$root/etc/ssl/certs/" &&
        find /etc/apt/apt.conf.d -name '99*' -exec cp -t "$root/etc/apt/apt.conf.d" {} +
}
