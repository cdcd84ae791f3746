/*
 * lake_state.h
 *		what the files of the lake output share: lake.c (the stream, cuts, the thread),
 *		lake_snapshot.c (tables that are read), lake_asks.c (tables that want to be),
 *		lake_catalog.c (what the catalog tells).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_LAKE_STATE_H
#define LAKE_LAKE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/queue.h"
#include "lake/lake.h"
#include "lake/orphans.h"
#include "lake/sources.h"

/* Why a table is stale. */
#define WAITING "its rows were rewritten without events" SILVER_PROMISE

typedef struct Lake
{
	Output base;
	const Config *config;
	Store store;
	Checkpoints *checkpoints;
	Sources *sources;
	Queue *queue;
	pthread_t thread;
	bool is_running;

	/* Shared between the threads. */
	atomic_bool stopping;
	atomic_bool flush_asked;
	atomic_bool failed; /* err is set before it, read after it */
	/* That a part of a table is stored: the snapshot's place (0: none is), and the table.
	 */
	_Atomic uint64_t part_lsn;
	_Atomic uint32_t part_relid;
	_Atomic uint64_t durable_end;
	_Atomic uint64_t cuts; /* LakeCounters, one by one */
	_Atomic uint64_t rows;
	_Atomic uint64_t refused;
	_Atomic uint64_t orphans;
	_Atomic uint64_t buffered;
	_Atomic uint64_t cut_lsn;
	_Atomic int64_t cut_us;
	Err err;

	pthread_mutex_t asking;
	Buf asked; /* tables that silver asks for, as a list (unread.h); under asking */

	/* Held by who changes tables outside of batches: the thread while it removes orphans,
	 * the reader's in mark() and lake_output_doubt(). */
	pthread_mutex_t tables;

	/* The thread's. */
	Arena *arena;      /* of lists of tables, in positions */
	Position position; /* of the last boundary */
	Position stored;
	Lsn cut_floor;    /* no cut below: a table is there already */
	bool is_ahead;    /* tables are, of the last cut: a kill came between */
	bool at_boundary; /* between transactions */
	bool in_snapshot;
	bool lacks;          /* an output that was not there before */
	bool is_initial;     /* the snapshot before the stream, not one in its middle */
	size_t bytes;        /* buffered in all tables */
	uint64_t taken;      /* rows */
	int64_t deadline_us; /* of the next cut; 0: nothing to store */
	int64_t received_us; /* wall clock of the batch at hand */
	int64_t part_us;     /* when a part of the table being read was stored; 0: not yet */
	bool has_begun;      /* a batch was taken */
	Buf asks;            /* in the list of position, not stored yet */
	Orphans removal;
} Lake;

/* ---- lake.c ---- */

/* Everything up to position, in one cut. */
MUST_CHECK bool lake_cut(Lake *lake, Err *err);

/* Write what a source has buffered, without committing it. */
MUST_CHECK bool lake_prepare_source(Source *source, Err *err);

/* Commit what was prepared; no cut names it yet. */
MUST_CHECK bool lake_commit_sources(Source *const *sources, size_t count,
                                    const CutStamp *stamp, Err *err);

/* Publish a cut of what is committed. */
MUST_CHECK bool lake_publish(Lake *lake, const CutStamp *stamp, Err *err);

/* There is something to store: a cut within the flush interval. */
void lake_set_deadline(Lake *lake);

/* ---- lake_catalog.c ---- */

/* Have tables read again that have other partitions or names than the stream told, or
 * rows that it did not. */
MUST_CHECK bool lake_take_catalog(Lake *lake, const Event *event, Err *err);

/* ---- lake_snapshot.c ---- */

MUST_CHECK bool lake_begin_table(Lake *lake, const Event *event, Err *err);
MUST_CHECK bool lake_take_part(Lake *lake, const Event *event, Err *err);
MUST_CHECK bool lake_end_table(Lake *lake, const Event *event, Err *err);
void lake_pass_doubled(Lake *lake, const Event *event); /* that the lake has otherwise */
MUST_CHECK bool lake_end_snapshot(Lake *lake, const Event *event, Err *err);

/* The initial snapshot was not complete, and the stream goes on from where it began: make
 * the tables ready for that, before it is marked. */
MUST_CHECK bool lake_resume(Lake *lake, Err *err);

/* ---- lake_asks.c ---- */

/* Put the tables for which silver asks into the list of position. */
void lake_take_asks(Lake *lake);

/* They are stored: the reader may hear of them. */
void lake_tell_asks(Lake *lake);

/* Ask for the table called name, "schema.table". */
void lake_ask(Lake *lake, const char *name);

/* After opening: the promises are on the list again, or withdrawn (lake.on.stale). */
void lake_renew_promises(Lake *lake);

#endif
