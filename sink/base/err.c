/*
 * err.c
 *		error text.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef fail
#undef fail_while
#undef fail_hint

bool
fail(Err *err, ErrKind kind, const char *format, ...)
{
	va_list args;

	err->kind = kind;
	err->hint[0] = '\0';
	va_start(args, format);
	(void) vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	for (char *p = err->text; *p != '\0'; p++)
		if (*p == '\n')
			*p = p[1] == '\0' ? '\0' : ' ';
	return false;
}

bool
fail_while(Err *err, const char *format, ...)
{
	char cause[sizeof err->text];
	va_list args;
	size_t used;

	(void) snprintf(cause, sizeof cause, "%s", err->text);
	va_start(args, format);
	(void) vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	used = strlen(err->text);
	(void) snprintf(err->text + used, sizeof err->text - used, ": %s", cause);
	return false;
}

bool
fail_hint(Err *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void) vsnprintf(err->hint, sizeof err->hint, format, args);
	va_end(args);
	return false;
}
