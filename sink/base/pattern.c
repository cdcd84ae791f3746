/*
 * pattern.c
 *		from the text of a regular expression to a program.
 *
 * The text is read into a tree, the tree is printed as code for the backtracking
 * machine of pattern_run.c.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/pattern.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/pattern_state.h"

#define MAX_REPEAT 1000
#define MAX_CODE   20000
#define MAX_DEPTH  100
#define UNBOUNDED  UINT32_MAX

typedef enum NodeKind
{
	NODE_EMPTY,
	NODE_LEAF,   /* code */
	NODE_CAT,    /* left, then right */
	NODE_ALT,    /* left, else right */
	NODE_GROUP,  /* left, captured as group number min */
	NODE_REPEAT, /* left, min to max times */
	NODE_SUB,    /* left, below code */
} NodeKind;

typedef struct Node
{
	NodeKind kind;
	PatternCode code;
	const struct Node *left;
	const struct Node *right;
	uint32_t min;
	uint32_t max;
	bool reluctant;
} Node;

typedef struct Compiler
{
	Arena *arena;
	Pattern *pattern;
	const char *at;
	const char *end;
	bool fold;
	bool dot_all;
	int depth;
	uint32_t group_total; /* counted beforehand, for back references */
	size_t code_count;
	Err *err;
} Compiler;

uint32_t
pattern_group(const Pattern *pattern, const char *name, size_t len)
{
	for (size_t i = 0; i < pattern->name_count; i++)
		if (strncmp(pattern->names[i].name, name, len) == 0 &&
		    pattern->names[i].name[len] == '\0')
			return pattern->names[i].group;
	return 0;
}

static Node *
refuse(Compiler *compiler, const char *from, size_t len)
{
	size_t left = (size_t) (compiler->end - from);

	(void) fail(compiler->err,
	            ERR_CONFIG,
	            "regular expression \"%s\" uses \"%.*s\", which is not supported",
	            compiler->pattern->text,
	            (int) (len < left ? len : left),
	            from);
	(void) fail_hint(compiler->err,
	                 "Groups, alternatives, character classes, \\d \\w \\s, quantifiers, "
	                 "lookahead and back references are supported.");
	return NULL;
}

static Node *
invalid(Compiler *compiler, const char *why)
{
	(void) fail(compiler->err,
	            ERR_CONFIG,
	            "invalid regular expression \"%s\": %s",
	            compiler->pattern->text,
	            why);
	return NULL;
}

static Node *
new_node(Compiler *compiler, NodeKind kind, const Node *left, const Node *right)
{
	Node *node = arena_zero(compiler->arena, sizeof *node);

	node->kind = kind;
	node->left = left;
	node->right = right;
	return node;
}

static Node *
leaf(Compiler *compiler, PatternOp op, uint32_t a)
{
	Node *node = new_node(compiler, NODE_LEAF, NULL, NULL);

	node->code =
		(PatternCode){ .op = op, .a = a, .fold = compiler->fold && op == OP_CHAR };
	return node;
}

/* ---- Classes ---- */

typedef struct SetBuilder
{
	PatternRange ranges[256];
	size_t count;
} SetBuilder;

static bool
add_range(Compiler *compiler, SetBuilder *set, uint32_t first, uint32_t last)
{
	if (set->count == sizeof set->ranges / sizeof *set->ranges)
		return invalid(compiler, "a character class is too large") != NULL;
	set->ranges[set->count++] = (PatternRange){ first, last };
	return true;
}

/* What \d \w \s stand for; the count of ranges, 0 when c is none of these. */
static size_t
shorthand(char c, const PatternRange **ranges)
{
	static const PatternRange digits[] = { { '0', '9' } };
	static const PatternRange words[] = {
		{ '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' }
	};
	static const PatternRange spaces[] = { { '\t', '\r' }, { ' ', ' ' } };

	switch (c | 0x20)
	{
		case 'd':
			*ranges = digits;
			return 1;
		case 'w':
			*ranges = words;
			return 4;
		case 's':
			*ranges = spaces;
			return 2;
		default:
			return 0;
	}
}

static bool
add_shorthand(Compiler *compiler, SetBuilder *set, char c)
{
	const PatternRange *ranges = NULL;
	size_t count = shorthand(c, &ranges);
	uint32_t next = 0;

	if ((c & 0x20) != 0)
	{
		for (size_t i = 0; i < count; i++)
			if (!add_range(compiler, set, ranges[i].first, ranges[i].last))
				return false;
		return true;
	}
	for (size_t i = 0; i < count; i++)
	{
		if (!add_range(compiler, set, next, ranges[i].first - 1))
			return false;
		next = ranges[i].last + 1;
	}
	return add_range(compiler, set, next, UINT32_MAX);
}

static Node *
set_node(Compiler *compiler, const SetBuilder *builder, bool negated)
{
	Node *node = leaf(compiler, OP_CLASS, 0);
	PatternSet *set = arena_zero(compiler->arena, sizeof *set);

	set->ranges =
		arena_alloc(compiler->arena, (builder->count + 1) * sizeof *set->ranges);
	memcpy(set->ranges, builder->ranges, builder->count * sizeof *set->ranges);
	set->count = builder->count;
	set->negated = negated;
	node->code.set = set;
	node->code.fold = compiler->fold;
	return node;
}

static bool
read_hex(Compiler *compiler, int digits, uint32_t *c)
{
	*c = 0;
	for (int i = 0; i < digits; i++, compiler->at++)
	{
		static const char hex[] = "0123456789abcdef";
		char digit = compiler->at == compiler->end ? '\0' : *compiler->at;
		const char *found =
			digit == '\0'
				? NULL
				: strchr(hex, digit >= 'A' && digit <= 'F' ? digit | 0x20 : digit);

		if (found == NULL)
			return false;
		*c = *c << 4 | (uint32_t) (found - hex);
	}
	return true;
}

/* The character that an escape stands for, after the backslash. */
static bool
escaped_char(Compiler *compiler, uint32_t *c)
{
	static const char letters[] = "tnrfae";
	static const char chars[] = "\t\n\r\f\a\033";
	const char *start = compiler->at - 1;
	const char *found;

	if (compiler->at == compiler->end)
		return invalid(compiler, "it ends in a backslash") != NULL;
	*c = pattern_char(&compiler->at, compiler->end);
	if (*c == 'x' || *c == 'u')
		return read_hex(compiler, *c == 'x' ? 2 : 4, c) ||
		       invalid(compiler, "it has an escape without its hexadecimal digits") !=
		           NULL;
	found = *c != 0 && *c < 0x80 ? strchr(letters, (int) *c) : NULL;
	if (found != NULL)
	{
		*c = (uint32_t) chars[found - letters];
		return true;
	}
	if ((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z'))
		return refuse(compiler, start, 2) != NULL;
	return true;
}

/* One member of a class; *is_char is unset when it was \d or the like. */
static bool
class_member(Compiler *compiler, SetBuilder *set, uint32_t *c, bool *is_char)
{
	const PatternRange *ranges;
	const char *start = compiler->at;

	*is_char = true;
	*c = pattern_char(&compiler->at, compiler->end);
	if (*c == '[' || (*c == '&' && compiler->at < compiler->end && *compiler->at == '&'))
		return refuse(compiler, start, *c == '[' ? 1 : 2) != NULL;
	if (*c != '\\')
		return true;
	if (compiler->at < compiler->end && shorthand(*compiler->at, &ranges) > 0)
	{
		*is_char = false;
		return add_shorthand(compiler, set, *compiler->at++);
	}
	return escaped_char(compiler, c);
}

/* After the opening bracket. */
static Node *
parse_class(Compiler *compiler)
{
	SetBuilder set = { .count = 0 };
	bool negated = compiler->at < compiler->end && *compiler->at == '^';
	bool any = false;

	compiler->at += negated;
	while (compiler->at < compiler->end && (*compiler->at != ']' || !any))
	{
		const char *start = compiler->at;
		uint32_t first;
		uint32_t last;
		bool is_char;

		any = true;
		if (!class_member(compiler, &set, &first, &is_char))
			return NULL;
		last = first;
		if (is_char && compiler->end - compiler->at >= 2 && compiler->at[0] == '-' &&
		    compiler->at[1] != ']')
		{
			compiler->at++;
			if (!class_member(compiler, &set, &last, &is_char))
				return NULL;
			if (!is_char || last < first)
				return refuse(compiler, start, (size_t) (compiler->at - start));
		}
		if (is_char && !add_range(compiler, &set, first, last))
			return NULL;
	}
	if (compiler->at == compiler->end)
		return invalid(compiler, "a character class is not closed");
	compiler->at++;
	return set_node(compiler, &set, negated);
}

/* ---- Atoms ---- */

/* \k<name>, after the k. */
static Node *
parse_named_reference(Compiler *compiler)
{
	const char *start = compiler->at;
	const char *close = memchr(start, '>', (size_t) (compiler->end - start));
	uint32_t group;

	if (compiler->at == compiler->end || *start != '<' || close == NULL)
		return refuse(compiler, start - 2, 2);
	group = pattern_group(compiler->pattern, start + 1, (size_t) (close - start - 1));
	if (group == 0)
		return invalid(compiler, "a back reference names no group before it");
	compiler->at = close + 1;
	return leaf(compiler, OP_BACK, group);
}

/* \Q...\E, after the Q. */
static Node *
parse_quoted(Compiler *compiler)
{
	Node *all = new_node(compiler, NODE_EMPTY, NULL, NULL);

	while (compiler->at < compiler->end)
	{
		if (compiler->end - compiler->at >= 2 && memcmp(compiler->at, "\\E", 2) == 0)
		{
			compiler->at += 2;
			break;
		}
		all =
			new_node(compiler,
		             NODE_CAT,
		             all,
		             leaf(compiler, OP_CHAR, pattern_char(&compiler->at, compiler->end)));
	}
	return all;
}

/* After the backslash. */
static Node *
parse_escape(Compiler *compiler)
{
	static const struct
	{
		char letter;
		PatternOp op;
		uint32_t a;
	} places[] = { { 'A', OP_LINE_BEGIN, 0 },
		           { 'Z', OP_LINE_END, 0 },
		           { 'z', OP_END, 0 },
		           { 'b', OP_WORD, 1 },
		           { 'B', OP_WORD, 0 } };
	char c = compiler->at == compiler->end ? '\0' : *compiler->at;
	const PatternRange *ranges;
	uint32_t value;

	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (c == places[i].letter)
		{
			compiler->at++;
			return leaf(compiler, places[i].op, places[i].a);
		}
	if (c != '\0' && shorthand(c, &ranges) > 0)
	{
		SetBuilder set = { .count = 0 };

		compiler->at++;
		return add_shorthand(compiler, &set, c) ? set_node(compiler, &set, false) : NULL;
	}
	if (c == 'Q' || c == 'k')
	{
		compiler->at++;
		return c == 'Q' ? parse_quoted(compiler) : parse_named_reference(compiler);
	}
	if (c >= '1' && c <= '9')
	{
		/* as many digits as there are groups for */
		uint32_t group = (uint32_t) (*compiler->at++ - '0');

		while (compiler->at < compiler->end && *compiler->at >= '0' &&
		       *compiler->at <= '9' &&
		       group * 10 + (uint32_t) (*compiler->at - '0') <= compiler->group_total)
			group = group * 10 + (uint32_t) (*compiler->at++ - '0');
		if (group > compiler->group_total)
			return invalid(compiler, "a back reference names no group");
		return leaf(compiler, OP_BACK, group);
	}
	return escaped_char(compiler, &value) ? leaf(compiler, OP_CHAR, value) : NULL;
}

static const Node *parse_alternatives(Compiler *compiler);

/* To the closing parenthesis. */
static const Node *
parse_inside(Compiler *compiler)
{
	const Node *inside;

	if (++compiler->depth > MAX_DEPTH)
		return invalid(compiler, "groups are nested too deeply");
	inside = parse_alternatives(compiler);
	compiler->depth--;
	if (inside == NULL)
		return NULL;
	if (compiler->at == compiler->end)
		return invalid(compiler, "a group is not closed");
	compiler->at++;
	return inside;
}

static Node *
parse_capture(Compiler *compiler, const char *name)
{
	Node *group = new_node(compiler, NODE_GROUP, NULL, NULL);

	group->min = ++compiler->pattern->groups;
	if (name != NULL)
		compiler->pattern->names[compiler->pattern->name_count++] =
			(PatternName){ name, group->min };
	group->left = parse_inside(compiler);
	return group->left == NULL ? NULL : group;
}

static Node *
parse_sub(Compiler *compiler, PatternOp op, uint32_t a)
{
	Node *node = new_node(compiler, NODE_SUB, NULL, NULL);

	node->code = (PatternCode){ .op = op, .a = a };
	node->left = parse_inside(compiler);
	return node->left == NULL ? NULL : node;
}

/* (?<name>...), at the name. */
static Node *
parse_named(Compiler *compiler)
{
	const char *start = compiler->at;
	const char *at = start;
	char *name;

	while (at < compiler->end &&
	       ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
	        (at > start && *at >= '0' && *at <= '9')))
		at++;
	if (at == start || at == compiler->end || *at != '>')
		return invalid(compiler, "a group's name is not letters and digits");
	name = arena_strndup(compiler->arena, start, (size_t) (at - start));
	if (pattern_group(compiler->pattern, name, strlen(name)) != 0)
		return invalid(compiler, "two groups have one name");
	compiler->at = at + 1;
	return parse_capture(compiler, name);
}

/* (?i), (?s-i:...), at the flags. */
static const Node *
parse_flags(Compiler *compiler)
{
	const char *start = compiler->at - 2;
	bool fold = compiler->fold;
	bool dot_all = compiler->dot_all;
	bool on = true;
	for (; compiler->at < compiler->end && strchr(":)", *compiler->at) == NULL;
	     compiler->at++)
	{
		if (*compiler->at == '-' && on)
			on = false;
		else if (*compiler->at == 'i')
			fold = on;
		else if (*compiler->at == 's')
			dot_all = on;
		else
			return refuse(compiler, start, (size_t) (compiler->at - start + 1));
	}
	if (compiler->at == compiler->end)
		return invalid(compiler, "a group is not closed");
	if (*compiler->at++ == ')')
	{
		compiler->fold = fold;
		compiler->dot_all = dot_all;
		return new_node(compiler, NODE_EMPTY, NULL, NULL);
	}
	compiler->fold = fold;
	compiler->dot_all = dot_all;
	return parse_inside(compiler);
}

/* After the opening parenthesis.  Flags set inside end with the group. */
static const Node *
parse_group(Compiler *compiler)
{
	bool fold = compiler->fold;
	bool dot_all = compiler->dot_all;
	const char *at = compiler->at;
	size_t left = (size_t) (compiler->end - at);
	const Node *node;

	if (left < 2 || at[0] != '?')
		node = parse_capture(compiler, NULL);
	else
	{
		compiler->at += 2;
		switch (at[1])
		{
			case ':':
				node = parse_inside(compiler);
				break;
			case '=':
			case '!':
				node = parse_sub(compiler, OP_LOOK, at[1] == '!');
				break;
			case '>':
				node = parse_sub(compiler, OP_ATOMIC, 0);
				break;
			case '<':
				if (left > 2 && (at[2] == '=' || at[2] == '!'))
					return refuse(compiler, at - 1, 4);
				node = parse_named(compiler);
				break;
			default:
				compiler->at--;
				node = parse_flags(compiler);
				if (node != NULL && node->kind == NODE_EMPTY && compiler->at[-1] == ')')
					return node; /* (?i): to the end of the group around */
				break;
		}
	}
	compiler->fold = fold;
	compiler->dot_all = dot_all;
	return node;
}

static const Node *
parse_atom(Compiler *compiler)
{
	uint32_t c = pattern_char(&compiler->at, compiler->end);

	switch (c)
	{
		case '\\':
			return parse_escape(compiler);
		case '[':
			return parse_class(compiler);
		case '(':
			return parse_group(compiler);
		case '.':
			return leaf(compiler, OP_ANY, compiler->dot_all);
		case '^':
			return leaf(compiler, OP_LINE_BEGIN, 0);
		case '$':
			return leaf(compiler, OP_LINE_END, 0);
		case '*':
		case '+':
		case '?':
		case '{':
			return invalid(compiler, "a quantifier follows nothing");
		default:
			return leaf(compiler, OP_CHAR, c);
	}
}

/* ---- Quantifiers, sequences, alternatives ---- */

static bool
read_count(Compiler *compiler, uint32_t *count)
{
	const char *start = compiler->at;

	*count = 0;
	while (compiler->at < compiler->end && *compiler->at >= '0' && *compiler->at <= '9' &&
	       *count <= MAX_REPEAT)
		*count = *count * 10 + (uint32_t) (*compiler->at++ - '0');
	return compiler->at > start && *count <= MAX_REPEAT;
}

/* {n}, {n,}, {n,m}, after the brace. */
static bool
read_bounds(Compiler *compiler, uint32_t *min, uint32_t *max)
{
	if (!read_count(compiler, min))
		return false;
	*max = *min;
	if (compiler->at < compiler->end && *compiler->at == ',')
	{
		compiler->at++;
		*max = UNBOUNDED;
		if (compiler->at < compiler->end && *compiler->at != '}' &&
		    !read_count(compiler, max))
			return false;
	}
	return compiler->at < compiler->end && *compiler->at++ == '}' && *max >= *min;
}

/* The quantifiers that follow atom. */
static const Node *
parse_quantifier(Compiler *compiler, const Node *atom)
{
	Node *repeat;
	char c = compiler->at == compiler->end ? '\0' : *compiler->at;

	if (c == '\0' || strchr("*+?{", c) == NULL)
		return atom;
	compiler->at++;
	repeat = new_node(compiler, NODE_REPEAT, atom, NULL);
	repeat->min = c == '+';
	repeat->max = c == '?' ? 1 : UNBOUNDED;
	if (c == '{' && !read_bounds(compiler, &repeat->min, &repeat->max))
		return invalid(compiler, "the bounds of a quantifier are wrong or above 1000");
	if (compiler->at < compiler->end && *compiler->at == '?')
	{
		compiler->at++;
		repeat->reluctant = true;
	}
	else if (compiler->at < compiler->end && *compiler->at == '+')
	{
		Node *atomic = new_node(compiler, NODE_SUB, repeat, NULL);

		compiler->at++;
		atomic->code = (PatternCode){ .op = OP_ATOMIC };
		return atomic;
	}
	return repeat;
}

static const Node *
parse_sequence(Compiler *compiler)
{
	const Node *all = NULL;

	while (compiler->at < compiler->end && *compiler->at != '|' && *compiler->at != ')')
	{
		const Node *atom = parse_atom(compiler);

		if (atom != NULL)
			atom = parse_quantifier(compiler, atom);
		if (atom == NULL)
			return NULL;
		all = all == NULL ? atom : new_node(compiler, NODE_CAT, all, atom);
	}
	return all != NULL ? all : new_node(compiler, NODE_EMPTY, NULL, NULL);
}

static const Node *
parse_alternatives(Compiler *compiler)
{
	const Node *first = parse_sequence(compiler);
	Node *all;

	if (first == NULL || compiler->at == compiler->end || *compiler->at != '|')
		return first;
	compiler->at++;
	all = new_node(compiler, NODE_ALT, first, NULL);
	if (++compiler->depth > MAX_DEPTH)
		return invalid(compiler, "there are too many alternatives");
	all->right = parse_alternatives(compiler);
	compiler->depth--;
	return all->right == NULL ? NULL : all;
}

/* ---- Code ---- */

/* Append one instruction; its place.  Beyond the limit the last one is overwritten. */
static uint32_t
emit(Compiler *compiler, PatternCode code)
{
	size_t at = compiler->code_count < MAX_CODE ? compiler->code_count++ : MAX_CODE - 1;

	compiler->pattern->code[at] = code;
	return (uint32_t) at;
}

static uint32_t
emit_op(Compiler *compiler, PatternOp op, uint32_t a, uint32_t b)
{
	return emit(compiler, (PatternCode){ .op = op, .a = a, .b = b });
}

static uint32_t
here(const Compiler *compiler)
{
	return (uint32_t) compiler->code_count;
}

static void emit_node(Compiler *compiler, const Node *node);

/* Decide at split between what follows it and what is here now. */
static void
close_split(Compiler *compiler, uint32_t split, bool reluctant)
{
	PatternCode *code = &compiler->pattern->code[split];

	code->a = reluctant ? here(compiler) : split + 1;
	code->b = reluctant ? split + 1 : here(compiler);
}

/* x{n,}: a loop, left as well when the body consumed nothing. */
static void
emit_loop(Compiler *compiler, const Node *node)
{
	uint32_t slot = compiler->pattern->slots++;
	uint32_t split;
	uint32_t check;

	for (uint32_t i = 0; i < node->min && compiler->code_count < MAX_CODE; i++)
		emit_node(compiler, node->left);
	split = emit_op(compiler, OP_SPLIT, 0, 0);
	emit_op(compiler, OP_SAVE, slot, 0);
	emit_node(compiler, node->left);
	check = emit_op(compiler, OP_CHECK, slot, 0);
	emit_op(compiler, OP_JUMP, split, 0);
	compiler->pattern->code[check].b = here(compiler);
	close_split(compiler, split, node->reluctant);
}

/* x{0,n}: every split leaves to the end of all copies. */
static void
emit_optional(Compiler *compiler, const Node *node)
{
	uint32_t count = node->max - node->min;
	uint32_t *splits = arena_alloc(compiler->arena, (count + 1) * sizeof *splits);
	uint32_t made = 0;

	for (uint32_t i = 0; i < node->min && compiler->code_count < MAX_CODE; i++)
		emit_node(compiler, node->left);
	for (; made < count && compiler->code_count < MAX_CODE; made++)
	{
		splits[made] = emit_op(compiler, OP_SPLIT, 0, 0);
		emit_node(compiler, node->left);
	}
	for (uint32_t i = 0; i < made; i++)
		close_split(compiler, splits[i], node->reluctant);
}

static void
emit_node(Compiler *compiler, const Node *node)
{
	uint32_t place;
	uint32_t jump;

	if (compiler->code_count >= MAX_CODE)
		return;
	switch (node->kind)
	{
		case NODE_EMPTY:
			break;
		case NODE_LEAF:
			emit(compiler, node->code);
			break;
		case NODE_CAT:
			emit_node(compiler, node->left);
			emit_node(compiler, node->right);
			break;
		case NODE_ALT:
			place = emit_op(compiler, OP_SPLIT, 0, 0);
			emit_node(compiler, node->left);
			jump = emit_op(compiler, OP_JUMP, 0, 0);
			close_split(compiler, place, false);
			emit_node(compiler, node->right);
			compiler->pattern->code[jump].a = here(compiler);
			break;
		case NODE_GROUP:
			emit_op(compiler, OP_SAVE, node->min * 2, 0);
			emit_node(compiler, node->left);
			emit_op(compiler, OP_SAVE, node->min * 2 + 1, 0);
			break;
		case NODE_REPEAT:
			if (node->max == UNBOUNDED)
				emit_loop(compiler, node);
			else
				emit_optional(compiler, node);
			break;
		case NODE_SUB:
			place = emit(compiler, node->code);
			emit_node(compiler, node->left);
			emit_op(compiler, OP_STOP, 0, 0);
			compiler->pattern->code[place].b = here(compiler);
			break;
	}
}

/* How many groups capture, for back references ahead of them. */
static uint32_t
count_groups(const char *text)
{
	uint32_t count = 0;
	bool in_class = false;

	for (const char *p = text; *p != '\0'; p++)
	{
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '[')
			in_class = true;
		else if (*p == ']')
			in_class = false;
		else if (*p == '(' && !in_class &&
		         (p[1] != '?' || (p[2] == '<' && p[3] != '=' && p[3] != '!')))
			count++;
	}
	return count;
}

Pattern *
pattern_compile(Arena *arena, const char *text, Err *err)
{
	Pattern *pattern = arena_zero(arena, sizeof *pattern);
	Compiler compiler = {
		.arena = arena,
		.pattern = pattern,
		.at = text,
		.end = text + strlen(text),
		.group_total = count_groups(text),
		.err = err,
	};
	PatternCode *code = xmalloc(MAX_CODE * sizeof *code);
	size_t parens = 1;
	const Node *all;

	pattern->text = arena_strdup(arena, text);
	/* no more names than parentheses */
	for (const char *p = text; *p != '\0'; p++)
		parens += *p == '(';
	pattern->names = arena_zero(arena, parens * sizeof *pattern->names);
	pattern->code = code;
	all = parse_alternatives(&compiler);
	if (all != NULL && compiler.at < compiler.end)
		all = invalid(&compiler, "a parenthesis is not opened");
	if (all != NULL)
	{
		pattern->slots = (pattern->groups + 1) * 2;
		emit_node(&compiler, all);
		emit_op(&compiler, OP_MATCH, 0, 0);
		if (compiler.code_count >= MAX_CODE)
			all = invalid(&compiler, "it is too large");
	}
	pattern->code = arena_alloc(arena, (compiler.code_count + 1) * sizeof *code);
	memcpy(pattern->code, code, compiler.code_count * sizeof *code);
	free(code);
	return all == NULL ? NULL : pattern;
}
