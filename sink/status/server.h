/*
 * server.h
 *		the status server: what a worker says of itself, over HTTP.
 *
 *		/health		200 "ok", or 503 and what keeps the worker from its work
 *		/metrics	for Prometheus
 *		/status		one JSON object
 *		/			the same for people; 503 when not healthy, as /status
 *
 * It answers GET and HEAD, knows no secrets and changes nothing; there is no
 * authentication: listen where only those may ask who may know.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef STATUS_SERVER_H
#define STATUS_SERVER_H

#include "config/config.h"
#include "status/board.h"

typedef struct StatusServer StatusServer;

/*
 * Listen at status.address and status.port and serve board, which must outlive the
 * server.  *server is NULL when status.port is 0.  ERR_CONFIG for an address that is not
 * one, ERR_FATAL when it is taken.
 */
bool status_server_start(const Config *config, Board *board, StatusServer **server,
                         Err *err) MUST_CHECK;
void status_server_stop(StatusServer *server); /* NULL is allowed */

/* status.address and status.port as a socket address; ERR_CONFIG when it is not one. */
struct sockaddr_storage;
bool status_address(const Config *config, struct sockaddr_storage *address,
                    unsigned *length, Err *err) MUST_CHECK;

#endif
