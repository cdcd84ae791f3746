/*
 * snapshot_state.h
 *		what the files of a snapshot share: snapshot.c (batches), snapshot_session.c,
 *		snapshot_tables.c, snapshot_table.c.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_SNAPSHOT_STATE_H
#define SOURCE_SNAPSHOT_STATE_H

#include "event/partial.h"
#include "source/snapshot.h"
#include "source/snapshot_copy.h"
#include "source/snapshot_progress.h"

#define SESSIONS_MAX 64
#define POLL_MS      200
#define NOTHING_HELD SIZE_MAX

typedef struct Table
{
	uint32_t relid;
	const char *name;   /* schema.name, for people */
	const char *quoted; /* for SQL */
	double pages;
	double rows;        /* the planner's estimate; 0: none */
	const char *select; /* the user's, instead of all rows; NULL: none */
	size_t place;       /* among the expressions of table.include.list */
	size_t number;      /* in order of names */
	uint32_t filenode;
	bool is_parent; /* its partitions have its rows */
	bool has_parts; /* parts of it can be told and gone on with */
	bool has_toast;
	bool goes_on; /* with what is behind part */
	PartRead part;
} Table;

typedef struct PageRange
{
	uint64_t from;
	uint64_t to; /* UINT64_MAX: no end */
} PageRange;

typedef enum SessionState
{
	SESSION_IDLE,
	SESSION_STARTING, /* COPY sent */
	SESSION_COPYING,
} SessionState;

typedef struct Session
{
	PGconn *conn;
	SessionState state;
	bool locked;        /* holds the current table's lock in a savepoint */
	bool user_query;    /* what it reads is the user's SELECT */
	const char *table;  /* that it reads, for people; NULL: none */
	const char *filter; /* the table's row filter; NULL: none */
	PageRange range;
	CopyReader reader;
	Batch *batch; /* being filled; NULL: none yet */
	size_t bytes; /* of its tuples */
} Session;

/* The table being read, by ranges of pages. */
typedef struct Reading
{
	const Table *table;
	const Relation *relation;
	bool is_first_table; /* its first row is the first of all; of an empty table there is
	                        none, as with Debezium */
	uint64_t next_page;
	uint64_t pages;
	uint64_t step;
	uint64_t end;    /* of the pages to be read; UINT64_MAX: none */
	bool only_newer; /* rows, than the table's part */
	bool all_given;  /* the last range has been given to a session */
	bool is_paused;  /* no more are given */
	uint64_t told;   /* the pages of the last TABLE_PART */
	double pages_done;
	uint64_t rows;
	uint64_t replaced; /* how often U+FFFD stands for a byte */
} Reading;

typedef struct Snapshot
{
	const SnapshotRequest *request;
	Arena *arena;     /* of this run */
	Arena *relations; /* outlives every batch */
	Session sessions[SESSIONS_MAX];
	size_t session_count; /* connected */
	size_t session_limit;
	Table *tables;
	size_t table_count;
	const Relation *empty; /* the table asked for, which has no rows of its own */
	Txn txn;               /* of every row */
	uint64_t xmin;
	const char *partial; /* the request's, when it is gone on with; NULL: it is not */
	Reading reading;
	SnapshotProgress progress;
	uint64_t rows; /* handed over or held back */
	Batch *pending;
	const Txn *pending_txn;
	size_t held;      /* index in pending of the row without a final marker */
	bool sink_failed; /* for its own reasons, of any table: its words are enough */
} Snapshot;

/* ---- snapshot_session.c ---- */

/* Connect one more session, which reads in the exported snapshot. */
MUST_CHECK bool snapshot_open_session(Snapshot *snapshot, Err *err);

/* Whether to give up, with err. */
bool snapshot_is_stopped(const Snapshot *snapshot, Err *err);

/* Describe a failed command; false. */
bool session_fail(const Session *session, const PGresult *result, Err *err);

/* Run one or more commands, giving up when asked to stop; the last one's result, the
 * caller's, or NULL.  code, unless NULL, receives the SQLSTATE of a failure. */
PGresult *session_query(const Snapshot *snapshot, Session *session, const char *sql,
                        char code[6], Err *err);
MUST_CHECK bool session_command(const Snapshot *snapshot, Session *session,
                                const char *sql, Err *err);

/* ---- snapshot_tables.c ---- */

/* List the tables to be read, lock them, and see that they are as the snapshot has them.
 */
MUST_CHECK bool snapshot_prepare(Snapshot *snapshot, Err *err);

/* ---- snapshot_table.c ---- */

/* All of the table, or what is behind its part, which reading.is_paused cut short; or
 * what is new in its part. */
MUST_CHECK bool snapshot_read_table(Snapshot *snapshot, const Table *table,
                                    bool only_newer, Err *err);

/* ---- snapshot.c ---- */

/* Add an event without a row behind all rows; valid until the next is added. */
Event *snapshot_add_mark(Snapshot *snapshot, EventKind kind, const Relation *relation);

/* Take a batch of rows over: it is held back, the one before goes to the outputs. */
MUST_CHECK bool snapshot_hold_back(Snapshot *snapshot, Batch *batch, Err *err);

/* The row held back is its table's last. */
void snapshot_mark_table_end(Snapshot *snapshot);

#endif
