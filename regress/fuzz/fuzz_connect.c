/*
 * fuzz_connect.c
 *		libFuzzer over Connect schemas and values as JSON, and what Avro makes of them.
 *
 * The input is a schema, a null character, and a value, both of which are no JSON for the
 * most part: what walks over them takes for granted that somebody printed them, and must
 * stay inside.  A value is refused with a message, or becomes Avro.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "support.h"

#include <stdlib.h>

#include "connect/avro.h"
#include "connect/json.h"

static void
require_refusal(const Err *err)
{
	if (err->kind == ERR_NONE || err->text[0] == '\0')
		abort();
}

/* The leaf readers, whatever the value is. */
static void
read_leaf(Slice json, Arena *arena)
{
	Slice bytes;
	int64_t integer;
	double number;
	bool boolean;

	(void) !connect_read_string(json, arena, &bytes);
	(void) !connect_read_bytes(json, arena, &bytes);
	(void) !connect_read_int64(json, &integer);
	(void) !connect_read_double(json, &number);
	(void) !connect_read_boolean(json, &boolean);
}

static void
convert(ConnectSchemas *schemas, const ConnectSchema *schema, Slice json, Arena *arena)
{
	ConnectValue value = connect_value_json(json);
	ConnectData data = { schema, value };
	const ConnectJson options = { schemas, true, true };
	Buf buf = buf_heap();
	Err err = { .kind = ERR_NONE };
	bool present;

	if (avro_schema(schemas, schema, &err) == NULL)
		require_refusal(&err);
	err = (Err){ .kind = ERR_NONE };
	if (!avro_encode(&value, schema, false, arena, &buf, &err))
		require_refusal(&err);
	buf_reset(&buf);
	err = (Err){ .kind = ERR_NONE };
	if (schema->type == CONNECT_STRUCT &&
	    !connect_value_open(&data.value, schema, arena, &err))
		require_refusal(&err);
	else if (!connect_json_convert(&options, &data, arena, &buf, &present, &err))
		require_refusal(&err);
	buf_free(&buf);
}

static void
print_and_parse(ConnectSchemas *schemas, const ConnectSchema *schema)
{
	Buf printed = buf_heap();
	Err err = { .kind = ERR_NONE };

	connect_schema_print(schema, &printed);
	if (connect_schema_parse(schemas, (Slice){ printed.data, printed.len }, &err) == NULL)
		require_refusal(&err);
	buf_free(&printed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *arena = arena_new();
	ConnectSchemas *schemas = connect_schemas_new();
	const uint8_t *null = size == 0 ? NULL : memchr(data, '\0', size);
	size_t len = null == NULL ? size : (size_t) (null - data);
	Slice text = arena_slice(arena, (Slice){ (const char *) data, len });
	Slice json = { "", 0 };
	const ConnectSchema *schema;
	Err err = { .kind = ERR_NONE };

	if (null != NULL)
		json = arena_slice(arena, (Slice){ (const char *) null + 1, size - len - 1 });
	read_leaf(json, arena);
	schema = connect_schema_parse(schemas, text, &err);
	if (schema != NULL)
	{
		print_and_parse(schemas, schema);
		if (json.len > 0)
			convert(schemas, schema, json, arena);
	}
	connect_schemas_free(schemas);
	arena_free(arena);
	return 0;
}
