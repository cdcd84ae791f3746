/*
 * unmatched.c
 *		lists of columns that name none.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/unmatched.h"

#include "base/arena.h"
#include "envelope/unmatched.h"

bool
server_unmatched(PGconn *conn, const Config *config,
                 void (*report)(void *context, const char *property), void *context,
                 Err *err)
{
	static const char query[] =
		"SELECT n.nspname, c.relname, a.attname, t.typname FROM pg_class c "
		"JOIN pg_namespace n ON n.oid = c.relnamespace "
		"JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
		"JOIN pg_type t ON t.oid = a.atttypid "
		"WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.oid >= 16384";
	Arena *arena = arena_new();
	Alloc alloc = arena_as_alloc(arena);
	ColumnLists lists = column_lists(&config->env, &alloc);
	PGresult *result = NULL;
	bool ok = true;

	if (lists.count > 0)
	{
		result = server_query(conn, query, err);
		ok = result != NULL || fail_while(err, "could not list columns");
	}
	for (int row = 0; lists.unmatched > 0 && ok && row < PQntuples(result); row++)
		if (filter_wants_table(
				&config->env, server_text(result, row, 0), server_text(result, row, 1)))
			column_lists_mark(&lists,
			                  server_text(result, row, 0),
			                  server_text(result, row, 1),
			                  server_text(result, row, 2),
			                  server_text(result, row, 3));
	for (size_t i = 0; ok && i < lists.count; i++)
		if (!lists.items[i].matched)
			report(context, lists.items[i].property);
	PQclear(result);
	arena_free(arena);
	return ok;
}
