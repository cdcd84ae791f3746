/*
 * report.c
 *		who holds the reader back, how far behind it is, and whether that is healthy.
 *
 * An output blocks when
 *
 *		it has no room for the batch that the others wait with,
 *		or it failed, until work goes on,
 *		or it has had something to store for STALL_US and its own interval, and has stored
 *		nothing.
 *
 * The worker is not healthy from a failure on until it works again, and while an output
 * has stored nothing for UNHEALTHY_US and its interval, or tables cannot be read that
 * wait for it (pipeline_reread.c).
 *
 * The lag in seconds is the age of the oldest commit that is not stored everywhere.
 * Commits are remembered by batch, in a ring; when that is full the newest entry stands
 * for more batches.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "kafka/kafka.h"
#include "lake/lake.h"
#include "status/server.h"

#define RING_SIZE    1024U
#define TURN_US      INT64_C(50000) /* counters are copied this often */
#define FRESH_MS     INT64_C(1000)
#define STALL_US     INT64_C(5000000)
#define UNHEALTHY_US INT64_C(60000000)

typedef struct Commit
{
	Lsn end_lsn;
	int64_t commit_us; /* of the oldest in the batch */
} Commit;

typedef struct Progress
{
	Lsn durable;
	uint64_t handed;
	int64_t since_us; /* the output has something to store since then; 0: nothing */
	int64_t interval_us;
} Progress;

struct Report
{
	Board *board;
	StatusServer *server;
	bool has_problem; /* on the board, by a failure */
	bool is_stalled;  /* on the board, by an output */
	bool is_behind;   /* the last turn came too soon after the one before */
	int64_t turn_us;
	int64_t events;
	int64_t transactions;
	int64_t failures;
	int64_t unfinished_us; /* oldest commit of batches without an end; 0: none */
	Progress progress[BOARD_OUTPUTS];
	int64_t closed[METRIC_COUNT]; /* counters of outputs closed before */
	Commit ring[RING_SIZE];
	unsigned head;
	unsigned count;
};

bool
report_open(const Config *config, Report **report, Err *err)
{
	Report *opened = xmalloc(sizeof *opened);

	*opened = (Report){ .board = board_new() };
	opened->progress[BOARD_KAFKA].interval_us = config->kafka_commit_interval_ms * 1000;
	opened->progress[BOARD_LAKE].interval_us = config->lake_flush_interval_ms * 1000;
	if ((config->outputs & OUTPUT_KAFKA) != 0)
		board_add_output(opened->board, BOARD_KAFKA);
	if ((config->outputs & (OUTPUT_BRONZE | OUTPUT_SILVER)) != 0)
		board_add_output(opened->board, BOARD_LAKE);
	board_set(opened->board, METRIC_START_US, 0, clock_wall_ns() / 1000);
	*report = opened;
	if (status_server_start(config, opened->board, &opened->server, err))
		return true;
	report_close(opened);
	*report = NULL;
	return false;
}

void
report_close(Report *report)
{
	if (report == NULL)
		return;
	status_server_stop(report->server);
	board_free(report->board);
	free(report);
}

static int
place_of(const Output *output)
{
	return strcmp(output->ops->name, board_output_names[BOARD_KAFKA]) == 0 ? BOARD_KAFKA
	                                                                       : BOARD_LAKE;
}

static void
set_blocks(Report *report, int place, bool blocks)
{
	board_set(report->board, METRIC_OUTPUT_BLOCKS, place, blocks);
}

void
report_state(Report *report, WorkerState state)
{
	board_set_state(report->board, state);
	if (state != WORKER_STREAMING && state != WORKER_SNAPSHOT)
		return;
	/* At work: what was wrong before is over. */
	report->has_problem = report->is_stalled = false;
	board_set_problem(report->board, "");
	for (int place = 0; place < BOARD_OUTPUTS; place++)
	{
		set_blocks(report, place, false);
		report->progress[place].since_us = 0;
	}
	report->head = report->count = 0;
	report->unfinished_us = 0;
}

void
report_failure(Report *report, const Err *err, const Output *culprit)
{
	report_state(report, WORKER_WAITING);
	report->has_problem = true;
	board_set_problem(report->board, err->text);
	board_set(report->board, METRIC_FAILURES, 0, ++report->failures);
	for (int place = 0; place < BOARD_OUTPUTS; place++)
		set_blocks(report, place, culprit != NULL && place_of(culprit) == place);
}

void
report_reading(Report *report, size_t count, const char *first, const char *problem)
{
	if (report->server != NULL &&
	    (count > 0 || board_get(report->board, METRIC_UNREAD, 0) > 0))
		board_set_reading(report->board, count, first, problem);
}

/* ---- Counters ---- */

/* A counter of an output, which begins again whenever the output is opened. */
typedef struct CounterValue
{
	MetricId id;
	int64_t value;
} CounterValue;

#define COUNTERS_MAX 6

static int
read_kafka(const Output *output, CounterValue values[COUNTERS_MAX])
{
	KafkaCounters counters = kafka_output_counters(output);

	values[0] = (CounterValue){ METRIC_KAFKA_RECORDS, (int64_t) counters.records };
	values[1] = (CounterValue){ METRIC_KAFKA_BYTES, (int64_t) counters.bytes };
	values[2] =
		(CounterValue){ METRIC_KAFKA_TRANSACTIONS, (int64_t) counters.transactions };
	values[3] = (CounterValue){ METRIC_KAFKA_SKIPPED, (int64_t) counters.skipped };
	values[4] = (CounterValue){ METRIC_KAFKA_REPEATED, (int64_t) counters.repeated };
	values[5] = (CounterValue){ METRIC_KAFKA_REFUSED, (int64_t) counters.refused };
	return 6;
}

static int
read_lake(Report *report, const Output *output, CounterValue values[COUNTERS_MAX])
{
	LakeCounters counters = lake_output_counters(output);

	board_set(report->board, METRIC_LAKE_BUFFERED, 0, (int64_t) counters.buffered);
	if (counters.cuts > 0)
	{
		board_set(report->board, METRIC_LAKE_CUT_LSN, 0, (int64_t) counters.cut_lsn);
		board_set(report->board, METRIC_LAKE_CUT_US, 0, counters.cut_us);
	}
	values[0] = (CounterValue){ METRIC_LAKE_CUTS, (int64_t) counters.cuts };
	values[1] = (CounterValue){ METRIC_LAKE_ROWS, (int64_t) counters.rows };
	values[2] = (CounterValue){ METRIC_LAKE_REFUSED, (int64_t) counters.refused };
	values[3] = (CounterValue){ METRIC_LAKE_ORPHANS, (int64_t) counters.orphans };
	return 4;
}

static int
read_counters(Report *report, const Output *output, CounterValue values[COUNTERS_MAX])
{
	return place_of(output) == BOARD_KAFKA ? read_kafka(output, values)
	                                       : read_lake(report, output, values);
}

void
report_closing(Report *report, Output *const *outputs, int count)
{
	CounterValue values[COUNTERS_MAX];

	for (int i = 0; i < count; i++)
	{
		int read = read_counters(report, outputs[i], values);

		for (int j = 0; j < read; j++)
		{
			report->closed[values[j].id] += values[j].value;
			board_set(report->board, values[j].id, 0, report->closed[values[j].id]);
		}
	}
}

static void
copy_counters(Report *report, const ReportTurn *turn)
{
	CounterValue values[COUNTERS_MAX];

	for (int i = 0; i < turn->count; i++)
	{
		int read = read_counters(report, turn->outputs[i], values);

		for (int j = 0; j < read; j++)
			board_set(report->board,
			          values[j].id,
			          0,
			          report->closed[values[j].id] + values[j].value);
	}
	board_set(report->board, METRIC_EVENTS, 0, report->events);
	board_set(report->board, METRIC_TRANSACTIONS, 0, report->transactions);
	board_set(report->board, METRIC_MEMORY, 0, turn->memory);
	board_set(report->board, METRIC_MEMORY_LIMIT, 0, turn->memory_limit);
}

/* ---- Lag ---- */

void
report_batch(Report *report, const Batch *batch)
{
	Commit *newest = &report->ring[(report->head + report->count - 1) % RING_SIZE];

	report->events += (int64_t) batch->count;
	for (size_t i = 0; i < batch->count; i++)
	{
		const Event *event = &batch->events[i];

		report->transactions += event->kind == EVENT_COMMIT;
		if (report->unfinished_us == 0 && event->txn != NULL)
			report->unfinished_us = event->txn->commit_us;
	}
	if (batch->end_lsn == 0 || report->unfinished_us == 0)
		return;
	if (report->count < RING_SIZE)
		report->ring[(report->head + report->count++) % RING_SIZE] =
			(Commit){ batch->end_lsn, report->unfinished_us };
	else
		newest->end_lsn = batch->end_lsn;
	report->unfinished_us = 0;
}

/* The oldest commit that is not stored everywhere; 0: none. */
static int64_t
oldest_commit(Report *report, Lsn durable)
{
	while (report->count > 0 && report->ring[report->head].end_lsn <= durable)
	{
		report->head = (report->head + 1) % RING_SIZE;
		report->count--;
	}
	return report->count > 0 ? report->ring[report->head].commit_us
	                         : report->unfinished_us;
}

static void
show_lag(Report *report, const ReportTurn *turn)
{
	int64_t oldest_us = oldest_commit(report, turn->durable);
	int64_t now_us = clock_wall_ns() / 1000;

	board_set(report->board,
	          METRIC_LAG_BYTES,
	          0,
	          turn->received > turn->durable ? (int64_t) (turn->received - turn->durable)
	                                         : 0);
	/* The clock of the server may be ahead of ours. */
	board_set(report->board,
	          METRIC_LAG_US,
	          0,
	          oldest_us != 0 && now_us > oldest_us ? now_us - oldest_us : 0);
	board_set(report->board, METRIC_RECEIVED_LSN, 0, (int64_t) turn->received);
	board_set(report->board, METRIC_CONFIRMED_LSN, 0, (int64_t) turn->confirmed);
}

/* ---- Who blocks ---- */

/*
 * How long the output has had something to store and stored nothing.  In the middle of a
 * transaction it may have to wait for the end: taking batches is progress then.
 */
static int64_t
stalled_us(Progress *progress, const ReportTurn *turn, bool refuses, Lsn durable,
           int64_t now_us)
{
	bool behind = durable < turn->queued_end || refuses;
	bool moved = durable > progress->durable ||
	             ((turn->in_transaction || refuses) && turn->handed != progress->handed);

	if (!behind)
		progress->since_us = 0;
	else if (progress->since_us == 0 || moved)
		progress->since_us = now_us;
	progress->durable = durable;
	progress->handed = turn->handed;
	return behind ? now_us - progress->since_us : 0;
}

static void
show_stall(Report *report, int place, int64_t stalled)
{
	char problem[128];

	(void) snprintf(problem,
	                sizeof problem,
	                "output \"%s\" has stored nothing for %d s",
	                board_output_names[place],
	                (int) (stalled / 1000000));
	report->is_stalled = true;
	board_set_problem(report->board, problem);
}

static void
show_output(Report *report, const ReportTurn *turn, int i, bool *stalled, int64_t now_us)
{
	Output *output = turn->outputs[i];
	int place = place_of(output);
	Progress *progress = &report->progress[place];
	bool refuses = turn->pending && (turn->accepted & 1U << i) == 0;
	Lsn durable;
	Err ignored;
	int64_t idle_us;

	if (!output->ops->durable(output, &durable, &ignored))
		return; /* the failure comes by report_failure */
	idle_us = stalled_us(progress, turn, refuses, durable, now_us);
	board_set(report->board, METRIC_OUTPUT_LSN, place, (int64_t) durable);
	board_set(report->board, METRIC_OUTPUT_STALLED_US, place, idle_us);
	set_blocks(report, place, refuses || idle_us > STALL_US + progress->interval_us);
	if (idle_us <= UNHEALTHY_US + progress->interval_us)
		return;
	*stalled = true;
	show_stall(report, place, idle_us);
}

void
report_turn(Report *report, const ReportTurn *turn)
{
	int64_t now_us = clock_mono_us();
	bool stalled = false;

	if (report->server == NULL)
		return;
	report->is_behind = now_us - report->turn_us < TURN_US;
	if (report->is_behind)
		return;
	report->turn_us = now_us;
	copy_counters(report, turn);
	show_lag(report, turn);
	for (int i = 0; i < turn->count; i++)
		show_output(report, turn, i, &stalled, now_us);
	if (report->is_stalled && !stalled && !report->has_problem)
	{
		report->is_stalled = false;
		board_set_problem(report->board, "");
	}
}

int64_t
report_wait_ms(const Report *report, int64_t limit_ms)
{
	int64_t most = report->is_behind ? TURN_US / 1000 : FRESH_MS;

	return report->server == NULL || limit_ms < most ? limit_ms : most;
}
