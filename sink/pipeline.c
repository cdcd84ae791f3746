/*
 * pipeline.c
 *		the reader's thread: PostgreSQL in, batches out, positions back.
 *
 * Invariants, on which the rest of the worker stands:
 *
 *	1.	The LSN confirmed to PostgreSQL never exceeds the least durable LSN of the
 *		outputs.							(send_feedback: least_durable)
 *	2.	Every output sees all events in commit order.	(offer_pending: one batch at a
 *time) 3.	A keepalive is an ordered marker: it becomes an event behind all events read
 *		before it, and its LSN is confirmed when every output has stored it.  So an idle
 *		database holds no WAL, and a slot ahead of the least stored position is always a
 *gap. (take_keepalive; recovery.c refuses gaps) 4.	A restart may read events again and
 *never skips one; each output drops what it holds already, by the position stored with
 *its data.	(OutputOps.open) 5.	A batch's memory is freed when every output has taken
 *custody of it.  After any failure the outputs are closed, their positions read again and
 *the stream started from there: nothing is replayed from memory.  Memory has a bound (the
 *batch budget), beyond which reading stops; feedback goes on.	(wants_more)
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

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "kafka/kafka.h"
#include "lake/lake.h"
#include "output/output.h"
#include "output/recovery.h"
#include "report.h"
#include "source/action.h"
#include "source/decode.h"
#include "source/identity.h"
#include "source/owner.h"
#include "source/publication.h"
#include "source/row_filter.h"
#include "source/snapshot.h"
#include "source/stream.h"
#include "source/timeline.h"
#include "source/unmatched.h"

#define MAX_OUTPUTS 2
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

typedef struct Pipeline
{
	const Config *config;
	Lsn until;
	PipelineStop *stop;
	BatchBudget budget;
	Report *report;
	Decoder *decoder;
	Output *outputs[MAX_OUTPUTS];
	const char *where[MAX_OUTPUTS];
	int output_count;
	const Output *culprit; /* the output that failed; NULL: none */
	PGconn *sql;
	PGconn *replication;
	Stream *stream;
	Action *action; /* heartbeat.action.query */
	Position self;
	ServerIdentity server;
	SlotState slot;
	SlotOwner owner;
	bool lists_checked; /* for columns that do not exist */
	Recovery recovery;
	Batch *batch;      /* being filled */
	Batch *pending;    /* sealed, not yet accepted by all outputs */
	unsigned accepted; /* bit i: output i has pending */
	uint64_t handed;   /* batches that every output accepted */
	Lsn queued_end;    /* every output accepted everything below */
	Lsn durable;       /* least of the outputs */
	Lsn received;
	Lsn confirmed;       /* last told to the server */
	int64_t feedback_us; /* when */
	int64_t marker_us;
	int64_t drain_us; /* when stopping began; 0: not yet */
	bool wants_flush; /* the server waits for what was read last to be confirmed */
	bool flushed;     /* the outputs were asked to flush what is queued last */
	bool moved;       /* this turn did something: take another before waiting */
	bool read_all;    /* this process has taken a snapshot */
} Pipeline;

static bool attempt(Pipeline *pipeline, Err *err);
static bool open_source(Pipeline *pipeline, Err *err);
static bool open_outputs(Pipeline *pipeline, StoredPosition *stored, Err *err);
static bool decide(Pipeline *pipeline, const StoredPosition *stored, Err *err);
static bool bootstrap(Pipeline *pipeline, Err *err);
static bool end_without_streaming(Pipeline *pipeline, Err *err);
static bool start_stream(Pipeline *pipeline, Err *err);
static bool stream_loop(Pipeline *pipeline, Err *err);
static bool drop_on_stop(Pipeline *pipeline, Err *err);
static void close_all(Pipeline *pipeline);
static bool wait_paused(Pipeline *pipeline, int64_t ms);

static bool
stopping(const Pipeline *pipeline)
{
	return atomic_load(&pipeline->stop->requested) != 0;
}

bool
pipeline_run(const Config *config, Lsn until, PipelineStop *stop, Err *err)
{
	Pipeline pipeline = { .config = config, .until = until, .stop = stop };
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
	pipeline.decoder = decoder_new(0);
	decoder_set_until(pipeline.decoder, until);
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
		if (ok || stopping(&pipeline) ||
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
		if (!wait_paused(&pipeline, pause_ms))
			break;
		pause_ms =
			pause_ms * 2 < config->retry_max_ms ? pause_ms * 2 : config->retry_max_ms;
	}
	decoder_free(pipeline.decoder);
	report_close(pipeline.report);
	if (!ok && stopping(&pipeline) && err->kind == ERR_RETRY)
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
	if (!open_source(pipeline, err) || !open_outputs(pipeline, stored, err) ||
	    !decide(pipeline, stored, err))
		return false;
	if (pipeline->recovery.action != RECOVERY_STREAM && !bootstrap(pipeline, err))
		return stopping(pipeline) && err->kind == ERR_RETRY;
	if (pipeline->config->snapshot_mode == SNAPSHOT_INITIAL_ONLY)
		return end_without_streaming(pipeline, err);
	return start_stream(pipeline, err) && stream_loop(pipeline, err) &&
	       drop_on_stop(pipeline, err);
}

/* The server removed WAL that the slot needs: nothing can be streamed from it. */
static bool
slot_is_lost(const Pipeline *pipeline)
{
	return pipeline->slot.exists && strcmp(pipeline->slot.wal_status, "lost") == 0;
}

static void
warn_unmatched(void *context, const char *sentence)
{
	(void) context;
	log_warning("pipeline", "%s", sentence);
}

static void
warn_filter(void *context, const char *property)
{
	(void) context;
	log_warning(
		"pipeline", "%s names none of the captured tables as they are now", property);
}

/* What is said once of lists and filters that may be slips. */
static bool
check_lists(Pipeline *pipeline, Err *err)
{
	const Config *config = pipeline->config;

	if (pipeline->lists_checked)
		return true;
	pipeline->lists_checked = true;
	return server_unmatched(pipeline->sql, config, warn_unmatched, NULL, err) &&
	       row_filter_unmatched(pipeline->sql, config, warn_filter, NULL, err);
}

static bool
open_stream(Pipeline *pipeline, Err *err)
{
	const Config *config = pipeline->config;

	pipeline->stream = stream_open(config, config->slot_name, 0, err);
	if (pipeline->stream == NULL)
		return false;
	pipeline->owner.pid = stream_pid(pipeline->stream);
	pipeline->feedback_us = clock_mono_us();
	return true;
}

static bool
open_source(Pipeline *pipeline, Err *err)
{
	const Config *config = pipeline->config;
	Position *self = &pipeline->self;

	pipeline->sql = server_connect(config, false, err);
	if (pipeline->sql == NULL || !server_limit_queries(pipeline->sql, config, err))
		return false;
	pipeline->replication = server_connect(config, true, err);
	if (pipeline->replication == NULL ||
	    !server_identify(pipeline->replication, &pipeline->server, err) ||
	    !server_slot(pipeline->sql, config->slot_name, &pipeline->slot, err) ||
	    !check_lists(pipeline, err) || !publication_check(pipeline->sql, config, err) ||
	    !identity_autoset(pipeline->sql, config, err))
		return false;
	/* with a slot, the plugin checks them when the stream starts */
	if (!pipeline->slot.exists && !row_filter_check(pipeline->sql, config, err))
		return false;
	*self = (Position){
		.system_id = pipeline->server.system_id,
		.timeline = pipeline->server.timeline,
		.fingerprint = env_options_fingerprint(&config->env),
	};
	(void) snprintf(
		self->database, sizeof self->database, "%s", pipeline->server.database);
	(void) snprintf(self->slot, sizeof self->slot, "%s", config->slot_name);
	if (!pipeline->slot.exists)
		return true;
	if (!slot_is_ours(config, &pipeline->slot, self->database, err))
		return false;
	if (slot_is_lost(pipeline))
		return true;
	return slot_owner_check(
			   pipeline->sql, config, &pipeline->slot, &pipeline->owner, err) &&
	       open_stream(pipeline, err);
}

/* Opening the outputs, in a thread of its own. */
typedef struct OpenTask
{
	Pipeline *pipeline;
	StoredPosition *stored;
	Err err;
	bool ok;
	atomic_bool done;
} OpenTask;

static void *
open_in_thread(void *argument)
{
	static const uint64_t one = 1;
	OpenTask *task = argument;
	Pipeline *pipeline = task->pipeline;

	task->ok = true;
	for (int i = 0; i < pipeline->output_count && task->ok; i++)
	{
		Output *output = pipeline->outputs[i];

		task->stored[i].where = pipeline->where[i];
		task->ok = output->ops->open(
			output, &pipeline->self, &task->stored[i].position, &task->err);
		if (!task->ok)
			pipeline->culprit = output;
	}
	atomic_store(&task->done, true);
	if (write(pipeline->stop->wake_fd, &one, sizeof one) < 0)
		return NULL;
	return NULL;
}

/* Wait at most ms for the socket (when reading) or for a wake-up, which is consumed. */
static void
wait_for_wake(const Pipeline *pipeline, bool reading, int64_t ms)
{
	uint64_t count;
	struct pollfd fds[2] = {
		{ .fd = pipeline->stop->wake_fd, .events = POLLIN },
		{ .fd = reading ? stream_socket(pipeline->stream) : -1, .events = POLLIN },
	};

	if (poll(fds, 2, (int) ms) > 0 && (fds[0].revents & POLLIN) != 0 &&
	    read(pipeline->stop->wake_fd, &count, sizeof count) < 0)
		return;
}

static bool
wait_paused(Pipeline *pipeline, int64_t ms)
{
	int64_t until = clock_mono_us() + ms * 1000;
	int64_t now;

	while (!stopping(pipeline) && (now = clock_mono_us()) < until)
		wait_for_wake(pipeline, false, (until - now) / 1000 + 1);
	return !stopping(pipeline);
}

/* Answer the server in time, confirming nothing new, while something else is waited for.
 */
static bool
keep_alive(Pipeline *pipeline, Err *err)
{
	int64_t now = clock_mono_us();

	if (pipeline->stream == NULL ||
	    now - pipeline->feedback_us <
	        server_silence_ms(&pipeline->server, pipeline->config) * 1000)
		return true;
	pipeline->feedback_us = now;
	return stream_feedback(
		pipeline->stream, pipeline->received, pipeline->confirmed, false, err);
}

static bool
open_outputs(Pipeline *pipeline, StoredPosition *stored, Err *err)
{
	const Config *config = pipeline->config;
	OpenTask task = { .pipeline = pipeline, .stored = stored };
	pthread_t thread;
	bool alive = true;
	int code;

	if ((config->outputs & OUTPUT_KAFKA) != 0)
	{
		pipeline->where[pipeline->output_count] = "Kafka";
		pipeline->outputs[pipeline->output_count++] =
			kafka_output_new(config, pipeline->stop->wake_fd);
	}
	if ((config->outputs & (OUTPUT_BRONZE | OUTPUT_SILVER)) != 0)
	{
		pipeline->where[pipeline->output_count] = "the lake";
		pipeline->outputs[pipeline->output_count++] =
			lake_output_new(config, pipeline->stop->wake_fd);
	}
	code = pthread_create(&thread, NULL, open_in_thread, &task);
	if (code != 0)
		return limits_no_thread(err, code);
	while (!atomic_load(&task.done))
	{
		wait_for_wake(
			pipeline,
			false,
			server_silence_ms(&pipeline->server, pipeline->config) < 1000 ? 100 : 1000);
		alive = alive && keep_alive(pipeline, err);
	}
	(void) pthread_join(thread, NULL);
	if (!task.ok)
		*err = task.err;
	return alive && task.ok;
}

static bool
decide(Pipeline *pipeline, const StoredPosition *stored, Err *err)
{
	RecoveryInput input = {
		.stored = stored,
		.count = pipeline->output_count,
		.self = pipeline->self,
		.slot_exists = pipeline->slot.exists,
		.confirmed_flush = pipeline->slot.confirmed_flush,
		.server_flush = pipeline->server.flush_lsn,
		.adopt = pipeline->config->snapshot_mode == SNAPSHOT_NO_DATA,
		.slot_lost = slot_is_lost(pipeline),
		.done = pipeline->config->snapshot_mode == SNAPSHOT_INITIAL_ONLY,
		.again =
			pipeline->config->snapshot_mode == SNAPSHOT_ALWAYS && !pipeline->read_all,
		/* Bronze holds events that reading the tables again does not give back. */
		.again_if_lost = pipeline->config->snapshot_mode == SNAPSHOT_WHEN_NEEDED &&
		                 (pipeline->config->outputs & OUTPUT_BRONZE) == 0,
	};

	for (int i = 0; i < input.count; i++)
	{
		Lsn lsn = 0;

		if (stored[i].position.phase != POSITION_NONE &&
		    stored[i].position.system_id == pipeline->self.system_id &&
		    stored[i].position.timeline < pipeline->self.timeline &&
		    !timeline_switch(pipeline->replication,
		                     stored[i].position.timeline,
		                     pipeline->self.timeline,
		                     &lsn,
		                     err))
			return false;
		if (lsn != 0 && (input.timeline_switch == 0 || lsn < input.timeline_switch))
			input.timeline_switch = lsn;
	}
	if (!recovery_decide(&input, &pipeline->recovery, err))
		return false;
	if (pipeline->recovery.action == RECOVERY_AGAIN && err->text[0] != '\0')
		log_warning("pipeline", "%s: all tables are read again", err->text);
	*err = (Err){ 0 };
	return true;
}

static bool
mark_all(Pipeline *pipeline, PositionPhase phase, Lsn lsn, Err *err)
{
	Position position = pipeline->self;

	position.phase = phase;
	position.commit_lsn = lsn;
	position.end_lsn = lsn;
	for (int i = 0; i < pipeline->output_count; i++)
		if (!pipeline->outputs[i]->ops->mark(pipeline->outputs[i], &position, err))
			return false;
	return true;
}

/* The least durable LSN of all outputs; false when one has failed. */
static bool
look_at_outputs(Pipeline *pipeline, Err *err)
{
	Lsn least = UINT64_MAX;

	for (int i = 0; i < pipeline->output_count; i++)
	{
		Lsn end;

		if (!pipeline->outputs[i]->ops->durable(pipeline->outputs[i], &end, err))
		{
			pipeline->culprit = pipeline->outputs[i];
			return false;
		}
		if (end < least)
			least = end;
	}
	if (least > pipeline->durable)
	{
		pipeline->durable = least;
		pipeline->moved = true;
	}
	return true;
}

static void
flush_outputs(const Pipeline *pipeline)
{
	for (int i = 0; i < pipeline->output_count; i++)
		pipeline->outputs[i]->ops->flush(pipeline->outputs[i]);
}

/* Offer the pending batch to every output that has not accepted it yet. */
static void
offer_pending(Pipeline *pipeline)
{
	Batch *batch = pipeline->pending;

	if (batch == NULL)
		return;
	for (int i = 0; i < pipeline->output_count; i++)
		if ((pipeline->accepted & 1U << i) == 0 &&
		    pipeline->outputs[i]->ops->offer(pipeline->outputs[i], batch))
		{
			pipeline->accepted |= 1U << i;
			pipeline->moved = true;
		}
	if (pipeline->accepted != (1U << pipeline->output_count) - 1)
		return;
	if (batch->end_lsn != 0)
		pipeline->queued_end = batch->end_lsn;
	pipeline->pending = NULL;
	pipeline->flushed = false;
	pipeline->handed++;
	batch_unref(batch);
}

static void
report_standing(const Pipeline *pipeline)
{
	ReportTurn turn = {
		.outputs = pipeline->outputs,
		.count = pipeline->output_count,
		.accepted = pipeline->accepted,
		.pending = pipeline->pending != NULL,
		.in_transaction = decoder_in_transaction(pipeline->decoder),
		.handed = pipeline->handed,
		.received = pipeline->received,
		.confirmed = pipeline->confirmed,
		.durable = pipeline->durable,
		.queued_end = pipeline->queued_end,
		.memory = (int64_t) atomic_load(&pipeline->budget.used),
		.memory_limit = (int64_t) pipeline->budget.limit,
	};

	report_turn(pipeline->report, &turn);
}

/* SnapshotSink: hand a batch over, waiting for room. */
static bool
take_snapshot_batch(void *context, Batch *batch, Err *err)
{
	Pipeline *pipeline = context;

	pipeline->pending = batch;
	pipeline->accepted = 0;
	report_batch(pipeline->report, batch);
	for (;;)
	{
		offer_pending(pipeline);
		if (!look_at_outputs(pipeline, err))
			return false;
		report_standing(pipeline);
		if (pipeline->pending == NULL)
			return true;
		if (stopping(pipeline))
			return fail(err, ERR_RETRY, "asked to stop during the snapshot");
		wait_for_wake(pipeline, false, 1000);
	}
}

static bool
take_snapshot(Pipeline *pipeline, const char *name, Lsn consistent, Err *err)
{
	SnapshotRequest request = {
		.config = pipeline->config,
		.snapshot = name,
		.consistent = consistent,
		.budget = &pipeline->budget,
		.sink = take_snapshot_batch,
		.context = pipeline,
		.stop = &pipeline->stop->requested,
	};
	Batch *batch;
	Event *event;

	if (pipeline->config->snapshot_mode != SNAPSHOT_NO_DATA)
		return snapshot_run(&request, err);
	batch = batch_new(&pipeline->budget);
	event = batch_add(batch, EVENT_SNAPSHOT_END);
	event->lsn = consistent;
	batch->end_lsn = consistent;
	batch_seal(batch);
	return take_snapshot_batch(pipeline, batch, err);
}

/* Wait for as long as the user asked for before what comes next. */
static bool
delay(Pipeline *pipeline, const char *what, int64_t ms, Err *err)
{
	if (ms == 0)
		return true;
	log_info("pipeline", "waiting %" PRId64 " ms before %s", ms, what);
	return wait_paused(pipeline, ms) ||
	       fail(err, ERR_RETRY, "asked to stop before %s", what);
}

/*
 * From nothing to a slot and outputs that hold its snapshot (stream.md 14).  The
 * replication connection stays idle meanwhile: its next command would end the
 * exported snapshot.
 */
static bool
bootstrap(Pipeline *pipeline, Err *err)
{
	const Config *config = pipeline->config;
	Lsn consistent = pipeline->slot.confirmed_flush;
	NewSlot slot = { .name = config->slot_name };

	if (pipeline->recovery.action == RECOVERY_ADOPT)
	{
		log_info("pipeline",
		         "slot \"%s\" is adopted at %X/%X without a snapshot",
		         config->slot_name,
		         LSN_ARGS(consistent));
		pipeline->queued_end = pipeline->durable = consistent;
		return mark_all(pipeline, POSITION_STREAM, consistent, err);
	}
	if (pipeline->recovery.action == RECOVERY_AGAIN)
		log_info("pipeline",
		         config->snapshot_mode == SNAPSHOT_ALWAYS
		             ? "snapshot.mode=always: all tables are read again"
		             : "the snapshot starts again");
	stream_close(pipeline->stream);
	pipeline->stream = NULL;
	if (!delay(pipeline, "snapshot", config->snapshot_delay_ms, err) ||
	    !mark_all(pipeline, POSITION_INTENT, 0, err))
		return false;
	if (pipeline->slot.exists && !server_drop_slot(pipeline->sql, config->slot_name, err))
		return false;
	if (!server_create_slot(pipeline->replication, pipeline->sql, config, &slot, err) ||
	    !mark_all(pipeline, POSITION_SNAPSHOT, slot.consistent, err))
		return false;
	consistent = slot.consistent;
	report_state(pipeline->report, WORKER_SNAPSHOT);
	log_info("pipeline",
	         "slot \"%s\" created, consistent at %X/%X",
	         config->slot_name,
	         LSN_ARGS(consistent));
	if (!take_snapshot(pipeline, slot.snapshot, consistent, err))
		return false;
	while (pipeline->durable < consistent)
	{
		flush_outputs(pipeline);
		wait_for_wake(pipeline, false, 200);
		if (!look_at_outputs(pipeline, err))
			return false;
		if (stopping(pipeline) && pipeline->durable < consistent)
			return fail(err, ERR_RETRY, "asked to stop at the end of the snapshot");
	}
	log_info("pipeline", "initial snapshot complete at %X/%X", LSN_ARGS(consistent));
	pipeline->read_all = true;
	return config->snapshot_mode == SNAPSHOT_INITIAL_ONLY ||
	       delay(pipeline, "streaming", config->streaming_delay_ms, err);
}

/*
 * snapshot.mode=initial_only: the snapshot is there, and nothing else was asked for.  The
 * slot would hold WAL for nobody.
 */
static bool
end_without_streaming(Pipeline *pipeline, Err *err)
{
	const char *name = pipeline->config->slot_name;

	stream_close(pipeline->stream);
	pipeline->stream = NULL;
	/* Its last command exported the snapshot, which must not outlive the slot. */
	PQfinish(pipeline->replication);
	pipeline->replication = NULL;
	if (!server_slot(pipeline->sql, name, &pipeline->slot, err) ||
	    (pipeline->slot.exists && !server_drop_slot(pipeline->sql, name, err)))
		return false;
	log_info(
		"pipeline",
		"stopped: snapshot.mode=initial_only streams nothing, slot \"%s\" is dropped",
		name);
	return true;
}

static bool
start_stream(Pipeline *pipeline, Err *err)
{
	const Config *config = pipeline->config;

	PQfinish(pipeline->replication);
	pipeline->replication = NULL;
	PQfinish(pipeline->sql);
	pipeline->sql = NULL;
	if (!look_at_outputs(pipeline, err))
		return false;
	if (pipeline->stream == NULL && !open_stream(pipeline, err))
		return false;
	/* A fresh stream has no transaction before it: source.sequence starts with null. */
	decoder_rewind(pipeline->decoder,
	               pipeline->recovery.action == RECOVERY_STREAM ? pipeline->durable : 0);
	pipeline->queued_end = pipeline->durable;
	pipeline->confirmed = 0;
	pipeline->feedback_us = 0;
	pipeline->marker_us = clock_mono_us();
	pipeline->drain_us = 0;
	report_state(pipeline->report, WORKER_STREAMING);
	log_info("pipeline",
	         "streaming from slot \"%s\" at %X/%X",
	         config->slot_name,
	         LSN_ARGS(pipeline->durable));
	return action_start(config, &pipeline->action, err);
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
	return pipeline->pending == NULL && !batch_is_full(pipeline) &&
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

static bool
read_stream(Pipeline *pipeline, Err *err)
{
	StreamItem item = { .kind = STREAM_FRAME };

	while (item.kind != STREAM_NOTHING && wants_more(pipeline))
	{
		bool ok = true;

		if (!stream_next(pipeline->stream, &item, err))
			return false;
		if (item.kind == STREAM_NOTHING)
			break;
		if (item.kind == STREAM_FRAME)
			ok = take_frame(pipeline, &item, err);
		else
			take_keepalive(pipeline, &item);
		stream_release(&item);
		if (!ok)
			return false;
		pipeline->moved = true;
	}
	if (pipeline->batch != NULL && pipeline->pending == NULL)
	{
		report_batch(pipeline->report, pipeline->batch);
		batch_seal(pipeline->batch);
		pipeline->pending = pipeline->batch;
		pipeline->batch = NULL;
		pipeline->accepted = 0;
	}
	return true;
}

static bool
send_feedback(Pipeline *pipeline, Err *err)
{
	int64_t now = clock_mono_us();
	int64_t since = now - pipeline->feedback_us;
	bool wants_end = pipeline->until != 0 && !has_read_enough(pipeline);
	bool news = pipeline->durable > pipeline->confirmed;

	if (since < FEEDBACK_MIN_US ||
	    (!news && !wants_end &&
	     since < server_silence_ms(&pipeline->server, pipeline->config) * 1000))
		return true;
	if (!stream_feedback(
			pipeline->stream, pipeline->received, pipeline->durable, wants_end, err))
		return false;
	pipeline->confirmed = pipeline->durable;
	pipeline->feedback_us = now;
	return true;
}

/* Everything that was read is durable, and nothing more is wanted. */
static bool
is_finished(Pipeline *pipeline)
{
	if (stopping(pipeline) && pipeline->drain_us == 0)
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
		flush_outputs(pipeline);
		pipeline->flushed = true;
	}
	return pipeline->durable >= pipeline->queued_end;
}

static int64_t
wait_limit_ms(const Pipeline *pipeline)
{
	int64_t limit = server_silence_ms(&pipeline->server, pipeline->config);

	if (pipeline->durable > pipeline->confirmed || pipeline->until != 0 ||
	    pipeline->drain_us != 0)
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
		offer_pending(pipeline);
		if (pipeline->wants_flush && pipeline->pending == NULL)
		{
			pipeline->wants_flush = false;
			flush_outputs(pipeline);
		}
		if (!look_at_outputs(pipeline, err) || !send_feedback(pipeline, err))
			return false;
		report_standing(pipeline);
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
			wait_for_wake(pipeline, wants_more(pipeline), wait_limit_ms(pipeline));
	}
	log_info("pipeline",
	         "stopped: everything up to %X/%X is durable",
	         LSN_ARGS(pipeline->durable));
	return stream_feedback(
		pipeline->stream, pipeline->received, pipeline->durable, false, err);
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
	if (!mark_all(pipeline, POSITION_INTENT, 0, err))
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
	action_stop(pipeline->action);
	pipeline->action = NULL;
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
