/*
 * unread.h
 *		the tables that an output still has to be given rows of, as a text.
 *
 * Names, "schema.table", percent-encoded but for letters, digits, '_', '-' and '.', with
 * commas between: a word of the position that the output stores (position.h).  A
 * partitioned table stands for its partitions.  Behind a name, and '@', may stand what
 *the output has of the table already (partial.h).  Lists are never changed, so positions
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
#include "event/partial.h"

/* The name of the table that relation is or belongs to, appended to buf, whose text is
 * returned. */
const char *unread_name(Buf *buf, const Relation *relation);

/* Append name to buf as it stands in a list. */
void unread_encode(Buf *buf, const char *name);

/* Take the next name off *list, without what is behind it, into arena; NULL at the end.
 */
const char *unread_next(const char **list, Arena *arena);

/* name may be NULL, which no list has. */
bool unread_has(const char *list, const char *name);

/* What the list says of name beside that it is unread (partial.h), in arena; NULL:
 * nothing. */
const char *unread_partial(Arena *arena, const char *list, const char *name);

/*
 * list with part for the table that relation is or belongs to, its other parts kept. list
 * itself where that has no such table, or text is no part.
 */
const char *unread_advance(Arena *arena, const char *list, const Relation *relation,
                           const char *text);

/* list with the names of more, each once; list itself when nothing is new. */
const char *unread_add(Arena *arena, const char *list, const char *more);

/* The same, and without what the list has of these: they are to be read from their
 * beginning. */
const char *unread_renew(Arena *arena, const char *list, const char *more);

/* list without what it has of the table that relation is or belongs to; list itself when
 * that is nothing. */
const char *unread_forget(Arena *arena, const char *list, const Relation *relation);

/* list without name. */
const char *unread_remove(Arena *arena, const char *list, const char *name);

/*
 * list when relation is complete: without the table, or where it is a partition, or a
 * partitioned table that is read by its own name, too, with all of it as part (text, as
 * above).
 */
const char *unread_complete(Arena *arena, const char *list, const Relation *relation,
                            const char *text);

#endif
