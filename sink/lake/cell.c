/*
 * cell.c
 *		copies, canonical bytes and order of typed values.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/cell.h"

Cell
cell_copy(Arena *arena, const Cell *cell)
{
	Cell copy = *cell;

	if (cell->kind == CELL_BYTES)
		copy.bytes = arena_slice(arena, cell->bytes);
	else if (cell->kind == CELL_LIST)
	{
		Cell *items = arena_alloc(arena, sizeof *items * (cell->count + 1));

		for (uint32_t i = 0; i < cell->count; i++)
			items[i] = cell_copy(arena, &cell->items[i]);
		copy.items = items;
	}
	return copy;
}

size_t
cell_canonical_width(const IcebergType *type)
{
	switch (type->kind)
	{
		case ICEBERG_BOOLEAN:
			return 1;
		case ICEBERG_INT:
		case ICEBERG_DATE:
			return 4;
		case ICEBERG_LONG:
		case ICEBERG_TIME:
		case ICEBERG_TIMESTAMP:
		case ICEBERG_TIMESTAMPTZ:
			return 8;
		case ICEBERG_DECIMAL:
			return type->precision <= 18 ? 8 : 16;
		case ICEBERG_UUID:
			return 16;
		default:
			return 0;
	}
}

static void
canonical_item(Buf *buf, const Cell *cell)
{
	buf_char(buf, (char) cell->kind);
	switch (cell->kind)
	{
		case CELL_NULL:
			break;
		case CELL_INT:
			buf_append(buf, &cell->integer, sizeof cell->integer);
			break;
		case CELL_FLOAT:
			buf_append(buf, &cell->real, sizeof cell->real);
			break;
		case CELL_DECIMAL:
			buf_append(buf, &cell->decimal, sizeof cell->decimal);
			break;
		case CELL_BYTES:
			buf_append(buf, &(uint32_t){ (uint32_t) cell->bytes.len }, 4);
			buf_slice(buf, cell->bytes);
			break;
		case CELL_LIST:
			buf_append(buf, &cell->count, sizeof cell->count);
			for (uint32_t i = 0; i < cell->count; i++)
				canonical_item(buf, &cell->items[i]);
			break;
	}
}

void
cell_canonical(Buf *buf, const IcebergType *type, const Cell *cell)
{
	size_t width = cell_canonical_width(type);

	if (width == 0)
		canonical_item(buf, cell);
	else if (cell->kind == CELL_BYTES)
		buf_append(buf, cell->bytes.data, width);
	else
		/* Little-endian: the low bytes are the first ones of the union. */
		buf_append(buf, &cell->decimal, width);
}

int
cell_compare(const Cell *a, const Cell *b)
{
	switch (a->kind)
	{
		case CELL_INT:
			return (a->integer > b->integer) - (a->integer < b->integer);
		case CELL_FLOAT:
			return (a->real > b->real) - (a->real < b->real);
		case CELL_DECIMAL:
			return (a->decimal > b->decimal) - (a->decimal < b->decimal);
		case CELL_BYTES:
		{
			size_t len = a->bytes.len < b->bytes.len ? a->bytes.len : b->bytes.len;
			int order = len == 0 ? 0 : memcmp(a->bytes.data, b->bytes.data, len);

			if (order != 0)
				return order;
			return (a->bytes.len > b->bytes.len) - (a->bytes.len < b->bytes.len);
		}
		default:
			return 0;
	}
}

bool
cell_can_widen(const IcebergType *from, const IcebergType *to)
{
	if (from->kind == ICEBERG_INT && to->kind == ICEBERG_LONG)
		return true;
	if (from->kind == ICEBERG_FLOAT && to->kind == ICEBERG_DOUBLE)
		return true;
	return from->kind == ICEBERG_DECIMAL && to->kind == ICEBERG_DECIMAL &&
	       from->scale == to->scale && from->precision <= to->precision;
}
