/*
 * catalog.c
 *		a table's description from the historic catalog.
 *
 * The key is the primary key in the index's column order, else the first unique
 * index that identifies rows by plain columns, first as JDBC's getIndexInfo orders
 * them, since that is how Debezium chooses: clustered before others, then by name.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/tupdesc_details.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "buffer.h"
#include "catalog.h"

bool
catalog_names(Relation relation, TextConverter *converter, const char **schema,
              const char **name)
{
	char relkind = relation->rd_rel->relkind;
	char *namespace;

	if (RelationGetRelid(relation) < FirstNormalObjectId ||
	    (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE))
		return false;
	namespace = get_namespace_name(RelationGetNamespace(relation));
	if (namespace == NULL)
		elog(ERROR,
		     "cache lookup failed for namespace %u",
		     RelationGetNamespace(relation));
	*schema = text_convert(converter, namespace);
	*name = text_convert(converter, RelationGetRelationName(relation));
	return true;
}

Oid
catalog_root(Relation relation, TextConverter *converter, const char **schema,
             const char **name)
{
	List *ancestors;
	Oid root;
	const char *namespace, *relname;

	if (!relation->rd_rel->relispartition)
		return InvalidOid;
	ancestors = get_partition_ancestors(RelationGetRelid(relation));
	if (ancestors == NIL)
		return InvalidOid;
	root = llast_oid(ancestors);
	relname = get_rel_name(root);
	namespace = get_namespace_name(get_rel_namespace(root));
	if (relname == NULL || namespace == NULL)
		return InvalidOid;
	*schema = text_convert(converter, namespace);
	*name = text_convert(converter, relname);
	return root;
}

/* ---- Indexes ---- */

/* The attribute numbers of an index's key columns, in its order. */
typedef struct IndexKey
{
	int count;
	AttrNumber attnums[INDEX_MAX_KEYS];
} IndexKey;

static void
copy_key(IndexKey *key, Form_pg_index index)
{
	key->count = index->indnkeyatts;
	for (int i = 0; i < key->count; i++)
		key->attnums[i] = index->indkey.values[i];
}

static bool
key_contains(const IndexKey *key, AttrNumber attnum)
{
	for (int i = 0; i < key->count; i++)
		if (key->attnums[i] == attnum)
			return true;
	return false;
}

/* Unique over the whole table, by plain columns. */
static bool
identifies_rows(HeapTuple tuple, Form_pg_index index)
{
	if (!index->indisunique || !index->indisvalid ||
	    !heap_attisnull(tuple, Anum_pg_index_indpred, NULL))
		return false;
	for (int i = 0; i < index->indnkeyatts; i++)
		if (index->indkey.values[i] <= 0)
			return false;
	return true;
}

/* Find the key; returns its source as the wire has it, 0 for none. */
static char
find_key(Relation relation, IndexKey *key)
{
	List *indexes = RelationGetIndexList(relation);
	const char *best_name = NULL;
	bool best_clustered = false;
	char source = 0;
	ListCell *cell;

	key->count = 0;
	foreach(cell, indexes)
	{
		HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));
		Form_pg_index index;

		if (!HeapTupleIsValid(tuple))
			continue;
		index = (Form_pg_index) GETSTRUCT(tuple);
		if (index->indisprimary && index->indisvalid)
		{
			copy_key(key, index);
			source = 'p';
		}
		else if (source != 'p' && identifies_rows(tuple, index))
		{
			const char *name = get_rel_name(lfirst_oid(cell));

			if (name != NULL &&
			    (source == 0 || (index->indisclustered && !best_clustered) ||
			     (index->indisclustered == best_clustered &&
			      strcmp(name, best_name) < 0)))
			{
				copy_key(key, index);
				source = 'u';
				best_name = name;
				best_clustered = index->indisclustered;
			}
		}
		ReleaseSysCache(tuple);
	}
	list_free(indexes);
	return source;
}

/* The columns that old tuples carry; not called for FULL. */
static void
find_identity(Relation relation, IndexKey *identity)
{
	Oid index = RelationGetReplicaIndex(relation);
	HeapTuple tuple;

	identity->count = 0;
	if (!OidIsValid(index))
		return;
	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	if (!HeapTupleIsValid(tuple))
		return;
	copy_key(identity, (Form_pg_index) GETSTRUCT(tuple));
	ReleaseSysCache(tuple);
}

Bitmapset *
catalog_identity(Relation relation)
{
	Bitmapset *attnums = NULL;
	IndexKey identity;

	find_identity(relation, &identity);
	for (int i = 0; i < identity.count; i++)
		attnums = bms_add_member(attnums, identity.attnums[i]);
	return attnums;
}

/* ---- Types ---- */

/* What pg_type says of a type that is no domain. */
typedef struct TypeFacts
{
	char kind;
	Oid element; /* 0: not an array */
	const char *name;
	const char *schema;
} TypeFacts;

static TypeFacts
read_type(Oid oid, TextConverter *converter)
{
	HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(oid));
	Form_pg_type type;
	TypeFacts facts;
	const char *schema;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", oid);
	type = (Form_pg_type) GETSTRUCT(tuple);
	facts.kind = type->typtype;
	facts.element = IsTrueArrayType(type) ? type->typelem : InvalidOid;
	facts.name = text_convert(converter, pstrdup(NameStr(type->typname)));
	schema = get_namespace_name(type->typnamespace);
	facts.schema = schema == NULL ? "" : text_convert(converter, schema);
	ReleaseSysCache(tuple);
	return facts;
}

/* An enum's labels with their OIDs, in sort order. */
static void
read_labels(Oid type, RelationColumn *column, ColumnSource *source,
            TextConverter *converter)
{
	Relation pg_enum = table_open(EnumRelationId, AccessShareLock);
	const char **labels = NULL;
	int count = 0;
	int room = 0;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	ScanKeyInit(&key,
	            Anum_pg_enum_enumtypid,
	            BTEqualStrategyNumber,
	            F_OIDEQ,
	            ObjectIdGetDatum(type));
	scan = systable_beginscan(pg_enum, EnumTypIdSortOrderIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_enum label = (Form_pg_enum) GETSTRUCT(tuple);

		if (count == room)
		{
			room = Max(16, room * 2);
			labels = labels == NULL ? palloc(room * sizeof *labels)
			                        : repalloc(labels, room * sizeof *labels);
			source->label_oids = source->label_oids == NULL
			                         ? palloc(room * sizeof(Oid))
			                         : repalloc(source->label_oids, room * sizeof(Oid));
		}
		source->label_oids[count] = label->oid;
		labels[count++] = text_convert(converter, pstrdup(NameStr(label->enumlabel)));
	}
	systable_endscan(scan);
	table_close(pg_enum, AccessShareLock);
	if (count > PG_UINT16_MAX)
		ereport(ERROR,
		        errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
		        errmsg("enum type \"%s\" has more than %d labels",
		               column->type_name,
		               PG_UINT16_MAX));
	column->label_count = (uint16) count;
	column->labels = labels;
}

static void
describe_type(Form_pg_attribute attribute, RelationColumn *column, ColumnSource *source,
              TextConverter *converter)
{
	TypeFacts facts;

	column->type_oid = attribute->atttypid;
	column->typmod = attribute->atttypmod;
	column->base_typmod = attribute->atttypmod;
	column->base_oid = getBaseTypeAndTypmod(attribute->atttypid, &column->base_typmod);
	column->type_text = text_convert(
		converter,
		format_type_extended(attribute->atttypid,
	                         attribute->atttypmod,
	                         FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_ALLOW_INVALID));
	facts = read_type(column->base_oid, converter);
	column->type_kind = facts.kind;
	column->type_name = facts.name;
	column->type_schema = facts.schema;
	column->element_name = "";
	if (facts.kind == TYPTYPE_ENUM)
		read_labels(column->base_oid, column, source, converter);
	if (OidIsValid(facts.element))
	{
		column->element_oid = getBaseType(facts.element);
		facts = read_type(column->element_oid, converter);
		column->element_kind = facts.kind;
		column->element_name = facts.name;
		if (facts.kind == TYPTYPE_ENUM)
			read_labels(column->element_oid, column, source, converter);
	}
}

/* ---- Columns ---- */

/*
 * By pg_get_expr, as the worker asks it for snapshots: deparse_expression breaks lines
 * elsewhere.  A default has no variables, so no relation needs to be opened to name
 * them.
 */
static const char *
default_text(TupleDesc descriptor, AttrNumber attnum, TextConverter *converter)
{
	for (int i = 0; i < descriptor->constr->num_defval; i++)
	{
		const AttrDefault *value = &descriptor->constr->defval[i];

		if (value->adnum == attnum && value->adbin != NULL)
			return text_convert(
				converter,
				TextDatumGetCString(DirectFunctionCall2(pg_get_expr,
			                                            CStringGetTextDatum(value->adbin),
			                                            ObjectIdGetDatum(InvalidOid))));
	}
	return NULL;
}

/* A domain's own NOT NULL counts as its column's, as it does for JDBC. */
static bool
is_not_null(Form_pg_attribute attribute)
{
	HeapTuple tuple;
	bool not_null = attribute->attnotnull;

	if (not_null)
		return true;
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(attribute->atttypid));
	if (!HeapTupleIsValid(tuple))
		return false;
	not_null = ((Form_pg_type) GETSTRUCT(tuple))->typnotnull;
	ReleaseSysCache(tuple);
	return not_null;
}

static void
describe_column(TupleDesc descriptor, Form_pg_attribute attribute, RelationColumn *column,
                ColumnSource *source, TextConverter *converter)
{
	source->at = attribute->attnum - 1;
	column->attnum = attribute->attnum;
	column->name = text_convert(converter, NameStr(attribute->attname));
	column->not_null = is_not_null(attribute);
	column->is_identity_column = attribute->attidentity != '\0';
	describe_type(attribute, column, source, converter);
	if (attribute->atthasdef && descriptor->constr != NULL)
		column->default_text = default_text(descriptor, attribute->attnum, converter);
	if (attribute->atthasmissing && descriptor->constr != NULL &&
	    descriptor->constr->missing != NULL)
	{
		const AttrMissing *missing = &descriptor->constr->missing[attribute->attnum - 1];

		source->has_missing = missing->am_present;
		source->missing = missing->am_value;
	}
}

/*
 * Debezium prints an excluded key column in keys still, so that one travels too;
 * the renderer leaves it out of the row.
 */
static bool
is_captured(Form_pg_attribute attribute, const EnvRelation *relation, const IndexKey *key,
            const EnvOptions *options, TextConverter *converter)
{
	FilterTable table = filter_table(options, relation);
	const char *name;

	if (attribute->attisdropped || attribute->attgenerated != '\0' ||
	    !published_has_column(options->published, relation, attribute->attnum))
		return false;
	if (key_contains(key, attribute->attnum))
		return true;
	name = text_convert(converter, NameStr(attribute->attname));
	return filter_wants_column(options, table.schema, table.name, name) ||
	       key_names(&options->message_key_columns, table.schema, table.name, name);
}

static void
describe_columns(Relation relation, Description *description, const IndexKey *key,
                 const EnvOptions *options, TextConverter *converter)
{
	TupleDesc descriptor = RelationGetDescr(relation);
	EnvRelation *described = &description->relation;
	bool is_full = described->replica_identity == REPLICA_IDENTITY_FULL;
	IndexKey identity = { 0 };

	if (!is_full)
		find_identity(relation, &identity);
	description->columns = palloc0((descriptor->natts + 1) * sizeof(RelationColumn));
	description->sources = palloc0((descriptor->natts + 1) * sizeof(ColumnSource));
	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
		RelationColumn *column = &description->columns[described->column_count];

		if (!is_captured(attribute, described, key, options, converter))
			continue;
		column->index = described->column_count;
		column->in_identity = is_full || key_contains(&identity, attribute->attnum);
		describe_column(descriptor,
		                attribute,
		                column,
		                &description->sources[described->column_count],
		                converter);
		described->column_count++;
	}
	described->columns = description->columns;
}

/* ---- Tables ---- */

static void
describe_key(EnvRelation *described, const IndexKey *key)
{
	uint16 *columns = palloc0((key->count + 1) * sizeof *columns);

	for (int i = 0; i < key->count; i++)
		for (uint16 c = 0; c < described->column_count; c++)
			if (described->columns[c].attnum == key->attnums[i])
				columns[described->key_count++] = c;
	described->key = columns;
	if (described->key_count == 0)
		described->key_source = 0;
}

Description *
catalog_describe(Relation relation, const EnvOptions *options, TextConverter *converter)
{
	Description *description = palloc0(sizeof *description);
	EnvRelation *described = &description->relation;
	IndexKey key;

	described->relid = RelationGetRelid(relation);
	(void) catalog_names(relation, converter, &described->schema, &described->name);
	described->replica_identity = relation->rd_rel->relreplident;
	described->relkind = relation->rd_rel->relkind;
	described->key_source = find_key(relation, &key);
	described->root_relid =
		catalog_root(relation, converter, &described->root_schema, &described->root_name);
	describe_columns(relation, description, &key, options, converter);
	describe_key(described, &key);
	return description;
}

/* ---- Lists of columns ---- */

/* The names of a table that is wanted; false for any other relation. */
static bool
wanted_names(Oid relid, const EnvOptions *options, TextConverter *converter,
             FilterTable *table)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Form_pg_class class;
	bool wanted = false;

	if (!HeapTupleIsValid(tuple))
		return false;
	class = (Form_pg_class) GETSTRUCT(tuple);
	if (class->relkind == RELKIND_RELATION || class->relkind == RELKIND_PARTITIONED_TABLE)
	{
		const char *schema = get_namespace_name(class->relnamespace);

		table->schema = schema == NULL ? "" : text_convert(converter, schema);
		table->name = text_convert(converter, pstrdup(NameStr(class->relname)));
		wanted = filter_wants_table(options, table->schema, table->name);
	}
	ReleaseSysCache(tuple);
	return wanted;
}

static void
mark_column(ColumnLists *lists, FilterTable table, Form_pg_attribute attribute,
            TextConverter *converter)
{
	HeapTuple type = SearchSysCache1(TYPEOID, ObjectIdGetDatum(attribute->atttypid));

	if (!HeapTupleIsValid(type))
		return;
	column_lists_mark(
		lists,
		table.schema,
		table.name,
		text_convert(converter, NameStr(attribute->attname)),
		text_convert(converter, NameStr(((Form_pg_type) GETSTRUCT(type))->typname)));
	ReleaseSysCache(type);
}

void
catalog_warn_unmatched(const EnvOptions *options, TextConverter *converter)
{
	Alloc alloc = context_alloc(CurrentMemoryContext);
	ColumnLists lists = column_lists(options, &alloc);
	Oid relid = InvalidOid;
	FilterTable table = { "", "" };
	bool wanted = false;
	Relation attributes;
	SysScanDesc scan;
	HeapTuple tuple;

	if (lists.unmatched == 0)
		return;
	attributes = table_open(AttributeRelationId, AccessShareLock);
	scan = systable_beginscan(attributes, AttributeRelidNumIndexId, true, NULL, 0, NULL);
	while (lists.unmatched > 0 && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_attribute attribute = (Form_pg_attribute) GETSTRUCT(tuple);

		if (attribute->attrelid < FirstNormalObjectId || attribute->attnum <= 0 ||
		    attribute->attisdropped)
			continue;
		if (attribute->attrelid != relid)
		{
			relid = attribute->attrelid;
			wanted = wanted_names(relid, options, converter, &table);
		}
		if (wanted)
			mark_column(&lists, table, attribute, converter);
	}
	systable_endscan(scan);
	table_close(attributes, AccessShareLock);
	for (size_t i = 0; i < lists.count; i++)
		if (!lists.items[i].matched)
			ereport(WARNING,
			        errmsg("option \"%s\" names no column of a captured table: \"%s\"",
			               lists.items[i].property,
			               lists.items[i].list->text));
}
