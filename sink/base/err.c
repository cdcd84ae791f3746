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

#include "envelope/utf8.h"

#undef fail
#undef fail_while
#undef fail_hint

/* One line that any terminal takes, whatever bytes a name or a damaged file had; it may
 * have been cut within a character, too. */
static void
make_line(char *text)
{
	utf8_patch(text);
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\n')
			*p = p[1] == '\0' ? '\0' : ' ';
}

bool
fail(Err *err, ErrKind kind, const char *format, ...)
{
	va_list args;

	err->kind = kind;
	err->hint[0] = '\0';
	va_start(args, format);
	(void) vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	make_line(err->text);
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
	make_line(err->text);
	return false;
}

bool
fail_hint(Err *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void) vsnprintf(err->hint, sizeof err->hint, format, args);
	va_end(args);
	make_line(err->hint);
	return false;
}
