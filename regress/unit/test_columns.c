/*
 * test_columns.c
 *		what options make of columns: masks, keys, names, propagated types, money.
 *
 * Expected hashes are those of Debezium where a recorded run has them (case mask_hash),
 *else of Java's MessageDigest over the bytes that the comment gives, or of Python's
 *hashlib.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#undef fail

#include "envelope/jdbc.h"
#include "envelope/names.h"
#include "envelope/render.h"
#include "envelope_support.h"

#define EMOJI_V1    "66b1667db79ffd03a7281908607c2221f3b406ae066649885b1a79a73e38a2d1"
#define BIG_V1      "443b8e688780c3c9a82b260611fdba2a14b43dd9360037ec000f0be9b92e8bea"
#define SALTED_V2   "9e19cfaa10e89d2845fb6ee45cb3209186803dd2"
#define DEFAULT_MD5 "76381ab96651850f13177e1681a4048d"

static const char *const moods[] = { "sad", "happy" };

enum
{
	ID,
	EMAIL,
	NAME,
	SIZE,
	BODY,
	PRICE,
	MOOD,
	STAMP,
	COLUMNS
};

static const TestColumn columns[COLUMNS] = {
	[ID] = { .name = "id",
	         .oid = TYPE_INT4,
	         .type_name = "int4",
	         .not_null = true,
	         .in_key = true },
	[EMAIL] = { .name = "email", .oid = TYPE_TEXT, .type_name = "text" },
	[NAME] = { .name = "na-me",
	           .oid = TYPE_VARCHAR,
	           .type_name = "varchar",
	           .typmod = 54,
	           .not_null = true,
	           .default_text = "'abc'::character varying" },
	[SIZE] = { .name = "size",
	           .oid = TYPE_INT4,
	           .type_name = "int4",
	           .default_text = "7" },
	[BODY] = { .name = "body", .oid = TYPE_BYTEA, .type_name = "bytea" },
	[PRICE] = { .name = "price", .oid = TYPE_MONEY, .type_name = "money" },
	[MOOD] = { .name = "mood",
	           .oid = 99999,
	           .type_name = "mood",
	           .labels = moods,
	           .label_count = 2 },
	[STAMP] = { .name = "1st", .oid = TYPE_TIMESTAMPTZ, .type_name = "timestamptz" },
};

typedef struct Fixture
{
	Arena *arena;
	Alloc alloc;
	EnvOptions options;
	Relation *relation;
	RenderPlan *plan;
	Buf out;
	EnvError error;
} Fixture;

static int
set_up(void **state)
{
	Fixture *f = xmalloc(sizeof *f);

	*f = (Fixture){ .arena = arena_new(), .out = buf_heap() };
	f->alloc = arena_as_alloc(f->arena);
	f->relation = test_relation(f->arena, "item", columns, COLUMNS);
	env_options_init(&f->options, &f->alloc);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	Fixture *f = *state;

	env_options_fini(&f->options);
	buf_free(&f->out);
	arena_free(f->arena);
	free(f);
	return 0;
}

static void
set(Fixture *f, const char *name, const char *value)
{
	if (!env_option_set(&f->options, name, value, &f->alloc, &f->error))
		fail_msg("%s", f->error.message);
}

static void
refuse(Fixture *f, const char *name, const char *value, const char *message)
{
	assert_false(env_option_set(&f->options, name, value, &f->alloc, &f->error));
	assert_string_equal(f->error.message, message);
	assert_string_not_equal(f->error.hint, "");
}

static const char *
text_of(Buf *buf)
{
	return buf_cstr(buf);
}

/* One row rendered: each column null but one, whose entry is given. */
static const char *
row_with(Fixture *f, uint16_t column, char kind, const char *bytes, size_t len)
{
	Buf tuple = buf_heap();

	buf_u16(&tuple, COLUMNS);
	for (uint16_t i = 0; i < COLUMNS; i++)
	{
		if (i == column && kind == 'u')
			put_unchanged(&tuple);
		else if (i == column)
			wire_value(&tuple, kind, bytes, (uint32_t) len);
		else if (i == ID)
			put_int4(&tuple, 1);
		else if (i == NAME)
			put_text(&tuple, "x");
		else
			put_null(&tuple);
	}
	f->plan = render_plan_new(f->relation, &f->options, &f->alloc, &f->error);
	if (f->plan == NULL)
		fail_msg("%s", f->error.message);
	buf_reset(&f->out);
	if (!render_row(f->plan, (Slice){ tuple.data, tuple.len }, false, &f->out, &f->error))
		fail_msg("%s", f->error.message);
	buf_free(&tuple);
	return text_of(&f->out);
}

static void
assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in %s", part, text);
}

/* ---- Masks ---- */

static const char *
masked(Fixture *f, uint16_t column, const char *text)
{
	ColumnMask mask = mask_find(&f->options, f->relation, column);

	assert_non_null(mask.rule);
	buf_reset(&f->out);
	buf_text(&f->out, text);
	mask_replace(&f->out, 0, &mask);
	return text_of(&f->out);
}

static void
mask_texts(void **state)
{
	Fixture *f = *state;

	set(f, "column.mask.with.3.chars", "public.item.size,public\\.item\\.email");
	assert_string_equal(masked(f, EMAIL, "a long one"), "***");
	assert_string_equal(masked(f, EMAIL, ""), "***");
	/* an earlier kind wins, whatever came first */
	set(f, "column_truncate_to_4_chars", "PUBLIC.ITEM.email");
	assert_string_equal(masked(f, EMAIL, "abcdef"), "abcd");
	assert_string_equal(masked(f, EMAIL, "日本語日本語"), "日本語日");
	/* Java counts a character beyond U+FFFF twice; half of one is none */
	assert_string_equal(masked(f, EMAIL, "ab😀cd"), "ab😀");
	assert_string_equal(masked(f, EMAIL, "abc😀"), "abc");
}

static void
mask_hashes(void **state)
{
	Fixture *f = *state;
	Buf big = buf_heap();

	set(f, "column.mask.hash.SHA-256.with.salt.CzQMA0cB5K", "public.item.(email|na-me)");
	assert_string_equal(
		masked(f, EMAIL, "a@b.c"),
		"1fde28cc0671304ae409d31e887b420c380a1bc4817f0edd5f8fe25ccaf847f8");
	assert_string_equal(masked(f, NAME, "Anna"),
	                    "69add06ff222a5afb082db4dc3696cf6d32efb0cc95f20abfb");
	assert_string_equal(masked(f, NAME, "日本語"),
	                    "8b2e46ac6258210453f18ad025798036e744271833b267d3ef");
	/* 'AC ED 00 05 74 00 06' and two surrogates of three bytes each */
	assert_string_equal(masked(f, EMAIL, "😀"), EMOJI_V1);
	/* 'AC ED 00 05 7C' and eight bytes of length from 65536 on */
	for (int i = 0; i < 65536; i++)
		buf_char(&big, 'a');
	assert_string_equal(masked(f, EMAIL, buf_cstr(&big)), BIG_V1);
	buf_free(&big);
}

static void
mask_hashes_v2(void **state)
{
	Fixture *f = *state;

	set(f, "column_mask_hash_v2_sha-1_with_salt_a.b_c", "public.item.email");
	assert_string_equal(f->options.masks.rules[0].property,
	                    "column.mask.hash.v2.sha-1.with.salt.a.b_c");
	assert_string_equal(masked(f, EMAIL, "a@b.c"), SALTED_V2);
}

static void
mask_rules_travel(void **state)
{
	Fixture *f = *state;
	EnvOptions copy;
	Buf text = buf_heap();
	uint64_t bare = env_options_fingerprint(&f->options);

	set(f, "column.mask.hash.v2.MD5.with.salt.9:x=y, z", "public.a.b,c.d.e");
	set(f, "column.truncate.to.0.chars", "");
	mask_write(&f->options.masks, &text);
	env_options_init(&copy, &f->alloc);
	assert_true(
		env_option_set(&copy, OPTION_ALL_MASKS, buf_cstr(&text), &f->alloc, &f->error));
	assert_int_equal(copy.masks.count, 2);
	assert_string_equal(copy.masks.rules[0].property,
	                    "column.mask.hash.v2.MD5.with.salt.9:x=y, z");
	assert_int_equal(copy.masks.rules[0].columns.count, 2);
	assert_true(env_options_fingerprint(&copy) == env_options_fingerprint(&f->options));
	assert_false(env_options_fingerprint(&copy) == bare);
	env_options_fini(&copy);
	buf_free(&text);
	for (size_t i = 0; i < 4; i++)
	{
		static const char *const bad[] = {
			"x", "5:abc", "1:x1:y", "99999999999999999999:a"
		};

		assert_false(
			env_option_set(&f->options, OPTION_ALL_MASKS, bad[i], &f->alloc, &f->error));
	}
}

static void
mask_refusals(void **state)
{
	Fixture *f = *state;

	refuse(f,
	       "column.mask.hash.SHA-2.with.salt.x",
	       "a",
	       "unrecognized hash algorithm \"SHA-2\"");
	refuse(f,
	       "column.mask.with.ten.chars",
	       "a",
	       "invalid number of characters in option \"column.mask.with.ten.chars\"");
	refuse(f,
	       "column.mask.with.N.chars",
	       "a",
	       "option \"column.mask.with.N.chars\" lacks its parameters");
	assert_false(env_option_set(
		&f->options, "column.mask.with.1.chars", "(?=a)", &f->alloc, &f->error));
	assert_string_equal(mask_shown("column_mask_hash_v2_MD5_with_salt_abc", &f->alloc),
	                    "column_mask_hash_v2_MD5_with_salt_***");
	assert_string_equal(mask_shown("column.mask.with.1.chars", &f->alloc),
	                    "column.mask.with.1.chars");
	assert_null(env_option_find("column.mask.hash.SHA-256.with.salt."));
	assert_null(env_option_find("column.mask_with.1.chars"));
	assert_null(env_option_find("column.mask.with.1.chars.x"));
}

/* What stands in a record for values that are not there, and for those of other types. */
static void
mask_records(void **state)
{
	Fixture *f = *state;

	set(f, "column.mask.with.3.chars", "public.item.(email|size|mood)");
	assert_has(row_with(f, SIZE, 'b', "\0\0\0\5", 4), "\"email\":\"***\"");
	assert_has(text_of(&f->out), "\"size\":5");
	assert_has(text_of(&f->out), "\"mood\":\"***\"");
	assert_has(row_with(f, EMAIL, 'u', NULL, 0), "\"email\":\"***\"");
	set(f, "column.truncate.to.2.chars", "public.item.(email|na-me|body|1st)");
	assert_has(row_with(f, EMAIL, 'u', NULL, 0), "\"email\":\"__\"");
	assert_has(row_with(f, BODY, 'b', "abc", 3), "\"body\":\"YWI=\"");
	assert_has(row_with(f, STAMP, 'b', "\0\0\0\0\0\0\0\0", 8), "\"1st\":\"20\"");
	set(f, "binary.handling.mode", "hex");
	assert_has(row_with(f, BODY, 'b', "abc", 3), "\"body\":\"61\"");
}

/* A hash of what an old tuple lacks: null, or the NOT NULL column's stand-in. */
static void
mask_absent(void **state)
{
	Fixture *f = *state;
	Buf tuple = buf_heap();

	set(f, "column.mask.hash.v2.MD5.with.salt.s", "public.item.(email|na-me)");
	(void) row_with(f, SIZE, 'b', "\0\0\0\5", 4);
	assert_has(text_of(&f->out), "\"email\":null");
	buf_u16(&tuple, COLUMNS);
	put_int4(&tuple, 1);
	for (int i = 1; i < COLUMNS; i++)
		put_null(&tuple);
	buf_reset(&f->out);
	assert_true(
		render_row(f->plan, (Slice){ tuple.data, tuple.len }, false, &f->out, &f->error));
	/* of "sabc" */
	assert_has(text_of(&f->out), "\"na-me\":\"" DEFAULT_MD5 "\"");
	buf_free(&tuple);
}

/* A key column travels as it is; it is masked where a value prints. */
static void
mask_in_key(void **state)
{
	Fixture *f = *state;
	Buf tuple = buf_heap();
	RenderPlan *bronze;
	EnvOptions options;

	set(f, "column.mask.hash.v2.MD5.with.salt.s", "public.item.email");
	assert_true(mask_find(&f->options, f->relation, EMAIL).at_source);
	set(f, "message.key.columns", "public.item:email");
	assert_false(mask_find(&f->options, f->relation, EMAIL).at_source);
	assert_has(row_with(f, EMAIL, 'b', "abc", 3), "\"email\":\"" DEFAULT_MD5 "\"");
	buf_u16(&tuple, COLUMNS);
	put_int4(&tuple, 7);
	put_text(&tuple, "abc");
	for (int i = 2; i < COLUMNS; i++)
		put_null(&tuple);
	buf_reset(&f->out);
	assert_true(
		render_key(f->plan, (Slice){ tuple.data, tuple.len }, &f->out, &f->error));
	assert_string_equal(text_of(&f->out), "{\"email\":\"abc\"}");
	/* bronze keeps the table's key, and hides what Kafka's key shows */
	render_options_bronze(&options, &f->options, &f->alloc);
	bronze = render_plan_new(f->relation, &options, &f->alloc, &f->error);
	buf_reset(&f->out);
	assert_true(render_key(bronze, (Slice){ tuple.data, tuple.len }, &f->out, &f->error));
	assert_string_equal(text_of(&f->out), "{\"id\":7}");
	buf_reset(&f->out);
	assert_true(
		render_row(bronze, (Slice){ tuple.data, tuple.len }, true, &f->out, &f->error));
	assert_null(strstr(text_of(&f->out), "abc"));
	env_options_fini(&options);
	buf_free(&tuple);
}

/* ---- Keys ---- */

static void
key_order(void **state)
{
	Fixture *f = *state;
	uint16_t key[COLUMNS];

	assert_int_equal(key_columns(&f->options, f->relation, key), 1);
	assert_int_equal(key[0], ID);
	set(f, "message.key.columns", "public.other:id;(.*).item: size , email,size;x.y:z");
	assert_int_equal(key_columns(&f->options, f->relation, key), 2);
	assert_int_equal(key[0], SIZE);
	assert_int_equal(key[1], EMAIL);
	set(f, "message.key.columns", "public.other:size");
	assert_int_equal(key_columns(&f->options, f->relation, key), 1);
	for (size_t i = 0; i < 5; i++)
	{
		static const char *const bad[] = {
			"public.item", ":id", "a.b:", "a.b:c:d", "a.b:c,,d"
		};

		assert_false(env_option_set(
			&f->options, "message.key.columns", bad[i], &f->alloc, &f->error));
		assert_string_not_equal(f->error.hint, "");
	}
	/* of an expression that is wrong, the part as it was written */
	assert_false(env_option_set(&f->options,
	                            "message.key.columns",
	                            "public.item:id;public.(other:size",
	                            &f->alloc,
	                            &f->error));
	assert_string_equal(f->error.message,
	                    "invalid regular expression \"public.(other\": a group is not "
	                    "closed");
	assert_false(env_option_set(
		&f->options, "message.key.columns", "a.b:(c", &f->alloc, &f->error));
	assert_string_equal(f->error.message,
	                    "invalid regular expression \"(c\": a group is not closed");
	assert_false(env_option_set(&f->options, "topic.prefix", "", &f->alloc, &f->error));
	assert_string_equal(f->error.hint,
	                    "It may not be empty; leave it out for the default, \"cdc\".");
	assert_int_equal(key_columns(&f->options, f->relation, key), 1);
}

/* ---- Schemas ---- */

/* The schema and payload of one inserted row. */
static const char *
inserted(Fixture *f)
{
	Buf tuple = buf_heap();
	RenderRecord records[RENDER_MAX_RECORDS];
	RenderChange change = { .type = 'I', .source = { .database = "d" } };
	int count;

	buf_u16(&tuple, COLUMNS);
	put_int4(&tuple, 1);
	for (int i = 1; i < COLUMNS; i++)
		put_null(&tuple);
	change.new_tuple = (Slice){ tuple.data, tuple.len };
	f->plan = render_plan_new(f->relation, &f->options, &f->alloc, &f->error);
	assert_non_null(f->plan);
	buf_reset(&f->out);
	assert_true(render_records(f->plan, &change, &f->out, records, &count, &f->error));
	buf_free(&tuple);
	return text_of(&f->out);
}

static void
propagated_types(void **state)
{
	Fixture *f = *state;
	const char *text;

	set(f, "schemas.enable", "true");
	set(f, "column.propagate.source.type", ".*\\.(id|mood)");
	set(f, "datatype.propagate.source.type", ".+\\.(varchar|timestamptz)");
	set(f, "column.mask.with.1.chars", "public.item.mood");
	text = inserted(f);
	assert_has(text,
	           "{\"type\":\"int32\",\"optional\":false,\"parameters\":{"
	           "\"__debezium.source.column.type\":\"INT4\","
	           "\"__debezium.source.column.length\":\"10\","
	           "\"__debezium.source.column.scale\":\"0\","
	           "\"__debezium.source.column.name\":\"id\"},\"field\":\"id\"}");
	assert_has(text,
	           "\"parameters\":{\"__debezium.source.column.type\":\"VARCHAR\","
	           "\"__debezium.source.column.length\":\"50\","
	           "\"__debezium.source.column.scale\":\"0\","
	           "\"__debezium.source.column.name\":\"na-me\"},\"default\":\"abc\"");
	assert_has(text,
	           "\"__debezium.source.column.length\":\"35\","
	           "\"__debezium.source.column.scale\":\"6\"");
	assert_has(text, "\"parameters\":{\"allowed\":\"sad,happy\",\"masked\":\"true\"}");
	/* keys have none of it */
	assert_true(
		strncmp(text,
	            "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\","
	            "\"optional\":false,\"field\":\"id\"}]",
	            80) == 0);
}

static void
driver_facts(void **state)
{
	static const struct
	{
		uint32_t oid;
		int32_t typmod;
		int32_t length;
		int32_t scale;
	} facts[] = {
		{ TYPE_INT2, -1, 5, 0 },
		{ TYPE_INT8, -1, 19, 0 },
		{ TYPE_NUMERIC, -1, 131089, 0 },
		{ TYPE_NUMERIC, (8 << 16 | 3) + 4, 8, 3 },
		{ TYPE_BPCHAR, 14, 10, 0 },
		{ TYPE_TEXT, -1, JDBC_UNKNOWN_LENGTH, 0 },
		{ TYPE_TIME, 1, 11, 1 },
		{ TYPE_TIME, 0, 8, 0 },
		{ TYPE_TIMETZ, 3, 18, 3 },
		{ TYPE_TIMESTAMP, -1, 29, 6 },
		{ TYPE_INTERVAL, 0x7FFF0003, 49, 3 },
		{ TYPE_VARBIT, 5, 5, 0 },
		{ TYPE_VARBIT, -1, JDBC_UNKNOWN_LENGTH, 0 },
		{ TYPE_FLOAT8, -1, 17, 17 },
		{ TYPE_DATE, -1, 13, 0 },
	};
	Buf name = buf_heap();
	RelationColumn domain = { .type_oid = 5,
		                      .base_oid = TYPE_NUMERIC,
		                      .base_typmod = -1,
		                      .type_name = "numeric",
		                      .type_text = "\"a.b\".\"Mo\"\"ney\"" };

	(void) state;
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
	{
		RelationColumn column = { .type_oid = facts[i].oid,
			                      .base_oid = facts[i].oid,
			                      .base_typmod = facts[i].typmod };

		assert_int_equal(jdbc_length(&column), facts[i].length);
		assert_int_equal(jdbc_scale(&column), facts[i].scale);
	}
	jdbc_type_name(&name, &domain);
	assert_string_equal(buf_cstr(&name), "Mo\"ney");
	buf_free(&name);
}

/* ---- Names ---- */

static void
adjusted_names(void **state)
{
	static const struct
	{
		AdjustMode mode;
		bool is_field;
		const char *name;
		const char *expected;
	} cases[] = {
		{ ADJUST_NONE, true, "a-b.c", "a-b.c" },
		{ ADJUST_AVRO, true, "a-b.c", "a_b_c" },
		{ ADJUST_AVRO, false, "a-b.c", "a_b.c" },
		{ ADJUST_AVRO, true, "1st", "_1st" },
		{ ADJUST_AVRO, true, "_x", "_x" },
		{ ADJUST_AVRO, true, "üé😀", "____" },
		{ ADJUST_AVRO_UNICODE, true, "a-b_c", "a_u002db_u005fc" },
		{ ADJUST_AVRO_UNICODE, true, "1st", "_u0031st" },
		{ ADJUST_AVRO_UNICODE, false, "g.a-b", "g.a_u002db" },
		{ ADJUST_AVRO_UNICODE, true, "α日😀", "_u3b1_u65e5_ud83d_ude00" },
	};
	Buf out = buf_heap();

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		buf_reset(&out);
		names_adjust(&out, cases[i].mode, cases[i].is_field, cases[i].name);
		assert_string_equal(buf_cstr(&out), cases[i].expected);
	}
	buf_free(&out);
}

static void
names_in_records(void **state)
{
	Fixture *f = *state;
	TestColumn twins[] = {
		{ .name = "a-b", .oid = TYPE_INT4, .type_name = "int4" },
		{ .name = "a_b", .oid = TYPE_INT4, .type_name = "int4" },
	};

	set(f, "schemas.enable", "true");
	set(f, "topic.prefix", "my-shop");
	set(f, "field.name.adjustment.mode", "avro");
	set(f, "schema.name.adjustment.mode", "avro");
	assert_has(inserted(f), "\"name\":\"my_shop.public.item.Envelope\"");
	assert_has(text_of(&f->out), "\"field\":\"na_me\"");
	assert_has(text_of(&f->out), "\"_1st\":null");
	assert_string_equal(render_plan_topic(f->plan), "my-shop.public.item");
	f->relation = test_relation(f->arena, "twins", twins, 2);
	assert_null(render_plan_new(f->relation, &f->options, &f->alloc, &f->error));
	assert_string_equal(f->error.message,
	                    "columns \"a-b\" and \"a_b\" of table \"public\".\"twins\" both "
	                    "become field \"a_b\"");
}

/* ---- Money ---- */

static void
money_digits(void **state)
{
	static const struct
	{
		const char *digits;
		const char *cents; /* eight bytes */
		const char *expected;
	} cases[] = {
		{ "2", "\0\0\0\0\0\1\342\23", "\"AeIT\"" },              /* 1234.11 */
		{ "4", "\0\0\0\0\0\1\342\23", "\"ALxPbA==\"" },          /* 1234.1100 */
		{ "0", "\0\0\0\0\0\0\0\226", "\"Ag==\"" },               /* 1.50: 2 */
		{ "0", "\377\377\377\377\377\377\377\152", "\"/g==\"" }, /* -1.50: -2 */
		{ "1", "\0\0\0\0\0\0\0\4", "\"AA==\"" },                 /* 0.04: 0.0 */
	};
	Fixture *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		char expected[64];

		set(f, "money.fraction.digits", cases[i].digits);
		(void) snprintf(expected, sizeof expected, "\"price\":%s,", cases[i].expected);
		assert_has(row_with(f, PRICE, 'b', cases[i].cents, 8), expected);
	}
	refuse(f,
	       "money.fraction.digits",
	       "19",
	       "invalid value for option \"money.fraction.digits\": \"19\"");
	refuse(f,
	       "money.fraction.digits",
	       "-1",
	       "invalid value for option \"money.fraction.digits\": \"-1\"");
}

/* ---- Updates that change nothing ---- */

static int
updated(Fixture *f, const char *before, const char *after, bool null_size)
{
	Buf old_tuple = buf_heap();
	Buf new_tuple = buf_heap();
	RenderRecord records[RENDER_MAX_RECORDS];
	RenderChange change = { .type = 'U', .old_kind = 'O', .source = { .database = "d" } };
	int count;

	for (int side = 0; side < 2; side++)
	{
		Buf *tuple = side == 0 ? &old_tuple : &new_tuple;

		buf_u16(tuple, COLUMNS);
		put_int4(tuple, 1);
		put_text(tuple, side == 0 ? before : after);
		put_text(tuple, "n");
		if (side == 0 && null_size)
			put_null(tuple);
		else
			put_int4(tuple, 7);
		for (int i = BODY; i < COLUMNS; i++)
			put_null(tuple);
	}
	change.old_tuple = (Slice){ old_tuple.data, old_tuple.len };
	change.new_tuple = (Slice){ new_tuple.data, new_tuple.len };
	f->plan = render_plan_new(f->relation, &f->options, &f->alloc, &f->error);
	assert_non_null(f->plan);
	buf_reset(&f->out);
	assert_true(render_records(f->plan, &change, &f->out, records, &count, &f->error));
	buf_free(&old_tuple);
	buf_free(&new_tuple);
	return count;
}

static void
skipped_updates(void **state)
{
	Fixture *f = *state;

	assert_int_equal(updated(f, "a", "a", false), 1);
	set(f, "skip.messages.without.change", "true");
	assert_int_equal(updated(f, "a", "a", false), 0);
	assert_int_equal(updated(f, "a", "b", false), 1);
	/* null is another value than the default that prints for it */
	assert_int_equal(updated(f, "a", "a", true), 1);
	/* excluded columns do not count */
	set(f, "column.exclude.list", "public.item.email");
	assert_int_equal(updated(f, "a", "b", false), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(mask_texts),        TEST(mask_hashes),   TEST(mask_hashes_v2),
		TEST(mask_rules_travel), TEST(mask_refusals), TEST(mask_records),
		TEST(mask_absent),       TEST(mask_in_key),   TEST(key_order),
		TEST(propagated_types),  TEST(driver_facts),  TEST(adjusted_names),
		TEST(names_in_records),  TEST(money_digits),  TEST(skipped_updates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
