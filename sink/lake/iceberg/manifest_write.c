/*
 * manifest_write.c
 *		manifests and manifest lists to bytes.
 *
 * Values follow the order of the tables in manifest_schema.c.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <inttypes.h>
#include <stdio.h>

#include "lake/iceberg/avro.h"
#include "lake/iceberg/bounds.h"
#include "lake/iceberg/manifest_schema.h"

static const char *const manifest_content_names[] = { "data", "deletes" };

/* Manifests */

static void
write_counts(Buf *rows, IdCounts counts)
{
	if (counts.count > 0)
		avro_long(rows, counts.count);
	for (int32_t i = 0; i < counts.count; i++)
	{
		avro_long(rows, counts.items[i].id);
		avro_long(rows, counts.items[i].count);
	}
	avro_long(rows, 0);
}

static void
write_optional_counts(Buf *rows, IdCounts counts)
{
	if (avro_optional(rows, counts.count > 0))
		write_counts(rows, counts);
}

static void
write_bounds(Buf *rows, IdBounds bounds)
{
	if (!avro_optional(rows, bounds.count > 0))
		return;
	avro_long(rows, bounds.count);
	for (int32_t i = 0; i < bounds.count; i++)
	{
		avro_long(rows, bounds.items[i].id);
		avro_bytes(rows, bounds.items[i].bytes);
	}
	avro_long(rows, 0);
}

/* A valid, non-null value of a partition field. */
static void
write_partition_value(Buf *rows, const IcebergType *type, Slice bytes)
{
	uint8_t digits[16];
	int32_t len;
	__int128 number;
	double wide;

	switch (type->kind)
	{
		case ICEBERG_STRING:
		case ICEBERG_BINARY:
			avro_bytes(rows, bytes);
			return;
		case ICEBERG_UUID:
		case ICEBERG_FIXED:
		case ICEBERG_FLOAT:
			buf_slice(rows, bytes);
			return;
		case ICEBERG_DOUBLE:
			wide = bound_real(bytes);
			buf_append(rows, &wide, sizeof wide);
			return;
		case ICEBERG_BOOLEAN:
			avro_boolean(rows, *bytes.data != 0);
			return;
		case ICEBERG_DECIMAL:
			len = manifest_decimal_bytes(type->precision);
			number = bound_integer(type, bytes);
			for (int32_t i = len - 1; i >= 0; i--, number >>= 8)
				digits[i] = (uint8_t) number;
			buf_append(rows, digits, (size_t) len);
			return;
		default:
			avro_long(rows, (int64_t) bound_integer(type, bytes));
			return;
	}
}

static void
write_lists(Buf *rows, const DataFile *file)
{
	if (avro_optional(rows, file->split_offset_count > 0))
	{
		avro_long(rows, file->split_offset_count);
		for (int32_t i = 0; i < file->split_offset_count; i++)
			avro_long(rows, file->split_offsets[i]);
		avro_long(rows, 0);
	}
	if (avro_optional(rows, file->equality_id_count > 0))
	{
		avro_long(rows, file->equality_id_count);
		for (int32_t i = 0; i < file->equality_id_count; i++)
			avro_long(rows, file->equality_ids[i]);
		avro_long(rows, 0);
	}
}

static void
write_data_file(Buf *rows, const IcebergField *partition, const DataFile *file)
{
	avro_long(rows, file->content);
	avro_bytes(rows, slice_from(file->path));
	avro_bytes(rows, slice_from(file->format));
	for (int32_t i = 0; i < file->partition_count; i++)
		if (avro_optional(rows, !file->partition[i].is_null))
			write_partition_value(rows, &partition[i].type, file->partition[i].bytes);
	avro_long(rows, file->record_count);
	avro_long(rows, file->size_bytes);

	/* Never null: PyIceberg 0.11 cannot inspect a table with a file without sizes. */
	avro_optional(rows, true);
	write_counts(rows, file->column_sizes);
	write_optional_counts(rows, file->value_counts);
	write_optional_counts(rows, file->null_value_counts);
	write_optional_counts(rows, file->nan_value_counts);
	write_bounds(rows, file->lower_bounds);
	write_bounds(rows, file->upper_bounds);
	if (avro_optional(rows, file->key_metadata.data != NULL))
		avro_bytes(rows, file->key_metadata);
	write_lists(rows, file);
	if (avro_optional(rows, file->sort_order_id != NO_SORT_ORDER))
		avro_long(rows, file->sort_order_id);
	if (avro_optional(rows, file->referenced_data_file != NULL))
		avro_bytes(rows, slice_from(file->referenced_data_file));
}

static void
write_sequence(Buf *rows, int64_t number)
{
	if (avro_optional(rows, number != SEQUENCE_INHERITED))
		avro_long(rows, number);
}

static bool
check_entry(const ManifestHeader *header, const IcebergField *partition,
            const ManifestEntry *entry, Err *err)
{
	const DataFile *file = &entry->file;
	bool is_data = file->content == FILE_DATA;

	if (!file->path || !file->format)
	{
		fail(err, ERR_FATAL, "a file of a manifest needs a path and a format");
		return false;
	}
	if (is_data != (header->content == MANIFEST_DATA))
		return fail(
			err, ERR_FATAL, "file \"%s\" is in a manifest of the other kind", file->path);
	if (file->spec_id != header->spec->id ||
	    file->partition_count != header->spec->field_count)
		return fail(err,
		            ERR_FATAL,
		            "file \"%s\" has a partition tuple of another spec than %d",
		            file->path,
		            header->spec->id);
	if (entry->status != ENTRY_ADDED &&
	    (entry->sequence_number == SEQUENCE_INHERITED ||
	     entry->file_sequence_number == SEQUENCE_INHERITED))
		return fail(err, ERR_FATAL, "file \"%s\" lacks a sequence number", file->path);
	if (file->content == FILE_POSITION_DELETES && file->sort_order_id != NO_SORT_ORDER)
		return fail(
			err, ERR_FATAL, "position delete file \"%s\" has a sort order", file->path);
	for (int32_t i = 0; i < file->partition_count; i++)
		if (!file->partition[i].is_null &&
		    !bound_is_valid(&partition[i].type, file->partition[i].bytes))
			return fail(err,
			            ERR_FATAL,
			            "file \"%s\" has a partition value of the wrong length",
			            file->path);
	return true;
}

static void
begin_manifest(Arena *arena, AvroWriter *writer, const ManifestHeader *header,
               const IcebergField *partition)
{
	IcebergSchema entry =
		manifest_entry_schema(arena, partition, header->spec->field_count);
	const IcebergSchema *schema = metadata_current_schema(header->metadata);
	const AvroKey keys[] = {
		{ "schema", iceberg_schema_json(arena, schema) },
		{ "schema-id", arena_printf(arena, "%d", schema->id) },
		{ "partition-spec", iceberg_spec_fields_json(arena, header->spec) },
		{ "partition-spec-id", arena_printf(arena, "%d", header->spec->id) },
		{ "format-version", "2" },
		{ "content", manifest_content_names[header->content] },
		{ "iceberg.schema", iceberg_schema_json(arena, &entry) },
		{ "avro.schema", manifest_avro_schema(arena, "manifest_entry", &entry) },
	};

	avro_begin(writer, keys, sizeof keys / sizeof *keys);
}

bool
manifest_write(Arena *arena, const ManifestHeader *header, ManifestEntries entries,
               Slice *bytes, Err *err)
{
	AvroWriter writer;
	const IcebergField *partition;

	if (!manifest_partition_fields(
			arena, header->metadata, header->spec, &partition, err))
		return false;
	for (int32_t i = 0; i < entries.count; i++)
		if (!check_entry(header, partition, &entries.items[i], err))
			return false;
	begin_manifest(arena, &writer, header, partition);
	for (int32_t i = 0; i < entries.count; i++)
	{
		const ManifestEntry *entry = &entries.items[i];

		avro_long(&writer.rows, entry->status);
		avro_optional(&writer.rows, true);
		avro_long(&writer.rows, entry->snapshot_id);
		write_sequence(&writer.rows, entry->sequence_number);
		write_sequence(&writer.rows, entry->file_sequence_number);
		write_data_file(&writer.rows, partition, &entry->file);
		avro_end_row(&writer);
	}
	*bytes = avro_end(arena, &writer);
	return true;
}

/* Summaries */

static void
summarize_value(const IcebergType *type, const PartitionValue *value,
                PartitionSummary *summary)
{
	bool is_real = type->kind == ICEBERG_FLOAT || type->kind == ICEBERG_DOUBLE;

	if (value->is_null)
	{
		summary->contains_null = true;
		return;
	}
	if (is_real && __builtin_isnan(bound_real(value->bytes)))
	{
		summary->contains_nan = true;
		return;
	}
	if (!summary->has_bounds || bound_compare(type, value->bytes, summary->lower) < 0)
		summary->lower = value->bytes;
	if (!summary->has_bounds || bound_compare(type, value->bytes, summary->upper) > 0)
		summary->upper = value->bytes;
	summary->has_bounds = true;
}

static void
count_entry(const ManifestEntry *entry, int64_t commit_sequence, ManifestFile *file)
{
	int64_t sequence = entry->sequence_number == SEQUENCE_INHERITED
	                       ? commit_sequence
	                       : entry->sequence_number;

	switch (entry->status)
	{
		case ENTRY_ADDED:
			file->added_files++;
			file->added_rows += entry->file.record_count;
			break;
		case ENTRY_EXISTING:
			file->existing_files++;
			file->existing_rows += entry->file.record_count;
			break;
		case ENTRY_DELETED:
			file->deleted_files++;
			file->deleted_rows += entry->file.record_count;
			return;
	}
	if (sequence < file->min_sequence_number)
		file->min_sequence_number = sequence;
}

bool
manifest_summarize(Arena *arena, const ManifestHeader *header, ManifestEntries entries,
                   int64_t commit_sequence, ManifestFile *file, Err *err)
{
	int32_t width = header->spec->field_count;
	PartitionSummary *summaries =
		arena_zero(arena, ((size_t) width + 1) * sizeof *summaries);
	const IcebergField *partition;

	if (!manifest_partition_fields(
			arena, header->metadata, header->spec, &partition, err))
		return false;
	*file = (ManifestFile){
		.spec_id = header->spec->id,
		.content = header->content,
		.min_sequence_number = commit_sequence,
		.partitions = summaries,
		.partition_count = width,
	};
	for (int32_t i = 0; i < entries.count; i++)
	{
		count_entry(&entries.items[i], commit_sequence, file);
		for (int32_t k = 0; k < width; k++)
			summarize_value(
				&partition[k].type, &entries.items[i].file.partition[k], &summaries[k]);
	}
	for (int32_t k = 0; k < width; k++)
		summaries[k].nan_is_known = true;
	return true;
}

/* Manifest lists */

static void
write_summaries(Buf *rows, const ManifestFile *file)
{
	avro_optional(rows, true);
	if (file->partition_count > 0)
		avro_long(rows, file->partition_count);
	for (int32_t i = 0; i < file->partition_count; i++)
	{
		const PartitionSummary *summary = &file->partitions[i];

		avro_boolean(rows, summary->contains_null);
		if (avro_optional(rows, summary->nan_is_known))
			avro_boolean(rows, summary->contains_nan);
		if (avro_optional(rows, summary->has_bounds))
			avro_bytes(rows, summary->lower);
		if (avro_optional(rows, summary->has_bounds))
			avro_bytes(rows, summary->upper);
	}
	avro_long(rows, 0);
}

static void
write_manifest_file(Buf *rows, const ManifestFile *file)
{
	avro_bytes(rows, slice_from(file->path));
	avro_long(rows, file->length);
	avro_long(rows, file->spec_id);
	avro_long(rows, file->content);
	avro_long(rows, file->sequence_number);
	avro_long(rows, file->min_sequence_number);
	avro_long(rows, file->added_snapshot_id);
	avro_long(rows, file->added_files);
	avro_long(rows, file->existing_files);
	avro_long(rows, file->deleted_files);
	avro_long(rows, file->added_rows);
	avro_long(rows, file->existing_rows);
	avro_long(rows, file->deleted_rows);
	write_summaries(rows, file);
	if (avro_optional(rows, file->key_metadata.data != NULL))
		avro_bytes(rows, file->key_metadata);
}

Slice
manifest_list_write(Arena *arena, const ManifestListHeader *header, ManifestFiles files)
{
	IcebergSchema schema = manifest_file_schema();
	const AvroKey keys[] = {
		{ "snapshot-id", arena_printf(arena, "%" PRId64, header->snapshot_id) },
		{ "parent-snapshot-id",
		  header->parent_id == NO_SNAPSHOT
		      ? "null"
		      : arena_printf(arena, "%" PRId64, header->parent_id) },
		{ "sequence-number", arena_printf(arena, "%" PRId64, header->sequence_number) },
		{ "format-version", "2" },
		{ "iceberg.schema", iceberg_schema_json(arena, &schema) },
		{ "avro.schema", manifest_avro_schema(arena, "manifest_file", &schema) },
	};
	AvroWriter writer;

	avro_begin(&writer, keys, sizeof keys / sizeof *keys);
	for (int32_t i = 0; i < files.count; i++)
	{
		write_manifest_file(&writer.rows, &files.items[i]);
		avro_end_row(&writer);
	}
	return avro_end(arena, &writer);
}
