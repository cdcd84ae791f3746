/*
 * engine.c
 *		the DuckDB instance: started with a table of settings.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/parquet/engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Setting
{
	const char *name;
	const char *value;
	const char *why;
} Setting;

/* clang-format off */
static const Setting settings[] = {
	{ "threads",                        "1",     "the lake has one core; one writer keeps the order of rows" },
	{ "preserve_insertion_order",       "false", "asked for by row groups of a size in bytes; one thread keeps the order" },
	{ "autoinstall_known_extensions",   "false", "nothing is downloaded" },
	{ "autoload_known_extensions",      "false", "nothing is loaded that was not linked in" },
	{ "allow_community_extensions",     "false", "nor by name" },
	{ "temp_directory",                 "",      "nothing is spilled beside the lake" },
	{ "allocator_flush_threshold",      "16MB",  "freed memory goes back to the system after a flush" },
	{ "allocator_bulk_deallocation_flush_threshold", "16MB", "the same, for large frees" },
};
/* clang-format on */

static bool
engine_setting(duckdb_config config, const char *name, const char *value, Err *err)
{
	if (duckdb_set_config(config, name, value) != DuckDBSuccess)
		return fail(
			err, ERR_FATAL, "could not set \"%s\" of DuckDB to \"%s\"", name, value);
	return true;
}

static bool
engine_configure(duckdb_config config, int64_t memory_bytes, Err *err)
{
	char memory[32];

	(void) snprintf(memory, sizeof memory, "%" PRId64 "MiB", (memory_bytes >> 20) + 1);
	if (!engine_setting(config, "memory_limit", memory, err))
		return false;
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (!engine_setting(config, settings[i].name, settings[i].value, err))
			return false;
	return true;
}

static bool
engine_start(Parquet *parquet, int64_t memory_bytes, Err *err)
{
	duckdb_config config = NULL;
	char *message = NULL;
	bool ok = false;

	if (duckdb_create_config(&config) != DuckDBSuccess)
	{
		(void) fail(err, ERR_FATAL, "could not configure DuckDB");
		goto done;
	}
	if (!engine_configure(config, memory_bytes, err))
		goto done;
	if (duckdb_open_ext(NULL, &parquet->database, config, &message) != DuckDBSuccess)
	{
		(void) fail(err,
		            ERR_FATAL,
		            "could not start DuckDB: %s",
		            message == NULL ? "unrecognized error" : message);
		goto done;
	}
	if (duckdb_connect(parquet->database, &parquet->connection) != DuckDBSuccess)
	{
		(void) fail(err, ERR_FATAL, "could not connect to DuckDB");
		goto done;
	}
	ok = write_register(parquet, err);
done:
	duckdb_free(message);
	duckdb_destroy_config(&config);
	return ok;
}

bool
parquet_new(int64_t memory_bytes, Parquet **parquet, Err *err)
{
	Parquet *made = xmalloc(sizeof *made);

	*made = (Parquet){ .memory_bytes = memory_bytes, .limit = memory_bytes };
	*parquet = NULL;
	if (!engine_start(made, memory_bytes, err))
	{
		parquet_free(made);
		return false;
	}
	*parquet = made;
	return true;
}

/* A value is there several times while it is written: escaped, buffered for its row
 * group, in a page, compressed. */
#define ROW_COPIES   12
#define COLUMN_BYTES (INT64_C(192) << 10) /* vectors and pages of one, of any values */
#define ROW_LARGE    ((size_t) 8 << 20)

/* Raise the limit to so many bytes. */
static bool
raise_memory(Parquet *parquet, int64_t bytes, Err *err)
{
	char sql[64];

	if (bytes <= parquet->limit)
		return true;
	parquet->limit = bytes;
	(void) snprintf(
		sql, sizeof sql, "SET memory_limit = '%" PRId64 "MiB'", (bytes >> 20) + 1);
	return engine_run(parquet->connection, sql, err);
}

bool
parquet_expect(Parquet *parquet, size_t row_bytes, Err *err)
{
	return row_bytes < ROW_LARGE ||
	       raise_memory(
			   parquet, parquet->memory_bytes + ROW_COPIES * (int64_t) row_bytes, err);
}

bool
engine_expect_columns(Parquet *parquet, int32_t columns, Err *err)
{
	return raise_memory(parquet, COLUMN_BYTES * columns, err);
}

void
parquet_free(Parquet *parquet)
{
	if (parquet == NULL)
		return;
	duckdb_disconnect(&parquet->connection);
	duckdb_close(&parquet->database);
	free(parquet);
}

bool
engine_fail(duckdb_result *result, Err *err)
{
	const char *text = duckdb_result_error(result);
	size_t len = 0;

	if (text == NULL)
		text = "unrecognized error of DuckDB";
	len = strcspn(text, "\n");
	(void) fail(err, ERR_FATAL, "%.*s", (int) len, text);
	if (duckdb_result_error_type(result) == DUCKDB_ERROR_OUT_OF_MEMORY)
		(void) fail_hint(
			err,
			"Raise max.memory, or the memory limit of the process, and start "
			"again; nothing stored is lost.");
	return false;
}

bool
engine_run(duckdb_connection connection, const char *sql, Err *err)
{
	duckdb_result result;
	bool ok = duckdb_query(connection, sql, &result) == DuckDBSuccess;

	if (!ok)
		(void) engine_fail(&result, err);
	duckdb_destroy_result(&result);
	return ok;
}

void
sql_literal(Buf *sql, const char *text)
{
	buf_char(sql, '\'');
	for (; *text != '\0'; text++)
	{
		if (*text == '\'')
			buf_char(sql, '\'');
		buf_char(sql, *text);
	}
	buf_char(sql, '\'');
}

void
sql_name(Buf *sql, const char *name)
{
	buf_char(sql, '"');
	for (; *name != '\0'; name++)
	{
		if (*name == '"')
			buf_char(sql, '"');
		buf_char(sql, *name);
	}
	buf_char(sql, '"');
}
