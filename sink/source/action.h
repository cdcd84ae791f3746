/*
 * action.h
 *		heartbeat.action.query: a statement run at every heartbeat.
 *
 * It has a session of its own, with the settings that the role and the database give it
 * (search_path first among them), not those the other sessions pin.  A failure is logged
 * and the next heartbeat tries again, as in Debezium.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_ACTION_H
#define SOURCE_ACTION_H

#include "source/periodic.h"

/* Start it; *action is NULL when there is nothing to run.  config must outlive it. */
bool action_start(const Config *config, Periodic **action, Err *err) MUST_CHECK;

#endif
