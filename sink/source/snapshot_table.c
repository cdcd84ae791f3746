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
#define RANGE_PAGES_MIN  1024  /* 8 MB: below, a table is one range */
#define RANGE_PAGES_MAX  16384 /* 128 MB */
#define RANGES_A_SESSION 4     /* so that none is left with a long last one */

/* ---- One table ---- */

/* only_newer: what is new in what the outputs have.  Without TOAST it came by the stream,
 * whole. */
static void
plan_ranges(Snapshot *snapshot, const Table *table, bool only_newer)
{
	Reading *reading = &snapshot->reading;

	*reading = (Reading){
		.table = table,
		.relation = reading->relation,
		.is_first_table = table == snapshot->tables && snapshot->rows == 0,
		.pages = table->select != NULL ? 0 : (uint64_t) table->pages,
		.end = UINT64_MAX,
		.only_newer = only_newer,
	};
	reading->step = reading->pages / (snapshot->session_limit * RANGES_A_SESSION);
	if (reading->step < RANGE_PAGES_MIN)
		reading->step = RANGE_PAGES_MIN;
	if (reading->step > RANGE_PAGES_MAX)
		reading->step = RANGE_PAGES_MAX;
	if (only_newer)
	{
		reading->end = table->part.pages;
		reading->all_given = !table->has_toast;
	}
	else if (table->goes_on)
	{
		reading->next_page = reading->told = table->part.pages;
		reading->pages_done = (double) table->part.pages;
		log_info("snapshot",
		         "table \"%s\" goes on at page %" PRIu64 " of %" PRIu64,
		         table->name,
		         reading->next_page,
		         reading->pages);
	}
}

/* The part of the table that has been handed over, pages of it. */
static void
tell_part(Snapshot *snapshot, EventKind kind, uint64_t pages)
{
	const Table *table = snapshot->reading.table;
	Event *event = snapshot_add_mark(snapshot, kind, snapshot->reading.relation);
	Buf text = buf_heap();

	partial_print(
		&text,
		&(PartRead){ .relid = table->relid,
	                 .filenode = table->filenode,
	                 .pages = pages,
	                 .xmin = table->goes_on ? table->part.xmin : snapshot->xmin });
	if (table->has_parts)
		event->old_tuple =
			slice_from(arena_strndup(snapshot->pending->arena, text.data, text.len));
	if (snapshot->reading.is_paused)
		event->new_tuple = slice_from("");
	buf_free(&text);
}

/*
 * The next range, false when all have been given.  The last has no upper end: pages may
 * have been added, which hold nothing that the snapshot sees, but nothing shall depend on
 * that.
 */
static bool
next_range(Reading *reading, PageRange *range)
{
	uint64_t from = reading->next_page;
	uint64_t last = reading->end < reading->pages ? reading->end : reading->pages;

	if (reading->is_paused || reading->all_given)
		return false;
	reading->next_page = from + reading->step;
	reading->all_given = reading->next_page >= last;
	*range = (PageRange){ from, reading->all_given ? reading->end : reading->next_page };
	return true;
}

/* Append the condition of a range; word is WHERE or AND. */
static void
add_range(Buf *sql, const char *word, const Reading *reading, const PageRange *range)
{
	if (range->from > 0)
	{
		buf_printf(sql, " %s ctid >= '(%" PRIu64 ",0)'", word, range->from);
		word = "AND";
	}
	if (range->to != UINT64_MAX)
	{
		buf_printf(sql, " %s ctid < '(%" PRIu64 ",0)'", word, range->to);
		word = "AND";
	}
	/* Of two transactions the later one is at most half a circle ahead.  Frozen rows keep
	 * their xmin. */
	if (reading->only_newer)
		buf_printf(sql,
		           " %s ((xmin::text::bigint - %" PRIu64 ") & 4294967295) < 2147483648",
		           word,
		           reading->table->part.xmin & UINT32_MAX);
}

/* Send the COPY of the session's range. */
static bool
start_range(Snapshot *snapshot, Session *session, Err *err)
{
	Reading *reading = &snapshot->reading;
	const Config *config = snapshot->request->config;
	const CopySource source = { reading->relation,
		                        reading->table->select,
		                        config->outputs == OUTPUT_KAFKA };
	const RowFilter *filter = row_filter_of(&config->env, reading->relation, NULL);
	Buf sql = buf_heap();
	bool ok;

	session->user_query = reading->table->select != NULL;
	session->table = reading->table->name;
	session->filter = filter == NULL ? NULL : filter->expression;
	buf_text(&sql, "COPY (");
	add_range(&sql,
	          copy_select(&sql, &source, &config->env) ? "AND" : "WHERE",
	          reading,
	          &session->range);
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

		/* What is gone on with is read twice; the first session's locks stay. */
		if (session->locked && (i > 0 || snapshot->partial == NULL) &&
		    !session_command(
				snapshot, session, "ROLLBACK TO SAVEPOINT t; RELEASE SAVEPOINT t", err))
			return false;
		session->locked = false;
	}
	return true;
}

/* All pages below have been given to sessions that are through with them. */
static uint64_t
pages_through(const Snapshot *snapshot)
{
	const Reading *reading = &snapshot->reading;
	uint64_t pages = reading->all_given ? reading->pages : reading->next_page;

	for (size_t i = 0; i < snapshot->session_count; i++)
	{
		const Session *session = &snapshot->sessions[i];

		if (session->state != SESSION_IDLE && session->range.from < pages)
			pages = session->range.from;
	}
	return pages;
}

/* Hand on what the session has gathered. */
static bool
collect(Snapshot *snapshot, Session *session, Err *err)
{
	Batch *batch = session->batch;

	session->batch = NULL;
	if (batch == NULL || batch->count > 0)
		return batch == NULL || snapshot_hold_back(snapshot, batch, err);
	batch_unref(batch);
	return true;
}

static bool
shall_pause(const Snapshot *snapshot)
{
	const SnapshotRequest *request = snapshot->request;

	return request->pause != NULL && request->pause(request->context);
}

/* A range is complete: say so, when all before are. */
static bool
end_part(Snapshot *snapshot, Session *session, Err *err)
{
	Reading *reading = &snapshot->reading;
	const PageRange *range = &session->range;
	uint64_t through;

	if (reading->only_newer)
		return true;
	if (range->from < reading->pages)
		reading->pages_done +=
			(double) ((range->to < reading->pages ? range->to : reading->pages) -
		              range->from);
	if (!reading->table->has_parts || reading->relation->relkind == 'p')
		return true;
	if (!collect(snapshot, session, err))
		return false;
	through = pages_through(snapshot);
	if (through <= reading->told || through >= reading->pages)
		return true;
	reading->told = through;
	reading->is_paused =
		reading->is_paused || (!reading->all_given && shall_pause(snapshot));
	tell_part(snapshot, EVENT_TABLE_PART, through);
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
	return ok && end_part(snapshot, session, err);
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
		    next_range(&snapshot->reading, &session->range) &&
		    !start_range(snapshot, session, err))
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
collect_all(Snapshot *snapshot, Err *err)
{
	for (size_t i = 0; i < snapshot->session_count; i++)
		if (!collect(snapshot, &snapshot->sessions[i], err))
			return false;
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

/* All of the table is there, unless it was left, or of what is gone on with what is new
 * will come yet. */
static void
end_table(Snapshot *snapshot)
{
	Reading *reading = &snapshot->reading;
	const Table *table = reading->table;
	bool is_leaf = reading->relation->root_relid != 0;

	if (reading->is_paused)
		return;
	tell_part(snapshot,
	          table->goes_on && !reading->only_newer && !is_leaf ? EVENT_TABLE_PART
	                                                             : EVENT_TABLE_END,
	          PART_WHOLE);
	/* Between partitions it can be left as well. */
	reading->is_paused = is_leaf && table->has_parts && !reading->only_newer &&
	                     table + 1 < snapshot->tables + snapshot->table_count &&
	                     shall_pause(snapshot);
}

bool
snapshot_read_table(Snapshot *snapshot, const Table *table, bool only_newer, Err *err)
{
	const Relation *relation = server_relation_read(snapshot->sessions[0].conn,
	                                                snapshot->request->config,
	                                                table->relid,
	                                                table->select != NULL,
	                                                snapshot->relations,
	                                                err);
	Event *event;

	if (relation == NULL)
		return false;
	snapshot->reading.relation = relation;
	progress_table(&snapshot->progress, table->name, table->pages, table->rows);
	plan_ranges(snapshot, table, only_newer);
	event = snapshot_add_mark(snapshot, EVENT_TABLE_BEGIN, relation);
	if (snapshot->partial != NULL)
		event->old_tuple =
			slice_from(arena_strdup(snapshot->pending->arena, snapshot->partial));
	if (!find_names(snapshot, table, err) || !gather_sessions(snapshot, table, err) ||
	    !read_ranges(snapshot, err) || !collect_all(snapshot, err) ||
	    !unlock_sessions(snapshot, err))
		return !snapshot->sink_failed && fail_while(err, "table \"%s\"", table->name);
	snapshot_mark_table_end(snapshot);
	end_table(snapshot);
	log_debug("snapshot",
	          "table \"%s\": %" PRIu64 " rows",
	          table->name,
	          snapshot->reading.rows);
	if (snapshot->reading.replaced > 0)
		log_warning("snapshot",
		            "table \"%s\": replaced %" PRIu64 " bytes that are not UTF-8",
		            table->name,
		            snapshot->reading.replaced);
	if (only_newer || !table->goes_on)
		progress_table_done(&snapshot->progress);
	return true;
}
