/*
 * fuzz_metadata.c
 *		libFuzzer over Iceberg's table metadata.
 *
 * What is read is written as JSON that reads and writes the same again.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "support.h"

#include <stdlib.h>

#include "lake/iceberg/metadata.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *arena = arena_new();
	TableMetadata *metadata;
	Err err = { .kind = ERR_NONE };

	if (metadata_read(arena, (Slice){ (const char *) data, size }, &metadata, &err))
	{
		Slice first = metadata_write(arena, metadata);
		Slice second;

		fuzz_check_json(first);
		(void) metadata_ancestry_get(metadata, "cdc.position");
		(void) metadata_current_schema(metadata);
		if (!metadata_read(arena, first, &metadata, &err))
			abort();
		second = metadata_write(arena, metadata);
		if (!slice_equal(first, second))
			abort();
	}
	else if (err.kind == ERR_NONE || err.text[0] == '\0')
		abort();
	arena_free(arena);
	return 0;
}
