/*
 * pipeline_reread.h
 *		reading tables in the middle of the stream.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SINK_PIPELINE_REREAD_H
#define SINK_PIPELINE_REREAD_H

#include "pipeline_state.h"

/* Have the tables of list read for the outputs whose bits are in outputs. */
void reread_want(Pipeline *pipeline, const char *list, unsigned outputs);

/* Take the list of each output that goes on from a stored position. */
void reread_resume(Pipeline *pipeline, const StoredPosition *stored);

/* Look for what the source asks for in a batch that was read. */
void reread_scan(Pipeline *pipeline, Batch *batch);

/* Whether tables wait to be read, so that the stream must go on to where that is done. */
bool reread_is_wanted(const Pipeline *pipeline);

/* Whether nothing more may be taken from the stream for now: it could pass the place
 * before that is known. */
bool reread_halts(const Pipeline *pipeline);

/* The LSN that an item between transactions is placed by: that of its commit. */
Lsn reread_place(const StreamItem *item);

/* Whether the stream must stop before item: there the tables are read. */
bool reread_holds(const Pipeline *pipeline, const StreamItem *item);

/* Whether the place where they will be read is known, and the stream has to get there. */
bool reread_is_placed(const Pipeline *pipeline);

/* Find the place, or see whether it is found.  Never blocks for long; a failure is
 * logged and tried again. */
void reread_turn(Pipeline *pipeline);

/* Read the tables.  To be called when the outputs have taken everything before. */
bool reread_run(Pipeline *pipeline, Err *err) MUST_CHECK;

/* Give up what is under way; the outputs' positions know what is still wanted. */
void reread_close(Pipeline *pipeline);

#endif
