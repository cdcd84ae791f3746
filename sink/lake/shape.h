/*
 * shape.h
 *		what a silver table's columns are, and how they follow the source's.
 *
 * Columns are tracked by (relid, attnum) -> field id, kept in the table
 * property "cdc.columns" and written in the same commit as the schema (lake.md 5, 6):
 * a renamed column keeps its field, one dropped and added again is a new field.
 * Leaves of a partitioned table each have their own attnums and share the fields.
 *
 * A Shape is immutable and owns its memory; each relation version that differs
 * makes the next one.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_SHAPE_H
#define LAKE_SHAPE_H

#include "config/config.h"
#include "lake/typemap.h"

/* Columns of ours, behind the source's, in this order. */
enum ShapeExtra
{
	EXTRA_OP,
	EXTRA_LSN,
	EXTRA_COMMIT_TS,
	EXTRA_FLAGS,
	EXTRA_OVERFLOW,
	EXTRA_COUNT,
};

/* How a row that changes is found. */
typedef enum Identity
{
	IDENTITY_KEY,    /* by primary key or replica identity index */
	IDENTITY_ROW,    /* no key, REPLICA IDENTITY FULL: by the whole row */
	IDENTITY_APPEND, /* not at all: rows are appended */
} Identity;

/* Rows written before the column was added hold this. */
typedef struct ShapeMissing
{
	Cell cell;
	Remark remark;
} ShapeMissing;

/* Where the columns of a relation (a table or a leaf) are. */
typedef struct ShapeTrack
{
	uint32_t relid;
	int32_t count;
	const int32_t *attnums;
	const int32_t *field_ids;
} ShapeTrack;

typedef struct Shape
{
	Arena *arena;
	uint32_t relid; /* of the table, or of the root of its partitions */
	Identity identity;
	IcebergSchema schema;        /* source columns, then the extras */
	int32_t source_count;        /* source columns */
	const ShapeMissing *missing; /* of each source column; cells are null */
	const int32_t *key;          /* indexes of the key columns among the fields */
	int32_t key_count;
	const ShapeTrack *tracks;
	int32_t track_count;
} Shape;

/* A column that rows already stored must get a value for. */
typedef struct ShapeFill
{
	int32_t field_id;
	ShapeMissing value;
} ShapeFill;

typedef struct ShapeChange
{
	bool schema_changed;
	bool tracks_changed;   /* only the property */
	bool identity_changed; /* the key index is not valid any more */
	const char *stale;     /* rows already stored differ from the source's; NULL: none */
	int32_t fill_count;
	const ShapeFill *fills; /* in the new shape's arena */
} ShapeChange;

typedef struct ShapeRequest
{
	const Config *config;
	const Relation *relation;
	int32_t last_id;  /* greatest field id the table ever had; 0 for a new table */
	bool is_replaced; /* all rows are about to be replaced: nothing can be stale */
} ShapeRequest;

/*
 * The shape after relation is in force; old is NULL for a new table.  *shape is
 * the caller's; NULL when nothing changed.  ERR_CONFIG for what somebody must decide:
 * an incompatible type, a table recreated, a name that is taken.
 */
MUST_CHECK bool shape_evolve(const ShapeRequest *request, const Shape *old, Shape **shape,
                             ShapeChange *change, Err *err);

/* Read a shape back from the schema and the properties of its table.  ERR_FATAL when
 * damaged. */
MUST_CHECK bool shape_read(const IcebergSchema *schema, const char *columns,
                           Shape **shape, Err *err);

/* The relid in columns, which may be of any text; 0: there is none. */
uint32_t shape_read_relid(const char *columns);

/* The text of property "cdc.columns". */
const char *shape_print(const Shape *shape, uint64_t system_id, Arena *arena);

/* Whether relid is the table of shape, or a leaf of it, whose columns are known. */
bool shape_tracks(const Shape *shape, uint32_t relid);

/* A copy of old that does not track leaf relid. */
Shape *shape_without(const Shape *old, uint32_t relid);

void shape_free(Shape *shape); /* NULL is allowed */

/* How the rows of relation are told apart, and whether column i is part of that. */
Identity relation_identity(const Config *config, const Relation *relation);
bool relation_is_key(const Relation *relation, Identity identity, uint16_t column);

/* Whether values made for type a can stand in a column of type b. */
bool type_holds(const IcebergType *value, const IcebergType *column);

#endif
