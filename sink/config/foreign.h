/*
 * foreign.h
 *		names that mean something to Debezium, Debezium Server or Kafka Connect, and
 *		are not settings of ours.
 *
 * A configuration that runs there must either mean the same here or be refused by
 * name.  So every property of Debezium 3.6's PostgreSQL connector that has no row
 * in settings.h or envelope/options.h has one here.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONFIG_FOREIGN_H
#define CONFIG_FOREIGN_H

#include "base/arena.h"

typedef enum ForeignRule
{
	FOREIGN_ALIAS,   /* another spelling of a setting */
	FOREIGN_IGNORED, /* has no effect, and leaving it out changes no event: logged */
	FOREIGN_FIXED,   /* accepted with the values that describe what the worker does */
	FOREIGN_REFUSED, /* what it asks for cannot be had */
} ForeignRule;

typedef struct Foreign
{
	const char *name; /* a last * stands for any rest, which must not be empty */
	ForeignRule rule;
	const char *target; /* ALIAS: the setting, a last * taking over the rest;
	                       FIXED: the accepted values, comma-separated, "" for empty */
	const char *note;   /* IGNORED: why; FIXED, REFUSED: a hint; ALIAS: "" */
} Foreign;

/* The rows, sorted by name. */
const Foreign *foreign_table(size_t *count);

/* The row of exactly that name; NULL: none. */
const Foreign *foreign_find(const char *name);

/* The row with the longest beginning that name has; NULL: none. */
const Foreign *foreign_find_prefix(const char *name);

/* The setting that name, found as this ALIAS row, stands for. */
const char *foreign_target(const Foreign *foreign, const char *name, Arena *arena);

/* Whether a FIXED row accepts value. */
bool foreign_accepts(const Foreign *foreign, const char *value);

#endif
