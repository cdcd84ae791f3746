/*
 * avro.h
 *		Connect schemas and values as Avro, as Confluent's AvroConverter makes them.
 *
 * Follows io.confluent.connect.avro.AvroData (8.x) with its defaults, but for
 * ignore.default.for.nullables, which is an option: records for structs, a union with
 * null for what is optional (null first unless there is a default), connect.name and the
 * like as properties, Avro's logical types for Connect's own.  A name that occurs again
 * is a reference.
 *
 * Differences: a struct that occurs again under the same name with other parameters is a
 * reference to the first, where AvroData makes a schema that no parser accepts; the
 * default NaN or infinity of a field, which Avro's JSON cannot say, is left out of
 * "default" and stays in connect.default.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONNECT_AVRO_H
#define CONNECT_AVRO_H

#include "connect/record.h"

typedef struct AvroSchema
{
	Slice text;            /* what is registered */
	const char *full_name; /* of a record; NULL: it is none */
	bool is_bytes;         /* just bytes: messages have them without a length */
} AvroSchema;

/* The Avro schema of schema (not NULL), made once.  ERR_DATA, naming the field, when Avro
 * cannot have it. */
const AvroSchema *avro_schema(ConnectSchemas *schemas, const ConnectSchema *schema,
                              Err *err) MUST_CHECK;

/* Append value in Avro's binary encoding.  Nulls become their defaults unless
 * keep_nulls (ignore.default.for.nullables).  ERR_DATA, naming the field, when value is
 * not of schema. */
bool avro_encode(const ConnectValue *value, const ConnectSchema *schema, bool keep_nulls,
                 Arena *arena, Buf *buf, Err *err) MUST_CHECK;

#endif
