/*
 * test_config.c
 *		loading a configuration: vocabulary, precedence, values, rules, printing.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "config/config.h"
#include "config/foreign.h"
#include "config/print.h"
#include "config/settings.h"

/* After the others: it defines fail(). */
#include <cmocka.h>

#define MAX_ARGS 16
#define MINIMUM  "database.dbname=shop\noutputs=kafka\nkafka.bootstrap.servers=b:9092\n"

typedef struct World
{
	Arena *arena;
	char path[64];
	Err err;
	Config *config;
} World;

static int
setup(void **state)
{
	World *world = calloc(1, sizeof *world);
	int fd;

	world->arena = arena_new();
	(void) snprintf(world->path, sizeof world->path, "%s/config-XXXXXX", P_tmpdir);
	fd = mkstemp(world->path);
	assert_true(fd >= 0);
	(void) close(fd);
	*state = world;
	return 0;
}

static int
teardown(void **state)
{
	World *world = *state;

	if (world->config != NULL)
		config_free(world->config);
	arena_free(world->arena);
	(void) unlink(world->path);
	free(world);
	return 0;
}

static void
write_bytes(const char *path, const char *bytes, size_t len)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* Load text as the file, and then --set arguments up to NULL. */
static Config *
load(World *world, const char *text, char **environment, const char *const *settings)
{
	ConfigInput input = { .environ = environment, .settings = settings };

	if (text != NULL)
	{
		write_bytes(world->path, text, strlen(text));
		input.file = world->path;
	}
	while (settings != NULL && settings[input.setting_count] != NULL)
		input.setting_count++;
	if (world->config != NULL)
		config_free(world->config);
	memset(&world->err, 0, sizeof world->err);
	world->config = config_load(world->arena, &input, &world->err);
	return world->config;
}

static Config *
load_ok(World *world, const char *text)
{
	if (load(world, text, NULL, NULL) == NULL)
		fail_msg("%s (%s)", world->err.text, world->err.hint);
	return world->config;
}

/* A setting on top of what every configuration needs. */
static Config *
load_with(World *world, const char *setting)
{
	const char *settings[] = { setting, NULL };

	return load(world, MINIMUM, NULL, settings);
}

static void
assert_contains(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" does not contain \"%s\"", text, part);
}

static void
test_defaults(void **state)
{
	Config *config = load_ok(*state, MINIMUM);

	assert_string_equal(config->database_hostname, "localhost");
	assert_int_equal(config->database_port, 5432);
	assert_string_equal(config->database_user, "postgres");
	assert_string_equal(config->database_password, "");
	assert_string_equal(config->database_dbname, "shop");
	assert_string_equal(config->database_sslmode, "prefer");
	assert_string_equal(config->slot_name, "cdc_sink");
	assert_int_equal(config->status_update_interval_ms, 10000);
	assert_int_equal(config->snapshot_mode, SNAPSHOT_INITIAL);
	assert_int_equal(config->snapshot_max_threads, 2);
	assert_int_equal(config->outputs, OUTPUT_KAFKA);
	assert_int_equal(config->max_memory, 256 << 20);
	assert_int_equal(config->env.failure_mode, FAILURE_FAIL);
	assert_int_equal(config->retry_max_ms, 10000);
	assert_int_equal(config->retries, -1);
	assert_int_equal(config->log_level, LOG_INFO);
	assert_true(config->kafka_exactly_once);
	assert_string_equal(config->kafka_positions_topic, "__cdc_sink_positions");
	assert_int_equal(config->kafka_commit_interval_ms, 100);
	assert_int_equal(config->topic_partitions, 1);
	assert_int_equal(config->topic_replication_factor, 1);
	assert_int_equal(config->topic_pair_count, 0);
	assert_int_equal(config->kafka_pair_count, 1);
	assert_string_equal(config->lake_namespace, "cdc");
	assert_int_equal(config->lake_flush_interval_ms, 10000);
	assert_int_equal(config->lake_flush_bytes, 64 << 20);
	assert_int_equal(config->lake_checkpoints_keep, 100);
	assert_int_equal(config->lake_on_incompatible, INCOMPATIBLE_STOP);
	assert_int_equal(config->lake_on_recreated, RECREATED_STOP);
	assert_int_equal(config->lake_numeric_default, NUMERIC_DEFAULT_DECIMAL);
	assert_int_equal(config->lake_append_tables.count, 0);
	assert_string_equal(config->env.topic_prefix, "cdc");
	assert_true(config->env.tombstones_on_delete);
}

static void
test_default_outputs(void **state)
{
	Config *config =
		load_ok(*state, "database.dbname=shop\nlake.warehouse=file:///srv/lake\n");

	assert_int_equal(config->outputs, OUTPUT_BRONZE | OUTPUT_SILVER);
	assert_string_equal(config->lake_warehouse, "file:///srv/lake");
}

static void
test_values(void **state)
{
	static const char text[] =
		MINIMUM "database.hostname = db.example.com \n"
				"database.password=  blanks kept  \n"
				"outputs=Silver, kafka\n"
				"lake.warehouse=file:///srv/lake//\n"
				"max.memory=1GB\n"
				"lake.flush.bytes=1048577\n"
				"lake.flush.interval.ms=2 min\n"
				"status.update.interval.ms=1500\n"
				"snapshot.mode=NO_DATA\n"
				"event.processing.failure.handling.mode=skip\n"
				"log.level=debug\n"
				"database.sslmode=Verify-Full\n"
				"kafka.exactly.once=off\n"
				"lake.on.incompatible=new_column\n"
				"lake.on.recreated=by_name\n"
				"lake.numeric.default=string\n"
				"lake.append.only.tables=public\\\\.audit,log\\\\..*\n"
				"topic.creation.default.replication.factor=-1\n"
				"topic.creation.default.cleanup.policy=compact\n"
				"kafka.linger.ms=20\n"
				"kafka.sasl.password=k\n"
				"table.include.list=public\\\\.users\n"
				"decimal.handling.mode=string\n";
	Config *config = load_ok(*state, text);

	assert_string_equal(config->database_hostname, "db.example.com");
	assert_string_equal(config->database_password, "blanks kept  ");
	assert_int_equal(config->outputs, OUTPUT_KAFKA | OUTPUT_SILVER);
	assert_string_equal(config->lake_warehouse, "file:///srv/lake");
	assert_int_equal(config->max_memory, 1 << 30);
	assert_int_equal(config->lake_flush_bytes, 1048577);
	assert_int_equal(config->lake_flush_interval_ms, 120000);
	assert_int_equal(config->status_update_interval_ms, 1500);
	assert_int_equal(config->snapshot_mode, SNAPSHOT_NO_DATA);
	assert_int_equal(config->env.failure_mode, FAILURE_SKIP);
	assert_int_equal(config->log_level, LOG_DEBUG);
	assert_string_equal(config->database_sslmode, "verify-full");
	assert_false(config->kafka_exactly_once);
	assert_int_equal(config->lake_on_incompatible, INCOMPATIBLE_NEW_COLUMN);
	assert_int_equal(config->lake_on_recreated, RECREATED_BY_NAME);
	assert_int_equal(config->lake_numeric_default, NUMERIC_DEFAULT_STRING);
	assert_true(filter_matches(&config->lake_append_tables, "log.any"));
	assert_false(filter_matches(&config->lake_append_tables, "publicXaudit"));
	assert_int_equal(config->topic_replication_factor, -1);
	assert_int_equal(config->topic_pair_count, 1);
	assert_string_equal(config->topic_pairs[0].name, "cleanup.policy");
	assert_string_equal(config->topic_pairs[0].value, "compact");
	assert_int_equal(config->kafka_pair_count, 3);
	assert_string_equal(config->kafka_pairs[0].name, "bootstrap.servers");
	assert_string_equal(config->kafka_pairs[1].name, "linger.ms");
	assert_string_equal(config->kafka_pairs[2].name, "sasl.password");
	assert_true(filter_wants_table(&config->env, "public", "users"));
	assert_false(filter_wants_table(&config->env, "public", "orders"));
	assert_int_equal(config->env.decimal_handling_mode, DECIMAL_STRING);
}

static void
test_bootstrap_servers_come_first(void **state)
{
	Config *config = load_ok(*state,
	                         "database.dbname=shop\noutputs=kafka\n"
	                         "kafka.acks=all\nkafka.client.id=c\n"
	                         "kafka.bootstrap.servers=a:1,b:2\n");

	assert_int_equal(config->kafka_pair_count, 3);
	assert_string_equal(config->kafka_pairs[0].name, "bootstrap.servers");
	assert_string_equal(config->kafka_pairs[0].value, "a:1,b:2");
	assert_string_equal(config->kafka_pairs[1].name, "acks");
	assert_string_equal(config->kafka_pairs[2].name, "client.id");
}

/* Numbers, units and their limits. */
static void
test_numbers(void **state)
{
	static const struct
	{
		const char *setting;
		int64_t bytes; /* max.memory; -1: refused */
	} cases[] = {
		{ "max.memory=16MB", INT64_C(16) << 20 },
		{ "max.memory=16777216", INT64_C(16) << 20 },
		{ "max.memory=16384kB", INT64_C(16) << 20 },
		{ "max.memory=16384 KB", INT64_C(16) << 20 },
		{ "max.memory=16777216B", INT64_C(16) << 20 },
		{ "max.memory=1TB", INT64_C(1) << 40 },
		{ "max.memory=16777215", -1 },
		{ "max.memory=2TB", -1 },
		{ "max.memory=9223372036854775807TB", -1 },
		{ "max.memory=9223372036854775808", -1 },
		{ "max.memory=-16MB", -1 },
		{ "max.memory=16M", -1 },
		{ "max.memory=16 MB x", -1 },
		{ "max.memory=1.5GB", -1 },
		{ "max.memory=0x1000000", -1 },
		{ "max.memory=+16MB", -1 },
		{ "max.memory=MB", -1 },
		{ "max.memory=", -1 },
		{ "max.memory=16s", -1 },
		{ "max.memory=-", -1 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		World *world = *state;
		Config *config = load_with(world, cases[i].setting);

		if (cases[i].bytes >= 0 &&
		    (config == NULL || config->max_memory != cases[i].bytes))
			fail_msg("%s: %s", cases[i].setting, world->err.text);
		if (cases[i].bytes < 0 && config != NULL)
			fail_msg("%s was accepted", cases[i].setting);
	}
}

static void
test_milliseconds(void **state)
{
	static const struct
	{
		const char *setting;
		int64_t ms;
	} cases[] = {
		{ "lake.flush.interval.ms=10", 10 },
		{ "lake.flush.interval.ms=10ms", 10 },
		{ "lake.flush.interval.ms=3s", 3000 },
		{ "lake.flush.interval.ms=3MIN", 180000 },
		{ "lake.flush.interval.ms=1h", 3600000 },
		{ "lake.flush.interval.ms=1d", 86400000 },
		{ "lake.flush.interval.ms=25h", -1 },
		{ "lake.flush.interval.ms=9", -1 },
		{ "lake.flush.interval.ms=3m", -1 },
		{ "lake.flush.interval.ms=3MB", -1 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		Config *config = load_with(*state, cases[i].setting);

		assert_int_equal(config != NULL ? config->lake_flush_interval_ms : -1,
		                 cases[i].ms);
	}
}

typedef struct Refusal
{
	const char *setting;
	const char *text;
	const char *hint;
} Refusal;

/* clang-format off */
static const Refusal refusals[] = {
	/* names */
	{ "lake.flush.intervl.ms=1s", "unrecognized setting \"lake.flush.intervl.ms\" in --set",
	  "Perhaps you meant \"lake.flush.interval.ms\"." },
	{ "debezium.source.slot.nmae=x", "unrecognized setting \"debezium.source.slot.nmae\" in --set",
	  "Perhaps you meant \"debezium.source.slot.name\"." },
	{ "decimal_handling_mode=x", "unrecognized setting \"decimal_handling_mode\"",
	  "Perhaps you meant \"decimal.handling.mode\"." },
	{ "Database.Port=1", "unrecognized setting \"Database.Port\"", "\"database.port\"" },
	{ "entirely.different.thing=1", "unrecognized setting \"entirely.different.thing\"",
	  "\"cdc-sink help\" lists the settings." },
	{ "kafka.a b=1", "unrecognized setting \"kafka.a b\"", "" },
	{ "kafka.=1", "unrecognized setting \"kafka.\"", "" },
	{ "debezium.source.=1", "unrecognized setting \"debezium.source.\"", "" },
	{ "tab\there=1", "unrecognized setting \"tab?here\"", "" },
	/* values */
	{ "database.port=0",
	  "0 is outside the valid range for setting \"database.port\" (1 .. 65535) in --set", "" },
	{ "database.port=65536", "outside the valid range", "" },
	{ "database.port=5432s", "invalid value for setting \"database.port\" in --set: \"5432s\"",
	  "Give a whole number, 1 .. 65535." },
	{ "database.port=", "invalid value for setting \"database.port\"", "whole number" },
	{ "lake.flush.interval.ms=1ms",
	  "1ms is outside the valid range for setting \"lake.flush.interval.ms\" (10ms .. 1d)", "" },
	{ "lake.flush.interval.ms=soon", "invalid value for setting \"lake.flush.interval.ms\"",
	  "such as 10s" },
	{ "max.memory=much", "invalid value for setting \"max.memory\"", "such as 64MB" },
	{ "snapshot.mode=custom", "invalid value for setting \"snapshot.mode\" in --set: \"custom\"",
	  "Available values: initial, no_data, initial_only, when_needed, always." },
	{ "snapshot.mode=configuration_based", "\"configuration_based\"", "Available values: initial" },
	{ "snapshot.mode=", "invalid value for setting \"snapshot.mode\"", "" },
	{ "outputs=", "invalid value for setting \"outputs\"", "kafka, bronze, silver" },
	{ "outputs=kafka,", "invalid value for setting \"outputs\"", "" },
	{ "outputs=gold", "invalid value for setting \"outputs\" in --set: \"gold\"", "" },
	{ "kafka.exactly.once=maybe", "invalid value for setting \"kafka.exactly.once\"",
	  "Available values: true, false." },
	{ "database.sslmode=always", "invalid value for setting \"database.sslmode\"", "prefer" },
	{ "log.level=trace", "invalid value for setting \"log.level\"", "error, warning, info, debug" },
	{ "lake.append.only.tables=(", "invalid value for setting \"lake.append.only.tables\" in --set: ", "" },
	{ "table.include.list=(", "invalid setting \"table.include.list\" in --set: ", "" },
	{ "decimal.handling.mode=exact", "invalid setting \"decimal.handling.mode\" in --set: ",
	  "precise, double, string" },
	/* rules */
	{ "database.dbname=", "setting \"database.dbname\" is required",
	  "CDC_SINK_DATABASE_DBNAME" },
	{ "kafka.bootstrap.servers=",
	  "setting \"kafka.bootstrap.servers\" is required with the output \"kafka\"",
	  "CDC_SINK_KAFKA_BOOTSTRAP_SERVERS" },
	{ "outputs=bronze", "setting \"lake.warehouse\" is required", "file:///var/lib/cdc-sink" },
	{ "outputs=silver", "setting \"lake.warehouse\" is required", "CDC_SINK_LAKE_WAREHOUSE" },
	{ "outputs=silver", "setting \"lake.warehouse\" is required", "outputs=kafka for Kafka alone" },
	{ "lake.warehouse=/srv/lake", "invalid value for setting \"lake.warehouse\" in --set", "file:///" },
	{ "lake.warehouse=file://srv/lake", "invalid value for setting \"lake.warehouse\"", "" },
	{ "lake.warehouse=file:", "invalid value for setting \"lake.warehouse\"", "" },
	{ "lake.warehouse=s3://bucket/lake", "invalid value for setting \"lake.warehouse\"", "" },
	{ "lake.warehouse=file:///srv/../lake", "invalid value for setting \"lake.warehouse\"", "\"..\"" },
	{ "lake.warehouse=file:///srv/..", "invalid value for setting \"lake.warehouse\"", "" },
	{ "lake.warehouse=file:///srv/%41", "invalid value for setting \"lake.warehouse\"", "" },
	{ "lake.namespace=", "invalid value for setting \"lake.namespace\"", "" },
	{ "lake.namespace=a/b", "invalid value for setting \"lake.namespace\"", "" },
	{ "slot.name=Upper", "invalid value for setting \"slot.name\" in --set: \"Upper\"", "lower-case" },
	{ "slot.name=with-hyphen", "invalid value for setting \"slot.name\"", "" },
	{ "slot.name=a123456789b123456789c123456789d123456789e123456789f123456789g123",
	  "invalid value for setting \"slot.name\"", "1 to 63" },
	{ "topic.prefix=a b", "invalid value for setting \"topic.prefix\"", "" },
	{ "topic.prefix=..", "invalid value for setting \"topic.prefix\"", "" },
	{ "kafka.positions.topic=a/b", "invalid value for setting \"kafka.positions.topic\"", "" },
	{ "topic.creation.default.partitions=0",
	  "invalid value for setting \"topic.creation.default.partitions\"", "-1" },
	{ "topic.creation.default.replication.factor=0", "replication.factor", "-1" },
	{ "topic.creation.default.replication.factor=-2", "outside the valid range", "" },
	/* Debezium's */
	{ "plugin.name=pgoutput",
	  "property \"plugin.name\" in --set cannot be \"pgoutput\", only \"cdc_decoder\"",
	  "set it to cdc_decoder" },
	{ "debezium.source.plugin.name=decoderbufs", "cannot be \"decoderbufs\"", "cdc_decoder" },
	{ "connector.class=io.debezium.connector.mysql.MySqlConnector", "connector.class", "PostgreSQL" },
	{ "transforms=unwrap", "setting \"transforms.unwrap.type\" is required", "set its class" },
	{ "debezium.transforms=unwrap", "setting \"transforms.unwrap.type\" is required", "" },
	{ "transforms.unwrap.type=x", "is not of a transformation", "\"transforms\"" },
	{ "debezium.predicates.p.type=x", "is not of a predicate", "\"predicates\"" },
	{ "database.server.name=a", "database.server.name", "topic.prefix" },
	{ "table.whitelist=a", "table.whitelist", "table.include.list" },
	{ "signal.data.collection=public.s", "signal.data.collection", "" },
	{ "signal.enabled.channels=kafka", "cannot be \"kafka\", only \"source\"", "" },
	{ "value.converter=io.debezium.converters.CloudEventsConverter",
	  "\"value.converter\"", "AvroConverter" },
	{ "debezium.format.value=protobuf", "\"protobuf\"", "avro" },
	{ "value.converter.enhanced.avro.schema.support=true", "cannot be \"true\"", "" },
	{ "topic.creation.groups=a", "topic.creation.groups", "" },
	{ "topic.creation.a.partitions=3", "property \"topic.creation.a.partitions\"", "" },
	{ "debezium.sink.type=kinesis", "invalid value for setting \"outputs\" in --set: \"kinesis\"", "" },
	{ "snapshot.select.statement.overrides.public.users=SELECT 1",
	  "setting \"snapshot.select.statement.overrides.public.users\" has no effect", "Add public.users" },
	{ "snapshot.select.statement.overrides=public.users",
	  "setting \"snapshot.select.statement.overrides.public.users\" is required", "SELECT" },
	{ "snapshot.locking.mode=custom", "cannot be \"custom\"", "ACCESS SHARE" },
	{ "snapshot.query.mode=custom", "cannot be \"custom\", only \"select_all\"", "overrides" },
	{ "snapshot.include.collection.list=(", "\"snapshot.include.collection.list\" in --set: ", "" },
	{ "snapshot.delay.ms=-1", "outside the valid range", "" },
	{ "lsn.flush.mode=manual", "lsn.flush.mode", "confirms what is stored" },
	{ "offset.mismatch.strategy=trust_slot", "offset.mismatch.strategy", "stored position" },
};
/* clang-format on */

static void
test_refusals(void **state)
{
	World *world = *state;

	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
	{
		if (load_with(world, refusals[i].setting) != NULL)
			fail_msg("%s was accepted", refusals[i].setting);
		assert_int_equal(world->err.kind, ERR_CONFIG);
		assert_contains(world->err.text, refusals[i].text);
		assert_contains(world->err.hint, refusals[i].hint);
	}
}

static void
test_lists_exclude_each_other(void **state)
{
	static const char *const settings[] = { "table.exclude.list=b", NULL };
	World *world = *state;

	assert_null(load(world, MINIMUM "table.include.list=a\n", NULL, settings));
	assert_contains(world->err.text, "settings \"table.exclude.list\" in --set and");
	assert_contains(world->err.text, "\"table.include.list\" in file ");
	assert_contains(world->err.text, " line 4 exclude each other");
}

static void
test_place_in_file(void **state)
{
	World *world = *state;

	assert_null(
		load(world, "# one\n\ndatabase.dbname=a\\\n  b\nnonsense.x=1\n", NULL, NULL));
	assert_contains(world->err.text, "unrecognized setting \"nonsense.x\" in file ");
	assert_contains(world->err.text, " line 5");
	assert_contains(world->err.text, world->path);
	assert_null(load(world, MINIMUM "database.port=x\n", NULL, NULL));
	assert_contains(world->err.text, " line 4: \"x\"");
}

static void
test_missing_file(void **state)
{
	World *world = *state;
	ConfigInput input = { .file = world->path };

	(void) unlink(world->path);
	assert_null(config_load(world->arena, &input, &world->err));
	assert_int_equal(world->err.kind, ERR_CONFIG);
	assert_contains(world->err.text, "could not open file \"");
	assert_contains(world->err.text, "No such file");
	input.file = P_tmpdir;
	assert_null(config_load(world->arena, &input, &world->err));
	assert_contains(world->err.text, "could not read file");
}

static void
test_precedence(void **state)
{
	static const char *const settings[] = { "slot.name=from_set", NULL };
	char port[] = "CDC_SINK_DATABASE_PORT=3";
	char slot[] = "CDC_SINK_SLOT_NAME=from_env";
	char *environment[] = { slot, port, NULL };
	World *world = *state;
	Config *config = load(world,
	                      MINIMUM "slot.name=from_file\ndatabase.port=1\n"
	                              "database.user=a\ndatabase.user=b\n",
	                      environment,
	                      settings);

	assert_non_null(config);
	assert_string_equal(config->slot_name, "from_set");
	assert_int_equal(config->database_port, 3);
	assert_string_equal(config->database_user, "b");
}

/* What is overridden need not be valid; its name must be known all the same. */
static void
test_overridden_values_are_not_read(void **state)
{
	static const char *const settings[] = { "database.port=1", NULL };
	World *world = *state;

	assert_non_null(load(world, MINIMUM "database.port=oops\n", NULL, settings));
	assert_null(load(world, MINIMUM "databse.port=1\n", NULL, settings));
}

static void
test_debezium_server_file(void **state)
{
	Config *config =
		load_ok(*state,
	            "debezium.sink.type=kafka\n"
	            "debezium.sink.kafka.producer.bootstrap.servers=kafka:9092\n"
	            "debezium.sink.kafka.producer.key.serializer=x.StringSerializer\n"
	            "debezium.sink.kafka.producer.value.serializer=x.StringSerializer\n"
	            "debezium.sink.kafka.producer.linger.ms=7\n"
	            "debezium.source.connector.class="
	            "io.debezium.connector.postgresql.PostgresConnector\n"
	            "debezium.source.offset.storage.file.filename=data/offsets.dat\n"
	            "debezium.source.offset.flush.interval.ms=0\n"
	            "debezium.source.database.hostname=db\n"
	            "debezium.source.database.dbname=inventory\n"
	            "debezium.source.topic.prefix=tutorial\n"
	            "debezium.source.schema.include.list=inventory\n"
	            "debezium.source.heartbeat.interval.ms=0\n"
	            "debezium.format.key=json\n"
	            "debezium.format.value=json\n"
	            "debezium.format.schemas.enable=true\n"
	            "debezium.source.lake.namespace=n1\n"
	            "quarkus.log.console.json=false\n");

	assert_int_equal(config->outputs, OUTPUT_KAFKA);
	assert_int_equal(config->kafka_pair_count, 2);
	assert_string_equal(config->kafka_pairs[0].value, "kafka:9092");
	assert_string_equal(config->kafka_pairs[1].name, "linger.ms");
	assert_string_equal(config->database_hostname, "db");
	assert_string_equal(config->env.topic_prefix, "tutorial");
	assert_true(config->env.schemas_enable);
	assert_string_equal(config->lake_namespace, "n1");
}

/* A setting's own name wins over another spelling of it, wherever they stand. */
static void
test_alias_yields(void **state)
{
	World *world = *state;
	Config *config = load_ok(world,
	                         "outputs=kafka,bronze\ndebezium.sink.type=kafka\n"
	                         "lake.warehouse=file:///l\nkafka.bootstrap.servers=own\n"
	                         "debezium.sink.kafka.producer.bootstrap.servers=other\n"
	                         "database.dbname=a\n");

	assert_int_equal(config->outputs, OUTPUT_KAFKA | OUTPUT_BRONZE);
	assert_string_equal(config->kafka_pairs[0].value, "own");
}

static void
test_aliases_must_agree(void **state)
{
	World *world = *state;

	assert_non_null(load(world,
	                     MINIMUM "producer.override.linger.ms=7\n"
	                             "debezium.sink.kafka.producer.linger.ms=7\n",
	                     NULL,
	                     NULL));
	assert_null(load(world,
	                 MINIMUM "producer.override.linger.ms=7\n"
	                         "debezium.sink.kafka.producer.linger.ms=8\n",
	                 NULL,
	                 NULL));
	assert_contains(world->err.text, "\"producer.override.linger.ms\" in file ");
	assert_contains(world->err.text,
	                "\"debezium.sink.kafka.producer.linger.ms\" in file ");
	assert_string_equal(world->err.hint, "Set \"kafka.linger.ms\" instead.");
	assert_non_null(load(world,
	                     MINIMUM "producer.override.linger.ms=7\nkafka.linger.ms=9\n"
	                             "debezium.sink.kafka.producer.linger.ms=8\n",
	                     NULL,
	                     NULL));
}

/* A file says where its secrets are; what nobody reads need not be there. */
static void
test_expressions(void **state)
{
	char secret[] = "DB_PASSWORD=geheim";
	char *environment[] = { secret, NULL };
	World *world = *state;

	assert_non_null(load(world,
	                     MINIMUM "database.password=${DB_PASSWORD}\n"
	                             "quarkus.log.level=${ABSENT}\n"
	                             "database.user=${database.dbname}_role\n"
	                             "plugin.name=${PLUGIN:cdc_decoder}\n",
	                     environment,
	                     NULL));
	assert_string_equal(world->config->database_password, "geheim");
	assert_string_equal(world->config->database_user, "shop_role");
	assert_null(
		load(world, MINIMUM "database.password=${DB_PASWORD}\n", environment, NULL));
	assert_contains(world->err.text,
	                "could not expand the value of \"database.password\"");
	assert_contains(world->err.text, " line 4: \"DB_PASWORD\" is neither");
}

static void
test_environment(void **state)
{
	char dbname[] = "CDC_SINK_DATABASE_DBNAME=shop";
	char outputs[] = "CDC_SINK_OUTPUTS=kafka";
	char servers[] = "CDC_SINK_KAFKA_BOOTSTRAP_SERVERS=b:1";
	char once[] = "CDC_SINK_KAFKA_EXACTLY_ONCE=false";
	char policy[] = "CDC_SINK_TOPIC_CREATION_DEFAULT_CLEANUP_POLICY=delete";
	char list[] = "CDC_SINK_TABLE_INCLUDE_LIST=public\\.users";
	char service[] = "CDC_SINK_SERVICE_HOST=10.0.0.1";
	char port[] = "CDC_SINK_PORT_8080_TCP=tcp://10.0.0.1:8080";
	char other[] = "CDC_SINKING=1";
	char equals[] = "CDC_SINK_DATABASE_PASSWORD=a=b";
	char *environment[] = { dbname,  outputs, servers, once,   policy, list,
		                    service, port,    other,   equals, NULL };
	World *world = *state;
	Config *config = load(world, NULL, environment, NULL);

	assert_non_null(config);
	assert_string_equal(config->database_dbname, "shop");
	assert_string_equal(config->kafka_pairs[0].value, "b:1");
	assert_false(config->kafka_exactly_once);
	assert_string_equal(config->topic_pairs[0].name, "cleanup.policy");
	assert_true(filter_wants_table(&config->env, "public", "users"));
	assert_false(filter_wants_table(&config->env, "public", "orders"));
	assert_string_equal(config->database_password, "a=b");
}

static void
test_environment_errors(void **state)
{
	char wrong_name[] = "CDC_SINK_SLOT_NAM=x";
	char wrong_value[] = "CDC_SINK_DATABASE_PORT=x";
	char bare[] = "CDC_SINK_=x";
	char *environment[] = { wrong_name, NULL };
	World *world = *state;

	assert_null(load(world, MINIMUM, environment, NULL));
	assert_string_equal(world->err.text,
	                    "unrecognized environment variable \"CDC_SINK_SLOT_NAM\"");
	assert_string_equal(world->err.hint, "Perhaps you meant \"CDC_SINK_SLOT_NAME\".");
	environment[0] = wrong_value;
	assert_null(load(world, MINIMUM, environment, NULL));
	assert_contains(
		world->err.text,
		"\"database.port\" in environment variable \"CDC_SINK_DATABASE_PORT\"");
	environment[0] = bare;
	assert_null(load(world, MINIMUM, environment, NULL));
}

static void
test_secret_from_file(void **state)
{
	World *world = *state;
	char secret[] = P_tmpdir "/secret-XXXXXX";
	int fd = mkstemp(secret);
	char *password = NULL;
	char *kafka = NULL;
	char *environment[] = { NULL, NULL, NULL };

	assert_true(fd >= 0);
	(void) close(fd);
	assert_true(asprintf(&password, "CDC_SINK_DATABASE_PASSWORD_FILE=%s", secret) > 0);
	assert_true(asprintf(&kafka, "CDC_SINK_KAFKA_SASL_PASSWORD_FILE=%s", secret) > 0);
	environment[0] = password;
	environment[1] = kafka;
	write_bytes(secret, " s3cret \r\n", 10);
	assert_non_null(load(world, MINIMUM, environment, NULL));
	assert_string_equal(world->config->database_password, " s3cret ");
	assert_string_equal(world->config->kafka_pairs[1].name, "sasl.password");
	assert_string_equal(world->config->kafka_pairs[1].value, " s3cret ");
	write_bytes(secret, "a\0b", 3);
	assert_null(load(world, MINIMUM, environment, NULL));
	assert_contains(world->err.text, "holds a null character");
	(void) unlink(secret);
	assert_null(load(world, MINIMUM, environment, NULL));
	assert_contains(world->err.text, "CDC_SINK_DATABASE_PASSWORD_FILE");
	assert_contains(world->err.text, "could not open file");
	free(password);
	free(kafka);
}

static void
test_set_needs_a_value(void **state)
{
	World *world = *state;

	assert_null(load_with(world, "database.password:geheim"));
	assert_contains(world->err.text, "begins with \"database.password\" is not");
	assert_null(strstr(world->err.text, "geheim"));
	assert_null(load_with(world, "=x"));
	assert_null(load_with(world, ""));
}

/* No message and no print shows a secret. */
static void
test_secrets_stay_secret(void **state)
{
	static const char *const settings[] = {
		"database.password=geheim1",
		"kafka.sasl.password=geheim2",
		"kafka.ssl.key.pem=geheim3",
		"kafka.sasl.oauthbearer.client.secret=geheim4",
		"kafka.sasl.jaas.config=geheim5",
		"column.mask.hash.v2.MD5.with.salt.geheim6=a.b.c",
		"column.mask.with.5.chars=a.b.d",
		NULL,
	};
	World *world = *state;
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(load(world, MINIMUM, NULL, settings));
	config_print(world->config, to);
	assert_int_equal(fclose(to), 0);
	assert_null(strstr(text, "geheim"));
	assert_contains(text, "\ndatabase.password=***\n");
	assert_contains(text, "\nkafka.sasl.password=***\n");
	assert_contains(text, "column.mask.hash.v2.MD5.with.salt.***=a.b.c\n");
	assert_contains(text, "column.mask.with.5.chars=a.b.d\n");
	assert_contains(text, "\nkafka.bootstrap.servers=b:9092\n");
	free(text);
}

/* What is printed can be read again, and says the same. */
static void
test_print_round_trip(void **state)
{
	static const char *const settings[] = {
		"database.hostname=\\a:b=c#!\t\xc3\xa9",
		"table.include.list=public\\.(users|orders)",
		"kafka.client.id= x",
		"unavailable.value.placeholder=line\nline",
		"database.user=\\${not.an.expression}${either}",
		NULL,
	};
	World *world = *state;
	char *first = NULL;
	char *second = NULL;
	size_t len;
	FILE *to = open_memstream(&first, &len);

	assert_non_null(load(world, MINIMUM, NULL, settings));
	config_print(world->config, to);
	assert_int_equal(fclose(to), 0);
	assert_non_null(load_ok(world, first));
	to = open_memstream(&second, &len);
	config_print(world->config, to);
	assert_int_equal(fclose(to), 0);
	assert_string_equal(first, second);
	assert_string_equal(world->config->database_hostname, "\\a:b=c#!\t\xc3\xa9");
	assert_string_equal(world->config->env.unavailable_value_placeholder, "line\nline");
	free(first);
	free(second);
}

/* The sample loads once its commented defaults are uncommented. */
static void
test_sample(void **state)
{
	static const char *const settings[] = {
		"database.dbname=shop",
		"lake.warehouse=file:///srv/lake",
		NULL,
	};
	World *world = *state;
	char *sample = NULL;
	char *active;
	size_t len;
	FILE *to = open_memstream(&sample, &len);

	config_print_sample(to);
	assert_int_equal(fclose(to), 0);
	assert_null(load(world, sample, NULL, NULL));
	assert_contains(world->err.text, "\"database.dbname\" is required");
	active = arena_strdup(world->arena, sample);
	for (char *p = active; *p != '\0'; p++)
		if (*p == '#' && p[1] != ' ' && p[1] != '\n')
			*p = ' ';
	assert_non_null(load(world, active, NULL, settings));
	assert_int_equal(world->config->max_memory, 256 << 20);
	free(sample);
}

static void
test_reference(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	(void) state;
	config_print_reference(to);
	config_print_debezium(to);
	config_print_help(to);
	assert_int_equal(fclose(to), 0);
	assert_contains(
		text, "\n| `database.port` | `5432` | 1 .. 65535 | Port of the server. |\n");
	assert_contains(text, "\n| `database.dbname` | required |");
	assert_contains(text, "\n| `table.include.list` |");
	assert_contains(text, "\n| `kafka.*` |");
	assert_contains(text, "\n| `tasks.max` | ignored |  | one worker reads one slot |\n");
	assert_contains(text, "\n| `plugin.name` | accepted as | `cdc_decoder` |");
	assert_contains(text, "\n  max.memory (256MB)\n");
	free(text);
}

/* Rows are sorted, documented, and no name has two meanings. */
static void
test_tables(void **state)
{
	size_t count;
	const Setting *settings = setting_table(&count);
	const Foreign *foreign;

	(void) state;
	for (size_t i = 0; i < count; i++)
	{
		if (i > 0 && strcmp(settings[i - 1].name, settings[i].name) >= 0)
			fail_msg("%s is not in its place", settings[i].name);
		if (settings[i].doc[strlen(settings[i].doc) - 1] != '.')
			fail_msg("%s has no sentence", settings[i].name);
		assert_null(env_option_find(settings[i].name));
		assert_null(foreign_find(settings[i].name));
	}
	foreign = foreign_table(&count);
	for (size_t i = 0; i < count; i++)
	{
		if (i > 0 && strcmp(foreign[i - 1].name, foreign[i].name) >= 0)
			fail_msg("%s is not in its place", foreign[i].name);
		assert_non_null(foreign[i].note);
		if (env_option_find(foreign[i].name) != NULL)
			fail_msg("%s is an option now: its foreign row must go", foreign[i].name);
		assert_int_equal(foreign[i].target != NULL,
		                 foreign[i].rule == FOREIGN_ALIAS ||
		                     foreign[i].rule == FOREIGN_FIXED);
		if (foreign[i].rule == FOREIGN_ALIAS && strchr(foreign[i].target, '*') == NULL)
			assert_true(setting_find(foreign[i].target) != NULL ||
			            env_option_find(foreign[i].target) != NULL);
		if (foreign[i].rule == FOREIGN_REFUSED || foreign[i].rule == FOREIGN_FIXED)
			assert_int_equal(foreign[i].note[strlen(foreign[i].note) - 1], '.');
	}
}

/* Every row of the foreign table answers as it says. */
static void
test_foreign_rows(void **state)
{
	World *world = *state;
	size_t count;
	const Foreign *foreign = foreign_table(&count);

	for (size_t i = 0; i < count; i++)
	{
		bool is_accepted = foreign[i].rule == FOREIGN_IGNORED;
		const char *value = "x";
		char *name = arena_strdup(world->arena, foreign[i].name);
		size_t len = strlen(name);

		if (name[len - 1] == '*')
			name[len - 1] = 'x';
		if (foreign[i].rule == FOREIGN_ALIAS)
			continue;
		if (foreign[i].rule == FOREIGN_FIXED)
		{
			size_t word = strcspn(foreign[i].target, ",");

			value = arena_strndup(world->arena, foreign[i].target, word);
			is_accepted = true;
		}
		if ((load_with(world, arena_printf(world->arena, "%s=%s", name, value)) !=
		     NULL) != is_accepted)
			fail_msg("%s=%s: %s", name, value, world->err.text);
	}
}

static void
test_long_values_are_cut(void **state)
{
	World *world = *state;
	char *setting = arena_alloc(world->arena, 2000);

	memset(setting, 'a', 1999);
	setting[1999] = '\0';
	memcpy(setting, "slot.name=", 10);
	assert_null(load_with(world, setting));
	assert_contains(world->err.text, "aaaa...\"");
	assert_true(strlen(world->err.text) < 200);
	memset(setting, 'a', 1999);
	setting[1990] = '=';
	assert_null(load_with(world, setting));
	assert_contains(world->err.text, "aaaa...\"");
}

static void
test_many_settings(void **state)
{
	World *world = *state;
	Buf text = buf_heap();

	buf_text(&text, MINIMUM);
	for (int i = 0; i < 20000; i++)
		buf_printf(&text, "kafka.x%d=%d\n", i % 5000, i);
	assert_non_null(load(world, buf_cstr(&text), NULL, NULL));
	assert_int_equal(world->config->kafka_pair_count, 5001);
	assert_string_equal(world->config->kafka_pairs[1].value, "15000");
	buf_free(&text);
}

/* Garbage is answered, whatever it is. */
static void
test_garbage(void **state)
{
	static const char alphabet[] =
		"ab.=:\\\n\r\t #!u0{}\"[],*\xc3\xa9\xf0\x00-9kafkslot.name";
	World *world = *state;
	uint32_t seed = 1;
	char text[200];

	for (int i = 0; i < 3000; i++)
	{
		ConfigInput input = { .file = world->path };
		size_t len = (size_t) (i % 200);

		for (size_t j = 0; j < len; j++)
		{
			seed = seed * 1664525 + 1013904223;
			text[j] = alphabet[(seed >> 8) % (sizeof alphabet - 1)];
		}
		if (i % 3 == 0 && len > 0)
			text[0] = '{';
		write_bytes(world->path, text, len);
		memset(&world->err, 0, sizeof world->err);
		assert_null(config_load(world->arena, &input, &world->err));
		assert_int_equal(world->err.kind, ERR_CONFIG);
		assert_true(world->err.text[0] != '\0');
		if (i % 100 == 0)
			arena_reset(world->arena);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_defaults),
		TEST(test_default_outputs),
		TEST(test_values),
		TEST(test_bootstrap_servers_come_first),
		TEST(test_numbers),
		TEST(test_milliseconds),
		TEST(test_refusals),
		TEST(test_lists_exclude_each_other),
		TEST(test_place_in_file),
		TEST(test_missing_file),
		TEST(test_precedence),
		TEST(test_overridden_values_are_not_read),
		TEST(test_debezium_server_file),
		TEST(test_alias_yields),
		TEST(test_aliases_must_agree),
		TEST(test_expressions),
		TEST(test_environment),
		TEST(test_environment_errors),
		TEST(test_secret_from_file),
		TEST(test_set_needs_a_value),
		TEST(test_secrets_stay_secret),
		TEST(test_print_round_trip),
		TEST(test_sample),
		TEST(test_reference),
		TEST(test_tables),
		TEST(test_foreign_rows),
		TEST(test_long_values_are_cut),
		TEST(test_many_settings),
		TEST(test_garbage),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
