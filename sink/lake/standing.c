/*
 * standing.c
 *		how far the lake is, read from cdc_checkpoints.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/checkpoints.h"
#include "lake/lake.h"

#include <string.h>

static void
read_cut(const Checkpoints *checkpoints, LakeStanding *standing)
{
	const CheckpointRow *rows = checkpoints_last(checkpoints, &standing->tables);

	standing->has_cut = standing->tables > 0;
	for (size_t i = 0; i < standing->tables; i++)
		standing->stale += strcmp(rows[i].status, "stale") == 0;
	if (!standing->has_cut)
		return;
	standing->cut_lsn = rows[0].cut_lsn;
	standing->cut_us = rows[0].committed_us;
}

bool
lake_standing(const Config *config, LakeStanding *standing, Err *err)
{
	Checkpoints *checkpoints = NULL;
	Store store;
	bool ok = store_init(&store, config, err) && checkpoints_adopt(&store, err) &&
	          checkpoints_open(&store, &checkpoints, err);

	*standing = (LakeStanding){ .has_cut = false };
	if (ok)
	{
		standing->position = *checkpoints_position(checkpoints);
		read_cut(checkpoints, standing);
	}
	checkpoints_close(checkpoints);
	store_fini(&store);
	return ok;
}
