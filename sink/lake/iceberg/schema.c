/*
 * schema.c
 *		Iceberg types, fields, schemas and partition specs, and their JSON.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/iceberg/schema.h"

#include <stdlib.h>

#include "lake/iceberg/schema_json.h"

/* Kinds whose text is a plain word. */
static const char *const kind_names[] = {
	/* clang-format off */
	[ICEBERG_BOOLEAN]     = "boolean",
	[ICEBERG_INT]         = "int",
	[ICEBERG_LONG]        = "long",
	[ICEBERG_FLOAT]       = "float",
	[ICEBERG_DOUBLE]      = "double",
	[ICEBERG_DECIMAL]     = "decimal",
	[ICEBERG_DATE]        = "date",
	[ICEBERG_TIME]        = "time",
	[ICEBERG_TIMESTAMP]   = "timestamp",
	[ICEBERG_TIMESTAMPTZ] = "timestamptz",
	[ICEBERG_STRING]      = "string",
	[ICEBERG_UUID]        = "uuid",
	[ICEBERG_FIXED]       = "fixed",
	[ICEBERG_BINARY]      = "binary",
	[ICEBERG_LIST]        = "list",
	[ICEBERG_MAP]         = "map",
	[ICEBERG_STRUCT]      = "struct",
	/* clang-format on */
};

IcebergType
iceberg_list(Arena *arena, int32_t element_id, IcebergType element)
{
	IcebergField *fields = arena_zero(arena, sizeof *fields);

	fields[0] = (IcebergField){ .id = element_id, .name = "element", .type = element };
	return (IcebergType){ .kind = ICEBERG_LIST, .fields = fields, .field_count = 1 };
}

IcebergType
iceberg_map(Arena *arena, int32_t key_id, IcebergType key, int32_t value_id,
            IcebergType value)
{
	IcebergField *fields = arena_zero(arena, 2 * sizeof *fields);

	fields[0] =
		(IcebergField){ .id = key_id, .name = "key", .required = true, .type = key };
	fields[1] = (IcebergField){ .id = value_id, .name = "value", .type = value };
	return (IcebergType){ .kind = ICEBERG_MAP, .fields = fields, .field_count = 2 };
}

static bool
text_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool
fields_equal(const IcebergField *a, const IcebergField *b, int32_t count)
{
	for (int32_t i = 0; i < count; i++)
		if (a[i].id != b[i].id || a[i].required != b[i].required ||
		    !text_equal(a[i].name, b[i].name) || !text_equal(a[i].doc, b[i].doc) ||
		    !iceberg_type_equal(&a[i].type, &b[i].type))
			return false;
	return true;
}

bool
iceberg_type_equal(const IcebergType *a, const IcebergType *b)
{
	return a->kind == b->kind && a->precision == b->precision && a->scale == b->scale &&
	       a->length == b->length && a->field_count == b->field_count &&
	       fields_equal(a->fields, b->fields, a->field_count);
}

bool
iceberg_schema_equal(const IcebergSchema *a, const IcebergSchema *b)
{
	if (a->field_count != b->field_count || a->identifier_count != b->identifier_count)
		return false;
	for (int32_t i = 0; i < a->identifier_count; i++)
		if (a->identifier_ids[i] != b->identifier_ids[i])
			return false;
	return fields_equal(a->fields, b->fields, a->field_count);
}

const char *
iceberg_type_text(Arena *arena, const IcebergType *type)
{
	switch (type->kind)
	{
		case ICEBERG_DECIMAL:
			return arena_printf(arena, "decimal(%d, %d)", type->precision, type->scale);
		case ICEBERG_FIXED:
			return arena_printf(arena, "fixed[%d]", type->length);
		case ICEBERG_LIST:
			return arena_printf(
				arena, "list<%s>", iceberg_type_text(arena, &type->fields[0].type));
		case ICEBERG_MAP:
			return arena_printf(arena,
			                    "map<%s, %s>",
			                    iceberg_type_text(arena, &type->fields[0].type),
			                    iceberg_type_text(arena, &type->fields[1].type));
		default:
			return kind_names[type->kind];
	}
}

static const IcebergField *
find_in(const IcebergField *fields, int32_t count, int32_t id)
{
	for (int32_t i = 0; i < count; i++)
	{
		const IcebergField *found = &fields[i];

		if (found->id != id)
			found = find_in(found->type.fields, found->type.field_count, id);
		if (found)
			return found;
	}
	return NULL;
}

const IcebergField *
iceberg_find_field(const IcebergSchema *schema, int32_t id)
{
	return find_in(schema->fields, schema->field_count, id);
}

static int32_t
greatest_in(const IcebergField *fields, int32_t count)
{
	int32_t greatest = 0;

	for (int32_t i = 0; i < count; i++)
	{
		int32_t nested = greatest_in(fields[i].type.fields, fields[i].type.field_count);

		if (nested > greatest)
			greatest = nested;
		if (fields[i].id > greatest)
			greatest = fields[i].id;
	}
	return greatest;
}

int32_t
iceberg_greatest_id(const IcebergSchema *schema)
{
	return greatest_in(schema->fields, schema->field_count);
}

/* What a transform's values are; "bucket" and "truncate" carry a parameter in brackets.
 */
static const struct
{
	const char *name;
	bool has_parameter;
	bool is_source; /* the type of the source column */
	IcebergKind kind;
} transforms[] = {
	/* clang-format off */
	{ "bucket",   true,  false, ICEBERG_INT },
	{ "day",      false, false, ICEBERG_DATE },
	{ "hour",     false, false, ICEBERG_INT },
	{ "identity", false, true,  ICEBERG_INT },
	{ "month",    false, false, ICEBERG_INT },
	{ "truncate", true,  true,  ICEBERG_INT },
	{ "void",     false, true,  ICEBERG_INT },
	{ "year",     false, false, ICEBERG_INT },
	/* clang-format on */
};

bool
iceberg_transform_type(const char *transform, const IcebergType *source,
                       IcebergType *result)
{
	for (size_t i = 0; i < sizeof transforms / sizeof *transforms; i++)
	{
		size_t len = strlen(transforms[i].name);

		if (strncmp(transform, transforms[i].name, len) != 0 ||
		    transform[len] != (transforms[i].has_parameter ? '[' : '\0'))
			continue;
		*result = transforms[i].is_source ? *source : iceberg_type(transforms[i].kind);
		return true;
	}
	return false;
}

#define DAY_US INT64_C(86400000000)

int32_t
iceberg_day(int64_t timestamp_us)
{
	return (int32_t) (timestamp_us / DAY_US - (timestamp_us % DAY_US < 0));
}

/* JSON */

static json_object *
type_to_json(Arena *arena, const IcebergType *type)
{
	json_object *object;
	const IcebergField *part = type->fields;

	if (!iceberg_is_nested(type))
		return json_object_new_string(iceberg_type_text(arena, type));
	object = json_object_new_object();
	json_object_object_add(
		object, "type", json_object_new_string(kind_names[type->kind]));
	if (type->kind == ICEBERG_STRUCT)
	{
		json_object_object_add(
			object, "fields", fields_to_json(arena, type->fields, type->field_count));
		return object;
	}
	for (; part < type->fields + type->field_count; part++)
	{
		json_object_object_add(object,
		                       arena_printf(arena, "%s-id", part->name),
		                       json_object_new_int(part->id));
		json_object_object_add(object, part->name, type_to_json(arena, &part->type));
	}
	part = type->fields + type->field_count - 1;
	json_object_object_add(object,
	                       arena_printf(arena, "%s-required", part->name),
	                       json_object_new_boolean(part->required));
	return object;
}

json_object *
fields_to_json(Arena *arena, const IcebergField *fields, int32_t count)
{
	json_object *array = json_object_new_array_ext(count);

	for (int32_t i = 0; i < count; i++)
	{
		json_object *field = json_object_new_object();

		json_object_object_add(field, "id", json_object_new_int(fields[i].id));
		json_object_object_add(field, "name", json_object_new_string(fields[i].name));
		json_object_object_add(
			field, "required", json_object_new_boolean(fields[i].required));
		json_object_object_add(field, "type", type_to_json(arena, &fields[i].type));
		if (fields[i].doc)
			json_object_object_add(field, "doc", json_object_new_string(fields[i].doc));
		json_object_array_add(array, field);
	}
	return array;
}

json_object *
schema_to_json(Arena *arena, const IcebergSchema *schema)
{
	json_object *object = json_object_new_object();

	json_object_object_add(object, "type", json_object_new_string("struct"));
	json_object_object_add(object, "schema-id", json_object_new_int(schema->id));
	if (schema->identifier_count > 0)
	{
		json_object *ids = json_object_new_array_ext(schema->identifier_count);

		for (int32_t i = 0; i < schema->identifier_count; i++)
			json_object_array_add(ids, json_object_new_int(schema->identifier_ids[i]));
		json_object_object_add(object, "identifier-field-ids", ids);
	}
	json_object_object_add(
		object, "fields", fields_to_json(arena, schema->fields, schema->field_count));
	return object;
}

const char *
iceberg_schema_json(Arena *arena, const IcebergSchema *schema)
{
	json_object *object = schema_to_json(arena, schema);
	const char *text = members_print(arena, object);

	json_object_put(object);
	return text;
}

json_object *
spec_fields_to_json(const PartitionSpec *spec)
{
	json_object *array = json_object_new_array_ext(spec->field_count);

	for (int32_t i = 0; i < spec->field_count; i++)
	{
		const PartitionField *from = &spec->fields[i];
		json_object *field = json_object_new_object();

		json_object_object_add(field, "name", json_object_new_string(from->name));
		json_object_object_add(
			field, "transform", json_object_new_string(from->transform));
		json_object_object_add(field, "source-id", json_object_new_int(from->source_id));
		json_object_object_add(field, "field-id", json_object_new_int(from->field_id));
		json_object_array_add(array, field);
	}
	return array;
}

const char *
iceberg_spec_fields_json(Arena *arena, const PartitionSpec *spec)
{
	json_object *array = spec_fields_to_json(spec);
	const char *text = members_print(arena, array);

	json_object_put(array);
	return text;
}

/* Read a number not above max and what follows it, with blanks around. */
static bool
parse_number(const char **at, long max, char end, int32_t *value)
{
	char *rest;
	long number = strtol(*at, &rest, 10);

	if (rest == *at || number < 0 || number > max)
		return false;
	while (*rest == ' ')
		rest++;
	if (*rest != end)
		return false;
	*at = rest + 1;
	*value = (int32_t) number;
	return true;
}

static bool
parse_type_text(const char *text, IcebergType *type, Err *err)
{
	const char *at;

	*type = (IcebergType){ 0 };
	if (strncmp(text, "decimal(", 8) == 0)
	{
		at = text + 8;
		type->kind = ICEBERG_DECIMAL;
		if (parse_number(&at, 38, ',', &type->precision) && type->precision > 0 &&
		    parse_number(&at, type->precision, ')', &type->scale) && *at == '\0')
			return true;
	}
	else if (strncmp(text, "fixed[", 6) == 0)
	{
		at = text + 6;
		type->kind = ICEBERG_FIXED;
		if (parse_number(&at, INT32_MAX, ']', &type->length) && *at == '\0')
			return true;
	}
	for (int kind = 0; kind < ICEBERG_LIST; kind++)
	{
		if (strcmp(text, kind_names[kind]) != 0 || kind == ICEBERG_DECIMAL ||
		    kind == ICEBERG_FIXED)
			continue;
		type->kind = (IcebergKind) kind;
		return true;
	}
	return fail(err, ERR_FATAL, "unrecognized type \"%s\"", text);
}

static bool type_from_json(Arena *arena, json_object *json, IcebergType *type, Err *err);

/* One part of a list or map: name-id, name, and whether it is required. */
static bool
part_from_json(Arena *arena, json_object *json, const char *name, IcebergField *field,
               Err *err)
{
	json_object *type;

	field->name = name;
	field->required = true;
	if (!member_int32(json, arena_printf(arena, "%s-id", name), &field->id, err))
		return false;
	if (strcmp(name, "key") != 0 &&
	    !member_bool(
			json, arena_printf(arena, "%s-required", name), &field->required, err))
		return false;
	if (!json_object_object_get_ex(json, name, &type))
		return fail(err, ERR_FATAL, "member \"%s\" is missing", name);
	return type_from_json(arena, type, &field->type, err);
}

static bool
nested_from_json(Arena *arena, json_object *json, IcebergType *type, Err *err)
{
	const char *word;
	IcebergField *fields = arena_zero(arena, 2 * sizeof *fields);

	if (!member_text(arena, json, "type", &word, err))
		return false;
	type->fields = fields;
	if (strcmp(word, "struct") == 0)
	{
		type->kind = ICEBERG_STRUCT;
		return fields_from_json(arena, json, &type->fields, &type->field_count, err);
	}
	if (strcmp(word, "list") == 0)
	{
		type->kind = ICEBERG_LIST;
		type->field_count = 1;
		return part_from_json(arena, json, "element", &fields[0], err);
	}
	if (strcmp(word, "map") == 0)
	{
		type->kind = ICEBERG_MAP;
		type->field_count = 2;
		return part_from_json(arena, json, "key", &fields[0], err) &&
		       part_from_json(arena, json, "value", &fields[1], err);
	}
	return fail(err, ERR_FATAL, "unrecognized type \"%s\"", word);
}

static bool
type_from_json(Arena *arena, json_object *json, IcebergType *type, Err *err)
{
	const char *text;

	*type = (IcebergType){ 0 };
	if (json_object_is_type(json, json_type_object))
		return nested_from_json(arena, json, type, err);
	return member_string(arena, json, "type", &text, err) &&
	       parse_type_text(text, type, err);
}

static bool
field_from_json(Arena *arena, json_object *json, IcebergField *field, Err *err)
{
	json_object *type;

	if (!member_int32(json, "id", &field->id, err) ||
	    !member_text(arena, json, "name", &field->name, err) ||
	    !member_bool(json, "required", &field->required, err) ||
	    !member_text_or(arena, json, "doc", NULL, &field->doc, err))
		return false;
	if (!json_object_object_get_ex(json, "type", &type))
		return fail(err, ERR_FATAL, "field \"%s\" has no type", field->name);
	return type_from_json(arena, type, &field->type, err) ||
	       fail_while(err, "field \"%s\"", field->name);
}

bool
fields_from_json(Arena *arena, json_object *json, const IcebergField **fields,
                 int32_t *count, Err *err)
{
	json_object *array;
	IcebergField *items;
	size_t len;

	if (!member_of_type(json, "fields", json_type_array, &array, err))
		return false;
	len = json_object_array_length(array);
	items = arena_zero(arena, (len + 1) * sizeof *items);
	for (size_t i = 0; i < len; i++)
		if (!field_from_json(arena, json_object_array_get_idx(array, i), &items[i], err))
			return false;
	*fields = items;
	*count = (int32_t) len;
	return true;
}

bool
schema_from_json(Arena *arena, json_object *json, IcebergSchema *schema, Err *err)
{
	json_object *array;
	int32_t *ids;
	size_t len;

	*schema = (IcebergSchema){ 0 };
	if (!member_int32_or(json, "schema-id", 0, &schema->id, err) ||
	    !fields_from_json(arena, json, &schema->fields, &schema->field_count, err) ||
	    !member_of_type_or(json, "identifier-field-ids", json_type_array, &array, err))
		return fail_while(err, "schema");
	len = array ? json_object_array_length(array) : 0;
	ids = arena_alloc(arena, (len + 1) * sizeof *ids);
	for (size_t i = 0; i < len; i++)
		ids[i] = json_object_get_int(json_object_array_get_idx(array, i));
	schema->identifier_ids = ids;
	schema->identifier_count = (int32_t) len;
	for (size_t i = 0; i < len; i++)
	{
		const IcebergField *field = iceberg_find_field(schema, ids[i]);

		if (field == NULL || !field->required)
			return fail(err,
			            ERR_FATAL,
			            "schema %d identifies rows by field %d, which it %s",
			            schema->id,
			            ids[i],
			            field == NULL ? "does not have" : "does not require");
	}
	return true;
}

bool
iceberg_schema_parse(Arena *arena, Slice json, IcebergSchema *schema, Err *err)
{
	json_object *object = members_parse(json, err);
	bool ok = object && schema_from_json(arena, object, schema, err);

	json_object_put(object);
	return ok;
}

bool
spec_fields_from_json(Arena *arena, json_object *array, PartitionSpec *spec, Err *err)
{
	size_t len = json_object_array_length(array);
	PartitionField *fields = arena_zero(arena, (len + 1) * sizeof *fields);

	for (size_t i = 0; i < len; i++)
	{
		json_object *json = json_object_array_get_idx(array, i);
		PartitionField *field = &fields[i];

		if (!member_text(arena, json, "name", &field->name, err) ||
		    !member_text(arena, json, "transform", &field->transform, err) ||
		    !member_int32(json, "source-id", &field->source_id, err) ||
		    !member_int32_or(json,
		                     "field-id",
		                     PARTITION_FIELD_FIRST + (int32_t) i,
		                     &field->field_id,
		                     err))
			return fail_while(err, "partition spec");
	}
	spec->fields = fields;
	spec->field_count = (int32_t) len;
	return true;
}
