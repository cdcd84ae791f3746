/*
 * avro.h
 *		Avro object container files: rows in, bytes out, and back.
 *
 * Private to the Iceberg code.  Written by hand because the libraries at hand
 * drop what Iceberg needs: field ids in schemas and free header keys.
 *
 *		"Obj" 1 | map of header keys | sync[16] | block ... block
 *		block:    row count | byte count | rows, raw deflate | sync[16]
 *
 * Reading gives each row as a tree of values of the writer's own schema, whose
 * record fields are then looked up by field id.  Nothing in the bytes is
 * trusted: lengths, counts, union branches, nesting depth and inflated size
 * are checked, and what is wrong is ERR_FATAL.
 *
 * Apache Avro 1.12 specification, "Object Container Files", "Binary Encoding".
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ICEBERG_AVRO_H
#define LAKE_ICEBERG_AVRO_H

#include "base/arena.h"
#include "base/err.h"

/* Encoding: each appends one value. */
void avro_long(Buf *buf, int64_t value); /* int and long */
void avro_boolean(Buf *buf, bool value);
void avro_bytes(Buf *buf, Slice value); /* bytes and string */

/* The branch of a ["null", X] union; X follows when present.  Returns present. */
static inline bool
avro_optional(Buf *buf, bool present)
{
	avro_long(buf, present);
	return present;
}

typedef struct AvroKey
{
	const char *name;
	const char *value;
} AvroKey;

typedef struct AvroWriter
{
	Buf rows;          /* append a row's values here, then avro_end_row() */
	int64_t row_count; /* in rows */
	Buf out;
	Buf packed;
	uint8_t sync[16];
} AvroWriter;

/* keys must include "avro.schema"; "avro.codec" is added. */
void avro_begin(AvroWriter *writer, const AvroKey *keys, size_t key_count);
void avro_end_row(AvroWriter *writer);

/* The bytes of the file, in arena; writer is released. */
Slice avro_end(Arena *arena, AvroWriter *writer);

typedef enum AvroKind
{
	AVRO_NULL,
	AVRO_BOOLEAN,
	AVRO_INT,
	AVRO_LONG,
	AVRO_FLOAT,
	AVRO_DOUBLE,
	AVRO_BYTES,
	AVRO_STRING,
	AVRO_FIXED,
	AVRO_ENUM,
	AVRO_ARRAY,
	AVRO_MAP,
	AVRO_RECORD,
	AVRO_UNION,
} AvroKind;

typedef struct AvroType AvroType;

/* A record's field, a union's branch, an array's item or a map's value. */
typedef struct AvroPart
{
	const char *name; /* fields */
	int32_t id;       /* fields: "field-id", -1 when absent */
	const AvroType *type;
} AvroPart;

struct AvroType
{
	AvroKind kind;
	int32_t size; /* fixed: bytes; enum: symbols */
	const AvroPart *parts;
	int32_t part_count;
};

typedef struct AvroValue AvroValue;

/* A union is its chosen branch. */
struct AvroValue
{
	const AvroType *type;
	int64_t number;         /* boolean, int, long, enum */
	Slice bytes;            /* bytes, string, fixed; float and double: little-endian */
	const AvroValue *items; /* array: items; record: fields; map: key, value, key, ... */
	int32_t count;
};

typedef struct AvroReader
{
	const AvroType *type; /* of a row */
	const AvroKey *keys;  /* header, without those of Avro itself */
	int32_t key_count;
	Slice rest; /* blocks to come */
	Slice rows; /* of the current block, to come */
	int64_t rows_left;
	bool is_deflated;
	uint8_t sync[16];
	Arena *arena;
	Buf inflated;
} AvroReader;

/* Read the header.  bytes and arena must outlive reader; avro_close() it, whatever is
 * returned. */
MUST_CHECK bool avro_open(Arena *arena, Slice bytes, AvroReader *reader, Err *err);

/*
 * The next row; *row is NULL after the last.  The tree lives in scratch, its
 * bytes until the next call.
 */
MUST_CHECK bool avro_next(AvroReader *reader, Arena *scratch, const AvroValue **row,
                          Err *err);

void avro_close(AvroReader *reader);

/* The field of a record with this id; NULL when it has none, is null, or is no record. */
const AvroValue *avro_field(const AvroValue *record, int32_t id);

#endif
