/*
 * write.c
 *		COPY from the table function cdc_rows(), whose rows are the caller's.
 *
 *		caller's next() -> cell row -> vectors of a chunk -> COPY ... TO file
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <sys/stat.h>
#include <unistd.h>

#include "lake/parquet/engine.h"
#include "lake/storage/damage.h"

#define DICTIONARY_MAX (1 << 20) /* bytes of distinct texts of a column and row group */
#define DICTIONARY_MIN (16 << 10)
#define CHUNK_BYTES    ((size_t) 4 << 20) /* a chunk of wide rows ends early */

struct WriteJob
{
	const ParquetWrite *write;
	Arena *arena; /* of the job */
	Column *columns;
	Cell *row;
	Metrics *metrics;
	size_t chunk_bytes; /* of text and binary values in the chunk at hand */
	bool ended;         /* next() said so: it is not asked again */
	bool failed;        /* next() failed, or a cell: err says why */
	Err err;
};

static void
rows_bind(duckdb_bind_info info)
{
	const Parquet *parquet = duckdb_bind_get_extra_info(info);
	const IcebergSchema *schema;

	if (parquet->job == NULL)
	{
		duckdb_bind_set_error(info, "no rows to read");
		return;
	}
	schema = parquet->job->write->schema;
	for (int32_t i = 0; i < schema->field_count; i++)
	{
		duckdb_logical_type type = type_logical(&schema->fields[i].type);

		duckdb_bind_add_result_column(info, schema->fields[i].name, type);
		duckdb_destroy_logical_type(&type);
	}
}

static void
rows_init(duckdb_init_info info)
{
	duckdb_init_set_max_threads(info, 1);
}

/* A value that ends its chunk stays until the next one is asked for: it is lent. */
static bool
rows_put_cell(WriteJob *job, int32_t column, idx_t row, Err *err)
{
	const Cell *cell = &job->row[column];

	if (cell->kind == CELL_BYTES)
		job->chunk_bytes += cell->bytes.len;
	if (cell->kind == CELL_BYTES && cell->bytes.len >= CHUNK_BYTES)
		return column_lend(&job->columns[column], row, cell->bytes, err);
	return column_put(&job->columns[column], row, cell, err);
}

/* Put one row; false when next() has no more or failed. */
static bool
rows_put(WriteJob *job, idx_t row)
{
	const IcebergSchema *schema = job->write->schema;
	RowStatus status = job->write->next(job->write->context, job->row, &job->err);

	if (status != ROW_READY)
	{
		job->ended = true;
		job->failed = status == ROW_FAILED;
		return false;
	}
	for (int32_t i = 0; i < schema->field_count; i++)
	{
		if (rows_put_cell(job, i, row, &job->err))
			continue;
		job->ended = job->failed = true;
		return fail_while(
			&job->err, "could not store column \"%s\"", schema->fields[i].name);
	}
	metrics_row(job->metrics, job->row);
	return true;
}

static void
rows_fill(duckdb_function_info info, duckdb_data_chunk chunk)
{
	Parquet *parquet = duckdb_function_get_extra_info(info);
	WriteJob *job = parquet->job;
	idx_t size = duckdb_vector_size();
	idx_t count = 0;

	for (int32_t i = 0; i < job->write->schema->field_count; i++)
		column_bind(&job->columns[i], duckdb_data_chunk_get_vector(chunk, (idx_t) i));
	job->chunk_bytes = 0;
	while (!job->ended && count < size && job->chunk_bytes < CHUNK_BYTES &&
	       rows_put(job, count))
		count++;
	if (job->failed)
		duckdb_function_set_error(info, job->err.text);
	duckdb_data_chunk_set_size(chunk, job->failed ? 0 : count);
}

bool
write_register(Parquet *parquet, Err *err)
{
	duckdb_table_function function = duckdb_create_table_function();
	duckdb_state state;

	duckdb_table_function_set_name(function, "cdc_rows");
	duckdb_table_function_set_extra_info(function, parquet, NULL);
	duckdb_table_function_set_bind(function, rows_bind);
	duckdb_table_function_set_init(function, rows_init);
	duckdb_table_function_set_function(function, rows_fill);
	state = duckdb_register_table_function(parquet->connection, function);
	duckdb_destroy_table_function(&function);
	if (state != DuckDBSuccess)
		return fail(err, ERR_FATAL, "could not register a table function in DuckDB");
	return true;
}

/* FIELD_IDS: name: id, or {__duckdb_field_id: id, element: id} and key, value for nested
 * ones. */
static void
write_field_id(Buf *sql, const IcebergField *field, const char *name)
{
	sql_name(sql, name);
	if (!iceberg_is_nested(&field->type))
	{
		buf_printf(sql, ": %d", field->id);
		return;
	}
	buf_printf(sql, ": {__duckdb_field_id: %d", field->id);
	for (int32_t i = 0; i < field->type.field_count; i++)
	{
		const IcebergField *child = &field->type.fields[i];

		buf_text(sql, ", ");
		write_field_id(sql, child, child->name);
	}
	buf_char(sql, '}');
}

/* DuckDB takes that much for every column at once. */
static int
dictionary_bytes(int32_t columns)
{
	int bytes = PARQUET_ROW_GROUP_BYTES / columns;

	if (bytes > DICTIONARY_MAX)
		return DICTIONARY_MAX;
	return bytes < DICTIONARY_MIN ? DICTIONARY_MIN : bytes;
}

static const char *
write_sql(const ParquetWrite *write, Arena *arena, Buf *sql)
{
	size_t group = PARQUET_ROW_GROUP_BYTES;

	buf_text(sql, "COPY (SELECT * FROM cdc_rows()) TO ");
	sql_literal(sql, write->local_path);
	buf_text(sql,
	         " (FORMAT parquet, COMPRESSION zstd, KV_METADATA {\"iceberg.schema\": ");
	sql_literal(sql, iceberg_schema_json(arena, write->schema));
	buf_text(sql, "}, FIELD_IDS {");
	for (int32_t i = 0; i < write->schema->field_count; i++)
	{
		if (i > 0)
			buf_text(sql, ", ");
		write_field_id(sql, &write->schema->fields[i], write->schema->fields[i].name);
	}
	/* A group is written as soon as it is full.  A large row is not to fill it at once:
	 * its source would still be there while it is written. */
	if (group < write->row_bytes * 2)
		group = write->row_bytes * 2;
	buf_printf(sql,
	           "}, ROW_GROUP_SIZE_BYTES %zu, STRING_DICTIONARY_PAGE_SIZE_LIMIT %d)",
	           group,
	           dictionary_bytes(write->schema->field_count));
	return buf_cstr(sql);
}

static bool
write_run(Parquet *parquet, WriteJob *job, Err *err)
{
	Buf sql = buf_heap();
	struct stat status;
	bool ok;

	parquet->job = job;
	ok = engine_run(parquet->connection, write_sql(job->write, job->arena, &sql), err);
	parquet->job = NULL;
	buf_free(&sql);
	if (job->failed)
	{
		*err = job->err;
		ok = false;
	}
	if (ok && stat(job->write->local_path, &status) != 0)
		ok = storage_fail_lost(err, job->write->local_path);
	if (!ok && !job->failed)
		(void) damage_writing(err, job->write->local_path);
	if (!ok)
		(void) unlink(job->write->local_path);
	return ok;
}

bool
parquet_write(Parquet *parquet, const ParquetWrite *write, Arena *arena, DataFile *file,
              Err *err)
{
	WriteJob job = { .write = write, .arena = arena_new() };
	size_t fields = (size_t) write->schema->field_count;
	struct stat status;
	bool ok;

	job.columns = arena_zero(job.arena, sizeof(Column) * fields);
	job.row = arena_zero(job.arena, sizeof(Cell) * fields);
	job.metrics = metrics_new(job.arena, write->schema);
	for (size_t i = 0; i < fields; i++)
		column_init(&job.columns[i], &write->schema->fields[i].type, job.arena);
	ok = engine_expect_columns(parquet, write->schema->field_count, err) &&
	     write_run(parquet, &job, err);
	if (ok && stat(write->local_path, &status) == 0)
	{
		file->size_bytes = status.st_size;
		metrics_finish(job.metrics, arena, file);
	}
	arena_free(job.arena);
	return ok;
}
