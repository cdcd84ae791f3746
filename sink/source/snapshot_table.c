/*
 * snapshot_table.c
 *		reading one table, by ranges of its pages.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/snapshot_state.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

#define BATCH_BYTES      ((size_t) 440 * 1024) /* fills the arena's blocks up to 504 kB */
#define BATCH_ROWS       4096
#define RANGE_PAGES_MIN  1024   /* 8 MB: below, a table is one range */
#define RANGE_PAGES_MAX  131072 /* 1 GB */
#define RANGES_A_SESSION 4      /* so that none is left with a long last one */

/* ---- One table ---- */

static void
plan_ranges(Snapshot *snapshot, const Table *table)
{
	Reading *reading = &snapshot->reading;

	*reading = (Reading){
		.relation = reading->relation,
		.name = table->name,
		.select = table->select,
		.is_first_table = table == snapshot->tables,
		.pages = table->select != NULL ? 0 : (uint64_t) table->pages,
	};
	reading->step = reading->pages / (snapshot->session_limit * RANGES_A_SESSION);
	if (reading->step < RANGE_PAGES_MIN)
		reading->step = RANGE_PAGES_MIN;
	if (reading->step > RANGE_PAGES_MAX)
		reading->step = RANGE_PAGES_MAX;
}

/* Send the COPY of the next range.  The last has no upper end: pages may have been added,
 * which hold nothing that the snapshot sees, but nothing shall depend on that. */
static bool
start_range(Snapshot *snapshot, Session *session, Err *err)
{
	Reading *reading = &snapshot->reading;
	const Config *config = snapshot->request->config;
	const CopySource source = { reading->relation,
		                        reading->select,
		                        config->outputs == OUTPUT_KAFKA };
	uint64_t from = reading->next_page;
	uint64_t to = from + reading->step;
	Buf sql = buf_heap();
	const RowFilter *filter;
	const char *between;
	bool ok;

	reading->all_given = to >= reading->pages;
	reading->next_page = to;
	session->range_pages =
		(double) (reading->all_given ? reading->pages - from : to - from);
	buf_text(&sql, "COPY (");
	between = copy_select(&sql, &source, &config->env) ? "AND" : "WHERE";
	session->user_query = reading->select != NULL;
	filter = row_filter_of(&config->env, reading->relation, NULL);
	session->table = reading->name;
	session->filter = filter == NULL ? NULL : filter->expression;
	if (from > 0)
		buf_printf(&sql, " %s ctid >= '(%" PRIu64 ",0)'", between, from);
	if (!reading->all_given)
		buf_printf(&sql, " %s ctid < '(%" PRIu64 ",0)'", from > 0 ? "AND" : between, to);
	buf_text(&sql, ") TO STDOUT (FORMAT binary)");
	ok = PQsendQuery(session->conn, buf_cstr(&sql)) != 0 ||
	     server_fail(session->conn, NULL, err);
	buf_free(&sql);
	copy_reader_begin(&session->reader,
	                  reading->relation,
	                  &config->env,
	                  server_is_raw(session->conn),
	                  snapshot->arena);
	session->state = SESSION_STARTING;
	return ok;
}

/* Lock the table in another session than the first, without waiting. */
static bool
try_lock(Snapshot *snapshot, Session *session, const Table *table, Err *err)
{
	Buf sql = buf_heap();
	PGresult *result;
	char code[6] = "";

	buf_printf(&sql,
	           "SAVEPOINT t; LOCK TABLE ONLY %s IN ACCESS SHARE MODE NOWAIT",
	           table->quoted);
	result = session_query(snapshot, session, buf_cstr(&sql), code, err);
	buf_free(&sql);
	PQclear(result);
	session->locked = result != NULL;
	if (result != NULL)
		return true;
	if (strcmp(code, "55P03") != 0)
		return false;
	return session_command(
		snapshot, session, "ROLLBACK TO SAVEPOINT t; RELEASE SAVEPOINT t", err);
}

/* Have as many sessions as the table has ranges, within the limit, and lock it. */
static bool
gather_sessions(Snapshot *snapshot, const Table *table, Err *err)
{
	const Reading *reading = &snapshot->reading;
	uint64_t ranges = (reading->pages + reading->step - 1) / reading->step;

	snapshot->sessions[0].locked = true;
	for (size_t i = 1; i < snapshot->session_limit && i < ranges; i++)
	{
		if (i == snapshot->session_count && !snapshot_open_session(snapshot, err))
			return false;
		if (!try_lock(snapshot, &snapshot->sessions[i], table, err))
			return false;
	}
	return true;
}

static bool
unlock_sessions(Snapshot *snapshot, Err *err)
{
	for (size_t i = 0; i < snapshot->session_count; i++)
	{
		Session *session = &snapshot->sessions[i];

		if (session->locked &&
		    !session_command(
				snapshot, session, "ROLLBACK TO SAVEPOINT t; RELEASE SAVEPOINT t", err))
			return false;
		session->locked = false;
	}
	return true;
}

/* The range's COPY has ended: look how. */
static bool
end_range(Snapshot *snapshot, Session *session, Err *err)
{
	PGresult *result = PQgetResult(session->conn);
	PGresult *rest;
	bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;

	if (!ok)
		(void) session_fail(session, result, err);
	else if (!session->reader.ended ||
	         strtoull(PQcmdTuples(result), NULL, 10) != session->reader.rows)
		ok = fail(err,
		          ERR_FATAL,
		          "COPY sent %" PRIu64 " rows, but says %s",
		          session->reader.rows,
		          PQcmdTuples(result));
	PQclear(result);
	while ((rest = PQgetResult(session->conn)) != NULL)
		PQclear(rest);
	snapshot->reading.replaced += session->reader.replaced;
	session->state = SESSION_IDLE;
	session->user_query = false;
	session->table = NULL;
	session->filter = NULL;
	snapshot->reading.pages_done += session->range_pages;
	return ok;
}

static bool
begin_copy(Session *session, Err *err)
{
	PGresult *result;
	bool ok;

	if (PQisBusy(session->conn))
		return true;
	result = PQgetResult(session->conn);
	ok = PQresultStatus(result) == PGRES_COPY_OUT || session_fail(session, result, err);
	PQclear(result);
	session->state = SESSION_COPYING;
	return ok;
}

/* Add a message's rows to the session's batch, and hand that on when it is full. */
static bool
take_rows(Snapshot *snapshot, Session *session, Slice bytes, Err *err)
{
	Batch *full = NULL;

	if (session->batch == NULL)
	{
		session->batch = batch_new(snapshot->request->budget);
		session->batch->received_us = clock_mono_us();
		session->bytes = 0;
	}
	if (!copy_reader_feed(&session->reader, bytes, session->batch, err))
		return false;
	session->bytes += bytes.len + snapshot->reading.relation->column_count;
	if (session->batch->count > 0 &&
	    (session->bytes >= BATCH_BYTES || session->batch->count >= BATCH_ROWS))
	{
		full = session->batch;
		session->batch = NULL;
	}
	return full == NULL || snapshot_hold_back(snapshot, full, err);
}

/* Read what has come for a session. */
static bool
pump(Snapshot *snapshot, Session *session, Err *err)
{
	int len = 1;

	if (PQconsumeInput(session->conn) == 0)
		return server_fail(session->conn, NULL, err);
	if (session->state == SESSION_STARTING && !begin_copy(session, err))
		return false;
	while (session->state == SESSION_COPYING && len > 0)
	{
		char *bytes = NULL;
		bool ok;

		len = PQgetCopyData(session->conn, &bytes, 1);
		if (len == -2)
			return server_fail(session->conn, NULL, err);
		if (len == -1)
			return end_range(snapshot, session, err);
		ok =
			len == 0 || take_rows(snapshot, session, (Slice){ bytes, (size_t) len }, err);
		PQfreemem(bytes);
		if (!ok)
			return false;
	}
	return true;
}

/* Give idle sessions work and list the sockets to wait for; how many there are. */
static bool
dispatch(Snapshot *snapshot, struct pollfd waits[SESSIONS_MAX], nfds_t *busy, Err *err)
{
	*busy = 0;
	for (size_t i = 0; i < snapshot->session_count; i++)
	{
		Session *session = &snapshot->sessions[i];

		if (session->locked && session->state == SESSION_IDLE &&
		    !snapshot->reading.all_given && !start_range(snapshot, session, err))
			return false;
		waits[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
		if (session->state == SESSION_IDLE)
			continue;
		waits[i].fd = PQsocket(session->conn);
		(*busy)++;
	}
	return true;
}

static bool
read_ranges(Snapshot *snapshot, Err *err)
{
	struct pollfd waits[SESSIONS_MAX];
	nfds_t busy;

	for (;;)
	{
		if (snapshot_is_stopped(snapshot, err) || !dispatch(snapshot, waits, &busy, err))
			return false;
		if (busy == 0)
			return true;
		if (poll(waits, (nfds_t) snapshot->session_count, POLL_MS) < 0 && errno != EINTR)
			return fail(err, ERR_FATAL, "could not poll: %s", strerror(errno));
		for (size_t i = 0; i < snapshot->session_count; i++)
			if (waits[i].fd >= 0 && waits[i].revents != 0 &&
			    !pump(snapshot, &snapshot->sessions[i], err))
				return false;
		progress_show(&snapshot->progress,
		              snapshot->rows,
		              snapshot->reading.rows,
		              snapshot->reading.pages_done);
	}
}

/* Hand on what the sessions have gathered of the table. */
static bool
collect(Snapshot *snapshot, Err *err)
{
	for (size_t i = 0; i < snapshot->session_count; i++)
	{
		Batch *batch = snapshot->sessions[i].batch;

		snapshot->sessions[i].batch = NULL;
		if (batch != NULL && batch->count == 0)
			batch_unref(batch);
		else if (batch != NULL && !snapshot_hold_back(snapshot, batch, err))
			return false;
	}
	return true;
}

/* Until the savepoint ends a query of the user's finds names where his session does. */
static bool
find_names(Snapshot *snapshot, const Table *table, Err *err)
{
	return table->select == NULL ||
	       session_command(snapshot,
	                       &snapshot->sessions[0],
	                       "SET LOCAL search_path = \"$user\", public",
	                       err);
}

bool
snapshot_read_table(Snapshot *snapshot, const Table *table, Err *err)
{
	const Relation *relation = server_relation_read(snapshot->sessions[0].conn,
	                                                snapshot->request->config,
	                                                table->relid,
	                                                table->select != NULL,
	                                                snapshot->relations,
	                                                err);

	if (relation == NULL)
		return false;
	snapshot->reading.relation = relation;
	progress_table(&snapshot->progress, table->name, table->pages, table->rows);
	plan_ranges(snapshot, table);
	(void) snapshot_add_mark(snapshot, EVENT_TABLE_BEGIN, relation);
	if (!find_names(snapshot, table, err) || !gather_sessions(snapshot, table, err) ||
	    !read_ranges(snapshot, err) || !collect(snapshot, err) ||
	    !unlock_sessions(snapshot, err))
		return !snapshot->sink_failed && fail_while(err, "table \"%s\"", table->name);
	snapshot_mark_table_end(snapshot);
	(void) snapshot_add_mark(snapshot, EVENT_TABLE_END, relation);
	log_debug("snapshot",
	          "table \"%s\": %" PRIu64 " rows",
	          table->name,
	          snapshot->reading.rows);
	if (snapshot->reading.replaced > 0)
		log_warning("snapshot",
		            "table \"%s\": replaced %" PRIu64 " bytes that are not UTF-8",
		            table->name,
		            snapshot->reading.replaced);
	progress_table_done(&snapshot->progress);
	return true;
}
