/*
 * manifest_schema.c
 *		the fields of manifests and manifest lists, and their Avro schemas.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/iceberg/manifest_schema.h"

#include <ctype.h>

#include "lake/iceberg/schema_json.h"

/* clang-format off */

#define FIELDS(array)      .fields = (array), .field_count = (int32_t) (sizeof(array) / sizeof *(array))
#define PART(part_id, part_name, part_kind) \
	{ .id = (part_id), .name = (part_name), .required = true, .type = { .kind = (part_kind) } }

/* Maps from column id; the ids are those of key and value. */
#define ID_MAP(name, key_id, value_id, kind) \
	static const IcebergField name[] = { \
		PART(key_id, "key", ICEBERG_INT), PART(value_id, "value", kind) }

ID_MAP(column_sizes, 117, 118, ICEBERG_LONG);
ID_MAP(value_counts, 119, 120, ICEBERG_LONG);
ID_MAP(null_value_counts, 121, 122, ICEBERG_LONG);
ID_MAP(nan_value_counts, 138, 139, ICEBERG_LONG);
ID_MAP(lower_bounds, 126, 127, ICEBERG_BINARY);
ID_MAP(upper_bounds, 129, 130, ICEBERG_BINARY);

static const IcebergField split_offsets[] = { PART(133, "element", ICEBERG_LONG) };
static const IcebergField equality_ids[] = { PART(136, "element", ICEBERG_INT) };

#define PLAIN(kind_name)   { .kind = (kind_name) }
#define NESTED(kind_name, array) { .kind = (kind_name), FIELDS(array) }

static const IcebergField data_file_fields[] = {
	{ FILE_CONTENT, "content", true, PLAIN(ICEBERG_INT),
	  "Contents of the file: 0=data, 1=position deletes, 2=equality deletes" },
	{ FILE_PATH, "file_path", true, PLAIN(ICEBERG_STRING),
	  "Location URI with FS scheme" },
	{ FILE_FORMAT, "file_format", true, PLAIN(ICEBERG_STRING),
	  "File format name: avro, orc, or parquet" },
	{ FILE_PARTITION, "partition", true, PLAIN(ICEBERG_STRUCT),
	  "Partition data tuple, schema based on the partition spec" },
	{ FILE_RECORD_COUNT, "record_count", true, PLAIN(ICEBERG_LONG),
	  "Number of records in the file" },
	{ FILE_SIZE, "file_size_in_bytes", true, PLAIN(ICEBERG_LONG),
	  "Total file size in bytes" },
	{ FILE_COLUMN_SIZES, "column_sizes", false, NESTED(ICEBERG_MAP, column_sizes),
	  "Map of column id to total size on disk" },
	{ FILE_VALUE_COUNTS, "value_counts", false, NESTED(ICEBERG_MAP, value_counts),
	  "Map of column id to total count, including null and NaN" },
	{ FILE_NULL_VALUE_COUNTS, "null_value_counts", false, NESTED(ICEBERG_MAP, null_value_counts),
	  "Map of column id to null value count" },
	{ FILE_NAN_VALUE_COUNTS, "nan_value_counts", false, NESTED(ICEBERG_MAP, nan_value_counts),
	  "Map of column id to number of NaN values in the column" },
	{ FILE_LOWER_BOUNDS, "lower_bounds", false, NESTED(ICEBERG_MAP, lower_bounds),
	  "Map of column id to lower bound" },
	{ FILE_UPPER_BOUNDS, "upper_bounds", false, NESTED(ICEBERG_MAP, upper_bounds),
	  "Map of column id to upper bound" },
	{ FILE_KEY_METADATA, "key_metadata", false, PLAIN(ICEBERG_BINARY),
	  "Encryption key metadata blob" },
	{ FILE_SPLIT_OFFSETS, "split_offsets", false, NESTED(ICEBERG_LIST, split_offsets),
	  "Splittable offsets" },
	{ FILE_EQUALITY_IDS, "equality_ids", false, NESTED(ICEBERG_LIST, equality_ids),
	  "Equality comparison field IDs" },
	{ FILE_SORT_ORDER_ID, "sort_order_id", false, PLAIN(ICEBERG_INT),
	  "Sort order ID" },
	{ FILE_REFERENCED_DATA_FILE, "referenced_data_file", false, PLAIN(ICEBERG_STRING),
	  "Fully qualified location (URI with FS scheme) of a data file that all deletes reference" },
};

static const IcebergField entry_fields[] = {
	{ ENTRY_STATUS, "status", true, PLAIN(ICEBERG_INT), NULL },
	{ ENTRY_SNAPSHOT_ID, "snapshot_id", false, PLAIN(ICEBERG_LONG), NULL },
	{ ENTRY_SEQUENCE_NUMBER, "sequence_number", false, PLAIN(ICEBERG_LONG), NULL },
	{ ENTRY_FILE_SEQUENCE_NUMBER, "file_sequence_number", false, PLAIN(ICEBERG_LONG), NULL },
	{ ENTRY_DATA_FILE, "data_file", true, NESTED(ICEBERG_STRUCT, data_file_fields), NULL },
};

static const IcebergField summary_fields[] = {
	{ LIST_CONTAINS_NULL, "contains_null", true, PLAIN(ICEBERG_BOOLEAN),
	  "True if any file has a null partition value" },
	{ LIST_CONTAINS_NAN, "contains_nan", false, PLAIN(ICEBERG_BOOLEAN),
	  "True if any file has a nan partition value" },
	{ LIST_LOWER_BOUND, "lower_bound", false, PLAIN(ICEBERG_BINARY),
	  "Partition lower bound for all files" },
	{ LIST_UPPER_BOUND, "upper_bound", false, PLAIN(ICEBERG_BINARY),
	  "Partition upper bound for all files" },
};

static const IcebergField summaries[] = {
	{ LIST_SUMMARY, "element", true, NESTED(ICEBERG_STRUCT, summary_fields), NULL },
};

static const IcebergField list_fields[] = {
	{ LIST_PATH, "manifest_path", true, PLAIN(ICEBERG_STRING),
	  "Location URI with FS scheme" },
	{ LIST_LENGTH, "manifest_length", true, PLAIN(ICEBERG_LONG),
	  "Total file size in bytes" },
	{ LIST_SPEC_ID, "partition_spec_id", true, PLAIN(ICEBERG_INT),
	  "Spec ID used to write" },
	{ LIST_CONTENT, "content", true, PLAIN(ICEBERG_INT),
	  "Contents of the manifest: 0=data, 1=deletes" },
	{ LIST_SEQUENCE_NUMBER, "sequence_number", true, PLAIN(ICEBERG_LONG),
	  "Sequence number when the manifest was added" },
	{ LIST_MIN_SEQUENCE_NUMBER, "min_sequence_number", true, PLAIN(ICEBERG_LONG),
	  "Lowest sequence number in the manifest" },
	{ LIST_ADDED_SNAPSHOT_ID, "added_snapshot_id", true, PLAIN(ICEBERG_LONG),
	  "Snapshot ID that added the manifest" },
	{ LIST_ADDED_FILES, "added_files_count", true, PLAIN(ICEBERG_INT),
	  "Added entry count" },
	{ LIST_EXISTING_FILES, "existing_files_count", true, PLAIN(ICEBERG_INT),
	  "Existing entry count" },
	{ LIST_DELETED_FILES, "deleted_files_count", true, PLAIN(ICEBERG_INT),
	  "Deleted entry count" },
	{ LIST_ADDED_ROWS, "added_rows_count", true, PLAIN(ICEBERG_LONG),
	  "Added rows count" },
	{ LIST_EXISTING_ROWS, "existing_rows_count", true, PLAIN(ICEBERG_LONG),
	  "Existing rows count" },
	{ LIST_DELETED_ROWS, "deleted_rows_count", true, PLAIN(ICEBERG_LONG),
	  "Deleted rows count" },
	{ LIST_PARTITIONS, "partitions", false, NESTED(ICEBERG_LIST, summaries),
	  "Summary for each partition" },
	{ LIST_KEY_METADATA, "key_metadata", false, PLAIN(ICEBERG_BINARY),
	  "Encryption key metadata blob" },
};

/* clang-format on */

#define LENGTH(array) (sizeof(array) / sizeof *(array))

IcebergSchema
manifest_entry_schema(Arena *arena, const IcebergField *partition,
                      int32_t partition_count)
{
	IcebergField *entry = arena_alloc(arena, sizeof entry_fields);
	IcebergField *file = arena_alloc(arena, sizeof data_file_fields);

	memcpy(entry, entry_fields, sizeof entry_fields);
	memcpy(file, data_file_fields, sizeof data_file_fields);
	entry[LENGTH(entry_fields) - 1].type.fields = file;
	for (size_t i = 0; i < LENGTH(data_file_fields); i++)
	{
		if (file[i].id != FILE_PARTITION)
			continue;
		file[i].type.fields = partition;
		file[i].type.field_count = partition_count;
	}
	return (IcebergSchema){ .fields = entry, .field_count = LENGTH(entry_fields) };
}

IcebergSchema
manifest_file_schema(void)
{
	return (IcebergSchema){ .fields = list_fields, .field_count = LENGTH(list_fields) };
}

/* From Iceberg to Avro */

typedef struct AvroPrinter
{
	Arena *arena;
	json_object *named; /* fixed types already defined: later ones refer to the name */
} AvroPrinter;

static json_object *avro_type(AvroPrinter *printer, const IcebergField *field);

int32_t
manifest_decimal_bytes(int32_t precision)
{
	unsigned __int128 greatest = 1;
	int32_t bytes = 1;

	while (precision-- > 0)
		greatest *= 10;
	greatest--;
	while (greatest >> (8 * bytes - 1) != 0)
		bytes++;
	return bytes;
}

/* An Avro name for any field name: letters, digits and "_", as Java makes it. */
static const char *
avro_name(Arena *arena, const char *name)
{
	Buf buf = buf_heap();
	const char *made;

	if (isdigit((unsigned char) name[0]))
		buf_char(&buf, '_');
	for (const char *p = name; *p; p++)
	{
		unsigned char c = (unsigned char) *p;

		if (c < 0x80 && (isalnum(c) || c == '_'))
			buf_char(&buf, *p);
		else
			buf_printf(&buf, "_x%X", c);
	}
	made = arena_strndup(arena, buf.data, buf.len);
	buf_free(&buf);
	return made;
}

static json_object *
logical(const char *type, const char *name)
{
	json_object *object = json_object_new_object();

	json_object_object_add(object, "type", json_object_new_string(type));
	json_object_object_add(object, "logicalType", json_object_new_string(name));
	return object;
}

static json_object *
avro_timestamp(bool is_utc)
{
	json_object *object = logical("long", "timestamp-micros");

	json_object_object_add(object, "adjust-to-utc", json_object_new_boolean(is_utc));
	return object;
}

static json_object *
avro_fixed(AvroPrinter *printer, const char *name, int32_t size, const IcebergType *type)
{
	json_object *object;

	if (json_object_object_get_ex(printer->named, name, NULL))
		return json_object_new_string(name);
	json_object_object_add(printer->named, name, json_object_new_boolean(true));
	object = json_object_new_object();
	json_object_object_add(object, "type", json_object_new_string("fixed"));
	json_object_object_add(object, "name", json_object_new_string(name));
	json_object_object_add(object, "size", json_object_new_int(size));
	if (type->kind == ICEBERG_UUID)
		json_object_object_add(object, "logicalType", json_object_new_string("uuid"));
	if (type->kind == ICEBERG_DECIMAL)
	{
		json_object_object_add(object, "logicalType", json_object_new_string("decimal"));
		json_object_object_add(object, "precision", json_object_new_int(type->precision));
		json_object_object_add(object, "scale", json_object_new_int(type->scale));
	}
	return object;
}

static json_object *
avro_record(AvroPrinter *printer, const char *name, const IcebergField *fields,
            int32_t count)
{
	json_object *record = json_object_new_object();
	json_object *array = json_object_new_array_ext(count);

	json_object_object_add(record, "type", json_object_new_string("record"));
	json_object_object_add(record, "name", json_object_new_string(name));
	for (int32_t i = 0; i < count; i++)
	{
		const IcebergField *from = &fields[i];
		const char *safe = avro_name(printer->arena, from->name);
		json_object *field = json_object_new_object();
		json_object *type = avro_type(printer, from);

		json_object_object_add(field, "name", json_object_new_string(safe));
		if (!from->required)
		{
			json_object *optional = json_object_new_array();

			json_object_array_add(optional, json_object_new_string("null"));
			json_object_array_add(optional, type);
			type = optional;
		}
		json_object_object_add(field, "type", type);
		if (from->doc)
			json_object_object_add(field, "doc", json_object_new_string(from->doc));
		if (!from->required)
			json_object_object_add(field, "default", NULL);
		if (strcmp(safe, from->name) != 0)
			json_object_object_add(
				field, "iceberg-field-name", json_object_new_string(from->name));
		json_object_object_add(field, "field-id", json_object_new_int(from->id));
		json_object_array_add(array, field);
	}
	json_object_object_add(record, "fields", array);
	return record;
}

/* Lists are arrays; maps from column ids are arrays of {key, value}. */
static json_object *
avro_array(AvroPrinter *printer, const IcebergType *type)
{
	json_object *object = json_object_new_object();
	const IcebergField *parts = type->fields;

	json_object_object_add(object, "type", json_object_new_string("array"));
	if (type->kind == ICEBERG_LIST)
	{
		json_object_object_add(object, "items", avro_type(printer, &parts[0]));
		json_object_object_add(object, "element-id", json_object_new_int(parts[0].id));
		return object;
	}
	json_object_object_add(
		object,
		"items",
		avro_record(printer,
	                arena_printf(printer->arena, "k%d_v%d", parts[0].id, parts[1].id),
	                parts,
	                2));
	json_object_object_add(object, "logicalType", json_object_new_string("map"));
	return object;
}

/* The type of a field without its being optional. */
static json_object *
avro_type(AvroPrinter *printer, const IcebergField *field)
{
	const IcebergType *type = &field->type;
	Arena *arena = printer->arena;

	switch (type->kind)
	{
		case ICEBERG_DATE:
			return logical("int", "date");
		case ICEBERG_TIME:
			return logical("long", "time-micros");
		case ICEBERG_TIMESTAMP:
		case ICEBERG_TIMESTAMPTZ:
			return avro_timestamp(type->kind == ICEBERG_TIMESTAMPTZ);
		case ICEBERG_BINARY:
			return json_object_new_string("bytes");
		case ICEBERG_UUID:
			return avro_fixed(printer, "uuid_fixed", 16, type);
		case ICEBERG_FIXED:
			return avro_fixed(printer,
			                  arena_printf(arena, "fixed_%d", type->length),
			                  type->length,
			                  type);
		case ICEBERG_DECIMAL:
			return avro_fixed(
				printer,
				arena_printf(arena, "decimal_%d_%d", type->precision, type->scale),
				manifest_decimal_bytes(type->precision),
				type);
		case ICEBERG_LIST:
		case ICEBERG_MAP:
			return avro_array(printer, type);
		case ICEBERG_STRUCT:
			return avro_record(printer,
			                   arena_printf(arena, "r%d", field->id),
			                   type->fields,
			                   type->field_count);
		default:
			return json_object_new_string(iceberg_type_text(arena, type));
	}
}

const char *
manifest_avro_schema(Arena *arena, const char *name, const IcebergSchema *schema)
{
	AvroPrinter printer = { .arena = arena, .named = json_object_new_object() };
	json_object *record =
		avro_record(&printer, name, schema->fields, schema->field_count);
	const char *text = members_print(arena, record);

	json_object_put(record);
	json_object_put(printer.named);
	return text;
}

/* Partition tuples */

/* The source column, in the current schema or, when dropped since, the newest that had
 * it. */
static const IcebergField *
source_column(const TableMetadata *metadata, int32_t id)
{
	const IcebergField *field = iceberg_find_field(metadata_current_schema(metadata), id);

	for (int32_t i = metadata->schema_count - 1; i >= 0 && !field; i--)
		field = iceberg_find_field(&metadata->schemas[i], id);
	return field;
}

bool
manifest_partition_fields(Arena *arena, const TableMetadata *metadata,
                          const PartitionSpec *spec, const IcebergField **fields,
                          Err *err)
{
	IcebergField *made =
		arena_zero(arena, ((size_t) spec->field_count + 1) * sizeof *made);

	for (int32_t i = 0; i < spec->field_count; i++)
	{
		const PartitionField *from = &spec->fields[i];
		const IcebergField *source = source_column(metadata, from->source_id);

		if (!source)
			return fail(err,
			            ERR_FATAL,
			            "partition field \"%s\" refers to column %d, which no schema has",
			            from->name,
			            from->source_id);
		made[i] = (IcebergField){ .id = from->field_id, .name = from->name };
		if (!iceberg_transform_type(from->transform, &source->type, &made[i].type) ||
		    iceberg_is_nested(&made[i].type))
			return fail(err,
			            ERR_FATAL,
			            "partition field \"%s\" has unsupported transform \"%s\"",
			            from->name,
			            from->transform);
	}
	*fields = made;
	return true;
}
