/*
 * check.c
 *		rules over more than the text of one setting.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "config/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/assign.h"
#include "config/settings.h"
#include "config/transforms.h"

#define LOWER    "abcdefghijklmnopqrstuvwxyz"
#define UPPER    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS   "0123456789"
#define LAKE     (OUTPUT_BRONZE | OUTPUT_SILVER)
#define FILE_URL "file://"
#define SERVERS  "bootstrap.servers"

#define OVERRIDES "snapshot.select.statement.overrides"

/* A name that ends up in a path, a topic or an SQL command. */
typedef struct NameRule
{
	const char *setting;
	const char *letters; /* that it may consist of */
	size_t max;
	const char *hint;
	bool is_part; /* of a name: "." and ".." are as good as others */
} NameRule;

#define TOPIC_PART \
	"A topic is made of it: 1 to 249 letters, digits, dots, underscores or hyphens."

/* clang-format off */
static const NameRule name_rules[] = {
	{ "kafka.positions.topic", LOWER UPPER DIGITS "._-", 249,
	  "A topic is 1 to 249 letters, digits, dots, underscores or hyphens, and not \".\" or \"..\".", false },
	{ "lake.namespace", LOWER UPPER DIGITS "_-", 128,
	  "A namespace is 1 to 128 letters, digits, underscores or hyphens.", false },
	{ "slot.name", LOWER DIGITS "_", 63,
	  "PostgreSQL allows 1 to 63 lower-case letters, digits and underscores.", false },
	{ "topic.delimiter", LOWER UPPER DIGITS "._-", 249, TOPIC_PART, true },
	{ "topic.heartbeat.prefix", LOWER UPPER DIGITS "._-", 249, TOPIC_PART, true },
	{ "topic.prefix", LOWER UPPER DIGITS "._-", 200,
	  "A prefix is 1 to 200 letters, digits, dots, underscores or hyphens, and not \".\" or \"..\".", false },
	{ "topic.transaction", LOWER UPPER DIGITS "._-", 249, TOPIC_PART, true },
};

/* Debezium refuses these together as well. */
static const char *const exclusive[][2] = {
	{ "column.exclude.list", "column.include.list" },
	{ "schema.exclude.list", "schema.include.list" },
	{ "table.exclude.list", "table.include.list" },
};

/* Counts that may be -1, for the broker's default, but not 0. */
static const char *const not_zero[] = {
	"topic.creation.default.partitions",
	"topic.creation.default.replication.factor",
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What a setting was given; every setting of the tables is there. */
static const ConfigValue *
value_of(const Config *config, const char *name)
{
	const ConfigValue *value = config->values;

	while (strcmp(value->name, name) != 0)
		value++;
	return value;
}

static const char *
place_of(const ConfigValue *value)
{
	return value->place != NULL ? value->place : "the defaults";
}

static bool
fail_value(const ConfigValue *value, const char *hint, Err *err)
{
	char shown[SHOWN_SIZE];

	(void) fail(err,
	            ERR_CONFIG,
	            "invalid value for setting \"%s\" in %s: \"%s\"",
	            value->name,
	            place_of(value),
	            setting_shown(value->value, shown));
	return fail_hint(err, "%s", hint);
}

static bool
fail_missing(const char *name, const char *why, const char *example, Arena *arena,
             Err *err)
{
	(void) fail(err, ERR_CONFIG, "setting \"%s\" is required%s", name, why);
	return fail_hint(err,
	                 "Set it in the file, as %s in the environment, or by --set %s=%s.",
	                 assign_variable(arena, name),
	                 name,
	                 example);
}

static bool
check_required(const Config *config, Arena *arena, Err *err)
{
	size_t count;
	const Setting *settings = setting_table(&count);

	for (size_t i = 0; i < count; i++)
		if ((settings[i].flags & SETTING_REQUIRED) != 0 &&
		    *value_of(config, settings[i].name)->value == '\0')
			return fail_missing(settings[i].name, "", "...", arena, err);
	return true;
}

static bool
check_names(const Config *config, Err *err)
{
	for (size_t i = 0; i < COUNT(name_rules); i++)
	{
		const NameRule *rule = &name_rules[i];
		const ConfigValue *value = value_of(config, rule->setting);
		size_t len = strlen(value->value);

		if (len == 0 || len > rule->max || strspn(value->value, rule->letters) != len ||
		    (!rule->is_part &&
		     (strcmp(value->value, ".") == 0 || strcmp(value->value, "..") == 0)))
			return fail_value(value, rule->hint, err);
	}
	return true;
}

static bool
check_exclusive(const Config *config, Err *err)
{
	for (size_t i = 0; i < COUNT(exclusive); i++)
	{
		const ConfigValue *a = value_of(config, exclusive[i][0]);
		const ConfigValue *b = value_of(config, exclusive[i][1]);

		if (*a->value == '\0' || *b->value == '\0')
			continue;
		(void) fail(err,
		            ERR_CONFIG,
		            "settings \"%s\" in %s and \"%s\" in %s exclude each other",
		            a->name,
		            place_of(a),
		            b->name,
		            place_of(b));
		return fail_hint(err, "Say which to capture, or which to leave out.");
	}
	return true;
}

static bool
check_counts(const Config *config, Err *err)
{
	for (size_t i = 0; i < COUNT(not_zero); i++)
	{
		const ConfigValue *value = value_of(config, not_zero[i]);

		if (strtoll(value->value, NULL, 10) == 0)
			return fail_value(
				value, "Give a positive number, or -1 for the broker's.", err);
	}
	return true;
}

/* Whether a URL starts as HTTP's do, with a host. */
static bool
is_http(const char *url)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < COUNT(schemes); i++)
		if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
			return strchr(", /:", url[strlen(schemes[i])]) == NULL;
	return false;
}

/* Every URL of a registry's list. */
static bool
check_registry_urls(const Config *config, const char *name, const char *list, Err *err)
{
	for (list += strspn(list, ", "); *list != '\0'; list += strspn(list, ", "))
	{
		if (!is_http(list))
			return fail_value(value_of(config, name),
			                  "Give URLs such as http://localhost:8081, separated by "
			                  "commas.",
			                  err);
		list += strcspn(list, ", ");
	}
	return true;
}

/* Avro needs a registry; of is key or value. */
static bool
check_converter(const Config *config, const ConverterConfig *converter, const char *of,
                Arena *arena, Err *err)
{
	const char *url = arena_printf(arena, "%s.converter.schema.registry.url", of);

	if (converter_class(converter) != CONVERTER_AVRO)
		return true;
	if (*converter->registry_url == '\0')
		return fail_missing(url, " with Avro", "http://localhost:8081", arena, err);
	if (!check_registry_urls(config, url, converter->registry_url, err))
		return false;
	if (converter->registry_auth == REGISTRY_AUTH_USER_INFO &&
	    strchr(converter->registry_user_info, ':') == NULL)
	{
		(void) fail(err,
		            ERR_CONFIG,
		            "setting \"%s.converter.basic.auth.user.info\" must be user:password",
		            of);
		return fail_hint(err,
		                 "basic.auth.credentials.source is USER_INFO, which wants it.");
	}
	return true;
}

static bool
check_kafka(const Config *config, Arena *arena, Err *err)
{
	if ((config->outputs & OUTPUT_KAFKA) == 0)
		return true;
	if (!check_converter(config, &config->key_converter, "key", arena, err) ||
	    !check_converter(config, &config->value_converter, "value", arena, err))
		return false;
	if (config->kafka_pair_count > 0 &&
	    strcmp(config->kafka_pairs[0].name, SERVERS) == 0 &&
	    *config->kafka_pairs[0].value != '\0')
		return true;
	return fail_missing(
		"kafka." SERVERS, " with the output \"kafka\"", "localhost:9092", arena, err);
}

/* A component of path that is "..": the warehouse must mean one directory. */
static bool
has_parent_step(const char *path)
{
	for (const char *p = path; (p = strstr(p, "/..")) != NULL; p += 3)
		if (p[3] == '/' || p[3] == '\0')
			return true;
	return false;
}

static bool
check_lake(Config *config, Arena *arena, Err *err)
{
	const ConfigValue *value = value_of(config, "lake.warehouse");
	const char *path = config->lake_warehouse + strlen(FILE_URL);
	size_t len = strlen(config->lake_warehouse);

	if (len == 0)
		return (config->outputs & LAKE) == 0 ||
		       fail_missing(
				   "lake.warehouse",
				   " with the outputs \"bronze\" and \"silver\"",
				   "file:///var/lib/cdc-sink, or set outputs=kafka for Kafka alone",
				   arena,
				   err);
	if (strncmp(config->lake_warehouse, FILE_URL, strlen(FILE_URL)) != 0 || *path != '/')
		return fail_value(
			value, "Give file:// and an absolute path: file:///var/lib/cdc-sink.", err);
	if (has_parent_step(path) || strpbrk(path, "?#%") != NULL)
		return fail_value(
			value, "Give a path without \"..\", \"?\", \"#\" and \"%\".", err);
	while (len > strlen(FILE_URL) + 1 && config->lake_warehouse[len - 1] == '/')
		len--;
	config->lake_warehouse = arena_strndup(arena, config->lake_warehouse, len);
	return true;
}

/* Whether the comma-separated list names word, blanks around it ignored. */
static bool
list_names(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list != '\0')
	{
		size_t end = strcspn(list, ",");
		size_t start = strspn(list, " ");
		size_t last = end;

		while (last > start && list[last - 1] == ' ')
			last--;
		if (start < last && last - start == len && memcmp(list + start, word, len) == 0)
			return true;
		list += end + (list[end] == ',');
	}
	return false;
}

static const char *
find_override(const Config *config, const char *table)
{
	for (size_t i = 0; i < config->override_pair_count; i++)
		if (strcmp(config->override_pairs[i].name, table) == 0)
			return config->override_pairs[i].value;
	return NULL;
}

/* Every table of the list has its SELECT, and every SELECT is of a table of the list. */
static bool
check_overrides(const Config *config, Arena *arena, Err *err)
{
	const char *rest = config->snapshot_overrides;

	for (size_t i = 0; i < config->override_pair_count; i++)
	{
		const char *table = config->override_pairs[i].name;

		if (list_names(config->snapshot_overrides, table))
			continue;
		(void) fail(err,
		            ERR_CONFIG,
		            "setting \"%s.%s\" has no effect: \"%s\" does not name its table",
		            OVERRIDES,
		            table,
		            OVERRIDES);
		return fail_hint(err, "Add %s to %s.", table, OVERRIDES);
	}
	while (*rest != '\0')
	{
		size_t end = strcspn(rest, ",");
		size_t start = strspn(rest, " ");
		const char *table;

		while (end > start && rest[end - 1] == ' ')
			end--;
		table = arena_strndup(arena, rest + start, end > start ? end - start : 0);
		if (*table != '\0' && find_override(config, table) == NULL)
			return fail_missing(
				arena_printf(arena, OVERRIDES ".%s", table),
				arena_printf(arena, ": \"%s\" names its table", OVERRIDES),
				"'SELECT ...'",
				arena,
				err);
		rest += strcspn(rest, ",");
		rest += *rest == ',';
	}
	return true;
}

/* Reading the tables again gives silver its rows, but not bronze its events. */
static bool
check_snapshot_mode(const Config *config, Err *err)
{
	if (config->snapshot_mode != SNAPSHOT_ALWAYS ||
	    (config->outputs & OUTPUT_BRONZE) == 0)
		return true;
	(void) fail(
		err,
		ERR_CONFIG,
		"snapshot.mode=always would replace bronze, with every event in it, at each start");
	return fail_hint(err, "Take bronze out of outputs, or choose another snapshot.mode.");
}

bool
config_snapshots_table(const Config *config, const char *schema, const char *table)
{
	char name[256];

	(void) snprintf(name, sizeof name, "%s.%s", schema, table);
	return config_snapshots_name(config, name);
}

bool
config_snapshots_name(const Config *config, const char *name)
{
	return config->snapshot_tables.count == 0 ||
	       filter_matches(&config->snapshot_tables, name);
}

const char *
config_snapshot_select(const Config *config, const char *table)
{
	return find_override(config, table);
}

bool
config_check(Config *config, Arena *arena, Err *err)
{
	return check_required(config, arena, err) && check_names(config, err) &&
	       check_exclusive(config, err) && check_counts(config, err) &&
	       check_overrides(config, arena, err) && check_snapshot_mode(config, err) &&
	       check_kafka(config, arena, err) && check_lake(config, arena, err) &&
	       config_transforms(config, arena, err);
}
