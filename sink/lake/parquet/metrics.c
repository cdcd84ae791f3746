/*
 * metrics.c
 *		counts and bounds of the columns of a file, from its cells.
 *
 * Text and binary columns keep a prefix that is long enough for a bound of 16
 * code points to be known inexact; cut at a code point, it orders as its value.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/iceberg/bounds.h"
#include "lake/parquet/engine.h"

#define PREFIX_BYTES 72 /* more than 17 code points of 4 bytes */

typedef struct Extreme
{
	Cell cell; /* CELL_NULL: none yet; bytes are those of prefix */
	char prefix[PREFIX_BYTES];
} Extreme;

typedef struct ColumnMetrics
{
	int32_t column;
	int32_t id;
	const IcebergType *type;
	int64_t nulls;
	int64_t nans;
	Extreme low;
	Extreme high;
} ColumnMetrics;

struct Metrics
{
	int64_t rows;
	int32_t count;
	ColumnMetrics *columns;
};

Metrics *
metrics_new(Arena *arena, const IcebergSchema *schema)
{
	Metrics *metrics = arena_zero(arena, sizeof *metrics);

	metrics->columns =
		arena_zero(arena, sizeof(ColumnMetrics) * (size_t) schema->field_count);
	for (int32_t i = 0; i < schema->field_count; i++)
	{
		const IcebergField *field = &schema->fields[i];

		if (iceberg_is_nested(&field->type) || metrics->count >= PARQUET_METRIC_COLUMNS)
			continue;
		metrics->columns[metrics->count].column = i;
		metrics->columns[metrics->count].id = field->id;
		metrics->columns[metrics->count].type = &field->type;
		metrics->count++;
	}
	return metrics;
}

static void
extreme_set(Extreme *extreme, const Cell *cell)
{
	extreme->cell = *cell;
	if (cell->kind != CELL_BYTES)
		return;
	if (cell->bytes.len > PREFIX_BYTES)
	{
		size_t len = PREFIX_BYTES;

		while (len > PREFIX_BYTES - 4 && ((uint8_t) cell->bytes.data[len] & 0xC0) == 0x80)
			len--;
		extreme->cell.bytes.len = len;
	}
	if (extreme->cell.bytes.len > 0)
		memcpy(extreme->prefix, cell->bytes.data, extreme->cell.bytes.len);
	extreme->cell.bytes.data = extreme->prefix;
}

void
metrics_row(Metrics *metrics, const Cell *row)
{
	metrics->rows++;
	for (int32_t i = 0; i < metrics->count; i++)
	{
		ColumnMetrics *column = &metrics->columns[i];
		const Cell *cell = &row[column->column];

		if (cell->kind == CELL_NULL)
		{
			column->nulls++;
			continue;
		}
		if (cell->kind == CELL_FLOAT && __builtin_isnan(cell->real))
		{
			column->nans++;
			continue;
		}
		if (column->low.cell.kind == CELL_NULL)
		{
			extreme_set(&column->low, cell);
			extreme_set(&column->high, cell);
		}
		else if (cell_compare(cell, &column->low.cell) < 0)
			extreme_set(&column->low, cell);
		else if (cell_compare(cell, &column->high.cell) > 0)
			extreme_set(&column->high, cell);
	}
}

static bool
metrics_bound(Arena *arena, const IcebergType *type, const Cell *cell, BoundSide side,
              Slice *bound)
{
	if (cell->kind == CELL_NULL)
		return false;
	switch (type->kind)
	{
		case ICEBERG_BOOLEAN:
			*bound = bound_boolean(arena, cell->integer != 0);
			return true;
		case ICEBERG_INT:
		case ICEBERG_DATE:
			*bound = bound_int(arena, (int32_t) cell->integer);
			return true;
		case ICEBERG_FLOAT:
			*bound = bound_float(arena, (float) cell->real, side);
			return true;
		case ICEBERG_DOUBLE:
			*bound = bound_double(arena, cell->real, side);
			return true;
		case ICEBERG_DECIMAL:
			*bound = bound_decimal(arena, cell->decimal);
			return true;
		case ICEBERG_UUID:
			*bound = bound_exact(arena, arena_slice(arena, cell->bytes));
			return true;
		case ICEBERG_STRING:
			return bound_string(arena, cell->bytes, side, bound);
		case ICEBERG_FIXED:
		case ICEBERG_BINARY:
			return bound_binary(arena, cell->bytes, side, bound);
		default:
			*bound = bound_long(arena, cell->integer);
			return true;
	}
}

static IdBounds
metrics_bounds(const Metrics *metrics, Arena *arena, BoundSide side)
{
	IdBound *items = arena_alloc(arena, sizeof *items * (size_t) (metrics->count + 1));
	IdBounds bounds = { items, 0 };

	for (int32_t i = 0; i < metrics->count; i++)
	{
		const ColumnMetrics *column = &metrics->columns[i];
		const Extreme *extreme = side == BOUND_LOWER ? &column->low : &column->high;
		Slice bytes;

		if (metrics_bound(arena, column->type, &extreme->cell, side, &bytes))
			items[bounds.count++] = (IdBound){ column->id, bytes };
	}
	return bounds;
}

void
metrics_finish(const Metrics *metrics, Arena *arena, DataFile *file)
{
	size_t room = sizeof(IdCount) * (size_t) (metrics->count + 1);
	IdCount *values = arena_alloc(arena, room);
	IdCount *nulls = arena_alloc(arena, room);
	IdCount *nans = arena_alloc(arena, room);
	int32_t nan_count = 0;

	for (int32_t i = 0; i < metrics->count; i++)
	{
		const ColumnMetrics *column = &metrics->columns[i];

		values[i] = (IdCount){ column->id, metrics->rows };
		nulls[i] = (IdCount){ column->id, column->nulls };
		if (column->type->kind == ICEBERG_FLOAT || column->type->kind == ICEBERG_DOUBLE)
			nans[nan_count++] = (IdCount){ column->id, column->nans };
	}
	file->record_count = metrics->rows;
	file->value_counts = (IdCounts){ values, metrics->count };
	file->null_value_counts = (IdCounts){ nulls, metrics->count };
	file->nan_value_counts = (IdCounts){ nans, nan_count };
	file->lower_bounds = metrics_bounds(metrics, arena, BOUND_LOWER);
	file->upper_bounds = metrics_bounds(metrics, arena, BOUND_UPPER);
}
