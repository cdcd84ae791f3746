/*
 * literal.c
 *		the literals of column defaults, as binary values.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/literal.h"

#include "envelope/calendar.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#define LITERAL_MAX         512 /* of numbers; longer ones are no defaults people write */
#define NUMERIC_LITERAL_MAX (131072 + 16383 + 2) /* what PostgreSQL's numeric holds */

/* Terminate a copy for the C library; false when it is too long or empty. */
static bool
terminate(char copy[LITERAL_MAX], Slice text)
{
	if (text.len == 0 || text.len >= LITERAL_MAX)
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return true;
}

/* Java's parseBoolean: whatever is not true is false. */
bool
literal_bool(Buf *binary, Slice text)
{
	buf_u8(binary, slice_equal(text, slice_from("true")));
	return true;
}

static bool
read_integer(Slice text, int64_t least, int64_t most, int64_t *value)
{
	char copy[LITERAL_MAX];
	char *end;

	if (!terminate(copy, text) || isspace((unsigned char) *copy))
		return false;
	errno = 0;
	*value = strtoll(copy, &end, 10);
	return errno == 0 && *end == '\0' && *value >= least && *value <= most;
}

bool
literal_int2(Buf *binary, Slice text)
{
	int64_t value;

	if (!read_integer(text, INT16_MIN, INT16_MAX, &value))
		return false;
	buf_u16(binary, (uint16_t) value);
	return true;
}

bool
literal_int4(Buf *binary, Slice text)
{
	int64_t value;

	if (!read_integer(text, INT32_MIN, INT32_MAX, &value))
		return false;
	buf_u32(binary, (uint32_t) value);
	return true;
}

bool
literal_int8(Buf *binary, Slice text)
{
	int64_t value;

	if (!read_integer(text, INT64_MIN, INT64_MAX, &value))
		return false;
	buf_u64(binary, (uint64_t) value);
	return true;
}

bool
literal_float4(Buf *binary, Slice text)
{
	char copy[LITERAL_MAX];
	char *end;
	float value;
	uint32_t bits;

	if (!terminate(copy, text))
		return false;
	value = strtof(copy, &end);
	memcpy(&bits, &value, sizeof bits);
	buf_u32(binary, bits);
	return *end == '\0';
}

bool
literal_float8(Buf *binary, Slice text)
{
	char copy[LITERAL_MAX];
	char *end;
	double value;
	uint64_t bits;

	if (!terminate(copy, text))
		return false;
	value = strtod(copy, &end);
	memcpy(&bits, &value, sizeof bits);
	buf_u64(binary, bits);
	return *end == '\0';
}

/* The decimal digit worth 10^power of digits with their point after whole of them. */
static unsigned
decimal_at(Slice whole, Slice fraction, int power)
{
	if (power >= 0)
		return (size_t) power < whole.len
		           ? (unsigned) (whole.data[whole.len - 1 - (size_t) power] - '0')
		           : 0;
	return (size_t) (-power - 1) < fraction.len
	           ? (unsigned) (fraction.data[-power - 1] - '0')
	           : 0;
}

static unsigned
group_at(Slice whole, Slice fraction, int weight)
{
	unsigned group = 0;

	for (int i = 3; i >= 0; i--)
		group = group * 10 + decimal_at(whole, fraction, weight * 4 + i);
	return group;
}

bool
literal_numeric(Buf *binary, Slice text)
{
	bool negative = text.len > 0 && text.data[0] == '-';
	Slice whole = { text.data + negative, 0 };
	Slice fraction;
	size_t at = negative;
	int high;
	int low;

	for (; at < text.len && isdigit((unsigned char) text.data[at]); at++)
		whole.len++;
	at += at < text.len && text.data[at] == '.';
	fraction = (Slice){ text.data + at, text.len - at };
	for (size_t i = 0; i < fraction.len; i++)
		if (!isdigit((unsigned char) fraction.data[i]))
			return false;
	if (whole.len + fraction.len == 0 || text.len > NUMERIC_LITERAL_MAX)
		return false;
	high = (int) (whole.len + 3) / 4 - 1;
	low = -((int) (fraction.len + 3) / 4);
	while (high >= low && group_at(whole, fraction, high) == 0)
		high--;
	while (low <= high && group_at(whole, fraction, low) == 0)
		low++;
	buf_u16(binary, (uint16_t) (high - low + 1));
	buf_u16(binary, (uint16_t) (high < low ? 0 : high));
	buf_u16(binary, negative && high >= low ? NUMERIC_NEGATIVE : NUMERIC_POSITIVE);
	buf_u16(binary, (uint16_t) fraction.len);
	for (; high >= low; high--)
		buf_u16(binary, (uint16_t) group_at(whole, fraction, high));
	return true;
}

bool
literal_set_scale(Slice *number, int scale)
{
	const char *point = memchr(number->data, '.', number->len);
	size_t most;

	if (point == NULL)
		return true;
	most = (size_t) (point - number->data) + 1 + (size_t) scale;
	while (number->len > most && number->data[number->len - 1] == '0')
		number->len--;
	return number->len <= most;
}

bool
literal_text(Buf *binary, Slice text)
{
	buf_slice(binary, text);
	return true;
}

bool
literal_uuid(Buf *binary, Slice text)
{
	unsigned byte = 0;
	int digits = 0;

	for (size_t i = 0; i < text.len; i++)
	{
		char c = text.data[i];

		if (c == '-')
			continue;
		if (!isxdigit((unsigned char) c) || digits == 32)
			return false;
		byte = byte << 4 | (unsigned) (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
		if (++digits % 2 == 0)
			buf_u8(binary, (uint8_t) byte);
	}
	return digits == 32;
}

bool
literal_date(Buf *binary, Slice text)
{
	int64_t days;

	if (!calendar_read_date(text, &days))
		return false;
	buf_u32(binary, (uint32_t) (days - CALENDAR_EPOCH_US / CALENDAR_DAY_US));
	return true;
}

bool
literal_time(Buf *binary, Slice text)
{
	int64_t us;

	if (!calendar_read_time(text, &us))
		return false;
	/* to Debezium, 24:00 as a default is the last moment before it */
	if (us == CALENDAR_DAY_US)
		us--;
	buf_u64(binary, (uint64_t) us);
	return true;
}

bool
literal_timestamp(Buf *binary, Slice text)
{
	int64_t us;

	if (!calendar_read_timestamp(text, &us))
		return false;
	buf_u64(binary, (uint64_t) (us - CALENDAR_EPOCH_US));
	return true;
}

bool
literal_interval(Buf *binary, Slice text)
{
	Interval interval;

	if (!calendar_read_interval(text, &interval))
		return false;
	buf_u64(binary, (uint64_t) interval.time_us);
	buf_u32(binary, (uint32_t) interval.days);
	buf_u32(binary, (uint32_t) interval.months);
	return true;
}

bool
literal_bits(Buf *binary, Slice text)
{
	unsigned byte = 0;

	buf_u32(binary, (uint32_t) text.len);
	for (size_t i = 0; i < text.len; i++)
	{
		if (text.data[i] != '0' && text.data[i] != '1')
			return false;
		byte = byte << 1 | (unsigned) (text.data[i] - '0');
		if (i % 8 == 7)
			buf_u8(binary, (uint8_t) byte);
	}
	if (text.len % 8 != 0)
		buf_u8(binary, (uint8_t) (byte << (8 - text.len % 8)));
	return true;
}

/*
 * The next of a character in the rest of a line.  A line ends where it does in Java's
 * regular expressions: at \n, \r, U+0085, U+2028 and U+2029.  NULL: there is none.
 */
static const char *
find_in_line(const char *at, char wanted)
{
	for (; *at != '\0' && *at != '\n' && *at != '\r'; at++)
	{
		if (*at == wanted)
			return at;
		if (strncmp(at, "\xC2\x85", 2) == 0 || strncmp(at, "\xE2\x80\xA8", 3) == 0 ||
		    strncmp(at, "\xE2\x80\xA9", 3) == 0)
			return NULL;
	}
	return NULL;
}

/* name(...) or (name(...) at the start, as Debezium's expression for generated values has
 * it. */
static bool
is_call(const char *expression)
{
	const char *name = expression + (*expression == '(');
	const char *at = name;

	while (isalnum((unsigned char) *at) || *at == '_' || *at == '.')
		at++;
	return at > name && *at == '(' && find_in_line(at, ')') != NULL;
}

/* What is between the first two quotes of one line. */
static bool
find_quoted(const char *quote, Slice *literal)
{
	const char *end;

	while ((end = find_in_line(quote + 1, '\'')) == NULL)
	{
		quote = strchr(quote + 1, '\'');
		if (quote == NULL)
			return false;
	}
	*literal = (Slice){ quote + 1, (size_t) (end - quote - 1) };
	return true;
}

static bool
is_current_time(const char *expression)
{
	return strncmp(expression, "CURRENT_", 8) == 0 ||
	       strncmp(expression, "LOCALTIME", 9) == 0;
}

bool
literal_of_label(const char *expression, Slice *literal)
{
	const char *cast = NULL;
	size_t len;

	for (const char *at = expression; (at = strstr(at, "::")) != NULL; at++)
		cast = at;
	if (cast == NULL)
		return false;
	len = (size_t) (cast - expression);
	if (len < 2 || *expression != '\'' || cast[-1] != '\'')
		return false;
	*literal = (Slice){ expression + 1, len - 2 };
	return true;
}

bool
literal_of_default(const char *expression, const char *generated, bool is_time,
                   Slice *literal)
{
	const char *quote = strchr(expression, '\'');

	if (strncmp(expression, "NULL::", 6) == 0)
		return false;
	if (is_call(expression) || (is_time && is_current_time(expression)))
		*literal = slice_from(generated);
	else if (quote == NULL)
		*literal = slice_from(expression);
	else
		return find_quoted(quote, literal);
	return true;
}
