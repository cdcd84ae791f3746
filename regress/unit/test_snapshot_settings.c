/*
 * test_snapshot_settings.c
 *		the settings that say when a snapshot is taken, and what it reads.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail

#include <string.h>

#include "config/config.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef struct World
{
	Arena *arena;
	Config *config;
	Err err;
} World;

static int
set_up(void **state)
{
	static World world;

	world = (World){ .arena = arena_new() };
	*state = &world;
	return 0;
}

static int
tear_down(void **state)
{
	World *world = *state;

	config_free(world->config);
	arena_free(world->arena);
	return 0;
}

static Config *
load(World *world, const char *const *settings, size_t count)
{
	ConfigInput input = { .settings = settings, .setting_count = count };

	config_free(world->config);
	world->err = (Err){ 0 };
	world->config = config_load(world->arena, &input, &world->err);
	return world->config;
}

static void
test_what_is_read(void **state)
{
	static const char *const settings[] = {
		"database.dbname=shop",
		"outputs=kafka",
		"kafka.bootstrap.servers=b:9092",
		"snapshot.mode=when_needed",
		"snapshot.include.collection.list=public\\..*,log\\.a",
		"snapshot.delay.ms=5000",
		"snapshot.fetch.size=10",
		"snapshot.isolation.mode=read_committed",
		"snapshot.locking.mode=shared",
		"snapshot.tables.order.by.row.count=descending",
		"snapshot.select.statement.overrides= public.a , log.a",
		"snapshot.select.statement.overrides.public.a=select * from a where b = 'x=y'",
		"snapshot.select.statement.overrides.log.a=select 1",
	};
	World *world = *state;
	Config *config = load(world, settings, COUNT(settings));

	if (config == NULL)
		print_error("%s (%s)\n", world->err.text, world->err.hint);
	assert_non_null(config);
	assert_int_equal(config->snapshot_mode, SNAPSHOT_WHEN_NEEDED);
	assert_int_equal(config->snapshot_order, ORDER_LARGEST_FIRST);
	assert_int_equal(config->snapshot_delay_ms, 5000);
	assert_int_equal(config->streaming_delay_ms, 0);
	assert_true(config_snapshots_table(config, "public", "any"));
	assert_true(config_snapshots_table(config, "log", "a"));
	assert_false(config_snapshots_table(config, "log", "b"));
	assert_string_equal(config_snapshot_select(config, "public.a"),
	                    "select * from a where b = 'x=y'");
	assert_string_equal(config_snapshot_select(config, "log.a"), "select 1");
	assert_null(config_snapshot_select(config, "log.b"));
}

/* What bronze holds cannot be read again. */
static void
test_always_without_bronze(void **state)
{
	static const char *const settings[] = {
		"database.dbname=shop",
		"snapshot.mode=always",
		"lake.warehouse=file:///srv/lake",
		"outputs=silver",
		"outputs=bronze,silver",
	};
	World *world = *state;

	assert_non_null(load(world, settings, COUNT(settings) - 1));
	assert_null(load(world, settings, COUNT(settings)));
	assert_int_equal(world->err.kind, ERR_CONFIG);
	assert_non_null(strstr(world->err.text, "bronze"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_always_without_bronze, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
