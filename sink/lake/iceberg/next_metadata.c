/*
 * next_metadata.c
 *		the metadata that follows from a change, and the summary of its snapshot.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/iceberg/next_metadata.h"

#include <inttypes.h>
#include <stdlib.h>

#define MAIN_BRANCH "main"

/* Summary */

const char *
commit_operation(const TableChange *change, const CommitCounts *counts)
{
	bool adds_rows = counts->added_files[FILE_DATA] > 0;
	bool removes_rows = false;

	for (int content = FILE_DATA; content <= FILE_EQUALITY_DELETES; content++)
		if (counts->removed_files[content] > 0 ||
		    (content != FILE_DATA && counts->added_files[content] > 0))
			removes_rows = true;
	if (change->is_replace)
		return "replace";
	if (removes_rows)
		return adds_rows ? "overwrite" : "delete";
	return "append";
}

typedef struct Summary
{
	Arena *arena;
	IcebergProperty *items;
	int32_t count;
} Summary;

static void
add_text(Summary *summary, const char *name, const char *value)
{
	summary->items[summary->count++] = (IcebergProperty){ name, value };
}

static void
add_number(Summary *summary, const char *name, int64_t number)
{
	add_text(summary, name, arena_printf(summary->arena, "%" PRId64, number));
}

static void
add_counter(Summary *summary, const char *name, int64_t number)
{
	if (number > 0)
		add_number(summary, name, number);
}

static void
add_counters(Summary *summary, const CommitCounts *counts)
{
	const int64_t *added = counts->added_files;
	const int64_t *removed = counts->removed_files;
	const struct
	{
		const char *name;
		int64_t number;
	} counters[] = {
		/* clang-format off */
		{ "added-data-files",              added[FILE_DATA] },
		{ "deleted-data-files",            removed[FILE_DATA] },
		{ "added-delete-files",            added[FILE_POSITION_DELETES] + added[FILE_EQUALITY_DELETES] },
		{ "removed-delete-files",          removed[FILE_POSITION_DELETES] + removed[FILE_EQUALITY_DELETES] },
		{ "added-position-delete-files",   added[FILE_POSITION_DELETES] },
		{ "removed-position-delete-files", removed[FILE_POSITION_DELETES] },
		{ "added-equality-delete-files",   added[FILE_EQUALITY_DELETES] },
		{ "removed-equality-delete-files", removed[FILE_EQUALITY_DELETES] },
		{ "added-records",                 counts->added_rows[FILE_DATA] },
		{ "deleted-records",               counts->removed_rows[FILE_DATA] },
		{ "added-position-deletes",        counts->added_rows[FILE_POSITION_DELETES] },
		{ "removed-position-deletes",      counts->removed_rows[FILE_POSITION_DELETES] },
		{ "added-equality-deletes",        counts->added_rows[FILE_EQUALITY_DELETES] },
		{ "removed-equality-deletes",      counts->removed_rows[FILE_EQUALITY_DELETES] },
		{ "added-files-size",              counts->added_bytes },
		{ "removed-files-size",            counts->removed_bytes },
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
		add_counter(summary, counters[i].name, counters[i].number);
}

#define SUMMARY_MAX 64 /* more than there are of our own */

IcebergProperties
commit_summary(Arena *arena, const TableChange *change, const CommitCounts *counts,
               const TableTotals *totals)
{
	Summary summary = { .arena = arena };

	summary.items = arena_zero(
		arena, (SUMMARY_MAX + (size_t) change->summary.count) * sizeof *summary.items);
	add_text(&summary, "operation", commit_operation(change, counts));
	add_number(&summary, "manifests-created", counts->manifests_created);
	add_number(&summary, "manifests-kept", counts->manifests_kept);
	add_number(&summary, "manifests-replaced", counts->manifests_replaced);
	add_counters(&summary, counts);
	add_number(&summary, "changed-partition-count", counts->changed_partitions);
	add_number(&summary, "total-records", totals->rows[FILE_DATA]);
	add_number(&summary, "total-files-size", totals->bytes);
	add_number(&summary, "total-data-files", totals->files[FILE_DATA]);
	add_number(&summary,
	           "total-delete-files",
	           totals->files[FILE_POSITION_DELETES] +
	               totals->files[FILE_EQUALITY_DELETES]);
	add_number(&summary, "total-position-deletes", totals->rows[FILE_POSITION_DELETES]);
	add_number(&summary, "total-equality-deletes", totals->rows[FILE_EQUALITY_DELETES]);
	add_text(&summary, "engine-name", ENGINE_NAME);
	add_text(&summary, "engine-version", CDC_VERSION);
	for (int32_t i = 0; i < change->summary.count; i++)
		add_text(&summary, change->summary.items[i].name, change->summary.items[i].value);
	return (IcebergProperties){ summary.items, summary.count };
}

/* Metadata */

/* A schema with the same fields keeps its id, as in Java. */
static void
set_schema(Arena *arena, TableMetadata *next, const IcebergSchema *schema)
{
	IcebergSchema *schemas;
	int32_t id = -1;
	int32_t greatest = iceberg_greatest_id(schema);

	for (int32_t i = 0; i < next->schema_count; i++)
	{
		if (iceberg_schema_equal(&next->schemas[i], schema))
		{
			next->current_schema_id = next->schemas[i].id;
			return;
		}
		if (next->schemas[i].id > id)
			id = next->schemas[i].id;
	}
	schemas = arena_alloc(arena, ((size_t) next->schema_count + 1) * sizeof *schemas);
	memcpy(schemas, next->schemas, (size_t) next->schema_count * sizeof *schemas);
	schemas[next->schema_count] = *schema;
	schemas[next->schema_count].id = id + 1;
	next->schemas = schemas;
	next->schema_count++;
	next->current_schema_id = id + 1;
	if (greatest > next->last_column_id)
		next->last_column_id = greatest;
}

static bool
specs_equal(const PartitionSpec *a, const PartitionSpec *b)
{
	if (a->field_count != b->field_count)
		return false;
	for (int32_t i = 0; i < a->field_count; i++)
		if (a->fields[i].source_id != b->fields[i].source_id ||
		    a->fields[i].field_id != b->fields[i].field_id ||
		    strcmp(a->fields[i].name, b->fields[i].name) != 0 ||
		    strcmp(a->fields[i].transform, b->fields[i].transform) != 0)
			return false;
	return true;
}

static void
set_spec(Arena *arena, TableMetadata *next, const PartitionSpec *spec)
{
	PartitionSpec *specs;
	int32_t id = -1;

	for (int32_t i = 0; i < next->spec_count; i++)
	{
		if (specs_equal(&next->specs[i], spec))
		{
			next->default_spec_id = next->specs[i].id;
			return;
		}
		if (next->specs[i].id > id)
			id = next->specs[i].id;
	}
	specs = arena_alloc(arena, ((size_t) next->spec_count + 1) * sizeof *specs);
	memcpy(specs, next->specs, (size_t) next->spec_count * sizeof *specs);
	specs[next->spec_count] = *spec;
	specs[next->spec_count].id = id + 1;
	next->specs = specs;
	next->spec_count++;
	next->default_spec_id = id + 1;
	for (int32_t i = 0; i < spec->field_count; i++)
		if (spec->fields[i].field_id > next->last_partition_id)
			next->last_partition_id = spec->fields[i].field_id;
}

static bool
is_unset(const TableChange *change, const char *name)
{
	for (int32_t i = 0; i < change->unset_count; i++)
		if (strcmp(change->unset[i], name) == 0)
			return true;
	return properties_get(change->properties, name) != NULL;
}

static void
set_properties(Arena *arena, TableMetadata *next, const TableChange *change)
{
	IcebergProperties old = next->properties;
	IcebergProperty *items = arena_alloc(
		arena, ((size_t) (old.count + change->properties.count) + 1) * sizeof *items);
	int32_t count = 0;

	for (int32_t i = 0; i < old.count; i++)
		if (!is_unset(change, old.items[i].name))
			items[count++] = old.items[i];
	for (int32_t i = 0; i < change->properties.count; i++)
		items[count++] = change->properties.items[i];
	next->properties = (IcebergProperties){ items, count };
}

static bool
is_expired(const TableChange *change, int64_t id)
{
	for (int32_t i = 0; i < change->expired_count; i++)
		if (change->expired[i] == id)
			return true;
	return false;
}

/* A ref that this commit leaves where it is. */
static bool
stays(const TableChange *change, const IcebergRef *ref)
{
	return !change->has_snapshot || strcmp(ref->name, MAIN_BRANCH) != 0;
}

static bool
expire_snapshots(Arena *arena, TableMetadata *next, const TableChange *change, Err *err)
{
	IcebergSnapshot *kept =
		arena_alloc(arena, ((size_t) next->snapshot_count + 1) * sizeof *kept);
	SnapshotLogEntry *log =
		arena_alloc(arena, ((size_t) next->snapshot_log_count + 1) * sizeof *log);
	int32_t count = 0;

	for (int32_t i = 0; i < next->ref_count; i++)
		if (stays(change, &next->refs[i]) &&
		    is_expired(change, next->refs[i].snapshot_id))
			return fail(err,
			            ERR_FATAL,
			            "cannot expire snapshot %" PRId64 ": \"%s\" refers to it",
			            next->refs[i].snapshot_id,
			            next->refs[i].name);
	if (!change->has_snapshot && is_expired(change, next->current_snapshot_id))
		return fail(err,
		            ERR_FATAL,
		            "cannot expire snapshot %" PRId64 ": it is current",
		            next->current_snapshot_id);
	for (int32_t i = 0; i < next->snapshot_count; i++)
		if (!is_expired(change, next->snapshots[i].id))
			kept[count++] = next->snapshots[i];
	next->snapshots = kept;
	next->snapshot_count = count;

	/* Spec: the log must not claim a history with holes, so it starts after the last one.
	 */
	count = 0;
	for (int32_t i = 0; i < next->snapshot_log_count; i++)
	{
		if (metadata_snapshot(next, next->snapshot_log[i].snapshot_id))
			log[count++] = next->snapshot_log[i];
		else
			count = 0;
	}
	next->snapshot_log = log;
	next->snapshot_log_count = count;
	return true;
}

static void
log_metadata(Arena *arena, const TableState *state, TableMetadata *next)
{
	const char *limit =
		properties_get(next->properties, "write.metadata.previous-versions-max");
	long max = limit ? strtol(limit, NULL, 10) : METADATA_LOG_MAX;
	int32_t count = next->metadata_log_count;
	int32_t drop = 0;
	MetadataLogEntry *log = arena_alloc(arena, ((size_t) count + 1) * sizeof *log);

	if (!state->metadata_location)
		return;
	if (max < 1 || max > INT16_MAX)
		max = METADATA_LOG_MAX;
	if (count + 1 > (int32_t) max)
		drop = count + 1 - (int32_t) max;
	if (count > drop)
		memcpy(log, next->metadata_log + drop, (size_t) (count - drop) * sizeof *log);
	log[count - drop] =
		(MetadataLogEntry){ state->metadata->last_updated_ms, state->metadata_location };
	next->metadata_log = log;
	next->metadata_log_count = count - drop + 1;
}

bool
next_metadata_begin(Arena *arena, const TableState *state, const TableChange *change,
                    TableMetadata **next, Err *err)
{
	TableMetadata *made = arena_alloc(arena, sizeof *made);

	*made = *state->metadata;
	if (change->timestamp_ms > made->last_updated_ms)
		made->last_updated_ms = change->timestamp_ms;
	if (change->schema)
		set_schema(arena, made, change->schema);
	if (change->spec)
		set_spec(arena, made, change->spec);
	if (change->properties.count > 0 || change->unset_count > 0)
		set_properties(arena, made, change);
	if (change->expired_count > 0 && !expire_snapshots(arena, made, change, err))
		return false;
	log_metadata(arena, state, made);
	*next = made;
	return true;
}

static void
move_main(Arena *arena, TableMetadata *next, int64_t snapshot_id)
{
	IcebergRef *refs = arena_alloc(arena, ((size_t) next->ref_count + 1) * sizeof *refs);
	int32_t at = 0;

	if (next->ref_count > 0)
		memcpy(refs, next->refs, (size_t) next->ref_count * sizeof *refs);
	while (at < next->ref_count && strcmp(refs[at].name, MAIN_BRANCH) != 0)
		at++;
	if (at == next->ref_count)
	{
		refs[at] = (IcebergRef){ .name = MAIN_BRANCH, .json = "{\"type\":\"branch\"}" };
		next->ref_count++;
	}
	refs[at].snapshot_id = snapshot_id;
	next->refs = refs;
}

void
next_metadata_add_snapshot(Arena *arena, TableMetadata *next,
                           const IcebergSnapshot *snapshot)
{
	int32_t count = next->snapshot_count;
	int32_t logged = next->snapshot_log_count;
	IcebergSnapshot *snapshots =
		arena_alloc(arena, ((size_t) count + 1) * sizeof *snapshots);
	SnapshotLogEntry *log = arena_alloc(arena, ((size_t) logged + 1) * sizeof *log);

	if (count > 0)
		memcpy(snapshots, next->snapshots, (size_t) count * sizeof *snapshots);
	snapshots[count] = *snapshot;
	next->snapshots = snapshots;
	next->snapshot_count = count + 1;
	if (logged > 0)
		memcpy(log, next->snapshot_log, (size_t) logged * sizeof *log);
	log[logged] = (SnapshotLogEntry){ snapshot->timestamp_ms, snapshot->id };
	next->snapshot_log = log;
	next->snapshot_log_count = logged + 1;
	next->current_snapshot_id = snapshot->id;
	next->last_sequence_number = snapshot->sequence_number;
	move_main(arena, next, snapshot->id);
}
