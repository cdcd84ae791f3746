/*
 * shape.c
 *		one relation version after another, as one Iceberg schema after another.
 *
 *		column known by attnum (or, in a new leaf, by name)?
 *			no:  a new field; rows already stored get the missing value, if there is one
 *			yes: same type, or one that holds the other: the field goes on (renamed,
 *widened) else: lake.on.incompatible field whose column has gone: dropped
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/shape_state.h"

#include <stdlib.h>
#include <strings.h>

/* clang-format off */
const char *const shape_extra_names[EXTRA_COUNT] = {
	"_op", "_lsn", "_commit_ts", "_dq_flags", "_overflow",
};
/* clang-format on */

typedef struct Draft
{
	IcebergField field;
	ShapeMissing missing;
	bool is_kept;
	bool is_key;
} Draft;

typedef struct Builder
{
	const ShapeRequest *request;
	const Relation *relation;
	const Shape *old;
	const ShapeTrack *track; /* of this relation in old; NULL: not seen before */
	Shape *shape;
	Arena *arena; /* the shape's */
	Draft *drafts;
	int32_t draft_count;
	int32_t next_id;
	int32_t *attnums; /* the new track */
	int32_t *field_ids;
	int32_t track_count;
	bool by_name; /* the table was recreated */
	ShapeFill *fills;
	ShapeChange *change;
	Err *err;
} Builder;

/* ---- Identity ---- */

static bool
key_is_not_null(const Relation *relation)
{
	bool any = false;

	for (uint16_t i = 0; i < relation->key_count; i++)
	{
		const RelationColumn *column = &relation->columns[relation->key[i]];

		if (column->is_generated)
			continue;
		if (!column->not_null)
			return false;
		any = true;
	}
	return any;
}

static bool
has_identity_columns(const Relation *relation)
{
	for (uint16_t i = 0; i < relation->column_count; i++)
		if (relation->columns[i].in_identity)
			return true;
	return false;
}

Identity
relation_identity(const Config *config, const Relation *relation)
{
	char name[160];

	(void) snprintf(name,
	                sizeof name,
	                "%s.%s",
	                relation->root_relid != 0 ? relation->root_schema : relation->schema,
	                relation->root_relid != 0 ? relation->root_name : relation->name);
	if (filter_matches(&config->lake_append_tables, name))
		return IDENTITY_APPEND;
	switch (relation->replica_identity)
	{
		case 'f':
			return key_is_not_null(relation) ? IDENTITY_KEY : IDENTITY_ROW;
		case 'n':
			return IDENTITY_APPEND;
		default:
			return has_identity_columns(relation) ? IDENTITY_KEY : IDENTITY_APPEND;
	}
}

bool
relation_is_key(const Relation *relation, Identity identity, uint16_t column)
{
	if (identity != IDENTITY_KEY)
		return false;
	if (relation->replica_identity != 'f')
		return relation->columns[column].in_identity;
	for (uint16_t i = 0; i < relation->key_count; i++)
		if (relation->key[i] == column)
			return true;
	return false;
}

/* ---- Types ---- */

bool
type_holds(const IcebergType *value, const IcebergType *column)
{
	if (iceberg_is_nested(value) && value->kind == column->kind)
	{
		for (int32_t i = 0; i < value->field_count; i++)
			if (!type_holds(&value->fields[i].type, &column->fields[i].type))
				return false;
		return true;
	}
	return iceberg_type_equal(value, column) || cell_can_widen(value, column);
}

IcebergType
shape_type_copy(Arena *arena, const IcebergType *type)
{
	IcebergType copy = *type;
	IcebergField *fields;

	if (!iceberg_is_nested(type))
		return copy;
	fields = arena_alloc(arena, sizeof *fields * (size_t) type->field_count);
	for (int32_t i = 0; i < type->field_count; i++)
	{
		fields[i] = type->fields[i];
		fields[i].name = arena_strdup(arena, type->fields[i].name);
		fields[i].type = shape_type_copy(arena, &type->fields[i].type);
	}
	copy.fields = fields;
	return copy;
}

/* The type of plan with the nested ids of the field as it was. */
static IcebergType
type_widened(Arena *arena, const IcebergType *type, const IcebergType *was)
{
	IcebergType widened = shape_type_copy(arena, type);

	for (int32_t i = 0; i < widened.field_count; i++)
	{
		IcebergField *field = (IcebergField *) &widened.fields[i];

		field->id = was->fields[i].id;
		field->type = type_widened(arena, &field->type, &was->fields[i].type);
	}
	return widened;
}

static void
assign_nested_ids(Builder *builder, const IcebergType *type)
{
	for (int32_t i = 0; i < type->field_count; i++)
	{
		IcebergField *field = (IcebergField *) &type->fields[i];

		if (field->id == 0)
			field->id = builder->next_id++;
		assign_nested_ids(builder, &field->type);
	}
}

/* ---- Columns ---- */

static TypeChoice
choice_of(const Builder *builder, bool is_key)
{
	return (TypeChoice){
		.numeric_as_string =
			builder->request->config->lake_numeric_default == NUMERIC_DEFAULT_STRING,
		.is_key = is_key,
	};
}

static Draft *
find_draft(Builder *builder, int32_t id)
{
	for (int32_t i = 0; i < builder->draft_count; i++)
		if (builder->drafts[i].field.id == id)
			return &builder->drafts[i];
	return NULL;
}

static bool
track_has(const ShapeTrack *track, int32_t field_id)
{
	for (int32_t i = 0; track != NULL && i < track->count; i++)
		if (track->field_ids[i] == field_id)
			return true;
	return false;
}

/*
 * The field that a column has already.  By name only where the relation does not
 * know better: a leaf not seen before, or one whose sister brought the column.
 */
static Draft *
find_known(Builder *builder, const RelationColumn *column)
{
	const ShapeTrack *track = builder->track;

	for (int32_t i = 0; track != NULL && i < track->count; i++)
		if (track->attnums[i] == column->attnum)
			return find_draft(builder, track->field_ids[i]);
	if (track != NULL && builder->relation->root_relid == 0)
		return NULL;
	for (int32_t i = 0; builder->old != NULL && i < builder->old->source_count; i++)
	{
		const IcebergField *field = &builder->old->schema.fields[i];

		if (strcmp(field->name, column->name) == 0 && !track_has(track, field->id))
			return find_draft(builder, field->id);
	}
	return NULL;
}

static bool
read_missing(Builder *builder, const TypePlan *plan, ShapeMissing *missing)
{
	const RelationColumn *column = plan->column;
	Value value = { (ValueKind) column->missing_kind,
		            (uint32_t) column->missing.len,
		            column->missing.data };
	Cell cell;

	*missing = (ShapeMissing){ cell_null(), { NULL, { NULL, 0 } } };
	if (column->missing_kind == 0)
		return true;
	if (!typemap_cell(plan, value, builder->arena, &cell, &missing->remark, builder->err))
		return fail_while(builder->err,
		                  "default of column \"%s\" of table \"%s.%s\"",
		                  column->name,
		                  builder->relation->schema,
		                  builder->relation->name);
	missing->cell = cell_copy(builder->arena, &cell);
	return true;
}

/* A column that stored rows do not have. */
static bool
add_field(Builder *builder, const RelationColumn *column, bool is_key, Draft **added)
{
	TypePlan plan = typemap_plan(builder->arena, column, choice_of(builder, is_key));
	Draft *draft = &builder->drafts[builder->draft_count++];
	ShapeChange *change = builder->change;

	*draft = (Draft){
		.field = { .id = builder->next_id++, .type = plan.type },
		.is_key = is_key,
	};
	*added = draft;
	if (!read_missing(builder, &plan, &draft->missing))
		return false;
	if (builder->old == NULL || builder->request->is_replaced)
		return true;
	if (column->missing_kind != 0)
		builder->fills[change->fill_count++] =
			(ShapeFill){ draft->field.id, draft->missing };
	else if (column->default_text != NULL || column->is_identity_column)
		change->stale =
			arena_printf(builder->arena,
		                 "column \"%s\" was added with a default that is not a constant",
		                 column->name);
	return true;
}

static bool
refuse_type(const Builder *builder, const Draft *draft, const RelationColumn *column)
{
	(void) fail(builder->err,
	            ERR_CONFIG,
	            "column \"%s\" of table \"%s.%s\" became %s, which its column in the "
	            "lake, %s, cannot hold",
	            column->name,
	            builder->relation->schema,
	            builder->relation->name,
	            column->type_text,
	            iceberg_type_text(builder->arena, &draft->field.type));
	return fail_hint(builder->err,
	                 "Set lake.on.incompatible=new_column to continue in a new column; "
	                 "the old one is dropped from the current schema.");
}

/* A column that was there before: keep its field, or begin a new one. */
static bool
keep_field(Builder *builder, const RelationColumn *column, bool is_key, Draft **draft)
{
	const IcebergType *was = &(*draft)->field.type;
	TypePlan plan = typemap_plan(builder->arena, column, choice_of(builder, is_key));

	/* What was a key stays as it is: a string holds the text of any value. */
	if (!type_holds(&plan.type, was) && !type_holds(was, &plan.type))
		plan = typemap_plan(builder->arena, column, choice_of(builder, true));
	if (type_holds(&plan.type, was))
		return read_missing(builder, &plan, &(*draft)->missing);
	if (type_holds(was, &plan.type))
	{
		(*draft)->field.type = type_widened(builder->arena, &plan.type, was);
		return read_missing(builder, &plan, &(*draft)->missing);
	}
	if (builder->request->config->lake_on_incompatible != INCOMPATIBLE_NEW_COLUMN &&
	    !builder->request->is_replaced)
		return refuse_type(builder, *draft, column);
	if (!builder->request->is_replaced)
		builder->change->stale =
			arena_printf(builder->arena,
		                 "column \"%s\" became %s and continues in a new column",
		                 column->name,
		                 column->type_text);
	return add_field(builder, column, is_key, draft);
}

static bool
check_reserved(const Builder *builder, const RelationColumn *column)
{
	for (int i = 0; i < EXTRA_COUNT; i++)
		if (strcasecmp(shape_extra_names[i], column->name) == 0)
		{
			(void) fail(builder->err,
			            ERR_CONFIG,
			            "column \"%s\" of table \"%s.%s\" has a name that silver uses "
			            "itself",
			            column->name,
			            builder->relation->schema,
			            builder->relation->name);
			return fail_hint(builder->err,
			                 "Rename the column, or leave it or its table out with "
			                 "column.exclude.list or table.exclude.list.");
		}
	return true;
}

static bool
draft_column(Builder *builder, uint16_t index)
{
	const RelationColumn *column = &builder->relation->columns[index];
	bool is_key = relation_is_key(builder->relation, builder->shape->identity, index);
	Draft *draft = find_known(builder, column);

	if (!check_reserved(builder, column))
		return false;
	if (draft == NULL ? !add_field(builder, column, is_key, &draft)
	                  : !keep_field(builder, column, is_key, &draft))
		return false;
	draft->is_kept = true;
	draft->is_key = is_key;
	draft->field.name = arena_strdup(builder->arena, column->name);
	draft->field.required = is_key;
	builder->attnums[builder->track_count] = column->attnum;
	builder->field_ids[builder->track_count++] = draft->field.id;
	return true;
}

/* Fields that this relation does not have any more go; those that only other leaves know
 * stay. */
static void
keep_foreign_fields(Builder *builder)
{
	const ShapeTrack *track = builder->track;

	for (int32_t i = 0; i < builder->draft_count; i++)
	{
		Draft *draft = &builder->drafts[i];
		bool was_ours =
			(track == NULL && builder->by_name) || track_has(track, draft->field.id);

		if (!draft->is_kept && !was_ours)
			draft->is_kept = true;
	}
}

static bool
check_names(const Builder *builder)
{
	for (int32_t i = 0; i < builder->draft_count; i++)
		for (int32_t j = 0; j < i; j++)
		{
			const Draft *a = &builder->drafts[j];
			const Draft *b = &builder->drafts[i];

			if (!a->is_kept || !b->is_kept ||
			    strcasecmp(a->field.name, b->field.name) != 0)
				continue;
			(void) fail(
				builder->err,
				ERR_CONFIG,
				"columns \"%s\" and \"%s\" of table \"%s.%s\" differ in case only",
				a->field.name,
				b->field.name,
				builder->relation->schema,
				builder->relation->name);
			return fail_hint(
				builder->err,
				"Many engines cannot tell such columns apart. Rename one, or "
				"leave it out with column.exclude.list.");
		}
	return true;
}

/* ---- The shape ---- */

static void
add_extra(Builder *builder, IcebergField *field, int extra)
{
	static const IcebergKind kinds[EXTRA_COUNT] = {
		ICEBERG_STRING, ICEBERG_LONG, ICEBERG_TIMESTAMPTZ, ICEBERG_LIST, ICEBERG_MAP
	};
	IcebergType text = iceberg_type(ICEBERG_STRING);
	const Shape *old = builder->old;

	*field = (IcebergField){ .name = shape_extra_names[extra] };
	if (old != NULL)
	{
		const IcebergField *was = &old->schema.fields[old->source_count + extra];

		field->id = was->id;
		field->type = shape_type_copy(builder->arena, &was->type);
		return;
	}
	field->id = builder->next_id++;
	if (kinds[extra] == ICEBERG_LIST)
		field->type = iceberg_list(builder->arena, 0, text);
	else if (kinds[extra] == ICEBERG_MAP)
		field->type = iceberg_map(builder->arena, 0, text, 0, text);
	else
		field->type = iceberg_type(kinds[extra]);
}

static void
finish_schema(Builder *builder)
{
	size_t room = (size_t) builder->draft_count + EXTRA_COUNT;
	IcebergField *fields = arena_zero(builder->arena, sizeof *fields * room);
	ShapeMissing *missing = arena_zero(builder->arena, sizeof *missing * room);
	int32_t *key = arena_zero(builder->arena, sizeof *key * room);
	int32_t *key_ids = arena_zero(builder->arena, sizeof *key_ids * room);
	Shape *shape = builder->shape;
	int32_t count = 0;

	for (int32_t i = 0; i < builder->draft_count; i++)
	{
		if (!builder->drafts[i].is_kept)
			continue;
		if (builder->drafts[i].is_key)
		{
			key_ids[shape->key_count] = builder->drafts[i].field.id;
			key[shape->key_count++] = count;
		}
		missing[count] = builder->drafts[i].missing;
		fields[count++] = builder->drafts[i].field;
	}
	shape->source_count = count;
	for (int i = 0; i < EXTRA_COUNT; i++)
		add_extra(builder, &fields[count++], i);
	for (int32_t i = 0; i < count; i++)
		assign_nested_ids(builder, &fields[i].type);
	shape->key = key;
	shape->missing = missing;
	shape->schema = (IcebergSchema){
		.fields = fields,
		.field_count = count,
		.identifier_ids = shape->key_count == 0 ? NULL : key_ids,
		.identifier_count = shape->key_count,
	};
}

static void *
copy_bytes(Arena *arena, const void *bytes, size_t len)
{
	void *copy = arena_alloc(arena, len + 1);

	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

static ShapeTrack
copy_track(Arena *arena, const ShapeTrack *track)
{
	size_t bytes = sizeof(int32_t) * (size_t) track->count;

	return (ShapeTrack){ track->relid,
		                 track->count,
		                 copy_bytes(arena, track->attnums, bytes),
		                 copy_bytes(arena, track->field_ids, bytes) };
}

static void
finish_tracks(Builder *builder)
{
	const Shape *old = builder->old;
	int32_t old_count = old == NULL || builder->by_name ? 0 : old->track_count;
	ShapeTrack *tracks =
		arena_alloc(builder->arena, sizeof *tracks * (size_t) (old_count + 1));
	int32_t count = 0;

	for (int32_t i = 0; i < old_count; i++)
		if (old->tracks[i].relid != builder->relation->relid)
			tracks[count++] = copy_track(builder->arena, &old->tracks[i]);
	tracks[count++] = (ShapeTrack){ builder->relation->relid,
		                            builder->track_count,
		                            builder->attnums,
		                            builder->field_ids };
	builder->shape->tracks = tracks;
	builder->shape->track_count = count;
}

static bool
same_key(const Shape *a, const Shape *b)
{
	if (a->identity != b->identity || a->key_count != b->key_count)
		return false;
	for (int32_t i = 0; i < a->key_count; i++)
	{
		const IcebergField *left = &a->schema.fields[a->key[i]];
		const IcebergField *right = &b->schema.fields[b->key[i]];

		if (left->id != right->id || !iceberg_type_equal(&left->type, &right->type))
			return false;
	}
	return true;
}

static bool
same_track(const ShapeTrack *track, const Builder *builder)
{
	return track != NULL && track->count == builder->track_count &&
	       memcmp(track->attnums,
	              builder->attnums,
	              sizeof(int32_t) * (size_t) track->count) == 0 &&
	       memcmp(track->field_ids,
	              builder->field_ids,
	              sizeof(int32_t) * (size_t) track->count) == 0;
}

static void
finish_change(Builder *builder)
{
	ShapeChange *change = builder->change;
	const Shape *old = builder->old;

	change->fills = builder->fills;
	if (old == NULL)
	{
		change->schema_changed = change->tracks_changed = change->identity_changed = true;
		return;
	}
	change->schema_changed = !iceberg_schema_equal(&old->schema, &builder->shape->schema);
	change->tracks_changed = old->relid != builder->shape->relid ||
	                         old->identity != builder->shape->identity ||
	                         !same_track(builder->track, builder);
	change->identity_changed =
		!same_key(old, builder->shape) ||
		(builder->shape->identity == IDENTITY_ROW && change->schema_changed);
	if (builder->by_name && !builder->request->is_replaced)
		change->stale = "the table was dropped and created again";
}

/*
 * Whether columns may be matched by name, the relation not being known.  A table that
 * became a partition of its successor by name is known.
 */
static bool
check_recreated(Builder *builder)
{
	const Relation *relation = builder->relation;

	if (builder->old == NULL || builder->old->relid == relation_root(relation) ||
	    builder->old->relid == relation->relid)
		return true;
	builder->by_name = true;
	if (builder->request->is_replaced ||
	    builder->request->config->lake_on_recreated == RECREATED_BY_NAME)
		return true;
	(void) fail(builder->err,
	            ERR_CONFIG,
	            "table \"%s.%s\" was dropped and created again: it is not the table that "
	            "the lake holds",
	            relation->schema,
	            relation->name);
	return fail_hint(builder->err,
	                 "Set lake.on.recreated=by_name to match its columns by name.");
}

static IcebergField
copy_field(Arena *arena, const IcebergField *field)
{
	IcebergField copy = *field;

	copy.name = arena_strdup(arena, field->name);
	copy.type = shape_type_copy(arena, &field->type);
	return copy;
}

static ShapeMissing
copy_missing(Arena *arena, const ShapeMissing *missing)
{
	ShapeMissing copy = { cell_copy(arena, &missing->cell), missing->remark };

	if (copy.remark.reason != NULL)
		copy.remark.exact = arena_slice(arena, copy.remark.exact);
	return copy;
}

static void
start_drafts(Builder *builder)
{
	const Shape *old = builder->old;
	size_t room = builder->relation->column_count + 1u;

	if (old != NULL)
		room += (size_t) old->source_count;
	builder->drafts = arena_zero(builder->arena, sizeof *builder->drafts * room);
	builder->fills = arena_zero(builder->arena, sizeof *builder->fills * room);
	builder->attnums = arena_zero(builder->arena, sizeof(int32_t) * room);
	builder->field_ids = arena_zero(builder->arena, sizeof(int32_t) * room);
	for (int32_t i = 0; old != NULL && i < old->source_count; i++)
	{
		Draft *draft = &builder->drafts[builder->draft_count++];

		draft->field = copy_field(builder->arena, &old->schema.fields[i]);
		draft->missing = copy_missing(builder->arena, &old->missing[i]);
	}
	for (int32_t i = 0; old != NULL && i < old->key_count; i++)
		builder->drafts[old->key[i]].is_key = true;
}

static bool
build(Builder *builder)
{
	start_drafts(builder);
	if (!check_recreated(builder))
		return false;
	for (uint16_t i = 0; i < builder->relation->column_count; i++)
		if (!builder->relation->columns[i].is_generated && !draft_column(builder, i))
			return false;
	keep_foreign_fields(builder);
	if (!check_names(builder))
		return false;
	finish_schema(builder);
	finish_tracks(builder);
	finish_change(builder);
	return true;
}

static const ShapeTrack *
find_track(const Shape *shape, uint32_t relid)
{
	for (int32_t i = 0; shape != NULL && i < shape->track_count; i++)
		if (shape->tracks[i].relid == relid)
			return &shape->tracks[i];
	return NULL;
}

bool
shape_tracks(const Shape *shape, uint32_t relid)
{
	return find_track(shape, relid) != NULL;
}

Shape *
shape_new(void)
{
	Arena *arena = arena_new();
	Shape *shape = arena_zero(arena, sizeof *shape);

	shape->arena = arena;
	return shape;
}

bool
shape_evolve(const ShapeRequest *request, const Shape *old, Shape **shape,
             ShapeChange *change, Err *err)
{
	Shape *made = shape_new();
	Builder builder = {
		.request = request,
		.relation = request->relation,
		.old = old,
		.track = find_track(old, request->relation->relid),
		.shape = made,
		.arena = made->arena,
		.next_id = request->last_id + 1,
		.change = change,
		.err = err,
	};

	*change = (ShapeChange){ 0 };
	*shape = NULL;
	made->relid = relation_root(request->relation);
	made->identity = relation_identity(request->config, request->relation);
	if (!build(&builder))
	{
		shape_free(made);
		return false;
	}
	*shape = made;
	return true;
}

Shape *
shape_without(const Shape *old, uint32_t relid)
{
	const IcebergSchema *schema = &old->schema;
	Shape *shape = shape_new();
	Arena *arena = shape->arena;
	size_t room = (size_t) schema->field_count + 1;
	size_t key_bytes = sizeof(int32_t) * (size_t) old->key_count;
	IcebergField *fields = arena_alloc(arena, sizeof *fields * room);
	ShapeMissing *missing = arena_alloc(arena, sizeof *missing * room);
	ShapeTrack *tracks =
		arena_alloc(arena, sizeof *tracks * (size_t) (old->track_count + 1));

	*shape = *old;
	shape->arena = arena;
	for (int32_t i = 0; i < schema->field_count; i++)
		fields[i] = copy_field(arena, &schema->fields[i]);
	for (int32_t i = 0; i < old->source_count; i++)
		missing[i] = copy_missing(arena, &old->missing[i]);
	shape->schema.fields = fields;
	if (schema->identifier_ids != NULL)
		shape->schema.identifier_ids =
			copy_bytes(arena, schema->identifier_ids, key_bytes);
	shape->missing = missing;
	shape->key = copy_bytes(arena, old->key, key_bytes);
	shape->tracks = tracks;
	shape->track_count = 0;
	for (int32_t i = 0; i < old->track_count; i++)
		if (old->tracks[i].relid != relid)
			tracks[shape->track_count++] = copy_track(arena, &old->tracks[i]);
	return shape;
}

void
shape_free(Shape *shape)
{
	if (shape != NULL)
		arena_free(shape->arena);
}
