/*
 * silver.c
 *		folding changes into the buffer and the index.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>

#include "base/log.h"
#include "lake/silver_state.h"
#include "lake/storage/damage.h"

#define SCRATCH_BYTES ((size_t) 64 * 1024)
#define PLANS_KEPT    64 /* beyond a cut */

/* ---- Opening ---- */

static Silver *
silver_new(Store *store, Table *table)
{
	Silver *silver = xmalloc(sizeof *silver);

	*silver = (Silver){
		.store = store,
		.table = table,
		.buffer = arena_new(),
		.scratch = arena_new(),
		.draft_arena = arena_new(),
		.key = buf_heap(),
		.old_key = buf_heap(),
	};
	files_init(&silver->files);
	return silver;
}

static void
free_plans(Silver *silver)
{
	for (uint32_t i = 0; i < silver->plan_count; i++)
		rowplan_free(silver->plans[i].plan);
	silver->plan_count = 0;
}

static void
free_retired(Silver *silver)
{
	for (uint32_t i = 0; i < silver->retired_count; i++)
		shape_free(silver->retired[i]);
	silver->retired_count = 0;
}

void
silver_close(Silver *silver)
{
	if (silver == NULL)
		return;
	free_plans(silver);
	free_retired(silver);
	free(silver->plans);
	free(silver->retired);
	free(silver->tasks);
	free(silver->relations);
	free(silver->rows);
	free(silver->stale);
	shape_free(silver->shape);
	index_free(silver->index);
	files_fini(&silver->files);
	arena_free(silver->buffer);
	arena_free(silver->scratch);
	arena_free(silver->draft_arena);
	buf_free(&silver->key);
	buf_free(&silver->old_key);
	table_close(silver->table);
	free(silver);
}

/* The last known version of the table, or of a leaf. */
static void
set_in_force(Silver *silver, const Relation *relation)
{
	for (uint32_t i = 0; i < silver->relation_count; i++)
		if (silver->relations[i]->relid == relation->relid)
		{
			silver->relations[i] = relation;
			return;
		}
	silver->relations = xrealloc(
		silver->relations, sizeof *silver->relations * (silver->relation_count + 1));
	silver->relations[silver->relation_count++] = relation;
}

bool
silver_open(Store *store, Table *table, Silver **silver, Err *err)
{
	Silver *opened = silver_new(store, table);
	const char *stale = table_property(table, STALE_PROPERTY);
	Shape *shape;

	*silver = NULL;
	opened->last_id = table->state->metadata->last_column_id;
	if (stale != NULL && *stale != '\0')
		opened->stale = xstrdup(stale);
	if (shape_read(
			table_schema(table), table_property(table, COLUMNS_PROPERTY), &shape, err))
	{
		silver_set_shape(opened, shape);
		if (files_load(&opened->files, table, err) && silver_index_load(opened, err))
		{
			*silver = opened;
			return true;
		}
	}
	(void) damage_found(err, table->state->metadata_location);
	(void) fail_while(err, "could not open table \"%s\"", table->name.name);
	silver_close(opened);
	return false;
}

bool
silver_make(Store *store, const char *name, const Relation *relation, Silver **silver,
            Err *err)
{
	ShapeRequest request = { .config = store->config, .relation = relation };
	ShapeChange change;
	Shape *shape;
	Table *table;
	Arena *arena = arena_new();
	IcebergProperty properties[] = {
		{ COLUMNS_PROPERTY, NULL },
		{ "cdc.source",
		  arena_printf(
			  arena,
			  "%s.%s",
			  relation->root_relid != 0 ? relation->root_schema : relation->schema,
			  relation->root_relid != 0 ? relation->root_name : relation->name) },
	};
	bool ok;

	*silver = NULL;
	ok = shape_evolve(&request, NULL, &shape, &change, err);
	if (ok)
	{
		TableMake make = { .name = name,
			               .schema = &shape->schema,
			               .properties = properties,
			               .property_count = 2 };

		properties[0].value = shape_print(shape, store->self.system_id, arena);
		ok = table_make(store, &make, &table, err);
		if (!ok)
			shape_free(shape);
	}
	if (ok)
	{
		*silver = silver_new(store, table);
		(*silver)->last_id = table->state->metadata->last_column_id;
		silver_set_shape(*silver, shape);
		silver_index_reset(*silver);
		set_in_force(*silver, relation);
	}
	arena_free(arena);
	return ok;
}

Table *
silver_table(Silver *silver)
{
	return silver->table;
}

uint32_t
silver_relid(const Silver *silver)
{
	return silver->shape->relid;
}

bool
silver_tracks(const Silver *silver, uint32_t relid)
{
	return shape_tracks(silver->shape, relid);
}

uint32_t
silver_tracked(const Silver *silver, int32_t i)
{
	return i < silver->shape->track_count ? silver->shape->tracks[i].relid : 0;
}

bool
silver_has_key(const Silver *silver)
{
	return silver->shape->identity == IDENTITY_KEY;
}

size_t
silver_bytes(const Silver *silver)
{
	return arena_bytes(silver->buffer) + silver->row_count * sizeof *silver->rows;
}

int64_t
silver_rows(const Silver *silver)
{
	return files_live_rows(&silver->files) + silver->live_count;
}

/* ---- Shapes ---- */

void
silver_set_shape(Silver *silver, Shape *shape)
{
	free_plans(silver);
	if (silver->shape != NULL)
	{
		silver->retired = xrealloc(silver->retired,
		                           sizeof *silver->retired * (silver->retired_count + 1));
		silver->retired[silver->retired_count++] = silver->shape;
	}
	silver->shape = shape;
	arena_reset(silver->draft_arena);
	silver->draft = rowdraft_new(silver->draft_arena, shape);
}

RowPlan *
silver_plan(Silver *silver, const Relation *relation)
{
	for (uint32_t i = silver->plan_count; i > 0; i--)
		if (silver->plans[i - 1].relation == relation)
			return silver->plans[i - 1].plan;
	silver->plans =
		xrealloc(silver->plans, sizeof *silver->plans * (silver->plan_count + 1));
	silver->plans[silver->plan_count] =
		(PlanSlot){ relation,
		            rowplan_new(silver->shape, relation, silver->store->config) };
	return silver->plans[silver->plan_count++].plan;
}

void
silver_forget_plans(Silver *silver)
{
	if (silver->plan_count > PLANS_KEPT)
		free_plans(silver);
}

/* Index the rows by the key that they have from now on. */
static bool
index_by_new_key(Silver *silver, Err *err)
{
	bool ok;

	silver->key_is_new = true;
	silver->lacks_keys = false;
	silver_index_reset(silver);
	/* Whole rows, and columns of the key that files lack, are found by their values. */
	ok = ((silver->shape->identity != IDENTITY_ROW && silver->task_count == 0) ||
	      silver_rewrite(silver, err)) &&
	     silver_index_load(silver, err);
	silver->key_is_new = false;
	if (ok && silver->lacks_keys)
		silver_ask(silver,
		           "rows stored before lack a column that was made part of the key");
	return ok;
}

/* What the change means for rows already stored and for the next commit. */
static bool
apply_shape(Silver *silver, Shape *shape, const ShapeChange *change, Err *err)
{
	bool has_rows;

	/* Buffered rows are indexed by keys of the old shape, and converted by its tracks:
	 * the new one may know nothing of their relation. */
	if ((change->identity_changed || change->tracks_changed) && silver->row_count > 0 &&
	    !silver_flush(silver, err))
	{
		shape_free(shape);
		return false;
	}
	has_rows = silver_rows(silver) > 0;
	for (int32_t i = 0; has_rows && i < change->fill_count; i++)
	{
		silver->tasks =
			xrealloc(silver->tasks, sizeof *silver->tasks * (silver->task_count + 1));
		silver->tasks[silver->task_count++] =
			(FillTask){ change->fills[i], silver->files.count };
	}
	silver_set_shape(silver, shape);
	if (iceberg_greatest_id(&shape->schema) > silver->last_id)
		silver->last_id = iceberg_greatest_id(&shape->schema);
	if (change->schema_changed)
		table_set_schema(silver->table, &shape->schema);
	if (change->schema_changed || change->tracks_changed)
		table_set_property(
			silver->table,
			COLUMNS_PROPERTY,
			shape_print(shape, silver->store->self.system_id, silver->scratch));
	if (change->stale != NULL && has_rows)
		silver_ask(silver, change->stale);
	return !change->identity_changed || index_by_new_key(silver, err);
}

static bool
evolve(Silver *silver, const Relation *relation, bool is_replaced, Err *err)
{
	ShapeRequest request = { .config = silver->store->config,
		                     .relation = relation,
		                     .last_id = silver->last_id,
		                     .is_replaced = is_replaced };
	ShapeChange change;
	Shape *shape;

	if (!shape_evolve(&request, silver->shape, &shape, &change, err))
		return false;
	if (!apply_shape(silver, shape, &change, err))
		return fail_while(err, "table \"%s\"", silver->table->name.name);
	set_in_force(silver, relation);
	return true;
}

bool
silver_relation(Silver *silver, const Relation *relation, Err *err)
{
	/* A partitioned table has no rows of its own; only TRUNCATE names it. */
	if (relation->relkind == 'p' && silver->shape != NULL)
		return true;
	for (uint32_t i = silver->relation_count; i > 0; i--)
	{
		const Relation *known = silver->relations[i - 1];

		if (known == relation)
			return true;
		if (known->relid == relation->relid)
			return known->version == relation->version ||
			       evolve(silver, relation, false, err);
	}
	return evolve(silver, relation, false, err);
}

bool
silver_forget(Silver *silver, uint32_t relid, Err *err)
{
	/* Buffered rows of the leaf are converted by what is forgotten. */
	silver_settle_truncate(silver);
	if (silver->row_count > 0 && !silver_flush(silver, err))
		return fail_while(err, "table \"%s\"", silver->table->name.name);
	for (uint32_t i = 0; i < silver->relation_count; i++)
		if (silver->relations[i]->relid == relid)
			silver->relations[i--] = silver->relations[--silver->relation_count];
	silver_set_shape(silver, shape_without(silver->shape, relid));
	table_set_property(
		silver->table,
		COLUMNS_PROPERTY,
		shape_print(silver->shape, silver->store->self.system_id, silver->scratch));
	return true;
}

/* ---- The index ---- */

/* Append which of several equal rows is meant, and return the whole key. */
static Slice
numbered_key(Silver *silver, size_t len, uint32_t number)
{
	silver->key.len = len;
	buf_append(&silver->key, &number, sizeof number);
	return (Slice){ silver->key.data, silver->key.len };
}

static bool
is_numbered(Silver *silver, size_t len, uint32_t number, bool settled)
{
	RowPlace place;

	return index_find(silver->index, numbered_key(silver, len, number), &place) &&
	       (!settled || place.file != BUFFER_FILE);
}

/*
 * Equal rows are numbered from 0 without gaps, those in files before those in
 * the buffer.  How many there are (settled: in files): by doubling and halving.
 */
static uint32_t
count_equal(Silver *silver, size_t len, bool settled)
{
	uint32_t low = 0;
	uint32_t high = 1;

	if (!is_numbered(silver, len, 0, settled))
		return 0;
	while (is_numbered(silver, len, high, settled))
	{
		low = high;
		high *= 2;
	}
	while (high - low > 1)
	{
		uint32_t middle = low + (high - low) / 2;

		if (is_numbered(silver, len, middle, settled))
			low = middle;
		else
			high = middle;
	}
	return high;
}

static void
kill_row(Silver *silver, RowPlace place)
{
	if (place.file != BUFFER_FILE)
		files_kill(&silver->files, place);
	else if (silver->rows[place.position].is_live)
	{
		silver->rows[place.position].is_live = false;
		silver->live_count--;
	}
}

void
silver_index_add(Silver *silver, RowPlace place)
{
	size_t len = silver->key.len;
	RowPlace old;
	Slice key;

	if (silver->shape->identity == IDENTITY_APPEND)
		return;
	if (silver->shape->identity == IDENTITY_ROW)
		key = numbered_key(silver, len, count_equal(silver, len, false));
	else
		key = (Slice){ silver->key.data, len };
	if (index_put(silver->index, key, place, &old))
		kill_row(silver, old);
}

void
silver_index_settle(Silver *silver, RowPlace place)
{
	size_t len = silver->key.len;
	RowPlace old;
	Slice key = { silver->key.data, len };

	if (silver->shape->identity == IDENTITY_APPEND)
		return;
	if (silver->shape->identity == IDENTITY_ROW)
		key = numbered_key(silver, len, count_equal(silver, len, true));
	(void) index_put(silver->index, key, place, &old);
}

void
silver_index_reset(Silver *silver)
{
	size_t width = 0;
	bool exact = silver->shape->identity == IDENTITY_KEY;

	for (int32_t i = 0; i < silver->shape->key_count; i++)
	{
		const IcebergField *field = &silver->shape->schema.fields[silver->shape->key[i]];
		size_t part = cell_canonical_width(&field->type);

		exact = exact && part > 0;
		width += part;
	}
	index_free(silver->index);
	silver->index = silver->shape->identity == IDENTITY_APPEND
	                    ? NULL
	                    : index_new(exact && width <= 8, silver->store->seed);
}

/* ---- Changes ---- */

static uint32_t
add_row(Silver *silver, const Event *event, Slice tuple, RowPlace fill, char op)
{
	SilverRow *row;

	if (silver->row_count == silver->row_room)
	{
		silver->row_room = silver->row_room == 0 ? 256 : silver->row_room * 2;
		silver->rows = xrealloc(silver->rows, sizeof *silver->rows * silver->row_room);
	}
	row = &silver->rows[silver->row_count];
	*row = (SilverRow){
		.relation = event->relation,
		.tuple = event_keep(event, tuple, silver->buffer),
		.commit_lsn = event->txn == NULL ? event->lsn : event->txn->commit_lsn,
		.commit_us = event->txn == NULL ? 0 : event->txn->commit_us,
		.fill = fill,
		.op = op,
		.is_live = true,
	};
	silver->live_count++;
	return silver->row_count++;
}

/* The key of a tuple, into silver->key.  Whole rows: what tells them apart. */
static bool
make_key(Silver *silver, const Event *event, Slice tuple, Slice old, Err *err)
{
	RowPlan *plan = silver_plan(silver, event->relation);

	buf_reset(&silver->key);
	switch (silver->shape->identity)
	{
		case IDENTITY_KEY:
			return rowplan_key(plan, tuple, old, silver->scratch, &silver->key, err);
		case IDENTITY_ROW:
			if (!rowplan_convert(plan, tuple, silver->scratch, &silver->draft, err))
				return false;
			rowdraft_identity(&silver->draft, silver->shape, &silver->key);
			return true;
		default:
			return true;
	}
}

/* Take the row of silver->key out of the index.  False when there is none. */
static bool
take_row(Silver *silver, RowPlace *place)
{
	size_t len = silver->key.len;
	uint32_t count;

	if (silver->shape->identity == IDENTITY_KEY)
		return index_take(silver->index, (Slice){ silver->key.data, len }, place);
	count = count_equal(silver, len, false);
	return count > 0 &&
	       index_take(silver->index, numbered_key(silver, len, count - 1), place);
}

static bool
put_row(Silver *silver, const Event *event, Slice tuple, RowPlace fill, char op, Err *err)
{
	RowPlace place = { BUFFER_FILE, 0 };

	if (!make_key(silver, event, tuple, event->old_tuple, err))
		return false;
	place.position = add_row(silver, event, tuple, fill, op);
	silver_index_add(silver, place);
	return true;
}

/* A new tuple with what could be completed in memory, and where the rest stands. */
typedef struct Completed
{
	Slice tuple;
	RowPlace fill; /* file 0: nothing is left to fill in */
} Completed;

/*
 * Complete the new tuple of an update whose old row is at place (NULL: not known):
 * from the old tuple, from the buffered row, or later from the file.
 */
static bool
complete(Silver *silver, const Event *event, const RowPlace *place, Completed *done,
         Err *err)
{
	RowPlan *plan = silver_plan(silver, event->relation);
	Slice base = event->old_tuple;
	bool has_unchanged;

	*done = (Completed){ event->new_tuple, { BUFFER_FILE, 0 } };
	if (!rowplan_has_unchanged(plan, done->tuple, &has_unchanged, err))
		return false;
	if (!has_unchanged)
		return true;
	if (event->old_kind != 'O')
	{
		if (place == NULL)
		{
			/* Of a part the row may be missing, and will come by reading on. */
			if (!silver_is_partial(silver))
				silver_ask(silver, "a row was updated that silver does not have");
			return true;
		}
		if (place->file != BUFFER_FILE)
		{
			done->fill = *place;
			return true;
		}
		base = silver->rows[place->position].tuple;
		done->fill = silver->rows[place->position].fill;
	}
	return rowplan_merge(plan, done->tuple, base, silver->scratch, &done->tuple, err);
}

/* Where the row of silver->key is, without taking it out. */
static bool
find_row(Silver *silver, RowPlace *place)
{
	return silver->shape->identity == IDENTITY_KEY &&
	       index_find(silver->index, (Slice){ silver->key.data, silver->key.len }, place);
}

static bool
update_row(Silver *silver, const Event *event, Err *err)
{
	Slice old = event->old_tuple.data != NULL ? event->old_tuple : event->new_tuple;
	RowPlace place = { BUFFER_FILE, 0 };
	Completed done;
	bool known;

	if (!make_key(silver, event, old, (Slice){ NULL, 0 }, err))
		return false;
	known = find_row(silver, &place);
	/* Tuples of two versions do not merge: let the old one be read from a file. */
	if (known && place.file == BUFFER_FILE &&
	    silver->rows[place.position].relation != event->relation)
	{
		if (!silver_flush(silver, err) ||
		    !make_key(silver, event, old, (Slice){ NULL, 0 }, err))
			return false;
		known = find_row(silver, &place);
	}
	if (!complete(silver, event, known ? &place : NULL, &done, err))
		return false;
	if (event->old_tuple.data != NULL || silver->shape->identity == IDENTITY_ROW)
	{
		if (!make_key(silver, event, old, (Slice){ NULL, 0 }, err))
			return false;
		if (take_row(silver, &place))
			kill_row(silver, place);
	}
	return put_row(silver, event, done.tuple, done.fill, 'u', err);
}

/*
 * An update that brought its row into the row filter comes as an insert: what it left in
 * TOAST and old tuples do not carry is nowhere to be had.
 */
static bool
insert_row(Silver *silver, const Event *event, Err *err)
{
	const EnvOptions *options = &silver->store->config->env;
	bool has_unchanged = false;

	if ((options->row_filters.count > 0 || options->published->given) &&
	    !rowplan_has_unchanged(
			silver_plan(silver, event->relation), event->new_tuple, &has_unchanged, err))
		return false;
	if (has_unchanged)
		silver_set_stale(silver,
		                 "a row came into the row filter without its unchanged TOAST "
		                 "values; REPLICA IDENTITY FULL sends them");
	return put_row(
		silver, event, event->new_tuple, (RowPlace){ BUFFER_FILE, 0 }, 'c', err);
}

static bool
append_update(Silver *silver, const Event *event, Err *err)
{
	silver_set_stale(silver, "a row of a table without a key was updated");
	return put_row(
		silver, event, event->new_tuple, (RowPlace){ BUFFER_FILE, 0 }, 'u', err);
}

static bool
delete_row(Silver *silver, const Event *event, Err *err)
{
	RowPlace place;

	if (silver->shape->identity == IDENTITY_APPEND || event->old_tuple.data == NULL)
	{
		silver_set_stale(silver, "a row was deleted without a replica identity");
		return true;
	}
	if (!make_key(silver, event, event->old_tuple, (Slice){ NULL, 0 }, err))
		return false;
	if (take_row(silver, &place))
		kill_row(silver, place);
	return true;
}

static void
reset_buffer(Silver *silver)
{
	arena_reset(silver->buffer);
	silver->row_count = 0;
	silver->live_count = 0;
}

static void
remove_all(Silver *silver)
{
	reset_buffer(silver);
	files_clear(&silver->files);
	table_remove_all(silver->table);
	silver_index_reset(silver);
	silver->task_count = 0;
}

/*
 * A TRUNCATE comes as one event for each table it names or reaches, all of one LSN.  That
 * of a partitioned table itself empties silver, and its leaves add nothing; that of a
 * partitioned partition is its leaves.  When every leaf was named, silver is empty; when
 * not, nobody knows which rows went.
 */
static void
truncate_partition(Silver *silver, const Event *event)
{
	if (event->relation->relkind == 'p' || silver->emptied_lsn == event->lsn)
		return;
	if (silver->truncated_lsn != event->lsn)
		silver->truncated_count = 0;
	silver->truncated_lsn = event->lsn;
	if (++silver->truncated_count < silver->shape->track_count)
		return;
	remove_all(silver);
	silver->truncated_lsn = 0;
}

static void
truncate_table(Silver *silver, const Event *event)
{
	if (event->relation->root_relid != 0)
	{
		truncate_partition(silver, event);
		return;
	}
	remove_all(silver);
	silver->truncated_lsn = 0;
	silver->emptied_lsn = event->lsn;
}

void
silver_settle_truncate(Silver *silver)
{
	if (silver->truncated_lsn == 0)
		return;
	silver->truncated_lsn = 0;
	silver_ask(silver, "one partition of several was truncated");
}

void
silver_clear(Silver *silver)
{
	remove_all(silver);
	silver_unset_stale(silver);
}

bool
silver_replace(Silver *silver, const Relation *relation, Err *err)
{
	silver_clear(silver);
	return evolve(silver, relation, true, err);
}

static bool
apply_event(Silver *silver, const Event *event, Err *err)
{
	RowPlace none = { BUFFER_FILE, 0 };

	if (event->kind != EVENT_TRUNCATE)
		silver_settle_truncate(silver);
	switch (event->kind)
	{
		case EVENT_INSERT:
			return insert_row(silver, event, err);
		case EVENT_READ:
			return put_row(silver, event, event->new_tuple, none, 'r', err);
		case EVENT_UPDATE:
			if (silver->shape->identity == IDENTITY_APPEND)
				return append_update(silver, event, err);
			return update_row(silver, event, err);
		case EVENT_DELETE:
			return delete_row(silver, event, err);
		case EVENT_TRUNCATE:
			truncate_table(silver, event);
			return true;
		default:
			return true;
	}
}

bool
silver_event(Silver *silver, const Event *event, Err *err)
{
	if (arena_bytes(silver->scratch) > SCRATCH_BYTES)
		arena_reset(silver->scratch);
	return silver_relation(silver, event->relation, err) &&
	       apply_event(silver, event, err);
}

void
silver_committed(Silver *silver)
{
	free_retired(silver);
}
