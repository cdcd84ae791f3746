#!/usr/bin/env bash
# fmt.sh [--check]: formats every C file, or fails naming those that are not.  The major version is pinned:
# others format differently.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

version=14
formatter=$(command -v "clang-format-$version") || formatter=$build/venv/bin/clang-format
if ! "$formatter" --version 2>/dev/null | grep -q "version $version\."; then
    regress/tools/deps.sh test
    formatter=$build/venv/bin/clang-format
fi

mapfile -d '' -t files < <(git ls-files -z --cached --others --exclude-standard -- '*.c' '*.h')
present=()
for file in "${files[@]}"; do
    [ ! -e "$file" ] || present+=("$file")
done
[ ${#present[@]} != 0 ] || exit 0
if [ "${1:-}" = --check ]; then
    "$formatter" --dry-run -Werror "${present[@]}"
else
    "$formatter" -i "${present[@]}"
fi
