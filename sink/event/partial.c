/*
 * partial.c
 *		parts of tables as texts.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "event/partial.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

void
partial_print(Buf *buf, const PartRead *part)
{
	buf_uint64(buf, part->relid);
	buf_char(buf, ':');
	buf_uint64(buf, part->filenode);
	buf_char(buf, ':');
	buf_uint64(buf, part->pages);
	buf_char(buf, ':');
	buf_uint64(buf, part->xmin);
}

/* A number that ends at end or, with end 0, at the part's end, which stays. */
static bool
read_number(const char **at, char end, uint64_t most, uint64_t *number)
{
	char *stop;

	if (!isdigit((unsigned char) **at))
		return false;
	errno = 0;
	*number = strtoull(*at, &stop, 10);
	if (errno != 0 || *number > most ||
	    (end != '\0' ? *stop != end : *stop != '+' && *stop != ',' && *stop != '\0'))
		return false;
	*at = stop + (end != '\0');
	return true;
}

bool
partial_next(const char **text, PartRead *part)
{
	const char *at = *text;
	uint64_t relid;
	uint64_t filenode;

	if (at == NULL || !read_number(&at, ':', UINT32_MAX, &relid) ||
	    !read_number(&at, ':', UINT32_MAX, &filenode) ||
	    !read_number(&at, ':', UINT64_MAX, &part->pages) ||
	    !read_number(&at, '\0', UINT64_MAX, &part->xmin))
		return false;
	part->relid = (uint32_t) relid;
	part->filenode = (uint32_t) filenode;
	*text = at + (*at == '+');
	return true;
}

bool
partial_find(const char *text, uint32_t relid, PartRead *part)
{
	while (partial_next(&text, part))
		if (part->relid == relid)
			return true;
	return false;
}

static void
append(Buf *buf, const PartRead *part)
{
	if (buf->len > 0)
		buf_char(buf, '+');
	partial_print(buf, part);
}

/* The text in buf, which is freed. */
static const char *
finish(Arena *arena, Buf *buf)
{
	const char *text = buf->len == 0 ? NULL : arena_strndup(arena, buf->data, buf->len);

	buf_free(buf);
	return text;
}

const char *
partial_with(Arena *arena, const char *text, const PartRead *part)
{
	Buf buf = buf_heap();
	PartRead other;

	while (partial_next(&text, &other))
		if (other.relid != part->relid)
			append(&buf, &other);
	append(&buf, part);
	return finish(arena, &buf);
}

const char *
partial_meet(Arena *arena, const char *a, const char *b)
{
	Buf buf = buf_heap();
	PartRead part;
	PartRead other;

	while (partial_next(&a, &part))
	{
		if (!partial_find(b, part.relid, &other) || other.filenode != part.filenode)
			continue;
		if (other.pages < part.pages)
			part.pages = other.pages;
		if (other.xmin < part.xmin)
			part.xmin = other.xmin;
		append(&buf, &part);
	}
	return finish(arena, &buf);
}
