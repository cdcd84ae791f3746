/*
 * file.c
 *		tables as directories, versions as numbered metadata files.
 *
 *		<warehouse>/<space>/<name>/metadata/v1.metadata.json
 *		                                    v2.metadata.json
 *		                                    version-hint.text     "2", perhaps behind
 *		                           data/...
 *
 * The current version is the greatest N that exists.  The hint only says where
 * to look first: readers go on from it, and list the directory when it is
 * missing or names a file that is gone.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "lake/catalog/catalog.h"
#include "lake/storage/damage.h"

#define HINT_NAME       "version-hint.text"
#define METADATA_SUFFIX ".metadata.json"
#define VERSION_MAX     INT64_C(1000000000000)

/* What a commit stages. */
enum Staged
{
	STAGED_METADATA,
	STAGED_HINT,
	STAGED_COUNT,
};

_Static_assert(STAGED_COUNT <= STAGED_MAX, "more files than a commit may stage");

typedef struct FileCatalog
{
	Catalog base;
	const char *warehouse;
	Arena *arena;
} FileCatalog;

static const char *
file_location(Catalog *catalog, Arena *arena, const TableName *table)
{
	FileCatalog *file = (FileCatalog *) catalog;

	return arena_printf(arena,
	                    "%s/%s/%s",
	                    file->warehouse,
	                    storage_encode_part(arena, table->space),
	                    storage_encode_part(arena, table->name));
}

static const char *
metadata_path(Arena *arena, const char *location, int64_t version)
{
	return arena_printf(
		arena, "%s/metadata/v%" PRId64 METADATA_SUFFIX, location, version);
}

static const char *
hint_path(Arena *arena, const char *location)
{
	return arena_printf(arena, "%s/metadata/" HINT_NAME, location);
}

/* A version number followed by nothing but end and blanks; 0 when text is none. */
static int64_t
parse_version(const char *text, const char *end)
{
	char *rest;
	long long version = strtoll(text, &rest, 10);

	if (rest == text || version < 1 || version > VERSION_MAX ||
	    strncmp(rest, end, strlen(end)) != 0)
		return 0;
	rest += strlen(end);
	rest += strspn(rest, " \r\n");
	return *rest ? 0 : version;
}

/* What the hint says, 0 when it is missing or not a number. */
static bool
read_hint(Catalog *catalog, Arena *arena, const char *location, int64_t *version,
          Err *err)
{
	Slice text;

	if (!storage_get(catalog->storage, arena, hint_path(arena, location), &text, err))
		return false;
	*version =
		text.data ? parse_version(arena_strndup(arena, text.data, text.len), "") : 0;
	return true;
}

/* The greatest version in the directory, 0 when there is none. */
static bool
find_by_list(Catalog *catalog, Arena *arena, const char *location, int64_t *version,
             Err *err)
{
	StoredFiles files;

	*version = 0;
	if (!storage_list(catalog->storage,
	                  arena,
	                  arena_printf(arena, "%s/metadata", location),
	                  false,
	                  &files,
	                  err))
		return false;
	for (int32_t i = 0; i < files.count; i++)
	{
		const char *name = strrchr(files.items[i].path, '/') + 1;
		int64_t found = *name == 'v' ? parse_version(name + 1, METADATA_SUFFIX) : 0;

		if (found > *version)
			*version = found;
	}
	return true;
}

/* Whether this version exists. */
static bool
has_version(Catalog *catalog, Arena *arena, const char *location, int64_t version,
            bool *has, Err *err)
{
	int64_t size;

	*has = false;
	if (!storage_size(
			catalog->storage, metadata_path(arena, location, version), &size, err))
		return false;
	*has = size >= 0;
	return true;
}

/* The current version, 0 when there is no table. */
static bool
find_version(Catalog *catalog, Arena *arena, const char *location, int64_t *version,
             Err *err)
{
	int64_t hint;
	bool has = false;

	if (!read_hint(catalog, arena, location, &hint, err) ||
	    (hint > 0 && !has_version(catalog, arena, location, hint, &has, err)))
		return false;
	*version = hint;
	if (!has && !find_by_list(catalog, arena, location, version, err))
		return false;
	/* The hint follows the metadata file: it may be behind, but not ahead. */
	if (*version < hint)
	{
		(void) fail(err,
		            ERR_FATAL,
		            "file \"%s\" is missing, which \"%s\" names",
		            metadata_path(arena, location, hint),
		            hint_path(arena, location));
		return damage_found(err, NULL);
	}
	if (*version == 0)
		return true;
	for (;;)
	{
		if (!has_version(catalog, arena, location, *version + 1, &has, err))
			return false;
		if (!has)
			return true;
		++*version;
	}
}

static bool
file_load(Catalog *catalog, Arena *arena, const TableName *table, TableVersion *version,
          Err *err)
{
	const char *location = file_location(catalog, arena, table);

	*version = (TableVersion){ 0 };
	if (!find_version(catalog, arena, location, &version->version, err))
		return false;
	if (version->version == 0)
		return true;
	version->exists = true;
	version->location = location;
	version->metadata_location = metadata_path(arena, location, version->version);
	if (!storage_get(
			catalog->storage, arena, version->metadata_location, &version->metadata, err))
		return false;
	return version->metadata.data ||
	       fail(err, ERR_RETRY, "file \"%s\" was removed", version->metadata_location);
}

/* Make a version and point the hint at it. */
static bool
put_version(Catalog *catalog, Arena *arena, const char *location, Slice metadata,
            TableVersion *version, Err *err)
{
	const char *number = arena_printf(arena, "%" PRId64, version->version);
	Err ignored = { 0 };

	version->exists = true;
	version->metadata = metadata;
	version->metadata_location = metadata_path(arena, location, version->version);
	if (!storage_put_if_absent(
			catalog->storage, version->metadata_location, metadata, err))
		return false;

	/* The commit is in.  A hint that is behind costs readers a probe, no more. */
	if (!storage_put(
			catalog->storage, hint_path(arena, location), slice_from(number), &ignored))
		log_warning("lake", "%s", ignored.text);
	return true;
}

static bool
file_create(Catalog *catalog, Arena *arena, const TableName *table, Slice metadata,
            TableVersion *version, Err *err)
{
	const char *location = file_location(catalog, arena, table);
	int64_t current;

	if (!find_version(catalog, arena, location, &current, err))
		return false;
	if (current > 0)
		return fail(err, ERR_CONFLICT, "the table exists");
	version->version = 1;
	return put_version(catalog, arena, location, metadata, version, err);
}

static bool
file_stage(Catalog *catalog, CatalogCommit *commit, Err *err)
{
	Arena *arena = commit->arena;
	const char *location = file_location(catalog, arena, commit->table);
	int64_t base = commit->commit.base->version;
	int64_t current;
	TableVersion *version = &commit->version;

	/*
	 * Old metadata files get removed: version N + 1 may be free again when the
	 * table is far ahead of base.
	 */
	if (!find_version(catalog, arena, location, &current, err))
		return false;
	if (current != base)
		return fail(err,
		            ERR_CONFLICT,
		            "version %" PRId64 " is current, not %" PRId64,
		            current,
		            base);
	*version = (TableVersion){ .exists = true,
		                       .version = base + 1,
		                       .metadata = commit->commit.metadata };
	version->metadata_location = metadata_path(arena, location, version->version);
	commit->placed[STAGED_METADATA] = version->metadata_location;
	commit->placed[STAGED_HINT] = hint_path(arena, location);
	for (int i = 0; i < STAGED_COUNT; i++)
	{
		Slice bytes = i == STAGED_METADATA
		                  ? version->metadata
		                  : slice_from(arena_printf(arena, "%" PRId64, version->version));

		if (!storage_stage(catalog->storage,
		                   arena,
		                   commit->placed[i],
		                   bytes,
		                   &commit->staged[i],
		                   err))
			return false;
		commit->staged_count++;
	}
	return true;
}

static bool
file_place(Catalog *catalog, CatalogCommit *commit, Err *err)
{
	Err ignored = { 0 };

	if (!storage_place(catalog->storage,
	                   commit->staged[STAGED_METADATA],
	                   commit->placed[STAGED_METADATA],
	                   false,
	                   err))
		return false;

	/* The commit is in.  A hint that is behind costs readers a probe, no more. */
	if (!storage_place(catalog->storage,
	                   commit->staged[STAGED_HINT],
	                   commit->placed[STAGED_HINT],
	                   true,
	                   &ignored))
		log_warning("lake", "%s", ignored.text);
	return true;
}

/* They go in order: below the first that is missing there is none. */
static bool
file_sweep(Catalog *catalog, Arena *arena, const TableName *table,
           const TableState *state, Err *err)
{
	const char *location = file_location(catalog, arena, table);
	int64_t version = state->version - state->metadata->metadata_log_count - 1;

	for (; version > 0; version--)
	{
		bool has;

		if (!has_version(catalog, arena, location, version, &has, err))
			return false;
		if (!has)
			return true;
		if (!storage_remove(
				catalog->storage, metadata_path(arena, location, version), err))
			return false;
	}
	return true;
}

static bool
file_list(Catalog *catalog, Arena *arena, const char *space, const char *const **names,
          int32_t *count, Err *err)
{
	FileCatalog *file = (FileCatalog *) catalog;
	const char *directory =
		arena_printf(arena, "%s/%s", file->warehouse, storage_encode_part(arena, space));
	StoredFiles files;
	const char **found;

	*count = 0;
	if (!storage_list(catalog->storage, arena, directory, false, &files, err))
		return false;
	found = arena_alloc(arena, ((size_t) files.count + 1) * sizeof *found);
	for (int32_t i = 0; i < files.count; i++)
	{
		const char *path = files.items[i].path;
		size_t len = strlen(path);
		const char *part;
		int64_t version;

		if (path[len - 1] != '/')
			continue;
		path = arena_strndup(arena, path, len - 1);
		part = strrchr(path, '/') + 1;
		if (!find_version(catalog, arena, path, &version, err))
			return false;
		if (version > 0)
			found[(*count)++] = storage_decode_part(arena, part);
	}
	*names = found;
	return true;
}

static void
file_free(Catalog *catalog)
{
	FileCatalog *file = (FileCatalog *) catalog;

	arena_free(file->arena);
	free(file);
}

static const CatalogOps file_ops = {
	.name = "file",
	.load = file_load,
	.create = file_create,
	.stage = file_stage,
	.place = file_place,
	.sweep = file_sweep,
	.location = file_location,
	.list = file_list,
	.free = file_free,
};

Catalog *
catalog_file_new(Storage *storage, const char *warehouse)
{
	FileCatalog *file = xmalloc(sizeof *file);

	*file = (FileCatalog){ .base = { &file_ops, storage }, .arena = arena_new() };
	file->warehouse = arena_strdup(file->arena, warehouse);
	return &file->base;
}
