/*
 * pipeline.c
 *		the reader's thread: PostgreSQL in, batches out, positions back.
 *
 * Invariants, on which the rest of the worker stands:
 *
 * 1. The LSN confirmed to PostgreSQL never exceeds the least durable LSN of the
 *    outputs.  (send_feedback: pipeline_confirmable)
 *
 * 2. Every output sees all events in commit order.  (pipeline_offer: one batch at a time)
 *
 * 3. A keepalive is an ordered marker: it becomes an event behind all events read before
 *    it, and its LSN is confirmed when every output has stored it.  So an idle database
 *    holds no WAL, and a slot ahead of the least stored position is always a gap.
 *    (take_keepalive; recovery.c refuses gaps)
 *
 * 4. A restart may read events again and never skips one; each output drops what it
 *    holds already, by the position stored with its data.  (OutputOps.open)
 *
 * 5. A batch's memory is freed when every output has taken custody of it.  After any
 *    failure the outputs are closed, their positions read again and the stream started
 *    from there: nothing is replayed from memory.  Memory has a bound (the batch
 *    budget), beyond which reading stops; feedback goes on.  (wants_more)
 *
 * States, and the function that makes each transition:
 *
 *		CONNECT --attempt--> START --bootstrap--> STREAM --stream_loop--> DRAIN --> STOP
 *		   ^                   \______ start_stream ____^                  |
 *		   +--------- pause, after ERR_RETRY or ERR_CONFLICT --------------+
 *
 * START_REPLICATION comes before the outputs are opened: streaming from the slot is
 * the lock that keeps two workers apart (stream.md 16).  Opening an output may take long
 * (fencing, rebuilding a key index), so it has a thread, and feedback goes on.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pipeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "pipeline_reread.h"
#include "pipeline_state.h"

#define BATCH_BYTES ((size_t) 256 * 1024)
#define BUDGET_MIN  ((size_t) 4 << 20)
#define BUDGET_MAX  ((size_t) 16 << 20)
#define MARKER_US   INT64_C(60000000) /* an idle database is confirmed this often ... */
#define MARKER_BYTES                                                                 \
	(UINT64_C(16) << 20)                /* ... or when it wrote this much for others \
	                                     */
#define MARKER_ASKED_US INT64_C(200000) /* ... or when the server asks */
#define FEEDBACK_MIN_US INT64_C(100000)
#define DRAIN_READ_US   INT64_C(4000000) /* on stop: finish the transaction being read */
#define DRAIN_US        INT64_C(9000000) /* on stop: wait for the outputs, in all */
#define PAUSE_MIN_MS    250

static bool attempt(Pipeline *pipeline, Err *err);
static bool start_stream(Pipeline *pipeline, Err *err);
static bool stream_loop(Pipeline *pipeline, Err *err);
static bool drop_on_stop(Pipeline *pipeline, Err *err);
static void close_all(Pipeline *pipeline);

bool
pipeline_run(const Config *config, Lsn until, PipelineStop *stop, Err *err)
{
	Pipeline pipeline = {
		.config = config, .until = until, .until_asked = until, .stop = stop
	};
	size_t share = (size_t) config->max_memory / 8;
	int64_t pause_ms = PAUSE_MIN_MS;
	int64_t failures = 0;
	bool ok;

	if (!report_open(config, &pipeline.report, err))
		return false;
	pipeline.budget.limit = share < BUDGET_MIN   ? BUDGET_MIN
	                        : share > BUDGET_MAX ? BUDGET_MAX
	                                             : share;
	pipeline.budget.wake_fd = stop->wake_fd;
	pipeline.arena = arena_new();
	pipeline.decoder = decoder_new(0);
	decoder_set_lineage(pipeline.decoder, &pipeline.lineage);
	decoder_set_options(pipeline.decoder, &config->env);
	for (;;)
	{
		Lsn before = pipeline.durable;

		*err = (Err){ 0 };
		pipeline.culprit = NULL;
		ok = attempt(&pipeline, err);
		if (!ok)
			(void) limits_explain(err);
		report_closing(pipeline.report, pipeline.outputs, pipeline.output_count);
		if (!ok)
			report_failure(pipeline.report, err, pipeline.culprit);
		close_all(&pipeline);
		if (ok || pipeline_stopping(&pipeline) ||
		    (err->kind != ERR_RETRY && err->kind != ERR_CONFLICT))
			break;
		if (pipeline.durable > before)
		{
			pause_ms = PAUSE_MIN_MS;
			failures = 0;
		}
		if (config->retries >= 0 && failures++ >= config->retries)
			break;
		log_warning(
			"pipeline", "%s; trying again in %" PRId64 " ms", err->text, pause_ms);
		if (err->hint[0] != '\0')
			log_warning("pipeline", "hint: %s", err->hint);
		if (!pipeline_pause(&pipeline, pause_ms))
			break;
		pause_ms =
			pause_ms * 2 < config->retry_max_ms ? pause_ms * 2 : config->retry_max_ms;
	}
	decoder_free(pipeline.decoder);
	arena_free(pipeline.arena);
	report_close(pipeline.report);
	if (!ok && pipeline_stopping(&pipeline) && err->kind == ERR_RETRY)
	{
		log_info("pipeline", "asked to stop while waiting: %s", err->text);
		ok = true;
	}
	return ok;
}

/* One life of the connections: from connecting to a stop or a failure. */
static bool
attempt(Pipeline *pipeline, Err *err)
{
	StoredPosition stored[MAX_OUTPUTS] = { 0 };

	report_state(pipeline->report, WORKER_STARTING);
	if (!pipeline_open_source(pipeline, err) ||
	    !pipeline_open_outputs(pipeline, stored, err) ||
	    !pipeline_decide(pipeline, stored, err) || !pipeline_join(pipeline, stored, err))
		return false;
	if (pipeline->recovery.action != RECOVERY_STREAM &&
	    !pipeline_bootstrap(pipeline, err))
		return pipeline_stopping(pipeline) && err->kind == ERR_RETRY;
	if (pipeline->config->snapshot_mode == SNAPSHOT_INITIAL_ONLY)
		return pipeline_end_without_streaming(pipeline, err);
	for (int i = 0; i < pipeline->output_count; i++)
		pipeline->began[i] = stored[i].position;
	pipeline_set_until(pipeline, pipeline->until_asked);
	if (pipeline->recovery.action == RECOVERY_STREAM)
		reread_resume(pipeline, stored);
	return start_stream(pipeline, err) && stream_loop(pipeline, err) &&
	       drop_on_stop(pipeline, err);
}

static bool
start_stream(Pipeline *pipeline, Err *err)
{
	const Config *config = pipeline->config;

	PQfinish(pipeline->replication);
	pipeline->replication = NULL;
	PQfinish(pipeline->sql);
	pipeline->sql = NULL;
	if (!pipeline_look(pipeline, err))
		return false;
	if (pipeline->stream == NULL && !pipeline_open_stream(pipeline, err))
		return false;
	/* A fresh stream has no transaction before it: source.sequence starts with null. */
	decoder_rewind(pipeline->decoder,
	               pipeline->recovery.action == RECOVERY_STREAM ? pipeline->durable : 0);
	pipeline->queued_end = pipeline->durable;
	pipeline->received = pipeline->durable; /* what came before, comes again */
	pipeline->confirmed = 0;
	pipeline->feedback_us = 0;
	pipeline->marker_us = clock_mono_us();
	pipeline->drain_us = 0;
	report_state(pipeline->report, WORKER_STREAMING);
	log_info("pipeline",
	         "streaming from slot \"%s\" at %X/%X",
	         config->slot_name,
	         LSN_ARGS(pipeline->durable));
	return action_start(config, &pipeline->action, err) &&
	       belongings_start(config, pipeline->stop->wake_fd, &pipeline->belongings, err);
}

/* ---- The stream ---- */

static Batch *
open_batch(Pipeline *pipeline)
{
	if (pipeline->batch == NULL)
	{
		pipeline->batch = batch_new(&pipeline->budget);
		pipeline->batch->received_us = clock_mono_us();
	}
	return pipeline->batch;
}

static bool
batch_is_full(const Pipeline *pipeline)
{
	return pipeline->batch != NULL && batch_size(pipeline->batch) >= BATCH_BYTES;
}

/* Whether the end that was asked for is in sight: nothing more is read. */
static bool
has_read_enough(const Pipeline *pipeline)
{
	if (decoder_reached(pipeline->decoder))
		return true;
	if (pipeline->until != 0 && pipeline->received >= pipeline->until &&
	    !decoder_in_transaction(pipeline->decoder) &&
	    (pipeline->queued_end >= pipeline->until ||
	     (pipeline->batch != NULL && pipeline->batch->end_lsn >= pipeline->until)))
		return true;
	return pipeline->drain_us != 0 &&
	       (!decoder_in_transaction(pipeline->decoder) ||
	        clock_mono_us() - pipeline->drain_us > DRAIN_READ_US);
}

static bool
wants_more(const Pipeline *pipeline)
{
	return pipeline->held.kind == STREAM_NOTHING && !reread_halts(pipeline) &&
	       pipeline->pending == NULL && !batch_is_full(pipeline) &&
	       atomic_load(&pipeline->budget.used) < pipeline->budget.limit &&
	       !has_read_enough(pipeline);
}

static void
add_marker(Pipeline *pipeline, Lsn lsn)
{
	Event *event = batch_add(open_batch(pipeline), EVENT_KEEPALIVE);

	event->lsn = lsn;
	pipeline->batch->end_lsn = lsn;
	pipeline->marker_us = clock_mono_us();
}

static void
take_keepalive(Pipeline *pipeline, const StreamItem *item)
{
	Lsn known = pipeline->batch != NULL && pipeline->batch->end_lsn != 0
	                ? pipeline->batch->end_lsn
	                : pipeline->queued_end;

	if (item->wal_end > pipeline->received)
		pipeline->received = item->wal_end;
	if (item->reply_requested)
	{
		/* A server that shuts down ends when everything it sent is confirmed. */
		pipeline->feedback_us = 0;
		pipeline->wants_flush = pipeline->durable < item->wal_end;
	}
	if (decoder_in_transaction(pipeline->decoder) || item->wal_end <= known)
		return;
	if ((pipeline->until != 0 && item->wal_end >= pipeline->until) ||
	    item->wal_end - known >= MARKER_BYTES ||
	    clock_mono_us() - pipeline->marker_us >=
	        (item->reply_requested ? MARKER_ASKED_US : MARKER_US))
		add_marker(pipeline, item->wal_end);
}

static bool
take_frame(Pipeline *pipeline, StreamItem *item, Err *err)
{
	Batch *batch = open_batch(pipeline);
	Slice frame = stream_keep(item, batch);

	if (!decoder_frame(pipeline->decoder, batch, frame, err))
		return false;
	if (batch->end_lsn > pipeline->received)
		pipeline->received = batch->end_lsn;
	if (decoder_reached(pipeline->decoder))
		add_marker(pipeline, pipeline->until);
	return true;
}

/* The server has another history than the outputs.  Where tables may be read again for
 * that, the next attempt does it. */
static bool
check_lineage(const Pipeline *pipeline, Err *err)
{
	if (pipeline->lineage.missing.commit.lsn == 0)
		return true;
	(void) recovery_refuse_history(&pipeline->lineage.missing, err);
	if (pipeline_reads_again(pipeline->config))
		err->kind = ERR_RETRY;
	return false;
}

static bool
take_item(Pipeline *pipeline, StreamItem *item, Err *err)
{
	bool ok = true;

	if (item->kind == STREAM_FRAME)
		ok = take_frame(pipeline, item, err);
	else
	{
		lineage_pass(&pipeline->lineage, item->wal_end);
		take_keepalive(pipeline, item);
	}
	stream_release(item);
	pipeline->moved = true;
	return ok && check_lineage(pipeline, err);
}

/* Whether the catalog was looked at beyond what is read. */
static bool
awaits_belongings(const Pipeline *pipeline)
{
	Lsn at;

	return belongings_look(pipeline->belongings, &at) && pipeline->received < at;
}

/*
 * What the catalog had, once everything is read that had happened before, and nothing
 * that came after: next is what is read next, or NULL.  A look that comes too late for
 * that is none; there will be another.
 */
static void
take_belongings(Pipeline *pipeline, const StreamItem *next)
{
	Lsn at;

	if (!belongings_look(pipeline->belongings, &at) || pipeline->pending != NULL ||
	    decoder_in_transaction(pipeline->decoder) ||
	    (next == NULL ? pipeline->received : reread_place(next)) < at)
		return;
	if (decoder_commit_lsn(pipeline->decoder) >= at)
		belongings_drop(pipeline->belongings);
	else
		belongings_take(pipeline->belongings, open_batch(pipeline));
}

/* The batch that was filled goes to the outputs. */
static void
end_batch(Pipeline *pipeline)
{
	if (pipeline->batch->has_messages)
		reread_scan(pipeline, pipeline->batch);
	report_batch(pipeline->report, pipeline->batch);
	batch_seal(pipeline->batch);
	pipeline->pending = pipeline->batch;
	pipeline->batch = NULL;
	pipeline->accepted = 0;
}

static bool
read_stream(Pipeline *pipeline, Err *err)
{
	StreamItem item = { .kind = STREAM_FRAME };

	while (item.kind != STREAM_NOTHING && wants_more(pipeline))
	{
		if (!stream_next(pipeline->stream, &item, err))
			return false;
		if (item.kind == STREAM_NOTHING)
			break;
		take_belongings(pipeline, &item);
		if (reread_holds(pipeline, &item))
			pipeline->held = item;
		else if (!take_item(pipeline, &item, err))
			return false;
	}
	take_belongings(pipeline, NULL);
	if (pipeline->batch != NULL && pipeline->pending == NULL)
		end_batch(pipeline);
	return true;
}

/*
 * The stream is held, and everything before has been handed over: read the tables that it
 * is held for, and let it go on.  The marker is stored behind all of them, also by
 * outputs that got none.
 */
static bool
pass_hold(Pipeline *pipeline, Err *err)
{
	StreamItem item = pipeline->held;

	if (item.kind == STREAM_NOTHING || pipeline->pending != NULL ||
	    pipeline->batch != NULL || pipeline->drain_us != 0)
		return true;
	if (!reread_run(pipeline, err))
		return false;
	pipeline->held = (StreamItem){ .kind = STREAM_NOTHING };
	add_marker(pipeline, pipeline->queued_end + 1);
	return take_item(pipeline, &item, err);
}

static bool
send_feedback(Pipeline *pipeline, Err *err)
{
	int64_t now = clock_mono_us();
	int64_t since = now - pipeline->feedback_us;
	bool wants_end = (pipeline->until != 0 || reread_is_placed(pipeline) ||
	                  awaits_belongings(pipeline)) &&
	                 !has_read_enough(pipeline);
	Lsn flushed = pipeline_confirmable(pipeline);
	bool news = flushed > pipeline->confirmed;

	if (since < FEEDBACK_MIN_US ||
	    (!news && !wants_end &&
	     since < server_silence_ms(&pipeline->server, pipeline->config) * 1000))
		return true;
	if (!stream_feedback(pipeline->stream, pipeline->received, flushed, wants_end, err))
		return false;
	pipeline->confirmed = flushed;
	pipeline->feedback_us = now;
	return true;
}

/* Everything that was read is durable, and nothing more is wanted. */
static bool
is_finished(Pipeline *pipeline)
{
	if (pipeline_stopping(pipeline) && pipeline->drain_us == 0)
	{
		pipeline->drain_us = clock_mono_us();
		report_state(pipeline->report, WORKER_STOPPING);
		log_info("pipeline", "asked to stop: draining");
	}
	if (!has_read_enough(pipeline) || pipeline->pending != NULL ||
	    pipeline->batch != NULL)
		return false;
	if (!pipeline->flushed)
	{
		pipeline_flush(pipeline);
		pipeline->flushed = true;
	}
	return pipeline->durable >= pipeline->queued_end;
}

static int64_t
wait_limit_ms(const Pipeline *pipeline)
{
	int64_t limit = server_silence_ms(&pipeline->server, pipeline->config);

	if (pipeline_confirmable(pipeline) > pipeline->confirmed || pipeline->until != 0 ||
	    pipeline->drain_us != 0 || reread_is_wanted(pipeline) ||
	    awaits_belongings(pipeline))
		limit = FEEDBACK_MIN_US / 1000;
	return report_wait_ms(pipeline->report, limit);
}

static bool
stream_loop(Pipeline *pipeline, Err *err)
{
	for (;;)
	{
		pipeline->moved = false;
		if (!read_stream(pipeline, err))
			return false;
		pipeline_offer(pipeline);
		reread_turn(pipeline);
		if (!pass_hold(pipeline, err))
			return false;
		if (pipeline->wants_flush && pipeline->pending == NULL)
		{
			pipeline->wants_flush = false;
			pipeline_flush(pipeline);
		}
		if (!pipeline_look(pipeline, err) || !send_feedback(pipeline, err))
			return false;
		pipeline_report(pipeline);
		if (is_finished(pipeline))
			break;
		if (pipeline->drain_us != 0 && clock_mono_us() - pipeline->drain_us > DRAIN_US)
		{
			log_warning(
				"pipeline",
				"not everything was durable in time: a restart reads on from %X/%X",
				LSN_ARGS(pipeline->durable));
			break;
		}
		if (!pipeline->moved)
			pipeline_wait(pipeline, wants_more(pipeline), wait_limit_ms(pipeline));
	}
	log_info("pipeline",
	         "stopped: everything up to %X/%X is durable",
	         LSN_ARGS(pipeline->durable));
	return stream_feedback(
		pipeline->stream, pipeline->received, pipeline_confirmable(pipeline), false, err);
}

/*
 * slot.drop.on.stop: the slot goes, and with it the positions, which would have nothing
 * to go on from.  They go first: a slot with an intent is ours to drop.
 */
static bool
drop_on_stop(Pipeline *pipeline, Err *err)
{
	const Config *config = pipeline->config;

	if (!config->slot_drop_on_stop)
		return true;
	if (!pipeline_mark(pipeline, POSITION_INTENT, 0, NULL, err))
		return false;
	stream_close(pipeline->stream);
	pipeline->stream = NULL;
	pipeline->sql = server_connect(config, false, err);
	if (pipeline->sql == NULL || !server_drop_slot(pipeline->sql, config->slot_name, err))
		return false;
	log_info("pipeline", "dropped slot \"%s\"", config->slot_name);
	return true;
}

static void
close_all(Pipeline *pipeline)
{
	periodic_stop(pipeline->action);
	pipeline->action = NULL;
	belongings_stop(pipeline->belongings);
	pipeline->belongings = NULL;
	reread_close(pipeline);
	if (pipeline->held.kind != STREAM_NOTHING)
		stream_release(&pipeline->held);
	pipeline->held = (StreamItem){ .kind = STREAM_NOTHING };
	for (int i = 0; i < pipeline->output_count; i++)
		pipeline->outputs[i]->ops->close(pipeline->outputs[i]);
	pipeline->output_count = 0;
	batch_unref(pipeline->batch);
	batch_unref(pipeline->pending);
	pipeline->batch = pipeline->pending = NULL;
	stream_close(pipeline->stream);
	pipeline->stream = NULL;
	PQfinish(pipeline->replication);
	PQfinish(pipeline->sql);
	pipeline->replication = pipeline->sql = NULL;
}
