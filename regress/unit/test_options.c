/*
 * test_options.c
 *		the option table: defaults, values, messages, fingerprint.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "envelope/options.h"

/* Blocks of one test, freed together. */
typedef struct Pool
{
	void *blocks[4096];
	size_t count;
} Pool;

static void *
pool_alloc(size_t size, void *context)
{
	Pool *pool = context;
	void *block = malloc(size);

	if (block == NULL || pool->count == sizeof pool->blocks / sizeof *pool->blocks)
		abort();
	pool->blocks[pool->count++] = block;
	return block;
}

static void
pool_free(Pool *pool)
{
	while (pool->count > 0)
		free(pool->blocks[--pool->count]);
}

static void
table_is_sound(void **state)
{
	size_t count;
	const EnvOptionDef *table = env_option_table(&count);

	(void) state;
	for (size_t i = 0; i < count; i++)
	{
		char option[64];
		Pool pool = { .count = 0 };
		Alloc alloc = { pool_alloc, &pool };
		EnvOptions options;
		EnvError error;

		(void) snprintf(option, sizeof option, "%s", table[i].name);
		for (char *c = option; *c != '\0'; c++)
			if (*c == '.')
				*c = '_';
		assert_string_equal(option, table[i].option);
		if (i > 0)
			assert_true(strcmp(table[i - 1].name, table[i].name) < 0);
		assert_ptr_equal(env_option_find(table[i].name), &table[i]);
		assert_ptr_equal(env_option_find(table[i].option), &table[i]);
		env_options_init(&options, &alloc);
		assert_true(
			env_option_set(&options, table[i].name, table[i].boot, &alloc, &error));
		env_options_fini(&options);
		pool_free(&pool);
	}
}

static void
defaults(void **state)
{
	Pool pool = { .count = 0 };
	Alloc alloc = { pool_alloc, &pool };
	EnvOptions options;

	(void) state;
	env_options_init(&options, &alloc);
	assert_string_equal(options.topic_prefix, "cdc");
	assert_string_equal(options.topic_delimiter, ".");
	assert_string_equal(options.unavailable_value_placeholder,
	                    "__debezium_unavailable_value");
	assert_int_equal(options.skipped_operations, SKIP_TRUNCATE);
	assert_int_equal(options.decimal_handling_mode, DECIMAL_PRECISE);
	assert_int_equal(options.time_precision_mode, TIME_ADAPTIVE);
	assert_true(options.tombstones_on_delete);
	assert_true(options.replace_null_with_default);
	assert_true(options.extended_headers_enabled);
	assert_false(options.schemas_enable);
	assert_false(options.lossless);
	env_options_fini(&options);
	pool_free(&pool);
}

static void
values(void **state)
{
	Pool pool = { .count = 0 };
	Alloc alloc = { pool_alloc, &pool };
	EnvOptions o;
	EnvError error;

	(void) state;
	env_options_init(&o, &alloc);
	assert_true(env_option_set(&o, "time_precision_mode", "isostring", &alloc, &error));
	assert_int_equal(o.time_precision_mode, TIME_ISOSTRING);
	assert_true(env_option_set(&o, "binary.handling.mode", "HEX", &alloc, &error));
	assert_int_equal(o.binary_handling_mode, BINARY_HEX);
	assert_true(env_option_set(&o, "skipped.operations", "none", &alloc, &error));
	assert_int_equal(o.skipped_operations, 0);
	assert_true(env_option_set(&o, "skipped.operations", "u, d", &alloc, &error));
	assert_int_equal(o.skipped_operations, SKIP_UPDATE | SKIP_DELETE);
	assert_false(env_option_set(&o, "skipped.operations", "u,none", &alloc, &error));
	assert_false(env_option_set(&o, "skipped.operations", "x", &alloc, &error));
	assert_true(env_option_set(&o, "schemas_enable", "on", &alloc, &error));
	assert_true(o.schemas_enable);

	assert_false(env_option_set(&o, "decimal_handling_mode", "exact", &alloc, &error));
	assert_string_equal(error.message,
	                    "invalid value for option \"decimal_handling_mode\": \"exact\"");
	assert_string_equal(error.hint, "Available values: precise, double, string.");
	assert_false(env_option_set(&o, "topic.prefix", "", &alloc, &error));
	assert_false(env_option_set(&o, "decimal_handling_mod", "x", &alloc, &error));
	assert_string_equal(error.message, "unrecognized option \"decimal_handling_mod\"");
	assert_string_equal(error.hint,
	                    "Perhaps you meant the option \"decimal_handling_mode\".");
	assert_false(env_option_set(&o, "completely.else.where", "x", &alloc, &error));
	assert_string_equal(error.hint, "");
	assert_string_equal(env_option_nearest("table.include.lst", '.'),
	                    "table.include.list");
	env_options_fini(&o);
	pool_free(&pool);
}

static void
fingerprint(void **state)
{
	Pool pool = { .count = 0 };
	Alloc alloc = { pool_alloc, &pool };
	EnvOptions o;
	EnvError error;
	uint64_t before;
	uint64_t rest;

	(void) state;
	env_options_init(&o, &alloc);
	before = env_options_fingerprint(&o);
	rest = env_options_fingerprint_of_rest(&o);
	assert_true(env_option_set(&o, "schemas.enable", "true", &alloc, &error));
	assert_true(env_options_fingerprint(&o) == before);
	assert_true(env_option_set(&o, "table.include.list", "a.b", &alloc, &error));
	assert_false(env_options_fingerprint(&o) == before);
	assert_true(env_options_fingerprint_of_rest(&o) == rest);
	assert_true(env_option_set(&o, "column.include.list", "a.b.c", &alloc, &error));
	assert_false(env_options_fingerprint_of_rest(&o) == rest);
	env_options_fini(&o);
	pool_free(&pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_sound),
		cmocka_unit_test(defaults),
		cmocka_unit_test(values),
		cmocka_unit_test(fingerprint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
