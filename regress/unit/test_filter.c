/*
 * test_filter.c
 *		include and exclude lists: what matches, and what is refused.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "envelope/filter.h"
#include "envelope/options.h"

/* A pool so that nothing leaks: blocks are freed by pool_free. */
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
matching(void **state)
{
	static const struct
	{
		const char *list;
		const char *name;
		bool matches;
	} cases[] = {
		{ "", "public.users", false },
		{ "public.users", "public.users", true },
		{ "public\\.users", "public.users", true },
		{ "public\\.users", "publicxusers", false },
		{ "public.user", "public.users", false },
		{ "ublic.users", "public.users", false },
		{ "PUBLIC.Users", "public.users", true },
		{ "a.b, public.users ,c.d", "public.users", true },
		{ "public.(users|orders)", "public.orders", true },
		{ "public.(?:users|orders)", "public.orders", true },
		{ "(?i)public.USERS", "public.users", true },
		{ "public\\.shard_\\d+", "public.shard_12", true },
		{ "public\\.shard_\\d+", "public.shard_x", false },
		{ "public\\.\\w{5}", "public.users", true },
		{ "public\\.\\w{6\\,}", "public.users", false },
		{ "public\\.[a-z]+?", "public.users", true },
		{ "public\\.[^x]*", "public.users", true },
		{ "public\\.[^u]*", "public.users", false },
		{ "public\\.[\\w-]+", "public.a-b", true },
		{ "public\\.[a\\]^-]+", "public.a]^-", true },
		{ "public\\.[\\^]", "public.^", true },
		{ "public\\.\\Qa.b\\E", "public.a.b", true },
		{ "public\\.\\Qa.b\\E", "public.axb", false },
		{ "public\\.a\\,b", "public.a,b", true },
		{ "public\\..", "public.\xc3\xa4", true },
		{ "public\\.t.ble",
		  "public.t\xc3\xa4"
		  "ble",
		  true },
		{ "public\\.t..ble",
		  "public.t\xc3\xa4"
		  "ble",
		  false },
		{ "public\\..*", "public.\xe6\x97\xa5\xe6\x9c\xac", true },
		{ "public\\..{2}", "public.\xe6\x97\xa5\xe6\x9c\xac", true },
		{ "public\\.[^a]{2}", "public.\xe6\x97\xa5\xe6\x9c\xac", true },
		{ "public\\.\\W{2}", "public.\xe6\x97\xa5\xe6\x9c\xac", true },
		{ "public\\.[\xc3\xa4\xc3\xb6]x", "public.\xc3\xb6x", true },
		{ "public\\.\xc3\xa4+", "public.\xc3\xa4\xc3\xa4", true },
		{ "public\\.a b", "public.a b", true },
		{ "s.t.(a|b)", "s.t.b", true },
		{ "(.*).fi_other.v", "public.fi_other.v", true },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		Pool pool = { .count = 0 };
		Alloc alloc = { pool_alloc, &pool };
		FilterList list;
		EnvError error;

		if (!filter_compile(&list, cases[i].list, &alloc, &error))
			fail_msg("%s: %s", cases[i].list, error.message);
		if (filter_matches(&list, cases[i].name) != cases[i].matches)
			fail_msg("%s and %s", cases[i].list, cases[i].name);
		filter_free(&list);
		pool_free(&pool);
	}
}

static void
refusing(void **state)
{
	static const struct
	{
		const char *list;
		const char *construct;
	} cases[] = {
		{ "a(?=b)", "\"(?=\"" },  { "a(?!b).*", "\"(?!\"" },
		{ "a++", "\"++\"" },      { "a*+", "\"*+\"" },
		{ "\\p{L}+", "\"\\p\"" }, { "\\bx", "\"\\b\"" },
		{ "(a)\\1", "\"\\1\"" },  { "[a&&b]", "\"&&\"" },
		{ "[a[b]]", "\"[\"" },    { "(?x)a", "\"(?x\"" },
		{ "a{", "\"{\"" },        { "[a-", "unclosed" },
		{ "(a", "invalid" },      { "*a", "invalid" },
		{ "\\u0041", "\"\\u\"" }, { "[^\xc3\xa4]", "\xc3\xa4" },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		Pool pool = { .count = 0 };
		Alloc alloc = { pool_alloc, &pool };
		FilterList list;
		EnvError error = { .message = "" };

		if (filter_compile(&list, cases[i].list, &alloc, &error))
			fail_msg("%s was accepted", cases[i].list);
		if (strstr(error.message, cases[i].construct) == NULL)
			fail_msg("%s: %s", cases[i].list, error.message);
		pool_free(&pool);
	}
}

static void
include_and_exclude(void **state)
{
	Pool pool = { .count = 0 };
	Alloc alloc = { pool_alloc, &pool };
	EnvOptions options;
	EnvError error;

	(void) state;
	env_options_init(&options, &alloc);
	assert_true(filter_wants_table(&options, "public", "users"));
	assert_true(
		env_option_set(&options, "table_include_list", "public.u.*", &alloc, &error));
	assert_true(
		env_option_set(&options, "table.exclude.list", "public.ux", &alloc, &error));
	assert_true(filter_wants_table(&options, "public", "users"));
	assert_false(filter_wants_table(&options, "public", "ux"));
	assert_false(filter_wants_table(&options, "public", "orders"));
	assert_true(env_option_set(&options, "schema.exclude.list", "pub.*", &alloc, &error));
	assert_false(filter_wants_table(&options, "public", "users"));
	assert_true(
		env_option_set(&options, "column.exclude.list", "public.u.s", &alloc, &error));
	assert_false(filter_wants_column(&options, "public", "u", "s"));
	assert_true(filter_wants_column(&options, "public", "u", "id"));
	env_options_fini(&options);
	pool_free(&pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matching),
		cmocka_unit_test(refusing),
		cmocka_unit_test(include_and_exclude),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
