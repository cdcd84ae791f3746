/*
 * fuzz_avro.c
 *		libFuzzer over Avro files: rows of any schema, manifest lists and manifests.
 *
 * The input is one byte, which says what is expected, then the file.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "support.h"

#include <stdlib.h>

#include "lake/iceberg/avro.h"
#include "lake/iceberg/manifest.h"

/* A table whose partition a manifest may have: none, or a day. */
static TableMetadata *
make_table(Arena *arena)
{
	static const IcebergField fields[] = {
		{ .id = 1, .name = "id", .required = true, .type = { .kind = ICEBERG_LONG } },
		{ .id = 3, .name = "ts", .type = { .kind = ICEBERG_TIMESTAMPTZ } },
	};
	static const IcebergSchema schema = { .fields = fields, .field_count = 2 };
	static const PartitionField partition[] = { { 3, 1000, "ts_day", "day" } };
	static const PartitionSpec spec = { .fields = partition, .field_count = 1 };
	const NewTable table = {
		.uuid = "842dac51-c60f-40d1-9a24-f9eda7e10c23",
		.location = "file:///lake/db/t",
		.timestamp_ms = 1000,
		.schema = &schema,
		.spec = &spec,
	};

	return metadata_new(arena, &table);
}

static bool
read_manifest(Arena *arena, Slice bytes, Err *err)
{
	TableMetadata *metadata = make_table(arena);
	const ManifestFile row = {
		.path = "file:/m.avro",
		.length = (int64_t) bytes.len,
		.sequence_number = 7,
		.added_snapshot_id = 70,
	};
	ManifestEntries entries;

	return manifest_read(arena, metadata, &row, bytes, &entries, err);
}

static bool
read_list(Arena *arena, Slice bytes, Err *err)
{
	static const ManifestListHeader header = { .snapshot_id = 1, .sequence_number = 2 };
	ManifestFiles files;

	if (!manifest_list_read(arena, "file:/list.avro", bytes, &files, err))
		return false;
	/* what can be read can be written and read */
	bytes = manifest_list_write(arena, &header, files);
	if (!manifest_list_read(arena, "file:/list.avro", bytes, &files, err))
		abort();
	return true;
}

static bool
read_rows(Arena *arena, Slice bytes, Err *err)
{
	AvroReader reader;
	bool ok = avro_open(arena, bytes, &reader, err);
	const AvroValue *row = NULL;

	for (int i = 0; ok && i < 1000; i++)
	{
		Arena *scratch = arena_new();

		ok = avro_next(&reader, scratch, &row, err);
		arena_free(scratch);
		if (ok && row == NULL)
			break;
	}
	avro_close(&reader);
	return ok;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool (*const readers[])(Arena *, Slice, Err *) = {
		read_manifest,
		read_list,
		read_rows,
	};
	Input input = { data, size };
	Arena *arena = arena_new();
	unsigned reader = input_byte(&input) % 3;
	Err err = { .kind = ERR_NONE };

	if (!readers[reader](arena, (Slice){ (const char *) input.at, input.left }, &err) &&
	    (err.kind == ERR_NONE || err.text[0] == '\0'))
		abort();
	arena_free(arena);
	return 0;
}
