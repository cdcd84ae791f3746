/*
 * action.c
 *		the thread that runs heartbeat.action.query.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/action.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/log.h"

struct Action
{
	const Config *config;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop;          /* under lock, as is the next */
	PGcancel *canceler; /* of what runs now; NULL: nothing does */
	PGconn *conn;       /* the thread's own; NULL: not connected */
};

static void
say(const Err *err)
{
	log_warning("heartbeat", "could not run heartbeat.action.query: %s", err->text);
	if (err->hint[0] != '\0')
		log_warning("heartbeat", "hint: %s", err->hint);
}

/* Let action_stop() cancel what conn runs, or (NULL) no longer. */
static bool
set_canceler(Action *action, PGconn *conn)
{
	PGcancel *old;
	bool go_on;

	(void) pthread_mutex_lock(&action->lock);
	old = action->canceler;
	action->canceler = conn == NULL ? NULL : PQgetCancel(conn);
	go_on = !action->stop;
	(void) pthread_mutex_unlock(&action->lock);
	PQfreeCancel(old);
	return go_on;
}

static void
run_once(Action *action)
{
	PGresult *result;
	Err err = { 0 };

	if (action->conn == NULL)
		action->conn = server_connect_plain(action->config, &err);
	if (action->conn == NULL)
	{
		say(&err);
		return;
	}
	if (!set_canceler(action, action->conn))
		return;
	result = server_query(action->conn, action->config->heartbeat_action_query, &err);
	if (set_canceler(action, NULL) && result == NULL)
		say(&err);
	PQclear(result);
	if (PQstatus(action->conn) == CONNECTION_OK)
		return;
	PQfinish(action->conn);
	action->conn = NULL;
}

/* Wait for the time of the next heartbeat; false when told to stop. */
static bool
wait_until(Action *action, const struct timespec *time)
{
	int rc = 0;
	bool go_on;

	(void) pthread_mutex_lock(&action->lock);
	while (!action->stop && rc == 0)
		rc = pthread_cond_timedwait(&action->changed, &action->lock, time);
	go_on = !action->stop;
	(void) pthread_mutex_unlock(&action->lock);
	return go_on;
}

static void *
work(void *argument)
{
	Action *action = argument;
	int64_t interval_ms = action->config->heartbeat_interval_ms;
	struct timespec next;

	(void) pthread_setname_np(pthread_self(), "heartbeat");
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
		if (!wait_until(action, &next))
			break;
		run_once(action);
	}
	PQfinish(action->conn);
	return NULL;
}

static void
destroy(Action *action)
{
	(void) pthread_cond_destroy(&action->changed);
	(void) pthread_mutex_destroy(&action->lock);
	free(action);
}

bool
action_start(const Config *config, Action **action, Err *err)
{
	pthread_condattr_t attributes;
	int code;

	*action = NULL;
	if (config->heartbeat_interval_ms == 0 || *config->heartbeat_action_query == '\0')
		return true;
	*action = xmalloc(sizeof **action);
	**action = (Action){ .config = config };
	(void) pthread_mutex_init(&(*action)->lock, NULL);
	(void) pthread_condattr_init(&attributes);
	(void) pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void) pthread_cond_init(&(*action)->changed, &attributes);
	(void) pthread_condattr_destroy(&attributes);
	code = pthread_create(&(*action)->thread, NULL, work, *action);
	if (code == 0)
		return true;
	destroy(*action);
	*action = NULL;
	return limits_no_thread(err, code);
}

void
action_stop(Action *action)
{
	char ignored[256];

	if (action == NULL)
		return;
	(void) pthread_mutex_lock(&action->lock);
	action->stop = true;
	if (action->canceler != NULL)
		(void) PQcancel(action->canceler, ignored, sizeof ignored);
	(void) pthread_cond_signal(&action->changed);
	(void) pthread_mutex_unlock(&action->lock);
	(void) pthread_join(action->thread, NULL);
	destroy(action);
}
