/*
 * test_avro.c
 *		Avro schemas and values of Connect's, and the settings of converters.
 *
 * The schemas expected follow Confluent's AvroData; regress/integration/test_avro.py
 * decodes whole records by another implementation of Avro.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail

#include <stdlib.h>

#include "connect/avro.h"
#include "connect/convert.h"
#include "http/http.h"

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

static const ConnectSchema *
parse(Fixture *fixture, const char *json)
{
	const ConnectSchema *schema =
		connect_schema_parse(fixture->schemas, slice_from(json), &fixture->err);

	if (schema == NULL)
		fail_text("%s", fixture->err.text);
	return schema;
}

static void
assert_avro(Fixture *fixture, const char *connect, const char *expected)
{
	const AvroSchema *avro =
		avro_schema(fixture->schemas, parse(fixture, connect), &fixture->err);

	if (avro == NULL)
		fail_text("%s", fixture->err.text);
	if (!slice_equal(avro->text, slice_from(expected)))
		fail_text(
			"expected %s\ngot %.*s\n", expected, (int) avro->text.len, avro->text.data);
}

#define FIELD(rest, name) "{" rest ",\"field\":\"" name "\"}"
#define ROW(fields, name)                                                              \
	"{\"type\":\"struct\",\"fields\":[" fields "],\"optional\":false,\"name\":\"" name \
	"\"}"
#define RECORD(name, space, fields)                                     \
	"{\"type\":\"record\",\"name\":\"" name "\",\"namespace\":\"" space \
	"\",\"fields\":[" fields "],\"connect.name\":\"" space "." name "\"}"

/* clang-format off */
static const struct
{
	const char *connect;
	const char *avro;
} plain[] = {
	{ "{\"type\":\"int32\"}", "\"int\"" },
	{ "{\"type\":\"int64\",\"optional\":true}", "[\"null\",\"long\"]" },
	{ "{\"type\":\"int16\"}", "{\"type\":\"int\",\"connect.type\":\"int16\"}" },
	{ "{\"type\":\"int8\",\"optional\":true}",
	  "[\"null\",{\"type\":\"int\",\"connect.type\":\"int8\"}]" },
	{ "{\"type\":\"string\",\"optional\":true,\"default\":\"a\\ud83d\\ude00\"}",
	  "[{\"type\":\"string\",\"connect.default\":\"a\xF0\x9F\x98\x80\"},\"null\"]" },
	{ "{\"type\":\"string\",\"optional\":false,\"name\":\"io.debezium.data.Enum\",\"version\":1,"
	  "\"doc\":\"d\",\"parameters\":{\"allowed\":\"a,b\"},\"default\":\"a\"}",
	  "{\"type\":\"string\",\"connect.doc\":\"d\",\"connect.version\":1,"
	  "\"connect.parameters\":{\"allowed\":\"a,b\"},\"connect.default\":\"a\","
	  "\"connect.name\":\"io.debezium.data.Enum\"}" },
	{ "{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1,"
	  "\"parameters\":{\"scale\":\"2\",\"connect.decimal.precision\":\"10\"},\"default\":\"AJY=\"}",
	  "{\"type\":\"bytes\",\"scale\":2,\"precision\":10,\"connect.version\":1,"
	  "\"connect.parameters\":{\"scale\":\"2\",\"connect.decimal.precision\":\"10\"},"
	  "\"connect.default\":\"\\u0000\xC2\x96\","
	  "\"connect.name\":\"org.apache.kafka.connect.data.Decimal\",\"logicalType\":\"decimal\"}" },
	{ "{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1,"
	  "\"parameters\":{\"scale\":\"2\"}}",
	  "{\"type\":\"bytes\",\"scale\":2,\"precision\":64,\"connect.version\":1,"
	  "\"connect.parameters\":{\"scale\":\"2\"},"
	  "\"connect.name\":\"org.apache.kafka.connect.data.Decimal\",\"logicalType\":\"decimal\"}" },
	{ "{\"type\":\"int32\",\"name\":\"org.apache.kafka.connect.data.Date\",\"version\":1}",
	  "{\"type\":\"int\",\"connect.version\":1,\"connect.name\":\"org.apache.kafka.connect.data.Date\","
	  "\"logicalType\":\"date\"}" },
	{ "{\"type\":\"array\",\"items\":{\"type\":\"float\",\"optional\":true},\"optional\":true}",
	  "[\"null\",{\"type\":\"array\",\"items\":[\"null\",\"float\"]}]" },
	{ "{\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":{\"type\":\"double\"}}",
	  "{\"type\":\"map\",\"values\":\"double\"}" },
	{ "{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":\"boolean\"}}",
	  "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"MapEntry\","
	  "\"namespace\":\"io.confluent.connect.avro\",\"fields\":[{\"name\":\"key\",\"type\":\"int\"},"
	  "{\"name\":\"value\",\"type\":\"boolean\"}]}}" },
	{ "{\"type\":\"struct\",\"fields\":[" FIELD("\"type\":\"int32\"", "a") "]}",
	  "{\"type\":\"record\",\"name\":\"ConnectDefault\",\"namespace\":\"io.confluent.connect.avro\","
	  "\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}" },
};
/* clang-format on */

static void
test_schemas(void **state)
{
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		assert_avro(*state, plain[i].connect, plain[i].avro);
}

/* clang-format off */
#define DECIMAL_FIELDS FIELD("\"type\":\"int32\"", "scale") "," FIELD("\"type\":\"bytes\"", "value")
#define VALUE(after) \
	"\"type\":\"struct\",\"fields\":[" FIELD("\"type\":\"int32\",\"default\":0", "id") "," \
	FIELD("\"type\":\"struct\",\"fields\":[" DECIMAL_FIELDS "],\"optional\":true," \
	      "\"name\":\"io.debezium.data.VariableScaleDecimal\"", "n") "," \
	FIELD("\"type\":\"struct\",\"fields\":[" DECIMAL_FIELDS "],\"optional\":false,\"parameters\":{\"p\":\"1\"}," \
	      "\"name\":\"io.debezium.data.VariableScaleDecimal\"", "n2") "],\"optional\":true,\"name\":\"s.t.Value\""
/* clang-format on */

/* A name that comes again is a reference, short in its own namespace; a named type's
 * other parameters are with the field; the default of a field is its first type's. */
static void
test_references(void **state)
{
	assert_avro(
		*state,
		ROW(FIELD(VALUE(""), "before") "," FIELD(VALUE(""), "after"), "s.t.Envelope"),
		RECORD("Envelope",
	           "s.t",
	           "{\"name\":\"before\",\"type\":[\"null\",{\"type\":\"record\",\"name\":"
	           "\"Value\",\"fields\":[{\"name\":\"id\",\"type\":{\"type\":\"int\","
	           "\"connect.default\":0},\"default\":0},{\"name\":\"n\",\"type\":[\"null\","
	           "{\"type\":\"record\",\"name\":\"VariableScaleDecimal\",\"namespace\":"
	           "\"io.debezium.data\",\"fields\":[{\"name\":\"scale\",\"type\":\"int\"},"
	           "{\"name\":\"value\",\"type\":\"bytes\"}],\"connect.name\":"
	           "\"io.debezium.data.VariableScaleDecimal\"}],\"default\":null},"
	           "{\"name\":\"n2\",\"type\":\"io.debezium.data.VariableScaleDecimal\","
	           "\"connect.parameters\":{\"p\":\"1\"}}],\"connect.name\":\"s.t.Value\"}],"
	           "\"default\":null},{\"name\":\"after\",\"type\":[\"null\",\"Value\"],"
	           "\"default\":null}"));
}

static void
test_field_defaults(void **state)
{
	assert_avro(
		*state,
		ROW(FIELD("\"type\":\"float\",\"default\":0.1", "f") "," FIELD(
				"\"type\":\"double\",\"optional\":true,\"default\":\"NaN\"",
				"d") "," FIELD("\"type\":\"bytes\",\"default\":\"/w==\"", "b"),
	        "s.R"),
		RECORD("R",
	           "s",
	           "{\"name\":\"f\",\"type\":{\"type\":\"float\",\"connect.default\":0.1},"
	           "\"default\":0.10000000149011612},{\"name\":\"d\",\"type\":[{\"type\":"
	           "\"double\",\"connect.default\":\"NaN\"},\"null\"]},{\"name\":\"b\","
	           "\"type\":{\"type\":\"bytes\",\"connect.default\":\"\xC3\xBF\"},"
	           "\"default\":\"\xC3\xBF\"}"));
}

static void
test_refused(void **state)
{
	Fixture *fixture = *state;

	assert_null(avro_schema(fixture->schemas,
	                        parse(fixture, ROW(FIELD("\"type\":\"int32\"", "a-b"), "R")),
	                        &fixture->err));
	assert_int_equal(fixture->err.kind, ERR_DATA);
	assert_non_null(strstr(fixture->err.text, "\"a-b\""));
	assert_non_null(strstr(fixture->err.hint, "field.name.adjustment.mode"));
	assert_null(avro_schema(fixture->schemas,
	                        parse(fixture,
	                              ROW(FIELD("\"type\":\"struct\",\"fields\":[],"
	                                        "\"name\":\"R\"",
	                                        "a"),
	                                  "R")),
	                        &fixture->err));
	assert_non_null(strstr(fixture->err.text, "\"R\""));
}

/* ---- Values ---- */

static void
assert_bytes(Fixture *fixture, const char *connect, const char *json, bool keep_nulls,
             const char *expected, size_t len)
{
	ConnectValue value = connect_value_json(slice_from(json));

	buf_reset(&fixture->out);
	if (!avro_encode(&value,
	                 parse(fixture, connect),
	                 keep_nulls,
	                 fixture->arena,
	                 &fixture->out,
	                 &fixture->err))
		fail_text("%s", fixture->err.text);
	assert_int_equal(fixture->out.len, len);
	assert_memory_equal(fixture->out.data, expected, len);
}

#define BYTES(connect, json, expected) \
	assert_bytes(*state, connect, json, false, expected, sizeof(expected) - 1)

static void
test_values(void **state)
{
	BYTES("{\"type\":\"int32\"}", "-64", "\x7F");
	BYTES("{\"type\":\"int32\"}", "64", "\x80\x01");
	BYTES("{\"type\":\"int64\"}",
	      "-9223372036854775808",
	      "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01");
	BYTES("{\"type\":\"boolean\"}", "true", "\x01");
	BYTES("{\"type\":\"float\"}", "1.5", "\x00\x00\xC0\x3F");
	BYTES("{\"type\":\"double\"}", "\"-Infinity\"", "\0\0\0\0\0\0\xF0\xFF");
	BYTES("{\"type\":\"string\"}",
	      "\"a\\u00e9\"",
	      "\x06"
	      "a\xC3\xA9");
	BYTES("{\"type\":\"bytes\"}", "\"AP8=\"", "\x04\x00\xFF");
	BYTES("{\"type\":\"string\",\"optional\":true}", "null", "\x00");
	BYTES("{\"type\":\"string\",\"optional\":true}", "\"\"", "\x02\x00");
	BYTES("{\"type\":\"int32\",\"optional\":true,\"default\":7}", "null", "\x00\x0E");
	assert_bytes(*state,
	             "{\"type\":\"int32\",\"optional\":true,\"default\":7}",
	             "null",
	             true,
	             "\x02",
	             1);
	BYTES("{\"type\":\"array\",\"items\":{\"type\":\"int32\",\"optional\":true}}",
	      "[1,null]",
	      "\x04\x02\x02\x00\x00");
	BYTES("{\"type\":\"array\",\"items\":{\"type\":\"int32\"}}", "[]", "\x00");
	BYTES("{\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":{\"type\":"
	      "\"int32\"}}",
	      "{\"a\":1}",
	      "\x02\x02"
	      "a\x02\x00");
	BYTES("{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":"
	      "\"int32\"}}",
	      "[[1,2]]",
	      "\x02\x02\x04\x00");
	BYTES(
		ROW(FIELD("\"type\":\"int32\"", "a") "," FIELD("\"type\":\"string\"", "b"), "R"),
		"{\"a\":1,\"b\":\"x\"}",
		"\x02\x02x");
}

static void
test_bad_values(void **state)
{
	static const char *const values[][2] = {
		{ "{\"type\":\"int32\"}", "null" },
		{ "{\"type\":\"int32\"}", "\"1\"" },
		{ "{\"type\":\"boolean\"}", "1" },
		{ "{\"type\":\"string\"}", "1" },
		{ "{\"type\":\"bytes\"}", "\"*\"" },
		{ "{\"type\":\"array\",\"items\":{\"type\":\"int32\"}}", "{}" },
		{ "{\"type\":\"array\",\"items\":{\"type\":\"int32\"}}", "[1,null]" },
		{ "{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":"
		  "\"int32\"}}",
		  "[[1]]" },
		{ ROW(FIELD("\"type\":\"int32\"", "a"), "R"), "{\"a\":null}" },
	};
	Fixture *fixture = *state;

	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
	{
		ConnectValue value = connect_value_json(slice_from(values[i][1]));

		fixture->err.kind = ERR_NONE;
		assert_false(avro_encode(&value,
		                         parse(fixture, values[i][0]),
		                         false,
		                         fixture->arena,
		                         &fixture->out,
		                         &fixture->err));
		assert_int_equal(fixture->err.kind, ERR_DATA);
	}
}

/* ---- Converters ---- */

#define KAFKA "database.dbname=a", "outputs=kafka", "kafka.bootstrap.servers=k"

static Config *
load(Fixture *fixture, const char *const *settings, size_t count)
{
	const ConfigInput input = { .settings = settings, .setting_count = count };

	fixture->err.kind = ERR_NONE;
	return config_load(fixture->arena, &input, &fixture->err);
}

#define LOAD(...)                                     \
	load(*state,                                      \
	     (const char *const[]){ KAFKA, __VA_ARGS__ }, \
	     sizeof((const char *const[]){ KAFKA, __VA_ARGS__ }) / sizeof(const char *))

/* Kafka Connect's and Debezium Server's ways to say the same. */
static void
test_settings(void **state)
{
	Fixture *fixture = *state;
	Config *config = LOAD("debezium.format.key=json",
	                      "debezium.format.value=avro",
	                      "debezium.format.key.schemas.enable=true",
	                      "debezium.format.schema.registry.url=http://both",
	                      "debezium.format.value.schema.registry.url=http://r");

	assert_non_null(config);
	assert_int_equal(converter_class(&config->key_converter), CONVERTER_JSON);
	assert_int_equal(config->key_converter.schemas_enable, CONVERTER_TRUE);
	assert_int_equal(config->key_converter.replace_null_with_default, CONVERTER_INHERIT);
	assert_int_equal(converter_class(&config->value_converter), CONVERTER_AVRO);
	assert_string_equal(config->key_converter.registry_url, "http://both");
	assert_string_equal(config->value_converter.registry_url, "http://r");
	config_free(config);
	config = LOAD("value.converter=io.confluent.connect.avro.AvroConverter",
	              "value.converter.schema.registry.url=http://r",
	              "value.converter.value.subject.name.strategy="
	              "io.confluent.kafka.serializers.subject.RecordNameStrategy");
	assert_non_null(config);
	assert_int_equal(converter_class(&config->value_converter), CONVERTER_AVRO);
	assert_int_equal(config->value_converter.registry_subject, SUBJECT_RECORD);
	assert_true(config->value_converter.registry_auto_register);
	config_free(config);
	assert_null(LOAD("key.converter=avro"));
	assert_non_null(
		strstr(fixture->err.text, "\"key.converter.schema.registry.url\" is required"));
	assert_null(LOAD("key.converter=io.confluent.connect.avro.AvroConverter",
	                 "key.converter.schema.registry.url=http://r",
	                 "key.converter.basic.auth.credentials.source=USER_INFO"));
	assert_non_null(strstr(fixture->err.text, "user:password"));
	assert_null(LOAD("value.converter=io.confluent.connect.protobuf.ProtobufConverter"));
	assert_non_null(strstr(fixture->err.text, "ProtobufConverter"));
}

static void
test_direct(void **state)
{
	bool schemas;
	bool defaults;
	Config *config = LOAD("schemas.enable=true");

	assert_true(connect_renders_directly(config, &schemas, &defaults));
	assert_true(schemas && defaults);
	config_free(config);
	config = LOAD("key.converter.schemas.enable=true");
	assert_false(connect_renders_directly(config, &schemas, &defaults));
	config_free(config);
	config =
		LOAD("key.converter.schemas.enable=true", "value.converter.schemas.enable=true");
	assert_true(connect_renders_directly(config, &schemas, &defaults) && schemas);
	config_free(config);
}

/* Convert a value without a registry. */
static bool
convert(Fixture *fixture, const char *class, const char *schema, const char *json)
{
	const char *setting = arena_printf(fixture->arena, "value.converter=%s", class);
	const char *settings[] = { KAFKA, setting };
	Config *config = load(fixture, settings, 4);
	ConnectConverter *converter;
	const ConnectData data = { schema == NULL ? NULL : parse(fixture, schema),
		                       connect_value_json(slice_from(json)) };
	ConnectBytes out = { .arena = fixture->arena, .buf = &fixture->out };
	bool ok;

	assert_non_null(config);
	converter =
		connect_converter_new(config, false, fixture->schemas, NULL, &fixture->err);
	assert_non_null(converter);
	buf_reset(&fixture->out);
	ok = connect_convert(converter, "topic", &data, &out, &fixture->err);
	connect_converter_free(converter);
	config_free(config);
	return ok;
}

static void
test_strings(void **state)
{
	Fixture *fixture = *state;

	assert_true(convert(fixture, "simplestring", "{\"type\":\"string\"}", "\"a\\\"\""));
	assert_memory_equal(fixture->out.data, "a\"", 2);
	assert_int_equal(fixture->out.len, 2);
	assert_true(convert(fixture, "binary", "{\"type\":\"bytes\"}", "\"AP8=\""));
	assert_memory_equal(fixture->out.data, "\0\xFF", 2);
	assert_false(convert(fixture, "simplestring", "{\"type\":\"bytes\"}", "\"AP8=\""));
	assert_non_null(strstr(fixture->err.text, "StringConverter"));
	assert_false(convert(fixture, "binary", "{\"type\":\"string\"}", "\"a\""));
	assert_int_equal(fixture->err.kind, ERR_DATA);
	assert_non_null(strstr(fixture->err.text, "ByteArrayConverter"));
}

/* ---- HTTP ---- */

static void
test_http(void **state)
{
	Fixture *fixture = *state;
	const HttpOptions options = { .user_password = "u:p" };
	HttpClient *client = http_client_new(&options, &fixture->err);
	HttpRequest request = { .method = "GET", .url = "http://me:secret@127.0.0.1:1/x" };
	HttpResponse response;

	assert_non_null(client);
	assert_false(http_send(client, &request, &response, &fixture->err));
	assert_int_equal(fixture->err.kind, ERR_RETRY);
	assert_non_null(strstr(fixture->err.text, "http://127.0.0.1:1/x"));
	assert_null(strstr(fixture->err.text, "secret"));
	request.url = "file:///etc/hostname";
	assert_false(http_send(client, &request, &response, &fixture->err));
	assert_int_equal(fixture->err.kind, ERR_CONFIG);
	http_client_free(client);
	assert_int_equal(http_status_kind(200), ERR_NONE);
	assert_int_equal(http_status_kind(409), ERR_CONFIG);
	assert_int_equal(http_status_kind(429), ERR_RETRY);
	assert_int_equal(http_status_kind(503), ERR_RETRY);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
	const struct CMUnitTest tests[] = {
		TEST(test_schemas),  TEST(test_references), TEST(test_field_defaults),
		TEST(test_refused),  TEST(test_values),     TEST(test_bad_values),
		TEST(test_settings), TEST(test_direct),     TEST(test_strings),
		TEST(test_http),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
