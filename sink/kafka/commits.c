/*
 * commits.c
 *		Kafka transactions, and windows of deliveries without them.
 *
 * The library's commit_transaction flushes first but does not take delivery reports,
 * which come as events; it would wait for itself.  So records are drained here, and the
 * commit itself is usually only the last round trip.  It is called, too, when draining
 * takes long, because nothing else tells that the transaction has failed meanwhile.  Its
 * timeouts are resumed, but rarely: a call that ends before the library's thread has
 * turned once leaves an answer behind, which the next call takes for its own (2.0.2: it
 * asserts then, or finds itself in another state).  A real failure leaves the outcome to
 *the next open, which fences this producer id and reads what was stored.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kafka/commits.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"

#define WINDOWS         64
#define DRAIN_SLICE_MS  5
#define PATIENCE_US     INT64_C(2000000)
#define VERIFY_US       INT64_C(5000000)
#define COMMIT_SLICE_MS 3000
#define LOOK_SLICE_MS   500
#define GRACE_US        INT64_C(5000000)
#define ABANDON_US      INT64_C(3000000)
#define ABANDON_SLICE   200
#define SETTLE_SLICE_MS 100
#define OUR_PARTITION   0

typedef struct Window
{
	uint64_t outstanding;
	bool has_position;
	Position position;
} Window;

struct KafkaCommits
{
	KafkaClient *client;
	KafkaTopics *topics;
	KafkaTopic *topic; /* of positions */
	Buf key;
	Buf value;
	bool transactional;
	int64_t begun_us;
	Position stored;
	uint64_t count;
	uint64_t in_flight; /* with transactions: records not delivered yet */

	/* Without transactions: windows[first .. first + closed) are closed, the next is
	 * open. */
	Window windows[WINDOWS];
	size_t first;
	size_t closed;
	bool due;              /* next may be produced */
	Position next;         /* newest position whose records are all delivered */
	Position sent;         /* the one on its way */
	uint64_t sent_pending; /* 1 until it is delivered */
	bool sending;
};

KafkaCommits *
kafka_commits_new(KafkaClient *client, const Config *config, KafkaTopics *topics,
                  KafkaTopic *positions)
{
	KafkaCommits *commits = xmalloc(sizeof *commits);

	*commits = (KafkaCommits){ .client = client,
		                       .topics = topics,
		                       .topic = positions,
		                       .key = buf_heap(),
		                       .value = buf_heap(),
		                       .transactional = config->kafka_exactly_once };
	kafka_identity(config, &commits->key);
	return commits;
}

void
kafka_commits_free(KafkaCommits *commits)
{
	if (commits == NULL)
		return;
	buf_free(&commits->key);
	buf_free(&commits->value);
	free(commits);
}

const Position *
kafka_commits_stored(const KafkaCommits *commits)
{
	return &commits->stored;
}

uint64_t
kafka_commits_count(const KafkaCommits *commits)
{
	return commits->count;
}

int64_t
kafka_commits_begun_us(const KafkaCommits *commits)
{
	return commits->begun_us;
}

static Window *
open_window(KafkaCommits *commits)
{
	return &commits->windows[(commits->first + commits->closed) % WINDOWS];
}

uint64_t *
kafka_commits_outstanding(KafkaCommits *commits)
{
	return commits->transactional ? &commits->in_flight
	                              : &open_window(commits)->outstanding;
}

bool
kafka_commits_begin(KafkaCommits *commits, Err *err)
{
	rd_kafka_error_t *error;

	if (commits->begun_us != 0)
		return true;
	if (commits->transactional &&
	    (error = rd_kafka_begin_transaction(commits->client->rk)) != NULL)
		return kafka_fail_error(commits->client, err, error, "begin a transaction");
	commits->begun_us = clock_mono_us();
	return true;
}

static bool
produce_position(KafkaCommits *commits, const Position *position, uint64_t *pending,
                 Err *err)
{
	KafkaRecord record = {
		.topic = commits->topic->rkt,
		.partition = OUR_PARTITION,
		.key = { commits->key.data, commits->key.len },
		.outstanding = pending,
	};

	buf_reset(&commits->value);
	position_print(&commits->value, position);
	record.value = (Slice){ commits->value.data, commits->value.len };
	return kafka_client_produce(commits->client, &record, err);
}

/* ---- Exactly once ---- */

/*
 * Wait until every record is delivered, or PATIENCE_US.  Only the last batch needs to be
 * hurried; while others are on their way that would make the library's thread turn idly.
 */
static bool
drain(KafkaCommits *commits, Err *err)
{
	KafkaClient *client = commits->client;
	int64_t until = clock_mono_us() + PATIENCE_US;

	if (!kafka_client_poll(client, 0, err))
		return false;
	while (commits->in_flight > 0 && clock_mono_us() < until)
	{
		kafka_client_hurry(client);
		if (!kafka_client_poll(client, DRAIN_SLICE_MS, err))
			return false;
	}
	return true;
}

/* One try.  *again: it was too early. */
static bool
try_commit(KafkaCommits *commits, bool *again, Err *err)
{
	rd_kafka_error_t *error = rd_kafka_commit_transaction(
		commits->client->rk, commits->in_flight > 0 ? LOOK_SLICE_MS : COMMIT_SLICE_MS);

	*again = false;
	if (error == NULL)
		return true;
	*again = rd_kafka_error_is_retriable(error) && !rd_kafka_error_is_fatal(error);
	if (!*again)
		return kafka_fail_error(commits->client, err, error, "commit a transaction");
	rd_kafka_error_destroy(error);
	return true;
}

/*
 * Older than transaction.timeout.ms: the coordinator has aborted the transaction, or
 * committed it and the answer was lost.  The library can go on asking for ever; the next
 * open finds out.
 */
static bool
overdue(const KafkaCommits *commits, Err *err)
{
	int64_t timeout_ms = commits->client->transaction_timeout_ms;

	if (clock_mono_us() - commits->begun_us < timeout_ms * 1000 + GRACE_US)
		return false;
	fail(err,
	     ERR_RETRY,
	     "could not commit a transaction: no outcome from Kafka at %s within "
	     "kafka.transaction.timeout.ms (%" PRId64 ")",
	     commits->client->servers,
	     timeout_ms);
	return true;
}

static bool
commit(KafkaCommits *commits, Err *err)
{
	KafkaClient *client = commits->client;
	int64_t verify_us = clock_mono_us() + VERIFY_US;
	bool again = true;

	while (again)
	{
		if (!drain(commits, err) || !try_commit(commits, &again, err))
			return false;
		if (!again)
			break;
		if (kafka_client_stopped(client, err) || overdue(commits, err))
			return false;
		/* The library waits for a deleted topic to come back. */
		if (clock_mono_us() >= verify_us)
		{
			if (!kafka_topics_verify(commits->topics, err))
				return false;
			verify_us = clock_mono_us() + VERIFY_US;
		}
	}
	commits->begun_us = 0;
	commits->count++;
	if (client->down)
		log_info("kafka", "the broker answers again");
	client->down = false;
	return true;
}

void
kafka_commits_abandon(KafkaCommits *commits)
{
	rd_kafka_t *rk = commits->client->rk;
	int64_t until = clock_mono_us() + ABANDON_US;
	rd_kafka_error_t *error;
	bool again = commits->transactional && commits->begun_us != 0;
	Err ignored;

	while (again)
	{
		error = rd_kafka_abort_transaction(rk, ABANDON_SLICE);
		again = error != NULL && rd_kafka_error_is_retriable(error) &&
		        clock_mono_us() < until;
		if (error != NULL)
			rd_kafka_error_destroy(error);
		/* Reports of what was purged must be taken before an abort completes. */
		if (!kafka_client_poll(commits->client, 0, &ignored))
			continue;
	}
	commits->begun_us = 0;
}

/* ---- At least once ---- */

/* Close the open window.  With all windows in use it stays open: it only grows. */
static void
close_window(KafkaCommits *commits, const Position *position)
{
	Window *window = open_window(commits);

	if (position != NULL)
	{
		window->has_position = true;
		window->position = *position;
	}
	if (commits->closed == WINDOWS - 1)
		return;
	commits->closed++;
	*open_window(commits) = (Window){ 0 };
	commits->begun_us = 0;
}

static void
collect_windows(KafkaCommits *commits)
{
	while (commits->closed > 0 && commits->windows[commits->first].outstanding == 0)
	{
		const Window *window = &commits->windows[commits->first];

		if (window->has_position)
		{
			commits->next = window->position;
			commits->due = true;
		}
		commits->first = (commits->first + 1) % WINDOWS;
		commits->closed--;
	}
}

bool
kafka_commits_serve(KafkaCommits *commits, bool *moved, Err *err)
{
	*moved = false;
	if (!kafka_client_poll(commits->client, 0, err))
		return false;
	if (commits->transactional)
		return true;
	if (commits->sending && commits->sent_pending == 0)
	{
		commits->sending = false;
		commits->stored = commits->sent;
		commits->count++;
		commits->client->down = false;
		*moved = true;
	}
	collect_windows(commits);
	if (!commits->due || commits->sending)
		return true;
	commits->due = false;
	commits->sending = true;
	commits->sent = commits->next;
	return produce_position(commits, &commits->sent, &commits->sent_pending, err);
}

bool
kafka_commits_store(KafkaCommits *commits, const Position *position, Err *err)
{
	if (!kafka_commits_begin(commits, err))
		return false;
	if (!commits->transactional)
	{
		close_window(commits, position);
		return true;
	}
	if ((position != NULL &&
	     !produce_position(commits, position, &commits->in_flight, err)) ||
	    !commit(commits, err))
		return false;
	if (position != NULL)
		commits->stored = *position;
	return true;
}

bool
kafka_commits_settle(KafkaCommits *commits, Err *err)
{
	bool moved;

	for (;;)
	{
		if (!kafka_commits_serve(commits, &moved, err))
			return false;
		if (commits->transactional ||
		    (commits->closed == 0 && !commits->due && !commits->sending))
			return true;
		if (!kafka_client_poll(commits->client, SETTLE_SLICE_MS, err) ||
		    kafka_client_stopped(commits->client, err))
			return false;
	}
}
