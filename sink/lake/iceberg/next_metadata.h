/*
 * next_metadata.h
 *		the metadata that follows from a change, and the summary of its snapshot.
 *
 * Private to the commit builder.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ICEBERG_NEXT_METADATA_H
#define LAKE_ICEBERG_NEXT_METADATA_H

#include "lake/iceberg/commit.h"

/* What a commit did, by FileContent where there are three. */
typedef struct CommitCounts
{
	int64_t added_files[3];
	int64_t added_rows[3];
	int64_t removed_files[3];
	int64_t removed_rows[3];
	int64_t added_bytes;
	int64_t removed_bytes;
	int64_t changed_partitions;
	int64_t manifests_created;
	int64_t manifests_kept;
	int64_t manifests_replaced;
} CommitCounts;

/* "append", "delete", "overwrite" or "replace". */
const char *commit_operation(const TableChange *change, const CommitCounts *counts);

/* The summary: operation, counters, totals of the next state, engine, extras. */
IcebergProperties commit_summary(Arena *arena, const TableChange *change,
                                 const CommitCounts *counts, const TableTotals *totals);

/*
 * The next metadata but for the new snapshot: schemas, specs, properties,
 * expired snapshots, metadata log.  It borrows from state and change.
 */
MUST_CHECK bool next_metadata_begin(Arena *arena, const TableState *state,
                                    const TableChange *change, TableMetadata **next,
                                    Err *err);

/* Add the snapshot and make it current. */
void next_metadata_add_snapshot(Arena *arena, TableMetadata *next,
                                const IcebergSnapshot *snapshot);

#endif
