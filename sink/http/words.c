/*
 * words.c
 *		what of an address may be said, and what a status means.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <string.h>

#include "http/http.h"

const char *
http_shown(const char *url, char shown[HTTP_SHOWN])
{
	const char *scheme_end = strstr(url, "://");
	const char *start = scheme_end == NULL ? url : scheme_end + 3;
	const char *at = memchr(start, '@', strcspn(start, "/"));

	(void) snprintf(shown,
	                HTTP_SHOWN,
	                "%.*s%s",
	                (int) (start - url),
	                url,
	                at == NULL ? start : at + 1);
	return shown;
}

ErrKind
http_status_kind(long status)
{
	if (status < 400)
		return ERR_NONE;
	return status == 408 || status == 429 || status >= 500 ? ERR_RETRY : ERR_CONFIG;
}
