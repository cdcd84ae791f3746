/*
 * args.c
 *		the tables of commands and options, and the parser over them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "config/args.h"

#include <string.h>

#include "config/commands.h"
#include "config/nearest.h"
#include "config/settings.h"

#define BIT(command) (1U << (command))
#define ALL          (BIT(COMMAND_COUNT) - 1)
#define CONFIGURED                                                 \
	(BIT(COMMAND_CHECK) | BIT(COMMAND_CONFIG) | BIT(COMMAND_RUN) | \
	 BIT(COMMAND_SNAPSHOT) | BIT(COMMAND_STATUS) | BIT(COMMAND_VERIFY))

/* clang-format off */
static const CommandRow commands[COMMAND_COUNT] = {
	[COMMAND_CHECK] = { "check",
		"Look at everything a run needs and print, one line each, what is fine and what to do." },
	[COMMAND_CONFIG] = { "config",
		"Print the configuration in force, secrets as ***, or what can be configured." },
	[COMMAND_HELP] = { "help", "Print this help, or that of one command." },
	[COMMAND_RUN] = { "run",
		"Capture changes until SIGTERM or SIGINT, or up to a position." },
	[COMMAND_SNAPSHOT] = { "snapshot",
		"Have the worker read tables again in the middle of the stream, now or at its next start." },
	[COMMAND_STATUS] = { "status",
		"Print how far slot, outputs and worker are; status 0 when all is well." },
	[COMMAND_VERIFY] = { "verify",
		"Compare every silver table with its source, and print counts and differing keys; status 0 when all are equal." },
	[COMMAND_VERSION] = { "version", "Print the version." },
};

static const ArgRow options[] = {
	{ "config", 'c', "FILE", CONFIGURED, ARG_FILE, 0,
	  "Read settings from FILE: properties, or a connector's JSON." },
	{ "debezium", '\0', "", BIT(COMMAND_CONFIG), ARG_DOCUMENT, DOCUMENT_DEBEZIUM,
	  "Print what becomes of other properties of Debezium, in Markdown." },
	{ "help", 'h', "", ALL, ARG_HELP, 0, "Print help." },
	{ "json", '\0', "", BIT(COMMAND_STATUS), ARG_JSON, 0,
	  "Print one JSON object instead of lines." },
	{ "man", '\0', "", BIT(COMMAND_CONFIG), ARG_DOCUMENT, DOCUMENT_MAN,
	  "Print the manual page." },
	{ "metrics", '\0', "", BIT(COMMAND_CONFIG), ARG_DOCUMENT, DOCUMENT_METRICS,
	  "Print the metrics of the status server, in Markdown." },
	{ "reference", '\0', "", BIT(COMMAND_CONFIG), ARG_DOCUMENT, DOCUMENT_REFERENCE,
	  "Print all settings, in Markdown." },
	{ "sample", '\0', "", BIT(COMMAND_CONFIG), ARG_DOCUMENT, DOCUMENT_SAMPLE,
	  "Print a commented configuration file." },
	{ "set", '\0', "NAME=VALUE", CONFIGURED, ARG_SET, 0,
	  "Set one setting, over file and environment; can be repeated." },
	{ "tables", '\0', "LIST", BIT(COMMAND_SNAPSHOT), ARG_TABLES, 0,
	  "Read these: schema.table as the catalog has it, or quoted as in SQL (\"a.b\".\"c,d\"), commas between." },
	{ "transforms", '\0', "", BIT(COMMAND_CONFIG), ARG_DOCUMENT, DOCUMENT_TRANSFORMS,
	  "Print the transformations and predicates with their options, in Markdown." },
	{ "until-lsn", '\0', "X/Y", BIT(COMMAND_RUN), ARG_UNTIL_LSN, 0,
	  "Stop with status 0 when everything up to this position is durable in all outputs." },
	{ "verbose", 'v', "", CONFIGURED, ARG_VERBOSE, 0, "The same as --set log.level=debug." },
	{ "version", 'V', "", ALL, ARG_VERSION, 0, "Print the version." },
	{ "worker", '\0', "", BIT(COMMAND_STATUS), ARG_WORKER, 0,
	  "Ask only the worker that runs here, at status.port: a health check." },
};
/* clang-format on */

#define ARG_COUNT (sizeof options / sizeof *options)

/* The option as it was written, for messages. */
typedef struct Given
{
	const ArgRow *row;
	const char *written;
	const char *argument;
} Given;

typedef struct Parser
{
	int at;
	int argc;
	char *const *argv;
	const char *subject; /* of help */
	Given *given;
	size_t given_count;
	const char **settings;
	size_t setting_count;
	Args *args;
	Err *err;
} Parser;

const CommandRow *
command_table(void)
{
	return commands;
}

const ArgRow *
arg_table(size_t *count)
{
	*count = ARG_COUNT;
	return options;
}

static Command
command_find(const char *name)
{
	int command = 0;

	while (command < COMMAND_COUNT && strcmp(commands[command].name, name) != 0)
		command++;
	return (Command) command;
}

static bool
fail_command(const char *written, Err *err)
{
	Nearest nearest = nearest_to(written);
	char shown[SHOWN_SIZE];

	for (int i = 0; i < COMMAND_COUNT; i++)
		nearest_try(&nearest, commands[i].name);
	(void) fail(
		err, ERR_CONFIG, "unrecognized command \"%s\"", setting_shown(written, shown));
	if (nearest.word != NULL)
		return fail_hint(err, "Perhaps you meant \"%s\".", nearest.word);
	return fail_hint(err, "\"cdc-sink help\" lists the commands.");
}

static bool
fail_option(const char *written, const char *name, Err *err)
{
	Nearest nearest = nearest_to(name);
	char shown[SHOWN_SIZE];

	for (size_t i = 0; i < ARG_COUNT; i++)
		nearest_try(&nearest, options[i].name);
	(void) fail(
		err, ERR_CONFIG, "unrecognized option \"%s\"", setting_shown(written, shown));
	if (nearest.word != NULL)
		return fail_hint(err, "Perhaps you meant \"--%s\".", nearest.word);
	return fail_hint(err, "\"cdc-sink help\" lists the options; settings are --set's.");
}

/* Remember an option and its argument: what follows in the same word, else the next. */
static bool
take_option(Parser *parser, const ArgRow *row, const char *written, const char *attached)
{
	Given given = { row, written, attached };

	if (*row->argument == '\0' && attached != NULL)
		return fail(
			parser->err, ERR_CONFIG, "option \"--%s\" takes no argument", row->name);
	if (*row->argument != '\0' && attached == NULL)
	{
		if (parser->at == parser->argc)
		{
			(void) fail(
				parser->err, ERR_CONFIG, "option \"%s\" needs an argument", written);
			return fail_hint(parser->err, "Write %s %s.", written, row->argument);
		}
		given.argument = parser->argv[parser->at++];
	}
	parser->given[parser->given_count++] = given;
	return true;
}

static bool
parse_long(Parser *parser, Arena *arena, const char *word)
{
	size_t len = strcspn(word, "=");
	const char *written = arena_strndup(arena, word, len);
	const char *attached = word[len] == '=' ? word + len + 1 : NULL;

	for (size_t i = 0; i < ARG_COUNT; i++)
		if (strcmp(options[i].name, written + 2) == 0)
			return take_option(parser, &options[i], written, attached);
	return fail_option(written, written + 2, parser->err);
}

static bool
parse_short(Parser *parser, Arena *arena, const char *word)
{
	const char *written = arena_strndup(arena, word, 2);

	for (size_t i = 0; i < ARG_COUNT; i++)
		if (options[i].letter == word[1])
			return take_option(
				parser, &options[i], written, word[2] != '\0' ? word + 2 : NULL);
	return fail_option(word, word + 1, parser->err);
}

static bool
parse_plain(Parser *parser, const char *word)
{
	char shown[SHOWN_SIZE];

	if (parser->args->command == COMMAND_COUNT)
	{
		parser->args->command = command_find(word);
		return parser->args->command != COMMAND_COUNT || fail_command(word, parser->err);
	}
	if (parser->args->command == COMMAND_HELP && parser->subject == NULL)
	{
		parser->subject = word;
		return true;
	}
	return fail(parser->err,
	            ERR_CONFIG,
	            "unexpected argument \"%s\" after command \"%s\"",
	            setting_shown(word, shown),
	            commands[parser->args->command].name);
}

static bool
parse_words(Parser *parser, Arena *arena)
{
	bool only_plain = false;

	while (parser->at < parser->argc)
	{
		const char *word = parser->argv[parser->at++];
		bool ok = true;

		if (only_plain || word[0] != '-' || word[1] == '\0')
			ok = parse_plain(parser, word);
		else if (strcmp(word, "--") == 0)
			only_plain = true;
		else if (word[1] == '-')
			ok = parse_long(parser, arena, word);
		else
			ok = parse_short(parser, arena, word);
		if (!ok)
			return false;
	}
	return true;
}

static bool
apply_option(Parser *parser, const Given *given)
{
	Args *args = parser->args;

	switch (given->row->id)
	{
		case ARG_FILE:
			args->input.file = given->argument;
			return true;
		case ARG_DOCUMENT:
			args->document = (ConfigDocument) given->row->value;
			return true;
		case ARG_SET:
			parser->settings[parser->setting_count++] = given->argument;
			return true;
		case ARG_TABLES:
			args->tables = given->argument;
			return true;
		case ARG_VERBOSE:
			parser->settings[parser->setting_count++] = "log.level=debug";
			return true;
		case ARG_UNTIL_LSN:
			if (lsn_parse(given->argument, &args->until_lsn) && args->until_lsn != 0)
				return true;
			(void) fail(parser->err,
			            ERR_CONFIG,
			            "invalid argument \"%s\" for option \"%s\"",
			            given->argument,
			            given->written);
			return fail_hint(parser->err, "Give a WAL position such as 16/B374D848.");
		case ARG_JSON:
			args->json = true;
			return true;
		case ARG_WORKER:
			args->worker_only = true;
			return true;
		case ARG_HELP:
		case ARG_VERSION:
			break; /* decided the command already */
	}
	return true;
}

/* --help and --version are commands in disguise, the first of them given counting. */
static void
apply_disguised(Parser *parser)
{
	Args *args = parser->args;

	for (size_t i = 0; i < parser->given_count; i++)
	{
		ArgId id = parser->given[i].row->id;

		if (id == ARG_HELP && args->command != COMMAND_HELP)
			args->help_about = args->command;
		if (id != ARG_HELP && id != ARG_VERSION)
			continue;
		args->command = id == ARG_HELP ? COMMAND_HELP : COMMAND_VERSION;
		parser->given_count = 0;
	}
}

static bool
apply_all(Parser *parser)
{
	Args *args = parser->args;

	apply_disguised(parser);
	if (args->command == COMMAND_COUNT)
	{
		(void) fail(parser->err, ERR_CONFIG, "no command was given");
		return fail_hint(parser->err, "\"cdc-sink help\" lists the commands.");
	}
	if (parser->subject != NULL)
		args->help_about = command_find(parser->subject);
	if (parser->subject != NULL && args->help_about == COMMAND_COUNT)
		return fail_command(parser->subject, parser->err);
	for (size_t i = 0; i < parser->given_count; i++)
	{
		const Given *given = &parser->given[i];

		if ((given->row->commands & BIT(args->command)) == 0)
			return fail(parser->err,
			            ERR_CONFIG,
			            "command \"%s\" has no option \"%s\"",
			            commands[args->command].name,
			            given->written);
		if (!apply_option(parser, given))
			return false;
	}
	args->input.settings = parser->settings;
	args->input.setting_count = parser->setting_count;
	return true;
}

bool
args_parse(Arena *arena, int argc, char *const *argv, char **environ, Args *args,
           Err *err)
{
	size_t words = argc > 0 ? (size_t) argc : 1;
	Parser parser = {
		.at = 1,
		.argc = argc,
		.argv = argv,
		.given = arena_alloc(arena, words * sizeof(Given)),
		.settings = arena_alloc(arena, words * sizeof(char *)),
		.args = args,
		.err = err,
	};

	*args = (Args){
		.command = COMMAND_COUNT,
		.help_about = COMMAND_COUNT,
		.input.environ = environ,
	};
	return parse_words(&parser, arena) && apply_all(&parser);
}
