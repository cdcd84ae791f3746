/*
 * state.h
 *		the parts of TableState that only its makers need; see commit.h.
 *
 * Private to the Iceberg code.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ICEBERG_STATE_H
#define LAKE_ICEBERG_STATE_H

#include "lake/iceberg/commit.h"

/*
 * A manifest with one reference: a copy of file and of the entries that are not
 * DELETED, whose inherited sequence numbers become commit_sequence.
 */
LiveManifest *live_manifest_new(const ManifestFile *file, ManifestEntries entries,
                                int64_t commit_sequence);

/* Give up a reference; the last one frees it. */
void live_manifest_release(LiveManifest *manifest);

/* Append a manifest in list order; the state takes over a reference. */
void table_state_attach(TableState *state, LiveManifest *manifest);

#endif
