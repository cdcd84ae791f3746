/*
 * rowplan.c
 *		converting tuples by a plan per column.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/rowplan.h"

#include <stdlib.h>

#define NOT_THERE    (-1)
#define TIME_24_TEXT "24:00:00" /* the only value stored with a flag alone */

typedef struct PlanColumn
{
	int32_t source; /* index in the tuple, or NOT_THERE */
	TypePlan type;
} PlanColumn;

struct RowPlan
{
	Arena *arena;
	const Shape *shape;
	const Relation *relation;
	PlanColumn *columns; /* of each source column of the shape */
	Value *values;       /* of the tuple at hand */
	Value *base;
	Remark *remarks;
};

static const ShapeTrack *
plan_track(const RowPlan *plan)
{
	for (int32_t i = 0; i < plan->shape->track_count; i++)
		if (plan->shape->tracks[i].relid == plan->relation->relid)
			return &plan->shape->tracks[i];
	return NULL;
}

static void
plan_column(RowPlan *plan, uint16_t source, int32_t field_id, const Config *config)
{
	const RelationColumn *column = &plan->relation->columns[source];
	TypeChoice choice = {
		.numeric_as_string = config->lake_numeric_default == NUMERIC_DEFAULT_STRING,
	};

	for (int32_t i = 0; i < plan->shape->source_count; i++)
	{
		const IcebergField *field = &plan->shape->schema.fields[i];

		if (field->id != field_id)
			continue;
		choice.is_key = field->required;
		plan->columns[i].type = typemap_plan(plan->arena, column, choice);
		if (!type_holds(&plan->columns[i].type.type, &field->type))
		{
			choice.is_key = true;
			plan->columns[i].type = typemap_plan(plan->arena, column, choice);
		}
		/* A relation from before the column's type changed. */
		if (type_holds(&plan->columns[i].type.type, &field->type))
			plan->columns[i].source = column->index;
	}
}

RowPlan *
rowplan_new(const Shape *shape, const Relation *relation, const Config *config)
{
	Arena *arena = arena_new();
	RowPlan *plan = arena_zero(arena, sizeof *plan);
	size_t fields = (size_t) shape->source_count + 1;
	const ShapeTrack *track;

	*plan = (RowPlan){ .arena = arena, .shape = shape, .relation = relation };
	plan->columns = arena_zero(arena, sizeof *plan->columns * fields);
	plan->remarks = arena_zero(arena, sizeof *plan->remarks * fields);
	plan->values = arena_zero(arena, sizeof(Value) * (relation->column_count + 1u));
	plan->base = arena_zero(arena, sizeof(Value) * (relation->column_count + 1u));
	for (int32_t i = 0; i < shape->source_count; i++)
		plan->columns[i].source = NOT_THERE;
	track = plan_track(plan);
	for (uint16_t i = 0; track != NULL && i < relation->column_count; i++)
		for (int32_t j = 0; j < track->count; j++)
			if (track->attnums[j] == relation->columns[i].attnum)
				plan_column(plan, i, track->field_ids[j], config);
	return plan;
}

void
rowplan_free(RowPlan *plan)
{
	if (plan != NULL)
		arena_free(plan->arena);
}

RowDraft
rowdraft_new(Arena *arena, const Shape *shape)
{
	size_t fields = (size_t) shape->source_count + 1;

	return (RowDraft){
		.cells = arena_zero(arena, sizeof(Cell) * fields),
		.remarks = arena_zero(arena, sizeof(const Remark *) * fields),
		.unchanged = arena_zero(arena, sizeof(bool) * fields),
	};
}

/* ---- Converting ---- */

static bool
fail_in_table(const RowPlan *plan, Err *err)
{
	return fail_while(
		err, "table \"%s.%s\"", plan->relation->schema, plan->relation->name);
}

static bool
plan_read(const RowPlan *plan, Slice tuple, Value *values, Err *err)
{
	EnvError error;

	if (value_read_tuple(tuple, values, plan->relation->column_count, &error))
		return true;
	(void) fail(err, ERR_DATA, "%s", error.message);
	return fail_in_table(plan, err);
}

static bool
convert_column(RowPlan *plan, int32_t field, const Value *value, Arena *scratch,
               RowDraft *draft, Err *err)
{
	const TypePlan *type = &plan->columns[field].type;
	Remark *remark = &plan->remarks[field];

	draft->remarks[field] = NULL;
	if (!typemap_cell(type, *value, scratch, &draft->cells[field], remark, err))
		return fail_in_table(plan, err);
	if (remark->reason != NULL)
		draft->remarks[field] = remark;
	return true;
}

static bool
refuse_key(const RowPlan *plan, int32_t field, const char *reason, Err *err)
{
	(void) fail(err,
	            ERR_DATA,
	            "key column \"%s\" holds a value that its type in the lake cannot (%s)",
	            plan->shape->schema.fields[field].name,
	            reason);
	(void) fail_in_table(plan, err);
	return fail_hint(err,
	                 "Leave the table out with table.exclude.list, or list it in "
	                 "lake.append.only.tables.");
}

bool
rowplan_convert(RowPlan *plan, Slice tuple, Arena *scratch, RowDraft *draft, Err *err)
{
	const Shape *shape = plan->shape;

	if (!plan_read(plan, tuple, plan->values, err))
		return false;
	draft->unchanged_count = 0;
	for (int32_t i = 0; i < shape->source_count; i++)
	{
		int32_t source = plan->columns[i].source;

		draft->unchanged[i] = false;
		if (source == NOT_THERE)
		{
			draft->cells[i] = shape->missing[i].cell;
			draft->remarks[i] = shape->missing[i].remark.reason == NULL
			                        ? NULL
			                        : &shape->missing[i].remark;
			continue;
		}
		if (plan->values[source].kind == VALUE_UNCHANGED)
		{
			draft->cells[i] = cell_null();
			draft->remarks[i] = NULL;
			draft->unchanged[i] = true;
			draft->unchanged_count++;
			continue;
		}
		if (!convert_column(plan, i, &plan->values[source], scratch, draft, err))
			return false;
		if (shape->schema.fields[i].required && draft->cells[i].kind == CELL_NULL)
			return refuse_key(plan,
			                  i,
			                  draft->remarks[i] == NULL ? "null"
			                                            : draft->remarks[i]->reason,
			                  err);
	}
	return true;
}

bool
rowplan_key(RowPlan *plan, Slice tuple, Slice old, Arena *scratch, Buf *key, Err *err)
{
	const Shape *shape = plan->shape;
	Remark remark;
	Cell cell;

	if (!plan_read(plan, tuple, plan->values, err) ||
	    (old.data != NULL && !plan_read(plan, old, plan->base, err)))
		return false;
	for (int32_t i = 0; i < shape->key_count; i++)
	{
		int32_t field = shape->key[i];
		int32_t source = plan->columns[field].source;
		const Value *value;

		if (source == NOT_THERE)
			return refuse_key(plan, field, "absent", err);
		value = &plan->values[source];
		if (value->kind == VALUE_UNCHANGED && old.data != NULL)
			value = &plan->base[source];
		if (!typemap_cell(
				&plan->columns[field].type, *value, scratch, &cell, &remark, err))
			return fail_in_table(plan, err);
		if (cell.kind == CELL_NULL || remark.reason != NULL)
			return refuse_key(
				plan, field, remark.reason == NULL ? "null" : remark.reason, err);
		cell_canonical(key, &shape->schema.fields[field].type, &cell);
	}
	return true;
}

void
rowdraft_identity(const RowDraft *draft, const Shape *shape, Buf *key)
{
	for (int32_t i = 0; i < shape->source_count; i++)
	{
		const Remark *remark = draft->remarks[i];
		/* As an item of a list: null has bytes of its own. */
		Cell item = remark != NULL ? cell_bytes(remark->exact) : draft->cells[i];
		Cell list = { .kind = CELL_LIST, .count = 1, .items = &item };
		static const IcebergType type = { .kind = ICEBERG_LIST };

		buf_char(key, remark != NULL);
		cell_canonical(key, &type, &list);
	}
}

/* ---- Unchanged columns ---- */

bool
rowplan_has_unchanged(RowPlan *plan, Slice tuple, bool *has, Err *err)
{
	*has = false;
	if (!plan_read(plan, tuple, plan->values, err))
		return false;
	for (uint16_t i = 0; i < plan->relation->column_count; i++)
		*has = *has || plan->values[i].kind == VALUE_UNCHANGED;
	return true;
}

static void
put_value(Buf *buf, const Value *value)
{
	if (value->kind == VALUE_TEXT || value->kind == VALUE_BINARY)
		wire_value(buf, (char) value->kind, value->bytes, value->len);
	else
		buf_char(buf, (char) value->kind);
}

bool
rowplan_merge(RowPlan *plan, Slice tuple, Slice base, Arena *arena, Slice *merged,
              Err *err)
{
	Buf buf = buf_heap();

	if (!plan_read(plan, tuple, plan->values, err) ||
	    !plan_read(plan, base, plan->base, err))
		return false;
	buf_u16(&buf, plan->relation->column_count);
	for (uint16_t i = 0; i < plan->relation->column_count; i++)
		put_value(&buf,
		          plan->values[i].kind == VALUE_UNCHANGED ? &plan->base[i]
		                                                  : &plan->values[i]);
	*merged = arena_slice(arena, (Slice){ buf.data, buf.len });
	buf_free(&buf);
	return true;
}

/* ---- Flags and overflow ---- */

void
rowdraft_extras(const RowDraft *draft, const Shape *shape, const char *more,
                Arena *scratch, Cell *flags, Cell *overflow)
{
	uint32_t count = 0;
	Cell *items;

	for (int32_t i = 0; i < shape->source_count; i++)
		count += draft->remarks[i] != NULL;
	*flags = *overflow = (Cell){ .kind = CELL_LIST };
	if (count == 0 && more == NULL)
		return;
	items = arena_alloc(scratch, sizeof *items * (3 * (size_t) count + 1));
	overflow->items = items;
	flags->items = items + (size_t) count * 2;
	for (int32_t i = 0; i < shape->source_count; i++)
	{
		const char *name = shape->schema.fields[i].name;
		const Remark *remark = draft->remarks[i];

		if (remark == NULL)
			continue;
		/* 24:00 is stored, if not exactly: the flag says it all. */
		if (draft->cells[i].kind == CELL_NULL)
		{
			items[overflow->count++] = cell_text(name);
			items[overflow->count++] = cell_bytes(remark->exact);
		}
		items[(size_t) count * 2 + flags->count++] =
			cell_text(arena_printf(scratch, "%s:%s", name, remark->reason));
	}
	if (more != NULL)
		items[(size_t) count * 2 + flags->count++] = cell_text(more);
}

/* The reason in the flag "<column>:<reason>"; NULL when flag is about another column. */
static const char *
flag_reason(const char *column, const Cell *flag, Arena *arena)
{
	size_t len = strlen(column);

	if (flag->kind != CELL_BYTES || flag->bytes.len <= len + 1 ||
	    memcmp(flag->bytes.data, column, len) != 0 || flag->bytes.data[len] != ':')
		return NULL;
	return arena_strndup(arena, flag->bytes.data + len + 1, flag->bytes.len - len - 1);
}

/* The text of column in _overflow; data NULL when it has none. */
static Slice
overflow_text(const char *column, const Cell *overflow)
{
	for (uint32_t i = 0; overflow->kind == CELL_LIST && i + 1 < overflow->count; i += 2)
		if (overflow->items[i].kind == CELL_BYTES &&
		    slice_equal(overflow->items[i].bytes, slice_from(column)))
			return overflow->items[i + 1].bytes;
	return (Slice){ NULL, 0 };
}

const Remark *
remark_restore(const char *column, const Cell *flags, const Cell *overflow, Arena *arena)
{
	Remark found = { NULL, overflow_text(column, overflow) };
	Remark *remark;

	for (uint32_t i = 0; flags->kind == CELL_LIST && i < flags->count; i++)
	{
		const char *reason = flag_reason(column, &flags->items[i], arena);

		if (reason != NULL)
			found.reason = reason;
	}
	if (found.reason == NULL && found.exact.data == NULL)
		return NULL;
	if (found.reason == NULL)
		found.reason = "out_of_range";
	if (found.exact.data == NULL)
		found.exact = slice_from(TIME_24_TEXT);
	remark = arena_alloc(arena, sizeof *remark);
	*remark = found;
	return remark;
}
