/*
 * decimal.c
 *		printing big decimals.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "connect/decimal.h"

#include <stdlib.h>

int
decimal_scale(const ConnectSchema *schema)
{
	const char *text = connect_schema_parameter(schema, "scale");

	return text == NULL ? 0 : (int) strtol(text, NULL, 10);
}

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
static void
print_plain(Buf *buf, const char *digits, size_t count, size_t scale)
{
	if (count <= scale)
	{
		buf_text(buf, "0.");
		for (size_t i = count; i < scale; i++)
			buf_char(buf, '0');
	}
	for (size_t i = count; i-- > 0;)
	{
		buf_char(buf, digits[i]);
		if (i == scale && scale > 0)
			buf_char(buf, '.');
	}
}

static void
print_exponent(Buf *buf, const char *digits, size_t count, int64_t exponent)
{
	for (size_t i = count; i-- > 0;)
	{
		buf_char(buf, digits[i]);
		if (i == count - 1 && i > 0)
			buf_char(buf, '.');
	}
	if (exponent != 0)
		buf_printf(buf, "E%+lld", (long long) exponent);
}

void
decimal_print(Buf *buf, Slice unscaled, int scale)
{
	bool negative = unscaled.len > 0 && ((uint8_t) unscaled.data[0] & 0x80) != 0;
	uint8_t *bytes = xmalloc(unscaled.len + 1);
	char *digits = xmalloc(unscaled.len * 3 + 16);
	size_t count = 1;
	int64_t exponent;

	*digits = '0';
	if (unscaled.len > 0)
		memcpy(bytes, unscaled.data, unscaled.len);
	if (negative)
	{
		negate(bytes, unscaled.len);
		buf_char(buf, '-');
	}
	if (unscaled.len > 0)
		count = make_digits(bytes, unscaled.len, digits);
	exponent = (int64_t) count - 1 - scale;
	if (scale >= 0 && exponent >= -6)
		print_plain(buf, digits, count, (size_t) scale);
	else
		print_exponent(buf, digits, count, exponent);
	free(bytes);
	free(digits);
}
