/*
 * counted.c
 *		several texts as one.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/counted.h"

#include <ctype.h>
#include <stdlib.h>

void
counted_write(Buf *text, const char *part)
{
	buf_uint64(text, strlen(part));
	buf_char(text, ':');
	buf_text(text, part);
}

const char *
counted_read(const char **text, const Alloc *alloc)
{
	char *end = NULL;
	unsigned long length;
	const char *part;

	if (!isdigit((unsigned char) **text))
		return NULL;
	length = strtoul(*text, &end, 10);
	if (*end != ':' || strlen(end + 1) < length)
		return NULL;
	part = alloc_copy(alloc, (Slice){ end + 1, length });
	*text = end + 1 + length;
	return part;
}
