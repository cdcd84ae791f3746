/*
 * lsn.h
 *		WAL positions.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef BASE_LSN_H
#define BASE_LSN_H

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t Lsn; /* byte position in the WAL; 0 = none */

#define LSN_TEXT_SIZE 18 /* "FFFFFFFF/FFFFFFFF" and its terminator */

/* Write lsn as PostgreSQL prints it ("16/B374D848") into text and return text. */
const char *lsn_format(Lsn lsn, char text[LSN_TEXT_SIZE]);

/* Read "X/Y".  False when text is anything else. */
bool lsn_parse(const char *text, Lsn *lsn);

/* For log lines and messages: printf("%X/%X", LSN_ARGS(lsn)). */
#define LSN_ARGS(lsn) (unsigned) ((lsn) >> 32), (unsigned) (lsn)

#endif
