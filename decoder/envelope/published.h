/*
 * published.h
 *		what a publication lets through: tables, columns, rows and operations.
 *
 * cdc_decoder is not pgoutput: the server does not apply a publication for it.  The
 *worker reads one (source/publication.h), hands it to the plugin as one text, and both
 *filter by it.  Tables are known by OID and columns by number: as in the server, a
 *renamed one stays published.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_PUBLISHED_H
#define ENVELOPE_PUBLISHED_H

#include "envelope/relation.h"
#include "envelope/row_filter.h"

typedef struct PublishedTable
{
	uint32_t relid;
	const char *columns; /* attribute numbers with spaces between; NULL: all */
	RowFilter filter;    /* expression NULL: all rows */
} PublishedTable;

typedef struct Published
{
	Alloc alloc;     /* where what is read lives */
	bool given;      /* else everything is published */
	bool everywhere; /* for snapshots too; the plugin's is */
	bool all_tables;
	int withheld;     /* SKIP_ bits: operations that are not published */
	const char *text; /* what it was read from */
	size_t schema_count;
	const char **schemas; /* published with all their tables */
	size_t table_count;
	PublishedTable *tables;
} Published;

/* The plugin's option that has it all. */
#define OPTION_PUBLISHED "published"

/*
 * The text of a publication: a head, then its schemas and tables in any order.  withheld:
 * SKIP_ bits; columns and expression NULL: all.
 */
void published_write_head(Buf *text, bool all_tables, int withheld);
void published_write_schema(Buf *text, const char *schema);
void published_write_table(Buf *text, uint32_t relid, const char *name,
                           const char *columns, const char *expression);

/* Fill published, which was zero but for alloc, from such a text.  False with error set
 * when it is none. */
bool published_read(Published *published, const char *text, EnvError *error);

/* Whether changes of a table are published; of relation only its OID, its root's and
 * their schemas count. */
bool published_has(const Published *published, const Relation *relation);

/* The same for a column of such a table. */
bool published_has_column(const Published *published, const Relation *relation,
                          int16_t attnum);

/* The row filter of such a table, of its root's with via_root; NULL: none. */
const RowFilter *published_filter(const Published *published, const Relation *relation,
                                  bool via_root);

#endif
