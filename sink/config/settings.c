/*
 * settings.c
 *		the settings of the worker, and how one of them is read.
 *
 * Adding a setting is a row here and a field in Config; the parser, --help,
 * `cdc-sink config` and the tables of README follow.  Defaults are text and go
 * through the same parser as what a user writes, so a bad default fails the first
 * test.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "config/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"

#define AT(member) offsetof(Config, member)
#define KB         INT64_C(1024)
#define MB         (KB * KB)
#define TB         (MB * MB)
#define SECOND     INT64_C(1000)
#define HOUR       (3600 * SECOND)

/* Words are stored as their index, or the bit of that index. */
_Static_assert(SNAPSHOT_INITIAL == 0 && SNAPSHOT_NO_DATA == 1 &&
                   SNAPSHOT_INITIAL_ONLY == 2 && SNAPSHOT_WHEN_NEEDED == 3 &&
                   SNAPSHOT_ALWAYS == 4,
               "snapshot.mode");
_Static_assert(ORDER_BY_NAME == 0 && ORDER_SMALLEST_FIRST == 1 &&
                   ORDER_LARGEST_FIRST == 2,
               "snapshot.tables.order.by.row.count");
_Static_assert(PUBLICATION_DISABLED == 1 && PUBLICATION_NO_TABLES == 3, "publication");
_Static_assert(HEADER_SIMPLE == 0 && HEADER_JSON == 1, "header.converter");
_Static_assert(INCOMPATIBLE_STOP == 0 && INCOMPATIBLE_NEW_COLUMN == 1, "incompatible");
_Static_assert(DROPPED_KEEP == 0 && DROPPED_READ == 1, "dropped");
_Static_assert(RECREATED_STOP == 0 && RECREATED_BY_NAME == 1, "recreated");
_Static_assert(STALE_READ == 0 && STALE_WAIT == 1, "stale");
_Static_assert(NUMERIC_DEFAULT_DECIMAL == 0 && NUMERIC_DEFAULT_STRING == 1, "numeric");
_Static_assert(OUTPUT_KAFKA == 1 && OUTPUT_BRONZE == 2 && OUTPUT_SILVER == 4, "outputs");
_Static_assert(LOG_ERROR == 0 && LOG_WARNING == 1 && LOG_INFO == 2 && LOG_DEBUG == 3,
               "log.level");

_Static_assert(CONVERTER_JSON == 0 && CONVERTER_AVRO == 1 && CONVERTER_STRING == 2 &&
                   CONVERTER_BYTES == 3 && CONVERTER_COUNT == 4,
               "converter");
_Static_assert(CONVERTER_INHERIT == 0 && CONVERTER_TRUE == 1 && CONVERTER_FALSE == 2,
               "converter flag");
_Static_assert(REGISTRY_AUTH_URL == 0 && REGISTRY_AUTH_USER_INFO == 1, "auth");
_Static_assert(SUBJECT_TOPIC == 0 && SUBJECT_RECORD == 1 && SUBJECT_TOPIC_RECORD == 2,
               "subject.name.strategy");

/* clang-format off */
#define CONVERTER_CLASSES \
	"org.apache.kafka.connect.json.JsonConverter, io.confluent.connect.avro.AvroConverter, " \
	"org.apache.kafka.connect.storage.StringConverter, " \
	"org.apache.kafka.connect.converters.ByteArrayConverter, json, avro, simplestring, binary"
#define STRATEGY(name) "io.confluent.kafka.serializers.subject." name "NameStrategy"
#define STRATEGIES     STRATEGY("Topic") ", " STRATEGY("Record") ", " STRATEGY("TopicRecord")

/* The rows of key.converter and value.converter up to and after the one between. */
#define CONVERTER_ROWS_1(of, what) \
	{ of ".converter", SETTING_WORD, 0, AT(what##_converter.class_word), \
	  "org.apache.kafka.connect.json.JsonConverter", CONVERTER_CLASSES, 0, 0, \
	  "What makes bytes of " of "s: Kafka Connect's converter of that name, or Debezium Server's word for it." }, \
	{ of ".converter.auto.register.schemas", SETTING_FLAG, 0, AT(what##_converter.registry_auto_register), \
	  "true", "", 0, 0, "Whether Avro schemas of " of "s are registered, or must be registered already." }, \
	{ of ".converter.basic.auth.credentials.source", SETTING_WORD, 0, AT(what##_converter.registry_auth), \
	  "URL", "URL, USER_INFO", 0, 0, "Where user and password for the schema registry are." }, \
	{ of ".converter.basic.auth.user.info", SETTING_TEXT, SETTING_SECRET, AT(what##_converter.registry_user_info), \
	  "", "user:password", 0, 0, "User and password for the schema registry, with USER_INFO." }, \
	{ of ".converter.bearer.auth.token", SETTING_TEXT, SETTING_SECRET, AT(what##_converter.registry_token), \
	  "", "", 0, 0, "Bearer token for the schema registry." }, \
	{ of ".converter.ignore.default.for.nullables", SETTING_FLAG, 0, AT(what##_converter.ignore_default_for_nullables), \
	  "false", "", 0, 0, "Whether nulls in Avro " of "s stay nulls where the column has a default." },
#define SUBJECT_ROW(of, what) \
	{ of ".converter." of ".subject.name.strategy", SETTING_WORD, 0, AT(what##_converter.registry_subject), \
	  STRATEGY("Topic"), STRATEGIES, 0, 0, "Subject under which the Avro schemas of " of "s are registered." },
#define CONVERTER_ROWS_2(of, what) \
	{ of ".converter.normalize.schemas", SETTING_FLAG, 0, AT(what##_converter.registry_normalize), \
	  "false", "", 0, 0, "Whether the schema registry normalizes Avro schemas of " of "s." }, \
	{ of ".converter.replace.null.with.default", SETTING_WORD, 0, AT(what##_converter.replace_null_with_default), \
	  "inherit", "inherit, true, false", 0, 0, \
	  "Whether nulls in JSON " of "s become the column's default; inherit is replace.null.with.default." }, \
	{ of ".converter.schema.registry.ssl.key.password", SETTING_TEXT, SETTING_SECRET, AT(what##_converter.registry_key_password), \
	  "", "", 0, 0, "Passphrase of the private key in schema.registry.ssl.keystore.location." }, \
	{ of ".converter.schema.registry.ssl.keystore.location", SETTING_TEXT, 0, AT(what##_converter.registry_cert_file), \
	  "", "file", 0, 0, "Client certificate and private key for the schema registry, in PEM." }, \
	{ of ".converter.schema.registry.ssl.truststore.location", SETTING_TEXT, 0, AT(what##_converter.registry_ca_file), \
	  "", "file", 0, 0, "Certificates, in PEM, of the authorities to trust for the schema registry." }, \
	{ of ".converter.schema.registry.url", SETTING_TEXT, 0, AT(what##_converter.registry_url), \
	  "", "URLs, separated by commas", 0, 0, \
	  "Schema registry with Confluent's API for Avro " of "s; of several the next one is asked when one does not answer." }, \
	{ of ".converter.schemas.enable", SETTING_WORD, 0, AT(what##_converter.schemas_enable), \
	  "inherit", "inherit, true, false", 0, 0, \
	  "Whether JSON " of "s carry their schema; inherit is schemas.enable." },

static const Setting settings[] = {
	{ "database.dbname", SETTING_TEXT, SETTING_REQUIRED, AT(database_dbname),
	  "", "", 0, 0, "Database to capture." },
	{ "database.hostname", SETTING_TEXT, 0, AT(database_hostname),
	  "localhost", "host name, address or socket directory", 0, 0,
	  "Where the server listens." },
	{ "database.initial.statements", SETTING_TEXT, 0, AT(database_initial_statements),
	  "", "SQL, statements separated by semicolons, ;; for one inside", 0, 0,
	  "Statements that each SQL session starts with; they cannot change what the worker pins." },
	{ "database.password", SETTING_TEXT, SETTING_SECRET, AT(database_password),
	  "", "", 0, 0, "Password of database.user." },
	{ "database.port", SETTING_INT, 0, AT(database_port),
	  "5432", "", 1, 65535, "Port of the server." },
	{ "database.query.timeout.ms", SETTING_MS, 0, AT(database_query_timeout_ms),
	  "10min", "", 0, 24 * HOUR,
	  "Longest time of a query of the catalog or of heartbeat.action.query, not of reading tables; 0 is without limit." },
	{ "database.sslcert", SETTING_TEXT, 0, AT(database_sslcert),
	  "", "file", 0, 0, "Client certificate." },
	{ "database.sslkey", SETTING_TEXT, 0, AT(database_sslkey),
	  "", "file", 0, 0, "Private key of the client certificate." },
	{ "database.sslmode", SETTING_CHOICE, 0, AT(database_sslmode),
	  "prefer", "disable, allow, prefer, require, verify-ca, verify-full", 0, 0,
	  "How much TLS the connection must have, as libpq's sslmode." },
	{ "database.sslpassword", SETTING_TEXT, SETTING_SECRET, AT(database_sslpassword),
	  "", "", 0, 0, "Passphrase of the private key, a PEM file." },
	{ "database.sslrootcert", SETTING_TEXT, 0, AT(database_sslrootcert),
	  "", "file", 0, 0, "Certificates of the authorities to trust." },
	{ "database.tcpKeepAlive", SETTING_FLAG, 0, AT(database_tcp_keepalive),
	  "true", "", 0, 0, "Whether TCP looks after connections that are silent." },
	{ "database.user", SETTING_TEXT, 0, AT(database_user),
	  "postgres", "", 0, 0, "Role to connect as; it needs REPLICATION and SELECT." },
	{ "errors.max.retries", SETTING_INT, 0, AT(retries),
	  "-1", "", -1, INT32_MAX,
	  "How often in a row to retry after a transient error before giving up; -1 is without limit." },
	{ "errors.retry.delay.max.ms", SETTING_MS, 0, AT(retry_max_ms),
	  "10s", "", 1, HOUR, "Longest pause between two retries." },
	{ "header.converter", SETTING_WORD, 0, AT(header_converter),
	  "org.apache.kafka.connect.storage.SimpleHeaderConverter",
	  "org.apache.kafka.connect.storage.SimpleHeaderConverter, org.apache.kafka.connect.json.JsonConverter", 0, 0,
	  "How the headers that Debezium adds to records are written." },
	{ "header.converter.schemas.enable", SETTING_FLAG, 0, AT(header_schemas_enable),
	  "true", "", 0, 0,
	  "Whether headers written by JsonConverter carry their schema." },
	{ "heartbeat.action.query", SETTING_TEXT, 0, AT(heartbeat_action_query),
	  "", "SQL", 0, 0, "Statement that is run with each heartbeat, in a session of its own." },
	{ "heartbeat.interval.ms", SETTING_MS, 0, AT(heartbeat_interval_ms),
	  "0", "", 0, 24 * HOUR,
	  "Time between two records to the heartbeat topic; 0 is without them." },
	{ "kafka.commit.interval.ms", SETTING_MS, 0, AT(kafka_commit_interval_ms),
	  "100", "", 1, 60 * SECOND,
	  "Longest time that small source transactions are gathered into one Kafka transaction." },
	{ "kafka.exactly.once", SETTING_FLAG, 0, AT(kafka_exactly_once),
	  "true", "", 0, 0,
	  "Whether events and position are written in Kafka transactions." },
	{ "kafka.positions.topic", SETTING_TEXT, 0, AT(kafka_positions_topic),
	  "__cdc_sink_positions", "topic name", 0, 0,
	  "Compacted topic that holds the position of each slot." },
	CONVERTER_ROWS_1("key", key)
	SUBJECT_ROW("key", key)
	CONVERTER_ROWS_2("key", key)
	{ "lake.append.only.tables", SETTING_LIST, 0, AT(lake_append_tables),
	  "", "regular expressions, separated by commas", 0, 0,
	  "Tables that silver appends to without a key, matched whole and without case against schema.table." },
	{ "lake.checkpoints.keep", SETTING_INT, 0, AT(lake_checkpoints_keep),
	  "100", "", 1, 1000000, "How many published cuts cdc_checkpoints holds." },
	{ "lake.flush.bytes", SETTING_BYTES, 0, AT(lake_flush_bytes),
	  "64MB", "", MB, TB,
	  "A cut is made before its time when this much is buffered; by default a sixteenth of the memory limit of the container at most." },
	{ "lake.flush.interval.ms", SETTING_MS, 0, AT(lake_flush_interval_ms),
	  "10s", "", 10, 24 * HOUR, "Time between two cuts of the lake." },
	{ "lake.namespace", SETTING_TEXT, 0, AT(lake_namespace),
	  "cdc", "letters, digits, _ and -", 0, 0,
	  "Namespace of the tables, a directory below the warehouse." },
	{ "lake.numeric.default", SETTING_WORD, 0, AT(lake_numeric_default),
	  "decimal", "decimal, string", 0, 0,
	  "What a numeric without precision becomes: decimal(38,18), or a string." },
	{ "lake.on.incompatible", SETTING_WORD, 0, AT(lake_on_incompatible),
	  "stop", "stop, new_column", 0, 0,
	  "What to do when a column's new type cannot hold in the old column: stop, or continue in a new one." },
	{ "lake.on.partition.dropped", SETTING_WORD, 0, AT(lake_on_dropped),
	  "keep", "keep, read", 0, 0,
	  "What to do when a partition was dropped: let silver keep its rows until the table is read for another reason, or read the table again, so that they go at once." },
	{ "lake.on.recreated", SETTING_WORD, 0, AT(lake_on_recreated),
	  "stop", "stop, by_name", 0, 0,
	  "What to do when a table was dropped and created again: stop, or match its columns by name." },
	{ "lake.on.stale", SETTING_WORD, 0, AT(lake_on_stale),
	  "read", "read, wait", 0, 0,
	  "What to do when silver is not what its source has, and reading the table mends that: read it, or leave it stale until \"cdc-sink snapshot\" asks." },
	{ "lake.orphans.age.ms", SETTING_MS, 0, AT(lake_orphans_age_ms),
	  "0", "", 0, 3650 * 24 * HOUR,
	  "Files of its own making that no snapshot has, left by a kill, the worker removes after a start when they are older." },
	{ "lake.partitions.check.interval.ms", SETTING_MS, 0, AT(lake_partitions_interval_ms),
	  "10s", "", 0, 24 * HOUR,
	  "How often the catalog is asked, for silver, for what the stream tells with a table's next change only: ATTACH and DETACH of partitions, renames, tables made again; 0 is never." },
	{ "lake.snapshots.age.ms", SETTING_MS, 0, AT(lake_snapshots_age_ms),
	  "6h", "", 1000, 3650 * 24 * HOUR,
	  "Snapshots of a table that are older expire, but for those of the cuts in cdc_checkpoints." },
	{ "lake.snapshots.keep", SETTING_INT, 0, AT(lake_snapshots_keep),
	  "200", "", 2, 1000000,
	  "How many snapshots a table has at most, but for those of the cuts in cdc_checkpoints." },
	{ "lake.warehouse", SETTING_TEXT, 0, AT(lake_warehouse),
	  "", "file:///directory", 0, 0,
	  "Where the lake is; required with the outputs bronze and silver." },
	{ "log.level", SETTING_WORD, 0, AT(log_level),
	  "info", "error, warning, info, debug", 0, 0,
	  "Least severe messages that are logged." },
	{ "max.memory", SETTING_BYTES, 0, AT(max_memory),
	  "256MB", "", 16 * MB, TB,
	  "Memory for events on their way; beyond it reading pauses. By default a quarter of the memory limit of the container at most." },
	{ "outputs", SETTING_WORDS, 0, AT(outputs),
	  "bronze,silver", "kafka, bronze, silver", 0, 0, "Where changes go; any of these." },
	{ "predicates", SETTING_TEXT, 0, AT(predicates),
	  "", "aliases, separated by commas", 0, 0, "Conditions that transformations refer to." },
	{ "publication.autocreate.mode", SETTING_WORD, 0, AT(publication_mode),
	  "all_tables", "all_tables, disabled, filtered, no_tables", 0, 0,
	  "The worker needs no publication and makes none; with disabled or no_tables, what publication.name has is what streams." },
	{ "publication.name", SETTING_TEXT, 0, AT(publication_name),
	  "dbz_publication", "", 0, 0, "Publication that limits what streams with publication.autocreate.mode disabled or no_tables, as it is at the start." },
	{ "replica.identity.autoset.values", SETTING_TEXT, 0, AT(replica_identity_autoset),
	  "", "schema.table:identity, separated by commas, the tables by regular expression", 0, 0,
	  "Replica identities that captured tables are given at the start: DEFAULT, FULL, NOTHING, INDEX and its name." },
	{ "slot.drop.on.stop", SETTING_FLAG, 0, AT(slot_drop_on_stop),
	  "false", "", 0, 0,
	  "Whether a worker that is asked to stop drops its slot and forgets its position; the next start is the first again." },
	{ "slot.failover", SETTING_FLAG, 0, AT(slot_failover),
	  "false", "", 0, 0,
	  "Whether the slot is created to be synchronized to standbys, on PostgreSQL 17 and newer." },
	{ "slot.max.retries", SETTING_INT, 0, AT(slot_retries),
	  "6", "", 0, INT32_MAX,
	  "How often to wait for slot.retry.delay.ms, in all, while another worker streams from the slot." },
	{ "slot.name", SETTING_TEXT, 0, AT(slot_name),
	  "cdc_sink", "1 to 63 of a-z, 0-9 and _", 0, 0,
	  "Replication slot; created when absent." },
	{ "slot.retry.delay.ms", SETTING_MS, 0, AT(slot_retry_delay_ms),
	  "10s", "", 1, HOUR, "See slot.max.retries." },
	{ "snapshot.delay.ms", SETTING_MS, 0, AT(snapshot_delay_ms),
	  "0", "", 0, 24 * HOUR, "How long to wait before a snapshot begins." },
	{ "snapshot.hold.ms", SETTING_MS, 0, AT(snapshot_hold_ms),
	  "10s", "", 0, 24 * HOUR,
	  "How long the stream waits at a time while a table is read in its middle that no output has whole: then changes are let through, and the table is gone on with. 0: until it has been read." },
	{ "snapshot.include.collection.list", SETTING_LIST, 0, AT(snapshot_tables),
	  "", "regular expressions, separated by commas", 0, 0,
	  "Captured tables whose rows a snapshot reads, matched whole and without case against schema.table; empty is all." },
	{ "snapshot.max.threads", SETTING_INT, 0, AT(snapshot_max_threads),
	  "2", "", 1, 64, "Connections that read the initial snapshot." },
	{ "snapshot.mode", SETTING_WORD, 0, AT(snapshot_mode),
	  "initial", "initial, no_data, initial_only, when_needed, always", 0, 0,
	  "When the rows that exist are read: where no position is stored, never, once and nothing is streamed after it, also where the stored position is of no use any more, or at every start." },
	{ "snapshot.select.statement.overrides", SETTING_TEXT, 0, AT(snapshot_overrides),
	  "", "schema.table, separated by commas", 0, 0,
	  "Tables that a snapshot reads by a SELECT of yours, which must return every captured column." },
	{ "snapshot.tables.order.by.row.count", SETTING_WORD, 0, AT(snapshot_order),
	  "disabled", "disabled, ascending, descending", 0, 0,
	  "Whether a snapshot reads small or large tables first, by the planner's estimate, and not in the order of table.include.list and of names." },
	{ "status.address", SETTING_TEXT, 0, AT(status_address),
	  "127.0.0.1", "numeric address", 0, 0,
	  "Where run serves /health, /metrics and /status over HTTP; 0.0.0.0 is all of the host." },
	{ "status.port", SETTING_INT, 0, AT(status_port),
	  "0", "", 0, 65535, "Port of the status server; 0 is none." },
	{ "status.update.interval.ms", SETTING_MS, 0, AT(status_update_interval_ms),
	  "10s", "", 100, HOUR, "Longest time between two confirmations to the server; a third of its wal_sender_timeout when that is shorter." },
	{ "streaming.delay.ms", SETTING_MS, 0, AT(streaming_delay_ms),
	  "0", "", 0, 24 * HOUR, "How long to wait between a snapshot and streaming." },
	{ "topic.creation.default.partitions", SETTING_INT, 0, AT(topic_partitions),
	  "1", "", -1, 1000000, "Partitions of a topic that the worker creates; -1 is the broker's default." },
	{ "topic.creation.default.replication.factor", SETTING_INT, 0, AT(topic_replication_factor),
	  "1", "", -1, INT16_MAX,
	  "Replicas of a topic that the worker creates; -1 is the broker's default." },
	{ "topic.heartbeat.name", SETTING_TEXT, 0, AT(topic_heartbeat_name),
	  "", "topic name", 0, 0, "Topic of heartbeats, instead of the one made of prefixes." },
	{ "topic.heartbeat.prefix", SETTING_TEXT, 0, AT(topic_heartbeat_prefix),
	  "__debezium-heartbeat", "text", 0, 0,
	  "What stands before topic.prefix in the topic of heartbeats." },
	{ "transforms", SETTING_TEXT, 0, AT(transforms),
	  "", "aliases, separated by commas", 0, 0,
	  "Transformations of the Kafka records, in order." },
	CONVERTER_ROWS_1("value", value)
	CONVERTER_ROWS_2("value", value)
	SUBJECT_ROW("value", value)
};

static const PairSetting pairs[] = {
	{ "kafka.", AT(kafka_pairs), AT(kafka_pair_count), "as librdkafka's property",
	  "Any other name below kafka. goes to librdkafka as it is; kafka.bootstrap.servers is required with the output kafka." },
	{ "predicates.", AT(predicate_pairs), AT(predicate_pair_count), "predicates.ALIAS.OPTION",
	  "Class (type) and options of a predicate; see cdc-sink config --transforms." },
	{ "snapshot.select.statement.overrides.", AT(override_pairs), AT(override_pair_count), "a SELECT",
	  "The SELECT of the table schema.table that snapshot.select.statement.overrides names; its order is kept." },
	{ "topic.creation.default.", AT(topic_pairs), AT(topic_pair_count), "as the topic configuration",
	  "Any other name is a configuration of the topics that the worker creates, such as cleanup.policy." },
	{ "transforms.", AT(transform_pairs), AT(transform_pair_count), "transforms.ALIAS.OPTION",
	  "Class (type), predicate, negate and options of a transformation; see cdc-sink config --transforms." },
};

typedef struct Unit
{
	SettingKind kind;
	const char *name;
	int64_t factor;
} Unit;

/* Largest first within a kind: setting_number prints with the first that divides. */
static const Unit units[] = {
	{ SETTING_BYTES, "TB",  TB },
	{ SETTING_BYTES, "GB",  KB * MB },
	{ SETTING_BYTES, "MB",  MB },
	{ SETTING_BYTES, "kB",  KB },
	{ SETTING_BYTES, "B",   1 },
	{ SETTING_MS,    "d",   24 * HOUR },
	{ SETTING_MS,    "h",   HOUR },
	{ SETTING_MS,    "min", 60 * SECOND },
	{ SETTING_MS,    "s",   SECOND },
	{ SETTING_MS,    "ms",  1 },
};

/* A name with one of these in it holds a credential, ours or librdkafka's. */
static const char *const secret_parts[] = {
	"jaas", "key.pem", "oauthbearer.config", "password", "secret", "token",
};
/* clang-format on */

/* What a property that is handed on may be called. */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

#define COUNT(array)  (sizeof(array) / sizeof *(array))
#define SETTING_COUNT COUNT(settings)

const Setting *
setting_table(size_t *count)
{
	*count = SETTING_COUNT;
	return settings;
}

const PairSetting *
pair_table(size_t *count)
{
	*count = COUNT(pairs);
	return pairs;
}

const Setting *
setting_find(const char *name)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	return NULL;
}

const PairSetting *
pair_find(const char *name)
{
	if (name[strspn(name, NAME_LETTERS)] != '\0')
		return NULL;
	for (size_t i = 0; i < COUNT(pairs); i++)
	{
		size_t len = strlen(pairs[i].prefix);

		if (strncmp(pairs[i].prefix, name, len) == 0 && name[len] != '\0')
			return &pairs[i];
	}
	return NULL;
}

bool
setting_is_secret(const char *name)
{
	const Setting *setting = setting_find(name);

	if (setting != NULL)
		return (setting->flags & SETTING_SECRET) != 0;
	for (size_t i = 0; i < COUNT(secret_parts); i++)
		if (strcasestr(name, secret_parts[i]) != NULL)
			return true;
	return false;
}

const char *
setting_shown(const char *text, char shown[SHOWN_SIZE])
{
	size_t len = strnlen(text, SHOWN_SIZE);
	bool cut = len == SHOWN_SIZE;

	if (cut)
		len = SHOWN_SIZE - 4;
	while (cut && len > 0 && ((unsigned char) text[len] & 0xc0) == 0x80)
		len--;
	for (size_t i = 0; i < len; i++)
		shown[i] = (unsigned char) text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
	memcpy(shown + len, cut ? "..." : "", cut ? 4 : 1);
	return shown;
}

/* The next word of a comma-separated list, blanks trimmed; false at its end. */
static bool
next_word(const char **at, Slice *word)
{
	const char *start = *at;
	const char *end;

	if (start == NULL)
		return false;
	end = start + strcspn(start, ",");
	*at = *end == ',' ? end + 1 : NULL;
	while (start < end && *start == ' ')
		start++;
	while (end > start && end[-1] == ' ')
		end--;
	*word = (Slice){ start, (size_t) (end - start) };
	return true;
}

/* The index of word in a list, without regard to case; -1: not there. */
static int
word_index(const char *values, Slice word, Slice *found)
{
	for (int i = 0; next_word(&values, found); i++)
		if (word.len == found->len && strncasecmp(word.data, found->data, word.len) == 0)
			return i;
	return -1;
}

static bool
parse_flag(const char *text, bool *result)
{
	Slice word = slice_from(text);
	Slice found;

	*result = word_index("true,on,yes,1", word, &found) >= 0;
	return *result || word_index("false,off,no,0", word, &found) >= 0;
}

static bool
parse_words(const char *values, const char *text, int *result)
{
	Slice word;
	Slice found;

	*result = 0;
	while (next_word(&text, &word))
	{
		int index = word_index(values, word, &found);

		if (index < 0)
			return false;
		*result |= 1 << index;
	}
	return true;
}

/* A decimal number with, for the kinds that have them, a unit. */
static bool
parse_number(SettingKind kind, const char *text, int64_t *result)
{
	char *end;
	long long number;

	if (*text != '-' && (*text < '0' || *text > '9'))
		return false;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (end == text || errno != 0)
		return false;
	*result = number;
	end += strspn(end, " ");
	if (*end == '\0')
		return true;
	for (size_t i = 0; i < COUNT(units); i++)
		if (units[i].kind == kind && strcasecmp(units[i].name, end) == 0)
			return !__builtin_mul_overflow(number, units[i].factor, result);
	return false;
}

/* A number as parse_number reads it, in the largest unit that loses nothing. */
static const char *
number_text(SettingKind kind, int64_t number, Arena *arena)
{
	for (size_t i = 0; i < COUNT(units); i++)
		if (units[i].kind == kind && number != 0 && number % units[i].factor == 0)
			return arena_printf(
				arena, "%" PRId64 "%s", number / units[i].factor, units[i].name);
	return arena_printf(arena, "%" PRId64, number);
}

const char *
setting_values(const Setting *setting, Arena *arena)
{
	if (setting->kind == SETTING_FLAG)
		return "true, false";
	if (setting->min == setting->max)
		return setting->values;
	return arena_printf(arena,
	                    "%s .. %s",
	                    number_text(setting->kind, setting->min, arena),
	                    number_text(setting->kind, setting->max, arena));
}

static bool
fail_invalid(const Setting *setting, Arena *arena, const char *value, const char *where,
             Err *err)
{
	char shown[SHOWN_SIZE];

	(void) fail(err,
	            ERR_CONFIG,
	            "invalid value for setting \"%s\" in %s: \"%s\"",
	            setting->name,
	            where,
	            setting_shown(value, shown));
	switch (setting->kind)
	{
		case SETTING_INT:
			return fail_hint(
				err, "Give a whole number, %s.", setting_values(setting, arena));
		case SETTING_BYTES:
			return fail_hint(err,
			                 "Give a number of bytes, or a number with one of the units "
			                 "B, kB, MB, GB, TB, such as 64MB.");
		case SETTING_MS:
			return fail_hint(err,
			                 "Give a number of milliseconds, or a number with one of the "
			                 "units ms, s, min, h, d, such as 10s.");
		default:
			return fail_hint(
				err, "Available values: %s.", setting_values(setting, arena));
	}
}

static bool
store_number(const Setting *setting, int64_t *field, Arena *arena, const char *value,
             const char *where, Err *err)
{
	int64_t number;

	if (!parse_number(setting->kind, value, &number))
		return fail_invalid(setting, arena, value, where, err);
	if (setting->min != setting->max && (number < setting->min || number > setting->max))
		return fail(err,
		            ERR_CONFIG,
		            "%s is outside the valid range for setting \"%s\" (%s) in %s",
		            value,
		            setting->name,
		            setting_values(setting, arena),
		            where);
	*field = number;
	return true;
}

static bool
store_list(const Setting *setting, FilterList *field, Arena *arena, const char *value,
           const char *where, Err *err)
{
	Alloc alloc = arena_as_alloc(arena);
	FilterList list;
	EnvError reason;

	reason.hint[0] = '\0';
	if (!filter_compile(&list, value, &alloc, &reason))
	{
		(void) fail(err,
		            ERR_CONFIG,
		            "invalid value for setting \"%s\" in %s: %s",
		            setting->name,
		            where,
		            reason.message);
		return fail_hint(err, "%s", reason.hint);
	}
	filter_free(field);
	*field = list;
	return true;
}

bool
setting_store(const Setting *setting, Config *config, Arena *arena, const char *value,
              const char *where, Err *err)
{
	void *field = (char *) config + setting->offset;
	Slice found;
	bool ok = false;

	switch (setting->kind)
	{
		case SETTING_TEXT:
			*(const char **) field = arena_strdup(arena, value);
			return true;
		case SETTING_CHOICE:
			ok = word_index(setting->values, slice_from(value), &found) >= 0;
			if (ok)
				*(const char **) field = arena_strndup(arena, found.data, found.len);
			break;
		case SETTING_WORD:
			*(int *) field = word_index(setting->values, slice_from(value), &found);
			ok = *(int *) field >= 0;
			break;
		case SETTING_WORDS:
			ok = parse_words(setting->values, value, field);
			break;
		case SETTING_FLAG:
			ok = parse_flag(value, field);
			break;
		case SETTING_INT:
		case SETTING_BYTES:
		case SETTING_MS:
			return store_number(setting, field, arena, value, where, err);
		case SETTING_LIST:
			return store_list(setting, field, arena, value, where, err);
	}
	return ok || fail_invalid(setting, arena, value, where, err);
}
