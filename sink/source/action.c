/*
 * action.c
 *		heartbeat.action.query, at every heartbeat.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/action.h"

static bool
run(const Config *config, void *context, PGconn *conn, Err *err)
{
	PGresult *result = server_query(conn, config->heartbeat_action_query, err);

	(void) context;
	PQclear(result);
	return result != NULL;
}

bool
action_start(const Config *config, Periodic **action, Err *err)
{
	const PeriodicTask task = {
		.config = config,
		.name = "heartbeat",
		.what = "run heartbeat.action.query",
		.interval_ms = config->heartbeat_interval_ms,
		.connect = server_connect_plain,
		.work = run,
	};

	*action = NULL;
	return config->heartbeat_interval_ms == 0 ||
	       *config->heartbeat_action_query == '\0' || periodic_start(&task, action, err);
}
