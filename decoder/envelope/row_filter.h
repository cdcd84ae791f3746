/*
 * row_filter.h
 *		row.filter.SCHEMA.TABLE: the SQL expression that rows of a table must satisfy.
 *
 * Here is only which table has which; the server evaluates: the plugin for changes
 * (decoder/row_filter.h), COPY for snapshots.  A table is named as it is in the catalog,
 * with its case and without quotes.
 *
 * A partition has its own filter, or else that of the partitioned table at the root, by
 * whose name the lake knows its rows.  With publish.via.partition.root it goes by the
 * root's name, and so has the root's alone.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_ROW_FILTER_H
#define ENVELOPE_ROW_FILTER_H

#include "envelope/relation.h"

typedef struct RowFilter
{
	const char *table; /* "public.orders" */
	const char *expression;
} RowFilter;

typedef struct RowFilters
{
	size_t count;
	RowFilter *rules; /* sorted by table */
} RowFilters;

/* Whether name is a property row.filter.SCHEMA.TABLE, or row_filter_SCHEMA.TABLE; *table
 * is then the name of the table in it. */
bool row_filter_is_property(const char *name, const char **table);

/* Set the filter of a property that row_filter_is_property knows, in place of what it had
 * before; an empty expression is none.  False with error set for another name. */
bool row_filter_set(RowFilters *filters, const char *name, const char *expression,
                    const Alloc *alloc, EnvError *error);

/* Append all filters as one text, for each its table and its expression (counted.h);
 * row_filter_read() gives them back. */
void row_filter_write(const RowFilters *filters, Buf *text);
bool row_filter_read(RowFilters *filters, const char *text, const Alloc *alloc,
                     EnvError *error);

/* The filter of that table; NULL: none. */
const RowFilter *row_filter_named(const RowFilters *filters, const char *schema,
                                  const char *table);

struct EnvOptions;

/*
 * The filter that rows of relation must pass, NULL: none.  *name, unless NULL, is then
 * the table's name in it, relation's own or its root's, that columns may be qualified
 * with.
 */
const RowFilter *row_filter_of(const struct EnvOptions *options, const Relation *relation,
                               const char **name);

#endif
