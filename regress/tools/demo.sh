#!/usr/bin/env bash
# demo.sh: installs, builds and hands over to the demo.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

regress/tools/deps.sh build test
make --no-print-directory -s -j"$(nproc)" all
exec regress/tools/python.sh regress/demo/demo.py "$@"
