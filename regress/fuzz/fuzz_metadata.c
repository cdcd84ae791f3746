/*
 * fuzz_metadata.c
 *		libFuzzer over Iceberg's table metadata.
 *
 * What is read is written as JSON that reads and writes the same again; so are the
 *columns of a silver table, if it is one.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "support.h"

#include <stdlib.h>

#include "lake/iceberg/metadata.h"
#include "lake/shape.h"

static void
read_shape(Arena *arena, const TableMetadata *metadata)
{
	const IcebergSchema *schema = metadata_current_schema(metadata);
	Shape *shape = NULL;
	Shape *again = NULL;
	Err err = { .kind = ERR_NONE };

	if (schema != NULL &&
	    shape_read(
			schema, properties_get(metadata->properties, "cdc.columns"), &shape, &err) &&
	    !shape_read(schema, shape_print(shape, 1, arena), &again, &err))
		abort();
	shape_free(shape);
	shape_free(again);
}

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
		read_shape(arena, metadata);
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
