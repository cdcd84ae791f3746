/*
 * engine.h
 *		what the files of parquet/ share: the DuckDB instance and typed vectors.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_PARQUET_ENGINE_H
#define LAKE_PARQUET_ENGINE_H

#include <duckdb.h>

#include "lake/parquet/parquet.h"

typedef struct WriteJob WriteJob;

struct Parquet
{
	duckdb_database database;
	duckdb_connection connection; /* for writes */
	WriteJob *job;                /* the write under way: what cdc_rows() yields */
	int64_t memory_bytes;         /* for what is of usual size */
	int64_t limit;                /* in force */
};

/* A file of so many columns will be written: raises the limit where their buffers alone
 * could exceed it. */
MUST_CHECK bool engine_expect_columns(Parquet *parquet, int32_t columns, Err *err);

/* Run SQL that returns nothing of interest. */
MUST_CHECK bool engine_run(duckdb_connection connection, const char *sql, Err *err);

/* Put a result's error into err, disk and file errors in the words of the system. */
bool engine_fail(duckdb_result *result, Err *err);

/* Make cdc_rows() known to the connection of parquet (write.c). */
MUST_CHECK bool write_register(Parquet *parquet, Err *err);

/* ---- Typed vectors (vector.c) ---- */

/* A vector of a chunk and its children, as a column's Iceberg type says. */
typedef struct Column Column;
struct Column
{
	const IcebergType *type;
	duckdb_vector vector;
	void *values;
	uint64_t *validity; /* NULL: all valid, until a null is written */
	Column *children;   /* list 1, map 2 */
	idx_t used;         /* of a list: items written */
	idx_t room;         /* of a list: items its children can take */
};

/* The column of a type, to be bound to each chunk in turn. */
void column_init(Column *column, const IcebergType *type, Arena *arena);

/* Follow vector and its children.  Once for each chunk. */
void column_bind(Column *column, duckdb_vector vector);

/* ERR_DATA for text that is not UTF-8. */
MUST_CHECK bool column_put(Column *column, idx_t row, const Cell *cell, Err *err);

/* The same for long text or binary, which is not copied: it must stay while the chunk is
 * in use. */
MUST_CHECK bool column_lend(Column *column, idx_t row, Slice bytes, Err *err);
Cell column_get(const Column *column, idx_t row, Arena *arena);

duckdb_logical_type type_logical(const IcebergType *type);
void type_sql(Buf *sql, const IcebergType *type);

/* Append text as an SQL string literal; name as a quoted identifier. */
void sql_literal(Buf *sql, const char *text);
void sql_name(Buf *sql, const char *name);

/*
 * Append ", schema = MAP {...}" to the arguments of read_parquet(): the fields, by id, as
 * columns c0, c1, ...; what a file calls them does not matter (read.c).
 */
void sql_by_field_id(Buf *sql, const IcebergField *fields, int32_t count);

/* ---- Column metrics (metrics.c) ---- */

typedef struct Metrics Metrics;

Metrics *metrics_new(Arena *arena, const IcebergSchema *schema);
void metrics_row(Metrics *metrics, const Cell *row);

/* Fill counts and bounds of file, in arena. */
void metrics_finish(const Metrics *metrics, Arena *arena, DataFile *file);

#endif
