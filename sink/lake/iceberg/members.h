/*
 * members.h
 *		typed access to the members of parsed JSON objects.
 *
 * Private to the Iceberg code.  A function without _or requires the member; a
 * JSON null counts as absent.  Every error is ERR_FATAL and names the member.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ICEBERG_MEMBERS_H
#define LAKE_ICEBERG_MEMBERS_H

#include <json-c/json.h>

#include "base/arena.h"
#include "base/err.h"

/* Parse a whole document; NULL and err when it is not JSON.  json_object_put() it. */
json_object *members_parse(Slice json, Err *err);

MUST_CHECK bool member_int64(json_object *object, const char *name, int64_t *value,
                             Err *err);
MUST_CHECK bool member_int32(json_object *object, const char *name, int32_t *value,
                             Err *err);
MUST_CHECK bool member_bool(json_object *object, const char *name, bool *value, Err *err);
MUST_CHECK bool member_text(Arena *arena, json_object *object, const char *name,
                            const char **value, Err *err);

MUST_CHECK bool member_int64_or(json_object *object, const char *name, int64_t absent,
                                int64_t *value, Err *err);
MUST_CHECK bool member_int32_or(json_object *object, const char *name, int32_t absent,
                                int32_t *value, Err *err);
MUST_CHECK bool member_text_or(Arena *arena, json_object *object, const char *name,
                               const char *absent, const char **value, Err *err);

/* A member of a given type, borrowed from object.  _or gives NULL when absent. */
MUST_CHECK bool member_of_type(json_object *object, const char *name, json_type type,
                               json_object **value, Err *err);
MUST_CHECK bool member_of_type_or(json_object *object, const char *name, json_type type,
                                  json_object **value, Err *err);

/* A string without embedded zero bytes; name is for the message. */
MUST_CHECK bool member_string(Arena *arena, json_object *value, const char *name,
                              const char **text, Err *err);

/* The printed document, without blanks and without escaped slashes. */
const char *members_print(Arena *arena, json_object *object);

#endif
