/*
 * test_transform.c
 *		transformations against what the real ones make of the same records.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail

#include "base/log.h"
#include "connect/json.h"
#include "transform/transform.h"

#define MAX_SCHEMAS  32
#define MAX_SETTINGS 32
#define MAX_PARTS    32

typedef struct Named
{
	char *name;
	char *text;
} Named;

typedef struct Runner
{
	Named schemas[MAX_SCHEMAS];
	size_t schema_count;
	char *title;
	const char *settings[MAX_SETTINGS];
	size_t setting_count;
	Arena *memory; /* of the case */
	Arena *arena;  /* of a record and its tombstone */
	char *given;   /* the line of the record, and its parts */
	char *parts[MAX_PARTS];
	size_t part_count;
	ConnectRecord last; /* that record, transformed */
	ConnectSchemas *connect;
	Config *config;
	TransformChain *chain;
	Buf result;
	size_t line;
	size_t compared;
	size_t wrong;
} Runner;

static void
end_case(Runner *runner)
{
	transform_chain_free(runner->chain);
	connect_schemas_free(runner->connect);
	config_free(runner->config);
	arena_free(runner->memory);
	runner->chain = NULL;
	runner->connect = NULL;
	runner->config = NULL;
	runner->memory = arena_new();
	runner->setting_count = 0;
}

static void
set(Runner *runner, const char *name, const char *value)
{
	assert_true(runner->setting_count < MAX_SETTINGS);
	runner->settings[runner->setting_count++] =
		arena_printf(runner->memory, "%s=%s", name, value);
}

static void
make_chain(Runner *runner)
{
	ConfigInput input = { .settings = runner->settings };
	Err err = { 0 };

	set(runner, "database.dbname", "d");
	set(runner, "outputs", "kafka");
	set(runner, "kafka.bootstrap.servers", "localhost:1");
	input.setting_count = runner->setting_count;
	runner->config = config_load(runner->memory, &input, &err);
	assert_string_equal(err.text, "");
	runner->connect = connect_schemas_new();
	runner->chain = transform_chain_new(runner->config, runner->connect, &err);
	assert_string_equal(err.text, "");
	assert_non_null(runner->chain);
}

static ConnectData
read_data(Runner *runner, const char *schema, const char *json)
{
	ConnectData data = { .schema = NULL };
	Err err = { 0 };

	if (strcmp(schema, "-") == 0)
		return data;
	for (size_t i = 0; i < runner->schema_count; i++)
		if (strcmp(runner->schemas[i].name, schema) == 0)
			data.schema = connect_schema_parse(
				runner->connect, slice_from(runner->schemas[i].text), &err);
	assert_non_null(data.schema);
	data.value = connect_value_json(slice_from(json));
	return data;
}

/* Append a tab and data, or - for nothing. */
static bool
print_data(Runner *runner, const ConnectData *data, bool is_header, Err *err)
{
	const ConnectJson options = { runner->connect, true, false };
	bool present;
	bool ok;

	buf_char(&runner->result, '\t');
	ok = is_header
	         ? connect_simple_header(data, runner->arena, &runner->result, &present, err)
	         : connect_json_convert(
				   &options, data, runner->arena, &runner->result, &present, err);
	if (ok && !present)
		buf_char(&runner->result, '-');
	return ok;
}

static bool
print_record(Runner *runner, const ConnectRecord *record, Err *err)
{
	Buf *out = &runner->result;

	buf_printf(out, "out\t%s", record->topic);
	buf_printf(out, record->partition < 0 ? "\t-" : "\t%d", record->partition);
	if (record->timestamp_ms < 0)
		buf_text(out, "\t-");
	else
		buf_printf(out, "\t%lld", (long long) record->timestamp_ms);
	if (!print_data(runner, &record->key, false, err) ||
	    !print_data(runner, &record->value, false, err))
		return false;
	for (size_t i = 0; i < record->header_count; i++)
	{
		buf_printf(out, "\t%s", record->headers[i].name);
		if (!print_data(runner, &record->headers[i].data, true, err))
			return false;
	}
	return true;
}

/* Transform the record that is given, or its tombstone. */
static void
apply(Runner *runner, bool is_tombstone)
{
	char **parts = runner->parts;
	ConnectRecord record = connect_record(parts[1]);
	Err err = { 0 };
	bool keep;

	if (runner->chain == NULL)
		make_chain(runner);
	buf_reset(&runner->result);
	record.key = read_data(runner, parts[2], parts[3]);
	if (is_tombstone)
		connect_record_share_headers(&record, &runner->last);
	else
		record.value = read_data(runner, parts[4], parts[5]);
	for (size_t i = 6; !is_tombstone && i + 2 < runner->part_count; i += 3)
		connect_record_add_header(&record,
		                          runner->arena,
		                          parts[i],
		                          read_data(runner, parts[i + 1], parts[i + 2]));
	if (!transform_chain_apply(runner->chain, &record, runner->arena, &keep, &err))
		assert_int_equal(err.kind, ERR_DATA);
	else if (!keep)
		buf_text(&runner->result, "drop");
	else if (!print_record(runner, &record, &err))
		assert_int_equal(err.kind, ERR_DATA);
	if (err.kind != ERR_NONE)
	{
		buf_reset(&runner->result);
		buf_text(&runner->result, "error");
	}
	runner->last = record;
}

static void
compare(Runner *runner, const char *wanted)
{
	runner->compared++;
	if (strcmp(buf_cstr(&runner->result), wanted) == 0)
		return;
	runner->wrong++;
	/* cmocka's own would be cut short */
	(void) fprintf(stderr,
	               "line %zu, %s:\n%s\n%s\n",
	               runner->line,
	               runner->title,
	               wanted,
	               buf_cstr(&runner->result));
}

static size_t
split(char *line, char *parts[MAX_PARTS])
{
	size_t count = 0;

	for (char *at = line; at != NULL && count < MAX_PARTS;)
	{
		char *tab = strchr(at, '\t');

		parts[count++] = at;
		if (tab != NULL)
			*tab++ = '\0';
		at = tab;
	}
	return count;
}

/* One line; ours: what must come out instead, when the line after says so. */
static void
take_line(Runner *runner, char *line, const char *ours)
{
	char *whole = strdup(line);
	char *parts[MAX_PARTS];

	(void) split(line, parts);
	if (strcmp(parts[0], "schema") == 0)
	{
		assert_true(runner->schema_count < MAX_SCHEMAS);
		runner->schemas[runner->schema_count++] =
			(Named){ strdup(parts[1]), strdup(parts[2]) };
	}
	else if (strcmp(parts[0], "case") == 0)
	{
		end_case(runner);
		free(runner->title);
		runner->title = strdup(parts[1]);
	}
	else if (strcmp(parts[0], "set") == 0)
		set(runner, parts[1], parts[2]);
	else if (strcmp(parts[0], "in") == 0)
	{
		arena_reset(runner->arena);
		free(runner->given);
		runner->given = whole;
		whole = NULL;
		runner->part_count = split(runner->given, runner->parts);
		apply(runner, false);
	}
	else if (strcmp(parts[0], "tombstone") == 0)
		apply(runner, true);
	else if (*line != '#' && *line != '\0' && strcmp(parts[0], "ours") != 0)
		compare(runner, ours != NULL ? ours : whole);
	free(whole);
}

static void
cases(void **state)
{
	FILE *file = fopen(TEST_DATA "/../../transforms/cases.txt", "r");
	Runner runner = { .memory = arena_new(), .arena = arena_new(), .result = buf_heap() };
	char *line = NULL;
	char *next = NULL;
	size_t room = 0;
	ssize_t len;

	(void) state;
	log_set_level(LOG_ERROR);
	assert_non_null(file);
	do
	{
		const char *ours = NULL;

		len = getline(&next, &room, file);
		if (len > 0 && next[len - 1] == '\n')
			next[len - 1] = '\0';
		if (len >= 0 && strncmp(next, "ours\t", 5) == 0)
			ours = next + 5;
		if (line != NULL)
			take_line(&runner, line, ours);
		runner.line++;
		free(line);
		line = len < 0 ? NULL : strdup(next);
	} while (len >= 0);
	free(next);
	(void) fclose(file);
	end_case(&runner);
	arena_free(runner.memory);
	arena_free(runner.arena);
	buf_free(&runner.result);
	for (size_t i = 0; i < runner.schema_count; i++)
	{
		free(runner.schemas[i].name);
		free(runner.schemas[i].text);
	}
	free(runner.title);
	free(runner.given);
	print_message("%zu records\n", runner.compared);
	assert_true(runner.compared > 250);
	assert_int_equal(runner.wrong, 0);
}

/* Options that do not go together. */
static void
refused(void **state)
{
	static const struct
	{
		const char *settings[6];
		const char *text;
	} tests[] = {
#define UNWRAP  "transforms.u.type=io.debezium.transforms.ExtractNewRecordState"
#define CONNECT "org.apache.kafka.connect.transforms."
		{ { UNWRAP, "transforms.u.add.fields=a:b:c" },
		  "\"a:b:c\" does not name a field" },
		{ { UNWRAP, "transforms.u.add.fields=op,transaction" },
		  "\"transaction\" is a struct" },
		{ { UNWRAP, "transforms.u.add.headers=,a" }, "does not name a field" },
		{ { "transforms.u.type=" CONNECT "InsertField$Value" }, "no field to insert" },
		{ { "transforms.u.type=" CONNECT "InsertField$Value",
		    "transforms.u.static.field=a" },
		  "wants static.value" },
		{ { "transforms.u.type=" CONNECT "MaskField$Value",
		    "transforms.u.fields=a",
		    "transforms.u.replacement=" },
		  "must not be empty" },
		{ { "transforms.u.type=" CONNECT "ReplaceField$Value",
		    "transforms.u.renames=a:b,c" },
		  "\"c\" is not old:new" },
		{ { "transforms.u.type=io.debezium.transforms.outbox.EventRouter",
		    "transforms.u.table.fields.additional.placement=a:nowhere" },
		  "is not understood" },
	};

	(void) state;
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
	{
		const char *settings[10] = { "database.dbname=d",
			                         "outputs=kafka",
			                         "kafka.bootstrap.servers=localhost:1",
			                         "transforms=u" };
		ConfigInput input = { .settings = settings, .setting_count = 4 };
		Arena *arena = arena_new();
		Err err = { 0 };
		Config *config;

		for (size_t j = 0; tests[i].settings[j] != NULL; j++)
			settings[input.setting_count++] = tests[i].settings[j];
		config = config_load(arena, &input, &err);
		assert_string_equal(err.text, "");
		assert_non_null(config);
		assert_false(transform_check(config, &err));
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_non_null(strstr(err.text, tests[i].text));
		assert_non_null(strstr(err.text, "transformation \"u\""));
		config_free(config);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
