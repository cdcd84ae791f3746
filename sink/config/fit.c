/*
 * fit.c
 *		which settings take memory, and what share of it each may have.
 *
 * The kernel ends a process that goes beyond its container's limit, without a word and,
 * when it is started again with the same work before it, for ever.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "config/fit.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "config/settings.h"

#define MB INT64_C(1048576)

/* Sorted as they shall be told.  What the worker has without events, and the key index of
 * silver, must find room beside them. */
static const struct
{
	const char *name; /* of a SETTING_BYTES */
	int64_t share;    /* that part of the limit is its default at most */
} rows[] = {
	{ "max.memory", 4 },
	{ "lake.flush.bytes", 16 },
};

#define ROW_COUNT (sizeof rows / sizeof *rows)

static int64_t *
field_of(Config *config, const Setting *setting)
{
	return (void *) ((char *) config + setting->offset);
}

static ConfigValue *
value_of(const Config *config, const char *name)
{
	size_t i = 0;

	while (strcmp(config->values[i].name, name) != 0)
		i++;
	return &config->values[i];
}

void
config_fit(Config *config, Arena *arena, int64_t limit)
{
	config->memory_limit = limit;
	for (size_t i = 0; limit > 0 && i < ROW_COUNT; i++)
	{
		const Setting *setting = setting_find(rows[i].name);
		ConfigValue *value = value_of(config, rows[i].name);
		int64_t *field = field_of(config, setting);
		int64_t most = limit / rows[i].share / MB * MB;

		if (value->place != NULL || *field <= most)
			continue;
		*field = most < setting->min ? setting->min : most;
		value->value = arena_printf(arena, "%" PRId64 "MB", *field / MB);
	}
}

void
config_log_fit(const Config *config)
{
	int64_t limit = config->memory_limit;

	if (limit == 0)
		return;
	log_info("config",
	         "the memory limit is %" PRId64 " MB; %s is %s, %s is %s",
	         limit / MB,
	         rows[0].name,
	         value_of(config, rows[0].name)->value,
	         rows[1].name,
	         value_of(config, rows[1].name)->value);
	for (size_t i = 0; i < ROW_COUNT; i++)
	{
		const Setting *setting = setting_find(rows[i].name);
		const ConfigValue *value = value_of(config, rows[i].name);
		int64_t bytes = *(const int64_t *) ((const char *) config + setting->offset);

		if (value->place != NULL && bytes > limit / rows[i].share * 2)
			log_warning("config",
			            "%s=%s in %s is much for a memory limit of %" PRId64
			            " MB, beyond which the kernel kills the process: leave it out, "
			            "set %" PRId64 "MB, or raise the limit",
			            value->name,
			            value->value,
			            value->place,
			            limit / MB,
			            limit / rows[i].share / MB);
	}
}
