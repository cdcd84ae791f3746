/*
 * snapshot.h
 *		the initial snapshot: COPY in binary of ctid ranges, in parallel, from one exported
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
	SnapshotSink sink;
	void *context;
	atomic_int *stop; /* nonzero: give up with ERR_RETRY "asked to stop" */
} SnapshotRequest;

/*
 * Read every wanted table, in order of schema and name: TABLE_BEGIN, READ events with
 * Debezium's markers (first, first_in_data_collection, last_in_data_collection, last; one
 * row is held back for them), TABLE_END; after the last table SNAPSHOT_END at consistent.
 * Ranges of one table are read by snapshot.max.threads sessions; rows of a table may come
 * in any order. Progress is shown: a bar on a terminal, log lines otherwise.
 */
bool snapshot_run(const SnapshotRequest *request, Err *err) MUST_CHECK;

#endif
