/*
 * support.c
 *		what the fuzzers share.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

unsigned
input_byte(Input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->at++;
}

/* FNV-1a of the option's name, started from the seed. */
static unsigned
mix(unsigned seed, const char *name)
{
	unsigned hash = 2166136261U ^ (seed * 2654435761U);

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char) *name) * 16777619U;
	return hash >> 7;
}

/* The word at place among "precise, double, string", counted round. */
static char *
word_at(Arena *arena, const char *values, unsigned place)
{
	unsigned count = 1;
	size_t len;

	for (const char *c = values; *c != '\0'; c++)
		count += *c == ',';
	for (place %= count; place > 0; place--)
		values = strchr(values, ',') + 2;
	len = strcspn(values, ",");
	return arena_strndup(arena, values, len);
}

static void
set(EnvOptions *options, const char *name, const char *value, const Alloc *alloc)
{
	EnvError error;

	if (env_option_set(options, name, value, alloc, &error))
		return;
	(void) fprintf(stderr, "%s\n", error.message);
	abort();
}

void
fuzz_options(EnvOptions *options, unsigned seed, const Alloc *alloc)
{
	static const char *const masks[] = {
		"column.truncate.to.2.chars",
		"column.mask.with.3.chars",
		"column.mask.hash.v2.SHA-256.with.salt.abc",
	};
	Arena *arena = arena_new();
	size_t count;
	const EnvOptionDef *table = env_option_table(&count);

	env_options_init(options, alloc);
	for (size_t i = 0; seed != 0 && i < count; i++)
	{
		unsigned chosen = mix(seed, table[i].name);

		if (table[i].kind != OPTION_BOOL && table[i].kind != OPTION_WORD)
			continue;
		set(options, table[i].name, word_at(arena, table[i].values, chosen), alloc);
	}
	if (seed != 0 && seed % 8 < sizeof masks / sizeof *masks)
		set(options, masks[seed % 8], ".*[a-m]", alloc);
	arena_free(arena);
}

/* ---- JSON ---- */

typedef struct Json
{
	const char *at;
	const char *end;
} Json;

static void
require(bool held)
{
	if (!held)
		abort();
}

static int
next(Json *json)
{
	require(json->at < json->end);
	return (unsigned char) *json->at++;
}

static bool
take(Json *json, char c)
{
	if (json->at == json->end || *json->at != c)
		return false;
	json->at++;
	return true;
}

static void
check_string(Json *json)
{
	int c;

	while ((c = next(json)) != '"')
	{
		require(c >= 0x20);
		if (c != '\\')
			continue;
		c = next(json);
		require(c != '\0' && strchr("\"\\/bfnrtu", c) != NULL);
		for (int i = 0; c == 'u' && i < 4; i++)
			require(strchr("0123456789abcdefABCDEF", next(json)) != NULL);
	}
}

static void
check_number(Json *json)
{
	bool digits = false;

	(void) take(json, '-');
	while (json->at < json->end && strchr("0123456789.eE+-", *json->at) != NULL &&
	       *json->at != '\0')
	{
		digits = digits || (*json->at >= '0' && *json->at <= '9');
		json->at++;
	}
	require(digits);
}

static void
check_word(Json *json, const char *word)
{
	for (; *word != '\0'; word++)
		require(next(json) == *word);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as what we print */
static void
check_value(Json *json)
{
	int c = next(json);

	if (c == '"')
		check_string(json);
	else if (c == '{' && !take(json, '}'))
	{
		do
		{
			require(next(json) == '"');
			check_string(json);
			require(next(json) == ':');
			check_value(json);
		} while (take(json, ','));
		require(next(json) == '}');
	}
	else if (c == '[' && !take(json, ']'))
	{
		do
			check_value(json);
		while (take(json, ','));
		require(next(json) == ']');
	}
	else if (c == 'n' || c == 't' || c == 'f')
		check_word(json, c == 'n' ? "ull" : c == 't' ? "rue" : "alse");
	else if (c != '{' && c != '[')
	{
		json->at--;
		check_number(json);
	}
}

void
fuzz_check_json(Slice text)
{
	Json json = { text.data, text.data + text.len };

	check_value(&json);
	require(json.at == json.end);
}
