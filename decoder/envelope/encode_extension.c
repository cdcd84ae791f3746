/*
 * encode_extension.c
 *		types of PostGIS and pgvector, which travel as their text.
 *
 * geometry and geography are EWKB in hexadecimal digits.  vector and halfvec are
 * "[1,2.5]", sparsevec is "{1:1,9:2.5}/dimensions"; Debezium puts its elements into a
 * java.util.HashMap, whose order shows.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/encode.h"

#include <stdlib.h>

#define EWKB_SRID     0x20000000U
#define EWKB_BYTES    9 /* the least: byte order, type, one count */
#define DIMENSION_MAX INT16_MAX

/* ---- PostGIS ---- */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char) (c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The 32 bits at at, in the byte order that WKB starts with. */
static uint32_t
wkb_u32(const char *wkb, size_t at)
{
	uint32_t value = read_u32(wkb + at);

	return wkb[0] != 0 ? __builtin_bswap32(value) : value;
}

/* What is no EWKB has no value, as in Debezium. */
EncodeResult
encode_geometry(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	size_t start = buf->len;
	size_t length = bytes.len / 2;
	size_t middle;
	const char *wkb;
	bool has_srid;

	if (bytes.len % 2 != 0 || length < EWKB_BYTES)
		return ENCODE_NULL;
	(void) buf_reserve(buf, length * 3 + ENCODE_ROOM);
	for (size_t i = 0; i < length; i++)
	{
		int high = hex_digit(bytes.data[i * 2]);
		int low = hex_digit(bytes.data[i * 2 + 1]);

		if (high < 0 || low < 0)
		{
			buf->len = start;
			return ENCODE_NULL;
		}
		buf_u8(buf, (uint8_t) (high << 4 | low));
	}
	middle = buf->len;
	wkb = buf->data + start; /* does not move: there is room */
	has_srid = (wkb_u32(wkb, 1) & EWKB_SRID) != 0;
	buf_text(buf, "{\"wkb\":");
	(void) encode_base64(buf, codec, (Slice){ wkb, length });
	buf_text(buf, ",\"srid\":");
	if (has_srid)
		buf_int64(buf, (int32_t) wkb_u32(wkb, 5));
	else
		buf_text(buf, "null");
	buf_char(buf, '}');
	encode_fold(buf, start, middle);
	return ENCODE_DONE;
}

/* ---- pgvector ---- */

static void
put_json_float(Buf *buf, double value)
{
	char bytes[4];
	float narrow = (float) value;
	uint32_t bits;

	memcpy(&bits, &narrow, sizeof bits);
	bits = __builtin_bswap32(bits);
	memcpy(bytes, &bits, sizeof bytes);
	(void) buf_reserve(buf, ENCODE_ROOM);
	(void) encode_float4(buf, NULL, (Slice){ bytes, sizeof bytes });
}

static EncodeResult
put_dense(Buf *buf, Slice bytes, void (*put)(Buf *, double))
{
	const char *end = bytes.data + bytes.len;
	const char *at = bytes.data;
	size_t start = buf->len;

	if (bytes.len < 3 || *at != '[')
		return ENCODE_NULL;
	do
	{
		const char *from = at + 1;
		double value;

		at = encode_read_double(from, end, &value);
		if (at == from || at == end)
		{
			buf->len = start;
			return ENCODE_NULL;
		}
		buf_char(buf, buf->len == start ? '[' : ',');
		put(buf, value);
	} while (*at == ',');
	buf_char(buf, ']');
	return *at == ']' && at + 1 == end ? ENCODE_DONE : ENCODE_MALFORMED;
}

EncodeResult
encode_double_vector(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	(void) codec;
	return put_dense(buf, bytes, encode_put_double);
}

EncodeResult
encode_float_vector(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	(void) codec;
	return put_dense(buf, bytes, put_json_float);
}

/* An element of a sparse vector, and where a HashMap has it. */
typedef struct SparseElement
{
	double value;
	uint32_t order; /* bucket, then arrival: indexes come sorted */
	int32_t index;
} SparseElement;

static int
compare_elements(const void *left, const void *right)
{
	const SparseElement *a = left;
	const SparseElement *b = right;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* A number from 0 to DIMENSION_MAX at *at, which moves on. */
static bool
read_index(const char **at, const char *end, int32_t *index)
{
	const char *start = *at;

	*index = 0;
	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++)
	{
		*index = *index * 10 + (**at - '0');
		if (*index > DIMENSION_MAX)
			return false;
	}
	return *at > start;
}

/* Append the elements of "1:1,9:2.5}" as SparseElements to buf. */
static bool
read_elements(Buf *buf, const char **at, const char *end, size_t *count)
{
	*count = 0;
	while (*at < end && **at != '}')
	{
		SparseElement element = { .order = 0 };
		const char *from;

		if (*count > 0 && *(*at)++ != ',')
			return false;
		if (!read_index(at, end, &element.index) || *at == end || *(*at)++ != ':')
			return false;
		from = *at;
		*at = encode_read_double(from, end, &element.value);
		if (*at == from)
			return false;
		buf_append(buf, &element, sizeof element);
		(*count)++;
	}
	return *at < end;
}

/* new HashMap<>(count), filled: the power of two from count on, doubled when three
 * quarters of it are not enough. */
static uint32_t
hash_buckets(size_t count)
{
	uint32_t buckets = 1;

	while (buckets < count)
		buckets *= 2;
	return count > buckets * 3 / 4 ? buckets * 2 : buckets;
}

/* Beyond 32767 dimensions there is no value, as in Debezium. */
EncodeResult
encode_sparse_vector(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	const char *end = bytes.data + bytes.len;
	const char *at = bytes.data;
	size_t start = buf->len;
	size_t middle;
	size_t count;
	int32_t dimensions;
	char *elements;

	(void) codec;
	/* room for the elements, aligned, and their JSON, so that nothing moves */
	(void) buf_reserve(buf, bytes.len * 16 + ENCODE_ROOM);
	while (((uintptr_t) buf->data + buf->len) % _Alignof(SparseElement) != 0)
		buf_char(buf, ' ');
	middle = buf->len;
	if (at == end || *at++ != '{' || !read_elements(buf, &at, end, &count) ||
	    ++at == end || *at++ != '/' || !read_index(&at, end, &dimensions) || at != end)
	{
		buf->len = start;
		return ENCODE_NULL;
	}
	elements = buf->data + middle;
	for (size_t i = 0; i < count; i++)
	{
		SparseElement *element = (SparseElement *) (void *) elements + i;

		element->order = (uint32_t) element->index & (hash_buckets(count) - 1);
	}
	qsort(elements, count, sizeof(SparseElement), compare_elements);
	middle = buf->len;
	buf_printf(buf, "{\"dimensions\":%d,\"vector\":[", dimensions);
	for (size_t i = 0; i < count; i++)
	{
		SparseElement element;

		memcpy(
			&element, buf->data + middle - (count - i) * sizeof element, sizeof element);
		buf_printf(buf, "%s[%d,", i == 0 ? "" : ",", element.index);
		encode_put_double(buf, element.value);
		buf_char(buf, ']');
	}
	buf_text(buf, "]}");
	encode_fold(buf, start, middle);
	return ENCODE_DONE;
}
