/*
 * unmatched.h
 *		lists of columns that name none.
 *
 * Most likely a slip; but the table may be still to come, so plugin and worker only warn.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_UNMATCHED_H
#define ENVELOPE_UNMATCHED_H

#include "envelope/options.h"

/* One list that was given. */
typedef struct ColumnList
{
	const char *property; /* Debezium's name of it */
	const FilterList *list;
	bool by_type; /* matched against schema.table.type */
	bool matched;
} ColumnList;

typedef struct ColumnLists
{
	ColumnList *items;
	size_t count;
	size_t unmatched;
} ColumnLists;

/* The lists of options: columns to include and exclude, masks, keys, propagated types. */
ColumnLists column_lists(const EnvOptions *options, const Alloc *alloc);

/* Note that there is a column of that type in a captured table. */
void column_lists_mark(ColumnLists *lists, const char *schema, const char *table,
                       const char *column, const char *type);

#endif
