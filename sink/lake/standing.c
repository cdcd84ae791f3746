/*
 * standing.c
 *		how far the lake is, read from cdc_checkpoints.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "event/unread.h"
#include "lake/checkpoints.h"
#include "lake/lake.h"
#include "lake/silver_state.h"
#include "lake/sources.h"

static const char *
property(Arena *arena, const TableState *state, const char *name)
{
	const char *value = properties_get(state->metadata->properties, name);

	return arena_strdup(arena, value == NULL ? "" : value);
}

/* What the table says today: it may be right again since the cut. */
static bool
read_stale(Store *store, Arena *arena, const char *name, LakeStanding *standing, Err *err)
{
	TableName table = { store->config->lake_namespace, name };
	LakeStale *stale = &standing->stale[standing->stale_count];
	TableState *state;

	if (!catalog_load(store->catalog, &table, &state, err))
		return false;
	if (state == NULL)
		return true;
	*stale =
		(LakeStale){ .table = arena_strdup(arena, name),
		             .source = property(arena, state, SOURCE_PROPERTY),
		             .relid = shape_read_relid(property(arena, state, COLUMNS_PROPERTY)),
		             .reason = property(arena, state, STALE_PROPERTY) };
	stale->is_waiting = silver_reason_is_promised(stale->reason) ||
	                    unread_has(standing->position.unread, stale->source);
	standing->stale_count += *stale->reason != '\0';
	table_state_free(state);
	return true;
}

static bool
read_cut(Store *store, const Checkpoints *checkpoints, Arena *arena,
         LakeStanding *standing, Err *err)
{
	const CheckpointRow *rows = checkpoints_last(checkpoints, &standing->tables);

	standing->has_cut = standing->tables > 0;
	if (!standing->has_cut)
		return true;
	standing->cut_lsn = rows[0].cut_lsn;
	standing->cut_us = rows[0].committed_us;
	standing->stale = arena_alloc(arena, sizeof *standing->stale * standing->tables);
	for (size_t i = 0; i < standing->tables; i++)
		if (strcmp(rows[i].status, "stale") == 0 &&
		    !read_stale(store, arena, rows[i].table_name, standing, err))
			return false;
	return true;
}

bool
lake_standing(const Config *config, Arena *arena, LakeStanding *standing, Err *err)
{
	Checkpoints *checkpoints = NULL;
	Store store;
	bool ok = store_init(&store, config, err) && checkpoints_adopt(&store, err) &&
	          checkpoints_open(&store, &checkpoints, err);

	*standing = (LakeStanding){ .has_cut = false };
	if (ok)
	{
		standing->position = *checkpoints_position(checkpoints);
		ok = read_cut(&store, checkpoints, arena, standing, err);
		standing->position.unread = standing->position.lists = NULL; /* not the arena's */
	}
	checkpoints_close(checkpoints);
	store_fini(&store);
	return ok;
}
