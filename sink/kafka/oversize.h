/*
 * oversize.h
 *		rows whose records are too large for their topic.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef KAFKA_OVERSIZE_H
#define KAFKA_OVERSIZE_H

#include "event/event.h"
#include "kafka/topics.h"

/*
 * The bytes at which rendering a record for topic may stop, since no message of it could
 * be sent: exactly what fits when the rendered text is the message; when it is converted
 * first (to Avro, which saves names, and escapes of up to six bytes for one) several
 * times as much.
 */
size_t oversize_limit(const KafkaClient *client, const KafkaTopic *topic, bool converted);

#endif
