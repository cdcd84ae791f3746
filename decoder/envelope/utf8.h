/*
 * utf8.h
 *		bytes of no declared encoding, made UTF-8 (RFC 3629).
 *
 * What is valid passes; of what is not, each byte becomes U+FFFD.  Overlong forms,
 * surrogates and code points beyond U+10FFFF are not valid.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_UTF8_H
#define ENVELOPE_UTF8_H

#include "envelope/buf.h"

/* How many bytes at the start of text are ASCII, in which all of PostgreSQL's encodings
 * for databases agree. */
size_t utf8_ascii_run(Slice text);

/* How many bytes at the start of text are valid. */
size_t utf8_valid_run(Slice text);

/* Append text, made valid; how many times U+FFFD was put in. */
uint64_t utf8_append(Buf *buf, Slice text);

/* Put a question mark over each byte of text, terminated, that is not valid. */
void utf8_patch(char *text);

#endif
