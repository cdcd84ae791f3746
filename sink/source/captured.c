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
		"coalesce(rn.nspname, n.nspname), coalesce(r.relname, c.relname), "
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
	buf_text(&sql, ") ORDER BY 5");
	result = server_query(conn, buf_cstr(&sql), err);
	buf_free(&sql);
	return result;
}

typedef struct Listing
{
	const Config *config; /* whose tables */
	const Config *except; /* but for those of this one; NULL: all */
	bool only_read;       /* and of these, what a snapshot reads */
} Listing;

static bool
is_listed(const Listing *listing, const PGresult *result, int row)
{
	const Config *config = listing->config;
	int at = config->env.publish_via_partition_root ? 2 : 0;

	if (listing->except != NULL && filter_wants_table(&listing->except->env,
	                                                  server_text(result, row, at),
	                                                  server_text(result, row, at + 1)))
		return false;
	return !listing->only_read || config_snapshots_table(config,
	                                                     server_text(result, row, 0),
	                                                     server_text(result, row, 1));
}

static bool
list_tables(PGconn *conn, const Listing *listing, Arena *arena, const char **list,
            Err *err)
{
	const Config *config = listing->config;
	Buf encoded = buf_heap();
	PGresult *result = NULL;
	const char *last = "";
	TableList tables;

	*list = NULL;
	if (listing->only_read && config->snapshot_mode == SNAPSHOT_NO_DATA)
		return true;
	if (!server_tables(conn, config, snapshot_more_tables(config), arena, &tables, err) ||
	    (result = query_names(conn, &tables, err)) == NULL)
		return false;
	for (int row = 0; row < PQntuples(result); row++)
	{
		const char *name = server_text(result, row, 4);

		if (strcmp(name, last) == 0 || !is_listed(listing, result, row))
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

bool
captured_list(PGconn *conn, const Config *config, Arena *arena, const char **list,
              Err *err)
{
	const Listing listing = { .config = config, .only_read = true };

	return list_tables(conn, &listing, arena, list, err);
}

/* ---- Lists that were changed ---- */

#define LIST_COUNT 4

static void
lists_of(Config *config, FilterList *lists[LIST_COUNT])
{
	lists[0] = &config->env.table_include_list;
	lists[1] = &config->env.table_exclude_list;
	lists[2] = &config->env.schema_include_list;
	lists[3] = &config->env.schema_exclude_list;
}

const char *
captured_lists(const Config *config, Arena *arena)
{
	Config copy = *config;
	FilterList *lists[LIST_COUNT];
	Buf buf = buf_heap();
	const char *text;

	lists_of(&copy, lists);
	for (int i = 0; i < LIST_COUNT; i++)
	{
		if (i > 0)
			buf_char(&buf, ',');
		unread_encode(&buf, lists[i]->text);
	}
	text = arena_strndup(arena, buf.data, buf.len);
	buf_free(&buf);
	return text;
}

/* Compile lists, which is the text of captured_lists(), into old's, which is a copy. */
static bool
read_lists(Config *old, const char *text, Arena *arena, Err *err)
{
	const Alloc alloc = arena_as_alloc(arena);
	FilterList *lists[LIST_COUNT];
	EnvError error = { 0 };
	bool ok = true;

	lists_of(old, lists);
	for (int i = 0; i < LIST_COUNT; i++)
	{
		const char *item = unread_next(&text, arena);

		*lists[i] = (FilterList){ 0 };
		/* the last may be empty, and is the end of the text */
		if (ok && !filter_compile(lists[i], item == NULL ? "" : item, &alloc, &error))
			ok = fail(err,
			          ERR_FATAL,
			          "the stored lists of tables are damaged: %s",
			          error.message);
	}
	return ok;
}

static void
free_lists(Config *old)
{
	FilterList *lists[LIST_COUNT];

	lists_of(old, lists);
	for (int i = 0; i < LIST_COUNT; i++)
		filter_free(lists[i]);
}

bool
captured_change(PGconn *conn, const Config *config, const char *lists, Arena *arena,
                CapturedChange *change, Err *err)
{
	Config old = *config;
	const Listing added = { .config = config, .except = &old };
	const Listing unread = { .config = config, .except = &old, .only_read = true };
	const Listing removed = { .config = &old, .except = config };
	bool ok = read_lists(&old, lists, arena, err) &&
	          list_tables(conn, &added, arena, &change->added, err) &&
	          list_tables(conn, &unread, arena, &change->unread, err) &&
	          list_tables(conn, &removed, arena, &change->removed, err);

	free_lists(&old);
	return ok;
}
