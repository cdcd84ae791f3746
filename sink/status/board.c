/*
 * board.c
 *		the numbers, and how they are shown.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "status/board.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "status/metrics.h"

#define MICRO INT64_C(1000000)

const char *const board_output_names[BOARD_OUTPUTS] = { "kafka", "lake" };

/* What is said in words. */
typedef struct BoardWords
{
	char problem[sizeof((Err *) NULL)->text];
	char first[512]; /* table to be read: "schema.name" */
	char reading[sizeof(Err)];
} BoardWords;

struct Board
{
	atomic_int_least64_t values[METRIC_COUNT][BOARD_OUTPUTS];
	atomic_bool outputs[BOARD_OUTPUTS];
	pthread_mutex_t lock; /* of words */
	BoardWords words;
};

Board *
board_new(void)
{
	Board *board = xmalloc(sizeof *board);

	for (int id = 0; id < METRIC_COUNT; id++)
		for (int output = 0; output < BOARD_OUTPUTS; output++)
			atomic_init(&board->values[id][output], 0);
	for (int output = 0; output < BOARD_OUTPUTS; output++)
		atomic_init(&board->outputs[output], false);
	(void) pthread_mutex_init(&board->lock, NULL);
	board->words = (BoardWords){ 0 };
	board_set(board, METRIC_HEALTHY, 0, 1);
	return board;
}

void
board_free(Board *board)
{
	if (board == NULL)
		return;
	(void) pthread_mutex_destroy(&board->lock);
	free(board);
}

void
board_set(Board *board, MetricId id, int output, int64_t value)
{
	atomic_store_explicit(&board->values[id][output], value, memory_order_relaxed);
}

int64_t
board_get(const Board *board, MetricId id, int output)
{
	return atomic_load_explicit(&board->values[id][output], memory_order_relaxed);
}

void
board_set_state(Board *board, WorkerState state)
{
	board_set(board, METRIC_STATE, 0, state);
}

void
board_add_output(Board *board, int output)
{
	atomic_store(&board->outputs[output], true);
}

static bool
is_healthy(const BoardWords *words)
{
	return words->problem[0] == '\0' && words->reading[0] == '\0';
}

void
board_set_problem(Board *board, const char *problem)
{
	BoardWords *words = &board->words;

	(void) pthread_mutex_lock(&board->lock);
	(void) snprintf(words->problem, sizeof words->problem, "%s", problem);
	board_set(board, METRIC_HEALTHY, 0, is_healthy(words));
	(void) pthread_mutex_unlock(&board->lock);
}

void
board_set_reading(Board *board, size_t count, const char *first, const char *problem)
{
	BoardWords *words = &board->words;

	(void) pthread_mutex_lock(&board->lock);
	(void) snprintf(words->first, sizeof words->first, "%s", first);
	(void) snprintf(words->reading, sizeof words->reading, "%s", problem);
	board_set(board, METRIC_UNREAD, 0, (int64_t) count);
	board_set(board, METRIC_HEALTHY, 0, is_healthy(words));
	(void) pthread_mutex_unlock(&board->lock);
}

static BoardWords
copy_words(Board *board)
{
	BoardWords words;

	(void) pthread_mutex_lock(&board->lock);
	words = board->words;
	(void) pthread_mutex_unlock(&board->lock);
	return words;
}

/* ---- Prometheus ---- */

static bool
is_shown(const Board *board, const Metric *metric, int output)
{
	switch (metric->scope)
	{
		case SCOPE_WORKER:
			return output == 0;
		case SCOPE_OUTPUT:
			return atomic_load(&board->outputs[output]);
		case SCOPE_KAFKA:
			return output == 0 && atomic_load(&board->outputs[BOARD_KAFKA]);
		case SCOPE_LAKE:
			return output == 0 && atomic_load(&board->outputs[BOARD_LAKE]);
	}
	return false;
}

/* Microseconds as seconds. */
static void
print_seconds(Buf *buf, int64_t us)
{
	buf_printf(buf, "%" PRId64 ".%06" PRId64, us / MICRO, us % MICRO);
}

static void
print_states(Buf *buf, const Metric *metric, int64_t state)
{
	for (int i = 0; i < WORKER_STATE_COUNT; i++)
		buf_printf(buf,
		           "%s{state=\"%s\"} %d\n",
		           metric->name,
		           worker_state_names[i],
		           i == state);
}

static void
print_sample(Buf *buf, const Metric *metric, int output, int64_t value)
{
	buf_text(buf, metric->name);
	if (metric->scope == SCOPE_OUTPUT)
		buf_printf(buf, "{output=\"%s\"}", board_output_names[output]);
	buf_char(buf, ' ');
	if (metric->unit == UNIT_US)
		print_seconds(buf, value);
	else
		buf_int64(buf, value);
	buf_char(buf, '\n');
}

void
board_print_metrics(Board *board, Buf *buf)
{
	for (int id = 0; id < METRIC_COUNT; id++)
	{
		const Metric *metric = &metric_table[id];
		bool begun = false;

		for (int output = 0; output < BOARD_OUTPUTS; output++)
		{
			int64_t value = board_get(board, (MetricId) id, output);

			if (!is_shown(board, metric, output))
				continue;
			if (!begun)
				buf_printf(buf,
				           "# HELP %s %s\n# TYPE %s %s\n",
				           metric->name,
				           metric->help,
				           metric->name,
				           metric->type);
			begun = true;
			if (metric->unit == UNIT_STATE)
				print_states(buf, metric, value);
			else
				print_sample(buf, metric, output, value);
		}
	}
}

void
board_print_reference(FILE *to)
{
	static const char *const scopes[] = {
		[SCOPE_WORKER] = "",
		[SCOPE_OUTPUT] = "each output",
		[SCOPE_KAFKA] = "kafka",
		[SCOPE_LAKE] = "bronze, silver",
	};

	(void) fputs("| Metric | Type | With | Meaning |\n|---|---|---|---|\n", to);
	for (int id = 0; id < METRIC_COUNT; id++)
		(void) fprintf(to,
		               "| `%s` | %s | %s | %s |\n",
		               metric_table[id].name,
		               metric_table[id].type,
		               scopes[metric_table[id].scope],
		               metric_table[id].help);
}

/* ---- JSON and text ---- */

void
board_json_text(Buf *buf, const char *text)
{
	buf_char(buf, '"');
	for (const unsigned char *p = (const unsigned char *) text; *p != '\0'; p++)
	{
		if (*p == '"' || *p == '\\')
			buf_printf(buf, "\\%c", *p);
		else if (*p < 0x20)
			buf_printf(buf, "\\u%04x", *p);
		else
			buf_char(buf, (char) *p);
	}
	buf_char(buf, '"');
}

static const char *
state_name(const Board *board)
{
	return worker_state_names[board_get(board, METRIC_STATE, 0)];
}

/* The output that holds the reader back; NULL: none. */
static const char *
blocker(const Board *board)
{
	for (int output = 0; output < BOARD_OUTPUTS; output++)
		if (board_get(board, METRIC_OUTPUT_BLOCKS, output) != 0)
			return board_output_names[output];
	return NULL;
}

static Lsn
lsn_of(const Board *board, MetricId id, int output)
{
	return (Lsn) board_get(board, id, output);
}

static void
json_lsn(Buf *buf, const char *name, Lsn lsn)
{
	buf_printf(buf, "\"%s\":\"%X/%X\"", name, LSN_ARGS(lsn));
}

static void
json_outputs(const Board *board, Buf *buf)
{
	const char *comma = "";

	buf_text(buf, ",\"outputs\":{");
	for (int output = 0; output < BOARD_OUTPUTS; output++)
	{
		if (!atomic_load(&board->outputs[output]))
			continue;
		buf_printf(buf, "%s\"%s\":{", comma, board_output_names[output]);
		json_lsn(buf, "stored_lsn", lsn_of(board, METRIC_OUTPUT_LSN, output));
		buf_text(buf, ",\"stalled_seconds\":");
		print_seconds(buf, board_get(board, METRIC_OUTPUT_STALLED_US, output));
		buf_char(buf, '}');
		comma = ",";
	}
	buf_char(buf, '}');
}

static void
json_text_or_null(Buf *buf, const char *text)
{
	if (*text == '\0')
		buf_text(buf, "null");
	else
		board_json_text(buf, text);
}

static void
json_reading(const Board *board, const BoardWords *words, Buf *buf)
{
	int64_t count = board_get(board, METRIC_UNREAD, 0);

	buf_text(buf, ",\"reading\":");
	if (count == 0)
	{
		buf_text(buf, "null");
		return;
	}
	buf_printf(buf, "{\"tables\":%" PRId64 ",\"first\":", count);
	board_json_text(buf, words->first);
	buf_text(buf, ",\"problem\":");
	json_text_or_null(buf, words->reading);
	buf_char(buf, '}');
}

void
board_print_json(Board *board, Buf *buf)
{
	const BoardWords words = copy_words(board);
	const char *blocks = blocker(board);

	buf_printf(buf,
	           "{\"state\":\"%s\",\"healthy\":%s,\"problem\":",
	           state_name(board),
	           is_healthy(&words) ? "true" : "false");
	json_text_or_null(buf, words.problem[0] == '\0' ? words.reading : words.problem);
	buf_text(buf, ",\"blocked_by\":");
	json_text_or_null(buf, blocks == NULL ? "" : blocks);
	json_reading(board, &words, buf);
	buf_printf(buf, ",\"lag_bytes\":%" PRId64, board_get(board, METRIC_LAG_BYTES, 0));
	buf_text(buf, ",\"lag_seconds\":");
	print_seconds(buf, board_get(board, METRIC_LAG_US, 0));
	buf_char(buf, ',');
	json_lsn(buf, "received_lsn", lsn_of(board, METRIC_RECEIVED_LSN, 0));
	buf_char(buf, ',');
	json_lsn(buf, "confirmed_lsn", lsn_of(board, METRIC_CONFIRMED_LSN, 0));
	json_outputs(board, buf);
	buf_text(buf, "}\n");
}

void
board_print_text(Board *board, Buf *buf)
{
	const BoardWords words = copy_words(board);
	const char *blocks = blocker(board);
	int64_t unread = board_get(board, METRIC_UNREAD, 0);

	buf_printf(
		buf,
		"%s  worker: %s, blocked by %s; received and not stored everywhere: %" PRId64
		" bytes, oldest commit ",
		is_healthy(&words) ? "ok  " : "fix ",
		state_name(board),
		blocks == NULL ? "nobody" : blocks,
		board_get(board, METRIC_LAG_BYTES, 0));
	print_seconds(buf, board_get(board, METRIC_LAG_US, 0));
	buf_text(buf, " s ago\n");
	if (words.problem[0] != '\0')
		buf_printf(buf, "fix   worker: %s\n", words.problem);
	if (unread > 0)
		buf_printf(buf,
		           "%s  worker: %" PRId64 " tables to be read, first \"%s\"%s%s\n",
		           words.reading[0] == '\0' ? "note" : "fix ",
		           unread,
		           words.first,
		           words.reading[0] == '\0' ? "" : ": ",
		           words.reading);
}
