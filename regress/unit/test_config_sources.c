/*
 * test_config_sources.c
 *		the readers below a configuration: properties, connector JSON, nearest names.
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
#include <unistd.h>

#include "config/assign.h"
#include "config/nearest.h"
#include "config/settings.h"

/* After the others: it defines fail(). */
#include <cmocka.h>

typedef bool (*Reader)(AssignList *, Slice, const char *, Err *);

static int
setup(void **state)
{
	*state = arena_new();
	return 0;
}

static int
teardown(void **state)
{
	arena_free(*state);
	return 0;
}

/* Read a copy that ends where the text does, so that a sanitizer sees a read beyond. */
static bool
read_exact(Reader reader, AssignList *list, const char *text, size_t len, Err *err)
{
	char *block = xmalloc(len);
	bool ok;

	if (len > 0)
		memcpy(block, text, len);
	ok = reader(list, (Slice){ block, len }, "f", err);
	free(block);
	return ok;
}

/* What was read, as <name>=<value> for each. */
static const char *
shown(Arena *arena, const AssignList *list)
{
	const char *text = "";

	for (size_t i = 0; i < list->count; i++)
		text = arena_printf(
			arena, "%s<%s>=<%s>", text, list->items[i].name, list->items[i].value);
	return text;
}

/* clang-format off */
static const struct
{
	const char *text;
	const char *expected;
} properties[] = {
	{ "", "" },
	{ "\n\r\n\t \f\n", "" },
	{ "a=b", "<a>=<b>" },
	{ "a:b", "<a>=<b>" },
	{ "a b", "<a>=<b>" },
	{ "a\tb", "<a>=<b>" },
	{ "a", "<a>=<>" },
	{ "a=", "<a>=<>" },
	{ "=b", "<>=<b>" },
	{ "  a  =  b c  ", "<a>=<b c  >" },
	{ "a==b", "<a>=<=b>" },
	{ "a = : b", "<a>=<: b>" },
	{ "a  : = b", "<a>=<= b>" },
	{ "# c\n! d\n # e\n\t!f\na=b#c", "<a>=<b#c>" },
	{ "# c \\\na=b", "<a>=<b>" },
	{ "a=1\r\nb=2\rc=3\n", "<a>=<1><b>=<2><c>=<3>" },
	{ "a=b\\\n   c", "<a>=<bc>" },
	{ "a=b\\\r\n\t c\\\r d", "<a>=<bcd>" },
	{ "\\\n# c\n\\\n\na=b", "<a>=<b>" },
	{ "a=b\\\n\nc=d", "<a>=<b><c>=<d>" },
	{ "a=b\\\n#c", "<a>=<b#c>" },
	{ "a\\\n  b=c", "<ab>=<c>" },
	{ "a \\\n = \\\n b", "<a>=<b>" },
	{ "a=\\", "<a>=<>" },
	{ "a=b\\", "<a>=<b>" },
	{ "a\\ b\\=c\\:d=e", "<a b=c:d>=<e>" },
	{ "a=\\n\\t\\r\\f\\\\\\q\\#", "<a>=<\n\t\r\f\\q#>" },
	{ "a=b\\\\", "<a>=<b\\>" },
	{ "a=b\\\\\nc=d", "<a>=<b\\><c>=<d>" },
	{ "\\#a=1\n\\!b=2", "<#a>=<1><!b>=<2>" },
	{ "a=\\u0041\\u00e9\\u20AC\\uD83D\\uDE00", "<a>=<A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80>" },
	{ "a=\xc3\xa9", "<a>=<\xc3\xa9>" },
	{ "\xef\xbb\xbf" "a=b", "<a>=<b>" },
	{ "a=\\ b", "<a>=< b>" },
	{ "regex=public\\\\.(a|b)", "<regex>=<public\\.(a|b)>" },
	{ "regex=public\\.a", "<regex>=<public.a>" },
};

static const struct
{
	const char *text;
	const char *error;
} bad_properties[] = {
	{ "a=\\u12", "invalid \\uXXXX escape in file \"f\" line 1" },
	{ "a=\\u12G4", "invalid \\uXXXX escape" },
	{ "b\na=\\u", "in file \"f\" line 2" },
	{ "a=\\uD83D", "unpaired surrogate" },
	{ "a=\\uD83Dx", "unpaired surrogate" },
	{ "a=\\uD83D\\u0041", "unpaired surrogate" },
	{ "a=\\uDE00", "unpaired surrogate" },
	{ "a=\\u0000", "null character in file \"f\" line 1" },
	{ "a=b\n\xff", "invalid UTF-8 in file \"f\" line 2" },
	{ "a=\xc3", "invalid UTF-8" },
	{ "a=\xc0\x80", "invalid UTF-8" },
	{ "a=\xe0\x80\x80", "invalid UTF-8" },
	{ "a=\xed\xa0\x80", "invalid UTF-8" },
	{ "a=\xf4\x90\x80\x80", "invalid UTF-8" },
	{ "a=\xf0\x9f\x98", "invalid UTF-8" },
	{ "a=\x80", "invalid UTF-8" },
};

static const struct
{
	const char *text;
	const char *expected; /* or the error, where the text is refused */
	bool is_refused;
} connectors[] = {
	{ "{}", "", false },
	{ "{\"a\":\"b\"}", "<a>=<b>", false },
	{ " {\"name\":\"x\",\"config\":{\"a\":\"b\",\"c\":\"d\"}} \n", "<a>=<b><c>=<d>", false },
	{ "{\"name\":\"x\",\"config\":{},\"tasks\":[{\"task\":0}],\"type\":\"source\"}", "", false },
	{ "{\"a\":1,\"b\":true,\"c\":-2.50,\"d\":null,\"e\":\"\\u00e9\\n\"}",
	  "<a>=<1><b>=<true><c>=<-2.50><e>=<\xc3\xa9\n>", false },
	{ "{\"a\":\"1\",\"a\":\"2\"}", "<a>=<2>", false },
	{ "{\"a\":[]}", "value of setting \"a\" in file \"f\" is not a string, number or boolean", true },
	{ "{\"a\":{}}", "value of setting \"a\"", true },
	{ "{\"a\":\"b\\u0000c\"}", "value of setting \"a\"", true },
	{ "{\"config\":[]}", "\"config\" in file \"f\" is not a JSON object", true },
	{ "{\"config\":null}", "\"config\" in file \"f\" is not a JSON object", true },
	{ "{\"a\":\"b\"", "invalid JSON in file \"f\" line 1: ", true },
	{ "{\"a\":\n\"b\",\n}", "invalid JSON in file \"f\" line 3: ", true },
	{ "{'a':'b'}", "invalid JSON in file \"f\" line 1: ", true },
	{ "{\"a\":\"b\"}\n{\"a\":\"b\"}", "in file \"f\" line 2", true },
	{ "{\"a\":\"b\"} x", "in file \"f\" line 1", true },
	{ "{\"a\":\"\xff\"}", "invalid JSON", true },
	{ "{", "invalid JSON", true },
	{ "[]", "file \"f\" is not a JSON object", true },
	{ "", "invalid JSON", true },
};
/* clang-format on */

static void
test_properties(void **state)
{
	for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
	{
		AssignList list = { .arena = *state };
		const char *text = properties[i].text;
		Err err = { .kind = ERR_NONE };

		if (!read_exact(assign_properties, &list, text, strlen(text), &err))
			fail_msg("case %zu: %s", i, err.text);
		assert_string_equal(shown(*state, &list), properties[i].expected);
	}
}

static void
test_bad_properties(void **state)
{
	for (size_t i = 0; i < sizeof bad_properties / sizeof *bad_properties; i++)
	{
		AssignList list = { .arena = *state };
		const char *text = bad_properties[i].text;
		Err err = { .kind = ERR_NONE };

		assert_false(read_exact(assign_properties, &list, text, strlen(text), &err));
		assert_int_equal(err.kind, ERR_CONFIG);
		if (strstr(err.text, bad_properties[i].error) == NULL)
			fail_msg("case %zu: %s", i, err.text);
	}
}

static void
test_null_characters(void **state)
{
	AssignList list = { .arena = *state };
	Err err = { .kind = ERR_NONE };

	assert_false(read_exact(assign_properties, &list, "a=b\nc\0=d", 8, &err));
	assert_string_equal(err.text, "null character in file \"f\" line 2");
	assert_false(read_exact(assign_connector, &list, "{\"a\":\"b\0\"}", 10, &err));
	assert_false(read_exact(assign_connector, &list, "{}\0", 3, &err));
}

static void
test_places(void **state)
{
	AssignList list = { .arena = *state };
	Err err = { .kind = ERR_NONE };
	static const char text[] = "a=1\\\n 2\n\r\n# c\r b=3\rc";

	assert_true(read_exact(assign_properties, &list, text, sizeof text - 1, &err));
	assert_int_equal(list.count, 3);
	assert_string_equal(list.items[0].place, "file \"f\" line 1");
	assert_string_equal(list.items[1].place, "file \"f\" line 5");
	assert_string_equal(list.items[2].place, "file \"f\" line 6");
	assert_int_equal(list.items[2].order, 2);
}

static void
test_connectors(void **state)
{
	for (size_t i = 0; i < sizeof connectors / sizeof *connectors; i++)
	{
		AssignList list = { .arena = *state };
		const char *text = connectors[i].text;
		Err err = { .kind = ERR_NONE };
		bool ok = read_exact(assign_connector, &list, text, strlen(text), &err);

		if (ok == connectors[i].is_refused)
			fail_msg("case %zu: %s", i, err.text);
		if (ok)
			assert_string_equal(shown(*state, &list), connectors[i].expected);
		else if (strstr(err.text, connectors[i].expected) == NULL)
			fail_msg("case %zu: %s", i, err.text);
	}
}

static void
test_deep_json(void **state)
{
	AssignList list = { .arena = *state };
	Err err = { .kind = ERR_NONE };
	char text[4096];

	memset(text, '[', sizeof text);
	memcpy(text, "{\"a\":", 5);
	assert_false(read_exact(assign_connector, &list, text, sizeof text, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
}

/* clang-format off */
static const struct
{
	const char *value;
	const char *expected; /* or the error */
	bool is_refused;
} expressions[] = {
	{ "plain", "plain", false },
	{ "$", "$", false },
	{ "$}{", "$}{", false },
	{ "${one}", "1", false },
	{ "a${one}b${ONE_MORE}c", "a1b11c", false },
	{ "${env:ONE_MORE}", "11", false },
	{ "${one.more}", "11", false },
	{ "${two}", "<1>", false },
	{ "${absent:}", "", false },
	{ "${absent:x:y}", "x:y", false },
	{ "${one:x}", "1", false },
	{ "${EMPTY}", "", false },
	{ "\\${one}", "${one}", false },
	{ "\\\\${one}", "\\${one}", false },
	{ "a\\${${one}", "a${1", false },
	{ "${escaped}", "${one}", false },
	{ "${absent}", "\"absent\" is neither a property of the file nor an environment variable", true },
	{ "${}", "\"\" is neither", true },
	{ "${env:ABSENT}", "\"ABSENT\" is not an environment variable", true },
	{ "${env:one}", "\"one\" is not an environment variable", true },
	{ "geheim${one", "there is no closing brace", true },
	{ "${absent:${one}}", "an expression cannot stand in another", true },
	{ "${loop}", "properties refer to each other", true },
	{ "${file:}", "\"\" is not a path, a colon and a name", true },
	{ "${file:x}", "\"x\" is not a path", true },
	{ "${file:x:}", "\"x:\" is not a path", true },
	{ "${file:absent/file:x}", "could not open file \"absent/file\"", true },
	{ "${dir:absent:file}", "could not open file \"absent/file\"", true },
};
/* clang-format on */

static const char expression_file[] = "one=1\ntwo=<${one}>\nescaped=\\\\${one}\n"
									  "loop=${loop}\n";

static void
test_expressions(void **state)
{
	char more[] = "ONE_MORE=11";
	char empty[] = "EMPTY=";
	char *variables[] = { more, empty, NULL };
	AssignList list = { .arena = *state };
	Err err = { .kind = ERR_NONE };

	assert_true(read_exact(
		assign_properties, &list, expression_file, strlen(expression_file), &err));
	for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++)
	{
		Assignment from = {
			"setting", expressions[i].value, "file \"f\"", ASSIGN_FILE, 0
		};
		const char *value;
		bool ok = assign_expand(&list, &from, variables, false, &value, &err);

		if (ok == expressions[i].is_refused)
			fail_msg("%s: %s", expressions[i].value, ok ? value : err.text);
		if (ok)
			assert_string_equal(value, expressions[i].expected);
		else if (strstr(err.text, expressions[i].expected) == NULL)
			fail_msg("%s: %s", expressions[i].value, err.text);
		assert_null(strstr(ok ? "" : err.text, "geheim"));
		from.source = ASSIGN_COMMAND_LINE;
		assert_true(assign_expand(&list, &from, NULL, false, &value, &err));
		assert_string_equal(value, expressions[i].value);
	}
}

static void
test_expressions_of_files(void **state)
{
	char path[] = P_tmpdir "/secrets-XXXXXX";
	int fd = mkstemp(path);
	AssignList list = { .arena = *state };
	Assignment from = { "setting", NULL, "file \"f\"", ASSIGN_FILE, 0 };
	const char *value;
	Err err = { .kind = ERR_NONE };

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "key=a b\n", 8), 8);
	(void) close(fd);
	from.value = arena_printf(*state, "<${file:%s:key}>", path);
	assert_true(assign_expand(&list, &from, NULL, false, &value, &err));
	assert_string_equal(value, "<a b>");
	from.value = arena_printf(*state, "${file:%s:other}", path);
	assert_false(assign_expand(&list, &from, NULL, false, &value, &err));
	assert_non_null(strstr(err.text, "does not name a property of that file"));
	from.value =
		arena_printf(*state, "${dir:%s:%s}", P_tmpdir, path + strlen(P_tmpdir) + 1);
	assert_true(assign_expand(&list, &from, NULL, false, &value, &err));
	assert_string_equal(value, "key=a b");
	(void) unlink(path);
}

static void
test_variables(void **state)
{
	assert_string_equal(assign_variable(*state, "database.hostname"),
	                    "CDC_SINK_DATABASE_HOSTNAME");
	assert_string_equal(assign_variable(*state, "a.b-c_d"), "CDC_SINK_A_B_C_D");
}

static void
test_nearest(void **state)
{
	static const char *const words[] = { "check", "config", "run", "verify" };
	static const struct
	{
		const char *written;
		const char *word;
	} cases[] = {
		{ "rnu", "run" },        { "run", "run" },      { "verfiy", "verify" },
		{ "chekc", "check" },    { "confg", "config" }, { "verification", NULL },
		{ "x", NULL },           { "", NULL },          { "snapshot", NULL },
		{ "configs", "config" },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		Nearest nearest = nearest_to(cases[i].written);

		for (size_t j = 0; j < sizeof words / sizeof *words; j++)
			nearest_try(&nearest, words[j]);
		if ((nearest.word == NULL) != (cases[i].word == NULL) ||
		    (nearest.word != NULL && strcmp(nearest.word, cases[i].word) != 0))
			fail_msg("%s: %s", cases[i].written, nearest.word);
	}
}

static void
test_shown(void **state)
{
	char shown_text[SHOWN_SIZE];
	char text[400];

	(void) state;
	assert_string_equal(setting_shown("a\n\x7f\x1b\xc3\xa9", shown_text), "a???\xc3\xa9");
	memset(text, 'a', sizeof text);
	text[95] = '\0';
	assert_int_equal(strlen(setting_shown(text, shown_text)), 95);
	for (size_t i = 0; i < 399; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	text[399] = '\0';
	for (size_t start = 0; start < 2; start++)
	{
		size_t len = strlen(setting_shown(text + start, shown_text));

		assert_true(len < SHOWN_SIZE);
		assert_string_equal(shown_text + len - 3, "...");
		assert_int_equal((unsigned char) shown_text[len - 4], 0xa9);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_properties),      TEST(test_bad_properties),
		TEST(test_null_characters), TEST(test_places),
		TEST(test_connectors),      TEST(test_deep_json),
		TEST(test_expressions),     TEST(test_expressions_of_files),
		TEST(test_variables),       TEST(test_nearest),
		TEST(test_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
