/*
 * nearest.h
 *		the known word nearest to what somebody wrote, for "Perhaps you meant".
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONFIG_NEAREST_H
#define CONFIG_NEAREST_H

#include <stddef.h>

typedef struct Nearest
{
	const char *written;
	const char *word; /* the best candidate so far; NULL: none is near */
	size_t distance;
} Nearest;

Nearest nearest_to(const char *written);

/* Consider a word, which must outlive nearest.  Of equally near ones the first stays. */
void nearest_try(Nearest *nearest, const char *word);

#endif
