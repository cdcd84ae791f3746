/*
 * row_filter.h
 *		whether the row filters are right for the tables as they are now.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_ROW_FILTER_H
#define SOURCE_ROW_FILTER_H

#include "config/config.h"
#include "source/server.h"

/*
 * Have the plugin look at every filter, as it does when streaming starts: for where
 * nothing streams yet.  A temporary slot of sql's session is made for it, which waits for
 * the transactions that are running, and dropped.  ERR_CONFIG names table and expression.
 * Nothing is done when there are no filters.
 */
bool row_filter_check(PGconn *sql, const Config *config, Err *err) MUST_CHECK;

/* Call report with the property of each filter that is of none of the captured tables.
 * Most likely a slip; but the table may be still to come, so no error. */
bool row_filter_unmatched(PGconn *sql, const Config *config,
                          void (*report)(void *context, const char *property),
                          void *context, Err *err) MUST_CHECK;

#endif
