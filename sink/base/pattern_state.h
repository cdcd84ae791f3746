/*
 * pattern_state.h
 *		a compiled expression; private to pattern*.c.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef BASE_PATTERN_STATE_H
#define BASE_PATTERN_STATE_H

#include "base/pattern.h"

typedef enum PatternOp
{
	OP_CHAR,       /* a: code point */
	OP_ANY,        /* not a line end, unless a */
	OP_CLASS,      /* set */
	OP_SPLIT,      /* try a, then b */
	OP_JUMP,       /* a */
	OP_SAVE,       /* slot a becomes the place */
	OP_CHECK,      /* slot a is the place: nothing was consumed, go to b */
	OP_LINE_BEGIN, /* ^ */
	OP_LINE_END,   /* $, \Z: the end, or before a last line end */
	OP_END,        /* \z */
	OP_WORD,       /* a: \b, else \B */
	OP_BACK,       /* group a again */
	OP_LOOK,       /* what follows, to OP_STOP, matches here; a: must not; then b */
	OP_ATOMIC,     /* what follows, to OP_STOP, at its first match only; then b */
	OP_STOP,
	OP_MATCH,
} PatternOp;

typedef struct PatternRange
{
	uint32_t first;
	uint32_t last;
} PatternRange;

typedef struct PatternSet
{
	PatternRange *ranges;
	size_t count;
	bool negated;
} PatternSet;

typedef struct PatternCode
{
	PatternOp op;
	bool fold; /* ASCII letters without case */
	uint32_t a;
	uint32_t b;
	const PatternSet *set;
} PatternCode;

typedef struct PatternName
{
	const char *name;
	uint32_t group;
} PatternName;

struct Pattern
{
	const char *text;
	PatternCode *code;
	uint32_t groups; /* without 0, the whole */
	uint32_t slots;  /* two for each group, then those of the loops */
	PatternName *names;
	size_t name_count;
};

/* Read one character of UTF-8; *at moves on.  A byte that is none stands for itself. */
static inline uint32_t
pattern_char(const char **at, const char *end)
{
	const unsigned char *p = (const unsigned char *) *at;
	size_t len = p[0] < 0xC0 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	uint32_t c = p[0];

	if (len == 1 || (size_t) (end - *at) < len)
	{
		(*at)++;
		return c;
	}
	c &= 0x7FU >> len;
	for (size_t i = 1; i < len; i++)
		c = c << 6 | (p[i] & 0x3FU);
	*at += len;
	return c;
}

/* The group of that name; 0: there is none. */
uint32_t pattern_group(const Pattern *pattern, const char *name, size_t len);

#endif
