/*
 * log.c
 *		log lines; each is one write(2), so that threads do not mix.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

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
	int n;

	if (level > log_level)
		return;
	(void) clock_gettime(CLOCK_REALTIME, &now);
	(void) gmtime_r(&now.tv_sec, &parts);
	used = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &parts);
	n = snprintf(line + used,
	             sizeof line - used,
	             ".%03ldZ %s %s: ",
	             now.tv_nsec / 1000000,
	             names[level],
	             component);
	used += (size_t) n;
	va_start(args, format);
	n = vsnprintf(line + used, sizeof line - used - 1, format, args);
	va_end(args);
	used += (size_t) n < sizeof line - used - 1 ? (size_t) n : sizeof line - used - 2;
	line[used++] = '\n';
	while (write(STDERR_FILENO, line, used) < 0 && used == 0)
		continue;
}
