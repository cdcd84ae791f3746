/*
 * pattern_run.c
 *		a backtracking machine for compiled expressions, and what is done with matches.
 *
 * Choices not yet tried lie on a stack, with what the slots held when they were made;
 * so depth is bounded by steps and not by the C stack, but for lookahead and atomic
 * groups, which nest as the expression does.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>

#include "base/pattern_state.h"

#define MAX_STEPS 1000000

typedef struct Choice
{
	const char *place;
	size_t undo_count;
	uint32_t at;
} Choice;

typedef struct Undo
{
	const char *place;
	uint32_t slot;
} Undo;

typedef struct Machine
{
	const Pattern *pattern;
	const char *begin;
	const char *end;
	bool whole; /* a match must reach the end */
	const char **slots;
	Choice *choices;
	size_t choice_count;
	size_t choice_room;
	Undo *undos;
	size_t undo_count;
	size_t undo_room;
	int steps;
} Machine;

static void
save(Machine *machine, uint32_t slot, const char *place)
{
	if (machine->undo_count == machine->undo_room)
	{
		machine->undo_room = machine->undo_room * 2 + 64;
		machine->undos =
			xrealloc(machine->undos, machine->undo_room * sizeof *machine->undos);
	}
	machine->undos[machine->undo_count++] = (Undo){ machine->slots[slot], slot };
	machine->slots[slot] = place;
}

static void
undo(Machine *machine, size_t count)
{
	while (machine->undo_count > count)
	{
		const Undo *last = &machine->undos[--machine->undo_count];

		machine->slots[last->slot] = last->place;
	}
}

static void
choose_later(Machine *machine, uint32_t at, const char *place)
{
	if (machine->choice_count == machine->choice_room)
	{
		machine->choice_room = machine->choice_room * 2 + 64;
		machine->choices =
			xrealloc(machine->choices, machine->choice_room * sizeof *machine->choices);
	}
	machine->choices[machine->choice_count++] =
		(Choice){ place, machine->undo_count, at };
}

static bool
is_word(unsigned char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

static bool
at_boundary(const Machine *machine, const char *place)
{
	bool before = place > machine->begin && is_word((unsigned char) place[-1]);
	bool after = place < machine->end && is_word((unsigned char) *place);

	return before != after;
}

static bool
is_line_end(uint32_t c)
{
	return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/* At the end, or before a line end that is the last thing. */
static bool
at_last_line_end(const Machine *machine, const char *place)
{
	uint32_t c;

	if (place == machine->end)
		return true;
	if (place > machine->begin && place[-1] == '\r' && *place == '\n')
		return false;
	c = pattern_char(&place, machine->end);
	if (c == '\r' && place < machine->end && *place == '\n')
		place++;
	return is_line_end(c) && place == machine->end;
}

static uint32_t
folded(uint32_t c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static bool
set_has(const PatternSet *set, uint32_t c)
{
	for (size_t i = 0; i < set->count; i++)
		if (c >= set->ranges[i].first && c <= set->ranges[i].last)
			return true;
	return false;
}

/* Whether a character is what code takes. */
static bool
takes(const PatternCode *code, uint32_t c)
{
	bool has;

	if (code->op == OP_CHAR)
		return code->fold ? folded(c) == folded(code->a) : c == code->a;
	if (code->op == OP_ANY)
		return code->a != 0 || !is_line_end(c);
	has = set_has(code->set, c);
	if (code->fold && !has && folded(c) >= 'a' && folded(c) <= 'z')
		has = set_has(code->set, c ^ 0x20);
	return has != code->set->negated;
}

/* The same text as group held; *place moves on. */
static bool
repeats(const Machine *machine, uint32_t group, const char **place)
{
	const char *first;
	const char *last;
	size_t len;

	/* a group that is not there never matches; the compiler counts those in \Q...\E */
	if (group > machine->pattern->groups)
		return false;
	first = machine->slots[group * 2];
	last = machine->slots[group * 2 + 1];
	if (first == NULL || last == NULL)
		return false;
	len = (size_t) (last - first);
	if ((size_t) (machine->end - *place) < len || memcmp(*place, first, len) != 0)
		return false;
	*place += len;
	return true;
}

static bool run(Machine *machine, uint32_t at, const char **place);

/* Lookahead and atomic groups: what follows code, to its OP_STOP, on its own. */
static bool
run_inside(Machine *machine, uint32_t at, const char **place)
{
	const PatternCode *code = &machine->pattern->code[at];
	size_t undo_count = machine->undo_count;
	const char *after = *place;
	bool found = run(machine, at + 1, &after);

	if (code->op == OP_ATOMIC)
	{
		*place = after;
		return found;
	}
	if (code->a != 0)
		undo(machine, undo_count);
	return found == (code->a == 0);
}

/* One instruction that is neither a jump nor an end; false: it does not match. */
static bool
step(Machine *machine, uint32_t at, const char **place)
{
	const PatternCode *code = &machine->pattern->code[at];

	switch (code->op)
	{
		case OP_LINE_BEGIN:
			return *place == machine->begin;
		case OP_LINE_END:
			return at_last_line_end(machine, *place);
		case OP_END:
			return *place == machine->end;
		case OP_WORD:
			return at_boundary(machine, *place) == (code->a != 0);
		case OP_BACK:
			return repeats(machine, code->a, place);
		case OP_LOOK:
		case OP_ATOMIC:
			return run_inside(machine, at, place);
		default:
			return *place < machine->end &&
			       takes(code, pattern_char(place, machine->end));
	}
}

/*
 * From instruction at on; *place is where it ended.  Choices made inside are gone
 * afterwards, slots are as the match left them, or as before.
 */
static bool
run(Machine *machine, uint32_t at, const char **place)
{
	size_t base = machine->choice_count;
	size_t undo_base = machine->undo_count;
	const char *now = *place;

	while (machine->steps++ < MAX_STEPS)
	{
		const PatternCode *code = &machine->pattern->code[at];
		bool ok = true;

		switch (code->op)
		{
			case OP_SPLIT:
				choose_later(machine, code->b, now);
				at = code->a;
				continue;
			case OP_JUMP:
				at = code->a;
				continue;
			case OP_SAVE:
				save(machine, code->a, now);
				at++;
				continue;
			case OP_CHECK:
				at = machine->slots[code->a] == now ? code->b : at + 1;
				continue;
			case OP_MATCH:
			case OP_STOP:
				if (code->op == OP_MATCH && machine->whole && now != machine->end)
				{
					ok = false;
					break;
				}
				machine->choice_count = base;
				*place = now;
				return true;
			default:
				ok = step(machine, at, &now);
				at = code->op == OP_LOOK || code->op == OP_ATOMIC ? code->b : at + 1;
				break;
		}
		if (ok)
			continue;
		if (machine->choice_count == base)
			break;
		machine->choice_count--;
		at = machine->choices[machine->choice_count].at;
		now = machine->choices[machine->choice_count].place;
		undo(machine, machine->choices[machine->choice_count].undo_count);
	}
	machine->choice_count = base;
	undo(machine, undo_base);
	return false;
}

/* Look for a match that begins at *place and, if whole, ends where the subject does. */
static bool
run_from(Machine *machine, const char *place)
{
	const char *after = place;

	memset(machine->slots, 0, machine->pattern->slots * sizeof *machine->slots);
	machine->undo_count = 0;
	if (!run(machine, 0, &after))
		return false;
	machine->slots[0] = place;
	machine->slots[1] = after;
	return true;
}

static Machine
machine_new(const Pattern *pattern, Slice subject)
{
	return (Machine){
		.pattern = pattern,
		.begin = subject.data,
		.end = subject.data + subject.len,
		.slots = xmalloc(pattern->slots * sizeof(const char *)),
	};
}

static bool
machine_free(Machine *machine, Err *err)
{
	bool in_time = machine->steps < MAX_STEPS;

	free(machine->slots);
	free(machine->choices);
	free(machine->undos);
	return in_time ||
	       fail(err,
	            ERR_DATA,
	            "regular expression \"%s\" takes too long on a text of %zu bytes",
	            machine->pattern->text,
	            (size_t) (machine->end - machine->begin));
}

bool
pattern_matches(const Pattern *pattern, Slice subject, bool *matched, Err *err)
{
	Machine machine = machine_new(pattern, subject);

	machine.whole = true;
	*matched = run_from(&machine, machine.begin);
	return machine_free(&machine, err);
}

/* Find the first match anywhere. */
static bool
find(Machine *machine)
{
	for (const char *place = machine->begin; machine->steps < MAX_STEPS;)
	{
		if (run_from(machine, place))
			return true;
		if (place == machine->end)
			return false;
		(void) pattern_char(&place, machine->end);
	}
	return false;
}

/* ---- Replacements ---- */

/* One piece of a replacement: text, or a group when text.data is NULL. */
typedef struct Piece
{
	Slice text;
	uint32_t group;
} Piece;

/* $1, $12, ${name}, after the dollar sign. */
static bool
read_group(const Pattern *pattern, const char **at, uint32_t *group)
{
	const char *p = *at;

	if (*p == '{')
	{
		size_t len = strcspn(p + 1, "}");

		*group = p[len + 1] == '}' ? pattern_group(pattern, p + 1, len) : 0;
		*at = p + len + 2;
		return *group != 0;
	}
	if (*p < '0' || *p > '9')
		return false;
	*group = (uint32_t) (*p++ - '0');
	while (*p >= '0' && *p <= '9' &&
	       *group * 10 + (uint32_t) (*p - '0') <= pattern->groups)
		*group = *group * 10 + (uint32_t) (*p++ - '0');
	*at = p;
	return *group <= pattern->groups;
}

/* The next piece of a replacement that is not at its end. */
static bool
read_piece(const Pattern *pattern, const char **at, Piece *piece)
{
	const char *p = *at;

	*piece = (Piece){ .group = 0 };
	if (*p == '$')
	{
		*at = p + 1;
		return read_group(pattern, at, &piece->group);
	}
	if (*p == '\\')
		p++;
	if (*p == '\0')
		return false;
	piece->text = (Slice){ p, 1 };
	*at = p + 1;
	return true;
}

bool
pattern_check_replacement(const Pattern *pattern, const char *replacement, Err *err)
{
	Piece piece;

	for (const char *at = replacement; *at != '\0';)
		if (!read_piece(pattern, &at, &piece))
		{
			(void) fail(err,
			            ERR_CONFIG,
			            "invalid replacement \"%s\" for the regular expression \"%s\"",
			            replacement,
			            pattern->text);
			return fail_hint(err,
			                 "$1 and ${name} stand for groups, which must be in the "
			                 "expression; \\$ is a dollar sign.");
		}
	return true;
}

static void
replace(const Machine *machine, const char *replacement, Buf *out)
{
	const char *const *slots = machine->slots;
	Piece piece;

	buf_append(out, machine->begin, (size_t) (slots[0] - machine->begin));
	for (const char *at = replacement;
	     *at != '\0' && read_piece(machine->pattern, &at, &piece);)
	{
		const char *first = slots[piece.group * 2];
		const char *last = slots[piece.group * 2 + 1];

		if (piece.text.data != NULL)
			buf_slice(out, piece.text);
		else if (first != NULL && last != NULL)
			buf_append(out, first, (size_t) (last - first));
	}
	buf_append(out, slots[1], (size_t) (machine->end - slots[1]));
}

bool
pattern_route(const Pattern *pattern, Slice subject, const char *replacement,
              Arena *arena, const char **result, Err *err)
{
	Machine machine = machine_new(pattern, subject);
	Buf out = buf_heap();

	*result = NULL;
	machine.whole = true;
	if (run_from(&machine, machine.begin))
	{
		machine.whole = false;
		if (find(&machine))
		{
			replace(&machine, replacement, &out);
			*result = arena_strndup(arena, out.data == NULL ? "" : out.data, out.len);
		}
	}
	buf_free(&out);
	return machine_free(&machine, err);
}
