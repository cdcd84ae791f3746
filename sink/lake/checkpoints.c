/*
 * checkpoints.c
 *		cuts in memory and in their table, which is overwritten as a whole.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/checkpoints.h"

#include <stdlib.h>

#include "lake/storage/damage.h"

enum CheckpointField
{
	FIELD_CUT,
	FIELD_END,
	FIELD_COMMITTED,
	FIELD_TABLE,
	FIELD_SNAPSHOT,
	FIELD_STATUS,
	FIELD_COUNT,
};

/* clang-format off */
static const IcebergField checkpoint_fields[FIELD_COUNT] = {
	{ .id = 1, .name = "cut_lsn",      .type = { .kind = ICEBERG_LONG } },
	{ .id = 2, .name = "end_lsn",      .type = { .kind = ICEBERG_LONG } },
	{ .id = 3, .name = "committed_at", .type = { .kind = ICEBERG_TIMESTAMPTZ } },
	{ .id = 4, .name = "table_name",   .type = { .kind = ICEBERG_STRING } },
	{ .id = 5, .name = "snapshot_id",  .type = { .kind = ICEBERG_LONG } },
	{ .id = 6, .name = "status",       .type = { .kind = ICEBERG_STRING } },
};
/* clang-format on */

static const IcebergSchema checkpoint_schema = { .fields = checkpoint_fields,
	                                             .field_count = FIELD_COUNT };

struct Checkpoints
{
	Store *store;
	Table *table; /* NULL: not made yet */
	Position position;
	Arena *lists; /* texts of position */
	Arena *arena; /* of the rows' texts */
	CheckpointRow *rows;
	size_t count;
	size_t room;
	size_t last; /* where the newest cut begins */
};

static void
add_row(Checkpoints *checkpoints, const CheckpointRow *row)
{
	CheckpointRow *added;

	if (checkpoints->count == checkpoints->room)
	{
		checkpoints->room = checkpoints->room == 0 ? 64 : checkpoints->room * 2;
		checkpoints->rows =
			xrealloc(checkpoints->rows, sizeof *checkpoints->rows * checkpoints->room);
	}
	added = &checkpoints->rows[checkpoints->count++];
	*added = *row;
	added->table_name = arena_strdup(checkpoints->arena, row->table_name);
	added->status = arena_strdup(checkpoints->arena, row->status);
}

/* ---- Opening ---- */

static const char *
cell_string(const Cell *cell, Arena *arena)
{
	if (cell->kind != CELL_BYTES)
		return "";
	return arena_strndup(arena, cell->bytes.data, cell->bytes.len);
}

static bool
read_rows(Checkpoints *checkpoints, ParquetRows *rows, Arena *scratch, Err *err)
{
	bool end;

	for (;;)
	{
		Cell cells[FIELD_COUNT];
		CheckpointRow row;

		if (!parquet_next(rows, &end, err))
			return false;
		if (end)
			return true;
		for (int i = 0; i < FIELD_COUNT; i++)
			cells[i] = parquet_cell(rows, i, scratch);
		row = (CheckpointRow){
			.cut_lsn = (Lsn) cells[FIELD_CUT].integer,
			.end_lsn = (Lsn) cells[FIELD_END].integer,
			.committed_us = cells[FIELD_COMMITTED].integer,
			.table_name = cell_string(&cells[FIELD_TABLE], scratch),
			.snapshot_id = cells[FIELD_SNAPSHOT].integer,
			.status = cell_string(&cells[FIELD_STATUS], scratch),
		};
		/* A cut's rows stand together; the newest is the last. */
		if (checkpoints->count == 0 ||
		    checkpoints->rows[checkpoints->last].committed_us != row.committed_us)
			checkpoints->last = checkpoints->count;
		add_row(checkpoints, &row);
	}
}

static bool
read_file(Checkpoints *checkpoints, const char *uri, Err *err)
{
	Arena *scratch = arena_new();
	ParquetRead read = { .fields = checkpoint_fields, .field_count = FIELD_COUNT };
	ParquetRows *rows = NULL;
	bool ok = table_local_path(checkpoints->table, scratch, uri, &read.local_path, err) &&
	          parquet_open(checkpoints->store->parquet, &read, &rows, err) &&
	          read_rows(checkpoints, rows, scratch, err);

	parquet_close(rows);
	arena_free(scratch);
	return ok;
}

static bool
read_table(Checkpoints *checkpoints, Err *err)
{
	const TableState *state = checkpoints->table->state;
	const char *text = table_property(checkpoints->table, POSITION_PROPERTY);

	if (text != NULL)
	{
		if (!position_parse(slice_from(text), &checkpoints->position, err))
			return damage_found(err, state->metadata_location);
		position_parse_texts(
			checkpoints->lists, slice_from(text), &checkpoints->position);
	}
	for (int32_t i = 0; i < state->manifest_count; i++)
		for (int32_t j = 0; j < state->manifests[i]->live.count; j++)
			if (!read_file(
					checkpoints, state->manifests[i]->live.items[j].file.path, err))
				return false;
	return true;
}

bool
checkpoints_adopt(Store *store, Err *err)
{
	TableName name = { store->config->lake_namespace, CHECKPOINTS_TABLE };
	TableState *state;
	const char *text;
	bool ok;

	if (!catalog_load(store->catalog, &name, &state, err))
		return false;
	text = state == NULL ? NULL
	                     : properties_get(state->metadata->properties, POSITION_PROPERTY);
	ok = text == NULL || position_parse(slice_from(text), &store->self, err);
	table_state_free(state);
	return ok;
}

bool
checkpoints_open(Store *store, Checkpoints **checkpoints, Err *err)
{
	Checkpoints *opened = xmalloc(sizeof *opened);

	*opened = (Checkpoints){ .store = store, .lists = arena_new(), .arena = arena_new() };
	*checkpoints = NULL;
	if (!table_open(store, CHECKPOINTS_TABLE, &opened->table, err) ||
	    (opened->table != NULL && !read_table(opened, err)))
	{
		checkpoints_close(opened);
		return fail_while(err, "could not read the checkpoints");
	}
	*checkpoints = opened;
	return true;
}

void
checkpoints_close(Checkpoints *checkpoints)
{
	if (checkpoints == NULL)
		return;
	table_close(checkpoints->table);
	arena_free(checkpoints->lists);
	arena_free(checkpoints->arena);
	free(checkpoints->rows);
	free(checkpoints);
}

const Position *
checkpoints_position(const Checkpoints *checkpoints)
{
	return &checkpoints->position;
}

const CheckpointRow *
checkpoints_last(const Checkpoints *checkpoints, size_t *count)
{
	*count = checkpoints->count - checkpoints->last;
	return checkpoints->rows + checkpoints->last;
}

int64_t *
checkpoints_snapshots(const Checkpoints *checkpoints, size_t *count)
{
	int64_t *ids = xmalloc(sizeof *ids * (checkpoints->count + 1));

	*count = checkpoints->count;
	for (size_t i = 0; i < checkpoints->count; i++)
		ids[i] = checkpoints->rows[i].snapshot_id;
	return ids;
}

Table *
checkpoints_table(Checkpoints *checkpoints)
{
	return checkpoints->table;
}

void
checkpoints_clean(Checkpoints *checkpoints)
{
	if (checkpoints->table != NULL)
		table_clean(checkpoints->table);
}

void
checkpoints_sweep(Checkpoints *checkpoints)
{
	if (checkpoints->table != NULL)
		table_sweep(checkpoints->table);
}

/* ---- Storing ---- */

static bool
ensure_table(Checkpoints *checkpoints, Err *err)
{
	TableMake make = { .name = CHECKPOINTS_TABLE, .schema = &checkpoint_schema };

	return checkpoints->table != NULL ||
	       table_make(checkpoints->store, &make, &checkpoints->table, err);
}

bool
checkpoints_mark(Checkpoints *checkpoints, const Position *position, Err *err)
{
	CutStamp stamp = store_stamp(checkpoints->store, position);
	Buf text = buf_heap();
	bool ok;

	position_print(&text, position);
	ok = ensure_table(checkpoints, err);
	if (ok)
	{
		table_set_property(checkpoints->table, POSITION_PROPERTY, buf_cstr(&text));
		ok = table_commit_properties(checkpoints->table, stamp.timestamp_ms, err);
	}
	if (ok)
		checkpoints->position = *position;
	buf_free(&text);
	return ok;
}

/* Drop the oldest cuts beyond what is kept. */
static void
drop_old(Checkpoints *checkpoints)
{
	Arena *old = checkpoints->arena;
	CheckpointRow *rows = checkpoints->rows;
	size_t count = checkpoints->count;
	size_t first = count;
	int64_t cuts = 0;

	while (first > 0)
	{
		if (first == count || rows[first - 1].committed_us != rows[first].committed_us)
			if (++cuts > checkpoints->store->config->lake_checkpoints_keep)
				break;
		first--;
	}
	if (first == 0)
		return;
	checkpoints->arena = arena_new();
	checkpoints->rows = NULL;
	checkpoints->count = checkpoints->room = 0;
	checkpoints->last -= first;
	for (size_t i = first; i < count; i++)
		add_row(checkpoints, &rows[i]);
	free(rows);
	arena_free(old);
}

void
checkpoints_begin(Checkpoints *checkpoints)
{
	checkpoints->last = checkpoints->count;
}

void
checkpoints_add(Checkpoints *checkpoints, const char *table_name, int64_t snapshot_id,
                const char *status)
{
	add_row(checkpoints,
	        &(CheckpointRow){
				.table_name = table_name, .snapshot_id = snapshot_id, .status = status });
}

typedef struct RowSource
{
	const Checkpoints *checkpoints;
	size_t next;
} RowSource;

static RowStatus
source_next(void *context, Cell *row, Err *err)
{
	RowSource *source = context;
	const CheckpointRow *from;

	(void) err;
	if (source->next == source->checkpoints->count)
		return ROW_END;
	from = &source->checkpoints->rows[source->next++];
	row[FIELD_CUT] = cell_int((int64_t) from->cut_lsn);
	row[FIELD_END] = cell_int((int64_t) from->end_lsn);
	row[FIELD_COMMITTED] = cell_int(from->committed_us);
	row[FIELD_TABLE] = cell_text(from->table_name);
	row[FIELD_SNAPSHOT] = cell_int(from->snapshot_id);
	row[FIELD_STATUS] = cell_text(from->status);
	return ROW_READY;
}

static bool
write_rows(Checkpoints *checkpoints, Err *err)
{
	Table *table = checkpoints->table;
	RowSource source = { checkpoints, 0 };
	ParquetWrite write = { .schema = &checkpoint_schema,
		                   .next = source_next,
		                   .context = &source };
	DataFile file = { DATA_FILE_INIT };

	if (!table_new_file(table, NULL, &file.path, &write.local_path, err) ||
	    !parquet_write(checkpoints->store->parquet, &write, table->pending, &file, err))
		return false;
	table_remove_all(table);
	table_add(table, &file);
	return true;
}

bool
checkpoints_publish(Checkpoints *checkpoints, const CutStamp *stamp, Err *err)
{
	for (size_t i = checkpoints->last; i < checkpoints->count; i++)
	{
		checkpoints->rows[i].cut_lsn = stamp->position.commit_lsn;
		checkpoints->rows[i].end_lsn = stamp->position.end_lsn;
		checkpoints->rows[i].committed_us = stamp->timestamp_ms * 1000;
	}
	drop_old(checkpoints);
	if (!ensure_table(checkpoints, err) || !write_rows(checkpoints, err) ||
	    !table_commit(checkpoints->table, stamp, err))
		return false;
	checkpoints->position = stamp->position;
	return true;
}
