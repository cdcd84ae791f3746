/*
 * transforms.c
 *		from settings to the list of transformations.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "config/transforms.h"

#include <stdlib.h>
#include <strings.h>

#include "base/pattern.h"
#include "config/nearest.h"
#include "config/settings.h"

/* What classes that are not there have instead. */
typedef struct Absent
{
	const char *name;
	const char *hint;
} Absent;

/* clang-format off */
static const Absent absent[] = {
	{ "io.debezium.transforms.ContentBasedRouter",
	  "There is no scripting; EventRouter, ByLogicalTableRouter, RegexRouter and route.by.field of ExtractNewRecordState route." },
	{ "io.debezium.transforms.Filter",
	  "There is no scripting; use org.apache.kafka.connect.transforms.Filter with a predicate." },
};
/* clang-format on */

/* The settings below transforms or predicates. */
typedef struct Reader
{
	Config *config;
	Arena *arena;
	const char *what;   /* "transforms", "predicates" */
	const char *single; /* "transformation", "predicate" */
	bool is_predicate;
	const ConfigStage *predicates;
	size_t predicate_count;
	Err *err;
} Reader;

/* ---- Values of a stage ---- */

static int
find_option(const TransformClass *class, const char *name)
{
	for (size_t i = 0; i < class->count; i++)
		if (strcmp(class->options[i].name, name) == 0)
			return (int) i;
	return -1;
}

const char *
stage_value(const ConfigStage *stage, const char *name)
{
	int at = find_option(stage->class, name);

	return at < 0 ? NULL : stage->values[at];
}

bool
stage_flag(const ConfigStage *stage, const char *name)
{
	const char *value = stage_value(stage, name);

	return value != NULL && strcasecmp(value, "true") == 0;
}

/* The item of a list at *at, without blanks; *at moves on, NULL at the end. */
static Slice
next_item(const char **at)
{
	static const char blanks[] = " \t\r\n";
	const char *start = *at;
	const char *end = start + strcspn(start, ",");

	*at = *end == ',' ? end + 1 : NULL;
	while (start < end && strchr(blanks, *start) != NULL)
		start++;
	while (end > start && strchr(blanks, end[-1]) != NULL)
		end--;
	return (Slice){ start, (size_t) (end - start) };
}

static int
word_index(const char *values, const char *word)
{
	for (int i = 0; values != NULL; i++)
	{
		Slice item = next_item(&values);

		if (strncasecmp(item.data, word, item.len) == 0 && word[item.len] == '\0')
			return i;
	}
	return -1;
}

int
stage_word(const ConfigStage *stage, const char *name)
{
	int at = find_option(stage->class, name);

	return word_index(stage->class->options[at].values, stage->values[at]);
}

static const char **
split_list(const char *text, Arena *arena, size_t *count)
{
	size_t room = 1;
	const char **items;

	for (const char *p = text; p != NULL && *p != '\0'; p++)
		room += *p == ',';
	items = arena_alloc(arena, room * sizeof *items);
	*count = 0;
	while (text != NULL)
	{
		Slice item = next_item(&text);

		items[(*count)++] = arena_strndup(arena, item.data, item.len);
	}
	while (*count > 0 && *items[*count - 1] == '\0')
		(*count)--;
	return items;
}

const char **
stage_list(const ConfigStage *stage, const char *name, Arena *arena, size_t *count)
{
	return split_list(stage_value(stage, name), arena, count);
}

/* ---- Reading ---- */

/* What was set under that name; NULL: nothing. */
static const ConfigValue *
find_value(const Reader *reader, const char *name)
{
	for (size_t i = 0; i < reader->config->value_count; i++)
		if (strcmp(reader->config->values[i].name, name) == 0)
			return &reader->config->values[i];
	return NULL;
}

static const ConfigValue *
find_below(const Reader *reader, const char *alias, const char *option)
{
	return find_value(
		reader, arena_printf(reader->arena, "%s.%s.%s", reader->what, alias, option));
}

static bool
fail_value(const Reader *reader, const ConfigValue *value, const char *hint)
{
	char shown[SHOWN_SIZE];

	(void) fail(reader->err,
	            ERR_CONFIG,
	            "invalid value for setting \"%s\" in %s: \"%s\"",
	            value->name,
	            value->place == NULL ? "the defaults" : value->place,
	            setting_shown(value->value, shown));
	return fail_hint(reader->err, "%s", hint);
}

static bool
fail_class(const Reader *reader, const ConfigValue *type)
{
	char shown[SHOWN_SIZE];
	size_t count;
	const TransformClass *classes = transform_classes(&count);
	Nearest nearest = nearest_to(type->value);

	(void) fail(reader->err,
	            ERR_CONFIG,
	            "%s \"%s\" of setting \"%s\" in %s is not supported",
	            reader->single,
	            setting_shown(type->value, shown),
	            type->name,
	            type->place);
	for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
		if (strcmp(absent[i].name, type->value) == 0)
			return fail_hint(reader->err, "%s", absent[i].hint);
	for (size_t i = 0; i < count; i++)
		if (classes[i].is_predicate == reader->is_predicate)
			nearest_try(&nearest, classes[i].name);
	if (nearest.word != NULL)
		return fail_hint(reader->err, "Perhaps you meant \"%s\".", nearest.word);
	return fail_hint(reader->err,
	                 "\"cdc-sink config --transforms\" lists what there is.");
}

static bool
read_class(const Reader *reader, ConfigStage *stage)
{
	const ConfigValue *type = find_below(reader, stage->alias, "type");
	size_t count;
	const TransformClass *classes = transform_classes(&count);

	if (type == NULL)
	{
		(void) fail(reader->err,
		            ERR_CONFIG,
		            "setting \"%s.%s.type\" is required",
		            reader->what,
		            stage->alias);
		return fail_hint(reader->err,
		                 "\"%s\" is in the setting \"%s\"; set its class.",
		                 stage->alias,
		                 reader->what);
	}
	for (size_t i = 0; i < count; i++)
		if (classes[i].is_predicate == reader->is_predicate &&
		    strcmp(classes[i].name, type->value) == 0)
			stage->class = &classes[i];
	return stage->class != NULL || fail_class(reader, type);
}

static bool
check_value(const Reader *reader, const TransformOption *option, const ConfigValue *value)
{
	char *end;

	if (option->required && *value->value == '\0')
		return fail_value(reader, value, "The option must not be empty.");
	switch (option->kind)
	{
		case STAGE_REFUSED:
			(void) fail(reader->err,
			            ERR_CONFIG,
			            "setting \"%s\" in %s is not supported",
			            value->name,
			            value->place);
			return fail_hint(reader->err, "%s", option->doc);
		case STAGE_FLAG:
			return strcasecmp(value->value, "true") == 0 ||
			       strcasecmp(value->value, "false") == 0 ||
			       fail_value(reader, value, "Available values: true, false.");
		case STAGE_WORD:
			return word_index(option->values, value->value) >= 0 ||
			       fail_value(reader,
			                  value,
			                  arena_printf(reader->arena,
			                               "Available values: %s.",
			                               option->values));
		case STAGE_NUMBER:
			return (strtol(value->value, &end, 10) > 0 && *end == '\0') ||
			       fail_value(reader, value, "Give a positive whole number.");
		case STAGE_PATTERN:
			return pattern_compile(reader->arena, value->value, reader->err) != NULL ||
			       fail_while(reader->err,
			                  "invalid value for setting \"%s\" in %s",
			                  value->name,
			                  value->place);
		case STAGE_TEXT:
		case STAGE_LIST:
			break;
	}
	return true;
}

static bool
read_options(const Reader *reader, ConfigStage *stage)
{
	const TransformClass *class = stage->class;

	stage->values = arena_zero(reader->arena, (class->count + 1) * sizeof *stage->values);
	for (size_t i = 0; i < class->count; i++)
	{
		const TransformOption *option = &class->options[i];
		const ConfigValue *value = find_below(reader, stage->alias, option->name);

		stage->values[i] = value != NULL ? value->value : option->boot;
		if (value != NULL && !check_value(reader, option, value))
			return false;
		if (option->required && stage->values[i] == NULL)
		{
			(void) fail(reader->err,
			            ERR_CONFIG,
			            "setting \"%s.%s.%s\" is required",
			            reader->what,
			            stage->alias,
			            option->name);
			return fail_hint(reader->err, "%s", option->doc);
		}
	}
	return true;
}

/* The replacements that go with regular expressions, which are called alike. */
static bool
check_replacements(const Reader *reader, const ConfigStage *stage)
{
	for (size_t i = 0; i < stage->class->count; i++)
	{
		const TransformOption *option = &stage->class->options[i];
		size_t stem = strlen(option->name) - strlen("regex");
		const Pattern *pattern;
		const char *name;
		const char *replacement;

		if (option->kind != STAGE_PATTERN || stage->values[i] == NULL ||
		    *stage->values[i] == '\0' || reader->is_predicate)
			continue;
		name = arena_printf(reader->arena, "%.*sreplacement", (int) stem, option->name);
		replacement = stage_value(stage, name);
		pattern = pattern_compile(reader->arena, stage->values[i], reader->err);
		if (pattern == NULL)
			return false;
		if (replacement == NULL || *replacement == '\0')
			return fail(reader->err,
			            ERR_CONFIG,
			            "setting \"%s.%s.%s\" is required with \"%s\"",
			            reader->what,
			            stage->alias,
			            name,
			            option->name);
		if (!pattern_check_replacement(pattern, replacement, reader->err))
			return fail_while(reader->err,
			                  "invalid value for setting \"%s.%s.%s\"",
			                  reader->what,
			                  stage->alias,
			                  name);
	}
	return true;
}

/* transforms.x.predicate and .negate. */
static bool
read_condition(const Reader *reader, ConfigStage *stage)
{
	const ConfigValue *predicate = find_below(reader, stage->alias, "predicate");
	const ConfigValue *negate = find_below(reader, stage->alias, "negate");

	if (reader->is_predicate)
		return true;
	if (negate != NULL)
	{
		static const TransformOption flag = { .kind = STAGE_FLAG };

		if (!check_value(reader, &flag, negate))
			return false;
		stage->negate = strcasecmp(negate->value, "true") == 0;
		if (predicate == NULL)
			return fail_value(reader, negate, "There is no predicate to negate.");
	}
	if (predicate == NULL)
		return true;
	for (size_t i = 0; i < reader->predicate_count; i++)
		if (strcmp(reader->predicates[i].alias, predicate->value) == 0)
			stage->predicate = &reader->predicates[i];
	return stage->predicate != NULL ||
	       fail_value(
			   reader, predicate, "Name one that is in the setting \"predicates\".");
}

/* Whether a name below an alias is one of a transformation's own. */
static bool
is_known(const Reader *reader, const ConfigStage *stage, const char *option)
{
	return strcmp(option, "type") == 0 || find_option(stage->class, option) >= 0 ||
	       (!reader->is_predicate &&
	        (strcmp(option, "predicate") == 0 || strcmp(option, "negate") == 0));
}

/* The stage whose alias and a dot name begins with, the longest of them. */
static const ConfigStage *
stage_of(const ConfigStage *stages, size_t count, const char *name)
{
	const ConfigStage *found = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < count; i++)
	{
		size_t len = strlen(stages[i].alias);

		if (len < longest || strncmp(stages[i].alias, name, len) != 0 || name[len] != '.')
			continue;
		found = &stages[i];
		longest = len;
	}
	return found;
}

static bool
fail_unknown(const Reader *reader, const ConfigStage *stage, const ConfigValue *value,
             const char *option)
{
	Nearest nearest = nearest_to(option);
	char shown[SHOWN_SIZE];

	(void) fail(reader->err,
	            ERR_CONFIG,
	            "unrecognized setting \"%s\" in %s",
	            setting_shown(value->name, shown),
	            value->place);
	for (size_t i = 0; i < stage->class->count; i++)
		nearest_try(&nearest, stage->class->options[i].name);
	if (nearest.word != NULL)
		return fail_hint(reader->err,
		                 "Perhaps you meant \"%s.%s.%s\".",
		                 reader->what,
		                 stage->alias,
		                 nearest.word);
	return fail_hint(reader->err, "%s has no such option.", stage->class->name);
}

/* Every setting below must be an option of a stage. */
static bool
check_names(const Reader *reader, const ConfigStage *stages, size_t count)
{
	size_t len = strlen(reader->what);

	for (size_t i = 0; i < reader->config->value_count; i++)
	{
		const ConfigValue *value = &reader->config->values[i];
		const ConfigStage *stage;
		char shown[SHOWN_SIZE];

		if (strncmp(value->name, reader->what, len) != 0 || value->name[len] != '.')
			continue;
		stage = stage_of(stages, count, value->name + len + 1);
		if (stage == NULL)
		{
			(void) fail(reader->err,
			            ERR_CONFIG,
			            "setting \"%s\" in %s is not of a %s",
			            setting_shown(value->name, shown),
			            value->place,
			            reader->single);
			return fail_hint(reader->err,
			                 "Name it in the setting \"%s\", or remove the property.",
			                 reader->what);
		}
		if (!is_known(reader, stage, value->name + len + strlen(stage->alias) + 2))
			return fail_unknown(
				reader, stage, value, value->name + len + strlen(stage->alias) + 2);
	}
	return true;
}

static bool
read_stages(const Reader *reader, ConfigStage **stages, size_t *count)
{
	const ConfigValue *list = find_value(reader, reader->what);
	const char **aliases = split_list(list->value, reader->arena, count);

	*stages = arena_zero(reader->arena, (*count + 1) * sizeof **stages);
	for (size_t i = 0; i < *count; i++)
	{
		ConfigStage *stage = &(*stages)[i];

		stage->alias = aliases[i];
		if (*aliases[i] == '\0')
			return fail_value(reader, list, "An alias must not be empty.");
		for (size_t j = 0; j < i; j++)
			if (strcmp(aliases[i], aliases[j]) == 0)
				return fail_value(reader, list, "An alias must not be named twice.");
		if (!read_class(reader, stage) || !read_options(reader, stage) ||
		    !check_replacements(reader, stage) || !read_condition(reader, stage))
			return false;
	}
	return check_names(reader, *stages, *count);
}

bool
config_transforms(Config *config, Arena *arena, Err *err)
{
	const Reader predicates = { config, arena, "predicates", "predicate", true,
		                        NULL,   0,     err };
	Reader transforms = { config, arena, "transforms", "transformation", false,
		                  NULL,   0,     err };
	ConfigStage *stages;

	if (!read_stages(&predicates, &stages, &transforms.predicate_count))
		return false;
	transforms.predicates = stages;
	if (!read_stages(&transforms, &stages, &config->stage_count))
		return false;
	config->stages = stages;
	return true;
}
