/*
 * shared.c
 *		what several transformations need.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "transform/stage.h"

#define FIRST_SLOTS 32
#define ROUTE_SLOTS \
	8192 /* at most half of them are used; further topics are matched again */

typedef struct SchemaSlot
{
	const void *a;
	const void *b;
	const void *kept;
} SchemaSlot;

typedef struct RouteSlot
{
	const char *topic;
	const char *result;
} RouteSlot;

/* ---- Caches ---- */

static SchemaSlot *
find_slot(const SchemaCache *cache, const void *a, const void *b)
{
	size_t at = ((uintptr_t) a >> 4) * 0x9E3779B1U ^ ((uintptr_t) b >> 4) * 0x85EBCA6BU;

	for (at &= cache->room - 1; cache->slots[at].a != NULL;
	     at = (at + 1) & (cache->room - 1))
		if (cache->slots[at].a == a && cache->slots[at].b == b)
			break;
	return &cache->slots[at];
}

static void
grow(SchemaCache *cache)
{
	SchemaCache old = *cache;

	cache->room = old.room == 0 ? FIRST_SLOTS : old.room * 2;
	cache->slots = arena_zero(cache->memory, cache->room * sizeof *cache->slots);
	for (size_t i = 0; i < old.room; i++)
		if (old.slots[i].a != NULL)
			*find_slot(cache, old.slots[i].a, old.slots[i].b) = old.slots[i];
}

const void **
schema_cache(SchemaCache *cache, const void *a, const void *b)
{
	SchemaSlot *slot;

	if (cache->used * 2 >= cache->room)
		grow(cache);
	slot = find_slot(cache, a, b);
	if (slot->a == NULL)
	{
		*slot = (SchemaSlot){ a, b, NULL };
		cache->used++;
	}
	return &slot->kept;
}

bool
route_make(Route *route, const Stage *stage, const char *regex, const char *replacement,
           Err *err)
{
	*route = (Route){ .memory = stage->memory, .replacement = replacement };
	route->pattern = pattern_compile(stage->memory, regex, err);
	route->slots = arena_zero(stage->memory, ROUTE_SLOTS * sizeof *route->slots);
	return route->pattern != NULL &&
	       pattern_check_replacement(route->pattern, replacement, err);
}

bool
route_topic(Route *route, const char *topic, Arena *arena, const char **result, Err *err)
{
	size_t at = 5381;
	bool full = route->used * 2 >= ROUTE_SLOTS;

	for (const char *p = topic; *p != '\0'; p++)
		at = at * 33 + (unsigned char) *p;
	for (at %= ROUTE_SLOTS; route->slots[at].topic != NULL; at = (at + 1) % ROUTE_SLOTS)
		if (strcmp(route->slots[at].topic, topic) == 0)
		{
			*result = route->slots[at].result;
			return true;
		}
	if (!pattern_route(route->pattern,
	                   slice_from(topic),
	                   route->replacement,
	                   full ? arena : route->memory,
	                   result,
	                   err))
		return false;
	if (!full)
	{
		route->slots[at] = (RouteSlot){ arena_strdup(route->memory, topic), *result };
		route->used++;
	}
	return true;
}

/* ---- Records ---- */

bool
is_envelope(const ConnectRecord *record)
{
	static const char suffix[] = ".Envelope";
	const ConnectSchema *schema = record->value.schema;
	size_t len;

	if (schema == NULL || schema->name == NULL)
		return false;
	len = strlen(schema->name);
	return len >= sizeof suffix - 1 &&
	       strcmp(schema->name + len - (sizeof suffix - 1), suffix) == 0;
}

ConnectData *
stage_side(const Stage *stage, ConnectRecord *record)
{
	switch (stage->config->class->kind)
	{
		case TRANSFORM_REPLACE_KEY:
		case TRANSFORM_MASK_KEY:
		case TRANSFORM_INSERT_KEY:
			return &record->key;
		default:
			return &record->value;
	}
}

ConnectValue
filled(const ConnectValue *value, const ConnectSchema *schema, bool replaces)
{
	return replaces && value->form == CONNECT_IS_NULL ? connect_value_default(schema)
	                                                  : *value;
}

ConnectValue
value_with_room(Arena *arena, const ConnectValue *value, const ConnectSchema *schema,
                size_t extra)
{
	ConnectValue more = connect_value_struct(arena, schema->field_count + extra);

	if (schema->field_count > 0)
		memcpy(more.fields, value->fields, schema->field_count * sizeof *more.fields);
	return more;
}

/* ---- Schemas ---- */

const ConnectSchema *
schema_basics(ConnectSchemas *schemas, const ConnectSchema *schema)
{
	ConnectSchema draft = *schema;

	draft.optional = false;
	draft.default_json = (Slice){ NULL, 0 };
	return connect_schema_intern(schemas, &draft);
}

const ConnectSchema *
schema_with(ConnectSchemas *schemas, const ConnectSchema *schema, const char *name,
            const ConnectSchema *field, Err *err)
{
	if (connect_schema_find(schema, name) >= 0)
	{
		(void) fail(err, ERR_DATA, "there is a field \"%s\" already", name);
		return NULL;
	}
	return connect_schema_append(schemas, schema, name, field);
}

bool
field_find(const ConnectSchema *schema, const char *name, int type, size_t *index,
           Err *err)
{
	int at = schema != NULL && schema->type == CONNECT_STRUCT
	             ? connect_schema_find(schema, name)
	             : -1;

	if (at < 0)
		return fail(err, ERR_DATA, "there is no field \"%s\"", name);
	if (type >= 0 && schema->fields[at].schema->type != (ConnectType) type)
		return fail(err,
		            ERR_DATA,
		            "field \"%s\" is of type %s, not %s",
		            name,
		            connect_type_name(schema->fields[at].schema->type),
		            connect_type_name((ConnectType) type));
	*index = (size_t) at;
	return true;
}

bool
field_string(const ConnectData *data, const char *name, Arena *arena, const char **text,
             Err *err)
{
	const ConnectValue *value;
	size_t index;
	Slice chars;

	if (!field_find(data->schema, name, CONNECT_STRING, &index, err))
		return false;
	*text = NULL;
	value = &data->value.fields[index];
	if (value->form == CONNECT_IS_NULL)
		return true;
	if (value->form != CONNECT_IS_JSON ||
	    !connect_read_string(value->json, arena, &chars))
		return fail(err, ERR_DATA, "field \"%s\" is not a string", name);
	*text = arena_strndup(arena, chars.data, chars.len);
	return true;
}

/* ---- Names ---- */

static bool
is_name_char(unsigned char c, bool first, int mode)
{
	/* the underscore introduces escapes in the Unicode mode */
	if (c == '_')
		return mode == 1;
	return (c < 0x80 && isalpha(c)) || (!first && (isdigit(c) || c == '.'));
}

const char *
adjusted_name(const char *name, int mode, Arena *arena)
{
	const char *end = name + strlen(name);
	Buf out = buf_heap();
	const char *result;

	if (mode == 0)
		return name;
	for (const char *at = name; at < end;)
	{
		unsigned char first = (unsigned char) *at;
		size_t len = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
		uint32_t c = first;

		if (is_name_char(first, at == name, mode))
			buf_char(&out, *at);
		else if (mode == 1)
		{
			/* one for each UTF-16 unit; a digit at the start stays behind it */
			buf_text(&out, len == 4 ? "__" : "_");
			if (at == name && isdigit(first))
				buf_char(&out, *at);
		}
		else
		{
			if (len > 1)
				c &= 0x7FU >> len;
			for (size_t i = 1; i < len; i++)
				c = c << 6 | ((unsigned char) at[i] & 0x3FU);
			if (c >= 0x10000)
				buf_printf(&out,
				           "_u%x_u%x",
				           0xD800 + ((c - 0x10000) >> 10),
				           0xDC00 + ((c - 0x10000) & 0x3FF));
			else /* no four digits, in Debezium either */
				buf_printf(&out, c <= 0xFF ? "_u00%x" : "_u%x", c);
		}
		at += len;
	}
	result = arena_strndup(arena, out.data == NULL ? "" : out.data, out.len);
	buf_free(&out);
	return result;
}
