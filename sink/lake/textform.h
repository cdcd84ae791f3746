/*
 * textform.h
 *		texts that PostgreSQL prints, read; and ISO 8601 texts, written.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_TEXTFORM_H
#define LAKE_TEXTFORM_H

#include "envelope/value.h"
#include "lake/cell.h"

/*
 * A list of strings from array_out's text "{a,NULL,\"b c\"}".  False when the array
 * has more dimensions than one or other bounds than from 1, or is no array.
 */
bool text_array_parse(Arena *arena, Slice text, Cell *list);

/* A map from hstore_out's text: "k"=>"v", "n"=>NULL.  False when malformed. */
bool hstore_parse(Arena *arena, Slice text, Cell *map);

/* "P1Y2M3DT4H5M6.789S"; the zero interval is "PT0S".  As IntervalStyle iso_8601. */
Slice iso_interval(Arena *arena, const Interval *interval);

/* "12:34:56.789+02:00" */
Slice iso_timetz(Arena *arena, const TimeTz *time);

#endif
