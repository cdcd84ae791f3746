/*
 * check.h
 *		the lake's part of `cdc-sink check`.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_CHECK_H
#define LAKE_CHECK_H

#include <stdio.h>

#include "config/config.h"

/*
 * Print one line a fact: "ok ..." or what to do.  Whether the warehouse can be written is
 * found out by writing and removing a file of its own.  False when a run would fail.
 */
bool lake_check(const Config *config, FILE *to, Err *err) MUST_CHECK;

#endif
