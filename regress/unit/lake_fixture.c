/*
 * lake_fixture.c
 *		hand-made streams for the lake output, and its tables read back.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lake_fixture.h"

#include "base/clock.h"
#include "lake/files.h"
#include "lake/lake.h"

/* After ours: cmocka.h defines a macro fail(). */
#include <cmocka.h>

#define MAX_COLUMNS 16

LakeFixture *
fixture_new(void)
{
	LakeFixture *fixture = calloc(1, sizeof *fixture);
	Alloc alloc;

	assert_non_null(fixture);
	fixture->arena = arena_new();
	alloc = arena_as_alloc(fixture->arena);
	(void) snprintf(
		fixture->directory, sizeof fixture->directory, "/tmp/test_lake.XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	env_options_init(&fixture->config.env, &alloc);
	fixture->config.outputs = OUTPUT_BRONZE | OUTPUT_SILVER;
	fixture->config.max_memory = (int64_t) 256 << 20;
	fixture->config.lake_warehouse =
		arena_printf(fixture->arena, "file://%s", fixture->directory);
	fixture->config.lake_namespace = "cdc";
	fixture->config.lake_flush_interval_ms = 3600000;
	fixture->config.lake_flush_bytes = (int64_t) 64 << 20;
	fixture->config.lake_checkpoints_keep = 3;
	fixture->config.lake_snapshots_keep = 200;
	fixture->config.lake_snapshots_age_ms = 6 * 3600000;
	fixture->config.lake_append_tables = (FilterList){ .text = "" };
	fixture->budget = (BatchBudget){ .limit = (size_t) 1 << 30, .wake_fd = -1 };
	fixture->self = (Position){ .phase = POSITION_STREAM,
		                        .system_id = 7300000000000000001,
		                        .timeline = 1,
		                        .database = "shop",
		                        .slot = "cdc_sink",
		                        .fingerprint = 42 };
	fixture->lsn = 0x1000;
	return fixture;
}

static int
remove_entry(const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
	(void) status;
	(void) flag;
	(void) ftw;
	return remove(path);
}

void
fixture_free(LakeFixture *fixture)
{
	if (fixture->output != NULL)
		fixture_close(fixture);
	if (getenv("KEEP") == NULL)
		(void) nftw(fixture->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	else
		print_message("%s\n", fixture->directory);
	env_options_fini(&fixture->config.env);
	arena_free(fixture->arena);
	free(fixture);
}

void
fixture_open(LakeFixture *fixture, Position *stored)
{
	Err err = { 0 };

	fixture->output = lake_output_new(&fixture->config, -1);
	if (!fixture->output->ops->open(fixture->output, &fixture->self, stored, &err))
		fail_msg("open: %s", err.text);
}

void
fixture_close(LakeFixture *fixture)
{
	batch_unref(fixture->batch);
	fixture->batch = NULL;
	fixture->output->ops->close(fixture->output);
	fixture->output = NULL;
}

void
fixture_send(LakeFixture *fixture)
{
	if (fixture->batch == NULL)
		return;
	batch_seal(fixture->batch);
	while (!fixture->output->ops->offer(fixture->output, fixture->batch))
		(void) usleep(1000);
	batch_unref(fixture->batch);
	fixture->batch = NULL;
}

bool
fixture_cut(LakeFixture *fixture, Err *err)
{
	int64_t deadline = clock_mono_us() + 60000000;
	Lsn end = 0;

	fixture_send(fixture);
	while (fixture->output->ops->durable(fixture->output, &end, err))
	{
		if (end >= fixture->lsn)
			return true;
		fixture->output->ops->flush(fixture->output);
		(void) usleep(1000);
		if (clock_mono_us() > deadline)
			fail_msg("no cut within a minute");
	}
	return false;
}

/* ---- Relations and tuples ---- */

typedef struct TypeSpec
{
	uint32_t oid;
	const char *name;
} TypeSpec;

static const TypeSpec types[] = {
	{ TYPE_INT4, "int4" },         { TYPE_INT8, "int8" },
	{ TYPE_TEXT, "text" },         { TYPE_NUMERIC, "numeric" },
	{ TYPE_DATE, "date" },         { TYPE_TIME, "time" },
	{ TYPE_FLOAT8, "float8" },     { TYPE_TIMESTAMPTZ, "timestamptz" },
	{ TYPE_UUID, "uuid" },         { TYPE_BOOL, "bool" },
	{ TYPE_INTERVAL, "interval" },
};

static const char *
type_name(uint32_t oid)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].oid == oid)
			return types[i].name;
	return oid == 1007 ? "_int4" : "text";
}

static void
make_column(LakeFixture *fixture, RelationColumn *column, const ColumnSpec *spec,
            int index)
{
	*column = (RelationColumn){
		.name = spec->name,
		.index = (uint16_t) index,
		.attnum = (int16_t) spec->attnum,
		.type_oid = spec->oid,
		.typmod = spec->typmod,
		.base_oid = spec->oid,
		.base_typmod = spec->typmod,
		.type_kind = 'b',
		.type_name = type_name(spec->oid),
		.type_schema = "pg_catalog",
		.type_text = type_name(spec->oid),
		.element_oid = spec->oid == 1007 ? TYPE_INT4 : 0,
		.element_kind = 'b',
		.element_name = spec->oid == 1007 ? "int4" : "",
		.in_identity = spec->is_key,
		.not_null = spec->is_key,
		.default_text = spec->default_text,
	};
	if (spec->missing != NULL)
	{
		uint32_t value = __builtin_bswap32((uint32_t) strtol(spec->missing, NULL, 10));

		column->missing_kind = VALUE_BINARY;
		column->missing =
			arena_slice(fixture->arena, (Slice){ (const char *) &value, 4 });
		column->default_text = spec->missing;
	}
}

const Relation *
fixture_relation(LakeFixture *fixture, uint32_t relid, const char *name, char identity,
                 const ColumnSpec *columns, int count)
{
	Relation made = { .relid = relid,
		              .schema = "public",
		              .name = name,
		              .replica_identity = identity,
		              .relkind = 'r',
		              .root_schema = "",
		              .root_name = "",
		              .column_count = (uint16_t) count };
	Alloc alloc = arena_as_alloc(fixture->arena);
	uint16_t *key = arena_alloc(fixture->arena, sizeof *key * MAX_COLUMNS);
	Buf body = buf_heap();
	EnvError error;
	Relation *relation;

	made.columns = arena_alloc(fixture->arena, sizeof *made.columns * MAX_COLUMNS);
	for (int i = 0; i < count; i++)
	{
		make_column(fixture, &made.columns[i], &columns[i], i);
		if (columns[i].is_key)
			key[made.key_count++] = (uint16_t) i;
	}
	made.key = key;
	made.key_source = made.key_count > 0 ? 'p' : 0;
	relation_write(&body, &made);
	relation = relation_read((Slice){ body.data, body.len }, &alloc, &error);
	buf_free(&body);
	if (relation == NULL)
		fail_msg("%s", error.message);
	return relation;
}

static void
put_numeric(Buf *buf, int64_t number)
{
	Buf value = buf_heap();
	uint64_t rest = (uint64_t) llabs(number);
	uint16_t digits[8];
	uint16_t count = 0;

	for (; rest > 0; rest /= 10000)
		digits[count++] = (uint16_t) (rest % 10000);
	buf_u16(&value, count);
	buf_u16(&value, (uint16_t) (count - 1));
	buf_u16(&value, number < 0 ? NUMERIC_NEGATIVE : NUMERIC_POSITIVE);
	buf_u16(&value, 0);
	while (count > 0)
		buf_u16(&value, digits[--count]);
	wire_value(buf, 'b', value.data, (uint32_t) value.len);
	buf_free(&value);
}

static void
put_text(Buf *buf, uint32_t oid, const char *text)
{
	int64_t number = strtoll(text, NULL, 10);
	uint64_t wide = __builtin_bswap64((uint64_t) number);
	uint32_t word = __builtin_bswap32((uint32_t) number);

	switch (oid)
	{
		case TYPE_INT4:
		case TYPE_DATE:
			wire_value(buf, 'b', &word, sizeof word);
			break;
		case TYPE_INT8:
		case TYPE_TIME:
		case TYPE_TIMESTAMPTZ:
			wire_value(buf, 'b', &wide, sizeof wide);
			break;
		case TYPE_NUMERIC:
			put_numeric(buf, number);
			break;
		default:
			wire_value(buf, 'b', text, (uint32_t) strlen(text));
	}
}

Slice
fixture_tuple(LakeFixture *fixture, const Relation *relation, const char *const *texts)
{
	Buf buf = buf_heap();
	Slice tuple;

	buf_u16(&buf, relation->column_count);
	for (uint16_t i = 0; i < relation->column_count; i++)
		if (texts[i] == NULL)
			buf_char(&buf, 'n');
		else if (strcmp(texts[i], "~") == 0)
			buf_char(&buf, 'u');
		else
			put_text(&buf, relation->columns[i].base_oid, texts[i]);
	tuple = arena_slice(fixture->arena, (Slice){ buf.data, buf.len });
	buf_free(&buf);
	return tuple;
}

Slice
fixture_raw(LakeFixture *fixture, const Relation *relation, const Slice *values)
{
	Buf buf = buf_heap();
	Slice tuple;

	buf_u16(&buf, relation->column_count);
	for (uint16_t i = 0; i < relation->column_count; i++)
		if (values[i].data == NULL)
			buf_char(&buf, 'n');
		else
			wire_value(&buf, 'b', values[i].data, (uint32_t) values[i].len);
	tuple = arena_slice(fixture->arena, (Slice){ buf.data, buf.len });
	buf_free(&buf);
	return tuple;
}

/* ---- Events ---- */

static Batch *
open_batch(LakeFixture *fixture)
{
	if (fixture->batch == NULL)
		fixture->batch = batch_new(&fixture->budget);
	return fixture->batch;
}

static Event *
add_event(LakeFixture *fixture, EventKind kind, const Relation *relation)
{
	Event *event = batch_add(open_batch(fixture), kind);

	fixture->lsn += 0x10;
	event->lsn = fixture->lsn;
	event->relation = relation;
	event->txn = batch_txn(fixture->batch, &fixture->txn);
	return event;
}

void
fixture_begin(LakeFixture *fixture)
{
	fixture->txn = (Txn){ .commit_lsn = fixture->lsn + 0x100000,
		                  .commit_us = INT64_C(1700000000000000) + (int64_t) fixture->lsn,
		                  .xid = ++fixture->xid };
}

void
fixture_commit(LakeFixture *fixture)
{
	Event *event = add_event(fixture, EVENT_COMMIT, NULL);

	assert_true(fixture->lsn < fixture->txn.commit_lsn);
	fixture->lsn = event->lsn = fixture->txn.commit_lsn + 0x20;
	fixture->batch->end_lsn = event->lsn;
}

static Slice
keep(LakeFixture *fixture, Slice tuple)
{
	if (tuple.data == NULL)
		return tuple;
	return (Slice){ batch_copy(open_batch(fixture), tuple.data, tuple.len), tuple.len };
}

void
fixture_insert(LakeFixture *fixture, const Relation *relation, Slice tuple)
{
	add_event(fixture, EVENT_INSERT, relation)->new_tuple = keep(fixture, tuple);
}

void
fixture_update(LakeFixture *fixture, const Relation *relation, char old_kind, Slice old,
               Slice tuple)
{
	Event *event = add_event(fixture, EVENT_UPDATE, relation);

	event->old_kind = old_kind;
	event->old_tuple = keep(fixture, old);
	event->new_tuple = keep(fixture, tuple);
}

void
fixture_delete(LakeFixture *fixture, const Relation *relation, char old_kind, Slice old)
{
	Event *event = add_event(fixture, EVENT_DELETE, relation);

	event->old_kind = old_kind;
	event->old_tuple = keep(fixture, old);
}

void
fixture_truncate(LakeFixture *fixture, const Relation *relation)
{
	(void) add_event(fixture, EVENT_TRUNCATE, relation);
}

/* text, terminated, for as long as the batch. */
static Slice
text(LakeFixture *fixture, const char *from)
{
	if (from == NULL)
		return (Slice){ NULL, 0 };
	return (Slice){ batch_copy(open_batch(fixture), from, strlen(from)), strlen(from) };
}

static void
read_table(LakeFixture *fixture, const Relation *relation, const char *partial,
           const Slice *tuples, int count)
{
	Event *event;

	fixture->txn.commit_lsn = fixture->lsn;
	event = add_event(fixture, EVENT_TABLE_BEGIN, relation);
	event->old_tuple = text(fixture, partial);
	for (int i = 0; i < count; i++)
	{
		event = add_event(fixture, EVENT_READ, relation);
		event->new_tuple = keep(fixture, tuples[i]);
		event->ordinal = (uint32_t) i;
	}
	(void) add_event(fixture, EVENT_TABLE_END, relation);
}

static void
end_snapshot(LakeFixture *fixture, const char *name)
{
	Event *event = add_event(fixture, EVENT_SNAPSHOT_END, NULL);

	event->old_tuple = text(fixture, name);
	event->txn = NULL;
	fixture->batch->end_lsn = event->lsn;
}

void
fixture_snapshot(LakeFixture *fixture, const Relation *relation, const Slice *tuples,
                 int count)
{
	read_table(fixture, relation, NULL, tuples, count);
}

void
fixture_snapshot_end(LakeFixture *fixture)
{
	end_snapshot(fixture, NULL);
}

void
fixture_reread(LakeFixture *fixture, const Relation *relation, const char *partial,
               const Slice *tuples, int count)
{
	read_table(fixture, relation, partial, tuples, count);
	end_snapshot(fixture,
	             arena_printf(fixture->arena, "%s.%s", relation->schema, relation->name));
}

void
fixture_keepalive(LakeFixture *fixture)
{
	Event *event = add_event(fixture, EVENT_KEEPALIVE, NULL);

	event->txn = NULL;
	fixture->batch->end_lsn = event->lsn;
}

/* ---- Reading ---- */

static void
cell_print(Buf *buf, const IcebergType *type, const Cell *cell)
{
	switch (cell->kind)
	{
		case CELL_NULL:
			buf_text(buf, "null");
			break;
		case CELL_INT:
			buf_int64(buf, cell->integer);
			break;
		case CELL_FLOAT:
			buf_printf(buf, "%g", cell->real);
			break;
		case CELL_DECIMAL:
			buf_printf(buf, "%" PRId64, (int64_t) (cell->decimal));
			break;
		case CELL_BYTES:
			buf_slice(buf, cell->bytes);
			break;
		case CELL_LIST:
			buf_char(buf, '[');
			for (uint32_t i = 0; i < cell->count; i++)
			{
				if (i > 0)
					buf_char(buf, type->kind == ICEBERG_MAP && i % 2 == 1 ? '=' : ',');
				cell_print(buf,
				           &type->fields[i % (uint32_t) type->field_count].type,
				           &cell->items[i]);
			}
			buf_char(buf, ']');
	}
}

static int
compare_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

typedef struct Lines
{
	const char **items;
	size_t count;
	size_t room;
} Lines;

static void
read_file(LakeFixture *fixture, Store *store, Table *table, const LiveFile *file,
          const IcebergField *fields, int count, Lines *lines)
{
	ParquetRead read = { .fields = fields, .field_count = count };
	ParquetRows *rows;
	bool end = false;
	Err err = { 0 };

	assert_true(
		table_local_path(table, fixture->arena, file->uri, &read.local_path, &err));
	if (!parquet_open(store->parquet, &read, &rows, &err))
		fail_msg("%s", err.text);
	for (;;)
	{
		Buf line = buf_heap();

		assert_true(parquet_next(rows, &end, &err));
		if (end)
			break;
		if (files_is_dead(file, parquet_position(rows)))
			continue;
		for (int i = 0; i < count; i++)
		{
			Cell cell = parquet_cell(rows, i, fixture->arena);

			if (i > 0)
				buf_char(&line, '|');
			cell_print(&line, &fields[i].type, &cell);
		}
		if (lines->count == lines->room)
		{
			lines->room = lines->room * 2 + 64;
			lines->items = xrealloc(lines->items, sizeof(char *) * lines->room);
		}
		lines->items[lines->count++] = arena_strndup(fixture->arena, line.data, line.len);
		buf_free(&line);
	}
	parquet_close(rows);
}

static void
open_store(LakeFixture *fixture, const char *name, Store *store, Table **table)
{
	Err err = { 0 };

	if (!store_init(store, &fixture->config, &err))
		fail_msg("%s", err.text);
	store->self = fixture->self;
	if (!table_open(store, name, table, &err))
		fail_msg("%s", err.text);
	if (*table == NULL)
		fail_msg("no table %s", name);
}

const char *
fixture_rows(LakeFixture *fixture, const char *name, const char *const *columns,
             int count)
{
	IcebergField fields[MAX_COLUMNS];
	const IcebergSchema *schema;
	LiveFiles files;
	Lines lines = { 0 };
	Store store;
	Table *table;
	Buf text = buf_heap();
	const char *result;
	Err err = { 0 };

	open_store(fixture, name, &store, &table);
	schema = table_schema(table);
	for (int i = 0; i < count; i++)
	{
		fields[i].id = 0;
		for (int32_t j = 0; j < schema->field_count; j++)
			if (strcmp(schema->fields[j].name, columns[i]) == 0)
				fields[i] = schema->fields[j];
		if (fields[i].id == 0)
			fail_msg("no column %s", columns[i]);
	}
	files_init(&files);
	if (!files_load(&files, table, &err))
		fail_msg("%s", err.text);
	for (uint32_t i = 1; i < files.count; i++)
		read_file(fixture, &store, table, &files.items[i], fields, count, &lines);
	if (lines.count > 0)
		qsort(lines.items, lines.count, sizeof(char *), compare_text);
	for (size_t i = 0; i < lines.count; i++)
	{
		buf_text(&text, lines.items[i]);
		buf_char(&text, '\n');
	}
	result = arena_strndup(fixture->arena, text.data, text.len);
	buf_free(&text);
	free(lines.items);
	files_fini(&files);
	table_close(table);
	store_fini(&store);
	return result;
}

int64_t
fixture_files(LakeFixture *fixture, const char *name, int content)
{
	Store store;
	Table *table;
	int64_t count;

	open_store(fixture, name, &store, &table);
	count = table_state_totals(table->state).files[content];
	table_close(table);
	store_fini(&store);
	return count;
}

const char *
fixture_property(LakeFixture *fixture, const char *name, const char *property)
{
	Store store;
	Table *table;
	const char *value;

	open_store(fixture, name, &store, &table);
	value = table_property(table, property);
	if (value != NULL)
		value = arena_strdup(fixture->arena, value);
	table_close(table);
	store_fini(&store);
	return value;
}
