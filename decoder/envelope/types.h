/*
 * types.h
 *		which Connect type, semantic name and encoder a column has.
 *
 * types.c holds one table: PostgreSQL type, by OID or name, to the form of its
 * values under the options.  Following Debezium's PostgresValueConverter.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_TYPES_H
#define ENVELOPE_TYPES_H

#include "envelope/encode.h"
#include "envelope/literal.h"
#include "envelope/options.h"

/* What a schema's parameters say. */
typedef enum TypeParameters
{
	PARAMETERS_NONE,
	PARAMETERS_DECIMAL, /* scale, connect.decimal.precision */
	PARAMETERS_SCALE,   /* scale */
	PARAMETERS_ENUM,    /* allowed */
	PARAMETERS_LENGTH,  /* length */
} TypeParameters;

/* How values of a type look in Connect. */
typedef struct TypeForm
{
	const char *type; /* "int32" */
	const char *name; /* semantic type, always version 1; NULL: none */
	ValueEncoder encode;
	const char *zero; /* JSON that stands for a NOT NULL value which is not there */
	TypeParameters parameters;
	const char *fields; /* what a struct's or map's schema says after its type */
	const char *doc;
} TypeForm;

/* What stands for an unchanged TOAST value. */
typedef enum ToastKind
{
	TOAST_NULL,
	TOAST_STRING, /* the placeholder */
	TOAST_BYTES,  /* by binary.handling.mode */
	TOAST_HSTORE, /* {"placeholder":"placeholder"} */
	TOAST_CODES,  /* its bytes as numbers */
	TOAST_UUID,   /* the version 3 UUID of its bytes */
} ToastKind;

/* A column's type, resolved. */
typedef struct ColumnType
{
	TypeForm form; /* of the value, or of an array's elements */
	bool array;
	bool optional_items;
	bool always_optional; /* its schema is, for columns that are NOT NULL too */
	ToastKind toast;      /* of an array: of its one element */
	LiteralReader literal;
	const char *generated; /* what a default that is a function call becomes */
	bool is_time;
	int length; /* of bits; precision of a decimal */
} ColumnType;

/*
 * Resolve a column under options; codec is filled for it.  in_key: the column is part of
 * the key, where nothing may be left out.  False when Debezium omits such
 * columns.
 */
bool column_type_resolve(ColumnType *type, ColumnCodec *codec,
                         const RelationColumn *column, const EnvOptions *options,
                         bool in_key);

#endif
