/*
 * test_pattern.c
 *		Java's regular expressions with captures.
 *
 * The expected results were printed by java.util.regex (JDK 17): Matcher.matches(), then
 * Matcher.replaceFirst().
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#undef fail

#include "base/pattern.h"

/* clang-format off */
static const struct
{
	const char *text;
	const char *replacement;
	const char *subject;
	const char *result;
} routes[] = {
		{ "(.*)shard_(.*)", "$1all_shards", "g.public.shard_1", "g.public.all_shards" },
		{ "(?<routedByValue>.*)", "outbox.event.${routedByValue}", "Order", "outbox.event.Order" },
		{ "a|ab", "x", "ab", "xb" },
		{ "(a|ab)(c|bcd)?", "[$1][$2]", "abcd", "[a][bcd]" },
		{ "(.*?)", "x", "t", "xt" },
		{ "(.*?)\\.(.*)", "$2-$1", "a.b.c", "b.c-a" },
		{ "(.*)\\.(.*)", "$2-$1", "a.b.c", "c-a.b" },
		{ "([^.]*)\\.([^.]*)\\.(.*)", "$3", "srv.public.t", "t" },
		{ "(a*)*", "[$1]", "aaa", "[]" },
		{ "(a*)+b", "[$1]", "aab", "[]" },
		{ "(a|b)*", "[$1]", "abab", "[b]" },
		{ "(\\w+)_(\\d{1,3})", "$1", "tab_123", "tab" },
		{ "(\\w+?)_?(\\d*)", "$1/$2", "tab_123", "t/ab_123" },
		{ "(?i)AbC(.*)", "$1", "aBcD", "D" },
		{ "x(?i:y)z", "ok", "xYz", "ok" },
		{ "x(?i:y)z", "ok", "XYz", NULL },
		{ "(?=a)a(b)(?!c).", "$1", "abd", "b" },
		{ "(?=a)a(b)(?!c).", "$1", "abc", NULL },
		{ "(a+)+$", "n", "aaaa", "n" },
		{ "(\\w)\\1", "$1", "aa", "a" },
		{ "(?<x>.)\\k<x>", "${x}", "bb", "b" },
		{ "\\Qa.b\\E(.)", "$1", "a.bc", "c" },
		{ "\\Qa.b\\E(.)", "$1", "axbc", NULL },
		{ "a{2}", "x", "aa", "x" },
		{ "a{2,}", "x", "a", NULL },
		{ "(a{1,2})(a*)", "$1-$2", "aaa", "aa-a" },
		{ "(a{1,2}?)(a*)", "$1-$2", "aaa", "a-aa" },
		{ "a*+a", "x", "aaa", NULL },
		{ "(?>a*)b", "x", "aab", "x" },
		{ "[^a-c]+", "x", "def", "x" },
		{ "[]a]+", "x", "]a", "x" },
		{ "[a\\-z]+", "x", "a-z", "x" },
		{ "\303\274(.)\303\237", "$1", "\303\274\346\227\245\303\237", "\346\227\245" },
		{ ".", "x", "\346\227\245", "x" },
		{ "[\303\251\346\227\245]", "x", "\346\227\245", "x" },
		{ "\\$", "\\$1", "$", "$1" },
		{ "(a)(b)?", "$1$2!", "a", "a!" },
		{ "()(a)", "$10$2", "a", "0a" },
		{ "(a)", "$12", "a", "a2" },
		{ "a\\.?b", "q", "ab", "q" },
		{ "^a$", "z", "a", "z" },
		{ "a.c", "z", "a\012c", NULL },
		{ "(?s)a.c", "z", "a\012c", "z" },
		{ "\\bfoo\\b", "x", "foo", "x" },
		{ "a||b", "x", "", "x" },
		{ "(|a)+", "[$1]", "aa", "[]aa" },
		{ "(a|)+", "[$1]", "aa", "[]" },
		{ "((a)|(b))+", "$2$3", "ab", "ab" },
		{ "\\x41\\u0042", "x", "AB", "x" },
		{ "\\D+", "x", "ab", "x" },
		{ "[\\D]+", "x", "a1", NULL },
		{ "[\\w.]+", "x", "a.1", "x" },
		{ "(?:(\\d+)-)?(\\w+)", "$2,$1", "12-ab", "ab,12" },
		{ "(?:(\\d+)-)?(\\w+)", "$2,$1", "ab", "ab," },
};
/* clang-format on */

static void
routing(void **state)
{
	(void) state;
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
	{
		Arena *arena = arena_new();
		Err err = { 0 };
		const char *result;
		bool matched;
		const Pattern *pattern = pattern_compile(arena, routes[i].text, &err);

		assert_string_equal(err.text, "");
		assert_non_null(pattern);
		assert_true(pattern_check_replacement(pattern, routes[i].replacement, &err));
		assert_true(pattern_route(pattern,
		                          slice_from(routes[i].subject),
		                          routes[i].replacement,
		                          arena,
		                          &result,
		                          &err));
		print_message("%s on %s\n", routes[i].text, routes[i].subject);
		if (routes[i].result == NULL)
			assert_null(result);
		else
			assert_string_equal(result, routes[i].result);
		assert_true(
			pattern_matches(pattern, slice_from(routes[i].subject), &matched, &err));
		assert_int_equal(matched, routes[i].result != NULL);
		arena_free(arena);
	}
}

static void
refused(void **state)
{
	static const char *const texts[] = {
		"(",
		")",
		"a)",
		"[a",
		"*a",
		"a**",
		"(?<=a)b",
		"(?<!a)b",
		"\\p{L}",
		"[a&&b]",
		"[a[b]]",
		"\\",
		"a{2,1}",
		"a{1001}",
		"a{x}",
		"(?<1a>x)",
		"(?m)a",
		"\\1",
		"\\k<n>a",
		"\\y",
		"(?<a>x)(?<a>y)",
		"[z-a]",
		"((a{900}){900})",
		"(?",
		"[\\Qa",
	};

	(void) state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
	{
		Arena *arena = arena_new();
		Err err = { 0 };

		print_message("%s\n", texts[i]);
		assert_null(pattern_compile(arena, texts[i], &err));
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_string_not_equal(err.text, "");
		arena_free(arena);
	}
}

static void
replacements(void **state)
{
	static const char *const bad[] = { "$3", "$", "\\", "${x}", "${", "$a", "$ 1" };
	static const char *const good[] = { "", "$0$1$2", "$12", "${n}", "\\$\\\\" };
	Arena *arena = arena_new();
	Err err = { 0 };
	const Pattern *pattern = pattern_compile(arena, "(a)(?<n>b)", &err);

	(void) state;
	assert_non_null(pattern);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(pattern_check_replacement(pattern, bad[i], &err));
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(pattern_check_replacement(pattern, good[i], &err));
	arena_free(arena);
}

/* What backtracks without end is given up, as an error. */
static void
endless(void **state)
{
	Arena *arena = arena_new();
	Err err = { 0 };
	const char *result;
	const Pattern *pattern = pattern_compile(arena, "(x+x+)+y", &err);

	(void) state;
	assert_non_null(pattern);
	assert_false(pattern_route(pattern,
	                           slice_from("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
	                           "",
	                           arena,
	                           &result,
	                           &err));
	assert_int_equal(err.kind, ERR_DATA);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routing),
		cmocka_unit_test(refused),
		cmocka_unit_test(replacements),
		cmocka_unit_test(endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
