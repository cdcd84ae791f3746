/*
 * partial.h
 *		what an output has of a table whose snapshot is under way, as a text.
 *
 * Rows are read by ranges of pages.  What is stored when the worker is killed need not be
 * read again: a later snapshot has to give only
 *
 *		the rows in pages from `pages` on, and
 *		those before whose version was made since: xmin >= `xmin`.
 *
 * Every row that the later snapshot sees and that is neither was in those pages as it is
 * when they were read, and the output has it.  Row versions never move to another page
 * but by commands that give the table another file; `filenode` tells.  What was deleted
 * since comes by the stream.  So does what is new, whole but for unchanged TOAST values:
 * a row may have come into those pages by an update that did not bring them.  Only for
 * tables that have TOAST it is read, at the end.
 *
 * A partitioned table has a part for each partition begun.  What is complete has
 * PART_WHOLE pages.
 * The text, "relid:filenode:pages:xmin" with '+' between, stands in the list of tables
 * unread (unread.h).  NULL is nothing.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef EVENT_PARTIAL_H
#define EVENT_PARTIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "envelope/buf.h"

#define PART_WHOLE UINT64_MAX

typedef struct PartRead
{
	uint32_t relid;
	uint32_t filenode; /* pg_class.relfilenode when it was read */
	uint64_t pages;    /* all rows in pages below are stored */
	uint64_t xmin;     /* of the first snapshot that they were read in, with its epoch */
} PartRead;

void partial_print(Buf *buf, const PartRead *part);

/* Take the next part off *text; false at the end, and where the text is no part. */
bool partial_next(const char **text, PartRead *part);

bool partial_find(const char *text, uint32_t relid, PartRead *part);

/* text with part in place of what it has of that relid. */
const char *partial_with(Arena *arena, const char *text, const PartRead *part);

/* What both have: of parts with the same file the fewer pages and the older snapshot. */
const char *partial_meet(Arena *arena, const char *a, const char *b);

#endif
