/*
 * fuzz_outbox.c
 *		libFuzzer over the JSON that the outbox router expands.
 *
 * The first byte says what becomes of nulls, the rest is text.  What can be expanded has
 *a schema that fits it: it is printed with and without it, as JSON.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "support.h"

#include <stdlib.h>

#include "connect/json.h"
#include "transform/outbox_json.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *arena = arena_new();
	ConnectSchemas *schemas = connect_schemas_new();
	Input input = { data, size };
	bool null_is_bytes = (input_byte(&input) & 1) != 0;
	Slice text = { (const char *) input.at, input.left };
	ConnectData expanded = { 0 };
	const char *why =
		outbox_expand(schemas, arena, "fuzz", text, null_is_bytes, &expanded);
	Buf buf = buf_heap();

	if (why != NULL && *why == '\0')
		abort();
	for (int with = 0; why == NULL && with < 2; with++)
	{
		const ConnectJson options = { schemas, with != 0, false };
		Err err = { .kind = ERR_NONE };
		bool present;

		buf_reset(&buf);
		if (!connect_json_convert(&options, &expanded, arena, &buf, &present, &err))
			abort();
		if (present)
			fuzz_check_json((Slice){ buf.data, buf.len });
	}
	buf_free(&buf);
	connect_schemas_free(schemas);
	arena_free(arena);
	return 0;
}
