/*
 * snapshot_reader.h
 *		which files the snapshots of a table have, read from its manifests.
 *
 * A file that has gone is told apart from one that cannot be read: what is to be removed
 * may be gone already, what is to be kept may not.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_SNAPSHOT_READER_H
#define LAKE_SNAPSHOT_READER_H

#include "lake/store.h"

typedef struct SnapshotReader
{
	Store *store;
	const TableMetadata *metadata;
	Arena *arena; /* of the results */
	Err *err;
} SnapshotReader;

/* The rows of a manifest list; files->items is NULL when it is gone. */
MUST_CHECK bool snapshot_read_list(const SnapshotReader *reader, const char *path,
                                   ManifestFiles *files);

/* The entries of a manifest; *found is false when it is gone. */
MUST_CHECK bool snapshot_read_manifest(const SnapshotReader *reader,
                                       const ManifestFile *file, ManifestEntries *entries,
                                       bool *found);

/* What is needed is gone: ERR_FATAL.  Returns false. */
bool snapshot_file_missing(const SnapshotReader *reader, const char *path);

/*
 * Whether each snapshot is the parent of the next, the last one is current, and nothing
 * but the main branch refers to one.  Then a file that was removed is in no later
 * snapshot again.
 */
bool snapshots_are_line(const TableMetadata *metadata);

#endif
