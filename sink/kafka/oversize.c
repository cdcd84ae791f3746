/*
 * oversize.c
 *		rows whose records are too large for their topic.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kafka/oversize.h"

#include <stdio.h>

#define SMALL_BYTES     1024 /* a tuple not worth looking into */
#define CONVERTED_TIMES 8
#define CONVERTED_NAMES ((size_t) 2 << 20) /* of the columns, before and after */

/* The column with the most bytes in tuple, when it has more than *bytes. */
static void
find_largest(const Relation *relation, Slice tuple, const char **name, size_t *bytes)
{
	Value values[RENDER_MAX_COLUMNS];
	EnvError error = { 0 };

	if (tuple.len < SMALL_BYTES ||
	    !value_read_tuple(tuple, values, relation->column_count, &error))
		return;
	for (uint16_t i = 0; i < relation->column_count; i++)
	{
		bool there = values[i].kind == VALUE_BINARY || values[i].kind == VALUE_TEXT;

		if (!there || values[i].len <= *bytes)
			continue;
		*name = relation->columns[i].name;
		*bytes = values[i].len;
	}
}

void
oversize_describe(const Event *event, char text[512])
{
	const Relation *relation = event->relation;
	const char *column = NULL;
	size_t bytes = 0;
	int at = snprintf(text,
	                  512,
	                  "record of table \"%s.%s\", LSN %X/%X",
	                  relation->schema,
	                  relation->name,
	                  LSN_ARGS(event->lsn));

	find_largest(relation, event->old_tuple, &column, &bytes);
	find_largest(relation, event->new_tuple, &column, &bytes);
	if (column != NULL && at > 0 && at < 512)
		(void) snprintf(text + at,
		                512 - (size_t) at,
		                ", with %zu bytes in column \"%s\",",
		                bytes,
		                column);
}

size_t
oversize_limit(const KafkaClient *client, const KafkaTopic *topic, bool converted)
{
	size_t limit = client->message_bytes < topic->max_bytes ? client->message_bytes
	                                                        : topic->max_bytes;

	return converted ? limit * CONVERTED_TIMES + CONVERTED_NAMES : limit;
}
