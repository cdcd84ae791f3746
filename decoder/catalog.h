/*
 * catalog.h
 *		a table's description from the historic catalog.
 *
 * Read through syscache and systable scans only, under the snapshot that the
 * server decodes with, so right at the change's LSN.  No lock is taken on a user's
 * relation.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef DECODER_CATALOG_H
#define DECODER_CATALOG_H

#include "compat.h"

#include "nodes/bitmapset.h"
#include "utils/relcache.h"

#include "library.h"
#include "text.h"

/* What a column's plan needs beyond its description. */
typedef struct ColumnSource
{
	int at;          /* attnum - 1 */
	Oid *label_oids; /* parallel to the description's labels */
	bool has_missing;
	Datum missing;
} ColumnSource;

typedef struct Description
{
	EnvRelation relation;
	RelationColumn *columns; /* relation.columns */
	ColumnSource *sources;   /* one a column */
} Description;

/*
 * The schema's and the table's name in UTF-8; whether changes of such a thing are
 * events at all (tables that a user made, not matviews or information_schema's).
 */
bool catalog_names(Relation relation, TextConverter *converter, const char **schema,
                   const char **name);

/* The OID of the partition root, whose names are then set in UTF-8; 0: not a partition.
 */
Oid catalog_root(Relation relation, TextConverter *converter, const char **schema,
                 const char **name);

/*
 * Describe relation, without the columns that options exclude unless they are part of
 * the key.  Everything is palloc'd; missing values are left for the caller to write.
 */
Description *catalog_describe(Relation relation, const EnvOptions *options,
                              TextConverter *converter);

/* The attribute numbers of the columns that old tuples carry; not for FULL, where they
 * carry all. */
Bitmapset *catalog_identity(Relation relation);

/* WARNING for each list of columns in options that names none of a wanted table. */
void catalog_warn_unmatched(const EnvOptions *options, TextConverter *converter);

#endif
