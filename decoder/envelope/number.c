/*
 * number.c
 *		numbers as text.
 *
 * Shortest floating point goes two ways: nearly all values that people store
 * are a decimal of at most 15 digits (6 for float), of which there is only one per
 * double, found by a few multiplications; the rest asks the C library for 15, 16 and
 * 17 correctly rounded digits and takes the first that reads back.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* clang-format off */
const char number_pairs[201] =
	"00010203040506070809" "10111213141516171819" "20212223242526272829"
	"30313233343536373839" "40414243444546474849" "50515253545556575859"
	"60616263646566676869" "70717273747576777879" "80818283848586878889"
	"90919293949596979899";
/* clang-format on */

static unsigned
count_digits(uint64_t value)
{
	unsigned count = 1;

	for (;;)
	{
		if (value < 10)
			return count;
		if (value < 100)
			return count + 1;
		if (value < 1000)
			return count + 2;
		if (value < 10000)
			return count + 3;
		value /= 10000;
		count += 4;
	}
}

/* Exactly eight digits; the halves do not wait for each other. */
static char *
put_eight(char *at, uint32_t value)
{
	uint32_t high = value / 10000;
	uint32_t low = value % 10000;

	(void) number_put_pair(at, high / 100);
	(void) number_put_pair(at + 2, high % 100);
	(void) number_put_pair(at + 4, low / 100);
	return number_put_pair(at + 6, low % 100);
}

char *
number_put_u64(char *at, uint64_t value)
{
	uint32_t rest;
	char *end;

	if (value >= 100000000)
		return put_eight(number_put_u64(at, value / 100000000),
		                 (uint32_t) (value % 100000000));
	rest = (uint32_t) value;
	end = at + count_digits(rest);
	for (at = end; rest >= 100; rest /= 100)
	{
		at -= 2;
		(void) number_put_pair(at, rest % 100);
	}
	if (rest >= 10)
		(void) number_put_pair(at - 2, rest);
	else
		at[-1] = (char) ('0' + rest);
	return end;
}

char *
number_put_i64(char *at, int64_t value)
{
	if (value >= 0)
		return number_put_u64(at, (uint64_t) value);
	*at++ = '-';
	return number_put_u64(at, 0 - (uint64_t) value);
}

/* A positive decimal: 0.d1d2d3... * 10^point, no trailing zero digits. */
typedef struct Decimal
{
	char digits[20];
	int count;
	int point;
} Decimal;

static void
decimal_strip(Decimal *decimal)
{
	while (decimal->count > 1 && decimal->digits[decimal->count - 1] == '0')
		decimal->count--;
}

/*
 * Whether value is an integer below limit divided by a power of ten.  limit is at
 * most 10^15 (10^6 for a float), below which no two decimals are the same double.
 */
static bool
decimal_try_short(Decimal *decimal, double value, double limit, bool single)
{
	static const double tens[] = { 1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
		                           1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

	for (int k = 0; k < 16; k++)
	{
		double scaled = value * tens[k];
		double whole;
		double back;
		char *end;

		if (scaled >= limit)
			return false;
		whole = (double) (int64_t) (scaled + 0.5);
		if (whole < 1)
			continue;
		back = whole / tens[k];
		if (single ? (float) back != (float) value : back != value)
			continue;
		end = number_put_u64(decimal->digits, (uint64_t) whole);
		decimal->count = (int) (end - decimal->digits);
		decimal->point = decimal->count - k;
		decimal_strip(decimal);
		return true;
	}
	return false;
}

/* value rounded to count digits. */
static void
decimal_round(Decimal *decimal, double value, int count)
{
	char text[40];
	const char *exponent;

	(void) snprintf(text, sizeof text, "%.*e", count - 1, value);
	decimal->digits[0] = text[0];
	if (count > 1)
		memcpy(decimal->digits + 1, text + 2, (size_t) count - 1);
	exponent = text + (count > 1 ? count + 1 : 1);
	decimal->count = count;
	decimal->point = (int) strtol(exponent + 1, NULL, 10) + 1;
}

/* Whose rules say which decimals stand for a value. */
typedef enum DecimalRule
{
	RULE_JAVA, /* all that read back, at least two digits are tried */
	RULE_PG,   /* none that is halfway to the neighbour, although it reads back */
} DecimalRule;

/*
 * long double holds what is halfway between two doubles; such a number is no multiple of
 * a large power of ten, nor of a small one, with so few digits.
 */
static bool
is_halfway(const char *text, double value, bool single)
{
	long double decimal = strtold(text, NULL);
	double toward = decimal > (long double) value ? HUGE_VAL : -HUGE_VAL;
	double neighbour = single ? (double) nextafterf((float) value, (float) toward)
	                          : nextafter(value, toward);

	return decimal == ((long double) value + (long double) neighbour) / 2;
}

static bool
decimal_reads_back(const Decimal *decimal, double value, bool single, DecimalRule rule)
{
	char text[40];

	(void) snprintf(
		text, sizeof text, "0.%.*se%d", decimal->count, decimal->digits, decimal->point);
	if (single ? strtof(text, NULL) != (float) value : strtod(text, NULL) != value)
		return false;
	if (rule == RULE_JAVA || abs(decimal->point - decimal->count) > 24)
		return true;
	return !is_halfway(text, value, single);
}

/* The next decimal of as many digits.  Only powers of two ask, none of which is 99..9. */
static void
decimal_increment(Decimal *decimal)
{
	int i = decimal->count - 1;

	while (i > 0 && decimal->digits[i] == '9')
		decimal->digits[i--] = '0';
	decimal->digits[i]++;
}

/*
 * The shortest decimal that stands for value, the nearest of those.  At a power of two
 * the gap above is twice the gap below, so the next decimal up may read back where the
 * nearest does not.
 */
static void
decimal_shortest(Decimal *decimal, double value, bool single, DecimalRule rule)
{
	int mantissa_exponent;
	bool power_of_two = frexp(value, &mantissa_exponent) == 0.5;
	bool subnormal = value < (single ? 1.17549435e-38 : 2.2250738585072014e-308);
	int most = single ? 9 : 17;
	int first = single ? 6 : 15;
	int least = rule == RULE_JAVA ? 2 : 1;

	if (!subnormal && decimal_try_short(decimal, value, single ? 1e6 : 1e15, single))
		return;
	for (int count = subnormal || power_of_two ? least : first; count <= most; count++)
	{
		decimal_round(decimal, value, count);
		if (count == most || decimal_reads_back(decimal, value, single, rule))
			break;
		if (power_of_two)
		{
			decimal_increment(decimal);
			if (decimal_reads_back(decimal, value, single, rule))
				break;
		}
	}
	decimal_strip(decimal);
}

static char *
put_run(char *at, char c, int count)
{
	for (int i = 0; i < count; i++)
		*at++ = c;
	return at;
}

/* Digits with the point inside, before or behind them. */
static char *
put_plain(char *at, const Decimal *decimal)
{
	int whole = decimal->point < 0                ? 0
	            : decimal->point > decimal->count ? decimal->count
	                                              : decimal->point;

	if (decimal->point <= 0)
		*at++ = '0';
	memcpy(at, decimal->digits, (size_t) whole);
	at = put_run(at + whole, '0', decimal->point - whole);
	if (whole == decimal->count)
		return at;
	*at++ = '.';
	at = put_run(at, '0', -decimal->point);
	memcpy(at, decimal->digits + whole, (size_t) (decimal->count - whole));
	return at + (decimal->count - whole);
}

static char *
put_java(char *at, double value, bool single)
{
	Decimal decimal;

	if (signbit(value))
		*at++ = '-';
	value = fabs(value);
	if (value == 0)
	{
		memcpy(at, "0.0", 3);
		return at + 3;
	}
	decimal_shortest(&decimal, value, single, RULE_JAVA);
	if (value >= 1e-3 && value < 1e7)
	{
		at = put_plain(at, &decimal);
		if (decimal.point >= decimal.count)
		{
			*at++ = '.';
			*at++ = '0';
		}
		return at;
	}
	*at++ = decimal.digits[0];
	*at++ = '.';
	if (decimal.count == 1)
		*at++ = '0';
	memcpy(at, decimal.digits + 1, (size_t) decimal.count - 1);
	at += decimal.count - 1;
	*at++ = 'E';
	return number_put_i64(at, decimal.point - 1);
}

char *
number_put_java_double(char *at, double value)
{
	return put_java(at, value, false);
}

char *
number_put_java_float(char *at, float value)
{
	return put_java(at, (double) value, true);
}

static char *
put_pg(char *at, double value, bool single)
{
	Decimal decimal;
	int exponent;

	if (isnan(value))
	{
		memcpy(at, "NaN", 3);
		return at + 3;
	}
	if (signbit(value))
		*at++ = '-';
	value = fabs(value);
	if (isinf(value))
	{
		memcpy(at, "Infinity", 8);
		return at + 8;
	}
	if (value == 0)
	{
		*at++ = '0';
		return at;
	}
	decimal_shortest(&decimal, value, single, RULE_PG);
	exponent = decimal.point - 1;
	if (exponent >= -4 && exponent < (single ? 6 : 15))
		return put_plain(at, &decimal);
	*at++ = decimal.digits[0];
	if (decimal.count > 1)
		*at++ = '.';
	memcpy(at, decimal.digits + 1, (size_t) decimal.count - 1);
	at += decimal.count - 1;
	*at++ = 'e';
	*at++ = exponent < 0 ? '-' : '+';
	exponent = abs(exponent);
	if (exponent < 10)
		*at++ = '0';
	return number_put_u64(at, (uint64_t) exponent);
}

char *
number_put_pg_double(char *at, double value)
{
	return put_pg(at, value, false);
}

char *
number_put_pg_float(char *at, float value)
{
	return put_pg(at, (double) value, true);
}

void
number_base64(Buf *buf, Slice bytes, bool url_safe)
{
	static const char alphabets[2][65] = {
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
	};
	const char *alphabet = alphabets[url_safe];
	const uint8_t *in = (const uint8_t *) bytes.data;
	size_t len = bytes.len;
	char *at = buf_reserve(buf, (len + 2) / 3 * 4);

	for (; len >= 3; len -= 3, in += 3)
	{
		unsigned group = (unsigned) in[0] << 16 | (unsigned) in[1] << 8 | in[2];

		*at++ = alphabet[group >> 18];
		*at++ = alphabet[group >> 12 & 63];
		*at++ = alphabet[group >> 6 & 63];
		*at++ = alphabet[group & 63];
	}
	if (len > 0)
	{
		unsigned group = (unsigned) in[0] << 16 | (len > 1 ? (unsigned) in[1] << 8 : 0);

		*at++ = alphabet[group >> 18];
		*at++ = alphabet[group >> 12 & 63];
		*at++ = len > 1 ? alphabet[group >> 6 & 63] : '=';
		*at++ = '=';
	}
	buf->len = (size_t) (at - buf->data);
}

/* The six bits of a base64 digit; -1: it is none. */
static int
base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool
number_unbase64(Slice text, char *to, size_t *len)
{
	char *start = to;
	uint32_t bits = 0;

	if (text.len % 4 != 0)
		return false;
	while (text.len > 0 && text.data[text.len - 1] == '=')
		text.len--;
	for (size_t i = 0; i < text.len; i++)
	{
		int digit = base64_digit(text.data[i]);

		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t) digit;
		if (i % 4 > 0)
			*to++ = (char) (bits >> (6 - 2 * (i % 4)));
	}
	*len = (size_t) (to - start);
	return true;
}

static const char hex_digits[] = "0123456789abcdef";

void
number_hex(Buf *buf, Slice bytes)
{
	char *at = buf_reserve(buf, bytes.len * 2);

	for (size_t i = 0; i < bytes.len; i++)
	{
		*at++ = hex_digits[(uint8_t) bytes.data[i] >> 4];
		*at++ = hex_digits[(uint8_t) bytes.data[i] & 15];
	}
	buf->len += bytes.len * 2;
}

char *
number_put_uuid(char *at, const char bytes[16])
{
	for (int i = 0; i < 16; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = hex_digits[(uint8_t) bytes[i] >> 4];
		*at++ = hex_digits[(uint8_t) bytes[i] & 15];
	}
	return at;
}
