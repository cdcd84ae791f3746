/*
 * catalog.h
 *		which metadata is a table's current one, and how the next one replaces it.
 *
 * The one place where writers of a table meet: a commit succeeds only on the
 * version it was built on.  After ERR_CONFLICT, and after ERR_RETRY (which
 * leaves open whether the commit is in), load the table again and look for the
 * snapshot id: never guess, remove nothing.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_CATALOG_CATALOG_H
#define LAKE_CATALOG_CATALOG_H

#include "lake/iceberg/commit.h"
#include "lake/storage/storage.h"

typedef struct Catalog Catalog;

typedef struct TableName
{
	const char *space; /* namespace */
	const char *name;
} TableName;

/* What load finds: the current metadata of a table. */
typedef struct TableVersion
{
	bool exists;
	int64_t version;               /* file catalog: N of vN.metadata.json; else 0 */
	const char *location;          /* where the table must be; NULL: where it says */
	const char *metadata_location; /* URI */
	Slice metadata;                /* JSON */
} TableVersion;

typedef struct CatalogOps
{
	const char *name; /* "file" */

	/* The current version.  Absent tables are no error. */
	bool (*load)(Catalog *catalog, Arena *arena, const TableName *table,
	             TableVersion *version, Err *err);

	/* Make a table.  ERR_CONFLICT when it exists. */
	bool (*create)(Catalog *catalog, Arena *arena, const TableName *table, Slice metadata,
	               TableVersion *version, Err *err);

	/*
	 * Replace commit->base by commit, whose files are written.  Fills in version.
	 * ERR_CONFLICT when base is not current any more.
	 */
	bool (*commit)(Catalog *catalog, Arena *arena, const TableName *table,
	               const TableCommit *commit, TableVersion *version, Err *err);

	/* Where a new table of this name belongs: URI without a trailing slash. */
	const char *(*location)(Catalog *catalog, Arena *arena, const TableName *table);

	/* The tables of a namespace. */
	bool (*list)(Catalog *catalog, Arena *arena, const char *space,
	             const char *const **names, int32_t *count, Err *err);

	void (*free)(Catalog *catalog);
} CatalogOps;

/* Implementations embed this as their first member. */
struct Catalog
{
	const CatalogOps *ops;
	Storage *storage; /* the caller's; not freed with the catalog */
};

/*
 * Tables as directories: <warehouse>/<space>/<name>/metadata/vN.metadata.json,
 * made by put_if_absent, with version-hint.text as a guess of N that readers
 * probe forward from.  Iceberg's HadoopCatalog reads and writes the same.
 * warehouse is an absolute URI without a trailing slash.
 */
Catalog *catalog_file_new(Storage *storage, const char *warehouse);

void catalog_free(Catalog *catalog); /* NULL is allowed */

/*
 * Load a table with its manifest list and manifests.  *state is NULL when there
 * is no such table; the caller frees it.  ERR_CONFIG names the file that is
 * missing or damaged.
 */
MUST_CHECK bool catalog_load(Catalog *catalog, const TableName *table, TableState **state,
                             Err *err);

/*
 * The same as the table was at one of its snapshots: that and its schema are the
 * current ones of *state; properties are today's.  For reading only.  ERR_DATA
 * when the table does not have the snapshot any more.
 */
MUST_CHECK bool catalog_load_at(Catalog *catalog, const TableName *table,
                                int64_t snapshot_id, TableState **state, Err *err);

/*
 * Create an empty table.  table->location may be NULL: the catalog's choice.
 * *state is the caller's to free.
 */
MUST_CHECK bool catalog_create(Catalog *catalog, const TableName *name,
                               const NewTable *table, TableState **state, Err *err);

/*
 * Write commit->files, then make the commit current, then *state = commit->next
 * with the old state freed.  On failure commit->next is freed and *state is as
 * before.
 */
MUST_CHECK bool catalog_commit(Catalog *catalog, const TableName *table,
                               TableState **state, TableCommit *commit, Err *err);

/* Where a new table belongs, for building paths of data files before it exists. */
const char *catalog_location(Catalog *catalog, Arena *arena, const TableName *table);

MUST_CHECK bool catalog_list(Catalog *catalog, Arena *arena, const char *space,
                             const char *const **names, int32_t *count, Err *err);

#endif
