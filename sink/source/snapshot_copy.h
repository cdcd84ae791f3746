/*
 * snapshot_copy.h
 *		rows of COPY ... (FORMAT binary), turned into the wire's tuples.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_SNAPSHOT_COPY_H
#define SOURCE_SNAPSHOT_COPY_H

#include "base/err.h"
#include "envelope/options.h"
#include "event/event.h"

typedef struct CopyReader
{
	const Relation *relation;
	const char *kinds;       /* 't' or 'b', one per column */
	const ColumnMask *masks; /* one per column; NULL: none acts here */
	Buf changed;             /* a row on its way through them */
	Buf carry;               /* the start of a row whose end has not come */
	bool header_read;
	bool ended;        /* the trailer was read */
	bool raw;          /* texts may be no UTF-8 ... */
	bool strict;       /* ... which is an error */
	uint64_t rows;     /* of this COPY */
	uint64_t replaced; /* how often U+FFFD stands for a byte */
} CopyReader;

/*
 * What copy_select reads rows of relation from: FROM ONLY the table (of a partitioned
 * one, and with children of any: FROM it), or, unless NULL, from the user's query, which
 * has columns of the table's names.
 */
typedef struct CopySource
{
	const Relation *relation;
	const char *query;
	bool children;
} CopySource;

/*
 * Append "SELECT ... FROM ...", with WHERE when the table has a row filter, which a
 * query's rows pass, too; whether it has.  The columns have the form that frames have for
 * relation: binary where value_is_binary says so, jsonb as its text, everything else as
 * the text of the type's output function.
 */
bool copy_select(Buf *sql, const CopySource *source, const EnvOptions *options);

/*
 * Start reading one COPY of copy_select's columns, whose values pass the masks of options
 * as the plugin's do, and where they are raw (server_is_raw) are made UTF-8 before, by
 * invalid.text.handling.mode.  reader was zeroed or used before; relation, options and
 * arena must outlive it.
 */
void copy_reader_begin(CopyReader *reader, const Relation *relation,
                       const EnvOptions *options, bool raw, Arena *arena);
void copy_reader_fini(CopyReader *reader);

/*
 * Read bytes, one CopyData message or any other piece of the stream.  Every row that is
 * complete with them becomes a READ event of batch: its relation and tuple are set,
 * everything else is the caller's.  ERR_FATAL when malformed, ERR_CONFIG for bytes that
 * are no UTF-8 and must be.
 */
bool copy_reader_feed(CopyReader *reader, Slice bytes, Batch *batch, Err *err) MUST_CHECK;

#endif
