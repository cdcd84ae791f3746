/*
 * test_iceberg_metadata.c
 *		schemas and table metadata: what Java wrote comes back unchanged.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
/* cmocka has a macro fail: our own headers first. */
#include "iceberg_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <json-c/json.h>

static const char *const samples[] = {
	"iceberg_evol.metadata.json",
	"iceberg_mor.metadata.json",
	"iceberg_parts.metadata.json",
	"iceberg_types.metadata.json",
};

static json_object *
parse(Arena *arena, Slice json)
{
	json_object *object = json_tokener_parse(arena_strndup(arena, json.data, json.len));

	assert_non_null(object);
	return object;
}

static void
java_metadata_round_trip(void **state)
{
	(void) state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
	{
		Arena *arena = arena_new();
		Slice before = read_sample(arena, samples[i]);
		TableMetadata *metadata = sample_metadata(arena, samples[i]);
		Slice after = metadata_write(arena, metadata);
		json_object *a = parse(arena, before);
		json_object *b = parse(arena, after);

		if (!json_object_equal(a, b))
			fail_msg("%s became\n%s", samples[i], after.data);
		json_object_put(a);
		json_object_put(b);
		arena_free(arena);
	}
}

static void
java_metadata_means(void **state)
{
	Arena *arena = arena_new();
	TableMetadata *metadata = sample_metadata(arena, "iceberg_types.metadata.json");
	const IcebergSchema *schema = metadata_current_schema(metadata);
	const IcebergField *field = iceberg_find_field(schema, 22);

	(void) state;
	assert_int_equal(schema->field_count, 16);
	assert_int_equal(iceberg_greatest_id(schema), 22);
	assert_int_equal(metadata->last_column_id, 22);
	assert_string_equal(iceberg_type_text(arena, &iceberg_find_field(schema, 8)->type),
	                    "decimal(38, 10)");
	assert_string_equal(iceberg_type_text(arena, &iceberg_find_field(schema, 15)->type),
	                    "map<string, long>");
	assert_string_equal(field->name, "element");
	assert_int_equal(field->type.kind, ICEBERG_STRING);
	assert_null(iceberg_find_field(schema, 23));
	assert_string_equal(properties_get(metadata->properties, "owner"), "root");
	assert_string_equal(metadata_ancestry_get(metadata, "engine-name"), "spark");
	assert_null(metadata_ancestry_get(metadata, "cdc.commit_lsn"));

	metadata = sample_metadata(arena, "iceberg_parts.metadata.json");
	assert_int_equal(metadata->spec_count, 3);
	assert_string_equal(metadata_spec(metadata, 2)->fields[2].transform, "truncate[10]");
	assert_true(metadata_current_snapshot(metadata)->parent_id ==
	            INT64_C(9194870272892281114));
	assert_int_equal(metadata->refs[0].snapshot_id, metadata->current_snapshot_id);
	arena_free(arena);
}

static void
new_tables(void **state)
{
	Arena *arena = arena_new();
	NewTable table = sample_table();
	Slice json = metadata_write(arena, metadata_new(arena, &table));
	TableMetadata *metadata;
	Err err = { 0 };

	(void) state;
	assert_string_equal(
		json.data,
		"{\"format-version\":2,\"table-uuid\":\"842dac51-c60f-40d1-9a24-f9eda7e10c23\","
		"\"location\":\"file:///lake/db/t\",\"last-sequence-number\":0,"
		"\"last-updated-ms\":1000,\"last-column-id\":3,\"current-schema-id\":0,"
		"\"schemas\":[{\"type\":\"struct\",\"schema-id\":0,\"identifier-field-ids\":[1],"
		"\"fields\":[{\"id\":1,\"name\":\"id\",\"required\":true,\"type\":\"long\"},"
		"{\"id\":2,\"name\":\"name\",\"required\":false,\"type\":\"string\"},"
		"{\"id\":3,\"name\":\"ts\",\"required\":false,\"type\":\"timestamptz\"}]}],"
		"\"default-spec-id\":0,\"partition-specs\":[{\"spec-id\":0,\"fields\":["
		"{\"name\":\"ts_day\",\"transform\":\"day\",\"source-id\":3,\"field-id\":1000}]}],"
		"\"last-partition-id\":1000,\"default-sort-order-id\":0,"
		"\"sort-orders\":[{\"order-id\":0,\"fields\":[]}],\"properties\":{},\"refs\":{},"
		"\"snapshots\":[],\"snapshot-log\":[],\"metadata-log\":[]}");
	assert_true(metadata_read(arena, json, &metadata, &err));
	assert_true(metadata->current_snapshot_id == NO_SNAPSHOT);
	table.spec = NULL;
	assert_int_equal(metadata_new(arena, &table)->last_partition_id, 999);
	arena_free(arena);
}

static void
every_type_round_trips(void **state)
{
	Arena *arena = arena_new();
	IcebergField fields[16];
	IcebergSchema schema = { .fields = fields, .field_count = 16 };
	IcebergSchema again;
	const char *json;
	Err err = { 0 };

	(void) state;
	for (int i = 0; i < 16; i++)
		fields[i] = (IcebergField){ .id = i + 1,
			                        .name = arena_printf(arena, "c \"%d\" é/", i),
			                        .type = iceberg_type((IcebergKind) i) };
	fields[ICEBERG_DECIMAL].type = iceberg_decimal(38, 38);
	fields[ICEBERG_FIXED].type.length = 7;
	fields[ICEBERG_LIST].type =
		iceberg_list(arena, 20, iceberg_list(arena, 21, iceberg_decimal(1, 0)));
	fields[ICEBERG_MAP].type = iceberg_map(
		arena, 22, iceberg_type(ICEBERG_STRING), 23, iceberg_type(ICEBERG_UUID));
	fields[0].doc = "a \"doc\"\n";
	fields[1].required = true;
	json = iceberg_schema_json(arena, &schema);
	if (!iceberg_schema_parse(arena, slice_from(json), &again, &err))
		fail_msg("%s", err.text);
	assert_true(iceberg_schema_equal(&schema, &again));
	fields[1].required = false;
	assert_false(iceberg_schema_equal(&schema, &again));
	arena_free(arena);
}

static void
wrong_documents_are_refused(void **state)
{
	const struct
	{
		const char *json;
		const char *text;
	} cases[] = {
		{ "", "not JSON" },
		{ "{", "not JSON" },
		{ "{}x", "not JSON" },
		{ "[]", "expected an object" },
		{ "{}", "member \"format-version\" is missing" },
		{ "{\"format-version\":\"2\"}", "is of type string, not int" },
		{ "{\"format-version\":3}", "format version 3 of the table is not supported" },
		{ "{\"format-version\":2,\"table-uuid\":\"a\\u0000b\"}", "contains a zero byte" },
		{ "{\"format-version\":2,\"table-uuid\":\"842dac51-c60f-40d1-9a24-f9eda7e10c23\",\"location\":\"y\","
		  "\"last-sequence-number\":1,\"last-updated-ms\":1,\"last-column-id\":99999999999}",
		  "does not fit in 32 bits" },
	};
	const char *const types[] = { "strin",      "decimal(39, 2)", "decimal(3,4)",
		                          "decimal(3)", "fixed[]",        "decimal(9, 2)x",
		                          "struct",     "fixed" };
	IcebergSchema schema;

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		Arena *arena = arena_new();
		TableMetadata *metadata;
		Err err = { 0 };

		assert_false(metadata_read(arena, slice_from(cases[i].json), &metadata, &err));
		if (!strstr(err.text, cases[i].text))
			fail_msg("\"%s\" gave: %s", cases[i].json, err.text);
		arena_free(arena);
	}
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
	{
		Arena *arena = arena_new();
		Err err = { 0 };

		assert_false(iceberg_schema_parse(
			arena,
			slice_from(arena_printf(arena,
		                            "{\"fields\":[{\"id\":1,\"name\":\"a\","
		                            "\"required\":true,\"type\":\"%s\"}]}",
		                            types[i])),
			&schema,
			&err));
		assert_non_null(strstr(err.text, "field \"a\": unrecognized type"));
		arena_free(arena);
	}
}

/* What PyIceberg refuses is not carried on into the next metadata: each change is one bit
 * (of a UUID's, some). */
static void
bits_that_readers_refuse(void **state)
{
	const struct
	{
		const char *was;
		const char *is;
		const char *text;
	} cases[] = {
		{ "\"operation\":\"overwrite",
		  "\"operation\":\"mverwrite",
		  "unknown operation \"mverwrite\"" },
		{ "\"operation\":\"append",
		  "\"oxeration\":\"append",
		  "lacks member \"operation\"" },
		{ "\"summary\":", "\"sumoary\":", "\"summary\" is missing" },
		{ "\"type\":\"branch", "\"type\":\"branbh", "type \"branbh\" is neither" },
		{ "\"type\":\"branch", "\"uype\":\"branch", "\"type\" is missing" },
		{ "order-id\":0,\"s", "order-id\":2,\"s", "default sort order 2 is not among" },
		{ "842dac51-", "842dac5q-", "table-uuid \"842dac5q-" },
		{ "842dac51-", "842dac51m", "table-uuid \"842dac51m" },
		{ "ids\":[1]", "ids\":[0]", "by field 0, which it does not have" },
		{ "ids\":[1]", "ids\":[3]", "by field 3, which it does not require" },
	};
	static const char whole[] =
		"{\"format-version\":2,\"table-uuid\":\"842dac51-c60f-40d1-9a24-f9eda7e10c23\","
		"\"location\":\"file:///lake/db/t\",\"last-sequence-number\":0,"
		"\"last-updated-ms\":1000,\"last-column-id\":3,\"current-schema-id\":0,"
		"\"schemas\":[{\"type\":\"struct\",\"schema-id\":0,\"identifier-field-ids\":[1],"
		"\"fields\":[{\"id\":1,\"name\":\"id\",\"required\":true,\"type\":\"long\"},"
		"{\"id\":3,\"name\":\"ts\",\"required\":false,\"type\":\"timestamptz\"}]}],"
		"\"default-spec-id\":0,\"partition-specs\":[{\"spec-id\":0,\"fields\":[]}],"
		"\"last-partition-id\":999,\"default-sort-order-id\":0,\"sort-orders\":[],"
		"\"properties\":{},\"current-snapshot-id\":2,"
		"\"refs\":{\"main\":{\"type\":\"branch\",\"snapshot-id\":2}},\"snapshots\":["
		"{\"snapshot-id\":1,\"timestamp-ms\":1,\"manifest-list\":\"a\","
		"\"summary\":{\"operation\":\"append\"}},"
		"{\"snapshot-id\":2,\"timestamp-ms\":2,\"manifest-list\":\"b\","
		"\"summary\":{\"operation\":\"overwrite\"}}]}";
	Arena *arena = arena_new();
	TableMetadata *metadata;
	Err err = { 0 };

	(void) state;
	assert_true(metadata_read(arena, slice_from(whole), &metadata, &err));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		char *changed = arena_strdup(arena, whole);
		char *at = strstr(changed, cases[i].was);

		assert_non_null(at);
		memcpy(at, cases[i].is, strlen(cases[i].is));
		err = (Err){ 0 };
		assert_false(metadata_read(arena, slice_from(changed), &metadata, &err));
		if (!strstr(err.text, cases[i].text))
			fail_msg("\"%s\" gave: %s", cases[i].is, err.text);
	}
	arena_free(arena);
}

/* No cut and no changed byte may do more than fail. */
static void
damaged_documents(void **state)
{
	Arena *outer = arena_new();
	Slice json = read_sample(outer, "iceberg_mor.metadata.json");
	char *bytes = exact_block(json);

	(void) state;
	for (size_t i = 0; i < json.len; i += 7)
	{
		Arena *arena = arena_new();
		char *cut = exact_block((Slice){ json.data, i });
		TableMetadata *metadata;
		Err err = { 0 };

		assert_false(metadata_read(arena, (Slice){ cut, i }, &metadata, &err));
		bytes[i] = (char) (bytes[i] ^ (1 << i % 8));
		if (metadata_read(arena, (Slice){ bytes, json.len }, &metadata, &err))
			metadata_write(arena, metadata);
		bytes[i] = json.data[i];
		free(cut);
		arena_free(arena);
	}
	free(bytes);
	arena_free(outer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(java_metadata_round_trip),
		cmocka_unit_test(java_metadata_means),
		cmocka_unit_test(new_tables),
		cmocka_unit_test(every_type_round_trips),
		cmocka_unit_test(wrong_documents_are_refused),
		cmocka_unit_test(bits_that_readers_refuse),
		cmocka_unit_test(damaged_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
