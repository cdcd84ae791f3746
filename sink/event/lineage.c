/*
 * lineage.c
 *		whether the server's WAL is the one that the stored positions are of.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "event/lineage.h"

void
lineage_await(Lineage *lineage, const Position *position, const char *where, Lsn from)
{
	if (position->phase == POSITION_STREAM && position->last.lsn != 0 &&
	    position->last.lsn >= from && lineage->count < LINEAGE_MAX)
		lineage->awaited[lineage->count++] = (Ancestor){ position->last, where };
}

void
lineage_meet(Lineage *lineage, CommitId commit)
{
	lineage_pass(lineage, commit.lsn);
	for (int i = lineage->count - 1; i >= 0; i--)
	{
		const CommitId *awaited = &lineage->awaited[i].commit;

		if (awaited->lsn != commit.lsn)
			continue;
		if (awaited->xid != commit.xid || awaited->time_us != commit.time_us)
			lineage->missing = lineage->awaited[i];
		lineage->awaited[i] = lineage->awaited[--lineage->count];
	}
}

void
lineage_pass(Lineage *lineage, Lsn lsn)
{
	for (int i = 0; i < lineage->count; i++)
		if (lineage->awaited[i].commit.lsn < lsn && lineage->missing.commit.lsn == 0)
			lineage->missing = lineage->awaited[i];
}

bool
lineage_is_open(const Lineage *lineage)
{
	return lineage->count > 0 || lineage->missing.commit.lsn != 0;
}
