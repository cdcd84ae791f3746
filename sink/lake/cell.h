/*
 * cell.h
 *		one typed value of a lake table.
 *
 * What stands between PostgreSQL's wire values, Parquet's columns and the key
 * index.  Which member holds the value follows from the column's Iceberg type:
 *
 *		boolean int long date time timestamp timestamptz	CELL_INT
 *		float double										CELL_FLOAT
 *		decimal												CELL_DECIMAL (unscaled)
 *		string binary uuid (16 bytes, big-endian)			CELL_BYTES
 *		list (elements), map (key, value, key, value ...)	CELL_LIST
 *
 * A cell owns nothing: bytes and items live where its maker says.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_CELL_H
#define LAKE_CELL_H

#include "lake/iceberg/schema.h"

typedef enum CellKind
{
	CELL_NULL,
	CELL_INT,
	CELL_FLOAT,
	CELL_DECIMAL,
	CELL_BYTES,
	CELL_LIST,
} CellKind;

typedef struct Cell Cell;
struct Cell
{
	CellKind kind;
	uint32_t count; /* of items */
	union
	{
		int64_t integer;
		double real;
		__int128 decimal;
		Slice bytes;
		const Cell *items;
	};
};

static inline Cell
cell_null(void)
{
	return (Cell){ .kind = CELL_NULL };
}

static inline Cell
cell_int(int64_t value)
{
	return (Cell){ .kind = CELL_INT, .integer = value };
}

static inline Cell
cell_bytes(Slice value)
{
	return (Cell){ .kind = CELL_BYTES, .bytes = value };
}

static inline Cell
cell_text(const char *value)
{
	return cell_bytes(slice_from(value));
}

/* A copy whose bytes and items live as long as arena. */
Cell cell_copy(Arena *arena, const Cell *cell);

/*
 * The bytes by which a value of a key is the same or not (lake.md 8), for a
 * column that cannot be null: little-endian, 8 bytes for a 64-bit integer, 4
 * for int and date, 1 for boolean, length and bytes for what varies.
 */
void cell_canonical(Buf *buf, const IcebergType *type, const Cell *cell);

/* The width that cell_canonical() always gives values of type; 0 when it varies. */
size_t cell_canonical_width(const IcebergType *type);

/* Order of two values of a type, as Iceberg has it: <0, 0, >0.  Not for lists, nulls or
 * NaN. */
int cell_compare(const Cell *a, const Cell *b);

/*
 * Change a value to a type that the table was widened to (int to long, float to
 * double, a decimal's precision): the value itself stays.
 */
bool cell_can_widen(const IcebergType *from, const IcebergType *to);

#endif
