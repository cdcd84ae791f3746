/*
 * pipeline_reread.c
 *		tables that are read, or read again, while the stream goes on.
 *
 * One mechanism for every table whose rows an output lacks: somebody asked for it
 * (cdc-sink snapshot), its rows were rewritten without events (for silver), the lake
 * says that silver is not what the source has (lake/lake_asks.c), an output is new, the
 *table is (its lists were changed), or the initial snapshot was killed before it came to
 *the table.
 *
 *		main stream  ---c1---c2----c3----+ hold, at X +----c4---c5---
 *		second slot        create .......X (exported snapshot)
 *		                                  \ COPY in that snapshot: begin, rows, end
 *
 * A temporary slot is made beside the stream.  Its consistent point X and its exported
 * snapshot divide the transactions as the stream does, by the place of their commit
 * record: those before X are visible in the snapshot, those from X on are not.  That is
 * the promise that an initial snapshot stands on, too.  (A snapshot that is just taken,
 * as by pg_current_snapshot(), does not: a transaction may have its commit record in
 * the WAL, be streamed already, and still be invisible because it waits for a standby.)
 *
 * The stream is held before the first commit at or beyond X.  When the outputs have
 * taken everything before, the rows are handed to them, as of X, and then the stream
 * goes on.  Therefore:
 *
 * 1. No event of the stream is dropped, repeated or moved.
 *
 * 2. Behind the rows an output has the table as it is at X, whatever it had before:
 *    silver replaces the table in the cut at X, which also takes out rows that
 *    vanished; a row moved by a change of its key is at one place in the snapshot.
 *
 * 3. A row's r comes behind all changes before X and before all others.
 *
 * 4. Only whole tables become visible: until the cut silver has what it had.  Of a
 *    table that it has not, or not whole, parts do, marked as such.
 *
 * 5. An output stores X, the rows and the list of tables still unread in one step: a
 *    Kafka transaction, a cut.  Killed before, the table is still on the list, and is
 *    read anew at a later X: Kafka, where rows are visible as they come, gets its r
 *    again (as from Debezium); streamed events are not touched by it.  Behind the name
 *    stands what is stored of the table, by ranges of pages: that is not read again,
 *    but for rows that are new since (event/partial.h).
 *
 * 6. Memory: rows flow through the batch budget as in the initial snapshot.
 *
 * The price is that other tables' changes wait while a table is read, as with
 * Debezium's blocking snapshots.  But where all outputs can store parts of it, not for
 * longer than snapshot.hold.ms at a time: then the table is left, the stream goes on,
 * and at the next X the table is gone on with, as after a kill.  A table that silver
 * has whole is replaced at once, and begins again when it was killed half-way.
 *
 * Making the slot has a thread of its own, needs a free replication slot and waits for
 * the transactions that run at that moment.  Nothing is streamed meanwhile, or the stream
 * would have passed X before X is known; but not for longer than seconds.  When the slot
 * comes later than that and its X is passed, another is made: the transactions that the
 * first one waited for have ended by then.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pipeline_reread.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "envelope/wire.h"
#include "event/partial.h"
#include "event/unread.h"
#include "lake/lake.h"
#include "source/ask.h"
#include "source/snapshot.h"

#define PAUSE_FIRST_US INT64_C(250000)
#define PAUSE_MAX_US   INT64_C(60000000)
#define HALT_FIRST_US  INT64_C(3000000)
#define HALT_MAX_US    INT64_C(60000000)
#define WAIT_LONG_US   INT64_C(60000000) /* for others' transactions; then it is said */

typedef struct Wanted
{
	const char *name;
	unsigned outputs;    /* bits */
	const char *partial; /* what all of them have (partial.h); NULL: nothing */
} Wanted;

struct Reread
{
	Pipeline *pipeline;
	Arena *arena; /* of names and parts */
	Wanted *wanted;
	size_t count;

	/* The temporary slot under way. */
	PGconn *replication;
	PGconn *sql;
	NewSlot slot;
	char slot_name[64];
	bool is_threaded; /* the thread is to be joined */
	pthread_t thread;
	atomic_bool done;
	bool is_ready; /* slot has its place and snapshot */
	bool ok;       /* the thread's, as is err; to be read after the join */
	Err err;
	int64_t begun_us; /* when the thread was started */
	Err failed;       /* why tables could not be read last; ERR_NONE: they could */
	int64_t pause_us; /* after a failure, and until when it lasts */
	int64_t pause_until_us;
	int64_t held_us; /* since when the stream is held */
	int64_t halt_us; /* how long nothing is streamed for the place to be ahead */
	int64_t halt_until_us;
};

static Reread *
reread_of(Pipeline *pipeline)
{
	if (pipeline->reread == NULL)
	{
		pipeline->reread = xmalloc(sizeof *pipeline->reread);
		*pipeline->reread = (Reread){ .pipeline = pipeline, .arena = arena_new() };
	}
	return pipeline->reread;
}

/* ---- What is wanted ---- */

static void
want(Reread *reread, const char *name, unsigned outputs, const char *partial)
{
	for (size_t i = 0; i < reread->count; i++)
		if (strcmp(reread->wanted[i].name, name) == 0)
		{
			Wanted *wanted = &reread->wanted[i];

			wanted->outputs |= outputs;
			wanted->partial = partial_meet(reread->arena, wanted->partial, partial);
			return;
		}
	reread->wanted =
		xrealloc(reread->wanted, (reread->count + 1) * sizeof *reread->wanted);
	reread->wanted[reread->count++] =
		(Wanted){ arena_strdup(reread->arena, name), outputs, partial };
	log_info("reread", "table \"%s\" will be read", name);
}

void
reread_want(Pipeline *pipeline, const char *list, unsigned outputs)
{
	Reread *reread = reread_of(pipeline);
	Arena *scratch = arena_new();
	const char *rest = list;
	const char *name;

	while (outputs != 0 && (name = unread_next(&rest, scratch)) != NULL)
		want(reread, name, outputs, unread_partial(reread->arena, list, name));
	arena_free(scratch);
	/* Their place is beyond any that was asked for. */
	if (reread->count > 0 && !decoder_reached(pipeline->decoder))
		pipeline_set_until(pipeline, 0);
}

void
reread_resume(Pipeline *pipeline, const StoredPosition *stored)
{
	for (int i = 0; i < pipeline->output_count; i++)
		if (stored[i].position.phase == POSITION_STREAM)
			reread_want(pipeline, stored[i].position.unread, 1U << i);
}

/* The list that a message with our prefix brings; "" when it is for another slot. */
static const char *
read_message(const Pipeline *pipeline, const Batch *batch, Slice content)
{
	size_t len = strlen(pipeline->config->slot_name);

	if (content.len <= len || content.data[len] != ' ' ||
	    memcmp(content.data, pipeline->config->slot_name, len) != 0)
		return "";
	return arena_strndup(batch->arena, content.data + len + 1, content.len - len - 1);
}

/* The outputs that have not stored event yet. */
static unsigned
outputs_before(const Pipeline *pipeline, const Event *event)
{
	unsigned outputs = 0;

	for (int i = 0; i < pipeline->output_count; i++)
		if (!position_covers(
				&pipeline->began[i], event->txn->commit_lsn, event->lsn, event->ordinal))
			outputs |= 1U << i;
	return outputs;
}

/*
 * Silver alone is wrong after a rewrite: for Kafka and bronze no row has changed.  Where
 * snapshots leave the table out, or the user said so, it is read when somebody asks.
 */
static void
scan_rewritten(Pipeline *pipeline, Batch *batch, Event *event)
{
	const Config *config = pipeline->config;
	const Relation *relation = event->relation;
	unsigned lake = 1U << (pipeline->output_count - 1); /* Kafka comes first */
	Buf name = buf_heap();
	Buf list = buf_heap();

	if ((config->outputs & OUTPUT_SILVER) != 0 && config->lake_on_stale == STALE_READ &&
	    config->snapshot_mode != SNAPSHOT_NO_DATA &&
	    config_snapshots_table(config, relation->schema, relation->name))
	{
		unread_encode(&list, unread_name(&name, relation));
		event->old_tuple = slice_from(batch_copy(batch, list.data, list.len));
		reread_want(
			pipeline, event->old_tuple.data, outputs_before(pipeline, event) & lake);
	}
	buf_free(&list);
	buf_free(&name);
}

void
reread_scan(Pipeline *pipeline, Batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
	{
		Event *event = &batch->events[i];
		const char *list;

		if (event->kind == EVENT_REWRITTEN)
			scan_rewritten(pipeline, batch, event);
		/* Outside transactions it is an end as well, and none of ours. */
		if (event->kind != EVENT_MESSAGE || event->txn->xid == 0 ||
		    strcmp(event->old_tuple.data, ASK_PREFIX) != 0)
			continue;
		list = read_message(pipeline, batch, event->new_tuple);
		event->kind = EVENT_WANTED;
		event->old_tuple = slice_from(list);
		event->new_tuple = (Slice){ NULL, 0 };
		reread_want(pipeline, list, outputs_before(pipeline, event));
	}
}

bool
reread_is_wanted(const Pipeline *pipeline)
{
	return pipeline->reread != NULL && pipeline->reread->count > 0;
}

bool
reread_is_placed(const Pipeline *pipeline)
{
	return pipeline->reread != NULL && pipeline->reread->is_ready;
}

/* ---- The place ---- */

bool
reread_halts(const Pipeline *pipeline)
{
	const Reread *reread = pipeline->reread;

	return reread != NULL && reread->is_threaded && !atomic_load(&reread->done) &&
	       clock_mono_us() < reread->halt_until_us;
}

static void *
make_slot(void *argument)
{
	static const uint64_t one = 1;
	Reread *reread = argument;
	Pipeline *pipeline = reread->pipeline;

	reread->ok = server_create_slot(
		reread->replication, reread->sql, pipeline->config, &reread->slot, &reread->err);
	atomic_store(&reread->done, true);
	if (write(pipeline->stop->wake_fd, &one, sizeof one) < 0)
		return NULL;
	return NULL;
}

/* End the second session, and the slot with it. */
static void
end_session(Reread *reread)
{
	/* A slot that waits for somebody's transaction ends with its connection. */
	if (reread->is_threaded && !atomic_load(&reread->done))
		(void) shutdown(PQsocket(reread->replication), SHUT_RDWR);
	if (reread->is_threaded)
		(void) pthread_join(reread->thread, NULL);
	PQfinish(reread->replication);
	PQfinish(reread->sql);
	reread->replication = reread->sql = NULL;
	reread->is_threaded = false;
	reread->is_ready = false;
}

static bool
begin_session(Reread *reread, Err *err)
{
	const Config *config = reread->pipeline->config;
	int code;

	reread->replication = server_connect(config, true, err);
	reread->sql = server_connect(config, false, err);
	if (reread->replication == NULL || reread->sql == NULL)
		return false;
	(void) snprintf(reread->slot_name,
	                sizeof reread->slot_name,
	                "cdc_sink_read_%d",
	                PQbackendPID(reread->replication));
	reread->slot = (NewSlot){ .name = reread->slot_name, .temporary = true };
	reread->err = (Err){ 0 };
	atomic_store(&reread->done, false);
	if (reread->halt_us == 0)
		reread->halt_us = HALT_FIRST_US;
	reread->begun_us = clock_mono_us();
	reread->halt_until_us = reread->begun_us + reread->halt_us;
	code = pthread_create(&reread->thread, NULL, make_slot, reread);
	reread->is_threaded = code == 0;
	return reread->is_threaded || limits_no_thread(err, code);
}

/* Try again later: the stream does not depend on it. */
static void
put_off(Reread *reread, const Err *err)
{
	end_session(reread);
	reread->failed = *err;
	reread->pause_us = reread->pause_us == 0                 ? PAUSE_FIRST_US
	                   : reread->pause_us * 2 > PAUSE_MAX_US ? PAUSE_MAX_US
	                                                         : reread->pause_us * 2;
	reread->pause_until_us = clock_mono_us() + reread->pause_us;
	log_warning("reread",
	            "could not begin to read tables: %s; trying again in %" PRId64 " ms",
	            err->text,
	            reread->pause_us / 1000);
	if (err->hint[0] != '\0')
		log_warning("reread", "hint: %s", err->hint);
}

/* Whether something from place on has been taken already. */
static bool
is_passed(const Pipeline *pipeline, Lsn place)
{
	return pipeline->received > place || (decoder_in_transaction(pipeline->decoder) &&
	                                      decoder_commit_lsn(pipeline->decoder) >= place);
}

/* Say on the board what is to be read, and what keeps it from being read. */
static void
report_wanted(const Reread *reread)
{
	const Err *failed = &reread->failed;
	char problem[sizeof *failed] = "";

	if (reread->is_threaded && !atomic_load(&reread->done) &&
	    clock_mono_us() - reread->begun_us > WAIT_LONG_US)
		(void) snprintf(
			problem,
			sizeof problem,
			"the replication slot for it has waited for more than %d s for transactions "
			"to end that were open when it was asked for. See pg_stat_activity (WHERE "
			"backend_xid IS NOT NULL) and pg_prepared_xacts.",
			(int) (WAIT_LONG_US / 1000000));
	else if (failed->kind != ERR_NONE)
		(void) snprintf(problem,
		                sizeof problem,
		                "%s%s%s",
		                failed->text,
		                failed->hint[0] == '\0' ? "" : ". ",
		                failed->hint);
	report_reading(reread->pipeline->report,
	               reread->count,
	               reread->count == 0 ? "" : reread->wanted[0].name,
	               problem);
}

/* The lake knows tables that it has not as they are, and has stored which. */
static void
hear_lake(Pipeline *pipeline)
{
	int lake = pipeline->output_count - 1; /* Kafka comes first */
	const char *list;

	if ((pipeline->config->outputs & OUTPUT_SILVER) == 0)
		return;
	list = lake_output_asked(pipeline->outputs[lake], pipeline->arena);
	if (list != NULL)
		reread_want(pipeline, list, 1U << lake);
}

static void
find_place(Pipeline *pipeline)
{
	Reread *reread = pipeline->reread;
	Err why = { 0 };

	if (!reread_is_wanted(pipeline) || reread->is_ready || pipeline->drain_us != 0 ||
	    decoder_reached(pipeline->decoder))
		return;
	if (!reread->is_threaded)
	{
		if (clock_mono_us() >= reread->pause_until_us && !begin_session(reread, &why))
			put_off(reread, &why);
		return;
	}
	if (!atomic_load(&reread->done))
		return;
	(void) pthread_join(reread->thread, NULL);
	reread->is_threaded = false;
	if (!reread->ok)
	{
		put_off(reread, &reread->err);
		return;
	}
	if (is_passed(pipeline, reread->slot.consistent))
	{
		log_info("reread",
		         "the stream was beyond %X/%X before tables could be read there",
		         LSN_ARGS(reread->slot.consistent));
		end_session(reread);
		reread->halt_us =
			reread->halt_us * 2 > HALT_MAX_US ? HALT_MAX_US : reread->halt_us * 2;
		return;
	}
	reread->is_ready = true;
	reread->pause_us = reread->halt_us = 0;
	log_debug(
		"reread", "tables will be read at %X/%X", LSN_ARGS(reread->slot.consistent));
}

void
reread_turn(Pipeline *pipeline)
{
	hear_lake(pipeline);
	find_place(pipeline);
	if (pipeline->reread != NULL)
		report_wanted(pipeline->reread);
}

/* The LSN that the first message of a frame between transactions is placed by. */
static Lsn
frame_place(Slice frame)
{
	EnvError error;
	WireReader reader;
	WireMessage message;
	WireBegin begin;

	if (!wire_open_frame(frame, &reader, &error) || !wire_next(&reader, &message))
		return 0;
	if (message.type == 'B' && wire_read_begin(message.body, &begin, &error))
		return begin.final_lsn;
	return message.lsn;
}

Lsn
reread_place(const StreamItem *item)
{
	return item->kind == STREAM_FRAME ? frame_place(item->frame) : item->wal_end;
}

bool
reread_holds(const Pipeline *pipeline, const StreamItem *item)
{
	const Reread *reread = pipeline->reread;

	return reread != NULL && reread->is_ready &&
	       !decoder_in_transaction(pipeline->decoder) &&
	       reread_place(item) >= reread->slot.consistent;
}

/* ---- Reading ---- */

typedef struct Reading
{
	Pipeline *pipeline;
	Wanted *wanted;
	int64_t until_us; /* how long it may go on, when parts can be stored; 0: no end */
	uint32_t relid;   /* of the table, or its root; 0: it has not begun */
	bool handed;      /* an output may have something of the table */
	bool broken;      /* what failed is not the reading */
	bool paused;
	Err why; /* then in the words of what did */
} Reading;

/* What the outputs will have when they have taken the batch, and stored it. */
static void
note_parts(Reading *reading, const Batch *batch)
{
	Arena *arena = reading->pipeline->reread->arena;
	Wanted *wanted = reading->wanted;

	for (size_t i = 0; i < batch->count; i++)
	{
		const Event *event = &batch->events[i];
		const char *text = event->old_tuple.data;
		PartRead part;

		if (event->kind == EVENT_TABLE_BEGIN && text == NULL && reading->relid == 0)
			wanted->partial = NULL;
		if (event->kind == EVENT_TABLE_BEGIN)
			reading->relid = relation_root(event->relation);
		if ((event->kind == EVENT_TABLE_PART || event->kind == EVENT_TABLE_END) &&
		    partial_next(&text, &part))
			wanted->partial = partial_with(arena, wanted->partial, &part);
	}
}

static bool
hand_over(void *context, Batch *batch, Err *err)
{
	Reading *reading = context;

	reading->handed = true;
	note_parts(reading, batch);
	reading->broken = !pipeline_hand_over(reading->pipeline, batch, err);
	if (reading->broken)
		reading->why = *err;
	return !reading->broken;
}

static bool
look_after(void *context, Err *err)
{
	Reading *reading = context;

	reading->broken = !pipeline_keep_alive(reading->pipeline, err) ||
	                  !pipeline_look(reading->pipeline, err);
	if (reading->broken)
		reading->why = *err;
	return !reading->broken;
}

/* Whether changes have waited for long enough, and every output can go on behind what it
 * has. */
static bool
shall_pause(void *context)
{
	Reading *reading = context;
	const Pipeline *pipeline = reading->pipeline;
	int last = pipeline->output_count - 1;
	bool to_lake = (pipeline->config->outputs & (OUTPUT_BRONZE | OUTPUT_SILVER)) != 0 &&
	               (reading->wanted->outputs & 1U << last) != 0;

	if (reading->until_us == 0 || clock_mono_us() < reading->until_us ||
	    (to_lake && !lake_output_has_part(pipeline->outputs[last],
	                                      pipeline->reread->slot.consistent,
	                                      reading->relid)))
		return false;
	reading->paused = true;
	return true;
}

typedef enum Reached
{
	REACHED_END,   /* of the table */
	REACHED_PAUSE, /* the rest of it is for the next place */
	REACHED_LATER, /* nothing was handed over, and another snapshot may do */
	REACHED_ERROR,
} Reached;

static Reached
read_table(Pipeline *pipeline, Wanted *wanted, Err *err)
{
	Reread *reread = pipeline->reread;
	int64_t hold_us = pipeline->config->snapshot_hold_ms * 1000;
	Reading reading = { .pipeline = pipeline,
		                .wanted = wanted,
		                .until_us = hold_us == 0 ? 0 : reread->held_us + hold_us };
	SnapshotRequest request = {
		.config = pipeline->config,
		.snapshot = reread->slot.snapshot,
		.consistent = reread->slot.consistent,
		.only = wanted->name,
		.partial = wanted->partial,
		.budget = &pipeline->budget,
		.sink = hand_over,
		.idle = look_after,
		.pause = shall_pause,
		.context = &reading,
		.relations = pipeline->arena,
		.stop = &pipeline->stop->requested,
	};

	pipeline->excused = ~wanted->outputs & ((1U << pipeline->output_count) - 1);
	if (snapshot_run(&request, err))
		return reading.paused ? REACHED_PAUSE : REACHED_END;
	/* What somebody must change first ends the run: the table stays unread until then. */
	if (!reading.handed && !reading.broken && !pipeline_stopping(pipeline) &&
	    err->kind == ERR_RETRY)
		return REACHED_LATER;
	if (reading.broken)
		*err = reading.why;
	else
		(void) fail_while(err, "could not read tables again");
	return REACHED_ERROR;
}

/* What cannot be read now shall not keep the others from it the next time. */
static void
put_last(Reread *reread, size_t which)
{
	Wanted last = reread->wanted[which];

	memmove(reread->wanted + which,
	        reread->wanted + which + 1,
	        (reread->count - which - 1) * sizeof last);
	reread->wanted[reread->count - 1] = last;
}

/* The tables up to done are read; what is left has another place. */
static void
leave_rest(Reread *reread, size_t done)
{
	memmove(reread->wanted,
	        reread->wanted + done,
	        (reread->count - done) * sizeof *reread->wanted);
	reread->count -= done;
	end_session(reread);
}

bool
reread_run(Pipeline *pipeline, Err *err)
{
	Reread *reread = pipeline->reread;
	Lsn place = reread->slot.consistent;
	Reached reached = REACHED_END;
	size_t done = 0;

	report_state(pipeline->report, WORKER_SNAPSHOT);
	log_info("reread",
	         "the stream is held at %X/%X, %zu tables are read",
	         LSN_ARGS(place),
	         reread->count);
	reread->held_us = clock_mono_us();
	reread->failed = (Err){ 0 };
	report_wanted(reread);
	while (done < reread->count && reached == REACHED_END)
	{
		reached = read_table(pipeline, &reread->wanted[done], err);
		done += reached == REACHED_END;
	}
	pipeline->excused = 0;
	if (reached == REACHED_ERROR)
		return false;
	report_state(pipeline->report, WORKER_STREAMING);
	log_info("reread",
	         "the stream goes on from %X/%X, %zu tables are left",
	         LSN_ARGS(place),
	         reread->count - done);
	if (reached == REACHED_LATER)
	{
		put_last(reread, done);
		put_off(reread, err);
	}
	*err = (Err){ 0 };
	leave_rest(reread, done);
	if (reread->count == 0 && pipeline->until_asked != 0)
		pipeline_set_until(pipeline,
		                   pipeline->until_asked > place ? pipeline->until_asked : place);
	return true;
}

void
reread_close(Pipeline *pipeline)
{
	Reread *reread = pipeline->reread;

	if (reread == NULL)
		return;
	end_session(reread);
	report_reading(pipeline->report, 0, "", "");
	free(reread->wanted);
	arena_free(reread->arena);
	free(reread);
	pipeline->reread = NULL;
}
