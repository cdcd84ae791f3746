/*
 * whereabouts.h
 *		where tables that were known by their OIDs are today.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_WHEREABOUTS_H
#define SOURCE_WHEREABOUTS_H

#include "source/server.h"

typedef enum TablePlace
{
	PLACE_UNKNOWN,    /* nobody was asked */
	PLACE_CAPTURED,   /* cdc-sink snapshot takes it by the name found */
	PLACE_UNCAPTURED, /* it is there, and nothing of it is captured */
	PLACE_PARTITION,  /* of the table found, which is read in its place */
	PLACE_GONE,       /* it was dropped */
} TablePlace;

typedef struct Whereabouts
{
	uint32_t relid; /* whose; 0 stays PLACE_UNKNOWN */
	TablePlace place;
	const char *schema; /* what was found, in the caller's arena */
	const char *name;
} Whereabouts;

/*
 * Fill in the places of tables, and their names of today.  Of a partitioned table whose
 * partitions alone are captured, by their own names, that of the first one.
 */
bool whereabouts_find(PGconn *conn, const Config *config, Arena *arena,
                      Whereabouts *tables, size_t count, Err *err) MUST_CHECK;

#endif
