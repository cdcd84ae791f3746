/*
 * test_iceberg_manifest.c
 *		manifests and manifest lists: golden bytes, foreign files, damage.
 *
 * The iceberg_parts and iceberg_mor samples hold what Java wrote, packed again
 * by fastavro (with both codecs, and a block a row).  The golden files are ours,
 * read once by fastavro, PyIceberg and DuckDB.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
/* cmocka has a macro fail: our own headers first. */
#include "iceberg_support.h"
#include "lake/iceberg/avro.h"
#include "lake/iceberg/bounds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zlib.h>

#define REQUIRE(call)                 \
	do                                \
	{                                 \
		if (!(call))                  \
			fail_msg("%s", err.text); \
	} while (0)

/* A sample as a row of a manifest list would name it. */
static ManifestFile
row_for(Slice bytes, ManifestContent content, int32_t added)
{
	return (ManifestFile){
		.path = "file:/m.avro",
		.length = (int64_t) bytes.len,
		.content = content,
		.sequence_number = 7,
		.added_snapshot_id = 70,
		.added_files = added,
	};
}

static void
java_manifest_is_read(void **state)
{
	Arena *arena = arena_new();
	TableMetadata *metadata = sample_metadata(arena, "iceberg_parts.metadata.json");
	Slice bytes = read_sample(arena, "iceberg_parts_m0.avro");
	ManifestFile row = row_for(bytes, MANIFEST_DATA, 3);
	ManifestEntries entries;
	const DataFile *file;
	Err err = { 0 };

	(void) state;
	REQUIRE(manifest_read(arena, metadata, &row, bytes, &entries, &err));
	assert_int_equal(entries.count, 3);
	assert_int_equal(entries.items[0].status, ENTRY_ADDED);
	assert_true(entries.items[0].snapshot_id == INT64_C(9194870272892281114));
	assert_int_equal(entries.items[0].sequence_number, 7);
	assert_int_equal(entries.items[0].file_sequence_number, 7);
	file = &entries.items[0].file;
	assert_string_equal(file->format, "PARQUET");
	assert_int_equal(file->partition_count, 3);
	assert_true(file->partition[0].is_null && file->partition[2].is_null);
	assert_int_equal(file->column_sizes.count, 6);
	assert_int_equal(file->sort_order_id, 0);
	assert_int_equal(file->split_offset_count, 1);
	assert_int_equal(file->split_offsets[0], 4);

	/* The other two: days 20454 and -1, both seen in the list's summary. */
	for (int i = 1; i < 3; i++)
	{
		file = &entries.items[i].file;
		assert_false(file->partition[0].is_null);
		assert_true(slice_equal(file->partition[0].bytes, bound_int(arena, -1)) ||
		            slice_equal(file->partition[0].bytes, bound_int(arena, 20454)));
		assert_true(slice_equal(file->partition[2].bytes, slice_from("abc")) ||
		            slice_equal(file->partition[2].bytes,
		                        slice_from("\xc3\xb1"
		                                   "an")));
	}
	arena_free(arena);
}

static void
java_deletes_are_read(void **state)
{
	Arena *arena = arena_new();
	TableMetadata *metadata = sample_metadata(arena, "iceberg_mor.metadata.json");
	Slice bytes = read_sample(arena, "iceberg_mor_deletes.avro");
	ManifestFile row = row_for(bytes, MANIFEST_DELETES, 1);
	ManifestEntries entries;
	const DataFile *file;
	Err err = { 0 };

	(void) state;
	REQUIRE(manifest_read(arena, metadata, &row, bytes, &entries, &err));
	file = &entries.items[0].file;
	assert_int_equal(file->content, FILE_POSITION_DELETES);
	assert_int_equal(file->record_count, 109);
	assert_int_equal(file->sort_order_id, NO_SORT_ORDER);
	assert_null(file->referenced_data_file);
	assert_int_equal(file->lower_bounds.items[0].id, DELETE_FILE_PATH_ID);
	assert_true(slice_equal(file->lower_bounds.items[0].bytes,
	                        file->upper_bounds.items[0].bytes));

	row.content = MANIFEST_DATA;
	assert_false(manifest_read(arena, metadata, &row, bytes, &entries, &err));
	assert_non_null(strstr(err.text, "manifest \"file:/m.avro\": entry 0: file"));
	arena_free(arena);
}

static void
java_lists_are_read(void **state)
{
	Arena *arena = arena_new();
	ManifestFiles files;
	Err err = { 0 };

	(void) state;
	REQUIRE(manifest_list_read(
		arena, "l", read_sample(arena, "iceberg_mor_list.avro"), &files, &err));
	assert_int_equal(files.count, 4);
	assert_int_equal(files.items[0].added_rows, 10);
	assert_int_equal(files.items[1].sequence_number, 1);
	assert_int_equal(files.items[1].partition_count, 0);
	assert_int_equal(files.items[3].content, MANIFEST_DELETES);
	assert_int_equal(files.items[3].deleted_files, 1);
	assert_int_equal(files.items[3].deleted_rows, 100);

	REQUIRE(manifest_list_read(
		arena, "l", read_sample(arena, "iceberg_parts_list.avro"), &files, &err));
	assert_int_equal(files.items[0].partition_count, 3);
	assert_true(files.items[0].partitions[0].contains_null);
	assert_true(files.items[0].partitions[0].nan_is_known);
	assert_string_equal(to_hex(arena, files.items[0].partitions[0].lower), "ffffffff");
	assert_string_equal(to_hex(arena, files.items[0].partitions[2].upper), "c3b1616e");
	arena_free(arena);
}

/* A data file with every field set, and a position delete file. */
static void
make_entries(Arena *arena, ManifestEntry *data, ManifestEntry *deletes)
{
	static const IdCount sizes[] = { { 1, 40 }, { 2, 300 } };
	static const IdCount counts[] = { { 1, 10 }, { 2, 10 } };
	static const IdCount nulls[] = { { 1, 0 }, { 2, 3 } };
	static const int64_t offsets[] = { 4, 4000000000 };
	IdBound *bounds = arena_zero(arena, 4 * sizeof *bounds);
	PartitionValue *partition = arena_zero(arena, sizeof *partition);

	partition->bytes = bound_int(arena, 20454);
	bounds[0] = (IdBound){ 1, bound_long(arena, -3) };
	bounds[1] = (IdBound){ 2, slice_from("a") };
	bounds[2] = (IdBound){ DELETE_FILE_PATH_ID, slice_from("file:///lake/db/t/data/a") };
	bounds[3] = (IdBound){ DELETE_POS_ID, bound_long(arena, 5) };
	*data = (ManifestEntry){
		.status = ENTRY_ADDED,
		.snapshot_id = 11,
		.sequence_number = SEQUENCE_INHERITED,
		.file_sequence_number = SEQUENCE_INHERITED,
		.file = {
			DATA_FILE_INIT,
			.path = "file:///lake/db/t/data/a",
			.partition = partition,
			.partition_count = 1,
			.record_count = 10,
			.size_bytes = 12345,
			.column_sizes = { sizes, 2 },
			.value_counts = { counts, 2 },
			.null_value_counts = { nulls, 2 },
			.lower_bounds = { bounds, 2 },
			.upper_bounds = { bounds, 2 },
			.split_offsets = offsets,
			.split_offset_count = 2,
		},
	};
	data->file.sort_order_id = 0;
	*deletes = (ManifestEntry){
		.status = ENTRY_EXISTING,
		.snapshot_id = 10,
		.sequence_number = 3,
		.file_sequence_number = 3,
		.file = {
			DATA_FILE_INIT,
			.content = FILE_POSITION_DELETES,
			.path = "file:///lake/db/t/data/d",
			.partition = partition,
			.partition_count = 1,
			.record_count = 1,
			.size_bytes = 99,
			.lower_bounds = { bounds + 2, 2 },
			.upper_bounds = { bounds + 2, 2 },
			.referenced_data_file = "file:///lake/db/t/data/a",
		},
	};
}

static ManifestHeader
sample_header(Arena *arena, ManifestContent content)
{
	NewTable table = sample_table();
	TableMetadata *metadata = metadata_new(arena, &table);

	return (ManifestHeader){ metadata, &metadata->specs[0], content };
}

static void
entries_round_trip(void **state)
{
	Arena *arena = arena_new();
	ManifestEntry data;
	ManifestEntry deletes;
	ManifestEntry many[3];
	ManifestEntries entries;
	Err err = { 0 };
	ManifestHeader header = sample_header(arena, MANIFEST_DATA);
	ManifestFile row;
	Slice bytes;

	(void) state;
	make_entries(arena, &data, &deletes);
	for (int i = 0; i < 3; i++)
	{
		many[i] = data;
		many[i].status = (EntryStatus) i;
		if (i == ENTRY_ADDED)
			continue;
		many[i].sequence_number = 4 + i;
		many[i].file_sequence_number = 5 + i;
	}
	REQUIRE(manifest_write(arena, &header, (ManifestEntries){ many, 3 }, &bytes, &err));
	REQUIRE(
		manifest_summarize(arena, &header, (ManifestEntries){ many, 3 }, 9, &row, &err));
	row.path = "m";
	row.length = (int64_t) bytes.len;
	row.sequence_number = 9;
	assert_int_equal(row.min_sequence_number, 4);
	assert_int_equal(row.added_rows, 10);
	assert_int_equal(row.deleted_files, 1);
	assert_string_equal(to_hex(arena, row.partitions[0].upper), "e64f0000");
	REQUIRE(manifest_read(arena, header.metadata, &row, bytes, &entries, &err));
	assert_int_equal(entries.count, 3);
	for (int i = 0; i < 3; i++)
	{
		const ManifestEntry *entry = &entries.items[i];

		assert_int_equal(entry->status, i);
		assert_int_equal(entry->sequence_number, i == ENTRY_ADDED ? 9 : 4 + i);
		assert_int_equal(entry->file_sequence_number, i == ENTRY_ADDED ? 9 : 5 + i);
		assert_string_equal(entry->file.path, data.file.path);
		assert_int_equal(entry->file.size_bytes, 12345);
		assert_int_equal(entry->file.column_sizes.items[1].count, 300);
		assert_int_equal(entry->file.null_value_counts.items[1].count, 3);
		assert_int_equal(entry->file.nan_value_counts.count, 0);
		assert_true(entry->file.split_offsets[1] == 4000000000);
		assert_true(slice_equal(entry->file.partition[0].bytes, bound_int(arena, 20454)));
		assert_true(
			slice_equal(entry->file.upper_bounds.items[1].bytes, slice_from("a")));
		assert_int_equal(entry->file.sort_order_id, 0);
		assert_null(entry->file.key_metadata.data);
	}

	/* What a manifest must not hold. */
	assert_false(
		manifest_write(arena, &header, (ManifestEntries){ &deletes, 1 }, &bytes, &err));
	many[0].sequence_number = SEQUENCE_INHERITED;
	assert_false(
		manifest_write(arena, &header, (ManifestEntries){ many, 1 }, &bytes, &err));
	assert_non_null(strstr(err.text, "lacks a sequence number"));
	data.file.partition_count = 0;
	assert_false(
		manifest_write(arena, &header, (ManifestEntries){ &data, 1 }, &bytes, &err));
	arena_free(arena);
}

/* Identity partitions of every primitive type. */
static void
partition_values_round_trip(void **state)
{
	Arena *arena = arena_new();
	IcebergField fields[ICEBERG_LIST];
	PartitionField partition[ICEBERG_LIST];
	PartitionValue values[2][ICEBERG_LIST];
	IcebergSchema schema = { .fields = fields, .field_count = ICEBERG_LIST };
	PartitionSpec spec = { .fields = partition, .field_count = ICEBERG_LIST };
	NewTable table = sample_table();
	ManifestHeader header = sample_header(arena, MANIFEST_DATA);
	ManifestEntry pair[2];
	ManifestEntries entries;
	ManifestFile row;
	Slice bytes;
	Err err = { 0 };

	(void) state;
	memset(values, 0, sizeof values);
	for (int i = 0; i < ICEBERG_LIST; i++)
	{
		fields[i] = (IcebergField){ .id = i + 1,
			                        .name = arena_printf(arena, "%d c", i),
			                        .type = iceberg_type((IcebergKind) i) };
		partition[i] = (PartitionField){ i + 1, 1000 + i, fields[i].name, "identity" };
		values[0][i].bytes = bound_long(arena, -2 - i);
		values[1][i].is_null = true;
	}
	fields[ICEBERG_DECIMAL].type = iceberg_decimal(10, 2);
	fields[ICEBERG_FIXED].type.length = 3;
	values[0][ICEBERG_BOOLEAN].bytes = bound_boolean(arena, true);
	values[0][ICEBERG_INT].bytes = bound_int(arena, -7);
	values[0][ICEBERG_DATE].bytes = bound_int(arena, -8);
	values[0][ICEBERG_FLOAT].bytes = bound_float(arena, 1.5f, BOUND_LOWER);
	values[0][ICEBERG_DOUBLE].bytes = bound_double(arena, -2.5, BOUND_LOWER);
	values[0][ICEBERG_DECIMAL].bytes = bound_decimal(arena, -129);
	values[0][ICEBERG_STRING].bytes = slice_from("");
	values[0][ICEBERG_UUID].bytes = slice_from("0123456789abcdef");
	values[0][ICEBERG_FIXED].bytes = slice_from("xyz");
	table.schema = &schema;
	table.spec = &spec;
	header.metadata = metadata_new(arena, &table);
	header.spec = header.metadata->specs;
	make_entries(arena, &pair[0], &pair[1]);
	pair[0].file.partition = values[0];
	pair[0].file.partition_count = ICEBERG_LIST;
	pair[1] = pair[0];
	pair[1].file.partition = values[1];
	REQUIRE(manifest_write(arena, &header, (ManifestEntries){ pair, 2 }, &bytes, &err));
	row = row_for(bytes, MANIFEST_DATA, 2);
	REQUIRE(manifest_read(arena, header.metadata, &row, bytes, &entries, &err));
	for (int i = 0; i < ICEBERG_LIST; i++)
	{
		assert_true(
			slice_equal(entries.items[0].file.partition[i].bytes, values[0][i].bytes));
		assert_true(entries.items[1].file.partition[i].is_null);
	}
	arena_free(arena);
}

/*
 * A file of one block, taken apart: everything but the deflated bytes, which
 * depend on the version of zlib, and the rows.
 */
static void
take_apart(Slice file, Slice *header, Slice *rows, Arena *arena)
{
	size_t at = 0;
	size_t len = 0;
	z_stream stream = { 0 };
	const char *sync = file.data + file.len - 16;

	while (memcmp(file.data + at, sync, 16) != 0)
		at++;
	*header = (Slice){ file.data, at + 16 };
	at += 16;
	assert_true((uint8_t) file.data[at] < 0x80);
	for (at++; (uint8_t) file.data[at] >= 0x80; at++)
		;
	at++;
	rows->data = arena_alloc(arena, 65536);
	stream.next_in = (Bytef *) file.data + at;
	stream.avail_in = (uInt) (file.len - 16 - at);
	stream.next_out = (Bytef *) rows->data;
	stream.avail_out = 65536;
	assert_int_equal(inflateInit2(&stream, -15), Z_OK);
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	len = stream.total_out;
	inflateEnd(&stream);
	rows->len = len;
}

static void
check_golden(Arena *arena, const char *name, Slice bytes)
{
	Slice golden = read_sample(arena, name);
	Slice parts[2][2];

	take_apart(bytes, &parts[0][0], &parts[0][1], arena);
	take_apart(golden, &parts[1][0], &parts[1][1], arena);
	assert_true(slice_equal(parts[0][0], parts[1][0]));
	assert_string_equal(to_hex(arena, parts[0][1]), to_hex(arena, parts[1][1]));
}

/* GOLDEN_OUT=directory in the environment writes them anew, for a foreign reader to
 * judge. */
static void
golden(Arena *arena, const char *name, Slice bytes)
{
	const char *out = getenv("GOLDEN_OUT");
	FILE *file;

	if (!out)
	{
		check_golden(arena, name, bytes);
		return;
	}
	file = fopen(arena_printf(arena, "%s/%s", out, name), "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
	fclose(file);
}

static void
bytes_are_golden(void **state)
{
	Arena *arena = arena_new();
	ManifestHeader header = sample_header(arena, MANIFEST_DATA);
	ManifestListHeader list = { 11, 10, 9 };
	ManifestEntry data;
	ManifestEntry deletes;
	ManifestFile rows[2];
	Slice bytes;
	Err err = { 0 };

	(void) state;
	make_entries(arena, &data, &deletes);
	REQUIRE(manifest_write(arena, &header, (ManifestEntries){ &data, 1 }, &bytes, &err));
	golden(arena, "iceberg_golden_data.avro", bytes);
	REQUIRE(manifest_summarize(
		arena, &header, (ManifestEntries){ &data, 1 }, 9, &rows[0], &err));
	header.content = MANIFEST_DELETES;
	REQUIRE(
		manifest_write(arena, &header, (ManifestEntries){ &deletes, 1 }, &bytes, &err));
	golden(arena, "iceberg_golden_deletes.avro", bytes);
	REQUIRE(manifest_summarize(
		arena, &header, (ManifestEntries){ &deletes, 1 }, 9, &rows[1], &err));
	for (int i = 0; i < 2; i++)
	{
		rows[i].path = arena_printf(arena, "file:///lake/db/t/metadata/m%d.avro", i);
		rows[i].length = 5000 + i;
		rows[i].sequence_number = 9;
		rows[i].added_snapshot_id = 11;
	}
	golden(arena,
	       "iceberg_golden_list.avro",
	       manifest_list_write(arena, &list, (ManifestFiles){ rows, 2 }));
	arena_free(arena);
}

static void
many_rows_take_many_blocks(void **state)
{
	enum
	{
		COUNT = 5000
	};
	Arena *arena = arena_new();
	ManifestHeader header = sample_header(arena, MANIFEST_DATA);
	ManifestEntry *items = arena_zero(arena, COUNT * sizeof *items);
	ManifestEntry unused;
	ManifestEntries entries;
	ManifestFile row;
	Slice bytes;
	Err err = { 0 };

	(void) state;
	for (int i = 0; i < COUNT; i++)
	{
		make_entries(arena, &items[i], &unused);
		items[i].file.path = arena_printf(arena, "file:///lake/db/t/data/%d", i);
	}
	REQUIRE(
		manifest_write(arena, &header, (ManifestEntries){ items, COUNT }, &bytes, &err));
	row = row_for(bytes, MANIFEST_DATA, COUNT);
	REQUIRE(manifest_read(arena, header.metadata, &row, bytes, &entries, &err));
	assert_int_equal(entries.count, COUNT);
	for (int i = 0; i < COUNT; i++)
		assert_string_equal(entries.items[i].file.path, items[i].file.path);
	row.added_files = COUNT + 1;
	assert_false(manifest_read(arena, header.metadata, &row, bytes, &entries, &err));
	row.length--;
	assert_false(manifest_read(arena, header.metadata, &row, bytes, &entries, &err));
	arena_free(arena);
}

/* Neither a cut nor a changed bit may do more than fail; a cut must. */
static void
damage(const char *metadata_name, const char *name, bool is_list)
{
	Arena *outer = arena_new();
	TableMetadata *metadata = sample_metadata(outer, metadata_name);
	Slice whole = read_sample(outer, name);
	char *bytes = exact_block(whole);

	for (size_t i = 0; i < whole.len; i += (i < whole.len - 600 ? 5 : 1))
	{
		Arena *arena = arena_new();
		char *block = exact_block((Slice){ whole.data, i });
		Slice cut = { block, i };
		ManifestFile row = row_for(cut, MANIFEST_DATA, 3);
		ManifestEntries entries;
		ManifestFiles files;
		Err err = { 0 };
		bool ok = is_list ? manifest_list_read(arena, "l", cut, &files, &err)
		                  : manifest_read(arena, metadata, &row, cut, &entries, &err);

		/* A list may end between two blocks: table_state_check() is for that. */
		if (ok)
			assert_true(is_list);
		else
			assert_true(err.kind == ERR_FATAL && err.text[0] != '\0');
		bytes[i] = (char) (bytes[i] ^ (1 << i % 8));
		row.length = (int64_t) whole.len;
		if (is_list)
			ok =
				manifest_list_read(arena, "l", (Slice){ bytes, whole.len }, &files, &err);
		else
			ok = manifest_read(
				arena, metadata, &row, (Slice){ bytes, whole.len }, &entries, &err);
		(void) ok;
		bytes[i] = whole.data[i];
		free(block);
		arena_free(arena);
	}
	free(bytes);
	arena_free(outer);
}

static void
damaged_files(void **state)
{
	(void) state;
	damage("iceberg_parts.metadata.json", "iceberg_parts_m0.avro", false);
	damage("iceberg_mor.metadata.json", "iceberg_mor_deletes.avro", false);
	damage("iceberg_mor.metadata.json", "iceberg_mor_list.avro", true);
	damage("iceberg_mor.metadata.json", "iceberg_parts_list.avro", true);
}

/* Containers made by hand: what a hostile writer could send. */
static void
hostile_files(void **state)
{
	const struct
	{
		const char *schema;
		const char *codec;
		const char *rows; /* one row */
		size_t len;
		const char *text;
	} cases[] = {
		{ "\"long\"", "snappy", "\2", 1, "codec \"snappy\" is not supported" },
		{ "\"lang\"", "null", "\2", 1, "unrecognized type \"lang\"" },
		{ "{\"type\":\"array\"}", "null", "\2", 1, "lacks member \"items\"" },
		{ "{\"type\":\"fixed\",\"name\":\"f\",\"size\":-1}",
		  "null",
		  "\2",
		  1,
		  "negative size" },
		{ "{\"type\":\"array\",\"items\":\"long\"}",
		  "null",
		  "\xff\xff\xff\xff\x0f",
		  5,
		  "damaged item count" },
		{ "{\"type\":\"array\",\"items\":\"null\"}",
		  "null",
		  "\x80\x80\x80\x80\x08",
		  5,
		  "damaged item count" },
		{ "\"string\"", "null", "\1", 1, "negative length" },
		{ "\"string\"", "null", "\x08xyz", 4, "ends early" },
		{ "\"long\"",
		  "null",
		  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		  11,
		  "more than 64 bits" },
		{ "\"int\"", "null", "\xff\xff\xff\xff\x7f", 5, "more than 32 bits" },
		{ "[\"null\",\"long\"]", "null", "\4", 1, "damaged union branch" },
		{ "\"long\"", "deflate", "\2", 1, "cannot be inflated" },
		{ "\"long\"", "null", "\2\2", 2, "longer than its rows" },
		{ "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":\"r\"}]}",
		  "null",
		  "\2",
		  1,
		  "too deeply" },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		Arena *arena = arena_new();
		Buf file = buf_heap();
		AvroReader reader;
		const AvroValue *row = NULL;
		Err err = { 0 };
		bool ok;

		buf_text(&file, "Obj\1");
		avro_long(&file, 2);
		avro_bytes(&file, slice_from("avro.schema"));
		avro_bytes(&file, slice_from(cases[i].schema));
		avro_bytes(&file, slice_from("avro.codec"));
		avro_bytes(&file, slice_from(cases[i].codec));
		avro_long(&file, 0);
		buf_text(&file, "0123456789abcdef");
		avro_long(&file, 1);
		avro_bytes(&file, (Slice){ cases[i].rows, cases[i].len });
		buf_text(&file, "0123456789abcdef");
		ok = avro_open(arena, (Slice){ file.data, file.len }, &reader, &err);
		while (ok && (row || reader.rest.len > 0 || reader.rows.len > 0))
			ok = avro_next(&reader, arena, &row, &err);
		assert_false(ok);
		if (!strstr(err.text, cases[i].text))
			fail_msg("case %zu: %s", i, err.text);
		avro_close(&reader);
		buf_free(&file);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(java_manifest_is_read),
		cmocka_unit_test(java_deletes_are_read),
		cmocka_unit_test(java_lists_are_read),
		cmocka_unit_test(entries_round_trip),
		cmocka_unit_test(partition_values_round_trip),
		cmocka_unit_test(bytes_are_golden),
		cmocka_unit_test(many_rows_take_many_blocks),
		cmocka_unit_test(damaged_files),
		cmocka_unit_test(hostile_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
