/*
 * test_silver.c
 *		silver's edges: tables without a key, values, delete files, partitions.
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
#define COUNT(array) ((int) (sizeof(array) / sizeof *(array)))

static const Slice none = { NULL, 0 };

/* clang-format off */
static const ColumnSpec plain[] = {
	{ "a", 1, TYPE_INT4,    -1, false, NULL, NULL },
	{ "b", 2, TYPE_TEXT,    -1, false, NULL, NULL },
	{ "c", 3, TYPE_NUMERIC, -1, false, NULL, NULL },
};
static const ColumnSpec keyed[] = {
	{ "id",   1, TYPE_TEXT, -1, true,  NULL, NULL },
	{ "name", 2, TYPE_TEXT, -1, false, NULL, NULL },
};
/* clang-format on */

static int
setup(void **state)
{
	LakeFixture *fixture = fixture_new();
	Position stored;

	fixture_open(fixture, &stored);
	fixture_snapshot_end(fixture);
	*state = fixture;
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
reopen(LakeFixture *fixture)
{
	fixture_close(fixture);
	fixture_open(fixture, &(Position){ 0 });
}

/* Whole rows, as often as the source has them. */
static void
test_whole_rows(void **state)
{
	LakeFixture *fixture = *state;
	const Relation *t = fixture_relation(fixture, 16384, "t", 'f', plain, 3);
	Slice x = TUPLE(t, "1", "x", NULL);
	Slice y = TUPLE(t, "1", "y", "5");

	fixture_begin(fixture);
	for (int i = 0; i < 5; i++)
		fixture_insert(fixture, t, x);
	fixture_insert(fixture, t, y);
	fixture_delete(fixture, t, 'O', x);
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_t", "a", "b"), "1|x\n1|x\n1|x\n1|x\n1|y\n");

	for (int round = 0; round < 2; round++)
	{
		fixture_begin(fixture);
		fixture_insert(fixture, t, x);
		fixture_delete(fixture, t, 'O', x);
		fixture_delete(fixture, t, 'O', x);
		fixture_update(fixture, t, 'O', x, y);
		fixture_update(fixture, t, 'O', y, TUPLE(t, "2", "~", "6"));
		fixture_commit(fixture);
		must_cut(fixture);
		assert_string_equal(ROWS("silver_t", "a", "b"),
		                    round == 0 ? "1|x\n1|x\n1|y\n2|y\n" : "1|y\n2|y\n2|y\n");
		reopen(fixture);
	}
	assert_string_equal(ROWS("silver_t", "_dq_flags"), "[]\n[]\n[]\n");
	assert_null(fixture_property(fixture, "silver_t", "cdc.stale"));
}

/* NaN, -0 and values that do not fit tell rows apart after a restart too. */
static void
test_whole_rows_odd(void **state)
{
	static const ColumnSpec columns[] = {
		{ "f", 1, TYPE_FLOAT8, -1, false, NULL, NULL },
		{ "n", 2, TYPE_NUMERIC, -1, false, NULL, NULL },
		{ "t", 3, TYPE_TIME, -1, false, NULL, NULL },
	};
	static const char nan_float[] = "\x7F\xF8\0\0\0\0\0\0";
	static const char nan_number[] = "\0\0\0\0\xC0\0\0\0";
	static const char infinity[] = "\0\0\0\0\xD0\0\0\0";
	static const char midnight[] = "\0\0\0\x14\x1D\xD7\x60\0";
	static const char before[] = "\0\0\0\x14\x1D\xD7\x5F\xFF";
	LakeFixture *fixture = *state;
	const Relation *t = fixture_relation(fixture, 16384, "t", 'f', columns, 3);
	Slice rows[][3] = {
		{ { nan_float, 8 }, { nan_number, 8 }, { midnight, 8 } },
		{ { nan_float, 8 }, { infinity, 8 }, { midnight, 8 } },
		{ { nan_float, 8 }, { infinity, 8 }, { before, 8 } },
		{ { "\0\0\0\0\0\0\0\0", 8 }, { NULL, 0 }, { NULL, 0 } },
		{ { "\x80\0\0\0\0\0\0\0", 8 }, { NULL, 0 }, { NULL, 0 } },
	};

	fixture_begin(fixture);
	for (int i = 0; i < COUNT(rows); i++)
		fixture_insert(fixture, t, fixture_raw(fixture, t, rows[i]));
	fixture_commit(fixture);
	must_cut(fixture);
	for (int i = 0; i < COUNT(rows); i++)
	{
		reopen(fixture);
		fixture_begin(fixture);
		fixture_delete(fixture, t, 'O', fixture_raw(fixture, t, rows[i]));
		fixture_commit(fixture);
		must_cut(fixture);
		assert_int_equal(fixture_files(fixture, "silver_t", FILE_DATA),
		                 i + 1 < COUNT(rows));
	}
	assert_string_equal(ROWS("silver_t", "t"), "");
}

static void
test_append(void **state)
{
	LakeFixture *fixture = *state;
	const Relation *t = fixture_relation(fixture, 16384, "t", 'd', plain, 3);

	fixture_begin(fixture);
	fixture_insert(fixture, t, TUPLE(t, "1", "x", NULL));
	fixture_insert(fixture, t, TUPLE(t, "1", "x", NULL));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_t", "a", "b", "_dq_flags"),
	                    "1|x|[no_key]\n1|x|[no_key]\n");
	assert_null(fixture_property(fixture, "silver_t", "cdc.stale"));
	fixture_begin(fixture);
	fixture_delete(fixture, t, 0, none);
	fixture_commit(fixture);
	must_cut(fixture);
	assert_non_null(fixture_property(fixture, "silver_t", "cdc.stale"));
}

/* One update in each of many files: position deletes stay few. */
static void
test_delete_files(void **state)
{
	LakeFixture *fixture = *state;
	const Relation *t = fixture_relation(fixture, 16384, "t", 'd', keyed, 2);
	char id[32];

	for (int file = 0; file < 4; file++)
	{
		fixture_begin(fixture);
		for (int i = 0; i < 40; i++)
		{
			(void) snprintf(id, sizeof id, "%d.%d", file, i);
			fixture_insert(fixture, t, TUPLE(t, id, "first"));
		}
		fixture_commit(fixture);
		must_cut(fixture);
	}
	for (int round = 0; round < 12; round++)
	{
		int files = round < 2 ? 2 : 4;

		fixture_begin(fixture);
		for (int file = 0; file < files; file++)
		{
			(void) snprintf(id, sizeof id, "%d.%d", file, round);
			fixture_delete(fixture, t, 'K', TUPLE(t, id, NULL));
		}
		fixture_commit(fixture);
		must_cut(fixture);
		/* Two file-scoped ones, then up to eight shared ones, then all in one. */
		assert_int_equal(fixture_files(fixture, "silver_t", FILE_POSITION_DELETES),
		                 round < 2    ? 2
		                 : round < 10 ? round + 1
		                              : round - 9);
	}
	reopen(fixture);
	fixture_begin(fixture);
	for (int file = 0; file < 4; file++)
		for (int i = 0; i < 39; i++)
		{
			(void) snprintf(id, sizeof id, "%d.%d", file, i);
			fixture_delete(fixture, t, 'K', TUPLE(t, id, NULL));
		}
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_t", "id"), "0.39\n1.39\n2.39\n3.39\n");
}

static void
test_values(void **state)
{
	static const ColumnSpec columns[] = {
		{ "id", 1, TYPE_TEXT, -1, true, NULL, NULL },
		{ "d", 2, TYPE_DATE, -1, false, NULL, NULL },
		{ "t", 3, TYPE_TIME, -1, false, NULL, NULL },
		{ "n", 4, TYPE_NUMERIC, -1, false, NULL, NULL },
		{ "p", 5, TYPE_NUMERIC, (4 << 16 | 2) + 4, false, NULL, NULL },
		{ "a", 6, 1007, -1, false, NULL, NULL },
		{ "i", 7, TYPE_INTERVAL, -1, false, NULL, NULL },
		{ "f", 8, TYPE_FLOAT8, -1, false, NULL, NULL },
	};
	/* infinity; 24:00; 1e-20; NaN; {{1,2}}; 1 month -1 day 00:00:01.5; NaN */
	static const char infinity[] = "\x7F\xFF\xFF\xFF";
	static const char midnight[] = "\0\0\0\x14\x1D\xD7\x60\0";
	static const char tiny[] = "\0\1\xFF\xFB\0\0\0\x14\0\1";
	static const char nan_number[] = "\0\0\0\0\xC0\0\0\0";
	static const char matrix[] =
		"\0\0\0\2\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\2\0\0\0\1"
		"\0\0\0\4\0\0\0\1\0\0\0\4\0\0\0\2";
	static const char array[] = "\0\0\0\1\0\0\0\1\0\0\0\x17\0\0\0\3\0\0\0\1"
								"\0\0\0\4\0\0\0\1\xFF\xFF\xFF\xFF\0\0\0\4\0\0\0\2";
	static const char interval[] = "\0\0\0\0\0\x16\xE3\x60\xFF\xFF\xFF\xFF\0\0\0\1";
	static const char nan_float[] = "\x7F\xF8\0\0\0\0\0\0";
	LakeFixture *fixture = *state;
	const Relation *t =
		fixture_relation(fixture, 16384, "t", 'd', columns, COUNT(columns));
	Slice odd[] = {
		{ "odd", 3 },      { infinity, 4 }, { midnight, 8 },  { tiny, 10 },
		{ nan_number, 8 }, { matrix, 44 },  { interval, 16 }, { nan_float, 8 }
	};
	Slice even[] = { { "even", 4 }, { "\0\0\0\0", 4 }, { NULL, 0 }, { NULL, 0 },
		             { NULL, 0 },   { array, 40 },     { NULL, 0 }, { NULL, 0 } };

	fixture_begin(fixture);
	fixture_insert(fixture, t, fixture_raw(fixture, t, odd));
	fixture_insert(fixture, t, fixture_raw(fixture, t, even));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_t", "id", "d", "t", "n", "p", "a", "i", "f"),
	                    "even|10957|null|null|null|[1,null,2]|null|null\n"
	                    "odd|null|86399999999|null|null|null|P1M-1DT1.5S|nan\n");
	assert_string_equal(ROWS("silver_t", "_overflow", "_dq_flags"),
	                    "[]|[]\n"
	                    "[d=infinity,n=0.00000000000000000001,p=NaN,a={{1,2}}]|"
	                    "[d:infinity,t:time_24,n:out_of_range,p:nan,a:array_shape]\n");
}

/* What is unchanged keeps its exact text too. */
static void
test_unchanged_overflow(void **state)
{
	LakeFixture *fixture = *state;
	static const ColumnSpec columns[] = {
		{ "id", 1, TYPE_INT4, -1, true, NULL, NULL },
		{ "n", 2, TYPE_NUMERIC, -1, false, NULL, NULL },
		{ "x", 3, TYPE_INT4, -1, false, NULL, NULL },
	};
	const Relation *t = fixture_relation(fixture, 16384, "t", 'd', columns, 3);
	Slice values[] = { { "\0\0\0\1", 4 },
		               { "\0\0\0\0\xC0\0\0\0", 8 },
		               { "\0\0\0\1", 4 } };

	fixture_begin(fixture);
	fixture_insert(fixture, t, fixture_raw(fixture, t, values));
	fixture_commit(fixture);
	must_cut(fixture);
	fixture_begin(fixture);
	fixture_update(fixture, t, 0, none, TUPLE(t, "1", "~", "2"));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_t", "id", "n", "x", "_overflow", "_dq_flags"),
	                    "1|null|2|[n=NaN]|[n:nan]\n");
}

static const Relation *
make_leaf(LakeFixture *fixture, uint32_t relid, const char *name,
          const ColumnSpec *columns, int count)
{
	const Relation *plain_table =
		fixture_relation(fixture, relid, name, 'd', columns, count);
	Relation *leaf = arena_alloc(fixture->arena, sizeof *leaf);

	*leaf = *plain_table;
	leaf->root_relid = 16000;
	leaf->root_schema = "sales";
	leaf->root_name = "orders";
	return leaf;
}

/* Leaves of a partitioned table are one table; rows move between them. */
static void
test_partitions(void **state)
{
	LakeFixture *fixture = *state;
	const Relation *one = make_leaf(fixture, 16001, "orders_1", keyed, 2);
	const Relation *two = make_leaf(fixture, 16002, "orders_2", keyed, 2);

	fixture_begin(fixture);
	fixture_insert(fixture, one, TUPLE(one, "1", "first"));
	fixture_insert(fixture, two, TUPLE(two, "2", "second"));
	fixture_delete(fixture, one, 'K', TUPLE(one, "1", NULL));
	fixture_insert(fixture, two, TUPLE(two, "1", "moved"));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_sales_orders", "id", "name"), "1|moved\n2|second\n");
	reopen(fixture);
	fixture_begin(fixture);
	fixture_truncate(fixture, one);
	/* Both events of one TRUNCATE have one LSN. */
	fixture->lsn -= 0x10;
	fixture_truncate(fixture, two);
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_sales_orders", "id"), "");
	assert_null(fixture_property(fixture, "silver_sales_orders", "cdc.stale"));
	fixture_begin(fixture);
	fixture_insert(fixture, one, TUPLE(one, "1", "first"));
	fixture_truncate(fixture, two);
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_sales_orders", "id"), "1\n");
	assert_non_null(fixture_property(fixture, "silver_sales_orders", "cdc.stale"));
}

/* A column added to a partitioned table comes with each leaf, and is one field. */
static void
test_partitions_follow(void **state)
{
	static const ColumnSpec left[] = {
		{ "id", 1, TYPE_TEXT, -1, true, NULL, NULL },
		{ "label", 2, TYPE_TEXT, -1, false, NULL, NULL },
		{ "n", 3, TYPE_INT4, -1, false, "7", NULL },
	};
	static const ColumnSpec right[] = {
		{ "id", 1, TYPE_TEXT, -1, true, NULL, NULL },
		{ "label", 2, TYPE_TEXT, -1, false, NULL, NULL },
		{ "n", 5, TYPE_INT4, -1, false, "7", NULL },
	};
	LakeFixture *fixture = *state;
	const Relation *one = make_leaf(fixture, 16001, "orders_1", keyed, 2);
	const Relation *two = make_leaf(fixture, 16002, "orders_2", keyed, 2);
	const Relation *one_later = make_leaf(fixture, 16001, "orders_1", left, 3);
	const Relation *two_later = make_leaf(fixture, 16002, "orders_2", right, 3);

	fixture_begin(fixture);
	fixture_insert(fixture, one, TUPLE(one, "1", "first"));
	fixture_insert(fixture, two, TUPLE(two, "2", "second"));
	fixture_commit(fixture);
	must_cut(fixture);
	fixture_begin(fixture);
	fixture_insert(fixture, one_later, TUPLE(one_later, "3", "third", "3"));
	fixture_insert(fixture, two_later, TUPLE(two_later, "4", "fourth", "4"));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_sales_orders", "id", "label", "n"),
	                    "1|first|7\n2|second|7\n3|third|3\n4|fourth|4\n");
}

/* A key that its type cannot hold is an error, not a null. */
static void
test_bad_key(void **state)
{
	static const ColumnSpec columns[] = {
		{ "d", 1, TYPE_DATE, -1, true, NULL, NULL },
	};
	LakeFixture *fixture = *state;
	const Relation *t = fixture_relation(fixture, 16384, "t", 'd', columns, 1);
	Err err = { 0 };

	fixture_begin(fixture);
	fixture_insert(fixture, t, TUPLE(t, "2147483647"));
	fixture_commit(fixture);
	assert_false(fixture_cut(fixture, &err));
	assert_int_equal(err.kind, ERR_DATA);
	assert_non_null(strstr(err.text, "key column \"d\""));
}

/* A row that came into its filter by an update lacks what that update did not send. */
static void
test_into_row_filter(void **state)
{
	LakeFixture *fixture = *state;
	const Relation *t = fixture_relation(fixture, 16384, "t", 'd', keyed, 2);
	RowFilter rules[] = { { "public.t", "id > 'a'" } };

	fixture->config.env.row_filters = (RowFilters){ 1, rules };
	fixture_begin(fixture);
	fixture_insert(fixture, t, TUPLE(t, "b", "known"));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_null(fixture_property(fixture, "silver_t", "cdc.stale"));
	fixture_begin(fixture);
	fixture_insert(fixture, t, TUPLE(t, "c", "~"));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_non_null(
		strstr(fixture_property(fixture, "silver_t", "cdc.stale"), "row filter"));
	assert_string_equal(ROWS("silver_t", "id"), "b\nc\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_whole_rows_odd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_append, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unchanged_overflow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_partitions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_partitions_follow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_key, setup, teardown),
		cmocka_unit_test_setup_teardown(test_into_row_filter, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
