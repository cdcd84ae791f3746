/*
 * client.c
 *		settings, events and errors of a librdkafka handle.
 *
 * Settings are applied in three rounds: our defaults, the user's "kafka.*", and
 * those that correctness depends on.  A user's value for one of the last is an
 * error that says why, unless it is the value we would set anyway.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kafka/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/log.h"

#define COUNT(array)          (sizeof(array) / sizeof((array)[0]))
#define DEFAULT_MESSAGE_BYTES 1048588 /* as in defaults */
#define DEFAULT_QUEUE_KB      16384
#define QUEUE_FULL_WAIT_MS    2

/*
 * Throughput comes from batches of about a megabyte, which a broker's default
 * max.message.bytes of 1048588 just takes; memory from the bound on the queue.  The
 * library counts values alone there: keys, headers and its own structures come on top.
 */
/* clang-format off */
static const ConfigPair defaults[] = {
	{ "client.id",                  "cdc-sink" },
	{ "compression.codec",          "lz4" },
	{ "linger.ms",                  "5" },
	{ "batch.size",                 "1000000" },
	{ "batch.num.messages",         "10000" },
	{ "queue.buffering.max.kbytes", "16384" },
	{ "message.max.bytes",          "1048588" },
	{ "socket.nagle.disable",       "true" },
};

typedef struct Reserved
{
	const char *name;
	const char *value; /* accepted, because it is ours anyway; NULL: none */
	const char *reason;
} Reserved;

static const Reserved reserved[] = {
	{ "acks",                       "all",   "records that one broker alone holds can be lost" },
	{ "allow.auto.create.topics",   "false", "a deleted topic must not come back in silence" },
	{ "delivery.report.only.error", "false", "deliveries are counted" },
	{ "delivery.timeout.ms",        NULL,    "it follows kafka.transaction.timeout.ms" },
	{ "enable.gapless.guarantee",   NULL,    "a gap makes the worker start again from its position" },
	{ "enable.idempotence",         "true",  "without it a retry repeats and reorders records" },
	{ "enable.partition.eof",       NULL,    "the worker reads its positions by it" },
	{ "group.id",                   NULL,    "the worker is no member of a consumer group" },
	{ "isolation.level",            NULL,    "the worker reads its positions by it" },
	{ "message.timeout.ms",         NULL,    "it follows kafka.transaction.timeout.ms" },
	{ "request.required.acks",      "-1",    "records that one broker alone holds can be lost" },
	{ "transactional.id",           NULL,    "it is made of topic.prefix and slot.name" },
};

typedef struct Meaning
{
	rd_kafka_resp_err_t code;
	ErrKind kind;
	const char *hint;
} Meaning;

static const Meaning meanings[] = {
	{ RD_KAFKA_RESP_ERR__FENCED, ERR_FATAL,
	  "Another worker with the same topic.prefix and slot.name has taken over, or a transaction outlived kafka.transaction.timeout.ms." },
	{ RD_KAFKA_RESP_ERR_PRODUCER_FENCED, ERR_FATAL,
	  "Another worker with the same topic.prefix and slot.name has taken over, or a transaction outlived kafka.transaction.timeout.ms." },
	{ RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, ERR_FATAL,
	  "Another worker with the same topic.prefix and slot.name has taken over, or a transaction outlived kafka.transaction.timeout.ms." },
	{ RD_KAFKA_RESP_ERR__AUTHENTICATION, ERR_CONFIG,
	  "Check kafka.security.protocol, kafka.sasl.mechanism, kafka.sasl.username and kafka.sasl.password." },
	{ RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, ERR_CONFIG,
	  "Check kafka.security.protocol, kafka.sasl.mechanism, kafka.sasl.username and kafka.sasl.password." },
	{ RD_KAFKA_RESP_ERR__SSL, ERR_CONFIG,
	  "Set kafka.ssl.ca.location to the certificates of the authority that signed the broker's, or have the broker's certificate renewed." },
	{ RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ERR_CONFIG,
	  "Grant the worker Describe, Create, Write and DescribeConfigs on its topics, and Read on the positions topic." },
	{ RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, ERR_CONFIG,
	  "Grant the worker IdempotentWrite and Create on the cluster." },
	{ RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, ERR_CONFIG,
	  "Grant the worker Describe and Write on transactional ids that begin with its topic.prefix, or set kafka.exactly.once=false." },
	{ RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, ERR_CONFIG,
	  "Set kafka.transaction.timeout.ms to no more than the broker's transaction.max.timeout.ms." },
	{ RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, ERR_CONFIG,
	  "Set topic.creation.default.replication.factor to no more than the number of brokers." },
	{ RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, ERR_CONFIG,
	  "Set topic.creation.default.partitions to a number the cluster allows." },
	{ RD_KAFKA_RESP_ERR_INVALID_CONFIG, ERR_CONFIG,
	  "Check the topic.creation.default.* settings." },
	{ RD_KAFKA_RESP_ERR_POLICY_VIOLATION, ERR_CONFIG,
	  "The cluster's policy refuses the topic: create it by hand, or change the topic.creation.default.* settings." },
	{ RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, ERR_CONFIG,
	  "Kafka allows no such topic name: it has at most 249 letters, digits, dots, underscores and hyphens. Change what it is made of: topic.prefix, topic.delimiter, topic.transaction, topic.heartbeat.prefix, topic.heartbeat.name." },
	{ RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ERR_CONFIG,
	  "It was there before: somebody deleted it. Records already written to it are gone; start the worker again to create it anew." },
	{ RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, ERR_CONFIG,
	  "It was there before: somebody deleted it. Records already written to it are gone; start the worker again to create it anew." },
	{ RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, ERR_CONFIG,
	  "The topic was there before: somebody deleted it, or made it anew with fewer partitions. What it held is gone; start the worker again to have it made and filled from here on." },
	{ RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, ERR_CONFIG,
	  "The worker needs Kafka 0.11 or newer." },
};
/* clang-format on */

void
kafka_identity(const Config *config, Buf *buf)
{
	buf_printf(buf, "%s/%s", config->env.topic_prefix, config->slot_name);
}

static bool
set(rd_kafka_conf_t *conf, const char *name, const char *value, Err *err)
{
	char reason[256];

	switch (rd_kafka_conf_set(conf, name, value, reason, sizeof reason))
	{
		case RD_KAFKA_CONF_OK:
			return true;
		case RD_KAFKA_CONF_UNKNOWN:
			fail(err, ERR_CONFIG, "unrecognized setting \"kafka.%s\"", name);
			return fail_hint(err, "After \"kafka.\" stand librdkafka's own names.");
		default:
			return fail(err, ERR_CONFIG, "setting \"kafka.%s\": %s", name, reason);
	}
}

static bool
set_by_user(rd_kafka_conf_t *conf, const ConfigPair *pair, Err *err)
{
	for (size_t i = 0; i < COUNT(reserved); i++)
	{
		if (strcmp(reserved[i].name, pair->name) != 0)
			continue;
		if (reserved[i].value != NULL && strcasecmp(reserved[i].value, pair->value) == 0)
			return true;
		return fail(err,
		            ERR_CONFIG,
		            "setting \"kafka.%s\" cannot be changed: %s",
		            pair->name,
		            reserved[i].reason);
	}
	return set(conf, pair->name, pair->value, err);
}

/* A topic may be created for larger records than the library would take by default; its
 * queue must have room for one of them and for work beside it. */
static bool
set_message_size(rd_kafka_conf_t *conf, const Config *config, Err *err)
{
	char queue_kb[32];

	for (size_t i = 0; i < config->topic_pair_count; i++)
	{
		const ConfigPair *pair = &config->topic_pairs[i];
		long bytes = strtol(pair->value, NULL, 10);

		if (strcmp(pair->name, "max.message.bytes") != 0 ||
		    bytes <= DEFAULT_MESSAGE_BYTES)
			continue;
		(void) snprintf(queue_kb, sizeof queue_kb, "%ld", bytes / 1024 * 2);
		return set(conf, "message.max.bytes", pair->value, err) &&
		       (bytes / 1024 * 2 <= DEFAULT_QUEUE_KB ||
		        set(conf, "queue.buffering.max.kbytes", queue_kb, err));
	}
	return true;
}

static size_t
number_of(const rd_kafka_conf_t *conf, const char *name)
{
	char value[64] = "";
	size_t size = sizeof value;

	if (rd_kafka_conf_get(conf, name, value, &size) != RD_KAFKA_CONF_OK)
		return 0;
	return (size_t) strtoull(value, NULL, 10);
}

/* The library's own words are for debugging; what a user must know comes as events. */
static void
on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void) rk;
	(void) level;
	log_debug("kafka", "%s: %s", facility, text);
}

static bool
set_producer(rd_kafka_conf_t *conf, KafkaClient *client, const Config *config,
             KafkaClientKind kind, Err *err)
{
	char timeout[32];
	Buf id = buf_heap();
	bool ok;

	(void) snprintf(timeout, sizeof timeout, "%" PRId64, client->transaction_timeout_ms);
	kafka_identity(config, &id);
	ok = set(conf, "enable.idempotence", "true", err) && set(conf, "acks", "all", err) &&
	     set(conf, "allow.auto.create.topics", "false", err) &&
	     set(conf, "message.timeout.ms", timeout, err) &&
	     set(conf, "delivery.report.only.error", "false", err) &&
	     (kind != KAFKA_TRANSACTIONAL ||
	      set(conf, "transactional.id", buf_cstr(&id), err));
	buf_free(&id);
	rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
	return ok;
}

static bool
set_reader(rd_kafka_conf_t *conf, KafkaClientKind kind, Err *err)
{
	rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_ERROR);
	/* The reader wants to know soon that there is no more, not to wait for more. */
	return set(conf, "fetch.wait.max.ms", "10", err) &&
	       set(conf, "enable.partition.eof", "true", err) &&
	       set(conf,
	           "isolation.level",
	           kind == KAFKA_COMMITTED_READER ? "read_committed" : "read_uncommitted",
	           err);
}

static bool
set_all(rd_kafka_conf_t *conf, KafkaClient *client, const Config *config,
        KafkaClientKind kind, Err *err)
{
	bool produces = kind == KAFKA_PRODUCER || kind == KAFKA_TRANSACTIONAL;

	for (size_t i = 0; i < COUNT(defaults); i++)
		if (!set(conf, defaults[i].name, defaults[i].value, err))
			return false;
	if (!set_message_size(conf, config, err))
		return false;
	client->servers = "";
	for (size_t i = 0; i < config->kafka_pair_count; i++)
	{
		const ConfigPair *pair = &config->kafka_pairs[i];

		if (!set_by_user(conf, pair, err))
			return false;
		if (strcmp(pair->name, "bootstrap.servers") == 0 ||
		    strcmp(pair->name, "metadata.broker.list") == 0)
			client->servers = pair->value;
	}
	if (client->servers[0] == '\0')
		return fail(err, ERR_CONFIG, "setting \"kafka.bootstrap.servers\" is required");
	client->transaction_timeout_ms = (int64_t) number_of(conf, "transaction.timeout.ms");
	client->batch_bytes = number_of(conf, "batch.size");
	client->message_bytes = number_of(conf, "message.max.bytes");
	/* A record that the empty queue has no room for would wait for ever. */
	if (client->message_bytes > number_of(conf, "queue.buffering.max.kbytes") * 1024)
		client->message_bytes = number_of(conf, "queue.buffering.max.kbytes") * 1024;
	return produces ? set_producer(conf, client, config, kind, err)
	                : set_reader(conf, kind, err);
}

bool
kafka_client_init(KafkaClient *client, const Config *config, KafkaClientKind kind,
                  Err *err)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char reason[256];

	rd_kafka_conf_set_log_cb(conf, on_log);
	if (!set_all(conf, client, config, kind, err))
	{
		rd_kafka_conf_destroy(conf);
		return false;
	}
	client->rk = rd_kafka_new(kind == KAFKA_PRODUCER || kind == KAFKA_TRANSACTIONAL
	                              ? RD_KAFKA_PRODUCER
	                              : RD_KAFKA_CONSUMER,
	                          conf,
	                          reason,
	                          sizeof reason);
	if (client->rk == NULL)
	{
		bool at_limit = rd_kafka_last_error() == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE;

		rd_kafka_conf_destroy(conf);
		if (!at_limit)
			return fail(
				err, ERR_CONFIG, "the \"kafka.*\" settings are refused: %s", reason);
		(void) fail(err, ERR_FATAL, "could not start the Kafka client: %s", reason);
		return fail_hint(err, LIMITS_HINT);
	}
	client->events = rd_kafka_queue_get_main(client->rk);
	return true;
}

void
kafka_client_fini(KafkaClient *client)
{
	if (client->rk == NULL)
		return;
	rd_kafka_queue_cb_event_enable(client->events, NULL, NULL);
	if (rd_kafka_type(client->rk) == RD_KAFKA_PRODUCER)
		(void) rd_kafka_purge(client->rk,
		                      RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
		                          RD_KAFKA_PURGE_F_NON_BLOCKING);
	rd_kafka_queue_destroy(client->events);
	rd_kafka_destroy(client->rk);
	client->events = NULL;
	client->rk = NULL;
}

static const Meaning *
find_meaning(rd_kafka_resp_err_t code)
{
	for (size_t i = 0; i < COUNT(meanings); i++)
		if (meanings[i].code == code)
			return &meanings[i];
	return NULL;
}

bool
kafka_fail(const KafkaClient *client, Err *err, rd_kafka_resp_err_t code,
           const char *reason, const char *doing)
{
	const Meaning *meaning = find_meaning(code);
	const char *text =
		reason != NULL && reason[0] != '\0' ? reason : rd_kafka_err2str(code);
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == '.')
		len--;
	fail(err,
	     meaning == NULL ? ERR_RETRY : meaning->kind,
	     "could not %s: Kafka at %s: %.*s",
	     doing,
	     client->servers,
	     (int) len,
	     text);
	if (meaning != NULL)
		fail_hint(err, "%s", meaning->hint);
	return false;
}

bool
kafka_fail_error(const KafkaClient *client, Err *err, rd_kafka_error_t *error,
                 const char *doing)
{
	rd_kafka_resp_err_t code = rd_kafka_error_code(error);
	char root[256] = "";

	/* The error of a call after the fatal one says only that there was one. */
	if (code == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_error_is_fatal(error))
		code = rd_kafka_fatal_error(client->rk, root, sizeof root);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		code = rd_kafka_error_code(error);
	kafka_fail(client, err, code, root[0] ? root : rd_kafka_error_string(error), doing);
	if (rd_kafka_error_is_fatal(error) && err->kind == ERR_RETRY)
		err->kind = ERR_FATAL;
	rd_kafka_error_destroy(error);
	return false;
}

bool
kafka_fail_silent(KafkaClient *client, Err *err, const char *doing)
{
	Err ignored = { 0 };

	/* The events say why, if anything is known. */
	if (!kafka_client_poll(client, 0, &ignored) && ignored.kind != ERR_RETRY)
	{
		*err = ignored;
		return false;
	}
	fail(err,
	     ERR_RETRY,
	     "could not %s: no answer from Kafka at %s%s%s",
	     doing,
	     client->servers,
	     client->problem[0] == '\0' ? "" : ": ",
	     client->problem);
	return fail_hint(err,
	                 "Is a broker running there, reachable from here, and does it speak "
	                 "kafka.security.protocol?");
}

/* ---- Events ---- */

static void
take_error(KafkaClient *client, rd_kafka_event_t *event)
{
	rd_kafka_resp_err_t code = rd_kafka_event_error(event);
	const char *text = rd_kafka_event_error_string(event);
	char root[256] = "";

	if (code == RD_KAFKA_RESP_ERR__FATAL)
	{
		code = rd_kafka_fatal_error(client->rk, root, sizeof root);
		kafka_fail(client, &client->failure, code, root, "go on producing");
		if (client->failure.kind == ERR_RETRY)
			client->failure.kind = ERR_FATAL;
		return;
	}
	if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
	{
		if (!client->down)
			log_warning("kafka",
			            "no broker can be reached (%s), trying on%s%s",
			            client->servers,
			            client->problem[0] == '\0' ? "" : ": ",
			            client->problem);
		client->down = true;
		return;
	}
	(void) snprintf(client->problem, sizeof client->problem, "%s", text);
	if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
	    code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED)
		kafka_fail(client, &client->failure, code, text, "log in");
	/* Any other failure of TLS may be one of the network. */
	else if (code == RD_KAFKA_RESP_ERR__SSL &&
	         strstr(text, "certificate verify failed") != NULL)
		kafka_fail(client, &client->failure, code, text, "trust a broker");
}

static void
take_report(KafkaClient *client, const rd_kafka_message_t *message)
{
	char doing[320];

	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		if (message->_private != NULL)
			--*(uint64_t *) message->_private;
		return;
	}
	/* The first failure is the cause; the others follow from it. */
	if (client->failure.kind != ERR_NONE ||
	    message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
	    message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
		return;
	(void) snprintf(doing,
	                sizeof doing,
	                "deliver a record to topic \"%s\"",
	                rd_kafka_topic_name(message->rkt));
	kafka_fail(client, &client->failure, message->err, NULL, doing);
}

static void
take_event(KafkaClient *client, rd_kafka_event_t *event)
{
	const rd_kafka_message_t *message;

	if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR)
		take_error(client, event);
	else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR)
		while ((message = rd_kafka_event_message_next(event)) != NULL)
			take_report(client, message);
	rd_kafka_event_destroy(event);
}

bool
kafka_client_poll(KafkaClient *client, int timeout_ms, Err *err)
{
	rd_kafka_event_t *event;

	while ((event = rd_kafka_queue_poll(client->events, timeout_ms)) != NULL)
	{
		take_event(client, event);
		timeout_ms = 0;
	}
	if (client->failure.kind == ERR_NONE)
		return true;
	*err = client->failure;
	return false;
}

bool
kafka_client_stopped(const KafkaClient *client, Err *err)
{
	if (client->stop == NULL || !atomic_load_explicit(client->stop, memory_order_relaxed))
		return false;
	fail(err, ERR_RETRY, "the Kafka output was stopped");
	return true;
}

/* ---- Producing ---- */

/* One attempt.  The headers are the library's when it succeeds. */
static rd_kafka_error_t *
produce(const KafkaClient *client, const KafkaRecord *record)
{
	rd_kafka_vu_t parts[8];
	size_t count = 0;

	parts[count++] =
		(rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_RKT, .u = { .rkt = record->topic } };
	parts[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_PARTITION,
		                              .u = { .i32 = record->partition } };
	parts[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_MSGFLAGS,
		                              .u = { .i = RD_KAFKA_MSG_F_COPY } };
	/* Copied, not changed: the interface has no const. */
	parts[count++] = (rd_kafka_vu_t){
		.vtype = RD_KAFKA_VTYPE_VALUE,
		.u = { .mem = { (void *) (uintptr_t) record->value.data, record->value.len } }
	};
	parts[count++] = (rd_kafka_vu_t){
		.vtype = RD_KAFKA_VTYPE_KEY,
		.u = { .mem = { (void *) (uintptr_t) record->key.data, record->key.len } }
	};
	parts[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_OPAQUE,
		                              .u = { .ptr = record->outstanding } };
	if (record->timestamp_ms > 0)
		parts[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_TIMESTAMP,
			                              .u = { .i64 = record->timestamp_ms } };
	if (record->headers != NULL)
		parts[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_HEADERS,
			                              .u = { .headers = record->headers } };
	return rd_kafka_produceva(client->rk, parts, count);
}

static bool
fail_produce(const KafkaClient *client, const KafkaRecord *record,
             rd_kafka_error_t *error, Err *err)
{
	char doing[320];

	(void) snprintf(doing,
	                sizeof doing,
	                "produce to topic \"%s\"",
	                rd_kafka_topic_name(record->topic));
	return kafka_fail_error(client, err, error, doing);
}

bool
kafka_client_produce(KafkaClient *client, const KafkaRecord *record, Err *err)
{
	rd_kafka_error_t *error;

	while ((error = produce(client, record)) != NULL)
	{
		bool full = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL;

		if (!full)
		{
			/* What failed before explains more than that this fails. */
			if (kafka_client_poll(client, 0, err))
				fail_produce(client, record, error, err);
			else
				rd_kafka_error_destroy(error);
		}
		else
			rd_kafka_error_destroy(error);
		if (!full || !kafka_client_poll(client, QUEUE_FULL_WAIT_MS, err) ||
		    kafka_client_stopped(client, err))
		{
			if (record->headers != NULL)
				rd_kafka_headers_destroy(record->headers);
			return false;
		}
	}
	if (record->outstanding != NULL)
		++*record->outstanding;
	return true;
}

/*
 * A flush, however short, makes the library's threads ignore linger.ms; they are woken
 * at once, so a millisecond is enough.
 */
void
kafka_client_hurry(KafkaClient *client)
{
	(void) rd_kafka_flush(client->rk, 1);
}
