/*
 * numeric.c
 *		numeric_send's base-10000 digits as text, binary integers and doubles.
 *
 * The value is  sign * sum(digit[i] * 10000^(weight - i)).  Digits beyond
 * either end are zero: PostgreSQL strips leading and trailing zero digits, and
 * the scale says how many decimals are displayed.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/number.h"
#include "envelope/value.h"

#include <math.h>
#include <stdlib.h>

#define NUMERIC_MAX_SCALE 0x3FFF

bool
value_numeric(Slice bytes, Numeric *result)
{
	if (bytes.len < 8)
		return false;
	result->digit_count = read_u16(bytes.data);
	result->weight = (int16_t) read_u16(bytes.data + 2);
	result->sign = (NumericSign) read_u16(bytes.data + 4);
	result->scale = read_u16(bytes.data + 6);
	result->digits = bytes.data + 8;
	if (bytes.len != 8 + (size_t) result->digit_count * 2 ||
	    result->scale > NUMERIC_MAX_SCALE)
		return false;
	for (size_t i = 0; i < result->digit_count; i++)
		if (read_u16(result->digits + i * 2) > 9999)
			return false;
	switch (result->sign)
	{
		case NUMERIC_POSITIVE:
		case NUMERIC_NEGATIVE:
			return true;
		case NUMERIC_IS_NAN:
		case NUMERIC_IS_INFINITY:
		case NUMERIC_IS_NEG_INFINITY:
			result->digit_count = 0;
			return true;
	}
	return false;
}

static bool
is_special(const Numeric *numeric)
{
	return numeric->sign != NUMERIC_POSITIVE && numeric->sign != NUMERIC_NEGATIVE;
}

/* The digit worth 10000^power. */
static inline unsigned
digit_at(const Numeric *numeric, int power)
{
	int i = numeric->weight - power;

	return i < 0 || i >= numeric->digit_count
	           ? 0
	           : read_u16(numeric->digits + (size_t) i * 2);
}

static void
print_special(Buf *buf, NumericSign sign)
{
	buf_text(buf,
	         sign == NUMERIC_IS_NAN        ? "NaN"
	         : sign == NUMERIC_IS_INFINITY ? "Infinity"
	                                       : "-Infinity");
}

static inline char *
put_digit4(char *at, unsigned digit)
{
	at = number_put_pair(at, digit / 100);
	return number_put_pair(at, digit % 100);
}

void
numeric_print(Buf *buf, const Numeric *numeric)
{
	int whole = numeric->weight < 0 ? 0 : numeric->weight;
	char *at;
	char *point;

	if (is_special(numeric))
	{
		print_special(buf, numeric->sign);
		return;
	}
	at = buf_reserve(buf, (size_t) whole * 4 + numeric->scale + 16);
	if (numeric->sign == NUMERIC_NEGATIVE)
		*at++ = '-';
	at = number_put_u64(at, digit_at(numeric, whole));
	for (int power = whole - 1; power >= 0; power--)
		at = put_digit4(at, digit_at(numeric, power));
	if (numeric->scale > 0)
	{
		*at++ = '.';
		point = at;
		for (int power = -1; at - point < numeric->scale; power--)
			at = put_digit4(at, digit_at(numeric, power));
		at = point + numeric->scale;
	}
	buf->len = (size_t) (at - buf->data);
}

static const uint16_t powers[] = { 1, 10, 100, 1000 };

/*
 * The powers of 10000 that a value at scale spans: from high down to low, the
 * lowest digit being divided by *divisor because scale ends inside it.
 */
static void
digit_span(const Numeric *numeric, int scale, int *high, int *low, unsigned *divisor)
{
	int groups = (scale + 3) / 4;

	if (scale < 0)
		groups = -(-scale / 4);
	*low = -groups;
	*divisor = powers[groups * 4 - scale];
	*high = numeric->digit_count == 0 ? *low - 1 : numeric->weight;
}

bool
numeric_to_int128(const Numeric *numeric, int scale, __int128 *result)
{
	const __int128 limit = ((__int128) 1 << 126) / 10000;
	__int128 value = 0;
	int high;
	int low;
	unsigned divisor;

	if (is_special(numeric) || scale < 0)
		return false;
	digit_span(numeric, scale, &high, &low, &divisor);
	for (int power = high; power >= low; power--)
	{
		unsigned digit = digit_at(numeric, power);

		if (value > limit)
			return false;
		if (power > low || divisor == 1)
			value = value * 10000 + digit;
		else if (digit % divisor != 0)
			return false;
		else
			value = value * (10000 / divisor) + digit / divisor;
	}
	for (int i = 0; i < numeric->digit_count; i++)
		if (numeric->weight - i < low && read_u16(numeric->digits + (size_t) i * 2) != 0)
			return false;
	*result = numeric->sign == NUMERIC_NEGATIVE ? -value : value;
	return true;
}

/* Append value as the fewest big-endian bytes that keep its sign. */
static void
append_int128(Buf *buf, __int128 value)
{
	unsigned __int128 bits = (unsigned __int128) value;
	int bytes = 1;

	while (bytes < 16 && (value >> (bytes * 8 - 1)) != 0 &&
	       (value >> (bytes * 8 - 1)) != -1)
		bytes++;
	for (int i = bytes - 1; i >= 0; i--)
		buf_char(buf, (char) (uint8_t) (bits >> (i * 8)));
}

/* words[0 .. count) *= factor, += addend; little-endian words.  Returns the new count. */
static size_t
multiply_add(uint64_t *words, size_t count, uint64_t factor, uint64_t addend)
{
	unsigned __int128 carry = addend;

	for (size_t i = 0; i < count; i++)
	{
		carry += (unsigned __int128) words[i] * factor;
		words[i] = (uint64_t) carry;
		carry >>= 64;
	}
	if (carry != 0)
		words[count++] = (uint64_t) carry;
	return count;
}

/* Append the magnitude, negated when negative, in two's complement. */
static void
append_words(Buf *buf, uint64_t *words, size_t count, bool negative)
{
	size_t bytes = count * 8;
	bool carry = true;
	uint8_t top;

	for (size_t i = 0; negative && i < count; i++)
	{
		words[i] = ~words[i] + carry;
		carry = carry && words[i] == 0;
	}
	/* drop the leading bytes that only repeat the sign */
	while (bytes > 1)
	{
		uint8_t first = (uint8_t) (words[(bytes - 1) / 8] >> ((bytes - 1) % 8 * 8));
		uint8_t next = (uint8_t) (words[(bytes - 2) / 8] >> ((bytes - 2) % 8 * 8));

		if (first != (negative ? 0xFF : 0) || (next >> 7) != (negative ? 1 : 0))
			break;
		bytes--;
	}
	top = (uint8_t) (words[(bytes - 1) / 8] >> ((bytes - 1) % 8 * 8));
	if ((top >> 7) != (negative ? 1 : 0))
		buf_char(buf, (char) (negative ? 0xFF : 0));
	for (size_t i = bytes; i-- > 0;)
		buf_char(buf, (char) (uint8_t) (words[i / 8] >> (i % 8 * 8)));
}

void
numeric_to_unscaled(const Numeric *numeric, int scale, Buf *buf)
{
	__int128 small;
	int high;
	int low;
	unsigned divisor;
	uint64_t *words;
	size_t capacity;
	size_t count = 0;
	size_t start = buf->len;
	size_t scratch;

	if (is_special(numeric))
		return;
	if (scale >= 0 && numeric_to_int128(numeric, scale, &small))
	{
		append_int128(buf, small);
		return;
	}
	digit_span(numeric, scale, &high, &low, &divisor);
	/* The words are built behind room for the result, in the same buffer. */
	capacity = high < low ? 1 : (size_t) (high - low + 1) / 4 + 2;
	scratch = (start + capacity * 8 + 8 + 15) & ~(size_t) 15;
	(void) buf_reserve(buf, scratch - start + capacity * 8 + 16);
	words = (uint64_t *) (((uintptr_t) (buf->data + scratch) + 7) & ~(uintptr_t) 7);
	for (int power = high; power > low; power--)
		count = multiply_add(words, count, 10000, digit_at(numeric, power));
	if (high >= low)
		count =
			multiply_add(words, count, 10000 / divisor, digit_at(numeric, low) / divisor);
	if (count == 0)
		words[count++] = 0;
	append_words(buf,
	             words,
	             count,
	             numeric->sign == NUMERIC_NEGATIVE && (count > 1 || words[0] != 0));
}

/*
 * strtod rounds correctly and needs at most 767 significant digits to do so;
 * what follows matters only by not being zero.
 */
double
numeric_to_double(const Numeric *numeric)
{
	enum
	{
		DIGITS = 200
	};
	char text[DIGITS * 4 + 32];
	char *at = text;
	int used = numeric->digit_count < DIGITS ? numeric->digit_count : DIGITS;
	int exponent = (numeric->weight - used + 1) * 4;

	if (numeric->sign == NUMERIC_IS_NAN)
		return (double) NAN;
	if (numeric->sign == NUMERIC_IS_INFINITY)
		return HUGE_VAL;
	if (numeric->sign == NUMERIC_IS_NEG_INFINITY)
		return -HUGE_VAL;
	if (used == 0)
		return 0;
	if (numeric->sign == NUMERIC_NEGATIVE)
		*at++ = '-';
	for (int i = 0; i < used; i++)
		at = put_digit4(at, read_u16(numeric->digits + (size_t) i * 2));
	if (used < numeric->digit_count)
	{
		*at++ = '1';
		exponent--;
	}
	*at++ = 'e';
	at = number_put_i64(at, exponent);
	*at = '\0';
	return strtod(text, NULL);
}
