/*
 * regex.c
 *		Java's regular expressions, as far as they are used to name tables.
 *
 * The program is an array of instructions with relative jumps, so that the code of a
 * part can be moved (to put a branch before it) and copied (to repeat it).  Matching
 * keeps the set of instructions that the text so far can have led to (K. Thompson,
 * "Regular Expression Search Algorithm", 1968).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/regex.h"

#include <stdio.h>

#define REGEX_STATES 8192      /* of a program; beyond that the expression is too large */
#define REGEX_GROUPS 50        /* one within another: the parser recurses over them */
#define REGEX_RANGES 32        /* of a class, beyond ASCII */
#define INVALID_BYTE 0x110000U /* added to a byte that is no UTF-8 */

typedef enum RegexOp
{
	REGEX_CHAR,  /* argument: the code point, an ASCII letter in lower case */
	REGEX_ANY,   /* no line end */
	REGEX_CLASS, /* argument: which */
	REGEX_START,
	REGEX_END,
	REGEX_FORK, /* the next one, and the one at argument from here */
	REGEX_JUMP, /* the one at argument from here */
	REGEX_MATCH,
} RegexOp;

typedef struct RegexState
{
	RegexOp op;
	int32_t argument;
} RegexState;

typedef struct RegexRange
{
	uint32_t first;
	uint32_t last;
} RegexRange;

typedef struct RegexClass
{
	bool ascii[128];
	bool negated;
	bool all_wide; /* everything beyond ASCII: \W and its like */
	RegexRange ranges[REGEX_RANGES];
	int range_count;
	const struct RegexClass *next; /* while parsing: the one before */
} RegexClass;

struct Regex
{
	int32_t count;
	RegexState *states;
	const RegexClass **classes;
};

typedef struct Parser
{
	const char *at;
	const char *whole; /* for messages */
	const Alloc *alloc;
	EnvError *error;
	int depth;      /* open groups */
	int32_t quoted; /* where the code of a quotation's last character starts, or -1 */
	int32_t count;
	RegexState states[REGEX_STATES];
	const RegexClass *classes; /* newest first */
	int32_t class_count;
} Parser;

/* ---- Errors; all return false ---- */

static bool
refuse(Parser *parser, const char *construct, size_t len)
{
	(void) env_fail(parser->error,
	                "regular expression \"%s\" uses \"%.*s\", which is not supported",
	                parser->whole,
	                (int) len,
	                construct);
	(void) snprintf(
		parser->error->hint,
		sizeof parser->error->hint,
		"Groups, alternatives, character classes, \\d \\w \\s and the quantifiers "
		"* + ? {n,m} are supported.");
	return false;
}

/* A brace that does not hold a quantifier, most likely for the comma in it. */
static bool
refuse_brace(Parser *parser)
{
	(void) refuse(parser, "{", 1);
	(void) snprintf(
		parser->error->hint,
		sizeof parser->error->hint,
		"A quantifier is {n}, {n,} or {n,m}, after what it repeats.  A list is cut at its "
		"commas: write {n\\,m} in one (with the backslash doubled in a file of "
		"properties), and \\{ for the character itself.");
	return false;
}

static bool
refuse_size(Parser *parser)
{
	(void) env_fail(
		parser->error, "regular expression \"%.100s\" is too large", parser->whole);
	(void) snprintf(parser->error->hint,
	                sizeof parser->error->hint,
	                "Write several expressions, separated by commas.");
	return false;
}

static bool
invalid(Parser *parser, const char *reason)
{
	(void) env_fail(
		parser->error, "invalid regular expression \"%s\": %s", parser->whole, reason);
	(void) snprintf(parser->error->hint,
	                sizeof parser->error->hint,
	                "Put a backslash before a character that stands for itself.");
	return false;
}

/* ---- Characters ---- */

/* The character at *at, which moves on. */
static uint32_t
next_char(const char **at)
{
	const uint8_t *bytes = (const uint8_t *) *at;
	uint32_t first = bytes[0];
	size_t length = first < 0x80                    ? 1
	                : first >= 0xC2 && first < 0xE0 ? 2
	                : first >= 0xE0 && first < 0xF0 ? 3
	                : first >= 0xF0 && first < 0xF5 ? 4
	                                                : 0;
	uint32_t value = length < 2 ? first : first & (0xFFU >> (length + 1));

	for (size_t i = 1; i < length; i++)
	{
		if ((bytes[i] & 0xC0) != 0x80)
			length = 0;
		else
			value = value << 6 | (bytes[i] & 0x3FU);
	}
	if (length == 0)
	{
		value = INVALID_BYTE + first;
		length = 1;
	}
	*at += length;
	return value;
}

static bool
is_letter(uint32_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80;
}

static bool
is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

static uint32_t
lower(uint32_t c)
{
	return is_letter(c) ? c | 0x20 : c;
}

/* The character that \c stands for; 0: none. */
static uint32_t
escaped_char(uint32_t c)
{
	static const char from[] = "tnrfae";
	static const char to[] = "\t\n\r\f\a\033";
	const char *found = c == 0 || c >= 0x80 ? NULL : strchr(from, (int) c);

	if (found != NULL)
		return (uint32_t) to[found - from];
	return is_letter(c) || is_digit(c) ? 0 : c;
}

/* ---- Code ---- */

static bool
emit(Parser *parser, RegexOp op, int32_t argument)
{
	if (parser->count == REGEX_STATES)
		return refuse_size(parser);
	parser->states[parser->count++] = (RegexState){ op, argument };
	return true;
}

/* Put a state before the code that starts at start. */
static bool
insert(Parser *parser, int32_t start, RegexOp op, int32_t argument)
{
	if (!emit(parser, REGEX_JUMP, 0))
		return false;
	memmove(&parser->states[start + 1],
	        &parser->states[start],
	        (size_t) (parser->count - 1 - start) * sizeof *parser->states);
	parser->states[start] = (RegexState){ op, argument };
	return true;
}

/* Append a copy of code. */
static bool
append(Parser *parser, const RegexState *code, int32_t count)
{
	for (int32_t i = 0; i < count; i++)
		if (!emit(parser, code[i].op, code[i].argument))
			return false;
	return true;
}

static bool
emit_class(Parser *parser, RegexClass *class)
{
	class->next = parser->classes;
	parser->classes = class;
	return emit(parser, REGEX_CLASS, parser->class_count++);
}

/* ---- Classes ---- */

/* Add \d \w \s or a complement to class; false when c is none of them. */
static bool
add_shorthand(RegexClass *class, uint32_t c)
{
	uint32_t kind = lower(c);

	if (kind != 'd' && kind != 'w' && kind != 's')
		return false;
	for (uint32_t i = 0; i < 128; i++)
	{
		bool in = kind == 's' ? i == ' ' || (i >= '\t' && i <= '\r') : is_digit(i);

		if (kind == 'w')
			in = in || is_letter(i) || i == '_';
		if (in == (c == kind))
			class->ascii[i] = true;
	}
	class->all_wide = class->all_wide || c != kind;
	return true;
}

/* Read one member; *single is false when it cannot start a range: a shorthand. */
static bool
class_member(Parser *parser, RegexClass *class, uint32_t *member, bool *single)
{
	const char *start = parser->at;

	*single = true;
	if (*start == '[' || strncmp(start, "&&", 2) == 0)
		return refuse(parser, start, *start == '[' ? 1 : 2);
	*member = next_char(&parser->at);
	if (*start != '\\')
		return true;
	start = parser->at;
	if (*start == '\0')
		return invalid(parser, "a backslash at its end");
	*member = next_char(&parser->at);
	if (add_shorthand(class, *member))
	{
		*single = false;
		return true;
	}
	*member = escaped_char(*member);
	return *member != 0 || refuse(parser, start - 1, 2);
}

static bool
add_range(Parser *parser, RegexClass *class, uint32_t first, uint32_t last)
{
	for (uint32_t c = first; c <= last && c < 128; c++)
		class->ascii[c] = true;
	if (last < 128)
		return true;
	if (class->range_count == REGEX_RANGES)
		return refuse_size(parser);
	class->ranges[class->range_count++] = (RegexRange){ first < 128 ? 128 : first, last };
	return true;
}

/* After the opening bracket. */
static bool
parse_class(Parser *parser)
{
	RegexClass *class = alloc_zero(parser->alloc, sizeof *class);
	const char *start = parser->at - 1;

	if (*parser->at == '^')
	{
		class->negated = true;
		parser->at++;
	}
	if (*parser->at == ']')
		return refuse(parser, start, (size_t) (parser->at - start + 1));
	while (*parser->at != ']')
	{
		const char *from = parser->at;
		uint32_t first;
		uint32_t last;
		bool single;

		if (*parser->at == '\0')
			return invalid(parser, "it has an unclosed character class");
		if (!class_member(parser, class, &first, &single))
			return false;
		if (!single)
			continue;
		last = first;
		if (*parser->at == '-' && parser->at[1] != ']' && parser->at[1] != '\0')
		{
			parser->at++;
			if (!class_member(parser, class, &last, &single))
				return false;
			if (!single || last < first)
				return refuse(parser, from, (size_t) (parser->at - from));
		}
		if (!add_range(parser, class, first, last))
			return false;
	}
	parser->at++;
	return emit_class(parser, class);
}

static bool
in_class(const RegexClass *class, uint32_t c)
{
	bool in;

	if (c < 128)
		in = class->ascii[c] || (is_letter(c) && class->ascii[c ^ 0x20]);
	else
	{
		in = class->all_wide;
		for (int i = 0; i < class->range_count; i++)
			in = in || (c >= class->ranges[i].first && c <= class->ranges[i].last);
	}
	return in != class->negated;
}

/* ---- Expressions ---- */

static bool parse_alternatives(Parser *parser);

static bool
parse_quoted(Parser *parser)
{
	while (*parser->at != '\0' && strncmp(parser->at, "\\E", 2) != 0)
	{
		parser->quoted = parser->count;
		if (!emit(parser, REGEX_CHAR, (int32_t) lower(next_char(&parser->at))))
			return false;
	}
	if (*parser->at != '\0')
		parser->at += 2;
	return true;
}

/* After the backslash. */
static bool
parse_escape(Parser *parser)
{
	const char *start = parser->at - 1;
	RegexClass shorthand = { .negated = false };
	uint32_t c;

	if (*parser->at == '\0')
		return invalid(parser, "a backslash at its end");
	c = next_char(&parser->at);
	if (c == 'Q')
		return parse_quoted(parser);
	if (add_shorthand(&shorthand, c))
	{
		RegexClass *class = alloc_zero(parser->alloc, sizeof *class);

		*class = shorthand;
		return emit_class(parser, class);
	}
	c = escaped_char(c);
	if (c == 0)
		return refuse(parser, start, 2);
	return emit(parser, REGEX_CHAR, (int32_t) lower(c));
}

/* After the opening parenthesis. */
static bool
/* NOLINTNEXTLINE(misc-no-recursion): bounded by REGEX_GROUPS */
parse_group(Parser *parser)
{
	const char *start = parser->at - 1;

	if (++parser->depth > REGEX_GROUPS)
		return refuse_size(parser);
	if (*parser->at == '?')
	{
		if (parser->at[1] != ':')
			return refuse(parser, start, parser->at[1] == '\0' ? 2 : 3);
		parser->at += 2;
	}
	/* so that the empty group is something, which repeating counts */
	if (!emit(parser, REGEX_JUMP, 1) || !parse_alternatives(parser))
		return false;
	if (*parser->at != ')')
		return invalid(parser, "a group is not closed");
	parser->at++;
	parser->depth--;
	parser->quoted = -1;
	return true;
}

static bool
/* NOLINTNEXTLINE(misc-no-recursion): bounded by REGEX_GROUPS */
parse_atom(Parser *parser)
{
	uint32_t c = next_char(&parser->at);

	switch (c)
	{
		case '\\':
			return parse_escape(parser);
		case '[':
			return parse_class(parser);
		case '(':
			return parse_group(parser);
		case '.':
			return emit(parser, REGEX_ANY, 0);
		case '^':
			return emit(parser, REGEX_START, 0);
		case '$':
			return emit(parser, REGEX_END, 0);
		case '*':
		case '+':
		case '?':
			return invalid(parser, "a quantifier follows nothing");
		case '{':
			return refuse_brace(parser);
		default:
			return emit(parser, REGEX_CHAR, (int32_t) lower(c));
	}
}

typedef struct Quantifier
{
	int32_t least;
	int32_t most; /* -1: any number */
} Quantifier;

/* A number in braces; one that no program could hold is -1. */
static int32_t
read_count(const char **at)
{
	int32_t count = 0;

	for (; is_digit((uint8_t) * *at); ++*at)
		if (count >= 0)
			count =
				count * 10 + (**at - '0') > REGEX_STATES ? -1 : count * 10 + (**at - '0');
	return count;
}

/* After the opening brace. */
static bool
read_braces(Parser *parser, Quantifier *quantifier)
{
	const char *at = parser->at;

	if (!is_digit((uint8_t) *at))
		return refuse_brace(parser);
	quantifier->least = quantifier->most = read_count(&at);
	if (*at == ',')
	{
		at++;
		quantifier->most = *at == '}' ? -1 : read_count(&at);
		if (at[-1] != ',' && quantifier->most < 0)
			return refuse_size(parser);
	}
	if (*at != '}')
		return refuse_brace(parser);
	if (quantifier->least < 0)
		return refuse_size(parser);
	if (quantifier->most >= 0 && quantifier->most < quantifier->least)
		return invalid(parser, "a repetition whose bounds are out of order");
	parser->at = at + 1;
	return true;
}

/* Read the quantifier after an atom, if there is one. */
static bool
read_quantifier(Parser *parser, Quantifier *quantifier)
{
	const char *start = parser->at;

	*quantifier = (Quantifier){ 1, 1 };
	if (*start == '\0' || strchr("*+?{", *start) == NULL)
		return true;
	parser->at++;
	quantifier->least = *start == '+';
	quantifier->most = *start == '?' ? 1 : -1;
	if (*start == '{' && !read_braces(parser, quantifier))
		return false;
	if (*parser->at == '+')
		return refuse(parser, start, (size_t) (parser->at - start + 1));
	if (*parser->at == '?') /* reluctant: the same when the whole must match */
		parser->at++;
	if (*parser->at != '\0' && strchr("*+?{", *parser->at) != NULL)
		return invalid(parser, "a quantifier follows another");
	return true;
}

/* Repeat the code from start on, which is one atom. */
static bool
repeat(Parser *parser, int32_t start, const Quantifier *quantifier)
{
	int32_t len = parser->count - start;
	int32_t copies = quantifier->most < 0 ? quantifier->least : quantifier->most;
	int32_t last;

	if (quantifier->most == 0)
	{
		parser->count = start;
		return emit(parser, REGEX_JUMP, 1);
	}
	for (int32_t i = 1; i < copies; i++)
		if (!append(parser, &parser->states[start], len))
			return false;
	last = parser->count - len;
	if (quantifier->most < 0)
	{
		/* x+ is x and a branch back; x* has one around it as well */
		if (!emit(parser, REGEX_FORK, 2) || !emit(parser, REGEX_JUMP, -len - 1))
			return false;
		return quantifier->least > 0 || insert(parser, last, REGEX_FORK, len + 3);
	}
	/* each of the optional ones may be left out, the last first: offsets stay right */
	for (int32_t i = quantifier->most; i > quantifier->least; i--, last -= len)
		if (!insert(parser, last, REGEX_FORK, len + 1))
			return false;
	return true;
}

static bool
/* NOLINTNEXTLINE(misc-no-recursion): bounded by REGEX_GROUPS */
parse_sequence(Parser *parser)
{
	while (*parser->at != '\0' && *parser->at != '|' && *parser->at != ')')
	{
		int32_t start = parser->count;
		Quantifier quantifier;

		parser->quoted = -1;
		if (!parse_atom(parser) || !read_quantifier(parser, &quantifier))
			return false;
		if (parser->quoted >= 0)
			start = parser->quoted;
		if ((quantifier.least != 1 || quantifier.most != 1) &&
		    !repeat(parser, start, &quantifier))
			return false;
	}
	return true;
}

static bool
/* NOLINTNEXTLINE(misc-no-recursion): bounded by REGEX_GROUPS */
parse_alternatives(Parser *parser)
{
	int32_t last_jump = -1; /* each holds the place of the one before */

	for (;;)
	{
		int32_t start = parser->count;

		if (!parse_sequence(parser))
			return false;
		if (*parser->at != '|')
			break;
		parser->at++;
		if (!insert(parser, start, REGEX_FORK, parser->count - start + 2) ||
		    !emit(parser, REGEX_JUMP, last_jump))
			return false;
		last_jump = parser->count - 1;
	}
	while (last_jump >= 0)
	{
		int32_t before = parser->states[last_jump].argument;

		parser->states[last_jump].argument = parser->count - last_jump;
		last_jump = before;
	}
	return true;
}

static Regex *
finish(const Parser *parser)
{
	const Alloc *alloc = parser->alloc;
	Regex *regex = alloc_zero(alloc, sizeof *regex);
	size_t bytes = (size_t) parser->count * sizeof *regex->states;
	int32_t class_at = parser->class_count;

	regex->count = parser->count;
	regex->states = memcpy(alloc_zero(alloc, bytes), parser->states, bytes);
	regex->classes = alloc_zero(alloc, ((size_t) class_at + 1) * sizeof *regex->classes);
	for (const RegexClass *class = parser->classes; class != NULL; class = class->next)
		regex->classes[--class_at] = class;
	return regex;
}

Regex *
regex_compile(const char *text, const Alloc *alloc, EnvError *error)
{
	Parser parser;

	for (const char *at = text; *at != '\0';)
		if (next_char(&at) >= INVALID_BYTE)
		{
			(void) env_fail(error, "regular expression \"%s\" is not valid UTF-8", text);
			(void) snprintf(
				error->hint, sizeof error->hint, "Names are matched in UTF-8.");
			return NULL;
		}
	parser.at = strncmp(text, "(?i)", 4) == 0 ? text + 4 : text; /* always so */
	parser.whole = text;
	parser.alloc = alloc;
	parser.error = error;
	parser.depth = 0;
	parser.count = 0;
	parser.classes = NULL;
	parser.class_count = 0;
	if (!parse_alternatives(&parser))
		return NULL;
	if (*parser.at == ')')
	{
		(void) invalid(&parser, "a group is closed that was not opened");
		return NULL;
	}
	if (!emit(&parser, REGEX_MATCH, 0))
		return NULL;
	return finish(&parser);
}

/* ---- Matching ---- */

/* A set of states: in the order they were added, and by number. */
typedef struct StateSet
{
	int32_t count;
	int32_t items[REGEX_STATES];
	uint8_t has[REGEX_STATES / 8];
} StateSet;

static void
set_add(StateSet *set, int32_t state)
{
	uint8_t bit = (uint8_t) (1U << (state % 8));

	if ((set->has[state / 8] & bit) != 0)
		return;
	set->has[state / 8] |= bit;
	set->items[set->count++] = state;
}

/* Add what can be reached without a character: the set grows while it is walked. */
static void
follow(const Regex *regex, StateSet *set, bool at_start, bool at_end)
{
	for (int32_t i = 0; i < set->count; i++)
	{
		int32_t place = set->items[i];
		const RegexState *state = &regex->states[place];

		if (state->op == REGEX_FORK || (state->op == REGEX_START && at_start) ||
		    (state->op == REGEX_END && at_end))
			set_add(set, place + 1);
		if (state->op == REGEX_FORK || state->op == REGEX_JUMP)
			set_add(set, place + state->argument);
	}
}

static bool
is_line_end(uint32_t c)
{
	return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static bool
accepts(const Regex *regex, const RegexState *state, uint32_t c)
{
	switch (state->op)
	{
		case REGEX_CHAR:
			return (uint32_t) state->argument == lower(c);
		case REGEX_ANY:
			return !is_line_end(c);
		case REGEX_CLASS:
			return in_class(regex->classes[state->argument], c);
		default:
			return false;
	}
}

static void
set_clear(StateSet *set, int32_t states)
{
	set->count = 0;
	memset(set->has, 0, ((size_t) states + 7) / 8);
}

bool
regex_matches(const Regex *regex, const char *text)
{
	StateSet sets[2];
	StateSet *now = &sets[0];
	StateSet *next = &sets[1];

	set_clear(now, regex->count);
	set_add(now, 0);
	follow(regex, now, true, *text == '\0');
	while (*text != '\0' && now->count > 0)
	{
		uint32_t c = next_char(&text);
		StateSet *swap = now;

		set_clear(next, regex->count);
		for (int32_t i = 0; i < now->count; i++)
			if (accepts(regex, &regex->states[now->items[i]], c))
				set_add(next, now->items[i] + 1);
		follow(regex, next, false, *text == '\0');
		now = next;
		next = swap;
	}
	for (int32_t i = 0; i < now->count; i++)
		if (*text == '\0' && regex->states[now->items[i]].op == REGEX_MATCH)
			return true;
	return false;
}
