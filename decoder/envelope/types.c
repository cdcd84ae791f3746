/*
 * types.c
 *		the table of types.
 *
 * Numbers in it are OIDs of pg_catalog, which never change; types of extensions
 * are found by name.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/types.h"

#define STRING(encoder)            "string", NULL, encoder, "\"\"", PARAMETERS_NONE, NULL, NULL
#define PLAIN(type, encoder, zero) type, NULL, encoder, zero, PARAMETERS_NONE, NULL, NULL
#define NAMED(type, name, encoder, zero) \
	type, name, encoder, zero, PARAMETERS_NONE, NULL, NULL

#define VARIABLE_FIELDS                                                         \
	",\"fields\":[{\"type\":\"int32\",\"optional\":false,\"field\":\"scale\"}," \
	"{\"type\":\"bytes\",\"optional\":false,\"field\":\"value\"}]"
#define POINT_FIELDS                                                         \
	",\"fields\":[{\"type\":\"double\",\"optional\":false,\"field\":\"x\"}," \
	"{\"type\":\"double\",\"optional\":false,\"field\":\"y\"},"              \
	"{\"type\":\"bytes\",\"optional\":true,\"field\":\"wkb\"},"              \
	"{\"type\":\"int32\",\"optional\":true,\"field\":\"srid\"}]"
#define MAP_FIELDS                                        \
	",\"keys\":{\"type\":\"string\",\"optional\":false}," \
	"\"values\":{\"type\":\"string\",\"optional\":true}"

#define GEOMETRY_FIELDS                                                       \
	",\"fields\":[{\"type\":\"bytes\",\"optional\":false,\"field\":\"wkb\"}," \
	"{\"type\":\"int32\",\"optional\":true,\"field\":\"srid\"}]"
#define EMPTY_GEOMETRY "{\"wkb\":\"AQcAAAAAAAAA\",\"srid\":null}"
#define SPARSE_FIELDS                                                                \
	",\"fields\":[{\"type\":\"int16\",\"optional\":false,\"field\":\"dimensions\"}," \
	"{\"type\":\"map\",\"keys\":{\"type\":\"int16\",\"optional\":false},"            \
	"\"values\":{\"type\":\"double\",\"optional\":false},\"optional\":false,"        \
	"\"field\":\"vector\"}]"

/* What a form may depend on. */
typedef struct TypeContext
{
	const EnvOptions *options;
	int32_t typmod;
	bool in_key;
} TypeContext;

typedef const TypeForm *(*TypeChooser)(const TypeContext *context);

typedef enum ArrayKind
{
	ARRAY_OMITTED,  /* Debezium has no arrays of the type */
	ARRAY_OPTIONAL, /* elements may be null */
	ARRAY_REQUIRED, /* a null element makes the array null */
	ARRAY_AS_NULL,  /* Debezium gives the field the element's schema, and null */
} ArrayKind;

/* The form of a type, or who chooses it; NULL from there: the column is omitted. */
typedef struct TypeRow
{
	uint32_t oid;     /* 0: by name */
	const char *name; /* or a comment */
	TypeChooser choose;
	TypeForm form;
	ArrayKind array;
	ToastKind toast;
	ToastKind array_toast;
	LiteralReader literal; /* NULL: Debezium reads no default of the type */
	const char *generated;
} TypeRow;

/* ---- Forms that depend on options ---- */

static const TypeForm string_form = { STRING(encode_text) };
static const TypeForm printed_form = { STRING(encode_printed) };

static int
numeric_scale(int32_t typmod)
{
	return typmod < 4 ? 0 : (typmod - 4) & 0x7FF;
}

static const TypeForm *
choose_numeric(const TypeContext *context)
{
	static const TypeForm decimal = {
		"bytes",
		"org.apache.kafka.connect.data.Decimal",
		encode_decimal,
		"\"AA==\"",
		PARAMETERS_DECIMAL,
		NULL,
		NULL,
	};
	static const TypeForm variable = {
		"struct",
		"io.debezium.data.VariableScaleDecimal",
		encode_variable_decimal,
		"{\"scale\":0,\"value\":\"AA==\"}",
		PARAMETERS_NONE,
		VARIABLE_FIELDS,
		"Variable scaled decimal",
	};
	static const TypeForm binary = { PLAIN("double", encode_numeric_double, "0.0") };
	static const TypeForm text = { PLAIN("string", encode_numeric_string, "\"0\"") };

	if (context->options->decimal_handling_mode == DECIMAL_DOUBLE)
		return &binary;
	if (context->options->decimal_handling_mode == DECIMAL_STRING)
		return &text;
	return context->typmod < 4 ? &variable : &decimal;
}

static const TypeForm *
choose_money(const TypeContext *context)
{
	static const TypeForm forms[] = {
		[DECIMAL_PRECISE] = { "bytes",
		                      "org.apache.kafka.connect.data.Decimal",
		                      encode_money_decimal,
		                      "\"AA==\"",
		                      PARAMETERS_SCALE,
		                      NULL,
		                      NULL },
		[DECIMAL_DOUBLE] = { PLAIN("double", encode_money_double, "0.0") },
		[DECIMAL_STRING] = { PLAIN("string", encode_printed, "\"0\"") },
	};

	return &forms[context->options->decimal_handling_mode];
}

static const TypeForm *
choose_bytes(const TypeContext *context)
{
	static const TypeForm forms[] = {
		[BINARY_BYTES] = { PLAIN("bytes", encode_base64, "\"\"") },
		[BINARY_BASE64] = { STRING(encode_base64) },
		[BINARY_BASE64_URL_SAFE] = { STRING(encode_base64_url) },
		[BINARY_HEX] = { STRING(encode_hex) },
	};

	return &forms[context->options->binary_handling_mode];
}

/* Types that Debezium does not know: bytes of their text, when asked for. */
static const TypeForm *
choose_unknown(const TypeContext *context)
{
	if (context->options->lossless)
		return &printed_form;
	return context->options->include_unknown_datatypes ? choose_bytes(context) : NULL;
}

static const TypeForm *
choose_geometric(const TypeContext *context)
{
	static const TypeForm bytes = { PLAIN("bytes", encode_geometric, "\"\"") };
	static const TypeForm string = { STRING(encode_geometric) };

	if (!context->options->include_unknown_datatypes || context->options->lossless)
		return choose_unknown(context);
	return context->options->binary_handling_mode == BINARY_BYTES ? &bytes : &string;
}

static const TypeForm *
choose_point(const TypeContext *context)
{
	static const TypeForm point = {
		"struct",
		"io.debezium.data.geometry.Point",
		encode_point,
		"{\"x\":0.0,\"y\":0.0,\"wkb\":\"AQEAAAAAAAAAAAAAAAAAAAAAAAAA\",\"srid\":null}",
		PARAMETERS_NONE,
		POINT_FIELDS,
		"Geometry (POINT)",
	};

	return context->options->lossless ? &string_form : &point;
}

/* ---- PostGIS and pgvector ---- */

static const TypeForm *
choose_geometry(const TypeContext *context)
{
	static const TypeForm geometry = {
		"struct",        "io.debezium.data.geometry.Geometry",
		encode_geometry, EMPTY_GEOMETRY,
		PARAMETERS_NONE, GEOMETRY_FIELDS,
		"Geometry",
	};

	return context->options->lossless ? &string_form : &geometry;
}

static const TypeForm *
choose_geography(const TypeContext *context)
{
	static const TypeForm geography = {
		"struct",        "io.debezium.data.geometry.Geography",
		encode_geometry, EMPTY_GEOMETRY,
		PARAMETERS_NONE, GEOMETRY_FIELDS,
		"Geography",
	};

	return context->options->lossless ? &string_form : &geography;
}

static const TypeForm *
choose_vector(const TypeContext *context)
{
	static const TypeForm vector = {
		"array",
		"io.debezium.data.DoubleVector",
		encode_double_vector,
		"[]",
		PARAMETERS_NONE,
		",\"items\":{\"type\":\"double\",\"optional\":false}",
		NULL,
	};

	return context->options->lossless ? &string_form : &vector;
}

static const TypeForm *
choose_halfvec(const TypeContext *context)
{
	static const TypeForm vector = {
		"array",
		"io.debezium.data.FloatVector",
		encode_float_vector,
		"[]",
		PARAMETERS_NONE,
		",\"items\":{\"type\":\"float\",\"optional\":false}",
		NULL,
	};

	return context->options->lossless ? &string_form : &vector;
}

static const TypeForm *
choose_sparsevec(const TypeContext *context)
{
	static const TypeForm vector = {
		"struct",
		"io.debezium.data.SparseDoubleVector",
		encode_sparse_vector,
		"{\"dimensions\":0,\"vector\":[]}",
		PARAMETERS_NONE,
		SPARSE_FIELDS,
		"Sparse double vector",
	};

	return context->options->lossless ? &string_form : &vector;
}

static const TypeForm *
choose_hstore(const TypeContext *context)
{
	static const TypeForm json = { NAMED(
		"string", "io.debezium.data.Json", encode_hstore, "\"{}\"") };

	static const TypeForm map = {
		"map", NULL, encode_hstore_map, "{}", PARAMETERS_NONE, MAP_FIELDS, NULL,
	};

	if (context->options->lossless)
		return &string_form;
	return context->options->hstore_handling_mode == HSTORE_MAP ? &map : &json;
}

static const TypeForm *
choose_bits(const TypeContext *context)
{
	static const TypeForm boolean = { PLAIN("boolean", encode_bit_bool, "false") };
	static const TypeForm bits = {
		"bytes", "io.debezium.data.Bits", encode_bits, "\"\"", PARAMETERS_LENGTH, NULL,
		NULL,
	};

	if (context->options->lossless)
		return &printed_form;
	return context->typmod == 1 ? &boolean : &bits;
}

static const TypeForm *
choose_date(const TypeContext *context)
{
	static const TypeForm days = { NAMED(
		"int32", "io.debezium.time.Date", encode_date_days, "0") };
	static const TypeForm connect = { NAMED(
		"int32", "org.apache.kafka.connect.data.Date", encode_date_days, "0") };
	static const TypeForm iso = { NAMED(
		"string", "io.debezium.time.IsoDate", encode_date_iso, "\"1970-01-01Z\"") };

	if (context->options->time_precision_mode == TIME_CONNECT)
		return &connect;
	return context->options->time_precision_mode == TIME_ISOSTRING ? &iso : &days;
}

/* Which of milliseconds, microseconds, nanoseconds, connect and ISO a time prints in. */
typedef enum TimeUnit
{
	UNIT_MS,
	UNIT_US,
	UNIT_NS,
	UNIT_CONNECT,
	UNIT_ISO,
} TimeUnit;

static TimeUnit
time_unit(const TypeContext *context, bool timestamp)
{
	bool coarse = context->typmod >= 0 && context->typmod <= 3;

	switch ((TimeMode) context->options->time_precision_mode)
	{
		case TIME_ADAPTIVE:
			return coarse ? UNIT_MS : UNIT_US;
		case TIME_ADAPTIVE_TIME_MICROSECONDS:
			return coarse && timestamp ? UNIT_MS : UNIT_US;
		case TIME_MICROSECONDS:
			return UNIT_US;
		case TIME_NANOSECONDS:
			return UNIT_NS;
		case TIME_CONNECT:
			return UNIT_CONNECT;
		case TIME_ISOSTRING:
			return UNIT_ISO;
	}
	return UNIT_US;
}

static const TypeForm *
choose_time(const TypeContext *context)
{
	static const TypeForm forms[] = {
		[UNIT_MS] = { NAMED("int32", "io.debezium.time.Time", encode_time_ms, "0") },
		[UNIT_US] = { NAMED("int64", "io.debezium.time.MicroTime", encode_time_us, "0") },
		[UNIT_NS] = { NAMED("int64", "io.debezium.time.NanoTime", encode_time_ns, "0") },
		[UNIT_CONNECT] = { NAMED(
			"int32", "org.apache.kafka.connect.data.Time", encode_time_ms, "0") },
		[UNIT_ISO] = { NAMED(
			"string", "io.debezium.time.IsoTime", encode_time_iso, "\"00:00:00Z\"") },
	};

	return &forms[time_unit(context, false)];
}

static const TypeForm *
choose_timestamp(const TypeContext *context)
{
	static const TypeForm forms[] = {
		[UNIT_MS] = { NAMED(
			"int64", "io.debezium.time.Timestamp", encode_timestamp_ms, "0") },
		[UNIT_US] = { NAMED(
			"int64", "io.debezium.time.MicroTimestamp", encode_timestamp_us, "0") },
		[UNIT_NS] = { NAMED(
			"int64", "io.debezium.time.NanoTimestamp", encode_timestamp_ns, "0") },
		[UNIT_CONNECT] = { NAMED("int64",
		                         "org.apache.kafka.connect.data.Timestamp",
		                         encode_timestamp_ms,
		                         "0") },
		[UNIT_ISO] = { NAMED("string",
		                     "io.debezium.time.IsoTimestamp",
		                     encode_timestamp_iso,
		                     "\"1970-01-01T00:00:00Z\"") },
	};

	return &forms[time_unit(context, true)];
}

static const TypeForm *
choose_timetz(const TypeContext *context)
{
	static const TypeForm zoned = { NAMED(
		"string", "io.debezium.time.ZonedTime", encode_timetz, "\"00:00:00Z\"") };

	return context->options->lossless ? &printed_form : &zoned;
}

static const TypeForm *
choose_interval(const TypeContext *context)
{
	static const TypeForm forms[] = {
		[INTERVAL_NUMERIC] = { NAMED(
			"int64", "io.debezium.time.MicroDuration", encode_interval_us, "0") },
		[INTERVAL_STRING] = { NAMED("string",
		                            "io.debezium.time.Interval",
		                            encode_interval_iso,
		                            "\"P0Y0M0DT0H0M0S\"") },
	};

	return &forms[context->options->interval_handling_mode];
}

/* ---- The table ---- */

#define FORM(...)   \
	NULL,           \
	{               \
		__VA_ARGS__ \
	}
#define CHOOSE(chooser)                                     \
	chooser,                                                \
	{                                                       \
		NULL, NULL, NULL, NULL, PARAMETERS_NONE, NULL, NULL \
	}
#define JSON_FORM    FORM(NAMED("string", "io.debezium.data.Json", encode_json, "\"\""))
#define TEXT_FORM    FORM(STRING(encode_text))
#define NO_TOAST     TOAST_NULL, TOAST_NULL
#define STRING_TOAST TOAST_STRING, TOAST_STRING
#define SCALAR_TOAST TOAST_STRING, TOAST_NULL
#define BYTES_TOAST  TOAST_BYTES, TOAST_NULL
#define NO_DEFAULT   NULL, NULL

/* clang-format off */
static const TypeRow type_table[] = {
	{ TYPE_BOOL,   "bool",   FORM(PLAIN("boolean", encode_bool, "false")), ARRAY_OPTIONAL, NO_TOAST, literal_bool, "false" },
	{ TYPE_INT2,   "int2",   FORM(PLAIN("int16", encode_int2, "0")), ARRAY_OPTIONAL, NO_TOAST, literal_int2, "0" },
	{ TYPE_INT4,   "int4",   FORM(PLAIN("int32", encode_int4, "0")), ARRAY_OPTIONAL, TOAST_NULL, TOAST_CODES, literal_int4, "0" },
	{ TYPE_INT8,   "int8",   FORM(PLAIN("int64", encode_int8, "0")), ARRAY_OPTIONAL, TOAST_NULL, TOAST_CODES, literal_int8, "0" },
	{ TYPE_OID,    "oid",    FORM(PLAIN("int64", encode_oid, "0")), ARRAY_OPTIONAL, NO_TOAST, NO_DEFAULT },
	{ TYPE_FLOAT4, "float4", FORM(PLAIN("float", encode_float4, "0.0")), ARRAY_OPTIONAL, NO_TOAST, literal_float4, "0.0" },
	{ TYPE_FLOAT8, "float8", FORM(PLAIN("double", encode_float8, "0.0")), ARRAY_OPTIONAL, NO_TOAST, literal_float8, "0.0" },
	{ TYPE_NUMERIC, "numeric", CHOOSE(choose_numeric), ARRAY_OPTIONAL, NO_TOAST, literal_numeric, "0.0" },
	{ TYPE_MONEY,  "money",  CHOOSE(choose_money), ARRAY_OMITTED, NO_TOAST, NO_DEFAULT },

	{ TYPE_TEXT,    "text",    TEXT_FORM, ARRAY_OPTIONAL, STRING_TOAST, literal_text, "" },
	{ TYPE_VARCHAR, "varchar", TEXT_FORM, ARRAY_OPTIONAL, STRING_TOAST, literal_text, "" },
	{ TYPE_BPCHAR,  "bpchar",  TEXT_FORM, ARRAY_OPTIONAL, STRING_TOAST, literal_text, "" },
	{ TYPE_CHAR,    "char",    FORM(STRING(encode_char)), ARRAY_OPTIONAL, SCALAR_TOAST, NO_DEFAULT },
	/* Debezium has the value in a snapshot only, and null while it streams */
	{ TYPE_NAME,    "name",    TEXT_FORM, ARRAY_OMITTED, STRING_TOAST, NO_DEFAULT },
	{ 0,            "citext",  TEXT_FORM, ARRAY_OPTIONAL, SCALAR_TOAST, NO_DEFAULT },
	{ TYPE_JSON,    "json",    JSON_FORM, ARRAY_OPTIONAL, STRING_TOAST, literal_text, "{}" },
	{ TYPE_JSONB,   "jsonb",   JSON_FORM, ARRAY_OPTIONAL, STRING_TOAST, literal_text, "{}" },
	{ TYPE_XML,     "xml",     FORM(NAMED("string", "io.debezium.data.Xml", encode_text, "\"\"")), ARRAY_OMITTED, STRING_TOAST, literal_text, "" },
	{ TYPE_UUID,    "uuid",    FORM(NAMED("string", "io.debezium.data.Uuid", encode_uuid, "\"\"")), ARRAY_OPTIONAL, TOAST_NULL, TOAST_UUID, literal_uuid, "00000000-0000-0000-0000-000000000000" },
	{ TYPE_BYTEA,   "bytea",   CHOOSE(choose_bytes), ARRAY_OPTIONAL, TOAST_BYTES, TOAST_BYTES, NO_DEFAULT },
	{ TYPE_BIT,     "bit",     CHOOSE(choose_bits), ARRAY_AS_NULL, NO_TOAST, literal_bits, "0" },
	{ TYPE_VARBIT,  "varbit",  CHOOSE(choose_bits), ARRAY_OMITTED, NO_TOAST, literal_bits, "" },

	{ TYPE_DATE,        "date",        CHOOSE(choose_date), ARRAY_OPTIONAL, TOAST_NULL, TOAST_CODES, literal_date, "1970-01-01" },
	{ TYPE_TIME,        "time",        CHOOSE(choose_time), ARRAY_OPTIONAL, NO_TOAST, literal_time, "00:00" },
	{ TYPE_TIMETZ,      "timetz",      CHOOSE(choose_timetz), ARRAY_OPTIONAL, NO_TOAST, NO_DEFAULT },
	{ TYPE_TIMESTAMP,   "timestamp",   CHOOSE(choose_timestamp), ARRAY_OPTIONAL, NO_TOAST, literal_timestamp, "1970-01-01" },
	{ TYPE_TIMESTAMPTZ, "timestamptz", FORM(NAMED("string", "io.debezium.time.ZonedTimestamp", encode_timestamptz, "\"1970-01-01T00:00:00Z\"")), ARRAY_OPTIONAL, NO_TOAST, literal_timestamp, "1970-01-01" },
	{ TYPE_INTERVAL,    "interval",    CHOOSE(choose_interval), ARRAY_OMITTED, NO_TOAST, literal_interval, "" },

	{ 869,  "inet",      TEXT_FORM, ARRAY_OPTIONAL, SCALAR_TOAST, NO_DEFAULT },
	{ 650,  "cidr",      TEXT_FORM, ARRAY_OPTIONAL, SCALAR_TOAST, NO_DEFAULT },
	{ 829,  "macaddr",   TEXT_FORM, ARRAY_OPTIONAL, SCALAR_TOAST, NO_DEFAULT },
	{ 774,  "macaddr8",  TEXT_FORM, ARRAY_OPTIONAL, SCALAR_TOAST, NO_DEFAULT },
	{ 3904, "int4range", TEXT_FORM, ARRAY_OPTIONAL, SCALAR_TOAST, NO_DEFAULT },
	{ 3906, "numrange",  TEXT_FORM, ARRAY_OPTIONAL, SCALAR_TOAST, NO_DEFAULT },
	{ 3908, "tsrange",   TEXT_FORM, ARRAY_OPTIONAL, SCALAR_TOAST, NO_DEFAULT },
	{ 3910, "tstzrange", TEXT_FORM, ARRAY_OPTIONAL, SCALAR_TOAST, NO_DEFAULT },
	{ 3912, "daterange", TEXT_FORM, ARRAY_OPTIONAL, SCALAR_TOAST, NO_DEFAULT },
	{ 3926, "int8range", TEXT_FORM, ARRAY_OPTIONAL, SCALAR_TOAST, NO_DEFAULT },
	{ 3614, "tsvector",  FORM(NAMED("string", "io.debezium.data.Tsvector", encode_text, "\"\"")), ARRAY_REQUIRED, SCALAR_TOAST, NO_DEFAULT },
	{ 0,    "ltree",     FORM(NAMED("string", "io.debezium.data.Ltree", encode_text, "\"\"")), ARRAY_OPTIONAL, SCALAR_TOAST, NO_DEFAULT },
	{ 0,    "isbn",      TEXT_FORM, ARRAY_REQUIRED, SCALAR_TOAST, NO_DEFAULT },
	{ 0,    "hstore",    CHOOSE(choose_hstore), ARRAY_OPTIONAL, TOAST_HSTORE, TOAST_NULL, NO_DEFAULT },

	{ 0, "geometry",  CHOOSE(choose_geometry), ARRAY_OPTIONAL, NO_TOAST, NO_DEFAULT },
	{ 0, "geography", CHOOSE(choose_geography), ARRAY_OPTIONAL, NO_TOAST, NO_DEFAULT },
	{ 0, "vector",    CHOOSE(choose_vector), ARRAY_OMITTED, NO_TOAST, NO_DEFAULT },
	{ 0, "halfvec",   CHOOSE(choose_halfvec), ARRAY_OMITTED, NO_TOAST, NO_DEFAULT },
	{ 0, "sparsevec", CHOOSE(choose_sparsevec), ARRAY_OMITTED, NO_TOAST, NO_DEFAULT },

	{ 600, "point",   CHOOSE(choose_point), ARRAY_OMITTED, NO_TOAST, NO_DEFAULT },
	{ 628, "line",    CHOOSE(choose_geometric), ARRAY_REQUIRED, BYTES_TOAST, NO_DEFAULT },
	{ 601, "lseg",    CHOOSE(choose_geometric), ARRAY_REQUIRED, BYTES_TOAST, NO_DEFAULT },
	{ TYPE_BOX, "box", CHOOSE(choose_geometric), ARRAY_REQUIRED, BYTES_TOAST, NO_DEFAULT },
	{ 602, "path",    CHOOSE(choose_geometric), ARRAY_REQUIRED, BYTES_TOAST, NO_DEFAULT },
	{ 604, "polygon", CHOOSE(choose_geometric), ARRAY_REQUIRED, BYTES_TOAST, NO_DEFAULT },
	{ 718, "circle",  CHOOSE(choose_geometric), ARRAY_REQUIRED, BYTES_TOAST, NO_DEFAULT },
	{ 1790, "refcursor", CHOOSE(choose_unknown), ARRAY_OMITTED, NO_TOAST, NO_DEFAULT },
};

static const TypeRow enum_row =
	{ 0, "enum", FORM("string", "io.debezium.data.Enum", encode_text, "\"\"", PARAMETERS_ENUM, NULL, NULL), ARRAY_REQUIRED, NO_TOAST, literal_text, "" };
static const TypeRow unknown_row =
	{ 0, "unknown", CHOOSE(choose_unknown), ARRAY_REQUIRED, BYTES_TOAST, NO_DEFAULT };

/* What travels as int2vector and oidvector is an array to Debezium. */
static const TypeRow vector_rows[] = {
	{ 22, "int2vector", FORM(PLAIN("int16", encode_int2, "0")), ARRAY_REQUIRED, NO_TOAST, NO_DEFAULT },
	{ 30, "oidvector",  FORM(PLAIN("int64", encode_oid, "0")), ARRAY_REQUIRED, NO_TOAST, NO_DEFAULT },
};
/* clang-format on */

static const TypeRow *
find_row(uint32_t oid, char kind, const char *name)
{
	if (kind == 'e')
		return &enum_row;
	for (size_t i = 0; i < sizeof type_table / sizeof *type_table; i++)
		if (type_table[i].oid != 0 ? type_table[i].oid == oid
		                           : strcmp(type_table[i].name, name) == 0)
			return &type_table[i];
	return &unknown_row;
}

/* Arrays of a domain are unknown to Debezium.  An array type is named after its element.
 */
static bool
is_domain_array(const RelationColumn *column)
{
	const char *name = column->type_name + strspn(column->type_name, "_");
	const char *element = column->element_name + strspn(column->element_name, "_");
	size_t len = strlen(name);

	return len == 0 || strncmp(name, element, len) != 0;
}

/* The digits after the point by typmod; 6 when none are declared.  Debezium takes 0 for
 * as many as there are, which only defaults show, that are not rounded. */
static int
fraction_digits(int32_t typmod)
{
	if (typmod == 0)
		return CALENDAR_TRIM;
	return typmod > 0 && typmod <= 6 ? typmod : 6;
}

static void
apply_typmod(ColumnType *type, ColumnCodec *codec, uint32_t oid, int32_t typmod)
{
	switch (oid)
	{
		case TYPE_NUMERIC:
			codec->scale = numeric_scale(typmod);
			type->length = typmod < 4 ? 0 : (typmod - 4) >> 16 & 0xFFFF;
			break;
		case TYPE_TIMESTAMPTZ:
			codec->scale = fraction_digits(typmod);
			break;
		case TYPE_BIT:
		case TYPE_VARBIT:
			type->length = typmod > 0 ? typmod : INT32_MAX;
			break;
		default:
			break;
	}
}

static const TypeForm *
form_of(const TypeRow *row, const TypeContext *context)
{
	return row->choose != NULL ? row->choose(context) : &row->form;
}

static bool
resolve_scalar(ColumnType *type, ColumnCodec *codec, const TypeRow *row,
               const TypeContext *context)
{
	const TypeForm *form = form_of(row, context);

	if (form == NULL)
		return false;
	type->form = *form;
	type->always_optional = row->choose == choose_geometry;
	type->toast = form->encode == encode_numeric_string ? TOAST_STRING : row->toast;
	type->literal = row->literal;
	type->generated = row->generated;
	type->is_time = row->literal == literal_date || row->literal == literal_time ||
	                row->literal == literal_timestamp;
	codec->encode = form->encode;
	return true;
}

/* Elements of unknown types are printed first, then encoded as bytes. */
static EncodeResult
encode_printed_bytes(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	size_t start = buf->len;
	size_t middle;
	Value value = { VALUE_BINARY, (uint32_t) bytes.len, bytes.data };
	EncodeResult result;

	if (!value_print(buf, &codec->element, value))
		return ENCODE_MALFORMED;
	middle = buf->len;
	(void) buf_reserve(buf, (middle - start) * 2 + ENCODE_ROOM);
	result =
		codec->encode_printed(buf, codec, (Slice){ buf->data + start, middle - start });
	encode_fold(buf, start, middle);
	return result;
}

/* What typdelim says; box is the only one of PostgreSQL's own that is not a comma. */
static char
array_delimiter(const TypeForm *form, uint32_t element)
{
	if (element == TYPE_BOX)
		return ';';
	return form->fields != NULL && form->encode == encode_geometry ? ':' : ',';
}

static bool
resolve_array(ColumnType *type, ColumnCodec *codec, const TypeRow *row,
              const TypeContext *context)
{
	const TypeForm *form;
	ArrayKind kind = row->array;
	bool domain = is_domain_array(codec->column);

	if (context->options->lossless && (kind == ARRAY_OMITTED || kind == ARRAY_AS_NULL))
		kind = ARRAY_OPTIONAL;
	if (domain && !context->options->lossless)
	{
		row = &unknown_row;
		kind = ARRAY_REQUIRED;
	}
	form = form_of(row, context);
	if (form == NULL || kind == ARRAY_OMITTED)
		return false;
	type->form = *form;
	codec->encode_element = form->encode;
	if (row == &unknown_row && codec->binary && !context->options->lossless)
		codec->encode_element = codec->element.base_oid == TYPE_MONEY
		                            ? encode_money_bytes
		                            : encode_printed_bytes;
	if (kind == ARRAY_AS_NULL)
	{
		codec->encode = encode_lost;
		return true;
	}
	type->array = true;
	type->optional_items = kind == ARRAY_OPTIONAL;
	type->toast = row->array_toast;
	codec->in_array = true;
	codec->delimiter = array_delimiter(form, codec->element.base_oid);
	codec->null_elements = type->optional_items || context->options->lossless;
	codec->encode = codec->binary ? encode_array : encode_array_text;
	return true;
}

bool
column_type_resolve(ColumnType *type, ColumnCodec *codec, const RelationColumn *column,
                    const EnvOptions *options, bool in_key)
{
	TypeContext context = { options, column->base_typmod, in_key };
	uint32_t oid = column->element_oid != 0 ? column->element_oid : column->base_oid;

	memset(type, 0, sizeof *type);
	memset(codec, 0, sizeof *codec);
	codec->column = column;
	codec->lossless = options->lossless;
	codec->strict = options->converting_failure_mode == FAILURE_FAIL;
	codec->binary = value_is_binary(column);
	codec->encode_printed = choose_bytes(&context)->encode;
	apply_typmod(type, codec, oid, column->base_typmod);
	if (oid == TYPE_MONEY)
		codec->scale = options->money_fraction_digits;
	for (size_t i = 0; i < sizeof vector_rows / sizeof *vector_rows; i++)
	{
		if (vector_rows[i].oid != column->base_oid)
			continue;
		(void) resolve_scalar(type, codec, &vector_rows[i], &context);
		type->array = true;
		codec->encode = encode_vector;
		return true;
	}
	if (column->element_oid == 0)
		return resolve_scalar(
			type,
			codec,
			find_row(column->base_oid, column->type_kind, column->type_name),
			&context);
	codec->element.base_oid = column->element_oid;
	codec->element.type_kind = column->element_kind;
	codec->element.type_name = column->element_name;
	return resolve_array(
		type,
		codec,
		find_row(column->element_oid, column->element_kind, column->element_name),
		&context);
}
