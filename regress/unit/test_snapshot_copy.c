/*
 * test_snapshot_copy.c
 *		COPY's binary format in pieces of any size, and bytes that lie.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#undef fail

#include "envelope/value.h"
#include "source/snapshot_copy.h"

#define ROWS 3

typedef struct Fixture
{
	RelationColumn columns[3];
	Relation relation;
	BatchBudget budget;
	Arena *arena;
	Buf copy; /* header, ROWS rows, trailer */
} Fixture;

static void
begin_copy(Buf *copy)
{
	buf_append(copy, "PGCOPY\n\377\r\n", 11);
	buf_u32(copy, 0);
	buf_u32(copy, 3);
	buf_text(copy, "ext");
}

static int
set_up(void **state)
{
	Fixture *fixture = xmalloc(sizeof *fixture);

	*fixture = (Fixture){ .budget = { .wake_fd = -1 }, .arena = arena_new() };
	fixture->columns[0] = (RelationColumn){ .name = "id", .base_oid = TYPE_INT4 };
	fixture->columns[1] = (RelationColumn){ .name = "net", .base_oid = 869 };
	fixture->columns[2] = (RelationColumn){ .name = "te\"xt", .base_oid = TYPE_TEXT };
	fixture->relation = (Relation){
		.schema = "s", .name = "t", .column_count = 3, .columns = fixture->columns
	};
	for (int i = 0; i < 3; i++)
	{
		fixture->columns[i].type_kind = 'b';
		fixture->columns[i].type_name = "";
		fixture->columns[i].element_name = "";
	}
	fixture->copy = buf_heap();
	begin_copy(&fixture->copy);
	for (uint32_t i = 0; i < ROWS; i++)
	{
		buf_u16(&fixture->copy, 3);
		buf_u32(&fixture->copy, 4);
		buf_u32(&fixture->copy, i);
		buf_u32(&fixture->copy, UINT32_MAX);
		buf_u32(&fixture->copy, i);
		buf_append(&fixture->copy, "ab", i);
	}
	buf_u16(&fixture->copy, UINT16_MAX);
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	Fixture *fixture = *state;

	buf_free(&fixture->copy);
	arena_free(fixture->arena);
	free(fixture);
	return 0;
}

static void
assert_rows(const Fixture *fixture, const Batch *batch)
{
	assert_int_equal(batch->count, ROWS);
	for (uint32_t i = 0; i < ROWS; i++)
	{
		const Event *event = &batch->events[i];
		Value values[3];
		EnvError error;

		assert_int_equal(event->kind, EVENT_READ);
		assert_ptr_equal(event->relation, &fixture->relation);
		assert_true(value_read_tuple(event->new_tuple, values, 3, &error));
		assert_int_equal(values[0].kind, VALUE_BINARY);
		assert_int_equal(read_u32(values[0].bytes), i);
		assert_int_equal(values[1].kind, VALUE_NULL);
		assert_int_equal(values[2].len, i);
		assert_memory_equal(values[2].bytes, "ab", i);
	}
}

/* Feed the whole copy in pieces of size bytes, each a block of its own. */
static void
feed_in_pieces(Fixture *fixture, size_t size)
{
	Batch *batch = batch_new(&fixture->budget);
	CopyReader reader = { 0 };
	const EnvOptions options = { 0 };
	Err err;

	copy_reader_begin(&reader, &fixture->relation, &options, false, fixture->arena);
	for (size_t at = 0; at < fixture->copy.len; at += size)
	{
		size_t rest = fixture->copy.len - at;
		size_t len = rest < size ? rest : size;
		char *piece = xmalloc(len);

		memcpy(piece, fixture->copy.data + at, len);
		assert_true(copy_reader_feed(&reader, (Slice){ piece, len }, batch, &err));
		free(piece);
	}
	assert_true(reader.ended);
	assert_int_equal(reader.rows, ROWS);
	assert_rows(fixture, batch);
	copy_reader_fini(&reader);
	batch_unref(batch);
}

static void
test_pieces(void **state)
{
	Fixture *fixture = *state;

	for (size_t size = 1; size <= fixture->copy.len; size++)
		feed_in_pieces(fixture, size);
}

/* Whether the bytes are refused; what they are cut short of is not. */
static bool
refuses(Fixture *fixture, const Buf *bytes)
{
	Batch *batch = batch_new(&fixture->budget);
	CopyReader reader = { 0 };
	const EnvOptions options = { 0 };
	Err err = { .kind = ERR_NONE };
	bool refused;

	copy_reader_begin(&reader, &fixture->relation, &options, false, fixture->arena);
	refused = !copy_reader_feed(&reader, (Slice){ bytes->data, bytes->len }, batch, &err);
	assert_int_equal(err.kind, refused ? ERR_FATAL : ERR_NONE);
	copy_reader_fini(&reader);
	batch_unref(batch);
	return refused;
}

static void
test_malformed(void **state)
{
	Fixture *fixture = *state;
	Buf bytes = buf_heap();

	buf_text(&bytes, "this is no COPY at all, not even nearly");
	assert_true(refuses(fixture, &bytes));

	buf_reset(&bytes);
	begin_copy(&bytes);
	buf_u16(&bytes, 2);
	assert_true(refuses(fixture, &bytes));

	buf_reset(&bytes);
	begin_copy(&bytes);
	buf_u16(&bytes, 3);
	buf_u32(&bytes, UINT32_MAX - 1);
	assert_true(refuses(fixture, &bytes));

	buf_reset(&bytes);
	buf_append(&bytes, fixture->copy.data, fixture->copy.len);
	buf_u8(&bytes, 0);
	assert_true(refuses(fixture, &bytes));

	/* a length beyond what has come may come yet */
	buf_reset(&bytes);
	begin_copy(&bytes);
	buf_u16(&bytes, 3);
	buf_u32(&bytes, INT32_MAX);
	assert_false(refuses(fixture, &bytes));
	buf_free(&bytes);
}

static EnvOptions
defaults(const Fixture *fixture)
{
	Alloc alloc = arena_as_alloc(fixture->arena);
	EnvOptions options;

	env_options_init(&options, &alloc);
	return options;
}

static void
assert_select(const CopySource *source, const EnvOptions *options, const char *ending)
{
	Buf sql = buf_heap();
	bool filtered = copy_select(&sql, source, options);
	size_t len = strlen(ending);

	assert_true(sql.len >= len);
	assert_string_equal(buf_cstr(&sql) + sql.len - len, ending);
	assert_int_equal(filtered, strstr(ending, " WHERE ") != NULL);
	buf_free(&sql);
}

static void
test_select(void **state)
{
	Fixture *fixture = *state;
	EnvOptions options = defaults(fixture);
	CopySource source = { .relation = &fixture->relation };

	assert_select(&source,
	              &options,
	              "SELECT \"id\", CASE WHEN \"net\" IS DISTINCT FROM NULL THEN "
	              "pg_catalog.concat(\"net\") END, \"te\"\"xt\" FROM ONLY "
	              "\"s\".\"t\" \"t\"");
	source.children = true;
	assert_select(&source, &options, " FROM \"s\".\"t\" \"t\"");
	source.query = "select * from t -- all ;\n ; ";
	assert_select(
		&source, &options, " END, \"te\"\"xt\" FROM (select * from t -- all\n) \"t\"");
}

/* The rows of a partitioned table are its partitions'. */
static void
test_select_parent(void **state)
{
	Fixture *fixture = *state;
	EnvOptions options = defaults(fixture);
	CopySource source = { .relation = &fixture->relation };

	fixture->relation.relkind = 'p';
	assert_select(&source, &options, " FROM \"s\".\"t\" \"t\"");
}

/* A filter is that of the table, or its root's, by whose name it knows its columns. */
static void
test_select_filtered(void **state)
{
	Fixture *fixture = *state;
	EnvOptions options = defaults(fixture);
	RowFilter rules[] = { { "s.root", "root.id > 1" }, { "s.t", "id > 2 -- more" } };
	CopySource source = { .relation = &fixture->relation };

	options.row_filters = (RowFilters){ 2, rules };
	assert_select(
		&source, &options, " FROM ONLY \"s\".\"t\" \"t\" WHERE (id > 2 -- more\n)");
	fixture->relation.root_relid = 1;
	fixture->relation.root_schema = "s";
	fixture->relation.root_name = "root";
	assert_select(
		&source, &options, " FROM ONLY \"s\".\"t\" \"t\" WHERE (id > 2 -- more\n)");
	options.publish_via_partition_root = true;
	assert_select(
		&source, &options, " FROM ONLY \"s\".\"t\" \"root\" WHERE (root.id > 1\n)");
	options.publish_via_partition_root = false;
	fixture->relation.name = "other";
	source.query = "select 1";
	assert_select(&source, &options, " FROM (select 1\n) \"root\" WHERE (root.id > 1\n)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_malformed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_select, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_select_parent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_select_filtered, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
