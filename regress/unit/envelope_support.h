/*
 * envelope_support.h
 *		relations and tuples made by hand, for tests of the envelope library.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TEST_ENVELOPE_SUPPORT_H
#define TEST_ENVELOPE_SUPPORT_H

#include "base/arena.h"
#include "envelope/relation.h"
#include "envelope/value.h"

/* What a test says of a column; the rest follows. */
typedef struct TestColumn
{
	const char *name;
	uint32_t oid;
	const char *type_name;
	int32_t typmod; /* 0: none */
	bool not_null;
	bool in_key; /* and in the replica identity */
	uint32_t element_oid;
	const char *element_name;
	const char *default_text;
	const char *const *labels; /* of an enum */
	uint16_t label_count;
} TestColumn;

/* public.<table>, replica identity default, in the arena. */
Relation *test_relation(Arena *arena, const char *table, const TestColumn *columns,
                        uint16_t count);

/* Tuple entries. */
void put_null(Buf *tuple);
void put_unchanged(Buf *tuple);
void put_text(Buf *tuple, const char *text);
void put_text_value(Buf *tuple, const char *text); /* 't' */
void put_bool(Buf *tuple, bool value);
void put_int4(Buf *tuple, int32_t value);
void put_int8(Buf *tuple, int64_t value);

/* numeric's binary form of a literal such as "-12.50". */
void put_numeric(Buf *tuple, const char *literal);

/* Pairs of hexadecimal digits, spaces ignored, as a binary value. */
void put_hex(Buf *tuple, const char *hex);
void append_hex(Buf *bytes, const char *hex);

/* The 8-column users table and one row of it, which the benchmark uses as well. */
Relation *test_users(Arena *arena);
void put_user(Buf *tuple, int64_t id);

#endif
