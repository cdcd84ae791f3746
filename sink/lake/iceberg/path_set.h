/*
 * path_set.h
 *		a set of file paths, for checking thousands against tens of thousands.
 *
 * Private to the commit builder.  Paths are borrowed.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ICEBERG_PATH_SET_H
#define LAKE_ICEBERG_PATH_SET_H

#include "base/arena.h"

typedef struct PathSet
{
	const char **slots; /* open addressing; NULL: free */
	size_t mask;
} PathSet;

/* An empty set for at most count paths. */
PathSet path_set_new(Arena *arena, int32_t count);

/* False when it was there already. */
bool path_set_add(PathSet *set, const char *path);

bool path_set_has(const PathSet *set, const char *path);

#endif
