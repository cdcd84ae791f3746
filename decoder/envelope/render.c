/*
 * render.c
 *		changes to records.
 *
 * One change is split into its values once (new and old tuple); a row is then a
 * walk over the plan's columns.  Which entry a column takes: the new tuple's; for
 * an unchanged TOAST value the old tuple's when that has one; else the
 * placeholder.  What an old tuple does not carry prints as the column's null, which
 * for a NOT NULL column is its default or the type's zero, as in Debezium.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/plan.h"

/* A change with its tuples split. */
typedef struct Change
{
	const RenderPlan *plan;
	const RenderChange *change;
	bool has_old;
	bool has_new;
	Value new_values[RENDER_MAX_COLUMNS];
	Value old_values[RENDER_MAX_COLUMNS];
	EnvError *error;
} Change;

static bool
split(Change *split, const RenderPlan *plan, const RenderChange *change, EnvError *error)
{
	uint16_t count = plan->relation->column_count;

	split->plan = plan;
	split->change = change;
	split->error = error;
	split->has_new = change->new_tuple.data != NULL;
	split->has_old = change->old_kind != 0 && change->old_tuple.data != NULL;
	if (split->has_new &&
	    !value_read_tuple(change->new_tuple, split->new_values, count, error))
		return false;
	if (split->has_old &&
	    !value_read_tuple(change->old_tuple, split->old_values, count, error))
		return false;
	if (!split->has_new || !split->has_old)
		return true;
	for (uint16_t i = 0; i < count; i++)
		if (split->new_values[i].kind == VALUE_UNCHANGED &&
		    (split->old_values[i].kind == VALUE_BINARY ||
		     split->old_values[i].kind == VALUE_TEXT))
			split->new_values[i] = split->old_values[i];
	return true;
}

static bool
malformed(const RenderPlan *plan, const ColumnPlan *column, EnvError *error)
{
	return env_fail(error,
	                "could not read the value of column \"%s\" of table \"%s\".\"%s\"",
	                column->codec.column->name,
	                plan->relation->schema,
	                plan->relation->name);
}

/* A value that the Connect type cannot hold, where that is not to become a null. */
static bool
lost(const ColumnPlan *column, EnvError *error)
{
	return env_fail(error,
	                "the schema of column \"%s\" cannot hold its value",
	                column->codec.column->name);
}

/* Append one value. */
static inline bool
put_value(Buf *buf, const RenderPlan *plan, const ColumnPlan *column, Value value,
          EnvError *error)
{
	size_t start = buf->len;
	EncodeResult result = ENCODE_NULL;

	(void) buf_reserve(buf, ENCODE_ROOM);
	if (value.kind == VALUE_UNCHANGED)
	{
		buf_slice(buf, column->unchanged_json);
		return !column->unchanged_lost || lost(column, error);
	}
	if (value.kind != VALUE_NULL)
	{
		if (column->codec.binary != (value.kind == VALUE_BINARY))
			return malformed(plan, column, error);
		result = column->codec.encode(buf, &column->codec, value_slice(value));
	}
	if (result == ENCODE_DONE)
		return true;
	if (result == ENCODE_MALFORMED)
		return malformed(plan, column, error);
	if (result == ENCODE_LOST && column->codec.strict)
		return lost(column, error);
	buf->len = start;
	buf_slice(buf, column->null_json);
	return true;
}

/* ---- Records with a limit ---- */

/* Whether a column's JSON is about as long as its value: text, or bytes.  A little may be
 * saved: geometries are hexadecimal digits before they are base64. */
static bool
keeps_length(const ColumnPlan *column)
{
	const char *type = column->type.form.type;

	return strcmp(type, "string") == 0 || strcmp(type, "bytes") == 0;
}

static size_t
least_json(const ColumnPlan *column, Value value)
{
	bool there = value.kind == VALUE_BINARY || value.kind == VALUE_TEXT;

	return there && keeps_length(column) ? value.len / 2 : 0;
}

static bool
within(const Change *change, size_t needed)
{
	if (needed <= change->change->limit)
		return true;
	*change->change->needed = needed;
	return env_fail(change->error, "a record would need at least %zu bytes", needed);
}

/* Whether the row may fit, before anything of it is printed. */
static bool
row_may_fit(const Change *change, const Value *values)
{
	const RenderPlan *plan = change->plan;
	size_t needed = 0;

	if (change->change->limit == 0 ||
	    (change->change->new_tuple.len + change->change->old_tuple.len) / 2 <=
	        change->change->limit)
		return true;
	for (uint16_t i = 0; i < plan->relation->column_count; i++)
		if (plan->columns[i].in_value)
			needed += least_json(&plan->columns[i], values[i]);
	return within(change, needed);
}

static bool
key_may_fit(const Change *change, const Value *values)
{
	size_t needed = 0;

	if (change->change->limit == 0)
		return true;
	for (uint16_t i = 0; i < change->plan->key_count; i++)
		needed +=
			least_json(&change->plan->key[i].column, values[change->plan->key[i].index]);
	return within(change, needed);
}

/* Append {"id":1,...}: the lead of each column has the comma, the first's is overwritten.
 */
static bool
put_row(Buf *buf, const RenderPlan *plan, const Value *values, EnvError *error)
{
	size_t start = buf->len;
	bool lossless = plan->options->lossless;

	for (uint16_t i = 0; i < plan->relation->column_count; i++)
	{
		const ColumnPlan *column = &plan->columns[i];

		if (!column->in_value || (lossless && values[i].kind == VALUE_UNCHANGED))
			continue;
		buf_slice(buf, column->lead);
		if (!put_value(buf, plan, column, values[i], error))
			return false;
	}
	if (buf->len == start)
		buf_char(buf, '{');
	buf->data[start] = '{';
	buf_char(buf, '}');
	return true;
}

/* Append {"id":1} in key order. */
static bool
put_key(Buf *buf, const RenderPlan *plan, const Value *values, EnvError *error)
{
	size_t start = buf->len;

	for (uint16_t i = 0; i < plan->key_count; i++)
	{
		const KeyPlan *key = &plan->key[i];

		buf_slice(buf, key->column.lead);
		if (!put_value(buf, plan, &key->column, values[key->index], error))
			return false;
	}
	if (buf->len == start)
		buf_char(buf, '{');
	buf->data[start] = '{';
	buf_char(buf, '}');
	return true;
}

/* ---- The envelope ---- */

static const Slice snapshot_names[] = {
	[SNAPSHOT_NONE] = { "\"false\"", 7 },
	[SNAPSHOT_TRUE] = { "\"true\"", 6 },
	[SNAPSHOT_FIRST] = { "\"first\"", 7 },
	[SNAPSHOT_FIRST_IN_COLLECTION] = { "\"first_in_data_collection\"", 26 },
	[SNAPSHOT_LAST_IN_COLLECTION] = { "\"last_in_data_collection\"", 25 },
	[SNAPSHOT_LAST] = { "\"last\"", 6 },
};

#define PUT(at, text) (memcpy(at, text, sizeof(text) - 1), (at) + sizeof(text) - 1)

/* sequence: a JSON array of two strings, inside a string. */
static char *
put_sequence(char *at, const RenderSource *source)
{
	at = PUT(at, ",\"sequence\":\"[");
	if (source->last_commit_lsn == 0)
		at = PUT(at, "null");
	else
	{
		at = PUT(at, "\\\"");
		at = number_put_u64(at, source->last_commit_lsn);
		at = PUT(at, "\\\"");
	}
	at = PUT(at, ",\\\"");
	at = number_put_u64(at, source->lsn);
	return PUT(at, "\\\"]\"");
}

static inline void
advance(Buf *buf, const char *end)
{
	buf->len = (size_t) (end - buf->data);
}

static int64_t
floor_divide(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

void
render_source(Buf *buf, const RenderPlan *plan, const RenderSource *source)
{
	bool unset =
		source->snapshot == SNAPSHOT_NONE && !plan->options->replace_null_with_default;
	char *at;

	buf_slice(buf, plan->source_head);
	at = buf_reserve(buf, 128);
	at = number_put_i64(at, floor_divide(source->commit_us, 1000));
	at = PUT(at, ",\"snapshot\":");
	advance(buf, at);
	buf_slice(buf, unset ? slice_from("null") : snapshot_names[source->snapshot]);
	buf_append(buf, ",\"db\":", 6);
	json_string(buf, slice_from(source->database));
	at = buf_reserve(buf, 256);
	at = put_sequence(at, source);
	at = PUT(at, ",\"ts_us\":");
	at = number_put_i64(at, source->commit_us);
	at = PUT(at, ",\"ts_ns\":");
	at = number_put_i64(at, source->commit_us);
	if (source->commit_us != 0)
		at = PUT(at, "000");
	advance(buf, at);
	buf_slice(buf, plan->source_table);
	at = buf_reserve(buf, 128);
	at = source->xid == 0 ? PUT(at, "null") : number_put_u64(at, source->xid);
	at = PUT(at, ",\"lsn\":");
	at = number_put_u64(at, source->lsn);
	at = PUT(at, ",\"xmin\":null,\"origin\":");
	advance(buf, at);
	if (source->origin == NULL)
	{
		buf_text(buf, "null,\"origin_lsn\":null}");
		return;
	}
	json_string(buf, slice_from(source->origin));
	buf_text(buf, ",\"origin_lsn\":");
	buf_uint64(buf, source->origin_lsn);
	buf_char(buf, '}');
}

void
render_transaction(Buf *buf, const RenderSource *source, TxCounts *counts,
                   uint32_t collection)
{
	char *at = buf_reserve(buf, 160);

	if (counts == NULL)
		at = PUT(at, "null");
	else
	{
		uint64_t order = tx_count(counts, collection);

		at = PUT(at, "{\"id\":\"");
		at = number_put_u64(at, source->xid);
		*at++ = ':';
		at = number_put_u64(at, source->lsn);
		at = PUT(at, "\",\"total_order\":");
		at = number_put_u64(at, counts->total);
		at = PUT(at, ",\"data_collection_order\":");
		at = number_put_u64(at, order);
		*at++ = '}';
	}
	advance(buf, at);
}

/* source, transaction, op and the times, which close the envelope. */
static void
put_tail(Buf *buf, const Change *change, char op)
{
	int64_t now_ns = change->change->now_ns;
	char *at;

	render_source(buf, change->plan, &change->change->source);
	buf_append(buf, ",\"transaction\":", 15);
	render_transaction(buf,
	                   &change->change->source,
	                   change->change->transaction,
	                   change->change->collection);
	at = buf_reserve(buf, 160);
	at = PUT(at, ",\"op\":\"");
	*at++ = op;
	at = PUT(at, "\",\"ts_ms\":");
	at = number_put_i64(at, floor_divide(now_ns, 1000000));
	at = PUT(at, ",\"ts_us\":");
	at = number_put_i64(at, floor_divide(now_ns, 1000));
	at = PUT(at, ",\"ts_ns\":");
	at = number_put_i64(at, now_ns);
	*at++ = '}';
	advance(buf, at);
}

/* Append the value of a record: before and after as given, NULL for null. */
static bool
put_envelope(Buf *buf, const Change *change, const Value *before, const Value *after,
             char op)
{
	const RenderPlan *plan = change->plan;
	size_t start = buf->len;

	buf_slice(buf, plan->value_head);
	buf_text(buf, "{\"before\":");
	if (before == NULL)
		buf_text(buf, "null");
	else if (!row_may_fit(change, before) || !put_row(buf, plan, before, change->error))
		return false;
	buf_text(buf, ",\"after\":");
	if (change->change->limit != 0 && !within(change, buf->len - start))
		return false;
	if (after == NULL)
		buf_text(buf, "null");
	else if (!row_may_fit(change, after) || !put_row(buf, plan, after, change->error))
		return false;
	put_tail(buf, change, op);
	if (plan->value_head.len > 0)
		buf_char(buf, '}');
	return true;
}

/* ---- Records ---- */

/* A key as it stands in the buffer: with its schema, and where its JSON alone is. */
typedef struct Key
{
	size_t at;
	size_t len;
	size_t bare_at;
	size_t bare_len;
} Key;

static bool
append_key(Buf *buf, const Change *change, const Value *values, Key *key)
{
	const RenderPlan *plan = change->plan;

	*key = (Key){ buf->len, 0, 0, 0 };
	if (!plan->has_key)
		return true;
	if (!key_may_fit(change, values))
		return false;
	buf_slice(buf, plan->key_head);
	key->bare_at = buf->len;
	if (!put_key(buf, plan, values, change->error))
		return false;
	key->bare_len = buf->len - key->bare_at;
	if (plan->key_head.len > 0)
		buf_char(buf, '}');
	key->len = buf->len - key->at;
	return true;
}

static RenderRecord
record_of(const Change *change, const Key *key)
{
	return (RenderRecord){ .key_at = key->at,
		                   .key_len = key->len,
		                   .has_key = change->plan->has_key };
}

static bool
append_value(Buf *buf, const Change *change, const Value *before, const Value *after,
             char op, RenderRecord *record)
{
	record->has_value = true;
	record->value_at = buf->len;
	if (!put_envelope(buf, change, before, after, op))
		return false;
	record->value_len = buf->len - record->value_at;
	return true;
}

static void
set_header(RenderRecord *record, const char *name, const Key *key)
{
	record->header_name = name;
	record->header_at = key->bare_at;
	record->header_len = key->bare_len;
}

/* c, r, and u with the key as it was. */
static bool
render_one(Buf *buf, const Change *change, const Key *key, char op, RenderRecord *records,
           int *count)
{
	records[0] = record_of(change, key);
	*count = 1;
	return append_value(buf,
	                    change,
	                    change->has_old ? change->old_values : NULL,
	                    change->new_values,
	                    op,
	                    &records[0]);
}

/* d, and its tombstone. */
static bool
render_delete(Buf *buf, const Change *change, const Key *key, RenderRecord *records,
              int *count)
{
	records[0] = record_of(change, key);
	*count = 1;
	if (!append_value(buf, change, change->old_values, NULL, 'd', &records[0]))
		return false;
	if (change->plan->options->tombstones_on_delete)
		records[(*count)++] = record_of(change, key);
	return true;
}

/* A changed key: the old row goes, with its tombstone, and the new one comes. */
static bool
render_move(Buf *buf, const Change *change, const Key *old_key, const Key *new_key,
            RenderRecord *records, int *count)
{
	int skipped = change->plan->options->skipped_operations;
	RenderRecord *created;

	if ((skipped & SKIP_DELETE) == 0 &&
	    !render_delete(buf, change, old_key, records, count))
		return false;
	for (int i = 0; i < *count; i++)
		set_header(&records[i], "__debezium.newkey", new_key);
	if ((skipped & SKIP_CREATE) != 0)
		return true;
	created = &records[(*count)++];
	*created = record_of(change, new_key);
	set_header(created, "__debezium.oldkey", old_key);
	return append_value(buf, change, NULL, change->new_values, 'c', created);
}

static bool
same_value(Value a, Value b)
{
	return a.kind == b.kind && slice_equal(value_slice(a), value_slice(b));
}

/* Whether a value is the same in both rows, as far as a record shows. */
static bool
prints_alike(Buf *buf, const Change *change, uint16_t i, bool *alike)
{
	const ColumnPlan *column = &change->plan->columns[i];
	size_t start = buf->len;
	size_t middle;
	bool ok = put_value(buf, change->plan, column, change->old_values[i], change->error);

	middle = buf->len;
	ok = ok && put_value(buf, change->plan, column, change->new_values[i], change->error);
	*alike = ok && buf->len - middle == middle - start &&
	         memcmp(buf->data + start, buf->data + middle, middle - start) == 0;
	buf->len = start;
	return ok;
}

/* Whether a value has no form in a record, so that it comes as null does. */
static bool
prints_as_null(Buf *buf, const ColumnPlan *column, Value value)
{
	size_t start = buf->len;
	EncodeResult result = ENCODE_NULL;

	(void) buf_reserve(buf, ENCODE_ROOM);
	if (value.kind == VALUE_UNCHANGED)
		return slice_equal(column->unchanged_json, slice_from("null"));
	if (value.kind != VALUE_NULL && column->codec.binary == (value.kind == VALUE_BINARY))
		result = column->codec.encode(buf, &column->codec, value_slice(value));
	buf->len = start;
	return result == ENCODE_NULL || result == ENCODE_LOST;
}

/* Whether a value alone is more than a record may have. */
static bool
exceeds_limit(const Change *change, uint16_t i, Value value)
{
	return change->change->limit != 0 &&
	       least_json(&change->plan->columns[i], value) > change->change->limit;
}

/* Whether no captured column differs between the rows of an update. */
static bool
is_unchanged(Buf *buf, const Change *change, bool *unchanged)
{
	*unchanged = true;
	for (uint16_t i = 0; *unchanged && i < change->plan->relation->column_count; i++)
	{
		Value before = change->old_values[i];
		Value after = change->new_values[i];

		if (!change->plan->columns[i].in_value || same_value(before, after))
			continue;
		/* text and bytes that differ print differently */
		if (exceeds_limit(change, i, before) || exceeds_limit(change, i, after))
			*unchanged = false;
		/* null is not the default that prints in its place */
		else if ((before.kind == VALUE_NULL || after.kind == VALUE_NULL) &&
		         !change->plan->relation->columns[i].not_null)
			*unchanged = prints_as_null(buf, &change->plan->columns[i], before) &&
			             prints_as_null(buf, &change->plan->columns[i], after);
		else if (!prints_alike(buf, change, i, unchanged))
			return false;
	}
	return true;
}

static bool
render_update(Buf *buf, const Change *change, RenderRecord *records, int *count)
{
	bool skip = change->plan->options->skip_messages_without_change && change->has_old;
	bool skip_plain = (change->plan->options->skipped_operations & SKIP_UPDATE) != 0;
	Key new_key;
	Key old_key;

	if (skip_plain && (!change->has_old || !change->plan->has_key))
		return true;
	if (skip && !is_unchanged(buf, change, &skip))
		return false;
	if (skip)
		return true;
	if (!append_key(buf, change, change->new_values, &new_key))
		return false;
	if (change->has_old && change->plan->has_key)
	{
		if (!append_key(buf, change, change->old_values, &old_key))
			return false;
		if (old_key.len != new_key.len ||
		    memcmp(buf->data + old_key.at, buf->data + new_key.at, new_key.len) != 0)
			return render_move(buf, change, &old_key, &new_key, records, count);
		buf->len = old_key.at;
	}
	if (skip_plain)
		return true;
	return render_one(buf, change, &new_key, 'u', records, count);
}

/* The SKIP_ bit of a change; a snapshot's rows are never skipped. */
static int
skip_bit(char type)
{
	switch (type)
	{
		case 'I':
			return SKIP_CREATE;
		case 'U':
			return SKIP_UPDATE;
		case 'D':
			return SKIP_DELETE;
		case 'T':
			return SKIP_TRUNCATE;
		default:
			return 0;
	}
}

/*
 * A TRUNCATE of a partitioned table names it and its leaves; a publication has the one or
 * the others, by publish_via_partition_root.
 */
static bool
publishes_truncate(const EnvOptions *options, const Relation *relation)
{
	return options->publish_via_partition_root ? relation->root_relid == 0
	                                           : relation->relkind != 'p';
}

bool
render_unpublished(const EnvOptions *options, char type, const Relation *relation)
{
	if (type == 'T' && !publishes_truncate(options, relation))
		return true;
	/* the default is not told the publication */
	return options->skips_told && !options->publishes_skipped &&
	       (options->skipped_operations & skip_bit(type)) != 0;
}

/*
 * Whether the table itself has none: Debezium has no records of such rows, but empty ones
 * where all columns are excluded, which with their lists is taken for the same.
 */
static bool
has_no_columns(const RenderPlan *plan)
{
	return plan->relation->column_count == 0 &&
	       plan->options->column_include_list.count == 0 &&
	       plan->options->column_exclude_list.count == 0;
}

static bool
render_parts(Change *parts, Buf *buf, RenderRecord records[RENDER_MAX_RECORDS],
             int *count)
{
	const RenderChange *change = parts->change;
	Key key;

	if (has_no_columns(parts->plan) && strchr("IUD", change->type) != NULL)
		return true;
	switch (change->type)
	{
		case 'I':
		case 'r':
			return append_key(buf, parts, parts->new_values, &key) &&
			       render_one(
					   buf, parts, &key, change->type == 'r' ? 'r' : 'c', records, count);
		case 'U':
			return render_update(buf, parts, records, count);
		case 'D':
			if (!parts->has_old)
				return true;
			return append_key(buf, parts, parts->old_values, &key) &&
			       render_delete(buf, parts, &key, records, count);
		case 'T':
			if (!publishes_truncate(parts->plan->options, parts->plan->relation))
				return true;
			records[0] = (RenderRecord){ .has_key = false };
			*count = 1;
			return append_value(buf, parts, NULL, NULL, 't', &records[0]);
		default:
			return env_fail(
				parts->error, "unrecognized change type \"%c\"", change->type);
	}
}

bool
render_records(const RenderPlan *plan, const RenderChange *change, Buf *buf,
               RenderRecord records[RENDER_MAX_RECORDS], int *count, EnvError *error)
{
	Change parts;
	TxMark mark;

	*count = 0;
	/* an update that moves its key is a delete and a create to skipped.operations too */
	if (change->type != 'U' &&
	    (plan->options->skipped_operations & skip_bit(change->type)) != 0)
		return true;
	if (!split(&parts, plan, change, error))
		return false;
	if (change->transaction == NULL)
		return render_parts(&parts, buf, records, count);
	mark = tx_mark(change->transaction, change->collection);
	if (render_parts(&parts, buf, records, count))
		return true;
	tx_take_back(change->transaction, change->collection, mark);
	return false;
}

bool
render_key_changed(const RenderPlan *plan, const RenderChange *change, bool *changed,
                   EnvError *error)
{
	const Relation *relation = plan->relation;
	Change parts;

	*changed = false;
	if (!split(&parts, plan, change, error))
		return false;
	for (uint16_t i = 0; parts.has_old && parts.has_new && i < relation->key_count; i++)
	{
		uint16_t index = relation->key[i];

		/* 'K' has nothing of columns outside the identity */
		if (change->old_kind == 'K' && !relation->columns[index].in_identity)
			continue;
		if (!same_value(parts.old_values[index], parts.new_values[index]))
			*changed = true;
	}
	return true;
}

/* ---- Parts of a change, for bronze ---- */

bool
render_row(const RenderPlan *plan, Slice tuple, bool identity_only, Buf *buf,
           EnvError *error)
{
	const Relation *relation = plan->relation;
	Value values[RENDER_MAX_COLUMNS];

	if (!value_read_tuple(tuple, values, relation->column_count, error))
		return false;
	for (uint16_t i = 0; identity_only && i < relation->column_count; i++)
		if (!relation->columns[i].in_identity)
			values[i].kind = VALUE_UNCHANGED;
	return put_row(buf, plan, values, error);
}

bool
render_key(const RenderPlan *plan, Slice tuple, Buf *buf, EnvError *error)
{
	Value values[RENDER_MAX_COLUMNS];

	error->message[0] = '\0';
	return plan->has_key &&
	       value_read_tuple(tuple, values, plan->relation->column_count, error) &&
	       put_key(buf, plan, values, error);
}

bool
render_unchanged(const RenderPlan *plan, Slice tuple, Buf *buf, EnvError *error)
{
	Value values[RENDER_MAX_COLUMNS];
	size_t start = buf->len;

	if (!value_read_tuple(tuple, values, plan->relation->column_count, error))
		return false;
	for (uint16_t i = 0; i < plan->relation->column_count; i++)
	{
		if (values[i].kind != VALUE_UNCHANGED || !plan->columns[i].in_value)
			continue;
		buf_char(buf, ',');
		json_string(buf, slice_from(plan->relation->columns[i].name));
	}
	if (buf->len == start)
		return true;
	buf->data[start] = '[';
	buf_char(buf, ']');
	return true;
}

/* ---- format=record ---- */

RenderContext
render_context(const EnvOptions *options, const char *run_id)
{
	return (RenderContext){
		{ "__debezium.context.connectorLogicalName",
		  "__debezium.context.taskId",
		  "__debezium.context.connectorName",
		  "__debezium.context.runId" },
		{ options->topic_prefix, "0", "postgresql", run_id },
	};
}

static void
put_header_name(Buf *out, bool *first, const char *name)
{
	buf_text(out, *first ? "{\"k\":" : ",{\"k\":");
	*first = false;
	json_string(out, slice_from(name));
	buf_text(out, ",\"v\":");
}

static void
put_header(Buf *out, bool *first, const char *name, Slice value)
{
	put_header_name(out, first, name);
	json_string(out, value);
	buf_char(out, '}');
}

bool
render_header_key(const RenderPlan *plan, Slice key, Buf *out)
{
	return header_put(out, key, &plan->key_header);
}

/* The header of a key change. */
static void
put_key_header(Buf *out, const RenderPlan *plan, bool *first, const char *name, Slice key)
{
	size_t start;
	size_t middle;

	put_header_name(out, first, name);
	start = out->len;
	if (!render_header_key(plan, key, out))
	{
		out->len = start;
		buf_slice(out, key);
	}
	middle = out->len;
	/* the text must not move while its JSON, up to six times as long, comes behind it */
	(void) buf_reserve(out, (middle - start) * 7 + 64);
	json_string(out, (Slice){ out->data + start, middle - start });
	memmove(out->data + start, out->data + middle, out->len - middle);
	out->len -= middle - start;
	buf_char(out, '}');
}

static void
put_bytes_or_null(Buf *out, const Buf *bytes, bool there, size_t at, size_t len)
{
	if (there)
		json_string(out, (Slice){ bytes->data + at, len });
	else
		buf_text(out, "null");
}

void
render_record_json(const RenderPlan *plan, const Buf *bytes, const RenderRecord *record,
                   const RenderContext *context, Buf *out)
{
	bool first = true;

	buf_text(out, "{\"topic\":");
	buf_slice(out, plan->topic_json);
	buf_text(out, ",\"partition\":null,\"key\":");
	put_bytes_or_null(out, bytes, record->has_key, record->key_at, record->key_len);
	buf_text(out, ",\"value\":");
	put_bytes_or_null(out, bytes, record->has_value, record->value_at, record->value_len);
	buf_text(out, ",\"headers\":[");
	if (record->header_name != NULL)
		put_key_header(out,
		               plan,
		               &first,
		               record->header_name,
		               (Slice){ bytes->data + record->header_at, record->header_len });
	if (plan->options->extended_headers_enabled && context != NULL)
		for (int i = 0; i < 4; i++)
			put_header(out, &first, context->names[i], slice_from(context->values[i]));
	buf_text(out, "]}");
}
