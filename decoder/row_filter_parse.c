/*
 * row_filter_parse.c
 *		from the text of a row filter to an expression that keeps the rules.
 *
 * The rules are those of check_simple_rowfilter_expr in the server's publicationcmds.c.
 * Where CREATE PUBLICATION parses once, this parses whenever the table's plan is made
 * anew, as of the change, so two things are added: subqueries are refused before they
 * could open a relation, and so are the literals 'now', 'today' ..., which would be
 * another time at each parse.
 *
 * No range table is made, since that asks for a lock on the relation: a hook of the
 *parser finds the columns.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "compat.h"

#include "access/sysattr.h"
#include "catalog/heap.h"
#include "catalog/pg_class.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "optimizer/optimizer.h"
#include "parser/parse_clause.h"
#include "parser/parse_collate.h"
#include "parser/parse_node.h"
#include "parser/parser.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "catalog.h"
#include "row_filter.h"

/* What is put before an expression to parse it. */
#define PARSED_AS "SELECT "

static const char rules_hint[] =
	"It may use the table's columns, constants, and immutable built-in functions, "
	"operators and types, as a publication's row filter.  Correct the option.";

/* ---- Text ---- */

/* Options are UTF-8; what has no place in the database's encoding is an ERROR. */
static const char *
to_server(const char *text)
{
	return pg_any_to_server(text, (int) strlen(text), PG_UTF8);
}

FilterText
row_filter_text(Relation relation, const RowFilter *rule, const char *name)
{
	return (FilterText){ .relation = relation,
		                 .table = to_server(rule->table),
		                 .expression = to_server(rule->expression),
		                 .name = to_server(name) };
}

/* ---- Errors ---- */

pg_noreturn static void
fail_rule(const char *detail)
{
	ereport(ERROR,
	        errcode(ERRCODE_INVALID_PARAMETER_VALUE),
	        errmsg("%s", detail),
	        errhint("%s", rules_hint));
}

/* Say of an error in a filter whose it is; errors that are not about it stay as they
 * are. */
pg_noreturn static void
rethrow(const FilterText *text, MemoryContext context)
{
	ErrorData *error;
	int category;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	category = ERRCODE_TO_CATEGORY(error->sqlerrcode);
	if (category != ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION &&
	    category != ERRCODE_DATA_EXCEPTION &&
	    error->sqlerrcode != ERRCODE_FEATURE_NOT_SUPPORTED)
		ReThrowError(error);
	FlushErrorState();
	ereport(
		ERROR,
		errcode(ERRCODE_INVALID_PARAMETER_VALUE),
		errmsg("invalid row filter for table \"%s\": %s", text->table, error->message),
		errdetail("%s%sThe option \"row_filter_%s\" is: %s",
	              error->detail == NULL ? "" : error->detail,
	              error->detail == NULL ? "" : "  ",
	              text->table,
	              text->expression),
		errhint("%s", error->hint == NULL ? rules_hint : error->hint));
}

pg_noreturn void
row_filter_fail_column(const FilterText *text, const char *column)
{
	ereport(
		ERROR,
		errcode(ERRCODE_INVALID_PARAMETER_VALUE),
		errmsg("row filter for table \"%s\" cannot judge updates and deletes: column "
	           "\"%s\" of table \"%s\" is not part of its replica identity",
	           text->table,
	           column,
	           RelationGetRelationName(text->relation)),
		errdetail("The option \"row_filter_%s\" is: %s", text->table, text->expression),
		errhint("ALTER TABLE ... REPLICA IDENTITY FULL, or USING INDEX an index with "
	            "that column; or correct the option."));
}

/* ---- Raw ---- */

/* What may not even reach the parser's analysis. */
static bool
refuse_raw(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubLink) || IsA(node, SelectStmt))
		fail_rule("subqueries are not allowed");
	if (IsA(node, ColumnRef) && IsA(llast(((ColumnRef *) node)->fields), A_Star))
		fail_rule("\"*\" is not allowed");
	return raw_expression_tree_walker(node, refuse_raw, context);
}

/* Whether the statement is SELECT and one expression, and nothing else. */
static bool
is_expression(const SelectStmt *select)
{
	const ResTarget *target;

	if (select->op != SETOP_NONE || list_length(select->targetList) != 1)
		return false;
	target = linitial_node(ResTarget, select->targetList);
	return target->name == NULL && select->distinctClause == NIL &&
	       select->intoClause == NULL && select->fromClause == NIL &&
	       select->whereClause == NULL && select->groupClause == NIL &&
	       select->havingClause == NULL && select->windowClause == NIL &&
	       select->valuesLists == NIL && select->sortClause == NIL &&
	       select->limitOffset == NULL && select->limitCount == NULL &&
	       select->lockingClause == NIL && select->withClause == NULL;
}

/* On a line of its own behind PARSED_AS, as it stands in COPY. */
static Node *
parse_raw(const char *sql)
{
	List *statements = raw_parser(sql, RAW_PARSE_DEFAULT);
	Node *statement = NULL;
	Node *expression;

	/* a semicolon and nothing behind it is no statement, but it gives the one before it
	 * an end */
	if (list_length(statements) == 1 && linitial_node(RawStmt, statements)->stmt_len == 0)
		statement = linitial_node(RawStmt, statements)->stmt;
	if (statement == NULL || !IsA(statement, SelectStmt) ||
	    !is_expression((SelectStmt *) statement))
		fail_rule("it is not one expression");
	expression = linitial_node(ResTarget, ((SelectStmt *) statement)->targetList)->val;
	(void) refuse_raw(expression, NULL);
	return expression;
}

/* ---- Columns ---- */

static Node *
find_column(ParseState *pstate, ColumnRef *reference)
{
	const FilterText *text = pstate->p_ref_hook_state;
	TupleDesc descriptor = RelationGetDescr(text->relation);
	Node *last = llast(reference->fields);
	const char *name;

	if (!IsA(last, String) || list_length(reference->fields) > 2 ||
	    (list_length(reference->fields) == 2 &&
	     strcmp(strVal(linitial(reference->fields)), text->name) != 0))
		return NULL;
	name = strVal(last);
	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
		Var *column;

		if (attribute->attisdropped || strcmp(NameStr(attribute->attname), name) != 0)
			continue;
		if (attribute_is_virtual(attribute))
			fail_rule("virtual generated columns are not allowed");
		column = makeVar(1,
		                 attribute->attnum,
		                 attribute->atttypid,
		                 attribute->atttypmod,
		                 attribute->attcollation,
		                 0);
		column->location = reference->location;
		return (Node *) column;
	}
	if (SystemAttributeByName(name) != NULL)
		fail_rule("system columns are not allowed");
	return NULL; /* the parser says that there is none */
}

/* ---- Rules ---- */

/* What the walker needs to see a literal as it was written. */
typedef struct RuleContext
{
	const char *sql;
} RuleContext;

static bool
is_foreign_function(Oid function, void *context)
{
	return func_volatile(function) != PROVOLATILE_IMMUTABLE ||
	       function >= FirstNormalObjectId;
}

static bool
has_foreign_operator(Node *node)
{
	ListCell *cell;

	switch (nodeTag(node))
	{
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			return ((OpExpr *) node)->opno >= FirstNormalObjectId;
		case T_ScalarArrayOpExpr:
			return ((ScalarArrayOpExpr *) node)->opno >= FirstNormalObjectId;
		case T_RowCompareExpr:
			foreach(cell, ((RowCompareExpr *) node)->opnos)
				if (lfirst_oid(cell) >= FirstNormalObjectId)
					return true;
			return false;
		default:
			return false;
	}
}

static bool
is_allowed_kind(Node *node)
{
	switch (nodeTag(node))
	{
		case T_Var:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
		case T_RowCompareExpr:
		case T_Const:
		case T_FuncExpr:
		case T_BoolExpr:
		case T_RelabelType:
		case T_CollateExpr:
		case T_CaseExpr:
		case T_CaseTestExpr:
		case T_ArrayExpr:
		case T_RowExpr:
		case T_CoalesceExpr:
		case T_MinMaxExpr:
		case T_XmlExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_List:
			return true;
		default:
			return false;
	}
}

/* The text between the quotes of the literal that starts at location. */
static void
literal_text(const char *sql, int location, const char **text, const char **end)
{
	const char *at = sql + location;

	at += strcspn(at, "'$");
	if (*at == '$')
		at += 1 + strcspn(at + 1, "$");
	*text = *at == '\0' ? at : at + 1;
	*end = *text + strcspn(*text, *at == '$' ? "$" : "'");
}

/* Whether that literal names a moment by when it is read. */
static bool
names_the_clock(const char *sql, int location)
{
	static const char *const words[] = { "now", "today", "tomorrow", "yesterday" };
	const char *at;
	const char *end;

	literal_text(sql, location, &at, &end);
	while (at < end)
	{
		size_t len = 0;

		while (at + len < end && isalpha((unsigned char) at[len]))
			len++;
		for (int i = 0; i < (int) lengthof(words); i++)
			if (len == strlen(words[i]) && pg_strncasecmp(at, words[i], len) == 0)
				return true;
		at += len + 1;
	}
	return false;
}

static bool
is_time_type(Oid type)
{
	Oid element = get_element_type(type);
	char category;
	bool preferred;

	get_type_category_preferred(
		OidIsValid(element) ? element : type, &category, &preferred);
	return category == TYPCATEGORY_DATETIME;
}

static bool
check_rules(Node *node, void *context)
{
	const RuleContext *rules = context;

	if (node == NULL)
		return false;
	if (!is_allowed_kind(node))
		fail_rule("only columns, constants, and built-in operators, types, collations "
		          "and immutable functions are allowed");
	if (has_foreign_operator(node))
		fail_rule("user-defined operators are not allowed");
	if (!IsA(node, List))
	{
		if (exprType(node) >= FirstNormalObjectId)
			fail_rule("user-defined types are not allowed");
		if (check_functions_in_node(node, is_foreign_function, NULL))
			fail_rule("user-defined or mutable functions are not allowed");
		if (exprCollation(node) >= FirstNormalObjectId ||
		    exprInputCollation(node) >= FirstNormalObjectId)
			fail_rule("user-defined collations are not allowed");
	}
	if (IsA(node, Const) && ((Const *) node)->location >= 0 &&
	    is_time_type(((Const *) node)->consttype) &&
	    names_the_clock(rules->sql, ((Const *) node)->location))
		fail_rule("a constant that depends on the time of day is not allowed");
	return expression_tree_walker(node, check_rules, context);
}

/* ---- What the planner leaves ---- */

static bool
is_sql_function(Oid function, void *context)
{
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool is_sql;

	if (!HeapTupleIsValid(tuple))
		return false;
	is_sql = ((Form_pg_proc) GETSTRUCT(tuple))->prolang == SQLlanguageId;
	ReleaseSysCache(tuple);
	return is_sql;
}

/* Such a function runs statements unless it is inlined; decoding has no snapshot for
 * them. */
static bool
check_planned(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, is_sql_function, NULL))
		fail_rule("functions in the language SQL that cannot be inlined are not allowed");
	return expression_tree_walker(node, check_planned, context);
}

/* ---- All of it ---- */

static Expr *
parse(const FilterText *text, const char *sql)
{
	ParseState *pstate = make_parsestate(NULL);
	RuleContext rules = { .sql = sql };
	Node *expression;

	pstate->p_sourcetext = NULL; /* positions in it would be taken for the client's */
	pstate->p_pre_columnref_hook = find_column;
	pstate->p_ref_hook_state = unconstify(FilterText *, text);
	expression =
		transformWhereClause(pstate, parse_raw(sql), EXPR_KIND_WHERE, "row filter");
	assign_expr_collations(pstate, expression);
	(void) check_rules(expression, &rules);
	(void) check_planned((Node *) expression_planner(copyObject((Expr *) expression)),
	                     NULL);
	free_parsestate(pstate);
	return (Expr *) expression;
}

Expr *
row_filter_parse(const FilterText *text)
{
	MemoryContext context = CurrentMemoryContext;
	char *sql = psprintf(PARSED_AS "%s\n", text->expression);
	int level = NewGUCNestLevel();
	Expr *expression = NULL;

	/* names mean what is built in, whoever asks, and strings the same as for the worker
	 */
	(void) set_config_option("search_path",
	                         "pg_catalog",
	                         PGC_USERSET,
	                         PGC_S_SESSION,
	                         GUC_ACTION_SAVE,
	                         true,
	                         0,
	                         false);
	(void) set_config_option("standard_conforming_strings",
	                         "on",
	                         PGC_USERSET,
	                         PGC_S_SESSION,
	                         GUC_ACTION_SAVE,
	                         true,
	                         0,
	                         false);
	PG_TRY();
	{
		expression = parse(text, sql);
	}
	PG_CATCH();
	{
		rethrow(text, context);
	}
	PG_END_TRY();
	AtEOXact_GUC(true, level);
	return expression;
}

const char *
row_filter_unidentified(const FilterText *text, Expr *expression)
{
	Relation relation = text->relation;
	Bitmapset *identity;
	Bitmapset *used = NULL;
	int member = -1;

	if (relation->rd_rel->relreplident == REPLICA_IDENTITY_FULL)
		return NULL;
	identity = catalog_identity(relation);
	pull_varattnos((Node *) expression, 1, &used);
	while ((member = bms_next_member(used, member)) >= 0)
	{
		AttrNumber attnum = (AttrNumber) (member + FirstLowInvalidHeapAttributeNumber);

		if (!bms_is_member(attnum, identity))
			return pstrdup(
				NameStr(TupleDescAttr(RelationGetDescr(relation), attnum - 1)->attname));
	}
	return NULL;
}
