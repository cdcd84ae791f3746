/*
 * event.h
 *		what the reader hands to the outputs: events, gathered in batches.
 *
 * A batch owns its bytes (frames as received, in its arena); events and tuples
 * are slices of them, parsed no further than every output needs.  A batch is
 * counted by references: the reader's and one per output that accepted it.
 * An output drops its reference when it has taken custody (design.md, invariant 5).
 * Relations outlive every batch: versions are few, and stay as long as the decoder.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/lsn.h"
#include "envelope/relation.h"
#include "envelope/render.h"
#include "event/position.h"

typedef enum EventKind
{
	EVENT_INSERT = 'I',
	EVENT_UPDATE = 'U',
	EVENT_DELETE = 'D',
	EVENT_TRUNCATE =
		'T', /* one event a table; ordinal counts the tables of the statement */
	EVENT_MESSAGE = 'M', /* logical message: old_tuple is the prefix, terminated,
	                        new_tuple the content; relation NULL.  With txn->xid 0 it
	                        stands alone: nothing else is open, and lsn is its end */
	EVENT_RELATION =
		'R', /* relation describes its table from here on (DDL, or first use) */
	EVENT_COMMIT = 'C',    /* end of txn; lsn = its end LSN */
	EVENT_KEEPALIVE = 'k', /* nothing for us below lsn; txn NULL */
	EVENT_TABLE_BEGIN =
		'b', /* snapshot of relation starts: what the output holds of it is replaced, or
	            with old_tuple, what it has (partial.h), stays: rows are added to it and
	            replace those of their key */
	EVENT_READ = 'r',       /* snapshot row: new_tuple */
	EVENT_TABLE_PART = 'p', /* what is complete of it so far: old_tuple, one terminated
	                           part (partial.h).  With new_tuple (empty) the reading is
	                           left here */
	EVENT_TABLE_END = 'e',  /* snapshot of relation is complete (of what is gone on with,
	                           but for what is new); old_tuple as before, or data NULL: it
	                           cannot be gone on with */
	EVENT_SNAPSHOT_END =
		's', /* all tables are: stream from lsn (the consistent point); txn NULL.  With
	            old_tuple, a table's terminated name: that one has been read again in the
	            middle of the stream, which goes on from lsn; with new_tuple (empty),
	            not whole: it will be gone on with; with a relation, that has no rows of
	            its own: it is a partition, or partitioned and has none */
	EVENT_REWRITTEN = 'x', /* the rows of relation are rewritten without events of theirs.
	                          old_tuple: a terminated list (unread.h) of the table that
	                          is read again for it; data NULL: it is not */
	EVENT_CATALOG = 'c', /* what belongs to which partitioned table, as the server had it
	                        at lsn, and every change before is in the stream before this:
	                        old_tuple is an array of Belonging, of all tables, by
	                        relid.  txn NULL */
	EVENT_WANTED = 'w',  /* old_tuple: a terminated list (unread.h) of tables that are to
	                        be read again.  txn NULL when it is not of the source */
} EventKind;

typedef struct Txn
{
	Lsn commit_lsn;     /* start of the commit record: order, dedupe; of a message that
	                       stands alone an LSN inside its record */
	Lsn last_end_lsn;   /* end LSN of the transaction before, for source.sequence; 0: not
	                       known */
	int64_t commit_us;  /* since 1970 */
	uint32_t xid;       /* 0: none, a message that stands alone */
	const char *origin; /* NULL: local */
	Lsn origin_lsn;
} Txn;

/* What a table in the catalog belongs to. */
typedef struct Belonging
{
	uint32_t relid;
	uint32_t root; /* of its partitioned tables the uppermost; 0: it is no partition */
	char kind;     /* pg_class.relkind: r, p or f */
	bool is_read;  /* it is captured, and snapshots read it */
	bool has_rows; /* it is read, and there were some when it was first seen in root, or
	                  as no partition */
	bool is_known; /* whether it had; else it is looked into again */
	const char *schema;
	const char *name; /* "schema.name", as the next */
	const char *root_name;
} Belonging;

typedef struct BatchBlock BatchBlock;

typedef struct Event
{
	EventKind kind;
	char old_kind;    /* 'K' 'O' or 0 */
	uint8_t marker;   /* SnapshotMarker of a READ */
	bool is_silent;   /* of a COMMIT: nothing was in it that Debezium would see */
	uint32_t ordinal; /* among the events of one (txn, lsn); of READ: number within its
	                     table, from 0 */
	Lsn lsn;          /* of the row's change */
	const Txn *txn;
	const Relation *relation;
	Slice old_tuple;
	Slice new_tuple;
	BatchBlock *block; /* the tuples may lie in it; NULL: none */
} Event;

/* Memory that live batches hold, against max.memory.  Shared by reader and outputs. */
typedef struct BatchBudget
{
	atomic_size_t used; /* bytes */
	size_t limit;
	int wake_fd;                  /* eventfd written when a batch is freed; -1: none */
	atomic_uint_fast64_t batches; /* made so far: numbers them */
} BatchBudget;

typedef struct Batch
{
	Arena *arena;
	Event *events;
	size_t count;
	size_t capacity;
	size_t bytes; /* accounted in budget */
	Lsn end_lsn;  /* of the last COMMIT, KEEPALIVE or SNAPSHOT_END inside; 0: none */
	BatchBlock *blocks;  /* memory taken over, newest first */
	int64_t received_us; /* clock_mono_us() when the first byte came */
	bool has_messages;   /* an EVENT_MESSAGE or EVENT_REWRITTEN is inside */
	uint64_t number;     /* unlike its address, never used again */
	BatchBudget *budget;
	atomic_int references;
} Batch;

Batch *batch_new(BatchBudget *budget); /* one reference */
Event *batch_add(Batch *batch,
                 EventKind kind); /* zeroed but for kind; valid until the next add */
char *batch_copy(Batch *batch, const char *bytes, size_t len);
/* Take over size bytes at memory, which release frees with the batch, or with the last
 * arena that holds them.  Events added from then on may lie in it. */
void batch_adopt(Batch *batch, void *memory, size_t size, void (*release)(void *));
Txn *batch_txn(Batch *batch, const Txn *txn); /* a copy that lives as long as the batch */
size_t batch_size(const Batch *batch);        /* bytes it holds so far, about */
void batch_seal(Batch *batch);                /* no more adds: account its bytes */
Batch *batch_ref(Batch *batch);
void batch_unref(Batch *batch); /* any thread; NULL is allowed */

CommitId txn_commit(const Txn *txn);

/* A tuple for as long as the arena: a copy, or held where it is if it is a large one. */
Slice event_keep(const Event *event, Slice tuple, Arena *arena);

/* The event as the renderer wants it. */
RenderChange event_as_change(const Event *event, const char *database);

/*
 * What a row event is called in errors about its size, what being "record" or the like:
 * the table, the LSN, and the column with the most bytes.
 */
void event_describe(const Event *event, const char *what, char text[512]);

#endif
