/*
 * unread.c
 *		lists of tables as texts.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "event/unread.h"

#include <ctype.h>
#include <string.h>

void
unread_encode(Buf *buf, const char *name)
{
	for (; *name != '\0'; name++)
		if (isalnum((unsigned char) *name) || *name == '_' || *name == '-' ||
		    *name == '.')
			buf_char(buf, *name);
		else
			buf_printf(buf, "%%%02X", (unsigned char) *name);
}

static int
hex_value(char c)
{
	return isdigit((unsigned char) c) ? c - '0' : toupper((unsigned char) c) - 'A' + 10;
}

const char *
unread_next(const char **list, Arena *arena)
{
	const char *from = *list;
	size_t left;
	size_t len = 0;
	char *name;

	if (from == NULL || *from == '\0')
		return NULL;
	left = strcspn(from, ",");
	name = arena_alloc(arena, left + 1);
	for (; left > 0; left--, from++)
	{
		name[len] = *from;
		if (*from == '%' && left > 2 && isxdigit((unsigned char) from[1]) &&
		    isxdigit((unsigned char) from[2]))
		{
			name[len] = (char) (hex_value(from[1]) << 4 | hex_value(from[2]));
			from += 2;
			left -= 2;
		}
		len++;
	}
	name[len] = '\0';
	*list = *from == ',' ? from + 1 : from;
	return name;
}

bool
unread_has(const char *list, const char *name)
{
	Buf encoded = buf_heap();
	bool found = false;

	if (name != NULL)
		unread_encode(&encoded, name);
	while (list != NULL && *list != '\0' && !found)
	{
		size_t len = strcspn(list, ",");

		found = len > 0 && len == encoded.len && memcmp(list, encoded.data, len) == 0;
		list += len + (list[len] == ',');
	}
	buf_free(&encoded);
	return found;
}

/* Append name to the list in buf. */
static void
append(Buf *buf, const char *name)
{
	if (buf->len > 0)
		buf_char(buf, ',');
	unread_encode(buf, name);
}

const char *
unread_add(Arena *arena, const char *list, const char *more)
{
	Arena *scratch = arena_new();
	Buf buf = buf_heap();
	const char *name;
	bool is_new = false;

	if (list != NULL)
		buf_text(&buf, list);
	while ((name = unread_next(&more, scratch)) != NULL)
		if (!unread_has(buf_cstr(&buf), name))
		{
			append(&buf, name);
			is_new = true;
		}
	if (is_new)
		list = arena_strndup(arena, buf.data, buf.len);
	buf_free(&buf);
	arena_free(scratch);
	return list;
}

const char *
unread_remove(Arena *arena, const char *list, const char *name)
{
	Arena *scratch = arena_new();
	Buf buf = buf_heap();
	const char *other;

	if (unread_has(list, name))
	{
		while ((other = unread_next(&list, scratch)) != NULL)
			if (strcmp(other, name) != 0)
				append(&buf, other);
		list = buf.len == 0 ? NULL : arena_strndup(arena, buf.data, buf.len);
	}
	buf_free(&buf);
	arena_free(scratch);
	return list;
}

const char *
unread_remove_table(Arena *arena, const char *list, const Relation *relation)
{
	Buf name = buf_heap();

	if (relation->root_relid == 0)
	{
		buf_text(&name, relation->schema);
		buf_char(&name, '.');
		buf_text(&name, relation->name);
		list = unread_remove(arena, list, buf_cstr(&name));
	}
	buf_free(&name);
	return list;
}
