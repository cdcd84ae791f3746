/*
 * client.h
 *		one librdkafka handle: its settings, its errors, and producing through it.
 *
 * Delivery reports and errors arrive as events on the handle's main queue and are
 * taken by kafka_client_poll() alone, in the thread that produces.  Each record may have
 * a pointer to the counter of records outstanding, which its report decrements.  All
 * deliveries are reported, failed or not: a record's memory is then freed by the thread
 * that allocated it, which is cheaper than freeing it across threads.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef KAFKA_CLIENT_H
#define KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

#include "config/config.h"

#define KAFKA_CONNECT_MS 10000 /* how long a broker may take to answer at start */

typedef enum KafkaClientKind
{
	KAFKA_PRODUCER,         /* idempotent */
	KAFKA_TRANSACTIONAL,    /* and with a transactional id */
	KAFKA_COMMITTED_READER, /* reads what is committed */
	KAFKA_LATEST_READER,    /* sees open and aborted transactions too */
} KafkaClientKind;

typedef struct KafkaClient
{
	rd_kafka_t *rk;
	rd_kafka_queue_t *events;
	const char *servers;     /* bootstrap.servers, for messages */
	const atomic_bool *stop; /* NULL: none.  Waits end early when it is set */
	int64_t transaction_timeout_ms;
	size_t batch_bytes;   /* batch.size */
	size_t message_bytes; /* largest record the client takes */
	bool down;            /* no broker could be reached; said once */
	Err failure;          /* kind ERR_NONE: none yet */
	char problem[256];    /* what the last error event said, or "" */
} KafkaClient;

/* "<topic.prefix>/<slot.name>": transactional id, and key of stored positions. */
void kafka_identity(const Config *config, Buf *buf);

/*
 * Make the handle; connects to nothing.  ERR_CONFIG names the setting that librdkafka
 * or we refuse.  client is zeroed by the caller but for stop; kafka_client_fini()
 * releases it, after a failure too.
 */
bool kafka_client_init(KafkaClient *client, const Config *config, KafkaClientKind kind,
                       Err *err) MUST_CHECK;

/* Drop what is queued and release the handle.  Topics made with it must be gone. */
void kafka_client_fini(KafkaClient *client);

/* The retry or failure that code stands for; "could not <doing>: <what Kafka says>".
 * Returns false. */
bool kafka_fail(const KafkaClient *client, Err *err, rd_kafka_resp_err_t code,
                const char *reason, const char *doing);

/* The same from error, which is released. */
bool kafka_fail_error(const KafkaClient *client, Err *err, rd_kafka_error_t *error,
                      const char *doing);

/* ERR_RETRY, "no answer from Kafka at ...", or the reason that is known. */
bool kafka_fail_silent(KafkaClient *client, Err *err, const char *doing);

/*
 * Take the events that are there, waiting at most timeout_ms for the first.  False once
 * a record could not be delivered or the handle is beyond use; it stays so.
 */
bool kafka_client_poll(KafkaClient *client, int timeout_ms, Err *err) MUST_CHECK;

typedef struct KafkaRecord
{
	rd_kafka_topic_t *topic;
	int32_t partition;           /* RD_KAFKA_PARTITION_UA: by key */
	Slice key;                   /* data NULL: null */
	Slice value;                 /* data NULL: null, a tombstone */
	rd_kafka_headers_t *headers; /* NULL: none.  Taken, also on failure */
	int64_t timestamp_ms;        /* since 1970; 0: now */
	uint64_t
		*outstanding; /* counts this record until it is delivered; NULL: nobody asks */
} KafkaRecord;

/*
 * Hand a record to the library, which copies it.  While its queue is full, wait: records
 * are never dropped.  False when the client failed, or stop was set meanwhile.
 */
bool kafka_client_produce(KafkaClient *client, const KafkaRecord *record,
                          Err *err) MUST_CHECK;

/* Send what waits for company now (linger.ms).  Blocks for a millisecond at most. */
void kafka_client_hurry(KafkaClient *client);

/* Whether stop is set; then err says so. */
bool kafka_client_stopped(const KafkaClient *client, Err *err);

#endif
