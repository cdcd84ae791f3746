/*
 * avro.c
 *		Avro object container files: writing, and the container level of reading.
 *
 * The sync marker is a hash of the header, not random: the same rows give the
 * same bytes.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/iceberg/avro.h"

#include <stdlib.h>
#include <zlib.h>

#include "lake/iceberg/avro_decode.h"

#define MAGIC          "Obj\1"
#define MAGIC_LEN      4
#define SYNC_LEN       16
#define BLOCK_BYTES    64000 /* rows before deflate, as Java's default */
#define INFLATED_MAX   ((size_t) 1 << 30)
#define RAW_WINDOW     (-15) /* zlib: deflate without header or checksum */
#define MEMORY_LEVEL   8
#define GROWTH_MINIMUM ((size_t) 65536)

/* Encoding */

void
avro_long(Buf *buf, int64_t value)
{
	uint64_t rest = (uint64_t) value << 1 ^ (uint64_t) (value >> 63);

	for (; rest > 0x7f; rest >>= 7)
		buf_u8(buf, (uint8_t) (rest | 0x80));
	buf_u8(buf, (uint8_t) rest);
}

void
avro_boolean(Buf *buf, bool value)
{
	buf_u8(buf, value);
}

void
avro_bytes(Buf *buf, Slice value)
{
	avro_long(buf, (int64_t) value.len);
	buf_slice(buf, value);
}

/* Writing a container */

static uint64_t
hash_bytes(Slice bytes, uint64_t hash)
{
	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ (uint8_t) bytes.data[i]) * UINT64_C(1099511628211);
	return hash;
}

static void
write_key(Buf *out, const char *name, const char *value)
{
	avro_bytes(out, slice_from(name));
	avro_bytes(out, slice_from(value));
}

void
avro_begin(AvroWriter *writer, const AvroKey *keys, size_t key_count)
{
	uint64_t halves[2];
	Slice header;

	*writer = (AvroWriter){ .rows = buf_heap(), .out = buf_heap(), .packed = buf_heap() };
	buf_append(&writer->out, MAGIC, MAGIC_LEN);
	avro_long(&writer->out, (int64_t) key_count + 1);
	for (size_t i = 0; i < key_count; i++)
		write_key(&writer->out, keys[i].name, keys[i].value);
	write_key(&writer->out, "avro.codec", "deflate");
	avro_long(&writer->out, 0);
	header = (Slice){ writer->out.data, writer->out.len };
	halves[0] = hash_bytes(header, UINT64_C(14695981039346656037));
	halves[1] = hash_bytes(header, halves[0]);
	memcpy(writer->sync, halves, SYNC_LEN);
	buf_append(&writer->out, writer->sync, SYNC_LEN);
}

static void
write_block(AvroWriter *writer)
{
	z_stream stream = { 0 };

	if (writer->row_count == 0)
		return;

	/* Deflate into a buffer of sufficient size cannot fail but for memory. */
	if (deflateInit2(&stream,
	                 Z_BEST_SPEED,
	                 Z_DEFLATED,
	                 RAW_WINDOW,
	                 MEMORY_LEVEL,
	                 Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	buf_reset(&writer->packed);
	stream.avail_out = (uInt) deflateBound(&stream, writer->rows.len);
	stream.next_out = (Bytef *) buf_reserve(&writer->packed, stream.avail_out);
	stream.next_in = (Bytef *) writer->rows.data;
	stream.avail_in = (uInt) writer->rows.len;
	if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
		abort();
	writer->packed.len = stream.total_out;
	deflateEnd(&stream);

	avro_long(&writer->out, writer->row_count);
	avro_bytes(&writer->out, (Slice){ writer->packed.data, writer->packed.len });
	buf_append(&writer->out, writer->sync, SYNC_LEN);
	buf_reset(&writer->rows);
	writer->row_count = 0;
}

void
avro_end_row(AvroWriter *writer)
{
	writer->row_count++;
	if (writer->rows.len >= BLOCK_BYTES)
		write_block(writer);
}

Slice
avro_end(Arena *arena, AvroWriter *writer)
{
	Slice bytes;

	write_block(writer);
	bytes = arena_slice(arena, (Slice){ writer->out.data, writer->out.len });
	buf_free(&writer->rows);
	buf_free(&writer->packed);
	buf_free(&writer->out);
	return bytes;
}

/* Reading a container */

static bool
take(Slice *from, size_t len, Slice *taken, Err *err)
{
	if (len > from->len)
	{
		fail(err, ERR_FATAL, "Avro file ends early");
		return false;
	}
	*taken = (Slice){ from->data, len };
	from->data += len;
	from->len -= len;
	return true;
}

/* The map of header keys, which may come in several runs. */
static bool
read_keys(AvroReader *reader, Err *err)
{
	AvroKey *keys = NULL;
	int64_t run;
	int32_t count = 0;

	for (;;)
	{
		AvroKey *grown;

		if (!avro_take_count(&reader->rest, &run, err))
			return false;
		if (run == 0)
			break;
		grown = arena_alloc(reader->arena, (size_t) (count + run) * sizeof *keys);
		if (count > 0)
			memcpy(grown, keys, (size_t) count * sizeof *keys);
		keys = grown;
		for (; run > 0; run--, count++)
		{
			Slice name;
			Slice value;

			if (!avro_take_bytes(&reader->rest, &name, err) ||
			    !avro_take_bytes(&reader->rest, &value, err))
				return false;
			keys[count].name = arena_strndup(reader->arena, name.data, name.len);
			keys[count].value = arena_strndup(reader->arena, value.data, value.len);
		}
	}
	reader->keys = keys;
	reader->key_count = count;
	return true;
}

static const char *
find_key(const AvroReader *reader, const char *name)
{
	for (int32_t i = 0; i < reader->key_count; i++)
		if (strcmp(reader->keys[i].name, name) == 0)
			return reader->keys[i].value;
	return NULL;
}

bool
avro_open(Arena *arena, Slice bytes, AvroReader *reader, Err *err)
{
	const char *schema;
	const char *codec;
	Slice part;

	*reader = (AvroReader){ .rest = bytes, .arena = arena, .inflated = buf_heap() };
	if (!take(&reader->rest, MAGIC_LEN, &part, err) ||
	    !slice_equal(part, (Slice){ MAGIC, MAGIC_LEN }))
		return fail(err, ERR_FATAL, "not an Avro object container file");
	if (!read_keys(reader, err) || !take(&reader->rest, SYNC_LEN, &part, err))
		return false;
	memcpy(reader->sync, part.data, SYNC_LEN);
	schema = find_key(reader, "avro.schema");
	if (!schema)
		return fail(err, ERR_FATAL, "Avro file has no schema");
	codec = find_key(reader, "avro.codec");
	reader->is_deflated = codec && strcmp(codec, "deflate") == 0;
	if (codec && !reader->is_deflated && strcmp(codec, "null") != 0)
		return fail(err, ERR_FATAL, "Avro codec \"%s\" is not supported", codec);
	return avro_parse_schema(arena, slice_from(schema), &reader->type, err);
}

static bool
inflate_block(AvroReader *reader, Slice packed, Err *err)
{
	z_stream stream = { 0 };
	Buf *out = &reader->inflated;
	int status;

	if (packed.len > UINT32_MAX)
		return fail(err, ERR_FATAL, "Avro block of %zu bytes is too large", packed.len);
	if (inflateInit2(&stream, RAW_WINDOW) != Z_OK)
		abort();
	buf_reset(out);
	stream.next_in = (Bytef *) packed.data;
	stream.avail_in = (uInt) packed.len;
	do
	{
		size_t room = out->len < GROWTH_MINIMUM ? GROWTH_MINIMUM : out->len;

		stream.next_out = (Bytef *) buf_reserve(out, room);
		stream.avail_out = (uInt) room;
		status = inflate(&stream, Z_NO_FLUSH);
		out->len += room - stream.avail_out;
	} while (status == Z_OK && stream.avail_out == 0 && out->len < INFLATED_MAX);
	inflateEnd(&stream);
	if (status != Z_STREAM_END)
		return fail(err, ERR_FATAL, "Avro block cannot be inflated");
	reader->rows = (Slice){ out->data, out->len };
	return true;
}

static bool
next_block(AvroReader *reader, Err *err)
{
	Slice block;
	Slice sync;

	if (reader->rows.len > 0)
		return fail(err, ERR_FATAL, "Avro block is longer than its rows");
	if (!avro_take_long(&reader->rest, &reader->rows_left, err) ||
	    !avro_take_bytes(&reader->rest, &block, err) ||
	    !take(&reader->rest, SYNC_LEN, &sync, err))
		return false;
	if (memcmp(sync.data, reader->sync, SYNC_LEN) != 0)
		return fail(err, ERR_FATAL, "Avro block does not end in the sync marker");
	reader->rows = block;
	if (reader->is_deflated && !inflate_block(reader, block, err))
		return false;
	if (reader->rows_left < 0 || (uint64_t) reader->rows_left > reader->rows.len)
		return fail(err, ERR_FATAL, "Avro block has a damaged row count");
	return true;
}

bool
avro_next(AvroReader *reader, Arena *scratch, const AvroValue **row, Err *err)
{
	AvroValue *value;

	*row = NULL;
	while (reader->rows_left == 0)
	{
		if (reader->rest.len == 0 && reader->rows.len == 0)
			return true;
		if (!next_block(reader, err))
			return false;
	}
	value = arena_zero(scratch, sizeof *value);
	if (!avro_decode(scratch, reader->type, &reader->rows, value, err))
		return false;
	reader->rows_left--;
	*row = value;
	return true;
}

void
avro_close(AvroReader *reader)
{
	buf_free(&reader->inflated);
}

const AvroValue *
avro_field(const AvroValue *record, int32_t id)
{
	if (!record || record->type->kind != AVRO_RECORD)
		return NULL;
	for (int32_t i = 0; i < record->count; i++)
		if (record->type->parts[i].id == id)
			return record->items[i].type->kind == AVRO_NULL ? NULL : &record->items[i];
	return NULL;
}
