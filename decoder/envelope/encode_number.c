/*
 * encode_number.c
 *		numeric and money by decimal.handling.mode.
 *
 * precise is Connect's Decimal: base64 of the unscaled value in minimal big-
 * endian two's complement, scale in the schema; without a declared scale
 * Debezium's VariableScaleDecimal carries it beside the value.  NaN and the infinities
 * have no Decimal and become null, as in Debezium; the other modes name them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/encode.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool
is_special(const Numeric *numeric)
{
	return numeric->sign != NUMERIC_POSITIVE && numeric->sign != NUMERIC_NEGATIVE;
}

/* value's minimal two's complement, in base64 and quotes. */
static void
put_unscaled128(Buf *buf, __int128 value)
{
	char bytes[16];
	size_t skip = 0;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char) (value >> (8 * (sizeof bytes - 1 - i)));
	while (skip < sizeof bytes - 1)
	{
		char extension = (char) ((uint8_t) bytes[skip + 1] >> 7 ? 0xFF : 0);

		if (bytes[skip] != extension)
			break;
		skip++;
	}
	(void) encode_base64(buf, NULL, (Slice){ bytes + skip, sizeof bytes - skip });
}

/* The same, of what nearly all values are. */
static void
put_unscaled64(Buf *buf, int64_t value)
{
	char bytes[8];
	uint64_t big_endian = __builtin_bswap64((uint64_t) value);
	size_t skip = 0;

	memcpy(bytes, &big_endian, sizeof bytes);
	while (skip < 7)
	{
		char extension = (char) ((uint8_t) bytes[skip + 1] >> 7 ? 0xFF : 0);

		if (bytes[skip] != extension)
			break;
		skip++;
	}
	(void) encode_base64(buf, NULL, (Slice){ bytes + skip, sizeof bytes - skip });
}

static void
put_unscaled(Buf *buf, const Numeric *numeric, int scale)
{
	__int128 small;
	size_t start;
	size_t middle;

	if (numeric_to_int128(numeric, scale, &small) && small == (int64_t) small)
	{
		put_unscaled64(buf, (int64_t) small);
		return;
	}
	start = buf->len;
	numeric_to_unscaled(numeric, scale, buf);
	middle = buf->len;
	(void) buf_reserve(buf, (middle - start) * 2 + ENCODE_ROOM);
	(void) encode_base64(buf, NULL, (Slice){ buf->data + start, middle - start });
	encode_fold(buf, start, middle);
}

EncodeResult
encode_decimal(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	Numeric numeric;

	if (!value_numeric(bytes, &numeric))
		return ENCODE_MALFORMED;
	if (is_special(&numeric))
		return ENCODE_LOST;
	put_unscaled(buf, &numeric, codec->scale);
	return ENCODE_DONE;
}

/* How many decimals are needed: trailing zeros do not count. */
static int
minimal_scale(const Numeric *numeric)
{
	int last = numeric->digit_count - 1;
	unsigned digit = 0;
	int scale;

	while (last >= 0 && (digit = read_u16(numeric->digits + (size_t) last * 2)) == 0)
		last--;
	if (last < 0 || numeric->weight - last >= 0)
		return 0;
	for (scale = (last - numeric->weight) * 4; digit % 10 == 0; digit /= 10)
		scale--;
	return scale;
}

EncodeResult
encode_variable_decimal(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	Numeric numeric;
	int scale;

	(void) codec;
	if (!value_numeric(bytes, &numeric))
		return ENCODE_MALFORMED;
	if (is_special(&numeric))
		return ENCODE_LOST;
	scale = minimal_scale(&numeric);
	buf_text(buf, "{\"scale\":");
	buf_int64(buf, scale);
	buf_text(buf, ",\"value\":");
	put_unscaled(buf, &numeric, scale);
	buf_char(buf, '}');
	return ENCODE_DONE;
}

static EncodeResult
put_double(Buf *buf, double value)
{
	uint64_t bits;
	char bytes[8];

	memcpy(&bits, &value, sizeof bits);
	bits = __builtin_bswap64(bits);
	memcpy(bytes, &bits, sizeof bytes);
	(void) buf_reserve(buf, ENCODE_ROOM);
	return encode_float8(buf, NULL, (Slice){ bytes, sizeof bytes });
}

EncodeResult
encode_numeric_double(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	Numeric numeric;

	(void) codec;
	if (!value_numeric(bytes, &numeric))
		return ENCODE_MALFORMED;
	return put_double(buf, numeric_to_double(&numeric));
}

/* Debezium's names of what BigDecimal lacks; PostgreSQL's where nothing may be lost. */
static const char *
special_name(NumericSign sign, bool lossless)
{
	if (sign == NUMERIC_IS_NAN)
		return lossless ? "\"NaN\"" : "\"NAN\"";
	if (sign == NUMERIC_IS_INFINITY)
		return lossless ? "\"Infinity\"" : "\"POSITIVE_INFINITY\"";
	return lossless ? "\"-Infinity\"" : "\"NEGATIVE_INFINITY\"";
}

EncodeResult
encode_numeric_string(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	Numeric numeric;

	if (!value_numeric(bytes, &numeric))
		return ENCODE_MALFORMED;
	if (is_special(&numeric))
	{
		buf_text(buf, special_name(numeric.sign, codec->lossless));
		return ENCODE_DONE;
	}
	if (!codec->lossless && numeric.scale < codec->scale)
		numeric.scale = (uint16_t) codec->scale;
	buf_char(buf, '"');
	numeric_print(buf, &numeric);
	buf_char(buf, '"');
	return ENCODE_DONE;
}

/*
 * money is an integer of hundredths here, as with lc_monetary of most locales; scale is
 * money.fraction.digits, to which it is rounded half up, as BigDecimal does.
 */
EncodeResult
encode_money_decimal(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	__int128 wide;
	int64_t value;

	if (!value_int64(bytes, &value))
		return ENCODE_MALFORMED;
	wide = value;
	for (int scale = 2; scale < codec->scale; scale++)
		wide *= 10;
	if (codec->scale < 2)
	{
		int divisor = codec->scale == 1 ? 10 : 100;
		int half = value < 0 ? -divisor / 2 : divisor / 2;

		wide = (wide + half) / divisor;
	}
	if (wide == (int64_t) wide)
		put_unscaled64(buf, (int64_t) wide);
	else
		put_unscaled128(buf, wide);
	return ENCODE_DONE;
}

EncodeResult
encode_money_double(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	char text[40];
	int64_t value;

	(void) codec;
	if (!value_int64(bytes, &value))
		return ENCODE_MALFORMED;
	/* a division would round twice beyond 2^53 */
	(void) snprintf(text, sizeof text, "%llde-2", (long long) value);
	return put_double(buf, strtod(text, NULL));
}

/* "-$1,234.50": PostgreSQL's text where lc_monetary says nothing. */
static size_t
print_cash(char *at, int64_t value)
{
	uint64_t cents = value < 0 ? 0 - (uint64_t) value : (uint64_t) value;
	char digits[NUMBER_MAX_INT64];
	size_t count = (size_t) (number_put_u64(digits, cents / 100) - digits);
	char *start = at;

	if (value < 0)
		*at++ = '-';
	*at++ = '$';
	for (size_t i = 0; i < count; i++)
	{
		if (i > 0 && (count - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at++ = '.';
	at = number_put_pair(at, (unsigned) (cents % 100));
	return (size_t) (at - start);
}

EncodeResult
encode_money_bytes(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	char text[40];
	int64_t value;

	if (!value_int64(bytes, &value))
		return ENCODE_MALFORMED;
	return codec->encode_printed(buf, codec, (Slice){ text, print_cash(text, value) });
}
