/*
 * row_filter.c
 *		whether the row filters are right for the tables as they are now.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/row_filter.h"

#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "source/stream.h"

static bool
create_slot(PGconn *sql, const Config *config, const char *name, Err *err)
{
	char command[256];
	PGresult *result;
	bool ok;

	(void) snprintf(command,
	                sizeof command,
	                "SELECT pg_create_logical_replication_slot('%s', '" SERVER_PLUGIN
	                "', true)",
	                name);
	result = PQexec(sql, command);
	ok = PQresultStatus(result) == PGRES_TUPLES_OK;
	if (!ok)
	{
		(void) server_fail(sql, result, err);
		(void) server_slot_hint(
			sql, config, PQresultErrorField(result, PG_DIAG_SQLSTATE), err);
		(void) fail_while(err, "could not create a slot to check row filters with");
	}
	PQclear(result);
	return ok;
}

bool
row_filter_check(PGconn *sql, const Config *config, Err *err)
{
	char name[64];
	Err ignored;
	bool ok;

	if (config->env.row_filters.count == 0)
		return true;
	(void) snprintf(name, sizeof name, "cdc_sink_filters_%ld", (long) getpid());
	if (!create_slot(sql, config, name, err))
		return false;
	ok = stream_check(sql, config, name, err);
	return server_drop_slot(sql, name, ok ? err : &ignored) && ok;
}

/* Note which filter rows of a table pass. */
static void
mark(const PGresult *result, int row, const EnvOptions *options, bool *matched)
{
	const Relation relation = {
		.schema = server_text(result, row, 0),
		.name = server_text(result, row, 1),
		.root_relid = server_oid(result, row, 2),
		.root_schema = server_text(result, row, 3),
		.root_name = server_text(result, row, 4),
	};
	FilterTable table = filter_table(options, &relation);
	const RowFilter *filter = row_filter_of(options, &relation, NULL);

	if (filter != NULL && filter_wants_table(options, table.schema, table.name))
		matched[filter - options->row_filters.rules] = true;
}

bool
row_filter_unmatched(PGconn *sql, const Config *config,
                     void (*report)(void *context, const char *property), void *context,
                     Err *err)
{
	static const char query[] =
		"SELECT n.nspname, c.relname, coalesce(r.oid, 0), "
		"coalesce(rn.nspname, ''), coalesce(r.relname, '') "
		"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
		"LEFT JOIN pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid) "
		"LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace "
		"WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.oid >= 16384";
	const RowFilters *filters = &config->env.row_filters;
	PGresult *result;
	Arena *arena;
	bool *matched;

	if (filters->count == 0)
		return true;
	result = server_query(sql, query, err);
	if (result == NULL)
		return fail_while(err, "could not list tables");
	arena = arena_new();
	matched = arena_zero(arena, filters->count * sizeof *matched);
	for (int row = 0; row < PQntuples(result); row++)
		mark(result, row, &config->env, matched);
	for (size_t i = 0; i < filters->count; i++)
		if (!matched[i])
			report(context,
			       arena_printf(arena, "row.filter.%s", filters->rules[i].table));
	PQclear(result);
	arena_free(arena);
	return true;
}
