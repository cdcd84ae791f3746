/*
 * captured.c
 *		names for what server_tables() finds.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/captured.h"

#include "event/unread.h"
#include "source/snapshot.h"

/* The names of relids: their own, and those of their roots. */
static PGresult *
query_names(PGconn *conn, const TableList *tables, Err *err)
{
	Buf sql = buf_heap();
	PGresult *result;

	buf_text(
		&sql,
		"SELECT n.nspname, c.relname, "
		"coalesce(rn.nspname, n.nspname) || '.' || coalesce(r.relname, c.relname) "
		"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
		"LEFT JOIN pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid) "
		"LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace "
		"WHERE c.oid IN (0");
	for (size_t i = 0; i < tables->count; i++)
	{
		buf_char(&sql, ',');
		buf_uint64(&sql, tables->relids[i]);
	}
	buf_text(&sql, ") ORDER BY 3");
	result = server_query(conn, buf_cstr(&sql), err);
	buf_free(&sql);
	return result;
}

bool
captured_list(PGconn *conn, const Config *config, Arena *arena, const char **list,
              Err *err)
{
	Buf encoded = buf_heap();
	PGresult *result = NULL;
	const char *last = "";
	TableList tables;

	*list = NULL;
	if (config->snapshot_mode != SNAPSHOT_NO_DATA &&
	    (!server_tables(
			 conn, config, snapshot_more_tables(config), arena, &tables, err) ||
	     (result = query_names(conn, &tables, err)) == NULL))
	{
		buf_free(&encoded);
		return false;
	}
	for (int row = 0; result != NULL && row < PQntuples(result); row++)
	{
		const char *name = server_text(result, row, 2);

		if (strcmp(name, last) == 0 ||
		    !config_snapshots_table(
				config, server_text(result, row, 0), server_text(result, row, 1)))
			continue;
		if (encoded.len > 0)
			buf_char(&encoded, ',');
		unread_encode(&encoded, name);
		last = name;
	}
	if (encoded.len > 0)
		*list = arena_strndup(arena, encoded.data, encoded.len);
	PQclear(result);
	buf_free(&encoded);
	return true;
}
