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
		{ "[^\xc3\xa4]", "\xc3\xa4", false },
		{ "[^\xc3\xa4]", "\xc3\xb6", true },
		{ "[\xce\xb1-\xcf\x89]+", "\xce\xb2\xcf\x83", true },
		{ "[\\W]", "\xc3\xa4", true },
		{ "[^\\W]", "a", true },
		{ "[^a-c]", "B", false },
		{ "x\\Qab\\E+", "xabbb", true },
		{ "x(ab|c|)*y", "xcababcy", true },
		{ "x(ab|c|)*y", "xacy", false },
		{ "(a|ab)(c|bcd)", "abcd", true },
		{ "a{2\\,4}", "a", false },
		{ "a{2\\,4}", "aaa", true },
		{ "a{2\\,4}", "aaaaa", false },
		{ "a{0}b", "b", true },
		{ "a{3\\,}", "aaaaaa", true },
		{ "a{3\\,}", "aa", false },
		{ "(ab?){2}?c", "abac", true },
		{ "^a$|^b$", "b", true },
		{ "((((a?)*)*)*)*b", "aaab", true },
		{ "a\\nb", "a\nb", true },
		{ "a.b", "a\nb", false },
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
		{ "\\u0041", "\"\\u\"" }, { "a**", "a quantifier follows another" },
		{ "a{2}{3}", "another" }, { "a{2\\,1}", "out of order" },
		{ "a)", "not opened" },   { "a\\", "backslash" },
		{ "[z-a]", "\"z-a\"" },   { "[a-\\d]", "\"a-\\d\"" },
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

static char *
repeated(Pool *pool, const char *part, size_t times, const char *end)
{
	size_t len = strlen(part);
	char *text = pool_alloc(len * times + strlen(end) + 1, pool);

	for (size_t i = 0; i < times; i++)
		memcpy(text + i * len, part, len);
	memcpy(text + len * times, end, strlen(end) + 1);
	return text;
}

/* What could take the stack, all memory or years is refused. */
static void
bounds(void **state)
{
	Pool pool = { .count = 0 };
	Alloc alloc = { pool_alloc, &pool };
	const struct
	{
		const char *list;
		const char *reason;
	} cases[] = {
		{ repeated(&pool, "(", 200, ""), "too large" },
		{ repeated(&pool, "x", 10000, ""), "too large" },
		{ "((a{100}){100}){100}", "too large" },
		{ "((){1000}){1000}", "too large" },
		{ "a{4294967297}", "too large" },
		{ "a{0\\,99999}", "too large" },
		{ "\xd6", "not valid UTF-8" },
		{ "[a\xd6\n]", "not valid UTF-8" },
		{ "a\xe6\x97", "not valid UTF-8" },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		FilterList list;
		EnvError error = { .message = "" };

		if (filter_compile(&list, cases[i].list, &alloc, &error))
			fail_msg("%.100s was accepted", cases[i].list);
		if (strstr(error.message, cases[i].reason) == NULL)
			fail_msg("%.100s: %s", cases[i].list, error.message);
	}
	pool_free(&pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matching),
		cmocka_unit_test(refusing),
		cmocka_unit_test(bounds),
		cmocka_unit_test(include_and_exclude),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
