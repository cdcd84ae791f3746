/*
 * test_lake.c
 *		the lake output: hand-made streams in, Iceberg tables out.
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
#include "lake/lake.h"

/* After ours: cmocka.h defines a macro fail(). */
#include <cmocka.h>

#define TUPLE(relation, ...) \
	fixture_tuple(fixture, (relation), (const char *const[]){ __VA_ARGS__ })
#define ROWS(table, ...)                               \
	fixture_rows(fixture,                              \
	             (table),                              \
	             (const char *const[]){ __VA_ARGS__ }, \
	             (int) (sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)))

static const Slice none = { NULL, 0 };

/* clang-format off */
static const ColumnSpec user_columns[] = {
	{ "id",    1, TYPE_INT4,    -1, true,  NULL, NULL },
	{ "name",  2, TYPE_TEXT,    -1, false, NULL, NULL },
	{ "score", 3, TYPE_NUMERIC, -1, false, NULL, NULL },
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

/* A lake in the stream, with one table of users. */
static const Relation *
start(LakeFixture *fixture)
{
	const Relation *users =
		fixture_relation(fixture, 16384, "users", 'd', user_columns, 3);
	Position stored;

	fixture_open(fixture, &stored);
	assert_int_equal(stored.phase, POSITION_NONE);
	fixture_snapshot_end(fixture);
	must_cut(fixture);
	return users;
}

static void
reopen(LakeFixture *fixture)
{
	Position stored;

	fixture_close(fixture);
	fixture_open(fixture, &stored);
	assert_int_equal(stored.phase, POSITION_STREAM);
}

static void
test_changes(void **state)
{
	LakeFixture *fixture = *state;
	const Relation *users = start(fixture);

	fixture_begin(fixture);
	fixture_insert(fixture, users, TUPLE(users, "1", "ann", "10"));
	fixture_insert(fixture, users, TUPLE(users, "2", "bob", NULL));
	fixture_insert(fixture, users, TUPLE(users, "3", "cid", "30"));
	fixture_update(fixture, users, 0, none, TUPLE(users, "2", "bobby", "20"));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_users", "id", "name", "_op"),
	                    "1|ann|c\n2|bobby|u\n3|cid|c\n");

	fixture_begin(fixture);
	fixture_update(fixture,
	               users,
	               'K',
	               TUPLE(users, "3", NULL, NULL),
	               TUPLE(users, "4", "cid", "30"));
	fixture_delete(fixture, users, 'K', TUPLE(users, "1", NULL, NULL));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_users", "id", "name", "_op"),
	                    "2|bobby|u\n4|cid|u\n");
	assert_string_equal(
		ROWS("bronze_users", "op", "key", "before", "after"),
		"c|{\"id\":1}|null|{\"id\":1,\"name\":\"ann\",\"score\":\"10\"}\n"
		"c|{\"id\":2}|null|{\"id\":2,\"name\":\"bob\",\"score\":null}\n"
		"c|{\"id\":3}|null|{\"id\":3,\"name\":\"cid\",\"score\":\"30\"}\n"
		"d|{\"id\":1}|{\"id\":1}|null\n"
		"u|{\"id\":2}|null|{\"id\":2,\"name\":\"bobby\",\"score\":\"20\"}\n"
		"u|{\"id\":4}|{\"id\":3}|"
		"{\"id\":4,\"name\":\"cid\",\"score\":\"30\"}\n");
	assert_int_equal(fixture_files(fixture, "silver_users", FILE_POSITION_DELETES), 1);

	/* The index is rebuilt from the files. */
	reopen(fixture);
	fixture_begin(fixture);
	fixture_update(fixture, users, 0, none, TUPLE(users, "4", "dora", "40"));
	fixture_delete(fixture, users, 'K', TUPLE(users, "2", NULL, NULL));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_users", "id", "name"), "4|dora\n");
	/* The first two files are empty and have left the table. */
	assert_int_equal(fixture_files(fixture, "silver_users", FILE_DATA), 1);
	assert_int_equal(fixture_files(fixture, "silver_users", FILE_POSITION_DELETES), 0);
}

static void
test_replay(void **state)
{
	LakeFixture *fixture = *state;
	const Relation *users = start(fixture);
	Lsn before = fixture->lsn;
	Position stored;

	for (int round = 0; round < 2; round++)
	{
		/* The second time these are there already. */
		fixture->lsn = before;
		fixture_begin(fixture);
		fixture_insert(fixture, users, TUPLE(users, "1", "ann", "10"));
		fixture_commit(fixture);
		if (round == 0)
			must_cut(fixture);
		fixture_begin(fixture);
		fixture_insert(fixture, users, TUPLE(users, "2", "bob", "20"));
		fixture_commit(fixture);
		fixture_send(fixture);
		if (round == 1)
			must_cut(fixture);
		else
		{
			fixture_close(fixture);
			fixture_open(fixture, &stored);
			assert_true(stored.end_lsn < fixture->lsn);
		}
	}
	assert_string_equal(ROWS("silver_users", "id"), "1\n2\n");
	assert_string_equal(ROWS("bronze_users", "op", "key"),
	                    "c|{\"id\":1}\nc|{\"id\":2}\n");
}

static void
test_unchanged(void **state)
{
	LakeFixture *fixture = *state;
	const Relation *users = start(fixture);

	fixture_begin(fixture);
	fixture_insert(fixture, users, TUPLE(users, "1", "long text", "10"));
	fixture_insert(fixture, users, TUPLE(users, "2", "other text", "20"));
	fixture_insert(fixture, users, TUPLE(users, "3", "third text", "30"));
	fixture_update(fixture, users, 0, none, TUPLE(users, "1", "~", "11"));
	fixture_commit(fixture);
	must_cut(fixture);
	fixture_begin(fixture);
	fixture_update(fixture, users, 0, none, TUPLE(users, "1", "~", "12"));
	fixture_update(fixture,
	               users,
	               'K',
	               TUPLE(users, "2", NULL, NULL),
	               TUPLE(users, "20", "~", "21"));
	fixture_update(fixture, users, 0, none, TUPLE(users, "20", "~", "22"));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_users", "id", "name", "score"),
	                    "1|long text|-6446744073709551616\n"
	                    "20|other text|3553255926290448384\n"
	                    "3|third text|-6893488147419103232\n");
	assert_string_equal(ROWS("bronze_users", "op", "unchanged"),
	                    "c|null\nc|null\nc|null\n"
	                    "u|[\"name\"]\nu|[\"name\"]\nu|[\"name\"]\nu|[\"name\"]\n");
}

static void
test_truncate(void **state)
{
	LakeFixture *fixture = *state;
	const Relation *users = start(fixture);

	fixture_begin(fixture);
	fixture_insert(fixture, users, TUPLE(users, "1", "ann", "10"));
	fixture_commit(fixture);
	must_cut(fixture);
	fixture_begin(fixture);
	fixture_insert(fixture, users, TUPLE(users, "2", "bob", "10"));
	fixture_truncate(fixture, users);
	fixture_insert(fixture, users, TUPLE(users, "3", "cid", "10"));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_users", "id"), "3\n");
	assert_string_equal(ROWS("bronze_users", "op", "after", "before"),
	                    "c|{\"id\":1,\"name\":\"ann\",\"score\":\"10\"}|null\n"
	                    "c|{\"id\":2,\"name\":\"bob\",\"score\":\"10\"}|null\n"
	                    "c|{\"id\":3,\"name\":\"cid\",\"score\":\"10\"}|null\n"
	                    "t|null|null\n");
}

static void
test_snapshot(void **state)
{
	LakeFixture *fixture = *state;
	const Relation *users =
		fixture_relation(fixture, 16384, "users", 'd', user_columns, 3);
	Slice tuples[2] = { TUPLE(users, "1", "ann", "10"), TUPLE(users, "2", "bob", "20") };
	Position stored;
	Err err = { 0 };

	fixture_open(fixture, &stored);
	stored = fixture->self;
	stored.phase = POSITION_INTENT;
	assert_true(fixture->output->ops->mark(fixture->output, &stored, &err));
	/* Killed before its end: what the table holds is replaced. */
	fixture_snapshot(fixture, users, tuples, 2);
	fixture_send(fixture);
	fixture_close(fixture);
	fixture_open(fixture, &stored);
	assert_int_equal(stored.phase, POSITION_INTENT);
	fixture_snapshot(fixture, users, tuples, 2);
	fixture_snapshot_end(fixture);
	must_cut(fixture);
	/* The end of a snapshot is a boundary: an idle stream is stored from there on. */
	fixture_keepalive(fixture);
	must_cut(fixture);
	fixture_begin(fixture);
	fixture_update(fixture, users, 0, none, TUPLE(users, "2", "bert", "20"));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_users", "id", "name", "_op"), "1|ann|r\n2|bert|u\n");
	assert_string_equal(ROWS("bronze_users", "op", "ordinal"), "r|0\nr|1\nu|0\n");
	assert_string_equal(ROWS("cdc_checkpoints", "table_name", "status"),
	                    "bronze_users|live\nbronze_users|live\n"
	                    "silver_users|live\nsilver_users|live\n");
}

/* A transaction larger than the buffer is spilled; a row may change after that. */
static void
test_spill(void **state)
{
	LakeFixture *fixture = *state;
	const Relation *users;
	char id[16];

	fixture->config.lake_flush_bytes = 64 << 10;
	users = start(fixture);
	fixture_begin(fixture);
	for (int i = 0; i < 3000; i++)
	{
		(void) snprintf(id, sizeof id, "%d", i);
		fixture_insert(fixture, users, TUPLE(users, id, "name", "1"));
		if (i % 1000 == 0)
			fixture_send(fixture);
	}
	for (int i = 0; i < 3000; i++)
	{
		(void) snprintf(id, sizeof id, "%d", i);
		if (i % 1000 == 7)
			fixture_update(fixture, users, 0, none, TUPLE(users, id, "~", "2"));
		else
			fixture_delete(fixture, users, 'K', TUPLE(users, id, NULL, NULL));
	}
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(ROWS("silver_users", "id", "name", "_op"),
	                    "1007|name|u\n2007|name|u\n7|name|u\n");
}

/* What a table had of it when it asked to be read again is not to be gone on with. */
static void
test_gone_on_with(void **state)
{
	LakeFixture *fixture = *state;
	const Relation *users = start(fixture);
	Slice tuples[2] = { TUPLE(users, "1", "ann", "10"), TUPLE(users, "2", "bob", "20") };
	Arena *arena = fixture->arena;

	fixture_begin(fixture);
	fixture_insert(fixture, users, TUPLE(users, "1", "ann", "10"));
	fixture_update(fixture, users, 0, none, TUPLE(users, "2", "~", "20"));
	fixture_commit(fixture);
	must_cut(fixture);
	assert_string_equal(fixture_property(fixture, "silver_users", "cdc.stale"),
	                    "a row was updated that silver does not have; it will be read "
	                    "again by itself");
	assert_string_equal(lake_output_asked(fixture->output, arena), "public.users");
	/* This reading had begun before. */
	fixture_reread(fixture, users, "16384:1:5:100", &tuples[1], 1);
	must_cut(fixture);
	assert_non_null(strstr(fixture_property(fixture, "cdc_checkpoints", "cdc.position"),
	                       "public.users"));
	assert_string_equal(lake_output_asked(fixture->output, arena), "public.users");
	reopen(fixture);
	fixture_reread(fixture, users, NULL, tuples, 2);
	must_cut(fixture);
	assert_string_equal(fixture_property(fixture, "silver_users", "cdc.stale"), "");
	assert_null(lake_output_asked(fixture->output, arena));
	assert_string_equal(ROWS("silver_users", "id", "name"), "1|ann\n2|bob\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unchanged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_snapshot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spill, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone_on_with, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
