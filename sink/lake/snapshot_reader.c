/*
 * snapshot_reader.c
 *		manifest lists and manifests from storage.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/snapshot_reader.h"

#define MAIN_BRANCH "main"

bool
snapshot_read_list(const SnapshotReader *reader, const char *path, ManifestFiles *files)
{
	Slice bytes;

	*files = (ManifestFiles){ 0 };
	if (!storage_get(reader->store->storage, reader->arena, path, &bytes, reader->err))
		return false;
	if (bytes.data == NULL)
		return true;
	if (!manifest_list_read(reader->arena, path, bytes, files, reader->err))
		return false;
	/* that of a table without rows is empty, and there */
	if (files->items == NULL)
		files->items = arena_zero(reader->arena, sizeof *files->items);
	return true;
}

bool
snapshot_read_manifest(const SnapshotReader *reader, const ManifestFile *file,
                       ManifestEntries *entries, bool *found)
{
	Slice bytes;

	*entries = (ManifestEntries){ 0 };
	if (!storage_get(
			reader->store->storage, reader->arena, file->path, &bytes, reader->err))
		return false;
	*found = bytes.data != NULL;
	return !*found ||
	       manifest_read(
			   reader->arena, reader->metadata, file, bytes, entries, reader->err);
}

bool
snapshot_file_missing(const SnapshotReader *reader, const char *path)
{
	return fail(reader->err, ERR_FATAL, "file \"%s\" of the table is missing", path);
}

bool
snapshots_are_line(const TableMetadata *metadata)
{
	const IcebergSnapshot *snapshots = metadata->snapshots;

	if (metadata->snapshot_count == 0 || metadata->ref_count != 1 ||
	    strcmp(metadata->refs[0].name, MAIN_BRANCH) != 0)
		return false;
	for (int32_t i = 1; i < metadata->snapshot_count; i++)
		if (snapshots[i].parent_id != snapshots[i - 1].id)
			return false;
	return snapshots[metadata->snapshot_count - 1].id == metadata->current_snapshot_id;
}
