/*
 * test_lake_schema.c
 *		silver follows the source's columns.
 *
 * Linked with the archive of all sink objects and lake_fixture.c.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lake_fixture.h"

#include "lake/iceberg/manifest.h"

/* After ours: cmocka.h defines a macro fail(). */
#include <cmocka.h>

#define TUPLE(relation, ...) \
	fixture_tuple(fixture, (relation), (const char *const[]){ __VA_ARGS__ })
#define ROWS(table, ...)                               \
	fixture_rows(fixture,                              \
	             (table),                              \
	             (const char *const[]){ __VA_ARGS__ }, \
	             (int) (sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)))
#define RELATION(relid, name, columns) \
	fixture_relation(                  \
		fixture, relid, name, 'd', columns, (int) (sizeof(columns) / sizeof *(columns)))

static const Slice none = { NULL, 0 };

/* clang-format off */
static const ColumnSpec first[] = {
	{ "id",   1, TYPE_INT4, -1, true,  NULL, NULL },
	{ "name", 2, TYPE_TEXT, -1, false, NULL, NULL },
	{ "age",  3, TYPE_INT4, -1, false, NULL, NULL },
};
/* clang-format on */

static int
setup(void **state)
{
	*state = fixture_new();
	return 0;
}

static int
teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static void
must_cut(LakeFixture *fixture)
{
	Err err = { 0 };

	if (!fixture_cut(fixture, &err))
		fail_msg("cut: %s", err.text);
}

static void
must_refuse(LakeFixture *fixture, const char *text)
{
	Err err = { 0 };

	assert_false(fixture_cut(fixture, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	if (strstr(err.text, text) == NULL)
		fail_msg("%s", err.text);
}

static void
insert_one(LakeFixture *fixture, const Relation *relation, Slice tuple)
{
	fixture_begin(fixture);
	fixture_insert(fixture, relation, tuple);
	fixture_commit(fixture);
}

/* Two rows under the first columns, in a file. */
static const Relation *
start(LakeFixture *fixture)
{
	const Relation *t = RELATION(16384, "t", first);
	Position stored;

	fixture_open(fixture, &stored);
	fixture_snapshot_end(fixture);
	insert_one(fixture, t, TUPLE(t, "1", "ann", "10"));
	insert_one(fixture, t, TUPLE(t, "2", "bob", "20"));
	must_cut(fixture);
	return t;
}

/* Swapped names, a column dropped, one of its name added: by attnum, in one set. */
static void
test_rename_drop_add(void **state)
{
	static const ColumnSpec columns[] = {
		{ "id", 1, TYPE_INT4, -1, true, NULL, NULL },
		{ "age", 2, TYPE_TEXT, -1, false, NULL, NULL },
		{ "name", 4, TYPE_TEXT, -1, false, NULL, NULL },
	};
	LakeFixture *fixture = *state;
	const Relation *old = start(fixture);
	const Relation *t = RELATION(16384, "t", columns);

	fixture_begin(fixture);
	fixture_insert(fixture, old, TUPLE(old, "3", "cid", "30"));
	fixture_insert(fixture, t, TUPLE(t, "4", "dora", "new"));
	fixture_update(fixture, t, 0, none, TUPLE(t, "1", "~", "one"));
	fixture_update(fixture, t, 0, none, TUPLE(t, "3", "~", "three"));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_t", "id", "age", "name"),
	                    "1|ann|one\n2|bob|null\n3|cid|three\n4|dora|new\n");
	assert_string_equal(fixture_property(fixture, "silver_t", "cdc.columns"),
	                    "{\"system\":7300000000000000001,\"relid\":16384,\"identity\":0,"
	                    "\"relations\":{\"16384\":{\"1\":1,\"2\":2,\"4\":12}}}");
}

static void
test_constant_default(void **state)
{
	static const ColumnSpec columns[] = {
		{ "id", 1, TYPE_INT4, -1, true, NULL, NULL },
		{ "name", 2, TYPE_TEXT, -1, false, NULL, NULL },
		{ "age", 3, TYPE_INT4, -1, false, NULL, NULL },
		{ "level", 4, TYPE_INT4, -1, false, "7", NULL },
	};
	LakeFixture *fixture = *state;
	const Relation *old = start(fixture);
	const Relation *t = RELATION(16384, "t", columns);

	fixture_begin(fixture);
	fixture_insert(fixture, old, TUPLE(old, "3", "cid", "30"));
	fixture_update(fixture, old, 0, none, TUPLE(old, "2", "~", "21"));
	fixture_insert(fixture, t, TUPLE(t, "4", "dora", "40", "1"));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_t", "id", "name", "age", "level"),
	                    "1|ann|10|7\n2|bob|21|7\n3|cid|30|7\n4|dora|40|1\n");
	assert_null(fixture_property(fixture, "silver_t", "cdc.stale"));
	/* The rewritten rows are indexed where they are now. */
	fixture_begin(fixture);
	fixture_delete(fixture, t, 'K', TUPLE(t, "1", NULL, NULL, NULL));
	fixture_update(fixture, t, 0, none, TUPLE(t, "2", "~", "22", "~"));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_t", "id", "name", "age", "level"),
	                    "2|bob|22|7\n3|cid|30|7\n4|dora|40|1\n");
}

static void
test_volatile_default(void **state)
{
	static const ColumnSpec columns[] = {
		{ "id", 1, TYPE_INT4, -1, true, NULL, NULL },
		{ "name", 2, TYPE_TEXT, -1, false, NULL, NULL },
		{ "age", 3, TYPE_INT4, -1, false, NULL, NULL },
		{ "level", 4, TYPE_INT4, -1, false, NULL, "random()" },
	};
	LakeFixture *fixture = *state;
	const Relation *t = RELATION(16384, "t", columns);

	(void) start(fixture);
	insert_one(fixture, t, TUPLE(t, "4", "dora", "40", "1"));
	must_cut(fixture);
	assert_non_null(fixture_property(fixture, "silver_t", "cdc.stale"));
	/* Of each table's rows in the two cuts, silver's is stale in the second. */
	assert_string_equal(ROWS("cdc_checkpoints", "table_name", "status"),
	                    "bronze_t|live\nbronze_t|live\nsilver_t|live\nsilver_t|stale\n");
}

static void
test_widening(void **state)
{
	static const ColumnSpec columns[] = {
		{ "id", 1, TYPE_INT8, -1, true, NULL, NULL },
		{ "name", 2, TYPE_TEXT, -1, false, NULL, NULL },
		{ "age", 3, TYPE_INT8, -1, false, NULL, NULL },
	};
	LakeFixture *fixture = *state;
	const Relation *old = start(fixture);
	const Relation *t = RELATION(16384, "t", columns);
	Position stored;

	fixture_begin(fixture);
	fixture_insert(fixture, old, TUPLE(old, "3", "cid", "30"));
	fixture_insert(fixture, t, TUPLE(t, "4000000000", "dora", "5000000000"));
	/* Keys in files and in the buffer are found under their wider type. */
	fixture_update(fixture, t, 0, none, TUPLE(t, "1", "~", "11"));
	fixture_delete(fixture, t, 'K', TUPLE(t, "3", NULL, NULL));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_t", "id", "name", "age"),
	                    "1|ann|11\n2|bob|20\n4000000000|dora|5000000000\n");
	fixture_close(fixture);
	fixture_open(fixture, &stored);
	fixture_begin(fixture);
	fixture_delete(fixture, t, 'K', TUPLE(t, "2", NULL, NULL));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_t", "id"), "1\n4000000000\n");
}

static const ColumnSpec retyped[] = {
	{ "id", 1, TYPE_INT4, -1, true, NULL, NULL },
	{ "name", 2, TYPE_INT8, -1, false, NULL, NULL },
	{ "age", 3, TYPE_INT4, -1, false, NULL, NULL },
};

static void
test_incompatible_stop(void **state)
{
	LakeFixture *fixture = *state;
	const Relation *t = RELATION(16384, "t", retyped);

	(void) start(fixture);
	insert_one(fixture, t, TUPLE(t, "3", "5", "40"));
	must_refuse(fixture, "column \"name\" of table \"public.t\" became int8");
}

static void
test_incompatible_new(void **state)
{
	LakeFixture *fixture = *state;
	const Relation *old = start(fixture);
	const Relation *t = RELATION(16384, "t", retyped);

	fixture->config.lake_on_incompatible = INCOMPATIBLE_NEW_COLUMN;
	fixture_begin(fixture);
	fixture_insert(fixture, old, TUPLE(old, "3", "cid", "30"));
	fixture_insert(fixture, t, TUPLE(t, "4", "44", "40"));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_t", "id", "name"), "1|null\n2|null\n3|null\n4|44\n");
	assert_non_null(fixture_property(fixture, "silver_t", "cdc.stale"));
}

static void
test_recreated(void **state)
{
	LakeFixture *fixture = *state;
	const Relation *t = RELATION(20000, "t", first);

	(void) start(fixture);
	insert_one(fixture, t, TUPLE(t, "3", "cid", "30"));
	must_refuse(fixture, "dropped and created again");
	fixture_close(fixture);
	fixture->config.lake_on_recreated = RECREATED_BY_NAME;
	fixture_open(fixture, &(Position){ 0 });
	insert_one(fixture, t, TUPLE(t, "3", "cid", "30"));
	must_cut(fixture);
	assert_string_equal(ROWS("silver_t", "id", "name"), "1|ann\n2|bob\n3|cid\n");
	assert_non_null(fixture_property(fixture, "silver_t", "cdc.stale"));
}

static void
test_names(void **state)
{
	static const ColumnSpec reserved[] = {
		{ "id", 1, TYPE_INT4, -1, true, NULL, NULL },
		{ "_LSN", 2, TYPE_INT8, -1, false, NULL, NULL },
	};
	static const ColumnSpec cased[] = {
		{ "id", 1, TYPE_INT4, -1, true, NULL, NULL },
		{ "Id", 2, TYPE_INT8, -1, false, NULL, NULL },
	};
	LakeFixture *fixture = *state;
	const Relation *t = RELATION(16384, "t", reserved);

	fixture_open(fixture, &(Position){ 0 });
	insert_one(fixture, t, TUPLE(t, "1", "2"));
	must_refuse(fixture, "a name that silver uses itself");
	fixture_close(fixture);
	fixture_open(fixture, &(Position){ 0 });
	t = RELATION(16384, "t", cased);
	insert_one(fixture, t, TUPLE(t, "1", "2"));
	must_refuse(fixture, "differ in case only");
}

static void
test_rename_table(void **state)
{
	LakeFixture *fixture = *state;
	const Relation *t = RELATION(16384, "new \"name\".", first);
	const Relation *other = RELATION(16999, "Grün/e", first);

	(void) start(fixture);
	insert_one(fixture, t, TUPLE(t, "3", "cid", "30"));
	insert_one(fixture, other, TUPLE(other, "5", "eva", "50"));
	must_cut(fixture);
	assert_string_equal(ROWS("silver_t", "id"), "1\n2\n3\n");
	assert_string_equal(ROWS("silver_Grün/e", "id"), "5\n");
	assert_string_equal(fixture_property(fixture, "bronze_t", "cdc.source"),
	                    "public.new \"name\".");
	/* The old name belongs to the renamed table. */
	other = RELATION(17000, "t", first);
	insert_one(fixture, other, TUPLE(other, "5", "eva", "50"));
	must_refuse(fixture, "would share the lake's table \"silver_t\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rename_drop_add, setup, teardown),
		cmocka_unit_test_setup_teardown(test_constant_default, setup, teardown),
		cmocka_unit_test_setup_teardown(test_volatile_default, setup, teardown),
		cmocka_unit_test_setup_teardown(test_widening, setup, teardown),
		cmocka_unit_test_setup_teardown(test_incompatible_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_incompatible_new, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recreated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rename_table, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
