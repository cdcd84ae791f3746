/*
 * checkpoints.h
 *		the Iceberg table cdc_checkpoints: which snapshots of the tables belong together.
 *
 * Written last in every cut: only a cut found here is consistent (lake.md 2).  It
 * holds the last cuts, one row for each table and cut:
 *
 *		cut_lsn, end_lsn, committed_at, table_name, snapshot_id, status (live, stale)
 *
 * The lake's position is its property "cdc.position": of the last cut, or later
 * when only a marker was stored, or of a phase before there are cuts.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_CHECKPOINTS_H
#define LAKE_CHECKPOINTS_H

#include "lake/table.h"

#define CHECKPOINTS_TABLE "cdc_checkpoints"

typedef struct Checkpoints Checkpoints;

typedef struct CheckpointRow
{
	Lsn cut_lsn;
	Lsn end_lsn;
	int64_t committed_us;
	const char *table_name;
	int64_t snapshot_id;
	const char *status;
} CheckpointRow;

/* Open the table; it is made by the first checkpoints_mark().  A stored position of
 * another source is refused as ERR_CONFIG. */
MUST_CHECK bool checkpoints_open(Store *store, Checkpoints **checkpoints, Err *err);

/* Before checkpoints_open(), to read only: take the lake for what it says it is, whose
 * stream it holds being the caller's to judge. */
MUST_CHECK bool checkpoints_adopt(Store *store, Err *err);

void checkpoints_close(Checkpoints *checkpoints); /* NULL is allowed */

/* The stored position; phase NONE when there is none. */
const Position *checkpoints_position(const Checkpoints *checkpoints);

/* Store position alone. */
MUST_CHECK bool checkpoints_mark(Checkpoints *checkpoints, const Position *position,
                                 Err *err);

/* Begin the rows of a cut; add one for each table; publish. */
void checkpoints_begin(Checkpoints *checkpoints);
void checkpoints_add(Checkpoints *checkpoints, const char *table_name,
                     int64_t snapshot_id, const char *status);
MUST_CHECK bool checkpoints_publish(Checkpoints *checkpoints, const CutStamp *stamp,
                                    Err *err);

/* The snapshots of all cuts it holds: whoever reads one of them finds it there.  The
 * caller frees. */
int64_t *checkpoints_snapshots(const Checkpoints *checkpoints, size_t *count);

/* NULL: not made yet. */
Table *checkpoints_table(Checkpoints *checkpoints);

/* Remove what is left of earlier states of the table. */
void checkpoints_clean(Checkpoints *checkpoints);
void checkpoints_sweep(Checkpoints *checkpoints);

/* The rows of the newest cut; the array is the checkpoints' own. */
const CheckpointRow *checkpoints_last(const Checkpoints *checkpoints, size_t *count);

#endif
