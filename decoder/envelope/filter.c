/*
 * filter.c
 *		Java's regular expressions, as far as they are used to name tables, on
 *		regcomp.
 *
 * Each expression is translated to a POSIX extended one for the C locale, whatever
 * locale the process has, so plugin and worker decide alike: bytes are
 * characters there, and what stands for one character in UTF-8 is spelled out as its
 * bytes.  As in Java without UNICODE_CASE only ASCII letters match without case.
 * A construct that has no POSIX equal (lookaround, possessive quantifiers,
 * back references, \p{...}, \b, class intersections) is refused by name.
 *
 * The compiled expressions hold malloc'd memory of the C library: filter_free().
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/filter.h"

#include "envelope/options.h"
#include "envelope/relation.h"

#include <ctype.h>
#include <locale.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

struct FilterPattern
{
	regex_t regex;
};

/* The translation of one expression. */
typedef struct Translator
{
	const char *at;
	Buf *out;
	const char *whole; /* for messages */
	EnvError *error;
} Translator;

/* A character class, gathered before it is printed. */
typedef struct CharClass
{
	bool members[128];
	bool negated;
	const char *wide[32]; /* members outside ASCII: where their UTF-8 starts */
	size_t wide_count;
} CharClass;

static bool
refuse(Translator *translator, Slice construct)
{
	(void) env_fail(translator->error,
	                "regular expression \"%s\" uses \"%.*s\", which is not supported",
	                translator->whole,
	                (int) construct.len,
	                construct.data);
	(void) snprintf(
		translator->error->hint,
		sizeof translator->error->hint,
		"Groups, alternatives, character classes, \\d \\w \\s and the quantifiers "
		"* + ? {n,m} are supported.");
	return false;
}

static size_t
utf8_length(const char *at)
{
	uint8_t first = (uint8_t) *at;
	size_t length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;

	return strnlen(at, length);
}

static void
put_byte_class(Buf *out, int first, int last)
{
	buf_char(out, '[');
	for (int c = first; c <= last; c++)
		buf_char(out, (char) c);
	buf_char(out, ']');
}

/* Any one character outside ASCII. */
static void
put_wide(Buf *out)
{
	put_byte_class(out, 0xC2, 0xF4);
	put_byte_class(out, 0x80, 0xBF);
	buf_char(out, '+');
}

static void
put_literal(Buf *out, const char *at, size_t length)
{
	if (length > 1)
	{
		buf_char(out, '(');
		buf_append(out, at, length);
		buf_char(out, ')');
		return;
	}
	if (strchr(".[]\\()*+?{}|^$", *at) != NULL)
		buf_char(out, '\\');
	buf_char(out, *at);
}

/* Put ], ^ and - where a bracket expression takes them literally. */
static void
put_members(Buf *out, const bool members[128], bool negated)
{
	buf_text(out, negated ? "[^" : "[");
	if (members[']'])
		buf_char(out, ']');
	for (int c = 1; c < 128; c++)
		if (members[c] && c != ']' && c != '^' && c != '-')
			buf_char(out, (char) c);
	if (negated)
		for (int c = 0x80; c < 0x100; c++)
			buf_char(out, (char) c);
	if (members['^'])
		buf_char(out, '^');
	if (members['-'])
		buf_char(out, '-');
	buf_char(out, ']');
}

static void
put_class(Buf *out, const CharClass *class)
{
	bool any = false;
	bool caret_only = class->members['^'] && !class->negated;

	for (int c = 1; c < 128; c++)
	{
		any = any || class->members[c];
		if (c != '^' && class->members[c])
			caret_only = false;
	}
	buf_char(out, '(');
	if (caret_only)
		buf_text(out, "\\^");
	else if (any || class->negated)
		put_members(out, class->members, class->negated);
	if (class->negated)
	{
		buf_char(out, '|');
		put_wide(out);
	}
	for (size_t i = 0; i < class->wide_count; i++)
	{
		if (i > 0 || any)
			buf_char(out, '|');
		buf_append(out, class->wide[i], utf8_length(class->wide[i]));
	}
	buf_char(out, ')');
}

/* Add \d \w \s to class, or their complement; false when c is none of them. */
static bool
add_shorthand(CharClass *class, char c)
{
	bool complement = isupper((unsigned char) c) != 0;

	if (strchr("dDwWsS", c) == NULL)
		return false;
	for (int i = 1; i < 128; i++)
	{
		bool in;

		switch (tolower((unsigned char) c))
		{
			case 'd':
				in = i >= '0' && i <= '9';
				break;
			case 'w':
				in = i == '_' || (i >= '0' && i <= '9') || (i >= 'a' && i <= 'z') ||
				     (i >= 'A' && i <= 'Z');
				break;
			default:
				in = i == ' ' || (i >= '\t' && i <= '\r');
				break;
		}
		if (in != complement)
			class->members[i] = true;
	}
	return true;
}

/* The character that an escape such as \t stands for; 0: none. */
static char
escaped_char(char c)
{
	static const char from[] = "tnrfae";
	static const char to[] = "\t\n\r\f\a\033";
	const char *found = c == '\0' ? NULL : strchr(from, c);

	if (found != NULL)
		return to[found - from];
	return isalnum((unsigned char) c) ? '\0' : c;
}

/* After the backslash, outside of a class. */
static bool
translate_escape(Translator *translator)
{
	const char *at = translator->at;
	CharClass class = { 0 };
	char c;

	if (*at == 'Q')
	{
		for (at++; *at != '\0' && strncmp(at, "\\E", 2) != 0; at += utf8_length(at))
			put_literal(translator->out, at, utf8_length(at));
		translator->at = *at == '\0' ? at : at + 2;
		return true;
	}
	if (*at != '\0' && add_shorthand(&class, *at))
	{
		/* complements hold what is outside ASCII too */
		if (isupper((unsigned char) *at))
		{
			memset(class.members, 0, sizeof class.members);
			(void) add_shorthand(&class, (char) tolower((unsigned char) *at));
			class.negated = true;
		}
		put_class(translator->out, &class);
		translator->at++;
		return true;
	}
	c = escaped_char(*at);
	if (c == '\0')
		return refuse(translator, (Slice){ at - 1, *at == '\0' ? 1 : 2 });
	if ((uint8_t) c >= 0x80)
	{
		put_literal(translator->out, at, utf8_length(at));
		translator->at += utf8_length(at);
		return true;
	}
	put_literal(translator->out, &c, 1);
	translator->at++;
	return true;
}

/* One member of a class, which may be the start of a range; 0: it was wide or shorthand.
 */
static bool
class_member(Translator *translator, CharClass *class, char *member)
{
	const char *at = translator->at;
	size_t length;

	*member = '\0';
	if (*at == '\\')
	{
		at++;
		translator->at = at + 1;
		if (*at != '\0' && !isupper((unsigned char) *at) && add_shorthand(class, *at))
			return true;
		*member = (uint8_t) *at >= 0x80 ? '\0' : escaped_char(*at);
		return *member != '\0' || refuse(translator, (Slice){ at - 1, 2 });
	}
	if (*at == '[' || strncmp(at, "&&", 2) == 0)
		return refuse(translator, (Slice){ at, *at == '[' ? 1 : 2 });
	length = utf8_length(at);
	translator->at = at + length;
	if (length == 1)
	{
		*member = *at;
		return true;
	}
	if (class->wide_count == sizeof class->wide / sizeof *class->wide || class->negated ||
	    at[length] == '-')
		return refuse(translator, (Slice){ at, length });
	class->wide[class->wide_count++] = at;
	return true;
}

/* After the opening bracket. */
static bool
translate_class(Translator *translator)
{
	CharClass class = { 0 };
	const char *start = translator->at - 1;

	if (*translator->at == '^')
	{
		class.negated = true;
		translator->at++;
	}
	if (*translator->at == ']')
		return refuse(translator,
		              (Slice){ start, (size_t) (translator->at - start + 1) });
	while (*translator->at != ']')
	{
		char first;
		char last;

		if (*translator->at == '\0')
			return env_fail(translator->error,
			                "regular expression \"%s\" has an unclosed character class",
			                translator->whole);
		if (!class_member(translator, &class, &first))
			return false;
		last = first;
		if (first != '\0' && *translator->at == '-' && translator->at[1] != ']' &&
		    translator->at[1] != '\0')
		{
			translator->at++;
			if (!class_member(translator, &class, &last))
				return false;
			if (last < first)
				return refuse(translator, (Slice){ translator->at - 3, 3 });
		}
		for (char c = first; first != '\0' && c <= last; c++)
		{
			class.members[(int) c] = true;
			if (c == 127)
				break;
		}
	}
	translator->at++;
	put_class(translator->out, &class);
	return true;
}

/* After the opening parenthesis. */
static bool
translate_group(Translator *translator)
{
	const char *at = translator->at;

	buf_char(translator->out, '(');
	if (*at != '?')
		return true;
	if (at[1] != ':')
		return refuse(translator, (Slice){ at - 1, at[1] == '\0' ? 2 : 3 });
	translator->at += 2;
	return true;
}

/* A quantifier that starts at the character already read. */
static bool
translate_quantifier(Translator *translator, char first)
{
	const char *start = translator->at - 1;
	const char *at = translator->at;

	if (first == '{')
	{
		at += strspn(at, "0123456789");
		if (at > start + 1 && *at == ',')
			at += 1 + strspn(at + 1, "0123456789");
		if (at == start + 1 || *at != '}')
			return refuse(translator, (Slice){ start, 1 });
		at++;
	}
	if (*at == '+')
		return refuse(translator, (Slice){ start, (size_t) (at - start + 1) });
	buf_append(translator->out, start, (size_t) (at - start));
	if (*at == '?') /* reluctant: the same when the whole must match */
		at++;
	translator->at = at;
	return true;
}

/* Any character but a line end.  Repeated, bytes do as well. */
static void
translate_dot(Translator *translator)
{
	if (*translator->at == '*' || *translator->at == '+')
	{
		buf_text(translator->out, "[^\n\r]");
		return;
	}
	buf_text(translator->out, "(");
	buf_text(translator->out, "[^\n\r");
	for (int c = 0x80; c < 0x100; c++)
		buf_char(translator->out, (char) c);
	buf_text(translator->out, "]|");
	put_wide(translator->out);
	buf_char(translator->out, ')');
}

static bool
translate(Translator *translator)
{
	if (strncmp(translator->at, "(?i)", 4) == 0) /* always so */
		translator->at += 4;
	while (*translator->at != '\0')
	{
		size_t length = utf8_length(translator->at);
		char c = *translator->at;
		bool ok = true;

		translator->at += length;
		switch (c)
		{
			case '\\':
				ok = translate_escape(translator);
				break;
			case '[':
				ok = translate_class(translator);
				break;
			case '(':
				ok = translate_group(translator);
				break;
			case '*':
			case '+':
			case '?':
			case '{':
				ok = translate_quantifier(translator, c);
				break;
			case '.':
				translate_dot(translator);
				break;
			case ')':
			case '|':
			case '^':
			case '$':
				buf_char(translator->out, c);
				break;
			default:
				put_literal(translator->out, translator->at - length, length);
				break;
		}
		if (!ok)
			return false;
	}
	return true;
}

/* regcomp for the C locale, whatever the thread has. */
static int
compile_c_locale(regex_t *regex, const char *text)
{
	locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t) 0);
	locale_t previous = uselocale(c_locale);
	int code = regcomp(regex, text, REG_EXTENDED | REG_ICASE | REG_NOSUB);

	(void) uselocale(previous);
	if (c_locale != (locale_t) 0)
		freelocale(c_locale);
	return code;
}

static void *
grow_heap(void *block, size_t size, void *context)
{
	void *grown = realloc(block, size);

	(void) context;
	if (grown == NULL)
		abort();
	return grown;
}

static bool
compile_pattern(FilterPattern *pattern, const char *text, EnvError *error)
{
	Buf out = { .grow = grow_heap };
	Translator translator = { text, &out, text, error };
	bool ok;

	buf_text(&out, "^(");
	ok = translate(&translator);
	buf_text(&out, ")$");
	if (ok)
	{
		int code = compile_c_locale(&pattern->regex, buf_cstr(&out));

		if (code != 0)
		{
			char reason[128];

			(void) regerror(code, &pattern->regex, reason, sizeof reason);
			ok = env_fail(error, "invalid regular expression \"%s\": %s", text, reason);
		}
	}
	free(out.data);
	return ok;
}

/* Cut the next expression off a list: ends at a comma without a backslash, which is then
 * dropped. */
static char *
next_pattern(char **rest)
{
	char *start = *rest + strspn(*rest, " \t\n\r");
	char *from = start;
	char *to = start;

	while (*from != '\0' && *from != ',')
	{
		if (from[0] == '\\' && from[1] == ',')
			from++;
		else if (from[0] == '\\' && from[1] != '\0')
			*to++ = *from++;
		*to++ = *from++;
	}
	*rest = *from == ',' ? from + 1 : from;
	while (to > start && strchr(" \t\n\r", to[-1]) != NULL)
		to--;
	*to = '\0';
	return start;
}

bool
filter_compile(FilterList *list, const char *text, const Alloc *alloc, EnvError *error)
{
	char *copy = alloc_copy(alloc, slice_from(text));
	size_t commas = 1;

	for (const char *c = text; *c != '\0'; c++)
		commas += *c == ',';
	list->text = alloc_copy(alloc, slice_from(text));
	list->count = 0;
	list->patterns = alloc_zero(alloc, commas * sizeof *list->patterns);
	while (*copy != '\0')
	{
		const char *pattern = next_pattern(&copy);

		if (*pattern == '\0')
			continue;
		if (!compile_pattern(&list->patterns[list->count], pattern, error))
		{
			filter_free(list);
			return false;
		}
		list->count++;
	}
	return true;
}

size_t
filter_first(const FilterList *list, const char *name)
{
	size_t i = 0;

	while (i < list->count && regexec(&list->patterns[i].regex, name, 0, NULL, 0) != 0)
		i++;
	return i;
}

bool
filter_matches(const FilterList *list, const char *name)
{
	return filter_first(list, name) < list->count;
}

void
filter_free(FilterList *list)
{
	for (size_t i = 0; i < list->count; i++)
		regfree(&list->patterns[i].regex);
	list->count = 0;
}

static bool
passes(const FilterList *include, const FilterList *exclude, const char *name)
{
	return (include->count == 0 || filter_matches(include, name)) &&
	       !filter_matches(exclude, name);
}

FilterTable
filter_table(const EnvOptions *options, const Relation *relation)
{
	if (options->publish_via_partition_root && relation->root_relid != 0)
		return (FilterTable){ relation->root_schema, relation->root_name };
	return (FilterTable){ relation->schema, relation->name };
}

bool
filter_wants_table(const EnvOptions *options, const char *schema, const char *table)
{
	char name[FILTER_NAME_BYTES];

	(void) snprintf(name, sizeof name, "%s.%s", schema, table);
	return passes(&options->schema_include_list, &options->schema_exclude_list, schema) &&
	       passes(&options->table_include_list, &options->table_exclude_list, name);
}

bool
filter_wants_column(const EnvOptions *options, const char *schema, const char *table,
                    const char *column)
{
	char name[FILTER_NAME_BYTES];

	(void) snprintf(name, sizeof name, "%s.%s.%s", schema, table, column);
	return passes(&options->column_include_list, &options->column_exclude_list, name);
}
