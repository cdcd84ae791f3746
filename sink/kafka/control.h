/*
 * control.h
 *		the records beside row events, on their way to Kafka: logical messages, where
 *		transactions begin and end, heartbeats.
 *
 * Counts the events of the source transaction that is open (provide.transaction.metadata)
 * and knows whether its BEGIN was sent.  A transaction of which a part was stored before
 * this run has had its BEGIN, and its stored events are counted again without being sent.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef KAFKA_CONTROL_H
#define KAFKA_CONTROL_H

#include "event/event.h"
#include "kafka/records.h"

typedef struct KafkaControl KafkaControl;

/* records, topics and config must outlive it; database is copied. */
KafkaControl *kafka_control_new(KafkaRecords *records, KafkaTopics *topics,
                                const Config *config, const char *database);
void kafka_control_free(KafkaControl *control); /* NULL is allowed */

/*
 * Before each event of a source transaction: its first sends BEGIN, unless stored says
 * that this happened before.  *counts is what the event is to be counted in, NULL when
 * nobody asked.  outstanding and errors as kafka_records_send().
 */
bool kafka_control_enter(KafkaControl *control, const Event *event, bool stored,
                         TxCounts **counts, uint64_t *outstanding, Err *err) MUST_CHECK;

/* At its commit: sends END, and BEGIN if nothing was before it. */
bool kafka_control_end(KafkaControl *control, const Event *commit, uint64_t *outstanding,
                       Err *err) MUST_CHECK;

/* Its commit is stored already. */
void kafka_control_skip(KafkaControl *control);

/* Send a logical message, counted in counts unless that is NULL.  With count_only it is
 * counted alone. */
bool kafka_control_message(KafkaControl *control, const Event *event, TxCounts *counts,
                           bool count_only, uint64_t *outstanding, Err *err) MUST_CHECK;

/* When the next heartbeat is due, clock_mono_us(); INT64_MAX: there are none. */
int64_t kafka_control_beat_us(const KafkaControl *control);

/* Send a heartbeat. */
bool kafka_control_beat(KafkaControl *control, uint64_t *outstanding,
                        Err *err) MUST_CHECK;

#endif
