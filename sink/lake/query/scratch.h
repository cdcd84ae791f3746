/*
 * scratch.h
 *		a directory for the files of one command, in TMPDIR.
 *
 * Only its owner may enter it.  It is locked while it is in use; one that a
 * killed process left behind is removed by the next that makes one.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_QUERY_SCRATCH_H
#define LAKE_QUERY_SCRATCH_H

#include "base/arena.h"
#include "base/err.h"

typedef struct Scratch Scratch;

/* ERR_FATAL when it cannot be made. */
MUST_CHECK bool scratch_new(Scratch **scratch, Err *err);
void scratch_free(Scratch *scratch); /* removes it; NULL is allowed */

const char *scratch_directory(const Scratch *scratch);

/* A name for a new file in it. */
const char *scratch_file(Scratch *scratch, Arena *arena);

#endif
