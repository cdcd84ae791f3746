/*
 * ask.c
 *		from names on the command line to a logical message.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/ask.h"

#include <string.h>

#include "event/unread.h"
#include "source/owner.h"
#include "source/server.h"

#define NAME_HINT                                                                        \
	"Write schema.table as the catalog has it, or with double quotes as in SQL where a " \
	"name has a dot or a comma in it: \"schema\".\"table\"."

static bool
check_slot(PGconn *sql, const Config *config, Err *err)
{
	SlotState slot;

	if (!server_slot(sql, config->slot_name, &slot, err))
		return false;
	if (slot.exists)
		return slot_is_ours(config, &slot, config->database_dbname, err);
	(void) fail(
		err, ERR_CONFIG, "replication slot \"%s\" does not exist", config->slot_name);
	return fail_hint(err,
	                 "Start the worker first: it reads all captured tables in its "
	                 "initial snapshot.");
}

/* A table as it was written: one text, or schema and table where one is quoted. */
typedef struct Written
{
	const char *text; /* for messages */
	const char *schema;
	const char *table; /* NULL: text is schema.table, as the catalog has it */
} Written;

/* What a quoted name stands for; *at moves behind it.  NULL: it does not end. */
static const char *
unquoted(const char **at, Arena *arena)
{
	char *name = arena_alloc(arena, strlen(*at));
	size_t len = 0;
	const char *from = *at + 1;

	for (; *from != '\0' && (*from != '"' || from[1] == '"'); from++)
	{
		from += *from == '"';
		name[len++] = *from;
	}
	name[len] = '\0';
	*at = from + 1;
	return *from == '"' ? name : NULL;
}

/* A part of a name, to its end: a quoted one, or len bytes as they are. */
static const char *
read_part(const char **at, size_t len, Arena *arena)
{
	const char *from = *at;

	if (*from == '"')
		return unquoted(at, arena);
	*at += len;
	return arena_strndup(arena, from, len);
}

/* Up to a comma or the end, without the spaces before it. */
static size_t
trimmed_length(const char *text)
{
	size_t len = strcspn(text, ",");

	while (len > 0 && text[len - 1] == ' ')
		len--;
	return len;
}

/* Schema and table, where a quote begins one of them; *at moves behind. */
static bool
read_parts(const char **at, size_t schema_len, Written *name, Arena *arena)
{
	name->schema = read_part(at, schema_len, arena);
	if (name->schema == NULL || **at != '.')
		return false;
	(*at)++;
	name->table = read_part(at, trimmed_length(*at), arena);
	if (name->table == NULL)
		return false;
	*at += strspn(*at, " ");
	return **at == ',' || **at == '\0';
}

/* Read one name, up to the comma or end behind it. */
static bool
read_name(const char **list, Written *name, Arena *arena, Err *err)
{
	const char *from = *list;
	const char *quote = *from == '"' ? from : strstr(from, ".\"");
	bool ok = true;

	*name = (Written){ 0 };
	if (quote != NULL && quote < from + strcspn(from, ","))
		ok = read_parts(list, (size_t) (quote - from), name, arena);
	else
		*list += strcspn(from, ",");
	name->text = arena_strndup(arena, from, ok ? (size_t) (*list - from) : strlen(from));
	if (ok)
		return true;
	(void) fail(err, ERR_CONFIG, "invalid name in option \"--tables\": %s", name->text);
	return fail_hint(err, NAME_HINT);
}

/* ---- Names as they are written ---- */

/* Whether neither read_name() nor a shell sees anything but a name in it. */
static bool
is_plain(const char *name)
{
	return strspn(name,
	              "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
	       strlen(name);
}

static void
print_part(Buf *buf, const char *name)
{
	if (is_plain(name))
		buf_text(buf, name);
	else
		server_quote(buf, '"', name);
}

void
ask_print(Buf *buf, const char *schema, const char *table)
{
	Buf name = buf_heap();

	print_part(&name, schema);
	buf_char(&name, '.');
	print_part(&name, table);
	if (is_plain(schema) && is_plain(table))
		buf_text(buf, buf_cstr(&name));
	else
	{
		buf_char(buf, '\'');
		for (const char *at = buf_cstr(&name); *at != '\0'; at++)
			if (*at == '\'')
				buf_text(buf, "'\\''");
			else
				buf_char(buf, *at);
		buf_char(buf, '\'');
	}
	buf_free(&name);
}

/* ---- The message ---- */

/* The names under which the table is read: of its root where it is a partition. */
static PGresult *
find_table(PGconn *sql, const Written *name, Err *err)
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
		"WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.oid >= 16384 "
		"AND ");
	buf_text(&query,
	         name->table == NULL ? "n.nspname || '.' || c.relname = " : "c.relname = ");
	server_quote(&query, '\'', name->table == NULL ? name->text : name->table);
	if (name->table != NULL)
	{
		buf_text(&query, " AND n.nspname = ");
		server_quote(&query, '\'', name->schema);
	}
	result = server_query(sql, buf_cstr(&query), err);
	buf_free(&query);
	return result;
}

static bool
add_table(PGconn *sql, const Config *config, const Written *name, Buf *list, Err *err)
{
	PGresult *result = find_table(sql, name, err);
	bool by_root = config->env.publish_via_partition_root;
	Buf root = buf_heap();
	bool ok = result != NULL;

	if (ok && PQntuples(result) == 0)
	{
		ok = fail(err,
		          ERR_CONFIG,
		          "table \"%s\" does not exist, or is no table whose changes are in "
		          "the WAL",
		          name->text);
		(void) fail_hint(err, NAME_HINT);
	}
	else if (ok && !filter_wants_table(&config->env,
	                                   server_text(result, 0, by_root ? 2 : 0),
	                                   server_text(result, 0, by_root ? 3 : 1)))
	{
		ok = fail(err, ERR_CONFIG, "table \"%s\" is not captured", name->text);
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
		Written name;

		tables += strspn(tables, " ");
		ok = read_name(&tables, &name, arena, err) &&
		     (*name.text == '\0' || add_table(sql, config, &name, list, err));
		tables += ok && *tables == ',';
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
