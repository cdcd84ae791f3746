/*
 * json.h
 *		records to bytes as Kafka Connect's JsonConverter and header converters do it.
 *
 * Follows org.apache.kafka.connect.json.JsonConverter and
 * org.apache.kafka.connect.storage.SimpleHeaderConverter (data.Values) of Kafka 4.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONNECT_JSON_H
#define CONNECT_JSON_H

#include "connect/record.h"

typedef struct ConnectJson
{
	bool schemas_enable;
	bool replace_null_with_default;
} ConnectJson;

/*
 * Append what JsonConverter gives for data.  A null value of no schema, or one without
 * schemas_enable, is no bytes at all: *present is false then (a tombstone).
 * ERR_DATA when the text of a struct is not of its schema.
 */
bool connect_json_convert(const ConnectJson *options, const ConnectData *data,
                          Arena *arena, Buf *buf, bool *present, Err *err) MUST_CHECK;

/* The same by SimpleHeaderConverter. */
bool connect_simple_header(const ConnectData *data, Arena *arena, Buf *buf, bool *present,
                           Err *err) MUST_CHECK;

#endif
