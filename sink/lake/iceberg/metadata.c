/*
 * metadata.c
 *		table metadata (format version 2): structs, and JSON both ways.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/iceberg/metadata.h"

#include <ctype.h>

#include "lake/iceberg/schema_json.h"

#define FORMAT_VERSION   2
#define NO_SORT_ORDERS   "[{\"order-id\":0,\"fields\":[]}]"
#define NO_PARTITION_IDS (PARTITION_FIELD_FIRST - 1)

/* The members metadata.h has fields for; all others go to extras. */
static const char *const known_members[] = {
	"current-schema-id",
	"current-snapshot-id",
	"default-sort-order-id",
	"default-spec-id",
	"format-version",
	"last-column-id",
	"last-partition-id",
	"last-sequence-number",
	"last-updated-ms",
	"location",
	"metadata-log",
	"partition-spec",
	"partition-specs",
	"properties",
	"refs",
	"schema",
	"schemas",
	"snapshot-log",
	"snapshots",
	"sort-orders",
	"table-uuid",
};

TableMetadata *
metadata_new(Arena *arena, const NewTable *table)
{
	TableMetadata *metadata = arena_zero(arena, sizeof *metadata);
	IcebergSchema *schema = arena_zero(arena, sizeof *schema);
	PartitionSpec *spec = arena_zero(arena, sizeof *spec);

	*schema = *table->schema;
	schema->id = 0;
	if (table->spec)
		*spec = *table->spec;
	spec->id = 0;
	*metadata = (TableMetadata){
		.uuid = table->uuid,
		.location = table->location,
		.last_updated_ms = table->timestamp_ms,
		.last_column_id = iceberg_greatest_id(schema),
		.last_partition_id = NO_PARTITION_IDS,
		.schemas = schema,
		.schema_count = 1,
		.specs = spec,
		.spec_count = 1,
		.sort_orders = NO_SORT_ORDERS,
		.properties = table->properties,
		.current_snapshot_id = NO_SNAPSHOT,
	};
	for (int32_t i = 0; i < spec->field_count; i++)
		if (spec->fields[i].field_id > metadata->last_partition_id)
			metadata->last_partition_id = spec->fields[i].field_id;
	return metadata;
}

/* Look-ups */

const IcebergSchema *
metadata_schema(const TableMetadata *metadata, int32_t schema_id)
{
	for (int32_t i = 0; i < metadata->schema_count; i++)
		if (metadata->schemas[i].id == schema_id)
			return &metadata->schemas[i];
	return NULL;
}

const IcebergSchema *
metadata_current_schema(const TableMetadata *metadata)
{
	return metadata_schema(metadata, metadata->current_schema_id);
}

const PartitionSpec *
metadata_spec(const TableMetadata *metadata, int32_t spec_id)
{
	for (int32_t i = 0; i < metadata->spec_count; i++)
		if (metadata->specs[i].id == spec_id)
			return &metadata->specs[i];
	return NULL;
}

const IcebergSnapshot *
metadata_snapshot(const TableMetadata *metadata, int64_t id)
{
	for (int32_t i = metadata->snapshot_count - 1; i >= 0; i--)
		if (metadata->snapshots[i].id == id)
			return &metadata->snapshots[i];
	return NULL;
}

const IcebergSnapshot *
metadata_current_snapshot(const TableMetadata *metadata)
{
	return metadata_snapshot(metadata, metadata->current_snapshot_id);
}

const char *
properties_get(IcebergProperties properties, const char *name)
{
	for (int32_t i = 0; i < properties.count; i++)
		if (strcmp(properties.items[i].name, name) == 0)
			return properties.items[i].value;
	return NULL;
}

const char *
metadata_ancestry_get(const TableMetadata *metadata, const char *name)
{
	const IcebergSnapshot *snapshot = metadata_current_snapshot(metadata);

	/* A damaged file could hold a cycle: never more steps than snapshots. */
	for (int32_t steps = 0; snapshot && steps < metadata->snapshot_count; steps++)
	{
		const char *value = properties_get(snapshot->summary, name);

		if (value)
			return value;
		snapshot = metadata_snapshot(metadata, snapshot->parent_id);
	}
	return NULL;
}

/* Writing */

static json_object *
properties_to_json(IcebergProperties properties)
{
	json_object *object = json_object_new_object();

	for (int32_t i = 0; i < properties.count; i++)
		json_object_object_add(object,
		                       properties.items[i].name,
		                       json_object_new_string(properties.items[i].value));
	return object;
}

static json_object *
snapshot_to_json(const IcebergSnapshot *snapshot)
{
	json_object *object = json_object_new_object();

	json_object_object_add(
		object, "sequence-number", json_object_new_int64(snapshot->sequence_number));
	json_object_object_add(object, "snapshot-id", json_object_new_int64(snapshot->id));
	if (snapshot->parent_id != NO_SNAPSHOT)
		json_object_object_add(
			object, "parent-snapshot-id", json_object_new_int64(snapshot->parent_id));
	json_object_object_add(
		object, "timestamp-ms", json_object_new_int64(snapshot->timestamp_ms));
	json_object_object_add(object, "summary", properties_to_json(snapshot->summary));
	json_object_object_add(
		object, "manifest-list", json_object_new_string(snapshot->manifest_list));
	if (snapshot->schema_id != NO_SCHEMA)
		json_object_object_add(
			object, "schema-id", json_object_new_int(snapshot->schema_id));
	return object;
}

static void
add_schemas(Arena *arena, json_object *root, const TableMetadata *metadata)
{
	json_object *schemas = json_object_new_array_ext(metadata->schema_count);
	json_object *specs = json_object_new_array_ext(metadata->spec_count);

	for (int32_t i = 0; i < metadata->schema_count; i++)
		json_object_array_add(schemas, schema_to_json(arena, &metadata->schemas[i]));
	json_object_object_add(
		root, "current-schema-id", json_object_new_int(metadata->current_schema_id));
	json_object_object_add(root, "schemas", schemas);
	json_object_object_add(
		root, "default-spec-id", json_object_new_int(metadata->default_spec_id));
	for (int32_t i = 0; i < metadata->spec_count; i++)
	{
		json_object *spec = json_object_new_object();

		json_object_object_add(
			spec, "spec-id", json_object_new_int(metadata->specs[i].id));
		json_object_object_add(spec, "fields", spec_fields_to_json(&metadata->specs[i]));
		json_object_array_add(specs, spec);
	}
	json_object_object_add(root, "partition-specs", specs);
	json_object_object_add(
		root, "last-partition-id", json_object_new_int(metadata->last_partition_id));
}

static void
add_snapshots(json_object *root, const TableMetadata *metadata)
{
	json_object *refs = json_object_new_object();
	json_object *snapshots = json_object_new_array_ext(metadata->snapshot_count);

	if (metadata->current_snapshot_id != NO_SNAPSHOT)
		json_object_object_add(root,
		                       "current-snapshot-id",
		                       json_object_new_int64(metadata->current_snapshot_id));
	for (int32_t i = 0; i < metadata->ref_count; i++)
	{
		const IcebergRef *from = &metadata->refs[i];
		json_object *ref = json_tokener_parse(from->json);

		json_object_object_add(
			ref, "snapshot-id", json_object_new_int64(from->snapshot_id));
		json_object_object_add(refs, from->name, ref);
	}
	json_object_object_add(root, "refs", refs);
	for (int32_t i = 0; i < metadata->snapshot_count; i++)
		json_object_array_add(snapshots, snapshot_to_json(&metadata->snapshots[i]));
	json_object_object_add(root, "snapshots", snapshots);
}

static void
add_logs(json_object *root, const TableMetadata *metadata)
{
	json_object *snapshots = json_object_new_array_ext(metadata->snapshot_log_count);
	json_object *files = json_object_new_array_ext(metadata->metadata_log_count);

	for (int32_t i = 0; i < metadata->snapshot_log_count; i++)
	{
		const SnapshotLogEntry *from = &metadata->snapshot_log[i];
		json_object *entry = json_object_new_object();

		json_object_object_add(
			entry, "timestamp-ms", json_object_new_int64(from->timestamp_ms));
		json_object_object_add(
			entry, "snapshot-id", json_object_new_int64(from->snapshot_id));
		json_object_array_add(snapshots, entry);
	}
	json_object_object_add(root, "snapshot-log", snapshots);
	for (int32_t i = 0; i < metadata->metadata_log_count; i++)
	{
		const MetadataLogEntry *from = &metadata->metadata_log[i];
		json_object *entry = json_object_new_object();

		json_object_object_add(
			entry, "timestamp-ms", json_object_new_int64(from->timestamp_ms));
		json_object_object_add(
			entry, "metadata-file", json_object_new_string(from->file));
		json_object_array_add(files, entry);
	}
	json_object_object_add(root, "metadata-log", files);
}

/* Statistics files of snapshots that have expired are not carried along. */
static void
drop_stale_statistics(json_object *array, const TableMetadata *metadata)
{
	for (size_t i = json_object_array_length(array); i-- > 0;)
	{
		json_object *id;

		if (json_object_object_get_ex(
				json_object_array_get_idx(array, i), "snapshot-id", &id) &&
		    !metadata_snapshot(metadata, json_object_get_int64(id)))
			json_object_array_del_idx(array, i, 1);
	}
}

static void
add_extras(json_object *root, const TableMetadata *metadata)
{
	for (int32_t i = 0; i < metadata->extras.count; i++)
	{
		const IcebergProperty *extra = &metadata->extras.items[i];
		json_object *value = json_tokener_parse(extra->value);

		if (json_object_is_type(value, json_type_array) &&
		    (strcmp(extra->name, "statistics") == 0 ||
		     strcmp(extra->name, "partition-statistics") == 0))
			drop_stale_statistics(value, metadata);
		json_object_object_add(root, extra->name, value);
	}
}

Slice
metadata_write(Arena *arena, const TableMetadata *metadata)
{
	json_object *root = json_object_new_object();
	const char *text;

	json_object_object_add(root, "format-version", json_object_new_int(FORMAT_VERSION));
	json_object_object_add(root, "table-uuid", json_object_new_string(metadata->uuid));
	json_object_object_add(root, "location", json_object_new_string(metadata->location));
	json_object_object_add(root,
	                       "last-sequence-number",
	                       json_object_new_int64(metadata->last_sequence_number));
	json_object_object_add(
		root, "last-updated-ms", json_object_new_int64(metadata->last_updated_ms));
	json_object_object_add(
		root, "last-column-id", json_object_new_int(metadata->last_column_id));
	add_schemas(arena, root, metadata);
	json_object_object_add(root,
	                       "default-sort-order-id",
	                       json_object_new_int(metadata->default_sort_order_id));
	json_object_object_add(
		root, "sort-orders", json_tokener_parse(metadata->sort_orders));
	json_object_object_add(root, "properties", properties_to_json(metadata->properties));
	add_snapshots(root, metadata);
	add_extras(root, metadata);
	add_logs(root, metadata);
	text = members_print(arena, root);
	json_object_put(root);
	return slice_from(text);
}

/* Reading */

static bool
properties_from_json(Arena *arena, json_object *object, IcebergProperties *properties,
                     Err *err)
{
	IcebergProperty *items;
	int32_t count = 0;

	*properties = (IcebergProperties){ 0 };
	if (!object)
		return true;
	items = arena_zero(arena,
	                   ((size_t) json_object_object_length(object) + 1) * sizeof *items);
	json_object_object_foreach(object, name, value)
	{
		items[count].name = arena_strdup(arena, name);
		if (!member_string(arena, value, name, &items[count].value, err))
			return false;
		count++;
	}
	*properties = (IcebergProperties){ items, count };
	return true;
}

static bool
read_schemas(Arena *arena, json_object *root, TableMetadata *metadata, Err *err)
{
	json_object *array;
	IcebergSchema *schemas;
	PartitionSpec *specs;
	size_t count;

	if (!member_of_type(root, "schemas", json_type_array, &array, err))
		return false;
	count = json_object_array_length(array);
	schemas = arena_zero(arena, (count + 1) * sizeof *schemas);
	for (size_t i = 0; i < count; i++)
		if (!schema_from_json(
				arena, json_object_array_get_idx(array, i), &schemas[i], err))
			return false;
	metadata->schemas = schemas;
	metadata->schema_count = (int32_t) count;

	if (!member_of_type(root, "partition-specs", json_type_array, &array, err))
		return false;
	count = json_object_array_length(array);
	specs = arena_zero(arena, (count + 1) * sizeof *specs);
	for (size_t i = 0; i < count; i++)
	{
		json_object *spec = json_object_array_get_idx(array, i);
		json_object *fields;

		if (!member_int32(spec, "spec-id", &specs[i].id, err) ||
		    !member_of_type(spec, "fields", json_type_array, &fields, err) ||
		    !spec_fields_from_json(arena, fields, &specs[i], err))
			return false;
	}
	metadata->specs = specs;
	metadata->spec_count = (int32_t) count;
	if (!metadata_current_schema(metadata))
		return fail(err,
		            ERR_FATAL,
		            "current schema %d is not among the schemas",
		            metadata->current_schema_id);
	if (!metadata_spec(metadata, metadata->default_spec_id))
		return fail(err,
		            ERR_FATAL,
		            "default partition spec %d is not among the specs",
		            metadata->default_spec_id);
	return true;
}

/* What readers know of; they refuse a table for any other. */
static bool
check_operation(const IcebergSnapshot *snapshot, Err *err)
{
	static const char *const known[] = { "append", "replace", "overwrite", "delete" };
	const char *operation = properties_get(snapshot->summary, "operation");

	for (size_t i = 0; operation != NULL && i < sizeof known / sizeof *known; i++)
		if (strcmp(operation, known[i]) == 0)
			return true;
	return fail(err,
	            ERR_FATAL,
	            operation == NULL
	                ? "summary of snapshot %lld lacks member \"operation\""
	                : "summary of snapshot %lld has the unknown operation \"%s\"",
	            (long long) snapshot->id,
	            operation);
}

static bool
snapshot_from_json(Arena *arena, json_object *json, IcebergSnapshot *snapshot, Err *err)
{
	json_object *summary;

	if (!(member_int64(json, "snapshot-id", &snapshot->id, err) &&
	      member_int64_or(
			  json, "parent-snapshot-id", NO_SNAPSHOT, &snapshot->parent_id, err) &&
	      member_int64_or(json, "sequence-number", 0, &snapshot->sequence_number, err) &&
	      member_int64(json, "timestamp-ms", &snapshot->timestamp_ms, err) &&
	      member_text(arena, json, "manifest-list", &snapshot->manifest_list, err) &&
	      member_int32_or(json, "schema-id", NO_SCHEMA, &snapshot->schema_id, err) &&
	      member_of_type(json, "summary", json_type_object, &summary, err) &&
	      properties_from_json(arena, summary, &snapshot->summary, err)))
		return false;
	/* Readers refuse a table for it, now or when the snapshot is copied on. */
	return check_operation(snapshot, err);
}

static bool
read_snapshots(Arena *arena, json_object *root, TableMetadata *metadata, Err *err)
{
	json_object *array;
	IcebergSnapshot *snapshots;
	size_t count;

	if (!member_int64_or(root,
	                     "current-snapshot-id",
	                     NO_SNAPSHOT,
	                     &metadata->current_snapshot_id,
	                     err) ||
	    !member_of_type_or(root, "snapshots", json_type_array, &array, err))
		return false;
	count = array ? json_object_array_length(array) : 0;
	snapshots = arena_zero(arena, (count + 1) * sizeof *snapshots);
	for (size_t i = 0; i < count; i++)
		if (!snapshot_from_json(
				arena, json_object_array_get_idx(array, i), &snapshots[i], err))
			return fail_while(err, "snapshot %zu of the list", i);
	metadata->snapshots = snapshots;
	metadata->snapshot_count = (int32_t) count;
	if (metadata->current_snapshot_id != NO_SNAPSHOT &&
	    !metadata_current_snapshot(metadata))
		return fail(err,
		            ERR_FATAL,
		            "current snapshot %lld is not among the snapshots",
		            (long long) metadata->current_snapshot_id);
	return true;
}

static bool
read_ref(Arena *arena, json_object *json, IcebergRef *ref, Err *err)
{
	const char *type;

	if (!member_int64(json, "snapshot-id", &ref->snapshot_id, err) ||
	    !member_text(arena, json, "type", &type, err))
		return false;
	if (strcmp(type, "branch") != 0 && strcmp(type, "tag") != 0)
		return fail(err, ERR_FATAL, "type \"%s\" is neither branch nor tag", type);
	json_object_object_del(json, "snapshot-id");
	ref->json = members_print(arena, json);
	return true;
}

static bool
read_refs(Arena *arena, json_object *root, TableMetadata *metadata, Err *err)
{
	json_object *object;
	IcebergRef *refs;
	int32_t count = 0;

	if (!member_of_type_or(root, "refs", json_type_object, &object, err))
		return false;
	if (!object)
		return true;
	refs = arena_zero(arena,
	                  ((size_t) json_object_object_length(object) + 1) * sizeof *refs);
	json_object_object_foreach(object, name, ref)
	{
		refs[count].name = arena_strdup(arena, name);
		if (!read_ref(arena, ref, &refs[count++], err))
			return fail_while(err, "ref \"%s\"", name);
	}
	metadata->refs = refs;
	metadata->ref_count = count;
	return true;
}

static bool
read_logs(Arena *arena, json_object *root, TableMetadata *metadata, Err *err)
{
	json_object *array;
	SnapshotLogEntry *snapshots;
	MetadataLogEntry *files;
	size_t count;

	if (!member_of_type_or(root, "snapshot-log", json_type_array, &array, err))
		return false;
	count = array ? json_object_array_length(array) : 0;
	snapshots = arena_zero(arena, (count + 1) * sizeof *snapshots);
	for (size_t i = 0; i < count; i++)
	{
		json_object *entry = json_object_array_get_idx(array, i);

		if (!member_int64(entry, "timestamp-ms", &snapshots[i].timestamp_ms, err) ||
		    !member_int64(entry, "snapshot-id", &snapshots[i].snapshot_id, err))
			return fail_while(err, "snapshot log");
	}
	metadata->snapshot_log = snapshots;
	metadata->snapshot_log_count = (int32_t) count;

	if (!member_of_type_or(root, "metadata-log", json_type_array, &array, err))
		return false;
	count = array ? json_object_array_length(array) : 0;
	files = arena_zero(arena, (count + 1) * sizeof *files);
	for (size_t i = 0; i < count; i++)
	{
		json_object *entry = json_object_array_get_idx(array, i);

		if (!member_int64(entry, "timestamp-ms", &files[i].timestamp_ms, err) ||
		    !member_text(arena, entry, "metadata-file", &files[i].file, err))
			return fail_while(err, "metadata log");
	}
	metadata->metadata_log = files;
	metadata->metadata_log_count = (int32_t) count;
	return true;
}

static bool
is_known(const char *name)
{
	for (size_t i = 0; i < sizeof known_members / sizeof *known_members; i++)
		if (strcmp(known_members[i], name) == 0)
			return true;
	return false;
}

static void
read_extras(Arena *arena, json_object *root, TableMetadata *metadata)
{
	IcebergProperty *items =
		arena_zero(arena, ((size_t) json_object_object_length(root) + 1) * sizeof *items);
	int32_t count = 0;

	json_object_object_foreach(root, name, value)
	{
		if (is_known(name))
			continue;
		items[count].name = arena_strdup(arena, name);
		items[count].value = value ? members_print(arena, value) : "null";
		count++;
	}
	metadata->extras = (IcebergProperties){ items, count };
}

static bool
check_uuid(const char *text, Err *err)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t i = 0;

	while (form[i] == 'x' ? isxdigit((unsigned char) text[i]) != 0
	                      : form[i] == text[i] && form[i] != '\0')
		i++;
	return (form[i] == '\0' && text[i] == '\0') ||
	       fail(err, ERR_FATAL, "table-uuid \"%s\" is none", text);
}

static bool
read_sort_orders(Arena *arena, json_object *root, TableMetadata *metadata, Err *err)
{
	json_object *array;
	int32_t id = 0; /* of the order that is none, which need not be there */

	if (!member_int32(
			root, "default-sort-order-id", &metadata->default_sort_order_id, err) ||
	    !member_of_type(root, "sort-orders", json_type_array, &array, err))
		return false;
	for (size_t i = 0;
	     id != metadata->default_sort_order_id && i < json_object_array_length(array);
	     i++)
		if (!member_int32(json_object_array_get_idx(array, i), "order-id", &id, err))
			return fail_while(err, "sort order %zu of the list", i);
	metadata->sort_orders = members_print(arena, array);
	return id == metadata->default_sort_order_id ||
	       fail(err,
	            ERR_FATAL,
	            "default sort order %d is not among the orders",
	            metadata->default_sort_order_id);
}

static bool
read_root(Arena *arena, json_object *root, TableMetadata *metadata, Err *err)
{
	json_object *properties;
	int32_t format;
	size_t len;
	char *location;

	if (!member_int32(root, "format-version", &format, err))
		return false;
	if (format != FORMAT_VERSION)
	{
		fail(err, ERR_CONFIG, "format version %d of the table is not supported", format);
		return fail_hint(err, "Use a table of format version %d.", FORMAT_VERSION);
	}
	if (!member_text(arena, root, "table-uuid", &metadata->uuid, err) ||
	    !check_uuid(metadata->uuid, err) ||
	    !member_text(arena, root, "location", &metadata->location, err) ||
	    !member_int64(
			root, "last-sequence-number", &metadata->last_sequence_number, err) ||
	    !member_int64(root, "last-updated-ms", &metadata->last_updated_ms, err) ||
	    !member_int32(root, "last-column-id", &metadata->last_column_id, err) ||
	    !member_int32(root, "current-schema-id", &metadata->current_schema_id, err) ||
	    !member_int32(root, "default-spec-id", &metadata->default_spec_id, err) ||
	    !member_int32(root, "last-partition-id", &metadata->last_partition_id, err) ||
	    !read_sort_orders(arena, root, metadata, err) ||
	    !member_of_type_or(root, "properties", json_type_object, &properties, err) ||
	    !properties_from_json(arena, properties, &metadata->properties, err))
		return false;

	/* A path is built by appending "/...": one spelling, whoever wrote it. */
	location = arena_strdup(arena, metadata->location);
	for (len = strlen(location); len > 0 && location[len - 1] == '/'; len--)
		location[len - 1] = '\0';
	metadata->location = location;
	return read_schemas(arena, root, metadata, err) &&
	       read_snapshots(arena, root, metadata, err) &&
	       read_refs(arena, root, metadata, err) && read_logs(arena, root, metadata, err);
}

bool
metadata_read(Arena *arena, Slice json, TableMetadata **metadata, Err *err)
{
	json_object *root = members_parse(json, err);
	bool ok;

	if (!root)
		return false;
	*metadata = arena_zero(arena, sizeof **metadata);
	(*metadata)->current_snapshot_id = NO_SNAPSHOT;
	ok = read_root(arena, root, *metadata, err);
	if (ok)
		read_extras(arena, root, *metadata);
	json_object_put(root);
	return ok;
}
