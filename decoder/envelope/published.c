/*
 * published.c
 *		looking up what is published.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/published.h"

#include <stdio.h>
#include <stdlib.h>

#include "envelope/counted.h"

#define ALL "*" /* no column is called so: they are numbers */

/* ---- The text ---- */

void
published_write_head(Buf *text, bool all_tables, int withheld)
{
	char number[16];

	(void) snprintf(number, sizeof number, "%d", withheld);
	counted_write(text, all_tables ? "all" : "listed");
	counted_write(text, number);
}

void
published_write_schema(Buf *text, const char *schema)
{
	counted_write(text, "schema");
	counted_write(text, schema);
}

void
published_write_table(Buf *text, uint32_t relid, const char *name, const char *columns,
                      const char *expression)
{
	char number[16];

	(void) snprintf(number, sizeof number, "%u", (unsigned) relid);
	counted_write(text, "table");
	counted_write(text, number);
	counted_write(text, name);
	counted_write(text, columns == NULL ? ALL : columns);
	counted_write(text, expression == NULL ? "" : expression);
}

static bool
read_table(PublishedTable *table, const char **text, const Alloc *alloc)
{
	const char *relid = counted_read(text, alloc);
	const char *name = relid == NULL ? NULL : counted_read(text, alloc);
	const char *columns = name == NULL ? NULL : counted_read(text, alloc);
	const char *expression = columns == NULL ? NULL : counted_read(text, alloc);

	if (expression == NULL)
		return false;
	table->relid = (uint32_t) strtoul(relid, NULL, 10);
	table->columns = strcmp(columns, ALL) == 0 ? NULL : columns;
	table->filter = (RowFilter){ name, *expression == '\0' ? NULL : expression };
	return true;
}

/* One schema or table. */
static bool
read_member(Published *published, const char **text)
{
	const char *kind = counted_read(text, &published->alloc);

	if (kind != NULL && strcmp(kind, "table") == 0)
		return read_table(
			&published->tables[published->table_count++], text, &published->alloc);
	if (kind == NULL || strcmp(kind, "schema") != 0)
		return false;
	return (published->schemas[published->schema_count++] =
	            counted_read(text, &published->alloc)) != NULL;
}

bool
published_read(Published *published, const char *text, EnvError *error)
{
	/* each member has a kind and at least one colon for each of its parts */
	size_t most = strlen(text) / 4 + 1;
	const char *kind;
	const char *withheld;
	bool ok;

	published->text = alloc_copy(&published->alloc, slice_from(text));
	published->tables = alloc_zero(&published->alloc, most * sizeof *published->tables);
	published->schemas = alloc_zero(&published->alloc, most * sizeof *published->schemas);
	published->table_count = 0;
	published->schema_count = 0;
	kind = counted_read(&text, &published->alloc);
	withheld = kind == NULL ? NULL : counted_read(&text, &published->alloc);
	ok = withheld != NULL;
	while (ok && *text != '\0')
		ok = read_member(published, &text);
	if (!ok)
		return env_fail(error, "malformed option \"" OPTION_PUBLISHED "\"");
	published->all_tables = strcmp(kind, "all") == 0;
	published->withheld = (int) strtol(withheld, NULL, 10);
	published->given = true;
	return true;
}

/* ---- What it says ---- */

static const PublishedTable *
find_table(const Published *published, uint32_t relid)
{
	if (relid == 0)
		return NULL;
	for (size_t i = 0; i < published->table_count; i++)
		if (published->tables[i].relid == relid)
			return &published->tables[i];
	return NULL;
}

static bool
has_schema(const Published *published, const char *schema)
{
	for (size_t i = 0; i < published->schema_count; i++)
		if (strcmp(published->schemas[i], schema) == 0)
			return true;
	return false;
}

bool
published_has(const Published *published, const Relation *relation)
{
	return !published->given || published->all_tables ||
	       find_table(published, relation->relid) != NULL ||
	       find_table(published, relation->root_relid) != NULL ||
	       has_schema(published, relation->schema) ||
	       (relation->root_relid != 0 && has_schema(published, relation->root_schema));
}

bool
published_has_column(const Published *published, const Relation *relation, int16_t attnum)
{
	const PublishedTable *table = find_table(published, relation->relid);
	const char *at = table == NULL ? NULL : table->columns;

	if (at == NULL)
		return true;
	while (*at != '\0')
	{
		char *end;

		if (strtol(at, &end, 10) == attnum)
			return true;
		if (end == at)
			break;
		at = end;
	}
	return false;
}

const RowFilter *
published_filter(const Published *published, const Relation *relation, bool via_root)
{
	bool of_root = via_root && relation->root_relid != 0;
	const PublishedTable *table =
		find_table(published, of_root ? relation->root_relid : relation->relid);

	return table == NULL || table->filter.expression == NULL ? NULL : &table->filter;
}
