/*
 * iceberg_support.h
 *		what the tests of the Iceberg code share.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ICEBERG_SUPPORT_H
#define ICEBERG_SUPPORT_H

#include "lake/iceberg/commit.h"

/* A file of regress/unit/data. */
Slice read_sample(Arena *arena, const char *name);

/* The metadata of a sample table. */
TableMetadata *sample_metadata(Arena *arena, const char *name);

/* A table at file:///lake/db/t, partitioned by day(ts): id long, name string, ts
 * timestamptz. */
NewTable sample_table(void);

/* Bytes as lower-case hexadecimal digits. */
const char *to_hex(Arena *arena, Slice bytes);

/* A block of exactly these bytes, so that a sanitizer sees a read beyond; free() it. */
char *exact_block(Slice bytes);

#endif
