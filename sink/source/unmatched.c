/*
 * unmatched.c
 *		lists of tables and columns that name none.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/unmatched.h"

#include <stdio.h>

#include "base/arena.h"
#include "config/settings.h"
#include "envelope/regex.h"
#include "envelope/unmatched.h"

typedef void (*Report)(void *context, const char *sentence);

/* What an expression of a list matches. */
typedef struct Matched
{
	bool tables;
	bool parents; /* partitioned tables, whose rows have the names of partitions */
} Matched;

static void
mark(const FilterList *list, Matched *matched, const char *name, bool is_parent)
{
	for (size_t i = 0; i < list->count; i++)
		if (regex_matches(list->patterns[i], name))
			*(is_parent ? &matched[i].parents : &matched[i].tables) = true;
}

static void
report_expressions(const FilterList *list, const Matched *matched, const char *property,
                   Report report, void *context)
{
	char sentence[320];
	char shown[SHOWN_SIZE];

	for (size_t i = 0; i < list->count; i++)
	{
		if (matched[i].tables)
			continue;
		(void) snprintf(sentence,
		                sizeof sentence,
		                matched[i].parents
		                    ? "%s names a partitioned table and none of its partitions "
		                      "by \"%s\": changes have the partitions' names, unless "
		                      "publish.via.partition.root is set"
		                    : "%s names no table that exists now by \"%s\"",
		                property,
		                setting_shown(list->expressions[i], shown));
		report(context, sentence);
	}
}

static bool
report_tables(PGconn *conn, const Config *config, Report report, void *context,
              Arena *arena, Err *err)
{
	static const char query[] =
		"SELECT n.nspname, n.nspname || '.' || c.relname, c.relkind = 'p' "
		"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
		"WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384";
	const FilterList *schemas = &config->env.schema_include_list;
	const FilterList *tables = &config->env.table_include_list;
	Matched *by_schema = arena_zero(arena, sizeof(Matched) * (schemas->count + 1));
	Matched *by_table = arena_zero(arena, sizeof(Matched) * (tables->count + 1));
	PGresult *result;

	if (schemas->count + tables->count == 0)
		return true;
	result = server_query(conn, query, err);
	if (result == NULL)
		return fail_while(err, "could not list tables");
	for (int row = 0; row < PQntuples(result); row++)
	{
		bool is_parent = server_text(result, row, 2)[0] == 't' &&
		                 !config->env.publish_via_partition_root;

		mark(schemas, by_schema, server_text(result, row, 0), false);
		mark(tables, by_table, server_text(result, row, 1), is_parent);
	}
	PQclear(result);
	report_expressions(schemas, by_schema, "schema.include.list", report, context);
	report_expressions(tables, by_table, "table.include.list", report, context);
	return true;
}

static void
report_columns(const ColumnLists *lists, Report report, void *context)
{
	char sentence[512];
	char shown[SHOWN_SIZE];

	for (size_t i = 0; i < lists->count; i++)
	{
		if (lists->items[i].matched)
			continue;
		(void) snprintf(
			sentence,
			sizeof sentence,
			"%s names no column of the captured tables as they are now: \"%s\"",
			lists->items[i].property,
			setting_shown(lists->items[i].list->text, shown));
		report(context, sentence);
	}
}

bool
server_unmatched(PGconn *conn, const Config *config, Report report, void *context,
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
	bool ok = report_tables(conn, config, report, context, arena, err);

	if (ok && lists.count > 0)
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
	if (ok)
		report_columns(&lists, report, context);
	PQclear(result);
	arena_free(arena);
	return ok;
}
