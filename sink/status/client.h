/*
 * client.h
 *		asking the status server of a running worker.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef STATUS_CLIENT_H
#define STATUS_CLIENT_H

#include "config/config.h"

typedef struct StatusAnswer
{
	bool healthy;
	Buf body; /* on the heap; buf_free releases it */
} StatusAnswer;

/*
 * GET path from the worker that serves at status.address and status.port (0.0.0.0 and ::
 * mean this host).  answer->body is appended to.  ERR_RETRY when nobody answers within 3
 * seconds.
 */
bool status_ask(const Config *config, const char *path, StatusAnswer *answer,
                Err *err) MUST_CHECK;

#endif
