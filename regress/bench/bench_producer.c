/*
 * bench_producer.c
 *		what a record costs on its way to the broker, by how its headers are made.
 *
 *	bench_producer [records [rounds]]	(through regress/kafka-output/run.sh)
 *
 * Variants, each in transactions of 100 ms, lz4, one partition, value of 700 bytes:
 *
 *		plain		no headers: what the library can do at best
 *		fields		producev with four header fields
 *		copied		rd_kafka_headers_copy of a prebuilt list (what records.c does)
 *		output		the output itself: batches of 300 events, rendered
 *		least		the same with kafka.exactly.once=false
 *
 * Prints records a second and CPU seconds of this process (all threads), and the peak
 * resident set at the end.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "feed.h"
#include "kafka/kafka.h"
#include "kafka/topics.h"

#define VALUE_BYTES  700
#define COMMIT_US    100000
#define EVENTS_BATCH 300
#define TXN_EVENTS   1000
#define RUN_ID       "0199c1a2-7e5b-7c3d-9a4e-0123456789ab"

typedef struct Bench
{
	ConfigPair pairs[2];
	Config config;
	int records;
	char prefix[64];
	char value[VALUE_BYTES];
} Bench;

static const char *const header_names[] = {
	"__debezium.context.connectorLogicalName",
	"__debezium.context.taskId",
	"__debezium.context.connectorName",
	"__debezium.context.runId",
};
static const char *const header_values[] = { "cdc", "0", "postgresql", RUN_ID };

static void
stop_on(bool failed, const char *what)
{
	if (!failed)
		return;
	(void) fprintf(stderr, "%s\n", what);
	exit(1);
}

static double
cpu_seconds(void)
{
	struct rusage usage;

	(void) getrusage(RUSAGE_SELF, &usage);
	return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void
set_bench(Bench *bench, int records)
{
	*bench = (Bench){ .records = records };
	(void) snprintf(bench->prefix,
	                sizeof bench->prefix,
	                "bench-%lld",
	                (long long) (clock_wall_ns() / 1000000));
	bench->pairs[0] = (ConfigPair){ "bootstrap.servers", getenv("KAFKA_BOOTSTRAP") };
	bench->config = (Config){
		.slot_name = "bench",
		.kafka_exactly_once = true,
		.kafka_positions_topic = "__cdc_sink_positions",
		.kafka_commit_interval_ms = 100,
		.topic_partitions = 1,
		.topic_replication_factor = 1,
		.kafka_pairs = bench->pairs,
		.kafka_pair_count = 1,
	};
	bench->config.env.topic_prefix = bench->prefix;
	bench->config.env.topic_delimiter = ".";
	bench->config.env.extended_headers_enabled = true;
	bench->config.env.unavailable_value_placeholder = "__debezium_unavailable_value";
	for (int i = 0; i < VALUE_BYTES; i++)
		bench->value[i] = (char) ('a' + (i * 7 + i / 13) % 26);
}

static rd_kafka_headers_t *
make_list(void)
{
	rd_kafka_headers_t *list = rd_kafka_headers_new(4);

	for (int i = 0; i < 4; i++)
		(void) rd_kafka_header_add(list, header_names[i], -1, header_values[i], -1);
	return list;
}

static rd_kafka_resp_err_t
produce_fields(rd_kafka_t *rk, rd_kafka_topic_t *topic, const char *key,
               const char *value)
{
	return rd_kafka_producev(rk,
	                         RD_KAFKA_V_RKT(topic),
	                         RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
	                         RD_KAFKA_V_KEY(key, strlen(key)),
	                         RD_KAFKA_V_VALUE((char *) (uintptr_t) value, VALUE_BYTES),
	                         RD_KAFKA_V_HEADER(header_names[0], header_values[0], -1),
	                         RD_KAFKA_V_HEADER(header_names[1], header_values[1], -1),
	                         RD_KAFKA_V_HEADER(header_names[2], header_values[2], -1),
	                         RD_KAFKA_V_HEADER(header_names[3], header_values[3], -1),
	                         RD_KAFKA_V_END);
}

static void
commit(KafkaClient *client)
{
	rd_kafka_error_t *error;
	Err err = { 0 };

	while (rd_kafka_outq_len(client->rk) > 0)
	{
		kafka_client_hurry(client);
		stop_on(!kafka_client_poll(client, 1, &err), err.text);
	}
	error = rd_kafka_commit_transaction(client->rk, 30000);
	stop_on(error != NULL, error == NULL ? "" : rd_kafka_error_string(error));
}

/* variant: p, f or c. */
static void
run_raw(Bench *bench, char variant)
{
	KafkaClient client = { 0 };
	Err err = { 0 };
	rd_kafka_headers_t *list = make_list();
	KafkaTopics *topics;
	KafkaTopic *made;
	rd_kafka_topic_t *topic;
	int64_t begun;

	stop_on(!kafka_client_init(&client, &bench->config, KAFKA_TRANSACTIONAL, &err),
	        err.text);
	stop_on(rd_kafka_init_transactions(client.rk, 10000) != NULL, "init_transactions");
	topics = kafka_topics_new(&client, &bench->config);
	made = kafka_topics_get(topics, "bench-raw", &err);
	stop_on(made == NULL, err.text);
	topic = made->rkt;
	(void) rd_kafka_begin_transaction(client.rk);
	begun = clock_mono_us();
	for (int i = 0; i < bench->records; i++)
	{
		char key[32];
		KafkaRecord record = {
			.topic = topic,
			.partition = 0,
			.key = { key, (size_t) snprintf(key, sizeof key, "{\"id\":%d}", i) },
			.value = { bench->value, VALUE_BYTES },
		};

		memcpy(bench->value + 20, key, record.key.len);
		while (variant == 'f' && produce_fields(client.rk, topic, key, bench->value) != 0)
			stop_on(!kafka_client_poll(&client, 2, &err), err.text);
		if (variant == 'c')
			record.headers = rd_kafka_headers_copy(list);
		stop_on(variant != 'f' && !kafka_client_produce(&client, &record, &err),
		        err.text);
		if (i % 100 == 0)
			stop_on(!kafka_client_poll(&client, 0, &err), err.text);
		if (i % 100 != 0 || clock_mono_us() - begun < COMMIT_US)
			continue;
		commit(&client);
		(void) rd_kafka_begin_transaction(client.rk);
		begun = clock_mono_us();
	}
	commit(&client);
	rd_kafka_headers_destroy(list);
	kafka_topics_free(topics);
	kafka_client_fini(&client);
}

/* Batches are made while the output works, as the reader does. */
static void
run_output(Bench *bench, bool exactly_once)
{
	Position self = { .database = "db", .slot = "bench" };
	Position stored;
	Output *output;
	Err err = { 0 };
	Feed feed;
	Lsn lsn = 1000;

	bench->config.kafka_exactly_once = exactly_once;
	feed_init(&feed, exactly_once ? "once" : "least", true);
	output = kafka_output_new(&bench->config, -1);
	stop_on(!output->ops->open(output, &self, &stored, &err), err.text);
	lsn = stored.end_lsn + 1000;
	self.phase = POSITION_STREAM;
	self.commit_lsn = self.end_lsn = lsn - 1;
	stop_on(!output->ops->mark(output, &self, &err), err.text);
	feed_begin(&feed, lsn);
	for (int i = 0; i < bench->records; i++)
	{
		feed_row(&feed, EVENT_INSERT, i, 300, (char) ('a' + i % 26));
		if (i % TXN_EVENTS == TXN_EVENTS - 1 || i == bench->records - 1)
		{
			feed_mark(&feed, EVENT_COMMIT, lsn + 10);
			lsn += 100;
			feed_begin(&feed, lsn);
		}
		if (i % EVENTS_BATCH == EVENTS_BATCH - 1)
			stop_on(!feed_send(&feed, output), "offer");
	}
	stop_on(!feed_send(&feed, output), "offer");
	output->ops->flush(output);
	stop_on(!feed_wait(output, lsn - 100 + 10, &err), err.text);
	output->ops->close(output);
	feed_fini(&feed);
}

static void
run_variant(Bench *bench, const char *name)
{
	double cpu = cpu_seconds();
	int64_t begun = clock_mono_us();
	double seconds;

	switch (name[0])
	{
		case 'o':
		case 'l':
			run_output(bench, name[0] == 'o');
			break;
		default:
			run_raw(bench, name[0]);
	}
	seconds = (double) (clock_mono_us() - begun) / 1e6;
	(void) printf("%-8s %8.0f records/s  %.2f s  %.2f CPU s\n",
	              name,
	              bench->records / seconds,
	              seconds,
	              cpu_seconds() - cpu);
	(void) fflush(stdout);
}

int
main(int argc, char **argv)
{
	static const char *const variants[] = {
		"plain", "fields", "copied", "output", "least"
	};
	struct rusage usage;
	Bench bench;

	set_bench(&bench, argc > 1 ? (int) strtol(argv[1], NULL, 10) : 900000);
	log_set_level(LOG_WARNING);
	for (long round = argc > 2 ? strtol(argv[2], NULL, 10) : 1; round > 0; round--)
		for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
			if (argc <= 3 || strcmp(argv[3], variants[i]) == 0)
				run_variant(&bench, variants[i]);
	(void) getrusage(RUSAGE_SELF, &usage);
	(void) printf("peak RSS %ld MB\n", usage.ru_maxrss / 1024);
	return 0;
}
