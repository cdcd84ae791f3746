/*
 * orphans.c
 *		candidates by their names, then what refers to them, then away with the rest.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/orphans.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "lake/iceberg/ids.h"
#include "lake/iceberg/path_set.h"
#include "lake/snapshot_reader.h"

#define TURN_US         INT64_C(100000) /* work, or a table if that takes longer, ... */
#define IDLE_SHARE      9               /* ... and pauses so many times as long */
#define DATA_SUFFIX     ".parquet"
#define MANIFEST_SUFFIX ".avro"
#define METADATA_SUFFIX ".metadata.json"

typedef struct Candidate
{
	const char *path;
	int64_t size;
	bool is_kept; /* something refers to it */
} Candidate;

typedef struct Look
{
	Table *table;
	Arena *arena;
	int64_t newest_ms; /* of files that may go */
	bool has_live;     /* live is filled */
	PathSet live;      /* manifests and files of the current snapshot */
	PathSet seen;      /* manifests read */
	Candidate *items;
	size_t count;
	size_t room;
	const char **metadata; /* files */
	size_t metadata_count;
	size_t metadata_room;
	Err *err;
} Look;

/* ---- Names ---- */

static const char *
base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text);

	return len >= strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

/* A number, then the end of a name. */
static bool
is_number_and(const char *text, const char *end)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && strcmp(text + digits, end) == 0;
}

/* Whether a name is one that we give to a file of a commit, whose uuid it has. */
static bool
is_own(const char *name, uint8_t uuid[16])
{
	bool is_list = strncmp(name, "snap-", 5) == 0;
	const char *rest = is_list ? strstr(name, "-1-") : name;

	if (is_list &&
	    (rest == NULL || strspn(name + 5, "0123456789") + 5 != (size_t) (rest - name)))
		return false;
	rest += is_list ? 3 : 0;
	if (strncmp(rest, OWN_FILE_PREFIX, strlen(OWN_FILE_PREFIX)) != 0 ||
	    !uuid_parse(rest + strlen(OWN_FILE_PREFIX), uuid))
		return false;
	rest += strlen(OWN_FILE_PREFIX) + UUID_TEXT_SIZE - 1;
	if (is_list)
		return strcmp(rest, MANIFEST_SUFFIX) == 0;
	return *rest == '-' && (is_number_and(rest + 1, DATA_SUFFIX) ||
	                        (rest[1] == 'm' && is_number_and(rest + 2, MANIFEST_SUFFIX)));
}

/* ---- Candidates ---- */

static void
fill_live(Look *look)
{
	const TableState *state = look->table->state;

	look->has_live = true;
	look->live = path_set_new(look->arena, state->manifest_count);
	for (int32_t i = 0; i < state->manifest_count; i++)
	{
		const LiveManifest *manifest = state->manifests[i];

		(void) path_set_add(&look->live, manifest->file.path);
		for (int32_t j = 0; j < manifest->live.count; j++)
			(void) path_set_add(&look->live, manifest->live.items[j].file.path);
	}
}

/* Whether the file is needed, for what is known without reading anything. */
static bool
is_known(Look *look, const char *path, const uint8_t uuid[16])
{
	if (memcmp(uuid, look->table->uuid, sizeof look->table->uuid) == 0)
		return true;
	if (!look->has_live)
		fill_live(look);
	return path_set_has(&look->live, path) ||
	       metadata_snapshot(look->table->state->metadata, snapshot_id_from_uuid(uuid)) !=
	           NULL;
}

static void
add_candidate(Look *look, const StoredFile *file)
{
	if (look->count == look->room)
	{
		look->room = look->room == 0 ? 16 : look->room * 2;
		look->items = xrealloc(look->items, sizeof *look->items * look->room);
	}
	look->items[look->count++] = (Candidate){
		.path = arena_strdup(look->arena, file->path),
		.size = file->size,
	};
}

static void
add_metadata(Look *look, const char *path)
{
	if (look->metadata_count == look->metadata_room)
	{
		look->metadata_room = look->metadata_room == 0 ? 32 : look->metadata_room * 2;
		look->metadata =
			xrealloc(look->metadata, sizeof *look->metadata * look->metadata_room);
	}
	look->metadata[look->metadata_count++] = arena_strdup(look->arena, path);
}

static void
consider(Look *look, const StoredFile *file)
{
	uint8_t uuid[16];

	if (ends_with(file->path, METADATA_SUFFIX))
		add_metadata(look, file->path);
	else if (file->modified_ms <= look->newest_ms &&
	         (storage_is_temporary(file->path) ||
	          (is_own(base_name(file->path), uuid) && !is_known(look, file->path, uuid))))
		add_candidate(look, file);
}

/* Directory after directory: memory holds the names of one. */
static bool
gather(Look *look, const char *directory)
{
	Arena *arena = arena_new();
	StoredFiles files;
	bool ok = storage_list(
		look->table->store->storage, arena, directory, false, &files, look->err);

	for (int32_t i = 0; ok && i < files.count; i++)
	{
		const char *path = files.items[i].path;

		if (ends_with(path, "/"))
			ok = gather(look, arena_strndup(arena, path, strlen(path) - 1));
		else
			consider(look, &files.items[i]);
	}
	arena_free(arena);
	return ok;
}

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(((const Candidate *) a)->path, ((const Candidate *) b)->path);
}

static bool
find_candidates(Look *look)
{
	const char *location = look->table->location;

	if (!gather(look, arena_printf(look->arena, "%s/metadata", location)) ||
	    !gather(look, arena_printf(look->arena, "%s/data", location)))
		return false;
	if (look->count > 0)
		qsort(look->items, look->count, sizeof *look->items, compare_paths);
	return true;
}

/* ---- What refers to them ---- */

static void
keep(Look *look, const char *path)
{
	const Candidate wanted = { .path = path };
	Candidate *found =
		bsearch(&wanted, look->items, look->count, sizeof *look->items, compare_paths);

	if (found != NULL)
		found->is_kept = true;
}

static bool
keep_manifest(Look *look, const TableMetadata *metadata, const ManifestFile *file,
              bool must)
{
	SnapshotReader reader = { look->table->store, metadata, NULL, look->err };
	ManifestEntries entries;
	bool found;
	bool ok;

	if (path_set_has(&look->seen, file->path))
		return true;
	(void) path_set_add(&look->seen, arena_strdup(look->arena, file->path));
	keep(look, file->path);
	reader.arena = arena_new();
	ok = snapshot_read_manifest(&reader, file, &entries, &found) &&
	     (found || !must || snapshot_file_missing(&reader, file->path));
	for (int32_t i = 0; ok && i < entries.count; i++)
		if (entries.items[i].status != ENTRY_DELETED)
			keep(look, entries.items[i].file.path);
	arena_free(reader.arena);
	return ok;
}

/* must: its files have to be there. */
static bool
keep_snapshot(Look *look, const TableMetadata *metadata, int32_t number, bool must)
{
	const char *list = metadata->snapshots[number].manifest_list;
	SnapshotReader reader = { look->table->store, metadata, arena_new(), look->err };
	ManifestFiles manifests;
	bool ok;

	keep(look, list);
	ok = snapshot_read_list(&reader, list, &manifests) &&
	     (manifests.items != NULL || !must || snapshot_file_missing(&reader, list));
	for (int32_t i = 0; ok && i < manifests.count; i++)
		ok = keep_manifest(look, metadata, &manifests.items[i], must);
	arena_free(reader.arena);
	return ok;
}

/* Whether what expired snapshots have left is all in the oldest one. */
static bool
is_own_line(const TableMetadata *metadata)
{
	for (int32_t i = 0; i < metadata->snapshot_count; i++)
		if (properties_get(metadata->snapshots[i].summary, POSITION_PROPERTY) == NULL)
			return false;
	return snapshots_are_line(metadata);
}

/* Snapshots that another metadata file has and the current one has not: mostly expired,
 * with their files. */
static bool
keep_other(Look *look, const char *path)
{
	const TableState *state = look->table->state;
	Arena *arena = arena_new();
	TableMetadata *metadata = NULL;
	Slice bytes;
	bool ok = storage_get(look->table->store->storage, arena, path, &bytes, look->err);

	if (ok && bytes.data != NULL)
		ok = metadata_read(arena, bytes, &metadata, look->err) ||
		     fail_while(look->err, "metadata file \"%s\"", path);
	for (int32_t i = 0; ok && metadata != NULL && i < metadata->snapshot_count; i++)
		if (metadata_snapshot(state->metadata, metadata->snapshots[i].id) == NULL)
			ok = keep_snapshot(look, metadata, i, false);
	arena_free(arena);
	return ok;
}

/* How many candidates of a commit, not temporary ones, nothing refers to so far. */
static size_t
count_left(const Look *look)
{
	size_t left = 0;

	for (size_t i = 0; i < look->count; i++)
		left += !look->items[i].is_kept && !storage_is_temporary(look->items[i].path);
	return left;
}

static bool
keep_referenced(Look *look)
{
	const TableMetadata *metadata = look->table->state->metadata;
	int32_t count = is_own_line(metadata) ? 1 : metadata->snapshot_count;

	look->seen = path_set_new(look->arena, 16);
	for (int32_t i = 0; i < count && count_left(look) > 0; i++)
		if (!keep_snapshot(look, metadata, i, true))
			return false;
	for (size_t i = 0; i < look->metadata_count && count_left(look) > 0; i++)
		if (strcmp(look->metadata[i], look->table->state->metadata_location) != 0 &&
		    !keep_other(look, look->metadata[i]))
			return false;
	return true;
}

/* ---- Away ---- */

static bool
remove_rest(Look *look, Orphans *orphans)
{
	for (size_t i = 0; i < look->count; i++)
	{
		const Candidate *item = &look->items[i];

		if (item->is_kept)
			continue;
		if (!storage_remove(look->table->store->storage, item->path, look->err))
			return false;
		log_debug("lake", "removed \"%s\", which no snapshot has", item->path);
		orphans->files++;
		orphans->bytes += (uint64_t) item->size;
	}
	return true;
}

static bool
look_at(Look *look, Orphans *orphans)
{
	return find_candidates(look) && keep_referenced(look) &&
	       (count_left(look) == 0 || table_fence(look->table, look->err)) &&
	       remove_rest(look, orphans);
}

static void
look_at_table(Orphans *orphans, Table *table)
{
	Err err = { 0 };
	int64_t age_ms = table->store->config->lake_orphans_age_ms;
	Look look = {
		.table = table,
		.arena = arena_new(),
		.newest_ms = age_ms == 0 ? INT64_MAX : clock_wall_ns() / 1000000 - age_ms,
		.err = &err,
	};

	if (!look_at(&look, orphans))
		log_warning("lake",
		            "could not remove files of table \"%s\" that no snapshot has: %s",
		            table->name.name,
		            err.text);
	table->is_swept = true;
	free(look.items);
	free(look.metadata);
	arena_free(look.arena);
}

/* ---- All tables ---- */

/* Silver and bronze of each source, then the checkpoints; NULL: there is none. */
static Table *
table_at(size_t number, Sources *sources, Checkpoints *checkpoints)
{
	const Source *source;

	if (number == 2 * sources_count(sources))
		return checkpoints_table(checkpoints);
	source = sources_get(sources, number / 2);
	if (number % 2 == 0)
		return source->silver == NULL ? NULL : silver_table(source->silver);
	return source->bronze == NULL ? NULL : bronze_table(source->bronze);
}

static void
tell(Orphans *orphans)
{
	if (orphans->files > orphans->told)
		log_info("lake",
		         "removed %" PRIu64 " files of %" PRIu64
		         " bytes that no snapshot has, left by a kill or a failure",
		         orphans->files,
		         orphans->bytes);
	orphans->told = orphans->files;
}

void
orphans_look(Orphans *orphans, Sources *sources, Checkpoints *checkpoints)
{
	int64_t started_us = clock_mono_us();
	int64_t spent_us = 0;

	while (orphans->next <= 2 * sources_count(sources) && spent_us < TURN_US)
	{
		Table *table = table_at(orphans->next++, sources, checkpoints);

		if (table == NULL || table->is_swept)
			continue;
		look_at_table(orphans, table);
		spent_us = clock_mono_us() - started_us;
	}
	orphans->is_over = orphans->next > 2 * sources_count(sources);
	orphans->due_us = clock_mono_us() + IDLE_SHARE * spent_us;
	if (!orphans->is_over)
		return;
	if (spent_us > 0)
		log_debug("lake", "looked through the tables for files that no snapshot has");
	tell(orphans);
}

void
orphans_resume(Orphans *orphans)
{
	orphans->next = 0;
	orphans->is_over = false;
}

int64_t
orphans_wait_us(const Orphans *orphans)
{
	int64_t left_us = orphans->due_us - clock_mono_us();

	if (orphans->is_over)
		return -1;
	return left_us > 0 ? left_us : 0;
}
