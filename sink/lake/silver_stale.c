/*
 * silver_stale.c
 *		why silver is not its source, and who ends that.
 *
 * The reason stands in the table's property, and "stale" in cdc_checkpoints.  What
 * reading the table again mends silver asks for: the reason then ends with a promise.
 * A promise is kept by the list of unread tables (event/unread.h), and where that does
 * not have the table, it is asked for once more: lake_asks.c.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "lake/silver_state.h"

#define UNREAD  "the table has not been read yet"
#define PARTIAL "the table has not been read whole yet; the rest will be read by itself"

const char *
silver_stale(const Silver *silver)
{
	return silver->stale;
}

static bool
is_stale_for(const Silver *silver, const char *reason)
{
	return silver->stale != NULL && strcmp(silver->stale, reason) == 0;
}

void
silver_restate(Silver *silver, const char *reason)
{
	char *copy = xstrdup(reason); /* it may be the old one's */

	free(silver->stale);
	silver->stale = copy;
	table_set_property(silver->table, STALE_PROPERTY, copy);
}

/* What is missing of a part may hide another reason, which then stays. */
void
silver_set_stale(Silver *silver, const char *reason)
{
	if (silver->stale != NULL && !is_stale_for(silver, PARTIAL))
		return;
	silver_restate(silver, reason);
	log_warning("lake",
	            "table \"%s\" is stale until it is read again: %s",
	            silver->table->name.name,
	            reason);
}

void
silver_unset_stale(Silver *silver)
{
	free(silver->stale);
	silver->stale = NULL;
	silver->asks = false;
	if (table_property(silver->table, STALE_PROPERTY) != NULL)
		table_set_property(silver->table, STALE_PROPERTY, "");
}

void
silver_set_unread(Silver *silver)
{
	silver_set_stale(silver, UNREAD);
}

void
silver_set_partial(Silver *silver)
{
	if (silver->stale == NULL)
		silver_restate(silver, PARTIAL);
}

void
silver_set_whole(Silver *silver)
{
	if (is_stale_for(silver, PARTIAL))
		silver_unset_stale(silver);
}

bool
silver_is_partial(const Silver *silver)
{
	return is_stale_for(silver, PARTIAL);
}

bool
silver_is_unread(const Silver *silver)
{
	return is_stale_for(silver, PARTIAL) || is_stale_for(silver, UNREAD) ||
	       silver_rows(silver) == 0;
}

/* ---- Asking to be read ---- */

void
silver_set_readable(Silver *silver, bool is_readable)
{
	silver->is_readable = is_readable;
}

void
silver_ask(Silver *silver, const char *reason)
{
	if (silver->stale != NULL && !is_stale_for(silver, PARTIAL))
		return;
	if (silver->is_readable)
	{
		silver_set_stale(silver,
		                 arena_printf(silver->scratch, "%s" SILVER_PROMISE, reason));
		silver->asks = true;
	}
	else
		silver_set_stale(silver, reason);
}

bool
silver_ask_again(Silver *silver)
{
	silver->asks = silver->is_readable;
	return silver->asks;
}

bool
silver_take_ask(Silver *silver)
{
	bool asks = silver->asks;

	silver->asks = false;
	return asks;
}

bool
silver_asks(const Silver *silver)
{
	return silver->asks;
}

/* How long reason is in front of the promise; 0: there is none. */
static size_t
promised_at(const char *reason)
{
	size_t len = strlen(reason);
	size_t end = strlen(SILVER_PROMISE);

	return len > end && strcmp(reason + len - end, SILVER_PROMISE) == 0 ? len - end : 0;
}

bool
silver_reason_is_promised(const char *reason)
{
	return promised_at(reason) > 0;
}

bool
silver_is_promised(const Silver *silver)
{
	return silver->stale != NULL && silver_reason_is_promised(silver->stale);
}

void
silver_break_promise(Silver *silver, const char *why)
{
	silver->asks = false;
	silver_restate(silver,
	               arena_printf(silver->scratch,
	                            "%.*s, and %s",
	                            (int) promised_at(silver->stale),
	                            silver->stale,
	                            why));
}
