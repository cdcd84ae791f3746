/*
 * rowplan.h
 *		from a wire tuple of one relation version to the cells of a silver row.
 *
 * Made once per relation and shape.  Columns that the relation does not have are
 * null, or hold what rows from before the column was added hold.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ROWPLAN_H
#define LAKE_ROWPLAN_H

#include "lake/shape.h"

typedef struct RowPlan RowPlan;

/* Relation and shape must outlive the plan. */
RowPlan *rowplan_new(const Shape *shape, const Relation *relation, const Config *config);
void rowplan_free(RowPlan *plan); /* NULL is allowed */

/* A row in the making: cells of the source columns and what is said about them. */
typedef struct RowDraft
{
	Cell *cells;            /* source_count */
	const Remark **remarks; /* of each source column; NULL: none */
	bool *unchanged;        /* the tuple has no value: an unchanged TOAST column */
	int32_t unchanged_count;
} RowDraft;

/* Room for a row of the shape, in arena. */
RowDraft rowdraft_new(Arena *arena, const Shape *shape);

/*
 * Convert tuple.  Cells point into the tuple and scratch.  ERR_DATA names table and
 * column when a value is malformed or a key cannot be kept.
 */
MUST_CHECK bool rowplan_convert(RowPlan *plan, Slice tuple, Arena *scratch,
                                RowDraft *draft, Err *err);

/*
 * Append the canonical bytes of the tuple's key.  A key column that is unchanged
 * in tuple is taken from old, which may be empty.
 */
MUST_CHECK bool rowplan_key(RowPlan *plan, Slice tuple, Slice old, Arena *scratch,
                            Buf *key, Err *err);

/* Append the bytes that tell whole rows apart. */
void rowdraft_identity(const RowDraft *draft, const Shape *shape, Buf *key);

/* Whether some column of tuple is unchanged. */
MUST_CHECK bool rowplan_has_unchanged(RowPlan *plan, Slice tuple, bool *has, Err *err);

/*
 * A tuple like tuple with unchanged columns taken from base, a tuple of the same
 * relation, where base has them.  Allocated in arena.
 */
MUST_CHECK bool rowplan_merge(RowPlan *plan, Slice tuple, Slice base, Arena *arena,
                              Slice *merged, Err *err);

/* Columns _dq_flags and _overflow from what is said about the others; more is a further
 * flag or NULL. */
void rowdraft_extras(const RowDraft *draft, const Shape *shape, const char *more,
                     Arena *scratch, Cell *flags, Cell *overflow);

/* Turn the stored _dq_flags and _overflow back into the remark about a column. */
const Remark *remark_restore(const char *column, const Cell *flags, const Cell *overflow,
                             Arena *arena);

#endif
