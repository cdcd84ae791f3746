/*
 * action.h
 *		heartbeat.action.query: a statement run at every heartbeat.
 *
 * It has a thread and a session of its own, with the settings that the role and the
 * database give it (search_path first among them), not those the other sessions pin.
 * A failure is logged and the next heartbeat tries again, as in Debezium.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_ACTION_H
#define SOURCE_ACTION_H

#include "source/server.h"

typedef struct Action Action;

/* Start it; *action is NULL when there is nothing to run.  config must outlive it. */
bool action_start(const Config *config, Action **action, Err *err) MUST_CHECK;

/* Cancel what runs and end the session.  NULL is allowed. */
void action_stop(Action *action);

#endif
