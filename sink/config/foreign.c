/*
 * foreign.c
 *		the table of other people's properties.
 *
 * Sources: Debezium 3.6 (PostgresConnectorConfig, CommonConnectorConfig,
 * RelationalDatabaseConnectorConfig), Debezium Server's reference, Kafka Connect's
 * ConnectorConfig.  A property goes to IGNORED only when no consumer can tell the
 * difference.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "config/foreign.h"

#include <string.h>
#include <strings.h>

/* Reasons and hints that several rows share. */
#define NO_CONNECT "the worker runs without Kafka Connect"
#define NO_QUEUE   "max.memory bounds what is on its way"
#define NO_STORE   "the position is stored with the data, in each output"
#define NO_SIGNALS "Snapshots on demand are not supported."
#define NO_REGEX_NAMES \
	"Use the transformation io.debezium.transforms.ByLogicalTableRouter."
#define NO_JMX         "there is no JMX"
#define RETRY_RULES    "errors.max.retries and errors.retry.delay.max.ms decide"
#define ONE_VALUE      "Remove the property or give it the value that the worker has."
#define LEAVE_OUT      "Remove the property to run without it."
#define NO_FORMAT      "Headers are JSON."
#define ONLY_PRODUCES  "nothing is read from the topics"
#define ONLY_PEM       "Certificates and keys are read from PEM files."
#define OLD_NAME(name) "Debezium calls this property " name " now."

/* clang-format off */
/* Properties of Kafka Connect's and Confluent's converters. */
#define CONVERTER_ROWS(of) \
	{ of ".allow.optional.map.keys", FOREIGN_FIXED, "false", ONE_VALUE }, \
	{ of ".bearer.auth.credentials.source", FOREIGN_FIXED, "STATIC_TOKEN", ONE_VALUE }, \
	{ of ".connect.meta.data", FOREIGN_FIXED, "true", ONE_VALUE }, \
	{ of ".decimal.format", FOREIGN_FIXED, "BASE64", "Use decimal.handling.mode." }, \
	{ of ".discard.type.doc.default", FOREIGN_FIXED, "false", ONE_VALUE }, \
	{ of ".enhanced.avro.schema.support", FOREIGN_FIXED, "false", ONE_VALUE }, \
	{ of ".flatten.singleton.unions", FOREIGN_IGNORED, NULL, ONLY_PRODUCES }, \
	{ of ".generalized.sum.type.support", FOREIGN_FIXED, "false", ONE_VALUE }, \
	{ of ".http.connect.timeout.ms", FOREIGN_IGNORED, NULL, "connecting to the schema registry takes at most 5 s" }, \
	{ of ".http.read.timeout.ms", FOREIGN_IGNORED, NULL, "a request to the schema registry takes at most 15 s" }, \
	{ of ".latest.compatibility.strict", FOREIGN_IGNORED, NULL, "use.latest.version is false" }, \
	{ of ".max.schemas.per.subject", FOREIGN_IGNORED, NULL, "every schema in use is remembered" }, \
	{ of ".schema.registry.ssl.keystore.type", FOREIGN_FIXED, "PEM", ONLY_PEM }, \
	{ of ".schema.registry.ssl.truststore.type", FOREIGN_FIXED, "PEM", ONLY_PEM }, \
	{ of ".schemas.cache.config", FOREIGN_IGNORED, NULL, "every schema in use is remembered" }, \
	{ of ".schemas.cache.size", FOREIGN_IGNORED, NULL, "every schema in use is remembered" }, \
	{ of ".scrub.invalid.names", FOREIGN_FIXED, "false", "Use schema.name.adjustment.mode and field.name.adjustment.mode." }, \
	{ of ".use.latest.version", FOREIGN_FIXED, "false", ONE_VALUE },

static const Foreign foreigners[] = {
	{ "binary.handling.mode.overrides", FOREIGN_REFUSED, NULL, LEAVE_OUT },
	{ "column.blacklist", FOREIGN_REFUSED, NULL, OLD_NAME("column.exclude.list") },
	{ "column.whitelist", FOREIGN_REFUSED, NULL, OLD_NAME("column.include.list") },
	{ "config.action.reload", FOREIGN_IGNORED, NULL, NO_CONNECT },
	{ "connection.factory.class", FOREIGN_REFUSED, NULL,
	  "The connection is libpq's; see database.password and its _FILE variable." },
	{ "connection.validation.timeout.ms", FOREIGN_IGNORED, NULL, "every run connects at once" },
	{ "connector.class", FOREIGN_FIXED, "io.debezium.connector.postgresql.PostgresConnector",
	  "Only PostgreSQL can be captured." },
	{ "converters", FOREIGN_FIXED, "", "Custom converters are not supported." },
	{ "create.slot.command.timeout", FOREIGN_IGNORED, NULL,
	  "creating a slot waits for as long as the server needs" },
	{ "custom.metric.tags", FOREIGN_IGNORED, NULL, NO_JMX },
	{ "custom.sanitize.pattern", FOREIGN_IGNORED, NULL, NO_JMX },
	{ "database.connection.timeout.ms", FOREIGN_IGNORED, NULL, "connecting is given 15 s" },
	{ "database.server.name", FOREIGN_REFUSED, NULL, OLD_NAME("topic.prefix") },
	{ "database.sslfactory", FOREIGN_REFUSED, NULL,
	  "TLS is libpq's; use database.sslmode and its certificates." },
	{ "debezium.format.header", FOREIGN_FIXED, "json", NO_FORMAT },
	{ "debezium.format.header.*", FOREIGN_REFUSED, NULL, LEAVE_OUT },
	{ "debezium.format.header.schemas.enable", FOREIGN_ALIAS,
	  "header.converter.schemas.enable", "" },
	{ "debezium.format.key", FOREIGN_ALIAS, "key.converter", "" },
	{ "debezium.format.key.*", FOREIGN_ALIAS, "key.converter.*", "" },
	{ "debezium.format.schemas.enable", FOREIGN_ALIAS, "schemas.enable", "" },
	{ "debezium.format.value", FOREIGN_ALIAS, "value.converter", "" },
	{ "debezium.format.value.*", FOREIGN_ALIAS, "value.converter.*", "" },
	{ "debezium.predicates", FOREIGN_ALIAS, "predicates", "" },
	{ "debezium.predicates.*", FOREIGN_ALIAS, "predicates.*", "" },
	{ "debezium.sink.kafka.producer.*", FOREIGN_ALIAS, "kafka.*", "" },
	{ "debezium.sink.type", FOREIGN_ALIAS, "outputs", "" },
	{ "debezium.transforms", FOREIGN_ALIAS, "transforms", "" },
	{ "debezium.transforms.*", FOREIGN_ALIAS, "transforms.*", "" },
	{ "decimal.format", FOREIGN_FIXED, "BASE64", "Use decimal.handling.mode." },
	{ "errors.deadletterqueue.*", FOREIGN_REFUSED, NULL,
	  "See event.processing.failure.handling.mode." },
	{ "errors.log.enable", FOREIGN_IGNORED, NULL, "errors are always logged" },
	{ "errors.log.include.messages", FOREIGN_FIXED, "false", "Row values are never logged." },
	{ "errors.retry.delay.initial.ms", FOREIGN_IGNORED, NULL, RETRY_RULES },
	{ "errors.retry.timeout", FOREIGN_IGNORED, NULL, RETRY_RULES },
	{ "errors.tolerance", FOREIGN_FIXED, "none",
	  "See event.processing.failure.handling.mode." },
	{ "event.deserialization.failure.handling.mode", FOREIGN_REFUSED, NULL,
	  OLD_NAME("event.processing.failure.handling.mode") },
	{ "exactly.once.support", FOREIGN_IGNORED, NULL, "kafka.exactly.once decides" },
	{ "executor.shutdown.timeout.ms", FOREIGN_IGNORED, NULL, NO_CONNECT },
	{ "flush.lsn.source", FOREIGN_FIXED, "true", ONE_VALUE },
	{ "guardrail.collections.limit.action", FOREIGN_IGNORED, NULL, "there is no such limit" },
	{ "guardrail.collections.max", FOREIGN_FIXED, "0", ONE_VALUE },
	{ "heartbeat.topics.prefix", FOREIGN_ALIAS, "topic.heartbeat.prefix", "" },
	{ "include.schema.changes", FOREIGN_IGNORED, NULL,
	  "the PostgreSQL connector has no such events" },
	{ "include.schema.comments", FOREIGN_IGNORED, NULL,
	  "Debezium's PostgreSQL connector prints no comments either" },
	{ "incremental.snapshot.*", FOREIGN_IGNORED, NULL, "there are no incremental snapshots" },
	{ "internal.*", FOREIGN_REFUSED, NULL, "Internal properties of Debezium have no meaning here." },
	{ "kafka.key.serializer", FOREIGN_IGNORED, NULL, "keys are text" },
	{ "kafka.value.serializer", FOREIGN_IGNORED, NULL, "values are text" },
	CONVERTER_ROWS("key.converter")
	{ "legacy.snapshot.max.threads", FOREIGN_IGNORED, NULL, "snapshot.max.threads decides" },
	{ "lsn.flush.mode", FOREIGN_FIXED, "connector, connector_and_driver",
	  "The worker confirms what is stored; nothing else may move its slot." },
	{ "lsn.flush.timeout.action", FOREIGN_IGNORED, NULL, "confirming does not wait" },
	{ "lsn.flush.timeout.ms", FOREIGN_IGNORED, NULL, "confirming does not wait" },
	{ "max.batch.size", FOREIGN_IGNORED, NULL, NO_QUEUE },
	{ "max.queue.size", FOREIGN_IGNORED, NULL, NO_QUEUE },
	{ "max.queue.size.in.bytes", FOREIGN_IGNORED, NULL, NO_QUEUE },
	{ "name", FOREIGN_IGNORED, NULL, NO_CONNECT },
	{ "notification.enabled.channels", FOREIGN_FIXED, "", LEAVE_OUT },
	{ "notification.sink.topic.name", FOREIGN_IGNORED, NULL, "there are no notifications" },
	{ "offset.flush.interval.ms", FOREIGN_IGNORED, NULL, NO_STORE },
	{ "offset.flush.timeout.ms", FOREIGN_IGNORED, NULL, NO_STORE },
	{ "offset.mismatch.strategy", FOREIGN_FIXED, "no_validation, trust_offset",
	  "The stored position decides: a slot beyond it has lost changes and is refused, a slot behind it repeats what is dropped." },
	{ "offset.storage", FOREIGN_IGNORED, NULL, NO_STORE },
	{ "offset.storage.*", FOREIGN_IGNORED, NULL, NO_STORE },
	{ "openlineage.*", FOREIGN_IGNORED, NULL, "openlineage.integration.enabled is false" },
	{ "openlineage.integration.enabled", FOREIGN_FIXED, "false", ONE_VALUE },
	{ "plugin.name", FOREIGN_FIXED, "cdc_decoder",
	  "Remove the property or set it to cdc_decoder: the worker reads that plugin, and not pgoutput, decoderbufs or wal2json." },
	{ "poll.dispatch.interval.ms", FOREIGN_IGNORED, NULL, "nothing is polled" },
	{ "poll.interval.ms", FOREIGN_IGNORED, NULL, "nothing is polled" },
	{ "post.processors", FOREIGN_FIXED, "", LEAVE_OUT },
	{ "producer.override.*", FOREIGN_ALIAS, "kafka.*", "" },
	{ "quarkus.*", FOREIGN_IGNORED, NULL, "the worker is not a Quarkus application" },
	{ "query.fetch.size", FOREIGN_IGNORED, NULL, "rows are read by COPY" },
	{ "queue.provider.*", FOREIGN_IGNORED, NULL, NO_QUEUE },
	{ "read.only", FOREIGN_IGNORED, NULL, "nothing is ever written to the database" },
	{ "retriable.restart.connector.wait.ms", FOREIGN_ALIAS, "errors.retry.delay.max.ms", "" },
	{ "schema.blacklist", FOREIGN_REFUSED, NULL, OLD_NAME("schema.exclude.list") },
	{ "schema.history.*", FOREIGN_IGNORED, NULL, "schemas come with the changes" },
	{ "schema.refresh.mode", FOREIGN_IGNORED, NULL, "schemas come with the changes" },
	{ "schema.whitelist", FOREIGN_REFUSED, NULL, OLD_NAME("schema.include.list") },
	{ "signal.data.collection", FOREIGN_REFUSED, NULL, NO_SIGNALS },
	{ "signal.emit.failure.*", FOREIGN_IGNORED, NULL, "there are no signals" },
	{ "signal.enabled.channels", FOREIGN_FIXED, ",source", NO_SIGNALS },
	{ "signal.file", FOREIGN_REFUSED, NULL, NO_SIGNALS },
	{ "signal.kafka.*", FOREIGN_REFUSED, NULL, NO_SIGNALS },
	{ "signal.poll.interval.ms", FOREIGN_IGNORED, NULL, "there are no signals" },
	{ "slot.drop_on_stop", FOREIGN_ALIAS, "slot.drop.on.stop", "" },
	{ "slot.stream.params", FOREIGN_FIXED, "", "The worker sends cdc_decoder its options by itself." },
	{ "snapshot.fetch.size", FOREIGN_IGNORED, NULL, "rows are read by COPY, as a stream" },
	{ "snapshot.isolation.mode", FOREIGN_IGNORED, NULL,
	  "a snapshot is as of one moment, the slot's consistent point, which is what every mode allows" },
	{ "snapshot.lock.timeout.ms", FOREIGN_IGNORED, NULL,
	  "a table is read when nobody rewrites it, however long that takes" },
	{ "snapshot.locking.mode", FOREIGN_FIXED, "none, shared",
	  "A snapshot holds tables in ACCESS SHARE mode, which lets everybody read and write; custom classes are not supported." },
	{ "snapshot.locking.mode.custom.name", FOREIGN_REFUSED, NULL, LEAVE_OUT },
	{ "snapshot.max.threads.multiplier", FOREIGN_IGNORED, NULL, "snapshot.max.threads decides" },
	{ "snapshot.mode.*", FOREIGN_IGNORED, NULL, "snapshot.mode decides" },
	{ "snapshot.query.mode", FOREIGN_FIXED, "select_all",
	  "Custom classes are not supported; see snapshot.select.statement.overrides." },
	{ "snapshot.query.mode.custom.name", FOREIGN_REFUSED, NULL, LEAVE_OUT },
	{ "sourceinfo.struct.maker", FOREIGN_REFUSED, NULL, LEAVE_OUT },
	{ "statistics.metrics.enabled", FOREIGN_IGNORED, NULL, NO_JMX },
	{ "table.blacklist", FOREIGN_REFUSED, NULL, OLD_NAME("table.exclude.list") },
	{ "table.ignore.builtin", FOREIGN_FIXED, "true", ONE_VALUE },
	{ "table.whitelist", FOREIGN_REFUSED, NULL, OLD_NAME("table.include.list") },
	{ "tasks.max", FOREIGN_IGNORED, NULL, "one worker reads one slot" },
	{ "topic.cache.size", FOREIGN_IGNORED, NULL, "topics are known per table" },
	{ "topic.creation.*", FOREIGN_REFUSED, NULL,
	  "Only topic.creation.default.* is supported." },
	{ "topic.creation.enable", FOREIGN_FIXED, "true", ONE_VALUE },
	{ "topic.creation.groups", FOREIGN_FIXED, "",
	  "Only topic.creation.default.* is supported." },
	{ "topic.key.*", FOREIGN_REFUSED, NULL, NO_REGEX_NAMES },
	{ "topic.regex", FOREIGN_REFUSED, NULL, NO_REGEX_NAMES },
	{ "topic.replacement", FOREIGN_REFUSED, NULL, NO_REGEX_NAMES },
	{ "transaction.boundary", FOREIGN_IGNORED, NULL, "kafka.exactly.once decides" },
	{ "transaction.boundary.interval.ms", FOREIGN_IGNORED, NULL, "kafka.commit.interval.ms decides" },
	{ "transaction.metadata.factory", FOREIGN_FIXED,
	  "io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory", ONE_VALUE },
	CONVERTER_ROWS("value.converter")
	{ "xmin.fetch.interval.ms", FOREIGN_FIXED, "0", ONE_VALUE },
};
/* clang-format on */

#define FOREIGN_COUNT (sizeof foreigners / sizeof *foreigners)

const Foreign *
foreign_table(size_t *count)
{
	*count = FOREIGN_COUNT;
	return foreigners;
}

const Foreign *
foreign_find(const char *name)
{
	for (size_t i = 0; i < FOREIGN_COUNT; i++)
		if (strcmp(foreigners[i].name, name) == 0)
			return &foreigners[i];
	return NULL;
}

/* Length of a row's name before its *; 0: the row is a whole name. */
static size_t
prefix_length(const Foreign *foreign)
{
	size_t len = strlen(foreign->name);

	return foreign->name[len - 1] == '*' ? len - 1 : 0;
}

const Foreign *
foreign_find_prefix(const char *name)
{
	const Foreign *found = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < FOREIGN_COUNT; i++)
	{
		size_t len = prefix_length(&foreigners[i]);

		if (len <= longest || strncmp(foreigners[i].name, name, len) != 0 ||
		    name[len] == '\0')
			continue;
		longest = len;
		found = &foreigners[i];
	}
	return found;
}

const char *
foreign_target(const Foreign *foreign, const char *name, Arena *arena)
{
	size_t prefix = prefix_length(foreign);

	if (prefix == 0)
		return foreign->target;
	return arena_printf(arena,
	                    "%.*s%s",
	                    (int) strlen(foreign->target) - 1,
	                    foreign->target,
	                    name + prefix);
}

bool
foreign_accepts(const Foreign *foreign, const char *value)
{
	const char *at = foreign->target;
	size_t value_len = strlen(value);

	for (;;)
	{
		size_t len = strcspn(at, ",");

		if (len == value_len && strncasecmp(at, value, len) == 0)
			return true;
		if (at[len] == '\0')
			return false;
		at += len + 1;
		at += strspn(at, " ");
	}
}
