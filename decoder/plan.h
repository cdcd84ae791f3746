/*
 * plan.h
 *		what is known of each table, cached for a stream.
 *
 * A plan is made at the first change of a table and again at the first change after
 * the catalog said that something it rests on has changed.  The invalidation
 * callbacks, which may come at any moment, only count; nothing is freed by them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef DECODER_PLAN_H
#define DECODER_PLAN_H

#include "compat.h"

#include "lib/ilist.h"
#include "utils/hsearch.h"
#include "utils/relcache.h"

#include "library.h"
#include "options.h"
#include "row_filter.h"
#include "tuple.h"

typedef struct RelationPlan
{
	Oid relid; /* hash key; entries stay where they are until the stream ends */

	/* Current when both are the same, and so the root's. */
	uint32 generation; /* counts the invalidations of relid */
	uint32 built_generation;
	struct RelationPlan *root; /* partition root, whose name we carry; or NULL */
	uint32 root_generation;

	MemoryContext context; /* of all below; NULL: never built */
	bool is_wanted;        /* passes the filters; else nothing below is set */
	bool has_labels;
	bool has_output; /* some column goes through its output function */
	int natts;       /* of the tuple descriptor that it was made from */
	const EnvRelation *relation;
	Slice body;                 /* of the R message */
	ColumnPlan *columns;        /* relation->column_count */
	RenderPlan *render;         /* json and record only */
	PreparedFilter *row_filter; /* NULL: none */
	uint32 collection;          /* tx_collection() of it; 0: not looked up yet */
	int type_count; /* hashes of the user-defined types, as invalidations name them */
	uint32 *type_hashes;

	/* frame: what this stream was last told of the table */
	bool is_sent;
	uint64 sent_version;
} RelationPlan;

typedef struct PlanCache
{
	dlist_node node; /* in the process's list of streams */
	MemoryContext context;
	const DecoderOptions *options;
	TupleWriter *writer;
	bool renders; /* make RenderPlans */
	HTAB *plans;
	RelationPlan *last; /* found most recently */
	int built;          /* since stale plans were last swept */
} PlanCache;

/* Make a cache below context.  It leaves the process's list when context is deleted. */
PlanCache *plan_cache_new(MemoryContext context, const DecoderOptions *options,
                          TupleWriter *writer, bool renders);

/* Whether the plan of relation must be made anew; plan_get then reads the catalog. */
bool plan_is_current(PlanCache *cache, Relation relation);

/*
 * The plan of relation, valid until it is made anew or swept; NULL when its changes are
 * not wanted.  Call with the change's context as the current one.
 */
RelationPlan *plan_get(PlanCache *cache, Relation relation);

/* Have the plan made anew at the next plan_get. */
void plan_forget(RelationPlan *plan);

/*
 * Free stale plans once enough were made since the last time: tables come and go, and a
 * long stream would keep a plan of each.  Call where no plan is in use.
 */
void plan_sweep(PlanCache *cache);

#endif
