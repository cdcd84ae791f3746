/*
 * bounds.h
 *		single values as bytes: column bounds, partition values, and their order.
 *
 * Iceberg table spec, Appendix D, "Binary single-value serialization": little
 * endian numbers, UTF-8 strings, big-endian two's complement decimals of
 * minimal length, big-endian uuids.  Results live in the arena.
 *
 * A lower bound must not be above, an upper bound not below, any value of the
 * file; a bound too tight hides rows from readers without an error.  Values
 * that are null or NaN take no part: where none is left, write no bound.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ICEBERG_BOUNDS_H
#define LAKE_ICEBERG_BOUNDS_H

#include "base/arena.h"
#include "lake/iceberg/schema.h"

#define BOUND_STRING_LENGTH \
	16 /* code points of a string, bytes of a binary: truncate(16) */

typedef enum BoundSide
{
	BOUND_LOWER,
	BOUND_UPPER,
} BoundSide;

Slice bound_boolean(Arena *arena, bool value);
Slice bound_int(Arena *arena, int32_t value); /* int; date: days since 1970-01-01 */
Slice bound_long(Arena *arena,
                 int64_t value); /* long; time, timestamp, timestamptz: us */

/* A zero becomes -0.0 as lower and +0.0 as upper bound.  value must not be NaN. */
Slice bound_float(Arena *arena, float value, BoundSide side);
Slice bound_double(Arena *arena, double value, BoundSide side);

Slice bound_decimal(Arena *arena, __int128 unscaled);
Slice bound_uuid(Arena *arena, const uint8_t uuid[16]);

/* The bytes unchanged: partition values, and the file_path bounds of delete files. */
Slice bound_exact(Arena *arena, Slice value);

/*
 * A bound of at most BOUND_STRING_LENGTH code points.  The upper bound of a
 * longer string has its last code point that can grow incremented; false when
 * there is none or value is not UTF-8: write no bound then.
 */
bool bound_string(Arena *arena, Slice value, BoundSide side, Slice *bound);

/* The same for bytes. */
bool bound_binary(Arena *arena, Slice value, BoundSide side, Slice *bound);

/*
 * Compare two values of a primitive type as Iceberg orders them: <0, 0, >0.
 * Values whose length does not fit the type compare as bytes.
 */
int bound_compare(const IcebergType *type, Slice a, Slice b);

/* True when the length of bytes is right for the type. */
bool bound_is_valid(const IcebergType *type, Slice bytes);

/* The number that valid bytes of an integer, date, time or decimal type hold. */
__int128 bound_integer(const IcebergType *type, Slice bytes);

/* The number that valid bytes of a float or double hold. */
double bound_real(Slice bytes);

#endif
