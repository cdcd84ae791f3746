/*
 * snapshot.c
 *		reading every table at one snapshot.
 *
 * One thread; every session is a connection whose transaction has imported the exported
 * snapshot, and the sockets are polled: the work of reading is the servers', ours is to
 * copy.  The first session also asks the catalog and holds the locks.
 *
 * 1. A reader of an old snapshot sees an empty table after a command that rewrites
 *	  it (ALTER TABLE ... TYPE, TRUNCATE): such commands are not MVCC-safe.  Therefore all
 *	  tables are locked first (ACCESS SHARE, as pg_dump does), in one savepoint each, the
 *first table's innermost, so that rolling back one releases each as soon as its table is
 *	  read.  A table rewritten before its lock was got has another file than the
 *	  snapshot's pg_class says: the snapshot starts again.
 * 2. The other sessions lock without waiting: behind a queued ALTER TABLE they would wait
 *	  for the first session, which waits for them.  Without the lock they sit this table
 *out.
 * 3. The newest batch is always held back: its last row gets its marker only when it is
 *	  known what follows (the next row, another table's, nothing).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/snapshot.h"

#include "base/clock.h"
#include "source/snapshot_state.h"

static bool finish(Snapshot *snapshot, Err *err);
static void close_all(Snapshot *snapshot);

static bool
read_all(Snapshot *snapshot, Err *err)
{
	const Table *end = snapshot->tables + snapshot->table_count;
	bool ok = true;

	for (const Table *table = snapshot->tables;
	     ok && table < end && !snapshot->reading.is_paused;
	     table++)
		if (!table->goes_on || table->part.pages != PART_WHOLE)
			ok = snapshot_read_table(snapshot, table, false, err);
	for (const Table *table = snapshot->tables;
	     ok && table < end && !snapshot->reading.is_paused;
	     table++)
		if (table->goes_on)
			ok = snapshot_read_table(snapshot, table, true, err);
	return ok;
}

bool
snapshot_run(const SnapshotRequest *request, Err *err)
{
	int64_t threads = request->config->snapshot_max_threads;
	Snapshot snapshot = {
		.request = request,
		.arena = arena_new(),
		.relations = request->relations,
		.session_limit = threads < 1              ? 1
		                 : threads > SESSIONS_MAX ? SESSIONS_MAX
		                                          : (size_t) threads,
		.held = NOTHING_HELD,
	};
	bool ok = snapshot_open_session(&snapshot, err) && snapshot_prepare(&snapshot, err);

	ok = ok && read_all(&snapshot, err);
	ok = ok && finish(&snapshot, err);
	if (snapshot.progress.started_us != 0)
		progress_end(&snapshot.progress, snapshot.rows, ok);
	close_all(&snapshot);
	return ok ||
	       (!snapshot.sink_failed && fail_while(err, "could not read the snapshot"));
}

/* ---- Batches: stamping, holding back, handing over ---- */

/* Make sure there is a batch that can be added to. */
static Batch *
pending_batch(Snapshot *snapshot)
{
	if (snapshot->pending == NULL)
	{
		snapshot->pending = batch_new(snapshot->request->budget);
		snapshot->pending->received_us = clock_mono_us();
		snapshot->pending_txn = batch_txn(snapshot->pending, &snapshot->txn);
	}
	return snapshot->pending;
}

Event *
snapshot_add_mark(Snapshot *snapshot, EventKind kind, const Relation *relation)
{
	Event *event = batch_add(pending_batch(snapshot), kind);

	event->lsn = snapshot->request->consistent;
	event->relation = relation;
	event->txn = relation == NULL ? NULL : snapshot->pending_txn;
	return event;
}

static bool
hand_over(Snapshot *snapshot, Err *err)
{
	Batch *batch = snapshot->pending;

	if (batch == NULL)
		return true;
	snapshot->pending = NULL;
	snapshot->held = NOTHING_HELD;
	batch_seal(batch);
	snapshot->sink_failed =
		!snapshot->request->sink(snapshot->request->context, batch, err);
	return !snapshot->sink_failed;
}

/* Take a batch of rows: it is held back, the one before goes to the outputs. */
bool
snapshot_hold_back(Snapshot *snapshot, Batch *batch, Err *err)
{
	const Txn *txn;

	if (!hand_over(snapshot, err))
	{
		batch_unref(batch);
		return false;
	}
	txn = batch_txn(batch, &snapshot->txn);
	for (size_t i = 0; i < batch->count; i++)
	{
		Event *event = &batch->events[i];

		event->lsn = snapshot->request->consistent;
		event->txn = txn;
		event->ordinal = (uint32_t) (snapshot->reading.rows + i);
		event->marker = SNAPSHOT_TRUE;
	}
	if (snapshot->reading.rows == 0 && snapshot->reading.is_first_table)
		batch->events[0].marker = SNAPSHOT_FIRST;
	else if (snapshot->reading.rows == 0)
		batch->events[0].marker = SNAPSHOT_FIRST_IN_COLLECTION;
	snapshot->reading.rows += batch->count;
	snapshot->rows += batch->count;
	snapshot->pending = batch;
	snapshot->pending_txn = txn;
	snapshot->held = batch->count - 1;
	return true;
}

/* A first row that is also its table's last stays the first (Debezium's order). */
void
snapshot_mark_table_end(Snapshot *snapshot)
{
	Event *event;

	if (snapshot->reading.rows == 0 || snapshot->held == NOTHING_HELD)
		return;
	event = &snapshot->pending->events[snapshot->held];
	if (event->marker != SNAPSHOT_FIRST)
		event->marker = SNAPSHOT_LAST_IN_COLLECTION;
}

static bool
finish(Snapshot *snapshot, Err *err)
{
	const char *only = snapshot->request->only;
	Event *end;

	if (snapshot->held != NOTHING_HELD)
		snapshot->pending->events[snapshot->held].marker = SNAPSHOT_LAST;
	end = snapshot_add_mark(snapshot, EVENT_SNAPSHOT_END, NULL);
	/* One byte before, where nothing commits: the point itself is reached with the last
	 * of the tables, by the caller's marker. */
	if (only != NULL)
	{
		end->relation = snapshot->empty;
		end->old_tuple = slice_from(arena_strdup(snapshot->pending->arena, only));
		end->lsn--;
		if (snapshot->reading.is_paused)
			end->new_tuple = slice_from("");
	}
	snapshot->pending->end_lsn = end->lsn;
	return hand_over(snapshot, err);
}

static void
close_all(Snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->session_count; i++)
	{
		copy_reader_fini(&snapshot->sessions[i].reader);
		batch_unref(snapshot->sessions[i].batch);
		PQfinish(snapshot->sessions[i].conn);
	}
	batch_unref(snapshot->pending);
	arena_free(snapshot->arena);
}
