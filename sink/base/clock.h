/*
 * clock.h
 *		time, as a parameter where a result depends on it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Microseconds between the Unix epoch and PostgreSQL's (2000-01-01 UTC). */
#define POSTGRES_EPOCH_US INT64_C(946684800000000)

int64_t clock_wall_ns(void); /* since 1970, UTC; may be set back */
int64_t clock_mono_us(void); /* since some moment; never goes back */

#endif
