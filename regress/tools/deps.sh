#!/usr/bin/env bash
# deps.sh: installs what is missing, silently when nothing is.
#
#   deps.sh build         compilers, libraries, server headers, DuckDB
#   deps.sh test          server, broker jars, Python readers, lint tools
#   deps.sh debezium      a JDK and Debezium's jars, for make check-debezium
#   deps.sh registry      a schema registry, for make check-registry
#   deps.sh plugin        a part of both: what building and testing the plugin alone needs
#   deps.sh worker        a part of build: the worker alone
#   deps.sh fuzz          clang with libFuzzer
#   deps.sh valgrind      valgrind, and what testing the plugin needs
#
# Distribution packages need root; without it the one command to run is printed.  Downloads are pinned
# by checksum and cached for all clones in ${XDG_CACHE_HOME:-~/.cache}/cdc-decoder.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# what is asked for            which package has it
worker_needs='
    cmd:gcc                    gcc
    cmd:g++                    g++
    file:/usr/include/stdio.h  libc6-dev
    cmd:make                   make
    cmd:pkg-config             pkgconf
    pc:libpq                   libpq-dev
    pc:rdkafka                 librdkafka-dev
    pc:libcurl                 libcurl4-openssl-dev
    pc:json-c                  libjson-c-dev
    pc:zlib                    zlib1g-dev
    pc:jemalloc                libjemalloc-dev
    pc:openssl                 libssl-dev
    pc:libmicrohttpd           libmicrohttpd-dev
    duckdb:                    golang-go
    duckdb:                    ca-certificates
'
build_needs=$worker_needs'
    pgxs:                      postgresql-server-dev-NN
'
test_needs='
    pc:cmocka                  libcmocka-dev
    server:                    postgresql-NN
    cmd:setpriv                util-linux
    cmd:java                   default-jre-headless
    jars:kafka                 maven
    venv:                      python3-venv
    cmd:shellcheck             shellcheck
    cmd:clang-tidy             clang-tidy
'
plugin_needs='
    cmd:gcc                    gcc
    file:/usr/include/stdio.h  libc6-dev
    cmd:make                   make
    pgxs:                      postgresql-server-dev-NN
    server:                    postgresql-NN
    cmd:setpriv                util-linux
'
fuzz_needs='
    cmd:clang                  clang
    fuzzer:                    libclang-rt-CC-dev
'

valgrind_needs=$plugin_needs'
    cmd:valgrind               valgrind
    cmd:python3                python3-minimal
'
debezium_needs='
    cmd:javac                  default-jdk-headless
    jars:differential          maven
'

registry_needs='
    cmd:java                   default-jre-headless
    jars:registry              maven
'

pg_config=${PG_CONFIG:-pg_config}

# The major version to install: that of the server headers in place, else the distribution's.
pg_major()
{
    local found
    found=$("$pg_config" --version 2>/dev/null | sed -n 's/^PostgreSQL \([0-9]*\).*/\1/p')
    [ -n "$found" ] || found=$(apt-cache search --names-only '^postgresql-server-dev-[0-9]+$' |
        sed -n 's/^postgresql-server-dev-\([0-9]*\) .*/\1/p' | sort -n | tail -1)
    [ -n "$found" ] || die "no package postgresql-server-dev-NN is known to apt"
    echo "$found"
}

# The major version of the distribution's clang.
clang_major()
{
    apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -1
}

# with_versions NAMES: NN and CC replaced
with_versions()
{
    local names=$1
    [[ $names != *NN* ]] || names=${names//NN/$(pg_major)}
    [[ $names != *-CC-* ]] || names=${names//-CC-/-$(clang_major)-}
    echo "$names"
}

# jars_dir WHAT: where the jars of regress/WHAT/pom.xml are kept
jars_dir()
{
    local name=$1 stamp
    [ "$name" != differential ] || name=debezium
    stamp=$(cat "regress/$1/pom.xml" "regress/$1/jars.sha256" | sha256sum | cut -c1-12)
    echo "$cache/$name-$stamp"
}

venv_stamp()
{
    sha256sum regress/tools/requirements.txt | cut -c1-12
}

# satisfied PROBE
satisfied()
{
    local what=${1#*:}
    case $1 in
        cmd:*) command -v "$what" >/dev/null ;;
        file:*) [ -e "$what" ] ;;
        pc:*) pkg-config --exists "$what" 2>/dev/null ;;
        # the server's own package has the makefiles already, but not the headers
        pgxs:) [ -e "$("$pg_config" --pgxs 2>/dev/null)" ] &&
            [ -e "$("$pg_config" --includedir-server 2>/dev/null)/postgres.h" ] ;;
        server:) [ -x "$("$pg_config" --bindir 2>/dev/null)/postgres" ] ;;
        fuzzer:) [ -e "$(clang -print-file-name="libclang_rt.fuzzer-$(uname -m).a" 2>/dev/null)" ] ;;
        duckdb:) regress/tools/duckdb.sh ready || command -v go >/dev/null ;;
        jars:*) [ -e "$(jars_dir "$what")/.complete" ] || command -v mvn >/dev/null ;;
        venv:) [ -e "$build/venv/.complete" ] || python3 -c 'import ensurepip, venv' 2>/dev/null ;;
        *) die "unrecognized probe \"$1\"" ;;
    esac
}

# missing_packages TABLE: the packages of the probes that fail, versions not yet in their names
missing_packages()
{
    local probe package
    while read -r probe package; do
        [ -n "$probe" ] || continue
        satisfied "$probe" || echo "$package"
    done <<<"$1"
}

install_packages()
{
    local names
    names=$(missing_packages "$1" | sort -u | tr '\n' ' ')
    [ -n "${names// /}" ] || return 0
    command -v apt-get >/dev/null || die "please install: $names"
    if [ "$(id -u)" != 0 ]; then
        names=$(with_versions "$names")
        die "packages are missing; run: sudo apt-get install -y $names"
    fi
    say "installing packages"
    run_quietly "$build/log/apt-update.log" apt-get update -q || die "could not update the package lists"
    names=$(with_versions "$names")
    say "$names"
    # A cluster and a service nobody asked for would come with the server: tests make their own.
    local had_conf=
    if [[ $names == *postgresql-[0-9]* && ! -e /etc/postgresql-common/createcluster.conf ]]; then
        mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
        had_conf=no
    fi
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive run_quietly "$build/log/apt-install.log" \
        apt-get install -q -y --no-install-recommends -o Dpkg::Options::=--force-confold $names ||
        die "could not install packages"
    [ -z "$had_conf" ] || say "no default cluster was made (create_main_cluster = false)"
}

# fetch_jars WHAT NAME [GOAL]: the jars by Maven, then every one of them compared with the committed list.
fetch_jars()
{
    local dir scratch
    dir=$(jars_dir "$1")
    [ ! -e "$dir/.complete" ] || return 0
    say "downloading $2"
    mkdir -p "$cache"
    scratch=$(mktemp -d "$cache/jars.XXXXXX")
    chmod 755 "$scratch"
    run_quietly "$build/log/jars-$1.log" mvn -B -q -f "regress/$1/pom.xml" -D"$1.libdir=$scratch" \
        "dependency:${3:-copy-dependencies}" || die "could not download $2"
    (cd "$scratch" && sha256sum --quiet --strict -c "$top/regress/$1/jars.sha256") ||
        die "a jar of $2 differs from regress/$1/jars.sha256"
    [ "$(find "$scratch" -type f | wc -l)" = "$(wc -l <"regress/$1/jars.sha256")" ] ||
        die "$2 came with a jar that regress/$1/jars.sha256 does not list"
    : >"$scratch/.complete"
    rm -rf "$dir"
    mv "$scratch" "$dir"
}

make_venv()
{
    local venv=$build/venv stamp
    stamp=$(venv_stamp)
    [ ! -e "$venv/.complete" ] || [ "$(<"$venv/.complete")" != "$stamp" ] || return 0
    say "installing Python packages into $venv"
    rm -rf "$venv"
    mkdir -p "$build"
    run_quietly "$build/log/venv.log" python3 -m venv "$venv" || die "could not make $venv"
    run_quietly "$build/log/pip.log" "$venv/bin/python" -m pip install -q --disable-pip-version-check \
        --no-input --only-binary :all: -r regress/tools/requirements.txt ||
        die "could not install the Python packages"
    echo "$stamp" >"$venv/.complete"
}

[ $# -gt 0 ] || { sed -n '2,13p' "$0" >&2; exit 2; }
# One at a time: what two make targets need at once is made once.
if [ -z "${DEPS_LOCKED:-}" ]; then
    mkdir -p "$build"
    DEPS_LOCKED=1 exec flock -o "$build/.deps.lock" "$0" "$@"
fi
needs=
for part; do
    case $part in
        build) needs+=$build_needs ;;
        test) needs+=$test_needs ;;
        debezium) needs+=$debezium_needs ;;
        registry) needs+=$registry_needs ;;
        plugin) needs+=$plugin_needs ;;
        worker) needs+=$worker_needs ;;
        fuzz) needs+=$fuzz_needs ;;
        valgrind) needs+=$valgrind_needs ;;
        *) die "unrecognized part \"$part\"" ;;
    esac
done
install_packages "$needs"
for part; do
    case $part in
        build | worker) regress/tools/duckdb.sh fetch ;;
        test)
            fetch_jars kafka "Apache Kafka"
            make_venv
            ;;
        debezium) fetch_jars differential Debezium ;;
        registry) fetch_jars registry "Apicurio Registry" copy ;;
    esac
done
