/*
 * positions.h
 *		reading back how far the stream is stored in Kafka.
 *
 * Topic kafka.positions.topic, partition 0; key "<topic.prefix>/<slot.name>", value
 * position_print().  The newest committed record of a key is its position; it lies in
 * the same Kafka transaction as the records it speaks of.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef KAFKA_POSITIONS_H
#define KAFKA_POSITIONS_H

#include <stdatomic.h>

#include "config/config.h"
#include "event/position.h"

/*
 * The stored position of this prefix and slot; phase NONE when there is none.  arena is
 * that of its texts; NULL: they are not wanted.  To be
 * called when no transaction of ours is open (after init_transactions).  ERR_RETRY when
 * the broker does not answer, or a transaction of another worker hides the end of the
 * topic for longer than may be waited here; ERR_FATAL when the record is damaged.
 */
bool kafka_positions_read(const Config *config, const atomic_bool *stop, Arena *arena,
                          Position *position, Err *err) MUST_CHECK;

#endif
