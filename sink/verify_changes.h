/*
 * verify_changes.h
 *		what a stretch of the stream did to rows, by key: the last word on each.
 *
 * Rows are known by the key that silver has for them.  One thread.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SINK_VERIFY_CHANGES_H
#define SINK_VERIFY_CHANGES_H

#include "base/lsn.h"
#include "lake/compare.h"

typedef struct Changes Changes;

typedef struct Change
{
	const Relation *relation; /* of tuple, or of the last one that there was */
	Slice key;                /* compare_key() */
	Slice tuple;              /* NULL data: deleted */
	bool on_older; /* a value unchanged in tuple is that of the row before the stretch */
	bool seen;     /* for the caller's use */
	Slice first;   /* the first tuple that held the key */
	const Relation *first_relation;
} Change;

/* What was done to a table as a whole. */
typedef struct TableNote
{
	uint32_t relid;
	bool truncated;
	bool unkeyed;   /* rows were updated or deleted that have no key */
	bool added;     /* rows came that have no key */
	bool rewritten; /* rows changed without events */
} TableNote;

/* Keys are compare's, which must stay. */
Changes *changes_new(Compare *compare);
void changes_free(Changes *changes);

/* Take from the next frame of the stream the transactions that commit in [from, to). */
bool changes_frame(Changes *changes, Slice frame, Lsn from, Lsn to, Err *err) MUST_CHECK;

/* Whether the last frame ended within a transaction. */
bool changes_in_transaction(const Changes *changes);

/* What is known of a table; the note stays where it is until the next frame or note. */
const TableNote *changes_note(Changes *changes, uint32_t relid);

/* The change to the row of tuple; NULL when there is none, or no key.  changes_next()
 * alone brings rows that came without a key. */
bool changes_find(Changes *changes, const Relation *relation, Slice tuple,
                  Change **change, Err *err) MUST_CHECK;

/* One change after another, in no order; *at starts at 0.  NULL at the end. */
const Change *changes_next(const Changes *changes, size_t *at);

/*
 * The row of change, given the row before the stretch (data NULL: not known).  What
 * stays unknown is unchanged in it, too.  Valid until the next call.
 */
Slice changes_row(Changes *changes, const Change *change, const Relation *relation,
                  Slice older);

#endif
