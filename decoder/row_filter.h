/*
 * row_filter.h
 *		whether a change's rows pass their table's row filter.
 *
 * The rules are those of publications' row filters (pgoutput): built-in, immutable
 * expressions over the table's columns; for updates and deletes, over those that old
 * tuples carry.  A filter is prepared for a version of its table and evaluated without
 * touching a catalog.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef DECODER_ROW_FILTER_H
#define DECODER_ROW_FILTER_H

#include "compat.h"

#include "nodes/primnodes.h"
#include "utils/relcache.h"

#include "library.h"
#include "options.h"
#include "text.h"

struct Change;

/* A filter as it is written, in the database's encoding, and for which table. */
typedef struct FilterText
{
	Relation relation; /* only while it is open */
	const char *table; /* "public.orders" */
	const char *expression;
	const char *name; /* that columns may be qualified with */
} FilterText;

/* The text of rule for relation, in the current context; name is row_filter_of's. */
FilterText row_filter_text(Relation relation, const RowFilter *rule, const char *name);

/*
 * The expression of a filter, of type boolean, over columns of relation as variables of
 * relation 1; in the current context.  ERROR, with table, option and what to do, when it
 * is none, or breaks the rules.  Call with the settings pinned.
 */
Expr *row_filter_parse(const FilterText *text);

/* The name of a column that expression reads and that old tuples of relation do not
 * carry, so that neither updates nor deletes can be judged; NULL: none. */
const char *row_filter_unidentified(const FilterText *text, Expr *expression);

/* ERROR for such a column. */
pg_noreturn void row_filter_fail_column(const FilterText *text, const char *column);

/* A filter, ready to be evaluated. */
typedef struct PreparedFilter PreparedFilter;

/* The filter of a table in context, with which it goes; NULL: none.  ERROR as
 * row_filter_parse. */
PreparedFilter *row_filter_prepare(Relation relation, const EnvRelation *described,
                                   const EnvOptions *options, MemoryContext context);

/*
 * Whether the change is to be sent.  An update that takes a row into the filter becomes
 * an insert, with the values of its old tuple where the new one has none; one that takes
 * a row out of it becomes a delete.  ERROR for an update or delete that cannot be judged.
 */
bool row_filter_apply(PreparedFilter *filter, struct Change *change);

/*
 * Look at every filter with the catalog as it is now: ERROR for one that is wrong for a
 * table that is captured, or cannot judge its updates and deletes; with warn WARNING for
 * one that names no captured table.  Makes itself a transaction when there is none.
 */
void row_filter_check_all(const EnvOptions *options, TextConverter *converter, bool warn);

#endif
