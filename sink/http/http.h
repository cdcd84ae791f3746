/*
 * http.h
 *		requests over HTTP and HTTPS: the one place that calls libcurl.
 *
 * A client is for one thread and keeps its connections.  One call is one attempt: who
 * calls decides by the error's kind, or by http_status_kind(), whether to try again.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/err.h"

typedef struct HttpClient HttpClient;

/* Texts may be NULL, and must outlive the client. */
typedef struct HttpOptions
{
	int64_t connect_timeout_ms; /* 0: 5 s */
	int64_t timeout_ms;         /* of a whole request; 0: 15 s */
	const char *ca_file;        /* PEM; NULL: the system's */
	const char *cert_file;      /* PEM, of the client */
	const char *key_file;       /* PEM */
	const char *key_password;
	const char *user_password; /* "user:password" for basic authentication */
	const char *bearer_token;  /* or this */
	const char *proxy;         /* host:port */
	const atomic_bool *stop;   /* ends a request that is under way */
} HttpOptions;

typedef struct HttpRequest
{
	const char *method; /* "GET" */
	const char *url;
	const char *const *headers; /* "Accept: text/plain"; ends with NULL; NULL: none */
	Slice body;                 /* data NULL: none */
} HttpRequest;

typedef struct HttpResponse
{
	long status;
	Slice body; /* the client's, until its next request */
} HttpResponse;

/* ERR_CONFIG when the options cannot be used, such as a file that is no certificate. */
HttpClient *http_client_new(const HttpOptions *options, Err *err) MUST_CHECK;
void http_client_free(HttpClient *client); /* NULL is allowed */

/*
 * Send a request and read the whole response, whatever its status.  A failure names the
 * address without user and password: ERR_RETRY when nobody answered, or not in time;
 * ERR_CONFIG when the URL is none, or TLS does not come about.
 */
bool http_send(HttpClient *client, const HttpRequest *request, HttpResponse *response,
               Err *err) MUST_CHECK;

/* A URL for a message, without user and password; cut when long. */
#define HTTP_SHOWN 160
const char *http_shown(const char *url, char shown[HTTP_SHOWN]);

/* What an error status means: ERR_RETRY for one that goes away (408, 429, 5xx),
 * ERR_CONFIG for others, ERR_NONE below 400. */
ErrKind http_status_kind(long status);

#endif
