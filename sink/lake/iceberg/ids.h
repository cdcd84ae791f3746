/*
 * ids.h
 *		snapshot ids and uuids; randomness is the caller's.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_ICEBERG_IDS_H
#define LAKE_ICEBERG_IDS_H

#include <stdbool.h>
#include <stdint.h>

#define UUID_TEXT_SIZE 37 /* 36 characters and a terminator */

/* Make 16 random bytes a version 4 uuid, in place. */
void uuid4_from_random(uint8_t bytes[16]);

/* Lower-case text with dashes into text; returns text. */
const char *uuid_format(const uint8_t uuid[16], char text[UUID_TEXT_SIZE]);

/* Read what uuid_format() writes at the start of text; false when it is something else.
 */
bool uuid_parse(const char *text, uint8_t uuid[16]);

/* Table spec, Appendix F: high xor low half of a version 4 uuid, never negative. */
int64_t snapshot_id_from_uuid(const uint8_t uuid[16]);

#endif
