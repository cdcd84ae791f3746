/*
 * fuzz_filter.c
 *		libFuzzer over lists of regular expressions, and the names they match.
 *
 * The input is a list, a null character, and a name.  A list is refused with a message,
 * or matches in bounded time; what it matches does not depend on case.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "support.h"

#include <ctype.h>
#include <stdlib.h>

#include "envelope/filter.h"

#define NAME_MAX_BYTES 192 /* three identifiers */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *arena = arena_new();
	Alloc alloc = arena_as_alloc(arena);
	const char *text = arena_strndup(arena, (const char *) data, size);
	size_t len = strlen(text);
	char *name = arena_strndup(
		arena, text + (len < size ? len + 1 : len), len < size ? size - len - 1 : 0);
	FilterList list;
	EnvError error;
	bool matched;

	name[strnlen(name, NAME_MAX_BYTES)] = '\0';
	if (!filter_compile(&list, text, &alloc, &error))
	{
		if (error.message[0] == '\0')
			abort();
		arena_free(arena);
		return 0;
	}
	matched = filter_matches(&list, name);
	for (char *c = name; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'z' && isalpha((unsigned char) *c))
			*c = (char) (*c ^ 0x20);
	if (filter_matches(&list, name) != matched)
		abort();
	filter_free(&list);
	arena_free(arena);
	return 0;
}
