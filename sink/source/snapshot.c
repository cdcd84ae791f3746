/*
 * snapshot.c
 *		reading every table at one snapshot.
 *
 * One thread; every session is a connection whose transaction has imported the exported
 * snapshot, and the sockets are polled: the work of reading is the servers', ours is to
 * copy.  The first session also asks the catalog and holds the locks.
 *
 * 1. A reader of an old snapshot sees an empty table after a command that rewrites
 *	  it (ALTER TABLE ... TYPE, TRUNCATE): such commands are not MVCC-safe.  Therefore all
 *	  tables are locked first (ACCESS SHARE, as pg_dump does), in one savepoint each, the
 *first table's innermost, so that rolling back one releases each as soon as its table is
 *	  read.  A table rewritten before its lock was got has another file than the
 *	  snapshot's pg_class says: the snapshot starts again.
 * 2. The other sessions lock without waiting: behind a queued ALTER TABLE they would wait
 *	  for the first session, which waits for them.  Without the lock they sit this table
 *out.
 * 3. The newest batch is always held back: its last row gets its marker only when it is
 *	  known what follows (the next row, another table's, nothing).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/snapshot.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "source/snapshot_copy.h"
#include "source/snapshot_progress.h"

#define SESSIONS_MAX     64
#define POLL_MS          200
#define BATCH_BYTES      ((size_t) 440 * 1024) /* fills the arena's blocks up to 504 kB */
#define BATCH_ROWS       4096
#define RANGE_PAGES_MIN  1024   /* 8 MB: below, a table is one range */
#define RANGE_PAGES_MAX  131072 /* 1 GB */
#define RANGES_A_SESSION 4      /* so that none is left with a long last one */
#define LOCKS_A_QUERY    100
#define NOTHING_HELD     SIZE_MAX

typedef struct Table
{
	uint32_t relid;
	const char *name;   /* schema.name, for people */
	const char *quoted; /* for SQL */
	double pages;
	double rows;        /* the planner's estimate; 0: none */
	const char *select; /* the user's, instead of all rows; NULL: none */
	size_t place;       /* among the expressions of table.include.list */
	size_t number;      /* in order of names */
} Table;

typedef enum SessionState
{
	SESSION_IDLE,
	SESSION_STARTING, /* COPY sent */
	SESSION_COPYING,
} SessionState;

typedef struct Session
{
	PGconn *conn;
	SessionState state;
	bool locked;        /* holds the current table's lock in a savepoint */
	bool user_query;    /* what it reads is the user's SELECT */
	const char *table;  /* that it reads, for people; NULL: none */
	const char *filter; /* the table's row filter; NULL: none */
	double range_pages;
	CopyReader reader;
	Batch *batch; /* being filled; NULL: none yet */
	size_t bytes; /* of its tuples */
} Session;

/* The table being read, by ranges of pages. */
typedef struct Reading
{
	const Relation *relation;
	const char *name;    /* Table's */
	const char *select;  /* Table's */
	bool is_first_table; /* its first row is the first of all; of an empty table there is
	                        none, as with Debezium */
	uint64_t next_page;
	uint64_t pages;
	uint64_t step;
	bool all_given; /* the last range has been given to a session */
	double pages_done;
	uint64_t rows;
	uint64_t replaced; /* how often U+FFFD stands for a byte */
} Reading;

typedef struct Snapshot
{
	const SnapshotRequest *request;
	Arena *arena;     /* of this run */
	Arena *relations; /* outlives every batch */
	Session sessions[SESSIONS_MAX];
	size_t session_count; /* connected */
	size_t session_limit;
	Table *tables;
	size_t table_count;
	Txn txn; /* of every row */
	Reading reading;
	SnapshotProgress progress;
	uint64_t rows; /* handed over or held back */
	Batch *pending;
	const Txn *pending_txn;
	size_t held;      /* index in pending of the row without a final marker */
	bool sink_failed; /* for its own reasons, of any table: its words are enough */
} Snapshot;

static bool open_session(Snapshot *snapshot, Err *err);
static bool prepare(Snapshot *snapshot, Err *err);
static bool read_table(Snapshot *snapshot, const Table *table, Err *err);
static bool finish(Snapshot *snapshot, Err *err);
static void close_all(Snapshot *snapshot);

bool
snapshot_run(const SnapshotRequest *request, Err *err)
{
	int64_t threads = request->config->snapshot_max_threads;
	Snapshot snapshot = {
		.request = request,
		.arena = arena_new(),
		.relations = request->relations,
		.session_limit = threads < 1              ? 1
		                 : threads > SESSIONS_MAX ? SESSIONS_MAX
		                                          : (size_t) threads,
		.held = NOTHING_HELD,
	};
	bool ok = open_session(&snapshot, err) && prepare(&snapshot, err);

	for (size_t i = 0; ok && i < snapshot.table_count; i++)
		ok = read_table(&snapshot, &snapshot.tables[i], err);
	ok = ok && finish(&snapshot, err);
	if (snapshot.progress.started_us != 0)
		progress_end(&snapshot.progress, snapshot.rows, ok);
	close_all(&snapshot);
	return ok ||
	       (!snapshot.sink_failed && fail_while(err, "could not read the snapshot"));
}

/* ---- Queries ---- */

static bool
asked_to_stop(const Snapshot *snapshot, Err *err)
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
static bool
fail_command(const Session *session, const PGresult *result, Err *err)
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

		if (asked_to_stop(snapshot, err))
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
static PGresult *
run(const Snapshot *snapshot, Session *session, const char *sql, char code[6], Err *err)
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
		(void) fail_command(session, result, err);
		if (code != NULL && PQresultErrorField(result, PG_DIAG_SQLSTATE) != NULL)
			(void) snprintf(code, 6, "%s", PQresultErrorField(result, PG_DIAG_SQLSTATE));
		while ((result = PQgetResult(session->conn)) != NULL)
			PQclear(result);
	}
	PQclear(last);
	return NULL;
}

static bool
run_command(const Snapshot *snapshot, Session *session, const char *sql, Err *err)
{
	PGresult *result = run(snapshot, session, sql, NULL, err);

	PQclear(result);
	return result != NULL;
}

/* ---- Beginning ---- */

static bool
open_session(Snapshot *snapshot, Err *err)
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
	ok = run_command(snapshot, session, buf_cstr(&sql), err);
	buf_free(&sql);
	return ok || fail_while(err, "could not import the exported snapshot");
}

/*
 * What the rows say of their transaction: Debezium's time is that of the snapshot's
 * transaction, its xid one that the transaction took.  We take none, it would hold up
 * whoever creates a slot meanwhile, but name the first that the snapshot does not see.
 */
static bool
read_transaction(Snapshot *snapshot, Err *err)
{
	static const char query[] =
		"SELECT (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint, "
		"(pg_snapshot_xmax(pg_current_snapshot())::text::bigint) & 4294967295";
	PGresult *result = run(snapshot, &snapshot->sessions[0], query, NULL, err);

	if (result == NULL)
		return false;
	snapshot->txn = (Txn){
		.commit_lsn = snapshot->request->consistent,
		.commit_us = strtoll(server_text(result, 0, 0), NULL, 10),
		.xid = server_oid(result, 0, 1),
	};
	PQclear(result);
	return true;
}

/* "(1,2,3)": the tables' OIDs. */
static void
add_relids(Buf *sql, const TableList *list)
{
	buf_char(sql, '(');
	for (size_t i = 0; i < list->count; i++)
	{
		if (i > 0)
			buf_char(sql, ',');
		buf_uint64(sql, list->relids[i]);
	}
	buf_char(sql, ')');
}

/* Smallest or largest first; else by table.include.list; and then by name. */
static int
compare_by_rows(const void *left, const void *right)
{
	const Table *a = left;
	const Table *b = right;

	if (a->rows != b->rows)
		return a->rows < b->rows ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

static int
compare_by_rows_down(const void *left, const void *right)
{
	const Table *a = left;
	const Table *b = right;

	return a->rows != b->rows ? compare_by_rows(right, left)
	                          : compare_by_rows(left, right);
}

static int
compare_by_place(const void *left, const void *right)
{
	const Table *a = left;
	const Table *b = right;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

static void
sort_tables(Snapshot *snapshot)
{
	static int (*const orders[])(const void *, const void *) = {
		[ORDER_BY_NAME] = compare_by_place,
		[ORDER_SMALLEST_FIRST] = compare_by_rows,
		[ORDER_LARGEST_FIRST] = compare_by_rows_down,
	};

	if (snapshot->table_count > 0)
		qsort(snapshot->tables,
		      snapshot->table_count,
		      sizeof *snapshot->tables,
		      orders[snapshot->request->config->snapshot_order]);
}

/*
 * Debezium reads a partitioned table by its own name, too, unless its partitions go by
 * that: rows that only Kafka gets.  Where nothing but Kafka is to be filled it reads as
 * Debezium in every way: unlogged tables, which never change, and the rows of a table's
 * children with it.
 */
unsigned
snapshot_more_tables(const Config *config)
{
	if ((config->outputs & OUTPUT_KAFKA) == 0)
		return 0;
	return (config->env.publish_via_partition_root ? 0 : TABLES_PARENTS) |
	       (config->outputs == OUTPUT_KAFKA ? TABLES_UNLOGGED : 0);
}

static void
read_table_row(Snapshot *snapshot, const PGresult *result, int row)
{
	const Config *config = snapshot->request->config;
	const char *only = snapshot->request->only;
	Table *table = &snapshot->tables[snapshot->table_count];

	if (only != NULL
	        ? strcmp(only,
	                 server_text(result, row, PQgetisnull(result, row, 7) ? 1 : 7)) != 0
	        : !config_snapshots_table(
				  config, server_text(result, row, 5), server_text(result, row, 6)))
		return;
	table->relid = server_oid(result, row, 0);
	table->name = arena_strdup(snapshot->arena, server_text(result, row, 1));
	table->quoted = arena_strdup(snapshot->arena, server_text(result, row, 2));
	table->pages = strtod(server_text(result, row, 3), NULL);
	table->rows = strtod(server_text(result, row, 4), NULL);
	table->select = config_snapshot_select(config, table->name);
	table->place = filter_first(&config->env.table_include_list, table->name);
	table->number = snapshot->table_count++;
}

static bool
read_tables(Snapshot *snapshot, TableList *list, Err *err)
{
	const Config *config = snapshot->request->config;
	Session *session = &snapshot->sessions[0];
	Buf sql = buf_heap();
	PGresult *result;

	if (!server_tables(session->conn,
	                   config,
	                   snapshot_more_tables(config),
	                   snapshot->arena,
	                   list,
	                   err))
		return false;
	if (list->count == 0)
		return true;
	buf_text(
		&sql,
		"SELECT c.oid, n.nspname || '.' || c.relname, "
		"quote_ident(n.nspname) || '.' || quote_ident(c.relname), "
		"coalesce(pg_relation_size(c.oid), 0) / current_setting('block_size')::int, "
		"greatest(c.reltuples, 0), n.nspname, c.relname, rn.nspname || '.' || r.relname "
		"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
		"LEFT JOIN pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid) "
		"LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace "
		"WHERE c.oid IN ");
	add_relids(&sql, list);
	buf_text(&sql, " ORDER BY (n.nspname || '.' || c.relname) COLLATE \"C\"");
	result = run(snapshot, session, buf_cstr(&sql), NULL, err);
	buf_free(&sql);
	if (result == NULL)
		return false;
	snapshot->tables = arena_zero(snapshot->arena,
	                              (size_t) PQntuples(result) * sizeof *snapshot->tables);
	for (int row = 0; row < PQntuples(result); row++)
		read_table_row(snapshot, result, row);
	PQclear(result);
	sort_tables(snapshot);
	if (snapshot->request->only == NULL)
		return true;
	list->count = snapshot->table_count;
	for (size_t i = 0; i < list->count; i++)
		list->relids[i] = snapshot->tables[i].relid;
	if (list->count == 0)
		log_warning("snapshot",
		            "table \"%s\" is not read: it is not captured, or there is none",
		            snapshot->request->only);
	return true;
}

/* Lock all tables, the last first (see the top of the file). */
static bool
lock_tables(Snapshot *snapshot, Err *err)
{
	Buf sql = buf_heap();
	bool ok = true;

	for (size_t left = snapshot->table_count; ok && left > 0; left--)
	{
		buf_printf(&sql,
		           "SAVEPOINT t; LOCK TABLE ONLY %s IN ACCESS SHARE MODE; ",
		           snapshot->tables[left - 1].quoted);
		if (left % LOCKS_A_QUERY != 1)
			continue;
		ok = run_command(snapshot, &snapshot->sessions[0], buf_cstr(&sql), err);
		buf_reset(&sql);
	}
	buf_free(&sql);
	return ok || fail_while(err, "could not lock the tables");
}

static bool
check_rewritten(Snapshot *snapshot, const TableList *list, Err *err)
{
	Buf sql = buf_heap();
	PGresult *result;
	bool ok;

	if (list->count == 0)
		return true;
	buf_text(&sql,
	         "SELECT n.nspname || '.' || c.relname "
	         "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
	         "WHERE c.relkind = 'r' "
	         "AND pg_relation_filenode(c.oid) IS DISTINCT FROM c.relfilenode "
	         "AND c.oid IN ");
	add_relids(&sql, list);
	result = run(snapshot, &snapshot->sessions[0], buf_cstr(&sql), NULL, err);
	buf_free(&sql);
	if (result == NULL)
		return false;
	ok =
		PQntuples(result) == 0 ||
		fail(
			err,
			ERR_RETRY,
			"table \"%s\" was truncated, rewritten or dropped since the snapshot was made",
			server_text(result, 0, 0));
	PQclear(result);
	return ok;
}

static bool
prepare(Snapshot *snapshot, Err *err)
{
	TableList list;
	double pages = 0;

	if (!read_transaction(snapshot, err) || !read_tables(snapshot, &list, err) ||
	    !lock_tables(snapshot, err) || !check_rewritten(snapshot, &list, err))
		return false;
	for (size_t i = 0; i < snapshot->table_count; i++)
		pages += snapshot->tables[i].pages;
	progress_begin(&snapshot->progress, pages, snapshot->table_count);
	return true;
}

/* ---- Batches: stamping, holding back, handing over ---- */

/* Make sure there is a batch that can be added to. */
static Batch *
pending_batch(Snapshot *snapshot)
{
	if (snapshot->pending == NULL)
	{
		snapshot->pending = batch_new(snapshot->request->budget);
		snapshot->pending->received_us = clock_mono_us();
		snapshot->pending_txn = batch_txn(snapshot->pending, &snapshot->txn);
	}
	return snapshot->pending;
}

static void
add_mark(Snapshot *snapshot, EventKind kind, const Relation *relation)
{
	Event *event = batch_add(pending_batch(snapshot), kind);

	event->lsn = snapshot->request->consistent;
	event->relation = relation;
	event->txn = relation == NULL ? NULL : snapshot->pending_txn;
}

static bool
hand_over(Snapshot *snapshot, Err *err)
{
	Batch *batch = snapshot->pending;

	if (batch == NULL)
		return true;
	snapshot->pending = NULL;
	snapshot->held = NOTHING_HELD;
	batch_seal(batch);
	snapshot->sink_failed =
		!snapshot->request->sink(snapshot->request->context, batch, err);
	return !snapshot->sink_failed;
}

/* Take a batch of rows: it is held back, the one before goes to the outputs. */
static bool
hold_back(Snapshot *snapshot, Batch *batch, Err *err)
{
	const Txn *txn;

	if (!hand_over(snapshot, err))
	{
		batch_unref(batch);
		return false;
	}
	txn = batch_txn(batch, &snapshot->txn);
	for (size_t i = 0; i < batch->count; i++)
	{
		Event *event = &batch->events[i];

		event->lsn = snapshot->request->consistent;
		event->txn = txn;
		event->ordinal = (uint32_t) (snapshot->reading.rows + i);
		event->marker = SNAPSHOT_TRUE;
	}
	if (snapshot->reading.rows == 0 && snapshot->reading.is_first_table)
		batch->events[0].marker = SNAPSHOT_FIRST;
	else if (snapshot->reading.rows == 0)
		batch->events[0].marker = SNAPSHOT_FIRST_IN_COLLECTION;
	snapshot->reading.rows += batch->count;
	snapshot->rows += batch->count;
	snapshot->pending = batch;
	snapshot->pending_txn = txn;
	snapshot->held = batch->count - 1;
	return true;
}

/* A first row that is also its table's last stays the first (Debezium's order). */
static void
mark_table_end(Snapshot *snapshot)
{
	Event *event;

	if (snapshot->reading.rows == 0 || snapshot->held == NOTHING_HELD)
		return;
	event = &snapshot->pending->events[snapshot->held];
	if (event->marker != SNAPSHOT_FIRST)
		event->marker = SNAPSHOT_LAST_IN_COLLECTION;
}

static bool
finish(Snapshot *snapshot, Err *err)
{
	const char *only = snapshot->request->only;
	Event *end;

	if (snapshot->held != NOTHING_HELD)
		snapshot->pending->events[snapshot->held].marker = SNAPSHOT_LAST;
	add_mark(snapshot, EVENT_SNAPSHOT_END, NULL);
	end = &snapshot->pending->events[snapshot->pending->count - 1];
	/* One byte before, where nothing commits: the point itself is reached with the last
	 * of the tables, by the caller's marker. */
	if (only != NULL)
	{
		end->old_tuple = slice_from(arena_strdup(snapshot->pending->arena, only));
		end->lsn--;
	}
	snapshot->pending->end_lsn = end->lsn;
	return hand_over(snapshot, err);
}

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
	result = run(snapshot, session, buf_cstr(&sql), code, err);
	buf_free(&sql);
	PQclear(result);
	session->locked = result != NULL;
	if (result != NULL)
		return true;
	if (strcmp(code, "55P03") != 0)
		return false;
	return run_command(
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
		if (i == snapshot->session_count && !open_session(snapshot, err))
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
		    !run_command(
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
		(void) fail_command(session, result, err);
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
	ok = PQresultStatus(result) == PGRES_COPY_OUT || fail_command(session, result, err);
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
	return full == NULL || hold_back(snapshot, full, err);
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
		if (asked_to_stop(snapshot, err) || !dispatch(snapshot, waits, &busy, err))
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
		else if (batch != NULL && !hold_back(snapshot, batch, err))
			return false;
	}
	return true;
}

/* Until the savepoint ends a query of the user's finds names where his session does. */
static bool
find_names(Snapshot *snapshot, const Table *table, Err *err)
{
	return table->select == NULL ||
	       run_command(snapshot,
	                   &snapshot->sessions[0],
	                   "SET LOCAL search_path = \"$user\", public",
	                   err);
}

static bool
read_table(Snapshot *snapshot, const Table *table, Err *err)
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
	add_mark(snapshot, EVENT_TABLE_BEGIN, relation);
	if (!find_names(snapshot, table, err) || !gather_sessions(snapshot, table, err) ||
	    !read_ranges(snapshot, err) || !collect(snapshot, err) ||
	    !unlock_sessions(snapshot, err))
		return !snapshot->sink_failed && fail_while(err, "table \"%s\"", table->name);
	mark_table_end(snapshot);
	add_mark(snapshot, EVENT_TABLE_END, relation);
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

static void
close_all(Snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->session_count; i++)
	{
		copy_reader_fini(&snapshot->sessions[i].reader);
		batch_unref(snapshot->sessions[i].batch);
		PQfinish(snapshot->sessions[i].conn);
	}
	batch_unref(snapshot->pending);
	arena_free(snapshot->arena);
}
