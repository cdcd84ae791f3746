/*
 * decimal.c
 *		printing big decimals.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/decimal.h"

#include "envelope/number.h"

/* Divide the big-endian magnitude by a billion in place; the remainder is returned. */
static uint32_t
divide(uint8_t *bytes, size_t len)
{
	uint64_t rest = 0;

	for (size_t i = 0; i < len; i++)
	{
		rest = rest << 8 | bytes[i];
		bytes[i] = (uint8_t) (rest / 1000000000);
		rest %= 1000000000;
	}
	return (uint32_t) rest;
}

static void
negate(uint8_t *bytes, size_t len)
{
	unsigned carry = 1;

	for (size_t i = len; i-- > 0;)
	{
		carry += (uint8_t) ~bytes[i];
		bytes[i] = (uint8_t) carry;
		carry >>= 8;
	}
}

/* The decimal digits of a magnitude, which is used up; last first, without leading
 * zeros. */
static size_t
make_digits(uint8_t *bytes, size_t len, char *digits)
{
	size_t count = 0;

	for (size_t start = 0; start < len;)
	{
		uint32_t part = divide(bytes + start, len - start);

		for (int i = 0; i < 9; i++)
		{
			digits[count++] = (char) ('0' + part % 10);
			part /= 10;
		}
		while (start < len && bytes[start] == 0)
			start++;
	}
	while (count > 1 && digits[count - 1] == '0')
		count--;
	return count;
}

/* Digits and where the point is: before the last scale of them. */
static char *
put_plain(char *at, const char *digits, size_t count, size_t scale)
{
	if (count <= scale)
	{
		*at++ = '0';
		*at++ = '.';
		memset(at, '0', scale - count);
		at += scale - count;
	}
	for (size_t i = count; i-- > 0;)
	{
		*at++ = digits[i];
		if (i == scale && scale > 0)
			*at++ = '.';
	}
	return at;
}

static char *
put_exponent(char *at, const char *digits, size_t count, int64_t exponent)
{
	for (size_t i = count; i-- > 0;)
	{
		*at++ = digits[i];
		if (i == count - 1 && i > 0)
			*at++ = '.';
	}
	if (exponent == 0)
		return at;
	*at++ = 'E';
	if (exponent > 0)
		*at++ = '+';
	return number_put_i64(at, exponent);
}

bool
decimal_print(Buf *buf, Slice base64, int scale)
{
	size_t most = base64.len / 4 * 3 + 1; /* bytes; each has at most 2.5 digits */
	size_t most_digits = most * 3 + 16;
	size_t most_text = most_digits + (scale > 0 ? (size_t) scale : 0) + 32;
	char *at = buf_reserve(buf, most_text + most_digits + most);
	char *digits = at + most_text;
	uint8_t *bytes = (uint8_t *) digits + most_digits;
	size_t len;
	size_t count = 1;
	int64_t exponent;

	if (!number_unbase64(base64, (char *) bytes, &len))
		return false;
	*digits = '0';
	if (len > 0 && (bytes[0] & 0x80) != 0)
	{
		negate(bytes, len);
		*at++ = '-';
	}
	if (len > 0)
		count = make_digits(bytes, len, digits);
	exponent = (int64_t) count - 1 - scale;
	if (scale >= 0 && exponent >= -6)
		at = put_plain(at, digits, count, (size_t) scale);
	else
		at = put_exponent(at, digits, count, exponent);
	buf->len = (size_t) (at - buf->data);
	return true;
}
