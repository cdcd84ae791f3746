/*
 * positions.c
 *		seeking back from the end of the positions topic.
 *
 *		low                      from          upper            end
 *		 |---- not looked at ----|--- window ---|--- no record ---|
 *		                                            of ours
 *
 * The window's records are read forward; when none has our key, the next window
 * ends where this one began and is ten times as wide.  Compaction leaves gaps, and
 * transactions leave markers and aborted records, which the library skips: offsets
 * are bounds, never counts.
 *
 * The end that a read_committed reader sees is the last stable offset: an open
 * transaction of any other worker that shares the topic hides our records behind it.
 * An older position would be taken for the newest then, and records repeated; so what is
 * written is compared with what can be seen, and waited for.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kafka/positions.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "kafka/client.h"
#include "kafka/kafka.h"

#define FIRST_WINDOW   200
#define WIDER          10
#define STABLE_WAIT_US INT64_C(20000000)
#define STABLE_POLL_MS 100
#define READ_WAIT_US   INT64_C(30000000)
#define READ_POLL_MS   100
#define DOING          "read the stored position"

typedef struct Reader
{
	KafkaClient client;
	rd_kafka_topic_t *topic;
	const char *name;
	Slice key;
	int64_t low;
	int64_t end;
	Buf value;    /* of the newest record of ours */
	bool found;   /* there is one */
	bool present; /* and it is not a tombstone */
} Reader;

static bool
ask_ends(KafkaClient *client, const char *topic, int64_t *low, int64_t *high, Err *err)
{
	rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
		client->rk, topic, 0, low, high, KAFKA_CONNECT_MS);

	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return true;
	if (code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT)
		return kafka_fail_silent(client, err, DOING);
	return kafka_fail(client, err, code, NULL, DOING);
}

/* False with err's kind NONE: there is no such topic. */
static bool
topic_exists(Reader *reader, Err *err)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_topic_t *topic = rd_kafka_topic_new(reader->client.rk, reader->name, NULL);
	rd_kafka_resp_err_t code =
		rd_kafka_metadata(reader->client.rk, 0, topic, &metadata, KAFKA_CONNECT_MS);

	rd_kafka_topic_destroy(topic);
	*err = (Err){ ERR_NONE };
	if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT)
		return kafka_fail_silent(&reader->client, err, DOING);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return kafka_fail(&reader->client, err, code, NULL, DOING);
	code = metadata->topic_cnt == 1 ? metadata->topics[0].err
	                                : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	rd_kafka_metadata_destroy(metadata);
	if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
	    code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
		return false;
	return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
	       kafka_fail(&reader->client, err, code, NULL, DOING);
}

/* The end of what is written, committed or not. */
static bool
ask_written_end(const Config *config, const atomic_bool *stop, int64_t *end, Err *err)
{
	KafkaClient client = { .stop = stop };
	int64_t low;
	bool ok = kafka_client_init(&client, config, KAFKA_LATEST_READER, err) &&
	          ask_ends(&client, config->kafka_positions_topic, &low, end, err);

	kafka_client_fini(&client);
	return ok;
}

/* Wait until everything that was written before is decided. */
static bool
wait_stable(Reader *reader, int64_t written, Err *err)
{
	int64_t until = clock_mono_us() + STABLE_WAIT_US;
	bool said = false;

	for (;;)
	{
		if (!ask_ends(&reader->client, reader->name, &reader->low, &reader->end, err))
			return false;
		if (reader->end >= written)
			return true;
		if (!said)
			log_info("kafka",
			         "waiting for another worker's open transaction in topic \"%s\"",
			         reader->name);
		said = true;
		if (clock_mono_us() >= until)
		{
			fail(err,
			     ERR_RETRY,
			     "a transaction of another worker has been open in topic \"%s\" for long",
			     reader->name);
			return fail_hint(err,
			                 "It ends with that worker's next start, or after its "
			                 "transaction.timeout.ms.");
		}
		if (kafka_client_stopped(&reader->client, err) ||
		    !kafka_client_poll(&reader->client, STABLE_POLL_MS, err))
			return false;
	}
}

static void
take_record(Reader *reader, const rd_kafka_message_t *message)
{
	Slice key = { message->key, message->key_len };

	if (!slice_equal(key, reader->key))
		return;
	buf_reset(&reader->value);
	buf_append(&reader->value, message->payload, message->len);
	reader->found = true;
	/* A tombstone takes a position back: somebody's way to start afresh. */
	reader->present = message->payload != NULL;
}

/* Read [from, upper); the newest record of ours in it is in reader->value. */
static bool
read_forward(Reader *reader, int64_t upper, Err *err)
{
	int64_t until = clock_mono_us() + READ_WAIT_US;

	while (clock_mono_us() < until)
	{
		rd_kafka_message_t *message = rd_kafka_consume(reader->topic, 0, READ_POLL_MS);
		rd_kafka_resp_err_t code;
		int64_t offset;

		if (!kafka_client_poll(&reader->client, 0, err) ||
		    kafka_client_stopped(&reader->client, err))
		{
			if (message != NULL)
				rd_kafka_message_destroy(message);
			return false;
		}
		if (message == NULL)
			continue;
		code = message->err;
		offset = message->offset;
		if (code == RD_KAFKA_RESP_ERR_NO_ERROR && offset < upper)
			take_record(reader, message);
		rd_kafka_message_destroy(message);
		if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF || offset + 1 >= upper)
			return true;
		if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
			return kafka_fail(&reader->client, err, code, NULL, DOING);
	}
	return kafka_fail_silent(&reader->client, err, DOING);
}

static bool
read_window(Reader *reader, int64_t from, int64_t upper, Err *err)
{
	bool ok;

	if (rd_kafka_consume_start(reader->topic, 0, from) != 0)
		return kafka_fail(&reader->client, err, rd_kafka_last_error(), NULL, DOING);
	ok = read_forward(reader, upper, err);
	(void) rd_kafka_consume_stop(reader->topic, 0);
	return ok;
}

static bool
read_back(Reader *reader, Err *err)
{
	int64_t upper = reader->end;
	int64_t width = FIRST_WINDOW;

	while (upper > reader->low && !reader->found)
	{
		int64_t from = upper - width > reader->low ? upper - width : reader->low;

		if (!read_window(reader, from, upper, err))
			return false;
		upper = from;
		width *= WIDER;
	}
	return true;
}

static bool
read_newest(Reader *reader, const Config *config, const atomic_bool *stop, bool waits,
            Err *err)
{
	int64_t written = 0;

	reader->client.stop = stop;
	if ((waits && !ask_written_end(config, stop, &written, err)) ||
	    !kafka_client_init(&reader->client, config, KAFKA_COMMITTED_READER, err))
		return false;
	if (!waits && !topic_exists(reader, err))
		return err->kind == ERR_NONE;
	reader->topic = rd_kafka_topic_new(reader->client.rk, reader->name, NULL);
	return wait_stable(reader, written, err) && read_back(reader, err);
}

static bool
read_position(const Config *config, const atomic_bool *stop, Arena *arena,
              Position *position, Err *err)
{
	bool waits = arena != NULL;
	Reader reader = { .name = config->kafka_positions_topic, .value = buf_heap() };
	Buf key = buf_heap();
	bool ok;

	*position = (Position){ 0 };
	kafka_identity(config, &key);
	reader.key = (Slice){ key.data, key.len };
	ok = read_newest(&reader, config, stop, waits, err);
	if (ok && reader.present)
	{
		ok =
			position_parse((Slice){ reader.value.data, reader.value.len }, position, err);
		if (!ok)
			fail_while(err, "topic \"%s\", key \"%s\"", reader.name, buf_cstr(&key));
		else if (arena != NULL)
			position_parse_texts(
				arena, (Slice){ reader.value.data, reader.value.len }, position);
	}
	if (reader.topic != NULL)
		rd_kafka_topic_destroy(reader.topic);
	kafka_client_fini(&reader.client);
	buf_free(&reader.value);
	buf_free(&key);
	return ok;
}

bool
kafka_positions_read(const Config *config, const atomic_bool *stop, Arena *arena,
                     Position *position, Err *err)
{
	return read_position(config, stop, arena, position, err);
}

bool
kafka_standing(const Config *config, Position *position, Err *err)
{
	return read_position(config, NULL, NULL, position, err);
}
