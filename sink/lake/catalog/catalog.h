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

#define STAGED_MAX 2

typedef enum CommitOutcome
{
	COMMIT_OUT,
	COMMIT_UNSURE, /* it may be in, for all that is known: load the table and look */
	COMMIT_IN,
} CommitOutcome;

/* A table's commit, among others that are made together. */
typedef struct CatalogCommit
{
	const TableName *table;
	TableState **state;
	TableCommit commit;
	const char *const *data; /* URIs of the data files it adds, not yet published */
	int32_t data_count;
	CommitOutcome outcome; /* set by catalog_commit() */

	/* The catalog's. */
	Arena *arena;
	TableVersion version;
	const char *staged[STAGED_MAX];
	const char *placed[STAGED_MAX]; /* their names */
	int32_t staged_count;
} CatalogCommit;

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
	 * The metadata that are to replace commit->base, beside their name: what is staged
	 * (at most STAGED_MAX files) is to be published.  Fills in commit->version.
	 * ERR_CONFLICT when base is not current any more.
	 */
	bool (*stage)(Catalog *catalog, CatalogCommit *commit, Err *err);

	/*
	 * Make staged metadata the current ones, if base still is (else ERR_CONFLICT); the
	 * names in commit->placed are to be published.
	 */
	bool (*place)(Catalog *catalog, CatalogCommit *commit, Err *err);

	/* Remove metadata files older than those that the state logs. */
	bool (*sweep)(Catalog *catalog, Arena *arena, const TableName *table,
	              const TableState *state, Err *err);

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
 * Make commits of different tables: write the files of all, make them and the data files
 * durable, then make each commit current, then *state = commit.next with the old state
 * freed, and remove metadata files that are not logged any more.  Where it fails, some
 * may be in (outcome); of each that is not, commit.next is freed and *state is as before.
 */
MUST_CHECK bool catalog_commit(Catalog *catalog, CatalogCommit *commits, int32_t count,
                               Err *err);

/*
 * For a writer that has loaded the table: remove metadata files that are not logged any
 * more and that a crash, or an earlier version of this program, has left.
 */
MUST_CHECK bool catalog_sweep(Catalog *catalog, const TableName *table,
                              const TableState *state, Err *err);

/* ERR_CONFLICT when the table has a later version than the state's. */
MUST_CHECK bool catalog_check_current(Catalog *catalog, const TableName *table,
                                      const TableState *state, Err *err);

/* Where a new table belongs, for building paths of data files before it exists. */
const char *catalog_location(Catalog *catalog, Arena *arena, const TableName *table);

MUST_CHECK bool catalog_list(Catalog *catalog, Arena *arena, const char *space,
                             const char *const **names, int32_t *count, Err *err);

#endif
