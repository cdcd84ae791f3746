/*
 * position.c
 *		positions as one line of text, and what they mean for an event.
 *
 * The form is a table of fields: each is printed and read back by its row, so
 * that a field added here is stored everywhere.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "event/position.h"

#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define POSITION_FORMAT "cdc-position=2 "
#define OLDER_FORMAT    "cdc-position=1 " /* without a checksum */
#define CHECKSUM        " checksum="
#define LONGEST         ((size_t) 16 << 20) /* of a printed position */
#define OUTPUTS_WORD    " outputs="
#define REST_WORD       " rest="
#define LAST_WORD       " last="
#define UNREAD_WORD     " unread="
#define LISTS_WORD      " lists="
#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))

static const char *const phase_names[] = { "none", "intent", "snapshot", "stream" };

typedef enum FieldKind
{
	FIELD_PHASE,
	FIELD_U64,
	FIELD_U32,
	FIELD_HEX,
	FIELD_LSN,
	FIELD_NAME, /* char[64], percent-encoded */
} FieldKind;

typedef struct Field
{
	const char *name;
	FieldKind kind;
	size_t offset;
} Field;

#define AT(field) offsetof(Position, field)

/* clang-format off */
static const Field fields[] = {
	{ "phase",       FIELD_PHASE, AT(phase) },
	{ "system",      FIELD_U64,   AT(system_id) },
	{ "timeline",    FIELD_U32,   AT(timeline) },
	{ "database",    FIELD_NAME,  AT(database) },
	{ "slot",        FIELD_NAME,  AT(slot) },
	{ "fingerprint", FIELD_HEX,   AT(fingerprint) },
	{ "commit",      FIELD_LSN,   AT(commit_lsn) },
	{ "end",         FIELD_LSN,   AT(end_lsn) },
	{ "row",         FIELD_LSN,   AT(row_lsn) },
	{ "ordinal",     FIELD_U32,   AT(ordinal) },
};
/* clang-format on */

bool
position_covers(const Position *position, Lsn commit_lsn, Lsn row_lsn, uint32_t ordinal)
{
	if (position->phase != POSITION_STREAM || commit_lsn > position->commit_lsn)
		return false;
	if (commit_lsn < position->commit_lsn)
		return true;
	if (position->row_lsn == 0)
		return position->end_lsn > position->commit_lsn;
	return row_lsn < position->row_lsn ||
	       (row_lsn == position->row_lsn && ordinal <= position->ordinal);
}

static void
print_name(Buf *buf, const char *name)
{
	for (; *name != '\0'; name++)
		if (isalnum((unsigned char) *name) || *name == '_' || *name == '-' ||
		    *name == '.')
			buf_char(buf, *name);
		else
			buf_printf(buf, "%%%02X", (unsigned char) *name);
}

static void
print_field(Buf *buf, const Field *field, const void *at)
{
	const uint64_t *u64 = at;
	const uint32_t *u32 = at;
	const PositionPhase *phase = at;

	buf_char(buf, ' ');
	buf_text(buf, field->name);
	buf_char(buf, '=');
	switch (field->kind)
	{
		case FIELD_PHASE:
			buf_text(buf, phase_names[*phase]);
			break;
		case FIELD_U64:
			buf_uint64(buf, *u64);
			break;
		case FIELD_U32:
			buf_uint64(buf, *u32);
			break;
		case FIELD_HEX:
			buf_printf(buf, "%016" PRIx64, *u64);
			break;
		case FIELD_LSN:
			buf_printf(buf, "%X/%X", LSN_ARGS(*u64));
			break;
		case FIELD_NAME:
			print_name(buf, at);
			break;
	}
}

/* FNV-1a: a flipped bit in a stored position must not pass for another position. */
static uint32_t
checksum(const char *text, size_t len)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char) text[i]) * 16777619u;
	return hash;
}

void
position_print(Buf *buf, const Position *position)
{
	size_t start = buf->len;

	buf_append(buf, POSITION_FORMAT, strlen(POSITION_FORMAT) - 1);
	for (size_t i = 0; i < COUNT(fields); i++)
		print_field(buf, &fields[i], (const char *) position + fields[i].offset);
	if (position->last.lsn != 0)
		buf_printf(buf,
		           LAST_WORD "%X/%X,%" PRIu32 ",%" PRId64,
		           LSN_ARGS(position->last.lsn),
		           position->last.xid,
		           position->last.time_us);
	if (position->outputs != 0)
		buf_printf(buf, OUTPUTS_WORD "%u", position->outputs);
	if (position->rest != 0)
		buf_printf(buf, REST_WORD "%016" PRIx64, position->rest);
	if (position->unread != NULL && *position->unread != '\0')
	{
		buf_text(buf, UNREAD_WORD);
		buf_text(buf, position->unread);
	}
	if (position->lists != NULL)
	{
		buf_text(buf, LISTS_WORD);
		buf_text(buf, position->lists);
	}
	buf_printf(buf, CHECKSUM "%08" PRIx32, checksum(buf->data + start, buf->len - start));
}

static int
hex_value(char c)
{
	return isdigit((unsigned char) c) ? c - '0' : toupper((unsigned char) c) - 'A' + 10;
}

static bool
read_name(const char *text, char name[64])
{
	size_t len = 0;

	for (; *text != '\0'; text++)
	{
		char c = *text;

		if (c == '%')
		{
			if (!isxdigit((unsigned char) text[1]) || !isxdigit((unsigned char) text[2]))
				return false;
			c = (char) (hex_value(text[1]) << 4 | hex_value(text[2]));
			text += 2;
		}
		if (c == '\0' || len == 63)
			return false;
		name[len++] = c;
	}
	name[len] = '\0';
	return true;
}

static bool
read_phase(const char *text, PositionPhase *phase)
{
	for (size_t i = 0; i < COUNT(phase_names); i++)
		if (strcmp(text, phase_names[i]) == 0)
		{
			*phase = (PositionPhase) i;
			return true;
		}
	return false;
}

static bool
read_number(const char *text, int base, uint64_t max, uint64_t *value)
{
	char *end;

	if (!isxdigit((unsigned char) *text))
		return false;
	*value = strtoull(text, &end, base);
	return *end == '\0' && *value <= max;
}

static bool
read_field(const Field *field, const char *text, void *at)
{
	uint64_t number;

	switch (field->kind)
	{
		case FIELD_PHASE:
			return read_phase(text, at);
		case FIELD_U64:
			return read_number(text, 10, UINT64_MAX, at);
		case FIELD_HEX:
			return read_number(text, 16, UINT64_MAX, at);
		case FIELD_LSN:
			return lsn_parse(text, at);
		case FIELD_NAME:
			return read_name(text, at);
		case FIELD_U32:
			break;
	}
	if (!read_number(text, 10, UINT32_MAX, &number))
		return false;
	*(uint32_t *) at = (uint32_t) number;
	return true;
}

/* The value of "name=" among the words of line, copied into value.  False when it is
 * absent or too long. */
static bool
find_word(const char *line, const char *name, char *value, size_t size)
{
	size_t name_len = strlen(name);

	for (const char *word = line; *word != '\0'; word += strspn(word, " "))
	{
		size_t len = strcspn(word, " ");

		if (len > name_len && word[name_len] == '=' && memcmp(word, name, name_len) == 0)
		{
			if (len - name_len > size)
				return false;
			memcpy(value, word + name_len + 1, len - name_len - 1);
			value[len - name_len - 1] = '\0';
			return true;
		}
		word += len;
	}
	return false;
}

static bool
has_checksum(const char *line)
{
	const char *check = strstr(line, CHECKSUM);
	char expected[16];

	if (check == NULL)
		return false;
	(void) snprintf(
		expected, sizeof expected, "%08" PRIx32, checksum(line, (size_t) (check - line)));
	return strcmp(check + strlen(CHECKSUM), expected) == 0;
}

static bool
begins_with(const char *line, const char *start)
{
	return strncmp(line, start, strlen(start)) == 0;
}

/* The value behind word, of any length; NULL: there is none. */
static const char *
copy_word(Arena *arena, Slice text, const char *word)
{
	const size_t len = strlen(word);
	const char *found = memmem(text.data, text.len, word, len);
	size_t left;

	if (found == NULL)
		return NULL;
	found += len;
	left = text.len - (size_t) (found - text.data);
	return arena_strndup(arena, found, strcspn(arena_strndup(arena, found, left), " "));
}

void
position_parse_texts(Arena *arena, Slice text, Position *position)
{
	position->unread = copy_word(arena, text, UNREAD_WORD);
	position->lists = copy_word(arena, text, LISTS_WORD);
}

/* "16/B374D848,734,1790000000000000". */
static bool
read_last(char *text, CommitId *last)
{
	char *xid = strchr(text, ',');
	char *time = xid == NULL ? NULL : strchr(xid + 1, ',');
	uint64_t number;

	if (time == NULL)
		return false;
	*xid++ = *time++ = '\0';
	if (!lsn_parse(text, &last->lsn) || !read_number(xid, 10, UINT32_MAX, &number))
		return false;
	last->xid = (uint32_t) number;
	if (!read_number(time, 10, INT64_MAX, &number))
		return false;
	last->time_us = (int64_t) number;
	return true;
}

static bool
parse_line(const char *line, Position *position, Err *err)
{
	char value[256];
	uint64_t number = 0;

	if (!begins_with(line, POSITION_FORMAT) && !begins_with(line, OLDER_FORMAT))
		return fail(err,
		            ERR_FATAL,
		            "stored position has an unrecognized format: \"%.40s\"",
		            line);
	if (begins_with(line, POSITION_FORMAT) && !has_checksum(line))
		return fail(err,
		            ERR_FATAL,
		            "stored position is damaged: the checksum of \"%.400s\" is another",
		            line);
	for (size_t i = 0; i < COUNT(fields); i++)
		if (!find_word(line, fields[i].name, value, sizeof value) ||
		    !read_field(&fields[i], value, (char *) position + fields[i].offset))
			return fail(err,
			            ERR_FATAL,
			            "stored position is damaged: no valid \"%s\" in \"%.400s\"",
			            fields[i].name,
			            line);
	/* optional: older positions lack it */
	if (find_word(line, "outputs", value, sizeof value) &&
	    read_number(value, 10, UINT32_MAX, &number))
		position->outputs = (unsigned) number;
	if (find_word(line, "rest", value, sizeof value) &&
	    read_number(value, 16, UINT64_MAX, &number))
		position->rest = number;
	if (find_word(line, "last", value, sizeof value) &&
	    !read_last(value, &position->last))
		return fail(err,
		            ERR_FATAL,
		            "stored position is damaged: no valid \"last\" in \"%.400s\"",
		            line);
	return true;
}

bool
position_parse(Slice text, Position *position, Err *err)
{
	char *line;
	bool ok;

	*position = (Position){ 0 };
	if (text.len >= LONGEST)
		return fail(
			err, ERR_FATAL, "stored position is damaged: %zu bytes long", text.len);
	line = xmalloc(text.len + 1);
	memcpy(line, text.data, text.len);
	line[text.len] = '\0';
	ok = parse_line(line, position, err);
	free(line);
	return ok;
}

bool
position_has_other_lists(const Position *stored, const Position *self)
{
	return stored->phase != POSITION_NONE && stored->fingerprint != self->fingerprint &&
	       stored->rest != 0 && stored->rest == self->rest && stored->lists != NULL;
}

bool
position_same_source(const Position *stored, const Position *self, const char *where,
                     Err *err)
{
	if (stored->phase == POSITION_NONE)
		return true;
	if (stored->system_id != self->system_id)
		fail(err,
		     ERR_CONFIG,
		     "the position in %s belongs to another PostgreSQL system: %" PRIu64
		     ", connected to %" PRIu64,
		     where,
		     stored->system_id,
		     self->system_id);
	else if (strcmp(stored->database, self->database) != 0)
		fail(err,
		     ERR_CONFIG,
		     "the position in %s belongs to database \"%s\", not \"%s\"",
		     where,
		     stored->database,
		     self->database);
	else if (strcmp(stored->slot, self->slot) != 0)
		fail(err,
		     ERR_CONFIG,
		     "the position in %s belongs to slot \"%s\", not \"%s\"",
		     where,
		     stored->slot,
		     self->slot);
	else if (stored->fingerprint != self->fingerprint &&
	         !position_has_other_lists(stored, self))
		fail(err,
		     ERR_CONFIG,
		     "the position in %s was stored under other table, column or row filters",
		     where);
	else if (self->timeline < stored->timeline)
		fail(err,
		     ERR_CONFIG,
		     "the position in %s is of timeline %u, the server is on timeline %u",
		     where,
		     stored->timeline,
		     self->timeline);
	else
		return true;
	return fail_hint(
		err,
		"Nothing was changed. Restore the setting, or start afresh with another "
		"slot.name, topic.prefix and lake.namespace.");
}
