/*
 * relation.c
 *		reader and writer of the Relation message's body (wire.h, "R in full").
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/relation.h"

/* The least that a counted thing takes in the message: a count beyond the bytes
 * that are left is refused before memory is asked for. */
#define COLUMN_BYTES_MIN 10
#define KEY_BYTES        2
#define LABEL_BYTES_MIN  1

#define EXTENSION_FLAGS                                                           \
	(WIRE_NOT_NULL | WIRE_IDENTITY_COLUMN | WIRE_HAS_DEFAULT | WIRE_HAS_MISSING | \
	 WIRE_GENERATED)

/* ---- Reading ---- */

static const char *
read_text(WireReader *reader, const Alloc *alloc)
{
	return alloc_copy(alloc, slice_from(wire_read_string0(reader)));
}

/* A count of things of at least size bytes each; 0 and failed when they cannot be there.
 */
static uint16_t
read_count(WireReader *reader, size_t size)
{
	uint16_t count = wire_u16(reader);

	if ((size_t) (reader->end - reader->at) < count * size)
	{
		reader->failed = true;
		return 0;
	}
	return count;
}

/* pgoutput's part of one column. */
static void
read_column(WireReader *reader, RelationColumn *column, const Alloc *alloc)
{
	uint8_t flags = wire_u8(reader);

	if ((flags & ~WIRE_COLUMN_IDENTITY) != 0)
		reader->failed = true;
	column->in_identity = (flags & WIRE_COLUMN_IDENTITY) != 0;
	column->name = read_text(reader, alloc);
	column->type_oid = wire_u32(reader);
	column->typmod = (int32_t) wire_u32(reader);
}

static void
read_missing(WireReader *reader, RelationColumn *column, const Alloc *alloc)
{
	const char *bytes;

	column->missing_kind = (char) wire_u8(reader);
	if (column->missing_kind != 't' && column->missing_kind != 'b')
		reader->failed = true;
	column->missing.len = wire_u32(reader);
	bytes = wire_take(reader, column->missing.len);
	column->missing =
		bytes == NULL ? (Slice){ NULL, 0 } : (Slice){ bytes, column->missing.len };
	if (bytes != NULL)
		column->missing.data = alloc_copy(alloc, column->missing);
}

static void
read_labels(WireReader *reader, RelationColumn *column, const Alloc *alloc)
{
	const char **labels;

	column->label_count = read_count(reader, LABEL_BYTES_MIN);
	if (column->label_count == 0)
		return;
	labels = alloc_zero(alloc, column->label_count * sizeof *labels);
	for (uint16_t i = 0; i < column->label_count; i++)
		labels[i] = read_text(reader, alloc);
	column->labels = labels;
}

/* Our part of one column. */
static void
read_extension(WireReader *reader, RelationColumn *column, const Alloc *alloc)
{
	uint8_t flags;

	column->attnum = (int16_t) wire_u16(reader);
	flags = wire_u8(reader);
	if ((flags & ~EXTENSION_FLAGS) != 0)
		reader->failed = true;
	column->not_null = (flags & WIRE_NOT_NULL) != 0;
	column->is_identity_column = (flags & WIRE_IDENTITY_COLUMN) != 0;
	column->is_generated = (flags & WIRE_GENERATED) != 0;
	column->base_oid = wire_u32(reader);
	column->base_typmod = (int32_t) wire_u32(reader);
	column->type_kind = (char) wire_u8(reader);
	column->type_name = read_text(reader, alloc);
	column->type_schema = read_text(reader, alloc);
	column->type_text = read_text(reader, alloc);
	column->element_oid = wire_u32(reader);
	column->element_kind = (char) wire_u8(reader);
	column->element_name = read_text(reader, alloc);
	if ((flags & WIRE_HAS_DEFAULT) != 0)
		column->default_text = read_text(reader, alloc);
	if ((flags & WIRE_HAS_MISSING) != 0)
		read_missing(reader, column, alloc);
	read_labels(reader, column, alloc);
}

static void
read_key(WireReader *reader, Relation *relation, const Alloc *alloc)
{
	uint16_t *key;

	relation->key_source = (char) wire_u8(reader);
	relation->key_count = read_count(reader, KEY_BYTES);
	if (relation->key_count == 0)
		return;
	key = alloc_zero(alloc, relation->key_count * sizeof *key);
	for (uint16_t i = 0; i < relation->key_count; i++)
	{
		key[i] = wire_u16(reader);
		if (key[i] >= relation->column_count)
			reader->failed = true;
	}
	relation->key = key;
}

/*
 * 0, the byte "no key", travels as such; enumerated bytes that nobody knows are
 * refused here, so that no reader behind needs a default branch for them.
 */
static bool
known_bytes(const Relation *relation)
{
	return memchr("dfin", relation->replica_identity, 4) != NULL &&
	       memchr("pu", relation->key_source, 3) != NULL &&
	       (relation->key_source != 0) == (relation->key_count > 0);
}

Relation *
relation_read(Slice body, const Alloc *alloc, EnvError *error)
{
	WireReader reader = wire_reader(body);
	Relation *relation = alloc_zero(alloc, sizeof *relation);
	uint8_t extension;

	relation->relid = wire_u32(&reader);
	relation->schema = read_text(&reader, alloc);
	relation->name = read_text(&reader, alloc);
	relation->replica_identity = (char) wire_u8(&reader);
	relation->column_count = read_count(&reader, COLUMN_BYTES_MIN);
	relation->columns =
		alloc_zero(alloc, relation->column_count * sizeof *relation->columns + 1);
	for (uint16_t i = 0; i < relation->column_count && !reader.failed; i++)
	{
		relation->columns[i].index = i;
		read_column(&reader, &relation->columns[i], alloc);
	}

	extension = wire_u8(&reader);
	if (!reader.failed && extension != WIRE_RELATION_EXTENSION)
	{
		(void) env_fail(error,
		                "unrecognized version %d of the description of table \"%s.%s\"",
		                extension,
		                relation->schema,
		                relation->name);
		return NULL;
	}
	relation->relkind = (char) wire_u8(&reader);
	relation->root_relid = wire_u32(&reader);
	relation->root_schema = read_text(&reader, alloc);
	relation->root_name = read_text(&reader, alloc);
	read_key(&reader, relation, alloc);
	for (uint16_t i = 0; i < relation->column_count && !reader.failed; i++)
		read_extension(&reader, &relation->columns[i], alloc);

	if (reader.failed || reader.at != reader.end || !known_bytes(relation))
	{
		(void) env_fail(error, "malformed Relation message");
		return NULL;
	}
	relation->version = relation_hash(body);
	return relation;
}

/* ---- Writing ---- */

static uint8_t
extension_flags(const RelationColumn *column)
{
	return (uint8_t) ((column->not_null ? WIRE_NOT_NULL : 0) |
	                  (column->is_identity_column ? WIRE_IDENTITY_COLUMN : 0) |
	                  (column->default_text != NULL ? WIRE_HAS_DEFAULT : 0) |
	                  (column->missing_kind != 0 ? WIRE_HAS_MISSING : 0) |
	                  (column->is_generated ? WIRE_GENERATED : 0));
}

static const char *
text_or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

static void
write_extension(Buf *body, const RelationColumn *column)
{
	buf_u16(body, (uint16_t) column->attnum);
	buf_u8(body, extension_flags(column));
	buf_u32(body, column->base_oid);
	buf_u32(body, (uint32_t) column->base_typmod);
	buf_char(body, column->type_kind);
	wire_string0(body, text_or_empty(column->type_name));
	wire_string0(body, text_or_empty(column->type_schema));
	wire_string0(body, text_or_empty(column->type_text));
	buf_u32(body, column->element_oid);
	buf_char(body, column->element_kind);
	wire_string0(body, text_or_empty(column->element_name));
	if (column->default_text != NULL)
		wire_string0(body, column->default_text);
	if (column->missing_kind != 0)
		wire_value(body,
		           column->missing_kind,
		           column->missing.data,
		           (uint32_t) column->missing.len);
	buf_u16(body, column->label_count);
	for (uint16_t i = 0; i < column->label_count; i++)
		wire_string0(body, column->labels[i]);
}

void
relation_write(Buf *body, const Relation *relation)
{
	buf_u32(body, relation->relid);
	wire_string0(body, relation->schema);
	wire_string0(body, relation->name);
	buf_char(body, relation->replica_identity);
	buf_u16(body, relation->column_count);
	for (uint16_t i = 0; i < relation->column_count; i++)
	{
		const RelationColumn *column = &relation->columns[i];

		buf_u8(body, column->in_identity ? WIRE_COLUMN_IDENTITY : 0);
		wire_string0(body, column->name);
		buf_u32(body, column->type_oid);
		buf_u32(body, (uint32_t) column->typmod);
	}

	buf_u8(body, WIRE_RELATION_EXTENSION);
	buf_char(body, relation->relkind);
	buf_u32(body, relation->root_relid);
	wire_string0(body, text_or_empty(relation->root_schema));
	wire_string0(body, text_or_empty(relation->root_name));
	buf_char(body, relation->key_source);
	buf_u16(body, relation->key_count);
	for (uint16_t i = 0; i < relation->key_count; i++)
		buf_u16(body, relation->key[i]);
	for (uint16_t i = 0; i < relation->column_count; i++)
		write_extension(body, &relation->columns[i]);
}

uint64_t
relation_hash(Slice body)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < body.len; i++)
	{
		hash ^= (uint8_t) body.data[i];
		hash *= UINT64_C(0x100000001b3);
	}
	return hash;
}

uint32_t
relation_root(const Relation *relation)
{
	return relation->root_relid != 0 ? relation->root_relid : relation->relid;
}
