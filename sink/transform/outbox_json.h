/*
 * outbox_json.h
 *		JSON text as a Connect value with the schema that it suggests.
 *
 * Follows io.debezium.transforms.outbox.JsonSchemaData of Debezium 3.6.1, numbers as
 * Jackson reads and prints them.  Two things are done better: an array at the top is
 * expanded (Debezium stops), and fields of objects in an array keep the order in which
 * they appear (Debezium's changes from run to run).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TRANSFORM_OUTBOX_JSON_H
#define TRANSFORM_OUTBOX_JSON_H

#include "connect/record.h"

/*
 * The value of text, an object or array, in data; name is that of its schema.
 * null_is_bytes: a null field becomes a null of type bytes, else it is left out.  An
 * empty array, which suggests nothing, keeps its value and loses its schema.  NULL when
 * it could be expanded, else why it could not: no JSON, an array of different types, a
 * number beyond 64 bits.
 */
const char *outbox_expand(ConnectSchemas *schemas, Arena *arena, const char *name,
                          Slice text, bool null_is_bytes, ConnectData *data);

#endif
