/*
 * json.c
 *		JSON strings, as Jackson writes them.
 *
 * Only the quote, the backslash and the control characters below U+0020 are
 * escaped; everything else, DEL and U+2028 included, is written as it is.  Text is
 * copied in runs of plain bytes, found eight at a time.
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

/* How many bytes from the start need no escape. */
static size_t
plain_run(const char *bytes, size_t len)
{
	size_t i = 0;

	for (; len - i >= 8; i += 8)
	{
		uint64_t word;
		uint64_t special;

		memcpy(&word, bytes + i, sizeof word);
		special = special_bytes(word);
		if (special != 0)
			return i + (size_t) __builtin_ctzll(special) / 8;
	}
	for (; i < len; i++)
		if ((uint8_t) bytes[i] < 0x20 || bytes[i] == '"' || bytes[i] == '\\')
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

void
json_string(Buf *buf, Slice text)
{
	char *at = buf_reserve(buf, text.len + 2);

	*at++ = '"';
	for (;;)
	{
		size_t run = plain_run(text.data, text.len);

		memcpy(at, text.data, run);
		at += run;
		if (run == text.len)
			break;
		/* room for this escape, what is left, and the closing quote */
		buf->len = (size_t) (at - buf->data);
		at = buf_reserve(buf, text.len - run + 8);
		at = put_escape(at, (uint8_t) text.data[run]);
		text.data += run + 1;
		text.len -= run + 1;
	}
	*at++ = '"';
	buf->len = (size_t) (at - buf->data);
}
