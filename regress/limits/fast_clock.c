/*
 * fast_clock.c
 *		time for the worker, CLOCK_FACTOR times as fast: a day of it in a minute.
 *Preloaded.
 *
 * The monotonic clock runs faster, and what is waited for with it ends earlier; the wall
 * clock stays as it is.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static int64_t began; /* ns */
static int64_t factor = 1;

static int64_t
real_now(void)
{
	struct timespec now;

	(void) syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

__attribute__((constructor)) static void
begin(void)
{
	const char *text = getenv("CLOCK_FACTOR");

	if (text != NULL)
		factor = strtoll(text, NULL, 10);
	began = real_now();
}

int
clock_gettime(clockid_t clock, struct timespec *to)
{
	int64_t ns;

	if (clock != CLOCK_MONOTONIC)
		return (int) syscall(SYS_clock_gettime, clock, to);
	ns = began + (real_now() - began) * factor;
	*to = (struct timespec){ ns / SECOND, ns % SECOND };
	return 0;
}

int
poll(struct pollfd *fds, nfds_t count, int timeout)
{
	int64_t ns = timeout * INT64_C(1000000) / factor;
	struct timespec wait = { ns / SECOND, ns % SECOND };

	return ppoll(fds, count, timeout < 0 ? NULL : &wait, NULL);
}

int
pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                       const struct timespec *until)
{
	static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
	int64_t ns = until->tv_sec * SECOND + until->tv_nsec;
	struct timespec earlier;

	if (real == NULL)
		*(void **) &real = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
	ns = began + (ns - began) / factor;
	earlier = (struct timespec){ ns / SECOND, ns % SECOND };
	return real(cond, mutex, &earlier);
}
