/*
 * lineage.h
 *		whether the server's WAL is the one that the stored positions are of.
 *
 * A database that was restored from a copy of its files has the same system identifier
 * and timeline, and when it has written enough since, its WAL ends beyond what the
 * outputs hold: by LSNs alone everything fits, and what it committed below the stored
 * position would be dropped as stored already.  But its slot stands where it stood in the
 * copy, before the last transaction that was stored.  Then the stream begins before that
 * transaction, and must bring it: the same transaction, at the same LSN.
 *
 * The slot may as well stand there because the worker or the server was killed; then
 * the WAL is the same, and brings it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef EVENT_LINEAGE_H
#define EVENT_LINEAGE_H

#include "event/position.h"

#define LINEAGE_MAX 2

/* A transaction that an output holds, and which output that is. */
typedef struct Ancestor
{
	CommitId commit; /* lsn 0: none */
	const char *where;
} Ancestor;

typedef struct Lineage
{
	Ancestor awaited[LINEAGE_MAX];
	int count;
	Ancestor missing; /* set when the stream went past it without bringing it */
} Lineage;

/* Await position's last transaction in a stream that begins at from, unless it lies
 * before. */
void lineage_await(Lineage *lineage, const Position *position, const char *where,
                   Lsn from);

/* The stream has come to a transaction. */
void lineage_meet(Lineage *lineage, CommitId commit);

/* The stream has brought everything that begins to commit below lsn. */
void lineage_pass(Lineage *lineage, Lsn lsn);

/* Whether something is awaited or missing: nothing may be confirmed to the server. */
bool lineage_is_open(const Lineage *lineage);

#endif
