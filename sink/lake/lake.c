/*
 * lake.c
 *		the lake output: batches into tables, and cuts.
 *
 * A thread takes batches from a bounded queue, copies what the tables need and
 * gives the batch back.  At a commit boundary, when the flush interval is over,
 * enough is buffered or somebody asked, it makes a cut:
 *
 *		every touched table: write files      nothing refers to them yet
 *		every touched table: commit           all with one timestamp and position
 *		cdc_checkpoints: publish              from here on the cut counts
 *		every touched table: remove files     of snapshots that expired in that commit
 *
 * A crash between the commits leaves tables at different positions.  Each drops
 * what it holds already when the stream is read again, and the first cut is made
 * at or after the greatest of them, and published even if nothing else is in it.
 *
 * A transaction too large for memory is spilled to files that its commit makes visible.
 * What a crash leaves of either is removed beside the next stream (orphans.h).
 *
 * After a failure the thread only drains its queue; close() throws all state
 * away and removes files that were never committed; open() reads the tables again.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "event/unread.h"
#include "lake/expire.h"
#include "lake/lake_state.h"
#include "lake/orphans.h"

#define QUEUE_BATCHES  64
#define ROW_OVERHEAD   128 /* memory of a buffered row beside its tuples */
#define SPILL_FRACTION 8   /* a spill writes tables with that part of the buffer */

/* ---- Cuts ---- */

bool
lake_prepare_source(Source *source, Err *err)
{
	return (source->silver == NULL || silver_prepare(source->silver, err)) &&
	       (source->bronze == NULL || bronze_flush(source->bronze, err));
}

bool
lake_commit_sources(Source *const *sources, size_t count, const CutStamp *stamp, Err *err)
{
	Table **tables = xmalloc(sizeof(Table *) * (2 * count + 1));
	size_t table_count = 0;
	bool ok;

	for (size_t i = 0; i < count; i++)
	{
		if (sources[i]->bronze != NULL)
			tables[table_count++] = bronze_table(sources[i]->bronze);
		if (sources[i]->silver != NULL)
			tables[table_count++] = silver_table(sources[i]->silver);
	}
	ok = tables_commit(tables, table_count, stamp, err);
	free(tables);
	for (size_t i = 0; ok && i < count; i++)
	{
		if (sources[i]->silver != NULL)
			silver_committed(sources[i]->silver);
		sources[i]->is_touched = false;
		sources[i]->bytes = 0;
	}
	return ok;
}

bool
lake_publish(Lake *lake, const CutStamp *stamp, Err *err)
{
	checkpoints_begin(lake->checkpoints);
	sources_list(lake->sources, lake->checkpoints);
	if (!checkpoints_publish(lake->checkpoints, stamp, err))
		return false;
	lake->is_ahead = false;
	atomic_store(&lake->cut_lsn, stamp->position.commit_lsn);
	atomic_store(&lake->cut_us, stamp->timestamp_ms * 1000);
	atomic_fetch_add(&lake->cuts, 1);
	return true;
}

/* After a cut: the files of what has expired go. */
static void
clean(Lake *lake, Source *const *sources, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		if (sources[i]->bronze != NULL)
			table_clean(bronze_table(sources[i]->bronze));
		if (sources[i]->silver != NULL)
			table_clean(silver_table(sources[i]->silver));
	}
	checkpoints_clean(lake->checkpoints);
}

static bool
cut_tables(Lake *lake, Err *err)
{
	Source **touched = xmalloc(sizeof(Source *) * (sources_count(lake->sources) + 1));
	size_t count = 0;
	bool ok = true;
	CutStamp stamp;
	CutStamp bare;
	SnapshotIds kept;
	int64_t *ids;
	size_t id_count;

	for (size_t i = 0; ok && i < sources_count(lake->sources); i++)
	{
		Source *source = sources_get(lake->sources, i);

		if (!source->is_touched)
			continue;
		touched[count++] = source;
		ok = lake_prepare_source(source, err);
	}
	lake_take_asks(lake);
	stamp = store_stamp(&lake->store, &lake->position);
	ids = checkpoints_snapshots(lake->checkpoints, &id_count);
	snapshot_ids_init(&kept, ids, id_count);
	stamp.kept = &kept;
	bare = stamp;
	/* lists stand in cdc_checkpoints, once */
	bare.position.unread = bare.position.lists = NULL;
	ok = ok && lake_commit_sources(touched, count, &bare, err) &&
	     lake_publish(lake, &stamp, err);
	if (ok)
		clean(lake, touched, count);
	snapshot_ids_free(&kept);
	free(touched);
	return ok;
}

bool
lake_cut(Lake *lake, Err *err)
{
	int64_t started_us = clock_mono_us();
	size_t bytes = lake->bytes;

	if (sources_touched(lake->sources) || lake->is_ahead)
	{
		if (!cut_tables(lake, err))
			return false;
		log_debug("lake",
		          "cut at %X/%X: %zu bytes in %" PRId64 " ms",
		          LSN_ARGS(lake->position.commit_lsn),
		          bytes,
		          (clock_mono_us() - started_us) / 1000);
		(void) malloc_trim(0);
	}
	else if (!checkpoints_mark(lake->checkpoints, &lake->position, err))
		return false;
	lake->stored = lake->position;
	lake_tell_asks(lake);
	lake->bytes = 0;
	atomic_store_explicit(&lake->buffered, 0, memory_order_relaxed);
	lake->deadline_us = 0;
	orphans_resume(&lake->removal);
	atomic_store(&lake->durable_end, lake->position.end_lsn);
	output_wake(&lake->base);
	return true;
}

static bool
may_cut(const Lake *lake)
{
	return lake->at_boundary && !lake->in_snapshot && lake->deadline_us != 0 &&
	       position_covered(&lake->position) >= lake->cut_floor;
}

/* At a boundary: is it time? */
static bool
cut_when_due(Lake *lake, Err *err)
{
	if (!may_cut(lake) || (lake->bytes < (size_t) lake->config->lake_flush_bytes &&
	                       clock_mono_us() < lake->deadline_us))
		return true;
	return lake_cut(lake, err);
}

void
lake_set_deadline(Lake *lake)
{
	if (lake->deadline_us == 0)
		lake->deadline_us = clock_mono_us() + lake->config->lake_flush_interval_ms * 1000;
}

/* Write what is buffered without committing it, to free memory. */
static bool
spill(Lake *lake, Err *err)
{
	size_t least = lake->bytes / SPILL_FRACTION / (sources_count(lake->sources) + 1);

	for (size_t i = 0; i < sources_count(lake->sources); i++)
	{
		Source *source = sources_get(lake->sources, i);

		if (source->bytes <= least)
			continue;
		if ((source->silver != NULL && !silver_flush(source->silver, err)) ||
		    (source->bronze != NULL && !bronze_flush(source->bronze, err)))
			return false;
		lake->bytes -= source->bytes;
		source->bytes = 0;
	}
	(void) malloc_trim(0);
	return true;
}

/* ---- Events ---- */

static void
account(Lake *lake, Source *source, const Event *event)
{
	size_t bytes = event->old_tuple.len + event->new_tuple.len + ROW_OVERHEAD;

	if (source->silver != NULL && source->bronze != NULL)
		bytes *= 2;
	source->bytes += bytes;
	source->is_touched = true;
	lake->bytes += bytes;
}

/* Silver that was never read is not to be taken for its source. */
static void
note_unread(Source *source, const char *unread)
{
	const Silver *silver = source->silver;

	if (silver == NULL || silver_stale(silver) != NULL ||
	    silver_table(source->silver)->state->metadata->current_snapshot_id !=
	        NO_SNAPSHOT ||
	    !unread_has(unread, source_known_as(source)))
		return;
	silver_set_unread(source->silver);
}

/* What is on the list will be read anyway. */
static void
note_lacking(const Lake *lake, Source *source, const Relation *relation)
{
	source->lacks_rows = false;
	if (!unread_has(lake->position.unread, source_known_as(source)))
		source_ask_about(source, relation, "had rows that were not read");
}

static bool
find_source(Lake *lake, const Event *event, Source **source, Err *err)
{
	if (!sources_find(lake->sources, event, source, err))
		return false;
	if (lake->position.unread != NULL && !lake->in_snapshot)
		note_unread(*source, lake->position.unread);
	if ((*source)->lacks_rows)
		note_lacking(lake, *source, event->relation);
	return true;
}

/* Bronze cannot hold the change: the failure, or what the user chose instead. */
static bool
refuse(Lake *lake, const Event *event, size_t bytes, Err *err)
{
	char what[512];

	event_describe(event, "change", what);
	(void) fail(err,
	            ERR_DATA,
	            "%s is too large for bronze: it may need %zu bytes as JSON, the most are "
	            "%zu",
	            what,
	            bytes,
	            BRONZE_TEXT_MAX);
	(void) fail_hint(
		err,
		"Nothing stored is lost. Leave it out of bronze with "
		"event.processing.failure.handling.mode=warn or skip, the column with "
		"column.exclude.list, or bronze with outputs.");
	if (lake->config->env.failure_mode == FAILURE_FAIL)
		return false;
	atomic_fetch_add_explicit(&lake->refused, 1, memory_order_relaxed);
	if (lake->config->env.failure_mode == FAILURE_WARN)
		log_warning("lake", "left out: %s", err->text);
	*err = (Err){ 0 };
	return true;
}

/* DuckDB needs room for what it is given. */
static bool
expect_row(Lake *lake, const Event *event, size_t text_bytes, Err *err)
{
	size_t bytes = event->old_tuple.len + event->new_tuple.len;

	if (text_bytes <= BRONZE_TEXT_MAX && text_bytes / 2 > bytes)
		bytes = text_bytes / 2;
	return parquet_expect(lake->store.parquet, bytes, err);
}

static bool
take_row(Lake *lake, const Event *event, Err *err)
{
	Source *source;
	bool is_new = false;
	size_t text_bytes = 0;

	if (!find_source(lake, event, &source, err))
		return false;
	if (source->silver != NULL && !sources_stored(silver_table(source->silver), event))
	{
		if (!silver_event(source->silver, event, err))
			return false;
		is_new = true;
	}
	if (source->bronze != NULL && !sources_stored(bronze_table(source->bronze), event))
	{
		text_bytes = bronze_text_bytes(event);
		if (text_bytes > BRONZE_TEXT_MAX
		        ? !refuse(lake, event, text_bytes, err)
		        : !bronze_event(source->bronze, event, lake->received_us, err))
			return false;
		is_new = true;
	}
	if (!is_new)
		return true;
	if (!expect_row(lake, event, text_bytes, err))
		return false;
	lake->taken++;
	account(lake, source, event);
	lake_set_deadline(lake);
	if (lake->bytes < (size_t) lake->config->lake_flush_bytes)
		return true;
	return spill(lake, err);
}

static bool
take_relation(Lake *lake, const Event *event, Err *err)
{
	Source *source;

	if (!find_source(lake, event, &source, err))
		return false;
	if (source->silver == NULL || sources_stored(silver_table(source->silver), event))
		return true;
	if (!silver_relation(source->silver, event->relation, err))
		return false;
	if (table_is_changed(silver_table(source->silver)))
	{
		source->is_touched = true;
		lake_set_deadline(lake);
	}
	return true;
}

static bool
end_transaction(Lake *lake, const Event *event, Err *err)
{
	if (event->txn->commit_lsn > lake->position.commit_lsn)
	{
		lake->position.commit_lsn = event->txn->commit_lsn;
		lake->position.last = txn_commit(event->txn);
	}
	if (event->lsn > lake->position.end_lsn)
		lake->position.end_lsn = event->lsn;
	lake->at_boundary = true;
	lake_set_deadline(lake);
	return cut_when_due(lake, err);
}

/* There is nothing for us below lsn. */
static void
take_point(Lake *lake, Lsn lsn)
{
	if (lsn <= lake->position.end_lsn)
		return;
	lake->position.end_lsn = lsn;
	lake_set_deadline(lake);
}

/* Somebody wants tables to be read again: the next cut says so. */
static void
take_wanted(Lake *lake, const Event *event)
{
	if (event->txn != NULL && event->txn->commit_lsn <= position_covered(&lake->stored))
		return;
	lake->position.unread =
		unread_renew(lake->arena, lake->position.unread, event->old_tuple.data);
	lake_set_deadline(lake);
}

/*
 * A table's rows are rewritten without events: what silver has of them is not theirs any
 * more.  Bronze has the events, and more there are not.
 */
static bool
take_rewritten(Lake *lake, const Event *event, Err *err)
{
	const char *list = event->old_tuple.data;
	Source *source;

	lake->at_boundary = false;
	if (event->txn->commit_lsn <= position_covered(&lake->stored))
		return true;
	if (!find_source(lake, event, &source, err))
		return false;
	if (source->silver == NULL)
		return true;
	if (!sources_stored(silver_table(source->silver), event))
	{
		if (list != NULL)
		{
			silver_restate(source->silver, WAITING);
			(void) silver_take_ask(source->silver); /* the reader knows */
		}
		else
			silver_set_stale(source->silver, "its rows were rewritten without events");
		source->is_touched = true;
	}
	lake->position.unread = unread_renew(lake->arena, lake->position.unread, list);
	lake_set_deadline(lake);
	return true;
}

/* Rows of a snapshot that come by the name of a partitioned table: its partitions have
 * them. */
static bool
is_doubled(const Event *event)
{
	return event->relation != NULL && event->relation->relkind == 'p' &&
	       (event->kind == EVENT_TABLE_BEGIN || event->kind == EVENT_READ ||
	        event->kind == EVENT_TABLE_PART || event->kind == EVENT_TABLE_END);
}

static bool
take_event(Lake *lake, const Event *event, Err *err)
{
	if (is_doubled(event))
	{
		lake_pass_doubled(lake, event);
		return true;
	}
	switch (event->kind)
	{
		case EVENT_COMMIT:
			return end_transaction(lake, event, err);
		case EVENT_KEEPALIVE:
			take_point(lake, event->lsn);
			return true;
		case EVENT_MESSAGE:
			/* the lake has no messages; one that stands alone is the end of something */
			if (event->txn->xid == 0)
				take_point(lake, event->lsn);
			return true;
		case EVENT_TABLE_BEGIN:
			return lake_begin_table(lake, event, err);
		case EVENT_TABLE_PART:
			return lake_take_part(lake, event, err);
		case EVENT_TABLE_END:
			return lake_end_table(lake, event, err);
		case EVENT_SNAPSHOT_END:
			return lake_end_snapshot(lake, event, err);
		case EVENT_RELATION:
			return take_relation(lake, event, err);
		case EVENT_WANTED:
			take_wanted(lake, event);
			return true;
		case EVENT_CATALOG:
			return lake_take_catalog(lake, event, err);
		case EVENT_REWRITTEN:
			return take_rewritten(lake, event, err);
		default:
			lake->at_boundary = false;
			return take_row(lake, event, err);
	}
}

static bool
take_batch(Lake *lake, const Batch *batch, Err *err)
{
	lake->has_begun = true;
	lake->received_us = clock_wall_ns() / 1000;
	for (size_t i = 0; i < batch->count; i++)
		if (!take_event(lake, &batch->events[i], err))
			return false;
	atomic_store_explicit(&lake->rows, lake->taken, memory_order_relaxed);
	atomic_store_explicit(&lake->buffered, lake->bytes, memory_order_relaxed);
	return true;
}

/* ---- The thread ---- */

/* -1: there is nothing to do but batches. */
static int64_t
wait_us(const Lake *lake)
{
	int64_t orphans_us = lake->has_begun ? orphans_wait_us(&lake->removal) : -1;
	int64_t left_us;

	if (!may_cut(lake))
		return orphans_us;
	if (atomic_load(&lake->flush_asked))
		return 0;
	left_us = lake->deadline_us - clock_mono_us();
	if (left_us < 0)
		left_us = 0;
	return orphans_us < 0 || left_us < orphans_us ? left_us : orphans_us;
}

static int
wait_ms(const Lake *lake)
{
	int64_t us = wait_us(lake);

	return us <= 0 ? (int) us : (int) (us / 1000 + 1);
}

static void
remove_orphans(Lake *lake)
{
	if (!lake->has_begun || orphans_wait_us(&lake->removal) != 0)
		return;
	(void) pthread_mutex_lock(&lake->tables);
	orphans_look(&lake->removal, lake->sources, lake->checkpoints);
	(void) pthread_mutex_unlock(&lake->tables);
	atomic_store_explicit(&lake->orphans, lake->removal.files, memory_order_relaxed);
}

/* Nothing is queued: a cut that was asked for can be made, or one that is due. */
static bool
take_pause(Lake *lake, Err *err)
{
	if (atomic_load(&lake->flush_asked) && lake->at_boundary)
	{
		atomic_store(&lake->flush_asked, false);
		if (may_cut(lake))
			return lake_cut(lake, err);
	}
	return cut_when_due(lake, err);
}

static void
fail_thread(Lake *lake)
{
	atomic_store(&lake->failed, true);
	output_wake(&lake->base);
}

static void *
run_thread(void *argument)
{
	Lake *lake = argument;

	while (!atomic_load(&lake->stopping))
	{
		bool failed = atomic_load(&lake->failed);
		Batch *batch = queue_take(lake->queue, failed ? -1 : wait_ms(lake));

		if (!failed && !(batch == NULL ? take_pause(lake, &lake->err)
		                               : take_batch(lake, batch, &lake->err)))
			fail_thread(lake);
		if (batch != NULL)
		{
			batch_unref(batch);
			output_wake(&lake->base);
		}
		if (!atomic_load(&lake->failed))
			remove_orphans(lake);
	}
	return NULL;
}

/* ---- The output ---- */

static bool
start_thread(Lake *lake, Err *err)
{
	int code;

	lake->queue = queue_new(QUEUE_BATCHES);
	code = pthread_create(&lake->thread, NULL, run_thread, lake);
	if (code != 0)
		return limits_no_thread(err, code);
	lake->is_running = true;
	return true;
}

/* Whether an output was not there from the start, and lacks what came before. */
static bool
lacks_output(const Lake *lake)
{
	static const struct
	{
		int output;
		const char *prefix;
	} kinds[] = { { OUTPUT_SILVER, "silver_" }, { OUTPUT_BRONZE, "bronze_" } };
	size_t count;
	const CheckpointRow *rows = checkpoints_last(lake->checkpoints, &count);

	for (size_t kind = 0; kind < 2 && count > 0; kind++)
	{
		size_t found = 0;

		for (size_t i = 0; i < count; i++)
			found += strncmp(rows[i].table_name,
			                 kinds[kind].prefix,
			                 strlen(kinds[kind].prefix)) == 0;
		if (found == 0 && (lake->config->outputs & kinds[kind].output) != 0)
			return true;
	}
	return false;
}

/* Whether the stream has begun without it; a cut may not have been made since. */
static bool
joins_output(const Lake *lake, const Position *stored)
{
	unsigned outputs = (unsigned) lake->config->outputs & (OUTPUT_BRONZE | OUTPUT_SILVER);

	return stored->phase == POSITION_STREAM && stored->outputs != 0 &&
	       (outputs & ~stored->outputs) != 0;
}

bool
lake_output_lacks(const Output *output)
{
	return ((const Lake *) output)->lacks;
}

static bool
doubt(Lake *lake, Source *source, const char *reason, Err *err)
{
	CutStamp stamp = store_stamp(&lake->store, &lake->stored);

	silver_restate(source->silver, reason);
	/* the next cut says so in cdc_checkpoints */
	source->is_touched = true;
	return table_commit_properties(silver_table(source->silver), stamp.timestamp_ms, err);
}

bool
lake_output_has_part(const Output *output, Lsn consistent, uint32_t relid)
{
	const Lake *lake = (const Lake *) output;

	return atomic_load(&lake->part_lsn) == consistent &&
	       atomic_load(&lake->part_relid) == relid;
}

bool
lake_output_doubt(Output *output, const char *list, const char *reason, Err *err)
{
	Lake *lake = (Lake *) output;
	bool ok = true;

	(void) pthread_mutex_lock(&lake->tables);
	for (size_t i = 0; ok && i < sources_count(lake->sources); i++)
	{
		Source *source = sources_get(lake->sources, i);

		if (source->silver != NULL && unread_has(list, source_known_as(source)))
			ok = doubt(lake, source, reason, err);
	}
	(void) pthread_mutex_unlock(&lake->tables);
	return ok;
}

static bool
lake_open(Output *output, const Position *self, Position *stored, Err *err)
{
	Lake *lake = (Lake *) output;
	int64_t started_us = clock_mono_us();

	if (!store_init(&lake->store, lake->config, err))
		return false;
	lake->store.self = *self;
	if (!checkpoints_open(&lake->store, &lake->checkpoints, err) ||
	    !sources_open(&lake->store, &lake->sources, err) ||
	    !sources_check(lake->sources, lake->checkpoints, err))
		return false;
	sources_sweep(lake->sources);
	checkpoints_sweep(lake->checkpoints);
	*stored = *checkpoints_position(lake->checkpoints);
	lake->lacks = lacks_output(lake) || joins_output(lake, stored);
	lake->position = *self;
	lake->position.phase = POSITION_STREAM;
	lake->position.commit_lsn = stored->commit_lsn;
	lake->position.end_lsn = stored->end_lsn;
	lake->position.last = stored->last;
	lake->position.unread = stored->unread;
	if (stored->phase == POSITION_STREAM)
		lake_renew_promises(lake);
	stored->unread = lake->position.unread;
	lake->stored = lake->position;
	lake->at_boundary = true;
	lake->is_initial = stored->phase != POSITION_STREAM;
	lake->is_ahead = !sources_listed(lake->sources, lake->checkpoints);
	if (stored->phase == POSITION_STREAM)
		lake->cut_floor = sources_covered(lake->sources);
	/* The end_lsn of an unfinished snapshot is where it would begin to stream. */
	if (stored->phase == POSITION_STREAM)
		atomic_store(&lake->durable_end, stored->end_lsn);
	log_info("lake",
	         "opened %zu tables in %" PRId64 " ms",
	         sources_count(lake->sources),
	         (clock_mono_us() - started_us) / 1000);
	return start_thread(lake, err);
}

static bool
lake_mark(Output *output, const Position *position, Err *err)
{
	Lake *lake = (Lake *) output;
	bool was_initial = lake->is_initial;
	bool ok;

	lake->position = *position;
	lake->position.phase = POSITION_STREAM;
	lake->is_initial = position->phase != POSITION_STREAM;
	(void) pthread_mutex_lock(&lake->tables);
	ok = (!was_initial || lake->is_initial || lake_resume(lake, err)) &&
	     checkpoints_mark(lake->checkpoints, position, err);
	(void) pthread_mutex_unlock(&lake->tables);
	if (!ok)
		return false;
	lake->stored = *position;
	lake->cut_floor = lake->is_initial ? 0 : sources_covered(lake->sources);
	if (position->phase == POSITION_STREAM)
		atomic_store(&lake->durable_end, position->end_lsn);
	return true;
}

static bool
lake_offer(Output *output, Batch *batch)
{
	Lake *lake = (Lake *) output;

	if (queue_put(lake->queue, batch_ref(batch)))
		return true;
	batch_unref(batch);
	return false;
}

static void
lake_flush(Output *output)
{
	Lake *lake = (Lake *) output;

	atomic_store(&lake->flush_asked, true);
	queue_wake(lake->queue);
}

static bool
lake_durable(Output *output, Lsn *end_lsn, Err *err)
{
	Lake *lake = (Lake *) output;

	*end_lsn = atomic_load(&lake->durable_end);
	if (!atomic_load(&lake->failed))
		return true;
	*err = lake->err;
	return false;
}

LakeCounters
lake_output_counters(const Output *output)
{
	const Lake *lake = (const Lake *) output;

	return (LakeCounters){
		.cuts = atomic_load(&lake->cuts),
		.rows = atomic_load_explicit(&lake->rows, memory_order_relaxed),
		.refused = atomic_load_explicit(&lake->refused, memory_order_relaxed),
		.orphans = atomic_load_explicit(&lake->orphans, memory_order_relaxed),
		.buffered = atomic_load_explicit(&lake->buffered, memory_order_relaxed),
		.cut_lsn = atomic_load(&lake->cut_lsn),
		.cut_us = atomic_load(&lake->cut_us),
	};
}

static void
lake_close(Output *output)
{
	Lake *lake = (Lake *) output;
	Batch *batch;

	if (lake->is_running)
	{
		atomic_store(&lake->stopping, true);
		queue_stop(lake->queue);
		(void) pthread_join(lake->thread, NULL);
	}
	while (lake->queue != NULL && (batch = queue_take(lake->queue, 0)) != NULL)
		batch_unref(batch);
	queue_free(lake->queue);
	sources_close(lake->sources);
	checkpoints_close(lake->checkpoints);
	store_fini(&lake->store);
	(void) pthread_mutex_destroy(&lake->tables);
	(void) pthread_mutex_destroy(&lake->asking);
	buf_free(&lake->asked);
	buf_free(&lake->asks);
	arena_free(lake->arena);
	free(lake);
}

static const OutputOps lake_ops = {
	.name = "lake",
	.open = lake_open,
	.mark = lake_mark,
	.offer = lake_offer,
	.flush = lake_flush,
	.durable = lake_durable,
	.close = lake_close,
};

Output *
lake_output_new(const Config *config, int wake_fd)
{
	Lake *lake = xmalloc(sizeof *lake);

	*lake =
		(Lake){ .base = { &lake_ops, wake_fd }, .config = config, .arena = arena_new() };
	(void) pthread_mutex_init(&lake->tables, NULL);
	(void) pthread_mutex_init(&lake->asking, NULL);
	lake->asked = buf_heap();
	lake->asks = buf_heap();
	return &lake->base;
}
