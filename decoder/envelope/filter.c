/*
 * filter.c
 *		lists of regular expressions, and which tables and columns they name.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/filter.h"

#include "envelope/options.h"
#include "envelope/regex.h"
#include "envelope/relation.h"

#include <stdio.h>

/* Cut the next expression off a list: ends at a comma without a backslash, which is then
 * dropped. */
static char *
next_pattern(char **rest)
{
	char *start = *rest + strspn(*rest, " \t\n\r");
	char *from = start;
	char *to = start;

	while (*from != '\0' && *from != ',')
	{
		if (from[0] == '\\' && from[1] == ',')
			from++;
		else if (from[0] == '\\' && from[1] != '\0')
			*to++ = *from++;
		*to++ = *from++;
	}
	*rest = *from == ',' ? from + 1 : from;
	while (to > start && strchr(" \t\n\r", to[-1]) != NULL)
		to--;
	*to = '\0';
	return start;
}

bool
filter_compile(FilterList *list, const char *text, const Alloc *alloc, EnvError *error)
{
	char *copy = alloc_copy(alloc, slice_from(text));
	size_t commas = 1;

	for (const char *c = text; *c != '\0'; c++)
		commas += *c == ',';
	list->text = alloc_copy(alloc, slice_from(text));
	list->count = 0;
	list->patterns = alloc_zero(alloc, commas * sizeof *list->patterns);
	list->expressions = alloc_zero(alloc, commas * sizeof *list->expressions);
	while (*copy != '\0')
	{
		const char *pattern = next_pattern(&copy);

		if (*pattern == '\0')
			continue;
		list->patterns[list->count] = regex_compile(pattern, alloc, error);
		if (list->patterns[list->count] == NULL)
			return false;
		list->expressions[list->count++] = pattern;
	}
	return true;
}

size_t
filter_first(const FilterList *list, const char *name)
{
	size_t i = 0;

	while (i < list->count && !regex_matches(list->patterns[i], name))
		i++;
	return i;
}

bool
filter_matches(const FilterList *list, const char *name)
{
	return filter_first(list, name) < list->count;
}

void
filter_free(FilterList *list)
{
	list->count = 0;
}

static bool
passes(const FilterList *include, const FilterList *exclude, const char *name)
{
	return (include->count == 0 || filter_matches(include, name)) &&
	       !filter_matches(exclude, name);
}

FilterTable
filter_table(const EnvOptions *options, const Relation *relation)
{
	if (options->publish_via_partition_root && relation->root_relid != 0)
		return (FilterTable){ relation->root_schema, relation->root_name };
	return (FilterTable){ relation->schema, relation->name };
}

bool
filter_wants_table(const EnvOptions *options, const char *schema, const char *table)
{
	char name[FILTER_NAME_BYTES];

	(void) snprintf(name, sizeof name, "%s.%s", schema, table);
	return passes(&options->schema_include_list, &options->schema_exclude_list, schema) &&
	       passes(&options->table_include_list, &options->table_exclude_list, name);
}

bool
filter_wants_column(const EnvOptions *options, const char *schema, const char *table,
                    const char *column)
{
	char name[FILTER_NAME_BYTES];

	(void) snprintf(name, sizeof name, "%s.%s.%s", schema, table, column);
	return passes(&options->column_include_list, &options->column_exclude_list, name);
}
