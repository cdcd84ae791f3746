/*
 * event.c
 *		batches: an arena, an array of events, a reference count.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "event/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "envelope/value.h"

#define FIRST_EVENTS 256
#define SMALL_TUPLE  1024 /* bytes: not worth looking into */

Batch *
batch_new(BatchBudget *budget)
{
	Batch *batch = xmalloc(sizeof *batch);

	*batch = (Batch){ .arena = arena_new(), .budget = budget };
	batch->number = atomic_fetch_add(&budget->batches, 1) + 1;
	atomic_init(&batch->references, 1);
	return batch;
}

Event *
batch_add(Batch *batch, EventKind kind)
{
	Event *event;

	if (batch->count == batch->capacity)
	{
		batch->capacity = batch->capacity == 0 ? FIRST_EVENTS : batch->capacity * 2;
		batch->events = xrealloc(batch->events, batch->capacity * sizeof *batch->events);
	}
	event = &batch->events[batch->count++];
	*event = (Event){ .kind = kind, .block = batch->blocks };
	return event;
}

char *
batch_copy(Batch *batch, const char *bytes, size_t len)
{
	return arena_strndup(batch->arena, bytes, len);
}

/* Memory that was not the batch's at first, and may be others' as well. */
struct BatchBlock
{
	BatchBlock *next; /* of the batch's */
	char *memory;
	size_t size;
	void (*release)(void *);
	atomic_int references;
};

static void
block_unref(void *memory)
{
	BatchBlock *block = memory;

	if (atomic_fetch_sub(&block->references, 1) != 1)
		return;
	block->release(block->memory);
	free(block);
}

void
batch_adopt(Batch *batch, void *memory, size_t size, void (*release)(void *))
{
	BatchBlock *block = xmalloc(sizeof *block);

	*block = (BatchBlock){
		.next = batch->blocks, .memory = memory, .size = size, .release = release
	};
	atomic_init(&block->references, 1);
	batch->blocks = block;
	batch->bytes += size;
}

Txn *
batch_txn(Batch *batch, const Txn *txn)
{
	Txn *copy = arena_alloc(batch->arena, sizeof *copy);

	*copy = *txn;
	if (txn->origin != NULL)
		copy->origin = arena_strdup(batch->arena, txn->origin);
	return copy;
}

size_t
batch_size(const Batch *batch)
{
	return batch->bytes + arena_bytes(batch->arena);
}

void
batch_seal(Batch *batch)
{
	batch->bytes += arena_bytes(batch->arena) + batch->capacity * sizeof *batch->events +
	                sizeof *batch;
	atomic_fetch_add(&batch->budget->used, batch->bytes);
}

Batch *
batch_ref(Batch *batch)
{
	atomic_fetch_add(&batch->references, 1);
	return batch;
}

void
batch_unref(Batch *batch)
{
	static const uint64_t one = 1;
	BatchBudget *budget;

	if (batch == NULL || atomic_fetch_sub(&batch->references, 1) != 1)
		return;
	budget = batch->budget;
	atomic_fetch_sub(&budget->used, batch->bytes);
	for (BatchBlock *block = batch->blocks, *next; block != NULL; block = next)
	{
		next = block->next;
		block_unref(block);
	}
	arena_free(batch->arena);
	free(batch->events);
	free(batch);
	/* A full counter already wakes. */
	if (budget->wake_fd >= 0 && write(budget->wake_fd, &one, sizeof one) < 0)
		return;
}

/* Small ones would hold more than themselves. */
Slice
event_keep(const Event *event, Slice tuple, Arena *arena)
{
	BatchBlock *block = event->block;

	if (block == NULL || tuple.data < block->memory ||
	    tuple.data >= block->memory + block->size || tuple.len < block->size / 2)
		return arena_slice(arena, tuple);
	atomic_fetch_add(&block->references, 1);
	arena_hold(arena, block, block->size, block_unref);
	return tuple;
}

CommitId
txn_commit(const Txn *txn)
{
	return (CommitId){ txn->commit_lsn, txn->xid, txn->commit_us };
}

RenderChange
event_as_change(const Event *event, const char *database)
{
	const Txn *txn = event->txn;

	return (RenderChange){
		.type = (char) event->kind,
		.old_kind = event->old_kind,
		.old_tuple = event->old_tuple,
		.new_tuple = event->new_tuple,
		.source = {
			.database = database,
			.lsn = event->lsn,
			.last_commit_lsn = txn->last_end_lsn,
			.commit_us = txn->commit_us,
			.xid = txn->xid,
			.snapshot = (SnapshotMarker) event->marker,
			.origin = txn->origin,
			.origin_lsn = txn->origin_lsn,
		},
	};
}

/* The column with the most bytes in tuple, when it has more than *bytes. */
static void
find_largest(const Relation *relation, Slice tuple, const char **name, size_t *bytes)
{
	Value values[RENDER_MAX_COLUMNS];
	EnvError error = { 0 };

	if (tuple.len < SMALL_TUPLE ||
	    !value_read_tuple(tuple, values, relation->column_count, &error))
		return;
	for (uint16_t i = 0; i < relation->column_count; i++)
	{
		bool there = values[i].kind == VALUE_BINARY || values[i].kind == VALUE_TEXT;

		if (!there || values[i].len <= *bytes)
			continue;
		*name = relation->columns[i].name;
		*bytes = values[i].len;
	}
}

void
event_describe(const Event *event, const char *what, char text[512])
{
	const Relation *relation = event->relation;
	const char *column = NULL;
	size_t bytes = 0;
	int at = snprintf(text,
	                  512,
	                  "%s of table \"%s.%s\", LSN %X/%X",
	                  what,
	                  relation->schema,
	                  relation->name,
	                  LSN_ARGS(event->lsn));

	find_largest(relation, event->old_tuple, &column, &bytes);
	find_largest(relation, event->new_tuple, &column, &bytes);
	if (column != NULL && at > 0 && at < 512)
		(void) snprintf(text + at,
		                512 - (size_t) at,
		                ", with %zu bytes in column \"%s\",",
		                bytes,
		                column);
}
