/*
 * state.c
 *		the state of a table: metadata, manifests and their live entries.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/iceberg/state.h"

#include <stdlib.h>

bool
table_state_new(Slice metadata, const char *metadata_location, int64_t version,
                TableState **state, Err *err)
{
	Arena *arena = arena_new();
	TableMetadata *parsed;

	*state = NULL;
	if (!metadata_read(arena, metadata, &parsed, err))
	{
		arena_free(arena);
		return false;
	}
	*state = arena_zero(arena, sizeof **state);
	**state = (TableState){
		.metadata = parsed,
		.metadata_location =
			metadata_location ? arena_strdup(arena, metadata_location) : NULL,
		.version = version,
		.arena = arena,
	};
	return true;
}

LiveManifest *
live_manifest_new(const ManifestFile *file, ManifestEntries entries,
                  int64_t commit_sequence)
{
	Arena *arena = arena_new();
	LiveManifest *manifest = arena_zero(arena, sizeof *manifest);
	ManifestEntry *live = arena_alloc(arena, ((size_t) entries.count + 1) * sizeof *live);
	int32_t count = 0;

	for (int32_t i = 0; i < entries.count; i++)
	{
		const ManifestEntry *from = &entries.items[i];
		ManifestEntry *to = &live[count];

		if (from->status == ENTRY_DELETED)
			continue;
		*to = *from;
		if (to->sequence_number == SEQUENCE_INHERITED)
			to->sequence_number = commit_sequence;
		if (to->file_sequence_number == SEQUENCE_INHERITED)
			to->file_sequence_number = commit_sequence;
		data_file_copy(arena, &from->file, &to->file);
		count++;
	}
	manifest_file_copy(arena, file, &manifest->file);
	manifest->live = (ManifestEntries){ live, count };
	manifest->arena = arena;
	manifest->references = 1;
	return manifest;
}

void
live_manifest_release(LiveManifest *manifest)
{
	if (--manifest->references == 0)
		arena_free(manifest->arena);
}

void
table_state_attach(TableState *state, LiveManifest *manifest)
{
	LiveManifest **manifests = (LiveManifest **) state->manifests;
	int32_t count = state->manifest_count;

	/* The array doubles at powers of two. */
	if ((count & (count - 1)) == 0)
	{
		manifests =
			arena_alloc(state->arena, (size_t) (2 * count + 1) * sizeof *manifests);
		if (count > 0)
			memcpy(manifests, state->manifests, (size_t) count * sizeof *manifests);
	}
	manifests[count] = manifest;
	state->manifests = manifests;
	state->manifest_count = count + 1;
}

bool
table_state_add(TableState *state, const ManifestFile *file, Slice bytes, Err *err)
{
	Arena *arena = arena_new();
	ManifestEntries entries;
	bool ok = manifest_read(arena, state->metadata, file, bytes, &entries, err);

	if (ok)
		table_state_attach(state,
		                   live_manifest_new(file, entries, file->sequence_number));
	arena_free(arena);
	return ok;
}

bool
table_state_check(const TableState *state, Err *err)
{
	const IcebergSnapshot *snapshot = metadata_current_snapshot(state->metadata);
	TableTotals totals = table_state_totals(state);
	const char *engine;
	const char *files;

	if (!snapshot)
		return true;
	engine = properties_get(snapshot->summary, "engine-name");
	files = properties_get(snapshot->summary, "total-data-files");
	if (!engine || strcmp(engine, ENGINE_NAME) != 0 || !files)
		return true;
	if (strtoll(files, NULL, 10) == totals.files[FILE_DATA])
		return true;
	return fail(err,
	            ERR_FATAL,
	            "snapshot %lld has %s data files, its manifests have %lld",
	            (long long) snapshot->id,
	            files,
	            (long long) totals.files[FILE_DATA]);
}

void
table_state_free(TableState *state)
{
	if (!state)
		return;
	for (int32_t i = 0; i < state->manifest_count; i++)
		live_manifest_release(state->manifests[i]);
	arena_free(state->arena);
}

void
table_state_set_location(TableState *state, const char *metadata_location,
                         int64_t version)
{
	state->metadata_location = arena_strdup(state->arena, metadata_location);
	state->version = version;
}

const ManifestEntry *
table_state_find(const TableState *state, const char *path)
{
	for (int32_t i = 0; i < state->manifest_count; i++)
	{
		ManifestEntries live = state->manifests[i]->live;

		for (int32_t k = 0; k < live.count; k++)
			if (strcmp(live.items[k].file.path, path) == 0)
				return &live.items[k];
	}
	return NULL;
}

TableTotals
table_state_totals(const TableState *state)
{
	TableTotals totals = { 0 };

	for (int32_t i = 0; i < state->manifest_count; i++)
	{
		ManifestEntries live = state->manifests[i]->live;

		for (int32_t k = 0; k < live.count; k++)
		{
			const DataFile *file = &live.items[k].file;

			totals.files[file->content]++;
			totals.rows[file->content] += file->record_count;
			totals.bytes += file->size_bytes;
		}
	}
	return totals;
}
