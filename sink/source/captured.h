/*
 * captured.h
 *		the tables that are captured, as lists for positions (event/unread.h).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_CAPTURED_H
#define SOURCE_CAPTURED_H

#include "source/server.h"

/*
 * What an initial snapshot would read now, as a list (event/unread.h) in arena: the
 * partitioned table in place of its partitions; NULL when there is nothing.
 */
bool captured_list(PGconn *conn, const Config *config, Arena *arena, const char **list,
                   Err *err) MUST_CHECK;

/* The configuration's lists that decide which tables are captured, as one word in arena.
 */
const char *captured_lists(const Config *config, Arena *arena);

/* What changed lists mean for the tables that there are now; partitions stand for their
 * partitioned table. */
typedef struct CapturedChange
{
	const char *added;   /* captured, and were not */
	const char *unread;  /* of these what snapshots read */
	const char *removed; /* not captured any more */
} CapturedChange;

/* Compare what is captured with what was under lists (captured_lists()).  ERR_FATAL for a
 * text that is none. */
bool captured_change(PGconn *conn, const Config *config, const char *lists, Arena *arena,
                     CapturedChange *change, Err *err) MUST_CHECK;

#endif
