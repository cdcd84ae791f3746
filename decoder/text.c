/*
 * text.c
 *		from the database's encoding to the stream's, which is UTF-8.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "text.h"

#define REPLACEMENT "\xEF\xBF\xBD"

/* Beyond this a conversion's result might not fit into one call's buffer. */
#define PIECE_MAX ((size_t) MaxAllocSize / (MAX_CONVERSION_GROWTH * 2))

void
text_init(TextConverter *converter)
{
	converter->encoding = GetDatabaseEncoding();
	converter->function = InvalidOid;
	converter->replaced = 0;
	converter->strict = false;
	converter->relation = NULL;
}

/* How many bytes at the start of text are ASCII, in which all server encodings agree. */
static size_t
ascii_run(const char *text, size_t len)
{
	size_t at = 0;

	for (; len - at >= sizeof(uint64); at += sizeof(uint64))
	{
		uint64 word;

		memcpy(&word, text + at, sizeof word);
		if ((word & UINT64CONST(0x8080808080808080)) != 0)
			break;
	}
	while (at < len && !IS_HIGHBIT_SET(text[at]))
		at++;
	return at;
}

pg_noreturn static void
fail_text(const TextConverter *converter)
{
	const EnvRelation *relation = converter->relation;
	const char *encoding = pg_encoding_to_char(converter->encoding);

	ereport(ERROR,
	        errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
	        relation == NULL
	            ? errmsg("decoded text has bytes that have no UTF-8 form")
	            : errmsg("text of table \"%s.%s\" has bytes that have no UTF-8 form",
	                     relation->schema,
	                     relation->name),
	        errdetail("The database's encoding is \"%s\".", encoding),
	        errhint("Set the option \"invalid_text_handling_mode\" to \"replace\"."));
}

static void
replace(TextConverter *converter, Buf *out)
{
	if (converter->strict)
		fail_text(converter);
	if (converter->replaced++ == 0)
		ereport(LOG,
		        errmsg("replaced bytes that have no UTF-8 form in decoded text"),
		        errdetail("The database's encoding is \"%s\".",
		                  pg_encoding_to_char(converter->encoding)));
	buf_append(out, REPLACEMENT, sizeof REPLACEMENT - 1);
}

/* Bytes of no declared encoding: what happens to be valid UTF-8 passes. */
static void
append_unknown(TextConverter *converter, Buf *out, const char *text, size_t len)
{
	while (len > 0)
	{
		size_t run = ascii_run(text, len);
		int valid = 0;

		if (run == 0)
		{
			valid = pg_encoding_verifymbchar(PG_UTF8, text, (int) Min(len, 4));
			run = valid > 0 ? (size_t) valid : 1;
		}
		if (valid < 0)
			replace(converter, out);
		else
			buf_append(out, text, run);
		text += run;
		len -= run;
	}
}

/* Convert by the server's function, stepping over characters that it cannot map. */
static void
append_converted(TextConverter *converter, Buf *out, const char *text, size_t len)
{
	if (!OidIsValid(converter->function))
		converter->function = FindDefaultConversionProc(converter->encoding, PG_UTF8);
	if (!OidIsValid(converter->function))
	{
		append_unknown(converter, out, text, len);
		return;
	}
	while (len > 0)
	{
		size_t piece = Min(len, PIECE_MAX);
		size_t room = (piece + 1) * MAX_CONVERSION_GROWTH + 1;
		char *at = buf_reserve(out, room);
		int done =
			pg_do_encoding_conversion_buf(converter->function,
		                                  converter->encoding,
		                                  PG_UTF8,
		                                  (unsigned char *) unconstify(char *, text),
		                                  (int) piece,
		                                  (unsigned char *) at,
		                                  (int) room,
		                                  true);

		out->len += strlen(at);
		text += done;
		len -= (size_t) done;
		/* A character cut by the end of a long piece comes whole in the next one. */
		if (len > 0 && (done == 0 || piece < PIECE_MAX))
		{
			size_t bad = (size_t) pg_encoding_mblen(converter->encoding, text);

			bad = Min(bad, len);
			replace(converter, out);
			text += bad;
			len -= bad;
		}
	}
}

void
text_append(TextConverter *converter, Buf *out, const char *text, size_t len)
{
	size_t ascii;

	if (likely(converter->encoding == PG_UTF8))
	{
		buf_append(out, text, len);
		return;
	}
	ascii = ascii_run(text, len);
	buf_append(out, text, ascii);
	if (ascii == len)
		return;
	/* A message outside transactions has no catalog to find a conversion in. */
	if (converter->encoding == PG_SQL_ASCII || !IsTransactionState())
		append_unknown(converter, out, text + ascii, len - ascii);
	else
		append_converted(converter, out, text + ascii, len - ascii);
}

static void *
grow(void *block, size_t size, void *context)
{
	return block == NULL ? palloc(size) : repalloc(block, size);
}

const char *
text_convert(TextConverter *converter, const char *text)
{
	Buf out = { .grow = grow };

	if (converter->encoding == PG_UTF8 || ascii_run(text, strlen(text)) == strlen(text))
		return text;
	text_append(converter, &out, text, strlen(text));
	return buf_cstr(&out);
}
