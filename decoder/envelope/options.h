/*
 * options.h
 *		everything that shapes an event, under Debezium's names.
 *
 * One table (options.c) serves the plugin's option list, the worker's
 * configuration and README.  A row's name is the Debezium property; the plugin
 * option is the same with underscores for dots.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_OPTIONS_H
#define ENVELOPE_OPTIONS_H

#include "envelope/buf.h"
#include "envelope/filter.h"
#include "envelope/key.h"
#include "envelope/mask.h"
#include "envelope/published.h"
#include "envelope/row_filter.h"

typedef enum DecimalMode
{
	DECIMAL_PRECISE,
	DECIMAL_DOUBLE,
	DECIMAL_STRING
} DecimalMode;
typedef enum TimeMode
{
	TIME_ADAPTIVE,
	TIME_ADAPTIVE_TIME_MICROSECONDS,
	TIME_MICROSECONDS,
	TIME_NANOSECONDS,
	TIME_CONNECT,
	TIME_ISOSTRING,
} TimeMode;
typedef enum BinaryMode
{
	BINARY_BYTES,
	BINARY_BASE64,
	BINARY_BASE64_URL_SAFE,
	BINARY_HEX
} BinaryMode;
typedef enum IntervalMode
{
	INTERVAL_NUMERIC,
	INTERVAL_STRING
} IntervalMode;

typedef enum HstoreMode
{
	HSTORE_JSON,
	HSTORE_MAP
} HstoreMode;

/* topic.naming.strategy: what a topic's name has behind the prefix. */
typedef enum TopicNaming
{
	TOPIC_OF_SCHEMA, /* schema and table */
	TOPIC_OF_TABLE
} TopicNaming;

/* schema.name.adjustment.mode, field.name.adjustment.mode: what Avro takes as a name. */
typedef enum AdjustMode
{
	ADJUST_NONE,
	ADJUST_AVRO,        /* other characters become underscores */
	ADJUST_AVRO_UNICODE /* _uXXXX, the underscore too */
} AdjustMode;

/* What becomes of an event that can never be delivered. */
typedef enum FailureMode
{
	FAILURE_FAIL,
	FAILURE_WARN,
	FAILURE_SKIP
} FailureMode;

/* What becomes of bytes without a form in UTF-8. */
typedef enum InvalidTextMode
{
	INVALID_TEXT_REPLACE, /* by U+FFFD */
	INVALID_TEXT_FAIL
} InvalidTextMode;

/* Bits of skipped_operations. */
enum
{
	SKIP_CREATE = 1,
	SKIP_UPDATE = 2,
	SKIP_DELETE = 4,
	SKIP_TRUNCATE = 8
};

typedef struct EnvOptions
{
	const char *topic_prefix;      /* cdc */
	const char *topic_delimiter;   /* . */
	int topic_naming_strategy;     /* TopicNaming */
	FilterList table_include_list; /* empty: all */
	FilterList table_exclude_list;
	FilterList schema_include_list;
	FilterList schema_exclude_list;
	FilterList column_include_list;
	FilterList column_exclude_list;
	FilterList column_propagate_source_type; /* their schemas name PostgreSQL's type */
	FilterList datatype_propagate_source_type;
	KeyRules message_key_columns;
	MaskRules masks;            /* column.mask.*, column.truncate.* */
	RowFilters row_filters;     /* row.filter.* */
	Published *published;       /* never NULL */
	int decimal_handling_mode;  /* DecimalMode */
	int time_precision_mode;    /* TimeMode */
	int binary_handling_mode;   /* BinaryMode */
	int interval_handling_mode; /* IntervalMode */
	int hstore_handling_mode;   /* HstoreMode */
	int money_fraction_digits;
	int schema_name_adjustment_mode; /* AdjustMode */
	int field_name_adjustment_mode;  /* AdjustMode */
	bool skip_messages_without_change;
	bool tombstones_on_delete;
	int skipped_operations; /* SKIP_ bits; default t */
	bool schemas_enable;    /* key and value carry their Connect schema; default off */
	bool replace_null_with_default; /* JsonConverter's switch; default on */
	bool extended_headers_enabled;  /* the four __debezium.context headers; default on */
	bool include_unknown_datatypes;
	bool publish_via_partition_root;
	const char *unavailable_value_placeholder; /* __debezium_unavailable_value */
	bool provide_transaction_metadata;
	const char *topic_transaction;          /* transaction */
	FilterList message_prefix_include_list; /* empty: all but what the other excludes */
	FilterList message_prefix_exclude_list;
	int failure_mode;            /* FailureMode */
	int converting_failure_mode; /* FailureMode: of values without a form in the schema */
	int invalid_text_mode;       /* InvalidTextMode */
	bool skips_told;             /* not an option: skipped.operations was given */
	bool publishes_skipped; /* not an option: the publication is the user's, which leaves
	                           out no skipped operation; see render_unpublished() */
	bool lossless; /* not an option: bronze's printing, see render_options_bronze() */
} EnvOptions;

/* What part of the path an option acts on; the worker sends WIRE and PLUGIN ones to the
 * plugin. */
typedef enum OptionScope
{
	OPTION_WIRE,   /* decides which bytes leave the server */
	OPTION_TABLES, /* the same, by nothing but which tables are captured */
	OPTION_PLUGIN, /* the same, and may change between two starts */
	OPTION_RENDER, /* decides how an event is printed */
} OptionScope;

typedef enum OptionKind
{
	OPTION_BOOL,
	OPTION_WORD,   /* one of values, stored as its place among them */
	OPTION_TEXT,   /* any text */
	OPTION_HEX,    /* any text; after "hex:" pairs of hexadecimal digits */
	OPTION_NAME,   /* text that is not empty */
	OPTION_LIST,   /* FilterList */
	OPTION_SKIPS,  /* SKIP_ bits */
	OPTION_DIGITS, /* int from 0 to OPTION_DIGITS_MAX */
	OPTION_KEYS,   /* KeyRules */
	OPTION_MASKS,  /* MaskRules: one row for all properties of a family, see mask.h */
	OPTION_ROW_FILTERS, /* RowFilters: the same, see row_filter.h */
} OptionKind;

#define OPTION_DIGITS_MAX 18

/* The plugin's option that has all masks as mask_write() writes them: names of options
 * end at 63 bytes in START_REPLICATION, which a salt may exceed. */
#define OPTION_ALL_MASKS "column_masks"

/* The same for row filters, as row_filter_write() writes them. */
#define OPTION_ALL_ROW_FILTERS "row_filters"

typedef struct EnvOptionDef
{
	const char *name;   /* Debezium property: "decimal.handling.mode" */
	const char *option; /* the same with underscores: the plugin's option */
	OptionScope scope;
	OptionKind kind;
	size_t offset;      /* into EnvOptions */
	const char *boot;   /* default, in the user's syntax */
	const char *values; /* accepted words, "precise, double, string", or what is expected:
	                       "regular expressions" */
	const char *doc;    /* one sentence */
} EnvOptionDef;

/* The rows, sorted by name. */
const EnvOptionDef *env_option_table(size_t *count);

/*
 * The row of a name written with dots or underscores; NULL: none.  A row of OPTION_MASKS
 * or OPTION_ROW_FILTERS is that of every property of its family.
 */
const EnvOptionDef *env_option_find(const char *name);

/* Whether the row is that of a family: its own name is no property. */
static inline bool
env_option_is_family(const EnvOptionDef *def)
{
	return def->kind == OPTION_MASKS || def->kind == OPTION_ROW_FILTERS;
}

/* The name of the row nearest to what was written, for "Perhaps you meant"; NULL when
 * nothing is near. */
const char *env_option_nearest(const char *name, char separator);

/* The longest word of all rows, with its terminator. */
#define OPTION_WORD_SIZE 64

/* Copy the word that value stands for to text, terminated. */
void env_option_word(const EnvOptionDef *def, int value, char text[OPTION_WORD_SIZE]);

/* All defaults.  Strings live in alloc. */
void env_options_init(EnvOptions *options, const Alloc *alloc);

/* Set one option from its text.  False, with error and hint set, for an unrecognized name
 * or a bad value. */
bool env_option_set(EnvOptions *options, const char *name, const char *value,
                    const Alloc *alloc, EnvError *error);

/* Release what the filters hold outside alloc (compiled expressions). */
void env_options_fini(EnvOptions *options);

/* FNV-1a 64 over the WIRE and TABLES options' values: a stored position is only valid
 * under the same, or where only TABLES differ, see captured.h. */
uint64_t env_options_fingerprint(const EnvOptions *options);

/* The same over the WIRE options alone. */
uint64_t env_options_fingerprint_of_rest(const EnvOptions *options);

#endif
