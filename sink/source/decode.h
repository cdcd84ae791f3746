/*
 * decode.h
 *		frames to events: the one parser of the stream.
 *
 * Remembers what spans frames: the relations by OID, the transaction being read, the
 * ordinal among equal LSNs, the end LSN of the transaction before.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_DECODE_H
#define SOURCE_DECODE_H

#include "base/err.h"
#include "event/event.h"
#include "event/lineage.h"

typedef struct Decoder Decoder;

/* last_end_lsn: end of the last transaction before the stream starts, 0 when unknown. */
Decoder *decoder_new(Lsn last_end_lsn);

/* Relations go with it, so batches must have gone before.  NULL is allowed. */
void decoder_free(Decoder *decoder);

/* Forget the transaction being read: the stream starts anew. */
void decoder_rewind(Decoder *decoder, Lsn last_end_lsn);

/* Take no transaction whose commit record starts at or beyond until (0: no limit);
 * decoder_reached tells when one came. */
void decoder_set_until(Decoder *decoder, Lsn until);
bool decoder_reached(const Decoder *decoder);

/* Have lineage (NULL: none), which stays the caller's, told of each transaction. */
void decoder_set_lineage(Decoder *decoder, Lineage *lineage);

/* Have the operations that options leave unpublished, which stay the caller's, not move
 * what events say of the last commit. */
void decoder_set_options(Decoder *decoder, const EnvOptions *options);

/* Append the frame's events to batch, which must keep frame's bytes (they are sliced, not
 * copied).  ERR_FATAL when malformed. */
bool decoder_frame(Decoder *decoder, Batch *batch, Slice frame, Err *err) MUST_CHECK;

/* Whether a transaction has begun and not ended. */
bool decoder_in_transaction(const Decoder *decoder);

/* Start of the commit record of the transaction being read, or read last. */
Lsn decoder_commit_lsn(const Decoder *decoder);

/* Keep relation for the life of the process; returns the one already kept when the
 * version is known. */
const Relation *decoder_keep(Decoder *decoder, const Relation *relation);

#endif
