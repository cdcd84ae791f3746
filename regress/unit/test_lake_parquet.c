/*
 * test_lake_parquet.c
 *		Parquet files: what is written is read back, positions and metrics are right.
 *
 * Linked with the archive of all sink objects and DuckDB.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lake/parquet/parquet.h"

/* After ours: cmocka.h defines a macro fail(). */
#include <cmocka.h>

#define ROWS 150000 /* several row groups */

enum
{
	ID,
	NAME,
	PRICE,
	RATIO,
	UUID,
	TAGS,
	NOTES,
	FIELDS
};

typedef struct Fixture
{
	Arena *arena;
	Parquet *parquet;
	char directory[64];
	char path[96];
	IcebergSchema schema;
	int64_t made;
	bool lacks_notes; /* the file that is being written */
} Fixture;

static void
fixture_schema(Fixture *fixture)
{
	static const char *const names[] = { "id",   "na\"me", "price", "ratio",
		                                 "uuid", "tags",   "notes" };
	IcebergField *fields = arena_zero(fixture->arena, sizeof *fields * FIELDS);
	IcebergType text = iceberg_type(ICEBERG_STRING);

	fields[ID].type = iceberg_type(ICEBERG_LONG);
	fields[NAME].type = text;
	fields[PRICE].type = iceberg_decimal(38, 18);
	fields[RATIO].type = iceberg_type(ICEBERG_DOUBLE);
	fields[UUID].type = iceberg_type(ICEBERG_UUID);
	fields[TAGS].type = iceberg_list(fixture->arena, 8, iceberg_type(ICEBERG_INT));
	fields[NOTES].type = iceberg_map(fixture->arena, 9, text, 10, text);
	for (int i = 0; i < FIELDS; i++)
	{
		fields[i].id = i + 1;
		fields[i].name = names[i];
	}
	fixture->schema = (IcebergSchema){ .fields = fields, .field_count = FIELDS };
}

static int
setup(void **state)
{
	Fixture *fixture = calloc(1, sizeof *fixture);
	Err err = { 0 };

	assert_non_null(fixture);
	fixture->arena = arena_new();
	(void) snprintf(
		fixture->directory, sizeof fixture->directory, "/tmp/test_lake_parquet.XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	(void) snprintf(
		fixture->path, sizeof fixture->path, "%s/it's.parquet", fixture->directory);
	if (!parquet_new(64 << 20, &fixture->parquet, &err))
		fail_msg("%s", err.text);
	fixture_schema(fixture);
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	Fixture *fixture = *state;

	(void) unlink(fixture->path);
	(void) rmdir(fixture->directory);
	parquet_free(fixture->parquet);
	arena_free(fixture->arena);
	free(fixture);
	return 0;
}

static RowStatus
next_row(void *context, Cell *row, Err *err)
{
	static const uint8_t uuid[16] = { 0xFE, 1, 2,  3,  4,  5,  6,  7,
		                              8,    9, 10, 11, 12, 13, 14, 15 };
	Fixture *fixture = context;
	int64_t i = fixture->made++;
	Cell *items;

	(void) err;
	if (i == ROWS)
		return ROW_END;
	for (int c = 0; c < (fixture->lacks_notes ? NOTES : FIELDS); c++)
		row[c] = cell_null();
	row[ID] = cell_int(i * 3);
	if (i % 7 == 0)
		return ROW_READY;
	row[NAME] =
		cell_text(arena_printf(fixture->arena, "n\xC3\xA4me number %06d", (int) i));
	row[PRICE] = (Cell){ .kind = CELL_DECIMAL, .decimal = (__int128) i * -1000000007 };
	row[RATIO] = (Cell){ .kind = CELL_FLOAT,
		                 .real = i % 5 == 0 ? __builtin_nan("") : (double) i / 4 };
	row[UUID] = cell_bytes((Slice){ (const char *) uuid, 16 });
	items = arena_zero(fixture->arena, sizeof *items * 4);
	items[0] = cell_int(i);
	items[2] = cell_int(-i);
	row[TAGS] = (Cell){ .kind = CELL_LIST, .count = (uint32_t) (i % 4), .items = items };
	items = arena_zero(fixture->arena, sizeof *items * 2);
	items[0] = cell_text("key");
	items[1] = cell_text("value");
	if (!fixture->lacks_notes)
		row[NOTES] = (Cell){ .kind = CELL_LIST, .count = 2, .items = items };
	return ROW_READY;
}

static void
write_file(Fixture *fixture, DataFile *file)
{
	ParquetWrite write = { .local_path = fixture->path,
		                   .schema = &fixture->schema,
		                   .next = next_row,
		                   .context = fixture };
	Err err = { 0 };

	fixture->made = 0;
	*file = (DataFile){ DATA_FILE_INIT };
	if (!parquet_write(fixture->parquet, &write, fixture->arena, file, &err))
		fail_msg("%s", err.text);
}

static void
test_round_trip(void **state)
{
	Fixture *fixture = *state;
	Cell expected[FIELDS];
	ParquetRead read;
	ParquetRows *rows;
	DataFile file;
	bool end;
	Err err = { 0 };

	write_file(fixture, &file);
	assert_int_equal(file.record_count, ROWS);
	read = (ParquetRead){ .local_path = fixture->path,
		                  .fields = fixture->schema.fields,
		                  .field_count = FIELDS };
	if (!parquet_open(fixture->parquet, &read, &rows, &err))
		fail_msg("%s", err.text);
	fixture->made = 0;
	for (int64_t i = 0;; i++)
	{
		Buf got = buf_heap();
		Buf want = buf_heap();

		assert_true(parquet_next(rows, &end, &err));
		assert_int_equal(end, i == ROWS);
		if (end)
			break;
		assert_int_equal(parquet_position(rows), i);
		(void) next_row(fixture, expected, &err);
		for (int c = 0; c < FIELDS; c++)
		{
			Cell cell = parquet_cell(rows, c, fixture->arena);
			const IcebergType list =
				iceberg_list(fixture->arena, 1, fixture->schema.fields[c].type);

			assert_int_equal(cell.kind, expected[c].kind);
			cell_canonical(&got, &list, &cell);
			cell_canonical(&want, &list, &expected[c]);
		}
		assert_int_equal(got.len, want.len);
		assert_memory_equal(got.data, want.data, want.len);
		buf_free(&got);
		buf_free(&want);
	}
	parquet_close(rows);
}

static void
test_older_schema(void **state)
{
	Fixture *fixture = *state;
	IcebergField fields[3] = {
		{ .id = 99, .name = "new", .type = iceberg_type(ICEBERG_STRING) },
		{ .id = 1, .name = "renamed", .type = iceberg_type(ICEBERG_LONG) },
		{ .id = 6, .name = "tags", .type = fixture->schema.fields[TAGS].type },
	};
	ParquetRead read = { .local_path = fixture->path,
		                 .fields = fields,
		                 .field_count = 3 };
	ParquetRows *rows;
	DataFile file;
	bool end;
	Err err = { 0 };

	write_file(fixture, &file);
	if (!parquet_open(fixture->parquet, &read, &rows, &err))
		fail_msg("%s", err.text);
	assert_true(parquet_next(rows, &end, &err));
	assert_true(parquet_next(rows, &end, &err));
	assert_int_equal(parquet_cell(rows, 0, fixture->arena).kind, CELL_NULL);
	assert_int_equal(parquet_cell(rows, 1, fixture->arena).integer, 3);
	assert_int_equal(parquet_cell(rows, 2, fixture->arena).count, 1);
	parquet_close(rows);
}

#define OTHERS 3

/* Files of 10, 20 and 30 rows beside the large one; the second lacks a column. */
static const char *const *
write_others(Fixture *fixture)
{
	const char **paths = arena_zero(fixture->arena, sizeof *paths * OTHERS);
	IcebergSchema narrow = fixture->schema;

	narrow.field_count = NOTES;
	for (int i = 0; i < OTHERS; i++)
	{
		ParquetWrite write = { .local_path = arena_printf(fixture->arena,
			                                              "%s/other, '%d'.parquet",
			                                              fixture->directory,
			                                              i),
			                   .schema = i == 1 ? &narrow : &fixture->schema,
			                   .next = next_row,
			                   .context = fixture };
		DataFile file = { DATA_FILE_INIT };
		Err err = { 0 };

		paths[i] = write.local_path;
		fixture->made = ROWS - 10 * (i + 1);
		fixture->lacks_notes = i == 1;
		if (!parquet_write(fixture->parquet, &write, fixture->arena, &file, &err))
			fail_msg("%s", err.text);
	}
	fixture->lacks_notes = false;
	return paths;
}

static void
remove_others(const char *const *paths)
{
	for (int i = 0; i < OTHERS; i++)
		(void) unlink(paths[i]);
}

static void
check_several(Fixture *fixture, const ParquetRead *read, int64_t first_rows)
{
	const int64_t counts[] = { first_rows, 10, 20, 30 };
	ParquetRows *rows;
	bool end;
	Err err = { 0 };

	if (!parquet_open(fixture->parquet, read, &rows, &err))
		fail_msg("%s", err.text);
	for (int file = 0; file <= read->other_count; file++)
		for (int64_t i = 0; i < counts[file]; i++)
		{
			int64_t id = (ROWS - counts[file] + i) * 3;

			assert_true(parquet_next(rows, &end, &err));
			assert_false(end);
			assert_int_equal(parquet_file(rows), file);
			assert_int_equal(parquet_position(rows), i);
			assert_int_equal(parquet_cell(rows, 0, fixture->arena).integer, id);
			assert_int_equal(parquet_cell(rows, 1, fixture->arena).kind,
			                 file == 2 || id / 3 % 7 == 0 ? CELL_NULL : CELL_LIST);
		}
	assert_true(parquet_next(rows, &end, &err));
	assert_true(end);
	(void) parquet_damaged(rows, "it is the last", &err);
	assert_non_null(strstr(err.text, read->others[read->other_count - 1]));
	parquet_close(rows);
}

/* Streamed and held: one after the other, each with its positions. */
static void
test_several_files(void **state)
{
	Fixture *fixture = *state;
	const IcebergField fields[] = { fixture->schema.fields[ID],
		                            fixture->schema.fields[NOTES] };
	const char *const *others = write_others(fixture);
	ParquetRead read = { .local_path = fixture->path,
		                 .fields = fields,
		                 .field_count = 2,
		                 .others = others,
		                 .other_count = OTHERS };
	DataFile file;

	write_file(fixture, &file);
	check_several(fixture, &read, ROWS);
	read.small_rows = ROWS + 60;
	check_several(fixture, &read, ROWS);
	read.small_rows = 60;
	read.local_path = arena_printf(fixture->arena, "%s", others[0]);
	check_several(fixture, &read, 10);
	remove_others(others);
}

/* The one of several files that cannot be read is named, whatever DuckDB says. */
static void
test_one_of_several_damaged(void **state)
{
	Fixture *fixture = *state;
	const char *const *others = write_others(fixture);
	ParquetRead read = { .local_path = fixture->path,
		                 .fields = fixture->schema.fields,
		                 .field_count = 1,
		                 .others = others,
		                 .other_count = OTHERS };
	DataFile file;

	write_file(fixture, &file);
	for (int damage = 0; damage < 3; damage++)
		for (int small = 0; small < 2; small++)
		{
			ParquetRows *rows;
			bool end = false;
			bool ok;
			Err err = { 0 };

			if (damage == 1)
				assert_int_equal(truncate(others[1], 100), 0);
			if (damage == 2)
				(void) unlink(others[1]);
			read.small_rows = small;
			ok = parquet_open(fixture->parquet, &read, &rows, &err);
			while (ok && !end)
				ok = parquet_next(rows, &end, &err);
			parquet_close(rows);
			assert_int_equal(ok, damage == 0);
			if (ok)
				continue;
			assert_int_equal(err.kind, ERR_CONFIG);
			assert_non_null(strstr(err.text, others[1]));
		}
	remove_others(others);
}

#define LARGE_BYTES 5000000
#define LARGE_ROWS  5

typedef struct LargeRows
{
	char *bytes; /* made anew for each row: they stay no longer than they have to */
	int made;
	bool is_bad;
} LargeRows;

/* Rows with a large value are the odd ones. */
static RowStatus
next_large(void *context, Cell *row, Err *err)
{
	LargeRows *rows = context;
	int i = rows->made++;

	(void) err;
	free(rows->bytes);
	rows->bytes = NULL;
	if (i == LARGE_ROWS)
		return ROW_END;
	row[0] = cell_text("small");
	row[1] = cell_null();
	if (i % 2 == 0)
		return ROW_READY;
	rows->bytes = malloc(LARGE_BYTES);
	assert_non_null(rows->bytes);
	memset(rows->bytes, 'a' + i, LARGE_BYTES);
	row[0] = row[1] = cell_bytes((Slice){ rows->bytes, LARGE_BYTES });
	if (rows->is_bad)
		rows->bytes[LARGE_BYTES - 1] = '\xFF';
	return ROW_READY;
}

/* Large values are not copied on their way; groups of rows end by themselves or not. */
static void
test_large_values(void **state)
{
	Fixture *fixture = *state;
	const IcebergField fields[] = {
		{ .id = 1, .name = "text", .type = iceberg_type(ICEBERG_STRING) },
		{ .id = 2, .name = "bytes", .type = iceberg_type(ICEBERG_BINARY) },
	};
	const IcebergSchema schema = { .fields = fields, .field_count = 2 };
	LargeRows made = { 0 };
	ParquetWrite write = { .local_path = fixture->path,
		                   .schema = &schema,
		                   .next = next_large,
		                   .context = &made };
	ParquetRead read = { .local_path = fixture->path,
		                 .fields = fields,
		                 .field_count = 2 };
	Err err = { 0 };

	for (int turn = 0; turn < 2; turn++)
	{
		DataFile file = { DATA_FILE_INIT };
		ParquetRows *rows;
		bool end;

		made.made = 0;
		write.row_bytes = turn == 0 ? 0 : 2 * LARGE_BYTES;
		if (!parquet_expect(fixture->parquet, 2 * LARGE_BYTES, &err) ||
		    !parquet_write(fixture->parquet, &write, fixture->arena, &file, &err) ||
		    !parquet_open(fixture->parquet, &read, &rows, &err))
			fail_msg("%s", err.text);
		for (int i = 0; i < LARGE_ROWS; i++)
		{
			Slice text;

			assert_true(parquet_next(rows, &end, &err));
			assert_false(end);
			text = parquet_cell(rows, 0, fixture->arena).bytes;
			if (i % 2 == 0)
			{
				assert_true(slice_equal(text, slice_from("small")));
				continue;
			}
			assert_int_equal(text.len, LARGE_BYTES);
			assert_int_equal(text.data[0], 'a' + i);
			assert_memory_equal(text.data, text.data + 1, LARGE_BYTES - 1);
			assert_true(slice_equal(text, parquet_cell(rows, 1, fixture->arena).bytes));
		}
		parquet_close(rows);
	}
	made = (LargeRows){ .is_bad = true };
	assert_false(parquet_write(
		fixture->parquet, &write, fixture->arena, &(DataFile){ DATA_FILE_INIT }, &err));
	assert_int_equal(err.kind, ERR_DATA);
	free(made.bytes);
}

static void
test_metrics(void **state)
{
	Fixture *fixture = *state;
	DataFile file;

	write_file(fixture, &file);
	/* Nested columns have neither counts nor bounds. */
	assert_int_equal(file.value_counts.count, 5);
	assert_int_equal(file.null_value_counts.items[1].count, (ROWS + 6) / 7);
	assert_int_equal(file.nan_value_counts.count, 1);
	assert_int_equal(file.nan_value_counts.items[0].id, 4);
	assert_int_equal(file.lower_bounds.items[0].bytes.len, 8);
	assert_memory_equal(
		file.upper_bounds.items[0].bytes.data, "\xCD\xDD\x06\0\0\0\0\0", 8);
	/* 16 code points, the last one counted up. */
	assert_int_equal(file.lower_bounds.items[1].bytes.len, 17);
	assert_memory_equal(
		file.lower_bounds.items[1].bytes.data, "n\xC3\xA4me number 0000", 17);
	assert_memory_equal(
		file.upper_bounds.items[1].bytes.data, "n\xC3\xA4me number 149:", 17);
}

static RowStatus
next_bad(void *context, Cell *row, Err *err)
{
	Fixture *fixture = context;
	RowStatus status = next_row(context, row, err);

	if (fixture->made == 3000)
		row[NAME] = cell_text("\xFF\xFE");
	return status;
}

static void
test_failures(void **state)
{
	Fixture *fixture = *state;
	ParquetWrite write = { .local_path = fixture->path,
		                   .schema = &fixture->schema,
		                   .next = next_bad,
		                   .context = fixture };
	ParquetRead read = { .local_path = fixture->path,
		                 .fields = fixture->schema.fields,
		                 .field_count = FIELDS };
	DataFile file = { DATA_FILE_INIT };
	ParquetRows *rows;
	Err err = { 0 };

	fixture->made = 0;
	assert_false(parquet_write(fixture->parquet, &write, fixture->arena, &file, &err));
	assert_int_equal(err.kind, ERR_DATA);
	assert_non_null(strstr(err.text, "na\"me"));
	assert_int_equal(access(fixture->path, F_OK), -1);
	assert_false(parquet_open(fixture->parquet, &read, &rows, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	write.local_path = "/nonexistent/directory/file.parquet";
	write.next = next_row;
	fixture->made = 0;
	assert_false(parquet_write(fixture->parquet, &write, fixture->arena, &file, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_older_schema, setup, teardown),
		cmocka_unit_test_setup_teardown(test_several_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_of_several_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_metrics, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
