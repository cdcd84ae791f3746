/*
 * compare.c
 *		the tables of a cut, and one of them after another against source rows.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/compare_state.h"
#include "lake/sources.h"

#include <stdlib.h>

#define SILVER_PREFIX    "silver_"
#define COLUMNS_PROPERTY "cdc.columns"
#define STALE_PROPERTY   "cdc.stale"

/* What rows of a thousand columns take, or row groups of long texts, on both sides; what
 * is beyond it is spilled. */
#define MEMORY_MIN (INT64_C(256) << 20)

/* ---- Opening ---- */

bool
compare_open(const Config *config, Compare **compare, Err *err)
{
	Compare *opened = xmalloc(sizeof *opened);

	*opened = (Compare){
		.config = config,
		.cut_arena = arena_new(),
		.arena = arena_new(),
		.scratch_arena = arena_new(),
		.key_arena = arena_new(),
	};
	spool_init(&opened->rows, false);
	spool_init(&opened->keys, true);
	if (!store_init(&opened->store, config, err) || !scratch_new(&opened->scratch, err) ||
	    !query_new(opened->store.parquet,
	               scratch_directory(opened->scratch),
	               config->max_memory < MEMORY_MIN ? MEMORY_MIN : config->max_memory,
	               &opened->query,
	               err))
	{
		compare_free(opened);
		opened = NULL;
	}
	*compare = opened;
	return opened != NULL;
}

static void
free_plans(Compare *compare)
{
	for (size_t i = 0; i < compare->plan_count; i++)
		rowplan_free(compare->plans[i].plan);
	compare->plan_count = 0;
	compare->plan = NULL;
}

/* Forget the table at hand. */
static void
end_table(Compare *compare)
{
	free_plans(compare);
	shape_free(compare->shape);
	compare->shape = NULL;
	compare->table = NULL;
	compare->relid_count = 0;
	spool_reset(&compare->rows);
	spool_reset(&compare->keys);
}

static void
end_cut(Compare *compare)
{
	end_table(compare);
	for (size_t i = 0; i < compare->table_count; i++)
	{
		table_state_free(compare->tables[i].state);
		shape_free(compare->tables[i].shape);
	}
	compare->tables = NULL;
	compare->table_count = 0;
	compare->is_loaded = false;
	checkpoints_close(compare->checkpoints);
	compare->checkpoints = NULL;
	arena_reset(compare->cut_arena);
}

void
compare_free(Compare *compare)
{
	if (compare == NULL)
		return;
	end_cut(compare);
	spool_fini(&compare->rows);
	spool_fini(&compare->keys);
	free(compare->plans);
	free(compare->relids);
	query_free(compare->query);
	store_fini(&compare->store);
	scratch_free(compare->scratch);
	arena_free(compare->cut_arena);
	arena_free(compare->arena);
	arena_free(compare->scratch_arena);
	arena_free(compare->key_arena);
	free(compare);
}

/* ---- The cut ---- */

bool
compare_cut(Compare *compare, Position *cut, Err *err)
{
	end_cut(compare);
	if (!checkpoints_adopt(&compare->store, err) ||
	    !checkpoints_open(&compare->store, &compare->checkpoints, err))
		return false;
	*cut = *checkpoints_position(compare->checkpoints);
	return true;
}

static bool
load_table(Compare *compare, const CheckpointRow *row, CutTable *table, Err *err)
{
	TableName name = { compare->config->lake_namespace, row->table_name };

	*table = (CutTable){ .name = row->table_name,
		                 .is_stale = strcmp(row->status, "live") != 0 };
	if (!catalog_load_at(
			compare->store.catalog, &name, row->snapshot_id, &table->state, err))
		return false;
	if (table->state == NULL)
		return fail(err, ERR_FATAL, "table \"%s\" of the cut is missing", table->name);
	return shape_read(
			   metadata_current_schema(table->state->metadata),
			   properties_get(table->state->metadata->properties, COLUMNS_PROPERTY),
			   &table->shape,
			   err) ||
	       fail_while(err, "could not read table \"%s\"", table->name);
}

static bool
load_tables(Compare *compare, Err *err)
{
	const CheckpointRow *rows;
	size_t count;

	if (compare->is_loaded)
		return true;
	rows = checkpoints_last(compare->checkpoints, &count);
	compare->tables =
		arena_zero(compare->cut_arena, sizeof *compare->tables * (count + 1));
	for (size_t i = 0; i < count; i++)
	{
		if (strncmp(rows[i].table_name, SILVER_PREFIX, strlen(SILVER_PREFIX)) != 0)
			continue;
		/* Counted before: what a failure leaves is freed. */
		if (!load_table(compare, &rows[i], &compare->tables[compare->table_count++], err))
			return false;
	}
	compare->is_loaded = true;
	return true;
}

static CutTable *
find_table(const Compare *compare, uint32_t relid)
{
	for (size_t i = 0; i < compare->table_count; i++)
	{
		if (compare->tables[i].shape->relid == relid)
			return &compare->tables[i];
	}
	return NULL;
}

bool
compare_rest(const Compare *compare, size_t *at, CompareRest *rest)
{
	for (; *at < compare->table_count; (*at)++)
	{
		const CutTable *table = &compare->tables[*at];
		IcebergProperties properties = table->state->metadata->properties;

		if (table->is_compared)
			continue;
		*rest = (CompareRest){
			.table = table->name,
			.source = properties_get(properties, SOURCE_PROPERTY),
			.reason = table->is_stale ? properties_get(properties, STALE_PROPERTY) : NULL,
		};
		(*at)++;
		return true;
	}
	return false;
}

/* ---- Keys ---- */

static void
set_key_relation(Compare *compare, const Relation *relation)
{
	if (compare->key_relation == relation)
		return;
	arena_reset(compare->key_arena);
	compare->key_relation = relation;
	compare->key_identity = relation_identity(compare->config, relation);
	compare->key_values =
		arena_alloc(compare->key_arena, sizeof(Value) * (relation->column_count + 1u));
}

bool
compare_key(Compare *compare, const Relation *relation, Slice tuple, Buf *key, Err *err)
{
	Value *values;
	EnvError error;

	set_key_relation(compare, relation);
	values = compare->key_values;
	if (compare->key_identity != IDENTITY_KEY)
		return true;
	if (!value_read_tuple(tuple, values, relation->column_count, &error))
		return fail(err, ERR_DATA, "%s", error.message);
	for (uint16_t i = 0; i < relation->column_count; i++)
		if (relation_is_key(relation, IDENTITY_KEY, i))
			wire_value(key, (char) values[i].kind, values[i].bytes, values[i].len);
	return true;
}

/* ---- A table ---- */

static bool
check_stale(const CutTable *table, Err *err)
{
	const char *reason;

	if (table == NULL || !table->is_stale)
		return true;
	reason = properties_get(table->state->metadata->properties, STALE_PROPERTY);
	return fail(err,
	            ERR_DATA,
	            "silver table \"%s\" is stale until it is read again%s%s",
	            table->name,
	            reason == NULL || *reason == '\0' ? "" : ": ",
	            reason == NULL ? "" : reason);
}

/*
 * The shape that silver will have when it hears of relation.  What was already
 * spooled under the shape before stays: files are read by field id.
 */
static bool
evolve(Compare *compare, const Relation *relation, Err *err)
{
	const Shape *old = compare->shape;
	ShapeRequest request = { .config = compare->config, .relation = relation };
	ShapeChange change;
	Shape *shape;

	if (old == NULL && compare->table != NULL)
		old = compare->table->shape;
	if (compare->table != NULL)
		request.last_id = compare->table->state->metadata->last_column_id;
	if (old != NULL && iceberg_greatest_id(&old->schema) > request.last_id)
		request.last_id = iceberg_greatest_id(&old->schema);
	if (!spool_flush(compare, err))
		return false;
	if (!shape_evolve(&request, old, &shape, &change, err))
	{
		/* It is this table's trouble alone. */
		err->kind = ERR_DATA;
		return false;
	}
	free_plans(compare);
	shape_free(compare->shape);
	compare->shape = shape;
	compare->draft = rowdraft_new(compare->arena, shape);
	return change.stale == NULL ||
	       fail(err, ERR_DATA, "silver will be stale: %s", change.stale);
}

/* Take a table or leaf into the shape; another version of it is in already. */
static bool
add_relid(Compare *compare, const Relation *relation, Err *err)
{
	for (size_t i = 0; i < compare->relid_count; i++)
		if (compare->relids[i] == relation->relid)
			return true;
	if (!evolve(compare, relation, err))
		return false;
	compare->relids =
		xrealloc(compare->relids, sizeof *compare->relids * (compare->relid_count + 1));
	compare->relids[compare->relid_count++] = relation->relid;
	return true;
}

bool
compare_relation(Compare *compare, const Relation *relation, Err *err)
{
	for (size_t i = compare->plan_count; i > 0; i--)
		if (compare->plans[i - 1].relation == relation)
		{
			compare->plan = compare->plans[i - 1].plan;
			return true;
		}
	if (!add_relid(compare, relation, err))
		return false;
	compare->plans =
		xrealloc(compare->plans, sizeof *compare->plans * (compare->plan_count + 1));
	compare->plan = rowplan_new(compare->shape, relation, compare->config);
	compare->plans[compare->plan_count++] = (ComparePlan){ relation, compare->plan };
	return true;
}

/* The silver table of an earlier table of the relation's name, which will be its own;
 * NULL: there is none. */
static CutTable *
find_earlier(const Compare *compare, const Relation *relation)
{
	const char *name = source_name(compare->arena, relation);
	const char *silver = source_silver_name(compare->arena, relation);

	for (size_t i = 0; i < compare->table_count; i++)
	{
		const TableMetadata *metadata = compare->tables[i].state->metadata;
		const char *from = properties_get(metadata->properties, SOURCE_PROPERTY);

		if (from != NULL && strcmp(from, name) == 0 &&
		    strcmp(compare->tables[i].name, silver) == 0)
			return &compare->tables[i];
	}
	return NULL;
}

bool
compare_has(Compare *compare, const Relation *relation, bool *has, Err *err)
{
	*has = false;
	if (!load_tables(compare, err))
		return false;
	*has = find_table(compare, relation->relid) != NULL ||
	       find_earlier(compare, relation) != NULL;
	return true;
}

/* A table dropped and made again under its name: silver is still the dropped one's. */
static bool
check_successor(const Compare *compare, const Relation *relation, Err *err)
{
	CutTable *earlier = find_earlier(compare, relation);

	if (earlier == NULL)
		return true;
	earlier->is_compared = true;
	return fail(err,
	            ERR_DATA,
	            "silver table \"%s\" is of an earlier table of that name, which was "
	            "dropped",
	            earlier->name);
}

bool
compare_begin(Compare *compare, const Relation *relation, Err *err)
{
	CutTable *table;

	end_table(compare);
	arena_reset(compare->arena);
	if (!load_tables(compare, err))
		return false;
	table = find_table(compare, relation_root(relation));
	if (table != NULL)
		table->is_compared = true;
	compare->table = table;
	return (compare->table != NULL || check_successor(compare, relation, err)) &&
	       check_stale(compare->table, err) && compare_relation(compare, relation, err);
}

bool
compare_row(Compare *compare, Slice tuple, Err *err)
{
	return spool_add(compare, &compare->rows, compare->plan, tuple, err);
}

bool
compare_leave_out(Compare *compare, Slice tuple, Err *err)
{
	if (compare->shape->key_count == 0)
		return fail(err, ERR_DATA, "a row of a table without a key cannot be left out");
	return spool_add(compare, &compare->keys, compare->plan, tuple, err);
}

static bool
silver_has(const Compare *compare, int32_t field_id)
{
	const Shape *shape;

	if (compare->table == NULL)
		return true;
	shape = compare->table->shape;
	for (int32_t i = 0; i < shape->source_count; i++)
		if (shape->schema.fields[i].id == field_id)
			return true;
	return false;
}

/* The columns that both sides have. */
static bool
choose_columns(Compare *compare, CompareColumns *columns, Err *err)
{
	const Shape *shape = compare->shape;
	size_t room = (size_t) shape->source_count + 1;
	bool *is_key = arena_zero(compare->arena, sizeof *is_key * room);

	columns->fields = arena_alloc(compare->arena, sizeof *columns->fields * room);
	columns->key = arena_alloc(compare->arena, sizeof *columns->key * room);
	for (int32_t i = 0; i < shape->key_count; i++)
		is_key[shape->key[i]] = true;
	for (int32_t i = 0; i < shape->source_count; i++)
	{
		if (!silver_has(compare, shape->schema.fields[i].id))
			continue;
		if (is_key[i])
			columns->key[columns->key_count++] = columns->count;
		columns->fields[columns->count++] = shape->schema.fields[i];
	}
	columns->fields[columns->count] =
		shape->schema.fields[shape->source_count + EXTRA_OVERFLOW];
	if (columns->key_count == shape->key_count)
		return true;
	/* A key that silver does not know finds nothing in it. */
	columns->key_count = 0;
	return compare->keys.path_count == 0 ||
	       fail(err, ERR_DATA, "rows changed under a key that silver does not have yet");
}

bool
compare_end(Compare *compare, CompareResult *result, Err *err)
{
	CompareColumns columns = { 0 };

	*result = (CompareResult){ 0 };
	if (!spool_flush(compare, err) || !choose_columns(compare, &columns, err) ||
	    !compare_files(compare, &columns, result, err))
		return false;
	result->is_unknown = compare->table == NULL && compare->keys.path_count > 0;
	return true;
}
