/*
 * value.c
 *		splitting tuples and reading PostgreSQL's binary forms.
 *
 * Every reader checks lengths before it touches bytes; nothing here allocates.
 * Binary forms are those of the type's send function in the PostgreSQL source
 * (backend/utils/adt), except that text kinds, json, jsonb and enum labels are
 * plain UTF-8.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/value.h"

#include "envelope/utf8.h"

/* Types, other than enums and citext, that travel as 'b'; sorted. */
static const uint16_t binary_types[] = {
	TYPE_BOOL,        TYPE_BYTEA,    TYPE_CHAR,    TYPE_NAME, TYPE_INT8,   TYPE_INT2,
	TYPE_INT4,        TYPE_TEXT,     TYPE_OID,     TYPE_JSON, TYPE_FLOAT4, TYPE_FLOAT8,
	TYPE_MONEY,       TYPE_BPCHAR,   TYPE_VARCHAR, TYPE_DATE, TYPE_TIME,   TYPE_TIMESTAMP,
	TYPE_TIMESTAMPTZ, TYPE_INTERVAL, TYPE_TIMETZ,  TYPE_BIT,  TYPE_VARBIT, TYPE_NUMERIC,
	TYPE_UUID,        TYPE_JSONB,
};

/* Fixed-dimension vectors have an element type and yet are no arrays. */
enum
{
	OID_INT2VECTOR = 22,
	OID_OIDVECTOR = 30,
};

/* Those of them whose bytes are text; enums and citext are, too. */
static bool
is_text_type(uint32_t oid, char kind, const char *name)
{
	switch (oid)
	{
		case TYPE_NAME:
		case TYPE_TEXT:
		case TYPE_JSON:
		case TYPE_JSONB:
		case TYPE_BPCHAR:
		case TYPE_VARCHAR:
			return true;
		default:
			return kind == 'e' || strcmp(name, "citext") == 0;
	}
}

static bool
is_binary_type(uint32_t oid, char kind, const char *name)
{
	if (kind == 'e' || strcmp(name, "citext") == 0)
		return true;
	for (size_t i = 0; i < sizeof binary_types / sizeof *binary_types; i++)
		if (binary_types[i] == oid)
			return true;
	return false;
}

bool
value_is_binary(const RelationColumn *column)
{
	if (column->base_oid == OID_INT2VECTOR || column->base_oid == OID_OIDVECTOR)
		return false;
	if (column->element_oid != 0)
		return is_binary_type(
			column->element_oid, column->element_kind, column->element_name);
	return is_binary_type(column->base_oid, column->type_kind, column->type_name);
}

bool
value_read_tuple(Slice tuple, Value *values, uint16_t expected, EnvError *error)
{
	WireReader reader = wire_reader(tuple);
	uint16_t count = wire_u16(&reader);

	if (!reader.failed && count != expected)
		return env_fail(error,
		                "tuple has %u columns, but its relation has %u",
		                (unsigned) count,
		                (unsigned) expected);
	for (uint16_t i = 0; i < expected; i++)
	{
		Value value = { (ValueKind) wire_u8(&reader), 0, NULL };

		if (value.kind == VALUE_TEXT || value.kind == VALUE_BINARY)
		{
			value.len = wire_u32(&reader);
			value.bytes = wire_take(&reader, value.len);
		}
		else if (value.kind != VALUE_NULL && value.kind != VALUE_UNCHANGED)
			reader.failed = true;
		if (reader.failed)
			return env_fail(error, "tuple is malformed at column %u", i + 1U);
		values[i] = value;
	}
	if (reader.failed || reader.at != reader.end)
		return env_fail(error, "tuple has bytes after its last column");
	return true;
}

bool
value_int16(Slice bytes, int16_t *result)
{
	if (bytes.len != sizeof *result)
		return false;
	*result = (int16_t) read_u16(bytes.data);
	return true;
}

bool
value_int32(Slice bytes, int32_t *result)
{
	if (bytes.len != sizeof *result)
		return false;
	*result = (int32_t) read_u32(bytes.data);
	return true;
}

bool
value_int64(Slice bytes, int64_t *result)
{
	if (bytes.len != sizeof *result)
		return false;
	*result = (int64_t) read_u64(bytes.data);
	return true;
}

bool
value_float4(Slice bytes, float *result)
{
	uint32_t bits;

	if (bytes.len != sizeof *result)
		return false;
	bits = read_u32(bytes.data);
	memcpy(result, &bits, sizeof *result);
	return true;
}

bool
value_float8(Slice bytes, double *result)
{
	uint64_t bits;

	if (bytes.len != sizeof *result)
		return false;
	bits = read_u64(bytes.data);
	memcpy(result, &bits, sizeof *result);
	return true;
}

bool
value_timetz(Slice bytes, TimeTz *result)
{
	if (bytes.len != 12)
		return false;
	result->time_us = (int64_t) read_u64(bytes.data);
	result->zone_s = (int32_t) read_u32(bytes.data + 8);
	return true;
}

bool
value_interval(Slice bytes, Interval *result)
{
	if (bytes.len != 16)
		return false;
	result->time_us = (int64_t) read_u64(bytes.data);
	result->days = (int32_t) read_u32(bytes.data + 8);
	result->months = (int32_t) read_u32(bytes.data + 12);
	return true;
}

/*
 * array_send: dimensions i32, has-nulls i32, element OID u32, then per dimension
 * length i32 and lower bound i32, then per element length i32 (-1: null) and
 * bytes.  MAXDIM is 6.
 */
bool
array_open(Slice bytes, ArrayReader *reader)
{
	WireReader *rest = &reader->rest;
	int64_t count = 1;

	*reader = (ArrayReader){ .rest = wire_reader(bytes), .lower_bound = 1 };
	reader->dimensions = (int32_t) wire_u32(rest);
	(void) wire_u32(rest);
	reader->element_oid = wire_u32(rest);
	if (rest->failed || reader->dimensions < 0 || reader->dimensions > 6)
		return false;
	for (int32_t i = 0; i < reader->dimensions; i++)
	{
		int32_t lower_bound;

		reader->lengths[i] = (int32_t) wire_u32(rest);
		lower_bound = (int32_t) wire_u32(rest);
		if (i == 0)
			reader->lower_bound = lower_bound;
		/* an empty array has no dimensions: none of them is empty */
		if (reader->lengths[i] <= 0)
			return false;
		count *= reader->lengths[i];
		if (count > INT32_MAX)
			return false;
	}
	reader->count = reader->dimensions == 0 ? 0 : (int32_t) count;
	/* every element has a length of four bytes at least */
	return !rest->failed && reader->count <= (rest->end - rest->at) / 4;
}

bool
array_next(ArrayReader *reader, Value *element)
{
	WireReader *rest = &reader->rest;
	int32_t len;

	if (reader->read == reader->count)
	{
		rest->failed = rest->failed || rest->at != rest->end;
		return false;
	}
	reader->read++;
	len = (int32_t) wire_u32(rest);
	if (!rest->failed && len == -1)
	{
		*element = (Value){ VALUE_NULL, 0, NULL };
		return true;
	}
	if (len < 0)
		rest->failed = true;
	element->kind = VALUE_BINARY;
	element->len = (uint32_t) len;
	element->bytes = wire_take(rest, (size_t) (uint32_t) len);
	return !rest->failed;
}

static uint64_t
make_elements_valid(Buf *buf, ArrayReader *reader)
{
	uint64_t replaced = 0;
	Value element;

	while (array_next(reader, &element))
	{
		size_t start = buf->len;

		buf_u32(buf, UINT32_MAX);
		if (element.kind == VALUE_NULL)
			continue;
		replaced += utf8_append(buf, value_slice(element));
		buf_set_u32(buf, start, (uint32_t) (buf->len - start - sizeof(uint32_t)));
	}
	return replaced;
}

uint64_t
value_make_valid(Buf *buf, const RelationColumn *column, Slice bytes)
{
	size_t start = buf->len;
	ArrayReader reader;
	uint64_t replaced;

	if (!value_is_binary(column))
		return utf8_append(buf, bytes);
	if (column->element_oid == 0 &&
	    is_text_type(column->base_oid, column->type_kind, column->type_name))
		return utf8_append(buf, bytes);
	if (column->element_oid == 0 ||
	    !is_text_type(column->element_oid, column->element_kind, column->element_name) ||
	    !array_open(bytes, &reader))
	{
		buf_slice(buf, bytes);
		return 0;
	}
	buf_append(buf, bytes.data, (size_t) (reader.rest.at - bytes.data));
	replaced = make_elements_valid(buf, &reader);
	if (reader.rest.failed)
	{
		buf->len = start;
		buf_slice(buf, bytes);
	}
	return replaced;
}
