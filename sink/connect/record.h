/*
 * record.h
 *		a Kafka Connect record between the renderer and the converters.
 *
 * Values are the JSON that the one renderer printed, schemas.enable and
 * replace.null.with.default being off: nothing is rendered twice.  A struct stays the
 * one piece of text it is until somebody needs its fields (connect_value_open); then each
 * field is a piece of that text, or a value that was put in its place.  Only who needs
 * the value of a leaf decodes it.
 *
 * What the functions return lives in the arena they are given (one per event, reset
 * before the next) or in the text the value was made of.  Schemas: see schema.h; a value
 * with the schema NULL is without schema, its JSON is all there is.
 *
 * The JSON of a type is JsonConverter's (Kafka 4): numbers as Java prints them ("NaN",
 * "Infinity", "-Infinity" are strings), bytes as base64 strings, Decimal as its unscaled
 * bytes, maps with string keys as objects, other maps as arrays of pairs.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONNECT_RECORD_H
#define CONNECT_RECORD_H

#include "connect/schema.h"

typedef enum ConnectForm
{
	CONNECT_IS_NULL,
	CONNECT_IS_JSON,   /* a leaf, or a struct that nobody opened */
	CONNECT_IS_FIELDS, /* an opened struct */
} ConnectForm;

typedef struct ConnectValue
{
	ConnectForm form;
	Slice json;                  /* IS_JSON; never "null" */
	struct ConnectValue *fields; /* IS_FIELDS: one for each of the schema's */
} ConnectValue;

typedef struct ConnectData
{
	const ConnectSchema *schema; /* NULL: none */
	ConnectValue value;
} ConnectData;

typedef struct ConnectHeader
{
	const char *name;
	ConnectData data;
} ConnectHeader;

typedef struct ConnectRecord
{
	const char *topic;
	int32_t partition;    /* -1: the producer chooses by the key */
	const char *router;   /* alias of the transformation that chose topic or partition
	                         last; NULL: none */
	int64_t timestamp_ms; /* -1: the producer's */
	ConnectData key;
	ConnectData value;
	ConnectHeader *headers; /* in order; names may repeat */
	size_t header_count;
	size_t header_room;
	bool is_new;           /* a transformation made a new record of it */
	size_t shared_headers; /* how many it had then */
} ConnectRecord;

/* A record without key, value and headers, which compare as tombstones do. */
ConnectRecord connect_record(const char *topic);

void connect_record_add_header(ConnectRecord *record, Arena *arena, const char *name,
                               ConnectData data);

/*
 * Say that a transformation made a new record of this one.  Connect copies the headers
 * then; before, a tombstone has one list with the delete that it follows (Debezium's
 * EventDispatcher), and what is added to the delete is seen on the tombstone as well.
 */
void connect_record_renew(ConnectRecord *record);

/* Give the tombstone the list that it has with its delete, which went through the
 * transformations already; the items stay where they are. */
void connect_record_share_headers(ConnectRecord *tombstone, const ConnectRecord *deleted);

/* ---- Values ---- */

/* Of one JSON value without blanks around it; null becomes CONNECT_IS_NULL. */
ConnectValue connect_value_json(Slice json);

/*
 * Turn a struct's value into its fields, one level deep; nothing happens to one that is
 * open, or null.  ERR_DATA when the text is not a value of schema.  Fields that the
 * object lacks are null.
 */
bool connect_value_open(ConnectValue *value, const ConnectSchema *schema, Arena *arena,
                        Err *err) MUST_CHECK;

/* An opened struct's value whose field_count fields are null. */
ConnectValue connect_value_struct(Arena *arena, size_t field_count);

/* The default of schema, as a value; null when there is none. */
ConnectValue connect_value_default(const ConnectSchema *schema);

ConnectValue connect_value_string(Arena *arena, Slice text);
ConnectValue connect_value_int64(Arena *arena, int64_t value);
ConnectValue connect_value_boolean(bool value);

/* Append the JSON of a value, nulls staying null. */
void connect_value_print(const ConnectValue *value, const ConnectSchema *schema,
                         Buf *buf);

/* Whether both are the same value of their one schema. */
bool connect_value_equal(const ConnectValue *a, const ConnectValue *b,
                         const ConnectSchema *schema);

/* ---- Leaves; false: the JSON is of another type, or a number does not fit ---- */

/* The characters of a JSON string; text points into json when nothing was escaped. */
bool connect_read_string(Slice json, Arena *arena, Slice *text) MUST_CHECK;
/* The same, terminated and always in arena; false for a text with a null character. */
bool connect_read_text(Slice json, Arena *arena, const char **text) MUST_CHECK;
/* What its base64 stands for. */
bool connect_read_bytes(Slice json, Arena *arena, Slice *bytes) MUST_CHECK;
bool connect_read_int64(Slice json, int64_t *value) MUST_CHECK;
bool connect_read_double(Slice json, double *value) MUST_CHECK;
bool connect_read_boolean(Slice json, bool *value) MUST_CHECK;

#endif
