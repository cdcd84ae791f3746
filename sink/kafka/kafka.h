/*
 * kafka.h
 *		the Kafka output: each change as the records a Debezium connector would have sent.
 *
 * With kafka.exactly.once (the default) the records of whole source transactions
 * and the position behind them are one Kafka transaction: a read_committed consumer
 * sees each change once.  Without it the producer is idempotent only, and the
 * position is stored when everything up to it was acknowledged: a change may be
 * repeated after a failure, never lost.
 *
 * Kafka's protocol is librdkafka's (2.0 or newer); its settings are the user's, by the
 * prefix "kafka.", but for those that the guarantees above stand on.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef KAFKA_KAFKA_H
#define KAFKA_KAFKA_H

#include <stdio.h>

#include "config/config.h"
#include "output/output.h"

/* Make the output; nothing is opened before its open().  Its close() releases it. */
Output *kafka_output_new(const Config *config, int wake_fd);

/* What was done since open.  From any thread; a little late while the output runs. */
typedef struct KafkaCounters
{
	uint64_t records;      /* handed to the client library, positions not counted */
	uint64_t bytes;        /* of their keys and values */
	uint64_t transactions; /* Kafka transactions committed, or positions stored without */
	uint64_t skipped;      /* events that gave no record: skipped operations, logical
	                          messages, deletes without replica identity,
	                          tables without columns */
	uint64_t repeated;     /* events dropped because they were stored before */
	uint64_t refused;      /* events that event.processing.failure.handling.mode let go */
} KafkaCounters;

KafkaCounters kafka_output_counters(const Output *output);

/*
 * The broker's part of `cdc-sink check`: print one line a fact, "ok ..." or what to do.
 * Changes nothing and fences nobody.  False when a run would fail; ERR_CONFIG in err
 * only when the settings themselves are refused.
 */
bool kafka_check(const Config *config, FILE *to, Err *err) MUST_CHECK;

/*
 * The position that is stored, as anybody may read it beside a worker; phase NONE when
 * there is none.  Fences nobody, creates nothing, and does not wait for transactions that
 * are open.
 */
bool kafka_standing(const Config *config, Position *position, Err *err) MUST_CHECK;

#endif
