/*
 * control.c
 *		printing the records beside row events.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/control.h"

#include "envelope/plan.h"

#define FIELD(type, optional, name) \
	"{\"type\":\"" type "\",\"optional\":" optional ",\"field\":\"" name "\"}"
#define STRUCT        "{\"type\":\"struct\",\"fields\":["
#define NAMED(name)   "],\"optional\":false,\"name\":\"" name "\",\"version\":1}"
#define MS_FROM_US(t) ((t) / 1000 - ((t) % 1000 < 0))

typedef struct ControlForm
{
	const char *topic;
	Slice key_schema;
	Slice value_schema;
	Slice key_head; /* "" or {"schema":...,"payload": */
	Slice value_head;
} ControlForm;

struct ControlPlan
{
	const EnvOptions *options;
	RenderPlan source; /* as much of a plan as render_source() takes */
	ControlForm forms[CONTROL_KINDS];
	Slice heartbeat_key; /* {"serverName":...} */
};

/* clang-format off */
static const char transaction_key[] =
	STRUCT FIELD("string", "false", "id")
	NAMED("io.debezium.connector.common.TransactionMetadataKey");

static const char transaction_value[] =
	STRUCT FIELD("string", "false", "status") ","
	FIELD("string", "false", "id") ","
	FIELD("int64", "true", "event_count") ","
	"{\"type\":\"array\",\"items\":" STRUCT
	FIELD("string", "false", "data_collection") ","
	FIELD("int64", "false", "event_count")
	"],\"optional\":true,\"name\":\"event.collection\",\"version\":1},"
	"\"optional\":true,\"field\":\"data_collections\"},"
	FIELD("int64", "false", "ts_ms")
	NAMED("io.debezium.connector.common.TransactionMetadataValue");

static const char message_key[] =
	STRUCT FIELD("string", "true", "prefix")
	NAMED("io.debezium.connector.postgresql.MessageKey");

static const char heartbeat_key[] =
	STRUCT FIELD("string", "false", "serverName")
	NAMED("io.debezium.connector.common.ServerNameKey");

static const char heartbeat_value[] =
	STRUCT FIELD("int64", "false", "ts_ms")
	NAMED("io.debezium.connector.common.Heartbeat");
/* clang-format on */

/* ---- The plan ---- */

static Slice
copied(const Alloc *alloc, Slice text)
{
	return (Slice){ alloc_copy(alloc, text), text.len };
}

static Slice
take(Buf *buf, const Alloc *alloc)
{
	Slice copy = copied(alloc, (Slice){ buf->data, buf->len });

	buf_reset(buf);
	return copy;
}

static Slice
message_value_schema(const EnvOptions *options, Buf *buf, const Alloc *alloc)
{
	bool is_bytes = options->binary_handling_mode == BINARY_BYTES;

	buf_text(buf,
	         STRUCT FIELD("string", "false", "op") "," FIELD("int64", "true", "ts_ms"));
	schema_source(buf);
	schema_transaction(buf);
	buf_text(buf, "," STRUCT FIELD("string", "true", "prefix") ",");
	buf_text(buf,
	         is_bytes ? FIELD("bytes", "true", "content")
	                  : FIELD("string", "true", "content"));
	buf_text(buf,
	         "],\"optional\":false,"
	         "\"name\":\"io.debezium.connector.postgresql.Message\","
	         "\"version\":1,\"field\":\"message\"}");
	buf_text(buf, NAMED("io.debezium.connector.postgresql.MessageValue"));
	return take(buf, alloc);
}

static Slice
head_of(const EnvOptions *options, Slice schema, Buf *buf, const Alloc *alloc)
{
	if (!options->schemas_enable)
		return slice_from("");
	buf_text(buf, "{\"schema\":");
	buf_slice(buf, schema);
	buf_text(buf, ",\"payload\":");
	return take(buf, alloc);
}

static const char *
topic_of(const EnvOptions *options, const char *delimiter, const char *name, Buf *buf,
         const Alloc *alloc)
{
	buf_printf(buf, "%s%s%s", options->topic_prefix, delimiter, name);
	return take(buf, alloc).data;
}

ControlPlan *
control_plan_new(const EnvOptions *options, const Alloc *alloc)
{
	Alloc copy = *alloc;
	Buf buf = plan_buf(&copy);
	ControlPlan *plan = alloc_zero(alloc, sizeof *plan);
	ControlForm *forms = plan->forms;

	plan->options = options;
	plan->source.options = options;
	plan->source.schema = "";
	plan->source.table = "";
	plan_source(&plan->source, alloc);
	forms[CONTROL_TRANSACTION].topic = topic_of(
		options, options->topic_delimiter, options->topic_transaction, &buf, alloc);
	forms[CONTROL_TRANSACTION].key_schema = slice_from(transaction_key);
	forms[CONTROL_TRANSACTION].value_schema = slice_from(transaction_value);
	/* the dot is Debezium's, whatever topic.delimiter is */
	forms[CONTROL_MESSAGE].topic = topic_of(options, ".", "message", &buf, alloc);
	forms[CONTROL_MESSAGE].key_schema = slice_from(message_key);
	forms[CONTROL_MESSAGE].value_schema = message_value_schema(options, &buf, alloc);
	forms[CONTROL_HEARTBEAT].key_schema = slice_from(heartbeat_key);
	forms[CONTROL_HEARTBEAT].value_schema = slice_from(heartbeat_value);
	for (int i = 0; i < CONTROL_KINDS; i++)
	{
		forms[i].key_head = head_of(options, forms[i].key_schema, &buf, alloc);
		forms[i].value_head = head_of(options, forms[i].value_schema, &buf, alloc);
	}
	buf_text(&buf, "{\"serverName\":");
	json_string(&buf, slice_from(options->topic_prefix));
	buf_char(&buf, '}');
	plan->heartbeat_key = take(&buf, alloc);
	return plan;
}

const char *
control_topic(const ControlPlan *plan, ControlKind kind)
{
	return plan->forms[kind].topic;
}

Slice
control_key_schema(const ControlPlan *plan, ControlKind kind)
{
	return plan->forms[kind].key_schema;
}

Slice
control_value_schema(const ControlPlan *plan, ControlKind kind)
{
	return plan->forms[kind].value_schema;
}

/* ---- Records ---- */

static void
open_key(const ControlPlan *plan, ControlKind kind, Buf *buf, RenderRecord *record)
{
	*record = (RenderRecord){ .key_at = buf->len, .has_key = true, .has_value = true };
	buf_slice(buf, plan->forms[kind].key_head);
}

/* The key ends and the value begins. */
static void
open_value(const ControlPlan *plan, ControlKind kind, Buf *buf, RenderRecord *record)
{
	if (plan->forms[kind].key_head.len > 0)
		buf_char(buf, '}');
	record->key_len = buf->len - record->key_at;
	record->value_at = buf->len;
	buf_slice(buf, plan->forms[kind].value_head);
}

static void
close_value(const ControlPlan *plan, ControlKind kind, Buf *buf, RenderRecord *record)
{
	if (plan->forms[kind].value_head.len > 0)
		buf_char(buf, '}');
	record->value_len = buf->len - record->value_at;
}

static void
put_id(Buf *buf, const RenderSource *source)
{
	buf_text(buf, "\"id\":\"");
	buf_uint64(buf, source->xid);
	buf_char(buf, ':');
	buf_uint64(buf, source->lsn);
	buf_char(buf, '"');
}

/* counts NULL: the transaction begins. */
static void
put_transaction(const ControlPlan *plan, const RenderSource *source, TxCounts *counts,
                Buf *buf, RenderRecord *record)
{
	open_key(plan, CONTROL_TRANSACTION, buf, record);
	buf_char(buf, '{');
	put_id(buf, source);
	buf_char(buf, '}');
	open_value(plan, CONTROL_TRANSACTION, buf, record);
	buf_text(buf, counts == NULL ? "{\"status\":\"BEGIN\"," : "{\"status\":\"END\",");
	put_id(buf, source);
	buf_text(buf, ",\"event_count\":");
	if (counts == NULL)
		buf_text(buf, "null,\"data_collections\":null");
	else
	{
		buf_uint64(buf, counts->total);
		buf_text(buf, ",\"data_collections\":");
		tx_print(counts, buf);
	}
	buf_text(buf, ",\"ts_ms\":");
	buf_int64(buf, MS_FROM_US(source->commit_us));
	buf_char(buf, '}');
	close_value(plan, CONTROL_TRANSACTION, buf, record);
}

void
control_begin(const ControlPlan *plan, const RenderSource *source, Buf *buf,
              RenderRecord *record)
{
	put_transaction(plan, source, NULL, buf, record);
}

void
control_end(const ControlPlan *plan, const RenderSource *source, TxCounts *counts,
            Buf *buf, RenderRecord *record)
{
	put_transaction(plan, source, counts, buf, record);
}

bool
control_wants_message(const ControlPlan *plan, const char *prefix)
{
	const EnvOptions *options = plan->options;

	if (strncmp(prefix, CONTROL_OWN_PREFIX, strlen(CONTROL_OWN_PREFIX)) == 0)
		return false;
	if (options->message_prefix_include_list.count > 0)
		return filter_matches(&options->message_prefix_include_list, prefix);
	return options->message_prefix_exclude_list.count == 0 ||
	       !filter_matches(&options->message_prefix_exclude_list, prefix);
}

static void
put_content(Buf *buf, const EnvOptions *options, Slice content)
{
	static const ValueEncoder encoders[] = {
		[BINARY_BYTES] = encode_base64,
		[BINARY_BASE64] = encode_base64,
		[BINARY_BASE64_URL_SAFE] = encode_base64_url,
		[BINARY_HEX] = encode_hex,
	};

	(void) buf_reserve(buf, ENCODE_ROOM);
	(void) encoders[options->binary_handling_mode](buf, NULL, content);
}

void
control_message(const ControlPlan *plan, const ControlMessage *message, Buf *buf,
                RenderRecord *record)
{
	TxCounts *counts = message->source.xid == 0 ? NULL : message->transaction;

	open_key(plan, CONTROL_MESSAGE, buf, record);
	buf_text(buf, "{\"prefix\":");
	json_string(buf, slice_from(message->prefix));
	buf_char(buf, '}');
	open_value(plan, CONTROL_MESSAGE, buf, record);
	buf_text(buf, "{\"op\":\"m\",\"ts_ms\":");
	buf_int64(buf, message->now_ns / 1000000);
	render_source(buf, &plan->source, &message->source);
	buf_text(buf, ",\"transaction\":");
	render_transaction(buf, &message->source, counts, TX_MESSAGE);
	buf_text(buf, ",\"message\":{\"prefix\":");
	json_string(buf, slice_from(message->prefix));
	buf_text(buf, ",\"content\":");
	put_content(buf, plan->options, message->content);
	buf_text(buf, "}}");
	close_value(plan, CONTROL_MESSAGE, buf, record);
}

void
control_heartbeat(const ControlPlan *plan, int64_t now_ms, Buf *buf, RenderRecord *record)
{
	open_key(plan, CONTROL_HEARTBEAT, buf, record);
	buf_slice(buf, plan->heartbeat_key);
	open_value(plan, CONTROL_HEARTBEAT, buf, record);
	buf_text(buf, "{\"ts_ms\":");
	buf_int64(buf, now_ms);
	buf_char(buf, '}');
	close_value(plan, CONTROL_HEARTBEAT, buf, record);
}

void
control_record_json(const ControlPlan *plan, ControlKind kind, const Buf *bytes,
                    const RenderRecord *record, Buf *out)
{
	buf_text(out, "{\"topic\":");
	json_string(out, slice_from(plan->forms[kind].topic));
	buf_text(out, ",\"partition\":null,\"key\":");
	json_string(out, (Slice){ bytes->data + record->key_at, record->key_len });
	buf_text(out, ",\"value\":");
	json_string(out, (Slice){ bytes->data + record->value_at, record->value_len });
	buf_text(out, ",\"headers\":[]}");
}
