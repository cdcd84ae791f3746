/*
 * board.h
 *		what a running worker says of itself: numbers that are the rows of one table, its
 *		state, and what is wrong.
 *
 * The reader's thread writes, the status server's reads; nobody waits.  A value is as new
 * as the reader's last turn, which is a second old at most while anything is on its way.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef STATUS_BOARD_H
#define STATUS_BOARD_H

#include <stdio.h>

#include "base/err.h"
#include "base/lsn.h"
#include "envelope/buf.h"

typedef enum MetricId
{
	METRIC_CONFIRMED_LSN,
	METRIC_EVENTS,
	METRIC_FAILURES,
	METRIC_HEALTHY,
	METRIC_KAFKA_BYTES,
	METRIC_KAFKA_RECORDS,
	METRIC_KAFKA_REFUSED,
	METRIC_KAFKA_REPEATED,
	METRIC_KAFKA_SKIPPED,
	METRIC_KAFKA_TRANSACTIONS,
	METRIC_LAG_BYTES,
	METRIC_LAG_US,
	METRIC_LAKE_BUFFERED,
	METRIC_LAKE_CUT_LSN,
	METRIC_LAKE_CUT_US,
	METRIC_LAKE_CUTS,
	METRIC_LAKE_ORPHANS,
	METRIC_LAKE_REFUSED,
	METRIC_LAKE_ROWS,
	METRIC_MEMORY,
	METRIC_MEMORY_LIMIT,
	METRIC_OUTPUT_BLOCKS,
	METRIC_OUTPUT_LSN,
	METRIC_OUTPUT_STALLED_US,
	METRIC_RECEIVED_LSN,
	METRIC_START_US,
	METRIC_STATE,
	METRIC_TRANSACTIONS,
	METRIC_UNREAD,
	METRIC_COUNT,
} MetricId;

typedef enum WorkerState
{
	WORKER_STARTING,  /* connecting, opening outputs */
	WORKER_SNAPSHOT,  /* reading the initial snapshot */
	WORKER_STREAMING, /* from the slot */
	WORKER_WAITING,   /* after a failure, before the next attempt */
	WORKER_STOPPING,  /* asked to: draining */
	WORKER_STATE_COUNT,
} WorkerState;

/* Outputs by the place of their names in board_output_names. */
enum
{
	BOARD_KAFKA,
	BOARD_LAKE,
	BOARD_OUTPUTS,
};

extern const char *const board_output_names[BOARD_OUTPUTS];

typedef struct Board Board;

Board *board_new(void);
void board_free(Board *board); /* NULL is allowed */

/* Any thread.  output is 0 for metrics that are not of an output. */
void board_set(Board *board, MetricId id, int output, int64_t value);
int64_t board_get(const Board *board, MetricId id, int output);

void board_set_state(Board *board, WorkerState state);

/* That an output is configured: it is shown from now on. */
void board_add_output(Board *board, int output);

/* What keeps the worker from its work, in a sentence; "": nothing.  Copied. */
void board_set_problem(Board *board, const char *problem);

/*
 * How many tables are to be read beside the stream, the first one's name, and what keeps
 * them from being read, which is a problem, too; "": nothing.  Copied.
 */
void board_set_reading(Board *board, size_t count, const char *first,
                       const char *problem);

/*
 * What is served, appended to buf: the exposition format of Prometheus (text, version
 * 0.0.4); one JSON object; the same in lines for people.
 */
void board_print_metrics(Board *board, Buf *buf);
void board_print_json(Board *board, Buf *buf);
void board_print_text(Board *board, Buf *buf);

/* The metrics as a Markdown table, for README. */
void board_print_reference(FILE *to);

/* Append text as a JSON string. */
void board_json_text(Buf *buf, const char *text);

#endif
