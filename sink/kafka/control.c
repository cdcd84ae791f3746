/*
 * control.c
 *		plans, counts and topics of the records beside row events.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kafka/control.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "envelope/control.h"

struct KafkaControl
{
	KafkaRecords *records;
	KafkaTopics *topics;
	const Config *config;
	Arena *arena;
	const char *database;
	const ControlPlan *plan;
	const char *names[CONTROL_KINDS];
	KafkaTopic *found[CONTROL_KINDS]; /* NULL: not looked up yet */
	Buf bytes;
	TxCounts counts;
	bool begun; /* the transaction's BEGIN was sent, now or before this run */
	int64_t beat_us;
};

#define KEEP_BYTES ((size_t) 4 << 20) /* of the buffer, after a huge message */

static const char *
heartbeat_topic(const Config *config, Arena *arena)
{
	if (*config->topic_heartbeat_name != '\0')
		return config->topic_heartbeat_name;
	return arena_printf(arena,
	                    "%s%s%s",
	                    config->topic_heartbeat_prefix,
	                    config->env.topic_delimiter,
	                    config->env.topic_prefix);
}

KafkaControl *
kafka_control_new(KafkaRecords *records, KafkaTopics *topics, const Config *config,
                  const char *database)
{
	KafkaControl *control = xmalloc(sizeof *control);
	Alloc alloc;

	*control = (KafkaControl){ .records = records,
		                       .topics = topics,
		                       .config = config,
		                       .arena = arena_new(),
		                       .bytes = buf_heap(),
		                       .beat_us = INT64_MAX };
	alloc = arena_as_alloc(control->arena);
	control->database = arena_strdup(control->arena, database);
	control->plan = control_plan_new(kafka_records_options(records), &alloc);
	control->names[CONTROL_TRANSACTION] =
		control_topic(control->plan, CONTROL_TRANSACTION);
	control->names[CONTROL_MESSAGE] = control_topic(control->plan, CONTROL_MESSAGE);
	control->names[CONTROL_HEARTBEAT] = heartbeat_topic(config, control->arena);
	tx_counts_init(&control->counts, &alloc);
	if (config->heartbeat_interval_ms > 0)
		control->beat_us = clock_mono_us() + config->heartbeat_interval_ms * 1000;
	return control;
}

void
kafka_control_free(KafkaControl *control)
{
	if (control == NULL)
		return;
	buf_free(&control->bytes);
	arena_free(control->arena);
	free(control);
}

static Buf *
empty_bytes(KafkaControl *control)
{
	if (control->bytes.cap > KEEP_BYTES)
	{
		buf_free(&control->bytes);
		control->bytes = buf_heap();
	}
	buf_reset(&control->bytes);
	return &control->bytes;
}

/* Produce what was rendered; heartbeats go to the first partition, as Debezium's do. */
static bool
produce(KafkaControl *control, ControlKind kind, const RenderRecord *record,
        uint64_t *outstanding, Err *err)
{
	static const char *const what[] = {
		[CONTROL_TRANSACTION] = "transaction metadata",
		[CONTROL_MESSAGE] = "logical message",
		[CONTROL_HEARTBEAT] = "heartbeat",
	};
	KafkaLoose loose = {
		.what = what[kind],
		.partition = kind == CONTROL_HEARTBEAT ? 0 : RD_KAFKA_PARTITION_UA,
		.bytes = &control->bytes,
		.record = record,
		.key_schema = control_key_schema(control->plan, kind),
		.value_schema = control_value_schema(control->plan, kind),
	};

	if (control->found[kind] == NULL)
		control->found[kind] =
			kafka_topics_get(control->topics, control->names[kind], err);
	loose.topic = control->found[kind];
	return loose.topic != NULL &&
	       kafka_records_send_loose(control->records, &loose, outstanding, err);
}

static RenderSource
source_of(const KafkaControl *control, const Event *event)
{
	return event_as_change(event, control->database).source;
}

static bool
send_begin(KafkaControl *control, const Event *event, uint64_t *outstanding, Err *err)
{
	RenderSource source = source_of(control, event);
	RenderRecord record;

	control_begin(control->plan, &source, empty_bytes(control), &record);
	return produce(control, CONTROL_TRANSACTION, &record, outstanding, err);
}

bool
kafka_control_enter(KafkaControl *control, const Event *event, bool stored,
                    TxCounts **counts, uint64_t *outstanding, Err *err)
{
	*counts = NULL;
	if (!control->config->env.provide_transaction_metadata)
		return true;
	*counts = &control->counts;
	if (control->begun)
		return true;
	control->begun = true;
	tx_counts_reset(&control->counts);
	return stored || send_begin(control, event, outstanding, err);
}

bool
kafka_control_end(KafkaControl *control, const Event *commit, uint64_t *outstanding,
                  Err *err)
{
	RenderSource source = source_of(control, commit);
	RenderRecord record;
	TxCounts *counts;

	if (!kafka_control_enter(control, commit, false, &counts, outstanding, err))
		return false;
	control->begun = false;
	if (counts == NULL)
		return true;
	control_end(control->plan, &source, counts, empty_bytes(control), &record);
	return produce(control, CONTROL_TRANSACTION, &record, outstanding, err);
}

void
kafka_control_skip(KafkaControl *control)
{
	control->begun = false;
}

bool
kafka_control_message(KafkaControl *control, const Event *event, TxCounts *counts,
                      bool count_only, uint64_t *outstanding, Err *err)
{
	/* terminated: see EVENT_MESSAGE */
	ControlMessage message = { .prefix = event->old_tuple.data,
		                       .content = event->new_tuple,
		                       .source = source_of(control, event),
		                       .now_ns = clock_wall_ns(),
		                       .transaction = counts };
	RenderRecord record;

	if (!control_wants_message(control->plan, message.prefix))
	{
		if (!count_only)
			kafka_records_skip(control->records);
		return true;
	}
	control_message(control->plan, &message, empty_bytes(control), &record);
	return count_only || produce(control, CONTROL_MESSAGE, &record, outstanding, err);
}

int64_t
kafka_control_beat_us(const KafkaControl *control)
{
	return control->beat_us;
}

bool
kafka_control_beat(KafkaControl *control, uint64_t *outstanding, Err *err)
{
	RenderRecord record;

	control->beat_us = clock_mono_us() + control->config->heartbeat_interval_ms * 1000;
	control_heartbeat(
		control->plan, clock_wall_ns() / 1000000, empty_bytes(control), &record);
	return produce(control, CONTROL_HEARTBEAT, &record, outstanding, err);
}
