/*
 * fields.c
 *		ReplaceField and InsertField of Kafka Connect, for keys and values.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "transform/stage.h"

/* The struct to work on, opened; *data is NULL when there is nothing to do. */
static bool
open_side(const Stage *stage, ConnectRecord *record, ConnectData **data, Arena *arena,
          Err *err)
{
	*data = stage_side(stage, record);
	if ((*data)->value.form == CONNECT_IS_NULL)
	{
		*data = NULL;
		return true;
	}
	if ((*data)->schema == NULL || (*data)->schema->type != CONNECT_STRUCT)
		return fail(err,
		            ERR_DATA,
		            "the %s is not a struct",
		            *data == &record->key ? "key" : "value");
	return connect_value_open(&(*data)->value, (*data)->schema, arena, err);
}

/* ---- ReplaceField ---- */

typedef struct Replace
{
	const char **excluded;
	size_t excluded_count;
	const char **included;
	size_t included_count;
	const char **old_names; /* of the renames */
	const char **new_names;
	size_t rename_count;
	bool replaces;
	SchemaCache plans;
} Replace;

typedef struct ReplacePlan
{
	const ConnectSchema *schema;
	size_t *from; /* for each of its fields, the old one */
} ReplacePlan;

static bool
is_among(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* What name is translated to, the last translation winning; itself when there is none. */
static const char *
translated(const char *const *from, const char *const *to, size_t count, const char *name)
{
	for (size_t i = count; i > 0; i--)
		if (strcmp(from[i - 1], name) == 0)
			return to[i - 1];
	return name;
}

static const ReplacePlan *
replace_plan(Replace *replace, const Stage *stage, const ConnectSchema *schema, Err *err)
{
	const void **kept = schema_cache(&replace->plans, schema, NULL);
	ConnectSchema none = *schema;
	ReplacePlan *plan;

	if (*kept != NULL)
		return *kept;
	plan = arena_zero(stage->memory, sizeof *plan);
	plan->from =
		arena_zero(stage->memory, (schema->field_count + 1) * sizeof *plan->from);
	none.fields = NULL;
	none.field_count = 0;
	none.optional = false;
	none.default_json = (Slice){ NULL, 0 };
	plan->schema = connect_schema_intern(stage->schemas, &none);
	for (size_t i = 0; i < schema->field_count; i++)
	{
		const ConnectField *field = &schema->fields[i];

		if (is_among(replace->excluded, replace->excluded_count, field->name) ||
		    (replace->included_count > 0 &&
		     !is_among(replace->included, replace->included_count, field->name)))
			continue;
		plan->schema = schema_with(stage->schemas,
		                           plan->schema,
		                           translated(replace->old_names,
		                                      replace->new_names,
		                                      replace->rename_count,
		                                      field->name),
		                           field->schema,
		                           err);
		if (plan->schema == NULL)
			return NULL;
	}
	/* Kafka looks values up by the name before the renames. */
	for (size_t i = 0; i < plan->schema->field_count; i++)
		if (!field_find(schema,
		                translated(replace->new_names,
		                           replace->old_names,
		                           replace->rename_count,
		                           plan->schema->fields[i].name),
		                -1,
		                &plan->from[i],
		                err))
			return NULL;
	*kept = plan;
	return plan;
}

static bool
replace_apply(const Stage *stage, ConnectRecord *record, Arena *arena, bool *keep,
              Err *err)
{
	Replace *replace = stage->state;
	const ReplacePlan *plan;
	ConnectData *data;
	ConnectValue value;

	(void) keep;
	if (!open_side(stage, record, &data, arena, err))
		return false;
	if (data == NULL)
		return true;
	plan = replace_plan(replace, stage, data->schema, err);
	if (plan == NULL)
		return false;
	value = connect_value_struct(arena, plan->schema->field_count);
	for (size_t i = 0; i < plan->schema->field_count; i++)
		value.fields[i] = filled(&data->value.fields[plan->from[i]],
		                         plan->schema->fields[i].schema,
		                         replace->replaces);
	connect_record_renew(record);
	*data = (ConnectData){ plan->schema, value };
	return true;
}

bool
replace_make(Stage *stage, Err *err)
{
	const ConfigStage *config = stage->config;
	Arena *memory = stage->memory;
	Replace *replace = arena_zero(memory, sizeof *replace);
	const char **renames = stage_list(config, "renames", memory, &replace->rename_count);

	replace->excluded = stage_list(config, "exclude", memory, &replace->excluded_count);
	replace->included = stage_list(config, "include", memory, &replace->included_count);
	replace->replaces = stage_flag(config, "replace.null.with.default");
	replace->plans.memory = memory;
	replace->old_names =
		arena_alloc(memory, (replace->rename_count + 1) * sizeof *replace->old_names);
	replace->new_names =
		arena_alloc(memory, (replace->rename_count + 1) * sizeof *replace->new_names);
	for (size_t i = 0; i < replace->rename_count; i++)
	{
		const char *colon = strchr(renames[i], ':');

		if (colon == NULL || colon == renames[i] || colon[1] == '\0' ||
		    strchr(colon + 1, ':') != NULL)
			return fail(
				err, ERR_CONFIG, "option \"renames\": \"%s\" is not old:new", renames[i]);
		replace->old_names[i] =
			arena_strndup(memory, renames[i], (size_t) (colon - renames[i]));
		replace->new_names[i] = colon + 1;
	}
	stage->state = replace;
	stage->apply = replace_apply;
	return true;
}

/* ---- InsertField ---- */

typedef enum Inserted
{
	INSERT_TOPIC,
	INSERT_PARTITION,
	INSERT_TIMESTAMP,
	INSERT_STATIC,
	INSERT_COUNT,
} Inserted;

typedef struct Insert
{
	const char *names[INSERT_COUNT]; /* NULL: not wanted */
	const ConnectSchema *schemas[INSERT_COUNT];
	ConnectValue static_value;
	bool replaces;
	SchemaCache plans; /* to the schema with the fields */
} Insert;

/* A field name with ! for required, or ? or nothing for optional. */
static void
read_insertion(const Stage *stage, const char *option, ConnectSchema schema,
               const char **name, const ConnectSchema **made)
{
	const char *value = stage_value(stage->config, option);
	size_t len = value == NULL ? 0 : strlen(value);
	bool suffixed = len > 0 && (value[len - 1] == '!' || value[len - 1] == '?');

	if (len == 0)
		return;
	schema.optional = value[len - 1] != '!';
	*name = arena_strndup(stage->memory, value, suffixed ? len - 1 : len);
	*made = connect_schema_intern(stage->schemas, &schema);
}

static const ConnectSchema *
inserted_schema(Insert *insert, const Stage *stage, const ConnectSchema *old, Err *err)
{
	const void **kept = schema_cache(&insert->plans, old, NULL);
	const ConnectSchema *schema = *kept;

	if (schema != NULL)
		return schema;
	schema = schema_basics(stage->schemas, old);
	for (int i = 0; i < INSERT_COUNT && schema != NULL; i++)
		if (insert->names[i] != NULL)
			schema = schema_with(
				stage->schemas, schema, insert->names[i], insert->schemas[i], err);
	*kept = schema;
	return schema;
}

static ConnectValue
inserted_value(const Insert *insert, const ConnectRecord *record, int what, Arena *arena)
{
	switch (what)
	{
		case INSERT_TOPIC:
			return connect_value_string(arena, slice_from(record->topic));
		case INSERT_PARTITION:
			if (record->partition >= 0)
				return connect_value_int64(arena, record->partition);
			break;
		case INSERT_TIMESTAMP:
			if (record->timestamp_ms >= 0)
				return connect_value_int64(arena, record->timestamp_ms);
			break;
		default:
			return insert->static_value;
	}
	return (ConnectValue){ .form = CONNECT_IS_NULL };
}

static bool
insert_apply(const Stage *stage, ConnectRecord *record, Arena *arena, bool *keep,
             Err *err)
{
	Insert *insert = stage->state;
	const ConnectSchema *old;
	const ConnectSchema *schema;
	ConnectData *data;
	ConnectValue value;
	size_t at;

	(void) keep;
	if (!open_side(stage, record, &data, arena, err))
		return false;
	if (data == NULL)
		return true;
	old = data->schema;
	schema = inserted_schema(insert, stage, old, err);
	if (schema == NULL)
		return false;
	value = value_with_room(arena, &data->value, old, INSERT_COUNT);
	for (at = 0; at < old->field_count; at++)
		value.fields[at] =
			filled(&value.fields[at], old->fields[at].schema, insert->replaces);
	for (int i = 0; i < INSERT_COUNT; i++)
		if (insert->names[i] != NULL)
			value.fields[at++] = inserted_value(insert, record, i, arena);
	connect_record_renew(record);
	*data = (ConnectData){ schema, value };
	return true;
}

bool
insert_make(Stage *stage, Err *err)
{
	static const ConnectSchema text = { .type = CONNECT_STRING };
	static const ConnectSchema number = { .type = CONNECT_INT32 };
	static const ConnectSchema time = { .type = CONNECT_INT64,
		                                .version = 1,
		                                .name =
		                                    "org.apache.kafka.connect.data.Timestamp" };
	static const struct
	{
		const char *option;
		const ConnectSchema *schema;
	} kinds[INSERT_COUNT] = {
		[INSERT_TOPIC] = { "topic.field", &text },
		[INSERT_PARTITION] = { "partition.field", &number },
		[INSERT_TIMESTAMP] = { "timestamp.field", &time },
		[INSERT_STATIC] = { "static.field", &text },
	};
	Insert *insert = arena_zero(stage->memory, sizeof *insert);
	const char *value = stage_value(stage->config, "static.value");
	bool any = false;

	for (int i = 0; i < INSERT_COUNT; i++)
	{
		read_insertion(stage,
		               kinds[i].option,
		               *kinds[i].schema,
		               &insert->names[i],
		               &insert->schemas[i]);
		any = any || insert->names[i] != NULL;
	}
	if (!any)
		return fail(err, ERR_CONFIG, "no field to insert is configured");
	if (insert->names[INSERT_STATIC] != NULL && value == NULL)
		return fail(err, ERR_CONFIG, "static.field wants static.value");
	if (value != NULL)
		insert->static_value = connect_value_string(stage->memory, slice_from(value));
	insert->replaces = stage_flag(stage->config, "replace.null.with.default");
	insert->plans.memory = stage->memory;
	stage->state = insert;
	stage->apply = insert_apply;
	return true;
}
