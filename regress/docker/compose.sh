#!/usr/bin/env bash
# compose.sh ARGUMENT...: docker compose, or docker-compose where that is installed.
set -euo pipefail
if docker compose version >/dev/null 2>&1; then exec docker compose "$@"; fi
exec docker-compose "$@"
