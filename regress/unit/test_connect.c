/*
 * test_connect.c
 *		the model of Connect records: schemas, values, JsonConverter, header texts.
 *
 * What Debezium emitted (regress/goldens) is taken apart and put together again: the
 * schemas and payloads of every record must come out byte for byte.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "connect/json.h"
#include "envelope/decimal.h"
#include "envelope/render.h"
#include "envelope/scan.h"
#include "envelope_support.h"

/* cmocka's fail_msg() stands on the fail() that err.h has taken. */
#define fail_text(...)            \
	do                            \
	{                             \
		print_error(__VA_ARGS__); \
		assert_true(false);       \
	} while (0)

typedef struct Fixture
{
	ConnectSchemas *schemas;
	Arena *arena;
	Buf out;
	Err err;
} Fixture;

static int
open_fixture(void **state)
{
	Fixture *fixture = xmalloc(sizeof *fixture);

	*fixture = (Fixture){ .schemas = connect_schemas_new(),
		                  .arena = arena_new(),
		                  .out = buf_heap() };
	*state = fixture;
	return 0;
}

static int
close_fixture(void **state)
{
	Fixture *fixture = *state;

	connect_schemas_free(fixture->schemas);
	arena_free(fixture->arena);
	buf_free(&fixture->out);
	free(fixture);
	return 0;
}

static void
assert_text(Slice found, Slice expected)
{
	if (slice_equal(found, expected))
		return;
	fail_text("expected %.*s, got %.*s",
	          (int) expected.len,
	          expected.data,
	          (int) found.len,
	          found.data);
}

static void
assert_out(const Fixture *fixture, const char *expected)
{
	assert_text((Slice){ fixture->out.data, fixture->out.len }, slice_from(expected));
}

/* The member of an object; len 0: there is none. */
static Slice
member(Slice json, const char *wanted)
{
	Scan scan = scan_over(json);
	bool first = true;
	bool more = true;
	Slice name;
	Slice value;

	assert_true(scan_take(&scan, '{'));
	while (scan_member(&scan, &first, &name, &more) && more)
	{
		assert_true(scan_value(&scan, &value));
		if (name.len == strlen(wanted) + 2 &&
		    memcmp(name.data + 1, wanted, name.len - 2) == 0)
			return value;
	}
	assert_false(more);
	return (Slice){ "", 0 };
}

static const ConnectSchema *
parse(Fixture *fixture, const char *json)
{
	const ConnectSchema *schema =
		connect_schema_parse(fixture->schemas, slice_from(json), &fixture->err);

	if (schema == NULL)
		fail_text("%s", fixture->err.text);
	return schema;
}

/* Open a value as deep as it goes. */
static void
open_all(Fixture *fixture, ConnectValue *value, const ConnectSchema *schema)
{
	if (schema == NULL || schema->type != CONNECT_STRUCT ||
	    value->form == CONNECT_IS_NULL)
		return;
	if (!connect_value_open(value, schema, fixture->arena, &fixture->err))
		fail_text("%s", fixture->err.text);
	for (size_t i = 0; i < schema->field_count; i++)
		open_all(fixture, &value->fields[i], schema->fields[i].schema);
}

static void
convert(Fixture *fixture, const ConnectData *data, bool schemas_enable, bool replace)
{
	const ConnectJson options = { fixture->schemas, schemas_enable, replace };
	bool present;

	buf_reset(&fixture->out);
	if (!connect_json_convert(
			&options, data, fixture->arena, &fixture->out, &present, &fixture->err))
		fail_text("%s", fixture->err.text);
	assert_true(present);
}

static Slice
converted(const Fixture *fixture)
{
	return (Slice){ fixture->out.data, fixture->out.len };
}

/* ---- What Debezium emitted ---- */

/* A key or value with its schema, as a JSON string or null. */
static void
check_enveloped(Fixture *fixture, Slice quoted, bool replace)
{
	ConnectData data;
	Slice text;
	Slice payload;

	if (*quoted.data != '"')
		return;
	assert_true(connect_read_string(quoted, fixture->arena, &text));
	payload = member(text, "payload");
	data.schema =
		connect_schema_parse(fixture->schemas, member(text, "schema"), &fixture->err);
	if (fixture->err.kind != ERR_NONE)
		fail_text("%s: %.*s", fixture->err.text, (int) text.len, text.data);
	data.value = connect_value_json(payload);
	for (int i = 0; i < 2; i++)
	{
		convert(fixture, &data, true, replace);
		assert_text(converted(fixture), text);
		convert(fixture, &data, false, false);
		assert_text(converted(fixture), payload);
		open_all(fixture, &data.value, data.schema);
	}
}

static void
check_file(Fixture *fixture, const char *path)
{
	FILE *file = fopen(path, "r");
	bool replace = strstr(path, "no_replace") == NULL;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	assert_non_null(file);
	while ((len = getline(&line, &room, file)) > 0)
	{
		Slice json = { line, (size_t) len };

		check_enveloped(fixture, member(json, "key"), replace);
		check_enveloped(fixture, member(json, "value"), replace);
		arena_reset(fixture->arena);
	}
	free(line);
	(void) fclose(file);
}

static void
test_goldens(void **state)
{
	static const char pattern[] =
		TEST_DATA "/../../goldens/cases/*/records.schemas.jsonl";
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_true(found.gl_pathc > 40);
	for (size_t i = 0; i < found.gl_pathc; i++)
		check_file(*state, found.gl_pathv[i]);
	globfree(&found);
}

/* ---- The renderer's records through the model ---- */

static const TestColumn item_columns[] = {
	{ .name = "id",
	  .oid = TYPE_INT4,
	  .type_name = "int4",
	  .not_null = true,
	  .in_key = true,
	  .default_text = "nextval('item_id_seq'::regclass)" },
	{ .name = "na\"me", .oid = TYPE_TEXT, .type_name = "text", .not_null = true },
	{ .name = "size", .oid = TYPE_INT4, .type_name = "int4", .default_text = "7" },
	{ .name = "note", .oid = TYPE_TEXT, .type_name = "text" },
};

static RenderPlan *
make_plan(Fixture *fixture, const Relation *relation, EnvOptions *options, bool plain)
{
	Alloc alloc = arena_as_alloc(fixture->arena);
	EnvError error;
	RenderPlan *plan;

	env_options_init(options, &alloc);
	options->schemas_enable = !plain;
	options->replace_null_with_default = !plain;
	plan = render_plan_new(relation, options, &alloc, &error);
	assert_non_null(plan);
	return plan;
}

static void
render_row_of(const RenderPlan *plan, Buf *tuple, Buf *out, RenderRecord *record)
{
	const RenderChange change = {
		.type = 'I',
		.new_tuple = { tuple->data, tuple->len },
		.source = { .database = "shop", .lsn = 500, .commit_us = 1, .xid = 77 },
		.now_ns = 1600000000123456789,
	};
	RenderRecord records[RENDER_MAX_RECORDS];
	EnvError error;
	int count;

	assert_true(render_records(plan, &change, out, records, &count, &error));
	assert_int_equal(count, 1);
	*record = records[0];
}

/* What the renderer prints with schemas and defaults by itself is what comes of its plain
 * text through model and converter. */
static void
test_renderer(void **state)
{
	Fixture *fixture = *state;
	Relation *relation = test_relation(fixture->arena, "item", item_columns, 4);
	EnvOptions options[2];
	RenderPlan *direct = make_plan(fixture, relation, &options[0], false);
	RenderPlan *plain = make_plan(fixture, relation, &options[1], true);
	Buf tuple = buf_heap();
	Buf text = buf_heap();
	Buf schema = buf_heap();
	RenderRecord wanted;
	RenderRecord record;
	ConnectData data;

	buf_u16(&tuple, 4);
	put_int4(&tuple, 1);
	put_text(&tuple, "a \"quote\"\n\\ and \xF0\x9F\x98\x80");
	put_null(&tuple);
	put_null(&tuple);
	render_row_of(direct, &tuple, &text, &wanted);
	render_row_of(plain, &tuple, &text, &record);
	render_value_schema(plain, &schema);
	data.schema = connect_schema_parse(
		fixture->schemas, (Slice){ schema.data, schema.len }, &fixture->err);
	data.value =
		connect_value_json((Slice){ text.data + record.value_at, record.value_len });
	convert(fixture, &data, true, true);
	assert_text(converted(fixture),
	            (Slice){ text.data + wanted.value_at, wanted.value_len });
	buf_reset(&schema);
	render_key_schema(plain, &schema);
	data.schema = connect_schema_parse(
		fixture->schemas, (Slice){ schema.data, schema.len }, &fixture->err);
	data.value = connect_value_json((Slice){ text.data + record.key_at, record.key_len });
	convert(fixture, &data, true, true);
	assert_text(converted(fixture), (Slice){ text.data + wanted.key_at, wanted.key_len });
	env_options_fini(&options[0]);
	env_options_fini(&options[1]);
	buf_free(&tuple);
	buf_free(&text);
	buf_free(&schema);
}

/* ---- Schemas ---- */

static void
test_schema_identity(void **state)
{
	Fixture *fixture = *state;
	const ConnectSchema *text =
		connect_schema_plain(fixture->schemas, CONNECT_STRING, true);
	const ConnectSchema *made = connect_schema_struct(fixture->schemas, "Row", 2, false);
	const ConnectSchema *renamed;

	assert_ptr_equal(text, parse(fixture, "{\"type\":\"string\",\"optional\":true}"));
	made = connect_schema_append(fixture->schemas, made, "a", text);
	made = connect_schema_append(fixture->schemas, made, "b", text);
	assert_ptr_equal(
		made,
		parse(fixture,
	          "{\"type\":\"struct\",\"fields\":[{\"type\":\"string\",\"optional\":true,"
	          "\"field\":\"a\"},{\"type\":\"string\",\"optional\":true,\"field\":\"b\"}],"
	          "\"optional\":false,\"name\":\"Row\",\"version\":2}"));
	assert_int_equal(connect_schema_find(made, "b"), 1);
	assert_int_equal(connect_schema_find(made, "c"), -1);
	renamed = connect_schema_replace(fixture->schemas, made, 1, "c", NULL);
	assert_int_equal(connect_schema_find(renamed, "c"), 1);
	assert_ptr_equal(connect_schema_replace(fixture->schemas, renamed, 1, "b", text),
	                 made);
	assert_ptr_equal(
		connect_schema_append(
			fixture->schemas, connect_schema_drop(fixture->schemas, made, 1), "b", text),
		made);
	assert_ptr_not_equal(connect_schema_named(fixture->schemas, made, "Other"), made);
	assert_ptr_not_equal(connect_schema_optional(fixture->schemas, made, true), made);
}

static void
test_schema_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"{}",
		"[]",
		"{\"type\":\"texty\"}",
		"{\"type\":\"array\"}",
		"{\"type\":\"struct\",\"fields\":[{\"type\":\"string\"}]}",
		"{\"type\":\"struct\",\"fields\":[{\"type\":\"string\",\"field\":\"a\"}",
		"{\"type\":\"string\",\"parameters\":{\"a\":1}}",
		"{\"type\":\"string\",\"version\":\"1\"}",
	};
	Fixture *fixture = *state;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
	{
		assert_null(
			connect_schema_parse(fixture->schemas, slice_from(texts[i]), &fixture->err));
		assert_int_equal(fixture->err.kind, ERR_DATA);
	}
	assert_null(
		connect_schema_parse(fixture->schemas, slice_from("null"), &fixture->err));
	assert_int_equal(fixture->err.kind, ERR_NONE);
}

/* ---- Values ---- */

#define PAIR                                                                     \
	"{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"optional\":false,"   \
	"\"field\":\"a\"},{\"type\":\"string\",\"optional\":true,\"default\":\"x\"," \
	"\"field\":\"b\"}],\"optional\":true}"

static void
test_defaults(void **state)
{
	Fixture *fixture = *state;
	ConnectData data = { parse(fixture, PAIR),
		                 connect_value_json(slice_from("{\"a\":1,\"b\":null}")) };
	const ConnectJson options = { fixture->schemas, false, true };
	bool present;

	convert(fixture, &data, false, true);
	assert_out(fixture, "{\"a\":1,\"b\":\"x\"}");
	convert(fixture, &data, false, false);
	assert_out(fixture, "{\"a\":1,\"b\":null}");
	data.value = connect_value_json(slice_from("null"));
	convert(fixture, &data, true, true);
	assert_out(fixture, "{\"schema\":" PAIR ",\"payload\":null}");
	data.value = connect_value_struct(fixture->arena, 2);
	assert_false(connect_json_convert(
		&options, &data, fixture->arena, &fixture->out, &present, &fixture->err));
	assert_int_equal(fixture->err.kind, ERR_DATA);
	assert_non_null(strstr(fixture->err.text, "\"a\""));
	data = (ConnectData){ NULL, connect_value_json(slice_from("null")) };
	assert_true(connect_json_convert(
		&options, &data, fixture->arena, &fixture->out, &present, &fixture->err));
	assert_false(present);
}

static void
test_not_of_schema(void **state)
{
	static const char *const texts[] = {
		"1", "{\"a\":1", "{\"c\":1}", "{\"a\":1 \"b\":2}", "{\"a\"}", "{\"a\":}",
	};
	Fixture *fixture = *state;
	const ConnectSchema *schema = parse(fixture, PAIR);

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
	{
		ConnectValue value = connect_value_json(slice_from(texts[i]));

		assert_false(connect_value_open(&value, schema, fixture->arena, &fixture->err));
		assert_int_equal(fixture->err.kind, ERR_DATA);
	}
}

static void
test_leaves(void **state)
{
	Fixture *fixture = *state;
	Slice text;
	int64_t number;
	double floating;
	bool truth;

	assert_true(connect_read_string(
		slice_from("\"a\\u00e9\\n\\\"\\ud83d\\ude00\\ud83d\""), fixture->arena, &text));
	assert_text(text, slice_from("a\xC3\xA9\n\"\xF0\x9F\x98\x80\xEF\xBF\xBD"));
	assert_false(connect_read_string(slice_from("\"\\x\""), fixture->arena, &text));
	assert_false(connect_read_string(slice_from("1"), fixture->arena, &text));
	assert_true(connect_read_bytes(slice_from("\"AP8Bfw==\""), fixture->arena, &text));
	assert_text(text, (Slice){ "\0\xFF\x01\x7F", 4 });
	assert_true(connect_read_bytes(slice_from("\"\""), fixture->arena, &text));
	assert_int_equal(text.len, 0);
	assert_false(connect_read_bytes(slice_from("\"AP8\""), fixture->arena, &text));
	assert_true(connect_read_int64(slice_from("-9223372036854775808"), &number));
	assert_true(number == INT64_MIN);
	assert_false(connect_read_int64(slice_from("9223372036854775808"), &number));
	assert_false(connect_read_int64(slice_from("1.5"), &number));
	assert_true(connect_read_double(slice_from("1.0E8"), &floating));
	assert_true(floating == 1e8);
	assert_true(connect_read_double(slice_from("\"-Infinity\""), &floating));
	assert_true(floating < 0 && __builtin_isinf(floating));
	assert_false(connect_read_double(slice_from("\"1\""), &floating));
	assert_true(connect_read_boolean(slice_from("true"), &truth) && truth);
	assert_false(connect_read_boolean(slice_from("1"), &truth));
}

/* ---- Headers ---- */

static void
assert_header(Fixture *fixture, const char *schema, const char *json,
              const char *expected)
{
	ConnectData data = { schema == NULL ? NULL : parse(fixture, schema),
		                 connect_value_json(slice_from(json)) };
	bool present;

	buf_reset(&fixture->out);
	if (!connect_simple_header(
			&data, fixture->arena, &fixture->out, &present, &fixture->err))
		fail_text("%s", fixture->err.text);
	assert_true(present);
	assert_out(fixture, expected);
}

#define LOGICAL(type, name)                                                 \
	"{\"type\":\"" type "\",\"name\":\"org.apache.kafka.connect.data." name \
	"\",\"version\":1}"

static void
test_simple_header(void **state)
{
	Fixture *fixture = *state;

	assert_header(fixture, "{\"type\":\"string\"}", "\"a\\n\\\"b\"", "a\n\"b");
	assert_header(
		fixture, PAIR, "{\"a\":1,\"b\":\"q\\\"\\n\"}", "{\"a\":1,\"b\":\"q\\\"\n\"}");
	assert_header(fixture, PAIR, "{\"a\":1,\"b\":null}", "{\"a\":1,\"b\":\"x\"}");
	assert_header(fixture,
	              "{\"type\":\"array\",\"items\":{\"type\":\"double\"}}",
	              "[1.5,\"NaN\"]",
	              "[1.5,NaN]");
	assert_header(fixture, NULL, "[\"a\",{\"b\":[]}]", "[\"a\",{\"b\":[]}]");
	assert_header(fixture, LOGICAL("int32", "Date"), "19000", "2022-01-08");
	assert_header(fixture,
	              LOGICAL("int64", "Timestamp"),
	              "1600000000123",
	              "2020-09-13T12:26:40.123Z");
	assert_header(fixture, LOGICAL("int32", "Time"), "3661001", "01:01:01.001Z");
	assert_header(
		fixture, LOGICAL("int64", "Timestamp"), "253402300800000", "10000-01-01");
}

static void
assert_decimal(Fixture *fixture, const char *base64, int scale, const char *expected)
{
	buf_reset(&fixture->out);
	assert_true(decimal_print(&fixture->out, slice_from(base64), scale));
	assert_out(fixture, expected);
}

static void
test_decimal(void **state)
{
	Fixture *fixture = *state;

	assert_decimal(fixture, "AA==", 0, "0");
	assert_decimal(fixture, "AA==", 2, "0.00");
	assert_decimal(fixture, "", 1, "0.0");
	assert_decimal(fixture, "gA==", 1, "-12.8");
	assert_decimal(fixture, "MDk=", 2, "123.45");
	assert_decimal(fixture, "MDk=", 5, "0.12345");
	assert_decimal(fixture, "MDk=", -2, "1.2345E+6");
	assert_decimal(fixture, "AQ==", 7, "1E-7");
	assert_decimal(fixture, "AQ==", 6, "0.000001");
	assert_decimal(fixture,
	               "f////////////////////w==",
	               0,
	               "170141183460469231731687303715884105727");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
	const struct CMUnitTest tests[] = {
		TEST(test_goldens),        TEST(test_renderer),      TEST(test_schema_identity),
		TEST(test_schema_refused), TEST(test_defaults),      TEST(test_not_of_schema),
		TEST(test_leaves),         TEST(test_simple_header), TEST(test_decimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
