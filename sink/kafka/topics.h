/*
 * topics.h
 *		the topics written to: made when absent, their limits and partitions known.
 *
 * A topic is looked up once per run and handle.  When it is absent it is created
 * with topic.creation.default.*; one that exists is taken as it is.  The library may not
 * create topics by itself (client.c), so one deleted in mid-run fails the next record.
 *
 * Partition of a record: murmur2 of the key modulo the number of partitions, as Java
 * producers choose (org.apache.kafka.clients.producer.internals.BuiltInPartitioner);
 * records without a key stay on one partition for a while and then move on, as theirs.
 * A user's own kafka.partitioner takes precedence.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef KAFKA_TOPICS_H
#define KAFKA_TOPICS_H

#include "kafka/client.h"

typedef struct KafkaTopic
{
	const char *name;
	rd_kafka_topic_t *rkt;
	size_t max_bytes; /* largest record batch the broker takes: max.message.bytes */
	int partitions;   /* when it was looked up */
	atomic_int seen;  /* partitions the library last had, when they changed; else 0 */
} KafkaTopic;

typedef struct KafkaTopics KafkaTopics;

/* client and config must outlive it. */
KafkaTopics *kafka_topics_new(KafkaClient *client, const Config *config);

/* Releases the handles of all topics; before kafka_client_fini().  NULL is allowed. */
void kafka_topics_free(KafkaTopics *topics);

/*
 * The topic called name, created when absent.  May block for KAFKA_CONNECT_MS.  NULL,
 * with ERR_RETRY when the broker does not answer, ERR_CONFIG when it refuses, or when
 * the topic takes smaller batches than the producer makes.
 */
KafkaTopic *kafka_topics_get(KafkaTopics *topics, const char *name, Err *err);

/*
 * The topic of positions: one partition, compacted, kept for ever.  ERR_CONFIG when one
 * of that name exists that would forget records.
 */
KafkaTopic *kafka_topics_get_positions(KafkaTopics *topics, Err *err);

/*
 * Whether all topics looked up are still there, as far as a broker answers within
 * seconds.  False with ERR_CONFIG naming one that was deleted: the library itself would
 * wait for it to come back until records time out.
 */
bool kafka_topics_verify(KafkaTopics *topics, Err *err) MUST_CHECK;

/* What the broker counts beside the bytes of a record: of a batch with one record 61
 * bytes of header (Kafka protocol, "Record Batch"), then varints of at most 5 and 10
 * bytes; of each header of a record. */
#define RECORD_BATCH_OVERHEAD  128
#define RECORD_HEADER_OVERHEAD 10

/*
 * Whether topic takes a record of size bytes; ERR_DATA, beginning with what.  Decided
 * here: in a transaction the broker's refusal would abort all of it, again after every
 * restart.  Compression could save a record that is somewhat too large; that is not
 * relied on.
 */
bool kafka_topic_fits(const KafkaClient *client, const KafkaTopic *topic, size_t size,
                      const char *what, Err *err) MUST_CHECK;

/* False: the error of a record too large for topic, or for the producer; at_least: it has
 * more bytes than that. */
bool kafka_topic_refuse(const KafkaClient *client, const KafkaTopic *topic, size_t size,
                        bool at_least, const char *what, Err *err) MUST_CHECK;

/* Warn, once each time, of topics whose partitions changed: per-key order broke there. */
void kafka_topics_watch(KafkaTopics *topics);

/*
 * Whether name exists and, when not, whether it could be created, changing nothing.
 * Prints one line.  False when a run would fail.
 */
bool kafka_topics_check(KafkaTopics *topics, const char *name, bool positions, FILE *to);

#endif
