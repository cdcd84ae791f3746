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
text=$(mktemp)
trap 'rm -f "$text"' EXIT
"$build/cdc-sink" config --sample >"$text"
install -D -m 644 "$text" "$documents/cdc-sink.properties.sample"
"$build/cdc-sink" config --man >"$text"
install -D -m 644 "$text" "$pages/cdc-sink.1"
echo "installed $("${PG_CONFIG:-pg_config}" --pkglibdir)/cdc_decoder.so and $prefix/bin/cdc-sink${destdir:+ below $destdir}"
