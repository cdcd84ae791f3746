/*
 * metrics.h
 *		the rows behind /metrics and README's table of metrics.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef STATUS_METRICS_H
#define STATUS_METRICS_H

#include "status/board.h"

typedef enum MetricUnit
{
	UNIT_PLAIN, /* as it is: a number, bytes, 0 or 1 */
	UNIT_US,    /* microseconds, shown in seconds */
	UNIT_STATE, /* a WorkerState, shown as one sample a state */
} MetricUnit;

typedef enum MetricScope
{
	SCOPE_WORKER,
	SCOPE_OUTPUT, /* one sample an output, with the label output */
	SCOPE_KAFKA,  /* only with that output */
	SCOPE_LAKE,
} MetricScope;

typedef struct Metric
{
	const char *name; /* a counter's ends in _total */
	const char *type; /* gauge or counter */
	MetricScope scope;
	MetricUnit unit;
	const char *help; /* one sentence */
} Metric;

/* Indexed by MetricId. */
extern const Metric metric_table[METRIC_COUNT];

extern const char *const worker_state_names[WORKER_STATE_COUNT];

#endif
