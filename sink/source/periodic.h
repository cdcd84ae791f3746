/*
 * periodic.h
 *		work on the server that is done again and again beside the stream, in a thread and
 *		a session of its own.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_PERIODIC_H
#define SOURCE_PERIODIC_H

#include "source/server.h"

typedef struct Periodic Periodic;

typedef struct PeriodicTask
{
	const Config *config;
	const char *name; /* of the thread, and where its messages come from */
	const char *what; /* "could not <what>: ..." */
	int64_t interval_ms;
	bool at_once; /* the first time now, not after the interval */
	PGconn *(*connect)(const Config *config, Err *err);

	/* One time.  What it runs may be cancelled.  After a failure, which is logged, the
	 * next time is as if nothing had been. */
	bool (*work)(const Config *config, void *context, PGconn *conn, Err *err);
	void *context;
} PeriodicTask;

/* Start it.  What task points to must outlive it. */
bool periodic_start(const PeriodicTask *task, Periodic **periodic, Err *err) MUST_CHECK;

/* Cancel what runs and end the session.  NULL is allowed. */
void periodic_stop(Periodic *periodic);

#endif
