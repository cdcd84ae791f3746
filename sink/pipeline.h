/*
 * pipeline.h
 *		one run of the worker: from the slot to the outputs.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SINK_PIPELINE_H
#define SINK_PIPELINE_H

#include <stdatomic.h>

#include "base/err.h"
#include "base/lsn.h"
#include "config/config.h"

/* How somebody asks the pipeline to stop: set requested, then write 8 bytes to wake_fd.
 */
typedef struct PipelineStop
{
	atomic_int requested;
	int wake_fd; /* eventfd; also wakes the reader for all else */
} PipelineStop;

/*
 * Stream until asked to stop, or until everything up to until (0: no limit) is durable in
 * every output.  Retries what a wait may heal.  False with err set otherwise:
 * ERR_CONFIG, ERR_DATA or ERR_FATAL.
 */
bool pipeline_run(const Config *config, Lsn until, PipelineStop *stop,
                  Err *err) MUST_CHECK;

#endif
