/*
 * test_args.c
 *		the command line: what is read, what is refused, and what help says.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/args.h"
#include "config/commands.h"

/* After the others: it defines fail(). */
#include <cmocka.h>

#define MAX_WORDS 12

typedef struct World
{
	Arena *arena;
	char **argv;
	Args args;
	Err err;
} World;

static int
setup(void **state)
{
	World *world = calloc(1, sizeof *world);

	world->arena = arena_new();
	*state = world;
	return 0;
}

static int
teardown(void **state)
{
	World *world = *state;

	arena_free(world->arena);
	free(world);
	return 0;
}

/* Parse words, separated by single blanks. */
static bool
parse(World *world, const char *line)
{
	char *copy = arena_strdup(world->arena, line);
	int argc = 1;

	world->argv = arena_alloc(world->arena, MAX_WORDS * sizeof(char *));
	world->argv[0] = arena_strdup(world->arena, "cdc-sink");
	while (copy != NULL && *copy != '\0')
		world->argv[argc++] = strsep(&copy, " ");
	world->argv[argc] = NULL;
	memset(&world->err, 0, sizeof world->err);
	return args_parse(world->arena, argc, world->argv, NULL, &world->args, &world->err);
}

static void
parse_ok(World *world, const char *line)
{
	if (!parse(world, line))
		fail_msg("%s: %s", line, world->err.text);
}

static void
test_run(void **state)
{
	World *world = *state;

	parse_ok(world, "run");
	assert_int_equal(world->args.command, COMMAND_RUN);
	assert_null(world->args.input.file);
	assert_int_equal(world->args.input.setting_count, 0);
	assert_int_equal(world->args.until_lsn, 0);
	parse_ok(world, "run -c f --set a=b --set=c=d=e --until-lsn 16/B374D848");
	assert_string_equal(world->args.input.file, "f");
	assert_int_equal(world->args.input.setting_count, 2);
	assert_string_equal(world->args.input.settings[0], "a=b");
	assert_string_equal(world->args.input.settings[1], "c=d=e");
	assert_int_equal(world->args.until_lsn, 0x16B374D848);
}

static void
test_forms(void **state)
{
	World *world = *state;

	parse_ok(world, "-cf check");
	assert_int_equal(world->args.command, COMMAND_CHECK);
	assert_string_equal(world->args.input.file, "f");
	parse_ok(world, "--config f verify --config=g");
	assert_int_equal(world->args.command, COMMAND_VERIFY);
	assert_string_equal(world->args.input.file, "g");
	parse_ok(world, "-v run");
	assert_string_equal(world->args.input.settings[0], "log.level=debug");
	parse_ok(world, "--until-lsn=1/2 -- run");
	assert_int_equal(world->args.until_lsn, 0x100000002);
	parse_ok(world, "config -c -");
	assert_string_equal(world->args.input.file, "-");
	parse_ok(world, "run --set --set");
	assert_string_equal(world->args.input.settings[0], "--set");
}

static void
test_documents(void **state)
{
	static const struct
	{
		const char *line;
		ConfigDocument document;
		const char *start;
	} cases[] = {
		{ "config --reference", DOCUMENT_REFERENCE, "| Setting |" },
		{ "config --sample", DOCUMENT_SAMPLE, "# Configuration of cdc-sink" },
		{ "config --debezium", DOCUMENT_DEBEZIUM, "| Property |" },
		{ "config --man", DOCUMENT_MAN, ".TH " },
	};
	World *world = *state;

	parse_ok(world, "config");
	assert_int_equal(world->args.document, DOCUMENT_EFFECTIVE);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		char *text = NULL;
		size_t len;
		FILE *to = open_memstream(&text, &len);

		parse_ok(world, cases[i].line);
		assert_int_equal(world->args.document, cases[i].document);
		args_print_document(world->args.document, to);
		assert_int_equal(fclose(to), 0);
		assert_memory_equal(text, cases[i].start, strlen(cases[i].start));
		free(text);
	}
}

static void
test_help_and_version(void **state)
{
	static const struct
	{
		const char *line;
		Command command;
		Command about;
	} cases[] = {
		{ "help", COMMAND_HELP, COMMAND_COUNT },
		{ "--help", COMMAND_HELP, COMMAND_COUNT },
		{ "-h", COMMAND_HELP, COMMAND_COUNT },
		{ "help --help", COMMAND_HELP, COMMAND_COUNT },
		{ "help run", COMMAND_HELP, COMMAND_RUN },
		{ "run --help", COMMAND_HELP, COMMAND_RUN },
		{ "--help verify", COMMAND_HELP, COMMAND_VERIFY },
		{ "check -c f -h --set a=b", COMMAND_HELP, COMMAND_CHECK },
		{ "check --until-lsn x --help", COMMAND_HELP, COMMAND_CHECK },
		{ "version", COMMAND_VERSION, COMMAND_COUNT },
		{ "--version", COMMAND_VERSION, COMMAND_COUNT },
		{ "run -V", COMMAND_VERSION, COMMAND_COUNT },
		{ "--version --help", COMMAND_VERSION, COMMAND_COUNT },
	};
	World *world = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		parse_ok(world, cases[i].line);
		if (world->args.command != cases[i].command ||
		    world->args.help_about != cases[i].about)
			fail_msg("%s", cases[i].line);
	}
}

/* clang-format off */
static const struct
{
	const char *line;
	const char *text;
	const char *hint;
} refusals[] = {
	{ "", "no command was given", "\"cdc-sink help\" lists the commands." },
	{ "-c f", "no command was given", "" },
	{ "rnu", "unrecognized command \"rnu\"", "Perhaps you meant \"run\"." },
	{ "frobnicate", "unrecognized command \"frobnicate\"", "\"cdc-sink help\" lists the commands." },
	{ "help rnu", "unrecognized command \"rnu\"", "Perhaps you meant \"run\"." },
	{ "run --util-lsn=1/2", "unrecognized option \"--util-lsn\"", "Perhaps you meant \"--until-lsn\"." },
	{ "run --slot.name=x", "unrecognized option \"--slot.name\"", "--set" },
	{ "run -x", "unrecognized option \"-x\"", "" },
	{ "run -c", "option \"-c\" needs an argument", "Write -c FILE." },
	{ "run --set", "option \"--set\" needs an argument", "Write --set NAME=VALUE." },
	{ "run --help=x", "option \"--help\" takes no argument", "" },
	{ "run -vx", "option \"--verbose\" takes no argument", "" },
	{ "run now", "unexpected argument \"now\" after command \"run\"", "" },
	{ "help run now", "unexpected argument \"now\" after command \"help\"", "" },
	{ "check --until-lsn 1/2", "command \"check\" has no option \"--until-lsn\"", "" },
	{ "run --sample", "command \"run\" has no option \"--sample\"", "" },
	{ "help -c f", "command \"help\" has no option \"-c\"", "" },
	{ "run --until-lsn 5", "invalid argument \"5\" for option \"--until-lsn\"", "16/B374D848" },
	{ "run --until-lsn 0/0", "invalid argument \"0/0\" for option \"--until-lsn\"", "" },
	{ "run --until-lsn=", "invalid argument \"\" for option \"--until-lsn\"", "" },
	{ "run --until-lsn=1/2x", "invalid argument \"1/2x\" for option \"--until-lsn\"", "" },
	{ "-", "unrecognized command \"-\"", "" },
	{ "--", "no command was given", "" },
	{ "-- --help", "unrecognized command \"--help\"", "" },
};
/* clang-format on */

static void
test_refusals(void **state)
{
	World *world = *state;

	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
	{
		if (parse(world, refusals[i].line))
			fail_msg("\"%s\" was accepted", refusals[i].line);
		assert_int_equal(world->err.kind, ERR_CONFIG);
		assert_string_equal(world->err.text, refusals[i].text);
		if (strstr(world->err.hint, refusals[i].hint) == NULL)
			fail_msg("\"%s\": %s", refusals[i].line, world->err.hint);
	}
}

static void
test_no_words_at_all(void **state)
{
	World *world = *state;
	char *argv[] = { NULL };

	assert_false(args_parse(world->arena, 0, argv, NULL, &world->args, &world->err));
	assert_string_equal(world->err.text, "no command was given");
}

/* Help names every command, every option where it counts, and every setting. */
static void
test_help_text(void **state)
{
	World *world = *state;
	const CommandRow *commands = command_table();
	size_t count;
	const ArgRow *rows = arg_table(&count);

	for (int about = 0; about <= COMMAND_COUNT; about++)
	{
		char *text = NULL;
		size_t len;
		FILE *to = open_memstream(&text, &len);

		args_print_help((Command) about, to);
		assert_int_equal(fclose(to), 0);
		for (size_t i = 0; i < count; i++)
		{
			bool takes =
				about == COMMAND_COUNT || (rows[i].commands & (1U << about)) != 0;
			const char *option = arena_printf(world->arena, " --%s", rows[i].name);

			assert_int_equal(strstr(text, option) != NULL, takes);
		}
		if (about < COMMAND_COUNT)
			assert_non_null(strstr(text, commands[about].doc));
		else
			assert_non_null(strstr(text, "\n  lake.flush.interval.ms (10s)\n"));
		free(text);
	}
}

static void
test_version_text(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	(void) state;
	args_print_version(to);
	assert_int_equal(fclose(to), 0);
	assert_memory_equal(text, "cdc-sink ", 9);
	assert_int_equal(text[len - 1], '\n');
	free(text);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_run),       TEST(test_forms),
		TEST(test_documents), TEST(test_help_and_version),
		TEST(test_refusals),  TEST(test_no_words_at_all),
		TEST(test_help_text), TEST(test_version_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
