/*
 * routers.c
 *		RegexRouter and io.debezium.transforms.ByLogicalTableRouter.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/log.h"
#include "transform/stage.h"

/* ---- RegexRouter ---- */

static bool
regex_apply(const Stage *stage, ConnectRecord *record, Arena *arena, bool *keep, Err *err)
{
	const char *topic;

	(void) keep;
	if (!route_topic(stage->state, record->topic, arena, &topic, err))
		return false;
	if (topic == NULL)
		return true;
	connect_record_renew(record);
	record->topic = topic;
	return true;
}

bool
regex_make(Stage *stage, Err *err)
{
	Route *route = arena_zero(stage->memory, sizeof *route);

	stage->state = route;
	stage->apply = regex_apply;
	return route_make(route,
	                  stage,
	                  stage_value(stage->config, "regex"),
	                  stage_value(stage->config, "replacement"),
	                  err);
}

/* ---- ByLogicalTableRouter ---- */

typedef struct Logical
{
	Route topic;
	Route field;
	bool has_field_route;
	bool enforces; /* key.enforce.uniqueness */
	const char *field_name;
	int adjustment;
	const ConnectSchema *string;
	SchemaCache keys; /* by the old schema, as Debezium's */
	SchemaCache values;
} Logical;

static const ConnectSchema *
renamed(const Logical *logical, const Stage *stage, const ConnectSchema *schema,
        const char *topic, const char *suffix, Arena *arena)
{
	const char *name = arena_printf(arena, "%s.%s", topic, suffix);
	ConnectSchema draft = *schema;

	draft.name = adjusted_name(name, logical->adjustment, arena);
	draft.default_json = (Slice){ NULL, 0 };
	return connect_schema_intern(stage->schemas, &draft);
}

static bool
route_key(Logical *logical, const Stage *stage, ConnectRecord *record, const char *topic,
          Arena *arena, Err *err)
{
	const ConnectSchema *old = record->key.schema;
	const ConnectSchema *schema;
	const char *identifier = record->topic;
	const void **kept;
	ConnectValue value;

	if (record->key.value.form == CONNECT_IS_NULL)
	{
		record->key.schema = NULL;
		return true;
	}
	if (old == NULL || old->type != CONNECT_STRUCT)
		return fail(err, ERR_DATA, "the key is not a struct");
	kept = schema_cache(&logical->keys, old, NULL);
	schema = *kept;
	if (schema == NULL)
	{
		schema = renamed(logical, stage, old, topic, "Key", arena);
		if (logical->enforces)
			schema = schema_with(
				stage->schemas, schema, logical->field_name, logical->string, err);
		if (schema == NULL)
			return false;
		*kept = schema;
	}
	record->key.schema = schema;
	if (!logical->enforces)
		return true;
	if (logical->has_field_route)
	{
		const char *result;

		if (!route_topic(&logical->field, record->topic, arena, &result, err))
			return false;
		identifier = result == NULL ? identifier : result;
	}
	if (!connect_value_open(&record->key.value, old, arena, err))
		return false;
	value = value_with_room(arena, &record->key.value, old, 1);
	value.fields[old->field_count] = connect_value_string(arena, slice_from(identifier));
	record->key.value = value;
	return true;
}

/* Only names change: the value itself is the same under its new schema. */
static const ConnectSchema *
routed_envelope(Logical *logical, const Stage *stage, const ConnectSchema *old,
                const char *topic, Arena *arena, Err *err)
{
	static const char *const rows[] = { "before", "after" };
	const void **kept = schema_cache(&logical->values, old, NULL);
	const ConnectSchema *schema = *kept;
	const ConnectSchema *row = NULL;

	if (schema != NULL)
		return schema;
	schema = renamed(logical, stage, old, topic, "Envelope", arena);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
	{
		size_t index;

		if (!field_find(old, rows[i], CONNECT_STRUCT, &index, err))
			return NULL;
		if (row == NULL)
			row =
				renamed(logical, stage, old->fields[index].schema, topic, "Value", arena);
		schema = connect_schema_replace(stage->schemas, schema, index, NULL, row);
	}
	*kept = schema;
	return schema;
}

static bool
logical_apply(const Stage *stage, ConnectRecord *record, Arena *arena, bool *keep,
              Err *err)
{
	Logical *logical = stage->state;
	const char *topic;

	(void) keep;
	if (!route_topic(&logical->topic, record->topic, arena, &topic, err))
		return false;
	if (topic == NULL)
		return true;
	if (*topic == '\0')
	{
		log_warning("kafka",
		            "topic.replacement of \"%s\" gives an empty topic for \"%s\", which "
		            "stays as it is",
		            stage->config->alias,
		            record->topic);
		return true;
	}
	if (!route_key(logical, stage, record, topic, arena, err))
		return false;
	if (record->value.value.form != CONNECT_IS_NULL && is_envelope(record))
	{
		const ConnectSchema *schema =
			routed_envelope(logical, stage, record->value.schema, topic, arena, err);

		if (schema == NULL)
			return false;
		record->value.schema = schema;
	}
	connect_record_renew(record);
	record->topic = topic;
	return true;
}

bool
logical_make(Stage *stage, Err *err)
{
	const ConfigStage *config = stage->config;
	Logical *logical = arena_zero(stage->memory, sizeof *logical);
	const char *regex = stage_value(config, "key.field.regex");

	logical->enforces = stage_flag(config, "key.enforce.uniqueness");
	logical->field_name = stage_value(config, "key.field.name");
	logical->adjustment = stage_word(config, "schema.name.adjustment.mode");
	logical->string = connect_schema_plain(stage->schemas, CONNECT_STRING, false);
	logical->keys.memory = stage->memory;
	logical->values.memory = stage->memory;
	logical->has_field_route = regex != NULL && *regex != '\0';
	stage->state = logical;
	stage->apply = logical_apply;
	return route_make(&logical->topic,
	                  stage,
	                  stage_value(config, "topic.regex"),
	                  stage_value(config, "topic.replacement"),
	                  err) &&
	       (!logical->has_field_route ||
	        route_make(&logical->field,
	                   stage,
	                   regex,
	                   stage_value(config, "key.field.replacement"),
	                   err));
}
