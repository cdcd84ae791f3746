/*
 * mask.c
 *		column.mask.* and column.truncate.*.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/mask.h"

#include "envelope/counted.h"
#include "envelope/jdbc.h"
#include "envelope/number.h"
#include "envelope/options.h"
#include "envelope/value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define LENGTH_MAX 10485760 /* PostgreSQL's limit of varchar(n) */

/* ---- Properties ---- */

/* The families: what stands before and after the number, or before digest and salt. */
typedef struct Family
{
	MaskKind kind;
	const char *prefix;
	const char *suffix; /* NULL: digest, .with.salt. and salt follow */
} Family;

/* v2 first: its prefix starts with v1's. */
static const Family families[] = {
	{ MASK_TRUNCATE, "column.truncate.to.", ".chars" },
	{ MASK_CHARS, "column.mask.with.", ".chars" },
	{ MASK_HASH_V2, "column.mask.hash.v2.", NULL },
	{ MASK_HASH_V1, "column.mask.hash.", NULL },
};

static const char with_salt[] = ".with.salt.";

/* What a property's name says. */
typedef struct Parsed
{
	const Family *family;
	Slice parameter; /* the number, or the digest's name */
	const char *salt;
} Parsed;

/* Whether name goes on with text, whose dots are separator there. */
static bool
goes_on(const char *name, const char *text, char separator)
{
	for (; *text != '\0'; text++, name++)
		if (*name != (*text == '.' ? separator : *text))
			return false;
	return true;
}

static bool
parse_family(const Family *family, const char *name, Parsed *parsed)
{
	char separator = strncmp(name, "column_", 7) == 0 ? '_' : '.';
	size_t prefix = strlen(family->prefix);
	const char *end;

	if (!goes_on(name, family->prefix, separator))
		return false;
	end = strchr(name + prefix, separator);
	if (end == NULL || end == name + prefix)
		return false;
	*parsed = (Parsed){ family, { name + prefix, (size_t) (end - name) - prefix }, NULL };
	if (family->suffix != NULL)
		return goes_on(end, family->suffix, separator) &&
		       end[strlen(family->suffix)] == '\0';
	parsed->salt = end + strlen(with_salt);
	return goes_on(end, with_salt, separator) && *parsed->salt != '\0';
}

static bool
parse_property(const char *name, Parsed *parsed)
{
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		if (parse_family(&families[i], name, parsed))
			return true;
	return false;
}

bool
mask_is_property(const char *name, MaskKind *kind)
{
	Parsed parsed;

	if (!parse_property(name, &parsed))
		return false;
	*kind = parsed.family->kind;
	return true;
}

const char *
mask_shown(const char *name, const Alloc *alloc)
{
	Parsed parsed;
	size_t length;
	char *shown;

	if (!parse_property(name, &parsed) || parsed.salt == NULL)
		return name;
	length = (size_t) (parsed.salt - name);
	shown = alloc_zero(alloc, length + sizeof "***");
	memcpy(shown, name, length);
	memcpy(shown + length, "***", sizeof "***");
	return shown;
}

static bool
parse_length(Slice digits, uint32_t *length)
{
	uint32_t value = 0;

	for (size_t i = 0; i < digits.len; i++)
	{
		if (!isdigit((unsigned char) digits.data[i]))
			return false;
		value = value * 10 + (uint32_t) (digits.data[i] - '0');
		if (value > LENGTH_MAX)
			return false;
	}
	*length = value;
	return true;
}

static bool
fill_rule(MaskRule *rule, const Parsed *parsed, const char *name, const Alloc *alloc,
          EnvError *error)
{
	rule->kind = parsed->family->kind;
	if (parsed->family->suffix != NULL)
	{
		if (parse_length(parsed->parameter, &rule->length))
			return true;
		(void) env_fail(error, "invalid number of characters in option \"%s\"", name);
		(void) snprintf(error->hint,
		                sizeof error->hint,
		                "Write a number from 0 to %d there.",
		                LENGTH_MAX);
		return false;
	}
	rule->digest = digest_find(parsed->parameter);
	if (rule->digest == NULL)
	{
		(void) env_fail(error,
		                "unrecognized hash algorithm \"%.*s\"",
		                (int) parsed->parameter.len,
		                parsed->parameter.data);
		(void) snprintf(
			error->hint, sizeof error->hint, "Available values: %s.", DIGEST_NAMES);
		return false;
	}
	rule->salt = slice_from(parsed->salt);
	rule->salt.data = alloc_copy(alloc, rule->salt);
	return true;
}

/* The property's name with dots. */
static const char *
canonical(const Parsed *parsed, const Alloc *alloc)
{
	const char *tail = parsed->salt == NULL ? "" : parsed->salt;
	const char *middle = parsed->salt == NULL ? parsed->family->suffix : with_salt;
	size_t size = strlen(parsed->family->prefix) + parsed->parameter.len +
	              strlen(middle) + strlen(tail) + 1;
	char *name = alloc_zero(alloc, size);

	(void) snprintf(name,
	                size,
	                "%s%.*s%s%s",
	                parsed->family->prefix,
	                (int) parsed->parameter.len,
	                parsed->parameter.data,
	                middle,
	                tail);
	return name;
}

bool
mask_set(MaskRules *rules, const char *name, const char *columns, const Alloc *alloc,
         EnvError *error)
{
	MaskRule rule = { .kind = MASK_CHARS };
	Parsed parsed;
	MaskRule *grown;
	size_t at = 0;

	if (!parse_property(name, &parsed))
		return env_fail(error, "unrecognized option \"%s\"", name);
	if (!fill_rule(&rule, &parsed, name, alloc, error))
		return false;
	rule.property = canonical(&parsed, alloc);
	if (!filter_compile(&rule.columns, columns, alloc, error))
		return false;
	while (at < rules->count && strcmp(rules->rules[at].property, rule.property) != 0)
		at++;
	if (at < rules->count)
	{
		filter_free(&rules->rules[at].columns);
		rules->rules[at] = rule;
		return true;
	}
	grown = alloc_zero(alloc, (rules->count + 1) * sizeof *grown);
	if (rules->count > 0)
		memcpy(grown, rules->rules, rules->count * sizeof *grown);
	grown[rules->count++] = rule;
	rules->rules = grown;
	return true;
}

void
mask_free(MaskRules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		filter_free(&rules->rules[i].columns);
	rules->count = 0;
}

/* ---- Rules as one text ---- */

void
mask_write(const MaskRules *rules, Buf *text)
{
	for (size_t i = 0; i < rules->count; i++)
	{
		counted_write(text, rules->rules[i].property);
		counted_write(text, rules->rules[i].columns.text);
	}
}

bool
mask_read(MaskRules *rules, const char *text, const Alloc *alloc, EnvError *error)
{
	while (*text != '\0')
	{
		const char *property = counted_read(&text, alloc);
		const char *columns = property == NULL ? NULL : counted_read(&text, alloc);

		if (columns == NULL)
		{
			(void) env_fail(error, "malformed list of column masks");
			(void) snprintf(error->hint,
			                sizeof error->hint,
			                "Write length:property length:columns for each mask, without "
			                "the space.");
			return false;
		}
		if (!mask_set(rules, property, columns, alloc, error))
			return false;
	}
	return true;
}

/* ---- Columns ---- */

ColumnMask
mask_find(const EnvOptions *options, const Relation *relation, uint16_t column)
{
	const RelationColumn *described = &relation->columns[column];
	FilterTable table = filter_table(options, relation);
	ColumnMask mask = { .rule = NULL };
	char name[FILTER_NAME_BYTES];
	bool in_key;

	if (options->masks.count == 0)
		return mask;
	(void) snprintf(
		name, sizeof name, "%s.%s.%s", table.schema, table.name, described->name);
	for (size_t i = 0; i < options->masks.count; i++)
	{
		const MaskRule *rule = &options->masks.rules[i];

		if ((mask.rule == NULL || rule->kind < mask.rule->kind) &&
		    filter_matches(&rule->columns, name))
			mask.rule = rule;
	}
	if (mask.rule == NULL)
		return mask;
	in_key = key_names(
		&options->message_key_columns, table.schema, table.name, described->name);
	for (uint16_t i = 0; i < relation->key_count; i++)
		in_key = in_key || relation->key[i] == column;
	mask.is_text = jdbc_is_character(described);
	mask.is_char = described->base_oid == TYPE_CHAR && mask.is_text;
	mask.at_source = mask.is_text && !in_key;
	mask.column_length = (uint32_t) jdbc_length(described);
	return mask;
}

/* ---- Text ---- */

/* How many bytes of text hold at most limit UTF-16 units; a surrogate pair stays whole.
 */
static size_t
units_prefix(Slice text, uint32_t limit)
{
	size_t at = 0;
	uint32_t units = 0;

	if (text.len <= limit)
		return text.len;
	while (at < text.len)
	{
		uint8_t first = (uint8_t) text.data[at];
		size_t length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;

		units += length == 4 ? 2 : 1;
		if (units > limit)
			return at;
		at += length;
	}
	return text.len;
}

/* The bytes of a code unit in Java's modified UTF-8. */
static void
add_unit(Digest *digest, unsigned unit)
{
	const char bytes[3] = { (char) (0xE0 | unit >> 12),
		                    (char) (0x80 | (unit >> 6 & 0x3F)),
		                    (char) (0x80 | (unit & 0x3F)) };

	digest_add(digest, (Slice){ bytes, sizeof bytes });
}

/* Characters beyond U+FFFF are two surrogates of three bytes each. */
static void
add_modified_utf8(Digest *digest, Slice text)
{
	size_t start = 0;

	for (size_t at = 0; at + 3 < text.len; at++)
	{
		unsigned point = (uint8_t) text.data[at] & 7;

		if ((uint8_t) text.data[at] < 0xF0)
			continue;
		for (size_t i = 1; i < 4; i++)
			point = point << 6 | ((uint8_t) text.data[at + i] & 0x3F);
		point -= 0x10000;
		digest_add(digest, (Slice){ text.data + start, at - start });
		add_unit(digest, 0xD800 + (point >> 10));
		add_unit(digest, 0xDC00 + (point & 0x3FF));
		start = at + 4;
		at += 3;
	}
	digest_add(digest, (Slice){ text.data + start, text.len - start });
}

/* What ObjectOutputStream writes before a String's bytes (Java Object Serialization
 * Specification, chapter 6): magic, version, TC_STRING or TC_LONGSTRING, length. */
static void
add_java_head(Digest *digest, Slice text)
{
	char head[13] = { (char) 0xAC, (char) 0xED, 0, 5 };
	uint64_t length = text.len;
	size_t used = 5;

	for (size_t i = 0; i < text.len; i++)
		length += (uint8_t) text.data[i] >= 0xF0 ? 2 : 0;
	head[4] = length > 0xFFFF ? 0x7C : 0x74;
	for (int shift = length > 0xFFFF ? 56 : 8; shift >= 0; shift -= 8)
		head[used++] = (char) (length >> shift);
	digest_add(digest, (Slice){ head, used });
}

/* Write the hash as hexadecimal digits, at most as many as the column is long. */
static size_t
hash_text(const ColumnMask *mask, Slice text, char hex[DIGEST_MAX_BYTES * 2])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t result[DIGEST_MAX_BYTES];
	Digest digest;
	size_t bytes;

	digest_start(&digest, mask->rule->digest);
	digest_add(&digest, mask->rule->salt);
	if (mask->rule->kind == MASK_HASH_V1)
	{
		add_java_head(&digest, text);
		add_modified_utf8(&digest, text);
	}
	else
		digest_add(&digest, text);
	bytes = digest_finish(&digest, result);
	for (size_t i = 0; i < bytes; i++)
	{
		hex[i * 2] = digits[result[i] >> 4];
		hex[i * 2 + 1] = digits[result[i] & 15];
	}
	bytes *= 2;
	return mask->column_length > 0 && bytes > mask->column_length ? mask->column_length
	                                                              : bytes;
}

void
mask_replace(Buf *buf, size_t start, const ColumnMask *mask)
{
	Slice text = { buf->data + start, buf->len - start };
	char hex[DIGEST_MAX_BYTES * 2];
	size_t length;

	if (mask->is_char && text.len == 1 && *text.data == '\0')
		text.len = 0;
	switch (mask->rule->kind)
	{
		case MASK_TRUNCATE:
			buf->len = start + units_prefix(text, mask->rule->length);
			return;
		case MASK_CHARS:
			buf->len = start;
			memset(buf_reserve(buf, mask->rule->length), '*', mask->rule->length);
			buf->len += mask->rule->length;
			return;
		case MASK_HASH_V1:
		case MASK_HASH_V2:
			length = hash_text(mask, text, hex);
			buf->len = start;
			buf_append(buf, hex, length);
			return;
	}
}

/* ---- JSON ---- */

static unsigned
read_unit(const char *at)
{
	unsigned unit = 0;

	for (int i = 0; i < 4; i++)
		unit =
			unit << 4 | (unsigned) (at[i] <= '9' ? at[i] - '0' : (at[i] | 32) - 'a' + 10);
	return unit;
}

static char *
put_point(char *to, unsigned point)
{
	if (point < 0x80)
	{
		*to++ = (char) point;
		return to;
	}
	if (point >= 0x10000)
	{
		*to++ = (char) (0xF0 | (point >> 18 & 7));
		*to++ = (char) (0x80 | (point >> 12 & 0x3F));
	}
	else
		*to++ = (char) (0xE0 | point >> 12); /* not of valid text */
	*to++ = (char) (0x80 | (point >> 6 & 0x3F));
	*to++ = (char) (0x80 | (point & 0x3F));
	return to;
}

/* Undo json_string, whose only \u escapes are controls and surrogate pairs. */
static size_t
unescape(const char *from, const char *end, char *to)
{
	static const char letters[] = "bfnrt";
	static const char controls[] = "\b\f\n\r\t";
	const char *start = to;

	while (from < end)
	{
		const char *letter;

		if (*from != '\\')
		{
			*to++ = *from++;
			continue;
		}
		letter = strchr(letters, from[1]);
		if (from[1] == 'u')
		{
			unsigned point = read_unit(from + 2);

			if (point >= 0xD800 && end - from >= 12 && from[6] == '\\' && from[7] == 'u')
			{
				point = 0x10000 + ((point - 0xD800) << 10) + read_unit(from + 8) - 0xDC00;
				from += 6;
			}
			to = put_point(to, point);
			from += 6;
			continue;
		}
		*to++ = letter != NULL ? controls[letter - letters] : from[1];
		from += 2;
	}
	return (size_t) (to - start);
}

void
mask_replace_json(Buf *buf, size_t start, const ColumnMask *mask)
{
	size_t len = buf->len - start;
	size_t middle;
	size_t plain;

	if (len < 2 || buf->data[start] != '"')
		return;
	if (mask->rule->kind == MASK_TRUNCATE && len - 2 <= mask->rule->length)
		return;
	/* the plain text goes behind the string, the new string behind that */
	(void) buf_reserve(buf, len);
	middle = buf->len;
	buf->len +=
		unescape(buf->data + start + 1, buf->data + middle - 1, buf->data + middle);
	mask_replace(buf, middle, mask);
	plain = buf->len;
	(void) buf_reserve(buf, (plain - middle) * 6 + 2);
	json_string(buf, (Slice){ buf->data + middle, plain - middle });
	memmove(buf->data + start, buf->data + plain, buf->len - plain);
	buf->len -= plain - start;
}
