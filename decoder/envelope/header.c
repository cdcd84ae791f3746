/*
 * header.c
 *		a key as the text of a header.
 *
 * Rows whose key changes are few: nothing here is prepared in the plan.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/header.h"

#include "envelope/calendar.h"

#include <ctype.h>
#include <stdlib.h>

#define DAY_MS (CALENDAR_DAY_US / 1000)

/* BigDecimal.toString(): the plain digits at start, unless they are very small. */
static void
shorten_decimal(Buf *buf, size_t start)
{
	const char *end = buf->data + buf->len;
	char *digits = buf->data + start + (buf->data[start] == '-');
	char *point = memchr(digits, '.', (size_t) (end - digits));
	char *first = digits;
	size_t len;
	long exponent;

	if (point == NULL)
		return;
	while (first < end - 1 && (*first == '0' || *first == '.'))
		first++;
	if (first < point)
		return;
	exponent = (long) (point - first);
	if (exponent >= -6)
		return;
	/* 0.0000001200 is 1.200E-7, and zero 0E-10 */
	len = (size_t) (end - first);
	memmove(digits, first, 1);
	if (len > 1)
	{
		memmove(digits + 2, first + 1, len - 1);
		digits[1] = '.';
	}
	buf->len = (size_t) (digits - buf->data) + (len > 1 ? len + 1 : 1);
	buf_text(buf, "E");
	buf_int64(buf, exponent);
}

/* "12.50" as encode_numeric_string() and encode_printed() write it, without the quotes.
 */
static void
put_decimal(Buf *buf, const ColumnCodec *codec, Slice bytes, ValueEncoder encode)
{
	size_t start = buf->len;

	(void) encode(buf, codec, bytes);
	if (buf->len < start + 2)
		return;
	buf->len -= 2;
	memmove(buf->data + start, buf->data + start + 1, buf->len - start);
	shorten_decimal(buf, start);
}

/* java.util.Date by Values.dateFormatFor(): the time alone within the first day and
 * before, the date alone at midnight. */
static void
put_date(Buf *buf, int64_t ms)
{
	char *at = buf_reserve(buf, ENCODE_ROOM);
	int64_t day;
	int64_t time_us;

	calendar_split_us(ms * 1000, &day, &time_us);
	if (ms >= DAY_MS)
		at = calendar_put_iso_date(at, day);
	if (ms >= DAY_MS && time_us != 0)
		*at++ = 'T';
	if (ms < DAY_MS || time_us != 0)
	{
		at = calendar_put_time(at, time_us, 3);
		*at++ = 'Z';
	}
	buf->len = (size_t) (at - buf->data);
}

/* Print what is at start as a Date, Time or Timestamp of Connect, if it is one. */
static void
convert_date(Buf *buf, const char *name, size_t start)
{
	int64_t number;

	if (name == NULL || strncmp(name, "org.apache.kafka.connect.data.", 30) != 0 ||
	    strcmp(name + 30, "Decimal") == 0 ||
	    (buf->data[start] != '-' && !isdigit((unsigned char) buf->data[start])))
		return;
	buf_char(buf, '\0');
	number = strtoll(buf->data + start, NULL, 10);
	buf->len = start;
	put_date(buf, strcmp(name + 30, "Date") == 0 ? number * DAY_MS : number);
}

/* What the old key lacks. */
static void
put_missing(Buf *buf, const ColumnPlan *column)
{
	static const char zero[8]; /* numeric_send's */
	size_t start = buf->len;

	if (column->codec.encode == encode_decimal &&
	    slice_equal(column->null_json, slice_from("\"AA==\"")))
	{
		put_decimal(
			buf, &column->codec, (Slice){ zero, sizeof zero }, encode_numeric_string);
		return;
	}
	buf_slice(buf, column->null_json);
	convert_date(buf, column->type.form.name, start);
}

/* NaN and the infinities, which JSON has to quote. */
static void
unquote_number(Buf *buf, const TypeForm *form, size_t start)
{
	if (buf->data[start] != '"' || strcmp(form->type, "string") == 0 ||
	    strcmp(form->type, "bytes") == 0)
		return;
	buf->len -= 2;
	memmove(buf->data + start, buf->data + start + 1, buf->len - start);
}

/* What an array's codec is for a header: its inner encodes an element for JSON. */
typedef struct ArrayCodec
{
	ColumnCodec codec; /* first */
	const TypeForm *form;
} ArrayCodec;

static EncodeResult
encode_header_element(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	const TypeForm *form = ((const ArrayCodec *) codec)->form;
	size_t start = buf->len;
	EncodeResult result = codec->inner(buf, codec, bytes);

	if (result != ENCODE_DONE)
		return result;
	if (codec->inner == encode_decimal)
	{
		buf->len = start;
		put_decimal(buf, codec, bytes, encode_numeric_string);
		return ENCODE_DONE;
	}
	unquote_number(buf, form, start);
	convert_date(buf, form->name, start);
	return ENCODE_DONE;
}

static EncodeResult
put_array(Buf *buf, const ColumnPlan *column, Slice bytes)
{
	ArrayCodec array = { .codec = column->codec, .form = &column->type.form };

	array.codec.inner = column->codec.encode_element;
	array.codec.encode_element = encode_header_element;
	return array.codec.encode(buf, &array.codec, bytes);
}

static void
put_encoded(Buf *buf, const ColumnPlan *column, Slice bytes)
{
	const ColumnCodec *codec = &column->codec;
	size_t start = buf->len;
	bool is_array = codec->encode == encode_array || codec->encode == encode_array_text;

	if (codec->encode == encode_decimal)
	{
		put_decimal(buf, codec, bytes, encode_numeric_string);
		return;
	}
	if (codec->encode == encode_money_decimal)
	{
		put_decimal(buf, codec, bytes, encode_printed);
		return;
	}
	if ((is_array ? put_array(buf, column, bytes) : codec->encode(buf, codec, bytes)) !=
	    ENCODE_DONE)
	{
		buf->len = start;
		put_missing(buf, column);
		return;
	}
	if (is_array)
		return;
	unquote_number(buf, &column->type.form, start);
	convert_date(buf, column->type.form.name, start);
}

/* The code unit of \uXXXX at text, which json_string() wrote. */
static unsigned
read_unit(const char *text)
{
	char digits[5] = { text[2], text[3], text[4], text[5], '\0' };

	return (unsigned) strtoul(digits, NULL, 16);
}

static char *
put_utf8(char *to, unsigned point)
{
	if (point < 0x80)
		*to++ = (char) point;
	else if (point < 0x10000)
	{
		if (point < 0x800)
			*to++ = (char) (0xC0 | point >> 6);
		else
		{
			*to++ = (char) (0xE0 | point >> 12);
			*to++ = (char) (0x80 | (point >> 6 & 0x3F));
		}
		*to++ = (char) (0x80 | (point & 0x3F));
	}
	else
	{
		*to++ = (char) (0xF0 | point >> 18);
		*to++ = (char) (0x80 | (point >> 12 & 0x3F));
		*to++ = (char) (0x80 | (point >> 6 & 0x3F));
		*to++ = (char) (0x80 | (point & 0x3F));
	}
	return to;
}

/* Undo JSON's escapes but for quotes and backslashes. */
static void
unescape(Buf *buf, size_t start)
{
	static const char letters[] = "bfnrt";
	static const char meant[] = "\b\f\n\r\t";
	const char *from = buf->data + start;
	const char *end = buf->data + buf->len;
	char *to = buf->data + start;

	while (from < end)
	{
		const char *letter;

		if (*from != '\\')
			*to++ = *from++;
		else if (from[1] == 'u')
		{
			unsigned point = read_unit(from);

			from += 6;
			if (point >= 0xD800 && point < 0xDC00)
			{
				point = 0x10000 + ((point - 0xD800) << 10) + (read_unit(from) - 0xDC00);
				from += 6;
			}
			to = put_utf8(to, point);
		}
		else if ((letter = strchr(letters, from[1])) != NULL)
		{
			*to++ = meant[letter - letters];
			from += 2;
		}
		else
		{
			*to++ = *from++;
			*to++ = *from++;
		}
	}
	buf->len = (size_t) (to - buf->data);
}

void
header_put_key(Buf *buf, const RenderPlan *plan, const Value *values)
{
	size_t start = buf->len;

	for (uint16_t i = 0; i < plan->key_count; i++)
	{
		const ColumnPlan *column = &plan->key[i].column;
		Value value = values[plan->key[i].index];

		buf_slice(buf, column->lead);
		(void) buf_reserve(buf, ENCODE_ROOM);
		if (value.kind == VALUE_NULL)
			put_missing(buf, column);
		else if (value.kind == VALUE_UNCHANGED)
			buf_slice(buf, column->unchanged_json);
		else
			put_encoded(buf, column, value_slice(value));
	}
	if (buf->len == start)
		buf_char(buf, '{');
	buf->data[start] = '{';
	buf_char(buf, '}');
	unescape(buf, start);
}
