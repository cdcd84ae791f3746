/*
 * avro_decode.c
 *		Avro schemas from JSON, and values from bytes.
 *
 * Every item of an array or map is taken to need at least one byte, so that a
 * count can be checked against the bytes left before memory is asked for.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/iceberg/avro_decode.h"

#include "lake/iceberg/members.h"

#define DEPTH_MAX 48 /* nested values */

/* Schemas */

typedef struct NamedType NamedType;
struct NamedType
{
	const char *name;
	const AvroType *type;
	NamedType *next;
};

typedef struct SchemaParser
{
	Arena *arena;
	NamedType *named; /* records, enums, fixed: may be referred to by name */
	Err *err;
} SchemaParser;

static const struct
{
	const char *name;
	AvroKind kind;
} kinds[] = {
	/* clang-format off */
	{ "array",   AVRO_ARRAY },
	{ "boolean", AVRO_BOOLEAN },
	{ "bytes",   AVRO_BYTES },
	{ "double",  AVRO_DOUBLE },
	{ "enum",    AVRO_ENUM },
	{ "fixed",   AVRO_FIXED },
	{ "float",   AVRO_FLOAT },
	{ "int",     AVRO_INT },
	{ "long",    AVRO_LONG },
	{ "map",     AVRO_MAP },
	{ "null",    AVRO_NULL },
	{ "record",  AVRO_RECORD },
	{ "string",  AVRO_STRING },
	/* clang-format on */
};

static bool parse_type(SchemaParser *parser, json_object *json, const AvroType **type);

static bool
parse_word(SchemaParser *parser, json_object *json, const AvroType **type)
{
	const char *word = json_object_get_string(json);
	const NamedType *named = parser->named;
	AvroType *made;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
	{
		AvroKind kind = kinds[i].kind;

		if (strcmp(kinds[i].name, word) != 0 || kind == AVRO_ARRAY || kind == AVRO_MAP ||
		    kind == AVRO_RECORD || kind == AVRO_ENUM || kind == AVRO_FIXED)
			continue;
		made = arena_zero(parser->arena, sizeof *made);
		made->kind = kind;
		*type = made;
		return true;
	}
	while (named && strcmp(named->name, word) != 0)
		named = named->next;
	if (!named)
		return fail(
			parser->err, ERR_FATAL, "Avro schema has unrecognized type \"%s\"", word);
	*type = named->type;
	return true;
}

static bool
parse_union(SchemaParser *parser, json_object *json, const AvroType **type)
{
	AvroType *made = arena_zero(parser->arena, sizeof *made);
	size_t count = json_object_array_length(json);
	AvroPart *parts = arena_zero(parser->arena, (count + 1) * sizeof *parts);

	made->kind = AVRO_UNION;
	made->parts = parts;
	made->part_count = (int32_t) count;
	*type = made;
	for (size_t i = 0; i < count; i++)
		if (!parse_type(parser, json_object_array_get_idx(json, i), &parts[i].type))
			return false;
	return true;
}

static bool
parse_fields(SchemaParser *parser, json_object *json, AvroType *record)
{
	json_object *array;
	json_object *type;
	AvroPart *parts;
	size_t count;

	if (!member_of_type(json, "fields", json_type_array, &array, parser->err))
		return false;
	count = json_object_array_length(array);
	parts = arena_zero(parser->arena, (count + 1) * sizeof *parts);
	record->parts = parts;
	for (size_t i = 0; i < count; i++)
	{
		json_object *field = json_object_array_get_idx(array, i);

		if (!member_text(parser->arena, field, "name", &parts[i].name, parser->err) ||
		    !member_int32_or(field, "field-id", -1, &parts[i].id, parser->err))
			return false;
		if (!json_object_object_get_ex(field, "type", &type))
			return fail(parser->err,
			            ERR_FATAL,
			            "Avro schema has field \"%s\" without a type",
			            parts[i].name);
		if (!parse_type(parser, type, &parts[i].type))
			return false;
	}
	record->part_count = (int32_t) count;
	return true;
}

/* Remember a named type before its fields are read: they may refer to it. */
static bool
remember(SchemaParser *parser, json_object *json, const AvroType *type)
{
	NamedType *plain = arena_zero(parser->arena, sizeof *plain);
	NamedType *full;
	const char *space;

	if (!member_text(parser->arena, json, "name", &plain->name, parser->err) ||
	    !member_text_or(parser->arena, json, "namespace", NULL, &space, parser->err))
		return false;
	plain->type = type;
	plain->next = parser->named;
	parser->named = plain;
	if (!space)
		return true;
	full = arena_zero(parser->arena, sizeof *full);
	*full = (NamedType){ .name = arena_printf(parser->arena, "%s.%s", space, plain->name),
		                 .type = type,
		                 .next = plain };
	parser->named = full;
	return true;
}

static bool
parse_part(SchemaParser *parser, json_object *json, const char *member, AvroType *type)
{
	AvroPart *part = arena_zero(parser->arena, sizeof *part);
	json_object *item;

	if (!json_object_object_get_ex(json, member, &item))
		return fail(parser->err, ERR_FATAL, "Avro schema lacks member \"%s\"", member);
	type->parts = part;
	type->part_count = 1;
	return parse_type(parser, item, &part->type);
}

static bool
parse_object(SchemaParser *parser, json_object *json, const AvroType **type)
{
	AvroType *made;
	json_object *word;
	json_object *symbols;
	size_t i = 0;

	if (!json_object_object_get_ex(json, "type", &word))
		return fail(parser->err, ERR_FATAL, "Avro schema lacks member \"type\"");
	if (!json_object_is_type(word, json_type_string))
		return parse_type(parser, word, type);
	while (i < sizeof kinds / sizeof *kinds &&
	       strcmp(kinds[i].name, json_object_get_string(word)) != 0)
		i++;
	if (i == sizeof kinds / sizeof *kinds)
		return parse_word(parser, word, type);
	made = arena_zero(parser->arena, sizeof *made);
	made->kind = kinds[i].kind;
	*type = made;
	switch (made->kind)
	{
		case AVRO_ARRAY:
			return parse_part(parser, json, "items", made);
		case AVRO_MAP:
			return parse_part(parser, json, "values", made);
		case AVRO_RECORD:
			return remember(parser, json, made) && parse_fields(parser, json, made);
		case AVRO_FIXED:
			if (!member_int32(json, "size", &made->size, parser->err))
				return false;
			if (made->size < 0)
				return fail(parser->err, ERR_FATAL, "Avro schema has a negative size");
			return remember(parser, json, made);
		case AVRO_ENUM:
			if (!member_of_type(json, "symbols", json_type_array, &symbols, parser->err))
				return false;
			made->size = (int32_t) json_object_array_length(symbols);
			return remember(parser, json, made);
		default:
			return true;
	}
}

static bool
parse_type(SchemaParser *parser, json_object *json, const AvroType **type)
{
	switch (json_object_get_type(json))
	{
		case json_type_string:
			return parse_word(parser, json, type);
		case json_type_array:
			return parse_union(parser, json, type);
		case json_type_object:
			return parse_object(parser, json, type);
		default:
			return fail(
				parser->err, ERR_FATAL, "Avro schema has a type of the wrong form");
	}
}

bool
avro_parse_schema(Arena *arena, Slice json, const AvroType **type, Err *err)
{
	SchemaParser parser = { .arena = arena, .err = err };
	json_object *root = members_parse(json, err);
	bool ok = root && parse_type(&parser, root, type);

	json_object_put(root);
	return ok;
}

/* Values */

static bool
ends_early(Err *err)
{
	fail(err, ERR_FATAL, "Avro file ends early");
	return false;
}

bool
avro_take_long(Slice *from, int64_t *value, Err *err)
{
	uint64_t bits = 0;

	for (unsigned shift = 0; shift < 64; shift += 7)
	{
		uint8_t byte;

		if (from->len == 0)
			return ends_early(err);
		byte = (uint8_t) *from->data;
		from->data++;
		from->len--;
		bits |= (uint64_t) (byte & 0x7f) << shift;
		if (byte < 0x80)
		{
			*value = (int64_t) (bits >> 1 ^ -(bits & 1));
			return true;
		}
	}
	fail(err, ERR_FATAL, "Avro file has a number of more than 64 bits");
	return false;
}

static bool
take_run(Slice *from, size_t len, Slice *bytes, Err *err)
{
	if (len > from->len)
		return ends_early(err);
	*bytes = (Slice){ from->data, len };
	from->data += len;
	from->len -= len;
	return true;
}

bool
avro_take_bytes(Slice *from, Slice *bytes, Err *err)
{
	int64_t len;

	if (!avro_take_long(from, &len, err))
		return false;
	if (len < 0)
		return fail(err, ERR_FATAL, "Avro file has a negative length");
	return take_run(from, (size_t) len, bytes, err);
}

bool
avro_take_count(Slice *from, int64_t *count, Err *err)
{
	int64_t bytes;

	if (!avro_take_long(from, count, err))
		return false;
	if (*count < 0 && *count >= -(int64_t) from->len)
	{
		*count = -*count;
		if (!avro_take_long(from, &bytes, err))
			return false;
	}
	if (*count < 0 || (uint64_t) *count > from->len)
		return fail(err, ERR_FATAL, "Avro file has a damaged item count");
	return true;
}

typedef struct Decoder
{
	Arena *arena;
	Slice *from;
	int depth;
	Err *err;
} Decoder;

static bool decode(Decoder *decoder, const AvroType *type, AvroValue *value);

static bool
decode_record(Decoder *decoder, const AvroType *type, AvroValue *value)
{
	AvroValue *items =
		arena_zero(decoder->arena, (size_t) type->part_count * sizeof *items);

	value->items = items;
	value->count = type->part_count;
	for (int32_t i = 0; i < type->part_count; i++)
		if (!decode(decoder, type->parts[i].type, &items[i]))
			return false;
	return true;
}

/* Room for one more; memory follows what was really read, not what a count claims. */
static AvroValue *
grow_items(Decoder *decoder, AvroValue *items, int32_t count)
{
	AvroValue *grown;

	if (count > 0 && (count < 4 || (count & (count - 1)) != 0))
		return items;
	grown =
		arena_zero(decoder->arena, (size_t) (count < 4 ? 4 : 2 * count) * sizeof *grown);
	if (count > 0)
		memcpy(grown, items, (size_t) count * sizeof *items);
	return grown;
}

/* Arrays and maps: runs of items, each with its count, until a count of 0. */
static bool
decode_items(Decoder *decoder, const AvroType *type, AvroValue *value)
{
	static const AvroType string = { .kind = AVRO_STRING };
	bool is_map = type->kind == AVRO_MAP;
	AvroValue *items = NULL;
	int32_t count = 0;
	int64_t run;

	while (avro_take_count(decoder->from, &run, decoder->err))
	{
		if (run > INT32_MAX / 8 - count)
			return fail(decoder->err, ERR_FATAL, "Avro file has a damaged item count");
		if (run == 0)
		{
			value->items = items;
			value->count = count;
			return true;
		}
		for (run = is_map ? 2 * run : run; run > 0; run--, count++)
		{
			bool is_key = is_map && count % 2 == 0;

			items = grow_items(decoder, items, count);
			if (!decode(decoder, is_key ? &string : type->parts[0].type, &items[count]))
				return false;
		}
	}
	return false;
}

static bool
decode_number(Decoder *decoder, const AvroType *type, AvroValue *value)
{
	if (!avro_take_long(decoder->from, &value->number, decoder->err))
		return false;
	if (type->kind == AVRO_ENUM && (value->number < 0 || value->number >= type->size))
		return fail(decoder->err, ERR_FATAL, "Avro file has a symbol out of range");
	if (type->kind == AVRO_INT &&
	    (value->number < INT32_MIN || value->number > INT32_MAX))
		return fail(decoder->err, ERR_FATAL, "Avro file has an int of more than 32 bits");
	return true;
}

static bool
decode_kind(Decoder *decoder, const AvroType *type, AvroValue *value)
{
	int64_t branch;
	Slice byte;

	value->type = type;
	switch (type->kind)
	{
		case AVRO_NULL:
			return true;
		case AVRO_BOOLEAN:
			if (!take_run(decoder->from, 1, &byte, decoder->err))
				return false;
			value->number = *byte.data != 0;
			return true;
		case AVRO_INT:
		case AVRO_LONG:
		case AVRO_ENUM:
			return decode_number(decoder, type, value);
		case AVRO_FLOAT:
			return take_run(decoder->from, 4, &value->bytes, decoder->err);
		case AVRO_DOUBLE:
			return take_run(decoder->from, 8, &value->bytes, decoder->err);
		case AVRO_BYTES:
		case AVRO_STRING:
			return avro_take_bytes(decoder->from, &value->bytes, decoder->err);
		case AVRO_FIXED:
			return take_run(
				decoder->from, (size_t) type->size, &value->bytes, decoder->err);
		case AVRO_ARRAY:
		case AVRO_MAP:
			return decode_items(decoder, type, value);
		case AVRO_RECORD:
			return decode_record(decoder, type, value);
		case AVRO_UNION:
			if (!avro_take_long(decoder->from, &branch, decoder->err))
				return false;
			if (branch < 0 || branch >= type->part_count)
				return fail(
					decoder->err, ERR_FATAL, "Avro file has a damaged union branch");
			return decode(decoder, type->parts[branch].type, value);
	}
	return fail(decoder->err, ERR_FATAL, "Avro schema is damaged");
}

static bool
decode(Decoder *decoder, const AvroType *type, AvroValue *value)
{
	bool ok;

	if (decoder->depth == DEPTH_MAX)
		return fail(decoder->err, ERR_FATAL, "Avro file nests values too deeply");
	decoder->depth++;
	ok = decode_kind(decoder, type, value);
	decoder->depth--;
	return ok;
}

bool
avro_decode(Arena *arena, const AvroType *type, Slice *from, AvroValue *value, Err *err)
{
	Decoder decoder = { .arena = arena, .from = from, .err = err };

	return decode(&decoder, type, value);
}
