/*
 * path_set.h
 *		a set of file paths, for checking thousands against tens of thousands.
 *
 * Paths are borrowed.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ICEBERG_PATH_SET_H
#define LAKE_ICEBERG_PATH_SET_H

#include "base/arena.h"

typedef struct PathSet
{
	Arena *arena;
	const char **slots; /* open addressing; NULL: free */
	size_t mask;
	size_t count;
} PathSet;

/* An empty set; count paths cost no growth. */
PathSet path_set_new(Arena *arena, int32_t count);

/* False when it was there already. */
bool path_set_add(PathSet *set, const char *path);

bool path_set_has(const PathSet *set, const char *path);

#endif
