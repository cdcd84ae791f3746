/*
 * convert.h
 *		the converters of keys and values: from Connect data to the bytes of a message.
 *
 * key.converter and value.converter by the names of Kafka Connect's classes:
 * JsonConverter, AvroConverter (with a schema registry), StringConverter,
 * ByteArrayConverter.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONNECT_CONVERT_H
#define CONNECT_CONVERT_H

#include <stdatomic.h>
#include <stdio.h>

#include "config/config.h"
#include "connect/record.h"

typedef struct ConnectConverter ConnectConverter;

/*
 * The converter of keys or values.  config and schemas must outlive it; stop ends
 * requests under way.  No connection is made yet.  ERR_CONFIG.
 */
ConnectConverter *connect_converter_new(const Config *config, bool is_key,
                                        ConnectSchemas *schemas, const atomic_bool *stop,
                                        Err *err) MUST_CHECK;
void connect_converter_free(ConnectConverter *converter); /* NULL is allowed */

/* Where the bytes go. */
typedef struct ConnectBytes
{
	Arena *arena; /* for what is needed meanwhile */
	Buf *buf;
	bool present; /* result: false for a null (a tombstone), nothing is appended then */
} ConnectBytes;

/*
 * Append the bytes of data.  The first record of an Avro schema waits for the registry.
 *
 * ERR_DATA for what the class cannot say (a struct as a string); ERR_RETRY and ERR_CONFIG
 * from the registry.
 */
bool connect_convert(ConnectConverter *converter, const char *topic,
                     const ConnectData *data, ConnectBytes *out, Err *err) MUST_CHECK;

/* The registries' part of `cdc-sink check`: print one line for each that is configured,
 * "ok ..." or what to do.  False when a run would fail. */
bool connect_check(const Config *config, FILE *to);

/*
 * Whether keys and values are what the renderer prints by itself: JSON, and both with or
 * without schema and defaults; *options are then the flags to render with.
 */
bool connect_renders_directly(const Config *config, bool *schemas_enable,
                              bool *replace_null_with_default);

#endif
