/*
 * shape_state.h
 *		what the two files of shape share.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_SHAPE_STATE_H
#define LAKE_SHAPE_STATE_H

#include "lake/shape.h"

/* The names of our own columns. */
extern const char *const shape_extra_names[EXTRA_COUNT];

/* An empty shape with its arena. */
Shape *shape_new(void);

/* A copy whose nested fields live in arena. */
IcebergType shape_type_copy(Arena *arena, const IcebergType *type);

#endif
