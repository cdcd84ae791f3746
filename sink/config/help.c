/*
 * help.c
 *		help and manual page, from the tables of commands, options and settings.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "config/args.h"
#include "config/commands.h"
#include "config/print.h"

#ifndef CDC_VERSION
#define CDC_VERSION "unreleased"
#endif

typedef struct Status
{
	int status;
	const char *doc;
} Status;

static const Status statuses[] = {
	{ 0, "asked to stop, or done" },
	{ 1,
	  "a failure that a restart may cure; with verify: a difference, or a table that could not be compared; with check and status: not all is well" },
	{ 2, "the configuration or the command line must be changed first" },
};

static const char summary[] =
	"cdc-sink carries changes from PostgreSQL to Kafka and to an Iceberg lake";
static const char sources[] =
	"Settings come from the file, the environment and --set, later ones winning. The "
	"variable of database.password is CDC_SINK_DATABASE_PASSWORD, or "
	"CDC_SINK_DATABASE_PASSWORD_FILE for the name of a file that holds it. The file is "
	"one of Debezium Server (application.properties), of Kafka Connect (a connector's "
	"JSON), or plain properties.";

static bool
takes(const ArgRow *row, Command about)
{
	return about == COMMAND_COUNT || (row->commands & (1U << about)) != 0;
}

/* "-c, --config=FILE". */
static const char *
option_form(Arena *arena, const ArgRow *row)
{
	return arena_printf(arena,
	                    "%s--%s%s%s",
	                    row->letter == '\0' ? "    "
	                                        : arena_printf(arena, "-%c, ", row->letter),
	                    row->name,
	                    *row->argument == '\0' ? "" : "=",
	                    row->argument);
}

static void
print_options(Command about, FILE *to)
{
	Arena *arena = arena_new();
	size_t count;
	const ArgRow *rows = arg_table(&count);

	(void) fputs("\nOptions:\n", to);
	for (size_t i = 0; i < count; i++)
		if (takes(&rows[i], about))
			(void) fprintf(
				to, "  %-22s  %s\n", option_form(arena, &rows[i]), rows[i].doc);
	arena_free(arena);
}

/* Text at most 78 columns wide. */
static void
print_wrapped(const char *text, FILE *to)
{
	size_t column = 0;

	while (*text != '\0')
	{
		size_t len = strcspn(text, " ");

		if (column > 0 && column + 1 + len > 78)
		{
			(void) fputc('\n', to);
			column = 0;
		}
		(void) fprintf(to, "%s%.*s", column > 0 ? " " : "", (int) len, text);
		column += len + (column > 0);
		text += len;
		text += strspn(text, " ");
	}
	(void) fputc('\n', to);
}

void
args_print_help(Command about, FILE *to)
{
	const CommandRow *commands = command_table();

	if (about != COMMAND_COUNT)
	{
		(void) fprintf(to,
		               "%s\n\nUsage:\n  cdc-sink %s [OPTION]...\n",
		               commands[about].doc,
		               commands[about].name);
		print_options(about, to);
		return;
	}
	(void) fprintf(
		to, "%s.\n\nUsage:\n  cdc-sink COMMAND [OPTION]...\n\nCommands:\n", summary);
	for (int i = 0; i < COMMAND_COUNT; i++)
		(void) fprintf(to, "  %-8s  %s\n", commands[i].name, commands[i].doc);
	print_options(about, to);
	(void) fputs("\nExit status:\n", to);
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		(void) fprintf(to, "  %d  %s\n", statuses[i].status, statuses[i].doc);
	(void) fputc('\n', to);
	print_wrapped(sources, to);
	(void) fputs("\nSettings (and defaults):\n", to);
	config_print_help(to);
}

void
args_print_version(FILE *to)
{
	(void) fputs("cdc-sink " CDC_VERSION "\n", to);
}

void
args_print_document(ConfigDocument document, FILE *to)
{
	static void (*const printers[])(FILE *) = {
		[DOCUMENT_DEBEZIUM] = config_print_debezium,
		[DOCUMENT_MAN] = args_print_man,
		[DOCUMENT_REFERENCE] = config_print_reference,
		[DOCUMENT_SAMPLE] = config_print_sample,
		[DOCUMENT_TRANSFORMS] = config_print_transforms,
	};

	printers[document](to);
}

void
args_print_man(FILE *to)
{
	Arena *arena = arena_new();
	const CommandRow *commands = command_table();
	size_t count;
	const ArgRow *rows = arg_table(&count);

	(void) fprintf(to,
	               ".TH CDC\\-SINK 1 \"\" \"cdc\\-sink %s\" \"cdc_decoder\"\n"
	               ".SH NAME\ncdc\\-sink \\- changes from PostgreSQL to Kafka and to an "
	               "Iceberg lake\n"
	               ".SH SYNOPSIS\n.B cdc\\-sink\n.I command\n.RI [ option ]...\n"
	               ".SH COMMANDS\n",
	               CDC_VERSION);
	for (int i = 0; i < COMMAND_COUNT; i++)
	{
		(void) fprintf(to, ".TP\n.B %s\n", commands[i].name);
		man_text(commands[i].doc, to);
	}
	(void) fputs(".SH OPTIONS\n", to);
	for (size_t i = 0; i < count; i++)
	{
		const char *form = option_form(arena, &rows[i]);

		(void) fputs(".TP\n.B ", to);
		man_text(form + strspn(form, " "), to);
		man_text(rows[i].doc, to);
	}
	(void) fputs(".SH CONFIGURATION\n", to);
	man_text(sources, to);
	config_print_man(to);
	(void) fputs(".SH EXIT STATUS\n", to);
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
	{
		(void) fprintf(to, ".TP\n.B %d\n", statuses[i].status);
		man_text(statuses[i].doc, to);
	}
	(void) fputs(".SH SEE ALSO\n.BR postgres (1),\n.BR pg_recvlogical (1)\n", to);
	arena_free(arena);
}
