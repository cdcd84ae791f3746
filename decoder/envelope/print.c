/*
 * print.c
 *		values as PostgreSQL's output functions print them.
 *
 * One row of printers[] is one type.  Each printer is given a binary value and
 * room for PRINT_FIXED bytes; those that may need more reserve it themselves.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/calendar.h"
#include "envelope/number.h"
#include "envelope/value.h"

#define PRINT_FIXED CALENDAR_MAX_TEXT

typedef bool (*Printer)(Buf *buf, Slice bytes);

static void
advance(Buf *buf, const char *end)
{
	buf->len = (size_t) (end - buf->data);
}

static bool
print_bytes(Buf *buf, Slice bytes)
{
	buf_slice(buf, bytes);
	return true;
}

/* "char" is one byte, of which charout prints none for zero. */
static bool
print_char(Buf *buf, Slice bytes)
{
	if (bytes.len != 1 || bytes.data[0] != '\0')
		buf_slice(buf, bytes);
	return true;
}

/* jsonb_send puts a version byte before the text. */
static bool
print_json(Buf *buf, Slice bytes)
{
	if (bytes.len > 0 && bytes.data[0] == 1)
		bytes = (Slice){ bytes.data + 1, bytes.len - 1 };
	buf_slice(buf, bytes);
	return true;
}

static bool
print_bool(Buf *buf, Slice bytes)
{
	if (bytes.len != 1)
		return false;
	buf_char(buf, bytes.data[0] != 0 ? 't' : 'f');
	return true;
}

static bool
print_int2(Buf *buf, Slice bytes)
{
	int16_t value;

	if (!value_int16(bytes, &value))
		return false;
	advance(buf, number_put_i64(buf->data + buf->len, value));
	return true;
}

static bool
print_int4(Buf *buf, Slice bytes)
{
	int32_t value;

	if (!value_int32(bytes, &value))
		return false;
	advance(buf, number_put_i64(buf->data + buf->len, value));
	return true;
}

static bool
print_int8(Buf *buf, Slice bytes)
{
	int64_t value;

	if (!value_int64(bytes, &value))
		return false;
	advance(buf, number_put_i64(buf->data + buf->len, value));
	return true;
}

static bool
print_oid(Buf *buf, Slice bytes)
{
	int32_t value;

	if (!value_int32(bytes, &value))
		return false;
	advance(buf, number_put_u64(buf->data + buf->len, (uint32_t) value));
	return true;
}

static bool
print_float4(Buf *buf, Slice bytes)
{
	float value;

	if (!value_float4(bytes, &value))
		return false;
	advance(buf, number_put_pg_float(buf->data + buf->len, value));
	return true;
}

static bool
print_float8(Buf *buf, Slice bytes)
{
	double value;

	if (!value_float8(bytes, &value))
		return false;
	advance(buf, number_put_pg_double(buf->data + buf->len, value));
	return true;
}

static bool
print_numeric(Buf *buf, Slice bytes)
{
	Numeric value;

	if (!value_numeric(bytes, &value))
		return false;
	numeric_print(buf, &value);
	return true;
}

/* In hundredths, without currency or group separators, which depend on lc_monetary. */
static bool
print_money(Buf *buf, Slice bytes)
{
	int64_t value;
	uint64_t cents;
	char *at = buf->data + buf->len;

	if (!value_int64(bytes, &value))
		return false;
	cents = value < 0 ? 0 - (uint64_t) value : (uint64_t) value;
	if (value < 0)
		*at++ = '-';
	at = number_put_u64(at, cents / 100);
	*at++ = '.';
	advance(buf, number_put_pair(at, (unsigned) (cents % 100)));
	return true;
}

static bool
print_uuid(Buf *buf, Slice bytes)
{
	if (bytes.len != 16)
		return false;
	advance(buf, number_put_uuid(buf->data + buf->len, bytes.data));
	return true;
}

static bool
print_date(Buf *buf, Slice bytes)
{
	int32_t value;

	if (!value_int32(bytes, &value))
		return false;
	if (value == VALUE_DATE_INFINITY || value == VALUE_DATE_NEG_INFINITY)
		buf_text(buf, value < 0 ? "-infinity" : "infinity");
	else
		advance(buf,
		        calendar_put_pg_date(buf->data + buf->len,
		                             (int64_t) value + CALENDAR_EPOCH_DAYS));
	return true;
}

static bool
print_time(Buf *buf, Slice bytes)
{
	int64_t value;

	if (!value_int64(bytes, &value) || value < 0 || value > CALENDAR_DAY_US)
		return false;
	advance(buf, calendar_put_time(buf->data + buf->len, value, CALENDAR_TRIM));
	return true;
}

static bool
print_timetz(Buf *buf, Slice bytes)
{
	TimeTz value;

	if (!value_timetz(bytes, &value) || value.time_us < 0 ||
	    value.time_us > CALENDAR_DAY_US || value.zone_s == INT32_MIN)
		return false;
	advance(buf, calendar_put_pg_timetz(buf->data + buf->len, &value));
	return true;
}

static bool
print_any_timestamp(Buf *buf, Slice bytes, const char *zone)
{
	int64_t value;

	if (!value_int64(bytes, &value))
		return false;
	if (value == VALUE_TIMESTAMP_INFINITY || value == VALUE_TIMESTAMP_NEG_INFINITY)
		buf_text(buf, value < 0 ? "-infinity" : "infinity");
	else
		advance(buf, calendar_put_pg_timestamp(buf->data + buf->len, value, zone));
	return true;
}

static bool
print_timestamp(Buf *buf, Slice bytes)
{
	return print_any_timestamp(buf, bytes, "");
}

static bool
print_timestamptz(Buf *buf, Slice bytes)
{
	return print_any_timestamp(buf, bytes, "+00");
}

static bool
print_interval(Buf *buf, Slice bytes)
{
	Interval value;

	if (!value_interval(bytes, &value))
		return false;
	(void) buf_reserve(buf, 2 * PRINT_FIXED);
	advance(buf, calendar_put_pg_interval(buf->data + buf->len, &value));
	return true;
}

static bool
print_bytea(Buf *buf, Slice bytes)
{
	buf_append(buf, "\\x", 2);
	number_hex(buf, bytes);
	return true;
}

/* varbit_send: the number of bits, then the bits from the first byte's top down. */
static bool
print_bits(Buf *buf, Slice bytes)
{
	int32_t bits;
	char *at;

	if (bytes.len < 4 || !value_int32((Slice){ bytes.data, 4 }, &bits) || bits < 0 ||
	    bytes.len != 4 + ((size_t) bits + 7) / 8)
		return false;
	at = buf_reserve(buf, (size_t) bits);
	for (size_t i = 0; i < (size_t) bits; i++)
		at[i] = (char) ('0' + ((uint8_t) bytes.data[4 + i / 8] >> (7 - i % 8) & 1));
	buf->len += (size_t) bits;
	return true;
}

static const struct
{
	uint32_t oid;
	Printer print;
} printers[] = {
	{ TYPE_BOOL, print_bool },
	{ TYPE_BYTEA, print_bytea },
	{ TYPE_CHAR, print_char },
	{ TYPE_INT8, print_int8 },
	{ TYPE_INT2, print_int2 },
	{ TYPE_INT4, print_int4 },
	{ TYPE_OID, print_oid },
	{ TYPE_FLOAT4, print_float4 },
	{ TYPE_FLOAT8, print_float8 },
	{ TYPE_MONEY, print_money },
	{ TYPE_DATE, print_date },
	{ TYPE_TIME, print_time },
	{ TYPE_TIMESTAMP, print_timestamp },
	{ TYPE_TIMESTAMPTZ, print_timestamptz },
	{ TYPE_INTERVAL, print_interval },
	{ TYPE_TIMETZ, print_timetz },
	{ TYPE_BIT, print_bits },
	{ TYPE_VARBIT, print_bits },
	{ TYPE_NUMERIC, print_numeric },
	{ TYPE_UUID, print_uuid },
	{ TYPE_JSONB, print_json },
};

/* Text kinds, enums and what is text already are their bytes. */
static Printer
printer_of(uint32_t oid)
{
	for (size_t i = 0; i < sizeof printers / sizeof *printers; i++)
		if (printers[i].oid == oid)
			return printers[i].print;
	return print_bytes;
}

/* array_out quotes what its reader would take for something else. */
static bool
needs_quotes(Slice text)
{
	static const char special[] = "\"\\{}, \t\n\r\v\f";

	if (text.len == 0)
		return true;
	if (text.len == 4 && (text.data[0] | 32) == 'n' && (text.data[1] | 32) == 'u' &&
	    (text.data[2] | 32) == 'l' && (text.data[3] | 32) == 'l')
		return true;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] != '\0' && strchr(special, text.data[i]) != NULL)
			return true;
	return false;
}

/* Quote what was printed from start to the buffer's end. */
static void
quote_from(Buf *buf, size_t start)
{
	size_t len = buf->len - start;
	size_t escapes = 0;
	char *from;
	char *to;

	for (size_t i = start; i < buf->len; i++)
		escapes += buf->data[i] == '"' || buf->data[i] == '\\';
	(void) buf_reserve(buf, escapes + 2);
	from = buf->data + start + len;
	to = from + escapes + 2;
	buf->len += escapes + 2;
	*--to = '"';
	while (len-- > 0)
	{
		*--to = *--from;
		if (*to == '"' || *to == '\\')
			*--to = '\\';
	}
	*--to = '"';
}

static bool
print_element(Buf *buf, Printer print, const Value *element)
{
	size_t start = buf->len;

	if (element->kind == VALUE_NULL)
	{
		buf_text(buf, "NULL");
		return true;
	}
	(void) buf_reserve(buf, PRINT_FIXED);
	if (!print(buf, value_slice(*element)))
		return false;
	if (needs_quotes((Slice){ buf->data + start, buf->len - start }))
		quote_from(buf, start);
	return true;
}

/* "[2:3][1:2]=" when any lower bound is not 1.  bytes is the array's header, checked. */
static void
print_bounds(Buf *buf, Slice bytes, const ArrayReader *reader)
{
	bool plain = true;

	for (int32_t i = 0; i < reader->dimensions; i++)
		plain = plain && read_u32(bytes.data + 16 + i * 8) == 1;
	if (plain)
		return;
	for (int32_t i = 0; i < reader->dimensions; i++)
	{
		int32_t lower = (int32_t) read_u32(bytes.data + 16 + i * 8);

		buf_printf(buf, "[%d:%lld]", lower, (long long) lower + reader->lengths[i] - 1);
	}
	buf_char(buf, '=');
}

/* Braces open before the first element of each dimension and close after its last. */
static bool
print_array(Buf *buf, Printer print, Slice bytes)
{
	ArrayReader reader;
	Value element;

	if (!array_open(bytes, &reader))
		return false;
	if (reader.count == 0)
	{
		buf_text(buf, "{}");
		return !reader.rest.failed;
	}
	print_bounds(buf, bytes, &reader);
	for (int32_t i = 0; array_next(&reader, &element); i++)
	{
		int32_t run = 1;
		int opening = 0;

		for (int32_t d = reader.dimensions - 1; d >= 0; d--)
		{
			run *= reader.lengths[d];
			opening += i % run == 0;
		}
		if (i > 0)
		{
			for (int d = 0; d < opening; d++)
				buf_char(buf, '}');
			buf_char(buf, ',');
		}
		for (int d = 0; d < opening; d++)
			buf_char(buf, '{');
		if (!print_element(buf, print, &element))
			return false;
	}
	for (int32_t d = 0; d < reader.dimensions; d++)
		buf_char(buf, '}');
	return !reader.rest.failed;
}

bool
value_print(Buf *buf, const RelationColumn *column, Value value)
{
	Slice bytes = value_slice(value);

	if (value.kind == VALUE_TEXT)
		return print_bytes(buf, bytes);
	if (value.kind != VALUE_BINARY)
		return false;
	if (column->element_oid != 0)
		return print_array(buf, printer_of(column->element_oid), bytes);
	(void) buf_reserve(buf, PRINT_FIXED);
	return printer_of(column->base_oid)(buf, bytes);
}
