/*
 * topics.c
 *		looking topics up and creating them, by Kafka's admin requests.
 *
 * Metadata says whether a topic exists, DescribeConfigs what it takes.  Where the
 * latter is refused (it needs a privilege of its own) a broker's defaults are assumed.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kafka/topics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"

#define COUNT(array)         (sizeof(array) / sizeof((array)[0]))
#define BROKER_DEFAULT_BYTES 1048588 /* message.max.bytes of a broker */
#define METADATA_INTERVAL_MS 20
#define VERIFY_TIMEOUT_MS    2000
#define ADMIN_TIMEOUT_MS     KAFKA_CONNECT_MS
#define POSITION_SEGMENT     "16777216"

struct KafkaTopics
{
	KafkaClient *client;
	const Config *config;
	Arena *arena;
	KafkaTopic **list;
	size_t count;
	size_t capacity;
};

/* What is asked for when a topic is created. */
typedef struct TopicSpec
{
	const char *name;
	int partitions;
	int replication_factor; /* -1: the broker's default */
	const ConfigPair *pairs;
	size_t pair_count;
} TopicSpec;

/* What is known of a topic. */
typedef struct TopicState
{
	int partitions; /* 0: it does not exist */
	bool has_admin; /* there is a controller to ask for more */
	bool described; /* the rest is known, not assumed */
	size_t max_bytes;
	bool compacted;
	bool forgets; /* old records are deleted by time or size */
} TopicState;

/* Small segments, so that compaction keeps up and reading back stays short. */
static const ConfigPair position_pairs[] = {
	{ "cleanup.policy", "compact" },
	{ "retention.ms", "-1" },
	{ "segment.bytes", POSITION_SEGMENT },
};

KafkaTopics *
kafka_topics_new(KafkaClient *client, const Config *config)
{
	KafkaTopics *topics = xmalloc(sizeof *topics);

	*topics = (KafkaTopics){ .client = client, .config = config, .arena = arena_new() };
	return topics;
}

void
kafka_topics_free(KafkaTopics *topics)
{
	if (topics == NULL)
		return;
	for (size_t i = 0; i < topics->count; i++)
		rd_kafka_topic_destroy(topics->list[i]->rkt);
	free(topics->list);
	arena_free(topics->arena);
	free(topics);
}

/* ---- Admin requests ---- */

/* Wait for the answer to a request sent to queue, which is released. */
static rd_kafka_event_t *
wait_answer(KafkaClient *client, rd_kafka_queue_t *queue)
{
	int64_t until = clock_mono_us() + ADMIN_TIMEOUT_MS * INT64_C(1000);
	rd_kafka_event_t *event = NULL;
	Err ignored = { 0 };

	while (event == NULL && clock_mono_us() < until &&
	       !kafka_client_stopped(client, &ignored) &&
	       kafka_client_poll(client, 0, &ignored))
		event = rd_kafka_queue_poll(queue, 100);
	rd_kafka_queue_destroy(queue);
	return event;
}

static rd_kafka_AdminOptions_t *
admin_options(KafkaClient *client, rd_kafka_admin_op_t operation)
{
	rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client->rk, operation);
	char ignored[128];

	(void) rd_kafka_AdminOptions_set_request_timeout(
		options, ADMIN_TIMEOUT_MS, ignored, sizeof ignored);
	return options;
}

static void
read_setting(TopicState *state, const char *name, const char *value)
{
	if (strcmp(name, "max.message.bytes") == 0)
		state->max_bytes = (size_t) strtoull(value, NULL, 10);
	else if (strcmp(name, "cleanup.policy") == 0)
	{
		state->compacted = strstr(value, "compact") != NULL;
		state->forgets = strstr(value, "delete") != NULL;
	}
}

static void
read_settings(TopicState *state, const rd_kafka_ConfigResource_t *resource)
{
	size_t count;
	const rd_kafka_ConfigEntry_t **entries =
		rd_kafka_ConfigResource_configs(resource, &count);

	state->described = true;
	for (size_t i = 0; i < count; i++)
	{
		const char *value = rd_kafka_ConfigEntry_value(entries[i]);

		if (value != NULL)
			read_setting(state, rd_kafka_ConfigEntry_name(entries[i]), value);
	}
}

static rd_kafka_event_t *
ask_settings(KafkaClient *client, const char *name)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(client->rk);
	rd_kafka_AdminOptions_t *options =
		admin_options(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
	rd_kafka_ConfigResource_t *wanted =
		rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);

	rd_kafka_DescribeConfigs(client->rk, &wanted, 1, options, queue);
	rd_kafka_ConfigResource_destroy(wanted);
	rd_kafka_AdminOptions_destroy(options);
	return wait_answer(client, queue);
}

/* Whether a controller is among the brokers: admin requests would wait for one. */
static bool
has_controller(KafkaClient *client, const struct rd_kafka_metadata *metadata)
{
	int32_t controller = rd_kafka_controllerid(client->rk, 0);

	for (int i = 0; i < metadata->broker_cnt; i++)
		if (metadata->brokers[i].id == controller)
			return true;
	return false;
}

/* Partitions, and whether there is a controller, by metadata.  False when nobody
 * answers. */
static bool
ask_metadata(KafkaClient *client, const KafkaTopic *topic, TopicState *state, Err *err)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t code =
		rd_kafka_metadata(client->rk, 0, topic->rkt, &metadata, ADMIN_TIMEOUT_MS);
	char doing[320];

	(void) snprintf(doing, sizeof doing, "look up topic \"%s\"", topic->name);
	*state = (TopicState){ .max_bytes = BROKER_DEFAULT_BYTES };
	if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT)
		return kafka_fail_silent(client, err, doing);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return kafka_fail(client, err, code, NULL, doing);
	code = metadata->topic_cnt == 1 ? metadata->topics[0].err
	                                : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		state->partitions = metadata->topics[0].partition_cnt;
	state->has_admin = has_controller(client, metadata);
	rd_kafka_metadata_destroy(metadata);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR ||
	    code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
	    code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
		return true;
	return kafka_fail(client, err, code, NULL, doing);
}

/* The topic's settings, as far as the broker tells them. */
static void
describe(KafkaClient *client, const char *name, TopicState *state)
{
	rd_kafka_event_t *event = ask_settings(client, name);
	const rd_kafka_ConfigResource_t **resources;
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
	size_t count = 0;

	if (event != NULL)
	{
		code = rd_kafka_event_error(event);
		resources = rd_kafka_DescribeConfigs_result_resources(
			rd_kafka_event_DescribeConfigs_result(event), &count);
		if (code == RD_KAFKA_RESP_ERR_NO_ERROR && count == 1)
			code = rd_kafka_ConfigResource_error(resources[0]);
		if (code == RD_KAFKA_RESP_ERR_NO_ERROR && count == 1)
			read_settings(state, resources[0]);
		rd_kafka_event_destroy(event);
	}
	if (!state->described)
		log_debug("kafka",
		          "topic \"%s\": settings cannot be read: %s",
		          name,
		          rd_kafka_err2str(code));
}

static bool
look_up(KafkaClient *client, const KafkaTopic *topic, TopicState *state, Err *err)
{
	if (!ask_metadata(client, topic, state, err))
		return false;
	if (state->partitions > 0 && state->has_admin)
		describe(client, topic->name, state);
	return true;
}

static rd_kafka_NewTopic_t *
new_topic(const TopicSpec *spec, Err *err)
{
	char reason[256];
	rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(
		spec->name, spec->partitions, spec->replication_factor, reason, sizeof reason);

	if (topic == NULL)
	{
		fail(err, ERR_CONFIG, "cannot create topic \"%s\": %s", spec->name, reason);
		return NULL;
	}
	for (size_t i = 0; i < spec->pair_count; i++)
		(void) rd_kafka_NewTopic_set_config(
			topic, spec->pairs[i].name, spec->pairs[i].value);
	return topic;
}

/* Ask the cluster to create a topic; with dry_run, whether it would. */
static bool
create(KafkaClient *client, const TopicSpec *spec, bool dry_run, Err *err)
{
	rd_kafka_NewTopic_t *topic = new_topic(spec, err);
	rd_kafka_AdminOptions_t *options;
	rd_kafka_queue_t *queue;
	rd_kafka_event_t *event;
	const rd_kafka_topic_result_t **results;
	rd_kafka_resp_err_t code;
	char doing[320];
	char text[256] = "";
	size_t count = 0;

	if (topic == NULL)
		return false;
	(void) snprintf(doing, sizeof doing, "create topic \"%s\"", spec->name);
	options = admin_options(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
	(void) rd_kafka_AdminOptions_set_validate_only(options, dry_run, text, sizeof text);
	(void) rd_kafka_AdminOptions_set_operation_timeout(
		options, ADMIN_TIMEOUT_MS / 2, text, sizeof text);
	queue = rd_kafka_queue_new(client->rk);
	rd_kafka_CreateTopics(client->rk, &topic, 1, options, queue);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_NewTopic_destroy(topic);
	event = wait_answer(client, queue);
	if (event == NULL)
		return kafka_fail_silent(client, err, doing);
	code = rd_kafka_event_error(event);
	results = rd_kafka_CreateTopics_result_topics(
		rd_kafka_event_CreateTopics_result(event), &count);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR && count == 1)
	{
		code = rd_kafka_topic_result_error(results[0]);
		if (rd_kafka_topic_result_error_string(results[0]) != NULL)
			(void) snprintf(
				text, sizeof text, "%s", rd_kafka_topic_result_error_string(results[0]));
	}
	rd_kafka_event_destroy(event);
	/* Somebody else may have been quicker. */
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR ||
	    code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
		return true;
	return kafka_fail(client, err, code, text, doing);
}

/* ---- Partitions ---- */

static bool
is_partitioner_set(const Config *config)
{
	for (size_t i = 0; i < config->kafka_pair_count; i++)
		if (strcmp(config->kafka_pairs[i].name, "partitioner") == 0)
			return true;
	return false;
}

/*
 * Called by the library, in the producing thread or in one of its own.  Records without
 * a key come here only when sticky.partitioning.linger.ms is 0: the library itself keeps
 * them on one partition for a while.
 */
static int32_t
choose_partition(const rd_kafka_topic_t *rkt, const void *key, size_t key_len,
                 int32_t count, void *topic_opaque, void *record_opaque)
{
	KafkaTopic *topic = topic_opaque;

	if (count != topic->partitions)
		atomic_store(&topic->seen, count);
	return rd_kafka_msg_partitioner_murmur2_random(
		rkt, key, key_len, count, topic_opaque, record_opaque);
}

void
kafka_topics_watch(KafkaTopics *topics)
{
	for (size_t i = 0; i < topics->count; i++)
	{
		KafkaTopic *topic = topics->list[i];
		int seen = atomic_exchange(&topic->seen, 0);

		if (seen == 0 || seen == topic->partitions)
			continue;
		log_warning("kafka",
		            "topic \"%s\" has %d partitions now, %d before: records of one key "
		            "may lie in two, in no order",
		            topic->name,
		            seen,
		            topic->partitions);
		topic->partitions = seen;
	}
}

static bool
is_listed(const struct rd_kafka_metadata *metadata, const char *name)
{
	for (int i = 0; i < metadata->topic_cnt; i++)
		if (strcmp(metadata->topics[i].topic, name) == 0)
			return metadata->topics[i].err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	return false;
}

bool
kafka_topics_verify(KafkaTopics *topics, Err *err)
{
	const struct rd_kafka_metadata *metadata;
	const char *missing = NULL;
	char doing[320];

	if (rd_kafka_metadata(topics->client->rk, 1, NULL, &metadata, VERIFY_TIMEOUT_MS) !=
	    RD_KAFKA_RESP_ERR_NO_ERROR)
		return true;
	for (size_t i = 0; i < topics->count && missing == NULL; i++)
		if (topics->list[i]->partitions > 0 &&
		    !is_listed(metadata, topics->list[i]->name))
			missing = topics->list[i]->name;
	rd_kafka_metadata_destroy(metadata);
	if (missing == NULL)
		return true;
	(void) snprintf(doing, sizeof doing, "deliver a record to topic \"%s\"", missing);
	(void) !kafka_fail(
		topics->client, err, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, NULL, doing);
	if (strcmp(missing, topics->config->kafka_positions_topic) == 0)
		fail_hint(
			err,
			"Somebody deleted it, and with it the position of every worker that "
			"shares it; what lies in the other topics is there. Where Kafka is the "
			"only output, snapshot.mode=no_data goes on from where the slot stands: "
			"what was stored and not yet confirmed may come twice.");
	return false;
}

/* ---- Topics ---- */

/* A topic just created is not known to every broker at once. */
static bool
wait_created(KafkaClient *client, const KafkaTopic *topic, TopicState *state, Err *err)
{
	int64_t until = clock_mono_us() + ADMIN_TIMEOUT_MS * INT64_C(1000);

	for (;;)
	{
		if (!look_up(client, topic, state, err))
			return false;
		if (state->partitions > 0)
			return true;
		if (kafka_client_stopped(client, err))
			return false;
		if (clock_mono_us() >= until)
			return fail(
				err, ERR_RETRY, "topic \"%s\" has no partitions yet", topic->name);
		if (!kafka_client_poll(client, METADATA_INTERVAL_MS, err))
			return false;
	}
}

/* A batch that the broker refuses would be refused again after every restart. */
static bool
accept_limit(const KafkaClient *client, const char *name, size_t max_bytes, Err *err)
{
	if (max_bytes >= client->batch_bytes)
		return true;
	fail(err,
	     ERR_CONFIG,
	     "topic \"%s\" takes batches of at most %zu bytes, the producer makes batches of "
	     "%zu",
	     name,
	     max_bytes,
	     client->batch_bytes);
	return fail_hint(err,
	                 "Raise the topic's max.message.bytes, or set kafka.batch.size=%zu.",
	                 max_bytes);
}

static void
make_handle(KafkaTopics *topics, KafkaTopic *topic)
{
	rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(topics->client->rk);

	if (!is_partitioner_set(topics->config))
	{
		rd_kafka_topic_conf_set_partitioner_cb(conf, choose_partition);
		rd_kafka_topic_conf_set_opaque(conf, topic);
	}
	topic->rkt = rd_kafka_topic_new(topics->client->rk, topic->name, conf);
}

static KafkaTopic *
find_topic(const KafkaTopics *topics, const char *name)
{
	for (size_t i = 0; i < topics->count; i++)
		if (strcmp(topics->list[i]->name, name) == 0)
			return topics->list[i];
	return NULL;
}

/* The topic's handle, made before anything is known of it. */
static KafkaTopic *
add_topic(KafkaTopics *topics, const char *name)
{
	KafkaTopic *topic = arena_zero(topics->arena, sizeof *topic);

	topic->name = arena_strdup(topics->arena, name);
	make_handle(topics, topic);
	if (topics->count == topics->capacity)
	{
		topics->capacity = topics->capacity == 0 ? 16 : topics->capacity * 2;
		topics->list = xrealloc(topics->list, topics->capacity * sizeof *topics->list);
	}
	topics->list[topics->count++] = topic;
	return topic;
}

/* Look the topic up, and create it when it is absent. */
static bool
provide(KafkaTopics *topics, const KafkaTopic *topic, const TopicSpec *spec,
        TopicState *state, Err *err)
{
	KafkaClient *client = topics->client;

	if (!look_up(client, topic, state, err))
		return false;
	if (state->partitions > 0)
		return true;
	if (!create(client, spec, false, err))
		return false;
	log_info("kafka",
	         "created topic \"%s\" with %d %s",
	         spec->name,
	         spec->partitions,
	         spec->partitions == 1 ? "partition" : "partitions");
	return wait_created(client, topic, state, err);
}

static TopicSpec
event_spec(const Config *config, const char *name)
{
	return (TopicSpec){
		.name = name,
		.partitions = (int) config->topic_partitions,
		.replication_factor = (int) config->topic_replication_factor,
		.pairs = config->topic_pairs,
		.pair_count = config->topic_pair_count,
	};
}

static TopicSpec
position_spec(const Config *config)
{
	return (TopicSpec){
		.name = config->kafka_positions_topic,
		.partitions = 1,
		.replication_factor = (int) config->topic_replication_factor,
		.pairs = position_pairs,
		.pair_count = COUNT(position_pairs),
	};
}

static KafkaTopic *
provide_topic(KafkaTopics *topics, const TopicSpec *spec, TopicState *state, Err *err)
{
	KafkaTopic *topic = add_topic(topics, spec->name);

	if (!provide(topics, topic, spec, state, err) ||
	    !accept_limit(topics->client, spec->name, state->max_bytes, err))
		return NULL;
	topic->partitions = state->partitions;
	topic->max_bytes = state->max_bytes;
	return topic;
}

KafkaTopic *
kafka_topics_get(KafkaTopics *topics, const char *name, Err *err)
{
	KafkaTopic *topic = find_topic(topics, name);
	TopicSpec spec = event_spec(topics->config, name);
	TopicState state;

	return topic != NULL ? topic : provide_topic(topics, &spec, &state, err);
}

bool
kafka_topic_fits(const KafkaClient *client, const KafkaTopic *topic, size_t size,
                 const char *what, Err *err)
{
	if (size <= topic->max_bytes && size <= client->message_bytes)
		return true;
	return kafka_topic_refuse(client, topic, size, false, what, err);
}

bool
kafka_topic_refuse(const KafkaClient *client, const KafkaTopic *topic, size_t size,
                   bool at_least, const char *what, Err *err)
{
	bool by_topic = topic->max_bytes <= client->message_bytes || size > topic->max_bytes;

	fail(err,
	     ERR_DATA,
	     "%s has %s%zu bytes, %s takes at most %zu",
	     what,
	     at_least ? "at least " : "",
	     size,
	     by_topic ? topic->name : "the producer",
	     by_topic ? topic->max_bytes : client->message_bytes);
	return fail_hint(err,
	                 "Raise max.message.bytes of topic \"%s\", "
	                 "kafka.message.max.bytes and kafka.queue.buffering.max.kbytes, or "
	                 "set event.processing.failure.handling.mode.",
	                 topic->name);
}

static bool
keeps_positions(const char *name, const TopicState *state, Err *err)
{
	if (!state->described || (state->compacted && !state->forgets))
		return true;
	fail(err,
	     ERR_CONFIG,
	     "topic \"%s\" does not keep its records: cleanup.policy is not \"compact\"",
	     name);
	return fail_hint(err,
	                 "Set cleanup.policy=compact on the topic, or name another by "
	                 "kafka.positions.topic.");
}

KafkaTopic *
kafka_topics_get_positions(KafkaTopics *topics, Err *err)
{
	TopicSpec spec = position_spec(topics->config);
	TopicState state;
	KafkaTopic *topic = provide_topic(topics, &spec, &state, err);

	return topic != NULL && keeps_positions(spec.name, &state, err) ? topic : NULL;
}

bool
kafka_topics_check(KafkaTopics *topics, const char *name, bool positions, FILE *to)
{
	TopicSpec spec =
		positions ? position_spec(topics->config) : event_spec(topics->config, name);
	KafkaTopic *topic = add_topic(topics, spec.name);
	TopicState state;
	Err err = { 0 };

	if (look_up(topics->client, topic, &state, &err) && state.partitions == 0)
	{
		if (create(topics->client, &spec, true, &err))
		{
			(void) fprintf(to, "ok topic %s: absent, can be created\n", spec.name);
			return true;
		}
	}
	else if (err.kind == ERR_NONE &&
	         accept_limit(topics->client, spec.name, state.max_bytes, &err) &&
	         (!positions || keeps_positions(spec.name, &state, &err)))
	{
		(void) fprintf(to, "ok topic %s: exists\n", spec.name);
		return true;
	}
	(void) fprintf(to, "topic %s: %s. %s\n", spec.name, err.text, err.hint);
	return false;
}
