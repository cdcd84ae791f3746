/*
 * log.c
 *		log lines; each is one write(2), so that threads do not mix.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "envelope/utf8.h"

static LogLevel log_level = LOG_INFO;

void
log_set_level(LogLevel level)
{
	log_level = level;
}

void
log_at(LogLevel level, const char *component, const char *format, ...)
{
	static const char *const names[] = { "ERROR", "WARNING", "INFO", "DEBUG" };
	char line[2048];
	struct timespec now;
	struct tm parts;
	va_list args;
	size_t used;

	if (level > log_level)
		return;
	(void) clock_gettime(CLOCK_REALTIME, &now);
	(void) gmtime_r(&now.tv_sec, &parts);
	used = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &parts);
	used += (size_t) snprintf(line + used,
	                          sizeof line - used,
	                          ".%03ldZ %s %s: ",
	                          now.tv_nsec / 1000000,
	                          names[level],
	                          component);
	va_start(args, format);
	(void) vsnprintf(line + used, sizeof line - used - 1, format, args);
	va_end(args);
	utf8_patch(line + used);
	used += strlen(line + used);
	line[used++] = '\n';
	while (write(STDERR_FILENO, line, used) < 0 && used == 0)
		continue;
}
