/*
 * unwrap.c
 *		io.debezium.transforms.ExtractNewRecordState: the new row instead of the envelope.
 *
 * Records that are neither envelopes nor tombstones pass; truncates are dropped, as
 * there.  Headers are added to the record that came in, so those of a delete are on its
 * tombstone too (connect_record_share_headers).  A field of metadata that is a struct or
 * map cannot be added to a row: Debezium fails when it makes the record, and so do we.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/scan.h"
#include "transform/stage.h"

typedef enum DeleteMode
{
	DELETE_DROP,
	DELETE_TOMBSTONE,
	DELETE_REWRITE,
	DELETE_REWRITE_WITH_TOMBSTONE,
	DELETE_TO_TOMBSTONE,
} DeleteMode;

/* One of add.fields or add.headers as written: "op", "source.ts_ms:time". */
typedef struct Reference
{
	const char *parent; /* NULL: of the envelope itself */
	const char *field;
	const char *name; /* the new one */
} Reference;

/* A reference resolved for one envelope. */
typedef struct Source
{
	bool present;
	int parent; /* -1: the envelope */
	size_t field;
	bool in_main; /* not in the parent, but in the envelope */
	const ConnectSchema *schema;
} Source;

/* What is known of an envelope's schema. */
typedef struct Plan
{
	size_t before;
	size_t after;
	Source *headers;
	Source *fields;
} Plan;

typedef struct Unwrap
{
	DeleteMode mode;
	Reference *headers;
	size_t header_count;
	Reference *fields;
	size_t field_count;
	const char *route_by;    /* NULL: not */
	const char *drop_header; /* NULL: none */
	bool drop_from_key;
	bool drop_compatible;
	bool replaces;
	const ConnectSchema *string;
	const ConnectSchema *optional_string;
	SchemaCache plans;
	SchemaCache rewritten; /* by the row's schema */
	SchemaCache extended;  /* by the row's schema and the plan */
} Unwrap;

/* What the work on one record takes along. */
typedef struct Pass
{
	Unwrap *unwrap;
	const Stage *stage;
	const Plan *plan;
	ConnectData envelope; /* opened */
	Arena *arena;
	Err *err;
} Pass;

/* ---- Configuration ---- */

/* The struct that a plain name is in; NULL: the envelope. */
static const char *
parent_of(const char *name)
{
	static const char *const parents[][2] = {
		{ "data_collection_order", "transaction" },
		{ "id", "transaction" },
		{ "op", NULL },
		{ "total_order", "transaction" },
		{ "ts_ms", NULL },
		{ "ts_ns", NULL },
		{ "ts_us", NULL },
		{ "updateDescription", "updateDescription" },
	};

	for (size_t i = 0; i < sizeof parents / sizeof *parents; i++)
		if (strcmp(parents[i][0], name) == 0)
			return parents[i][1];
	return "source";
}

static bool
read_reference(Arena *arena, const char *prefix, const char *text, Reference *reference,
               Err *err)
{
	const char *colon = strchr(text, ':');
	size_t len = colon == NULL ? strlen(text) : (size_t) (colon - text);
	const char *path = arena_strndup(arena, text, len);
	const char *dot = strchr(path, '.');
	const char *rest = dot == NULL ? path : dot + 1;

	reference->field = arena_strndup(arena, rest, strcspn(rest, "."));
	reference->parent =
		dot == NULL ? parent_of(path) : arena_strndup(arena, path, (size_t) (dot - path));
	if (*path == '\0' || *reference->field == '\0' ||
	    (colon != NULL && (colon[1] == '\0' || strchr(colon + 1, ':') != NULL)))
	{
		(void) fail(err, ERR_CONFIG, "\"%s\" does not name a field", text);
		return fail_hint(err,
		                 "Write name, struct.name, name:new_name or "
		                 "struct.name:new_name.");
	}
	if (colon != NULL)
		reference->name = arena_printf(arena, "%s%s", prefix, colon + 1);
	else if (dot != NULL)
		reference->name =
			arena_printf(arena, "%s%s_%s", prefix, reference->parent, reference->field);
	else
		reference->name = arena_printf(arena, "%s%s", prefix, reference->field);
	return true;
}

static bool
read_references(const Stage *stage, const char *option, const char *prefix_option,
                Reference **references, size_t *count, Err *err)
{
	const char **items = stage_list(stage->config, option, stage->memory, count);
	const char *prefix = stage_value(stage->config, prefix_option);

	*references = arena_zero(stage->memory, (*count + 1) * sizeof **references);
	for (size_t i = 0; i < *count; i++)
		if (!read_reference(stage->memory, prefix, items[i], &(*references)[i], err))
			return fail_while(err, "invalid option \"%s\"", option);
	return true;
}

/* Whether it names one of the envelope's structs whatever the table. */
static bool
is_struct(const Reference *reference)
{
	static const char *const structs[] = { "after", "before", "source", "transaction" };
	const char *parent = reference->parent == NULL ? "" : reference->parent;

	/* a table's column may have that name */
	if (strcmp(parent, "after") == 0 || strcmp(parent, "before") == 0)
		return false;
	for (size_t i = 0; i < sizeof structs / sizeof *structs; i++)
		if (strcmp(reference->field, structs[i]) == 0)
			return true;
	return false;
}

/* A row has no place for a struct among its columns. */
static bool
check_fields(const Unwrap *unwrap, Err *err)
{
	for (size_t i = 0; i < unwrap->field_count; i++)
	{
		const char *field = unwrap->fields[i].field;

		if (!is_struct(&unwrap->fields[i]))
			continue;
		(void) fail(err,
		            ERR_CONFIG,
		            "invalid option \"add.fields\": \"%s\" is a struct, which cannot be "
		            "added to a row",
		            field);
		return fail_hint(err, "Name one of its fields: %s.name.", field);
	}
	return true;
}

/* ---- Plans ---- */

static bool
resolve(ConnectSchemas *schemas, const ConnectSchema *envelope,
        const Reference *reference, Source *source, Err *err)
{
	const ConnectSchema *parent = envelope;
	ConnectSchema draft;
	int at;

	source->parent = -1;
	if (reference->parent != NULL)
	{
		size_t index;

		if (!field_find(envelope, reference->parent, CONNECT_STRUCT, &index, err))
			return fail_while(err, "cannot find \"%s\" to add", reference->field);
		source->parent = (int) index;
		parent = envelope->fields[index].schema;
	}
	at = connect_schema_find(parent, reference->field);
	source->in_main = at < 0;
	if (at < 0)
	{
		parent = envelope;
		at = connect_schema_find(parent, reference->field);
	}
	source->present = at >= 0;
	if (at < 0)
		return true;
	source->field = (size_t) at;
	draft = *parent->fields[at].schema;
	draft.optional = true;
	draft.default_json = (Slice){ NULL, 0 };
	source->schema = connect_schema_intern(schemas, &draft);
	return true;
}

static Source *
resolve_all(const Stage *stage, const ConnectSchema *envelope,
            const Reference *references, size_t count, Err *err)
{
	Source *sources = arena_zero(stage->memory, (count + 1) * sizeof *sources);

	for (size_t i = 0; i < count; i++)
		if (!resolve(stage->schemas, envelope, &references[i], &sources[i], err))
			return NULL;
	return sources;
}

static const Plan *
get_plan(Unwrap *unwrap, const Stage *stage, const ConnectSchema *envelope, Err *err)
{
	const void **kept = schema_cache(&unwrap->plans, envelope, NULL);
	Plan *plan;

	if (*kept != NULL)
		return *kept;
	plan = arena_zero(stage->memory, sizeof *plan);
	if (!field_find(envelope, "before", CONNECT_STRUCT, &plan->before, err) ||
	    !field_find(envelope, "after", CONNECT_STRUCT, &plan->after, err))
		return NULL;
	plan->headers =
		resolve_all(stage, envelope, unwrap->headers, unwrap->header_count, err);
	if (plan->headers == NULL)
		return NULL;
	plan->fields = resolve_all(stage, envelope, unwrap->fields, unwrap->field_count, err);
	if (plan->fields == NULL)
		return NULL;
	for (size_t i = 0; i < unwrap->field_count; i++)
		if (plan->fields[i].present && (plan->fields[i].schema->type == CONNECT_STRUCT ||
		                                plan->fields[i].schema->type == CONNECT_MAP))
		{
			(void) fail(err,
			            ERR_DATA,
			            "\"%s\" is a %s, which cannot be added to a row",
			            unwrap->fields[i].field,
			            connect_type_name(plan->fields[i].schema->type));
			return NULL;
		}
	*kept = plan;
	return plan;
}

/* What a source is in an opened envelope. */
static bool
source_value(const Source *source, const ConnectSchema *schema, ConnectValue *envelope,
             Arena *arena, ConnectValue *value, Err *err)
{
	ConnectValue *parent = envelope;

	*value = (ConnectValue){ .form = CONNECT_IS_NULL };
	if (source->parent >= 0)
	{
		parent = &envelope->fields[source->parent];
		if (parent->form == CONNECT_IS_NULL)
			return true;
		if (!connect_value_open(
				parent, schema->fields[source->parent].schema, arena, err))
			return false;
	}
	*value =
		source->in_main ? envelope->fields[source->field] : parent->fields[source->field];
	return true;
}

/* ---- Headers ---- */

static bool
add_headers(const Unwrap *unwrap, const Plan *plan, ConnectRecord *record, Arena *arena,
            Err *err)
{
	for (size_t i = 0; i < unwrap->header_count; i++)
	{
		const Reference *reference = &unwrap->headers[i];
		ConnectData data = { .schema = unwrap->string };

		if (plan == NULL)
		{
			/* a tombstone is of a delete */
			if (strcmp(reference->field, "op") != 0)
				continue;
			data.value = connect_value_json(slice_from("\"d\""));
		}
		else
		{
			if (!plan->headers[i].present)
				continue;
			data.schema = plan->headers[i].schema;
			if (!source_value(&plan->headers[i],
			                  record->value.schema,
			                  &record->value.value,
			                  arena,
			                  &data.value,
			                  err))
				return false;
		}
		connect_record_add_header(record, arena, reference->name, data);
	}
	return true;
}

/* ---- Rows ---- */

/* Append the field __deleted. */
static bool
mark_deleted(Unwrap *unwrap, const Stage *stage, ConnectData *row, const char *deleted,
             Arena *arena, Err *err)
{
	const void **kept = schema_cache(&unwrap->rewritten, row->schema, NULL);
	const ConnectSchema *schema = row->schema;
	ConnectValue value;

	if (*kept == NULL)
		*kept = schema_with(stage->schemas,
		                    schema_basics(stage->schemas, schema),
		                    "__deleted",
		                    unwrap->optional_string,
		                    err);
	if (*kept == NULL || !connect_value_open(&row->value, schema, arena, err))
		return false;
	row->schema = *kept;
	value = value_with_room(arena, &row->value, schema, 1);
	for (size_t i = 0; i < schema->field_count; i++)
		value.fields[i] =
			filled(&value.fields[i], schema->fields[i].schema, unwrap->replaces);
	value.fields[schema->field_count] = connect_value_json(slice_from(deleted));
	row->value = value;
	return true;
}

static const ConnectSchema *
extended_schema(Unwrap *unwrap, const Stage *stage, const Plan *plan,
                const ConnectSchema *row, Err *err)
{
	const void **kept = schema_cache(&unwrap->extended, row, plan);
	const ConnectSchema *schema = *kept;

	if (schema != NULL)
		return schema;
	schema = schema_basics(stage->schemas, row);
	for (size_t i = 0; i < unwrap->field_count && schema != NULL; i++)
		if (plan->fields[i].present)
			schema = schema_with(stage->schemas,
			                     schema,
			                     unwrap->fields[i].name,
			                     plan->fields[i].schema,
			                     err);
	*kept = schema;
	return schema;
}

/* Append add.fields. */
static bool
add_fields(Pass *pass, ConnectData *row)
{
	const Unwrap *unwrap = pass->unwrap;
	const ConnectSchema *schema =
		extended_schema(pass->unwrap, pass->stage, pass->plan, row->schema, pass->err);
	size_t at = row->schema->field_count;

	if (schema == NULL)
		return false;
	if (unwrap->field_count > 0)
	{
		if (!connect_value_open(&row->value, row->schema, pass->arena, pass->err))
			return false;
		row->value =
			value_with_room(pass->arena, &row->value, row->schema, unwrap->field_count);
	}
	for (size_t i = 0; i < unwrap->field_count; i++)
	{
		const Source *source = &pass->plan->fields[i];

		if (source->present && !source_value(source,
		                                     pass->envelope.schema,
		                                     &pass->envelope.value,
		                                     pass->arena,
		                                     &row->value.fields[at++],
		                                     pass->err))
			return false;
	}
	row->schema = schema;
	return true;
}

/* ---- Dropped fields ---- */

typedef struct Names
{
	Slice names[1024];
	size_t count;
} Names;

static bool
has_name(const Names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (slice_equal(names->names[i], slice_from(name)))
			return true;
	return false;
}

/* The names that the header holds, an array of strings. */
static bool
read_names(const ConnectHeader *header, Arena *arena, Names *names, Err *err)
{
	Scan scan = scan_over(header->data.value.json);
	bool first = true;
	bool more = true;
	Slice item;

	names->count = 0;
	if (!scan_take(&scan, '['))
		return fail(err, ERR_DATA, "header \"%s\" is not a list", header->name);
	for (;;)
	{
		if (!scan_item(&scan, &first, &more))
			break;
		if (!more)
			return true;
		if (names->count == sizeof names->names / sizeof *names->names ||
		    !scan_value(&scan, &item) ||
		    !connect_read_string(item, arena, &names->names[names->count++]))
			break;
	}
	return fail(err, ERR_DATA, "header \"%s\" is not a list of names", header->name);
}

static bool
drop_from(const Unwrap *unwrap, const Stage *stage, ConnectData *data, const Names *names,
          Arena *arena, Err *err)
{
	const ConnectSchema *schema = data->schema;
	const ConnectSchema *left;
	ConnectValue value;
	size_t count = 0;

	if (schema == NULL || schema->type != CONNECT_STRUCT ||
	    data->value.form == CONNECT_IS_NULL)
		return true;
	if (!connect_value_open(&data->value, schema, arena, err))
		return false;
	left = schema_basics(stage->schemas, schema);
	value = connect_value_struct(arena, schema->field_count);
	for (size_t i = 0; i < schema->field_count; i++)
	{
		const ConnectField *field = &schema->fields[i];

		if (has_name(names, field->name) &&
		    (!unwrap->drop_compatible || field->schema->optional))
			left = connect_schema_drop(stage->schemas, left, count);
		else
			value.fields[count++] = filled(&data->value.fields[i], field->schema, true);
	}
	if (count < schema->field_count)
		*data = (ConnectData){ left, value };
	return true;
}

static bool
drop_fields(const Unwrap *unwrap, const Stage *stage, ConnectRecord *record, Arena *arena,
            Err *err)
{
	const ConnectHeader *header = NULL;
	Names *names;

	if (unwrap->drop_header == NULL)
		return true;
	for (size_t i = 0; i < record->header_count && header == NULL; i++)
		if (strcmp(record->headers[i].name, unwrap->drop_header) == 0)
			header = &record->headers[i];
	if (header == NULL || header->data.value.form == CONNECT_IS_NULL)
		return true;
	names = arena_alloc(arena, sizeof *names);
	return read_names(header, arena, names, err) &&
	       (!unwrap->drop_from_key ||
	        drop_from(unwrap, stage, &record->key, names, arena, err)) &&
	       drop_from(unwrap, stage, &record->value, names, arena, err);
}

/* ---- Records ---- */

static bool
route(const Unwrap *unwrap, ConnectRecord *record, ConnectData *row, Arena *arena,
      Err *err)
{
	const char *topic;

	if (unwrap->route_by == NULL)
		return true;
	if (!connect_value_open(&row->value, row->schema, arena, err) ||
	    !field_string(row, unwrap->route_by, arena, &topic, err))
		return fail_while(err, "cannot route by \"%s\"", unwrap->route_by);
	if (topic != NULL && topic[strspn(topic, " \t\r\n\f\v")] != '\0')
		record->topic = topic;
	return true;
}

static bool
unwrap_delete(Pass *pass, ConnectRecord *record, bool *keep)
{
	Unwrap *unwrap = pass->unwrap;
	Arena *arena = pass->arena;
	Err *err = pass->err;
	ConnectData before = { pass->envelope.schema->fields[pass->plan->before].schema,
		                   pass->envelope.value.fields[pass->plan->before] };

	*keep = unwrap->mode != DELETE_DROP;
	if (!*keep)
		return true;
	record->value = (ConnectData){ NULL, { .form = CONNECT_IS_NULL } };
	if (unwrap->mode == DELETE_TOMBSTONE)
		record->value.schema = pass->envelope.schema->fields[pass->plan->after].schema;
	else if (unwrap->mode != DELETE_TO_TOMBSTONE)
	{
		record->value = before;
		if (!mark_deleted(unwrap, pass->stage, &record->value, "\"true\"", arena, err))
			return false;
	}
	return route(unwrap, record, &before, arena, err) &&
	       drop_fields(unwrap, pass->stage, record, arena, err) &&
	       (record->value.value.form == CONNECT_IS_NULL ||
	        add_fields(pass, &record->value));
}

static bool
unwrap_row(Pass *pass, ConnectRecord *record)
{
	Unwrap *unwrap = pass->unwrap;
	Arena *arena = pass->arena;
	Err *err = pass->err;
	bool rewrites =
		unwrap->mode == DELETE_REWRITE || unwrap->mode == DELETE_REWRITE_WITH_TOMBSTONE;

	record->value =
		(ConnectData){ pass->envelope.schema->fields[pass->plan->after].schema,
		               pass->envelope.value.fields[pass->plan->after] };
	return (!rewrites ||
	        mark_deleted(unwrap, pass->stage, &record->value, "\"false\"", arena, err)) &&
	       route(unwrap, record, &record->value, arena, err) &&
	       add_fields(pass, &record->value) &&
	       drop_fields(unwrap, pass->stage, record, arena, err);
}

static bool
unwrap_apply(const Stage *stage, ConnectRecord *record, Arena *arena, bool *keep,
             Err *err)
{
	Unwrap *unwrap = stage->state;
	bool is_tombstone = record->value.value.form == CONNECT_IS_NULL;
	const Plan *plan;
	Pass pass;

	if (is_tombstone)
	{
		*keep = unwrap->mode == DELETE_REWRITE_WITH_TOMBSTONE;
		return !*keep || add_headers(unwrap, NULL, record, arena, err);
	}
	if (!is_envelope(record))
		return true;
	plan = get_plan(unwrap, stage, record->value.schema, err);
	if (plan == NULL ||
	    !connect_value_open(&record->value.value, record->value.schema, arena, err) ||
	    !add_headers(unwrap, plan, record, arena, err))
		return false;
	connect_record_renew(record);
	pass = (Pass){ unwrap, stage, plan, record->value, arena, err };
	if (record->value.value.fields[plan->after].form != CONNECT_IS_NULL)
		return unwrap_row(&pass, record);
	if (record->value.value.fields[plan->before].form != CONNECT_IS_NULL)
		return unwrap_delete(&pass, record, keep);
	*keep = false; /* a truncate */
	return true;
}

bool
unwrap_make(Stage *stage, Err *err)
{
	const ConfigStage *config = stage->config;
	Unwrap *unwrap = arena_zero(stage->memory, sizeof *unwrap);
	const char *route_by = stage_value(config, "route.by.field");
	const char *drop_header = stage_value(config, "drop.fields.header.name");

	unwrap->mode = (DeleteMode) stage_word(config, "delete.tombstone.handling.mode");
	unwrap->route_by = *route_by == '\0' ? NULL : route_by;
	unwrap->drop_header =
		drop_header == NULL || *drop_header == '\0' ? NULL : drop_header;
	unwrap->drop_from_key = stage_flag(config, "drop.fields.from.key");
	unwrap->drop_compatible = stage_flag(config, "drop.fields.keep.schema.compatible");
	unwrap->replaces = stage_flag(config, "replace.null.with.default");
	unwrap->string = connect_schema_plain(stage->schemas, CONNECT_STRING, false);
	unwrap->optional_string = connect_schema_plain(stage->schemas, CONNECT_STRING, true);
	unwrap->plans.memory = stage->memory;
	unwrap->rewritten.memory = stage->memory;
	unwrap->extended.memory = stage->memory;
	stage->state = unwrap;
	stage->apply = unwrap_apply;
	return read_references(stage,
	                       "add.headers",
	                       "add.headers.prefix",
	                       &unwrap->headers,
	                       &unwrap->header_count,
	                       err) &&
	       read_references(stage,
	                       "add.fields",
	                       "add.fields.prefix",
	                       &unwrap->fields,
	                       &unwrap->field_count,
	                       err) &&
	       check_fields(unwrap, err);
}
