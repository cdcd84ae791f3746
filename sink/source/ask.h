/*
 * ask.h
 *		cdc-sink snapshot --tables: asking the worker for tables, through the stream.
 *
 * A transactional logical message with this prefix; its content is the slot's name, a
 * space and a list of tables (event/unread.h).  So it has a place among the changes,
 * survives whatever happens to the worker, waits for one that does not run, and needs no
 * other way to reach it.  Whoever may call pg_logical_emit_message may ask.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_ASK_H
#define SOURCE_ASK_H

#include <stdio.h>

#include "base/err.h"
#include "config/config.h"
#include "envelope/buf.h"

#define ASK_PREFIX "cdc_sink.snapshot"

/*
 * Write the message for tables ("schema.table", commas between; either part may be quoted
 * as in SQL) and print what will be read, and from where on.  ERR_CONFIG when a table
 * does not exist or is not captured, and when there is no slot that would bring the
 * message to anybody.  A partition stands for the whole partitioned table.
 */
bool ask_tables(const Config *config, const char *tables, FILE *to, Err *err) MUST_CHECK;

/* Append what --tables takes for the table, as it is to be pasted into a POSIX shell. */
void ask_print(Buf *buf, const char *schema, const char *table);

#endif
