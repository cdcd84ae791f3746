/*
 * publication.h
 *		a publication of the user's own, through which Debezium would read.
 *
 * With publication.autocreate.mode=disabled or no_tables Debezium takes publication.name
 *as it is: what it has not (tables, columns, rows, operations) never streams, while a
 * snapshot reads whatever the lists want.  So does the worker into Kafka alone; with a
 *lake the snapshot is filtered as well, because silver is to equal one set of rows.  Read
 *once, at the start: a publication that is changed counts from the next start on.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_PUBLICATION_H
#define SOURCE_PUBLICATION_H

#include "source/server.h"

/*
 * Read it into config->env.published; nothing in other modes, or the second time.
 * ERR_CONFIG when it does not exist, or has what the worker cannot do in its place: the
 * message names it.
 */
bool publication_read(PGconn *sql, const Config *config, Err *err) MUST_CHECK;

#endif
