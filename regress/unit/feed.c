/*
 * feed.c
 *		relation and tuples in the wire's form.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define POLL_NS 200000

void
feed_init(Feed *feed, const char *table, bool keyed)
{
	static const uint16_t key[] = { 0 };
	RelationColumn columns[2] = {
		{ .name = "id",
		  .attnum = 1,
		  .type_oid = TYPE_INT4,
		  .base_oid = TYPE_INT4,
		  .typmod = -1,
		  .base_typmod = -1,
		  .type_kind = 'b',
		  .type_name = "int4",
		  .type_schema = "pg_catalog",
		  .type_text = "integer",
		  .element_name = "",
		  .in_identity = keyed,
		  .not_null = keyed },
		{ .name = "name",
		  .index = 1,
		  .attnum = 2,
		  .type_oid = TYPE_TEXT,
		  .base_oid = TYPE_TEXT,
		  .typmod = -1,
		  .base_typmod = -1,
		  .type_kind = 'b',
		  .type_name = "text",
		  .type_schema = "pg_catalog",
		  .type_text = "text",
		  .element_name = "" },
	};
	Relation relation = {
		.relid = 16384,
		.schema = "public",
		.name = table,
		.replica_identity = keyed ? 'd' : 'f',
		.relkind = 'r',
		.root_schema = "",
		.root_name = "",
		.key_source = keyed ? 'p' : 0,
		.key_count = keyed ? 1 : 0,
		.key = key,
		.column_count = 2,
		.columns = columns,
	};
	Buf body = buf_heap();
	EnvError error = { 0 };
	Alloc alloc;

	*feed = (Feed){ .arena = arena_new(),
		            .budget = { .limit = (size_t) 64 << 20, .wake_fd = -1 } };
	alloc = arena_as_alloc(feed->arena);
	relation_write(&body, &relation);
	feed->relation = relation_read((Slice){ body.data, body.len }, &alloc, &error);
	if (feed->relation == NULL)
	{
		(void) fprintf(stderr, "relation: %s\n", error.message);
		abort();
	}
	buf_free(&body);
}

void
feed_fini(Feed *feed)
{
	batch_unref(feed->batch);
	arena_free(feed->arena);
}

static Batch *
batch_of(Feed *feed)
{
	if (feed->batch == NULL)
		feed->batch = batch_new(&feed->budget);
	return feed->batch;
}

void
feed_begin(Feed *feed, Lsn commit_lsn)
{
	feed->txn = (Txn){ .commit_lsn = commit_lsn,
		               .commit_us = clock_wall_ns() / 1000,
		               .xid = (uint32_t) commit_lsn };
	feed->ordinal = 0;
}

static Slice
tuple_of(Batch *batch, int id, size_t name_len, char fill)
{
	Buf tuple = buf_heap();
	uint32_t big = __builtin_bswap32((uint32_t) id);
	Slice slice = { NULL, 0 };
	char *name;

	buf_u16(&tuple, 2);
	wire_value(&tuple, 'b', &big, 4);
	if (fill == 0)
		buf_char(&tuple, 'n');
	else
	{
		name = xmalloc(name_len + 1);
		memset(name, fill, name_len);
		wire_value(&tuple, 'b', name, (uint32_t) name_len);
		free(name);
	}
	slice.data = batch_copy(batch, tuple.data, tuple.len);
	slice.len = tuple.len;
	buf_free(&tuple);
	return slice;
}

static Event *
add_event(Feed *feed, char kind)
{
	Batch *batch = batch_of(feed);
	Event *event = batch_add(batch, (EventKind) kind);

	event->txn = batch_txn(batch, &feed->txn);
	event->relation = feed->relation;
	event->lsn = feed->txn.commit_lsn - 8;
	event->ordinal = feed->ordinal++;
	return event;
}

void
feed_row(Feed *feed, char kind, int id, size_t name_len, char fill)
{
	Event *event = add_event(feed, kind);

	if (kind == EVENT_DELETE)
	{
		event->old_kind = feed->relation->key_count == 0 ? 'O' : 'K';
		event->old_tuple = tuple_of(feed->batch, id, 0, 0);
	}
	else
		event->new_tuple = tuple_of(feed->batch, id, name_len, fill);
}

void
feed_key_change(Feed *feed, int old_id, int new_id)
{
	Event *event = add_event(feed, EVENT_UPDATE);

	event->old_kind = 'K';
	event->old_tuple = tuple_of(feed->batch, old_id, 0, 0);
	event->new_tuple = tuple_of(feed->batch, new_id, 3, 'k');
}

void
feed_read(Feed *feed, int id, uint32_t number, SnapshotMarker marker)
{
	Event *event = add_event(feed, EVENT_READ);

	event->lsn = feed->txn.commit_lsn;
	event->ordinal = number;
	event->marker = (uint8_t) marker;
	event->new_tuple = tuple_of(feed->batch, id, 5, 's');
}

void
feed_message(Feed *feed, Lsn lsn, const char *prefix, const char *content)
{
	Event *event;

	feed->txn = (Txn){ .commit_lsn = lsn - 1, .last_end_lsn = lsn, .commit_us = 1 };
	event = add_event(feed, EVENT_MESSAGE);
	event->lsn = lsn;
	event->relation = NULL;
	event->old_tuple =
		(Slice){ batch_copy(feed->batch, prefix, strlen(prefix) + 1), strlen(prefix) };
	event->new_tuple =
		(Slice){ batch_copy(feed->batch, content, strlen(content)), strlen(content) };
	feed->batch->end_lsn = lsn;
}

void
feed_mark(Feed *feed, EventKind kind, Lsn lsn)
{
	Event *event = add_event(feed, (char) kind);

	event->lsn = lsn;
	if (kind == EVENT_COMMIT || kind == EVENT_KEEPALIVE || kind == EVENT_SNAPSHOT_END)
		feed->batch->end_lsn = lsn;
	if (kind == EVENT_KEEPALIVE || kind == EVENT_SNAPSHOT_END)
	{
		event->txn = NULL;
		event->relation = NULL;
	}
}

static void
pause_shortly(void)
{
	struct timespec time = { 0, POLL_NS };

	(void) nanosleep(&time, NULL);
}

bool
feed_send(Feed *feed, Output *output)
{
	Batch *batch = batch_of(feed);
	Err ignored;
	Lsn lsn;
	bool ok = true;

	batch_seal(batch);
	while (ok && !output->ops->offer(output, batch))
	{
		ok = output->ops->durable(output, &lsn, &ignored);
		pause_shortly();
	}
	batch_unref(batch);
	feed->batch = NULL;
	return ok;
}

bool
feed_wait(Output *output, Lsn end_lsn, Err *err)
{
	Lsn lsn;

	for (;;)
	{
		if (!output->ops->durable(output, &lsn, err))
			return false;
		if (lsn >= end_lsn)
			return true;
		pause_shortly();
	}
}
