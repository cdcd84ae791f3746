/*
 * sources.h
 *		the tables of the lake by the source tables that feed them.
 *
 * A source table has a silver and a bronze table, as outputs says.  It is known by
 * OID (leaves of a partitioned table by their root's): a renamed table keeps its
 * lake tables, a dropped one leaves them as they are.
 *
 * A partition that is detached is a table of its own from the next change on, and one
 * that is attached is its root's.  Rows do not move with it: both silver tables, or
 * the root's, are marked stale until the root is read; then the stale table of a
 * partition is emptied.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_SOURCES_H
#define LAKE_SOURCES_H

#include "lake/bronze.h"
#include "lake/checkpoints.h"
#include "lake/silver.h"

/* Table property: "schema.name" of the source table, of the root for leaves. */
#define SOURCE_PROPERTY "cdc.source"

/* The property's text for relation. */
const char *source_name(Arena *arena, const Relation *relation);

/* What relation's silver table is called when it is made. */
const char *source_silver_name(Arena *arena, const Relation *relation);

typedef struct Source
{
	Silver *silver;     /* NULL: not an output */
	Bronze *bronze;     /* NULL: not an output */
	bool is_touched;    /* by events since the last cut */
	bool is_replaced;   /* or gone on with, by the snapshot under way */
	uint32_t described; /* relation of which no row has come yet; 0: none */
	bool lacks_rows;    /* of the relation just found: its first event says so */
	bool is_not_found;  /* by its name, when it was to be read again */
	bool keeps_parts;   /* of that: nothing is lost to readers by storing it in parts */
	size_t bytes;       /* buffered */
} Source;

typedef struct Sources Sources;

/* Open every table of the namespace.  Key indexes are built: may take long. */
MUST_CHECK bool sources_open(Store *store, Sources **sources, Err *err);
void sources_close(Sources *sources); /* NULL is allowed */

/*
 * The source of an event's relation; made, with its tables, when it is new.  Cheap for
 * a relation seen before.  ERR_CONFIG when another source has the tables' name.
 */
MUST_CHECK bool sources_find(Sources *sources, const Event *event, Source **source,
                             Err *err);

/* "schema.table" of the source of source's silver, as it was heard last. */
const char *source_known_as(const Source *source);

/* The source whose silver is of relid, a table or the root of partitions; NULL: none. */
Source *sources_of(Sources *sources, uint32_t relid);

/* Whether source's silver is of an earlier table called full, "schema.table", whose
 * silver it will be when that is heard of. */
bool source_is_earlier(const Source *source, const char *schema, const char *full);

/* Have source's silver ask to be read again because of table, "schema.table". */
void source_ask(Source *source, const char *table, const char *what);
void source_ask_about(Source *source, const Relation *relation, const char *what);

/* What source is called from now on, "schema.name"; its lake tables keep their names. */
void sources_follow_rename(Source *source, const char *name);

/* Whether a table holds an event of a stream that is read again. */
bool sources_stored(const Table *table, const Event *event);

/* Whether any has changes for the next cut. */
bool sources_touched(const Sources *sources);

size_t sources_count(const Sources *sources);
Source *sources_get(Sources *sources, size_t i);

/* The greatest LSN that a table covers. */
Lsn sources_covered(Sources *sources);

/* Add a row for every table with a snapshot to the cut that checkpoints began. */
void sources_list(Sources *sources, Checkpoints *checkpoints);

/* Whether the last cut has every table as it is now. */
bool sources_listed(Sources *sources, const Checkpoints *checkpoints);

/* For a writer: remove what is left of earlier states of the tables. */
void sources_sweep(Sources *sources);

/*
 * Whether every table still has the snapshot that the newest cut names, or one
 * after it.  ERR_CONFIG when one was rolled back or removed.
 */
MUST_CHECK bool sources_check(Sources *sources, const Checkpoints *checkpoints, Err *err);

#endif
