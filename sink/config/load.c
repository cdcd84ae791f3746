/*
 * load.c
 *		from what was written to one Config.
 *
 * Every assignment is resolved to the setting it stands for, or answered: ignored
 * with a note, or refused by name.  Then each setting takes the assignment that
 * wins (the later source; within one, a setting's own name before another spelling
 * of it; then the later line), and only those values are parsed.  So what a
 * source overrides need not be valid, but every name must be.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/assign.h"
#include "config/check.h"
#include "config/fit.h"
#include "config/foreign.h"
#include "config/nearest.h"
#include "config/settings.h"

/* Before a property of the connector in Debezium Server's application.properties. */
static const char *const server_prefixes[] = { "debezium.source.", "debezium.sink." };

/* One of setting, option and pair says what an assignment sets. */
typedef struct Resolved
{
	const Assignment *from;
	const char *name; /* of the setting */
	const char *value;
	const Setting *setting;
	const EnvOptionDef *option;
	const PairSetting *pair;
	size_t rank; /* the greatest wins */
} Resolved;

typedef struct Loader
{
	Arena *arena;   /* the Config's */
	Arena *scratch; /* of this load */
	Config *config;
	AssignList list;        /* what was written */
	char *const *variables; /* for expressions */
	Resolved *resolved;
	size_t count;
	bool for_both;      /* what is resolved stands for key and value */
	const char **notes; /* what is ignored */
	size_t note_count;
	const char **warnings; /* what is given twice */
	size_t warning_count;
	Err *err;
} Loader;

/* The name without Debezium Server's prefix. */
static const char *
without_prefix(const char *name)
{
	for (size_t i = 0; i < sizeof server_prefixes / sizeof *server_prefixes; i++)
	{
		size_t len = strlen(server_prefixes[i]);

		if (strncmp(name, server_prefixes[i], len) == 0)
			return name + len;
	}
	return name;
}

/* The row of that name in the options of the envelope, which are written with dots here.
 */
static const EnvOptionDef *
option_find(const char *name)
{
	const EnvOptionDef *option = env_option_find(name);
	if (option == NULL || strcmp(option->name, name) == 0)
		return option;
	return env_option_is_family(option) && strcspn(name, ".") < strcspn(name, "_")
	           ? option
	           : NULL;
}

/* The row that answers to a name; of two prefixes the longer one. */
static const Foreign *
foreign_answering(const char *name)
{
	const Foreign *foreign = foreign_find(name);
	const PairSetting *pair = pair_find(name);

	if (foreign != NULL)
		return foreign;
	foreign = foreign_find_prefix(name);
	if (foreign != NULL && pair != NULL && strlen(pair->prefix) >= strlen(foreign->name))
		return NULL;
	return foreign;
}

static bool
find_own(Resolved *resolved)
{
	resolved->setting = setting_find(resolved->name);
	if (resolved->setting == NULL)
		resolved->option = option_find(resolved->name);
	if (resolved->setting == NULL && resolved->option == NULL &&
	    foreign_answering(resolved->name) == NULL)
		resolved->pair = pair_find(resolved->name);
	return resolved->setting != NULL || resolved->option != NULL ||
	       resolved->pair != NULL;
}

static bool
fail_unrecognized(Loader *loader, const Assignment *from)
{
	bool is_variable = from->source == ASSIGN_ENVIRONMENT;
	const char *written = is_variable ? from->name : without_prefix(from->name);
	Nearest nearest = nearest_to(written);
	char shown[SHOWN_SIZE];
	size_t count;
	const Setting *settings = setting_table(&count);
	const EnvOptionDef *options;

	for (size_t i = 0; i < count; i++)
		nearest_try(&nearest,
		            is_variable ? assign_variable(loader->scratch, settings[i].name)
		                        : settings[i].name);
	options = env_option_table(&count);
	for (size_t i = 0; i < count; i++)
		nearest_try(&nearest,
		            is_variable ? assign_variable(loader->scratch, options[i].name)
		                        : options[i].name);
	if (is_variable)
		(void) fail(loader->err, ERR_CONFIG, "unrecognized %s", from->place);
	else
		(void) fail(loader->err,
		            ERR_CONFIG,
		            "unrecognized setting \"%s\" in %s",
		            setting_shown(from->name, shown),
		            from->place);
	if (nearest.word == NULL)
		return fail_hint(loader->err, "\"cdc-sink help\" lists the settings.");
	return fail_hint(loader->err,
	                 "Perhaps you meant \"%.*s%s\".",
	                 is_variable ? 0 : (int) (written - from->name),
	                 from->name,
	                 nearest.word);
}

/* Answer a property that is not ours: note it, or refuse it.  Not for an alias. */
static bool
answer_foreign(Loader *loader, const Foreign *foreign, const Resolved *resolved)
{
	const Assignment *from = resolved->from;
	char name[SHOWN_SIZE];
	char value[SHOWN_SIZE];

	if (foreign->rule == FOREIGN_IGNORED)
	{
		loader->notes[loader->note_count++] =
			arena_printf(loader->scratch,
		                 "property \"%s\" in %s is ignored: %s",
		                 setting_shown(from->name, name),
		                 from->place,
		                 foreign->note);
		return true;
	}
	if (foreign->rule == FOREIGN_FIXED && foreign_accepts(foreign, resolved->value))
		return true;
	if (foreign->rule == FOREIGN_FIXED && *foreign->target != '\0')
		(void) fail(loader->err,
		            ERR_CONFIG,
		            "property \"%s\" in %s cannot be \"%s\", only \"%s\"",
		            setting_shown(from->name, name),
		            from->place,
		            setting_shown(resolved->value, value),
		            foreign->target + strspn(foreign->target, ","));
	else
		(void) fail(loader->err,
		            ERR_CONFIG,
		            "property \"%s\" in %s is not supported by cdc-sink",
		            setting_shown(from->name, name),
		            from->place);
	return fail_hint(loader->err, "%s", foreign->note);
}

/* The value as it counts: blanks around it belong to nobody, but for a secret's. */
static const char *
trimmed(Arena *arena, const char *name, const char *value)
{
	size_t len;

	if (setting_is_secret(name))
		return value;
	value += strspn(value, " \t\r\n\f");
	len = strlen(value);
	while (len > 0 && strchr(" \t\r\n\f", value[len - 1]) != NULL)
		len--;
	return arena_strndup(arena, value, len);
}

static bool resolve(Loader *loader, const Assignment *from);

/*
 * A property of Debezium Server's format that says neither key nor value is one of both.
 * *done: it was such a one.
 */
static bool
resolve_format(Loader *loader, const Assignment *from, bool *done)
{
	static const char prefix[] = "debezium.format.";
	static const char *const sides[] = { "key", "value" };
	const char *rest = from->name + sizeof prefix - 1;

	*done = strncmp(from->name, prefix, sizeof prefix - 1) == 0 &&
	        foreign_answering(from->name) == NULL;
	for (int i = 0; *done && i < 2; i++)
	{
		Assignment *one = arena_alloc(loader->scratch, sizeof *one);
		bool ok;

		*one = *from;
		one->name = arena_printf(loader->scratch, "%s%s.%s", prefix, sides[i], rest);
		loader->for_both = true;
		ok = resolve(loader, one);
		loader->for_both = false;
		if (!ok)
			return false;
	}
	return true;
}

/* Find what one assignment sets, and keep it; or answer it. */
static bool
resolve(Loader *loader, const Assignment *from)
{
	Resolved resolved = { .from = from, .name = from->name };
	const Foreign *foreign = NULL;
	bool is_alias = false;
	bool is_own = find_own(&resolved);
	bool done;

	if (!resolve_format(loader, from, &done))
		return false;
	if (done)
		return true;

	/* Debezium Server's names may have a row of their own, with their prefix. */
	if (!is_own)
		foreign = foreign_answering(resolved.name);
	if (!is_own && foreign == NULL)
	{
		resolved.name = without_prefix(resolved.name);
		is_own = find_own(&resolved);
		if (!is_own)
			foreign = foreign_answering(resolved.name);
	}
	if (foreign != NULL && foreign->rule == FOREIGN_ALIAS)
	{
		resolved.name = foreign_target(foreign, resolved.name, loader->scratch);
		is_alias = true;
		is_own = find_own(&resolved);
		foreign = is_own ? NULL : foreign_answering(resolved.name);
	}
	resolved.value = from->value;
	if ((is_own || (foreign != NULL && foreign->rule == FOREIGN_FIXED)) &&
	    !assign_expand(&loader->list,
	                   from,
	                   loader->variables,
	                   resolved.pair != NULL &&
	                       strcmp(resolved.pair->prefix, "transforms.") == 0,
	                   &resolved.value,
	                   loader->err))
		return false;
	resolved.value = trimmed(loader->scratch, resolved.name, resolved.value);
	if (foreign != NULL)
		return answer_foreign(loader, foreign, &resolved);
	if (!is_own)
		return fail_unrecognized(loader, from);
	resolved.rank = (size_t) from->source * 4 + (loader->for_both ? 0U
	                                             : is_alias       ? 2U
	                                                              : 3U);
	loader->resolved[loader->count++] = resolved;
	return true;
}

static int
compare_size(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int
by_name_and_rank(const void *left, const void *right)
{
	const Resolved *a = left;
	const Resolved *b = right;
	int names = strcmp(a->name, b->name);

	if (names != 0)
		return names;
	if (a->rank != b->rank)
		return compare_size(a->rank, b->rank);
	return compare_size(a->from->order, b->from->order);
}

/* A file that has a property twice, of which the last counts, as with Java. */
static void
note_repeated(Loader *loader)
{
	const Resolved *all = loader->resolved;

	for (size_t i = 0; i + 1 < loader->count; i++)
	{
		const Assignment *first = all[i].from;
		const Assignment *second = all[i + 1].from;
		char shown[SHOWN_SIZE];

		if (first->source != ASSIGN_FILE || second->source != ASSIGN_FILE ||
		    first == second || strcmp(first->name, second->name) != 0 ||
		    strcmp(all[i].name, all[i + 1].name) != 0)
			continue;
		loader->warnings[loader->warning_count++] =
			arena_printf(loader->scratch,
		                 "property \"%s\" in %s is given again in %s, which counts",
		                 setting_shown(first->name, shown),
		                 first->place,
		                 second->place);
	}
}

static int
by_order(const void *left, const void *right)
{
	const Resolved *a = left;
	const Resolved *b = right;

	return compare_size(a->from->order, b->from->order);
}

/* Two spellings of one setting, neither its own name, that want different values. */
static bool
is_conflict(const Resolved *a, const Resolved *b)
{
	return strcmp(a->name, b->name) == 0 && a->rank == b->rank && a->rank % 2 == 0 &&
	       strcmp(a->from->name, b->from->name) != 0 && strcmp(a->value, b->value) != 0;
}

/* Keep, of all that set the same, the one that wins; in the order they were written. */
static bool
choose_winners(Loader *loader)
{
	Resolved *all = loader->resolved;
	size_t kept = 0;

	qsort(all, loader->count, sizeof *all, by_name_and_rank);
	note_repeated(loader);
	for (size_t i = 0; i < loader->count; i++)
	{
		if (i + 1 < loader->count && strcmp(all[i].name, all[i + 1].name) == 0)
		{
			bool last =
				i + 2 == loader->count || strcmp(all[i].name, all[i + 2].name) != 0;

			if (last && is_conflict(&all[i], &all[i + 1]))
			{
				(void) fail(
					loader->err,
					ERR_CONFIG,
					"properties \"%s\" in %s and \"%s\" in %s differ, but stand for "
					"one setting",
					all[i].from->name,
					all[i].from->place,
					all[i + 1].from->name,
					all[i + 1].from->place);
				return fail_hint(loader->err, "Set \"%s\" instead.", all[i].name);
			}
			continue;
		}
		all[kept++] = all[i];
	}
	loader->count = kept;
	qsort(all, kept, sizeof *all, by_order);
	return true;
}

static bool
store_option(Loader *loader, const Resolved *resolved)
{
	Alloc alloc = arena_as_alloc(loader->arena);
	EnvError reason = { "", "" };

	if (env_option_set(
			&loader->config->env, resolved->name, resolved->value, &alloc, &reason))
		return true;
	(void) fail(loader->err,
	            ERR_CONFIG,
	            "invalid setting \"%s\" in %s: %s",
	            mask_shown(resolved->name, &alloc),
	            resolved->from->place,
	            reason.message);
	return fail_hint(loader->err, "%s", reason.hint);
}

static void
store_pair(Loader *loader, const Resolved *resolved)
{
	const PairSetting *row = resolved->pair;
	ConfigPair **pairs = (void *) ((char *) loader->config + row->offset);
	size_t *count = (void *) ((char *) loader->config + row->count_offset);
	size_t at = *count;

	if (*pairs == NULL) /* there cannot be more than all that is left */
		*pairs = arena_alloc(loader->arena, loader->count * sizeof **pairs);
	if (strcmp(resolved->name, "kafka.bootstrap.servers") == 0)
	{
		memmove(*pairs + 1, *pairs, *count * sizeof **pairs);
		at = 0;
	}
	(*pairs)[at] = (ConfigPair){
		arena_strdup(loader->arena, resolved->name + strlen(row->prefix)),
		arena_strdup(loader->arena, resolved->value),
	};
	(*count)++;
}

static bool
store_all(Loader *loader)
{
	size_t count;
	const Setting *settings = setting_table(&count);

	for (size_t i = 0; i < count; i++)
		if (!setting_store(&settings[i],
		                   loader->config,
		                   loader->arena,
		                   settings[i].boot,
		                   "the defaults",
		                   loader->err))
			return false;
	for (size_t i = 0; i < loader->count; i++)
	{
		const Resolved *resolved = &loader->resolved[i];
		bool ok = true;

		if (resolved->setting != NULL)
			ok = setting_store(resolved->setting,
			                   loader->config,
			                   loader->arena,
			                   resolved->value,
			                   resolved->from->place,
			                   loader->err);
		else if (resolved->option != NULL)
			ok = store_option(loader, resolved);
		else
			store_pair(loader, resolved);
		if (!ok)
			return false;
	}
	return true;
}

static int
by_value_name(const void *left, const void *right)
{
	const ConfigValue *a = left;
	const ConfigValue *b = right;

	return strcmp(a->name, b->name);
}

static void
list_value(Loader *loader, const char *name, const char *boot)
{
	Config *config = loader->config;
	ConfigValue *value = &config->values[config->value_count++];

	*value = (ConfigValue){ name, boot, NULL, setting_is_secret(name) };
	for (size_t i = 0; i < loader->count; i++)
	{
		if (strcmp(loader->resolved[i].name, name) != 0)
			continue;
		value->value = arena_strdup(loader->arena, loader->resolved[i].value);
		value->place = arena_strdup(loader->arena, loader->resolved[i].from->place);
	}
}

static bool
is_of_family(const Resolved *resolved)
{
	return resolved->option != NULL && env_option_is_family(resolved->option);
}

/* Remember every setting as text, for printing and for messages. */
static void
list_values(Loader *loader)
{
	size_t setting_count;
	size_t option_count;
	const Setting *settings = setting_table(&setting_count);
	const EnvOptionDef *options = env_option_table(&option_count);
	Config *config = loader->config;

	config->values = arena_alloc(loader->arena,
	                             (setting_count + option_count + loader->count) *
	                                 sizeof *config->values);
	for (size_t i = 0; i < setting_count; i++)
		list_value(loader, settings[i].name, settings[i].boot);
	for (size_t i = 0; i < option_count; i++)
		if (!env_option_is_family(&options[i]))
			list_value(loader, options[i].name, options[i].boot);
	for (size_t i = 0; i < loader->count; i++)
	{
		const Resolved *resolved = &loader->resolved[i];

		if (resolved->pair == NULL && !is_of_family(resolved))
			continue;
		config->values[config->value_count++] = (ConfigValue){
			arena_strdup(loader->arena, resolved->name),
			arena_strdup(loader->arena, resolved->value),
			arena_strdup(loader->arena, resolved->from->place),
			resolved->pair != NULL && setting_is_secret(resolved->name),
		};
	}
	qsort(config->values, config->value_count, sizeof *config->values, by_value_name);
}

static bool
load(Loader *loader, const ConfigInput *input)
{
	AssignList *list = &loader->list;

	if (!assign_all(list, input, loader->err))
		return false;
	loader->resolved =
		arena_alloc(loader->scratch, list->count * 2 * sizeof *loader->resolved);
	loader->notes = arena_alloc(loader->scratch, list->count * 2 * sizeof *loader->notes);
	loader->warnings =
		arena_alloc(loader->scratch, list->count * 2 * sizeof *loader->warnings);
	for (size_t i = 0; i < list->count; i++)
		if (!resolve(loader, &list->items[i]))
			return false;
	if (!choose_winners(loader) || !store_all(loader))
		return false;
	list_values(loader);
	config_fit(loader->config, loader->arena, input->memory_limit);
	return config_check(loader->config, loader->arena, loader->err);
}

static void
log_notes(const Loader *loader)
{
	if (loader->config->log_level >= LOG_WARNING)
		for (size_t i = 0; i < loader->warning_count; i++)
			log_warning("config", "%s", loader->warnings[i]);
	if (loader->config->log_level >= LOG_INFO)
		for (size_t i = 0; i < loader->note_count; i++)
			log_info("config", "%s", loader->notes[i]);
}

Config *
config_load(Arena *arena, const ConfigInput *input, Err *err)
{
	Config *config = arena_zero(arena, sizeof *config);
	Arena *scratch = arena_new();
	Loader loader = {
		.arena = arena,
		.scratch = scratch,
		.config = config,
		.list.arena = scratch,
		.variables = input->environ,
		.err = err,
	};
	Alloc alloc = arena_as_alloc(arena);

	env_options_init(&config->env, &alloc);
	if (!load(&loader, input))
	{
		config_free(config);
		config = NULL;
	}
	else
	{
		config->env.publishes_skipped =
			config->publication_mode == PUBLICATION_DISABLED ||
			config->publication_mode == PUBLICATION_NO_TABLES;
		log_notes(&loader);
	}
	arena_free(scratch);
	return config;
}

void
config_free(Config *config)
{
	size_t count;
	const Setting *settings = setting_table(&count);

	if (config == NULL)
		return;
	env_options_fini(&config->env);
	for (size_t i = 0; i < count; i++)
		if (settings[i].kind == SETTING_LIST)
			filter_free((void *) ((char *) config + settings[i].offset));
}
