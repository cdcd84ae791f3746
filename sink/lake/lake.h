/*
 * lake.h
 *		the lake output: bronze and silver Iceberg tables.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_LAKE_H
#define LAKE_LAKE_H

#include "config/config.h"
#include "output/output.h"

/* Make the output; nothing is opened before its open().  Its close() releases it. */
Output *lake_output_new(const Config *config, int wake_fd);

/* What was done since open.  From any thread; a little late while the output runs. */
typedef struct LakeCounters
{
	uint64_t cuts;     /* published */
	uint64_t rows;     /* row changes taken in, those stored before not counted */
	uint64_t refused;  /* changes left out of bronze by
	                      event.processing.failure.handling.mode */
	uint64_t orphans;  /* files that no snapshot has, removed */
	uint64_t buffered; /* bytes of rows in memory */
	Lsn cut_lsn;       /* of the last cut; 0: none yet */
	int64_t cut_us;    /* when, since 1970 */
} LakeCounters;

LakeCounters lake_output_counters(const Output *output);

/* A silver table that is not what its source has. */
typedef struct LakeStale
{
	const char *table;
	const char *source; /* "schema.name" when it was seen last */
	uint32_t relid;     /* its OID, of the root for partitions; 0: not known */
	const char *reason;
	bool is_waiting; /* it will be read, or read on, by itself */
} LakeStale;

/* What is stored, as anybody may read it beside a worker: nothing is changed or fenced.
 */
typedef struct LakeStanding
{
	Position position; /* phase NONE: no lake yet */
	bool has_cut;
	Lsn cut_lsn;
	int64_t cut_us; /* since 1970 */
	size_t tables;  /* of the cut */
	LakeStale *stale;
	size_t stale_count;
} LakeStanding;

/* Texts are in arena. */
bool lake_standing(const Config *config, Arena *arena, LakeStanding *standing,
                   Err *err) MUST_CHECK;

/* Whether the stream of the opened lake has begun without bronze or silver, which is an
 * output now: it lacks what came before. */
bool lake_output_lacks(const Output *output);

/* Whether of the table (or root of partitions) that is being read in the snapshot at
 * consistent a part is stored, behind which it may be gone on with later. */
bool lake_output_has_part(const Output *output, Lsn consistent, uint32_t relid);

/* The tables that silver asks to have read again and that were not told yet, as a list
 * (unread.h) in arena; NULL: none. */
const char *lake_output_asked(Output *output, Arena *arena);

/* The reason of tables that are on the lists again, and read for that. */
#define LAKE_NOT_CAPTURED \
	"it was not captured for a while; it will be read again by itself"

/*
 * Say of the silver tables of the opened lake that are in list (unread.h) why they do not
 * follow their source until they are read again.  Stored before it returns.  To be called
 * before events are offered.
 */
bool lake_output_doubt(Output *output, const char *list, const char *reason,
                       Err *err) MUST_CHECK;

#endif
