/*
 * sources.c
 *		finding and making the tables of a source table.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/sources.h"

#include <stdlib.h>

#include "base/log.h"
#include "lake/shape.h"

#define SILVER_PREFIX "silver_"
#define BRONZE_PREFIX "bronze_"
#define CACHE_FIRST   64

typedef struct CacheSlot
{
	const Relation *relation; /* NULL: free */
	Source *source;
} CacheSlot;

struct Sources
{
	Store *store;
	Source **items;
	size_t count;
	CacheSlot *cache; /* by the relation's address; a power of two, at most half full */
	size_t cache_size;
	size_t cache_count;
};

/* ---- The list ---- */

static Source *
add_source(Sources *sources)
{
	Source *source = xmalloc(sizeof *source);

	*source = (Source){ 0 };
	sources->items = xrealloc(sources->items, sizeof(Source *) * (sources->count + 1));
	sources->items[sources->count++] = source;
	return source;
}

size_t
sources_count(const Sources *sources)
{
	return sources->count;
}

Source *
sources_get(Sources *sources, size_t i)
{
	return sources->items[i];
}

static Table *
source_table(const Source *source)
{
	return source->silver != NULL ? silver_table(source->silver)
	                              : bronze_table(source->bronze);
}

static bool
is_root(const Source *source, uint32_t root)
{
	return (source->silver != NULL ? silver_relid(source->silver)
	                               : bronze_relid(source->bronze)) == root;
}

/* ---- Opening ---- */

/* Whether the table of this name may be read to mend what is wrong in silver. */
static void
note_readable(const Sources *sources, Silver *silver, const char *name)
{
	const Config *config = sources->store->config;

	silver_set_readable(silver,
	                    config->lake_on_stale == STALE_READ &&
	                        config->snapshot_mode != SNAPSHOT_NO_DATA && name != NULL &&
	                        config_snapshots_name(config, name));
}

static bool
open_silver(Sources *sources, const char *name, Err *err)
{
	Table *table;
	Silver *silver;

	if (!table_open(sources->store, name, &table, err))
		return false;
	if (table == NULL)
		return true;
	if (!silver_open(sources->store, table, &silver, err))
		return false;
	note_readable(sources, silver, table_property(table, SOURCE_PROPERTY));
	add_source(sources)->silver = silver;
	return true;
}

/* Silver tables are open already: bronze joins the source of the same name. */
static bool
open_bronze(Sources *sources, const char *name, Err *err)
{
	Table *table;
	Source *source = NULL;

	if (!table_open(sources->store, name, &table, err))
		return false;
	if (table == NULL)
		return true;
	for (size_t i = 0; i < sources->count && source == NULL; i++)
	{
		const Source *candidate = sources->items[i];
		const char *other = source_table(candidate)->name.name;

		if (candidate->bronze == NULL &&
		    strcmp(other + strlen(SILVER_PREFIX), name + strlen(BRONZE_PREFIX)) == 0)
			source = sources->items[i];
	}
	if (source == NULL)
		source = add_source(sources);
	source->bronze = bronze_open(sources->store, table);
	return true;
}

static bool
open_all(Sources *sources, int output, const char *prefix,
         bool (*open)(Sources *, const char *, Err *), Err *err)
{
	Store *store = sources->store;
	Arena *arena = arena_new();
	const char *const *names;
	int32_t count = 0;
	bool ok = true;

	if (store->config->outputs & output)
		ok = catalog_list(
			store->catalog, arena, store->config->lake_namespace, &names, &count, err);
	for (int32_t i = 0; ok && i < count; i++)
		if (strncmp(names[i], prefix, strlen(prefix)) == 0)
			ok = open(sources, names[i], err);
	arena_free(arena);
	return ok;
}

bool
sources_open(Store *store, Sources **sources, Err *err)
{
	Sources *opened = xmalloc(sizeof *opened);

	*opened = (Sources){ .store = store, .cache_size = CACHE_FIRST };
	opened->cache = xmalloc(sizeof *opened->cache * CACHE_FIRST);
	memset(opened->cache, 0, sizeof *opened->cache * CACHE_FIRST);
	*sources = NULL;
	if (!open_all(opened, OUTPUT_SILVER, SILVER_PREFIX, open_silver, err) ||
	    !open_all(opened, OUTPUT_BRONZE, BRONZE_PREFIX, open_bronze, err))
	{
		sources_close(opened);
		return false;
	}
	*sources = opened;
	return true;
}

void
sources_close(Sources *sources)
{
	if (sources == NULL)
		return;
	for (size_t i = 0; i < sources->count; i++)
	{
		silver_close(sources->items[i]->silver);
		bronze_close(sources->items[i]->bronze);
		free(sources->items[i]);
	}
	free(sources->items);
	free(sources->cache);
	free(sources);
}

/* ---- Finding ---- */

static size_t
cache_slot(const Sources *sources, const Relation *relation)
{
	uint64_t hash = (uint64_t) (uintptr_t) relation * UINT64_C(0x9E3779B97F4A7C15);
	size_t slot = (size_t) (hash >> 32) & (sources->cache_size - 1);

	while (sources->cache[slot].relation != NULL &&
	       sources->cache[slot].relation != relation)
		slot = (slot + 1) & (sources->cache_size - 1);
	return slot;
}

static void
cache_add(Sources *sources, const Relation *relation, Source *source)
{
	if (sources->cache_count * 2 >= sources->cache_size)
	{
		CacheSlot *old = sources->cache;
		size_t old_size = sources->cache_size;

		sources->cache_size *= 2;
		sources->cache = xmalloc(sizeof *old * sources->cache_size);
		memset(sources->cache, 0, sizeof *old * sources->cache_size);
		for (size_t i = 0; i < old_size; i++)
			if (old[i].relation != NULL)
				sources->cache[cache_slot(sources, old[i].relation)] = old[i];
		free(old);
	}
	sources->cache[cache_slot(sources, relation)] = (CacheSlot){ relation, source };
	sources->cache_count++;
}

static const char *
relation_schema(const Relation *relation)
{
	return relation->root_relid != 0 ? relation->root_schema : relation->schema;
}

static const char *
relation_name(const Relation *relation)
{
	return relation->root_relid != 0 ? relation->root_name : relation->name;
}

const char *
source_name(Arena *arena, const Relation *relation)
{
	return arena_printf(
		arena, "%s.%s", relation_schema(relation), relation_name(relation));
}

/* "silver_orders", "silver_sales_orders" for schema sales. */
static const char *
lake_name_of(Arena *arena, const char *prefix, const char *schema, const char *name)
{
	return strcmp(schema, "public") == 0
	           ? arena_printf(arena, "%s%s", prefix, name)
	           : arena_printf(arena, "%s%s_%s", prefix, schema, name);
}

static const char *
lake_name(Arena *arena, const char *prefix, const Relation *relation)
{
	return lake_name_of(
		arena, prefix, relation_schema(relation), relation_name(relation));
}

const char *
source_silver_name(Arena *arena, const Relation *relation)
{
	return lake_name(arena, SILVER_PREFIX, relation);
}

const char *
source_known_as(const Source *source)
{
	return table_property(silver_table(source->silver), SOURCE_PROPERTY);
}

Source *
sources_of(Sources *sources, uint32_t relid)
{
	for (size_t i = 0; i < sources->count; i++)
		if (sources->items[i]->silver != NULL &&
		    silver_relid(sources->items[i]->silver) == relid)
			return sources->items[i];
	return NULL;
}

bool
source_is_earlier(const Source *source, const char *schema, const char *full)
{
	const char *from = source_known_as(source);
	const char *table = full + strlen(schema) + 1;
	Arena *arena = arena_new();
	bool is_earlier = from != NULL && strcmp(from, full) == 0 &&
	                  strcmp(silver_table(source->silver)->name.name,
	                         lake_name_of(arena, SILVER_PREFIX, schema, table)) == 0;

	arena_free(arena);
	return is_earlier;
}

void
source_ask(Source *source, const char *table, const char *what)
{
	char reason[320];

	(void) snprintf(reason, sizeof reason, "\"%s\" %s", table, what);
	silver_ask(source->silver, reason);
	source->is_touched = true;
}

void
source_ask_about(Source *source, const Relation *relation, const char *what)
{
	char table[200]; /* two names of 63 bytes */

	(void) snprintf(table, sizeof table, "%s.%s", relation->schema, relation->name);
	source_ask(source, table, what);
}

static Source *
find_name(Sources *sources, const char *suffix)
{
	for (size_t i = 0; i < sources->count; i++)
	{
		const char *name = source_table(sources->items[i])->name.name;

		/* Both prefixes have one length. */
		if (strcmp(name + strlen(SILVER_PREFIX), suffix) == 0)
			return sources->items[i];
	}
	return NULL;
}

/* The source of a table's or a root's OID, or the one that has the name. */
static Source *
find_known(Sources *sources, const Relation *relation, Arena *arena)
{
	for (size_t i = 0; i < sources->count; i++)
		if (is_root(sources->items[i], relation_root(relation)))
			return sources->items[i];
	return find_name(sources, lake_name(arena, "", relation));
}

/* A table of the name is there: the same source made again, or another one? */
static bool
check_clash(const Source *source, const char *from, Err *err)
{
	Table *table = source_table(source);
	const char *other = table_property(table, SOURCE_PROPERTY);

	if (other != NULL && strcmp(other, from) == 0)
		return true;
	(void) fail(err,
	            ERR_CONFIG,
	            "tables \"%s\" and \"%s\" would share the lake's table \"%s\"",
	            from,
	            other == NULL ? "" : other,
	            table->name.name);
	return fail_hint(
		err,
		"Leave one of them out with table.exclude.list before the first start; "
		"later start afresh with another slot.name and lake.namespace.");
}

static void
follow_rename(Table *table, const char *from)
{
	const char *was = table_property(table, SOURCE_PROPERTY);

	if (was != NULL && strcmp(was, from) == 0)
		return;
	log_warning("lake",
	            "source table \"%s\" is now \"%s\"; its lake table stays \"%s\"",
	            was == NULL ? "" : was,
	            from,
	            table->name.name);
	table_set_property(table, SOURCE_PROPERTY, from);
}

void
sources_follow_rename(Source *source, const char *name)
{
	if (source->silver != NULL)
		follow_rename(silver_table(source->silver), name);
	if (source->bronze != NULL)
		follow_rename(bronze_table(source->bronze), name);
}

/* Whether silver's rows from before the table was known are missing. */
static void
note_unread(const Sources *sources, const Relation *relation, Source *source)
{
	const Config *config = sources->store->config;

	if (source->silver == NULL)
		return;
	if (config->snapshot_mode == SNAPSHOT_NO_DATA)
		silver_set_stale(source->silver, "the table was not read: snapshot.mode=no_data");
	else if (!config_snapshots_table(config, relation->schema, relation->name))
		silver_set_stale(source->silver,
		                 "the table was not read: snapshot.include.collection.list");
}

static bool
make_tables(Sources *sources, const Relation *relation, Source *source, Arena *arena,
            Err *err)
{
	Store *store = sources->store;
	int outputs = store->config->outputs;
	const char *name;

	if ((outputs & OUTPUT_SILVER) && source->silver == NULL)
	{
		name = lake_name(arena, SILVER_PREFIX, relation);
		if (!silver_make(store, name, relation, &source->silver, err))
			return false;
		note_unread(sources, relation, source);
	}
	name = lake_name(arena, BRONZE_PREFIX, relation);
	return !(outputs & OUTPUT_BRONZE) || source->bronze != NULL ||
	       bronze_make(store, name, relation, &source->bronze, err);
}

static bool
find_or_make(Sources *sources, const Relation *relation, Arena *arena, Source **source,
             Err *err)
{
	const char *from = source_name(arena, relation);
	Source made = { 0 };

	*source = find_known(sources, relation, arena);
	if (*source == NULL)
	{
		if (!make_tables(sources, relation, &made, arena, err))
		{
			silver_close(made.silver);
			return false;
		}
		*source = add_source(sources);
		**source = made;
		return true;
	}
	if (!is_root(*source, relation_root(relation)) && !check_clash(*source, from, err))
		return false;
	sources_follow_rename(*source, from);
	if ((*source)->bronze != NULL)
		bronze_set_relid((*source)->bronze, relation_root(relation));
	return make_tables(sources, relation, *source, arena, err);
}

/* ---- Partitions that come and go ---- */

bool
sources_stored(const Table *table, const Event *event)
{
	return event->kind != EVENT_READ && event->txn != NULL &&
	       event->txn->commit_lsn <= table->covered;
}

static bool
is_snapshot(const Event *event)
{
	return event->kind == EVENT_TABLE_BEGIN || event->kind == EVENT_READ ||
	       event->kind == EVENT_TABLE_PART || event->kind == EVENT_TABLE_END;
}

/*
 * Silver table from has the rows of the relation, which is source's now: as a leaf of
 * another root, or as a table that had been its own.  Cleared settled: it is too early to
 * say, the stream repeats what is stored.
 */
static bool
note_move(Source *from, Source *source, bool is_new, const Event *event, bool *settled,
          Err *err)
{
	const Relation *relation = event->relation;
	bool was_leaf = silver_relid(from->silver) != relation->relid;
	bool has_rows = silver_rows(from->silver) > 0 || silver_stale(from->silver) != NULL;

	if (is_snapshot(event))
	{
		/* All rows are read anew.  Of a table that is a partition now nothing will be
		 * read into its own: what is wrong there goes. */
		if (!was_leaf && silver_stale(from->silver) == NULL)
			return true;
		from->is_touched = true;
		if (was_leaf)
			return silver_forget(from->silver, relation->relid, err);
		silver_clear(from->silver);
		return true;
	}
	if (!was_leaf && !is_new)
		return true;
	if (sources_stored(silver_table(was_leaf ? from->silver : source->silver), event))
	{
		*settled = false;
		return true;
	}
	if (was_leaf)
	{
		if (!silver_forget(from->silver, relation->relid, err))
			return false;
		from->is_touched = true;
		if (has_rows)
			source_ask_about(from, relation, "was detached: its rows are still here");
	}
	if (has_rows)
		source_ask_about(source,
		                 relation,
		                 relation->root_relid != 0
		                     ? "was attached: its rows were not read"
		                     : "was detached: its rows were not read");
	return true;
}

/* Whether a table that nothing was known of must have had rows: the first that is heard
 * of it is about one of these. */
static bool
had_rows(const Sources *sources, const Event *event)
{
	const EnvOptions *options = &sources->store->config->env;

	/* of what a filter leaves out silver has nothing */
	return (event->kind == EVENT_UPDATE || event->kind == EVENT_DELETE) &&
	       options->row_filters.count == 0 && !options->published->given;
}

static bool
note_moves(Sources *sources, Source *source, bool is_new, const Event *event,
           bool *settled, Err *err)
{
	if (is_new && source->silver != NULL && had_rows(sources, event) &&
	    !sources_stored(silver_table(source->silver), event))
		source->lacks_rows = true;
	*settled = true;
	for (size_t i = 0; i < sources->count && source->silver != NULL; i++)
	{
		Source *from = sources->items[i];

		if (from != source && from->silver != NULL &&
		    silver_tracks(from->silver, event->relation->relid) &&
		    !note_move(from, source, is_new, event, settled, err))
			return false;
	}
	return true;
}

bool
sources_find(Sources *sources, const Event *event, Source **source, Err *err)
{
	const Relation *relation = event->relation;
	const CacheSlot *slot = &sources->cache[cache_slot(sources, relation)];
	const Source *known;
	Arena *arena;
	bool is_new;
	bool settled;
	bool ok;

	*source = slot->source;
	if (slot->relation != NULL)
		return true;
	arena = arena_new();
	known = find_known(sources, relation, arena);
	is_new = known == NULL || known->silver == NULL ||
	         known->described == relation->relid ||
	         !silver_tracks(known->silver, relation->relid);
	ok = find_or_make(sources, relation, arena, source, err);
	if (ok && (*source)->silver != NULL)
		note_readable(sources,
		              (*source)->silver,
		              arena_printf(arena, "%s.%s", relation->schema, relation->name));
	ok = ok && note_moves(sources, *source, is_new, event, &settled, err);
	if (ok)
		(*source)->described =
			is_new && event->kind == EVENT_RELATION ? relation->relid : 0;
	if (ok && settled && (*source)->described == 0)
		cache_add(sources, relation, *source);
	arena_free(arena);
	return ok;
}

/* ---- Cuts ---- */

bool
sources_touched(const Sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		if (sources->items[i]->is_touched)
			return true;
	return false;
}

Lsn
sources_covered(Sources *sources)
{
	Lsn covered = 0;

	for (size_t i = 0; i < sources->count; i++)
	{
		const Source *source = sources->items[i];

		if (source->silver != NULL && silver_table(source->silver)->covered > covered)
			covered = silver_table(source->silver)->covered;
		if (source->bronze != NULL && bronze_table(source->bronze)->covered > covered)
			covered = bronze_table(source->bronze)->covered;
	}
	return covered;
}

static void
list_table(const Table *table, const char *status, Checkpoints *checkpoints)
{
	int64_t id = table->state->metadata->current_snapshot_id;

	if (id != NO_SNAPSHOT)
		checkpoints_add(checkpoints, table->name.name, id, status);
}

static const char *
silver_status(const Source *source)
{
	return silver_stale(source->silver) == NULL ? "live" : "stale";
}

/* Whether the last cut has the table as it is. */
static bool
is_listed(const Table *table, const char *status, const CheckpointRow *rows, size_t count)
{
	int64_t id = table->state->metadata->current_snapshot_id;

	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].table_name, table->name.name) == 0)
			return rows[i].snapshot_id == id && strcmp(rows[i].status, status) == 0;
	return id == NO_SNAPSHOT;
}

bool
sources_listed(Sources *sources, const Checkpoints *checkpoints)
{
	size_t count;
	const CheckpointRow *rows = checkpoints_last(checkpoints, &count);

	for (size_t i = 0; i < sources->count; i++)
	{
		const Source *source = sources->items[i];

		if ((source->silver != NULL &&
		     !is_listed(
				 silver_table(source->silver), silver_status(source), rows, count)) ||
		    (source->bronze != NULL &&
		     !is_listed(bronze_table(source->bronze), "live", rows, count)))
			return false;
	}
	return true;
}

void
sources_list(Sources *sources, Checkpoints *checkpoints)
{
	for (size_t i = 0; i < sources->count; i++)
	{
		const Source *source = sources->items[i];

		if (source->silver != NULL)
			list_table(silver_table(source->silver), silver_status(source), checkpoints);
		if (source->bronze != NULL)
			list_table(bronze_table(source->bronze), "live", checkpoints);
	}
}

void
sources_sweep(Sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
	{
		if (sources->items[i]->silver != NULL)
			table_sweep(silver_table(sources->items[i]->silver));
		if (sources->items[i]->bronze != NULL)
			table_sweep(bronze_table(sources->items[i]->bronze));
	}
}

/* On the way from the current snapshot back; expired ancestors count as passed. */
static bool
is_ancestor(const TableMetadata *metadata, int64_t snapshot_id)
{
	const IcebergSnapshot *at = metadata_current_snapshot(metadata);

	if (at == NULL)
		return false;
	while (at->id != snapshot_id)
	{
		const IcebergSnapshot *parent;

		if (at->parent_id == NO_SNAPSHOT)
			return false;
		parent = metadata_snapshot(metadata, at->parent_id);
		if (parent == NULL)
			return true;
		at = parent;
	}
	return true;
}

static const Table *
find_table(const Sources *sources, const char *name)
{
	for (size_t i = 0; i < sources->count; i++)
	{
		const Source *source = sources->items[i];

		if (source->silver != NULL &&
		    strcmp(silver_table(source->silver)->name.name, name) == 0)
			return silver_table(source->silver);
		if (source->bronze != NULL &&
		    strcmp(bronze_table(source->bronze)->name.name, name) == 0)
			return bronze_table(source->bronze);
	}
	return NULL;
}

static bool
is_output(const Store *store, const char *name)
{
	int output = strncmp(name, SILVER_PREFIX, strlen(SILVER_PREFIX)) == 0 ? OUTPUT_SILVER
	                                                                      : OUTPUT_BRONZE;

	return (store->config->outputs & output) != 0;
}

bool
sources_check(Sources *sources, const Checkpoints *checkpoints, Err *err)
{
	size_t count;
	const CheckpointRow *rows = checkpoints_last(checkpoints, &count);

	for (size_t i = 0; i < count; i++)
	{
		const Table *table = find_table(sources, rows[i].table_name);

		if (!is_output(sources->store, rows[i].table_name) ||
		    (table != NULL && is_ancestor(table->state->metadata, rows[i].snapshot_id)))
			continue;
		(void) fail(
			err,
			ERR_CONFIG,
			"table \"%s\" does not have the snapshot of the last published cut%s%s",
			rows[i].table_name,
			table == NULL ? ": it has no metadata file" : " in ",
			table == NULL ? "" : table->state->metadata_location);
		return fail_hint(
			err,
			"It was removed or rolled back, and changes since cannot be read again. "
			"Nothing was changed: restore the table's directory and start again, or "
			"start afresh with another slot.name and lake.namespace.");
	}
	return true;
}
