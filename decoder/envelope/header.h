/*
 * header.h
 *		values as the text of headers, as SimpleHeaderConverter prints them.
 *
 * Follows Kafka Connect's data.Values.convertToString(): like a value's JSON, but that
 * decimals and dates are written out, NaN and the infinities have no quotes, and strings
 * have only quotes and backslashes escaped, and quotes around them only inside of others.
 * The one place where such text is made: of keys (__debezium.newkey, __debezium.oldkey)
 * and of whatever transformations add.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_HEADER_H
#define ENVELOPE_HEADER_H

#include "envelope/buf.h"

/* What a value is, where its JSON does not show it. */
typedef enum HeaderForm
{
	HEADER_OF_JSON, /* as its JSON, or an array or map of items */
	HEADER_OF_FLOAT,
	HEADER_OF_DECIMAL, /* base64 of the unscaled value */
	HEADER_OF_DAYS,    /* since 1970 */
	HEADER_OF_MS,      /* since 1970, or midnight */
	HEADER_OF_STRUCT,
} HeaderForm;

typedef struct HeaderType HeaderType;

typedef struct HeaderField
{
	Slice name;             /* as JSON, with its quotes */
	const HeaderType *type; /* NULL: HEADER_OF_JSON */
	Slice default_json;     /* what stands for null; empty: null */
} HeaderField;

struct HeaderType
{
	HeaderForm form;
	int scale;                 /* of a decimal */
	const HeaderType *items;   /* of an array's elements or a map's values; NULL: JSON */
	const HeaderField *fields; /* of a struct, in order */
	size_t field_count;
};

/* The form of Connect's type ("int32") with that semantic name (NULL: none). */
HeaderForm header_form(const char *type, const char *name);

/*
 * Append the text of a value; json is not of buf.  type NULL: HEADER_OF_JSON.  False,
 * with something appended or nothing, when json is not of the type.
 */
bool header_put(Buf *buf, Slice json, const HeaderType *type);

#endif
