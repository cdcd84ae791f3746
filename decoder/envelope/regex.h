/*
 * regex.h
 *		Java's regular expressions, as far as they are used to name tables.
 *
 * Supported: characters and their escapes, \Q...\E, . \d \w \s and complements, classes
 * of these and of ranges, groups, alternatives, ^ $, the quantifiers * + ? {n,m} and
 * their reluctant forms.  What else Java has (lookaround, possessive quantifiers, back
 * references, \p{...}, \b, class intersections, flags) is refused by name.  As in Java
 * without UNICODE_CASE only ASCII letters match without case.
 *
 * Compiled to a machine with a bounded number of states, all of which are followed at
 * once: matching takes time in proportion to text and expression, whatever they are.
 * What it decides does not depend on the locale.  The worker has a second engine for the
 * routing of topics, base/pattern.h: captures as Java chooses them take backtracking,
 *whose time has no such bound, and which therefore does not belong into the server.
 *
 * java.util.regex.Pattern, "Summary of regular-expression constructs".
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_REGEX_H
#define ENVELOPE_REGEX_H

#include "envelope/buf.h"

typedef struct Regex Regex;

/* Compile text, UTF-8.  NULL, with error and its hint set, when it is invalid, too large,
 * or uses what is not supported.  Everything is alloc's. */
Regex *regex_compile(const char *text, const Alloc *alloc, EnvError *error);

/* Whether the expression matches the whole of text, without regard to case.  A byte that
 * is no UTF-8 is a character of its own.  Any thread. */
bool regex_matches(const Regex *regex, const char *text);

#endif
