/*
 * limits.h
 *		the process's limits: open files, threads, memory.
 *
 * Coming to one is ERR_FATAL: another start of the process may have more.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include "base/err.h"

/* What to do when the system refuses a thread. */
#define LIMITS_HINT                                                                        \
	"Raise the limits of processes and memory (ulimit -u and -v, or the container's) and " \
	"start again; nothing stored is lost."

/*
 * To be called before anything else is started.  Raises the soft limit of open files to
 * the hard one; false when that, or the limit of threads, is too little to start with.
 */
MUST_CHECK bool limits_prepare(Err *err);

/*
 * From now on a library that gives up and calls abort(), as librdkafka does when it gets
 * no memory, ends the process with a sentence and exit code 1.  The core dump, where the
 * system makes any, is that of a child of the same memory.
 */
void limits_explain_abort(void);

/* Whether next to no file can be opened any more, now. */
bool limits_no_files(void);

/* Replace err, which tells what failed, when the process is out of files: it adds the
 * limit and what to do.  Returns false. */
bool limits_explain(Err *err);

/* A thread could not be started: code is pthread_create's.  Returns false. */
bool limits_no_thread(Err *err, int code);

#endif
