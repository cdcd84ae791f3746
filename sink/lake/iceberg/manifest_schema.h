/*
 * manifest_schema.h
 *		the fields of manifests and manifest lists, and their Avro schemas.
 *
 * Private to the manifest code.  The tables are the spec's, in the order of
 * Iceberg's Java library; the Avro schema is derived from them, as there.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ICEBERG_MANIFEST_SCHEMA_H
#define LAKE_ICEBERG_MANIFEST_SCHEMA_H

#include "lake/iceberg/manifest.h"

/* Field ids. */
enum
{
	ENTRY_STATUS = 0,
	ENTRY_SNAPSHOT_ID = 1,
	ENTRY_DATA_FILE = 2,
	ENTRY_SEQUENCE_NUMBER = 3,
	ENTRY_FILE_SEQUENCE_NUMBER = 4,

	FILE_PATH = 100,
	FILE_FORMAT = 101,
	FILE_PARTITION = 102,
	FILE_RECORD_COUNT = 103,
	FILE_SIZE = 104,
	FILE_COLUMN_SIZES = 108,
	FILE_VALUE_COUNTS = 109,
	FILE_NULL_VALUE_COUNTS = 110,
	FILE_LOWER_BOUNDS = 125,
	FILE_UPPER_BOUNDS = 128,
	FILE_KEY_METADATA = 131,
	FILE_SPLIT_OFFSETS = 132,
	FILE_CONTENT = 134,
	FILE_EQUALITY_IDS = 135,
	FILE_NAN_VALUE_COUNTS = 137,
	FILE_SORT_ORDER_ID = 140,
	FILE_REFERENCED_DATA_FILE = 143,

	LIST_PATH = 500,
	LIST_LENGTH = 501,
	LIST_SPEC_ID = 502,
	LIST_ADDED_SNAPSHOT_ID = 503,
	LIST_ADDED_FILES = 504,
	LIST_EXISTING_FILES = 505,
	LIST_DELETED_FILES = 506,
	LIST_PARTITIONS = 507,
	LIST_SUMMARY = 508,
	LIST_CONTAINS_NULL = 509,
	LIST_LOWER_BOUND = 510,
	LIST_UPPER_BOUND = 511,
	LIST_ADDED_ROWS = 512,
	LIST_EXISTING_ROWS = 513,
	LIST_DELETED_ROWS = 514,
	LIST_SEQUENCE_NUMBER = 515,
	LIST_MIN_SEQUENCE_NUMBER = 516,
	LIST_CONTENT = 517,
	LIST_CONTAINS_NAN = 518,
	LIST_KEY_METADATA = 519,
};

/* The schema of manifest entries whose partition tuple has these fields. */
IcebergSchema manifest_entry_schema(Arena *arena, const IcebergField *partition,
                                    int32_t partition_count);

/* The schema of manifest list rows. */
IcebergSchema manifest_file_schema(void);

/* The Avro schema, with field ids, of rows of schema; name is the record's. */
const char *manifest_avro_schema(Arena *arena, const char *name,
                                 const IcebergSchema *schema);

/* Bytes of the fixed that holds an Avro decimal. */
int32_t manifest_decimal_bytes(int32_t precision);

/*
 * The partition tuple of a spec as fields: names, ids and types of the values.
 * ERR_FATAL when no schema of metadata has the source column.
 */
MUST_CHECK bool manifest_partition_fields(Arena *arena, const TableMetadata *metadata,
                                          const PartitionSpec *spec,
                                          const IcebergField **fields, Err *err);

#endif
