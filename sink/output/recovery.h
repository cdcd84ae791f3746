/*
 * recovery.h
 *		where to start, from what the outputs stored and what the server has.
 *
 * A pure decision (stream.md 11, 12, 14), so that every combination can be tested:
 *
 *		slot     positions              start
 *		absent   none                   FRESH: intent, slot, snapshot, stream
 *		present  snapshot, at its start RESUME: stream from there, read what is left
 *		any      intent or snapshot     AGAIN: drop the slot, which is ours, and as FRESH
 *		present  all at stream          STREAM, unless there is a gap
 *		present  none                   refused; ADOPT when snapshot.mode=no_data
 *		absent   stream                 refused: what it would have sent is gone
 *		present  some none, some stream JOIN: a new output starts where the others are,
 *and reads all tables from there
 *
 * With snapshot.mode=initial_only positions at stream are the end, slot or not.
 * With snapshot.mode=when_needed what is refused and a gap are AGAIN as well; with always
 * every start is, but for a slot that no position belongs to.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef OUTPUT_RECOVERY_H
#define OUTPUT_RECOVERY_H

#include "event/lineage.h"
#include "event/position.h"

typedef enum RecoveryAction
{
	RECOVERY_FRESH,
	RECOVERY_AGAIN,
	RECOVERY_STREAM,
	RECOVERY_ADOPT,
	RECOVERY_RESUME,
	RECOVERY_JOIN,
} RecoveryAction;

typedef struct StoredPosition
{
	const char *where; /* "Kafka", "the lake" */
	unsigned outputs;  /* bits of Config.outputs that it stands for */
	Position position;
} StoredPosition;

typedef struct RecoveryInput
{
	const StoredPosition *stored;
	int count;
	Position self; /* system, timeline, database, slot, fingerprint */
	bool slot_exists;
	Lsn confirmed_flush; /* of the slot */
	Lsn server_flush;    /* end of the server's durable WAL */
	Lsn timeline_switch; /* where the server left the stored timeline; 0: same timeline or
	                        not known */
	bool adopt; /* snapshot.mode=no_data: a slot without any position is taken as it is */
	Ancestor missing; /* what the stream turned out not to bring; lsn 0: nothing */
	bool slot_lost;   /* the server removed WAL that the slot needs */
	bool resumes;     /* a snapshot that was not complete may go on */
	bool done;        /* initial_only: with a position everywhere nothing is left to do */
	bool again;       /* snapshot.mode=always: whatever the outputs hold is read again */
	bool again_if_lost; /* when_needed: where nothing can go on from it */
} RecoveryInput;

typedef struct Recovery
{
	RecoveryAction action;
	Lsn least_end; /* STREAM, RESUME, JOIN: where the stream begins */
} Recovery;

/* ERR_CONFIG with a hint when starting would lose or repeat something.  Where
 * again_if_lost turned that into AGAIN, err->text still says what it was. */
bool recovery_decide(const RecoveryInput *input, Recovery *recovery, Err *err);

/* The server's WAL does not have what an output holds: false with ERR_CONFIG and a hint.
 */
bool recovery_refuse_history(const Ancestor *missing, Err *err);

#endif
