/*
 * expire.c
 *		the oldest end of a table's history, taken off.
 *
 * History is one line: a file that the oldest kept snapshot does not have was removed
 * before it, and no later one has it again.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/expire.h"

#include <stdlib.h>

#include "lake/iceberg/path_set.h"
#include "lake/snapshot_reader.h"

#define BATCH_FRACTION 10 /* of the snapshots kept: what is expired at a time */

/* ---- Which ---- */

static int
compare_ids(const void *a, const void *b)
{
	int64_t left = *(const int64_t *) a;
	int64_t right = *(const int64_t *) b;

	return (left > right) - (left < right);
}

void
snapshot_ids_init(SnapshotIds *ids, int64_t *items, size_t count)
{
	*ids = (SnapshotIds){ items, count };
	if (count > 0)
		qsort(items, count, sizeof *items, compare_ids);
}

void
snapshot_ids_free(SnapshotIds *ids)
{
	free(ids->items);
	*ids = (SnapshotIds){ 0 };
}

static bool
has_id(const SnapshotIds *ids, int64_t id)
{
	return ids->count > 0 &&
	       bsearch(&id, ids->items, ids->count, sizeof *ids->items, compare_ids) != NULL;
}

int32_t
expire_choose(const TableMetadata *metadata, const CutStamp *stamp, const Config *config,
              Arena *arena, const int64_t **expired)
{
	int32_t batch = (int32_t) (config->lake_snapshots_keep / BATCH_FRACTION);
	int64_t oldest_ms = stamp->timestamp_ms - config->lake_snapshots_age_ms;
	int32_t last = metadata->snapshot_count - 1; /* the current one stays */
	int64_t *ids;
	int32_t count = 0;

	*expired = NULL;
	if (stamp->kept == NULL || !snapshots_are_line(metadata))
		return 0;
	ids = arena_alloc(arena, sizeof *ids * (size_t) metadata->snapshot_count);
	for (; count < last; count++)
	{
		const IcebergSnapshot *snapshot = &metadata->snapshots[count];
		int64_t left = metadata->snapshot_count + 1 - count;

		if ((left <= config->lake_snapshots_keep - batch &&
		     snapshot->timestamp_ms >= oldest_ms) ||
		    has_id(stamp->kept, snapshot->id))
			break;
		ids[count] = snapshot->id;
	}
	if (count == 0 || count < batch)
		return 0;
	*expired = ids;
	return count;
}

const char *
expire_lists(const TableMetadata *metadata, const int64_t *expired, int32_t count,
             Arena *arena)
{
	Buf lists = buf_heap();
	const char *text;

	for (int32_t i = 0; i < count; i++)
	{
		const IcebergSnapshot *snapshot = metadata_snapshot(metadata, expired[i]);

		if (i > 0)
			buf_char(&lists, '\n');
		buf_text(&lists, snapshot->manifest_list);
	}
	text = arena_strndup(arena, lists.data, lists.len);
	buf_free(&lists);
	return text;
}

/* ---- Their files ---- */

typedef struct Cleaner
{
	SnapshotReader reader;
	PathSet manifests; /* of the oldest kept snapshot */
	PathSet files;     /* and its live files */
} Cleaner;

static bool
read_kept_files(Cleaner *cleaner, ManifestFiles manifests)
{
	Arena *arena = cleaner->reader.arena;
	ManifestEntries *entries =
		arena_zero(arena, sizeof *entries * ((size_t) manifests.count + 1));
	int32_t total = 0;
	bool found;

	for (int32_t i = 0; i < manifests.count; i++)
	{
		if (!snapshot_read_manifest(
				&cleaner->reader, &manifests.items[i], &entries[i], &found))
			return false;
		if (!found)
			return snapshot_file_missing(&cleaner->reader, manifests.items[i].path);
		total += entries[i].count;
	}
	cleaner->manifests = path_set_new(arena, manifests.count);
	cleaner->files = path_set_new(arena, total);
	for (int32_t i = 0; i < manifests.count; i++)
	{
		(void) path_set_add(&cleaner->manifests, manifests.items[i].path);
		for (int32_t j = 0; j < entries[i].count; j++)
			if (entries[i].items[j].status != ENTRY_DELETED)
				(void) path_set_add(&cleaner->files, entries[i].items[j].file.path);
	}
	return true;
}

/* What the oldest kept snapshot has, for which all of it must be there. */
static bool
read_kept(Cleaner *cleaner)
{
	const SnapshotReader *reader = &cleaner->reader;
	const char *list = reader->metadata->snapshots[0].manifest_list;
	ManifestFiles manifests;

	if (!snapshot_read_list(reader, list, &manifests))
		return false;
	if (manifests.items == NULL)
		return snapshot_file_missing(reader, list);
	return read_kept_files(cleaner, manifests);
}

static bool
remove_file(Cleaner *cleaner, const char *path)
{
	return storage_remove(cleaner->reader.store->storage, path, cleaner->reader.err);
}

static bool
clean_manifest(Cleaner *cleaner, const ManifestFile *file)
{
	ManifestEntries entries;
	bool found;

	if (path_set_has(&cleaner->manifests, file->path))
		return true;
	if (!snapshot_read_manifest(&cleaner->reader, file, &entries, &found))
		return false;
	for (int32_t i = 0; i < entries.count; i++)
		if (!path_set_has(&cleaner->files, entries.items[i].file.path) &&
		    !remove_file(cleaner, entries.items[i].file.path))
			return false;
	return !found || remove_file(cleaner, file->path);
}

static bool
clean_list(Cleaner *cleaner, const char *path)
{
	ManifestFiles manifests;

	if (!snapshot_read_list(&cleaner->reader, path, &manifests))
		return false;
	for (int32_t i = 0; i < manifests.count; i++)
		if (!clean_manifest(cleaner, &manifests.items[i]))
			return false;
	return manifests.items == NULL || remove_file(cleaner, path);
}

bool
expire_files(Store *store, const TableState *state, const char *lists, Err *err)
{
	Cleaner cleaner = {
		.reader = { .store = store, .metadata = state->metadata, .err = err },
	};
	bool ok = true;

	if (!snapshots_are_line(state->metadata))
		return true;
	cleaner.reader.arena = arena_new();
	ok = read_kept(&cleaner);
	for (const char *path = lists; ok && *path != '\0';)
	{
		size_t len = strcspn(path, "\n");

		ok = clean_list(&cleaner, arena_strndup(cleaner.reader.arena, path, len));
		path += len;
		path += *path == '\n';
	}
	arena_free(cleaner.reader.arena);
	return ok;
}
