/*
 * test_index.c
 *		the key index against a plain array, exact and hashed.
 *
 * Linked with the archive of all sink objects.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lake/index.h"

/* After ours: cmocka.h defines macros of short names. */
#include <cmocka.h>

#define KEYS   20000
#define ROUNDS 400000

static const uint8_t seed[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

typedef struct KeyBytes
{
	char bytes[24];
	size_t len;
} KeyBytes;

static Slice
make_key(KeyBytes *key, bool exact, uint32_t number)
{
	memset(key, 0, sizeof *key);
	memcpy(key->bytes, &number, sizeof number);
	key->len = exact ? 8 : sizeof number + number % 17;
	return (Slice){ key->bytes, key->len };
}

static uint32_t
random_next(uint64_t *random)
{
	*random = *random * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return (uint32_t) (*random >> 33);
}

static void
check_step(Index *index, RowPlace *model, bool exact, uint64_t *random)
{
	uint32_t number = random_next(random) % KEYS;
	RowPlace place = { random_next(random) % 1000, random_next(random) };
	RowPlace old = { 0, 0 };
	bool is_there = model[number].file != UINT32_MAX;
	KeyBytes bytes;
	Slice key = make_key(&bytes, exact, number);
	bool found;

	switch (random_next(random) % 3)
	{
		case 0:
			found = index_take(index, key, &old);
			place.file = UINT32_MAX;
			break;
		case 1:
			found = index_put(index, key, place, &old);
			break;
		default:
			found = index_find(index, key, &old);
			place = model[number];
	}
	assert_int_equal(found, is_there);
	if (found)
	{
		assert_int_equal(old.file, model[number].file);
		assert_int_equal(old.position, model[number].position);
	}
	model[number] = place;
}

static void
check_model(bool exact)
{
	RowPlace *model = malloc(sizeof *model * KEYS);
	Index *index = index_new(exact, seed);
	uint64_t random = 42;
	size_t count = 0;

	assert_non_null(model);
	for (uint32_t i = 0; i < KEYS; i++)
		model[i].file = UINT32_MAX;
	for (int i = 0; i < ROUNDS; i++)
		check_step(index, model, exact, &random);
	for (uint32_t i = 0; i < KEYS; i++)
	{
		KeyBytes bytes;
		RowPlace place;
		bool is_there = model[i].file != UINT32_MAX;

		count += is_there;
		assert_int_equal(index_find(index, make_key(&bytes, exact, i), &place), is_there);
	}
	assert_int_equal(index_count(index), count);
	index_free(index);
	free(model);
}

static void
test_exact(void **state)
{
	(void) state;
	check_model(true);
}

static void
test_hashed(void **state)
{
	(void) state;
	check_model(false);
}

/* Room is made at once, and what is there stays. */
static void
test_reserve(void **state)
{
	Index *index = index_new(true, seed);
	KeyBytes bytes;
	RowPlace place;
	RowPlace old;
	size_t room;

	(void) state;
	index_reserve(index, 0);
	room = index_bytes(index);
	index_reserve(index, 100);
	assert_int_equal(index_bytes(index), room);
	for (uint32_t i = 0; i < 5000; i++)
		(void) index_put(index, make_key(&bytes, true, i), (RowPlace){ 1, i }, &old);
	index_reserve(index, 200000);
	room = index_bytes(index);
	assert_in_range(room, 200000 * 16, 200000 * 16 * 3 / 2);
	index_reserve(index, 1000);
	for (uint32_t i = 5000; i < 190000; i++)
		(void) index_put(index, make_key(&bytes, true, i), (RowPlace){ 1, i }, &old);
	assert_in_range(index_bytes(index), room, room * 11 / 10);
	for (uint32_t i = 0; i < 190000; i++)
	{
		assert_true(index_find(index, make_key(&bytes, true, i), &place));
		assert_int_equal(place.position, i);
	}
	assert_int_equal(index_count(index), 190000);
	index_free(index);
}

static void
test_size(void **state)
{
	Index *index = index_new(true, seed);
	RowPlace old;

	(void) state;
	for (uint32_t i = 0; i < 1000000; i++)
	{
		KeyBytes bytes;

		assert_false(
			index_put(index, make_key(&bytes, true, i * 7), (RowPlace){ 1, i }, &old));
	}
	/* Sequential keys spread; 16 bytes an entry at 75 to 85 %. */
	assert_true(index_bytes(index) < (size_t) 22 * 1000000);
	index_clear(index);
	assert_int_equal(index_count(index), 0);
	index_free(index);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_hashed),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
