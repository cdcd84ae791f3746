/*
 * catalog.c
 *		loading and committing tables, over any catalog.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/catalog/catalog.h"

#include "lake/storage/damage.h"

void
catalog_free(Catalog *catalog)
{
	if (catalog)
		catalog->ops->free(catalog);
}

const char *
catalog_location(Catalog *catalog, Arena *arena, const TableName *table)
{
	return catalog->ops->location(catalog, arena, table);
}

bool
catalog_list(Catalog *catalog, Arena *arena, const char *space, const char *const **names,
             int32_t *count, Err *err)
{
	return catalog->ops->list(catalog, arena, space, names, count, err);
}

/* A file that metadata names must be there. */
static bool
get_existing(Catalog *catalog, Arena *arena, const char *path, Slice *bytes, Err *err)
{
	if (!storage_get(catalog->storage, arena, path, bytes, err))
		return false;
	if (!bytes->data)
		return fail(err, ERR_FATAL, "file \"%s\" of the table is missing", path);
	return true;
}

static bool
load_manifests(Catalog *catalog, Arena *arena, TableState *state, Err *err)
{
	const IcebergSnapshot *snapshot = metadata_current_snapshot(state->metadata);
	ManifestFiles manifests;
	Slice bytes;

	if (!snapshot)
		return true;
	if (!get_existing(catalog, arena, snapshot->manifest_list, &bytes, err) ||
	    !manifest_list_read(arena, snapshot->manifest_list, bytes, &manifests, err))
		return false;
	for (int32_t i = 0; i < manifests.count; i++)
		if (!get_existing(catalog, arena, manifests.items[i].path, &bytes, err) ||
		    !table_state_add(state, &manifests.items[i], bytes, err))
			return false;
	return table_state_check(state, err);
}

/* Make a snapshot, and the schema it was written under, the current ones. */
static bool
rewind_to(TableMetadata *metadata, int64_t snapshot_id, Err *err)
{
	const IcebergSnapshot *snapshot = metadata_snapshot(metadata, snapshot_id);

	if (!snapshot)
		return fail(err, ERR_DATA, "snapshot %lld has expired", (long long) snapshot_id);
	metadata->current_snapshot_id = snapshot_id;
	if (snapshot->schema_id != NO_SCHEMA &&
	    metadata_schema(metadata, snapshot->schema_id) != NULL)
		metadata->current_schema_id = snapshot->schema_id;
	return true;
}

/* A table's files name each other by full paths: elsewhere they are another table's. */
static bool
check_location(const TableVersion *version, const TableState *state, Err *err)
{
	if (version->location == NULL ||
	    strcmp(state->metadata->location, version->location) == 0)
		return true;
	(void) fail(err,
	            ERR_CONFIG,
	            "metadata file \"%s\" is of the table at \"%s\"",
	            version->metadata_location,
	            state->metadata->location);
	return fail_hint(
		err,
		"Nothing was changed. A lake's files name each other by full paths: put it back "
		"where it was, set lake.warehouse as it was, or restore the metadata file.");
}

/* at: NULL for the current snapshot. */
static bool
load_state(Catalog *catalog, Arena *arena, const TableVersion *version, const int64_t *at,
           TableState **state, Err *err)
{
	if (!table_state_new(
			version->metadata, version->metadata_location, version->version, state, err))
		return fail_while(err, "metadata file \"%s\"", version->metadata_location);
	/* Nobody else has seen the metadata yet. */
	if (check_location(version, *state, err) &&
	    (!at || rewind_to((TableMetadata *) (*state)->metadata, *at, err)) &&
	    load_manifests(catalog, arena, *state, err))
		return true;
	table_state_free(*state);
	*state = NULL;
	return false;
}

static bool
load(Catalog *catalog, const TableName *table, const int64_t *at, TableState **state,
     Err *err)
{
	Arena *arena = arena_new();
	TableVersion version = { 0 };
	bool ok;

	*state = NULL;
	ok = catalog->ops->load(catalog, arena, table, &version, err) &&
	     (!version.exists || load_state(catalog, arena, &version, at, state, err));
	arena_free(arena);
	return ok || damage_found(err, NULL) ||
	       fail_while(err, "could not load table \"%s.%s\"", table->space, table->name);
}

bool
catalog_load(Catalog *catalog, const TableName *table, TableState **state, Err *err)
{
	return load(catalog, table, NULL, state, err);
}

bool
catalog_load_at(Catalog *catalog, const TableName *table, int64_t snapshot_id,
                TableState **state, Err *err)
{
	return load(catalog, table, &snapshot_id, state, err);
}

bool
catalog_create(Catalog *catalog, const TableName *name, const NewTable *table,
               TableState **state, Err *err)
{
	Arena *arena = arena_new();
	NewTable placed = *table;
	TableVersion version = { 0 };
	Slice metadata;
	bool ok;

	*state = NULL;
	if (!placed.location)
		placed.location = catalog_location(catalog, arena, name);
	metadata = metadata_write(arena, metadata_new(arena, &placed));
	ok =
		catalog->ops->create(catalog, arena, name, metadata, &version, err) &&
		table_state_new(metadata, version.metadata_location, version.version, state, err);
	arena_free(arena);
	return ok ||
	       fail_while(err, "could not create table \"%s.%s\"", name->space, name->name);
}

/* ---- Commits ---- */

/* What is to be made durable together. */
typedef struct Paths
{
	const char **items;
	int32_t count;
} Paths;

static void
add_path(Paths *paths, const char *path)
{
	paths->items[paths->count++] = path;
}

static bool
write_commit(Catalog *catalog, CatalogCommit *commit, Paths *paths, Err *err)
{
	/* First, as it asks whether the table is there, and as it was. */
	if (!catalog->ops->stage(catalog, commit, err))
		return false;
	for (int32_t i = 0; i < commit->staged_count; i++)
		add_path(paths, commit->staged[i]);
	for (int32_t i = 0; i < commit->data_count; i++)
		add_path(paths, commit->data[i]);
	for (int32_t i = 0; i < commit->commit.file_count; i++)
	{
		const CommitFile *file = &commit->commit.files[i];

		if (!storage_write(catalog->storage, file->path, file->bytes, err))
			return false;
		add_path(paths, file->path);
	}
	return true;
}

static bool
write_all(Catalog *catalog, CatalogCommit *commits, int32_t count, Paths *paths, Err *err)
{
	for (int32_t i = 0; i < count; i++)
		if (!write_commit(catalog, &commits[i], paths, err))
			return fail_while(err,
			                  "could not commit to table \"%s.%s\"",
			                  commits[i].table->space,
			                  commits[i].table->name);
	return storage_publish(catalog->storage, paths->items, paths->count, err);
}

static bool
place_all(Catalog *catalog, CatalogCommit *commits, int32_t count, Paths *paths, Err *err)
{
	paths->count = 0;
	for (int32_t i = 0; i < count; i++)
	{
		commits[i].outcome = COMMIT_UNSURE;
		if (!catalog->ops->place(catalog, &commits[i], err))
			return fail_while(err,
			                  "could not commit to table \"%s.%s\"",
			                  commits[i].table->space,
			                  commits[i].table->name);
		for (int32_t j = 0; j < commits[i].staged_count; j++)
			add_path(paths, commits[i].placed[j]);
	}
	return storage_publish_names(catalog->storage, paths->items, paths->count, err);
}

/* What has not been placed; what has been is not there any more. */
static void
remove_staged(Catalog *catalog, const CatalogCommit *commit)
{
	Err ignored;

	for (int32_t i = 0; i < commit->staged_count; i++)
		(void) !storage_remove(catalog->storage, commit->staged[i], &ignored);
}

static bool
keeps_metadata(const TableState *state)
{
	const char *deletes = properties_get(state->metadata->properties,
	                                     "write.metadata.delete-after-commit.enabled");

	return deletes != NULL && strcmp(deletes, "false") == 0;
}

/* Nobody reads them any more; one that stays is found when the table is opened. */
static void
remove_dropped(Catalog *catalog, const TableCommit *commit)
{
	Err ignored;

	if (keeps_metadata(commit->next))
		return;
	for (int32_t i = 0; i < commit->dropped_metadata_count; i++)
		(void) !storage_remove(catalog->storage, commit->dropped_metadata[i], &ignored);
}

static void
settle(Catalog *catalog, CatalogCommit *commit, bool ok)
{
	TableCommit *built = &commit->commit;

	if (ok)
	{
		commit->outcome = COMMIT_IN;
		table_state_set_location(
			built->next, commit->version.metadata_location, commit->version.version);
		remove_dropped(catalog, built);
		table_state_free(*commit->state);
		*commit->state = built->next;
	}
	else
	{
		remove_staged(catalog, commit);
		table_state_free(built->next);
	}
	built->next = NULL;
}

bool
catalog_commit(Catalog *catalog, CatalogCommit *commits, int32_t count, Err *err)
{
	Arena *arena = arena_new();
	Paths paths = { 0 };
	size_t room = 0;
	bool ok;

	for (int32_t i = 0; i < count; i++)
	{
		room += (size_t) commits[i].data_count + (size_t) commits[i].commit.file_count +
		        STAGED_MAX;
		commits[i].arena = arena;
		commits[i].outcome = COMMIT_OUT;
		commits[i].staged_count = 0;
	}
	paths.items = arena_alloc(arena, (room + 1) * sizeof *paths.items);
	ok = write_all(catalog, commits, count, &paths, err) &&
	     place_all(catalog, commits, count, &paths, err);
	for (int32_t i = 0; i < count; i++)
		settle(catalog, &commits[i], ok);
	arena_free(arena);
	return ok;
}

bool
catalog_sweep(Catalog *catalog, const TableName *table, const TableState *state, Err *err)
{
	Arena *arena = arena_new();
	bool ok =
		keeps_metadata(state) || catalog->ops->sweep(catalog, arena, table, state, err);

	arena_free(arena);
	return ok || fail_while(err,
	                        "could not remove old metadata of table \"%s.%s\"",
	                        table->space,
	                        table->name);
}

bool
catalog_check_current(Catalog *catalog, const TableName *table, const TableState *state,
                      Err *err)
{
	Arena *arena = arena_new();
	TableVersion version = { 0 };
	bool ok = catalog->ops->load(catalog, arena, table, &version, err);

	if (ok && (!version.exists ||
	           strcmp(version.metadata_location, state->metadata_location) != 0))
		ok = fail(err,
		          ERR_CONFLICT,
		          "table \"%s.%s\" has another writer",
		          table->space,
		          table->name);
	arena_free(arena);
	return ok;
}
