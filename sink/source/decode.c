/*
 * decode.c
 *		frames to events, by a table of message types.
 *
 * A frame's bytes stay in the batch's arena; an event's tuples are slices of
 * them.  The transaction spans frames and batches, so each batch gets a copy of
 * its Txn when the first event of it is added.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/decode.h"

#include <stdlib.h>

#include "base/clock.h"
#include "envelope/wire.h"

typedef struct Kept
{
	const Relation *relation; /* newest version of its relid */
	uint32_t relid;           /* 0: empty */
} Kept;

struct Decoder
{
	Arena *arena; /* relations */
	Kept *slots;  /* open addressing by relid */
	size_t capacity;
	size_t count;
	const Relation *last; /* of the change before: most runs touch one table */
	Txn txn;
	char origin[64];
	bool in_transaction;
	Lsn until;        /* 0: no limit */
	bool reached;     /* a transaction beyond until came */
	Lineage *lineage; /* NULL: none */
	Lsn last_end_lsn;
	int64_t last_commit_us;    /* 0: none yet */
	const EnvOptions *options; /* NULL: everything is published */
	bool is_shown;             /* something of the transaction is seen by Debezium */
	Lsn row_lsn;               /* of the change before, in this transaction */
	uint32_t ordinal;
	/* The batch number that the current transaction's copy lives in; new batch, new copy.
	 */
	uint64_t batch;
	const Txn *copy;
};

typedef struct Input
{
	Decoder *decoder;
	Batch *batch;
	const WireMessage *message;
	EnvError *error;
} Input;

typedef bool (*MessageReader)(const Input *input);

static bool read_begin(const Input *input);
static bool read_origin(const Input *input);
static bool read_relation(const Input *input);
static bool read_change(const Input *input);
static bool read_truncate(const Input *input);
static bool read_logical(const Input *input);
static bool read_commit(const Input *input);

static const struct
{
	char type;
	bool in_transaction; /* only allowed between B and C */
	MessageReader read;
} message_table[] = {
	{ 'I', true, read_change },   { 'U', true, read_change },
	{ 'D', true, read_change },   { 'B', false, read_begin },
	{ 'C', true, read_commit },   { 'R', false, read_relation },
	{ 'T', true, read_truncate }, { 'M', false, read_logical },
	{ 'O', true, read_origin },
};

Decoder *
decoder_new(Lsn last_end_lsn)
{
	Decoder *decoder = xmalloc(sizeof *decoder);

	*decoder = (Decoder){ .capacity = 64, .last_end_lsn = last_end_lsn };
	decoder->arena = arena_new();
	decoder->slots = xmalloc(decoder->capacity * sizeof *decoder->slots);
	memset(decoder->slots, 0, decoder->capacity * sizeof *decoder->slots);
	return decoder;
}

void
decoder_free(Decoder *decoder)
{
	if (decoder == NULL)
		return;
	arena_free(decoder->arena);
	free(decoder->slots);
	free(decoder);
}

void
decoder_rewind(Decoder *decoder, Lsn last_end_lsn)
{
	decoder->in_transaction = false;
	decoder->reached = false;
	decoder->last_end_lsn = last_end_lsn;
	decoder->batch = 0;
}

void
decoder_set_until(Decoder *decoder, Lsn until)
{
	decoder->until = until;
}

void
decoder_set_lineage(Decoder *decoder, Lineage *lineage)
{
	decoder->lineage = lineage;
}

void
decoder_set_options(Decoder *decoder, const EnvOptions *options)
{
	decoder->options = options;
}

bool
decoder_reached(const Decoder *decoder)
{
	return decoder->reached;
}

bool
decoder_in_transaction(const Decoder *decoder)
{
	return decoder->in_transaction;
}

bool
decoder_frame(Decoder *decoder, Batch *batch, Slice frame, Err *err)
{
	EnvError error = { 0 };
	WireReader reader;
	WireMessage message;
	Input input = { decoder, batch, &message, &error };

	if (!wire_open_frame(frame, &reader, &error))
		return fail(err, ERR_FATAL, "%s", error.message);
	while (!decoder->reached && wire_next(&reader, &message))
	{
		size_t i = 0;

		while (i < sizeof message_table / sizeof message_table[0] &&
		       message_table[i].type != message.type)
			i++;
		if (i == sizeof message_table / sizeof message_table[0])
			return fail(err,
			            ERR_FATAL,
			            "unrecognized message type 0x%02X in the stream at %X/%X",
			            (unsigned char) message.type,
			            LSN_ARGS(message.lsn));
		if (message_table[i].in_transaction && !decoder->in_transaction)
			return fail(err,
			            ERR_FATAL,
			            "message \"%c\" outside a transaction at %X/%X",
			            message.type,
			            LSN_ARGS(message.lsn));
		if (!message_table[i].read(&input))
			return fail(err,
			            ERR_FATAL,
			            "malformed message \"%c\" at %X/%X: %s",
			            message.type,
			            LSN_ARGS(message.lsn),
			            error.message);
	}
	if (reader.failed)
		return fail(err, ERR_FATAL, "a frame of the stream is cut short");
	return true;
}

static bool
read_begin(const Input *input)
{
	Decoder *decoder = input->decoder;
	WireBegin begin;

	if (!wire_read_begin(input->message->body, &begin, input->error))
		return false;
	if (decoder->in_transaction)
		return env_fail(input->error, "the transaction before has not ended");
	if (decoder->until != 0 && begin.final_lsn >= decoder->until)
	{
		decoder->reached = true;
		return true;
	}
	decoder->txn = (Txn){
		.commit_lsn = begin.final_lsn,
		.last_end_lsn = decoder->last_end_lsn,
		.commit_us = begin.commit_time + POSTGRES_EPOCH_US,
		.xid = begin.xid,
	};
	if (decoder->lineage != NULL)
		lineage_meet(decoder->lineage, txn_commit(&decoder->txn));
	decoder->in_transaction = true;
	decoder->is_shown = false;
	decoder->row_lsn = 0;
	decoder->ordinal = 0;
	decoder->batch = 0;
	return true;
}

static bool
read_origin(const Input *input)
{
	Decoder *decoder = input->decoder;
	const char *name;

	if (!wire_read_origin(
			input->message->body, &decoder->txn.origin_lsn, &name, input->error))
		return false;
	if (strlen(name) >= sizeof decoder->origin)
		return env_fail(input->error, "the origin's name is too long");
	memcpy(decoder->origin, name, strlen(name) + 1);
	decoder->txn.origin = decoder->origin;
	decoder->batch = 0;
	return true;
}

static const Txn *
current_txn(Decoder *decoder, Batch *batch)
{
	if (decoder->batch != batch->number)
	{
		decoder->batch = batch->number;
		decoder->copy = batch_txn(batch, &decoder->txn);
	}
	return decoder->copy;
}

/* Add a row event at lsn, numbered among those of the same LSN. */
static Event *
add_row(const Input *input, EventKind kind, const Relation *relation)
{
	Decoder *decoder = input->decoder;
	Event *event = batch_add(input->batch, kind);
	Lsn lsn = input->message->lsn;

	decoder->is_shown |= kind != EVENT_REWRITTEN &&
	                     (decoder->options == NULL ||
	                      !render_unpublished(decoder->options, (char) kind, relation));
	decoder->ordinal = lsn == decoder->row_lsn ? decoder->ordinal + 1 : 0;
	decoder->row_lsn = lsn;
	event->lsn = lsn;
	event->ordinal = decoder->ordinal;
	event->txn = current_txn(decoder, input->batch);
	event->relation = relation;
	return event;
}

static Kept *
find_slot(Decoder *decoder, uint32_t relid)
{
	size_t at = relid * UINT32_C(2654435761) % decoder->capacity;

	while (decoder->slots[at].relid != 0 && decoder->slots[at].relid != relid)
		at = (at + 1) % decoder->capacity;
	return &decoder->slots[at];
}

static const Relation *
find_relation(Decoder *decoder, uint32_t relid)
{
	if (decoder->last == NULL || decoder->last->relid != relid)
		decoder->last = find_slot(decoder, relid)->relation;
	return decoder->last;
}

static void
grow_slots(Decoder *decoder)
{
	Kept *old = decoder->slots;
	size_t old_capacity = decoder->capacity;

	decoder->capacity *= 2;
	decoder->slots = xmalloc(decoder->capacity * sizeof *decoder->slots);
	memset(decoder->slots, 0, decoder->capacity * sizeof *decoder->slots);
	for (size_t i = 0; i < old_capacity; i++)
		if (old[i].relid != 0)
			*find_slot(decoder, old[i].relid) = old[i];
	free(old);
}

Lsn
decoder_commit_lsn(const Decoder *decoder)
{
	return decoder->txn.commit_lsn;
}

const Relation *
decoder_keep(Decoder *decoder, const Relation *relation)
{
	Kept *slot;

	if (decoder->count * 2 >= decoder->capacity)
		grow_slots(decoder);
	slot = find_slot(decoder, relation->relid);
	if (slot->relation != NULL && slot->relation->version == relation->version)
		return slot->relation;
	if (slot->relid == 0)
		decoder->count++;
	slot->relid = relation->relid;
	slot->relation = relation;
	decoder->last = NULL;
	return relation;
}

/*
 * A version's memory stays as long as the decoder: events in batches and plans in
 * outputs point to it, and a version costs a few kilobytes per DDL command.
 */
static bool
read_relation(const Input *input)
{
	const Alloc forever = arena_as_alloc(input->decoder->arena);
	Decoder *decoder = input->decoder;
	WireReader reader = wire_reader(input->message->body);
	uint32_t relid = wire_u32(&reader);
	const Relation *known = relid == 0 ? NULL : find_slot(decoder, relid)->relation;
	const Relation *relation = known;
	Event *event;

	if (known == NULL || known->version != relation_hash(input->message->body))
	{
		relation = relation_read(input->message->body, &forever, input->error);
		if (relation == NULL)
			return false;
		(void) decoder_keep(decoder, relation);
	}
	event = batch_add(input->batch, EVENT_RELATION);
	event->lsn = input->message->lsn;
	event->relation = relation;
	event->txn = decoder->in_transaction ? current_txn(decoder, input->batch) : NULL;
	return true;
}

static bool
read_change(const Input *input)
{
	WireChange change;
	const Relation *relation;
	Event *event;

	if (!wire_read_change(
			input->message->type, input->message->body, &change, input->error))
		return false;
	relation = find_relation(input->decoder, change.relid);
	if (relation == NULL)
		return env_fail(input->error, "relation %u was not described", change.relid);
	event = add_row(input, (EventKind) input->message->type, relation);
	event->old_kind = change.old_kind;
	event->old_tuple = change.old_tuple;
	event->new_tuple = change.new_tuple;
	return true;
}

static bool
read_truncate(const Input *input)
{
	WireTruncate truncate;

	if (!wire_read_truncate(input->message->body, &truncate, input->error))
		return false;
	for (uint32_t i = 0; i < truncate.count; i++)
	{
		uint32_t relid = read_u32(truncate.relids + (size_t) i * 4);
		const Relation *relation = find_relation(input->decoder, relid);

		if (relation == NULL)
			return env_fail(input->error, "relation %u was not described", relid);
		(void) add_row(input, EVENT_TRUNCATE, relation);
	}
	return true;
}

/*
 * A message outside transactions stands alone, and is an end: what comes next continues
 * source.sequence from it.  Its LSN is where its record ends, at which a commit record
 * may start, so its place among the commits is one byte before.  The server tells no
 * time of it; Debezium repeats that of the transaction before.
 */
static void
add_lone_message(const Input *input, const WireLogical *logical)
{
	Decoder *decoder = input->decoder;
	Lsn lsn = input->message->lsn;
	Txn own = { .commit_lsn = lsn - 1, .last_end_lsn = lsn };
	Event *event;

	if (decoder->until != 0 && lsn > decoder->until)
	{
		decoder->reached = true;
		return;
	}
	event = batch_add(input->batch, EVENT_MESSAGE);
	if (decoder->last_commit_us == 0)
		decoder->last_commit_us = clock_wall_ns() / 1000;
	own.commit_us = decoder->last_commit_us;
	decoder->last_end_lsn = lsn;
	event->lsn = lsn;
	event->txn = batch_txn(input->batch, &own);
	event->old_tuple = slice_from(logical->prefix);
	event->new_tuple = logical->content;
	input->batch->end_lsn = lsn;
}

/* A message that nobody emitted: the plugin's own. */
static bool
read_own(const Input *input, const WireLogical *logical)
{
	WireReader reader = wire_reader(logical->content);
	const Relation *relation;

	if (strcmp(logical->prefix, WIRE_REWRITTEN) != 0)
		return true;
	relation = find_relation(input->decoder, wire_u32(&reader));
	if (reader.failed || relation == NULL)
		return env_fail(input->error, "the relation that was rewritten is not described");
	(void) add_row(input, EVENT_REWRITTEN, relation);
	return true;
}

static bool
read_logical(const Input *input)
{
	Decoder *decoder = input->decoder;
	WireLogical logical;
	Event *event;

	if (!wire_read_logical(input->message->body, &logical, input->error))
		return false;
	input->batch->has_messages = true;
	if ((logical.flags & WIRE_TRANSACTIONAL) == 0)
	{
		if (decoder->in_transaction)
			return env_fail(input->error, "the transaction before has not ended");
		add_lone_message(input, &logical);
		return true;
	}
	if (!decoder->in_transaction)
		return env_fail(input->error, "it has no transaction");
	if ((logical.flags & WIRE_OWN) != 0)
		return read_own(input, &logical);
	event = add_row(input, EVENT_MESSAGE, NULL);
	event->old_tuple = slice_from(logical.prefix);
	event->new_tuple = logical.content;
	return true;
}

static bool
read_commit(const Input *input)
{
	Decoder *decoder = input->decoder;
	WireCommit commit;
	Event *event;

	if (!wire_read_commit(input->message->body, &commit, input->error))
		return false;
	event = batch_add(input->batch, EVENT_COMMIT);
	event->lsn = commit.end_lsn;
	event->txn = current_txn(decoder, input->batch);
	event->is_silent = !decoder->is_shown;
	input->batch->end_lsn = commit.end_lsn;
	decoder->in_transaction = false;
	if (!decoder->is_shown)
		return true;
	decoder->last_end_lsn = commit.end_lsn;
	decoder->last_commit_us = decoder->txn.commit_us;
	return true;
}
