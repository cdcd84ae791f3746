/*
 * lake_catalog.c
 *		what the catalog tells of silver's tables that the stream does not, or not yet.
 *
 * With a change of its rows a partition is found to be another table's, or none
 * (sources.c), and a table to be renamed or made again.  Where none comes, the catalog's
 * look does it.  Everything before it is in silver: so a partition that silver knows and
 * the catalog has elsewhere was detached, and one that had rows and silver does not know
 * was attached with them.  A table that is stale already is looked at the next time; only
 * where its promise is kept by no list, because it was asked for by a name that it had,
 * it is asked for by the one that it has, or the promise is taken back.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "event/unread.h"
#include "lake/lake_state.h"

/* The catalog's tables, and the sources that have silver, both by relid. */
typedef struct Tables
{
	const Belonging *items;
	size_t count;
	Source **sources;
	size_t source_count;
} Tables;

static int
compare_relids(const void *key, const void *item)
{
	uint32_t relid = *(const uint32_t *) key;
	const Belonging *table = item;

	return (relid > table->relid) - (relid < table->relid);
}

/* NULL: it is not there. */
static const Belonging *
find_table(const Tables *tables, uint32_t relid)
{
	return bsearch(
		&relid, tables->items, tables->count, sizeof *tables->items, compare_relids);
}

static int
compare_sources(const void *left, const void *right)
{
	uint32_t a = silver_relid((*(Source *const *) left)->silver);
	uint32_t b = silver_relid((*(Source *const *) right)->silver);

	return (a > b) - (a < b);
}

static int
compare_source(const void *key, const void *item)
{
	uint32_t relid = *(const uint32_t *) key;
	uint32_t other = silver_relid((*(Source *const *) item)->silver);

	return (relid > other) - (relid < other);
}

/* NULL: there is no silver of it. */
static Source *
find_source(const Tables *tables, uint32_t relid)
{
	Source *const *found = bsearch(&relid,
	                               tables->sources,
	                               tables->source_count,
	                               sizeof *tables->sources,
	                               compare_source);

	return found == NULL ? NULL : *found;
}

static void
touch(Lake *lake, Source *source)
{
	source->is_touched = true;
	lake_set_deadline(lake);
}

/* Ask for source by the name that it has, own; what is about name. */
static void
ask(Lake *lake, Source *source, const Belonging *own, const char *name, const char *what)
{
	if (own != NULL)
		sources_follow_rename(source, own->name);
	source_ask(source, name, what);
	lake_set_deadline(lake);
}

/* A table of which there is no silver yet.  One of its name is another's, that was
 * dropped: see note_successor(). */
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

		if (source->silver != NULL && source_known_as(source) != NULL &&
		    strcmp(source_known_as(source), name) == 0)
			return;
	}
	lake_ask(lake, name);
	lake_set_deadline(lake);
}

/* ---- Partitions ---- */

static bool
note_detached(Lake *lake, Source *source, const Tables *tables, const Belonging *leaf,
              Err *err)
{
	Source *own = find_source(tables, leaf->relid);

	if (!silver_forget(source->silver, leaf->relid, err))
		return false;
	touch(lake, source);
	if (silver_rows(source->silver) > 0)
		ask(lake,
		    source,
		    find_table(tables, silver_relid(source->silver)),
		    leaf->name,
		    "was detached: its rows are still here");
	if (leaf->root != 0 || !leaf->is_read)
		return true;
	if (own == NULL)
		ask_new(lake, leaf->name);
	else if (silver_stale(own->silver) == NULL)
		ask(lake, own, leaf, leaf->name, "was detached: its rows were not read");
	return true;
}

/* What silver has of a partition is not told from the rest: it stays, or all is read. */
static bool
note_dropped(Lake *lake, Source *source, const Belonging *own, uint32_t leaf, Err *err)
{
	if (!silver_forget(source->silver, leaf, err))
		return false;
	touch(lake, source);
	if (silver_rows(source->silver) > 0)
		ask(lake,
		    source,
		    own,
		    own->name,
		    "lost a partition that was dropped: its rows are still here");
	return true;
}

static bool
look_at_partitions(Lake *lake, Source *source, const Tables *tables, const Belonging *own,
                   Err *err)
{
	Silver *silver = source->silver;
	bool is_read =
		own != NULL && own->kind == 'p' && lake->config->lake_on_dropped == DROPPED_READ;
	uint32_t relid;

	for (int32_t i = 0; (relid = silver_tracked(silver, i)) != 0; i++)
	{
		const Belonging *leaf = find_table(tables, relid);
		bool is_detached = leaf != NULL && relid != silver_relid(silver) &&
		                   leaf->root != silver_relid(silver);

		if (is_detached && !note_detached(lake, source, tables, leaf, err))
			return false;
		if (leaf == NULL && is_read && !note_dropped(lake, source, own, relid, err))
			return false;
		i -= is_detached || (leaf == NULL && is_read); /* it is not tracked any more */
	}
	return true;
}

/* Rows that silver may lack: of a partition that it does not know, or of a table of which
 * there is no silver. */
static void
note_rows(Lake *lake, const Tables *tables, const Belonging *table)
{
	Source *source = find_source(tables, table->root != 0 ? table->root : table->relid);

	if (source == NULL)
		ask_new(lake, table->root != 0 ? table->root_name : table->name);
	else if (table->root != 0 && silver_stale(source->silver) == NULL &&
	         !silver_tracks(source->silver, table->relid))
		ask(lake,
		    source,
		    find_table(tables, table->root),
		    table->name,
		    "was attached: its rows were not read");
}

/* ---- Tables ---- */

/* A table was dropped, and another one has its name: under lake.on.recreated=stop the
 * first event says so. */
static void
note_successor(Lake *lake, Source *source, const Tables *tables)
{
	if (lake->config->lake_on_recreated != RECREATED_BY_NAME)
		return;
	for (size_t i = 0; i < tables->count; i++)
	{
		const Belonging *table = &tables->items[i];

		if (table->root == 0 && (table->is_read || table->kind == 'p') &&
		    find_source(tables, table->relid) == NULL &&
		    source_is_earlier(source, table->schema, table->name))
			ask(lake, source, NULL, table->name, "was dropped and created again");
	}
}

/* A table of which nothing is read though it is promised, or was read in part. */
static void
settle_promise(Lake *lake, Source *source, const Belonging *own)
{
	Silver *silver = source->silver;

	if (silver_asks(silver) ||
	    unread_has(lake->position.unread, source_known_as(source)) ||
	    (!silver_is_promised(silver) && !silver_is_partial(silver)))
		return;
	touch(lake, source);
	if (silver_is_partial(silver))
		silver_restate(silver, "the table was not read whole" SILVER_PROMISE);
	if (own != NULL && own->root != 0)
		silver_clear(silver); /* its rows are another's now */
	else if (own == NULL)
		silver_break_promise(silver, "it was dropped before it could be read again");
	else if ((own->kind == 'r' && !own->is_read) ||
	         (source->is_not_found && strcmp(own->name, source_known_as(source)) == 0))
		silver_break_promise(silver, "it is not captured any more, or cannot be read");
	else
	{
		sources_follow_rename(source, own->name);
		source->is_not_found = false;
		if (!silver_ask_again(silver))
			silver_break_promise(silver, "it is not read by itself");
	}
}

static bool
look_at(Lake *lake, Source *source, const Tables *tables, Err *err)
{
	const Belonging *own = find_table(tables, silver_relid(source->silver));

	if (silver_stale(source->silver) != NULL)
		settle_promise(lake, source, own);
	else if (own == NULL)
		note_successor(lake, source, tables);
	return silver_stale(source->silver) != NULL ||
	       look_at_partitions(lake, source, tables, own, err);
}

bool
lake_take_catalog(Lake *lake, const Event *event, Err *err)
{
	size_t count = sources_count(lake->sources);
	Tables tables = { .items = (const Belonging *) event->old_tuple.data,
		              .count = event->old_tuple.len / sizeof *tables.items,
		              .sources = xmalloc(sizeof *tables.sources * (count + 1)) };
	bool ok = true;

	for (size_t i = 0; i < count; i++)
		if (sources_get(lake->sources, i)->silver != NULL)
			tables.sources[tables.source_count++] = sources_get(lake->sources, i);
	qsort(tables.sources, tables.source_count, sizeof *tables.sources, compare_sources);
	for (size_t i = 0; ok && i < tables.source_count; i++)
		ok = look_at(lake, tables.sources[i], &tables, err);
	for (size_t i = 0; ok && i < tables.count; i++)
		if (tables.items[i].has_rows)
			note_rows(lake, &tables, &tables.items[i]);
	free(tables.sources);
	return ok;
}
