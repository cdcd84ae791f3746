/*
 * timeline.h
 *		where the server left a timeline.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_TIMELINE_H
#define SOURCE_TIMELINE_H

#include "source/server.h"

/*
 * The LSN at which the server's history left timeline from; 0 when from is the current
 * one. ERR_CONFIG when the server's history does not contain it.  Uses TIMELINE_HISTORY
 * on a replication connection.
 */
bool timeline_switch(PGconn *replication, uint32_t from, uint32_t current, Lsn *lsn,
                     Err *err) MUST_CHECK;

#endif
