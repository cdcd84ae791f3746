/*
 * compare_sql.c
 *		both sides as views, and what is in one only.
 *
 *		left_keys    keys left out (k0, k1, ...)
 *		source_rows  the spooled rows that are not left out
 *		silver_live  the table's rows without those that position deletes name
 *		silver_rows  of these, what is not left out
 *		..._digests  both with two digests of each row, d1 and d2
 *		differing    every digest with its rows in source less those in silver, where not
 *0
 *
 * Counting is EXCEPT ALL in both directions at once.  It is done over digests, which are
 * of one size whatever a row holds: rows of a thousand columns, or of long texts, would
 * need more memory than there is.  Two digests of 64 bits, of the columns in one order
 *and of texts hashed otherwise in the other order, do not let a difference pass.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>

#include "envelope/value.h"
#include "lake/compare_state.h"

/* Data and delete files of the table, by local names. */
typedef struct SilverFiles
{
	const char **data;
	const char **data_uris;
	size_t data_count;
	const char **deletes;
	size_t delete_count;
} SilverFiles;

static const IcebergField delete_fields[] = {
	{ .id = DELETE_FILE_PATH_ID,
	  .name = "file_path",
	  .required = true,
	  .type = { .kind = ICEBERG_STRING } },
	{ .id = DELETE_POS_ID,
	  .name = "pos",
	  .required = true,
	  .type = { .kind = ICEBERG_LONG } },
};

/* ---- Files ---- */

static bool
add_file(Compare *compare, const DataFile *file, SilverFiles *files, Err *err)
{
	const char *local;

	if (file->content == FILE_EQUALITY_DELETES)
		return fail(err,
		            ERR_DATA,
		            "table \"%s\" has equality deletes: something else writes it",
		            compare->table->name);
	if (!storage_local_path(
			compare->store.storage, compare->arena, file->path, false, &local, err))
		return false;
	if (file->content == FILE_DATA)
	{
		files->data[files->data_count] = local;
		files->data_uris[files->data_count++] = file->path;
	}
	else
		files->deletes[files->delete_count++] = local;
	return true;
}

static bool
list_files(Compare *compare, SilverFiles *files, Err *err)
{
	const TableState *state = compare->table == NULL ? NULL : compare->table->state;
	size_t room = 1;

	for (int32_t i = 0; state != NULL && i < state->manifest_count; i++)
		room += (size_t) state->manifests[i]->live.count;
	files->data = arena_zero(compare->arena, sizeof *files->data * room);
	files->data_uris = arena_zero(compare->arena, sizeof *files->data_uris * room);
	files->deletes = arena_zero(compare->arena, sizeof *files->deletes * room);
	for (int32_t i = 0; state != NULL && i < state->manifest_count; i++)
		for (int32_t j = 0; j < state->manifests[i]->live.count; j++)
			if (!add_file(compare, &state->manifests[i]->live.items[j].file, files, err))
				return false;
	return true;
}

/* ---- Views ---- */

/* Columns of a side; entries of _overflow are in the order of columns, which may change.
 */
static void
put_columns(Buf *sql, const CompareColumns *columns)
{
	for (int32_t i = 0; i < columns->count; i++)
		buf_printf(sql, "c%d, ", i);
	buf_printf(sql,
	           "list_sort(map_entries(coalesce(c%d, MAP {}))) AS overflow ",
	           columns->count);
}

static bool
make_left_keys(Compare *compare, const CompareColumns *columns, Err *err)
{
	size_t room = (size_t) columns->key_count + 1;
	IcebergField *fields = arena_alloc(compare->arena, sizeof *fields * room);
	QueryScan scan = { .paths = compare->keys.paths,
		               .path_count = compare->keys.path_count,
		               .fields = fields,
		               .field_count = columns->key_count };
	Buf sql = buf_heap();
	bool ok;

	for (int32_t i = 0; i < columns->key_count; i++)
		fields[i] = columns->fields[columns->key[i]];
	buf_text(&sql, "CREATE OR REPLACE TEMP VIEW left_keys AS SELECT DISTINCT ");
	for (int32_t i = 0; i < columns->key_count; i++)
		buf_printf(&sql, "%sc%d AS k%d", i == 0 ? "" : ", ", i, i);
	buf_text(&sql, columns->key_count == 0 ? "1 AS one FROM range(0)" : " FROM (");
	if (columns->key_count > 0)
	{
		query_scan(&sql, &scan);
		buf_char(&sql, ')');
	}
	ok = query_run(compare->query, buf_cstr(&sql), err);
	buf_free(&sql);
	return ok;
}

/* "ANTI JOIN left_keys ON ..." */
static void
join_left_keys(Buf *sql, const CompareColumns *columns, const char *kind)
{
	buf_printf(sql, " %s JOIN left_keys ON ", kind);
	for (int32_t i = 0; i < columns->key_count; i++)
		buf_printf(sql, "%sc%d = k%d", i == 0 ? "" : " AND ", columns->key[i], i);
	if (columns->key_count == 0)
		buf_text(sql, "false");
}

static bool
make_source_rows(Compare *compare, const CompareColumns *columns, Err *err)
{
	QueryScan scan = { .paths = compare->rows.paths,
		               .path_count = compare->rows.path_count,
		               .fields = columns->fields,
		               .field_count = columns->count + 1 };
	Buf sql = buf_heap();
	bool ok;

	buf_text(&sql, "CREATE OR REPLACE TEMP VIEW source_rows AS SELECT ");
	put_columns(&sql, columns);
	buf_text(&sql, "FROM (");
	query_scan(&sql, &scan);
	buf_text(&sql, ") AS rows");
	join_left_keys(&sql, columns, "ANTI");
	ok = query_run(compare->query, buf_cstr(&sql), err);
	buf_free(&sql);
	return ok;
}

/* Position deletes name data files by URI, DuckDB by the local name it was given. */
static void
anti_join_deletes(Buf *sql, const SilverFiles *files)
{
	QueryScan scan = { .paths = files->deletes,
		               .path_count = files->delete_count,
		               .fields = delete_fields,
		               .field_count = 2 };

	buf_text(sql, " ANTI JOIN (SELECT local, c1 AS pos FROM (");
	query_scan(sql, &scan);
	buf_text(sql, ") JOIN (VALUES ");
	for (size_t i = 0; i < files->data_count; i++)
	{
		buf_text(sql, i == 0 ? "(" : ", (");
		query_literal(sql, files->data_uris[i]);
		buf_text(sql, ", ");
		query_literal(sql, files->data[i]);
		buf_char(sql, ')');
	}
	buf_text(sql,
	         ") AS names(uri, local) ON c0 = uri) AS dead "
	         "ON filename = local AND file_row_number = pos");
}

static bool
make_silver_rows(Compare *compare, const CompareColumns *columns,
                 const SilverFiles *files, Err *err)
{
	bool has_deletes = files->delete_count > 0 && files->data_count > 0;
	QueryScan scan = { .paths = files->data,
		               .path_count = files->data_count,
		               .fields = columns->fields,
		               .field_count = columns->count + 1,
		               .with_place = has_deletes };
	Buf sql = buf_heap();
	bool ok;

	buf_text(&sql, "CREATE OR REPLACE TEMP VIEW silver_live AS SELECT ");
	put_columns(&sql, columns);
	buf_text(&sql, "FROM (");
	query_scan(&sql, &scan);
	buf_text(&sql, ") AS rows");
	if (has_deletes)
		anti_join_deletes(&sql, files);
	buf_text(&sql,
	         "; CREATE OR REPLACE TEMP VIEW silver_rows AS SELECT * FROM silver_live");
	join_left_keys(&sql, columns, "ANTI");
	ok = query_run(compare->query, buf_cstr(&sql), err);
	buf_free(&sql);
	return ok;
}

/* ---- Answers ---- */

static int64_t
number_at(const QueryRows *rows, size_t i)
{
	char text[32];

	(void) snprintf(text,
	                sizeof text,
	                "%.*s",
	                (int) rows->values[i].len,
	                rows->values[i].data == NULL ? "" : rows->values[i].data);
	return strtoll(text, NULL, 10);
}

/* Text of any length, in a type of one. */
static bool
is_long(const IcebergType *type)
{
	return type->kind == ICEBERG_STRING || type->kind == ICEBERG_BINARY;
}

static bool
make_digests(Compare *compare, const CompareColumns *columns, const char *side, Err *err)
{
	Buf sql = buf_heap();
	bool ok;

	buf_printf(
		&sql, "CREATE OR REPLACE TEMP VIEW %s_digests AS SELECT *, hash(overflow", side);
	for (int32_t i = 0; i < columns->count; i++)
		buf_printf(&sql, ", c%d", i);
	buf_text(&sql, ") AS d1, hash(");
	for (int32_t i = columns->count - 1; i >= 0; i--)
		buf_printf(&sql, is_long(&columns->fields[i].type) ? "md5(c%d), " : "c%d, ", i);
	buf_printf(&sql, "overflow) AS d2 FROM %s_rows", side);
	ok = query_run(compare->query, buf_cstr(&sql), err);
	buf_free(&sql);
	return ok;
}

static bool
count_rows(Compare *compare, const CompareColumns *columns, CompareResult *result,
           Err *err)
{
	QueryRows rows;
	Buf sql = buf_heap();
	bool ok;

	buf_text(&sql,
	         "CREATE OR REPLACE TEMP TABLE differing AS "
	         "SELECT d1, d2, CAST(sum(side) AS BIGINT) AS surplus FROM ("
	         "SELECT d1, d2, 1 AS side FROM source_digests UNION ALL "
	         "SELECT d1, d2, -1 FROM silver_digests) GROUP BY ALL HAVING sum(side) <> 0");
	ok = make_digests(compare, columns, "source", err) &&
	     make_digests(compare, columns, "silver", err) &&
	     query_run(compare->query, buf_cstr(&sql), err);
	buf_reset(&sql);
	buf_text(&sql,
	         "SELECT (SELECT CAST(count(*) AS VARCHAR) FROM source_rows), "
	         "(SELECT CAST(count(*) AS VARCHAR) FROM silver_rows), "
	         "(SELECT CAST(count(*) AS VARCHAR) FROM silver_live");
	join_left_keys(&sql, columns, "SEMI");
	buf_text(&sql,
	         "), CAST(coalesce(sum(surplus) FILTER (surplus > 0), 0) AS VARCHAR), "
	         "CAST(coalesce(-sum(surplus) FILTER (surplus < 0), 0) AS VARCHAR) "
	         "FROM differing");
	ok = ok && query_rows(compare->query, buf_cstr(&sql), compare->arena, &rows, err);
	buf_free(&sql);
	if (!ok)
		return false;
	result->source_rows = number_at(&rows, 0);
	result->silver_rows = number_at(&rows, 1);
	result->left_out = number_at(&rows, 2);
	result->only_source = number_at(&rows, 3);
	result->only_silver = number_at(&rows, 4);
	return true;
}

/* Whether DuckDB's text of a value needs no quotes. */
static bool
prints_bare(const IcebergType *type)
{
	switch (type->kind)
	{
		case ICEBERG_BOOLEAN:
		case ICEBERG_INT:
		case ICEBERG_LONG:
		case ICEBERG_FLOAT:
		case ICEBERG_DOUBLE:
		case ICEBERG_DECIMAL:
			return true;
		default:
			return false;
	}
}

/* Cut text to what may be printed, between characters. */
static void
shorten(Buf *text)
{
	static const char dots[] = "...";

	if (text->len <= COMPARE_KEY_BYTES)
		return;
	text->len = COMPARE_KEY_BYTES - strlen(dots);
	while (text->len > 0 && ((unsigned char) text->data[text->len] & 0xC0) == 0x80)
		text->len--;
	buf_text(text, dots);
}

/* A row of the answer, from its second column on, as JSON. */
static const char *
print_row(Arena *arena, const CompareColumns *columns, const Slice *values)
{
	int32_t count = columns->key_count > 0 ? columns->key_count : columns->count;
	Buf text = buf_heap();
	const char *printed;

	buf_char(&text, '{');
	for (int32_t i = 0; i < count; i++)
	{
		int32_t column = columns->key_count > 0 ? columns->key[i] : i;
		const IcebergField *field = &columns->fields[column];

		if (i > 0)
			buf_char(&text, ',');
		json_string_raw(&text, slice_from(field->name));
		buf_char(&text, ':');
		if (values[i].data == NULL)
			buf_text(&text, "null");
		else if (prints_bare(&field->type))
			buf_slice(&text, values[i]);
		else
			json_string_raw(&text, values[i]);
	}
	buf_char(&text, '}');
	shorten(&text);
	printed = arena_strndup(arena, text.data, text.len);
	buf_free(&text);
	return printed;
}

/* Which column is the i-th that tells a row. */
static int32_t
told_column(const CompareColumns *columns, int32_t i)
{
	return columns->key_count > 0 ? columns->key[i] : i;
}

/* What tells the rows of a side that the other lacks; texts are cut before anything is
 * done with them. */
static void
put_differing(Buf *sql, const CompareColumns *columns, int32_t count, const char *side)
{
	buf_printf(sql, "SELECT DISTINCT '%s' AS side, told.* FROM (SELECT d1, d2", side);
	for (int32_t i = 0; i < count; i++)
	{
		int32_t column = told_column(columns, i);

		if (!is_long(&columns->fields[column].type))
			buf_printf(sql, ", c%d", column);
		else
			buf_printf(sql,
			           ", left(CAST(c%d AS VARCHAR), %d) AS c%d",
			           column,
			           COMPARE_KEY_BYTES,
			           column);
	}
	buf_printf(sql,
	           " FROM %s_digests) AS told SEMI JOIN differing ON told.d1 = differing.d1 "
	           "AND told.d2 = differing.d2 AND surplus %c 0",
	           side,
	           strcmp(side, "source") == 0 ? '>' : '<');
}

static bool
name_rows(Compare *compare, const CompareColumns *columns, CompareResult *result,
          Err *err)
{
	int32_t count = columns->key_count > 0 ? columns->key_count : columns->count;
	QueryRows rows;
	Buf sql = buf_heap();
	bool ok;

	buf_text(&sql, "SELECT side");
	for (int32_t i = 0; i < count; i++)
		buf_printf(&sql,
		           ", left(CAST(c%d AS VARCHAR), %d)",
		           told_column(columns, i),
		           COMPARE_KEY_BYTES);
	buf_text(&sql, " FROM (");
	put_differing(&sql, columns, count, "source");
	buf_text(&sql, " UNION ALL ");
	put_differing(&sql, columns, count, "silver");
	buf_text(&sql, ") ORDER BY ");
	for (int32_t i = 0; i < count; i++)
		buf_printf(&sql, "c%d, ", told_column(columns, i));
	buf_printf(&sql, "side DESC LIMIT %d", COMPARE_KEYS);
	ok = query_rows(compare->query, buf_cstr(&sql), compare->arena, &rows, err);
	buf_free(&sql);
	for (size_t i = 0; ok && i < rows.row_count; i++)
	{
		const Slice *row = &rows.values[i * rows.column_count];

		result->sides[i] = arena_strndup(compare->arena, row->data, row->len);
		result->keys[i] = print_row(compare->arena, columns, row + 1);
		result->key_count++;
	}
	return ok;
}

bool
compare_files(Compare *compare, const CompareColumns *columns, CompareResult *result,
              Err *err)
{
	SilverFiles files = { 0 };

	return list_files(compare, &files, err) && make_left_keys(compare, columns, err) &&
	       make_source_rows(compare, columns, err) &&
	       make_silver_rows(compare, columns, &files, err) &&
	       count_rows(compare, columns, result, err) &&
	       (result->only_source + result->only_silver == 0 ||
	        name_rows(compare, columns, result, err)) &&
	       query_run(compare->query, "DROP TABLE differing", err);
}
