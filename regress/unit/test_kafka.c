/*
 * test_kafka.c
 *		the Kafka output against librdkafka's mock cluster: settings, partitions, records,
 *		positions and what becomes of errors.
 *
 * The mock has no transaction markers, topic creation or DescribeConfigs; what
 * needs them is tested against a real broker (regress/kafka-output).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "base/log.h"
#include "feed.h"
#include "kafka/kafka.h"
#include "kafka/positions.h"
#include "kafka/records.h"

/* Last: it has a macro called fail. */
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define API_PRODUCE  0 /* Kafka protocol: api keys */
#define API_END_TXN  26
#define TOPIC        "mock.public.t"
#define PARTITIONS   7

typedef struct Mock
{
	rd_kafka_t *rk;
	rd_kafka_mock_cluster_t *cluster;
	ConfigPair pairs[4];
	Config config;
	Position self;
	Feed feed;
} Mock;

static void
set_up(Mock *mock, bool exactly_once)
{
	char ignored[128];

	*mock = (Mock){ 0 };
	mock->rk =
		rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), ignored, sizeof ignored);
	mock->cluster = rd_kafka_mock_cluster_new(mock->rk, 1);
	assert_non_null(mock->cluster);
	(void) rd_kafka_mock_topic_create(mock->cluster, "positions", 1, 1);
	(void) rd_kafka_mock_topic_create(mock->cluster, TOPIC, PARTITIONS, 1);
	mock->pairs[0] = (ConfigPair){ "bootstrap.servers",
		                           rd_kafka_mock_cluster_bootstraps(mock->cluster) };
	mock->config = (Config){
		.slot_name = "s",
		.kafka_exactly_once = exactly_once,
		.kafka_positions_topic = "positions",
		.kafka_commit_interval_ms = 20,
		.topic_partitions = 1,
		.topic_replication_factor = 1,
		.kafka_pairs = mock->pairs,
		.kafka_pair_count = 1,
	};
	mock->config.env.topic_prefix = "mock";
	mock->config.env.topic_delimiter = ".";
	mock->config.env.topic_transaction = "transaction";
	mock->config.topic_heartbeat_prefix = "beat";
	mock->config.topic_heartbeat_name = "";
	mock->config.env.tombstones_on_delete = true;
	mock->config.env.unavailable_value_placeholder = "__debezium_unavailable_value";
	mock->self = (Position){ .system_id = 1, .database = "db", .slot = "s" };
	feed_init(&mock->feed, "t", true);
	log_set_level(LOG_ERROR);
}

static void
tear_down(Mock *mock)
{
	feed_fini(&mock->feed);
	rd_kafka_mock_cluster_destroy(mock->cluster);
	rd_kafka_destroy(mock->rk);
}

static Output *
open_ok(Mock *mock, Position *stored)
{
	Output *output = kafka_output_new(&mock->config, -1);
	Err err = { 0 };

	if (!output->ops->open(output, &mock->self, stored, &err))
		fail_msg("open: %s", err.text);
	return output;
}

static void
mark_stream(Mock *mock, Output *output, Lsn lsn)
{
	Position position = mock->self;
	Err err = { 0 };

	position.phase = POSITION_STREAM;
	position.commit_lsn = position.end_lsn = lsn;
	if (!output->ops->mark(output, &position, &err))
		fail_msg("mark: %s", err.text);
}

/* ---- Settings ---- */

static void
refuse_setting(const char *name, const char *value, const char *text)
{
	ConfigPair pairs[] = { { "bootstrap.servers", "127.0.0.1:1" }, { name, value } };
	Config config = { .slot_name = "s", .kafka_pairs = pairs, .kafka_pair_count = 2 };
	Err err = { 0 };
	KafkaClient client = { 0 };

	config.env.topic_prefix = "mock";
	assert_false(kafka_client_init(&client, &config, KAFKA_TRANSACTIONAL, &err));
	kafka_client_fini(&client);
	assert_int_equal(err.kind, ERR_CONFIG);
	if (strstr(err.text, text) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
}

static void
test_settings(void **state)
{
	Mock mock;
	Err err = { 0 };
	KafkaClient client = { 0 };

	(void) state;
	refuse_setting("lingr.ms", "1", "unrecognized setting \"kafka.lingr.ms\"");
	refuse_setting("linger.ms", "soon", "setting \"kafka.linger.ms\"");
	refuse_setting("acks", "1", "\"kafka.acks\" cannot be changed");
	refuse_setting("enable.idempotence", "false", "cannot be changed");
	refuse_setting("transactional.id", "x", "topic.prefix and slot.name");
	refuse_setting("max.in.flight", "10", "max.in.flight");

	set_up(&mock, true);
	mock.pairs[1] = (ConfigPair){ "enable.idempotence", "true" };
	mock.pairs[2] = (ConfigPair){ "batch.size", "4096" };
	mock.pairs[3] = (ConfigPair){ "transaction.timeout.ms", "12000" };
	mock.config.kafka_pair_count = 4;
	assert_true(kafka_client_init(&client, &mock.config, KAFKA_TRANSACTIONAL, &err));
	assert_int_equal(client.batch_bytes, 4096);
	assert_int_equal(client.transaction_timeout_ms, 12000);
	kafka_client_fini(&client);
	mock.config.kafka_pair_count = 0;
	assert_false(kafka_client_init(&client, &mock.config, KAFKA_PRODUCER, &err));
	assert_non_null(strstr(err.text, "kafka.bootstrap.servers"));
	tear_down(&mock);
}

static void
test_run_id(void **state)
{
	static const unsigned char zeros[10] = { 0 };
	static const unsigned char ones[10] = { 255, 255, 255, 255, 255,
		                                    255, 255, 255, 255, 255 };
	char text[37];

	(void) state;
	/* RFC 9562, appendix A.6: unix_ts_ms 0x017F22E279B0. */
	kafka_run_id(text, INT64_C(0x017F22E279B0), zeros);
	assert_string_equal(text, "017f22e2-79b0-7000-8000-000000000000");
	kafka_run_id(text, INT64_C(0x017F22E279B0), ones);
	assert_string_equal(text, "017f22e2-79b0-7fff-bfff-ffffffffffff");
}

/* ---- Partitions ---- */

typedef struct JavaHash
{
	const char *key;
	int32_t hash;
} JavaHash;

/* Values of org.apache.kafka.common.utils.Utils.murmur2, from Kafka's UtilsTest. */
static const JavaHash java_hashes[] = {
	{ "21", -973932308 },
	{ "foobar", -790332482 },
	{ "a-little-bit-long-string", -985981536 },
	{ "a-little-bit-longer-string", -1486304829 },
	{ "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971 },
	{ "abc", 479470107 },
};

static void
take_partition(KafkaClient *client, KafkaTopic *topic, Slice key, int32_t *partition)
{
	KafkaRecord record = { .topic = topic->rkt,
		                   .partition = RD_KAFKA_PARTITION_UA,
		                   .key = key,
		                   .value = { "v", 1 } };
	const rd_kafka_message_t *message;
	rd_kafka_event_t *event;
	Err err = { 0 };

	assert_true(kafka_client_produce(client, &record, &err));
	kafka_client_hurry(client);
	event = rd_kafka_queue_poll(client->events, 10000);
	assert_non_null(event);
	message = rd_kafka_event_message_next(event);
	assert_non_null(message);
	assert_int_equal(message->err, 0);
	*partition = message->partition;
	rd_kafka_event_destroy(event);
}

static void
test_partitions(void **state)
{
	Mock mock;
	Err err = { 0 };
	KafkaClient client = { 0 };
	KafkaTopics *topics;
	KafkaTopic *topic;
	int32_t partition;

	(void) state;
	set_up(&mock, false);
	assert_true(kafka_client_init(&client, &mock.config, KAFKA_PRODUCER, &err));
	topics = kafka_topics_new(&client, &mock.config);
	topic = kafka_topics_get(topics, TOPIC, &err);
	if (topic == NULL)
		fail_msg("%s", err.text);
	assert_ptr_equal(kafka_topics_get(topics, TOPIC, &err), topic);
	assert_int_equal(topic->partitions, PARTITIONS);
	for (size_t i = 0; i < COUNT(java_hashes); i++)
	{
		take_partition(&client, topic, slice_from(java_hashes[i].key), &partition);
		/* BuiltInPartitioner: toPositive(murmur2(key)) % partitions. */
		assert_int_equal(partition, (java_hashes[i].hash & 0x7fffffff) % PARTITIONS);
	}
	take_partition(&client, topic, (Slice){ NULL, 0 }, &partition);
	assert_in_range(partition, 0, PARTITIONS - 1);
	/* An empty key is a key. */
	take_partition(&client, topic, (Slice){ "", 0 }, &partition);
	assert_int_equal(partition, (275646681 & 0x7fffffff) % PARTITIONS);
	kafka_topics_free(topics);
	kafka_client_fini(&client);
	tear_down(&mock);
}

/* ---- The output ---- */

static void
send_rows(Mock *mock, Output *output, Lsn commit_lsn, int count)
{
	feed_begin(&mock->feed, commit_lsn);
	for (int i = 0; i < count; i++)
		feed_row(&mock->feed, EVENT_INSERT, i, 20, 'a');
	feed_mark(&mock->feed, EVENT_COMMIT, commit_lsn + 10);
	assert_true(feed_send(&mock->feed, output));
}

static void
run_output(bool exactly_once)
{
	Mock mock;
	Position stored;
	Output *output;
	KafkaCounters counters;
	Err err = { 0 };

	set_up(&mock, exactly_once);
	output = open_ok(&mock, &stored);
	assert_int_equal(stored.phase, POSITION_NONE);
	mark_stream(&mock, output, 100);
	send_rows(&mock, output, 1000, 100);
	feed_begin(&mock.feed, 2000);
	feed_row(&mock.feed, EVENT_DELETE, 1, 0, 0);
	feed_key_change(&mock.feed, 2, 3);
	feed_mark(&mock.feed, EVENT_COMMIT, 2010);
	feed_mark(&mock.feed, EVENT_KEEPALIVE, 3000);
	assert_true(feed_send(&mock.feed, output));
	output->ops->flush(output);
	assert_true(feed_wait(output, 3000, &err));
	counters = kafka_output_counters(output);
	assert_int_equal(counters.records, 100 + 2 + 3);
	assert_in_range(counters.transactions, 2, 4);
	assert_int_equal(counters.refused, 0);
	output->ops->close(output);

	output = open_ok(&mock, &stored);
	assert_int_equal(stored.phase, POSITION_STREAM);
	assert_int_equal(stored.commit_lsn, 2000);
	assert_int_equal(stored.end_lsn, 3000);
	send_rows(&mock, output, 1000, 100);
	send_rows(&mock, output, 4000, 1);
	assert_true(feed_wait(output, 4010, &err));
	counters = kafka_output_counters(output);
	assert_int_equal(counters.repeated, 100);
	assert_int_equal(counters.records, 1);
	output->ops->close(output);
	tear_down(&mock);
}

static void
test_exactly_once(void **state)
{
	(void) state;
	run_output(true);
}

static void
test_at_least_once(void **state)
{
	(void) state;
	run_output(false);
}

/* A refused record fails the output for a retry; nothing was stored. */
static void
test_delivery_failure(void **state)
{
	Mock mock;
	Position stored;
	Output *output;
	Err err = { 0 };
	Lsn lsn;

	(void) state;
	for (int exactly_once = 0; exactly_once < 2; exactly_once++)
	{
		set_up(&mock, exactly_once == 1);
		output = open_ok(&mock, &stored);
		mark_stream(&mock, output, 100);
		rd_kafka_mock_push_request_errors(
			mock.cluster, API_PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS);
		send_rows(&mock, output, 1000, 10);
		assert_false(feed_wait(output, 1010, &err));
		assert_int_equal(err.kind, ERR_RETRY);
		assert_false(output->ops->durable(output, &lsn, &err));
		assert_int_equal(lsn, 100);
		assert_false(feed_send(&mock.feed, output));
		output->ops->close(output);
		output = open_ok(&mock, &stored);
		/* The mock shows aborted records too. */
		if (exactly_once == 0)
			assert_int_equal(stored.commit_lsn, 100);
		output->ops->close(output);
		tear_down(&mock);
	}
}

static void
test_fenced(void **state)
{
	Mock mock;
	Position stored;
	Output *output;
	Err err = { 0 };

	(void) state;
	set_up(&mock, true);
	output = open_ok(&mock, &stored);
	mark_stream(&mock, output, 100);
	rd_kafka_mock_push_request_errors(
		mock.cluster, API_END_TXN, 1, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH);
	send_rows(&mock, output, 1000, 10);
	assert_false(feed_wait(output, 1010, &err));
	assert_int_equal(err.kind, ERR_FATAL);
	assert_non_null(strstr(err.hint, "taken over"));
	output->ops->close(output);
	tear_down(&mock);
}

/* Positions of others and many windows lie behind ours; a tombstone takes ours back. */
static void
test_positions(void **state)
{
	Mock mock;
	Err err = { 0 };
	KafkaClient client = { 0 };
	KafkaTopics *topics;
	KafkaTopic *topic;
	Position position = { .phase = POSITION_STREAM, .end_lsn = 77, .slot = "s" };
	Position stored;
	Buf text = buf_heap();
	Arena *arena = arena_new();
	KafkaRecord record;

	(void) state;
	set_up(&mock, false);
	position.unread = "public.t,public.u%20v";
	position_print(&text, &position);
	assert_true(kafka_client_init(&client, &mock.config, KAFKA_PRODUCER, &err));
	topics = kafka_topics_new(&client, &mock.config);
	topic = kafka_topics_get_positions(topics, &err);
	assert_non_null(topic);
	assert_true(kafka_positions_read(&mock.config, NULL, arena, &stored, &err));
	assert_int_equal(stored.phase, POSITION_NONE);
	record = (KafkaRecord){ .topic = topic->rkt,
		                    .partition = 0,
		                    .key = slice_from("mock/s"),
		                    .value = { text.data, text.len } };
	assert_true(kafka_client_produce(&client, &record, &err));
	record.key = slice_from("mock/t");
	for (int i = 0; i < 3000; i++)
		assert_true(kafka_client_produce(&client, &record, &err));
	while (rd_kafka_outq_len(client.rk) > 0)
		assert_true(kafka_client_poll(&client, 10, &err));
	if (!kafka_positions_read(&mock.config, NULL, arena, &stored, &err))
		fail_msg("%s", err.text);
	assert_int_equal(stored.end_lsn, 77);
	assert_string_equal(stored.unread, position.unread);
	record.key = slice_from("mock/s");
	record.value = (Slice){ NULL, 0 };
	assert_true(kafka_client_produce(&client, &record, &err));
	while (rd_kafka_outq_len(client.rk) > 0)
		assert_true(kafka_client_poll(&client, 10, &err));
	assert_true(kafka_positions_read(&mock.config, NULL, arena, &stored, &err));
	assert_int_equal(stored.phase, POSITION_NONE);
	record.value = slice_from("garbage");
	assert_true(kafka_client_produce(&client, &record, &err));
	while (rd_kafka_outq_len(client.rk) > 0)
		assert_true(kafka_client_poll(&client, 10, &err));
	assert_false(kafka_positions_read(&mock.config, NULL, arena, &stored, &err));
	assert_int_equal(err.kind, ERR_FATAL);
	kafka_topics_free(topics);
	kafka_client_fini(&client);
	arena_free(arena);
	buf_free(&text);
	tear_down(&mock);
}

/* Whether topic has a record whose value has text in it, of those there are now. */
static bool
topic_has(Mock *mock, const char *name, const char *text)
{
	KafkaClient client = { 0 };
	Err err = { 0 };
	rd_kafka_topic_t *topic;
	bool found = false;

	assert_true(kafka_client_init(&client, &mock->config, KAFKA_COMMITTED_READER, &err));
	topic = rd_kafka_topic_new(client.rk, name, NULL);
	for (int32_t i = 0; i < PARTITIONS && !found; i++)
	{
		rd_kafka_message_t *message;
		int64_t low;
		int64_t end;

		/* the worker made some of the topics, with one partition */
		if (rd_kafka_query_watermark_offsets(
				client.rk, name, i, &low, &end, KAFKA_CONNECT_MS) != 0)
			break;
		assert_int_equal(rd_kafka_consume_start(topic, i, low), 0);
		while (low < end && !found &&
		       (message = rd_kafka_consume(topic, i, KAFKA_CONNECT_MS)) != NULL)
		{
			low = message->offset + 1;
			found = message->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
			        memmem(message->payload, message->len, text, strlen(text)) != NULL;
			if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
				low = end;
			rd_kafka_message_destroy(message);
		}
		(void) rd_kafka_consume_stop(topic, i);
	}
	rd_kafka_topic_destroy(topic);
	kafka_client_fini(&client);
	return found;
}

/* Stored up to the middle of a transaction: no second BEGIN, and the count goes on. */
static void
test_transaction_resumed(void **state)
{
	Mock mock;
	Position stored;
	Position middle;
	Output *output;
	KafkaCounters counters;
	Err err = { 0 };

	(void) state;
	set_up(&mock, false);
	mock.config.env.provide_transaction_metadata = true;
	output = open_ok(&mock, &stored);
	middle = mock.self;
	middle.phase = POSITION_STREAM;
	middle.commit_lsn = 1000;
	middle.end_lsn = 100;
	middle.row_lsn = 992;
	middle.ordinal = 3;
	assert_true(output->ops->mark(output, &middle, &err));
	send_rows(&mock, output, 1000, 10);
	assert_true(feed_wait(output, 1010, &err));
	counters = kafka_output_counters(output);
	assert_int_equal(counters.repeated, 4);
	assert_int_equal(counters.records, 6 + 1);
	assert_false(topic_has(&mock, "mock.transaction", "BEGIN"));
	assert_true(topic_has(&mock, "mock.transaction", "\"event_count\":10,"));
	assert_true(topic_has(&mock, "mock.public.t", "\"total_order\":5,"));
	assert_false(topic_has(&mock, "mock.public.t", "\"total_order\":4,"));
	send_rows(&mock, output, 2000, 1);
	assert_true(feed_wait(output, 2010, &err));
	assert_true(topic_has(&mock, "mock.transaction", "BEGIN"));
	output->ops->close(output);
	tear_down(&mock);
}

/* A message outside transactions is stored with its position, and not sent twice. */
static void
test_message_alone(void **state)
{
	Mock mock;
	Position stored;
	Output *output;
	Err err = { 0 };

	(void) state;
	for (int run = 0; run < 2; run++)
	{
		if (run == 0)
			set_up(&mock, true);
		output = open_ok(&mock, &stored);
		if (run == 0)
			mark_stream(&mock, output, 100);
		else
			assert_int_equal(stored.end_lsn, 500);
		feed_message(&mock.feed, 500, "p", "content");
		if (run == 1)
			feed_mark(&mock.feed, EVENT_KEEPALIVE, 510);
		assert_true(feed_send(&mock.feed, output));
		assert_true(feed_wait(output, run == 0 ? 500 : 510, &err));
		assert_int_equal(kafka_output_counters(output).records, run == 0 ? 1 : 0);
		assert_true(topic_has(&mock, "mock.message", "\"content\":\"Y29udGVudA==\""));
		output->ops->close(output);
	}
	tear_down(&mock);
}

/* Heartbeats come while nothing else does, to the first partition. */
static void
test_heartbeat(void **state)
{
	Mock mock;
	Position stored;
	Output *output;
	Err err = { 0 };
	Lsn lsn;

	(void) state;
	set_up(&mock, true);
	mock.config.heartbeat_interval_ms = 10;
	output = open_ok(&mock, &stored);
	mark_stream(&mock, output, 100);
	while (kafka_output_counters(output).records < 3)
		assert_true(output->ops->durable(output, &lsn, &err));
	output->ops->close(output);
	assert_true(topic_has(&mock, "beat.mock", "{\"ts_ms\":"));
	tear_down(&mock);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_run_id),
		cmocka_unit_test(test_partitions),
		cmocka_unit_test(test_exactly_once),
		cmocka_unit_test(test_at_least_once),
		cmocka_unit_test(test_positions),
		cmocka_unit_test(test_delivery_failure),
		cmocka_unit_test(test_fenced),
		cmocka_unit_test(test_transaction_resumed),
		cmocka_unit_test(test_message_alone),
		cmocka_unit_test(test_heartbeat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
