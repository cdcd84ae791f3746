/*
 * read.c
 *		rows of Parquet files in their order, columns chosen by field id.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>

#include "lake/parquet/engine.h"
#include "lake/storage/damage.h"

/* Before the columns that are asked for. */
enum
{
	COLUMN_POSITION,
	COLUMN_FILE,
	COLUMNS_BEFORE,
};

struct ParquetRows
{
	Parquet *parquet;
	ParquetRead read;
	Arena *arena;
	duckdb_connection connection;
	duckdb_prepared_statement statement;
	duckdb_result result;
	duckdb_data_chunk chunk;
	idx_t count; /* rows of chunk */
	idx_t row;
	const int64_t *positions;
	const int64_t *files;
	int32_t file; /* of the current row */
	int32_t column_count;
	Column *columns;
};

#define HELD_ROWS 10000 /* at most, of small ones */

static const IcebergType long_type = { .kind = ICEBERG_LONG };

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
	buf_text(sql, "SELECT file_row_number, file_index");
	for (int32_t i = 0; i < read->field_count; i++)
	{
		buf_text(sql, ", ");
		if (read->by_name)
			sql_name(sql, read->fields[i].name);
		else
			buf_printf(sql, "c%d", i);
	}
	buf_text(sql, " FROM read_parquet([");
	sql_literal(sql, read->local_path);
	for (int32_t i = 0; i < read->other_count; i++)
	{
		buf_char(sql, ',');
		sql_literal(sql, read->others[i]);
	}
	buf_text(sql, "], file_row_number = true, hive_partitioning = false");
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

/*
 * Streamed results come from prepared statements only, and DuckDB binds those of
 * read_parquet() twice, which opens the first file each time: a few small rows are
 * rather held whole.
 */
static bool
read_start(Parquet *parquet, ParquetRows *rows, const char *sql, Err *err)
{
	int64_t small = rows->read.small_rows;
	duckdb_state state;

	if (duckdb_connect(parquet->database, &rows->connection) != DuckDBSuccess)
		return fail(err, ERR_FATAL, "could not connect to DuckDB");
	if (small > 0 && small <= HELD_ROWS)
		state = duckdb_query(rows->connection, sql, &rows->result);
	else if (duckdb_prepare(rows->connection, sql, &rows->statement) != DuckDBSuccess)
		return explain_failure(rows->connection, sql, err);
	else
		state = duckdb_execute_prepared_streaming(rows->statement, &rows->result);
	return state == DuckDBSuccess || engine_fail(&rows->result, err);
}

static const char *
file_path(const ParquetRead *read, int32_t file)
{
	return file == 0 ? read->local_path : read->others[file - 1];
}

/* Read one file to its end. */
static bool
read_alone(Parquet *parquet, const ParquetRead *read, int32_t file, Err *err)
{
	ParquetRead alone = *read;
	ParquetRows *rows;
	bool end = false;
	bool ok;

	alone.local_path = file_path(read, file);
	alone.other_count = 0;
	ok = parquet_open(parquet, &alone, &rows, err);
	while (ok && !end)
		ok = parquet_next(rows, &end, err);
	parquet_close(rows);
	return ok;
}

/* DuckDB could not read: err is to name the file, which DuckDB does not always do. */
static bool
explain_damage(Parquet *parquet, const ParquetRead *read, Err *err)
{
	Parquet *fresh;
	Err found = { 0 };

	if (read->other_count == 0)
		return damage_reading(err, read->local_path);
	if (err->kind != ERR_FATAL || err->hint[0] != '\0')
		return false;
	/* Some damage is fatal to the whole instance. */
	if (!parquet_new(parquet->memory_bytes, &fresh, &found))
		return false;
	for (int32_t i = 0; found.kind == ERR_NONE && i <= read->other_count; i++)
		(void) !read_alone(fresh, read, i, &found);
	parquet_free(fresh);
	if (found.kind != ERR_NONE)
	{
		*err = found;
		return false;
	}
	err->kind = ERR_RETRY;
	return false;
}

bool
parquet_open(Parquet *parquet, const ParquetRead *read, ParquetRows **rows, Err *err)
{
	ParquetRows *opened = xmalloc(sizeof *opened);
	Buf sql = buf_heap();
	bool ok;

	*opened = (ParquetRows){ .parquet = parquet,
		                     .read = *read,
		                     .arena = arena_new(),
		                     .column_count = COLUMNS_BEFORE + read->field_count };
	opened->columns =
		arena_zero(opened->arena, sizeof(Column) * (size_t) opened->column_count);
	for (int32_t i = 0; i < COLUMNS_BEFORE; i++)
		column_init(&opened->columns[i], &long_type, opened->arena);
	for (int32_t i = 0; i < read->field_count; i++)
		column_init(
			&opened->columns[COLUMNS_BEFORE + i], &read->fields[i].type, opened->arena);
	read_sql(&sql, read);
	ok = read_start(parquet, opened, buf_cstr(&sql), err);
	buf_free(&sql);
	if (!ok)
	{
		parquet_close(opened);
		opened = NULL;
		(void) explain_damage(parquet, read, err);
	}
	*rows = opened;
	return ok;
}

/* The next chunk that has rows; *end when there is none. */
static bool
next_chunk(ParquetRows *rows, bool *end, Err *err)
{
	do
	{
		duckdb_destroy_data_chunk(&rows->chunk);
		rows->chunk = duckdb_fetch_chunk(rows->result);
		if (rows->chunk == NULL)
		{
			*end = true;
			if (duckdb_result_error(&rows->result) == NULL)
				return true;
			(void) engine_fail(&rows->result, err);
			return explain_damage(rows->parquet, &rows->read, err);
		}
		rows->row = 0;
		rows->count = duckdb_data_chunk_get_size(rows->chunk);
	} while (rows->count == 0);
	for (int32_t i = 0; i < rows->column_count; i++)
		column_bind(&rows->columns[i],
		            duckdb_data_chunk_get_vector(rows->chunk, (idx_t) i));
	rows->positions = rows->columns[COLUMN_POSITION].values;
	rows->files = rows->columns[COLUMN_FILE].values;
	return true;
}

bool
parquet_next(ParquetRows *rows, bool *end, Err *err)
{
	*end = false;
	if (++rows->row >= rows->count && !next_chunk(rows, end, err))
		return false;
	if (!*end)
		rows->file = (int32_t) rows->files[rows->row];
	return true;
}

bool
parquet_damaged(const ParquetRows *rows, const char *what, Err *err)
{
	(void) fail(err, ERR_FATAL, "%s", what);
	return damage_found(err, file_path(&rows->read, rows->file));
}

int64_t
parquet_position(const ParquetRows *rows)
{
	return rows->positions[rows->row];
}

int32_t
parquet_file(const ParquetRows *rows)
{
	return rows->file;
}

Cell
parquet_cell(const ParquetRows *rows, int32_t column, Arena *arena)
{
	return column_get(&rows->columns[COLUMNS_BEFORE + column], rows->row, arena);
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
