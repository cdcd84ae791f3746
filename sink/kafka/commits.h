/*
 * commits.h
 *		storing positions with the records before them.
 *
 * Two ways, one interface.  Exactly once: kafka_commits_begin opens a Kafka transaction
 * before its first record, kafka_commits_store puts the position in it and commits, and
 * returns when that is done.  At least once: records are counted in windows; store closes
 * the window, and its position is produced when all records of it and of those before
 * were delivered, in kafka_commits_serve.
 *
 *		windows:  | delivered | 3 left | 0 left | open ...
 *		                       ^ what may be stored ends here
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef KAFKA_COMMITS_H
#define KAFKA_COMMITS_H

#include "event/position.h"
#include "kafka/topics.h"

typedef struct KafkaCommits KafkaCommits;

/* client, topics and positions (their topic) must outlive it. */
KafkaCommits *kafka_commits_new(KafkaClient *client, const Config *config,
                                KafkaTopics *topics, KafkaTopic *positions);
void kafka_commits_free(KafkaCommits *commits); /* NULL is allowed */

/* Be ready for a record.  Cheap when already. */
bool kafka_commits_begin(KafkaCommits *commits, Err *err) MUST_CHECK;

/* When what is open began, clock_mono_us(); 0: nothing is. */
int64_t kafka_commits_begun_us(const KafkaCommits *commits);

/* Counter for the records produced now. */
uint64_t *kafka_commits_outstanding(KafkaCommits *commits);

/* Store what was produced since begin, and position; NULL stores the records alone. */
bool kafka_commits_store(KafkaCommits *commits, const Position *position,
                         Err *err) MUST_CHECK;

/* Look at deliveries, store what is due, and tell whether stored moved. */
bool kafka_commits_serve(KafkaCommits *commits, bool *moved, Err *err) MUST_CHECK;

/* Wait until every position given is stored. */
bool kafka_commits_settle(KafkaCommits *commits, Err *err) MUST_CHECK;

/* The newest position stored; phase NONE: none since kafka_commits_new(). */
const Position *kafka_commits_stored(const KafkaCommits *commits);

uint64_t kafka_commits_count(const KafkaCommits *commits);

/* Abort what is open, within seconds, so that it does not hide what comes behind it from
 * read_committed readers until it times out. */
void kafka_commits_abandon(KafkaCommits *commits);

#endif
