/*
 * lsn.c
 *		WAL positions as text.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/lsn.h"

#include <ctype.h>
#include <stdio.h>

const char *
lsn_format(Lsn lsn, char text[LSN_TEXT_SIZE])
{
	(void) snprintf(text, LSN_TEXT_SIZE, "%X/%X", LSN_ARGS(lsn));
	return text;
}

static const char *
read_hex(const char *text, uint64_t *value)
{
	int digits = 0;

	*value = 0;
	for (; isxdigit((unsigned char) *text) && digits < 9; text++, digits++)
	{
		int c = tolower((unsigned char) *text);

		*value = *value << 4 | (uint64_t) (c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return digits >= 1 && digits <= 8 ? text : NULL;
}

bool
lsn_parse(const char *text, Lsn *lsn)
{
	uint64_t high;
	uint64_t low;

	text = read_hex(text, &high);
	if (text == NULL || *text != '/')
		return false;
	text = read_hex(text + 1, &low);
	if (text == NULL || *text != '\0')
		return false;
	*lsn = high << 32 | low;
	return true;
}
