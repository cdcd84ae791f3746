/*
 * assign.h
 *		what somebody wrote, before anybody knows what it means.
 *
 * Each source (properties, connector JSON, environment, --set) only collects
 * names and values with their place; load.c decides what they are.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONFIG_ASSIGN_H
#define CONFIG_ASSIGN_H

#include "config/config.h"

/* Sources, later ones win. */
typedef enum AssignSource
{
	ASSIGN_FILE,
	ASSIGN_ENVIRONMENT,
	ASSIGN_COMMAND_LINE,
} AssignSource;

typedef struct Assignment
{
	const char *name; /* as written; from the environment: as the setting is called */
	const char *value;
	const char *place; /* follows "in": "file \"x\" line 3" */
	AssignSource source;
	size_t order; /* among all, as read */
} Assignment;

typedef struct AssignList
{
	Arena *arena; /* holds everything here */
	Assignment *items;
	size_t count;
	size_t capacity;
} AssignList;

/* Append; the three strings must live as long as the list's arena. */
void assign_add(AssignList *list, AssignSource source, const char *name,
                const char *value, const char *place);

/*
 * Java's properties: # and ! comments, continuation lines, the separators = : and blank,
 * escapes \n \t \r \f \uXXXX and a backslash before anything else.  UTF-8.  ERR_CONFIG
 * names file and line.
 */
bool assign_properties(AssignList *list, Slice text, const char *file,
                       Err *err) MUST_CHECK;

/*
 * A Kafka Connect connector: {"name": ..., "config": {name: value}}, or the inner object
 * alone.  null is as if the name was absent.
 */
bool assign_connector(AssignList *list, Slice text, const char *file,
                      Err *err) MUST_CHECK;

/*
 * The variables that begin with CDC_SINK_.  A variable that ends in _FILE, and is not a
 * setting with it, gives the content of the file it names, without line ends at its end.
 */
bool assign_environment(AssignList *list, char *const *variables, Err *err) MUST_CHECK;

/* The arguments of --set. */
bool assign_settings(AssignList *list, const char *const *settings, size_t count,
                     Err *err) MUST_CHECK;

/* Collect all of input, in the order of AssignSource. */
bool assign_all(AssignList *list, const ConfigInput *input, Err *err) MUST_CHECK;

/*
 * The value of a file's assignment with its ${...} expressions replaced (expand.c); of
 * others the value itself.  What is made lives in the list's arena.  ERR_CONFIG names the
 * setting and what it refers to; values are not shown.  With keeps_unknown a name that is
 * neither property nor variable stays as it was written: ${routedByValue} of a
 * transformation means a group there.
 */
bool assign_expand(const AssignList *list, const Assignment *from, char *const *variables,
                   bool keeps_unknown, const char **value, Err *err) MUST_CHECK;

/* A file of at most 1 MB; its text, without line ends at its end and free of nulls. */
bool assign_read(Arena *arena, const char *path, Slice *content, Err *err) MUST_CHECK;
bool assign_read_line(Arena *arena, const char *path, const char **text,
                      Err *err) MUST_CHECK;

/* The variable that a setting is read from: CDC_SINK_DATABASE_HOSTNAME. */
const char *assign_variable(Arena *arena, const char *name);

#endif
