/*
 * publication.c
 *		what is captured, beside what pg_publication_tables has.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/publication.h"

static PGresult *
list_columns(PGconn *sql, const Config *config, Err *err)
{
	/* a partition is published by itself, or as its root */
	static const char query[] =
		"SELECT n.nspname, c.relname, a.attname, p.pubname IS NULL, "
		"a.attname = ANY (p.attnames), p.rowfilter FROM pg_class c "
		"JOIN pg_namespace n ON n.oid = c.relnamespace "
		"JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
		"AND NOT a.attisdropped AND a.attgenerated = '' "
		"LEFT JOIN pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid) "
		"LEFT JOIN pg_namespace s ON s.oid = r.relnamespace "
		"LEFT JOIN pg_publication_tables p ON p.pubname = $1 "
		"AND (p.schemaname, p.tablename) IN "
		"((n.nspname, c.relname), (s.nspname, r.relname)) "
		"WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.oid >= 16384 "
		"ORDER BY 1, 2, a.attnum";
	const char *const values[] = { config->publication_name };
	PGresult *result = PQexecParams(sql, query, 1, NULL, values, NULL, NULL, 0);

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return result;
	(void) server_fail(sql, result, err);
	(void) fail_while(err, "could not list what is published");
	PQclear(result);
	return NULL;
}

/* One captured column. */
static bool
check_column(const Config *config, const PGresult *result, int row, Err *err)
{
	const char *schema = server_text(result, row, 0);
	const char *table = server_text(result, row, 1);
	const char *column = server_text(result, row, 2);
	const char *publication = config->publication_name;

	if (*server_text(result, row, 3) == 't')
	{
		fail(err,
		     ERR_CONFIG,
		     "table \"%s.%s\" is captured, but publication \"%s\" does not have it",
		     schema,
		     table,
		     publication);
		return fail_hint(err,
		                 "The worker reads no publication: leave the table out by "
		                 "table.exclude.list, or remove publication.autocreate.mode to "
		                 "capture it.");
	}
	if (!PQgetisnull(result, row, 5) &&
	    row_filter_named(&config->env.row_filters, schema, table) == NULL)
	{
		fail(err,
		     ERR_CONFIG,
		     "publication \"%s\" has a row filter for table \"%s.%s\"",
		     publication,
		     schema,
		     table);
		return fail_hint(err,
		                 "The worker reads no publication: set row.filter.%s.%s to that "
		                 "expression, or remove publication.autocreate.mode to capture "
		                 "all rows.",
		                 schema,
		                 table);
	}
	if (*server_text(result, row, 4) == 't' ||
	    !filter_wants_column(&config->env, schema, table, column))
		return true;
	fail(err,
	     ERR_CONFIG,
	     "column \"%s.%s.%s\" is captured, but publication \"%s\" does not have it",
	     schema,
	     table,
	     column,
	     publication);
	return fail_hint(err,
	                 "The worker reads no publication: leave the column out by "
	                 "column.exclude.list, or remove publication.autocreate.mode to "
	                 "capture it.");
}

bool
publication_check(PGconn *sql, const Config *config, Err *err)
{
	PGresult *result;
	bool ok = true;

	if (config->publication_mode != PUBLICATION_DISABLED &&
	    config->publication_mode != PUBLICATION_NO_TABLES)
		return true;
	result = list_columns(sql, config, err);
	if (result == NULL)
		return false;
	for (int row = 0; ok && row < PQntuples(result); row++)
		if (filter_wants_table(
				&config->env, server_text(result, row, 0), server_text(result, row, 1)))
			ok = check_column(config, result, row, err);
	PQclear(result);
	return ok;
}
