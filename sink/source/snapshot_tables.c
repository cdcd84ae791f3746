/*
 * snapshot_tables.c
 *		which tables a snapshot reads, in which order, and their locks.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/snapshot_state.h"

#include <stdlib.h>

#include "base/log.h"

#define LOCKS_A_QUERY 100

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
		"(pg_snapshot_xmax(pg_current_snapshot())::text::bigint) & 4294967295, "
		"pg_snapshot_xmin(pg_current_snapshot())";
	PGresult *result = session_query(snapshot, &snapshot->sessions[0], query, NULL, err);

	if (result == NULL)
		return false;
	snapshot->txn = (Txn){
		.commit_lsn = snapshot->request->consistent,
		.commit_us = strtoll(server_text(result, 0, 0), NULL, 10),
		.xid = server_oid(result, 0, 1),
	};
	snapshot->xmin = strtoull(server_text(result, 0, 2), NULL, 10);
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
	table->filenode = server_oid(result, row, 8);
	table->has_toast = *server_text(result, row, 10) == 't';
	table->has_parts = table->select == NULL && *server_text(result, row, 9) == 't';
	table->is_parent = *server_text(result, row, 11) == 'p';
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
		"greatest(c.reltuples, 0), n.nspname, c.relname, rn.nspname || '.' || r.relname, "
		"c.relfilenode, c.relkind = 'p' OR NOT c.relhassubclass, c.reltoastrelid <> 0, "
		"c.relkind "
		"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
		"LEFT JOIN pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid) "
		"LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace "
		"WHERE c.oid IN ");
	add_relids(&sql, list);
	buf_text(&sql, " ORDER BY (n.nspname || '.' || c.relname) COLLATE \"C\"");
	result = session_query(snapshot, session, buf_cstr(&sql), NULL, err);
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
	return true;
}

/* Of a table that is asked for there may be nothing to read: because it has no rows of
 * its own any more, which is to be told, or because it is not there. */
static bool
look_for_none(Snapshot *snapshot, Err *err)
{
	const SnapshotRequest *request = snapshot->request;
	PGconn *conn = snapshot->sessions[0].conn;
	uint32_t relid;

	for (size_t i = 0; i < snapshot->table_count; i++)
		if (!snapshot->tables[i].is_parent)
			return true;
	if (request->only == NULL)
		return true;
	if (!server_rowless(conn, request->only, &relid, err))
		return false;
	if (relid == 0)
	{
		log_warning("snapshot",
		            "table \"%s\" is not read: it is not captured, or there is none",
		            request->only);
		return true;
	}
	snapshot->empty = server_relation_read(
		conn, request->config, relid, false, snapshot->relations, err);
	return snapshot->empty != NULL;
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
		ok = session_command(snapshot, &snapshot->sessions[0], buf_cstr(&sql), err);
		buf_reset(&sql);
	}
	buf_free(&sql);
	return ok || fail_while(err, "could not lock the tables");
}

/*
 * Functions like pg_partition_root() tell what is now: a partition that was detached
 * since the snapshot was made was not found for the table that it belongs to there.
 */
static bool
check_partitions(Snapshot *snapshot, Err *err)
{
	const char *only = snapshot->request->only;
	Buf sql = buf_heap();
	PGresult *result;
	bool ok;

	if (only == NULL)
		return true;
	buf_text(&sql,
	         "WITH RECURSIVE tree(oid, root) AS ("
	         "	SELECT c.oid, c.oid FROM pg_class c "
	         "	JOIN pg_namespace n ON n.oid = c.relnamespace "
	         "	WHERE c.relkind = 'p' AND NOT c.relispartition "
	         "	AND n.nspname || '.' || c.relname = ");
	server_quote(&sql, '\'', only);
	buf_text(
		&sql,
		"	UNION ALL SELECT i.inhrelid, t.root FROM tree t JOIN pg_inherits i "
		"	ON i.inhparent = t.oid AND NOT i.inhdetachpending) "
		"SELECT t.oid::regclass FROM tree t "
		"WHERE t.oid <> t.root AND pg_partition_root(t.oid) IS DISTINCT FROM t.root");
	result = session_query(snapshot, &snapshot->sessions[0], buf_cstr(&sql), NULL, err);
	buf_free(&sql);
	if (result == NULL)
		return false;
	ok = PQntuples(result) == 0 ||
	     fail(err,
	          ERR_RETRY,
	          "partition %s of table \"%s\" was detached since the snapshot was made",
	          server_text(result, 0, 0),
	          only);
	PQclear(result);
	return ok;
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
	result = session_query(snapshot, &snapshot->sessions[0], buf_cstr(&sql), NULL, err);
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

static Table *
find_table(const Snapshot *snapshot, uint32_t relid)
{
	for (size_t i = 0; i < snapshot->table_count; i++)
		if (snapshot->tables[i].relid == relid)
			return &snapshot->tables[i];
	return NULL;
}

/*
 * Go on behind what the outputs have, if all of it still is what it was: rows of a
 * partition that has gone, or has another file, would stay where they must not.
 */
static void
take_partial(Snapshot *snapshot)
{
	const char *only = snapshot->request->only;
	const char *text = snapshot->request->partial;
	PartRead part;

	while (partial_next(&text, &part))
	{
		const Table *table = find_table(snapshot, part.relid);

		if (table != NULL && table->has_parts && table->filenode == part.filenode)
			continue;
		log_info("snapshot",
		         "table \"%s\" is read from its beginning: it was rewritten or has other "
		         "partitions",
		         only);
		return;
	}
	text = snapshot->request->partial;
	while (partial_next(&text, &part))
	{
		Table *table = find_table(snapshot, part.relid);

		table->goes_on = true;
		table->part = part;
		snapshot->partial = snapshot->request->partial;
	}
}

bool
snapshot_prepare(Snapshot *snapshot, Err *err)
{
	TableList list;
	double pages = 0;

	if (!read_transaction(snapshot, err) || !read_tables(snapshot, &list, err) ||
	    !lock_tables(snapshot, err) || !check_rewritten(snapshot, &list, err) ||
	    !check_partitions(snapshot, err) || !look_for_none(snapshot, err))
		return false;
	take_partial(snapshot);
	for (size_t i = 0; i < snapshot->table_count; i++)
		pages += snapshot->tables[i].pages;
	progress_begin(&snapshot->progress, pages, snapshot->table_count);
	return true;
}
