/*
 * stage.h
 *		one transformation or predicate of a chain; private to this room.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TRANSFORM_STAGE_H
#define TRANSFORM_STAGE_H

#include "base/pattern.h"
#include "config/transforms.h"
#include "transform/transform.h"

typedef struct Stage Stage;

/* *keep is true before the call. */
typedef bool (*StageApply)(const Stage *stage, ConnectRecord *record, Arena *arena,
                           bool *keep, Err *err);
typedef bool (*StageTest)(const Stage *stage, const ConnectRecord *record, Arena *arena,
                          bool *is_true, Err *err);

struct Stage
{
	const ConfigStage *config;
	ConnectSchemas *schemas;
	Arena *memory; /* the chain's */
	void *state;
	StageApply apply; /* of a transformation */
	StageTest test;   /* of a predicate */
	const Stage *predicate;
	bool negate;
};

/* Fill state and apply or test.  ERR_CONFIG. */
typedef bool (*StageMake)(Stage *stage, Err *err);

bool unwrap_make(Stage *stage, Err *err) MUST_CHECK;
bool outbox_make(Stage *stage, Err *err) MUST_CHECK;
bool logical_make(Stage *stage, Err *err) MUST_CHECK;
bool regex_make(Stage *stage, Err *err) MUST_CHECK;
bool replace_make(Stage *stage, Err *err) MUST_CHECK;
bool mask_make(Stage *stage, Err *err) MUST_CHECK;
bool insert_make(Stage *stage, Err *err) MUST_CHECK;
bool filter_make(Stage *stage, Err *err) MUST_CHECK;
bool has_header_make(Stage *stage, Err *err) MUST_CHECK;
bool topic_matches_make(Stage *stage, Err *err) MUST_CHECK;
bool is_tombstone_make(Stage *stage, Err *err) MUST_CHECK;

/* ---- What several of them need ---- */

/* Something remembered of one or two schemas, by their addresses. */
typedef struct SchemaCache
{
	Arena *memory;
	struct SchemaSlot *slots;
	size_t room;
	size_t used;
} SchemaCache;

/* Where to keep what belongs to a and b; *slot is NULL when nothing was kept yet.  Valid
 * until the next call. */
const void **schema_cache(SchemaCache *cache, const void *a, const void *b);

/* A regular expression that topics are matched with, and what becomes of those that
 * match. */
typedef struct Route
{
	Arena *memory;
	const Pattern *pattern;
	const char *replacement;
	struct RouteSlot *slots; /* topics seen */
	size_t used;
} Route;

bool route_make(Route *route, const Stage *stage, const char *regex,
                const char *replacement, Err *err) MUST_CHECK;

/* The new topic; NULL when the old one does not match. */
bool route_topic(Route *route, const char *topic, Arena *arena, const char **result,
                 Err *err) MUST_CHECK;

/* Whether the value is Debezium's envelope, and not a message, heartbeat, transaction
 * marker, or what another transformation made. */
bool is_envelope(const ConnectRecord *record);

/* The key or the value, by which of the two classes of a transformation this is. */
ConnectData *stage_side(const Stage *stage, ConnectRecord *record);

/* The value, or the default of its schema when it is null and replaces is set. */
ConnectValue filled(const ConnectValue *value, const ConnectSchema *schema,
                    bool replaces);

/* As SchemaUtil.copySchemaBasics with the fields: required and without default. */
const ConnectSchema *schema_basics(ConnectSchemas *schemas, const ConnectSchema *schema);

/* Append a field to a struct's schema; NULL with ERR_DATA when there is one already. */
const ConnectSchema *schema_with(ConnectSchemas *schemas, const ConnectSchema *schema,
                                 const char *name, const ConnectSchema *field, Err *err);

/* The fields of an opened struct's value with room for more. */
ConnectValue value_with_room(Arena *arena, const ConnectValue *value,
                             const ConnectSchema *schema, size_t extra);

/* A field's string; *text is NULL for null.  ERR_DATA when the field is not there, or of
 * another type. */
bool field_string(const ConnectData *data, const char *name, Arena *arena,
                  const char **text, Err *err) MUST_CHECK;

/* The index of a field that must be there, of that type unless it is negative. */
bool field_find(const ConnectSchema *schema, const char *name, int type, size_t *index,
                Err *err) MUST_CHECK;

/* Schema names as Debezium's schema.name.adjustment.mode makes them: 0 none, 1 avro, 2
 * avro_unicode. */
const char *adjusted_name(const char *name, int mode, Arena *arena);

#endif
