/*
 * test_base.c
 *		arena, buffer, LSN text, queue, error text and what outlives a batch.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#undef fail
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cgroup.h"
#include "base/err.h"
#include "base/lsn.h"
#include "base/queue.h"
#include "event/event.h"

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
count_release(void *thing)
{
	++*(int *) thing;
}

static void
arena_releases_what_it_holds(void **state)
{
	Arena *arena = arena_new();
	int released = 0;

	(void) state;
	arena_hold(arena, &released, 1000000, count_release);
	arena_hold(arena, &released, 10, count_release);
	assert_true(arena_bytes(arena) > 1000000);
	assert_int_equal(released, 0);
	arena_reset(arena);
	assert_int_equal(released, 2);
	assert_true(arena_bytes(arena) < 1000000);
	arena_hold(arena, &released, 10, count_release);
	arena_free(arena);
	assert_int_equal(released, 3);
}

static void
count_memory(void *memory)
{
	int *released = *(int **) memory;

	++*released;
	free(memory);
}

/* A large tuple outlives its batch without a copy; a small one beside it is copied. */
static void
large_tuple_is_held(void **state)
{
	BatchBudget budget = { .limit = 1000, .wake_fd = -1 };
	Batch *batch = batch_new(&budget);
	Arena *arena = arena_new();
	int released = 0;
	char *memory = malloc(10000);
	Slice kept;
	Slice copied;
	Slice before;
	Event *event = batch_add(batch, EVENT_INSERT);

	(void) state;
	assert_non_null(memory);
	before = event_keep(event, (Slice){ memory, 9000 }, arena);
	assert_ptr_not_equal(before.data, memory);
	*(int **) memory = &released;
	memcpy(memory + 1000, "large", 5);
	memcpy(memory + 9000, "small", 5);
	batch_adopt(batch, memory, 10000, count_memory);
	event = batch_add(batch, EVENT_INSERT);
	kept = event_keep(event, (Slice){ memory + 1000, 8000 }, arena);
	copied = event_keep(event, (Slice){ memory + 9000, 5 }, arena);
	batch_seal(batch);
	batch_unref(batch);
	assert_int_equal(budget.used, 0);
	assert_int_equal(released, 0);
	assert_ptr_equal(kept.data, memory + 1000);
	assert_memory_equal(kept.data, "large", 5);
	assert_ptr_not_equal(copied.data, memory + 9000);
	assert_memory_equal(copied.data, "small", 5);
	assert_true(arena_bytes(arena) > 18000);
	arena_free(arena);
	assert_int_equal(released, 1);
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

/* Write text to a file below directory; the directories on the way are made. */
static void
put_file(const char *directory, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	(void) snprintf(path, sizeof path, "%s/%s", directory, name);
	for (char *slash = path + strlen(directory); (slash = strchr(slash + 1, '/'));)
	{
		*slash = '\0';
		(void) mkdir(path, 0700);
		*slash = '/';
	}
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* The limit with this list of the process's groups. */
static int64_t
limit_with(const char *directory, const char *groups)
{
	char self[512];

	put_file(directory, "self", groups);
	(void) snprintf(self, sizeof self, "%s/self", directory);
	return cgroup_memory_limit(self, directory);
}

static void
least_limit_of_control_groups_counts(void **state)
{
	char directory[] = "/tmp/cdc-cgroup-XXXXXX";
	char command[64];

	(void) state;
	assert_non_null(mkdtemp(directory));
	/* version 2: the group's own, one above it, the root's, or none */
	put_file(directory, "a/b/memory.max", "max\n");
	put_file(directory, "a/memory.max", "268435456\n");
	put_file(directory, "c/memory.max", "max\n");
	put_file(directory, "d/memory.max", "nonsense\n");
	assert_int_equal(limit_with(directory, "0::/a/b\n"), 268435456);
	assert_int_equal(limit_with(directory, "0::/c\n"), 0);
	assert_int_equal(limit_with(directory, "0::/d\n"), 0);
	assert_int_equal(limit_with(directory, "0::/\n"), 0);
	put_file(directory, "memory.max", "536870912\n");
	assert_int_equal(limit_with(directory, "0::/c\n"), 536870912);
	assert_int_equal(limit_with(directory, "0::/a/b\n"), 268435456);
	assert_int_equal(limit_with(directory, "0::/gone/elsewhere\n"), 536870912);
	assert_int_equal(limit_with(directory, "0::/\n"), 536870912);
	/* version 1, of which a container sees the end of the host's path only */
	put_file(directory, "memory/memory.limit_in_bytes", "9223372036854771712\n");
	put_file(directory, "memory/k/memory.limit_in_bytes", "134217728\n");
	assert_int_equal(limit_with(directory, "5:cpu,memory:/k/x\n4:cpuset:/\n"), 134217728);
	assert_int_equal(limit_with(directory, "5:memory:/docker/0123\n"), 0);
	assert_int_equal(limit_with(directory, "5:memoryless:/k\n"), 0);
	/* both: the least */
	assert_int_equal(limit_with(directory, "5:memory:/k\n0::/a\n"), 134217728);
	assert_int_equal(limit_with(directory, "nothing\n:\n::\n\n"), 536870912);
	assert_int_equal(cgroup_memory_limit("/nowhere/self", directory), 0);
	(void) snprintf(command, sizeof command, "rm -r %s", directory);
	assert_int_equal(system(command), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_keeps_what_it_gave),
		cmocka_unit_test(arena_releases_what_it_holds),
		cmocka_unit_test(large_tuple_is_held),
		cmocka_unit_test(arena_reset_keeps_one_block),
		cmocka_unit_test(buffer_grows_and_prints),
		cmocka_unit_test(lsn_text_round_trips),
		cmocka_unit_test(error_text_is_prefixed_and_cut),
		cmocka_unit_test(queue_bounds_and_orders),
		cmocka_unit_test(least_limit_of_control_groups_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
