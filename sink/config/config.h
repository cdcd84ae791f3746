/*
 * config.h
 *		what the user asked for: one immutable Config for the life of the process.
 *
 * Every setting is a row of the table in settings.c (name, kind, field, default,
 * limits, flags, documentation) or of the envelope's option table
 * (envelope/options.h); both print `--help`, `cdc-sink config` and README.
 * Names are Debezium's where Debezium has the thing.
 *
 * Sources, later ones win: the file (-c; properties, with Debezium Server's
 * `debezium.source.` and `debezium.sink.` prefixes understood; a file that starts
 * with `{` is a Kafka Connect connector's JSON; ${...} expressions as in both), the
 *environment (CDC_SINK_ + the name in upper case, dots as underscores; a _FILE suffix
 *names a file that holds the value),
 * --set name=value.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/lsn.h"
#include "envelope/options.h"

enum
{
	OUTPUT_KAFKA = 1,
	OUTPUT_BRONZE = 2,
	OUTPUT_SILVER = 4,
};

typedef enum SnapshotMode
{
	SNAPSHOT_INITIAL,      /* where no position is stored */
	SNAPSHOT_NO_DATA,      /* never */
	SNAPSHOT_INITIAL_ONLY, /* as initial, and then the end: nothing is streamed */
	SNAPSHOT_WHEN_NEEDED,  /* as initial, and where the stored position is of no use any
	                          more */
	SNAPSHOT_ALWAYS,       /* at every start of the process */
} SnapshotMode;
typedef enum SnapshotOrder
{
	ORDER_BY_NAME, /* of table.include.list, where there is one */
	ORDER_SMALLEST_FIRST,
	ORDER_LARGEST_FIRST,
} SnapshotOrder;
typedef enum PublicationMode
{
	PUBLICATION_ALL_TABLES,
	PUBLICATION_DISABLED,
	PUBLICATION_FILTERED,
	PUBLICATION_NO_TABLES
} PublicationMode;
/* header.converter: whose bytes the headers that Debezium adds have. */
typedef enum HeaderConverter
{
	HEADER_SIMPLE, /* SimpleHeaderConverter: text as it is, a key as JSON without schema
	                */
	HEADER_JSON    /* JsonConverter */
} HeaderConverter;
typedef enum OnIncompatible
{
	INCOMPATIBLE_STOP,
	INCOMPATIBLE_NEW_COLUMN
} OnIncompatible;
typedef enum OnRecreated
{
	RECREATED_STOP,
	RECREATED_BY_NAME
} OnRecreated;
typedef enum OnDropped
{
	DROPPED_KEEP,
	DROPPED_READ
} OnDropped;
typedef enum OnStale
{
	STALE_READ,
	STALE_WAIT
} OnStale;
typedef enum NumericDefault
{
	NUMERIC_DEFAULT_DECIMAL,
	NUMERIC_DEFAULT_STRING
} NumericDefault;

/* What makes bytes of keys or values: Kafka Connect's converter of that name. */
typedef enum ConverterClass
{
	CONVERTER_JSON,
	CONVERTER_AVRO,
	CONVERTER_STRING,
	CONVERTER_BYTES,
	CONVERTER_COUNT
} ConverterClass;

typedef enum RegistryAuth
{
	REGISTRY_AUTH_URL, /* user and password are in the URL, or nowhere */
	REGISTRY_AUTH_USER_INFO
} RegistryAuth;

typedef enum SubjectStrategy
{
	SUBJECT_TOPIC,
	SUBJECT_RECORD,
	SUBJECT_TOPIC_RECORD
} SubjectStrategy;

/* What the setting without a prefix says, true or false. */
typedef enum ConverterFlag
{
	CONVERTER_INHERIT,
	CONVERTER_TRUE,
	CONVERTER_FALSE
} ConverterFlag;

/* key.converter.*, value.converter.* */
typedef struct ConverterConfig
{
	int class_word;                /* ConverterClass, by converter_class() */
	int schemas_enable;            /* ConverterFlag */
	int replace_null_with_default; /* ConverterFlag */
	bool ignore_default_for_nullables;
	const char *registry_url; /* several, separated by commas */
	bool registry_auto_register;
	bool registry_normalize;
	int registry_subject;           /* SubjectStrategy */
	int registry_auth;              /* RegistryAuth */
	const char *registry_user_info; /* user:password (SECRET) */
	const char *registry_token;     /* (SECRET) */
	const char *registry_ca_file;   /* PEM */
	const char *registry_cert_file; /* PEM, with its key */
	const char *registry_key_password;
} ConverterConfig;

/* The class: its words are the Java classes, then Debezium Server's names for them. */
static inline ConverterClass
converter_class(const ConverterConfig *converter)
{
	return (ConverterClass) (converter->class_word % CONVERTER_COUNT);
}

/* A setting passed through to a library, prefix removed. */
typedef struct ConfigPair
{
	const char *name;
	const char *value;
} ConfigPair;

/* A transformation of Kafka records: transforms.h. */
typedef struct ConfigStage ConfigStage;

/* A setting in force, as text: what `cdc-sink config` prints. */
typedef struct ConfigValue
{
	const char *name;
	const char *value;
	const char *place; /* "file \"x\" line 3"; NULL: the default */
	bool secret;
} ConfigValue;

typedef struct Config
{
	/* source */
	const char *database_hostname; /* localhost */
	int64_t database_port;         /* 5432 */
	const char *database_user;     /* postgres */
	const char *database_password; /* "" (SECRET) */
	const char *database_dbname;   /* required */
	const char *database_sslmode;  /* prefer */
	const char *database_sslrootcert;
	const char *database_sslcert;
	const char *database_sslkey;
	const char *database_sslpassword;
	bool database_tcp_keepalive;             /* true */
	const char *database_initial_statements; /* separated by semicolons; "": none */
	int64_t database_query_timeout_ms;       /* 600000; 0: none */
	const char *slot_name;        /* debezium's default is "debezium"; ours cdc_sink */
	bool slot_drop_on_stop;       /* false */
	bool slot_failover;           /* false */
	int64_t slot_retries;         /* 6: while another worker streams from it ... */
	int64_t slot_retry_delay_ms;  /* 10000: ... with so much time for each */
	const char *publication_name; /* dbz_publication */
	int publication_mode;         /* PublicationMode */
	const char *replica_identity_autoset; /* "": none; see source/identity.h */
	int64_t status_update_interval_ms;    /* 10000 */
	int snapshot_mode;                    /* SnapshotMode */
	int64_t snapshot_max_threads;         /* 2 */
	FilterList snapshot_tables; /* snapshot.include.collection.list; empty: all */
	int snapshot_order;         /* SnapshotOrder */
	int64_t snapshot_delay_ms;  /* before a snapshot: 0 */
	int64_t streaming_delay_ms; /* after it: 0 */
	int64_t snapshot_hold_ms;   /* 10 s; 0: no limit */
	const char
		*snapshot_overrides; /* snapshot.select.statement.overrides: schema.table, ... */
	ConfigPair *override_pairs; /* schema.table: its SELECT */
	size_t override_pair_count;

	/* shaping events: topic.prefix, table.include.list, decimal.handling.mode ... */
	EnvOptions env;

	/* worker */
	int outputs;                /* OUTPUT_ bits; default bronze,silver */
	int64_t max_memory;         /* bytes; "256MB" */
	int64_t memory_limit;       /* of the container, bytes; 0: none */
	int64_t retry_max_ms;       /* longest pause between retries: 10000 */
	int64_t retries;            /* errors.max.retries: -1 no limit */
	int log_level;              /* LogLevel */
	const char *status_address; /* where the status server listens: 127.0.0.1 */
	int64_t status_port;        /* 0: nowhere */

	/* Kafka */
	bool kafka_exactly_once;           /* true */
	const char *kafka_positions_topic; /* __cdc_sink_positions */
	int header_converter;              /* HeaderConverter */
	bool header_schemas_enable;        /* header.converter.schemas.enable: true */
	int64_t kafka_commit_interval_ms;  /* longest a Kafka transaction gathers small source
	                                      transactions: 100 */
	int64_t topic_partitions;          /* topic.creation.default.partitions: 1 */
	int64_t topic_replication_factor;  /* topic.creation.default.replication.factor: 1; -1
	                                      broker default */
	const char *transforms;            /* aliases, in order */
	const char *predicates;
	ConfigPair *transform_pairs; /* transforms.<alias>.<option> */
	size_t transform_pair_count;
	ConfigPair *predicate_pairs;
	size_t predicate_pair_count;
	const ConfigStage *stages; /* what these settings say */
	size_t stage_count;
	ConfigPair *topic_pairs; /* topic.creation.default.<topic setting> */
	size_t topic_pair_count;
	ConfigPair *
		kafka_pairs; /* kafka.<librdkafka property>, bootstrap.servers first among them */
	size_t kafka_pair_count;
	ConverterConfig key_converter;
	ConverterConfig value_converter;

	int64_t heartbeat_interval_ms;      /* 0: no heartbeats */
	const char *heartbeat_action_query; /* "": none */
	const char *topic_heartbeat_prefix; /* __debezium-heartbeat */
	const char *topic_heartbeat_name;   /* "": made of the prefix */

	/* lake */
	const char *lake_warehouse;     /* file:///dir, required with bronze or silver */
	const char *lake_namespace;     /* cdc */
	int64_t lake_flush_interval_ms; /* 10000 */
	int64_t lake_flush_bytes;       /* a cut is made early when this much is buffered */
	int64_t lake_checkpoints_keep;  /* published cuts kept in cdc_checkpoints: 100 */
	int64_t lake_snapshots_keep;    /* of each table: 200 */
	int64_t lake_snapshots_age_ms;  /* and none that is older, but for those cuts: 6 h */
	int64_t lake_orphans_age_ms;    /* files of no snapshot go when older: 0 */
	int lake_on_incompatible;       /* OnIncompatible */
	int lake_on_dropped;            /* OnDropped, of partitions */
	int lake_on_recreated;          /* OnRecreated */
	int lake_on_stale;              /* OnStale */
	int64_t lake_partitions_interval_ms; /* 10000; 0: the catalog is not looked at */
	int lake_numeric_default;            /* NumericDefault */
	FilterList lake_append_tables;       /* lake.append.only.tables: no key needed, silver
	                                        appends with a flag */

	ConfigValue *values; /* every setting and pair in force, sorted by name */
	size_t value_count;
} Config;

typedef struct ConfigInput
{
	const char *file;            /* -c; NULL: none */
	const char *const *settings; /* --set name=value */
	size_t setting_count;
	char **environ;       /* NULL: the environment is not read */
	int64_t memory_limit; /* that defaults must fit into, bytes; 0: none */
} ConfigInput;

/*
 * Read and check everything.  ERR_CONFIG names the setting, its place ("file x line 3",
 * "environment", "--set") and, for an unrecognized name, the nearest one.  The Config
 * lives in arena.
 */
Config *config_load(Arena *arena, const ConfigInput *input, Err *err) MUST_CHECK;

/* Whether a snapshot reads a table that the filters want. */
bool config_snapshots_table(const Config *config, const char *schema, const char *table);
bool config_snapshots_name(const Config *config, const char *name); /* schema.table */

/* The SELECT that a snapshot reads table (schema.table) with; NULL: all of it. */
const char *config_snapshot_select(const Config *config, const char *table);

/* Free what the Config holds outside its arena. */
void config_free(Config *config);

/* Print the effective configuration as properties; secrets as ***. */
void config_print(const Config *config, FILE *to);

/* Print the reference as a Markdown table, for README and help; as a commented sample
 * file. */
void config_print_reference(FILE *to);
void config_print_sample(FILE *to);

#endif
