/*
 * metadata.h
 *		table metadata (format version 2): structs, and JSON both ways.
 *
 * What a table is at one moment: schemas, partition specs, properties and the
 * snapshots that can still be read.  Immutable once built, all of it in one
 * arena.  Members this code does not know are carried along as JSON text, so
 * that a table another engine also writes loses nothing.
 *
 * Iceberg table spec, "Table Metadata", "Snapshots", Appendix C.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ICEBERG_METADATA_H
#define LAKE_ICEBERG_METADATA_H

#include "lake/iceberg/schema.h"

#define NO_SNAPSHOT      (-1) /* no parent, no current snapshot */
#define NO_SCHEMA        (-1) /* a snapshot that does not say its schema */
#define METADATA_LOG_MAX 20   /* unless write.metadata.previous-versions-max says else */

typedef struct IcebergProperty
{
	const char *name;
	const char *value;
} IcebergProperty;

typedef struct IcebergProperties
{
	const IcebergProperty *items;
	int32_t count;
} IcebergProperties;

typedef struct IcebergSnapshot
{
	int64_t id;
	int64_t parent_id; /* or NO_SNAPSHOT */
	int64_t sequence_number;
	int64_t timestamp_ms;
	const char *manifest_list; /* URI */
	IcebergProperties summary; /* "operation" among them */
	int32_t schema_id;         /* or NO_SCHEMA */
} IcebergSnapshot;

typedef struct SnapshotLogEntry
{
	int64_t timestamp_ms;
	int64_t snapshot_id;
} SnapshotLogEntry;

typedef struct MetadataLogEntry
{
	int64_t timestamp_ms;
	const char *file; /* URI */
} MetadataLogEntry;

/* A branch or tag.  json holds the whole object but its snapshot-id. */
typedef struct IcebergRef
{
	const char *name;
	int64_t snapshot_id;
	const char *json;
} IcebergRef;

typedef struct TableMetadata
{
	const char *uuid;
	const char *location; /* URI without a trailing slash */
	int64_t last_sequence_number;
	int64_t last_updated_ms;
	int32_t last_column_id;
	int32_t last_partition_id;
	const IcebergSchema *schemas;
	int32_t schema_count;
	int32_t current_schema_id;
	const PartitionSpec *specs;
	int32_t spec_count;
	int32_t default_spec_id;
	const char *sort_orders; /* JSON array, carried along */
	int32_t default_sort_order_id;
	IcebergProperties properties;
	int64_t current_snapshot_id;      /* or NO_SNAPSHOT */
	const IcebergSnapshot *snapshots; /* as listed: oldest first */
	int32_t snapshot_count;
	const SnapshotLogEntry *snapshot_log;
	int32_t snapshot_log_count;
	const MetadataLogEntry *metadata_log;
	int32_t metadata_log_count;
	const IcebergRef *refs;
	int32_t ref_count;
	IcebergProperties extras; /* other members: name, JSON text */
} TableMetadata;

/*
 * What a new, empty table starts with.  The schema and spec get id 0 whatever
 * they say; last_column_id counts from the schema.
 */
typedef struct NewTable
{
	const char *uuid;
	const char *location;
	int64_t timestamp_ms;
	const IcebergSchema *schema;
	const PartitionSpec *spec; /* NULL: unpartitioned */
	IcebergProperties properties;
} NewTable;

/* The metadata of a new table; strings and arrays stay those of table. */
TableMetadata *metadata_new(Arena *arena, const NewTable *table);

/*
 * Read JSON.  ERR_FATAL says what is wrong with the document; the caller adds
 * the file's name.  ERR_CONFIG when the format version is not 2.
 */
MUST_CHECK bool metadata_read(Arena *arena, Slice json, TableMetadata **metadata,
                              Err *err);

/* One line of JSON with every member the spec requires. */
Slice metadata_write(Arena *arena, const TableMetadata *metadata);

/* Look-ups; NULL when there is none. */
const IcebergSchema *metadata_schema(const TableMetadata *metadata, int32_t schema_id);
const IcebergSchema *metadata_current_schema(const TableMetadata *metadata);
const PartitionSpec *metadata_spec(const TableMetadata *metadata, int32_t spec_id);
const IcebergSnapshot *metadata_snapshot(const TableMetadata *metadata, int64_t id);
const IcebergSnapshot *metadata_current_snapshot(const TableMetadata *metadata);
const char *properties_get(IcebergProperties properties, const char *name);

/*
 * The newest value of a summary key on the ancestry of the current snapshot:
 * other writers may have committed on top of ours.  NULL when no snapshot that
 * is still listed has it.
 */
const char *metadata_ancestry_get(const TableMetadata *metadata, const char *name);

#endif
