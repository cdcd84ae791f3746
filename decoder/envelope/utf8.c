/*
 * utf8.c
 *		bytes of no declared encoding, made UTF-8.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/utf8.h"

#define HIGH_BITS   UINT64_C(0x8080808080808080)
#define REPLACEMENT "\xEF\xBF\xBD"

size_t
utf8_ascii_run(Slice text)
{
	size_t at = 0;

	for (; text.len - at >= sizeof(uint64_t); at += sizeof(uint64_t))
	{
		uint64_t word;

		memcpy(&word, text.data + at, sizeof word);
		if ((word & HIGH_BITS) != 0)
			break;
	}
	while (at < text.len && ((uint8_t) text.data[at] & 0x80) == 0)
		at++;
	return at;
}

/* The length of the character beyond ASCII at the start of text; 0: it is none.  The
 * second byte's bounds are those of RFC 3629, section 4. */
static size_t
wide_character(Slice text)
{
	const uint8_t *bytes = (const uint8_t *) text.data;
	uint8_t first = bytes[0];
	size_t length = first < 0xC2 || first > 0xF4 ? 0
	                : first < 0xE0               ? 2
	                : first < 0xF0               ? 3
	                                             : 4;
	uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
	uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;

	if (length == 0 || length > text.len || bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((bytes[i] & 0xC0) != 0x80)
			return 0;
	return length;
}

size_t
utf8_valid_run(Slice text)
{
	size_t at = 0;

	while (at < text.len)
	{
		size_t run = utf8_ascii_run((Slice){ text.data + at, text.len - at });

		if (run == 0)
			run = wide_character((Slice){ text.data + at, text.len - at });
		if (run == 0)
			break;
		at += run;
	}
	return at;
}

uint64_t
utf8_append(Buf *buf, Slice text)
{
	uint64_t replaced = 0;

	for (;;)
	{
		size_t valid = utf8_valid_run(text);

		buf_append(buf, text.data, valid);
		if (valid == text.len)
			return replaced;
		buf_text(buf, REPLACEMENT);
		replaced++;
		text.data += valid + 1;
		text.len -= valid + 1;
	}
}

void
utf8_patch(char *text)
{
	size_t len = strlen(text);
	size_t at = 0;

	while ((at += utf8_valid_run((Slice){ text + at, len - at })) < len)
		text[at++] = '?';
}
