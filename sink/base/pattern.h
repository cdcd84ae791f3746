/*
 * pattern.h
 *		Java's regular expressions where captures count: the routing of topics.
 *
 * java.util.regex.Pattern without flags: code points, alternatives from left to right,
 * greedy, reluctant and possessive quantifiers, numbered and named groups, back
 * references, lookahead, atomic groups, \b, \Q...\E, and the flags i and s.  What is not
 * known here (lookbehind, \p{...}, class intersections, \G, the flags m, x, u, d, U) is
 * refused by name.
 *
 * Why not envelope/regex.h, which the lists of tables use: that one runs inside the
 *server for every new table, and so takes time in proportion to the text whatever the
 * expression is, which captures, back references and lookahead do not allow.  Where both
 * understand an expression they decide alike (fuzz_pattern).
 *
 * Matching backtracks, as Java's does; it gives up after a million steps, which no sane
 * expression needs for a name.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef BASE_PATTERN_H
#define BASE_PATTERN_H

#include "base/arena.h"
#include "base/err.h"

typedef struct Pattern Pattern;

/* The compiled expression, in arena.  NULL with ERR_CONFIG when it is invalid or
 * uses what is not supported. */
Pattern *pattern_compile(Arena *arena, const char *text, Err *err) MUST_CHECK;

/* Whether the whole subject matches (Matcher.matches).  False only for ERR_DATA: it took
 * too long. */
bool pattern_matches(const Pattern *pattern, Slice subject, bool *matched,
                     Err *err) MUST_CHECK;

/* Whether replacement refers to groups that there are: ERR_CONFIG. */
bool pattern_check_replacement(const Pattern *pattern, const char *replacement,
                               Err *err) MUST_CHECK;

/*
 * What Kafka's and Debezium's routers do: when the whole subject matches, the first
 * match *found* in it (Matcher.replaceFirst) is replaced; $1, ${name} and \x as in
 * Java.  *result lives in arena, terminated; NULL when nothing matched.  The
 * replacement was checked.  ERR_DATA as pattern_matches().
 */
bool pattern_route(const Pattern *pattern, Slice subject, const char *replacement,
                   Arena *arena, const char **result, Err *err) MUST_CHECK;

#endif
