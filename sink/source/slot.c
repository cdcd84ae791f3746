/*
 * slot.c
 *		the server's identity and its replication slots.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "source/server.h"

#define WAIT_REPORT_MS 10000

static bool
ask_sender_timeout(PGconn *replication, int64_t *timeout_ms, Err *err)
{
	PGresult *result = server_query(replication,
	                                "SELECT setting FROM pg_catalog.pg_settings WHERE "
	                                "name = 'wal_sender_timeout'",
	                                err);

	if (result == NULL)
		return fail_while(err, "could not ask for wal_sender_timeout");
	*timeout_ms = PQntuples(result) == 1 ? server_oid(result, 0, 0) : 0;
	PQclear(result);
	return true;
}

bool
server_identify(PGconn *replication, ServerIdentity *identity, Err *err)
{
	PGresult *result = server_query(replication, "IDENTIFY_SYSTEM", err);
	bool ok;

	if (result == NULL)
		return fail_while(err, "could not identify the server");
	*identity = (ServerIdentity){ .version = PQserverVersion(replication) };
	identity->system_id = strtoull(server_text(result, 0, 0), NULL, 10);
	identity->timeline = server_oid(result, 0, 1);
	ok = lsn_parse(server_text(result, 0, 2), &identity->flush_lsn) &&
	     identity->system_id != 0;
	(void) snprintf(
		identity->database, sizeof identity->database, "%s", server_text(result, 0, 3));
	PQclear(result);
	if (!ok)
		return fail(err, ERR_FATAL, "malformed answer to IDENTIFY_SYSTEM");
	return ask_sender_timeout(replication, &identity->sender_timeout_ms, err);
}

int64_t
server_silence_ms(const ServerIdentity *identity, const Config *config)
{
	int64_t limit = config->status_update_interval_ms;
	int64_t third = identity->sender_timeout_ms / 3;

	return third > 0 && third < limit ? third : limit;
}

static Lsn
lsn_or_none(const char *text)
{
	Lsn lsn;

	return lsn_parse(text, &lsn) ? lsn : 0;
}

bool
server_slot(PGconn *conn, const char *slot, SlotState *state, Err *err)
{
	Buf sql = buf_heap();
	PGresult *result;

	*state = (SlotState){ .exists = false };
	buf_text(
		&sql,
		"SELECT active, plugin, database, wal_status, confirmed_flush_lsn, restart_lsn, "
		"active_pid "
		"FROM pg_catalog.pg_replication_slots WHERE slot_name = ");
	server_quote(&sql, '\'', slot);
	result = server_query(conn, buf_cstr(&sql), err);
	buf_free(&sql);
	if (result == NULL)
		return fail_while(err, "could not look up replication slot \"%s\"", slot);
	if (PQntuples(result) > 0)
	{
		state->exists = true;
		state->active = *server_text(result, 0, 0) == 't';
		state->active_pid = (int) server_oid(result, 0, 6);
		(void) snprintf(
			state->plugin, sizeof state->plugin, "%s", server_text(result, 0, 1));
		(void) snprintf(
			state->database, sizeof state->database, "%s", server_text(result, 0, 2));
		(void) snprintf(
			state->wal_status, sizeof state->wal_status, "%s", server_text(result, 0, 3));
		state->confirmed_flush = lsn_or_none(server_text(result, 0, 4));
		state->restart_lsn = lsn_or_none(server_text(result, 0, 5));
	}
	PQclear(result);
	return true;
}

bool
server_drop_slot(PGconn *conn, const char *slot, Err *err)
{
	Buf sql = buf_heap();
	PGresult *result;

	buf_text(&sql, "SELECT pg_catalog.pg_drop_replication_slot(");
	server_quote(&sql, '\'', slot);
	buf_char(&sql, ')');
	result = server_query(conn, buf_cstr(&sql), err);
	buf_free(&sql);
	if (result == NULL)
		return fail_while(err, "could not drop replication slot \"%s\"", slot);
	PQclear(result);
	return true;
}

/* Creating a slot waits for every transaction that is running: say for whom. */
static void
report_wait(PGconn *sql)
{
	static const char query[] =
		"SELECT pid, pg_catalog.date_trunc('second', xact_start) "
		"FROM pg_catalog.pg_stat_activity "
		"WHERE backend_xid IS NOT NULL AND pid <> pg_catalog.pg_backend_pid() "
		"ORDER BY xact_start LIMIT 1";
	PGresult *result = PQexec(sql, query);

	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0)
		log_info(
			"source",
			"creating the slot waits for running transactions to end; the oldest is of "
			"PID %s, begun at %s",
			server_text(result, 0, 0),
			server_text(result, 0, 1));
	PQclear(result);
}

/* The command's result, when it has come; NULL with err set when the wait was broken. */
static PGresult *
run_and_wait(PGconn *replication, PGconn *sql, const char *command, Err *err)
{
	int64_t report_at = clock_mono_us() + WAIT_REPORT_MS * INT64_C(1000);
	PGresult *result;
	PGresult *rest;

	if (PQsendQuery(replication, command) == 0)
	{
		(void) server_fail(replication, NULL, err);
		return NULL;
	}
	while (PQisBusy(replication))
	{
		struct pollfd wait = { PQsocket(replication), POLLIN, 0 };
		int64_t left_ms = (report_at - clock_mono_us()) / 1000 + 1;

		if (poll(&wait, 1, left_ms < 0 ? 0 : (int) left_ms) < 0)
		{
			(void) fail(err,
			            errno == EINTR ? ERR_RETRY : ERR_FATAL,
			            "interrupted while waiting for the server: %s",
			            strerror(errno));
			return NULL;
		}
		if (wait.revents != 0 && PQconsumeInput(replication) == 0)
		{
			(void) server_fail(replication, NULL, err);
			return NULL;
		}
		if (clock_mono_us() >= report_at)
		{
			report_wait(sql);
			report_at += WAIT_REPORT_MS * INT64_C(1000);
		}
	}
	result = PQgetResult(replication);
	while ((rest = PQgetResult(replication)) != NULL)
		PQclear(rest);
	return result;
}

/* slot.failover, where the server has it; elsewhere Debezium goes on without, and so do
 * we. */
static bool
can_fail_over(PGconn *replication, PGconn *sql, const Config *config)
{
	PGresult *result;
	bool standby;

	if (!config->slot_failover)
		return false;
	result = PQexec(sql, "SELECT pg_catalog.pg_is_in_recovery()");
	standby = PQntuples(result) > 0 && *server_text(result, 0, 0) == 't';
	PQclear(result);
	if (PQserverVersion(replication) >= 170000 && !standby)
		return true;
	log_warning("source",
	            "slot.failover is without effect: it needs a primary of PostgreSQL 17 or "
	            "newer");
	return false;
}

bool
server_create_slot(PGconn *replication, PGconn *sql, const Config *config, NewSlot *slot,
                   Err *err)
{
	Buf command = buf_heap();
	PGresult *result;
	bool ok = false;

	buf_text(&command, "CREATE_REPLICATION_SLOT ");
	server_quote(&command, '"', slot->name);
	buf_text(&command, slot->temporary ? " TEMPORARY LOGICAL " : " LOGICAL ");
	buf_text(&command, SERVER_PLUGIN);
	buf_text(&command,
	         !slot->temporary && can_fail_over(replication, sql, config)
	             ? " (SNAPSHOT 'export', FAILOVER)"
	             : " EXPORT_SNAPSHOT");
	err->kind = ERR_NONE;
	result = run_and_wait(replication, sql, buf_cstr(&command), err);
	buf_free(&command);

	if (result != NULL && PQresultStatus(result) == PGRES_TUPLES_OK)
	{
		ok = lsn_parse(server_text(result, 0, 1), &slot->consistent);
		(void) snprintf(
			slot->snapshot, sizeof slot->snapshot, "%s", server_text(result, 0, 2));
		if (!ok)
			(void) fail(err, ERR_FATAL, "malformed answer to CREATE_REPLICATION_SLOT");
	}
	else if (err->kind == ERR_NONE)
	{
		(void) server_fail(replication, result, err);
		(void) server_slot_hint(
			sql, config, PQresultErrorField(result, PG_DIAG_SQLSTATE), err);
	}
	PQclear(result);
	return ok || fail_while(err, "could not create replication slot \"%s\"", slot->name);
}

/*
 * The list is of identifiers: 'a, b' in one pair of quotes becomes one name, printed
 * "a, b" in double quotes, and allows neither.  So quoted names are looked at whole.
 */
bool
server_plugin_allowed(PGconn *sql, bool *allowed, char value[512], Err *err)
{
	static const char query[] =
		"SELECT pg_catalog.regexp_replace(pg_catalog.replace(setting, "
		"'\"" SERVER_PLUGIN "\"', '" SERVER_PLUGIN "'), '\"[^\"]*\"', '', 'g') "
		"OPERATOR(pg_catalog.~) '(^|,) *" SERVER_PLUGIN " *(,|$)', "
		"pg_catalog.concat_ws(', ', "
		"NULLIF(pg_catalog.replace(setting, '\"', ''), ''), '" SERVER_PLUGIN "') "
		"FROM pg_catalog.pg_settings WHERE name = 'output_plugin_libraries'";
	PGresult *result = server_query(sql, query, err);

	if (result == NULL)
		return false;
	*allowed = PQntuples(result) == 0 || *server_text(result, 0, 0) == 't';
	(void) snprintf(
		value, 512, "%s", PQntuples(result) == 0 ? "" : server_text(result, 0, 1));
	PQclear(result);
	return true;
}

/* ---- Hints ---- */

static bool
may_replicate(PGconn *sql)
{
	Err ignored;
	PGresult *result = server_query(sql,
	                                "SELECT rolreplication OR rolsuper FROM "
	                                "pg_catalog.pg_roles WHERE rolname = current_user",
	                                &ignored);
	bool may =
		result != NULL && PQntuples(result) == 1 && *server_text(result, 0, 0) == 't';

	PQclear(result);
	return may;
}

static void
hint_privilege(PGconn *sql, const Config *config, Err *err)
{
	bool allowed;
	char value[512];
	Err ignored;

	if (server_plugin_allowed(sql, &allowed, value, &ignored) && !allowed)
		fail_hint(err,
		          "Let the server load the plugin, as a superuser: ALTER SYSTEM SET "
		          "output_plugin_libraries = %s; SELECT pg_reload_conf();",
		          value);
	else if (may_replicate(sql))
		fail_hint(
			err,
			"The setting output_plugin_libraries, which this role cannot see, does not "
			"list the plugin. As a superuser: SHOW output_plugin_libraries; then ALTER "
			"SYSTEM SET output_plugin_libraries = <that list>, " SERVER_PLUGIN "; "
			"SELECT pg_reload_conf();");
	else
		fail_hint(
			err,
			"Let the role replicate, as a superuser: ALTER ROLE \"%s\" REPLICATION;",
			config->database_user);
}

static void
hint_state(PGconn *sql, const Config *config, Err *err)
{
	Err ignored;
	PGresult *result = server_query(sql, "SHOW wal_level", &ignored);

	(void) config;
	if (result != NULL && strcmp(server_text(result, 0, 0), "logical") != 0)
		fail_hint(
			err,
			"As a superuser: ALTER SYSTEM SET wal_level = logical; then restart the "
			"server.");
	PQclear(result);
}

static void
hint_limit(PGconn *sql, const Config *config, Err *err)
{
	(void) sql;
	(void) config;
	fail_hint(
		err,
		"Drop a slot that nobody needs (SELECT slot_name FROM pg_replication_slots "
		"WHERE NOT active), or raise max_replication_slots and restart the server.");
}

static void
hint_library(PGconn *sql, const Config *config, Err *err)
{
	(void) sql;
	(void) config;
	fail_hint(err,
	          "Install the plugin on the server: " SERVER_PLUGIN
	          ".so belongs in the directory "
	          "that pg_config --pkglibdir prints there.");
}

static void
hint_duplicate(PGconn *sql, const Config *config, Err *err)
{
	(void) sql;
	fail_hint(err, "Choose another slot.name than \"%s\".", config->slot_name);
}

bool
server_slot_hint(PGconn *sql, const Config *config, const char *sqlstate, Err *err)
{
	static const struct
	{
		const char *sqlstate;
		void (*hint)(PGconn *sql, const Config *config, Err *err);
	} hints[] = {
		{ "42501", hint_privilege }, { "42710", hint_duplicate }, { "53400", hint_limit },
		{ "55000", hint_state },     { "58P01", hint_library },
	};

	for (size_t i = 0; sqlstate != NULL && i < sizeof hints / sizeof *hints; i++)
		if (strcmp(hints[i].sqlstate, sqlstate) == 0)
			hints[i].hint(sql, config, err);
	return false;
}
