/*
 * names.c
 *		names of schemas and fields that Avro takes.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/names.h"

static bool
is_letter(unsigned unit)
{
	return (unit >= 'a' && unit <= 'z') || (unit >= 'A' && unit <= 'Z');
}

static bool
is_digit(unsigned unit)
{
	return unit >= '0' && unit <= '9';
}

/* The character at *text, which moves on. */
static unsigned
next_point(const char **text)
{
	const char *at = *text;
	unsigned first = (uint8_t) *at++;
	unsigned point = first < 0xC0   ? first
	                 : first < 0xE0 ? first & 31
	                 : first < 0xF0 ? first & 15
	                                : first & 7;

	while (first >= 0xC0 && ((uint8_t) *at & 0xC0) == 0x80)
		point = point << 6 | ((uint8_t) *at++ & 0x3F);
	*text = at;
	return point;
}

static void
put_unit(Buf *buf, AdjustMode mode, unsigned unit)
{
	if (mode == ADJUST_AVRO)
		buf_char(buf, '_');
	else
		buf_printf(buf, unit < 0x100 ? "_u00%x" : "_u%x", unit); /* as Debezium pads */
}

void
names_adjust(Buf *buf, AdjustMode mode, bool is_field, const char *name)
{
	const char *at = name;

	if (mode == ADJUST_NONE)
	{
		buf_text(buf, name);
		return;
	}
	while (*at != '\0')
	{
		bool first = at == name;
		unsigned point = next_point(&at);

		if (is_letter(point) || (point == '_' && mode == ADJUST_AVRO) ||
		    (!first && (is_digit(point) || (point == '.' && !is_field))))
		{
			buf_char(buf, (char) point);
			continue;
		}
		if (point >= 0x10000)
		{
			put_unit(buf, mode, 0xD800 + ((point - 0x10000) >> 10));
			point = 0xDC00 + ((point - 0x10000) & 0x3FF);
		}
		put_unit(buf, mode, point);
		if (first && is_digit(point) && mode == ADJUST_AVRO)
			buf_char(buf, (char) point);
	}
}
