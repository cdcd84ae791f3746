/*
 * whereabouts.c
 *		one question to the catalog, for all tables.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/whereabouts.h"

enum
{
	COLUMN_AT, /* counted from 1 */
	COLUMN_IS_LEAF,
	COLUMN_IS_PARTITION,
	COLUMN_IS_LOGGED,
	COLUMN_SCHEMA,
	COLUMN_NAME,
	COLUMN_ROOT_SCHEMA,
	COLUMN_ROOT_NAME,
};

/* The tables, each followed by its leaves. */
static PGresult *
query_catalog(PGconn *conn, const Whereabouts *tables, size_t count, Err *err)
{
	Buf sql = buf_heap();
	PGresult *result;

	buf_text(&sql, "WITH w AS (SELECT oid, at FROM unnest('{");
	for (size_t i = 0; i < count; i++)
		buf_printf(&sql, "%s%u", i == 0 ? "" : ",", tables[i].relid);
	buf_text(&sql,
	         "}'::oid[]) WITH ORDINALITY AS u(oid, at)), "
	         "m AS (SELECT at, oid, false AS is_leaf FROM w UNION ALL "
	         "SELECT w.at, p.oid, true FROM pg_class p "
	         "JOIN w ON w.oid = pg_partition_root(p.oid)::oid "
	         "WHERE p.relispartition AND p.relkind = 'r') "
	         "SELECT m.at, m.is_leaf, c.relispartition, c.relpersistence = 'p', "
	         "n.nspname, c.relname, rn.nspname, r.relname "
	         "FROM m JOIN pg_class c ON c.oid = m.oid AND c.relkind IN ('r', 'p') "
	         "JOIN pg_namespace n ON n.oid = c.relnamespace "
	         "LEFT JOIN pg_class r "
	         "ON c.relispartition AND r.oid = pg_partition_root(c.oid) "
	         "LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace "
	         "ORDER BY m.at, m.is_leaf, n.nspname, c.relname");
	result = server_query(conn, buf_cstr(&sql), err);
	buf_free(&sql);
	return result;
}

static bool
is_true(const PGresult *result, int row, int column)
{
	return *server_text(result, row, column) == 't';
}

static void
take_row(const Config *config, const PGresult *result, int row, Arena *arena,
         Whereabouts *table)
{
	bool is_leaf = is_true(result, row, COLUMN_IS_LEAF);
	bool is_partition = !is_leaf && is_true(result, row, COLUMN_IS_PARTITION);
	const char *schema =
		server_text(result, row, is_partition ? COLUMN_ROOT_SCHEMA : COLUMN_SCHEMA);
	const char *name =
		server_text(result, row, is_partition ? COLUMN_ROOT_NAME : COLUMN_NAME);
	bool is_captured = is_true(result, row, COLUMN_IS_LOGGED) &&
	                   filter_wants_table(&config->env, schema, name);

	/* Leaves have names of their own for the lists only where roots' do not count. */
	if (is_leaf && (table->place != PLACE_UNCAPTURED || !is_captured ||
	                config->env.publish_via_partition_root))
		return;
	table->place = is_partition  ? PLACE_PARTITION
	               : is_captured ? PLACE_CAPTURED
	                             : PLACE_UNCAPTURED;
	table->schema = arena_strdup(arena, schema);
	table->name = arena_strdup(arena, name);
}

bool
whereabouts_find(PGconn *conn, const Config *config, Arena *arena, Whereabouts *tables,
                 size_t count, Err *err)
{
	PGresult *result = query_catalog(conn, tables, count, err);

	if (result == NULL)
		return fail_while(err, "could not look for tables");
	for (size_t i = 0; i < count; i++)
		tables[i].place = tables[i].relid == 0 ? PLACE_UNKNOWN : PLACE_GONE;
	for (int row = 0; row < PQntuples(result); row++)
		take_row(
			config, result, row, arena, &tables[server_oid(result, row, COLUMN_AT) - 1]);
	PQclear(result);
	return true;
}
