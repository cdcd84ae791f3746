/*
 * captured.h
 *		the tables that a first start would read, as a list for positions.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_CAPTURED_H
#define SOURCE_CAPTURED_H

#include "source/server.h"

/*
 * What an initial snapshot would read now, as a list (event/unread.h) in arena: the
 * partitioned table in place of its partitions; NULL when there is nothing.
 */
bool captured_list(PGconn *conn, const Config *config, Arena *arena, const char **list,
                   Err *err) MUST_CHECK;

#endif
