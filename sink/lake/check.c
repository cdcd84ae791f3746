/*
 * check.c
 *		can the warehouse be written, and is there room.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/check.h"

#include <inttypes.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lake/storage/storage.h"

#define LITTLE_ROOM (INT64_C(1) << 30) /* bytes: below, say so */

static bool
try_to_write(Storage *storage, Arena *arena, const char *directory, Err *err)
{
	const char *path =
		arena_printf(arena, "%s/.cdc-sink-check-%ld", directory, (long) getpid());

	return storage_put(storage, path, slice_from("check\n"), err) &&
	       storage_remove(storage, path, err);
}

static void
print_room(Storage *storage, Arena *arena, const char *directory, FILE *to)
{
	struct statvfs room;
	const char *local;
	Err err;
	int64_t bytes;

	if (!storage_local_path(storage, arena, directory, false, &local, &err) ||
	    statvfs(local, &room) != 0)
		return;
	bytes = (int64_t) (room.f_bavail * room.f_frsize);
	(void) fprintf(to,
	               "%s warehouse has %" PRId64 " MB free\n",
	               bytes < LITTLE_ROOM ? "WARNING" : "ok",
	               bytes >> 20);
}

bool
lake_check(const Config *config, FILE *to, Err *err)
{
	Storage *storage = storage_local_new();
	Arena *arena = arena_new();
	const char *directory = "";
	bool ok = storage_local_uri(arena, config->lake_warehouse, &directory, err) &&
	          try_to_write(storage, arena, directory, err);

	if (ok)
	{
		(void) fprintf(
			to, "ok warehouse \"%s\" can be written\n", config->lake_warehouse);
		print_room(storage, arena, directory, to);
	}
	else
		(void) fprintf(
			to,
			"FAILED warehouse \"%s\": %s; create the directory and let the worker's "
			"user write to it\n",
			config->lake_warehouse,
			err->text);
	arena_free(arena);
	storage_free(storage);
	return ok;
}
