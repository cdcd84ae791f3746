/*
 * avro.c
 *		values in Avro's binary encoding (Avro 1.12 specification).
 *
 * The Connect schema leads the walk; it says what the Avro schema made of it does.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "connect/avro.h"

#include "envelope/scan.h"

typedef struct Encoder
{
	Arena *arena;
	Buf *buf;
	bool keep_nulls;
	Err *err;
} Encoder;

static bool encode_value(const Encoder *encoder, const ConnectValue *value,
                         const ConnectSchema *schema);

static bool
fail_value(const Encoder *encoder, const ConnectSchema *schema)
{
	return fail(encoder->err,
	            ERR_DATA,
	            "a value is not of its type %s",
	            connect_type_name(schema->type));
}

/* An int or long: zig-zag, seven bits a byte, least significant first. */
static void
put_long(Buf *buf, int64_t value)
{
	uint64_t rest = ((uint64_t) value << 1) ^ (uint64_t) (value >> 63);

	while (rest >= 0x80)
	{
		buf_u8(buf, (uint8_t) (rest | 0x80));
		rest >>= 7;
	}
	buf_u8(buf, (uint8_t) rest);
}

static void
put_bytes(Buf *buf, Slice bytes)
{
	put_long(buf, (int64_t) bytes.len);
	buf_slice(buf, bytes);
}

static bool
encode_integer(const Encoder *encoder, Slice json)
{
	int64_t number;

	if (!connect_read_int64(json, &number))
		return false;
	put_long(encoder->buf, number);
	return true;
}

/* IEEE 754, little-endian, as this machine has it. */
static bool
encode_floating(const Encoder *encoder, Slice json, bool narrow)
{
	double number;
	float single;

	if (!connect_read_double(json, &number))
		return false;
	single = (float) number;
	if (narrow)
		buf_append(encoder->buf, &single, sizeof single);
	else
		buf_append(encoder->buf, &number, sizeof number);
	return true;
}

static bool
encode_boolean(const Encoder *encoder, Slice json)
{
	bool truth;

	if (!connect_read_boolean(json, &truth))
		return false;
	buf_u8(encoder->buf, truth ? 1 : 0);
	return true;
}

static bool
encode_string(const Encoder *encoder, Slice json)
{
	Slice text;

	if (!connect_read_string(json, encoder->arena, &text))
		return false;
	put_bytes(encoder->buf, text);
	return true;
}

static bool
encode_bytes(const Encoder *encoder, Slice json)
{
	Slice bytes;

	if (!connect_read_bytes(json, encoder->arena, &bytes))
		return false;
	put_bytes(encoder->buf, bytes);
	return true;
}

static bool
encode_json(const Encoder *encoder, Slice json, const ConnectSchema *schema)
{
	ConnectValue value = connect_value_json(json);

	return encode_value(encoder, &value, schema);
}

/* ---- Arrays and maps: a count, so many items, 0 ---- */

/* How many items the array, or members the object, has; -1: it is none. */
static int64_t
count_items(Slice json, char open)
{
	Scan scan = scan_over(json);
	bool first = true;
	bool more;
	int64_t count = 0;
	Slice ignored;

	if (!scan_take(&scan, open))
		return -1;
	for (;;)
	{
		if (!(open == '{' ? scan_member(&scan, &first, &ignored, &more)
		                  : scan_item(&scan, &first, &more)))
			return -1;
		if (!more)
			return count;
		if (!scan_value(&scan, &ignored))
			return -1;
		count++;
	}
}

/* Begin a block, when there is anything in it. */
static bool
open_block(const Encoder *encoder, Slice json, char open, Scan *scan)
{
	int64_t count = count_items(json, open);

	if (count < 0)
		return false;
	if (count > 0)
		put_long(encoder->buf, count);
	*scan = scan_over(json);
	return scan_take(scan, open);
}

static bool
encode_array(const Encoder *encoder, Slice json, const ConnectSchema *items)
{
	Scan scan;
	bool first = true;
	bool more;
	Slice item;

	if (!open_block(encoder, json, '[', &scan))
		return false;
	while (scan_item(&scan, &first, &more) && more)
		if (!scan_value(&scan, &item) || !encode_json(encoder, item, items))
			return false;
	put_long(encoder->buf, 0);
	return true;
}

static bool
encode_object(const Encoder *encoder, Slice json, const ConnectSchema *schema)
{
	bool native = !schema->keys->optional;
	Scan scan;
	bool first = true;
	bool more;
	Slice name;
	Slice value;

	if (!open_block(encoder, json, '{', &scan))
		return false;
	while (scan_member(&scan, &first, &name, &more) && more)
	{
		if (!(native ? encode_string(encoder, name)
		             : encode_json(encoder, name, schema->keys)) ||
		    !scan_value(&scan, &value) || !encode_json(encoder, value, schema->items))
			return false;
	}
	put_long(encoder->buf, 0);
	return true;
}

/* [[key,value],...] as an array of records. */
static bool
encode_pairs(const Encoder *encoder, Slice json, const ConnectSchema *schema)
{
	Scan scan;
	bool first = true;
	bool more;
	Slice key;
	Slice value;

	if (!open_block(encoder, json, '[', &scan))
		return false;
	while (scan_item(&scan, &first, &more) && more)
	{
		if (!scan_take(&scan, '[') || !scan_value(&scan, &key) ||
		    !scan_take(&scan, ',') || !scan_value(&scan, &value) ||
		    !scan_take(&scan, ']') || !encode_json(encoder, key, schema->keys) ||
		    !encode_json(encoder, value, schema->items))
			return false;
	}
	put_long(encoder->buf, 0);
	return true;
}

/* ---- Structs ---- */

static bool
encode_struct(const Encoder *encoder, const ConnectValue *value,
              const ConnectSchema *schema)
{
	ConnectValue open = *value;

	if (!connect_value_open(&open, schema, encoder->arena, encoder->err))
		return false;
	for (size_t i = 0; i < schema->field_count; i++)
		if (!encode_value(encoder, &open.fields[i], schema->fields[i].schema))
			return fail_while(
				encoder->err, "cannot encode field \"%s\"", schema->fields[i].name);
	return true;
}

/* A value that is there and not a struct. */
static bool
encode_leaf(const Encoder *encoder, Slice json, const ConnectSchema *schema)
{
	switch (schema->type)
	{
		case CONNECT_INT8:
		case CONNECT_INT16:
		case CONNECT_INT32:
		case CONNECT_INT64:
			return encode_integer(encoder, json);
		case CONNECT_FLOAT32:
		case CONNECT_FLOAT64:
			return encode_floating(encoder, json, schema->type == CONNECT_FLOAT32);
		case CONNECT_BOOLEAN:
			return encode_boolean(encoder, json);
		case CONNECT_STRING:
			return encode_string(encoder, json);
		case CONNECT_BYTES:
			return encode_bytes(encoder, json);
		case CONNECT_ARRAY:
			return encode_array(encoder, json, schema->items);
		case CONNECT_MAP:
			return schema->keys->type == CONNECT_STRING
			           ? encode_object(encoder, json, schema)
			           : encode_pairs(encoder, json, schema);
		case CONNECT_STRUCT:
			break;
	}
	return false;
}

static bool
encode_value(const Encoder *encoder, const ConnectValue *value,
             const ConnectSchema *schema)
{
	bool type_first = schema->default_json.len > 0 && schema->type != CONNECT_STRUCT;
	ConnectValue found = *value;

	if (found.form == CONNECT_IS_NULL && !encoder->keep_nulls)
		found = connect_value_default(schema);
	if (found.form == CONNECT_IS_NULL)
	{
		if (!schema->optional)
			return fail(encoder->err, ERR_DATA, "null value of a type that is required");
		put_long(encoder->buf, type_first ? 1 : 0);
		return true;
	}
	if (schema->optional)
		put_long(encoder->buf, type_first ? 0 : 1);
	if (schema->type == CONNECT_STRUCT)
		return encode_struct(encoder, &found, schema);
	encoder->err->kind = ERR_NONE;
	if (encode_leaf(encoder, found.json, schema))
		return true;
	return encoder->err->kind != ERR_NONE ? false : fail_value(encoder, schema);
}

bool
avro_encode(const ConnectValue *value, const ConnectSchema *schema, bool keep_nulls,
            Arena *arena, Buf *buf, Err *err)
{
	const Encoder encoder = { arena, buf, keep_nulls, err };

	return encode_value(&encoder, value, schema);
}
