/*
 * commit.h
 *		the state of a table, and the next one.
 *
 * A TableState is a table at one snapshot, with every live file in memory, so
 * that a commit reads nothing.  It is immutable: table_commit_build() makes the
 * bytes to write and the state that holds once they are in.  Manifests that a
 * commit does not touch are shared between states (counted references, one
 * thread).
 *
 *		catalog_load --> state --table_commit_build--> commit {files, metadata, next}
 *		                   ^                              |
 *		                   +---- table_state_free(state); state = commit.next
 *
 * No I/O here.  Order for the caller: write commit.files, then the metadata
 * through the catalog.  Until the catalog has it nothing is visible, and what
 * was written is garbage nobody refers to.
 *
 * Rules kept by the builder:
 * (1) New entries go to the last manifest of their kind (data, deletes) and
 *     spec, rewritten with the older entries EXISTING, until it would exceed
 *     MANIFEST_TARGET_BYTES; then a new one is begun.
 * (2) Manifests with removed files are rewritten with those DELETED; entries
 *     that were DELETED before are dropped whenever a manifest is rewritten.
 *     Manifests left without any live entry are listed once, in the snapshot
 *     that emptied them.
 * (3) ADDED entries inherit their sequence numbers, unless the change gives one;
 *     others have them explicit.
 * (4) A path is live at most once.
 * (5) timestamp-ms of a snapshot is greater than of any earlier one.
 *
 * Iceberg table spec, "Snapshots", "Sequence Numbers", "Optional Snapshot
 * Summary Fields" (Appendix F).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ICEBERG_COMMIT_H
#define LAKE_ICEBERG_COMMIT_H

#include "lake/iceberg/manifest.h"

#define MANIFEST_TARGET_BYTES (8 << 20)

/* engine-name of our snapshots; engine-version is CDC_VERSION, from the build. */
#define ENGINE_NAME "cdc-sink"

/* A manifest with its live entries (ADDED and EXISTING; sequence numbers explicit). */
typedef struct LiveManifest
{
	ManifestFile file;
	ManifestEntries live;
	Arena *arena;       /* holds this struct and all it points to */
	int32_t references; /* by states */
} LiveManifest;

typedef struct TableState
{
	const TableMetadata *metadata;
	LiveManifest *const *manifests; /* in manifest list order; none without a snapshot */
	int32_t manifest_count;
	const char *metadata_location; /* URI of the metadata file; set by the catalog */
	int64_t version;               /* file catalog: N of vN.metadata.json */
	Arena *arena;                  /* holds this struct, the metadata and the array */
} TableState;

/*
 * The state that metadata JSON describes, its manifests still to be added.
 * Errors are those of metadata_read.
 */
MUST_CHECK bool table_state_new(Slice metadata, const char *metadata_location,
                                int64_t version, TableState **state, Err *err);

/* Add a manifest in list order: bytes are those of file.path.  For loading only. */
MUST_CHECK bool table_state_add(TableState *state, const ManifestFile *file, Slice bytes,
                                Err *err);

/*
 * After the last manifest: ERR_FATAL when a snapshot of ours counts other files
 * than were added, as when its manifest list lost its end.
 */
MUST_CHECK bool table_state_check(const TableState *state, Err *err);

/* Say where the metadata of a committed state is.  For catalogs. */
void table_state_set_location(TableState *state, const char *metadata_location,
                              int64_t version);

void table_state_free(TableState *state); /* NULL is allowed */

/* The live entry of a path, or NULL; walks all entries. */
const ManifestEntry *table_state_find(const TableState *state, const char *path);

/* Live files and rows by content (rows of delete files are positions). */
typedef struct TableTotals
{
	int64_t files[3]; /* by FileContent */
	int64_t rows[3];
	int64_t bytes;
} TableTotals;

TableTotals table_state_totals(const TableState *state);

/*
 * What a commit changes.  Zero-initialise, then set what applies.  Nothing here
 * is kept: all of it is copied.
 */
typedef struct TableChange
{
	int64_t timestamp_ms; /* greater than of any earlier snapshot */

	/* A new snapshot.  Without it no files and no summary may be given. */
	bool has_snapshot;
	int64_t snapshot_id;   /* snapshot_id_from_uuid(); ERR_CONFLICT if taken */
	const char *uuid;      /* text; makes the names of manifests unique */
	const DataFile *added; /* data and delete files in any order */
	int32_t added_count;
	const char *const *removed; /* paths of live data and delete files */
	int32_t removed_count;
	bool removes_all; /* TRUNCATE: every file live before; removed is ignored */
	bool is_replace;  /* the rows stay the same: operation "replace" */
	int64_t data_sequence_number; /* of added data files; 0: that of this commit.  For a
	                               * replace that leaves delete files in force. */
	IcebergProperties summary;    /* extras: "cdc.commit_lsn", ... */

	/* With or without a snapshot. */
	const IcebergSchema *schema;  /* becomes current; its id is assigned */
	const PartitionSpec *spec;    /* becomes the default; its id is assigned */
	IcebergProperties properties; /* set */
	const char *const *unset;     /* names of properties to remove */
	int32_t unset_count;
	const int64_t *expired; /* snapshots to drop; never the current one or a ref's */
	int32_t expired_count;
} TableChange;

typedef struct CommitFile
{
	const char *path; /* URI */
	Slice bytes;
} CommitFile;

typedef struct TableCommit
{
	const TableState *base; /* what it was built on */
	const CommitFile
		*files; /* manifests, then the manifest list: new names, write all first */
	int32_t file_count;
	Slice metadata;   /* JSON of next->metadata */
	TableState *next; /* the caller frees it, or keeps it in place of the old one;
	                   * its metadata_location and version are the catalog's to set */
	const char *const
		*dropped_metadata; /* files that fell out of metadata-log: may be removed */
	int32_t dropped_metadata_count;
} TableCommit;

/*
 * Work out a commit on state.  Apart from commit->next all results are arena's.
 * The summary gets every counter Java writes (added-*, deleted-*, removed-*,
 * total-*), engine-name, engine-version and the extras.
 *
 * ERR_FATAL: a removed path is not live, an added one is, or the change breaks
 * another rule above; nothing is half done then.
 */
MUST_CHECK bool table_commit_build(Arena *arena, const TableState *state,
                                   const TableChange *change, TableCommit *commit,
                                   Err *err);

#endif
