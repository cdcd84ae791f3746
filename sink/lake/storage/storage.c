/*
 * storage.c
 *		dispatch to a storage, and names as parts of paths.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/storage/storage.h"

#include <inttypes.h>

bool
storage_get(Storage *storage, Arena *arena, const char *path, Slice *bytes, Err *err)
{
	return storage->ops->get(storage, arena, path, bytes, err);
}

bool
storage_put(Storage *storage, const char *path, Slice bytes, Err *err)
{
	return storage->ops->put(storage, path, bytes, err);
}

bool
storage_put_if_absent(Storage *storage, const char *path, Slice bytes, Err *err)
{
	return storage->ops->put_if_absent(storage, path, bytes, err);
}

bool
storage_list(Storage *storage, Arena *arena, const char *directory, bool deep,
             StoredFiles *files, Err *err)
{
	return storage->ops->list(storage, arena, directory, deep, files, err);
}

bool
storage_remove(Storage *storage, const char *path, Err *err)
{
	return storage->ops->remove(storage, path, err);
}

bool
storage_size(Storage *storage, const char *path, int64_t *size, Err *err)
{
	return storage->ops->size(storage, path, size, err);
}

bool
storage_local_path(Storage *storage, Arena *arena, const char *path, bool for_writing,
                   const char **local, Err *err)
{
	return storage->ops->local_path(storage, arena, path, for_writing, local, err);
}

bool
storage_publish(Storage *storage, const char *const *paths, int32_t count, Err *err)
{
	return storage->ops->publish(storage, paths, count, err);
}

bool
storage_publish_names(Storage *storage, const char *const *paths, int32_t count, Err *err)
{
	return storage->ops->publish_names(storage, paths, count, err);
}

bool
storage_write(Storage *storage, const char *path, Slice bytes, Err *err)
{
	return storage->ops->write(storage, path, bytes, err);
}

bool
storage_stage(Storage *storage, Arena *arena, const char *path, Slice bytes,
              const char **staged, Err *err)
{
	return storage->ops->stage(storage, arena, path, bytes, staged, err);
}

bool
storage_place(Storage *storage, const char *staged, const char *path, bool replaces,
              Err *err)
{
	return storage->ops->place(storage, staged, path, replaces, err);
}

void
storage_free(Storage *storage)
{
	if (storage)
		storage->ops->free(storage);
}

/* Names as parts of paths */

#define PART_MAX  200 /* bytes; a file name may have 255 */
#define HASH_MARK '~' /* is itself encoded, so no plain part has one */

static const char hex_digits[] = "0123456789ABCDEF";

static bool
is_plain(const char *name, size_t at)
{
	unsigned char c = (unsigned char) name[at];

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || (c == '.' && at > 0);
}

const char *
storage_encode_part(Arena *arena, const char *name)
{
	size_t len = strlen(name);
	char *part = arena_alloc(arena, 3 * len + 1);
	uint64_t hash = UINT64_C(14695981039346656037);
	size_t at = 0;
	size_t cut = 0;

	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) name[i];

		hash = (hash ^ c) * UINT64_C(1099511628211);
		if (is_plain(name, i))
			part[at++] = name[i];
		else
		{
			part[at++] = '%';
			part[at++] = hex_digits[c >> 4];
			part[at++] = hex_digits[c & 15];
		}
		if (at <= PART_MAX)
			cut = at;
	}
	part[at] = '\0';
	if (at <= PART_MAX)
		return part;
	return arena_printf(arena, "%.*s%c%016" PRIX64, (int) cut, part, HASH_MARK, hash);
}

static int
hex_value(char c)
{
	const char *digit = c ? strchr(hex_digits, c) : NULL;

	return digit ? (int) (digit - hex_digits) : -1;
}

const char *
storage_decode_part(Arena *arena, const char *part)
{
	char *name = arena_alloc(arena, strlen(part) + 1);
	char *out = name;

	if (strchr(part, HASH_MARK))
		return arena_strdup(arena, part);
	for (const char *p = part; *p; p++)
	{
		int high = *p == '%' ? hex_value(p[1]) : -1;
		int low = high >= 0 ? hex_value(p[2]) : -1;

		if (low < 0)
		{
			*out++ = *p;
			continue;
		}
		*out++ = (char) (high << 4 | low);
		p += 2;
	}
	*out = '\0';
	return name;
}
