/*
 * test_base.c
 *		arena, buffer, LSN text, queue and error text.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#undef fail
#include <pthread.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/lsn.h"
#include "base/queue.h"

static void
arena_keeps_what_it_gave(void **state)
{
	Arena *arena = arena_new();
	char *texts[1000];

	(void) state;
	for (int i = 0; i < 1000; i++)
		texts[i] = arena_printf(arena, "text %d of %*d", i, i % 300, i);
	for (int i = 0; i < 1000; i++)
	{
		char *expected = arena_printf(arena, "text %d of %*d", i, i % 300, i);

		assert_string_equal(texts[i], expected);
		assert_int_equal((uintptr_t) texts[i] % 16, 0);
	}
	arena_free(arena);
}

static void
arena_reset_keeps_one_block(void **state)
{
	Arena *arena = arena_new();
	size_t full;

	(void) state;
	for (int i = 0; i < 100; i++)
		(void) arena_alloc(arena, 100000);
	full = arena_bytes(arena);
	arena_reset(arena);
	assert_true(arena_bytes(arena) < full / 4);
	memset(arena_alloc(arena, 5000000), 1, 5000000);
	arena_free(arena);
	arena_free(NULL);
}

static void
buffer_grows_and_prints(void **state)
{
	Buf buf = buf_heap();

	(void) state;
	for (int i = 0; i < 10000; i++)
		buf_char(&buf, (char) ('a' + i % 26));
	assert_int_equal(buf.len, 10000);
	assert_int_equal(buf.data[9999], 'a' + 9999 % 26);
	buf_reset(&buf);
	buf_int64(&buf, INT64_MIN);
	buf_char(&buf, ' ');
	buf_int64(&buf, 0);
	buf_char(&buf, ' ');
	buf_uint64(&buf, UINT64_MAX);
	buf_printf(&buf, " %s/%d", "x", 7);
	assert_string_equal(buf_cstr(&buf),
	                    "-9223372036854775808 0 18446744073709551615 x/7");
	buf_free(&buf);
}

static void
lsn_text_round_trips(void **state)
{
	static const char *const good[] = { "0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF" };
	static const char *const bad[] = { "",      "0",   "/",           "0/",  "/0",
		                               "1/2/3", "1/G", "123456789/0", "1/2 " };
	char text[LSN_TEXT_SIZE];
	Lsn lsn;

	(void) state;
	for (size_t i = 0; i < 3; i++)
	{
		assert_true(lsn_parse(good[i], &lsn));
		assert_string_equal(lsn_format(lsn, text), good[i]);
	}
	assert_true(lsn_parse("a/b", &lsn));
	assert_true(lsn == (UINT64_C(10) << 32 | 11));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(lsn_parse(bad[i], &lsn));
}

static void
error_text_is_prefixed_and_cut(void **state)
{
	Err err;
	char longer[2000];

	(void) state;
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	assert_false(fail(&err, ERR_RETRY, "could not connect: %s", "refused\n"));
	assert_false(fail_while(&err, "could not read table \"%s\"", "t"));
	assert_string_equal(err.text,
	                    "could not read table \"t\": could not connect: refused");
	assert_int_equal(err.kind, ERR_RETRY);
	assert_string_equal(err.hint, "");
	(void) fail_hint(&err, "Do %d things.", 2);
	assert_string_equal(err.hint, "Do 2 things.");
	(void) fail_while(&err, "%s", longer);
	assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void *
take_all(void *argument)
{
	Queue *queue = argument;
	uintptr_t sum = 0;
	void *item;

	while ((item = queue_take(queue, -1)) != NULL)
		sum += (uintptr_t) item;
	return (void *) sum;
}

static void
queue_bounds_and_orders(void **state)
{
	Queue *queue = queue_new(3);
	pthread_t thread;
	void *sum;
	uintptr_t expected = 0;

	(void) state;
	assert_null(queue_take(queue, 0));
	for (uintptr_t i = 1; i <= 3; i++)
		assert_true(queue_put(queue, (void *) i));
	assert_false(queue_put(queue, (void *) 4));
	for (uintptr_t i = 1; i <= 3; i++)
		assert_ptr_equal(queue_take(queue, -1), (void *) i);
	queue_wake(queue);
	assert_null(queue_take(queue, -1));
	assert_int_equal(pthread_create(&thread, NULL, take_all, queue), 0);
	for (uintptr_t i = 1; i <= 100000; i++)
	{
		while (!queue_put(queue, (void *) i))
			continue;
		expected += i;
	}
	queue_stop(queue);
	assert_int_equal(pthread_join(thread, &sum), 0);
	assert_true((uintptr_t) sum == expected);
	queue_free(queue);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_keeps_what_it_gave),
		cmocka_unit_test(arena_reset_keeps_one_block),
		cmocka_unit_test(buffer_grows_and_prints),
		cmocka_unit_test(lsn_text_round_trips),
		cmocka_unit_test(error_text_is_prefixed_and_cut),
		cmocka_unit_test(queue_bounds_and_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
