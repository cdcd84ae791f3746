/*
 * schema.h
 *		Iceberg types, fields, schemas and partition specs, and their JSON.
 *
 * Everything here is plain memory of the caller's arena, never changed once
 * built: a schema may be shared by any number of states and files.  Nested
 * types keep their parts in one array whatever the kind, so that walking a
 * schema needs no switch: a list has one field ("element"), a map two ("key",
 * "value"), a struct any number.  Ids are Iceberg field ids, unique in a table
 * for ever.
 *
 * Iceberg table spec, "Schemas and Data Types", "Partitioning", Appendix C.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ICEBERG_SCHEMA_H
#define LAKE_ICEBERG_SCHEMA_H

#include "base/arena.h"
#include "base/err.h"

typedef enum IcebergKind
{
	ICEBERG_BOOLEAN,
	ICEBERG_INT,
	ICEBERG_LONG,
	ICEBERG_FLOAT,
	ICEBERG_DOUBLE,
	ICEBERG_DECIMAL,
	ICEBERG_DATE,
	ICEBERG_TIME,
	ICEBERG_TIMESTAMP,
	ICEBERG_TIMESTAMPTZ,
	ICEBERG_STRING,
	ICEBERG_UUID,
	ICEBERG_FIXED,
	ICEBERG_BINARY,
	ICEBERG_LIST,
	ICEBERG_MAP,
	ICEBERG_STRUCT,
} IcebergKind;

typedef struct IcebergField IcebergField;

typedef struct IcebergType
{
	IcebergKind kind;
	int32_t precision;          /* decimal: 1 to 38 */
	int32_t scale;              /* decimal */
	int32_t length;             /* fixed: bytes */
	const IcebergField *fields; /* list 1, map 2, struct n */
	int32_t field_count;
} IcebergType;

struct IcebergField
{
	int32_t id;
	const char *name;
	bool required;
	IcebergType type;
	const char *doc; /* or NULL */
};

typedef struct IcebergSchema
{
	int32_t id; /* schema-id */
	const IcebergField *fields;
	int32_t field_count;
	const int32_t *identifier_ids; /* identifier-field-ids: the key; NULL for none */
	int32_t identifier_count;
} IcebergSchema;

#define PARTITION_FIELD_FIRST 1000 /* the first partition field id of a table */

typedef struct PartitionField
{
	int32_t source_id;
	int32_t field_id; /* from PARTITION_FIELD_FIRST up, never reused */
	const char *name;
	const char *transform; /* "identity", "day", "void"; others are kept as read */
} PartitionField;

typedef struct PartitionSpec
{
	int32_t id;
	const PartitionField *fields;
	int32_t field_count;
} PartitionSpec;

/* A primitive type without parameters. */
static inline IcebergType
iceberg_type(IcebergKind kind)
{
	return (IcebergType){ .kind = kind };
}

static inline IcebergType
iceberg_decimal(int32_t precision, int32_t scale)
{
	return (
		IcebergType){ .kind = ICEBERG_DECIMAL, .precision = precision, .scale = scale };
}

/* Nested types; the field arrays are allocated from arena, elements are optional. */
IcebergType iceberg_list(Arena *arena, int32_t element_id, IcebergType element);
IcebergType iceberg_map(Arena *arena, int32_t key_id, IcebergType key, int32_t value_id,
                        IcebergType value);

static inline bool
iceberg_is_nested(const IcebergType *type)
{
	return type->kind >= ICEBERG_LIST;
}

/* Same kind and parameters; nested types compare their fields with ids and names. */
bool iceberg_type_equal(const IcebergType *a, const IcebergType *b);

/* Same fields and identifier fields, whatever the schema ids. */
bool iceberg_schema_equal(const IcebergSchema *a, const IcebergSchema *b);

/* "decimal(9, 2)", "long", "list<int>": the text of the spec for primitive types. */
const char *iceberg_type_text(Arena *arena, const IcebergType *type);

/* The field with this id at any depth, or NULL. */
const IcebergField *iceberg_find_field(const IcebergSchema *schema, int32_t id);

/* The greatest field id at any depth, 0 for an empty schema. */
int32_t iceberg_greatest_id(const IcebergSchema *schema);

/*
 * One line of JSON: what table metadata, the header key "schema" of manifests
 * and the Parquet footer key "iceberg.schema" hold.
 */
const char *iceberg_schema_json(Arena *arena, const IcebergSchema *schema);

/* Read such JSON.  ERR_FATAL naming the field that is wrong. */
MUST_CHECK bool iceberg_schema_parse(Arena *arena, Slice json, IcebergSchema *schema,
                                     Err *err);

/* The header key "partition-spec" of manifests: the array of fields alone. */
const char *iceberg_spec_fields_json(Arena *arena, const PartitionSpec *spec);

/*
 * The type of a partition value made by transform from a column of type
 * source.  Every transform of the spec is known, so that foreign manifests can
 * be read; false for any other text.
 */
bool iceberg_transform_type(const char *transform, const IcebergType *source,
                            IcebergType *result);

/* Transform "day": days since 1970-01-01 of a timestamp in microseconds since then. */
int32_t iceberg_day(int64_t timestamp_us);

#endif
