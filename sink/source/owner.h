/*
 * owner.h
 *		who streams from the slot: this worker, nobody, or another.
 *
 * Streaming from a slot is the lock that keeps two workers apart (stream.md 16).  A
 *worker that finds it taken waits, because a predecessor may still be draining and the
 *server learns of a lost connection only after wal_sender_timeout.  One that streamed
 *before and then finds somebody else there has been replaced, while it slept or was cut
 *off: what it did not store the other stores, and it must end.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_OWNER_H
#define SOURCE_OWNER_H

#include "source/server.h"

/* Zeroed at the start of the process; the reader's thread owns it. */
typedef struct SlotOwner
{
	int pid;               /* of our last walsender; 0: we have not streamed yet */
	int64_t busy_since_us; /* monotonic; 0: the slot was free when last looked at */
} SlotOwner;

/* Whether slot belongs to our plugin and to database.  ERR_CONFIG with a hint if not. */
bool slot_is_ours(const Config *config, const SlotState *slot, const char *database,
                  Err *err) MUST_CHECK;

/*
 * Whether slot, just looked up over sql, can be streamed from.  False with err set when
 * it is in use: ERR_RETRY as long as waiting makes sense (slot.max.retries times
 * slot.retry.delay.ms), ERR_FATAL after that, and at once when another worker took over.
 */
bool slot_owner_check(PGconn *sql, const Config *config, const SlotState *slot,
                      SlotOwner *owner, Err *err) MUST_CHECK;

#endif
