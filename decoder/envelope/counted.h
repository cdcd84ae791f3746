/*
 * counted.h
 *		several texts as one: each its length in decimal, a colon and its bytes.
 *
 * For options of the plugin that carry what the worker has under names of any length.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_COUNTED_H
#define ENVELOPE_COUNTED_H

#include "envelope/buf.h"

/* Append part to text. */
void counted_write(Buf *text, const char *part);

/* A copy, in alloc, of the part that *text starts with, which then starts behind it; NULL
 * when no part starts there. */
const char *counted_read(const char **text, const Alloc *alloc);

#endif
