/*
 * test_value.c
 *		reading and printing values: each type's text, Java's numbers, hostile bytes.
 *
 * Expected texts were taken from PostgreSQL 15 and from Java 25.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "envelope/calendar.h"
#include "envelope/literal.h"
#include "envelope/number.h"
#include "envelope/utf8.h"
#include "envelope_support.h"

#include <stdio.h>

static RelationColumn
scalar(uint32_t oid)
{
	return (RelationColumn){ .name = "c",
		                     .base_oid = oid,
		                     .type_kind = 'b',
		                     .type_name = "",
		                     .element_name = "" };
}

static RelationColumn
array_of(uint32_t oid)
{
	RelationColumn column = scalar(1);

	column.element_oid = oid;
	column.element_kind = 'b';
	return column;
}

static void
assert_text(const Buf *buf, const char *text)
{
	if (buf->len != strlen(text) || memcmp(buf->data, text, buf->len) != 0)
		fail_msg("\"%.*s\" is not \"%s\"", (int) buf->len, buf->data, text);
}

static void
printing(void **state)
{
	static const struct
	{
		uint32_t oid;
		const char *hex;
		const char *text;
	} cases[] = {
		{ TYPE_BOOL, "01", "t" },
		{ TYPE_BOOL, "00", "f" },
		{ TYPE_INT2, "8000", "-32768" },
		{ TYPE_INT4, "7fffffff", "2147483647" },
		{ TYPE_INT8, "8000000000000000", "-9223372036854775808" },
		{ TYPE_OID, "ffffffff", "4294967295" },
		{ TYPE_FLOAT8, "3ff8000000000000", "1.5" },
		{ TYPE_FLOAT8, "7ff8000000000000", "NaN" },
		{ TYPE_FLOAT8, "fff0000000000000", "-Infinity" },
		{ TYPE_FLOAT8, "430c6bf526340000", "1e+15" },
		{ TYPE_FLOAT8, "3f1a36e2eb1c432d", "0.0001" },
		{ TYPE_FLOAT8, "3ee4f8b588e368f1", "1e-05" },
		{ TYPE_FLOAT8, "0000000000000001", "5e-324" },
		{ TYPE_FLOAT8, "8000000000000000", "-0" },
		{ TYPE_FLOAT8, "c35e37f7e9d2ba34", "-3.4023148882684112e+16" },
		{ TYPE_FLOAT4, "ccbe39ce", "-9.9733104e+07" },
		{ TYPE_FLOAT4, "3dcccccd", "0.1" },
		{ TYPE_FLOAT4, "49742400", "1e+06" },
		{ TYPE_NUMERIC, "0002 0000 4000 0002 000c 1388", "-12.50" },
		{ TYPE_NUMERIC, "0001 ffff 0000 0005 0001", "0.00010" },
		{ TYPE_NUMERIC, "0001 0001 0000 0000 0001", "10000" },
		{ TYPE_NUMERIC, "0000 0000 0000 0003", "0.000" },
		{ TYPE_NUMERIC, "0000 0000 c000 0000", "NaN" },
		{ TYPE_NUMERIC, "0000 0000 f000 0000", "-Infinity" },
		{ TYPE_MONEY, "ffffffffffffffff", "-0.01" },
		{ TYPE_DATE, "00000000", "2000-01-01" },
		{ TYPE_DATE, "7fffffff", "infinity" },
		{ TYPE_DATE, "fff49d7b", "0044-03-15 BC" },
		{ TYPE_TIME, "000000141dd76000", "24:00:00" },
		{ TYPE_TIME, "0000000000000001", "00:00:00.000001" },
		{ TYPE_TIMETZ, "0000000000000000 ffffb2a8", "00:00:00+05:30" },
		{ TYPE_TIMETZ, "0000000000000000 00007080", "00:00:00-08" },
		{ TYPE_TIMESTAMP, "fffca2fec4c82000", "1970-01-01 00:00:00" },
		{ TYPE_TIMESTAMPTZ, "ffffffffffffffff", "1999-12-31 23:59:59.999999+00" },
		{ TYPE_TIMESTAMP, "8000000000000000", "-infinity" },
		{ TYPE_INTERVAL, "0000000000000000 00000000 00000000", "00:00:00" },
		{ TYPE_INTERVAL,
		  "ffffffffffffffff 00000003 fffffff2",
		  "-1 years -2 mons +3 days -00:00:00.000001" },
		{ TYPE_INTERVAL, "0000000000000000 00000001 0000000c", "1 year 1 day" },
		{ TYPE_BYTEA, "00ff", "\\x00ff" },
		{ TYPE_BIT, "00000003 a0", "101" },
		{ TYPE_VARBIT, "00000000", "" },
		{ TYPE_TEXT, "6162", "ab" },
		{ TYPE_CHAR, "00", "" },
		{ TYPE_JSONB, "7b7d", "{}" },
		{ TYPE_JSONB, "017b7d", "{}" },
		{ TYPE_UUID,
		  "0f0e0d0c0b0a09080706050403020100",
		  "0f0e0d0c-0b0a-0908-0706-050403020100" },
	};
	Buf hex = buf_heap();
	Buf out = buf_heap();

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		RelationColumn column = scalar(cases[i].oid);

		buf_reset(&hex);
		buf_reset(&out);
		append_hex(&hex, cases[i].hex);
		if (!value_print(
				&out, &column, (Value){ VALUE_BINARY, (uint32_t) hex.len, hex.data }))
			fail_msg("%s was refused", cases[i].hex);
		assert_text(&out, cases[i].text);
	}
	buf_free(&hex);
	buf_free(&out);
}

static void
printing_arrays(void **state)
{
	static const struct
	{
		uint32_t oid;
		const char *hex;
		const char *text;
	} cases[] = {
		{ TYPE_INT4, "00000000 00000000 00000017", "{}" },
		{ TYPE_INT4,
		  "00000001 00000001 00000017 00000002 00000001 00000004 00000007 ffffffff",
		  "{7,NULL}" },
		{ TYPE_INT4,
		  "00000001 00000000 00000017 00000001 00000002 00000004 00000007",
		  "[2:2]={7}" },
		{ TYPE_INT2,
		  "00000002 00000000 00000015 00000002 00000001 00000002 00000001"
		  "00000002 0001 00000002 0002 00000002 0003 00000002 0004",
		  "{{1,2},{3,4}}" },
		{ TYPE_TEXT,
		  "00000001 00000000 00000019 00000004 00000001"
		  "00000000 00000004 6e754c4c 00000002 2278 00000001 78",
		  "{\"\",\"nuLL\",\"\\\"x\",x}" },
	};
	Buf hex = buf_heap();
	Buf out = buf_heap();

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		RelationColumn column = array_of(cases[i].oid);

		buf_reset(&hex);
		buf_reset(&out);
		append_hex(&hex, cases[i].hex);
		assert_true(value_print(
			&out, &column, (Value){ VALUE_BINARY, (uint32_t) hex.len, hex.data }));
		assert_text(&out, cases[i].text);
	}
	buf_free(&hex);
	buf_free(&out);
}

static void
java_numbers(void **state)
{
	static const struct
	{
		double value;
		const char *text;
	} doubles[] = {
		{ 0.0, "0.0" },
		{ -0.0, "-0.0" },
		{ 1.0, "1.0" },
		{ 0.1, "0.1" },
		{ 100.0, "100.0" },
		{ 1e7, "1.0E7" },
		{ 9999999.0, "9999999.0" },
		{ 9999999.999999998, "9999999.999999998" },
		{ 0.001, "0.001" },
		{ 0.0001, "1.0E-4" },
		{ 1.5e-5, "1.5E-5" },
		{ 4.9406564584124654e-324, "4.9E-324" },
		{ 9.8813129168249309e-324, "9.9E-324" },
		{ 2.2250738585072014e-308, "2.2250738585072014E-308" },
		{ 1.7976931348623157e308, "1.7976931348623157E308" },
		{ 123456789012345678.0, "1.2345678901234568E17" },
		{ 9007199254740992.0, "9.007199254740992E15" },
		{ 2e-3, "0.002" },
		{ 2e23, "2.0E23" },
		{ 3.3, "3.3" },
		{ -15000000000.0, "-1.5E10" },
		{ 0.3333333333333333, "0.3333333333333333" },
	};
	static const struct
	{
		float value;
		const char *text;
	} floats[] = {
		{ 0.1F, "0.1" },
		{ 1.4e-45F, "1.4E-45" },
		{ 3.4028235e38F, "3.4028235E38" },
		{ 1.17549435e-38F, "1.1754944E-38" },
		{ 16777216.0F, "1.6777216E7" },
		{ 1e7F, "1.0E7" },
		{ 3.3F, "3.3" },
		{ 8.41e21F, "8.41E21" },
		{ 33554432.0F, "3.3554432E7" },
	};
	char text[NUMBER_MAX_DOUBLE];

	(void) state;
	for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++)
	{
		*number_put_java_double(text, doubles[i].value) = '\0';
		assert_string_equal(text, doubles[i].text);
	}
	for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
	{
		*number_put_java_float(text, floats[i].value) = '\0';
		assert_string_equal(text, floats[i].text);
	}
}

/* A small generator, so that a failure repeats. */
static uint64_t
next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void
numbers_read_back(void **state)
{
	uint64_t seed = 42;
	char text[NUMBER_MAX_DOUBLE + 1];

	(void) state;
	for (int i = 0; i < 20000; i++)
	{
		uint64_t bits = next_random(&seed);
		uint32_t half = (uint32_t) bits;
		double value;
		float single;
		int64_t integer = (int64_t) (bits >> (bits & 63));
		char expected[32];

		memcpy(&value, &bits, sizeof value);
		memcpy(&single, &half, sizeof single);
		if (value - value == 0)
		{
			*number_put_java_double(text, value) = '\0';
			assert_true(strtod(text, NULL) == value);
			*number_put_pg_double(text, value) = '\0';
			assert_true(strtod(text, NULL) == value);
		}
		if (single - single == 0)
		{
			*number_put_java_float(text, single) = '\0';
			assert_true(strtof(text, NULL) == single);
		}
		*number_put_i64(text, -integer) = '\0';
		(void) snprintf(expected, sizeof expected, "%lld", -(long long) integer);
		assert_string_equal(text, expected);
	}
}

static void
numerics(void **state)
{
	static const struct
	{
		const char *literal;
		int scale;
		const char *unscaled; /* hexadecimal */
	} cases[] = {
		{ "0", 0, "00" },
		{ "1.10", 2, "6e" },
		{ "3.30", 2, "014a" },
		{ "128", 0, "0080" },
		{ "-128", 0, "80" },
		{ "-129", 0, "ff7f" },
		{ "-1", 0, "ff" },
		{ "255.00", 2, "639c" },
		{ "99999999999999999999999999999999999999",
		  0,
		  "4b3b4ca85a86c47a098a223fffffffff" },
		{ "-100000000000000000000000000000000000000",
		  0,
		  "b4c4b357a5793b85f675ddc000000000" },
		{ "170141183460469231731687303715884105728",
		  0,
		  "0080000000000000000000000000000000" },
		{ "-170141183460469231731687303715884105728",
		  0,
		  "80000000000000000000000000000000" },
		{ "12345678901234567890.123456789", 9, "27e41b3246bec9b16e398115" },
		{ "1", 40, "1d6329f1c35ca4bfabb9f5610000000000" },
	};
	Buf binary = buf_heap();
	Buf unscaled = buf_heap();
	Buf expected = buf_heap();

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		Numeric numeric;

		buf_reset(&binary);
		buf_reset(&unscaled);
		buf_reset(&expected);
		assert_true(literal_numeric(&binary, slice_from(cases[i].literal)));
		assert_true(value_numeric((Slice){ binary.data, binary.len }, &numeric));
		numeric_to_unscaled(&numeric, cases[i].scale, &unscaled);
		append_hex(&expected, cases[i].unscaled);
		if (expected.len != unscaled.len ||
		    memcmp(expected.data, unscaled.data, unscaled.len) != 0)
			fail_msg("%s at scale %d", cases[i].literal, cases[i].scale);
		buf_reset(&unscaled);
		numeric_print(&unscaled, &numeric);
		assert_text(&unscaled, cases[i].literal);
		assert_true(numeric_to_double(&numeric) == strtod(cases[i].literal, NULL));
	}
	buf_free(&binary);
	buf_free(&unscaled);
	buf_free(&expected);
}

/* By two's complement and base 256 long division, the decimal digits come back. */
static void
large_numerics(void **state)
{
	Buf literal = buf_heap();
	Buf binary = buf_heap();
	Buf unscaled = buf_heap();
	uint64_t seed = 7;

	(void) state;
	for (int round = 0; round < 200; round++)
	{
		size_t digits = 1 + next_random(&seed) % 400;
		Numeric numeric;
		uint8_t *bytes;

		buf_reset(&literal);
		buf_reset(&binary);
		buf_reset(&unscaled);
		buf_char(&literal, (char) ('1' + next_random(&seed) % 9));
		for (size_t i = 1; i < digits; i++)
			buf_char(&literal, (char) ('0' + next_random(&seed) % 10));
		assert_true(literal_numeric(&binary, (Slice){ literal.data, literal.len }));
		assert_true(value_numeric((Slice){ binary.data, binary.len }, &numeric));
		numeric_to_unscaled(&numeric, 0, &unscaled);
		bytes = (uint8_t *) unscaled.data;
		assert_true(bytes[0] < 0x80);
		if (unscaled.len > 1)
			assert_true(bytes[0] != 0 || bytes[1] >= 0x80);
		for (size_t i = digits; i-- > 0;)
		{
			unsigned rest = 0;

			for (size_t j = 0; j < unscaled.len; j++)
			{
				rest = rest << 8 | bytes[j];
				bytes[j] = (uint8_t) (rest / 10);
				rest %= 10;
			}
			assert_int_equal(literal.data[i] - '0', rest);
		}
	}
	buf_free(&literal);
	buf_free(&binary);
	buf_free(&unscaled);
}

static void
calendar(void **state)
{
	int64_t expected = calendar_days(-4713, 11, 24);

	(void) state;
	for (int64_t day = expected; day < 3000000; day += 37)
	{
		int64_t year;
		int month;
		int of_month;

		date_split(day, &year, &month, &of_month);
		assert_true(calendar_days(year, month, of_month) == day);
		assert_true(month >= 1 && month <= 12 && of_month >= 1 && of_month <= 31);
	}
	assert_true(calendar_days(1970, 1, 1) == 0);
	assert_true(calendar_days(2000, 1, 1) == CALENDAR_EPOCH_DAYS);
	assert_true(calendar_days(5874897, 12, 31) == 2145042905);
}

static void
json(void **state)
{
	static const struct
	{
		const char *text;
		size_t len;
		const char *json;
	} cases[] = {
		{ "", 0, "\"\"" },
		{ "plain text, longer than a word", 30, "\"plain text, longer than a word\"" },
		{ "a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"" },
		{ "\b\f\n\r\t\x01\x1f\x7f", 8, "\"\\b\\f\\n\\r\\t\\u0001\\u001F\x7f\"" },
		{ "\0", 1, "\"\\u0000\"" },
		{ "\xe2\x80\xa8\xc3\xa9", 5, "\"\xe2\x80\xa8\xc3\xa9\"" },
		{ "1234567\xf0\x9f\x98\x80", 11, "\"1234567\\uD83D\\uDE00\"" },
	};
	Buf out = buf_heap();

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		buf_reset(&out);
		json_string(&out, (Slice){ cases[i].text, cases[i].len });
		assert_text(&out, cases[i].json);
	}
	/* a special byte at every place of a run */
	for (size_t at = 0; at < 40; at++)
	{
		char text[40];

		memset(text, 'x', sizeof text);
		text[at] = '"';
		buf_reset(&out);
		json_string(&out, (Slice){ text, sizeof text });
		assert_int_equal(out.len, sizeof text + 3);
		assert_int_equal(out.data[at + 1], '\\');
		assert_int_equal(out.data[at + 2], '"');
	}
	buf_free(&out);
}

static void
tuples(void **state)
{
	Buf tuple = buf_heap();
	Value values[3];
	EnvError error;

	(void) state;
	buf_u16(&tuple, 3);
	put_null(&tuple);
	put_unchanged(&tuple);
	put_text(&tuple, "abc");
	assert_true(value_read_tuple((Slice){ tuple.data, tuple.len }, values, 3, &error));
	assert_int_equal(values[2].kind, VALUE_BINARY);
	assert_int_equal(values[2].len, 3);
	assert_false(value_read_tuple((Slice){ tuple.data, tuple.len }, values, 2, &error));
	assert_string_equal(error.message, "tuple has 3 columns, but its relation has 2");
	for (size_t len = 0; len < tuple.len; len++)
		assert_false(value_read_tuple((Slice){ tuple.data, len }, values, 3, &error));
	buf_char(&tuple, 'x');
	assert_false(value_read_tuple((Slice){ tuple.data, tuple.len }, values, 3, &error));
	buf_free(&tuple);
}

/* Random bytes may be refused or printed; they must not be read beyond their end. */
static void
hostile_bytes(void **state)
{
	static const uint32_t types[] = {
		TYPE_BOOL,   TYPE_BYTEA,     TYPE_CHAR,        TYPE_INT8,     TYPE_INT2,
		TYPE_INT4,   TYPE_FLOAT4,    TYPE_FLOAT8,      TYPE_MONEY,    TYPE_DATE,
		TYPE_TIME,   TYPE_TIMESTAMP, TYPE_TIMESTAMPTZ, TYPE_INTERVAL, TYPE_TIMETZ,
		TYPE_VARBIT, TYPE_NUMERIC,   TYPE_UUID,        TYPE_TEXT,     TYPE_JSONB,
	};
	static const uint8_t sizes[] = { 0, 1, 2, 4, 8, 10, 12, 16, 20, 24, 28, 40 };
	uint64_t seed = 99;
	Buf out = buf_heap();

	(void) state;
	for (int round = 0; round < 40000; round++)
	{
		uint32_t oid = types[next_random(&seed) % (sizeof types / sizeof *types)];
		RelationColumn column = round % 2 == 0 ? scalar(oid) : array_of(oid);
		size_t len = sizes[next_random(&seed) % sizeof sizes];
		char *bytes = xmalloc(len + 1);

		for (size_t i = 0; i < len; i++)
			bytes[i] = next_random(&seed) % 3 == 0 ? (char) next_random(&seed) : 0;
		if (round % 2 == 1 && len >= 4)
			bytes[3] = (char) (next_random(&seed) % 3);
		if (len > 0)
			bytes = xrealloc(bytes, len);
		buf_reset(&out);
		(void) value_print(&out, &column, (Value){ VALUE_BINARY, (uint32_t) len, bytes });
		free(bytes);
	}
	buf_free(&out);
}

static void
assert_made_valid(const char *text, const char *expected, uint64_t replaced)
{
	Buf buf = buf_heap();

	assert_int_equal(utf8_append(&buf, slice_from(text)), replaced);
	assert_string_equal(buf_cstr(&buf), expected);
	buf_free(&buf);
}

/* RFC 3629, section 4: the least and the greatest of each length, and what is beyond. */
static void
utf8_repair(void **state)
{
	(void) state;
	assert_made_valid("", "", 0);
	assert_made_valid("12345678\xC2\x80", "12345678\xC2\x80", 0);
	assert_made_valid("\xDF\xBF\xE0\xA0\x80", "\xDF\xBF\xE0\xA0\x80", 0);
	assert_made_valid("\xED\x9F\xBF\xEE\x80\x80", "\xED\x9F\xBF\xEE\x80\x80", 0);
	assert_made_valid(
		"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 0);
	assert_made_valid("a\xC1\xBF", "a\xEF\xBF\xBD\xEF\xBF\xBD", 2);
	assert_made_valid("\xE0\x9F\xBF", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", 3);
	assert_made_valid("\xED\xA0\x80z", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz", 3);
	assert_made_valid("\xF4\x90", "\xEF\xBF\xBD\xEF\xBF\xBD", 2);
	assert_made_valid("b\xE3\x81", "b\xEF\xBF\xBD\xEF\xBF\xBD", 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printing),     cmocka_unit_test(printing_arrays),
		cmocka_unit_test(java_numbers), cmocka_unit_test(numbers_read_back),
		cmocka_unit_test(numerics),     cmocka_unit_test(large_numerics),
		cmocka_unit_test(calendar),     cmocka_unit_test(json),
		cmocka_unit_test(tuples),       cmocka_unit_test(hostile_bytes),
		cmocka_unit_test(utf8_repair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
