/*
 * relation.h
 *		what a table looked like at an LSN, as the wire's R message says it.
 *
 * A Relation is immutable.  It is made from an R message (frames), or by the
 * worker from catalog queries for snapshots, which writes an R message of the
 * same bytes and reads it back: one reader, one description, one version hash.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_RELATION_H
#define ENVELOPE_RELATION_H

#include "envelope/wire.h"

typedef struct RelationColumn
{
	const char *name; /* UTF-8, terminated, as all text here */
	uint16_t index;   /* of this column in the tuple */
	int16_t attnum;
	uint32_t type_oid; /* as declared; a domain keeps its own OID here */
	int32_t typmod;
	uint32_t base_oid; /* through domains, to the end */
	int32_t base_typmod;
	char type_kind;        /* of the base type: b e c r m p */
	const char *type_name; /* of the base type: "int4", "_text", "hstore" */
	const char *type_schema;
	const char *type_text; /* format_type of the declared type: "numeric(10,2)" */
	uint32_t element_oid;  /* base type of the array's element; 0: not an array */
	char element_kind;
	const char *element_name;
	bool in_identity; /* part of the replica identity */
	bool not_null;
	bool is_identity_column; /* GENERATED ... AS IDENTITY */
	bool is_generated; /* only in snapshots for Kafka; in the lake it is no column */
	bool by_driver;    /* in a snapshot: described as by JDBC; not in the R message */
	const char *default_text; /* pg_get_expr, or NULL */
	char missing_kind;        /* 0: none; 't' or 'b' */
	Slice missing; /* attmissingval's element: what rows written before ADD COLUMN hold */
	uint16_t label_count;
	const char *const *labels; /* enum or array of enum, in sort order */
} RelationColumn;

typedef struct Relation
{
	uint32_t relid;
	const char *schema;
	const char *name;
	char replica_identity; /* d f i n */
	char relkind;          /* r p */
	uint32_t root_relid;   /* partition root; 0: not a partition */
	const char *root_schema;
	const char *root_name;
	char key_source; /* p primary key, u unique index, 0 none */
	uint16_t key_count;
	const uint16_t *key; /* indexes into columns, in key order */
	uint16_t column_count;
	RelationColumn *columns;
	uint64_t version; /* FNV-1a 64 of the whole R body: equal bytes, equal version */
} Relation;

/* Read the body of an R message; everything is copied, through alloc.  NULL with error
 * set when malformed. */
Relation *relation_read(Slice body, const Alloc *alloc, EnvError *error);

/* Write r as the body of an R message.  relation_read(relation_write(r)) equals r,
 * version too. */
void relation_write(Buf *body, const Relation *relation);

uint64_t relation_hash(Slice body);

/* The OID of the table that relation is, or whose partition it is at whatever depth. */
uint32_t relation_root(const Relation *relation);

#endif
