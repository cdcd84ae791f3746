/*
 * event.c
 *		batches: an arena, an array of events, a reference count.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "event/event.h"

#include <stdlib.h>
#include <unistd.h>

#define FIRST_EVENTS 256

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
	*event = (Event){ .kind = kind };
	return event;
}

char *
batch_copy(Batch *batch, const char *bytes, size_t len)
{
	return arena_strndup(batch->arena, bytes, len);
}

/* Memory that was not the batch's at first. */
struct BatchBlock
{
	struct BatchBlock *next;
	void *memory;
	void (*release)(void *);
};

void
batch_adopt(Batch *batch, void *memory, size_t size, void (*release)(void *))
{
	struct BatchBlock *block = arena_alloc(batch->arena, sizeof *block);

	*block = (struct BatchBlock){ batch->blocks, memory, release };
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
	for (struct BatchBlock *block = batch->blocks; block != NULL; block = block->next)
		block->release(block->memory);
	arena_free(batch->arena);
	free(batch->events);
	free(batch);
	/* A full counter already wakes. */
	if (budget->wake_fd >= 0 && write(budget->wake_fd, &one, sizeof one) < 0)
		return;
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
