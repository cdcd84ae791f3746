/*
 * args.h
 *		the command line: one command, its options, and help made of their tables.
 *
 *	cdc-sink COMMAND [-c FILE] [--set name=value]... [option]...
 *
 * Options may stand before the command.  Long ones are written --name=value or
 * --name value, short ones -cFILE or -c FILE.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONFIG_ARGS_H
#define CONFIG_ARGS_H

#include "config/config.h"

typedef enum Command
{
	COMMAND_CHECK,
	COMMAND_CONFIG,
	COMMAND_HELP,
	COMMAND_RUN,
	COMMAND_SNAPSHOT,
	COMMAND_STATUS,
	COMMAND_VERIFY,
	COMMAND_VERSION,
	COMMAND_COUNT, /* also: no command */
} Command;

/* What `cdc-sink config` prints. */
typedef enum ConfigDocument
{
	DOCUMENT_EFFECTIVE,  /* config_print; the only one that needs a configuration */
	DOCUMENT_DEBEZIUM,   /* config_print_debezium */
	DOCUMENT_MAN,        /* args_print_man */
	DOCUMENT_METRICS,    /* board_print_reference, which main calls */
	DOCUMENT_REFERENCE,  /* config_print_reference */
	DOCUMENT_SAMPLE,     /* config_print_sample */
	DOCUMENT_TRANSFORMS, /* config_print_transforms */
} ConfigDocument;

typedef struct Args
{
	Command command;
	Command help_about;      /* with COMMAND_HELP; COMMAND_COUNT: everything */
	ConfigDocument document; /* with COMMAND_CONFIG */
	ConfigInput input;
	Lsn until_lsn;      /* with COMMAND_RUN; 0: run until asked to stop */
	const char *tables; /* with COMMAND_SNAPSHOT; NULL: not given */
	bool json;          /* with COMMAND_STATUS */
	bool worker_only;   /* with COMMAND_STATUS */
} Args;

/*
 * Read the command line.  ERR_CONFIG names what is wrong and, for an unrecognized command
 * or option, the nearest one.  What args points at lives in arena or in argv; environ is
 * passed on in args->input.
 */
bool args_parse(Arena *arena, int argc, char *const *argv, char **environ, Args *args,
                Err *err) MUST_CHECK;

/* The help of one command, or with COMMAND_COUNT of all, settings included. */
void args_print_help(Command about, FILE *to);

/* Print what `cdc-sink config` was asked for, other than DOCUMENT_EFFECTIVE and
 * DOCUMENT_METRICS. */
void args_print_document(ConfigDocument document, FILE *to);

/* The manual page cdc-sink(1). */
void args_print_man(FILE *to);

void args_print_version(FILE *to);

#endif
