/*
 * avro_schema.c
 *		Connect schema to Avro schema, in the text that Avro's Java library prints.
 *
 * AvroData builds a tree that Schema.toString() prints; here both are one walk.  Order
 * of an object: type, name, namespace, fields or items, then the properties in the
 * order in which AvroData adds them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "connect/avro.h"

#include <stdlib.h>

#include "envelope/encode.h"
#include "envelope/scan.h"
#include "envelope/value.h"

#define DEFAULT_NAMESPACE "io.confluent.connect.avro"
#define DEFAULT_NAME      "ConnectDefault"
#define DEFAULT_PRECISION "64"
#define CONNECT_DATA      "org.apache.kafka.connect.data."

/* A named type that was printed. */
typedef struct Named
{
	const char *full_name;
	const ConnectSchema *schema;
} Named;

typedef struct Writer
{
	Arena *arena; /* of this walk */
	Buf *buf;
	const char *space; /* the namespace around; NULL: none */
	Named *named;      /* arrays on the heap */
	size_t named_count;
	const char **field_types; /* names of the types that fields had */
	size_t field_type_count;
	int unnamed; /* structs without a name so far */
	Err *err;
} Writer;

static bool write_schema(Writer *writer, const ConnectSchema *schema);

/* ---- Names ---- */

typedef struct Name
{
	const char *space; /* NULL: none */
	const char *name;
	const char *full;
} Name;

static Name
split_name(const Writer *writer, const char *full)
{
	const char *dot = strrchr(full, '.');

	if (dot == NULL)
		return (Name){ NULL, full, full };
	return (
		Name){ arena_strndup(writer->arena, full, (size_t) (dot - full)), dot + 1, full };
}

static Name
name_of(Writer *writer, const ConnectSchema *schema)
{
	if (schema->name != NULL)
		return split_name(writer, schema->name);
	if (++writer->unnamed == 1)
		return split_name(writer, DEFAULT_NAMESPACE "." DEFAULT_NAME);
	return split_name(writer,
	                  arena_printf(writer->arena,
	                               DEFAULT_NAMESPACE "." DEFAULT_NAME "%d",
	                               writer->unnamed));
}

static bool
is_name(const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

	return *text != '\0' && (*text < '0' || *text > '9') &&
	       text[strspn(text, letters)] == '\0';
}

static bool
check_name(const Writer *writer, const char *text, const char *what, const char *setting)
{
	if (is_name(text))
		return true;
	(void) fail(
		writer->err, ERR_DATA, "\"%s\" cannot be the name of %s in Avro", text, what);
	return fail_hint(writer->err,
	                 "Set %s to avro or avro_unicode, which replace what is not a "
	                 "letter, a digit or an underscore.",
	                 setting);
}

static bool
same_space(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Whether two structs have the same data, whatever else is said of them. */
static bool
same_shape(const ConnectSchema *a, const ConnectSchema *b)
{
	if (a == b)
		return true;
	if (a->type != b->type || a->field_count != b->field_count || a->items != b->items ||
	    a->keys != b->keys)
		return false;
	for (size_t i = 0; i < a->field_count; i++)
		if (strcmp(a->fields[i].name, b->fields[i].name) != 0 ||
		    a->fields[i].schema != b->fields[i].schema)
			return false;
	return true;
}

/* Print a reference when the name was there before: *done. */
static bool
refer(Writer *writer, const Name *name, const ConnectSchema *schema, bool *done)
{
	*done = false;
	for (size_t i = 0; i < writer->named_count; i++)
	{
		if (strcmp(writer->named[i].full_name, name->full) != 0)
			continue;
		if (!same_shape(writer->named[i].schema, schema))
			return fail(writer->err,
			            ERR_DATA,
			            "two different structs have the name \"%s\"",
			            name->full);
		json_string_raw(
			writer->buf,
			slice_from(name->space == NULL || same_space(name->space, writer->space)
		                   ? name->name
		                   : name->full));
		*done = true;
		return true;
	}
	writer->named = xrealloc(writer->named, (writer->named_count + 1) * sizeof(Named));
	writer->named[writer->named_count++] = (Named){ name->full, schema };
	return true;
}

/* ---- Defaults ---- */

/* Bytes as the characters of the same numbers. */
static bool
write_latin1(const Writer *writer, Slice json)
{
	Slice bytes;
	Buf text;

	if (!connect_read_bytes(json, writer->arena, &bytes))
		return false;
	text = buf_heap();
	for (size_t i = 0; i < bytes.len; i++)
	{
		uint8_t byte = (uint8_t) bytes.data[i];

		if (byte >= 0x80)
			buf_u8(&text, (uint8_t) (0xC0 | byte >> 6));
		buf_u8(&text, byte < 0x80 ? byte : (uint8_t) (0x80 | (byte & 0x3F)));
	}
	json_string_raw(writer->buf, (Slice){ text.data, text.len });
	buf_free(&text);
	return true;
}

/* The default as AvroData's JSON has it. */
static bool
write_default(const Writer *writer, const ConnectSchema *schema)
{
	Slice json = schema->default_json;
	Slice text;

	switch (schema->type)
	{
		case CONNECT_BYTES:
			return write_latin1(writer, json) ||
			       fail(writer->err, ERR_DATA, "could not read a default");
		case CONNECT_STRING:
			if (!connect_read_string(json, writer->arena, &text))
				return fail(writer->err, ERR_DATA, "could not read a default");
			json_string_raw(writer->buf, text);
			return true;
		default:
			buf_slice(writer->buf, json);
			return true;
	}
}

/* Behind a field's type.  A float has passed through a double there. */
static bool
write_field_default(const Writer *writer, const ConnectSchema *schema)
{
	bool floating = schema->type == CONNECT_FLOAT32 || schema->type == CONNECT_FLOAT64;
	double number;

	if (schema->default_json.len == 0)
	{
		if (schema->optional)
			buf_text(writer->buf, ",\"default\":null");
		return true;
	}
	if (floating && *schema->default_json.data == '"')
		return true;
	buf_text(writer->buf, ",\"default\":");
	if (schema->type != CONNECT_FLOAT32 ||
	    !connect_read_double(schema->default_json, &number))
		return write_default(writer, schema);
	(void) buf_reserve(writer->buf, ENCODE_ROOM);
	writer->buf->len =
		(size_t) (number_put_java_double(writer->buf->data + writer->buf->len,
	                                     (double) (float) number) -
	              writer->buf->data);
	return true;
}

/* ---- Properties ---- */

typedef struct Logical
{
	const char *name; /* Connect's, behind CONNECT_DATA */
	const char *avro;
} Logical;

static const Logical logicals[] = {
	{ "Date", "date" },
	{ "Decimal", "decimal" },
	{ "Time", "time-millis" },
	{ "Timestamp", "timestamp-millis" },
};

/* The row of a schema's name; NULL: none. */
static const Logical *
find_logical(const ConnectSchema *schema)
{
	size_t prefix = sizeof CONNECT_DATA - 1;

	if (schema->name == NULL || strncmp(schema->name, CONNECT_DATA, prefix) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof logicals / sizeof *logicals; i++)
		if (strcmp(logicals[i].name, schema->name + prefix) == 0)
			return &logicals[i];
	return NULL;
}

static bool
is_decimal(const ConnectSchema *schema)
{
	const Logical *logical = find_logical(schema);

	return logical != NULL && strcmp(logical->name, "Decimal") == 0;
}

static void
write_parameters(const Writer *writer, const ConnectSchema *schema)
{
	for (size_t i = 0; i < schema->parameter_count; i++)
	{
		buf_text(writer->buf, i == 0 ? ",\"connect.parameters\":{" : ",");
		json_string_raw(writer->buf, slice_from(schema->parameters[i].name));
		buf_char(writer->buf, ':');
		json_string_raw(writer->buf, slice_from(schema->parameters[i].value));
	}
	if (schema->parameter_count > 0)
		buf_char(writer->buf, '}');
}

static const char *
precision_of(const ConnectSchema *schema)
{
	const char *precision = connect_schema_parameter(schema, "connect.decimal.precision");

	return precision == NULL ? DEFAULT_PRECISION : precision;
}

static void
write_logical(const Writer *writer, const ConnectSchema *schema)
{
	const Logical *logical = find_logical(schema);

	if (logical != NULL)
		buf_printf(writer->buf, ",\"logicalType\":\"%s\"", logical->avro);
}

static bool
write_properties(const Writer *writer, const ConnectSchema *schema)
{
	Buf *buf = writer->buf;

	if (is_decimal(schema))
		buf_printf(buf,
		           ",\"scale\":%d,\"precision\":%s",
		           connect_schema_scale(schema),
		           precision_of(schema));
	if (schema->doc != NULL)
	{
		buf_text(buf, ",\"connect.doc\":");
		json_string_raw(buf, slice_from(schema->doc));
	}
	if (schema->version != 0)
		buf_printf(buf, ",\"connect.version\":%d", (int) schema->version);
	write_parameters(writer, schema);
	if (schema->default_json.len > 0)
	{
		buf_text(buf, ",\"connect.default\":");
		if (!write_default(writer, schema))
			return false;
	}
	if (schema->name != NULL)
	{
		buf_text(buf, ",\"connect.name\":");
		json_string_raw(buf, slice_from(schema->name));
	}
	if (schema->type == CONNECT_INT8 || schema->type == CONNECT_INT16)
		buf_printf(buf, ",\"connect.type\":\"%s\"", connect_type_name(schema->type));
	write_logical(writer, schema);
	return true;
}

/* ---- Types ---- */

static bool
is_named_type(const ConnectSchema *schema)
{
	return schema->type == CONNECT_STRUCT;
}

static bool
was_field_type(Writer *writer, const char *name)
{
	for (size_t i = 0; i < writer->field_type_count; i++)
		if (strcmp(writer->field_types[i], name) == 0)
			return true;
	writer->field_types =
		xrealloc(writer->field_types,
	             (writer->field_type_count + 1) * sizeof *writer->field_types);
	writer->field_types[writer->field_type_count++] = name;
	return false;
}

static bool
write_field(Writer *writer, const char *name, const ConnectSchema *schema)
{
	bool repeated = schema->name != NULL && was_field_type(writer, schema->name);

	buf_text(writer->buf, "{\"name\":");
	json_string_raw(writer->buf, slice_from(name));
	buf_text(writer->buf, ",\"type\":");
	if (!check_name(writer, name, "a field", "field.name.adjustment.mode") ||
	    !write_schema(writer, schema))
		return fail_while(writer->err, "cannot make the schema of field \"%s\"", name);
	if (!write_field_default(writer, schema))
		return false;
	if (repeated && is_named_type(schema))
		write_parameters(writer, schema);
	buf_char(writer->buf, '}');
	return true;
}

/* {"type":"record","name":..,"namespace":..,"fields":[ */
static bool
open_record(Writer *writer, const Name *name)
{
	Buf *buf = writer->buf;

	if (!check_name(writer, name->name, "a record", "schema.name.adjustment.mode"))
		return false;
	buf_text(buf, "{\"type\":\"record\",\"name\":");
	json_string_raw(buf, slice_from(name->name));
	if (!same_space(name->space, writer->space))
	{
		buf_text(buf, ",\"namespace\":");
		json_string_raw(buf, slice_from(name->space == NULL ? "" : name->space));
	}
	buf_text(buf, ",\"fields\":[");
	writer->space = name->space;
	return true;
}

static bool
write_record(Writer *writer, const ConnectSchema *schema)
{
	Name name = name_of(writer, schema);
	const char *around = writer->space;
	bool done;

	if (!refer(writer, &name, schema, &done))
		return false;
	if (done)
		return true;
	if (!open_record(writer, &name))
		return false;
	for (size_t i = 0; i < schema->field_count; i++)
	{
		if (i > 0)
			buf_char(writer->buf, ',');
		if (!write_field(writer, schema->fields[i].name, schema->fields[i].schema))
			return false;
	}
	buf_char(writer->buf, ']');
	writer->space = around;
	if (!write_properties(writer, schema))
		return false;
	buf_char(writer->buf, '}');
	return true;
}

/* Avro's maps have strings as keys; others are arrays of such records. */
static bool
write_entry(Writer *writer, const ConnectSchema *schema)
{
	Name name = schema->name != NULL ? split_name(writer, schema->name)
	                                 : split_name(writer, DEFAULT_NAMESPACE ".MapEntry");
	const char *around = writer->space;
	bool done;

	if (!refer(writer, &name, schema, &done))
		return false;
	if (done)
		return true;
	if (!open_record(writer, &name) || !write_field(writer, "key", schema->keys))
		return false;
	buf_char(writer->buf, ',');
	if (!write_field(writer, "value", schema->items))
		return false;
	buf_char(writer->buf, ']');
	writer->space = around;
	if (schema->name != NULL)
		buf_text(writer->buf, ",\"connect.internal.type\":\"MapEntry\"");
	buf_char(writer->buf, '}');
	return true;
}

static bool
write_map(Writer *writer, const ConnectSchema *schema)
{
	bool native = schema->keys->type == CONNECT_STRING && !schema->keys->optional;

	buf_text(writer->buf,
	         native ? "{\"type\":\"map\",\"values\":" : "{\"type\":\"array\",\"items\":");
	if (!(native ? write_schema(writer, schema->items) : write_entry(writer, schema)))
		return false;
	if (!write_properties(writer, schema))
		return false;
	buf_char(writer->buf, '}');
	return true;
}

static bool
write_array(Writer *writer, const ConnectSchema *schema)
{
	buf_text(writer->buf, "{\"type\":\"array\",\"items\":");
	if (!write_schema(writer, schema->items) || !write_properties(writer, schema))
		return false;
	buf_char(writer->buf, '}');
	return true;
}

/* "int", or {"type":"int",...} when there is more to say. */
static bool
write_plain(Writer *writer, const ConnectSchema *schema)
{
	static const char *const names[] = {
		[CONNECT_INT8] = "int",        [CONNECT_INT16] = "int",
		[CONNECT_INT32] = "int",       [CONNECT_INT64] = "long",
		[CONNECT_FLOAT32] = "float",   [CONNECT_FLOAT64] = "double",
		[CONNECT_BOOLEAN] = "boolean", [CONNECT_STRING] = "string",
		[CONNECT_BYTES] = "bytes",
	};
	Buf *buf = writer->buf;
	size_t start = buf->len;
	size_t bare;

	buf_printf(buf, "{\"type\":\"%s\"", names[schema->type]);
	bare = buf->len;
	if (!write_properties(writer, schema))
		return false;
	if (buf->len > bare)
	{
		buf_char(buf, '}');
		return true;
	}
	buf->len = start;
	buf_printf(buf, "\"%s\"", names[schema->type]);
	return true;
}

static bool
write_type(Writer *writer, const ConnectSchema *schema)
{
	switch (schema->type)
	{
		case CONNECT_STRUCT:
			return write_record(writer, schema);
		case CONNECT_ARRAY:
			return write_array(writer, schema);
		case CONNECT_MAP:
			return write_map(writer, schema);
		default:
			return write_plain(writer, schema);
	}
}

/* A type, in a union with null when it is optional: the default's type is the first. */
static bool
write_schema(Writer *writer, const ConnectSchema *schema)
{
	bool type_first = schema->default_json.len > 0 && schema->type != CONNECT_STRUCT;

	if (!schema->optional)
		return write_type(writer, schema);
	buf_text(writer->buf, type_first ? "[" : "[\"null\",");
	if (!write_type(writer, schema))
		return false;
	buf_text(writer->buf, type_first ? ",\"null\"]" : "]");
	return true;
}

static const AvroSchema *
make_schema(Writer *writer, ConnectSchemas *schemas, const ConnectSchema *schema)
{
	Arena *arena = connect_schemas_arena(schemas);
	AvroSchema *made;

	if (!write_schema(writer, schema))
		return NULL;
	made = arena_zero(arena, sizeof *made);
	made->text = arena_slice(arena, (Slice){ writer->buf->data, writer->buf->len });
	made->is_bytes = schema->type == CONNECT_BYTES && !schema->optional;
	if (schema->type == CONNECT_STRUCT)
		made->full_name =
			schema->name != NULL ? schema->name : DEFAULT_NAMESPACE "." DEFAULT_NAME;
	schema->memo->avro = made;
	return made;
}

const AvroSchema *
avro_schema(ConnectSchemas *schemas, const ConnectSchema *schema, Err *err)
{
	Buf buf;
	Writer writer = { .err = err };
	const AvroSchema *made;

	if (schema->memo->avro != NULL)
		return schema->memo->avro;
	buf = buf_heap();
	writer.arena = arena_new();
	writer.buf = &buf;
	made = make_schema(&writer, schemas, schema);
	free(writer.named);
	free(writer.field_types);
	arena_free(writer.arena);
	buf_free(&buf);
	return made;
}
