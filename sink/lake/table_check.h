/*
 * table_check.h
 *		whether what a table's metadata name is there.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_TABLE_CHECK_H
#define LAKE_TABLE_CHECK_H

#include "lake/table.h"

/*
 * Whether nobody else changed the table's rows, and every live file of it is there and
 * has the size that its manifest says.  One stat a file.  Else ERR_CONFIG.
 */
MUST_CHECK bool table_check(Table *table, Err *err);

#endif
