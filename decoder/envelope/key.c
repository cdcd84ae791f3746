/*
 * key.c
 *		message.key.columns.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/key.h"

#include "envelope/options.h"

#include <stdio.h>

static bool
refuse(EnvError *error, const char *text)
{
	(void) env_fail(
		error, "invalid value for option \"message.key.columns\": \"%s\"", text);
	(void) snprintf(error->hint,
	                sizeof error->hint,
	                "Write schema.table:column,column for each table, separated by "
	                "semicolons.");
	return false;
}

/* Together they are wrong: show of which part, as it was written, if one alone is. */
static bool
explain(const char *table, const char *column, const Alloc *alloc, EnvError *error)
{
	FilterList alone;
	EnvError part;

	if (!filter_compile(&alone, table, alloc, &part) ||
	    !filter_compile(&alone, column, alloc, &part))
		*error = part;
	return false;
}

/* Add the rule of one column of table, both terminated. */
static bool
add_column(KeyRules *rules, const char *table, char *column, const Alloc *alloc,
           EnvError *error)
{
	FilterList *list;
	size_t len;
	char *expression;

	column += strspn(column, " \t\n\r");
	len = strlen(column);
	while (len > 0 && strchr(" \t\n\r", column[len - 1]) != NULL)
		column[--len] = '\0';
	expression = alloc_zero(alloc, strlen(table) + len + 2);
	(void) snprintf(expression, strlen(table) + len + 2, "%s.%s", table, column);
	list = &rules->columns[rules->count];
	if (!filter_compile(list, expression, alloc, error))
		return explain(table, column, alloc, error);
	(void) snprintf(expression, strlen(table) + len + 2, "%s:%s", table, column);
	list->text = expression;
	rules->count++;
	return true;
}

/* One table's part: expression, colon, columns. */
static bool
add_table(KeyRules *rules, char *part, const Alloc *alloc, EnvError *error)
{
	char *columns = strchr(part, ':');

	if (columns == NULL || columns == part || strchr(columns + 1, ':') != NULL)
		return false;
	*columns++ = '\0';
	part += strspn(part, " \t\n\r");
	while (columns != NULL)
	{
		char *comma = strchr(columns, ',');

		if (comma != NULL)
			*comma = '\0';
		if (*columns == '\0' || !add_column(rules, part, columns, alloc, error))
			return false;
		columns = comma == NULL ? NULL : comma + 1;
	}
	return true;
}

bool
key_compile(KeyRules *rules, const char *text, const Alloc *alloc, EnvError *error)
{
	char *part = alloc_copy(alloc, slice_from(text));
	size_t most = 1;

	for (const char *c = text; *c != '\0'; c++)
		most += *c == ',' || *c == ';';
	*rules = (KeyRules){ alloc_copy(alloc, slice_from(text)), 0, NULL };
	rules->columns = alloc_zero(alloc, most * sizeof *rules->columns);
	error->message[0] = '\0';
	while (*part != '\0')
	{
		char *next = part + strcspn(part, ";");
		bool last = *next == '\0';

		*next = '\0';
		if (!add_table(rules, part, alloc, error))
		{
			key_free(rules);
			return error->message[0] != '\0' ? false : refuse(error, text);
		}
		part = last ? next : next + 1;
	}
	return true;
}

void
key_free(KeyRules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		filter_free(&rules->columns[i]);
	rules->count = 0;
}

bool
key_names(const KeyRules *rules, const char *schema, const char *table,
          const char *column)
{
	char name[FILTER_NAME_BYTES];

	if (rules->count == 0)
		return false;
	(void) snprintf(name, sizeof name, "%s.%s.%s", schema, table, column);
	for (size_t i = 0; i < rules->count; i++)
		if (filter_matches(&rules->columns[i], name))
			return true;
	return false;
}

static uint16_t
add_once(uint16_t *columns, uint16_t count, uint16_t column)
{
	for (uint16_t i = 0; i < count; i++)
		if (columns[i] == column)
			return count;
	columns[count] = column;
	return (uint16_t) (count + 1);
}

uint16_t
key_columns(const EnvOptions *options, const Relation *relation, uint16_t *columns)
{
	const KeyRules *rules = &options->message_key_columns;
	FilterTable table = filter_table(options, relation);
	uint16_t count = 0;

	for (size_t rule = 0; rule < rules->count && !options->lossless; rule++)
		for (uint16_t i = 0; i < relation->column_count; i++)
		{
			char name[FILTER_NAME_BYTES];

			(void) snprintf(name,
			                sizeof name,
			                "%s.%s.%s",
			                table.schema,
			                table.name,
			                relation->columns[i].name);
			if (filter_matches(&rules->columns[rule], name))
				count = add_once(columns, count, i);
		}
	if (count == 0)
		for (uint16_t i = 0; i < relation->key_count; i++)
			if (!options->lossless || !relation->columns[relation->key[i]].is_generated)
				count = add_once(columns, count, relation->key[i]);
	return count;
}
