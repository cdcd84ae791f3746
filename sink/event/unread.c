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

/* A name as it stands in a list, and what is behind it. */
typedef struct Entry
{
	Slice name;
	Slice partial; /* data NULL: nothing */
} Entry;

static bool
next_entry(const char **list, Entry *entry)
{
	const char *from = *list;
	size_t len;

	if (from == NULL || *from == '\0')
		return false;
	len = strcspn(from, "@,");
	*entry = (Entry){ .name = { from, len } };
	from += len;
	if (*from == '@')
	{
		len = strcspn(from, ",") - 1;
		entry->partial = (Slice){ from + 1, len };
		from += 1 + len;
	}
	*list = *from == ',' ? from + 1 : from;
	return true;
}

const char *
unread_next(const char **list, Arena *arena)
{
	Entry entry;
	size_t len = 0;
	char *name;

	if (!next_entry(list, &entry))
		return NULL;
	name = arena_alloc(arena, entry.name.len + 1);
	for (const char *at = entry.name.data, *end = at + entry.name.len; at < end; at++)
	{
		name[len] = *at;
		if (*at == '%' && end - at > 2 && isxdigit((unsigned char) at[1]) &&
		    isxdigit((unsigned char) at[2]))
		{
			name[len] = (char) (hex_value(at[1]) << 4 | hex_value(at[2]));
			at += 2;
		}
		len++;
	}
	name[len] = '\0';
	return name;
}

static bool
find_entry(const char *list, const char *name, Entry *entry)
{
	Buf encoded = buf_heap();
	bool found = false;

	if (name != NULL)
		unread_encode(&encoded, name);
	while (encoded.len > 0 && !found && next_entry(&list, entry))
		found = slice_equal(entry->name, (Slice){ encoded.data, encoded.len });
	buf_free(&encoded);
	return found;
}

bool
unread_has(const char *list, const char *name)
{
	Entry entry;

	return find_entry(list, name, &entry);
}

const char *
unread_partial(Arena *arena, const char *list, const char *name)
{
	Entry entry;

	return find_entry(list, name, &entry) && entry.partial.len > 0
	           ? arena_strndup(arena, entry.partial.data, entry.partial.len)
	           : NULL;
}

/* Append an entry to the list in buf. */
static void
append(Buf *buf, const Entry *entry)
{
	if (buf->len > 0)
		buf_char(buf, ',');
	buf_slice(buf, entry->name);
	if (entry->partial.len == 0)
		return;
	buf_char(buf, '@');
	buf_slice(buf, entry->partial);
}

const char *
unread_name(Buf *buf, const Relation *relation)
{
	bool is_leaf = relation->root_relid != 0;

	buf_text(buf, is_leaf ? relation->root_schema : relation->schema);
	buf_char(buf, '.');
	buf_text(buf, is_leaf ? relation->root_name : relation->name);
	return buf_cstr(buf);
}

/* list with partial (len 0: nothing) in the entry of name, where it has that and another.
 */
static const char *
set_partial(Arena *arena, const char *list, const char *name, Slice partial)
{
	Buf buf = buf_heap();
	const char *rest = list;
	Entry found;
	Entry entry;

	if (!find_entry(list, name, &found) || slice_equal(found.partial, partial))
		return list;
	while (next_entry(&rest, &entry))
	{
		if (entry.name.data == found.name.data)
			entry.partial = partial;
		append(&buf, &entry);
	}
	list = arena_strndup(arena, buf.data, buf.len);
	buf_free(&buf);
	return list;
}

const char *
unread_advance(Arena *arena, const char *list, const Relation *relation, const char *text)
{
	Buf name = buf_heap();
	Entry found;
	PartRead part;

	if (partial_next(&text, &part) &&
	    find_entry(list, unread_name(&name, relation), &found))
		list = set_partial(arena,
		                   list,
		                   buf_cstr(&name),
		                   slice_from(partial_with(arena, found.partial.data, &part)));
	buf_free(&name);
	return list;
}

const char *
unread_forget(Arena *arena, const char *list, const Relation *relation)
{
	Buf name = buf_heap();

	list = set_partial(arena, list, unread_name(&name, relation), (Slice){ NULL, 0 });
	buf_free(&name);
	return list;
}

const char *
unread_add(Arena *arena, const char *list, const char *more)
{
	Arena *scratch = arena_new();
	Buf buf = buf_heap();
	Buf name = buf_heap();
	const char *text;
	bool is_new = false;

	if (list != NULL)
		buf_text(&buf, list);
	while ((text = unread_next(&more, scratch)) != NULL)
		if (!unread_has(buf_cstr(&buf), text))
		{
			buf_reset(&name);
			unread_encode(&name, text);
			append(&buf, &(Entry){ .name = { name.data, name.len } });
			is_new = true;
		}
	if (is_new)
		list = arena_strndup(arena, buf.data, buf.len);
	buf_free(&name);
	buf_free(&buf);
	arena_free(scratch);
	return list;
}

const char *
unread_renew(Arena *arena, const char *list, const char *more)
{
	Arena *scratch = arena_new();
	const char *rest = more;
	const char *name;

	list = unread_add(arena, list, more);
	while ((name = unread_next(&rest, scratch)) != NULL)
		list = set_partial(arena, list, name, (Slice){ NULL, 0 });
	arena_free(scratch);
	return list;
}

const char *
unread_remove(Arena *arena, const char *list, const char *name)
{
	Buf buf = buf_heap();
	Entry found;
	Entry entry;

	if (find_entry(list, name, &found))
	{
		while (next_entry(&list, &entry))
			if (!slice_equal(entry.name, found.name))
				append(&buf, &entry);
		list = buf.len == 0 ? NULL : arena_strndup(arena, buf.data, buf.len);
	}
	buf_free(&buf);
	return list;
}

const char *
unread_complete(Arena *arena, const char *list, const Relation *relation,
                const char *text)
{
	Buf name = buf_heap();

	list = relation->root_relid != 0 || relation->relkind == 'p'
	           ? unread_advance(arena, list, relation, text)
	           : unread_remove(arena, list, unread_name(&name, relation));
	buf_free(&name);
	return list;
}
