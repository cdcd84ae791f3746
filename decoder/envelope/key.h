/*
 * key.h
 *		message.key.columns: which columns make the keys of records.
 *
 * table:column,column;table:column ..., where table.column is a regular expression that
 * is matched as in filter.h.  A key has its columns in the order they are listed.  Tables
 * that no column is named of keep the key of the catalog.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_KEY_H
#define ENVELOPE_KEY_H

#include "envelope/filter.h"
#include "envelope/relation.h"

typedef struct KeyRules
{
	const char *text; /* as given */
	size_t count;
	FilterList *columns; /* one a listed column, in order */
} KeyRules;

/* Parse text.  False, with error set, when it is malformed or an expression is bad. */
bool key_compile(KeyRules *rules, const char *text, const Alloc *alloc, EnvError *error);
void key_free(KeyRules *rules);

/* Whether some rule names the column. */
bool key_names(const KeyRules *rules, const char *schema, const char *table,
               const char *column);

struct EnvOptions;

/*
 * The columns of the keys of relation's records, as indexes into its columns; room for
 * column_count of them.  Returns their number.
 */
uint16_t key_columns(const struct EnvOptions *options, const Relation *relation,
                     uint16_t *columns);

#endif
