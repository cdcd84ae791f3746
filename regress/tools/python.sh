#!/usr/bin/env bash
# python.sh SCRIPT ARGUMENT...: runs a script with the Python that has the readers, installing it when absent.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

regress/tools/deps.sh test
script=$1
shift
[ -e "$script" ] || die "there is no $script"
export PYTHONPATH=$top/regress PYTHONDONTWRITEBYTECODE=1
exec "$build/venv/bin/python" "$script" "$@"
