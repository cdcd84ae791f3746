/*
 * plan.c
 *		what is known of each table, cached for a stream.
 *
 * PostgreSQL has no way to take a callback off its lists, so they are registered
 * once a process and find the streams that live through a list of their own.
 *
 * What invalidates a plan: its table or its partition root (relcache), a type that
 * it names (by hash value), any change of an enum when it has labels (ALTER TYPE ...
 * ADD VALUE names the label's row only), any change of a schema.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "compat.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "buffer.h"
#include "catalog.h"
#include "plan.h"

/* How many plans are made before those that went stale are looked for and freed. */
#define SWEEP_INTERVAL 1000

/* The process's streams, and whether the callbacks are registered. */
static dlist_head streams = DLIST_STATIC_INIT(streams);
static bool is_registered = false;

/* ---- Invalidation ---- */

static void
invalidate_relation(Datum argument, Oid relid)
{
	dlist_iter iterator;

	dlist_foreach(iterator, &streams)
	{
		PlanCache *cache = dlist_container(PlanCache, node, iterator.cur);
		HASH_SEQ_STATUS scan;
		RelationPlan *plan;

		if (OidIsValid(relid))
		{
			plan = hash_search(cache->plans, &relid, HASH_FIND, NULL);
			if (plan != NULL)
				plan->generation++;
			continue;
		}
		hash_seq_init(&scan, cache->plans);
		while ((plan = hash_seq_search(&scan)) != NULL)
			plan->generation++;
	}
}

static bool
rests_on(const RelationPlan *plan, int cache_id, uint32 hash)
{
	if (hash == 0 || cache_id == NAMESPACEOID)
		return true;
	if (cache_id == ENUMOID)
		return plan->has_labels;
	for (int i = 0; i < plan->type_count; i++)
		if (plan->type_hashes[i] == hash)
			return true;
	return false;
}

static void
invalidate_syscache(Datum argument, int cache_id, uint32 hash)
{
	dlist_iter iterator;

	dlist_foreach(iterator, &streams)
	{
		PlanCache *cache = dlist_container(PlanCache, node, iterator.cur);
		HASH_SEQ_STATUS scan;
		RelationPlan *plan;

		hash_seq_init(&scan, cache->plans);
		while ((plan = hash_seq_search(&scan)) != NULL)
			if (rests_on(plan, cache_id, hash))
				plan->generation++;
	}
}

static void
register_callbacks(void)
{
	if (is_registered)
		return;
	CacheRegisterRelcacheCallback(invalidate_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, invalidate_syscache, (Datum) 0);
	CacheRegisterSyscacheCallback(ENUMOID, invalidate_syscache, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, invalidate_syscache, (Datum) 0);
	is_registered = true;
}

/* ---- The cache ---- */

static void
leave_streams(void *argument)
{
	PlanCache *cache = argument;

	dlist_delete(&cache->node);
}

PlanCache *
plan_cache_new(MemoryContext context, const DecoderOptions *options, TupleWriter *writer,
               bool renders)
{
	PlanCache *cache = MemoryContextAllocZero(context, sizeof *cache);
	MemoryContextCallback *callback =
		MemoryContextAllocZero(context, sizeof(MemoryContextCallback));
	HASHCTL control = { 0 };

	cache->context =
		AllocSetContextCreate(context, "cdc_decoder relations", ALLOCSET_DEFAULT_SIZES);
	cache->options = options;
	cache->writer = writer;
	cache->renders = renders;
	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(RelationPlan);
	control.hcxt = cache->context;
	cache->plans = hash_create(
		"cdc_decoder plans", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	register_callbacks();
	dlist_push_tail(&streams, &cache->node);
	callback->func = leave_streams;
	callback->arg = cache;
	MemoryContextRegisterResetCallback(context, callback);
	return cache;
}

static RelationPlan *
find_entry(PlanCache *cache, Oid relid)
{
	RelationPlan *plan = cache->last;
	bool found;

	if (plan != NULL && plan->relid == relid)
		return plan;
	plan = hash_search(cache->plans, &relid, HASH_ENTER, &found);
	if (!found)
	{
		memset(plan, 0, sizeof *plan);
		plan->relid = relid;
		plan->generation = 1;
	}
	cache->last = plan;
	return plan;
}

static bool
is_current(const RelationPlan *plan, Relation relation)
{
	return plan->generation == plan->built_generation &&
	       (plan->root == NULL || plan->root->generation == plan->root_generation) &&
	       (!plan->is_wanted || plan->natts == RelationGetDescr(relation)->natts);
}

bool
plan_is_current(PlanCache *cache, Relation relation)
{
	return is_current(find_entry(cache, RelationGetRelid(relation)), relation);
}

static void
drop_content(RelationPlan *plan)
{
	if (plan->context != NULL)
		MemoryContextDelete(plan->context);
	plan->context = NULL;
	plan->built_generation = plan->generation - 1;
	plan->type_count = 0;
	plan->has_labels = false;
}

void
plan_sweep(PlanCache *cache)
{
	HASH_SEQ_STATUS scan;
	RelationPlan *plan;

	if (cache->built < SWEEP_INTERVAL)
		return;
	cache->built = 0;
	hash_seq_init(&scan, cache->plans);
	while ((plan = hash_seq_search(&scan)) != NULL)
		if (plan->generation != plan->built_generation)
			drop_content(plan);
}

/* ---- Making a plan ---- */

static int
compare_labels(const void *a, const void *b)
{
	Oid left = ((const EnumLabel *) a)->oid;
	Oid right = ((const EnumLabel *) b)->oid;

	return left < right ? -1 : left > right;
}

/* The labels of a column by OID, in the plan's memory. */
static void
plan_labels(ColumnPlan *column, const RelationColumn *described,
            const ColumnSource *source, const Alloc *alloc)
{
	column->label_count = described->label_count;
	column->labels =
		alloc_zero(alloc, (described->label_count + 1) * sizeof *column->labels);
	for (int i = 0; i < described->label_count; i++)
	{
		Slice label = slice_from(described->labels[i]);

		column->labels[i].oid = source->label_oids[i];
		column->labels[i].text = (Slice){ alloc_copy(alloc, label), label.len };
	}
	qsort(column->labels, column->label_count, sizeof *column->labels, compare_labels);
}

static void
plan_columns(PlanCache *cache, RelationPlan *plan, Description *description,
             const Alloc *alloc)
{
	int count = description->relation.column_count;

	plan->columns = alloc_zero(alloc, (count + 1) * sizeof *plan->columns);
	for (int i = 0; i < count; i++)
	{
		RelationColumn *described = &description->columns[i];
		const ColumnSource *source = &description->sources[i];
		ColumnPlan *column = &plan->columns[i];

		column->at = source->at;
		column_plan_init(column, described, plan->context);
		column_plan_mask(
			column,
			mask_find(&cache->options->events, &description->relation, (uint16) i));
		plan->has_output |= column->kind == 't';
		if (described->label_count > 0)
		{
			plan_labels(column, described, source, alloc);
			plan->has_labels = true;
		}
		if (source->has_missing)
		{
			Buf entry = context_buf(CurrentMemoryContext);

			tuple_write_datum(cache->writer, column, source->missing, &entry);
			described->missing_kind = column->kind;
			described->missing = (Slice){ entry.data + 5, entry.len - 5 };
		}
	}
}

static void
remember_type(RelationPlan *plan, Oid type)
{
	if (type >= FirstGenbkiObjectId)
		plan->type_hashes[plan->type_count++] =
			GetSysCacheHashValue1(TYPEOID, ObjectIdGetDatum(type));
}

static void
remember_types(RelationPlan *plan, const Alloc *alloc)
{
	const EnvRelation *relation = plan->relation;

	plan->type_hashes =
		alloc_zero(alloc, (relation->column_count * 3 + 1) * sizeof *plan->type_hashes);
	for (int i = 0; i < relation->column_count; i++)
	{
		remember_type(plan, relation->columns[i].type_oid);
		remember_type(plan, relation->columns[i].base_oid);
		remember_type(plan, relation->columns[i].element_oid);
	}
}

static void
remember_root(PlanCache *cache, RelationPlan *plan)
{
	plan->root = NULL;
	if (!OidIsValid(plan->relation->root_relid))
		return;
	plan->root = find_entry(cache, plan->relation->root_relid);
	plan->root_generation = plan->root->generation;
	cache->last = plan;
}

pg_noreturn static void
fail_plan(const Description *description, const EnvError *error)
{
	ereport(ERROR,
	        errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
	        errmsg("cannot decode changes of table \"%s.%s\": %s",
	               description->relation.schema,
	               description->relation.name,
	               error->message),
	        error->hint[0] != '\0' ? errhint("%s", error->hint) : 0);
}

static void
build_wanted(PlanCache *cache, RelationPlan *plan, Relation relation)
{
	TextConverter *converter = &cache->writer->converter;
	const EnvOptions *options = &cache->options->events;
	Description *description = catalog_describe(relation, options, converter);
	Alloc alloc = context_alloc(plan->context);
	Buf body = context_buf(plan->context);
	EnvError error;

	plan_columns(cache, plan, description, &alloc);
	relation_write(&body, &description->relation);
	plan->body = (Slice){ body.data, body.len };
	plan->relation = relation_read(plan->body, &alloc, &error);
	if (plan->relation == NULL)
		fail_plan(description, &error);
	plan->natts = RelationGetDescr(relation)->natts;
	plan->row_filter =
		row_filter_prepare(relation, plan->relation, options, plan->context);
	remember_types(plan, &alloc);
	remember_root(cache, plan);
	if (cache->renders)
	{
		plan->collection = 0;
		plan->render = render_plan_new(plan->relation, options, &alloc, &error);
		if (plan->render == NULL)
			fail_plan(description, &error);
	}
}

static void
build(PlanCache *cache, RelationPlan *plan, Relation relation)
{
	uint32 generation = plan->generation;
	const EnvOptions *options = &cache->options->events;
	EnvRelation named = { .relid = RelationGetRelid(relation) };
	FilterTable table;

	cache->built++;
	drop_content(plan);
	plan->is_wanted = false;
	plan->has_output = false;
	plan->root = NULL;
	plan->row_filter = NULL;
	plan->context =
		AllocSetContextCreate(cache->context, "cdc_decoder plan", ALLOCSET_SMALL_SIZES);
	if (catalog_names(relation, &cache->writer->converter, &named.schema, &named.name))
	{
		MemoryContextCopyAndSetIdentifier(plan->context, named.name);
		named.root_relid = catalog_root(
			relation, &cache->writer->converter, &named.root_schema, &named.root_name);
		table = filter_table(options, &named);
		if (filter_wants_table(options, table.schema, table.name) &&
		    published_has(options->published, &named))
		{
			build_wanted(cache, plan, relation);
			plan->is_wanted = true;
		}
	}
	/* What was invalidated while it was made is made again at the next change. */
	plan->built_generation = generation;
}

RelationPlan *
plan_get(PlanCache *cache, Relation relation)
{
	RelationPlan *plan = find_entry(cache, RelationGetRelid(relation));

	if (unlikely(!is_current(plan, relation)))
		build(cache, plan, relation);
	return plan->is_wanted ? plan : NULL;
}

void
plan_forget(RelationPlan *plan)
{
	plan->generation++;
}
