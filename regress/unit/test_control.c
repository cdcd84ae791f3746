/*
 * test_control.c
 *		records beside rows: transaction counts in Java's order, messages, filters.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#undef fail

#include "base/arena.h"
#include "envelope/control.h"

typedef struct Fixture
{
	Arena *arena;
	Alloc alloc;
	EnvOptions options;
	TxCounts counts;
	Buf buf;
} Fixture;

static void
open_fixture(Fixture *f)
{
	*f = (Fixture){ .arena = arena_new(), .buf = buf_heap() };
	f->alloc = arena_as_alloc(f->arena);
	env_options_init(&f->options, &f->alloc);
	tx_counts_init(&f->counts, &f->alloc);
}

static void
close_fixture(Fixture *f)
{
	env_options_fini(&f->options);
	buf_free(&f->buf);
	arena_free(f->arena);
}

static void
set(Fixture *f, const char *name, const char *value)
{
	EnvError error = { 0 };

	if (!env_option_set(&f->options, name, value, &f->alloc, &error))
		fail_msg("%s", error.message);
}

static const char *
printed(Fixture *f)
{
	buf_reset(&f->buf);
	tx_print(&f->counts, &f->buf);
	return buf_cstr(&f->buf);
}

static void
counts_are_per_collection(void **state)
{
	Fixture f;
	uint32_t a;
	uint32_t b;
	TxMark mark;

	(void) state;
	open_fixture(&f);
	assert_string_equal(printed(&f), "[]");
	a = tx_collection(&f.counts, "public.tx_a");
	b = tx_collection(&f.counts, "public.tx_b");
	assert_int_not_equal(a, 0);
	assert_int_not_equal(a, b);
	assert_int_equal(tx_collection(&f.counts, "public.tx_a"), a);
	assert_int_equal(tx_count(&f.counts, a), 1);
	assert_int_equal(tx_count(&f.counts, b), 1);
	assert_int_equal(tx_count(&f.counts, a), 2);
	assert_int_equal(f.counts.total, 3);
	/* as Debezium printed it: see the recorded case tx_metadata */
	assert_string_equal(printed(&f),
	                    "[{\"data_collection\":\"public.tx_b\",\"event_count\":1},"
	                    "{\"data_collection\":\"public.tx_a\",\"event_count\":2}]");
	/* each logical message is a collection of its own: its id equals no other */
	assert_int_equal(tx_count(&f.counts, TX_MESSAGE), 1);
	assert_int_equal(tx_count(&f.counts, TX_MESSAGE), 1);
	assert_int_equal(f.counts.total, 5);
	assert_non_null(
		strstr(printed(&f),
	           "{\"data_collection\":\"LOGICAL_DECODING_MESSAGE\",\"event_count\":1},"
	           "{\"data_collection\":\"LOGICAL_DECODING_MESSAGE\",\"event_count\":1}]"));
	tx_counts_reset(&f.counts);
	mark = tx_mark(&f.counts, a);
	(void) tx_count(&f.counts, a);
	tx_take_back(&f.counts, a, mark);
	assert_int_equal(f.counts.total, 0);
	assert_string_equal(printed(&f), "[]");
	close_fixture(&f);
}

/* Names whose hashes are known from Java: HashMap orders by the low bits of h ^ h >>> 16.
 */
static void
many_collections_grow_the_map(void **state)
{
	Fixture f;
	char name[32];
	uint32_t last = 0;

	(void) state;
	open_fixture(&f);
	for (int i = 0; i < 1000; i++)
	{
		(void) snprintf(name, sizeof name, "s.t%d", i);
		(void) tx_count(&f.counts, tx_collection(&f.counts, name));
	}
	assert_int_equal(f.counts.total, 1000);
	assert_int_equal(f.counts.buckets, 2048);
	(void) printed(&f);
	for (uint32_t i = 0; i < f.counts.touched_count; i++)
	{
		uint32_t bucket =
			f.counts.collections[f.counts.touched[i].collection].hash & 2047;

		assert_true(bucket >= last);
		last = bucket;
	}
	/* "Aa".hashCode() == "BB".hashCode() == 2112; "\u65e5".hashCode() == 26085;
	 * a character beyond U+FFFF counts as its surrogates: 55357 * 31 + 56832 */
	assert_int_equal(f.counts.collections[tx_collection(&f.counts, "Aa")].hash, 2112);
	assert_int_equal(f.counts.collections[tx_collection(&f.counts, "BB")].hash, 2112);
	assert_int_equal(f.counts.collections[tx_collection(&f.counts, "\xe6\x97\xa5")].hash,
	                 26085);
	assert_int_equal(
		f.counts.collections[tx_collection(&f.counts, "\xf0\x9f\x98\x80")].hash,
		1772899 ^ 1772899 >> 16);
	/* the map stays as large as it was */
	tx_counts_reset(&f.counts);
	assert_int_equal(f.counts.buckets, 2048);
	close_fixture(&f);
}

static const char *
message_value(Fixture *f, uint32_t xid, const char *content)
{
	ControlPlan *plan = control_plan_new(&f->options, &f->alloc);
	ControlMessage message = { .prefix = "p\"",
		                       .content = slice_from(content),
		                       .source = { .database = "d", .lsn = 9, .xid = xid },
		                       .now_ns = 5000000,
		                       .transaction = &f->counts };
	RenderRecord record;

	buf_reset(&f->buf);
	control_message(plan, &message, &f->buf, &record);
	return arena_strndup(f->arena, f->buf.data + record.value_at, record.value_len);
}

static void
messages_follow_binary_handling_mode(void **state)
{
	static const struct
	{
		const char *mode;
		const char *content;
	} modes[] = {
		{ "bytes", "\"content\":\"++/+\"" },
		{ "base64", "\"content\":\"++/+\"" },
		{ "base64-url-safe", "\"content\":\"--_-\"" },
		{ "hex", "\"content\":\"fbeffe\"" },
	};
	Fixture f;

	(void) state;
	open_fixture(&f);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
	{
		set(&f, "binary.handling.mode", modes[i].mode);
		assert_non_null(strstr(message_value(&f, 3, "\xfb\xef\xfe"), modes[i].content));
	}
	assert_int_equal(f.counts.total, 4);
	assert_non_null(strstr(message_value(&f, 3, ""),
	                       "\"transaction\":{\"id\":\"3:9\",\"total_order\":5,"
	                       "\"data_collection_order\":1},"
	                       "\"message\":{\"prefix\":\"p\\\"\",\"content\":\"\"}}"));
	assert_non_null(strstr(message_value(&f, 0, "x"), "\"txId\":null,"));
	assert_non_null(strstr(message_value(&f, 0, "x"), "\"transaction\":null,"));
	close_fixture(&f);
}

static void
prefixes_are_filtered(void **state)
{
	Fixture f;
	ControlPlan *plan;

	(void) state;
	open_fixture(&f);
	plan = control_plan_new(&f.options, &f.alloc);
	assert_true(control_wants_message(plan, ""));
	set(&f, "message.prefix.exclude.list", "foo.*,x");
	assert_false(control_wants_message(plan, "FOObar"));
	assert_false(control_wants_message(plan, "x"));
	assert_true(control_wants_message(plan, "xy"));
	/* the include list alone decides when there is one, as in Debezium */
	set(&f, "message.prefix.include.list", "foo");
	assert_true(control_wants_message(plan, "foo"));
	assert_false(control_wants_message(plan, "xy"));
	assert_string_equal(control_topic(plan, CONTROL_MESSAGE), "cdc.message");
	assert_string_equal(control_topic(plan, CONTROL_TRANSACTION), "cdc.transaction");
	close_fixture(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_per_collection),
		cmocka_unit_test(many_collections_grow_the_map),
		cmocka_unit_test(messages_follow_binary_handling_mode),
		cmocka_unit_test(prefixes_are_filtered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
