/*
 * identity.c
 *		matching tables with identities, and ALTER TABLE.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/identity.h"

#include <stdio.h>
#include <strings.h>

#include "base/arena.h"
#include "base/log.h"

#define NAME "replica.identity.autoset.values"

typedef struct Rule
{
	FilterList tables;
	char kind;         /* as in pg_class.relreplident */
	const char *index; /* kind i */
} Rule;

typedef struct Rules
{
	Arena *arena;
	Rule *items;
	size_t count;
} Rules;

static bool
parse_identity(const char *text, Arena *arena, Rule *rule)
{
	static const struct
	{
		const char *word;
		char kind;
	} words[] = { { "DEFAULT", 'd' }, { "FULL", 'f' }, { "NOTHING", 'n' } };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasecmp(text, words[i].word) == 0)
		{
			rule->kind = words[i].kind;
			return true;
		}
	rule->kind = 'i';
	rule->index = arena_strdup(arena, text + 6 * (strlen(text) > 6));
	return strncasecmp(text, "INDEX ", 6) == 0 && *rule->index != '\0';
}

/* text: one item, without blanks around it. */
static bool
parse_rule(const char *text, Arena *arena, Rule *rule, Err *err)
{
	const char *colon = strrchr(text, ':');
	const Alloc alloc = arena_as_alloc(arena);
	EnvError error = { 0 };

	*rule = (Rule){ 0 };
	if (colon == NULL || colon == text || !parse_identity(colon + 1, arena, rule))
	{
		fail(err, ERR_CONFIG, "invalid value for setting \"" NAME "\": \"%s\"", text);
		return fail_hint(err,
		                 "Write schema.table:IDENTITY, where IDENTITY is DEFAULT, FULL, "
		                 "NOTHING or INDEX and its name.");
	}
	if (filter_compile(&rule->tables,
	                   arena_strndup(arena, text, (size_t) (colon - text)),
	                   &alloc,
	                   &error))
		return true;
	fail(err, ERR_CONFIG, "invalid value for setting \"" NAME "\": %s", error.message);
	return fail_hint(err, "%s", error.hint);
}

static bool
parse_rules(Rules *rules, const char *text, Err *err)
{
	rules->items = arena_alloc(rules->arena, (strlen(text) + 1) * sizeof *rules->items);
	for (const char *at = text; *at != '\0';)
	{
		size_t len = strcspn(at, ",");
		size_t blanks = strspn(at, " ");
		size_t end = len;

		while (end > blanks && at[end - 1] == ' ')
			end--;
		if (end > blanks)
		{
			const char *item = arena_strndup(rules->arena, at + blanks, end - blanks);

			if (!parse_rule(item, rules->arena, &rules->items[rules->count], err))
				return false;
			rules->count++;
		}
		at += len + (at[len] == ',');
	}
	return true;
}

/* The only rule for table; NULL: none, or with err set more than one. */
static const Rule *
find_rule(const Rules *rules, const char *table, Err *err)
{
	const Rule *found = NULL;

	for (size_t i = 0; i < rules->count; i++)
	{
		if (!filter_matches(&rules->items[i].tables, table))
			continue;
		if (found != NULL)
		{
			fail(err,
			     ERR_CONFIG,
			     "more than one expression of \"" NAME "\" matches table \"%s\"",
			     table);
			return NULL;
		}
		found = &rules->items[i];
	}
	return found;
}

static bool
alter(PGconn *sql, const char *schema, const char *name, const Rule *rule, Err *err)
{
	static const struct
	{
		char kind;
		const char *words;
	} forms[] = {
		{ 'd', "DEFAULT" }, { 'f', "FULL" }, { 'n', "NOTHING" }, { 'i', "USING INDEX " }
	};
	Buf command = buf_heap();
	PGresult *result;

	buf_text(&command, "ALTER TABLE ");
	server_quote(&command, '"', schema);
	buf_char(&command, '.');
	server_quote(&command, '"', name);
	buf_text(&command, " REPLICA IDENTITY ");
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (forms[i].kind == rule->kind)
			buf_text(&command, forms[i].words);
	if (rule->kind == 'i')
		server_quote(&command, '"', rule->index);
	result = server_query(sql, buf_cstr(&command), err);
	if (result == NULL)
		(void) fail_while(
			err, "could not set the replica identity of table \"%s.%s\"", schema, name);
	else
		log_info("source", "%s", buf_cstr(&command));
	buf_free(&command);
	PQclear(result);
	return result != NULL;
}

static bool
apply(const Rules *rules, PGconn *sql, const Config *config, const PGresult *tables,
      Err *err)
{
	for (int i = 0; i < PQntuples(tables); i++)
	{
		const char *schema = server_text(tables, i, 0);
		const char *name = server_text(tables, i, 1);
		const char *table = arena_printf(rules->arena, "%s.%s", schema, name);
		const Rule *rule;

		if (!filter_wants_table(&config->env, schema, name))
			continue;
		rule = find_rule(rules, table, err);
		if (rule == NULL && err->kind != ERR_NONE)
			return false;
		if (rule == NULL ||
		    (*server_text(tables, i, 2) == rule->kind &&
		     (rule->kind != 'i' || strcmp(server_text(tables, i, 3), rule->index) == 0)))
			continue;
		if (!alter(sql, schema, name, rule, err))
			return false;
	}
	return true;
}

bool
identity_autoset(PGconn *sql, const Config *config, Err *err)
{
	static const char query[] =
		"SELECT n.nspname, c.relname, c.relreplident, x.relname FROM pg_class c "
		"JOIN pg_namespace n ON n.oid = c.relnamespace "
		"LEFT JOIN (pg_index i JOIN pg_class x ON x.oid = i.indexrelid) "
		"ON i.indrelid = c.oid AND i.indisreplident "
		"WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.oid >= 16384 "
		"ORDER BY 1, 2";
	Rules rules = { .arena = NULL };
	PGresult *tables = NULL;
	bool ok;

	if (*config->replica_identity_autoset == '\0')
		return true;
	rules.arena = arena_new();
	err->kind = ERR_NONE;
	ok = parse_rules(&rules, config->replica_identity_autoset, err) &&
	     (tables = server_query(sql, query, err)) != NULL &&
	     apply(&rules, sql, config, tables, err);
	PQclear(tables);
	for (size_t i = 0; i < rules.count; i++)
		filter_free(&rules.items[i].tables);
	arena_free(rules.arena);
	return ok;
}
