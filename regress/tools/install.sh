#!/usr/bin/env bash
# install.sh DESTDIR PREFIX: the plugin to the server of PG_CONFIG, the worker, its manual page and a sample
# of its configuration below PREFIX.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

destdir=$1
prefix=$2
documents=$destdir$prefix/share/doc/cdc-sink
pages=$destdir$prefix/share/man/man1

regress/tools/build-decoder.sh install DESTDIR="$destdir"
install -D -m 755 "$build/cdc-sink" "$destdir$prefix/bin/cdc-sink"
sample=$(mktemp)
trap 'rm -f "$sample"' EXIT
if "$build/cdc-sink" config >"$sample" 2>/dev/null && [ -s "$sample" ]; then
    install -D -m 644 "$sample" "$documents/cdc-sink.properties.sample"
fi
"$build/cdc-sink" --help >"$sample"
install -D -m 644 "$sample" "$documents/cdc-sink.help"
for page in docker/*.1 sink/*.1; do
    [ ! -e "$page" ] || install -D -m 644 "$page" "$pages/$(basename "$page")"
done
echo "installed $("${PG_CONFIG:-pg_config}" --pkglibdir)/cdc_decoder.so and $prefix/bin/cdc-sink${destdir:+ below $destdir}"
