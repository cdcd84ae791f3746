/*
 * pipeline_start.c
 *		from nothing to a stream: the slot, the decision where to start, the snapshot.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "event/unread.h"
#include "lake/lake.h"
#include "pipeline_state.h"
#include "source/captured.h"
#include "source/identity.h"
#include "source/publication.h"
#include "source/row_filter.h"
#include "source/snapshot.h"
#include "source/timeline.h"
#include "source/unmatched.h"

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

bool
pipeline_open_stream(Pipeline *pipeline, Err *err)
{
	const Config *config = pipeline->config;

	pipeline->stream = stream_open(config, config->slot_name, 0, err);
	if (pipeline->stream == NULL)
		return false;
	pipeline->owner.pid = stream_pid(pipeline->stream);
	pipeline->feedback_us = clock_mono_us();
	return true;
}

bool
pipeline_open_source(Pipeline *pipeline, Err *err)
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
	    !publication_read(pipeline->sql, config, err) || !check_lists(pipeline, err) ||
	    !identity_autoset(pipeline->sql, config, err))
		return false;
	/* with a slot, the plugin checks them when the stream starts */
	if (!pipeline->slot.exists && !row_filter_check(pipeline->sql, config, err))
		return false;
	*self = (Position){
		.system_id = pipeline->server.system_id,
		.timeline = pipeline->server.timeline,
		.fingerprint = env_options_fingerprint(&config->env),
		.rest = env_options_fingerprint_of_rest(&config->env),
		.lists = captured_lists(config, pipeline->arena),
		.outputs = (unsigned) config->outputs,
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
	/* Once more: now nobody else advances it. */
	return slot_owner_check(
			   pipeline->sql, config, &pipeline->slot, &pipeline->owner, err) &&
	       pipeline_open_stream(pipeline, err) &&
	       server_slot(pipeline->sql, config->slot_name, &pipeline->slot, err);
}

bool
pipeline_reads_again(const Config *config)
{
	/* Bronze holds events that reading the tables again does not give back. */
	return config->snapshot_mode == SNAPSHOT_WHEN_NEEDED &&
	       (config->outputs & OUTPUT_BRONZE) == 0;
}

/*
 * Whether a transaction that was stored is sure to be in the stream again: not where
 * other tables were captured then, or where what a publication has is no part of the
 * position.
 */
static bool
streams_the_same(const Pipeline *pipeline, const Position *stored)
{
	const Published *published = pipeline->config->env.published;

	return stored->fingerprint == pipeline->self.fingerprint &&
	       (!published->given || published->everywhere);
}

bool
pipeline_decide(Pipeline *pipeline, const StoredPosition *stored, Err *err)
{
	RecoveryInput input = {
		.stored = stored,
		.count = pipeline->output_count,
		.self = pipeline->self,
		.slot_exists = pipeline->slot.exists,
		.confirmed_flush = pipeline->slot.confirmed_flush,
		.server_flush = pipeline->server.flush_lsn,
		.adopt = pipeline->config->snapshot_mode == SNAPSHOT_NO_DATA,
		.missing = pipeline->lineage.missing,
		.slot_lost = slot_is_lost(pipeline),
		.resumes = pipeline->config->snapshot_mode != SNAPSHOT_INITIAL_ONLY &&
		           pipeline->config->snapshot_mode != SNAPSHOT_NO_DATA,
		.done = pipeline->config->snapshot_mode == SNAPSHOT_INITIAL_ONLY,
		.again =
			pipeline->config->snapshot_mode == SNAPSHOT_ALWAYS && !pipeline->read_all,
		.again_if_lost = pipeline_reads_again(pipeline->config),
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
	pipeline->lineage = (Lineage){ 0 };
	if (pipeline->recovery.action == RECOVERY_STREAM ||
	    pipeline->recovery.action == RECOVERY_JOIN)
		for (int i = 0; i < input.count; i++)
			if (streams_the_same(pipeline, &stored[i].position))
				lineage_await(&pipeline->lineage,
				              &stored[i].position,
				              stored[i].where,
				              pipeline->slot.confirmed_flush);
	return true;
}

static bool
take_snapshot(Pipeline *pipeline, const char *name, Lsn consistent, Err *err)
{
	SnapshotRequest request = {
		.config = pipeline->config,
		.snapshot = name,
		.consistent = consistent,
		.budget = &pipeline->budget,
		.sink = pipeline_hand_over,
		.context = pipeline,
		.relations = pipeline->arena,
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
	return pipeline_hand_over(pipeline, batch, err);
}

/* Wait for as long as the user asked for before what comes next. */
static bool
delay(Pipeline *pipeline, const char *what, int64_t ms, Err *err)
{
	if (ms == 0)
		return true;
	log_info("pipeline", "waiting %" PRId64 " ms before %s", ms, what);
	return pipeline_pause(pipeline, ms) ||
	       fail(err, ERR_RETRY, "asked to stop before %s", what);
}

/* The output that has begun without some of its tables. */
static const Output *
lacking_output(const Pipeline *pipeline)
{
	const Output *last = pipeline->outputs[pipeline->output_count - 1];

	return (pipeline->config->outputs & (OUTPUT_BRONZE | OUTPUT_SILVER)) != 0 &&
	               lake_output_lacks(last)
	           ? last
	           : NULL;
}

/* Where an output goes on from that does not simply stream; false: it does. */
static bool
join_position(const Pipeline *pipeline, const Output *output, const char *all,
              Position *position)
{
	Lsn begin = pipeline->recovery.least_end;

	position->outputs = pipeline->self.outputs;
	if (pipeline->recovery.action == RECOVERY_RESUME)
	{
		position->phase = POSITION_STREAM;
		log_info("pipeline",
		         "%s goes on with a snapshot that was not complete",
		         output->ops->name);
		return true;
	}
	if (position->phase == POSITION_NONE)
	{
		*position = pipeline->self;
		position->phase = POSITION_STREAM;
		position->commit_lsn = position->end_lsn = begin;
		position->unread = all;
		log_info("pipeline",
		         "%s is new and joins the stream at %X/%X",
		         output->ops->name,
		         LSN_ARGS(begin));
		return true;
	}
	if (output != lacking_output(pipeline))
		return false;
	position->unread = unread_renew(pipeline->arena, position->unread, all);
	return true;
}

/* Say of silver tables why they do not follow their source from here on, or did not. */
static bool
doubt_tables(Output *output, const CapturedChange *change, Arena *arena, Err *err)
{
	const char *skipped = change->added;
	const char *list = change->unread;
	const char *name;

	while ((name = unread_next(&list, arena)) != NULL)
		skipped = unread_remove(arena, skipped, name);
	return lake_output_doubt(output,
	                         change->removed,
	                         "it is not captured any more: it stays as it was",
	                         err) &&
	       lake_output_doubt(output, change->unread, LAKE_NOT_CAPTURED, err) &&
	       lake_output_doubt(
			   output,
			   skipped,
			   "it was not captured for a while, and snapshots leave it out",
			   err);
}

/*
 * The lists of tables were changed since an output stored its position.  What is new to
 * it is read in mid-stream; until then its events come without the rows before them.  All
 * of it is stored at once, by the caller.
 */
static bool
take_lists(Pipeline *pipeline, Output *output, Position *position, Err *err)
{
	bool is_lake = output == pipeline->outputs[pipeline->output_count - 1] &&
	               (pipeline->config->outputs & (OUTPUT_BRONZE | OUTPUT_SILVER)) != 0;
	CapturedChange change;
	const char *removed;
	const char *added;
	const char *name;

	if (!captured_change(pipeline->sql,
	                     pipeline->config,
	                     position->lists,
	                     pipeline->arena,
	                     &change,
	                     err))
		return false;
	log_info("pipeline", "%s takes over changed lists of tables", output->ops->name);
	removed = change.removed;
	while ((name = unread_next(&removed, pipeline->arena)) != NULL)
	{
		log_warning(
			"pipeline",
			"table \"%s\" is not captured any more: what %s has of it stays as it "
			"is",
			name,
			output->ops->name);
		position->unread = unread_remove(pipeline->arena, position->unread, name);
	}
	/* A part of what was not captured for a while is worth nothing. */
	added = change.unread;
	while ((name = unread_next(&added, pipeline->arena)) != NULL)
		position->unread = unread_remove(pipeline->arena, position->unread, name);
	if (is_lake && !doubt_tables(output, &change, pipeline->arena, err))
		return false;
	position->unread = unread_add(pipeline->arena, position->unread, change.unread);
	return true;
}

/* Whether an output stored its position under other lists of tables. */
static bool
has_other_lists(const Pipeline *pipeline, const StoredPosition *stored)
{
	for (int i = 0; i < pipeline->output_count; i++)
		if (position_has_other_lists(&stored[i].position, &pipeline->self))
			return true;
	return false;
}

bool
pipeline_join(Pipeline *pipeline, StoredPosition *stored, Err *err)
{
	RecoveryAction action = pipeline->recovery.action;
	const char *all = NULL;

	if (action != RECOVERY_RESUME && action != RECOVERY_JOIN &&
	    (action != RECOVERY_STREAM ||
	     (lacking_output(pipeline) == NULL && !has_other_lists(pipeline, stored))))
		return true;
	if (action != RECOVERY_RESUME &&
	    !captured_list(pipeline->sql, pipeline->config, pipeline->arena, &all, err))
		return false;
	for (int i = 0; i < pipeline->output_count; i++)
	{
		Output *output = pipeline->outputs[i];
		Position *position = &stored[i].position;
		bool is_changed = position_has_other_lists(position, &pipeline->self);

		if (is_changed)
		{
			if (!take_lists(pipeline, output, position, err))
				return false;
			/* its tables may be captured no more: see streams_the_same() */
			position->last = (CommitId){ 0 };
		}
		is_changed |= join_position(pipeline, output, all, position);
		if (!is_changed)
			continue;
		position->timeline = pipeline->self.timeline;
		position->fingerprint = pipeline->self.fingerprint;
		position->rest = pipeline->self.rest;
		position->lists = pipeline->self.lists;
		if (!output->ops->mark(output, position, err))
			return false;
	}
	pipeline->recovery.action = RECOVERY_STREAM;
	return true;
}

/*
 * From nothing to a slot and outputs that hold its snapshot (stream.md 14).  The
 * replication connection stays idle meanwhile: its next command would end the
 * exported snapshot.
 */
bool
pipeline_bootstrap(Pipeline *pipeline, Err *err)
{
	const Config *config = pipeline->config;
	Lsn consistent = pipeline->slot.confirmed_flush;
	NewSlot slot = { .name = config->slot_name };
	const char *unread;

	if (pipeline->recovery.action == RECOVERY_ADOPT)
	{
		log_info("pipeline",
		         "slot \"%s\" is adopted at %X/%X without a snapshot",
		         config->slot_name,
		         LSN_ARGS(consistent));
		pipeline->queued_end = pipeline->durable = consistent;
		return pipeline_mark(pipeline, POSITION_STREAM, consistent, NULL, err);
	}
	if (pipeline->recovery.action == RECOVERY_AGAIN)
		log_info("pipeline",
		         config->snapshot_mode == SNAPSHOT_ALWAYS
		             ? "snapshot.mode=always: all tables are read again"
		             : "the snapshot starts again");
	stream_close(pipeline->stream);
	pipeline->stream = NULL;
	if (!delay(pipeline, "snapshot", config->snapshot_delay_ms, err) ||
	    !pipeline_mark(pipeline, POSITION_INTENT, 0, NULL, err))
		return false;
	if (pipeline->slot.exists && !server_drop_slot(pipeline->sql, config->slot_name, err))
		return false;
	if (!server_create_slot(pipeline->replication, pipeline->sql, config, &slot, err) ||
	    !captured_list(pipeline->sql, config, pipeline->arena, &unread, err) ||
	    !pipeline_mark(pipeline, POSITION_SNAPSHOT, slot.consistent, unread, err))
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
		pipeline_flush(pipeline);
		pipeline_wait(pipeline, false, 200);
		if (!pipeline_look(pipeline, err))
			return false;
		if (pipeline_stopping(pipeline) && pipeline->durable < consistent)
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
bool
pipeline_end_without_streaming(Pipeline *pipeline, Err *err)
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
