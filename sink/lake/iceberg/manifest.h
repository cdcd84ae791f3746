/*
 * manifest.h
 *		data files, manifests and manifest lists: structs, and Avro both ways.
 *
 * A manifest list (one per snapshot) names manifests; a manifest names data
 * files or delete files, never both, all of one partition spec.
 *
 *		snapshot -> manifest list -> manifest (data)    -> data files
 *		                          -> manifest (deletes) -> position delete files
 *
 * Writers produce what Iceberg's Java library writes: the same header keys, the
 * same Avro schemas with field ids, deflate.  The readers resolve the writer's
 * schema by field id, so that files of any writer can be read; every length is
 * checked and a damaged file is an error, never a crash or a shorter list.
 *
 * Iceberg table spec, "Manifests", "Manifest Lists", Appendix A; Avro 1.12,
 * "Object Container Files".
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ICEBERG_MANIFEST_H
#define LAKE_ICEBERG_MANIFEST_H

#include "lake/iceberg/metadata.h"

#define NO_SORT_ORDER      (-1) /* sort_order_id is null */
#define SEQUENCE_INHERITED (-1) /* a null sequence number: that of the commit */

/* Field ids of the two columns of a position delete file. */
#define DELETE_FILE_PATH_ID 2147483546
#define DELETE_POS_ID       2147483545

typedef enum FileContent
{
	FILE_DATA = 0,
	FILE_POSITION_DELETES = 1,
	FILE_EQUALITY_DELETES = 2, /* read, never written by us */
} FileContent;

typedef enum ManifestContent
{
	MANIFEST_DATA = 0,
	MANIFEST_DELETES = 1,
} ManifestContent;

typedef enum EntryStatus
{
	ENTRY_EXISTING = 0,
	ENTRY_ADDED = 1,
	ENTRY_DELETED = 2,
} EntryStatus;

/* One number or bound per column; an empty list is written as null, but for column_sizes.
 */
typedef struct IdCount
{
	int32_t id;
	int64_t count;
} IdCount;

typedef struct IdCounts
{
	const IdCount *items;
	int32_t count;
} IdCounts;

typedef struct IdBound
{
	int32_t id;
	Slice bytes; /* see bounds.h */
} IdBound;

typedef struct IdBounds
{
	const IdBound *items;
	int32_t count;
} IdBounds;

/* A value of the partition tuple, as bounds.h writes the transform's result type. */
typedef struct PartitionValue
{
	bool is_null;
	Slice bytes;
} PartitionValue;

/*
 * A data or delete file.  To write one: path, counts and size, and for a
 * position delete file that covers one data file, referenced_data_file; then
 * DATA_FILE_INIT for the rest, so that what is not known is null.
 */
typedef struct DataFile
{
	FileContent content;
	const char *path;   /* URI, spelled exactly as in position deletes */
	const char *format; /* "PARQUET" */
	int32_t spec_id;    /* whose fields partition follows */
	const PartitionValue *partition;
	int32_t partition_count;
	int64_t record_count;
	int64_t size_bytes; /* of the whole file, exact */
	IdCounts column_sizes;
	IdCounts value_counts; /* with nulls and NaN */
	IdCounts null_value_counts;
	IdCounts nan_value_counts;
	IdBounds lower_bounds;
	IdBounds upper_bounds;
	Slice key_metadata; /* data NULL: null */
	const int64_t *split_offsets;
	int32_t split_offset_count; /* 0: null */
	const int32_t *equality_ids;
	int32_t equality_id_count; /* 0: null */
	int32_t sort_order_id;     /* or NO_SORT_ORDER; must be that for position deletes */
	const char *referenced_data_file; /* or NULL */
} DataFile;

#define DATA_FILE_INIT .format = "PARQUET", .sort_order_id = NO_SORT_ORDER

/*
 * A row of a manifest.  Sequence numbers: null (SEQUENCE_INHERITED) is allowed
 * for ENTRY_ADDED only; manifest_read replaces it by the manifest's.
 */
typedef struct ManifestEntry
{
	EntryStatus status;
	int64_t snapshot_id;     /* that added or, for ENTRY_DELETED, removed the file */
	int64_t sequence_number; /* data sequence number: what deletes apply to */
	int64_t file_sequence_number;
	DataFile file;
} ManifestEntry;

typedef struct PartitionSummary
{
	bool contains_null;
	bool contains_nan;
	bool nan_is_known; /* false: contains_nan is null */
	bool has_bounds;   /* false: every value is null */
	Slice lower;
	Slice upper;
} PartitionSummary;

/* A row of a manifest list. */
typedef struct ManifestFile
{
	const char *path; /* URI */
	int64_t length;   /* bytes */
	int32_t spec_id;
	ManifestContent content;
	int64_t sequence_number;
	int64_t min_sequence_number; /* least data sequence number of its live entries */
	int64_t added_snapshot_id;
	int32_t added_files;
	int32_t existing_files;
	int32_t deleted_files;
	int64_t added_rows;
	int64_t existing_rows;
	int64_t deleted_rows;
	const PartitionSummary *partitions;
	int32_t partition_count;
	Slice key_metadata; /* data NULL: null */
} ManifestFile;

/* What a manifest's header says. */
typedef struct ManifestHeader
{
	const TableMetadata *metadata; /* its current schema is written */
	const PartitionSpec *spec;     /* of every entry */
	ManifestContent content;
} ManifestHeader;

/* What a manifest list's header says. */
typedef struct ManifestListHeader
{
	int64_t snapshot_id;
	int64_t parent_id; /* or NO_SNAPSHOT */
	int64_t sequence_number;
} ManifestListHeader;

typedef struct ManifestEntries
{
	const ManifestEntry *items;
	int32_t count;
} ManifestEntries;

typedef struct ManifestFiles
{
	const ManifestFile *items;
	int32_t count;
} ManifestFiles;

/*
 * The bytes of a manifest.  ERR_FATAL when an entry breaks a rule above
 * (content, partition tuple, sequence numbers): a mistake of the caller.
 */
MUST_CHECK bool manifest_write(Arena *arena, const ManifestHeader *header,
                               ManifestEntries entries, Slice *bytes, Err *err);

/*
 * Counts, rows, least sequence number and partition summaries of entries as a
 * row of a list.  path, length, sequence_number and added_snapshot_id are the
 * caller's to fill in; inherited sequence numbers count as commit_sequence.
 */
MUST_CHECK bool manifest_summarize(Arena *arena, const ManifestHeader *header,
                                   ManifestEntries entries, int64_t commit_sequence,
                                   ManifestFile *file, Err *err);

/*
 * The entries of a manifest, all statuses, with sequence numbers and snapshot
 * ids inherited from file.  metadata supplies the spec and the schema that type
 * the partition tuple.  ERR_FATAL says what is damaged and in which file.
 */
MUST_CHECK bool manifest_read(Arena *arena, const TableMetadata *metadata,
                              const ManifestFile *file, Slice bytes,
                              ManifestEntries *entries, Err *err);

Slice manifest_list_write(Arena *arena, const ManifestListHeader *header,
                          ManifestFiles files);
MUST_CHECK bool manifest_list_read(Arena *arena, const char *path, Slice bytes,
                                   ManifestFiles *files, Err *err);

/* Deep copies whose lifetime is arena's. */
void data_file_copy(Arena *arena, const DataFile *from, DataFile *to);
void manifest_file_copy(Arena *arena, const ManifestFile *from, ManifestFile *to);

#endif
