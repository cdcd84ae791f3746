/*
 * schema.h
 *		Kafka Connect schemas: an immutable tree, each distinct schema made once.
 *
 * The one renderer (decoder/envelope/schema.c) prints the schema of a relation's key
 * and value as JsonConverter's text; it is parsed once per relation version, and what
 * a transformation makes of it is derived here.  Every schema comes out of a
 * ConnectSchemas, which hands out the same pointer for equal schemas: pointers may be
 * compared, be the key of a cache, and live as long as the ConnectSchemas.
 *
 * To derive a schema, copy it, change the copy and intern that:
 *
 *		ConnectSchema draft = *schema;
 *		draft.optional = true;
 *		schema = connect_schema_intern(schemas, &draft);
 *
 * Follows org.apache.kafka.connect.data.ConnectSchema (Kafka 4).  A ConnectSchemas is
 * for one thread.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONNECT_SCHEMA_H
#define CONNECT_SCHEMA_H

#include "base/arena.h"
#include "base/err.h"

typedef enum ConnectType
{
	CONNECT_INT8,
	CONNECT_INT16,
	CONNECT_INT32,
	CONNECT_INT64,
	CONNECT_FLOAT32,
	CONNECT_FLOAT64,
	CONNECT_BOOLEAN,
	CONNECT_STRING,
	CONNECT_BYTES,
	CONNECT_ARRAY,
	CONNECT_MAP,
	CONNECT_STRUCT,
} ConnectType;

typedef struct ConnectSchema ConnectSchema;

typedef struct ConnectField
{
	const char *name;
	const ConnectSchema *schema;
	Slice lead; /* "name": as JSON; made by connect_schema_intern */
} ConnectField;

typedef struct ConnectParameter
{
	const char *name;
	const char *value;
} ConnectParameter;

/* Absent texts are NULL, absent slices empty.  All of it is UTF-8 without escapes, but
 * for default_json. */
struct ConnectSchema
{
	ConnectType type;
	bool optional;
	int32_t version;  /* 0: none */
	const char *name; /* semantic type, or a struct's own name */
	const char *doc;
	Slice default_json; /* as JsonConverter prints the default value; empty: none */
	const ConnectParameter *parameters;
	size_t parameter_count;
	const ConnectField *fields; /* of a struct */
	size_t field_count;
	const ConnectSchema *items; /* of an array; of a map its values */
	const ConnectSchema *keys;  /* of a map */
	struct ConnectMemo *memo; /* set by connect_schema_intern: what is remembered of it */
	bool has_defaults;        /* set by connect_schema_intern: a null anywhere inside a
	                             value could stand for a default */
};

/* What is made of a schema once; filled by who needs it, for as long as the schema lives.
 */
typedef struct ConnectMemo
{
	Slice text;       /* see connect_schema_text */
	const void *avro; /* avro.c's */
} ConnectMemo;

typedef struct ConnectSchemas ConnectSchemas;

ConnectSchemas *connect_schemas_new(void);
void connect_schemas_free(ConnectSchemas *schemas); /* NULL is allowed */

/* The one schema equal to draft, which is copied when it is new; what draft points at
 * need not outlive the call, but schemas inside it must be interned ones. */
const ConnectSchema *connect_schema_intern(ConnectSchemas *schemas,
                                           const ConnectSchema *draft);

/*
 * Parse {"type":...}, as JsonConverter prints a schema.  ERR_DATA when it is none.
 * `null` is no schema: NULL with err->kind ERR_NONE.
 */
const ConnectSchema *connect_schema_parse(ConnectSchemas *schemas, Slice json,
                                          Err *err) MUST_CHECK;

/* Append the text that JsonConverter prints; null for NULL. */
void connect_schema_print(const ConnectSchema *schema, Buf *buf);

/* That text, printed once. */
Slice connect_schema_text(ConnectSchemas *schemas, const ConnectSchema *schema);

/* Where to allocate what lives as long as the schemas. */
Arena *connect_schemas_arena(ConnectSchemas *schemas);

/* A schema of a type without fields, items and name: SchemaBuilder.string().optional().
 */
const ConnectSchema *connect_schema_plain(ConnectSchemas *schemas, ConnectType type,
                                          bool optional);

/* An empty struct of that name (NULL: none), version 0 for none. */
const ConnectSchema *connect_schema_struct(ConnectSchemas *schemas, const char *name,
                                           int32_t version, bool optional);

/* The same schema, optional or not; the same schema under another name. */
const ConnectSchema *connect_schema_optional(ConnectSchemas *schemas,
                                             const ConnectSchema *schema, bool optional);
const ConnectSchema *connect_schema_named(ConnectSchemas *schemas,
                                          const ConnectSchema *schema, const char *name);

/* A struct with one more field at its end, without the one at index, with another name or
 * schema there (NULL: as it is). */
const ConnectSchema *connect_schema_append(ConnectSchemas *schemas,
                                           const ConnectSchema *schema, const char *name,
                                           const ConnectSchema *field);
const ConnectSchema *connect_schema_drop(ConnectSchemas *schemas,
                                         const ConnectSchema *schema, size_t index);
const ConnectSchema *connect_schema_replace(ConnectSchemas *schemas,
                                            const ConnectSchema *schema, size_t index,
                                            const char *name, const ConnectSchema *field);

/* The index of a struct's field; -1: there is none. */
int connect_schema_find(const ConnectSchema *schema, const char *name);

/* The value of a parameter; NULL: there is none. */
const char *connect_schema_parameter(const ConnectSchema *schema, const char *name);

/* The parameter scale of a Decimal's schema; 0 when it has none. */
int connect_schema_scale(const ConnectSchema *schema);

/* "int8", ... "struct": JsonConverter's names. */
const char *connect_type_name(ConnectType type);

#endif
