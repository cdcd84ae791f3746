/*
 * verify_changes.c
 *		a hash table of keys, fed by the decoder.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "verify_changes.h"

#include <stdlib.h>

#include "source/decode.h"

#define FIRST_CAPACITY 1024

struct Changes
{
	Compare *compare;
	Decoder *decoder;
	BatchBudget budget;
	Arena *arena;   /* keys and tuples */
	Arena *scratch; /* of one tuple */
	Change *items;  /* open addressing; relation NULL: free */
	size_t count;
	size_t capacity; /* power of two */
	TableNote *notes;
	size_t note_count;
	Buf key;
	Buf old_key;
};

static const Slice none = { NULL, 0 };

static Change *
new_items(size_t capacity)
{
	Change *items = xmalloc(capacity * sizeof *items);

	memset(items, 0, capacity * sizeof *items);
	return items;
}

Changes *
changes_new(Compare *compare)
{
	Changes *changes = xmalloc(sizeof *changes);

	*changes = (Changes){
		.compare = compare,
		.decoder = decoder_new(0),
		.budget = { .limit = SIZE_MAX, .wake_fd = -1 },
		.arena = arena_new(),
		.scratch = arena_new(),
		.items = new_items(FIRST_CAPACITY),
		.capacity = FIRST_CAPACITY,
		.key = buf_heap(),
		.old_key = buf_heap(),
	};
	return changes;
}

void
changes_free(Changes *changes)
{
	if (changes == NULL)
		return;
	decoder_free(changes->decoder);
	arena_free(changes->arena);
	arena_free(changes->scratch);
	free(changes->items);
	free(changes->notes);
	buf_free(&changes->key);
	buf_free(&changes->old_key);
	free(changes);
}

/* ---- Keys ---- */

static uint64_t
hash_key(uint32_t relid, Slice key)
{
	uint64_t hash = UINT64_C(14695981039346656037) ^ relid;

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char) key.data[i]) * UINT64_C(1099511628211);
	return hash ^ hash >> 29;
}

/* The change of key, or the free slot where it belongs. */
static Change *
find_slot(const Changes *changes, uint32_t relid, Slice key)
{
	size_t at = hash_key(relid, key) & (changes->capacity - 1);

	while (changes->items[at].relation != NULL &&
	       (changes->items[at].relation->relid != relid ||
	        !slice_equal(changes->items[at].key, key)))
		at = (at + 1) & (changes->capacity - 1);
	return &changes->items[at];
}

static void
grow(Changes *changes)
{
	Change *old = changes->items;
	size_t old_capacity = changes->capacity;

	changes->capacity *= 2;
	changes->items = new_items(changes->capacity);
	for (size_t i = 0; i < old_capacity; i++)
		if (old[i].relation != NULL)
			*find_slot(changes, old[i].relation->relid, old[i].key) = old[i];
	free(old);
}

/* The change of key; made when there is none, deleted, with tuple as its first. */
static Change *
obtain(Changes *changes, const Relation *relation, Slice key, Slice tuple)
{
	Change *change;

	if (changes->count * 2 >= changes->capacity)
		grow(changes);
	change = find_slot(changes, relation->relid, key);
	if (change->relation != NULL)
		return change;
	changes->count++;
	*change = (Change){
		.relation = relation,
		.key = arena_slice(changes->arena, key),
		.first = arena_slice(changes->arena, tuple),
		.first_relation = relation,
	};
	return change;
}

static bool
make_key(Changes *changes, const Relation *relation, Slice tuple, Buf *key, Err *err)
{
	buf_reset(key);
	return compare_key(changes->compare, relation, tuple, key, err);
}

static Slice
bytes_of(const Buf *buf)
{
	return (Slice){ buf->data, buf->len };
}

bool
changes_find(Changes *changes, const Relation *relation, Slice tuple, Change **change,
             Err *err)
{
	*change = NULL;
	if (changes->count == 0)
		return true;
	if (!make_key(changes, relation, tuple, &changes->key, err))
		return false;
	if (changes->key.len == 0)
		return true;
	*change = find_slot(changes, relation->relid, bytes_of(&changes->key));
	if ((*change)->relation == NULL)
		*change = NULL;
	return true;
}

const Change *
changes_next(const Changes *changes, size_t *at)
{
	while (*at < changes->capacity)
		if (changes->items[(*at)++].relation != NULL)
			return &changes->items[*at - 1];
	return NULL;
}

/* ---- Tables ---- */

static TableNote *
note_of(Changes *changes, uint32_t relid)
{
	for (size_t i = 0; i < changes->note_count; i++)
		if (changes->notes[i].relid == relid)
			return &changes->notes[i];
	changes->notes =
		xrealloc(changes->notes, (changes->note_count + 1) * sizeof *changes->notes);
	changes->notes[changes->note_count] = (TableNote){ .relid = relid };
	return &changes->notes[changes->note_count++];
}

const TableNote *
changes_note(Changes *changes, uint32_t relid)
{
	return note_of(changes, relid);
}

/* ---- Unchanged values ---- */

static bool
has_unchanged(const Value *values, uint16_t count)
{
	for (uint16_t i = 0; i < count; i++)
		if (values[i].kind == VALUE_UNCHANGED)
			return true;
	return false;
}

/* tuple with its unchanged values taken from base, both of relation; in scratch. */
static Slice
merge(Changes *changes, const Relation *relation, Slice tuple, Slice base)
{
	size_t size = (relation->column_count + 1u) * sizeof(Value);
	Value *values;
	Value *before;
	EnvError error;
	Buf buf = buf_heap();

	arena_reset(changes->scratch);
	values = arena_alloc(changes->scratch, size);
	before = arena_alloc(changes->scratch, size);
	if (base.data == NULL ||
	    !value_read_tuple(tuple, values, relation->column_count, &error) ||
	    !has_unchanged(values, relation->column_count) ||
	    !value_read_tuple(base, before, relation->column_count, &error))
		return tuple;
	buf_u16(&buf, relation->column_count);
	for (uint16_t i = 0; i < relation->column_count; i++)
	{
		const Value *value = values[i].kind == VALUE_UNCHANGED ? &before[i] : &values[i];

		if (value->kind == VALUE_TEXT || value->kind == VALUE_BINARY)
			wire_value(&buf, (char) value->kind, value->bytes, value->len);
		else
			buf_char(&buf, (char) value->kind);
	}
	tuple = arena_slice(changes->scratch, bytes_of(&buf));
	buf_free(&buf);
	return tuple;
}

Slice
changes_row(Changes *changes, const Change *change, const Relation *relation, Slice older)
{
	/* Tuples of two versions of a table do not merge. */
	if (change->tuple.data == NULL || !change->on_older ||
	    change->relation->version != relation->version)
		return change->tuple;
	return merge(changes, relation, change->tuple, older);
}

/* ---- Events ---- */

static void
set_row(Changes *changes, Change *change, const Relation *relation, Slice tuple,
        bool on_older)
{
	change->relation = relation;
	change->tuple = tuple.data == NULL ? none : arena_slice(changes->arena, tuple);
	change->on_older = on_older;
}

/* A row that came without a key: one more, whatever it is like. */
static void
add_unkeyed(Changes *changes, const Relation *relation, Slice tuple)
{
	uint64_t number = changes->count;
	Slice key = { (const char *) &number, sizeof number };

	note_of(changes, relation->relid)->added = true;
	set_row(changes, obtain(changes, relation, key, tuple), relation, tuple, false);
}

static bool
note_insert(Changes *changes, const Event *event, Err *err)
{
	const Relation *relation = event->relation;
	Slice tuple = event->new_tuple;

	if (!make_key(changes, relation, tuple, &changes->key, err))
		return false;
	if (changes->key.len == 0)
		add_unkeyed(changes, relation, tuple);
	else
		set_row(changes,
		        obtain(changes, relation, bytes_of(&changes->key), tuple),
		        relation,
		        tuple,
		        false);
	return true;
}

static bool
note_delete(Changes *changes, const Event *event, Err *err)
{
	const Relation *relation = event->relation;
	Slice tuple = event->old_tuple;

	buf_reset(&changes->key);
	if (event->old_kind != 0 && !make_key(changes, relation, tuple, &changes->key, err))
		return false;
	if (changes->key.len == 0)
		note_of(changes, relation->relid)->unkeyed = true;
	else
		set_row(changes,
		        obtain(changes, relation, bytes_of(&changes->key), tuple),
		        relation,
		        none,
		        false);
	return true;
}

/* An update whose key stays: what it does not say is as it was. */
static void
update_in_place(Changes *changes, const Event *event)
{
	const Relation *relation = event->relation;
	Slice key = bytes_of(&changes->key);
	const Change *known = find_slot(changes, relation->relid, key);
	bool is_new = known->relation == NULL;
	Change *change = obtain(changes, relation, key, event->new_tuple);
	bool is_alike = !is_new && change->relation == relation;
	Slice base = event->old_kind == 'O' ? event->old_tuple
	             : is_alike             ? change->tuple
	                                    : none;

	set_row(changes,
	        change,
	        relation,
	        merge(changes, relation, event->new_tuple, base),
	        is_new || (is_alike && change->on_older));
}

static bool
note_update(Changes *changes, const Event *event, Err *err)
{
	const Relation *relation = event->relation;
	const Change *known;
	Slice base = event->old_tuple;
	Slice row;

	if (!make_key(changes, relation, event->new_tuple, &changes->key, err))
		return false;
	if (changes->key.len == 0)
	{
		note_of(changes, relation->relid)->unkeyed = true;
		return true;
	}
	buf_reset(&changes->old_key);
	if (event->old_kind == 0)
		buf_slice(&changes->old_key, bytes_of(&changes->key));
	else if (!make_key(changes, relation, event->old_tuple, &changes->old_key, err))
		return false;
	if (slice_equal(bytes_of(&changes->old_key), bytes_of(&changes->key)))
	{
		update_in_place(changes, event);
		return true;
	}
	/* The row moves, with what is known of it. */
	known = find_slot(changes, relation->relid, bytes_of(&changes->old_key));
	if (event->old_kind != 'O')
		base = known->relation == relation ? known->tuple : none;
	row = arena_slice(changes->arena, merge(changes, relation, event->new_tuple, base));
	set_row(changes,
	        obtain(changes, relation, bytes_of(&changes->old_key), event->old_tuple),
	        relation,
	        none,
	        false);
	set_row(changes,
	        obtain(changes, relation, bytes_of(&changes->key), row),
	        relation,
	        row,
	        false);
	return true;
}

static void
note_truncate(Changes *changes, uint32_t relid)
{
	note_of(changes, relid)->truncated = true;
	for (size_t i = 0; i < changes->capacity; i++)
		if (changes->items[i].relation != NULL &&
		    changes->items[i].relation->relid == relid)
		{
			changes->items[i].tuple = none;
			changes->items[i].on_older = false;
		}
}

static bool
note_event(Changes *changes, const Event *event, Err *err)
{
	switch (event->kind)
	{
		case EVENT_INSERT:
			return note_insert(changes, event, err);
		case EVENT_UPDATE:
			return note_update(changes, event, err);
		case EVENT_DELETE:
			return note_delete(changes, event, err);
		case EVENT_TRUNCATE:
			note_truncate(changes, event->relation->relid);
			return true;
		case EVENT_REWRITTEN:
			note_of(changes, event->relation->relid)->rewritten = true;
			return true;
		default:
			return true;
	}
}

bool
changes_frame(Changes *changes, Slice frame, Lsn from, Lsn to, Err *err)
{
	Batch *batch = batch_new(&changes->budget);
	Slice copy = { batch_copy(batch, frame.data, frame.len), frame.len };
	bool ok = decoder_frame(changes->decoder, batch, copy, err);

	for (size_t i = 0; ok && i < batch->count; i++)
	{
		const Event *event = &batch->events[i];

		if (event->txn != NULL && event->txn->commit_lsn >= from &&
		    event->txn->commit_lsn < to)
			ok = note_event(changes, event, err);
	}
	batch_unref(batch);
	return ok;
}

bool
changes_in_transaction(const Changes *changes)
{
	return decoder_in_transaction(changes->decoder);
}
