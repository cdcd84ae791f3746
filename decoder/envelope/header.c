/*
 * header.c
 *		JSON to the text of headers.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/header.h"

#include "envelope/calendar.h"
#include "envelope/decimal.h"
#include "envelope/number.h"
#include "envelope/scan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define DAY_MS   (CALENDAR_DAY_US / 1000)
#define MAX_DAYS (INT64_MAX / CALENDAR_DAY_US)

static bool put_value(Buf *buf, Slice json, const HeaderType *type, bool embedded);

static bool
is_null(Slice json)
{
	return slice_equal(json, slice_from("null"));
}

HeaderForm
header_form(const char *type, const char *name)
{
	static const struct
	{
		const char *name;
		HeaderForm form;
	} names[] = {
		{ "org.apache.kafka.connect.data.Date", HEADER_OF_DAYS },
		{ "org.apache.kafka.connect.data.Decimal", HEADER_OF_DECIMAL },
		{ "org.apache.kafka.connect.data.Time", HEADER_OF_MS },
		{ "org.apache.kafka.connect.data.Timestamp", HEADER_OF_MS },
	};
	static const struct
	{
		const char *type;
		HeaderForm form;
	} types[] = {
		{ "float", HEADER_OF_FLOAT },
		{ "double", HEADER_OF_FLOAT },
		{ "struct", HEADER_OF_STRUCT },
	};

	for (size_t i = 0; name != NULL && i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].form;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(types[i].type, type) == 0)
			return types[i].form;
	return HEADER_OF_JSON;
}

/* ---- Leaves ---- */

static bool
put_string(Buf *buf, Slice json, bool quoted)
{
	Slice inner;
	const char *end;
	char *to;

	if (!scan_strip_quotes(json, &inner))
		return false;
	to = buf_reserve(buf, json.len);
	if (quoted)
		*to++ = '"';
	end = inner.data + inner.len;
	for (const char *at = inner.data; at < end;)
	{
		char *start = to;

		if (*at != '\\')
		{
			*to++ = *at++;
			continue;
		}
		at = scan_unescape(at + 1, end, &to);
		if (at == NULL)
			return false;
		if (quoted && (*start == '"' || *start == '\\'))
		{
			*to++ = *start;
			*start = '\\';
		}
	}
	if (quoted)
		*to++ = '"';
	buf->len = (size_t) (to - buf->data);
	return true;
}

static bool
put_decimal(Buf *buf, Slice json, int scale)
{
	Slice text;

	return scan_strip_quotes(json, &text) && decimal_print(buf, text, scale);
}

static bool
read_integer(Slice json, int64_t *value)
{
	char text[NUMBER_MAX_INT64 + 1];
	char *end;

	if (json.len == 0 || json.len >= sizeof text)
		return false;
	memcpy(text, json.data, json.len);
	text[json.len] = '\0';
	errno = 0;
	*value = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0';
}

/* java.util.Date by Values.dateFormatFor(): the time alone within the first day and
 * before, the date alone at midnight. */
static bool
put_date(Buf *buf, Slice json, int64_t unit_ms)
{
	int64_t value;
	int64_t day;
	int64_t time_us;
	int64_t year;
	int month;
	int day_of_month;
	char *at;

	if (!read_integer(json, &value) || value / (DAY_MS / unit_ms) > MAX_DAYS ||
	    value / (DAY_MS / unit_ms) < -MAX_DAYS)
		return false;
	calendar_split_us(value * unit_ms * 1000, &day, &time_us);
	if (day > 0)
	{
		date_split(day, &year, &month, &day_of_month);
		buf_printf(buf, "%04" PRId64 "-%02d-%02d", year, month, day_of_month);
		if (time_us == 0)
			return true;
		buf_char(buf, 'T');
	}
	at = buf_reserve(buf, CALENDAR_MAX_TEXT);
	at = calendar_put_time(at, time_us, 3);
	*at++ = 'Z';
	buf->len = (size_t) (at - buf->data);
	return true;
}

/* ---- What holds others ---- */

static const HeaderType *
items_of(const HeaderType *type)
{
	return type == NULL ? NULL : type->items;
}

static bool
put_array(Buf *buf, Slice json, const HeaderType *items)
{
	Scan scan = scan_over(json);
	bool first = true;
	bool more;
	Slice item;

	(void) scan_take(&scan, '[');
	for (char lead = '[';; lead = ',')
	{
		if (!scan_item(&scan, &first, &more))
			return false;
		if (!more)
		{
			buf_text(buf, lead == '[' ? "[]" : "]");
			return true;
		}
		buf_char(buf, lead);
		if (!scan_value(&scan, &item) || !put_value(buf, item, items, true))
			return false;
	}
}

/* A map with string keys, or an object without schema. */
static bool
put_map(Buf *buf, Slice json, const HeaderType *items)
{
	Scan scan = scan_over(json);
	bool first = true;
	bool more;
	Slice name;
	Slice value;

	(void) scan_take(&scan, '{');
	for (char lead = '{';; lead = ',')
	{
		if (!scan_member(&scan, &first, &name, &more))
			return false;
		if (!more)
		{
			buf_text(buf, lead == '{' ? "{}" : "}");
			return true;
		}
		buf_char(buf, lead);
		if (!put_string(buf, name, true))
			return false;
		buf_char(buf, ':');
		if (!scan_value(&scan, &value) || !put_value(buf, value, items, true))
			return false;
	}
}

/* Fields that the object lacks are null. */
static bool
put_struct(Buf *buf, Slice json, const HeaderType *type)
{
	Scan scan = scan_over(json);
	bool first = true;
	bool more;
	Slice name;

	if (!scan_take(&scan, '{') || !scan_member(&scan, &first, &name, &more))
		return false;
	buf_char(buf, '{');
	for (size_t i = 0; i < type->field_count; i++)
	{
		const HeaderField *field = &type->fields[i];
		Slice value = slice_from("null");

		if (more && slice_equal(name, field->name) &&
		    (!scan_value(&scan, &value) || !scan_member(&scan, &first, &name, &more)))
			return false;
		if (is_null(value) && field->default_json.len > 0)
			value = field->default_json;
		if (i > 0)
			buf_char(buf, ',');
		if (!put_string(buf, field->name, true))
			return false;
		buf_char(buf, ':');
		if (!put_value(buf, value, field->type, true))
			return false;
	}
	buf_char(buf, '}');
	return !more;
}

static bool
put_json(Buf *buf, Slice json, const HeaderType *items, bool quoted)
{
	if (json.len == 0)
		return false;
	switch (*json.data)
	{
		case '"':
			return put_string(buf, json, quoted);
		case '[':
			return put_array(buf, json, items);
		case '{':
			return put_map(buf, json, items);
		default:
			buf_slice(buf, json);
			return true;
	}
}

static bool
put_value(Buf *buf, Slice json, const HeaderType *type, bool embedded)
{
	HeaderForm form = type == NULL || is_null(json) ? HEADER_OF_JSON : type->form;

	switch (form)
	{
		case HEADER_OF_DECIMAL:
			return put_decimal(buf, json, type->scale);
		case HEADER_OF_DAYS:
			return put_date(buf, json, DAY_MS);
		case HEADER_OF_MS:
			return put_date(buf, json, 1);
		case HEADER_OF_STRUCT:
			return put_struct(buf, json, type);
		case HEADER_OF_FLOAT:
		case HEADER_OF_JSON:
			break;
	}
	return put_json(buf, json, items_of(type), embedded && form != HEADER_OF_FLOAT);
}

bool
header_put(Buf *buf, Slice json, const HeaderType *type)
{
	return put_value(buf, json, type, false);
}
