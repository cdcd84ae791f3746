/*
 * report.h
 *		what the pipeline tells the status board, and what it concludes from it.
 *
 * All but report_open and report_close is called by the reader's thread, at every turn:
 * nothing here waits, and an unchanged turn costs a clock and some stores.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SINK_REPORT_H
#define SINK_REPORT_H

#include "config/config.h"
#include "event/event.h"
#include "output/output.h"
#include "status/board.h"

typedef struct Report Report;

/* Make a board and serve it where config says.  ERR_CONFIG, ERR_FATAL: see
 * status_server_start(). */
bool report_open(const Config *config, Report **report, Err *err) MUST_CHECK;
void report_close(Report *report); /* NULL is allowed */

void report_state(Report *report, WorkerState state);

/* An attempt failed with err; at fault is that output, or none (NULL). */
void report_failure(Report *report, const Err *err, const Output *culprit);

/* As board_set_reading(): what is to be read beside the stream, and what keeps it from
 * that. */
void report_reading(Report *report, size_t count, const char *first, const char *problem);

/* The outputs are about to be closed: their counters start again at 0. */
void report_closing(Report *report, Output *const *outputs, int count);

/* A batch was read. */
void report_batch(Report *report, const Batch *batch);

/* How things stand. */
typedef struct ReportTurn
{
	Output *const *outputs;
	int count;
	unsigned accepted;   /* bit i: output i has the pending batch */
	bool pending;        /* there is one */
	bool in_transaction; /* of the source: it has begun to be read and has not ended */
	uint64_t handed;     /* batches that every output has taken */
	Lsn received;
	Lsn confirmed;
	Lsn durable;
	Lsn queued_end;
	int64_t memory; /* bytes of events under way, and its bound */
	int64_t memory_limit;
} ReportTurn;

void report_turn(Report *report, const ReportTurn *turn);

/* How long the reader may sleep, at most limit_ms, for what is served to stay new. */
int64_t report_wait_ms(const Report *report, int64_t limit_ms);

#endif
