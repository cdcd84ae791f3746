/*
 * c11_threads.c
 *		the C11 threads by POSIX ones.
 *
 * librdkafka starts its threads and locks by <threads.h>, of which ThreadSanitizer knows
 * nothing: it would take the worker's callbacks for races.  Linked into the worker that
 *it watches, these come before the C library's, whose types they share: there too a mtx_t
 * is a pthread_mutex_t.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "mtx_t");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "cnd_t");
_Static_assert(sizeof(once_flag) == sizeof(pthread_once_t), "once_flag");

typedef struct Start
{
	thrd_start_t function;
	void *argument;
} Start;

static int
outcome(int code)
{
	if (code == 0)
		return thrd_success;
	if (code == ETIMEDOUT)
		return thrd_timedout;
	if (code == ENOMEM)
		return thrd_nomem;
	return code == EBUSY ? thrd_busy : thrd_error;
}

static void *
run(void *argument)
{
	Start start = *(Start *) argument;

	free(argument);
	return (void *) (intptr_t) start.function(start.argument);
}

int
thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
	Start *start = malloc(sizeof *start);
	int code;

	if (start == NULL)
		return thrd_nomem;
	*start = (Start){ function, argument };
	code = pthread_create(thread, NULL, run, start);
	if (code != 0)
		free(start);
	return outcome(code);
}

int
thrd_join(thrd_t thread, int *result)
{
	void *value;
	int code = pthread_join(thread, &value);

	if (code == 0 && result != NULL)
		*result = (int) (intptr_t) value;
	return outcome(code);
}

int
mtx_init(mtx_t *mutex, int type)
{
	pthread_mutexattr_t attributes;
	int code = pthread_mutexattr_init(&attributes);

	if (code == 0 && (type & mtx_recursive) != 0)
		code = pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	if (code == 0)
		code = pthread_mutex_init((pthread_mutex_t *) mutex, &attributes);
	return outcome(code);
}

void
mtx_destroy(mtx_t *mutex)
{
	(void) pthread_mutex_destroy((pthread_mutex_t *) mutex);
}

int
mtx_lock(mtx_t *mutex)
{
	return outcome(pthread_mutex_lock((pthread_mutex_t *) mutex));
}

int
mtx_unlock(mtx_t *mutex)
{
	return outcome(pthread_mutex_unlock((pthread_mutex_t *) mutex));
}

int
cnd_init(cnd_t *cond)
{
	return outcome(pthread_cond_init((pthread_cond_t *) cond, NULL));
}

void
cnd_destroy(cnd_t *cond)
{
	(void) pthread_cond_destroy((pthread_cond_t *) cond);
}

int
cnd_signal(cnd_t *cond)
{
	return outcome(pthread_cond_signal((pthread_cond_t *) cond));
}

int
cnd_broadcast(cnd_t *cond)
{
	return outcome(pthread_cond_broadcast((pthread_cond_t *) cond));
}

int
cnd_wait(cnd_t *cond, mtx_t *mutex)
{
	return outcome(pthread_cond_wait((pthread_cond_t *) cond, (pthread_mutex_t *) mutex));
}

int
cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict mutex,
              const struct timespec *restrict until)
{
	return outcome(pthread_cond_timedwait(
		(pthread_cond_t *) cond, (pthread_mutex_t *) mutex, until));
}

void
call_once(once_flag *flag, void (*function)(void))
{
	(void) pthread_once((pthread_once_t *) flag, function);
}
