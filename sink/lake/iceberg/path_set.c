/*
 * path_set.c
 *		a set of file paths.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/iceberg/path_set.h"

PathSet
path_set_new(Arena *arena, int32_t count)
{
	size_t size = 8;

	while (size < 2 * (size_t) count)
		size *= 2;
	return (PathSet){ .arena = arena,
		              .slots = arena_zero(arena, size * sizeof(char *)),
		              .mask = size - 1 };
}

/* FNV-1a.  Paths end in what differs: every byte counts. */
static size_t
hash_path(const char *path)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *path; path++)
		hash = (hash ^ (uint8_t) *path) * UINT64_C(1099511628211);
	return (size_t) (hash ^ hash >> 32);
}

static const char **
find_slot(const PathSet *set, const char *path)
{
	size_t at = hash_path(path) & set->mask;

	while (set->slots[at] && strcmp(set->slots[at], path) != 0)
		at = (at + 1) & set->mask;
	return &set->slots[at];
}

static void
grow(PathSet *set)
{
	PathSet grown = path_set_new(set->arena, (int32_t) (set->mask + 1));

	for (size_t i = 0; i <= set->mask; i++)
		if (set->slots[i])
			*find_slot(&grown, set->slots[i]) = set->slots[i];
	grown.count = set->count;
	*set = grown;
}

bool
path_set_add(PathSet *set, const char *path)
{
	const char **slot = find_slot(set, path);

	if (*slot)
		return false;
	*slot = path;
	if (++set->count * 2 > set->mask + 1)
		grow(set);
	return true;
}

bool
path_set_has(const PathSet *set, const char *path)
{
	return *find_slot(set, path) != NULL;
}
