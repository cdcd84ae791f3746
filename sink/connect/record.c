/*
 * record.c
 *		values as pieces of JSON text.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "connect/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "envelope/number.h"
#include "envelope/scan.h"
#include "envelope/value.h"

#define FIRST_HEADERS 8

ConnectRecord
connect_record(const char *topic)
{
	return (ConnectRecord){ .topic = topic, .partition = -1, .timestamp_ms = -1 };
}

void
connect_record_add_header(ConnectRecord *record, Arena *arena, const char *name,
                          ConnectData data)
{
	if (record->header_count == record->header_room)
	{
		size_t room = record->header_room == 0 ? FIRST_HEADERS : record->header_room * 2;
		ConnectHeader *headers = arena_alloc(arena, room * sizeof *headers);

		if (record->header_count > 0)
			memcpy(headers, record->headers, record->header_count * sizeof *headers);
		record->headers = headers;
		record->header_room = room;
	}
	record->headers[record->header_count++] = (ConnectHeader){ name, data };
}

void
connect_record_renew(ConnectRecord *record)
{
	if (!record->is_new)
		record->shared_headers = record->header_count;
	record->is_new = true;
}

void
connect_record_share_headers(ConnectRecord *tombstone, const ConnectRecord *deleted)
{
	tombstone->headers = deleted->headers;
	tombstone->header_count =
		deleted->is_new ? deleted->shared_headers : deleted->header_count;
	/* no room: to add one makes a list of its own */
	tombstone->header_room = tombstone->header_count;
}

/* ---- Values ---- */

static bool
is_null(Slice json)
{
	return json.len == 4 && memcmp(json.data, "null", 4) == 0;
}

ConnectValue
connect_value_json(Slice json)
{
	if (is_null(json))
		return (ConnectValue){ .form = CONNECT_IS_NULL };
	return (ConnectValue){ .form = CONNECT_IS_JSON, .json = json };
}

ConnectValue
connect_value_struct(Arena *arena, size_t field_count)
{
	/* CONNECT_IS_NULL is 0 */
	return (ConnectValue){ .form = CONNECT_IS_FIELDS,
		                   .fields = arena_zero(
							   arena, (field_count + 1) * sizeof(ConnectValue)) };
}

ConnectValue
connect_value_default(const ConnectSchema *schema)
{
	if (schema == NULL || schema->default_json.len == 0)
		return (ConnectValue){ .form = CONNECT_IS_NULL };
	return connect_value_json(schema->default_json);
}

static ConnectValue
take_value(Arena *arena, Buf *buf)
{
	ConnectValue value =
		connect_value_json(arena_slice(arena, (Slice){ buf->data, buf->len }));

	buf_free(buf);
	return value;
}

ConnectValue
connect_value_string(Arena *arena, Slice text)
{
	Buf buf = buf_heap();

	json_string(&buf, text);
	return take_value(arena, &buf);
}

ConnectValue
connect_value_int64(Arena *arena, int64_t value)
{
	const char *text = arena_printf(arena, "%" PRId64, value);

	return connect_value_json(slice_from(text));
}

ConnectValue
connect_value_boolean(bool value)
{
	return connect_value_json(slice_from(value ? "true" : "false"));
}

/* The index of the field whose name is quoted, looked for at expected first; -1: none. */
static int
match_field(const ConnectSchema *schema, size_t expected, Slice quoted)
{
	for (size_t i = 0; i < schema->field_count; i++)
	{
		size_t at = (expected + i) % schema->field_count;
		Slice lead = schema->fields[at].lead;

		if (lead.len - 1 == quoted.len && memcmp(lead.data, quoted.data, quoted.len) == 0)
			return (int) at;
	}
	return -1;
}

static bool
open_struct(ConnectValue *value, const ConnectSchema *schema, Arena *arena)
{
	Scan scan = scan_over(value->json);
	ConnectValue open = connect_value_struct(arena, schema->field_count);
	size_t expected = 0;
	bool first = true;
	bool more;
	Slice name;
	Slice json;

	if (!scan_take(&scan, '{'))
		return false;
	for (;;)
	{
		int index;

		if (!scan_member(&scan, &first, &name, &more))
			return false;
		if (!more)
			break;
		index = match_field(schema, expected, name);
		if (index < 0 || !scan_value(&scan, &json))
			return false;
		open.fields[index] = connect_value_json(json);
		expected = (size_t) index + 1;
	}
	*value = open;
	return true;
}

bool
connect_value_open(ConnectValue *value, const ConnectSchema *schema, Arena *arena,
                   Err *err)
{
	if (value->form != CONNECT_IS_JSON)
		return true;
	if (schema == NULL || schema->type != CONNECT_STRUCT)
		return fail(err, ERR_DATA, "a value that is not a struct has no fields");
	if (open_struct(value, schema, arena))
		return true;
	return fail(err,
	            ERR_DATA,
	            "a value is not of its schema \"%s\"",
	            schema->name == NULL ? "" : schema->name);
}

void
connect_value_print(const ConnectValue *value, const ConnectSchema *schema, Buf *buf)
{
	switch (value->form)
	{
		case CONNECT_IS_NULL:
			buf_append(buf, "null", 4);
			return;
		case CONNECT_IS_JSON:
			buf_slice(buf, value->json);
			return;
		case CONNECT_IS_FIELDS:
			break;
	}
	buf_char(buf, '{');
	for (size_t i = 0; i < schema->field_count; i++)
	{
		if (i > 0)
			buf_char(buf, ',');
		buf_slice(buf, schema->fields[i].lead);
		connect_value_print(&value->fields[i], schema->fields[i].schema, buf);
	}
	buf_char(buf, '}');
}

bool
connect_value_equal(const ConnectValue *a, const ConnectValue *b,
                    const ConnectSchema *schema)
{
	Buf texts;
	size_t middle;
	bool same;

	if (a->form == CONNECT_IS_NULL || b->form == CONNECT_IS_NULL)
		return a->form == b->form;
	if (a->form == CONNECT_IS_JSON && b->form == CONNECT_IS_JSON)
		return slice_equal(a->json, b->json);
	texts = buf_heap();
	connect_value_print(a, schema, &texts);
	middle = texts.len;
	connect_value_print(b, schema, &texts);
	same =
		texts.len == middle * 2 && memcmp(texts.data, texts.data + middle, middle) == 0;
	buf_free(&texts);
	return same;
}

/* ---- Leaves ---- */

bool
connect_read_string(Slice json, Arena *arena, Slice *text)
{
	Slice inner;
	const char *end;
	char *start;
	char *to;

	if (!scan_strip_quotes(json, &inner))
		return false;
	*text = inner;
	if (inner.len == 0 || memchr(inner.data, '\\', inner.len) == NULL)
		return true;
	start = arena_alloc(arena, inner.len);
	to = start;
	end = inner.data + inner.len;
	for (const char *at = inner.data; at < end;)
	{
		if (*at != '\\')
		{
			*to++ = *at++;
			continue;
		}
		at = scan_unescape(at + 1, end, &to);
		if (at == NULL)
			return false;
	}
	*text = (Slice){ start, (size_t) (to - start) };
	return true;
}

bool
connect_read_text(Slice json, Arena *arena, const char **text)
{
	Slice found;

	if (!connect_read_string(json, arena, &found) ||
	    (found.len > 0 && memchr(found.data, '\0', found.len) != NULL))
		return false;
	*text = arena_strndup(arena, found.data, found.len);
	return true;
}

bool
connect_read_bytes(Slice json, Arena *arena, Slice *bytes)
{
	Slice text;
	char *room;

	if (!connect_read_string(json, arena, &text))
		return false;
	room = arena_alloc(arena, text.len / 4 * 3 + 1);
	bytes->data = room;
	return number_unbase64(text, room, &bytes->len);
}

/* Room for the longest number that has a chance to fit. */
typedef struct NumberText
{
	char text[400];
} NumberText;

static bool
terminate(Slice json, NumberText *number)
{
	if (json.len == 0 || json.len >= sizeof number->text)
		return false;
	memcpy(number->text, json.data, json.len);
	number->text[json.len] = '\0';
	return *number->text == '-' || (*number->text >= '0' && *number->text <= '9');
}

bool
connect_read_int64(Slice json, int64_t *value)
{
	NumberText number;
	char *end;

	if (!terminate(json, &number))
		return false;
	errno = 0;
	*value = strtoll(number.text, &end, 10);
	return errno == 0 && *end == '\0';
}

bool
connect_read_double(Slice json, double *value)
{
	static const struct
	{
		const char *json;
		double value;
	} words[] = {
		{ "\"NaN\"", __builtin_nan("") },
		{ "\"Infinity\"", __builtin_inf() },
		{ "\"-Infinity\"", -__builtin_inf() },
	};
	NumberText number;
	char *end;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (slice_equal(json, slice_from(words[i].json)))
		{
			*value = words[i].value;
			return true;
		}
	if (!terminate(json, &number))
		return false;
	*value = strtod(number.text, &end);
	return *end == '\0';
}

bool
connect_read_boolean(Slice json, bool *value)
{
	*value = slice_equal(json, slice_from("true"));
	return *value || slice_equal(json, slice_from("false"));
}
