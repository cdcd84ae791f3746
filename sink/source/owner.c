/*
 * owner.c
 *		who streams from the slot.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/owner.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

bool
slot_is_ours(const Config *config, const SlotState *slot, const char *database, Err *err)
{
	const char *name = config->slot_name;

	if (strcmp(slot->plugin, SERVER_PLUGIN) != 0)
	{
		if (*slot->plugin == '\0')
			fail(err, ERR_CONFIG, "replication slot \"%s\" is a physical one", name);
		else
			fail(err,
			     ERR_CONFIG,
			     "replication slot \"%s\" uses plugin \"%s\", not \"" SERVER_PLUGIN "\"",
			     name,
			     slot->plugin);
		return fail_hint(
			err, "Choose another slot.name, or drop the slot if nothing uses it.");
	}
	if (strcmp(slot->database, database) != 0)
	{
		fail(err,
		     ERR_CONFIG,
		     "replication slot \"%s\" belongs to database \"%s\", not \"%s\"",
		     name,
		     slot->database,
		     database);
		return fail_hint(err,
		                 "Set database.dbname to \"%s\", or choose another slot.name.",
		                 slot->database);
	}
	return true;
}

/* "PID 4711 (cdc-sink from 10.0.0.7)", as far as the role may see it. */
static void
describe(PGconn *sql, int pid, char text[256])
{
	char query[320];
	Err ignored;
	PGresult *result;

	(void) snprintf(query,
	                sizeof query,
	                "SELECT pg_catalog.concat(' (', application_name, ' from ' || "
	                "COALESCE(pg_catalog.host(client_addr), 'a local socket'), ')') "
	                "FROM pg_catalog.pg_stat_replication WHERE pid = %d "
	                "AND application_name IS NOT NULL",
	                pid);
	result = server_query(sql, query, &ignored);
	(void) snprintf(text,
	                256,
	                "PID %d%s",
	                pid,
	                result != NULL && PQntuples(result) == 1 ? server_text(result, 0, 0)
	                                                         : "");
	PQclear(result);
}

bool
slot_owner_check(PGconn *sql, const Config *config, const SlotState *slot,
                 SlotOwner *owner, Err *err)
{
	int64_t limit_us = config->slot_retries * config->slot_retry_delay_ms * 1000;
	int64_t now_us = clock_mono_us();
	char who[256];

	if (!slot->exists || !slot->active)
	{
		owner->busy_since_us = 0;
		return true;
	}
	describe(sql, slot->active_pid, who);
	if (owner->pid != 0 && slot->active_pid != owner->pid)
	{
		fail(err,
		     ERR_FATAL,
		     "another worker has taken over replication slot \"%s\": %s streams from it",
		     config->slot_name,
		     who);
		return fail_hint(
			err,
			"Nothing is lost: it stores what this worker had not stored, and nothing is "
			"stored twice. Keep one worker per slot.");
	}
	if (owner->busy_since_us == 0)
		owner->busy_since_us = now_us;
	fail(err,
	     now_us - owner->busy_since_us < limit_us ? ERR_RETRY : ERR_FATAL,
	     "replication slot \"%s\" is in use by %s",
	     config->slot_name,
	     who);
	return fail_hint(
		err,
		"Another worker streams from it and is not disturbed: stop that one, or choose "
		"another slot.name, topic.prefix and lake.namespace. A connection that was lost "
		"frees the slot after wal_sender_timeout.");
}
