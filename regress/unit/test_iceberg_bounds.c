/*
 * test_iceberg_bounds.c
 *		single values as bytes (spec, Appendix D), truncation, order, ids, days.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
/* cmocka has a macro fail: our own headers first. */
#include "iceberg_support.h"
#include "lake/iceberg/bounds.h"
#include "lake/iceberg/ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEX(expected, slice) assert_string_equal(to_hex(arena, (slice)), (expected))

static void
values_as_the_spec_says(void **state)
{
	Arena *arena = arena_new();
	const uint8_t uuid[16] = { 0xf7, 0x9c, 0x3e, 0x09, 0x67, 0x7c, 0x4b, 0xbd,
		                       0xa4, 0x79, 0x3f, 0x34, 0x9c, 0xb7, 0x85, 0xe7 };

	(void) state;
	HEX("00", bound_boolean(arena, false));
	HEX("01", bound_boolean(arena, true));
	HEX("22000000", bound_int(arena, 34));
	HEX("ffffffff", bound_int(arena, -1));
	HEX("2200000000000000", bound_long(arena, 34));
	HEX("0000803f", bound_float(arena, 1.0f, BOUND_LOWER));
	HEX("000000000000f0bf", bound_double(arena, -1.0, BOUND_LOWER));
	HEX("00000080", bound_float(arena, 0.0f, BOUND_LOWER));
	HEX("00000000", bound_float(arena, -0.0f, BOUND_UPPER));
	HEX("0000000000000080", bound_double(arena, 0.0, BOUND_LOWER));
	HEX("0000000000000000", bound_double(arena, -0.0, BOUND_UPPER));
	HEX("f79c3e09677c4bbda4793f349cb785e7", bound_uuid(arena, uuid));
	HEX("6962", bound_exact(arena, slice_from("ib")));
	arena_free(arena);
}

static void
decimals_are_minimal(void **state)
{
	Arena *arena = arena_new();
	const struct
	{
		int64_t unscaled;
		const char *hex;
	} cases[] = {
		{ 0, "00" },      { 1, "01" },       { 127, "7f" },       { 128, "0080" },
		{ 1420, "058c" }, { -1, "ff" },      { -128, "80" },      { -129, "ff7f" },
		{ 255, "00ff" },  { 32767, "7fff" }, { 32768, "008000" }, { -32768, "8000" },
	};
	__int128 great = 1;
	IcebergType type = iceberg_decimal(38, 0);

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		HEX(cases[i].hex, bound_decimal(arena, cases[i].unscaled));
		assert_true(bound_integer(&type, bound_decimal(arena, cases[i].unscaled)) ==
		            cases[i].unscaled);
	}
	for (int i = 0; i < 38; i++)
		great *= 10;
	HEX("4b3b4ca85a86c47a098a223fffffffff", bound_decimal(arena, great - 1));
	HEX("b4c4b357a5793b85f675ddc000000001", bound_decimal(arena, 1 - great));
	arena_free(arena);
}

static void
strings_are_cut_at_code_points(void **state)
{
	Arena *arena = arena_new();
	const struct
	{
		const char *text;
		const char *lower;
		const char *upper; /* NULL: none */
	} cases[] = {
		{ "", "", "" },
		{ "short", "short", "short" },
		{ "0123456789abcdef", "0123456789abcdef", "0123456789abcdef" },
		{ "0123456789abcdefg", "0123456789abcdef", "0123456789abcdeg" },
		{ "éééééééééééééééé!", "éééééééééééééééé", "éééééééééééééééê" },
		/* U+D7FF goes to U+E000, over the surrogates. */
		{ "aaaaaaaaaaaaaaa\xed\x9f\xbf!",
		  "aaaaaaaaaaaaaaa\xed\x9f\xbf",
		  "aaaaaaaaaaaaaaa\xee\x80\x80" },
		/* U+7F and U+7FF grow by a byte. */
		{ "aaaaaaaaaaaaaaa\x7f!", "aaaaaaaaaaaaaaa\x7f", "aaaaaaaaaaaaaaa\xc2\x80" },
		{ "aaaaaaaaaaaaaaa\xdf\xbf!",
		  "aaaaaaaaaaaaaaa\xdf\xbf",
		  "aaaaaaaaaaaaaaa\xe0\xa0\x80" },
		/* U+10FFFF cannot grow: the one before it does. */
		{ "aaaaaaaaaaaaaab\xf4\x8f\xbf\xbf!",
		  "aaaaaaaaaaaaaab\xf4\x8f\xbf\xbf",
		  "aaaaaaaaaaaaaac" },
	};
	Buf greatest = buf_heap();
	Slice bound;

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		assert_true(bound_string(arena, slice_from(cases[i].text), BOUND_LOWER, &bound));
		assert_true(slice_equal(bound, slice_from(cases[i].lower)));
		assert_true(bound_string(arena, slice_from(cases[i].text), BOUND_UPPER, &bound));
		assert_true(slice_equal(bound, slice_from(cases[i].upper)));
	}
	for (int i = 0; i < 17; i++)
		buf_text(&greatest, "\xf4\x8f\xbf\xbf");
	assert_false(
		bound_string(arena, (Slice){ greatest.data, greatest.len }, BOUND_UPPER, &bound));
	assert_true(
		bound_string(arena, (Slice){ greatest.data, greatest.len }, BOUND_LOWER, &bound));
	assert_false(bound_string(arena, slice_from("a\xff"), BOUND_LOWER, &bound));
	assert_false(bound_string(arena, slice_from("a\xc3"), BOUND_UPPER, &bound));
	assert_false(bound_string(arena, slice_from("\xed\xa0\x80"), BOUND_UPPER, &bound));
	buf_free(&greatest);
	arena_free(arena);
}

static void
bytes_are_cut(void **state)
{
	Arena *arena = arena_new();
	char bytes[17];
	Slice bound;

	(void) state;
	memset(bytes, 0xff, sizeof bytes);
	assert_false(bound_binary(arena, (Slice){ bytes, 17 }, BOUND_UPPER, &bound));
	assert_true(bound_binary(arena, (Slice){ bytes, 16 }, BOUND_UPPER, &bound));
	bytes[1] = 1;
	assert_true(bound_binary(arena, (Slice){ bytes, 17 }, BOUND_UPPER, &bound));
	HEX("ff02", bound);
	assert_true(bound_binary(arena, (Slice){ bytes, 17 }, BOUND_LOWER, &bound));
	assert_int_equal(bound.len, 16);
	arena_free(arena);
}

static void
values_have_an_order(void **state)
{
	Arena *arena = arena_new();
	IcebergType integer = iceberg_type(ICEBERG_INT);
	IcebergType wide = iceberg_type(ICEBERG_LONG);
	IcebergType real = iceberg_type(ICEBERG_DOUBLE);
	IcebergType decimal = iceberg_decimal(9, 2);
	IcebergType text = iceberg_type(ICEBERG_STRING);

	(void) state;
	assert_true(bound_compare(&integer, bound_int(arena, -1), bound_int(arena, 1)) < 0);
	assert_true(bound_compare(&wide, bound_int(arena, -5), bound_long(arena, -6)) > 0);
	assert_true(bound_compare(&real,
	                          bound_double(arena, -2, BOUND_LOWER),
	                          bound_float(arena, 1, BOUND_LOWER)) < 0);
	assert_true(
		bound_compare(&decimal, bound_decimal(arena, -129), bound_decimal(arena, 1)) < 0);
	assert_true(bound_compare(&text, slice_from("a"), slice_from("ab")) < 0);
	assert_true(bound_compare(&text, slice_from("\xc3\xa9"), slice_from("z")) > 0);
	assert_int_equal(bound_compare(&text, slice_from("x"), slice_from("x")), 0);
	assert_false(bound_is_valid(&integer, bound_long(arena, 1)));
	assert_true(bound_is_valid(&wide, bound_int(arena, 1)));
	assert_false(bound_is_valid(&decimal, (Slice){ "", 0 }));
	arena_free(arena);
}

static void
ids_and_days(void **state)
{
	uint8_t uuid[16];
	char text[UUID_TEXT_SIZE];

	(void) state;
	memset(uuid, 0xff, sizeof uuid);
	uuid4_from_random(uuid);
	assert_string_equal(uuid_format(uuid, text), "ffffffff-ffff-4fff-bfff-ffffffffffff");
	assert_true(snapshot_id_from_uuid(uuid) == INT64_C(0x400000000000b000));
	memset(uuid, 0, sizeof uuid);
	uuid4_from_random(uuid);
	assert_string_equal(uuid_format(uuid, text), "00000000-0000-4000-8000-000000000000");
	assert_true(snapshot_id_from_uuid(uuid) == 0x4000);
	assert_true(uuid_parse("01234567-89ab-4cde-8f01-23456789abcd-m0.avro", uuid));
	assert_string_equal(uuid_format(uuid, text), "01234567-89ab-4cde-8f01-23456789abcd");
	assert_false(uuid_parse("01234567-89AB-4cde-8f01-23456789abcd", uuid));
	assert_false(uuid_parse("0123456789ab-4cde-8f01-23456789abcd", uuid));
	assert_false(uuid_parse("01234567-89ab-4cde-8f01-23456789abc", uuid));
	assert_false(uuid_parse("", uuid));

	assert_int_equal(iceberg_day(0), 0);
	assert_int_equal(iceberg_day(-1), -1);
	assert_int_equal(iceberg_day(INT64_C(86400000000)), 1);
	assert_int_equal(iceberg_day(INT64_C(86399999999)), 0);
	assert_int_equal(iceberg_day(-INT64_C(86400000000)), -1);
	assert_int_equal(iceberg_day(-INT64_C(86400000001)), -2);
	/* spec, Appendix B: 2017-11-16T22:31:08 */
	assert_int_equal(iceberg_day(INT64_C(1510871468000000)), 17486);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_as_the_spec_says),
		cmocka_unit_test(decimals_are_minimal),
		cmocka_unit_test(strings_are_cut_at_code_points),
		cmocka_unit_test(bytes_are_cut),
		cmocka_unit_test(values_have_an_order),
		cmocka_unit_test(ids_and_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
