/*
 * check.c
 *		what a run needs of the server, looked at one by one.
 *
 * The checks are a table, in order; each prints its lines.  One that needs what an
 * earlier one found broken is skipped: no second line says the same.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/check.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "envelope/render.h"
#include "source/publication.h"
#include "source/row_filter.h"
#include "source/server.h"
#include "source/unmatched.h"

#define LINES_MAX        20 /* of one kind about tables */
#define OLDEST_SERVER    150000
#define WORK_MEM_KB      65536
#define SLOT_TIMEOUT_MS  10000
#define SQLSTATE_TIMEOUT "57014"

typedef struct Check
{
	const Config *config;
	FILE *to;
	Arena *arena;
	PGconn *sql;
	PGconn *replication;
	TableList tables;
	SlotState slot;
	bool can_decode; /* wal_level, plugin allowed, privilege: a slot can be made */
	int problems;
	Err *err;
} Check;

static bool check_connection(Check *check);
static bool check_version(Check *check);
static bool check_wal_level(Check *check);
static bool check_plugin_allowed(Check *check);
static bool check_replication(Check *check);
static bool check_free_places(Check *check);
static bool check_slot(Check *check);
static bool check_plugin_loads(Check *check);
static bool check_publication(Check *check);
static bool check_tables(Check *check);
static bool check_columns(Check *check);
static bool check_row_filters(Check *check);
static bool check_privileges(Check *check);
static bool check_keys(Check *check);
static bool check_settings(Check *check);

/* In order.  False ends the checks: the connection was lost, or never made. */
static bool (*const check_table[])(Check *check) = {
	check_connection,  check_version, check_wal_level,   check_plugin_allowed,
	check_replication, check_slot,    check_free_places, check_plugin_loads,
	check_publication, check_tables,  check_columns,     check_row_filters,
	check_privileges,  check_keys,    check_settings,
};

bool
check_source(const Config *config, FILE *to, Err *err)
{
	Check check = {
		.config = config, .to = to, .arena = arena_new(), .can_decode = true, .err = err
	};
	bool complete = true;

	for (size_t i = 0; complete && i < sizeof check_table / sizeof *check_table; i++)
		complete = check_table[i](&check);
	PQfinish(check.replication);
	PQfinish(check.sql);
	arena_free(check.arena);
	if (complete && check.problems > 0)
		(void) fail(err, ERR_CONFIG, "%d things to fix at the source", check.problems);
	return complete && check.problems == 0;
}

/* ---- Lines ---- */

static void print_line(Check *check, const char *verdict, const char *format,
                       va_list args) __attribute__((format(printf, 3, 0)));
static void ok(Check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void note(Check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void fix(Check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
print_line(Check *check, const char *verdict, const char *format, va_list args)
{
	(void) fprintf(check->to, "%-4s  ", verdict);
	(void) vfprintf(check->to, format, args);
	(void) fputc('\n', check->to);
	(void) fflush(check->to);
}

static void
ok(Check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(check, "ok", format, args);
	va_end(args);
}

static void
note(Check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(check, "note", format, args);
	va_end(args);
}

static void
fix(Check *check, const char *format, ...)
{
	va_list args;

	check->problems++;
	va_start(args, format);
	print_line(check, "fix", format, args);
	va_end(args);
}

/* A failure that is itself a finding. */
static void
fix_error(Check *check, const Err *err)
{
	fix(check, "%s%s%s", err->text, err->hint[0] == '\0' ? "" : ". ", err->hint);
}

/* The value of a setting, "" when the server has none of that name; NULL: lost. */
static const char *
setting(Check *check, const char *name)
{
	Buf sql = buf_heap();
	PGresult *result;
	const char *value = NULL;

	buf_text(&sql, "SELECT coalesce(current_setting(");
	server_quote(&sql, '\'', name);
	buf_text(&sql, ", true), '')");
	result = server_query(check->sql, buf_cstr(&sql), check->err);
	if (result != NULL)
		value = arena_strdup(check->arena, server_text(result, 0, 0));
	PQclear(result);
	buf_free(&sql);
	return value;
}

/* A query's single number. */
static bool
number(Check *check, const char *sql, long long *value)
{
	PGresult *result = server_query(check->sql, sql, check->err);

	if (result == NULL)
		return false;
	*value = PQntuples(result) == 0 ? 0 : strtoll(server_text(result, 0, 0), NULL, 10);
	PQclear(result);
	return true;
}

/* ---- The server ---- */

static bool
check_connection(Check *check)
{
	const Config *config = check->config;

	check->sql = server_connect(config, false, check->err);
	if (check->sql == NULL)
	{
		fix_error(check, check->err);
		return false;
	}
	ok(check,
	   "connected to database \"%s\" at \"%s\" port %lld as \"%s\"%s",
	   config->database_dbname,
	   config->database_hostname,
	   (long long) config->database_port,
	   config->database_user,
	   PQsslInUse(check->sql) ? ", encrypted" : "");
	return true;
}

/* Minors from which on decoding is right when DDL runs beside DML ("distribute
 * invalidation messages", May 2025). */
static bool
check_version(Check *check)
{
	static const int sound[] = { 150013, 160009, 170005 };
	int version = PQserverVersion(check->sql);
	const char *text = PQparameterStatus(check->sql, "server_version");

	if (version < OLDEST_SERVER)
	{
		fix(check, "PostgreSQL %s is too old. Upgrade to 15 or newer.", text);
		return true;
	}
	for (size_t i = 0; i < sizeof sound / sizeof *sound; i++)
		if (version / 10000 == sound[i] / 10000 && version < sound[i])
		{
			note(check,
			     "PostgreSQL %s can decode with an old table definition when DDL runs "
			     "beside DML. Upgrade to %d.%d or newer.",
			     text,
			     sound[i] / 10000,
			     sound[i] % 10000);
			return true;
		}
	ok(check, "PostgreSQL %s", text);
	return true;
}

static bool
check_wal_level(Check *check)
{
	const char *level = setting(check, "wal_level");

	if (level == NULL)
		return false;
	if (strcmp(level, "logical") == 0)
	{
		ok(check, "wal_level is logical");
		return true;
	}
	check->can_decode = false;
	fix(check,
	    "wal_level is %s. As a superuser: ALTER SYSTEM SET wal_level = logical; then "
	    "restart the server.",
	    level);
	return true;
}

static bool
check_plugin_allowed(Check *check)
{
	bool allowed;
	char value[512];

	if (!server_plugin_allowed(check->sql, &allowed, value, check->err))
		return false;
	if (allowed)
	{
		ok(check,
		   value[0] == '\0'
		       ? "output_plugin_libraries is absent, or hidden from this role: "
		         "the plugin is tried below"
		       : "output_plugin_libraries allows " SERVER_PLUGIN);
		return true;
	}
	check->can_decode = false;
	fix(check,
	    "output_plugin_libraries does not allow " SERVER_PLUGIN ". As a superuser: ALTER "
	    "SYSTEM SET output_plugin_libraries = %s; SELECT pg_reload_conf();",
	    value);
	return true;
}

static bool
check_replication(Check *check)
{
	ServerIdentity identity;
	Err err;

	check->replication = server_connect(check->config, true, &err);
	if (check->replication != NULL &&
	    server_identify(check->replication, &identity, &err))
	{
		ok(check,
		   "\"%s\" may replicate; system %llu, timeline %u",
		   check->config->database_user,
		   (unsigned long long) identity.system_id,
		   identity.timeline);
		return true;
	}
	check->can_decode = false;
	if (err.hint[0] == '\0')
		fail_hint(&err,
		          "The role needs REPLICATION (ALTER ROLE \"%s\" REPLICATION;) and "
		          "pg_hba.conf a line that lets it into this database.",
		          check->config->database_user);
	fix_error(check, &err);
	return true;
}

static bool
check_slot(Check *check)
{
	const char *name = check->config->slot_name;
	SlotState *slot = &check->slot;

	if (!server_slot(check->sql, name, slot, check->err))
		return false;
	if (!slot->exists)
		ok(check, "slot \"%s\" does not exist yet: run creates it", name);
	else if (strcmp(slot->plugin, SERVER_PLUGIN) != 0)
		fix(check,
		    "slot \"%s\" belongs to the plugin \"%s\". Choose another slot.name.",
		    name,
		    slot->plugin);
	else if (strcmp(slot->database, check->config->database_dbname) != 0)
		fix(check,
		    "slot \"%s\" belongs to the database \"%s\". Choose another slot.name.",
		    name,
		    slot->database);
	else if (strcmp(slot->wal_status, "lost") == 0)
		fix(check,
		    "slot \"%s\" has lost WAL that it needed. Drop it (SELECT "
		    "pg_drop_replication_slot('%s');) and start afresh with another slot.name, "
		    "topic.prefix and lake.namespace; and raise max_slot_wal_keep_size.",
		    name,
		    name);
	else if (slot->active)
		note(check, "slot \"%s\" is in use: a worker streams from it now", name);
	else
		ok(check,
		   "slot \"%s\" exists, confirmed to %X/%X, WAL %s",
		   name,
		   LSN_ARGS(slot->confirmed_flush),
		   slot->wal_status);
	return true;
}

/* Our own replication connection already has a walsender's place. */
static bool
check_free_places(Check *check)
{
	long long slots;
	long long senders;

	if (!number(check,
	            "SELECT current_setting('max_replication_slots')::int - count(*) "
	            "FROM pg_replication_slots",
	            &slots) ||
	    !number(check,
	            "SELECT current_setting('max_wal_senders')::int - count(*) "
	            "FROM pg_stat_activity WHERE backend_type = 'walsender'",
	            &senders))
		return false;
	if (slots < 1)
		fix(check,
		    "all slots are taken, %s. Drop one that nobody needs (SELECT slot_name FROM "
		    "pg_replication_slots WHERE NOT active), or raise max_replication_slots and "
		    "restart the server.",
		    check->slot.exists ? "verify needs one for a while" : "run needs one");
	else
		ok(check, "%lld replication slots are free", slots);
	if (senders + (check->replication != NULL) < 1)
		fix(check,
		    "all walsenders are taken. Raise max_wal_senders and restart the server.");
	else
		ok(check,
		   "%lld walsenders are free",
		   senders + (check->replication != NULL ? 1 : 0));
	if (slots < 1)
		check->can_decode = false;
	return true;
}

/*
 * A temporary slot of the plugin.  The server loads the plugin first and then waits for
 * running transactions, so a timeout is good news too.
 */
static bool
check_plugin_loads(Check *check)
{
	char sql[256];
	PGresult *result;
	const char *state;

	if (!check->can_decode)
		return true;
	(void) snprintf(
		sql,
		sizeof sql,
		"SET statement_timeout = %d; "
		"SELECT pg_create_logical_replication_slot('cdc_sink_check_%d', '%s', true)",
		SLOT_TIMEOUT_MS,
		(int) getpid(),
		SERVER_PLUGIN);
	result = PQexec(check->sql, sql);
	state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		ok(check, "the plugin loads and decodes");
	else if (state != NULL && strcmp(state, SQLSTATE_TIMEOUT) == 0)
		note(check,
		     "the plugin loads; creating a slot waits for transactions that are running "
		     "now (pg_stat_activity.backend_xid)");
	else
	{
		Err err;

		(void) server_fail(check->sql, result, &err);
		(void) server_slot_hint(check->sql, check->config, state, &err);
		fix_error(check, &err);
	}
	PQclear(result);
	(void) snprintf(
		sql,
		sizeof sql,
		"SET statement_timeout = 0; SELECT pg_drop_replication_slot(slot_name) "
		"FROM pg_replication_slots WHERE slot_name = 'cdc_sink_check_%d'",
		(int) getpid());
	result = server_query(check->sql, sql, check->err);
	PQclear(result);
	return result != NULL;
}

/* ---- The tables ---- */

static bool
check_publication(Check *check)
{
	const Config *config = check->config;
	Err err = { 0 };

	if (!publication_read(check->sql, config, &err))
		fix_error(check, &err);
	else if (config->env.published->given)
		ok(check,
		   "publication \"%s\" says what %s, as it is at the start of a run",
		   config->publication_name,
		   config->env.published->everywhere ? "is captured" : "streams");
	return true;
}

static bool
check_tables(Check *check)
{
	if (!server_tables(
			check->sql, check->config, 0, check->arena, &check->tables, check->err))
		return false;
	if (check->tables.count == 0)
		note(check,
		     "the filters want no table that exists now. Check table.include.list and "
		     "schema.include.list (regular expressions over schema.table; a partitioned "
		     "table has the names of its partitions unless publish.via.partition.root is "
		     "set).");
	else
		ok(check, "the filters want %zu tables", check->tables.count);
	return true;
}

static void
print_unmatched(void *context, const char *sentence)
{
	note(context,
	     "%s. Lists are regular expressions over schema.table or schema.table.column.",
	     sentence);
}

static bool
check_columns(Check *check)
{
	return server_unmatched(
		check->sql, check->config, print_unmatched, check, check->err);
}

static void
print_unmatched_filter(void *context, const char *property)
{
	note(
		context,
		"%s names no table that the filters want and that exists now (schema.table as in "
		"the catalog, without quotes; a partition has its root's name with "
		"publish.via.partition.root).",
		property);
}

static bool
set_timeout(Check *check, int ms)
{
	char sql[64];
	PGresult *result;

	(void) snprintf(sql, sizeof sql, "SET statement_timeout = %d", ms);
	result = server_query(check->sql, sql, check->err);
	PQclear(result);
	return result != NULL;
}

/* By the plugin, whose rules they are. */
static bool
check_row_filters(Check *check)
{
	Err err;

	if (check->config->env.row_filters.count == 0)
		return true;
	if (!row_filter_unmatched(
			check->sql, check->config, print_unmatched_filter, check, check->err))
		return false;
	if (!check->can_decode)
		return true;
	if (!set_timeout(check, SLOT_TIMEOUT_MS))
		return false;
	if (row_filter_check(check->sql, check->config, &err))
		ok(check, "row filters are right for the tables as they are now");
	else if (strstr(err.text, SQLSTATE_TIMEOUT) != NULL)
		note(
			check,
			"row filters were not looked at: that waits for transactions that are running "
			"now (pg_stat_activity.backend_xid)");
	else
		fix_error(check, &err);
	return set_timeout(check, 0);
}

/* "... OR c.oid IN (...)" over the wanted tables; never empty. */
static void
add_wanted(Buf *sql, const TableList *tables)
{
	buf_text(sql, "c.oid IN (0");
	for (size_t i = 0; i < tables->count; i++)
		buf_printf(sql, ",%u", tables->relids[i]);
	buf_char(sql, ')');
}

/* One line per row of result by print, up to LINES_MAX; the rest is counted. */
static void
print_rows(Check *check, const PGresult *result,
           void (*print)(Check *check, const PGresult *result, int row))
{
	int count = PQntuples(result);

	for (int row = 0; row < count && row < LINES_MAX; row++)
		print(check, result, row);
	if (count > LINES_MAX)
		fix(check, "... and %d more tables of this kind", count - LINES_MAX);
}

static void
print_privilege(Check *check, const PGresult *result, int row)
{
	const char *table = server_text(result, row, 0);
	const char *user = check->config->database_user;

	if (*server_text(result, row, 1) != 't')
		fix(check,
		    "table %s cannot be read. GRANT USAGE ON SCHEMA %s TO \"%s\"; GRANT SELECT "
		    "ON %s TO \"%s\";",
		    table,
		    server_text(result, row, 3),
		    user,
		    table,
		    user);
	else
		fix(check,
		    "row security hides rows of table %s. ALTER ROLE \"%s\" BYPASSRLS; or "
		    "exclude the table.",
		    table,
		    user);
}

static bool
check_privileges(Check *check)
{
	Buf sql = buf_heap();
	PGresult *result;

	buf_text(&sql,
	         "SELECT * FROM (SELECT "
	         "quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name, "
	         "has_table_privilege(c.oid, 'SELECT') "
	         "AND has_schema_privilege(n.oid, 'USAGE') AS readable, "
	         "row_security_active(c.oid) AS hidden, quote_ident(n.nspname) "
	         "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ");
	add_wanted(&sql, &check->tables);
	buf_text(&sql, ") t WHERE NOT readable OR hidden ORDER BY name");
	result = server_query(check->sql, buf_cstr(&sql), check->err);
	buf_free(&sql);
	if (result == NULL)
		return false;
	print_rows(check, result, print_privilege);
	if (PQntuples(result) == 0 && check->tables.count > 0)
		ok(check, "all of them can be read");
	PQclear(result);
	return true;
}

/* Whether updates and deletes say which row they changed. */
static bool
names_its_rows(const Relation *relation)
{
	for (uint16_t i = 0; i < relation->column_count; i++)
		if (relation->columns[i].in_identity)
			return true;
	return false;
}

static bool
key_is_not_null(const Relation *relation)
{
	for (uint16_t i = 0; i < relation->key_count; i++)
		if (!relation->columns[relation->key[i]].not_null)
			return false;
	return relation->key_count > 0;
}

/* Whether Kafka's records can be made of its columns. */
static void
check_fields(Check *check, const Relation *relation, Arena *arena)
{
	Alloc alloc = arena_as_alloc(arena);
	EnvError error = { .hint = "" };

	if ((check->config->outputs & OUTPUT_KAFKA) != 0 &&
	    render_plan_new(relation, &check->config->env, &alloc, &error) == NULL)
		fix(check,
		    "table \"%s.%s\" has no events: %s. %s",
		    relation->schema,
		    relation->name,
		    error.message,
		    error.hint);
}

/* Returns whether the table needs nobody's attention. */
static bool
check_key(Check *check, const Relation *relation)
{
	bool silver = (check->config->outputs & OUTPUT_SILVER) != 0;
	char name[256];

	(void) snprintf(name, sizeof name, "%s.%s", relation->schema, relation->name);
	if (silver && filter_matches(&check->config->lake_append_tables, name))
		ok(check, "table \"%s\" is append-only in silver, as configured", name);
	else if (!names_its_rows(relation))
		note(check,
		     "table \"%s\" has no replica identity: deletes give no Kafka event%s. Add a "
		     "primary key, or ALTER TABLE ... REPLICA IDENTITY FULL (or USING INDEX).",
		     name,
		     silver ? ", and silver appends rows with a flag instead of changing them"
		            : "");
	else if (relation->replica_identity == 'f' && !key_is_not_null(relation))
		note(
			check,
			"table \"%s\" has no key: under REPLICA IDENTITY FULL the whole row is its key",
			name);
	else
		return true;
	return false;
}

static bool
check_keys(Check *check)
{
	size_t sound = 0;
	size_t i;

	for (i = 0; i < check->tables.count && i - sound < LINES_MAX; i++)
	{
		Arena *arena = arena_new();
		const Relation *relation = server_relation(
			check->sql, check->config, check->tables.relids[i], arena, check->err);

		if (relation != NULL)
		{
			check_fields(check, relation, arena);
			sound += check_key(check, relation);
		}
		arena_free(arena);
		if (relation == NULL)
			return false;
	}
	if (i < check->tables.count)
		note(check,
		     "%zu more tables were not looked at for a key",
		     check->tables.count - i);
	if (sound > 0)
		ok(check, "%zu tables have a key that updates and deletes carry", sound);
	return true;
}

/* ---- Recommendations ---- */

static bool
check_settings(Check *check)
{
	long long work_mem;
	long long keep;

	if (!number(
			check,
			"SELECT setting FROM pg_settings WHERE name = 'logical_decoding_work_mem'",
			&work_mem) ||
	    !number(check,
	            "SELECT setting FROM pg_settings WHERE name = 'max_slot_wal_keep_size'",
	            &keep))
		return false;
	if (work_mem <= WORK_MEM_KB)
		note(
			check,
			"logical_decoding_work_mem is %lld MB: larger transactions are spilled to the "
			"server's disk. Raise it where transactions are large.",
			work_mem / 1024);
	else
		ok(check, "logical_decoding_work_mem is %lld MB", work_mem / 1024);
	if (keep < 0)
		note(
			check,
			"max_slot_wal_keep_size is not set: a worker that stays away lets WAL fill the "
			"server's disk. Set it to what the disk can spare.");
	else
		ok(check, "max_slot_wal_keep_size is %lld MB", keep);
	return true;
}
