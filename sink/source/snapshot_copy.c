/*
 * snapshot_copy.c
 *		from COPY's binary format to tuples.
 *
 * COPY ("Binary Format" in PostgreSQL's documentation of COPY), big-endian:
 *
 *		"PGCOPY\n\377\r\n\0"  flags u32  extension length u32, bytes
 *		rows:	 count i16, per column: length i32 (-1: null), bytes
 *		trailer: -1 i16
 *
 * A server sends a row per message, but promises no such thing; what a message
 * leaves incomplete is carried over to the next.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/snapshot_copy.h"

#include "envelope/value.h"
#include "source/server.h"

#define SIGNATURE        "PGCOPY\n\377\r\n"
#define SIGNATURE_LENGTH 11 /* with its zero byte */
#define HEADER_LENGTH    19 /* and flags and extension length */

/*
 * The text of values that are not binary is made by concat(): a cast to text may be a
 * function of its own (inet's adds "/32"), while concat calls the output function, and
 * caches the lookup.  It turns null into '', hence the CASE; "IS DISTINCT FROM NULL"
 * looks at the value itself, where "IS NOT NULL" would look into a composite.
 */
static const char text_form[] =
	"CASE WHEN $ IS DISTINCT FROM NULL THEN pg_catalog.concat($) END";

/* A "char" beyond ASCII is no UTF-8 by itself: it travels as \ooo. */
static const char char_form[] =
	"CASE WHEN $::int4 < 0 THEN textsend(concat('\\', ($::int4 + 256) / 64, "
	"($::int4 + 256) / 8 % 8, ($::int4 + 256) % 8)) ELSE charsend($) END";

static const char *
column_form(const RelationColumn *column)
{
	if (!value_is_binary(column))
		return text_form;
	if (column->element_oid == TYPE_JSONB)
		return "$::pg_catalog.text[]";
	if (column->element_oid != 0)
		return "$";
	if (column->base_oid == TYPE_JSONB)
		return "$::pg_catalog.text";
	return column->base_oid == TYPE_CHAR ? char_form : "$";
}

/* Append the column's form with its name for every $. */
static void
select_column(Buf *sql, const RelationColumn *column)
{
	for (const char *at = column_form(column); *at != '\0'; at++)
	{
		if (*at == '$')
			server_quote(sql, '"', column->name);
		else
			buf_char(sql, *at);
	}
}

/* A query of the user's, without the semicolon that may end it. */
static Slice
trim_query(const char *query)
{
	size_t len = strlen(query);

	while (len > 0 && strchr("; \t\r\n", query[len - 1]) != NULL)
		len--;
	return (Slice){ query, len };
}

static void
select_from(Buf *sql, const CopySource *source)
{
	const Relation *relation = source->relation;

	if (source->query != NULL)
	{
		/* On a line of its own: it may end with a comment. */
		buf_text(sql, " FROM (");
		buf_slice(sql, trim_query(source->query));
		buf_text(sql, "\n)");
		return;
	}
	buf_text(sql,
	         source->children || relation->relkind == 'p' ? " FROM " : " FROM ONLY ");
	server_quote(sql, '"', relation->schema);
	buf_char(sql, '.');
	server_quote(sql, '"', relation->name);
}

bool
copy_select(Buf *sql, const CopySource *source, const EnvOptions *options)
{
	const Relation *relation = source->relation;
	const char *name = relation->name;
	const RowFilter *filter = row_filter_of(options, relation, &name);

	buf_text(sql, "SELECT ");
	for (uint16_t i = 0; i < relation->column_count; i++)
	{
		if (i > 0)
			buf_text(sql, ", ");
		select_column(sql, &relation->columns[i]);
	}
	select_from(sql, source);
	buf_char(sql, ' ');
	/* that a filter may qualify columns with, also with the name of the partitions' root
	 */
	server_quote(sql, '"', filter == NULL ? relation->name : name);
	if (filter == NULL)
		return false;
	buf_text(sql, " WHERE (");
	buf_text(sql, filter->expression);
	buf_text(sql, "\n)");
	return true;
}

/* The masks that act on what travels; NULL: none. */
static const ColumnMask *
find_masks(const Relation *relation, const EnvOptions *options, Arena *arena)
{
	ColumnMask *masks;
	bool any = false;

	if (options->masks.count == 0)
		return NULL;
	masks = arena_zero(arena, ((size_t) relation->column_count + 1) * sizeof *masks);
	for (uint16_t i = 0; i < relation->column_count; i++)
	{
		ColumnMask mask = mask_find(options, relation, i);

		if (mask.rule == NULL || !mask.at_source)
			continue;
		masks[i] = mask;
		any = true;
	}
	return any ? masks : NULL;
}

void
copy_reader_begin(CopyReader *reader, const Relation *relation, const EnvOptions *options,
                  bool raw, Arena *arena)
{
	char *kinds = arena_alloc(arena, (size_t) relation->column_count + 1);

	for (uint16_t i = 0; i < relation->column_count; i++)
		kinds[i] = value_is_binary(&relation->columns[i]) ? 'b' : 't';
	copy_reader_fini(reader);
	*reader = (CopyReader){ .relation = relation,
		                    .kinds = kinds,
		                    .masks = find_masks(relation, options, arena),
		                    .raw = raw,
		                    .strict = options->invalid_text_mode == INVALID_TEXT_FAIL,
		                    .changed = buf_heap(),
		                    .carry = buf_heap() };
}

void
copy_reader_fini(CopyReader *reader)
{
	buf_free(&reader->changed);
	buf_free(&reader->carry);
}

/*
 * The length of the row at the start of bytes, 0 when its end has not come yet; false
 * when it is malformed.
 */
static bool
measure_row(const CopyReader *reader, Slice bytes, size_t *length, Err *err)
{
	uint16_t count = reader->relation->column_count;
	size_t at = 2;

	*length = 0;
	if (bytes.len < 2)
		return true;
	if (read_u16(bytes.data) != count)
		return fail(err,
		            ERR_FATAL,
		            "a row of COPY has %u columns, expected %u",
		            read_u16(bytes.data),
		            count);
	for (uint16_t i = 0; i < count; i++)
	{
		uint32_t len;

		if (bytes.len - at < 4)
			return true;
		len = read_u32(bytes.data + at);
		at += 4;
		if (len == UINT32_MAX)
			continue;
		if (len > INT32_MAX)
			return fail(err, ERR_FATAL, "a row of COPY has a value of length %u", len);
		if (bytes.len - at < len)
			return true;
		at += len;
	}
	*length = at;
	return true;
}

/* The measured row at the start of bytes as a tuple in arena, made UTF-8 and masked. */
static Slice
change_row(CopyReader *reader, Slice bytes, Arena *arena)
{
	uint16_t count = reader->relation->column_count;
	const char *from = bytes.data + 2;
	Buf *to = &reader->changed;

	buf_reset(to);
	buf_append(to, bytes.data, 2);
	for (uint16_t i = 0; i < count; i++)
	{
		Slice value = { from + 4, read_u32(from) };
		size_t start;

		from += 4;
		if (value.len == UINT32_MAX)
		{
			buf_char(to, VALUE_NULL);
			continue;
		}
		from += value.len;
		buf_char(to, reader->kinds[i]);
		buf_u32(to, 0);
		start = to->len;
		if (reader->raw)
			reader->replaced +=
				value_make_valid(to, &reader->relation->columns[i], value);
		else
			buf_slice(to, value);
		if (reader->masks != NULL && reader->masks[i].rule != NULL)
			mask_replace(to, start, &reader->masks[i]);
		buf_set_u32(to, start - 4, (uint32_t) (to->len - start));
	}
	return arena_slice(arena, (Slice){ to->data, to->len });
}

/* The measured row at the start of bytes as a tuple in arena. */
static Slice
copy_row(const CopyReader *reader, Slice bytes, Arena *arena)
{
	uint16_t count = reader->relation->column_count;
	char *tuple = arena_alloc(arena, bytes.len + count);
	const char *from = bytes.data;
	char *to = tuple;

	memcpy(to, from, 2);
	from += 2;
	to += 2;
	for (uint16_t i = 0; i < count; i++)
	{
		uint32_t len = read_u32(from);

		if (len == UINT32_MAX)
		{
			*to++ = VALUE_NULL;
			from += 4;
			continue;
		}
		*to++ = reader->kinds[i];
		memcpy(to, from, len + 4);
		from += len + 4;
		to += len + 4;
	}
	return (Slice){ tuple, (size_t) (to - tuple) };
}

static bool
fail_text(const Relation *relation, Err *err)
{
	(void) fail(err,
	            ERR_CONFIG,
	            "text of table \"%s.%s\" has bytes that have no UTF-8 form",
	            relation->schema,
	            relation->name);
	return fail_hint(err, "Set invalid.text.handling.mode to replace.");
}

/* Add the measured row at the start of bytes. */
static bool
add_row(CopyReader *reader, Slice bytes, Batch *batch, Err *err)
{
	bool changes = reader->raw || reader->masks != NULL;
	Slice tuple = changes ? change_row(reader, bytes, batch->arena)
	                      : copy_row(reader, bytes, batch->arena);
	Event *event;

	if (reader->strict && reader->replaced > 0)
		return fail_text(reader->relation, err);
	event = batch_add(batch, EVENT_READ);
	event->relation = reader->relation;
	event->new_tuple = tuple;
	reader->rows++;
	return true;
}

/* The header's length, 0 when its end has not come yet; false when it is another's. */
static bool
measure_header(Slice bytes, size_t *length, Err *err)
{
	uint32_t extension;

	*length = 0;
	if (bytes.len < HEADER_LENGTH)
		return true;
	if (memcmp(bytes.data, SIGNATURE, SIGNATURE_LENGTH) != 0)
		return fail(err, ERR_FATAL, "COPY does not start with its signature");
	extension = read_u32(bytes.data + SIGNATURE_LENGTH + 4);
	if (bytes.len - HEADER_LENGTH >= extension)
		*length = HEADER_LENGTH + extension;
	return true;
}

/* Read what is complete at the start of bytes, and take it off them. */
static bool
read_complete(CopyReader *reader, Slice *bytes, Batch *batch, Err *err)
{
	size_t length = 1;

	while (length > 0 && bytes->len > 0)
	{
		if (reader->ended)
			return fail(err, ERR_FATAL, "COPY has bytes after its trailer");
		if (!reader->header_read)
		{
			if (!measure_header(*bytes, &length, err))
				return false;
			reader->header_read = length > 0;
		}
		else if (bytes->len >= 2 && read_u16(bytes->data) == UINT16_MAX)
		{
			reader->ended = true;
			length = 2;
		}
		else
		{
			if (!measure_row(reader, *bytes, &length, err))
				return false;
			if (length > 0 &&
			    !add_row(reader, (Slice){ bytes->data, length }, batch, err))
				return false;
		}
		bytes->data += length;
		bytes->len -= length;
	}
	return true;
}

bool
copy_reader_feed(CopyReader *reader, Slice bytes, Batch *batch, Err *err)
{
	if (reader->carry.len > 0)
	{
		Slice joined;
		size_t rest;

		buf_slice(&reader->carry, bytes);
		joined = (Slice){ reader->carry.data, reader->carry.len };
		if (!read_complete(reader, &joined, batch, err))
			return false;
		rest = joined.len;
		if (rest > 0)
			memmove(reader->carry.data, joined.data, rest);
		reader->carry.len = rest;
		return true;
	}
	if (!read_complete(reader, &bytes, batch, err))
		return false;
	buf_slice(&reader->carry, bytes);
	return true;
}
