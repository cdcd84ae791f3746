/*
 * publication.h
 *		a publication of the user's own, where Debezium would read through it.
 *
 * cdc_decoder reads no publication: with publication.autocreate.mode=disabled or
 * no_tables, where Debezium takes the publication as it is, its tables, columns and rows
 * would be a filter that is silently not there.  So it is compared with what is captured,
 * at the start.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_PUBLICATION_H
#define SOURCE_PUBLICATION_H

#include "source/server.h"

/* ERR_CONFIG, naming the table or column, when more is captured than is published. */
bool publication_check(PGconn *sql, const Config *config, Err *err) MUST_CHECK;

#endif
