/*
 * http.c
 *		libcurl's easy interface.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "http/http.h"

#include <stdio.h>
#include <stdlib.h>

#include <curl/curl.h>

#define CONNECT_TIMEOUT_MS 5000
#define TIMEOUT_MS         15000
#define MAX_BODY           ((size_t) 16 << 20)
#define USER_AGENT         "cdc-sink/" CDC_VERSION

struct HttpClient
{
	CURL *curl;
	HttpOptions options;
	Buf body;
	char reason[CURL_ERROR_SIZE];
};

/* libcurl's write callback; less than size tells it to give up. */
static size_t
take_body(char *bytes, size_t one, size_t size, void *context)
{
	HttpClient *client = context;

	(void) one;
	if (client->body.len + size > MAX_BODY)
		return 0;
	buf_append(&client->body, bytes, size);
	return size;
}

/* libcurl's progress callback; not 0 ends the request. */
static int
should_stop(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
            curl_off_t up)
{
	const HttpClient *client = context;

	(void) down_total;
	(void) down;
	(void) up_total;
	(void) up;
	return client->options.stop != NULL && atomic_load(client->options.stop);
}

static CURLcode
set_text(CURL *curl, CURLoption option, const char *text)
{
	return text == NULL || *text == '\0' ? CURLE_OK
	                                     : curl_easy_setopt(curl, option, text);
}

static CURLcode
set_tls(CURL *curl, const HttpOptions *options)
{
	CURLcode code = set_text(curl, CURLOPT_CAINFO, options->ca_file);

	if (code == CURLE_OK)
		code = set_text(curl, CURLOPT_SSLCERT, options->cert_file);
	if (code == CURLE_OK)
		code = set_text(curl, CURLOPT_SSLKEY, options->key_file);
	if (code == CURLE_OK)
		code = set_text(curl, CURLOPT_KEYPASSWD, options->key_password);
	return code;
}

static CURLcode
set_identity(CURL *curl, const HttpOptions *options)
{
	CURLcode code = CURLE_OK;

	if (options->user_password != NULL && *options->user_password != '\0')
	{
		code = curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long) CURLAUTH_BASIC);
		if (code == CURLE_OK)
			code = curl_easy_setopt(curl, CURLOPT_USERPWD, options->user_password);
	}
	else if (options->bearer_token != NULL && *options->bearer_token != '\0')
	{
		code = curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long) CURLAUTH_BEARER);
		if (code == CURLE_OK)
			code = curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, options->bearer_token);
	}
	return code;
}

/* Redirections are not followed: they would carry credentials elsewhere. */
static CURLcode
set_options(HttpClient *client)
{
	CURL *curl = client->curl;
	const HttpOptions *options = &client->options;
	int64_t connect_ms = options->connect_timeout_ms;
	int64_t timeout_ms = options->timeout_ms;
	CURLcode code;

	(void) curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	(void) curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, should_stop);
	(void) curl_easy_setopt(curl, CURLOPT_XFERINFODATA, client);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
	(void) curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->reason);
	(void) curl_easy_setopt(curl,
	                        CURLOPT_CONNECTTIMEOUT_MS,
	                        (long) (connect_ms > 0 ? connect_ms : CONNECT_TIMEOUT_MS));
	(void) curl_easy_setopt(
		curl, CURLOPT_TIMEOUT_MS, (long) (timeout_ms > 0 ? timeout_ms : TIMEOUT_MS));
	code = curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	if (code == CURLE_OK)
		code = set_text(curl, CURLOPT_PROXY, options->proxy);
	if (code == CURLE_OK)
		code = set_tls(curl, options);
	return code == CURLE_OK ? set_identity(curl, options) : code;
}

HttpClient *
http_client_new(const HttpOptions *options, Err *err)
{
	HttpClient *client = xmalloc(sizeof *client);
	CURLcode code;

	*client = (HttpClient){ .options = *options, .body = buf_heap() };
	(void) curl_global_init(CURL_GLOBAL_DEFAULT);
	client->curl = curl_easy_init();
	code = client->curl == NULL ? CURLE_FAILED_INIT : set_options(client);
	if (code == CURLE_OK)
		return client;
	(void) fail(err, ERR_CONFIG, "could not set up HTTP: %s", curl_easy_strerror(code));
	http_client_free(client);
	return NULL;
}

void
http_client_free(HttpClient *client)
{
	if (client == NULL)
		return;
	curl_easy_cleanup(client->curl);
	curl_global_cleanup();
	buf_free(&client->body);
	free(client);
}

/* Failures that last until somebody changes something. */
static ErrKind
kind_of(CURLcode code)
{
	switch (code)
	{
		case CURLE_UNSUPPORTED_PROTOCOL:
		case CURLE_URL_MALFORMAT:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_ISSUER_ERROR:
		case CURLE_LOGIN_DENIED:
			return ERR_CONFIG;
		default:
			return ERR_RETRY;
	}
}

static bool
fail_request(HttpClient *client, const HttpRequest *request, CURLcode code, Err *err)
{
	char shown[HTTP_SHOWN];
	const char *reason =
		client->reason[0] != '\0' ? client->reason : curl_easy_strerror(code);

	(void) http_shown(request->url, shown);
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return fail(err, ERR_RETRY, "request to %s was stopped", shown);
	return fail(err, kind_of(code), "could not reach %s: %s", shown, reason);
}

static struct curl_slist *
make_headers(const HttpRequest *request)
{
	struct curl_slist *headers = NULL;

	for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
	{
		struct curl_slist *longer = curl_slist_append(headers, request->headers[i]);

		if (longer == NULL)
			abort(); /* out of memory, as xmalloc() */
		headers = longer;
	}
	return headers;
}

bool
http_send(HttpClient *client, const HttpRequest *request, HttpResponse *response,
          Err *err)
{
	CURL *curl = client->curl;
	struct curl_slist *headers = make_headers(request);
	CURLcode code;

	buf_reset(&client->body);
	client->reason[0] = '\0';
	code = curl_easy_setopt(curl, CURLOPT_URL, request->url);
	(void) curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.data);
	(void) curl_easy_setopt(
		curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body.len);
	if (request->body.data == NULL)
		(void) curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	if (code == CURLE_OK)
		code = curl_easy_perform(curl);
	(void) curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	if (code != CURLE_OK)
		return fail_request(client, request, code, err);
	(void) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response->status);
	response->body = (Slice){ client->body.data, client->body.len };
	return true;
}
