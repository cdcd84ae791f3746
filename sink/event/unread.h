/*
 * unread.h
 *		the tables that an output still has to be given rows of, as a text.
 *
 * Names, "schema.table", percent-encoded but for letters, digits, '_', '-' and '.', with
 * commas between: a word of the position that the output stores (position.h).  A
 * partitioned table stands for its partitions.  Lists are never changed, so positions
 * that were copied keep theirs: what changes is a new text in the caller's arena.
 * NULL and "" are the empty list.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef EVENT_UNREAD_H
#define EVENT_UNREAD_H

#include <stdbool.h>

#include "base/arena.h"
#include "envelope/relation.h"

/* Append name to buf as it stands in a list. */
void unread_encode(Buf *buf, const char *name);

/* Take the next name off *list, into arena; NULL at the end. */
const char *unread_next(const char **list, Arena *arena);

/* name may be NULL, which no list has. */
bool unread_has(const char *list, const char *name);

/* list with the names of more, each once; list itself when nothing is new. */
const char *unread_add(Arena *arena, const char *list, const char *more);

/* list without name. */
const char *unread_remove(Arena *arena, const char *list, const char *name);

/* The same for a table that is complete.  A partition is not its partitioned table. */
const char *unread_remove_table(Arena *arena, const char *list, const Relation *relation);

#endif
