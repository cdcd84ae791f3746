/*
 * files.c
 *		bitmaps of dead rows, and the position delete files made from them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/files.h"

#include <stdlib.h>

#include "lake/iceberg/bounds.h"

#define SCOPED_MAX 2u /* files touched by a flush that get their own delete file */
#define SHARED_MAX 8u /* live delete files over several data files */
#define PATH_FIELD 0
#define POS_FIELD  1

static const IcebergField delete_fields[] = {
	{ .id = DELETE_FILE_PATH_ID,
	  .name = "file_path",
	  .required = true,
	  .type = { .kind = ICEBERG_STRING } },
	{ .id = DELETE_POS_ID,
	  .name = "pos",
	  .required = true,
	  .type = { .kind = ICEBERG_LONG } },
};

static const IcebergSchema delete_schema = { .fields = delete_fields, .field_count = 2 };

/* ---- The list ---- */

void
files_init(LiveFiles *files)
{
	*files = (LiveFiles){ 0 };
	files->room = 16;
	files->items = xmalloc(sizeof *files->items * files->room);
	files->items[0] = (LiveFile){ 0 };
	files->count = 1;
}

static void
file_release(LiveFile *file)
{
	free(file->uri);
	free(file->dead);
	free(file->fresh);
	free(file->scoped);
	*file = (LiveFile){ 0 };
}

void
files_clear(LiveFiles *files)
{
	for (uint32_t i = 1; i < files->count; i++)
		file_release(&files->items[i]);
	for (uint32_t i = 0; i < files->shared_count; i++)
		free(files->shared[i]);
	files->shared_count = 0;
}

void
files_fini(LiveFiles *files)
{
	files_clear(files);
	free(files->items);
	free(files->shared);
	*files = (LiveFiles){ 0 };
}

uint32_t
files_add(LiveFiles *files, const char *uri, int64_t rows)
{
	if (files->count == files->room)
	{
		files->room *= 2;
		files->items = xrealloc(files->items, sizeof *files->items * files->room);
	}
	files->items[files->count] = (LiveFile){ .uri = xstrdup(uri), .rows = rows };
	return files->count++;
}

static void
add_shared(LiveFiles *files, const char *uri)
{
	if (files->shared_count == files->shared_room)
	{
		files->shared_room = files->shared_room == 0 ? 8 : files->shared_room * 2;
		files->shared =
			xrealloc(files->shared, sizeof *files->shared * files->shared_room);
	}
	files->shared[files->shared_count++] = xstrdup(uri);
}

static bool
mark_dead(LiveFile *file, uint32_t position)
{
	uint64_t bit = UINT64_C(1) << (position & 63);
	size_t words = ((size_t) file->rows + 63) / 64;

	if (position >= file->rows)
		return false;
	if (file->dead == NULL)
	{
		file->dead = xmalloc(sizeof *file->dead * words);
		memset(file->dead, 0, sizeof *file->dead * words);
	}
	if (file->dead[position >> 6] & bit)
		return false;
	file->dead[position >> 6] |= bit;
	file->dead_count++;
	return true;
}

void
files_kill(LiveFiles *files, RowPlace place)
{
	LiveFile *file = &files->items[place.file];

	if (!mark_dead(file, place.position))
		return;
	if (file->fresh_count == file->fresh_room)
	{
		file->fresh_room = file->fresh_room == 0 ? 16 : file->fresh_room * 2;
		file->fresh = xrealloc(file->fresh, sizeof *file->fresh * file->fresh_room);
	}
	file->fresh[file->fresh_count++] = place.position;
}

bool
files_is_dead(const LiveFile *file, int64_t position)
{
	return file->dead != NULL && (file->dead[position >> 6] >> (position & 63) & 1) != 0;
}

void
files_drop(LiveFiles *files, Table *table, uint32_t number)
{
	LiveFile *file = &files->items[number];

	table_remove(table, file->uri);
	if (file->scoped != NULL)
		table_remove(table, file->scoped);
	file_release(file);
}

int64_t
files_live_rows(const LiveFiles *files)
{
	int64_t rows = 0;

	for (uint32_t i = 1; i < files->count; i++)
		if (files->items[i].uri != NULL)
			rows += files->items[i].rows - files->items[i].dead_count;
	return rows;
}

/* ---- Loading ---- */

static LiveFile *
find_uri(LiveFiles *files, Slice uri)
{
	for (uint32_t i = 1; i < files->count; i++)
		if (files->items[i].uri != NULL &&
		    slice_equal(slice_from(files->items[i].uri), uri))
			return &files->items[i];
	return NULL;
}

static bool
load_positions(LiveFiles *files, ParquetRows *rows, Arena *scratch, Err *err)
{
	LiveFile *file = NULL;
	bool known = false;
	bool end;

	for (;;)
	{
		Cell path;
		Cell pos;

		if (!parquet_next(rows, &end, err))
			return false;
		if (end)
			return true;
		path = parquet_cell(rows, PATH_FIELD, scratch);
		pos = parquet_cell(rows, POS_FIELD, scratch);
		if (path.kind != CELL_BYTES || pos.kind != CELL_INT)
			return parquet_damaged(rows, "a path or position is null", err);
		/* Sorted by path: mostly the file of the row before. */
		if (!known || file == NULL || !slice_equal(slice_from(file->uri), path.bytes))
			file = find_uri(files, path.bytes);
		known = true;
		/* Rows of files that have left the table mean nothing any more. */
		if (file == NULL)
			continue;
		if (pos.integer < 0 || pos.integer >= file->rows)
			return parquet_damaged(rows, "a position is not in its data file", err);
		(void) mark_dead(file, (uint32_t) pos.integer);
	}
}

/* Whose delete file it is: of one data file, or shared. */
static void
add_delete_file(LiveFiles *files, const DataFile *deletes)
{
	LiveFile *scoped = NULL;

	if (deletes->referenced_data_file != NULL)
		scoped = find_uri(files, slice_from(deletes->referenced_data_file));
	if (scoped != NULL && scoped->scoped == NULL)
		scoped->scoped = xstrdup(deletes->path);
	else
		add_shared(files, deletes->path);
}

/* The delete files of a table. */
typedef struct DeleteFiles
{
	const char **local_paths;
	int32_t count;
	int64_t rows;
} DeleteFiles;

/* The data files, and where the delete files are. */
static bool
list_files(LiveFiles *files, Table *table, Arena *arena, DeleteFiles *deletes, Err *err)
{
	const TableState *state = table->state;

	for (int32_t i = 0; i < state->manifest_count; i++)
	{
		const ManifestEntries *live = &state->manifests[i]->live;

		for (int32_t j = 0; j < live->count; j++)
		{
			const DataFile *file = &live->items[j].file;

			if (file->content == FILE_EQUALITY_DELETES)
				return fail(err,
				            ERR_CONFIG,
				            "table \"%s\" has equality deletes: something else writes it",
				            table->name.name);
			if (file->content == FILE_DATA)
			{
				(void) files_add(files, file->path, file->record_count);
				continue;
			}
			deletes->rows += file->record_count;
			if (!table_local_path(table,
			                      arena,
			                      file->path,
			                      &deletes->local_paths[deletes->count++],
			                      err))
				return false;
		}
	}
	return true;
}

static void
add_delete_files(LiveFiles *files, const TableState *state)
{
	for (int32_t i = 0; i < state->manifest_count; i++)
	{
		const ManifestEntries *live = &state->manifests[i]->live;

		for (int32_t j = 0; j < live->count; j++)
			if (live->items[j].file.content == FILE_POSITION_DELETES)
				add_delete_file(files, &live->items[j].file);
	}
}

static bool
load_deletes(LiveFiles *files, Table *table, const DeleteFiles *deletes, Err *err)
{
	Arena *scratch = arena_new();
	ParquetRead read = { .local_path = deletes->local_paths[0],
		                 .fields = delete_fields,
		                 .field_count = 2,
		                 .others = deletes->local_paths + 1,
		                 .other_count = deletes->count - 1,
		                 .small_rows = deletes->rows };
	ParquetRows *rows = NULL;
	bool ok = parquet_open(table->store->parquet, &read, &rows, err) &&
	          load_positions(files, rows, scratch, err);

	parquet_close(rows);
	arena_free(scratch);
	return ok;
}

static int32_t
count_files(const TableState *state)
{
	int32_t count = 0;

	for (int32_t i = 0; i < state->manifest_count; i++)
		count += state->manifests[i]->live.count;
	return count;
}

bool
files_load(LiveFiles *files, Table *table, Err *err)
{
	Arena *arena = arena_new();
	DeleteFiles deletes = { 0 };
	bool ok;

	deletes.local_paths = arena_alloc(
		arena, sizeof *deletes.local_paths * (size_t) (count_files(table->state) + 1));
	ok = list_files(files, table, arena, &deletes, err) &&
	     (deletes.count == 0 || load_deletes(files, table, &deletes, err));
	if (ok)
		add_delete_files(files, table->state);
	arena_free(arena);
	return ok;
}

/* ---- Delete files ---- */

/* Rows (path, pos) of some files, in order of path and position. */
typedef struct DeleteRows
{
	LiveFile *const *targets; /* in order of uri */
	uint32_t target_count;
	bool only_fresh;
	uint32_t target;
	uint32_t next; /* position, or index into fresh */
} DeleteRows;

static bool
next_dead(const LiveFile *file, uint32_t *position)
{
	for (; *position < file->rows; (*position)++)
		if (files_is_dead(file, *position))
			return true;
	return false;
}

static RowStatus
delete_next(void *context, Cell *row, Err *err)
{
	DeleteRows *rows = context;

	(void) err;
	for (; rows->target < rows->target_count; rows->target++, rows->next = 0)
	{
		const LiveFile *file = rows->targets[rows->target];
		uint32_t position = rows->next;

		if (rows->only_fresh && rows->next >= file->fresh_count)
			continue;
		if (rows->only_fresh)
			position = file->fresh[rows->next];
		else if (!next_dead(file, &position))
			continue;
		rows->next = rows->only_fresh ? rows->next + 1 : position + 1;
		row[PATH_FIELD] = cell_text(file->uri);
		row[POS_FIELD] = cell_int(position);
		return ROW_READY;
	}
	return ROW_END;
}

/* The bounds of file_path are whole: readers find the data file by them. */
static void
exact_path_bounds(Arena *arena, const DeleteRows *rows, DataFile *file)
{
	const char *least = rows->targets[0]->uri;
	const char *greatest = rows->targets[rows->target_count - 1]->uri;
	IdBound *lower = (IdBound *) file->lower_bounds.items;
	IdBound *upper = arena_alloc(arena, sizeof *upper * 2);

	/* pos, which has bounds always, is the last one. */
	upper[1] = file->upper_bounds.items[file->upper_bounds.count - 1];
	lower[0].bytes = bound_exact(arena, slice_from(least));
	upper[0] = (IdBound){ DELETE_FILE_PATH_ID, bound_exact(arena, slice_from(greatest)) };
	file->upper_bounds = (IdBounds){ upper, 2 };
}

static bool
write_deletes(Table *table, DeleteRows *rows, char **uri, Err *err)
{
	DataFile file = { DATA_FILE_INIT, .content = FILE_POSITION_DELETES };
	ParquetWrite write = { .schema = &delete_schema,
		                   .next = delete_next,
		                   .context = rows };

	if (!table_new_file(table, NULL, &file.path, &write.local_path, err) ||
	    !parquet_write(table->store->parquet, &write, table->pending, &file, err))
		return false;
	exact_path_bounds(table->pending, rows, &file);
	if (rows->target_count == 1)
		file.referenced_data_file = rows->targets[0]->uri;
	table_add(table, &file);
	*uri = xstrdup(file.path);
	return true;
}

static int
compare_fresh(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *) a;
	uint32_t right = *(const uint32_t *) b;

	return (left > right) - (left < right);
}

static int
compare_uri(const void *a, const void *b)
{
	const LiveFile *const *left = a;
	const LiveFile *const *right = b;

	return strcmp((*left)->uri, (*right)->uri);
}

/* Files with dead rows (only_fresh: new ones), in order of uri; the caller frees. */
static LiveFile **
collect(LiveFiles *files, bool only_fresh, uint32_t *count)
{
	LiveFile **found = xmalloc(sizeof(LiveFile *) * files->count);

	*count = 0;
	for (uint32_t i = 1; i < files->count; i++)
	{
		LiveFile *file = &files->items[i];

		if (file->uri == NULL || (only_fresh ? file->fresh_count : file->dead_count) == 0)
			continue;
		if (only_fresh)
			qsort(file->fresh, file->fresh_count, sizeof *file->fresh, compare_fresh);
		found[(*count)++] = file;
	}
	qsort(found, *count, sizeof(LiveFile *), compare_uri);
	return found;
}

static bool
flush_scoped(Table *table, LiveFile *const *touched, uint32_t count, Err *err)
{
	for (uint32_t i = 0; i < count; i++)
	{
		DeleteRows rows = { .targets = &touched[i], .target_count = 1 };
		char *uri;

		if (!write_deletes(table, &rows, &uri, err))
			return false;
		if (touched[i]->scoped != NULL)
			table_remove(table, touched[i]->scoped);
		free(touched[i]->scoped);
		touched[i]->scoped = uri;
	}
	return true;
}

static bool
flush_shared(LiveFiles *files, Table *table, LiveFile *const *touched, uint32_t count,
             Err *err)
{
	DeleteRows rows = { .targets = touched, .target_count = count, .only_fresh = true };
	char *uri;

	if (!write_deletes(table, &rows, &uri, err))
		return false;
	add_shared(files, uri);
	free(uri);
	return true;
}

/* One delete file with every dead row, in place of all others. */
static bool
flush_folded(LiveFiles *files, Table *table, Err *err)
{
	uint32_t count;
	LiveFile **all = collect(files, false, &count);
	DeleteRows rows = { .targets = all, .target_count = count };
	char *uri;
	bool ok = write_deletes(table, &rows, &uri, err);

	for (uint32_t i = 0; ok && i < count; i++)
		if (all[i]->scoped != NULL)
		{
			table_remove(table, all[i]->scoped);
			free(all[i]->scoped);
			all[i]->scoped = NULL;
		}
	for (uint32_t i = 0; ok && i < files->shared_count; i++)
	{
		table_remove(table, files->shared[i]);
		free(files->shared[i]);
	}
	if (ok)
	{
		files->shared_count = 0;
		add_shared(files, uri);
		free(uri);
	}
	free(all);
	return ok;
}

static void
drop_empty(LiveFiles *files, Table *table)
{
	bool any = false;

	for (uint32_t i = 1; i < files->count; i++)
	{
		LiveFile *file = &files->items[i];

		if (file->uri != NULL && file->dead_count == file->rows)
			files_drop(files, table, i);
		any = any || file->uri != NULL;
	}
	for (uint32_t i = 0; !any && i < files->shared_count; i++)
	{
		table_remove(table, files->shared[i]);
		free(files->shared[i]);
	}
	if (!any)
		files->shared_count = 0;
}

bool
files_flush(LiveFiles *files, Table *table, Err *err)
{
	uint32_t count;
	LiveFile **touched;
	bool ok = true;

	drop_empty(files, table);
	touched = collect(files, true, &count);
	if (count > 0 && count <= SCOPED_MAX)
		ok = flush_scoped(table, touched, count, err);
	else if (count > 0 && files->shared_count < SHARED_MAX)
		ok = flush_shared(files, table, touched, count, err);
	else if (count > 0)
		ok = flush_folded(files, table, err);
	for (uint32_t i = 0; ok && i < count; i++)
	{
		free(touched[i]->fresh);
		touched[i]->fresh = NULL;
		touched[i]->fresh_count = touched[i]->fresh_room = 0;
	}
	free(touched);
	return ok;
}
