/*
 * shape_text.c
 *		the property "cdc.columns": written, and read back with the schema.
 *
 *		{"system":7,"relid":16384,"identity":0,"relations":{"16384":{"1":1,"2":2}}}
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>

#include "lake/shape_state.h"

const char *
shape_print(const Shape *shape, uint64_t system_id, Arena *arena)
{
	Buf buf = buf_heap();
	const char *text;

	buf_text(&buf, "{\"system\":");
	buf_uint64(&buf, system_id);
	buf_printf(&buf,
	           ",\"relid\":%u,\"identity\":%d,\"relations\":{",
	           shape->relid,
	           (int) shape->identity);
	for (int32_t i = 0; i < shape->track_count; i++)
	{
		const ShapeTrack *track = &shape->tracks[i];

		buf_printf(&buf, "%s\"%u\":{", i == 0 ? "" : ",", track->relid);
		for (int32_t j = 0; j < track->count; j++)
			buf_printf(&buf,
			           "%s\"%d\":%d",
			           j == 0 ? "" : ",",
			           track->attnums[j],
			           track->field_ids[j]);
		buf_char(&buf, '}');
	}
	buf_text(&buf, "}}");
	text = arena_strndup(arena, buf.data, buf.len);
	buf_free(&buf);
	return text;
}

/* Read exactly what shape_print() writes: at moves behind text, false if something else
 * is there. */
static bool
expect(const char **at, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

static bool
expect_number(const char **at, uint64_t *number)
{
	char *end;

	*number = strtoull(*at, &end, 10);
	if (end == *at)
		return false;
	*at = end;
	return true;
}

static bool
read_track(const char **at, Arena *arena, ShapeTrack *track)
{
	size_t room = strlen(*at) / 5 + 1; /* "1":2 */
	int32_t *attnums = arena_alloc(arena, sizeof *attnums * room);
	int32_t *field_ids = arena_alloc(arena, sizeof *field_ids * room);
	uint64_t relid;
	uint64_t attnum;
	uint64_t id;

	*track = (ShapeTrack){ .attnums = attnums, .field_ids = field_ids };
	if (!expect(at, "\"") || !expect_number(at, &relid) || !expect(at, "\":{"))
		return false;
	track->relid = (uint32_t) relid;
	if (expect(at, "}"))
		return true;
	do
	{
		if (!expect(at, "\"") || !expect_number(at, &attnum) || !expect(at, "\":") ||
		    !expect_number(at, &id))
			return false;
		attnums[track->count] = (int32_t) attnum;
		field_ids[track->count++] = (int32_t) id;
	} while (expect(at, ","));
	return expect(at, "}");
}

static bool
read_relid(const char **at, uint64_t *relid)
{
	uint64_t system_id;

	return expect(at, "{\"system\":") && expect_number(at, &system_id) &&
	       expect(at, ",\"relid\":") && expect_number(at, relid);
}

uint32_t
shape_read_relid(const char *columns)
{
	uint64_t relid;

	return read_relid(&columns, &relid) ? (uint32_t) relid : 0;
}

static bool
read_columns(const char *at, Shape *shape)
{
	ShapeTrack *tracks;
	uint64_t relid;
	uint64_t identity;
	bool more = true;

	if (!read_relid(&at, &relid) || !expect(&at, ",\"identity\":") ||
	    !expect_number(&at, &identity) || identity > IDENTITY_APPEND ||
	    !expect(&at, ",\"relations\":{"))
		return false;
	shape->relid = (uint32_t) relid;
	shape->identity = (Identity) identity;
	tracks = arena_alloc(shape->arena, sizeof *tracks * (strlen(at) / 5 + 1));
	shape->tracks = tracks;
	while (more && *at == '"')
	{
		if (!read_track(&at, shape->arena, &tracks[shape->track_count++]))
			return false;
		more = expect(&at, ",");
	}
	return expect(&at, "}}") && *at == '\0';
}

static bool
read_schema(const IcebergSchema *schema, Shape *shape)
{
	Arena *arena = shape->arena;
	IcebergField *fields =
		arena_alloc(arena, sizeof *fields * (size_t) (schema->field_count + 1));
	int32_t *key = arena_alloc(arena, sizeof *key * (size_t) (schema->field_count + 1));
	int32_t *ids = arena_alloc(arena, sizeof *ids * (size_t) (schema->field_count + 1));

	if (schema->field_count < EXTRA_COUNT)
		return false;
	shape->source_count = schema->field_count - EXTRA_COUNT;
	for (int32_t i = 0; i < schema->field_count; i++)
	{
		fields[i] = schema->fields[i];
		fields[i].name = arena_strdup(arena, schema->fields[i].name);
		fields[i].doc = NULL;
		fields[i].type = shape_type_copy(arena, &schema->fields[i].type);
		for (int32_t j = 0; j < schema->identifier_count; j++)
			if (schema->identifier_ids[j] == fields[i].id)
			{
				ids[shape->key_count] = fields[i].id;
				key[shape->key_count++] = i;
				break;
			}
	}
	for (int i = 0; i < EXTRA_COUNT; i++)
		if (strcmp(fields[shape->source_count + i].name, shape_extra_names[i]) != 0)
			return false;
	shape->key = key;
	shape->missing =
		arena_zero(arena, sizeof *shape->missing * (size_t) (shape->source_count + 1));
	shape->schema = (IcebergSchema){ .id = schema->id,
		                             .fields = fields,
		                             .field_count = schema->field_count,
		                             .identifier_ids = shape->key_count == 0 ? NULL : ids,
		                             .identifier_count = shape->key_count };
	return true;
}

bool
shape_read(const IcebergSchema *schema, const char *columns, Shape **shape, Err *err)
{
	Shape *made = shape_new();

	*shape = NULL;
	if (columns == NULL || !read_columns(columns, made) || !read_schema(schema, made))
	{
		shape_free(made);
		return fail(err,
		            ERR_FATAL,
		            "property \"cdc.columns\" is missing or does not fit the schema");
	}
	*shape = made;
	return true;
}
