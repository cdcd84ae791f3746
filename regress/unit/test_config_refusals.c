/*
 * test_config_refusals.c
 *		values that could not work later, refused when they are read.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include "config/config.h"

/* After the others: it defines fail(). */
#include <cmocka.h>

typedef struct Case
{
	const char *setting;
	const char *text; /* NULL: it is accepted */
	const char *hint;
} Case;

#define URL     "value.converter.schema.registry.url"
#define BAD_URL "invalid value for setting \"" URL "\""

static void
test_values(void **state)
{
	static const Case cases[] = {
		{ "topic.delimiter=/", "invalid value for setting \"topic.delimiter\"", "" },
		{ "topic.delimiter=.", NULL, NULL },
		{ "topic.transaction=a b/ü", "setting \"topic.transaction\"", "letters" },
		{ "topic.heartbeat.prefix=a b/ü", "\"topic.heartbeat.prefix\"", "letters" },
		{ "unavailable.value.placeholder=hex:zz", "\"hex:zz\"", "hexadecimal" },
		{ "unavailable.value.placeholder=hex:abc", "\"hex:abc\"", "hexadecimal" },
		{ "unavailable.value.placeholder=hex:aB", NULL, NULL },
		{ "table.include.list=public\\.t{1,2}", "\"{\"", "write {n\\,m} in one" },
		{ "table.include.list=public\\.t{1\\,2}", NULL, NULL },
		{ URL "=notaurl", BAD_URL, "http://localhost:8081" },
		{ URL "=http://", BAD_URL, "" },
		{ URL "=http://:8081", BAD_URL, "" },
		{ URL "=http://a:8081, b:8081", BAD_URL, "" },
		{ URL "=http://a:8081, HTTPS://b/path,", NULL, NULL },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		const char *settings[] = {
			"database.dbname=d",
			"outputs=kafka",
			"kafka.bootstrap.servers=b:1",
			"value.converter=io.confluent.connect.avro.AvroConverter",
			URL "=http://a",
			cases[i].setting,
		};
		ConfigInput input = { .settings = settings, .setting_count = 6 };
		Arena *arena = arena_new();
		Err err = { 0 };
		Config *config = config_load(arena, &input, &err);

		if ((config == NULL) != (cases[i].text != NULL))
			fail_msg("%s: %s", cases[i].setting, err.text);
		if (cases[i].text != NULL)
		{
			assert_int_equal(err.kind, ERR_CONFIG);
			assert_non_null(strstr(err.text, cases[i].text));
			assert_non_null(strstr(err.hint, cases[i].hint));
		}
		config_free(config);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
