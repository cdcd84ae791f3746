/*
 * typemap.h
 *		PostgreSQL's types as Iceberg's, and wire values as cells (lake.md 13, 27).
 *
 * A value that the Iceberg type cannot hold becomes null, with the exact text
 * in column _overflow and a flag "<column>:<reason>" in _dq_flags:
 *
 *		infinity		date, timestamp, numeric: plus or minus infinity
 *		nan				numeric (a float's NaN stays NaN)
 *		out_of_range	years outside 1..9999; numeric of too many digits
 *		array_shape		array not one-dimensional from 1
 *		time_24			24:00: stored as 23:59:59.999999
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_TYPEMAP_H
#define LAKE_TYPEMAP_H

#include "envelope/value.h"
#include "lake/cell.h"

/* How one column's values become cells. */
typedef struct TypePlan
{
	const RelationColumn *column;
	IcebergType type; /* nested ids are 0 until assigned */
	int rule;         /* row of the table in typemap.c */
	int element_rule; /* of a list */
} TypePlan;

typedef struct TypeChoice
{
	bool numeric_as_string; /* lake.numeric.default=string */
	bool is_key;            /* only types whose mapping tells every two values apart */
} TypeChoice;

/* The plan of a column; nested types live in arena, column must outlive the plan. */
TypePlan typemap_plan(Arena *arena, const RelationColumn *column, TypeChoice choice);

/* What could not be kept: reason NULL when all was. */
typedef struct Remark
{
	const char *reason;
	Slice exact; /* PostgreSQL's text */
} Remark;

/*
 * Convert a value, which is neither unchanged nor of another type than the
 * plan's.  The cell points into value's bytes or arena.  ERR_DATA when malformed.
 */
MUST_CHECK bool typemap_cell(const TypePlan *plan, Value value, Arena *arena, Cell *cell,
                             Remark *remark, Err *err);

#endif
