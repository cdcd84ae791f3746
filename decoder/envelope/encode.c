/*
 * encode.c
 *		scalars, text and bytes as JsonConverter prints them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/encode.h"

#include "envelope/mask.h"

#include <math.h>

static inline char *
end_of(Buf *buf)
{
	return buf->data + buf->len;
}

static inline EncodeResult
done_at(Buf *buf, const char *end)
{
	buf->len = (size_t) (end - buf->data);
	return ENCODE_DONE;
}

void
encode_fold(Buf *buf, size_t start, size_t middle)
{
	memmove(buf->data + start, buf->data + middle, buf->len - middle);
	buf->len -= middle - start;
}

EncodeResult
encode_null(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	(void) buf;
	(void) codec;
	(void) bytes;
	return ENCODE_NULL;
}

EncodeResult
encode_lost(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	(void) buf;
	(void) codec;
	(void) bytes;
	return ENCODE_LOST;
}

static EncodeResult
put_bool(Buf *buf, bool value)
{
	buf_append(buf, value ? "true" : "false", value ? 4 : 5);
	return ENCODE_DONE;
}

EncodeResult
encode_bool(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	(void) codec;
	if (bytes.len != 1)
		return ENCODE_MALFORMED;
	return put_bool(buf, bytes.data[0] != 0);
}

EncodeResult
encode_int2(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	int16_t value;

	(void) codec;
	if (!value_int16(bytes, &value))
		return ENCODE_MALFORMED;
	return done_at(buf, number_put_i64(end_of(buf), value));
}

EncodeResult
encode_int4(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	int32_t value;

	(void) codec;
	if (!value_int32(bytes, &value))
		return ENCODE_MALFORMED;
	return done_at(buf, number_put_i64(end_of(buf), value));
}

EncodeResult
encode_int8(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	int64_t value;

	(void) codec;
	if (!value_int64(bytes, &value))
		return ENCODE_MALFORMED;
	return done_at(buf, number_put_i64(end_of(buf), value));
}

EncodeResult
encode_oid(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	int32_t value;

	(void) codec;
	if (!value_int32(bytes, &value))
		return ENCODE_MALFORMED;
	return done_at(buf, number_put_u64(end_of(buf), (uint32_t) value));
}

/* Jackson quotes what is not a JSON number. */
static bool
put_special(Buf *buf, double value)
{
	if (isfinite(value))
		return false;
	buf_text(buf,
	         isnan(value)  ? "\"NaN\""
	         : value > 0.0 ? "\"Infinity\""
	                       : "\"-Infinity\"");
	return true;
}

EncodeResult
encode_float4(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	float value;

	(void) codec;
	if (!value_float4(bytes, &value))
		return ENCODE_MALFORMED;
	if (put_special(buf, (double) value))
		return ENCODE_DONE;
	return done_at(buf, number_put_java_float(end_of(buf), value));
}

EncodeResult
encode_float8(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	double value;

	(void) codec;
	if (!value_float8(bytes, &value))
		return ENCODE_MALFORMED;
	if (put_special(buf, value))
		return ENCODE_DONE;
	return done_at(buf, number_put_java_double(end_of(buf), value));
}

EncodeResult
encode_text(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	(void) codec;
	json_string(buf, bytes);
	return ENCODE_DONE;
}

/* "char" is one byte, of which charout prints none for zero. */
EncodeResult
encode_char(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	if (bytes.len == 1 && bytes.data[0] == '\0')
		bytes.len = 0;
	return encode_text(buf, codec, bytes);
}

/* jsonb_send puts a version byte before the text. */
EncodeResult
encode_json(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	if (bytes.len > 0 && bytes.data[0] == 1)
		bytes = (Slice){ bytes.data + 1, bytes.len - 1 };
	return encode_text(buf, codec, bytes);
}

EncodeResult
encode_uuid(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	char *at = end_of(buf);

	(void) codec;
	if (bytes.len != 16)
		return ENCODE_MALFORMED;
	*at++ = '"';
	at = number_put_uuid(at, bytes.data);
	*at++ = '"';
	return done_at(buf, at);
}

EncodeResult
encode_base64(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	(void) codec;
	buf_char(buf, '"');
	number_base64(buf, bytes, false);
	buf_char(buf, '"');
	return ENCODE_DONE;
}

EncodeResult
encode_base64_url(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	(void) codec;
	buf_char(buf, '"');
	number_base64(buf, bytes, true);
	buf_char(buf, '"');
	return ENCODE_DONE;
}

EncodeResult
encode_hex(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	(void) codec;
	buf_char(buf, '"');
	number_hex(buf, bytes);
	buf_char(buf, '"');
	return ENCODE_DONE;
}

/* The bits of varbit_send's form, which has the first bit on top of the first byte. */
static bool
open_bits(Slice bytes, size_t *count, const uint8_t **bits)
{
	int32_t length;

	if (bytes.len < 4 || !value_int32((Slice){ bytes.data, 4 }, &length) || length < 0 ||
	    bytes.len != 4 + ((size_t) length + 7) / 8)
		return false;
	*count = (size_t) length;
	*bits = (const uint8_t *) bytes.data + 4;
	return true;
}

static inline unsigned
bit_at(const uint8_t *bits, size_t i)
{
	return (unsigned) bits[i / 8] >> (7 - i % 8) & 1U;
}

/* bit(1) and varbit(1); an empty varbit(1) has no boolean. */
EncodeResult
encode_bit_bool(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	const uint8_t *bits;
	size_t count;

	(void) codec;
	if (!open_bits(bytes, &count, &bits))
		return ENCODE_MALFORMED;
	if (count == 0)
		return ENCODE_LOST;
	return put_bool(buf, bit_at(bits, 0) != 0);
}

/* Debezium's Bits: little-endian, the last SQL bit is bit 0; high zero bytes are dropped.
 */
EncodeResult
encode_bits(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	size_t start = buf->len;
	const uint8_t *bits;
	size_t count;
	size_t used;
	uint8_t *to;

	if (!open_bits(bytes, &count, &bits))
		return ENCODE_MALFORMED;
	/* the bytes go where they do not move while their base64 is appended */
	(void) buf_reserve(buf, bytes.len * 3 + ENCODE_ROOM);
	to = (uint8_t *) end_of(buf);
	memset(to, 0, (count + 7) / 8);
	for (size_t i = 0; i < count; i++)
		to[i / 8] |= (uint8_t) (bit_at(bits, count - 1 - i) << i % 8);
	for (used = (count + 7) / 8; used > 0 && to[used - 1] == 0;)
		used--;
	buf->len += used;
	(void) encode_base64(buf, codec, (Slice){ (const char *) to, used });
	encode_fold(buf, start, start + used);
	return ENCODE_DONE;
}

/* PostgreSQL's text of any type that travels as binary, as a JSON string. */
EncodeResult
encode_printed(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	size_t start = buf->len;
	size_t middle;
	Value value = { codec->binary ? VALUE_BINARY : VALUE_TEXT,
		            (uint32_t) bytes.len,
		            bytes.data };

	if (!value_print(buf, codec->in_array ? &codec->element : codec->column, value))
		return ENCODE_MALFORMED;
	middle = buf->len;
	(void) buf_reserve(buf, (middle - start) * 6 + ENCODE_ROOM);
	json_string(buf, (Slice){ buf->data + start, middle - start });
	encode_fold(buf, start, middle);
	return ENCODE_DONE;
}

/* What inner prints, cut or hidden by the column's mask. */
EncodeResult
encode_masked(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	size_t start = buf->len;
	EncodeResult result;

	/* encode_geometric() cuts what it prints */
	if (codec->mask_bytes && codec->inner != encode_geometric &&
	    bytes.len > codec->mask->rule->length)
		bytes.len = codec->mask->rule->length;
	result = codec->inner(buf, codec, bytes);
	if (result == ENCODE_DONE && !codec->mask_bytes)
		mask_replace_json(buf, start, codec->mask);
	return result;
}
