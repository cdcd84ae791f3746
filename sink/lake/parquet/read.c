/*
 * read.c
 *		rows of a Parquet file in their order, columns chosen by field id.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>

#include "lake/parquet/engine.h"
#include "lake/storage/damage.h"

struct ParquetRows
{
	Arena *arena;
	const char *local_path;
	duckdb_connection connection;
	duckdb_prepared_statement statement;
	duckdb_result result;
	duckdb_data_chunk chunk;
	idx_t count; /* rows of chunk */
	idx_t row;
	const int64_t *positions;
	int32_t field_count;
	Column *columns;
};

static const IcebergType position_type = { .kind = ICEBERG_LONG };

void
sql_by_field_id(Buf *sql, const IcebergField *fields, int32_t count)
{
	buf_text(sql, ", schema = MAP {");
	for (int32_t i = 0; i < count; i++)
	{
		Buf type = buf_heap();

		type_sql(&type, &fields[i].type);
		buf_printf(
			sql, "%s%d: {name: 'c%d', type: ", i == 0 ? "" : ", ", fields[i].id, i);
		sql_literal(sql, buf_cstr(&type));
		buf_text(sql, ", default_value: NULL}");
		buf_free(&type);
	}
	buf_char(sql, '}');
}

static void
read_sql(Buf *sql, const ParquetRead *read)
{
	buf_text(sql, "SELECT file_row_number");
	for (int32_t i = 0; i < read->field_count; i++)
	{
		buf_text(sql, ", ");
		if (read->by_name)
			sql_name(sql, read->fields[i].name);
		else
			buf_printf(sql, "c%d", i);
	}
	buf_text(sql, " FROM read_parquet(");
	sql_literal(sql, read->local_path);
	buf_text(sql, ", file_row_number = true, hive_partitioning = false");
	if (!read->by_name && read->field_count > 0)
		sql_by_field_id(sql, read->fields, read->field_count);
	buf_char(sql, ')');
}

/* Preparing failed, which tells a text only: ask in a way that tells the kind as well. */
static bool
explain_failure(duckdb_connection connection, const char *sql, Err *err)
{
	Buf explain = buf_heap();
	bool ok;

	buf_text(&explain, "EXPLAIN ");
	buf_text(&explain, sql);
	ok = engine_run(connection, buf_cstr(&explain), err);
	buf_free(&explain);
	if (ok)
		return fail(err, ERR_RETRY, "DuckDB could not prepare a query that it can run");
	return false;
}

static bool
read_start(Parquet *parquet, ParquetRows *rows, const char *sql, Err *err)
{
	if (duckdb_connect(parquet->database, &rows->connection) != DuckDBSuccess)
		return fail(err, ERR_FATAL, "could not connect to DuckDB");
	if (duckdb_prepare(rows->connection, sql, &rows->statement) != DuckDBSuccess)
		return explain_failure(rows->connection, sql, err);
	if (duckdb_execute_prepared_streaming(rows->statement, &rows->result) !=
	    DuckDBSuccess)
		return engine_fail(&rows->result, err);
	return true;
}

bool
parquet_open(Parquet *parquet, const ParquetRead *read, ParquetRows **rows, Err *err)
{
	ParquetRows *opened = xmalloc(sizeof *opened);
	Buf sql = buf_heap();
	bool ok;

	*opened = (ParquetRows){ .arena = arena_new(), .field_count = read->field_count };
	opened->local_path = arena_strdup(opened->arena, read->local_path);
	opened->columns =
		arena_zero(opened->arena, sizeof(Column) * (size_t) (read->field_count + 1));
	column_init(&opened->columns[0], &position_type, opened->arena);
	for (int32_t i = 0; i < read->field_count; i++)
		column_init(&opened->columns[i + 1], &read->fields[i].type, opened->arena);
	read_sql(&sql, read);
	ok = read_start(parquet, opened, buf_cstr(&sql), err);
	buf_free(&sql);
	if (!ok)
	{
		parquet_close(opened);
		opened = NULL;
		(void) damage_reading(err, read->local_path);
	}
	*rows = opened;
	return ok;
}

bool
parquet_next(ParquetRows *rows, bool *end, Err *err)
{
	*end = false;
	if (++rows->row < rows->count)
		return true;
	for (;;)
	{
		duckdb_destroy_data_chunk(&rows->chunk);
		rows->chunk = duckdb_fetch_chunk(rows->result);
		if (rows->chunk == NULL)
		{
			*end = true;
			if (duckdb_result_error(&rows->result) == NULL)
				return true;
			(void) engine_fail(&rows->result, err);
			return damage_reading(err, rows->local_path);
		}
		rows->row = 0;
		rows->count = duckdb_data_chunk_get_size(rows->chunk);
		if (rows->count > 0)
			break;
	}
	for (int32_t i = 0; i <= rows->field_count; i++)
		column_bind(&rows->columns[i],
		            duckdb_data_chunk_get_vector(rows->chunk, (idx_t) i));
	rows->positions = rows->columns[0].values;
	return true;
}

bool
parquet_damaged(const ParquetRows *rows, const char *what, Err *err)
{
	(void) fail(err, ERR_FATAL, "%s", what);
	return damage_found(err, rows->local_path);
}

int64_t
parquet_position(const ParquetRows *rows)
{
	return rows->positions[rows->row];
}

Cell
parquet_cell(const ParquetRows *rows, int32_t column, Arena *arena)
{
	return column_get(&rows->columns[column + 1], rows->row, arena);
}

void
parquet_close(ParquetRows *rows)
{
	if (rows == NULL)
		return;
	duckdb_destroy_data_chunk(&rows->chunk);
	duckdb_destroy_result(&rows->result);
	duckdb_destroy_prepare(&rows->statement);
	duckdb_disconnect(&rows->connection);
	arena_free(rows->arena);
	free(rows);
}
