/*
 * fuzz_stored.c
 *		libFuzzer over texts that the worker stores elsewhere and reads again: positions,
 *		tables still to be read, columns of a silver table, row filters.
 *
 * The input is one byte, which says what it is, then the text.  It is refused with a
 * message, or written and read again the same.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "support.h"

#include <inttypes.h>
#include <stdlib.h>

#include "envelope/row_filter.h"
#include "event/position.h"
#include "event/unread.h"
#include "lake/shape.h"

/* Text, with the checksum that its writer would have put behind it. */
static Slice
with_checksum(Arena *arena, Slice text)
{
	uint32_t hash = 2166136261U;
	char *line;

	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char) text.data[i]) * 16777619U;
	line =
		arena_printf(arena, "%.*s checksum=%08" PRIx32, (int) text.len, text.data, hash);
	return (Slice){ line, strlen(line) };
}

static void
read_position(Arena *arena, Slice text)
{
	Position position;
	Position again;
	Buf first = buf_heap();
	Buf second = buf_heap();
	Err err = { .kind = ERR_NONE };

	if (position_parse(text, &position, &err))
	{
		position_parse_texts(arena, text, &position);
		position_print(&first, &position);
		if (!position_parse((Slice){ first.data, first.len }, &again, &err))
			abort();
		position_parse_texts(arena, (Slice){ first.data, first.len }, &again);
		position_print(&second, &again);
		if (!slice_equal((Slice){ first.data, first.len },
		                 (Slice){ second.data, second.len }))
			abort();
	}
	else if (err.kind == ERR_NONE || err.text[0] == '\0')
		abort();
	buf_free(&first);
	buf_free(&second);
}

/* As it is, and as if its writer had written it. */
static void
read_positions(Arena *arena, Slice text)
{
	read_position(arena, text);
	read_position(arena, with_checksum(arena, text));
}

/* Parts of tables: what is read is printed so that it is read again, and is what both of
 * two equal ones have. */
static void
read_parts(Arena *arena, Slice text)
{
	const char *rest = text.data;
	const char *all = NULL;
	const char *both;
	PartRead part;
	PartRead again;

	while (partial_next(&rest, &part))
		all = partial_with(arena, all, &part);
	both = partial_meet(arena, all, all);
	if ((all == NULL) != (both == NULL) || (all != NULL && strcmp(all, both) != 0))
		abort();
	for (rest = all; partial_next(&rest, &part);)
		if (!partial_find(all, part.relid, &again) || again.pages != part.pages)
			abort();
	rest = text.data;
	for (const char *name; (name = unread_next(&rest, arena)) != NULL;)
	{
		const char *of_name = unread_partial(arena, text.data, name);

		(void) partial_next(&of_name, &part);
	}
}

/* A list takes whatever names another gives, and gives each of them back. */
static void
read_unread(Arena *arena, Slice text)
{
	const char *rest = text.data;
	const char *list = NULL;
	const char *name;

	while ((name = unread_next(&rest, arena)) != NULL)
	{
		Buf encoded = buf_heap();

		unread_encode(&encoded, name);
		if (encoded.len > 0)
			list = unread_add(arena, list, buf_cstr(&encoded));
		buf_free(&encoded);
	}
	rest = list;
	while ((name = unread_next(&rest, arena)) != NULL)
	{
		if (!unread_has(list, name))
			abort();
		list = unread_remove(arena, list, name);
		if (unread_has(list, name))
			abort();
	}
	if (list != NULL && *list != '\0')
		abort();
	read_parts(arena, text);
}

static void
read_shape(Arena *arena, Slice text)
{
	static const IcebergField fields[] = {
		{ .id = 1, .name = "id", .type = { .kind = ICEBERG_LONG } },
		{ .id = 2, .name = "_op", .type = { .kind = ICEBERG_STRING } },
		{ .id = 3, .name = "_lsn", .type = { .kind = ICEBERG_LONG } },
		{ .id = 4, .name = "_commit_ts", .type = { .kind = ICEBERG_TIMESTAMPTZ } },
		{ .id = 5, .name = "_dq_flags", .type = { .kind = ICEBERG_STRING } },
		{ .id = 6, .name = "_overflow", .type = { .kind = ICEBERG_STRING } },
	};
	static const int32_t key[] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	static const IcebergSchema schema = {
		.fields = fields, .field_count = 6, .identifier_ids = key, .identifier_count = 8
	};
	Shape *shape;
	Shape *again;
	const char *printed;
	Err err = { .kind = ERR_NONE };

	if (!shape_read(&schema, text.data, &shape, &err))
		return;
	printed = shape_print(shape, 7, arena);
	if (!shape_read(&schema, printed, &again, &err) ||
	    strcmp(shape_print(again, 7, arena), printed) != 0)
		abort();
	shape_free(again);
	shape_free(shape);
}

static void
read_row_filters(Arena *arena, Slice text)
{
	Alloc alloc = arena_as_alloc(arena);
	RowFilters filters = { 0 };
	RowFilters again = { 0 };
	Buf first = buf_heap();
	Buf second = buf_heap();
	EnvError error = { 0 };

	if (row_filter_read(&filters, text.data, &alloc, &error))
	{
		row_filter_write(&filters, &first);
		if (!row_filter_read(&again, buf_cstr(&first), &alloc, &error))
			abort();
		row_filter_write(&again, &second);
		if (strcmp(buf_cstr(&first), buf_cstr(&second)) != 0)
			abort();
	}
	else if (error.message[0] == '\0')
		abort();
	buf_free(&first);
	buf_free(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(Arena *, Slice) = {
		read_positions,
		read_unread,
		read_shape,
		read_row_filters,
	};
	Input input = { data, size };
	Arena *arena = arena_new();
	unsigned reader = input_byte(&input) % 4;
	const char *text = arena_strndup(arena, (const char *) input.at, input.left);

	readers[reader](arena, (Slice){ text, input.left });
	arena_free(arena);
	return 0;
}
