/*
 * commit.c
 *		work out which manifests a commit writes, keeps and drops.
 *
 * One pass over the live entries finds what is removed and refuses what is live
 * already; then each old manifest is kept, or rewritten with what is removed
 * marked and what is added appended.  Added files that no open manifest takes
 * go to new ones at the end.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <inttypes.h>
#include <stdlib.h>

#include "lake/iceberg/next_metadata.h"
#include "lake/iceberg/path_set.h"
#include "lake/iceberg/state.h"

/* Entries shrink to about a quarter: what MANIFEST_TARGET_BYTES means before deflate. */
#define TARGET_RAW_BYTES ((size_t) MANIFEST_TARGET_BYTES * 4)

/* Added entries of one kind and spec. */
typedef struct Group
{
	ManifestContent content;
	int32_t spec_id;
	ManifestEntry *entries;
	int32_t count;
	int32_t open; /* the old manifest that takes them, or -1 */
} Group;

typedef struct Builder
{
	Arena *arena;
	const TableState *state;
	const TableChange *change;
	TableMetadata *metadata; /* the next one */
	int64_t sequence;        /* of this commit */
	PathSet removed;
	int32_t *hits; /* removed entries, by old manifest */
	Group *groups;
	int32_t group_count;
	CommitCounts counts;
	const DataFile **changed; /* files added and removed, for counting partitions */
	int32_t changed_count;
	CommitFile *files;
	int32_t file_count;
	LiveManifest **next; /* in list order; each holds a reference */
	int32_t next_count;
	Err *err;
} Builder;

static bool check_change(const TableState *state, const TableChange *change, Err *err);
static bool find_removed(Builder *builder);
static bool group_added(Builder *builder);
static bool write_manifests(Builder *builder);
static bool finish(Builder *builder, TableCommit *commit);

bool
table_commit_build(Arena *arena, const TableState *state, const TableChange *change,
                   TableCommit *commit, Err *err)
{
	Builder builder = {
		.arena = arena,
		.state = state,
		.change = change,
		.sequence =
			state->metadata->last_sequence_number + (change->has_snapshot ? 1 : 0),
		.err = err,
	};
	bool ok;

	*commit = (TableCommit){ 0 };
	if (!check_change(state, change, err) ||
	    !next_metadata_begin(arena, state, change, &builder.metadata, err))
		return false;
	ok = !change->has_snapshot ||
	     (find_removed(&builder) && group_added(&builder) && write_manifests(&builder));
	ok = ok && finish(&builder, commit);
	if (!ok)
		for (int32_t i = 0; i < builder.next_count; i++)
			live_manifest_release(builder.next[i]);
	return ok;
}

static bool
check_snapshot(const TableState *state, const TableChange *change, Err *err)
{
	const TableMetadata *metadata = state->metadata;

	if (metadata_snapshot(metadata, change->snapshot_id))
		return fail(
			err, ERR_CONFLICT, "snapshot id %" PRId64 " is taken", change->snapshot_id);
	if (change->snapshot_id < 0 || !change->uuid)
		return fail(err, ERR_FATAL, "a commit needs a snapshot id and a uuid");
	for (int32_t i = 0; i < metadata->snapshot_count; i++)
		if (metadata->snapshots[i].timestamp_ms >= change->timestamp_ms)
			return fail(err,
			            ERR_FATAL,
			            "timestamp %" PRId64 " of a commit is not after %" PRId64
			            " of an earlier snapshot",
			            change->timestamp_ms,
			            metadata->snapshots[i].timestamp_ms);
	return true;
}

static bool
check_change(const TableState *state, const TableChange *change, Err *err)
{
	if (change->has_snapshot)
		return check_snapshot(state, change, err);
	if (change->added_count > 0 || change->removed_count > 0 || change->removes_all ||
	    change->summary.count > 0)
		return fail(err, ERR_FATAL, "a commit of files needs a snapshot");
	return true;
}

static bool
is_removed(const Builder *builder, const ManifestEntry *entry)
{
	return builder->change->removes_all ||
	       path_set_has(&builder->removed, entry->file.path);
}

static void
count_file(Builder *builder, const DataFile *file, bool is_added)
{
	CommitCounts *counts = &builder->counts;

	(is_added ? counts->added_files : counts->removed_files)[file->content]++;
	(is_added ? counts->added_rows : counts->removed_rows)[file->content] +=
		file->record_count;
	*(is_added ? &counts->added_bytes : &counts->removed_bytes) += file->size_bytes;
	builder->changed[builder->changed_count++] = file;
}

/* Which live files go; rule (4) and that all that is to be removed is there. */
static bool
find_removed(Builder *builder)
{
	const TableChange *change = builder->change;
	const TableState *state = builder->state;
	int32_t removed = change->removes_all ? 0 : change->removed_count;
	PathSet added = path_set_new(builder->arena, change->added_count);
	size_t live_count = 0;

	builder->removed = path_set_new(builder->arena, removed);
	for (int32_t i = 0; i < removed; i++)
		if (!path_set_add(&builder->removed, change->removed[i]))
			return fail(builder->err,
			            ERR_FATAL,
			            "file \"%s\" is removed twice",
			            change->removed[i]);
	for (int32_t i = 0; i < change->added_count; i++)
		if (!path_set_add(&added, change->added[i].path))
			return fail(builder->err,
			            ERR_FATAL,
			            "file \"%s\" is added twice",
			            change->added[i].path);
	for (int32_t i = 0; i < state->manifest_count; i++)
		live_count += (size_t) state->manifests[i]->live.count;
	builder->hits = arena_zero(builder->arena,
	                           ((size_t) state->manifest_count + 1) * sizeof(int32_t));
	builder->changed = arena_alloc(builder->arena,
	                               (live_count + (size_t) change->added_count + 1) *
	                                   sizeof *builder->changed);
	for (int32_t i = 0; i < state->manifest_count; i++)
	{
		ManifestEntries live = state->manifests[i]->live;

		for (int32_t k = 0; k < live.count; k++)
		{
			if (path_set_has(&added, live.items[k].file.path))
				return fail(builder->err,
				            ERR_FATAL,
				            "file \"%s\" is in the table already",
				            live.items[k].file.path);
			if (!is_removed(builder, &live.items[k]))
				continue;
			builder->hits[i]++;
			removed--;
			count_file(builder, &live.items[k].file, false);
		}
	}
	if (!change->removes_all && removed > 0)
		return fail(builder->err,
		            ERR_FATAL,
		            "%d files to be removed are not in the table",
		            removed);
	return true;
}

static ManifestContent
kind_of(const DataFile *file)
{
	return file->content == FILE_DATA ? MANIFEST_DATA : MANIFEST_DELETES;
}

/* The last manifest of the group's kind and spec, if it has room. */
static int32_t
find_open(const TableState *state, const Group *group)
{
	for (int32_t i = state->manifest_count - 1; i >= 0; i--)
	{
		const LiveManifest *manifest = state->manifests[i];

		if (manifest->file.content != group->content ||
		    manifest->file.spec_id != group->spec_id || manifest->live.count == 0)
			continue;
		return manifest->file.length < MANIFEST_TARGET_BYTES ? i : -1;
	}
	return -1;
}

static Group *
find_group(Builder *builder, const DataFile *file)
{
	Group *group = builder->groups;
	Group *end = group + builder->group_count;

	while (group < end &&
	       (group->content != kind_of(file) || group->spec_id != file->spec_id))
		group++;
	if (group < end)
		return group;
	builder->group_count++;
	*group = (Group){ .content = kind_of(file), .spec_id = file->spec_id };
	group->open = find_open(builder->state, group);
	group->entries = arena_alloc(
		builder->arena, (size_t) builder->change->added_count * sizeof *group->entries);
	return group;
}

static bool
group_added(Builder *builder)
{
	const TableChange *change = builder->change;

	/* Two kinds per spec at most. */
	builder->groups = arena_zero(
		builder->arena, ((size_t) change->added_count + 1) * sizeof *builder->groups);
	for (int32_t i = 0; i < change->added_count; i++)
	{
		const DataFile *file = &change->added[i];
		Group *group = find_group(builder, file);
		ManifestEntry *entry = &group->entries[group->count++];

		if (!metadata_spec(builder->metadata, file->spec_id))
			return fail(builder->err,
			            ERR_FATAL,
			            "partition spec %d of file \"%s\" is not in the metadata",
			            file->spec_id,
			            file->path);
		*entry = (ManifestEntry){
			.status = ENTRY_ADDED,
			.snapshot_id = change->snapshot_id,
			.sequence_number = SEQUENCE_INHERITED,
			.file_sequence_number = SEQUENCE_INHERITED,
			.file = *file,
		};
		if (change->data_sequence_number > 0 && file->content == FILE_DATA)
			entry->sequence_number = change->data_sequence_number;
		count_file(builder, file, true);
	}
	return true;
}

/* About how many bytes an entry takes before deflate. */
static size_t
entry_bytes(const ManifestEntry *entry)
{
	const DataFile *file = &entry->file;
	size_t bytes = strlen(file->path) + 64;

	if (file->referenced_data_file)
		bytes += strlen(file->referenced_data_file);
	bytes += 5 * (size_t) (file->column_sizes.count + file->value_counts.count +
	                       file->null_value_counts.count + file->nan_value_counts.count);
	for (int32_t i = 0; i < file->lower_bounds.count; i++)
		bytes += 4 + file->lower_bounds.items[i].bytes.len;
	for (int32_t i = 0; i < file->upper_bounds.count; i++)
		bytes += 4 + file->upper_bounds.items[i].bytes.len;
	return bytes;
}

static bool
write_manifest(Builder *builder, const ManifestHeader *header, ManifestEntries entries)
{
	ManifestFile file;
	Slice bytes;
	const char *path = arena_printf(builder->arena,
	                                "%s/metadata/%s-m%d.avro",
	                                builder->metadata->location,
	                                builder->change->uuid,
	                                builder->file_count);

	if (!manifest_write(builder->arena, header, entries, &bytes, builder->err) ||
	    !manifest_summarize(
			builder->arena, header, entries, builder->sequence, &file, builder->err))
		return false;
	file.path = path;
	file.length = (int64_t) bytes.len;
	file.sequence_number = builder->sequence;
	file.added_snapshot_id = builder->change->snapshot_id;
	builder->files[builder->file_count++] = (CommitFile){ path, bytes };
	builder->next[builder->next_count++] =
		live_manifest_new(&file, entries, builder->sequence);
	builder->counts.manifests_created++;
	return true;
}

/* Write entries to as many manifests as it takes. */
static bool
write_entries(Builder *builder, ManifestContent content, int32_t spec_id,
              ManifestEntries entries)
{
	ManifestHeader header = {
		.metadata = builder->metadata,
		.spec = metadata_spec(builder->metadata, spec_id),
		.content = content,
	};
	int32_t first = 0;
	size_t bytes = 0;

	for (int32_t i = 0; i < entries.count; i++)
	{
		bytes += entry_bytes(&entries.items[i]);
		if (bytes < TARGET_RAW_BYTES && i + 1 < entries.count)
			continue;
		if (!write_manifest(builder,
		                    &header,
		                    (ManifestEntries){ entries.items + first, i + 1 - first }))
			return false;
		first = i + 1;
		bytes = 0;
	}
	return true;
}

/* Live entries EXISTING or DELETED, then the added ones of the groups that chose it. */
static bool
rewrite(Builder *builder, int32_t at)
{
	const LiveManifest *old = builder->state->manifests[at];
	const Group *group = builder->groups;
	ManifestEntry *entries;
	int32_t count = 0;

	while (group < builder->groups + builder->group_count && group->open != at)
		group++;
	if (group == builder->groups + builder->group_count)
		group = NULL;
	entries = arena_alloc(builder->arena,
	                      (size_t) (old->live.count + (group ? group->count : 0)) *
	                          sizeof *entries);
	for (; count < old->live.count; count++)
	{
		entries[count] = old->live.items[count];
		entries[count].status = ENTRY_EXISTING;
		if (!is_removed(builder, &entries[count]))
			continue;
		entries[count].status = ENTRY_DELETED;
		entries[count].snapshot_id = builder->change->snapshot_id;
	}
	for (int32_t i = 0; group && i < group->count; i++)
		entries[count++] = group->entries[i];
	builder->counts.manifests_replaced++;
	return write_entries(builder,
	                     old->file.content,
	                     old->file.spec_id,
	                     (ManifestEntries){ entries, count });
}

static bool
is_open(const Builder *builder, int32_t at)
{
	for (int32_t i = 0; i < builder->group_count; i++)
		if (builder->groups[i].open == at)
			return true;
	return false;
}

static bool
write_manifests(Builder *builder)
{
	const TableState *state = builder->state;
	size_t entries = (size_t) builder->change->added_count;
	size_t room;

	/* A manifest holds an entry at least: room for the worst case and the list. */
	for (int32_t i = 0; i < state->manifest_count; i++)
		entries += (size_t) state->manifests[i]->live.count;
	room = entries + 1;
	builder->files = arena_alloc(builder->arena, room * sizeof *builder->files);
	builder->next = arena_alloc(builder->arena, room * sizeof *builder->next);
	for (int32_t i = 0; i < state->manifest_count; i++)
	{
		LiveManifest *old = state->manifests[i];

		if (old->live.count == 0)
			continue;
		if (builder->hits[i] > 0 || is_open(builder, i))
		{
			if (!rewrite(builder, i))
				return false;
			continue;
		}
		old->references++;
		builder->next[builder->next_count++] = old;
		builder->counts.manifests_kept++;
	}
	for (int32_t i = 0; i < builder->group_count; i++)
	{
		const Group *group = &builder->groups[i];

		if (group->open < 0 &&
		    !write_entries(builder,
		                   group->content,
		                   group->spec_id,
		                   (ManifestEntries){ group->entries, group->count }))
			return false;
	}
	return true;
}

static int
compare_tuples(const void *left, const void *right)
{
	const DataFile *a = *(const DataFile *const *) left;
	const DataFile *b = *(const DataFile *const *) right;

	if (a->spec_id != b->spec_id)
		return a->spec_id < b->spec_id ? -1 : 1;
	for (int32_t i = 0; i < a->partition_count && i < b->partition_count; i++)
	{
		const PartitionValue *x = &a->partition[i];
		const PartitionValue *y = &b->partition[i];
		int order;

		if (x->is_null != y->is_null)
			return x->is_null ? -1 : 1;
		if (x->is_null)
			continue;
		if (x->bytes.len != y->bytes.len)
			return x->bytes.len < y->bytes.len ? -1 : 1;
		order = x->bytes.len > 0 ? memcmp(x->bytes.data, y->bytes.data, x->bytes.len) : 0;
		if (order != 0)
			return order;
	}
	return 0;
}

static void
count_partitions(Builder *builder)
{
	qsort(builder->changed,
	      (size_t) builder->changed_count,
	      sizeof *builder->changed,
	      compare_tuples);
	for (int32_t i = 0; i < builder->changed_count; i++)
		if (i == 0 || compare_tuples(&builder->changed[i - 1], &builder->changed[i]) != 0)
			builder->counts.changed_partitions++;
}

/* The manifest list, and the snapshot in the metadata. */
static void
add_snapshot(Builder *builder)
{
	const TableChange *change = builder->change;
	const TableState view = { .manifests = builder->next,
		                      .manifest_count = builder->next_count };
	TableTotals totals = table_state_totals(&view);
	ManifestListHeader header = {
		.snapshot_id = change->snapshot_id,
		.parent_id = builder->metadata->current_snapshot_id,
		.sequence_number = builder->sequence,
	};
	ManifestFile *rows =
		arena_alloc(builder->arena, ((size_t) builder->next_count + 1) * sizeof *rows);
	const char *path = arena_printf(builder->arena,
	                                "%s/metadata/snap-%" PRId64 "-1-%s.avro",
	                                builder->metadata->location,
	                                change->snapshot_id,
	                                change->uuid);
	IcebergSnapshot snapshot;

	for (int32_t i = 0; i < builder->next_count; i++)
		rows[i] = builder->next[i]->file;
	builder->files[builder->file_count++] = (CommitFile){
		path,
		manifest_list_write(
			builder->arena, &header, (ManifestFiles){ rows, builder->next_count }),
	};
	count_partitions(builder);
	snapshot = (IcebergSnapshot){
		.id = change->snapshot_id,
		.parent_id = header.parent_id,
		.sequence_number = builder->sequence,
		.timestamp_ms = change->timestamp_ms,
		.manifest_list = path,
		.summary = commit_summary(builder->arena, change, &builder->counts, &totals),
		.schema_id = builder->metadata->current_schema_id,
	};
	next_metadata_add_snapshot(builder->arena, builder->metadata, &snapshot);
}

/* Metadata files that were logged and are no more. */
static void
list_dropped(Builder *builder, TableCommit *commit)
{
	const TableMetadata *old = builder->state->metadata;
	const TableMetadata *next = builder->metadata;
	const char **dropped = arena_alloc(
		builder->arena, ((size_t) old->metadata_log_count + 1) * sizeof *dropped);
	int32_t count = 0;

	for (int32_t i = 0; i < old->metadata_log_count; i++)
	{
		bool is_kept = false;

		for (int32_t k = 0; k < next->metadata_log_count && !is_kept; k++)
			is_kept = strcmp(old->metadata_log[i].file, next->metadata_log[k].file) == 0;
		if (!is_kept)
			dropped[count++] = arena_strdup(builder->arena, old->metadata_log[i].file);
	}
	commit->dropped_metadata = dropped;
	commit->dropped_metadata_count = count;
}

static bool
finish(Builder *builder, TableCommit *commit)
{
	const TableState *state = builder->state;

	if (builder->change->has_snapshot)
		add_snapshot(builder);
	else
	{
		builder->next = arena_alloc(
			builder->arena, ((size_t) state->manifest_count + 1) * sizeof *builder->next);
		for (int32_t i = 0; i < state->manifest_count; i++)
		{
			state->manifests[i]->references++;
			builder->next[builder->next_count++] = state->manifests[i];
		}
	}
	commit->metadata = metadata_write(builder->arena, builder->metadata);

	/* The state holds what was written, read back: it owns its memory, and a mistake
	 * shows now. */
	if (!table_state_new(commit->metadata, NULL, 0, &commit->next, builder->err))
		return false;
	for (int32_t i = 0; i < builder->next_count; i++)
		table_state_attach(commit->next, builder->next[i]);
	list_dropped(builder, commit);
	commit->base = state;
	commit->files = builder->files;
	commit->file_count = builder->file_count;
	return true;
}
