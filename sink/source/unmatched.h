/*
 * unmatched.h
 *		lists of tables and columns that name none.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_UNMATCHED_H
#define SOURCE_UNMATCHED_H

#include "config/config.h"
#include "source/server.h"

/*
 * Call report with a sentence, without its stop, for each property of config that lists
 * columns (include, exclude, masks, keys, propagated types) and matches none of the
 * captured tables as they are now, and for each expression of table.include.list and
 * schema.include.list that matches no table.  Most likely a slip; but the table may be
 * still to come, so no error.
 */
bool server_unmatched(PGconn *conn, const Config *config,
                      void (*report)(void *context, const char *sentence), void *context,
                      Err *err) MUST_CHECK;

#endif
