/*
 * oversize.c
 *		rows whose records are too large for their topic.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kafka/oversize.h"

#define CONVERTED_TIMES 8
#define CONVERTED_NAMES ((size_t) 2 << 20) /* of the columns, before and after */

size_t
oversize_limit(const KafkaClient *client, const KafkaTopic *topic, bool converted)
{
	size_t limit = client->message_bytes < topic->max_bytes ? client->message_bytes
	                                                        : topic->max_bytes;

	return converted ? limit * CONVERTED_TIMES + CONVERTED_NAMES : limit;
}
