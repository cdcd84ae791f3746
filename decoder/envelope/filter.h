/*
 * filter.h
 *		include and exclude lists of tables and columns.
 *
 * A list is comma-separated regular expressions, each matched anchored and
 * without regard to case against "schema.table" (or "schema", or
 * "schema.table.column"), as Debezium does with Java's.  What Java's syntax and
 * ours read differently is refused, never guessed.  A backslash escapes a comma.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_FILTER_H
#define ENVELOPE_FILTER_H

#include "envelope/buf.h"

/* Room for three identifiers and their dots, of any NAMEDATALEN. */
#define FILTER_NAME_BYTES 2048

struct Regex;

typedef struct FilterList
{
	const char *text; /* as given; "" matches nothing */
	size_t count;
	struct Regex **patterns;
	const char **expressions; /* what the patterns were made of */
} FilterList;

/* Compile text.  False, with error set, when an expression is invalid or unsupported. */
bool filter_compile(FilterList *list, const char *text, const Alloc *alloc,
                    EnvError *error);

/* Whether any expression matches the whole of name. */
bool filter_matches(const FilterList *list, const char *name);

/* The place of the first expression that matches the whole of name; count: none does. */
size_t filter_first(const FilterList *list, const char *name);

void filter_free(FilterList *list);

struct EnvOptions;
struct Relation;

/* The names under which a table's records are known: its own, or its partition root's by
 * publish.via.partition.root. */
typedef struct FilterTable
{
	const char *schema;
	const char *name;
} FilterTable;

FilterTable filter_table(const struct EnvOptions *options,
                         const struct Relation *relation);

/* Debezium's rule: (include empty or matches) and not exclude, schema lists first. */
bool filter_wants_table(const struct EnvOptions *options, const char *schema,
                        const char *table);
bool filter_wants_column(const struct EnvOptions *options, const char *schema,
                         const char *table, const char *column);

#endif
