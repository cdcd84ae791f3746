/*
 * compare.h
 *		a silver table against the rows that its source holds: the lake's part of
 *"cdc-sink verify".
 *
 * Read only: nothing is written to the warehouse, and a worker may write to it
 * meanwhile.  Source rows come as wire tuples and go through the same mapping and
 * rules as silver's own rows into temporary Parquet files; then both sides are
 * compared by DuckDB, in both directions, as multisets over all source columns
 * and _overflow, by digests.  NaN equals NaN, and -0.0 equals 0.0.  Whatever max.memory
 * is, DuckDB may take 256 MB; beyond that, or max.memory, it spills.
 *
 * Columns that silver does not have yet are left aside: it hears of a new column
 * with the next change to the table.
 *
 * One thread.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_COMPARE_H
#define LAKE_COMPARE_H

#include "config/config.h"
#include "event/event.h"
#include "event/position.h"

typedef struct Compare Compare;

/* Open the configured warehouse and namespace.  compare_free() releases it. */
bool compare_open(const Config *config, Compare **compare, Err *err) MUST_CHECK;
void compare_free(Compare *compare); /* NULL is allowed */

/*
 * Read the last published cut anew; the tables are compared at it.  phase NONE when
 * nothing was published.
 */
bool compare_cut(Compare *compare, Position *cut, Err *err) MUST_CHECK;

/*
 * Append what tells the row of tuple from the other rows of relation in silver: the
 * values of its key.  Appends nothing when there is no key.  May be called at any time.
 * ERR_DATA when tuple is malformed.
 */
bool compare_key(Compare *compare, const Relation *relation, Slice tuple, Buf *key,
                 Err *err) MUST_CHECK;

/*
 * Begin a table, or a partitioned one by any of its leaves: its silver table at the cut.
 * A table that has none is compared as if it were empty.  False with ERR_DATA when it is
 * marked stale, or the source has become what silver cannot hold (the text says so); the
 * comparison goes on with the next table.
 */
bool compare_begin(Compare *compare, const Relation *relation, Err *err) MUST_CHECK;

/* Whether the cut has a silver table of relation, which is no partition, or of an earlier
 * one of its name. */
bool compare_has(Compare *compare, const Relation *relation, bool *has,
                 Err *err) MUST_CHECK;

/* A silver table of the cut that was not begun. */
typedef struct CompareRest
{
	const char *table;
	const char *source; /* "schema.name", as it was */
	const char *reason; /* why it is stale; NULL: it is not */
} CompareRest;

/* The next of them from *at, which starts at 0; false at the end.  Texts are valid until
 * the next cut. */
bool compare_rest(const Compare *compare, size_t *at, CompareRest *rest);

/*
 * Tuples from here on are of relation: another leaf of the same partitioned table, or
 * another version of the table.  Cheap for one seen before.  Errors as compare_begin().
 * A relation must stay until compare_end().
 */
bool compare_relation(Compare *compare, const Relation *relation, Err *err) MUST_CHECK;

/* A row that the source holds.  One with an unchanged value, which nobody knows, is left
 * out by its key. */
bool compare_row(Compare *compare, Slice tuple, Err *err) MUST_CHECK;

/* The key in tuple changed after the cut: it is left out on both sides.  Only for tables
 * with a key. */
bool compare_leave_out(Compare *compare, Slice tuple, Err *err) MUST_CHECK;

#define COMPARE_KEYS      10
#define COMPARE_KEY_BYTES 200

typedef struct CompareResult
{
	int64_t source_rows; /* compared, as silver_rows: without those left out */
	int64_t silver_rows;
	int64_t left_out;    /* silver rows whose key was left out */
	bool is_unknown;     /* silver has no such table, and keys were left out: equal says
	                        nothing */
	int64_t only_source; /* rows that silver lacks, or holds with other values */
	int64_t only_silver;
	int key_count;
	const char
		*keys[COMPARE_KEYS]; /* of the first differing rows, or the rows where there
	                            is no key; printable, at most COMPARE_KEY_BYTES
	                            long; valid until the next begin */
	const char *sides[COMPARE_KEYS]; /* "source" or "silver": where that row is */
} CompareResult;

/* End the table. */
bool compare_end(Compare *compare, CompareResult *result, Err *err) MUST_CHECK;

#endif
