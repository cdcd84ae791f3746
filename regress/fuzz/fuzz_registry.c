/*
 * fuzz_registry.c
 *		libFuzzer over the answers of a schema registry.
 *
 * The input is two bytes for the status, then the body.  It stands in for libcurl: every
 * request is answered with it.  An answer gives an id, or is refused with a message.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "support.h"

#include <stdlib.h>

#include "config/config.h"
#include "connect/registry.h"
#include "http/http.h"

static HttpResponse answer;

HttpClient *
http_client_new(const HttpOptions *options, Err *err)
{
	(void) options;
	(void) err;
	return xmalloc(1);
}

void
http_client_free(HttpClient *client)
{
	free(client);
}

bool
http_send(HttpClient *client, const HttpRequest *request, HttpResponse *response,
          Err *err)
{
	(void) client;
	(void) request;
	(void) err;
	*response = answer;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const ConverterConfig config = {
		.registry_url = "http://one:1/,http://two:2",
		.registry_auto_register = true,
	};
	Input input = { data, size };
	Arena *arena = arena_new();
	long status = (long) (input_byte(&input) << 8 | input_byte(&input)) % 600;
	Err err = { .kind = ERR_NONE };
	const char *url = NULL;
	Registry *registry;
	int32_t id = -1;

	answer = (HttpResponse){ status, { (const char *) input.at, input.left } };
	registry = registry_new(&config, NULL, &err);
	if (registry == NULL)
		abort();
	if (registry_id(registry, "t-value", (Slice){ "\"int\"", 5 }, &id, &err))
	{
		if (id < 0)
			abort();
	}
	else if (err.kind == ERR_NONE || err.text[0] == '\0')
		abort();
	err = (Err){ .kind = ERR_NONE };
	if (!registry_check(registry, &url, &err) &&
	    (err.kind == ERR_NONE || err.text[0] == '\0'))
		abort();
	registry_free(registry);
	arena_free(arena);
	return 0;
}
