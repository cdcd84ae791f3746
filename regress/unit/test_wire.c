/*
 * test_wire.c
 *		frames and Relation messages: round trips, and lengths that lie.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "envelope/relation.h"
#include "envelope/wire.h"

static Slice
written(const Buf *buf)
{
	return (Slice){ buf->data, buf->len };
}

/* A copy that ends where the bytes do, so that a sanitizer sees a read beyond. */
static Slice
exact_copy(const char *data, size_t len, char **block)
{
	*block = xmalloc(len == 0 ? 1 : len);
	if (len > 0)
		memcpy(*block, data, len);
	return (Slice){ *block, len };
}

static void
write_update(Buf *frame)
{
	size_t mark = wire_begin_message(frame, 0x1122334455667788, 'U');

	buf_u32(frame, 16384);
	buf_char(frame, 'K');
	buf_u16(frame, 2);
	wire_value(frame, 'b', "\0\0\0\7", 4);
	buf_char(frame, 'n');
	buf_char(frame, 'N');
	buf_u16(frame, 2);
	wire_value(frame, 't', "x", 1);
	buf_char(frame, 'u');
	wire_end_message(frame, mark);
}

static void
write_frame(Buf *frame)
{
	size_t mark;

	wire_begin_frame(frame);
	mark = wire_begin_message(frame, 100, 'B');
	buf_u64(frame, 200);
	buf_u64(frame, 300);
	buf_u32(frame, 7);
	wire_end_message(frame, mark);
	write_update(frame);
	mark = wire_begin_message(frame, 210, 'C');
	buf_u8(frame, 0);
	buf_u64(frame, 200);
	buf_u64(frame, 210);
	buf_u64(frame, 300);
	wire_end_message(frame, mark);
}

static void
frame_round_trip(void **state)
{
	Buf frame = buf_heap();
	WireReader reader;
	WireMessage message;
	WireBegin begin;
	WireChange change;
	WireCommit commit;
	EnvError error;

	(void) state;
	write_frame(&frame);
	assert_true(wire_open_frame(written(&frame), &reader, &error));

	assert_true(wire_next(&reader, &message));
	assert_int_equal(message.type, 'B');
	assert_int_equal(message.lsn, 100);
	assert_true(wire_read_begin(message.body, &begin, &error));
	assert_int_equal(begin.final_lsn, 200);
	assert_int_equal(begin.commit_time, 300);
	assert_int_equal(begin.xid, 7);

	assert_true(wire_next(&reader, &message));
	assert_int_equal(message.type, 'U');
	assert_true(message.lsn == 0x1122334455667788);
	assert_true(wire_read_change('U', message.body, &change, &error));
	assert_int_equal(change.relid, 16384);
	assert_int_equal(change.old_kind, 'K');
	assert_int_equal(change.old_tuple.len, 2 + 9 + 1);
	assert_int_equal(change.new_tuple.len, 2 + 6 + 1);

	assert_true(wire_next(&reader, &message));
	assert_int_equal(message.type, 'C');
	assert_true(wire_read_commit(message.body, &commit, &error));
	assert_int_equal(commit.commit_lsn, 200);
	assert_int_equal(commit.end_lsn, 210);

	assert_false(wire_next(&reader, &message));
	assert_false(reader.failed);
	buf_free(&frame);
}

/* Read everything there is; whether no fault was met. */
static bool
read_all(Slice frame)
{
	WireReader reader;
	WireMessage message;
	EnvError error;

	if (!wire_open_frame(frame, &reader, &error))
		return false;
	while (wire_next(&reader, &message))
	{
		WireBegin begin;
		WireChange change;
		WireCommit commit;
		bool ok = true;

		switch (message.type)
		{
			case 'B':
				ok = wire_read_begin(message.body, &begin, &error);
				break;
			case 'I':
			case 'U':
			case 'D':
				ok = wire_read_change(message.type, message.body, &change, &error);
				break;
			case 'C':
				ok = wire_read_commit(message.body, &commit, &error);
				break;
			default:
				ok = false;
				break;
		}
		if (!ok)
			return false;
	}
	return !reader.failed;
}

/* A frame cut anywhere but between two messages is refused. */
static void
frame_cut_short(void **state)
{
	Buf frame = buf_heap();
	int whole = 0;

	(void) state;
	write_frame(&frame);
	for (size_t len = 0; len <= frame.len; len++)
	{
		char *block;

		whole += read_all(exact_copy(frame.data, len, &block));
		free(block);
	}
	assert_int_equal(whole, 4); /* the version alone, and after each message */
	buf_free(&frame);
}

/* Every byte set to hostile values: no read beyond the end (the sanitizers judge). */
static void
frame_hostile(void **state)
{
	static const unsigned char values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff, 'n', 'b', 'N' };
	Buf frame = buf_heap();

	(void) state;
	write_frame(&frame);
	for (size_t at = 0; at < frame.len; at++)
	{
		for (size_t v = 0; v < sizeof values; v++)
		{
			char *block;
			Slice copy = exact_copy(frame.data, frame.len, &block);

			block[at] = (char) values[v];
			(void) read_all(copy);
			free(block);
		}
	}
	buf_free(&frame);
}

static void
frame_version(void **state)
{
	WireReader reader;
	EnvError error;

	(void) state;
	assert_false(wire_open_frame((Slice){ "\2", 1 }, &reader, &error));
	assert_string_equal(error.message, "unrecognized frame version 2, expected 1");
	assert_false(wire_open_frame((Slice){ "", 0 }, &reader, &error));
}

static void
message_too_short(void **state)
{
	/* a length that does not even cover LSN and type */
	static const char bytes[] = "\1\0\0\0\10abcdefgh";
	WireReader reader;
	WireMessage message;
	EnvError error;

	(void) state;
	assert_true(wire_open_frame((Slice){ bytes, sizeof bytes - 1 }, &reader, &error));
	assert_false(wire_next(&reader, &message));
	assert_true(reader.failed);
}

static void
other_messages(void **state)
{
	Buf body = buf_heap();
	WireTruncate truncate;
	WireLogical logical;
	const char *name;
	uint64_t lsn;
	EnvError error;

	(void) state;
	buf_u32(&body, 2);
	buf_u8(&body, 1);
	buf_u32(&body, 16384);
	buf_u32(&body, 16390);
	assert_true(wire_read_truncate(written(&body), &truncate, &error));
	assert_int_equal(truncate.count, 2);
	assert_int_equal(truncate.flags, 1);
	assert_int_equal(read_u32(truncate.relids + 4), 16390);
	buf_set_u32(&body, 0, UINT32_MAX);
	assert_false(wire_read_truncate(written(&body), &truncate, &error));
	buf_set_u32(&body, 0, 1);
	assert_false(wire_read_truncate(written(&body), &truncate, &error));
	assert_string_equal(error.message, "malformed Truncate message: 4 bytes too many");

	buf_reset(&body);
	buf_u8(&body, 1);
	buf_u64(&body, 99);
	wire_string0(&body, "prefix");
	buf_u32(&body, 3);
	buf_append(&body, "a\0b", 3);
	assert_true(wire_read_logical(written(&body), &logical, &error));
	assert_string_equal(logical.prefix, "prefix");
	assert_int_equal(logical.content.len, 3);
	body.len--;
	assert_false(wire_read_logical(written(&body), &logical, &error));

	buf_reset(&body);
	buf_u64(&body, 5);
	wire_string0(&body, "origin");
	assert_true(wire_read_origin(written(&body), &lsn, &name, &error));
	assert_int_equal(lsn, 5);
	assert_string_equal(name, "origin");
	body.len--;
	assert_false(wire_read_origin(written(&body), &lsn, &name, &error));
	buf_free(&body);
}

static void
change_shapes(void **state)
{
	/* relid 1, then what each case says */
	static const char no_new[] = "\0\0\0\1O\0\1n";
	static const char bare[] = "\0\0\0\1";
	static const char bad_entry[] = "\0\0\0\1N\0\1x";
	WireChange change;
	EnvError error;

	(void) state;
	assert_true(
		wire_read_change('D', (Slice){ no_new, sizeof no_new - 1 }, &change, &error));
	assert_int_equal(change.old_kind, 'O');
	assert_null(change.new_tuple.data);
	assert_true(wire_read_change('D', (Slice){ bare, sizeof bare - 1 }, &change, &error));
	assert_null(change.old_tuple.data);
	assert_false(
		wire_read_change('U', (Slice){ no_new, sizeof no_new - 1 }, &change, &error));
	assert_false(
		wire_read_change('I', (Slice){ bare, sizeof bare - 1 }, &change, &error));
	assert_string_equal(error.message, "malformed Insert message");
	assert_false(wire_read_change(
		'I', (Slice){ bad_entry, sizeof bad_entry - 1 }, &change, &error));
}

static const char *const mood_labels[] = { "sad", "ok", "happy" };

static RelationColumn users_columns[] = {
	{ .name = "id",
	  .index = 0,
	  .attnum = 1,
	  .type_oid = 23,
	  .typmod = -1,
	  .base_oid = 23,
	  .base_typmod = -1,
	  .type_kind = 'b',
	  .type_name = "int4",
	  .type_schema = "pg_catalog",
	  .type_text = "integer",
	  .element_name = "",
	  .in_identity = true,
	  .not_null = true,
	  .is_identity_column = true },
	{ .name = "na\xc3\xafve \"name\"",
	  .index = 1,
	  .attnum = 3,
	  .type_oid = 16400,
	  .typmod = -1,
	  .base_oid = 1043,
	  .base_typmod = 24,
	  .type_kind = 'b',
	  .type_name = "varchar",
	  .type_schema = "pg_catalog",
	  .type_text = "public.short_text",
	  .element_name = "",
	  .default_text = "'x'::character varying",
	  .missing_kind = 'b',
	  .missing = { "x\0y", 3 } },
	{ .name = "moods",
	  .index = 2,
	  .attnum = 4,
	  .type_oid = 16410,
	  .typmod = -1,
	  .base_oid = 16410,
	  .base_typmod = -1,
	  .type_kind = 'b',
	  .type_name = "_mood",
	  .type_schema = "public",
	  .type_text = "mood[]",
	  .element_oid = 16409,
	  .element_kind = 'e',
	  .element_name = "mood",
	  .is_generated = true,
	  .label_count = 3,
	  .labels = mood_labels },
};

static const uint16_t users_key[] = { 2, 0 };

static const Relation users = {
	.relid = 16384,
	.schema = "public",
	.name = "users",
	.replica_identity = 'd',
	.relkind = 'r',
	.root_relid = 16380,
	.root_schema = "root schema",
	.root_name = "all_users",
	.key_source = 'p',
	.key_count = 2,
	.key = users_key,
	.column_count = 3,
	.columns = users_columns,
};

static void
relation_round_trip(void **state)
{
	Arena *arena = arena_new();
	Alloc alloc = arena_as_alloc(arena);
	Buf body = buf_heap();
	Buf again = buf_heap();
	Relation *relation;
	EnvError error;

	(void) state;
	relation_write(&body, &users);
	relation = relation_read(written(&body), &alloc, &error);
	assert_non_null(relation);
	assert_string_equal(relation->name, "users");
	assert_string_equal(relation->root_name, "all_users");
	assert_int_equal(relation->key[0], 2);
	assert_true(relation->columns[0].is_identity_column);
	assert_null(relation->columns[0].default_text);
	assert_string_equal(relation->columns[1].default_text, "'x'::character varying");
	assert_int_equal(relation->columns[1].missing.len, 3);
	assert_memory_equal(relation->columns[1].missing.data, "x\0y", 3);
	assert_int_equal(relation->columns[1].attnum, 3);
	assert_int_equal(relation->columns[2].index, 2);
	assert_true(relation->columns[2].is_generated);
	assert_string_equal(relation->columns[2].labels[2], "happy");

	relation_write(&again, relation);
	assert_true(slice_equal(written(&body), written(&again)));
	assert_true(relation->version == relation_hash(written(&again)));
	buf_free(&again);
	buf_free(&body);
	arena_free(arena);
}

static void
relation_hostile(void **state)
{
	static const unsigned char values[] = { 0x00, 0x01, 0x7f, 0xff };
	Arena *arena = arena_new();
	Alloc alloc = arena_as_alloc(arena);
	Buf body = buf_heap();
	EnvError error;

	(void) state;
	relation_write(&body, &users);
	for (size_t len = 0; len < body.len; len++)
	{
		char *block;

		assert_null(relation_read(exact_copy(body.data, len, &block), &alloc, &error));
		free(block);
		arena_reset(arena);
	}
	for (size_t at = 0; at < body.len; at++)
	{
		for (size_t v = 0; v < sizeof values; v++)
		{
			char *block;
			Slice copy = exact_copy(body.data, body.len, &block);

			block[at] = (char) values[v];
			(void) relation_read(copy, &alloc, &error);
			free(block);
			arena_reset(arena);
		}
	}
	buf_u8(&body, 0);
	assert_null(relation_read(written(&body), &alloc, &error));
	assert_string_equal(error.message, "malformed Relation message");
	buf_free(&body);
	arena_free(arena);
}

/* The published FNV-1a vectors. */
static void
relation_hash_vectors(void **state)
{
	(void) state;
	assert_true(relation_hash(slice_from("")) == UINT64_C(0xcbf29ce484222325));
	assert_true(relation_hash(slice_from("a")) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(relation_hash(slice_from("foobar")) == UINT64_C(0x85944171f73967e8));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_round_trip),  cmocka_unit_test(frame_cut_short),
		cmocka_unit_test(frame_hostile),     cmocka_unit_test(frame_version),
		cmocka_unit_test(message_too_short), cmocka_unit_test(other_messages),
		cmocka_unit_test(change_shapes),     cmocka_unit_test(relation_round_trip),
		cmocka_unit_test(relation_hostile),  cmocka_unit_test(relation_hash_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
