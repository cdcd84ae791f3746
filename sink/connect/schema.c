/*
 * schema.c
 *		the table of schemas, and what is derived from them.
 *
 * Schemas inside a schema are interned before it, so that comparing two drafts looks
 * at one level and at pointers below.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "connect/schema.h"

#include <stdlib.h>

#include "envelope/value.h"

#define FIRST_SLOTS 256

struct ConnectSchemas
{
	Arena *arena;
	const ConnectSchema **slots; /* open addressing */
	uint64_t *hashes;
	size_t room;
	size_t used;
};

static const char *const type_names[] = {
	[CONNECT_INT8] = "int8",       [CONNECT_INT16] = "int16",
	[CONNECT_INT32] = "int32",     [CONNECT_INT64] = "int64",
	[CONNECT_FLOAT32] = "float",   [CONNECT_FLOAT64] = "double",
	[CONNECT_BOOLEAN] = "boolean", [CONNECT_STRING] = "string",
	[CONNECT_BYTES] = "bytes",     [CONNECT_ARRAY] = "array",
	[CONNECT_MAP] = "map",         [CONNECT_STRUCT] = "struct",
};

const char *
connect_type_name(ConnectType type)
{
	return type_names[type];
}

ConnectSchemas *
connect_schemas_new(void)
{
	ConnectSchemas *schemas = xmalloc(sizeof *schemas);

	*schemas = (ConnectSchemas){ .arena = arena_new(), .room = FIRST_SLOTS };
	schemas->slots = xmalloc(FIRST_SLOTS * sizeof *schemas->slots);
	memset(schemas->slots, 0, FIRST_SLOTS * sizeof *schemas->slots);
	schemas->hashes = xmalloc(FIRST_SLOTS * sizeof *schemas->hashes);
	return schemas;
}

void
connect_schemas_free(ConnectSchemas *schemas)
{
	if (schemas == NULL)
		return;
	free(schemas->slots);
	free(schemas->hashes);
	arena_free(schemas->arena);
	free(schemas);
}

Arena *
connect_schemas_arena(ConnectSchemas *schemas)
{
	return schemas->arena;
}

/* ---- Comparing ---- */

static uint64_t
hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001B3);
	return hash;
}

static uint64_t
hash_text(uint64_t hash, const char *text)
{
	return text == NULL ? hash * 31 : hash_bytes(hash, text, strlen(text) + 1);
}

static uint64_t
hash_number(uint64_t hash, uint64_t number)
{
	hash = (hash ^ number) * UINT64_C(0x9E3779B97F4A7C15);
	return hash ^ hash >> 32;
}

static uint64_t
hash_schema(const ConnectSchema *schema)
{
	uint64_t hash = UINT64_C(0xCBF29CE484222325);

	hash = hash_number(hash, (uint64_t) schema->type);
	hash = hash_number(hash, (schema->optional ? 1U : 0U));
	hash = hash_number(hash, (uint64_t) schema->version);
	hash = hash_text(hash, schema->name);
	hash = hash_text(hash, schema->doc);
	hash = hash_bytes(hash, schema->default_json.data, schema->default_json.len);
	hash = hash_number(hash, (uintptr_t) schema->items);
	hash = hash_number(hash, (uintptr_t) schema->keys);
	for (size_t i = 0; i < schema->parameter_count; i++)
	{
		hash = hash_text(hash, schema->parameters[i].name);
		hash = hash_text(hash, schema->parameters[i].value);
	}
	for (size_t i = 0; i < schema->field_count; i++)
	{
		hash = hash_text(hash, schema->fields[i].name);
		hash = hash_number(hash, (uintptr_t) schema->fields[i].schema);
	}
	return hash;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_schema(const ConnectSchema *a, const ConnectSchema *b)
{
	if (a->type != b->type || a->optional != b->optional || a->version != b->version ||
	    a->items != b->items || a->keys != b->keys || a->field_count != b->field_count ||
	    a->parameter_count != b->parameter_count || !same_text(a->name, b->name) ||
	    !same_text(a->doc, b->doc) || !slice_equal(a->default_json, b->default_json))
		return false;
	for (size_t i = 0; i < a->field_count; i++)
		if (a->fields[i].schema != b->fields[i].schema ||
		    strcmp(a->fields[i].name, b->fields[i].name) != 0)
			return false;
	for (size_t i = 0; i < a->parameter_count; i++)
		if (strcmp(a->parameters[i].name, b->parameters[i].name) != 0 ||
		    !same_text(a->parameters[i].value, b->parameters[i].value))
			return false;
	return true;
}

/* ---- The table ---- */

static size_t
find_slot(const ConnectSchemas *schemas, const ConnectSchema *schema, uint64_t hash)
{
	size_t at = hash & (schemas->room - 1);

	while (schemas->slots[at] != NULL &&
	       (schemas->hashes[at] != hash || !same_schema(schemas->slots[at], schema)))
		at = (at + 1) & (schemas->room - 1);
	return at;
}

static void
grow(ConnectSchemas *schemas)
{
	ConnectSchemas old = *schemas;

	schemas->room = old.room * 2;
	schemas->slots = xmalloc(schemas->room * sizeof *schemas->slots);
	memset(schemas->slots, 0, schemas->room * sizeof *schemas->slots);
	schemas->hashes = xmalloc(schemas->room * sizeof *schemas->hashes);
	for (size_t i = 0; i < old.room; i++)
		if (old.slots[i] != NULL)
		{
			size_t at = find_slot(schemas, old.slots[i], old.hashes[i]);

			schemas->slots[at] = old.slots[i];
			schemas->hashes[at] = old.hashes[i];
		}
	free(old.slots);
	free(old.hashes);
}

static char *
copy_text(Arena *arena, const char *text)
{
	return text == NULL ? NULL : arena_strdup(arena, text);
}

static Slice
make_lead(Arena *arena, const char *name)
{
	Buf buf = buf_heap();
	Slice lead;

	json_string(&buf, slice_from(name));
	buf_char(&buf, ':');
	lead = arena_slice(arena, (Slice){ buf.data, buf.len });
	buf_free(&buf);
	return lead;
}

static ConnectSchema *
copy_schema(Arena *arena, const ConnectSchema *draft)
{
	ConnectSchema *schema = arena_alloc(arena, sizeof *schema);
	ConnectField *fields = arena_alloc(arena, (draft->field_count + 1) * sizeof *fields);
	ConnectParameter *parameters =
		arena_alloc(arena, (draft->parameter_count + 1) * sizeof *parameters);

	*schema = *draft;
	schema->name = copy_text(arena, draft->name);
	schema->doc = copy_text(arena, draft->doc);
	schema->default_json = arena_slice(arena, draft->default_json);
	schema->fields = fields;
	schema->parameters = parameters;
	schema->memo = arena_zero(arena, sizeof *schema->memo);
	schema->has_defaults = draft->default_json.len > 0 ||
	                       (draft->items != NULL && draft->items->has_defaults) ||
	                       (draft->keys != NULL && draft->keys->has_defaults);
	for (size_t i = 0; i < draft->field_count; i++)
	{
		fields[i] = (ConnectField){ copy_text(arena, draft->fields[i].name),
			                        draft->fields[i].schema,
			                        make_lead(arena, draft->fields[i].name) };
		schema->has_defaults |= fields[i].schema->has_defaults;
	}
	for (size_t i = 0; i < draft->parameter_count; i++)
		parameters[i] = (ConnectParameter){
			copy_text(arena, draft->parameters[i].name),
			copy_text(arena, draft->parameters[i].value),
		};
	return schema;
}

const ConnectSchema *
connect_schema_intern(ConnectSchemas *schemas, const ConnectSchema *draft)
{
	uint64_t hash = hash_schema(draft);
	size_t at = find_slot(schemas, draft, hash);

	if (schemas->slots[at] != NULL)
		return schemas->slots[at];
	if (++schemas->used > schemas->room / 2)
	{
		grow(schemas);
		at = find_slot(schemas, draft, hash);
	}
	schemas->hashes[at] = hash;
	schemas->slots[at] = copy_schema(schemas->arena, draft);
	return schemas->slots[at];
}

/* ---- Deriving ---- */

const ConnectSchema *
connect_schema_plain(ConnectSchemas *schemas, ConnectType type, bool optional)
{
	const ConnectSchema draft = { .type = type, .optional = optional };

	return connect_schema_intern(schemas, &draft);
}

const ConnectSchema *
connect_schema_struct(ConnectSchemas *schemas, const char *name, int32_t version,
                      bool optional)
{
	const ConnectSchema draft = {
		.type = CONNECT_STRUCT, .optional = optional, .version = version, .name = name
	};

	return connect_schema_intern(schemas, &draft);
}

const ConnectSchema *
connect_schema_optional(ConnectSchemas *schemas, const ConnectSchema *schema,
                        bool optional)
{
	ConnectSchema draft = *schema;

	draft.optional = optional;
	return connect_schema_intern(schemas, &draft);
}

const ConnectSchema *
connect_schema_named(ConnectSchemas *schemas, const ConnectSchema *schema,
                     const char *name)
{
	ConnectSchema draft = *schema;

	draft.name = name;
	return connect_schema_intern(schemas, &draft);
}

/* A copy of the fields with room for one more, for the caller to free. */
static ConnectField *
copy_fields(const ConnectSchema *schema)
{
	ConnectField *fields = xmalloc((schema->field_count + 1) * sizeof *fields);

	if (schema->field_count > 0)
		memcpy(fields, schema->fields, schema->field_count * sizeof *fields);
	return fields;
}

/* The schema with these fields instead, which are freed. */
static const ConnectSchema *
with_fields(ConnectSchemas *schemas, const ConnectSchema *schema, ConnectField *fields,
            size_t count)
{
	ConnectSchema draft = *schema;
	const ConnectSchema *made;

	draft.fields = fields;
	draft.field_count = count;
	made = connect_schema_intern(schemas, &draft);
	free(fields);
	return made;
}

const ConnectSchema *
connect_schema_append(ConnectSchemas *schemas, const ConnectSchema *schema,
                      const char *name, const ConnectSchema *field)
{
	ConnectField *fields = copy_fields(schema);

	fields[schema->field_count] = (ConnectField){ .name = name, .schema = field };
	return with_fields(schemas, schema, fields, schema->field_count + 1);
}

const ConnectSchema *
connect_schema_drop(ConnectSchemas *schemas, const ConnectSchema *schema, size_t index)
{
	ConnectField *fields = copy_fields(schema);

	memmove(fields + index,
	        fields + index + 1,
	        (schema->field_count - index - 1) * sizeof *fields);
	return with_fields(schemas, schema, fields, schema->field_count - 1);
}

const ConnectSchema *
connect_schema_replace(ConnectSchemas *schemas, const ConnectSchema *schema, size_t index,
                       const char *name, const ConnectSchema *field)
{
	ConnectField *fields = copy_fields(schema);

	if (name != NULL)
		fields[index].name = name;
	if (field != NULL)
		fields[index].schema = field;
	return with_fields(schemas, schema, fields, schema->field_count);
}

int
connect_schema_find(const ConnectSchema *schema, const char *name)
{
	for (size_t i = 0; i < schema->field_count; i++)
		if (strcmp(schema->fields[i].name, name) == 0)
			return (int) i;
	return -1;
}

const char *
connect_schema_parameter(const ConnectSchema *schema, const char *name)
{
	for (size_t i = 0; i < schema->parameter_count; i++)
		if (strcmp(schema->parameters[i].name, name) == 0)
			return schema->parameters[i].value;
	return NULL;
}

int
connect_schema_scale(const ConnectSchema *schema)
{
	const char *text = connect_schema_parameter(schema, "scale");

	return text == NULL ? 0 : (int) strtol(text, NULL, 10);
}
