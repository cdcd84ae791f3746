/*
 * fuzz_copy.c
 *		libFuzzer over the bytes of COPY (FORMAT binary).
 *
 * The input is one byte for the size of the pieces, whose top bit masks a column, then
 *the stream.  Whole or in pieces, it gives the same rows, and is refused or not.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "support.h"

#include <stdlib.h>

#include "envelope/value.h"
#include "source/snapshot_copy.h"

/* Feed the stream in pieces, each a block of its own. */
static bool
feed(const Relation *relation, const EnvOptions *options, Input input, size_t piece,
     Batch *batch)
{
	CopyReader reader = { 0 };
	bool ok = true;
	Err err = { .kind = ERR_NONE };

	copy_reader_begin(&reader, relation, options, (input.left & 1) != 0, batch->arena);
	while (ok && input.left > 0)
	{
		size_t len = input.left < piece ? input.left : piece;
		char *bytes = xmalloc(len);

		memcpy(bytes, input.at, len);
		ok = copy_reader_feed(&reader, (Slice){ bytes, len }, batch, &err);
		free(bytes);
		input.at += len;
		input.left -= len;
	}
	if (!ok && (err.kind == ERR_NONE || err.text[0] == '\0'))
		abort();
	if (reader.rows != batch->count)
		abort();
	copy_reader_fini(&reader);
	return ok;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input input = { data, size };
	RelationColumn columns[] = {
		{ .name = "id", .base_oid = TYPE_INT4 },
		{ .name = "net", .base_oid = 869 },
		{ .name = "note", .base_oid = TYPE_TEXT },
	};
	Relation relation = {
		.schema = "s", .name = "t", .column_count = 3, .columns = columns
	};
	BatchBudget budget = { .limit = SIZE_MAX, .wake_fd = -1 };
	Arena *arena = arena_new();
	Batch *whole = batch_new(&budget);
	Batch *pieces = batch_new(&budget);
	unsigned first = input_byte(&input);
	size_t piece = 1 + first % 128;
	Alloc alloc = arena_as_alloc(arena);
	EnvOptions options;
	EnvError ignored;

	for (int i = 0; i < 3; i++)
	{
		columns[i].type_kind = 'b';
		columns[i].type_name = columns[i].element_name = "";
	}
	env_options_init(&options, &alloc);
	if (first >= 128 &&
	    !env_option_set(
			&options, "column.truncate.to.3.chars", "s.t.note", &alloc, &ignored))
		abort();
	if (feed(&relation, &options, input, SIZE_MAX, whole) !=
	    feed(&relation, &options, input, piece, pieces))
		abort();
	if (whole->count != pieces->count)
		abort();
	for (size_t i = 0; i < whole->count; i++)
	{
		Value values[3];
		EnvError error;

		if (!slice_equal(whole->events[i].new_tuple, pieces->events[i].new_tuple) ||
		    !value_read_tuple(whole->events[i].new_tuple, values, 3, &error))
			abort();
	}
	batch_unref(whole);
	batch_unref(pieces);
	env_options_fini(&options);
	arena_free(arena);
	return 0;
}
