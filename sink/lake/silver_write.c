/*
 * silver_write.c
 *		the buffer as a data file.
 *
 * Rows whose unchanged TOAST columns stand in older files come last, in the
 * order of those files and positions: each old file is read once, beside the
 * write, and one old row is in memory at a time (lake.md 11).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>

#include "lake/silver_state.h"

typedef struct Writer
{
	Silver *silver;
	uint32_t *order; /* slots in the order of writing */
	uint32_t count;
	uint32_t next;
	Arena *scratch; /* of one row */
	/* The file that unchanged columns are read from. */
	uint32_t source;
	ParquetRows *rows;
	IcebergField *fields; /* of rows: the source columns, _dq_flags, _overflow */
	Arena *fields_arena;
} Writer;

/* ---- Unchanged columns ---- */

static bool
open_source(Writer *writer, uint32_t number, Err *err)
{
	Silver *silver = writer->silver;
	const Shape *shape = silver->shape;
	ParquetRead read = { .fields = writer->fields,
		                 .field_count = shape->source_count + 2 };

	parquet_close(writer->rows);
	writer->rows = NULL;
	writer->source = number;
	for (int32_t i = 0; i < shape->source_count; i++)
		writer->fields[i] = shape->schema.fields[i];
	writer->fields[shape->source_count] =
		shape->schema.fields[shape->source_count + EXTRA_FLAGS];
	writer->fields[shape->source_count + 1] =
		shape->schema.fields[shape->source_count + EXTRA_OVERFLOW];
	return table_local_path(silver->table,
	                        writer->fields_arena,
	                        silver->files.items[number].uri,
	                        &read.local_path,
	                        err) &&
	       parquet_open(silver->store->parquet, &read, &writer->rows, err);
}

static bool
go_to(Writer *writer, RowPlace place, Err *err)
{
	bool end;

	if (writer->rows == NULL || writer->source != place.file)
	{
		if (!open_source(writer, place.file, err) ||
		    !parquet_next(writer->rows, &end, err))
			return false;
		if (end)
			return parquet_damaged(writer->rows, "it has no rows", err);
	}
	while (parquet_position(writer->rows) < place.position)
	{
		if (!parquet_next(writer->rows, &end, err))
			return false;
		if (end)
			return parquet_damaged(writer->rows, "it has too few rows", err);
	}
	return true;
}

/* Take the columns that the tuple does not have from the old row. */
static bool
fill_unchanged(Writer *writer, RowPlace place, Err *err)
{
	Silver *silver = writer->silver;
	const Shape *shape = silver->shape;
	RowDraft *draft = &silver->draft;
	Cell flags;
	Cell overflow;

	if (!go_to(writer, place, err))
		return false;
	flags = parquet_cell(writer->rows, shape->source_count, writer->scratch);
	overflow = parquet_cell(writer->rows, shape->source_count + 1, writer->scratch);
	for (int32_t i = 0; i < shape->source_count; i++)
	{
		if (!draft->unchanged[i])
			continue;
		draft->cells[i] = parquet_cell(writer->rows, i, writer->scratch);
		draft->remarks[i] = remark_restore(
			shape->schema.fields[i].name, &flags, &overflow, writer->scratch);
	}
	return true;
}

/* ---- Rows ---- */

static const char *
op_text(char op)
{
	static const char *const texts[] = { "c", "r", "u" };

	return op == 'c' ? texts[0] : op == 'r' ? texts[1] : texts[2];
}

static RowStatus
writer_next(void *context, Cell *row, Err *err)
{
	Writer *writer = context;
	Silver *silver = writer->silver;
	const Shape *shape = silver->shape;
	const SilverRow *source;
	Cell *extras = row + shape->source_count;

	if (writer->next == writer->count)
		return ROW_END;
	arena_reset(writer->scratch);
	source = &silver->rows[writer->order[writer->next++]];
	if (!rowplan_convert(silver_plan(silver, source->relation),
	                     source->tuple,
	                     writer->scratch,
	                     &silver->draft,
	                     err))
		return ROW_FAILED;
	if (silver->draft.unchanged_count > 0 && source->fill.file != BUFFER_FILE &&
	    !fill_unchanged(writer, source->fill, err))
		return ROW_FAILED;
	memcpy(row, silver->draft.cells, sizeof *row * (size_t) shape->source_count);
	extras[EXTRA_OP] = cell_text(op_text(source->op));
	extras[EXTRA_LSN] = cell_int((int64_t) source->commit_lsn);
	extras[EXTRA_COMMIT_TS] = cell_int(source->commit_us);
	rowdraft_extras(&silver->draft,
	                shape,
	                shape->identity == IDENTITY_APPEND ? NO_KEY_FLAG : NULL,
	                writer->scratch,
	                &extras[EXTRA_FLAGS],
	                &extras[EXTRA_OVERFLOW]);
	return ROW_READY;
}

static int
compare_fill(const void *a, const void *b, void *context)
{
	const SilverRow *rows = context;
	RowPlace left = rows[*(const uint32_t *) a].fill;
	RowPlace right = rows[*(const uint32_t *) b].fill;

	if (left.file != right.file)
		return left.file < right.file ? -1 : 1;
	return (left.position > right.position) - (left.position < right.position);
}

static void
make_order(Writer *writer)
{
	Silver *silver = writer->silver;
	uint32_t filled = 0;

	writer->order = xmalloc(sizeof *writer->order * silver->live_count);
	for (uint32_t i = 0; i < silver->row_count; i++)
		if (silver->rows[i].is_live && silver->rows[i].fill.file == BUFFER_FILE)
			writer->order[writer->count++] = i;
	filled = writer->count;
	for (uint32_t i = 0; i < silver->row_count; i++)
		if (silver->rows[i].is_live && silver->rows[i].fill.file != BUFFER_FILE)
			writer->order[writer->count++] = i;
	qsort_r(writer->order + filled,
	        writer->count - filled,
	        sizeof *writer->order,
	        compare_fill,
	        silver->rows);
}

static size_t
largest_row(const Writer *writer)
{
	size_t largest = 0;

	for (uint32_t i = 0; i < writer->count; i++)
	{
		size_t bytes = writer->silver->rows[writer->order[i]].tuple.len;

		if (bytes > largest)
			largest = bytes;
	}
	return largest;
}

static bool
write_file(Writer *writer, DataFile *file, const char **local, Err *err)
{
	Silver *silver = writer->silver;
	ParquetWrite write = { .schema = &silver->shape->schema,
		                   .next = writer_next,
		                   .context = writer,
		                   .row_bytes = largest_row(writer) };

	if (!table_new_file(silver->table, NULL, &file->path, local, err))
		return false;
	write.local_path = *local;
	if (!parquet_write(silver->store->parquet, &write, silver->table->pending, file, err))
		return false;
	table_add(silver->table, file);
	return true;
}

static bool
write_buffer(Silver *silver, Err *err)
{
	Writer writer = { .silver = silver,
		              .scratch = arena_new(),
		              .fields_arena = arena_new() };
	DataFile file = { DATA_FILE_INIT };
	const char *local = NULL;
	bool ok;

	writer.fields =
		arena_zero(writer.fields_arena,
	               sizeof *writer.fields * (size_t) (silver->shape->source_count + 2));
	make_order(&writer);
	ok = write_file(&writer, &file, &local, err);
	parquet_close(writer.rows);
	free(writer.order);
	arena_free(writer.fields_arena);
	arena_free(writer.scratch);
	if (!ok)
		return fail_while(
			err, "could not write a file of table \"%s\"", silver->table->name.name);
	return silver_index_file(silver,
	                         files_add(&silver->files, file.path, file.record_count),
	                         local,
	                         err) ||
	       table_lost(silver->table, err);
}

bool
silver_flush(Silver *silver, Err *err)
{
	if (silver->live_count > 0 && !write_buffer(silver, err))
		return false;
	arena_free(silver->buffer);
	silver->buffer = arena_new();
	free(silver->rows);
	silver->rows = NULL;
	silver->row_count = silver->row_room = 0;
	silver->live_count = 0;
	return true;
}

bool
silver_prepare(Silver *silver, Err *err)
{
	silver_settle_truncate(silver);
	if (!silver_flush(silver, err))
		return false;
	silver_forget_plans(silver);
	return silver_rewrite(silver, err) && files_flush(&silver->files, silver->table, err);
}
