/*
 * test_fit.c
 *		defaults of memory against a container's limit.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/* After the others: it defines fail(). */
#include <cmocka.h>

static void
defaults_fit_into_the_memory_limit(void **state)
{
	static const struct
	{
		const char *setting;
		int64_t limit; /* MB */
		int64_t max;
		int64_t flush;
		const char *shown;
	} cases[] = {
		{ "outputs=kafka", 0, 256, 64, "max.memory=256MB\n" },
		{ "outputs=kafka", 4096, 256, 64, "max.memory=256MB\n" },
		{ "outputs=kafka", 512, 128, 32, "max.memory=128MB\n" },
		{ "outputs=kafka", 300, 75, 18, "lake.flush.bytes=18MB\n" },
		{ "outputs=kafka", 10, 16, 1, "max.memory=16MB\n" },
		{ "max.memory=1GB", 512, 1024, 32, "max.memory=1GB\n" },
		{ "lake.flush.bytes=64MB", 512, 128, 64, "lake.flush.bytes=64MB\n" },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		const char *settings[] = { "database.dbname=shop",
			                       "kafka.bootstrap.servers=localhost",
			                       "topic.prefix=cdc",
			                       "outputs=kafka",
			                       cases[i].setting };
		ConfigInput input = { .settings = settings,
			                  .setting_count = sizeof settings / sizeof *settings,
			                  .memory_limit = cases[i].limit << 20 };
		Arena *arena = arena_new();
		Err err = { 0 };
		Config *config = config_load(arena, &input, &err);
		char *text = NULL;
		size_t size = 0;
		FILE *to = open_memstream(&text, &size);

		if (config == NULL)
			fail_msg("%s", err.text);
		assert_int_equal(config->max_memory, cases[i].max << 20);
		assert_int_equal(config->lake_flush_bytes, cases[i].flush << 20);
		assert_int_equal(config->memory_limit, cases[i].limit << 20);
		config_print(config, to);
		assert_int_equal(fclose(to), 0);
		if (strstr(text, cases[i].shown) == NULL)
			fail_msg("no \"%s\" in:\n%s", cases[i].shown, text);
		free(text);
		config_free(config);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_fit_into_the_memory_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
