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
	ConnectSchemas *schemas; /* where the data's schemas are from */
	bool schemas_enable;
	bool replace_null_with_default;
} ConnectJson;

/*
 * Append what JsonConverter gives for data.  *present is false, and nothing appended, for
 * null without a schema (a tombstone).  ERR_DATA when a struct's text is not of its
 * schema, or a field that must not be null is.
 */
bool connect_json_convert(const ConnectJson *options, const ConnectData *data,
                          Arena *arena, Buf *buf, bool *present, Err *err) MUST_CHECK;

/* The same by SimpleHeaderConverter: text without quotes around a string, a struct's
 * nulls as their defaults.  Null is absent whatever its schema. */
bool connect_simple_header(const ConnectData *data, Arena *arena, Buf *buf, bool *present,
                           Err *err) MUST_CHECK;

#endif
