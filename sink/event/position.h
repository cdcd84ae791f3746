/*
 * position.h
 *		how far an output has stored the stream, and whose stream it is.
 *
 * Stored by every output in one step with its data (stream.md 9-12): in a
 * Kafka transaction, in an Iceberg snapshot.  Also stored before there is data
 * (phases INTENT and SNAPSHOT), so that a slot this worker made is told from a
 * stranger's.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef EVENT_POSITION_H
#define EVENT_POSITION_H

#include "base/arena.h"
#include "base/err.h"
#include "base/lsn.h"
#include "envelope/buf.h"

typedef enum PositionPhase
{
	POSITION_NONE,     /* nothing stored */
	POSITION_INTENT,   /* about to create the slot */
	POSITION_SNAPSHOT, /* slot created at end_lsn, its snapshot not complete */
	POSITION_STREAM,   /* snapshot complete; everything below is stored */
} PositionPhase;

/* Which transaction committed at an LSN: in another history of the database, which a
 * restored backup begins, another one did or none. */
typedef struct CommitId
{
	Lsn lsn; /* start of the commit record; 0: not known */
	uint32_t xid;
	int64_t time_us; /* of the commit, since 1970 */
} CommitId;

/*
 * Everything of transactions that committed below commit_lsn is stored, and of
 * the one at commit_lsn all (row_lsn 0), or what came up to and including
 * (row_lsn, ordinal).  A point between transactions (the end of the snapshot) has
 * end_lsn = commit_lsn: a transaction may start to commit exactly there, and is not
 * stored. end_lsn is what may be confirmed to PostgreSQL: the end of the last whole
 * transaction, or a keepalive's LSN beyond it.
 */
typedef struct Position
{
	PositionPhase phase;
	uint64_t system_id;
	uint32_t timeline;
	char database[64];
	char slot[64];
	uint64_t fingerprint; /* env_options_fingerprint() */
	uint64_t rest;        /* env_options_fingerprint_of_rest(); 0: not known */
	Lsn commit_lsn;       /* start of the commit record of the last transaction stored */
	Lsn end_lsn;
	Lsn row_lsn; /* 0 unless stopped in mid-transaction */
	uint32_t ordinal;
	CommitId last;      /* the last transaction of which something is stored */
	unsigned outputs;   /* bits of Config.outputs: who stored beside it; 0: not known */
	const char *unread; /* tables whose rows are still to come (unread.h); outlives all
	                       copies of the position, as does lists */
	const char *lists;  /* captured_lists() in force; NULL: not known, or not told */
} Position;

/* Whether the event at (commit_lsn, row_lsn, ordinal) is at or below position, hence
 * stored already. */
bool position_covers(const Position *position, Lsn commit_lsn, Lsn row_lsn,
                     uint32_t ordinal);

/* One line of name=value pairs, "cdc-position=2 phase=stream system=..."; names and slot
 * are percent-encoded; unread= when there are such tables, and a checksum. */
void position_print(Buf *buf, const Position *position);

/* Read it back, but for unread and lists.  ERR_FATAL, naming what is wrong, for another
 * format version or damage. */
bool position_parse(Slice text, Position *position, Err *err);

/* Read unread and lists, too, into arena. */
void position_parse_texts(Arena *arena, Slice text, Position *position);

/* Whether stored was stored under other lists of tables and is the same otherwise, and
 * its lists are known. */
bool position_has_other_lists(const Position *stored, const Position *self);

/*
 * Whether stored belongs to the same system, database, slot and options as self, but for
 * position_has_other_lists().
 * ERR_CONFIG with a hint otherwise; where names who stored it ("Kafka", "the lake").
 */
bool position_same_source(const Position *stored, const Position *self, const char *where,
                          Err *err);

#endif
