/*
 * iceberg_support.c
 *		what the tests of the Iceberg code share.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "iceberg_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

Slice
read_sample(Arena *arena, const char *name)
{
	FILE *file = fopen(arena_printf(arena, "%s/%s", TEST_DATA, name), "rb");
	size_t size = (size_t) 1 << 20;
	char *bytes = arena_alloc(arena, size);
	size_t len;

	assert_non_null(file);
	len = fread(bytes, 1, size, file);
	assert_true(len > 0 && len < size);
	fclose(file);
	return (Slice){ bytes, len };
}

TableMetadata *
sample_metadata(Arena *arena, const char *name)
{
	TableMetadata *metadata;
	Err err = { 0 };

	if (!metadata_read(arena, read_sample(arena, name), &metadata, &err))
		fail_msg("%s: %s", name, err.text);
	return metadata;
}

NewTable
sample_table(void)
{
	static const IcebergField fields[] = {
		{ .id = 1, .name = "id", .required = true, .type = { .kind = ICEBERG_LONG } },
		{ .id = 2, .name = "name", .type = { .kind = ICEBERG_STRING } },
		{ .id = 3, .name = "ts", .type = { .kind = ICEBERG_TIMESTAMPTZ } },
	};
	static const int32_t key[] = { 1 };
	static const IcebergSchema schema = {
		.fields = fields, .field_count = 3, .identifier_ids = key, .identifier_count = 1
	};
	static const PartitionField partition[] = { { 3, 1000, "ts_day", "day" } };
	static const PartitionSpec spec = { .fields = partition, .field_count = 1 };

	return (NewTable){
		.uuid = "842dac51-c60f-40d1-9a24-f9eda7e10c23",
		.location = "file:///lake/db/t",
		.timestamp_ms = 1000,
		.schema = &schema,
		.spec = &spec,
	};
}

const char *
to_hex(Arena *arena, Slice bytes)
{
	static const char digits[] = "0123456789abcdef";
	char *text = arena_alloc(arena, 2 * bytes.len + 1);

	for (size_t i = 0; i < bytes.len; i++)
	{
		text[2 * i] = digits[(uint8_t) bytes.data[i] >> 4];
		text[2 * i + 1] = digits[(uint8_t) bytes.data[i] & 15];
	}
	text[2 * bytes.len] = '\0';
	return text;
}

char *
exact_block(Slice bytes)
{
	char *block = xmalloc(bytes.len + (bytes.len == 0));

	if (bytes.len > 0)
		memcpy(block, bytes.data, bytes.len);
	return block;
}
