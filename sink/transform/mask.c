/*
 * mask.c
 *		MaskField of Kafka Connect: 0, false or nothing, or a replacement, for a value.
 *
 * Three things are done where Kafka stops: a null key or value (a tombstone) passes, a
 * Decimal is masked in its own scale, and a replacement that a number cannot hold is an
 * error and not a smaller number.  As there, bytes, structs and, with a replacement,
 * anything but numbers and strings cannot be masked.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>

#include "envelope/number.h"
#include "transform/stage.h"

#define DECIMAL "org.apache.kafka.connect.data.Decimal"

typedef struct Mask
{
	const char **fields;
	size_t field_count;
	const char *replacement; /* NULL: none */
	bool replaces;
	SchemaCache plans;
} Mask;

/* For each field of a schema what stands for a value there; CONNECT_IS_NULL: not masked.
 */
typedef struct MaskPlan
{
	ConnectValue *values;
} MaskPlan;

static bool
cannot(const ConnectField *field, const char *replacement, Err *err)
{
	const ConnectSchema *schema = field->schema;

	if (replacement != NULL)
		return fail(err,
		            ERR_DATA,
		            "field \"%s\" of type %s cannot be \"%s\"",
		            field->name,
		            schema->name != NULL ? schema->name : connect_type_name(schema->type),
		            replacement);
	return fail(err,
	            ERR_DATA,
	            "field \"%s\" of type %s cannot be masked",
	            field->name,
	            schema->name != NULL ? schema->name : connect_type_name(schema->type));
}

static bool
is_named(const ConnectSchema *schema, const char *name)
{
	return schema->name != NULL && strcmp(schema->name, name) == 0;
}

/* The logical types of Connect whose Java class is Date. */
static bool
is_date(const ConnectSchema *schema)
{
	return is_named(schema, "org.apache.kafka.connect.data.Date") ||
	       is_named(schema, "org.apache.kafka.connect.data.Time") ||
	       is_named(schema, "org.apache.kafka.connect.data.Timestamp");
}

/* The JSON of nothing in that type; NULL: it has none. */
static const char *
nothing(const ConnectSchema *schema)
{
	static const char *const texts[] = {
		[CONNECT_INT8] = "0",        [CONNECT_INT16] = "0",     [CONNECT_INT32] = "0",
		[CONNECT_INT64] = "0",       [CONNECT_FLOAT32] = "0.0", [CONNECT_FLOAT64] = "0.0",
		[CONNECT_BOOLEAN] = "false", [CONNECT_STRING] = "\"\"", [CONNECT_BYTES] = NULL,
		[CONNECT_ARRAY] = "[]",      [CONNECT_MAP] = "{}",      [CONNECT_STRUCT] = NULL,
	};

	if (is_named(schema, DECIMAL))
		return "\"AA==\"";
	if (schema->type == CONNECT_MAP && schema->keys->type != CONNECT_STRING)
		return "[]";
	return texts[schema->type];
}

/* A decimal number without exponent, times ten to the scale; false when it is none, or
 * has more digits than fit. */
static bool
read_scaled(const char *text, int scale, int64_t *value)
{
	bool negative = *text == '-';
	bool any = false;
	int left = -1; /* digits still wanted behind the point */

	*value = 0;
	for (text += negative || *text == '+'; *text != '\0' || left > 0;)
	{
		char c = '0';

		if (*text == '.' && left < 0)
		{
			left = scale;
			text++;
			continue;
		}
		if (*text != '\0')
			c = *text++;
		if (c < '0' || c > '9' || left == 0 ||
		    __builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, c - '0', value))
			return false;
		any = true;
		if (left > 0)
			left--;
	}
	for (; left < 0 && scale > 0; scale--)
		if (__builtin_mul_overflow(*value, 10, value))
			return false;
	if (negative)
		*value = -*value;
	return any;
}

/* Base64 of the shortest two's complement. */
static ConnectValue
decimal_value(Arena *arena, int64_t unscaled)
{
	Buf buf = buf_heap();
	unsigned char bytes[8];
	size_t first = 0;
	ConnectValue value;

	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char) ((uint64_t) unscaled >> (8 * (7 - i)));
	while (first < 7 &&
	       bytes[first] == (unsigned char) (bytes[first + 1] >= 0x80 ? 0xFF : 0))
		first++;
	buf_char(&buf, '"');
	number_base64(&buf, (Slice){ (const char *) bytes + first, 8 - first }, false);
	buf_char(&buf, '"');
	value = connect_value_json(arena_slice(arena, (Slice){ buf.data, buf.len }));
	buf_free(&buf);
	return value;
}

static bool
float_value(const Stage *stage, const ConnectField *field, const char *text,
            ConnectValue *value, Err *err)
{
	char printed[64];
	char *end;
	double number = strtod(text, &end);

	if (end == text || *end != '\0' || number - number != 0)
		return cannot(field, text, err);
	end = field->schema->type == CONNECT_FLOAT32
	          ? number_put_java_float(printed, (float) number)
	          : number_put_java_double(printed, number);
	*value = connect_value_json(
		arena_slice(stage->memory, (Slice){ printed, (size_t) (end - printed) }));
	return true;
}

/* What replaces values of a field. */
static bool
replacement_value(const Stage *stage, const ConnectField *field, const char *text,
                  ConnectValue *value, Err *err)
{
	static const int64_t limits[] = {
		[CONNECT_INT8] = INT8_MAX,
		[CONNECT_INT16] = INT16_MAX,
		[CONNECT_INT32] = INT32_MAX,
		[CONNECT_INT64] = INT64_MAX,
	};
	const ConnectSchema *schema = field->schema;
	const char *scale = connect_schema_parameter(schema, "scale");
	int64_t number;

	if (is_named(schema, DECIMAL))
	{
		if (!read_scaled(
				text, scale == NULL ? 0 : (int) strtol(scale, NULL, 10), &number))
			return cannot(field, text, err);
		*value = decimal_value(stage->memory, number);
		return true;
	}
	switch (schema->type)
	{
		case CONNECT_STRING:
			*value = connect_value_string(stage->memory, slice_from(text));
			return true;
		case CONNECT_FLOAT32:
		case CONNECT_FLOAT64:
			return float_value(stage, field, text, value, err);
		case CONNECT_INT8:
		case CONNECT_INT16:
		case CONNECT_INT32:
		case CONNECT_INT64:
			if (is_date(schema) || !read_scaled(text, 0, &number) ||
			    number > limits[schema->type] || number < -limits[schema->type] - 1)
				return cannot(field, text, err);
			*value = connect_value_int64(stage->memory, number);
			return true;
		default:
			return cannot(field, text, err);
	}
}

static const MaskPlan *
mask_plan(Mask *mask, const Stage *stage, const ConnectSchema *schema, Err *err)
{
	const void **kept = schema_cache(&mask->plans, schema, NULL);
	MaskPlan *plan;

	if (*kept != NULL)
		return *kept;
	plan = arena_zero(stage->memory, sizeof *plan);
	plan->values = connect_value_struct(stage->memory, schema->field_count).fields;
	for (size_t i = 0; i < mask->field_count; i++)
	{
		int at = connect_schema_find(schema, mask->fields[i]);
		const ConnectField *field = &schema->fields[at < 0 ? 0 : at];

		if (at < 0)
			continue;
		if (mask->replacement != NULL)
		{
			if (!replacement_value(
					stage, field, mask->replacement, &plan->values[at], err))
				return NULL;
			continue;
		}
		if (nothing(field->schema) == NULL)
		{
			(void) cannot(field, NULL, err);
			return NULL;
		}
		plan->values[at] = connect_value_json(slice_from(nothing(field->schema)));
	}
	*kept = plan;
	return plan;
}

static bool
mask_apply(const Stage *stage, ConnectRecord *record, Arena *arena, bool *keep, Err *err)
{
	Mask *mask = stage->state;
	ConnectData *data = stage_side(stage, record);
	const MaskPlan *plan;
	ConnectValue value;

	(void) keep;
	if (data->value.form == CONNECT_IS_NULL)
		return true;
	if (data->schema == NULL || data->schema->type != CONNECT_STRUCT)
		return fail(err, ERR_DATA, "what is to be masked is not a struct");
	plan = mask_plan(mask, stage, data->schema, err);
	if (plan == NULL || !connect_value_open(&data->value, data->schema, arena, err))
		return false;
	value = value_with_room(arena, &data->value, data->schema, 0);
	for (size_t i = 0; i < data->schema->field_count; i++)
	{
		value.fields[i] =
			filled(&value.fields[i], data->schema->fields[i].schema, mask->replaces);
		if (value.fields[i].form != CONNECT_IS_NULL &&
		    plan->values[i].form != CONNECT_IS_NULL)
			value.fields[i] = plan->values[i];
	}
	connect_record_renew(record);
	data->value = value;
	return true;
}

bool
mask_make(Stage *stage, Err *err)
{
	Mask *mask = arena_zero(stage->memory, sizeof *mask);

	mask->fields = stage_list(stage->config, "fields", stage->memory, &mask->field_count);
	mask->replacement = stage_value(stage->config, "replacement");
	if (mask->replacement != NULL && *mask->replacement == '\0')
		return fail(err, ERR_CONFIG, "option \"replacement\" must not be empty");
	mask->replaces = stage_flag(stage->config, "replace.null.with.default");
	mask->plans.memory = stage->memory;
	stage->state = mask;
	stage->apply = mask_apply;
	return true;
}
