/*
 * ask.c
 *		from names on the command line to a logical message.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/ask.h"

#include <string.h>

#include "event/unread.h"
#include "source/server.h"

static bool
check_slot(PGconn *sql, const Config *config, Err *err)
{
	SlotState slot;

	if (!server_slot(sql, config->slot_name, &slot, err))
		return false;
	if (slot.exists)
		return true;
	(void) fail(
		err, ERR_CONFIG, "replication slot \"%s\" does not exist", config->slot_name);
	return fail_hint(err,
	                 "Start the worker first: it reads all captured tables in its "
	                 "initial snapshot.");
}

/* The names under which the table is read: of its root where it is a partition. */
static PGresult *
find_table(PGconn *sql, const char *name, Err *err)
{
	Buf query = buf_heap();
	PGresult *result;

	buf_text(
		&query,
		"SELECT n.nspname, c.relname, coalesce(rn.nspname, n.nspname), "
		"coalesce(r.relname, c.relname) "
		"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
		"LEFT JOIN pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid) "
		"LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace "
		"WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' "
		"AND n.nspname || '.' || c.relname = ");
	server_quote(&query, '\'', name);
	result = server_query(sql, buf_cstr(&query), err);
	buf_free(&query);
	return result;
}

static bool
add_table(PGconn *sql, const Config *config, const char *name, Buf *list, Err *err)
{
	PGresult *result = find_table(sql, name, err);
	bool by_root = config->env.publish_via_partition_root;
	Buf root = buf_heap();
	bool ok = result != NULL;

	if (ok && PQntuples(result) == 0)
	{
		ok = fail(err, ERR_CONFIG, "table \"%s\" does not exist", name);
		(void) fail_hint(err, "Write schema.table, as the catalog has it, unquoted.");
	}
	else if (ok && !filter_wants_table(&config->env,
	                                   server_text(result, 0, by_root ? 2 : 0),
	                                   server_text(result, 0, by_root ? 3 : 1)))
	{
		ok = fail(err, ERR_CONFIG, "table \"%s\" is not captured", name);
		(void) fail_hint(
			err,
			"See table.include.list and the lists beside it; the worker must "
			"have been started with them.");
	}
	if (ok)
	{
		buf_printf(&root, "%s.%s", server_text(result, 0, 2), server_text(result, 0, 3));
		if (list->len > 0)
			buf_char(list, ',');
		unread_encode(list, buf_cstr(&root));
	}
	buf_free(&root);
	PQclear(result);
	return ok;
}

static bool
read_names(PGconn *sql, const Config *config, const char *tables, Buf *list, Err *err)
{
	Arena *arena = arena_new();
	bool ok = true;

	while (ok && *tables != '\0')
	{
		size_t len = strcspn(tables, ",");
		const char *name = arena_strndup(arena, tables, len);

		while (*name == ' ')
			name++;
		if (*name != '\0')
			ok = add_table(sql, config, name, list, err);
		tables += len + (tables[len] == ',');
	}
	arena_free(arena);
	if (ok && list->len == 0)
		return fail(err, ERR_CONFIG, "option \"--tables\" names no table");
	return ok;
}

/* The commit flushes the message, without waiting for a standby. */
static bool
emit(PGconn *sql, const Config *config, const char *list, FILE *to, Err *err)
{
	Buf content = buf_heap();
	Buf query = buf_heap();
	PGresult *result;

	buf_printf(&content, "%s %s", config->slot_name, list);
	buf_text(&query,
	         "BEGIN; SET LOCAL synchronous_commit = local; "
	         "SELECT pg_logical_emit_message(true, '" ASK_PREFIX "', ");
	server_quote(&query, '\'', buf_cstr(&content));
	buf_text(&query, "); COMMIT");
	result = server_query(sql, buf_cstr(&query), err);
	buf_free(&content);
	buf_free(&query);
	if (result == NULL)
		return false;
	PQclear(result);
	(void) fprintf(
		to, "asked the worker of slot \"%s\" to read: %s\n", config->slot_name, list);
	return true;
}

bool
ask_tables(const Config *config, const char *tables, FILE *to, Err *err)
{
	PGconn *sql = server_connect(config, false, err);
	Buf list = buf_heap();
	bool ok = sql != NULL && check_slot(sql, config, err) &&
	          read_names(sql, config, tables, &list, err) &&
	          emit(sql, config, buf_cstr(&list), to, err);

	buf_free(&list);
	PQfinish(sql);
	return ok;
}
