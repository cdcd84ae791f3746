/*
 * inspect.h
 *		`cdc-sink status`: how far the slot, the outputs and the running worker are.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SINK_INSPECT_H
#define SINK_INSPECT_H

#include <stdio.h>

#include "base/err.h"
#include "config/config.h"

/*
 * Look at the server, at what each output has stored, and ask the worker at status.port;
 * change and fence nothing.  Printed are lines (ok, note, fix) or, with json, one object.
 * What cannot be looked at is itself a finding.  True when all is well.
 */
bool inspect_all(const Config *config, bool json, FILE *to);

/* Ask the worker alone: a health check.  False with err set when nobody answers. */
bool inspect_worker(const Config *config, bool json, FILE *to, bool *healthy,
                    Err *err) MUST_CHECK;

#endif
