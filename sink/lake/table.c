/*
 * table.c
 *		gathering a table's changes and committing them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "lake/expire.h"
#include "lake/iceberg/ids.h"
#include "lake/storage/damage.h"
#include "lake/table_check.h"

#define SUMMARY_MAX 9
#define GROUP_BYTES ((size_t) 8 << 20) /* of metadata that tables of one commit hold */

/* clang-format off */
static const IcebergProperty table_defaults[] = {
	{ "write.delete.mode",                     "merge-on-read" },
	{ "write.update.mode",                     "merge-on-read" },
	{ "write.merge.mode",                      "merge-on-read" },
	{ "write.parquet.compression-codec",       "zstd" },
	{ "write.target-file-size-bytes",          "134217728" },
	{ "write.metadata.previous-versions-max",  "20" },
	{ "write.metadata.delete-after-commit.enabled", "true" },
};
/* clang-format on */

#define DEFAULT_COUNT ((int32_t) (sizeof table_defaults / sizeof *table_defaults))

/* ---- Opening ---- */

static void
begin_commit(Table *table)
{
	store_random(table->uuid);
	uuid4_from_random(table->uuid);
	table->file_number = 0;
}

static Table *
table_new(Store *store, const char *name)
{
	Table *table = xmalloc(sizeof *table);

	*table = (Table){ .store = store, .arena = arena_new(), .pending = arena_new() };
	table->name = (TableName){ arena_strdup(table->arena, store->config->lake_namespace),
		                       arena_strdup(table->arena, name) };
	begin_commit(table);
	return table;
}

/* The position stored with the data: the newest on main's ancestry, else the property's.
 */
static bool
read_position(Table *table, Err *err)
{
	const TableMetadata *metadata = table->state->metadata;
	const char *text = metadata_ancestry_get(metadata, POSITION_PROPERTY);
	Position position;

	if (text == NULL)
		text = properties_get(metadata->properties, POSITION_PROPERTY);
	if (text == NULL)
		return true;
	if (!position_parse(slice_from(text), &position, err))
		return damage_found(err, table->state->metadata_location);
	table->covered = position_covered(&position);
	/* Under which options it was written does not matter: those of the last cut count. */
	position.fingerprint = table->store->self.fingerprint;
	return position_same_source(&position, &table->store->self, "the lake", err);
}

static bool
table_start(Table *table, Err *err)
{
	const TableMetadata *metadata;

	assert(table->state != NULL);
	metadata = table->state->metadata;

	table->location = arena_strdup(table->arena, metadata->location);
	if (metadata->last_updated_ms > table->store->last_ms)
		table->store->last_ms = metadata->last_updated_ms;
	return read_position(table, err);
}

bool
table_open(Store *store, const char *name, Table **table, Err *err)
{
	Table *opened = table_new(store, name);

	*table = NULL;
	if (!catalog_load(store->catalog, &opened->name, &opened->state, err))
	{
		table_close(opened);
		return false;
	}
	if (opened->state == NULL)
	{
		table_close(opened);
		return true;
	}
	if (!table_check(opened, err) || !table_start(opened, err))
	{
		table_close(opened);
		return fail_while(err, "could not open table \"%s\"", name);
	}
	*table = opened;
	return true;
}

bool
table_make(Store *store, const TableMake *make, Table **table, Err *err)
{
	Table *made = table_new(store, make->name);
	int32_t count = DEFAULT_COUNT + make->property_count;
	IcebergProperty *properties =
		arena_alloc(made->pending, sizeof *properties * (size_t) count);
	uint8_t uuid[16];
	char text[UUID_TEXT_SIZE];
	NewTable fresh = {
		.schema = make->schema,
		.spec = make->spec,
		.properties = { properties, count },
	};

	store_random(uuid);
	uuid4_from_random(uuid);
	fresh.uuid = uuid_format(uuid, text);
	fresh.timestamp_ms = store_stamp(store, &store->self).timestamp_ms;
	memcpy(properties, table_defaults, sizeof table_defaults);
	for (int32_t i = 0; i < make->property_count; i++)
		properties[DEFAULT_COUNT + i] = make->properties[i];
	*table = NULL;
	if (!catalog_create(store->catalog, &made->name, &fresh, &made->state, err) ||
	    !table_start(made, err))
	{
		table_close(made);
		return fail_while(err, "could not create table \"%s\"", make->name);
	}
	*table = made;
	return true;
}

static void
remove_added(Table *table, int32_t i)
{
	Err ignored;

	/* What cannot be removed is an orphan: nobody refers to it. */
	(void) !storage_remove(table->store->storage, table->added[i].path, &ignored);
}

static void
reset_pending(Table *table)
{
	arena_reset(table->pending);
	table->added = NULL;
	table->removed = NULL;
	table->properties = NULL;
	table->schema = NULL;
	table->added_count = table->added_room = 0;
	table->removed_count = table->removed_room = 0;
	table->property_count = table->property_room = 0;
	table->removes_all = false;
	begin_commit(table);
}

void
table_close(Table *table)
{
	if (table == NULL)
		return;
	for (int32_t i = 0; i < table->added_count; i++)
		remove_added(table, i);
	table_state_free(table->state);
	arena_free(table->pending);
	arena_free(table->arena);
	free(table);
}

const IcebergSchema *
table_schema(const Table *table)
{
	if (table->schema != NULL)
		return table->schema;
	return metadata_current_schema(table->state->metadata);
}

const char *
table_property(const Table *table, const char *name)
{
	for (int32_t i = table->property_count; i > 0; i--)
		if (strcmp(table->properties[i - 1].name, name) == 0)
			return table->properties[i - 1].value;
	return properties_get(table->state->metadata->properties, name);
}

/* ---- Gathering ---- */

/* Room for one more item in an array of the pending arena. */
static void *
grow(Arena *arena, const void *items, int32_t count, int32_t *room, size_t size)
{
	void *grown;

	if (count < *room)
		return NULL;
	*room = *room == 0 ? 8 : *room * 2;
	grown = arena_alloc(arena, size * (size_t) *room);
	if (count > 0)
		memcpy(grown, items, size * (size_t) count);
	return grown;
}

/* A directory that has gone must not be made anew for a file that nobody will look for.
 */
static bool
is_there(Table *table, Err *err)
{
	const char *metadata = table->state->metadata_location;
	int64_t size;

	return storage_size(table->store->storage, metadata, &size, err) &&
	       (size >= 0 ||
	        fail(err, ERR_CONFLICT, "metadata file \"%s\" has gone", metadata));
}

bool
table_new_file(Table *table, const char *directory, const char **uri, const char **local,
               Err *err)
{
	char text[UUID_TEXT_SIZE];

	*uri = arena_printf(table->pending,
	                    "%s/data/%s%s" OWN_FILE_PREFIX "%s-%u.parquet",
	                    table->location,
	                    directory == NULL ? "" : directory,
	                    directory == NULL ? "" : "/",
	                    uuid_format(table->uuid, text),
	                    ++table->file_number);
	return is_there(table, err) &&
	       storage_local_path(
			   table->store->storage, table->pending, *uri, true, local, err);
}

bool
table_local_path(Table *table, Arena *arena, const char *uri, const char **local,
                 Err *err)
{
	return storage_local_path(table->store->storage, arena, uri, false, local, err);
}

void
table_add(Table *table, const DataFile *file)
{
	void *grown = grow(table->pending,
	                   table->added,
	                   table->added_count,
	                   &table->added_room,
	                   sizeof *table->added);

	if (grown != NULL)
		table->added = grown;
	data_file_copy(table->pending, file, &table->added[table->added_count++]);
}

void
table_remove(Table *table, const char *uri)
{
	void *grown;

	for (int32_t i = 0; i < table->added_count; i++)
		if (strcmp(table->added[i].path, uri) == 0)
		{
			remove_added(table, i);
			table->added[i] = table->added[--table->added_count];
			return;
		}
	if (table->removes_all)
		return;
	grown = grow(table->pending,
	             table->removed,
	             table->removed_count,
	             &table->removed_room,
	             sizeof *table->removed);
	if (grown != NULL)
		table->removed = grown;
	table->removed[table->removed_count++] = arena_strdup(table->pending, uri);
}

void
table_remove_all(Table *table)
{
	for (int32_t i = 0; i < table->added_count; i++)
		remove_added(table, i);
	table->added_count = 0;
	table->removed_count = 0;
	table->removes_all = true;
}

void
table_set_schema(Table *table, const IcebergSchema *schema)
{
	table->schema = schema;
}

void
table_set_property(Table *table, const char *name, const char *value)
{
	void *grown = grow(table->pending,
	                   table->properties,
	                   table->property_count,
	                   &table->property_room,
	                   sizeof *table->properties);

	if (grown != NULL)
		table->properties = grown;
	for (int32_t i = 0; i < table->property_count; i++)
		if (strcmp(table->properties[i].name, name) == 0)
		{
			table->properties[i].value = arena_strdup(table->pending, value);
			return;
		}
	table->properties[table->property_count++] =
		(IcebergProperty){ arena_strdup(table->pending, name),
		                   arena_strdup(table->pending, value) };
}

bool
table_is_changed(const Table *table)
{
	return table->added_count > 0 || table->removed_count > 0 || table->removes_all ||
	       table->schema != NULL || table->property_count > 0;
}

/* ---- Committing ---- */

static const char *const *
added_paths(Table *table)
{
	const char **paths =
		arena_alloc(table->pending, sizeof *paths * (size_t) (table->added_count + 1));

	for (int32_t i = 0; i < table->added_count; i++)
		paths[i] = table->added[i].path;
	return paths;
}

static const char *
position_text(Table *table, const Position *position)
{
	Buf buf = buf_heap();
	const char *text;

	position_print(&buf, position);
	text = arena_strndup(table->pending, buf.data, buf.len);
	buf_free(&buf);
	return text;
}

/* Every snapshot says whose stream it holds, and how far (lake.md 3). */
static IcebergProperties
make_summary(Table *table, const CutStamp *stamp, const char *position)
{
	IcebergProperty *items = arena_alloc(table->pending, sizeof *items * SUMMARY_MAX);
	const Position *at = &stamp->position;
	Arena *arena = table->pending;
	int32_t count = 0;

	items[count++] = (IcebergProperty){ POSITION_PROPERTY, position };
	items[count++] =
		(IcebergProperty){ "cdc.commit_lsn",
		                   arena_printf(arena, "%X/%X", LSN_ARGS(at->commit_lsn)) };
	items[count++] =
		(IcebergProperty){ "cdc.end_lsn",
		                   arena_printf(arena, "%X/%X", LSN_ARGS(at->end_lsn)) };
	items[count++] = (IcebergProperty){ "cdc.system_id",
		                                arena_printf(arena, "%" PRIu64, at->system_id) };
	items[count++] =
		(IcebergProperty){ "cdc.timeline", arena_printf(arena, "%u", at->timeline) };
	items[count++] =
		(IcebergProperty){ "cdc.database", arena_strdup(arena, at->database) };
	items[count++] = (IcebergProperty){ "cdc.slot", arena_strdup(arena, at->slot) };
	items[count++] =
		(IcebergProperty){ "cdc.fingerprint",
		                   arena_printf(arena, "%016" PRIx64, at->fingerprint) };
	if (stamp->is_snapshot)
		items[count++] = (IcebergProperty){ "cdc.snapshot", "complete" };
	return (IcebergProperties){ items, count };
}

static bool
build(Table *table, TableChange *change, CatalogCommit *commit, Err *err)
{
	*commit = (CatalogCommit){ .table = &table->name, .state = &table->state };
	if (table_commit_build(table->pending, table->state, change, &commit->commit, err))
		return true;
	return fail_while(err, "could not commit to table \"%s\"", table->name.name);
}

/* Old snapshots go with the commit, and what noted the last ones, when they have gone. */
static void
plan_expiry(Table *table, const CutStamp *stamp, TableChange *change)
{
	static const char *const note[] = { EXPIRED_PROPERTY };
	const TableMetadata *metadata = table->state->metadata;
	bool is_noted = properties_get(metadata->properties, EXPIRED_PROPERTY) != NULL;

	table->is_expiring = false;
	if (is_noted && !table->is_clean)
		return;
	change->unset = note;
	change->unset_count = is_noted ? 1 : 0;
	change->expired_count = expire_choose(
		metadata, stamp, table->store->config, table->pending, &change->expired);
	table->is_expiring = change->expired_count > 0;
	if (table->is_expiring)
		table_set_property(
			table,
			EXPIRED_PROPERTY,
			expire_lists(
				metadata, change->expired, change->expired_count, table->pending));
}

/* The commit of what gathered, as a snapshot of the cut. */
static bool
build_cut(Table *table, const CutStamp *stamp, CatalogCommit *commit, Err *err)
{
	const char *position = position_text(table, &stamp->position);
	char text[UUID_TEXT_SIZE];
	TableChange change = {
		.timestamp_ms = stamp->timestamp_ms,
		.has_snapshot = true,
		.added = table->added,
		.added_count = table->added_count,
		.removed = table->removed,
		.removed_count = table->removed_count,
		.removes_all = table->removes_all,
		.schema = table->schema,
	};

	change.uuid = arena_printf(
		table->pending, OWN_FILE_PREFIX "%s", uuid_format(table->uuid, text));
	change.snapshot_id = table->committing = snapshot_id_from_uuid(table->uuid);
	change.summary = make_summary(table, stamp, position);
	table_set_property(table, POSITION_PROPERTY, position);
	plan_expiry(table, stamp, &change);
	change.properties = (IcebergProperties){ table->properties, table->property_count };
	if (!build(table, &change, commit, err))
		return false;
	commit->data = added_paths(table);
	commit->data_count = table->added_count;
	return true;
}

/*
 * A commit that failed may be in all the same.  Only when the catalog says that it
 * is not, the files it added may go.
 */
static bool
is_out(Table *table, CommitOutcome outcome)
{
	TableState *state = NULL;
	Err ignored = { 0 };
	bool found;

	if (outcome == COMMIT_OUT)
		return true;
	found = !catalog_load(table->store->catalog, &table->name, &state, &ignored) ||
	        state == NULL ||
	        metadata_snapshot(state->metadata, table->committing) != NULL;
	table_state_free(state);
	return !found;
}

/* Data files go when the table is closed, what else was written for the commit now. */
static void
settle_failed(Table *table, const CatalogCommit *commit)
{
	Err ignored;

	if (!is_out(table, commit->outcome))
	{
		table->added_count = 0;
		return;
	}
	for (int32_t i = 0; i < commit->commit.file_count; i++)
		(void) !storage_remove(
			table->store->storage, commit->commit.files[i].path, &ignored);
}

static void
settle(Table *table, const CutStamp *stamp, const CatalogCommit *commit)
{
	if (commit->outcome != COMMIT_IN)
	{
		settle_failed(table, commit);
		return;
	}
	table->covered = position_covered(&stamp->position);
	if (table->is_expiring)
		table->is_clean = false;
	reset_pending(table);
}

static size_t
commit_bytes(const TableCommit *commit)
{
	size_t bytes = commit->metadata.len;

	for (int32_t i = 0; i < commit->file_count; i++)
		bytes += commit->files[i].bytes.len;
	return bytes;
}

/* Commit the first tables, as many as go together; *done says how many. */
static bool
commit_group(Table *const *tables, size_t count, const CutStamp *stamp,
             CatalogCommit *commits, size_t *done, Err *err)
{
	size_t bytes = 0;
	bool ok = true;
	size_t built = 0;

	while (ok && built < count && bytes < GROUP_BYTES)
	{
		ok = build_cut(tables[built], stamp, &commits[built], err);
		if (ok)
			bytes += commit_bytes(&commits[built++].commit);
	}
	if (!ok)
	{
		for (size_t i = 0; i < built; i++)
			table_state_free(commits[i].commit.next);
		return false;
	}
	ok = catalog_commit(tables[0]->store->catalog, commits, (int32_t) built, err);
	for (size_t i = 0; i < built; i++)
		settle(tables[i], stamp, &commits[i]);
	*done = built;
	return ok;
}

bool
tables_commit(Table *const *tables, size_t count, const CutStamp *stamp, Err *err)
{
	CatalogCommit *commits = xmalloc(sizeof *commits * (count + 1));
	size_t done = 0;
	bool ok = true;

	for (size_t i = 0; ok && i < count; i += done)
		ok = commit_group(tables + i, count - i, stamp, commits, &done, err);
	free(commits);
	return ok;
}

bool
table_commit(Table *table, const CutStamp *stamp, Err *err)
{
	return tables_commit(&table, 1, stamp, err);
}

bool
table_commit_properties(Table *table, int64_t timestamp_ms, Err *err)
{
	TableChange change = {
		.timestamp_ms = timestamp_ms,
		.properties = { table->properties, table->property_count },
	};
	CatalogCommit commit;

	if (!build(table, &change, &commit, err) ||
	    !catalog_commit(table->store->catalog, &commit, 1, err))
		return false;
	reset_pending(table);
	return true;
}

bool
table_fence(Table *table, Err *err)
{
	CutStamp stamp = store_stamp(table->store, &table->store->self);
	TableChange change = { .timestamp_ms = stamp.timestamp_ms };
	CatalogCommit commit;

	return build(table, &change, &commit, err) &&
	       catalog_commit(table->store->catalog, &commit, 1, err) &&
	       catalog_check_current(table->store->catalog, &table->name, table->state, err);
}

bool
table_lost(Table *table, Err *err)
{
	for (int32_t i = 0; i < table->added_count; i++)
	{
		const char *path = table->added[i].path;
		Err ignored;
		int64_t size;

		if (storage_size(table->store->storage, path, &size, &ignored) && size < 0)
			return storage_fail_lost(err, path);
	}
	return false;
}

/* ---- Cleaning ---- */

void
table_clean(Table *table)
{
	const char *lists =
		properties_get(table->state->metadata->properties, EXPIRED_PROPERTY);
	Err err = { 0 };

	if (lists == NULL || table->is_clean)
		return;
	table->is_clean = expire_files(table->store, table->state, lists, &err);
	if (!table->is_clean)
		log_warning("lake",
		            "could not remove expired files of table \"%s\": %s",
		            table->name.name,
		            err.text);
}

void
table_sweep(Table *table)
{
	Err err = { 0 };

	table_clean(table);
	if (!catalog_sweep(table->store->catalog, &table->name, table->state, &err))
		log_warning("lake", "%s", err.text);
}
