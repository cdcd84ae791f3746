/*
 * scan.c
 *		JSON (RFC 8259) by its brackets and quotes.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/scan.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

char
scan_peek(Scan *scan)
{
	while (scan->at < scan->end && is_blank(*scan->at))
		scan->at++;
	return scan->at < scan->end ? *scan->at : '\0';
}

bool
scan_take(Scan *scan, char c)
{
	if (scan_peek(scan) != c || scan->at == scan->end)
		return false;
	scan->at++;
	return true;
}

/* From the opening quote to after the closing one: the first with an even number of
 * backslashes before it. */
static bool
skip_string(Scan *scan)
{
	const char *start = scan->at + 1;

	for (const char *at = start; at < scan->end; at++)
	{
		size_t backslashes = 0;

		at = memchr(at, '"', (size_t) (scan->end - at));
		if (at == NULL)
			return false;
		while (at - backslashes > start && at[-1 - (ptrdiff_t) backslashes] == '\\')
			backslashes++;
		if (backslashes % 2 == 0)
		{
			scan->at = at + 1;
			return true;
		}
	}
	return false;
}

/* From the opening bracket to after its closing one. */
static bool
skip_nested(Scan *scan)
{
	size_t depth = 0;

	while (scan->at < scan->end)
	{
		char c = *scan->at;

		if (c == '"')
		{
			if (!skip_string(scan))
				return false;
			continue;
		}
		scan->at++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			return true;
	}
	return false;
}

static bool
ends_literal(char c)
{
	return c == ',' || c == '}' || c == ']' || c == ':' || is_blank(c);
}

bool
scan_value(Scan *scan, Slice *value)
{
	char c = scan_peek(scan);
	const char *start = scan->at;
	bool ok = true;

	if (c == '"')
		ok = skip_string(scan);
	else if (c == '{' || c == '[')
		ok = skip_nested(scan);
	else
		while (scan->at < scan->end && !ends_literal(*scan->at))
			scan->at++;
	*value = (Slice){ start, (size_t) (scan->at - start) };
	return ok && value->len > 0;
}

bool
scan_item(Scan *scan, bool *first, bool *more)
{
	char c = scan_peek(scan);

	*more = c != ']' && c != '}';
	if (!*more)
		scan->at++;
	else if (!*first && !scan_take(scan, ','))
		return false;
	*first = false;
	return true;
}

bool
scan_member(Scan *scan, bool *first, Slice *name, bool *more)
{
	if (!scan_item(scan, first, more))
		return false;
	return !*more ||
	       (scan_peek(scan) == '"' && scan_value(scan, name) && scan_take(scan, ':'));
}

/* ---- Strings ---- */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char) (c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four digits; -1: they are none. */
static int32_t
read_unit(const char *at, const char *end)
{
	int32_t unit = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

static char *
put_utf8(char *to, uint32_t code)
{
	if (code < 0x80)
		*to++ = (char) code;
	else if (code < 0x800)
	{
		*to++ = (char) (0xC0 | code >> 6);
		*to++ = (char) (0x80 | (code & 0x3F));
	}
	else if (code < 0x10000)
	{
		*to++ = (char) (0xE0 | code >> 12);
		*to++ = (char) (0x80 | (code >> 6 & 0x3F));
		*to++ = (char) (0x80 | (code & 0x3F));
	}
	else
	{
		*to++ = (char) (0xF0 | code >> 18);
		*to++ = (char) (0x80 | (code >> 12 & 0x3F));
		*to++ = (char) (0x80 | (code >> 6 & 0x3F));
		*to++ = (char) (0x80 | (code & 0x3F));
	}
	return to;
}

/* What \u stands for, with the second half of a pair; at is behind the u. */
static const char *
unescape_unit(const char *at, const char *end, char **to)
{
	int32_t unit = read_unit(at, end);
	int32_t low;
	uint32_t code;

	if (unit < 0)
		return NULL;
	at += 4;
	code = (uint32_t) unit;
	if (unit >= 0xD800 && unit < 0xE000)
	{
		low = end - at >= 6 && at[0] == '\\' && at[1] == 'u' ? read_unit(at + 2, end) : 0;
		code = 0xFFFD;
		if (unit < 0xDC00 && low >= 0xDC00 && low < 0xE000)
		{
			code = 0x10000 + (((uint32_t) unit - 0xD800) << 10) + (uint32_t) low - 0xDC00;
			at += 6;
		}
	}
	*to = put_utf8(*to, code);
	return at;
}

const char *
scan_unescape(const char *at, const char *end, char **to)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	const char *letter;

	if (at == end)
		return NULL;
	if (*at == 'u')
		return unescape_unit(at + 1, end, to);
	letter = *at == '\0' ? NULL : strchr(letters, *at);
	if (letter == NULL)
		return NULL;
	*(*to)++ = meanings[letter - letters];
	return at + 1;
}

bool
scan_strip_quotes(Slice json, Slice *inner)
{
	if (json.len < 2 || json.data[0] != '"' || json.data[json.len - 1] != '"')
		return false;
	*inner = (Slice){ json.data + 1, json.len - 2 };
	return true;
}
