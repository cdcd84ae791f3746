/*
 * text.h
 *		from the database's encoding to the stream's, which is UTF-8.
 *
 * Every text that leaves the server passes here: values, names, labels,
 * defaults.  Bytes that have no place in UTF-8 (any bytes in an SQL_ASCII
 * database, a hole in a code page) become U+FFFD, are counted, and are
 * reported to the server log: an ERROR would stop the slot for good, and is for who
 * asks for it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef DECODER_TEXT_H
#define DECODER_TEXT_H

#include "compat.h"

#include "fmgr.h"

#include "library.h"

typedef struct TextConverter
{
	int encoding;                /* the database's */
	FmgrInfo function;           /* to UTF-8; without fn_oid there is none */
	uint64 replaced;             /* how often U+FFFD stood in */
	bool strict;                 /* ERROR instead */
	const EnvRelation *relation; /* whose text it is, for that error; or NULL */
} TextConverter;

void text_init(TextConverter *converter);

/*
 * Look up the server's function, for which it takes a transaction where there is none:
 * until then, or where there is no such function, what happens to be UTF-8 passes and
 * other bytes do not.  What is looked up lives in context.
 */
void text_prepare(TextConverter *converter, MemoryContext context);

/* Append len bytes of text in UTF-8.  text may lie in out's own memory only if UTF-8. */
void text_append(TextConverter *converter, Buf *out, const char *text, size_t len);

/* text in UTF-8: itself where nothing needs converting, else palloc'd. */
const char *text_convert(TextConverter *converter, const char *text);

#endif
