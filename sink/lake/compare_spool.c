/*
 * compare_spool.c
 *		source rows, mapped as silver's own, into temporary Parquet files.
 *
 * A Parquet file is written by pulling rows, and rows are pushed here: so they
 * are gathered up to a limit, and each such run is a file.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>

#include "lake/compare_state.h"

#define SPOOL_ROWS  ((size_t) 128 * 1024)
#define SPOOL_BYTES ((size_t) 32 << 20)

void
spool_init(Spool *spool, bool is_keys)
{
	*spool = (Spool){ .is_keys = is_keys, .tuples = arena_new() };
}

void
spool_reset(Spool *spool)
{
	arena_reset(spool->tuples);
	spool->count = spool->bytes = 0;
	spool->path_count = 0;
}

static void
append(Spool *spool, RowPlan *plan, Slice tuple)
{
	if (spool->count == spool->room)
	{
		spool->room = spool->room == 0 ? 1024 : spool->room * 2;
		spool->rows = xrealloc(spool->rows, sizeof *spool->rows * spool->room);
	}
	spool->rows[spool->count++] = (SpoolRow){ plan, arena_slice(spool->tuples, tuple) };
	spool->bytes += tuple.len;
}

void
spool_fini(Spool *spool)
{
	if (spool->tuples != NULL)
		arena_free(spool->tuples);
	free(spool->rows);
	free(spool->paths);
	*spool = (Spool){ 0 };
}

typedef struct SpoolWriter
{
	Compare *compare;
	Spool *spool;
} SpoolWriter;

/* A value that nobody knows: the key is all there is of the row. */
static bool
leave_out_unknown(Compare *compare, const SpoolRow *row, Err *err)
{
	if (compare->shape->key_count == 0)
		return fail(err, ERR_DATA, "a row without a key lacks the value of a column");
	append(&compare->keys, row->plan, row->tuple);
	return true;
}

static void
put_cells(const Compare *compare, bool is_keys, Cell *row)
{
	const Shape *shape = compare->shape;
	const RowDraft *draft = &compare->draft;
	Cell flags;

	if (is_keys)
	{
		for (int32_t i = 0; i < shape->key_count; i++)
			row[i] = draft->cells[shape->key[i]];
		return;
	}
	memcpy(row, draft->cells, sizeof *row * (size_t) shape->source_count);
	rowdraft_extras(
		draft, shape, NULL, compare->scratch_arena, &flags, &row[shape->source_count]);
}

static RowStatus
spool_next(void *context, Cell *row, Err *err)
{
	const SpoolWriter *writer = context;
	Compare *compare = writer->compare;
	Spool *spool = writer->spool;

	while (spool->next < spool->count)
	{
		const SpoolRow *source = &spool->rows[spool->next++];

		arena_reset(compare->scratch_arena);
		if (!rowplan_convert(source->plan,
		                     source->tuple,
		                     compare->scratch_arena,
		                     &compare->draft,
		                     err))
			return ROW_FAILED;
		if (!spool->is_keys && compare->draft.unchanged_count > 0)
		{
			if (!leave_out_unknown(compare, source, err))
				return ROW_FAILED;
			continue;
		}
		put_cells(compare, spool->is_keys, row);
		return ROW_READY;
	}
	return ROW_END;
}

/* The columns of a spool's files. */
static IcebergSchema
spool_schema(const Compare *compare, const Spool *spool, Arena *arena)
{
	const Shape *shape = compare->shape;
	IcebergField *fields =
		arena_alloc(arena, sizeof *fields * ((size_t) shape->source_count + 1));
	int32_t count = 0;

	for (int32_t i = 0; spool->is_keys && i < shape->key_count; i++)
		fields[count++] = shape->schema.fields[shape->key[i]];
	for (int32_t i = 0; !spool->is_keys && i < shape->source_count; i++)
		fields[count++] = shape->schema.fields[i];
	if (!spool->is_keys)
		fields[count++] = shape->schema.fields[shape->source_count + EXTRA_OVERFLOW];
	return (IcebergSchema){ .fields = fields, .field_count = count };
}

static bool
write_file(Compare *compare, Spool *spool, Err *err)
{
	Arena *arena = arena_new();
	IcebergSchema schema = spool_schema(compare, spool, arena);
	SpoolWriter writer = { compare, spool };
	DataFile file = { DATA_FILE_INIT };
	ParquetWrite write = {
		.local_path = scratch_file(compare->scratch, compare->arena),
		.schema = &schema,
		.next = spool_next,
		.context = &writer,
	};
	bool ok;

	spool->next = 0;
	ok = parquet_write(compare->store.parquet, &write, arena, &file, err);
	arena_free(arena);
	if (!ok)
		return fail_while(err, "could not write a temporary file");
	spool->paths = xrealloc(spool->paths, sizeof *spool->paths * (spool->path_count + 1));
	spool->paths[spool->path_count++] = write.local_path;
	arena_reset(spool->tuples);
	spool->count = spool->bytes = 0;
	return true;
}

static bool
write_full(Compare *compare, Spool *spool, Err *err)
{
	return (spool->count < SPOOL_ROWS && spool->bytes < SPOOL_BYTES) ||
	       write_file(compare, spool, err);
}

bool
spool_add(Compare *compare, Spool *spool, RowPlan *plan, Slice tuple, Err *err)
{
	if (!parquet_expect(compare->store.parquet, tuple.len, err))
		return false;
	append(spool, plan, tuple);
	/* Writing rows may add keys. */
	return write_full(compare, &compare->rows, err) &&
	       write_full(compare, &compare->keys, err);
}

bool
spool_flush(Compare *compare, Err *err)
{
	return (compare->rows.count == 0 || write_file(compare, &compare->rows, err)) &&
	       (compare->keys.count == 0 || write_file(compare, &compare->keys, err));
}
