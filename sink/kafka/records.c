/*
 * records.c
 *		plans, headers, sizes.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kafka/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "kafka/headers.h"
#include "kafka/model.h"
#include "kafka/oversize.h"

#define FIRST_SLOTS 64
#define KEEP_BYTES  ((size_t) 4 << 20) /* of the buffer, after a huge row */

/* What is made once per relation. */
typedef struct Plan
{
	const Relation *relation; /* NULL: free slot */
	Arena *arena;             /* render */
	RenderPlan *render;
	KafkaTopic *topic;
	uint32_t
		collection; /* tx_collection(), always of the same counts; 0: not asked yet */
	KafkaSchemas schemas; /* for the model */
} Plan;

struct KafkaRecords
{
	KafkaClient *client;
	KafkaTopics *topics;
	const Config *config;
	Arena *arena; /* context */
	const char *database;
	EnvOptions env;    /* to render with */
	KafkaModel *model; /* NULL: what is rendered are the records */
	RenderContext context;
	rd_kafka_headers_t *headers; /* the context's; NULL when switched off */
	size_t header_bytes;
	Plan *plans; /* of each table the newest; open addressing by OID */
	size_t slots;
	size_t used;
	Plan *last;
	Buf bytes;
	Buf header; /* one value on its way */
	KafkaRecordCounts counts;
};

void
kafka_run_id(char text[37], int64_t unix_ms, const unsigned char random[10])
{
	unsigned char id[16];
	int at = 0;

	for (int i = 0; i < 6; i++)
		id[i] = (unsigned char) (unix_ms >> (8 * (5 - i)));
	memcpy(id + 6, random, 10);
	id[6] = (unsigned char) ((id[6] & 0x0F) | 0x70);
	id[8] = (unsigned char) ((id[8] & 0x3F) | 0x80);
	for (int i = 0; i < 16; i++)
		at += snprintf(text + at,
		               37 - (size_t) at,
		               "%s%02x",
		               i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
		               id[i]);
}

static const char *
new_run_id(Arena *arena)
{
	unsigned char random[10];
	char text[37];

	if (getrandom(random, sizeof random, 0) != (ssize_t) sizeof random)
	{
		/* Only told apart by time then; nothing depends on more. */
		int64_t now = clock_wall_ns();

		memset(random, 0, sizeof random);
		memcpy(random, &now, sizeof now);
	}
	kafka_run_id(text, clock_wall_ns() / 1000000, random);
	return arena_strdup(arena, text);
}

/* Have the context's values as header.converter writes them. */
static void
write_context(KafkaRecords *records)
{
	for (int i = 0; i < 4; i++)
	{
		buf_reset(&records->header);
		kafka_header_text(records->config, records->context.values[i], &records->header);
		records->context.values[i] =
			arena_strdup(records->arena, buf_cstr(&records->header));
	}
}

static void
add_context(const KafkaRecords *records, rd_kafka_headers_t *headers)
{
	for (int i = 0; i < 4; i++)
		(void) rd_kafka_header_add(
			headers, records->context.names[i], -1, records->context.values[i], -1);
}

static size_t
headers_size(const rd_kafka_headers_t *headers)
{
	const char *name = "";
	const void *value;
	size_t value_len = 0;
	size_t size = 0;

	for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &value_len) ==
	                   RD_KAFKA_RESP_ERR_NO_ERROR;
	     i++)
		size += strlen(name) + value_len + RECORD_HEADER_OVERHEAD;
	return size;
}

KafkaRecords *
kafka_records_new(KafkaClient *client, KafkaTopics *topics, const Config *config,
                  const char *database, Err *err)
{
	KafkaRecords *records = xmalloc(sizeof *records);
	RenderContext context;

	*records = (KafkaRecords){ .client = client,
		                       .topics = topics,
		                       .config = config,
		                       .arena = arena_new(),
		                       .bytes = buf_heap(),
		                       .header = buf_heap(),
		                       .slots = FIRST_SLOTS };
	records->plans = xmalloc(FIRST_SLOTS * sizeof *records->plans);
	memset(records->plans, 0, FIRST_SLOTS * sizeof *records->plans);
	records->database = arena_strdup(records->arena, database);
	if (config->env.extended_headers_enabled)
	{
		context = render_context(&config->env, new_run_id(records->arena));
		records->context = context;
		write_context(records);
		records->headers = rd_kafka_headers_new(4);
		add_context(records, records->headers);
		records->header_bytes = headers_size(records->headers);
	}
	if (!kafka_model_needed(config, &records->env))
		return records;
	records->model = kafka_model_new(
		client, topics, config, records->headers == NULL ? NULL : &context, err);
	if (records->model != NULL)
		return records;
	kafka_records_free(records);
	return NULL;
}

void
kafka_records_free(KafkaRecords *records)
{
	if (records == NULL)
		return;
	if (records->headers != NULL)
		rd_kafka_headers_destroy(records->headers);
	kafka_model_free(records->model);
	buf_free(&records->bytes);
	buf_free(&records->header);
	for (size_t i = 0; i < records->slots; i++)
		arena_free(records->plans[i].arena);
	free(records->plans);
	arena_free(records->arena);
	free(records);
}

const KafkaRecordCounts *
kafka_records_counts(const KafkaRecords *records)
{
	return &records->counts;
}

/* ---- Plans ---- */

static Plan *
find_slot(Plan *plans, size_t slots, const Relation *relation)
{
	size_t at = (size_t) relation->relid * 0x9E3779B1U;

	for (at &= slots - 1; plans[at].relation != NULL; at = (at + 1) & (slots - 1))
		if (plans[at].relation->relid == relation->relid)
			break;
	return &plans[at];
}

static void
grow(KafkaRecords *records)
{
	size_t slots = records->slots * 2;
	Plan *plans = xmalloc(slots * sizeof *plans);

	memset(plans, 0, slots * sizeof *plans);
	for (size_t i = 0; i < records->slots; i++)
		if (records->plans[i].relation != NULL)
			*find_slot(plans, slots, records->plans[i].relation) = records->plans[i];
	free(records->plans);
	records->plans = plans;
	records->slots = slots;
	records->last = NULL;
}

static bool
read_schemas(const KafkaRecords *records, Plan *plan, Err *err)
{
	Buf key = buf_heap();
	Buf value = buf_heap();
	bool ok;

	render_key_schema(plan->render, &key);
	render_value_schema(plan->render, &value);
	ok = kafka_model_schemas(records->model,
	                         (Slice){ key.data, key.len },
	                         (Slice){ value.data, value.len },
	                         &plan->schemas,
	                         err);
	buf_free(&key);
	buf_free(&value);
	return ok;
}

static bool
make_plan(KafkaRecords *records, Plan *plan, const Relation *relation, Err *err)
{
	Alloc alloc = arena_as_alloc(plan->arena);
	EnvError error = { 0 };

	plan->render = render_plan_new(relation, &records->env, &alloc, &error);
	if (plan->render == NULL)
	{
		fail(err,
		     ERR_DATA,
		     "cannot render table \"%s.%s\": %s",
		     relation->schema,
		     relation->name,
		     error.message);
		return fail_hint(err, "%s", error.hint);
	}
	if (records->model != NULL && !read_schemas(records, plan, err))
		return false;
	if (records->config->stage_count > 0)
		return true; /* its records may go to others: topics are looked up for each */
	plan->topic = kafka_topics_get(records->topics, render_plan_topic(plan->render), err);
	return plan->topic != NULL;
}

/*
 * Different names can give one topic: characters that topics have not become "_", long
 * names are cut, and a dot may stand in either part.  As with Debezium they share it.
 */
static void
warn_of_shared_topic(const KafkaRecords *records, const Plan *plan)
{
	const char *topic = render_plan_topic(plan->render);
	const Relation *relation = plan->relation;

	for (size_t i = 0; i < records->slots; i++)
	{
		const Relation *other = records->plans[i].relation;

		if (other == NULL || other->relid == relation->relid ||
		    strcmp(render_plan_topic(records->plans[i].render), topic) != 0 ||
		    (strcmp(other->schema, relation->schema) == 0 &&
		     strcmp(other->name, relation->name) == 0))
			continue;
		log_warning("kafka",
		            "tables \"%s.%s\" and \"%s.%s\" share the topic \"%s\"; their keys "
		            "are not told apart there",
		            other->schema,
		            other->name,
		            relation->schema,
		            relation->name,
		            topic);
	}
}

/* The plan of relation, made when it is new, in the place of an older version's; NULL
 * with err set. */
static Plan *
get_plan(KafkaRecords *records, const Relation *relation, Err *err)
{
	Plan *slot = find_slot(records->plans, records->slots, relation);

	if (slot->relation != relation)
	{
		bool is_new = slot->relation == NULL;
		Plan plan = { .relation = relation, .arena = arena_new() };

		if (!make_plan(records, &plan, relation, err))
		{
			arena_free(plan.arena);
			return NULL;
		}
		arena_free(slot->arena);
		*slot = plan;
		if (is_new)
			warn_of_shared_topic(records, slot);
		if (is_new && ++records->used > records->slots / 2)
		{
			grow(records);
			slot = find_slot(records->plans, records->slots, relation);
		}
	}
	records->last = slot;
	return slot;
}

bool
kafka_records_relate(KafkaRecords *records, const Relation *relation, Err *err)
{
	return get_plan(records, relation, err) != NULL;
}

/* ---- Sending ---- */

/* An event that can never be delivered: the failure, or what the user chose instead. */
static bool
refuse(KafkaRecords *records, Err *err)
{
	if (records->config->env.failure_mode == FAILURE_FAIL || err->kind != ERR_DATA)
		return false;
	records->counts.refused++;
	if (records->config->env.failure_mode == FAILURE_WARN)
		log_warning("kafka", "event skipped: %s", err->text);
	return true;
}

/* The header of a key change, as header.converter writes it, into records->header. */
static void
write_key(KafkaRecords *records, const Plan *plan, const RenderRecord *record)
{
	buf_reset(&records->header);
	kafka_header_key(
		records->config,
		plan->render,
		(Slice){ records->bytes.data + record->header_at, record->header_len },
		&records->header);
}

static size_t
record_size(KafkaRecords *records, const Plan *plan, const RenderRecord *record)
{
	size_t size = record->key_len + record->value_len + records->header_bytes +
	              RECORD_BATCH_OVERHEAD;

	if (record->header_name == NULL)
		return size;
	write_key(records, plan, record);
	return size + strlen(record->header_name) + records->header.len +
	       RECORD_HEADER_OVERHEAD;
}

static bool
fits(KafkaRecords *records, const Plan *plan, const Event *event,
     const RenderRecord *record, Err *err)
{
	size_t size = record_size(records, plan, record);
	char what[512];

	if (size <= plan->topic->max_bytes && size <= records->client->message_bytes)
		return true;
	event_describe(event, "record", what);
	return kafka_topic_fits(records->client, plan->topic, size, what, err);
}

/* The headers of one record, the library's from then on. */
static rd_kafka_headers_t *
make_headers(KafkaRecords *records, const Plan *plan, const RenderRecord *record)
{
	rd_kafka_headers_t *headers;

	if (record->header_name == NULL)
		return records->headers == NULL ? NULL : rd_kafka_headers_copy(records->headers);
	headers = rd_kafka_headers_new(5);
	write_key(records, plan, record);
	(void) rd_kafka_header_add(headers,
	                           record->header_name,
	                           -1,
	                           records->header.data,
	                           (ssize_t) records->header.len);
	if (records->headers != NULL)
		add_context(records, headers);
	return headers;
}

/* A slice of the rendered bytes that is not null, even when empty. */
static Slice
rendered(const KafkaRecords *records, size_t at, size_t len)
{
	return len == 0 ? (Slice){ "", 0 } : (Slice){ records->bytes.data + at, len };
}

static bool
produce(KafkaRecords *records, const Plan *plan, const RenderRecord *record,
        uint64_t *outstanding, Err *err)
{
	KafkaRecord out = {
		.topic = plan->topic->rkt,
		.partition = RD_KAFKA_PARTITION_UA,
		.headers = make_headers(records, plan, record),
		.outstanding = outstanding,
	};

	if (record->has_key)
		out.key = rendered(records, record->key_at, record->key_len);
	if (record->has_value)
		out.value = rendered(records, record->value_at, record->value_len);
	records->counts.records++;
	records->counts.bytes += out.key.len + out.value.len;
	return kafka_client_produce(records->client, &out, err);
}

/* The records of one event, in the buffer. */
typedef struct Rendering
{
	RenderRecord parts[RENDER_MAX_RECORDS];
	int count;
} Rendering;

static bool
render(KafkaRecords *records, Plan *plan, const Event *event, TxCounts *counts,
       Rendering *rendering, Err *err)
{
	RenderChange change = event_as_change(event, records->database);
	EnvError error = { 0 };
	size_t needed = 0;
	char what[512];

	/* a transformation may leave columns out: what is too large is seen behind it */
	if (plan->topic != NULL)
		change.limit =
			oversize_limit(records->client, plan->topic, records->model != NULL);
	change.needed = &needed;
	change.now_ns = clock_wall_ns();
	change.transaction = counts;
	if (counts != NULL && plan->collection == 0)
		plan->collection = tx_collection(counts, render_plan_collection(plan->render));
	change.collection = plan->collection;
	/* One huge row must not hold its memory for ever. */
	if (records->bytes.cap > KEEP_BYTES)
	{
		buf_free(&records->bytes);
		records->bytes = buf_heap();
	}
	buf_reset(&records->bytes);
	if (render_records(plan->render,
	                   &change,
	                   &records->bytes,
	                   rendering->parts,
	                   &rendering->count,
	                   &error))
		return true;
	if (needed > 0)
	{
		event_describe(event, "record", what);
		return kafka_topic_refuse(records->client, plan->topic, needed, true, what, err);
	}
	fail(err,
	     ERR_DATA,
	     "cannot render a row of table \"%s.%s\": %s",
	     plan->relation->schema,
	     plan->relation->name,
	     error.message);
	return fail_hint(err, "%s", error.hint);
}

/* The plan of event's relation, by the shortest way. */
static Plan *
plan_of(KafkaRecords *records, const Event *event, Err *err)
{
	if (records->last != NULL && records->last->relation == event->relation)
		return records->last;
	return get_plan(records, event->relation, err);
}

/* Through the model: all records or none. */
static bool
send_converted(KafkaRecords *records, const KafkaRendered *rendered, const char *what,
               uint64_t *outstanding, Err *err)
{
	KafkaModel *model = records->model;

	kafka_model_begin(model);
	if (!kafka_model_add(model, rendered, err))
	{
		(void) fail_while(err, "%s", what);
		return refuse(records, err);
	}
	if (!kafka_model_fits(model, what, err))
		return refuse(records, err);
	if (kafka_model_count(model) == 0)
		records->counts.skipped++;
	return kafka_model_produce(
		model, outstanding, &records->counts.records, &records->counts.bytes, err);
}

static bool
send_rendered(KafkaRecords *records, const Plan *plan, const Event *event,
              const Rendering *rendering, uint64_t *outstanding, Err *err)
{
	for (int i = 0; i < rendering->count; i++)
		if (!fits(records, plan, event, &rendering->parts[i], err))
			return refuse(records, err);
	for (int i = 0; i < rendering->count; i++)
		if (!produce(records, plan, &rendering->parts[i], outstanding, err))
			return false;
	return true;
}

bool
kafka_records_send(KafkaRecords *records, const Event *event, TxCounts *counts,
                   uint64_t *outstanding, Err *err)
{
	Rendering rendering;
	Plan *plan = plan_of(records, event, err);
	KafkaRendered rendered;
	char what[512];

	if (plan == NULL)
		return false;
	if (!render(records, plan, event, counts, &rendering, err))
		return refuse(records, err);
	if (rendering.count == 0)
	{
		records->counts.skipped++;
		return true;
	}
	if (records->model == NULL)
		return send_rendered(records, plan, event, &rendering, outstanding, err);
	rendered = (KafkaRendered){ .topic = render_plan_topic(plan->render),
		                        .partition = RD_KAFKA_PARTITION_UA,
		                        .schemas = &plan->schemas,
		                        .bytes = &records->bytes,
		                        .records = rendering.parts,
		                        .count = rendering.count,
		                        .has_context = true };
	event_describe(event, "record", what);
	return send_converted(records, &rendered, what, outstanding, err);
}

bool
kafka_records_count(KafkaRecords *records, const Event *event, TxCounts *counts, Err *err)
{
	Rendering rendering;
	Plan *plan = plan_of(records, event, err);

	/* what was let go then is let go now, and was said then */
	return plan != NULL && (render(records, plan, event, counts, &rendering, err) ||
	                        records->config->env.failure_mode != FAILURE_FAIL);
}

void
kafka_records_skip(KafkaRecords *records)
{
	records->counts.skipped++;
}

static bool
convert_loose(KafkaRecords *records, const KafkaLoose *loose, uint64_t *outstanding,
              Err *err)
{
	KafkaSchemas schemas;
	const KafkaRendered rendered = { .topic = loose->topic->name,
		                             .partition = loose->partition,
		                             .schemas = &schemas,
		                             .bytes = loose->bytes,
		                             .records = loose->record,
		                             .count = 1 };

	return kafka_model_schemas(
			   records->model, loose->key_schema, loose->value_schema, &schemas, err) &&
	       send_converted(records, &rendered, loose->what, outstanding, err);
}

bool
kafka_records_send_loose(KafkaRecords *records, const KafkaLoose *loose,
                         uint64_t *outstanding, Err *err)
{
	const RenderRecord *record = loose->record;
	const char *bytes = loose->bytes->data;
	KafkaRecord out = {
		.topic = loose->topic->rkt,
		.partition = loose->partition,
		.key = { bytes + record->key_at, record->key_len },
		.value = { bytes + record->value_at, record->value_len },
		.outstanding = outstanding,
	};
	size_t size = out.key.len + out.value.len + RECORD_BATCH_OVERHEAD;

	if (records->model != NULL)
		return convert_loose(records, loose, outstanding, err);
	if (!kafka_topic_fits(records->client, loose->topic, size, loose->what, err))
		return refuse(records, err);
	records->counts.records++;
	records->counts.bytes += out.key.len + out.value.len;
	return kafka_client_produce(records->client, &out, err);
}

const EnvOptions *
kafka_records_options(const KafkaRecords *records)
{
	return &records->env;
}
