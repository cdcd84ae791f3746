/*
 * server.c
 *		libmicrohttpd in front of the board.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "status/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/log.h"

#define CONNECTIONS  32U
#define IDLE_SECONDS 10U

struct StatusServer
{
	Board *board;
	struct MHD_Daemon *daemon;
};

static void
print_health(Board *board, Buf *buf)
{
	if (board_get(board, METRIC_HEALTHY, 0) != 0)
		buf_text(buf, "ok\n");
	else
		board_print_text(board, buf);
}

/* What is served where. */
typedef struct Page
{
	const char *path;
	const char *type;
	bool tells_health; /* 503 when not healthy */
	void (*print)(Board *board, Buf *buf);
} Page;

static const Page pages[] = {
	{ "/", "text/plain; charset=utf-8", true, board_print_text },
	{ "/health", "text/plain; charset=utf-8", true, print_health },
	{ "/metrics",
	  "text/plain; version=0.0.4; charset=utf-8",
	  false,
	  board_print_metrics },
	{ "/status", "application/json", true, board_print_json },
};

static const Page *
find_page(const char *path)
{
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
		if (strcmp(pages[i].path, path) == 0)
			return &pages[i];
	return NULL;
}

static enum MHD_Result
respond(struct MHD_Connection *connection, unsigned code, const char *type,
        const Buf *body)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	(void) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	(void) MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	result = MHD_queue_response(connection, code, response);
	MHD_destroy_response(response);
	return result;
}

/* MHD_AccessHandlerCallback. */
static enum MHD_Result
/* NOLINTNEXTLINE(readability-function-size): the signature is the library's */
answer(void *context, struct MHD_Connection *connection, const char *url,
       const char *method, const char *version, const char *upload, size_t *upload_size,
       void **request)
{
	StatusServer *server = context;
	const Page *page = find_page(url);
	bool reads = strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
	             strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
	unsigned code = MHD_HTTP_OK;
	enum MHD_Result result;
	Buf body = buf_heap();

	(void) version;
	(void) upload;
	(void) request;
	*upload_size = 0;
	if (!reads)
		code = MHD_HTTP_METHOD_NOT_ALLOWED;
	else if (page == NULL)
		code = MHD_HTTP_NOT_FOUND;
	else
	{
		if (page->tells_health && board_get(server->board, METRIC_HEALTHY, 0) == 0)
			code = MHD_HTTP_SERVICE_UNAVAILABLE;
		page->print(server->board, &body);
	}
	if (!reads || page == NULL)
		buf_text(&body, "There are /health, /metrics and /status, to GET.\n");
	result = respond(connection, code, page != NULL ? page->type : "text/plain", &body);
	buf_free(&body);
	return result;
}

bool
status_address(const Config *config, struct sockaddr_storage *address, unsigned *length,
               Err *err)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *) address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) address;
	uint16_t port = htons((uint16_t) config->status_port);

	memset(address, 0, sizeof *address);
	if (inet_pton(AF_INET, config->status_address, &v4->sin_addr) == 1)
	{
		v4->sin_family = AF_INET;
		v4->sin_port = port;
		*length = sizeof *v4;
		return true;
	}
	if (inet_pton(AF_INET6, config->status_address, &v6->sin6_addr) == 1)
	{
		v6->sin6_family = AF_INET6;
		v6->sin6_port = port;
		*length = sizeof *v6;
		return true;
	}
	(void) fail(err,
	            ERR_CONFIG,
	            "invalid value for setting \"status.address\": \"%s\"",
	            config->status_address);
	return fail_hint(
		err, "Give a numeric address: 127.0.0.1, 0.0.0.0 for all of this host, or ::1.");
}

bool
status_server_start(const Config *config, Board *board, StatusServer **server, Err *err)
{
	struct sockaddr_storage address;
	unsigned length;
	StatusServer *started;

	*server = NULL;
	if (config->status_port == 0)
		return true;
	if (!status_address(config, &address, &length, err))
		return false;
	started = xmalloc(sizeof *started);
	started->board = board;
	errno = 0;
	started->daemon =
		MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
	                         (address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0U),
	                     (uint16_t) config->status_port,
	                     NULL,
	                     NULL,
	                     answer,
	                     started,
	                     MHD_OPTION_SOCK_ADDR,
	                     (struct sockaddr *) &address,
	                     MHD_OPTION_CONNECTION_LIMIT,
	                     CONNECTIONS,
	                     MHD_OPTION_CONNECTION_TIMEOUT,
	                     IDLE_SECONDS,
	                     MHD_OPTION_END);
	if (started->daemon == NULL)
	{
		(void) fail(err,
		            ERR_FATAL,
		            "could not listen at status.address \"%s\", status.port %d: %s",
		            config->status_address,
		            (int) config->status_port,
		            errno != 0 ? strerror(errno) : "libmicrohttpd refused");
		free(started);
		return fail_hint(err, "Choose another status.port, or 0 for no status server.");
	}
	log_info("status",
	         "serving /health, /metrics and /status at %s port %d",
	         config->status_address,
	         (int) config->status_port);
	*server = started;
	return true;
}

void
status_server_stop(StatusServer *server)
{
	if (server == NULL)
		return;
	MHD_stop_daemon(server->daemon);
	free(server);
}
