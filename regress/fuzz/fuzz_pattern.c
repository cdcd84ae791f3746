/*
 * fuzz_pattern.c
 *		libFuzzer over the regular expressions that route topics.
 *
 * The input is an expression, a null character, a subject, another and a replacement.  An
 * expression is refused with a message or matches in bounded time; what the engine of
 * table lists (envelope/regex.h) understands as well, both decide alike.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "support.h"

#include <stdlib.h>

#include "base/pattern.h"
#include "envelope/regex.h"
#include "envelope/utf8.h"

#define SUBJECT_MAX 200 /* a topic's name */

/* The text up to the next null character. */
static const char *
take_text(Arena *arena, Input *input)
{
	const char *at = (const char *) input->at;
	size_t len = strnlen(at, input->left);
	size_t past = len < input->left ? len + 1 : len;

	input->at += past;
	input->left -= past;
	return arena_strndup(arena, at, len);
}

static bool
is_valid(const char *text)
{
	return utf8_valid_run(slice_from(text)) == strlen(text);
}

static void
must_say(const Err *err, ErrKind kind)
{
	if (err->kind != kind || err->text[0] == '\0')
		abort();
}

static void
compare_engines(Arena *arena, const char *text, const char *subject)
{
	Alloc alloc = arena_as_alloc(arena);
	EnvError error;
	Err err = { .kind = ERR_NONE };
	Regex *regex;
	Pattern *pattern;
	bool matched;

	if (!is_valid(text) || !is_valid(subject))
		return;
	regex = regex_compile(text, &alloc, &error);
	pattern = pattern_compile(arena, arena_printf(arena, "(?i)%s", text), &err);
	if (regex != NULL && pattern != NULL &&
	    pattern_matches(pattern, slice_from(subject), &matched, &err) &&
	    matched != regex_matches(regex, subject))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *arena = arena_new();
	Input input = { data, size };
	const char *text = take_text(arena, &input);
	char *subject = arena_strdup(arena, take_text(arena, &input));
	const char *replacement = take_text(arena, &input);
	Err err = { .kind = ERR_NONE };
	Pattern *pattern = pattern_compile(arena, text, &err);
	const char *result;
	bool matched = false;

	subject[strnlen(subject, SUBJECT_MAX)] = '\0';
	if (pattern == NULL)
		must_say(&err, ERR_CONFIG);
	else if (!pattern_matches(pattern, slice_from(subject), &matched, &err))
		must_say(&err, ERR_DATA);
	else if (!pattern_check_replacement(pattern, replacement, &err))
		must_say(&err, ERR_CONFIG);
	else if (!pattern_route(
				 pattern, slice_from(subject), replacement, arena, &result, &err))
		must_say(&err, ERR_DATA);
	else if ((result != NULL) != matched)
		abort();
	compare_engines(arena, text, subject);
	arena_free(arena);
	return 0;
}
