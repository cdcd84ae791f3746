/*
 * query.h
 *		SQL over Parquet files, for questions that want a join or an aggregate.
 *
 * A Query is a session of a Parquet's DuckDB, for the same thread.  Files are
 * read by field id, as parquet_open() does; columns are called c0, c1, ... in
 * the order of the fields.  Answers come as text: the SQL casts.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_QUERY_QUERY_H
#define LAKE_QUERY_QUERY_H

#include "lake/parquet/parquet.h"

typedef struct Query Query;

/*
 * Open a session that spills to a directory, which must stay until the Parquet
 * is freed, and may take memory_bytes.  parquet must outlive the query.
 */
MUST_CHECK bool query_new(Parquet *parquet, const char *spill_directory,
                          int64_t memory_bytes, Query **query, Err *err);
void query_free(Query *query); /* NULL is allowed */

/* Run SQL whose answer does not matter. */
MUST_CHECK bool query_run(Query *query, const char *sql, Err *err);

/* An answer: values by row, then column; data is NULL for a null. */
typedef struct QueryRows
{
	size_t row_count;
	size_t column_count;
	const Slice *values;
} QueryRows;

/* Run SQL whose columns are all VARCHAR; the answer, which must be small, is copied to
 * arena. */
MUST_CHECK bool query_rows(Query *query, const char *sql, Arena *arena, QueryRows *rows,
                           Err *err);

/* What a scan reads. */
typedef struct QueryScan
{
	const char *const *paths; /* local names; none: no rows */
	size_t path_count;
	const IcebergField *fields;
	int32_t field_count;
	bool with_place; /* columns filename and file_row_number, too */
} QueryScan;

/* Append a SELECT of all columns and rows of files. */
void query_scan(Buf *sql, const QueryScan *scan);

/* Append text as a string literal. */
void query_literal(Buf *sql, const char *text);

#endif
