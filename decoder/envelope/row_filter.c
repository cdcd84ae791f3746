/*
 * row_filter.c
 *		which table has which row filter.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/row_filter.h"

#include <stdio.h>

#include "envelope/counted.h"
#include "envelope/options.h"

static const char dotted[] = "row.filter.";
static const char plugins[] = "row_filter_";

bool
row_filter_is_property(const char *name, const char **table)
{
	const char *dot;

	if (strncmp(name, dotted, sizeof dotted - 1) != 0 &&
	    strncmp(name, plugins, sizeof plugins - 1) != 0)
		return false;
	*table = name + sizeof dotted - 1;
	dot = strchr(*table, '.');
	return dot != NULL && dot != *table && dot[1] != '\0';
}

static void
remove_rule(RowFilters *filters, size_t at)
{
	filters->count--;
	memmove(&filters->rules[at],
	        &filters->rules[at + 1],
	        (filters->count - at) * sizeof *filters->rules);
}

static void
insert_rule(RowFilters *filters, size_t at, const char *table, const Alloc *alloc)
{
	RowFilter *grown = alloc_zero(alloc, (filters->count + 1) * sizeof *grown);

	if (at > 0)
		memcpy(grown, filters->rules, at * sizeof *grown);
	if (at < filters->count)
		memcpy(
			grown + at + 1, filters->rules + at, (filters->count - at) * sizeof *grown);
	grown[at].table = alloc_copy(alloc, slice_from(table));
	filters->rules = grown;
	filters->count++;
}

static void
set_rule(RowFilters *filters, const char *table, const char *expression,
         const Alloc *alloc)
{
	size_t at = 0;
	bool known;

	while (at < filters->count && strcmp(filters->rules[at].table, table) < 0)
		at++;
	known = at < filters->count && strcmp(filters->rules[at].table, table) == 0;
	if (expression[strspn(expression, " \t\r\n")] == '\0')
	{
		if (known)
			remove_rule(filters, at);
		return;
	}
	if (!known)
		insert_rule(filters, at, table, alloc);
	filters->rules[at].expression = alloc_copy(alloc, slice_from(expression));
}

bool
row_filter_set(RowFilters *filters, const char *name, const char *expression,
               const Alloc *alloc, EnvError *error)
{
	const char *table;

	if (!row_filter_is_property(name, &table))
		return env_fail(error, "unrecognized option \"%s\"", name);
	set_rule(filters, table, expression, alloc);
	return true;
}

void
row_filter_write(const RowFilters *filters, Buf *text)
{
	for (size_t i = 0; i < filters->count; i++)
	{
		counted_write(text, filters->rules[i].table);
		counted_write(text, filters->rules[i].expression);
	}
}

bool
row_filter_read(RowFilters *filters, const char *text, const Alloc *alloc,
                EnvError *error)
{
	while (*text != '\0')
	{
		const char *table = counted_read(&text, alloc);
		const char *expression = table == NULL ? NULL : counted_read(&text, alloc);

		if (expression == NULL)
		{
			(void) env_fail(error, "malformed list of row filters");
			(void) snprintf(error->hint,
			                sizeof error->hint,
			                "Write length:schema.table length:expression for each "
			                "filter, without the space.");
			return false;
		}
		set_rule(filters, table, expression, alloc);
	}
	return true;
}

const RowFilter *
row_filter_named(const RowFilters *filters, const char *schema, const char *table)
{
	size_t len = strlen(schema);

	for (size_t i = 0; i < filters->count; i++)
	{
		const char *name = filters->rules[i].table;

		if (strncmp(name, schema, len) == 0 && name[len] == '.' &&
		    strcmp(name + len + 1, table) == 0)
			return &filters->rules[i];
	}
	return NULL;
}

const RowFilter *
row_filter_of(const EnvOptions *options, const Relation *relation, const char **name)
{
	const RowFilters *filters = &options->row_filters;
	const RowFilter *filter = NULL;
	const char *found = relation->name;

	if (options->published->given && options->published->everywhere &&
	    (filter = published_filter(
			 options->published, relation, options->publish_via_partition_root)) != NULL)
	{
		if (name != NULL)
			*name = options->publish_via_partition_root && relation->root_relid != 0
			            ? relation->root_name
			            : relation->name;
		return filter;
	}
	if (filters->count == 0)
		return NULL;
	if (relation->root_relid == 0 || !options->publish_via_partition_root)
		filter = row_filter_named(filters, relation->schema, relation->name);
	if (filter == NULL && relation->root_relid != 0)
	{
		filter = row_filter_named(filters, relation->root_schema, relation->root_name);
		found = relation->root_name;
	}
	if (name != NULL)
		*name = found;
	return filter;
}
