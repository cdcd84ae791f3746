/*
 * producer.c
 *		the Kafka output: its thread, and when it commits.
 *
 * The thread takes batches from the queue, renders and produces their events,
 * and stores the position:
 *
 *	-	at the end of a source transaction, when the queue is empty or
 *		kafka.commit.interval.ms has passed: small transactions are gathered;
 *	-	in the middle of one only when the Kafka transaction has used up a third of
 *		transaction.timeout.ms (stream.md 17); the position then names the last row;
 *	-	during a snapshot once a second, without a position: a snapshot that does not
 *		complete starts again.
 *
 * A batch is let go as soon as its events are produced: the library has copied them,
 * within its bound, and a failure rewinds the source.  The thread sleeps in the queue
 * alone; the library wakes it there when it has events.
 *
 * After a failure the thread goes on taking batches, to let them go, until close.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/queue.h"
#include "event/unread.h"
#include "kafka/commits.h"
#include "kafka/control.h"
#include "kafka/kafka.h"
#include "kafka/positions.h"
#include "kafka/records.h"

#define QUEUE_BATCHES      32
#define SNAPSHOT_COMMIT_US INT64_C(1000000)
#define PART_US            INT64_C(1000000) /* between two parts of a table, and ... */
#define PART_BYTE_US       250 /* ... for each byte of the list of unread ones */
#define IDLE_WAIT_MS       1000

typedef struct KafkaOutput
{
	Output output; /* first: what the pipeline sees */
	const Config *config;
	KafkaClient client;
	KafkaTopics *topics;
	KafkaRecords *records;
	KafkaControl *control;
	KafkaCommits *commits;
	Queue *queue;   /* Batch *, or the address of mark */
	Queue *answers; /* what came of a mark */
	Arena *arena;   /* of lists of tables, in positions */
	Position mark;
	bool started;
	pthread_t thread;

	/* The thread's own. */
	Position position;   /* behind the last event taken */
	Position skip_until; /* stored before this run: events it covers are dropped */
	bool dirty;          /* position is beyond what was stored */
	bool in_transaction; /* of the source */
	bool in_snapshot;
	bool urgent; /* commit at the next chance */
	uint64_t repeated;
	int64_t part_us;     /* when a part of a table was taken last */
	uint32_t read_relid; /* the table being read, or its root; 0: none */

	/* Between threads. */
	atomic_bool stop;
	atomic_bool flush;
	atomic_bool refused; /* a batch found the queue full */
	atomic_bool failed;  /* then err is valid, and stays */
	atomic_uint_fast64_t durable;
	atomic_uint_fast64_t counts[6]; /* KafkaCounters, field by field */
	Err err;
} KafkaOutput;

static bool open_output(Output *output, const Position *self, Position *stored, Err *err);
static bool mark_output(Output *output, const Position *position, Err *err);
static bool offer_batch(Output *output, Batch *batch);
static void flush_output(Output *output);
static bool durable_end(Output *output, Lsn *end_lsn, Err *err);
static void close_output(Output *output);

static const OutputOps kafka_ops = {
	.name = "kafka",
	.open = open_output,
	.mark = mark_output,
	.offer = offer_batch,
	.flush = flush_output,
	.durable = durable_end,
	.close = close_output,
};

Output *
kafka_output_new(const Config *config, int wake_fd)
{
	KafkaOutput *kafka = xmalloc(sizeof *kafka);

	*kafka = (KafkaOutput){ .output = { .ops = &kafka_ops, .wake_fd = wake_fd },
		                    .config = config,
		                    .arena = arena_new(),
		                    .queue = queue_new(QUEUE_BATCHES),
		                    .answers = queue_new(1) };
	kafka->client.stop = &kafka->stop;
	return &kafka->output;
}

static KafkaOutput *
kafka_of(Output *output)
{
	return (KafkaOutput *) output;
}

/* ---- The thread ---- */

static void
publish_counts(KafkaOutput *kafka)
{
	const KafkaRecordCounts *counts = kafka_records_counts(kafka->records);
	uint64_t values[6] = {
		counts->records, counts->bytes,   kafka_commits_count(kafka->commits),
		counts->skipped, kafka->repeated, counts->refused,
	};

	for (int i = 0; i < 6; i++)
		atomic_store_explicit(&kafka->counts[i], values[i], memory_order_relaxed);
}

static void
publish_durable(KafkaOutput *kafka)
{
	const Position *stored = kafka_commits_stored(kafka->commits);

	if (stored->phase != POSITION_STREAM ||
	    stored->end_lsn <= atomic_load(&kafka->durable))
		return;
	atomic_store(&kafka->durable, stored->end_lsn);
	output_wake(&kafka->output);
}

/* A row event or a logical message; stored: only its place in the transaction is wanted.
 */
static bool
send_event(KafkaOutput *kafka, const Event *event, bool stored, Err *err)
{
	uint64_t *outstanding = kafka_commits_outstanding(kafka->commits);
	TxCounts *counts;

	if (render_unpublished(&kafka->config->env, (char) event->kind, event->relation))
	{
		kafka_records_skip(kafka->records);
		return true;
	}
	if (!kafka_control_enter(kafka->control, event, stored, &counts, outstanding, err))
		return false;
	if (event->kind == EVENT_MESSAGE)
		return kafka_control_message(
			kafka->control, event, counts, stored, outstanding, err);
	if (!stored)
		return kafka_records_send(kafka->records, event, counts, outstanding, err);
	return counts == NULL || kafka_records_count(kafka->records, event, counts, err);
}

/* Whether the stored position is in the middle of event's transaction. */
static bool
is_resumed(const KafkaOutput *kafka, const Event *event)
{
	return kafka->skip_until.row_lsn != 0 &&
	       kafka->skip_until.commit_lsn == event->txn->commit_lsn;
}

static bool
take_change(KafkaOutput *kafka, const Event *event, Err *err)
{
	Lsn commit_lsn = event->txn->commit_lsn;

	kafka->in_transaction = true;
	if (position_covers(&kafka->skip_until, commit_lsn, event->lsn, event->ordinal))
	{
		kafka->repeated++;
		return !is_resumed(kafka, event) || send_event(kafka, event, true, err);
	}
	if (!kafka_commits_begin(kafka->commits, err) ||
	    !send_event(kafka, event, false, err))
		return false;
	kafka->position.phase = POSITION_STREAM;
	kafka->position.commit_lsn = commit_lsn;
	kafka->position.row_lsn = event->lsn;
	kafka->position.ordinal = event->ordinal;
	kafka->position.last = txn_commit(event->txn);
	return true;
}

/* Everything up to end_lsn is there: a position worth storing, with or without records.
 */
static bool
take_end(KafkaOutput *kafka, Lsn commit_lsn, Lsn end_lsn, Err *err)
{
	kafka->position.phase = POSITION_STREAM;
	kafka->position.commit_lsn = commit_lsn;
	kafka->position.end_lsn = end_lsn;
	kafka->position.row_lsn = 0;
	kafka->position.ordinal = 0;
	kafka->dirty = true;
	return kafka_commits_begin(kafka->commits, err);
}

static bool
take_commit(KafkaOutput *kafka, const Event *event, Err *err)
{
	Lsn commit_lsn = event->txn->commit_lsn;
	const Position *skip = &kafka->skip_until;

	kafka->in_transaction = false;
	if (skip->phase == POSITION_STREAM && commit_lsn <= skip->commit_lsn &&
	    !(commit_lsn == skip->commit_lsn && skip->row_lsn != 0))
	{
		kafka_control_skip(kafka->control);
		return true;
	}
	kafka->position.last = txn_commit(event->txn);
	return kafka_commits_begin(kafka->commits, err) &&
	       (event->is_silent ||
	        kafka_control_end(
				kafka->control, event, kafka_commits_outstanding(kafka->commits), err)) &&
	       take_end(kafka, commit_lsn, event->lsn, err);
}

/* A message outside transactions is an end by itself. */
static bool
take_message(KafkaOutput *kafka, const Event *event, Err *err)
{
	Lsn commit_lsn = event->txn->commit_lsn;

	if (event->txn->xid != 0)
		return take_change(kafka, event, err);
	if (position_covers(&kafka->skip_until, commit_lsn, event->lsn, 0) ||
	    event->lsn <= kafka->skip_until.end_lsn)
	{
		kafka->repeated++;
		return true;
	}
	return kafka_commits_begin(kafka->commits, err) &&
	       kafka_control_message(kafka->control,
	                             event,
	                             NULL,
	                             false,
	                             kafka_commits_outstanding(kafka->commits),
	                             err) &&
	       take_end(kafka, commit_lsn, event->lsn, err);
}

/* In the middle of a transaction or a snapshot it promises nothing: the end will. */
static bool
take_keepalive(KafkaOutput *kafka, Lsn lsn, Err *err)
{
	if (kafka->in_transaction || kafka->position.phase != POSITION_STREAM ||
	    lsn <= kafka->position.end_lsn)
		return true;
	return take_end(kafka, kafka->position.commit_lsn, lsn, err);
}

/* Somebody wants tables to be read again: the next position says so. */
static bool
take_wanted(KafkaOutput *kafka, const Event *event, Err *err)
{
	if (event->txn != NULL &&
	    position_covers(
			&kafka->skip_until, event->txn->commit_lsn, event->lsn, event->ordinal))
		return true;
	kafka->position.unread =
		unread_renew(kafka->arena, kafka->position.unread, event->old_tuple.data);
	kafka->dirty = kafka->dirty || event->txn == NULL;
	return kafka_commits_begin(kafka->commits, err);
}

/* When the first of a table's partitions, or the table, is read from its beginning, what
 * was stored of it before counts no more. */
static void
begin_table(KafkaOutput *kafka, const Event *event)
{
	const Relation *relation = event->relation;
	uint32_t relid = relation_root(relation);

	if (event->old_tuple.data == NULL && relid != kafka->read_relid)
		kafka->position.unread =
			unread_forget(kafka->arena, kafka->position.unread, relation);
	kafka->read_relid = relid;
	kafka->in_snapshot = true;
}

/* Lists of unread tables are copied for each part of a table: seldom when they are long.
 */
static bool
is_part_due(KafkaOutput *kafka, const Event *event)
{
	size_t len = kafka->position.unread == NULL ? 0 : strlen(kafka->position.unread);
	int64_t now = clock_mono_us();

	if (event->kind == EVENT_TABLE_PART && event->new_tuple.data == NULL &&
	    now - kafka->part_us < PART_US + (int64_t) len * PART_BYTE_US)
		return false;
	kafka->part_us = now;
	return true;
}

/*
 * Of a table that is being read some is complete, or all: a restart need not read that
 * again.  In the middle of the stream everything before the snapshot is there, too, and
 * that a table is complete its SNAPSHOT_END says.
 */
static bool
take_part(KafkaOutput *kafka, const Event *event, Err *err)
{
	const Relation *relation = event->relation;
	const char *unread = kafka->position.unread;
	const char *text = event->old_tuple.data;
	bool is_initial = kafka->position.phase == POSITION_SNAPSHOT;
	bool is_end = event->kind == EVENT_TABLE_END;

	if (!is_part_due(kafka, event) ||
	    (is_end && !is_initial && relation->root_relid == 0 && relation->relkind != 'p'))
		return true;
	kafka->position.unread = is_end
	                             ? unread_complete(kafka->arena, unread, relation, text)
	                             : unread_advance(kafka->arena, unread, relation, text);
	if (kafka->position.unread == unread)
		return true;
	if (!is_initial)
		return take_end(kafka, event->lsn - 1, event->lsn - 1, err);
	kafka->dirty = true;
	return kafka_commits_begin(kafka->commits, err);
}

/* The end of the initial snapshot, or of a table's that was read again. */
static bool
take_snapshot_end(KafkaOutput *kafka, const Event *event, Err *err)
{
	Position *position = &kafka->position;

	kafka->in_snapshot = false;
	kafka->read_relid = 0;
	kafka->urgent = true;
	if (event->new_tuple.data == NULL)
		position->unread =
			event->old_tuple.data == NULL
				? NULL
				: unread_remove(kafka->arena, position->unread, event->old_tuple.data);
	if (event->old_tuple.data == NULL)
		position->last = (CommitId){ 0 };
	return take_end(kafka, event->lsn, event->lsn, err);
}

static bool
take_event(KafkaOutput *kafka, const Event *event, Err *err)
{
	switch (event->kind)
	{
		case EVENT_INSERT:
		case EVENT_UPDATE:
		case EVENT_DELETE:
		case EVENT_TRUNCATE:
			return take_change(kafka, event, err);
		case EVENT_COMMIT:
			return take_commit(kafka, event, err);
		case EVENT_MESSAGE:
			return take_message(kafka, event, err);
		case EVENT_READ:
			return kafka_commits_begin(kafka->commits, err) &&
			       kafka_records_send(kafka->records,
			                          event,
			                          NULL,
			                          kafka_commits_outstanding(kafka->commits),
			                          err);
		case EVENT_TABLE_BEGIN:
			begin_table(kafka, event);
			return kafka_records_relate(kafka->records, event->relation, err);
		case EVENT_RELATION:
			return kafka_records_relate(kafka->records, event->relation, err);
		case EVENT_SNAPSHOT_END:
			return take_snapshot_end(kafka, event, err);
		case EVENT_KEEPALIVE:
			return take_keepalive(kafka, event->lsn, err);
		case EVENT_TABLE_PART:
		case EVENT_TABLE_END:
			return take_part(kafka, event, err);
		case EVENT_WANTED:
			return take_wanted(kafka, event, err);
		case EVENT_CATALOG:
		case EVENT_REWRITTEN:
			/* for nobody here, as with Debezium: no row changed */
			return true;
	}
	return true;
}

/* Whether now is the time to store, given that the queue is empty or not. */
static bool
is_due(const KafkaOutput *kafka, bool idle, int64_t now_us)
{
	int64_t begun_us = kafka_commits_begun_us(kafka->commits);
	int64_t age_us = now_us - begun_us;

	if (begun_us == 0)
		return false;
	if (kafka->in_transaction)
		return age_us > kafka->client.transaction_timeout_ms * 1000 / 3;
	if (kafka->in_snapshot)
		return age_us >= SNAPSHOT_COMMIT_US;
	/* Without transactions a position makes nothing visible: there is no hurry. */
	return kafka->urgent || atomic_load(&kafka->flush) ||
	       age_us >= kafka->config->kafka_commit_interval_ms * 1000 ||
	       (idle && kafka->config->kafka_exactly_once);
}

static bool
store(KafkaOutput *kafka, Err *err)
{
	bool positioned = kafka->dirty || kafka->position.row_lsn != 0;

	if (!kafka_commits_store(kafka->commits, positioned ? &kafka->position : NULL, err))
		return false;
	kafka->dirty = false;
	kafka->urgent = false;
	publish_counts(kafka);
	return true;
}

/* A heartbeat when it is time; there are none before the stream. */
static bool
beat(KafkaOutput *kafka, Err *err)
{
	if (kafka->position.phase != POSITION_STREAM || kafka->in_snapshot ||
	    clock_mono_us() < kafka_control_beat_us(kafka->control))
		return true;
	return kafka_commits_begin(kafka->commits, err) &&
	       kafka_control_beat(
			   kafka->control, kafka_commits_outstanding(kafka->commits), err);
}

/* Between batches: take what the library has to say, store when it is time. */
static bool
turn(KafkaOutput *kafka, bool idle, Err *err)
{
	bool moved;

	if (!beat(kafka, err))
		return false;
	if (is_due(kafka, idle, clock_mono_us()) && !store(kafka, err))
		return false;
	if (idle && !kafka->in_transaction && !kafka->dirty)
		atomic_store(&kafka->flush, false);
	/* Exactly-once has sent everything by committing. */
	if (idle && !kafka->config->kafka_exactly_once)
		kafka_client_hurry(&kafka->client);
	if (!kafka_commits_serve(kafka->commits, &moved, err))
		return false;
	if (moved)
		publish_counts(kafka);
	publish_durable(kafka);
	if (idle)
		kafka_topics_watch(kafka->topics);
	return true;
}

/* How long nothing has to be done, as long as nothing comes. */
static int
wait_ms(const KafkaOutput *kafka)
{
	int64_t begun_us = kafka_commits_begun_us(kafka->commits);
	int64_t beat_us = kafka_control_beat_us(kafka->control);
	int64_t now_us = clock_mono_us();
	int64_t left_ms = IDLE_WAIT_MS;

	if (begun_us != 0 && !kafka->in_transaction)
		left_ms = (kafka->in_snapshot ? SNAPSHOT_COMMIT_US / 1000
		                              : kafka->config->kafka_commit_interval_ms) -
		          (now_us - begun_us) / 1000;
	if (kafka->position.phase == POSITION_STREAM && !kafka->in_snapshot &&
	    beat_us - now_us < left_ms * 1000)
		left_ms = (beat_us - now_us) / 1000 + 1;
	return left_ms <= 0 ? 1 : left_ms > IDLE_WAIT_MS ? IDLE_WAIT_MS : (int) left_ms;
}

static bool
take_batch(KafkaOutput *kafka, const Batch *batch, Err *err)
{
	for (size_t i = 0; i < batch->count; i++)
		if (!take_event(kafka, &batch->events[i], err))
			return false;
	publish_counts(kafka);
	return true;
}

/* The reader waits for the answer. */
static bool
take_mark(KafkaOutput *kafka, Err *err)
{
	if (!kafka_commits_store(kafka->commits, &kafka->mark, err) ||
	    !kafka_commits_settle(kafka->commits, err))
		return false;
	kafka->position = kafka->mark;
	kafka->skip_until = kafka->mark;
	publish_durable(kafka);
	return true;
}

static bool
take_item(KafkaOutput *kafka, void *item, Err *err)
{
	bool ok;

	if (item == &kafka->mark)
		return take_mark(kafka, err);
	ok = take_batch(kafka, item, err);
	batch_unref(item);
	return ok;
}

/* Let an item go unseen: the source will send it again. */
static void
drop_item(KafkaOutput *kafka, void *item)
{
	if (item == &kafka->mark)
		(void) queue_put(kafka->answers, &kafka->mark);
	else
		batch_unref(item);
}

static void *
next_item(KafkaOutput *kafka, int timeout_ms)
{
	void *item = queue_take(kafka->queue, timeout_ms);

	if (item != NULL && atomic_exchange(&kafka->refused, false))
		output_wake(&kafka->output);
	return item;
}

static bool
work(KafkaOutput *kafka, Err *err)
{
	while (!atomic_load(&kafka->stop))
	{
		void *item = next_item(kafka, 0);

		if (item == NULL)
		{
			if (!turn(kafka, true, err))
				return false;
			item = next_item(kafka, wait_ms(kafka));
		}
		if (item == NULL)
			continue;
		if (!take_item(kafka, item, err))
			return false;
		if (item == &kafka->mark)
			(void) queue_put(kafka->answers, &kafka->mark);
		else if (!turn(kafka, false, err))
			return false;
	}
	return true;
}

static void *
run(void *argument)
{
	KafkaOutput *kafka = argument;
	Err err = { 0 };

	(void) pthread_setname_np(pthread_self(), "kafka");
	if (!work(kafka, &err) && !atomic_load(&kafka->stop))
	{
		/* A record that timed out may have had no topic to go to, and a transaction that
		 * was refused does not say which. */
		if (err.kind == ERR_RETRY || err.kind == ERR_CONFIG)
			(void) !kafka_topics_verify(kafka->topics, &err);
		kafka->err = err;
		atomic_store(&kafka->failed, true);
		output_wake(&kafka->output);
		/* A mark that failed, or came too late, has its answer in err. */
		(void) queue_put(kafka->answers, &kafka->mark);
	}
	publish_counts(kafka);
	while (!atomic_load(&kafka->stop))
	{
		void *item = next_item(kafka, IDLE_WAIT_MS);

		if (item != NULL)
			drop_item(kafka, item);
	}
	kafka_commits_abandon(kafka->commits);
	return NULL;
}

/* ---- What the reader calls ---- */

/* Called in a thread of the library: the sleeper has something to look at. */
static void
on_event(rd_kafka_t *rk, void *queue)
{
	(void) rk;
	queue_wake(queue);
}

/* Take over from a predecessor: its transaction is ended, its handle useless. */
static bool
fence(KafkaOutput *kafka, Err *err)
{
	rd_kafka_error_t *error;

	if (!kafka->config->kafka_exactly_once)
		return true;
	error = rd_kafka_init_transactions(kafka->client.rk, KAFKA_CONNECT_MS);
	if (error == NULL)
		return true;
	if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__TIMED_OUT)
	{
		rd_kafka_error_destroy(error);
		return kafka_fail_silent(&kafka->client, err, "prepare transactions");
	}
	return kafka_fail_error(&kafka->client, err, error, "prepare transactions");
}

static void
start_from(KafkaOutput *kafka, const Position *self, const Position *stored)
{
	kafka->position = *self;
	kafka->position.phase = stored->phase;
	kafka->position.commit_lsn = stored->commit_lsn;
	kafka->position.end_lsn = stored->end_lsn;
	kafka->position.row_lsn = stored->row_lsn;
	kafka->position.ordinal = stored->ordinal;
	kafka->position.last = stored->last;
	kafka->position.unread = stored->unread;
	kafka->skip_until = kafka->position;
	if (stored->phase == POSITION_STREAM)
		atomic_store(&kafka->durable, stored->end_lsn);
}

static bool
open_output(Output *output, const Position *self, Position *stored, Err *err)
{
	KafkaOutput *kafka = kafka_of(output);
	const Config *config = kafka->config;
	KafkaTopic *positions;
	int code;

	*stored = (Position){ 0 };
	if (!kafka_client_init(&kafka->client,
	                       config,
	                       config->kafka_exactly_once ? KAFKA_TRANSACTIONAL
	                                                  : KAFKA_PRODUCER,
	                       err))
		return false;
	kafka->topics = kafka_topics_new(&kafka->client, config);
	/* The first to need an answer: it tells a broker that is down from one that is slow.
	 */
	positions = kafka_topics_get_positions(kafka->topics, err);
	if (positions == NULL || !fence(kafka, err) ||
	    !kafka_positions_read(config, &kafka->stop, kafka->arena, stored, err))
		return false;
	kafka->records =
		kafka_records_new(&kafka->client, kafka->topics, config, self->database, err);
	if (kafka->records == NULL)
		return false;
	kafka->control =
		kafka_control_new(kafka->records, kafka->topics, config, self->database);
	kafka->commits = kafka_commits_new(&kafka->client, config, kafka->topics, positions);
	start_from(kafka, self, stored);
	rd_kafka_queue_cb_event_enable(kafka->client.events, on_event, kafka->queue);
	code = pthread_create(&kafka->thread, NULL, run, kafka);
	if (code != 0)
		return limits_no_thread(err, code);
	kafka->started = true;
	log_info("kafka",
	         "producing to %s, %s",
	         kafka->client.servers,
	         config->kafka_exactly_once ? "exactly once" : "at least once");
	return true;
}

static bool
mark_output(Output *output, const Position *position, Err *err)
{
	KafkaOutput *kafka = kafka_of(output);
	Lsn ignored;

	if (!durable_end(output, &ignored, err))
		return false;
	kafka->mark = *position;
	if (!queue_put(kafka->queue, &kafka->mark))
		return fail(err, ERR_FATAL, "a position was marked while batches were queued");
	(void) queue_take(kafka->answers, -1);
	return durable_end(output, &ignored, err);
}

static bool
offer_batch(Output *output, Batch *batch)
{
	KafkaOutput *kafka = kafka_of(output);

	if (atomic_load(&kafka->failed))
		return false;
	(void) batch_ref(batch);
	if (queue_put(kafka->queue, batch))
		return true;
	/* Said before a second try, so that room made in between is not missed. */
	atomic_store(&kafka->refused, true);
	if (queue_put(kafka->queue, batch))
		return true;
	batch_unref(batch);
	return false;
}

static void
flush_output(Output *output)
{
	KafkaOutput *kafka = kafka_of(output);

	atomic_store(&kafka->flush, true);
	queue_wake(kafka->queue);
}

static bool
durable_end(Output *output, Lsn *end_lsn, Err *err)
{
	KafkaOutput *kafka = kafka_of(output);

	*end_lsn = atomic_load(&kafka->durable);
	if (!atomic_load(&kafka->failed))
		return true;
	*err = kafka->err;
	return false;
}

KafkaCounters
kafka_output_counters(const Output *output)
{
	const KafkaOutput *kafka = (const KafkaOutput *) output;
	uint64_t values[6];

	for (int i = 0; i < 6; i++)
		values[i] = atomic_load_explicit(&kafka->counts[i], memory_order_relaxed);
	return (KafkaCounters){ .records = values[0],
		                    .bytes = values[1],
		                    .transactions = values[2],
		                    .skipped = values[3],
		                    .repeated = values[4],
		                    .refused = values[5] };
}

static void
stop_thread(KafkaOutput *kafka)
{
	void *item;

	atomic_store(&kafka->stop, true);
	queue_stop(kafka->queue);
	if (kafka->started)
		(void) pthread_join(kafka->thread, NULL);
	while ((item = queue_take(kafka->queue, 0)) != NULL)
		drop_item(kafka, item);
	while (queue_take(kafka->answers, 0) != NULL)
		continue;
}

static void
close_output(Output *output)
{
	KafkaOutput *kafka = kafka_of(output);
	KafkaCounters counters;

	stop_thread(kafka);
	counters = kafka_output_counters(output);
	if (kafka->started)
		log_info("kafka",
		         "closed: %llu records, %llu bytes, %llu commits, %llu events skipped, "
		         "%llu repeated, %llu refused",
		         (unsigned long long) counters.records,
		         (unsigned long long) counters.bytes,
		         (unsigned long long) counters.transactions,
		         (unsigned long long) counters.skipped,
		         (unsigned long long) counters.repeated,
		         (unsigned long long) counters.refused);
	kafka_commits_free(kafka->commits);
	kafka_control_free(kafka->control);
	kafka_records_free(kafka->records);
	kafka_topics_free(kafka->topics);
	kafka_client_fini(&kafka->client);
	queue_free(kafka->queue);
	queue_free(kafka->answers);
	arena_free(kafka->arena);
	free(kafka);
}
