/*
 * registry.c
 *		POST /subjects/{subject}/versions, and its answers.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "connect/registry.h"

#include <ctype.h>
#include <stdlib.h>

#include "connect/record.h"
#include "envelope/scan.h"
#include "envelope/value.h"
#include "http/http.h"

#define CONTENT_TYPE "application/vnd.schemaregistry.v1+json"

struct Registry
{
	const ConverterConfig *config;
	HttpClient *http;
	Arena *arena; /* of the registry; the next is of one call */
	Arena *scratch;
	const char **urls; /* without a last slash */
	size_t url_count;
	size_t url; /* the one that answered last */
};

static void
split_urls(Registry *registry, const char *list)
{
	size_t room = strlen(list) + 1;

	registry->urls = arena_alloc(registry->arena, room * sizeof *registry->urls);
	while (*list != '\0')
	{
		size_t len;

		list += strspn(list, ", ");
		len = strcspn(list, ", ");
		while (len > 0 && list[len - 1] == '/')
			len--;
		if (len > 0)
			registry->urls[registry->url_count++] =
				arena_strndup(registry->arena, list, len);
		list += strcspn(list, ", ");
	}
}

static HttpOptions
http_options(const ConverterConfig *config, const atomic_bool *stop)
{
	return (HttpOptions){
		.ca_file = config->registry_ca_file,
		.cert_file = config->registry_cert_file,
		.key_file = config->registry_cert_file,
		.key_password = config->registry_key_password,
		.user_password = config->registry_auth == REGISTRY_AUTH_USER_INFO
		                     ? config->registry_user_info
		                     : NULL,
		.bearer_token = config->registry_token,
		.stop = stop,
	};
}

Registry *
registry_new(const ConverterConfig *config, const atomic_bool *stop, Err *err)
{
	const HttpOptions options = http_options(config, stop);
	Registry *registry = xmalloc(sizeof *registry);

	*registry =
		(Registry){ .config = config, .arena = arena_new(), .scratch = arena_new() };
	split_urls(registry, config->registry_url);
	if (registry->url_count == 0)
	{
		(void) fail(err, ERR_CONFIG, "no schema registry is given");
		(void) fail_hint(err, "Set schema.registry.url of the converter.");
	}
	else
		registry->http = http_client_new(&options, err);
	if (registry->http != NULL)
		return registry;
	registry_free(registry);
	return NULL;
}

void
registry_free(Registry *registry)
{
	if (registry == NULL)
		return;
	http_client_free(registry->http);
	arena_free(registry->arena);
	arena_free(registry->scratch);
	free(registry);
}

/* Append a part of a path; what is not plain in one is escaped. */
static void
put_escaped(Buf *buf, const char *text)
{
	for (; *text != '\0'; text++)
	{
		unsigned char c = (unsigned char) *text;

		if (isalnum(c) || strchr("-._~", c) != NULL)
			buf_u8(buf, c);
		else
			buf_printf(buf, "%%%02X", c);
	}
}

static const char *
make_url(const Registry *registry, const char *subject)
{
	Buf buf = buf_heap();
	const char *url;

	buf_text(&buf, registry->urls[registry->url]);
	buf_text(&buf, "/subjects/");
	put_escaped(&buf, subject);
	if (registry->config->registry_auto_register)
		buf_text(&buf, "/versions");
	buf_text(&buf, registry->config->registry_normalize ? "?normalize=true" : "");
	url = arena_strndup(registry->scratch, buf.data, buf.len);
	buf_free(&buf);
	return url;
}

static const char *const request_headers[] = {
	"Content-Type: " CONTENT_TYPE,
	"Accept: " CONTENT_TYPE ", application/vnd.schemaregistry+json, application/json",
	NULL,
};

/* Ask each registry in turn, beginning with the one that answered last. */
static bool
ask(Registry *registry, const char *subject, Slice body, HttpResponse *response, Err *err)
{
	HttpRequest request = { .method = "POST", .headers = request_headers, .body = body };

	for (size_t tried = 1;; tried++)
	{
		bool last = tried >= registry->url_count;
		bool answered;

		request.url = make_url(registry, subject);
		answered = http_send(registry->http, &request, response, err);
		if (answered && (last || http_status_kind(response->status) != ERR_RETRY))
			return true;
		if (!answered && (last || err->kind != ERR_RETRY))
			return false;
		registry->url = (registry->url + 1) % registry->url_count;
	}
}

/* The member of the answer; len 0: there is none. */
static Slice
find_member(Slice json, const char *wanted)
{
	Scan scan = scan_over(json);
	bool first = true;
	bool more;
	Slice name;
	Slice value;

	if (scan_take(&scan, '{'))
		while (scan_member(&scan, &first, &name, &more) && more &&
		       scan_value(&scan, &value))
			if (name.len == strlen(wanted) + 2 &&
			    memcmp(name.data + 1, wanted, name.len - 2) == 0)
				return value;
	return (Slice){ "", 0 };
}

static const char *
hint_for(const Registry *registry, long status)
{
	switch (status)
	{
		case 401:
		case 403:
			return "Set basic.auth.credentials.source and basic.auth.user.info of the "
				   "converter.";
		case 404:
			return registry->config->registry_auto_register
			           ? "Check schema.registry.url of the converter."
			           : "Register the schema, or set auto.register.schemas of the "
			             "converter to true.";
		case 409:
			return "Undo the change to the table, or change the compatibility of the "
				   "subject.";
		default:
			return "";
	}
}

/* Of a status that is no success; a redirection has no end, either. */
static ErrKind
refusal_kind(long status)
{
	ErrKind kind = http_status_kind(status);

	return kind == ERR_NONE ? ERR_CONFIG : kind;
}

/* An error status, in the registry's own words when it has any. */
static bool
fail_status(const Registry *registry, const char *subject, const HttpResponse *response,
            Err *err)
{
	Slice message = { "", 0 };
	Slice json = find_member(response->body, "message");
	char shown[HTTP_SHOWN];

	if (json.len == 0 || !connect_read_string(json, registry->scratch, &message))
		message = (Slice){ "", 0 };
	(void) fail(err,
	            refusal_kind(response->status),
	            "schema registry %s refused the schema of subject \"%s\" with status "
	            "%ld%s%.*s",
	            http_shown(registry->urls[registry->url], shown),
	            subject,
	            response->status,
	            message.len > 0 ? ": " : "",
	            (int) (message.len < 300 ? message.len : 300),
	            message.data);
	for (char *c = err->text; *c != '\0'; c++)
		if ((unsigned char) *c < ' ')
			*c = ' ';
	return fail_hint(err, "%s", hint_for(registry, response->status));
}

bool
registry_id(Registry *registry, const char *subject, Slice schema, int32_t *id, Err *err)
{
	Buf body = buf_heap();
	HttpResponse response;
	char shown[HTTP_SHOWN];
	int64_t number;
	bool ok;

	arena_reset(registry->scratch);
	buf_text(&body, "{\"schema\":");
	json_string_raw(&body, schema);
	buf_char(&body, '}');
	ok = ask(registry, subject, (Slice){ body.data, body.len }, &response, err);
	buf_free(&body);
	if (!ok)
		return fail_while(err, "cannot register the schema of subject \"%s\"", subject);
	if (response.status < 200 || response.status >= 300)
		return fail_status(registry, subject, &response, err);
	if (!connect_read_int64(find_member(response.body, "id"), &number) || number < 0 ||
	    number > INT32_MAX)
		return fail(err,
		            ERR_CONFIG,
		            "%s is not a schema registry: its answer has no id",
		            http_shown(registry->urls[registry->url], shown));
	*id = (int32_t) number;
	return true;
}

bool
registry_check(Registry *registry, const char **url, Err *err)
{
	HttpRequest request = { .method = "GET", .headers = request_headers };
	HttpResponse response = { 0 };
	bool answered = false;

	arena_reset(registry->scratch);
	for (size_t i = 0; i < registry->url_count && !answered; i++)
	{
		*url = registry->urls[i];
		request.url = arena_printf(registry->scratch, "%s/schemas/types", *url);
		answered = http_send(registry->http, &request, &response, err);
	}
	if (!answered)
		return false;
	if (response.status != 200)
	{
		(void) fail(err,
		            refusal_kind(response.status),
		            "it answered with status %ld",
		            response.status);
		return fail_hint(err, "%s", hint_for(registry, response.status));
	}
	if (memmem(response.body.data, response.body.len, "\"AVRO\"", 6) == NULL)
		return fail(err, ERR_CONFIG, "it does not take Avro schemas");
	return true;
}
