/*
 * typemap.c
 *		one table: PostgreSQL type, Iceberg type, the function that converts.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/typemap.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "lake/textform.h"

#define DAY_US         INT64_C(86400000000)
#define POSTGRES_EPOCH 10957            /* days from 1970 to 2000 */
#define FIRST_DAY      INT64_C(-719162) /* 0001-01-01 */
#define LAST_DAY       INT64_C(2932896) /* 9999-12-31 */
#define DECIMAL_MAX    38
#define UNCONSTRAINED  18 /* scale of numeric without a type modifier */
#define MONEY_DIGITS   19
#define ANY_OID        0

typedef struct Conversion
{
	const TypePlan *plan;
	const IcebergType *type; /* of the value: the plan's or its list's element */
	Arena *arena;
	Cell *cell;
	const char *reason;
} Conversion;

/* False when bytes are malformed. */
typedef bool (*Convert)(Conversion *conversion, Slice bytes);

typedef struct TypeRule
{
	uint32_t oid;
	const char *name; /* for types without a fixed OID */
	IcebergKind kind;
	bool is_injective; /* may be a key as it is */
	bool is_text;      /* travels as output text */
	Convert convert;
} TypeRule;

static bool convert_bool(Conversion *conversion, Slice bytes);
static bool convert_int(Conversion *conversion, Slice bytes);
static bool convert_oid(Conversion *conversion, Slice bytes);
static bool convert_float(Conversion *conversion, Slice bytes);
static bool convert_numeric(Conversion *conversion, Slice bytes);
static bool convert_money(Conversion *conversion, Slice bytes);
static bool convert_bytes(Conversion *conversion, Slice bytes);
static bool convert_uuid(Conversion *conversion, Slice bytes);
static bool convert_date(Conversion *conversion, Slice bytes);
static bool convert_time(Conversion *conversion, Slice bytes);
static bool convert_timestamp(Conversion *conversion, Slice bytes);
static bool convert_timetz(Conversion *conversion, Slice bytes);
static bool convert_interval(Conversion *conversion, Slice bytes);
static bool convert_hstore(Conversion *conversion, Slice bytes);
static bool convert_printed(Conversion *conversion, Slice bytes);

/* clang-format off */
static const TypeRule rules[] = {
	{ TYPE_BOOL,        NULL,     ICEBERG_BOOLEAN,     true,  false, convert_bool },
	{ TYPE_INT2,        NULL,     ICEBERG_INT,         true,  false, convert_int },
	{ TYPE_INT4,        NULL,     ICEBERG_INT,         true,  false, convert_int },
	{ TYPE_INT8,        NULL,     ICEBERG_LONG,        true,  false, convert_int },
	{ TYPE_OID,         NULL,     ICEBERG_LONG,        true,  false, convert_oid },
	{ TYPE_FLOAT4,      NULL,     ICEBERG_FLOAT,       false, false, convert_float },
	{ TYPE_FLOAT8,      NULL,     ICEBERG_DOUBLE,      false, false, convert_float },
	{ TYPE_NUMERIC,     NULL,     ICEBERG_DECIMAL,     true,  false, convert_numeric },
	{ TYPE_MONEY,       NULL,     ICEBERG_DECIMAL,     true,  false, convert_money },
	{ TYPE_TEXT,        NULL,     ICEBERG_STRING,      true,  false, convert_bytes },
	{ TYPE_VARCHAR,     NULL,     ICEBERG_STRING,      true,  false, convert_bytes },
	{ TYPE_BPCHAR,      NULL,     ICEBERG_STRING,      true,  false, convert_bytes },
	{ TYPE_NAME,        NULL,     ICEBERG_STRING,      true,  false, convert_bytes },
	{ TYPE_JSON,        NULL,     ICEBERG_STRING,      true,  false, convert_bytes },
	{ TYPE_JSONB,       NULL,     ICEBERG_STRING,      true,  false, convert_bytes },
	{ TYPE_UUID,        NULL,     ICEBERG_UUID,        true,  false, convert_uuid },
	{ TYPE_BYTEA,       NULL,     ICEBERG_BINARY,      true,  false, convert_bytes },
	{ TYPE_DATE,        NULL,     ICEBERG_DATE,        true,  false, convert_date },
	{ TYPE_TIME,        NULL,     ICEBERG_TIME,        true,  false, convert_time },
	{ TYPE_TIMESTAMP,   NULL,     ICEBERG_TIMESTAMP,   true,  false, convert_timestamp },
	{ TYPE_TIMESTAMPTZ, NULL,     ICEBERG_TIMESTAMPTZ, true,  false, convert_timestamp },
	{ TYPE_TIMETZ,      NULL,     ICEBERG_STRING,      true,  false, convert_timetz },
	{ TYPE_INTERVAL,    NULL,     ICEBERG_STRING,      true,  false, convert_interval },
	{ TYPE_CHAR,        NULL,     ICEBERG_STRING,      true,  false, convert_printed },
	{ TYPE_BIT,         NULL,     ICEBERG_STRING,      true,  false, convert_printed },
	{ TYPE_VARBIT,      NULL,     ICEBERG_STRING,      true,  false, convert_printed },
	{ ANY_OID,          "citext", ICEBERG_STRING,      true,  false, convert_bytes },
	{ ANY_OID,          "hstore", ICEBERG_MAP,         false, true,  convert_hstore },
	/* The last rows: enum labels, whatever else as its output text, and the key's choice. */
	{ ANY_OID,          NULL,     ICEBERG_STRING,      true,  false, convert_bytes },
	{ ANY_OID,          NULL,     ICEBERG_STRING,      true,  true,  convert_bytes },
	{ ANY_OID,          NULL,     ICEBERG_STRING,      true,  false, convert_printed },
};
/* clang-format on */

#define RULE_COUNT   ((int) (sizeof rules / sizeof *rules))
#define RULE_ENUM    (RULE_COUNT - 3)
#define RULE_TEXT    (RULE_COUNT - 2)
#define RULE_PRINTED (RULE_COUNT - 1)
#define NO_RULE      (-1)

/* ---- Plans ---- */

static int
find_rule(uint32_t oid, const char *name, char kind)
{
	if (kind == 'e')
		return RULE_ENUM;
	for (int i = 0; i < RULE_ENUM; i++)
	{
		if (rules[i].oid != ANY_OID && rules[i].oid == oid)
			return i;
		if (rules[i].name != NULL && strcmp(rules[i].name, name) == 0)
			return i;
	}
	return RULE_TEXT;
}

/*
 * numeric(p, s) from its type modifier (backend numeric.c, make_numeric_typmod);
 * false when no decimal can hold it.
 */
static bool
numeric_type(int32_t typmod, TypeChoice choice, IcebergType *type)
{
	int32_t precision = ((typmod - 4) >> 16) & 0xFFFF;
	int32_t scale = (((typmod - 4) & 0x7FF) ^ 1024) - 1024;

	if (typmod < 4)
	{
		*type = iceberg_decimal(DECIMAL_MAX, UNCONSTRAINED);
		return !choice.numeric_as_string && !choice.is_key;
	}
	*type = iceberg_decimal(precision, scale);
	return precision <= DECIMAL_MAX && scale >= 0 && scale <= precision;
}

/* The type of a rule; changes the rule to text where the type does not do. */
static IcebergType
rule_type(Arena *arena, int *rule, int32_t typmod, TypeChoice choice)
{
	const TypeRule *row = &rules[*rule];
	IcebergType type = iceberg_type(row->kind);

	if (row->convert == convert_money)
		return iceberg_decimal(MONEY_DIGITS, 2);
	if (row->kind == ICEBERG_DECIMAL)
	{
		if (numeric_type(typmod, choice, &type))
			return type;
		*rule = RULE_PRINTED;
		return iceberg_type(ICEBERG_STRING);
	}
	if (choice.is_key && !row->is_injective)
	{
		*rule = row->is_text ? RULE_TEXT : RULE_PRINTED;
		return iceberg_type(ICEBERG_STRING);
	}
	if (row->kind == ICEBERG_MAP)
		return iceberg_map(
			arena, 0, iceberg_type(ICEBERG_STRING), 0, iceberg_type(ICEBERG_STRING));
	return type;
}

TypePlan
typemap_plan(Arena *arena, const RelationColumn *column, TypeChoice choice)
{
	TypePlan plan = { .column = column, .element_rule = NO_RULE };

	if (column->element_oid == 0)
	{
		plan.rule = find_rule(column->base_oid, column->type_name, column->type_kind);
		plan.type = rule_type(arena, &plan.rule, column->base_typmod, choice);
		return plan;
	}
	plan.rule = value_is_binary(column) ? RULE_PRINTED : RULE_TEXT;
	plan.type = iceberg_type(ICEBERG_STRING);
	if (choice.is_key)
		return plan;
	plan.element_rule =
		find_rule(column->element_oid, column->element_name, column->element_kind);
	plan.type = iceberg_list(
		arena, 0, rule_type(arena, &plan.element_rule, column->base_typmod, choice));
	/* An element that can only be printed is printed with its array. */
	if (plan.element_rule == RULE_PRINTED || plan.type.fields[0].type.kind == ICEBERG_MAP)
		plan.type = iceberg_list(arena, 0, iceberg_type(ICEBERG_STRING));
	return plan;
}

/* ---- Values ---- */

static Slice
print_exact(const TypePlan *plan, Value value, Arena *arena)
{
	Buf buf = buf_heap();
	Slice exact = value_slice(value);

	if (value.kind == VALUE_BINARY && value_print(&buf, plan->column, value))
		exact = (Slice){ buf.data, buf.len };
	exact = arena_slice(arena, exact);
	buf_free(&buf);
	return exact;
}

/* An element of an array as its own column would be printed. */
static RelationColumn
element_column(const RelationColumn *column)
{
	RelationColumn element = *column;

	element.type_oid = element.base_oid = column->element_oid;
	element.type_name = column->element_name;
	element.type_kind = column->element_kind;
	element.element_oid = 0;
	return element;
}

static bool
convert_element(Conversion *conversion, const TypePlan *plan, Value value, Cell *cell)
{
	Convert convert = rules[plan->element_rule].convert;

	*cell = cell_null();
	if (value.kind == VALUE_NULL)
		return true;
	conversion->cell = cell;
	return convert(conversion, value_slice(value));
}

/* A list from array_send's form.  False when malformed. */
static bool
convert_array(Conversion *conversion, Slice bytes)
{
	const TypePlan *plan = conversion->plan;
	RelationColumn column = element_column(plan->column);
	TypePlan element = { .column = &column, .rule = plan->element_rule };
	Cell *list = conversion->cell;
	ArrayReader reader;
	Cell *items;
	Value value;

	if (!array_open(bytes, &reader) || reader.count < 0)
		return false;
	if (reader.dimensions > 1 || (reader.dimensions == 1 && reader.lower_bound != 1))
	{
		conversion->reason = "array_shape";
		return true;
	}
	/* Every element has a length word: count is bounded by the bytes. */
	if ((size_t) reader.count > bytes.len / 4)
		return false;
	items = arena_alloc(conversion->arena, sizeof *items * ((size_t) reader.count + 1));
	*list = (Cell){ .kind = CELL_LIST, .items = items };
	conversion->type = &plan->type.fields[0].type;
	conversion->plan = &element;
	while (array_next(&reader, &value))
		if (!convert_element(conversion, plan, value, &items[list->count++]))
			return false;
	conversion->plan = plan;
	conversion->cell = list;
	return !reader.rest.failed;
}

/* A list of strings from PostgreSQL's array text. */
static bool
convert_array_text(Conversion *conversion, Slice text)
{
	if (text_array_parse(conversion->arena, text, conversion->cell))
		return true;
	*conversion->cell = cell_null();
	conversion->reason = "array_shape";
	return true;
}

static bool
convert_value(Conversion *conversion, Value value)
{
	const TypePlan *plan = conversion->plan;

	if (plan->element_rule == NO_RULE)
	{
		if (rules[plan->rule].is_text != (value.kind == VALUE_TEXT))
			return false;
		return rules[plan->rule].convert(conversion, value_slice(value));
	}
	if (value.kind == VALUE_TEXT)
		return plan->rule == RULE_TEXT &&
		       convert_array_text(conversion, value_slice(value));
	return plan->rule == RULE_PRINTED && convert_array(conversion, value_slice(value));
}

bool
typemap_cell(const TypePlan *plan, Value value, Arena *arena, Cell *cell, Remark *remark,
             Err *err)
{
	Conversion conversion = {
		.plan = plan, .type = &plan->type, .arena = arena, .cell = cell
	};

	*cell = cell_null();
	remark->reason = NULL;
	if (value.kind == VALUE_NULL)
		return true;
	if (value.kind == VALUE_UNCHANGED || !convert_value(&conversion, value))
		return fail(err,
		            ERR_DATA,
		            "value of column \"%s\" is not a valid \"%s\"",
		            plan->column->name,
		            plan->column->type_text);
	if (conversion.reason == NULL)
		return true;
	remark->reason = conversion.reason;
	remark->exact = print_exact(plan, value, arena);
	/* One element that does not fit: the whole list is in its exact text. */
	if (cell->kind == CELL_LIST)
		*cell = cell_null();
	return true;
}

/* ---- Rules ---- */

static bool
convert_bool(Conversion *conversion, Slice bytes)
{
	*conversion->cell = cell_int(bytes.len == 1 && bytes.data[0] != 0);
	return bytes.len == 1;
}

static bool
convert_int(Conversion *conversion, Slice bytes)
{
	int64_t value = 0;
	int32_t word = 0;
	int16_t half = 0;
	bool ok;

	switch (bytes.len)
	{
		case 2:
			ok = value_int16(bytes, &half);
			value = half;
			break;
		case 4:
			ok = value_int32(bytes, &word);
			value = word;
			break;
		default:
			ok = value_int64(bytes, &value);
	}
	*conversion->cell = cell_int(value);
	return ok;
}

static bool
convert_oid(Conversion *conversion, Slice bytes)
{
	int32_t word = 0;
	bool ok = value_int32(bytes, &word);

	*conversion->cell = cell_int((uint32_t) word);
	return ok;
}

static bool
convert_float(Conversion *conversion, Slice bytes)
{
	double value = 0;
	float single = 0;
	bool ok;

	if (bytes.len == sizeof single)
	{
		ok = value_float4(bytes, &single);
		value = (double) single;
	}
	else
		ok = value_float8(bytes, &value);
	*conversion->cell = (Cell){ .kind = CELL_FLOAT, .real = value };
	return ok;
}

static __int128
power_of_ten(int32_t exponent)
{
	__int128 power = 1;

	for (int32_t i = 0; i < exponent; i++)
		power *= 10;
	return power;
}

static bool
convert_numeric(Conversion *conversion, Slice bytes)
{
	__int128 limit = power_of_ten(conversion->type->precision);
	__int128 value = 0;
	Numeric numeric;

	if (!value_numeric(bytes, &numeric))
		return false;
	switch (numeric.sign)
	{
		case NUMERIC_IS_NAN:
			conversion->reason = "nan";
			return true;
		case NUMERIC_IS_INFINITY:
		case NUMERIC_IS_NEG_INFINITY:
			conversion->reason = "infinity";
			return true;
		default:
			break;
	}
	if (!numeric_to_int128(&numeric, conversion->type->scale, &value) || value >= limit ||
	    value <= -limit)
	{
		conversion->reason = "out_of_range";
		return true;
	}
	*conversion->cell = (Cell){ .kind = CELL_DECIMAL, .decimal = value };
	return true;
}

static bool
convert_money(Conversion *conversion, Slice bytes)
{
	int64_t value = 0;
	bool ok = value_int64(bytes, &value);

	*conversion->cell = (Cell){ .kind = CELL_DECIMAL, .decimal = value };
	return ok;
}

static bool
convert_bytes(Conversion *conversion, Slice bytes)
{
	*conversion->cell = cell_bytes(bytes);
	return true;
}

static bool
convert_uuid(Conversion *conversion, Slice bytes)
{
	*conversion->cell = cell_bytes(bytes);
	return bytes.len == 16;
}

static bool
convert_date(Conversion *conversion, Slice bytes)
{
	int32_t days = 0;
	int64_t since_1970;

	if (!value_int32(bytes, &days))
		return false;
	since_1970 = (int64_t) days + POSTGRES_EPOCH;
	if (days == VALUE_DATE_INFINITY || days == VALUE_DATE_NEG_INFINITY)
		conversion->reason = "infinity";
	else if (since_1970 < FIRST_DAY || since_1970 > LAST_DAY)
		conversion->reason = "out_of_range";
	else
		*conversion->cell = cell_int(since_1970);
	return true;
}

static bool
convert_time(Conversion *conversion, Slice bytes)
{
	int64_t time_us = 0;

	if (!value_int64(bytes, &time_us) || time_us < 0 || time_us > DAY_US)
		return false;
	if (time_us == DAY_US)
	{
		conversion->reason = "time_24";
		time_us = DAY_US - 1;
	}
	*conversion->cell = cell_int(time_us);
	return true;
}

static bool
convert_timestamp(Conversion *conversion, Slice bytes)
{
	int64_t time_us = 0;

	if (!value_int64(bytes, &time_us))
		return false;
	if (time_us == VALUE_TIMESTAMP_INFINITY || time_us == VALUE_TIMESTAMP_NEG_INFINITY)
		conversion->reason = "infinity";
	else if (time_us < FIRST_DAY * DAY_US - POSTGRES_EPOCH_US ||
	         time_us >= (LAST_DAY + 1) * DAY_US - POSTGRES_EPOCH_US)
		conversion->reason = "out_of_range";
	else
		*conversion->cell = cell_int(time_us + POSTGRES_EPOCH_US);
	return true;
}

static bool
convert_timetz(Conversion *conversion, Slice bytes)
{
	TimeTz time;

	if (!value_timetz(bytes, &time))
		return false;
	*conversion->cell = cell_bytes(iso_timetz(conversion->arena, &time));
	return true;
}

static bool
convert_interval(Conversion *conversion, Slice bytes)
{
	Interval interval;

	if (!value_interval(bytes, &interval))
		return false;
	*conversion->cell = cell_bytes(iso_interval(conversion->arena, &interval));
	return true;
}

static bool
convert_hstore(Conversion *conversion, Slice bytes)
{
	return hstore_parse(conversion->arena, bytes, conversion->cell);
}

static bool
convert_printed(Conversion *conversion, Slice bytes)
{
	Value value = { VALUE_BINARY, (uint32_t) bytes.len, bytes.data };
	Buf buf = buf_heap();
	bool ok = value_print(&buf, conversion->plan->column, value);

	if (ok)
		*conversion->cell =
			cell_bytes(arena_slice(conversion->arena, (Slice){ buf.data, buf.len }));
	buf_free(&buf);
	return ok;
}
