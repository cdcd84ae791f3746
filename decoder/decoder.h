/*
 * decoder.h
 *		the state of one stream, and what a format does with its changes.
 *
 * A stream is one START_REPLICATION or one call of an SQL function; its state
 * hangs off output_plugin_private, so that one backend can hold several.  Memory
 * lives in three contexts:
 *
 *		context			the stream: options, buffers, this struct
 *		plans->context	what is known of relations, one child context each
 *		change_context	one change; reset by decoder.c after every callback
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef DECODER_DECODER_H
#define DECODER_DECODER_H

#include "compat.h"

#include "replication/logical.h"

#include "options.h"
#include "plan.h"
#include "tuple.h"

struct Decoder;

/* One row's change. */
typedef struct Change
{
	uint64 lsn;
	char type; /* I U D */
	Relation relation;
	HeapTuple old_tuple; /* NULL: none */
	HeapTuple new_tuple;
} Change;

/* What one TRUNCATE emptied, of the tables that are wanted. */
typedef struct Truncation
{
	uint64 lsn;
	uint8 flags; /* as on the wire */
	int count;
	RelationPlan **plans;
} Truncation;

/* A logical message. */
typedef struct Message
{
	uint64 lsn;
	bool transactional;
	const char *prefix; /* UTF-8 */
	const char *content;
	size_t len;
} Message;

/* How a format writes.  Each may write to the client or keep bytes until commit. */
typedef struct FormatOps
{
	OutputPluginOutputType output_type;
	bool is_text; /* renders by plan->render */
	void (*change)(struct Decoder *decoder, RelationPlan *plan, const Change *change);
	void (*truncate)(struct Decoder *decoder, const Truncation *truncation);
	void (*message)(struct Decoder *decoder, const Message *message);
	/* The rows of plan's table are being rewritten from lsn on; NULL: not wanted to know
	 */
	void (*rewrite)(struct Decoder *decoder, RelationPlan *plan, uint64 lsn);
	/* Only called when something of the transaction was wanted; leaves nothing behind. */
	void (*commit)(struct Decoder *decoder, uint64 commit_lsn);
} FormatOps;

extern const FormatOps frame_format;
extern const FormatOps json_format; /* serves record, too */

typedef struct Decoder
{
	LogicalDecodingContext *ctx;
	MemoryContext context;
	MemoryContext change_context;
	DecoderOptions options;
	const FormatOps *format;
	PlanCache *plans;
	TupleWriter writer;

	/* the transaction */
	ReorderBufferTXN *txn; /* NULL outside */
	bool wanted;           /* something of it passed the filters */
	bool shown;            /* json, record: something of it is published ... */
	bool left_out;         /* ... and something is not, see render_unpublished() */
	bool begun;            /* frame: its Begin is written; else its BEGIN record */
	Oid rewriting;         /* transient heap whose rows come, of which was told already */
	bool renewed;          /* the current change had its plan made anew */
	bool lists_checked;    /* whether the options' lists name columns */
	int settings_level;    /* of settings_pin; 0: not pinned */

	uint64 refused; /* rows left out because they were too large to send */
	int unwritten;  /* changes since the client last heard of us */

	Buf row;              /* json, record: the change in wire form */
	Buf out;              /* frame: the open frame; json, record: the rendered records */
	Buf line;             /* record: one line of output */
	ControlPlan *control; /* json, record */
	TxCounts counts;      /* json, record: events of the transaction */
	uint64 last_commit_end; /* end LSN of the last commit that had something to show, or
	                           of a later message outside transactions */
	int64 last_commit_us;   /* its time, since 1970; 0: none yet */
	const char *database;   /* json, record: UTF-8 */
	char run_id[37];
} Decoder;

/* Send bytes as one message to the client. */
void decoder_write(Decoder *decoder, const char *bytes, size_t len);

/* The same for what was rendered of a row of plan, whose change's body is at hand; what
 * is too large to send is treated as decoder_write_change() does. */
void decoder_write_row(Decoder *decoder, const RelationPlan *plan, Slice body,
                       Slice line);

/* The same for what was rendered of a logical message. */
void decoder_write_message(Decoder *decoder, const Message *message, const char *bytes,
                           size_t len);

typedef enum ChangeResult
{
	CHANGE_WRITTEN,
	CHANGE_OUTDATED, /* an enum value that the plan does not know: renew it, write again
	                  */
	CHANGE_REFUSED,  /* too large to send, and the user chose to go on without: counted */
} ChangeResult;

/*
 * Append the body of the I, U or D message of a change; drop what was appended unless it
 * is CHANGE_WRITTEN.  ERROR when the row is too large to send and
 * event_processing_failure_handling_mode is fail.
 */
ChangeResult decoder_write_change(Decoder *decoder, const RelationPlan *plan,
                                  const Change *change, Buf *out);

/* Make the plan of a change's table anew, from the catalog as of the change. */
RelationPlan *decoder_renew_plan(Decoder *decoder, const Change *change);

#endif
