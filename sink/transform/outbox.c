/*
 * outbox.c
 *		io.debezium.transforms.outbox.EventRouter: messages out of the rows of a table.
 *
 * Deletes and tombstones are dropped, updates refused by table.op.invalid.behavior.  A
 * truncate, which stops Debezium, is dropped like a delete.  A payload that cannot be
 * expanded stays as it is; Debezium stops for some of these, see outbox_json.h.
 *
 * The struct's schema is named after the topic of the first event that needed it, as
 * there.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <strings.h>

#include "base/log.h"
#include "transform/outbox_json.h"
#include "transform/stage.h"

/* Further shapes of payloads begin with an empty memory: schemas are never forgotten. */
#define MAX_SHAPES 20000

typedef enum Placement
{
	PLACE_HEADER,
	PLACE_ENVELOPE,
	PLACE_PARTITION,
} Placement;

typedef struct Additional
{
	const char *field;
	const char *alias;
	Placement placement;
} Additional;

typedef struct Outbox
{
	const char *id;
	const char *key;
	const char *payload;
	const char *timestamp; /* NULL: when the event was processed */
	const char *version;   /* NULL: none */
	const char *route_by;
	Additional *additional;
	size_t additional_count;
	bool ignores_missing;
	bool has_struct; /* some additional field is in the envelope */
	bool tombstones;
	bool expands;
	bool null_is_bytes;
	int invalid; /* 0 warn, 1 error, 2 fatal */
	Route route;
	SchemaCache structs; /* by the payload's schema and the row's */
	SchemaCache shapes;  /* of expanded payloads: how many */
	bool warned;
} Outbox;

/* What the work on one event takes along. */
typedef struct Pass
{
	Outbox *outbox;
	const Stage *stage;
	ConnectData envelope; /* opened, as is the row in it */
	ConnectData row;
	Arena *arena;
	Err *err;
} Pass;

/* ---- Configuration ---- */

static bool
read_additional(Arena *arena, const char *text, Additional *additional, Err *err)
{
	static const char *const placements[] = {
		[PLACE_HEADER] = "header",
		[PLACE_ENVELOPE] = "envelope",
		[PLACE_PARTITION] = "partition",
	};
	const char *first = strchr(text, ':');
	const char *second = first == NULL ? NULL : strchr(first + 1, ':');
	size_t len = first == NULL ? 0 : strcspn(first + 1, ":");

	for (int i = 0; first != NULL && i < 3; i++)
		if (strlen(placements[i]) == len &&
		    strncasecmp(placements[i], first + 1, len) == 0 &&
		    (second == NULL || (second[1] != '\0' && strchr(second + 1, ':') == NULL)))
		{
			additional->placement = (Placement) i;
			additional->field = arena_strndup(arena, text, (size_t) (first - text));
			additional->alias = second == NULL ? additional->field : second + 1;
			return true;
		}
	(void) fail(err,
	            ERR_CONFIG,
	            "option \"table.fields.additional.placement\": \"%s\" is not understood",
	            text);
	return fail_hint(err,
	                 "Write column:placement or column:placement:alias, with header, "
	                 "envelope or partition.");
}

/* ---- Values of the row ---- */

/* A field of the row, its default instead of null. */
static bool
row_value(const ConnectData *row, const char *name, int type, ConnectData *data, Err *err)
{
	size_t index;

	if (!field_find(row->schema, name, type, &index, err))
		return false;
	data->schema = row->schema->fields[index].schema;
	data->value = filled(&row->value.fields[index], data->schema, true);
	return true;
}

static bool
row_integer(const ConnectData *row, const char *name, int type, bool *is_null,
            int64_t *value, Err *err)
{
	size_t index;

	if (!field_find(row->schema, name, type, &index, err))
		return false;
	*is_null = row->value.fields[index].form == CONNECT_IS_NULL;
	return *is_null || connect_read_int64(row->value.fields[index].json, value) ||
	       fail(err, ERR_DATA, "field \"%s\" is not a number", name);
}

/* When the event was processed: ts_ms of the envelope. */
static bool
envelope_time(const ConnectData *envelope, int64_t *time, Err *err)
{
	bool is_null;

	*time = -1;
	return row_integer(envelope, "ts_ms", CONNECT_INT64, &is_null, time, err);
}

static bool
event_time(const Outbox *outbox, const ConnectData *envelope, const ConnectData *row,
           int64_t *time, Err *err)
{
	static const struct
	{
		const char *name;
		int64_t divisor;
	} units[] = {
		{ "io.debezium.time.Timestamp", 1 },
		{ "io.debezium.time.MicroTimestamp", 1000 },
		{ "io.debezium.time.NanoTimestamp", 1000000 },
	};
	const char *name;
	size_t index;
	bool is_null;

	if (outbox->timestamp == NULL)
		return envelope_time(envelope, time, err);
	if (!row_integer(row, outbox->timestamp, CONNECT_INT64, &is_null, time, err) ||
	    !field_find(row->schema, outbox->timestamp, -1, &index, err))
		return false;
	if (is_null)
		return envelope_time(envelope, time, err);
	name = row->schema->fields[index].schema->name;
	for (size_t i = 0; name != NULL && i < sizeof units / sizeof *units; i++)
		if (strcmp(units[i].name, name) == 0)
		{
			*time /= units[i].divisor;
			return *time >= 0 ||
			       fail(err,
			            ERR_DATA,
			            "field \"%s\" is before 1970, which no record can be",
			            outbox->timestamp);
		}
	(void) fail(err,
	            ERR_DATA,
	            "field \"%s\" of type %s is not a timestamp",
	            outbox->timestamp,
	            name == NULL ? "int64" : name);
	return fail_hint(err, "Use a column of type timestamp.");
}

/* Whether a payload is null, or text of nothing but blanks. */
static bool
is_empty_payload(const ConnectData *payload, Arena *arena)
{
	Slice text;

	if (payload->value.form == CONNECT_IS_NULL)
		return true;
	if (payload->schema == NULL || payload->schema->type != CONNECT_STRING ||
	    !connect_read_string(payload->value.json, arena, &text))
		return false;
	while (text.len > 0 && (unsigned char) text.data[text.len - 1] <= ' ')
		text.len--;
	return text.len == 0;
}

/* ---- The struct with additional fields ---- */

/* The row's schema name with the topic before its last part. */
static const char *
struct_name(const ConnectSchema *row, const char *topic, Arena *arena)
{
	const char *dot = row->name == NULL ? NULL : strrchr(row->name, '.');

	if (row->name == NULL)
		return topic;
	if (dot == NULL)
		return arena_printf(arena, "%s.%s", topic, row->name);
	return arena_printf(
		arena, "%.*s.%s%s", (int) (dot - row->name), row->name, topic, dot);
}

static const ConnectSchema *
struct_schema(Pass *pass, const ConnectSchema *payload, const char *topic,
              int32_t version)
{
	Outbox *outbox = pass->outbox;
	ConnectSchemas *schemas = pass->stage->schemas;
	const ConnectSchema *row = pass->row.schema;
	ConnectSchema versioned = *row;
	const ConnectSchema *schema;
	const void **kept;

	/* each version has a name of its own, that of its first event */
	versioned.version = version;
	kept = schema_cache(&outbox->structs,
	                    payload,
	                    version == 0 ? row : connect_schema_intern(schemas, &versioned));
	schema = *kept;
	if (schema != NULL)
		return schema;
	schema = connect_schema_struct(
		schemas, struct_name(row, topic, pass->arena), version, false);
	schema = schema_with(schemas, schema, "payload", payload, pass->err);
	for (size_t i = 0; i < outbox->additional_count && schema != NULL; i++)
	{
		const Additional *additional = &outbox->additional[i];
		int at = connect_schema_find(row, additional->field);

		if (additional->placement == PLACE_ENVELOPE && at >= 0)
			schema = schema_with(
				schemas, schema, additional->alias, row->fields[at].schema, pass->err);
	}
	*kept = schema;
	return schema;
}

/* payload and the additional fields in one struct. */
static bool
make_struct(Pass *pass, const ConnectData *payload, const char *topic,
            ConnectData *result)
{
	const Outbox *outbox = pass->outbox;
	const ConnectData *row = &pass->row;
	const ConnectSchema *schema;
	int64_t version = 0;
	bool is_null;
	size_t at = 0;

	if (outbox->version != NULL &&
	    !row_integer(row, outbox->version, CONNECT_INT32, &is_null, &version, pass->err))
		return false;
	schema = struct_schema(pass, payload->schema, topic, (int32_t) version);
	if (schema == NULL)
		return false;
	result->value = connect_value_struct(pass->arena, schema->field_count);
	result->value.fields[at++] = payload->value;
	for (size_t i = 0; i < outbox->additional_count; i++)
	{
		const Additional *additional = &outbox->additional[i];
		ConnectData data;

		if (additional->placement != PLACE_ENVELOPE ||
		    connect_schema_find(row->schema, additional->field) < 0)
			continue;
		if (!row_value(row, additional->field, -1, &data, pass->err))
			return false;
		result->value.fields[at++] = data.value;
	}
	result->schema = schema;
	return true;
}

/* ---- Records ---- */

/* Headers and the partition; columns that are not there are an error, or left out. */
static bool
place_additional(const Outbox *outbox, const ConnectData *row, ConnectRecord *record,
                 Arena *arena, Err *err)
{
	record->partition = -1;
	for (size_t i = 0; i < outbox->additional_count; i++)
	{
		const Additional *additional = &outbox->additional[i];
		ConnectData data;
		int64_t partition = -1;
		bool is_null;

		if (connect_schema_find(row->schema, additional->field) < 0)
		{
			if (outbox->ignores_missing)
				continue;
			return fail(err, ERR_DATA, "there is no column \"%s\"", additional->field);
		}
		switch (additional->placement)
		{
			case PLACE_HEADER:
				if (!row_value(row, additional->field, -1, &data, err))
					return false;
				connect_record_add_header(record, arena, additional->alias, data);
				break;
			case PLACE_PARTITION:
				if (!row_integer(
						row, additional->field, CONNECT_INT32, &is_null, &partition, err))
					return false;
				if (!is_null && partition < 0)
					return fail(err,
					            ERR_DATA,
					            "column \"%s\" is not a partition",
					            additional->field);
				record->partition = (int32_t) partition;
				break;
			case PLACE_ENVELOPE:
				break;
		}
	}
	return true;
}

static bool
expand_payload(Outbox *outbox, const Stage *stage, ConnectData *payload, Arena *arena,
               Err *err)
{
	const ConnectSchema *plain = payload->schema;
	const char *why = "it is not a string";
	const void **shape;
	Slice text;

	if (!outbox->expands || payload->value.form == CONNECT_IS_NULL)
		return true;
	if (payload->schema->type == CONNECT_STRING &&
	    connect_read_string(payload->value.json, arena, &text))
		why = outbox_expand(
			stage->schemas, arena, outbox->payload, text, outbox->null_is_bytes, payload);
	if (why != NULL)
	{
		log_at(outbox->warned ? LOG_DEBUG : LOG_WARNING,
		       "kafka",
		       "transformation \"%s\": a payload was not expanded: %s",
		       stage->config->alias,
		       why);
		outbox->warned = true;
		return true;
	}
	if (payload->schema == NULL)
	{
		/* a field needs a schema, which stops Debezium */
		payload->schema = outbox->has_struct ? plain : NULL;
		return true;
	}
	shape = schema_cache(&outbox->shapes, payload->schema, NULL);
	*shape = payload->schema;
	return outbox->shapes.used <= MAX_SHAPES ||
	       fail(
			   err,
			   ERR_RETRY,
			   "the payloads of the outbox had more than %d shapes; beginning again with "
			   "none",
			   MAX_SHAPES);
}

static bool
make_message(Pass *pass, ConnectRecord *record)
{
	Outbox *outbox = pass->outbox;
	const ConnectData *row = &pass->row;
	Arena *arena = pass->arena;
	Err *err = pass->err;
	ConnectData payload;
	ConnectData id;
	const char *destination;
	const char *topic;
	bool is_empty;

	if (!row_value(row, outbox->payload, -1, &payload, err) ||
	    !event_time(outbox, &pass->envelope, row, &record->timestamp_ms, err) ||
	    !row_value(row, outbox->id, -1, &id, err))
		return false;
	connect_record_add_header(record, arena, "id", id);
	if (!field_string(row, outbox->route_by, arena, &destination, err) ||
	    !expand_payload(outbox, pass->stage, &payload, arena, err))
		return false;
	if (destination == NULL)
		return fail(err, ERR_DATA, "column \"%s\" is null", outbox->route_by);
	is_empty = is_empty_payload(&payload, arena);
	if (!place_additional(outbox, row, record, arena, err) ||
	    !row_value(row, outbox->key, -1, &record->key, err))
		return false;
	record->value = payload;
	if (is_empty && outbox->tombstones)
		record->value = (ConnectData){ NULL, { .form = CONNECT_IS_NULL } };
	else if (outbox->has_struct &&
	         !make_struct(pass, &payload, destination, &record->value))
		return false;
	if (!route_topic(&outbox->route, destination, arena, &topic, err))
		return false;
	record->topic = topic == NULL ? destination : topic;
	return true;
}

/* An update of the outbox table. */
static bool
refuse_update(const Outbox *outbox, const Stage *stage, Err *err)
{
	static const LogLevel levels[] = { LOG_WARNING, LOG_ERROR };

	if (outbox->invalid == 2)
		return fail(err, ERR_DATA, "a row of the outbox was updated");
	log_at(levels[outbox->invalid],
	       "kafka",
	       "transformation \"%s\": an update of the outbox table is ignored",
	       stage->config->alias);
	return true;
}

static bool
outbox_apply(const Stage *stage, ConnectRecord *record, Arena *arena, bool *keep,
             Err *err)
{
	Pass pass = { .outbox = stage->state,
		          .stage = stage,
		          .envelope = record->value,
		          .arena = arena,
		          .err = err };
	ConnectData *envelope = &pass.envelope;
	const char *op;
	size_t after;

	if (envelope->value.form == CONNECT_IS_NULL)
	{
		*keep = false;
		return true;
	}
	if (!is_envelope(record))
		return true;
	if (!connect_value_open(&envelope->value, envelope->schema, arena, err) ||
	    !field_string(envelope, "op", arena, &op, err) ||
	    !field_find(envelope->schema, "after", CONNECT_STRUCT, &after, err))
		return false;
	pass.row = (ConnectData){ envelope->schema->fields[after].schema,
		                      envelope->value.fields[after] };
	if (op != NULL && strcmp(op, "u") == 0)
	{
		*keep = false;
		return refuse_update(pass.outbox, stage, err);
	}
	if (pass.row.value.form == CONNECT_IS_NULL)
	{
		*keep = false; /* a delete or truncate */
		return true;
	}
	return connect_value_open(&pass.row.value, pass.row.schema, arena, err) &&
	       make_message(&pass, record);
}

/* A column's name; NULL when none is given. */
static const char *
optional_name(const ConfigStage *config, const char *option)
{
	const char *name = stage_value(config, option);

	return name == NULL || *name == '\0' ? NULL : name;
}

bool
outbox_make(Stage *stage, Err *err)
{
	const ConfigStage *config = stage->config;
	Outbox *outbox = arena_zero(stage->memory, sizeof *outbox);
	const char **additional = stage_list(config,
	                                     "table.fields.additional.placement",
	                                     stage->memory,
	                                     &outbox->additional_count);

	outbox->id = stage_value(config, "table.field.event.id");
	outbox->key = stage_value(config, "table.field.event.key");
	outbox->payload = stage_value(config, "table.field.event.payload");
	outbox->timestamp = optional_name(config, "table.field.event.timestamp");
	outbox->version = optional_name(config, "table.field.event.schema.version");
	outbox->route_by = stage_value(config, "route.by.field");
	outbox->tombstones = stage_flag(config, "route.tombstone.on.empty.payload");
	outbox->expands = stage_flag(config, "table.expand.json.payload");
	outbox->null_is_bytes = stage_word(config, "table.json.payload.null.behavior") == 1;
	outbox->ignores_missing = stage_word(config, "table.field.additional.missing") == 1;
	outbox->invalid = stage_word(config, "table.op.invalid.behavior");
	outbox->structs.memory = stage->memory;
	outbox->shapes.memory = stage->memory;
	outbox->additional = arena_zero(
		stage->memory, (outbox->additional_count + 1) * sizeof *outbox->additional);
	for (size_t i = 0; i < outbox->additional_count; i++)
	{
		if (!read_additional(stage->memory, additional[i], &outbox->additional[i], err))
			return false;
		if (outbox->additional[i].placement == PLACE_ENVELOPE)
			outbox->has_struct = true;
	}
	stage->state = outbox;
	stage->apply = outbox_apply;
	return route_make(&outbox->route,
	                  stage,
	                  stage_value(config, "route.topic.regex"),
	                  stage_value(config, "route.topic.replacement"),
	                  err);
}
