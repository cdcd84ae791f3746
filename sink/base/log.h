/*
 * log.h
 *		one line a message to standard error.
 *
 * Form: time level component: message.  Row values, keys and credentials are
 * never logged, at any level.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

typedef enum LogLevel
{
	LOG_ERROR,
	LOG_WARNING,
	LOG_INFO,
	LOG_DEBUG,
} LogLevel;

/* Messages above this level are dropped before they are formatted.  Call once, before
 * threads start. */
void log_set_level(LogLevel level);

void log_at(LogLevel level, const char *component, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(component, ...)   log_at(LOG_ERROR, component, __VA_ARGS__)
#define log_warning(component, ...) log_at(LOG_WARNING, component, __VA_ARGS__)
#define log_info(component, ...)    log_at(LOG_INFO, component, __VA_ARGS__)
#define log_debug(component, ...)   log_at(LOG_DEBUG, component, __VA_ARGS__)

#endif
