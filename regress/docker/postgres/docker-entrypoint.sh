#!/usr/bin/env bash
# docker-entrypoint.sh postgres [ARGUMENT]...: as in the official image, so far as compose.yaml uses it.
set -euo pipefail

# from_file NAME DEFAULT: NAME is set, by the file that NAME_FILE names if it is given
from_file()
{
    local name=$1 file=${1}_FILE
    if [ -n "${!file:-}" ]; then printf -v "$name" %s "$(<"${!file}")"; fi
    printf -v "$name" %s "${!name:-$2}"
    export "${name?}"
}

run_sql()
{
    psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc "$@"
}

first_start()
{
    local file
    from_file POSTGRES_PASSWORD ''
    from_file POSTGRES_USER postgres
    from_file POSTGRES_DB "$POSTGRES_USER"
    [ -n "$POSTGRES_PASSWORD" ] || { echo "Error: superuser password is not specified." >&2; exit 1; }
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD")
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    pg_ctl -D "$PGDATA" -w -o "-c listen_addresses=''" start
    [ "$POSTGRES_DB" = postgres ] || run_sql -d postgres -c "CREATE DATABASE \"$POSTGRES_DB\""
    for file in /docker-entrypoint-initdb.d/*; do
        echo "$0: $file"
        case $file in
            *.sh)
                # shellcheck disable=SC1090
                if [ -x "$file" ]; then "$file"; else . "$file"; fi
                ;;
            *.sql) run_sql -d "$POSTGRES_DB" -f "$file" ;;
        esac
    done
    pg_ctl -D "$PGDATA" -m fast -w stop
}

if [ "$1" = postgres ]; then
    if [ "$(id -u)" = 0 ]; then
        chown -R postgres "$PGDATA"
        exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
    fi
    chmod 700 "$PGDATA"
    [ -s "$PGDATA/PG_VERSION" ] || first_start
fi
exec "$@"
