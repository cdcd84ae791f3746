/*
 * verify.c
 *		silver against its source, at one LSN, in both directions (stream.md 22).
 *
 * A temporary slot exports a snapshot at X; the lake's last published cut is L.
 *
 *		worker running	wait for a cut L >= X, then stream the temporary slot from X to L:
 *						what it changed is applied to the rows of the snapshot, which are
 *						then the source as it was at L.
 *		worker stopped	L < X; the worker's own slot is peeked (never consumed) from L to
 *X: keys changed there are on their way, and left out on both sides.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "verify.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "envelope/control.h"
#include "lake/compare.h"
#include "source/publication.h"
#include "source/snapshot_copy.h"
#include "source/stream.h"
#include "verify_changes.h"

#define WAIT_US INT64_C(150000000) /* for a cut beyond the snapshot */
#define STEP_MS 100

typedef struct Verify
{
	const Config *config;
	FILE *to;
	Arena *arena;
	PGconn *sql;         /* holds the snapshot */
	PGconn *aside;       /* for everything else */
	PGconn *replication; /* owns the temporary slot */
	Stream *stream;
	BatchBudget budget;
	Compare *compare;
	char slot[64];
	Lsn snapshot_lsn;
	Position cut;
	bool forward; /* the changes lead from the snapshot to the cut */
	Changes *changes;
	int64_t tables;
	int64_t different;
	int64_t skipped; /* not compared */
} Verify;

static bool open_all(Verify *verify, Err *err);
static bool choose_cut(Verify *verify, Err *err);
static bool stream_to_cut(Verify *verify, Err *err);
static bool peek_from_cut(Verify *verify, Err *err);
static bool compare_tables(Verify *verify, Err *err);

/* A table that was not compared is none that is equal, nor is none at all. */
static void
print_verdict(const Verify *verify)
{
	const char *verdict = verify->different > 0 ? "different"
	                      : verify->skipped > 0 ? "incomplete"
	                                            : "ok";

	if (verify->tables + verify->skipped == 0)
	{
		(void) fprintf(verify->to,
		               "incomplete: there is nothing to compare: the filters want no "
		               "table that exists now. Check table.include.list and "
		               "schema.include.list; a partitioned table has the names of its "
		               "partitions unless publish.via.partition.root is set.\n");
		return;
	}
	(void) fprintf(
		verify->to,
		"%s: %" PRId64 " of %" PRId64 " tables equal at %X/%X",
		verdict,
		verify->tables - verify->different,
		verify->tables,
		LSN_ARGS(verify->forward ? verify->cut.end_lsn : verify->snapshot_lsn));
	if (verify->skipped > 0)
		(void) fprintf(verify->to,
		               ", %" PRId64 " not compared: verify again %s",
		               verify->skipped,
		               verify->forward ? "a little later" : "while the worker runs");
	(void) fputc('\n', verify->to);
}

bool
verify_run(const Config *config, FILE *to, bool *equal, Err *err)
{
	Verify verify = { .config = config, .to = to };
	bool ok;

	verify.arena = arena_new();
	verify.budget = (BatchBudget){ .limit = SIZE_MAX, .wake_fd = -1 };
	ok = open_all(&verify, err) && choose_cut(&verify, err) &&
	     (verify.forward ? stream_to_cut(&verify, err) : peek_from_cut(&verify, err)) &&
	     compare_tables(&verify, err);
	*equal = ok && verify.tables > 0 && verify.different == 0 && verify.skipped == 0;
	if (ok)
		print_verdict(&verify);
	changes_free(verify.changes);
	compare_free(verify.compare);
	stream_close(verify.stream);
	PQfinish(verify.replication);
	PQfinish(verify.sql);
	PQfinish(verify.aside);
	arena_free(verify.arena);
	return ok;
}

static bool
run_sql(PGconn *conn, const char *sql, Err *err)
{
	PGresult *result = server_query(conn, sql, err);

	PQclear(result);
	return result != NULL;
}

static bool
connect_all(Verify *verify, Err *err)
{
	verify->sql = server_connect(verify->config, false, err);
	if (verify->sql == NULL)
		return false;
	verify->aside = server_connect(verify->config, false, err);
	if (verify->aside == NULL)
		return false;
	verify->replication = server_connect(verify->config, true, err);
	return verify->replication != NULL &&
	       publication_read(verify->sql, verify->config, err);
}

/* Whether the lake holds the stream of this server, database and slot. */
static bool
check_source(Verify *verify, Err *err)
{
	const Config *config = verify->config;
	ServerIdentity server;
	Position self;

	if (!server_identify(verify->replication, &server, err))
		return false;
	self = (Position){ .system_id = server.system_id,
		               .timeline = server.timeline,
		               .fingerprint = env_options_fingerprint(&config->env) };
	(void) snprintf(self.database, sizeof self.database, "%s", server.database);
	(void) snprintf(self.slot, sizeof self.slot, "%s", config->slot_name);
	self.rest = env_options_fingerprint_of_rest(&config->env);
	if (!position_has_other_lists(&verify->cut, &self))
		return position_same_source(&verify->cut, &self, "the lake", err);
	fail(err, ERR_CONFIG, "the lake was written under other lists of tables");
	return fail_hint(err,
	                 "Run the worker with this configuration first: it reads the tables "
	                 "that are new.");
}

/* Open the lake at its last published cut. */
static bool
open_lake(Verify *verify, Err *err)
{
	if (!compare_open(verify->config, &verify->compare, err) ||
	    !compare_cut(verify->compare, &verify->cut, err) || !check_source(verify, err))
		return false;
	verify->changes = changes_new(verify->compare);
	if (verify->cut.phase == POSITION_STREAM)
		return true;
	fail(err, ERR_FATAL, "the lake has no published cut yet");
	return fail_hint(err, "Run verify when the initial snapshot is complete.");
}

static bool
open_all(Verify *verify, Err *err)
{
	const Config *config = verify->config;
	NewSlot slot = { .name = verify->slot, .temporary = true };
	char command[160];

	if ((config->outputs & OUTPUT_SILVER) == 0)
	{
		fail(err,
		     ERR_CONFIG,
		     "there is no silver to verify: \"outputs\" does not name it");
		return fail_hint(err, "Use the configuration of the worker that writes silver.");
	}
	if (!connect_all(verify, err) || !open_lake(verify, err))
		return false;
	(void) snprintf(verify->slot,
	                sizeof verify->slot,
	                "cdc_verify_%ld_%" PRIx64,
	                (long) getpid(),
	                (uint64_t) clock_wall_ns());
	if (!server_create_slot(verify->replication, verify->aside, config, &slot, err))
		return false;
	verify->snapshot_lsn = slot.consistent;
	(void) snprintf(
		command, sizeof command, "SET TRANSACTION SNAPSHOT '%s'", slot.snapshot);
	return run_sql(verify->sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err) &&
	       run_sql(verify->sql, command, err);
}

/*
 * With the worker running, wait for a cut at or beyond the snapshot.  A message in a
 * transaction of its own gives a quiet source something to cut at.
 */
static bool
choose_cut(Verify *verify, Err *err)
{
	int64_t deadline = clock_mono_us() + WAIT_US;
	SlotState slot;

	if (!server_slot(verify->aside, verify->config->slot_name, &slot, err))
		return false;
	if (verify->cut.end_lsn < verify->snapshot_lsn && slot.exists && slot.active)
	{
		if (!run_sql(verify->aside,
		             "SELECT pg_logical_emit_message(true, '" CONTROL_OWN_PREFIX
		             "verify', '')",
		             err))
			return false;
		log_info("verify",
		         "waiting for a cut at or beyond %X/%X; the last one is at %X/%X",
		         LSN_ARGS(verify->snapshot_lsn),
		         LSN_ARGS(verify->cut.end_lsn));
		while (verify->cut.end_lsn < verify->snapshot_lsn)
		{
			if (clock_mono_us() > deadline)
			{
				fail(err,
				     ERR_FATAL,
				     "the running worker published no cut at or beyond %X/%X in time",
				     LSN_ARGS(verify->snapshot_lsn));
				return fail_hint(
					err, "See its log for what holds it back, or stop it and try again.");
			}
			(void) poll(NULL, 0, STEP_MS);
			if (!compare_cut(verify->compare, &verify->cut, err))
				return false;
		}
	}
	verify->forward = verify->cut.end_lsn >= verify->snapshot_lsn;
	if (!verify->forward && !slot.exists)
	{
		fail(
			err,
			ERR_CONFIG,
			"replication slot \"%s\" does not exist, so what changed since the last cut is not known",
			verify->config->slot_name);
		return fail_hint(err, "Use the slot.name of the worker that writes this lake.");
	}
	return true;
}

/* ---- What the stream changed ---- */

static bool
stream_to_cut(Verify *verify, Err *err)
{
	Lsn reached = verify->snapshot_lsn;
	int64_t asked_us = 0;

	verify->stream =
		stream_open_on(verify->replication, verify->config, verify->slot, 0, err);
	verify->replication = NULL;
	if (verify->stream == NULL)
		return false;
	while (reached < verify->cut.end_lsn)
	{
		StreamItem item;
		struct pollfd fd = { .fd = stream_socket(verify->stream), .events = POLLIN };
		bool ok = true;

		if (!stream_next(verify->stream, &item, err))
			return false;
		if (item.kind == STREAM_FRAME)
			ok = changes_frame(verify->changes,
			                   item.frame,
			                   verify->snapshot_lsn,
			                   verify->cut.end_lsn,
			                   err);
		else if (item.kind == STREAM_KEEPALIVE &&
		         !changes_in_transaction(verify->changes))
			reached = item.wal_end;
		stream_release(&item);
		if (!ok)
			return false;
		if (clock_mono_us() - asked_us > STEP_MS * 1000)
		{
			asked_us = clock_mono_us();
			if (!stream_feedback(verify->stream, reached, 0, true, err))
				return false;
		}
		if (item.kind == STREAM_NOTHING)
			(void) poll(&fd, 1, STEP_MS);
	}
	return true;
}

static bool
peek_from_cut(Verify *verify, Err *err)
{
	const Config *config = verify->config;
	PGresult *result =
		stream_peek(verify->aside, config, config->slot_name, verify->snapshot_lsn, err);
	bool ok = true;

	if (result == NULL)
		return false;
	for (int row = 0; ok && row < PQntuples(result); row++)
	{
		Slice frame = { PQgetvalue(result, row, 0),
			            (size_t) PQgetlength(result, row, 0) };

		ok = changes_frame(
			verify->changes, frame, verify->cut.end_lsn, verify->snapshot_lsn, err);
	}
	PQclear(result);
	return ok;
}

/* ---- The comparison ---- */

/* One row of the snapshot, as it was at the cut. */
static bool
compare_source_row(Verify *verify, const Relation *relation, const TableNote *note,
                   Slice tuple, Err *err)
{
	Change *change;

	if (!changes_find(verify->changes, relation, tuple, &change, err))
		return false;
	if (change == NULL)
		return (note->truncated && verify->forward) ||
		       compare_row(verify->compare, tuple, err);
	if (!verify->forward)
		return true;
	change->seen = true;
	tuple = changes_row(verify->changes, change, relation, tuple);
	/* A value that nobody knows has its row left out by compare_row(). */
	return tuple.data == NULL ||
	       (compare_relation(verify->compare, change->relation, err) &&
	        compare_row(verify->compare, tuple, err) &&
	        compare_relation(verify->compare, relation, err));
}

/* Begin reading the rows of relation. */
static bool
begin_copy(Verify *verify, const Relation *relation, Err *err)
{
	Buf sql = buf_heap();
	PGresult *result;
	bool ok;

	buf_text(&sql, "COPY (");
	(void) copy_select(&sql, &(CopySource){ .relation = relation }, &verify->config->env);
	buf_text(&sql, ") TO STDOUT (FORMAT binary)");
	result = PQexec(verify->sql, buf_cstr(&sql));
	buf_free(&sql);
	ok =
		PQresultStatus(result) == PGRES_COPY_OUT || server_fail(verify->sql, result, err);
	PQclear(result);
	return ok;
}

/* End the copy, whatever is still to come of it: the session is needed for the next
 * table.
 */
static bool
end_copy(Verify *verify, Err *err)
{
	bool ok = true;
	PGresult *result;
	char *data;

	while (PQgetCopyData(verify->sql, &data, 0) > 0)
		PQfreemem(data);
	while ((result = PQgetResult(verify->sql)) != NULL)
	{
		if (ok && PQresultStatus(result) != PGRES_COMMAND_OK)
			ok = server_fail(verify->sql, result, err);
		PQclear(result);
	}
	return ok;
}

static bool
compare_snapshot_rows(Verify *verify, const Relation *relation, const TableNote *note,
                      Err *err)
{
	CopyReader reader = { 0 };
	Err ignored;
	char *data = NULL;
	int len;
	bool ok = true;

	if (!begin_copy(verify, relation, err))
		return false;
	copy_reader_begin(&reader,
	                  relation,
	                  &verify->config->env,
	                  server_is_raw(verify->sql),
	                  verify->arena);
	while (ok && (len = PQgetCopyData(verify->sql, &data, 0)) > 0)
	{
		Batch *batch = batch_new(&verify->budget);

		ok = copy_reader_feed(&reader, (Slice){ data, (size_t) len }, batch, err);
		for (size_t i = 0; ok && i < batch->count; i++)
			ok = compare_source_row(
				verify, relation, note, batch->events[i].new_tuple, err);
		batch_unref(batch);
		PQfreemem(data);
	}
	copy_reader_fini(&reader);
	return end_copy(verify, ok ? err : &ignored) && ok;
}

/* Rows that came after the snapshot (forward), or keys that are on their way (else). */
static bool
compare_changes(Verify *verify, const Relation *relation, Err *err)
{
	const Change *change;
	size_t at = 0;

	while ((change = changes_next(verify->changes, &at)) != NULL)
	{
		bool ok = true;

		if (change->relation->relid != relation->relid)
			continue;
		if (!verify->forward)
			ok = compare_relation(verify->compare, change->first_relation, err) &&
			     compare_leave_out(verify->compare, change->first, err);
		else if (!change->seen && change->tuple.data != NULL)
			ok = compare_relation(verify->compare, change->relation, err) &&
			     compare_row(verify->compare, change->tuple, err);
		if (!ok)
			return false;
	}
	return true;
}

/* A source table: one relation, or the leaves of a partitioned one. */
typedef struct Source
{
	const Relation **leaves;
	size_t count;
	const char *schema;
	const char *name;
} Source;

static bool
is_equal(const CompareResult *result)
{
	return result->only_source == 0 && result->only_silver == 0;
}

static void
print_result(Verify *verify, const Source *source, const CompareResult *result)
{
	bool equal = is_equal(result);

	verify->different += !equal;
	(void) fprintf(verify->to,
	               "%s %s.%s: %" PRId64 " rows in source, %" PRId64 " in silver",
	               equal ? "ok" : "DIFFERENT",
	               source->schema,
	               source->name,
	               result->source_rows,
	               result->silver_rows);
	if (result->left_out > 0)
		(void) fprintf(
			verify->to, ", %" PRId64 " with changes on their way", result->left_out);
	if (!equal)
		(void) fprintf(verify->to,
		               "; %" PRId64 " only in source, %" PRId64 " only in silver",
		               result->only_source,
		               result->only_silver);
	(void) fputc('\n', verify->to);
	for (int i = 0; i < result->key_count; i++)
		(void) fprintf(
			verify->to, "    only in %s: %s\n", result->sides[i], result->keys[i]);
}

/* What the stream says that keeps a table from being compared; NULL: nothing. */
static const char *
obstacle(Verify *verify, const Source *source)
{
	for (size_t i = 0; i < source->count; i++)
	{
		const TableNote *note = changes_note(verify->changes, source->leaves[i]->relid);

		if (note->unkeyed || (note->added && !verify->forward))
			return "changed without a key";
		if (note->truncated && !verify->forward)
			return "truncated";
	}
	return NULL;
}

/* Whether rows were given other values without changes: what differs may be these. */
static bool
has_new_values(Verify *verify, const Source *source)
{
	for (size_t i = 0; i < source->count; i++)
		if (changes_note(verify->changes, source->leaves[i]->relid)->rewritten)
			return true;
	return false;
}

/*
 * TRUNCATE and ALTER TABLE do not heed snapshots: a table whose storage is not that of
 * the snapshot shows no rows in it.  The lock of having read it keeps it as it is now.
 */
static bool
was_rewritten(Verify *verify, uint32_t relid, bool *rewritten, Err *err)
{
	char sql[128];
	PGresult *result;

	(void) snprintf(sql,
	                sizeof sql,
	                "SELECT relkind = 'p' OR relfilenode = pg_relation_filenode(oid) "
	                "FROM pg_class WHERE oid = %u",
	                relid);
	result = server_query(verify->sql, sql, err);
	if (result == NULL)
		return false;
	*rewritten = PQntuples(result) != 1 || *server_text(result, 0, 0) != 't';
	PQclear(result);
	return true;
}

/* Hand the rows of all leaves over. */
static bool
compare_rows(Verify *verify, const Source *source, const char **why_not, Err *err)
{
	for (size_t i = 0; i < source->count; i++)
	{
		const Relation *leaf = source->leaves[i];
		TableNote note = *changes_note(verify->changes, leaf->relid);
		bool rewritten;

		if (!compare_relation(verify->compare, leaf, err) ||
		    !compare_snapshot_rows(verify, leaf, &note, err) ||
		    !compare_changes(verify, leaf, err) ||
		    !was_rewritten(verify, leaf->relid, &rewritten, err))
			return false;
		/* After a TRUNCATE before the cut, no row of the snapshot counts. */
		if (rewritten && !note.truncated)
			*why_not = "truncated or rewritten";
	}
	return true;
}

static bool
compare_source(Verify *verify, const Source *source, Err *err)
{
	const char *why_not = obstacle(verify, source);
	CompareResult result;
	bool ok = true;

	if (why_not == NULL)
		ok = compare_begin(verify->compare, source->leaves[0], err) &&
		     compare_rows(verify, source, &why_not, err) &&
		     (why_not != NULL || compare_end(verify->compare, &result, err));
	if (!ok && err->kind != ERR_DATA)
		return fail_while(
			err, "could not compare table \"%s.%s\"", source->schema, source->name);
	if (ok && why_not == NULL && !is_equal(&result) && has_new_values(verify, source))
		why_not = "rewritten";
	if (ok && why_not != NULL)
	{
		verify->skipped++;
		(void) fprintf(verify->to,
		               "-- %s.%s: %s while it was looked at, not compared\n",
		               source->schema,
		               source->name,
		               why_not);
		return true;
	}
	if (ok && result.is_unknown && is_equal(&result))
	{
		verify->skipped++;
		(void) fprintf(verify->to,
		               "-- %s.%s: no silver table at the last cut, changes are on their "
		               "way, not compared\n",
		               source->schema,
		               source->name);
		return true;
	}
	verify->tables++;
	if (ok)
		print_result(verify, source, &result);
	else
	{
		verify->different++;
		(void) fprintf(
			verify->to, "DIFFERENT %s.%s: %s\n", source->schema, source->name, err->text);
	}
	return true;
}

/* Take relations[first] and the leaves of the same table behind it; NULL marks them done.
 */
static Source
take_source(const Relation **relations, size_t count, size_t first, Arena *arena)
{
	const Relation *leaf = relations[first];
	bool is_leaf = leaf->root_relid != 0;
	Source source = { .leaves = arena_alloc(arena, (count - first) * sizeof leaf),
		              .schema = is_leaf ? leaf->root_schema : leaf->schema,
		              .name = is_leaf ? leaf->root_name : leaf->name };

	for (size_t i = first; i < count; i++)
		if (i == first || (is_leaf && relations[i] != NULL &&
		                   relations[i]->root_relid == leaf->root_relid))
		{
			source.leaves[source.count++] = relations[i];
			relations[i] = NULL;
		}
	return source;
}

/* A partitioned table without partitions has no rows, and silver none of it. */
static bool
compare_empty(Verify *verify, Err *err)
{
	TableList roots;

	if (!server_empty_roots(verify->sql, verify->arena, &roots, err))
		return false;
	for (size_t i = 0; i < roots.count; i++)
	{
		const Relation *root = server_relation(
			verify->sql, verify->config, roots.relids[i], verify->arena, err);
		bool has;

		if (root == NULL || !compare_has(verify->compare, root, &has, err) ||
		    (has && !compare_source(
						verify, &(Source){ &root, 1, root->schema, root->name }, err)))
			return false;
	}
	return true;
}

/* Silver tables whose source is not there any more, or not captured, stay as they were.
 */
static void
print_rest(Verify *verify)
{
	CompareRest rest;
	size_t at = 0;

	while (compare_rest(verify->compare, &at, &rest))
		(void) fprintf(verify->to,
		               "-- %s: nothing to compare it with: \"%s\" is not captured as a "
		               "table of its own now, or there is none%s%s\n",
		               rest.table,
		               rest.source == NULL ? "" : rest.source,
		               rest.reason == NULL ? "" : "; it is stale: ",
		               rest.reason == NULL ? "" : rest.reason);
}

static bool
compare_tables(Verify *verify, Err *err)
{
	const Relation **relations;
	TableList tables;

	if (!server_tables(verify->sql, verify->config, 0, verify->arena, &tables, err))
		return false;
	relations = arena_alloc(verify->arena, (tables.count + 1) * sizeof *relations);
	for (size_t i = 0; i < tables.count; i++)
	{
		relations[i] = server_relation(
			verify->sql, verify->config, tables.relids[i], verify->arena, err);
		if (relations[i] == NULL)
			return false;
	}
	for (size_t i = 0; i < tables.count; i++)
	{
		Source source;

		if (relations[i] == NULL)
			continue;
		source = take_source(relations, tables.count, i, verify->arena);
		if (!compare_source(verify, &source, err))
			return false;
	}
	if (!compare_empty(verify, err))
		return false;
	print_rest(verify);
	return true;
}
