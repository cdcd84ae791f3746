/*
 * schema_text.c
 *		schemas from and to JsonConverter's text.
 *
 * The order that JsonConverter prints in: type, items or fields, optional, name,
 * version, doc, parameters, default; in a struct's fields the field's name last.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "connect/record.h"
#include "envelope/scan.h"

#include <stdlib.h>

#include "envelope/value.h"

#define MAX_DEPTH 64 /* of schemas in schemas */

/* ---- Printing ---- */

static void
print_parameters(const ConnectSchema *schema, Buf *buf)
{
	for (size_t i = 0; i < schema->parameter_count; i++)
	{
		buf_text(buf, i == 0 ? ",\"parameters\":{" : ",");
		json_string(buf, slice_from(schema->parameters[i].name));
		buf_char(buf, ':');
		json_string(buf, slice_from(schema->parameters[i].value));
	}
	if (schema->parameter_count > 0)
		buf_char(buf, '}');
}

static void print_open(const ConnectSchema *schema, Buf *buf);

static void
print_fields(const ConnectSchema *schema, Buf *buf)
{
	buf_text(buf, ",\"fields\":[");
	for (size_t i = 0; i < schema->field_count; i++)
	{
		if (i > 0)
			buf_char(buf, ',');
		print_open(schema->fields[i].schema, buf);
		buf_text(buf, ",\"field\":");
		json_string(buf, slice_from(schema->fields[i].name));
		buf_char(buf, '}');
	}
	buf_char(buf, ']');
}

/* All but the closing brace.  The recursion ends where the schema does: it is as deep as
 * it was parsed or built. */
static void
print_open(const ConnectSchema *schema, Buf *buf)
{
	buf_printf(buf, "{\"type\":\"%s\"", connect_type_name(schema->type));
	if (schema->type == CONNECT_STRUCT)
		print_fields(schema, buf);
	if (schema->keys != NULL)
	{
		buf_text(buf, ",\"keys\":");
		connect_schema_print(schema->keys, buf);
	}
	if (schema->items != NULL)
	{
		buf_text(buf, schema->keys != NULL ? ",\"values\":" : ",\"items\":");
		connect_schema_print(schema->items, buf);
	}
	buf_printf(buf, ",\"optional\":%s", schema->optional ? "true" : "false");
	if (schema->name != NULL)
	{
		buf_text(buf, ",\"name\":");
		json_string(buf, slice_from(schema->name));
	}
	if (schema->version != 0)
		buf_printf(buf, ",\"version\":%d", (int) schema->version);
	if (schema->doc != NULL)
	{
		buf_text(buf, ",\"doc\":");
		json_string(buf, slice_from(schema->doc));
	}
	print_parameters(schema, buf);
	if (schema->default_json.len > 0)
	{
		buf_text(buf, ",\"default\":");
		buf_slice(buf, schema->default_json);
	}
}

void
connect_schema_print(const ConnectSchema *schema, Buf *buf)
{
	if (schema == NULL)
	{
		buf_text(buf, "null");
		return;
	}
	print_open(schema, buf);
	buf_char(buf, '}');
}

Slice
connect_schema_text(ConnectSchemas *schemas, const ConnectSchema *schema)
{
	Buf buf;

	if (schema == NULL)
		return slice_from("null");
	if (schema->memo->text.len > 0)
		return schema->memo->text;
	buf = buf_heap();
	connect_schema_print(schema, &buf);
	schema->memo->text =
		arena_slice(connect_schemas_arena(schemas), (Slice){ buf.data, buf.len });
	buf_free(&buf);
	return schema->memo->text;
}

/* ---- Parsing ---- */

/* What parsing carries along. */
typedef struct Parser
{
	ConnectSchemas *schemas;
	Arena *arena; /* of the drafts */
	int depth;
} Parser;

/* The texts of a schema's members. */
typedef struct Members
{
	Slice type;
	Slice fields;
	Slice keys;
	Slice values;
	Slice items;
	Slice optional;
	Slice name;
	Slice version;
	Slice doc;
	Slice parameters;
	Slice default_json;
	Slice field;
} Members;

static const struct
{
	const char *name;
	size_t offset;
} member_table[] = {
	{ "type", offsetof(Members, type) },
	{ "fields", offsetof(Members, fields) },
	{ "keys", offsetof(Members, keys) },
	{ "values", offsetof(Members, values) },
	{ "items", offsetof(Members, items) },
	{ "optional", offsetof(Members, optional) },
	{ "name", offsetof(Members, name) },
	{ "version", offsetof(Members, version) },
	{ "doc", offsetof(Members, doc) },
	{ "parameters", offsetof(Members, parameters) },
	{ "default", offsetof(Members, default_json) },
	{ "field", offsetof(Members, field) },
};

static bool
is_word(Slice json, const char *word)
{
	return slice_equal(json, slice_from(word));
}

static bool
read_members(Slice json, Arena *arena, Members *members)
{
	Scan scan = scan_over(json);
	bool first = true;
	bool more;
	Slice quoted;
	Slice name;
	Slice value;

	*members = (Members){ 0 };
	if (!scan_take(&scan, '{'))
		return false;
	for (;;)
	{
		if (!scan_member(&scan, &first, &quoted, &more))
			return false;
		if (!more)
			return members->type.len > 0;
		if (!connect_read_string(quoted, arena, &name) || !scan_value(&scan, &value))
			return false;
		for (size_t i = 0; i < sizeof member_table / sizeof *member_table; i++)
			if (is_word(name, member_table[i].name) && !is_word(value, "null"))
				memcpy((char *) members + member_table[i].offset, &value, sizeof value);
	}
}

static bool
read_type(Slice json, ConnectType *type)
{
	for (int i = CONNECT_INT8; i <= CONNECT_STRUCT; i++)
	{
		Slice name = slice_from(connect_type_name((ConnectType) i));

		*type = (ConnectType) i;
		if (json.len == name.len + 2 && memcmp(json.data + 1, name.data, name.len) == 0)
			return true;
	}
	return false;
}

/* Text that may be absent. */
static bool
read_text(Slice json, Arena *arena, const char **text)
{
	*text = NULL;
	return json.len == 0 || connect_read_text(json, arena, text);
}

static bool
read_version(Slice json, int32_t *version)
{
	*version = 0;
	for (size_t i = 0; i < json.len; i++)
	{
		if (json.data[i] < '0' || json.data[i] > '9' || *version > INT32_MAX / 10 - 1)
			return false;
		*version = *version * 10 + (json.data[i] - '0');
	}
	return true;
}

/* How many members or items text can have at most. */
static size_t
count_commas(Slice json)
{
	size_t count = 1;

	for (size_t i = 0; i < json.len; i++)
		count += json.data[i] == ',';
	return count;
}

static bool
read_parameters(Slice json, Arena *arena, ConnectSchema *draft)
{
	Scan scan = scan_over(json);
	ConnectParameter *parameters;
	bool first = true;
	bool more;
	Slice name;
	Slice value;

	if (json.len == 0)
		return true;
	parameters = arena_alloc(arena, count_commas(json) * sizeof *parameters);
	draft->parameters = parameters;
	if (!scan_take(&scan, '{'))
		return false;
	for (;;)
	{
		ConnectParameter *parameter = &parameters[draft->parameter_count];

		if (!scan_member(&scan, &first, &name, &more))
			return false;
		if (!more)
			return true;
		if (!scan_value(&scan, &value) ||
		    !connect_read_text(name, arena, &parameter->name) ||
		    !connect_read_text(value, arena, &parameter->value))
			return false;
		draft->parameter_count++;
	}
}

static bool parse(Parser *parser, Slice json, const ConnectSchema **schema,
                  const char **field);

static bool
read_fields(Parser *parser, Slice json, ConnectSchema *draft)
{
	Scan scan = scan_over(json);
	ConnectField *fields = arena_zero(parser->arena, count_commas(json) * sizeof *fields);
	bool first = true;
	bool more;
	Slice value;

	draft->fields = fields;
	if (!scan_take(&scan, '['))
		return false;
	for (;;)
	{
		ConnectField *field = &fields[draft->field_count];

		if (!scan_item(&scan, &first, &more))
			return false;
		if (!more)
			return true;
		if (!scan_value(&scan, &value) ||
		    !parse(parser, value, &field->schema, &field->name) || field->name == NULL)
			return false;
		draft->field_count++;
	}
}

/* What a schema holds of other schemas. */
static bool
read_inside(Parser *parser, const Members *members, ConnectSchema *draft)
{
	const char *ignored;

	switch (draft->type)
	{
		case CONNECT_STRUCT:
			return read_fields(parser, members->fields, draft);
		case CONNECT_ARRAY:
			return parse(parser, members->items, &draft->items, &ignored);
		case CONNECT_MAP:
			return parse(parser, members->keys, &draft->keys, &ignored) &&
			       parse(parser, members->values, &draft->items, &ignored);
		default:
			return true;
	}
}

/* A schema and, where it is a field of a struct, the field's name. */
static bool
parse(Parser *parser, Slice json, const ConnectSchema **schema, const char **field)
{
	Members members;
	ConnectSchema draft = { 0 };

	if (++parser->depth > MAX_DEPTH || !read_members(json, parser->arena, &members) ||
	    !read_type(members.type, &draft.type) ||
	    !read_text(members.name, parser->arena, &draft.name) ||
	    !read_text(members.doc, parser->arena, &draft.doc) ||
	    !read_text(members.field, parser->arena, field) ||
	    !read_version(members.version, &draft.version) ||
	    !read_parameters(members.parameters, parser->arena, &draft) ||
	    !read_inside(parser, &members, &draft))
		return false;
	parser->depth--;
	draft.optional = is_word(members.optional, "true");
	draft.default_json = members.default_json;
	*schema = connect_schema_intern(parser->schemas, &draft);
	return true;
}

const ConnectSchema *
connect_schema_parse(ConnectSchemas *schemas, Slice json, Err *err)
{
	Parser parser = { .schemas = schemas };
	const ConnectSchema *schema = NULL;
	const char *ignored;

	err->kind = ERR_NONE;
	if (is_word(json, "null"))
		return NULL;
	parser.arena = arena_new();
	if (!parse(&parser, json, &schema, &ignored))
	{
		schema = NULL;
		(void) fail(err, ERR_DATA, "could not read a Connect schema");
	}
	arena_free(parser.arena);
	return schema;
}
