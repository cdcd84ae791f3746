/*
 * literal.h
 *		the literals of column defaults, as binary values.
 *
 * A default is an expression; only what Debezium understands of it is read: a
 * number, a quoted literal up to its first quote, without line breaks, a function call,
 * which stands for a fixed value of the type.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_LITERAL_H
#define ENVELOPE_LITERAL_H

#include "envelope/relation.h"

/* Append the binary form of text; false when it is no literal of the type. */
typedef bool (*LiteralReader)(Buf *binary, Slice text);

bool literal_bool(Buf *binary, Slice text);
bool literal_int2(Buf *binary, Slice text);
bool literal_int4(Buf *binary, Slice text);
bool literal_int8(Buf *binary, Slice text);
bool literal_float4(Buf *binary, Slice text);
bool literal_float8(Buf *binary, Slice text);
bool literal_numeric(Buf *binary, Slice text);
bool literal_text(Buf *binary, Slice text);
bool literal_uuid(Buf *binary, Slice text);
bool literal_date(Buf *binary, Slice text);
bool literal_time(Buf *binary, Slice text);
bool literal_timestamp(Buf *binary, Slice text);
bool literal_interval(Buf *binary, Slice text);
bool literal_bits(Buf *binary, Slice text);

/* Cut the zeros that a number has beyond scale decimals.  False when it has other digits
 * there: Debezium drops a default that it would have to round. */
bool literal_set_scale(Slice *number, int scale);

/* The label in the default expression of an enum: what is before the last cast, with its
 * quotes doubled as Debezium leaves them.  False when there is none. */
bool literal_of_label(const char *expression, Slice *literal);

/*
 * The literal in a default expression.  generated stands for function calls, and
 * for CURRENT_DATE and its like where the type is a time.  False when there is none.
 */
bool literal_of_default(const char *expression, const char *generated, bool is_time,
                        Slice *literal);

#endif
