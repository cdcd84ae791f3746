/*
 * snapshot_progress.h
 *		how far a snapshot is: a bar on a terminal, a log line every five seconds
 *elsewhere.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_SNAPSHOT_PROGRESS_H
#define SOURCE_SNAPSHOT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct SnapshotProgress
{
	double pages_total; /* over all tables */
	double pages_done;  /* of the tables that are complete */
	double table_pages; /* of the table being read */
	double table_rows;  /* expected by the planner's statistics; 0: not known */
	const char *table;  /* its name */
	size_t tables;
	size_t tables_done;
	bool terminal;
	int64_t started_us;
	int64_t printed_us;
} SnapshotProgress;

void progress_begin(SnapshotProgress *progress, double pages, size_t tables);
void progress_table(SnapshotProgress *progress, const char *name, double pages,
                    double rows);

/* Print when it is time: rows of all tables; of the current one, its rows and the pages
 * of the ranges that are complete. */
void progress_show(SnapshotProgress *progress, uint64_t rows, uint64_t table_rows,
                   double table_pages_done);

void progress_table_done(SnapshotProgress *progress);

/* Close the bar and log the sum; complete false: the snapshot was given up. */
void progress_end(SnapshotProgress *progress, uint64_t rows, bool complete);

#endif
