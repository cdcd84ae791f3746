/*
 * data_file.c
 *		deep copies of data files and manifest list rows.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/iceberg/manifest.h"

static const void *
copy_array(Arena *arena, const void *items, int32_t count, size_t size)
{
	void *copy;

	if (count == 0)
		return NULL;
	copy = arena_alloc(arena, (size_t) count * size);
	memcpy(copy, items, (size_t) count * size);
	return copy;
}

#define COPY_ARRAY(arena, items, count) \
	copy_array((arena), (items), (count), sizeof *(items))

static Slice
copy_slice(Arena *arena, Slice bytes)
{
	return bytes.data ? arena_slice(arena, bytes) : bytes;
}

static IdBounds
copy_bounds(Arena *arena, IdBounds bounds)
{
	IdBound *items = arena_alloc(arena, ((size_t) bounds.count + 1) * sizeof *items);

	for (int32_t i = 0; i < bounds.count; i++)
		items[i] =
			(IdBound){ bounds.items[i].id, copy_slice(arena, bounds.items[i].bytes) };
	return (IdBounds){ items, bounds.count };
}

void
data_file_copy(Arena *arena, const DataFile *from, DataFile *to)
{
	PartitionValue *partition =
		arena_alloc(arena, ((size_t) from->partition_count + 1) * sizeof *partition);

	*to = *from;
	to->path = arena_strdup(arena, from->path);
	to->format = arena_strdup(arena, from->format);
	for (int32_t i = 0; i < from->partition_count; i++)
		partition[i] = (PartitionValue){ from->partition[i].is_null,
			                             copy_slice(arena, from->partition[i].bytes) };
	to->partition = partition;
	to->column_sizes.items =
		COPY_ARRAY(arena, from->column_sizes.items, from->column_sizes.count);
	to->value_counts.items =
		COPY_ARRAY(arena, from->value_counts.items, from->value_counts.count);
	to->null_value_counts.items =
		COPY_ARRAY(arena, from->null_value_counts.items, from->null_value_counts.count);
	to->nan_value_counts.items =
		COPY_ARRAY(arena, from->nan_value_counts.items, from->nan_value_counts.count);
	to->lower_bounds = copy_bounds(arena, from->lower_bounds);
	to->upper_bounds = copy_bounds(arena, from->upper_bounds);
	to->key_metadata = copy_slice(arena, from->key_metadata);
	to->split_offsets = COPY_ARRAY(arena, from->split_offsets, from->split_offset_count);
	to->equality_ids = COPY_ARRAY(arena, from->equality_ids, from->equality_id_count);
	if (from->referenced_data_file)
		to->referenced_data_file = arena_strdup(arena, from->referenced_data_file);
}

void
manifest_file_copy(Arena *arena, const ManifestFile *from, ManifestFile *to)
{
	PartitionSummary *summaries =
		arena_alloc(arena, ((size_t) from->partition_count + 1) * sizeof *summaries);

	*to = *from;
	to->path = arena_strdup(arena, from->path);
	for (int32_t i = 0; i < from->partition_count; i++)
	{
		summaries[i] = from->partitions[i];
		summaries[i].lower = copy_slice(arena, from->partitions[i].lower);
		summaries[i].upper = copy_slice(arena, from->partitions[i].upper);
	}
	to->partitions = summaries;
	to->key_metadata = copy_slice(arena, from->key_metadata);
}
