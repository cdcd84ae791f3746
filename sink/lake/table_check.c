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

bool
table_check(Table *table, Err *err)
{
	const TableState *state = table->state;

	for (int32_t i = 0; i < state->manifest_count; i++)
		for (int32_t j = 0; j < state->manifests[i]->live.count; j++)
			if (!check_file(table, &state->manifests[i]->live.items[j].file, err))
				return false;
	return true;
}
