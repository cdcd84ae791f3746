/*
 * output.h
 *		where batches go: Kafka, the lake.
 *
 * An output has a thread of its own and a bounded queue in front of it; the
 * functions below are called by the reader's thread alone and never block
 * longer than said.  Nothing is replayed from memory: after any failure the
 * pipeline closes the outputs, reads their stored positions again and rewinds.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef OUTPUT_OUTPUT_H
#define OUTPUT_OUTPUT_H

#include "base/err.h"
#include "event/event.h"
#include "event/position.h"

typedef struct Output Output;

typedef struct OutputOps
{
	const char *name; /* "kafka", "lake" */

	/*
	 * Connect, fence any predecessor, read the stored position (phase NONE when
	 * there is none) and start the thread.  self says whose stream this is; the output
	 * keeps a copy and stores it with every position.  May block for seconds.
	 * Events at or below stored are dropped by the output itself from then on.
	 */
	bool (*open)(Output *output, const Position *self, Position *stored, Err *err);

	/*
	 * Store position (phases INTENT, SNAPSHOT, or STREAM without data) durably
	 * before returning.  Only while nothing is queued.
	 */
	bool (*mark)(Output *output, const Position *position, Err *err);

	/* Take a reference and queue the batch; false when the queue is full.  Never blocks.
	 */
	bool (*offer)(Output *output, Batch *batch);

	/* Ask that what was accepted becomes durable soon, without waiting for the flush
	 * interval.  Never blocks. */
	void (*flush)(Output *output);

	/*
	 * The end LSN up to which everything is stored; never decreases, never blocks.
	 * False with err set once the output has failed; it then takes nothing more.
	 */
	bool (*durable)(Output *output, Lsn *end_lsn, Err *err);

	/* Stop the thread, abandon what is not durable, release everything.  Allowed after a
	 * failed open. */
	void (*close)(Output *output);
} OutputOps;

/* Implementations embed this as their first member. */
struct Output
{
	const OutputOps *ops;
	int wake_fd; /* eventfd: write 8 bytes when durable, room in the queue, or failure
	                changed */
};

/* Write to output->wake_fd, from any thread. */
void output_wake(const Output *output);

#endif
