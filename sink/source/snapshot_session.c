/*
 * snapshot_session.c
 *		the sessions of a snapshot: commands that give up when asked to stop, and what a
 *failure means.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/snapshot_state.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Queries ---- */

bool
snapshot_is_stopped(const Snapshot *snapshot, Err *err)
{
	const SnapshotRequest *request = snapshot->request;

	if (request->idle != NULL && !request->idle(request->context, err))
		return true;
	if (atomic_load(request->stop) == 0)
		return false;
	(void) fail(err, ERR_RETRY, "asked to stop");
	return true;
}

/* Say of a table's COPY that failed which it was, and with which filter. */
static void
name_table(const Session *session, Err *err)
{
	if (session->table == NULL)
		return;
	if (session->filter == NULL)
		(void) fail_while(err, "table \"%s\"", session->table);
	else
		(void) fail_while(
			err, "table \"%s\" with row filter \"%s\"", session->table, session->filter);
}

/* Whatever is missing now was there when the tables were listed: somebody changed it
 * meanwhile, and a new snapshot will see that. */
static bool
was_changed(const char *sqlstate)
{
	static const char *const states[] = {
		"42703", /* undefined column */
		"42704", /* undefined object */
		"42809", /* wrong object type */
		"42883", /* undefined function */
		"42P01", /* undefined table */
	};

	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (strcmp(sqlstate, states[i]) == 0)
			return true;
	return false;
}

/* Describe a failed command.  A statement that is wrong is so at each try. */
bool
session_fail(const Session *session, const PGresult *result, Err *err)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	bool is_wrong;

	(void) server_fail(session->conn, result, err);
	name_table(session, err);
	if (sqlstate == NULL)
		return false;
	is_wrong = strncmp(sqlstate, "42", 2) == 0;
	if (session->user_query && (is_wrong || *sqlstate == '2'))
	{
		err->kind = ERR_CONFIG;
		return fail_hint(err,
		                 "See snapshot.select.statement.overrides: the SELECT must "
		                 "return every captured column under its name.");
	}
	if (session->user_query)
		return false;
	if (strcmp(sqlstate, "42501") == 0)
		return fail_hint(
			err,
			"The role needs USAGE on the schema, SELECT on the table and, where the "
			"table has row security, BYPASSRLS; or exclude the table.");
	if (was_changed(sqlstate))
		err->kind = ERR_RETRY;
	else if (session->filter != NULL && (is_wrong || strncmp(sqlstate, "22", 2) == 0))
		return fail_hint(err,
		                 "Correct row.filter.%s so that it has a value for every row, as "
		                 "with CASE or NULLIF.",
		                 session->table);
	return false;
}

/* Wait until a command's result can be had without blocking. */
static bool
wait_for_result(const Snapshot *snapshot, Session *session, Err *err)
{
	while (PQisBusy(session->conn))
	{
		struct pollfd wait = { PQsocket(session->conn), POLLIN, 0 };

		if (snapshot_is_stopped(snapshot, err))
			return false;
		if (poll(&wait, 1, POLL_MS) < 0 && errno != EINTR)
			return fail(err, ERR_FATAL, "could not poll: %s", strerror(errno));
		if (wait.revents != 0 && PQconsumeInput(session->conn) == 0)
			return server_fail(session->conn, NULL, err);
	}
	return true;
}

/* Run one or more commands, giving up when asked to stop; the last one's result, or NULL.
 * code, unless NULL, receives the SQLSTATE of a failure. */
PGresult *
session_query(const Snapshot *snapshot, Session *session, const char *sql, char code[6],
              Err *err)
{
	PGresult *last = NULL;
	bool ok = PQsendQuery(session->conn, sql) != 0;

	if (!ok)
		(void) server_fail(session->conn, NULL, err);
	while (ok && wait_for_result(snapshot, session, err))
	{
		PGresult *result = PQgetResult(session->conn);
		ExecStatusType status = PQresultStatus(result);

		if (result == NULL)
			return last;
		PQclear(last);
		last = result;
		ok = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
		if (ok)
			continue;
		(void) session_fail(session, result, err);
		if (code != NULL && PQresultErrorField(result, PG_DIAG_SQLSTATE) != NULL)
			(void) snprintf(code, 6, "%s", PQresultErrorField(result, PG_DIAG_SQLSTATE));
		while ((result = PQgetResult(session->conn)) != NULL)
			PQclear(result);
	}
	PQclear(last);
	return NULL;
}

bool
session_command(const Snapshot *snapshot, Session *session, const char *sql, Err *err)
{
	PGresult *result = session_query(snapshot, session, sql, NULL, err);

	PQclear(result);
	return result != NULL;
}

bool
snapshot_open_session(Snapshot *snapshot, Err *err)
{
	Session *session = &snapshot->sessions[snapshot->session_count];
	Buf sql = buf_heap();
	bool ok;

	session->conn = server_connect(snapshot->request->config, false, err);
	if (session->conn == NULL)
		return false;
	snapshot->session_count++;
	buf_text(
		&sql,
		"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT ");
	server_quote(&sql, '\'', snapshot->request->snapshot);
	ok = session_command(snapshot, session, buf_cstr(&sql), err);
	buf_free(&sql);
	return ok || fail_while(err, "could not import the exported snapshot");
}
