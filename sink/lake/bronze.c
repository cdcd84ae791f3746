/*
 * bronze.c
 *		buffered changes, rendered into data files by day.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/bronze.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "envelope/render.h"
#include "envelope/value.h"
#include "lake/iceberg/bounds.h"
#include "lake/shape.h"

#define RELID_PROPERTY "cdc.relid"
#define DAY_SECONDS    86400
#define PLANS_KEPT     64                 /* beyond a cut */
#define TUPLE_LARGE    ((size_t) 8 << 20) /* worth looking into */
#define TEXT_KEPT      ((size_t) 4 << 20) /* of a row's buffers, for the next one */
#define NUMBER_TEXT    64                 /* around a name, or a value of few bytes */

enum BronzeField
{
	FIELD_OP,
	FIELD_COMMIT_LSN,
	FIELD_LSN,
	FIELD_ORDINAL,
	FIELD_TXID,
	FIELD_SOURCE_TS,
	FIELD_INGEST_TS,
	FIELD_KEY,
	FIELD_BEFORE,
	FIELD_AFTER,
	FIELD_UNCHANGED,
	FIELD_SCHEMA_VERSION,
	FIELD_COUNT,
};

/* clang-format off */
static const IcebergField bronze_fields[FIELD_COUNT] = {
	{ .id = 1,  .name = "op",             .type = { .kind = ICEBERG_STRING } },
	{ .id = 2,  .name = "commit_lsn",     .type = { .kind = ICEBERG_LONG } },
	{ .id = 3,  .name = "lsn",            .type = { .kind = ICEBERG_LONG } },
	{ .id = 4,  .name = "ordinal",        .type = { .kind = ICEBERG_LONG } },
	{ .id = 5,  .name = "txid",           .type = { .kind = ICEBERG_LONG } },
	{ .id = 6,  .name = "source_ts",      .type = { .kind = ICEBERG_TIMESTAMPTZ } },
	{ .id = 7,  .name = "ingest_ts",      .type = { .kind = ICEBERG_TIMESTAMPTZ } },
	{ .id = 8,  .name = "key",            .type = { .kind = ICEBERG_STRING } },
	{ .id = 9,  .name = "before",         .type = { .kind = ICEBERG_STRING } },
	{ .id = 10, .name = "after",          .type = { .kind = ICEBERG_STRING } },
	{ .id = 11, .name = "unchanged",      .type = { .kind = ICEBERG_STRING } },
	{ .id = 12, .name = "schema_version", .type = { .kind = ICEBERG_LONG } },
};
/* clang-format on */

static const IcebergSchema bronze_schema = { .fields = bronze_fields,
	                                         .field_count = FIELD_COUNT };

static const PartitionField day_field = { .source_id = 6,
	                                      .field_id = PARTITION_FIELD_FIRST,
	                                      .name = "source_ts_day",
	                                      .transform = "day" };

static const PartitionSpec day_spec = { .fields = &day_field, .field_count = 1 };

/* A change; its tuples are in the buffer's arena. */
typedef struct BronzeRow
{
	const Relation *relation;
	Slice old_tuple;
	Slice new_tuple;
	Lsn commit_lsn;
	Lsn lsn;
	int64_t source_us;
	int64_t ingest_us;
	uint32_t xid;
	uint32_t ordinal;
	char kind;
	char old_kind;
	int32_t day;
} BronzeRow;

typedef struct PlanSlot
{
	const Relation *relation;
	RenderPlan *plan;
} PlanSlot;

struct Bronze
{
	Store *store;
	Table *table;
	uint32_t relid;
	Arena *buffer;
	BronzeRow *rows;
	uint32_t row_count;
	uint32_t row_room;
	Arena *plans_arena;
	PlanSlot *plans;
	uint32_t plan_count;
};

/* ---- Opening ---- */

Bronze *
bronze_open(Store *store, Table *table)
{
	Bronze *bronze = xmalloc(sizeof *bronze);
	const char *relid = table_property(table, RELID_PROPERTY);

	*bronze = (Bronze){
		.store = store, .table = table, .buffer = arena_new(), .plans_arena = arena_new()
	};
	if (relid != NULL)
		bronze->relid = (uint32_t) strtoul(relid, NULL, 10);
	return bronze;
}

bool
bronze_make(Store *store, const char *name, const Relation *relation, Bronze **bronze,
            Err *err)
{
	Arena *arena = arena_new();
	IcebergProperty properties[] = {
		{ RELID_PROPERTY, arena_printf(arena, "%u", relation_root(relation)) },
		{ "cdc.source",
		  arena_printf(
			  arena,
			  "%s.%s",
			  relation->root_relid != 0 ? relation->root_schema : relation->schema,
			  relation->root_relid != 0 ? relation->root_name : relation->name) },
	};
	TableMake make = { .name = name,
		               .schema = &bronze_schema,
		               .spec = &day_spec,
		               .properties = properties,
		               .property_count = 2 };
	Table *table;
	bool ok = table_make(store, &make, &table, err);

	*bronze = ok ? bronze_open(store, table) : NULL;
	arena_free(arena);
	return ok;
}

void
bronze_close(Bronze *bronze)
{
	if (bronze == NULL)
		return;
	table_close(bronze->table);
	arena_free(bronze->buffer);
	arena_free(bronze->plans_arena);
	free(bronze->rows);
	free(bronze->plans);
	free(bronze);
}

Table *
bronze_table(Bronze *bronze)
{
	return bronze->table;
}

uint32_t
bronze_relid(const Bronze *bronze)
{
	return bronze->relid;
}

void
bronze_set_relid(Bronze *bronze, uint32_t relid)
{
	char text[16];

	if (bronze->relid == relid)
		return;
	bronze->relid = relid;
	(void) snprintf(text, sizeof text, "%u", relid);
	table_set_property(bronze->table, RELID_PROPERTY, text);
}

/* ---- Changes ---- */

/* Of a character in JSON: \u0001, or \" */
static size_t
escaped_bytes(Value value)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < value.len; i++)
	{
		unsigned char byte = (unsigned char) value.bytes[i];

		bytes += byte < ' ' ? 6 : byte == '"' || byte == '\\' ? 2 : 1;
	}
	return bytes;
}

static size_t
value_text_bytes(const RelationColumn *column, Value value)
{
	size_t fixed = strlen(column->name) + NUMBER_TEXT;

	if (value.kind == VALUE_TEXT)
		return escaped_bytes(value) + fixed;
	if (value.kind != VALUE_BINARY)
		return fixed;
	switch (column->element_oid != 0 ? column->element_oid : column->base_oid)
	{
		case TYPE_BYTEA:
			return (size_t) value.len / 3 * 4 + fixed;
		case TYPE_TEXT:
		case TYPE_VARCHAR:
		case TYPE_BPCHAR:
		case TYPE_JSON:
		case TYPE_JSONB:
		case TYPE_XML:
			return escaped_bytes(value) + fixed;
		default:
			return (size_t) value.len * 2 + fixed;
	}
}

static size_t
tuple_text_bytes(const Relation *relation, Slice tuple)
{
	Value values[RENDER_MAX_COLUMNS];
	EnvError error = { 0 };
	size_t bytes = 0;

	if (tuple.len < TUPLE_LARGE ||
	    !value_read_tuple(tuple, values, relation->column_count, &error))
		return tuple.len;
	for (uint16_t i = 0; i < relation->column_count; i++)
		bytes += value_text_bytes(&relation->columns[i], values[i]);
	return bytes;
}

size_t
bronze_text_bytes(const Event *event)
{
	size_t before = tuple_text_bytes(event->relation, event->old_tuple);
	size_t after = tuple_text_bytes(event->relation, event->new_tuple);

	return before > after ? before : after;
}

bool
bronze_event(Bronze *bronze, const Event *event, int64_t received_us, Err *err)
{
	BronzeRow *row;

	(void) err;
	if (bronze->row_count == bronze->row_room)
	{
		bronze->row_room = bronze->row_room == 0 ? 256 : bronze->row_room * 2;
		bronze->rows = xrealloc(bronze->rows, sizeof *bronze->rows * bronze->row_room);
	}
	row = &bronze->rows[bronze->row_count++];
	*row = (BronzeRow){
		.relation = event->relation,
		.commit_lsn = event->lsn,
		.lsn = event->lsn,
		.source_us = received_us,
		.ingest_us = received_us,
		.ordinal = event->ordinal,
		.kind = (char) event->kind,
		.old_kind = event->old_kind,
	};
	if (event->old_tuple.data != NULL)
		row->old_tuple = event_keep(event, event->old_tuple, bronze->buffer);
	if (event->new_tuple.data != NULL)
		row->new_tuple = event_keep(event, event->new_tuple, bronze->buffer);
	if (event->txn != NULL)
	{
		row->commit_lsn = event->txn->commit_lsn;
		row->source_us = event->txn->commit_us;
		row->xid = event->txn->xid;
	}
	row->day = iceberg_day(row->source_us);
	return true;
}

/* Versions of the table, or its leaves, come back as they are needed. */
static void
forget_plans(Bronze *bronze)
{
	if (bronze->plan_count <= PLANS_KEPT)
		return;
	arena_free(bronze->plans_arena);
	bronze->plans_arena = arena_new();
	free(bronze->plans);
	bronze->plans = NULL;
	bronze->plan_count = 0;
}

static void
reset_buffer(Bronze *bronze)
{
	forget_plans(bronze);
	arena_free(bronze->buffer);
	bronze->buffer = arena_new();
	free(bronze->rows);
	bronze->rows = NULL;
	bronze->row_count = bronze->row_room = 0;
}

void
bronze_replace(Bronze *bronze)
{
	reset_buffer(bronze);
	table_remove_all(bronze->table);
}

/* ---- Writing ---- */

typedef struct Writer
{
	Bronze *bronze;
	int32_t day;
	uint32_t next;
	Buf text[4]; /* key, before, after, unchanged */
} Writer;

static RenderPlan *
find_plan(Bronze *bronze, const Relation *relation, EnvError *error)
{
	Alloc alloc = arena_as_alloc(bronze->plans_arena);
	RenderPlan *plan;

	for (uint32_t i = bronze->plan_count; i > 0; i--)
		if (bronze->plans[i - 1].relation == relation)
			return bronze->plans[i - 1].plan;
	plan = render_plan_new(relation, bronze->store->bronze, &alloc, error);
	if (plan == NULL)
		return NULL;
	bronze->plans =
		xrealloc(bronze->plans, sizeof *bronze->plans * (bronze->plan_count + 1));
	bronze->plans[bronze->plan_count++] = (PlanSlot){ relation, plan };
	return plan;
}

static Cell
text_cell(const Buf *text)
{
	return text->len == 0 ? cell_null() : cell_bytes((Slice){ text->data, text->len });
}

static void
reset_text(Buf *text)
{
	buf_reset(text);
	if (text->cap > TEXT_KEPT)
		buf_free(text);
}

static bool
render_texts(Writer *writer, const BronzeRow *source, Cell *row, EnvError *error)
{
	RenderPlan *plan = find_plan(writer->bronze, source->relation, error);
	Slice key = source->new_tuple.data != NULL ? source->new_tuple : source->old_tuple;

	if (plan == NULL)
		return false;
	if (key.data != NULL && render_plan_has_key(plan) &&
	    !render_key(plan, key, &writer->text[0], error))
		return false;
	if (source->old_tuple.data != NULL &&
	    !render_row(
			plan, source->old_tuple, source->old_kind == 'K', &writer->text[1], error))
		return false;
	if (source->new_tuple.data != NULL &&
	    (!render_row(plan, source->new_tuple, false, &writer->text[2], error) ||
	     !render_unchanged(plan, source->new_tuple, &writer->text[3], error)))
		return false;
	for (int i = 0; i < 4; i++)
		row[FIELD_KEY + i] = text_cell(&writer->text[i]);
	return true;
}

static const char *
op_text(char kind)
{
	switch (kind)
	{
		case EVENT_INSERT:
			return "c";
		case EVENT_UPDATE:
			return "u";
		case EVENT_DELETE:
			return "d";
		case EVENT_TRUNCATE:
			return "t";
		default:
			return "r";
	}
}

static RowStatus
writer_next(void *context, Cell *row, Err *err)
{
	Writer *writer = context;
	const Bronze *bronze = writer->bronze;
	const BronzeRow *source;
	EnvError error = { "", "" };

	for (int i = 0; i < 4; i++)
		reset_text(&writer->text[i]);
	while (writer->next < bronze->row_count &&
	       bronze->rows[writer->next].day != writer->day)
		writer->next++;
	if (writer->next == bronze->row_count)
		return ROW_END;
	source = &bronze->rows[writer->next++];
	row[FIELD_OP] = cell_text(op_text(source->kind));
	row[FIELD_COMMIT_LSN] = cell_int((int64_t) source->commit_lsn);
	row[FIELD_LSN] = cell_int((int64_t) source->lsn);
	row[FIELD_ORDINAL] = cell_int(source->ordinal);
	row[FIELD_TXID] = cell_int(source->xid);
	row[FIELD_SOURCE_TS] = cell_int(source->source_us);
	row[FIELD_INGEST_TS] = cell_int(source->ingest_us);
	row[FIELD_SCHEMA_VERSION] = cell_int((int64_t) source->relation->version);
	if (render_texts(writer, source, row, &error))
		return ROW_READY;
	(void) fail(err,
	            ERR_DATA,
	            "could not render a change of table \"%s.%s\": %s",
	            source->relation->schema,
	            source->relation->name,
	            error.message);
	return ROW_FAILED;
}

static const char *
day_directory(Arena *arena, int32_t day)
{
	time_t seconds = (time_t) day * DAY_SECONDS;
	struct tm tm;
	char text[32];

	(void) gmtime_r(&seconds, &tm);
	(void) strftime(text, sizeof text, "%Y-%m-%d", &tm);
	return arena_printf(arena, "source_ts_day=%s", text);
}

static size_t
largest_row(const Bronze *bronze, int32_t day)
{
	size_t largest = 0;

	for (uint32_t i = 0; i < bronze->row_count; i++)
	{
		const BronzeRow *row = &bronze->rows[i];
		size_t bytes = row->old_tuple.len + row->new_tuple.len;

		if (row->day == day && bytes > largest)
			largest = bytes;
	}
	return largest;
}

static bool
write_day(Bronze *bronze, int32_t day, Err *err)
{
	Table *table = bronze->table;
	PartitionValue partition = { false, bound_int(table->pending, day) };
	Writer writer = { .bronze = bronze, .day = day };
	ParquetWrite write = { .schema = &bronze_schema,
		                   .next = writer_next,
		                   .context = &writer,
		                   .row_bytes = largest_row(bronze, day) };
	DataFile file = { DATA_FILE_INIT,
		              .spec_id = table->state->metadata->default_spec_id,
		              .partition = &partition,
		              .partition_count = 1 };
	bool ok;

	for (int i = 0; i < 4; i++)
		writer.text[i] = buf_heap();
	ok = table_new_file(table,
	                    day_directory(table->pending, day),
	                    &file.path,
	                    &write.local_path,
	                    err) &&
	     parquet_write(bronze->store->parquet, &write, table->pending, &file, err);
	for (int i = 0; i < 4; i++)
		buf_free(&writer.text[i]);
	if (!ok)
		return fail_while(
			err, "could not write a file of table \"%s\"", table->name.name);
	table_add(table, &file);
	return true;
}

/* The least day after `after`; false when there is none. */
static bool
next_day(const Bronze *bronze, int64_t after, int32_t *day)
{
	bool found = false;

	for (uint32_t i = 0; i < bronze->row_count; i++)
		if (bronze->rows[i].day > after && (!found || bronze->rows[i].day < *day))
		{
			*day = bronze->rows[i].day;
			found = true;
		}
	return found;
}

bool
bronze_flush(Bronze *bronze, Err *err)
{
	int64_t after = INT64_MIN;
	int32_t day = 0;

	while (next_day(bronze, after, &day))
	{
		if (!write_day(bronze, day, err))
			return false;
		after = day;
	}
	reset_buffer(bronze);
	return true;
}
