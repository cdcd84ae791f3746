/*
 * records.h
 *		from events to Kafka records.
 *
 * A RenderPlan and a topic are made once per relation and live as long as the output;
 * an event is rendered into one reused buffer and handed to the client library, which
 * copies it.  So the event's batch can be let go at once: the copies are bounded by
 * queue.buffering.max.kbytes, and a failure rewinds the source (stream.md 13).
 *
 * Headers: what Debezium adds to the records of a key change comes first, then the
 * four __debezium.context headers, which are one prebuilt list.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef KAFKA_RECORDS_H
#define KAFKA_RECORDS_H

#include "event/event.h"
#include "kafka/topics.h"

typedef struct KafkaRecords KafkaRecords;

typedef struct KafkaRecordCounts
{
	uint64_t records;
	uint64_t bytes;
	uint64_t skipped; /* events without a record */
	uint64_t refused; /* events let go by event.processing.failure.handling.mode */
} KafkaRecordCounts;

/* client, topics and config must outlive it; database is copied.  ERR_CONFIG when a
 * converter cannot be set up. */
KafkaRecords *kafka_records_new(KafkaClient *client, KafkaTopics *topics,
                                const Config *config, const char *database,
                                Err *err) MUST_CHECK;

void kafka_records_free(KafkaRecords *records); /* NULL is allowed */

/* Make the plan of relation and its topic, when they are not there yet.  ERR_CONFIG,
 * ERR_RETRY as kafka_topics_get(); ERR_DATA when it cannot be rendered. */
bool kafka_records_relate(KafkaRecords *records, const Relation *relation,
                          Err *err) MUST_CHECK;

/*
 * Render a row event and produce its records, all or none.  counts, when not NULL,
 * counts them for transaction metadata.  outstanding: see KafkaRecord.  ERR_DATA, naming
 * table and column or size, for an event that can never be delivered, unless the failure
 * handling mode lets it go.
 */
bool kafka_records_send(KafkaRecords *records, const Event *event, TxCounts *counts,
                        uint64_t *outstanding, Err *err) MUST_CHECK;

/* Count the records of a row event that is stored already. */
bool kafka_records_count(KafkaRecords *records, const Event *event, TxCounts *counts,
                         Err *err) MUST_CHECK;

/* A record that is not of a row, rendered by somebody else; it has no headers. */
typedef struct KafkaLoose
{
	KafkaTopic *topic;
	int32_t partition; /* RD_KAFKA_PARTITION_UA: by key */
	const char *what;  /* for errors: "logical message" */
	const Buf *bytes;
	const RenderRecord *record;
	Slice key_schema; /* as JsonConverter prints them */
	Slice value_schema;
} KafkaLoose;

/* Produce it; ERR_DATA when it is too large, unless the failure handling mode lets it go.
 */
bool kafka_records_send_loose(KafkaRecords *records, const KafkaLoose *loose,
                              uint64_t *outstanding, Err *err) MUST_CHECK;

/* What to render with, which need not be what the configuration says of schemas and
 * defaults: converters may do that. */
const EnvOptions *kafka_records_options(const KafkaRecords *records);

/* Count an event that gives no record. */
void kafka_records_skip(KafkaRecords *records);

const KafkaRecordCounts *kafka_records_counts(const KafkaRecords *records);

/* A new UUID of version 7 (RFC 9562, section 5.7) as text: unix_ms, then random bits. */
void kafka_run_id(char text[37], int64_t unix_ms, const unsigned char random[10]);

#endif
