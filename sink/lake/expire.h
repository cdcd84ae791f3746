/*
 * expire.h
 *		which snapshots of a table expire, and the files that go with them.
 *
 * Expiry rides in the commit of a cut (lake.md 21), which notes the manifest lists of the
 * expired in EXPIRED_PROPERTY.  When the cut is published their files are removed, lists
 * last, so that whatever a crash leaves is found by the property at the next start.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_EXPIRE_H
#define LAKE_EXPIRE_H

#include "lake/store.h"

#define EXPIRED_PROPERTY "cdc.expired" /* URIs of manifest lists, a line each */

/* A set of the ids; the array becomes the set's. */
void snapshot_ids_init(SnapshotIds *ids, int64_t *items, size_t count);
void snapshot_ids_free(SnapshotIds *ids);

/*
 * The snapshots to be expired by a commit at now_ms, oldest first: those beyond the keep
 * newest and those older than age_ms, up to the first that is to be kept; some at a time.
 * None where the history has branches: what a snapshot alone refers to is known only
 * along one line.
 */
int32_t expire_choose(const TableMetadata *metadata, const CutStamp *stamp,
                      const Config *config, Arena *arena, const int64_t **expired);

/* What EXPIRED_PROPERTY is to say of them. */
const char *expire_lists(const TableMetadata *metadata, const int64_t *expired,
                         int32_t count, Arena *arena);

/*
 * Remove the files that only the snapshots of these lists refer to; files that are gone
 * already are no error.  Where a file that is needed to know cannot be read, nothing that
 * depends on it is removed.
 */
MUST_CHECK bool expire_files(Store *store, const TableState *state, const char *lists,
                             Err *err);

#endif
