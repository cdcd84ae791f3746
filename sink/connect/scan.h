/*
 * scan.h
 *		walking over JSON text without building anything of it.
 *
 * For text that the renderer or a JSON printer of the server made: what is skipped is
 * not looked at closer than to find where it ends.  Blanks between tokens are allowed.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONNECT_SCAN_H
#define CONNECT_SCAN_H

#include "base/arena.h"

typedef struct Scan
{
	const char *at;
	const char *end;
} Scan;

static inline Scan
scan_over(Slice json)
{
	return (Scan){ json.data, json.data + json.len };
}

/* Skip blanks; the next character, '\0' at the end. */
char scan_peek(Scan *scan);

/* Skip c after blanks; false, with nothing but blanks skipped, when it is another. */
bool scan_take(Scan *scan, char c);

/* The text of the next value, whatever it is; false when it does not end. */
bool scan_value(Scan *scan, Slice *value);

/*
 * Walk an object or array: open it, then ask for what follows until there is none.
 * first is true before the first call.  *more is false at its end, which is skipped.  A
 * name is the JSON string with its quotes.
 */
bool scan_member(Scan *scan, bool *first, Slice *name, bool *more);
bool scan_item(Scan *scan, bool *first, bool *more);

/* The characters of a JSON string with quotes; in arena when something was escaped.  A
 * lone surrogate becomes U+FFFD. */
bool scan_unescape(Slice json, Arena *arena, Slice *text);

/* The same, terminated and always in arena; false for a text with a null character. */
bool scan_text(Slice json, Arena *arena, const char **text);

#endif
