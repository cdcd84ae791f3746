/*
 * number.h
 *		numbers as text: the unchecked printers of the hot path, Java's and
 *		PostgreSQL's floating point, base64 and hexadecimal.
 *
 * The number_put_ functions write at a place that has room and return the end;
 * callers reserve the stated maximum once for several of them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_NUMBER_H
#define ENVELOPE_NUMBER_H

#include "envelope/buf.h"

#define NUMBER_MAX_INT64  20 /* "-9223372036854775808" */
#define NUMBER_MAX_DOUBLE 32

extern const char number_pairs[201]; /* "00" "01" ... "99" */

static inline char *
number_put_pair(char *at, unsigned value)
{
	memcpy(at, number_pairs + (size_t) value * 2, 2);
	return at + 2;
}

char *number_put_u64(char *at, uint64_t value);
char *number_put_i64(char *at, int64_t value);

/*
 * Java's Double.toString and Float.toString (JDK 19 and later: the shortest
 * decimal of at least two digits that reads back, nearest to the value).  Finite values
 * only.
 */
char *number_put_java_double(char *at, double value);
char *number_put_java_float(char *at, float value);

/* float8out and float4out at extra_float_digits > 0; infinities and NaN by name. */
char *number_put_pg_double(char *at, double value);
char *number_put_pg_float(char *at, float value);

/* Append base64 with padding, on one line; url_safe replaces + and / by - and _. */
void number_base64(Buf *buf, Slice bytes, bool url_safe);

/* The bytes of base64 with padding, to where there is room for three bytes in four.
 * False when it is none. */
bool number_unbase64(Slice text, char *to, size_t *len);

/* Append lower-case hexadecimal. */
void number_hex(Buf *buf, Slice bytes);

/* Append xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx. */
char *number_put_uuid(char *at, const char bytes[16]);

#endif
