/*
 * test_decode.c
 *		frames to events: order, ordinals, transactions over batches, what is refused.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#undef fail

#include "source/decode.h"

typedef struct Fixture
{
	Decoder *decoder;
	BatchBudget budget;
	Batch *batch;
	Buf frame;
	Err err;
} Fixture;

static void
open_fixture(Fixture *f)
{
	*f = (Fixture){ .decoder = decoder_new(0x50), .frame = buf_heap() };
	f->budget = (BatchBudget){ .limit = SIZE_MAX, .wake_fd = -1 };
	f->batch = batch_new(&f->budget);
}

static void
close_fixture(Fixture *f)
{
	batch_unref(f->batch);
	decoder_free(f->decoder);
	buf_free(&f->frame);
}

static void
put_begin(Fixture *f, uint64_t commit_lsn, uint32_t xid)
{
	size_t mark = wire_begin_message(&f->frame, commit_lsn - 10, 'B');

	buf_u64(&f->frame, commit_lsn);
	buf_u64(&f->frame, 1000000);
	buf_u32(&f->frame, xid);
	wire_end_message(&f->frame, mark);
}

static void
put_commit(Fixture *f, uint64_t commit_lsn)
{
	size_t mark = wire_begin_message(&f->frame, commit_lsn + 8, 'C');

	buf_u8(&f->frame, 0);
	buf_u64(&f->frame, commit_lsn);
	buf_u64(&f->frame, commit_lsn + 8);
	buf_u64(&f->frame, 1000000);
	wire_end_message(&f->frame, mark);
}

static void
put_relation(Fixture *f, uint32_t relid)
{
	static RelationColumn column = { .name = "id",
		                             .attnum = 1,
		                             .type_oid = 23,
		                             .typmod = -1,
		                             .base_oid = 23,
		                             .base_typmod = -1,
		                             .type_kind = 'b',
		                             .type_name = "int4",
		                             .type_schema = "pg_catalog",
		                             .type_text = "integer",
		                             .element_name = "",
		                             .in_identity = true };
	Relation relation = { .relid = relid,
		                  .schema = "public",
		                  .name = "t",
		                  .replica_identity = 'd',
		                  .relkind = 'r',
		                  .root_schema = "",
		                  .root_name = "",
		                  .column_count = 1,
		                  .columns = &column };
	size_t mark = wire_begin_message(&f->frame, 1, 'R');

	relation_write(&f->frame, &relation);
	wire_end_message(&f->frame, mark);
}

static void
put_insert(Fixture *f, uint32_t relid, uint64_t lsn)
{
	size_t mark = wire_begin_message(&f->frame, lsn, 'I');

	buf_u32(&f->frame, relid);
	buf_char(&f->frame, 'N');
	buf_u16(&f->frame, 1);
	wire_value(&f->frame, 'b', "\0\0\0\1", 4);
	wire_end_message(&f->frame, mark);
}

static bool
take(Fixture *f)
{
	char *bytes = batch_copy(f->batch, f->frame.data, f->frame.len);
	bool ok =
		decoder_frame(f->decoder, f->batch, (Slice){ bytes, f->frame.len }, &f->err);

	buf_reset(&f->frame);
	return ok;
}

static void
events_come_in_order(void **state)
{
	static const char kinds[] = "RIIIC";
	static const uint32_t ordinals[] = { 0, 0, 1, 0, 0 };
	Fixture f;

	(void) state;
	open_fixture(&f);
	wire_begin_frame(&f.frame);
	put_begin(&f, 0x100, 7);
	put_relation(&f, 16384);
	put_insert(&f, 16384, 0x80);
	put_insert(&f, 16384, 0x80);
	put_insert(&f, 16384, 0x90);
	put_commit(&f, 0x100);
	assert_true(take(&f));
	assert_int_equal(f.batch->count, 5);
	for (size_t i = 0; i < 5; i++)
	{
		const Event *event = &f.batch->events[i];

		assert_int_equal(event->kind, kinds[i]);
		assert_int_equal(event->ordinal, ordinals[i]);
		assert_true(event->txn->commit_lsn == 0x100);
		assert_true(event->txn->last_end_lsn == 0x50);
		assert_int_equal(event->txn->xid, 7);
	}
	assert_true(f.batch->end_lsn == 0x108);
	assert_false(decoder_in_transaction(f.decoder));
	close_fixture(&f);
}

static void
a_transaction_spans_batches(void **state)
{
	const Relation *relation;
	Fixture f;

	(void) state;
	open_fixture(&f);
	wire_begin_frame(&f.frame);
	put_begin(&f, 0x100, 7);
	put_relation(&f, 16384);
	put_insert(&f, 16384, 0x80);
	assert_true(take(&f));
	relation = f.batch->events[0].relation;
	assert_true(decoder_in_transaction(f.decoder));
	batch_unref(f.batch);
	f.batch = batch_new(&f.budget);
	wire_begin_frame(&f.frame);
	put_relation(&f, 16384);
	put_insert(&f, 16384, 0x80);
	put_commit(&f, 0x100);
	assert_true(take(&f));
	assert_ptr_equal(f.batch->events[0].relation, relation);
	assert_int_equal(f.batch->events[1].ordinal, 1);
	assert_true(f.batch->events[1].txn->commit_lsn == 0x100);
	assert_true(f.batch->events[1].txn == f.batch->events[2].txn);
	close_fixture(&f);
}

static void
nothing_beyond_until(void **state)
{
	Fixture f;

	(void) state;
	open_fixture(&f);
	decoder_set_until(f.decoder, 0x200);
	wire_begin_frame(&f.frame);
	put_begin(&f, 0x1f8, 1);
	put_relation(&f, 16384);
	put_insert(&f, 16384, 0x80);
	put_commit(&f, 0x1f8);
	assert_true(take(&f));
	assert_false(decoder_reached(f.decoder));
	wire_begin_frame(&f.frame);
	put_begin(&f, 0x200, 2);
	put_insert(&f, 16384, 0x180);
	put_commit(&f, 0x200);
	assert_true(take(&f));
	assert_true(decoder_reached(f.decoder));
	assert_int_equal(f.batch->count, 3);
	close_fixture(&f);
}

static void
damage_is_refused(void **state)
{
	Fixture f;

	(void) state;
	open_fixture(&f);
	wire_begin_frame(&f.frame);
	put_insert(&f, 16384, 0x80);
	assert_false(take(&f));
	assert_non_null(strstr(f.err.text, "outside a transaction"));
	wire_begin_frame(&f.frame);
	put_begin(&f, 0x100, 7);
	put_insert(&f, 99, 0x80);
	assert_false(take(&f));
	assert_non_null(strstr(f.err.text, "was not described"));
	decoder_rewind(f.decoder, 0);
	wire_begin_frame(&f.frame);
	wire_end_message(&f.frame, wire_begin_message(&f.frame, 1, 'Z'));
	assert_false(take(&f));
	assert_non_null(strstr(f.err.text, "unrecognized message type"));
	wire_begin_frame(&f.frame);
	put_begin(&f, 0x100, 7);
	f.frame.len -= 3;
	assert_false(take(&f));
	assert_int_equal(f.err.kind, ERR_FATAL);
	close_fixture(&f);
}

static void
put_logical(Fixture *f, uint8_t flags, uint64_t lsn, const char *prefix, Slice content)
{
	size_t mark = wire_begin_message(&f->frame, lsn, 'M');

	buf_u8(&f->frame, flags);
	buf_u64(&f->frame, lsn);
	wire_string0(&f->frame, prefix);
	buf_u32(&f->frame, (uint32_t) content.len);
	buf_slice(&f->frame, content);
	wire_end_message(&f->frame, mark);
}

static void
put_message(Fixture *f, uint8_t flags, uint64_t lsn, const char *content)
{
	put_logical(f, flags, lsn, "p", slice_from(content));
}

/* A message outside transactions is an end; what follows goes on from it, in its time. */
static void
messages_stand_alone_or_in_a_transaction(void **state)
{
	const Event *events;
	Fixture f;

	(void) state;
	open_fixture(&f);
	wire_begin_frame(&f.frame);
	put_begin(&f, 0x100, 7);
	put_message(&f, 1, 0x80, "inside");
	put_commit(&f, 0x100);
	put_message(&f, 0, 0x200, "alone");
	put_begin(&f, 0x200, 8);
	put_message(&f, 1, 0x190, "later");
	put_commit(&f, 0x200);
	assert_true(take(&f));
	assert_int_equal(f.batch->count, 5);
	events = f.batch->events;
	assert_int_equal(events[0].kind, EVENT_MESSAGE);
	assert_int_equal(events[0].txn->xid, 7);
	assert_string_equal(events[0].old_tuple.data, "p");
	assert_true(slice_equal(events[0].new_tuple, slice_from("inside")));
	assert_int_equal(events[2].txn->xid, 0);
	assert_int_equal(events[2].lsn, 0x200);
	assert_int_equal(events[2].txn->commit_lsn, 0x1ff);
	assert_int_equal(events[2].txn->last_end_lsn, 0x200);
	assert_int_equal(events[2].txn->commit_us, events[0].txn->commit_us);
	assert_int_equal(events[3].txn->commit_lsn, 0x200);
	assert_int_equal(events[3].txn->last_end_lsn, 0x200);
	wire_begin_frame(&f.frame);
	put_message(&f, 1, 0x300, "lost");
	assert_false(take(&f));
	decoder_set_until(f.decoder, 0x350);
	wire_begin_frame(&f.frame);
	put_message(&f, 0, 0x350, "");
	assert_true(take(&f));
	assert_false(decoder_reached(f.decoder));
	assert_int_equal(f.batch->end_lsn, 0x350);
	wire_begin_frame(&f.frame);
	put_message(&f, 0, 0x351, "");
	assert_true(take(&f));
	assert_true(decoder_reached(f.decoder));
	close_fixture(&f);
}

static void
put_own(Fixture *f, const char *prefix, uint32_t relid, uint64_t lsn)
{
	char content[] = {
		(char) (relid >> 24), (char) (relid >> 16), (char) (relid >> 8), (char) relid
	};

	put_logical(f,
	            WIRE_TRANSACTIONAL | WIRE_OWN,
	            lsn,
	            prefix,
	            (Slice){ content, sizeof content });
}

/* A rewrite is no event elsewhere: what comes next does not go on from it. */
static void
rewrites_are_silent(void **state)
{
	const Event *events;
	Fixture f;

	(void) state;
	open_fixture(&f);
	wire_begin_frame(&f.frame);
	put_begin(&f, 0x100, 7);
	put_relation(&f, 16384);
	put_own(&f, WIRE_REWRITTEN, 16384, 0x80);
	put_own(&f, "cdc_sink.of_a_later_version", 16384, 0x80);
	put_commit(&f, 0x100);
	put_begin(&f, 0x200, 8);
	put_insert(&f, 16384, 0x190);
	put_commit(&f, 0x200);
	assert_true(take(&f));
	assert_int_equal(f.batch->count, 5);
	events = f.batch->events;
	assert_true(f.batch->has_messages);
	assert_int_equal(events[1].kind, EVENT_REWRITTEN);
	assert_int_equal(events[1].relation->relid, 16384);
	assert_true(events[2].is_silent);
	assert_true(events[3].txn->last_end_lsn == 0x50);
	assert_false(events[4].is_silent);
	wire_begin_frame(&f.frame);
	put_begin(&f, 0x300, 9);
	put_own(&f, WIRE_REWRITTEN, 16385, 0x280);
	assert_false(take(&f));
	assert_int_equal(f.err.kind, ERR_FATAL);
	close_fixture(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_in_order),
		cmocka_unit_test(a_transaction_spans_batches),
		cmocka_unit_test(nothing_beyond_until),
		cmocka_unit_test(damage_is_refused),
		cmocka_unit_test(messages_stand_alone_or_in_a_transaction),
		cmocka_unit_test(rewrites_are_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
