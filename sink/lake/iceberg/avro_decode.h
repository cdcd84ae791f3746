/*
 * avro_decode.h
 *		Avro schemas from JSON, and values from bytes.
 *
 * Private to avro.c.  Functions that take a Slice * advance it past what they
 * read.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ICEBERG_AVRO_DECODE_H
#define LAKE_ICEBERG_AVRO_DECODE_H

#include "lake/iceberg/avro.h"

MUST_CHECK bool avro_parse_schema(Arena *arena, Slice json, const AvroType **type,
                                  Err *err);

/* One value of a type; everything but bytes goes to arena. */
MUST_CHECK bool avro_decode(Arena *arena, const AvroType *type, Slice *from,
                            AvroValue *value, Err *err);

MUST_CHECK bool avro_take_long(Slice *from, int64_t *value, Err *err);

/* The count of the next run of an array or map, 0 after the last; at most the bytes left.
 */
MUST_CHECK bool avro_take_count(Slice *from, int64_t *count, Err *err);

MUST_CHECK bool avro_take_bytes(Slice *from, Slice *bytes, Err *err);

#endif
