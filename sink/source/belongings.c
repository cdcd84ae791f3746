/*
 * belongings.c
 *		the catalog of partitions, as events.
 *
 * A partition that was just attached, or a table that a rename took into the lists, may
 * have rows of which no change came.  Whether it has, is looked at when it is first seen
 * as what it is: rows that come later come by the stream.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/belongings.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

typedef struct Look
{
	Arena *arena;
	Belonging *items; /* by relid */
	size_t count;
	Lsn at;
} Look;

struct Belongings
{
	Periodic *periodic;
	int wake_fd;
	Look last; /* the thread's */
	pthread_mutex_t lock;
	Look waiting;       /* under lock */
	atomic_bool is_new; /* there is one */
};

static int
compare_relids(const void *left, const void *right)
{
	const Belonging *a = left;
	const Belonging *b = right;

	return (a->relid > b->relid) - (a->relid < b->relid);
}

static const Belonging *
find(const Look *look, uint32_t relid)
{
	const Belonging key = { .relid = relid };

	return look->count == 0
	           ? NULL
	           : bsearch(&key, look->items, look->count, sizeof key, compare_relids);
}

/* Whether the server shows a row now; false when that cannot be known: the table has gone
 * meanwhile, or is locked. */
static bool
query_rows(PGconn *conn, const char *quoted, bool *has_rows)
{
	Buf sql = buf_heap();
	Err err = { 0 };
	PGresult *result;

	buf_printf(&sql, "SELECT EXISTS (SELECT FROM ONLY %s)", quoted);
	result = server_query(conn, buf_cstr(&sql), &err);
	if (result == NULL)
		log_debug("partitions", "could not look into %s: %s", quoted, err.text);
	else
		*has_rows = *server_text(result, 0, 0) == 't';
	PQclear(result);
	buf_free(&sql);
	return result != NULL;
}

/* Add a table; whether it has rows is looked at when it is first seen in its root, or as
 * a table of its own. */
static void
read_row(const Config *config, const Look *last, const PGresult *result, int row,
         PGconn *conn, Look *look)
{
	const Relation relation = {
		.relid = server_oid(result, row, 0),
		.schema = server_text(result, row, 2),
		.name = server_text(result, row, 3),
		.root_relid = server_oid(result, row, 1),
		.root_schema = server_text(result, row, 4),
		.root_name = server_text(result, row, 5),
	};
	const Belonging *before = find(last, relation.relid);
	bool is_wanted = *server_text(result, row, 7) == 't' &&
	                 config->snapshot_mode != SNAPSHOT_NO_DATA &&
	                 server_wants(config, &relation) &&
	                 config_snapshots_table(config, relation.schema, relation.name);
	bool is_known = true;
	bool has_rows = false;

	if (before != NULL && before->root == relation.root_relid && before->is_read &&
	    before->is_known)
		has_rows = before->has_rows;
	else if (is_wanted)
		is_known = query_rows(conn, server_text(result, row, 6), &has_rows);
	look->items[look->count++] = (Belonging){
		.relid = relation.relid,
		.root = relation.root_relid,
		.kind = *server_text(result, row, 8),
		.is_read = is_wanted,
		.is_known = is_known,
		.has_rows = has_rows,
		.schema = arena_strdup(look->arena, relation.schema),
		.name = arena_printf(look->arena, "%s.%s", relation.schema, relation.name),
		.root_name =
			arena_printf(look->arena, "%s.%s", relation.root_schema, relation.root_name),
	};
}

static PGresult *
query_tables(PGconn *conn, Err *err)
{
	static const char sql[] =
		"SELECT c.oid, coalesce(nullif(r.oid, c.oid), 0), n.nspname, c.relname, rn.nspname, r.relname, "
		"quote_ident(n.nspname) || '.' || quote_ident(c.relname), "
		"c.relkind = 'r' AND c.relpersistence = 'p' AND "
		"has_table_privilege(c.oid, 'SELECT'), c.relkind "
		"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
		"LEFT JOIN pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid) "
		"LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace "
		"WHERE c.relkind IN ('r', 'p', 'f') AND c.oid >= 16384 "
		"ORDER BY c.oid";

	return server_query(conn, sql, err);
}

static bool
read_place(PGconn *conn, Lsn *at, Err *err)
{
	/* What is visible to the queries before is not beyond it. */
	PGresult *result =
		server_query(conn,
	                 "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() "
	                 "ELSE pg_current_wal_insert_lsn() END - '0/0'::pg_lsn",
	                 err);

	if (result == NULL)
		return false;
	*at = strtoull(server_text(result, 0, 0), NULL, 10);
	PQclear(result);
	return true;
}

static Belonging *
copy_items(const Look *look, Arena *arena)
{
	Belonging *items = arena_alloc(arena, sizeof *items * (look->count + 1));

	for (size_t i = 0; i < look->count; i++)
	{
		items[i] = look->items[i];
		items[i].schema = arena_strdup(arena, items[i].schema);
		items[i].name = arena_strdup(arena, items[i].name);
		items[i].root_name = arena_strdup(arena, items[i].root_name);
	}
	return items;
}

static void
free_look(Look *look)
{
	if (look->arena != NULL)
		arena_free(look->arena);
	*look = (Look){ 0 };
}

static bool
look_once(const Config *config, void *context, PGconn *conn, Err *err)
{
	static const uint64_t one = 1;
	Belongings *belongings = context;
	PGresult *result;
	Look look = { 0 };
	Lsn at;

	/* A stream that is always behind would never come to the newest. */
	if (belongings_look(belongings, &at))
		return true;
	result = query_tables(conn, err);
	if (result == NULL)
		return false;
	look.arena = arena_new();
	look.items =
		arena_alloc(look.arena, sizeof *look.items * ((size_t) PQntuples(result) + 1));
	for (int row = 0; row < PQntuples(result); row++)
		read_row(config, &belongings->last, result, row, conn, &look);
	PQclear(result);
	if (!read_place(conn, &look.at, err))
	{
		free_look(&look);
		return false;
	}
	free_look(&belongings->last);
	belongings->last = look;
	if (look.count == 0)
		return true;
	(void) pthread_mutex_lock(&belongings->lock);
	belongings->waiting =
		(Look){ .arena = arena_new(), .count = look.count, .at = look.at };
	belongings->waiting.items = copy_items(&look, belongings->waiting.arena);
	atomic_store(&belongings->is_new, true);
	(void) pthread_mutex_unlock(&belongings->lock);
	if (write(belongings->wake_fd, &one, sizeof one) < 0)
		log_debug("partitions", "could not wake the reader");
	return true;
}

/* It must not wait for a table long: the others are of as much interest. */
static PGconn *
connect_patiently(const Config *config, Err *err)
{
	PGconn *conn = server_connect(config, false, err);
	PGresult *result;

	if (conn == NULL)
		return NULL;
	result = server_query(
		conn, "SET lock_timeout TO '1s'; SET statement_timeout TO '60s'", err);
	PQclear(result);
	if (result != NULL)
		return conn;
	PQfinish(conn);
	return NULL;
}

bool
belongings_start(const Config *config, int wake_fd, Belongings **belongings, Err *err)
{
	Belongings *started;

	*belongings = NULL;
	if ((config->outputs & OUTPUT_SILVER) == 0 ||
	    config->lake_partitions_interval_ms == 0)
		return true;
	started = xmalloc(sizeof *started);
	*started = (Belongings){ .wake_fd = wake_fd };
	(void) pthread_mutex_init(&started->lock, NULL);
	if (periodic_start(
			&(PeriodicTask){
				.config = config,
				.name = "partitions",
				.what = "look at the catalog of partitions",
				.interval_ms = config->lake_partitions_interval_ms,
				.at_once = true,
				.connect = connect_patiently,
				.work = look_once,
				.context = started,
			},
			&started->periodic,
			err))
	{
		*belongings = started;
		return true;
	}
	belongings_stop(started);
	return false;
}

void
belongings_stop(Belongings *belongings)
{
	if (belongings == NULL)
		return;
	periodic_stop(belongings->periodic);
	free_look(&belongings->last);
	free_look(&belongings->waiting);
	(void) pthread_mutex_destroy(&belongings->lock);
	free(belongings);
}

bool
belongings_look(Belongings *belongings, Lsn *at)
{
	if (belongings == NULL || !atomic_load(&belongings->is_new))
		return false;
	(void) pthread_mutex_lock(&belongings->lock);
	*at = belongings->waiting.at;
	(void) pthread_mutex_unlock(&belongings->lock);
	return true;
}

void
belongings_drop(Belongings *belongings)
{
	(void) pthread_mutex_lock(&belongings->lock);
	free_look(&belongings->waiting);
	atomic_store(&belongings->is_new, false);
	(void) pthread_mutex_unlock(&belongings->lock);
}

void
belongings_take(Belongings *belongings, Batch *batch)
{
	Event *event = batch_add(batch, EVENT_CATALOG);
	Look look;

	(void) pthread_mutex_lock(&belongings->lock);
	look = belongings->waiting;
	belongings->waiting = (Look){ 0 };
	atomic_store(&belongings->is_new, false);
	(void) pthread_mutex_unlock(&belongings->lock);
	event->lsn = look.at;
	event->old_tuple = (Slice){ (const char *) copy_items(&look, batch->arena),
		                        sizeof *look.items * look.count };
	free_look(&look);
}
