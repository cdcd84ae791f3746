/*
 * plan.c
 *		making render plans: topic, columns, defaults, placeholders, schemas.
 *
 * Everything is built in one scratch Buf over the plan's allocator and copied
 * out when it is complete.  That allocator frees nothing: plans are made once
 * per relation version.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/plan.h"

#include "envelope/digest.h"
#include "envelope/jdbc.h"
#include "envelope/names.h"
#include "envelope/utf8.h"

#include <ctype.h>
#include <stdio.h>

#define TOPIC_MAX 249 /* Kafka's limit, at which Debezium cuts */

/* What plan making carries along. */
typedef struct Maker
{
	RenderPlan *plan;
	const Alloc *alloc;
	Buf *buf;
	Slice placeholder; /* the bytes of unavailable.value.placeholder */
} Maker;

/* buf.h's BufGrow over an Alloc, which cannot resize: the old size is kept in front. */
static void *
grow_in_alloc(void *block, size_t size, void *context)
{
	const Alloc *alloc = context;
	size_t *sized = alloc->alloc(size + 16, alloc->context);
	char *grown = (char *) sized + 16;

	*sized = size;
	if (block != NULL)
	{
		size_t old = ((size_t *) (void *) ((char *) block - 16))[0];

		memcpy(grown, block, old < size ? old : size);
	}
	return grown;
}

Buf
plan_buf(Alloc *alloc)
{
	return (Buf){ .grow = grow_in_alloc, .context = alloc };
}

/* Copy out what was appended since start and take it back. */
static Slice
take(Maker *maker, size_t start)
{
	Slice text = { maker->buf->data + start, maker->buf->len - start };
	Slice copy = { alloc_copy(maker->alloc, text), text.len };

	maker->buf->len = start;
	return copy;
}

/*
 * The topic: what is not legal in one becomes underscores, one for each UTF-16
 * unit, as Java counts.
 */
static const char *
make_topic(Maker *maker)
{
	RenderPlan *plan = maker->plan;
	Buf *buf = maker->buf;
	size_t start = buf->len;
	size_t end;
	Slice topic;

	buf_printf(buf, "%s%s", plan->options->topic_prefix, plan->options->topic_delimiter);
	if (plan->options->topic_naming_strategy == TOPIC_OF_SCHEMA)
		buf_printf(buf, "%s%s", plan->schema, plan->options->topic_delimiter);
	buf_text(buf, plan->table);
	end = start;
	for (size_t i = start; i < buf->len; i++)
	{
		char c = buf->data[i];
		uint8_t byte = (uint8_t) c;

		if (byte >= 0x80 && byte < 0xC0)
			continue; /* the rest of a character */
		if (byte >= 0xF0)
			buf->data[end++] = '_';
		if (byte >= 0x80 || (!isalnum(byte) && c != '.' && c != '_' && c != '-'))
			c = '_';
		buf->data[end++] = c;
	}
	buf->len = end - start > TOPIC_MAX ? start + TOPIC_MAX : end;
	topic = take(maker, start);
	return topic.data;
}

static const char *
make_collection(Maker *maker)
{
	size_t start = maker->buf->len;

	buf_printf(maker->buf, "%s.%s", maker->plan->schema, maker->plan->table);
	return take(maker, start).data;
}

/* "hex:" and digits stand for bytes, anything else for itself. */
static Slice
make_placeholder(Maker *maker)
{
	const char *text = maker->plan->options->unavailable_value_placeholder;
	size_t start = maker->buf->len;

	if (text == NULL || strncmp(text, "hex:", 4) != 0)
		return slice_from(text == NULL ? "" : text);
	for (text += 4;
	     isxdigit((unsigned char) text[0]) && isxdigit((unsigned char) text[1]);
	     text += 2)
	{
		unsigned byte = 0;

		for (int i = 0; i < 2; i++)
			byte = byte << 4 | (unsigned) (text[i] <= '9' ? text[i] - '0'
			                                              : (text[i] | 32) - 'a' + 10);
		buf_u8(maker->buf, (uint8_t) byte);
	}
	return take(maker, start);
}

static void
put_placeholder_string(Maker *maker)
{
	size_t start = maker->buf->len;
	Slice text;

	(void) utf8_append(maker->buf, maker->placeholder);
	text = take(maker, start);
	json_string(maker->buf, text);
}

/* The placeholder's bytes as Java's signed bytes, separated by commas. */
static void
put_placeholder_codes(Maker *maker)
{
	for (size_t i = 0; i < maker->placeholder.len; i++)
	{
		if (i > 0)
			buf_char(maker->buf, ',');
		buf_int64(maker->buf, (signed char) maker->placeholder.data[i]);
	}
}

static void
put_placeholder_hstore(Maker *maker)
{
	size_t start = maker->buf->len;
	Slice text;

	buf_char(maker->buf, '{');
	put_placeholder_string(maker);
	buf_char(maker->buf, ':');
	put_placeholder_string(maker);
	buf_char(maker->buf, '}');
	if (maker->plan->options->hstore_handling_mode == HSTORE_MAP)
		return;
	text = take(maker, start);
	json_string(maker->buf, text);
}

/* By mode: base64 of the bytes, the text for hex, nothing for the base64 strings. */
static bool
put_placeholder_bytes(Maker *maker, const ColumnPlan *column)
{
	switch ((BinaryMode) maker->plan->options->binary_handling_mode)
	{
		case BINARY_BYTES:
			return encode_base64(maker->buf, &column->codec, maker->placeholder) ==
			       ENCODE_DONE;
		case BINARY_HEX:
			if (column->type.array)
				return false;
			put_placeholder_string(maker);
			return true;
		case BINARY_BASE64:
		case BINARY_BASE64_URL_SAFE:
			return false;
	}
	return false;
}

/* ---- Masks ---- */

/* Whether the column's mask changes what its values print as. */
static bool
masks_values(const ColumnPlan *column)
{
	const ColumnMask *mask = &column->mask;

	if (mask->rule == NULL || column->type.array)
		return false;
	/* bronze prints numbers and times as strings too */
	if (mask->rule->kind != MASK_TRUNCATE || column->codec.lossless)
		return mask->is_text;
	return mask->column_length > mask->rule->length &&
	       (strcmp(column->type.form.type, "string") == 0 ||
	        (strcmp(column->type.form.type, "bytes") == 0 &&
	         column->type.form.name == NULL));
}

/* Mask what stands for a value from start on; asterisks stand for null too. */
static void
mask_converted(Maker *maker, const ColumnPlan *column, size_t start)
{
	bool is_string = maker->buf->data[start] == '"';

	if (!is_string && column->mask.rule->kind == MASK_CHARS)
	{
		maker->buf->len = start;
		buf_text(maker->buf, "\"\"");
	}
	if (!column->codec.mask_bytes)
		mask_replace_json(maker->buf, start, &column->mask);
}

/* Have values masked as they are printed, unless they come so. */
static void
wrap_encoder(ColumnPlan *column)
{
	ColumnCodec *codec = &column->codec;

	codec->mask_bytes = column->mask.rule->kind == MASK_TRUNCATE &&
	                    strcmp(column->type.form.type, "bytes") == 0;
	if (column->mask.at_source)
		return;
	codec->mask = &column->mask;
	codec->inner = codec->encode;
	codec->encode = encode_masked;
}

/* Codes are integers, and days as good as any, but no dates of Connect, nor texts. */
static bool
takes_codes(const ColumnPlan *column)
{
	const char *name = column->type.form.name;

	return name == NULL || strcmp(name, "io.debezium.time.Date") == 0;
}

/* What an unchanged TOAST value of column prints as. */
static Slice
make_unchanged(Maker *maker, ColumnPlan *column)
{
	Buf *buf = maker->buf;
	size_t start = buf->len;
	bool known = true;
	char uuid[16];

	if (column->type.array)
		buf_char(buf, '[');
	switch (column->type.toast)
	{
		case TOAST_NULL:
			known = false;
			break;
		case TOAST_STRING:
			put_placeholder_string(maker);
			break;
		case TOAST_BYTES:
			known = put_placeholder_bytes(maker, column);
			break;
		case TOAST_HSTORE:
			put_placeholder_hstore(maker);
			break;
		case TOAST_CODES:
			known = maker->placeholder.len == 0 || takes_codes(column);
			put_placeholder_codes(maker);
			break;
		case TOAST_UUID:
			digest_uuid(maker->placeholder, uuid);
			(void) buf_reserve(buf, ENCODE_ROOM);
			(void) encode_uuid(buf, &column->codec, (Slice){ uuid, sizeof uuid });
			break;
	}
	if (column->type.array)
		buf_char(buf, ']');
	if (!known)
	{
		buf->len = start;
		buf_text(buf, "null");
		column->unchanged_lost = column->codec.strict;
	}
	if (masks_values(column))
		mask_converted(maker, column, start);
	return take(maker, start);
}

/* The JSON of the column's default as far as Debezium understands it; empty: none. */
static Slice
make_default(Maker *maker, const ColumnPlan *column)
{
	const RelationColumn *relation_column = column->codec.column;
	const ColumnType *type = &column->type;
	size_t start = maker->buf->len;
	Slice literal;
	Slice binary;
	Slice json;

	/* structs have none (KAFKA-12694), nor do domains, whose name nobody looks up */
	if (relation_column->default_text == NULL || type->literal == NULL || type->array ||
	    type->form.fields != NULL ||
	    relation_column->type_oid != relation_column->base_oid)
		return (Slice){ NULL, 0 };
	if (!(relation_column->type_kind == 'e'
	          ? literal_of_label(relation_column->default_text, &literal)
	          : literal_of_default(relation_column->default_text,
	                               type->generated,
	                               type->is_time,
	                               &literal)) ||
	    (relation_column->base_oid == TYPE_NUMERIC && relation_column->base_typmod >= 4 &&
	     !literal_set_scale(&literal, column->codec.scale)) ||
	    !type->literal(maker->buf, literal))
	{
		maker->buf->len = start;
		return (Slice){ NULL, 0 };
	}
	binary = take(maker, start);
	(void) buf_reserve(maker->buf, ENCODE_ROOM);
	if (type->form.encode(maker->buf, &column->codec, binary) != ENCODE_DONE)
		maker->buf->len = start;
	json = take(maker, start);
	return json;
}

/* Whether zero has the digits of the column's scale: decimals as text have. */
static bool
zero_has_scale(const ColumnPlan *column)
{
	const TypeForm *form = &column->type.form;

	return form->encode == encode_numeric_string ||
	       (column->codec.column->base_oid == TYPE_MONEY &&
	        form->encode == encode_printed);
}

/* Debezium's zero for what is missing though it is not null. */
static void
put_zero(Maker *maker, const ColumnPlan *column)
{
	size_t digits = (size_t) column->codec.scale;

	if (column->type.array)
		buf_text(maker->buf, "[]");
	else if (!zero_has_scale(column))
		buf_text(maker->buf, column->type.form.zero);
	else
	{
		buf_text(maker->buf, digits > 0 ? "\"0." : "\"0");
		memset(buf_reserve(maker->buf, digits), '0', digits);
		maker->buf->len += digits;
		buf_char(maker->buf, '"');
	}
}

/* What a null of the column prints as. */
static Slice
make_null(Maker *maker, const ColumnPlan *column, Slice default_json)
{
	const EnvOptions *options = maker->plan->options;
	bool not_null = column->codec.column->not_null;
	size_t start = maker->buf->len;
	bool masked = masks_values(column);

	if (options->lossless)
		return slice_from("null");
	/* a default that JsonConverter puts there has passed no mask */
	if (!not_null && !(masked && column->mask.rule->kind == MASK_CHARS))
		return default_json.len > 0 && options->replace_null_with_default
		           ? default_json
		           : slice_from("null");
	if (not_null && default_json.len > 0)
		buf_slice(maker->buf, default_json);
	else if (not_null)
		put_zero(maker, column);
	else
		buf_text(maker->buf, "null");
	if (masked)
		mask_converted(maker, column, start);
	return take(maker, start);
}

/* Whether a list of propagated types names the column or its type. */
static bool
propagates(Maker *maker, const RelationColumn *source)
{
	const RenderPlan *plan = maker->plan;
	const EnvOptions *options = plan->options;
	size_t start = maker->buf->len;
	Slice name;

	if (options->column_propagate_source_type.count == 0 &&
	    options->datatype_propagate_source_type.count == 0)
		return false;
	buf_printf(maker->buf, "%s.%s.%s", plan->schema, plan->table, source->name);
	name = take(maker, start);
	if (filter_matches(&options->column_propagate_source_type, name.data))
		return true;
	buf_printf(maker->buf, "%s.%s.", plan->schema, plan->table);
	jdbc_type_name(maker->buf, source);
	name = take(maker, start);
	return filter_matches(&options->datatype_propagate_source_type, name.data);
}

/* Fill what Value and Key have alike of column i, whose type is resolved. */
static void
make_prints(Maker *maker, ColumnPlan *column, Slice *default_json)
{
	const EnvOptions *options = maker->plan->options;
	size_t start = maker->buf->len;

	names_adjust(maker->buf,
	             (AdjustMode) options->field_name_adjustment_mode,
	             true,
	             column->codec.column->name);
	column->field = take(maker, start).data;
	buf_char(maker->buf, ',');
	json_string(maker->buf, slice_from(column->field));
	buf_char(maker->buf, ':');
	column->lead = take(maker, start);
	*default_json = make_default(maker, column);
	if (masks_values(column))
		wrap_encoder(column);
	column->null_json = make_null(maker, column, *default_json);
	column->unchanged_json = make_unchanged(maker, column);
}

static void
make_column(Maker *maker, uint16_t i, bool in_key, Slice *default_json)
{
	RenderPlan *plan = maker->plan;
	const RelationColumn *source = &plan->relation->columns[i];
	ColumnPlan *column = &plan->columns[i];
	bool known =
		column_type_resolve(&column->type, &column->codec, source, plan->options, in_key);

	*default_json = (Slice){ NULL, 0 };
	column->in_value =
		known && !(source->is_generated && plan->options->lossless) &&
		filter_wants_column(plan->options, plan->schema, plan->table, source->name);
	if (!known)
		return;
	column->mask = mask_find(plan->options, plan->relation, i);
	column->propagate = propagates(maker, source);
	/* Debezium lets a propagated type go before a hash: it may as well where the hash
	 * would change nothing */
	if (column->propagate && column->mask.rule != NULL && !column->mask.is_text &&
	    column->mask.rule->kind >= MASK_HASH_V1)
		column->mask.rule = NULL;
	make_prints(maker, column, default_json);
}

/* A column of Key in headers. */
static HeaderField
make_header(KeyPlan *key, Slice default_json)
{
	const ColumnPlan *column = &key->column;
	HeaderForm form = header_form(column->type.form.type, column->type.form.name);

	/* the structs here are of numbers and bytes, and have no defaults */
	if (form == HEADER_OF_STRUCT)
		form = HEADER_OF_JSON;
	key->header = (HeaderType){ .form = form, .scale = column->codec.scale };
	if (column->type.array)
	{
		key->items = key->header;
		key->header = (HeaderType){ .form = HEADER_OF_JSON, .items = &key->items };
	}
	return (HeaderField){ .name = { column->lead.data + 1, column->lead.len - 2 },
		                  .type = &key->header,
		                  .default_json = default_json };
}

/* The columns of Key, which have neither masks nor propagated types. */
static void
make_key(Maker *maker, const uint16_t *columns, uint16_t count, Slice *defaults)
{
	RenderPlan *plan = maker->plan;
	HeaderField *fields = alloc_zero(maker->alloc, (count + 1U) * sizeof *fields);

	plan->key = alloc_zero(maker->alloc, (count + 1U) * sizeof *plan->key);
	for (uint16_t i = 0; i < count; i++)
	{
		KeyPlan *key = &plan->key[plan->key_count];
		const RelationColumn *source = &plan->relation->columns[columns[i]];

		if (!column_type_resolve(
				&key->column.type, &key->column.codec, source, plan->options, true))
			continue;
		key->index = columns[i];
		make_prints(maker, &key->column, &defaults[columns[i]]);
		fields[plan->key_count++] = make_header(key, defaults[columns[i]]);
	}
	plan->key_header = (HeaderType){ .form = HEADER_OF_STRUCT,
		                             .fields = fields,
		                             .field_count = plan->key_count };
	/* a key of types that are left out is a struct without fields */
	plan->has_key = count > 0;
}

static bool
fail_field(const RenderPlan *plan, const ColumnPlan *one, const ColumnPlan *other,
           EnvError *error)
{
	(void) env_fail(error,
	                "columns \"%s\" and \"%s\" of table \"%s\".\"%s\" both become field "
	                "\"%s\"",
	                one->codec.column->name,
	                other->codec.column->name,
	                plan->schema,
	                plan->table,
	                one->field);
	(void) snprintf(error->hint,
	                sizeof error->hint,
	                "Exclude one of them, rename it, or use another "
	                "field.name.adjustment.mode.");
	return false;
}

/* Two columns must not become one field, of a value or of a key, which has excluded
 * columns too. */
static bool
check_fields(const RenderPlan *plan, EnvError *error)
{
	if (plan->options->field_name_adjustment_mode == ADJUST_NONE)
		return true;
	for (uint16_t i = 0; i < plan->relation->column_count; i++)
		for (uint16_t j = 0; j < i; j++)
		{
			const ColumnPlan *one = &plan->columns[j];
			const ColumnPlan *other = &plan->columns[i];

			if (one->in_value && other->in_value && strcmp(one->field, other->field) == 0)
				return fail_field(plan, one, other, error);
		}
	for (uint16_t i = 0; i < plan->key_count; i++)
		for (uint16_t j = 0; j < i; j++)
		{
			const ColumnPlan *one = &plan->key[j].column;
			const ColumnPlan *other = &plan->key[i].column;

			if (strcmp(one->field, other->field) == 0)
				return fail_field(plan, one, other, error);
		}
	return true;
}

void
plan_source(RenderPlan *plan, const Alloc *alloc)
{
	Alloc copy = *alloc;
	Buf buf = plan_buf(&copy);
	Maker maker = { plan, alloc, &buf, { NULL, 0 } };

	buf_text(&buf,
	         ",\"source\":{\"version\":\"" RENDER_DEBEZIUM_VERSION
	         "\",\"connector\":\"postgresql\",\"name\":");
	json_string(&buf, slice_from(plan->options->topic_prefix));
	buf_text(&buf, ",\"ts_ms\":");
	plan->source_head = take(&maker, 0);
	buf_text(&buf, ",\"schema\":");
	json_string(&buf, slice_from(plan->schema));
	buf_text(&buf, ",\"table\":");
	json_string(&buf, slice_from(plan->table));
	buf_text(&buf, ",\"txId\":");
	plan->source_table = take(&maker, 0);
}

static void
make_schemas(Maker *maker, const Slice *defaults)
{
	RenderPlan *plan = maker->plan;
	size_t start = maker->buf->len;

	plan->key_head = slice_from("");
	plan->value_head = slice_from("");
	if (!plan->options->schemas_enable)
		return;
	schema_key_head(maker->buf, plan, defaults);
	plan->key_head = take(maker, start);
	schema_value_head(maker->buf, plan, defaults);
	plan->value_head = take(maker, start);
}

RenderPlan *
render_plan_new(const Relation *relation, const EnvOptions *options, const Alloc *alloc,
                EnvError *error)
{
	Alloc copy = *alloc;
	Buf buf = plan_buf(&copy);
	RenderPlan *plan = alloc_zero(alloc, sizeof *plan);
	Maker maker = { plan, alloc, &buf, { NULL, 0 } };
	FilterTable table = filter_table(options, relation);
	Slice *defaults;
	uint16_t *key;
	uint16_t key_count;
	bool *in_key;

	if (relation->column_count > RENDER_MAX_COLUMNS)
	{
		(void) env_fail(error,
		                "table \"%s\".\"%s\" has %u columns, more than %d",
		                relation->schema,
		                relation->name,
		                (unsigned) relation->column_count,
		                RENDER_MAX_COLUMNS);
		return NULL;
	}
	plan->relation = relation;
	plan->options = options;
	plan->schema = table.schema;
	plan->table = table.name;
	plan->topic = make_topic(&maker);
	names_adjust(
		&buf, (AdjustMode) options->schema_name_adjustment_mode, false, plan->topic);
	plan->schema_name = take(&maker, 0).data;
	plan->collection = make_collection(&maker);
	maker.placeholder = make_placeholder(&maker);
	plan->columns =
		alloc_zero(alloc, (relation->column_count + 1U) * sizeof *plan->columns);
	defaults = alloc_zero(alloc, (relation->column_count + 1U) * sizeof *defaults);
	in_key = alloc_zero(alloc, relation->column_count + 1U);
	key = alloc_zero(alloc, (relation->column_count + 1U) * sizeof *key);
	key_count = key_columns(options, relation, key);
	for (uint16_t i = 0; i < key_count; i++)
		in_key[key[i]] = true;
	for (uint16_t i = 0; i < relation->column_count; i++)
		make_column(&maker, i, in_key[i], &defaults[i]);
	plan->defaults = defaults;
	make_key(&maker, key, key_count, defaults);
	if (!check_fields(plan, error))
		return NULL;
	plan_source(plan, alloc);
	json_string(&buf, slice_from(plan->topic));
	plan->topic_json = take(&maker, 0);
	make_schemas(&maker, defaults);
	return plan;
}

const char *
render_plan_collection(const RenderPlan *plan)
{
	return plan->collection;
}

const char *
render_plan_topic(const RenderPlan *plan)
{
	return plan->topic;
}

bool
render_plan_has_key(const RenderPlan *plan)
{
	return plan->has_key;
}

/* The masks, and the key columns, which decide where masks act. */
static void
copy_masks(EnvOptions *options, const EnvOptions *user, const Alloc *alloc)
{
	EnvError error;

	for (size_t i = 0; i < user->masks.count; i++)
		(void) mask_set(&options->masks,
		                user->masks.rules[i].property,
		                user->masks.rules[i].columns.text,
		                alloc,
		                &error);
	(void) env_option_set(
		options, "message.key.columns", user->message_key_columns.text, alloc, &error);
}

void
render_options_bronze(EnvOptions *options, const EnvOptions *user, const Alloc *alloc)
{
	static const struct
	{
		const char *name;
		const char *value;
	} fixed[] = {
		{ "decimal.handling.mode", "string" },    { "time.precision.mode", "isostring" },
		{ "binary.handling.mode", "base64" },     { "interval.handling.mode", "string" },
		{ "replace.null.with.default", "false" }, { "include.unknown.datatypes", "true" },
		{ "skipped.operations", "none" },
	};
	EnvError error;
	size_t count;
	const EnvOptionDef *table = env_option_table(&count);

	env_options_init(options, alloc);
	/* the lists compile again, because each set owns what it compiled */
	for (size_t i = 0; i < count; i++)
		if (table[i].kind == OPTION_LIST)
		{
			const void *list = (const char *) user + table[i].offset;

			(void) env_option_set(
				options, table[i].name, ((const FilterList *) list)->text, alloc, &error);
		}
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		(void) env_option_set(options, fixed[i].name, fixed[i].value, alloc, &error);
	copy_masks(options, user, alloc);
	options->topic_prefix = alloc_copy(alloc, slice_from(user->topic_prefix));
	options->topic_delimiter = alloc_copy(alloc, slice_from(user->topic_delimiter));
	options->publish_via_partition_root = user->publish_via_partition_root;
	options->lossless = true;
}
