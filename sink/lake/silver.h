/*
 * silver.h
 *		the current row per key of one source table.
 *
 * Changes are folded in memory as they come: a buffered row that changes again
 * is replaced, a stored one is marked dead.  Rows are kept as the wire's tuples
 * and converted when they are written, so a row that changed a hundred times
 * between two cuts is converted once.
 *
 *		key index:  key -> (0, slot of the buffer) | (file number, position)
 *
 * silver_flush() writes the buffer to a data file that nothing refers to yet; it
 * may be called at any time, in the middle of a transaction too, to free memory.
 * silver_prepare() adds what else the next commit needs.  There is no undo: after a
 * failure everything here is thrown away and read again from the table (lake.md 3).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_SILVER_H
#define LAKE_SILVER_H

#include "event/event.h"
#include "lake/table.h"

typedef struct Silver Silver;

/* Open an existing table and build its key index from its files. */
MUST_CHECK bool silver_open(Store *store, Table *table, Silver **silver, Err *err);

/* Make the table of a relation, empty.  name is that of the Iceberg table. */
MUST_CHECK bool silver_make(Store *store, const char *name, const Relation *relation,
                            Silver **silver, Err *err);

void silver_close(Silver *silver); /* the table too; NULL is allowed */

Table *silver_table(Silver *silver);
uint32_t silver_relid(const Silver *silver); /* of the table, or the leaves' root */

/* Whether relid is the table, or a leaf of it that was seen. */
bool silver_tracks(const Silver *silver, uint32_t relid);

/* The tables that it tracks: itself, or its leaves; 0 behind the last. */
uint32_t silver_tracked(const Silver *silver, int32_t i);

/* Leaf relid is not of this table any more; its rows stay. */
MUST_CHECK bool silver_forget(Silver *silver, uint32_t relid, Err *err);

/* Why silver differs from its source until it is read again; NULL: it does not. */
const char *silver_stale(const Silver *silver);

/* Make it so: the first reason stays. */
void silver_set_stale(Silver *silver, const char *reason);

/* The same, with the reason in place of the one before. */
void silver_restate(Silver *silver, const char *reason);

/* What the reason of a table ends with that will be read again without somebody's doing.
 */
#define SILVER_PROMISE "; it will be read again by itself"

/* Whether snapshots read the table: else it does not ask. */
void silver_set_readable(Silver *silver, bool is_readable);

/* Make it stale for what reading it again mends, and ask for that. */
void silver_ask(Silver *silver, const char *reason);

/* Ask for what its reason promises; false: snapshots leave the table out. */
bool silver_ask_again(Silver *silver);

/* Whether it asks, and has not been heard; silver_take_ask(): now it has. */
bool silver_asks(const Silver *silver);
bool silver_take_ask(Silver *silver);

/* Whether its reason ends with the promise; and take that back, saying why. */
bool silver_reason_is_promised(const char *reason);
bool silver_is_promised(const Silver *silver);
void silver_break_promise(Silver *silver, const char *why);

/* That it has not all rows of a table that is still to be read on, unless it is stale for
 * another reason; and that it has. */
void silver_set_partial(Silver *silver);
void silver_set_whole(Silver *silver);

bool silver_is_partial(const Silver *silver);

/* Whether the rows are not, or not all, those of a table that was read. */
bool silver_is_unread(const Silver *silver);

bool silver_has_key(const Silver *silver); /* one that tells a row from all others */

/* That silver was never given the table's rows. */
void silver_set_unread(Silver *silver);

/*
 * From here on the table is as relation says.  Does nothing for a version that
 * is in force.  ERR_CONFIG when somebody must decide (shape.h).
 */
MUST_CHECK bool silver_relation(Silver *silver, const Relation *relation, Err *err);

/* An INSERT, UPDATE, DELETE, TRUNCATE or READ, in order. */
MUST_CHECK bool silver_event(Silver *silver, const Event *event, Err *err);

/* The initial snapshot of the table begins: what is stored will be replaced. */
MUST_CHECK bool silver_replace(Silver *silver, const Relation *relation, Err *err);

/* Remove all rows; what it was stale by is over with them. */
void silver_clear(Silver *silver);

/* Memory of buffered rows. */
size_t silver_bytes(const Silver *silver);
int64_t silver_rows(const Silver *silver);

/* Write buffered rows to a data file, uncommitted. */
MUST_CHECK bool silver_flush(Silver *silver, Err *err);

/* Flush, and put all else into the table's next commit: rewritten files, position
 * deletes. */
MUST_CHECK bool silver_prepare(Silver *silver, Err *err);

/* The commit is in. */
void silver_committed(Silver *silver);

#endif
