/*
 * json.c
 *		JsonConverter.
 *
 * Text is copied whole wherever no null in it could have to become a default.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "connect/json.h"

typedef struct Printer
{
	const ConnectJson *options;
	Arena *arena;
	Buf *buf;
	Err *err;
} Printer;

static bool print_value(const Printer *printer, const ConnectValue *value,
                        const ConnectSchema *schema);

static bool
print_null(const Printer *printer, const ConnectSchema *schema)
{
	if (schema != NULL && schema->default_json.len > 0 &&
	    printer->options->replace_null_with_default)
		buf_slice(printer->buf, schema->default_json);
	else if (schema == NULL || schema->optional)
		buf_text(printer->buf, "null");
	else
		return fail(printer->err,
		            ERR_DATA,
		            "null value of a schema that is required and has no default");
	return true;
}

static bool
print_struct(const Printer *printer, const ConnectValue *value,
             const ConnectSchema *schema)
{
	ConnectValue open = *value;
	Buf *buf = printer->buf;

	if (!connect_value_open(&open, schema, printer->arena, printer->err))
		return false;
	buf_char(buf, '{');
	for (size_t i = 0; i < schema->field_count; i++)
	{
		if (i > 0)
			buf_char(buf, ',');
		buf_slice(buf, schema->fields[i].lead);
		if (!print_value(printer, &open.fields[i], schema->fields[i].schema))
			return fail_while(
				printer->err, "cannot convert field \"%s\"", schema->fields[i].name);
	}
	buf_char(buf, '}');
	return true;
}

static bool
print_value(const Printer *printer, const ConnectValue *value,
            const ConnectSchema *schema)
{
	bool replaces = schema != NULL && schema->has_defaults &&
	                printer->options->replace_null_with_default;

	if (value->form == CONNECT_IS_NULL)
		return print_null(printer, schema);
	if (schema != NULL && schema->type == CONNECT_STRUCT &&
	    (replaces || value->form == CONNECT_IS_FIELDS))
		return print_struct(printer, value, schema);
	buf_slice(printer->buf, value->json);
	return true;
}

bool
connect_json_convert(const ConnectJson *options, const ConnectData *data, Arena *arena,
                     Buf *buf, bool *present, Err *err)
{
	const Printer printer = { options, arena, buf, err };

	*present = data->schema != NULL || data->value.form != CONNECT_IS_NULL;
	if (!*present)
		return true;
	if (options->schemas_enable)
	{
		buf_text(buf, "{\"schema\":");
		buf_slice(buf, connect_schema_text(options->schemas, data->schema));
		buf_text(buf, ",\"payload\":");
	}
	if (!print_value(&printer, &data->value, data->schema))
		return false;
	if (options->schemas_enable)
		buf_char(buf, '}');
	return true;
}
