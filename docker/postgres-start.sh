#!/usr/bin/env bash
# postgres-start.sh [postgres] [ARGUMENT]...: makes the cluster in $PGDATA when there is none, then becomes the
# server.  Any other command is run as it is.
#
#   POSTGRES_PASSWORD  of the superuser; required for the first start, or POSTGRES_PASSWORD_FILE
#   POSTGRES_USER      the superuser: postgres
#   POSTGRES_DB        the first database: as the user is called
#   CDC_PASSWORD       of a role cdc for the worker (LOGIN REPLICATION, may read everything), or CDC_PASSWORD_FILE;
#                      empty: no such role
#   /docker-entrypoint-initdb.d/*.sql, *.sh
#                      run in that database after the first start, in order of their names
#
# A first start that fails or is killed leaves no cluster behind: the next one begins again.
set -euo pipefail

die()
{
    echo "postgres-start.sh: $*" >&2
    exit 1
}

# secret NAME: sets NAME from the file that NAME_FILE names
secret()
{
    local name=$1 file=${1}_FILE
    [ -n "${!file:-}" ] || return 0
    [ -z "${!name:-}" ] || die "both $name and $file are set"
    printf -v "$name" %s "$(<"${!file}")"
    export "${name?}"
}

run_psql()
{
    psql -X -q --no-password -v ON_ERROR_STOP=1 -h "$sockets" -U "$POSTGRES_USER" -d "$POSTGRES_DB" "$@"
}

# What logical decoding needs; servers that do not know output_plugin_libraries refuse to start with it.
configure()
{
    echo "listen_addresses = '*'"
    echo "wal_level = logical"
    if postgres --describe-config | cut -f1 | grep -qx output_plugin_libraries; then
        echo "output_plugin_libraries = 'pgoutput, test_decoding, cdc_decoder'"
    fi
}

make_role()
{
    [ -n "${CDC_PASSWORD:-}" ] || return 0
    run_psql -v password="$CDC_PASSWORD" <<'SQL'
CREATE ROLE cdc LOGIN REPLICATION PASSWORD :'password';
GRANT pg_read_all_data TO cdc;
SQL
}

run_init_files()
{
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh) echo "postgres-start.sh: running $file" && bash "$file" ;;
            *.sql) echo "postgres-start.sh: running $file" && run_psql -f "$file" ;;
        esac
    done
}

# In a directory beside the data, which takes its place when it is complete.
first_start()
{
    local fresh=$PGDATA/.first-start sockets
    secret POSTGRES_PASSWORD
    secret CDC_PASSWORD
    export POSTGRES_USER=${POSTGRES_USER:-postgres}
    export POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
    [ -n "${POSTGRES_PASSWORD:-}" ] || die "POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE must be set for the first start"
    rm -rf "$fresh"
    sockets=$(mktemp -d)
    initdb -D "$fresh" -U "$POSTGRES_USER" -E UTF8 --locale=C.UTF-8 --auth-local=trust \
        --auth-host=scram-sha-256 --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") >/dev/null
    configure >>"$fresh/postgresql.conf"
    printf 'host all all all scram-sha-256\nhost replication all all scram-sha-256\n' >>"$fresh/pg_hba.conf"
    # Only this script is served until everything is there.
    PGPASSWORD=$POSTGRES_PASSWORD pg_ctl -D "$fresh" -s -w \
        -o "-c listen_addresses='' -c unix_socket_directories='$sockets'" start
    [ "$POSTGRES_DB" = postgres ] ||
        createdb -h "$sockets" -U "$POSTGRES_USER" --maintenance-db=postgres "$POSTGRES_DB"
    make_role
    PGHOST=$sockets PGUSER=$POSTGRES_USER PGDATABASE=$POSTGRES_DB run_init_files
    pg_ctl -D "$fresh" -s -w -m fast stop
    rm -rf "$sockets"
    # Last the file that says there is a cluster.
    find "$fresh" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv -t "$PGDATA" {} +
    mv "$fresh/PG_VERSION" "$PGDATA/"
    rmdir "$fresh"
}

# Files of a first start that ended in the middle of the last step; a cluster's are never touched.
clear_unfinished()
{
    [ -e "$PGDATA/.first-start" ] || return 0
    find "$PGDATA" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
}

[ $# != 0 ] || set -- postgres
if [ "$1" = postgres ] && [ ! -e "$PGDATA/PG_VERSION" ]; then
    clear_unfinished
    first_start
fi
exec "$@"
