/*
 * lag.c
 *		one look at pg_replication_slots.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/lag.h"

#include <stdlib.h>

bool
server_slot_lag(PGconn *conn, const char *slot, SlotLag *lag, Err *err)
{
	Buf sql = buf_heap();
	PGresult *result;

	*lag = (SlotLag){ .active_pid = 0 };
	if (!server_slot(conn, slot, &lag->slot, err))
		return false;
	buf_text(
		&sql,
		"SELECT e.lsn, greatest(e.lsn - s.confirmed_flush_lsn, 0), "
		"greatest(e.lsn - s.restart_lsn, 0), s.safe_wal_size, s.active_pid, "
		"CASE WHEN s.active THEN coalesce(extract(epoch FROM r.flush_lag), 0) "
		"ELSE extract(epoch FROM pg_catalog.clock_timestamp() - "
		"(pg_catalog.to_jsonb(s) ->> 'inactive_since')::timestamptz) END "
		"FROM (SELECT CASE WHEN pg_catalog.pg_is_in_recovery() "
		"THEN pg_catalog.pg_last_wal_replay_lsn() "
		"ELSE pg_catalog.pg_current_wal_flush_lsn() END AS lsn) AS e "
		"LEFT JOIN (pg_catalog.pg_replication_slots AS s LEFT JOIN "
		"pg_catalog.pg_stat_replication AS r ON r.pid = s.active_pid) ON s.slot_name = ");
	server_quote(&sql, '\'', slot);
	result = server_query(conn, buf_cstr(&sql), err);
	buf_free(&sql);
	if (result == NULL)
		return fail_while(err, "could not look up the lag of slot \"%s\"", slot);
	if (!lsn_parse(server_text(result, 0, 0), &lag->wal_end))
		lag->wal_end = 0;
	lag->lag_bytes = strtoull(server_text(result, 0, 1), NULL, 10);
	lag->kept_bytes = strtoull(server_text(result, 0, 2), NULL, 10);
	lag->has_safe_size = *server_text(result, 0, 3) != '\0';
	lag->safe_wal_size = strtoll(server_text(result, 0, 3), NULL, 10);
	lag->active_pid = (int) strtol(server_text(result, 0, 4), NULL, 10);
	lag->has_seconds = *server_text(result, 0, 5) != '\0';
	lag->lag_seconds = strtod(server_text(result, 0, 5), NULL);
	PQclear(result);
	return true;
}
