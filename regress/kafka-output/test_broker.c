/*
 * test_broker.c
 *		the Kafka output against a real broker: what a read_committed consumer sees.
 *
 * KAFKA_BOOTSTRAP names the broker; run.sh starts one.  Each test has a prefix of its own
 * and so its own topics and position, unlike those of earlier runs.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include "base/clock.h"
#include "feed.h"
#include "kafka/kafka.h"

/* Last: it has a macro called fail. */
#include <cmocka.h>

#define MAX_PAIRS 8

typedef struct Fixture
{
	char prefix[64];
	char topic[128];
	ConfigPair pairs[MAX_PAIRS];
	ConfigPair topic_pairs[1];
	Config config;
	Position self;
	Feed feed;
} Fixture;

typedef struct Seen
{
	int records;
	int tombstones;
	int null_keys;
	int partitions;      /* bits */
	char headers[5][64]; /* names, of the last record with five */
} Seen;

static void
set_up_pair(Fixture *fixture, const char *name, const char *value)
{
	assert_true(fixture->config.kafka_pair_count < MAX_PAIRS);
	fixture->pairs[fixture->config.kafka_pair_count++] = (ConfigPair){ name, value };
}

static void
set_up(Fixture *fixture, const char *name, bool keyed)
{
	*fixture = (Fixture){ 0 };
	(void) snprintf(fixture->prefix,
	                sizeof fixture->prefix,
	                "%s-%lld-%d",
	                name,
	                (long long) (clock_wall_ns() / 1000000),
	                (int) getpid());
	(void) snprintf(
		fixture->topic, sizeof fixture->topic, "%s.public.t", fixture->prefix);
	fixture->config = (Config){
		.slot_name = "s",
		.kafka_exactly_once = true,
		.kafka_positions_topic = "__cdc_sink_positions",
		.kafka_commit_interval_ms = 100,
		.topic_partitions = 1,
		.topic_replication_factor = 1,
		.kafka_pairs = fixture->pairs,
		.topic_pairs = fixture->topic_pairs,
		.heartbeat_action_query = "",
		.topic_heartbeat_prefix = "__debezium-heartbeat",
		.topic_heartbeat_name = "",
	};
	fixture->config.env.topic_prefix = fixture->prefix;
	fixture->config.env.topic_delimiter = ".";
	fixture->config.env.extended_headers_enabled = true;
	fixture->config.env.tombstones_on_delete = true;
	fixture->config.env.skipped_operations = SKIP_TRUNCATE;
	fixture->config.env.unavailable_value_placeholder = "__debezium_unavailable_value";
	set_up_pair(fixture, "bootstrap.servers", getenv("KAFKA_BOOTSTRAP"));
	fixture->self = (Position){
		.system_id = 42, .timeline = 1, .database = "db", .slot = "s", .fingerprint = 7
	};
	feed_init(&fixture->feed, "t", keyed);
}

static Output *
open_ok(Fixture *fixture, Position *stored)
{
	Output *output = kafka_output_new(&fixture->config, -1);
	Err err = { 0 };

	if (!output->ops->open(output, &fixture->self, stored, &err))
		fail_msg("open: %s", err.text);
	return output;
}

static void
open_refused(Fixture *fixture, ErrKind kind, const char *text)
{
	Output *output = kafka_output_new(&fixture->config, -1);
	Position stored;
	Err err = { 0 };

	assert_false(output->ops->open(output, &fixture->self, &stored, &err));
	print_message("    %s [%s]\n", err.text, err.hint);
	assert_int_equal(err.kind, kind);
	assert_non_null(strstr(err.text, text));
	output->ops->close(output);
}

static void
mark_ok(Fixture *fixture, Output *output, PositionPhase phase, Lsn lsn)
{
	Position position = fixture->self;
	Err err = { 0 };

	position.phase = phase;
	position.commit_lsn = position.end_lsn = lsn;
	if (!output->ops->mark(output, &position, &err))
		fail_msg("mark: %s", err.text);
}

static void
wait_ok(Output *output, Lsn end_lsn)
{
	Err err = { 0 };

	if (!feed_wait(output, end_lsn, &err))
		fail_msg("output failed: %s", err.text);
}

static void
wait_failed(Output *output, Err *err)
{
	assert_false(feed_wait(output, UINT64_MAX, err));
	print_message("    %s [%s]\n", err->text, err->hint);
}

/* Transactions of one row each, ids first .. first + count - 1, commit LSN 1000 * id. */
static void
send_transactions(Fixture *fixture, Output *output, int first, int count)
{
	for (int id = first; id < first + count; id++)
	{
		feed_begin(&fixture->feed, (Lsn) id * 1000);
		if (id == first)
			feed_mark(&fixture->feed, EVENT_RELATION, 0);
		feed_row(&fixture->feed, EVENT_INSERT, id, 100, 'x');
		feed_mark(&fixture->feed, EVENT_COMMIT, (Lsn) id * 1000 + 10);
		if (id % 7 == 0)
			assert_true(feed_send(&fixture->feed, output));
	}
	assert_true(feed_send(&fixture->feed, output));
}

static void
look(Seen *seen, const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers;
	const char *name;
	const void *value;
	size_t size;

	seen->records++;
	seen->tombstones += message->payload == NULL;
	seen->null_keys += message->key == NULL;
	seen->partitions |= 1 << message->partition;
	if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
	    rd_kafka_header_cnt(headers) == 5)
		for (size_t i = 0; i < 5; i++)
		{
			assert_int_equal(rd_kafka_header_get_all(headers, i, &name, &value, &size),
			                 0);
			(void) snprintf(seen->headers[i], sizeof seen->headers[i], "%s", name);
		}
}

/* Everything that a read_committed consumer finds in a topic now. */
static Seen
consume(const char *topic, int partitions)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
	rd_kafka_t *rk;
	Seen seen = { 0 };
	int left = partitions;

	(void) rd_kafka_conf_set(
		conf, "bootstrap.servers", getenv("KAFKA_BOOTSTRAP"), NULL, 0);
	(void) rd_kafka_conf_set(conf, "group.id", "look", NULL, 0);
	(void) rd_kafka_conf_set(conf, "enable.auto.commit", "false", NULL, 0);
	(void) rd_kafka_conf_set(conf, "enable.partition.eof", "true", NULL, 0);
	(void) rd_kafka_conf_set(conf, "isolation.level", "read_committed", NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
	assert_non_null(rk);
	(void) rd_kafka_poll_set_consumer(rk);
	for (int i = 0; i < partitions; i++)
		rd_kafka_topic_partition_list_add(list, topic, i)->offset =
			RD_KAFKA_OFFSET_BEGINNING;
	assert_int_equal(rd_kafka_assign(rk, list), 0);
	while (left > 0)
	{
		rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 10000);

		assert_non_null(message);
		if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
			look(&seen, message);
		else
		{
			assert_int_equal(message->err, RD_KAFKA_RESP_ERR__PARTITION_EOF);
			left--;
		}
		rd_kafka_message_destroy(message);
	}
	rd_kafka_topic_partition_list_destroy(list);
	(void) rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
	return seen;
}

static void
test_phases(void **state)
{
	Fixture fixture;
	Position stored;
	Output *output;

	(void) state;
	set_up(&fixture, "phases", true);
	output = open_ok(&fixture, &stored);
	assert_int_equal(stored.phase, POSITION_NONE);
	mark_ok(&fixture, output, POSITION_INTENT, 0);
	mark_ok(&fixture, output, POSITION_SNAPSHOT, 500);
	output->ops->close(output);

	output = open_ok(&fixture, &stored);
	assert_int_equal(stored.phase, POSITION_SNAPSHOT);
	assert_int_equal(stored.end_lsn, 500);
	feed_begin(&fixture.feed, 500);
	feed_mark(&fixture.feed, EVENT_TABLE_BEGIN, 500);
	for (uint32_t i = 0; i < 1000; i++)
		feed_read(&fixture.feed, (int) i, i, i == 0 ? SNAPSHOT_FIRST : SNAPSHOT_TRUE);
	assert_true(feed_send(&fixture.feed, output));
	/* The rows alone, as an idle output commits them within seconds. */
	while (kafka_output_counters(output).transactions < 1)
		(void) usleep(20000);
	assert_int_equal(consume(fixture.topic, 1).records, 1000);
	output->ops->close(output);

	/* Killed in mid-snapshot: the phase is the one before. */
	output = open_ok(&fixture, &stored);
	assert_int_equal(stored.phase, POSITION_SNAPSHOT);
	feed_mark(&fixture.feed, EVENT_TABLE_BEGIN, 500);
	feed_read(&fixture.feed, 1, 0, SNAPSHOT_LAST);
	feed_mark(&fixture.feed, EVENT_TABLE_END, 500);
	feed_mark(&fixture.feed, EVENT_SNAPSHOT_END, 500);
	assert_true(feed_send(&fixture.feed, output));
	wait_ok(output, 500);
	feed_mark(&fixture.feed, EVENT_KEEPALIVE, 700);
	assert_true(feed_send(&fixture.feed, output));
	wait_ok(output, 700);
	output->ops->close(output);

	output = open_ok(&fixture, &stored);
	assert_int_equal(stored.phase, POSITION_STREAM);
	assert_int_equal(stored.commit_lsn, 500);
	assert_int_equal(stored.end_lsn, 700);
	output->ops->close(output);
	assert_int_equal(consume(fixture.topic, 1).records, 1001);
	feed_fini(&fixture.feed);
}

static void
test_exactly_once(void **state)
{
	Fixture fixture;
	Position stored;
	Output *output;

	(void) state;
	set_up(&fixture, "once", true);
	output = open_ok(&fixture, &stored);
	mark_ok(&fixture, output, POSITION_STREAM, 1);
	send_transactions(&fixture, output, 1, 200);
	wait_ok(output, 200010);
	/* A transaction whose commit never came is not seen, and sent again whole. */
	feed_begin(&fixture.feed, 201000);
	for (int i = 0; i < 50; i++)
		feed_row(&fixture.feed, EVENT_INSERT, 201, 10, 'y');
	assert_true(feed_send(&fixture.feed, output));
	(void) usleep(300000);
	output->ops->close(output);
	assert_int_equal(consume(fixture.topic, 1).records, 200);

	output = open_ok(&fixture, &stored);
	assert_int_equal(stored.phase, POSITION_STREAM);
	assert_int_equal(stored.commit_lsn, 200000);
	assert_int_equal(stored.end_lsn, 200010);
	/* The server sends what it did not see confirmed. */
	send_transactions(&fixture, output, 150, 60);
	wait_ok(output, 209010);
	assert_int_equal(kafka_output_counters(output).repeated, 51);
	assert_int_equal(kafka_output_counters(output).records, 9);
	output->ops->close(output);
	assert_int_equal(consume(fixture.topic, 1).records, 209);
	feed_fini(&fixture.feed);
}

static void
test_split(void **state)
{
	Fixture fixture;
	Position stored;
	Output *output;

	(void) state;
	set_up(&fixture, "split", true);
	set_up_pair(&fixture, "transaction.timeout.ms", "3000");
	output = open_ok(&fixture, &stored);
	mark_ok(&fixture, output, POSITION_STREAM, 1);
	feed_begin(&fixture.feed, 1000);
	feed_mark(&fixture.feed, EVENT_RELATION, 0);
	for (int i = 0; i < 10; i++)
		feed_row(&fixture.feed, EVENT_INSERT, i, 10, 'y');
	assert_true(feed_send(&fixture.feed, output));
	/* Nothing comes for longer than a third of the timeout. */
	while (kafka_output_counters(output).transactions < 2)
	{
		feed_row(&fixture.feed, EVENT_INSERT, 10, 10, 'y');
		assert_true(feed_send(&fixture.feed, output));
		(void) usleep(200000);
	}
	output->ops->close(output);

	output = open_ok(&fixture, &stored);
	assert_int_equal(stored.commit_lsn, 1000);
	assert_int_equal(stored.row_lsn, 992);
	assert_in_range(stored.ordinal, 10, 20);
	assert_int_equal(stored.end_lsn, 1);
	feed_begin(&fixture.feed, 1000);
	for (int i = 0; i < 30; i++)
		feed_row(&fixture.feed, EVENT_INSERT, i, 10, 'y');
	feed_mark(&fixture.feed, EVENT_COMMIT, 1010);
	assert_true(feed_send(&fixture.feed, output));
	wait_ok(output, 1010);
	output->ops->close(output);
	/* Ordinal 0 was the relation's in the first run: rows 1 .. n there, 0 .. 29 here. */
	assert_int_equal(consume(fixture.topic, 1).records, 29);
	feed_fini(&fixture.feed);
}

static void
test_at_least_once(void **state)
{
	Fixture fixture;
	Position stored;
	Output *output;

	(void) state;
	set_up(&fixture, "least", true);
	fixture.config.kafka_exactly_once = false;
	output = open_ok(&fixture, &stored);
	mark_ok(&fixture, output, POSITION_STREAM, 1);
	send_transactions(&fixture, output, 1, 3000);
	wait_ok(output, 3000010);
	output->ops->close(output);
	output = open_ok(&fixture, &stored);
	assert_int_equal(stored.end_lsn, 3000010);
	send_transactions(&fixture, output, 2990, 20);
	output->ops->flush(output);
	wait_ok(output, 3009010);
	output->ops->close(output);
	assert_int_equal(consume(fixture.topic, 1).records, 3009);
	feed_fini(&fixture.feed);
}

static void
test_records(void **state)
{
	static const char *const names[] = {
		"__debezium.oldkey",         "__debezium.context.connectorLogicalName",
		"__debezium.context.taskId", "__debezium.context.connectorName",
		"__debezium.context.runId",
	};
	Fixture fixture;
	Position stored;
	Output *output;
	Seen seen;

	(void) state;
	set_up(&fixture, "records", true);
	fixture.config.topic_partitions = 3;
	fixture.topic_pairs[0] = (ConfigPair){ "retention.ms", "86400000" };
	fixture.config.topic_pair_count = 1;
	output = open_ok(&fixture, &stored);
	mark_ok(&fixture, output, POSITION_STREAM, 1);
	feed_begin(&fixture.feed, 1000);
	for (int i = 0; i < 40; i++)
		feed_row(&fixture.feed, EVENT_INSERT, i, 10, 'y');
	feed_row(&fixture.feed, EVENT_DELETE, 1, 0, 0);
	feed_key_change(&fixture.feed, 2, 102);
	feed_mark(&fixture.feed, EVENT_COMMIT, 1010);
	assert_true(feed_send(&fixture.feed, output));
	wait_ok(output, 1010);
	output->ops->close(output);
	seen = consume(fixture.topic, 3);
	assert_int_equal(seen.records, 40 + 2 + 3);
	assert_int_equal(seen.tombstones, 2);
	assert_int_equal(seen.null_keys, 0);
	assert_int_equal(seen.partitions, 7);
	for (int i = 1; i < 5; i++)
		assert_string_equal(seen.headers[i], names[i]);
	feed_fini(&fixture.feed);

	set_up(&fixture, "keyless", false);
	output = open_ok(&fixture, &stored);
	mark_ok(&fixture, output, POSITION_STREAM, 1);
	send_transactions(&fixture, output, 1, 10);
	wait_ok(output, 10010);
	output->ops->close(output);
	assert_int_equal(consume(fixture.topic, 1).null_keys, 10);
	feed_fini(&fixture.feed);
}

static void
test_fenced(void **state)
{
	Fixture fixture;
	Position stored;
	Output *first;
	Output *second;
	Err err = { 0 };

	(void) state;
	set_up(&fixture, "fenced", true);
	first = open_ok(&fixture, &stored);
	mark_ok(&fixture, first, POSITION_STREAM, 1);
	second = open_ok(&fixture, &stored);
	send_transactions(&fixture, first, 1, 1);
	wait_failed(first, &err);
	assert_int_equal(err.kind, ERR_FATAL);
	assert_non_null(strstr(err.hint, "taken over"));
	first->ops->close(first);
	send_transactions(&fixture, second, 1, 1);
	wait_ok(second, 1010);
	second->ops->close(second);
	assert_int_equal(consume(fixture.topic, 1).records, 1);
	feed_fini(&fixture.feed);
}

static void
test_too_large(void **state)
{
	Fixture fixture;
	Position stored;
	Output *output;
	Err err = { 0 };

	(void) state;
	set_up(&fixture, "large", true);
	output = open_ok(&fixture, &stored);
	mark_ok(&fixture, output, POSITION_STREAM, 1);
	feed_begin(&fixture.feed, 1000);
	feed_row(&fixture.feed, EVENT_INSERT, 1, 1048588, 'y');
	feed_mark(&fixture.feed, EVENT_COMMIT, 1010);
	assert_true(feed_send(&fixture.feed, output));
	wait_failed(output, &err);
	assert_int_equal(err.kind, ERR_DATA);
	assert_non_null(strstr(err.text, "\"public.t\""));
	output->ops->close(output);

	fixture.config.env.failure_mode = FAILURE_SKIP;
	output = open_ok(&fixture, &stored);
	feed_begin(&fixture.feed, 1000);
	feed_row(&fixture.feed, EVENT_INSERT, 1, 1048588, 'y');
	feed_row(&fixture.feed, EVENT_INSERT, 2, 1000000, 'y');
	feed_mark(&fixture.feed, EVENT_COMMIT, 1010);
	assert_true(feed_send(&fixture.feed, output));
	wait_ok(output, 1010);
	assert_int_equal(kafka_output_counters(output).refused, 1);
	output->ops->close(output);
	assert_int_equal(consume(fixture.topic, 1).records, 1);
	feed_fini(&fixture.feed);

	/* A topic made for more takes more. */
	set_up(&fixture, "larger", true);
	fixture.topic_pairs[0] = (ConfigPair){ "max.message.bytes", "4000000" };
	fixture.config.topic_pair_count = 1;
	output = open_ok(&fixture, &stored);
	mark_ok(&fixture, output, POSITION_STREAM, 1);
	feed_begin(&fixture.feed, 1000);
	feed_row(&fixture.feed, EVENT_INSERT, 1, 3900000, 'y');
	feed_mark(&fixture.feed, EVENT_COMMIT, 1010);
	assert_true(feed_send(&fixture.feed, output));
	wait_ok(output, 1010);
	output->ops->close(output);
	feed_fini(&fixture.feed);

	/* One made for less than our batches is refused, not tried again and again. */
	set_up(&fixture, "smaller", true);
	fixture.topic_pairs[0] = (ConfigPair){ "max.message.bytes", "1000" };
	fixture.config.topic_pair_count = 1;
	output = open_ok(&fixture, &stored);
	mark_ok(&fixture, output, POSITION_STREAM, 1);
	send_transactions(&fixture, output, 1, 1);
	wait_failed(output, &err);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.hint, "kafka.batch.size=1000"));
	output->ops->close(output);
	feed_fini(&fixture.feed);
}

static rd_kafka_t *
plain_producer(const char *transactional_id)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *rk;

	(void) rd_kafka_conf_set(
		conf, "bootstrap.servers", getenv("KAFKA_BOOTSTRAP"), NULL, 0);
	(void) rd_kafka_conf_set(conf, "linger.ms", "1", NULL, 0);
	if (transactional_id != NULL)
		(void) rd_kafka_conf_set(conf, "transactional.id", transactional_id, NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
	assert_non_null(rk);
	if (transactional_id != NULL)
		assert_null(rd_kafka_init_transactions(rk, 10000));
	return rk;
}

static void
produce_positions(rd_kafka_t *rk, int count)
{
	for (int i = 0; i < count; i++)
	{
		char key[32];

		(void) snprintf(key, sizeof key, "other/%d", i % 100);
		assert_int_equal(rd_kafka_producev(rk,
		                                   RD_KAFKA_V_TOPIC("__cdc_sink_positions"),
		                                   RD_KAFKA_V_PARTITION(0),
		                                   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
		                                   RD_KAFKA_V_KEY(key, strlen(key)),
		                                   RD_KAFKA_V_VALUE(key, strlen(key)),
		                                   RD_KAFKA_V_END),
		                 0);
		(void) rd_kafka_poll(rk, 0);
	}
	assert_int_equal(rd_kafka_flush(rk, 10000), 0);
}

static void
delete_topic(rd_kafka_t *rk, const char *name)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
	rd_kafka_event_t *event;

	rd_kafka_DeleteTopics(rk, &topic, 1, NULL, queue);
	event = rd_kafka_queue_poll(queue, 10000);
	assert_non_null(event);
	assert_int_equal(rd_kafka_event_error(event), 0);
	rd_kafka_event_destroy(event);
	rd_kafka_DeleteTopic_destroy(topic);
	rd_kafka_queue_destroy(queue);
}

/* Many other positions, markers and an aborted transaction lie behind ours. */
static void
test_seek_back(void **state)
{
	Fixture fixture;
	Position stored;
	Output *output;
	rd_kafka_t *rk;

	(void) state;
	set_up(&fixture, "seek", true);
	output = open_ok(&fixture, &stored);
	mark_ok(&fixture, output, POSITION_STREAM, 4711);
	output->ops->close(output);
	rk = plain_producer(NULL);
	produce_positions(rk, 5000);
	rd_kafka_destroy(rk);
	rk = plain_producer(fixture.prefix);
	for (int i = 0; i < 20; i++)
	{
		assert_null(rd_kafka_begin_transaction(rk));
		produce_positions(rk, 30);
		assert_null(i % 2 == 0 ? rd_kafka_abort_transaction(rk, 5000)
		                       : rd_kafka_commit_transaction(rk, 5000));
	}
	rd_kafka_destroy(rk);
	output = open_ok(&fixture, &stored);
	assert_int_equal(stored.phase, POSITION_STREAM);
	assert_int_equal(stored.end_lsn, 4711);
	output->ops->close(output);
	feed_fini(&fixture.feed);
}

/* Another worker's open transaction hides the end of the topic: the position is waited
 * for, never guessed. */
static void
test_hidden_position(void **state)
{
	Fixture fixture;
	Position stored;
	Output *output;
	rd_kafka_t *rk;
	char id[80];

	(void) state;
	set_up(&fixture, "hidden", true);
	output = open_ok(&fixture, &stored);
	mark_ok(&fixture, output, POSITION_STREAM, 1);
	(void) snprintf(id, sizeof id, "%s-other", fixture.prefix);
	rk = plain_producer(id);
	assert_null(rd_kafka_begin_transaction(rk));
	produce_positions(rk, 1);
	mark_ok(&fixture, output, POSITION_STREAM, 2);
	output->ops->close(output);
	open_refused(&fixture, ERR_RETRY, "another worker");
	assert_null(rd_kafka_abort_transaction(rk, 5000));
	rd_kafka_destroy(rk);
	output = open_ok(&fixture, &stored);
	assert_int_equal(stored.end_lsn, 2);
	output->ops->close(output);
	feed_fini(&fixture.feed);
}

static void
test_deleted_topic(void **state)
{
	Fixture fixture;
	Position stored;
	Output *output;
	rd_kafka_t *rk;
	Err err = { 0 };

	(void) state;
	set_up(&fixture, "deleted", true);
	output = open_ok(&fixture, &stored);
	mark_ok(&fixture, output, POSITION_STREAM, 1);
	send_transactions(&fixture, output, 1, 5);
	wait_ok(output, 5010);
	rk = plain_producer(NULL);
	delete_topic(rk, fixture.topic);
	rd_kafka_destroy(rk);
	send_transactions(&fixture, output, 6, 5);
	wait_failed(output, &err);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.hint, "deleted"));
	output->ops->close(output);
	feed_fini(&fixture.feed);
}

static void
test_refusals(void **state)
{
	Fixture fixture;
	Err err = { 0 };

	(void) state;
	set_up(&fixture, "refused", true);
	fixture.config.topic_replication_factor = 3;
	assert_false(kafka_check(&fixture.config, stdout, &err));
	fixture.config.topic_replication_factor = 1;
	assert_true(kafka_check(&fixture.config, stdout, &err));
	set_up_pair(&fixture, "transaction.timeout.ms", "99999999");
	open_refused(&fixture, ERR_CONFIG, "prepare transactions");
	feed_fini(&fixture.feed);

	set_up(&fixture, "absent", true);
	fixture.pairs[0].value = "127.0.0.1:1";
	assert_false(kafka_check(&fixture.config, stdout, &err));
	open_refused(&fixture, ERR_RETRY, "no answer from Kafka at 127.0.0.1:1");
	feed_fini(&fixture.feed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_phases),          cmocka_unit_test(test_exactly_once),
		cmocka_unit_test(test_split),           cmocka_unit_test(test_at_least_once),
		cmocka_unit_test(test_records),         cmocka_unit_test(test_fenced),
		cmocka_unit_test(test_too_large),       cmocka_unit_test(test_seek_back),
		cmocka_unit_test(test_hidden_position), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_deleted_topic),
	};

	if (getenv("KAFKA_BOOTSTRAP") == NULL)
	{
		(void) fprintf(stderr, "KAFKA_BOOTSTRAP is not set: run run.sh\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
