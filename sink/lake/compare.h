/*
 * compare.h
 *		a silver table against the rows that its source holds: the lake's part of `cdc-sink
 *verify`.
 *
 * Read only.  Source rows come as wire tuples and go through the same mapping and
 * rules as silver's own rows into a temporary Parquet file; then both sides are
 * compared by DuckDB, in both directions, as multisets over all source columns
 * and _overflow.
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
 * Begin a table: its silver table at the cut.  False with ERR_DATA when there is none, or
 * it is marked stale (the text says so); the comparison goes on with the next table.
 */
bool compare_begin(Compare *compare, const Relation *relation, Err *err) MUST_CHECK;

/* A row that the source holds. */
bool compare_row(Compare *compare, Slice tuple, Err *err) MUST_CHECK;

/* The key in tuple changed after the cut: it is left out on both sides.  Only for tables
 * with a key. */
bool compare_leave_out(Compare *compare, Slice tuple, Err *err) MUST_CHECK;

#define COMPARE_KEYS 10

typedef struct CompareResult
{
	int64_t source_rows;
	int64_t silver_rows;
	int64_t left_out;    /* silver rows whose key was left out */
	int64_t only_source; /* rows that silver lacks, or holds with other values */
	int64_t only_silver;
	int key_count;
	const char *keys[COMPARE_KEYS]; /* of the first differing rows, printable; valid until
	                                   the next begin */
	const char *sides[COMPARE_KEYS]; /* "source" or "silver": where that row is */
} CompareResult;

/* End the table. */
bool compare_end(Compare *compare, CompareResult *result, Err *err) MUST_CHECK;

#endif
