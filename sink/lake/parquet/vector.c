/*
 * vector.c
 *		cells into DuckDB's vectors and back.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/parquet/engine.h"

/* ---- Types ---- */

typedef struct TypeName
{
	duckdb_type type;
	const char *sql;
} TypeName;

static const TypeName type_names[] = {
	[ICEBERG_BOOLEAN] = { DUCKDB_TYPE_BOOLEAN, "BOOLEAN" },
	[ICEBERG_INT] = { DUCKDB_TYPE_INTEGER, "INTEGER" },
	[ICEBERG_LONG] = { DUCKDB_TYPE_BIGINT, "BIGINT" },
	[ICEBERG_FLOAT] = { DUCKDB_TYPE_FLOAT, "FLOAT" },
	[ICEBERG_DOUBLE] = { DUCKDB_TYPE_DOUBLE, "DOUBLE" },
	[ICEBERG_DATE] = { DUCKDB_TYPE_DATE, "DATE" },
	[ICEBERG_TIME] = { DUCKDB_TYPE_TIME, "TIME" },
	[ICEBERG_TIMESTAMP] = { DUCKDB_TYPE_TIMESTAMP, "TIMESTAMP" },
	[ICEBERG_TIMESTAMPTZ] = { DUCKDB_TYPE_TIMESTAMP_TZ, "TIMESTAMPTZ" },
	[ICEBERG_STRING] = { DUCKDB_TYPE_VARCHAR, "VARCHAR" },
	[ICEBERG_UUID] = { DUCKDB_TYPE_UUID, "UUID" },
	[ICEBERG_FIXED] = { DUCKDB_TYPE_BLOB, "BLOB" },
	[ICEBERG_BINARY] = { DUCKDB_TYPE_BLOB, "BLOB" },
};

static duckdb_logical_type
type_nested(const IcebergType *type)
{
	duckdb_logical_type first = type_logical(&type->fields[0].type);
	duckdb_logical_type second = NULL;
	duckdb_logical_type made;

	if (type->kind == ICEBERG_MAP)
	{
		second = type_logical(&type->fields[1].type);
		made = duckdb_create_map_type(first, second);
		duckdb_destroy_logical_type(&second);
	}
	else
		made = duckdb_create_list_type(first);
	duckdb_destroy_logical_type(&first);
	return made;
}

duckdb_logical_type
type_logical(const IcebergType *type)
{
	if (iceberg_is_nested(type))
		return type_nested(type);
	if (type->kind == ICEBERG_DECIMAL)
		return duckdb_create_decimal_type((uint8_t) type->precision,
		                                  (uint8_t) type->scale);
	return duckdb_create_logical_type(type_names[type->kind].type);
}

void
type_sql(Buf *sql, const IcebergType *type)
{
	switch (type->kind)
	{
		case ICEBERG_DECIMAL:
			buf_printf(sql, "DECIMAL(%d,%d)", type->precision, type->scale);
			break;
		case ICEBERG_LIST:
			type_sql(sql, &type->fields[0].type);
			buf_text(sql, "[]");
			break;
		case ICEBERG_MAP:
			buf_text(sql, "MAP(");
			type_sql(sql, &type->fields[0].type);
			buf_text(sql, ", ");
			type_sql(sql, &type->fields[1].type);
			buf_char(sql, ')');
			break;
		default:
			buf_text(sql, type_names[type->kind].sql);
	}
}

/* ---- Binding ---- */

void
column_init(Column *column, const IcebergType *type, Arena *arena)
{
	*column = (Column){ .type = type };
	if (!iceberg_is_nested(type))
		return;
	column->children = arena_zero(arena, sizeof(Column) * (size_t) type->field_count);
	for (int32_t i = 0; i < type->field_count; i++)
		column_init(&column->children[i], &type->fields[i].type, arena);
}

static void
column_bind_children(Column *column)
{
	duckdb_vector child = duckdb_list_vector_get_child(column->vector);

	if (column->type->kind == ICEBERG_LIST)
	{
		column_bind(&column->children[0], child);
		return;
	}
	for (idx_t i = 0; i < 2; i++)
		column_bind(&column->children[i], duckdb_struct_vector_get_child(child, i));
}

void
column_bind(Column *column, duckdb_vector vector)
{
	column->vector = vector;
	column->values = duckdb_vector_get_data(vector);
	column->validity = duckdb_vector_get_validity(vector);
	column->used = 0;
	column->room = 0;
	if (column->children != NULL)
		column_bind_children(column);
}

/* ---- Writing ---- */

static void
put_null(Column *column, idx_t row)
{
	if (column->validity == NULL)
	{
		duckdb_vector_ensure_validity_writable(column->vector);
		column->validity = duckdb_vector_get_validity(column->vector);
	}
	duckdb_validity_set_row_invalid(column->validity, row);
}

static bool
check_text(Slice text, Err *err)
{
	uint64_t high = 0;
	uint64_t word;
	size_t at = 0;

	for (; at + sizeof word <= text.len; at += sizeof word)
	{
		memcpy(&word, text.data + at, sizeof word);
		high |= word;
	}
	for (; at < text.len; at++)
		high |= (uint8_t) text.data[at];
	if (high & UINT64_C(0x8080808080808080))
	{
		duckdb_error_data wrong = duckdb_valid_utf8_check(text.data, text.len);

		if (wrong != NULL)
		{
			duckdb_destroy_error_data(&wrong);
			return fail(err, ERR_DATA, "text value is not valid UTF-8");
		}
	}
	return true;
}

static bool
put_text(Column *column, idx_t row, Slice text, Err *err)
{
	if (!check_text(text, err))
		return false;
	duckdb_unsafe_vector_assign_string_element_len(
		column->vector, row, text.data, text.len);
	return true;
}

bool
column_lend(Column *column, idx_t row, Slice bytes, Err *err)
{
	duckdb_string_t *text = (duckdb_string_t *) column->values + row;

	if (column->type->kind == ICEBERG_STRING && !check_text(bytes, err))
		return false;
	text->value.pointer.length = (uint32_t) bytes.len;
	memcpy(text->value.pointer.prefix, bytes.data, sizeof text->value.pointer.prefix);
	text->value.pointer.ptr = (char *) bytes.data;
	return true;
}

static void
put_decimal(Column *column, idx_t row, __int128 value)
{
	if (column->type->precision <= 4)
		((int16_t *) column->values)[row] = (int16_t) value;
	else if (column->type->precision <= 9)
		((int32_t *) column->values)[row] = (int32_t) value;
	else if (column->type->precision <= 18)
		((int64_t *) column->values)[row] = (int64_t) value;
	else
		((__int128 *) column->values)[row] = value;
}

/* DuckDB keeps a uuid as a signed 128-bit integer in the order of its text. */
static void
put_uuid(Column *column, idx_t row, Slice uuid)
{
	duckdb_hugeint value;

	value.upper = (int64_t) (read_u64(uuid.data) ^ (UINT64_C(1) << 63));
	value.lower = read_u64(uuid.data + 8);
	((duckdb_hugeint *) column->values)[row] = value;
}

static void
list_make_room(Column *column, idx_t extra)
{
	idx_t used = column->used;
	idx_t room;

	if (used + extra <= column->room)
		return;
	room = (used + extra) * 2;
	(void) duckdb_list_vector_reserve(column->vector, room);
	/* Children move; what was written to them so far stays. */
	for (int32_t i = 0; i < column->type->field_count; i++)
	{
		Column *child = &column->children[i];
		idx_t child_used = child->used;
		idx_t child_room = child->room;
		duckdb_vector moved = duckdb_list_vector_get_child(column->vector);

		if (column->type->kind == ICEBERG_MAP)
			moved = duckdb_struct_vector_get_child(moved, (idx_t) i);
		column_bind(child, moved);
		child->used = child_used;
		child->room = child_room;
	}
	column->room = room;
}

static bool
put_list(Column *column, idx_t row, const Cell *cell, Err *err)
{
	idx_t width = (idx_t) column->type->field_count;
	idx_t items = cell->count / width;
	duckdb_list_entry entry = { column->used, items };

	list_make_room(column, items);
	for (idx_t i = 0; i < cell->count; i++)
		if (!column_put(&column->children[i % width],
		                column->used + i / width,
		                &cell->items[i],
		                err))
			return false;
	column->used += items;
	(void) duckdb_list_vector_set_size(column->vector, column->used);
	((duckdb_list_entry *) column->values)[row] = entry;
	return true;
}

bool
column_put(Column *column, idx_t row, const Cell *cell, Err *err)
{
	if (cell->kind == CELL_NULL)
	{
		put_null(column, row);
		if (iceberg_is_nested(column->type))
			((duckdb_list_entry *) column->values)[row] =
				(duckdb_list_entry){ column->used, 0 };
		return true;
	}
	switch (column->type->kind)
	{
		case ICEBERG_BOOLEAN:
			((bool *) column->values)[row] = cell->integer != 0;
			return true;
		case ICEBERG_INT:
		case ICEBERG_DATE:
			((int32_t *) column->values)[row] = (int32_t) cell->integer;
			return true;
		case ICEBERG_LONG:
		case ICEBERG_TIME:
		case ICEBERG_TIMESTAMP:
		case ICEBERG_TIMESTAMPTZ:
			((int64_t *) column->values)[row] = cell->integer;
			return true;
		case ICEBERG_FLOAT:
			((float *) column->values)[row] = (float) cell->real;
			return true;
		case ICEBERG_DOUBLE:
			((double *) column->values)[row] = cell->real;
			return true;
		case ICEBERG_DECIMAL:
			put_decimal(column, row, cell->decimal);
			return true;
		case ICEBERG_STRING:
			return put_text(column, row, cell->bytes, err);
		case ICEBERG_UUID:
			put_uuid(column, row, cell->bytes);
			return true;
		case ICEBERG_LIST:
		case ICEBERG_MAP:
			return put_list(column, row, cell, err);
		default:
			duckdb_unsafe_vector_assign_string_element_len(
				column->vector, row, cell->bytes.data, cell->bytes.len);
			return true;
	}
}

/* ---- Reading ---- */

static Cell
get_bytes(const Column *column, idx_t row)
{
	duckdb_string_t *text = (duckdb_string_t *) column->values + row;

	return cell_bytes(
		(Slice){ duckdb_string_t_data(text), duckdb_string_t_length(*text) });
}

static Cell
get_decimal(const Column *column, idx_t row)
{
	Cell cell = { .kind = CELL_DECIMAL };

	if (column->type->precision <= 4)
		cell.decimal = ((const int16_t *) column->values)[row];
	else if (column->type->precision <= 9)
		cell.decimal = ((const int32_t *) column->values)[row];
	else if (column->type->precision <= 18)
		cell.decimal = ((const int64_t *) column->values)[row];
	else
		cell.decimal = ((const __int128 *) column->values)[row];
	return cell;
}

static Cell
get_uuid(const Column *column, idx_t row, Arena *arena)
{
	duckdb_hugeint value = ((const duckdb_hugeint *) column->values)[row];
	uint64_t words[2];
	char *bytes = arena_alloc(arena, sizeof words);

	words[0] = __builtin_bswap64((uint64_t) value.upper ^ (UINT64_C(1) << 63));
	words[1] = __builtin_bswap64(value.lower);
	memcpy(bytes, words, sizeof words);
	return cell_bytes((Slice){ bytes, sizeof words });
}

static Cell
get_list(const Column *column, idx_t row, Arena *arena)
{
	duckdb_list_entry entry = ((const duckdb_list_entry *) column->values)[row];
	idx_t width = (idx_t) column->type->field_count;
	Cell cell = { .kind = CELL_LIST, .count = (uint32_t) (entry.length * width) };
	Cell *items = arena_alloc(arena, sizeof *items * (cell.count + 1));

	for (idx_t i = 0; i < cell.count; i++)
		items[i] =
			column_get(&column->children[i % width], entry.offset + i / width, arena);
	cell.items = items;
	return cell;
}

Cell
column_get(const Column *column, idx_t row, Arena *arena)
{
	if (column->validity != NULL && !duckdb_validity_row_is_valid(column->validity, row))
		return cell_null();
	switch (column->type->kind)
	{
		case ICEBERG_BOOLEAN:
			return cell_int(((const bool *) column->values)[row]);
		case ICEBERG_INT:
		case ICEBERG_DATE:
			return cell_int(((const int32_t *) column->values)[row]);
		case ICEBERG_LONG:
		case ICEBERG_TIME:
		case ICEBERG_TIMESTAMP:
		case ICEBERG_TIMESTAMPTZ:
			return cell_int(((const int64_t *) column->values)[row]);
		case ICEBERG_FLOAT:
			return (Cell){ .kind = CELL_FLOAT,
				           .real = (double) ((const float *) column->values)[row] };
		case ICEBERG_DOUBLE:
			return (Cell){ .kind = CELL_FLOAT,
				           .real = ((const double *) column->values)[row] };
		case ICEBERG_DECIMAL:
			return get_decimal(column, row);
		case ICEBERG_UUID:
			return get_uuid(column, row, arena);
		case ICEBERG_LIST:
		case ICEBERG_MAP:
			return get_list(column, row, arena);
		default:
			return get_bytes(column, row);
	}
}
