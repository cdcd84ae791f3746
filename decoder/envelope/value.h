/*
 * value.h
 *		values on the wire, and bounds-checked readers of PostgreSQL's binary forms.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_VALUE_H
#define ENVELOPE_VALUE_H

#include "envelope/relation.h"

/* OIDs of pg_catalog types never change (PostgreSQL: catalog/pg_type.dat). */
enum TypeOid
{
	TYPE_BOOL = 16,
	TYPE_BYTEA = 17,
	TYPE_CHAR = 18,
	TYPE_NAME = 19,
	TYPE_INT8 = 20,
	TYPE_INT2 = 21,
	TYPE_INT4 = 23,
	TYPE_TEXT = 25,
	TYPE_OID = 26,
	TYPE_JSON = 114,
	TYPE_XML = 142,
	TYPE_BOX = 603,
	TYPE_FLOAT4 = 700,
	TYPE_FLOAT8 = 701,
	TYPE_MONEY = 790,
	TYPE_BPCHAR = 1042,
	TYPE_VARCHAR = 1043,
	TYPE_DATE = 1082,
	TYPE_TIME = 1083,
	TYPE_TIMESTAMP = 1114,
	TYPE_TIMESTAMPTZ = 1184,
	TYPE_INTERVAL = 1186,
	TYPE_TIMETZ = 1266,
	TYPE_BIT = 1560,
	TYPE_VARBIT = 1562,
	TYPE_NUMERIC = 1700,
	TYPE_UUID = 2950,
	TYPE_JSONB = 3802,
};

typedef enum ValueKind
{
	VALUE_NULL = 'n',
	VALUE_UNCHANGED = 'u',
	VALUE_TEXT = 't',
	VALUE_BINARY = 'b',
} ValueKind;

typedef struct Value
{
	ValueKind kind;
	uint32_t len;
	const char *bytes; /* NULL for null and unchanged */
} Value;

static inline Slice
value_slice(Value value)
{
	return (Slice){ value.bytes, value.len };
}

/*
 * Whether values of this type travel in binary form ('b').  By base type OID,
 * or for arrays by the element's; enums (kind 'e') and arrays of them do.
 * citext, by name, travels as binary too (its bytes are its text).
 * The rule of frames and of snapshot COPY alike (stream.md 1): bool, int2/4/8, oid,
 * float4/8, numeric, uuid, date, time, timetz, timestamp, timestamptz, interval,
 * bytea, bit, varbit, money, text, varchar, bpchar, "char", name, json, jsonb (as its
 * text), citext, enums, and one- or more-dimensional arrays of these.  Everything else is
 * 't'.
 */
bool value_is_binary(const RelationColumn *column);

/*
 * Split a tuple into at most max values, one per column.  False, with error
 * set, when it is malformed or has another number of columns than expected.
 */
bool value_read_tuple(Slice tuple, Value *values, uint16_t expected, EnvError *error);

/* ---- Scalars: false when the length is wrong ---- */

bool value_int16(Slice bytes, int16_t *result);
bool value_int32(Slice bytes, int32_t *result);
bool value_int64(Slice bytes, int64_t *result);
bool value_float4(Slice bytes, float *result);
bool value_float8(Slice bytes, double *result);

#define VALUE_DATE_NEG_INFINITY      INT32_MIN
#define VALUE_DATE_INFINITY          INT32_MAX
#define VALUE_TIMESTAMP_NEG_INFINITY INT64_MIN
#define VALUE_TIMESTAMP_INFINITY     INT64_MAX

typedef struct TimeTz
{
	int64_t time_us; /* of the day, local */
	int32_t zone_s;  /* seconds west of Greenwich, as PostgreSQL stores it */
} TimeTz;

typedef struct Interval
{
	int64_t time_us;
	int32_t days;
	int32_t months;
} Interval;

bool value_timetz(Slice bytes, TimeTz *result);
bool value_interval(Slice bytes, Interval *result);

/* numeric_send's form: base-10000 digits, most significant first (backend numeric.c). */
typedef enum NumericSign
{
	NUMERIC_POSITIVE = 0x0000,
	NUMERIC_NEGATIVE = 0x4000,
	NUMERIC_IS_NAN = 0xC000,
	NUMERIC_IS_INFINITY = 0xD000,
	NUMERIC_IS_NEG_INFINITY = 0xF000,
} NumericSign;

typedef struct Numeric
{
	uint16_t digit_count;
	int16_t weight; /* of the first digit, in powers of 10000 */
	NumericSign sign;
	uint16_t scale;     /* digits after the point, as displayed */
	const char *digits; /* digit_count big-endian int16 */
} Numeric;

bool value_numeric(Slice bytes, Numeric *result);

/* Append numeric as PostgreSQL prints it ("-12.50", "NaN", "Infinity"). */
void numeric_print(Buf *buf, const Numeric *numeric);

/*
 * The unscaled value of numeric at scale digits after the point, as a 128-bit
 * integer.  False when it does not fit, when digits would be lost, or for NaN and
 * infinity.
 */
bool numeric_to_int128(const Numeric *numeric, int scale, __int128 *result);

/*
 * The same for any size: minimal big-endian two's complement (Java's
 * BigInteger.toByteArray) appended to buf.  Digits beyond scale are dropped by truncation
 * toward zero; only call with scale >= the value's where that must not happen.
 */
void numeric_to_unscaled(const Numeric *numeric, int scale, Buf *buf);

double numeric_to_double(const Numeric *numeric);

/* ---- Arrays: array_send's form (backend arrayfuncs.c) ---- */

typedef struct ArrayReader
{
	int32_t dimensions;  /* 0: empty array */
	int32_t lower_bound; /* of the first dimension */
	int32_t count;       /* elements over all dimensions */
	int32_t lengths[6];  /* of each dimension */
	uint32_t element_oid;
	WireReader rest;
	int32_t read;
} ArrayReader;

bool array_open(Slice bytes, ArrayReader *reader);

/* The next element, in row-major order; kind VALUE_BINARY or VALUE_NULL.  False at the
 * end or when malformed (reader->rest.failed). */
bool array_next(ArrayReader *reader, Value *element);

/*
 * Append a value of column, text of its own or in an array made UTF-8 (utf8.h), and
 * anything else as it is; how many bytes were replaced.  A malformed array stays so.
 */
uint64_t value_make_valid(Buf *buf, const RelationColumn *column, Slice bytes);

/* ---- Calendar: proleptic Gregorian, any year an int64 of microseconds reaches ---- */

/* Days since 1970-01-01 to year (astronomical: 0 is 1 BC), month 1-12, day 1-31. */
void date_split(int64_t days, int64_t *year, int *month, int *day);

/*
 * Append the value as PostgreSQL prints it under DateStyle=ISO, IntervalStyle=postgres,
 * TimeZone=UTC, extra_float_digits=3, bytea_output=hex.  For every type that
 * value_is_binary() allows, arrays included.  False when bytes are malformed.  Bronze,
 * _overflow and unknown places print values by this.
 */
bool value_print(Buf *buf, const RelationColumn *column, Value value);

/*
 * Append text as a JSON string, quotes included, escaped as Jackson does when it writes
 * bytes: control characters as \u001F in upper case, characters beyond U+FFFF as two
 * surrogates, other non-ASCII raw.
 */
void json_string(Buf *buf, Slice text);

/* The same with every non-ASCII character raw, as Jackson does when it writes a String.
 */
void json_string_raw(Buf *buf, Slice text);

#endif
