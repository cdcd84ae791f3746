/*
 * limits.c
 *		what the process may have, and whether it has come to an end.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/limits.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES_LEAST   ((rlim_t) 64) /* what all outputs need, and some */
#define FILES_SPARE   6             /* below that many something has failed by them */
#define THREADS_LEAST 16 /* that run at a time, with one broker and all outputs */

#define FILES_HINT                                                                     \
	"Raise the limit of open files (ulimit -n, LimitNOFILE) and start again; nothing " \
	"stored is lost."

static void *
wait_to_end(void *gate)
{
	(void) pthread_mutex_lock(gate);
	(void) pthread_mutex_unlock(gate);
	return NULL;
}

/* Start as many as the worker may need, all at a time, and end them: librdkafka aborts
 * the process when it cannot have one. */
static bool
try_threads(Err *err)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	pthread_t threads[THREADS_LEAST];
	int count = 0;
	int code = 0;

	(void) pthread_mutex_lock(&gate);
	while (count < THREADS_LEAST && code == 0)
	{
		code = pthread_create(&threads[count], NULL, wait_to_end, &gate);
		count += code == 0;
	}
	(void) pthread_mutex_unlock(&gate);
	for (int i = 0; i < count; i++)
		(void) pthread_join(threads[i], NULL);
	return code == 0 || limits_no_thread(err, code);
}

static bool
raise_files(Err *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return true;
	if (limit.rlim_cur < limit.rlim_max)
	{
		limit.rlim_cur = limit.rlim_max;
		(void) setrlimit(RLIMIT_NOFILE, &limit);
		(void) getrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur >= FILES_LEAST)
		return true;
	(void) fail(err,
	            ERR_FATAL,
	            "the limit of open files is %" PRIu64 ", and the worker needs %" PRIu64,
	            (uint64_t) limit.rlim_cur,
	            (uint64_t) FILES_LEAST);
	return fail_hint(err, FILES_HINT);
}

bool
limits_prepare(Err *err)
{
	return raise_files(err) && try_threads(err);
}

/* Only what is safe in a handler.  Whoever aborted has most often said why before. */
static void
explain_abort(int number)
{
	static const char sentence[] =
		"cdc-sink: error: a library ended the process by abort(), most likely for want of "
		"memory\n"
		"cdc-sink: hint: Raise the memory limit or lower max.memory and start again; "
		"nothing stored is lost, and it goes on where the outputs stand. With memory to "
		"spare it is a bug: report it with the lines above.\n";
	ssize_t ignored = write(STDERR_FILENO, sentence, sizeof sentence - 1);
	pid_t child = _Fork();

	(void) ignored;
	if (child == 0)
		(void) raise(number); /* SA_RESETHAND: now it means its core dump */
	if (child > 0)
		(void) waitpid(child, NULL, 0);
	_exit(1);
}

void
limits_explain_abort(void)
{
	struct sigaction action = { .sa_handler = explain_abort,
		                        .sa_flags = (int) (SA_RESETHAND | SA_NODEFER) };

	(void) sigemptyset(&action.sa_mask);
	(void) sigaction(SIGABRT, &action, NULL);
}

bool
limits_no_files(void)
{
	int spare[FILES_SPARE];
	int count = 0;

	while (count < FILES_SPARE && (spare[count] = dup(STDERR_FILENO)) >= 0)
		count++;
	for (int i = 0; i < count; i++)
		(void) close(spare[i]);
	return count < FILES_SPARE;
}

bool
limits_explain(Err *err)
{
	if (!limits_no_files())
		return false;
	err->kind = ERR_FATAL;
	(void) fail_while(err, "out of open files");
	return fail_hint(err, FILES_HINT);
}

bool
limits_no_thread(Err *err, int code)
{
	(void) fail(err, ERR_FATAL, "could not start a thread: %s", strerror(code));
	return fail_hint(err, LIMITS_HINT);
}
