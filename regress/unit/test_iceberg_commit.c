/*
 * test_iceberg_commit.c
 *		the commit builder: the rules in commit.h, one test each.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
/* cmocka has a macro fail: our own headers first. */
#include "iceberg_support.h"
#include "lake/iceberg/bounds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct Fixture
{
	Arena *arena;
	TableState *table;
	TableCommit commit; /* the last one */
	int64_t clock;
	Err err;
} Fixture;

static int
begin(void **state)
{
	Fixture *f = calloc(1, sizeof *f);
	NewTable table = sample_table();

	f->arena = arena_new();
	f->clock = 1000;
	if (!table_state_new(metadata_write(f->arena, metadata_new(f->arena, &table)),
	                     "file:///lake/db/t/metadata/v1.metadata.json",
	                     1,
	                     &f->table,
	                     &f->err))
		return -1;
	*state = f;
	return 0;
}

static int
end(void **state)
{
	Fixture *f = *state;

	table_state_free(f->table);
	arena_free(f->arena);
	free(f);
	return 0;
}

static DataFile
make_file(Fixture *f, FileContent content, const char *name, int32_t day)
{
	PartitionValue *partition = arena_zero(f->arena, sizeof *partition);

	partition->bytes = bound_int(f->arena, day);
	return (DataFile){
		DATA_FILE_INIT,
		.content = content,
		.path = arena_printf(f->arena, "file:///lake/db/t/data/%s", name),
		.partition = partition,
		.partition_count = 1,
		.record_count = content == FILE_DATA ? 100 : 10,
		.size_bytes = 1000,
	};
}

static TableChange
snapshot_change(Fixture *f)
{
	f->clock += 10;
	return (TableChange){
		.timestamp_ms = f->clock,
		.has_snapshot = true,
		.snapshot_id = f->clock * 7,
		.uuid = arena_printf(f->arena, "uuid-%lld", (long long) f->clock),
	};
}

static const char *
uri(Fixture *f, const char *name)
{
	return arena_printf(f->arena, "file:///lake/db/t/data/%s", name);
}

/* The state that a reader of the written bytes would come to. */
static TableState *
reload(Fixture *f)
{
	TableState *loaded;
	ManifestFiles rows;
	const CommitFile *list = &f->commit.files[f->commit.file_count - 1];

	if (!table_state_new(f->commit.metadata, "x", 2, &loaded, &f->err) ||
	    !manifest_list_read(f->arena, list->path, list->bytes, &rows, &f->err))
		fail_msg("%s", f->err.text);
	for (int32_t i = 0; i < rows.count; i++)
	{
		Slice bytes = { 0 };

		for (int32_t k = 0; k < f->commit.file_count; k++)
			if (strcmp(f->commit.files[k].path, rows.items[i].path) == 0)
				bytes = f->commit.files[k].bytes;
		if (bytes.data && !table_state_add(loaded, &rows.items[i], bytes, &f->err))
			fail_msg("%s", f->err.text);
	}
	return loaded;
}

/* Commit, and check that what was written reads as what is kept. */
static void
commit(Fixture *f, const TableChange *change)
{
	TableState *next;

	if (!table_commit_build(f->arena, f->table, change, &f->commit, &f->err))
		fail_msg("%s", f->err.text);
	next = f->commit.next;
	if (change->has_snapshot)
	{
		TableState *loaded = reload(f);

		for (int32_t i = 0; i < loaded->manifest_count; i++)
		{
			ManifestEntries live = loaded->manifests[i]->live;

			for (int32_t k = 0; k < live.count; k++)
			{
				const ManifestEntry *kept =
					table_state_find(next, live.items[k].file.path);

				assert_non_null(kept);
				assert_int_equal(kept->sequence_number, live.items[k].sequence_number);
				assert_int_equal(kept->file_sequence_number,
				                 live.items[k].file_sequence_number);
				assert_int_equal(kept->snapshot_id, live.items[k].snapshot_id);
			}
		}
		table_state_free(loaded);
		assert_true(table_state_check(next, &f->err));
	}
	table_state_set_location(
		next,
		arena_printf(f->arena,
	                 "file:///lake/db/t/metadata/v%lld.metadata.json",
	                 (long long) f->table->version + 1),
		f->table->version + 1);
	table_state_free(f->table);
	f->table = next;
}

static const char *
summary(Fixture *f, const char *name)
{
	const char *value =
		properties_get(metadata_current_snapshot(f->table->metadata)->summary, name);

	return value ? value : "-";
}

static void
append_then_delete(void **state)
{
	Fixture *f = *state;
	DataFile a[] = { make_file(f, FILE_DATA, "a", 1), make_file(f, FILE_DATA, "b", 2) };
	DataFile b[] = { make_file(f, FILE_POSITION_DELETES, "d", 1),
		             make_file(f, FILE_DATA, "c", 1) };
	IcebergProperty extra = { "cdc.commit_lsn", "0/10" };
	TableChange change = snapshot_change(f);
	const char *removed = uri(f, "d");

	change.added = a;
	change.added_count = 2;
	change.summary = (IcebergProperties){ &extra, 1 };
	commit(f, &change);
	assert_int_equal(f->table->manifest_count, 1);
	assert_int_equal(f->commit.file_count, 2);
	assert_string_equal(f->commit.files[0].path,
	                    "file:///lake/db/t/metadata/uuid-1010-m0.avro");
	assert_string_equal(f->commit.files[1].path,
	                    "file:///lake/db/t/metadata/snap-7070-1-uuid-1010.avro");
	assert_string_equal(summary(f, "operation"), "append");
	assert_string_equal(summary(f, "added-data-files"), "2");
	assert_string_equal(summary(f, "changed-partition-count"), "2");
	assert_string_equal(summary(f, "total-records"), "200");
	assert_string_equal(summary(f, "cdc.commit_lsn"), "0/10");
	assert_string_equal(summary(f, "engine-name"), "cdc-sink");
	assert_string_equal(f->table->metadata->refs[0].name, "main");

	/* Data goes to the open manifest, deletes to one of their own. */
	change = snapshot_change(f);
	change.added = b;
	change.added_count = 2;
	commit(f, &change);
	assert_int_equal(f->table->manifest_count, 2);
	assert_string_equal(summary(f, "operation"), "overwrite");
	assert_string_equal(summary(f, "manifests-replaced"), "1");
	assert_string_equal(summary(f, "added-position-deletes"), "10");
	assert_string_equal(summary(f, "total-delete-files"), "1");
	assert_int_equal(table_state_find(f->table, uri(f, "a"))->sequence_number, 1);
	assert_int_equal(table_state_find(f->table, uri(f, "c"))->sequence_number, 2);
	assert_int_equal(f->table->manifests[0]->file.existing_files, 2);
	assert_int_equal(f->table->manifests[0]->file.min_sequence_number, 1);
	assert_string_equal(metadata_ancestry_get(f->table->metadata, "cdc.commit_lsn"),
	                    "0/10");

	/* A delete file is replaced: its manifest lists the old one DELETED, once. */
	change = snapshot_change(f);
	b[0].path = uri(f, "d2");
	change.added = b;
	change.added_count = 1;
	change.removed = &removed;
	change.removed_count = 1;
	commit(f, &change);
	assert_string_equal(summary(f, "operation"), "delete");
	assert_string_equal(summary(f, "removed-delete-files"), "1");
	assert_string_equal(summary(f, "manifests-kept"), "1");
	assert_int_equal(f->table->manifests[1]->file.deleted_files, 1);
	assert_null(table_state_find(f->table, removed));
	change = snapshot_change(f);
	b[0].path = uri(f, "d3");
	change.added = b;
	change.added_count = 1;
	commit(f, &change);
	assert_int_equal(f->table->manifests[1]->file.deleted_files, 0);
	assert_int_equal(f->table->manifests[1]->file.existing_files, 1);
}

static void
truncate_empties(void **state)
{
	Fixture *f = *state;
	DataFile files[] = { make_file(f, FILE_DATA, "a", 1),
		                 make_file(f, FILE_POSITION_DELETES, "d", 1),
		                 make_file(f, FILE_DATA, "b", 1) };
	TableChange change = snapshot_change(f);

	change.added = files;
	change.added_count = 2;
	commit(f, &change);
	change = snapshot_change(f);
	change.removes_all = true;
	commit(f, &change);
	assert_string_equal(summary(f, "operation"), "delete");
	assert_string_equal(summary(f, "total-data-files"), "0");
	assert_string_equal(summary(f, "deleted-records"), "100");
	assert_string_equal(summary(f, "removed-position-deletes"), "10");
	assert_int_equal(f->table->manifest_count, 2);

	/* The emptied manifests are listed in that snapshot alone; rows may come with a
	 * TRUNCATE. */
	change = snapshot_change(f);
	change.added = files + 2;
	change.added_count = 1;
	change.removes_all = true;
	commit(f, &change);
	assert_string_equal(summary(f, "operation"), "append");
	assert_int_equal(f->table->manifest_count, 1);
	assert_int_equal(f->table->manifests[0]->file.deleted_files, 0);
}

static void
changes_without_files(void **state)
{
	Fixture *f = *state;
	NewTable sample = sample_table();
	IcebergField fields[4];
	IcebergSchema schema = *sample.schema;
	IcebergProperty set = { "cdc.columns", "{}" };
	IcebergProperty marker = { "cdc.commit_lsn", "0/20" };
	const char *unset = "cdc.columns";
	TableChange change = snapshot_change(f);
	DataFile file = make_file(f, FILE_DATA, "a", 1);

	change.added = &file;
	change.added_count = 1;
	commit(f, &change);

	memcpy(fields, sample.schema->fields, 3 * sizeof *fields);
	fields[3] = (IcebergField){ .id = 4, .name = "n", .type = iceberg_type(ICEBERG_INT) };
	schema.fields = fields;
	schema.field_count = 4;
	change = (TableChange){ .timestamp_ms = 5000,
		                    .schema = &schema,
		                    .properties = { &set, 1 } };
	commit(f, &change);
	assert_int_equal(f->commit.file_count, 0);
	assert_int_equal(f->table->metadata->current_schema_id, 1);
	assert_int_equal(f->table->metadata->last_column_id, 4);
	assert_int_equal(f->table->metadata->snapshot_count, 1);
	assert_int_equal(f->table->metadata->last_updated_ms, 5000);
	assert_int_equal(f->table->manifest_count, 1);
	assert_string_equal(properties_get(f->table->metadata->properties, "cdc.columns"),
	                    "{}");

	/* The old schema again: its id, not a third. */
	change = (TableChange){
		.timestamp_ms = 5001, .schema = sample.schema, .unset = &unset, .unset_count = 1
	};
	commit(f, &change);
	assert_int_equal(f->table->metadata->current_schema_id, 0);
	assert_int_equal(f->table->metadata->schema_count, 2);
	assert_null(properties_get(f->table->metadata->properties, "cdc.columns"));

	/* A snapshot that only carries a position. */
	f->clock = 6000;
	change = snapshot_change(f);
	change.summary = (IcebergProperties){ &marker, 1 };
	commit(f, &change);
	assert_int_equal(f->commit.file_count, 1);
	assert_string_equal(summary(f, "operation"), "append");
	assert_string_equal(summary(f, "total-records"), "100");
	assert_int_equal(table_state_find(f->table, uri(f, "a"))->sequence_number, 1);

	change = (TableChange){ .timestamp_ms = 7000, .added = &file, .added_count = 1 };
	assert_false(table_commit_build(f->arena, f->table, &change, &f->commit, &f->err));
}

static void
specs_have_manifests_of_their_own(void **state)
{
	Fixture *f = *state;
	const PartitionField fields[] = { { 3, 1000, "ts_day", "void" },
		                              { 1, 1001, "id", "identity" } };
	const PartitionSpec spec = { .fields = fields, .field_count = 2 };
	PartitionValue tuple[] = { { true, { 0 } }, { false, bound_long(f->arena, 5) } };
	DataFile files[] = { make_file(f, FILE_DATA, "a", 1),
		                 make_file(f, FILE_DATA, "b", 1),
		                 make_file(f, FILE_POSITION_DELETES, "d", 1) };
	TableChange change = snapshot_change(f);

	change.added = files;
	change.added_count = 1;
	commit(f, &change);
	files[1].spec_id = 1;
	files[1].partition = tuple;
	files[1].partition_count = 2;
	change = snapshot_change(f);
	change.spec = &spec;
	change.added = files + 1;
	change.added_count = 2;
	commit(f, &change);
	assert_int_equal(f->table->metadata->default_spec_id, 1);
	assert_int_equal(f->table->metadata->last_partition_id, 1001);
	assert_int_equal(f->table->manifest_count, 3);
	assert_int_equal(f->table->manifests[1]->file.spec_id, 1);
	assert_true(f->table->manifests[1]->file.partitions[0].contains_null);
	assert_int_equal(f->table->manifests[2]->file.content, MANIFEST_DELETES);
}

static void
replaces_keep_sequence_numbers(void **state)
{
	Fixture *f = *state;
	DataFile files[] = { make_file(f, FILE_DATA, "a", 1),
		                 make_file(f, FILE_DATA, "b", 1),
		                 make_file(f, FILE_DATA, "ab", 1) };
	const char *removed[] = { files[0].path, files[1].path };
	TableChange change = snapshot_change(f);

	change.added = files;
	change.added_count = 2;
	commit(f, &change);
	change = snapshot_change(f);
	change.is_replace = true;
	change.added = files + 2;
	change.added_count = 1;
	change.removed = removed;
	change.removed_count = 2;
	change.data_sequence_number = 1;
	commit(f, &change);
	assert_string_equal(summary(f, "operation"), "replace");
	assert_int_equal(table_state_find(f->table, files[2].path)->sequence_number, 1);
	assert_int_equal(table_state_find(f->table, files[2].path)->file_sequence_number, 2);
	assert_int_equal(f->table->manifests[0]->file.min_sequence_number, 1);
}

static void
snapshots_expire(void **state)
{
	Fixture *f = *state;
	int64_t ids[30];
	TableChange change;

	for (int i = 0; i < 30; i++)
	{
		change = snapshot_change(f);
		ids[i] = change.snapshot_id;
		commit(f, &change);
	}
	assert_int_equal(f->table->metadata->metadata_log_count, METADATA_LOG_MAX);
	assert_int_equal(f->commit.dropped_metadata_count, 1);
	assert_string_equal(f->commit.dropped_metadata[0],
	                    "file:///lake/db/t/metadata/v10.metadata.json");
	assert_string_equal(f->table->metadata->metadata_log[METADATA_LOG_MAX - 1].file,
	                    "file:///lake/db/t/metadata/v30.metadata.json");
	change = snapshot_change(f);
	change.expired = ids;
	change.expired_count = 25;
	commit(f, &change);
	assert_int_equal(f->table->metadata->snapshot_count, 6);
	assert_int_equal(f->table->metadata->snapshot_log_count, 6);
	assert_null(metadata_snapshot(f->table->metadata, ids[24]));

	/* A hole in the log drops what is before it. */
	change =
		(TableChange){ .timestamp_ms = 9999, .expired = ids + 27, .expired_count = 1 };
	commit(f, &change);
	assert_int_equal(f->table->metadata->snapshot_count, 5);
	assert_int_equal(f->table->metadata->snapshot_log_count, 3);

	change.expired = &f->table->metadata->current_snapshot_id;
	assert_false(table_commit_build(f->arena, f->table, &change, &f->commit, &f->err));
	assert_non_null(strstr(f->err.text, "cannot expire snapshot"));
}

static void
refuses(Fixture *f, const TableChange *change, ErrKind kind, const char *text)
{
	assert_false(table_commit_build(f->arena, f->table, change, &f->commit, &f->err));
	assert_null(f->commit.next);
	assert_int_equal(f->err.kind, kind);
	if (!strstr(f->err.text, text))
		fail_msg("%s", f->err.text);
}

static void
mistakes_are_refused(void **state)
{
	Fixture *f = *state;
	DataFile files[] = { make_file(f, FILE_DATA, "a", 1),
		                 make_file(f, FILE_DATA, "b", 1) };
	const char *removed[] = { uri(f, "x"), uri(f, "a"), uri(f, "a") };
	TableChange change = snapshot_change(f);
	TableChange bad;

	change.added = files;
	change.added_count = 1;
	commit(f, &change);
	refuses(f, &change, ERR_CONFLICT, "snapshot id 7070 is taken");
	bad = change;
	bad.snapshot_id = 5;
	refuses(f, &bad, ERR_FATAL, "timestamp 1010 of a commit is not after 1010");
	bad.timestamp_ms = 2000;
	refuses(f, &bad, ERR_FATAL, "data/a\" is in the table already");
	files[0].path = files[1].path;
	bad.added_count = 2;
	refuses(f, &bad, ERR_FATAL, "data/b\" is added twice");
	bad.added_count = 0;
	bad.removed = removed;
	bad.removed_count = 1;
	refuses(f, &bad, ERR_FATAL, "1 files to be removed are not in the table");
	bad.removed_count = 3;
	refuses(f, &bad, ERR_FATAL, "data/a\" is removed twice");
	bad.removed_count = 0;
	bad.added_count = 1;
	files[0].spec_id = 9;
	refuses(f, &bad, ERR_FATAL, "partition spec 9 of file");
}

static void
manifests_roll(void **state)
{
	enum
	{
		COUNT = 3000,
		BOUNDS = 2000
	};
	Fixture *f = *state;
	DataFile *files = arena_zero(f->arena, COUNT * sizeof *files);
	IdBound *bounds = arena_zero(f->arena, BOUNDS * sizeof *bounds);
	TableChange change = snapshot_change(f);
	int64_t live = 0;

	/* About 28 kB of bounds an entry before deflate. */
	for (int i = 0; i < BOUNDS; i++)
		bounds[i] = (IdBound){ i, slice_from("0123456789") };
	for (int i = 0; i < COUNT; i++)
	{
		files[i] = make_file(f, FILE_DATA, arena_printf(f->arena, "%d", i), 1);
		files[i].lower_bounds = (IdBounds){ bounds, BOUNDS };
	}
	change.added = files;
	change.added_count = COUNT - 1;
	assert_true(table_commit_build(f->arena, f->table, &change, &f->commit, &f->err));
	table_state_free(f->table);
	f->table = f->commit.next;
	assert_int_equal(f->table->manifest_count, 3);
	for (int32_t i = 0; i < f->table->manifest_count; i++)
		live += f->table->manifests[i]->live.count;
	assert_int_equal(live, COUNT - 1);

	/* Only the last one is rewritten. */
	change = snapshot_change(f);
	change.added = files + COUNT - 1;
	change.added_count = 1;
	assert_true(table_commit_build(f->arena, f->table, &change, &f->commit, &f->err));
	table_state_free(f->table);
	f->table = f->commit.next;
	assert_string_equal(summary(f, "manifests-kept"), "2");
	assert_string_equal(summary(f, "total-data-files"), "3000");
}

static void
lost_manifests_are_noticed(void **state)
{
	Fixture *f = *state;
	DataFile file = make_file(f, FILE_DATA, "a", 1);
	TableChange change = snapshot_change(f);
	TableState *loaded;

	change.added = &file;
	change.added_count = 1;
	commit(f, &change);
	assert_true(table_state_new(f->commit.metadata, "x", 2, &loaded, &f->err));
	assert_false(table_state_check(loaded, &f->err));
	assert_non_null(strstr(f->err.text, "has 1 data files, its manifests have 0"));
	table_state_free(loaded);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(append_then_delete, begin, end),
		cmocka_unit_test_setup_teardown(truncate_empties, begin, end),
		cmocka_unit_test_setup_teardown(changes_without_files, begin, end),
		cmocka_unit_test_setup_teardown(specs_have_manifests_of_their_own, begin, end),
		cmocka_unit_test_setup_teardown(replaces_keep_sequence_numbers, begin, end),
		cmocka_unit_test_setup_teardown(snapshots_expire, begin, end),
		cmocka_unit_test_setup_teardown(mistakes_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(manifests_roll, begin, end),
		cmocka_unit_test_setup_teardown(lost_manifests_are_noticed, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
