/*
 * test_row_filter.c
 *		row.filter.*: from what is written to which table has which.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"

/* After the others: it defines fail(). */
#include <cmocka.h>

#define MAX_SETTINGS 16

typedef struct World
{
	Arena *arena;
	Alloc alloc;
	Config *config;
	Err err;
} World;

static int
setup(void **state)
{
	World *world = xmalloc(sizeof *world);

	*world = (World){ .arena = arena_new() };
	world->alloc = arena_as_alloc(world->arena);
	*state = world;
	return 0;
}

static int
teardown(void **state)
{
	World *world = *state;

	config_free(world->config);
	arena_free(world->arena);
	free(world);
	return 0;
}

/* Load settings up to NULL, over what every configuration needs. */
static Config *
load(World *world, char **environment, const char *const *settings)
{
	const char *all[MAX_SETTINGS] = { "database.dbname=shop",
		                              "lake.warehouse=file:///w" };
	ConfigInput input = { .environ = environment, .settings = all, .setting_count = 2 };

	while (settings != NULL && *settings != NULL)
		all[input.setting_count++] = *settings++;
	config_free(world->config);
	world->err = (Err){ 0 };
	world->config = config_load(world->arena, &input, &world->err);
	return world->config;
}

static const EnvOptions *
must_load(World *world, const char *const *settings)
{
	if (load(world, NULL, settings) == NULL)
		fail_msg("%s (%s)", world->err.text, world->err.hint);
	return &world->config->env;
}

static const char *
filter_of(const EnvOptions *options, const char *schema, const char *table)
{
	const RowFilter *filter = row_filter_named(&options->row_filters, schema, table);

	return filter == NULL ? "none" : filter->expression;
}

/* Names are exact; the later of two counts, and an empty one is none. */
static void
test_settings(void **state)
{
	static const char *const settings[] = {
		"row.filter.public.orders=total > 100 AND status = 'paid'",
		"row.filter.public.Orders= a=b:c ",
		"row.filter.s.order_items=x",
		"row.filter.s.t=x",
		"row.filter.s.t=y",
		"row.filter.s.gone=x",
		"row.filter.s.gone=",
		"row.filter.Odd.a.b c=z",
		NULL,
	};
	const EnvOptions *options = must_load(*state, settings);

	assert_int_equal(options->row_filters.count, 5);
	assert_string_equal(filter_of(options, "public", "orders"),
	                    "total > 100 AND status = 'paid'");
	assert_string_equal(filter_of(options, "public", "Orders"), "a=b:c");
	assert_string_equal(filter_of(options, "PUBLIC", "orders"), "none");
	assert_string_equal(filter_of(options, "public", "order"), "none");
	assert_string_equal(filter_of(options, "s", "order_items"), "x");
	assert_string_equal(filter_of(options, "s", "t"), "y");
	assert_string_equal(filter_of(options, "s", "gone"), "none");
	assert_string_equal(filter_of(options, "Odd.a", "b c"), "z");
	assert_string_equal(filter_of(options, "Odd", "a.b c"), "z");
}

static void
test_refused(void **state)
{
	static const char *const refused[] = {
		"row.filter.orders=x",          "row.filter..orders=x", "row.filter.public.=x",
		"row_filter_public.orders=x",   "row.filter=x",         "row_filters=1:a1:b",
		"row.filter.SCHEMA.TABLE=true",
	};

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
	{
		World *world = *state;
		const char *settings[] = { refused[i], NULL };

		if (load(world, NULL, settings) != NULL)
			fail_msg("%s is accepted", refused[i]);
		assert_int_equal(world->err.kind, ERR_CONFIG);
	}
}

/* A variable has no case and no dots: such a table cannot have an underscore. */
static void
test_variable(void **state)
{
	char variable[] = "CDC_SINK_ROW_FILTER_PUBLIC_ORDERS=total > 1";
	char *environment[] = { variable, NULL };
	World *world = *state;

	assert_non_null(load(world, environment, NULL));
	assert_string_equal(filter_of(&world->config->env, "public", "orders"), "total > 1");
}

static void
test_printed(void **state)
{
	static const char *const settings[] = { "row.filter.public.token=secret > 1", NULL };
	World *world = *state;
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	(void) must_load(world, settings);
	config_print(world->config, to);
	assert_int_equal(fclose(to), 0);
	assert_non_null(strstr(text, "\nrow.filter.public.token=secret > 1\n"));
	assert_null(strstr(text, "SCHEMA.TABLE"));
	free(text);
}

/* They decide what is streamed, whatever their order. */
static void
test_fingerprint(void **state)
{
	static const char *const forth[] = { "row.filter.s.a=x", "row.filter.s.b=y", NULL };
	static const char *const back[] = { "row.filter.s.b=y", "row.filter.s.a=x", NULL };
	static const char *const other[] = { "row.filter.s.b=y", "row.filter.s.a=z", NULL };
	World *world = *state;
	uint64_t bare = env_options_fingerprint(must_load(world, NULL));
	uint64_t first = env_options_fingerprint(must_load(world, forth));

	assert_true(first != bare);
	assert_true(first == env_options_fingerprint(must_load(world, back)));
	assert_true(first != env_options_fingerprint(must_load(world, other)));
}

/* As one option of the plugin. */
static void
test_travel(void **state)
{
	static const char *const settings[] = { "row.filter.s.a=t <> '1:x'",
		                                    "row.filter.\xc3\xa4.b=9",
		                                    NULL };
	static const char *const bad[] = { "x", "3:s.a", "3:s.a9:x", "3:s.a-1:x", "3:s.a1x" };
	World *world = *state;
	const EnvOptions *options = must_load(world, settings);
	EnvOptions copy;
	EnvError error;
	Buf text = buf_heap();

	row_filter_write(&options->row_filters, &text);
	env_options_init(&copy, &world->alloc);
	assert_true(env_option_set(
		&copy, OPTION_ALL_ROW_FILTERS, buf_cstr(&text), &world->alloc, &error));
	assert_int_equal(copy.row_filters.count, 2);
	assert_string_equal(filter_of(&copy, "s", "a"), "t <> '1:x'");
	assert_string_equal(filter_of(&copy, "\xc3\xa4", "b"), "9");
	assert_true(env_options_fingerprint(&copy) == env_options_fingerprint(options));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(
			env_option_set(&copy, OPTION_ALL_ROW_FILTERS, bad[i], &world->alloc, &error));
	env_options_fini(&copy);
	buf_free(&text);
}

/* A publication travels as one text, and is the same filter there. */
static void
test_publication(void **state)
{
	static const char *const bad[] = {
		"", "3:all", "3:all1:05:table1:7", "3:all1:06:schema", "3:all1:04:what1:7", "x",
	};
	World *world = *state;
	EnvOptions options;
	const Published *published;
	Relation relation = { .relid = 7, .schema = "s", .name = "a", .root_schema = "r" };
	EnvError error;
	Buf text = buf_heap();

	env_options_init(&options, &world->alloc);
	published = options.published;
	assert_true(published_has(published, &relation)); /* none is given */
	published_write_head(&text, false, SKIP_DELETE);
	published_write_schema(&text, "sch:ema");
	published_write_table(&text, 7, "s.a", "1 12", "n > 1");
	published_write_table(&text, 8, "r.root", NULL, NULL);
	assert_true(env_option_set(
		&options, OPTION_PUBLISHED, buf_cstr(&text), &world->alloc, &error));
	assert_true(published->given && published->everywhere && !published->all_tables);
	assert_int_equal(published->withheld, SKIP_DELETE);
	assert_true(published_has(published, &relation));
	assert_true(published_has_column(published, &relation, 12));
	assert_false(published_has_column(published, &relation, 2));
	assert_string_equal(row_filter_of(&options, &relation, NULL)->expression, "n > 1");
	relation.relid = 9;
	assert_false(published_has(published, &relation));
	relation.root_relid = 8;
	assert_true(published_has(published, &relation));
	relation.root_relid = 0;
	relation.schema = "sch:ema";
	assert_true(published_has(published, &relation));
	assert_true(published_has_column(published, &relation, 2));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(
			env_option_set(&options, OPTION_PUBLISHED, bad[i], &world->alloc, &error));
	env_options_fini(&options);
	buf_free(&text);
}

/* A partition has its own filter or its root's; by the root's name the root's alone. */
static void
test_partitions(void **state)
{
	static const char *const settings[] = { "row.filter.s.root=r",
		                                    "row.filter.s.own=o",
		                                    NULL };
	EnvOptions options = *must_load(*state, settings);
	Relation leaf = { .schema = "s", .name = "leaf", .root_schema = "s" };
	const char *name;

	leaf.root_name = "root";
	assert_null(row_filter_of(&options, &leaf, NULL)); /* it is no partition */
	leaf.root_relid = 1;
	assert_string_equal(row_filter_of(&options, &leaf, &name)->expression, "r");
	assert_string_equal(name, "root");
	leaf.name = "own";
	assert_string_equal(row_filter_of(&options, &leaf, &name)->expression, "o");
	assert_string_equal(name, "own");
	options.publish_via_partition_root = true;
	assert_string_equal(row_filter_of(&options, &leaf, &name)->expression, "r");
	leaf.root_name = "other";
	assert_null(row_filter_of(&options, &leaf, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_variable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_printed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fingerprint, setup, teardown),
		cmocka_unit_test_setup_teardown(test_travel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_publication, setup, teardown),
		cmocka_unit_test_setup_teardown(test_partitions, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
