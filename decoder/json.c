/*
 * json.c
 *		format=json and format=record: what Kafka would get, as text.
 *
 * A change is written in wire form into a private buffer and rendered from there,
 * as the worker renders what it reads from a frame: there is one renderer.  json
 * prints the value of each record on a row of output, leaving out tombstones; record
 * prints each record whole.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "compat.h"

#include <time.h>

#include "replication/origin.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "buffer.h"
#include "decoder.h"

static int64
now_ns(void)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_REALTIME, &now);
	return (int64) now.tv_sec * INT64CONST(1000000000) + now.tv_nsec;
}

/* Names that the source block repeats. */
static void
fill_names(Decoder *decoder, RenderSource *source)
{
	TextConverter *converter = &decoder->writer.converter;
	ReorderBufferTXN *txn = decoder->txn;
	char *origin;

	source->database = decoder->database;
	if (txn != NULL && txn->origin_id != InvalidRepOriginId &&
	    replorigin_by_oid(txn->origin_id, true, &origin))
	{
		source->origin = text_convert(converter, origin);
		source->origin_lsn = txn->origin_lsn;
	}
}

/* Outside transactions the time is that of the last one, as in Debezium. */
static RenderSource
make_source(Decoder *decoder, uint64 lsn)
{
	ReorderBufferTXN *txn = decoder->txn;
	RenderSource source = { .lsn = lsn, .snapshot = SNAPSHOT_NONE };

	source.last_commit_lsn = decoder->last_commit_end;
	if (txn != NULL)
	{
		source.xid = txn->xid;
		decoder->last_commit_us =
			txn->xact_time.commit_time +
			(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
	}
	else if (decoder->last_commit_us == 0)
		decoder->last_commit_us = now_ns() / 1000;
	source.commit_us = decoder->last_commit_us;
	fill_names(decoder, &source);
	return source;
}

/* ---- Records beside rows ---- */

/* A record as the format has it: json prints the value alone. */
static Slice
control_line(Decoder *decoder, ControlKind kind, const RenderRecord *record)
{
	if (decoder->options.format == FORMAT_JSON)
		return (Slice){ decoder->out.data + record->value_at, record->value_len };
	buf_reset(&decoder->line);
	control_record_json(decoder->control, kind, &decoder->out, record, &decoder->line);
	return (Slice){ decoder->line.data, decoder->line.len };
}

static void
write_transaction(Decoder *decoder, uint64 lsn, bool ends)
{
	RenderSource source = make_source(decoder, lsn);
	RenderRecord record;
	Slice line;

	buf_reset(&decoder->out);
	if (ends)
		control_end(decoder->control, &source, &decoder->counts, &decoder->out, &record);
	else
		control_begin(decoder->control, &source, &decoder->out, &record);
	line = control_line(decoder, CONTROL_TRANSACTION, &record);
	decoder_write(decoder, line.data, line.len);
}

/* Before the first event of a transaction: tell that it begins.  The counts for it, NULL
 * when nobody asked. */
static TxCounts *
begin(Decoder *decoder, uint64 lsn)
{
	if (!decoder->options.events.provide_transaction_metadata)
		return NULL;
	if (!decoder->begun)
	{
		decoder->begun = true;
		tx_counts_reset(&decoder->counts);
		write_transaction(decoder, lsn, false);
	}
	return &decoder->counts;
}

pg_noreturn static void
fail_render(const RelationPlan *plan, const EnvError *error)
{
	ereport(ERROR,
	        errcode(ERRCODE_DATA_EXCEPTION),
	        errmsg("could not render a change of table \"%s.%s\": %s",
	               plan->relation->schema,
	               plan->relation->name,
	               error->message),
	        error->hint[0] != '\0' ? errhint("%s", error->hint) : 0);
}

static void
write_record(Decoder *decoder, const RelationPlan *plan, const RenderRecord *record)
{
	Slice body = { decoder->row.data, decoder->row.len };
	Buf *line = &decoder->line;
	RenderContext context;

	if (decoder->options.format == FORMAT_JSON)
	{
		if (record->has_value)
			decoder_write_row(
				decoder,
				plan,
				body,
				(Slice){ decoder->out.data + record->value_at, record->value_len });
		return;
	}
	context = render_context(&decoder->options.events, decoder->run_id);
	buf_reset(line);
	render_record_json(plan->render, &decoder->out, record, &context, line);
	decoder_write_row(decoder, plan, body, (Slice){ line->data, line->len });
}

static void
write_records(Decoder *decoder, RelationPlan *plan, RenderChange *change)
{
	RenderRecord records[RENDER_MAX_RECORDS];
	EnvError error;
	int count;

	if (render_unpublished(&decoder->options.events, change->type, plan->relation))
	{
		decoder->left_out = true;
		return;
	}
	decoder->shown = true;
	change->now_ns = now_ns();
	change->transaction = begin(decoder, change->source.lsn);
	if (change->transaction != NULL && plan->collection == 0)
		plan->collection =
			tx_collection(&decoder->counts, render_plan_collection(plan->render));
	change->collection = plan->collection;
	buf_reset(&decoder->out);
	if (!render_records(plan->render, change, &decoder->out, records, &count, &error))
		fail_render(plan, &error);
	for (int i = 0; i < count; i++)
		write_record(decoder, plan, &records[i]);
	context_buf_shrink(&decoder->out);
	context_buf_shrink(&decoder->line);
}

static void
json_change(Decoder *decoder, RelationPlan *plan, const Change *change)
{
	RenderChange rendered = { .type = change->type };
	ChangeResult result;
	WireChange parts;
	EnvError error;

	buf_reset(&decoder->row);
	while ((result = decoder_write_change(decoder, plan, change, &decoder->row)) !=
	       CHANGE_WRITTEN)
	{
		buf_reset(&decoder->row);
		if (result == CHANGE_REFUSED)
		{
			context_buf_shrink(&decoder->row);
			return;
		}
		plan = decoder_renew_plan(decoder, change);
	}
	if (!wire_read_change(
			change->type, (Slice){ decoder->row.data, decoder->row.len }, &parts, &error))
		fail_render(plan, &error);
	rendered.old_kind = parts.old_kind;
	rendered.old_tuple = parts.old_tuple;
	rendered.new_tuple = parts.new_tuple;
	rendered.source = make_source(decoder, change->lsn);
	write_records(decoder, plan, &rendered);
	context_buf_shrink(&decoder->row);
}

static void
json_truncate(Decoder *decoder, const Truncation *truncation)
{
	for (int i = 0; i < truncation->count; i++)
	{
		RenderChange rendered = { .type = 'T' };

		rendered.source = make_source(decoder, truncation->lsn);
		write_records(decoder, truncation->plans[i], &rendered);
	}
}

static void
json_message(Decoder *decoder, const Message *message)
{
	ControlMessage control = { .prefix = message->prefix,
		                       .content = { message->content, message->len },
		                       .now_ns = now_ns() };
	RenderRecord record;
	Slice line;

	if (message->transactional)
	{
		control.transaction = begin(decoder, message->lsn);
		decoder->shown = true;
	}
	else
		decoder->last_commit_end = message->lsn;
	if (!control_wants_message(decoder->control, message->prefix))
		return;
	control.source = make_source(decoder, message->lsn);
	buf_reset(&decoder->out);
	control_message(decoder->control, &control, &decoder->out, &record);
	line = control_line(decoder, CONTROL_MESSAGE, &record);
	decoder_write_message(decoder, message, line.data, line.len);
	context_buf_shrink(&decoder->out);
	context_buf_shrink(&decoder->line);
}

static void
json_commit(Decoder *decoder, uint64 commit_lsn)
{
	if (decoder->begun)
		write_transaction(decoder, decoder->txn->end_lsn, true);
}

const FormatOps json_format = {
	.output_type = OUTPUT_PLUGIN_TEXTUAL_OUTPUT,
	.is_text = true,
	.change = json_change,
	.truncate = json_truncate,
	.message = json_message,
	.commit = json_commit,
};
