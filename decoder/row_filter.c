/*
 * row_filter.c
 *		row filters at work: on changes, and all of them at the start.
 *
 * As pgoutput does: an expression state and a tuple slot per table, made from the
 * relation as of the change; updates are judged by old and new tuple
 *(pgoutput_row_filter). Unlike pgoutput a partition's tuples are not converted to its
 *root's columns: the expression is parsed over the partition's own, which have the same
 *names and types.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "compat.h"

#include "access/detoast.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_inherits.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "catalog.h"
#include "decoder.h"
#include "row_filter.h"
#include "settings.h"

#define CONTEXT_MAX 200 /* bytes of an expression in an error's context */

struct PreparedFilter
{
	FilterText text;
	const char *unidentified; /* see row_filter_unidentified */
	EState *estate;
	ExprState *state;
	TupleTableSlot *slot;
	Datum *old_values; /* room for a tuple's columns */
	Datum *new_values;
	bool *old_nulls;
	bool *new_nulls;
};

/* ---- Preparing ---- */

PreparedFilter *
row_filter_prepare(Relation relation, const EnvRelation *described,
                   const EnvOptions *options, MemoryContext context)
{
	const char *name;
	const RowFilter *rule = row_filter_of(options, described, &name);
	MemoryContext old;
	PreparedFilter *filter;
	Expr *expression;
	TupleDesc descriptor;
	int natts;

	if (rule == NULL)
		return NULL;
	old = MemoryContextSwitchTo(context);
	filter = palloc0(sizeof *filter);
	filter->text = row_filter_text(relation, rule, name);
	expression = row_filter_parse(&filter->text);
	filter->unidentified = row_filter_unidentified(&filter->text, expression);
	filter->estate = CreateExecutorState();
	filter->state = ExecPrepareExpr(expression, filter->estate);
	/* with what rows older than a column have there */
	descriptor = CreateTupleDescCopyConstr(RelationGetDescr(relation));
	filter->slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsHeapTuple);
	natts = descriptor->natts + 1;
	filter->old_values = palloc(natts * sizeof(Datum));
	filter->new_values = palloc(natts * sizeof(Datum));
	filter->old_nulls = palloc(natts * sizeof(bool));
	filter->new_nulls = palloc(natts * sizeof(bool));
	MemoryContextSwitchTo(old);
	return filter;
}

/* ---- Evaluating ---- */

/* Name the filter of which an expression failed, shortened: what the server says behind
 * it, the LSN, is to be read too. */
static void
add_context(void *argument)
{
	const PreparedFilter *filter = argument;
	const char *expression = filter->text.expression;
	int len = (int) strlen(expression);
	int shown = pg_mbcliplen(expression, len, CONTEXT_MAX);

	errcontext("row filter for table \"%s\": %.*s%s",
	           filter->text.table,
	           shown,
	           expression,
	           shown < len ? "..." : "");
	if (ERRCODE_TO_CATEGORY(geterrcode()) == ERRCODE_DATA_EXCEPTION)
		errhint("Correct the option \"row_filter_%s\" so that it has a value for every "
		        "row, as with CASE or NULLIF.  The stream cannot pass this row with the "
		        "filter as it is, and another filter wants a fresh start.",
		        filter->text.table);
}

/* Whether a row satisfies the filter; null is no.  Without a tuple all columns are null:
 * the filter then reads none. */
static bool
matches(PreparedFilter *filter, HeapTuple tuple)
{
	ExprContext *context = GetPerTupleExprContext(filter->estate);
	ErrorContextCallback callback = { .previous = error_context_stack,
		                              .callback = add_context,
		                              .arg = filter };
	Datum result;
	bool is_null;

	ResetExprContext(context);
	if (tuple != NULL)
		ExecStoreHeapTuple(tuple, filter->slot, false);
	else
		ExecStoreAllNullTuple(filter->slot);
	context->ecxt_scantuple = filter->slot;
	error_context_stack = &callback;
	result = ExecEvalExprSwitchContext(filter->state, context, &is_null);
	error_context_stack = callback.previous;
	ExecClearTuple(filter->slot);
	return !is_null && DatumGetBool(result);
}

static bool
is_elsewhere(Datum datum)
{
	return VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(datum));
}

/*
 * The new tuple with what the old one has of its unchanged TOAST values: those of the
 * replica identity are logged there alone.
 */
static HeapTuple
complete(PreparedFilter *filter, Relation relation, HeapTuple old, HeapTuple new)
{
	TupleDesc descriptor = RelationGetDescr(relation);
	bool changed = false;

	if (!HeapTupleHasExternal(new))
		return new;
	heap_deform_tuple(old, descriptor, filter->old_values, filter->old_nulls);
	heap_deform_tuple(new, descriptor, filter->new_values, filter->new_nulls);
	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);

		if (attribute->attlen != -1 || filter->old_nulls[i] || filter->new_nulls[i] ||
		    !is_elsewhere(filter->new_values[i]) || is_elsewhere(filter->old_values[i]))
			continue;
		filter->new_values[i] = filter->old_values[i];
		changed = true;
	}
	return changed ? heap_form_tuple(descriptor, filter->new_values, filter->new_nulls)
	               : new;
}

static bool
apply_update(PreparedFilter *filter, Change *change)
{
	HeapTuple completed;
	bool was_in;
	bool is_in;

	/* nothing that the filter may read has changed, or has gone elsewhere */
	if (change->old_tuple == NULL)
		return matches(filter, change->new_tuple);
	completed = complete(filter, change->relation, change->old_tuple, change->new_tuple);
	was_in = matches(filter, change->old_tuple);
	is_in = matches(filter, completed);
	if (is_in && !was_in)
	{
		change->type = 'I';
		change->old_tuple = NULL;
		change->new_tuple = completed;
	}
	else if (was_in && !is_in)
	{
		change->type = 'D';
		change->new_tuple = NULL;
	}
	return was_in || is_in;
}

bool
row_filter_apply(PreparedFilter *filter, Change *change)
{
	if (change->type == 'I')
		return matches(filter, change->new_tuple);
	if (unlikely(filter->unidentified != NULL))
	{
		filter->text.relation = change->relation;
		row_filter_fail_column(&filter->text, filter->unidentified);
	}
	if (change->type == 'D')
		return matches(filter, change->old_tuple);
	return apply_update(filter, change);
}

/* ---- All of them, at the start ---- */

/* What row_filter_of looks at; false for what is no table of a user's. */
static bool
describe(Relation relation, TextConverter *converter, EnvRelation *described)
{
	*described = (EnvRelation){ .relid = RelationGetRelid(relation) };
	if (!catalog_names(relation, converter, &described->schema, &described->name))
		return false;
	described->root_relid =
		catalog_root(relation, converter, &described->root_schema, &described->root_name);
	return true;
}

/* Whether changes of relation are captured and pass rule; then it must be right for
 * them. */
static bool
check_table(Relation relation, const RowFilter *rule, const EnvOptions *options,
            TextConverter *converter)
{
	const char *name;
	const char *column;
	EnvRelation described;
	FilterTable table;
	FilterText text;
	Expr *expression;

	if (!describe(relation, converter, &described))
		return false;
	table = filter_table(options, &described);
	if (!filter_wants_table(options, table.schema, table.name) ||
	    row_filter_of(options, &described, &name) != rule)
		return false;
	text = row_filter_text(relation, rule, name);
	expression = row_filter_parse(&text);
	if (relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		return true;
	column = row_filter_unidentified(&text, expression);
	if (column != NULL)
		row_filter_fail_column(&text, column);
	return true;
}

/* The same for the tables with that name: itself, and the partitions of a partitioned
 * one. */
static bool
check_rule(const RowFilter *rule, Oid relid, const EnvOptions *options,
           TextConverter *converter)
{
	List *relids = list_make1_oid(relid);
	bool used = false;
	ListCell *cell;

	if (get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE)
		relids = find_all_inheritors(relid, NoLock, NULL);
	foreach(cell, relids)
	{
		Relation relation = RelationIdGetRelation(lfirst_oid(cell));

		if (!RelationIsValid(relation))
			continue;
		used |= check_table(relation, rule, options, converter);
		RelationClose(relation);
	}
	return used;
}

/* Every table that schema.table may be: names may have dots. */
static bool
check_named(const RowFilter *rule, const EnvOptions *options, TextConverter *converter)
{
	const char *table = row_filter_text(NULL, rule, "").table;
	bool used = false;

	for (const char *dot = strchr(table, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
	{
		Oid schema = get_namespace_oid(pnstrdup(table, (Size) (dot - table)), true);
		Oid relid = OidIsValid(schema) ? get_relname_relid(dot + 1, schema) : InvalidOid;

		if (OidIsValid(relid))
			used |= check_rule(rule, relid, options, converter);
	}
	return used;
}

void
row_filter_check_all(const EnvOptions *options, TextConverter *converter, bool warn)
{
	MemoryContext old = CurrentMemoryContext;
	bool outside = !IsTransactionState();
	int level;

	if (options->row_filters.count == 0)
		return;
	if (outside)
		StartTransactionCommand();
	level = settings_pin();
	for (size_t i = 0; i < options->row_filters.count; i++)
	{
		const RowFilter *rule = &options->row_filters.rules[i];

		if (!check_named(rule, options, converter) && warn)
			ereport(WARNING,
			        errmsg("option \"row_filter_%s\" names no captured table",
			               row_filter_text(NULL, rule, "").table));
	}
	settings_release(level);
	if (outside)
		CommitTransactionCommand();
	MemoryContextSwitchTo(old);
}
