/*
 * stream.h
 *		the replication stream: COPY BOTH, keepalives, feedback.
 *
 * Not thread safe; the reader's thread owns it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_STREAM_H
#define SOURCE_STREAM_H

#include "event/event.h"
#include "source/server.h"

typedef struct Stream Stream;

/*
 * START_REPLICATION on a connection of its own, with format=frame and every WIRE option
 * of config.  from 0 starts at the slot's confirmed_flush.  Being the only one streaming
 * from the slot is the worker's lock.  ERR_RETRY when the slot is in use (says by which
 * PID).
 */
Stream *stream_open(const Config *config, const char *slot, Lsn from,
                    Err *err) MUST_CHECK;

/* The same over a connection that owns a temporary slot; takes it over. */
Stream *stream_open_on(PGconn *replication, const Config *config, const char *slot,
                       Lsn from, Err *err) MUST_CHECK;

typedef enum StreamItemKind
{
	STREAM_NOTHING, /* nothing buffered: wait on stream_socket() */
	STREAM_FRAME,
	STREAM_KEEPALIVE,
} StreamItemKind;

typedef struct StreamItem
{
	StreamItemKind kind;
	Slice frame;          /* FRAME: the plugin's bytes; valid until stream_release */
	Lsn wal_end;          /* KEEPALIVE: nothing for us below; FRAME: server's WAL end */
	bool reply_requested; /* KEEPALIVE */
	void *memory;         /* stream_release frees it */
} StreamItem;

/* Next item without blocking.  False, ERR_RETRY, when the connection is lost or the
 * server ended the stream. */
bool stream_next(Stream *stream, StreamItem *item, Err *err) MUST_CHECK;
void stream_release(StreamItem *item);

/* The server's PID at the other end. */
int stream_pid(const Stream *stream);

/* Have batch keep an item's frame: small ones are copied, large ones handed over. */
Slice stream_keep(StreamItem *item, Batch *batch);

/* File descriptor to poll for reading. */
int stream_socket(const Stream *stream);

/* Tell the server that everything before flushed is stored, and that received was
 * received.  Never blocks for long. */
bool stream_feedback(Stream *stream, Lsn received, Lsn flushed, bool reply,
                     Err *err) MUST_CHECK;

/* End the copy (when polite) and close.  NULL is allowed. */
void stream_close(Stream *stream);

/*
 * The frames of transactions that commit in slot's future up to upto, by SQL and without
 * consuming them: column 0, in binary.  Nobody may stream from the slot meanwhile.
 * PQclear releases the result.
 */
PGresult *stream_peek(PGconn *sql, const Config *config, const char *slot, Lsn upto,
                      Err *err) MUST_CHECK;

/* Whether the plugin takes the options; a slot of sql's own session is read a little, and
 * not consumed. */
bool stream_check(PGconn *sql, const Config *config, const char *slot,
                  Err *err) MUST_CHECK;

#endif
