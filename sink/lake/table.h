/*
 * table.h
 *		one Iceberg table: its state, what its next commit changes, and where it stands.
 *
 * Changes gather (files added and removed, a schema, properties) until
 * table_commit() makes them one snapshot.  Files added are on disk, unpublished
 * and referred to by nobody until then; table_close() removes those that never were
 * committed.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_TABLE_H
#define LAKE_TABLE_H

#include "lake/store.h"

#define OWN_FILE_PREFIX \
	"cdc-" /* then a commit's uuid: the names of its files (orphans.h) */
#define POSITION_PROPERTY "cdc.position" /* of tables, and of the snapshots we write */

typedef struct Table Table;

struct Table
{
	Store *store;
	Arena *arena; /* name, location */
	TableName name;
	const char *location;
	TableState *state;
	Lsn covered; /* events of transactions at or below it are stored */

	/* The next commit. */
	Arena *pending;
	DataFile *added;
	int32_t added_count;
	int32_t added_room;
	const char **removed;
	int32_t removed_count;
	int32_t removed_room;
	bool removes_all;
	const IcebergSchema *schema; /* NULL: as it is */
	IcebergProperty *properties;
	int32_t property_count;
	int32_t property_room;
	uint8_t uuid[16];     /* of its snapshot; the names of its files have it */
	uint32_t file_number; /* of its last data file */
	int64_t committing;   /* its snapshot's id, while it is under way */
	bool is_expiring;     /* it lets snapshots expire */
	bool is_clean;        /* the files of those that expired have gone */
	bool is_swept;        /* what nobody refers to has gone (orphans.h) */
};

/* Load a table.  *table is NULL when there is none. */
MUST_CHECK bool table_open(Store *store, const char *name, Table **table, Err *err);

typedef struct TableMake
{
	const char *name;
	const IcebergSchema *schema;
	const PartitionSpec *spec; /* NULL: unpartitioned */
	const IcebergProperty *properties;
	int32_t property_count;
} TableMake;

/* Make an empty table. */
MUST_CHECK bool table_make(Store *store, const TableMake *make, Table **table, Err *err);

/* Forget the table; what was not committed is removed from storage.  NULL is allowed. */
void table_close(Table *table);

/* The schema that holds after the next commit. */
const IcebergSchema *table_schema(const Table *table);

/* A property as of the next commit; NULL: none. */
const char *table_property(const Table *table, const char *name);

/* ---- The next commit ---- */

/* A new file: its URI, in the pending arena, and the name to write it under.  directory
 * is NULL or a partition's. */
MUST_CHECK bool table_new_file(Table *table, const char *directory, const char **uri,
                               const char **local, Err *err);

/* The local name of a file of the table, to read it. */
MUST_CHECK bool table_local_path(Table *table, Arena *arena, const char *uri,
                                 const char **local, Err *err);

/* Take a written file in; a deep copy is made. */
void table_add(Table *table, const DataFile *file);

/* Take a file out: a live one, or one added since the last commit, which is then removed
 * from storage. */
void table_remove(Table *table, const char *uri);

/* Take all files out, live ones and those added since the last commit. */
void table_remove_all(Table *table);

/* A schema, deep enough for the caller's arena to go. */
void table_set_schema(Table *table, const IcebergSchema *schema);
void table_set_property(Table *table, const char *name, const char *value);

/* Whether there is anything to commit. */
bool table_is_changed(const Table *table);

/* Commit what gathered, as a snapshot of the cut. */
MUST_CHECK bool table_commit(Table *table, const CutStamp *stamp, Err *err);

/* The same for many tables, which wait for the disk together.  Where it fails some of
 * them may have been committed. */
MUST_CHECK bool tables_commit(Table *const *tables, size_t count, const CutStamp *stamp,
                              Err *err);

/* Remove the files of snapshots that the last commit let expire.  What cannot be removed
 * is left to the next start, with a warning. */
void table_clean(Table *table);

/* The same when a writer opens the table, and metadata files that are not logged any
 * more. */
void table_sweep(Table *table);

/*
 * Make a commit that changes nothing, beside what gathers for the next: whatever another
 * writer had under way can be committed no more.  ERR_CONFLICT when the table has another
 * writer by now.
 */
MUST_CHECK bool table_fence(Table *table, Err *err);

/* A file of the next commit cannot be read: ERR_CONFLICT if one of them has gone, which
 * is a successor's doing.  Returns false. */
bool table_lost(Table *table, Err *err);

/* Commit properties alone: no snapshot. */
MUST_CHECK bool table_commit_properties(Table *table, int64_t timestamp_ms, Err *err);

#endif
