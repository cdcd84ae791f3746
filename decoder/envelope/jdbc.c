/*
 * jdbc.c
 *		what PostgreSQL's JDBC driver says of a column.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/jdbc.h"

#include "envelope/value.h"

/* The last part of format_type's text: without schema, quotes and modifiers. */
static void
put_last_name(Buf *buf, const char *text)
{
	size_t start = buf->len;
	bool quoted = false;

	for (; *text != '\0' && (quoted || *text != '('); text++)
	{
		if (*text == '"')
		{
			if (quoted && text[1] == '"')
				buf_char(buf, *text++);
			else
				quoted = !quoted;
		}
		else if (*text == '.' && !quoted)
			buf->len = start;
		else
			buf_char(buf, *text);
	}
}

/* What the driver calls a column that takes its default from a sequence; NULL: another.
 */
static const char *
serial_name(const RelationColumn *column)
{
	if (!column->by_driver || column->default_text == NULL ||
	    strstr(column->default_text, "nextval(") == NULL)
		return NULL;
	switch (column->type_oid)
	{
		case TYPE_INT2:
			return "smallserial";
		case TYPE_INT4:
			return "serial";
		case TYPE_INT8:
			return "bigserial";
		default:
			return NULL;
	}
}

/* A numeric without precision, of which the driver knows nothing and Debezium's type
 * registry, which streaming asks, the most that there may be. */
static bool
is_unbounded(const RelationColumn *column)
{
	return column->by_driver && column->type_oid == TYPE_NUMERIC && column->typmod < 4;
}

void
jdbc_type_name(Buf *buf, const RelationColumn *column)
{
	const char *serial = serial_name(column);

	if (serial != NULL)
		buf_text(buf, serial);
	else if (column->type_oid == column->base_oid)
		buf_text(buf, column->type_name);
	else
		put_last_name(buf, column->type_text);
}

/* The type whose facts the driver takes: an array's element.  Domains of elements are
 * unknown to it. */
static uint32_t
effective_oid(const RelationColumn *column)
{
	if (column->element_oid == 0)
		return column->base_oid;
	if (column->type_name[0] != '_' ||
	    strcmp(column->type_name + 1, column->element_name) != 0)
		return 0;
	return column->element_oid;
}

/* How long a time's fraction prints, with its point. */
static int32_t
fraction_size(int32_t typmod)
{
	static const int32_t sizes[] = { 0, 3 };

	if (typmod < 0)
		return 7;
	return typmod < 2 ? sizes[typmod] : typmod + 1;
}

int32_t
jdbc_length(const RelationColumn *column)
{
	int32_t typmod = column->base_typmod;

	switch (effective_oid(column))
	{
		case TYPE_INT2:
			return 5;
		case TYPE_OID:
		case TYPE_INT4:
			return 10;
		case TYPE_INT8:
			return 19;
		case TYPE_FLOAT4:
			return 8;
		case TYPE_FLOAT8:
			return 17;
		case TYPE_NUMERIC:
			if (is_unbounded(column))
				return 0;
			return typmod < 4 ? 131089 : (typmod - 4) >> 16 & 0xFFFF;
		case TYPE_CHAR:
		case TYPE_BOOL:
			return 1;
		case TYPE_BPCHAR:
		case TYPE_VARCHAR:
			return typmod < 4 ? JDBC_UNKNOWN_LENGTH : typmod - 4;
		case TYPE_DATE:
			return 13;
		case TYPE_TIME:
			return 8 + fraction_size(typmod);
		case TYPE_TIMETZ:
			return 14 + fraction_size(typmod);
		case TYPE_TIMESTAMP:
			return 22 + fraction_size(typmod);
		case TYPE_TIMESTAMPTZ:
			return 28 + fraction_size(typmod);
		case TYPE_INTERVAL:
			return 49;
		case TYPE_BIT:
			return typmod;
		case TYPE_VARBIT:
			return typmod < 0 ? JDBC_UNKNOWN_LENGTH : typmod;
		default:
			return JDBC_UNKNOWN_LENGTH;
	}
}

bool
jdbc_has_scale(const RelationColumn *column)
{
	return !is_unbounded(column);
}

int32_t
jdbc_scale(const RelationColumn *column)
{
	int32_t typmod = column->base_typmod;

	switch (effective_oid(column))
	{
		case TYPE_FLOAT4:
			return 8;
		case TYPE_FLOAT8:
			return 17;
		case TYPE_NUMERIC:
			return typmod < 4 ? 0 : (typmod - 4) & 0xFFFF;
		case TYPE_TIME:
		case TYPE_TIMETZ:
		case TYPE_TIMESTAMP:
		case TYPE_TIMESTAMPTZ:
			return typmod < 0 ? 6 : typmod;
		case TYPE_INTERVAL:
			return typmod < 0 ? 6 : typmod & 0xFFFF;
		default:
			return 0;
	}
}

bool
jdbc_is_character(const RelationColumn *column)
{
	if (column->element_oid != 0)
		return false;
	switch (column->base_oid)
	{
		case TYPE_CHAR:
		case TYPE_NAME:
		case TYPE_TEXT:
		case TYPE_BPCHAR:
		case TYPE_VARCHAR:
			return true;
		default:
			return column->type_kind == 'e' || strcmp(column->type_name, "citext") == 0;
	}
}
