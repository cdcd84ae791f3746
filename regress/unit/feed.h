/*
 * feed.h
 *		events made by hand, for tests and benchmarks of the Kafka output.
 *
 * One table, public.t (id integer primary key, name text), as the decoder would have it,
 * and batches of its changes.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef FEED_H
#define FEED_H

#include "event/event.h"
#include "output/output.h"

typedef struct Feed
{
	Arena *arena;
	BatchBudget budget;
	const Relation *relation;
	Batch *batch;
	Txn txn;
	uint32_t ordinal;
} Feed;

/* table: its name in schema public.  keyed: whether it has its primary key. */
void feed_init(Feed *feed, const char *table, bool keyed);
void feed_fini(Feed *feed);

/* A transaction whose commit record starts at commit_lsn. */
void feed_begin(Feed *feed, Lsn commit_lsn);

/* kind I, U or D: a row with this id; name_len bytes of name, filled with fill. */
void feed_row(Feed *feed, char kind, int id, size_t name_len, char fill);

/* An update that changes the key. */
void feed_key_change(Feed *feed, int old_id, int new_id);

/* A snapshot row, at the consistent point of feed_begin. */
void feed_read(Feed *feed, int id, uint32_t number, SnapshotMarker marker);

/* A logical message outside transactions, whose record ends at lsn. */
void feed_message(Feed *feed, Lsn lsn, const char *prefix, const char *content);

/* COMMIT, KEEPALIVE, TABLE_BEGIN, TABLE_END, SNAPSHOT_END, RELATION. */
void feed_mark(Feed *feed, EventKind kind, Lsn lsn);

/* Offer what was gathered until it is taken; false when the output failed. */
bool feed_send(Feed *feed, Output *output);

/* Wait until the output has stored end_lsn; false when it failed, with err set. */
bool feed_wait(Output *output, Lsn end_lsn, Err *err);

#endif
