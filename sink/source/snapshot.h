/*
 * snapshot.h
 *		the initial snapshot: COPY in binary of ctid ranges, in parallel, from one
 *snapshot.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_SNAPSHOT_H
#define SOURCE_SNAPSHOT_H

#include "event/event.h"
#include "source/server.h"

/*
 * Takes a sealed batch over (its reference).  Called by the thread that runs
 * snapshot_run; may block for room.  False stops the snapshot with err.
 */
typedef bool (*SnapshotSink)(void *context, Batch *batch, Err *err);

typedef struct SnapshotRequest
{
	const Config *config;
	const char *snapshot; /* exported name */
	Lsn consistent;       /* LSN of every row */
	BatchBudget *budget;
	const char *only;    /* schema.table: this one, or its partitions; NULL: all wanted */
	const char *partial; /* what all outputs have of only (partial.h); NULL: nothing */
	SnapshotSink sink;
	/* Called all the time while there is nothing to hand over, for what else must go on;
	 * false stops the snapshot with err.  NULL: nothing must. */
	bool (*idle)(void *context, Err *err);
	/* Asked between ranges when something was gained: whether to leave the rest of only
	 * for another time.  NULL: no. */
	bool (*pause)(void *context);
	void *context;    /* of sink, idle and pause */
	Arena *relations; /* tables' descriptions live there and must outlive every batch */
	atomic_int *stop; /* nonzero: give up with ERR_RETRY "asked to stop" */
} SnapshotRequest;

/*
 * Read every wanted table, or only one (which snapshot.include.collection.list need not
 * name; its SNAPSHOT_END carries the name), in the order of table.include.list's
 * expressions and then of schema.name, or as snapshot.tables.order.by.row.count says:
 * TABLE_BEGIN, READ events with Debezium's markers (first, first_in_data_collection,
 * last_in_data_collection, last; one row is held back for them), TABLE_END; after the
 * last table SNAPSHOT_END at consistent. Ranges of one table are read by
 * snapshot.max.threads sessions; rows of a table may come in any order, but for those of
 * a user's SELECT.  With the output Kafka a partitioned table comes by its own name
 * (relkind p), too, unless publish.via.partition.root says that its partitions do.
 * Progress is shown: a bar on a terminal, log lines otherwise.
 *
 * A table of several ranges can be gone on with after a kill: TABLE_PART says, behind
 * them, which rows have come (partial.h).  What is gone on with comes in two turns, the
 * second for what is new in its part, each with TABLE_BEGIN.  Not those of a user's
 * SELECT, and not, where children are read with it, one that has any.  What partial has
 * of a table that has other files by now is worth nothing, and the table is read from its
 * beginning.
 *
 * The session that exported the snapshot must stay as it is until the end.  Tables are
 * locked in ACCESS SHARE mode until they have been read.  ERR_RETRY when a table was
 * truncated, rewritten or dropped after the snapshot was made and before it was locked,
 * or was changed by DDL under way: begin again with a new slot.  ERR_CONFIG with a hint
 * when the role may not read a table, or only some of its rows.
 *
 * Every READ's txn: commit_lsn consistent, commit_us the time of the reading transaction,
 * xid the first one that the snapshot does not see.
 */
bool snapshot_run(const SnapshotRequest *request, Err *err) MUST_CHECK;

/* What server_tables() lists beside ordinary tables for a snapshot. */
unsigned snapshot_more_tables(const Config *config);

#endif
