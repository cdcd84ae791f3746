/*
 * json.c
 *		JSON strings, as Jackson writes them.
 *
 * The quote, the backslash and the control characters below U+0020 are escaped,
 * and characters beyond U+FFFF, in UTF-8 those that start with a byte from 0xF0,
 * are two escaped surrogates.  Everything else, DEL and U+2028 included, is
 * written as it is.  Text is copied in runs of plain bytes, found eight at a time.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/value.h"

#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* The high bit of each byte of word that is zero; exact up to the first one. */
static inline uint64_t
zero_bytes(uint64_t word)
{
	return (word - ONES) & ~word & HIGHS;
}

/* The high bits of the bytes that need an escape. */
static inline uint64_t
special_bytes(uint64_t word)
{
	uint64_t control = (word - ONES * 0x20) & ~word & HIGHS;

	return control | zero_bytes(word ^ ONES * '"') | zero_bytes(word ^ ONES * '\\');
}

/* The high bits of the bytes from 0xF0. */
static inline uint64_t
wide_bytes(uint64_t word)
{
	return word & word << 1 & word << 2 & word << 3 & HIGHS;
}

/* How many bytes from the start need no escape. */
static size_t
plain_run(const char *bytes, size_t len, bool wide)
{
	size_t i = 0;

	for (; len - i >= 8; i += 8)
	{
		uint64_t word;
		uint64_t special;

		memcpy(&word, bytes + i, sizeof word);
		special = special_bytes(word);
		if (wide)
			special |= wide_bytes(word);
		if (special != 0)
			return i + (size_t) __builtin_ctzll(special) / 8;
	}
	for (; i < len; i++)
		if ((uint8_t) bytes[i] < 0x20 || bytes[i] == '"' || bytes[i] == '\\' ||
		    (wide && (uint8_t) bytes[i] >= 0xF0))
			break;
	return i;
}

static char *
put_escape(char *at, uint8_t c)
{
	static const char letters[32] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
	};
	static const char hex[] = "0123456789ABCDEF";

	*at++ = '\\';
	if (c >= 0x20)
		*at++ = (char) c;
	else if (letters[c] != 0)
		*at++ = letters[c];
	else
	{
		memcpy(at, "u00", 3);
		at[3] = hex[c >> 4];
		at[4] = hex[c & 15];
		at += 5;
	}
	return at;
}

static char *
put_unit(char *at, unsigned unit)
{
	static const char hex[] = "0123456789ABCDEF";

	*at++ = '\\';
	*at++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*at++ = hex[unit >> shift & 15];
	return at;
}

/* The character that starts text, in four bytes of UTF-8, as two surrogates. */
static char *
put_surrogates(char *at, Slice text)
{
	unsigned point = (unsigned) text.data[0] & 7;

	for (int i = 1; i < 4; i++)
		point = point << 6 | ((unsigned) text.data[i] & 0x3F);
	point -= 0x10000;
	at = put_unit(at, 0xD800 + (point >> 10));
	return put_unit(at, 0xDC00 + (point & 0x3FF));
}

static inline void
put_string(Buf *buf, Slice text, bool wide)
{
	char *at = buf_reserve(buf, text.len + 2);

	*at++ = '"';
	for (;;)
	{
		size_t run = plain_run(text.data, text.len, wide);
		size_t used = 1;

		memcpy(at, text.data, run);
		at += run;
		if (run == text.len)
			break;
		text.data += run;
		text.len -= run;
		/* room for this escape, what is left, and the closing quote */
		buf->len = (size_t) (at - buf->data);
		at = buf_reserve(buf, text.len + 16);
		if ((uint8_t) text.data[0] < 0xF0)
			at = put_escape(at, (uint8_t) text.data[0]);
		else if (text.len >= 4)
		{
			at = put_surrogates(at, text);
			used = 4;
		}
		else
			*at++ = text.data[0]; /* not UTF-8: as it is */
		text.data += used;
		text.len -= used;
	}
	*at++ = '"';
	buf->len = (size_t) (at - buf->data);
}

void
json_string(Buf *buf, Slice text)
{
	put_string(buf, text, true);
}

void
json_string_raw(Buf *buf, Slice text)
{
	put_string(buf, text, false);
}
