/*
 * lake_catalog.c
 *		partitions that were attached or detached without a change that tells.
 *
 * With a change of its rows a partition is found to be another table's, or none
 * (sources.c).  Where none comes, the catalog's look does it: everything before it is in
 * silver, so a partition that silver knows and the catalog has elsewhere was detached,
 * and one that had rows and silver does not know was attached with them.  A table that is
 * stale already, or being read, is looked at the next time.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/unread.h"
#include "lake/lake_state.h"

/* In source, whose rows they were, or to be. */
static void
note(Lake *lake, Source *source, const Belonging *table, const char *what)
{
	char reason[320];

	(void) snprintf(reason, sizeof reason, "\"%s\" %s", table->name, what);
	silver_ask(source->silver, reason);
	source->is_touched = true;
	lake_set_deadline(lake);
}

/* A table of which there is no silver yet.  One of its name is another's, that was
 * dropped: its first event tells what becomes of that (lake.on.recreated). */
static void
ask_new(Lake *lake, const char *name)
{
	if (lake->config->lake_on_stale != STALE_READ ||
	    lake->config->snapshot_mode == SNAPSHOT_NO_DATA ||
	    unread_has(lake->position.unread, name))
		return;
	for (size_t i = 0; i < sources_count(lake->sources); i++)
	{
		const Source *source = sources_get(lake->sources, i);
		const char *other =
			source->silver == NULL
				? NULL
				: table_property(silver_table(source->silver), SOURCE_PROPERTY);

		if (other != NULL && strcmp(other, name) == 0)
			return;
	}
	lake_ask(lake, name);
	lake_set_deadline(lake);
}

/* own: that it has of its own; NULL: none. */
static bool
note_detached(Lake *lake, Source *source, Source *own, const Belonging *table, Err *err)
{
	if (!silver_forget(source->silver, table->relid, err))
		return false;
	source->is_touched = true;
	if (silver_rows(source->silver) > 0)
		note(lake, source, table, "was detached: its rows are still here");
	if (table->root != 0 || !table->is_read)
		return true;
	if (own == NULL)
		ask_new(lake, table->name);
	else
		note(lake, own, table, "was detached: its rows were not read");
	return true;
}

static void
note_attached(Lake *lake, Source *root, const Belonging *table)
{
	if (root == NULL)
		ask_new(lake, table->root_name);
	else if (silver_stale(root->silver) == NULL &&
	         !silver_tracks(root->silver, table->relid))
		note(lake, root, table, "was attached: its rows were not read");
}

static Source *
find(Lake *lake, uint32_t relid)
{
	for (size_t i = 0; relid != 0 && i < sources_count(lake->sources); i++)
	{
		Source *source = sources_get(lake->sources, i);

		if (source->silver != NULL && silver_relid(source->silver) == relid)
			return source;
	}
	return NULL;
}

static bool
look_at(Lake *lake, const Belonging *table, Err *err)
{
	for (size_t i = 0; i < sources_count(lake->sources); i++)
	{
		Source *source = sources_get(lake->sources, i);
		uint32_t relid = source->silver == NULL ? 0 : silver_relid(source->silver);

		if (relid != 0 && relid != table->root && relid != table->relid &&
		    silver_stale(source->silver) == NULL &&
		    silver_tracks(source->silver, table->relid) &&
		    !note_detached(lake, source, find(lake, table->relid), table, err))
			return false;
	}
	if (table->has_rows)
		note_attached(lake, find(lake, table->root), table);
	return true;
}

/* ---- What is not there any more ---- */

typedef struct Tables
{
	const Belonging *items;
	size_t count;
} Tables;

static int
compare_relids(const void *key, const void *item)
{
	uint32_t relid = *(const uint32_t *) key;
	const Belonging *table = item;

	return (relid > table->relid) - (relid < table->relid);
}

static const Belonging *
find_table(const Tables *tables, uint32_t relid)
{
	return bsearch(
		&relid, tables->items, tables->count, sizeof *tables->items, compare_relids);
}

/* Partitions of source, a partitioned table that is there, that are not. */
static bool
note_dropped(Lake *lake, Source *source, const Tables *tables, Err *err)
{
	const Belonging *root;
	bool has_lost = false;
	uint32_t relid;

	if (source->silver == NULL || silver_stale(source->silver) != NULL)
		return true;
	root = find_table(tables, silver_relid(source->silver));
	if (root == NULL || root->kind != 'p')
		return true;
	for (int32_t i = 0; (relid = silver_tracked(source->silver, i)) != 0; i++)
	{
		if (find_table(tables, relid) != NULL)
			continue;
		if (!silver_forget(source->silver, relid, err))
			return false;
		has_lost = true;
		i--;
	}
	if (has_lost && silver_rows(source->silver) > 0)
		note(lake,
		     source,
		     root,
		     "lost a partition that was dropped: its rows are still here");
	return true;
}

bool
lake_take_catalog(Lake *lake, const Event *event, Err *err)
{
	const Tables tables = { (const Belonging *) event->old_tuple.data,
		                    event->old_tuple.len / sizeof *tables.items };

	for (size_t i = 0; i < tables.count; i++)
		if (!look_at(lake, &tables.items[i], err))
			return false;
	for (size_t i = 0; i < sources_count(lake->sources) &&
	                   lake->config->lake_on_dropped == DROPPED_READ;
	     i++)
		if (!note_dropped(lake, sources_get(lake->sources, i), &tables, err))
			return false;
	return true;
}
