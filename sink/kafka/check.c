/*
 * check.c
 *		what `cdc-sink check` says about the broker.
 *
 * Only questions and dry runs: a transactional id is never used here, for that would
 * fence a worker that is running.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>

#include "base/arena.h"
#include "connect/convert.h"
#include "kafka/kafka.h"
#include "kafka/topics.h"

/* Of the broker itself: reachable, how many, which cluster. */
static bool
check_cluster(KafkaClient *client, FILE *to)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t code =
		rd_kafka_metadata(client->rk, 0, NULL, &metadata, KAFKA_CONNECT_MS);
	char *cluster;
	Err err = { 0 };

	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT)
			kafka_fail_silent(client, &err, "reach a broker");
		else
			kafka_fail(client, &err, code, NULL, "reach a broker");
		(void) fprintf(to, "broker %s: %s. %s\n", client->servers, err.text, err.hint);
		return false;
	}
	cluster = rd_kafka_clusterid(client->rk, 1000);
	(void) fprintf(to,
	               "ok broker %s: %d %s, cluster %s\n",
	               client->servers,
	               metadata->broker_cnt,
	               metadata->broker_cnt == 1 ? "broker" : "brokers",
	               cluster == NULL ? "without a name" : cluster);
	if (cluster != NULL)
		rd_kafka_mem_free(client->rk, cluster);
	rd_kafka_metadata_destroy(metadata);
	return true;
}

/* A name that the topics of tables will begin with, to try their creation. */
static bool
check_topics(KafkaClient *client, const Config *config, FILE *to)
{
	KafkaTopics *topics = kafka_topics_new(client, config);
	Buf name = buf_heap();
	bool ok;

	buf_printf(&name,
	           "%s%scdc_sink_check",
	           config->env.topic_prefix,
	           config->env.topic_delimiter);
	ok = kafka_topics_check(topics, config->kafka_positions_topic, true, to);
	ok = kafka_topics_check(topics, buf_cstr(&name), false, to) && ok;
	buf_free(&name);
	kafka_topics_free(topics);
	return ok;
}

bool
kafka_check(const Config *config, FILE *to, Err *err)
{
	KafkaClient client = { 0 };
	bool ok = kafka_client_init(&client, config, KAFKA_PRODUCER, err);

	if (!ok)
		(void) fprintf(to, "kafka settings: %s. %s\n", err->text, err->hint);
	ok = ok && check_cluster(&client, to) && check_topics(&client, config, to);
	ok = connect_check(config, to) && ok;
	kafka_client_fini(&client);
	return ok;
}
