/*
 * envelope_support.c
 *		relations and tuples made by hand, for tests of the envelope library.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope_support.h"

#include "envelope/literal.h"

#include <ctype.h>
#include <stdio.h>

Relation *
test_relation(Arena *arena, const char *table, const TestColumn *columns, uint16_t count)
{
	Relation *relation = arena_zero(arena, sizeof *relation);
	uint16_t *key = arena_zero(arena, (count + 1U) * sizeof *key);

	relation->relid = 16384;
	relation->schema = "public";
	relation->name = arena_strdup(arena, table);
	relation->replica_identity = 'd';
	relation->relkind = 'r';
	relation->root_schema = "";
	relation->root_name = "";
	relation->key = key;
	relation->column_count = count;
	relation->columns = arena_zero(arena, (count + 1U) * sizeof *relation->columns);
	for (uint16_t i = 0; i < count; i++)
	{
		RelationColumn *column = &relation->columns[i];

		column->name = columns[i].name;
		column->index = i;
		column->attnum = (int16_t) (i + 1);
		column->type_oid = column->base_oid = columns[i].oid;
		column->typmod = column->base_typmod =
			columns[i].typmod == 0 ? -1 : columns[i].typmod;
		column->type_kind = columns[i].label_count > 0 ? 'e' : 'b';
		column->type_name = column->type_text = columns[i].type_name;
		column->type_schema = "pg_catalog";
		column->element_oid = columns[i].element_oid;
		column->element_kind = 'b';
		column->element_name =
			columns[i].element_name == NULL ? "" : columns[i].element_name;
		column->not_null = columns[i].not_null;
		column->in_identity = columns[i].in_key;
		column->default_text = columns[i].default_text;
		column->labels = columns[i].labels;
		column->label_count = columns[i].label_count;
		if (columns[i].in_key)
			key[relation->key_count++] = i;
	}
	relation->key_source = relation->key_count > 0 ? 'p' : 0;
	return relation;
}

void
put_null(Buf *tuple)
{
	buf_char(tuple, 'n');
}

void
put_unchanged(Buf *tuple)
{
	buf_char(tuple, 'u');
}

void
put_text(Buf *tuple, const char *text)
{
	wire_value(tuple, 'b', text, (uint32_t) strlen(text));
}

void
put_text_value(Buf *tuple, const char *text)
{
	wire_value(tuple, 't', text, (uint32_t) strlen(text));
}

void
put_bool(Buf *tuple, bool value)
{
	wire_value(tuple, 'b', value ? "\1" : "\0", 1);
}

void
put_int4(Buf *tuple, int32_t value)
{
	buf_char(tuple, 'b');
	buf_u32(tuple, 4);
	buf_u32(tuple, (uint32_t) value);
}

void
put_int8(Buf *tuple, int64_t value)
{
	buf_char(tuple, 'b');
	buf_u32(tuple, 8);
	buf_u64(tuple, (uint64_t) value);
}

/* Run a writer and put its bytes as a binary value. */
static void
put_buffer(Buf *tuple, const Buf *bytes)
{
	wire_value(tuple, 'b', bytes->data, (uint32_t) bytes->len);
}

void
put_numeric(Buf *tuple, const char *literal)
{
	Buf bytes = buf_heap();

	(void) literal_numeric(&bytes, slice_from(literal));
	put_buffer(tuple, &bytes);
	buf_free(&bytes);
}

void
append_hex(Buf *bytes, const char *hex)
{
	unsigned byte = 0;
	int digits = 0;

	for (; *hex != '\0'; hex++)
	{
		if (!isxdigit((unsigned char) *hex))
			continue;
		byte = byte << 4 | (unsigned) (*hex <= '9' ? *hex - '0' : (*hex | 32) - 'a' + 10);
		if (++digits % 2 == 0)
			buf_u8(bytes, (uint8_t) byte);
	}
}

void
put_hex(Buf *tuple, const char *hex)
{
	Buf bytes = buf_heap();

	append_hex(&bytes, hex);
	put_buffer(tuple, &bytes);
	buf_free(&bytes);
}

Relation *
test_users(Arena *arena)
{
	static const TestColumn columns[] = {
		{ .name = "id",
		  .oid = TYPE_INT8,
		  .type_name = "int8",
		  .not_null = true,
		  .in_key = true },
		{ .name = "email", .oid = TYPE_TEXT, .type_name = "text", .not_null = true },
		{ .name = "full_name", .oid = TYPE_TEXT, .type_name = "text" },
		{ .name = "country", .oid = TYPE_TEXT, .type_name = "text" },
		{ .name = "is_active", .oid = TYPE_BOOL, .type_name = "bool", .not_null = true },
		{ .name = "balance",
		  .oid = TYPE_NUMERIC,
		  .type_name = "numeric",
		  .typmod = (12 << 16 | 2) + 4 },
		{ .name = "created_at", .oid = TYPE_TIMESTAMPTZ, .type_name = "timestamptz" },
		{ .name = "updated_at", .oid = TYPE_TIMESTAMP, .type_name = "timestamp" },
	};

	return test_relation(arena, "users", columns, 8);
}

void
put_user(Buf *tuple, int64_t id)
{
	char email[64];

	(void) snprintf(email, sizeof email, "user%lld@example.com", (long long) id);
	buf_u16(tuple, 8);
	put_int8(tuple, id);
	put_text(tuple, email);
	put_text(tuple, "Ada Lovelace");
	put_text(tuple, "GB");
	put_bool(tuple, true);
	put_numeric(tuple, "1234.50");
	put_int8(tuple, INT64_C(636202800123456));
	put_int8(tuple, INT64_C(636202800123456));
}
