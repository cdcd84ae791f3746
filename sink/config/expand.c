/*
 * expand.c
 *		expressions in the values of a file, as Debezium Server and Kafka Connect read
 *		them.
 *
 *	${NAME}, ${NAME:default}	another property of the file, else an environment variable
 *	${env:NAME}				an environment variable (EnvVarConfigProvider)
 *	${file:PATH:KEY}			a property of another file (FileConfigProvider)
 *	${dir:PATH:NAME}			the content of a file (DirectoryConfigProvider)
 *	\${					the two characters themselves
 *
 * What an expression gives may hold expressions when it comes from the same file;
 * a default may not.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <ctype.h>
#include <string.h>

#include "config/assign.h"

#define MAX_DEPTH 8

typedef struct Expander
{
	const AssignList *list;
	char *const *variables;
	const Assignment *from;
	bool keeps_unknown;
	int depth;
	Err *err;
} Expander;

typedef bool (*Provider)(Expander *expander, const char *argument, const char **value);

/* Name is what the expression refers to; NULL where it could be part of a secret. */
static bool
fail_expression(const Expander *expander, const char *name, const char *why)
{
	const char *shown =
		name == NULL ? "" : arena_printf(expander->list->arena, "\"%.200s\" ", name);

	(void) fail(expander->err,
	            ERR_CONFIG,
	            "could not expand the value of \"%.80s\" in %s: %s%s",
	            expander->from->name,
	            expander->from->place,
	            shown,
	            why);
	return fail_hint(expander->err, "Write \\\\${ for the characters ${ themselves.");
}

/* The environment variable that is called name, as is or in capitals and underscores. */
static const char *
find_variable(const Expander *expander, const char *name)
{
	size_t len = strlen(name);
	char *upper = arena_strdup(expander->list->arena, name);

	for (char *p = upper; *p != '\0'; p++)
		*p = isalnum((unsigned char) *p) ? (char) toupper((unsigned char) *p) : '_';
	for (char *const *at = expander->variables; at != NULL && *at != NULL; at++)
		if ((strncmp(*at, name, len) == 0 || strncmp(*at, upper, len) == 0) &&
		    (*at)[len] == '=')
			return *at + len + 1;
	return NULL;
}

static const char *
find_property(const AssignList *list, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].source == ASSIGN_FILE &&
		    strcmp(list->items[i].name, name) == 0)
			value = list->items[i].value;
	return value;
}

static bool
provide_variable(Expander *expander, const char *argument, const char **value)
{
	*value = find_variable(expander, argument);
	return *value != NULL ||
	       fail_expression(expander, argument, "is not an environment variable");
}

/* The part of argument before its last colon, and what follows; false: there is none. */
static bool
split_path(Expander *expander, const char *argument, const char **path, const char **rest)
{
	const char *colon = strrchr(argument, ':');

	if (colon == NULL || colon == argument || colon[1] == '\0')
		return fail_expression(expander, argument, "is not a path, a colon and a name");
	*path = arena_strndup(expander->list->arena, argument, (size_t) (colon - argument));
	*rest = colon + 1;
	return true;
}

static bool
provide_property(Expander *expander, const char *argument, const char **value)
{
	AssignList other = { .arena = expander->list->arena };
	const char *path;
	const char *key;
	Slice content;

	if (!split_path(expander, argument, &path, &key))
		return false;
	if (!assign_read(other.arena, path, &content, expander->err) ||
	    !assign_properties(&other, content, path, expander->err))
		return fail_while(expander->err,
		                  "could not expand the value of \"%.80s\" in %s",
		                  expander->from->name,
		                  expander->from->place);
	*value = find_property(&other, key);
	return *value != NULL ||
	       fail_expression(expander, argument, "does not name a property of that file");
}

static bool
provide_content(Expander *expander, const char *argument, const char **value)
{
	Arena *arena = expander->list->arena;
	const char *directory;
	const char *name;

	if (!split_path(expander, argument, &directory, &name))
		return false;
	if (!assign_read_line(
			arena, arena_printf(arena, "%s/%s", directory, name), value, expander->err))
		return fail_while(expander->err,
		                  "could not expand the value of \"%.80s\" in %s",
		                  expander->from->name,
		                  expander->from->place);
	return true;
}

static const struct
{
	const char *prefix;
	Provider provide;
} providers[] = {
	{ "dir:", provide_content },
	{ "directory:", provide_content },
	{ "env:", provide_variable },
	{ "file:", provide_property },
};

static bool expand(Expander *expander, const char *text, const char **value);

/* ${NAME} and ${NAME:default}. */
static bool
provide_name(Expander *expander, const char *expression, const char **value)
{
	size_t len = strcspn(expression, ":");
	const char *name = arena_strndup(expander->list->arena, expression, len);

	*value = find_property(expander->list, name);
	if (*value != NULL)
		return expand(expander, *value, value);
	*value = find_variable(expander, name);
	if (*value == NULL && expression[len] == ':')
		*value = expression + len + 1;
	if (*value == NULL && expander->keeps_unknown)
		*value = arena_printf(expander->list->arena, "${%s}", name);
	return *value != NULL ||
	       fail_expression(
			   expander,
			   name,
			   "is neither a property of the file nor an environment variable");
}

static bool
expand_one(Expander *expander, const char *expression, const char **value)
{
	if (strstr(expression, "${") != NULL)
		return fail_expression(expander, NULL, "an expression cannot stand in another");
	for (size_t i = 0; i < sizeof providers / sizeof *providers; i++)
	{
		size_t len = strlen(providers[i].prefix);

		if (strncmp(expression, providers[i].prefix, len) == 0)
			return providers[i].provide(expander, expression + len, value);
	}
	return provide_name(expander, expression, value);
}

static bool
expand(Expander *expander, const char *text, const char **value)
{
	Arena *arena = expander->list->arena;
	const char *done = "";

	if (++expander->depth > MAX_DEPTH)
		return fail_expression(expander, NULL, "properties refer to each other");
	for (const char *at = text; (at = strstr(at, "${")) != NULL; text = at)
	{
		const char *end = strchr(at, '}');
		const char *part;

		if (at > text && at[-1] == '\\')
		{
			at += 2;
			done = arena_printf(arena, "%s%.*s${", done, (int) (at - text - 3), text);
			continue;
		}
		if (end == NULL)
			return fail_expression(expander, NULL, "there is no closing brace");
		done = arena_printf(arena, "%s%.*s", done, (int) (at - text), text);
		if (!expand_one(
				expander, arena_strndup(arena, at + 2, (size_t) (end - at - 2)), &part))
			return false;
		done = arena_printf(arena, "%s%s", done, part);
		at = end + 1;
	}
	*value = arena_printf(arena, "%s%s", done, text);
	expander->depth--;
	return true;
}

bool
assign_expand(const AssignList *list, const Assignment *from, char *const *variables,
              bool keeps_unknown, const char **value, Err *err)
{
	Expander expander = { list, variables, from, keeps_unknown, 0, err };

	*value = from->value;
	if (from->source != ASSIGN_FILE || strstr(from->value, "${") == NULL)
		return true;
	return expand(&expander, from->value, value);
}
