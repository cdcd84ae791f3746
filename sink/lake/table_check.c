/*
 * table_check.c
 *		one stat a file, before anything is read or written.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/table_check.h"

#include <inttypes.h>

#include "lake/storage/damage.h"

static bool
check_file(const Table *table, const DataFile *file, Err *err)
{
	int64_t size;

	if (!storage_size(table->store->storage, file->path, &size, err))
		return false;
	if (size == file->size_bytes)
		return true;
	if (size < 0)
		(void) fail(err, ERR_FATAL, "file \"%s\" of the table is missing", file->path);
	else
		(void) fail(err,
		            ERR_FATAL,
		            "file \"%s\" is damaged: it has %" PRId64 " bytes, not %" PRId64,
		            file->path,
		            size,
		            file->size_bytes);
	return damage_found(err, NULL);
}

static bool
same_records(const IcebergSnapshot *a, const IcebergSnapshot *b)
{
	const char *records = properties_get(a->summary, "total-records");
	const char *before = properties_get(b->summary, "total-records");

	return records != NULL && before != NULL && strcmp(records, before) == 0;
}

/*
 * What others committed since our last snapshot: rewritten files are welcome, other rows
 * are not what the source has (lake.md 22).
 */
static bool
check_foreign(const Table *table, Err *err)
{
	const TableMetadata *metadata = table->state->metadata;
	const IcebergSnapshot *snapshot = metadata_current_snapshot(metadata);
	const IcebergSnapshot *parent;
	const char *operation;

	for (int32_t steps = 0; snapshot != NULL && steps < metadata->snapshot_count; steps++)
	{
		if (properties_get(snapshot->summary, POSITION_PROPERTY) != NULL)
			return true;
		parent = metadata_snapshot(metadata, snapshot->parent_id);
		operation = properties_get(snapshot->summary, "operation");
		if (operation == NULL || strcmp(operation, "replace") != 0 ||
		    (parent != NULL && !same_records(snapshot, parent)))
		{
			(void) fail(err,
			            ERR_CONFIG,
			            "table \"%s\" was written by something else: snapshot %" PRId64
			            " in \"%s\" has operation \"%s\"",
			            table->name.name,
			            snapshot->id,
			            table->state->metadata_location,
			            operation == NULL ? "" : operation);
			return fail_hint(
				err,
				"Nothing was changed, and changes since wait in the slot. Roll the table "
				"back to snapshot %" PRId64 ", or remove that metadata file and set "
				"version-hint.text to the one before; other writers may compact, no more.",
				snapshot->parent_id);
		}
		snapshot = parent;
	}
	return true;
}

bool
table_check(Table *table, Err *err)
{
	const TableState *state = table->state;

	if (!check_foreign(table, err))
		return false;
	for (int32_t i = 0; i < state->manifest_count; i++)
		for (int32_t j = 0; j < state->manifests[i]->live.count; j++)
			if (!check_file(table, &state->manifests[i]->live.items[j].file, err))
				return false;
	return true;
}
