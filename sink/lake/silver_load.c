/*
 * silver_load.c
 *		data files read back: for the index, and to give old rows a new column.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>

#include "lake/silver_state.h"
#include "lake/storage/damage.h"

#define RESERVE_FIRST ((size_t) 100000) /* rows */

/* Columns read for the key: those of the key, or all and the two that say more. */
typedef struct KeyReader
{
	Silver *silver;
	ParquetRows *rows;
	IcebergField *fields;
	int32_t field_count;
	Arena *arena;
	Arena *scratch;
} KeyReader;

static bool
reader_open(KeyReader *reader, Silver *silver, const uint32_t *numbers,
            const char *const *local_paths, uint32_t count, Err *err)
{
	const Shape *shape = silver->shape;
	ParquetRead read = { .local_path = local_paths[0],
		                 .others = local_paths + 1,
		                 .other_count = (int32_t) count - 1 };

	*reader =
		(KeyReader){ .silver = silver, .arena = arena_new(), .scratch = arena_new() };
	reader->fields = arena_zero(
		reader->arena, sizeof *reader->fields * (size_t) shape->schema.field_count);
	if (shape->identity == IDENTITY_ROW)
	{
		for (int32_t i = 0; i < shape->source_count; i++)
			reader->fields[reader->field_count++] = shape->schema.fields[i];
		reader->fields[reader->field_count++] =
			shape->schema.fields[shape->source_count + EXTRA_FLAGS];
		reader->fields[reader->field_count++] =
			shape->schema.fields[shape->source_count + EXTRA_OVERFLOW];
	}
	for (int32_t i = 0; shape->identity == IDENTITY_KEY && i < shape->key_count; i++)
		reader->fields[reader->field_count++] = shape->schema.fields[shape->key[i]];
	for (uint32_t i = 0; shape->identity == IDENTITY_KEY && i < count; i++)
		read.small_rows += silver->files.items[numbers[i]].rows;
	read.fields = reader->fields;
	read.field_count = reader->field_count;
	return parquet_open(silver->store->parquet, &read, &reader->rows, err);
}

static void
reader_close(KeyReader *reader)
{
	parquet_close(reader->rows);
	arena_free(reader->arena);
	arena_free(reader->scratch);
}

static void
read_whole_row(const KeyReader *reader)
{
	Silver *silver = reader->silver;
	const Shape *shape = silver->shape;
	Cell flags = parquet_cell(reader->rows, shape->source_count, reader->scratch);
	Cell overflow = parquet_cell(reader->rows, shape->source_count + 1, reader->scratch);

	for (int32_t i = 0; i < shape->source_count; i++)
	{
		silver->draft.cells[i] = parquet_cell(reader->rows, i, reader->scratch);
		silver->draft.remarks[i] = remark_restore(
			shape->schema.fields[i].name, &flags, &overflow, reader->scratch);
	}
	rowdraft_identity(&silver->draft, shape, &silver->key);
}

/*
 * The current row's key, into silver->key.  *found is false for a row that was stored
 * before a column was made part of the key, and lacks it: nothing finds such a row.
 */
static bool
read_key(const KeyReader *reader, bool *found, Err *err)
{
	Silver *silver = reader->silver;

	arena_reset(reader->scratch);
	buf_reset(&silver->key);
	*found = true;
	if (silver->shape->identity == IDENTITY_ROW)
	{
		read_whole_row(reader);
		return true;
	}
	for (int32_t i = 0; i < reader->field_count; i++)
	{
		Cell cell = parquet_cell(reader->rows, i, reader->scratch);

		if (cell.kind == CELL_NULL)
		{
			*found = false;
			silver->lacks_keys = true;
			return silver->stale != NULL || silver->key_is_new ||
			       parquet_damaged(reader->rows, "a column of the key is null", err);
		}
		cell_canonical(&silver->key, &reader->fields[i].type, &cell);
	}
	return true;
}

static bool
wrong_count(const char *local_path, Err *err)
{
	(void) fail(err, ERR_FATAL, "it has another number of rows than its manifest says");
	return damage_found(err, local_path);
}

/* Room for the rows that the manifests tell of, by and by: they may tell of too many. */
static void
reserve_ahead(Silver *silver, size_t *reserved)
{
	size_t count = index_count(silver->index);
	size_t rows;

	if (count < *reserved)
		return;
	rows = (size_t) files_live_rows(&silver->files);
	*reserved = count < RESERVE_FIRST ? RESERVE_FIRST : count * 8;
	index_reserve(silver->index, *reserved < rows ? *reserved : rows);
}

/* Call silver_index_add or _settle for every live row of some files. */
static bool
index_rows(Silver *silver, const uint32_t *numbers, const char *const *local_paths,
           uint32_t count, void (*put)(Silver *, RowPlace), Err *err)
{
	KeyReader reader;
	bool ok = reader_open(&reader, silver, numbers, local_paths, count, err);
	int64_t *rows = arena_zero(reader.arena, sizeof *rows * count);
	size_t reserved = 0;
	bool end = false;
	bool found;

	while (ok)
	{
		const LiveFile *file;
		RowPlace place;
		int32_t i;

		ok = parquet_next(reader.rows, &end, err);
		if (!ok || end)
			break;
		i = parquet_file(reader.rows);
		place = (RowPlace){ numbers[i], (uint32_t) parquet_position(reader.rows) };
		file = &silver->files.items[place.file];
		if (rows[i]++ >= file->rows)
			break;
		if (files_is_dead(file, place.position))
			continue;
		reserve_ahead(silver, &reserved);
		ok = read_key(&reader, &found, err);
		if (ok && found)
			put(silver, place);
	}
	for (uint32_t i = 0; ok && i < count; i++)
		if (rows[i] != silver->files.items[numbers[i]].rows)
			ok = wrong_count(local_paths[i], err);
	reader_close(&reader);
	return ok;
}

bool
silver_index_file(Silver *silver, uint32_t number, const char *local_path, Err *err)
{
	if (silver->shape->identity == IDENTITY_APPEND)
		return true;
	return index_rows(silver, &number, &local_path, 1, silver_index_settle, err);
}

bool
silver_index_load(Silver *silver, Err *err)
{
	Arena *arena = arena_new();
	uint32_t *numbers = arena_alloc(arena, sizeof *numbers * silver->files.count);
	const char **local_paths =
		arena_alloc(arena, sizeof *local_paths * silver->files.count);
	uint32_t count = 0;
	bool ok = true;

	silver_index_reset(silver);
	for (uint32_t i = 1; ok && silver->index != NULL && i < silver->files.count; i++)
	{
		if (silver->files.items[i].uri == NULL)
			continue;
		numbers[count] = i;
		ok = table_local_path(
			silver->table, arena, silver->files.items[i].uri, &local_paths[count++], err);
	}
	if (ok && count > 0)
		ok = index_rows(silver, numbers, local_paths, count, silver_index_add, err);
	arena_free(arena);
	return ok;
}

/* ---- Rewriting ---- */

typedef struct Rewriter
{
	Silver *silver;
	uint32_t number; /* of the file read */
	ParquetRows *rows;
	Arena *scratch;
} Rewriter;

/* Put the values of columns that the file lacks into row. */
static void
fill_row(const Rewriter *rewriter, Cell *row)
{
	Silver *silver = rewriter->silver;
	const Shape *shape = silver->shape;
	Cell *flags = row + shape->source_count + EXTRA_FLAGS;
	Cell *overflow = row + shape->source_count + EXTRA_OVERFLOW;
	RowDraft *draft = &silver->draft;
	bool is_remarked = false;

	for (int32_t i = 0; i < shape->source_count; i++)
		draft->remarks[i] = remark_restore(
			shape->schema.fields[i].name, flags, overflow, rewriter->scratch);
	for (uint32_t i = 0; i < silver->task_count; i++)
	{
		const FillTask *task = &silver->tasks[i];

		for (int32_t j = 0; j < shape->source_count; j++)
		{
			if (shape->schema.fields[j].id != task->fill.field_id ||
			    rewriter->number >= task->before)
				continue;
			row[j] = task->fill.value.cell;
			if (task->fill.value.remark.reason == NULL)
				continue;
			draft->remarks[j] = &task->fill.value.remark;
			is_remarked = true;
		}
	}
	if (is_remarked)
		rowdraft_extras(draft,
		                shape,
		                shape->identity == IDENTITY_APPEND ? NO_KEY_FLAG : NULL,
		                rewriter->scratch,
		                flags,
		                overflow);
}

static RowStatus
rewrite_next(void *context, Cell *row, Err *err)
{
	Rewriter *rewriter = context;
	Silver *silver = rewriter->silver;
	const LiveFile *file = &silver->files.items[rewriter->number];
	bool end;

	do
	{
		if (!parquet_next(rewriter->rows, &end, err))
			return ROW_FAILED;
		if (end)
			return ROW_END;
	} while (files_is_dead(file, parquet_position(rewriter->rows)));
	arena_reset(rewriter->scratch);
	for (int32_t i = 0; i < silver->shape->schema.field_count; i++)
		row[i] = parquet_cell(rewriter->rows, i, rewriter->scratch);
	fill_row(rewriter, row);
	return ROW_READY;
}

static bool
rewrite_file(Silver *silver, uint32_t number, Err *err)
{
	const IcebergSchema *schema = &silver->shape->schema;
	Arena *pending = silver->table->pending;
	Rewriter rewriter = { .silver = silver, .number = number, .scratch = arena_new() };
	ParquetRead read = { .fields = schema->fields, .field_count = schema->field_count };
	ParquetWrite write = { .schema = schema, .next = rewrite_next, .context = &rewriter };
	DataFile file = { DATA_FILE_INIT };
	uint32_t number_now;
	bool ok = table_local_path(silver->table,
	                           pending,
	                           silver->files.items[number].uri,
	                           &read.local_path,
	                           err) &&
	          table_new_file(silver->table, NULL, &file.path, &write.local_path, err) &&
	          parquet_open(silver->store->parquet, &read, &rewriter.rows, err) &&
	          parquet_write(silver->store->parquet, &write, pending, &file, err);

	parquet_close(rewriter.rows);
	arena_free(rewriter.scratch);
	if (!ok)
	{
		(void) table_lost(silver->table, err);
		return fail_while(
			err, "could not rewrite a file of table \"%s\"", silver->table->name.name);
	}
	table_add(silver->table, &file);
	number_now = files_add(&silver->files, file.path, file.record_count);
	/* Whole rows are indexed anew by the caller: their keys have changed. */
	if (silver->shape->identity == IDENTITY_KEY)
		ok = silver_index_file(silver, number_now, write.local_path, err) ||
		     table_lost(silver->table, err);
	files_drop(&silver->files, silver->table, number);
	return ok;
}

bool
silver_rewrite(Silver *silver, Err *err)
{
	uint32_t before = 0;

	for (uint32_t i = 0; i < silver->task_count; i++)
		if (silver->tasks[i].before > before)
			before = silver->tasks[i].before;
	for (uint32_t i = 1; i < before; i++)
	{
		LiveFile *file = &silver->files.items[i];

		if (file->uri == NULL || file->dead_count == file->rows)
			continue;
		if (!rewrite_file(silver, i, err))
			return false;
	}
	silver->task_count = 0;
	return true;
}
