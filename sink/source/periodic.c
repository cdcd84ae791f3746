/*
 * periodic.c
 *		a thread that works, waits, and can be cancelled.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/periodic.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/log.h"

struct Periodic
{
	PeriodicTask task;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop;          /* under lock, as is the next */
	PGcancel *canceler; /* of the session at work; NULL: none is */
	PGconn *conn;       /* the thread's own; NULL: not connected */
};

static void
say(const Periodic *periodic, const Err *err)
{
	log_warning(periodic->task.name, "could not %s: %s", periodic->task.what, err->text);
	if (err->hint[0] != '\0')
		log_warning(periodic->task.name, "hint: %s", err->hint);
}

/* Let periodic_stop() cancel what conn runs, or (NULL) no longer; false: it was called.
 */
static bool
set_canceler(Periodic *periodic, PGconn *conn)
{
	PGcancel *old;
	bool go_on;

	(void) pthread_mutex_lock(&periodic->lock);
	old = periodic->canceler;
	periodic->canceler = conn == NULL || periodic->stop ? NULL : PQgetCancel(conn);
	go_on = !periodic->stop;
	(void) pthread_mutex_unlock(&periodic->lock);
	PQfreeCancel(old);
	return go_on;
}

static void
run_once(Periodic *periodic)
{
	const PeriodicTask *task = &periodic->task;
	Err err = { 0 };
	bool ok;

	if (periodic->conn == NULL)
		periodic->conn = task->connect(task->config, &err);
	if (periodic->conn == NULL)
	{
		say(periodic, &err);
		return;
	}
	if (!set_canceler(periodic, periodic->conn))
		return;
	ok = task->work(task->config, task->context, periodic->conn, &err);
	if (set_canceler(periodic, NULL) && !ok)
		say(periodic, &err);
	if (PQstatus(periodic->conn) == CONNECTION_OK)
		return;
	PQfinish(periodic->conn);
	periodic->conn = NULL;
}

/* Wait for time; false when told to stop. */
static bool
wait_until(Periodic *periodic, const struct timespec *time)
{
	int rc = 0;
	bool go_on;

	(void) pthread_mutex_lock(&periodic->lock);
	while (!periodic->stop && rc == 0)
		rc = pthread_cond_timedwait(&periodic->changed, &periodic->lock, time);
	go_on = !periodic->stop;
	(void) pthread_mutex_unlock(&periodic->lock);
	return go_on;
}

static void *
work(void *argument)
{
	Periodic *periodic = argument;
	int64_t interval_ms = periodic->task.interval_ms;
	struct timespec next;

	(void) pthread_setname_np(pthread_self(), periodic->task.name);
	if (periodic->task.at_once)
		run_once(periodic);
	for (;;)
	{
		(void) clock_gettime(CLOCK_MONOTONIC, &next);
		next.tv_sec += interval_ms / 1000;
		next.tv_nsec += interval_ms % 1000 * 1000000;
		if (next.tv_nsec >= 1000000000)
		{
			next.tv_sec++;
			next.tv_nsec -= 1000000000;
		}
		if (!wait_until(periodic, &next))
			break;
		run_once(periodic);
	}
	PQfinish(periodic->conn);
	return NULL;
}

static void
destroy(Periodic *periodic)
{
	(void) pthread_cond_destroy(&periodic->changed);
	(void) pthread_mutex_destroy(&periodic->lock);
	free(periodic);
}

bool
periodic_start(const PeriodicTask *task, Periodic **periodic, Err *err)
{
	Periodic *started = xmalloc(sizeof *started);
	pthread_condattr_t attributes;
	int code;

	*periodic = NULL;
	*started = (Periodic){ .task = *task };
	(void) pthread_mutex_init(&started->lock, NULL);
	(void) pthread_condattr_init(&attributes);
	(void) pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void) pthread_cond_init(&started->changed, &attributes);
	(void) pthread_condattr_destroy(&attributes);
	code = pthread_create(&started->thread, NULL, work, started);
	if (code == 0)
	{
		*periodic = started;
		return true;
	}
	destroy(started);
	return limits_no_thread(err, code);
}

void
periodic_stop(Periodic *periodic)
{
	char ignored[256];

	if (periodic == NULL)
		return;
	(void) pthread_mutex_lock(&periodic->lock);
	periodic->stop = true;
	if (periodic->canceler != NULL)
		(void) PQcancel(periodic->canceler, ignored, sizeof ignored);
	(void) pthread_cond_signal(&periodic->changed);
	(void) pthread_mutex_unlock(&periodic->lock);
	(void) pthread_join(periodic->thread, NULL);
	destroy(periodic);
}
