/*
 * source_probe.c
 *		drives the worker's source side against a server, for
 *regress/integration/test_source.py.
 *
 *		source_probe parity SQLFILE NAME=VALUE...
 *			Snapshots the database, runs SQLFILE, which writes every row again, and
 *streams it: each table's description and rows must be the same both ways. source_probe
 *snapshot NAME=VALUE... Snapshots into nothing; checks order, ordinals and markers;
 *prints rows per second. source_probe markers NAME=VALUE... The same; prints every event.
 *		source_probe race SQLFILE NAME=VALUE...
 *			Runs SQLFILE after the slot was made and before the snapshot is read.
 *		source_probe connect NAME=VALUE...
 *			Connects, creates a temporary slot and streams from it; prints the first
 *failure.
 *
 *		source_probe follow NAME=VALUE...
 *			Streams from slot.name until the stream fails, confirming at every keepalive.
 *		source_probe check NAME=VALUE...
 *			What cdc-sink check says of the source.
 *
 * Failures are printed as "kind: text" and "hint: ...".  Exit status 0 when all is well.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "config/config.h"
#include "envelope/value.h"
#include "event/partial.h"
#include "source/check.h"
#include "source/decode.h"
#include "source/snapshot.h"
#include "source/stream.h"

#define SLOT "source_probe"

typedef struct Probe
{
	Arena *arena;
	const Config *config;
	const char *script;
	PGconn *replication;
	PGconn *sql;
	NewSlot slot;
	BatchBudget budget;
	atomic_int stop;
} Probe;

/* The rows of one table as text, in any order. */
typedef struct RowSet
{
	const Relation *relation;
	char **rows;
	size_t count;
	size_t capacity;
} RowSet;

typedef struct Collection
{
	Arena *arena;
	RowSet *sets;
	size_t count;
} Collection;

static int
report(const Err *err)
{
	static const char *const kinds[] = { "none", "retry", "conflict",
		                                 "data", "fatal", "config" };

	printf("%s: %s\n", kinds[err->kind], err->text);
	if (err->hint[0] != '\0')
		printf("hint: %s\n", err->hint);
	return 1;
}

static bool
open_slot(Probe *probe, Err *err)
{
	probe->sql = server_connect(probe->config, false, err);
	if (probe->sql == NULL)
		return false;
	probe->replication = server_connect(probe->config, true, err);
	probe->slot = (NewSlot){ .name = SLOT, .temporary = true };
	return probe->replication != NULL &&
	       server_create_slot(
			   probe->replication, probe->sql, probe->config, &probe->slot, err);
}

static bool
run_snapshot(Probe *probe, SnapshotSink sink, void *context, Err *err)
{
	SnapshotRequest request = {
		.config = probe->config,
		.snapshot = probe->slot.snapshot,
		.consistent = probe->slot.consistent,
		.budget = &probe->budget,
		.sink = sink,
		.context = context,
		.relations = probe->arena,
		.stop = &probe->stop,
	};

	return snapshot_run(&request, err);
}

/* ---- parity ---- */

static char *
print_row(Arena *arena, const Relation *relation, Slice tuple)
{
	Value *values = arena_alloc(arena, (relation->column_count + 1U) * sizeof *values);
	Buf buf = buf_heap();
	EnvError error;
	char *text;

	if (!value_read_tuple(tuple, values, relation->column_count, &error))
	{
		printf("%s.%s: %s\n", relation->schema, relation->name, error.message);
		exit(1);
	}
	for (uint16_t i = 0; i < relation->column_count; i++)
	{
		const RelationColumn *column = &relation->columns[i];

		buf_printf(&buf, " %s/%c=", column->name, (char) values[i].kind);
		if (values[i].bytes != NULL && !value_print(&buf, column, values[i]))
			buf_text(&buf, "<malformed>");
	}
	text = arena_strdup(arena, buf_cstr(&buf));
	buf_free(&buf);
	return text;
}

static void
collect_row(Collection *collection, const Event *event)
{
	size_t i = 0;
	RowSet *set;

	while (i < collection->count &&
	       collection->sets[i].relation->relid != event->relation->relid)
		i++;
	if (i == collection->count)
	{
		collection->sets =
			xrealloc(collection->sets, ++collection->count * sizeof *collection->sets);
		collection->sets[i] = (RowSet){ .relation = event->relation };
	}
	set = &collection->sets[i];
	if (event->kind != EVENT_READ && event->kind != EVENT_INSERT)
		return;
	if (set->count == set->capacity)
	{
		set->capacity = set->capacity * 2 + 64;
		set->rows = xrealloc(set->rows, set->capacity * sizeof *set->rows);
	}
	set->rows[set->count++] =
		print_row(collection->arena, event->relation, event->new_tuple);
}

static bool
collect_batch(void *context, Batch *batch, Err *err)
{
	(void) err;
	for (size_t i = 0; i < batch->count; i++)
		if (batch->events[i].relation != NULL)
			collect_row(context, &batch->events[i]);
	batch_unref(batch);
	return true;
}

/* Stream until the first transaction is complete. */
static bool
stream_one(Probe *probe, Stream *stream, Collection *collection, Err *err)
{
	Decoder *decoder = decoder_new(0);
	bool complete = false;

	while (!complete)
	{
		StreamItem item;

		if (!stream_next(stream, &item, err))
			return false;
		if (item.kind == STREAM_NOTHING)
		{
			struct pollfd wait = { stream_socket(stream), POLLIN, 0 };

			(void) poll(&wait, 1, 1000);
		}
		if (item.kind == STREAM_KEEPALIVE && item.reply_requested &&
		    !stream_feedback(
				stream, probe->slot.consistent, probe->slot.consistent, false, err))
			return false;
		if (item.kind == STREAM_FRAME)
		{
			Batch *batch = batch_new(&probe->budget);

			if (!decoder_frame(decoder, batch, item.frame, err))
				return false;
			batch_seal(batch);
			complete = batch->end_lsn != 0;
			(void) collect_batch(collection, batch, err);
		}
		stream_release(&item);
	}
	/* The decoder stays: the collection points to its relations until the probe ends. */
	return true;
}

static int
compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static int
compare_sets(RowSet *read, RowSet *streamed)
{
	const Relation *relation = read->relation;
	int differences = 0;

	if (relation->version != streamed->relation->version)
	{
		printf("%s.%s: descriptions differ\n", relation->schema, relation->name);
		differences++;
	}
	qsort(read->rows, read->count, sizeof *read->rows, compare_text);
	qsort(streamed->rows, streamed->count, sizeof *streamed->rows, compare_text);
	if (read->count != streamed->count)
	{
		printf("%s.%s: %zu rows read, %zu streamed\n",
		       relation->schema,
		       relation->name,
		       read->count,
		       streamed->count);
		return differences + 1;
	}
	for (size_t i = 0; i < read->count; i++)
		if (strcmp(read->rows[i], streamed->rows[i]) != 0)
		{
			printf("%s.%s:\n  read    %s\n  streamed%s\n",
			       relation->schema,
			       relation->name,
			       read->rows[i],
			       streamed->rows[i]);
			differences++;
		}
	return differences;
}

static int
compare_collections(Collection *read, Collection *streamed)
{
	int differences = 0;
	size_t rows = 0;

	for (size_t i = 0; i < read->count; i++)
	{
		size_t j = 0;

		rows += read->sets[i].count;
		while (j < streamed->count &&
		       streamed->sets[j].relation->relid != read->sets[i].relation->relid)
			j++;
		if (j < streamed->count)
			differences += compare_sets(&read->sets[i], &streamed->sets[j]);
		else if (read->sets[i].count > 0)
		{
			printf("%s.%s was not streamed\n",
			       read->sets[i].relation->schema,
			       read->sets[i].relation->name);
			differences++;
		}
	}
	printf("%zu tables, %zu rows, %d differences\n", read->count, rows, differences);
	return differences > 0;
}

static bool
run_script(Probe *probe, Err *err)
{
	FILE *file = fopen(probe->script, "r");
	Buf text = buf_heap();
	PGresult *result;
	int c;

	if (file == NULL)
		return fail(err, ERR_FATAL, "could not open %s", probe->script);
	while ((c = getc(file)) != EOF)
		buf_char(&text, (char) c);
	(void) fclose(file);
	result = server_query(probe->sql, buf_cstr(&text), err);
	buf_free(&text);
	PQclear(result);
	return result != NULL;
}

static int
run_parity(Probe *probe, Err *err)
{
	Collection read = { .arena = probe->arena };
	Collection streamed = { .arena = probe->arena };
	Stream *stream;

	if (!open_slot(probe, err) || !run_snapshot(probe, collect_batch, &read, err) ||
	    !run_script(probe, err))
		return report(err);
	stream = stream_open_on(
		probe->replication, probe->config, SLOT, probe->slot.consistent, err);
	if (stream == NULL || !stream_one(probe, stream, &streamed, err))
		return report(err);
	stream_close(stream);
	return compare_collections(&read, &streamed);
}

/* ---- snapshot, markers ---- */

/* What the events so far lead to expect. */
typedef struct Expectation
{
	bool print;
	uint64_t rows;
	uint64_t table_rows;
	uint64_t pages; /* of the table's last part */
	int tables;
	const Relation *open;
	uint8_t last_marker;
	bool ended;
	int faults;
} Expectation;

static void
expect(Expectation *expectation, bool ok, const char *what, const Event *event)
{
	if (ok)
		return;
	printf(
		"fault: %s at event %c, ordinal %u\n", what, (char) event->kind, event->ordinal);
	expectation->faults++;
}

/* Parts grow, and have had rows. */
static void
expect_part(Expectation *expectation, const Event *event)
{
	const char *text = event->old_tuple.data;
	PartRead part;

	if (!partial_next(&text, &part))
	{
		expect(expectation, false, "no part", event);
		return;
	}
	expect(expectation,
	       part.pages > expectation->pages && part.relid == event->relation->relid &&
	           expectation->table_rows > 0,
	       "part that is none",
	       event);
	expectation->pages = part.pages;
}

static void
expect_row(Expectation *expectation, const Event *event)
{
	bool first = event->marker == SNAPSHOT_FIRST;

	expect(expectation,
	       event->relation == expectation->open,
	       "row of a closed table",
	       event);
	expect(expectation,
	       event->ordinal == expectation->table_rows,
	       "ordinal out of order",
	       event);
	expect(expectation,
	       expectation->last_marker != SNAPSHOT_LAST,
	       "row after the last one",
	       event);
	if (expectation->table_rows > 0)
		expect(expectation,
		       expectation->last_marker != SNAPSHOT_LAST_IN_COLLECTION,
		       "row after its table's last one",
		       event);
	expect(expectation,
	       first == (expectation->tables == 1 && expectation->table_rows == 0) ||
	           event->marker == SNAPSHOT_LAST,
	       "first row without its marker, or another with it",
	       event);
	expectation->last_marker = event->marker;
	expectation->rows++;
	expectation->table_rows++;
}

static void
expect_event(Expectation *expectation, const Event *event, Lsn end_lsn)
{
	if (expectation->print)
		printf("%c %s %d\n",
		       (char) event->kind,
		       event->relation == NULL ? "" : event->relation->name,
		       event->marker);
	switch (event->kind)
	{
		case EVENT_TABLE_BEGIN:
			expect(expectation, expectation->open == NULL, "table in a table", event);
			expectation->open = event->relation;
			expectation->tables++;
			expectation->table_rows = 0;
			expectation->pages = 0;
			break;
		case EVENT_READ:
			expect_row(expectation, event);
			break;
		case EVENT_TABLE_PART:
			expect(
				expectation, event->relation == expectation->open, "other table", event);
			expect_part(expectation, event);
			break;
		case EVENT_TABLE_END:
			expect(
				expectation, event->relation == expectation->open, "other table", event);
			expect(expectation,
			       expectation->table_rows == 0 ||
			           expectation->last_marker == SNAPSHOT_LAST_IN_COLLECTION ||
			           expectation->last_marker == SNAPSHOT_LAST ||
			           expectation->last_marker == SNAPSHOT_FIRST,
			       "table's last row without its marker",
			       event);
			expectation->open = NULL;
			break;
		case EVENT_SNAPSHOT_END:
			expect(expectation,
			       expectation->rows == 0 || expectation->last_marker == SNAPSHOT_LAST,
			       "last row without its marker",
			       event);
			expect(expectation, end_lsn == event->lsn, "batch without its end", event);
			expectation->ended = true;
			break;
		default:
			expect(expectation, false, "unexpected event", event);
			break;
	}
}

static bool
expect_batch(void *context, Batch *batch, Err *err)
{
	(void) err;
	for (size_t i = 0; i < batch->count; i++)
		expect_event(context, &batch->events[i], batch->end_lsn);
	batch_unref(batch);
	return true;
}

static int
run_expectations(Probe *probe, bool print, Err *err)
{
	Expectation expectation = { .print = print };
	int64_t started = clock_mono_us();
	double seconds;

	if (!open_slot(probe, err) || !run_snapshot(probe, expect_batch, &expectation, err))
		return report(err);
	seconds = (double) (clock_mono_us() - started) / 1e6;
	if (!print)
		printf("%" PRIu64 " rows in %.2f s, %.0f rows/s\n",
		       expectation.rows,
		       seconds,
		       (double) expectation.rows / seconds);
	if (atomic_load(&probe->budget.used) != 0)
		printf("fault: %zu bytes are still held\n", atomic_load(&probe->budget.used));
	if (!expectation.ended)
		printf("fault: the snapshot has no end\n");
	return expectation.faults > 0 || !expectation.ended;
}

static int
run_snapshot_mode(Probe *probe, Err *err)
{
	return run_expectations(probe, false, err);
}

static int
run_markers(Probe *probe, Err *err)
{
	return run_expectations(probe, true, err);
}

/* ---- race ---- */

static int
run_race(Probe *probe, Err *err)
{
	Expectation expectation = { .print = false };

	if (!open_slot(probe, err) || !run_script(probe, err) ||
	    !run_snapshot(probe, expect_batch, &expectation, err))
		return report(err);
	printf("ok\n");
	return 0;
}

/* ---- connect ---- */

static int
run_connect(Probe *probe, Err *err)
{
	ServerIdentity identity;
	Stream *stream;
	StreamItem item;

	if (!open_slot(probe, err) || !server_identify(probe->replication, &identity, err))
		return report(err);
	stream = stream_open_on(
		probe->replication, probe->config, SLOT, probe->slot.consistent, err);
	probe->replication = NULL;
	if (stream == NULL || !stream_next(stream, &item, err))
		return report(err);
	stream_release(&item);
	stream_close(stream);
	printf("ok\n");
	return 0;
}

/* ---- follow ---- */

static int
run_follow(Probe *probe, Err *err)
{
	Stream *stream = stream_open(probe->config, probe->config->slot_name, 0, err);
	size_t frames = 0;
	Lsn end = 0;
	StreamItem item;

	if (stream == NULL)
		return report(err);
	printf("streaming\n");
	(void) fflush(stdout);
	while (stream_next(stream, &item, err))
	{
		struct pollfd wait = { stream_socket(stream), POLLIN, 0 };

		if (item.kind == STREAM_NOTHING)
			(void) poll(&wait, 1, 1000);
		frames += item.kind == STREAM_FRAME;
		if (item.wal_end > end)
			end = item.wal_end;
		if (item.kind == STREAM_KEEPALIVE &&
		    !stream_feedback(stream, end, end, false, err))
			break;
		stream_release(&item);
	}
	printf("%zu frames\n", frames);
	stream_close(stream);
	return report(err);
}

/* ---- check ---- */

static int
run_check(Probe *probe, Err *err)
{
	return check_source(probe->config, stdout, err) ? 0 : report(err);
}

static int
usage(void)
{
	fprintf(stderr, "usage: source_probe MODE NAME=VALUE...\n");
	return 2;
}

int
main(int argc, char **argv)
{
	static const struct
	{
		const char *name;
		bool script;
		int (*run)(Probe *probe, Err *err);
	} modes[] = {
		{ "parity", true, run_parity },    { "snapshot", false, run_snapshot_mode },
		{ "markers", false, run_markers }, { "race", true, run_race },
		{ "connect", false, run_connect }, { "check", false, run_check },
		{ "follow", false, run_follow },   { "follow", false, run_follow },
	};
	Probe probe = { .arena = arena_new(), .budget = { .wake_fd = -1 } };
	Err err;

	for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof *modes; i++)
	{
		int skip = modes[i].script ? 3 : 2;
		ConfigInput input = { .settings = (const char *const *) argv + skip,
			                  .setting_count = (size_t) (argc - skip) };
		int rc;

		if (strcmp(argv[1], modes[i].name) != 0 || argc < skip)
			continue;
		probe.config = config_load(probe.arena, &input, &err);
		if (probe.config == NULL)
			return report(&err);
		probe.script = modes[i].script ? argv[2] : NULL;
		rc = modes[i].run(&probe, &err);
		PQfinish(probe.sql);
		return rc;
	}
	return usage();
}
