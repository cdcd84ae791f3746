/*
 * lake_asks.c
 *		tables that silver asks to have read again, on their way to the reader.
 *
 *		silver asks -> position's list -> stored with the cut -> reader
 *(pipeline_reread.c)
 *
 * Not while a table is being read: what is asked for then is read after it, from its
 * beginning.  What is stored is read even if the worker is killed; for what is not, the
 * promise in the table's property is found when the lake is opened.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/log.h"
#include "event/unread.h"
#include "lake/lake_state.h"

static void
put(Lake *lake, const char *name, Buf *list)
{
	Buf entry = buf_heap();

	unread_encode(&entry, name);
	lake->position.unread =
		unread_renew(lake->arena, lake->position.unread, buf_cstr(&entry));
	if (list->len > 0)
		buf_char(list, ',');
	buf_slice(list, (Slice){ entry.data, entry.len });
	buf_free(&entry);
}

void
lake_ask(Lake *lake, const char *name)
{
	put(lake, name, &lake->asks);
}

void
lake_take_asks(Lake *lake)
{
	for (size_t i = 0; i < sources_count(lake->sources) && !lake->in_snapshot; i++)
	{
		Source *source = sources_get(lake->sources, i);

		if (source->silver != NULL && silver_take_ask(source->silver))
			put(lake, source_known_as(source), &lake->asks);
	}
}

void
lake_tell_asks(Lake *lake)
{
	if (lake->asks.len == 0)
		return;
	(void) pthread_mutex_lock(&lake->asking);
	if (lake->asked.len > 0)
		buf_char(&lake->asked, ',');
	buf_slice(&lake->asked, (Slice){ lake->asks.data, lake->asks.len });
	(void) pthread_mutex_unlock(&lake->asking);
	buf_reset(&lake->asks);
}

const char *
lake_output_asked(Output *output, Arena *arena)
{
	Lake *lake = (Lake *) output;
	const char *list = NULL;

	(void) pthread_mutex_lock(&lake->asking);
	if (lake->asked.len > 0)
		list = arena_strndup(arena, lake->asked.data, lake->asked.len);
	buf_reset(&lake->asked);
	(void) pthread_mutex_unlock(&lake->asking);
	return list;
}

/* The user does not want it read by itself any more. */
static void
withdraw(Lake *lake, Source *source)
{
	log_warning("lake",
	            "table \"%s\" is not read again by itself: lake.on.stale is wait",
	            silver_table(source->silver)->name.name);
	lake->position.unread =
		unread_remove(lake->arena, lake->position.unread, source_known_as(source));
	silver_break_promise(source->silver, "lake.on.stale is wait");
	source->is_touched = true;
}

void
lake_renew_promises(Lake *lake)
{
	Buf list = buf_heap();

	for (size_t i = 0; i < sources_count(lake->sources); i++)
	{
		Source *source = sources_get(lake->sources, i);

		if (source->silver == NULL || !silver_is_promised(source->silver))
			continue;
		/* what the list has of a table that asked since is not to be gone on with */
		if (lake->config->lake_on_stale == STALE_READ ||
		    strcmp(silver_stale(source->silver), LAKE_NOT_CAPTURED) == 0)
			put(lake, source_known_as(source), &list);
		else
			withdraw(lake, source);
	}
	buf_free(&list);
}
