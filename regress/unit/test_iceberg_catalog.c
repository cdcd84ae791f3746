/*
 * test_iceberg_catalog.c
 *		local storage and the file catalog, in a directory below TMPDIR.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
/* cmocka has a macro fail: our own headers first. */
#include "iceberg_support.h"
#include "lake/catalog/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Fixture
{
	Arena *arena;
	char *directory;
	const char *root; /* its URI */
	Storage *storage;
	Catalog *catalog;
	Err err;
} Fixture;

static const TableName orders = { "silver", "order s/ü" };

#define REQUIRE(call)                    \
	do                                   \
	{                                    \
		if (!(call))                     \
			fail_msg("%s", f->err.text); \
	} while (0)

static int
begin(void **state)
{
	Fixture *f = calloc(1, sizeof *f);
	const char *base = getenv("TMPDIR");

	f->arena = arena_new();
	f->directory = arena_printf(f->arena, "%s/cdc-lake-XXXXXX", base ? base : P_tmpdir);
	if (!mkdtemp(f->directory))
		return -1;
	if (!storage_local_uri(f->arena, f->directory, &f->root, &f->err))
		return -1;
	f->storage = storage_local_new();
	f->catalog = catalog_file_new(f->storage, f->root);
	*state = f;
	return 0;
}

static int
remove_entry(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
	(void) status;
	(void) kind;
	(void) ftw;
	return remove(path);
}

static int
end(void **state)
{
	Fixture *f = *state;

	nftw(f->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	catalog_free(f->catalog);
	storage_free(f->storage);
	arena_free(f->arena);
	free(f);
	return 0;
}

static const char *
at(Fixture *f, const char *name)
{
	return arena_printf(f->arena, "%s/%s", f->root, name);
}

static int32_t
count_files(Fixture *f)
{
	StoredFiles files;

	REQUIRE(storage_list(f->storage, f->arena, f->root, true, &files, &f->err));
	return files.count;
}

static void
files_are_stored(void **state)
{
	Fixture *f = *state;
	StoredFiles files;
	Slice bytes;
	int64_t size;

	REQUIRE(storage_get(f->storage, f->arena, at(f, "a/b/c"), &bytes, &f->err));
	assert_null(bytes.data);
	REQUIRE(storage_size(f->storage, at(f, "a/b/c"), &size, &f->err));
	assert_int_equal(size, -1);
	REQUIRE(storage_list(f->storage, f->arena, at(f, "nowhere"), true, &files, &f->err));
	assert_int_equal(files.count, 0);

	REQUIRE(storage_put(f->storage, at(f, "a/b/c"), slice_from("one"), &f->err));
	REQUIRE(storage_put(f->storage, at(f, "a/b/c"), slice_from("three"), &f->err));
	REQUIRE(storage_get(f->storage, f->arena, at(f, "a/b/c"), &bytes, &f->err));
	assert_string_equal(bytes.data, "three");
	REQUIRE(storage_put(f->storage, at(f, "a/empty"), (Slice){ 0 }, &f->err));
	REQUIRE(storage_get(f->storage, f->arena, at(f, "a/empty"), &bytes, &f->err));
	assert_true(bytes.data && bytes.len == 0);

	assert_false(
		storage_put_if_absent(f->storage, at(f, "a/b/c"), slice_from("four"), &f->err));
	assert_int_equal(f->err.kind, ERR_CONFLICT);
	REQUIRE(storage_put_if_absent(f->storage, at(f, "a/b/d"), slice_from("4"), &f->err));

	REQUIRE(storage_list(f->storage, f->arena, f->root, true, &files, &f->err));
	assert_int_equal(files.count, 3);
	assert_string_equal(files.items[0].path, at(f, "a/b/c"));
	assert_int_equal(files.items[0].size, 5);
	assert_true(files.items[0].modified_ms > INT64_C(1600000000000));
	REQUIRE(storage_list(f->storage, f->arena, at(f, "a"), false, &files, &f->err));
	assert_int_equal(files.count, 2);
	assert_string_equal(files.items[0].path, at(f, "a/b/"));

	REQUIRE(storage_remove(f->storage, at(f, "a/b/c"), &f->err));
	REQUIRE(storage_remove(f->storage, at(f, "a/b/c"), &f->err));
	assert_int_equal(count_files(f), 2);
}

static void
data_files_are_published(void **state)
{
	Fixture *f = *state;
	const char *paths[] = { at(f, "data/1"), at(f, "data/2") };
	const char *local;

	for (int i = 0; i < 2; i++)
	{
		FILE *file;

		REQUIRE(
			storage_local_path(f->storage, f->arena, paths[i], true, &local, &f->err));
		assert_string_equal(local, paths[i] + strlen("file://"));
		file = fopen(local, "w");
		assert_non_null(file);
		fputs("x", file);
		fclose(file);
	}
	REQUIRE(storage_publish(f->storage, paths, 2, &f->err));
	paths[1] = at(f, "data/3");
	assert_false(storage_publish(f->storage, paths, 2, &f->err));
	assert_false(
		storage_local_path(f->storage, f->arena, "s3://b/k", false, &local, &f->err));
}

/* Of many processes that want the same name one gets it, and the file is whole. */
static void
one_writer_wins(void **state)
{
	Fixture *f = *state;
	int won = 0;
	int status;
	Slice bytes;

	for (int i = 0; i < 8; i++)
	{
		if (fork() != 0)
			continue;
		if (storage_put_if_absent(f->storage,
		                          at(f, "race"),
		                          slice_from(arena_printf(f->arena, "writer %d", i)),
		                          &f->err))
			_exit(0);
		_exit(f->err.kind == ERR_CONFLICT ? 1 : 2);
	}
	while (wait(&status) > 0)
	{
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
		won += WEXITSTATUS(status) == 0;
	}
	assert_int_equal(won, 1);
	assert_int_equal(count_files(f), 1);
	REQUIRE(storage_get(f->storage, f->arena, at(f, "race"), &bytes, &f->err));
	assert_int_equal(bytes.len, strlen("writer 0"));
}

static void
failures_leave_nothing(void **state)
{
	Fixture *f = *state;
	struct rlimit old;
	struct rlimit small;
	char *great = arena_zero(f->arena, 100000);
	Slice bytes;

	/* A file that cannot be written to its end, as on a full disk. */
	REQUIRE(storage_put(f->storage, at(f, "x"), slice_from("old"), &f->err));
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_false(storage_put(f->storage, at(f, "x"), (Slice){ great, 100000 }, &f->err));
	assert_false(
		storage_put_if_absent(f->storage, at(f, "y"), (Slice){ great, 100000 }, &f->err));
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(f->err.kind, ERR_RETRY);
	assert_non_null(strstr(f->err.text, "could not write file"));
	assert_int_equal(count_files(f), 1);
	REQUIRE(storage_get(f->storage, f->arena, at(f, "x"), &bytes, &f->err));
	assert_string_equal(bytes.data, "old");

	/* What will not pass by itself is for somebody to change. */
	assert_false(storage_put(f->storage, at(f, "x/y"), slice_from("z"), &f->err));
	assert_int_equal(f->err.kind, ERR_CONFIG);
	assert_true(f->err.hint[0] != '\0');
	assert_false(storage_get(f->storage, f->arena, f->root, &bytes, &f->err));
	assert_int_equal(f->err.kind, ERR_CONFIG);
	assert_false(storage_put(f->storage, "s3://bucket/x", slice_from("z"), &f->err));
	assert_int_equal(f->err.kind, ERR_FATAL);
	assert_false(storage_put(f->storage, "file://host/x", slice_from("z"), &f->err));
	assert_int_equal(f->err.kind, ERR_FATAL);
}

static void
paths_have_one_spelling(void **state)
{
	Fixture *f = *state;
	const char *const uris[][2] = {
		{ "/lake", "file:///lake" },         { "/lake//a/./b/../c/", "file:///lake/a/c" },
		{ "file:///lake/", "file:///lake" }, { "file:/lake", "file:///lake" },
		{ "/../lake", "file:///lake" },
	};
	const char *const parts[][2] = {
		{ "orders", "orders" },     { "a b", "a%20b" }, { "..", "%2E." },
		{ "a/b", "a%2Fb" },         { "ü", "%C3%BC" },  { "50%", "50%25" },
		{ "v1.2-x_y", "v1.2-x_y" }, { "~", "%7E" },     { "", "" },
	};
	const char *uri;
	char longest[400];
	const char *one;
	const char *other;

	for (size_t i = 0; i < sizeof uris / sizeof *uris; i++)
	{
		REQUIRE(storage_local_uri(f->arena, uris[i][0], &uri, &f->err));
		assert_string_equal(uri, uris[i][1]);
	}
	REQUIRE(storage_local_uri(f->arena, "lake", &uri, &f->err));
	assert_true(strncmp(uri, "file:///", 8) == 0);
	assert_string_equal(strrchr(uri, '/'), "/lake");
	assert_true(storage_is_temporary("file:///lake/t/metadata/.tmp-1-22-333"));
	assert_false(storage_is_temporary("file:///lake/t/metadata/.tmp-of-mine"));
	assert_false(storage_is_temporary("file:///lake/t/metadata/v1.metadata.json"));
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
	{
		assert_string_equal(storage_encode_part(f->arena, parts[i][0]), parts[i][1]);
		assert_string_equal(storage_decode_part(f->arena, parts[i][1]), parts[i][0]);
	}
	memset(longest, 'x', sizeof longest);
	longest[300] = '\0';
	one = storage_encode_part(f->arena, longest);
	longest[299] = 'y';
	other = storage_encode_part(f->arena, longest);
	assert_true(strlen(one) <= 255 && strcmp(one, other) != 0);
}

static TableChange
marker_change(Fixture *f, int64_t number)
{
	return (TableChange){
		.timestamp_ms = 2000 + number,
		.has_snapshot = true,
		.snapshot_id = number,
		.uuid = arena_printf(f->arena, "uuid-%lld", (long long) number),
	};
}

static bool
commit_marker(Fixture *f, TableState **table, int64_t number)
{
	TableChange change = marker_change(f, number);
	CatalogCommit commit = { .table = &orders, .state = table };

	REQUIRE(table_commit_build(f->arena, *table, &change, &commit.commit, &f->err));
	return catalog_commit(f->catalog, &commit, 1, &f->err);
}

static TableState *
create(Fixture *f)
{
	NewTable table = sample_table();
	TableState *made;

	table.location = NULL;
	REQUIRE(catalog_create(f->catalog, &orders, &table, &made, &f->err));
	return made;
}

static void
tables_are_created_and_loaded(void **state)
{
	Fixture *f = *state;
	NewTable sample = sample_table();
	TableState *table;
	TableState *again;
	const char *const *names;
	int32_t count;
	DataFile file = { DATA_FILE_INIT, .path = "file:///x", .partition_count = 1 };
	PartitionValue day = { .is_null = true };
	TableChange change = marker_change(f, 1);
	CatalogCommit commit = { .table = &orders, .state = &table };

	REQUIRE(catalog_load(f->catalog, &orders, &table, &f->err));
	assert_null(table);
	table = create(f);
	assert_string_equal(table->metadata->location, at(f, "silver/order%20s%2F%C3%BC"));
	assert_string_equal(table->metadata->location,
	                    catalog_location(f->catalog, f->arena, &orders));
	assert_false(catalog_create(f->catalog, &orders, &sample, &again, &f->err));
	assert_int_equal(f->err.kind, ERR_CONFLICT);
	REQUIRE(catalog_list(f->catalog, f->arena, "silver", &names, &count, &f->err));
	assert_int_equal(count, 1);
	assert_string_equal(names[0], orders.name);

	file.partition = &day;
	change.added = &file;
	change.added_count = 1;
	REQUIRE(table_commit_build(f->arena, table, &change, &commit.commit, &f->err));
	REQUIRE(catalog_commit(f->catalog, &commit, 1, &f->err));
	assert_int_equal(table->version, 2);
	REQUIRE(catalog_load(f->catalog, &orders, &again, &f->err));
	assert_int_equal(again->version, 2);
	assert_string_equal(again->metadata_location, table->metadata_location);
	assert_non_null(table_state_find(again, "file:///x"));
	table_state_free(again);
	table_state_free(table);
}

static void
stale_writers_lose(void **state)
{
	Fixture *f = *state;
	TableState *first = create(f);
	TableState *second;

	REQUIRE(catalog_load(f->catalog, &orders, &second, &f->err));
	REQUIRE(commit_marker(f, &first, 1));
	assert_false(commit_marker(f, &second, 2));
	assert_int_equal(f->err.kind, ERR_CONFLICT);
	assert_int_equal(second->version, 1);

	/* Even when the version it would write has been cleaned up. */
	REQUIRE(commit_marker(f, &first, 3));
	REQUIRE(storage_remove(f->storage,
	                       at(f, "silver/order%20s%2F%C3%BC/metadata/v2.metadata.json"),
	                       &f->err));
	assert_false(commit_marker(f, &second, 4));
	assert_int_equal(f->err.kind, ERR_CONFLICT);
	table_state_free(first);
	table_state_free(second);
}

static void
hints_are_hints(void **state)
{
	Fixture *f = *state;
	TableState *table = create(f);
	const char *hint = at(f, "silver/order%20s%2F%C3%BC/metadata/version-hint.text");
	const char *const hints[] = { "1", "3\n", "2", "nonsense", "", "-1" };
	Slice text;

	REQUIRE(commit_marker(f, &table, 1));
	REQUIRE(commit_marker(f, &table, 2));
	table_state_free(table);
	REQUIRE(storage_get(f->storage, f->arena, hint, &text, &f->err));
	assert_string_equal(text.data, "3");
	for (size_t i = 0; i <= sizeof hints / sizeof *hints; i++)
	{
		if (i < sizeof hints / sizeof *hints)
			REQUIRE(storage_put(f->storage, hint, slice_from(hints[i]), &f->err));
		else
			REQUIRE(storage_remove(f->storage, hint, &f->err));
		REQUIRE(catalog_load(f->catalog, &orders, &table, &f->err));
		assert_int_equal(table->version, 3);
		table_state_free(table);
	}
	/* It follows the metadata: one that is ahead tells of a file that has gone. */
	REQUIRE(storage_put(f->storage, hint, slice_from("77"), &f->err));
	assert_false(catalog_load(f->catalog, &orders, &table, &f->err));
	assert_int_equal(f->err.kind, ERR_CONFIG);
	assert_non_null(strstr(f->err.text, "v77.metadata.json"));
}

/* A damaged or missing file is an error that names it, and nothing is written. */
static void
damage_is_reported(void **state)
{
	Fixture *f = *state;
	TableState *table = create(f);
	TableState *again;
	const char *metadata;
	const char *list;
	Slice bytes;

	REQUIRE(commit_marker(f, &table, 1));
	metadata = table->metadata_location;
	list = metadata_current_snapshot(table->metadata)->manifest_list;

	REQUIRE(storage_get(f->storage, f->arena, list, &bytes, &f->err));
	REQUIRE(storage_put(f->storage, list, (Slice){ bytes.data, 100 }, &f->err));
	assert_false(catalog_load(f->catalog, &orders, &again, &f->err));
	assert_non_null(strstr(f->err.text, list));
	assert_null(again);
	REQUIRE(storage_remove(f->storage, list, &f->err));
	assert_false(catalog_load(f->catalog, &orders, &again, &f->err));
	assert_non_null(strstr(f->err.text, "of the table is missing"));
	assert_int_equal(f->err.kind, ERR_CONFIG);

	REQUIRE(storage_put(f->storage, metadata, slice_from("{\"format-"), &f->err));
	assert_false(catalog_load(f->catalog, &orders, &again, &f->err));
	assert_non_null(strstr(f->err.text, metadata));
	assert_int_equal(f->err.kind, ERR_CONFIG);

	REQUIRE(storage_remove(f->storage, metadata, &f->err));
	REQUIRE(storage_remove(f->storage,
	                       at(f, "silver/order%20s%2F%C3%BC/metadata/v1.metadata.json"),
	                       &f->err));
	assert_false(catalog_load(f->catalog, &orders, &again, &f->err));
	assert_non_null(strstr(f->err.text, "version-hint.text"));
	table_state_free(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_are_stored, begin, end),
		cmocka_unit_test_setup_teardown(data_files_are_published, begin, end),
		cmocka_unit_test_setup_teardown(one_writer_wins, begin, end),
		cmocka_unit_test_setup_teardown(failures_leave_nothing, begin, end),
		cmocka_unit_test_setup_teardown(paths_have_one_spelling, begin, end),
		cmocka_unit_test_setup_teardown(tables_are_created_and_loaded, begin, end),
		cmocka_unit_test_setup_teardown(stale_writers_lose, begin, end),
		cmocka_unit_test_setup_teardown(hints_are_hints, begin, end),
		cmocka_unit_test_setup_teardown(damage_is_reported, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
