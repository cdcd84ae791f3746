/*
 * decoder.c
 *		the output plugin's callbacks.
 *
 * The server calls them for one committed transaction after the other, in commit
 * order: begin, then its changes, then commit.  Subtransactions that were rolled back
 * never arrive.  Each callback finds the table's plan, hands the change to the
 * format, and resets the change's context.
 *
 * Catalogs may be read in change and truncate only: startup runs outside
 * transactions, and a message may.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "compat.h"

#include <sys/time.h>

#include "access/xact.h"
#include "commands/dbcommands.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "replication/walsender.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "buffer.h"
#include "catalog.h"
#include "decoder.h"
#include "settings.h"

PG_MODULE_MAGIC;

/* A keepalive is offered after this many changes that were not written, so that a
 * filtered transaction of any size does not look like a dead connection. */
#define PROGRESS_INTERVAL 100

/* ---- Writing ---- */

void
decoder_write(Decoder *decoder, const char *bytes, size_t len)
{
	OutputPluginPrepareWrite(decoder->ctx, true);
	appendBinaryStringInfo(decoder->ctx->out, bytes, (int) len);
	OutputPluginWrite(decoder->ctx, true);
	decoder->unwritten = 0;
}

void
decoder_write_message(Decoder *decoder, const Message *message, const char *bytes,
                      size_t len)
{
	if (len > TUPLE_BYTES_MAX)
		ereport(
			ERROR,
			errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			errmsg("logical message with prefix \"%s\" is too large to send",
		           message->prefix),
			errdetail("It needs %zu bytes, and the limit is %zu.", len, TUPLE_BYTES_MAX),
			errhint("Leave it out by the option \"message_prefix_exclude_list\"."));
	decoder_write(decoder, bytes, len);
}

/* The largest value of the tuples that a change's body starts with. */
static const char *
largest_column(const RelationPlan *plan, Slice body, size_t *len)
{
	WireReader reader = wire_reader(body);
	const char *name = "";

	*len = 0;
	(void) wire_u32(&reader);
	while (wire_u8(&reader) != 0 && !reader.failed)
	{
		uint16 count = wire_u16(&reader);

		for (uint16 i = 0; i < count && !reader.failed; i++)
		{
			char kind = (char) wire_u8(&reader);
			size_t size = kind == 't' || kind == 'b' ? wire_u32(&reader) : 0;

			if (wire_take(&reader, size) == NULL || size <= *len)
				continue;
			name = plan->relation->columns[i].name;
			*len = size;
		}
	}
	return name;
}

/*
 * A row too large to send would be met again at every start: an ERROR that says which
 * column to leave out, unless the user chose to go on without such rows.
 */
static void
refuse_row(Decoder *decoder, const RelationPlan *plan, Slice body, size_t len)
{
	int mode = decoder->options.events.failure_mode;
	size_t column_len;
	const char *column = largest_column(plan, body, &column_len);

	decoder->refused++;
	if (mode == FAILURE_SKIP)
		return;
	ereport(
		mode == FAILURE_WARN ? WARNING : ERROR,
		errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
		errmsg("row of table \"%s.%s\" is too large to send",
	           plan->relation->schema,
	           plan->relation->name),
		errdetail("It needs at least %zu bytes, and the limit is %zu.  Its largest "
	              "column is \"%s\", with %zu bytes.",
	              len,
	              TUPLE_BYTES_MAX,
	              column,
	              column_len),
		mode == FAILURE_WARN
			? 0
			: errhint("Leave the column out by the option \"column_exclude_list\", or "
	                  "such rows by \"event_processing_failure_handling_mode\"."));
}

void
decoder_write_row(Decoder *decoder, const RelationPlan *plan, Slice body, Slice line)
{
	if (likely(line.len <= TUPLE_BYTES_MAX))
		decoder_write(decoder, line.data, line.len);
	else
		refuse_row(decoder, plan, body, line.len);
}

static bool
write_tuple(Decoder *decoder, const RelationPlan *plan, Relation relation,
            HeapTuple tuple, Buf *out)
{
	return tuple_write(&decoder->writer,
	                   plan->columns,
	                   plan->relation->column_count,
	                   RelationGetDescr(relation),
	                   tuple,
	                   out);
}

static bool
write_tuples(Decoder *decoder, const RelationPlan *plan, const Change *change, Buf *out)
{
	bool is_full = plan->relation->replica_identity == REPLICA_IDENTITY_FULL;

	if (change->old_tuple != NULL)
	{
		buf_char(out, is_full ? 'O' : 'K');
		if (!write_tuple(decoder, plan, change->relation, change->old_tuple, out))
			return false;
	}
	if (change->new_tuple == NULL)
		return true;
	buf_char(out, 'N');
	return write_tuple(decoder, plan, change->relation, change->new_tuple, out);
}

ChangeResult
decoder_write_change(Decoder *decoder, const RelationPlan *plan, const Change *change,
                     Buf *out)
{
	size_t start = out->len;

	if (plan->has_output && decoder->settings_level == 0)
		decoder->settings_level = settings_pin();
	decoder->writer.label_missed = false;
	decoder->writer.converter.relation = plan->relation;
	buf_u32(out, plan->relid);
	if (!write_tuples(decoder, plan, change, out) || out->len - start > TUPLE_BYTES_MAX)
	{
		refuse_row(decoder,
		           plan,
		           (Slice){ out->data + start, out->len - start },
		           out->len - start);
		return CHANGE_REFUSED;
	}
	return decoder->writer.label_missed ? CHANGE_OUTDATED : CHANGE_WRITTEN;
}

/* ---- Plans ---- */

/* The plan of relation, NULL when it is not wanted; settings are pinned for defaults. */
static RelationPlan *
find_plan(Decoder *decoder, Relation relation)
{
	if (!plan_is_current(decoder->plans, relation) && decoder->settings_level == 0)
		decoder->settings_level = settings_pin();
	/* the worker, which reads frames, looks by itself */
	if (unlikely(!decoder->lists_checked))
	{
		decoder->lists_checked = true;
		if (decoder->format->is_text)
			catalog_warn_unmatched(&decoder->options.events, &decoder->writer.converter);
	}
	return plan_get(decoder->plans, relation);
}

RelationPlan *
decoder_renew_plan(Decoder *decoder, const Change *change)
{
	RelationPlan *plan = find_plan(decoder, change->relation);

	if (decoder->renewed || plan == NULL)
		elog(ERROR,
		     "unrecognized enum value in table \"%s\"",
		     RelationGetRelationName(change->relation));
	decoder->renewed = true;
	plan_forget(plan);
	return find_plan(decoder, change->relation);
}

/* ---- Transactions ---- */

/* Let the client hear from us now and then while nothing is written. */
static void
count_unwritten(Decoder *decoder)
{
	if (++decoder->unwritten < PROGRESS_INTERVAL)
		return;
	decoder->unwritten = 0;
	OutputPluginUpdateProgress(decoder->ctx, false);
}

static void
decoder_begin(LogicalDecodingContext *ctx, ReorderBufferTXN *txn)
{
	Decoder *decoder = ctx->output_plugin_private;

	decoder->txn = txn;
	decoder->wanted = false;
	decoder->shown = decoder->left_out = false;
	decoder->begun = false;
	decoder->settings_level = 0;
	decoder->unwritten = 0;
	decoder->rewriting = InvalidOid;
}

static void
decoder_commit(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, XLogRecPtr commit_lsn)
{
	Decoder *decoder = ctx->output_plugin_private;
	MemoryContext old = MemoryContextSwitchTo(decoder->change_context);

	if (decoder->wanted)
	{
		decoder->format->commit(decoder, commit_lsn);
		if (decoder->shown || !decoder->left_out)
			decoder->last_commit_end = txn->end_lsn;
	}
	OutputPluginUpdateProgress(ctx, !decoder->wanted);
	if (decoder->settings_level != 0)
		settings_release(decoder->settings_level);
	decoder->settings_level = 0;
	decoder->txn = NULL;
	plan_sweep(decoder->plans);
	MemoryContextSwitchTo(old);
	MemoryContextReset(decoder->change_context);
}

/* ---- Changes ---- */

static char
change_type(const ReorderBufferChange *change)
{
	switch (change->action)
	{
		case REORDER_BUFFER_CHANGE_INSERT:
			return 'I';
		case REORDER_BUFFER_CHANGE_UPDATE:
			return 'U';
		case REORDER_BUFFER_CHANGE_DELETE:
			return 'D';
		default:
			elog(ERROR, "unexpected change action %d", (int) change->action);
	}
}

/* The operation as a bit of SKIP_. */
static int
change_skip(const ReorderBufferChange *change)
{
	return change->action == REORDER_BUFFER_CHANGE_INSERT   ? SKIP_CREATE
	       : change->action == REORDER_BUFFER_CHANGE_UPDATE ? SKIP_UPDATE
	                                                        : SKIP_DELETE;
}

static bool
is_published(const Decoder *decoder, int operation)
{
	return (decoder->options.events.published->withheld & operation) == 0;
}

/*
 * The rows that come now are those of the transient heap of an ALTER TABLE that rewrites
 * a table.  Nobody changed them, so they are no events; but whoever holds the table has
 * other values.  The heap goes by relrewrite, the OID of the table, which has its new
 * columns already.  (A materialized view is refreshed in the same way, and not wanted.
 * VACUUM FULL and CLUSTER, which change no value, do not log their rows for decoding.)
 */
static void
note_rewrite(Decoder *decoder, Relation heap, uint64 lsn)
{
	MemoryContext old = MemoryContextSwitchTo(decoder->change_context);
	Relation table = RelationIdGetRelation(heap->rd_rel->relrewrite);
	RelationPlan *plan;

	decoder->rewriting = RelationGetRelid(heap);
	if (RelationIsValid(table))
	{
		plan = find_plan(decoder, table);
		if (plan != NULL)
		{
			decoder->wanted = true;
			decoder->format->rewrite(decoder, plan, lsn);
		}
		RelationClose(table);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(decoder->change_context);
}

static void
change_row(Decoder *decoder, Relation relation, ReorderBufferChange *change)
{
	MemoryContext old = MemoryContextSwitchTo(decoder->change_context);
	RelationPlan *plan = find_plan(decoder, relation);
	Change row = {
		.lsn = change->lsn,
		.type = change_type(change),
		.relation = relation,
		.old_tuple = change_old_tuple(change),
		.new_tuple = change_new_tuple(change),
	};

	/* a row without the tuple that makes it one says nothing (as pgoutput), nor does an
	 * operation that is not published, whatever a row filter would make of it */
	if (plan != NULL && is_published(decoder, change_skip(change)) &&
	    (row.type == 'D' || row.new_tuple != NULL) &&
	    (plan->row_filter == NULL || row_filter_apply(plan->row_filter, &row)))
	{
		decoder->wanted = true;
		decoder->renewed = false;
		decoder->format->change(decoder, plan, &row);
	}
	count_unwritten(decoder);
	MemoryContextSwitchTo(old);
	MemoryContextReset(decoder->change_context);
}

static void
decoder_change(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, Relation relation,
               ReorderBufferChange *change)
{
	Decoder *decoder = ctx->output_plugin_private;

	if (likely(!OidIsValid(relation->rd_rel->relrewrite)))
	{
		change_row(decoder, relation, change);
		return;
	}
	if (decoder->rewriting != RelationGetRelid(relation))
		note_rewrite(decoder, relation, change->lsn);
	count_unwritten(decoder);
}

static void
decoder_truncate(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, int count,
                 Relation relations[], ReorderBufferChange *change)
{
	Decoder *decoder = ctx->output_plugin_private;
	MemoryContext old = MemoryContextSwitchTo(decoder->change_context);
	Truncation truncation = {
		.lsn = change->lsn,
		.flags = (uint8) ((change->data.truncate.cascade ? 1 : 0) |
		                  (change->data.truncate.restart_seqs ? 2 : 0)),
		.plans = palloc(count * sizeof(RelationPlan *)),
	};

	for (int i = 0; i < count && is_published(decoder, SKIP_TRUNCATE); i++)
	{
		RelationPlan *plan = find_plan(decoder, relations[i]);

		if (plan != NULL)
			truncation.plans[truncation.count++] = plan;
	}
	if (truncation.count > 0)
	{
		decoder->wanted = true;
		decoder->format->truncate(decoder, &truncation);
	}
	count_unwritten(decoder);
	MemoryContextSwitchTo(old);
	MemoryContextReset(decoder->change_context);
}

static void
/* NOLINTNEXTLINE(readability-function-size): the signature is the server's */
decoder_message(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, XLogRecPtr lsn,
                bool transactional, const char *prefix, Size size, const char *content)
{
	Decoder *decoder = ctx->output_plugin_private;
	MemoryContext old = MemoryContextSwitchTo(decoder->change_context);
	Message message = {
		.lsn = lsn,
		.transactional = transactional,
		.prefix = text_convert(&decoder->writer.converter, prefix),
		.content = content,
		.len = size,
	};

	if (transactional)
		decoder->wanted = true;
	decoder->format->message(decoder, &message);
	MemoryContextSwitchTo(old);
	MemoryContextReset(decoder->change_context);
}

/* ---- The stream ---- */

/* A UUIDv7 (RFC 9562), which Debezium gives each run. */
static void
make_run_id(char text[37])
{
	unsigned char id[16];
	struct timeval now;
	uint64 ms;
	char *at = text;

	(void) gettimeofday(&now, NULL);
	ms = (uint64) now.tv_sec * 1000 + (uint64) now.tv_usec / 1000;
	if (!pg_strong_random(id, sizeof id))
		elog(ERROR, "could not generate random values");
	for (int i = 0; i < 6; i++)
		id[i] = (unsigned char) (ms >> (8 * (5 - i)));
	id[6] = (unsigned char) (0x70 | (id[6] & 0x0f));
	id[8] = (unsigned char) (0x80 | (id[8] & 0x3f));
	for (int i = 0; i < 16; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		at += snprintf(at, 3, "%02x", id[i]);
	}
}

/* Rendered text is UTF-8; SQL would hand it out as text in the database's encoding. */
static void
check_encoding(const Decoder *decoder)
{
	int encoding = decoder->writer.converter.encoding;

	if (!decoder->format->is_text || am_walsender || encoding == PG_UTF8)
		return;
	ereport(ERROR,
	        errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
	        errmsg("cannot read format \"json\" or \"record\" by SQL in a database with "
	               "encoding \"%s\"",
	               pg_encoding_to_char(encoding)),
	        errhint("Use the replication protocol (pg_recvlogical), or "
	                "pg_logical_slot_get_binary_changes() with the option \"format\" set "
	                "to \"frame\"."));
}

/*
 * The name of the database.  It is looked up here because a message outside
 * transactions comes without a catalog, and neither has a walsender that starts one.
 */
static const char *
database_name(Decoder *decoder)
{
	MemoryContext old = CurrentMemoryContext;
	bool outside = !IsTransactionState();
	const char *name;

	if (outside)
		StartTransactionCommand();
	name = get_database_name(MyDatabaseId);
	name = MemoryContextStrdup(
		decoder->context,
		name == NULL ? "" : text_convert(&decoder->writer.converter, name));
	if (outside)
		CommitTransactionCommand();
	MemoryContextSwitchTo(old);
	return name;
}

static void
release_options(void *argument)
{
	env_options_fini(argument);
}

static void
decoder_startup(LogicalDecodingContext *ctx, OutputPluginOptions *output, bool is_init)
{
	MemoryContext context =
		AllocSetContextCreate(ctx->context, "cdc_decoder", ALLOCSET_DEFAULT_SIZES);
	Decoder *decoder = MemoryContextAllocZero(context, sizeof *decoder);
	MemoryContextCallback *callback =
		MemoryContextAllocZero(context, sizeof(MemoryContextCallback));
	Alloc alloc = context_alloc(context);

	decoder->ctx = ctx;
	decoder->context = context;
	decoder->change_context =
		AllocSetContextCreate(context, "cdc_decoder change", ALLOCSET_DEFAULT_SIZES);
	callback->func = release_options;
	callback->arg = &decoder->options.events;
	MemoryContextRegisterResetCallback(context, callback);
	tuple_writer_init(&decoder->writer, context);
	if (!is_init)
		text_prepare(&decoder->writer.converter, context);
	options_parse(&decoder->options,
	              ctx->output_plugin_options,
	              &decoder->writer.converter,
	              &alloc);
	decoder->format =
		decoder->options.format == FORMAT_FRAME ? &frame_format : &json_format;
	decoder->writer.converter.strict =
		decoder->options.events.invalid_text_mode == INVALID_TEXT_FAIL;
	if (!is_init)
	{
		check_encoding(decoder);
		row_filter_check_all(&decoder->options.events,
		                     &decoder->writer.converter,
		                     decoder->format->is_text);
	}
	decoder->plans = plan_cache_new(
		context, &decoder->options, &decoder->writer, decoder->format->is_text);
	decoder->row = context_buf(context);
	decoder->out = context_buf(context);
	decoder->line = context_buf(context);
	make_run_id(decoder->run_id);
	if (decoder->format->is_text)
	{
		decoder->control = control_plan_new(&decoder->options.events, &alloc);
		tx_counts_init(&decoder->counts, &alloc);
		decoder->database = is_init ? "" : database_name(decoder);
	}

	output->output_type = decoder->format->output_type;
	output->receive_rewrites = decoder->format->rewrite != NULL;
	ctx->output_plugin_private = decoder;
}

static void
decoder_shutdown(LogicalDecodingContext *ctx)
{
	Decoder *decoder = ctx->output_plugin_private;

	if (decoder == NULL)
		return;
	if (decoder->refused > 0)
		ereport(LOG,
		        errmsg("%llu rows that were too large to send were left out",
		               (unsigned long long) decoder->refused));
	if (decoder->writer.converter.replaced > 0)
		ereport(LOG,
		        errmsg("%llu characters of decoded text had no UTF-8 form",
		               (unsigned long long) decoder->writer.converter.replaced));
	ctx->output_plugin_private = NULL;
	MemoryContextDelete(decoder->context);
}

void
_PG_output_plugin_init(OutputPluginCallbacks *callbacks)
{
	callbacks->startup_cb = decoder_startup;
	callbacks->begin_cb = decoder_begin;
	callbacks->change_cb = decoder_change;
	callbacks->truncate_cb = decoder_truncate;
	callbacks->message_cb = decoder_message;
	callbacks->commit_cb = decoder_commit;
	callbacks->shutdown_cb = decoder_shutdown;
}
