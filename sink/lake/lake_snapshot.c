/*
 * lake_snapshot.c
 *		tables that are read: in the initial snapshot, and in the middle of the stream.
 *
 * A table that silver has whole is replaced in one commit, when all of the new rows are
 * there.  Of any other, parts are committed as often as changes are (TABLE_PART), with
 * what they are in the list of unread tables (event/partial.h): so a kill costs no more
 * than that.  Events of the stream that come before the rest fold into the part as into
 * any table; an update of a row that is not there leaves its unchanged TOAST values null
 * until the row is read.  While the stream goes on beside a part the table is stale in
 * cdc_checkpoints.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "event/unread.h"
#include "lake/lake_state.h"

/* Behind what silver has of a table that was not read whole. */
static bool
go_on(Source *source, const Relation *relation, Err *err)
{
	source->keeps_parts = true;
	if (source->silver == NULL)
		return true;
	if (!silver_relation(source->silver, relation, err))
		return false;
	if (!silver_has_key(source->silver))
	{
		source->keeps_parts = false;
		silver_ask(source->silver, "its key was dropped while it was being read");
	}
	return true;
}

bool
lake_begin_table(Lake *lake, const Event *event, Err *err)
{
	Source *source;
	bool is_first;

	lake->in_snapshot = true;
	if (!sources_find(lake->sources, event, &source, err))
		return false;
	/* Leaves of a partitioned table share one source: the first replaces what was there.
	 */
	is_first = !source->is_replaced;
	source->is_replaced = true;
	source->is_touched = true;
	if (is_first)
	{
		lake->part_us = 0;
		atomic_store(&lake->part_lsn, 0);
	}
	if (event->old_tuple.data != NULL)
		return go_on(source, event->relation, err);
	if (!is_first)
		return source->silver == NULL ||
		       silver_relation(source->silver, event->relation, err);
	/* Parts of what is replaced are none. */
	lake->position.unread =
		unread_forget(lake->arena, lake->position.unread, event->relation);
	/* In the middle of the stream bronze goes on: what it has cannot be read again. */
	if (source->bronze != NULL && lake->is_initial)
		bronze_replace(source->bronze);
	/* What readers had of the table goes all at once, when all is there. */
	source->keeps_parts = source->silver == NULL || silver_is_unread(source->silver);
	if (source->silver == NULL)
		return true;
	if (!silver_replace(source->silver, event->relation, err))
		return false;
	source->keeps_parts = source->keeps_parts && silver_has_key(source->silver);
	return true;
}

/* A SELECT of the user's may have left rows out. */
static void
note_selected(const Lake *lake, const Source *source, const Relation *relation)
{
	char name[256];

	(void) snprintf(name, sizeof name, "%s.%s", relation->schema, relation->name);
	if (source->silver != NULL && config_snapshot_select(lake->config, name) != NULL)
		silver_set_stale(
			source->silver,
			"the table was not read whole: snapshot.select.statement.overrides");
}

/* What was read of the table is one commit, made visible with the others at the end. */
static bool
commit_table(Lake *lake, Source *source, const Event *event, const char *unread, Err *err)
{
	Position at = lake->position;
	CutStamp stamp;

	at.phase = POSITION_SNAPSHOT;
	at.commit_lsn = at.end_lsn = event->lsn;
	at.unread = at.lists = NULL;
	stamp = store_stamp(&lake->store, &at);
	stamp.is_snapshot = event->kind == EVENT_TABLE_END;
	if (!lake_prepare_source(source, err))
		return false;
	lake->bytes -= source->bytes;
	if (!lake_commit_sources(&source, 1, &stamp, err))
		return false;
	(void) malloc_trim(0);
	if (unread == lake->stored.unread)
		return true;
	/* A restart need not read it again. */
	lake->stored.unread = unread;
	return checkpoints_mark(lake->checkpoints, &lake->stored, err);
}

/* In the middle of the stream: a cut before the rows' snapshot, where nothing commits. */
static bool
cut_part(Lake *lake, Source *source, const Event *event, const char *unread, Err *err)
{
	if (source->silver != NULL)
		silver_set_partial(source->silver);
	lake->position.unread = unread;
	lake->position.commit_lsn = lake->position.end_lsn = event->lsn - 1;
	return lake_cut(lake, err);
}

static void
tell_part(Lake *lake, const Event *event)
{
	atomic_store(&lake->part_lsn, 0);
	atomic_store(&lake->part_relid, relation_root(event->relation));
	atomic_store(&lake->part_lsn, event->lsn);
}

/* Part of a table is there: stored as often as changes are. */
bool
lake_take_part(Lake *lake, const Event *event, Err *err)
{
	const char *was = lake->is_initial ? lake->stored.unread : lake->position.unread;
	int64_t now = clock_mono_us();
	Source *source;
	const char *unread;

	if (!sources_find(lake->sources, event, &source, err))
		return false;
	if (!source->keeps_parts ||
	    (event->new_tuple.data == NULL && lake->part_us != 0 &&
	     now - lake->part_us < lake->config->lake_flush_interval_ms * 1000))
		return true;
	unread = unread_advance(lake->arena, was, event->relation, event->old_tuple.data);
	if (unread == was)
		return true;
	if (!(lake->is_initial ? commit_table(lake, source, event, unread, err)
	                       : cut_part(lake, source, event, unread, err)))
		return false;
	lake->part_us = clock_mono_us();
	tell_part(lake, event);
	return true;
}

bool
lake_end_table(Lake *lake, const Event *event, Err *err)
{
	const char *part = event->old_tuple.data;
	Source *source;

	if (!sources_find(lake->sources, event, &source, err))
		return false;
	note_selected(lake, source, event->relation);
	if (lake->is_initial)
		return commit_table(
			lake,
			source,
			event,
			unread_complete(lake->arena, lake->stored.unread, event->relation, part),
			err);
	/* It becomes visible at the end, by a cut; of a partition is said how far that is. */
	if (event->relation->root_relid == 0 || !source->keeps_parts)
		return true;
	if (source->silver != NULL)
		silver_set_partial(source->silver);
	lake->position.unread =
		unread_complete(lake->arena, lake->position.unread, event->relation, part);
	tell_part(lake, event);
	return true;
}

/* Of what it does not take the lake lacks nothing: another output may go on without. */
void
lake_pass_doubled(Lake *lake, const Event *event)
{
	const char **unread =
		lake->is_initial ? &lake->stored.unread : &lake->position.unread;

	if (event->kind == EVENT_TABLE_END)
		*unread =
			unread_complete(lake->arena, *unread, event->relation, event->old_tuple.data);
}

/*
 * Where nothing of the table's name is still to be read, tables being read by the name
 * that they had, it was renamed or dropped since.  The catalog's next look finds out
 * (lake_catalog.c); where none is taken, the promise is taken back.
 */
static void
note_not_found(const Lake *lake, Source *source, const char *unread, const char *done)
{
	Silver *silver = source->silver;
	const char *name;

	if (silver == NULL || silver_asks(silver) ||
	    (!silver_is_promised(silver) && !silver_is_partial(silver)))
		return;
	name = source_known_as(source);
	if (unread_has(unread, name))
		return;
	if (strcmp(name, done) == 0)
		source->is_not_found = true;
	if (lake->config->lake_partitions_interval_ms > 0)
		return;
	source->is_touched = true;
	if (silver_is_promised(silver) && strcmp(name, done) != 0 && silver_ask_again(silver))
		return;
	if (silver_is_partial(silver))
		silver_restate(silver, "it was renamed or dropped before it had been read whole");
	else
		silver_break_promise(silver,
		                     "it was renamed or dropped before it could be read again");
}

/* Of the table that was read there are all rows, or a part more.  One that asked while it
 * was gone on with behind an older part is not right for it: it asks again. */
static void
note_read(Source *source, bool is_whole)
{
	Silver *silver = source->silver;

	if (silver == NULL)
		return;
	if (!is_whole)
		silver_set_partial(silver);
	else if (silver_is_promised(silver))
		(void) silver_ask_again(silver);
	else
		silver_set_whole(silver);
}

/* The source whose silver is of relation, or will be: of an earlier table of its name. */
static Source *
find_silver(Lake *lake, const Relation *relation)
{
	Source *source = sources_of(lake->sources, relation->relid);
	const char *name = source_name(lake->arena, relation);

	for (size_t i = 0;
	     source == NULL && relation->root_relid == 0 && i < sources_count(lake->sources);
	     i++)
	{
		Source *other = sources_get(lake->sources, i);

		if (other->silver != NULL && source_is_earlier(other, relation->schema, name))
			source = other;
	}
	return source;
}

/* What was to be read as a table of its own is a partition now: its root may lack it. */
static void
ask_root(Lake *lake, const Relation *leaf)
{
	Source *root = sources_of(lake->sources, leaf->root_relid);

	if (root != NULL)
		source_ask_about(root, leaf, "was attached: its rows were not read");
}

/* A table that has no rows of its own: it is a partition, or partitioned without any. */
static bool
clear_empty(Lake *lake, const Relation *relation, Err *err)
{
	Source *source = relation == NULL ? NULL : find_silver(lake, relation);

	if (source == NULL && relation != NULL && relation->root_relid != 0)
		ask_root(lake, relation);
	if (source == NULL)
		return true;
	source->is_touched = true;
	source->is_replaced = true;
	if (relation->relid == silver_relid(source->silver))
	{
		silver_clear(source->silver);
		return true;
	}
	if (source->bronze != NULL)
		bronze_set_relid(source->bronze, relation->relid);
	/* its columns, but it is no partition of its own */
	return silver_replace(source->silver, relation, err) &&
	       silver_forget(source->silver, relation->relid, err);
}

/* A table has been read again: a cut, in which it is replaced as a whole, or has a part
 * more. */
static bool
end_reread(Lake *lake, const Event *event, Err *err)
{
	bool is_whole = event->new_tuple.data == NULL;

	if (!clear_empty(lake, event->relation, err))
		return false;
	if (is_whole)
		lake->position.unread =
			unread_remove(lake->arena, lake->position.unread, event->old_tuple.data);
	for (size_t i = 0; i < sources_count(lake->sources); i++)
	{
		Source *source = sources_get(lake->sources, i);

		if (!source->is_replaced)
			note_not_found(lake, source, lake->position.unread, event->old_tuple.data);
		else
			note_read(source, is_whole);
		source->is_replaced = false;
	}
	return lake_cut(lake, err);
}

/* Commit what was said of tables, at the position; changed is freed. */
static bool
commit_changed(Lake *lake, Source **changed, size_t count, Err *err)
{
	CutStamp stamp = store_stamp(&lake->store, &lake->position);
	bool ok;

	stamp.position.unread = stamp.position.lists = NULL;
	ok = lake_commit_sources(changed, count, &stamp, err);
	free(changed);
	return ok;
}

/*
 * The initial snapshot is over, and the stream goes on from there.  A table that it left
 * out, and silver has from before, lacks what happened between.
 */
static bool
doubt_unread(Lake *lake, Err *err)
{
	Source **changed = xmalloc(sizeof(Source *) * (sources_count(lake->sources) + 1));
	size_t count = 0;

	for (size_t i = 0; i < sources_count(lake->sources); i++)
	{
		Source *source = sources_get(lake->sources, i);

		if (!source->is_replaced && source->silver != NULL &&
		    silver_rows(source->silver) > 0)
		{
			silver_restate(source->silver,
			               "it was not read by the snapshot that the stream began with");
			changed[count++] = source;
		}
		source->is_replaced = false;
	}
	return commit_changed(lake, changed, count, err);
}

bool
lake_end_snapshot(Lake *lake, const Event *event, Err *err)
{
	CutStamp stamp;

	lake->in_snapshot = false;
	lake->at_boundary = true;
	lake->position.phase = POSITION_STREAM;
	lake->position.commit_lsn = lake->position.end_lsn = event->lsn;
	if (event->old_tuple.data != NULL)
		return end_reread(lake, event, err);
	if (!doubt_unread(lake, err))
		return false;
	lake->is_initial = false;
	lake->position.unread = NULL;
	lake_take_asks(lake);
	lake->position.last = (CommitId){ 0 };
	lake->cut_floor = 0;
	stamp = store_stamp(&lake->store, &lake->position);
	if (!lake_publish(lake, &stamp, err))
		return false;
	lake->stored = lake->position;
	lake_tell_asks(lake);
	lake->deadline_us = 0;
	atomic_store(&lake->durable_end, lake->position.end_lsn);
	output_wake(&lake->base);
	return true;
}

/*
 * Of the tables that will be read from their beginning bronze may have rows already,
 * before which no event of the stream came.  Where silver has a part it says so.
 */
bool
lake_resume(Lake *lake, Err *err)
{
	Source **changed = xmalloc(sizeof(Source *) * (sources_count(lake->sources) + 1));
	size_t count = 0;

	for (size_t i = 0; i < sources_count(lake->sources); i++)
	{
		Source *source = sources_get(lake->sources, i);
		Table *table = source->silver != NULL ? silver_table(source->silver)
		                                      : bronze_table(source->bronze);
		const char *name = table_property(table, SOURCE_PROPERTY);

		if (!unread_has(lake->position.unread, name))
			continue;
		changed[count++] = source;
		/* a part may be committed that no list tells of */
		if (source->silver != NULL && silver_rows(source->silver) > 0)
			silver_set_partial(source->silver);
		if (source->bronze != NULL &&
		    unread_partial(lake->arena, lake->position.unread, name) == NULL)
			bronze_replace(source->bronze);
	}
	return commit_changed(lake, changed, count, err);
}
