/*
 * header.c
 *		SimpleHeaderConverter: org.apache.kafka.connect.data.Values.convertToString().
 *
 * Inside structs, maps and arrays strings are quoted, with quotes and backslashes
 * escaped and nothing else.  java.util.Date values print as SimpleDateFormat does in UTC.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "connect/json.h"

#include "connect/decimal.h"
#include "connect/scan.h"
#include "envelope/calendar.h"

#define MS_PER_DAY INT64_C(86400000)

typedef struct Writer
{
	Arena *arena;
	Buf *buf;
	Err *err;
} Writer;

static bool write_value(const Writer *writer, const ConnectValue *value,
                        const ConnectSchema *schema, bool embedded);

static bool
fail_text(const Writer *writer)
{
	return fail(writer->err, ERR_DATA, "a header's value is not of its schema");
}

static void
write_text(const Writer *writer, Slice text, bool embedded)
{
	if (!embedded)
	{
		buf_slice(writer->buf, text);
		return;
	}
	buf_char(writer->buf, '"');
	for (size_t i = 0; i < text.len; i++)
	{
		if (text.data[i] == '"' || text.data[i] == '\\')
			buf_char(writer->buf, '\\');
		buf_char(writer->buf, text.data[i]);
	}
	buf_char(writer->buf, '"');
}

static bool
write_string(const Writer *writer, Slice json, bool embedded)
{
	Slice text;

	if (!scan_unescape(json, writer->arena, &text))
		return fail_text(writer);
	write_text(writer, text, embedded);
	return true;
}

static bool
write_member(const Writer *writer, Slice json, const ConnectSchema *schema)
{
	ConnectValue value = connect_value_json(json);

	return write_value(writer, &value, schema, true);
}

static bool
write_array(const Writer *writer, Slice json, const ConnectSchema *items)
{
	Scan scan = scan_over(json);
	bool first = true;
	bool more;
	Slice item;

	(void) scan_take(&scan, '[');
	for (char lead = '[';; lead = ',')
	{
		if (!scan_item(&scan, &first, &more))
			return fail_text(writer);
		if (!more)
		{
			buf_text(writer->buf, lead == '[' ? "[]" : "]");
			return true;
		}
		buf_char(writer->buf, lead);
		if (!scan_value(&scan, &item) || !write_member(writer, item, items))
			return fail_text(writer);
	}
}

/* A map with string keys, or an object without schema. */
static bool
write_map(const Writer *writer, Slice json, const ConnectSchema *values)
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
			return fail_text(writer);
		if (!more)
		{
			buf_text(writer->buf, lead == '{' ? "{}" : "}");
			return true;
		}
		buf_char(writer->buf, lead);
		if (!write_string(writer, name, true))
			return false;
		buf_char(writer->buf, ':');
		if (!scan_value(&scan, &value) || !write_member(writer, value, values))
			return fail_text(writer);
	}
}

static bool
write_struct(const Writer *writer, const ConnectValue *value, const ConnectSchema *schema)
{
	ConnectValue open = *value;

	if (!connect_value_open(&open, schema, writer->arena, writer->err))
		return false;
	buf_char(writer->buf, '{');
	for (size_t i = 0; i < schema->field_count; i++)
	{
		const ConnectField *field = &schema->fields[i];
		ConnectValue found = open.fields[i];

		if (found.form == CONNECT_IS_NULL)
			found = connect_value_default(field->schema);
		if (i > 0)
			buf_char(writer->buf, ',');
		write_text(writer, slice_from(field->name), true);
		buf_char(writer->buf, ':');
		if (!write_value(writer, &found, field->schema, true))
			return false;
	}
	buf_char(writer->buf, '}');
	return true;
}

/* ---- Logical types, which are Java objects there ---- */

typedef bool (*LogicalWriter)(const Writer *writer, Slice json,
                              const ConnectSchema *schema);

static bool
write_decimal(const Writer *writer, Slice json, const ConnectSchema *schema)
{
	Slice bytes;

	if (!connect_read_bytes(json, writer->arena, &bytes))
		return fail_text(writer);
	decimal_print(writer->buf, bytes, decimal_scale(schema));
	return true;
}

/* A time alone when it is before 1970-01-02, a date alone when it is midnight. */
static bool
write_date(const Writer *writer, int64_t ms)
{
	int64_t day = ms / MS_PER_DAY - (ms % MS_PER_DAY < 0);
	int64_t rest = ms - day * MS_PER_DAY;
	int64_t year;
	int month;
	int day_of_month;

	if (ms >= MS_PER_DAY)
	{
		date_split(day, &year, &month, &day_of_month);
		buf_printf(
			writer->buf, "%04lld-%02d-%02d", (long long) year, month, day_of_month);
		if (rest == 0)
			return true;
		buf_char(writer->buf, 'T');
	}
	buf_printf(writer->buf,
	           "%02d:%02d:%02d.%03dZ",
	           (int) (rest / 3600000),
	           (int) (rest / 60000 % 60),
	           (int) (rest / 1000 % 60),
	           (int) (rest % 1000));
	return true;
}

static bool
write_ms(const Writer *writer, Slice json, const ConnectSchema *schema)
{
	int64_t ms;

	(void) schema;
	return connect_read_int64(json, &ms) ? write_date(writer, ms) : fail_text(writer);
}

static bool
write_days(const Writer *writer, Slice json, const ConnectSchema *schema)
{
	int64_t days;

	(void) schema;
	return connect_read_int64(json, &days) ? write_date(writer, days * MS_PER_DAY)
	                                       : fail_text(writer);
}

static LogicalWriter
find_logical(const ConnectSchema *schema)
{
	static const struct
	{
		const char *name;
		LogicalWriter write;
	} writers[] = {
		{ "org.apache.kafka.connect.data.Date", write_days },
		{ "org.apache.kafka.connect.data.Decimal", write_decimal },
		{ "org.apache.kafka.connect.data.Time", write_ms },
		{ "org.apache.kafka.connect.data.Timestamp", write_ms },
	};

	if (schema->name == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof writers / sizeof *writers; i++)
		if (strcmp(writers[i].name, schema->name) == 0)
			return writers[i].write;
	return NULL;
}

/* ---- Values ---- */

static bool
write_json(const Writer *writer, Slice json, const ConnectSchema *schema, bool embedded)
{
	const ConnectSchema *items = schema == NULL ? NULL : schema->items;
	bool floating = schema != NULL &&
	                (schema->type == CONNECT_FLOAT32 || schema->type == CONNECT_FLOAT64);

	switch (json.data[0])
	{
		case '"':
			return write_string(writer, json, embedded && !floating);
		case '[':
			return write_array(writer, json, items);
		case '{':
			return write_map(writer, json, items);
		default:
			buf_slice(writer->buf, json);
			return true;
	}
}

static bool
write_value(const Writer *writer, const ConnectValue *value, const ConnectSchema *schema,
            bool embedded)
{
	LogicalWriter logical = schema == NULL ? NULL : find_logical(schema);

	if (value->form == CONNECT_IS_NULL)
	{
		buf_text(writer->buf, "null");
		return true;
	}
	if (logical != NULL)
		return logical(writer, value->json, schema);
	if (schema != NULL && schema->type == CONNECT_STRUCT)
		return write_struct(writer, value, schema);
	return write_json(writer, value->json, schema, embedded);
}

bool
connect_simple_header(const ConnectData *data, Arena *arena, Buf *buf, bool *present,
                      Err *err)
{
	const Writer writer = { arena, buf, err };

	*present = data->value.form != CONNECT_IS_NULL;
	return !*present || write_value(&writer, &data->value, data->schema, false);
}
