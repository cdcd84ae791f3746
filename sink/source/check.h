/*
 * check.h
 *		the source half of `cdc-sink check`: is PostgreSQL ready to be streamed from?
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_CHECK_H
#define SOURCE_CHECK_H

#include <stdio.h>

#include "config/config.h"

/*
 * Look at everything that a run needs of the server and print one line each to to:
 *
 *		ok    what is as it should be
 *		note  works, but somebody may want to know, or to change it
 *		fix   what to do first
 *
 * Changes nothing; a temporary slot is made and dropped to see whether the plugin
 * loads.  False when there was a fix line, with err as the sum of them (ERR_CONFIG, or
 * ERR_RETRY when the server could not be reached).
 */
bool check_source(const Config *config, FILE *to, Err *err) MUST_CHECK;

#endif
