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
	converter->function = (FmgrInfo){ 0 };
	converter->replaced = 0;
	converter->strict = false;
	converter->relation = NULL;
}

void
text_prepare(TextConverter *converter, MemoryContext context)
{
	MemoryContext old = CurrentMemoryContext;
	bool outside = !IsTransactionState();
	Oid function;

	if (converter->encoding == PG_UTF8 || converter->encoding == PG_SQL_ASCII)
		return;
	if (outside)
		StartTransactionCommand();
	function = FindDefaultConversionProc(converter->encoding, PG_UTF8);
	if (OidIsValid(function))
		fmgr_info_cxt(function, &converter->function, context);
	if (outside)
		CommitTransactionCommand();
	MemoryContextSwitchTo(old);
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

/* Count characters that U+FFFD stands for; the first is told of. */
static void
note_replaced(TextConverter *converter, uint64 count)
{
	if (count == 0)
		return;
	if (converter->strict)
		fail_text(converter);
	if (converter->replaced == 0)
		ereport(LOG,
		        errmsg("replaced bytes that have no UTF-8 form in decoded text"),
		        errdetail("The database's encoding is \"%s\".",
		                  pg_encoding_to_char(converter->encoding)));
	converter->replaced += count;
}

/* Convert by the server's function, stepping over characters that it cannot map. */
static void
append_converted(TextConverter *converter, Buf *out, const char *text, size_t len)
{
	while (len > 0)
	{
		size_t piece = Min(len, PIECE_MAX);
		size_t room = (piece + 1) * MAX_CONVERSION_GROWTH + 1;
		char *at = buf_reserve(out, room);
		int done = DatumGetInt32(FunctionCall6(&converter->function,
		                                       Int32GetDatum(converter->encoding),
		                                       Int32GetDatum(PG_UTF8),
		                                       CStringGetDatum(text),
		                                       CStringGetDatum(at),
		                                       Int32GetDatum((int) piece),
		                                       BoolGetDatum(true)));

		out->len += strlen(at);
		text += done;
		len -= (size_t) done;
		/* A character cut by the end of a long piece comes whole in the next one. */
		if (len > 0 && (done == 0 || piece < PIECE_MAX))
		{
			size_t bad = (size_t) pg_encoding_mblen(converter->encoding, text);

			bad = Min(bad, len);
			buf_append(out, REPLACEMENT, sizeof REPLACEMENT - 1);
			note_replaced(converter, 1);
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
	ascii = utf8_ascii_run((Slice){ text, len });
	buf_append(out, text, ascii);
	if (ascii == len)
		return;
	text += ascii;
	len -= ascii;
	/* bytes of no known encoding: what happens to be UTF-8 passes */
	if (OidIsValid(converter->function.fn_oid))
		append_converted(converter, out, text, len);
	else
		note_replaced(converter, utf8_append(out, (Slice){ text, len }));
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

	if (converter->encoding == PG_UTF8 ||
	    utf8_ascii_run(slice_from(text)) == strlen(text))
		return text;
	text_append(converter, &out, text, strlen(text));
	return buf_cstr(&out);
}
