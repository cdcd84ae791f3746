/*
 * timeline.c
 *		reads a timeline history file: "parent timeline <tab> switch LSN <tab> reason"
 *lines.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/timeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool
find_switch(const char *history, uint32_t from, Lsn *lsn)
{
	while (*history != '\0')
	{
		size_t len = strcspn(history, "\n");
		char *rest;
		unsigned long timeline = strtoul(history, &rest, 10);
		char text[LSN_TEXT_SIZE];
		size_t skip = strspn(rest, " \t");
		size_t word = strcspn(rest + skip, " \t\n");

		if (timeline == from && rest != history && word < sizeof text)
		{
			memcpy(text, rest + skip, word);
			text[word] = '\0';
			return lsn_parse(text, lsn);
		}
		history += len + (history[len] == '\n');
	}
	return false;
}

bool
timeline_switch(PGconn *replication, uint32_t from, uint32_t current, Lsn *lsn, Err *err)
{
	char command[64];
	PGresult *result;
	bool found;

	*lsn = 0;
	if (from == current)
		return true;
	(void) snprintf(command, sizeof command, "TIMELINE_HISTORY %" PRIu32, current);
	result = server_query(replication, command, err);
	if (result == NULL)
		return false;
	found = PQntuples(result) == 1 && find_switch(PQgetvalue(result, 0, 1), from, lsn);
	PQclear(result);
	if (found)
		return true;
	fail(err,
	     ERR_CONFIG,
	     "timeline %" PRIu32
	     " of the stored position is not in the history of the server's timeline "
	     "%" PRIu32,
	     from,
	     current);
	return fail_hint(
		err,
		"This is not a descendant of the server that was read before. Start afresh with "
		"another slot.name, topic.prefix and lake.namespace.");
}
