/*
 * schema_json.h
 *		schemas and specs as json-c objects, for the files that hold them.
 *
 * Private to the Iceberg code.  Functions that return an object give it to the
 * caller; those that read one borrow it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ICEBERG_SCHEMA_JSON_H
#define LAKE_ICEBERG_SCHEMA_JSON_H

#include "lake/iceberg/members.h"
#include "lake/iceberg/schema.h"

json_object *fields_to_json(Arena *arena, const IcebergField *fields, int32_t count);
json_object *schema_to_json(Arena *arena, const IcebergSchema *schema);
json_object *spec_fields_to_json(const PartitionSpec *spec);

/* Member "fields" of json. */
MUST_CHECK bool fields_from_json(Arena *arena, json_object *json,
                                 const IcebergField **fields, int32_t *count, Err *err);
MUST_CHECK bool schema_from_json(Arena *arena, json_object *json, IcebergSchema *schema,
                                 Err *err);

/* An array of partition fields; leaves spec->id alone. */
MUST_CHECK bool spec_fields_from_json(Arena *arena, json_object *array,
                                      PartitionSpec *spec, Err *err);

#endif
