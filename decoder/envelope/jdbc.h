/*
 * jdbc.h
 *		what PostgreSQL's JDBC driver says of a column, as far as it shows in records.
 *
 * Follows Debezium's ColumnMetaData and PostgresType over pgjdbc's TypeInfoCache
 * (getPrecision, getScale, getDisplaySize), as streaming uses them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_JDBC_H
#define ENVELOPE_JDBC_H

#include "envelope/relation.h"

#define JDBC_UNKNOWN_LENGTH INT32_MAX

/* Append the declared type's own name: "varchar", "_int4", a domain's; by_driver
 * "bigserial", too. */
void jdbc_type_name(Buf *buf, const RelationColumn *column);

/* Column.length() and Column.scale(), which may be unknown. */
int32_t jdbc_length(const RelationColumn *column);
bool jdbc_has_scale(const RelationColumn *column);
int32_t jdbc_scale(const RelationColumn *column);

/* Whether its JDBC type is one of characters; citext, which is OTHER there, counts. */
bool jdbc_is_character(const RelationColumn *column);

#endif
