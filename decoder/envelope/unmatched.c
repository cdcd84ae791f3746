/*
 * unmatched.c
 *		lists of columns that name none.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/unmatched.h"

#include <stdio.h>

static bool
starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void
add_list(ColumnLists *lists, const char *property, const FilterList *list)
{
	if (list->count > 0)
		lists->items[lists->count++] = (ColumnList){
			.property = property,
			.list = list,
			.by_type = starts_with(property, "datatype."),
		};
}

ColumnLists
column_lists(const EnvOptions *options, const Alloc *alloc)
{
	size_t rows;
	const EnvOptionDef *table = env_option_table(&rows);
	const KeyRules *keys = &options->message_key_columns;
	const MaskRules *masks = &options->masks;
	ColumnLists lists = { .count = 0 };

	lists.items =
		alloc_zero(alloc, (rows + masks->count + keys->count + 1) * sizeof *lists.items);
	for (size_t i = 0; i < rows; i++)
		if (table[i].kind == OPTION_LIST && (starts_with(table[i].name, "column.") ||
		                                     starts_with(table[i].name, "datatype.")))
		{
			const void *member = (const char *) options + table[i].offset;

			add_list(&lists, table[i].name, member);
		}
	for (size_t i = 0; i < masks->count; i++)
		add_list(&lists,
		         mask_shown(masks->rules[i].property, alloc),
		         &masks->rules[i].columns);
	for (size_t i = 0; i < keys->count; i++)
		add_list(&lists, "message.key.columns", &keys->columns[i]);
	lists.unmatched = lists.count;
	return lists;
}

void
column_lists_mark(ColumnLists *lists, const char *schema, const char *table,
                  const char *column, const char *type)
{
	char by_name[FILTER_NAME_BYTES];
	char by_type[FILTER_NAME_BYTES];

	(void) snprintf(by_name, sizeof by_name, "%s.%s.%s", schema, table, column);
	(void) snprintf(by_type, sizeof by_type, "%s.%s.%s", schema, table, type);
	for (size_t i = 0; i < lists->count; i++)
	{
		ColumnList *item = &lists->items[i];

		if (item->matched ||
		    !filter_matches(item->list, item->by_type ? by_type : by_name))
			continue;
		item->matched = true;
		lists->unmatched--;
	}
}
