/*
 * scan.h
 *		walking over JSON text without building anything of it.
 *
 * For text that the renderer or a JSON printer of the server made: what is skipped is
 * not looked at closer than to find where it ends.  Blanks between tokens are allowed.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_SCAN_H
#define ENVELOPE_SCAN_H

#include "envelope/buf.h"

typedef struct Scan
{
	const char *at;
	const char *end;
} Scan;

/* An absent text (data NULL) is an empty one. */
static inline Scan
scan_over(Slice json)
{
	return json.data == NULL ? (Scan){ "", "" }
	                         : (Scan){ json.data, json.data + json.len };
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

/* What is between the quotes of a JSON string; false when it is none. */
bool scan_strip_quotes(Slice json, Slice *inner);

/* Write the character that an escape stands for, at being behind its backslash, and
 * return what follows it; NULL when it is none.  It is not longer than its escape; a lone
 * surrogate becomes U+FFFD. */
const char *scan_unescape(const char *at, const char *end, char **to);

#endif
