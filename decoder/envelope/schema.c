/*
 * schema.c
 *		Connect schemas, as JsonConverter prints them with schemas.enable.
 *
 * The order inside a schema is JsonConverter's: type, fields or items, optional,
 * name, version, doc, parameters, default, field.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/plan.h"

#include "envelope/jdbc.h"

#define FIELD(type, optional, name) \
	"{\"type\":\"" type "\",\"optional\":" optional ",\"field\":\"" name "\"}"

/* clang-format off */
/* Field source of the envelope, with the comma before it. */
static const char source_fields[] =
	",{\"type\":\"struct\",\"fields\":["
	FIELD("string", "false", "version") ","
	FIELD("string", "false", "connector") ","
	FIELD("string", "false", "name") ","
	FIELD("int64", "false", "ts_ms") ","
	"{\"type\":\"string\",\"optional\":true,\"name\":\"io.debezium.data.Enum\","
	"\"version\":1,\"parameters\":{\"allowed\":\"true,first,first_in_data_collection,"
	"last_in_data_collection,last,false,incremental\"},\"default\":\"false\","
	"\"field\":\"snapshot\"},"
	FIELD("string", "false", "db") ","
	FIELD("string", "true", "sequence") ","
	FIELD("int64", "true", "ts_us") ","
	FIELD("int64", "true", "ts_ns") ","
	FIELD("string", "false", "schema") ","
	FIELD("string", "false", "table") ","
	FIELD("int64", "true", "txId") ","
	FIELD("int64", "true", "lsn") ","
	FIELD("int64", "true", "xmin") ","
	FIELD("string", "true", "origin") ","
	FIELD("int64", "true", "origin_lsn")
	"],\"optional\":false,\"name\":\"io.debezium.connector.postgresql.Source\","
	"\"version\":1,\"field\":\"source\"}";

/* Field transaction, with the comma before it. */
static const char transaction_fields[] =
	",{\"type\":\"struct\",\"fields\":["
	FIELD("string", "false", "id") ","
	FIELD("int64", "false", "total_order") ","
	FIELD("int64", "false", "data_collection_order")
	"],\"optional\":true,\"name\":\"event.block\",\"version\":1,"
	"\"field\":\"transaction\"}";

/* What follows them, up to the envelope's own name. */
static const char envelope_fields[] =
	"," FIELD("string", "false", "op") ","
	FIELD("int64", "true", "ts_ms") ","
	FIELD("int64", "true", "ts_us") ","
	FIELD("int64", "true", "ts_ns")
	"],\"optional\":false,\"name\":";
/* clang-format on */

void
schema_source(Buf *buf)
{
	buf_text(buf, source_fields);
}

void
schema_transaction(Buf *buf)
{
	buf_text(buf, transaction_fields);
}

/* The labels of an enum, joined by commas, as one JSON string. */
static void
put_labels(Buf *buf, const RelationColumn *column)
{
	size_t start = buf->len;
	size_t middle;

	for (uint16_t i = 0; i < column->label_count; i++)
	{
		if (i > 0)
			buf_char(buf, ',');
		buf_text(buf, column->labels[i]);
	}
	middle = buf->len;
	(void) buf_reserve(buf, (middle - start) * 6 + ENCODE_ROOM);
	json_string(buf, (Slice){ buf->data + start, middle - start });
	encode_fold(buf, start, middle);
}

/* What a mask or a propagated type adds to a field's parameters; first: none was printed
 * yet. */
static void
put_added_parameters(Buf *buf, const ColumnPlan *column, bool first)
{
	static const char source[] = "__debezium.source.column";
	const RelationColumn *described = column->codec.column;
	const char *comma = first ? ",\"parameters\":{" : ",";
	size_t start;

	if (column->mask.rule != NULL &&
	    !(column->propagate && column->mask.rule->kind >= MASK_HASH_V1))
	{
		if (column->mask.rule->kind != MASK_TRUNCATE)
			buf_printf(buf, "%s\"masked\":\"true\"", comma);
		else if (column->mask.column_length > column->mask.rule->length)
			buf_printf(
				buf, "%s\"truncateLength\":\"%u\"", comma, column->mask.rule->length);
		else
			return;
	}
	else if (column->propagate)
	{
		buf_printf(buf, "%s\"%s.type\":\"", comma, source);
		start = buf->len;
		jdbc_type_name(buf, described);
		for (size_t i = start; i < buf->len; i++)
			if (buf->data[i] >= 'a' && buf->data[i] <= 'z')
				buf->data[i] = (char) (buf->data[i] - 'a' + 'A');
		buf_printf(buf, "\",\"%s.length\":\"%d\"", source, jdbc_length(described));
		if (jdbc_has_scale(described))
			buf_printf(buf, ",\"%s.scale\":\"%d\"", source, jdbc_scale(described));
		buf_printf(buf, ",\"%s.name\":", source);
		json_string(buf, slice_from(described->name));
	}
	else
		return;
	if (first)
		buf_char(buf, '}');
}

static void
put_parameters(Buf *buf, const ColumnPlan *column)
{
	size_t start = buf->len;

	switch (column->type.form.parameters)
	{
		case PARAMETERS_NONE:
			break;
		case PARAMETERS_DECIMAL:
			buf_printf(buf,
			           ",\"parameters\":{\"scale\":\"%d\","
			           "\"connect.decimal.precision\":\"%d\"",
			           column->codec.scale,
			           column->type.length);
			break;
		case PARAMETERS_SCALE:
			buf_printf(buf, ",\"parameters\":{\"scale\":\"%d\"", column->codec.scale);
			break;
		case PARAMETERS_LENGTH:
			buf_printf(buf, ",\"parameters\":{\"length\":\"%d\"", column->type.length);
			break;
		case PARAMETERS_ENUM:
			buf_text(buf, ",\"parameters\":{\"allowed\":");
			put_labels(buf, column->codec.column);
			break;
	}
	if (!column->type.array)
		put_added_parameters(buf, column, buf->len == start);
	if (column->type.form.parameters != PARAMETERS_NONE)
		buf_char(buf, '}');
}

/* A schema up to, and without, its closing brace. */
static void
put_form(Buf *buf, const ColumnPlan *column, bool optional)
{
	const TypeForm *form = &column->type.form;

	buf_printf(buf, "{\"type\":\"%s\"", form->type);
	if (form->fields != NULL)
		buf_text(buf, form->fields);
	buf_printf(buf, ",\"optional\":%s", optional ? "true" : "false");
	if (form->name != NULL)
		buf_printf(buf, ",\"name\":\"%s\",\"version\":1", form->name);
	if (form->doc != NULL)
		buf_printf(buf, ",\"doc\":\"%s\"", form->doc);
	put_parameters(buf, column);
}

void
schema_field(Buf *buf, const ColumnPlan *column, bool optional, Slice default_json,
             Slice field)
{
	if (column->type.array)
	{
		buf_text(buf, "{\"type\":\"array\",\"items\":");
		put_form(buf, column, column->type.optional_items);
		buf_printf(buf, "},\"optional\":%s", optional ? "true" : "false");
		put_added_parameters(buf, column, true);
	}
	else
		put_form(buf, column, optional);
	if (default_json.len > 0)
	{
		buf_text(buf, ",\"default\":");
		buf_slice(buf, default_json);
	}
	buf_text(buf, ",\"field\":");
	json_string(buf, field);
	buf_char(buf, '}');
}

/* One field of Key or Value, with the comma before it. */
static void
put_column(Buf *buf, const RenderPlan *plan, const ColumnPlan *column, uint16_t index,
           const Slice *defaults)
{
	const RelationColumn *described = &plan->relation->columns[index];
	/* Debezium knows no more of a column that it excludes than its type */
	bool excluded = !plan->columns[index].in_value;

	if (buf->data[buf->len - 1] == '}')
		buf_char(buf, ',');
	schema_field(buf,
	             column,
	             excluded || !described->not_null || column->type.always_optional,
	             excluded ? slice_from("") : defaults[index],
	             slice_from(column->field));
}

/* The topic with a suffix, as a JSON string; topics need no escapes. */
static void
put_name(Buf *buf, const RenderPlan *plan, const char *suffix)
{
	buf_printf(buf, "\"%s.%s\"", plan->schema_name, suffix);
}

void
schema_key_head(Buf *buf, const RenderPlan *plan, const Slice *defaults)
{
	buf_text(buf, "{\"schema\":{\"type\":\"struct\",\"fields\":[");
	for (uint16_t i = 0; i < plan->key_count; i++)
		put_column(buf, plan, &plan->key[i].column, plan->key[i].index, defaults);
	buf_text(buf, "],\"optional\":false,\"name\":");
	put_name(buf, plan, "Key");
	buf_text(buf, "},\"payload\":");
}

static void
put_value_schema(Buf *buf, const RenderPlan *plan, const Slice *defaults,
                 const char *field)
{
	buf_text(buf, "{\"type\":\"struct\",\"fields\":[");
	for (uint16_t i = 0; i < plan->relation->column_count; i++)
		if (plan->columns[i].in_value)
			put_column(buf, plan, &plan->columns[i], i, defaults);
	buf_text(buf, "],\"optional\":true,\"name\":");
	put_name(buf, plan, "Value");
	buf_printf(buf, ",\"field\":\"%s\"}", field);
}

void
schema_value_head(Buf *buf, const RenderPlan *plan, const Slice *defaults)
{
	buf_text(buf, "{\"schema\":{\"type\":\"struct\",\"fields\":[");
	put_value_schema(buf, plan, defaults, "before");
	buf_char(buf, ',');
	put_value_schema(buf, plan, defaults, "after");
	schema_source(buf);
	schema_transaction(buf);
	buf_text(buf, envelope_fields);
	put_name(buf, plan, "Envelope");
	buf_text(buf, ",\"version\":2},\"payload\":");
}

/* What was appended since start, without {"schema": before and ,"payload": behind it. */
static void
strip_head(Buf *buf, size_t start)
{
	size_t before = sizeof "{\"schema\":" - 1;
	size_t after = sizeof ",\"payload\":" - 1;

	buf->len -= before + after;
	memmove(buf->data + start, buf->data + start + before, buf->len - start);
}

void
render_key_schema(const RenderPlan *plan, Buf *buf)
{
	size_t start = buf->len;

	if (!plan->has_key)
	{
		buf_text(buf, "null");
		return;
	}
	schema_key_head(buf, plan, plan->defaults);
	strip_head(buf, start);
}

void
render_value_schema(const RenderPlan *plan, Buf *buf)
{
	size_t start = buf->len;

	schema_value_head(buf, plan, plan->defaults);
	strip_head(buf, start);
}
