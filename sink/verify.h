/*
 * verify.h
 *		`cdc-sink verify`: every silver table against its source at one LSN.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SINK_VERIFY_H
#define SINK_VERIFY_H

#include <stdio.h>

#include "base/err.h"
#include "config/config.h"

/*
 * Compare and print one line a table, with the first differing keys.  *equal tells the
 * verdict: false also when a table could not be compared, because of what happened to it
 * meanwhile.  False with err set when it could not be found out.
 */
bool verify_run(const Config *config, FILE *to, bool *equal, Err *err) MUST_CHECK;

#endif
