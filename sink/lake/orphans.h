/*
 * orphans.h
 *		files of a table that no snapshot has: found and removed.
 *
 * A kill, or a disk without room, leaves what was written for a commit that never came.
 * After each start every table is looked at, in the lake's thread between batches and for
 * at most a tenth of its time.  What is removed, and what never is:
 *
 *	1.	Only files with a name that this worker alone gives: "cdc-" and the uuid of their
 *		commit, or a temporary name.  Files of other writers, in flight or not, are left
 *		to the maintenance of those, as is anything put there by hand.
 *	2.	Only when nothing refers to it: no snapshot in the current metadata, be it main's,
 *		a branch's or a tag's, none in a metadata file that is still there, and not the
 *		next commit of this worker.  Where one of these files cannot be read, the table
 *		is left alone, with a warning.
 *	3.	Only where this worker owns the lake: the slot streams to it, the outputs are open
 *		and a first batch was taken.  But one that was paused may wake to find that a
 *		successor has come, or be that successor.  So between finding and removing there
 *		is a commit that changes nothing (table_fence): it takes the name of the metadata
 *		file that another writer's files would be committed with, so that they can never
 *		be needed, or fails.  Temporary files need none: without them nobody commits.
 *	4.	Only files older than lake.orphans.age.ms, 0 unless set: with 3 nothing is gained
 *		by waiting, and a worker that is killed often must not fill the disk.
 *
 * Most files are known without reading anything: the live ones are in memory, and a name
 * tells the snapshot that added the file.  Others are looked up in the oldest snapshot,
 * which has whatever the expired ones have left, if history is one line of our own; else
 * in all.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ORPHANS_H
#define LAKE_ORPHANS_H

#include "lake/sources.h"

/* Zero-initialise. */
typedef struct Orphans
{
	size_t next;    /* table to look at */
	int64_t due_us; /* not before; 0: at once */
	bool is_over;   /* every table was looked at */
	uint64_t files; /* removed since the start */
	uint64_t bytes;
	uint64_t told; /* of the files, in the log */
} Orphans;

/* Look at some tables.  What fails is logged, and left to the next start. */
void orphans_look(Orphans *orphans, Sources *sources, Checkpoints *checkpoints);

/* There may be new tables. */
void orphans_resume(Orphans *orphans);

/* How long until the next table may be looked at; -1: there is none. */
int64_t orphans_wait_us(const Orphans *orphans);

#endif
