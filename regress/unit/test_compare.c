/*
 * test_compare.c
 *		silver against source rows: what is the same, what differs, what is left out.
 *
 * The source's rows are written by hand; silver is what the lake output made of a
 * hand-made stream.  Linked with the archive of all sink objects and
 * lake_fixture.c.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lake_fixture.h"

#include "lake/compare.h"
#include "lake/iceberg/manifest.h"

/* After ours: cmocka.h defines a macro fail(). */
#include <cmocka.h>

#define TUPLE(relation, ...) \
	fixture_tuple(fixture, (relation), (const char *const[]){ __VA_ARGS__ })
#define COUNT(array) ((int) (sizeof(array) / sizeof *(array)))

static const Slice none = { NULL, 0 };

/* clang-format off */
static const ColumnSpec user_columns[] = {
	{ "id",    1, TYPE_INT4,    -1, true,  NULL, NULL },
	{ "name",  2, TYPE_TEXT,    -1, false, NULL, NULL },
	{ "score", 3, TYPE_NUMERIC, -1, false, NULL, NULL },
};

static const ColumnSpec pair_columns[] = {
	{ "region", 1, TYPE_TEXT, -1, true,  NULL, NULL },
	{ "number", 2, TYPE_INT8, -1, true,  NULL, NULL },
	{ "name",   3, TYPE_TEXT, -1, false, NULL, NULL },
};

static const ColumnSpec log_columns[] = {
	{ "line",  1, TYPE_TEXT,   -1, false, NULL, NULL },
	{ "value", 2, TYPE_FLOAT8, -1, false, NULL, NULL },
};
/* clang-format on */

typedef struct Test
{
	LakeFixture *fixture;
	char scratch[64]; /* TMPDIR */
	Compare *compare;
	CompareResult result;
} Test;

static int
setup(void **state)
{
	Test *test = calloc(1, sizeof *test);
	Position stored;
	Err err = { 0 };

	assert_non_null(test);
	test->fixture = fixture_new();
	(void) snprintf(test->scratch, sizeof test->scratch, P_tmpdir "/test_compare.XXXXXX");
	assert_non_null(mkdtemp(test->scratch));
	assert_int_equal(setenv("TMPDIR", test->scratch, 1), 0);
	fixture_open(test->fixture, &stored);
	fixture_snapshot_end(test->fixture);
	if (!fixture_cut(test->fixture, &err) ||
	    !compare_open(&test->fixture->config, &test->compare, &err))
		fail_msg("%s", err.text);
	*state = test;
	return 0;
}

static int
teardown(void **state)
{
	Test *test = *state;

	compare_free(test->compare);
	/* Empty: nothing temporary is left. */
	assert_int_equal(rmdir(test->scratch), 0);
	fixture_free(test->fixture);
	free(test);
	return 0;
}

static void
cut(Test *test)
{
	Err err = { 0 };

	if (!fixture_cut(test->fixture, &err))
		fail_msg("cut: %s", err.text);
}

/* Compare at the newest cut from here on. */
static void
look(Test *test)
{
	Position at;
	Err err = { 0 };

	if (!compare_cut(test->compare, &at, &err))
		fail_msg("compare_cut: %s", err.text);
	assert_int_equal(at.phase, POSITION_STREAM);
	assert_int_equal(at.end_lsn, test->fixture->lsn);
}

static void
begin(Test *test, const Relation *relation)
{
	Err err = { 0 };

	if (!compare_begin(test->compare, relation, &err))
		fail_msg("compare_begin: %s", err.text);
}

static void
row(Test *test, Slice tuple)
{
	Err err = { 0 };

	if (!compare_row(test->compare, tuple, &err))
		fail_msg("compare_row: %s", err.text);
}

static void
leave_out(Test *test, Slice tuple)
{
	Err err = { 0 };

	if (!compare_leave_out(test->compare, tuple, &err))
		fail_msg("compare_leave_out: %s", err.text);
}

/* End the table and expect counts: rows of both sides, and of one only. */
static void
expect(Test *test, int source, int silver, int only_source, int only_silver)
{
	CompareResult *result = &test->result;
	Err err = { 0 };

	if (!compare_end(test->compare, result, &err))
		fail_msg("compare_end: %s", err.text);
	assert_int_equal(result->source_rows, source);
	assert_int_equal(result->silver_rows, silver);
	assert_int_equal(result->only_source, only_source);
	assert_int_equal(result->only_silver, only_silver);
	if (only_source == 0 && only_silver == 0)
		assert_int_equal(result->key_count, 0);
}

static void
expect_key(const Test *test, int i, const char *side, const char *key)
{
	assert_true(i < test->result.key_count);
	assert_string_equal(test->result.sides[i], side);
	assert_string_equal(test->result.keys[i], key);
}

/* Users 1 to 3 in one file, at a cut. */
static const Relation *
make_users(Test *test)
{
	LakeFixture *fixture = test->fixture;
	const Relation *users =
		fixture_relation(fixture, 16384, "users", 'd', user_columns, COUNT(user_columns));

	fixture_begin(fixture);
	fixture_insert(fixture, users, TUPLE(users, "1", "ann", "10"));
	fixture_insert(fixture, users, TUPLE(users, "2", "bob", NULL));
	fixture_insert(fixture, users, TUPLE(users, "3", "cid", "30"));
	fixture_commit(fixture);
	cut(test);
	look(test);
	return users;
}

static void
test_nothing_published(void **state)
{
	Test *test = *state;
	Compare *compare;
	Position at;
	Err err = { 0 };

	test->fixture->config.lake_namespace = "other";
	assert_true(compare_open(&test->fixture->config, &compare, &err));
	assert_true(compare_cut(compare, &at, &err));
	assert_int_equal(at.phase, POSITION_NONE);
	compare_free(compare);
}

static void
test_equal(void **state)
{
	Test *test = *state;
	LakeFixture *fixture = test->fixture;
	const Relation *users = make_users(test);

	for (int round = 0; round < 2; round++)
	{
		begin(test, users);
		row(test, TUPLE(users, "3", "cid", "30"));
		row(test, TUPLE(users, "1", "ann", "10"));
		row(test, TUPLE(users, "2", "bob", NULL));
		expect(test, 3, 3, 0, 0);
	}
}

static void
test_different(void **state)
{
	Test *test = *state;
	LakeFixture *fixture = test->fixture;
	const Relation *users = make_users(test);

	/* Silver lacks 4. */
	begin(test, users);
	row(test, TUPLE(users, "1", "ann", "10"));
	row(test, TUPLE(users, "2", "bob", NULL));
	row(test, TUPLE(users, "3", "cid", "30"));
	row(test, TUPLE(users, "4", "dan", "40"));
	expect(test, 4, 3, 1, 0);
	assert_int_equal(test->result.key_count, 1);
	expect_key(test, 0, "source", "{\"id\":4}");

	/* Silver has 1 too much, and another value in 2 and in 3: null is a value. */
	begin(test, users);
	row(test, TUPLE(users, "2", "bob", "0"));
	row(test, TUPLE(users, "3", "cid ", "30"));
	expect(test, 2, 3, 2, 3);
	assert_int_equal(test->result.key_count, 5);
	expect_key(test, 0, "silver", "{\"id\":1}");
	expect_key(test, 1, "source", "{\"id\":2}");
	expect_key(test, 2, "silver", "{\"id\":2}");
	expect_key(test, 3, "source", "{\"id\":3}");

	/* A row twice. */
	begin(test, users);
	row(test, TUPLE(users, "1", "ann", "10"));
	row(test, TUPLE(users, "2", "bob", NULL));
	row(test, TUPLE(users, "2", "bob", NULL));
	row(test, TUPLE(users, "3", "cid", "30"));
	expect(test, 4, 3, 1, 0);
	expect_key(test, 0, "source", "{\"id\":2}");

	begin(test, users);
	expect(test, 0, 3, 0, 3);
	assert_int_equal(test->result.key_count, 3);
}

/* Position deletes apply; the snapshot of the cut stays in sight when later ones come. */
static void
test_deleted_and_pinned(void **state)
{
	Test *test = *state;
	LakeFixture *fixture = test->fixture;
	const Relation *users = make_users(test);

	fixture_begin(fixture);
	fixture_update(fixture, users, 0, none, TUPLE(users, "2", "bobby", "20"));
	fixture_delete(fixture, users, 'K', TUPLE(users, "1", NULL, NULL));
	fixture_commit(fixture);
	cut(test);
	assert_int_equal(fixture_files(fixture, "silver_users", FILE_POSITION_DELETES), 1);

	for (int round = 0; round < 2; round++)
	{
		/* The older cut. */
		begin(test, users);
		row(test, TUPLE(users, "1", "ann", "10"));
		row(test, TUPLE(users, "2", "bob", NULL));
		row(test, TUPLE(users, "3", "cid", "30"));
		expect(test, 3, 3, 0, 0);
	}
	look(test);
	begin(test, users);
	row(test, TUPLE(users, "2", "bobby", "20"));
	row(test, TUPLE(users, "3", "cid", "30"));
	expect(test, 2, 2, 0, 0);
	begin(test, users);
	row(test, TUPLE(users, "1", "ann", "10"));
	row(test, TUPLE(users, "2", "bob", NULL));
	row(test, TUPLE(users, "3", "cid", "30"));
	expect(test, 3, 2, 2, 1);
}

static void
test_left_out(void **state)
{
	Test *test = *state;
	LakeFixture *fixture = test->fixture;
	const Relation *users = make_users(test);
	const Relation *pairs =
		fixture_relation(fixture, 16390, "pairs", 'd', pair_columns, COUNT(pair_columns));
	Err err = { 0 };

	begin(test, users);
	row(test, TUPLE(users, "1", "ann", "10"));
	row(test, TUPLE(users, "2", "new name", "1"));
	leave_out(test, TUPLE(users, "2", NULL, NULL));
	leave_out(test, TUPLE(users, "2", "bob", NULL));
	leave_out(test, TUPLE(users, "3", NULL, NULL));
	leave_out(test, TUPLE(users, "9", NULL, NULL));
	expect(test, 1, 1, 0, 0);
	assert_int_equal(test->result.left_out, 2);

	/* An unchanged value is unknown: such a row is left out by itself. */
	begin(test, users);
	row(test, TUPLE(users, "1", "ann", "10"));
	row(test, TUPLE(users, "2", "~", NULL));
	row(test, TUPLE(users, "3", "cid", "30"));
	expect(test, 2, 2, 0, 0);
	assert_int_equal(test->result.left_out, 1);

	/* A key of two columns, one of them text. */
	fixture_begin(fixture);
	fixture_insert(fixture, pairs, TUPLE(pairs, "north", "1", "a"));
	fixture_insert(fixture, pairs, TUPLE(pairs, "north", "2", "b"));
	fixture_insert(fixture, pairs, TUPLE(pairs, "south", "1", "c"));
	fixture_commit(fixture);
	cut(test);
	look(test);
	begin(test, pairs);
	row(test, TUPLE(pairs, "north", "1", "a"));
	row(test, TUPLE(pairs, "south", "1", "other \"c\""));
	leave_out(test, TUPLE(pairs, "north", "2", NULL));
	expect(test, 2, 2, 1, 1);
	expect_key(test, 0, "source", "{\"region\":\"south\",\"number\":1}");
	expect_key(test, 1, "silver", "{\"region\":\"south\",\"number\":1}");

	/* Not for tables without a key. */
	pairs =
		fixture_relation(fixture, 16400, "lines", 'f', log_columns, COUNT(log_columns));
	begin(test, pairs);
	assert_false(compare_leave_out(test->compare, TUPLE(pairs, NULL, NULL), &err));
	assert_int_equal(err.kind, ERR_DATA);
}

/* A tuple of text and a double given by its bits. */
static Slice
log_tuple(Test *test, const Relation *relation, const char *line, uint64_t bits)
{
	uint64_t value = __builtin_bswap64(bits);
	Slice values[] = { slice_from(line), { (const char *) &value, sizeof value } };

	return fixture_raw(test->fixture, relation, values);
}

#define BITS_ONE      UINT64_C(0x3FF0000000000000)
#define BITS_ZERO     UINT64_C(0)
#define BITS_NEGATIVE UINT64_C(0x8000000000000000) /* -0.0 */
#define BITS_NAN      UINT64_C(0x7FF8000000000000)
#define BITS_NAN_TOO  UINT64_C(0xFFF8000000000001)

/* No key: a multiset of whole rows, doubles by value. */
static void
test_without_key(void **state)
{
	Test *test = *state;
	LakeFixture *fixture = test->fixture;
	const Relation *lines =
		fixture_relation(fixture, 16400, "lines", 'f', log_columns, COUNT(log_columns));
	char wide[1001];

	fixture_begin(fixture);
	fixture_insert(fixture, lines, log_tuple(test, lines, "twice", BITS_ONE));
	fixture_insert(fixture, lines, log_tuple(test, lines, "twice", BITS_ONE));
	fixture_insert(fixture, lines, log_tuple(test, lines, "nan", BITS_NAN));
	fixture_insert(fixture, lines, log_tuple(test, lines, "zero", BITS_NEGATIVE));
	fixture_commit(fixture);
	cut(test);
	fixture_begin(fixture);
	fixture_insert(fixture, lines, log_tuple(test, lines, "gone", BITS_ONE));
	fixture_commit(fixture);
	cut(test);
	fixture_begin(fixture);
	fixture_delete(fixture, lines, 'O', log_tuple(test, lines, "gone", BITS_ONE));
	fixture_commit(fixture);
	cut(test);
	look(test);

	begin(test, lines);
	row(test, log_tuple(test, lines, "nan", BITS_NAN_TOO));
	row(test, log_tuple(test, lines, "twice", BITS_ONE));
	row(test, log_tuple(test, lines, "zero", BITS_ZERO));
	row(test, log_tuple(test, lines, "twice", BITS_ONE));
	expect(test, 4, 4, 0, 0);

	memset(wide, 'x', sizeof wide - 1);
	memcpy(wide + 180, "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4", 14);
	wide[sizeof wide - 1] = '\0';
	begin(test, lines);
	row(test, log_tuple(test, lines, "nan", BITS_ONE));
	row(test, log_tuple(test, lines, "twice", BITS_ONE));
	row(test, log_tuple(test, lines, "zero", BITS_ZERO));
	row(test, log_tuple(test, lines, wide, BITS_ZERO));
	expect(test, 4, 4, 2, 2);
	assert_int_equal(test->result.key_count, 4);
	expect_key(test, 0, "source", "{\"line\":\"nan\",\"value\":1.0}");
	expect_key(test, 1, "silver", "{\"line\":\"nan\",\"value\":nan}");
	expect_key(test, 2, "silver", "{\"line\":\"twice\",\"value\":1.0}");
	assert_true(strlen(test->result.keys[3]) <= COMPARE_KEY_BYTES);
	assert_true(strlen(test->result.keys[3]) >= COMPARE_KEY_BYTES - 1);
	assert_string_equal(test->result.keys[3] + strlen(test->result.keys[3]) - 5,
	                    "\xC3\xA4...");
}

/* Values that silver cannot hold differ by their exact text. */
static void
test_overflow(void **state)
{
	static const ColumnSpec columns[] = {
		{ "id", 1, TYPE_INT4, -1, true, NULL, NULL },
		{ "at", 2, TYPE_DATE, -1, false, NULL, NULL },
	};
	Test *test = *state;
	LakeFixture *fixture = test->fixture;
	const Relation *days =
		fixture_relation(fixture, 16410, "days", 'd', columns, COUNT(columns));

	fixture_begin(fixture);
	fixture_insert(fixture, days, TUPLE(days, "1", "2147483647"));
	fixture_insert(fixture, days, TUPLE(days, "2", "2147483647"));
	fixture_insert(fixture, days, TUPLE(days, "3", "100"));
	fixture_commit(fixture);
	cut(test);
	look(test);
	begin(test, days);
	row(test, TUPLE(days, "1", "2147483647"));
	row(test, TUPLE(days, "2", "-2147483648"));
	row(test, TUPLE(days, "3", "100"));
	expect(test, 3, 3, 1, 1);
	expect_key(test, 0, "source", "{\"id\":2}");
}

/* A table that silver has not heard of is empty there. */
static void
test_unknown_table(void **state)
{
	Test *test = *state;
	LakeFixture *fixture = test->fixture;
	const Relation *users =
		fixture_relation(fixture, 16500, "fresh", 'd', user_columns, COUNT(user_columns));

	look(test);
	begin(test, users);
	expect(test, 0, 0, 0, 0);
	begin(test, users);
	row(test, TUPLE(users, "1", "ann", "10"));
	row(test, TUPLE(users, "2", "ann", "10"));
	leave_out(test, TUPLE(users, "2", NULL, NULL));
	expect(test, 1, 0, 1, 0);
	expect_key(test, 0, "source", "{\"id\":1}");
}

static void
test_stale(void **state)
{
	Test *test = *state;
	LakeFixture *fixture = test->fixture;
	const Relation *users = make_users(test);
	const Relation *lines =
		fixture_relation(fixture, 16400, "lines", 'n', log_columns, COUNT(log_columns));
	Err err = { 0 };

	fixture_begin(fixture);
	fixture_insert(fixture, lines, log_tuple(test, lines, "a", BITS_ONE));
	fixture_commit(fixture);
	cut(test);
	look(test);
	begin(test, lines);
	row(test, log_tuple(test, lines, "a", BITS_ONE));
	expect(test, 1, 1, 0, 0);

	fixture_begin(fixture);
	fixture_delete(fixture, lines, 0, none);
	fixture_commit(fixture);
	cut(test);
	look(test);
	assert_false(compare_begin(test->compare, lines, &err));
	assert_int_equal(err.kind, ERR_DATA);
	assert_non_null(strstr(err.text, "\"silver_lines\" is stale"));
	assert_non_null(strstr(err.text, "without a replica identity"));

	/* The next table is none the worse. */
	begin(test, users);
	row(test, TUPLE(users, "1", "ann", "10"));
	row(test, TUPLE(users, "2", "bob", NULL));
	row(test, TUPLE(users, "3", "cid", "30"));
	expect(test, 3, 3, 0, 0);
}

/* The source's columns have changed, and silver has not heard of it yet. */
static void
test_columns(void **state)
{
	static const ColumnSpec changed[] = {
		{ "id", 1, TYPE_INT8, -1, true, NULL, NULL },
		{ "full_name", 2, TYPE_TEXT, -1, false, NULL, NULL },
		{ "more", 4, TYPE_INT4, -1, false, "7", NULL },
	};
	static const ColumnSpec other[] = {
		{ "id", 1, TYPE_INT4, -1, true, NULL, NULL },
		{ "name", 2, TYPE_BOOL, -1, false, NULL, NULL },
	};
	Test *test = *state;
	LakeFixture *fixture = test->fixture;
	const Relation *users = make_users(test);
	const Relation *now =
		fixture_relation(fixture, 16384, "people", 'd', changed, COUNT(changed));
	const Relation *never =
		fixture_relation(fixture, 16384, "users", 'd', other, COUNT(other));
	Err err = { 0 };

	begin(test, now);
	row(test, TUPLE(now, "1", "ann", "7"));
	row(test, TUPLE(now, "2", "bobby", "7"));
	/* As an older version of the table has it. */
	assert_true(compare_relation(test->compare, users, &err));
	row(test, TUPLE(users, "3", "cid", "30"));
	assert_true(compare_relation(test->compare, now, &err));
	expect(test, 3, 3, 1, 1);
	expect_key(test, 0, "source", "{\"id\":2}");

	assert_false(compare_begin(test->compare, never, &err));
	assert_int_equal(err.kind, ERR_DATA);
	assert_non_null(strstr(err.text, "became bool"));

	/* Silver hears of it after the cut that is looked at. */
	fixture_begin(fixture);
	fixture_insert(fixture, now, TUPLE(now, "5000000000", "new", "8"));
	fixture_commit(fixture);
	cut(test);
	begin(test, users);
	row(test, TUPLE(users, "1", "ann", "10"));
	row(test, TUPLE(users, "2", "bob", NULL));
	row(test, TUPLE(users, "3", "cid", "30"));
	expect(test, 3, 3, 0, 0);
	look(test);
	begin(test, now);
	row(test, TUPLE(now, "1", "ann", "7"));
	row(test, TUPLE(now, "2", "bob", "7"));
	row(test, TUPLE(now, "3", "cid", "7"));
	row(test, TUPLE(now, "5000000000", "new", "8"));
	expect(test, 4, 4, 0, 0);
}

static const Relation *
make_leaf(Test *test, uint32_t relid, const char *name, const ColumnSpec *columns)
{
	Relation *leaf =
		(Relation *) fixture_relation(test->fixture, relid, name, 'd', columns, 3);

	leaf->root_relid = 16600;
	leaf->root_schema = "public";
	leaf->root_name = "orders";
	return leaf;
}

/* Leaves share a table, whatever the order of their columns. */
static void
test_partitions(void **state)
{
	/* clang-format off */
	static const ColumnSpec turned[] = {
		{ "score", 1, TYPE_NUMERIC, -1, false, NULL, NULL },
		{ "name",  2, TYPE_TEXT,    -1, false, NULL, NULL },
		{ "id",    5, TYPE_INT4,    -1, true,  NULL, NULL },
	};
	/* clang-format on */
	Test *test = *state;
	LakeFixture *fixture = test->fixture;
	const Relation *one = make_leaf(test, 16601, "orders_1", user_columns);
	const Relation *two = make_leaf(test, 16602, "orders_2", turned);
	Err err = { 0 };

	fixture_begin(fixture);
	fixture_insert(fixture, one, TUPLE(one, "1", "a", "10"));
	fixture_insert(fixture, two, TUPLE(two, "20", "b", "2"));
	fixture_insert(fixture, one, TUPLE(one, "3", "c", "30"));
	fixture_commit(fixture);
	cut(test);
	look(test);
	begin(test, two);
	for (int round = 0; round < 2; round++)
	{
		assert_true(compare_relation(test->compare, one, &err));
		row(test, round == 0 ? TUPLE(one, "1", "a", "10") : TUPLE(one, "3", "c", "30"));
		assert_true(compare_relation(test->compare, two, &err));
		if (round == 0)
			row(test, TUPLE(two, "20", "b", "2"));
	}
	expect(test, 3, 3, 0, 0);
}

/* More rows than one temporary file takes, over several data files. */
static void
test_many(void **state)
{
	enum
	{
		FILES = 4,
		ROWS = 45000,
	};
	Test *test = *state;
	LakeFixture *fixture = test->fixture;
	const Relation *users = make_users(test);
	char id[16];

	begin(test, users);
	for (int file = 0; file < FILES; file++)
	{
		fixture_begin(fixture);
		for (int i = 0; i < ROWS; i++)
		{
			(void) snprintf(id, sizeof id, "%d", 1 + file * ROWS + i);
			fixture_insert(fixture, users, TUPLE(users, id, id, id));
			row(test, TUPLE(users, id, id, id));
		}
		fixture_commit(fixture);
		cut(test);
	}
	/* Still the first cut: its three rows are others. */
	expect(test, FILES * ROWS, 3, FILES * ROWS, 3);
	assert_int_equal(test->result.key_count, COMPARE_KEYS);

	look(test);
	begin(test, users);
	for (int i = FILES * ROWS; i > 0; i--)
	{
		(void) snprintf(id, sizeof id, "%d", i);
		row(test, TUPLE(users, id, id, id));
	}
	expect(test, FILES * ROWS, FILES * ROWS, 0, 0);
}

/* What a killed process left is removed; what is fresh or locked is not. */
static void
test_left_behind(void **state)
{
	Test *test = *state;
	LakeFixture *fixture = test->fixture;
	struct timespec times[2] = { { .tv_sec = time(NULL) - 3600 },
		                         { .tv_sec = time(NULL) - 3600 } };
	const char *old = arena_printf(fixture->arena, "%s/cdc-sink.old", test->scratch);
	const char *fresh = arena_printf(fixture->arena, "%s/cdc-sink.fresh", test->scratch);
	const char *inside = arena_printf(fixture->arena, "%s/inside", old);
	struct stat status;
	Compare *compare;
	FILE *file;
	Err err = { 0 };

	assert_int_equal(mkdir(old, 0700), 0);
	assert_int_equal(mkdir(fresh, 0700), 0);
	file = fopen(inside, "w");
	assert_non_null(file);
	(void) fclose(file);
	assert_int_equal(utimensat(AT_FDCWD, old, times, 0), 0);
	assert_true(compare_open(&fixture->config, &compare, &err));
	assert_int_equal(stat(old, &status), -1);
	assert_int_equal(stat(fresh, &status), 0);
	compare_free(compare);
	assert_int_equal(rmdir(fresh), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_published, setup, teardown),
		cmocka_unit_test_setup_teardown(test_equal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_different, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deleted_and_pinned, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_key, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overflow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_columns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_partitions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left_behind, setup, teardown),
	};

	return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
