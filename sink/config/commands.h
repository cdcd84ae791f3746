/*
 * commands.h
 *		the tables behind the command line, for its parser and its help.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONFIG_COMMANDS_H
#define CONFIG_COMMANDS_H

#include "config/args.h"

typedef struct CommandRow
{
	const char *name;
	const char *doc; /* one sentence */
} CommandRow;

typedef enum ArgId
{
	ARG_FILE,
	ARG_DOCUMENT,
	ARG_HELP,
	ARG_JSON,
	ARG_SET,
	ARG_TABLES,
	ARG_UNTIL_LSN,
	ARG_VERBOSE,
	ARG_VERSION,
	ARG_WORKER,
} ArgId;

typedef struct ArgRow
{
	const char *name;     /* without its hyphens */
	char letter;          /* '\0': none */
	const char *argument; /* "": none */
	unsigned commands;    /* bits 1 << Command that take it */
	ArgId id;
	int value; /* of ARG_DOCUMENT */
	const char *doc;
} ArgRow;

/* Indexed by Command; COMMAND_COUNT rows. */
const CommandRow *command_table(void);

/* Sorted by name. */
const ArgRow *arg_table(size_t *count);

#endif
