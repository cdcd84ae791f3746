#!/usr/bin/env bash
# Builds and runs the tests of the Kafka output against a real broker.
#
#   KAFKA_BOOTSTRAP=host:port regress/kafka-output/run.sh [test_broker|bench_producer] [args...]
#
# Needs build/libsink.a (make sink), cmocka, and a broker where KAFKA_BOOTSTRAP says: one that may be
# filled with topics.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

name=${1:-test_broker}
[ $# -eq 0 ] || shift
: "${KAFKA_BOOTSTRAP:?say where the broker is, as 127.0.0.1:9092}"
export KAFKA_BOOTSTRAP

out=build/kafka-output
mkdir -p "$out"
source=regress/kafka-output/$name.c
[ -f "$source" ] || source=regress/bench/$name.c
read -r -a libraries <<<"$(pkg-config --libs rdkafka libcurl json-c zlib openssl cmocka)"
"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -g -pthread -Wall -Wextra -Idecoder -Isink -Iregress/unit \
	-o "$out/$name" "$source" regress/unit/feed.c build/libsink.a "${libraries[@]}" -lm
exec "$out/$name" "$@"
