/*
 * identity.h
 *		replica.identity.autoset.values: the replica identity of captured tables, set at
 *		the start.
 *
 * A list of "expression:identity", separated by commas; the expression is matched as
 * table.include.list is, the identity is DEFAULT, FULL, NOTHING or INDEX and a name, as
 * io.debezium.connector.postgresql.ReplicaIdentityMapper has it.  What Debezium passes
 * over in silence is an error here: an item of another form, a table that two match.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_IDENTITY_H
#define SOURCE_IDENTITY_H

#include "source/server.h"

/* ALTER the captured tables whose identity is another.  ERR_CONFIG when the list is
 * wrong, or the role does not own a table. */
bool identity_autoset(PGconn *sql, const Config *config, Err *err) MUST_CHECK;

#endif
