/*
 * textform.c
 *		array_out and hstore_out read back, intervals and times in ISO 8601.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/textform.h"

#include <inttypes.h>
#include <stdlib.h>

#define SECOND_US INT64_C(1000000)

typedef struct TextReader
{
	const char *at;
	const char *end;
} TextReader;

static bool
text_skip(TextReader *reader, char c)
{
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

/* What stands between double quotes, backslashes resolved; at is behind the first quote.
 */
static bool
text_quoted(Arena *arena, TextReader *reader, Cell *cell)
{
	char *text = arena_alloc(arena, (size_t) (reader->end - reader->at) + 1);
	size_t len = 0;

	while (reader->at < reader->end && *reader->at != '"')
	{
		if (*reader->at == '\\' && ++reader->at == reader->end)
			return false;
		text[len++] = *reader->at++;
	}
	*cell = cell_bytes((Slice){ text, len });
	return text_skip(reader, '"');
}

static bool
text_element(Arena *arena, TextReader *reader, Cell *cell)
{
	const char *start = reader->at;
	Slice text;

	if (text_skip(reader, '"'))
		return text_quoted(arena, reader, cell);
	while (reader->at < reader->end && strchr(",{}\"\\", *reader->at) == NULL)
		reader->at++;
	text = (Slice){ start, (size_t) (reader->at - start) };
	*cell = slice_equal(text, slice_from("NULL")) ? cell_null() : cell_bytes(text);
	return text.len > 0;
}

bool
text_array_parse(Arena *arena, Slice text, Cell *list)
{
	TextReader reader = { text.data, text.data + text.len };
	Cell *items = arena_alloc(arena, sizeof *items * (text.len / 2 + 1));

	*list = (Cell){ .kind = CELL_LIST, .items = items };
	if (!text_skip(&reader, '{'))
		return false;
	if (text_skip(&reader, '}'))
		return reader.at == reader.end;
	do
	{
		if (!text_element(arena, &reader, &items[list->count++]))
			return false;
	} while (text_skip(&reader, ','));
	return text_skip(&reader, '}') && reader.at == reader.end;
}

static bool
hstore_pair(Arena *arena, TextReader *reader, Cell pair[2])
{
	if (!text_skip(reader, '"') || !text_quoted(arena, reader, &pair[0]) ||
	    !text_skip(reader, '=') || !text_skip(reader, '>'))
		return false;
	if (text_skip(reader, '"'))
		return text_quoted(arena, reader, &pair[1]);
	pair[1] = cell_null();
	return text_skip(reader, 'N') && text_skip(reader, 'U') && text_skip(reader, 'L') &&
	       text_skip(reader, 'L');
}

bool
hstore_parse(Arena *arena, Slice text, Cell *map)
{
	TextReader reader = { text.data, text.data + text.len };
	/* The shortest pair, with its separator, is ""=>"". */
	Cell *items = arena_alloc(arena, sizeof *items * (text.len / 3 + 2));

	*map = (Cell){ .kind = CELL_LIST, .items = items };
	if (text.len == 0)
		return true;
	do
	{
		while (text_skip(&reader, ' '))
			continue;
		if (!hstore_pair(arena, &reader, &items[map->count]))
			return false;
		map->count += 2;
	} while (text_skip(&reader, ','));
	return reader.at == reader.end;
}

/* Append ".789" without trailing zeros; nothing for 0. */
static void
iso_fraction(Buf *buf, int64_t us)
{
	if (us == 0)
		return;
	buf_printf(buf, ".%06" PRId64, us);
	while (buf->data[buf->len - 1] == '0')
		buf->len--;
}

static void
iso_part(Buf *buf, int64_t value, char unit)
{
	if (value == 0)
		return;
	buf_int64(buf, value);
	buf_char(buf, unit);
}

Slice
iso_interval(Arena *arena, const Interval *interval)
{
	int64_t seconds = interval->time_us / SECOND_US;
	int64_t us = interval->time_us % SECOND_US;
	Buf buf = buf_heap();
	Slice text;

	buf_char(&buf, 'P');
	iso_part(&buf, interval->months / 12, 'Y');
	iso_part(&buf, interval->months % 12, 'M');
	iso_part(&buf, interval->days, 'D');
	if (interval->time_us != 0 || buf.len == 1)
		buf_char(&buf, 'T');
	iso_part(&buf, seconds / 3600, 'H');
	iso_part(&buf, seconds / 60 % 60, 'M');
	if (seconds % 60 != 0 || us != 0 || buf.len == 2)
	{
		if (interval->time_us < 0 && seconds % 60 == 0 && us != 0)
			buf_char(&buf, '-');
		buf_int64(&buf, seconds % 60);
		iso_fraction(&buf, llabs(us));
		buf_char(&buf, 'S');
	}
	text = arena_slice(arena, (Slice){ buf.data, buf.len });
	buf_free(&buf);
	return text;
}

Slice
iso_timetz(Arena *arena, const TimeTz *time)
{
	int64_t seconds = time->time_us / SECOND_US;
	int zone = abs(time->zone_s);
	Buf buf = buf_heap();
	Slice text;

	buf_printf(&buf,
	           "%02d:%02d:%02d",
	           (int) (seconds / 3600),
	           (int) (seconds / 60 % 60),
	           (int) (seconds % 60));
	iso_fraction(&buf, time->time_us % SECOND_US);
	buf_printf(
		&buf, "%c%02d:%02d", time->zone_s > 0 ? '-' : '+', zone / 3600, zone / 60 % 60);
	if (zone % 60 != 0)
		buf_printf(&buf, ":%02d", zone % 60);
	text = arena_slice(arena, (Slice){ buf.data, buf.len });
	buf_free(&buf);
	return text;
}
