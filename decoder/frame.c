/*
 * frame.c
 *		format=frame: the bytes that envelope/wire.h draws.
 *
 * The walsender flushes its socket at every write of the plugin, so messages of
 * one transaction gather here until they make a frame of WIRE_FRAME_BYTES, and are
 * written at commit at the latest: nothing outlives a transaction, because a keepalive
 * could then confirm what was never sent.  A transaction that nobody wanted writes
 * nothing; its Begin is deferred to the first change.
 *
 * A Relation message precedes a table's first change in the stream, and again
 * whenever its bytes differ from those sent last.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "compat.h"

#include "replication/origin.h"
#include "utils/rel.h"

#include "buffer.h"
#include "decoder.h"

static void
flush(Decoder *decoder)
{
	Buf *frame = &decoder->out;

	if (frame->len > 1)
		decoder_write(decoder, frame->data, frame->len);
	buf_reset(frame);
	context_buf_shrink(frame);
}

/* Open a frame unless one is open. */
static Buf *
open_frame(Decoder *decoder)
{
	if (decoder->out.len == 0)
		wire_begin_frame(&decoder->out);
	return &decoder->out;
}

static void
write_origin(Decoder *decoder)
{
	ReorderBufferTXN *txn = decoder->txn;
	char *name;
	size_t mark;

	if (txn->origin_id == InvalidRepOriginId ||
	    !replorigin_by_oid(txn->origin_id, true, &name))
		return;
	mark = wire_begin_message(&decoder->out, txn->first_lsn, 'O');
	buf_u64(&decoder->out, txn->origin_lsn);
	wire_string0(&decoder->out, text_convert(&decoder->writer.converter, name));
	wire_end_message(&decoder->out, mark);
}

static void
begin(Decoder *decoder)
{
	ReorderBufferTXN *txn = decoder->txn;
	Buf *frame = open_frame(decoder);
	size_t mark;

	if (decoder->begun)
		return;
	decoder->begun = true;
	mark = wire_begin_message(frame, txn->first_lsn, 'B');
	buf_u64(frame, txn->final_lsn);
	buf_u64(frame, (uint64) txn->xact_time.commit_time);
	buf_u32(frame, txn->xid);
	wire_end_message(frame, mark);
	write_origin(decoder);
}

static void
write_relation(Decoder *decoder, RelationPlan *plan, uint64 lsn)
{
	size_t mark;

	if (plan->is_sent && plan->sent_version == plan->relation->version)
		return;
	mark = wire_begin_message(&decoder->out, lsn, 'R');
	buf_slice(&decoder->out, plan->body);
	wire_end_message(&decoder->out, mark);
	plan->is_sent = true;
	plan->sent_version = plan->relation->version;
}

static void
frame_change(Decoder *decoder, RelationPlan *plan, const Change *change)
{
	ChangeResult result;
	Buf *frame;
	size_t mark;

	begin(decoder);
	frame = open_frame(decoder);
	for (;;)
	{
		write_relation(decoder, plan, change->lsn);
		mark = wire_begin_message(frame, change->lsn, change->type);
		result = decoder_write_change(decoder, plan, change, frame);
		if (result == CHANGE_WRITTEN)
			break;
		/* the plan was older than the row: again, after the new Relation message */
		frame->len = mark;
		if (result == CHANGE_REFUSED)
			return;
		plan = decoder_renew_plan(decoder, change);
	}
	wire_end_message(frame, mark);
	if (frame->len >= WIRE_FRAME_BYTES)
		flush(decoder);
}

static void
frame_truncate(Decoder *decoder, const Truncation *truncation)
{
	Buf *frame;
	size_t mark;

	begin(decoder);
	frame = open_frame(decoder);
	for (int i = 0; i < truncation->count; i++)
		write_relation(decoder, truncation->plans[i], truncation->lsn);
	mark = wire_begin_message(frame, truncation->lsn, 'T');
	buf_u32(frame, (uint32) truncation->count);
	buf_u8(frame, truncation->flags);
	for (int i = 0; i < truncation->count; i++)
		buf_u32(frame, truncation->plans[i]->relid);
	wire_end_message(frame, mark);
	if (frame->len >= WIRE_FRAME_BYTES)
		flush(decoder);
}

static void
frame_message(Decoder *decoder, const Message *message)
{
	Buf *frame;
	size_t mark;

	if (message->transactional)
		begin(decoder);
	frame = open_frame(decoder);
	mark = wire_begin_message(frame, message->lsn, 'M');
	buf_u8(frame, message->transactional ? WIRE_TRANSACTIONAL : 0);
	buf_u64(frame, message->lsn);
	wire_string0(frame, message->prefix);
	buf_u32(frame, (uint32) message->len);
	buf_append(frame, message->content, message->len);
	wire_end_message(frame, mark);
	if (!message->transactional || frame->len >= WIRE_FRAME_BYTES)
		flush(decoder);
}

static void
frame_rewrite(Decoder *decoder, RelationPlan *plan, uint64 lsn)
{
	Buf *frame;
	size_t mark;

	begin(decoder);
	frame = open_frame(decoder);
	write_relation(decoder, plan, lsn);
	mark = wire_begin_message(frame, lsn, 'M');
	buf_u8(frame, WIRE_TRANSACTIONAL | WIRE_OWN);
	buf_u64(frame, lsn);
	wire_string0(frame, WIRE_REWRITTEN);
	buf_u32(frame, sizeof plan->relid);
	buf_u32(frame, plan->relid);
	wire_end_message(frame, mark);
	if (frame->len >= WIRE_FRAME_BYTES)
		flush(decoder);
}

static void
frame_commit(Decoder *decoder, uint64 commit_lsn)
{
	ReorderBufferTXN *txn = decoder->txn;
	Buf *frame = open_frame(decoder);
	size_t mark = wire_begin_message(frame, txn->end_lsn, 'C');

	buf_u8(frame, 0);
	buf_u64(frame, commit_lsn);
	buf_u64(frame, txn->end_lsn);
	buf_u64(frame, (uint64) txn->xact_time.commit_time);
	wire_end_message(frame, mark);
	flush(decoder);
}

const FormatOps frame_format = {
	.output_type = OUTPUT_PLUGIN_BINARY_OUTPUT,
	.change = frame_change,
	.truncate = frame_truncate,
	.message = frame_message,
	.rewrite = frame_rewrite,
	.commit = frame_commit,
};
