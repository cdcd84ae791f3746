/*
 * print.c
 *		a configuration, the reference and a sample, all from the tables.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "config/print.h"

#include <stdlib.h>

#include "config/assign.h"
#include "config/foreign.h"
#include "config/settings.h"
#include "config/transforms.h"

/* A row of any of the three tables. */
typedef struct Entry
{
	const char *name;
	const char *boot;
	const char *values;
	const char *doc;
	int flags;
} Entry;

/* Write a value so that the properties reader gives it back. */
static void
print_escaped(const char *value, FILE *to)
{
	static const char controls[] = "\n\t\r\f";
	static const char letters[] = "ntrf";
	bool leading = true;

	for (const char *p = value; *p != '\0'; p++)
	{
		const char *control = strchr(controls, *p);

		if (control != NULL)
			(void) fprintf(to, "\\%c", letters[control - controls]);
		else if (*p == '\\' || (leading && *p == ' '))
			(void) fprintf(to, "\\%c", *p);
		else if (*p == '$' && p[1] == '{')
			(void) fputs("\\\\$", to); /* not an expression */
		else
			(void) fputc(*p, to);
		leading = leading && *p == ' ';
	}
}

/* http://user:password@host */
static bool
has_login(const char *value)
{
	const char *host = strstr(value, "://");

	return host != NULL && strchr(host, '@') != NULL;
}

void
config_print(const Config *config, FILE *to)
{
	Arena *arena = arena_new();
	Alloc alloc = arena_as_alloc(arena);

	for (size_t i = 0; i < config->value_count; i++)
	{
		const ConfigValue *value = &config->values[i];

		(void) fprintf(to, "%s=", mask_shown(value->name, &alloc));
		if ((value->secret && *value->value != '\0') || has_login(value->value))
			(void) fputs("***", to);
		else
			print_escaped(value->value, to);
		(void) fputc('\n', to);
	}
	arena_free(arena);
}

static int
by_name(const void *left, const void *right)
{
	const Entry *a = left;
	const Entry *b = right;

	return strcmp(a->name, b->name);
}

/* Every row, sorted by name. */
static Entry *
list_entries(Arena *arena, size_t *total)
{
	size_t setting_count;
	size_t option_count;
	size_t pair_count;
	const Setting *settings = setting_table(&setting_count);
	const EnvOptionDef *options = env_option_table(&option_count);
	const PairSetting *pairs = pair_table(&pair_count);
	Entry *entries =
		arena_alloc(arena, (setting_count + option_count + pair_count) * sizeof *entries);
	Entry *at = entries;

	for (size_t i = 0; i < setting_count; i++)
		*at++ = (Entry){ settings[i].name,
			             settings[i].boot,
			             setting_values(&settings[i], arena),
			             settings[i].doc,
			             settings[i].flags };
	for (size_t i = 0; i < option_count; i++)
		*at++ = (Entry){
			options[i].name, options[i].boot, options[i].values, options[i].doc, 0
		};
	for (size_t i = 0; i < pair_count; i++)
		*at++ = (Entry){ arena_printf(arena, "%s*", pairs[i].prefix),
			             "",
			             pairs[i].values,
			             pairs[i].doc,
			             0 };
	*total = (size_t) (at - entries);
	qsort(entries, *total, sizeof *entries, by_name);
	return entries;
}

/* Text of a table cell: a bar would end it. */
static void
print_cell(const char *text, FILE *to)
{
	for (; *text != '\0'; text++)
		(void) fprintf(to, *text == '|' ? "\\%c" : "%c", *text);
}

static void
print_code_cell(const char *text, FILE *to)
{
	if (*text == '\0')
		return;
	(void) fputc('`', to);
	print_cell(text, to);
	(void) fputc('`', to);
}

void
config_print_reference(FILE *to)
{
	Arena *arena = arena_new();
	size_t count;
	const Entry *entries = list_entries(arena, &count);

	(void) fputs("| Setting | Default | Values | Meaning |\n|---|---|---|---|\n", to);
	for (size_t i = 0; i < count; i++)
	{
		(void) fputs("| ", to);
		print_code_cell(entries[i].name, to);
		(void) fputs(" | ", to);
		if ((entries[i].flags & SETTING_REQUIRED) != 0)
			(void) fputs("required", to);
		else
			print_code_cell(entries[i].boot, to);
		(void) fputs(" | ", to);
		print_cell(entries[i].values, to);
		(void) fputs(" | ", to);
		print_cell(entries[i].doc, to);
		if ((entries[i].flags & SETTING_SECRET) != 0)
			(void) fputs(" Secret.", to);
		(void) fputs(" |\n", to);
	}
	arena_free(arena);
}

void
config_print_debezium(FILE *to)
{
	static const char *const answers[] = {
		[FOREIGN_ALIAS] = "means",
		[FOREIGN_IGNORED] = "ignored",
		[FOREIGN_FIXED] = "accepted as",
		[FOREIGN_REFUSED] = "refused",
	};
	size_t count;
	const Foreign *rows = foreign_table(&count);

	(void) fputs("| Property | Answer | Value or setting | Remark |\n|---|---|---|---|\n",
	             to);
	for (size_t i = 0; i < count; i++)
	{
		(void) fprintf(to, "| `%s` | %s | ", rows[i].name, answers[rows[i].rule]);
		if (rows[i].rule == FOREIGN_FIXED && *rows[i].target == '\0')
			(void) fputs("empty", to);
		else if (rows[i].target != NULL)
			print_code_cell(rows[i].target + strspn(rows[i].target, ","), to);
		(void) fputs(" | ", to);
		print_cell(rows[i].note, to);
		(void) fputs(" |\n", to);
	}
}

static void
print_option_row(const TransformOption *option, FILE *to)
{
	(void) fprintf(to, "| `%s` | ", option->name);
	if (option->required && option->boot == NULL)
		(void) fputs("required", to);
	else if (option->boot != NULL)
		print_code_cell(option->boot, to);
	(void) fputs(" | ", to);
	print_cell(option->kind == STAGE_FLAG      ? "true, false"
	           : option->kind == STAGE_REFUSED ? "not supported"
	                                           : option->values,
	           to);
	(void) fputs(" | ", to);
	print_cell(option->doc, to);
	(void) fputs(" |\n", to);
}

void
config_print_transforms(FILE *to)
{
	size_t count;
	const TransformClass *rows = transform_classes(&count);

	for (size_t i = 0; i < count; i++)
	{
		(void) fprintf(
			to, "%s**`%s`**: %s\n", i == 0 ? "" : "\n", rows[i].name, rows[i].doc);
		if (rows[i].count > 0)
			(void) fputs("\n| Option | Default | Values | Meaning |\n|---|---|---|---|\n",
			             to);
		for (size_t j = 0; j < rows[i].count; j++)
			print_option_row(&rows[i].options[j], to);
	}
}

void
config_print_help(FILE *to)
{
	Arena *arena = arena_new();
	size_t count;
	const Entry *entries = list_entries(arena, &count);

	for (size_t i = 0; i < count; i++)
	{
		const char *boot = entries[i].boot;

		(void) fprintf(to, "  %s", entries[i].name);
		if ((entries[i].flags & SETTING_REQUIRED) != 0)
			(void) fputs(" (required)", to);
		else if (*boot != '\0')
			(void) fprintf(to, " (%s)", boot);
		(void) fprintf(to, "\n      %s\n", entries[i].doc);
		if (*entries[i].values != '\0')
			(void) fprintf(to, "      Values: %s.\n", entries[i].values);
	}
	arena_free(arena);
}

void
man_text(const char *text, FILE *to)
{
	for (const char *p = text; *p != '\0'; p++)
	{
		bool is_command = p == text && (*p == '.' || *p == '\'');

		if (is_command)
			(void) fputs("\\&", to);
		if (*p == '\\')
			(void) fputs("\\e", to);
		else
			(void) fprintf(to, *p == '-' ? "\\%c" : "%c", *p);
	}
	(void) fputc('\n', to);
}

void
config_print_man(FILE *to)
{
	Arena *arena = arena_new();
	size_t count;
	const Entry *entries = list_entries(arena, &count);

	for (size_t i = 0; i < count; i++)
	{
		(void) fputs(".TP\n.B ", to);
		man_text(entries[i].name, to);
		man_text(entries[i].doc, to);
		if (*entries[i].values != '\0')
			man_text(arena_printf(arena, "Values: %s.", entries[i].values), to);
		if ((entries[i].flags & SETTING_REQUIRED) != 0)
			man_text("Required.", to);
		else if (*entries[i].boot != '\0')
			man_text(arena_printf(arena, "Default: %s.", entries[i].boot), to);
	}
	arena_free(arena);
}

void
config_print_sample(FILE *to)
{
	Arena *arena = arena_new();
	size_t count;
	const Entry *entries = list_entries(arena, &count);

	(void) fputs(
		"# Configuration of cdc-sink: Java properties, in UTF-8.\n"
		"#\n"
		"# Each setting is also read from the environment (database.password is\n"
		"# CDC_SINK_DATABASE_PASSWORD, or CDC_SINK_DATABASE_PASSWORD_FILE for a file that\n"
		"# holds it) and from --set name=value.  A line that begins with # and a name shows\n"
		"# the default.\n",
		to);
	for (size_t i = 0; i < count; i++)
	{
		bool is_required = (entries[i].flags & SETTING_REQUIRED) != 0;

		(void) fprintf(to, "\n# %s\n", entries[i].doc);
		if (strchr(entries[i].name, '*') != NULL)
			continue;
		if (*entries[i].values != '\0')
			(void) fprintf(to, "# Values: %s.\n", entries[i].values);
		(void) fprintf(to, "%s%s=", is_required ? "" : "#", entries[i].name);
		print_escaped(entries[i].boot, to);
		(void) fputc('\n', to);
	}
	arena_free(arena);
}
