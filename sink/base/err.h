/*
 * err.h
 *		how a function of the worker says that it failed, and what the caller should do.
 *
 * Functions that can fail return bool and take Err * last.  Nothing branches
 * on text; pipeline.c alone decides what to retry, by kind.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

typedef enum ErrKind
{
	ERR_NONE,
	ERR_RETRY,    /* transient: rewind to the stored position and try again */
	ERR_CONFLICT, /* lost a race on a table commit: read the position again */
	ERR_DATA,     /* this event can never be delivered */
	ERR_FATAL,    /* the process cannot go on; a restart may help: exit 1 */
	ERR_CONFIG,   /* somebody must change something first: exit 2 */
} ErrKind;

typedef struct Err
{
	ErrKind kind;
	char text[640]; /* one line, PostgreSQL message style, no final period */
	char hint[512]; /* a sentence that says what to do, or "" */
} Err;

/* Set err and return false, so that a failing call reads "return fail(...)". */
bool fail(Err *err, ErrKind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4), cold));

/* Prefix the message of err with what was being done.  Returns false. */
bool fail_while(Err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3), cold));

/* Say what to do about the failure already in err.  Returns false. */
bool fail_hint(Err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3), cold));

/* All three return false, and here compilers and analysers see it: they cannot look into
 * err.c, and would follow a failed call as if it had filled its results. */
static inline bool
err_false(bool ignored)
{
	(void) ignored;
	return false;
}

#define fail(...)       err_false(fail(__VA_ARGS__))
#define fail_while(...) err_false(fail_while(__VA_ARGS__))
#define fail_hint(...)  err_false(fail_hint(__VA_ARGS__))

#define MUST_CHECK __attribute__((warn_unused_result))

#endif
