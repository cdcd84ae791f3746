/*
 * options.c
 *		the table of options that shape an event, and their parser.
 *
 * Defaults are text and go through the same parser as what a user writes, so a
 * bad default fails the first test.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/options.h"

#include <stdio.h>
#include <strings.h>

#define AT(member)    offsetof(EnvOptions, member)
#define REGEXES       "regular expressions, separated by commas"
#define TABLE_DOC     ", matched whole and without case against schema.table."
#define COLUMN_DOC    ", matched whole and without case against schema.table.column."
#define SCHEMA_DOC    ", matched whole and without case."
#define BOOL_VALUES   "true, false"
#define ADJUST_VALUES "none, avro, avro_unicode"
#define MESSAGE_DOC \
	", matched whole and without case; the include list overrides the exclude list."

/* clang-format off */
static const EnvOptionDef option_table[] = {
	{ "binary.handling.mode", "binary_handling_mode",
	  OPTION_RENDER, OPTION_WORD, AT(binary_handling_mode),
	  "bytes", "bytes, base64, base64-url-safe, hex",
	  "How bytea is printed: Connect bytes, or a string of that encoding." },
	{ "column.exclude.list", "column_exclude_list",
	  OPTION_WIRE, OPTION_LIST, AT(column_exclude_list), "", REGEXES,
	  "Columns to leave out of values" COLUMN_DOC },
	{ "column.include.list", "column_include_list",
	  OPTION_WIRE, OPTION_LIST, AT(column_include_list), "", REGEXES,
	  "Columns to capture, all when empty" COLUMN_DOC },
	{ "column.mask.hash.ALGORITHM.with.salt.SALT", "column_mask_hash_ALGORITHM_with_salt_SALT",
	  OPTION_WIRE, OPTION_MASKS, AT(masks), "", REGEXES,
	  "Character columns to replace by the hash of the salt and Java's serialised form of their text" COLUMN_DOC },
	{ "column.mask.hash.v2.ALGORITHM.with.salt.SALT", "column_mask_hash_v2_ALGORITHM_with_salt_SALT",
	  OPTION_WIRE, OPTION_MASKS, AT(masks), "", REGEXES,
	  "Character columns to replace by the hash of the salt and their text" COLUMN_DOC },
	{ "column.mask.with.N.chars", "column_mask_with_N_chars",
	  OPTION_WIRE, OPTION_MASKS, AT(masks), "", REGEXES,
	  "Character columns to replace by N asterisks" COLUMN_DOC },
	{ "column.propagate.source.type", "column_propagate_source_type",
	  OPTION_RENDER, OPTION_LIST, AT(column_propagate_source_type), "", REGEXES,
	  "Columns whose schemas say their type, length and scale in PostgreSQL" COLUMN_DOC },
	{ "column.truncate.to.N.chars", "column_truncate_to_N_chars",
	  OPTION_WIRE, OPTION_MASKS, AT(masks), "", REGEXES,
	  "Columns whose text is cut after N characters" COLUMN_DOC },
	{ "datatype.propagate.source.type", "datatype_propagate_source_type",
	  OPTION_RENDER, OPTION_LIST, AT(datatype_propagate_source_type), "", REGEXES,
	  "The same by type, matched whole and without case against schema.table.type." },
	{ "decimal.handling.mode", "decimal_handling_mode",
	  OPTION_RENDER, OPTION_WORD, AT(decimal_handling_mode),
	  "precise", "precise, double, string",
	  "How numeric and money are printed: Connect Decimal, double or string." },
	{ "event.converting.failure.handling.mode", "event_converting_failure_handling_mode",
	  OPTION_RENDER, OPTION_WORD, AT(converting_failure_mode),
	  "warn", "fail, warn, skip",
	  "What to do with a value that its Connect type cannot hold, as NaN in a Decimal: event.processing.failure.handling.mode decides about the event (fail), or it is null." },
	{ "event.processing.failure.handling.mode", "event_processing_failure_handling_mode",
	  OPTION_PLUGIN, OPTION_WORD, AT(failure_mode),
	  "fail", "fail, warn, skip",
	  "What to do with an event that can never be delivered: stop, or leave it out with or without a warning." },
	{ "extended.headers.enabled", "extended_headers_enabled",
	  OPTION_RENDER, OPTION_BOOL, AT(extended_headers_enabled), "true", BOOL_VALUES,
	  "Whether records carry the four __debezium.context headers." },
	{ "field.name.adjustment.mode", "field_name_adjustment_mode",
	  OPTION_RENDER, OPTION_WORD, AT(field_name_adjustment_mode),
	  "none", ADJUST_VALUES,
	  "How column names are made names of Avro." },
	{ "hstore.handling.mode", "hstore_handling_mode",
	  OPTION_RENDER, OPTION_WORD, AT(hstore_handling_mode),
	  "json", "json, map",
	  "How hstore is printed: a string of JSON, or a Connect map." },
	{ "include.unknown.datatypes", "include_unknown_datatypes",
	  OPTION_RENDER, OPTION_BOOL, AT(include_unknown_datatypes), "false", BOOL_VALUES,
	  "Whether columns of types without a mapping appear, as bytes of their text." },
	{ "interval.handling.mode", "interval_handling_mode",
	  OPTION_RENDER, OPTION_WORD, AT(interval_handling_mode),
	  "numeric", "numeric, string",
	  "How interval is printed: microseconds, or an ISO 8601 duration." },
	{ "invalid.text.handling.mode", "invalid_text_handling_mode",
	  OPTION_PLUGIN, OPTION_WORD, AT(invalid_text_mode),
	  "replace", "replace, fail",
	  "What to do with bytes that have no form in UTF-8, as SQL_ASCII databases can hold: U+FFFD in their place, counted, or stop." },
	{ "message.key.columns", "message_key_columns",
	  OPTION_WIRE, OPTION_KEYS, AT(message_key_columns), "",
	  "schema.table:column,column;..., the tables by regular expression",
	  "Columns that make the keys of records, in place of the primary key." },
	{ "message.prefix.exclude.list", "message_prefix_exclude_list",
	  OPTION_RENDER, OPTION_LIST, AT(message_prefix_exclude_list), "", REGEXES,
	  "Logical messages to leave out, by prefix" MESSAGE_DOC },
	{ "message.prefix.include.list", "message_prefix_include_list",
	  OPTION_RENDER, OPTION_LIST, AT(message_prefix_include_list), "", REGEXES,
	  "Logical messages to capture, all when empty, by prefix" MESSAGE_DOC },
	{ "money.fraction.digits", "money_fraction_digits",
	  OPTION_RENDER, OPTION_DIGITS, AT(money_fraction_digits), "2", "0 to 18",
	  "Digits after the point of money when decimal.handling.mode is precise." },
	{ "provide.transaction.metadata", "provide_transaction_metadata",
	  OPTION_RENDER, OPTION_BOOL, AT(provide_transaction_metadata), "false", BOOL_VALUES,
	  "Whether events carry their place in the transaction, and a topic tells where each begins and ends." },
	{ "publish.via.partition.root", "publish_via_partition_root",
	  OPTION_WIRE, OPTION_BOOL, AT(publish_via_partition_root), "false", BOOL_VALUES,
	  "Whether changes of a partition are named after the partitioned table." },
	{ "replace.null.with.default", "replace_null_with_default",
	  OPTION_RENDER, OPTION_BOOL, AT(replace_null_with_default), "true", BOOL_VALUES,
	  "Whether a null is printed as its column's default, as JsonConverter does." },
	{ "row.filter.SCHEMA.TABLE", "row_filter_SCHEMA_TABLE",
	  OPTION_WIRE, OPTION_ROW_FILTERS, AT(row_filters), "", "an SQL expression",
	  "What rows of the table must satisfy to be captured, decided in the server by the rules of publications' row filters." },
	{ "schema.exclude.list", "schema_exclude_list",
	  OPTION_TABLES, OPTION_LIST, AT(schema_exclude_list), "", REGEXES,
	  "Schemas to leave out" SCHEMA_DOC },
	{ "schema.include.list", "schema_include_list",
	  OPTION_TABLES, OPTION_LIST, AT(schema_include_list), "", REGEXES,
	  "Schemas to capture, all when empty" SCHEMA_DOC },
	{ "schema.name.adjustment.mode", "schema_name_adjustment_mode",
	  OPTION_RENDER, OPTION_WORD, AT(schema_name_adjustment_mode),
	  "none", ADJUST_VALUES,
	  "How the names of schemas are made names of Avro." },
	{ "schemas.enable", "schemas_enable",
	  OPTION_RENDER, OPTION_BOOL, AT(schemas_enable), "false", BOOL_VALUES,
	  "Whether keys and values carry their Connect schema." },
	{ "skip.messages.without.change", "skip_messages_without_change",
	  OPTION_RENDER, OPTION_BOOL, AT(skip_messages_without_change), "false", BOOL_VALUES,
	  "Whether an update that changes no captured column gives no record; needs REPLICA IDENTITY FULL." },
	{ "skipped.operations", "skipped_operations",
	  OPTION_RENDER, OPTION_SKIPS, AT(skipped_operations),
	  "t", "c, u, d, t, separated by commas, or none",
	  "Operations that give no record; with u no update gives any, but where publication.autocreate.mode is disabled or no_tables one that changes its key is a delete and a create." },
	{ "table.exclude.list", "table_exclude_list",
	  OPTION_TABLES, OPTION_LIST, AT(table_exclude_list), "", REGEXES,
	  "Tables to leave out" TABLE_DOC },
	{ "table.include.list", "table_include_list",
	  OPTION_TABLES, OPTION_LIST, AT(table_include_list), "", REGEXES,
	  "Tables to capture, all when empty" TABLE_DOC },
	{ "time.precision.mode", "time_precision_mode",
	  OPTION_RENDER, OPTION_WORD, AT(time_precision_mode),
	  "adaptive",
	  "adaptive, adaptive_time_microseconds, microseconds, nanoseconds, connect, isostring",
	  "How date, time and timestamp are printed." },
	{ "tombstones.on.delete", "tombstones_on_delete",
	  OPTION_RENDER, OPTION_BOOL, AT(tombstones_on_delete), "true", BOOL_VALUES,
	  "Whether a delete is followed by a record of the same key and a null value." },
	{ "topic.delimiter", "topic_delimiter",
	  OPTION_RENDER, OPTION_NAME, AT(topic_delimiter), ".", "text",
	  "What stands between prefix, schema and table in a topic." },
	{ "topic.naming.strategy", "topic_naming_strategy",
	  OPTION_RENDER, OPTION_WORD, AT(topic_naming_strategy),
	  "io.debezium.schema.SchemaTopicNamingStrategy",
	  "io.debezium.schema.SchemaTopicNamingStrategy, io.debezium.schema.DefaultTopicNamingStrategy",
	  "What a topic has behind the prefix: schema and table, or the table alone." },
	{ "topic.prefix", "topic_prefix",
	  OPTION_RENDER, OPTION_NAME, AT(topic_prefix), "cdc", "text",
	  "First part of every topic, and the source's name." },
	{ "topic.transaction", "topic_transaction",
	  OPTION_RENDER, OPTION_NAME, AT(topic_transaction), "transaction", "text",
	  "Last part of the topic that tells where transactions begin and end." },
	{ "unavailable.value.placeholder", "unavailable_value_placeholder",
	  OPTION_RENDER, OPTION_HEX, AT(unavailable_value_placeholder),
	  "__debezium_unavailable_value", "text, or hex: and hexadecimal digits",
	  "What stands for an unchanged TOAST value that the server did not send." },
};
/* clang-format on */

#define OPTION_COUNT (sizeof option_table / sizeof *option_table)

const EnvOptionDef *
env_option_table(size_t *count)
{
	*count = OPTION_COUNT;
	return option_table;
}

static const EnvOptionDef *
find_row(const char *name)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (strcmp(option_table[i].name, name) == 0 ||
		    strcmp(option_table[i].option, name) == 0)
			return &option_table[i];
	return NULL;
}

const EnvOptionDef *
env_option_find(const char *name)
{
	static const char *const families[] = {
		[MASK_TRUNCATE] = "column.truncate.to.N.chars",
		[MASK_CHARS] = "column.mask.with.N.chars",
		[MASK_HASH_V1] = "column.mask.hash.ALGORITHM.with.salt.SALT",
		[MASK_HASH_V2] = "column.mask.hash.v2.ALGORITHM.with.salt.SALT",
	};
	const EnvOptionDef *row = find_row(name);
	const char *table;
	MaskKind kind;

	if (row == NULL && mask_is_property(name, &kind))
		row = find_row(families[kind]);
	if (row == NULL && row_filter_is_property(name, &table))
		row = find_row("row.filter.SCHEMA.TABLE");
	return row;
}

/* Levenshtein's distance, capped names; the usual two-row form. */
static size_t
edit_distance(const char *a, const char *b)
{
	enum
	{
		MAX = 64
	};
	size_t rows[MAX + 1];
	size_t a_len = strnlen(a, MAX);
	size_t b_len = strnlen(b, MAX);

	for (size_t j = 0; j <= b_len; j++)
		rows[j] = j;
	for (size_t i = 1; i <= a_len; i++)
	{
		size_t diagonal = rows[0];

		rows[0] = i;
		for (size_t j = 1; j <= b_len; j++)
		{
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = rows[j];
			if (diagonal + 1 < best)
				best = diagonal + 1;
			if (rows[j - 1] + 1 < best)
				best = rows[j - 1] + 1;
			rows[j] = best;
		}
	}
	return rows[b_len];
}

const char *
env_option_nearest(const char *name, char separator)
{
	const char *nearest = NULL;
	size_t best = strlen(name) / 3 + 1; /* farther than this is another word */

	for (size_t i = 0; i < OPTION_COUNT; i++)
	{
		const char *candidate =
			separator == '.' ? option_table[i].name : option_table[i].option;
		size_t distance = edit_distance(name, candidate);

		if (distance <= best && (nearest == NULL || distance < best))
		{
			best = distance;
			nearest = candidate;
		}
	}
	return nearest;
}

void
env_options_init(EnvOptions *options, const Alloc *alloc)
{
	EnvError error;

	memset(options, 0, sizeof *options);
	options->published = alloc_zero(alloc, sizeof *options->published);
	options->published->alloc = *alloc;
	for (size_t i = 0; i < OPTION_COUNT; i++)
		(void) env_option_set(
			options, option_table[i].name, option_table[i].boot, alloc, &error);
	options->skips_told = false;
}

static bool
parse_bool(const char *text, bool *result)
{
	static const struct
	{
		const char *word;
		bool value;
	} words[] = {
		{ "true", true }, { "false", false }, { "on", true }, { "off", false },
		{ "yes", true },  { "no", false },    { "1", true },  { "0", false },
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
	{
		if (strcasecmp(words[i].word, text) != 0)
			continue;
		*result = words[i].value;
		return true;
	}
	return false;
}

/* The next item of a comma-separated list, spaces trimmed; false at its end. */
static bool
next_item(const char **at, Slice *item)
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
	*item = (Slice){ start, (size_t) (end - start) };
	return true;
}

static bool
item_is(Slice item, Slice word)
{
	return item.len == word.len && strncasecmp(item.data, word.data, word.len) == 0;
}

void
env_option_word(const EnvOptionDef *def, int value, char text[OPTION_WORD_SIZE])
{
	const char *values = def->values;
	Slice word = { NULL, 0 };

	while (value-- >= 0 && next_item(&values, &word))
		continue;
	(void) snprintf(text, OPTION_WORD_SIZE, "%.*s", (int) word.len, word.data);
}

static bool
parse_word(const char *values, const char *text, int *result)
{
	Slice word;

	for (int i = 0; next_item(&values, &word); i++)
	{
		if (!item_is(slice_from(text), word))
			continue;
		*result = i;
		return true;
	}
	return false;
}

static bool
parse_skips(const char *text, int *result)
{
	static const char *const words = "c,u,d,t";
	int bits = 0;
	bool none = false;
	Slice item;

	while (next_item(&text, &item))
	{
		const char *rest = words;
		Slice word;
		int bit = 0;

		if (item_is(item, slice_from("none")))
		{
			none = true;
			continue;
		}
		for (int i = SKIP_CREATE; next_item(&rest, &word); i <<= 1)
			if (item_is(item, word))
				bit = i;
		if (bit == 0)
			return false;
		bits |= bit;
	}
	*result = bits;
	return !none || bits == 0;
}

static bool
parse_digits(const char *text, int *result)
{
	size_t len = strspn(text, "0123456789");
	int value = 0;

	if (len == 0 || len > 2 || text[len] != '\0')
		return false;
	for (; *text != '\0'; text++)
		value = value * 10 + *text - '0';
	*result = value;
	return value <= OPTION_DIGITS_MAX;
}

static bool
store_keys(KeyRules *rules, const char *value, const Alloc *alloc, EnvError *error)
{
	KeyRules parsed;

	if (!key_compile(&parsed, value, alloc, error))
		return false;
	key_free(rules);
	*rules = parsed;
	return true;
}

/* A family's own row has no value: its properties do. */
/* Whether the bytes that text stands for can be had: behind "hex:" by pairs of digits. */
static bool
is_hex(const char *text)
{
	size_t len;

	if (strncmp(text, "hex:", 4) != 0)
		return true;
	len = strspn(text + 4, "0123456789abcdefABCDEF");
	return text[4 + len] == '\0' && len % 2 == 0;
}

static bool
store_in_family(const EnvOptionDef *def, void *rules, const char *name, const char *value,
                const Alloc *alloc, EnvError *error)
{
	if (strcmp(name, def->name) == 0 || strcmp(name, def->option) == 0)
	{
		if (*value == '\0')
			return true;
		(void) env_fail(error, "option \"%s\" lacks its parameters", name);
		(void) snprintf(error->hint,
		                sizeof error->hint,
		                "Write them in place of the capital letters.");
		return false;
	}
	return def->kind == OPTION_MASKS ? mask_set(rules, name, value, alloc, error)
	                                 : row_filter_set(rules, name, value, alloc, error);
}

/* Store value; false when it is not acceptable, with error->message set only for lists.
 */
static bool
store(const EnvOptionDef *def, void *member, const char *name, const char *value,
      const Alloc *alloc, EnvError *error)
{
	FilterList list;

	switch (def->kind)
	{
		case OPTION_BOOL:
			return parse_bool(value, member);
		case OPTION_WORD:
			return parse_word(def->values, value, member);
		case OPTION_SKIPS:
			return parse_skips(value, member);
		case OPTION_DIGITS:
			return parse_digits(value, member);
		case OPTION_KEYS:
			return store_keys(member, value, alloc, error);
		case OPTION_MASKS:
		case OPTION_ROW_FILTERS:
			return store_in_family(def, member, name, value, alloc, error);
		case OPTION_NAME:
			if (*value == '\0')
				return false;
			break;
		case OPTION_HEX:
			if (!is_hex(value))
				return false;
			break;
		case OPTION_TEXT:
			break;
		case OPTION_LIST:
			if (!filter_compile(&list, value, alloc, error))
				return false;
			filter_free(member);
			memcpy(member, &list, sizeof list);
			return true;
	}
	*(const char **) member = alloc_copy(alloc, slice_from(value));
	return true;
}

bool
env_option_set(EnvOptions *options, const char *name, const char *value,
               const Alloc *alloc, EnvError *error)
{
	const EnvOptionDef *def = env_option_find(name);
	const char *nearest;

	if (strcmp(name, OPTION_ALL_MASKS) == 0)
		return mask_read(&options->masks, value, alloc, error);
	if (strcmp(name, OPTION_ALL_ROW_FILTERS) == 0)
		return row_filter_read(&options->row_filters, value, alloc, error);
	if (strcmp(name, OPTION_PUBLISHED) == 0)
	{
		options->published->everywhere = true;
		return published_read(options->published, value, error);
	}
	if (def == NULL)
	{
		(void) env_fail(error, "unrecognized option \"%s\"", name);
		nearest = env_option_nearest(name, strchr(name, '.') != NULL ? '.' : '_');
		if (nearest != NULL)
			(void) snprintf(error->hint,
			                sizeof error->hint,
			                "Perhaps you meant the option \"%s\".",
			                nearest);
		return false;
	}
	error->message[0] = '\0';
	options->skips_told |= def->kind == OPTION_SKIPS;
	if (store(def, (char *) options + def->offset, name, value, alloc, error))
		return true;
	if (error->message[0] == '\0')
	{
		(void) env_fail(error, "invalid value for option \"%s\": \"%s\"", name, value);
		if (def->kind == OPTION_NAME)
			(void) snprintf(error->hint,
			                sizeof error->hint,
			                "It may not be empty; leave it out for the default, \"%s\".",
			                def->boot);
		else
			(void) snprintf(
				error->hint, sizeof error->hint, "Available values: %s.", def->values);
	}
	return false;
}

void
env_options_fini(EnvOptions *options)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (option_table[i].kind == OPTION_LIST)
			filter_free(
				(FilterList *) (void *) ((char *) options + option_table[i].offset));
	key_free(&options->message_key_columns);
	mask_free(&options->masks);
}

static uint64_t
hash_text(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (uint8_t) *text) * UINT64_C(0x100000001b3);
	while (*text++ != '\0');
	return hash;
}

/* The rules as mask_write() writes them, hashed; nothing when there are none. */
static uint64_t
hash_masks(uint64_t hash, const MaskRules *masks)
{
	for (size_t i = 0; i < masks->count; i++)
	{
		hash = hash_text(hash, masks->rules[i].property);
		hash = hash_text(hash, masks->rules[i].columns.text);
	}
	return hash;
}

static uint64_t
hash_row_filters(uint64_t hash, const RowFilters *filters)
{
	for (size_t i = 0; i < filters->count; i++)
	{
		hash = hash_text(hash, filters->rules[i].table);
		hash = hash_text(hash, filters->rules[i].expression);
	}
	return hash;
}

/* What reads no snapshot through a publication goes on when it is changed, as Debezium
 * does; and whatever does when a table is renamed. */
static uint64_t
hash_published(uint64_t hash, const Published *published)
{
	char number[32];

	if (!published->given || !published->everywhere)
		return hash;
	(void) snprintf(
		number, sizeof number, "%d/%d", published->all_tables, published->withheld);
	hash = hash_text(hash, number);
	for (size_t i = 0; i < published->schema_count; i++)
		hash = hash_text(hash, published->schemas[i]);
	for (size_t i = 0; i < published->table_count; i++)
	{
		const PublishedTable *table = &published->tables[i];

		(void) snprintf(number, sizeof number, "%u", (unsigned) table->relid);
		hash = hash_text(hash, number);
		hash = hash_text(hash, table->columns == NULL ? "" : table->columns);
		hash = hash_text(
			hash, table->filter.expression == NULL ? "" : table->filter.expression);
	}
	return hash;
}

static uint64_t
hash_options(const EnvOptions *options, bool with_tables)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < OPTION_COUNT; i++)
	{
		const EnvOptionDef *def = &option_table[i];
		const void *member = (const char *) options + def->offset;

		/* families follow; keys count where they are set, which older positions lack */
		if ((def->scope != OPTION_WIRE &&
		     (def->scope != OPTION_TABLES || !with_tables)) ||
		    env_option_is_family(def) ||
		    (def->kind == OPTION_KEYS && ((const KeyRules *) member)->count == 0))
			continue;
		hash = hash_text(hash, def->name);
		if (def->kind == OPTION_LIST)
			hash = hash_text(hash, ((const FilterList *) member)->text);
		else if (def->kind == OPTION_KEYS)
			hash = hash_text(hash, ((const KeyRules *) member)->text);
		else
			hash = hash_text(hash, *(const bool *) member ? "true" : "false");
	}
	return hash_row_filters(
		hash_masks(hash_published(hash, options->published), &options->masks),
		&options->row_filters);
}

uint64_t
env_options_fingerprint(const EnvOptions *options)
{
	return hash_options(options, true);
}

uint64_t
env_options_fingerprint_of_rest(const EnvOptions *options)
{
	return hash_options(options, false);
}
