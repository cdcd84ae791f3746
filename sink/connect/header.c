/*
 * header.c
 *		SimpleHeaderConverter: what the envelope library prints, of schemas.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "connect/json.h"

#include "envelope/header.h"

static const HeaderType *make_type(const ConnectSchema *schema, Arena *arena);

static const HeaderField *
make_fields(const ConnectSchema *schema, Arena *arena)
{
	HeaderField *fields = arena_alloc(arena, (schema->field_count + 1) * sizeof *fields);

	for (size_t i = 0; i < schema->field_count; i++)
	{
		const ConnectField *field = &schema->fields[i];

		fields[i] = (HeaderField){ .name = { field->lead.data, field->lead.len - 1 },
			                       .type = make_type(field->schema, arena),
			                       .default_json = field->schema->default_json };
	}
	return fields;
}

static const HeaderType *
make_type(const ConnectSchema *schema, Arena *arena)
{
	HeaderType *type;

	if (schema == NULL)
		return NULL;
	type = arena_zero(arena, sizeof *type);
	type->form = header_form(connect_type_name(schema->type), schema->name);
	if (type->form == HEADER_OF_DECIMAL)
		type->scale = connect_schema_scale(schema);
	type->items = make_type(schema->items, arena);
	if (type->form == HEADER_OF_STRUCT)
	{
		type->fields = make_fields(schema, arena);
		type->field_count = schema->field_count;
	}
	return type;
}

/* The JSON of a value; that of an opened struct is in arena. */
static Slice
print_value(const ConnectData *data, Arena *arena)
{
	Buf json;
	Slice text;

	if (data->value.form == CONNECT_IS_JSON)
		return data->value.json;
	json = buf_heap();
	connect_value_print(&data->value, data->schema, &json);
	text = arena_slice(arena, (Slice){ json.data, json.len });
	buf_free(&json);
	return text;
}

bool
connect_simple_header(const ConnectData *data, Arena *arena, Buf *buf, bool *present,
                      Err *err)
{
	*present = data->value.form != CONNECT_IS_NULL;
	return !*present ||
	       header_put(buf, print_value(data, arena), make_type(data->schema, arena)) ||
	       fail(err, ERR_DATA, "a header's value is not of its schema");
}
