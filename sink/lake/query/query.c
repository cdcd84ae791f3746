/*
 * query.c
 *		a session for queries.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/query/query.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lake/parquet/engine.h"

struct Query
{
	duckdb_connection connection;
};

bool
query_new(Parquet *parquet, const char *spill_directory, int64_t memory_bytes,
          Query **query, Err *err)
{
	Query *made = xmalloc(sizeof *made);
	Buf sql = buf_heap();
	bool ok = duckdb_connect(parquet->database, &made->connection) == DuckDBSuccess;

	if (!ok)
		(void) fail(err, ERR_FATAL, "could not connect to DuckDB");
	buf_text(&sql, "SET temp_directory = ");
	sql_literal(&sql, spill_directory);
	buf_printf(&sql, "; SET memory_limit = '%" PRId64 "MiB'", (memory_bytes >> 20) + 1);
	ok = ok && engine_run(made->connection, buf_cstr(&sql), err);
	buf_free(&sql);
	parquet->memory_bytes = parquet->limit = memory_bytes;
	if (!ok)
	{
		query_free(made);
		made = NULL;
	}
	*query = made;
	return ok;
}

void
query_free(Query *query)
{
	if (query == NULL)
		return;
	duckdb_disconnect(&query->connection);
	free(query);
}

bool
query_run(Query *query, const char *sql, Err *err)
{
	return engine_run(query->connection, sql, err);
}

/* ---- Answers ---- */

typedef struct Answer
{
	Arena *arena;
	Slice *values;
	size_t count;
	size_t room;
} Answer;

static void
add_value(Answer *answer, duckdb_vector vector, idx_t row)
{
	duckdb_string_t *texts = duckdb_vector_get_data(vector);
	uint64_t *validity = duckdb_vector_get_validity(vector);
	Slice value = { NULL, 0 };

	if (validity == NULL || duckdb_validity_row_is_valid(validity, row))
		value = arena_slice(answer->arena,
		                    (Slice){ duckdb_string_t_data(&texts[row]),
		                             duckdb_string_t_length(texts[row]) });
	if (answer->count == answer->room)
	{
		answer->room = answer->room * 2 + 64;
		answer->values = xrealloc(answer->values, answer->room * sizeof *answer->values);
	}
	answer->values[answer->count++] = value;
}

static bool
gather(duckdb_result *result, Answer *answer, QueryRows *rows, Err *err)
{
	duckdb_data_chunk chunk;

	rows->column_count = duckdb_column_count(result);
	for (idx_t i = 0; i < rows->column_count; i++)
		if (duckdb_column_type(result, i) != DUCKDB_TYPE_VARCHAR)
			return fail(err,
			            ERR_FATAL,
			            "column \"%s\" of a query is not text",
			            duckdb_column_name(result, i));
	while ((chunk = duckdb_fetch_chunk(*result)) != NULL)
	{
		idx_t count = duckdb_data_chunk_get_size(chunk);

		for (idx_t row = 0; row < count; row++)
			for (idx_t i = 0; i < rows->column_count; i++)
				add_value(answer, duckdb_data_chunk_get_vector(chunk, i), row);
		rows->row_count += count;
		duckdb_destroy_data_chunk(&chunk);
	}
	return duckdb_result_error(result) == NULL || engine_fail(result, err);
}

bool
query_rows(Query *query, const char *sql, Arena *arena, QueryRows *rows, Err *err)
{
	Answer answer = { .arena = arena };
	duckdb_result result;
	bool ok;

	*rows = (QueryRows){ 0 };
	ok = duckdb_query(query->connection, sql, &result) == DuckDBSuccess
	         ? gather(&result, &answer, rows, err)
	         : engine_fail(&result, err);
	duckdb_destroy_result(&result);
	if (answer.count > 0)
	{
		Slice *values = arena_alloc(arena, answer.count * sizeof *values);

		memcpy(values, answer.values, answer.count * sizeof *values);
		rows->values = values;
	}
	free(answer.values);
	return ok;
}

/* ---- SQL ---- */

static void
scan_nothing(Buf *sql, const QueryScan *scan)
{
	buf_text(sql, "SELECT ");
	for (int32_t i = 0; i < scan->field_count; i++)
	{
		buf_text(sql, "NULL::");
		type_sql(sql, &scan->fields[i].type);
		buf_printf(sql, " AS c%d, ", i);
	}
	if (scan->with_place)
		buf_text(sql, "NULL::VARCHAR AS filename, NULL::BIGINT AS file_row_number, ");
	buf_text(sql, "FROM range(0)");
}

void
query_scan(Buf *sql, const QueryScan *scan)
{
	if (scan->path_count == 0)
	{
		scan_nothing(sql, scan);
		return;
	}
	buf_text(sql, "SELECT * FROM read_parquet([");
	for (size_t i = 0; i < scan->path_count; i++)
	{
		buf_text(sql, i == 0 ? "" : ", ");
		sql_literal(sql, scan->paths[i]);
	}
	buf_text(sql, "], hive_partitioning = false");
	if (scan->with_place)
		buf_text(sql, ", filename = true, file_row_number = true");
	sql_by_field_id(sql, scan->fields, scan->field_count);
	buf_char(sql, ')');
}

void
query_literal(Buf *sql, const char *text)
{
	sql_literal(sql, text);
}
