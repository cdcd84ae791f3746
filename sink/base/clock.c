/*
 * clock.c
 *		the two clocks.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/clock.h"

#include <time.h>

int64_t
clock_wall_ns(void)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t
clock_mono_us(void)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
