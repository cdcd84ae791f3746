#!/usr/bin/env bash
# Makes the worker's role at the first start of PostgreSQL's image: cdc, which may read everything, if
# CDC_PASSWORD or CDC_PASSWORD_FILE says its password.
set -euo pipefail

if [ -n "${CDC_PASSWORD_FILE:-}" ]; then
    CDC_PASSWORD=$(<"$CDC_PASSWORD_FILE")
fi
[ -n "${CDC_PASSWORD:-}" ] || exit 0
psql -X -q -v ON_ERROR_STOP=1 -v password="$CDC_PASSWORD" --no-password \
    -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
CREATE ROLE cdc LOGIN REPLICATION PASSWORD :'password';
GRANT pg_read_all_data TO cdc;
SQL
