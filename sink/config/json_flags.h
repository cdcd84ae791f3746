/*
 * json_flags.h
 *		how strictly a JSON document is read.
 *
 * json-c 0.18 compares signed characters when it is strict, takes every byte beyond
 * ASCII for a control character and refuses the document (json-c issue 892).
 * With that release a document that is not plain ASCII is read without strictness,
 * its UTF-8 checked all the same; documents in ASCII and other releases are read
 * strictly.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONFIG_JSON_FLAGS_H
#define CONFIG_JSON_FLAGS_H

#include <json-c/json.h>

#include "envelope/buf.h"

/* The flags to read text with, for json_tokener_set_flags(). */
static inline int
json_flags(Slice text)
{
	bool refuses_utf8 = json_c_version_num() >> 8 == 18;

	for (size_t i = 0; refuses_utf8 && i < text.len; i++)
		if ((unsigned char) text.data[i] >= 0x80)
			return JSON_TOKENER_VALIDATE_UTF8;
	return JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8;
}

#endif
