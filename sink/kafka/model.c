/*
 * model.c
 *		rendered text to Connect records, and those to messages.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kafka/model.h"

#include <stdlib.h>

#include "base/arena.h"
#include "connect/json.h"
#include "kafka/client.h"
#include "kafka/records.h"
#include "transform/transform.h"

#define MAX_TOPIC  249
#define KEEP_BYTES ((size_t) 4 << 20) /* of the buffer, after a huge row */

/* A message; offsets are into the model's bytes. */
typedef struct Message
{
	KafkaTopic *topic;
	int32_t partition;
	int64_t timestamp_ms;
	bool has_key;
	bool has_value;
	size_t key_at;
	size_t key_len;
	size_t value_at;
	size_t value_len;
	size_t size; /* as the broker counts it, about */
	rd_kafka_headers_t *headers;
} Message;

struct KafkaModel
{
	KafkaClient *client;
	KafkaTopics *topics;
	ConnectSchemas *schemas;
	TransformChain *chain; /* NULL: no transformations */
	ConnectConverter *key;
	ConnectConverter *value;
	bool headers_are_json;
	ConnectJson header; /* how, if so */
	KafkaTopic *topic;  /* the last one asked for */
	const char *positions;
	ConnectHeader context[4];
	size_t context_count;
	Arena *lasting; /* context */
	Arena *arena;   /* of one event */
	Buf bytes;
	Message *messages;
	size_t count;
	size_t room;
};

bool
kafka_model_needed(const Config *config, EnvOptions *env)
{
	bool needed;

	*env = config->env;
	needed = !connect_renders_directly(
		config, &env->schemas_enable, &env->replace_null_with_default);
	needed = needed || config->stage_count > 0;
	if (needed)
	{
		env->schemas_enable = false;
		env->replace_null_with_default = false;
	}
	return needed;
}

static void
make_context(KafkaModel *model, const RenderContext *context)
{
	const ConnectSchema *text =
		connect_schema_plain(model->schemas, CONNECT_STRING, false);

	for (int i = 0; context != NULL && i < 4; i++)
		model->context[model->context_count++] = (ConnectHeader){
			context->names[i],
			{ text, connect_value_string(model->lasting, slice_from(context->values[i])) }
		};
}

KafkaModel *
kafka_model_new(KafkaClient *client, KafkaTopics *topics, const Config *config,
                const RenderContext *context, Err *err)
{
	KafkaModel *model = xmalloc(sizeof *model);

	*model = (KafkaModel){ .client = client,
		                   .topics = topics,
		                   .positions = config->kafka_positions_topic,
		                   .schemas = connect_schemas_new(),
		                   .lasting = arena_new(),
		                   .arena = arena_new(),
		                   .bytes = buf_heap() };
	make_context(model, context);
	model->headers_are_json = config->header_converter == HEADER_JSON;
	model->header = (ConnectJson){ model->schemas, config->header_schemas_enable, true };
	model->key = connect_converter_new(config, true, model->schemas, client->stop, err);
	if (model->key != NULL)
		model->value =
			connect_converter_new(config, false, model->schemas, client->stop, err);
	if (model->value != NULL && config->stage_count > 0)
		model->chain = transform_chain_new(config, model->schemas, err);
	if (model->value != NULL && (model->chain != NULL || config->stage_count == 0))
		return model;
	kafka_model_free(model);
	return NULL;
}

void
kafka_model_begin(KafkaModel *model)
{
	for (size_t i = 0; i < model->count; i++)
		if (model->messages[i].headers != NULL)
			rd_kafka_headers_destroy(model->messages[i].headers);
	model->count = 0;
	arena_reset(model->arena);
	/* One huge row must not hold its memory for ever. */
	if (model->bytes.cap > KEEP_BYTES)
	{
		buf_free(&model->bytes);
		model->bytes = buf_heap();
	}
	buf_reset(&model->bytes);
}

void
kafka_model_free(KafkaModel *model)
{
	if (model == NULL)
		return;
	kafka_model_begin(model);
	transform_chain_free(model->chain);
	connect_converter_free(model->key);
	connect_converter_free(model->value);
	connect_schemas_free(model->schemas);
	arena_free(model->lasting);
	arena_free(model->arena);
	buf_free(&model->bytes);
	free(model->messages);
	free(model);
}

bool
kafka_model_schemas(KafkaModel *model, Slice key, Slice value, KafkaSchemas *schemas,
                    Err *err)
{
	schemas->key = connect_schema_parse(model->schemas, key, err);
	if (err->kind != ERR_NONE)
		return false;
	schemas->value = connect_schema_parse(model->schemas, value, err);
	return err->kind == ERR_NONE;
}

/* ---- From rendered text ---- */

static ConnectData
data_of(const KafkaRendered *rendered, const ConnectSchema *schema, bool there, size_t at,
        size_t len)
{
	if (!there)
		return (ConnectData){ .schema = NULL };
	return (ConnectData){
		schema, connect_value_json((Slice){ rendered->bytes->data + at, len })
	};
}

static ConnectData
key_of(const KafkaRendered *rendered, const RenderRecord *record)
{
	return data_of(rendered,
	               rendered->schemas->key,
	               record->has_key,
	               record->key_at,
	               record->key_len);
}

/* The header of a key change tells the record at its other end. */
static ConnectRecord
make_record(KafkaModel *model, const KafkaRendered *rendered, const RenderRecord *from)
{
	ConnectRecord record = connect_record(rendered->topic);
	const RenderRecord *last = &rendered->records[rendered->count - 1];
	const RenderRecord *other = from == last ? &rendered->records[0] : last;

	record.partition = rendered->partition;
	record.key = key_of(rendered, from);
	record.value = data_of(rendered,
	                       rendered->schemas->value,
	                       from->has_value,
	                       from->value_at,
	                       from->value_len);
	if (from->header_name != NULL)
		connect_record_add_header(
			&record, model->arena, from->header_name, key_of(rendered, other));
	for (size_t i = 0; rendered->has_context && i < model->context_count; i++)
		connect_record_add_header(
			&record, model->arena, model->context[i].name, model->context[i].data);
	return record;
}

/* ---- To messages ---- */

/* By header.converter. */
static bool
convert_header(KafkaModel *model, const ConnectData *data, bool *present, Err *err)
{
	if (model->headers_are_json)
		return connect_json_convert(
			&model->header, data, model->arena, &model->bytes, present, err);
	return connect_simple_header(data, model->arena, &model->bytes, present, err);
}

/* Convert a header into the message's list. */
static bool
add_header(KafkaModel *model, Message *message, const ConnectHeader *header, Err *err)
{
	size_t start = model->bytes.len;
	size_t len;
	bool present;

	if (!convert_header(model, &header->data, &present, err))
		return fail_while(err, "cannot convert header \"%s\"", header->name);
	len = model->bytes.len - start;
	model->bytes.len = start;
	if (message->headers == NULL)
		message->headers = rd_kafka_headers_new(8);
	message->size += strlen(header->name) + len + RECORD_HEADER_OVERHEAD;
	(void) rd_kafka_header_add(message->headers,
	                           header->name,
	                           -1,
	                           present ? model->bytes.data + start : NULL,
	                           present ? (ssize_t) len : 0);
	return true;
}

static Message *
next_message(KafkaModel *model)
{
	if (model->count == model->room)
	{
		model->room = model->room == 0 ? 4 : model->room * 2;
		model->messages =
			xrealloc(model->messages, model->room * sizeof *model->messages);
	}
	model->messages[model->count] = (Message){ .size = RECORD_BATCH_OVERHEAD };
	return &model->messages[model->count++];
}

/* Topics that a record of somebody's data would ruin: the workers' positions, Kafka's
 * own. */
static bool
is_reserved(const KafkaModel *model, const char *topic)
{
	const char *const reserved[] = { model->positions,
		                             "__consumer_offsets",
		                             "__transaction_state" };

	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
		if (strcmp(topic, reserved[i]) == 0)
			return true;
	return false;
}

/* Say of a record without a place whose choice that was. */
static bool
hint_router(const ConnectRecord *record, Err *err)
{
	if (record->router == NULL)
		return false;
	return fail_hint(err,
	                 "Transformation \"%s\" chose it: correct the options below "
	                 "transforms.%s, or skip such records by "
	                 "event.processing.failure.handling.mode=warn.",
	                 record->router,
	                 record->router);
}

/* The topic of a record, which may have been made of a row's value. */
static bool
find_topic(KafkaModel *model, const ConnectRecord *record, Err *err)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(record->topic);

	if (model->topic == NULL || strcmp(model->topic->name, record->topic) != 0)
	{
		if (len == 0 || len > MAX_TOPIC || strspn(record->topic, letters) != len ||
		    strcmp(record->topic, ".") == 0 || strcmp(record->topic, "..") == 0)
		{
			(void) fail(err, ERR_DATA, "\"%.300s\" is not a topic", record->topic);
			return hint_router(record, err);
		}
		if (is_reserved(model, record->topic))
		{
			(void) fail(err, ERR_DATA, "topic \"%s\" is not for events", record->topic);
			return hint_router(record, err);
		}
		model->topic = kafka_topics_get(model->topics, record->topic, err);
	}
	if (model->topic == NULL)
		return false;
	if (record->partition < model->topic->partitions)
		return true;
	(void) fail(err,
	            ERR_DATA,
	            "topic \"%s\" has no partition %d",
	            record->topic,
	            record->partition);
	return hint_router(record, err);
}

static bool
convert(KafkaModel *model, const ConnectRecord *record, Err *err)
{
	Message *message = next_message(model);
	Buf *bytes = &model->bytes;
	ConnectBytes out = { .arena = model->arena, .buf = bytes };

	message->partition = record->partition;
	message->timestamp_ms = record->timestamp_ms;
	if (!find_topic(model, record, err))
		return false;
	message->topic = model->topic;
	message->key_at = bytes->len;
	if (!connect_convert(model->key, record->topic, &record->key, &out, err))
		return fail_while(err, "cannot convert a key of topic \"%s\"", record->topic);
	message->has_key = out.present;
	message->value_at = bytes->len;
	message->key_len = message->value_at - message->key_at;
	if (!connect_convert(model->value, record->topic, &record->value, &out, err))
		return fail_while(err, "cannot convert a value of topic \"%s\"", record->topic);
	message->has_value = out.present;
	message->value_len = bytes->len - message->value_at;
	message->size += message->key_len + message->value_len;
	for (size_t i = 0; i < record->header_count; i++)
		if (!add_header(model, message, &record->headers[i], err))
			return false;
	return true;
}

bool
kafka_model_add(KafkaModel *model, const KafkaRendered *rendered, Err *err)
{
	ConnectRecord record = { .headers = NULL };

	for (int i = 0; i < rendered->count; i++)
	{
		const ConnectRecord before = record;
		bool keep = true;

		record = make_record(model, rendered, &rendered->records[i]);
		if (i > 0 && !rendered->records[i].has_value)
			connect_record_share_headers(&record, &before);
		if (model->chain != NULL &&
		    !transform_chain_apply(model->chain, &record, model->arena, &keep, err))
			return false;
		if (keep && !convert(model, &record, err))
			return false;
	}
	return true;
}

size_t
kafka_model_count(const KafkaModel *model)
{
	return model->count;
}

bool
kafka_model_fits(const KafkaModel *model, const char *what, Err *err)
{
	for (size_t i = 0; i < model->count; i++)
		if (!kafka_topic_fits(model->client,
		                      model->messages[i].topic,
		                      model->messages[i].size,
		                      what,
		                      err))
			return false;
	return true;
}

/* A slice of the bytes that is not null, even when empty. */
static Slice
bytes_at(const KafkaModel *model, bool there, size_t at, size_t len)
{
	if (!there)
		return (Slice){ NULL, 0 };
	return len == 0 ? (Slice){ "", 0 } : (Slice){ model->bytes.data + at, len };
}

bool
kafka_model_produce(KafkaModel *model, uint64_t *outstanding, uint64_t *records,
                    uint64_t *bytes, Err *err)
{
	for (size_t i = 0; i < model->count; i++)
	{
		Message *message = &model->messages[i];
		KafkaRecord out = {
			.topic = message->topic->rkt,
			.partition = message->partition,
			.key = bytes_at(model, message->has_key, message->key_at, message->key_len),
			.value = bytes_at(
				model, message->has_value, message->value_at, message->value_len),
			.headers = message->headers,
			.timestamp_ms = message->timestamp_ms < 0 ? 0 : message->timestamp_ms,
			.outstanding = outstanding,
		};

		message->headers = NULL; /* the library's from now on */
		(*records)++;
		*bytes += out.key.len + out.value.len;
		if (!kafka_client_produce(model->client, &out, err))
			return false;
	}
	return true;
}
