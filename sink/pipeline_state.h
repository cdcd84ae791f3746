/*
 * pipeline_state.h
 *		what the files of the pipeline share: pipeline.c (the stream), pipeline_start.c
 *		(from nothing to a stream), pipeline_outputs.c (batches and positions).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SINK_PIPELINE_STATE_H
#define SINK_PIPELINE_STATE_H

#include "output/output.h"
#include "output/recovery.h"
#include "pipeline.h"
#include "report.h"
#include "source/action.h"
#include "source/belongings.h"
#include "source/decode.h"
#include "source/owner.h"
#include "source/server.h"
#include "source/stream.h"

#define MAX_OUTPUTS 2

typedef struct Reread Reread;

typedef struct Pipeline
{
	const Config *config;
	Lsn until;       /* 0: none, or not while tables wait to be read */
	Lsn until_asked; /* 0: none */
	PipelineStop *stop;
	BatchBudget budget;
	Report *report;
	Decoder *decoder;
	Output *outputs[MAX_OUTPUTS];
	const char *where[MAX_OUTPUTS];
	int output_count;
	const Output *culprit; /* the output that failed; NULL: none */
	Arena *arena;          /* of the run: lists and descriptions of tables */
	PGconn *sql;
	PGconn *replication;
	Stream *stream;
	Periodic *action; /* heartbeat.action.query */
	Belongings *belongings;
	Position self;
	ServerIdentity server;
	SlotState slot;
	SlotOwner owner;
	bool lists_checked; /* for columns that do not exist */
	Recovery recovery;
	Batch *batch;      /* being filled */
	Batch *pending;    /* sealed, not yet accepted by all outputs */
	unsigned accepted; /* bit i: output i has pending */
	unsigned excused;  /* bit i: output i does not get what is handed over */
	uint64_t handed;   /* batches that every output accepted */
	Lsn queued_end;    /* every output accepted everything below */
	Lsn durable;       /* least of the outputs */
	Lsn received;
	Lsn confirmed;       /* last told to the server */
	int64_t feedback_us; /* when */
	int64_t marker_us;
	int64_t drain_us; /* when stopping began; 0: not yet */
	bool wants_flush; /* the server waits for what was read last to be confirmed */
	bool flushed;     /* the outputs were asked to flush what is queued last */
	bool moved;       /* this turn did something: take another before waiting */
	bool read_all;    /* this process has taken a snapshot */
	Reread *reread;   /* NULL: no table was wanted yet */
	Lineage lineage;
	StreamItem held;             /* what the stream waits before, while tables are read */
	Position began[MAX_OUTPUTS]; /* what each output had stored at the start */
} Pipeline;

/* ---- pipeline_outputs.c ---- */

/* Whether somebody asked to stop. */
bool pipeline_stopping(const Pipeline *pipeline);

/* Wait at most ms for the socket (when reading) or for a wake-up, which is consumed. */
void pipeline_wait(const Pipeline *pipeline, bool reading, int64_t ms);

/* Wait so long, or until asked to stop, which is false. */
bool pipeline_pause(Pipeline *pipeline, int64_t ms);

/* Answer the server in time, confirming nothing new, while something else is waited for.
 */
bool pipeline_keep_alive(Pipeline *pipeline, Err *err) MUST_CHECK;

/* Make the outputs and open them; stored receives the position of each. */
bool pipeline_open_outputs(Pipeline *pipeline, StoredPosition *stored,
                           Err *err) MUST_CHECK;

/* Have every output store a position without data; unread (NULL: none) lists the tables
 * that it has still to be given. */
bool pipeline_mark(Pipeline *pipeline, PositionPhase phase, Lsn lsn, const char *unread,
                   Err *err) MUST_CHECK;

/* What the server may be told to forget: nothing new, until its WAL is known to be that
 * of the stored positions. */
Lsn pipeline_confirmable(const Pipeline *pipeline);

/* Take the least durable LSN of all outputs; false when one has failed. */
bool pipeline_look(Pipeline *pipeline, Err *err) MUST_CHECK;

void pipeline_flush(const Pipeline *pipeline);

/* Offer the pending batch to every output that has not accepted it yet. */
void pipeline_offer(Pipeline *pipeline);

void pipeline_report(const Pipeline *pipeline);

/* SnapshotSink: hand a batch over, waiting for room. */
bool pipeline_hand_over(void *context, Batch *batch, Err *err) MUST_CHECK;

/* Go no further than lsn, 0: without end. */
void pipeline_set_until(Pipeline *pipeline, Lsn lsn);

/* ---- pipeline_start.c ---- */

/* Connect, and start to stream from the slot when it is there. */
bool pipeline_open_source(Pipeline *pipeline, Err *err) MUST_CHECK;

/* Start to stream from the slot. */
bool pipeline_open_stream(Pipeline *pipeline, Err *err) MUST_CHECK;

/* Whether tables are read again where nothing else is left (snapshot.mode). */
bool pipeline_reads_again(const Config *config);

/* What to do, by what the outputs stored: into pipeline->recovery. */
bool pipeline_decide(Pipeline *pipeline, const StoredPosition *stored,
                     Err *err) MUST_CHECK;

/* Have outputs that lack tables store what they will get; stored is kept up. */
bool pipeline_join(Pipeline *pipeline, StoredPosition *stored, Err *err) MUST_CHECK;

/*
 * From nothing to a slot and outputs that hold its snapshot (stream.md 14).  The
 * replication connection stays idle meanwhile: its next command would end the
 * exported snapshot.
 */
bool pipeline_bootstrap(Pipeline *pipeline, Err *err) MUST_CHECK;

/*
 * snapshot.mode=initial_only: the snapshot is there, and nothing else was asked for.  The
 * slot would hold WAL for nobody.
 */
bool pipeline_end_without_streaming(Pipeline *pipeline, Err *err) MUST_CHECK;

#endif
