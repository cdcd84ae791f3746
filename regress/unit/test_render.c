/*
 * test_render.c
 *		records: envelope, keys, replica identities, options, bronze, hostile tuples.
 *
 * Type by type the recorded runs of regress/goldens are the test; here is what
 * surrounds the values.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "envelope/render.h"
#include "envelope_support.h"

#include <stdio.h>

#define NOW_NS INT64_C(1600000000123456789)

/* One plan and what renders through it. */
typedef struct Fixture
{
	Arena *arena;
	Alloc alloc;
	EnvOptions options;
	Relation *relation;
	RenderPlan *plan;
	Buf out;
	Buf new_tuple;
	Buf old_tuple;
	RenderRecord records[RENDER_MAX_RECORDS];
	int count;
	EnvError error;
} Fixture;

static const TestColumn item_columns[] = {
	{ .name = "id",
	  .oid = TYPE_INT4,
	  .type_name = "int4",
	  .not_null = true,
	  .in_key = true,
	  .default_text = "nextval('item_id_seq'::regclass)" },
	{ .name = "na\"me", .oid = TYPE_TEXT, .type_name = "text", .not_null = true },
	{ .name = "size", .oid = TYPE_INT4, .type_name = "int4", .default_text = "7" },
};

static void
open_fixture(Fixture *fixture, const TestColumn *columns, uint16_t count)
{
	memset(fixture, 0, sizeof *fixture);
	fixture->arena = arena_new();
	fixture->alloc = arena_as_alloc(fixture->arena);
	fixture->relation = test_relation(fixture->arena, "item", columns, count);
	fixture->out = buf_heap();
	fixture->new_tuple = buf_heap();
	fixture->old_tuple = buf_heap();
	env_options_init(&fixture->options, &fixture->alloc);
}

static void
set_option(Fixture *fixture, const char *name, const char *value)
{
	if (!env_option_set(&fixture->options, name, value, &fixture->alloc, &fixture->error))
		fail_msg("%s", fixture->error.message);
}

static void
make_plan(Fixture *fixture)
{
	fixture->plan = render_plan_new(
		fixture->relation, &fixture->options, &fixture->alloc, &fixture->error);
	if (fixture->plan == NULL)
		fail_msg("%s", fixture->error.message);
}

static void
close_fixture(Fixture *fixture)
{
	env_options_fini(&fixture->options);
	buf_free(&fixture->out);
	buf_free(&fixture->new_tuple);
	buf_free(&fixture->old_tuple);
	arena_free(fixture->arena);
}

static Slice
tuple_of(const Buf *tuple)
{
	return tuple->len == 0 ? (Slice){ NULL, 0 } : (Slice){ tuple->data, tuple->len };
}

static RenderChange
change_of(Fixture *fixture, char type, char old_kind)
{
	return (RenderChange){
		.type = type,
		.old_kind = old_kind,
		.old_tuple = tuple_of(&fixture->old_tuple),
		.new_tuple = tuple_of(&fixture->new_tuple),
		.source = { .database = "shop",
		            .lsn = 500,
		            .last_commit_lsn = 0,
		            .commit_us = INT64_C(1500000000123456),
		            .xid = 77 },
		.now_ns = NOW_NS,
	};
}

static void
render(Fixture *fixture, char type, char old_kind)
{
	RenderChange change = change_of(fixture, type, old_kind);

	buf_reset(&fixture->out);
	if (!render_records(fixture->plan,
	                    &change,
	                    &fixture->out,
	                    fixture->records,
	                    &fixture->count,
	                    &fixture->error))
		fail_msg("%s", fixture->error.message);
}

/* An item: size 0 is null, size -1 is unchanged. */
static void
put_item(Buf *tuple, int32_t id, const char *name, int32_t size)
{
	buf_reset(tuple);
	buf_u16(tuple, 3);
	put_int4(tuple, id);
	if (name == NULL)
		put_null(tuple);
	else
		put_text(tuple, name);
	if (size > 0)
		put_int4(tuple, size);
	else if (size < 0)
		put_unchanged(tuple);
	else
		put_null(tuple);
}

static void
assert_bytes(const Fixture *fixture, size_t at, size_t len, const char *expected)
{
	if (len != strlen(expected) || memcmp(fixture->out.data + at, expected, len) != 0)
		fail_msg("\n%.*s\nis not\n%s", (int) len, fixture->out.data + at, expected);
}

static void
assert_key(const Fixture *fixture, int i, const char *expected)
{
	assert_true(fixture->records[i].has_key == (expected != NULL));
	if (expected != NULL)
		assert_bytes(
			fixture, fixture->records[i].key_at, fixture->records[i].key_len, expected);
}

/* What a value starts with: up to source. */
static void
assert_rows(Fixture *fixture, int i, const char *expected)
{
	const RenderRecord *record = &fixture->records[i];

	assert_true(record->has_value == (expected != NULL));
	if (expected == NULL)
		return;
	if (record->value_len < strlen(expected) ||
	    memcmp(fixture->out.data + record->value_at, expected, strlen(expected)) != 0)
		fail_msg("\n%.*s\ndoes not start with\n%s",
		         (int) record->value_len,
		         fixture->out.data + record->value_at,
		         expected);
}

static void
assert_contains(Fixture *fixture, const char *expected)
{
	if (strstr(buf_cstr(&fixture->out), expected) == NULL)
		fail_msg("\n%s\nhas no\n%s", buf_cstr(&fixture->out), expected);
}

static void
insert_whole(void **state)
{
	Fixture f;

	(void) state;
	open_fixture(&f, item_columns, 3);
	make_plan(&f);
	put_item(&f.new_tuple, 1, "a", 3);
	render(&f, 'I', 0);
	assert_int_equal(f.count, 1);
	assert_string_equal(render_plan_topic(f.plan), "cdc.public.item");
	assert_key(&f, 0, "{\"id\":1}");
	assert_bytes(&f,
	             f.records[0].value_at,
	             f.records[0].value_len,
	             "{\"before\":null,\"after\":{\"id\":1,\"na\\\"me\":\"a\",\"size\":3},"
	             "\"source\":{\"version\":\"3.6.1.Final\",\"connector\":\"postgresql\","
	             "\"name\":\"cdc\",\"ts_ms\":1500000000123,\"snapshot\":\"false\","
	             "\"db\":\"shop\",\"sequence\":\"[null,\\\"500\\\"]\","
	             "\"ts_us\":1500000000123456,\"ts_ns\":1500000000123456000,"
	             "\"schema\":\"public\",\"table\":\"item\",\"txId\":77,\"lsn\":500,"
	             "\"xmin\":null,\"origin\":null,\"origin_lsn\":null},"
	             "\"transaction\":null,\"op\":\"c\",\"ts_ms\":1600000000123,"
	             "\"ts_us\":1600000000123456,\"ts_ns\":1600000000123456789}");
	close_fixture(&f);
}

static void
source_details(void **state)
{
	Fixture f;
	RenderChange change;

	(void) state;
	open_fixture(&f, item_columns, 3);
	make_plan(&f);
	put_item(&f.new_tuple, 1, "a", 3);
	change = change_of(&f, 'r', 0);
	change.source.last_commit_lsn = 400;
	change.source.snapshot = SNAPSHOT_LAST_IN_COLLECTION;
	change.source.origin = "up\"stream";
	change.source.origin_lsn = 9;
	change.source.commit_us = -1;
	assert_true(render_records(f.plan, &change, &f.out, f.records, &f.count, &f.error));
	assert_contains(&f, "\"snapshot\":\"last_in_data_collection\"");
	assert_contains(&f, "\"sequence\":\"[\\\"400\\\",\\\"500\\\"]\"");
	assert_contains(&f, "\"origin\":\"up\\\"stream\",\"origin_lsn\":9}");
	assert_contains(&f, "\"ts_ms\":-1,");
	assert_contains(&f, "\"ts_us\":-1,\"ts_ns\":-1000,");
	assert_contains(&f, "\"op\":\"r\"");
	close_fixture(&f);
}

static void
update_and_key_change(void **state)
{
	Fixture f;

	(void) state;
	open_fixture(&f, item_columns, 3);
	make_plan(&f);
	put_item(&f.new_tuple, 1, "b", -1);
	render(&f, 'U', 0);
	assert_int_equal(f.count, 1);
	assert_rows(
		&f, 0, "{\"before\":null,\"after\":{\"id\":1,\"na\\\"me\":\"b\",\"size\":null}");
	assert_contains(&f, "\"op\":\"u\"");

	/* the old row has what the new one leaves out */
	put_item(&f.old_tuple, 1, "a", 5);
	render(&f, 'U', 'O');
	assert_int_equal(f.count, 1);
	assert_rows(&f,
	            0,
	            "{\"before\":{\"id\":1,\"na\\\"me\":\"a\",\"size\":5},"
	            "\"after\":{\"id\":1,\"na\\\"me\":\"b\",\"size\":5}");

	put_item(&f.old_tuple, 9, NULL, 0);
	render(&f, 'U', 'K');
	assert_int_equal(f.count, 3);
	assert_key(&f, 0, "{\"id\":9}");
	assert_key(&f, 1, "{\"id\":9}");
	assert_key(&f, 2, "{\"id\":1}");
	assert_rows(
		&f, 0, "{\"before\":{\"id\":9,\"na\\\"me\":\"\",\"size\":7},\"after\":null,");
	assert_rows(&f, 1, NULL);
	assert_rows(&f, 2, "{\"before\":null,\"after\":{\"id\":1,");
	for (int i = 0; i < 3; i++)
	{
		assert_string_equal(f.records[i].header_name,
		                    i < 2 ? "__debezium.newkey" : "__debezium.oldkey");
		assert_bytes(&f,
		             f.records[i].header_at,
		             f.records[i].header_len,
		             i < 2 ? "{\"id\":1}" : "{\"id\":9}");
	}
	close_fixture(&f);
}

/* What Debezium's publication leaves out; one of the user's leaves nothing out. */
static void
unpublished_updates(void **state)
{
	const Relation table = { .relkind = 'r' };
	const Relation leaf = { .relkind = 'r', .root_relid = 1 };
	const Relation root = { .relkind = 'p' };
	Fixture f;

	(void) state;
	open_fixture(&f, item_columns, 3);
	assert_false(render_unpublished(&f.options, 'T', &table));
	assert_false(render_unpublished(&f.options, 'T', &leaf));
	assert_true(render_unpublished(&f.options, 'T', &root));
	f.options.publish_via_partition_root = true;
	assert_false(render_unpublished(&f.options, 'T', &table));
	assert_true(render_unpublished(&f.options, 'T', &leaf));
	assert_false(render_unpublished(&f.options, 'I', &leaf));
	assert_false(render_unpublished(&f.options, 'T', &root));
	f.options.publish_via_partition_root = false;
	set_option(&f, "skipped.operations", "u,t");
	assert_true(render_unpublished(&f.options, 'U', &table));
	assert_false(render_unpublished(&f.options, 'D', &table));
	assert_true(render_unpublished(&f.options, 'T', &table));
	assert_false(render_unpublished(&f.options, 'r', &table));
	f.options.publishes_skipped = true;
	assert_false(render_unpublished(&f.options, 'U', &table));
	make_plan(&f);
	put_item(&f.old_tuple, 9, NULL, 0);
	put_item(&f.new_tuple, 1, "b", -1);
	render(&f, 'U', 'K');
	assert_int_equal(f.count, 3);
	put_item(&f.old_tuple, 1, NULL, 0);
	render(&f, 'U', 'K');
	assert_int_equal(f.count, 0);
	close_fixture(&f);
}

static void
delete_and_truncate(void **state)
{
	Fixture f;

	(void) state;
	open_fixture(&f, item_columns, 3);
	set_option(&f, "skipped.operations", "none");
	make_plan(&f);
	render(&f, 'D', 0);
	assert_int_equal(f.count, 0); /* no replica identity: nothing to say */
	put_item(&f.old_tuple, 4, NULL, 0);
	render(&f, 'D', 'K');
	assert_int_equal(f.count, 2);
	assert_key(&f, 1, "{\"id\":4}");
	assert_rows(&f, 1, NULL);
	buf_reset(&f.old_tuple);
	render(&f, 'T', 0);
	assert_int_equal(f.count, 1);
	assert_key(&f, 0, NULL);
	assert_rows(&f, 0, "{\"before\":null,\"after\":null,\"source\":");

	set_option(&f, "tombstones.on.delete", "false");
	set_option(&f, "skipped.operations", "t,c");
	make_plan(&f);
	render(&f, 'T', 0);
	assert_int_equal(f.count, 0);
	put_item(&f.old_tuple, 4, NULL, 0);
	render(&f, 'D', 'K');
	assert_int_equal(f.count, 1);
	put_item(&f.new_tuple, 4, "x", 1);
	render(&f, 'I', 0);
	assert_int_equal(f.count, 0);
	render(&f, 'r', 0);
	assert_int_equal(f.count, 1); /* snapshots are never skipped */
	close_fixture(&f);
}

static void
schemas(void **state)
{
	Fixture f;

	(void) state;
	open_fixture(&f, item_columns, 3);
	set_option(&f, "schemas.enable", "true");
	make_plan(&f);
	put_item(&f.new_tuple, 1, "a", 0);
	put_item(&f.old_tuple, 2, "a", 0);
	render(&f, 'U', 'O');
	assert_key(&f,
	           2,
	           "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\","
	           "\"optional\":false,\"default\":0,\"field\":\"id\"}],\"optional\":false,"
	           "\"name\":\"cdc.public.item.Key\"},\"payload\":{\"id\":1}}");
	assert_bytes(&f, f.records[2].header_at, f.records[2].header_len, "{\"id\":2}");
	assert_contains(&f,
	                "{\"type\":\"int32\",\"optional\":true,\"default\":7,"
	                "\"field\":\"size\"}],\"optional\":true,"
	                "\"name\":\"cdc.public.item.Value\",\"field\":\"after\"}");
	assert_contains(&f,
	                "\"name\":\"cdc.public.item.Envelope\",\"version\":2},"
	                "\"payload\":{\"before\":null,");
	close_fixture(&f);
}

static void
nulls_and_columns(void **state)
{
	Fixture f;

	(void) state;
	open_fixture(&f, item_columns, 3);
	make_plan(&f);
	put_item(&f.new_tuple, 1, "a", 0);
	render(&f, 'I', 0);
	assert_contains(&f, "\"size\":7}");
	set_option(&f, "replace.null.with.default", "false");
	make_plan(&f);
	render(&f, 'I', 0);
	assert_contains(&f, "\"size\":null}");
	assert_contains(&f, "\"snapshot\":null");
	set_option(&f, "column.exclude.list", "public.item.(id|size)");
	make_plan(&f);
	render(&f, 'I', 0);
	assert_key(&f, 0, "{\"id\":1}"); /* keys keep their columns */
	assert_rows(&f, 0, "{\"before\":null,\"after\":{\"na\\\"me\":\"a\"},");
	close_fixture(&f);
}

static void
topics(void **state)
{
	Fixture f;

	(void) state;
	open_fixture(&f, item_columns, 3);
	f.relation->schema = "S p";
	f.relation->name = "t\xc3\xa4\xf0\x9f\x98\x80$";
	make_plan(&f);
	assert_string_equal(render_plan_topic(f.plan), "cdc.S_p.t____");
	set_option(&f, "topic.delimiter", "-");
	set_option(&f, "topic.prefix", "shop.eu");
	set_option(&f, "publish.via.partition.root", "true");
	f.relation->root_relid = 5;
	f.relation->root_schema = "public";
	f.relation->root_name = "whole";
	make_plan(&f);
	assert_string_equal(render_plan_topic(f.plan), "shop.eu-public-whole");
	close_fixture(&f);
}

static void
record_json(void **state)
{
	Fixture f;
	Buf line = buf_heap();
	RenderContext context;

	(void) state;
	open_fixture(&f, item_columns, 3);
	make_plan(&f);
	put_item(&f.old_tuple, 4, NULL, 0);
	render(&f, 'D', 'K');
	context = render_context(&f.options, "run");
	render_record_json(f.plan, &f.out, &f.records[1], &context, &line);
	assert_string_equal(
		buf_cstr(&line),
		"{\"topic\":\"cdc.public.item\",\"partition\":null,\"key\":\"{\\\"id\\\":4}\","
		"\"value\":null,\"headers\":["
		"{\"k\":\"__debezium.context.connectorLogicalName\",\"v\":\"cdc\"},"
		"{\"k\":\"__debezium.context.taskId\",\"v\":\"0\"},"
		"{\"k\":\"__debezium.context.connectorName\",\"v\":\"postgresql\"},"
		"{\"k\":\"__debezium.context.runId\",\"v\":\"run\"}]}");
	set_option(&f, "extended.headers.enabled", "false");
	make_plan(&f);
	buf_reset(&line);
	render_record_json(f.plan, &f.out, &f.records[1], &context, &line);
	assert_non_null(strstr(buf_cstr(&line), "\"headers\":[]}"));
	buf_free(&line);
	close_fixture(&f);
}

static void
key_changes(void **state)
{
	Fixture f;
	RenderChange change;
	bool changed;

	(void) state;
	open_fixture(&f, item_columns, 3);
	make_plan(&f);
	put_item(&f.new_tuple, 1, "a", 1);
	change = change_of(&f, 'U', 0);
	assert_true(render_key_changed(f.plan, &change, &changed, &f.error));
	assert_false(changed);
	put_item(&f.old_tuple, 2, NULL, 0);
	change = change_of(&f, 'U', 'K');
	assert_true(render_key_changed(f.plan, &change, &changed, &f.error));
	assert_true(changed);
	/* a key outside the identity is unknown in the old tuple */
	f.relation->columns[0].in_identity = false;
	assert_true(render_key_changed(f.plan, &change, &changed, &f.error));
	assert_false(changed);
	close_fixture(&f);
}

/* What bronze holds: nothing lost, nothing made up. */
static void
bronze(void **state)
{
	static const TestColumn columns[] = {
		{ .name = "id",
		  .oid = TYPE_INT4,
		  .type_name = "int4",
		  .not_null = true,
		  .in_key = true },
		{ .name = "n", .oid = TYPE_NUMERIC, .type_name = "numeric" },
		{ .name = "t", .oid = TYPE_TIME, .type_name = "time" },
		{ .name = "z", .oid = TYPE_TIMETZ, .type_name = "timetz" },
		{ .name = "d", .oid = TYPE_DATE, .type_name = "date" },
		{ .name = "ts", .oid = TYPE_TIMESTAMP, .type_name = "timestamp" },
		{ .name = "nm", .oid = TYPE_NAME, .type_name = "name" },
		{ .name = "m",
		  .oid = 1007,
		  .type_name = "_int4",
		  .element_oid = TYPE_INT4,
		  .element_name = "int4" },
		{ .name = "c", .oid = 99999, .type_name = "comp" },
		{ .name = "b", .oid = TYPE_BIT, .type_name = "bit", .typmod = 3 },
		{ .name = "big", .oid = TYPE_TEXT, .type_name = "text", .not_null = true },
		{ .name = "dflt", .oid = TYPE_INT4, .type_name = "int4", .default_text = "1" },
	};
	Fixture f;
	EnvOptions user;

	(void) state;
	open_fixture(&f, columns, 12);
	user = f.options;
	render_options_bronze(&f.options, &user, &f.alloc);
	make_plan(&f);
	buf_u16(&f.new_tuple, 12);
	put_int4(&f.new_tuple, 1);
	put_hex(&f.new_tuple, "0000 0000 c000 0000");
	put_hex(&f.new_tuple, "000000141dd76000");
	put_hex(&f.new_tuple, "0000000000000001 ffffb2a8");
	put_hex(&f.new_tuple, "7fffffff");
	put_hex(&f.new_tuple, "8000000000000000");
	put_text(&f.new_tuple, "nm");
	put_hex(&f.new_tuple,
	        "00000002 00000000 00000017 00000001 00000001 00000001 00000001"
	        "00000004 00000005");
	put_text_value(&f.new_tuple, "(1,\"a b\")");
	put_hex(&f.new_tuple, "00000003 a0");
	put_unchanged(&f.new_tuple);
	put_null(&f.new_tuple);
	if (!render_row(f.plan, tuple_of(&f.new_tuple), false, &f.out, &f.error))
		fail_msg("%s", f.error.message);
	assert_bytes(
		&f,
		0,
		f.out.len,
		"{\"id\":1,\"n\":\"NaN\",\"t\":\"24:00:00\","
		"\"z\":\"00:00:00.000001+05:30\",\"d\":\"infinity\",\"ts\":\"-infinity\","
		"\"nm\":\"nm\",\"m\":\"{{5}}\",\"c\":\"(1,\\\"a b\\\")\",\"b\":\"101\","
		"\"dflt\":null}");
	buf_reset(&f.out);
	assert_true(render_key(f.plan, tuple_of(&f.new_tuple), &f.out, &f.error));
	assert_bytes(&f, 0, f.out.len, "{\"id\":1}");
	buf_reset(&f.out);
	assert_true(render_unchanged(f.plan, tuple_of(&f.new_tuple), &f.out, &f.error));
	assert_bytes(&f, 0, f.out.len, "[\"big\"]");
	env_options_fini(&user);
	close_fixture(&f);
}

static void
malformed_values(void **state)
{
	Fixture f;
	RenderChange change;

	(void) state;
	open_fixture(&f, item_columns, 3);
	make_plan(&f);
	buf_u16(&f.new_tuple, 3);
	put_hex(&f.new_tuple, "0001"); /* an int4 of two bytes */
	put_text(&f.new_tuple, "a");
	put_null(&f.new_tuple);
	change = change_of(&f, 'I', 0);
	assert_false(render_records(f.plan, &change, &f.out, f.records, &f.count, &f.error));
	assert_string_equal(
		f.error.message,
		"could not read the value of column \"id\" of table \"public\".\"item\"");
	close_fixture(&f);
}

/* Columns of every type the table knows, arrays included. */
static uint16_t
make_columns(TestColumn columns[64])
{
	static const struct
	{
		uint32_t oid;
		const char *name;
	} types[] = {
		{ TYPE_BOOL, "bool" },
		{ TYPE_INT2, "int2" },
		{ TYPE_INT4, "int4" },
		{ TYPE_INT8, "int8" },
		{ TYPE_OID, "oid" },
		{ TYPE_FLOAT4, "float4" },
		{ TYPE_FLOAT8, "float8" },
		{ TYPE_NUMERIC, "numeric" },
		{ TYPE_MONEY, "money" },
		{ TYPE_TEXT, "text" },
		{ TYPE_CHAR, "char" },
		{ TYPE_JSONB, "jsonb" },
		{ TYPE_UUID, "uuid" },
		{ TYPE_BYTEA, "bytea" },
		{ TYPE_BIT, "bit" },
		{ TYPE_VARBIT, "varbit" },
		{ TYPE_DATE, "date" },
		{ TYPE_TIME, "time" },
		{ TYPE_TIMETZ, "timetz" },
		{ TYPE_TIMESTAMP, "timestamp" },
		{ TYPE_TIMESTAMPTZ, "timestamptz" },
		{ TYPE_INTERVAL, "interval" },
		{ 600, "point" },
		{ 718, "circle" },
		{ 70000, "hstore" },
		{ 869, "inet" },
		{ 3614, "tsvector" },
		{ 70001, "geometry" },
		{ 70002, "geography" },
		{ 70003, "vector" },
		{ 70004, "halfvec" },
		{ 70005, "sparsevec" },
	};
	uint16_t count = 0;

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
	{
		columns[count++] = (TestColumn){ .name = types[i].name,
			                             .oid = types[i].oid,
			                             .type_name = types[i].name,
			                             .typmod = i % 2 == 0 ? 0 : 6 };
		columns[count++] = (TestColumn){ .name = types[i].name,
			                             .oid = 80000 + (uint32_t) i,
			                             .type_name = types[i].name,
			                             .element_oid = types[i].oid,
			                             .element_name = types[i].name };
	}
	return count;
}

static uint64_t
next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void
put_random(Buf *tuple, const RelationColumn *column, uint64_t *seed)
{
	static const char *const texts[] = {
		"",
		"{}",
		"{a,\"b\\\"c\",NULL}",
		"{{a},{b}}",
		"[0:1]={a,b}",
		"{a",
		"{\"a",
		"(1,2)",
		"(1,",
		"<(1,2),3>",
		"\"a\"=>\"1\", \"b\"=>NULL",
		"\"a\"=>",
		"\"a\\",
		"[0:1]",
		"{\"\\",
		"(nan,inf)",
		"0101000020730C00001C7C613255DE6540787AA52C435C42C0",
		"01010000207",
		"{010700000000000000:NULL:01}",
		"[1,2.5,-3e-05]",
		"[1,",
		"[]",
		"{1:2,9:3.5}/20",
		"{1:2,}/20",
		"{99999:1}/5",
		"{}/",
	};
	char bytes[48];
	size_t len = next_random(seed) % sizeof bytes;

	if (!value_is_binary(column))
	{
		put_text_value(tuple, texts[next_random(seed) % (sizeof texts / sizeof *texts)]);
		return;
	}
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = next_random(seed) % 3 == 0 ? (char) next_random(seed) : 0;
	if (next_random(seed) % 2 == 0)
		len = (size_t[]){ 1, 2, 4, 8, 12, 16 }[next_random(seed) % 6];
	if (column->element_oid != 0)
		bytes[0] = bytes[1] = bytes[2] = 0, bytes[3] = (char) (next_random(seed) % 3);
	wire_value(tuple, 'b', bytes, (uint32_t) len);
}

static void
hostile_tuples(void **state)
{
	TestColumn columns[64];
	uint16_t count = make_columns(columns);
	uint64_t seed = 5;
	int rendered = 0;

	(void) state;
	for (int mode = 0; mode < 5; mode++)
	{
		Fixture f;

		open_fixture(&f, columns, count);
		if (mode == 3)
			set_option(&f, "column.truncate.to.3.chars", ".*");
		if (mode == 4)
		{
			/* columns of a key are hashed where they print */
			set_option(&f, "column.mask.hash.SHA3-224.with.salt.x", ".*");
			set_option(&f, "message.key.columns", ".*:.*");
		}
		set_option(&f, "include.unknown.datatypes", "true");
		set_option(&f, "decimal.handling.mode", mode == 0 ? "precise" : "string");
		set_option(&f, "time.precision.mode", mode == 1 ? "isostring" : "nanoseconds");
		set_option(&f, "hstore.handling.mode", mode == 0 ? "json" : "map");
		f.options.lossless = mode == 2;
		make_plan(&f);
		for (int round = 0; round < 6000; round++)
		{
			uint16_t only = (uint16_t) (next_random(&seed) % count);
			char *exact;

			buf_reset(&f.new_tuple);
			buf_reset(&f.out);
			buf_u16(&f.new_tuple, count);
			for (uint16_t i = 0; i < count; i++)
				if (i == only)
					put_random(&f.new_tuple, &f.relation->columns[i], &seed);
				else
					put_null(&f.new_tuple);
			exact = xmalloc(f.new_tuple.len);
			memcpy(exact, f.new_tuple.data, f.new_tuple.len);
			rendered += render_row(
				f.plan, (Slice){ exact, f.new_tuple.len }, false, &f.out, &f.error);
			free(exact);
		}
		close_fixture(&f);
	}
	assert_true(rendered > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(insert_whole),
		cmocka_unit_test(source_details),
		cmocka_unit_test(update_and_key_change),
		cmocka_unit_test(unpublished_updates),
		cmocka_unit_test(delete_and_truncate),
		cmocka_unit_test(schemas),
		cmocka_unit_test(nulls_and_columns),
		cmocka_unit_test(topics),
		cmocka_unit_test(record_json),
		cmocka_unit_test(key_changes),
		cmocka_unit_test(bronze),
		cmocka_unit_test(malformed_values),
		cmocka_unit_test(hostile_tuples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
