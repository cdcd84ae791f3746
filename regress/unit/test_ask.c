/*
 * test_ask.c
 *		names as cdc-sink snapshot --tables takes them, and as a shell does.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "source/ask.h"

/* After the others: it defines fail(). */
#include <cmocka.h>

static void
check(const char *schema, const char *table, const char *expected)
{
	Buf buf = buf_heap();

	ask_print(&buf, schema, table);
	assert_string_equal(buf_cstr(&buf), expected);
	buf_free(&buf);
}

static void
plain_names(void **state)
{
	(void) state;
	check("public", "users", "public.users");
	check("S", "T_1-x", "S.T_1-x");
}

static void
odd_names(void **state)
{
	(void) state;
	check("S", "Odd.na,me'q", "'S.\"Odd.na,me'\\''q\"'");
	check("a\"b", "t", "'\"a\"\"b\".t'");
	check("public", "two words", "'public.\"two words\"'");
	check("public", "$(id)", "'public.\"$(id)\"'");
	check("public", "tänze", "'public.\"tänze\"'");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_names),
		cmocka_unit_test(odd_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
