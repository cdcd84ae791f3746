/*
 * lake.h
 *		the lake output: bronze and silver Iceberg tables.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_LAKE_H
#define LAKE_LAKE_H

#include "config/config.h"
#include "output/output.h"

/* Make the output; nothing is opened before its open().  Its close() releases it. */
Output *lake_output_new(const Config *config, int wake_fd);

#endif
