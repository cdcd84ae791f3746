/*
 * manifest_read.c
 *		manifests and manifest lists from bytes.
 *
 * A row is decoded into a scratch arena, what is wanted of it copied into the
 * caller's, and the scratch reset: a manifest with wide tables needs the memory
 * of one row beside its result.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <strings.h>

#include "envelope/utf8.h"
#include "lake/iceberg/avro.h"
#include "lake/iceberg/bounds.h"
#include "lake/iceberg/manifest_schema.h"

typedef struct RowReader
{
	Arena *arena;
	const AvroValue *record;
	Err *err;
} RowReader;

/* The partition tuple of a spec; see manifest_partition_fields(). */
typedef struct Tuple
{
	const IcebergField *fields;
	int32_t count;
} Tuple;

static bool
is_number(const AvroValue *value)
{
	return value->type->kind == AVRO_INT || value->type->kind == AVRO_LONG ||
	       value->type->kind == AVRO_BOOLEAN || value->type->kind == AVRO_ENUM;
}

static bool
is_bytes(const AvroValue *value)
{
	return value->type->kind == AVRO_STRING || value->type->kind == AVRO_BYTES ||
	       value->type->kind == AVRO_FIXED;
}

static bool
wrong_type(RowReader *reader, int32_t id)
{
	fail(reader->err, ERR_FATAL, "field %d is of the wrong type", id);
	return false;
}

static bool
required(RowReader *reader, int32_t id, const AvroValue **value)
{
	*value = avro_field(reader->record, id);
	if (!*value)
		fail(reader->err, ERR_FATAL, "required field %d is missing", id);
	return *value != NULL;
}

static bool
get_long_or(RowReader *reader, int32_t id, int64_t absent, int64_t *number)
{
	const AvroValue *value = avro_field(reader->record, id);

	*number = absent;
	if (!value)
		return true;
	if (!is_number(value))
		return wrong_type(reader, id);
	*number = value->number;
	return true;
}

static bool
get_long(RowReader *reader, int32_t id, int64_t *number)
{
	const AvroValue *value;

	return required(reader, id, &value) && get_long_or(reader, id, 0, number);
}

/* An int between 0 and max. */
static bool
get_int(RowReader *reader, int32_t id, int32_t max, int32_t *number)
{
	int64_t wide;

	if (!get_long(reader, id, &wide))
		return false;
	if (wide >= 0 && wide <= max)
	{
		*number = (int32_t) wide;
		return true;
	}
	fail(reader->err, ERR_FATAL, "field %d is out of range", id);
	return false;
}

/* NULL when absent. */
static bool
get_text_or(RowReader *reader, int32_t id, const char **text)
{
	const AvroValue *value = avro_field(reader->record, id);

	*text = NULL;
	if (!value)
		return true;
	if (!is_bytes(value))
		return wrong_type(reader, id);
	if (memchr(value->bytes.data, 0, value->bytes.len))
		return fail(reader->err, ERR_FATAL, "field %d contains a zero byte", id);
	*text = arena_strndup(reader->arena, value->bytes.data, value->bytes.len);
	return true;
}

static bool
get_text(RowReader *reader, int32_t id, const char **text)
{
	const AvroValue *value;

	return required(reader, id, &value) && get_text_or(reader, id, text);
}

/* data is NULL when absent. */
static bool
get_bytes_or(RowReader *reader, int32_t id, Slice *bytes)
{
	const AvroValue *value = avro_field(reader->record, id);

	*bytes = (Slice){ 0 };
	if (!value)
		return true;
	if (!is_bytes(value))
		return wrong_type(reader, id);
	*bytes = arena_slice(reader->arena, value->bytes);
	return true;
}

static bool
get_array_or(RowReader *reader, int32_t id, const AvroValue **array)
{
	*array = avro_field(reader->record, id);
	return !*array || (*array)->type->kind == AVRO_ARRAY || wrong_type(reader, id);
}

/* The key and value of an item of a map: the two fields of a record, whatever their ids.
 */
static bool
get_pair(RowReader *reader, int32_t id, const AvroValue *item, int32_t *key)
{
	if (item->type->kind != AVRO_RECORD || item->count != 2 ||
	    !is_number(&item->items[0]))
		return wrong_type(reader, id);
	*key = (int32_t) item->items[0].number;
	return true;
}

static bool
get_counts(RowReader *reader, int32_t id, IdCounts *counts)
{
	const AvroValue *array;
	IdCount *items;

	*counts = (IdCounts){ 0 };
	if (!get_array_or(reader, id, &array))
		return false;
	if (!array || array->count == 0)
		return true;
	items = arena_alloc(reader->arena, (size_t) array->count * sizeof *items);
	for (int32_t i = 0; i < array->count; i++)
	{
		if (!get_pair(reader, id, &array->items[i], &items[i].id))
			return false;
		if (!is_number(&array->items[i].items[1]))
			return wrong_type(reader, id);
		items[i].count = array->items[i].items[1].number;
	}
	*counts = (IdCounts){ items, array->count };
	return true;
}

static bool
get_bounds(RowReader *reader, int32_t id, IdBounds *bounds)
{
	const AvroValue *array;
	IdBound *items;

	*bounds = (IdBounds){ 0 };
	if (!get_array_or(reader, id, &array))
		return false;
	if (!array || array->count == 0)
		return true;
	items = arena_alloc(reader->arena, (size_t) array->count * sizeof *items);
	for (int32_t i = 0; i < array->count; i++)
	{
		if (!get_pair(reader, id, &array->items[i], &items[i].id))
			return false;
		if (!is_bytes(&array->items[i].items[1]))
			return wrong_type(reader, id);
		items[i].bytes = arena_slice(reader->arena, array->items[i].items[1].bytes);
	}
	*bounds = (IdBounds){ items, array->count };
	return true;
}

static bool
get_lists(RowReader *reader, DataFile *file)
{
	const AvroValue *offsets;
	const AvroValue *ids;
	int64_t *longs;
	int32_t *ints;

	if (!get_array_or(reader, FILE_SPLIT_OFFSETS, &offsets) ||
	    !get_array_or(reader, FILE_EQUALITY_IDS, &ids))
		return false;
	file->split_offset_count = offsets ? offsets->count : 0;
	longs = arena_alloc(reader->arena,
	                    ((size_t) file->split_offset_count + 1) * sizeof *longs);
	for (int32_t i = 0; i < file->split_offset_count; i++)
		longs[i] = offsets->items[i].number;
	file->split_offsets = longs;
	file->equality_id_count = ids ? ids->count : 0;
	ints =
		arena_alloc(reader->arena, ((size_t) file->equality_id_count + 1) * sizeof *ints);
	for (int32_t i = 0; i < file->equality_id_count; i++)
		ints[i] = (int32_t) ids->items[i].number;
	file->equality_ids = ints;
	return true;
}

/* A partition value as bounds.h writes it. */
static bool
partition_bytes(RowReader *reader, const IcebergField *field, const AvroValue *value,
                Slice *bytes)
{
	const IcebergType *type = &field->type;
	Arena *arena = reader->arena;
	double wide;

	if (type->kind == ICEBERG_DECIMAL && is_bytes(value) && value->bytes.len > 0 &&
	    value->bytes.len <= 16)
		*bytes = bound_decimal(arena, bound_integer(type, value->bytes));
	else if (type->kind == ICEBERG_BOOLEAN && is_number(value))
		*bytes = bound_boolean(arena, value->number != 0);
	else if ((type->kind == ICEBERG_INT || type->kind == ICEBERG_DATE) &&
	         is_number(value))
		*bytes = bound_int(arena, (int32_t) value->number);
	else if (type->kind == ICEBERG_DOUBLE && value->type->kind == AVRO_FLOAT)
	{
		wide = bound_real(value->bytes);
		*bytes = bound_exact(arena, (Slice){ (const char *) &wide, sizeof wide });
	}
	else if (is_number(value))
		*bytes = bound_long(arena, value->number);
	else
		*bytes = arena_slice(arena, value->bytes);
	return bound_is_valid(type, *bytes) || wrong_type(reader, field->id);
}

static bool
get_partition(RowReader *reader, Tuple partition, DataFile *file)
{
	RowReader tuple = *reader;
	PartitionValue *values =
		arena_zero(reader->arena, ((size_t) partition.count + 1) * sizeof *values);

	file->partition = values;
	file->partition_count = partition.count;
	if (!required(reader, FILE_PARTITION, &tuple.record))
		return false;
	for (int32_t i = 0; i < partition.count; i++)
	{
		const AvroValue *value = avro_field(tuple.record, partition.fields[i].id);

		values[i].is_null = value == NULL;
		if (value &&
		    !partition_bytes(&tuple, &partition.fields[i], value, &values[i].bytes))
			return false;
	}
	return true;
}

/* What readers know of; of a path's bounds, that they are text at all. */
static bool
check_data_file(const DataFile *file, Err *err)
{
	static const char *const formats[] = { "parquet", "avro", "orc", "puffin" };
	const IdBounds *bounds[] = { &file->lower_bounds, &file->upper_bounds };
	bool is_known = false;

	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		is_known = is_known || strcasecmp(file->format, formats[i]) == 0;
	if (!is_known)
		return fail(err,
		            ERR_FATAL,
		            "file \"%s\" has the unknown format \"%s\"",
		            file->path,
		            file->format);
	for (size_t i = 0; i < 2; i++)
	{
		for (int32_t j = 0; j < bounds[i]->count; j++)
		{
			Slice bytes = bounds[i]->items[j].bytes;

			if (bounds[i]->items[j].id == DELETE_FILE_PATH_ID &&
			    utf8_valid_run(bytes) < bytes.len)
				return fail(err,
				            ERR_FATAL,
				            "a bound of the paths in file \"%s\" is no text",
				            file->path);
		}
	}
	return true;
}

static bool
get_data_file(RowReader *reader, Tuple partition, DataFile *file)
{
	int64_t content;
	int64_t sort_order;

	if (!get_long_or(reader, FILE_CONTENT, FILE_DATA, &content) ||
	    !get_text(reader, FILE_PATH, &file->path) ||
	    !get_text(reader, FILE_FORMAT, &file->format) ||
	    !get_partition(reader, partition, file) ||
	    !get_long(reader, FILE_RECORD_COUNT, &file->record_count) ||
	    !get_long(reader, FILE_SIZE, &file->size_bytes) ||
	    !get_counts(reader, FILE_COLUMN_SIZES, &file->column_sizes) ||
	    !get_counts(reader, FILE_VALUE_COUNTS, &file->value_counts) ||
	    !get_counts(reader, FILE_NULL_VALUE_COUNTS, &file->null_value_counts) ||
	    !get_counts(reader, FILE_NAN_VALUE_COUNTS, &file->nan_value_counts) ||
	    !get_bounds(reader, FILE_LOWER_BOUNDS, &file->lower_bounds) ||
	    !get_bounds(reader, FILE_UPPER_BOUNDS, &file->upper_bounds) ||
	    !get_bytes_or(reader, FILE_KEY_METADATA, &file->key_metadata) ||
	    !get_lists(reader, file) ||
	    !get_long_or(reader, FILE_SORT_ORDER_ID, NO_SORT_ORDER, &sort_order) ||
	    !get_text_or(reader, FILE_REFERENCED_DATA_FILE, &file->referenced_data_file))
		return false;
	if (content < FILE_DATA || content > FILE_EQUALITY_DELETES ||
	    file->record_count < 0 || file->size_bytes < 0 || sort_order < NO_SORT_ORDER ||
	    sort_order > INT32_MAX)
		return fail(
			reader->err, ERR_FATAL, "a field of file \"%s\" is out of range", file->path);
	file->content = (FileContent) content;
	file->sort_order_id =
		content == FILE_POSITION_DELETES ? NO_SORT_ORDER : (int32_t) sort_order;
	return check_data_file(file, reader->err);
}

/* Spec, "Sequence Number Inheritance". */
static bool
inherit(const ManifestFile *file, ManifestEntry *entry, Err *err)
{
	bool may_inherit = entry->status == ENTRY_ADDED || file->sequence_number == 0;

	if (entry->sequence_number == SEQUENCE_INHERITED && may_inherit)
		entry->sequence_number = file->sequence_number;
	if (entry->file_sequence_number == SEQUENCE_INHERITED && may_inherit)
		entry->file_sequence_number = file->sequence_number;

	/* Only the data sequence number has a meaning: old writers left the other one out. */
	if (entry->file_sequence_number == SEQUENCE_INHERITED)
		entry->file_sequence_number = entry->sequence_number;
	if (entry->sequence_number < 0 || entry->file_sequence_number < 0)
		return fail(
			err, ERR_FATAL, "file \"%s\" lacks a sequence number", entry->file.path);
	if ((entry->file.content == FILE_DATA) != (file->content == MANIFEST_DATA))
		return fail(err,
		            ERR_FATAL,
		            "file \"%s\" is in a manifest of the other kind",
		            entry->file.path);
	return true;
}

static bool
get_entry(RowReader *reader, const ManifestFile *file, Tuple partition,
          ManifestEntry *entry)
{
	RowReader inner = *reader;
	int32_t status;

	if (!get_int(reader, ENTRY_STATUS, ENTRY_DELETED, &status) ||
	    !get_long_or(
			reader, ENTRY_SNAPSHOT_ID, file->added_snapshot_id, &entry->snapshot_id) ||
	    !get_long_or(
			reader, ENTRY_SEQUENCE_NUMBER, SEQUENCE_INHERITED, &entry->sequence_number) ||
	    !get_long_or(reader,
	                 ENTRY_FILE_SEQUENCE_NUMBER,
	                 SEQUENCE_INHERITED,
	                 &entry->file_sequence_number) ||
	    !required(reader, ENTRY_DATA_FILE, &inner.record))
		return false;
	entry->status = (EntryStatus) status;
	entry->file.spec_id = file->spec_id;
	return get_data_file(&inner, partition, &entry->file) &&
	       inherit(file, entry, reader->err);
}

/* Make room in an array of count items of this size for one more. */
static void *
grow(Arena *arena, void *items, int32_t count, size_t size)
{
	void *grown;

	if (count > 0 && (count < 16 || (count & (count - 1)) != 0))
		return items;
	grown = arena_zero(arena, (size_t) (count < 16 ? 16 : 2 * count) * size);
	if (count > 0)
		memcpy(grown, items, (size_t) count * size);
	return grown;
}

static bool
read_entries(Arena *arena, AvroReader *avro, const ManifestFile *file, Tuple partition,
             ManifestEntries *entries, Err *err)
{
	RowReader reader = { .arena = arena, .err = err };
	Arena *scratch = arena_new();
	bool ok = true;
	ManifestEntry *items = NULL;
	int32_t count = 0;

	for (;;)
	{
		arena_reset(scratch);
		ok = avro_next(avro, scratch, &reader.record, err);
		if (!ok || !reader.record)
			break;
		items = grow(arena, items, count, sizeof *items);
		ok = get_entry(&reader, file, partition, &items[count]) ||
		     fail_while(err, "entry %d", count);
		if (!ok)
			break;
		count++;
	}
	arena_free(scratch);
	if (!ok)
		return false;
	*entries = (ManifestEntries){ items, count };
	if ((int64_t) file->added_files + file->existing_files + file->deleted_files != count)
		return fail(err,
		            ERR_FATAL,
		            "%d entries where the manifest list says %lld",
		            count,
		            (long long) file->added_files + file->existing_files +
		                file->deleted_files);
	return true;
}

bool
manifest_read(Arena *arena, const TableMetadata *metadata, const ManifestFile *file,
              Slice bytes, ManifestEntries *entries, Err *err)
{
	const PartitionSpec *spec = metadata_spec(metadata, file->spec_id);
	Tuple partition;
	AvroReader avro;
	bool ok;

	if ((int64_t) bytes.len != file->length)
	{
		fail(err,
		     ERR_FATAL,
		     "%zu bytes where the manifest list says %lld",
		     bytes.len,
		     (long long) file->length);
		return fail_while(err, "manifest \"%s\"", file->path);
	}
	if (!spec)
	{
		fail(err, ERR_FATAL, "partition spec %d is not in the metadata", file->spec_id);
		return fail_while(err, "manifest \"%s\"", file->path);
	}
	partition.count = spec->field_count;
	ok = avro_open(arena, bytes, &avro, err) &&
	     manifest_partition_fields(arena, metadata, spec, &partition.fields, err) &&
	     read_entries(arena, &avro, file, partition, entries, err);
	avro_close(&avro);
	return ok || fail_while(err, "manifest \"%s\"", file->path);
}

/* Manifest lists */

static bool
get_summary(RowReader *reader, PartitionSummary *summary)
{
	int64_t flag;

	if (!get_long(reader, LIST_CONTAINS_NULL, &flag))
		return false;
	summary->contains_null = flag != 0;
	if (!get_long_or(reader, LIST_CONTAINS_NAN, -1, &flag) ||
	    !get_bytes_or(reader, LIST_LOWER_BOUND, &summary->lower) ||
	    !get_bytes_or(reader, LIST_UPPER_BOUND, &summary->upper))
		return false;
	summary->nan_is_known = flag >= 0;
	summary->contains_nan = flag > 0;
	summary->has_bounds = summary->lower.data && summary->upper.data;
	return true;
}

static bool
get_summaries(RowReader *reader, ManifestFile *file)
{
	const AvroValue *array;
	PartitionSummary *summaries;
	RowReader inner = *reader;

	if (!get_array_or(reader, LIST_PARTITIONS, &array))
		return false;
	file->partition_count = array ? array->count : 0;
	summaries = arena_zero(reader->arena,
	                       ((size_t) file->partition_count + 1) * sizeof *summaries);
	file->partitions = summaries;
	for (int32_t i = 0; i < file->partition_count; i++)
	{
		inner.record = &array->items[i];
		if (!get_summary(&inner, &summaries[i]))
			return false;
	}
	return true;
}

static bool
get_manifest_file(RowReader *reader, ManifestFile *file)
{
	int32_t content;

	if (!get_text(reader, LIST_PATH, &file->path) ||
	    !get_long(reader, LIST_LENGTH, &file->length) ||
	    !get_int(reader, LIST_SPEC_ID, INT32_MAX, &file->spec_id) ||
	    !get_int(reader, LIST_CONTENT, MANIFEST_DELETES, &content) ||
	    !get_long(reader, LIST_SEQUENCE_NUMBER, &file->sequence_number) ||
	    !get_long(reader, LIST_MIN_SEQUENCE_NUMBER, &file->min_sequence_number) ||
	    !get_long(reader, LIST_ADDED_SNAPSHOT_ID, &file->added_snapshot_id) ||
	    !get_int(reader, LIST_ADDED_FILES, INT32_MAX, &file->added_files) ||
	    !get_int(reader, LIST_EXISTING_FILES, INT32_MAX, &file->existing_files) ||
	    !get_int(reader, LIST_DELETED_FILES, INT32_MAX, &file->deleted_files) ||
	    !get_long(reader, LIST_ADDED_ROWS, &file->added_rows) ||
	    !get_long(reader, LIST_EXISTING_ROWS, &file->existing_rows) ||
	    !get_long(reader, LIST_DELETED_ROWS, &file->deleted_rows) ||
	    !get_summaries(reader, file) ||
	    !get_bytes_or(reader, LIST_KEY_METADATA, &file->key_metadata))
		return false;
	file->content = (ManifestContent) content;
	return true;
}

static bool
read_files(Arena *arena, Arena *scratch, AvroReader *avro, ManifestFiles *files, Err *err)
{
	RowReader reader = { .arena = arena, .err = err };
	ManifestFile *items = NULL;
	int32_t count = 0;

	for (;;)
	{
		arena_reset(scratch);
		if (!avro_next(avro, scratch, &reader.record, err))
			return false;
		if (!reader.record)
			break;
		items = grow(arena, items, count, sizeof *items);
		if (!get_manifest_file(&reader, &items[count]))
			return fail_while(err, "manifest %d", count);
		count++;
	}
	*files = (ManifestFiles){ items, count };
	return true;
}

bool
manifest_list_read(Arena *arena, const char *path, Slice bytes, ManifestFiles *files,
                   Err *err)
{
	AvroReader avro;
	Arena *scratch = arena_new();
	bool ok = avro_open(arena, bytes, &avro, err) &&
	          read_files(arena, scratch, &avro, files, err);

	avro_close(&avro);
	arena_free(scratch);
	return ok || fail_while(err, "manifest list \"%s\"", path);
}
