/*
 * lag.h
 *		how far a slot is behind its server, in the server's words.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_LAG_H
#define SOURCE_LAG_H

#include "source/server.h"

typedef struct SlotLag
{
	SlotState slot;
	Lsn wal_end;           /* flushed by the server; on a standby: replayed */
	uint64_t lag_bytes;    /* from confirmed_flush to wal_end */
	uint64_t kept_bytes;   /* WAL that the slot holds, from restart_lsn to wal_end */
	bool has_safe_size;    /* max_slot_wal_keep_size sets a limit */
	int64_t safe_wal_size; /* bytes that can be written before the slot is lost */
	bool has_seconds;
	double lag_seconds; /* streamed: flush_lag of pg_stat_replication, 0 when the server
	                       has nothing to report; else since when nobody streams, where
	                       the server knows it (17 and newer) */
	int active_pid;     /* of the walsender; 0: nobody streams */
} SlotLag;

/* Errors as server_slot(). */
bool server_slot_lag(PGconn *conn, const char *slot, SlotLag *lag, Err *err) MUST_CHECK;

#endif
