/*
 * settings.c
 *		the server settings that decide how output functions print.
 *
 * As postgres_fdw does: a nesting level of settings is opened, values are saved
 * in it, and closing the level restores them.  An error closes it with the
 * transaction that the server decodes in.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "compat.h"

#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/guc.h"

#include "settings.h"

static void
pin(const char *name, const char *value, bool pinned)
{
	if (!pinned)
		(void) set_config_option(
			name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

int
settings_pin(void)
{
	int level = NewGUCNestLevel();

	pin("datestyle", "ISO", DateStyle == USE_ISO_DATES);
	pin("intervalstyle", "postgres", IntervalStyle == INTSTYLE_POSTGRES);
	pin("extra_float_digits", "3", extra_float_digits >= 3);
	pin("bytea_output", "hex", bytea_output == BYTEA_OUTPUT_HEX);
	pin("timezone", "UTC", strcmp(pg_get_timezone_name(session_timezone), "UTC") == 0);
	return level;
}

void
settings_release(int level)
{
	AtEOXact_GUC(true, level);
}
