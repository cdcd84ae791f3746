/*
 * properties.c
 *		Java's properties, as java.util.Properties.load reads them.
 *
 * A logical line is a key, a separator and a value.  It ends at a line end that
 * no backslash precedes; a line continued by one goes on at the next line's first
 * non-blank.  The key ends at the first blank, = or : that is not escaped; blanks
 * around one = or : belong to the separator.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "config/assign.h"

typedef struct Reader
{
	const char *at;
	const char *end;
	const char *file;
	int line;
	Err *err;
} Reader;

static bool
at_blank(const Reader *reader)
{
	return reader->at < reader->end &&
	       (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\f');
}

static bool
at_line_end(const Reader *reader)
{
	return reader->at == reader->end || *reader->at == '\n' || *reader->at == '\r';
}

static void
skip_blanks(Reader *reader)
{
	while (at_blank(reader))
		reader->at++;
}

static void
skip_line_end(Reader *reader)
{
	if (reader->at == reader->end)
		return;
	reader->line++;
	if (*reader->at++ == '\r' && reader->at < reader->end && *reader->at == '\n')
		reader->at++;
}

static bool
fail_at(Reader *reader, const char *what)
{
	return fail(reader->err,
	            ERR_CONFIG,
	            "%s in file \"%s\" line %d",
	            what,
	            reader->file,
	            reader->line);
}

/* Four hexadecimal digits at the reader. */
static bool
read_unit(Reader *reader, uint32_t *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++)
	{
		char c = reader->at < reader->end ? *reader->at++ : '\0';
		char lower = (char) (c | 0x20);
		uint32_t digit;

		if (c >= '0' && c <= '9')
			digit = (uint32_t) (c - '0');
		else if (lower >= 'a' && lower <= 'f')
			digit = (uint32_t) (lower - 'a' + 10);
		else
			return fail_at(reader, "invalid \\uXXXX escape");
		*unit = *unit << 4 | digit;
	}
	return true;
}

/* The digits of a \u escape, and of the one after it where they are a surrogate pair. */
static bool
read_code_point(Reader *reader, char **out)
{
	uint32_t code;
	uint32_t low;
	char *p = *out;

	if (!read_unit(reader, &code))
		return false;
	if (code >= 0xd800 && code < 0xdc00)
	{
		if (reader->end - reader->at < 2 || memcmp(reader->at, "\\u", 2) != 0)
			return fail_at(reader, "unpaired surrogate in \\uXXXX escape");
		reader->at += 2;
		if (!read_unit(reader, &low))
			return false;
		if (low < 0xdc00 || low > 0xdfff)
			return fail_at(reader, "unpaired surrogate in \\uXXXX escape");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	else if (code >= 0xdc00 && code <= 0xdfff)
		return fail_at(reader, "unpaired surrogate in \\uXXXX escape");
	if (code == 0)
		return fail_at(reader, "null character");
	if (code < 0x80)
		*p++ = (char) code;
	else if (code < 0x800)
		*p++ = (char) (0xc0 | code >> 6);
	else if (code < 0x10000)
	{
		*p++ = (char) (0xe0 | code >> 12);
		*p++ = (char) (0x80 | (code >> 6 & 0x3f));
	}
	else
	{
		*p++ = (char) (0xf0 | code >> 18);
		*p++ = (char) (0x80 | (code >> 12 & 0x3f));
		*p++ = (char) (0x80 | (code >> 6 & 0x3f));
	}
	if (code >= 0x80)
		*p++ = (char) (0x80 | (code & 0x3f));
	*out = p;
	return true;
}

/* What follows a backslash. */
static bool
read_escape(Reader *reader, char **out)
{
	static const char letters[] = "ntrf";
	static const char meanings[] = "\n\t\r\f";
	const char *letter;
	char c;

	if (reader->at == reader->end)
		return true; /* as Java: a backslash at the very end is nothing */
	if (at_line_end(reader))
	{
		skip_line_end(reader);
		skip_blanks(reader);
		return true;
	}
	c = *reader->at++;
	if (c == 'u')
		return read_code_point(reader, out);
	letter = strchr(letters, c);
	*(*out)++ = letter != NULL ? meanings[letter - letters] : c;
	return true;
}

/* Decode up to a line end or, for a key, a separator.  What comes out is never longer. */
static bool
read_text(Reader *reader, bool is_key, char **out)
{
	while (!at_line_end(reader))
	{
		char c = *reader->at;

		if (is_key && (c == '=' || c == ':' || at_blank(reader)))
			break;
		reader->at++;
		if (c != '\\')
			*(*out)++ = c;
		else if (!read_escape(reader, out))
			return false;
	}
	*(*out)++ = '\0';
	return true;
}

/* Blanks, over continued lines. */
static void
skip_joined_blanks(Reader *reader)
{
	skip_blanks(reader);
	while (reader->end - reader->at >= 2 && *reader->at == '\\' &&
	       (reader->at[1] == '\n' || reader->at[1] == '\r'))
	{
		reader->at++;
		skip_line_end(reader);
		skip_blanks(reader);
	}
}

static void
skip_separator(Reader *reader)
{
	skip_joined_blanks(reader);
	if (reader->at < reader->end && (*reader->at == '=' || *reader->at == ':'))
		reader->at++;
	skip_joined_blanks(reader);
}

/* Length of the UTF-8 sequence at p, 0 when it is none. */
static size_t
sequence_length(const unsigned char *p, const unsigned char *end)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = *p < 0x80                  ? 1
	             : *p >= 0xc2 && *p <= 0xdf ? 2
	             : *p >= 0xe0 && *p <= 0xef ? 3
	             : *p >= 0xf0 && *p <= 0xf4 ? 4
	                                        : 0;
	uint32_t code;

	if (len < 2)
		return len;
	if ((size_t) (end - p) < len)
		return 0;
	code = *p & (0x7fU >> len);
	for (size_t i = 1; i < len; i++)
	{
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3fU);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return len;
}

static bool
check_encoding(Reader *reader)
{
	const unsigned char *end = (const unsigned char *) reader->end;

	for (const unsigned char *p = (const unsigned char *) reader->at; p < end;)
	{
		size_t len = sequence_length(p, end);

		if (*p == '\0')
			return fail_at(reader, "null character");
		if (len == 0)
			return fail_at(reader, "invalid UTF-8");
		reader->line += *p == '\n';
		p += len;
	}
	reader->line = 1;
	return true;
}

static bool
read_entry(Reader *reader, AssignList *list, char **out)
{
	const char *place =
		arena_printf(list->arena, "file \"%s\" line %d", reader->file, reader->line);
	const char *name = *out;
	const char *value;

	if (!read_text(reader, true, out))
		return false;
	skip_separator(reader);
	value = *out;
	if (!read_text(reader, false, out))
		return false;
	assign_add(list, ASSIGN_FILE, name, value, place);
	return true;
}

bool
assign_properties(AssignList *list, Slice text, const char *file, Err *err)
{
	Reader reader = { text.data, text.data + text.len, file, 1, err };
	/* A key and a value are at least one separator or line end longer than their text,
	 * but for the last entry and entries without a separator: two bytes a line are
	 * enough, with two more for the last. */
	char *out = arena_alloc(list->arena, text.len * 2 + 2);

	if (!check_encoding(&reader))
		return false;
	if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
		reader.at += 3;
	while (reader.at < reader.end)
	{
		skip_joined_blanks(&reader);
		if (at_line_end(&reader))
			skip_line_end(&reader);
		else if (*reader.at == '#' || *reader.at == '!')
		{
			while (!at_line_end(&reader))
				reader.at++;
		}
		else if (!read_entry(&reader, list, &out))
			return false;
	}
	return true;
}
