/*
 * encode_nested.c
 *		arrays, and types whose text has a structure: vectors, geometry, hstore.
 *
 * Arrays of types that travel as binary come in array_send's form, the others
 * as array_out's text.  Connect arrays have one dimension and no lower bound:
 * those of more dimensions give one null for each element of the first, as
 * Debezium does for numbers; with lossless they are PostgreSQL's text.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/encode.h"
#include "envelope/mask.h"

#include <ctype.h>
#include <stdlib.h>

/* Where an element must not be null, the whole is. */
static EncodeResult
put_nulls(Buf *buf, const ColumnCodec *codec, int64_t count)
{
	if (!codec->null_elements)
		return ENCODE_NULL;
	buf_char(buf, '[');
	for (int64_t i = 0; i < count; i++)
		buf_text(buf, i == 0 ? "null" : ",null");
	buf_char(buf, ']');
	return ENCODE_DONE;
}

/* Append a comma but for the first, and the element.  ENCODE_NULL: the array has none;
 * ENCODE_LOST: and by the user's wish its value has none either. */
static EncodeResult
put_element(Buf *buf, const ColumnCodec *codec, const Value *element, bool first)
{
	EncodeResult result = ENCODE_NULL;

	if (!first)
		buf_char(buf, ',');
	(void) buf_reserve(buf, ENCODE_ROOM);
	if (element->kind != VALUE_NULL)
		result = codec->encode_element(buf, codec, value_slice(*element));
	if (result == ENCODE_LOST && !codec->strict)
		result = ENCODE_NULL;
	if (result != ENCODE_NULL || !codec->null_elements)
		return result;
	buf_append(buf, "null", 4);
	return ENCODE_DONE;
}

EncodeResult
encode_array(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	size_t start = buf->len;
	ArrayReader reader;
	Value element;

	if (!array_open(bytes, &reader))
		return ENCODE_MALFORMED;
	if (codec->lossless && reader.dimensions > 0 &&
	    (reader.dimensions > 1 || reader.lower_bound != 1))
	{
		ColumnCodec whole = *codec;

		whole.in_array = false;
		return encode_printed(buf, &whole, bytes);
	}
	if (reader.dimensions > 1)
		return put_nulls(buf, codec, reader.lengths[0]);
	buf_char(buf, '[');
	while (array_next(&reader, &element))
	{
		EncodeResult result = put_element(buf, codec, &element, reader.read == 1);

		if (result != ENCODE_DONE)
		{
			buf->len = start;
			return result;
		}
	}
	buf_char(buf, ']');
	return reader.rest.failed ? ENCODE_MALFORMED : ENCODE_DONE;
}

/* A position in the text of array_out. */
typedef struct ArrayText
{
	const char *at;
	const char *end;
	char delimiter;
} ArrayText;

/*
 * Read one element, without its quotes and backslashes, into to, which has room
 * for the rest of the text.  False when the text is malformed.
 */
static bool
read_element(ArrayText *text, char *to, Value *element)
{
	char *start = to;
	bool quoted = text->at < text->end && *text->at == '"';

	text->at += quoted;
	while (text->at < text->end &&
	       (quoted ? *text->at != '"' : *text->at != text->delimiter && *text->at != '}'))
	{
		if (*text->at == '\\' && ++text->at == text->end)
			return false;
		*to++ = *text->at++;
	}
	if (text->at == text->end)
		return false;
	text->at += quoted;
	*element = (Value){ VALUE_TEXT, (uint32_t) (to - start), start };
	if (!quoted && to - start == 4 && memcmp(start, "NULL", 4) == 0)
		*element = (Value){ VALUE_NULL, 0, NULL };
	return true;
}

/* The elements of the first of several dimensions: those at depth one. */
static EncodeResult
put_nested_nulls(Buf *buf, const ColumnCodec *codec, ArrayText text)
{
	int64_t count = 0;
	int depth = 0;
	bool quoted = false;

	for (; text.at < text.end; text.at++)
	{
		if (*text.at == '\\')
			text.at++;
		else if (*text.at == '"')
			quoted = !quoted;
		else if (!quoted && *text.at == '{')
			count += ++depth == 1;
		else if (!quoted && *text.at == '}')
			depth--;
	}
	return put_nulls(buf, codec, count);
}

EncodeResult
encode_array_text(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	ArrayText text = { bytes.data, bytes.data + bytes.len, codec->delimiter };
	size_t start = buf->len;
	/* an element may take this much: hstore escapes twice */
	size_t room = bytes.len * 14 + ENCODE_ROOM;

	if (text.at < text.end && *text.at == '[')
	{
		if (codec->lossless)
			return encode_text(buf, codec, bytes);
		text.at = memchr(text.at, '=', bytes.len);
		text.at = text.at == NULL ? text.end : text.at + 1;
	}
	if (text.at == text.end || *text.at++ != '{')
		return ENCODE_MALFORMED;
	if (text.at < text.end && *text.at == '{')
		return codec->lossless ? encode_text(buf, codec, bytes)
		                       : put_nested_nulls(buf, codec, text);
	buf_char(buf, '[');
	while (text.at < text.end && *text.at != '}')
	{
		EncodeResult result = ENCODE_MALFORMED;
		Value element;
		char *scratch;

		/* the element is unescaped behind room enough for its JSON */
		(void) buf_reserve(buf, room + bytes.len);
		scratch = buf->data + buf->len + room;
		if (read_element(&text, scratch, &element))
			result = put_element(buf, codec, &element, buf->len == start + 1);
		if (result != ENCODE_DONE)
		{
			buf->len = start;
			return result;
		}
		if (text.at < text.end && *text.at == text.delimiter)
			text.at++;
	}
	buf_char(buf, ']');
	return text.at + 1 == text.end ? ENCODE_DONE : ENCODE_MALFORMED;
}

/* int2vector and oidvector: Debezium has the type, and no element of it. */
EncodeResult
encode_vector(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	if (codec->lossless)
		return encode_text(buf, codec, bytes);
	if (bytes.len == 0)
		return ENCODE_NULL;
	buf_append(buf, "[]", 2);
	return ENCODE_DONE;
}

/* Copy a short text and read the double it starts with; returns where that ended. */
const char *
encode_read_double(const char *at, const char *end, double *value)
{
	char text[64];
	char *rest;
	size_t len =
		(size_t) (end - at) < sizeof text ? (size_t) (end - at) : sizeof text - 1;

	memcpy(text, at, len);
	text[len] = '\0';
	*value = strtod(text, &rest);
	return at + (rest - text);
}

void
encode_put_double(Buf *buf, double value)
{
	char bytes[8];
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	bits = __builtin_bswap64(bits);
	memcpy(bytes, &bits, sizeof bytes);
	(void) buf_reserve(buf, ENCODE_ROOM);
	(void) encode_float8(buf, NULL, (Slice){ bytes, sizeof bytes });
}

/* "(x,y)" as a struct with its WKB: byte order 1, type 1, x, y. */
EncodeResult
encode_point(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	const char *end = bytes.data + bytes.len;
	const char *at = bytes.data;
	char wkb[21] = { 1, 1, 0, 0, 0 };
	double x;
	double y;

	if (bytes.len < 5 || *at != '(')
		return ENCODE_MALFORMED;
	at = encode_read_double(at + 1, end, &x);
	if (at >= end || *at != ',')
		return ENCODE_MALFORMED;
	at = encode_read_double(at + 1, end, &y);
	if (at + 1 != end || *at != ')')
		return ENCODE_MALFORMED;
	memcpy(wkb + 5, &x, sizeof x);
	memcpy(wkb + 13, &y, sizeof y);
	buf_text(buf, "{\"x\":");
	encode_put_double(buf, x);
	buf_text(buf, ",\"y\":");
	encode_put_double(buf, y);
	buf_text(buf, ",\"wkb\":");
	(void) encode_base64(buf, codec, (Slice){ wkb, sizeof wkb });
	buf_text(buf, ",\"srid\":null}");
	return ENCODE_DONE;
}

/* The bytes of a geometric type's text with its numbers as Java prints them. */
EncodeResult
encode_geometric(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	const char *end = bytes.data + bytes.len;
	size_t start = buf->len;
	size_t middle;
	Slice text;

	for (const char *at = bytes.data; at < end;)
	{
		double value;

		if (strchr("()[]{}<>, ", *at) != NULL)
		{
			buf_char(buf, *at++);
			continue;
		}
		if (encode_read_double(at, end, &value) == at)
			return ENCODE_MALFORMED;
		at = encode_read_double(at, end, &value);
		(void) buf_reserve(buf, NUMBER_MAX_DOUBLE);
		buf->len =
			(size_t) (number_put_java_double(buf->data + buf->len, value) - buf->data);
	}
	middle = buf->len;
	(void) buf_reserve(buf, (middle - start) * 2 + ENCODE_ROOM);
	text = (Slice){ buf->data + start, middle - start };
	if (codec->mask_bytes && text.len > codec->mask->rule->length)
		text.len = codec->mask->rule->length;
	(void) codec->encode_printed(buf, codec, text);
	encode_fold(buf, start, middle);
	return ENCODE_DONE;
}

/* ---- hstore: its pairs as a JSON object, inside a JSON string ---- */

#define HSTORE_SORTED 256 /* beyond this many pairs they stay in hstore's order */

typedef struct HstorePair
{
	Slice key; /* inside the quotes, still with backslashes */
	Slice value;
	bool null;
	uint32_t hash;
} HstorePair;

/* What is between quotes; at is left behind them. */
static bool
hstore_string(const char **at, const char *end, Slice *string)
{
	if (*at == end || *(*at)++ != '"')
		return false;
	string->data = *at;
	while (*at < end && **at != '"')
		*at += **at == '\\' ? 2 : 1;
	if (*at >= end)
		return false;
	string->len = (size_t) (*at - string->data);
	(*at)++;
	return true;
}

/* Java's String.hashCode over UTF-16, spread as HashMap spreads it. */
static uint32_t
java_hash(Slice text)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < text.len; i++)
	{
		uint8_t c = (uint8_t) text.data[i];
		uint32_t point = c;
		int more = c < 0xC0 ? 0 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;

		if (c == '\\' && i + 1 < text.len)
			point = (uint8_t) text.data[++i];
		if (more > 0)
			point = c & (0x3FU >> more);
		for (; more > 0 && i + 1 < text.len; more--)
			point = point << 6 | ((uint8_t) text.data[++i] & 0x3FU);
		if (point >= 0x10000)
		{
			hash = hash * 31 + (0xD800 + ((point - 0x10000) >> 10));
			point = 0xDC00 + ((point - 0x10000) & 0x3FF);
		}
		hash = hash * 31 + point;
	}
	return hash ^ hash >> 16;
}

/* One pair; at is left behind it and its comma. */
static bool
hstore_pair(const char **at, const char *end, HstorePair *pair)
{
	if (!hstore_string(at, end, &pair->key) || end - *at < 3 || memcmp(*at, "=>", 2) != 0)
		return false;
	*at += 2;
	pair->null = end - *at >= 4 && memcmp(*at, "NULL", 4) == 0;
	if (pair->null)
		*at += 4;
	else if (!hstore_string(at, end, &pair->value))
		return false;
	while (*at < end && (**at == ',' || **at == ' '))
		(*at)++;
	return true;
}

/* Writes a JSON string: one of bytes, or inside a string. */
typedef void (*StringWriter)(Buf *buf, Slice text);

static void
put_hstore_string(Buf *buf, Slice string, StringWriter write)
{
	size_t start = buf->len;
	size_t middle;

	for (size_t i = 0; i < string.len; i++)
	{
		if (string.data[i] == '\\' && i + 1 < string.len)
			i++;
		buf_char(buf, string.data[i]);
	}
	middle = buf->len;
	(void) buf_reserve(buf, (middle - start) * 6 + ENCODE_ROOM);
	write(buf, (Slice){ buf->data + start, middle - start });
	encode_fold(buf, start, middle);
}

static void
put_hstore_pair(Buf *buf, const HstorePair *pair, bool first, StringWriter write)
{
	if (!first)
		buf_char(buf, ',');
	put_hstore_string(buf, pair->key, write);
	buf_char(buf, ':');
	if (pair->null)
		buf_text(buf, "null");
	else
		put_hstore_string(buf, pair->value, write);
}

/* In the order of a java.util.HashMap: by bucket, then by arrival. */
static void
put_hstore_sorted(Buf *buf, const HstorePair *pairs, size_t count, StringWriter write)
{
	uint32_t buckets = 16;
	bool first = true;

	while (count > buckets / 4 * 3)
		buckets *= 2;
	for (uint32_t bucket = 0; bucket < buckets; bucket++)
		for (size_t i = 0; i < count; i++)
			if ((pairs[i].hash & (buckets - 1)) == bucket)
			{
				put_hstore_pair(buf, &pairs[i], first, write);
				first = false;
			}
}

/* The pairs as an object. */
static EncodeResult
put_hstore(Buf *buf, Slice bytes, StringWriter write)
{
	HstorePair pairs[HSTORE_SORTED];
	const char *end = bytes.data + bytes.len;
	const char *at = bytes.data;
	size_t count = 0;

	/* nothing below may move the buffer: bytes may be inside its room */
	(void) buf_reserve(buf, bytes.len * 13 + ENCODE_ROOM);
	buf_char(buf, '{');
	while (at < end && count < HSTORE_SORTED)
	{
		if (!hstore_pair(&at, end, &pairs[count]))
			return ENCODE_MALFORMED;
		pairs[count].hash = java_hash(pairs[count].key);
		count++;
	}
	if (at == end)
		put_hstore_sorted(buf, pairs, count, write);
	else
		for (at = bytes.data, count = 0; at < end; count++)
		{
			if (!hstore_pair(&at, end, &pairs[0]))
				return ENCODE_MALFORMED;
			put_hstore_pair(buf, &pairs[0], count == 0, write);
		}
	buf_char(buf, '}');
	return ENCODE_DONE;
}

EncodeResult
encode_hstore_map(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	(void) codec;
	return put_hstore(buf, bytes, json_string);
}

/* Debezium writes the object to a Java String first. */
EncodeResult
encode_hstore(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	size_t start = buf->len;
	size_t middle;
	EncodeResult result = put_hstore(buf, bytes, json_string_raw);

	if (result != ENCODE_DONE)
		return result;
	middle = buf->len;
	(void) buf_reserve(buf, (middle - start) * 6 + ENCODE_ROOM);
	(void) encode_text(buf, codec, (Slice){ buf->data + start, middle - start });
	encode_fold(buf, start, middle);
	return ENCODE_DONE;
}
